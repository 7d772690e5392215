//! The verdict as a document for machines: `unbroken/verdict@v1`.

use serde::{Serialize, Serializer};
use unbroken_evidence::recordings::{
    Beside, Blocks, Bytes, NotGiven, Policy, Recording, Recordings, Replacement,
};
use unbroken_evidence::step::Step;
use unbroken_evidence::verdict::{AxisVerdict, Blame, Conclusion, Finding, LIMITS, Seen, Verdict};

use super::{Identity, headline};

/// The verdict as a document for machines.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<IdentityDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<LedgerDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    produced: Option<ProducedDocument>,
    conclusion: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    blame: Option<&'static str>,
    headline: String,
    axes: Vec<AxisDocument>,
    checks: Vec<CheckDocument>,
    findings: Vec<FindingDocument>,
    unsupported: u64,
    #[serde(serialize_with = "lines")]
    recordings: &'a Recordings,
    #[serde(serialize_with = "others")]
    beside: &'a Recordings,
    policies: Vec<PolicyDocument<'a>>,
    not_given: Vec<NotGivenDocument<'a>>,
    replacements: Vec<ReplacementDocument>,
    replacements_with_other_bytes: u64,
    does_not_establish: &'static [&'static str],
}

#[derive(Debug, Serialize)]
struct IdentityDocument {
    name: String,
    sha256: Option<String>,
    anchors: Vec<String>,
    verifier: String,
    command: String,
    at: String,
}

#[derive(Debug, Serialize)]
struct LedgerDocument {
    origin: String,
    ledger_id: Option<String>,
    size: u64,
    root: String,
    anchored: bool,
    continues: Option<u64>,
}

#[derive(Debug, Serialize)]
struct ProducedDocument {
    entry: u64,
    at: String,
}

#[derive(Debug, Serialize)]
struct RecordingDocument<'a> {
    index: u64,
    subject: String,
    media: &'static str,
    recording: Option<&'a str>,
    conversation: Option<&'a str>,
    key: Option<&'a str>,
    size: u64,
    sha256: Option<String>,
    path: Option<&'a str>,
    bytes: &'static str,
    left_out: Option<LeftOutDocument>,
    sealed_at: String,
    complete: Option<bool>,
    policy_shown: bool,
    blocks: &'static str,
    noncurrent: bool,
    companions: u64,
    companions_that_agree: u64,
    companions_all_known: bool,
    withheld_values: u64,
    withheld: Vec<&'a str>,
    closed_fields: u64,
    superseded_by: &'a [u64],
    declared_start: Option<&'a str>,
    declared_end: Option<&'a str>,
    declared_duration_ms: Option<u64>,
    measured_ms: Option<u64>,
    sealed_ms_after_declared_end: Option<i64>,
    noticed: Vec<&'a str>,
    noticed_in_all: u64,
    odd: Vec<OddDocument>,
}

#[derive(Debug, Serialize)]
struct BesideDocument<'a> {
    index: u64,
    subject: String,
    kind: &'a str,
    at: String,
    values: Vec<&'a str>,
    values_in_all: u64,
}

#[derive(Debug, Serialize)]
struct LeftOutDocument {
    code: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct OddDocument {
    code: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct PolicyDocument<'a> {
    index: u64,
    name: &'a str,
    text: &'a str,
}

#[derive(Debug, Serialize)]
struct NotGivenDocument<'a> {
    index: u64,
    text: &'a str,
}

#[derive(Debug, Serialize)]
struct ReplacementDocument {
    index: u64,
    supersedes: u64,
    bytes: &'static str,
    companions: &'static str,
}

#[derive(Debug, Serialize)]
struct AxisDocument {
    axis: &'static str,
    outcome: &'static str,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct CheckDocument {
    step: &'static str,
    axis: &'static str,
    title: &'static str,
    ran: bool,
    held: u64,
    contradicted: u64,
    not_established: u64,
    not_checked: u64,
}

#[derive(Debug, Serialize)]
struct FindingDocument {
    step: &'static str,
    axis: &'static str,
    outcome: &'static str,
    item: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    expected: String,
    found: String,
}

/// The document of `verdict`.
#[must_use]
pub fn document<'a>(verdict: &'a Verdict, identity: Option<&Identity>) -> Document<'a> {
    let check = |step: &Step| {
        let tally = verdict.tally(*step);
        CheckDocument {
            step: step.id(),
            axis: step.axis().name(),
            title: step.title(),
            ran: tally.ran,
            held: tally.held,
            contradicted: tally.contradicted,
            not_established: tally.not_established,
            not_checked: tally.not_checked,
        }
    };
    let replacement = |replacement: &Replacement| ReplacementDocument {
        index: replacement.index,
        supersedes: replacement.replaced,
        bytes: bytes_of(replacement),
        companions: companions_of(replacement),
    };
    Document {
        schema: "unbroken/verdict@v1",
        identity: identity.cloned().map(identity_document),
        ledger: verdict.seen().map(ledger),
        produced: verdict
            .produced()
            .map(|(entry, at)| ProducedDocument { entry, at: at.to_string() }),
        conclusion: conclusion(verdict.conclusion()),
        blame: verdict.blame().map(|blame| match blame {
            Blame::Evidence => "evidence",
            Blame::AnotherLedger => "another ledger",
            Blame::Package => "package",
        }),
        headline: headline(verdict),
        axes: verdict.axes().iter().map(axis).collect(),
        checks: Step::ALL.iter().map(check).collect(),
        findings: verdict.findings().iter().map(finding).collect(),
        unsupported: verdict.unsupported().1,
        recordings: verdict.recordings(),
        beside: verdict.recordings(),
        policies: verdict.recordings().policies().iter().map(policy).collect(),
        not_given: verdict.recordings().not_given().iter().map(not_given).collect(),
        replacements: verdict.replacements().listed().map(replacement).collect(),
        replacements_with_other_bytes: verdict.replacements().with_other_bytes(),
        does_not_establish: LIMITS,
    }
}

