//! Versions of objects that are not there any more under their keys, and delete markers. A run that is asked for
//! them seals those of recordings before it looks at what is there now, the oldest first, so that each entry
//! supersedes the one before it; of all others it tells at its end, when it knows what they belong to.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

use unbroken_evidence::body::{Ref, Rel, Subject};
use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::vocabulary::{companion, observation, version};
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::{Ledger, private_path};
use unbroken_ledger::private::{Lookup, Private, Row, Settled, object_value};
use unbroken_ledger::seal::NewEntry;

use crate::abreast::abreast_with;
use crate::error::{ObjectError, Problem};
use crate::observe;
use crate::run::CHECKPOINT_EVERY;
use crate::source::{Listed, Next, Version, Versions};
use crate::summary::Summary;
use crate::worker::earlier::{Earlier, Told};
use crate::worker::{Tools, Work};

/// Keys whose versions are looked at together.
const KEYS_AT_ONCE: usize = 256;
/// Versions that one run tells of; the next one goes on with the rest.
const TOLD_MAX: usize = 100_000;
/// Observations that are sealed together.
const AT_ONCE: usize = 512;
/// Entries that are looked at for the one that a companion belongs to.
const CANDIDATES_MAX: usize = 256;

/// A key of which versions wait to be looked at.
struct Waiting {
    /// All its versions, the oldest first.
    ids: Vec<String>,
    left: VecDeque<Version>,
}

/// What is done about the versions of a source.
struct History<'a> {
    work: &'a Work<'a>,
    ledger: &'a mut Ledger,
    summary: &'a mut Summary,
    private: PathBuf,
    told: Vec<Told>,
    /// So many more are to be told of.
    more: u64,
    /// Some could not be read, or are beyond those of a key that are looked at.
    left_some: bool,
    checkpointed: Instant,
}

/// Seals the earlier versions of recordings; gives what is to be told of at the end of the run.
pub(crate) fn seal(
    ledger: &mut Ledger,
    work: &Work<'_>,
    summary: &mut Summary,
) -> Result<Vec<Told>, LedgerError> {
    let private = private_path(ledger.folder());
    let mut history = History {
        work,
        ledger,
        summary,
        private,
        told: Vec::new(),
        more: 0,
        left_some: false,
        checkpointed: Instant::now(),
    };
    let (mut waiting, mut failed) = (Vec::new(), None);
    let listed = work.source.versions(&mut |versions| {
        let taken = history.waiting(versions).and_then(|new| {
            waiting.extend(new);
            let is_full = waiting.len() >= KEYS_AT_ONCE;
            if is_full { history.work_off(std::mem::take(&mut waiting)) } else { Ok(()) }
        });
        failed = taken.err();
        let is_over = failed.is_some() || work.stop.load(Ordering::Relaxed);
        if is_over { Next::Stop } else { Next::More }
    });
    failed.map_or(Ok(()), Err)?;
    history.work_off(waiting)?;
    let History { told, more, left_some, .. } = history;
    let (location, is_listed) = (work.source.location().as_bytes(), listed.is_ok());
    if let Err(error) = listed {
        let what = format!("earlier versions cannot be listed: {error}; {}", error.hint());
        summary.problem(Problem::new(location, what));
    }
    let is_stopped = work.stop.load(Ordering::Relaxed);
    summary.all_versions = is_listed && more == 0 && !left_some && !is_stopped;
    if more > 0 {
        let what =
            format!("earlier versions beside those of this run: {more}; the next run goes on");
        summary.problem(Problem::new(location, what));
    }
    ledger.checkpoint()?;
    Ok(told)
}

