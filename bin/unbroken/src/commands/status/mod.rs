//! `unbroken status`

mod sources;

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use unbroken_evidence::checkpoint::UnverifiedCheckpoint;
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::key::VerifierKey;
use unbroken_ingest::audits::ObjectAudit;
use unbroken_ingest::awaited::awaited;
use unbroken_ledger::head_copy;
use unbroken_ledger::keys::{self, verifier_of_log};
use unbroken_ledger::ledger::{private_path, store_folder};
use unbroken_ledger::lock::Lock;
use unbroken_ledger::private::{LOOKUPS_WANTED, Private};
use unbroken_ledger::reader::LogReader;
use unbroken_ledger::remembered;
use unbroken_ledger::restore::{RESEAL_NEEDED, RESEALED, SEALED_GAPS};
use unbroken_ledger::seal::Clock as _;

use crate::arguments::Output;
use crate::failure::Failure;
use crate::world::SystemClock;
use crate::{output, world};

/// Files of the log of which it is said that their length cannot be.
const LENGTHS_SHOWN: usize = 5;

pub(crate) fn run(folder: &Path, max_age: Option<Duration>, out: &Output) -> Result<u8, Failure> {
    let mut reader = LogReader::open(folder)?;
    let private = Private::open_to_read(&private_path(folder))?;
    let checkpoint = reader.checkpoint().clone();
    let ledger_id = reader.leaf(0)?;
    let anchor = verifier_of_log(&mut reader)?;
    let counts = private.counts(checkpoint.size)?;
    // Nothing is wrong with a recording whose sidecar has its time yet.
    let awaited = awaited(&private, checkpoint.size, SystemClock.now())?;
    let incomplete = counts.incomplete.saturating_sub(awaited);
    let holder = Lock::holder(folder);
    let genesis = reader.entry(0)?;
    let mut problems = problems(folder, (&reader, &genesis), &private, &anchor, incomplete)?;
    let sources = sources::known(&private, checkpoint.size)?;
    let now = SystemClock.now().unix_ms();
    problems.extend(sources.iter().flat_map(|source| source.problems(now, max_age)));
    for audit in ObjectAudit::standing(&private, checkpoint.size)? {
        let (index, ended) = (audit.index, &audit.ended);
        problems.extend(audit.trouble().map(|trouble| {
            format!(
                "the audit of objects of {ended}, entry {index}, found {trouble}: see to it, and audit all of them once more"
            )
        }));
    }
    let mut text = format!(
        "origin: {}\nledger id: {ledger_id}\ntrust anchor: {anchor}\nsize: {}\nroot: {}\n\
         recordings: {}\nrecording entries: {}\nincomplete: {}\nwhose companion may still come: {}\nnot there any more: {}\n",
        checkpoint.origin,
        checkpoint.size,
        checkpoint.root,
        counts.recordings,
        counts.recording_entries,
        incomplete,
        awaited,
        counts.gone
    );
    for source in &sources {
        text.push_str(&source.lines(now));
    }
    if let Some(holder) = &holder {
        text.push_str(&format!("held by: {holder}\n"));
    }
    for problem in &problems {
        text.push_str(&format!("problem: {problem}\n"));
    }
    let note = String::from_utf8_lossy(reader.checkpoint_note()).into_owned();
    text.push_str(&format!("latest checkpoint:\n\n{note}"));
    output::text(out, &text)?;
    let code = if problems.is_empty() { 0 } else { 2 };
    let sources: Vec<_> = sources.iter().map(sources::Known::document).collect();
    output::json(
        out,
        &json!({
            "schema": "unbroken/status@v1", "exit_code": code, "origin": checkpoint.origin,
            "ledger_id": ledger_id.to_string(), "trust_anchor": anchor.to_string(),
            "size": checkpoint.size, "root": checkpoint.root.to_string(), "checkpoint": note,
            "recordings": counts.recordings, "recording_entries": counts.recording_entries,
            "incomplete": incomplete, "awaited": awaited, "gone": counts.gone, "sources": sources, "held_by": holder,
            "problems": problems,
        }),
    )?;
    Ok(code)
}

fn problems(
    folder: &Path,
    (reader, genesis): (&LogReader, &UnverifiedEntry),
    private: &Private,
    anchor: &VerifierKey,
    incomplete: u64,
) -> Result<Vec<String>, Failure> {
    let size = reader.checkpoint().size;
    let mut problems = Vec::new();
    if incomplete > 0 {
        problems.push(format!(
            "incomplete recordings: {}; `unbroken list --incomplete` names them",
            incomplete
        ));
    }
    let signed = UnverifiedCheckpoint::parse(reader.checkpoint_note());
    if !signed.is_ok_and(|checkpoint| checkpoint.verify(anchor).is_ok()) {
        problems.push("the published checkpoint is not signed by this ledger's log key".to_owned());
    }
    if Lock::holder(folder).is_none() {
        problems.extend(head_copy::problem(folder, anchor, (size, private.end()?))?);
        let memory = world::remembers();
        let stored = private.end()?;
        problems.extend(memory.and_then(|m| remembered::problem(&m, anchor, size, stored)));
    }
    // Whoever asks may not be allowed to read the keys; that is no problem of the ledger.
    problems.extend(keys::problems(folder, genesis).wrong);
    problems.extend(reader.wrong_lengths(LENGTHS_SHOWN));
    if let Ok(Some((leaf, _))) = private.opening(0)
        && leaf != genesis.leaf()
    {
        problems.push("private.db is another ledger's: its first entry is not this log's".into());
    }
    if !store_folder(folder).join("db").exists() {
        problems.push("the store is missing: run `unbroken restore`".to_owned());
    }
    let ahead = private.end()?.saturating_sub(size);
    if ahead > 0 && Lock::holder(folder).is_none() {
        problems.push(format!(
            "private.db knows {ahead} entries that the log does not show: the next ingest publishes them, \
             unless an old log was put back"
        ));
    }
    if private.end()? < size {
        problems.push("private.db is older than the log: openings are missing".to_owned());
    }
    if let Some(ranges) = private.meta(SEALED_GAPS)? {
        problems.push(format!("openings of entries {} are lost", String::from_utf8_lossy(&ranges)));
    }
    if private.meta(LOOKUPS_WANTED)?.is_some() {
        let what = "lookups of a newer version are still to be made: run `unbroken restore`";
        problems.push(what.to_owned());
    }
    if private.meta(RESEAL_NEEDED)?.is_some() {
        let done = private.meta_names(RESEALED)?;
        let done: Vec<&str> = done.iter().filter_map(|mark| mark.split('\n').next()).collect();
        let done = if done.is_empty() { "none yet".to_owned() } else { done.join(", ") };
        problems.push(format!(
            "what was sealed before the loss is not known: each source needs `ingest --reseal` once; done: {done}"
        ));
    }
    Ok(problems)
}
