//! What the program says: verdicts and documents on stdout, failures on stderr.

use std::fmt::Display;
use std::io::{BufWriter, IsTerminal as _, Write as _};

use serde::Serialize;
use serde_json::json;
use unbroken_container::render::{self, Colour, Detail, Identity};
use unbroken_evidence::verdict::{LIMITS, Verdict};

use crate::arguments::Output;

/// The exit code of wrong usage and of a machine that fails.
pub(crate) const USAGE: u8 = 4;
/// What stopped a command before there was a verdict.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) sentence: String,
    pub(crate) hint: &'static str,
}

impl Failure {
    pub(crate) fn new(code: u8, sentence: impl Display, hint: &'static str) -> Self {
        Self { code, sentence: sentence.to_string(), hint }
    }
}

/// Writes a line on stderr. A full or closed stderr changes no verdict: the exit code says the rest.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Says why there is no verdict.
pub(crate) fn report(failure: &Failure, output: &Output) {
    if failure.code == 3 {
        say("NO VERIFICATION TOOK PLACE. This says nothing about the evidence.");
    }
    say(&format!("error: {}", failure.sentence));
    say(&format!("hint: {}", failure.hint));
    if output.json {
        let error = json!({"sentence": failure.sentence, "hint": failure.hint});
        let document =
            json!({"schema": "unbroken/error@v1", "exit_code": failure.code, "error": error});
        // The exit code says it too, where nobody reads this.
        let _ = writeln!(std::io::stdout(), "{document:#}");
    }
}

/// Prints the document of a command line that was not understood; what is wrong stands on stderr.
pub(crate) fn usage_document() {
    let error = json!({"sentence": "the command line was not understood", "hint": "see --help"});
    let document = json!({"schema": "unbroken/error@v1", "exit_code": USAGE, "error": error});
    // The exit code says it too, where nobody reads this.
    let _ = print_json(&document);
}

pub(crate) fn print_verdict(
    identity: &Identity,
    verdict: &Verdict,
    output: &Output,
    is_one_of_many: bool,
) {
    let mut out = std::io::stdout().lock();
    let plain = output.no_color || !out.is_terminal() || std::env::var_os("NO_COLOR").is_some();
    let colour = if plain { Colour::Off } else { Colour::On };
    let detail = if output.explain || output.verbose { Detail::Explained } else { Detail::Summary };
    let text = if output.quiet {
        let name = if is_one_of_many { format!("{}\n", identity.name) } else { String::new() };
        let foreign = render::foreign_keys(verdict).map(|names| format!("{names}\n"));
        let limits = LIMITS.join("; ");
        let headline = render::headline(verdict);
        format!(
            "{name}{headline}\n{}This does not establish: {limits}.\n",
            foreign.unwrap_or_default()
        )
    } else {
        render::text(verdict, Some(identity), detail, colour)
    };
    // A reader that went away has not read the verdict: the exit code must not be 0 then.
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // One that cut the text on purpose knows.
        if error.kind() != std::io::ErrorKind::BrokenPipe {
            say(&format!("error: the verdict could not be written: {error}"));
        }
        std::process::exit(i32::from(USAGE));
    }
}

pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| {
        Failure::new(USAGE, format!("stdout: {error}"), "the answer was not written")
    })
}

/// Writes a document as it is made, and never holds all of it.
pub(crate) fn print_json(document: &impl Serialize) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, document).map_err(std::io::Error::from);
    written.and_then(|()| writeln!(out)).and_then(|()| out.flush()).map_err(|error| {
        Failure::new(USAGE, format!("stdout: {error}"), "the document was not written")
    })
}
