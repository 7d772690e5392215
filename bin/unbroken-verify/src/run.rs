//! Carries a command out: exhibits and logs; single objects in [`objects`].

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use unbroken_container::error::OpenError;
use unbroken_container::log::LogFolder;
use unbroken_container::open::Exhibit;
use unbroken_container::render::{self, Document, Identity};
use unbroken_evidence::error::{chain, printable};
use unbroken_evidence::exhibit::{Stop, verify_exhibit};
use unbroken_evidence::log::{LogStop, verify_log};
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::Verdict;

use crate::anchors::{self, Anchors, small_file};
use crate::arguments::{Arguments, Command, Output};
use crate::output::{Failure, USAGE, print_json, print_verdict, report};
use crate::{identity, objects};

/// Carries the command out; gives the exit code.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let output = &arguments.output;
    let outcome = match &arguments.command {
        Command::Exhibit { trust, schedule, paths } => anchors::read(&trust.anchors)
            .and_then(|anchors| exhibits(&anchors, paths, schedule.as_deref(), output)),
        Command::Object(arguments) => objects::run(arguments, output),
        Command::Log { trust, since, log } => anchors::read(&trust.anchors)
            .and_then(|anchors| check_log(&anchors, since.as_deref(), log, output)),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            report(&failure, output);
            failure.code
        }
    }
}

pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The failure that an unopened container is.
pub(crate) fn not_opened(error: &OpenError, hint: &'static str) -> Failure {
    Failure::new(if error.is_container() { 3 } else { USAGE }, chain(error), hint)
}

fn exhibits(
    anchors: &Anchors,
    paths: &[PathBuf],
    schedule: Option<&Path>,
    output: &Output,
) -> Result<u8, Failure> {
    if schedule.is_some() && paths.len() > 1 {
        let hint = "verify the exhibits one by one, each with a schedule of its own";
        return Err(Failure::new(USAGE, "--schedule takes one exhibit", hint));
    }
    let mut codes = Vec::new();
    let mut verified = Vec::new();
    for path in paths {
        let shown = printable(&path.to_string_lossy());
        match exhibit(path, anchors) {
            Ok((verdict, identity)) => {
                codes.push(verdict.conclusion().exit_code());
                if let Some(path) = schedule {
                    write_new(path, &render::schedule(&verdict))?;
                }
                if output.json {
                    verified.push((shown, Ok((verdict, identity))));
                } else {
                    print_verdict(&identity, &verdict, output, paths.len() > 1);
                }
            }
            Err(failure) => {
                codes.push(failure.code);
                report(&failure, &Output { json: false, ..*output });
                verified.push((shown, Err(failure)));
            }
        }
    }
    let code = worst(&codes);
    if output.json {
        let exhibits = verified.iter().map(|(path, outcome)| match outcome {
            Ok((verdict, identity)) => Verified::Judged {
                path,
                verdict: Box::new(render::document(verdict, Some(identity))),
            },
            Err(Failure { sentence, hint, .. }) => {
                Verified::NotRead { path, error: sentence, hint }
            }
        });
        let (schema, exhibits) = ("unbroken/verification@v1", exhibits.collect());
        print_json(&Verification { schema, exit_code: code, exhibits })?;
    }
    Ok(code)
}

/// The document of several exhibits.
#[derive(Serialize)]
struct Verification<'a> {
    schema: &'static str,
    exit_code: u8,
    exhibits: Vec<Verified<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Verified<'a> {
    Judged { path: &'a str, verdict: Box<Document<'a>> },
    NotRead { path: &'a str, error: &'a str, hint: &'a str },
}

/// The document of a log.
#[derive(Serialize)]
struct Log<'a> {
    schema: &'static str,
    exit_code: u8,
    log: Document<'a>,
}

/// Verifies one exhibit, and hashes the package meanwhile.
fn exhibit(path: &Path, anchors: &Anchors) -> Result<(Verdict, Identity), Failure> {
    let hint =
        "check the path and who may read it: the exhibit's folder or .zip, as it was handed over";
    let repacked = "it may have been packed again, cut or damaged on its way, or made so: keep it, and ask for it once more, byte for byte";
    let mut opened = Exhibit::open(path).map_err(|error| {
        let failure = not_opened(&error, hint);
        if failure.code == 3 { not_opened(&error, repacked) } else { failure }
    })?;
    let (verdict, sha256) = std::thread::scope(|scope| {
        let hashed = scope.spawn(|| identity::sha256(path));
        let verdict = verify_exhibit(&mut opened, &anchors.trust, threads());
        (verdict, hashed.join().unwrap_or_default())
    });
    let verdict = verdict.map_err(|stop| {
        let code = if stop == Stop::NotAnExhibit { 3 } else { USAGE };
        let shown = printable(&path.to_string_lossy());
        Failure::new(code, format!("{shown}: {stop}"), hint)
    })?;
    Ok((verdict, identity::of(path, sha256, &anchors.shown)))
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let made = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = made.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let shown = printable(&path.to_string_lossy());
        Failure::new(USAGE, format!("{shown}: {error}"), "give the schedule a new name")
    })
}

/// A checkpoint kept from earlier. What is none is found by the verdict (L11).
pub(crate) fn kept(since: Option<&Path>) -> Result<Option<String>, Failure> {
    let Some(path) = since else { return Ok(None) };
    let hint = "give a `checkpoint` file that you kept";
    small_file(path, hint).map(Some)
}

fn check_log(
    anchors: &Anchors,
    since: Option<&Path>,
    path: &Path,
    output: &Output,
) -> Result<u8, Failure> {
    let since = kept(since)?;
    let since = since.as_deref().map(str::as_bytes);
    let mut files = LogFolder::new(path);
    let trust: &Trust = &anchors.trust;
    let verdict = verify_log(&mut files, trust, since, threads(), &|_| ())
        .map_err(|stop| log_failure(path, &stop))?;
    let identity = identity::of(path, None, &anchors.shown);
    let code = verdict.conclusion().exit_code();
    if output.json {
        let log = render::document(&verdict, Some(&identity));
        print_json(&Log { schema: "unbroken/log@v1", exit_code: code, log })?;
    } else {
        print_verdict(&identity, &verdict, output, false);
    }
    Ok(code)
}

pub(crate) fn log_failure(path: &Path, stop: &LogStop) -> Failure {
    let code = if *stop == LogStop::NotALog && path.exists() { 3 } else { USAGE };
    let shown = printable(&path.to_string_lossy());
    let hint = "give the folder that holds `checkpoint` and `tile`";
    Failure::new(code, format!("{shown}: {stop}"), hint)
}

/// Of several exit codes the one that counts: 5, 4, 1, 3, 2, 0.
pub(crate) fn worst(codes: &[u8]) -> u8 {
    [5, 4, 1, 3, 2].into_iter().find(|code| codes.contains(code)).unwrap_or(0)
}
