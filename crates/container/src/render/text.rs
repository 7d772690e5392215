//! The verdict as text for people.

use std::fmt::Write as _;

use unbroken_evidence::declared::{Declared, Moment};
use unbroken_evidence::recordings::{Recording, Replacement};
use unbroken_evidence::step::Step;
use unbroken_evidence::verdict::{Finding, LIMITS, Outcome, Verdict};

use super::document::{bytes, bytes_of};
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
const LINES_SHOWN: usize = 20;
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
    for axis in verdict.axes() {
        let outcome = painted(axis.outcome, colour);
        let pad = " ".repeat(16_usize.saturating_sub(axis.outcome.name().len()));
        let question = axis.axis.question();
        let _ = writeln!(text, "{:<11} {outcome}{pad} {question}", axis.axis.name());
        for note in &axis.notes {
            let _ = writeln!(text, "            {note}");
        }
    }
    let _ = writeln!(text, "\n{}", headline(verdict));
    if detail == Detail::Explained {
        explain(verdict, &mut text);
    }
    recordings(verdict, detail, &mut text);
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
        let entries = counted(seen.size, "entry");
        let after =
            lines.iter().take_while(|(word, _)| matches!(*word, "checked" | "sha-256")).count();
        lines.insert(after, ("ledger", format!("{}, id {id}", seen.origin)));
        lines.insert(after + 1, ("checkpoint", format!("{entries}, root {}", seen.root)));
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
        if !tally.ran {
            counts.push("not carried out".to_owned());
        } else if counts.is_empty() {
            counts.push("nothing to check".to_owned());
        }
        let (id, axis, title) = (step.id(), step.axis().name(), step.title());
        let _ = writeln!(text, "{id:>4}  {axis:<10}  {title}: {}", counts.join(", "));
    }
}

/// The recordings: nothing else in the exhibit is one, whatever its name.
fn recordings(verdict: &Verdict, detail: Detail, text: &mut String) {
    let lines = verdict.recordings().lines();
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\nRecording entries that were judged (nothing is said here of any other file):"
    );
    let shown = if detail == Detail::Explained { usize::MAX } else { LINES_SHOWN };
    for line in lines.iter().take(shown) {
        let _ = writeln!(text, "- {}", sentence(line));
        for beside in beside(line) {
            let _ = writeln!(text, "  {beside}");
        }
    }
    more(lines.len() as u64, shown, text);
}

fn sentence(line: &Recording) -> String {
    let mut sentence = format!(
        "entry {}: {}, {} bytes, sealed {} by its signer's clock, {}; bytes {}",
        line.index,
        line.media.name(),
        line.size,
        line.at,
        match line.complete {
            Some(true) => "meets its completeness policy",
            Some(false) => "DOES NOT MEET its completeness policy",
            None => "under no policy",
        },
        bytes(line.bytes),
    );
    if let Some(path) = &line.path {
        let _ = write!(sentence, ", {path}");
    }
    if let Some(reason) = &line.left_out {
        let _ = write!(sentence, " (its producer says: {reason})");
    }
    if let Some(sha256) = line.sha256 {
        let _ = write!(sentence, "; sealed as SHA-256 {sha256}");
    }
    let (companions, agree) = line.companions;
    if companions > 0 {
        let verb = if companions == 1 { "agrees" } else { "agree" };
        let _ = write!(sentence, "; {agree} of {} {verb}", counted(companions, "companion"));
    }
    if line.hidden.0 > 0 {
        let _ = write!(sentence, "; {} withheld", counted(line.hidden.0, "value"));
    }
    if let Some(by) = line.superseded_by {
        let _ = write!(sentence, "; superseded by entry {by}");
    }
    sentence
}

/// What its metadata declares, what the collector noticed, and what is odd: a line each.
fn beside(line: &Recording) -> Vec<String> {
    let mut lines = Vec::new();
    let Declared { start, end, duration_ms, .. } = &line.declared;
    let shown = |moment: &Option<Moment>| {
        moment.as_ref().map_or_else(|| "no time".to_owned(), |moment| moment.text.clone())
    };
    if let Some(ms) = line.measured_ms {
        lines
            .push(format!("measured: what is there lasts {}, by the rate in its header", span(ms)));
    }
    if start.is_some() || end.is_some() || duration_ms.is_some() {
        let times = format!("from {} to {}", shown(start), shown(end));
        let times = (start.is_some() || end.is_some()).then_some(times);
        let long = duration_ms.map(|ms| format!("{} long", span(ms)));
        let said: Vec<String> = times.into_iter().chain(long).collect();
        let mut declared = format!("declared by its metadata: {}", said.join(", "));
        if let Some(after) = line.declared.sealed_after_ms(line.at) {
            let when = if after < 0 { "before" } else { "after" };
            let _ = write!(declared, "; sealed {} {when} that end", span(after.unsigned_abs()));
        }
        lines.push(declared);
    }
    let (noticed, count) = &line.findings;
    lines.extend(noticed.iter().map(|what| format!("the collector noticed: {what}")));
    if let Some(more) = count.checked_sub(noticed.len() as u64).filter(|more| *more > 0) {
        lines.push(format!("the collector noticed {more} more; its opening lists them"));
    }
    lines.extend(line.odd.iter().map(|odd| format!("odd: {odd}")));
    lines
}

/// A span of time in its two largest units.
fn span(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) if ms < 1_000 => format!("{ms} ms"),
        (0, 0, 0) => format!("{seconds}.{} s", ms % 1_000 / 100),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {} min", minutes % 60),
        (1, ..) => format!("1 day {} h", hours % 24),
        _ => format!("{days} days {} h", hours % 24),
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
        let bytes = bytes_of(replacement);
        let _ = writeln!(text, "- entry {index} supersedes entry {replaced}: {bytes}");
    }
    more(replacements.count(), shown, text);
}

fn more(count: u64, shown: usize, text: &mut String) {
    if let Some(more) = count.checked_sub(shown as u64).filter(|more| *more > 0) {
        let _ = writeln!(text, "- and {more} more; --explain and --json list them");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_its_two_largest_units() {
        for (ms, text) in [
            (0, "0 ms"),
            (5, "5 ms"),
            (999, "999 ms"),
            (1_000, "1.0 s"),
            (25_620, "25.6 s"),
            (60_000, "1 min 0 s"),
            (3_599_999, "59 min 59 s"),
            (7_260_000, "2 h 1 min"),
            (90_000_000, "1 day 1 h"),
            (101_942_483_594, "1179 days 21 h"),
        ] {
            assert_eq!(span(ms), text);
        }
    }
}
