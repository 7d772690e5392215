//! When a job is due.

use std::time::Duration;

use unbroken_evidence::hash::Hash;

use crate::cron::Cron;

/// A look may be late by so much: another source was looked at, or another command held the ledger.
const GRACE_MS: u64 = 60_000;

/// When a job is due.
#[derive(Clone, Debug)]
pub enum When {
    /// At these times.
    Cron(Cron),
    /// So long after it began the last time, and up to `jitter` later, so that many machines do not ask at once.
    Every {
        /// From one beginning to the next.
        period: Duration,
        /// At most so much later.
        jitter: Duration,
    },
}

impl When {
    /// Whether a look was missed between two times, each in milliseconds since 1970: a second one was due.
    pub(crate) fn was_missed(&self, from: u64, to: u64, name: &str) -> bool {
        let first = self.due(Some(from), from, name);
        let second = self.due(Some(first), first, name);
        to > second.saturating_add(GRACE_MS)
    }

    /// How often, in words.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Cron(_) => "at the times of its cron expression".to_owned(),
            Self::Every { period, .. } => format!("every {} s", period.as_secs()),
        }
    }

    /// When it is due next, in milliseconds since 1970: at once, where it was due while nobody was there.
    /// `began` is when it began the last time, if it ever did; `name` tells one job's jitter from another's.
    #[must_use]
    pub fn due(&self, began: Option<u64>, now: u64, name: &str) -> u64 {
        // A clock that was ahead once must not stop the schedule until that time comes.
        if began.is_some_and(|began| began > now) {
            return now;
        }
        match (self, began) {
            (Self::Cron(cron), None) => cron.after(now).unwrap_or(u64::MAX),
            (Self::Cron(cron), Some(began)) => cron.after(began).unwrap_or(u64::MAX),
            (Self::Every { .. }, None) => now,
            (Self::Every { period, jitter }, Some(began)) => {
                let ms = |span: &Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
                let hash = Hash::of(&[name.as_bytes(), &began.to_be_bytes()]);
                let drawn = hash.as_bytes().iter().take(4);
                let drawn = drawn.fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
                let later = ms(jitter).saturating_mul(drawn) >> 32;
                began.saturating_add(ms(period)).saturating_add(later)
            }
        }
    }
}

/// A number and a unit: 90s, 90m, 26h, 7d.
///
/// # Errors
/// What was expected.
pub fn span(typed: &str) -> Result<Duration, String> {
    let wrong = || "give a number and a unit: 90s, 15m, 26h or 7d".to_owned();
    let seconds = match typed.chars().next_back() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return Err(wrong()),
    };
    let number = typed.get(..typed.len() - 1).unwrap_or_default().parse::<u32>();
    Ok(Duration::from_secs(u64::from(number.map_err(|_| wrong())?) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn a_job_that_was_due_while_nobody_was_there_is_due_at_once() {
        let hourly = When::Cron(Cron::parse("0 * * * *", None).unwrap());
        assert_eq!(hourly.due(None, 10, "a"), HOUR, "a first time is waited for");
        assert_eq!(hourly.due(Some(HOUR), 9 * HOUR, "a"), 2 * HOUR, "which is long ago");
        let period = Duration::from_secs(3_600);
        let every = When::Every { period, jitter: Duration::ZERO };
        assert_eq!((every.due(None, 7, "a"), every.due(Some(7), 8, "a")), (7, HOUR + 7));
        assert_eq!(every.due(Some(900), 8, "a"), 8, "a clock that was ahead");
    }

    #[test]
    fn a_look_was_missed_when_a_second_one_was_due() {
        let period = Duration::from_secs(3_600);
        let every = When::Every { period, jitter: Duration::ZERO };
        assert!(!every.was_missed(0, 2 * HOUR, "a") && !every.was_missed(HOUR, HOUR, "a"));
        assert!(every.was_missed(0, 2 * HOUR + GRACE_MS + 1, "a"));
        let hourly = When::Cron(Cron::parse("0 * * * *", None).unwrap());
        assert!(!hourly.was_missed(HOUR / 2, 2 * HOUR, "a"));
        assert!(hourly.was_missed(HOUR / 2, 2 * HOUR + GRACE_MS + 1, "a"));
    }

    #[test]
    fn jitter_is_never_longer_than_it_may_be_and_differs_from_job_to_job() {
        let period = Duration::from_secs(3_600);
        let every = When::Every { period, jitter: Duration::from_secs(600) };
        let late: Vec<u64> =
            (0..100).map(|n| every.due(Some(0), 0, &format!("s{n}")) - HOUR).collect();
        assert!(late.iter().all(|late| *late < 600_000));
        assert!(late.iter().any(|late| *late < 100_000) && late.iter().any(|late| *late > 500_000));
    }

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (typed, seconds) in [("90s", 90), ("90m", 5_400), ("26h", 93_600), ("7d", 604_800)] {
            assert_eq!(span(typed).map(|span| span.as_secs()), Ok(seconds));
        }
        for wrong in ["", "h", "26", "-1h", "1.5h", "26 h", "1w", "26hh", "26\u{e9}"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
