//! Seals what was observed of objects after their recordings were sealed: gone, and back (spec/entry.md).

use unbroken_evidence::body::{Body, Ref, Rel, Subject};
use unbroken_evidence::field::{FieldSet, Value};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::time::Time;
use unbroken_evidence::vocabulary::{object, observation};
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::Ledger;
use unbroken_ledger::private::{Row, Watched};
use unbroken_ledger::random::{Seed, SystemRandom};
use unbroken_ledger::seal::NewEntry;

use crate::abreast::abreast;
use crate::error::{ObjectError, Problem};
use crate::expiry::expected;
use crate::presence::{Change, Changes};
use crate::source::Source;
use crate::summary::Summary;
use crate::worker::{Work, no_randomness};

/// Observations that are sealed together.
const AT_ONCE: usize = 512;

/// Looks at each object that is not listed any more, or is again, and seals what it finds.
pub(crate) fn presence(
    ledger: &mut Ledger,
    work: &Work<'_>,
    Changes { list: changes, more }: Changes,
    summary: &mut Summary,
) -> Result<(), LedgerError> {
    if more > 0 {
        let what = format!(
            "objects that are gone or back beside those named here: {more}; the next run looks at them"
        );
        summary.problem(Problem::new(work.source.location().as_bytes(), what));
    }
    let mut hidden = 0_u64;
    let mut changes = changes.into_iter().peekable();
    while changes.peek().is_some() {
        let some: Vec<Change> = changes.by_ref().take(AT_ONCE).collect();
        let looked = abreast(some, work.source.workers(), |change| {
            let is_there = work.source.is_there(&change.watched.key);
            (change, work.clock.now(), is_there)
        });
        let (mut entries, mut told) = (Vec::new(), Vec::new());
        for (change, at, is_there) in looked {
            match is_there {
                Err(ObjectError::Stopped) => return Ok(()),
                Err(error) => {
                    let what = format!("whether it is there cannot be told: {error}");
                    summary.problem(Problem::new(&change.watched.key, what));
                }
                Ok(is_there) if is_there == change.watched.gone => {
                    // What this run has sealed anew is there by that entry.
                    let newest = newest(ledger, &change)?;
                    if newest != Some(change.index) {
                        continue;
                    }
                    // Of what private.db has lost nothing can be said: an audit finds it.
                    let Some((leaf, _)) = ledger.private().opening(change.index)? else { continue };
                    let reason = match change.watched.gone {
                        true => None,
                        false => expected(ledger.private(), &change.watched, work.expires, at)?,
                    };
                    entries.push(entry_of(work.source, &change, leaf, (at, reason.as_deref()))?);
                    told.push((change, reason.is_some()));
                }
                // The listing left it out, or it came and went.
                Ok(is_there) => hidden += u64::from(is_there),
            }
        }
        let appended = ledger.append(entries)?;
        for (appended, (change, is_expected)) in appended.iter().zip(told) {
            if is_expected {
                summary.expired += 1;
                continue;
            }
            let problem = told_of(&change, summary);
            summary.problem(Problem { index: Some(appended.index), ..problem });
        }
    }
    if hidden > 0 {
        let what = format!(
            "sealed objects that are there and were not listed: {hidden}; the listing is not whole, and may hide new ones too"
        );
        summary.problem(Problem::new(work.source.location().as_bytes(), what));
    }
    Ok(())
}

/// The newest entry about the object of a change.
fn newest(ledger: &Ledger, Change { watched, .. }: &Change) -> Result<Option<u64>, LedgerError> {
    let newest = ledger.private().newest_watched(watched.source, &watched.key, None, 1)?;
    Ok(newest.into_iter().find(|(_, other)| other.key == watched.key).map(|(index, _)| index))
}

/// What is said of a change in the summary, which counts it.
fn told_of(Change { index, watched }: &Change, summary: &mut Summary) -> Problem {
    let what = if watched.gone {
        summary.back += 1;
        format!("it is there again; entry {index} says that it was not")
    } else {
        summary.gone += 1;
        let hold = if watched.held { "it was under a LEGAL HOLD, and " } else { "" };
        format!("{hold}it is not there any more; entry {index} is the newest about it")
    };
    Problem::new(&watched.key, what)
}

fn entry_of(
    source: &dyn Source,
    Change { index, watched }: &Change,
    leaf: Hash,
    (at, expected): (Time, Option<&str>),
) -> Result<NewEntry, LedgerError> {
    let what = if watched.gone { observation::BACK } else { observation::GONE };
    let hold = Value::string("before", "/object-lock/legal-hold", "ON");
    let mut values: Vec<Value> = watched.held.then_some(hold).into_iter().collect();
    let expected =
        expected.map(|why| Value::string(observation::SOURCE, observation::EXPECTED, why));
    values.extend(expected);
    // A hold that stood when it was seen last stands until somebody sees that it does not.
    let watched = Watched { gone: !watched.gone, checked: at.unix_ms(), ..watched.clone() };
    entry(source, Seen { what, index: *index, leaf, at }, values, watched)
}

/// What was seen, when, and the newest entry about it until then.
pub(crate) struct Seen {
    pub(crate) what: &'static str,
    pub(crate) index: u64,
    pub(crate) leaf: Hash,
    pub(crate) at: Time,
}

/// The entry of an observation: `values`, and what all observations say.
pub(crate) fn entry(
    source: &dyn Source,
    Seen { what, index, leaf, at }: Seen,
    mut values: Vec<Value>,
    watched: Watched,
) -> Result<NewEntry, LedgerError> {
    values.extend([
        Value::string(object::SOURCE, object::STORE, source.store()),
        Value::string(object::SOURCE, object::BUCKET, source.bucket()),
        Value::text_or_bytes(object::SOURCE, object::KEY, &watched.key),
    ]);
    let about = (Ref { index, leaf, rel: Rel::About }, watched.subject);
    observation((what, at), values, Some(about), Row { watched: Some(watched), ..Row::default() })
}

/// An observation of this and then, with `values`, about an entry of a subject where there is one.
pub(crate) fn observation(
    (what, at): (&str, Time),
    mut values: Vec<Value>,
    about: Option<(Ref, Subject)>,
    row: Row,
) -> Result<NewEntry, LedgerError> {
    values.extend([
        Value::string(observation::SOURCE, observation::WHAT, what),
        Value::string("observed", "/start", &at.to_string()),
        Value::string("observed", "/clock", "system clock"),
        Value::string("observed", "/offset", "not measured"),
    ]);
    let seed = Seed::draw(&mut SystemRandom::default()).map_err(no_randomness)?;
    let mut salts = seed.salts();
    let set = FieldSet::seal(values, &mut || salts.next_salt());
    let (refs, subject) = about.map_or((vec![], None), |(about, of)| (vec![about], Some(of)));
    let body = Body::Fields { fields: set.commitment(), refs };
    let row = Row { opening: Opening::of(set, None), seed: Some(seed), ..row };
    Ok(NewEntry { kind: Kind::Observation, subject, body, row })
}
