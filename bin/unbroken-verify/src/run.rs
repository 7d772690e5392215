//! Carries a command out and prints what it found.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use unbroken_evidence::checkpoint::UnverifiedCheckpoint;
use unbroken_evidence::error::{escaped, printable};
use unbroken_evidence::exhibit::{Stop, verify_exhibit};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::VerifierKey;
use unbroken_evidence::published::{Everything, LogStop, verify_log};
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::Verdict;
use unbroken_verify_core::log::LogFolder;
use unbroken_verify_core::object::{Answer, Object, ObjectVerdict, openings, verify_objects};
use unbroken_verify_core::open::Exhibit;
use unbroken_verify_core::render::{self, Colour, Detail};

use crate::arguments::{Arguments, Command, Output, S3Arguments, TrustArguments};

/// The exit code of wrong usage and of a machine that fails.
pub(crate) const USAGE: u8 = 4;
/// An anchor or a kept checkpoint is a few hundred bytes.
const SMALL_FILE_BYTES_MAX: u64 = 1 << 20;

/// What stopped a command before there was a verdict.
struct Failure {
    code: u8,
    sentence: String,
    hint: &'static str,
}

impl Failure {
    fn new(code: u8, sentence: impl Display, hint: &'static str) -> Self {
        Self { code, sentence: sentence.to_string(), hint }
    }
}

