//! Openings: the private values and salts behind an entry's commitments (spec/fields.md).

use std::collections::BTreeSet;

use crate::error::FormError;
use crate::field::{Field, FieldSet, FieldType, FieldsCommitment};
use crate::hash::{Hash, decode_hex, encode_hex};
use crate::json::{self, Value};
use crate::limits::{JSON_DEPTH_MAX, OPENING_BYTES_MAX};
use crate::members::Members;
use crate::tree::root;

/// One position of an opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// The field, shown.
    Open(Field),
    /// Its leaf hash; the value stays hidden.
    Closed(Hash),
}

impl Position {
    /// The leaf hash of this position.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        match self {
            Self::Open(field) => field.leaf(),
            Self::Closed(leaf) => *leaf,
        }
    }
}

/// An opening as read; not yet compared with an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The key of the salted blocks; for recordings only, absent where it is withheld.
    pub block_key: Option<[u8; 32]>,
    /// Every position, in order.
    pub positions: Vec<Position>,
}

impl Opening {
    /// Everything of `set` shown.
    #[must_use]
    pub fn of(set: FieldSet, block_key: Option<[u8; 32]>) -> Self {
        Self { block_key, positions: set.into_fields().into_iter().map(Position::Open).collect() }
    }

    /// The text of an open position; not compared with any entry.
    #[must_use]
    pub fn value(&self, source: &str, pointer: &str) -> Option<&str> {
        self.field(source, pointer).map(|field| field.value.value.as_str())
    }

    /// An open position; not compared with any entry.
    #[must_use]
    pub fn field(&self, source: &str, pointer: &str) -> Option<&Field> {
        self.positions.iter().find_map(|position| match position {
            Position::Open(field)
                if field.value.source == source && field.value.pointer == pointer =>
            {
                Some(field)
            }
            _ => None,
        })
    }

    /// Reads an opening; `encode` of the result gives the same bytes.
    ///
    /// # Errors
    /// `Malformed` for anything but the one form; `Unsupported` for an unknown member or type.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let refused = |expected: &str| FormError::malformed("opening", expected, "another form");
        if bytes.len() > OPENING_BYTES_MAX {
            return Err(refused("at most 256 MiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| refused("UTF-8"))?;
        let line = text.strip_suffix('\n').ok_or_else(|| refused("one line feed at the end"))?;
        let value = json::parse(line, JSON_DEPTH_MAX)?;
        let mut members = Members::of("opening", &value)?;
        let block_key = match members.optional("block_key") {
            None => None,
            Some(value) => {
                let key = value.as_str().and_then(decode_hex);
                Some(key.ok_or_else(|| refused("a block_key of 64 hex digits"))?)
            }
        };
        let fields = members.required("fields")?.as_array();
        let fields = fields.ok_or_else(|| refused("an array of fields"))?;
        members.finish()?;
        let positions = fields.iter().map(position).collect::<Result<_, _>>()?;
        let opening = Self { block_key, positions };
        if opening.encode().as_bytes() == bytes {
            Ok(opening)
        } else {
            Err(refused("its canonical form, as RFC 8785 writes it"))
        }
    }

    /// The bytes of this opening.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::from("{");
        if let Some(key) = self.block_key {
            text.push_str(&format!("\"block_key\":\"{}\",", encode_hex(&key)));
        }
        text.push_str("\"fields\":[");
        for (place, position) in self.positions.iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            match position {
                Position::Closed(leaf) => json::write_string(&leaf.to_string(), &mut text),
                Position::Open(field) => {
                    let strings = field.strings().map(Value::String).to_vec();
                    json::write(&Value::Array(strings), &mut text);
                }
            }
        }
        text.push_str("]}\n");
        text
    }

    /// Compares this opening with what an entry commits to.
    ///
    /// # Errors
    /// The first rule that does not hold: count, root, order, uniqueness or pads.
    pub fn verify(self, commitment: &FieldsCommitment) -> Result<VerifiedOpening, FormError> {
        let refused = |item: &str, expected: String, found: String| {
            Err(FormError::malformed(format!("opening {item}"), expected, &found))
        };
        if u64::try_from(self.positions.len()) != Ok(commitment.count) {
            let found = self.positions.len().to_string();
            return refused("count", format!("{} positions", commitment.count), found);
        }
        let computed = root(self.positions.iter().map(Position::leaf));
        if computed != commitment.root {
            return refused("root", commitment.root.to_string(), computed.to_string());
        }
        let opened = || {
            self.positions.iter().filter_map(|position| match position {
                Position::Open(field) => Some(field),
                Position::Closed(_) => None,
            })
        };
        let names = || opened().map(|field| (&field.value.source, &field.value.pointer));
        if let Some(((source, pointer), _)) = names().zip(names().skip(1)).find(|(a, b)| a >= b) {
            let expected = "ascending by source and pointer, no two equal".to_owned();
            return refused("order", expected, format!("{source}{pointer} out of its place"));
        }
        let mut salts = BTreeSet::new();
        if let Some(field) = opened().find(|field| !salts.insert(field.salt)) {
            let found = format!("{}{}", field.value.source, field.value.pointer);
            return refused("salts", "no two equal".to_owned(), found);
        }
        let pads: Vec<_> = opened().filter(|f| f.value.field_type == FieldType::Pad).collect();
        let numbered = |pointer: &str| {
            pointer.len() == 6
                && pointer.starts_with("/0000")
                && ("/00000"..="/00006").contains(&pointer)
        };
        let whole = opened().count() == self.positions.len();
        let in_row = |place: usize, f: &Field| f.value.pointer == format!("/{place:05}");
        if pads.len() > 7
            || !pads.iter().all(|field| numbered(&field.value.pointer))
            || whole && !pads.iter().enumerate().all(|(place, field)| in_row(place, field))
            || pads.len() == self.positions.len()
        {
            let expected = "0 to 7 pads, numbered from /00000, and one other field".to_owned();
            return refused("pads", expected, format!("{} pads", pads.len()));
        }
        Ok(VerifiedOpening { opening: self })
    }
}

