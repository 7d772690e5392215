//! What a recording's metadata declares of its time, and what is odd about that: said, never judged.

use std::fmt;

use crate::error::printable_within;
use crate::narrow::decimal;
use crate::time::{Time, declared_ms};
use crate::vocabulary::{object, observed, sidecar};

/// A declared time: as it was written, and in milliseconds since 1970 where its form is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// As it was written; shortened and escaped.
    pub text: String,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub ms: Option<i64>,
}

/// Bytes of a declared time that are kept; those of Genesys Cloud have 28.
const TEXT_BYTES_MAX: usize = 40;

impl Moment {
    fn read(text: &str) -> Self {
        Self { text: printable_within(text, TEXT_BYTES_MAX), ms: declared_ms(text) }
    }
}

/// What an opening shows of when a recording was made, changed and read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// When it began, by its metadata file.
    pub start: Option<Moment>,
    /// When it ended, by its metadata file.
    pub end: Option<Moment>,
    /// How long it is, by its metadata file, in milliseconds.
    pub duration_ms: Option<u64>,
    modified: Option<i64>,
    observed: Option<i64>,
}

/// Milliseconds by which a declared duration may be longer than its times, which are rounded.
const ROUNDING_MS: i64 = 1_000;
const DAY_MS: i64 = 86_400_000;
/// Days after its end at which sealing a recording is late.
const LATE_DAYS: i64 = 365;

impl Declared {
    /// Takes a field in, if it is one of these.
    pub(crate) fn take(&mut self, source: &str, pointer: &str, value: &str) {
        match (source, pointer) {
            (sidecar::SOURCE, sidecar::START) => self.start = Some(Moment::read(value)),
            (sidecar::SOURCE, sidecar::END) => self.end = Some(Moment::read(value)),
            (sidecar::SOURCE, sidecar::DURATION_MS) => self.duration_ms = decimal(value),
            (object::SOURCE, object::MODIFIED) => self.modified = declared_ms(value),
            (observed::SOURCE, observed::END) => self.observed = declared_ms(value),
            _ => {}
        }
    }

    /// How many milliseconds after the declared end `sealed` is; negative before it.
    #[must_use]
    pub fn sealed_after_ms(&self, sealed: Time) -> Option<i64> {
        let sealed = i64::try_from(sealed.unix_ms()).ok()?;
        Some(sealed.saturating_sub(self.end.as_ref()?.ms?))
    }

    /// What is odd about an entry that was sealed at `sealed`.
    #[must_use]
    pub fn odd(&self, sealed: Time) -> Vec<Odd> {
        let ms = |moment: &Option<Moment>| moment.as_ref().and_then(|moment| moment.ms);
        let span = ms(&self.end).zip(ms(&self.start)).map(|(end, start)| end.saturating_sub(start));
        let duration = self.duration_ms.and_then(|duration| i64::try_from(duration).ok());
        let after = self.sealed_after_ms(sealed);
        let mut odd = Vec::new();
        if span.is_some_and(|span| span < 0) {
            odd.push(Odd::EndsBeforeItStarts);
        } else if span
            .zip(duration)
            .is_some_and(|(span, said)| said > span.saturating_add(ROUNDING_MS))
        {
            odd.push(Odd::LongerThanItsTimes);
        }
        match after {
            Some(after) if after < 0 => odd.push(Odd::SealedBeforeItsEnd),
            Some(after) if after > LATE_DAYS * DAY_MS => odd.push(Odd::SealedLate(after / DAY_MS)),
            _ => {}
        }
        if self.modified.zip(self.observed).is_some_and(|(modified, observed)| modified > observed)
        {
            odd.push(Odd::ModifiedAfterItWasRead);
        }
        odd
    }
}

/// Something odd about a recording (A9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// Its declared end is before its declared start.
    EndsBeforeItStarts,
    /// Its declared duration is longer than from declared start to declared end.
    LongerThanItsTimes,
    /// The entry was made before the declared end.
    SealedBeforeItsEnd,
    /// The entry was made so many days after the declared end.
    SealedLate(i64),
    /// The object was changed, as its store says, after it had been read.
    ModifiedAfterItWasRead,
    /// Its declared duration and the length by its own header lie more than two seconds apart.
    OtherLength,
    /// This entry, about another recording, commits to the same bytes.
    SameBytesAs(u64),
    /// Its path names another conversation or recording than its metadata.
    OtherNameInItsPath,
}

