//! What the shown entries commit to, gathered from entries that were judged and openings that were
//! verified; nothing else gets here.

use std::collections::{BTreeMap, BTreeSet};

use crate::body::{self, Body, Rel};
use crate::content::BlockKey;
use crate::disclosed::Disclosed;
use crate::document;
use crate::field::FieldType;
use crate::hash::Hash;
use crate::judge::entries::Judged;
use crate::judge::findings::Findings;
use crate::limits::COMMITMENTS_MAX;
use crate::opening::VerifiedOpening;
use crate::recordings::{Recording, Recordings, Replacement, Replacements};
use crate::step::Step;
use crate::vocabulary::sidecar;

/// What the shown entries commit to.
#[derive(Default)]
pub(crate) struct Commitments {
    /// Ascending by digest, then index, then role, once they are [`Commitments::sorted`].
    list: Vec<(Hash, Commitment)>,
    /// Recording entries that may commit to bytes that they do not show.
    hides: BTreeSet<u64>,
    /// SHA-256, where it is disclosed, and size of each recording entry.
    contents: BTreeMap<u64, (Option<Hash>, u64)>,
    /// Entries that were not judged: nothing that they say is taken.
    refused: BTreeSet<u64>,
    /// Entries whose opening is there and cannot be used.
    unusable: BTreeSet<u64>,
    pub(crate) recordings: Recordings,
    pub(crate) replacements: Replacements,
}

/// One digest that an entry commits to.
#[derive(Clone, Debug)]
pub(crate) enum Commitment {
    Recording(Box<Committed>),
    Companion { index: u64, number: u64, size: Option<u64>, sidecar: Option<Box<Sidecar>> },
}

/// What a recording entry says of the bytes.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    pub(crate) index: u64,
    pub(crate) size: u64,
    /// Absent where it is not disclosed.
    pub(crate) blake3: Option<Hash>,
    pub(crate) block_bytes: u64,
    pub(crate) block_root: Hash,
    /// Absent where it is not disclosed.
    pub(crate) block_key: Option<BlockKey>,
    /// Content fields that an exhibit asks for and the opening does not show.
    pub(crate) not_shown: Vec<&'static str>,
}

/// The values that an entry takes from a metadata file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sidecar {
    /// A digest over all values, or a digest for each where some are withheld: pointer, then value.
    values: Vec<(String, Option<Hash>)>,
    is_whole: bool,
}

impl Commitment {
    pub(crate) const fn index(&self) -> u64 {
        match self {
            Self::Recording(committed) => committed.index,
            Self::Companion { index, .. } => *index,
        }
    }
}

impl Commitments {
    /// The entry at `index` was not judged.
    pub(crate) fn refused(&mut self, index: u64) {
        self.refused.insert(index);
    }

    /// Whether the entry at `index` was not judged.
    pub(crate) fn is_refused(&self, index: u64) -> bool {
        self.refused.contains(&index)
    }

    /// The opening of the entry at `index` is there, and nothing can be taken from it.
    pub(crate) fn unusable(&mut self, index: u64) {
        self.unusable.insert(index);
    }

    /// Whether the opening of the entry at `index` is there, and nothing can be taken from it.
    pub(crate) fn is_unusable(&self, index: u64) -> bool {
        self.unusable.contains(&index)
    }