fn position(value: &Value) -> Result<Position, FormError> {
    let refused = || {
        let expected = "64 hex digits, or an array of five strings";
        FormError::malformed("opening position", expected, "another form")
    };
    match value {
        Value::String(text) => Hash::from_hex(text).map(Position::Closed).ok_or_else(refused),
        Value::Array(elements) => {
            let strings: Option<Vec<&str>> = elements.iter().map(Value::as_str).collect();
            let strings: [&str; 5] =
                strings.and_then(|strings| strings.try_into().ok()).ok_or_else(refused)?;
            Field::parse(strings).map(Position::Open)
        }
        _ => Err(refused()),
    }
}

/// An opening that agrees with the root of an entry; only [`Opening::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedOpening {
    opening: Opening,
}

impl VerifiedOpening {
    /// The opening.
    #[must_use]
    pub const fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The opened fields.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.opening.positions.iter().filter_map(|position| match position {
            Position::Open(field) => Some(field),
            Position::Closed(_) => None,
        })
    }

    /// The opened value of one field.
    #[must_use]
    pub fn value(&self, source: &str, pointer: &str) -> Option<&str> {
        let found = self.fields().find(|f| f.value.source == source && f.value.pointer == pointer);
        found.map(|field| field.value.value.as_str())
    }

    /// How many positions stay closed.
    #[must_use]
    pub fn closed(&self) -> usize {
        self.opening.positions.len() - self.fields().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Value as FieldValue;

    fn set() -> FieldSet {
        let values = ["/a", "/b", "/c"].map(|p| FieldValue::string("sidecar", p, "x\n")).to_vec();
        let mut next = 0_u8;
        FieldSet::seal(values, &mut || {
            next += 1;
            [next; 16]
        })
    }

    // spec: F7 F8
    #[test]
    fn an_opening_round_trips_and_closed_positions_keep_the_root() {
        let set = set();
        let commitment = set.commitment();
        let mut opening = Opening::of(set, Some([7; 32]));
        opening.positions[6] = Position::Closed(opening.positions[6].leaf());
        let text = opening.encode();
        assert_eq!(Opening::parse(text.as_bytes()).unwrap(), opening);
        let verified = opening.verify(&commitment).unwrap();
        assert_eq!(verified.closed(), 1);
        assert_eq!(verified.value("sidecar", "/c"), Some("x\n"));
        assert_eq!(verified.value("sidecar", "/b"), None);
        for bad in
            [text.replace("{\"b", "{ \"b"), text.replace("\\n", "\\u000a"), text.replace('\n', "")]
        {
            assert!(Opening::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(matches!(
            Opening::parse(text.replace("block_key", "block_kez").as_bytes()),
            Err(FormError::Unsupported { .. })
        ));
    }

    // spec: F5 F6 F2
    #[test]
    fn order_uniqueness_pads_and_salts_are_checked_even_under_a_matching_root() {
        let sealed = Opening::of(set(), None);
        let refuses = |change: &dyn Fn(&mut Vec<Position>)| {
            let mut opening = sealed.clone();
            change(&mut opening.positions);
            let root = root(opening.positions.iter().map(Position::leaf));
            let count = opening.positions.len() as u64;
            opening.verify(&FieldsCommitment { count, root }).is_err()
        };
        let edit = |position: &mut Position, change: &dyn Fn(&mut Field)| {
            let Position::Open(field) = position else { panic!("a closed position") };
            change(field);
        };
        assert!(!refuses(&|_| ()));
        assert!(refuses(&|p| p.swap(5, 6)));
        assert!(refuses(&|p| edit(&mut p[6], &|f| f.value.pointer = "/a".into())));
        assert!(refuses(&|p| edit(&mut p[6], &|f| f.salt = [1; 16])));
        assert!(refuses(&|p| edit(&mut p[4], &|f| f.value.pointer = "/00007".into())));
        assert!(refuses(&|p| edit(&mut p[0], &|f| f.value.pointer = "/0".into())));
    }
}
