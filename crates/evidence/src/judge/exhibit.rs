//! Verifies an exhibit, step by step as spec/verification.md numbers them.

use std::collections::{BTreeMap, BTreeSet};

use crate::bag::Place;
use crate::judge::beside::{ANCHORS, bytes_that_agree, not_supplied, notes, without_checkpoint};
use crate::judge::commitments::Commitments;
use crate::judge::entries::{Entries, Judged as JudgedEntry, Outcome, Shown};
use crate::judge::findings::Findings;
use crate::judge::history::History;
use crate::judge::notes::{Under, behind};
use crate::judge::payload::Payload;
use crate::judge::reading::{CHECKPOINT, MANIFEST, Reading};
use crate::judge::scope::Scope;
use crate::judge::trust::Judged;
use crate::kind::Kind;
use crate::limits::{NOTE_BYTES_MAX, OPENING_BYTES_MAX};
use crate::opening::{Mismatch, Opening, VerifiedOpening};
use crate::package::Package;
pub use crate::package::Stop;
use crate::step::{Axis, Step};
use crate::trust::Trust;
use crate::verdict::{Fault, Seen, Verdict};

/// Entries whose signatures are checked together.
const AT_ONCE: usize = 512;

/// Verifies the exhibit in `package` by what `trust` holds, on at most `threads` threads.
///
/// # Errors
/// [`Stop`] when nothing could be verified. Whatever is wrong with an exhibit is in the verdict.
pub fn verify_exhibit(
    package: &mut dyn Package,
    trust: &Trust,
    threads: usize,
) -> Result<Verdict, Stop> {
    let has = |path: &str| package.files().contains(path);
    if !has(MANIFEST) && !has(CHECKPOINT) {
        return Err(Stop::NotAnExhibit);
    }
    let mut findings = Findings::new(Step::ALL);
    let mut reading = Reading::new(package);
    reading.names(&mut findings);
    reading.bag(&mut findings)?;
    let checkpoint = reading.load(CHECKPOINT, NOTE_BYTES_MAX, Step::Checkpoint, &mut findings)?;
    let mut judged =
        checkpoint.as_deref().and_then(|bytes| Judged::new(bytes, trust, &mut findings));
    if let (Some(bytes), Some(judged)) = (&checkpoint, &mut judged) {
        judged.is_held = reading.holds(bytes)?;
        judged.serve(reading.chain(trust)?);
    }
    let origin = judged.as_ref().filter(|judged| !judged.is_doubted());
    let origin = origin.map(|judged| judged.claims().origin.clone());
    let mut story = Story {
        entries: Entries::new(origin, History::default()),
        commitments: Commitments::default(),
        scope: Scope::default(),
        openings: BTreeMap::new(),
        unplaced: BTreeSet::new(),
        hidden: 0,
    };
    let size = judged.as_ref().filter(|judged| !judged.is_doubted()).map(|j| j.claims().size);
    for places in reading.indices(size, &mut findings).chunks(AT_ONCE) {
        let under = (checkpoint.as_deref(), judged.as_mut());
        story.chunk(&mut reading, places, under, threads, &mut findings)?;
    }
    if judged.is_some() {
        findings.ran(&[Step::Inclusion]);
    } else {
        without_checkpoint(&mut findings);
    }
    story.entries.finish(&mut findings);
    findings.ran(&[Step::OpeningForm, Step::OpeningRoot]);
    let seen = judged.as_ref().map(|j| j.against(trust, &story.entries.keys, &mut findings));
    let size = judged.as_ref().filter(|judged| !judged.is_doubted()).map(|j| j.claims().size);
    let listed = story.scope.judge(size, &story.entries.history, &mut reading, &mut findings)?;
    story.strays(size, &reading, &mut findings);
    let absent = (story.scope.left_out(), listed);
    Payload::new(&mut reading, &mut story.commitments, absent, &mut findings).judge()?;
    let keys = &story.entries.keys;
    let is_cosigned = judged.as_ref().is_some_and(|judged| judged.is_cosigned(trust, keys));
    let shown = story.shown(seen.as_ref(), judged.is_some_and(|judged| !judged.is_doubted()));
    let is_declared = story.scope.is_declared();
    let has_anchors = reading.package.files().paths().any(|path| path.starts_with(ANCHORS));
    notes(&mut findings, seen.as_ref(), (story.hidden, is_declared), shown);
    not_supplied(&mut findings, has_anchors, is_cosigned);
    for said in story.scope.asked() {
        findings.note(Axis::Scope, format!("as the producer says, {said}"));
    }
    let not_judged = story.commitments.count_refused();
    story.commitments.recordings.not_judged = not_judged;
    bytes_that_agree(&story.commitments.recordings, not_judged, &mut findings);
    let mut verdict = Verdict::of(findings);
    let has_genesis = !story.unplaced.contains(&0) && story.entries.history.is_shown(0);
    let id_holds = |seen: &Seen| seen.id_holds || seen.is_vouched() && has_genesis;
    verdict.seen = seen.map(|seen| Seen { id_holds: id_holds(&seen), ..seen });
    verdict.produced = story.scope.closed();
    verdict.recordings = story.commitments.recordings;
    verdict.replacements = story.commitments.replacements;
    Ok(verdict)
}

