//! The narrowed RFC 8785 JSON of entries: no escapes, no null, integers only, sorted members.
//!
//! spec/entry.md says why: one text for one meaning, readable in a terminal without care.

use crate::error::FormError;
use crate::json::{self, Value};
use crate::limits::{ENTRY_ARRAY_MAX, ENTRY_DEPTH_MAX, INTEGER_MAX};

/// Reads one line of narrowed JSON.
///
/// # Errors
/// `Malformed` when it is not JSON, breaks a rule of the narrowing, or is not canonical.
pub fn parse(line: &str) -> Result<Value, FormError> {
    let value = json::parse(line, ENTRY_DEPTH_MAX)?;
    check(&value)?;
    if encode(&value) == line {
        Ok(value)
    } else {
        Err(FormError::malformed("entry JSON", "its canonical form, without white space", line))
    }
}

/// The one text of `value`.
#[must_use]
pub fn encode(value: &Value) -> String {
    let mut text = String::with_capacity(1_024);
    json::write(value, &mut text);
    text
}

fn check(value: &Value) -> Result<(), FormError> {
    match value {
        Value::Null => Err(FormError::malformed("entry JSON", "no null", "null")),
        Value::Bool(_) => Ok(()),
        Value::Number(token) => integer(token).map(|_| ()),
        Value::String(text) => check_string(text),
        Value::Array(elements) => {
            if elements.is_empty() || elements.len() > ENTRY_ARRAY_MAX {
                let found = elements.len().to_string();
                return Err(FormError::malformed("entry JSON array", "1 to 64 elements", &found));
            }
            elements.iter().try_for_each(check)
        }
        Value::Object(members) => {
            for (name, member) in members {
                check_name(name)?;
                check(member)?;
            }
            if members.iter().map(|(name, _)| name).is_sorted_by(|a, b| a < b) {
                Ok(())
            } else {
                Err(FormError::malformed("entry JSON object", "members in ascending order", ""))
            }
        }
    }
}

/// Reads an integer from 0 to 2^53 - 1 in its one form.
///
/// # Errors
/// `Malformed` for a sign, a fraction, an exponent, a leading zero or a larger number.
pub fn integer(token: &str) -> Result<u64, FormError> {
    let refused = || FormError::malformed("entry JSON number", "an integer, 0 to 2^53 - 1", token);
    let number = decimal(token).ok_or_else(refused)?;
    if number <= INTEGER_MAX { Ok(number) } else { Err(refused()) }
}

/// Reads a decimal without sign or leading zero: the one form that every format here uses.
#[must_use]
pub fn decimal(token: &str) -> Option<u64> {
    let number: u64 = token.parse().ok()?;
    (number.to_string() == token).then_some(number)
}

fn check_string(text: &str) -> Result<(), FormError> {
    let plain = |byte: u8| (0x20..=0x7e).contains(&byte) && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        Ok(())
    } else {
        Err(FormError::malformed("entry JSON string", "printable ASCII without \" and \\", text))
    }
}

fn check_name(name: &str) -> Result<(), FormError> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if first && name.len() <= 32 && bytes.all(rest) {
        Ok(())
    } else {
        Err(FormError::malformed("entry JSON member name", "[a-z][a-z0-9_]{0,31}", name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: E4 E5 E6
    #[test]
    fn only_the_canonical_narrowed_text_is_read() {
        let good = r#"{"a":[1,true,{"b_1":"x y"}],"z":9007199254740991}"#;
        assert_eq!(encode(&parse(good).unwrap()), good);
        let bad = [
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a": 1}"#,
            r#"{"a":null}"#,
            r#"{"a":-1}"#,
            r#"{"a":1.0}"#,
            r#"{"a":1e3}"#,
            r#"{"a":9007199254740992}"#,
            r#"{"a":"é"}"#,
            r#"{"a":"\u0041"}"#,
            r#"{"a":"x\\y"}"#,
            r#"{"A":1}"#,
            r#"{"":1}"#,
            r#"{"a":[]}"#,
            r#"{"a_long_name_of_thirty_three_chars":1}"#,
            "{\"a\":\"\t\"}",
            r#"{"a":1} "#,
            r#"{"a":[[[[[[1]]]]]]}"#,
        ];
        for line in bad {
            assert!(parse(line).is_err(), "{line} was read");
        }
        assert!(parse(r#"{"a":[[[[[1]]]]]}"#).is_ok());
        let array = |n| format!("{{\"a\":[{}]}}", vec!["1"; n].join(","));
        assert!(parse(&array(64)).is_ok() && parse(&array(65)).is_err());
    }

    #[test]
    fn decimals_have_one_form() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for token in ["", "+5", "007", "-1", " 1", "1_0", "18446744073709551616"] {
            assert_eq!(decimal(token), None, "{token:?}");
        }
    }
}
