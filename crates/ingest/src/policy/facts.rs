//! What is known of a recording when it is judged, and where a value of it may be found.

use unbroken_evidence::body::Media;
use unbroken_evidence::field::{Value as Field, pointer_segment};
use unbroken_evidence::json::Value;
use unbroken_evidence::length::Ends;
use unbroken_evidence::time::Time;

use crate::layout::{Layout, Role};
use crate::near::spelling;
use crate::place::{Looked, Place, Source, look, names, shown};

/// A JSON document that belongs to a recording, or is it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document<'a> {
    /// What it is to the recording; `None`: it is the recording.
    pub(crate) role: Option<Role>,
    /// What it says.
    pub(crate) value: &'a Value,
}

/// What the recording itself is, as a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// It is one that was read, or none at all.
    Read,
    /// It is named as one, and could not be read.
    Unread,
    /// Its bytes are not at hand: only what was sealed of it is.
    NotAtHand,
}

/// What is known of a recording.
#[derive(Clone, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) media: Media,
    pub(crate) key: &'a [u8],
    pub(crate) organization: Option<&'a String>,
    pub(crate) size: u64,
    /// Values that stand in no document: of object, headers, tags, lock.
    pub(crate) fields: &'a [Field],
    pub(crate) documents: Vec<Document<'a>>,
    pub(crate) own: Own,
    /// Companions that are there, by what they are.
    pub(crate) roles: Vec<Role>,
    /// Those of them that are no JSON by their names: nobody reads them.
    pub(crate) other_forms: Vec<Role>,
    /// Its sidecar is there, and could not be had.
    pub(crate) sidecar_unread: bool,
    /// Whether the store keeps tags, locks and headers.
    pub(crate) has_attributes: bool,
    /// Beginning and end of its bytes, where they were looked at.
    pub(crate) ends: Option<&'a Ends>,
    /// When it was read, and when it was written, where that is known.
    pub(crate) observed: Time,
    pub(crate) modified: Option<Time>,
    /// An entry that has this recording's id in another conversation.
    pub(crate) elsewhere: Option<u64>,
}

