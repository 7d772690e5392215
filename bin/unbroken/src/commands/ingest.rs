//! `unbroken ingest`

use std::ffi::OsStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use unbroken_container::render::counted;
use unbroken_evidence::error::{chain, escaped};
use unbroken_evidence::time::Time;
use unbroken_ingest::error::IngestError;
use unbroken_ingest::key_filter::KeyFilter;
use unbroken_ingest::policy::Remark;
use unbroken_ingest::run::{Context, Options, Progress, Summary, run as ingest};
use unbroken_ingest::source::Source;
use unbroken_ledger::ledger::Ledger;

use crate::arguments::{Ingest, Output};
use crate::failure::{Failure, USAGE};
use crate::sources::{self, Typed};
use crate::{layouts, output, policies, progress, stop, world};

/// Problems that a terminal shows; `--json` has them all.
const PROBLEMS_SHOWN: usize = 20;

pub(crate) fn run(arguments: &Ingest, out: &Output) -> Result<u8, Failure> {
    let stop = stop::on_signal();
    let (typed, missing) = typed(arguments, &stop)?;
    let options = options(arguments)?;
    sources::refuse_one_name_twice(&typed)?;
    if arguments.dry_run {
        return dry_run(&typed, &options, &stop, out);
    }
    sources::refuse_own_ledger(&typed, &arguments.ledger.folder)?;
    let head_copy = arguments.head_copy.as_deref().map(world::absolute);
    let (folder, around) = (&arguments.ledger.folder, world::surroundings("ingest"));
    let mut ledger = Ledger::open_with_head_copy(folder, around, head_copy.as_deref())?;
    let mut codes = Vec::new();
    let mut documents = Vec::new();
    for (source, failure) in &missing {
        output::complaint(failure, out);
        codes.push(failure.code);
        documents.push(failed(source, source, failure));
    }
    for Typed { source, named } in &typed {
        let options = Options { moved: *named || options.moved, ..options.clone() };
        let progress = Progress::default();
        let context = Context {
            clock: &world::SystemClock,
            progress: &progress,
            stop: &stop,
            software: world::software(),
        };
        let line = |elapsed| progress::of_ingest(&progress, elapsed);
        if options.moved {
            warn_if_moved(&ledger, &**source, out)?;
        }
        let ended =
            progress::shown(out, &line, || ingest(&mut ledger, &**source, &options, &context));
        match ended {
            Ok(summary) => {
                show(&**source, &summary, out)?;
                let by_keys = !arguments.include.is_empty() || !arguments.exclude.is_empty();
                if by_keys && summary.objects > 0 && summary.excluded == summary.objects {
                    let what = "every object was left out: is a pattern of --include or --exclude mistyped?";
                    output::news(out, &format!("{}: {what}", source.name()));
                }
                codes.push(summary.exit_code());
                documents.push(document(&**source, &summary));
                if summary.interrupted {
                    break;
                }
            }
            // The ledger is of all sources: nothing can go on.
            Err(error @ IngestError::Ledger(_)) => return Err(error.into()),
            Err(error) => {
                let failure = Failure::from(error);
                output::complaint(&failure, out);
                codes.push(failure.code);
                documents.push(failed(source.name(), source.location(), &failure));
            }
        }
    }
    let code = [130, USAGE, 2].into_iter().find(|code| codes.contains(code)).unwrap_or(0);
    let problems: Vec<&Value> =
        documents.iter().filter_map(|one| one.get("problems")?.as_array()).flatten().collect();
    output::json(
        out,
        &json!({
            "schema": "unbroken/ingest@v1", "exit_code": code, "size": ledger.size(),
            "problems": problems, "sources": documents,
        }),
    )?;
    Ok(code)
}

/// A source as it was typed that cannot be taken, and why.
type Missing = (String, Failure);