/// Carries the command out; gives the exit code.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let output = &arguments.output;
    let outcome = match &arguments.command {
        Command::Exhibit { trust, paths } => exhibits(trust, paths, output),
        Command::Object { trust, log, openings, s3, objects } => {
            let read = objects.iter().map(|name| object(name, s3)).collect::<Result<_, _>>();
            read.and_then(|read| find_objects(trust, log, openings.as_deref(), read, output))
        }
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

fn report(failure: &Failure, output: &Output) {
    if failure.code == 3 {
        eprintln!("NO VERIFICATION TOOK PLACE. This says nothing about the evidence.");
    }
    eprintln!("error: {}", failure.sentence);
    eprintln!("hint: {}", failure.hint);
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

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn trust(arguments: &TrustArguments) -> Result<Trust, Failure> {
    let mut keys = Vec::new();
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
        for text in texts.lines().filter(|line| !line.is_empty()) {
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
    let ledger_id = match &arguments.ledger_id {
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
    let length = std::fs::metadata(path).map_err(|error| failed(&error))?.len();
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

fn log_failure(path: &Path, stop: &LogStop) -> Failure {
    let code = if *stop == LogStop::NotALog && path.exists() { 3 } else { USAGE };
    let shown = printable(&path.to_string_lossy());
    Failure::new(
        code,
        format!("{shown}: {stop}"),
        "give the folder that holds `checkpoint` and `tile`",
    )
}

fn find_objects(
    trust_arguments: &TrustArguments,
    log: &Path,
    openings_in: Option<&Path>,
    objects: Vec<Object>,
    output: &Output,
) -> Result<u8, Failure> {
    let trust = trust(trust_arguments)?;
    let unread = |error: unbroken_verify_core::open::OpenError| {
        Failure::new(error.exit_code(), error, "check the path and who may read it")
    };
    let openings = openings_in.map(openings).transpose().map_err(unread)?.unwrap_or_default();
    let mut files = LogFolder::new(log);
    let found = verify_objects(&mut files, &trust, openings, &objects, threads())
        .map_err(|stop| log_failure(log, &stop))?;
    let mut codes = vec![found.verdict.conclusion().exit_code()];
    codes.extend(found.answers.iter().map(|answer| match answer {
        Answer::Sealed(_) => 0,
        Answer::OtherBytes { .. } => 1,
        Answer::NoMatch => 2,
    }));
    let code = worst(&codes);
    if output.json {
        let answers = objects.iter().zip(&found.answers).map(|(o, a)| answer_document(o, a));
        let answers: Vec<Value> = answers.collect();
        let verdict = render::document(&found.verdict);
        print_json(&json!({
            "schema": "unbroken/objects@v1", "exit_code": code, "objects": answers,
            "entries_with_a_clear_hash": found.shown, "entries_that_hide_theirs": found.hidden,
            "log": verdict,
        }))?;
        return Ok(code);
    }
    let mut text = String::new();
    for (object, answer) in objects.iter().zip(&found.answers) {
        text.push_str(&format!("{}: {}\n", escaped(&object.name), sentence(answer, &found)));
    }
    let sealed = found.answers.iter().filter(|answer| matches!(answer, Answer::Sealed(_))).count();
    let differ = found.answers.iter().filter(|answer| matches!(answer, Answer::OtherBytes { .. }));
    let headline = format!(
        "{sealed} of {} objects are sealed with these bytes, {} with other bytes; the log itself: {}\n",
        objects.len(),
        differ.count(),
        render::headline(&found.verdict)
    );
    if output.quiet {
        return print(&headline).map(|()| code);
    }
    print(&format!("{text}\n{headline}\nThe log:\n\n"))?;
    print_verdict(&printable(&log.to_string_lossy()), &found.verdict, output, false);
    Ok(code)
}

fn object(name: &str, s3: &S3Arguments) -> Result<Object, Failure> {
    if name.starts_with("s3://") {
        return fetch(name, s3);
    }
    Object::file(Path::new(name)).map_err(|error| {
        let cause =
            std::error::Error::source(&error).map_or_else(String::new, |e| format!(": {e}"));
        Failure::new(
            error.exit_code(),
            format!("{error}{cause}"),
            "check the path and who may read it",
        )
    })
}

#[cfg(feature = "s3")]
fn fetch(name: &str, s3: &S3Arguments) -> Result<Object, Failure> {
    let settings = unbroken_verify_core::s3::S3Settings {
        profile: s3.profile.clone(),
        region: s3.region.clone(),
        endpoint_url: s3.endpoint_url.clone(),
        no_sign_request: s3.no_sign_request,
    };
    let hint = "check bucket, key, region, endpoint and credentials (s3:GetObject is needed)";
    unbroken_verify_core::s3::fetch(name, &settings)
        .map_err(|why| Failure::new(USAGE, printable(&why), hint))
}

#[cfg(not(feature = "s3"))]
fn fetch(name: &str, _: &S3Arguments) -> Result<Object, Failure> {
    let sentence = format!("{}: this build does not fetch from S3", printable(name));
    Err(Failure::new(USAGE, sentence, "copy the object to a file and give the file"))
}

fn sentence(answer: &Answer, found: &ObjectVerdict) -> String {
    match answer {
        Answer::Sealed(entries) => {
            let each = entries.iter().map(|sealed| {
                let later: Vec<String> = sealed.superseded_by.iter().map(u64::to_string).collect();
                let later = if later.is_empty() {
                    String::new()
                } else {
                    format!(", superseded by entry {}", later.join(", "))
                };
                format!(
                    "sealed in entry {} (at {}, by its signer's clock){later}",
                    sealed.index, sealed.at
                )
            });
            each.collect::<Vec<_>>().join("; ")
        }
        Answer::OtherBytes { index, sha256 } => {
            format!(
                "CONTRADICTED: entry {index} sealed this key with other bytes, SHA-256 {sha256}"
            )
        }
        Answer::NoMatch => format!(
            "no match among {} entries with a clear hash; {} entries hide theirs",
            found.shown, found.hidden
        ),
    }
}

fn answer_document(object: &Object, answer: &Answer) -> Value {
    let name = escaped(&object.name);
    let sha256 = object.sha256.to_string();
    match answer {
        Answer::Sealed(entries) => {
            let entries: Vec<Value> = entries
                .iter()
                .map(|e| json!({"index": e.index, "at": e.at, "superseded_by": e.superseded_by}))
                .collect();
            json!({"object": name, "sha256": sha256, "answer": "sealed", "entries": entries})
        }
        Answer::OtherBytes { index, sha256: sealed } => json!({
            "object": name, "sha256": sha256, "answer": "other bytes",
            "index": index, "sealed_sha256": sealed.to_string(),
        }),
        Answer::NoMatch => json!({"object": name, "sha256": sha256, "answer": "no match"}),
    }
}

fn print_verdict(name: &str, verdict: &Verdict, output: &Output, named: bool) {
    let mut out = std::io::stdout().lock();
    let plain = output.no_color || !out.is_terminal() || std::env::var_os("NO_COLOR").is_some();
    let colour = if plain { Colour::Off } else { Colour::On };
    let detail = if output.explain || output.verbose { Detail::Explained } else { Detail::Summary };
    let text = if output.quiet {
        format!("{}\n", render::headline(verdict))
    } else {
        render::text(verdict, detail, colour)
    };
    let heading = if named { format!("{name}\n") } else { String::new() };
    // A reader that went away has not read the verdict: the exit code must not be 0 then.
    if out.write_all(format!("{heading}{text}").as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(i32::from(USAGE));
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| {
        Failure::new(USAGE, format!("stdout: {error}"), "the answer was not written")
    })
}

fn print_json(document: &Value) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{document:#}").and_then(|()| out.flush()).map_err(|error| {
        Failure::new(USAGE, format!("stdout: {error}"), "the document was not written")
    })
}

/// Of several exit codes the one that counts: 5, 4, 1, 3, 2, 0.
fn worst(codes: &[u8]) -> u8 {
    [5, 4, 1, 3, 2].into_iter().find(|code| codes.contains(code)).unwrap_or(0)
}