/// A value, as it stands in its source.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seen<'a> {
    /// Of a store, where everything is a text.
    Text(&'a str),
    /// Of a document.
    Json(&'a Value),
}

/// What is at a place.
#[derive(Debug)]
pub(crate) enum At<'a> {
    /// Values, each with its pointer; and the first place that has none, with how many.
    There(Vec<(String, Seen<'a>)>, Option<(String, u64)>),
    /// The source is there, and has no such value.
    Absent,
    /// The document that should have it is not there.
    NoDocument,
    /// Whether it is there cannot be told, and what is missing to tell it.
    NotReadable(&'a str),
    /// The platform's export never carries it; and who has it.
    NotOffered(&'a str),
    /// Nobody was asked, and why not.
    NotConfigured(&'static str),
}

impl<'a> Facts<'a> {
    pub(crate) fn at(&self, place: &Place) -> At<'a> {
        match place.source {
            Source::Api => At::NotConfigured("the platform's API is not read by this version"),
            source if source.is_document() => self.in_documents(place),
            Source::Header | Source::Tag | Source::Lock | Source::Checksum
                if !self.has_attributes =>
            {
                At::NotConfigured("a folder has no tags, headers or holds: only a bucket has")
            }
            _ => self.in_fields(place),
        }
    }

    /// The texts at a place, as far as there are any.
    pub(crate) fn texts(&self, place: &Place) -> Vec<String> {
        let At::There(values, _) = self.at(place) else { return Vec::new() };
        let text = |(_, seen): (String, Seen<'_>)| match seen {
            Seen::Text(text) => Some(text.to_owned()),
            Seen::Json(Value::String(text) | Value::Number(text)) => Some(text.clone()),
            Seen::Json(_) => None,
        };
        values.into_iter().filter_map(text).collect()
    }

    /// The documents of a source.
    pub(super) fn documents(&self, source: Source) -> impl Iterator<Item = &'a Value> {
        let is_it = move |role: Option<Role>| match source {
            Source::Sidecar => role == Some(Role::Sidecar),
            Source::Conversation => role == Some(Role::Conversation),
            Source::Transcript => role == Some(Role::Transcript),
            _ => role.is_none(),
        };
        let found = self.documents.iter().filter(move |document| is_it(document.role));
        found.map(|document| document.value)
    }

    fn in_documents(&self, place: &Place) -> At<'a> {
        let mut absent = None;
        for document in self.documents(place.source) {
            let Looked { found, lacking } = look(document, &place.way);
            if !found.is_empty() {
                let found = found.into_iter().map(|(pointer, value)| (pointer, Seen::Json(value)));
                return At::There(found.collect(), lacking);
            }
            absent = Some(At::Absent);
        }
        if let Some(who) = self.layout.never_exports(place.source.name(), place.last_name()) {
            return At::NotOffered(who);
        }
        absent.unwrap_or_else(|| match place.source {
            Source::Conversation if self.roles.contains(&Role::Conversation) => At::NotReadable(UNREAD),
            Source::Transcript if self.roles.contains(&Role::Transcript) => At::NotReadable(UNREAD),
            Source::Conversation | Source::Transcript => At::NotOffered(
                "a document of the conversation beside the recording, where somebody puts one there, or the platform's API",
            ),
            Source::Document => match self.own {
                // A recording that is no document lacks what a document has.
                Own::Read => At::Absent,
                Own::Unread => {
                    At::NotReadable("the recording is over 1 MiB, or no JSON that can be read")
                }
                Own::NotAtHand => {
                    At::NotConfigured("it stands in the recording itself, which is not read again")
                }
            },
            _ => At::NoDocument,
        })
    }

    fn in_fields(&self, place: &Place) -> At<'a> {
        let name = place.last_name();
        let pointer = pointer_segment(name);
        let whole = format!("/{name}");
        let source = place.source.name();
        let is_it =
            |field: &&Field| field.source == source && [&pointer, &whole].contains(&&field.pointer);
        if let Some(field) = self.fields.iter().find(is_it) {
            return At::There(vec![(pointer, Seen::Text(&field.value))], None);
        }
        let readable = match (place.source, name) {
            (Source::Tag, _) => "/tags",
            (Source::Lock, "legal-hold") => "/legal-hold",
            (Source::Lock, _) => "/retention",
            (Source::Header, name) => {
                return match self.layout.never_exports(source, name) {
                    Some(who) => At::NotOffered(who),
                    None => At::Absent,
                };
            }
            _ => return At::Absent,
        };
        let may = |field: &&Field| field.source == "s3-readable" && field.pointer == readable;
        match self.fields.iter().find(may).map(|field| field.value.as_str()) {
            None | Some("yes") => At::Absent,
            Some(why) => At::NotReadable(why.strip_prefix("no: ").unwrap_or(why)),
        }
    }

    /// Other places that go by nearly the name that `place` asks for.
    pub(super) fn near(&self, place: &Place) -> Vec<String> {
        let wanted = spelling(place.last_name());
        let mut near = Vec::new();
        let mut is_near = |source: &str, name: &str, pointer: &str| {
            if near.len() >= NEAR_SHOWN || spelling(name) != wanted {
                return;
            }
            if format!("{source}{pointer}") != place.written() {
                near.push(format!("{source}{}", shown(pointer)));
            }
        };
        for source in [Source::Sidecar, Source::Conversation, Source::Transcript, Source::Document]
        {
            for document in self.documents(source) {
                names(document, &mut |name, pointer| is_near(source.name(), name, pointer));
            }
        }
        for field in self.fields {
            let name = field.pointer.trim_start_matches('/');
            // What we say ourselves of an object is no spelling of what somebody was to say.
            let is_own = matches!(field.source.as_str(), "object" | "recording");
            if !is_own && Source::ALL.iter().any(|(known, _)| *known == field.source) {
                is_near(&field.source, name, &field.pointer);
            }
        }
        near
    }
}

const UNREAD: &str = "the file is there, and cannot be read as JSON";

/// Other spellings that a finding names.
const NEAR_SHOWN: usize = 3;
