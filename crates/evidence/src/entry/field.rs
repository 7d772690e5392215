//! Fields: committed metadata. Name and value of each are salted and hashed apart, so that each value
//! can be shown, withheld or erased by itself, with or without its name (spec/fields.md).
//!
//! ```text
//! name  = SHA-256("unbroken/name@v1" LF || [salt, source, pointer] LF)
//! value = SHA-256("unbroken/value@v1" LF || [salt, type, value] LF)
//! leaf  = SHA-256(0x00 || "unbroken/field@v1" LF || hex(name) LF || hex(value) LF)
//! ```

use std::collections::BTreeSet;

pub use crate::entry::value::{FieldType, Value, pointer_segment};
use crate::entry::value::{check_own_source, is_pointer};
use crate::error::FormError;
use crate::hash::{Hash, encode_hex, push_hex};
use crate::json;
use crate::limits::FIELD_VALUE_BYTES_MAX;
use crate::tree::{Edge, leaf_hash};

/// Sixteen fresh random bytes that hide a name or a value from guessing.
pub type Salt = [u8; 16];

/// The source of fields that only hide how many others there are.
pub const PAD: &str = "pad";

/// The two salts of a field, each fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salts {
    /// Hides the name.
    pub name: Salt,
    /// Hides the value.
    pub value: Salt,
}

/// One committed field, shown: a value and its salts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its salts.
    pub salts: Salts,
    /// Its name and value.
    pub value: Value,
}

/// One committed field whose name is shown and whose value is withheld.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The salt of its name.
    pub name_salt: Salt,
    /// Where the value comes from.
    pub source: String,
    /// The pointer into that source.
    pub pointer: String,
    /// The hash of salt, type and value.
    pub value: Hash,
}

impl Field {
    /// Reads the six strings of a field that is shown.
    ///
    /// # Errors
    /// `Malformed` for a salt that is not 32 hex digits, a pointer that is none, a value that does
    /// not fit its type; `Unsupported` for a type that is not on the list.
    pub fn parse(strings: [&str; 6]) -> Result<Self, FormError> {
        let [name_salt, source, pointer, value_salt, type_name, value] = strings;
        let name = check_name(name_salt, source, pointer)?;
        let value_salt = salt(value_salt, source, pointer)?;
        let item = || format!("field {source}{pointer}");
        let Some(field_type) = FieldType::from_name(type_name) else {
            return Err(FormError::unsupported(format!("{} type", item()), type_name));
        };
        if (field_type == FieldType::Pad) != (source == PAD) {
            let expected = "type pad for source pad, and for no other";
            return Err(FormError::malformed(item(), expected, &format!("type {type_name}")));
        }
        if !field_type.fits(value) {
            let expected = field_type.form();
            let found = if value.len() > FIELD_VALUE_BYTES_MAX {
                format!("{} bytes", value.len())
            } else {
                format!("`{value}`")
            };
            return Err(FormError::malformed(item(), expected, &found));
        }
        check_own_source(source, pointer, field_type, value)?;
        let value = Value {
            source: source.to_owned(),
            pointer: pointer.to_owned(),
            field_type,
            value: value.to_owned(),
        };
        Ok(Self { salts: Salts { name, value: value_salt }, value })
    }

    /// Appends its position in an opening: an array of six strings.
    pub(crate) fn write(&self, out: &mut String) {
        let Value { source, pointer, field_type, value } = &self.value;
        let (name, salt) = (encode_hex(&self.salts.name), encode_hex(&self.salts.value));
        write_strings(&[&name, source, pointer, &salt, field_type.name(), value], out);
    }

    /// The hash over the name and its salt.
    fn name_hash(&self) -> Hash {
        name_hash(&self.salts.name, &self.value.source, &self.value.pointer)
    }

    /// The hash over the value and its salt.
    fn value_hash(&self) -> Hash {
        let Value { field_type, value, .. } = &self.value;
        hash_of("unbroken/value@v1\n", &self.salts.value, [field_type.name(), value])
    }

    /// The leaf hash over name and value.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        field_leaf(&self.name_hash(), &self.value_hash())
    }

    /// The same field with its value withheld.
    #[must_use]
    pub fn withhold(&self) -> Withheld {
        Withheld {
            name_salt: self.salts.name,
            source: self.value.source.clone(),
            pointer: self.value.pointer.clone(),
            value: self.value_hash(),
        }
    }
}

