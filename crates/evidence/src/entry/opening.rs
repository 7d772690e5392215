//! Openings: the private values and salts behind an entry's commitments (spec/fields.md).
//!
//! ```text
//! {"block_key":"<64 hex>","fields":[<position>,...]} LF
//! shown     ["<name salt>","<source>","<pointer>","<value salt>","<type>","<value>"]
//! withheld  ["<name salt>","<source>","<pointer>","<value hash>"]
//! closed    "<leaf hash>"
//! ```

use std::collections::BTreeSet;

use crate::error::FormError;
use crate::field::{Field, FieldSet, FieldType, FieldsCommitment, Salt, Withheld};
use crate::hash::{Hash, decode_hex, encode_hex};
use crate::json::{self, Reader};
use crate::limits::{FIELDS_MAX, OPENING_BYTES_MAX};
use crate::tree::root;

/// One position of an opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// Name and value are shown.
    Shown(Field),
    /// The name is shown, the value is not.
    Withheld(Withheld),
    /// Neither is: its leaf hash.
    Closed(Hash),
}

impl Position {
    /// The leaf hash of this position.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        match self {
            Self::Shown(field) => field.leaf(),
            Self::Withheld(withheld) => withheld.leaf(),
            Self::Closed(leaf) => *leaf,
        }
    }

    /// Source and pointer, where they are shown.
    #[must_use]
    pub fn name(&self) -> Option<(&str, &str)> {
        match self {
            Self::Shown(field) => Some((&field.value.source, &field.value.pointer)),
            Self::Withheld(withheld) => Some((&withheld.source, &withheld.pointer)),
            Self::Closed(_) => None,
        }
    }

    fn salts(&self) -> impl Iterator<Item = Salt> {
        let (name, value) = match self {
            Self::Shown(field) => (Some(field.salts.name), Some(field.salts.value)),
            Self::Withheld(withheld) => (Some(withheld.name_salt), None),
            Self::Closed(_) => (None, None),
        };
        name.into_iter().chain(value)
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Shown(field) => field.write(out),
            Self::Withheld(withheld) => withheld.write(out),
            Self::Closed(leaf) => json::write_string(&leaf.to_string(), out),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, FormError> {
        if !reader.take(b'[') {
            let text = reader.string()?;
            let refused = || malformed("a closed position of 64 hex digits");
            return Hash::from_hex(&text).map(Self::Closed).ok_or_else(refused);
        }
        let mut strings = vec![reader.string()?];
        while strings.len() < 6 && reader.take(b',') {
            strings.push(reader.string()?);
        }
        reader.expect("]")?;
        match &strings.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [name_salt, source, pointer, value] => {
                Withheld::parse([name_salt, source, pointer, value]).map(Self::Withheld)
            }
            [name_salt, source, pointer, value_salt, type_name, value] => {
                Field::parse([name_salt, source, pointer, value_salt, type_name, value])
                    .map(Self::Shown)
            }
            _ => Err(malformed("a position of six strings, four strings or a hash")),
        }
    }
}

fn malformed(expected: &str) -> FormError {
    FormError::malformed("opening", expected, "another form")
}