    /// Why not all that the entry at `index` commits to is known.
    pub(crate) fn why_hidden(&self, index: u64) -> &'static str {
        if self.unusable.contains(&index) {
            "the opening of its entry cannot be used"
        } else {
            "not all that its entry commits to is disclosed here"
        }
    }

    /// Whether the entry at `index` may commit to bytes that it does not show.
    pub(crate) fn hides_some(&self, index: u64) -> bool {
        self.hides.contains(&index)
    }

    /// Takes in an entry about a recording and what is disclosed of it (V27: clear against opened).
    pub(crate) fn entry(
        &mut self,
        judged: &Judged,
        opening: Option<&VerifiedOpening>,
        findings: &mut Findings,
    ) {
        let (index, statement) = (judged.index, judged.statement());
        let Body::Recording(recording) = &statement.body else {
            if let Some(subject) = statement.subject {
                self.recordings.other((index, subject), statement, opening);
            }
            return;
        };
        let disclosed = Disclosed::of(recording, opening);
        clear_values(index, &disclosed, findings);
        self.replaces(index, recording, &disclosed);
        if disclosed.sha256().is_none() || disclosed.hides_companions() {
            self.hides.insert(index);
        }
        let companions = self.committed(index, recording, &disclosed, opening);
        let Some(subject) = statement.subject else { return };
        let closed = if self.unusable.contains(&index) { 0 } else { recording.fields.count };
        let (said, shown) = ((statement, recording), (&disclosed, opening));
        let words = &mut self.recordings.words;
        let line = Recording::stated((index, subject), said, shown, closed, words);
        self.recordings.lines.push(Recording { companions: (companions, 0), ..line });
    }

    /// The digests that a recording entry commits to; gives how many of them are companions'.
    fn committed(
        &mut self,
        index: u64,
        recording: &body::Recording,
        disclosed: &Disclosed,
        opening: Option<&VerifiedOpening>,
    ) -> u64 {
        let content = &recording.content;
        let (missing, withheld) = disclosed.content_not_shown();
        if let Some(sha256) = disclosed.sha256() {
            let committed = Committed {
                index,
                size: content.size,
                blake3: disclosed.blake3(),
                block_bytes: content.block_bytes,
                block_root: content.block_root,
                block_key: disclosed.block_key(),
                not_shown: missing.iter().chain(withheld).copied().collect(),
            };
            self.list.push((sha256, Commitment::Recording(Box::new(committed))));
        }
        let mut companions = 0;
        for (number, companion) in disclosed.companions() {
            let Some(sha256) = companion.sha256 else { continue };
            companions += 1;
            let is_sidecar = companion.role.as_deref() == Some(sidecar::SOURCE);
            let sidecar = opening.filter(|_| is_sidecar).map(|o| Box::new(Sidecar::of(o)));
            let (number, size) = (*number, companion.size);
            self.list.push((sha256, Commitment::Companion { index, number, size, sidecar }));
        }
        companions
    }

    /// What a recording entry that supersedes another says of the bytes.
    fn replaces(&mut self, index: u64, recording: &body::Recording, disclosed: &Disclosed) {
        let (sha256, size) = (disclosed.sha256(), disclosed.size());
        for reference in recording.refs.iter().filter(|r| r.rel == Rel::Supersedes) {
            let Some((before, old)) = self.contents.get(&reference.index) else { continue };
            let same_bytes = match (before, sha256) {
                (Some(before), Some(now)) => Some(*before == now),
                _ => (*old != size).then_some(false),
            };
            let replaced = reference.index;
            self.replacements.push(Replacement { index, replaced, same_bytes });
            if let Some(line) = self.recordings.find(replaced) {
                line.superseded_by = Some(index);
            }
        }
        self.contents.insert(index, (sha256, size));
    }

    /// Puts the list in order, once every entry was taken in. Of too many the highest are not judged.
    pub(crate) fn sorted(&mut self, findings: &mut Findings) {
        if self.list.len() > COMMITMENTS_MAX {
            let why = format!(
                "its entries commit to {} files, of which the first {COMMITMENTS_MAX} are judged",
                self.list.len()
            );
            findings.not_established(Step::Recording, "exhibit", &why);
            self.list.truncate(COMMITMENTS_MAX);
        }
        // What one entry commits to was taken in by its role, and a stable sort leaves it so.
        self.list.sort_by_key(|(hash, one)| (*hash, one.index()));
        self.recordings.finish();
    }

    /// What commits to these bytes, the lowest index first.
    pub(crate) fn to(&self, sha256: &Hash) -> &[(Hash, Commitment)] {
        let from = self.list.partition_point(|(hash, _)| hash < sha256);
        let rest = self.list.get(from..).unwrap_or_default();
        rest.get(..rest.partition_point(|(hash, _)| hash == sha256)).unwrap_or_default()
    }

    /// Every commitment.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Hash, Commitment)> {
        self.list.iter()
    }
}

