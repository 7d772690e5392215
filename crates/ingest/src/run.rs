//! One run: lists a source, works its groups off on several threads, and appends what is new.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::{Clock, Ledger, NewEntry, private_path};
use unbroken_ledger::private::{Private, Row, Settled};
use unbroken_ledger::random::SystemRandom;
use unbroken_ledger::restore::RESEAL_NEEDED;

use crate::assess::{POLICY_NAME, POLICY_TEXT};
use crate::error::{IngestError, Problem, SourceError};
use crate::group::{Group, Grouper};
use crate::layout::Layout;
use crate::listing::Listing;
use crate::pass;
use crate::source::{Listed, Next, Source};
pub use crate::worker::Progress;
use crate::worker::{GroupDone, Sealing, Work};

/// Entries that are appended together.
const BATCH_ENTRIES: usize = 512;
/// A batch waits no longer than this for more.
const BATCH_WAIT: Duration = Duration::from_millis(100);
/// A checkpoint is signed and published this often during a run.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
/// Groups that wait for a worker, and worked-off groups that wait to be appended.
const QUEUE_GROUPS: usize = 256;
/// Problems that are kept in full; all are counted.
pub const PROBLEMS_KEPT: usize = 10_000;

const OVER_THE_LIMIT: &str = "excluded: limit";

/// What a run was asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the objects are arranged.
    pub layout: Layout,
    /// Objects modified before this time are left out.
    pub since: Option<String>,
    /// Objects modified at or after this time are left out.
    pub until: Option<String>,
    /// At most so many recordings are sealed, whole groups at a time: one group that holds more is
    /// sealed as a whole.
    pub limit: Option<u64>,
    /// Everything is sealed anew, whatever was sealed before.
    pub reseal: bool,
    /// A known source may be at another place than before.
    pub moved: bool,
}

/// The program that runs, for the `pass` entry.
#[derive(Clone, Debug)]
pub struct Software {
    /// Its version.
    pub version: String,
    /// SHA-256 of the executable.
    pub sha256: Option<Hash>,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// When it began.
    pub started: String,
    /// Objects listed.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Recordings sealed for the first time.
    pub sealed: u64,
    /// Recordings sealed again, because they or their companions changed.
    pub sealed_again: u64,
    /// Objects that were dealt with before and are as they were.
    pub unchanged: u64,
    /// Companions of recordings that were sealed.
    pub companions: u64,
    /// Recordings sealed now that the policy finds incomplete.
    pub incomplete: u64,
    /// Objects that could not be read.
    pub unread: u64,
    /// Companions without a recording.
    pub strays: u64,
    /// Objects left out by dates or limit.
    pub excluded: u64,
    /// Problems found, at most [`PROBLEMS_KEPT`].
    pub problems: Vec<Problem>,
    /// All problems.
    pub problem_count: u64,
    /// The leaf of the policy that was applied.
    pub policy: Option<Hash>,
    /// The index of the `pass` entry.
    pub pass: u64,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// Why the listing did not come to its end, if it did not.
    pub listing_broke_off: Option<String>,
}

