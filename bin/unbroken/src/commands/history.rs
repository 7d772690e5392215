//! `unbroken history`: the whole story of a recording, entry by entry.

use std::path::Path;

use serde_json::{Value, json};
use unbroken_evidence::body::{Body, Rel, Subject};
use unbroken_evidence::disclosed::Disclosed;
use unbroken_evidence::entry::{Statement, UnverifiedEntry};
use unbroken_evidence::error::{escaped, printable_bytes};
use unbroken_evidence::kind::Kind;
use unbroken_evidence::opening::VerifiedOpening;
use unbroken_evidence::vocabulary::{observation, version};
use unbroken_ledger::find::{self, Called};
use unbroken_ledger::ledger::private_path;
use unbroken_ledger::private::Private;
use unbroken_ledger::reader::LogReader;

use crate::arguments::Output;
use crate::failure::Failure;
use crate::{output, policies};

pub(crate) fn run(folder: &Path, called: Called<'_>, out: &Output) -> Result<u8, Failure> {
    let mut reader = LogReader::open(folder)?;
    let private = Private::open_to_read(&private_path(folder))?;
    let subjects = find::subjects(&mut reader, &private, called)?;
    if subjects.is_empty() {
        let (Called::Conversation(name) | Called::Recording(name)) = called;
        return Err(Failure::usage(
            format!("nothing is sealed of {}", escaped(name)),
            "`unbroken list` shows what is sealed; an id is given whole, letter by letter",
        ));
    }
    let mut documents = Vec::new();
    for (number, subject) in subjects.into_iter().enumerate() {
        let told = told(&mut reader, &private, subject)?;
        if number > 0 {
            output::text(out, "\n")?;
        }
        output::text(out, &told.text())?;
        documents.push(told.document());
    }
    output::json(
        out,
        &json!({"schema": "unbroken/history@v1", "exit_code": 0, "recordings": documents}),
    )?;
    Ok(0)
}

/// What the entries about one recording tell.
#[derive(Default)]
struct Told {
    id: Option<String>,
    conversation: Option<String>,
    object: Option<String>,
    events: Vec<Event>,
}

/// What one entry says.
struct Event {
    index: u64,
    at: String,
    kind: String,
    what: String,
    details: Value,
}

fn told(reader: &mut LogReader, private: &Private, subject: Subject) -> Result<Told, Failure> {
    let mut told = Told::default();
    let mut before = None;
    for index in find::entries_about(reader, private, subject)? {
        let entry = reader.entry(index)?;
        let opening = private.opening_of(index, &entry)?;
        let statement = entry.statement();
        let (what, details) = match &statement.body {
            Body::Recording(recording) => {
                let disclosed = Disclosed::of(recording, opening.as_ref());
                told.name(&disclosed);
                let sealed = sealed(&entry, &disclosed, before.as_ref());
                before = Some(disclosed);
                sealed
            }
            _ => beside(statement, opening.as_ref()),
        };
        let kind = escaped(statement.kind.name());
        told.events.push(Event { index, at: statement.at.to_string(), kind, what, details });
    }
    Ok(told)
}

/// What a recording entry says; `before` is what the last one said.
fn sealed(
    entry: &UnverifiedEntry,
    disclosed: &Disclosed,
    before: Option<&Disclosed>,
) -> (String, Value) {
    let statement = entry.statement();
    let Body::Recording(recording) = &statement.body else { return Default::default() };
    let supersedes: Vec<u64> = statement
        .body
        .refs()
        .iter()
        .filter(|reference| reference.rel == Rel::Supersedes)
        .map(|reference| reference.index)
        .collect();
    let other_bytes = before.is_some_and(|before| before.sha256() != disclosed.sha256());
    let start = match supersedes.first() {
        None => "sealed".to_owned(),
        Some(index) if other_bytes => format!("sealed again, with OTHER BYTES than entry {index}"),
        Some(index) => format!("sealed again instead of entry {index}, the same bytes"),
    };
    let complete = recording.completeness.map(|completeness| completeness.complete);
    let findings: Vec<String> = disclosed.findings().iter().map(|f| escaped(f)).collect();
    let verdict = match complete {
        Some(true) => "complete".to_owned(),
        Some(false) => format!("INCOMPLETE: {}", findings.join("; ")),
        None => "no policy".to_owned(),
    };
    let sha256 = disclosed.sha256().map(|sha256| sha256.to_string());
    let shown = sha256.as_deref().unwrap_or("not shown");
    let (media, size) = (recording.media.name(), disclosed.size());
    let companions = disclosed.companions().len();
    let noncurrent = disclosed.object().noncurrent;
    let then = if noncurrent { ", as an earlier version of its object" } else { "" };
    let what = format!(
        "{start}{then}: {media}, {size} bytes, SHA-256 {shown}, {companions} metadata files, {verdict}"
    );
    let details = json!({
        "media": media, "bytes": size, "sha256": sha256, "complete": complete,
        "findings": disclosed.findings().iter().map(|f| policies::sealed(f)).collect::<Vec<_>>(), "supersedes": supersedes, "companions": companions,
        "other_bytes": other_bytes, "noncurrent": noncurrent,
    });
    (what, details)
}

