//! Shows a verdict: as text for people, as a document for machines.

use std::fmt::Write as _;

use serde::Serialize;
use unbroken_evidence::step::Step;
use unbroken_evidence::verdict::{Conclusion, Finding, LIMITS, Outcome, Replacement, Verdict};

/// How much a text shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// One line an axis, the headline, the findings, the limits.
    Summary,
    /// The numbered checks too.
    Explained,
}

/// Whether a text may use colour; a colour never says what words do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Terminal escapes around outcomes.
    On,
    /// None.
    Off,
}

/// Recordings that a short text shows.
const ITEMS_SHOWN: usize = 20;
/// Findings that a text shows; the rest is counted.
const FINDINGS_SHOWN: usize = 20;

/// The headline: one sentence, and a second where bytes were replaced after they were first sealed.
#[must_use]
pub fn headline(verdict: &Verdict) -> String {
    let other = |replacement: &&Replacement| replacement.same_bytes == Some(false);
    let replaced = verdict.replacements().iter().filter(other).count() as u64;
    let mut headline = sentence(verdict);
    if replaced > 0 && verdict.conclusion() != Conclusion::Contradicts {
        let times = counted(replaced, "time");
        let _ = write!(
            headline,
            " BYTES WERE REPLACED {times} after they were first sealed, as the entries themselves say."
        );
    }
    headline
}

fn sentence(verdict: &Verdict) -> String {
    match verdict.conclusion() {
        Conclusion::Agrees => {
            format!("NO ALTERATION FOUND in {}, within the limits stated below.", scope(verdict))
        }
        Conclusion::Contradicts => verdict.first_contradiction().map_or_else(
            || "ALTERATION OR INCONSISTENCY FOUND.".to_owned(),
            |f| format!("ALTERATION OR INCONSISTENCY FOUND at step {}, {} (expected {}; found {}).", f.step.id(), f.item, f.expected, f.found),
        ),
        Conclusion::Unsupported => format!(
            "VERIFICATION INCOMPLETE: {} of a form that this version does not know, first {}.",
            counted(verdict.unsupported().len() as u64, "item"),
            verdict.unsupported().first().map_or("", String::as_str)
        ),
        Conclusion::Incomplete if without_anchor(verdict) => {
            "CONSISTENT, BUT ORIGIN NOT ESTABLISHED: no trust anchor was given, and the key was taken from the package itself.".to_owned()
        }
        Conclusion::Incomplete => format!(
            "NO ALTERATION FOUND in {}, BUT NOT EVERYTHING IS ESTABLISHED: see the outcomes of the axes.",
            scope(verdict)
        ),
    }
}

fn without_anchor(verdict: &Verdict) -> bool {
    let is_anchor =
        |finding: &Finding| finding.step == Step::Checkpoint && finding.item == "trust anchor";
    verdict.findings().iter().any(is_anchor)
}

fn scope(verdict: &Verdict) -> String {
    let entries = verdict.tally(Step::NoteForm).held;
    let files = verdict.tally(Step::Payload).held;
    if files == 0 {
        counted(entries, "entry")
    } else {
        format!("{} and {}", counted(entries, "entry"), counted(files, "payload file"))
    }
}

fn counted(count: u64, noun: &str) -> String {
    match (count, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "entry") => format!("{count} entries"),
        _ => format!("{count} {noun}s"),
    }
}

/// The verdict as text.
#[must_use]
pub fn text(verdict: &Verdict, detail: Detail, colour: Colour) -> String {
    let mut text = String::new();
    for axis in verdict.axes() {
        let outcome = painted(axis.outcome, colour);
        let _ = writeln!(text, "{:<11} {outcome}", axis.axis.name());
        for note in &axis.notes {
            let _ = writeln!(text, "            {note}");
        }
    }
    let _ = writeln!(text, "\n{}", headline(verdict));
    if detail == Detail::Explained {
        explain(verdict, &mut text);
    }
    items(verdict, detail, &mut text);
    replacements(verdict, detail, &mut text);
    findings(verdict, &mut text);
    let _ = writeln!(text, "\nThis does not establish:");
    for limit in LIMITS {
        let _ = writeln!(text, "- {limit}");
    }
    text
}

fn painted(outcome: Outcome, colour: Colour) -> String {
    let code = match outcome {
        Outcome::Established => "32",
        Outcome::Contradicted => "31",
        Outcome::NotEstablished | Outcome::NotChecked => "33",
    };
    match colour {
        Colour::On => format!("\x1b[{code}m{}\x1b[0m", outcome.name()),
        Colour::Off => outcome.name().to_owned(),
    }
}

fn explain(verdict: &Verdict, text: &mut String) {
    let _ = writeln!(text, "\nThe checks, as spec/verification.md numbers them:");
    for step in Step::ALL {
        let tally = verdict.tally(*step);
        let mut counts = Vec::new();
        for (count, word) in [
            (tally.held, "held"),
            (tally.contradicted, "contradicted"),
            (tally.not_established, "not established"),
            (tally.not_checked, "not checked"),
        ] {
            if count > 0 {
                counts.push(format!("{count} {word}"));
            }
        }
        let counts =
            if counts.is_empty() { "nothing to check".to_owned() } else { counts.join(", ") };
        let _ = writeln!(
            text,
            "{:>4}  {:<10}  {}: {counts}",
            step.id(),
            step.axis().name(),
            step.title()
        );
    }
}

