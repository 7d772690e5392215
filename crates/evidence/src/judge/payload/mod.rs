//! The payload against the entries: recordings and companions, byte by byte (V3 to V6, V28).

mod absent;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::absent::NO_FILE;
use crate::bag::{Packed, Place};
use crate::content::{BlockKey, Digests};
use crate::hash::Hash;
use crate::judge::commitments::{Commitment, Commitments, Committed};
use crate::judge::findings::Findings;
use crate::judge::reading::{MANIFEST, Reading, step_of};
use crate::judge::scope::Listed;
use crate::judge::sidecar::FileValues;
use crate::left_out::LeftOut;
use crate::length::Ends;
use crate::limits::{BLOCK_TREES_MAX, DOCUMENT_BYTES_MAX};
use crate::package::{PackageError, Stop};
use crate::recordings::{Blocks, Bytes, Recording};
use crate::step::Step;
use crate::verdict::Fault;

/// The steps that this file carries out.
const STEPS: &[Step] = &[
    Step::Names,
    Step::Payload,
    Step::Recording,
    Step::Blocks,
    Step::Companion,
    Step::ClearValues,
    Step::Sidecar,
];

/// A payload file that the manifest does not have, or has in vain: where it is not the signed one, either was changed.
fn of_list(path: &str, listed: Listed) -> String {
    if listed == Listed::Other { format!("{MANIFEST} and {path}") } else { path.to_owned() }
}

const IN_FETCH: &str = "in fetch.txt, not in the bag";

/// Judges the payload.
pub(crate) struct Payload<'a, 'b> {
    pub(crate) reading: &'a mut Reading<'b>,
    pub(crate) commitments: &'a mut Commitments,
    pub(crate) findings: &'a mut Findings,
    /// Why files are not packed, as the producer says, and whose the list of files is.
    left_out: LeftOut,
    listed_by: Listed,
    /// Digests of files that are packed.
    packed: BTreeSet<Hash>,
    /// The same of files that serve no entry where they lie.
    misplaced: BTreeSet<Hash>,
    /// The same of files in `fetch.txt`.
    fetched: BTreeSet<Hash>,
    /// The same of files that are in the manifest alone.
    missing: BTreeSet<Hash>,
    /// The same of files in the manifest that lie where no exhibit has one.
    astray: BTreeSet<Hash>,
    /// Files of which no wrong place was found.
    undisputed: BTreeMap<Hash, String>,
    /// Companions that were counted: an entry, and a number in it.
    counted: BTreeSet<(u64, u64)>,
    /// Places in which something is packed: an index, and what it is there.
    places: BTreeSet<(u64, Packed)>,
}

/// A packed file and what it should be.
struct File<'a> {
    path: &'a str,
    index: u64,
    name: Packed,
    digests: Digests,
    ends: Ends,
}

impl<'a, 'b> Payload<'a, 'b> {
    pub(crate) fn new(
        reading: &'a mut Reading<'b>,
        commitments: &'a mut Commitments,
        (left_out, listed_by): (LeftOut, Listed),
        findings: &'a mut Findings,
    ) -> Self {
        Self {
            reading,
            commitments,
            findings,
            left_out,
            listed_by,
            packed: BTreeSet::new(),
            misplaced: BTreeSet::new(),
            fetched: BTreeSet::new(),
            missing: BTreeSet::new(),
            astray: BTreeSet::new(),
            undisputed: BTreeMap::new(),
            counted: BTreeSet::new(),
            places: BTreeSet::new(),
        }
    }

    /// V3 to V6 and V28: every payload file against the manifest and the entries.
    pub(crate) fn judge(mut self) -> Result<(), Stop> {
        self.commitments.sorted(self.findings);
        self.listed();
        for place in 0..self.reading.package.files().iter().count() {
            let path = self.reading.package.files().path(place).unwrap_or_default().to_owned();
            if let Some(Place::Packed(index, name)) = Place::of(&path) {
                self.places.insert((index, name));
                self.file(&path, index, name)?;
            }
        }
        self.reading.rest(self.listed_by, self.findings)?;
        self.not_packed();
        if self.commitments.recordings.lines().is_empty() {
            self.findings.not_read(
                Step::Recording,
                "exhibit",
                "it shows no recording entry that could be judged",
            );
        }
        self.findings.ran(STEPS);
        Ok(())
    }

