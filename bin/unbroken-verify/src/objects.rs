//! `unbroken-verify object`: single objects against a published log.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Value, json};
use unbroken_container::error::OpenError;
use unbroken_container::log::LogFolder;
use unbroken_container::object::{read_object, read_objects_below, read_openings};
use unbroken_container::render;
use unbroken_evidence::error::{escaped, printable};
use unbroken_evidence::objects::{Answer, Mention, Object, ObjectVerdict, Role, verify_objects};
use unbroken_evidence::opening::Opening;
use unbroken_evidence::verdict::LIMITS;

use crate::arguments::{ObjectArguments, Output, S3Arguments};
use crate::output::{Failure, USAGE, print, print_json, print_verdict, report};
use crate::run::{kept, log_failure, not_opened, threads, worst};
use crate::{anchors, identity};

/// Looks for objects in a log. One that cannot be read is reported and does not stop the others.
pub(crate) fn run(arguments: &ObjectArguments, output: &Output) -> Result<u8, Failure> {
    let anchors = anchors::read(&arguments.trust.anchors)?;
    let since = kept(arguments.since.as_deref())?;
    let plain = Output { json: false, ..*output };
    let (openings, mut failures) = match &arguments.openings {
        Some(folder) => openings_in(folder)?,
        None => Default::default(),
    };
    let mut objects = Vec::new();
    for name in &arguments.objects {
        for read in named(name, &arguments.s3) {
            match read {
                Ok(object) => objects.push(object),
                Err(failure) => failures.push(failure),
            }
        }
    }
    failures.iter().for_each(|failure| report(failure, &plain));
    let mut files = LogFolder::new(&arguments.log);
    let since = since.as_deref().map(str::as_bytes);
    let found = verify_objects(&mut files, &anchors.trust, since, openings, &objects, threads())
        .map_err(|stop| log_failure(&arguments.log, &stop))?;
    let mut codes = vec![found.verdict.conclusion().exit_code()];
    codes.extend(failures.iter().map(|failure| failure.code));
    for index in &found.unfit {
        crate::output::say(&format!(
            "warning: opening {index}: nothing was taken from it: it agrees with no entry that was judged"
        ));
        codes.push(2);
    }
    let code = worst(&codes);
    let identity = identity::of(&arguments.log, None, &anchors.shown);
    if output.json {
        let answer = |(object, answer)| answer_document(object, answer, found.searched);
        let answers = objects.iter().zip(&found.answers).map(answer);
        let unread = failures.iter().map(|f| json!({"answer": "not read", "why": f.sentence}));
        let answers: Vec<Value> = answers.chain(unread).collect();
        print_json(&json!({
            "schema": "unbroken/objects@v1", "exit_code": code, "objects": answers,
            "entries_with_a_known_hash": found.shown, "entries_that_hide_theirs": found.hidden,
            "entries_not_judged": found.unjudged,
            "openings_that_do_not_fit": found.unfit,
            "log": render::document(&found.verdict, Some(&identity)),
        }))?;
        return Ok(code);
    }
    let headline = headline(&found, objects.len() + failures.len(), failures.len());
    if output.quiet {
        print(&format!("{headline}This does not establish: {}.\n", LIMITS.join("; ")))?;
        return Ok(code);
    }
    let mut text = String::new();
    for (object, answer) in objects.iter().zip(&found.answers) {
        text.push_str(&format!(
            "{}: {}\n  its SHA-256 is {}\n",
            escaped(&object.name),
            sentence(object, answer, &found),
            object.sha256
        ));
    }
    print(&format!("{text}\n{headline}\nThe log, and what was read against it:\n\n"))?;
    print_verdict(&identity, &found.verdict, output, false);
    Ok(code)
}

fn openings_in(folder: &Path) -> Result<(BTreeMap<u64, Opening>, Vec<Failure>), Failure> {
    let hint = "check the path and who may read it";
    let (openings, unread) = read_openings(folder).map_err(|error| not_opened(&error, hint))?;
    if openings.is_empty() && unread.is_empty() {
        let shown = printable(&folder.to_string_lossy());
        let hint = "give the folder data/openings of an exhibit, whose files are named INDEX.json";
        return Err(Failure::new(USAGE, format!("{shown}: no opening is in it"), hint));
    }
    let hint = "the others were used; ask for this one again";
    Ok((openings, unread.iter().map(|error| not_opened(error, hint)).collect()))
}

