//! Verifies a published log: everything of its size, recomputed (spec/verification.md, part 2).

use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::judge::entries::{Entries, Shown};
pub use crate::judge::files::{LogFile, LogFiles, LogStop};
use crate::judge::findings::Findings;
use crate::judge::history::History;
pub use crate::judge::kept::KEPT_ITEM;
use crate::judge::kept::Kept;
use crate::judge::trust::Judged;
use crate::judge::walk::{Visitor, Walk, tell_of_missing};
use crate::keys::Serving;
use crate::limits::NOTE_BYTES_MAX;
use crate::spread::spread;
use crate::step::{Axis, Step};
use crate::tile::Tile;
use crate::trust::Trust;
use crate::verdict::Verdict;

/// The steps of a log: those that need no files and no openings.
pub(crate) const STEPS: &[Step] = &[
    Step::Checkpoint,
    Step::LedgerId,
    Step::Inclusion,
    Step::Control,
    Step::LogKey,
    Step::NoteForm,
    Step::Signature,
    Step::Standing,
    Step::Chain,
    Step::Time,
    Step::Witness,
    Step::Items,
    Step::Named,
    Step::References,
    Step::Succession,
    Step::CustodyEvents,
];

/// Verifies the published log in `files`, on at most `threads` threads. `since` is a checkpoint
/// kept from earlier, which this log must continue; `progress` hears how many entries were read.
///
/// # Errors
/// [`LogStop`] when nothing could be verified. Whatever is wrong with a log is in the verdict.
pub fn verify_log(
    files: &mut dyn LogFiles,
    trust: &Trust,
    since: Option<&[u8]>,
    threads: usize,
    progress: &dyn Fn(u64),
) -> Result<Verdict, LogStop> {
    let mut findings = Findings::new(STEPS);
    let Some(mut judged) = checkpoint(files, trust, &mut findings)? else {
        nothing_else(&mut findings);
        return Ok(Verdict::of(findings));
    };
    let kept = since.and_then(|bytes| Kept::read(bytes, &mut findings));
    let Checkpoint { origin, size, .. } = judged.claims().clone();
    let entries = Entries::new(Some(origin), History::whole(size));
    let mut visitor = Everything { entries, threads, progress };
    let mut walk = Walk::new(files, &judged, kept.as_ref().map(Kept::size));
    let root = walk.entries(&mut visitor, &mut findings)?;
    let (earlier_root, missing) = (walk.earlier_root(), walk.missing());
    let mut entries = visitor.entries;
    same_root(&mut judged, (root, missing), entries.keys.serving(trust), &mut findings);
    if root.is_some() {
        entries.finish(&mut findings);
        findings.ran(&[Step::Items]);
    }
    let seen = judged.against(trust, &entries.keys, &mut findings);
    if seen.anchored {
        let sentence = match entries.history.count_unread() {
            0 => "established by the log: all its entries were read".to_owned(),
            unread => format!(
                "established by the log: all its entries are here, of which {unread} cannot be read"
            ),
        };
        findings.note(Axis::Scope, sentence);
        entries.history.says_what_is_superseded(&mut findings);
    }
    let now = (judged.claims(), seen.anchored);
    let continues = Kept::continued(kept, now, (&entries.keys, earlier_root), &mut findings);
    nothing_else(&mut findings);
    let mut verdict = Verdict::of(findings);
    verdict.seen = Some(seen.of_log(continues, root));
    Ok(verdict)
}

/// V8: the log's own checkpoint; `None` after a finding.
pub(crate) fn checkpoint(
    files: &mut dyn LogFiles,
    trust: &Trust,
    findings: &mut Findings,
) -> Result<Option<Judged>, LogStop> {
    let item = "checkpoint";
    match files.read(item, NOTE_BYTES_MAX).map_err(LogStop::Io)? {
        LogFile::Missing => Err(LogStop::NotALog),
        LogFile::Bytes(bytes) => Ok(Judged::new(&bytes, trust, findings)),
        LogFile::TooLong | LogFile::NoFile => {
            let found = "something that is no file of at most 1 MiB";
            findings.contradicted(Step::Checkpoint, item, "a checkpoint", found);
            Ok(None)
        }
    }
}

/// V10: the root over all entries is the checkpoint's, and no file is missing; `serving` are the log keys of the
/// chain (L8).
pub(crate) fn same_root(
    judged: &mut Judged,
    (root, missing): (Option<Hash>, Vec<Tile>),
    serving: Serving,
    findings: &mut Findings,
) {
    judged.serve(serving);
    tell_of_missing(missing, judged, findings);
    if let Some(root) = root {
        let claims = judged.claims();
        let expected = format!("root {} at size {}", claims.root, claims.size);
        let found = root.to_string();
        judged.leads(root == claims.root, ("log", &expected, &found), findings);
    }
}

/// What nobody supplies in this version.
pub(crate) fn nothing_else(findings: &mut Findings) {
    findings.not_supplied(Step::Time, "timestamps", "this version checks none");
    findings.not_supplied(Step::Witness, "cosignatures", "this version checks none");
    findings.ran(&[Step::Time, Step::Witness]);
}

