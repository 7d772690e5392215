//! What the shown entries commit to, gathered from entries that were judged and openings that were
//! verified; nothing else gets here.

use std::collections::{BTreeMap, BTreeSet};

use crate::bag::Packed;
use crate::body::{self, Body, Rel, Subject};
use crate::content::BlockKey;
use crate::disclosed::Disclosed;
use crate::hash::Hash;
use crate::judge::entries::Judged;
use crate::judge::findings::Findings;
use crate::judge::sidecar::Sidecar;
use crate::kind::Kind;
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
    /// What the entries say of their recordings, and the values that they take from metadata files: in one
    /// piece each, and once for an entry, however many companions it has.
    committed: Vec<Committed>,
    sidecars: Vec<Sidecar>,
    /// Companions of which the name is shown and the digest is not: entry, number, and whether it is a
    /// metadata file.
    withheld: Vec<(u64, u64, bool)>,
    /// Recording entries that may commit to bytes that they do not show.
    hides: BTreeSet<u64>,
    /// SHA-256, where it is disclosed, size, and a digest over its companions, where all are disclosed, of
    /// each recording entry.
    contents: BTreeMap<u64, (Option<Hash>, u64, Option<Hash>)>,
    /// Entries that were not judged: nothing that they say is taken.
    refused: BTreeSet<u64>,
    /// Leaves of policy entries that are wholly opened.
    policies: BTreeSet<Hash>,
    /// Entries whose opening is there and cannot be used.
    unusable: BTreeSet<u64>,
    pub(crate) recordings: Recordings,
    pub(crate) replacements: Replacements,
}

/// One digest that an entry commits to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Commitment {
    Recording { index: u64, committed: usize },
    Companion { index: u64, number: u64, size: Option<u64>, sidecar: Option<usize> },
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
    pub(crate) not_shown: [Option<&'static str>; 3],
}

impl Commitment {
    /// What a file with these bytes is to the entry.
    pub(crate) const fn role(&self) -> Packed {
        match self {
            Self::Recording { .. } => Packed::Recording,
            Self::Companion { number, .. } => Packed::Companion(*number),
        }
    }

    pub(crate) const fn index(&self) -> u64 {
        match self {
            Self::Recording { index, .. } | Self::Companion { index, .. } => *index,
        }
    }
}

impl Commitments {
    /// The entry at `index` was not judged.
    pub(crate) fn refused(&mut self, index: u64) {
        self.refused.insert(index);
    }

    /// How many entries were not judged.
    pub(crate) fn count_refused(&self) -> u64 {
        self.refused.len() as u64
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
            "the opening of its entry is missing or cannot be used"
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
            if !statement.kind.is_known() {
                // It may commit to files in a way that this version does not know.
                self.hides.insert(index);
            }
            if let Some(opening) = opening.filter(|opening| opening.is_whole())
                && statement.kind == Kind::Policy
            {
                self.policies.insert(judged.leaf);
                self.recordings.policy(index, opening);
            }
            if let Some(opening) = opening.filter(|_| statement.kind == Kind::Pass) {
                self.recordings.pass(index, opening);
            }
            // One without a subject is about the recordings that it names.
            let named = statement.body.refs().iter().filter_map(|reference| {
                self.recordings.find(reference.index).map(|line| line.subject)
            });
            let subjects: BTreeSet<Subject> = match statement.subject {
                Some(subject) => BTreeSet::from([subject]),
                None => named.collect(),
            };
            for subject in subjects {
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
        let is_sidecar = |source: &str| source == sidecar::SOURCE;
        if opening.is_some_and(|opening| opening.fields().any(|f| is_sidecar(&f.value.source)))
            && !disclosed.companions().values().any(|c| c.role.as_deref().is_some_and(is_sidecar))
        {
            let why = "it shows values of a metadata file, and no companion of that role";
            findings.not_read(Step::Sidecar, &format!("entry {index}"), why);
        }
        let Some(subject) = statement.subject else { return };
        let closed = if self.unusable.contains(&index) { 0 } else { recording.fields.count };
        let (said, shown) = ((statement, recording), (&disclosed, opening));
        let words = &mut self.recordings.words;
        let line = Recording::stated((index, subject), said, shown, closed, words);
        // A policy stands below every entry that names it: a leaf is not known before its entry is.
        let policy = recording.completeness.map(|completeness| completeness.policy);
        let policy_shown = policy.is_some_and(|policy| self.policies.contains(&policy));
        let companions = (companions, 0);
        self.recordings.lines.push(Recording { companions, policy_shown, ..line });
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
            let mut names = missing.iter().chain(withheld).copied();
            let place = self.committed.len();
            self.committed.push(Committed {
                index,
                size: content.size,
                blake3: disclosed.blake3(),
                block_bytes: content.block_bytes,
                block_root: content.block_root,
                block_key: disclosed.block_key(),
                not_shown: [names.next(), names.next(), names.next()],
            });
            self.list.push((sha256, Commitment::Recording { index, committed: place }));
        }
        let (mut companions, mut values) = (0, None);
        for (number, companion) in disclosed.companions() {
            let number = *number;
            let is_sidecar = companion.role.as_deref() == Some(sidecar::SOURCE);
            companions += 1;
            let Some(sha256) = companion.sha256 else {
                self.withheld.push((index, number, is_sidecar));
                continue;
            };
            let sidecar = opening.filter(|_| is_sidecar).map(|opening| {
                *values.get_or_insert_with(|| {
                    self.sidecars.push(Sidecar::of(opening));
                    self.sidecars.len() - 1
                })
            });
            let size = companion.size;
            self.list.push((sha256, Commitment::Companion { index, number, size, sidecar }));
        }
        companions
    }

