//! The verdict as a document for machines: `unbroken/verdict@v1`.

use serde::Serialize;
use unbroken_evidence::recordings::{Beside, Bytes, Recording, Replacement};
use unbroken_evidence::step::Step;
use unbroken_evidence::verdict::{AxisVerdict, Blame, Conclusion, Finding, LIMITS, Seen, Verdict};

use super::{Identity, headline};

/// The verdict as a document for machines.
#[derive(Debug, Serialize)]
pub struct Document {
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
    recordings: Vec<RecordingDocument>,
    beside: Vec<BesideDocument>,
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
struct RecordingDocument {
    index: u64,
    subject: String,
    media: &'static str,
    recording: Option<String>,
    conversation: Option<String>,
    key: Option<String>,
    size: u64,
    sha256: Option<String>,
    path: Option<String>,
    bytes: &'static str,
    left_out: Option<LeftOutDocument>,
    sealed_at: String,
    complete: Option<bool>,
    companions: u64,
    companions_that_agree: u64,
    withheld_values: u64,
    withheld: Vec<String>,
    closed_fields: u64,
    superseded_by: Option<u64>,
    declared_start: Option<String>,
    declared_end: Option<String>,
    declared_duration_ms: Option<u64>,
    measured_ms: Option<u64>,
    sealed_ms_after_declared_end: Option<i64>,
    noticed: Vec<String>,
    noticed_in_all: u64,
    odd: Vec<OddDocument>,
}

#[derive(Debug, Serialize)]
struct BesideDocument {
    index: u64,
    subject: String,
    kind: String,
    at: String,
    values: Vec<String>,
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
struct ReplacementDocument {
    index: u64,
    supersedes: u64,
    bytes: &'static str,
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
pub fn document(verdict: &Verdict, identity: Option<&Identity>) -> Document {
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
    };
    Document {
        schema: "unbroken/verdict@v1",
        identity: identity.cloned().map(identity_document),
        ledger: verdict.seen().map(ledger),
        produced: verdict
            .produced()
            .map(|(entry, at)| ProducedDocument { entry, at: at.to_string() }),
        conclusion: match verdict.conclusion() {
            Conclusion::Agrees => "agrees",
            Conclusion::Contradicts => "contradicts",
            Conclusion::Incomplete => "incomplete",
            Conclusion::Unsupported => "unsupported",
        },
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
        recordings: verdict.recordings().lines().iter().map(recording).collect(),
        beside: verdict.recordings().all_beside().iter().map(beside).collect(),
        replacements: verdict.replacements().listed().map(replacement).collect(),
        replacements_with_other_bytes: verdict.replacements().with_other_bytes(),
        does_not_establish: LIMITS,
    }
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
    let AxisVerdict { axis, outcome, notes } = axis;
    AxisDocument { axis: axis.name(), outcome: outcome.name(), notes: notes.clone() }
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

fn recording(line: &Recording) -> RecordingDocument {
    RecordingDocument {
        index: line.index,
        subject: line.subject.to_string(),
        media: line.media.name(),
        recording: line.called.id.clone(),
        conversation: line.called.conversation.clone(),
        key: line.called.key.clone(),
        size: line.size,
        sha256: line.sha256.map(|sha256| sha256.to_string()),
        path: line.path.clone(),
        bytes: bytes(line.bytes),
        left_out: line.left_out.as_ref().map(|reason| LeftOutDocument {
            code: reason.code().to_owned(),
            text: reason.to_string(),
        }),
        sealed_at: line.at.to_string(),
        complete: line.complete,
        companions: line.companions.0,
        companions_that_agree: line.companions.1,
        withheld_values: line.hidden.0,
        withheld: line.withheld.clone(),
        closed_fields: line.hidden.1,
        superseded_by: line.superseded_by,
        declared_start: line.declared.start.as_ref().map(|moment| moment.text.clone()),
        declared_end: line.declared.end.as_ref().map(|moment| moment.text.clone()),
        declared_duration_ms: line.declared.duration_ms,
        measured_ms: line.measured_ms,
        sealed_ms_after_declared_end: line.declared.sealed_after_ms(line.at),
        noticed: line.findings.0.clone(),
        noticed_in_all: line.findings.1,
        odd: line
            .odd
            .iter()
            .map(|odd| OddDocument { code: odd.code(), text: odd.to_string() })
            .collect(),
    }
}

fn beside(entry: &Beside) -> BesideDocument {
    let Beside { subject, index, kind, at, values: (values, values_in_all) } = entry;
    BesideDocument {
        index: *index,
        subject: subject.to_string(),
        kind: kind.clone(),
        at: at.to_string(),
        values: values.clone(),
        values_in_all: *values_in_all,
    }
}

/// What was found of an entry's bytes, in words.
pub(super) const fn bytes(bytes: Bytes) -> &'static str {
    match bytes {
        Bytes::Agree => "agree",
        Bytes::Differ => "DO NOT AGREE",
        Bytes::NotPacked => "not packed",
        Bytes::NotDisclosed => "not disclosed",
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
