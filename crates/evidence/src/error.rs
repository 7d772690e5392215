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
        /// What was being read, for instance `checkpoint size`; like the others shortened and escaped.
        item: String,
        /// What the specification asks for.
        expected: String,
        /// What stood there.
        found: String,
    },
    /// The form is sound but newer, or other, than this program knows.
    Unsupported {
        /// What was being read.
        item: String,
        /// What stood there.
        found: String,
    },
}

impl FormError {
    /// A broken form; every part is shortened and escaped here, for any may hold a stranger's words.
    #[must_use]
    pub fn malformed(item: impl AsRef<str>, expected: impl AsRef<str>, found: &str) -> Self {
        let (item, expected) = (printable(item.as_ref()), printable(expected.as_ref()));
        Self::Malformed { item, expected, found: printable(found) }
    }

    /// An unknown member, value or version; every part is shortened and escaped here.
    #[must_use]
    pub fn unsupported(item: impl AsRef<str>, found: &str) -> Self {
        Self::Unsupported { item: printable(item.as_ref()), found: printable(found) }
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { item, expected, found } => {
                write!(f, "{item}: expected {expected}, found {found}")
            }
            Self::Unsupported { item, found } => {
                // Marked off, for a stranger wrote it.
                let found = found.replace('`', "'");
                write!(f, "{item}: `{found}` is not known to this version of the verifier")
            }
        }
    }
}

impl std::error::Error for FormError {}

const PRINTABLE_CHARS_MAX: usize = 200;

/// `text` made safe for a terminal, as [`escaped`] does, and cut if it is long.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(PRINTABLE_CHARS_MAX).collect();
    let more = if characters.next().is_some() { "..." } else { "" };
    format!("{}{more}", escaped(&start))
}

/// `text` made safe for a terminal and cut so that it takes at most so many bytes: of such texts a verdict
/// holds one for each recording, and an escape is ten times as long as what it stands for.
pub(crate) fn printable_within(text: &str, bytes_max: usize) -> String {
    const MORE: &str = "...";
    let (mut shown, mut last) = (String::new(), ' ');
    for character in text.chars() {
        // Two characters, for a space is judged by the one before it.
        let piece = escaped(&String::from_iter([last, character]));
        let piece = piece.get(escaped(&String::from(last)).len()..).unwrap_or_default();
        last = character;
        if shown.len() + piece.len() > bytes_max - MORE.len() {
            shown.push_str(MORE);
            break;
        }
        shown.push_str(piece);
    }
    shown.shrink_to_fit();
    shown
}

/// `text` made safe for a terminal: control and formatting characters stand as escapes, and so does a
/// space behind a space: where a terminal wraps, a run of them would begin a line that nobody wrote.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut shown = String::new();
    let mut last = ' ';
    for character in text.chars() {
        match character {
            '\\' => shown.push_str("\\\\"),
            ' ' if last == ' ' => shown.extend(character.escape_unicode()),
            ' '..='~' => shown.push(character),
            _ if shows_nothing(character) => shown.extend(character.escape_unicode()),
            _ if character.is_alphanumeric() => shown.push(character),
            _ => shown.extend(character.escape_unicode()),
        }
        last = character;
    }
    shown
}

/// Letters of Hangul that only fill a place.
const fn shows_nothing(character: char) -> bool {
    matches!(character, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

/// `bytes` made safe for a terminal; bytes that are not UTF-8 show as replacement escapes.
#[must_use]
pub fn printable_bytes(bytes: &[u8]) -> String {
    printable(&String::from_utf8_lossy(bytes))
}

/// The start of `bytes` as text, not made safe yet: for an error, which shows no more of it.
pub(crate) fn start_of(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    let most = 4 * PRINTABLE_CHARS_MAX;
    String::from_utf8_lossy(bytes.get(..most).unwrap_or(bytes))
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
        assert!(printable(&"x".repeat(500)).len() < 210);
        assert_eq!(printable("a  b\u{3164}c   "), "a \\u{20}b\\u{3164}c \\u{20}\\u{20}");
        assert_eq!(printable_within("a  b c", 20), "a \\u{20}b c");
        assert_eq!(printable_bytes(b"\xff\x1b"), "\\u{fffd}\\u{1b}");
    }
}