fn not_given(said: &NotGiven) -> NotGivenDocument<'_> {
    NotGivenDocument { index: said.index, text: &said.text }
}

fn identity_document(identity: Identity) -> IdentityDocument {
    let Identity { name, sha256, anchors, verifier, command, at } = identity;
    IdentityDocument { name, sha256, anchors, verifier, command, at }
}

fn ledger(seen: &Seen) -> LedgerDocument {
    LedgerDocument {
        origin: seen.origin.clone(),
        ledger_id: seen.ledger_id.map(|id| id.to_string()),
        size: seen.size,
        root: seen.root.to_string(),
        anchored: seen.anchored,
        continues: seen.continues,
    }
}

fn axis(axis: &AxisVerdict) -> AxisDocument {
    let AxisVerdict { axis, outcome, notes, .. } = axis;
    AxisDocument { axis: axis.name(), outcome: outcome.name(), notes: notes.clone() }
}

fn policy(policy: &Policy) -> PolicyDocument<'_> {
    PolicyDocument { index: policy.index, name: &policy.name, text: &policy.text }
}

fn finding(finding: &Finding) -> FindingDocument {
    FindingDocument {
        step: finding.step.id(),
        axis: finding.step.axis().name(),
        outcome: finding.outcome.name(),
        item: finding.item.clone(),
        expected: finding.expected.clone(),
        found: finding.found.clone(),
    }
}

/// Each line is made as it is written: a hundred thousand of them at once would double what is held.
fn lines<S: Serializer>(recordings: &Recordings, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(recordings.lines().iter().map(|line| recording(recordings, line)))
}

fn others<S: Serializer>(recordings: &Recordings, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(recordings.all_beside().iter().map(|entry| beside(recordings, entry)))
}

fn recording<'a>(recordings: &'a Recordings, line: &'a Recording) -> RecordingDocument<'a> {
    let told = recordings.told(line);
    RecordingDocument {
        index: line.index,
        subject: line.subject.to_string(),
        media: line.media.name(),
        recording: told.id,
        conversation: told.conversation,
        key: told.key,
        size: line.size,
        sha256: line.sha256.map(|sha256| sha256.to_string()),
        path: line.path.as_deref(),
        bytes: bytes(line),
        left_out: line.left_out.as_ref().map(|reason| LeftOutDocument {
            code: reason.code().to_owned(),
            text: reason.to_string(),
        }),
        sealed_at: line.at.to_string(),
        complete: line.complete,
        policy_shown: line.policy_shown,
        blocks: blocks(line),
        noncurrent: line.noncurrent,
        companions: line.companions.0,
        companions_that_agree: line.companions.1,
        companions_all_known: !line.hides_companions,
        withheld_values: line.hidden.0,
        withheld: told.withheld,
        closed_fields: line.hidden.1,
        superseded_by: &line.superseded_by,
        declared_start: told.start,
        declared_end: told.end,
        declared_duration_ms: line.declared_ms,
        measured_ms: line.measured_ms,
        sealed_ms_after_declared_end: line.sealed_after_ms,
        noticed: told.noticed,
        noticed_in_all: line.noticed,
        odd: line
            .odd
            .iter()
            .map(|odd| OddDocument { code: odd.code(), text: odd.to_string() })
            .collect(),
    }
}

fn beside<'a>(recordings: &'a Recordings, entry: &Beside) -> BesideDocument<'a> {
    let (kind, values) = recordings.said(entry);
    BesideDocument {
        index: entry.index,
        subject: entry.subject.to_string(),
        kind,
        at: entry.at.to_string(),
        values,
        values_in_all: entry.values,
    }
}

/// How a verdict ended, in one word.
pub(super) const fn conclusion(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Agrees => "agrees",
        Conclusion::Contradicts => "contradicts",
        Conclusion::Incomplete => "incomplete",
        Conclusion::Unsupported => "unsupported",
    }
}

/// What was found of an entry's bytes, in words.
pub(super) const fn bytes(line: &Recording) -> &'static str {
    match line.bytes {
        Bytes::Agree => "agree",
        Bytes::Differ if line.sha256_agrees => "SHA-256 AGREES, ANOTHER CHECK DOES NOT",
        Bytes::Differ => "DO NOT AGREE",
        Bytes::Unreadable => "COULD NOT BE READ",
        Bytes::NotPacked => "not packed",
        Bytes::NotHere => {
            "NOT IN THEIR PLACE, and the package's list of files is not the one that was signed"
        }
        Bytes::Missing => "MISSING, though the package lists them",
        Bytes::NotDisclosed => "compared with nothing, for its SHA-256 is not shown here",
    }
}

/// What was found of the blocks of an entry's bytes, in words.
pub(super) const fn blocks(line: &Recording) -> &'static str {
    match line.blocks {
        Blocks::Agree => "agree",
        Blocks::Differ => "differ",
        Blocks::NotChecked => "not checked",
    }
}

/// What a replacement did to the companions, in words.
pub(super) const fn companions_of(replacement: &Replacement) -> &'static str {
    match replacement.same_companions {
        Some(true) => "the same",
        Some(false) => "OTHERS",
        None => "not disclosed",
    }
}

/// What a replacement did to the bytes, in words.
pub(super) const fn bytes_of(replacement: &Replacement) -> &'static str {
    match replacement.same_bytes {
        Some(true) => "the same bytes",
        Some(false) => "OTHER BYTES",
        None => "whether the bytes are the same is not disclosed",
    }
}
