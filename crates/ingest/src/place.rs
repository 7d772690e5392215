//! Where a value may stand: a source, and a pointer in which `*` stands for every element.

use unbroken_evidence::error::printable;
use unbroken_evidence::field::pointer_segment;
use unbroken_evidence::json::Value;

use crate::near::nearest;

/// What a value may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The recording's metadata file.
    Sidecar,
    /// A document about its conversation.
    Conversation,
    /// A transcript of it.
    Transcript,
    /// The recording itself, where it is a JSON document.
    Document,
    /// What S3 answers with the bytes; user metadata begins with `x-amz-meta-`.
    Header,
    /// Tags of the object.
    Tag,
    /// Lock, retention and legal hold of the object.
    Lock,
    /// Checksums that S3 keeps of it.
    Checksum,
    /// Bucket, key, version and times of the object.
    Object,
    /// What the layout says that the recording is.
    Recording,
    /// The platform's API.
    Api,
}

impl Source {
    pub(crate) const ALL: [(&'static str, Self); 11] = [
        ("sidecar", Self::Sidecar),
        ("conversation", Self::Conversation),
        ("transcript", Self::Transcript),
        ("document", Self::Document),
        ("s3-header", Self::Header),
        ("s3-tag", Self::Tag),
        ("object-lock", Self::Lock),
        ("s3-checksum", Self::Checksum),
        ("object", Self::Object),
        ("recording", Self::Recording),
        ("genesys-api", Self::Api),
    ];

    pub(crate) fn name(self) -> &'static str {
        let known = Self::ALL.into_iter().find(|(_, source)| *source == self);
        known.map_or("", |(name, _)| name)
    }

    /// Whether its values stand in a JSON document.
    pub(crate) const fn is_document(self) -> bool {
        matches!(self, Self::Sidecar | Self::Conversation | Self::Transcript | Self::Document)
    }
}

/// A place as a policy or a layout writes it: `sidecar/participants/*/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) source: Source,
    /// The names on the way; `None` stands for every element.
    pub(crate) way: Vec<Option<String>>,
    written: String,
}

impl Place {
    /// # Errors
    /// Why it can be no place.
    pub(crate) fn parse(written: &str) -> Result<Self, String> {
        let shown = printable(written);
        let Some((source, pointer)) = written.split_once('/').filter(|(_, rest)| !rest.is_empty())
        else {
            return Err(format!("\"{shown}\": expected SOURCE/POINTER, as sidecar/recordingId"));
        };
        let Some((_, source)) = Source::ALL.into_iter().find(|(name, _)| *name == source) else {
            let names = Source::ALL.map(|(name, _)| name);
            let meant = nearest(source, names.into_iter()).map_or_else(
                || format!("; it is one of {}", names.join(", ")),
                |name| format!("; do you mean {name}?"),
            );
            return Err(format!("\"{shown}\": {} is no source{meant}", printable(source)));
        };
        let way: Vec<Option<String>> = if source.is_document() {
            pointer.split('/').map(|name| (name != "*").then(|| unescaped(name))).collect()
        } else if source == Source::Header {
            vec![Some(unescaped(pointer).to_ascii_lowercase())]
        } else {
            vec![Some(unescaped(pointer))]
        };
        if way.last() == Some(&None) && way.iter().all(Option::is_none) {
            return Err(format!("\"{shown}\": it has no name"));
        }
        Ok(Self { source, way, written: written.to_owned() })
    }

    /// Whether it is a value of the recording's own document.
    pub(crate) fn is_of_the_recording(&self) -> bool {
        self.source == Source::Document
    }

    /// As it is written.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// The last name on the way.
    pub(crate) fn last_name(&self) -> &str {
        self.way.iter().rev().flatten().next().map_or("", String::as_str)
    }
}

fn unescaped(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// What stands at a place of a document.
#[derive(Debug, Default)]
pub(crate) struct Looked<'a> {
    /// The values, each with its pointer.
    pub(crate) found: Vec<(String, &'a Value)>,
    /// The first place that has none, and how many.
    pub(crate) lacking: Option<(String, u64)>,
}

/// Looks along `way`; each element that `*` stands for must have the rest, and there must be one.
pub(crate) fn look<'a>(document: &'a Value, way: &[Option<String>]) -> Looked<'a> {
    let mut looked = Looked::default();
    looked.along(String::new(), document, way);
    looked
}