impl History<'_> {
    /// What is left to do about the versions of a key.
    fn waiting(&mut self, versions: Versions) -> Result<Option<Waiting>, LedgerError> {
        let Versions { list, left_out } = versions;
        let Some(key) = list.first().map(|version| version.listed.key.clone()) else {
            return Ok(None);
        };
        if key.ends_with(b"/") || !self.work.keys.wants(&key) {
            return Ok(None);
        }
        if left_out > 0 {
            self.left_some = true;
            let what = format!("it has {left_out} older versions, of which nothing is told");
            self.summary.problem(Problem::new(&key, what));
        }
        let ids = list.iter().map(|version| version.listed.version.clone()).collect();
        let mut left = VecDeque::new();
        for version in list {
            // What is there now is looked at by the run itself.
            let is_earlier = version.is_marker || !version.is_latest;
            let dealt_with = dealt_with(self.work.number, &version.listed);
            let private = self.ledger.private();
            if !is_earlier || private.is_settled(&dealt_with)? {
                continue;
            }
            if is_told(private, self.work, &version.listed)? {
                self.ledger.private_mut().settle(&[dealt_with])?;
                continue;
            }
            left.push_back(version);
        }
        Ok((!left.is_empty()).then_some(Waiting { ids, left }))
    }

    /// One version of each key at a time: what supersedes an entry must know its index.
    fn work_off(&mut self, mut waiting: Vec<Waiting>) -> Result<(), LedgerError> {
        while !self.work.stop.load(Ordering::Relaxed) {
            let next = waiting.iter_mut().filter_map(|key| Some((key.left.pop_front()?, &key.ids)));
            let next: Vec<(Version, &Vec<String>)> = next.collect();
            if next.is_empty() {
                break;
            }
            let (threads, begin) = (self.work.source.workers(), || Tools::open(&self.private));
            let work = self.work;
            let looked = abreast_with(next, threads, begin, |(version, ids), tools| {
                let earlier = work.earlier(&version, ids, tools)?;
                Ok((version, earlier))
            })?;
            self.take(looked)?;
            if self.checkpointed.elapsed() > CHECKPOINT_EVERY {
                self.ledger.checkpoint()?;
                self.checkpointed = Instant::now();
            }
        }
        Ok(())
    }

    fn take(&mut self, looked: Vec<(Version, Earlier)>) -> Result<(), LedgerError> {
        let (mut entries, mut reports, mut settled) = (Vec::new(), Vec::new(), Vec::new());
        for (version, earlier) in looked {
            let Version { listed, .. } = &version;
            let dealt_with = dealt_with(self.work.number, listed);
            let of = format!("its version of {}", listed.modified);
            match earlier {
                Earlier::Recording(mut sealing) => {
                    sealing.entry.row.settles = Some(dealt_with);
                    reports.push((listed.key.clone(), of, sealing.change));
                    entries.push(sealing.entry);
                }
                Earlier::Told(told) if self.told.len() < TOLD_MAX => self.told.push(*told),
                Earlier::Told(_) => self.more += 1,
                Earlier::Sealed => settled.push(dealt_with),
                Earlier::Unread(ObjectError::Stopped) => {}
                Earlier::Unread(error) => {
                    self.left_some = true;
                    let problem = Problem::new(&listed.key, format!("{of}: {error}"));
                    self.summary.problem(problem);
                }
            }
        }
        let appended = self.ledger.append(entries)?;
        for (appended, (key, of, change)) in appended.iter().zip(reports) {
            self.summary.earlier += 1;
            if let Some(change) = change {
                let problem = Problem::new(&key, format!("{of}: {change}"));
                self.summary.problem(Problem { index: Some(appended.index), ..problem });
            }
        }
        self.ledger.private_mut().settle(&settled)
    }
}

/// What settles one version of an object; its time is part of it, for several may be called `null`.
fn dealt_with(source: i64, Listed { key, version, modified, .. }: &Listed) -> Settled {
    let length = (key.len() as u64).to_be_bytes();
    let named = [version.as_bytes(), b"\n", modified.as_bytes()].concat();
    let digest = Hash::of(&[b"unbroken/version\n", &length, key, &named]);
    let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
    Settled { source, group: i64::from_be_bytes([a, b, c, d, e, f, g, h]), fingerprint: digest }
}

/// What [`Lookup::Version`] looks up.
fn version_value(work: &Work<'_>, Listed { key, version, modified, .. }: &Listed) -> Vec<u8> {
    let object = object_value(work.source.name(), key);
    [&object[..], b"\n", version.as_bytes(), b"\n", modified.as_bytes()].concat()
}

