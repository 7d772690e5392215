//! One run: lists a source, works its groups off on several threads, and writes what is new.
//!
//! ```text
//! lister -> workers (read, hash, judge) -> gatherer (count, seal) -> this thread (write, publish)
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::{Ledger, private_path};
use unbroken_ledger::private::{Private, Row};
use unbroken_ledger::restore::{RESEAL_NEEDED, RESEALED};
use unbroken_ledger::seal::Clock;

use crate::awaited::Awaited;
use crate::error::{IngestError, Problem, SourceError};
use crate::feed::{self, QUEUE};
use crate::gaps;
use crate::gather::{Gathered, Gatherer, ToWrite};
use crate::key_filter::KeyFilter;
use crate::layout::Layout;
use crate::observe;
use crate::pass;
use crate::policy::Policy;
use crate::presence::Presence;
use crate::same_tree;
use crate::source::Source;
pub use crate::summary::{PROBLEMS_KEPT, Summary};
use crate::versions;
pub use crate::worker::Progress;
use crate::worker::Work;

/// A checkpoint is signed and published this often during a run...
pub(crate) const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
/// ...and after so many entries: publishing many at once would hold the writing up for seconds.
const CHECKPOINT_ENTRIES: u64 = 4_096;

/// Sealed groups that wait to be written.
const SEALED_AHEAD: usize = 4;

/// What a run was asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the objects are arranged.
    pub layout: Layout,
    /// What each recording must meet; `None`: nothing is judged.
    pub policy: Option<Policy>,
    /// Which keys are looked at.
    pub keys: KeyFilter,
    /// Groups in which nothing was modified at this time or later are left out.
    pub since: Option<String>,
    /// Groups in which something was modified at this time or later are left out.
    pub until: Option<String>,
    /// At most so many recordings are sealed, whole groups at a time: one group that holds more is
    /// sealed as a whole.
    pub limit: Option<u64>,
    /// Everything is sealed anew, whatever was sealed before.
    pub reseal: bool,
    /// A known source may be at another place than before.
    pub moved: bool,
    /// For so many days objects are kept: that older ones are gone is no problem.
    pub expires: Option<u64>,
    /// A source of which nothing was sealed may hold what is sealed under another name.
    pub copies: bool,
    /// Versions that are not there any more under their keys, and delete markers, are sealed too.
    pub all_versions: bool,
}

impl Options {
    /// Everything in a source of this layout, judged by nothing.
    #[must_use]
    pub fn of_all(layout: Layout) -> Self {
        Self {
            layout,
            policy: None,
            keys: KeyFilter::default(),
            since: None,
            until: None,
            limit: None,
            reseal: false,
            moved: false,
            expires: None,
            copies: false,
            all_versions: false,
        }
    }

    /// Whether every object of the source is meant.
    const fn leaves_nothing_out(&self) -> bool {
        let Self { since, until, limit, keys, .. } = self;
        since.is_none() && until.is_none() && limit.is_none() && keys.is_empty()
    }
}

/// The program that runs, for the `pass` entry.
#[derive(Clone, Debug)]
pub struct Software {
    /// Its version.
    pub version: String,
    /// SHA-256 of the executable.
    pub sha256: Option<Hash>,
}

/// What a run needs beside the ledger and the source.
pub struct Context<'a> {
    /// The clock of observations.
    pub clock: &'a dyn Clock,
    /// What the run is doing, to be shown.
    pub progress: &'a Progress,
    /// Set by somebody who wants the run to end: what is acknowledged stays sealed.
    pub stop: &'a AtomicBool,
    /// The program.
    pub software: Software,
}