impl<'a> Looked<'a> {
    fn along(&mut self, pointer: String, value: &'a Value, way: &[Option<String>]) {
        let Some((step, rest)) = way.split_first() else {
            match value {
                Value::Null => self.lacks(pointer),
                value => self.found.push((pointer, value)),
            }
            return;
        };
        match (step, value) {
            (None, Value::Array(elements)) if !elements.is_empty() => {
                for (place, element) in elements.iter().enumerate() {
                    self.along(format!("{pointer}/{place}"), element, rest);
                }
            }
            (None, _) => self.lacks(format!("{pointer}/0")),
            (Some(name), value) => {
                let next = format!("{pointer}{}", pointer_segment(name));
                let element = match value {
                    Value::Array(elements) => {
                        name.parse::<usize>().ok().and_then(|place| elements.get(place))
                    }
                    value => value.member(name),
                };
                match element {
                    Some(element) => self.along(next, element, rest),
                    None => self.lacks(next),
                }
            }
        }
    }

    fn lacks(&mut self, pointer: String) {
        let (_, count) = self.lacking.get_or_insert((pointer, 0));
        *count += 1;
    }
}

/// A pointer as a finding shows it: names that are no names of fields may be names of people, and are not in it.
pub(crate) fn shown(pointer: &str) -> String {
    let is_plain = |name: &str| {
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.*".contains(&byte);
        let starts = name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'*');
        if is_number {
            name.len() <= 6
        } else {
            starts && name.len() <= 64 && name.bytes().all(letters)
        }
    };
    let part = |name: &str| {
        if name.is_empty() || is_plain(name) { name.to_owned() } else { "...".to_owned() }
    };
    pointer.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Values of a document that are looked at for one that goes by another spelling.
const LOOKED_AT_MAX: usize = 20_000;

/// Every name in a document with the pointer to it, as far as is reasonable.
pub(crate) fn names<'a>(document: &'a Value, each: &mut dyn FnMut(&'a str, &str)) {
    let mut left = LOOKED_AT_MAX;
    walk(document, &mut String::new(), &mut left, each);
}

fn walk<'a>(
    value: &'a Value,
    pointer: &mut String,
    left: &mut usize,
    each: &mut dyn FnMut(&'a str, &str),
) {
    let length = pointer.len();
    let mut member = |name: Option<&'a str>, segment: String, value: &'a Value| {
        let Some(fewer) = left.checked_sub(1) else { return };
        *left = fewer;
        pointer.push_str(&segment);
        name.into_iter().for_each(|name| each(name, pointer));
        walk(value, pointer, left, each);
        pointer.truncate(length);
    };
    match value {
        Value::Array(elements) => {
            for (place, element) in elements.iter().enumerate() {
                member(None, format!("/{place}"), element);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                member(Some(name), pointer_segment(name), value);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unbroken_evidence::document::parse_document;

    fn way(written: &str) -> Vec<Option<String>> {
        Place::parse(written).unwrap().way
    }

    #[test]
    fn a_star_asks_every_element_and_there_must_be_one() {
        let text = br#"{"messages":[{"id":"a"},{"x":1},{"id":null}],"none":[],"n/a":true,"*":7}"#;
        let document = parse_document(text).unwrap();
        let looked = look(&document, &way("document/messages/*/id"));
        let found: Vec<&str> = looked.found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(found, ["/messages/0/id"]);
        assert_eq!(looked.lacking, Some(("/messages/1/id".to_owned(), 2)));
        for (written, lacking) in [
            ("document/none/*/id", "/none/0"),
            ("document/nothing/*/id", "/nothing"),
            ("document/messages/9/id", "/messages/9"),
            ("document/n~1a/x", "/n~1a/x"),
        ] {
            assert_eq!(look(&document, &way(written)).lacking, Some((lacking.to_owned(), 1)));
        }
        assert_eq!(look(&document, &way("document/n~1a")).found.len(), 1);
        assert_eq!(look(&document, &way("document/messages/0/id")).found.len(), 1);
    }

    #[test]
    fn a_name_that_may_be_a_persons_is_not_shown() {
        for (pointer, expected) in [
            ("/messages/17/legal_hold-tag", "/messages/17/legal_hold-tag"),
            ("/people/+39 555 0199 Anna Rossi/hold", "/people/.../hold"),
            ("/390555019977/hold", "/.../hold"),
            ("/participants/*/attributes", "/participants/*/attributes"),
            ("/ /x", "/.../x"),
            ("/anna@example.com", "/..."),
        ] {
            assert_eq!(shown(pointer), expected);
        }
    }

    #[test]
    fn a_place_that_can_be_none_is_refused() {
        for (written, why) in [
            ("sidecar", "\"sidecar\": expected SOURCE/POINTER, as sidecar/recordingId"),
            ("sidecar/", "\"sidecar/\": expected SOURCE/POINTER, as sidecar/recordingId"),
            ("side-car/x", "\"side-car/x\": side-car is no source; do you mean sidecar?"),
            ("document/*", "\"document/*\": it has no name"),
        ] {
            assert_eq!(Place::parse(written).unwrap_err(), why);
        }
        assert_eq!(way("s3-tag/matter~1id"), [Some("matter/id".to_owned())]);
        assert_eq!(way("s3-tag/*"), [Some("*".to_owned())]);
    }
}