    /// V3, and V25 for openings: the manifest and the payload files, both ways.
    fn listed(&mut self) {
        let findings = &mut *self.findings;
        let Some(manifest) = &self.reading.manifest else {
            let why = "the manifest cannot be read; the files were held against the entries";
            return findings.not_read(Step::Payload, "exhibit", why);
        };
        let is_payload = |path: &str| Place::of(path).is_some_and(Place::is_payload);
        for path in self.reading.package.files().paths().filter(|path| is_payload(path)) {
            if manifest.hash(path).is_none() {
                let item = of_list(path, self.listed_by);
                findings.contradicted(step_of(path), &item, "a line in the manifest", "none");
            }
        }
        for (path, sha256) in manifest.lines() {
            if !is_payload(path) {
                let item = format!("{MANIFEST}, its line for {path}");
                findings.contradicted(Step::ManifestForm, &item, "a payload file", "another");
                if self.reading.has(path) {
                    self.astray.insert(sha256);
                }
            } else if self.reading.has(path) {
                // Its bytes are read below.
            } else if self.reading.fetched.contains_key(path) {
                findings.not_read(step_of(path), path, IN_FETCH);
                self.fetched.insert(sha256);
                if let Some(Place::Packed(index, name)) = Place::of(path) {
                    self.places.insert((index, name));
                }
            } else {
                let item = of_list(path, self.listed_by);
                findings.contradicted(step_of(path), &item, "the file", "missing");
                self.missing.insert(sha256);
            }
        }
        let fetched = self.reading.fetched.keys();
        for path in fetched.filter(|path| manifest.hash(path).is_none()) {
            let item = format!("fetch.txt, its line for {path}");
            findings.contradicted(Step::TagFiles, &item, "a line in the manifest too", "none");
        }
    }

    /// A packed file. Which entries speak of it is told by its bytes, so they are read first for their
    /// digest where the manifest does not know it.
    fn file(&mut self, path: &str, index: u64, name: Packed) -> Result<(), Stop> {
        let expected = self.reading.manifest.as_ref().and_then(|manifest| manifest.hash(path));
        let expected = match expected {
            Some(expected) => expected,
            None => match self.digests(path, &[])? {
                Some((digests, _)) => digests.sha256,
                None => return Ok(()),
            },
        };
        let mut of = expected;
        let mut read = self.digests(path, &self.keys(&of))?;
        if let Some((digests, _)) = &read
            && digests.sha256 != of
            && self.is_sealed(&digests.sha256)
        {
            // The manifest has another line for it: its blocks are those of the entry that has its bytes.
            of = digests.sha256;
            read = self.digests(path, &self.keys(&of))?;
        }
        let Some((digests, ends)) = read else {
            self.damaged(path, expected);
            return Ok(());
        };
        let is_in_place = self.is_in_place(&digests.sha256, (index, name));
        self.reading.hold(path, digests.sha256, is_in_place, self.findings);
        let is_second =
            self.packed.contains(&digests.sha256) || self.misplaced.contains(&digests.sha256);
        if is_second && let Some(item) = self.twice(&digests.sha256, path, is_in_place) {
            let (step, expected) = (Step::Names, "each packed file once");
            self.findings.blamed(Fault::Evidence, step, &item, expected, "a second one");
            return Ok(());
        }
        let before = self.findings.contradictions(Step::Names);
        let file = File { path, index, name, digests, ends };
        if self.commitments.is_refused(index) {
            let why = format!("what it is to entry {index}, which was not judged, is not known");
            self.findings.not_established(Step::Recording, path, &why);
        } else if !self.stands_right(&file) {
            self.misplaced.insert(file.digests.sha256);
            return Ok(());
        }
        self.packed.insert(file.digests.sha256);
        if self.findings.contradictions(Step::Names) == before {
            self.undisputed.insert(file.digests.sha256, path.to_owned());
        }
        // A file that is not the listed one has no keys made ready; its blocks are not judged.
        self.against_all(&file, file.digests.sha256 == of)
    }

