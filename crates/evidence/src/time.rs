//! The one form of a time in this project: `2026-11-20T07:00:00.123Z`, 24 characters, UTC.

use std::fmt;

use crate::error::FormError;
use crate::narrow::decimal;

/// A UTC time in milliseconds since 1970-01-01T00:00:00Z; years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

const DAY_MS: u64 = 86_400_000;
const END_MS: u64 = 253_402_300_800_000;

impl Time {
    /// The time `milliseconds` after the epoch; the last millisecond of 9999 when it is later.
    #[must_use]
    pub const fn from_unix_ms(milliseconds: u64) -> Self {
        Self(if milliseconds < END_MS { milliseconds } else { END_MS - 1 })
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn unix_ms(self) -> u64 {
        self.0
    }

    /// Reads exactly the 24-character form of a real date.
    ///
    /// # Errors
    /// `Malformed` for any other form, a date that does not exist, or a second above 59.
    pub fn parse(text: &str) -> Result<Self, FormError> {
        Self::read(text).filter(|time| time.to_string() == text).ok_or_else(|| {
            FormError::malformed("time", "a real UTC time like 2026-11-20T07:00:00.123Z", text)
        })
    }

    fn read(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| {
            let digits = text.get(range)?;
            let trimmed = digits.trim_start_matches('0');
            if trimmed.is_empty() { Some(0) } else { decimal(trimmed) }
        };
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        let in_range = year >= 1970 && (1..=12).contains(&month) && (1..=31).contains(&day);
        if !in_range || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = (hour * 60 + minute) * 60 + second;
        let ms = days_since_epoch(year, month, day) * DAY_MS + seconds * 1_000 + number(20..23)?;
        Some(Self(ms))
    }
}

/// Milliseconds since 1970 of a time that a file declares: `2023-08-29T23:19:04.873+0000` and its like, a
/// fraction of at most nine digits or none, and `Z`, `+hhmm` or `+hh:mm`. `None` for any other form.
#[must_use]
pub fn declared_ms(text: &str) -> Option<i64> {
    let (clock, rest) = text.split_at_checked(19)?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        None => ("", rest),
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
    };
    if fraction.len() > 9 || rest.starts_with('.') && fraction.is_empty() {
        return None;
    }
    let whole = Time::parse(&format!("{clock}.{:0<3.3}Z", fraction)).ok()?;
    let offset = match zone.as_bytes() {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), digits @ ..] => {
            let digits: Vec<i64> = match digits {
                [a, b, c, d] | [a, b, b':', c, d] => [a, b, c, d],
                _ => return None,
            }
            .into_iter()
            .map(|digit| char::from(*digit).to_digit(10).map(i64::from))
            .collect::<Option<_>>()?;
            let [hours, minutes] =
                [0, 2].map(|at| digits.iter().skip(at).take(2).fold(0, |n, d| n * 10 + d));
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = hours * 60 + minutes;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    Some(i64::try_from(whole.unix_ms()).ok()? - offset * 60_000)
}

/// Days from 1970-01-01; Howard Hinnant's `days_from_civil`, for years from 1970 on.
const fn days_since_epoch(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, ms) = (self.0 / DAY_MS + 719_468, self.0 % DAY_MS);
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
        let (second, milli) = (ms / 1_000 % 60, ms % 1_000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: A9
    #[test]
    fn a_declared_time_is_compared_where_its_zone_is_known() {
        let utc = 1_693_351_144_873;
        for (text, ms) in [
            ("2023-08-29T23:19:04.873+0000", utc),
            ("2023-08-29T23:19:04.873Z", utc),
            ("2023-08-30T01:19:04.873+02:00", utc),
            ("2023-08-29T19:49:04.873-0330", utc),
            ("2023-08-29T23:19:04.873999999Z", utc),
            ("2023-08-29T23:19:04Z", utc - 873),
            ("1970-01-01T00:00:00.000+0100", -3_600_000),
        ] {
            assert_eq!(declared_ms(text), Some(ms), "{text}");
        }
        for text in [
            "2023-08-29T23:19:04.873",
            "2023-08-29 23:19:04.873Z",
            "2023-08-29T23:19:04.Z",
            "2023-08-29T23:19:04.1234567890Z",
            "2023-08-29T23:19:04+00",
            "2023-08-29T23:19:04+0a00",
            "2023-02-29T23:19:04Z",
            "2023-08-29T23:19:0\u{660}Z",
            "yesterday",
            "",
        ] {
            assert_eq!(declared_ms(text), None, "{text}");
        }
    }

    // spec: E9
    #[test]
    fn times_have_one_form_and_are_real_dates() {
        for (text, ms) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2000-02-29T23:59:59.999Z", 951_868_799_999),
            ("2026-11-20T07:00:00.123Z", 1_795_158_000_123),
            ("9999-12-31T23:59:59.999Z", END_MS - 1),
        ] {
            assert_eq!(Time::parse(text), Ok(Time(ms)), "{text}");
            assert_eq!(Time::from_unix_ms(ms).to_string(), text);
        }
        for text in [
            "2026-02-29T07:00:00.123Z",
            "2026-11-31T07:00:00.123Z",
            "2026-13-01T07:00:00.123Z",
            "2026-11-20T24:00:00.000Z",
            "2026-11-20T07:00:60.000Z",
            "2026-11-20T07:00:00Z",
            "2026-11-20t07:00:00.123Z",
            "2026-11-20 07:00:00.123Z",
            "2026-11-20T07:00:00.123+",
            "2026-11-20T07:00:00.123Z ",
            "+026-11-20T07:00:00.123Z",
            "1969-12-31T23:59:59.999Z",
            "",
        ] {
            assert!(Time::parse(text).is_err(), "{text}");
        }
        for day in 0..(END_MS / DAY_MS) {
            let time = Time(day * DAY_MS + day % DAY_MS);
            assert_eq!(Time::parse(&time.to_string()), Ok(time));
        }
    }
}