impl Withheld {
    /// Reads the four strings of a field whose value is withheld.
    ///
    /// # Errors
    /// `Malformed` for a salt or a hash that is not hex, a pointer that is none, or a pad.
    pub fn parse(strings: [&str; 4]) -> Result<Self, FormError> {
        let [name_salt, source, pointer, value] = strings;
        let name_salt = check_name(name_salt, source, pointer)?;
        let item = || format!("field {source}{pointer}");
        if source == PAD {
            return Err(FormError::malformed(item(), "a pad shown or closed", "one withheld"));
        }
        let Some(value) = Hash::from_hex(value) else {
            return Err(FormError::malformed(item(), "a value hash of 64 hex digits", value));
        };
        Ok(Self { name_salt, source: source.to_owned(), pointer: pointer.to_owned(), value })
    }

    /// Appends its position in an opening: an array of four strings.
    pub(crate) fn write(&self, out: &mut String) {
        let name_salt = encode_hex(&self.name_salt);
        write_strings(&[&name_salt, &self.source, &self.pointer, &self.value.to_string()], out);
    }

    /// The leaf hash over name and value.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        field_leaf(&name_hash(&self.name_salt, &self.source, &self.pointer), &self.value)
    }
}

fn field_leaf(name: &Hash, value: &Hash) -> Hash {
    let mut data = String::with_capacity(160);
    data.push_str("unbroken/field@v1\n");
    for hash in [name, value] {
        push_hex(hash.as_bytes(), &mut data);
        data.push('\n');
    }
    leaf_hash(data.as_bytes())
}

fn name_hash(salt: &Salt, source: &str, pointer: &str) -> Hash {
    hash_of("unbroken/name@v1\n", salt, [source, pointer])
}

/// SHA-256 over a first line and one line of a salt and two strings. Half of what an entry costs is spent
/// here: one piece of memory, and no more.
fn hash_of(first: &str, salt: &Salt, [a, b]: [&str; 2]) -> Hash {
    let mut data = String::with_capacity(first.len() + a.len() + b.len() + 64);
    data.push_str(first);
    data.push_str("[\"");
    push_hex(salt, &mut data);
    data.push('"');
    for text in [a, b] {
        data.push(',');
        json::write_string(text, &mut data);
    }
    data.push_str("]\n");
    Hash::of(&[data.as_bytes()])
}

fn write_strings(strings: &[&str], out: &mut String) {
    out.push('[');
    for (place, text) in strings.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        json::write_string(text, out);
    }
    out.push(']');
}

fn salt(hex: &str, source: &str, pointer: &str) -> Result<Salt, FormError> {
    let refused = || {
        FormError::malformed(
            format!("field {source}{pointer}"),
            "a salt of 32 lower-case hex digits",
            hex,
        )
    };
    crate::hash::decode_hex(hex).ok_or_else(refused)
}

fn check_name(name_salt: &str, source: &str, pointer: &str) -> Result<Salt, FormError> {
    if source.is_empty() || !is_pointer(pointer) {
        let expected = "a source and an RFC 6901 pointer";
        return Err(FormError::malformed(format!("field {source}{pointer}"), expected, pointer));
    }
    salt(name_salt, source, pointer)
}

/// The committed fields of an entry, in their order, pads included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSet {
    fields: Vec<Field>,
}

/// What an entry says of its fields: their number and the root over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldsCommitment {
    /// A multiple of 8, at least 8.
    pub count: u64,
    /// The RFC 6962 root over the fields' leaves.
    pub root: Hash,
}

impl FieldSet {
    /// Salts and orders `values`, and pads them to a multiple of 8. `salt` gives fresh random
    /// bytes at each call, for a name, then for its value. Of two values with one source and pointer the first stays.
    #[must_use]
    pub fn seal(mut values: Vec<Value>, salt: &mut dyn FnMut() -> Salt) -> Self {
        values.sort_by(|a, b| (&a.source, &a.pointer).cmp(&(&b.source, &b.pointer)));
        values.dedup_by(|a, b| (&a.source, &a.pointer) == (&b.source, &b.pointer));
        let pads = (8 - values.len() % 8) % 8;
        let pad = |number| Value::new(PAD, &format!("/{number:05}"), FieldType::Pad, "");
        let place = values.partition_point(|value| value.source.as_str() < PAD);
        values.splice(place..place, (0..pads).map(pad));
        let mut used = BTreeSet::new();
        let mut fresh = || {
            let mut bytes = salt();
            while !used.insert(bytes) {
                bytes = salt();
            }
            bytes
        };
        let sealed = |value| Field { salts: Salts { name: fresh(), value: fresh() }, value };
        Self { fields: values.into_iter().map(sealed).collect() }
    }

    /// The fields in their order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The fields in their order, to be kept.
    #[must_use]
    pub fn into_fields(self) -> Vec<Field> {
        self.fields
    }