    /// Whether these bytes are what the lowest entry that commits to them has in this place.
    fn is_in_place(&self, sha256: &Hash, place: (u64, Packed)) -> bool {
        let lowest = self.commitments.to(sha256).first();
        lowest.is_some_and(|(_, lowest)| (lowest.index(), lowest.role()) == place)
    }

    /// Which of two files with the same bytes is one too many; none where the other one was found in a wrong place.
    fn twice(&self, sha256: &Hash, path: &str, is_in_place: bool) -> Option<String> {
        match self.undisputed.get(sha256) {
            None if is_in_place => None,
            Some(first) if is_in_place => {
                let is_listed = |path: &str| self.reading.lists(path);
                Some(match (is_listed(first), is_listed(path)) {
                    (true, false) => path.to_owned(),
                    (false, true) => first.clone(),
                    _ => format!("{first} and {path}"),
                })
            }
            _ => Some(path.to_owned()),
        }
    }

    /// Whether a shown entry commits to these bytes.
    fn is_sealed(&self, sha256: &Hash) -> bool {
        !self.commitments.to(sha256).is_empty()
    }

    /// The block keys of the recordings that have these bytes.
    fn keys(&self, sha256: &Hash) -> Vec<(u64, BlockKey)> {
        let committed = |(_, commitment): &(Hash, Commitment)| match commitment {
            Commitment::Recording { committed, .. } => self.commitments.committed_at(*committed),
            Commitment::Companion { .. } => None,
        };
        let all = self.commitments.to(sha256).iter().filter_map(committed);
        all.filter_map(|committed| Some((committed.block_bytes, committed.block_key?)))
            .take(BLOCK_TREES_MAX)
            .collect()
    }

    fn digests(
        &mut self,
        path: &str,
        keys: &[(u64, BlockKey)],
    ) -> Result<Option<(Digests, Ends)>, Stop> {
        match self.reading.package.digest(path, keys) {
            Ok(found) => Ok(Some(found)),
            Err(PackageError::Damaged(what)) => {
                let expected = "a file that can be read";
                self.findings.contradicted(Step::Payload, path, expected, &what);
                let _ = self.reading.first(path);
                Ok(None)
            }
            Err(error) => Err(Stop::Io(format!("{path} {error}"))),
        }
    }

    /// A file that is there and cannot be read, where one with this digest should be.
    fn damaged(&mut self, path: &str, expected: Hash) {
        self.packed.insert(expected);
        for (_, commitment) in self.commitments.to(&expected) {
            if let Commitment::Companion { index, number, sidecar: Some(_), .. } = commitment {
                let item = format!("entry {index}, companion {number}");
                self.findings.not_supplied(Step::Sidecar, &item, NO_FILE);
            }
        }
        let of_these =
            |line: &&mut Recording| line.sha256 == Some(expected) && line.bytes != Bytes::Agree;
        for line in self.commitments.recordings.lines.iter_mut().filter(of_these) {
            (line.bytes, line.path) = (Bytes::Unreadable, Some(path.to_owned()));
        }
    }

