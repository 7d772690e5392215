//! What entries tell in words, for the lines of a verdict (A8).
//!
//! A verdict holds words of a hundred thousand recordings. They stand one behind the other in one piece of
//! memory: as small pieces of their own, kept while openings come and go, they would leave three quarters
//! of the memory in holes that nothing fits.

use crate::disclosed::Disclosed;
use crate::entry::Statement;
use crate::error::printable_within;
use crate::field::{Field, FieldType};
use crate::opening::VerifiedOpening;
use crate::vocabulary::{object, observation, observed, version};

/// Of what grows with an entry so many are held, each of so many bytes.
const FEW: usize = 3;
const FINDING_BYTES_MAX: usize = 200;
const VALUE_BYTES_MAX: usize = 120;
const NAME_BYTES_MAX: usize = 80;
const ID_BYTES_MAX: usize = 80;
const KIND_BYTES_MAX: usize = 40;
const KEY_BYTES_MAX: usize = 200;

/// What is told: the first character of its line.
const CONVERSATION: char = 'c';
const ID: char = 'i';
const KEY: char = 'k';
const START: char = 's';
const END: char = 'e';
const WITHHELD: char = 'w';
const NOTICED: char = 'n';
const KIND: char = 'K';
const VALUE: char = 'v';

/// Words of many entries: lines of a mark and a text, which is shortened and escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words(String);

/// The words of one entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stretch {
    from: usize,
    to: usize,
}

/// What an entry tells of its recording, as far as its opening shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told<'a> {
    /// The conversation that it belongs to: as its metadata says, otherwise as its path does.
    pub conversation: Option<&'a str>,
    /// Its own id, likewise.
    pub id: Option<&'a str>,
    /// The key under which the object was found.
    pub key: Option<&'a str>,
    /// When it began, as its metadata file writes it.
    pub start: Option<&'a str>,
    /// When it ended, likewise.
    pub end: Option<&'a str>,
    /// Source and pointer of the first few values that are withheld.
    pub withheld: Vec<&'a str>,
    /// The first few things that the collector noticed.
    pub noticed: Vec<&'a str>,
}

impl Words {
    fn put(&mut self, mark: char, text: &str, bytes_max: usize) {
        self.0.push(mark);
        // No line end is left in it: every control character stands as an escape.
        self.0.push_str(&printable_within(text, bytes_max));
        self.0.push('\n');
    }

    /// Takes in what an entry tells of its recording.
    pub(crate) fn recording(
        &mut self,
        disclosed: &Disclosed,
        opening: Option<&VerifiedOpening>,
    ) -> Stretch {
        let from = self.0.len();
        let names = disclosed.names();
        for (mark, said, path) in [
            (CONVERSATION, &names.conversation, &names.path_conversation),
            (ID, &names.id, &names.path_id),
        ] {
            if let Some(name) = said.as_ref().or(path.as_ref()) {
                self.put(mark, name, ID_BYTES_MAX);
            }
        }
        if let Some(key) = &disclosed.object().key {
            self.put(KEY, &String::from_utf8_lossy(key), KEY_BYTES_MAX);
        }
        let declared = disclosed.declared();
        for (mark, moment) in [(START, &declared.start), (END, &declared.end)] {
            if let Some(moment) = moment {
                // Shortened and escaped where it was read.
                self.0.extend([mark]);
                self.0.push_str(&moment.text);
                self.0.push('\n');
            }
        }
        for (source, pointer) in opening.into_iter().flat_map(VerifiedOpening::withheld).take(FEW) {
            self.put(WITHHELD, &format!("{source}{pointer}"), NAME_BYTES_MAX);
        }
        for finding in disclosed.findings().iter().take(FEW) {
            self.put(NOTICED, finding, FINDING_BYTES_MAX);
        }
        Stretch { from, to: self.0.len() }
    }

    /// Takes in the kind of an entry and the first few values that it shows; gives how many it shows.
    pub(crate) fn beside(
        &mut self,
        statement: &Statement,
        opening: Option<&VerifiedOpening>,
    ) -> (Stretch, u64) {
        let from = self.0.len();
        self.put(KIND, statement.kind.name(), KIND_BYTES_MAX);
        let fields = || {
            let shown = opening.into_iter().flat_map(VerifiedOpening::fields);
            shown.filter(|field| field.value.field_type != FieldType::Pad)
        };
        // What was observed comes first, and last of what and when.
        let place = |field: &&Field| match field.value.source.as_str() {
            observation::SOURCE => 0,
            version::SOURCE
                if [version::KEY, version::MODIFIED].contains(&field.value.pointer.as_str()) =>
            {
                0
            }
            object::SOURCE | observed::SOURCE => 2,
            _ => 1,
        };
        let in_order =
            (0..3).flat_map(|wanted| fields().filter(move |field| place(field) == wanted));
        for Field { value, .. } in in_order.take(FEW) {
            let text = format!("{}{}: {}", value.source, value.pointer, value.value);
            self.put(VALUE, &text, VALUE_BYTES_MAX);
        }
        (Stretch { from, to: self.0.len() }, fields().count() as u64)
    }