impl Summary {
    /// The exit code: 130 interrupted, 2 with problems, otherwise 0.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        if self.interrupted {
            130
        } else if self.problem_count > 0 {
            2
        } else {
            0
        }
    }
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
    match (ledger.private().meta(RESEAL_NEEDED)?.is_some(), options.reseal) {
        (true, false) => return Err(IngestError::ResealNeeded),
        (false, true) => return Err(IngestError::ResealNotNeeded),
        _ => {}
    }
    let number = source_number(ledger, source, options)?;
    let policy = if options.layout == Layout::GenesysCloud { Some(policy(ledger)?) } else { None };
    let started = ledger.now().to_string();
    let mut run = Run {
        summary: Summary { started, policy, ..Summary::default() },
        listing: Listing::default(),
        batch: Vec::new(),
        settled: Vec::new(),
        checkpointed: Instant::now(),
        ledger,
    };
    let limit_reached = AtomicBool::new(options.limit == Some(0));
    let work = Work {
        limit_reached: &limit_reached,
        source,
        number,
        layout: options.layout,
        clock: context.clock,
        policy,
        reseal: options.reseal,
        stop: context.stop,
        progress: context.progress,
    };
    let listed = run.work_off(&work, options)?;
    run.flush(context.progress)?;
    if run.summary.objects == 0 && listed.is_ok() && run.ledger.private().has_objects_of(number)? {
        let what = "the source is empty, though objects of it were sealed before: is it mounted?";
        run.summary.problem(Problem::new(source.location().as_bytes(), what));
    }
    run.summary.interrupted |= context.stop.load(Ordering::Relaxed);
    let Run { mut summary, listing, ledger, .. } = run;
    summary.listing_broke_off = listed.as_ref().err().map(ToString::to_string);
    summary.pass = pass::seal(ledger, source, options, &context.software, &summary, listing)?;
    ledger.checkpoint()?;
    listed?;
    Ok(summary)
}

/// After whole runs with `reseal` over every source: what was sealed before is known again.
///
/// # Errors
/// Those of private.db.
pub fn reseal_done(ledger: &mut Ledger) -> Result<(), IngestError> {
    Ok(ledger.private_mut().set_meta(RESEAL_NEEDED, None)?)
}

/// The source's number; refuses a known name at another place unless that was said.
fn source_number(
    ledger: &mut Ledger,
    source: &dyn Source,
    options: &Options,
) -> Result<i64, IngestError> {
    let known = ledger.private().sources()?.into_iter().find(|(_, name, _)| name == source.name());
    if let Some((_, name, known)) = known
        && known != source.location()
        && !options.moved
    {
        let given = source.location().to_owned();
        return Err(SourceError::Moved { name, known, given }.into());
    }
    Ok(ledger.private_mut().source(source.name(), source.location())?)
}

/// The leaf of the built-in policy's entry; sealed when this ledger has none yet.
fn policy(ledger: &mut Ledger) -> Result<Hash, LedgerError> {
    let name = format!("policy/{POLICY_NAME}");
    let kept = ledger.private().meta(&name)?;
    if let Some((index, leaf)) = kept.as_deref().and_then(<[u8]>::split_first_chunk::<8>) {
        let known = ledger.private().opening(u64::from_be_bytes(*index))?;
        if let Some((known, _)) = known.filter(|(known, _)| known.as_bytes().as_slice() == leaf) {
            return Ok(known);
        }
    }
    let values = vec![
        Value::string("policy", "/name", POLICY_NAME),
        Value::string("policy", "/text", POLICY_TEXT),
    ];
    let appended = ledger.append_fields("policy", values, Row::default())?;
    let kept = [appended.index.to_be_bytes().as_slice(), appended.leaf.as_bytes()].concat();
    ledger.private_mut().set_meta(&name, Some(&kept))?;
    Ok(appended.leaf)
}

struct Run<'a> {
    ledger: &'a mut Ledger,
    summary: Summary,
    listing: Listing,
    batch: Vec<Sealing>,
    settled: Vec<Settled>,
    checkpointed: Instant,
}

/// What reaches the appending thread.
type Outcome = Result<GroupDone, LedgerError>;