/// What the entries of this exhibit say, as far as the files have to agree with it.
struct Story {
    entries: Entries,
    commitments: Commitments,
    scope: Scope,
    /// Openings that belong to an entry that was judged, and whether they stand in `ledger`.
    openings: BTreeMap<u64, bool>,
    /// Entries of which no proof leads to their place.
    unplaced: BTreeSet<u64>,
    hidden: u64,
}

impl Story {
    /// Some entries in a row: read, judged together, and taken in.
    fn chunk(
        &mut self,
        reading: &mut Reading<'_>,
        places: &[(u64, bool)],
        (checkpoint, mut judged): Under<'_>,
        threads: usize,
        findings: &mut Findings,
    ) -> Result<(), Stop> {
        for (index, is_control) in places.iter().copied() {
            let Some(bytes) = reading.note(index, is_control, findings)? else {
                // It is there and cannot be read: nothing that hangs on it is blamed.
                if judged.is_some() {
                    let why = "it cannot be read, and was not held against its proof";
                    let item = format!("entry {index}");
                    findings.not_established(Step::Inclusion, &item, why);
                }
                self.commitments.refused(index);
                self.entries.damaged(index, is_control);
                continue;
            };
            let mut shown = Shown::read(index, &bytes);
            let under = (checkpoint, judged.as_deref_mut());
            let at = (index, is_control);
            shown.is_placed = reading.inclusion(at, shown.leaf, under, findings)?;
            shown.in_control = is_control;
            if !shown.is_placed {
                self.unplaced.insert(index);
            }
            self.entries.entry(shown, findings);
        }
        let is_control = |index: u64| {
            places
                .binary_search_by_key(&index, |(index, _)| *index)
                .ok()
                .and_then(|p| places.get(p))
        };
        for outcome in self.entries.settle(threads, findings) {
            match outcome {
                Outcome::Refused(index) => self.commitments.refused(index),
                Outcome::Judged(judged) => {
                    let folder = is_control(judged.index).is_some_and(|(_, control)| *control);
                    self.entry(reading, &judged, folder, findings)?;
                }
            }
        }
        Ok(())
    }

    /// How many entries are shown, how many of these cannot be read, and whether all were read and proven.
    fn shown(&self, seen: Option<&Seen>, is_signed: bool) -> (u64, u64, bool) {
        let history = &self.entries.history;
        // What stands behind the checkpoint's end is none of its entries.
        let is_covered = |index: &u64| seen.is_none_or(|seen| *index < seen.size);
        let (shown, unread) = (history.shown().filter(is_covered), history.count_unread());
        let is_proven = is_signed && self.unplaced.is_empty() && unread == 0;
        (shown.count() as u64, unread, is_proven)
    }

