//! A state pass: looks at tags, locks and holds of sealed objects again, and seals what is another. A hold that
//! was lifted is no news to a listing, for the object itself stays as it was.

mod compare;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use unbroken_evidence::body::Subject;
use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::time::Time;
use unbroken_evidence::vocabulary::{object, observation};
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::Ledger;
use unbroken_ledger::private::{Lookup, ObjectState, Private, Row, Watched};

use self::compare::{Change, State, changes, is_held, kept, said, state};
use crate::abreast::abreast;
use crate::error::{IngestError, ObjectError, Problem, SourceError};
use crate::gaps::{self, Gap};
use crate::observe::{self, Seen};
use crate::pass;
use crate::run::Context;
use crate::source::{Attribute, Source};
use crate::summary::PROBLEMS_KEPT;

/// Objects that are looked at before anything is written.
const AT_ONCE: usize = 128;
/// How often a checkpoint is signed and published meanwhile.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// What a state pass did.
#[derive(Debug, Default)]
pub struct StateSummary {
    /// What earlier runs had left open.
    pub gaps: Vec<Gap>,
    /// When it began.
    pub started: String,
    /// Objects that it had to look at.
    pub objects: u64,
    /// Objects whose state was read.
    pub checked: u64,
    /// Those under legal hold now.
    pub held: u64,
    /// Objects whose tags, lock or hold are others than before.
    pub changed: u64,
    /// Objects whose state could not be read.
    pub unread: u64,
    /// Problems found, at most [`PROBLEMS_KEPT`].
    pub problems: Vec<Problem>,
    /// All problems.
    pub problem_count: u64,
    /// The index of the `pass` entry.
    pub pass: u64,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// Why the source was given up before its end, if it was.
    pub broke_off: Option<SourceError>,
}

impl StateSummary {
    /// The exit code: 130 interrupted, 4 where the source was given up, 2 with problems, otherwise 0.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match (self.interrupted, &self.broke_off, self.problem_count) {
            (true, ..) => 130,
            (false, Some(_), _) => 4,
            (false, None, 0) => 0,
            (false, None, _) => 2,
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_KEPT {
            self.problems.push(problem);
        }
    }
}

/// Looks at what is sealed of `source`, at most `rate` objects a second; begins with what is held, and then
/// with what was not looked at for the longest time, so that a pass that was stopped goes on where it was.
///
/// # Errors
/// What stops the whole pass.
pub fn run(
    ledger: &mut Ledger,
    source: &dyn Source,
    rate: Option<u32>,
    context: &Context<'_>,
) -> Result<StateSummary, IngestError> {
    let known = ledger.private().sources()?.into_iter().find(|(_, name, _)| name == source.name());
    let Some((number, name, known)) = known else {
        return Err(SourceError::Unknown { name: source.name().to_owned() }.into());
    };
    if known != source.location() {
        let given = source.location().to_owned();
        return Err(SourceError::Moved { name, known, given }.into());
    }
    let to_check = ledger.private().to_check(number, source.scope().as_bytes())?;
    let gaps = gaps::left_open(ledger)?;
    let started = ledger.now().to_string();
    let first = ledger.size();
    let objects = to_check.len() as u64;
    let mut summary = StateSummary { gaps, started, objects, ..StateSummary::default() };
    context.progress.listed.store(summary.objects, Ordering::Relaxed);
    context.progress.listing_ended.store(true, Ordering::Relaxed);
    let mut checkpointed = Instant::now();
    for some in to_check.chunks(AT_ONCE) {
        if checkpointed.elapsed() > CHECKPOINT_EVERY {
            ledger.checkpoint()?;
            checkpointed = Instant::now();
        }
        let began = Instant::now();
        look(ledger, source, some, context, &mut summary)?;
        if context.stop.load(Ordering::Relaxed) {
            summary.interrupted = true;
            break;
        }
        summary.broke_off = source.given_up();
        if summary.broke_off.is_some() {
            break;
        }
        pace(rate, some.len(), began, context);
    }
    source.remarks().into_iter().for_each(|problem| summary.problem(problem));
    summary.pass = seal(ledger, source, first, context, &summary)?;
    ledger.checkpoint()?;
    Ok(summary)
}

/// Waits until so many objects have taken as long as `rate` demands, or until a stop.
fn pace(rate: Option<u32>, count: usize, began: Instant, context: &Context<'_>) {
    let Some(rate) = rate.filter(|rate| *rate > 0) else { return };
    let whole = Duration::from_secs_f64(count as f64 / f64::from(rate));
    while began.elapsed() < whole && !context.stop.load(Ordering::Relaxed) {
        std::thread::sleep((whole - began.elapsed().min(whole)).min(Duration::from_millis(100)));
    }
}

/// One object before it is looked at.
struct Before {
    index: u64,
    leaf: Hash,
    version: String,
    watched: Watched,
    /// The state that its entries say.
    then: State,
}

