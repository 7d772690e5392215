//! The verdict that findings make (spec/verification.md).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::hash::Hash;
use crate::judge::findings::{Faults, Findings};
use crate::recordings::{Recordings, Replacements};
use crate::step::{Axis, Step};
use crate::time::Time;
use crate::trust::ANCHOR_ITEM;

/// How an axis ends; the greater, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Everything that belongs here was checked and agrees.
    Established,
    /// Something that belongs here was not looked at.
    NotChecked,
    /// It was looked at, and cannot be said.
    NotEstablished,
    /// Something disagrees.
    Contradicted,
}

impl Outcome {
    /// The word that a verdict prints.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Established => "ESTABLISHED",
            Self::NotChecked => "NOT CHECKED",
            Self::NotEstablished => "NOT ESTABLISHED",
            Self::Contradicted => "CONTRADICTED",
        }
    }
}

/// What a contradiction speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// What stands around the evidence: the bag's own files, a file that no exhibit has.
    Package,
    /// What the verifier was given: another ledger than this one.
    Anchor,
    /// The evidence itself.
    Evidence,
}

/// Something that a verdict has to say. Its texts are short and safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The step that found it.
    pub step: Step,
    /// How bad it is.
    pub outcome: Outcome,
    /// What a contradiction speaks of.
    pub fault: Option<Fault>,
    /// The file or entry that it is about.
    pub item: String,
    /// What had to be there; empty where nothing is contradicted.
    pub expected: String,
    /// What was there, or why nothing can be said.
    pub found: String,
}

/// What was counted at one step; counts are never capped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Whether it was carried out to its end.
    pub ran: bool,
    /// Checks that held.
    pub held: u64,
    /// Contradictions.
    pub contradicted: u64,
    /// Things that cannot be said.
    pub not_established: u64,
    /// Things that were not looked at.
    pub not_checked: u64,
}

impl Tally {
    const fn outcome(&self) -> Outcome {
        match self {
            Self { contradicted: 1.., .. } => Outcome::Contradicted,
            Self { not_established: 1.., .. } => Outcome::NotEstablished,
            Self { not_checked: 1.., .. } | Self { ran: false, .. } => Outcome::NotChecked,
            _ => Outcome::Established,
        }
    }
}

/// How a verification ended, for a program that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Nothing to report.
    Agrees,
    /// A contradiction.
    Contradicts,
    /// Something was not read or is not established.
    Incomplete,
    /// Something is of a form that this version does not know.
    Unsupported,
}

impl Conclusion {
    /// The exit code that spec/verification.md gives it.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Agrees => 0,
            Self::Contradicts => 1,
            Self::Incomplete => 2,
            Self::Unsupported => 3,
        }
    }
}

/// What the contradictions of a verdict, taken together, speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The evidence was altered, or contradicts itself.
    Evidence,
    /// The anchor that was given belongs to another ledger.
    AnotherLedger,
    /// The package around the evidence is not as it must be: made so, or changed on its way.
    Package,
}

/// How one axis ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisVerdict {
    /// The axis.
    pub axis: Axis,
    /// Its outcome: that of its worst step.
    pub outcome: Outcome,
    /// Whether it is NOT CHECKED, and something of it was checked and agrees.
    pub in_part: bool,
    /// Sentences that belong beside the outcome.
    pub notes: Vec<String>,
}

/// The checkpoint that everything was held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The log's name.
    pub origin: String,
    /// How many entries it covers.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The leaf of entry 0, where it was shown.
    pub ledger_id: Option<Hash>,
    /// Whether an anchor that was given vouches for it.
    pub anchored: bool,
    /// Whether a verifier key that was given signed it.
    pub signed: bool,
    /// The size of the kept checkpoint that it was shown to continue.
    pub continues: Option<u64>,
    /// Whether the ledger id is the one that was given, or something that was given speaks for the checkpoint and
    /// entry 0 stands in the log: it is this log's, whatever else is contradicted.
    pub id_holds: bool,
}

impl Seen {
    /// Whether something that was given speaks for the checkpoint, whatever else was given.
    pub(crate) const fn is_vouched(&self) -> bool {
        self.anchored || self.signed
    }