/// What another entry says.
fn beside(statement: &Statement, opening: Option<&VerifiedOpening>) -> (String, Value) {
    let Some(opening) = opening else {
        return ("its opening is lost".to_owned(), Value::Null);
    };
    let values = || opening.fields().map(|field| &field.value);
    if statement.kind != Kind::Observation {
        let shown: Vec<String> = values()
            .filter(|value| value.source != "pad")
            .map(|value| escaped(&format!("{}{}: {}", value.source, value.pointer, value.value)))
            .collect();
        return (shown.join(", "), Value::Null);
    }
    let what = opening.value(observation::SOURCE, observation::WHAT).unwrap_or_default();
    let before = values().filter(|value| value.source == "before");
    let changes: Vec<Value> = before
        .map(|value| {
            let name = value.pointer.trim_start_matches('/');
            let (source, pointer) = name.split_at(name.find('/').unwrap_or(name.len()));
            let now = opening.value(source, pointer);
            json!({"field": escaped(name), "before": escaped(&value.value), "now": now.map(escaped)})
        })
        .collect();
    let state = ["object-lock", "s3-tag"]
        .into_iter()
        .flat_map(|source| values().filter(move |value| value.source == source));
    let state: Vec<String> = state
        .map(|value| escaped(&format!("{}{}: {}", value.source, value.pointer, value.value)))
        .collect();
    let said = |change: &Value| {
        let text = |name: &str| change.get(name).and_then(Value::as_str).unwrap_or("not there");
        format!("{} was {}, and is {}", text("field"), text("before"), text("now"))
    };
    let mut said: Vec<String> = changes.iter().map(said).collect();
    let expected = opening.value(observation::SOURCE, observation::EXPECTED).map(escaped);
    said.extend(expected.iter().map(|why| format!("this was to be expected: {why}")));
    let sentence = match what {
        observation::GONE => "the object is not there any more".to_owned(),
        observation::BACK => "the object is there again".to_owned(),
        observation::CHANGED => {
            let now =
                if state.is_empty() { "no tag, no lock, no hold".into() } else { state.join(", ") };
            format!("tags, lock or hold changed; now {now}")
        }
        observation::VERSION | observation::DELETE_MARKER => version(opening),
        other => escaped(other),
    };
    let sentence = [vec![sentence], said].concat().join("; ");
    (
        sentence,
        json!({
            "observed": escaped(what), "changes": changes, "state": state, "expected": expected,
        }),
    )
}

/// An earlier version, or the marker that hid an object.
fn version(opening: &VerifiedOpening) -> String {
    let value = |pointer| opening.value(version::SOURCE, pointer).map(escaped).unwrap_or_default();
    let (key, id, modified) = (value(version::KEY), value(version::ID), value(version::MODIFIED));
    if opening.value(observation::SOURCE, observation::WHAT) == Some(observation::DELETE_MARKER) {
        return format!("a delete marker of {modified} hid {key} (version {id})");
    }
    let bytes = match opening.value(version::SOURCE, version::SHA256) {
        Some(sha256) => format!("SHA-256 {}", escaped(sha256)),
        None => format!("not read: {}", value(version::UNREAD)),
    };
    let size = value(version::SIZE);
    format!("{key} had a version of {modified}: {size} bytes, {bytes} (version {id})")
}

impl Told {
    /// The newest entry that names the recording names it.
    fn name(&mut self, disclosed: &Disclosed) {
        let names = disclosed.names();
        let shown = |name: &Option<String>| name.as_deref().map(escaped);
        self.id = shown(&names.id).or_else(|| self.id.take());
        self.conversation = shown(&names.conversation).or_else(|| self.conversation.take());
        let object = disclosed.object();
        if let (Some(bucket), Some(key)) = (&object.bucket, &object.key) {
            self.object = Some(format!("{}/{}", escaped(bucket), printable_bytes(key)));
        }
    }

    fn text(&self) -> String {
        let or_unknown = |name: &Option<String>| name.clone().unwrap_or_else(|| "not known".into());
        let mut text = format!(
            "recording {}, conversation {}\nobject {}\n",
            or_unknown(&self.id),
            or_unknown(&self.conversation),
            or_unknown(&self.object)
        );
        for Event { index, at, kind, what, .. } in &self.events {
            text.push_str(&format!("  entry {index}, {at}, {kind}: {what}\n"));
        }
        text
    }

    fn document(&self) -> Value {
        let events: Vec<Value> = self
            .events
            .iter()
            .map(|event| {
                json!({
                    "index": event.index, "at": event.at, "kind": event.kind, "what": event.what,
                    "details": event.details,
                })
            })
            .collect();
        json!({
            "recording": self.id, "conversation": self.conversation, "object": self.object,
            "entries": events,
        })
    }
}
