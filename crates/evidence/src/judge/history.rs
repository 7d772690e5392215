//! What entries say of each other: references, policies, succession, disputes (spec/verification.md,
//! V21 to V24).

use std::collections::{BTreeMap, BTreeSet};

use crate::body::{Body, Ref, Rel, Subject};
use crate::entry::Statement;
use crate::hash::Hash;
use crate::judge::findings::Findings;
use crate::judge::row::{Row, Tag};
use crate::keys::Keys;
use crate::step::{Axis, Step};

const NO_CUSTODY: &str = "there is none among the entries that were judged";

/// The steps that this file carries out.
pub(crate) const STEPS: &[Step] =
    &[Step::Named, Step::References, Step::Succession, Step::CustodyEvents];

/// The entries that were shown, and what they say of each other.
#[derive(Debug, Default)]
pub(crate) struct History {
    rows: Vec<Row>,
    /// The index of each row; empty where every entry has one, and the row's place is its index.
    indices: Vec<u64>,
    is_whole: bool,
    keys: BTreeMap<Hash, u16>,
    superseded: Vec<u64>,
    policies: BTreeSet<Hash>,
    /// How many custody entries no known key signed.
    unsigned_custody: u64,
    /// How many of these are refused: their rows do not say any more what they are.
    refused_custody: u64,
}

/// Rows that are made room for at once; a checkpoint may claim any size.
const ROOM_MAX: u64 = 8 << 20;

impl History {
    /// Of a log of which every entry has a row.
    pub(crate) fn whole(size: u64) -> Self {
        let room = usize::try_from(size.min(ROOM_MAX)).unwrap_or(0);
        Self { rows: Vec::with_capacity(room), is_whole: true, ..Self::default() }
    }

    /// An entry of which nothing is judged; its leaf is known.
    pub(crate) fn passes(&mut self, index: u64, leaf: Hash) {
        self.push(index, Row::passed(leaf, Tag::Passed));
    }

    /// An entry that cannot be read; of one whose proof does not hold not even the leaf is known.
    pub(crate) fn unread(&mut self, index: u64, leaf: Option<Hash>) {
        match leaf {
            Some(leaf) => self.push(index, Row::passed(leaf, Tag::Unread)),
            None => self.damaged(index),
        }
    }

    /// The signature of the entry at `index`, which was seated, does not hold, or its proof: `why` says which.
    pub(crate) fn refused(&mut self, index: u64, why: Tag) {
        self.refused_custody += u64::from(self.unsigned(index));
        let row = self.place(index).and_then(|place| self.rows.get_mut(place));
        if let Some(row) = row.filter(|row| !row.is_unread()) {
            row.tag = why;
            // What it says that it is about is nobody's word, or stands elsewhere in the log.
            row.has_subject = false;
        }
    }

    /// No known key signed the entry at `index`; whether it is one of custody.
    pub(crate) fn unsigned(&mut self, index: u64) -> bool {
        let is_custody = self.row(index).is_some_and(|row| row.tag == Tag::Custody);
        self.unsigned_custody += u64::from(is_custody);
        is_custody
    }

    /// An entry whose file cannot be read.
    pub(crate) fn damaged(&mut self, index: u64) {
        self.push(index, Row::passed(Hash::of(&[]), Tag::Damaged));
    }

    fn push(&mut self, index: u64, row: Row) {
        if self.is_whole {
            // A row that passed first and is judged now.
            if let Some(known) = self.rows.get_mut(usize::try_from(index).unwrap_or(usize::MAX)) {
                *known = row;
                return;
            }
        } else {
            self.indices.push(index);
        }
        self.rows.push(row);
    }

    /// Seats an entry, so that others may name it.
    pub(crate) fn seat(&mut self, index: u64, leaf: Hash, statement: &Statement) {
        let tag = Tag::of(&statement.kind);
        let subject = statement.subject.unwrap_or(Subject([0; 16])).0;
        let key = self.key_number(statement.key);
        let has_subject = statement.subject.is_some();
        self.push(index, Row { leaf, subject, tag, has_subject, key });
    }