fn headline(found: &ObjectVerdict, all: usize, unread: usize) -> String {
    let count = |wanted: fn(&Answer) -> bool| found.answers.iter().filter(|a| wanted(a)).count();
    let shown = count(|answer| match answer {
        Answer::Sealed(_) => true,
        Answer::OtherBytes(_, _, elsewhere) => !elsewhere.is_empty(),
        Answer::NoMatch => false,
    });
    let other = count(|answer| matches!(answer, Answer::OtherBytes(_, 0, _)));
    let perhaps = count(|answer| matches!(answer, Answer::OtherBytes(_, 1.., _)));
    let elsewhere = count(
        |answer| matches!(answer, Answer::OtherBytes(_, _, elsewhere) if !elsewhere.is_empty()),
    );
    let any = |answer: &Answer, is: fn(&Mention) -> bool| match answer {
        Answer::Sealed(mentions) => mentions.iter().any(is),
        _ => false,
    };
    let counted = |is: fn(&Mention) -> bool| found.answers.iter().filter(|a| any(a, is)).count();
    let replaced = counted(|mention| others(&mention.superseded_by));
    let replacing = counted(|mention| others(&mention.supersedes));
    let objects = if all == 1 { "object was" } else { "objects were" };
    let mut text = format!("{shown} of {all} {objects} found among the digests that are shown");
    if !found.searched {
        text.push_str("; NOTHING WAS LOOKED FOR, for the log could not be read whole");
    }
    for (count, what) in [
        (replaced, "with bytes that were later REPLACED by others"),
        (replacing, "with bytes that took the place of others: REPLACED"),
        (other, "sealed under their key with OTHER BYTES"),
        (perhaps, "sealed under their key with OTHER BYTES, and perhaps with these too"),
        (elsewhere, "sealed, but under ANOTHER KEY than the one given"),
        (unread, "COULD NOT BE READ, of which nothing is said"),
    ] {
        if count > 0 {
            text.push_str(&format!("; {count} {what}"));
        }
    }
    format!(
        "{text}. Of the log, and of what was read against it: {}\n",
        render::headline(&found.verdict)
    )
}

/// What goes by a name: a file, every file of a folder, an object, every object below a prefix.
fn named(name: &OsStr, s3: &S3Arguments) -> Vec<Result<Object, Failure>> {
    if let Some(name) = name.to_str().filter(|name| name.starts_with("s3://")) {
        return fetch(name, s3);
    }
    let hint = "check the path and who may read it";
    let path = Path::new(name);
    let unread = |error: OpenError| not_opened(&error, hint);
    if !path.is_dir() {
        return vec![read_object(path).map_err(unread)];
    }
    match read_objects_below(path, threads()) {
        Err(error) => vec![Err(unread(error))],
        Ok(read) if read.is_empty() => {
            let sentence = format!("{}: no file is in it", printable(&path.to_string_lossy()));
            vec![Err(Failure::new(USAGE, sentence, hint))]
        }
        Ok(read) => read.into_iter().map(|one| one.map_err(unread)).collect(),
    }
}

#[cfg(feature = "s3")]
fn fetch(name: &str, s3: &S3Arguments) -> Vec<Result<Object, Failure>> {
    let settings = unbroken_container::s3::S3Settings {
        profile: s3.profile.clone(),
        region: s3.region.clone(),
        endpoint_url: s3.endpoint_url.clone(),
        no_sign_request: s3.no_sign_request,
        request_payer: false,
        // What is compared here is the ledger's.
        etags_are_md5: false,
        silence: std::time::Duration::from_secs(s3.silence),
        bytes_per_second: None,
        pauses: unbroken_container::s3::Pauses::default(),
    };
    let hint = "check bucket, key, region, endpoint and credentials (s3:GetObject is needed)";
    let failed = |why: String| Failure::new(USAGE, printable(&why), hint);
    if !name.ends_with('/') {
        return vec![unbroken_container::s3::fetch(name, &settings).map_err(failed)];
    }
    match unbroken_container::s3::fetch_below(name, &settings) {
        Err(why) => vec![Err(failed(why))],
        Ok(fetched) if fetched.is_empty() => {
            vec![Err(failed(format!("{name}: no object is below it")))]
        }
        Ok(fetched) => fetched.into_iter().map(|one| one.map_err(failed)).collect(),
    }
}

#[cfg(not(feature = "s3"))]
fn fetch(name: &str, _: &S3Arguments) -> Vec<Result<Object, Failure>> {
    let sentence = format!("{}: this build does not fetch from S3", printable(name));
    vec![Err(Failure::new(USAGE, sentence, "copy the object to a file and give the file"))]
}

/// Whether bytes were replaced by others.
fn others(pairs: &[(u64, Option<bool>)]) -> bool {
    pairs.iter().any(|(_, same)| *same == Some(false))
}

