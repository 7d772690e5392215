//! Findings, and the verdict that they make (spec/verification.md).

use std::collections::BTreeMap;

use crate::error::{FormError, printable};
use crate::hash::Hash;
use crate::step::{Axis, Step};

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

/// Something that a verdict has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The step that found it.
    pub step: Step,
    /// How bad it is.
    pub outcome: Outcome,
    /// The file or entry that it is about.
    pub item: String,
    /// What had to be there; empty where nothing is contradicted.
    pub expected: String,
    /// What was there, or why nothing can be said.
    pub found: String,
}

/// A packed recording whose bytes agree with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its path in the exhibit.
    pub path: String,
    /// The entry.
    pub index: u64,
    /// SHA-256 of its bytes.
    pub sha256: Hash,
}

/// An entry that supersedes another entry about the same recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The entry.
    pub index: u64,
    /// The one that it supersedes.
    pub replaced: u64,
    /// Whether both commit to the same bytes; `None` where that is not disclosed.
    pub same_bytes: Option<bool>,
}

/// How a verification ended, for a program that asks: its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// 0: nothing to report.
    Agrees,
    /// 1: a contradiction.
    Contradicts,
    /// 2: something was not read or is not established.
    Incomplete,
    /// 3: something is of a form that this version does not know.
    Unsupported,
}

impl Conclusion {
    /// The exit code.
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

/// Recordings that a verdict lists.
const ITEMS_KEPT: usize = 10_000;
/// Findings of one step that are kept in full; more are counted.
const FINDINGS_KEPT_PER_STEP: usize = 100;

/// The findings of a verification as they come in; [`Findings::conclude`] makes the verdict.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    tally: BTreeMap<Step, Tally>,
    unsupported: Vec<String>,
    notes: BTreeMap<Axis, Vec<String>>,
    something_unread: bool,
    items: Vec<Item>,
    replacements: Vec<Replacement>,
}

/// What was counted at one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Checks that held.
    pub held: u64,
    /// Contradictions.
    pub contradicted: u64,
    /// Things that cannot be said.
    pub not_established: u64,
    /// Things that were not looked at.
    pub not_checked: u64,
}

impl Findings {
    /// A check at `step` held.
    pub fn held(&mut self, step: Step) {
        self.tally.entry(step).or_default().held += 1;
    }

    /// A check held, or `item` contradicts: `expected` had to be there, `found` was.
    pub fn check(&mut self, holds: bool, step: Step, item: &str, expected: &str, found: &str) {
        if holds { self.held(step) } else { self.contradicted(step, item, expected, found) }
    }

    /// `item` contradicts.
    pub fn contradicted(&mut self, step: Step, item: &str, expected: &str, found: &str) {
        self.tally.entry(step).or_default().contradicted += 1;
        self.keep(step, Outcome::Contradicted, item, expected, found);
    }

    /// Nothing can be said of `item`.
    pub fn not_established(&mut self, step: Step, item: &str, why: &str) {
        self.tally.entry(step).or_default().not_established += 1;
        self.keep(step, Outcome::NotEstablished, item, "", why);
    }

    /// `item` belongs to what is verified, but was not there to be read.
    pub fn not_read(&mut self, step: Step, item: &str, why: &str) {
        self.something_unread = true;
        self.not_supplied(step, item, why);
    }

    /// Nobody supplied `item`, and nothing asks for it.
    pub fn not_supplied(&mut self, step: Step, item: &str, why: &str) {
        self.tally.entry(step).or_default().not_checked += 1;
        self.keep(step, Outcome::NotChecked, item, "", why);
    }

    /// `item` could not be read as what it claims to be: a contradiction, or unsupported.
    pub fn form(&mut self, step: Step, item: &str, error: &FormError) {
        match error {
            FormError::Malformed { item: part, expected, found } => {
                let item = format!("{} ({part})", printable(item));
                self.tally.entry(step).or_default().contradicted += 1;
                let (expected, found) = (expected.clone(), found.clone());
                self.push(Finding { step, outcome: Outcome::Contradicted, item, expected, found });
            }
            FormError::Unsupported { .. } => self.unsupported(step, item, &error.to_string()),
        }
    }

    /// `item` is well formed, but this version does not know its form.
    pub fn unsupported(&mut self, step: Step, item: &str, what: &str) {
        if self.unsupported.len() < FINDINGS_KEPT_PER_STEP {
            self.unsupported.push(format!("{}: {what}", printable(item)));
        }
        self.not_established(step, item, &format!("unsupported: {what}"));
    }

    /// A recording whose bytes agree with an entry; at most 10,000 are listed.
    pub fn item(&mut self, path: &str, index: u64, sha256: Hash) {
        if self.items.len() < ITEMS_KEPT {
            self.items.push(Item { path: printable(path), index, sha256 });
        }
    }

