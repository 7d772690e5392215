//! The values that an entry takes from a metadata file, and the file itself (V28).

use std::collections::BTreeMap;

use crate::document;
use crate::field::FieldType;
use crate::hash::Hash;
use crate::opening::VerifiedOpening;
use crate::vocabulary::sidecar;

/// The values that an entry takes from a metadata file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sidecar {
    /// All of them are shown: a digest over them.
    Whole(Hash),
    /// Pointer and digest of each, which is absent where it is withheld; and whether there are no others.
    Some(Vec<(String, Option<Hash>)>, bool),
}

impl Sidecar {
    /// What an opening shows of them.
    pub(crate) fn of(opening: &VerifiedOpening) -> Self {
        let own = |source: &str| source == sidecar::SOURCE;
        let shown = opening.fields().filter(|field| own(&field.value.source)).map(|field| {
            let value = &field.value;
            (value.pointer.clone(), Some(digest(value.field_type, &value.value)))
        });
        let withheld = opening.withheld().filter(|(source, _)| own(source));
        let withheld = withheld.map(|(_, pointer)| (pointer.to_owned(), None));
        let mut values: Vec<_> = shown.chain(withheld).collect();
        values.sort();
        let is_whole = opening.closed() == 0;
        if is_whole && values.iter().all(|(_, value)| value.is_some()) {
            return Self::Whole(over(&values));
        }
        Self::Some(values, is_whole)
    }

    /// Where the values differ from those of the file: a pointer, or nothing.
    pub(crate) fn differs_from(&self, file: &FileValues) -> Option<String> {
        let (values, is_whole) = match self {
            Self::Whole(whole) if *whole == file.over => return None,
            Self::Whole(_) => return Some(String::new()),
            Self::Some(values, is_whole) => (values, is_whole),
        };
        let in_file: BTreeMap<&str, Option<Hash>> =
            file.values.iter().map(|(pointer, value)| (pointer.as_str(), *value)).collect();
        let said: BTreeMap<&str, Option<Hash>> =
            values.iter().map(|(pointer, value)| (pointer.as_str(), *value)).collect();
        let other = said.iter().find(|(pointer, value)| match in_file.get(*pointer) {
            Some(found) => value.is_some() && *value != found,
            None => true,
        });
        if let Some((pointer, _)) = other {
            return Some((*pointer).to_owned());
        }
        let missing = in_file.keys().find(|pointer| *is_whole && !said.contains_key(*pointer));
        missing.map(|pointer| (*pointer).to_owned())
    }
}

/// The values of a metadata file: read once, however many entries take from it.
pub(crate) struct FileValues {
    values: Vec<(String, Option<Hash>)>,
    over: Hash,
}

impl FileValues {
    pub(crate) fn of(file: &[u8]) -> Self {
        let document = document::read(file).ok();
        let found = document.map(|document| document::values(sidecar::SOURCE, &document));
        let mut values: Vec<(String, Option<Hash>)> = found
            .into_iter()
            .flatten()
            .map(|value| (value.pointer, Some(digest(value.field_type, &value.value))))
            .collect();
        values.sort();
        let over = over(&values);
        Self { values, over }
    }
}

fn digest(field_type: FieldType, value: &str) -> Hash {
    Hash::of(&[field_type.name().as_bytes(), b"\n", value.as_bytes()])
}

fn over(values: &[(String, Option<Hash>)]) -> Hash {
    let mut text = String::new();
    for (pointer, value) in values {
        crate::json::write_string(pointer, &mut text);
        text.push_str(&value.map_or_else(String::new, |value| value.to_string()));
    }
    Hash::of(&[text.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{FieldSet, Value};
    use crate::opening::{Opening, Position};

    /// What an entry takes from `{"a":"x","b":7}`, after `edit`.
    fn taken(edit: fn(&mut Vec<Value>, &mut Opening)) -> Sidecar {
        let mut salt = 0_u8;
        let mut values = vec![
            Value::string("sidecar", "/a", "x"),
            Value::number("sidecar", "/b", 7),
            Value::string("object", "/key", "k"),
        ];
        edit(&mut values, &mut Opening::default());
        let set = FieldSet::seal(values, &mut || {
            salt += 1;
            [salt; 16]
        });
        let mut opening = Opening::of(set.clone(), None);
        edit(&mut Vec::new(), &mut opening);
        Sidecar::of(&opening.verify(&set.commitment()).unwrap())
    }

    fn position<'a>(opening: &'a mut Opening, pointer: &str) -> Option<&'a mut Position> {
        opening.positions.iter_mut().find(|p| p.name() == Some(("sidecar", pointer)))
    }

    fn withhold(opening: &mut Opening, pointer: &str) {
        if let Some(position) = position(opening, pointer)
            && let Position::Shown(field) = position
        {
            *position = Position::Withheld(field.withhold());
        }
    }

    fn close(opening: &mut Opening, pointer: &str) {
        if let Some(position) = position(opening, pointer) {
            *position = Position::Closed(position.leaf());
        }
    }

    // spec: V28 F10
    #[test]
    fn values_of_a_metadata_file_are_held_against_it_both_ways() {
        const FILE: &[u8] = br#"{"a":"x","b":7}"#;
        let differs = |sidecar: Sidecar, file: &[u8]| sidecar.differs_from(&FileValues::of(file));
        assert_eq!(differs(taken(|_, _| ()), FILE), None);
        // Of values that are all shown only a digest is kept: that they differ is told, and not where.
        let whole = Some(String::new());
        for other in
            [&br#"{"a":"y","b":7}"#[..], br#"{"a":"x"}"#, br#"{"a":"x","b":7,"c":1}"#, b"no JSON"]
        {
            assert_eq!(differs(taken(|_, _| ()), other), whole, "{other:?}");
        }
        // Where one is withheld its name must be there, and the others agree.
        let withheld = || taken(|_, opening| withhold(opening, "/a"));
        assert_eq!(differs(withheld(), FILE), None);
        assert_eq!(differs(withheld(), br#"{"a":"y","b":7}"#), None);
        assert_eq!(differs(withheld(), br#"{"a":"x","b":8}"#), Some("/b".into()));
        assert_eq!(differs(withheld(), br#"{"b":7}"#), Some("/a".into()));
        assert_eq!(differs(withheld(), br#"{"a":"x","b":7,"c":1}"#), Some("/c".into()));
        // Where one is closed the file may have more; what is shown must still be in it.
        let closed = || taken(|_, opening| close(opening, "/a"));
        assert_eq!(differs(closed(), br#"{"b":7,"c":1}"#), None);
        assert_eq!(differs(closed(), br#"{"a":"x","b":8}"#), Some("/b".into()));
        assert_eq!(differs(closed(), br#"{"a":"x"}"#), Some("/b".into()));
        // The same text of another type is another value.
        let text = taken(|values, _| {
            values
                .iter_mut()
                .filter(|v| v.pointer == "/b")
                .for_each(|v| *v = Value::string("sidecar", "/b", "7"))
        });
        assert_eq!(differs(text, FILE), whole);
    }
}
