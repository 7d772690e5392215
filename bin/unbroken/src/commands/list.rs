//! `unbroken list`

use std::path::Path;

use serde_json::{Value, json};
use unbroken_evidence::body::Body;
use unbroken_evidence::disclosed::Disclosed;
use unbroken_evidence::error::escaped;
use unbroken_evidence::field::FieldType;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::opening::VerifiedOpening;
use unbroken_ingest::query::{Answer, Query};
use unbroken_ledger::ledger::private_path;
use unbroken_ledger::private::{Lookup, Private};
use unbroken_ledger::reader::LogReader;

use crate::arguments::{Output, Question};
use crate::failure::Failure;
use crate::{output, policies, questions};

/// What to list; each that is given narrows.
pub(crate) struct Wanted<'a> {
    pub(crate) conversation: Option<&'a str>,
    pub(crate) recording: Option<&'a str>,
    pub(crate) sha256: Option<&'a str>,
    pub(crate) incomplete: bool,
    pub(crate) question: &'a Question,
}

pub(crate) fn run(folder: &Path, wanted: &Wanted<'_>, out: &Output) -> Result<u8, Failure> {
    let sha256 = wanted.sha256.map(str::to_ascii_lowercase);
    if sha256.as_deref().is_some_and(|hex| Hash::from_hex(hex).is_none()) {
        return Err(Failure::usage("--sha256: expected 64 hex digits", "copy the whole SHA-256"));
    }
    let wanted = &Wanted { sha256: sha256.as_deref(), ..*wanted };
    let mut reader = LogReader::open(folder)?;
    let private = Private::open_to_read(&private_path(folder))?;
    let by_lookup = [
        (Lookup::Conversation, wanted.conversation),
        (Lookup::Recording, wanted.recording),
        (Lookup::Sha256, wanted.sha256),
    ]
    .into_iter()
    .find_map(|(kind, value)| Some((kind, value?)));
    let size = reader.checkpoint().size;
    let mut documents = Vec::new();
    let mut count = 0_u64;
    let mut each = |index: u64| -> Result<(), Failure> {
        if let Some(found) = found(&mut reader, &private, index, wanted)? {
            count += 1;
            output::text(out, &found.line())?;
            if wanted.incomplete {
                for finding in &found.findings {
                    output::text(out, &format!("\t{}\n", policies::line(finding)))?;
                }
            }
            if out.json {
                documents.push(found.document());
            }
        }
        Ok(())
    };
    let question = questions::read(wanted.question)?;
    let mut asked = None;
    match by_lookup {
        _ if question.is_some() => {
            let answer = answers(question.as_ref(), folder, &private, out)?;
            for index in &answer.indices {
                each(*index)?;
            }
            asked = Some(counts(&answer));
        }
        Some((kind, value)) => {
            for index in
                private.find(kind, value.as_bytes())?.into_iter().filter(|index| *index < size)
            {
                each(index)?;
            }
        }
        None if wanted.incomplete => {
            for index in private.incomplete(size)? {
                each(index)?;
            }
        }
        None => (0..size).try_for_each(&mut each)?,
    }
    if count == 0 {
        let asks_nothing = by_lookup.is_none() && question.is_none();
        say_none(wanted.incomplete && asks_nothing, out);
    }
    output::json(
        out,
        &json!({"schema": "unbroken/list@v1", "exit_code": 0, "asked": asked, "entries": documents}),
    )?;
    Ok(0)
}

/// That nothing was found, which is good news where only what is incomplete was asked for.
fn say_none(of_incomplete: bool, out: &Output) {
    if !of_incomplete {
        let what = "no entry was found; recordings whose opening is lost or erased cannot be found this way";
        output::warning(out, what);
    } else if !out.quiet && !out.json {
        output::say("no recording is incomplete, by the newest entry of each");
    }
}

/// How much was asked, for machines.
fn counts(answer: &Answer) -> Value {
    json!({
        "recordings": answer.recordings, "answered": answer.indices.len(),
        "not_asked": answer.unknown, "start_unknown": answer.without_start,
    })
}

