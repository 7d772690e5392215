//! `gap` entries: what a ledger cannot say, and since when. A run that was killed, a clock that went back, a time
//! in which nobody looked: each is sealed by the run that notices it.

use unbroken_evidence::field::Value;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::time::Time;
use unbroken_evidence::vocabulary::gap;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::Ledger;
use unbroken_ledger::private::{Lookup, Row};

use crate::passes::newest_first;
use crate::source::Source;

/// What was sealed of a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The index of its entry.
    pub index: u64,
    /// What it says, as a sentence.
    pub sentence: String,
}

/// How the sentence about a run begins that did not come to its end.
const NOT_ENDED: &str = "a run that sealed entries";
/// A clock may be put right by so much.
const PUT_RIGHT_MS: u64 = 1_000;

/// Seals what earlier runs left open, before a run looks at anything.
///
/// # Errors
/// Those of the ledger.
pub(crate) fn left_open(ledger: &mut Ledger) -> Result<Vec<Gap>, LedgerError> {
    let mut newest = None;
    newest_first(ledger.private(), ledger.size(), &mut |pass| {
        newest = Some(pass);
        false
    })?;
    let mut gaps = Vec::new();
    let ended = newest.as_ref().and_then(|pass| Time::parse(&pass.ended).ok());
    let now = ledger.now();
    if let Some(ended) = ended.filter(|end| end.unix_ms() > now.unix_ms() + PUT_RIGHT_MS) {
        let back = (ended.unix_ms() - now.unix_ms()) / 1_000;
        let sentence = format!("the clock went back by {back} s since the last run ended");
        let values = [("/clock/before", ended.to_string()), ("/clock/now", now.to_string())];
        gaps.push(seal(ledger, sentence, &values)?);
    }
    let from = newest.map_or(0, |pass| pass.index + 1);
    let from = from.max(told_up_to(ledger)?);
    if let Some((first, last)) = ledger.private().looked_at_between(from, ledger.size())? {
        let sentence = format!("{NOT_ENDED} {first} to {last} did not come to its end");
        let values = [("/entries", format!("{first}-{last}"))];
        gaps.push(seal(ledger, sentence, &values)?);
    }
    Ok(gaps)
}

/// One above the last `gap` entry about a run that did not come to its end.
fn told_up_to(ledger: &Ledger) -> Result<u64, LedgerError> {
    for index in ledger.private().find(Lookup::Kind, b"gap")?.into_iter().rev() {
        let Some((_, opening)) = ledger.private().opening(index)? else { continue };
        let what = opening.value(gap::SOURCE, "/what").unwrap_or_default();
        if what.starts_with(NOT_ENDED) {
            return Ok(index + 1);
        }
    }
    Ok(0)
}

/// Seals that a source was not looked at to its end between two times, though it was to be.
///
/// # Errors
/// Those of the ledger.
pub fn not_looked_at(
    ledger: &mut Ledger,
    source: &dyn Source,
    (from, to): (&str, &str),
    schedule: &str,
) -> Result<Gap, LedgerError> {
    let sentence =
        format!("no look came to its end from {from} to {to}; the schedule is {schedule} now");
    let values = [
        ("/source/name", source.name().to_owned()),
        ("/source/scope", source.scope().to_owned()),
        ("/from", from.to_owned()),
        ("/to", to.to_owned()),
        ("/schedule", schedule.to_owned()),
    ];
    seal(ledger, sentence, &values)
}

fn seal(
    ledger: &mut Ledger,
    sentence: String,
    said: &[(&str, String)],
) -> Result<Gap, LedgerError> {
    let mut values = vec![Value::string(gap::SOURCE, "/what", &sentence)];
    values.extend(said.iter().map(|(pointer, value)| Value::string(gap::SOURCE, pointer, value)));
    let index = ledger.append_fields(Kind::Gap, values, Row::default())?.index;
    Ok(Gap { index, sentence })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use unbroken_evidence::vocabulary::pass;
    use unbroken_ledger::ledger::Surroundings;
    use unbroken_ledger::random::SystemRandom;
    use unbroken_ledger::seal::Clock;

    use super::*;

    /// A clock that a test sets.
    struct SetClock(AtomicU64);

    impl Clock for SetClock {
        fn now(&self) -> Time {
            Time::from_unix_ms(self.0.load(Ordering::Relaxed))
        }
    }

    fn end_of_a_run(ledger: &mut Ledger) {
        let text = |pointer: &str, value: &str| Value::string(pass::SOURCE, pointer, value);
        let ended = ledger.now().to_string();
        let values = vec![text("/source/name", "calls"), text("/ended", &ended)];
        ledger.append_fields(Kind::Pass, values, Row::default()).unwrap();
    }

    #[test]
    fn a_clock_that_went_back_is_sealed_once() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock(AtomicU64::new(1_795_158_060_000)));
        let surroundings = Surroundings {
            clock: Arc::<SetClock>::clone(&clock),
            random: Box::<SystemRandom>::default(),
            holder: "a test".to_owned(),
            remembers: None,
        };
        let path = folder.path().join("ledger");
        let mut ledger = Ledger::create(&path, "example.com/log", surroundings, None).unwrap();
        assert_eq!(left_open(&mut ledger).unwrap(), []);
        end_of_a_run(&mut ledger);
        assert_eq!(left_open(&mut ledger).unwrap(), []);
        // A second is what a time server puts right.
        clock.0.fetch_sub(1_000, Ordering::Relaxed);
        assert_eq!(left_open(&mut ledger).unwrap(), []);
        clock.0.fetch_sub(59_000, Ordering::Relaxed);
        let gaps = left_open(&mut ledger).unwrap();
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert_eq!(gaps[0].sentence, "the clock went back by 60 s since the last run ended");
        end_of_a_run(&mut ledger);
        assert_eq!(left_open(&mut ledger).unwrap(), []);
    }
}