    /// The commitment over all fields.
    #[must_use]
    pub fn commitment(&self) -> FieldsCommitment {
        let edge: Edge = self.fields.iter().map(Field::leaf).collect();
        FieldsCommitment { count: edge.size(), root: edge.root() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting() -> impl FnMut() -> Salt {
        let mut next = 0_u8;
        move || {
            next += 1;
            [next; 16]
        }
    }

    // spec: F2 F5 F6
    #[test]
    fn fields_are_ordered_padded_to_eight_and_salted_apart() {
        let values = vec![
            Value::string("sidecar", "/b", "x"),
            Value::string("content", "/sha256", &"0".repeat(64)),
            Value::string("sidecar", "/a", "y"),
        ];
        let set = FieldSet::seal(values, &mut counting());
        let names: Vec<_> =
            set.fields().iter().map(|f| format!("{}{}", f.value.source, f.value.pointer)).collect();
        let expected = [
            "content/sha256",
            "pad/00000",
            "pad/00001",
            "pad/00002",
            "pad/00003",
            "pad/00004",
            "sidecar/a",
            "sidecar/b",
        ];
        assert_eq!(names, expected);
        let salts: BTreeSet<Salt> =
            set.fields().iter().flat_map(|field| [field.salts.name, field.salts.value]).collect();
        assert_eq!(salts.len(), 16);
        assert_eq!(set.commitment().count, 8);
    }

    #[test]
    fn a_random_source_that_repeats_itself_does_not_repeat_a_salt() {
        let mut calls = 0_u8;
        let mut stuttering = || {
            calls += 1;
            [calls / 3; 16]
        };
        let set = FieldSet::seal(vec![Value::string("a", "/b", "c")], &mut stuttering);
        let salts: BTreeSet<_> =
            set.fields().iter().flat_map(|field| [field.salts.name, field.salts.value]).collect();
        assert_eq!(salts.len(), 16);
    }

    // spec: F3 F4 F9 F13
    #[test]
    fn a_value_must_fit_its_type_and_its_source() {
        let (salt, other) =
            ("00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100");
        let digest = "ab".repeat(32);
        let good = [
            ["sidecar", "/a~1b", "string", "\u{1b}"],
            ["sidecar", "", "number", "-1.50E+3"],
            ["sidecar", "/a", "bytes", "/w=="],
            ["sidecar", "/a", "sha256", &digest],
            ["content", "/sha256", "string", &digest],
            ["pad", "/00000", "pad", ""],
        ];
        for [source, pointer, name, value] in good {
            let field = Field::parse([salt, source, pointer, other, name, value]).unwrap();
            let shown = Field { value: field.value.clone(), ..field };
            assert_eq!(shown.value.pointer, pointer);
            assert_eq!(shown.leaf(), shown.withhold().leaf(), "a withheld value keeps the leaf");
        }
        let bad = [
            ["sidecar", "a", "string", ""],
            ["sidecar", "/a~2", "string", ""],
            ["sidecar", "/a", "number", "01"],
            ["sidecar", "/a", "boolean", "yes"],
            ["sidecar", "/a", "null", ""],
            ["sidecar", "/a", "object", "[]"],
            ["sidecar", "/a", "bytes", "/w="],
            ["sidecar", "/a", "sha256", "AB"],
            ["sidecar", "/a", "pad", ""],
            ["pad", "/00000", "string", ""],
            ["content", "/sha256", "sha256", &digest],
            ["content", "/size", "string", "1"],
            ["content", "/size", "number", "1.0"],
            ["observed", "/start", "string", "2026-11-20"],
            ["companion", "/0/sha256", "string", "x"],
            ["", "/a", "string", "x"],
            ["sidecar", "/a", "text", "x"],
        ];
        for [source, pointer, name, value] in bad {
            let parsed = Field::parse([salt, source, pointer, other, name, value]);
            assert!(parsed.is_err(), "{source} {pointer} {name} {value}");
        }
        let long = "x".repeat(FIELD_VALUE_BYTES_MAX + 1);
        assert_eq!(Value::string("sidecar", "/a", &long).field_type, FieldType::Sha256);
        assert!(Field::parse([salt, "sidecar", "/a", other, "string", &long]).is_err());
        assert!(Withheld::parse([salt, "sidecar", "/a", &digest]).is_ok());
        for [salt, source, pointer, hash] in [
            [salt, PAD, "/00000", &digest],
            [salt, "sidecar", "a", &digest],
            [salt, "", "/a", &digest],
            [&digest, "sidecar", "/a", &digest],
            [salt, "sidecar", "/a", salt],
        ] {
            assert!(Withheld::parse([salt, source, pointer, hash]).is_err(), "{source}{pointer}");
        }
    }
}
