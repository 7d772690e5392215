//! `unbroken state`

use std::sync::Arc;

use serde_json::{Value, json};
use unbroken_evidence::error::chain;
use unbroken_ingest::error::IngestError;
use unbroken_ingest::run::{Context, Progress};
use unbroken_ingest::source::Source;
use unbroken_ingest::state::{StateSummary, run as look};
use unbroken_ledger::ledger::Ledger;

use crate::arguments::{Output, State};
use crate::failure::Failure;
use crate::{output, progress, sources, stop, world};

/// Problems that a terminal shows; `--json` has them all.
const PROBLEMS_SHOWN: usize = 20;

pub(crate) fn run(arguments: &State, out: &Output) -> Result<u8, Failure> {
    let stop = stop::on_signal();
    let typed: Result<Vec<_>, Failure> =
        arguments.sources.iter().map(|s| sources::parse(s, &arguments.s3, &stop)).collect();
    let typed = typed?;
    let head_copy = arguments.head_copy.as_deref().map(world::absolute);
    let (folder, around) = (&arguments.ledger.folder, world::surroundings("state"));
    let mut ledger = Ledger::open_with_head_copy(folder, around, head_copy.as_deref())?;
    let (mut codes, mut documents) = (Vec::new(), Vec::new());
    for typed in &typed {
        let source = &*typed.source;
        let progress = Progress::default();
        let context = Context {
            clock: &world::SystemClock,
            progress: &progress,
            stop: Arc::as_ref(&stop),
            software: world::software(),
        };
        let line = |elapsed| progress::of_ingest(&progress, elapsed);
        let ended =
            progress::shown(out, &line, || look(&mut ledger, source, arguments.rate, &context));
        match ended {
            Ok(summary) => {
                show(source, &summary, out)?;
                codes.push(summary.exit_code());
                documents.push(document(source, &summary));
                if summary.interrupted {
                    break;
                }
            }
            Err(error @ IngestError::Ledger(_)) => return Err(error.into()),
            Err(error) => {
                let failure = Failure::from(error);
                output::complaint(&failure, out);
                codes.push(failure.code);
                documents.push(json!({
                    "source": source.name(), "location": source.location(),
                    "error": {"sentence": failure.sentence, "hint": failure.hint},
                }));
            }
        }
    }
    let code = [130, 4, 2].into_iter().find(|code| codes.contains(code)).unwrap_or(0);
    output::json(
        out,
        &json!({
            "schema": "unbroken/state@v1", "exit_code": code, "size": ledger.size(),
            "sources": documents,
        }),
    )?;
    Ok(code)
}

fn show(source: &dyn Source, summary: &StateSummary, out: &Output) -> Result<(), Failure> {
    output::gaps(out, &summary.gaps);
    for problem in summary.problems.iter().take(PROBLEMS_SHOWN) {
        let entry = problem.index.map_or_else(String::new, |index| format!("entry {index}: "));
        output::news(out, &format!("{entry}{}: {}", problem.key, problem.what));
    }
    let more = summary.problem_count.saturating_sub(PROBLEMS_SHOWN as u64);
    if more > 0 {
        output::news(out, &format!("and {more} more; --json lists them"));
    }
    let StateSummary { objects, checked, held, changed, unread, .. } = summary;
    if let Some(error) = &summary.broke_off {
        output::complaint(&Failure::usage(chain(error), error.hint()), out);
    }
    let state = match (summary.interrupted, &summary.broke_off) {
        (true, _) => "interrupted; the next one goes on",
        (false, Some(_)) => "the source was given up; the next one goes on",
        (false, None) => "done",
    };
    output::text(
        out,
        &format!(
            "{}: state of {checked} of {objects} objects read, {held} under legal hold, {changed} changed, \
             {unread} not read\npass: entry {} ({state})\n",
            source.name(),
            summary.pass
        ),
    )
}

fn document(source: &dyn Source, summary: &StateSummary) -> Value {
    let problems: Vec<Value> = summary
        .problems
        .iter()
        .map(|problem| json!({"key": problem.key, "what": problem.what, "index": problem.index}))
        .collect();
    json!({
        "source": source.name(), "location": source.location(), "objects": summary.objects,
        "checked": summary.checked, "held": summary.held, "changed": summary.changed,
        "unread": summary.unread, "pass": summary.pass, "interrupted": summary.interrupted,
        "error": summary.broke_off.as_ref().map(|error| {
            json!({"sentence": chain(error), "hint": error.hint()})
        }),
        "gaps": output::gap_documents(&summary.gaps),
        "problem_count": summary.problem_count, "problems": problems,
    })
}
