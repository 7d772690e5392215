//! `unbroken-verify object`: single objects against a published log.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Value, json};
use unbroken_container::log::LogFolder;
use unbroken_container::object::{Answer, Object, ObjectVerdict, openings, verify_objects};
use unbroken_container::open::OpenError;
use unbroken_container::render;
use unbroken_evidence::error::{escaped, printable};

use crate::arguments::{ObjectArguments, Output, S3Arguments};
use crate::output::{Failure, USAGE, print, print_json, print_verdict, report};
use crate::run::{log_failure, threads, trust, worst};

/// Looks for objects in a log. One that cannot be read is reported and does not stop the others.
pub(crate) fn run(arguments: &ObjectArguments, output: &Output) -> Result<u8, Failure> {
    let trust = trust(&arguments.trust)?;
    let openings = match &arguments.openings {
        Some(folder) => openings_in(folder)?,
        None => Default::default(),
    };
    let (mut objects, mut unread) = (Vec::new(), Vec::new());
    for name in &arguments.objects {
        match object(name, &arguments.s3) {
            Ok(object) => objects.push(object),
            Err(failure) => unread.push((name, failure)),
        }
    }
    for (_, failure) in &unread {
        report(failure, &Output { json: false, ..*output });
    }
    let mut files = LogFolder::new(&arguments.log);
    let found = verify_objects(&mut files, &trust, openings, &objects, threads())
        .map_err(|stop| log_failure(&arguments.log, &stop))?;
    let mut codes = vec![found.verdict.conclusion().exit_code()];
    for what in &found.unfit {
        eprintln!("warning: {}: nothing was taken from it", printable(what));
        codes.push(2);
    }
    codes.extend(unread.iter().map(|(_, failure)| failure.code));
    codes.extend(found.answers.iter().map(|answer| match answer {
        Answer::Sealed(_) => 0,
        Answer::OtherBytes { .. } => 1,
        Answer::NoMatch => 2,
    }));
    let code = worst(&codes);
    if output.json {
        let answers = objects.iter().zip(&found.answers).map(|(o, a)| answer_document(o, a));
        let unread = unread.iter().map(|(name, failure)| {
            let name = escaped(&name.to_string_lossy());
            json!({"object": name, "answer": "not read", "why": failure.sentence})
        });
        let answers: Vec<Value> = answers.chain(unread).collect();
        let verdict = render::document(&found.verdict);
        print_json(&json!({
            "schema": "unbroken/objects@v1", "exit_code": code, "objects": answers,
            "entries_with_a_clear_hash": found.shown, "entries_that_hide_theirs": found.hidden,
            "openings_that_do_not_fit": found.unfit, "log": verdict,
        }))?;
    } else {
        show(&arguments.log, &objects, &found, unread.len(), output)?;
    }
    Ok(code)
}

fn openings_in(
    folder: &Path,
) -> Result<std::collections::BTreeMap<u64, unbroken_evidence::opening::Opening>, Failure> {
    let unread = |error: OpenError| {
        Failure::new(error.exit_code(), error, "check the path and who may read it")
    };
    let openings = openings(folder).map_err(unread)?;
    if openings.is_empty() {
        let shown = printable(&folder.to_string_lossy());
        let hint = "give the folder data/openings of an exhibit, whose files are named INDEX.json";
        return Err(Failure::new(USAGE, format!("{shown}: no opening is in it"), hint));
    }
    Ok(openings)
}

fn show(
    log: &Path,
    objects: &[Object],
    found: &ObjectVerdict,
    unread: usize,
    output: &Output,
) -> Result<(), Failure> {
    let mut text = String::new();
    for (object, answer) in objects.iter().zip(&found.answers) {
        text.push_str(&format!("{}: {}\n", escaped(&object.name), sentence(answer, found)));
    }
    let sealed = found.answers.iter().filter(|answer| matches!(answer, Answer::Sealed(_))).count();
    let differ = found.answers.iter().filter(|answer| matches!(answer, Answer::OtherBytes { .. }));
    let unread_count = unread;
    let unread = if unread > 0 { format!("{unread} could not be read, ") } else { String::new() };
    let headline = format!(
        "{sealed} of {} objects are sealed with these bytes, {} with other bytes; {unread}in the log, of which the tree over all entries was recomputed and those that matter here were judged: {}\n",
        objects.len() + unread_count,
        differ.count(),
        render::headline(&found.verdict)
    );
    if output.quiet {
        return print(&headline);
    }
    print(&format!("{text}\n{headline}\nThe log:\n\n"))?;
    print_verdict(&printable(&log.to_string_lossy()), &found.verdict, output, false);
    Ok(())
}

fn object(name: &OsStr, s3: &S3Arguments) -> Result<Object, Failure> {
    if let Some(name) = name.to_str().filter(|name| name.starts_with("s3://")) {
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
    let settings = unbroken_container::s3::S3Settings {
        profile: s3.profile.clone(),
        region: s3.region.clone(),
        endpoint_url: s3.endpoint_url.clone(),
        no_sign_request: s3.no_sign_request,
    };
    let hint = "check bucket, key, region, endpoint and credentials (s3:GetObject is needed)";
    unbroken_container::s3::fetch(name, &settings)
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
