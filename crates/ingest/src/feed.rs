//! Feeds groups from the listing to the workers, and what they did to whoever gathers it.
//!
//! Groups and outcomes travel several at a time where the threads are busy: waking a thread for
//! each costs more than working a small group off.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use unbroken_ledger::error::LedgerError;

use crate::disposition::Disposition;
use crate::error::{Problem, SourceError};
use crate::group::{Group, Grouper};
use crate::presence::{Changes, Presence};
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

/// How a listing ended.
pub(crate) struct Listing {
    pub(crate) outcome: Result<(), SourceError>,
    /// What was sealed and is not listed any more, or is again; only where the listing is whole.
    pub(crate) changes: Changes,
}

/// Lists the source and hands complete groups on, until the end or a stop.
pub(crate) fn list(
    work: &Work<'_>,
    options: &Options,
    mut presence: Option<Presence>,
    to_workers: &SyncSender<Vec<Group>>,
    excluded: &SyncSender<Outcomes>,
) -> Listing {
    let mut grouper = Grouper::new(&options.layout);
    let mut place = 0;
    let mut feeder = Feeder { to_workers, waiting: Vec::new() };
    let leave_out = |group: Group, why| {
        work.count(group.objects.iter().map(|(_, listed)| listed));
        excluded.send(vec![Ok(GroupDone::left_out(group, why))]).is_ok()
    };
    let mut hand_on = |mut group: Group| {
        let not_wanted = options.keys.take_out(&mut group);
        if !not_wanted.objects.is_empty() && !leave_out(not_wanted, Disposition::NOT_WANTED) {
            return false;
        }
        match exclusion(&group, options, work) {
            _ if group.objects.is_empty() => true,
            None => feeder.push(group),
            Some(why) => leave_out(group, why),
        }
    };
    let (mut cut, mut failed) = (None, None);
    let scope = work.source.scope();
    let outcome = work.source.list(&mut |listed| {
        if options.layout.groups_by_folder() && cuts_a_folder(scope, &listed.key) {
            cut = Some(SourceError::CutsAFolder { location: work.source.shown() });
            return Next::Stop;
        }
        if let Err(error) = presence.as_mut().map_or(Ok(()), |presence| presence.listed(&listed)) {
            failed = Some(error);
            return Next::Stop;
        }
        work.progress.listed.fetch_add(1, Ordering::Relaxed);
        work.progress.listed_bytes.fetch_add(listed.size, Ordering::Relaxed);
        let complete = grouper.push(place, listed);
        place += 1;
        let goes_on = complete.into_iter().all(&mut hand_on);
        if goes_on && !work.stop.load(Ordering::Relaxed) { Next::More } else { Next::Stop }
    });
    let outcome = cut.map_or(outcome, Err);
    let is_whole = outcome.is_ok() && failed.is_none() && !work.stop.load(Ordering::Relaxed);
    let mut changes = Changes::default();
    if is_whole {
        let _ = grouper.finish().into_iter().all(&mut hand_on);
        match presence.map(Presence::finish).transpose() {
            Ok(found) => changes = found.unwrap_or_default(),
            Err(error) => failed = Some(error),
        }
    }
    if let Some(error) = failed {
        let _ = excluded.send(vec![Err(error)]);
    }
    // Whoever is gone by now was stopped, and says so itself.
    let _ = to_workers.send(feeder.waiting);
    work.progress.listing_ended.store(true, Ordering::Relaxed);
    Listing { outcome, changes }
}

/// Whether a prefix ends in the middle of a name in the folder of this key: what belongs to the
/// object could be hidden by it.
fn cuts_a_folder(scope: &str, key: &[u8]) -> bool {
    let rest = key.get(scope.len()..).unwrap_or_default();
    !scope.is_empty() && !scope.ends_with('/') && !rest.contains(&b'/')
}

/// Why a group is left out.
fn exclusion(group: &Group, options: &Options, work: &Work<'_>) -> Option<Disposition> {
    if work.limit_reached.load(Ordering::Relaxed) {
        return Some(Disposition::OVER_THE_LIMIT);
    }
    outside_dates(group, options)
}

/// Why the dates leave a group out: all of it was modified before the first date, or some of it on the last
/// one or later. What has no time, for it could not be looked at, is never left out.
pub(crate) fn outside_dates(group: &Group, options: &Options) -> Option<Disposition> {
    if group.objects.iter().any(|(_, listed)| listed.modified.is_empty()) {
        return None;
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

/// Works a group off; a mistake of this program costs its objects and nothing else.
fn work_off(
    work: &Work<'_>,
    group: Group,
    tools: &mut Tools,
    hand_on: &mut dyn FnMut(GroupDone),
) -> Result<GroupDone, LedgerError> {
    let work = AssertUnwindSafe(|| work.group(&group, tools, hand_on));
    match catch_unwind(work) {
        Ok(worked) => worked.map(|done| GroupDone { group, ..done }),
        Err(_) => {
            let what = "this program failed while it looked at it: please report this";
            let problems = group.objects.iter().map(|(_, listed)| Problem::new(&listed.key, what));
            let problems = problems.collect();
            let left_out = GroupDone::left_out(group, Disposition::Unread("failed"));
            Ok(GroupDone { problems, ..left_out })
        }
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
    let mut tools = match Tools::open(private_path) {
        Ok(tools) => tools,
        Err(error) => {
            let _ = to_gatherer.send(vec![Err(error)]);
            return;
        }
    };
    loop {
        let next = groups.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok(groups) = next else { return };
        let (mut outcomes, mut handed_on) = (Vec::new(), Instant::now());
        for group in groups {
            outcomes.push(if work.stop.load(Ordering::Relaxed) {
                Ok(GroupDone { abandoned: true, ..GroupDone::default() })
            } else if let Some(why) = exclusion(&group, options, work) {
                work.count(group.objects.iter().map(|(_, listed)| listed));
                Ok(GroupDone::left_out(group, why))
            } else {
                let mut hand_on = |piece| {
                    // What came before it goes before it; a gatherer that is gone has said why.
                    let _ = to_gatherer.send(vec![Ok(piece)]);
                };
                work_off(work, group, &mut tools, &mut hand_on)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_may_end_with_a_folder_or_before_one_and_not_inside_a_name() {
        for (scope, key, cuts) in [
            ("", "a.wav", false),
            ("org-1/", "org-1/a.wav", false),
            ("org-1/year=2026/month=1", "org-1/year=2026/month=11/c/a.wav", false),
            ("org-1/c/02", "org-1/c/0261.wav", true),
        ] {
            assert_eq!(cuts_a_folder(scope, key.as_bytes()), cuts, "{scope} {key}");
        }
    }
}