    /// What a recording entry that supersedes another says of the bytes.
    fn replaces(&mut self, index: u64, recording: &body::Recording, disclosed: &Disclosed) {
        let (sha256, size) = (disclosed.sha256(), disclosed.size());
        let companions = (!disclosed.hides_companions()).then(|| companions(disclosed));
        for reference in recording.refs.iter().filter(|r| r.rel == Rel::Supersedes) {
            let Some((before, old, beside)) = self.contents.get(&reference.index) else { continue };
            let same_bytes = match (before, sha256) {
                (Some(before), Some(now)) => Some(*before == now),
                _ => (*old != size).then_some(false),
            };
            let same_companions = beside.zip(companions).map(|(before, now)| before == now);
            let replaced = reference.index;
            let replacement = Replacement { index, replaced, same_bytes, same_companions };
            self.replacements.push(replacement);
            if let Some(line) = self.recordings.find(replaced) {
                if line.superseded_by.last() != Some(&index) {
                    line.superseded_by.push(index);
                }
                line.by_other_bytes = match (line.by_other_bytes, same_bytes) {
                    (Some(true), _) | (_, Some(false)) => Some(true),
                    (known, Some(true)) => known,
                    (_, None) => None,
                };
            }
        }
        self.contents.insert(index, (sha256, size, companions));
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

    /// What a recording entry says of its bytes.
    pub(crate) fn committed_at(&self, place: usize) -> Option<&Committed> {
        self.committed.get(place)
    }

    /// The values that an entry takes from a metadata file.
    pub(crate) fn sidecar(&self, place: usize) -> Option<&Sidecar> {
        self.sidecars.get(place)
    }

    /// Companions of which the name is shown and the digest is not.
    pub(crate) fn withheld(&self) -> &[(u64, u64, bool)] {
        &self.withheld
    }

    /// Every commitment.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Hash, Commitment)> {
        self.list.iter()
    }
}

/// A digest over the companions of an entry that discloses all of them.
fn companions(disclosed: &Disclosed) -> Hash {
    let mut data = Vec::new();
    for companion in disclosed.companions().values() {
        data.extend(companion.sha256.iter().flat_map(|sha256| *sha256.as_bytes()));
    }
    Hash::of(&[&data])
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
        assert_eq!(
            commitments.why_hidden(3),
            "the opening of its entry is missing or cannot be used"
        );
        assert_eq!(commitments.why_hidden(4), closed);
        commitments.refused(5);
        assert!(commitments.is_refused(5) && !commitments.is_refused(3));
    }

    fn message() -> body::Recording {
        let hash = Hash::of(&[]);
        let content = body::Content {
            blake3: None,
            block_bytes: 4096,
            block_root: hash,
            sha256: None,
            size: 7,
        };
        let fields = crate::field::FieldsCommitment { count: 8, root: hash };
        let media = body::Media::Message;
        body::Recording { completeness: None, content, fields, media, refs: vec![] }
    }

    /// "The object was overwritten by hand", said without a subject, was in the exhibit and in no line.
    // spec: A8
    #[test]
    fn an_entry_without_a_subject_stands_beside_the_recording_that_it_names() {
        let (subject, kind) = (Subject([7; 16]), Kind::Recording);
        let mut scribe = crate::judge::testing::Scribe::new();
        scribe.sign(3, kind, Some(subject), Body::Recording(message()), |_| ());
        scribe.referring(Kind::Observation, None, Rel::About, 1);
        scribe.gap(3, |_| ());
        let mut commitments = Commitments::default();
        let mut findings = Findings::new(Step::ALL);
        for outcome in scribe.outcomes() {
            let crate::judge::entries::Outcome::Judged(judged) = outcome else { panic!("refused") };
            commitments.entry(&judged, None, &mut findings);
        }
        let beside: Vec<u64> =
            commitments.recordings.beside(&subject).iter().map(|entry| entry.index).collect();
        assert_eq!(beside, [2]);
    }

    /// An entry may call any number of companions its metadata file: what it takes from it is kept once. Kept
    /// for each, 8 MB of opening took all the memory there was.
    #[test]
    fn the_values_of_an_entry_are_kept_once_for_all_its_companions() {
        let hash = Hash::of(&[b"a file"]).to_string();
        let mut values =
            vec![Value::string("sidecar", "/a", "x"), Value::string("sidecar", "/b", "y")];
        for number in 0..50 {
            let named =
                |name, value| Value::string("companion", &format!("/{number}/{name}"), value);
            values.extend([named("role", "sidecar"), named("sha256", &hash)]);
        }
        let mut salt = 0_u8;
        let set = FieldSet::seal(values, &mut || {
            salt += 1;
            [salt; 16]
        });
        let fields = set.commitment();
        let mut opening = Opening::of(set, None);
        for position in &mut opening.positions {
            if let Position::Shown(field) = position
                && field.value.pointer == "/a"
            {
                *position = Position::Withheld(field.withhold());
            }
        }
        let opening = opening.verify(&fields).unwrap();
        let recording = body::Recording { fields, ..message() };
        let disclosed = Disclosed::of(&recording, Some(&opening));
        let mut commitments = Commitments::default();
        assert_eq!(commitments.committed(3, &recording, &disclosed, Some(&opening)), 50);
        assert_eq!((commitments.list.len(), commitments.sidecars.len()), (50, 1));
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