    /// Judges what an entry that was seated says of lower ones. One whose signature does not hold is not judged:
    /// what it says may be anybody's.
    pub(crate) fn entry(
        &mut self,
        index: u64,
        leaf: Hash,
        item: &str,
        statement: &Statement,
        findings: &mut Findings,
    ) {
        let tag = Tag::of(&statement.kind);
        if tag == Tag::Unknown {
            let kind = &statement.kind;
            let why = format!(
                "kind `{kind}`, or something in it, is not known to this version: its meaning is not checked"
            );
            findings.not_established(Step::Named, item, &why);
        }
        if tag == Tag::Policy {
            self.policies.insert(leaf);
        }
        for reference in statement.body.refs() {
            self.reference(index, item, tag, statement, reference, findings);
        }
        if let Body::Recording(recording) = &statement.body
            && let Some(completeness) = recording.completeness
        {
            if self.policies.contains(&completeness.policy) {
                findings.held(Step::Named);
            } else {
                let policy = completeness.policy;
                let why = format!(
                    "no policy that was judged is shown under leaf {policy}, which it names"
                );
                findings.not_established(Step::Named, item, &why);
            }
        }
    }

    fn key_number(&mut self, key: Hash) -> u16 {
        let next = u16::try_from(self.keys.len()).unwrap_or(u16::MAX);
        if next == u16::MAX { u16::MAX } else { *self.keys.entry(key).or_insert(next) }
    }

    fn reference(
        &mut self,
        index: u64,
        item: &str,
        tag: Tag,
        statement: &Statement,
        reference: &Ref,
        findings: &mut Findings,
    ) {
        let target = reference.index;
        if target >= index {
            let expected = format!("a reference below {index}");
            let found = target.to_string();
            return findings.contradicted(Step::References, item, &expected, &found);
        }
        let Some(named) = self.row(target) else {
            if reference.rel == Rel::Supersedes {
                let expected = format!("entry {target}, which it supersedes, to be shown");
                return findings.contradicted(Step::Items, item, &expected, "not shown");
            }
            let why = format!("it names entry {target}, which is not shown");
            return findings.not_established(Step::Named, item, &why);
        };
        if named.tag == Tag::Damaged {
            let why = format!("entry {target}, which it names, cannot be read");
            return findings.not_established(Step::Named, item, &why);
        }
        if named.tag == Tag::Refused {
            let why =
                format!("on entry {target}, which it names, no signature by a known key holds");
            return findings.not_established(Step::Named, item, &why);
        }
        if named.tag == Tag::Displaced {
            let why =
                format!("the proof of entry {target}, which it names, does not hold or is missing");
            return findings.not_established(Step::Named, item, &why);
        }
        let expected = format!("leaf {} of entry {target}", named.leaf);
        let found = reference.leaf.to_string();
        let holds = named.leaf == reference.leaf;
        findings.check(holds, Step::References, item, &expected, &found);
        match named.tag {
            Tag::Passed => return,
            Tag::Unread | Tag::Unknown => {
                let why = format!("entry {target}, which it names, is not understood");
                return findings.not_established(Step::Named, item, &why);
            }
            _ if tag == Tag::Unknown => {
                let why = format!("what it says of entry {target} is not understood");
                return findings.not_established(Step::Named, item, &why);
            }
            Tag::Produced => {
                let (expected, found) = ("no reference to a `produced` entry", "one");
                findings.contradicted(Step::References, item, expected, found);
            }
            _ => findings.held(Step::Named),
        }
        if reference.rel == Rel::Supersedes {
            self.superseded.push(target);
            let same = named.tag == tag && named.subject() == statement.subject;
            let expected = format!("entry {target} to be of the same kind and subject");
            findings.check(same, Step::References, item, &expected, "another");
        }
    }

    fn place(&self, index: u64) -> Option<usize> {
        if self.is_whole {
            usize::try_from(index).ok()
        } else {
            self.indices.binary_search(&index).ok()
        }
    }

    fn row(&self, index: u64) -> Option<Row> {
        self.rows.get(self.place(index)?).copied()
    }

    fn index(&self, place: usize) -> u64 {
        if self.is_whole { place as u64 } else { self.indices.get(place).copied().unwrap_or(0) }
    }

    /// Whether the entry at `index` is shown, and what it is about is not known.
    pub(crate) fn hides_its_subject(&self, index: u64) -> bool {
        self.row(index).is_some_and(|row| row.was_not_judged())
    }

    /// Whether every entry of a log is here.
    pub(crate) const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether an entry is shown at `index`, whatever became of it.
    pub(crate) fn is_shown(&self, index: u64) -> bool {
        self.row(index).is_some()
    }

    /// The shown indices, ascending.
    pub(crate) fn shown(&self) -> impl Iterator<Item = u64> {
        (0..self.rows.len()).map(|place| self.index(place))
    }

    /// The shown entries that have a subject, ascending by index.
    pub(crate) fn of_subjects(&self) -> impl Iterator<Item = (Subject, u64)> {
        let subject = |(place, row): (usize, &Row)| Some((row.subject()?, self.index(place)));
        self.rows.iter().enumerate().filter_map(subject)
    }

