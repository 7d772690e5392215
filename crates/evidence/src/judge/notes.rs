//! Reads the entries of an exhibit, each with its proof (V1, V10, V13).

use std::collections::BTreeMap;

use crate::bag::Place;
use crate::entry::UnverifiedEntry;
use crate::error::FormError;
use crate::hash::Hash;
use crate::judge::findings::Findings;
use crate::judge::reading::Reading;
use crate::judge::trust::{Judged, Trust};
use crate::keys::{Keys, Serving};
use crate::limits::{ENTRY_BYTES_MAX, PROOF_BYTES_MAX};
use crate::package::{PackageError, Stop};
use crate::proof::Proof;
use crate::step::Step;
use crate::tree::{inclusion_length, verify_inclusion};
use crate::verdict::Fault;

/// The checkpoint of an exhibit, byte by byte and as it was judged.
pub(crate) type Under<'a> = (Option<&'a [u8]>, Option<&'a mut Judged>);

impl Reading<'_> {
    /// Whether a note of that index is here, whatever is in it.
    pub(crate) fn shows(&self, index: u64) -> bool {
        [true, false]
            .into_iter()
            .any(|control| self.has(&format!("{}/{index}.note", folder(control))))
    }

    /// The shown indices, ascending, and whether each is a control entry by its place.
    /// `size` is the checkpoint's, where its text is known to be signed: what stands behind it has no entry.
    pub(crate) fn indices(&self, size: Option<u64>, findings: &mut Findings) -> Vec<(u64, bool)> {
        let mut indices: BTreeMap<u64, bool> = BTreeMap::new();
        let mut proofs = Vec::new();
        for path in self.package.files().paths() {
            match Place::of(path) {
                Some(Place::ControlNote(index)) => {
                    indices.insert(index, true);
                }
                Some(Place::EntryNote(index)) => {
                    let is_control = indices.contains_key(&index) && self.second(index, findings);
                    indices.insert(index, is_control);
                }
                Some(Place::ControlProof(index)) => proofs.push((index, true)),
                Some(Place::EntryProof(index)) => proofs.push((index, false)),
                _ => {}
            }
        }
        for (index, is_control) in proofs {
            let proof = format!("{}/{index}.tlog-proof", folder(is_control));
            match indices.get(&index) {
                // It is the entry's own, or of a second one, and that was said.
                Some(_) if self.has(&format!("{}/{index}.note", folder(is_control))) => {}
                Some(_) if self.has(&format!("{}/{index}.tlog-proof", folder(!is_control))) => {
                    let expected = "the proof of an entry, in the folder of its note";
                    let found = "a second one, in another folder";
                    findings.blamed(Fault::Evidence, Step::Names, &proof, expected, found);
                }
                Some(_) => {
                    let item = format!("{proof} and {}/{index}.note", folder(!is_control));
                    let expected = "entry and proof in one folder";
                    findings.blamed(Fault::Evidence, Step::Names, &item, expected, "in two");
                }
                None if behind(index, size, &proof, findings) => {}
                None => {
                    let note = format!("{}/{index}.note", folder(is_control));
                    let expected = format!("the entry of the proof {proof}");
                    findings.blamed(Fault::Evidence, Step::Names, &note, &expected, "missing");
                }
            }
        }
        indices.into_iter().collect()
    }

    /// Whether any proof holds this checkpoint.
    pub(crate) fn holds(&mut self, checkpoint: &[u8]) -> Result<bool, Stop> {
        let is_proof = |path: &&str| {
            matches!(Place::of(path), Some(Place::ControlProof(_) | Place::EntryProof(_)))
        };
        let files = self.package.files();
        let proofs: Vec<String> = files.paths().filter(is_proof).map(str::to_owned).collect();
        for path in proofs {
            let bytes = self.glance(&path, PROOF_BYTES_MAX)?;
            if bytes.is_some_and(|bytes| bytes.ends_with(checkpoint)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// L8: the log keys that the control entries here add, one after the other from the genesis on, as far as each can
    /// be taken. They serve where no vkey is given.
    pub(crate) fn chain(&mut self, trust: &Trust) -> Result<Serving, Stop> {
        let control = |path| match Place::of(path) {
            Some(Place::ControlNote(index)) => Some((index, path.to_owned())),
            _ => None,
        };
        let notes: BTreeMap<u64, String> =
            self.package.files().paths().filter_map(control).collect();
        let (mut keys, mut are_all) = (Keys::default(), true);
        for (index, path) in notes {
            let taken = self
                .glance(&path, ENTRY_BYTES_MAX)?
                .and_then(|bytes| UnverifiedEntry::parse(&bytes).ok())
                .and_then(|entry| Some((keys.key_of(&entry)?, entry)))
                .and_then(|(key, entry)| entry.verify(&key).ok())
                .is_some_and(|entry| keys.apply(index, &entry).is_ok());
            if !taken {
                are_all = false;
                break;
            }
        }
        let serving = keys.serving(trust);
        Ok(Serving { are_all: serving.are_all && are_all, ..serving })
    }

    /// The bytes of a file, without a word about it; none where it is too long or cannot be read.
    fn glance(&mut self, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, Stop> {
        if self.package.files().length(path).is_none_or(|length| length > bytes_max as u64) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        match self.package.stream(path, &mut |piece| bytes.extend_from_slice(piece)) {
            Ok(()) => Ok(Some(bytes)),
            Err(PackageError::Damaged(_)) => Ok(None),
            Err(error) => Err(Stop::Io(format!("{path} {error}"))),
        }
    }

    /// Of two notes at an index the one beside the proof is the entry; whether that is the one in `ledger/control`.
    fn second(&self, index: u64, findings: &mut Findings) -> bool {
        let [control, other] = [true, false].map(|control| {
            let name = |ending: &str| format!("{}/{index}.{ending}", folder(control));
            (name("note"), self.has(&name("tlog-proof")))
        });
        let has = match (control.1, other.1) {
            (true, true) => (self.is_listed_tag(&control.0), self.is_listed_tag(&other.0)),
            has => has,
        };
        let is_control = has.0 || !has.1;
        let item = match has {
            (true, false) => other.0,
            (false, true) => control.0,
            _ => format!("{} and {}", control.0, other.0),
        };
        let expected = "one entry at an index, beside its proof";
        findings.blamed(Fault::Evidence, Step::Names, &item, expected, "a second one");
        is_control
    }

    pub(crate) fn note(
        &mut self,
        index: u64,
        is_control: bool,
        findings: &mut Findings,
    ) -> Result<Option<Vec<u8>>, Stop> {
        let path = format!("{}/{index}.note", folder(is_control));
        self.load(&path, ENTRY_BYTES_MAX, Step::NoteForm, findings)
    }

    /// V10: the entry's proof. Whether the entry may be where it is shown: `false` where its proof leads
    /// elsewhere, or there is none that can be read.
    pub(crate) fn inclusion(
        &mut self,
        (index, is_control): (u64, bool),
        leaf: Hash,
        (checkpoint, judged): Under<'_>,
        findings: &mut Findings,
    ) -> Result<bool, Stop> {
        let path = format!("{}/{index}.tlog-proof", folder(is_control));
        let step = Step::Inclusion;
        if !self.has(&path) {
            let note = format!("{}/{index}.note", folder(is_control));
            findings.contradicted(step, &note, &format!("its proof {path}"), "none");
            return Ok(judged.is_none());
        }
        let Some(bytes) = self.load(&path, PROOF_BYTES_MAX, step, findings)? else {
            return Ok(judged.is_none());
        };
        let proof = match Proof::parse(&bytes) {
            Ok(proof) => proof,
            Err(error) => {
                findings.form(step, &path, &error);
                let is_later = matches!(error, FormError::Unsupported { .. });
                return Ok(judged.is_none() || is_later);
            }
        };
        if proof.index != index {
            let (expected, found) = (format!("index {index}"), proof.index.to_string());
            findings.contradicted(step, &path, &expected, &found);
        }
        let Some(judged) = judged else { return Ok(true) };
        let mut claims = judged.claims().clone();
        if index >= claims.size && !judged.is_doubted() {
            let expected = format!("an entry below the checkpoint's size {}", claims.size);
            findings.contradicted(step, &path, &expected, &index.to_string());
            return Ok(false);
        }
        if checkpoint.is_some_and(|checkpoint| checkpoint != proof.checkpoint) {
            if judged.is_led_to(&leaf, &proof) {
                judged.is_held = true;
            }
            claims = judged.is_another_in(&path, &proof.checkpoint, findings).unwrap_or(claims);
        }
        let holds = verify_inclusion(&leaf, index, claims.size, &proof.path, &claims.root);
        let expected = format!("a path from leaf {leaf} at {index} to root {}", claims.root);
        let item = format!("entry {index}, by its proof {path}");
        let (length, hashes) = (inclusion_length(index, claims.size), proof.path.len());
        let found = match length {
            None => format!("an index behind the end of its log of {} entries", claims.size),
            Some(length) if length as usize != hashes => {
                format!("a path of {hashes}, where {length} hashes lead there")
            }
            Some(_) => "another root: the entry, its proof or the checkpoint is another".to_owned(),
        };
        Ok(judged.leads(holds, (&item, &expected, &found), findings))
    }
}

/// V1: a file of an entry behind the end of the log: nobody took that entry out.
pub(crate) fn behind(index: u64, size: Option<u64>, path: &str, findings: &mut Findings) -> bool {
    let Some(size) = size.filter(|size| index >= *size) else { return false };
    let expected = format!("a file of an entry below the checkpoint's size {size}");
    findings.blamed(Fault::Evidence, Step::Names, path, &expected, &format!("entry {index}"));
    true
}

const fn folder(is_control: bool) -> &'static str {
    if is_control { "ledger/control" } else { "ledger/entries" }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{exhibit, found_in};

    // spec: X14 L6
    #[test]
    fn a_proof_is_of_its_entry_and_of_this_checkpoint() {
        const PROOF: &str = "ledger/entries/2.tlog-proof";
        let found = |proof: Vec<u8>| {
            let mut package = exhibit("good");
            package.insert(PROOF, proof);
            found_in(&mut package)
        };
        let has = |found: &[String], line: &str| {
            assert!(found.iter().any(|known| known.starts_with(line)), "{line}: {found:?}");
        };
        let good = exhibit("good");
        let text = std::str::from_utf8(good.bytes(PROOF).unwrap()).unwrap();
        let renumbered = found(text.replace("index 2\n", "index 4\n").into_bytes());
        has(&renumbered, &format!("V10! {PROOF}: expected index 2; 4"));
        has(&renumbered, &format!("V7! {PROOF} and its line in tagmanifest-sha256.txt: "));
        let of_another = found(good.bytes("ledger/entries/4.tlog-proof").unwrap().to_vec());
        has(
            &of_another,
            &format!("V10! entry 2, by its proof {PROOF}: expected a path from leaf "),
        );
    }
}
