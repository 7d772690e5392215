//! Why bytes could not be read as what they claim to be.

use std::fmt;

/// Bytes that do not have the form that the specification gives them.
///
/// The two variants never share a word with each other: `Malformed` bytes contradict the
/// specification, `Unsupported` ones are well formed but of a version, kind or member that this
/// program does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormError {
    /// The form is broken.
    Malformed {
        /// What was being read, for instance `checkpoint size`.
        item: String,
        /// What the specification asks for.
        expected: String,
        /// What stood there, shortened and escaped.
        found: String,
    },
    /// The form is sound but newer, or other, than this program knows.
    Unsupported {
        /// What was being read.
        item: String,
        /// What stood there, shortened and escaped.
        found: String,
    },
}

impl FormError {
    /// A broken form; `found` is shortened and escaped.
    #[must_use]
    pub fn malformed(item: impl Into<String>, expected: impl Into<String>, found: &str) -> Self {
        Self::Malformed { item: item.into(), expected: expected.into(), found: printable(found) }
    }

    /// An unknown member, value or version; `found` is shortened and escaped.
    #[must_use]
    pub fn unsupported(item: impl Into<String>, found: &str) -> Self {
        Self::Unsupported { item: item.into(), found: printable(found) }
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { item, expected, found } => {
                write!(f, "{item}: expected {expected}, found {found}")
            }
            Self::Unsupported { item, found } => {
                write!(f, "{item}: {found} is not known to this version of the verifier")
            }
        }
    }
}

impl std::error::Error for FormError {}

const PRINTABLE_CHARS_MAX: usize = 120;

/// `text` made safe for a terminal, as [`escaped`] does, and cut if it is long.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(PRINTABLE_CHARS_MAX).collect();
    let more = if characters.next().is_some() { "..." } else { "" };
    format!("{}{more}", escaped(&start))
}

/// `text` made safe for a terminal: control and formatting characters stand as escapes.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        match character {
            '\\' => shown.push_str("\\\\"),
            ' '..='~' => shown.push(character),
            _ if character.is_alphanumeric() => shown.push(character),
            _ => shown.extend(character.escape_unicode()),
        }
    }
    shown
}

/// `bytes` made safe for a terminal; bytes that are not UTF-8 show as replacement escapes.
#[must_use]
pub fn printable_bytes(bytes: &[u8]) -> String {
    printable(&String::from_utf8_lossy(bytes))
}

/// An error and its causes in one sentence; a cause that only repeats is left out.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !sentence.ends_with(&text) {
            sentence = format!("{sentence}: {text}");
        }
        cause = error.source();
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_are_never_shown_raw() {
        let shown = printable("a\u{1b}[31mred\u{202e}\n\u{7f}é\u{9b}");
        assert_eq!(shown, "a\\u{1b}[31mred\\u{202e}\\u{a}\\u{7f}é\\u{9b}");
        assert!(printable(&"x".repeat(500)).len() < 130);
        assert_eq!(printable_bytes(b"\xff\x1b"), "\\u{fffd}\\u{1b}");
    }
}