/// V27: what is opened agrees with what stands in the clear.
fn clear_values(index: u64, disclosed: &Disclosed, findings: &mut Findings) {
    let (differing, compared) = disclosed.differing();
    let item = format!("entry {index}");
    for (pointer, clear, opened) in differing {
        let expected = format!("content{pointer} {clear}");
        findings.contradicted(Step::ClearValues, &item, &expected, opened);
    }
    for _ in differing.len() as u64..compared {
        findings.held(Step::ClearValues);
    }
}

impl Sidecar {
    fn of(opening: &VerifiedOpening) -> Self {
        let own = |source: &str| source == sidecar::SOURCE;
        let shown = opening.fields().filter(|field| own(&field.value.source)).map(|field| {
            let value = &field.value;
            (value.pointer.clone(), Some(digest(value.field_type, &value.value)))
        });
        let withheld = opening.withheld().filter(|(source, _)| own(source));
        let withheld = withheld.map(|(_, pointer)| (pointer.to_owned(), None));
        let mut values: Vec<_> = shown.chain(withheld).collect();
        values.sort();
        let is_whole = opening.closed() == 0;
        if is_whole && values.iter().all(|(_, value)| value.is_some()) {
            return Self { values: vec![(String::new(), Some(over(&values)))], is_whole };
        }
        Self { values, is_whole }
    }

    /// Where the values differ from those of the file: a pointer, or nothing.
    pub(crate) fn differs_from(&self, file: &[u8]) -> Option<String> {
        let document = document::read(file).ok();
        let values = document.map(|document| document::values(sidecar::SOURCE, &document));
        let mut found: Vec<(String, Option<Hash>)> = values
            .into_iter()
            .flatten()
            .map(|value| (value.pointer, Some(digest(value.field_type, &value.value))))
            .collect();
        found.sort();
        if let [(name, Some(whole))] = self.values.as_slice()
            && name.is_empty()
            && self.is_whole
            && *whole == over(&found)
        {
            return None;
        }
        let in_file: BTreeMap<&str, Option<Hash>> =
            found.iter().map(|(pointer, value)| (pointer.as_str(), *value)).collect();
        let said: BTreeMap<&str, Option<Hash>> =
            self.values.iter().map(|(pointer, value)| (pointer.as_str(), *value)).collect();
        let other = said.iter().find(|(pointer, value)| match in_file.get(*pointer) {
            Some(found) => value.is_some() && *value != found,
            None => true,
        });
        if let Some((pointer, _)) = other {
            return Some((*pointer).to_owned());
        }
        let missing = in_file.keys().find(|pointer| self.is_whole && !said.contains_key(*pointer));
        missing.map(|pointer| (*pointer).to_owned())
    }
}

fn digest(field_type: FieldType, value: &str) -> Hash {
    Hash::of(&[field_type.name().as_bytes(), b"\n", value.as_bytes()])
}