/// Seals what is new in `source`.
///
/// # Errors
/// What stops the whole run. A bad object never does: it is in the summary's problems.
pub fn run(
    ledger: &mut Ledger,
    source: &dyn Source,
    options: &Options,
    context: &Context<'_>,
) -> Result<Summary, IngestError> {
    refuse(ledger, source, options, context)?;
    let known_from = if options.reseal { gap(ledger)? } else { 0 };
    let (number, is_moved) = source_number(ledger, source, options)?;
    let policy = options.policy.as_ref();
    let policy = policy.map(|policy| sealed_policy(ledger, policy).map(|leaf| (policy, leaf)));
    let policy = policy.transpose()?;
    let gaps = gaps::left_open(ledger)?;
    let awaited = Awaited::of(ledger, (number, source.scope()), options.policy.as_ref())?;
    let started = ledger.now().to_string();
    let leaf = policy.map(|(_, leaf)| leaf);
    let mut summary =
        Summary { started, policy: leaf, first: ledger.size(), gaps, ..Summary::default() };
    let limit_reached = AtomicBool::new(options.limit == Some(0));
    let mut work = Work {
        limit_reached: &limit_reached,
        source,
        number,
        is_new: false,
        is_moved,
        layout: &options.layout,
        clock: context.clock,
        keys: &options.keys,
        policy: None,
        reseal: options.reseal,
        expires: options.expires,
        due: &awaited.due,
        known_from,
        in_pieces: options.limit.is_none(),
        stop: context.stop,
        progress: context.progress,
    };
    let told =
        if options.all_versions { versions::seal(ledger, &work, &mut summary)? } else { vec![] };
    // Earlier versions are judged by nothing, and sealed before this is asked.
    (work.policy, work.is_new) = (policy, !ledger.private().has_objects_of(number)?);
    let (Gathered { mut summary, listing }, listed) = work_off(ledger, &work, options, summary)?;
    let feed::Listing { outcome: listed, changes } = listed;
    if summary.objects > 0 || source.folder().is_none() {
        observe::presence(ledger, &work, changes, &mut summary)?;
    } else if listed.is_ok() && !work.is_new {
        let what = "the source is empty, though objects of it were sealed before: is it mounted?";
        summary.problem(Problem::new(source.location().as_bytes(), what));
        summary.emptied = true;
    }
    // What this run has sealed is known by now.
    work.is_new = false;
    versions::tell(ledger, &work, told, &mut summary)?;
    let is_empty = summary.objects == 0 && summary.gone == 0;
    let gave_up = source.given_up().or_else(|| source.empty().filter(|_| is_empty));
    let listed = listed.and_then(|()| gave_up.map_or(Ok(()), Err));
    source.remarks().into_iter().for_each(|problem| summary.problem(problem));
    summary.interrupted |= context.stop.load(Ordering::Relaxed);
    let saw_all = options.leaves_nothing_out() && listed.is_ok() && !summary.interrupted;
    if leaf.is_some() && saw_all {
        awaited.leave(ledger, number, summary.awaited_until)?;
    }
    summary.listing_broke_off = listed.err();
    summary.pass = pass::seal(ledger, source, options, &context.software, &summary, listing)?;
    if options.reseal && saw_all {
        ledger.private_mut().set_meta(&resealed_name(source), Some(b"1"))?;
    }
    ledger.checkpoint()?;
    Ok(summary)
}

/// Refuses what this source cannot be asked for.
fn refuse(
    ledger: &Ledger,
    source: &dyn Source,
    options: &Options,
    context: &Context<'_>,
) -> Result<(), IngestError> {
    match (must_reseal(ledger, source)?, options.reseal) {
        (true, false) => return Err(IngestError::ResealNeeded),
        (false, true) => return Err(IngestError::ResealNotNeeded),
        _ => {}
    }
    if options.all_versions && !source.keeps_versions() {
        return Err(SourceError::NoVersions { location: source.shown() }.into());
    }
    same_tree::refuse(ledger, source, options, context)
}

/// After a loss of openings each source is sealed anew once; a mark says for which, and from which
/// prefix on, that is done.
fn must_reseal(ledger: &Ledger, source: &dyn Source) -> Result<bool, LedgerError> {
    if ledger.private().meta(RESEAL_NEEDED)?.is_none() {
        return Ok(false);
    }
    let done = ledger.private().meta_names(&format!("{RESEALED}{}\n", source.name()))?;
    Ok(!done.iter().any(|scope| source.scope().starts_with(scope.as_str())))
}

/// Where the last loss was sealed. What stands above was sealed since, by a `--reseal` that did not
/// come to its end: it is not sealed once more.
fn gap(ledger: &Ledger) -> Result<u64, LedgerError> {
    let kept = ledger.private().meta(RESEAL_NEEDED)?;
    let index = kept.and_then(|bytes| <[u8; 8]>::try_from(bytes.as_slice()).ok());
    Ok(index.map_or(0, u64::from_be_bytes))
}

fn resealed_name(source: &dyn Source) -> String {
    format!("{RESEALED}{}\n{}", source.name(), source.scope())
}