/// The recordings: nothing else in the exhibit is one, whatever its name.
fn items(verdict: &Verdict, detail: Detail, text: &mut String) {
    if verdict.items().is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\nRecordings whose bytes agree with their entries (no other file here is one):"
    );
    let shown = if detail == Detail::Explained { usize::MAX } else { ITEMS_SHOWN };
    for item in verdict.items().iter().take(shown) {
        let _ = writeln!(text, "- {}, entry {}, SHA-256 {}", item.path, item.index, item.sha256);
    }
    if let Some(more) = verdict.items().len().checked_sub(shown).filter(|more| *more > 0) {
        let _ = writeln!(text, "- and {more} more; --explain lists them");
    }
}

/// What the history of a recording says of its bytes.
fn replacements(verdict: &Verdict, detail: Detail, text: &mut String) {
    if verdict.replacements().is_empty() {
        return;
    }
    let _ = writeln!(text, "\nEntries that supersede others:");
    let shown = if detail == Detail::Explained { usize::MAX } else { ITEMS_SHOWN };
    for replacement in verdict.replacements().iter().take(shown) {
        let Replacement { index, replaced, .. } = replacement;
        let bytes = bytes_of(replacement);
        let _ = writeln!(text, "- entry {index} supersedes entry {replaced}: {bytes}");
    }
    if let Some(more) = verdict.replacements().len().checked_sub(shown).filter(|more| *more > 0) {
        let _ = writeln!(text, "- and {more} more; --explain lists them");
    }
}

const fn bytes_of(replacement: &Replacement) -> &'static str {
    match replacement.same_bytes {
        Some(true) => "the same bytes",
        Some(false) => "OTHER BYTES",
        None => "whether the bytes are the same is not disclosed",
    }
}

fn findings(verdict: &Verdict, text: &mut String) {
    if verdict.findings().is_empty() {
        return;
    }
    let _ = writeln!(text, "\nWhat is contradicted, not established or not checked:");
    let repeats = |f: &&Finding| f.item == "trust anchor" && f.step != Step::Checkpoint;
    let mut shown: Vec<&Finding> = verdict.findings().iter().filter(|f| !repeats(f)).collect();
    shown.sort_by_key(|finding| std::cmp::Reverse(finding.outcome));
    for finding in shown.iter().take(FINDINGS_SHOWN) {
        let Finding { step, outcome, item, expected, found } = finding;
        let what = if expected.is_empty() {
            found.clone()
        } else {
            format!("expected {expected}; found {found}")
        };
        let _ = writeln!(text, "- {} {}: {item}: {what}", step.id(), outcome.name());
    }
    if shown.len() > FINDINGS_SHOWN {
        let _ = writeln!(text, "- and {} more; --json lists them", shown.len() - FINDINGS_SHOWN);
    }
}

/// The verdict as a document for machines.
#[derive(Debug, Serialize)]
pub struct Document {
    schema: &'static str,
    conclusion: &'static str,
    exit_code: u8,
    headline: String,
    axes: Vec<AxisDocument>,
    checks: Vec<CheckDocument>,
    findings: Vec<FindingDocument>,
    recordings: Vec<ItemDocument>,
    replacements: Vec<ReplacementDocument>,
    does_not_establish: &'static [&'static str],
}

#[derive(Debug, Serialize)]
struct ItemDocument {
    path: String,
    index: u64,
    sha256: String,
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
pub fn document(verdict: &Verdict) -> Document {
    let conclusion = match verdict.conclusion() {
        Conclusion::Agrees => "agrees",
        Conclusion::Contradicts => "contradicts",
        Conclusion::Incomplete => "incomplete",
        Conclusion::Unsupported => "unsupported",
    };
    let axis = |axis: &unbroken_evidence::verdict::AxisVerdict| AxisDocument {
        axis: axis.axis.name(),
        outcome: axis.outcome.name(),
        notes: axis.notes.clone(),
    };
    let check = |step: &Step| {
        let tally = verdict.tally(*step);
        CheckDocument {
            step: step.id(),
            axis: step.axis().name(),
            title: step.title(),
            held: tally.held,
            contradicted: tally.contradicted,
            not_established: tally.not_established,
            not_checked: tally.not_checked,
        }
    };
    let finding = |finding: &Finding| FindingDocument {
        step: finding.step.id(),
        axis: finding.step.axis().name(),
        outcome: finding.outcome.name(),
        item: finding.item.clone(),
        expected: finding.expected.clone(),
        found: finding.found.clone(),
    };
    Document {
        schema: "unbroken/verdict@v1",
        conclusion,
        exit_code: verdict.conclusion().exit_code(),
        headline: headline(verdict),
        axes: verdict.axes().iter().map(axis).collect(),
        checks: Step::ALL.iter().map(check).collect(),
        findings: verdict.findings().iter().map(finding).collect(),
        recordings: verdict
            .items()
            .iter()
            .map(|item| ItemDocument {
                path: item.path.clone(),
                index: item.index,
                sha256: item.sha256.to_string(),
            })
            .collect(),
        replacements: verdict
            .replacements()
            .iter()
            .map(|replacement| ReplacementDocument {
                index: replacement.index,
                supersedes: replacement.replaced,
                bytes: bytes_of(replacement),
            })
            .collect(),
        does_not_establish: LIMITS,
    }
}
