//! The recordings of a verdict as text: a few lines for each.

use std::fmt::Write as _;

use unbroken_evidence::recordings::{Blocks, Bytes, NotGiven, Recording, Recordings, Told};

use super::document::bytes;
use super::text::{Detail, LINES_SHOWN, more};
use super::{counted, indices};

/// The recordings: nothing else in the exhibit is one, whatever its name.
pub(super) fn recordings(recordings: &Recordings, detail: Detail, text: &mut String) {
    let lines = recordings.lines();
    if lines.is_empty() {
        return;
    }
    text.push_str(
        "\nRecording entries that were judged (nothing is said here of any other file):\n",
    );
    let shown = if detail == Detail::Explained { usize::MAX } else { LINES_SHOWN };
    // Where not all are shown, those with something to say of them come first.
    let mut lines: Vec<&Recording> = lines.iter().collect();
    if lines.len() > shown {
        lines.sort_by_key(|line| is_plain(line));
    }
    for line in lines.iter().take(shown) {
        let told = recordings.told(line);
        let _ = writeln!(text, "- entry {}: {}", line.index, title(line, &told));
        let history = history(line, &told, recordings);
        for (word, what) in about(line, &told).into_iter().chain(history) {
            let _ = writeln!(text, "  {word:<11} {what}");
        }
    }
    more(lines.len() as u64, shown, text);
    policies(recordings, text);
}

/// What "complete" means here, in the words of whoever sealed it.
fn policies(recordings: &Recordings, text: &mut String) {
    if recordings.policies().is_empty() {
        return;
    }
    text.push_str("\nCompleteness policies, as their entries state them:\n");
    for policy in recordings.policies() {
        let (name, said) = (quoted(&policy.name), quoted(&policy.text));
        let _ = writeln!(text, "- entry {}, {name}: {said}", policy.index);
    }
    if recordings.not_given().is_empty() {
        return;
    }
    text.push_str("What they ask for and nobody could give, as the runs that are shown say of all that they sealed (a recording may meet its policy without it):\n");
    for NotGiven { index, text: said } in recordings.not_given() {
        let _ = writeln!(text, "- entry {index}: {}", quoted(said));
    }
}

/// Whether there is nothing to say of a recording but that it agrees.
fn is_plain(line: &Recording) -> bool {
    line.bytes == Bytes::Agree
        && line.odd.is_empty()
        && line.complete != Some(false)
        && line.superseded_by.is_empty()
}

/// A stranger's words, marked off from ours.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\\\""))
}

/// The medium, and what the recording is called where it was made.
fn title(line: &Recording, told: &Told<'_>) -> String {
    let mut title = line.media.name().to_owned();
    if let Some(id) = told.id {
        let _ = write!(title, ", recording {}", quoted(id));
    }
    if let Some(conversation) = told.conversation {
        let _ = write!(title, ", conversation {}", quoted(conversation));
    }
    title
}

