//! Fields: committed metadata. Each value is salted and hashed by itself, so that each can be
//! shown, withheld or erased by itself (spec/fields.md).

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::FormError;
use crate::hash::{Hash, encode_hex};
use crate::json;
use crate::limits::FIELD_VALUE_BYTES_MAX;
use crate::tree::{Edge, leaf_hash};

/// Sixteen fresh random bytes that hide a value from guessing.
pub type Salt = [u8; 16];

/// The closed list of a field's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldType {
    /// Text.
    String,
    /// A JSON number, the source's token verbatim.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `null`.
    Null,
    /// An empty object, `{}`.
    Object,
    /// An empty array, `[]`.
    Array,
    /// Base64 of what is not valid Unicode.
    Bytes,
    /// The SHA-256 of a value too long to stand here.
    Sha256,
    /// A field that only hides how many others there are.
    Pad,
}

const TYPE_NAMES: [(FieldType, &str); 9] = [
    (FieldType::String, "string"),
    (FieldType::Number, "number"),
    (FieldType::Boolean, "boolean"),
    (FieldType::Null, "null"),
    (FieldType::Object, "object"),
    (FieldType::Array, "array"),
    (FieldType::Bytes, "bytes"),
    (FieldType::Sha256, "sha256"),
    (FieldType::Pad, "pad"),
];

impl FieldType {
    /// The name that stands in a leaf.
    #[must_use]
    pub fn name(self) -> &'static str {
        TYPE_NAMES.iter().find(|(known, _)| *known == self).map_or("", |(_, name)| *name)
    }

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        TYPE_NAMES.iter().find(|(_, known)| *known == name).map(|(field_type, _)| *field_type)
    }

    fn fits(self, value: &str) -> bool {
        match self {
            Self::String => value.len() <= FIELD_VALUE_BYTES_MAX,
            Self::Number => value.len() <= FIELD_VALUE_BYTES_MAX && json::is_number(value),
            Self::Boolean => matches!(value, "true" | "false"),
            Self::Null => value == "null",
            Self::Object => value == "{}",
            Self::Array => value == "[]",
            Self::Bytes => STANDARD.decode(value).is_ok_and(|b| b.len() <= FIELD_VALUE_BYTES_MAX),
            Self::Sha256 => Hash::from_hex(value).is_some(),
            Self::Pad => value.is_empty(),
        }
    }
}

/// A value that is going to be committed, before it has a salt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    /// Where the value comes from, for instance `sidecar`.
    pub source: String,
    /// An RFC 6901 pointer into that source.
    pub pointer: String,
    /// Its type.
    pub field_type: FieldType,
    /// Its text.
    pub value: String,
}

impl Value {
    /// A value that fits its type; one above the limit is replaced by its SHA-256.
    #[must_use]
    pub fn new(source: &str, pointer: &str, field_type: FieldType, value: &str) -> Self {
        let too_long = value.len() > FIELD_VALUE_BYTES_MAX
            && matches!(field_type, FieldType::String | FieldType::Number);
        let (field_type, value) = if too_long {
            (FieldType::Sha256, Hash::of(&[value.as_bytes()]).to_string())
        } else {
            (field_type, value.to_owned())
        };
        Self { source: source.to_owned(), pointer: pointer.to_owned(), field_type, value }
    }

    /// A text.
    #[must_use]
    pub fn string(source: &str, pointer: &str, value: &str) -> Self {
        Self::new(source, pointer, FieldType::String, value)
    }

    /// A count or a size.
    #[must_use]
    pub fn number(source: &str, pointer: &str, value: u64) -> Self {
        Self::new(source, pointer, FieldType::Number, &value.to_string())
    }

    /// What [`Value::text_or_bytes`] took: the bytes of a text, or those behind base64.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let decoded = (self.field_type == FieldType::Bytes).then(|| STANDARD.decode(&self.value));
        decoded.and_then(Result::ok).unwrap_or_else(|| self.value.clone().into_bytes())
    }

    /// Bytes that should be text: text where they are valid Unicode, base64 where not.
    #[must_use]
    pub fn text_or_bytes(source: &str, pointer: &str, value: &[u8]) -> Self {
        match std::str::from_utf8(value) {
            Ok(text) => Self::string(source, pointer, text),
            Err(_) if value.len() > FIELD_VALUE_BYTES_MAX => {
                let digest = Hash::of(&[value]).to_string();
                Self::new(source, pointer, FieldType::Sha256, &digest)
            }
            Err(_) => Self::new(source, pointer, FieldType::Bytes, &STANDARD.encode(value)),
        }
    }
}

/// One committed field: a value and its salt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its salt.
    pub salt: Salt,
    /// Its value.
    pub value: Value,
}