    /// Whether a shown commitment covers a packed file; and whether it stands under the lowest index
    /// that has one, by the name of what it is there.
    fn stands_right(&mut self, file: &File<'_>) -> bool {
        let File { path, index, name, digests, .. } = file;
        let findings = &mut *self.findings;
        if *name == Packed::Recording
            && let Some(line) = self.commitments.recordings.find(*index)
            && let Some(sealed) = line.sha256.filter(|sealed| *sealed != digests.sha256)
        {
            let (expected, found) = (format!("SHA-256 {sealed}"), digests.sha256.to_string());
            findings.contradicted(Step::Recording, path, &expected, &found);
            let why = "its bytes are others; blocks are compared only where the SHA-256 agrees";
            findings.not_supplied(Step::Blocks, path, why);
            // One file serves all entries that commit to the same bytes, and a second one takes nothing
            // from a file that agrees.
            let of_these =
                |line: &&mut Recording| line.sha256 == Some(sealed) && line.bytes != Bytes::Agree;
            for line in self.commitments.recordings.lines.iter_mut().filter(of_these) {
                (line.bytes, line.path) = (Bytes::Differ, Some((*path).to_owned()));
            }
            return false;
        }
        let lowest = self.commitments.to(&digests.sha256).first().map(|(_, lowest)| lowest);
        let hides = self.commitments.hides_some(*index);
        let Some(lowest) = lowest else {
            if hides {
                let why = self.commitments.why_hidden(*index);
                let why = format!("whether an entry commits to it is not known: {why}");
                findings.not_established(Step::Recording, path, &why);
            } else {
                let shown = self.commitments.recordings.find(*index).is_some();
                let whose = if shown { format!("entry {index}") } else { "a shown entry".into() };
                let expected = format!("bytes that {whose} commits to");
                let found = digests.sha256.to_string();
                findings.contradicted(Step::Recording, path, &expected, &found);
            }
            return false;
        };
        let role = lowest.role();
        if *index < lowest.index() && hides {
            // It may commit to these bytes too, and then this is the right place.
            let why = self.commitments.why_hidden(*index);
            findings.not_established(Step::Names, path, why);
        } else if *index < lowest.index() && !self.reading.shows(*index) {
            // Its entry was there: X21 tells what is missing.
            let why = format!("entry {index}, under which it lies, is not shown");
            findings.not_established(Step::Names, path, &why);
        } else if (*index, *name) != (lowest.index(), role) {
            let expected =
                format!("data/{}/{role}: what it is to the lowest entry", lowest.index());
            findings.blamed(Fault::Evidence, Step::Names, path, &expected, "another place or name");
        }
        true
    }

    fn against_all(&mut self, file: &File<'_>, blocks_known: bool) -> Result<(), Stop> {
        let mut roots = file.digests.block_roots.iter();
        // The file's own values, and what was found of the last entry that takes from it: an entry may name
        // one file a thousand times.
        let (mut values, mut last) = (None, None);
        for (_, commitment) in self.commitments.to(&file.digests.sha256).to_vec() {
            match commitment {
                Commitment::Recording { committed, .. } => {
                    let Some(committed) = self.commitments.committed_at(committed).cloned() else {
                        continue;
                    };
                    let root =
                        committed.block_key.filter(|_| blocks_known).and_then(|_| roots.next());
                    self.recording(file, root, &committed);
                }
                Commitment::Companion { index, number, size, sidecar } => {
                    let agrees = size.is_none_or(|size| size == file.digests.size);
                    let item = format!("{}, companion {number} of entry {index}", file.path);
                    let expected = format!("{} bytes", size.unwrap_or_default());
                    let found = format!("{} bytes", file.digests.size);
                    self.findings.check(agrees, Step::Companion, &item, &expected, &found);
                    // A file may be packed twice.
                    let is_new = self.counted.insert((index, number));
                    if let Some(line) = self.commitments.recordings.find(index) {
                        line.companions.1 += u64::from(agrees && is_new);
                    }
                    let Some(place) = sidecar else { continue };
                    if values.is_none() {
                        values = Some(FileValues::of(&self.document(file)?));
                    }
                    if last.as_ref().is_none_or(|(known, _)| *known != place) {
                        let said = self.commitments.sidecar(place);
                        // Nothing to compare with is no agreement.
                        let differs = match said.zip(values.as_ref()) {
                            Some((said, values)) => said.differs_from(values),
                            None => Some(String::new()),
                        };
                        last = Some((place, differs));
                    }
                    let differs = last.as_ref().and_then(|(_, differs)| differs.as_deref());
                    // Of values that were all shown only a digest over them is kept.
                    let found = match differs {
                        Some(pointer) if !pointer.is_empty() => {
                            format!("a difference at {pointer}")
                        }
                        _ => "not exactly these".to_owned(),
                    };
                    let expected = "the values of the file, each under its pointer";
                    self.findings.check(differs.is_none(), Step::Sidecar, &item, expected, &found);
                }
            }
        }
        Ok(())
    }