/// The source's number, and whether it is at another place than before; refuses a known name at another
/// place unless that was said.
fn source_number(
    ledger: &mut Ledger,
    source: &dyn Source,
    options: &Options,
) -> Result<(i64, bool), IngestError> {
    let known = ledger.private().sources()?.into_iter().find(|(_, name, _)| name == source.name());
    let is_moved = known.as_ref().is_some_and(|(_, _, known)| known != source.location());
    if let Some((number, name, known)) = known
        && known != source.location()
        && !options.moved
        && ledger.private().has_objects_of(number)?
    {
        let given = source.location().to_owned();
        return Err(SourceError::Moved { name, known, given }.into());
    }
    Ok((ledger.private_mut().source(source.name(), source.location())?, is_moved))
}

/// The leaf of a policy's entry; sealed when this ledger has none with this text yet.
fn sealed_policy(ledger: &mut Ledger, policy: &Policy) -> Result<Hash, LedgerError> {
    let name = format!("policy/{}", Hash::of(&[policy.text().as_bytes()]));
    let kept = ledger.private().meta(&name)?;
    if let Some((index, leaf)) = kept.as_deref().and_then(<[u8]>::split_first_chunk::<8>) {
        let known = ledger.private().opening(u64::from_be_bytes(*index))?;
        if let Some((known, _)) = known.filter(|(known, _)| known.as_bytes().as_slice() == leaf) {
            return Ok(known);
        }
    }
    let values = vec![
        Value::string("policy", "/name", policy.name()),
        Value::string("policy", "/text", policy.text()),
    ];
    let appended = ledger.append_fields(Kind::Policy, values, Row::default())?;
    let kept = [appended.index.to_be_bytes().as_slice(), appended.leaf.as_bytes()].concat();
    ledger.private_mut().set_meta(&name, Some(&kept))?;
    Ok(appended.leaf)
}

/// Lists, works off, seals and writes at once; gives what was gathered, and how the listing ended.
fn work_off(
    ledger: &mut Ledger,
    work: &Work<'_>,
    options: &Options,
    summary: Summary,
) -> Result<(Gathered, feed::Listing), IngestError> {
    let path = private_path(ledger.folder());
    let presence = |private| Presence::new(private, work.number, work.source.scope());
    // At a new place, which may be the wrong one, nothing is missed yet.
    let is_compared = !work.is_new && !work.is_moved;
    let presence = if is_compared { Some(presence(Private::open_to_read(&path)?)) } else { None };
    let (to_workers, groups) = sync_channel(QUEUE);
    let (to_gatherer, outcomes) = sync_channel(QUEUE);
    // Sealing goes on while the disk is slow.
    let (to_writer, sealed) = sync_channel(SEALED_AHEAD);
    let gatherer = Gatherer::new(work, options.limit, ledger.sealer(), to_writer, summary);
    // The workers alone hold the receiver: once they have all ended, the lister's next group is
    // refused, and nobody waits for anybody.
    let groups = Arc::new(Mutex::new(groups));
    std::thread::scope(|scope| {
        let excluded = to_gatherer.clone();
        let lister =
            scope.spawn(move || feed::list(work, options, presence, &to_workers, &excluded));
        for _ in 0..work.source.workers() {
            let (groups, to_gatherer, path) =
                (Arc::clone(&groups), to_gatherer.clone(), path.clone());
            scope.spawn(move || feed::worker(work, options, &path, &groups, &to_gatherer));
        }
        drop((to_gatherer, groups));
        let gatherer = scope.spawn(move || gatherer.gather(&outcomes));
        let written = write_all(ledger, sealed, work.progress);
        if written.is_err() {
            work.stop.store(true, Ordering::Relaxed);
        }
        let (gathered, listed) = (join(gatherer), join(lister));
        written?;
        Ok((gathered?, listed))
    })
}

/// Writes sealed groups until there are no more. After an error the next one finds nobody here.
fn write_all(
    ledger: &mut Ledger,
    sealed: Receiver<ToWrite>,
    progress: &Progress,
) -> Result<(), LedgerError> {
    let (mut checkpointed, mut published) = (Instant::now(), ledger.size());
    for ToWrite { settled, group } in sealed {
        ledger.private_mut().settle(&settled)?;
        let count = ledger.write(group)?.len();
        progress.sealed.fetch_add(count as u64, Ordering::Relaxed);
        let new = ledger.size() - published;
        if new >= CHECKPOINT_ENTRIES || checkpointed.elapsed() > CHECKPOINT_EVERY {
            ledger.checkpoint()?;
            (checkpointed, published) = (Instant::now(), ledger.size());
        }
    }
    Ok(())
}

/// What a thread gave; its panic goes on here.
fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause))
}