fn look(
    ledger: &mut Ledger,
    source: &dyn Source,
    indices: &[u64],
    context: &Context<'_>,
    summary: &mut StateSummary,
) -> Result<(), LedgerError> {
    let mut before = Vec::with_capacity(indices.len());
    for index in indices {
        // Of what private.db has lost nothing can be compared: an audit finds it.
        if let Some((leaf, _)) = ledger.private().opening(*index)?
            && let Some(watched) = ledger.private().watched(*index)?
        {
            let (then, version) = last_told(ledger.private(), *index, watched.subject)?;
            before.push(Before { index: *index, leaf, version, watched, then });
        }
    }
    let seen = spread_over(before, source, context);
    let (mut entries, mut told, mut looked) = (Vec::new(), Vec::new(), Vec::new());
    for (before, at, now) in seen {
        let key = &before.watched.key;
        let now = match now {
            Err(ObjectError::Stopped) => continue,
            // The next content pass looks whether it is really gone.
            Err(error) => {
                summary.unread += 1;
                let what = format!("its tags, lock and hold could not be read: {error}");
                summary.problem(Problem::new(key, what));
                continue;
            }
            Ok(None) => continue,
            Ok(Some(now)) => state(&now),
        };
        summary.checked += 1;
        summary.held += u64::from(is_held(&now));
        let changes = changes(&before.then, &now);
        if changes.is_empty() {
            looked.push((before.index, at.unix_ms()));
            continue;
        }
        let what = format!("{}; entry {} is the newest about it", said(&changes), before.index);
        told.push((key.clone(), what));
        entries.push(entry(source, &before, &changes, &now, at)?);
    }
    ledger.private_mut().checked(&looked)?;
    for (appended, (key, what)) in ledger.append(entries)?.iter().zip(told) {
        summary.changed += 1;
        summary.problem(Problem { index: Some(appended.index), ..Problem::new(&key, what) });
    }
    Ok(())
}

type Looked = (Before, Time, Result<Option<Vec<Attribute>>, ObjectError>);

fn spread_over(before: Vec<Before>, source: &dyn Source, context: &Context<'_>) -> Vec<Looked> {
    abreast(before, source.workers(), |before| {
        let ask = |by_name| source.state(&before.watched.key, &before.version, by_name);
        let is_missing = |now: &Option<Vec<Attribute>>| {
            let now = now.as_deref().map(state);
            now.is_some_and(|now| changes(&before.then, &now).iter().any(|c| c.after.is_none()))
        };
        let now = if context.stop.load(Ordering::Relaxed) {
            Err(ObjectError::Stopped)
        } else {
            // A right that is taken away meanwhile, or in this folder alone, looks like a hold that was lifted.
            ask(false).and_then(|now| if is_missing(&now) { ask(true) } else { Ok(now) })
        };
        context.progress.done.fetch_add(1, Ordering::Relaxed);
        (before, context.clock.now(), now)
    })
}

/// What is another of tags, lock and hold than the entries about a recording say, in words.
pub(crate) fn since(
    private: &Private,
    (index, known): (u64, &ObjectState),
    now: &[Attribute],
) -> Result<Option<String>, LedgerError> {
    let newest = private.newest_watched(known.source, &known.key, None, 1)?;
    let newest = newest.into_iter().find(|(_, watched)| watched.key == known.key);
    let newest = newest.map_or(index, |(newest, _)| newest);
    let (then, _) = last_told(private, newest, known.subject)?;
    let changes = changes(&then, &state(now));
    Ok((!changes.is_empty()).then(|| said(&changes)))
}

/// The state that the entries about a recording say, up to the one at `newest`, and the version of its object:
/// of each part what the newest of them that could read it says.
fn last_told(
    private: &Private,
    newest: u64,
    subject: Subject,
) -> Result<(State, String), LedgerError> {
    let mut told = State::new();
    let mut version = None;
    let about = private.find(Lookup::Subject, &subject.0)?;
    for index in about.into_iter().rev().filter(|index| *index <= newest) {
        // A lookup is eight bytes of a hash: another recording may share them.
        if private.watched(index)?.is_none_or(|watched| watched.subject != subject) {
            continue;
        }
        let Some((_, opening)) = private.opening(index)? else { continue };
        let named = opening.value(object::SOURCE, object::VERSION).map(str::to_owned);
        version = version.or(named);
        compare::add_older(&mut told, kept(&opening));
        if compare::tells_all(&told) && version.is_some() {
            break;
        }
    }
    Ok((told, version.unwrap_or_default()))
}

fn entry(
    source: &dyn Source,
    before: &Before,
    changes: &[Change],
    now: &State,
    at: Time,
) -> Result<unbroken_ledger::seal::NewEntry, LedgerError> {
    let mut values: Vec<Value> = now
        .iter()
        .map(|((source, pointer), value)| Value::string(source, pointer, value))
        .collect();
    for Change { name: (source, pointer), before, .. } in changes {
        if let Some(before) = before {
            values.push(Value::string("before", &format!("/{source}{pointer}"), before));
        }
    }
    values.push(Value::string(object::SOURCE, object::VERSION, &before.version));
    // Where a hold may not be seen any more, it stands until somebody sees that it does not.
    let held = is_held(now) || before.watched.held && !compare::tells_of_holds(now);
    let watched = Watched { held, checked: at.unix_ms(), ..before.watched.clone() };
    observe::entry(
        source,
        Seen { what: observation::CHANGED, index: before.index, leaf: before.leaf, at },
        values,
        watched,
    )
}

fn seal(
    ledger: &mut Ledger,
    source: &dyn Source,
    first: u64,
    context: &Context<'_>,
    summary: &StateSummary,
) -> Result<u64, LedgerError> {
    let mut values = pass::of_any(ledger, source, &context.software, (&summary.started, first));
    values.push(Value::string("pass", "/kind", "state"));
    let outcome = match &summary.broke_off {
        Some(_) => "the source was given up",
        None if summary.interrupted => "interrupted",
        None => "finished",
    };
    values.push(Value::string("pass", "/outcome", outcome));
    for (name, count) in [
        ("objects", summary.objects),
        ("checked", summary.checked),
        ("held", summary.held),
        ("changed", summary.changed),
        ("unread", summary.unread),
    ] {
        values.push(Value::number("pass", &format!("/counts/{name}"), count));
    }
    Ok(ledger.append_fields(Kind::Pass, values, Row::default())?.index)
}