    /// An entry supersedes another; at most 10,000 are listed.
    pub fn replacement(&mut self, replacement: Replacement) {
        if self.replacements.len() < ITEMS_KEPT {
            self.replacements.push(replacement);
        }
    }

    /// A sentence that belongs beside the outcome of `axis`.
    pub fn note(&mut self, axis: Axis, sentence: String) {
        let notes = self.notes.entry(axis).or_default();
        if !notes.contains(&sentence) {
            notes.push(sentence);
        }
    }

    /// Whether a step of `axis` has contradicted so far.
    #[must_use]
    pub fn contradicts(&self, axis: Axis) -> bool {
        self.tally.iter().any(|(step, tally)| step.axis() == axis && tally.contradicted > 0)
    }

    fn keep(&mut self, step: Step, outcome: Outcome, item: &str, expected: &str, found: &str) {
        let (item, expected, found) = (printable(item), printable(expected), printable(found));
        self.push(Finding { step, outcome, item, expected, found });
    }

    fn push(&mut self, finding: Finding) {
        let same = |kept: &&Finding| (kept.step, kept.outcome) == (finding.step, finding.outcome);
        if self.kept.iter().filter(same).count() < FINDINGS_KEPT_PER_STEP {
            self.kept.push(finding);
        }
    }

    /// The verdict over everything found.
    #[must_use]
    pub fn conclude(mut self) -> Verdict {
        self.kept.sort_by_key(|finding| (finding.step, std::cmp::Reverse(finding.outcome)));
        let ledger_contradicted = self.contradicts(Axis::Ledger);
        let axes = Axis::ALL.map(|axis| {
            let mut outcome = Outcome::Established;
            for (_, tally) in self.tally.iter().filter(|(step, _)| step.axis() == axis) {
                outcome = outcome.max(tally.worst());
            }
            let rests_on_ledger = !matches!(axis, Axis::Ledger | Axis::Content | Axis::Disclosure);
            if ledger_contradicted && rests_on_ledger {
                outcome = Outcome::NotEstablished;
            }
            let mut notes = self.notes.remove(&axis).unwrap_or_default();
            if ledger_contradicted && rests_on_ledger {
                notes = vec!["it rests on the ledger, which is contradicted".to_owned()];
            }
            AxisVerdict { axis, outcome, notes }
        });
        let any = |wanted: fn(&Tally) -> u64| self.tally.values().any(|tally| wanted(tally) > 0);
        let conclusion = if any(|tally| tally.contradicted) {
            Conclusion::Contradicts
        } else if !self.unsupported.is_empty() {
            Conclusion::Unsupported
        } else if any(|tally| tally.not_established) || self.something_unread {
            Conclusion::Incomplete
        } else {
            Conclusion::Agrees
        };
        Verdict {
            axes,
            findings: self.kept,
            tally: self.tally,
            unsupported: self.unsupported,
            conclusion,
            items: self.items,
            replacements: self.replacements,
        }
    }
}

impl Tally {
    const fn worst(&self) -> Outcome {
        match self {
            Self { contradicted: 1.., .. } => Outcome::Contradicted,
            Self { not_established: 1.., .. } => Outcome::NotEstablished,
            Self { not_checked: 1.., .. } => Outcome::NotChecked,
            _ => Outcome::Established,
        }
    }
}

/// How one axis ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisVerdict {
    /// The axis.
    pub axis: Axis,
    /// Its outcome: the worst finding.
    pub outcome: Outcome,
    /// Sentences that belong beside the outcome.
    pub notes: Vec<String>,
}

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Verdict {
    axes: [AxisVerdict; 8],
    findings: Vec<Finding>,
    tally: BTreeMap<Step, Tally>,
    unsupported: Vec<String>,
    conclusion: Conclusion,
    items: Vec<Item>,
    replacements: Vec<Replacement>,
}

impl Verdict {
    /// The packed recordings whose bytes agree with an entry.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The shown entries that supersede shown ones, ascending.
    #[must_use]
    pub fn replacements(&self) -> &[Replacement] {
        &self.replacements
    }

    /// The axes, in their order.
    #[must_use]
    pub const fn axes(&self) -> &[AxisVerdict; 8] {
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

    /// What is of a form that this version does not know.
    #[must_use]
    pub fn unsupported(&self) -> &[String] {
        &self.unsupported
    }

    /// How it ended, for a program that asks.
    #[must_use]
    pub const fn conclusion(&self) -> Conclusion {
        self.conclusion
    }

    /// The first contradiction, by step.
    #[must_use]
    pub fn first_contradiction(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.outcome == Outcome::Contradicted)
    }
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