/// How an opening fails to be that of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It is another one: its count or root differs.
    Commitment(FormError),
    /// It is the one, and breaks a rule of its form.
    Form(FormError),
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Commitment(error) | Self::Form(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Mismatch {}

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
        Self { block_key, positions: set.into_fields().into_iter().map(Position::Shown).collect() }
    }

    /// The text of a shown position; not compared with any entry.
    #[must_use]
    pub fn value(&self, source: &str, pointer: &str) -> Option<&str> {
        self.field(source, pointer).map(|field| field.value.value.as_str())
    }

    /// A shown position; not compared with any entry.
    #[must_use]
    pub fn field(&self, source: &str, pointer: &str) -> Option<&Field> {
        self.fields().find(|field| field.value.source == source && field.value.pointer == pointer)
    }

    /// The shown fields, in order; not compared with any entry.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.positions.iter().filter_map(|position| match position {
            Position::Shown(field) => Some(field),
            Position::Withheld(_) | Position::Closed(_) => None,
        })
    }

    /// Reads an opening; `encode` of the result gives the same bytes.
    ///
    /// Each position is compared with its one encoding as it is read, so that what is kept grows no
    /// faster than what is read.
    ///
    /// # Errors
    /// `Malformed` for anything but the one form; `Unsupported` for an unknown member or type.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        if bytes.len() > OPENING_BYTES_MAX {
            return Err(malformed("at most 32 MiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("UTF-8"))?;
        let mut reader = Reader::flat(text);
        reader.expect("{")?;
        let mut name = reader.string()?;
        reader.expect(":")?;
        let mut block_key = None;
        if name == "block_key" {
            let key = decode_hex(&reader.string()?);
            block_key = Some(key.ok_or_else(|| malformed("a block_key of 64 hex digits"))?);
            reader.expect(",")?;
            name = reader.string()?;
            reader.expect(":")?;
        }
        if name == "block_key" {
            return Err(malformed("each member once"));
        }
        if name != "fields" {
            return Err(FormError::unsupported("opening member", &name));
        }
        let positions = positions(&mut reader, text)?;
        if reader.peek() == Some(b',') {
            reader.expect(",")?;
            return Err(FormError::unsupported("opening member", &reader.string()?));
        }
        reader.expect("}\n")?;
        let opening = Self { block_key, positions };
        let head = opening.head();
        let canonical = text.starts_with(&head) && reader.at() == text.len();
        if canonical {
            Ok(opening)
        } else {
            Err(malformed("its canonical form, as RFC 8785 writes it"))
        }
    }

    /// What stands before the first position.
    fn head(&self) -> String {
        let key = self.block_key.map(|key| format!("\"block_key\":\"{}\",", encode_hex(&key)));
        format!("{{{}\"fields\":[", key.unwrap_or_default())
    }

    /// The bytes of this opening.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = self.head();
        for (place, position) in self.positions.iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            position.write(&mut text);
        }
        text.push_str("]}\n");
        text
    }

    /// Compares this opening with what an entry commits to.
    ///
    /// # Errors
    /// The first rule that does not hold: count, root, order, uniqueness or pads.
    pub fn verify(self, commitment: &FieldsCommitment) -> Result<VerifiedOpening, Mismatch> {
        let refused = |item: &str, expected: String, found: String| {
            FormError::malformed(format!("opening {item}"), expected, &found)
        };
        if u64::try_from(self.positions.len()) != Ok(commitment.count) {
            let found = self.positions.len().to_string();
            let expected = format!("{} positions", commitment.count);
            return Err(Mismatch::Commitment(refused("count", expected, found)));
        }
        let computed = root(self.positions.iter().map(Position::leaf));
        if computed != commitment.root {
            let (expected, found) = (commitment.root.to_string(), computed.to_string());
            return Err(Mismatch::Commitment(refused("root", expected, found)));
        }
        self.check_order().and_then(|()| self.check_pads()).map_err(Mismatch::Form)?;
        Ok(VerifiedOpening { opening: self })
    }

    fn check_order(&self) -> Result<(), FormError> {
        let refused = |item: &str, expected: &str, found: String| {
            Err(FormError::malformed(format!("opening {item}"), expected, &found))
        };
        let names = || self.positions.iter().filter_map(Position::name);
        if let Some(((source, pointer), _)) = names().zip(names().skip(1)).find(|(a, b)| a >= b) {
            let expected = "ascending by source and pointer, no two equal";
            return refused("order", expected, format!("{source}{pointer} out of its place"));
        }
        let mut salts = BTreeSet::new();
        for position in &self.positions {
            if position.salts().any(|salt| !salts.insert(salt)) {
                let (source, pointer) = position.name().unwrap_or_default();
                return refused("salts", "no two equal", format!("{source}{pointer}"));
            }
        }
        Ok(())
    }

    fn check_pads(&self) -> Result<(), FormError> {
        let is_pad = |field: &&Field| field.value.field_type == FieldType::Pad;
        let pads: Vec<&str> =
            self.fields().filter(is_pad).map(|f| f.value.pointer.as_str()).collect();
        let whole = self.positions.iter().all(|position| position.name().is_some());
        let numbered = |pointer: &&str| (0..7).any(|n| **pointer == format!("/{n:05}"));
        let in_row = |(place, pointer): (usize, &&str)| **pointer == format!("/{place:05}");
        let holds = pads.len() <= 7
            && pads.iter().all(numbered)
            && (!whole || pads.iter().enumerate().all(in_row))
            && pads.len() < self.positions.len();
        let expected = "0 to 7 pads, numbered from /00000, and one other field";
        let refused =
            || FormError::malformed("opening pads", expected, &format!("{} pads", pads.len()));
        if holds { Ok(()) } else { Err(refused()) }
    }
}

