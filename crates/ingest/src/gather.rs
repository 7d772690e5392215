//! Gathers what workers did: counts it, and seals new entries in batches while others are written.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::Settled;
use unbroken_ledger::seal::{SealedGroup, Sealer};

use crate::disposition::Disposition;
use crate::error::Problem;
use crate::feed::Outcomes;
use crate::listing::Listing;
use crate::policy::Judged;
use crate::summary::Summary;
use crate::worker::{GroupDone, Sealing, Work};

/// Entries that are sealed together.
const BATCH_ENTRIES: usize = 512;
/// Bytes of documents in them; one entry may have more.
const BATCH_BYTES: usize = 8 << 20;
/// Groups without new entries that are written together.
const SETTLED_TOGETHER: usize = 4_096;
/// When nothing more comes for so long, a batch is closed...
const BATCH_PAUSE: Duration = Duration::from_millis(100);
/// ...and it waits no longer than this in any case.
const BATCH_WAIT: Duration = Duration::from_millis(500);

/// What the writing thread is to do next.
pub(crate) struct ToWrite {
    /// Groups of objects that need no new entry.
    pub(crate) settled: Vec<Settled>,
    /// New entries.
    pub(crate) group: SealedGroup,
}

/// What a run knows of itself when everything is gathered.
pub(crate) struct Gathered {
    pub(crate) summary: Summary,
    pub(crate) listing: Listing,
}

pub(crate) struct Gatherer<'a> {
    work: &'a Work<'a>,
    limit: Option<u64>,
    sealer: Sealer,
    to_writer: SyncSender<ToWrite>,
    gathered: Gathered,
    batch: Vec<Sealing>,
    batch_bytes: usize,
    settled: Vec<Settled>,
    /// When the last batch was closed.
    flushed: Instant,
}

impl<'a> Gatherer<'a> {
    pub(crate) fn new(
        work: &'a Work<'a>,
        limit: Option<u64>,
        sealer: Sealer,
        to_writer: SyncSender<ToWrite>,
        summary: Summary,
    ) -> Self {
        let gathered = Gathered { summary, listing: Listing::default() };
        Self {
            work,
            limit,
            sealer,
            to_writer,
            gathered,
            batch: Vec::new(),
            batch_bytes: 0,
            settled: Vec::new(),
            flushed: Instant::now(),
        }
    }

    /// Takes outcomes until there are no more, or until one is an error.
    pub(crate) fn gather(mut self, outcomes: &Receiver<Outcomes>) -> Result<Gathered, LedgerError> {
        let ended = self.take_all(outcomes);
        if ended.is_err() {
            // Everybody is told to stop, and is listened to until they have: a queue that nobody
            // empties would hold the lister for ever.
            self.work.stop.store(true, Ordering::Relaxed);
            while outcomes.recv().is_ok() {}
        }
        ended.map(|()| self.gathered)
    }

    fn take_all(&mut self, outcomes: &Receiver<Outcomes>) -> Result<(), LedgerError> {
        loop {
            match outcomes.recv_timeout(BATCH_PAUSE) {
                Ok(outcomes) => {
                    for outcome in outcomes {
                        self.take(outcome?);
                        if self.is_due() {
                            self.flush()?;
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.flush()?,
                Err(RecvTimeoutError::Disconnected) => return self.flush(),
            }
        }
    }

    fn is_due(&self) -> bool {
        let waits = !self.batch.is_empty() || !self.settled.is_empty();
        self.batch.len() >= BATCH_ENTRIES
            || self.batch_bytes >= BATCH_BYTES
            || self.settled.len() >= SETTLED_TOGETHER
            || waits && self.flushed.elapsed() >= BATCH_WAIT
    }

    fn take(&mut self, mut done: GroupDone) {
        let Gathered { summary, listing } = &mut self.gathered;
        if done.abandoned {
            summary.interrupted = true;
            return;
        }
        let room = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(summary.sealed));
        let new = done.sealings.iter().filter(|sealing| sealing.change.is_none()).count() as u64;
        if new > room && summary.sealed > 0 || new > 0 && room == 0 {
            // Left for the next run, as a whole.
            self.work.limit_reached.store(true, Ordering::Relaxed);
            done = done.over_the_limit();
        }
        for ((place, listed), became) in done.group.objects.into_iter().zip(done.became) {
            summary.count(&listed, became);
            listing.put(place, &listed, became);
        }
        done.problems.into_iter().for_each(|problem| summary.problem(problem));
        // Settled together with the last of its entries, or by itself where it has none.
        match done.sealings.last_mut() {
            Some(last) => last.entry.row.settles = done.settles,
            None => self.settled.extend(done.settles),
        }
        for sealing in done.sealings {
            match sealing.change {
                None => summary.sealed += 1,
                Some(_) => summary.sealed_again += 1,
            }
            let documents = sealing.entry.row.documents.iter();
            self.batch_bytes += documents.map(|document| document.bytes.len()).sum::<usize>();
            self.batch.push(sealing);
        }
    }

    /// Seals the batch and hands it on. Problems are counted now: if the batch cannot be written,
    /// the run ends with that error and reports nothing else.
    fn flush(&mut self) -> Result<(), LedgerError> {
        self.flushed = Instant::now();
        if self.batch.is_empty() && self.settled.is_empty() {
            return Ok(());
        }
        self.batch_bytes = 0;
        let (mut entries, mut reports) = (Vec::new(), Vec::new());
        for Sealing { entry, key, judged, change } in self.batch.drain(..) {
            entries.push(entry);
            reports.push((key, judged, change));
        }
        let group = self.sealer.seal(entries)?;
        let summary = &mut self.gathered.summary;
        for (entry, (key, judged, change)) in group.entries().iter().zip(reports) {
            let is_awaiting = judged.is_awaiting();
            let Judged { findings, remarks, awaits } = judged;
            for remark in remarks {
                *summary.remarks.entry(remark).or_default() += 1;
            }
            summary.awaited += u64::from(is_awaiting);
            if let Some(until) = awaits {
                summary.awaited_until = Some(summary.awaited_until.map_or(until, |u| u.min(until)));
            }
            let is_incomplete = !findings.is_empty() && !is_awaiting;
            summary.incomplete += u64::from(is_incomplete);
            let index = Some(entry.index);
            if is_incomplete {
                summary.problem(Problem { index, findings, ..Problem::new(&key, "incomplete") });
            }
            if let Some(what) = change {
                summary.problem(Problem { index, ..Problem::new(&key, what) });
            }
        }
        let settled = std::mem::take(&mut self.settled);
        // A writer that is gone has failed, and says why itself.
        self.to_writer.send(ToWrite { settled, group }).map_err(|_| LedgerError::Dead)
    }
}

impl GroupDone {
    /// The same group, left for the next run.
    fn over_the_limit(self) -> Self {
        Self::left_out(self.group, Disposition::OVER_THE_LIMIT)
    }
}
