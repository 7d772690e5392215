//! `unbroken exhibit`

use std::path::Path;

use serde_json::json;
use unbroken_exhibit::produce::{Packing, produce};
use unbroken_exhibit::select::Selector;
use unbroken_ledger::ledger::Ledger;
use unbroken_ledger::reader::LogReader;

use crate::arguments::{Exhibit, Output};
use crate::failure::Failure;
use crate::sources::KnownSources;
use crate::{output, progress, world};

pub(crate) fn run(arguments: &Exhibit, out: &Output) -> Result<u8, Failure> {
    refuse_own_ledger(&arguments.out, &arguments.ledger.folder)?;
    let mut ledger = Ledger::open(&arguments.ledger.folder, world::surroundings("exhibit"))?;
    let mut selectors: Vec<Selector> =
        arguments.conversation.iter().cloned().map(Selector::Conversation).collect();
    selectors.extend(arguments.recording.iter().cloned().map(Selector::Recording));
    selectors.extend(arguments.index.iter().copied().map(Selector::Index));
    selectors.extend(arguments.all.then_some(Selector::All));
    let packing =
        if arguments.without_recordings { Packing::EntriesOnly } else { Packing::Recordings };
    let mut originals = KnownSources::new(&arguments.s3);
    let read = originals.read_bytes();
    let line = |elapsed| progress::of_packing(&read, elapsed);
    let made = progress::shown(out, &line, || {
        produce(&mut ledger, &mut originals, &selectors, packing, &arguments.out)
    })?;
    for what in &made.differing {
        output::warning(out, &format!("not packed, it differs: {what}"));
    }
    for what in &made.missing {
        output::warning(out, &format!("not packed: {what}"));
    }
    if made.incomplete > 0 {
        output::warning(
            out,
            &format!(
                "{} of the entries shown were incomplete when they were sealed",
                made.incomplete
            ),
        );
    }
    let ledger_id = LogReader::open(&arguments.ledger.folder)?.leaf(0)?;
    let sha256 = made.sha256.map(|sha256| sha256.to_string());
    let named = sha256.as_ref().map_or_else(String::new, |sha256| format!("SHA-256: {sha256}\n"));
    output::text(
        out,
        &format!(
            "exhibit: {}\n{named}ledger id: {ledger_id}\n\
             {} entries about {} recordings, {} recording files; closed by entry {}\n\
             verify: unbroken-verify exhibit --trust {ledger_id} {0}\n",
            arguments.out.display(),
            made.entries,
            made.subjects,
            made.packed,
            made.produced
        ),
    )?;
    let code = made.exit_code();
    output::json(
        out,
        &json!({
            "schema": "unbroken/exhibit@v1", "exit_code": code, "out": arguments.out.display().to_string(),
            "entries": made.entries, "subjects": made.subjects, "packed": made.packed,
            "produced": made.produced, "differing": made.differing, "missing": made.missing,
            "incomplete": made.incomplete, "sha256": sha256, "ledger_id": ledger_id.to_string(),
            "trust_anchor": ledger.trust_anchor().to_string(),
        }),
    )?;
    Ok(code)
}

/// An exhibit inside the ledger would be backed up, and perhaps published, with it.
fn refuse_own_ledger(out: &Path, ledger: &Path) -> Result<(), Failure> {
    let parent = std::path::absolute(out).ok().and_then(|out| out.parent().map(Path::to_owned));
    let parent = parent.and_then(|parent| parent.canonicalize().ok());
    match (parent, ledger.canonicalize()) {
        (Some(parent), Ok(ledger)) if parent.starts_with(&ledger) => Err(Failure::usage(
            format!("{}: this is inside the ledger", out.display()),
            "give --out a place outside the ledger's folder",
        )),
        _ => Ok(()),
    }
}