fn positions(reader: &mut Reader<'_>, text: &str) -> Result<Vec<Position>, FormError> {
    let mut positions = Vec::new();
    reader.expect("[")?;
    if reader.take(b']') {
        return Ok(positions);
    }
    let mut written = String::new();
    loop {
        let from = reader.at();
        let position = Position::read(reader)?;
        written.clear();
        position.write(&mut written);
        if text.get(from..reader.at()) != Some(&written) {
            return Err(malformed("its canonical form, as RFC 8785 writes it"));
        }
        positions.push(position);
        if positions.len() as u64 > FIELDS_MAX {
            return Err(malformed("at most 131072 positions"));
        }
        if reader.take(b']') {
            return Ok(positions);
        }
        reader.expect(",")?;
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

    /// The shown fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.opening.fields()
    }

    /// The value of a shown field.
    #[must_use]
    pub fn value(&self, source: &str, pointer: &str) -> Option<&str> {
        self.opening.value(source, pointer)
    }

    /// Names whose values are withheld.
    pub fn withheld(&self) -> impl Iterator<Item = (&str, &str)> {
        let withheld = |position: &&Position| matches!(position, Position::Withheld(_));
        self.opening.positions.iter().filter(withheld).filter_map(Position::name)
    }

    /// How many positions stay closed: neither name nor value is shown.
    #[must_use]
    pub fn closed(&self) -> usize {
        self.opening.positions.iter().filter(|position| position.name().is_none()).count()
    }

    /// Whether every value is shown.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.closed() == 0 && self.withheld().next().is_none()
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
        let Position::Shown(first) = &opening.positions[5] else { panic!("a closed position") };
        opening.positions[5] = Position::Withheld(first.withhold());
        let text = opening.encode();
        assert_eq!(Opening::parse(text.as_bytes()).unwrap(), opening);
        let verified = opening.verify(&commitment).unwrap();
        assert_eq!(verified.closed(), 1);
        assert_eq!(verified.value("sidecar", "/c"), Some("x\n"));
        assert_eq!(verified.value("sidecar", "/b"), None);
        assert_eq!(verified.value("sidecar", "/a"), None);
        assert_eq!(verified.withheld().collect::<Vec<_>>(), [("sidecar", "/a")]);
        for bad in [
            text.replace("{\"b", "{ \"b"),
            text.replace("\\n", "\\u000a"),
            text.replace('\n', ""),
            text.replace("\"sidecar\",", "\"sidecar\", "),
            text.replace("\"]", "\",\"x\"]"),
            format!("{text} "),
        ] {
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
            let Position::Shown(field) = position else { panic!("a closed position") };
            change(field);
        };
        assert!(!refuses(&|_| ()));
        assert!(refuses(&|p| p.swap(5, 6)));
        assert!(refuses(&|p| edit(&mut p[6], &|f| f.value.pointer = "/a".into())));
        assert!(refuses(&|p| edit(&mut p[6], &|f| f.salts.value = [1; 16])));
        assert!(refuses(&|p| edit(&mut p[6], &|f| f.salts.name = [2; 16])));
        assert!(refuses(&|p| edit(&mut p[4], &|f| f.value.pointer = "/00007".into())));
        assert!(refuses(&|p| edit(&mut p[0], &|f| f.value.pointer = "/0".into())));
    }
}