/// The entries that answer a question; how many they are of how many is said.
fn answers(
    question: Option<&Query>,
    folder: &Path,
    private: &Private,
    out: &Output,
) -> Result<Answer, Failure> {
    let Some(question) = question else { return Ok(Answer::default()) };
    let answer = question.find(&mut LogReader::open(folder)?, private)?;
    questions::say(&answer, out);
    Ok(answer)
}

/// An entry about a recording, as far as its opening shows it.
struct Found {
    index: u64,
    at: String,
    media: &'static str,
    complete: Option<bool>,
    size: u64,
    opening: Option<VerifiedOpening>,
    sha256: String,
    /// What its policy found of it, as it was sealed.
    findings: Vec<String>,
}

impl Found {
    fn opened(&self, source: &str, pointer: &str) -> String {
        let value = self.opening.as_ref().and_then(|opening| opening.value(source, pointer));
        escaped(value.unwrap_or_default())
    }

    fn line(&self) -> String {
        let complete = match self.complete {
            Some(true) => "complete",
            Some(false) => "INCOMPLETE",
            None => "no policy",
        };
        format!(
            "{}\t{}\t{}\t{}\t{complete}\t{}\t{}/{}\n",
            self.index,
            self.at,
            self.media,
            self.sha256,
            self.size,
            self.opened("object", "/bucket"),
            self.key()
        )
    }

    /// The object's key; bytes that are no Unicode as escapes.
    fn key(&self) -> String {
        let Some(opening) = &self.opening else { return "(its opening is lost)".to_owned() };
        opening.opening().field("object", "/key").map_or_else(
            || "(not shown)".to_owned(),
            |field| match field.value.field_type {
                FieldType::Bytes => field.value.to_bytes().escape_ascii().to_string(),
                _ => escaped(&field.value.value),
            },
        )
    }

    fn document(&self) -> Value {
        json!({
            "index": self.index, "at": self.at, "media": self.media, "sha256": self.sha256,
            "complete": self.complete, "bytes": self.size,
            "bucket": self.opened("object", "/bucket"), "key": self.key(),
            "conversation": self.opened("recording", "/conversation"),
            "recording": self.opened("recording", "/id"),
            "findings": self.findings.iter().map(|sealed| policies::sealed(sealed)).collect::<Vec<_>>(),
        })
    }
}

/// The entry at `index`, if it is about a recording and is wanted; its row is confirmed by the log.
fn found(
    reader: &mut LogReader,
    private: &Private,
    index: u64,
    wanted: &Wanted<'_>,
) -> Result<Option<Found>, Failure> {
    let entry = reader.entry(index)?;
    let Body::Recording(recording) = &entry.statement().body else { return Ok(None) };
    let opening = private.opening_of(index, &entry)?;
    let opened =
        |source, pointer| opening.as_ref().and_then(|opening| opening.value(source, pointer));
    let clear = recording.content.sha256.map(|sha256| sha256.to_string());
    let sha256 =
        clear.or_else(|| opened("content", "/sha256").map(str::to_owned)).unwrap_or_default();
    let complete = recording.completeness.map(|completeness| completeness.complete);
    let agrees = |wanted: Option<&str>, found: Option<&str>| {
        wanted.is_none_or(|wanted| found == Some(wanted))
    };
    let one_of = |wanted: Option<&str>, pointers: [&'static str; 2]| {
        pointers.into_iter().any(|pointer| agrees(wanted, opened("recording", pointer)))
    };
    let is_wanted = one_of(wanted.conversation, ["/conversation", "/path/conversation"])
        && one_of(wanted.recording, ["/id", "/path/id"])
        && agrees(wanted.sha256, Some(&sha256))
        && (!wanted.incomplete || complete == Some(false));
    let findings = Disclosed::of(recording, opening.as_ref()).findings().to_vec();
    Ok(is_wanted.then(|| Found {
        findings,
        index,
        at: entry.statement().at.to_string(),
        media: recording.media.name(),
        complete,
        size: recording.content.size,
        opening: opening.clone(),
        sha256,
    }))
}