    fn of(&self, stretch: Stretch, mark: char) -> impl Iterator<Item = &str> {
        let lines = self.0.get(stretch.from..stretch.to).unwrap_or_default().lines();
        lines.filter_map(move |line| line.strip_prefix(mark))
    }

    /// What stands in the words of a recording.
    pub(crate) fn told(&self, stretch: Stretch) -> Told<'_> {
        let one = |mark| self.of(stretch, mark).next();
        Told {
            conversation: one(CONVERSATION),
            id: one(ID),
            key: one(KEY),
            start: one(START),
            end: one(END),
            withheld: self.of(stretch, WITHHELD).collect(),
            noticed: self.of(stretch, NOTICED).collect(),
        }
    }

    /// What stands in the words of another entry: the name of its kind, and values.
    pub(crate) fn said(&self, stretch: Stretch) -> (&str, Vec<&str>) {
        let kind = self.of(stretch, KIND).next().unwrap_or_default();
        (kind, self.of(stretch, VALUE).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Body;
    use crate::entry::UnverifiedEntry;
    use crate::field::{FieldSet, Value};
    use crate::kind::Kind;
    use crate::opening::Opening;

    #[test]
    fn hostile_words_stay_in_their_line_and_in_their_length() {
        let mut words = Words::default();
        words.put(KEY, "a\nkb\r\u{2028}c", KEY_BYTES_MAX);
        words.put(ID, &"\u{202e}".repeat(500), ID_BYTES_MAX);
        let all = Stretch { from: 0, to: words.0.len() };
        let told = words.told(all);
        assert_eq!(told.key, Some("a\\u{a}kb\\u{d}\\u{2028}c"));
        let id = told.id.unwrap();
        assert!(id.len() <= ID_BYTES_MAX && id.ends_with("..."), "{id}");
        assert_eq!((told.conversation, told.start), (None, None));
    }

    #[test]
    fn each_entry_has_its_own_words() {
        let mut words = Words::default();
        let mut put = |text: &str| {
            let from = words.0.len();
            words.put(WITHHELD, text, NAME_BYTES_MAX);
            words.put(WITHHELD, "more", NAME_BYTES_MAX);
            Stretch { from, to: words.0.len() }
        };
        let (one, other) = (put("one"), put("other"));
        assert_eq!(words.told(one).withheld, ["one", "more"]);
        assert_eq!(words.told(other).withheld, ["other", "more"]);
        assert_eq!(words.said(one), ("", vec![]));
    }

    /// What is said of an entry with these values, each of them `x`.
    fn said_of(values: &[(&str, &str)]) -> (String, Vec<String>, u64) {
        let mut scribe = crate::judge::testing::Scribe::new();
        let values = values.iter().map(|(source, pointer)| Value::string(source, pointer, "x"));
        let mut salt = 0_u8;
        let set = FieldSet::seal(values.collect(), &mut || {
            salt += 1;
            [salt; 16]
        });
        let fields = set.commitment();
        let body = Body::Fields { fields, refs: vec![] };
        scribe.sign(3, Kind::Gap, None, body, |_| ());
        let entry = UnverifiedEntry::parse(scribe.notes[1].as_bytes()).unwrap();
        let opening = Opening::of(set, None).verify(&fields).ok().unwrap();
        let mut words = Words::default();
        let (stretch, count) = words.beside(entry.statement(), Some(&opening));
        let (kind, said) = words.said(stretch);
        (kind.to_owned(), said.iter().map(|said| (*said).to_owned()).collect(), count)
    }

    /// What was observed is what one looks for: it was the last of many, and cut off.
    // spec: A8
    #[test]
    fn of_an_entry_beside_what_was_observed_comes_first_and_of_what_last() {
        let (kind, said, count) = said_of(&[
            ("object", "/key"),
            ("observation", "/object-lock/legal-hold"),
            ("observed", "/end"),
            ("s3-tag", "/matter"),
        ]);
        assert_eq!((kind.as_str(), count), ("gap", 4));
        let in_order =
            ["observation/object-lock/legal-hold: x", "s3-tag/matter: x", "object/key: x"];
        assert_eq!(said, in_order);
    }

    /// Of an earlier version its bucket and its ETag came first, and cut off which one it was.
    // spec: A8
    #[test]
    fn of_an_earlier_version_its_key_and_its_time_come_first() {
        let names = ["/bucket", "/etag", "/id", "/key", "/modified"];
        let values: Vec<_> = names.iter().map(|pointer| ("version", *pointer)).collect();
        let (_, said, _) = said_of(&[&[("observation", "/what")][..], &values].concat());
        assert_eq!(said, ["observation/what: x", "version/key: x", "version/modified: x"]);
    }
}
