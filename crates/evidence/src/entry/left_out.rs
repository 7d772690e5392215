//! Why a file is not packed, as the producer says in its `produced` entry (spec/exhibit.md, X22).

use std::collections::BTreeMap;
use std::fmt;

use crate::bag::Packed;
use crate::error::printable_within;
use crate::field::Value;
use crate::narrow::decimal;

/// The source of these fields.
pub(crate) const SOURCE: &str = "left-out";

/// Bytes of a reason that this version does not know that are kept.
const TEXT_BYTES_MAX: usize = 40;

/// A reason. It is the producer's word: nothing is judged by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its object has other bytes now.
    Changed,
    /// Its object was not found at its source.
    Gone,
    /// Its source could not be read.
    NotRead,
    /// The exhibit was made without recordings.
    NotAskedFor,
    /// A reason that this version does not know; shortened and escaped.
    Other(String),
}

impl Reason {
    fn of(text: &str) -> Self {
        match text {
            "changed" => Self::Changed,
            "gone" => Self::Gone,
            "not-read" => Self::NotRead,
            "not-asked-for" => Self::NotAskedFor,
            other => Self::Other(printable_within(other, TEXT_BYTES_MAX)),
        }
    }

    /// As the entry has it.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::NotRead => "not-read",
            Self::NotAskedFor => "not-asked-for",
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("its object has other bytes now"),
            Self::Gone => f.write_str("its object was not found at its source"),
            Self::NotRead => f.write_str("its source could not be read"),
            Self::NotAskedFor => f.write_str("this exhibit was made without recordings"),
            Self::Other(text) => write!(f, "\"{text}\""),
        }
    }
}

/// What is left out of an exhibit, and why: index of the entry, and what the file is to it.
pub type LeftOut = BTreeMap<(u64, Packed), Reason>;

pub(crate) fn value((index, role): (u64, Packed), reason: &Reason) -> Value {
    Value::string(SOURCE, &format!("/{index}/{role}"), reason.code())
}

/// Reads a field of this source; in another form it says nothing.
pub(crate) fn read(value: &Value) -> Option<((u64, Packed), Reason)> {
    let (index, role) = value.pointer.strip_prefix('/')?.split_once('/')?;
    let role = Packed::of(role).filter(|known| known.to_string() == role)?;
    Some(((decimal(index)?, role), Reason::of(&value.value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: X22
    #[test]
    fn a_reason_is_read_as_it_was_written_and_in_another_form_it_says_nothing() {
        for reason in [Reason::Changed, Reason::Gone, Reason::NotRead, Reason::NotAskedFor] {
            for role in [Packed::Recording, Packed::Companion(0), Packed::Companion(12)] {
                let written = value((7, role), &reason);
                assert_eq!(read(&written), Some(((7, role), reason.clone())));
            }
        }
        for pointer in
            ["", "/", "/7", "/7/", "/07/recording", "/7/recording.opus", "/7/x", "7/recording"]
        {
            assert_eq!(read(&Value::string(SOURCE, pointer, "gone")), None, "{pointer}");
        }
        let other = read(&Value::string(SOURCE, "/7/recording", &"\u{1b}".repeat(99)));
        let Some((_, Reason::Other(text))) = other else { panic!("{other:?}") };
        assert!(text.len() <= TEXT_BYTES_MAX && text.is_ascii(), "{text}");
    }
}