    /// Of a log: the size of the kept checkpoint that it continues, and the root over its entries.
    pub(crate) fn of_log(self, continues: Option<u64>, root: Option<Hash>) -> Self {
        let id_holds = self.id_holds || self.is_vouched() && root == Some(self.root);
        Self { continues, id_holds, ..self }
    }
}

/// What a verification found.
#[derive(Debug)]
pub struct Verdict {
    axes: [AxisVerdict; 10],
    findings: Vec<Finding>,
    tally: BTreeMap<Step, Tally>,
    unsupported: Vec<String>,
    unsupported_count: u64,
    conclusion: Conclusion,
    faults: Faults,
    /// What was verified, if a checkpoint could be read.
    pub(crate) seen: Option<Seen>,
    pub(crate) produced: Option<(u64, Time)>,
    pub(crate) recordings: Recordings,
    pub(crate) replacements: Replacements,
}

impl Verdict {
    /// The verdict over everything found.
    pub(crate) fn of(mut findings: Findings) -> Self {
        findings.kept.sort_by_key(|finding| (finding.step, std::cmp::Reverse(finding.outcome)));
        let ledger_contradicted = findings.contradicts(Axis::Ledger);
        let steps = findings.steps;
        let tally = |step: &Step| findings.tally.get(step).copied().unwrap_or_default();
        let axes = Axis::ALL.map(|axis| {
            let outcomes =
                steps.iter().filter(|step| step.axis() == axis).map(|s| tally(s).outcome());
            let mut outcome = outcomes.max().unwrap_or(Outcome::NotChecked);
            let mut notes = findings.notes.get(&axis).cloned().unwrap_or_default();
            let shown = tally(&Step::OpeningRoot).held > 0;
            if outcome == Outcome::Contradicted {
                let is_it = |step: &&Step| step.axis() == axis && tally(step).contradicted > 0;
                let steps: Vec<&str> = steps.iter().filter(is_it).map(|step| step.id()).collect();
                notes.push(format!("contradicted at {}", steps.join(", ")));
            }
            if axis == Axis::Disclosure && outcome == Outcome::Established && !shown {
                outcome = Outcome::NotChecked;
                notes.push("no value is shown".to_owned());
            }
            if ledger_contradicted && axis.rests_on_ledger() {
                outcome = Outcome::NotEstablished;
                notes = vec!["it rests on the ledger, which is contradicted".to_owned()];
            }
            // That a file is the listed one says nothing of what an entry says of it.
            let counts = |step: &&Step| step.axis() == axis && **step != Step::Payload;
            let held = steps.iter().filter(counts).any(|step| tally(step).held > 0);
            let in_part = outcome == Outcome::NotChecked && held;
            if in_part {
                notes.insert(0, unchecked(axis, &findings.kept));
            }
            AxisVerdict { axis, outcome, in_part, notes }
        });
        let unread = findings.something_unread || steps.iter().any(|step| !tally(step).ran);
        let any =
            |wanted: fn(&Tally) -> u64| findings.tally.values().any(|tally| wanted(tally) > 0);
        let conclusion = if any(|tally| tally.contradicted) {
            Conclusion::Contradicts
        } else if findings.unsupported_count > 0 {
            Conclusion::Unsupported
        } else if any(|tally| tally.not_established) || unread {
            Conclusion::Incomplete
        } else {
            Conclusion::Agrees
        };
        Self {
            axes,
            findings: findings.kept,
            tally: findings.tally,
            unsupported: findings.unsupported,
            unsupported_count: findings.unsupported_count,
            conclusion,
            faults: findings.faults,
            seen: None,
            produced: None,
            recordings: Recordings::default(),
            replacements: Replacements::default(),
        }
    }

    /// The entry that closes an exhibit, and when its signer's clock says it was made.
    #[must_use]
    pub const fn produced(&self) -> Option<(u64, Time)> {
        self.produced
    }

    /// The recordings that were judged.
    #[must_use]
    pub const fn recordings(&self) -> &Recordings {
        &self.recordings
    }

    /// The shown entries that supersede shown ones.
    #[must_use]
    pub const fn replacements(&self) -> &Replacements {
        &self.replacements
    }

    /// The checkpoint that everything was held against, if one could be read.
    #[must_use]
    pub const fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// The axes, in their order.
    #[must_use]
    pub const fn axes(&self) -> &[AxisVerdict; 10] {
        &self.axes
    }