    /// How many of the shown entries cannot be read.
    pub(crate) fn count_unread(&self) -> u64 {
        self.rows.iter().filter(|row| row.is_unread()).count() as u64
    }

    /// Whether what the entry of the last index is, is not known.
    pub(crate) fn last_is_unknown(&self) -> bool {
        self.rows.last().is_some_and(Row::was_not_judged)
    }

    /// C8: what a disputed key signed.
    pub(crate) fn disputes(&self, keys: &Keys, findings: &mut Findings) {
        let mut disputed: BTreeMap<u16, (u64, String)> = BTreeMap::new();
        for history in keys.keys() {
            let Some(from) = history.disputed_from else { continue };
            if let Some(number) = self.keys.get(&history.key.hash()) {
                disputed.insert(*number, (from, history.key.to_string()));
            } else if self.keys.len() >= usize::from(u16::MAX) {
                // Of so many keys not every one has a number; it may have signed any entry.
                let why = format!(
                    "too many keys to tell what {}, disputed from entry {from} on, has signed",
                    history.key
                );
                findings.not_established(Step::Standing, "entries", &why);
            }
        }
        if disputed.is_empty() {
            return;
        }
        for (place, row) in self.rows.iter().enumerate() {
            let index = self.index(place);
            if let Some((from, key)) = disputed.get(&row.key).filter(|(from, _)| index >= *from) {
                let why = format!("its key {key} is disputed from entry {from} on");
                findings.not_established(Step::Standing, &format!("entry {index}"), &why);
            }
        }
    }

    /// V23 and V24, when all entries were seen.
    pub(crate) fn finish(&mut self, findings: &mut Findings) {
        self.succession(findings);
        let custody = self.rows.iter().filter(|row| row.tag == Tag::Custody).count() as u64;
        let custody = custody + self.refused_custody;
        if self.unsigned_custody > 0 {
            let why = format!("{} of {custody} are signed by no known key", self.unsigned_custody);
            findings.not_established(Step::CustodyEvents, "custody entries", &why);
        } else if custody > 0 {
            findings.held(Step::CustodyEvents);
            findings.note(Axis::Custody, "each custody entry is signed by the key that it names, and whether that key might sign is told by the axis signer; what it says is its signer's word".into());
        } else {
            findings.not_supplied(Step::CustodyEvents, "custody entries", NO_CUSTODY);
            findings.note(Axis::Custody, NO_CUSTODY.into());
        }
        // One below every recording entry supersedes none: references lead down.
        let behind = self.rows.iter().skip_while(|row| row.tag != Tag::Recording);
        let (mut unread, mut refused, mut displaced) = (0, 0, 0);
        for row in behind {
            unread += u64::from(row.is_unread());
            refused += u64::from(row.tag == Tag::Refused);
            displaced += u64::from(row.tag == Tag::Displaced);
        }
        let what = [
            (displaced, "whose proof does not hold or is missing"),
            (unread, "that cannot be read or are not understood"),
            (refused, "on which no signature by a known key holds"),
        ];
        for (count, what) in what.into_iter().filter(|(count, _)| *count > 0) {
            let why =
                format!("{count} {what} may be about any recording, and supersede entries below");
            findings.not_established(Step::Succession, "entries", &why);
        }
        findings.ran(STEPS);
    }

    /// How many entries take another's place: what that did to the bytes is not looked at in a log.
    pub(crate) fn says_what_is_superseded(&self, findings: &mut Findings) {
        if !self.superseded.is_empty() {
            let sentence = format!(
                "entries that supersede earlier ones: {}; whether bytes were replaced was not looked at here: `object` says so of a file",
                self.superseded.len()
            );
            findings.note(Axis::History, sentence);
        }
    }

