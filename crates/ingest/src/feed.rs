//! Feeds groups from the listing to the workers, and what they did to whoever gathers it.
//!
//! Groups and outcomes travel several at a time where the threads are busy: waking a thread for
//! each costs more than working a small group off.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use unbroken_evidence::content::Digester;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::Private;
use unbroken_ledger::random::SystemRandom;

use crate::disposition::Disposition;
use crate::error::SourceError;
use crate::group::{Group, Grouper};
use crate::run::Options;
use crate::source::Next;
use crate::worker::{GroupDone, Tools, Work};

/// What workers and lister hand on.
pub(crate) type Outcomes = Vec<Result<GroupDone, LedgerError>>;

/// Groups that travel together at most.
const GROUPS_TOGETHER: usize = 32;
/// Messages that wait in a queue.
pub(crate) const QUEUE: usize = 8;
/// What was worked off is handed on after this time, however little it is.
const HAND_ON_AFTER: Duration = Duration::from_millis(20);

/// Hands groups on one by one while a worker is free, several together while all are busy.
struct Feeder<'a> {
    to_workers: &'a SyncSender<Vec<Group>>,
    waiting: Vec<Group>,
}

impl Feeder<'_> {
    /// False when nobody works any more.
    fn push(&mut self, group: Group) -> bool {
        self.waiting.push(group);
        match self.to_workers.try_send(std::mem::take(&mut self.waiting)) {
            Ok(()) => true,
            Err(TrySendError::Full(groups)) if groups.len() < GROUPS_TOGETHER => {
                self.waiting = groups;
                true
            }
            Err(TrySendError::Full(groups)) => self.to_workers.send(groups).is_ok(),
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

/// Lists the source and hands complete groups on, until the end or a stop.
pub(crate) fn list(
    work: &Work<'_>,
    options: &Options,
    to_workers: &SyncSender<Vec<Group>>,
    excluded: &SyncSender<Outcomes>,
) -> Result<(), SourceError> {
    let mut grouper = Grouper::new(options.layout);
    let mut place = 0;
    let mut feeder = Feeder { to_workers, waiting: Vec::new() };
    let mut hand_on = |group: Group| match exclusion(&group, options, work) {
        None => feeder.push(group),
        Some(why) => excluded.send(vec![Ok(GroupDone::left_out(group, why))]).is_ok(),
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
    // Whoever is gone by now was stopped, and says so itself.
    let _ = to_workers.send(feeder.waiting);
    work.progress.listing_ended.store(true, Ordering::Relaxed);
    outcome
}

/// Why a group is left out: every object in it was modified outside the dates.
fn exclusion(group: &Group, options: &Options, work: &Work<'_>) -> Option<Disposition> {
    if work.limit_reached.load(Ordering::Relaxed) {
        return Some(Disposition::OVER_THE_LIMIT);
    }
    let newest = group.objects.iter().map(|(_, listed)| listed.modified.as_str()).max()?;
    if options.since.as_deref().is_some_and(|since| newest < since) {
        Some(Disposition::TOO_EARLY)
    } else if options.until.as_deref().is_some_and(|until| newest >= until) {
        Some(Disposition::TOO_LATE)
    } else {
        None
    }
}

/// Works groups off until there are no more; `private_path` is private.db.
pub(crate) fn worker(
    work: &Work<'_>,
    options: &Options,
    private_path: &Path,
    groups: &Mutex<Receiver<Vec<Group>>>,
    to_gatherer: &SyncSender<Outcomes>,
) {
    let private = match Private::open_to_read(private_path) {
        Ok(private) => private,
        Err(error) => {
            let _ = to_gatherer.send(vec![Err(error)]);
            return;
        }
    };
    let mut tools =
        Tools { private, random: SystemRandom::default(), digester: Digester::default() };
    loop {
        let next = groups.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok(groups) = next else { return };
        let (mut outcomes, mut handed_on) = (Vec::new(), Instant::now());
        for group in groups {
            outcomes.push(if work.stop.load(Ordering::Relaxed) {
                Ok(GroupDone { abandoned: true, ..GroupDone::default() })
            } else if let Some(why) = exclusion(&group, options, work) {
                Ok(GroupDone::left_out(group, why))
            } else {
                work.group(group, &mut tools)
            });
            if handed_on.elapsed() > HAND_ON_AFTER {
                if to_gatherer.send(std::mem::take(&mut outcomes)).is_err() {
                    return;
                }
                handed_on = Instant::now();
            }
        }
        if !outcomes.is_empty() && to_gatherer.send(outcomes).is_err() {
            return;
        }
    }
}