/// Judges every entry.
struct Everything<'a> {
    entries: Entries,
    threads: usize,
    progress: &'a dyn Fn(u64),
}

impl Visitor for Everything<'_> {
    fn batch(&mut self, entries: &[(u64, &[u8])], findings: &mut Findings) -> Vec<Hash> {
        let shown = spread(entries.to_vec(), self.threads, |(index, bytes)| {
            Box::new(Shown::read(index, bytes))
        });
        let mut leaves = Vec::with_capacity(shown.len());
        for shown in shown {
            leaves.push(shown.leaf);
            self.entries.entry(*shown, findings);
        }
        // What each says is held against openings and files where there are some.
        drop(self.entries.settle(self.threads, findings));
        (self.progress)(leaves.len() as u64);
        leaves
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::judge::testing::{MemoryLog, anchor, found};
    use crate::verdict::Outcome;

    #[test]
    fn progress_hears_of_every_entry_and_the_scope_is_the_log() {
        let read = Cell::new(0);
        let mut log = MemoryLog::of("long");
        let hear = |entries| read.set(read.get() + entries);
        let verdict = verify_log(&mut log, &anchor(), None, 2, &hear).unwrap();
        assert_eq!(read.get(), 300);
        let scope = verdict.axes().iter().find(|axis| axis.axis == Axis::Scope).unwrap();
        assert_eq!(scope.outcome, Outcome::Established);
        assert_eq!(scope.notes, ["established by the log: all its entries were read"]);
        let (seen, whole) = (verdict.seen().unwrap(), verdict.tally(Step::NoteForm));
        assert_eq!((seen.size, seen.anchored, seen.continues), (300, true, None));
        assert!(whole.ran && whole.held == 300);
    }

    /// The ledger id is the log's where it was given, or where an anchor holds and the entries lead to its root.
    // spec: A10
    #[test]
    fn a_ledger_id_is_the_logs_where_it_was_given_or_the_entries_lead_there() {
        let id_holds = |trust: &Trust, is_changed: bool| {
            let mut log = MemoryLog::of("good");
            if is_changed {
                let (_, bundle) =
                    log.0.iter_mut().find(|(path, _)| path.starts_with("tile/entries/")).unwrap();
                let last = bundle.len() - 9;
                bundle[last] ^= 1;
            }
            verify_log(&mut log, trust, None, 1, &|_| ()).unwrap().seen().unwrap().id_holds
        };
        let id = verify_log(&mut MemoryLog::of("good"), &anchor(), None, 1, &|_| ()).unwrap();
        let id = id.seen().unwrap().ledger_id.unwrap();
        let by_id = Trust { ledger_ids: vec![id], ..Trust::default() };
        assert_eq!([false, true].map(|changed| id_holds(&anchor(), changed)), [true, false]);
        assert_eq!([false, true].map(|changed| id_holds(&by_id, changed)), [true; 2]);
        assert_eq!([false, true].map(|changed| id_holds(&Trust::default(), changed)), [false; 2]);
    }

    /// "All its entries were read", with one of a later version among them.
    // spec: A2
    #[test]
    fn of_a_log_that_is_not_wholly_understood_the_scope_says_so() {
        let verdict = verify_log(
            &mut MemoryLog::of("later-entry-leaves-room-for-one"),
            &anchor(),
            None,
            1,
            &|_| (),
        );
        let verdict = verdict.unwrap();
        let scope = verdict.axes().iter().find(|axis| axis.axis == Axis::Scope).unwrap();
        let unread = "established by the log: all its entries are here, of which 1 cannot be read";
        assert_eq!(scope.notes, [unread]);
    }

    #[test]
    fn without_its_checkpoint_a_folder_is_no_log() {
        let mut log = MemoryLog(std::collections::BTreeMap::new());
        let stop = verify_log(&mut log, &anchor(), None, 1, &|_| ()).unwrap_err();
        assert_eq!(stop, LogStop::NotALog);
        log.0.insert("checkpoint".to_owned(), vec![b'x'; NOTE_BYTES_MAX + 1]);
        let verdict = verify_log(&mut log, &anchor(), None, 1, &|_| ()).unwrap();
        let long =
            "V8! checkpoint: expected a checkpoint; something that is no file of at most 1 MiB";
        assert_eq!(found(&verdict), [long]);
        let carried_out = |step: &&Step| verdict.tally(**step).ran;
        let ran: Vec<&Step> = STEPS.iter().filter(carried_out).collect();
        assert_eq!(ran, [&Step::Time, &Step::Witness], "A5");
    }

    #[test]
    fn what_is_superseded_is_counted_and_not_compared() {
        let history = |name: &str| {
            let verdict = verify_log(&mut MemoryLog::of(name), &anchor(), None, 1, &|_| ());
            let verdict = verdict.unwrap();
            let axis = verdict.axes().iter().find(|axis| axis.axis == Axis::History).unwrap();
            axis.notes.clone()
        };
        let one = "entries that supersede earlier ones: 1; whether bytes were replaced was not looked at here: `object` says so of a file";
        assert_eq!(history("good"), [one]);
    }
}
