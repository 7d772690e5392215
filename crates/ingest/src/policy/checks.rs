//! What must agree: ids, times, lengths, and the recording's own structure.

use unbroken_evidence::field::Value as Field;
use unbroken_evidence::json::Value;
use unbroken_evidence::length::Ends;
use unbroken_evidence::limits::DOCUMENT_BYTES_MAX;
use unbroken_evidence::time::declared_ms;
use unbroken_evidence::vocabulary::{recording, sidecar};

use super::Check;
use super::code::{Code, Finding};
use super::facts::{Facts, Own};
use super::structure::{Structure, structure};
use crate::group::name_of;
use crate::place::{Source, look, names, shown};

/// A declared time may be so far ahead of our clock: zones that are mistaken for others are not told here.
const AHEAD_MS: i64 = 86_400_000;

pub(super) fn check(what: Check, facts: &Facts<'_>) -> Vec<Finding> {
    match what {
        Check::Bytes if facts.size == 0 => {
            vec![Finding::new(Code::NoBytes, "the recording has no bytes")]
        }
        Check::Bytes => Vec::new(),
        Check::Ids => ids(facts),
        Check::OneConversation => facts.elsewhere.map(elsewhere).into_iter().collect(),
        Check::Times => times(facts),
        Check::Names => blank_names(facts),
        Check::Length { within } => length(facts, within).into_iter().collect(),
        Check::Size { least } => size(facts, least).into_iter().collect(),
        Check::Container { known } => container(facts, known).into_iter().collect(),
    }
}

fn elsewhere(index: u64) -> Finding {
    let what = format!("the recording's id stands in another conversation too, in entry {index}");
    Finding::new(Code::TwoConversations, what)
}

/// A text of the sidecar, or else the value that the layout has under the other name.
fn said<'a>(facts: &Facts<'a>, name: &str, in_layout: &str) -> Option<&'a str> {
    let mut sidecars = facts.documents(Source::Sidecar);
    let is_it = |field: &&Field| field.source == recording::SOURCE && field.pointer == in_layout;
    let by_layout = || facts.fields.iter().find(is_it).map(|field| field.value.as_str());
    sidecars.find_map(|sidecar| sidecar.member(name)?.as_str()).or_else(by_layout)
}

/// The sidecar against the file's name and the path, where these have ids at all.
fn ids(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(sidecar) = facts.documents(Source::Sidecar).next() else { return findings };
    let (by_sidecar, by_key) =
        (facts.layout.named_by_sidecar(sidecar), facts.layout.identity_of(facts.key));
    let name = std::str::from_utf8(name_of(facts.key)).unwrap_or_default();
    if let Some((id, in_name)) = by_sidecar.recording.zip(by_key.recording)
        && !agree(&id, name)
        && shape(&id) == shape(&in_name)
    {
        let what = "the sidecar names another recording than the file name";
        findings.push(Finding::new(Code::OtherRecording, what));
    }
    if let Some((id, path)) = by_sidecar.conversation.zip(by_key.conversation)
        && !id.eq_ignore_ascii_case(&path)
    {
        let what = "the sidecar names another conversation than the path";
        findings.push(Finding::new(Code::OtherConversation, what));
    }
    findings
}

/// Whether a name has the id in it: people put words before and behind it.
fn agree(id: &str, name: &str) -> bool {
    name.to_ascii_lowercase().contains(&id.to_ascii_lowercase())
}

/// The form of an id: only what has the same form can be another one, and not merely an odd name.
fn shape(id: &str) -> Vec<u8> {
    let class = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' => b'x',
        b'g'..=b'z' | b'G'..=b'Z' => b'z',
        other => other,
    };
    id.bytes().map(class).collect()
}