fn over(values: &[(String, Option<Hash>)]) -> Hash {
    let mut text = String::new();
    for (pointer, value) in values {
        crate::json::write_string(pointer, &mut text);
        text.push_str(&value.map_or_else(String::new, |value| value.to_string()));
    }
    Hash::of(&[text.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{FieldSet, Value};
    use crate::opening::{Opening, Position};
    use crate::verdict::Verdict;

    #[test]
    fn why_something_is_hidden_follows_from_its_opening() {
        let mut commitments = Commitments::default();
        let closed = "not all that its entry commits to is disclosed here";
        assert_eq!(commitments.why_hidden(3), closed);
        commitments.unusable(3);
        assert!(commitments.is_unusable(3) && !commitments.is_unusable(4));
        assert_eq!(commitments.why_hidden(3), "the opening of its entry cannot be used");
        assert_eq!(commitments.why_hidden(4), closed);
        commitments.refused(5);
        assert!(commitments.is_refused(5) && !commitments.is_refused(3));
    }

    /// What an entry takes from `{"a":"x","b":7}`, after `edit`.
    fn taken(edit: fn(&mut Vec<Value>, &mut Opening)) -> Sidecar {
        let mut salt = 0_u8;
        let mut values = vec![
            Value::string("sidecar", "/a", "x"),
            Value::number("sidecar", "/b", 7),
            Value::string("object", "/key", "k"),
        ];
        edit(&mut values, &mut Opening::default());
        let set = FieldSet::seal(values, &mut || {
            salt += 1;
            [salt; 16]
        });
        let mut opening = Opening::of(set.clone(), None);
        edit(&mut Vec::new(), &mut opening);
        Sidecar::of(&opening.verify(&set.commitment()).unwrap())
    }

    fn position<'a>(opening: &'a mut Opening, pointer: &str) -> Option<&'a mut Position> {
        opening.positions.iter_mut().find(|p| p.name() == Some(("sidecar", pointer)))
    }

    fn withhold(opening: &mut Opening, pointer: &str) {
        if let Some(position) = position(opening, pointer)
            && let Position::Shown(field) = position
        {
            *position = Position::Withheld(field.withhold());
        }
    }

    fn close(opening: &mut Opening, pointer: &str) {
        if let Some(position) = position(opening, pointer) {
            *position = Position::Closed(position.leaf());
        }
    }

    // spec: V28 F10
    #[test]
    fn values_of_a_metadata_file_are_held_against_it_both_ways() {
        const FILE: &[u8] = br#"{"a":"x","b":7}"#;
        let differs = |sidecar: Sidecar, file: &[u8]| sidecar.differs_from(file);
        assert_eq!(differs(taken(|_, _| ()), FILE), None);
        // Of values that are all shown only a digest is kept: that they differ is told, and not where.
        let whole = Some(String::new());
        for other in
            [&br#"{"a":"y","b":7}"#[..], br#"{"a":"x"}"#, br#"{"a":"x","b":7,"c":1}"#, b"no JSON"]
        {
            assert_eq!(differs(taken(|_, _| ()), other), whole, "{other:?}");
        }
        // Where one is withheld its name must be there, and the others agree.
        let withheld = || taken(|_, opening| withhold(opening, "/a"));
        assert_eq!(differs(withheld(), FILE), None);
        assert_eq!(differs(withheld(), br#"{"a":"y","b":7}"#), None);
        assert_eq!(differs(withheld(), br#"{"a":"x","b":8}"#), Some("/b".into()));
        assert_eq!(differs(withheld(), br#"{"b":7}"#), Some("/a".into()));
        assert_eq!(differs(withheld(), br#"{"a":"x","b":7,"c":1}"#), Some("/c".into()));
        // Where one is closed the file may have more; what is shown must still be in it.
        let closed = || taken(|_, opening| close(opening, "/a"));
        assert_eq!(differs(closed(), br#"{"b":7,"c":1}"#), None);
        assert_eq!(differs(closed(), br#"{"a":"x","b":8}"#), Some("/b".into()));
        assert_eq!(differs(closed(), br#"{"a":"x"}"#), Some("/b".into()));
        // The same text of another type is another value.
        let text = taken(|values, _| {
            values
                .iter_mut()
                .filter(|v| v.pointer == "/b")
                .for_each(|v| *v = Value::string("sidecar", "/b", "7"))
        });
        assert_eq!(differs(text, FILE), whole);
    }

    #[test]
    fn of_too_many_commitments_the_first_are_judged_and_the_verdict_says_so() {
        for (count, told) in [(COMMITMENTS_MAX, 0), (COMMITMENTS_MAX + 1, 1)] {
            let commitment = |index: usize| {
                let index = index as u64;
                let hash = Hash::of(&[&index.to_be_bytes()]);
                (hash, Commitment::Companion { index, number: 0, size: None, sidecar: None })
            };
            let list = (0..count).map(commitment).collect();
            let mut commitments = Commitments { list, ..Commitments::default() };
            let mut findings = Findings::new(Step::ALL);
            commitments.sorted(&mut findings);
            assert_eq!(commitments.list.len(), COMMITMENTS_MAX);
            let last = commitments.list.iter().map(|(_, one)| one.index()).max();
            assert_eq!(last, Some(COMMITMENTS_MAX as u64 - 1));
            assert_eq!(Verdict::of(findings).tally(Step::Recording).not_established, told);
        }
    }
}