impl Odd {
    /// Its code (A9).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::EndsBeforeItStarts => "ends-before-it-starts",
            Self::LongerThanItsTimes => "longer-than-its-times",
            Self::SealedBeforeItsEnd => "sealed-before-its-end",
            Self::SealedLate(_) => "sealed-late",
            Self::ModifiedAfterItWasRead => "modified-after-it-was-read",
            Self::OtherLength => "other-length",
            Self::SameBytesAs(_) => "same-bytes",
            Self::OtherNameInItsPath => "other-name-in-its-path",
        }
    }
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndsBeforeItStarts => {
                f.write_str("its declared end is before its declared start")
            }
            Self::LongerThanItsTimes => f.write_str(
                "its declared duration is longer than from declared start to declared end",
            ),
            Self::SealedBeforeItsEnd => f.write_str("it was sealed before its declared end"),
            Self::SealedLate(days) => {
                write!(f, "it was sealed more than {days} days after its declared end")
            }
            Self::ModifiedAfterItWasRead => {
                f.write_str("its store says that it was changed after the collector had read it")
            }
            Self::OtherLength => f.write_str("the length measured is not its declared duration"),
            Self::OtherNameInItsPath => {
                f.write_str("its path names another conversation or recording than its metadata")
            }
            Self::SameBytesAs(index) => {
                write!(f, "entry {index}, about another recording, commits to the same bytes")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEALED: &str = "2026-11-20T07:00:00.000Z";

    fn odd(values: &[(&str, &str, &str)]) -> Vec<Odd> {
        let mut declared = Declared::default();
        for (source, pointer, value) in values {
            declared.take(source, pointer, value);
        }
        declared.odd(Time::parse(SEALED).unwrap())
    }

    #[test]
    fn of_a_declared_time_no_more_is_kept_than_a_line_needs() {
        for text in ["\u{10ffff}".repeat(60_000), "9".repeat(60_000), "\u{1b}".repeat(39)] {
            let mut declared = Declared::default();
            declared.take("sidecar", "/startTime", &text);
            let kept = declared.start.unwrap().text;
            assert!(kept.len() <= TEXT_BYTES_MAX && kept.ends_with("..."), "{kept}");
        }
        let whole = "2023-08-29T23:19:04.873+0000";
        assert_eq!(Moment::read(whole).text, whole);
    }

    // spec: A8 A9
    #[test]
    fn what_is_odd_is_said_and_nothing_else() {
        let start = ("sidecar", "/startTime", "2026-11-20T06:00:00.000+0000");
        let end = ("sidecar", "/endTime", "2026-11-20T07:00:25.620+0100");
        let duration = |ms| ("sidecar", "/durationMs", ms);
        assert_eq!(odd(&[]), []);
        assert_eq!(odd(&[start, end, duration("25620")]), []);
        assert_eq!(odd(&[start, end, duration("20000")]), [], "pauses are cut");
        assert_eq!(odd(&[start, end, duration("26620")]), []);
        assert_eq!(odd(&[start, end, duration("26621")]), [Odd::LongerThanItsTimes]);
        let early = ("sidecar", "/endTime", "2026-11-20T05:59:59.999Z");
        assert_eq!(odd(&[start, early, duration("5")]), [Odd::EndsBeforeItStarts]);
        let future = ("sidecar", "/endTime", "2026-11-20T07:00:00.001Z");
        assert_eq!(odd(&[future]), [Odd::SealedBeforeItsEnd]);
        let old = |text| odd(&[("sidecar", "/endTime", text)]);
        assert_eq!(old("2025-11-20T07:00:00.000Z"), []);
        assert_eq!(old("2025-11-19T06:59:59.999Z"), [Odd::SealedLate(366)]);
        assert_eq!(old("last week"), []);
        let modified = ("object", "/modified", "2026-11-20T06:59:00.000Z");
        let read = |text| odd(&[modified, ("observed", "/end", text)]);
        assert_eq!(read("2026-11-20T06:59:00.000Z"), []);
        assert_eq!(read("2026-11-20T06:58:59.999Z"), [Odd::ModifiedAfterItWasRead]);
    }
}
