//! The verdict as text for people.

use std::fmt::Write as _;

use unbroken_evidence::recordings::Replacement;
use unbroken_evidence::step::{Axis, Step};
use unbroken_evidence::trust::ANCHOR_ITEM;
use unbroken_evidence::verdict::{Finding, LIMITS, Outcome, Verdict};

use super::document::{bytes_of, companions_of};
use super::explain::explain;
use super::lines::recordings;
use super::{Identity, counted, headline};

/// How much a text shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Identity, axes, headline, recordings, findings, limits.
    Summary,
    /// The numbered checks too, and every recording.
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
pub(super) const LINES_SHOWN: usize = 20;
/// Findings that a text shows; the rest is counted.
const FINDINGS_SHOWN: usize = 20;

/// The verdict as text.
#[must_use]
pub fn text(
    verdict: &Verdict,
    identity: Option<&Identity>,
    detail: Detail,
    colour: Colour,
) -> String {
    let mut text = String::new();
    identify(verdict, identity, &mut text);
    let is_log = !verdict.tally(Step::Produced).ran;
    for axis in verdict.axes() {
        let word = if axis.in_part { "NOT ALL CHECKED" } else { axis.outcome.name() };
        let outcome = painted(axis.outcome, word, colour);
        let pad = " ".repeat(16_usize.saturating_sub(word.len()));
        let question = match axis.axis {
            Axis::Scope if is_log => "is every entry of the log here?",
            axis => axis.question(),
        };
        let _ = writeln!(text, "{:<11} {outcome}{pad} {question}", axis.axis.name());
        for note in &axis.notes {
            let _ = writeln!(text, "            {note}");
        }
    }
    let _ = writeln!(text, "\n{}", headline(verdict));
    if detail == Detail::Explained {
        explain(verdict, &mut text);
    }
    let lines = verdict.recordings().lines();
    if verdict.outcome(Axis::Ledger) == Outcome::Contradicted && !lines.is_empty() {
        text.push_str("\nThe ledger is contradicted: of single entries nothing is claimed below beyond this package.\n");
    }
    recordings(verdict.recordings(), detail, &mut text);
    replacements(verdict, detail, &mut text);
    findings(verdict, &mut text);
    let _ = writeln!(text, "\nThis does not establish:");
    for limit in LIMITS {
        let _ = writeln!(text, "- {limit}");
    }
    text
}

/// What was verified, by whom and how.
fn identify(verdict: &Verdict, identity: Option<&Identity>, text: &mut String) {
    let Some(identity) = identity else { return };
    let mut lines = identity.lines();
    if let Some(seen) = verdict.seen() {
        let id = seen.ledger_id.map_or_else(|| "not shown".to_owned(), |id| id.to_string());
        // Where the ledger is contradicted, entry 0 may be another.
        let is_contradicted = verdict.outcome(Axis::Ledger) == Outcome::Contradicted;
        let is_shown = seen.ledger_id.is_some();
        let is_open = is_contradicted && is_shown && !seen.id_holds;
        let unproven = if is_open { ", which is not established" } else { "" };
        let entries = counted(seen.size, "entry");
        // What a key that was given signed is not the package's own word, whatever else failed.
        let claimed = if seen.anchored || seen.signed { "" } else { ", as it says itself" };
        let after =
            lines.iter().take_while(|(word, _)| matches!(*word, "checked" | "sha-256")).count();
        lines.insert(after, ("ledger", format!("{}{claimed}, id {id}{unproven}", seen.origin)));
        lines.insert(after + 1, ("checkpoint", format!("{entries}, root {}{claimed}", seen.root)));
        if let Some((index, at)) = verdict.produced() {
            let when = format!("{at} by its signer's clock, as entry {index} says");
            lines.insert(after + 2, ("produced", when));
        }
    }
    for (word, what) in lines {
        let _ = writeln!(text, "{word:<11} {what}");
    }
    text.push('\n');
}

fn painted(outcome: Outcome, word: &str, colour: Colour) -> String {
    let code = match outcome {
        Outcome::Established => "32",
        Outcome::Contradicted => "31",
        Outcome::NotEstablished | Outcome::NotChecked => "33",
    };
    match colour {
        Colour::On => format!("\x1b[{code}m{word}\x1b[0m"),
        Colour::Off => word.to_owned(),
    }
}

/// What the history of a recording says of its bytes.
fn replacements(verdict: &Verdict, detail: Detail, text: &mut String) {
    let replacements = verdict.replacements();
    if replacements.count() == 0 {
        return;
    }
    let _ = writeln!(text, "\nEntries that supersede others:");
    let shown = if detail == Detail::Explained { usize::MAX } else { LINES_SHOWN };
    for replacement in replacements.listed().take(shown) {
        let Replacement { index, replaced, .. } = replacement;
        let (bytes, companions) = (bytes_of(replacement), companions_of(replacement));
        let _ = writeln!(
            text,
            "- entry {index} supersedes entry {replaced}: of the recording {bytes}; companions: {companions}"
        );
    }
    more(replacements.count(), shown, text);
}

pub(super) fn more(count: u64, shown: usize, text: &mut String) {
    if let Some(more) = count.checked_sub(shown as u64).filter(|more| *more > 0) {
        let _ = writeln!(text, "- and {more} more; --explain and --json list them");
    }
}

fn findings(verdict: &Verdict, text: &mut String) {
    if verdict.findings().is_empty() {
        return;
    }
    let _ = writeln!(text, "\nWhat is contradicted, not established or not checked:");
    let repeats = |f: &&Finding| {
        let is_it = f.item == ANCHOR_ITEM && f.outcome == Outcome::NotEstablished;
        is_it && f.step != Step::Checkpoint
    };
    let mut shown: Vec<&Finding> = verdict.findings().iter().filter(|f| !repeats(f)).collect();
    shown.sort_by_key(|finding| std::cmp::Reverse(finding.outcome));
    for finding in shown.iter().take(FINDINGS_SHOWN) {
        let Finding { step, outcome, item, expected, found, .. } = finding;
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