    /// The bytes of a metadata file; none where it is too long to be one.
    fn document(&mut self, file: &File<'_>) -> Result<Vec<u8>, Stop> {
        let mut bytes = Vec::new();
        if file.digests.size <= DOCUMENT_BYTES_MAX as u64 {
            let sink = &mut |piece: &[u8]| bytes.extend_from_slice(piece);
            let read = self.reading.package.stream(file.path, sink);
            read.map_err(|error| Stop::Io(format!("{} {error}", file.path)))?;
        }
        Ok(bytes)
    }

    /// V4 and V5: a recording whose SHA-256 the entry commits to.
    fn recording(&mut self, file: &File<'_>, root: Option<&Hash>, committed: &Committed) {
        let Committed { index, size, blake3, block_root, block_key, not_shown, .. } = committed;
        let item = format!("{}, entry {index}", file.path);
        let digests = &file.digests;
        let findings = &mut *self.findings;
        findings.held(Step::Recording);
        let (expected, found) = (format!("{size} bytes"), format!("{} bytes", digests.size));
        findings.check(digests.size == *size, Step::Recording, &item, &expected, &found);
        let mut agrees = digests.size == *size;
        if let Some(blake3) = blake3 {
            agrees &= digests.blake3 == *blake3;
            let (expected, found) = (format!("BLAKE3 {blake3}"), digests.blake3.to_string());
            findings.check(digests.blake3 == *blake3, Step::Recording, &item, &expected, &found);
        }
        let not_shown: Vec<&str> = not_shown.iter().flatten().copied().collect();
        if !not_shown.is_empty() {
            let names = not_shown.join(", content");
            let why = if self.commitments.is_unusable(*index) {
                let why = self.commitments.why_hidden(*index);
                format!("what its opening says of content{names} could not be compared: {why}")
            } else if self.reading.has(&format!("data/openings/{index}.json")) {
                format!("its entry's opening does not show content{names}")
            } else {
                format!("the opening of its entry, which would show content{names}, is not here")
            };
            findings.not_established(Step::Recording, &item, &why);
        }
        match root {
            Some(root) => {
                // Nothing signs the key: bytes that agree stay so, whatever comes out under another one.
                let item =
                    format!("block key in data/openings/{index}.json, used for {}", file.path);
                let expected = format!("block root {block_root}");
                findings.check(
                    root == block_root,
                    Step::Blocks,
                    &item,
                    &expected,
                    &root.to_string(),
                );
            }
            None if block_key.is_some() => {
                let why = "too many entries commit to these bytes";
                findings.not_established(Step::Blocks, &item, why);
            }
            None => {
                let why = if self.commitments.is_unusable(*index) {
                    self.commitments.why_hidden(*index)
                } else {
                    "its block key is not disclosed"
                };
                findings.not_established(Step::Blocks, &item, why);
            }
        }
        if let Some(line) = self.commitments.recordings.find(*index) {
            line.bytes = if agrees { Bytes::Agree } else { Bytes::Differ };
            line.path = Some(file.path.to_owned());
            line.sha256_agrees = true;
            line.blocks = match root {
                Some(root) if root == block_root => Blocks::Agree,
                Some(_) => Blocks::Differ,
                None => Blocks::NotChecked,
            };
            if agrees {
                line.measured(file.ends.length_ms());
            }
        }
    }
}
