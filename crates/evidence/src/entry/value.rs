//! Values that are committed: where each comes from, its type, its text (spec/fields.md F3, F4, F9).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::FormError;
use crate::hash::Hash;
use crate::json;
use crate::limits::FIELD_VALUE_BYTES_MAX;

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

    /// What a value of this type looks like.
    pub(crate) fn form(self) -> String {
        let most = format!("of at most {FIELD_VALUE_BYTES_MAX} bytes");
        match self {
            Self::String => format!("a string {most}"),
            Self::Number => format!("a JSON number {most}"),
            Self::Boolean => "true or false".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Object => "{}, the empty object".to_owned(),
            Self::Array => "[], the empty array".to_owned(),
            Self::Bytes => format!("base64 {most}"),
            Self::Sha256 => "64 lower-case hex digits".to_owned(),
            Self::Pad => "a pad without a value".to_owned(),
        }
    }

    pub(crate) fn fits(self, value: &str) -> bool {
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

/// The forms of the fields that this project itself defines (spec/fields.md F9).
pub(crate) fn check_own_source(
    source: &str,
    pointer: &str,
    field_type: FieldType,
    value: &str,
) -> Result<(), FormError> {
    let is_digest = field_type == FieldType::String && Hash::from_hex(value).is_some();
    let is_number = field_type == FieldType::Number && crate::narrow::decimal(value).is_some();
    let is_time = field_type == FieldType::String && crate::time::Time::parse(value).is_ok();
    // A companion's pointers begin with its number.
    let last =
        if source == "companion" { &pointer[pointer.rfind('/').unwrap_or(0)..] } else { pointer };
    let (fits, expected) = match (source, last) {
        ("content", "/sha256" | "/blake3") | ("companion", "/sha256") => {
            (is_digest, "a string of 64 lower-case hex digits")
        }
        ("content" | "companion", "/size") => (is_number, "a number, a plain decimal"),
        ("observed", "/start" | "/end") => (is_time, "a string, a time of 24 characters"),
        _ => return Ok(()),
    };
    if fits {
        Ok(())
    } else {
        let found = format!("{value}, of type {}", field_type.name());
        Err(FormError::malformed(format!("field {source}{pointer}"), expected, &found))
    }
}

pub(crate) fn is_pointer(pointer: &str) -> bool {
    let escapes_hold = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    (pointer.is_empty() || pointer.starts_with('/')) && escapes_hold
}

/// A name as one segment of an RFC 6901 pointer, its slash in front.
#[must_use]
pub fn pointer_segment(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
