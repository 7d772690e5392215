//! Strict JSON (RFC 8259): read with every number token kept as written, written as RFC 8785 does.

use std::borrow::Cow;

use crate::error::FormError;

/// One JSON value. Numbers keep the token of the source; members keep the order of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Self>),
    /// An object; its names are distinct after unescaping.
    Object(Vec<(String, Self)>),
}

impl Value {
    /// The string, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The members, if this is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&[(String, Self)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// The elements, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// The member `name`, if this is an object that has it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        self.as_object()?.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }
}

/// Reads one JSON text, nothing before or after it.
///
/// # Errors
/// Anything that RFC 8259 does not allow, a repeated member name, a lone surrogate, or nesting
/// deeper than `depth_max` (the outermost array or object is 1).
pub fn parse(text: &str, depth_max: usize) -> Result<Value, FormError> {
    let mut reader = Reader { text, at: 0, depth_left: depth_max };
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    if reader.at == text.len() { Ok(value) } else { Err(reader.error("the end of the JSON text")) }
}

/// Appends `value` without white space; strings are escaped as RFC 8785 says, members keep the
/// order they have.
pub fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(token) => out.push_str(token),
        Value::String(text) => write_string(text, out),
        Value::Array(elements) => {
            out.push('[');
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write(element, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (position, (name, member)) in members.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_string(name, out);
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
    }
}

/// Appends `text` as a JSON string, escaped as RFC 8785 section 3.2.2.2 says.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    // Whole runs at a time: nearly every text is one run.
    while let Some(place) = rest.bytes().position(is_escaped) {
        let (run, from) = rest.split_at(place);
        out.push_str(run);
        let mut characters = from.chars();
        match characters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\t') => out.push_str("\\t"),
            Some('\n') => out.push_str("\\n"),
            Some('\u{c}') => out.push_str("\\f"),
            Some('\r') => out.push_str("\\r"),
            other => out.extend(other.map(|control| format!("\\u{:04x}", u32::from(control)))),
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

const fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..=0x1f)
}

/// True for a number token of RFC 8259.
#[must_use]
pub fn is_number(token: &str) -> bool {
    let mut reader = Reader { text: token, at: 0, depth_left: 0 };
    reader.number().is_ok() && reader.at == token.len()
}

/// Reads a text from its beginning; what it gives was read strictly.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth_left: usize,
}

impl<'a> Reader<'a> {
    /// Reads `text`, whose form is known: no value of any shape is asked for.
    pub(crate) const fn flat(text: &'a str) -> Self {
        Self { text, at: 0, depth_left: 0 }
    }

    /// How many bytes were read.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Takes exactly this text.
    pub(crate) fn expect(&mut self, text: &str) -> Result<(), FormError> {
        if self.rest().starts_with(text) {
            self.at += text.len();
            Ok(())
        } else {
            Err(self.error(&format!("`{text}`")))
        }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, expected: &str) -> FormError {
        let found: String = self.rest().chars().take(20).collect();
        let found = if found.is_empty() { "the end" } else { &found };
        FormError::malformed(format!("JSON at byte {}", self.at), expected, found)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, FormError> {
        if !self.rest().starts_with(word) {
            return Err(self.error("a JSON value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn value(&mut self) -> Result<Value, FormError> {
        match self.peek() {
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => Ok(Value::Number(self.number()?.to_owned())),
            Some(b'[' | b'{') => {
                let Some(depth_left) = self.depth_left.checked_sub(1) else {
                    return Err(self.error("less nesting"));
                };
                self.depth_left = depth_left;
                let value = if self.take(b'[') { self.array()? } else { self.object()? };
                self.depth_left += 1;
                Ok(value)
            }
            _ => Err(self.error("a JSON value")),
        }
    }

    fn array(&mut self) -> Result<Value, FormError> {
        let mut elements = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::Array(elements));
        }
        loop {
            self.skip_space();
            elements.push(self.value()?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Array(elements));
            }
            if !self.take(b',') {
                return Err(self.error("`,` or `]`"));
            }
        }
    }

    fn object(&mut self) -> Result<Value, FormError> {
        self.at += 1;
        let mut members: Vec<(String, Value)> = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.error("a member name"));
            }
            let name = self.string()?;
            if !names.insert(name.clone()) {
                return Err(FormError::malformed("JSON member name", "each name once", &name));
            }
            self.skip_space();
            if !self.take(b':') {
                return Err(self.error("`:`"));
            }
            self.skip_space();
            members.push((name, self.value()?));
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.error("`,` or `}`"));
            }
        }
    }

    fn digits(&mut self) -> Result<(), FormError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.error("a digit")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<&'a str, FormError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    pub(crate) fn string(&mut self) -> Result<String, FormError> {
        if !self.take(b'"') {
            return Err(self.error("a string"));
        }
        let mut text = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let plain = rest
                .bytes()
                .position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20)
                .ok_or_else(|| self.error("the end of the string"))?;
            let run = rest.get(..plain).unwrap_or_default();
            if text.is_empty() {
                text = Cow::Borrowed(run);
            } else {
                text.to_mut().push_str(run);
            }
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text.into_owned());
                }
                Some(b'\\') => text.to_mut().push(self.escape()?),
                _ => return Err(self.error("no control character in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, FormError> {
        self.at += 1;
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.error("a known escape")),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, FormError> {
        let high = self.four_hex_digits()?;
        if let Some(character) = char::from_u32(high) {
            return Ok(character);
        }
        if (0xd800..0xdc00).contains(&high) && self.rest().starts_with("\\u") {
            self.at += 2;
            let low = self.four_hex_digits()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(code).ok_or_else(|| self.error("a Unicode character"));
            }
        }
        Err(self.error("no lone surrogate"))
    }

    fn four_hex_digits(&mut self) -> Result<u32, FormError> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.error("four hex digits"));
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.error("four hex digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> String {
        let mut out = String::new();
        write(&parse(text, 8).unwrap(), &mut out);
        out
    }

    #[test]
    fn reads_all_of_json_and_keeps_number_tokens() {
        let text = r#" { "a" : [ 1 , -0.50E+07 , true , null , {} , [] ] , "b" : "\u00e9\ud83d\ude00\/" } "#;
        assert_eq!(round_trip(text), r#"{"a":[1,-0.50E+07,true,null,{},[]],"b":"é😀/"}"#);
        assert_eq!(
            round_trip(r#""\b\f\n\r\t\"\\\u0001\u007f""#),
            "\"\\b\\f\\n\\r\\t\\\"\\\\\\u0001\u{7f}\""
        );
    }

    #[test]
    fn refuses_what_rfc_8259_refuses() {
        let bad = [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "+1",
            "1.",
            ".5",
            "1e",
            "tru",
            "nullx",
            "'a'",
            "\"\n\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"\\u12g4\"",
            "{\"a\":1,\"\\u0061\":2}",
            "[1 2]",
            "{\"a\" 1}",
            "{1:2}",
            "\"",
            "\"\\",
            "\"\\u00",
            "-",
            "1 2",
        ];
        for text in bad {
            assert!(parse(text, 8).is_err(), "{text:?} was read");
        }
        assert!(parse("[[[]]]", 3).is_ok());
        assert!(parse("[[[]]]", 2).is_err());
    }

    #[test]
    fn a_number_is_a_number_token_and_nothing_else() {
        assert!(is_number("-12.5e-3") && is_number("0"));
        assert!(!is_number("") && !is_number("007") && !is_number("1 ") && !is_number("NaN"));
    }
}