type Line = (&'static str, String);

/// The bytes, what the metadata declares, and what the entry discloses.
fn about(line: &Recording, told: &Told<'_>) -> Vec<Line> {
    let mut lines = vec![("bytes", found(line))];
    lines.extend(line.sha256.map(|sha256| ("sealed as", format!("SHA-256 {sha256}"))));
    let then = if line.noncurrent { ", as an earlier version of that object" } else { "" };
    lines.extend(told.key.map(|key| ("found under", format!("{}{then}", quoted(key)))));
    lines.push(("sealed", sealed(line)));
    lines.extend(declared(line, told).map(|declared| ("declared", declared)));
    if let Some(ms) = line.measured_ms {
        let measured = format!(
            "{}: the sound that is in the file, as its own container counts it (an Ogg file by its last page, whatever is missing before it)",
            span(ms)
        );
        lines.push(("measured", measured));
    }
    let (companions, agree) = line.companions;
    if companions > 0 {
        let verb = if companions == 1 { "is packed and agrees" } else { "are packed and agree" };
        let others =
            if agree < companions { "; what was found of the others is under V6" } else { "" };
        lines.push(("companions", format!("{agree} of {companions} {verb}{others}")));
    }
    if line.hidden.0 > 0 {
        let names = few(&told.withheld, line.hidden.0, ", ");
        lines.push(("withheld", format!("{}: {names}", counted(line.hidden.0, "value"))));
    }
    if line.hidden.1 > 0 {
        let fields = counted(line.hidden.1, "field");
        let it = if line.hidden.1 == 1 { "it" } else { "they" };
        let unknown = format!("what {it} may hold (companions, findings, an id) is not known");
        lines.push(("not shown", format!("{fields}: {unknown}")));
    }
    lines
}

fn found(line: &Recording) -> String {
    let place = line.path.as_ref().map_or_else(String::new, |path| format!(": {path}"));
    // The size is the entry's: of a file that is another, it is not the file's.
    let sealed = if line.bytes == Bytes::Agree { "" } else { "sealed with " };
    let mut found = format!("{}{place}, {sealed}{}", bytes(line), counted(line.size, "byte"));
    if line.bytes == Bytes::Agree {
        found.push_str(match line.blocks {
            Blocks::Agree => "",
            Blocks::Differ => "; its blocks are others under the block key that is here: V5",
            Blocks::NotChecked => "; its blocks were not checked: V5",
        });
    }
    if let Some(reason) = &line.left_out {
        let _ = write!(found, " (the exhibit's producer says: {reason})");
    }
    found
}

fn sealed(line: &Recording) -> String {
    let mut sealed = format!("{} by its signer's clock", line.at);
    if let Some(after) = line.sealed_after_ms {
        let when = if after < 0 { "before" } else { "after" };
        let _ = write!(sealed, ", {} {when} its declared end", span(after.unsigned_abs()));
    }
    sealed.push_str(match line.complete {
        Some(true) => "; its signer says that it meets its completeness policy",
        Some(false) => "; its signer says that it DOES NOT MEET its completeness policy",
        None => "; under no completeness policy",
    });
    if line.complete.is_some() && !line.policy_shown {
        sealed.push_str(", of which not everything stands here and agrees");
    }
    sealed
}

/// What its metadata declares of its time.
fn declared(line: &Recording, told: &Told<'_>) -> Option<String> {
    // Whether what is not shown was never there, or is withheld, its own line says.
    let times = match (told.start.map(quoted), told.end.map(quoted)) {
        (Some(start), Some(end)) => Some(format!("from {start} to {end}")),
        (Some(start), None) => Some(format!("from {start}, and no end is shown")),
        (None, Some(end)) => Some(format!("to {end}, and no start is shown")),
        (None, None) => None,
    };
    let long = line.declared_ms.map(|ms| format!("{} long", span(ms)));
    let said: Vec<String> = times.into_iter().chain(long).collect();
    (!said.is_empty()).then(|| format!("{}, as its entry says of its metadata", said.join(", ")))
}

/// What the collector noticed, what is odd, what superseded it, and what else is said about it.
fn history(line: &Recording, told: &Told<'_>, recordings: &Recordings) -> Vec<Line> {
    let mut lines = Vec::new();
    if line.noticed > 0 {
        let noticed = few(&told.noticed, line.noticed, "; ");
        lines.push(("noticed", format!("by the collector: {noticed}")));
    }
    lines.extend(line.odd.iter().map(|odd| ("odd", odd.to_string())));
    if let Some(by) = by(&line.superseded_by) {
        // Whatever else is said about the recording stands beside its newest entry.
        let other = if line.by_other_bytes == Some(true) { ", with OTHER BYTES" } else { "" };
        lines.push(("superseded", format!("by {by}{other}")));
        return lines;
    }
    let beside = recordings.beside(&line.subject);
    for entry in beside.iter().take(LINES_SHOWN) {
        let (kind, shown) = recordings.said(entry);
        let said = match entry.values {
            _ if !entry.is_known => "its values were not read".to_owned(),
            0 => "no value of it is shown".to_owned(),
            count => few(&shown, count, ", "),
        };
        let (index, at) = (entry.index, entry.at);
        let kind = if entry.is_known {
            kind.to_owned()
        } else {
            format!("of the unknown kind {}", quoted(kind))
        };
        lines.push((
            "beside it",
            format!("entry {index}, {kind}, {at} by its signer's clock: {said}"),
        ));
    }
    if let Some(more) = beside.len().checked_sub(LINES_SHOWN).filter(|more| *more > 0) {
        lines.push(("", format!("and {more} more; --json lists them")));
    }
    lines
}

/// The entries that supersede one; of many the first few.
pub(super) fn by(entries: &[u64]) -> Option<String> {
    let shown = entries.get(..entries.len().min(LINES_SHOWN)).unwrap_or_default();
    let more = entries.len() - shown.len();
    match (entries, more) {
        ([], _) => None,
        ([one], _) => Some(format!("entry {one}")),
        (_, 0) => Some(format!("entries {}", indices(shown, ", "))),
        _ => Some(format!("entries {}, and {more} more", indices(shown, ", "))),
    }
}

/// The first few of so many.
fn few(shown: &[&str], count: u64, between: &str) -> String {
    let shown: Vec<String> = shown.iter().map(|text| quoted(text)).collect();
    let mut text = shown.join(between);
    if let Some(more) = count.checked_sub(shown.len() as u64).filter(|more| *more > 0) {
        let _ = write!(text, "{between}and {more} more");
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_words_do_not_run_into_ours() {
        let hostile = quoted("r-1\", conversation \"c-2");
        assert_eq!(hostile, "\"r-1\\\", conversation \\\"c-2\"");
        assert_eq!(few(&["a", "b, c"], 4, ", "), "\"a\", \"b, c\", and 2 more");
    }

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
