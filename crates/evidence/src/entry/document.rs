//! Turns a JSON document into values to be committed, one for each scalar (spec/fields.md F10).

use crate::error::FormError;
use crate::field::{FieldType, Value as FieldValue, pointer_segment};
use crate::json::{Value, parse};
use crate::limits::{
    DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, DOCUMENT_LEAVES_MAX, DOCUMENT_POINTER_BYTES_MAX,
};

/// Reads a document that may become fields.
///
/// # Errors
/// `Malformed` for what is not strict JSON in UTF-8, has a BOM, repeated names or lone surrogates,
/// or exceeds a limit.
pub fn read(bytes: &[u8]) -> Result<Value, FormError> {
    let value = parse_document(bytes)?;
    if may_be_fields(&value) {
        return Ok(value);
    }
    let Extent { leaves, pointer_bytes } = extent(&value, 0);
    let found = format!("{leaves} values, {pointer_bytes} bytes");
    Err(FormError::malformed("document", "at most 4096 values, with pointers of 1 MiB", &found))
}

/// Whether a document has few enough values, with pointers that are short enough, to become fields.
#[must_use]
pub fn may_be_fields(document: &Value) -> bool {
    let extent = extent(document, 0);
    extent.leaves <= DOCUMENT_LEAVES_MAX && extent.pointer_bytes <= DOCUMENT_POINTER_BYTES_MAX
}

/// Reads a document, however many values it has and whatever their names are.
///
/// # Errors
/// As [`read`], but for the number of values and the length of their pointers.
pub fn parse_document(bytes: &[u8]) -> Result<Value, FormError> {
    let refused = |expected: &str, found: &str| FormError::malformed("document", expected, found);
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(refused("at most 1 MiB", &format!("{} bytes", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| refused("UTF-8", &error.to_string()))?;
    if text.starts_with('\u{feff}') {
        return Err(refused("no byte order mark", "one"));
    }
    parse(text, DOCUMENT_DEPTH_MAX)
}

/// How many values a document has, and how long their pointers are together.
struct Extent {
    leaves: usize,
    pointer_bytes: usize,
}

/// Of `value`, to which a pointer of `above` bytes leads. A name stands in the pointer of each value below it:
/// written out, a document of 1 MiB can take gigabytes.
fn extent(value: &Value, above: usize) -> Extent {
    let below: Vec<Extent> = match value {
        Value::Array(elements) => {
            let place_bytes = |place: usize| 1 + place.checked_ilog10().unwrap_or(0) as usize + 1;
            let elements = elements.iter().enumerate();
            elements.map(|(place, element)| extent(element, above + place_bytes(place))).collect()
        }
        Value::Object(members) => {
            let of = |name: &str| above + pointer_segment(name).len();
            members.iter().map(|(name, member)| extent(member, of(name))).collect()
        }
        _ => Vec::new(),
    };
    if below.is_empty() {
        return Extent { leaves: 1, pointer_bytes: above };
    }
    below.iter().fold(Extent { leaves: 0, pointer_bytes: 0 }, |sum, one| Extent {
        leaves: sum.leaves + one.leaves,
        pointer_bytes: sum.pointer_bytes + one.pointer_bytes,
    })
}

/// The values of `document` under `source`, each with its pointer.
#[must_use]
pub fn values(source: &str, document: &Value) -> Vec<FieldValue> {
    let mut values = Vec::new();
    flatten(source, String::new(), document, &mut values);
    values
}

fn flatten(source: &str, pointer: String, value: &Value, values: &mut Vec<FieldValue>) {
    let (field_type, text) = match value {
        Value::Array(elements) if !elements.is_empty() => {
            for (place, element) in elements.iter().enumerate() {
                flatten(source, format!("{pointer}/{place}"), element, values);
            }
            return;
        }
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                flatten(source, format!("{pointer}{}", pointer_segment(name)), member, values);
            }
            return;
        }
        Value::Null => (FieldType::Null, "null"),
        Value::Bool(true) => (FieldType::Boolean, "true"),
        Value::Bool(false) => (FieldType::Boolean, "false"),
        Value::Number(token) => (FieldType::Number, token.as_str()),
        Value::String(text) => (FieldType::String, text.as_str()),
        Value::Array(_) => (FieldType::Array, "[]"),
        Value::Object(_) => (FieldType::Object, "{}"),
    };
    values.push(FieldValue::new(source, &pointer, field_type, text));
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: F10
    #[test]
    fn every_value_becomes_a_field_with_the_token_of_the_source() {
        let document = br#"{"a":{"b/c":[1.50,"x",{}]},"d":null,"e":true,"f":[]}"#;
        let values = values("sidecar", &read(document).unwrap());
        let shown: Vec<String> = values
            .iter()
            .map(|v| format!("{} {} {}", v.pointer, v.field_type.name(), v.value))
            .collect();
        let expected = [
            "/a/b~1c/0 number 1.50",
            "/a/b~1c/1 string x",
            "/a/b~1c/2 object {}",
            "/d null null",
            "/e boolean true",
            "/f array []",
        ];
        assert_eq!(shown, expected);
    }

    // spec: F10
    #[test]
    fn documents_that_two_parsers_could_read_differently_are_no_fields() {
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        let wide = format!("[{}1]", "1,".repeat(4_096));
        let long = format!("\"{}\"", "x".repeat(DOCUMENT_BYTES_MAX));
        for text in
            ["{\"a\":1,\"a\":2}", "\u{feff}{}", "{\"a\":\"\\ud800\"}", "{", &deep, &wide, &long]
        {
            assert!(read(text.as_bytes()).is_err(), "{}", &text[..text.len().min(20)]);
        }
        assert!(read(b"\"\xff\"").is_err());
    }

    /// A long name above many values stood in the pointer of each: 0.9 MB took 7 GB, and no entry could be
    /// sealed.
    // spec: F10
    #[test]
    fn pointers_are_short_enough_together() {
        // `/n…/p` of each place p: a slash, the name, a slash, and one digit.
        let named = |name: usize, values: usize| {
            format!("{{\"{}\":[{}1]}}", "n".repeat(name), "1,".repeat(values - 1))
        };
        let longest = DOCUMENT_POINTER_BYTES_MAX / 8 - 3;
        assert!(read(named(longest, 8).as_bytes()).is_ok());
        assert!(read(named(longest + 1, 8).as_bytes()).is_err());
        assert!(read(named(900_000, 4_000).as_bytes()).is_err());
        let document = br#"{"a":{"b/c":[1.50,"x",{}],"~":0},"d":[],"":[[0,0,0,0,0,0,0,0,0,0,0]]}"#;
        let document = read(document).unwrap();
        let extent = extent(&document, 0);
        let values = values("sidecar", &document);
        let pointer_bytes = values.iter().map(|value| value.pointer.len()).sum();
        assert_eq!((extent.leaves, extent.pointer_bytes), (values.len(), pointer_bytes));
    }
}