    fn entry(
        &mut self,
        reading: &mut Reading<'_>,
        judged: &JudgedEntry,
        in_control: bool,
        findings: &mut Findings,
    ) -> Result<(), Stop> {
        let index = judged.index;
        let kind = &judged.statement().kind;
        if in_control != (*kind == Kind::Control) {
            let item = format!("entry {index}");
            let expected = "control entries in ledger/control, others in ledger/entries";
            findings.blamed(Fault::Evidence, Step::Names, &item, expected, kind.name());
        }
        let in_ledger = matches!(kind, Kind::Control | Kind::Produced);
        let folder = if in_ledger { "ledger" } else { "data" };
        let path = format!("{folder}/openings/{index}.json");
        if self.unplaced.contains(&index) {
            // Which entry this is, is not known: its opening may be another's.
            self.commitments.refused(index);
            return Ok(());
        }
        let opening = self.opening(reading, &path, in_ledger, judged, findings)?;
        let closed = match &opening {
            Some(opening) => opening.closed() as u64,
            // One that is listed and missing was there: what it showed is not known to be closed.
            None if reading.has(&path) || reading.lists(&path) => {
                self.commitments.unusable(index);
                0
            }
            None => judged.statement().body.fields().map_or(0, |fields| fields.count),
        };
        self.hidden = self.hidden.saturating_add(closed);
        self.commitments.entry(judged, opening.as_ref(), findings);
        if *kind == Kind::Produced {
            let at = judged.statement().at;
            self.scope.entry((index, at), opening.as_ref(), findings);
        }
        Ok(())
    }

    /// V25 and V26: the opening of an entry, if the exhibit holds one.
    fn opening(
        &mut self,
        reading: &mut Reading<'_>,
        path: &str,
        required: bool,
        judged: &JudgedEntry,
        findings: &mut Findings,
    ) -> Result<Option<VerifiedOpening>, Stop> {
        if !required && !reading.has(path) {
            return Ok(None);
        }
        self.openings.insert(judged.index, required);
        let step = Step::OpeningForm;
        let Some(bytes) = reading.load(path, OPENING_BYTES_MAX, step, findings)? else {
            return Ok(None);
        };
        let statement = judged.statement();
        let Some(commitment) = statement.body.fields() else {
            findings.not_established(Step::OpeningRoot, path, "the entry's kind is not known");
            return Ok(None);
        };
        let opening = match Opening::parse(&bytes) {
            Ok(opening) => opening,
            Err(error) => {
                findings.form(step, path, &error);
                return Ok(None);
            }
        };
        if opening.block_key.is_some() && statement.kind != Kind::Recording {
            findings.contradicted(step, path, "no block_key in this kind", "one");
        }
        match opening.verify(commitment) {
            Ok(verified) => {
                findings.held(Step::OpeningForm);
                findings.held(Step::OpeningRoot);
                Ok(Some(verified))
            }
            Err(Mismatch::Commitment(error)) => {
                findings.form(Step::OpeningRoot, path, &error);
                Ok(None)
            }
            Err(Mismatch::Form(error)) => {
                findings.form(Step::OpeningForm, path, &error);
                Ok(None)
            }
        }
    }