fn sentence(object: &Object, answer: &Answer, found: &ObjectVerdict) -> String {
    // A key is a place in a bucket; of a file on this machine it is nothing but its name.
    let by_name = if object.name.starts_with("s3://") {
        ""
    } else {
        "; that it is that object rests on the name of the file alone"
    };
    match answer {
        Answer::Sealed(mentions) => mentions.iter().map(sealed).collect::<Vec<_>>().join("; "),
        Answer::OtherBytes(other, perhaps, elsewhere) => {
            let outcome = if *perhaps == 0 { "CONTRADICTED" } else { "NOT ESTABLISHED" };
            let mut text = format!(
                "{outcome}: entry {} sealed this key with other bytes, SHA-256 {}{}",
                other.index,
                other.sha256,
                history(other)
            );
            text.push_str(&match perhaps {
                0 => by_name.to_owned(),
                _ => format!("; {perhaps} more may be about an object of this key, and do not disclose to which bytes they commit: give their openings"),
            });
            for mention in elsewhere {
                text.push_str(&format!("; these bytes are {}", sealed(mention)));
            }
            text
        }
        Answer::NoMatch if !found.searched => {
            "NOT CHECKED: the log could not be read whole, and nothing was looked for in it"
                .to_owned()
        }
        Answer::NoMatch => {
            let hidden = match found.hidden {
                0 => "none hides its digest".to_owned(),
                count => format!("{count} more hide their digest, and may be about it"),
            };
            let hidden = match found.unjudged.as_slice() {
                [] => hidden,
                [one] => format!(
                    "entry {one} shows a SHA-256 that was looked for, and was not judged; {hidden}"
                ),
                [one, more @ ..] => format!(
                    "entry {one} and {} more show a SHA-256 that was looked for, and were not judged; {hidden}",
                    more.len()
                ),
            };
            format!(
                "no match among {} recording entries with a known digest; {hidden}; digests of metadata files and transcripts are known from openings only",
                found.shown
            )
        }
    }
}

/// One entry that has these bytes, and what its history says of them.
fn sealed(mention: &Mention) -> String {
    let role = match mention.role {
        Role::Recording => "as its recording".to_owned(),
        Role::Companion(number) => format!("as its companion {number}"),
    };
    let key = match mention.same_key {
        Some(true) => "under this key",
        Some(false) => "under ANOTHER KEY",
        None => "under a name that is not disclosed",
    };
    let mut text = format!(
        "sealed in entry {} {role}, {key} (at {}, by its signer's clock)",
        mention.index, mention.at
    );
    text.push_str(&history(mention));
    text
}

/// What other entries say about the recording of an entry.
fn history(mention: &Mention) -> String {
    let mut text = String::new();
    for (index, same) in &mention.supersedes {
        text.push_str(&format!(", which supersedes entry {index}{}", replaced(*same)));
    }
    for (index, same) in &mention.superseded_by {
        text.push_str(&format!(", superseded by entry {index}{}", replaced(*same)));
    }
    for (index, kind) in &mention.beside {
        text.push_str(&format!(", with entry {index} ({kind}) about the same recording"));
    }
    text
}

const fn replaced(same: Option<bool>) -> &'static str {
    match same {
        Some(true) => " (the same bytes)",
        Some(false) => " (REPLACED: other bytes)",
        None => " (whether the bytes are the same is not disclosed)",
    }
}

fn answer_document(object: &Object, answer: &Answer, searched: bool) -> Value {
    let (name, sha256) = (escaped(&object.name), object.sha256.to_string());
    match answer {
        Answer::Sealed(mentions) => {
            let entries: Vec<Value> = mentions.iter().map(mention_document).collect();
            json!({"object": name, "sha256": sha256, "answer": "sealed", "entries": entries})
        }
        Answer::OtherBytes(other, perhaps, elsewhere) => json!({
            "object": name, "sha256": sha256, "answer": "other bytes", "entry": mention_document(other),
            "entries_that_may_be_about_it": perhaps,
            "under_another_key": elsewhere.iter().map(mention_document).collect::<Vec<_>>(),
        }),
        Answer::NoMatch => {
            let answer = if searched { "no match" } else { "not searched" };
            json!({"object": name, "sha256": sha256, "answer": answer})
        }
    }
}

fn mention_document(mention: &Mention) -> Value {
    let pairs = |pairs: &[(u64, Option<bool>)]| -> Vec<Value> {
        pairs.iter().map(|(index, same)| json!({"index": index, "same_bytes": same})).collect()
    };
    let companion = match mention.role {
        Role::Recording => None,
        Role::Companion(number) => Some(number),
    };
    let beside: Vec<Value> =
        mention.beside.iter().map(|(i, kind)| json!({"index": i, "kind": kind.name()})).collect();
    json!({
        "index": mention.index, "at": mention.at.to_string(), "companion": companion,
        "sha256": mention.sha256.to_string(), "same_key": mention.same_key,
        "replaced": mention.is_replaced(), "supersedes": pairs(&mention.supersedes),
        "superseded_by": pairs(&mention.superseded_by), "beside": beside,
    })
}