impl Field {
    /// Reads the five strings of a field.
    ///
    /// # Errors
    /// `Malformed` for a salt that is not 32 hex digits, a pointer that is none, a value that does
    /// not fit its type; `Unsupported` for a type that is not on the list.
    pub fn parse(strings: [&str; 5]) -> Result<Self, FormError> {
        let [salt, source, pointer, type_name, value] = strings;
        let refused = |expected: &str, found: &str| {
            Err(FormError::malformed(format!("field {source}{pointer}"), expected, found))
        };
        let Some(salt) = crate::hash::decode_hex(salt) else {
            return refused("a salt of 32 hex digits", salt);
        };
        let Some(field_type) = FieldType::from_name(type_name) else {
            return Err(FormError::unsupported(format!("field {source}{pointer} type"), type_name));
        };
        if source.is_empty() || !is_pointer(pointer) {
            return refused("a source and an RFC 6901 pointer", pointer);
        }
        if !field_type.fits(value) || (field_type == FieldType::Pad) != (source == "pad") {
            return refused(&format!("a value that fits type {type_name}"), value);
        }
        check_own_source(source, pointer, field_type, value)?;
        let value = Value {
            source: source.to_owned(),
            pointer: pointer.to_owned(),
            field_type,
            value: value.to_owned(),
        };
        Ok(Self { salt, value })
    }

    /// The five strings.
    #[must_use]
    pub fn strings(&self) -> [String; 5] {
        let Value { source, pointer, field_type, value } = &self.value;
        let type_name = field_type.name().to_owned();
        [encode_hex(&self.salt), source.clone(), pointer.clone(), type_name, value.clone()]
    }

    /// The leaf hash over `unbroken/field@v1` and the five strings.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        let Value { source, pointer, field_type, value } = &self.value;
        let mut data = String::with_capacity(120 + value.len());
        data.push_str("unbroken/field@v1\n[\"");
        data.push_str(&encode_hex(&self.salt));
        data.push('"');
        for text in [source, pointer, field_type.name(), value] {
            data.push(',');
            json::write_string(text, &mut data);
        }
        data.push_str("]\n");
        leaf_hash(data.as_bytes())
    }
}

/// The forms of the fields that this project itself defines (spec/fields.md F9).
fn check_own_source(
    source: &str,
    pointer: &str,
    field_type: FieldType,
    value: &str,
) -> Result<(), FormError> {
    let is_digest = field_type == FieldType::String && Hash::from_hex(value).is_some();
    let is_number = field_type == FieldType::Number && crate::narrow::decimal(value).is_some();
    let is_time = field_type == FieldType::String && crate::time::Time::parse(value).is_ok();
    let (fits, expected) = match (source, pointer) {
        ("content", "/sha256" | "/blake3") => (is_digest, "a string of 64 hex digits"),
        ("content", "/size") => (is_number, "a number, a plain decimal"),
        ("observed", "/start" | "/end") => (is_time, "a string, a time of 24 characters"),
        ("companion", _) if pointer.ends_with("/sha256") => {
            (is_digest, "a string of 64 hex digits")
        }
        _ => return Ok(()),
    };
    if fits {
        Ok(())
    } else {
        Err(FormError::malformed(format!("field {source}{pointer}"), expected, value))
    }
}

fn is_pointer(pointer: &str) -> bool {
    let escapes_hold = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    (pointer.is_empty() || pointer.starts_with('/')) && escapes_hold
}

/// A name as one segment of an RFC 6901 pointer, its slash in front.
#[must_use]
pub fn pointer_segment(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
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
    /// bytes at each call. Of two values with one source and pointer the first stays.
    #[must_use]
    pub fn seal(mut values: Vec<Value>, salt: &mut dyn FnMut() -> Salt) -> Self {
        values.sort_by(|a, b| (&a.source, &a.pointer).cmp(&(&b.source, &b.pointer)));
        values.dedup_by(|a, b| (&a.source, &a.pointer) == (&b.source, &b.pointer));
        let pads = (8 - values.len() % 8) % 8;
        let pad = |number| Value::new("pad", &format!("/{number:05}"), FieldType::Pad, "");
        let place = values.partition_point(|value| value.source.as_str() < "pad");
        values.splice(place..place, (0..pads).map(pad));
        let mut used = BTreeSet::new();
        let mut fresh = || {
            let mut bytes = salt();
            while !used.insert(bytes) {
                bytes = salt();
            }
            bytes
        };
        Self { fields: values.into_iter().map(|value| Field { salt: fresh(), value }).collect() }
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
        let mut salts: Vec<_> = set.fields().iter().map(|field| field.salt).collect();
        salts.dedup();
        assert_eq!(salts.len(), 8);
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
        let salts: BTreeSet<_> = set.fields().iter().map(|field| field.salt).collect();
        assert_eq!(salts.len(), 8);
    }

    // spec: F3 F4 F9
    #[test]
    fn a_value_must_fit_its_type_and_its_source() {
        let salt = "00112233445566778899aabbccddeeff";
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
            let field = Field::parse([salt, source, pointer, name, value]).unwrap();
            assert_eq!(field.strings(), [salt, source, pointer, name, value]);
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
            let parsed = Field::parse([salt, source, pointer, name, value]);
            assert!(parsed.is_err(), "{source} {pointer} {name} {value}");
        }
        let long = "x".repeat(FIELD_VALUE_BYTES_MAX + 1);
        assert_eq!(Value::string("sidecar", "/a", &long).field_type, FieldType::Sha256);
        assert!(Field::parse([salt, "sidecar", "/a", "string", &long]).is_err());
    }
}