fn times(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut read = |pointer: &str, in_layout: &str| {
        let name = pointer.trim_start_matches('/');
        let text = said(facts, name, in_layout)?;
        let ms = declared_ms(text);
        if ms.is_none() && !text.trim().is_empty() {
            let what = format!("the sidecar's {name} is no time that can be read");
            findings.push(Finding::new(Code::TimeUnreadable, what));
        }
        ms
    };
    let (start, end) = (read(sidecar::START, "/start"), read(sidecar::END, "/end"));
    if start.zip(end).is_some_and(|(start, end)| end < start) {
        let what = "the recording ends before it starts, as its sidecar says";
        findings.push(Finding::new(Code::EndsBeforeItStarts, what));
    }
    let observed = i64::try_from(facts.observed.unix_ms()).unwrap_or(i64::MAX);
    let ahead = |ms: i64| ms > observed.saturating_add(AHEAD_MS);
    if [start, end].into_iter().flatten().any(ahead) {
        let what = "a time in the sidecar is more than a day ahead of the collector's clock";
        findings.push(Finding::new(Code::InTheFuture, what));
    }
    findings
}

/// A name that is blank was one: what it named cannot be told any more.
fn blank_names(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in [Source::Sidecar, Source::Conversation, Source::Transcript] {
        for document in facts.documents(source) {
            let mut first = None;
            names(document, &mut |name, pointer| {
                if name.trim().is_empty() && first.is_none() {
                    first = Some(pointer.to_owned());
                }
            });
            findings.extend(first.map(|pointer| {
                let place = format!("{}{}", source.name(), shown(&pointer));
                Finding::new(Code::BlankName, format!("a member without a name: {place}"))
            }));
        }
    }
    findings
}

/// The declared length in milliseconds; an error where one is declared that is no number.
fn declared(facts: &Facts<'_>) -> Result<Option<u64>, Finding> {
    let way = [Some(sidecar::DURATION_MS.trim_start_matches('/').to_owned())];
    let Some(sidecar) = facts.documents(Source::Sidecar).next() else { return Ok(None) };
    let looked = look(sidecar, &way);
    let Some((_, value)) = looked.found.first() else { return Ok(None) };
    let number = match value {
        Value::Number(token) | Value::String(token) => token.parse::<f64>().ok(),
        _ => None,
    };
    // Beyond a year it is no length of a recording.
    let ms = number.filter(|ms| (0.0..LONGEST_MS).contains(ms)).map(|ms| ms.round() as u64);
    let wrong = || {
        Finding::new(Code::TimeUnreadable, "the sidecar's durationMs is no length that can be read")
    };
    ms.map(Some).ok_or_else(wrong)
}

const LONGEST_MS: f64 = 366.0 * 86_400_000.0;

fn length(facts: &Facts<'_>, within: u64) -> Option<Finding> {
    let measured = facts.ends?.length_ms();
    let (said, measured) = match declared(facts) {
        Ok(said) => said.zip(measured)?,
        Err(finding) => return Some(finding),
    };
    let apart = said.abs_diff(measured);
    let longer = if measured > said { "longer" } else { "shorter" };
    let what = format!(
        "the recording is {} s {longer} by its own container than by its sidecar",
        apart / 1_000
    );
    (apart > within.saturating_mul(1_000)).then(|| Finding::new(Code::OtherLength, what))
}

fn size(facts: &Facts<'_>, least: u64) -> Option<Finding> {
    let seconds = match declared(facts) {
        Ok(ms) => ms? / 1_000,
        Err(finding) => return Some(finding),
    };
    let what = format!("the recording has fewer than {least} bytes for each declared second");
    (facts.size < seconds.saturating_mul(least)).then(|| Finding::new(Code::TooSmall, what))
}

fn begins_as_json(ends: &Ends) -> bool {
    let mut bytes = ends.head().iter().skip_while(|byte| byte.is_ascii_whitespace());
    matches!(bytes.next(), Some(b'{' | b'['))
}

fn container(facts: &Facts<'_>, known: bool) -> Option<Finding> {
    // A document has no container; that it can be read is told elsewhere.
    if facts.size == 0 || facts.documents(Source::Document).next().is_some() {
        return None;
    }
    match structure(facts.ends?) {
        Structure::Whole => None,
        Structure::Broken(finding) => Some(finding),
        // It is named as a document, and begins as one.
        Structure::Unknown if facts.own == Own::Unread && begins_as_json(facts.ends?) => {
            let what = "the recording is a JSON document that breaks off, or is broken";
            (facts.size <= DOCUMENT_BYTES_MAX as u64).then(|| Finding::new(Code::Truncated, what))
        }
        Structure::Unknown => known.then(|| {
            Finding::new(Code::UnknownForm, "the recording is of no form that is known here")
        }),
    }
}