impl Run<'_> {
    /// Lists, works off and appends at once. The inner result is the listing's own.
    fn work_off(
        &mut self,
        work: &Work<'_>,
        options: &Options,
    ) -> Result<Result<(), SourceError>, IngestError> {
        let path = private_path(self.ledger.folder());
        let (to_workers, groups) = sync_channel::<Group>(QUEUE_GROUPS);
        let (to_append, outcomes) = sync_channel::<Outcome>(QUEUE_GROUPS);
        // The workers alone hold the receiver: once they have all ended, the lister's next group is
        // refused, and nobody waits for anybody.
        let groups = Arc::new(Mutex::new(groups));
        std::thread::scope(|scope| {
            let excluded = to_append.clone();
            let lister = scope.spawn(move || list(work, options, &to_workers, &excluded));
            for _ in 0..work.source.workers() {
                let (groups, to_append, path) =
                    (Arc::clone(&groups), to_append.clone(), path.clone());
                scope.spawn(move || worker(work, options, &path, &groups, &to_append));
            }
            drop((to_append, groups));
            let appended = self.append_all(work, &outcomes, options);
            if appended.is_err() {
                // Everybody is told to stop, and is listened to until they have: a queue that nobody
                // empties would hold the lister for ever.
                work.stop.store(true, Ordering::Relaxed);
                while outcomes.recv().is_ok() {}
            }
            let listed = lister.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause));
            appended?;
            Ok(listed)
        })
    }

    fn append_all(
        &mut self,
        work: &Work<'_>,
        outcomes: &Receiver<Outcome>,
        options: &Options,
    ) -> Result<(), IngestError> {
        loop {
            match outcomes.recv_timeout(BATCH_WAIT) {
                Ok(outcome) => self.take(outcome?, options, work.limit_reached),
                Err(RecvTimeoutError::Timeout) => self.flush(work.progress)?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if self.batch.len() >= BATCH_ENTRIES {
                self.flush(work.progress)?;
            }
            if self.checkpointed.elapsed() > CHECKPOINT_EVERY {
                self.ledger.checkpoint()?;
                self.checkpointed = Instant::now();
            }
        }
    }

    fn take(&mut self, mut done: GroupDone, options: &Options, limit_reached: &AtomicBool) {
        if done.abandoned {
            self.summary.interrupted = true;
            return;
        }
        let room =
            options.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.summary.sealed));
        let new = done.sealings.iter().filter(|sealing| sealing.change.is_none()).count() as u64;
        if new > room && self.summary.sealed > 0 || new > 0 && room == 0 {
            // Left for the next run, as a whole.
            limit_reached.store(true, Ordering::Relaxed);
            done.sealings.clear();
            done.problems.clear();
            done.settles = None;
            for (_, _, disposition) in &mut done.dispositions {
                *disposition = OVER_THE_LIMIT;
            }
        }
        for (place, listed, disposition) in done.dispositions {
            self.summary.count(&listed, disposition);
            self.listing.put(place, &listed, disposition);
        }
        for problem in done.problems {
            self.summary.problem(problem);
        }
        match (done.sealings.last_mut(), done.settles) {
            (Some(last), settles) => last.entry.row.settles = settles,
            (None, Some(settled)) => self.settled.push(settled),
            (None, None) => {}
        }
        self.summary.sealed += done.sealings.iter().filter(|s| s.change.is_none()).count() as u64;
        self.summary.sealed_again +=
            done.sealings.iter().filter(|s| s.change.is_some()).count() as u64;
        self.batch.append(&mut done.sealings);
    }

    fn flush(&mut self, progress: &Progress) -> Result<(), LedgerError> {
        if !self.settled.is_empty() {
            self.ledger.private_mut().settle(&self.settled)?;
            self.settled.clear();
        }
        if self.batch.is_empty() {
            return Ok(());
        }
        let (mut entries, mut reports): (Vec<NewEntry>, Vec<_>) = (Vec::new(), Vec::new());
        for Sealing { entry, key, incomplete, change } in self.batch.drain(..) {
            entries.push(entry);
            reports.push((key, incomplete, change));
        }
        let appended = self.ledger.append(entries)?;
        progress.sealed.fetch_add(appended.len() as u64, Ordering::Relaxed);
        for (appended, (key, incomplete, change)) in appended.iter().zip(reports) {
            self.summary.incomplete += u64::from(incomplete.is_some());
            for what in
                incomplete.into_iter().map(|what| format!("incomplete: {what}")).chain(change)
            {
                self.summary
                    .problem(Problem { index: Some(appended.index), ..Problem::new(&key, what) });
            }
        }
        Ok(())
    }
}