    /// Of the recording entries of one subject exactly one is current.
    fn succession(&mut self, findings: &mut Findings) {
        self.superseded.sort_unstable();
        let is_recording =
            |place: &u32| self.at(*place).is_some_and(|row| row.tag == Tag::Recording);
        let places = 0..u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let mut places: Vec<u32> = places.filter(is_recording).collect();
        let subject = |place: &u32| self.at(*place).map(|row| row.subject);
        places.sort_by_key(subject);
        for group in places.chunk_by(|a, b| subject(a) == subject(b)) {
            let times = |place: &u32| {
                let index = self.index(usize::try_from(*place).unwrap_or(usize::MAX));
                let from = self.superseded.partition_point(|superseded| *superseded < index);
                self.superseded
                    .iter()
                    .skip(from)
                    .take_while(|superseded| **superseded == index)
                    .count()
            };
            let current = group.iter().filter(|place| times(place) == 0).count();
            let branched = current != 1 || group.iter().any(|place| times(place) > 1);
            let Some(subject) = group.first().and_then(subject).map(Subject) else { continue };
            if branched {
                let why = format!(
                    "its history branches: of {} recording entries {current} are not superseded, and none may be superseded twice; none is current",
                    group.len()
                );
                findings.not_established(Step::Succession, &format!("subject {subject}"), &why);
            } else {
                findings.held(Step::Succession);
            }
        }
    }

    fn at(&self, place: u32) -> Option<&Row> {
        self.rows.get(usize::try_from(place).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::FieldsCommitment;
    use crate::judge::findings::Findings;
    use crate::judge::testing::{Scribe, ended, found, signer};
    use crate::kind::Kind;
    use crate::verdict::{Outcome, Verdict};

    /// The keys of a ledger whose collector, key 3, is disputed from entry 2 on.
    fn disputed() -> Keys {
        let mut scribe = Scribe::new();
        for _ in 0..3 {
            scribe.gap(3, |_| ());
        }
        scribe.keys(1, vec![], vec![ended(3, Some(2))]);
        scribe.judged(&[0, 1, 2, 3, 4]).0.keys
    }

    fn disputes(history: &History) -> Vec<String> {
        let mut findings = Findings::new(Step::ALL);
        history.disputes(&disputed(), &mut findings);
        let verdict = Verdict::of(findings);
        let found = verdict.findings().iter();
        found.filter(|f| f.outcome == Outcome::NotEstablished).map(|f| f.item.clone()).collect()
    }

    /// Entries 1 to 3, each by the next of these keys.
    fn signed_by(history: &mut History, keys: [Hash; 3]) {
        for (index, key) in (1..).zip(keys) {
            let row = Row { key: history.key_number(key), ..Row::passed(Hash::of(&[]), Tag::Gap) };
            history.push(index, row);
        }
    }

    // spec: C8
    #[test]
    fn what_a_disputed_key_signed_from_there_on_is_not_established() {
        let (own, other) = (signer(3).verifier().hash(), signer(9).verifier().hash());
        let mut history = History::default();
        signed_by(&mut history, [own, own, other]);
        assert_eq!(disputes(&history), ["entry 2"]);
    }

    /// A ledger may add more keys than have numbers here; a dispute was lost with them.
    #[test]
    fn of_too_many_keys_a_disputed_one_may_have_signed_any_entry() {
        let mut history = History::default();
        for number in 0..u32::from(u16::MAX) {
            history.key_number(Hash::of(&[&number.to_be_bytes()]));
        }
        let own = signer(3).verifier().hash();
        signed_by(&mut history, [own, own, own]);
        assert_eq!(disputes(&history), ["entries"]);
    }

    // spec: E17 E18
    #[test]
    fn an_entry_supersedes_one_of_its_own_kind_that_is_shown() {
        let with = |kind, rel| {
            let mut scribe = Scribe::new();
            scribe.gap(3, |_| ());
            scribe.referring(kind, None, rel, 1);
            scribe
        };
        assert_eq!(with(Kind::Gap, Rel::Supersedes).found(), [""; 0]);
        assert_eq!(with(Kind::Audit, Rel::About).found(), [""; 0]);
        let of_another_kind = with(Kind::Audit, Rel::Supersedes);
        let expected = "V22! entry 2: expected entry 1 to be of the same kind and subject; another";
        assert_eq!(of_another_kind.found(), [expected]);
        let without = |rel| found(&with(Kind::Gap, rel).judged(&[0, 2]).1);
        let missing = "V20! entry 2: expected entry 1, which it supersedes, to be shown; not shown";
        assert_eq!(without(Rel::Supersedes), [missing]);
        assert_eq!(without(Rel::About), ["V21? entry 2: it names entry 1, which is not shown"]);
        let mut scribe = Scribe::new();
        scribe.sign(3, Kind::Produced, None, fields(), |_| ());
        scribe.referring(Kind::Gap, None, Rel::About, 1);
        let expected = "V22! entry 2: expected no reference to a `produced` entry; one";
        assert_eq!(scribe.found(), [expected]);
    }

    fn fields() -> Body {
        let fields = FieldsCommitment { count: 8, root: Hash::of(&[]) };
        Body::Fields { fields, refs: vec![] }
    }
}