/// Whether an entry tells of this version. What settles groups may be gone after a crash.
fn is_told(private: &Private, work: &Work<'_>, listed: &Listed) -> Result<bool, LedgerError> {
    for index in private.find(Lookup::Version, &version_value(work, listed))? {
        let said = private.opening(index)?;
        let is_this = |pointer, value: &str| {
            said.as_ref().is_some_and(|(_, o)| o.value(version::SOURCE, pointer) == Some(value))
        };
        if is_this(version::ID, &listed.version) && is_this(version::MODIFIED, &listed.modified) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tells of versions and markers that are no entries of recordings.
pub(crate) fn tell(
    ledger: &mut Ledger,
    work: &Work<'_>,
    told: Vec<Told>,
    summary: &mut Summary,
) -> Result<(), LedgerError> {
    let mut told = told.into_iter().peekable();
    while told.peek().is_some() && !work.stop.load(Ordering::Relaxed) {
        let (mut entries, mut reports) = (Vec::new(), Vec::new());
        for told in told.by_ref().take(AT_ONCE) {
            let about = about(ledger.private(), work, &told)?;
            entries.push(entry(work, &told, about)?);
            let Version { listed, is_marker, is_followed, .. } = told.version;
            summary.told += 1;
            let is_news = is_marker && is_followed && about.is_some();
            reports.push(is_news.then_some(listed));
        }
        for (appended, listed) in ledger.append(entries)?.iter().zip(reports) {
            let Some(Listed { key, modified, .. }) = listed else { continue };
            let what = format!("it was deleted on {modified}, and written again: a marker says so");
            let problem = Problem::new(&key, what);
            summary.problem(Problem { index: Some(appended.index), ..problem });
        }
    }
    Ok(())
}

fn entry(
    work: &Work<'_>,
    told: &Told,
    about: Option<(Ref, Subject)>,
) -> Result<NewEntry, LedgerError> {
    let Told { version: Version { listed, is_marker, is_followed, .. }, sha256, .. } = told;
    let text = |pointer: &str, value: &str| Value::string(version::SOURCE, pointer, value);
    let mut values = vec![
        text(version::STORE, work.source.store()),
        text(version::BUCKET, work.source.bucket()),
        Value::text_or_bytes(version::SOURCE, version::KEY, &listed.key),
        text(version::ID, &listed.version),
        text(version::MODIFIED, &listed.modified),
    ];
    if *is_followed {
        values.push(text(version::FOLLOWED, "yes"));
    }
    if !is_marker {
        values.push(text(version::ETAG, &listed.etag));
        values.push(Value::number(version::SOURCE, version::SIZE, listed.size));
        values.push(match (sha256, &listed.not_readable) {
            (Some(sha256), _) => text(version::SHA256, &sha256.to_string()),
            (None, Some(error)) => text(version::UNREAD, error.in_short()),
            (None, None) => text(version::UNREAD, "not read"),
        });
    }
    let what = if *is_marker { observation::DELETE_MARKER } else { observation::VERSION };
    let lookups = vec![Lookup::Version.prefix(&version_value(work, listed))];
    let settles = Some(dealt_with(work.number, listed));
    let row = Row { lookups, settles, ..Row::default() };
    observe::observation((what, work.clock.now()), values, about, row)
}

/// The newest entry of the recording that a version belongs to: its own, or the one that names its key.
fn about(
    private: &Private,
    work: &Work<'_>,
    Told { version, named, .. }: &Told,
) -> Result<Option<(Ref, Subject)>, LedgerError> {
    let key = &version.listed.key;
    let of = |index, subject| -> Result<_, LedgerError> {
        let leaf = private.opening(index)?.map(|(leaf, _)| leaf);
        Ok(leaf.map(|leaf| (Ref { index, leaf, rel: Rel::About }, subject)))
    };
    if let Some((index, state)) = work.known(key, private)? {
        return of(index, state.subject);
    }
    let ids = [(Lookup::Recording, &named.recording), (Lookup::Conversation, &named.conversation)];
    for (lookup, id) in ids {
        let Some(id) = id else { continue };
        let found = private.find(lookup, id.as_bytes())?;
        for index in found.into_iter().rev().take(CANDIDATES_MAX) {
            let state = private.object(index)?.filter(|state| state.source == work.number);
            let Some((_, opening)) = private.opening(index)? else { continue };
            let names = opening.fields().any(|field| {
                let is_key = field.value.pointer.rsplit('/').next() == Some(companion::KEY);
                field.value.source == companion::SOURCE && is_key && field.value.to_bytes() == *key
            });
            if let Some(state) = state.filter(|_| names) {
                return of(index, state.subject);
            }
        }
    }
    Ok(None)
}