/// The sources that can be taken, and those that cannot. With none that can nothing is done; with
/// one that can, the others do not stop it.
fn typed(
    arguments: &Ingest,
    stop: &Arc<AtomicBool>,
) -> Result<(Vec<Typed>, Vec<Missing>), Failure> {
    let (mut typed, mut missing) = (Vec::new(), Vec::new());
    for source in &arguments.sources {
        match sources::parse(source, &arguments.s3, stop) {
            Ok(source) => typed.push(source),
            Err(failure) => missing.push((source.to_string_lossy().into_owned(), failure)),
        }
    }
    if typed.is_empty() || arguments.dry_run {
        missing.drain(..).next().map_or(Ok(()), |(_, failure)| Err(failure))?;
    }
    Ok((typed, missing))
}

fn failed(source: &str, location: &str, failure: &Failure) -> Value {
    json!({
        "source": escaped(source), "location": escaped(location),
        "error": {"sentence": failure.sentence, "hint": failure.hint},
    })
}

fn options(arguments: &Ingest) -> Result<Options, Failure> {
    let layout = layouts::load(&arguments.layout)?;
    let policy = arguments.policy.as_deref().or_else(|| layout.policy().map(OsStr::new));
    let policy = policy.map(policies::load).transpose()?;
    let keys = KeyFilter::parse(&arguments.include, &arguments.exclude);
    let hint = "`*` stands for any letters of one name, `**` for any at all, `?` for one";
    let keys = keys.map_err(|why| Failure::usage(format!("--include, --exclude: {why}"), hint))?;
    let options = Options {
        layout,
        policy,
        keys,
        since: arguments.since.as_deref().map(date).transpose()?,
        until: arguments.until.as_deref().map(date).transpose()?,
        limit: arguments.limit,
        reseal: arguments.reseal,
        moved: arguments.moved,
        copies: arguments.copies,
        all_versions: arguments.all_versions,
        expires: arguments.expire_after_days,
    };
    match (&options.since, &options.until) {
        (Some(since), Some(until)) if since >= until => Err(Failure::usage(
            format!("--since {since} is not before --until {until}: nothing is left"),
            "give an earlier --since or a later --until",
        )),
        _ => Ok(options),
    }
}

/// NAME=PATH says that a known source is at a new place; a slip of the hand would say it too.
fn warn_if_moved(ledger: &Ledger, source: &dyn Source, out: &Output) -> Result<(), Failure> {
    let sources = ledger.private().sources()?;
    let known = sources.iter().find(|(_, name, _)| name == source.name());
    if let Some((_, name, before)) = known.filter(|(_, _, known)| known != source.location()) {
        let now = source.location();
        output::warning(
            out,
            &format!("source {name} was at {before}, and is at {now} from now on"),
        );
    }
    Ok(())
}

/// A day, or a time of 24 characters, as the time that it begins.
fn date(typed: &str) -> Result<String, Failure> {
    let whole = if typed.len() == 10 { format!("{typed}T00:00:00.000Z") } else { typed.to_owned() };
    match Time::parse(&whole) {
        Ok(_) => Ok(whole),
        Err(error) => Err(Failure::usage(error.to_string(), "give a day like 2026-11-20")),
    }
}

