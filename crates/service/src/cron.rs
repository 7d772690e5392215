//! Cron expressions: minute, hour, day of the month, month, day of the week.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use unbroken_evidence::error::printable;

/// When something is to be done, in a time zone.
#[derive(Clone, Debug)]
pub struct Cron {
    minutes: BTreeSet<u8>,
    hours: BTreeSet<u8>,
    days: BTreeSet<u8>,
    months: BTreeSet<u8>,
    weekdays: BTreeSet<u8>,
    /// Where both are given, a day of the month or one of the week is enough, as cron always had it.
    either_day: bool,
    zone: TimeZone,
}

/// Days that are looked at for the next time: in eight years every date comes once.
const DAYS_AHEAD: i32 = 8 * 366;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Cron {
    /// Reads five fields; the zone is a name of the IANA database, UTC where there is none.
    ///
    /// # Errors
    /// What was expected and what was found.
    pub fn parse(expression: &str, zone: Option<&str>) -> Result<Self, String> {
        let zone = match zone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name)
                .map_err(|_| format!("no time zone is called {}", printable(name)))?,
        };
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            let found = fields.len();
            let expected =
                "expected five fields: minute, hour, day of the month, month, day of the week";
            return Err(format!("{expected}; found {found}"));
        };
        let mut week = field("day of the week", weekdays, (0, 7), &WEEKDAYS)?;
        if week.remove(&7) {
            week.insert(0);
        }
        let cron = Self {
            minutes: field("minute", minutes, (0, 59), &[])?,
            hours: field("hour", hours, (0, 23), &[])?,
            days: field("day of the month", days, (1, 31), &[])?,
            months: field("month", months, (1, 12), &MONTHS)?,
            weekdays: week,
            either_day: !days.starts_with('*') && !weekdays.starts_with('*'),
            zone,
        };
        match cron.after(0) {
            Some(_) => Ok(cron),
            None => Err(format!("{} never comes", printable(expression))),
        }
    }

    /// The first time after `now`, both in milliseconds since 1970. A time that the clocks skip comes as much
    /// later; one that they show twice comes once.
    #[must_use]
    pub fn after(&self, now: u64) -> Option<u64> {
        let now = Timestamp::from_millisecond(i64::try_from(now).ok()?).ok()?;
        let mut date = self.zone.to_datetime(now).date();
        for _ in 0..DAYS_AHEAD {
            if self.comes_on(date) {
                for (hour, minute) in self.times() {
                    let at = DateTime::from_parts(date, jiff::civil::time(hour, minute, 0, 0));
                    let at = self.zone.to_ambiguous_timestamp(at).compatible().ok()?;
                    if at > now {
                        return u64::try_from(at.as_millisecond()).ok();
                    }
                }
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }

    fn times(&self) -> impl Iterator<Item = (i8, i8)> {
        let small = |number: u8| i8::try_from(number).unwrap_or(0);
        let of = move |hour: &u8| {
            let hour = small(*hour);
            self.minutes.iter().map(move |minute| (hour, small(*minute)))
        };
        self.hours.iter().flat_map(of)
    }

    fn comes_on(&self, date: Date) -> bool {
        let number = |small: i8| u8::try_from(small).unwrap_or(0);
        let day = self.days.contains(&number(date.day()));
        let weekday = number(date.weekday().to_sunday_zero_offset());
        let weekday = self.weekdays.contains(&weekday);
        let fits = if self.either_day { day || weekday } else { day && weekday };
        fits && self.months.contains(&number(date.month()))
    }
}

/// `*`, `7`, `1-5`, `*/15`, `10-50/10`, `mon`, and lists of them.
fn field(
    name: &str,
    written: &str,
    (low, high): (u8, u8),
    words: &[&str],
) -> Result<BTreeSet<u8>, String> {
    let wrong = || {
        let written = printable(written);
        format!(
            "{name}: expected numbers from {low} to {high}, as 7, 1-5, */15 or 1,3; found {written}"
        )
    };
    let number = |text: &str| {
        let word = words.iter().position(|word| text.eq_ignore_ascii_case(word));
        // Months are counted from 1, days of the week from 0.
        let word = word.and_then(|place| u8::try_from(place).ok()?.checked_add(low));
        let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = word.or_else(|| text.parse().ok().filter(|_| all_digits));
        number.filter(|number| (low..=high).contains(number)).ok_or_else(wrong)
    };
    let mut all = BTreeSet::new();
    for part in written.split(',') {
        let (range, step) = match part.split_once('/') {
            None => (part, 1),
            Some((range, step)) => (range, step.parse().ok().filter(|s| *s > 0).ok_or_else(wrong)?),
        };
        let (from, to) = match (range, range.split_once('-')) {
            ("*", _) => (low, high),
            (_, Some((from, to))) => (number(from)?, number(to)?),
            (one, None) if part.contains('/') => (number(one)?, high),
            (one, None) => (number(one)?, number(one)?),
        };
        if from > to {
            return Err(wrong());
        }
        all.extend((from..=to).step_by(step));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(time: &str) -> u64 {
        u64::try_from(time.parse::<Timestamp>().unwrap().as_millisecond()).unwrap()
    }

    fn after(expression: &str, zone: Option<&str>, now: &str) -> String {
        let next = Cron::parse(expression, zone).unwrap().after(ms(now)).unwrap();
        Timestamp::from_millisecond(i64::try_from(next).unwrap()).unwrap().to_string()
    }

    #[test]
    fn the_next_time_is_the_first_that_fits() {
        for (expression, now, next) in [
            ("*/15 * * * *", "2026-11-28T00:00:00Z", "2026-11-28T00:15:00Z"),
            ("*/15 * * * *", "2026-11-28T00:14:59.999Z", "2026-11-28T00:15:00Z"),
            ("0 2 * * *", "2026-11-28T02:00:00Z", "2026-11-29T02:00:00Z"),
            ("30 6 * * mon-fri", "2026-11-28T00:00:00Z", "2026-11-30T06:30:00Z"),
            ("0 0 29 feb *", "2026-11-28T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 1 * *", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
            ("0 0 * * 7", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"),
            // The 13th, or any Friday.
            ("0 0 13 * fri", "2026-11-28T00:00:00Z", "2026-12-04T00:00:00Z"),
            ("5,10 1-3/2 * * *", "2026-11-28T01:06:00Z", "2026-11-28T01:10:00Z"),
            ("50/5 * * * *", "2026-11-28T00:51:00Z", "2026-11-28T00:55:00Z"),
        ] {
            assert_eq!(after(expression, None, now), next, "{expression}");
        }
    }

    #[test]
    fn a_time_that_the_clocks_skip_comes_later_and_one_that_they_repeat_comes_once() {
        let london = Some("Europe/London");
        assert_eq!(after("0 2 * * *", london, "2026-07-01T00:00:00Z"), "2026-07-01T01:00:00Z");
        // 2027-03-28: from 01:00 to 02:00.
        assert_eq!(after("30 1 * * *", london, "2027-03-28T00:00:00Z"), "2027-03-28T01:30:00Z");
        // 2026-10-25: 01:30 twice.
        assert_eq!(after("30 1 * * *", london, "2026-10-25T00:00:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(after("30 1 * * *", london, "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        let refused = |expression: &str| Cron::parse(expression, None).unwrap_err();
        assert!(
            refused("* * * *").contains("expected five fields") && refused("").contains("found 0")
        );
        for wrong in [
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "+5 * * * *",
            "1,,2 * * * *",
            "* * * * monday",
        ] {
            assert!(refused(wrong).contains("expected numbers"), "{wrong}");
        }
        assert_eq!(refused("0 0 30 feb *"), "0 0 30 feb * never comes");
        let zone = Cron::parse("* * * * *", Some("Mars/Olympus")).unwrap_err();
        assert_eq!(zone, "no time zone is called Mars/Olympus");
    }
}