    /// The outcome of one axis.
    #[must_use]
    pub fn outcome(&self, axis: Axis) -> Outcome {
        let found = self.axes.iter().find(|verdict| verdict.axis == axis);
        found.map_or(Outcome::NotChecked, |verdict| verdict.outcome)
    }

    /// The findings, by step, contradictions first; at most 100 a step and outcome.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What was counted at a step.
    #[must_use]
    pub fn tally(&self, step: Step) -> Tally {
        self.tally.get(&step).copied().unwrap_or_default()
    }

    /// What is of a form that this version does not know: the first hundred, and how many.
    #[must_use]
    pub fn unsupported(&self) -> (&[String], u64) {
        (&self.unsupported, self.unsupported_count)
    }

    /// How it ended, for a program that asks.
    #[must_use]
    pub const fn conclusion(&self) -> Conclusion {
        self.conclusion
    }

    /// How many contradictions there are.
    #[must_use]
    pub fn contradictions(&self) -> u64 {
        self.tally.values().map(|tally| tally.contradicted).sum()
    }

    /// What the contradictions speak of; `None` where there are none.
    #[must_use]
    pub const fn blame(&self) -> Option<Blame> {
        match self.faults {
            Faults { evidence: 1.., .. } => Some(Blame::Evidence),
            Faults { anchor: 1.., .. } => Some(Blame::AnotherLedger),
            Faults { package: 1.., .. } => Some(Blame::Package),
            Faults { .. } => None,
        }
    }

    /// The first contradiction by step, of those that the blame rests on.
    #[must_use]
    pub fn first_contradiction(&self) -> Option<&Finding> {
        let fault = match self.blame()? {
            Blame::Evidence => Fault::Evidence,
            Blame::AnotherLedger => Fault::Anchor,
            Blame::Package => Fault::Package,
        };
        let of_it = self.findings.iter().filter(|finding| finding.fault == Some(fault));
        // What was changed shows in the bag's own files too, and they were not.
        of_it.min_by_key(|finding| {
            finding.fault == Some(Fault::Package) && finding.step == Step::TagFiles
        })
    }

    /// Whether everything agrees but for what stands around the evidence, and everything was there.
    #[must_use]
    pub fn evidence_agrees(&self) -> bool {
        let nothing_else = matches!(self.blame(), None | Some(Blame::Package));
        let established = self.tally.values().all(|tally| tally.not_established == 0);
        // What is not packed, not disclosed or not shown at all is not checked at a step of the content.
        let of_content = |step: &&Step| step.axis() == Axis::Content;
        let is_whole = |tally: Tally| tally.ran && tally.not_checked == 0;
        let looked_at = Step::ALL.iter().filter(of_content).all(|step| is_whole(self.tally(*step)));
        nothing_else && established && looked_at && self.unsupported_count == 0
    }

    /// Whether no trust anchor was given.
    #[must_use]
    pub fn without_anchor(&self) -> bool {
        // A file in a package may have this name too; at V8 nothing has.
        let is_it = |f: &Finding| f.step == Step::Checkpoint && f.item == ANCHOR_ITEM;
        self.findings.iter().any(is_it)
    }
}

/// What of an axis was not checked, where something else of it was and agrees.
fn unchecked(axis: Axis, findings: &[Finding]) -> String {
    let is_it = |f: &&Finding| f.step.axis() == axis && f.outcome == Outcome::NotChecked;
    let mut left = findings.iter().filter(is_it);
    let Some(first) = left.next() else {
        return "checked in part: what was checked agrees, and not every check was carried out"
            .into();
    };
    let more = if left.next().is_some() { ", and more below" } else { "" };
    let Finding { step, item, found, .. } = first;
    format!(
        "checked in part: what was checked agrees; not checked at {}, {item}: {found}{more}",
        step.id()
    )
}

/// What no verdict of this program establishes; printed every time.
pub const LIMITS: &[&str] = &[
    "that the sounds or words recorded are true or complete, or what a listener would conclude",
    "who is speaking or writing",
    "that a recording began or ended when it should have",
    "anything before the entry was made",
    "that no other recordings exist outside the stated scope",
    "the honesty of the collecting system, its operator, or a person named in a custody entry",
    "whether a court admits the recording",
];
