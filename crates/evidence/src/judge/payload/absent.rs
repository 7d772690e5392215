//! What entries commit to and the exhibit does not hold (X13).

use std::collections::BTreeSet;

use super::Payload;
use crate::bag::Packed;
use crate::hash::Hash;
use crate::judge::commitments::Commitment;
use crate::judge::scope::Listed;
use crate::recordings::{Bytes, Recording};
use crate::step::Step;

/// Whether a file stands in its place that is not it, or cannot be read.
fn stands(line: &Recording) -> bool {
    matches!(line.bytes, Bytes::Differ | Bytes::Unreadable)
}

/// What is said of values that stand in an entry and were held against nothing.
pub(super) const NO_FILE: &str = "its values were held against no metadata file";

impl Payload<'_, '_> {
    /// What is committed to and not packed.
    pub(super) fn not_packed(&mut self) {
        let lines = self.commitments.recordings.lines().iter();
        let differing: BTreeSet<u64> =
            lines.filter(|line| stands(line)).map(|line| line.index).collect();
        let replaced = self.replaced();
        for (sha256, commitment) in self.commitments.iter() {
            if self.packed.contains(sha256) {
                continue;
            }
            let (step, item) = match commitment {
                // A file stands in its place, and that was said.
                Commitment::Recording { index, .. } if differing.contains(index) => continue,
                Commitment::Recording { index, .. } => {
                    (Step::Recording, format!("entry {index}, recording"))
                }
                Commitment::Companion { index, number, .. } => {
                    (Step::Companion, format!("entry {index}, companion {number}"))
                }
            };
            let why = match self.left_out.get(&(commitment.index(), commitment.role())) {
                _ if self.fetched.contains(sha256) => super::IN_FETCH.to_owned(),
                _ if self.misplaced.contains(sha256) => {
                    "its bytes lie in a wrong place, where they count for no entry".to_owned()
                }
                _ if self.missing.contains(sha256) => {
                    "the manifest lists it, and it is not there".to_owned()
                }
                _ if self.astray.contains(sha256) => {
                    "the manifest has its digest for a file that lies in no place of an exhibit"
                        .to_owned()
                }
                _ if replaced.contains(sha256) => {
                    "its bytes are not packed: in their place lies another file".to_owned()
                }
                Some(reason) => format!("not packed; its producer says: {reason}"),
                None if self.listed_by == Listed::Other => {
                    "no file in its place has these bytes, and the manifest is not the one that was signed: whether it was packed once is not known".to_owned()
                }
                None => "not packed".to_owned(),
            };
            self.findings.not_read(step, &item, &why);
            if let Commitment::Companion { sidecar: Some(_), .. } = commitment {
                self.findings.not_supplied(Step::Sidecar, &item, NO_FILE);
            }
        }
        self.withheld();
        self.lines();
    }

    /// Digests of files in whose place another one lies: under the lowest entry that commits to them (X12).
    fn replaced(&self) -> BTreeSet<Hash> {
        let is_taken = |commitment: &Commitment| {
            self.places.contains(&(commitment.index(), commitment.role()))
        };
        let all = self.commitments.iter();
        all.filter(|(_, commitment)| is_taken(commitment)).map(|(sha256, _)| *sha256).collect()
    }

    /// X13: of a companion whose digest is withheld no file can be told to be it.
    fn withheld(&mut self) {
        for (index, number, is_sidecar) in self.commitments.withheld() {
            let item = format!("entry {index}, companion {number}");
            let why = "its digest is withheld, and no packed file can be held against it";
            self.findings.not_read(Step::Companion, &item, why);
            if *is_sidecar {
                self.findings.not_supplied(Step::Sidecar, &item, NO_FILE);
            }
        }
    }

    /// What is said of each recording whose bytes were not compared.
    fn lines(&mut self) {
        for line in &mut self.commitments.recordings.lines {
            if line.sha256.is_some_and(|sha256| self.missing.contains(&sha256))
                && line.bytes == Bytes::NotPacked
            {
                line.bytes = Bytes::Missing;
            }
            if matches!(line.bytes, Bytes::NotPacked | Bytes::NotDisclosed) {
                line.left_out = self.left_out.remove(&(line.index, Packed::Recording));
            }
            let is_unexplained = self.listed_by == Listed::Other && line.left_out.is_none();
            if line.bytes == Bytes::NotPacked && is_unexplained {
                line.bytes = Bytes::NotHere;
            }
            let of_it = (line.index, Packed::Recording)..;
            let is_packed =
                self.places.range(of_it).next().is_some_and(|(index, _)| *index == line.index);
            if line.bytes == Bytes::NotDisclosed && !is_packed {
                let item = format!("entry {}", line.index);
                self.findings.not_read(
                    Step::Recording,
                    &item,
                    "no file lies under it, and its SHA-256 is not disclosed",
                );
            }
        }
    }
}
