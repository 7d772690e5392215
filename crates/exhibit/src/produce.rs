//! Makes an exhibit, in the order that spec/exhibit.md fixes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use unbroken_evidence::bag::{BAGIT_TXT, BagInfo, Packed};
use unbroken_evidence::body::{Body, Recording, Rel};
use unbroken_evidence::content::BlockKey;
use unbroken_evidence::disclosed::Disclosed;
use unbroken_evidence::error::escaped;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::left_out::{LeftOut, Reason};
use unbroken_evidence::limits::{EXHIBIT_FILES_MAX, FIELDS_MAX};
use unbroken_evidence::produced::Produced;
use unbroken_evidence::proof::Proof;
use unbroken_ledger::ledger::Ledger;
use unbroken_ledger::private::{ObjectState, Row};
use unbroken_ledger::reader::LogReader;

use crate::bag::{Bag, Staged};
use crate::error::ExhibitError;
use crate::exposed::WithheldValues;
use crate::originals::Originals;
use crate::select::{Selecting, Selection, Selector};
pub use crate::terms::{Made, Packing, Redaction, Terms, Withhold};

/// Makes an exhibit of what `selectors` select, at `out`.
///
/// # Errors
/// What keeps it from being made; a recording that cannot be packed does not.
pub fn produce(
    ledger: &mut Ledger,
    originals: &mut dyn Originals,
    selectors: &[Selector],
    terms: &Terms,
    out: &Path,
) -> Result<Made, ExhibitError> {
    if out.exists() {
        return Err(ExhibitError::Exists { path: out.to_owned() });
    }
    if let Some(needed) = terms.needed() {
        let what = escaped(&format!("{}{}", needed.source, needed.pointer));
        return Err(ExhibitError::Needed { what });
    }
    let mut reader = LogReader::open(ledger.folder())?;
    let selection = Selecting { reader: &mut reader, private: ledger.private(), passes: None }
        .select(selectors, &terms.passes)?;
    for index in &selection.control {
        let entry = reader.entry(*index)?;
        if ledger.private().opening_of(*index, &entry)?.is_none() {
            return Err(ExhibitError::LostOpening { index: *index });
        }
    }
    let staging = staging_folder(out);
    let made = Producer {
        bag: Bag::new(&staging)?,
        ledger,
        originals,
        reader,
        selection,
        made: Made::default(),
        files: BTreeMap::new(),
        lowest: BTreeMap::new(),
        left_out: LeftOut::new(),
        terms,
    }
    .make(out);
    if made.is_err() {
        // What is half made is of no use to anybody; the first error is the one to report.
        let _ = std::fs::remove_dir_all(&staging);
    }
    made
}

fn staging_folder(out: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(out.file_name().unwrap_or_default());
    name.push(".making");
    out.with_file_name(name)
}

struct Producer<'a> {
    bag: Bag,
    ledger: &'a mut Ledger,
    originals: &'a mut dyn Originals,
    reader: LogReader,
    selection: Selection,
    terms: &'a Terms,
    made: Made,
    /// Where the bytes of a digest are packed.
    files: BTreeMap<Hash, String>,
    /// The lowest shown index that commits to a digest, and as what.
    lowest: BTreeMap<Hash, (u64, Packed)>,
    /// Why files are not packed.
    left_out: LeftOut,
}

/// A shown recording entry and what is disclosed of it.
struct Item {
    index: u64,
    recording: Recording,
    disclosed: Disclosed,
    state: Option<ObjectState>,
}

impl Item {
    /// Every digest that it commits to, and as what.
    fn commitments(&self) -> impl Iterator<Item = (Hash, Packed)> {
        let recording = self.disclosed.sha256().map(|sha256| (sha256, Packed::Recording));
        let companions = self.disclosed.companions().iter();
        let companions = companions
            .filter_map(|(n, companion)| Some((companion.sha256?, Packed::Companion(*n))));
        recording.into_iter().chain(companions)
    }

    fn block_key(&self) -> Option<(u64, BlockKey)> {
        Some((self.recording.content.block_bytes, self.disclosed.block_key()?))
    }
}