fn show(source: &dyn Source, summary: &Summary, out: &Output) -> Result<(), Failure> {
    output::gaps(out, &summary.gaps);
    for problem in summary.problems.iter().take(PROBLEMS_SHOWN) {
        let entry = problem.index.map_or_else(String::new, |index| format!("entry {index}: "));
        output::news(out, &format!("{entry}{}: {}", problem.key, problem.sentence()));
    }
    let more = summary.problem_count.saturating_sub(PROBLEMS_SHOWN as u64);
    if more > 0 {
        output::news(out, &format!("and {more} more; --json lists them"));
    }
    let Summary { objects, bytes, sealed, sealed_again, unchanged, companions, .. } = summary;
    let mut text = format!(
        "{}: {objects} objects, {}: {sealed} recordings sealed, {sealed_again} sealed again, \
         {companions} companions, {unchanged} unchanged",
        source.name(),
        output::bytes(*bytes)
    );
    for (count, what) in [
        (summary.incomplete, "incomplete"),
        (summary.awaited, "whose companion may still come"),
        (summary.unread, "not read"),
        (summary.strays, "without recording"),
        (summary.excluded, "left out"),
        (summary.gone, "not there any more"),
        (summary.expired, "expired"),
        (summary.back, "there again"),
        (summary.earlier, "earlier versions sealed"),
        (summary.told, "other earlier versions and delete markers told of"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    for (Remark { sort, sentence }, count) in &summary.remarks {
        let recordings = counted(*count, "recording");
        text.push_str(&format!("\n{}: {sentence} ({recordings})", sort.name()));
    }
    if let Some(error) = &summary.listing_broke_off {
        output::complaint(&Failure::usage(chain(error), error.hint()), out);
    }
    let state = match (summary.interrupted, &summary.listing_broke_off) {
        (true, _) => "interrupted; the next run goes on",
        (false, Some(_)) => "the listing broke off; the next run goes on",
        (false, None) => "done",
    };
    output::text(out, &format!("{text}\npass: entry {} ({state})\n", summary.pass))
}

fn document(source: &dyn Source, summary: &Summary) -> Value {
    let problems: Vec<Value> = summary
        .problems
        .iter()
        .map(|problem| {
            json!({
                "source": source.name(), "key": problem.key, "what": problem.sentence(), "index": problem.index,
                "findings": problem.findings.iter().map(policies::document).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "source": source.name(), "location": source.location(), "objects": summary.objects,
        "bytes": summary.bytes, "sealed": summary.sealed, "sealed_again": summary.sealed_again,
        "unchanged": summary.unchanged, "companions": summary.companions,
        "incomplete": summary.incomplete, "awaited": summary.awaited, "unread": summary.unread, "strays": summary.strays,
        "excluded": summary.excluded, "gone": summary.gone, "expired": summary.expired, "back": summary.back,
        "earlier_versions": summary.earlier, "versions_told": summary.told, "pass": summary.pass, "interrupted": summary.interrupted,
        "error": summary.listing_broke_off.as_ref().map(|error| {
            json!({"sentence": chain(error), "hint": error.hint()})
        }),
        "remarks": summary.remarks.iter().map(|(remark, count)| {
            json!({"sort": remark.sort.name(), "what": remark.sentence, "recordings": count})
        }).collect::<Vec<_>>(),
        "gaps": output::gap_documents(&summary.gaps),
        "problem_count": summary.problem_count, "problems": problems,
    })
}

fn dry_run(
    typed: &[Typed],
    options: &Options,
    stop: &AtomicBool,
    out: &Output,
) -> Result<u8, Failure> {
    let mut documents = Vec::new();
    let limit = options.limit.map(|n| format!(", and at most {n} recordings"));
    let limit = limit.unwrap_or_default();
    for Typed { source, .. } in typed {
        let mut objects = Vec::new();
        let mut failed = None;
        let plan = unbroken_ingest::plan(&**source, options, &mut |planned| {
            let key = escaped(&String::from_utf8_lossy(&planned.listed.key));
            if out.json {
                objects
                    .push(json!({"key": key, "bytes": planned.listed.size, "as": planned.as_what}));
            } else if failed.is_none() {
                let line = format!("{}\t{}\t{key}\n", planned.listed.size, planned.as_what);
                failed = output::text(out, &line).err();
            }
        })?;
        if let Some(failure) = failed {
            return Err(failure);
        }
        if stop.load(Ordering::Relaxed) {
            return Ok(130);
        }
        output::text(
            out,
            &format!(
                "{}: {} objects, {} left out, {} recordings without a sidecar of their name; at the most {} list requests, {} get requests and {} of \
                 transfer, less what is unchanged{limit}. Nothing was read.\n",
                source.name(),
                plan.objects,
                plan.excluded,
                plan.without_sidecar,
                plan.list_requests,
                plan.get_requests,
                output::bytes(plan.bytes)
            ),
        )?;
        documents.push(json!({
            "source": source.name(), "objects": objects, "count": plan.objects, "bytes": plan.bytes,
            "excluded": plan.excluded, "without_sidecar": plan.without_sidecar, "limit": options.limit,
            "list_requests": plan.list_requests, "get_requests": plan.get_requests,
        }));
    }
    output::json(
        out,
        &json!({"schema": "unbroken/plan@v1", "exit_code": 0, "sources": documents}),
    )?;
    Ok(0)
}
