//! The schedule: what a verdict found of each recording entry, a line each, for a spreadsheet.

use std::fmt::Write as _;

use unbroken_evidence::error::printable;
use unbroken_evidence::recordings::Recording;
use unbroken_evidence::verdict::Verdict;

use super::document::{blocks, bytes, conclusion};

/// The schedule of `verdict` as RFC 4180, written from what was verified and from nothing else.
#[must_use]
pub fn schedule(verdict: &Verdict) -> String {
    let mut text = String::from(
        "index,subject,media,recording,conversation,found_under,bytes,sha256,file,found,left_out_because_its_producer_says,sealed_at_by_the_signers_clock,complete_as_its_signer_says,companions,companions_that_agree,values_withheld,first_withheld,fields_closed,superseded_by,declared_start,declared_end,declared_duration_ms,measured_ms,sealed_ms_after_declared_end,odd,noticed_by_the_collector,first_noticed,other_entries_about_it,blocks,superseded_by_other_bytes,verdict_of_the_whole\r\n",
    );
    let recordings = verdict.recordings();
    for line in recordings.lines() {
        let told = recordings.told(line);
        let beside = |line: &Recording| recordings.beside(&line.subject).len();
        let complete = line.complete.map_or("no policy", |yes| if yes { "yes" } else { "no" });
        let _ = write!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{},{complete},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\r\n",
            line.index,
            line.subject,
            line.media.name(),
            optional(told.id),
            optional(told.conversation),
            optional(told.key),
            line.size,
            line.sha256.map(|sha256| sha256.to_string()).unwrap_or_default(),
            optional(line.path.as_deref()),
            cell(bytes(line)),
            cell(&line.left_out.as_ref().map(ToString::to_string).unwrap_or_default()),
            line.at,
            companions(line),
            line.companions.1,
            line.hidden.0,
            safe(&told.withheld.join("; ")),
            line.hidden.1,
            super::indices(&line.superseded_by, "; "),
            optional(told.start),
            optional(told.end),
            line.declared_ms.map(|ms| ms.to_string()).unwrap_or_default(),
            line.measured_ms.map(|ms| ms.to_string()).unwrap_or_default(),
            line.sealed_after_ms.map(|ms| ms.to_string()).unwrap_or_default(),
            cell(&line.odd.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
            line.noticed,
            safe(&told.noticed.join("; ")),
            beside(line),
            blocks(line),
            line.by_other_bytes.map_or("not disclosed", yes_or_no),
            conclusion(verdict.conclusion()),
        );
    }
    text
}

/// How many companions it has; where it may have others too, at least so many.
fn companions(line: &Recording) -> String {
    let count = line.companions.0;
    if line.hides_companions { format!("at least {count}") } else { count.to_string() }
}

const fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn optional(text: Option<&str>) -> String {
    safe(text.unwrap_or_default())
}

/// A cell of RFC 4180 that no spreadsheet takes for a formula.
#[must_use]
pub fn cell(text: &str) -> String {
    safe(&printable(text))
}

/// The same of a text that a verdict has made safe to print already.
fn safe(text: &str) -> String {
    let mut safe = String::from("\"");
    // Where a spreadsheet cuts cells at semicolons, quotes in the middle of one protect nothing.
    let mut begins = true;
    for character in text.chars() {
        if begins && matches!(character, '=' | '+' | '-' | '@') {
            safe.push('\'');
        }
        safe.push(character);
        if character == '"' {
            safe.push('"');
        }
        begins = character == ';';
    }
    safe.push('"');
    safe
}

#[cfg(test)]
mod tests {
    use unbroken_evidence::exhibit::verify_exhibit;
    use unbroken_evidence::key::VerifierKey;
    use unbroken_evidence::trust::Trust;

    use super::*;
    use crate::open::Exhibit;

    /// What is found of bytes may hold a comma: every later cell stood one column to the right.
    #[test]
    fn each_line_has_as_many_cells_as_there_are_names() {
        let vectors = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors");
        let key = std::fs::read_to_string(vectors.join("trust.txt")).unwrap();
        let trust = Trust::key(VerifierKey::parse(key.trim_end()).unwrap());
        for (name, found) in [
            ("good", "agree"),
            ("recording-removed", "MISSING, "),
            ("size-wrong", "AGREES, "),
            ("content-closed", "nothing, "),
        ] {
            let path = vectors.join(format!("exhibits/{name}.zip"));
            let mut exhibit = Exhibit::open(&path).unwrap();
            let text = schedule(&verify_exhibit(&mut exhibit, &trust, 1).unwrap());
            assert!(text.contains(found), "{name}: {text}");
            // A comma within quotes is part of its cell.
            let cells = |line: &str| {
                let outside = line.split('"').step_by(2);
                outside.map(|part| part.matches(',').count()).sum::<usize>() + 1
            };
            for line in text.lines() {
                assert_eq!(cells(line), 31, "{name}: {line}");
            }
        }
    }

    #[test]
    fn a_cell_is_never_a_formula_nor_a_terminal_escape() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("a\"b,\u{1b}[31m"), "\"a\"\"b,\\u{1b}[31m\"");
        // What a verdict made safe already stays as it is, and is no formula either.
        assert_eq!(safe("a\\u{a}b"), "\"a\\u{a}b\"");
        assert_eq!(safe("=1\""), "\"'=1\"\"\"");
        assert_eq!(safe("a;=1;-2; b"), "\"a;'=1;'-2; b\"");
    }
}