/// Ids that no recording has, as far as the entry that closes an exhibit repeats them.
const NOT_FOUND_SAID: usize = 1_000;
const OPENING_LOST: &str = "its opening is lost or damaged in private.db: run `unbroken audit`";
/// Checkpoint, manifests, and what else stands beside entries and recordings.
const FILES_BESIDE: u64 = 64;
/// Fields of a `produced` entry that are no subjects.
const FIELDS_BESIDE: u64 = 64;
/// Second and later parts of its lists: one for each 4,096 of the entries that an exhibit may show.
const LISTS_IN_PARTS: u64 = 2 * EXHIBIT_FILES_MAX as u64 / 4_096;

impl Producer<'_> {
    fn make(mut self, out: &Path) -> Result<Made, ExhibitError> {
        let items = self.openings()?;
        for withhold in &self.terms.withhold {
            if !self.made.redactions.iter().any(|redaction| redaction.what == *withhold) {
                let what = format!("{}{}", withhold.source, withhold.pointer);
                return Err(ExhibitError::NothingToWithhold { what: escaped(&what) });
            }
        }
        for item in &items {
            for (digest, role) in item.commitments() {
                self.lowest.entry(digest).or_insert((item.index, role));
            }
        }
        self.must_fit(&items)?;
        if self.terms.packing == Packing::Recordings {
            self.recordings(&items)?;
            self.companions(&items)?;
        }
        self.made.incomplete = incomplete(&items);
        self.left_out(&items);
        let now = self.ledger.now().to_string();
        let octets = self.bag.payload.values().map(|(_, length)| length).sum();
        let files = self.bag.payload.len() as u64;
        let info =
            BagInfo { bagging_date: now.get(..10).unwrap_or_default().to_owned(), octets, files };
        let manifest = self.bag.manifest();
        let covered = [
            ("bagit.txt", BAGIT_TXT.to_owned()),
            ("bag-info.txt", info.encode()),
            ("manifest-sha256.txt", manifest),
        ];
        for (path, text) in &covered {
            self.bag.write(path, text.as_bytes())?;
        }
        self.close(&covered)?;
        self.made.subjects = self.selection.subjects.len() as u64;
        self.made.beside = std::mem::take(&mut self.selection.beside).into_iter().collect();
        self.made.not_found = std::mem::take(&mut self.selection.not_found);
        self.made.sha256 = self.bag.finish(out)?;
        Ok(self.made)
    }

    /// Whether a verifier would take an exhibit of so much: found before hours of packing.
    fn must_fit(&self, items: &[Item]) -> Result<(), ExhibitError> {
        let companions: u64 =
            items.iter().map(|item| item.disclosed.companions().len() as u64).sum();
        let entries = (self.selection.entries.len() + self.selection.control.len()) as u64;
        // Each entry is a note, a proof and an opening; each recording is a file.
        let files = 3 * entries + items.len() as u64 + companions + FILES_BESIDE;
        let subjects = self.selection.subjects.len() as u64;
        for (what, found, most) in [
            ("files", files, EXHIBIT_FILES_MAX as u64),
            ("subjects", subjects, FIELDS_MAX - FIELDS_BESIDE),
        ] {
            if found > most {
                return Err(ExhibitError::TooLarge { what, found, most });
            }
        }
        Ok(())
    }

    /// Writes `data/openings/`; gives the shown recording entries.
    fn openings(&mut self) -> Result<Vec<Item>, ExhibitError> {
        let (mut items, mut withheld) = (Vec::new(), WithheldValues::default());
        for index in self.selection.entries.clone() {
            let entry = self.reader.entry(index)?;
            let opening = self.ledger.private().opening_of(index, &entry)?;
            let subject = entry.statement().subject;
            let opening = match (opening, &entry.statement().body) {
                (Some(opening), Body::Recording(recording)) => {
                    let (opening, values) = self.terms.redact(index, opening, recording)?;
                    self.made
                        .redactions
                        .extend(values.iter().map(|value| Redaction::of(index, value)));
                    withheld.take(subject, values.into_iter());
                    Some(opening)
                }
                (opening, _) => opening,
            };
            match &opening {
                Some(opening) => {
                    self.made.exposed.extend(withheld.read_in(index, subject, opening));
                    let text = opening.opening().encode();
                    self.bag.write(&format!("data/openings/{index}.json"), text.as_bytes())?;
                }
                None => self.made.missing.push(format!("entry {index}: {OPENING_LOST}")),
            }
            if let Body::Recording(recording) = &entry.statement().body {
                let recording = recording.clone();
                let disclosed = Disclosed::of(&recording, opening.as_ref());
                let state = self.ledger.private().object(index)?;
                items.push(Item { index, recording, disclosed, state });
            }
        }
        Ok(items)
    }

    /// Packs recordings, each object read and hashed once, under the lowest index that commits
    /// to what was read.
    fn recordings(&mut self, items: &[Item]) -> Result<(), ExhibitError> {
        let mut by_object: BTreeMap<(i64, &[u8], &str), Vec<&Item>> = BTreeMap::new();
        let mut lost = Vec::new();
        for item in items {
            match &item.state {
                Some(state) => {
                    let version = item.disclosed.object().version.as_deref().unwrap_or_default();
                    let object = (state.source, state.key.as_slice(), version);
                    by_object.entry(object).or_default().push(item);
                }
                None => lost.push(item),
            }
        }
        for ((source, key, version), items) in by_object {
            let keys: Vec<(u64, BlockKey)> =
                items.iter().filter_map(|item| item.block_key()).collect();
            let shown = escaped(&String::from_utf8_lossy(key));
            match self.original(source, key, version, &keys)? {
                Ok(staged) => self.place(&staged, key, &items)?,
                Err(error) => {
                    self.not_packed(items.iter().map(|i| i.index), &reason(&error));
                    self.made.missing.push(format!("{shown}: {error}"));
                }
            }
        }
        // The same bytes may have come from an object that is known.
        let is_packed = |item: &&&Item| {
            item.disclosed.sha256().is_some_and(|sha256| self.files.contains_key(&sha256))
        };
        for item in lost.iter().filter(|item| !is_packed(item)) {
            self.made.missing.push(format!("entry {}: where its object is, is lost", item.index));
        }
        Ok(())
    }

    fn original(
        &mut self,
        source: i64,
        key: &[u8],
        version: &str,
        keys: &[(u64, BlockKey)],
    ) -> Result<Result<Staged, std::io::Error>, ExhibitError> {
        let sources = self.ledger.private().sources()?;
        let Some((_, name, location)) =
            sources.into_iter().find(|(number, _, _)| *number == source)
        else {
            return Ok(Err(std::io::Error::other("its source is not known any more")));
        };
        match self.originals.open(&name, &location, key, version) {
            Ok(mut data) => self.bag.stage(keys, &mut *data),
            Err(error) => Ok(Err(error)),
        }
    }

    fn place(&mut self, staged: &Staged, key: &[u8], items: &[&Item]) -> Result<(), ExhibitError> {
        let digests = &staged.digests;
        let commits = |item: &&&Item| item.disclosed.sha256() == Some(digests.sha256);
        let shown = escaped(&String::from_utf8_lossy(key));
        let Some(lowest) = items.iter().find(commits) else {
            // Of an entry whose digest is lost with its opening nobody knows whether they are its bytes.
            let known = items.iter().filter(|item| item.disclosed.sha256().is_some());
            self.not_packed(known.map(|item| item.index), &Reason::Changed);
            let of: Vec<String> = items.iter().map(|item| item.index.to_string()).collect();
            self.made.differing.push(format!(
                "{shown}: its bytes are not those of entry {}; SHA-256 {} now",
                of.join(", "),
                digests.sha256
            ));
            return self.bag.discard(staged);
        };
        let mut roots = digests.block_roots.iter();
        for item in items {
            let root = item.block_key().and_then(|_| roots.next());
            let same = item.disclosed.sha256() == Some(digests.sha256);
            if !same {
                let known = item.disclosed.sha256().map(|_| item.index);
                self.not_packed(known, &Reason::Changed);
                let index = item.index;
                let what = format!("{shown}: entry {index} is about other bytes, not found there");
                self.made.missing.push(what);
            } else if root.is_some_and(|root| *root != item.recording.content.block_root)
                || item.recording.content.size != digests.size
            {
                self.not_packed(items.iter().map(|item| item.index), &Reason::Changed);
                self.made
                    .differing
                    .push(format!("{shown}: size or blocks are not those of entry {}", item.index));
                return self.bag.discard(staged);
            }
        }
        if self.files.contains_key(&digests.sha256) {
            return self.bag.discard(staged);
        }
        let place = self.lowest.get(&digests.sha256).copied();
        let place = place.unwrap_or((lowest.index, Packed::Recording));
        let path = self.bag.keep(staged, place, key)?;
        self.files.insert(digests.sha256, path);
        self.made.packed += 1;
        Ok(())
    }

    /// Packs companions: as they were captured, or from their source where they were too large.
    fn companions(&mut self, items: &[Item]) -> Result<(), ExhibitError> {
        for item in items {
            let documents = self.ledger.private().documents(item.index)?;
            let captured: BTreeMap<Hash, &[u8]> = documents
                .iter()
                .map(|document| (Hash::of(&[&document.bytes]), document.bytes.as_slice()))
                .collect();
            for (number, companion) in item.disclosed.companions() {
                let Some(sha256) = companion.sha256.filter(|hash| !self.files.contains_key(hash))
                else {
                    continue;
                };
                let key = companion.key.clone().unwrap_or_default();
                let version = companion.version.clone().unwrap_or_default();
                let staged = match (captured.get(&sha256), &item.state) {
                    (Some(bytes), _) => self.bag.stage(&[], &mut &**bytes)?,
                    (None, Some(state)) => self.original(state.source, &key, &version, &[])?,
                    (None, None) => Err(std::io::Error::other("where it is, is lost")),
                };
                let place = (item.index, Packed::Companion(*number));
                self.companion(place, sha256, &key, staged)?;
            }
        }
        Ok(())
    }

    fn companion(
        &mut self,
        (index, role): (u64, Packed),
        sha256: Hash,
        key: &[u8],
        staged: Result<Staged, std::io::Error>,
    ) -> Result<(), ExhibitError> {
        match staged {
            Ok(staged) if staged.digests.sha256 == sha256 => {
                let place = self.lowest.get(&sha256).copied().unwrap_or((index, role));
                let path = self.bag.keep(&staged, place, key)?;
                self.files.insert(sha256, path);
            }
            Ok(staged) => {
                self.bag.discard(&staged)?;
                self.left_out.insert((index, role), Reason::Changed);
                let what = format!("{role} of entry {index}: its bytes have changed");
                self.made.missing.push(what);
            }
            Err(error) => {
                self.left_out.insert((index, role), reason(&error));
                self.made.missing.push(format!("{role} of entry {index}: {error}"));
            }
        }
        Ok(())
    }

    fn not_packed(&mut self, recordings: impl IntoIterator<Item = u64>, why: &Reason) {
        let recordings =
            recordings.into_iter().map(|index| ((index, Packed::Recording), why.clone()));
        self.left_out.extend(recordings);
    }

    /// Says why of each file that is not packed, and of no other; of as many as one entry can commit to.
    fn left_out(&mut self, items: &[Item]) {
        let otherwise = match self.terms.packing {
            Packing::EntriesOnly => Some(Reason::NotAskedFor),
            Packing::Recordings => None,
        };
        let mut known = std::mem::take(&mut self.left_out);
        let taken = self.selection.subjects.len() as u64 + FIELDS_BESIDE + LISTS_IN_PARTS;
        let room = FIELDS_MAX.saturating_sub(taken);
        for item in items {
            let absent = item.commitments().filter(|(digest, _)| !self.files.contains_key(digest));
            let mut roles: Vec<Packed> = absent.map(|(_, role)| role).collect();
            // The digest may be withheld, and the file was looked for all the same.
            if item.disclosed.sha256().is_none() {
                roles.push(Packed::Recording);
            }
            for role in roles {
                // Where nobody knows why, nothing is said.
                let why = known.remove(&(item.index, role)).or_else(|| otherwise.clone());
                if (self.left_out.len() as u64) < room {
                    self.left_out.extend(why.map(|why| ((item.index, role), why)));
                }
            }
        }
    }

    /// Seals the `produced` entry, then a checkpoint, and writes everything below `ledger/`.
    fn close(&mut self, covered: &[(&str, String)]) -> Result<(), ExhibitError> {
        let digest = |(path, text): &(&str, String)| {
            ((*path).to_owned(), Some(Hash::of(&[text.as_bytes()])))
        };
        let mut files: BTreeMap<String, Option<Hash>> = covered.iter().map(digest).collect();
        files.insert("fetch.txt".to_owned(), None);
        let shown = self.selection.control.union(&self.selection.entries).copied().collect();
        let left_out = std::mem::take(&mut self.left_out);
        let subjects = self.selection.subjects.clone();
        let mut selection = self.terms.selection.clone();
        for (number, what) in self.selection.not_found.iter().take(NOT_FOUND_SAID).enumerate() {
            selection.insert(format!("/not-found/{number}"), what.clone());
        }
        let said = Produced { files, subjects, shown, left_out, selection };
        let appended = self.ledger.append_fields(Kind::Produced, said.values(), Row::default())?;
        let produced = appended.index;
        self.ledger.checkpoint()?;
        self.made.produced = produced;
        self.reader = LogReader::open(self.ledger.folder())?;
        let checkpoint = self.reader.checkpoint_note().to_vec();
        self.bag.write("ledger/checkpoint", &checkpoint)?;
        let control = std::mem::take(&mut self.selection.control);
        let mut entries = std::mem::take(&mut self.selection.entries);
        entries.insert(produced);
        for (folder, indices) in [("control", control), ("entries", entries)] {
            let indices: Vec<u64> = indices.into_iter().collect();
            let paths = self.reader.inclusion(&indices)?;
            for (index, path) in indices.into_iter().zip(paths) {
                let note = self.reader.entry_bytes(index)?;
                let proof = Proof { index, path, checkpoint: checkpoint.clone() };
                self.bag.write(&format!("ledger/{folder}/{index}.note"), &note)?;
                self.bag.write(&format!("ledger/{folder}/{index}.tlog-proof"), &proof.encode())?;
                self.made.entries += 1;
                if folder == "control" || index == produced {
                    self.ledger_opening(index)?;
                }
            }
        }
        Ok(())
    }

    fn ledger_opening(&mut self, index: u64) -> Result<(), ExhibitError> {
        let entry = self.reader.entry(index)?;
        match self.ledger.private().opening_of(index, &entry)? {
            Some(opening) => {
                let text = opening.opening().encode();
                self.bag.write(&format!("ledger/openings/{index}.json"), text.as_bytes())
            }
            None => {
                self.made.missing.push(format!("entry {index}: {OPENING_LOST}"));
                Ok(())
            }
        }
    }
}

/// Why a file cannot be packed that could not be opened or read.
fn reason(error: &std::io::Error) -> Reason {
    if error.kind() == std::io::ErrorKind::NotFound { Reason::Gone } else { Reason::NotRead }
}

/// Entries that were incomplete when they were sealed, and that nothing supersedes.
fn incomplete(items: &[Item]) -> u64 {
    let superseded: std::collections::BTreeSet<u64> = items
        .iter()
        .flat_map(|item| &item.recording.refs)
        .filter(|reference| reference.rel == Rel::Supersedes)
        .map(|reference| reference.index)
        .collect();
    let is_incomplete = |item: &&Item| {
        item.recording.completeness.is_some_and(|completeness| !completeness.complete)
            && !superseded.contains(&item.index)
    };
    items.iter().filter(is_incomplete).count() as u64
}
