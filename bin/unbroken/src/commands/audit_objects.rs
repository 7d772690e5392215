//! `unbroken audit --objects`

use std::sync::Arc;

use serde_json::{Value, json};
use unbroken_container::render::counted;
use unbroken_evidence::error::{escaped, printable};
use unbroken_ingest::reread::resume::stopped;
use unbroken_ingest::reread::{Found, Hands, Opener, Reread, RereadProgress, Wanted, reread};
use unbroken_ledger::ledger::{Ledger, private_path};
use unbroken_ledger::private::Private;
use unbroken_ledger::random::{Random as _, SystemRandom};
use unbroken_ledger::reader::LogReader;

use crate::arguments::{Audit, Output};
use crate::failure::{Failure, USAGE};
use crate::sources::KnownSources;
use crate::{output, progress, stop, world};

/// Differences that a terminal shows; `--json` has the first 10,000.
const SHOWN: usize = 50;

pub(crate) fn run(arguments: &Audit, out: &Output) -> Result<u8, Failure> {
    let stop = stop::on_signal();
    let folder = &arguments.ledger.folder;
    // First, so that a mistyped folder is told as one that holds no ledger.
    let size = LogReader::open(folder)?.checkpoint().size;
    let private = Private::open_to_read(&private_path(folder))?;
    let mut wanted = Wanted {
        sample: arguments.sample,
        source: arguments.source.clone(),
        trust_s3_checksum: arguments.trust_s3_checksum,
        ..Wanted::default()
    };
    SystemRandom::default().fill(&mut wanted.seed).map_err(|error| {
        Failure::new(USAGE, format!("the system gives no randomness: {error}"), "try again")
    })?;
    if arguments.resume {
        wanted = stopped(&private, size)?.ok_or_else(|| {
            Failure::usage(
                "--resume: the last audit of objects came to its end, or there was none",
                "begin a new one: `unbroken audit --objects`",
            )
        })?;
    }
    let sources = private.sources()?;
    if let Some(name) = &arguments.source
        && !sources.iter().any(|(_, known, _)| known == name)
    {
        return Err(Failure::usage(
            format!("--source {}: nothing of a source of this name is sealed", printable(name)),
            "`unbroken status` lists the sources",
        ));
    }
    drop(private);
    let progress = RereadProgress::default();
    let hands = Hands {
        clock: &world::SystemClock,
        stop: Arc::as_ref(&stop),
        progress: &progress,
        software: world::software(),
    };
    let mut openers: Vec<Box<dyn Opener + '_>> = (0..world::threads() * 2)
        .map(|_| Box::new(KnownSources::new(&arguments.s3).until(&stop)) as Box<dyn Opener + '_>)
        .collect();
    let line = |elapsed| progress::of_reread(&progress, elapsed);
    let open = || Ledger::open(folder, world::surroundings("audit --objects"));
    let found =
        progress::shown(out, &line, || reread(folder, &wanted, &mut openers, &hands, open))?;
    show(&found, out)?;
    output::json(out, &document(&found))?;
    Ok(found.exit_code())
}

fn show(found: &Reread, out: &Output) -> Result<(), Failure> {
    for difference in found.differences.iter().take(SHOWN) {
        let name = difference.found.name().to_uppercase();
        let (source, why) = (escaped(&difference.source), escaped(&difference.why));
        output::text(
            out,
            &format!("{name}: entry {}: {source}: {}: {why}\n", difference.index, difference.key),
        )?;
    }
    let well: u64 =
        Found::ALL.iter().filter(|one| one.is_well()).map(|one| found.count(*one)).sum();
    let others = found.counts.iter().sum::<u64>() - well;
    if let Some(more) = others.checked_sub(SHOWN as u64).filter(|more| *more > 0) {
        output::text(out, &format!("and {more} more; --json lists them\n"))?;
    }
    let counts: Vec<String> = Found::ALL
        .iter()
        .filter(|one| found.count(**one) > 0)
        .map(|one| format!("{} {}", found.count(*one), one.name()))
        .collect();
    let counts = if counts.is_empty() { "nothing is sealed".to_owned() } else { counts.join(", ") };
    let verdict = match found.exit_code() {
        0 if well == 0 => "NOTHING WAS COMPARED",
        0 if found.count(Found::ByChecksum) > 0 => {
            "NO DIFFERENCE FOUND: of those by-checksum no byte was read, for S3 says that it keeps the SHA-256 that was sealed"
        }
        0 => "NO DIFFERENCE FOUND in what was read again",
        1 => {
            "DIFFERENCES FOUND: `unbroken ingest` seals what is there now beside what was, and `unbroken history` tells the story"
        }
        130 => "INTERRUPTED: what was read until then is sealed; --resume goes on from there",
        _ => "NO DIFFERENCE FOUND, BUT NOT EVERYTHING COULD BE READ",
    };
    output::text(
        out,
        &format!(
            "{}: {counts}; {} read\naudit: entry {}\n{verdict}\n",
            counted(found.counts.iter().sum(), "object"),
            output::bytes(found.bytes),
            found.index
        ),
    )
}

fn document(found: &Reread) -> Value {
    let differences = found.differences.iter().map(|difference| {
        json!({
            "index": difference.index, "source": escaped(&difference.source),
            "key": difference.key, "found": difference.found.name(), "why": escaped(&difference.why),
        })
    });
    let counts: serde_json::Map<String, Value> =
        Found::ALL.iter().map(|one| (one.name().to_owned(), json!(found.count(*one)))).collect();
    json!({
        "schema": "unbroken/audit-objects@v1", "exit_code": found.exit_code(), "counts": counts,
        "bytes": found.bytes, "audit": found.index, "interrupted": found.interrupted,
        "differences": differences.collect::<Vec<_>>(),
    })
}