impl Summary {
    fn problem(&mut self, problem: Problem) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_KEPT {
            self.problems.push(problem);
        }
    }

    fn count(&mut self, listed: &Listed, disposition: &str) {
        self.objects += 1;
        self.bytes += listed.size;
        match disposition {
            "sealed" | "sealed again" => {}
            "unchanged" => self.unchanged += 1,
            "companion" => self.companions += 1,
            _ if disposition.starts_with("excluded") => self.excluded += 1,
            _ if disposition.ends_with("without recording") => self.strays += 1,
            _ if disposition.starts_with("not judged") => self.unchanged += 1,
            _ => self.unread += 1,
        }
    }
}

/// Lists the source and hands complete groups on, until the end or a stop.
fn list(
    work: &Work<'_>,
    options: &Options,
    to_workers: &SyncSender<Group>,
    excluded: &SyncSender<Outcome>,
) -> Result<(), SourceError> {
    let mut grouper = Grouper::new(options.layout);
    let mut place = 0;
    let mut hand_on = |group: Group| match exclusion(&group, options, work.limit_reached) {
        None => to_workers.send(group).is_ok(),
        Some(why) => {
            let dispositions =
                group.objects.into_iter().map(|(place, listed)| (place, listed, why));
            let done = GroupDone { dispositions: dispositions.collect(), ..GroupDone::default() };
            excluded.send(Ok(done)).is_ok()
        }
    };
    let outcome = work.source.list(&mut |listed| {
        work.progress.listed.fetch_add(1, Ordering::Relaxed);
        work.progress.listed_bytes.fetch_add(listed.size, Ordering::Relaxed);
        let complete = grouper.push(place, listed);
        place += 1;
        let goes_on = complete.into_iter().all(&mut hand_on);
        if goes_on && !work.stop.load(Ordering::Relaxed) { Next::More } else { Next::Stop }
    });
    if outcome.is_ok() && !work.stop.load(Ordering::Relaxed) {
        let _ = grouper.finish().into_iter().all(&mut hand_on);
    }
    work.progress.listing_ended.store(true, Ordering::Relaxed);
    outcome
}

/// Why a group is left out: every object in it was modified outside the dates.
fn exclusion(group: &Group, options: &Options, limit_reached: &AtomicBool) -> Option<&'static str> {
    if limit_reached.load(Ordering::Relaxed) {
        return Some(OVER_THE_LIMIT);
    }
    let newest = group.objects.iter().map(|(_, listed)| listed.modified.as_str()).max()?;
    if options.since.as_deref().is_some_and(|since| newest < since) {
        Some("excluded: before the first date")
    } else if options.until.as_deref().is_some_and(|until| newest >= until) {
        Some("excluded: after the last date")
    } else {
        None
    }
}

fn worker(
    work: &Work<'_>,
    options: &Options,
    path: &std::path::Path,
    groups: &Mutex<Receiver<Group>>,
    to_append: &SyncSender<Outcome>,
) {
    let private = match Private::open_to_read(path) {
        Ok(private) => private,
        Err(error) => {
            let _ = to_append.send(Err(error));
            return;
        }
    };
    let mut random = SystemRandom::default();
    loop {
        let next = groups.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok(group) = next else { return };
        let done = if work.stop.load(Ordering::Relaxed) {
            Ok(GroupDone { abandoned: true, ..GroupDone::default() })
        } else if let Some(why) = exclusion(&group, options, work.limit_reached) {
            Ok(GroupDone::left_out(group, why))
        } else {
            work.group(group, &private, &mut random)
        };
        if to_append.send(done).is_err() {
            return;
        }
    }
}
