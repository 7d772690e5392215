//! Carries a command out: exhibits and logs; single objects in [`objects`].

use std::fmt::Display;
use std::path::{Path, PathBuf};

use serde_json::json;
use unbroken_container::log::LogFolder;
use unbroken_container::open::Exhibit;
use unbroken_container::render;
use unbroken_evidence::checkpoint::UnverifiedCheckpoint;
use unbroken_evidence::error::printable;
use unbroken_evidence::exhibit::{Stop, verify_exhibit};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::VerifierKey;
use unbroken_evidence::published::{Everything, LogStop, verify_log};
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::Verdict;

use crate::arguments::{Arguments, Command, Output, TrustArguments};
use crate::objects;
use crate::output::{Failure, USAGE, print_json, print_verdict, report};

/// An anchor or a kept checkpoint is a few hundred bytes.
const SMALL_FILE_BYTES_MAX: u64 = 1 << 20;

/// Carries the command out; gives the exit code.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let output = &arguments.output;
    let outcome = match &arguments.command {
        Command::Exhibit { trust, paths } => exhibits(trust, paths, output),
        Command::Object(arguments) => objects::run(arguments, output),
        Command::Log { trust, since, log } => check_log(trust, since.as_deref(), log, output),
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

pub(crate) fn trust(arguments: &TrustArguments) -> Result<Trust, Failure> {
    let mut keys = Vec::new();
    // A saved `unbroken init` holds the ledger id too, and it is held against the ledger.
    let mut ledger_ids = Vec::new();
    for anchor in &arguments.anchors {
        let texts = if Path::new(anchor).is_file() {
            small_file(Path::new(anchor))?
        } else {
            anchor.clone()
        };
        let texts = texts.strip_prefix('\u{feff}').unwrap_or(&texts);
        if texts.contains("PRIVATE+KEY") {
            let sentence = "this is a private key, and no trust anchor";
            return Err(Failure::new(
                USAGE,
                sentence,
                "give the verifier key; nobody else may see the private one",
            ));
        }
        if !texts.contains('+') {
            let sentence = format!("{}: neither a file nor a verifier key", printable(anchor));
            return Err(Failure::new(
                USAGE,
                sentence,
                "give the verifier key of the log, or a file that holds it",
            ));
        }
        // What `unbroken init` printed may be saved and given as it is.
        let marked = texts.lines().filter_map(|line| line.strip_prefix("trust anchor: "));
        let marked: Vec<&str> = marked.collect();
        ledger_ids.extend(
            texts
                .lines()
                .filter_map(|line| line.strip_prefix("ledger id: "))
                .filter(|_| !marked.is_empty())
                .map(str::to_owned),
        );
        let all = texts.lines().filter(|line| !line.is_empty());
        for text in if marked.is_empty() { all.collect() } else { marked } {
            let key = VerifierKey::parse(text).map_err(|error| {
                let hint = "copy the key whole, as `unbroken init` or `unbroken status` prints it";
                Failure::new(USAGE, error, hint)
            })?;
            keys.push(key);
        }
    }
    if !arguments.anchors.is_empty() && keys.is_empty() {
        return Err(Failure::new(
            USAGE,
            "the trust anchor is empty",
            "give the verifier key of the log",
        ));
    }
    let ledger_id = match arguments.ledger_id.as_ref().or_else(|| ledger_ids.first()) {
        None => None,
        Some(hex) => Some(Hash::from_hex(&hex.to_ascii_lowercase()).ok_or_else(|| {
            let sentence =
                format!("ledger id: expected 64 lower-case hex digits, found {}", printable(hex));
            Failure::new(USAGE, sentence, "copy it whole, as `unbroken init` prints it")
        })?),
    };
    Ok(Trust { keys, ledger_id })
}

fn small_file(path: &Path) -> Result<String, Failure> {
    let shown = printable(&path.to_string_lossy());
    let hint = "check the path";
    let failed = |error: &dyn Display| Failure::new(USAGE, format!("{shown}: {error}"), hint);
    let metadata = std::fs::metadata(path).map_err(|error| failed(&error))?;
    if !metadata.is_file() {
        return Err(failed(&"it is no plain file"));
    }
    let length = metadata.len();
    if length > SMALL_FILE_BYTES_MAX {
        return Err(failed(&"too long to be a key or a checkpoint"));
    }
    std::fs::read_to_string(path).map_err(|error| failed(&error))
}

fn exhibits(
    trust_arguments: &TrustArguments,
    paths: &[PathBuf],
    output: &Output,
) -> Result<u8, Failure> {
    let trust = trust(trust_arguments)?;
    let mut codes = Vec::new();
    let mut documents = Vec::new();
    for path in paths {
        let shown = printable(&path.to_string_lossy());
        match exhibit(path, &trust) {
            Ok(verdict) => {
                codes.push(verdict.conclusion().exit_code());
                documents.push(json!({"path": shown, "verdict": render::document(&verdict)}));
                if !output.json {
                    print_verdict(&shown, &verdict, output, paths.len() > 1);
                }
            }
            Err(failure) => {
                codes.push(failure.code);
                documents
                    .push(json!({"path": shown, "error": failure.sentence, "hint": failure.hint}));
                report(&failure, &Output { json: false, ..*output });
            }
        }
    }
    let code = worst(&codes);
    if output.json {
        print_json(
            &json!({"schema": "unbroken/verification@v1", "exit_code": code, "exhibits": documents}),
        )?;
    }
    Ok(code)
}

fn exhibit(path: &Path, trust: &Trust) -> Result<Verdict, Failure> {
    let mut opened = Exhibit::open(path).map_err(|error| {
        let mut sentence = error.to_string();
        if let Some(source) = std::error::Error::source(&error) {
            sentence = format!("{sentence}: {source}");
        }
        Failure::new(
            error.exit_code(),
            sentence,
            "give the exhibit's folder or .zip, as it was handed over",
        )
    })?;
    verify_exhibit(&mut opened, trust, threads()).map_err(|stop| {
        let code = if stop == Stop::NotAnExhibit { 3 } else { USAGE };
        let shown = printable(&path.to_string_lossy());
        Failure::new(
            code,
            format!("{shown}: {stop}"),
            "give the exhibit's folder or .zip, as it was handed over",
        )
    })
}

fn check_log(
    trust_arguments: &TrustArguments,
    since: Option<&Path>,
    path: &Path,
    output: &Output,
) -> Result<u8, Failure> {
    let trust = trust(trust_arguments)?;
    let since = since.map(small_file).transpose()?;
    if let Some(Err(error)) =
        since.as_deref().map(|text| UnverifiedCheckpoint::parse(text.as_bytes()))
    {
        return Err(Failure::new(
            USAGE,
            format!("--since: {error}"),
            "give a `checkpoint` file that you kept",
        ));
    }
    let mut files = LogFolder::new(path);
    let verdict = verify_log(
        &mut files,
        &trust,
        since.as_deref().map(str::as_bytes),
        threads(),
        &mut Everything,
    )
    .map_err(|stop| log_failure(path, &stop))?;
    if output.json {
        print_json(&json!(render::document(&verdict)))?;
    } else {
        print_verdict(&printable(&path.to_string_lossy()), &verdict, output, false);
    }
    Ok(verdict.conclusion().exit_code())
}

pub(crate) fn log_failure(path: &Path, stop: &LogStop) -> Failure {
    let code = if *stop == LogStop::NotALog && path.exists() { 3 } else { USAGE };
    let shown = printable(&path.to_string_lossy());
    Failure::new(
        code,
        format!("{shown}: {stop}"),
        "give the folder that holds `checkpoint` and `tile`",
    )
}

/// Of several exit codes the one that counts: 5, 4, 1, 3, 2, 0.
pub(crate) fn worst(codes: &[u8]) -> u8 {
    [5, 4, 1, 3, 2].into_iter().find(|code| codes.contains(code)).unwrap_or(0)
}
