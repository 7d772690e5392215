//! Prints: data on stdout, the rest on stderr, one JSON document for machines.

use std::io::{IsTerminal as _, Write as _};

use serde_json::{Value, json};
use unbroken_evidence::error::escaped;
use unbroken_ingest::gaps::Gap;

use crate::arguments::Output;
use crate::failure::{Failure, USAGE};

/// Prints `text` on stdout, unless only errors or JSON are wanted.
pub(crate) fn text(output: &Output, text: &str) -> Result<(), Failure> {
    if output.quiet || output.json { Ok(()) } else { write(&safe(text)) }
}

/// `text` with every control and formatting character but line feed and tab as an escape: paths
/// and names reach this place as they are.
fn safe(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let cells: Vec<String> = line.split('\t').map(shown).collect();
        cells.join("\t")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Spaces that may stand in a row, in columns for instance; a longer run in a name could begin a line that nobody
/// wrote.
const SPACES_MAX: usize = 24;

/// A piece of a line; the em dash of signature lines is harmless, and `escaped` doubles backslashes
/// that were escaped before.
fn shown(piece: &str) -> String {
    let mut text = String::new();
    let mut spaces = 0;
    for part in piece.split_inclusive(['\u{2014}', '\\', ' ']) {
        let mark = part.chars().last().filter(|last| matches!(last, '\u{2014}' | '\\' | ' '));
        let words = mark.map_or(part, |mark| part.strip_suffix(mark).unwrap_or(part));
        text.push_str(&escaped(words));
        spaces = if mark != Some(' ') {
            0
        } else if words.is_empty() {
            spaces + 1
        } else {
            1
        };
        match mark {
            Some(' ') if spaces > SPACES_MAX => text.extend(' '.escape_unicode()),
            _ => text.extend(mark),
        }
    }
    text
}

/// Prints the document on stdout, if JSON is wanted.
pub(crate) fn json(output: &Output, document: &Value) -> Result<(), Failure> {
    if output.json { write(&format!("{document:#}\n")) } else { Ok(()) }
}

/// Prints `text` on stdout in any case.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| {
        Failure::usage(format!("stdout: {error}"), "the output was not written in full")
    })
}

/// Writes a line on stderr. A full or closed stderr stops no work: the exit code says the rest.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints a warning on stderr.
pub(crate) fn warning(output: &Output, text: &str) {
    if !output.quiet {
        say(&format!("{}: {}", painted("warning", "33", output), shown(text)));
    }
}

/// Prints on stderr what a run found, also where only that is wanted: a scheduler mails what a job prints.
pub(crate) fn news(output: &Output, text: &str) {
    say(&format!("{}: {}", painted("warning", "33", output), shown(text)));
}

/// What earlier runs had left open, and this one sealed.
pub(crate) fn gaps(output: &Output, gaps: &[Gap]) {
    for gap in gaps {
        news(output, &format!("entry {}: {}", gap.index, gap.sentence));
    }
}

/// The same for machines.
pub(crate) fn gap_documents(gaps: &[Gap]) -> Vec<Value> {
    gaps.iter().map(|gap| json!({"entry": gap.index, "what": gap.sentence})).collect()
}

/// Prints a failure on stderr; the command may go on.
pub(crate) fn complaint(failure: &Failure, output: &Output) {
    say(&format!("{}: {}", painted("error", "31", output), shown(&failure.sentence)));
    say(&format!("hint: {}", shown(&failure.hint)));
}

/// Prints a failure, and its document where JSON is wanted; gives the exit code.
pub(crate) fn failure(failure: &Failure, output: &Output) -> u8 {
    complaint(failure, output);
    let error = json!({"sentence": failure.sentence, "hint": failure.hint});
    let document =
        json!({"schema": "unbroken/error@v1", "exit_code": failure.code, "error": error});
    if json(output, &document).is_err() { USAGE } else { failure.code }
}

/// The document of a command line that was not understood; what is wrong stands on stderr.
pub(crate) fn usage_document() -> String {
    let error = json!({"sentence": "the command line was not understood", "hint": "see --help"});
    let document = json!({"schema": "unbroken/error@v1", "exit_code": USAGE, "error": error});
    format!("{document:#}\n")
}

/// Whether stderr may have colour.
pub(crate) fn has_colour(output: &Output) -> bool {
    !output.no_color && std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal()
}

fn painted(word: &str, code: &str, output: &Output) -> String {
    if has_colour(output) { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() }
}

/// A number of bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut rest = count;
    while rest >= 10_240 && unit + 1 < units.len() {
        rest /= 1_024;
        unit += 1;
    }
    format!("{rest} {}", units.get(unit).unwrap_or(&"bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_signature_lines_stay_as_they_are_and_a_long_run_of_spaces_does_not() {
        let line = "\u{2014} example.com/log sH+8d0Y3=\nid    12   a\\u{1b}b\tx";
        assert_eq!(safe(line), line);
        let faked = format!("name{}NO DIFFERENCE FOUND", " ".repeat(80));
        let shown = safe(&faked);
        assert!(shown.contains("\\u{20}\\u{20}NO DIFFERENCE FOUND"), "{shown}");
        assert!(shown.starts_with(&format!("name{}\\u{{20}}", " ".repeat(SPACES_MAX))), "{shown}");
        assert_eq!(safe("a\u{1b}[31mb\r"), "a\\u{1b}[31mb\\u{d}");
    }
}