    /// V1: openings of entries that are not shown, or in the other folder.
    fn strays(&self, size: Option<u64>, reading: &Reading<'_>, findings: &mut Findings) {
        for path in reading.package.files().paths() {
            let (index, in_ledger) = match Place::of(path) {
                Some(Place::Opening(index)) => (index, false),
                Some(Place::LedgerOpening(index)) => (index, true),
                _ => continue,
            };
            let known =
                self.openings.get(&index) == Some(&in_ledger) || self.commitments.is_refused(index);
            if self.commitments.is_refused(index) {
                let why = "its entry was not judged";
                findings.not_established(Step::OpeningRoot, path, why);
            }
            if !known {
                if self.entries.history.is_shown(index) {
                    let expected = "the opening of an entry that is shown, in its place";
                    let found = "one in another place";
                    findings.blamed(Fault::Evidence, Step::Names, path, expected, found);
                } else if !behind(index, size, path, findings) {
                    let item = format!("entry {index}");
                    let expected = format!("shown, as its opening {path} is");
                    findings.blamed(Fault::Evidence, Step::Names, &item, &expected, "not shown");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::{anchor, exhibit, found_in};
    use crate::package::MemoryPackage;
    use crate::recordings::Recordings;

    #[test]
    fn what_has_neither_manifest_nor_checkpoint_is_no_exhibit() {
        let mut package = exhibit("good");
        package.remove(MANIFEST);
        assert!(verify_exhibit(&mut package, &anchor(), 1).is_ok());
        package.remove(CHECKPOINT);
        let stop = verify_exhibit(&mut package, &anchor(), 1).unwrap_err();
        assert_eq!(stop, Stop::NotAnExhibit);
        let stop = verify_exhibit(&mut MemoryPackage::default(), &anchor(), 1).unwrap_err();
        assert_eq!(stop, Stop::NotAnExhibit);
    }

    // spec: X2
    #[test]
    fn entries_and_openings_stand_where_they_belong() {
        let mut package = exhibit("good");
        let opening = package.bytes("data/openings/2.json").unwrap().to_vec();
        package.insert("data/openings/9.json", opening.clone());
        package.insert("ledger/openings/2.json", opening);
        let found = found_in(&mut package);
        let expected = "expected the opening of an entry that is shown, in its place";
        let lines = [
            "V1! data/openings/9.json: expected a file of an entry below the checkpoint's size 9; entry 9"
                .to_owned(),
            format!("V1! ledger/openings/2.json: {expected}; one in another place"),
        ];
        let of_names: Vec<&String> = found.iter().filter(|line| line.starts_with("V1!")).collect();
        assert_eq!(
            of_names,
            lines.iter().collect::<Vec<_>>(),
            "the one in its place is not accused"
        );
        let found = found_in(&mut exhibit("entry-in-control-folder"));
        let line = "V1! entry 4: expected control entries in ledger/control, others in ledger/entries; recording";
        assert!(found.contains(&line.to_owned()), "{found:?}");
    }

    // spec: X11 X18
    #[test]
    fn openings_that_an_exhibit_must_have_are_missed() {
        for (index, folder) in [(0, "ledger"), (3, "ledger"), (8, "ledger")] {
            let path = format!("{folder}/openings/{index}.json");
            let mut package = exhibit("good");
            package.remove(&path).unwrap();
            let found = found_in(&mut package);
            let line = format!("V25! {path}: expected the file; missing");
            assert!(found.contains(&line), "{found:?}");
        }
    }

    /// With the genesis unreadable every entry above it was said to name another control entry.
    // spec: X12 E13
    #[test]
    fn an_entry_that_cannot_be_read_accuses_no_other() {
        for (path, others) in [("ledger/control/0.note", 1..4), ("ledger/control/3.note", 4..9)] {
            let mut package = exhibit("good");
            package.damage(path);
            let found = found_in(&mut package);
            let index = path.as_bytes().get(15).copied().map(char::from).unwrap();
            let contradicted: Vec<&String> =
                found.iter().filter(|line| line.contains("! ")).collect();
            assert!(contradicted.iter().all(|line| line.contains(path)), "{contradicted:?}");
            for other in others {
                let why = format!(
                    "V11? entry {other}: entry {index}, of which nothing was taken, may be"
                );
                assert!(found.iter().any(|line| line.starts_with(&why)), "{why}: {found:?}");
            }
        }
    }

    // spec: E13
    #[test]
    fn without_the_genesis_the_entries_above_miss_what_they_name() {
        let mut package = exhibit("good");
        let leaf = verify_exhibit(&mut package, &anchor(), 1).unwrap();
        let leaf = leaf.seen().unwrap().ledger_id.unwrap();
        for ending in ["note", "tlog-proof"] {
            package.remove(&format!("ledger/control/0.{ending}"));
        }
        let line = format!(
            "V11! control entry of leaf {leaf}: expected to be shown below entry 1, which names it; not shown"
        );
        let found = found_in(&mut package);
        assert!(found.contains(&line), "{found:?}");
    }

    fn notes_of(package: &mut MemoryPackage, axis: Axis) -> Vec<String> {
        let verdict = verify_exhibit(package, &anchor(), 1).unwrap();
        let axis = verdict.axes().iter().find(|found| found.axis == axis);
        axis.map(|axis| axis.notes.clone()).unwrap_or_default()
    }

    // spec: A3
    #[test]
    fn the_content_axis_says_how_many_bytes_agree() {
        let content = |package: &mut MemoryPackage| notes_of(package, Axis::Content);
        let mut package = exhibit("good");
        let agree = "the bytes of 3 of 3 recording entries agree, and 2 of 2 of their companions";
        assert_eq!(content(&mut package), [agree]);
        package.insert("data/2/recording.opus", *b"other bytes");
        package.insert("data/2/companion-0.json", *b"{}");
        let now = "the bytes of 1 of 3 recording entries agree, and 0 of 2 of their companions";
        assert_eq!(content(&mut package), [now, "contradicted at V3, V4"]);
        let none =
            "no recording is packed: of none were the bytes compared; of 2 companions 0 agree";
        assert_eq!(content(&mut exhibit("recordings-not-packed")), [none]);
        // One entry is of a later version: nothing is said of what it says.
        let of_two = "the bytes of 2 of 2 recording entries that were judged agree, and 1 of 1 of their companions";
        let not_judged = "entries that were not judged: 1";
        assert_eq!(content(&mut exhibit("entry-version")), [of_two, not_judged]);
        assert_eq!(content(&mut exhibit("no-recording-shown")), [""; 0]);
        let unknown = "entries that may have companions, or digests of them, that are not shown: 1";
        assert!(content(&mut exhibit("opening-removed")).contains(&unknown.to_owned()));
    }

    // spec: A3
    #[test]
    fn of_companions_that_nobody_named_nothing_is_said() {
        let verdict = verify_exhibit(&mut exhibit("recordings-not-packed"), &anchor(), 1).unwrap();
        let mut recordings = verdict.recordings().clone();
        let said = |recordings: &Recordings| {
            let mut findings = Findings::new(Step::ALL);
            bytes_that_agree(recordings, 0, &mut findings);
            findings.notes.remove(&Axis::Content).unwrap_or_default()
        };
        let none = "no recording is packed: of none were the bytes compared";
        assert_eq!(said(&recordings), [format!("{none}; of 2 companions 0 agree")]);
        recordings.lines.iter_mut().for_each(|line| line.companions = (0, 0));
        assert_eq!(said(&recordings), [none]);
    }

    // spec: A5
    #[test]
    fn what_is_not_shown_is_said_beside_the_axes() {
        let said = |name: &str| {
            let mut package = exhibit(name);
            let ledger = notes_of(&mut package, Axis::Ledger);
            (ledger, notes_of(&mut package, Axis::Scope))
        };
        let all = "every entry up to this checkpoint is shown; a later one that ends or disputes a key shows only in the published log";
        let scope = |shown: u64, later: &str| {
            format!(
                "as declared by the producer; nothing is said of other recordings{later}; of the 9 entries up to this checkpoint {shown} are shown here"
            )
        };
        let later =
            ", nor whether an entry about these was left out: that shows only in the published log";
        assert_eq!(said("good"), (vec![all.to_owned()], vec![scope(9, "")]));
        let some = "an entry that ends or disputes a key may be left out here: that shows only in the published log";
        assert_eq!(said("an-entry-not-shown"), (vec![some.to_owned()], vec![scope(8, later)]));
        let unread = format!("{}, of which 1 cannot be read", scope(9, later));
        let not_all = "not every entry here was read and proven: one of the log's that ends or disputes a key may not be among them";
        assert_eq!(said("entry-version"), (vec![not_all.to_owned()], vec![unread]));
        let (_, scope) = said("later-produced");
        assert!(scope[0].starts_with("no declaration of the producer was read; "), "{scope:?}");
    }

    #[test]
    fn closed_fields_are_counted_and_those_of_a_changed_opening_are_not() {
        let notes = |package: &mut MemoryPackage| notes_of(package, Axis::Disclosure);
        assert_eq!(notes(&mut exhibit("good")), [""; 0]);
        let closed = |count: u64| {
            format!(
                "fields that are not shown: {count}; no absence is established, nor that each name stands once"
            )
        };
        assert_eq!(notes(&mut exhibit("field-closed")), [closed(1)]);
        let mut package = exhibit("good");
        package.remove("data/openings/2.json");
        assert_eq!(notes(&mut package), ["contradicted at V25"], "it is listed, and was there");
        assert_eq!(notes(&mut exhibit("opening-edited")), ["contradicted at V25, V26"]);
    }
}
