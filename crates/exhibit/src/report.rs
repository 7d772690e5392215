//! What people read first: a page on the exhibit, and a schedule of what is in it.

use std::fmt::Write as _;

use unbroken_evidence::error::printable;

/// One line of the schedule.
pub(crate) struct Line {
    pub(crate) index: u64,
    pub(crate) subject: String,
    pub(crate) conversation: String,
    pub(crate) recording: String,
    pub(crate) media: &'static str,
    pub(crate) size: u64,
    pub(crate) sha256: String,
    pub(crate) sealed_at: String,
    pub(crate) complete: &'static str,
    pub(crate) state: String,
    pub(crate) file: String,
}

/// `data/report/README.txt`
pub(crate) fn readme(origin: &str, recordings: usize, packed: usize) -> String {
    format!(
        "This folder is an exhibit of the ledger {origin}.\n\
         \n\
         It holds {packed} recording files for {recordings} entries about recordings, with the entries of\n\
         the ledger that speak of them, and proofs that these entries stand in the ledger's log.\n\
         \n\
         schedule.csv            what is here, one line an entry, with the SHA-256 of each recording\n\
         ../<index>/             a recording and its companions, by the index of the entry about it\n\
         ../openings/            the values that each entry commits to\n\
         ../../ledger/           the signed entries, their proofs, and the checkpoint\n\
         ../../manifest-sha256.txt   SHA-256 of every file below data/, checkable with: sha256sum -c\n\
         \n\
         To verify it, offline, with a key that reached you by another way than this exhibit:\n\
         \n\
         unbroken-verify exhibit --trust <verifier key of the log> <this exhibit>\n\
         \n\
         The format is BagIt (RFC 8493), C2SP signed notes and RFC 6962 trees; anybody can write another\n\
         verifier from the published specification.\n"
    )
}

/// `data/report/schedule.csv`
pub(crate) fn schedule(lines: &[Line]) -> String {
    let mut text = String::from(
        "index,subject,conversation,recording,media,bytes,sha256,sealed_at,completeness,state,file\n",
    );
    for line in lines {
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{}",
            line.index,
            line.subject,
            cell(&line.conversation),
            cell(&line.recording),
            line.media,
            line.size,
            line.sha256,
            line.sealed_at,
            line.complete,
            cell(&line.state),
            cell(&line.file),
        );
    }
    text
}

/// A cell of RFC 4180 that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let shown = printable(text).replace('"', "\"\"");
    let formula = shown.starts_with(['=', '+', '-', '@']);
    format!("\"{}{shown}\"", if formula { "'" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_nor_a_terminal_escape() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("a\"b,\u{1b}[31m"), "\"a\"\"b,\\u{1b}[31m\"");
    }
}
