//! The payload against the entries: recordings and companions, byte by byte (V3 to V6, V27).

use std::collections::{BTreeMap, BTreeSet};

use crate::bag::Place;
use crate::body::{Recording, Rel};
use crate::content::{BlockKey, Digests};
use crate::exhibit::Stop;
use crate::hash::Hash;
use crate::limits::BLOCK_TREES_MAX;
use crate::opening::VerifiedOpening;
use crate::package::PackageError;
use crate::reading::Reading;
use crate::step::Step;
use crate::verdict::{Findings, Replacement};

/// What the shown entries commit to.
#[derive(Default)]
pub(crate) struct Commitments {
    by_sha256: BTreeMap<Hash, Vec<Commitment>>,
    /// Recording entries whose SHA-256 is not disclosed.
    closed: BTreeSet<u64>,
    /// Recording entries whose companions are not all disclosed.
    hides_companions: BTreeSet<u64>,
    /// SHA-256, where it is disclosed, and size of each recording entry.
    contents: BTreeMap<u64, (Option<Hash>, u64)>,
    /// Entries that are shown and could not be read: nothing that names them is judged.
    unread: BTreeSet<u64>,
}

enum Commitment {
    Recording(Box<Committed>),
    Companion { index: u64, number: String },
}

/// What a recording entry says of the bytes.
struct Committed {
    index: u64,
    size: u64,
    /// Absent where it is not disclosed.
    blake3: Option<Hash>,
    block_bytes: u64,
    block_root: Hash,
    /// Absent where it is not disclosed.
    block_key: Option<BlockKey>,
    /// Content fields that the rule asks for and the opening does not show.
    closed: bool,
}

impl Commitment {
    const fn index(&self) -> u64 {
        match self {
            Self::Recording(committed) => committed.index,
            Self::Companion { index, .. } => *index,
        }
    }
}

impl Commitments {
    /// The entry at `index` is shown, and could not be read.
    pub(crate) fn unread(&mut self, index: u64) {
        self.unread.insert(index);
    }

    /// Whether the entry at `index` may commit to bytes that it does not show.
    fn hides_some(&self, index: u64) -> bool {
        self.closed.contains(&index) || self.hides_companions.contains(&index)
    }

    /// Whether the entry at `index` is shown, and could not be read.
    pub(crate) fn is_unread(&self, index: u64) -> bool {
        self.unread.contains(&index)
    }

    /// Takes in a recording entry and what is disclosed of it (V27: clear against opened).
    pub(crate) fn recording(
        &mut self,
        index: u64,
        recording: &Recording,
        opening: Option<&VerifiedOpening>,
        findings: &mut Findings,
    ) {
        let content = &recording.content;
        let opened = |pointer: &str| opening.and_then(|opening| opening.value("content", pointer));
        let item = format!("entry {index}");
        let mut digest = |pointer: &str, clear: Option<Hash>| {
            let disclosed = opened(pointer).and_then(Hash::from_hex);
            if let (Some(clear), Some(disclosed)) = (clear, disclosed) {
                let expected = format!("content{pointer} {clear}");
                findings.check(
                    clear == disclosed,
                    Step::ClearValues,
                    &item,
                    &expected,
                    &disclosed.to_string(),
                );
            }
            clear.or(disclosed)
        };
        let sha256 = digest("/sha256", content.sha256);
        let blake3 = digest("/blake3", content.blake3);
        if let Some(size) = opened("/size") {
            let expected = format!("content/size {}", content.size);
            let holds = size == content.size.to_string();
            findings.check(holds, Step::ClearValues, &item, &expected, size);
        }
        let fields = ["/sha256", "/blake3", "/size"];
        let committed = Committed {
            index,
            size: content.size,
            blake3,
            block_bytes: content.block_bytes,
            block_root: content.block_root,
            block_key: opening.and_then(|opening| opening.opening().block_key),
            closed: fields.iter().any(|pointer| opened(pointer).is_none()),
        };
        self.replaces(index, recording, sha256, findings);
        match sha256 {
            Some(sha256) => {
                let commitments = self.by_sha256.entry(sha256).or_default();
                commitments.push(Commitment::Recording(Box::new(committed)));
            }
            None => {
                self.closed.insert(index);
            }
        }
        self.companions(index, opening);
    }

    /// What a recording entry that supersedes another says of the bytes.
    fn replaces(
        &mut self,
        index: u64,
        recording: &Recording,
        sha256: Option<Hash>,
        findings: &mut Findings,
    ) {
        let now = recording.content.size;
        for reference in recording.refs.iter().filter(|r| r.rel == Rel::Supersedes) {
            let Some((before, size)) = self.contents.get(&reference.index) else { continue };
            let same_bytes = match (before, sha256) {
                (Some(before), Some(now)) => Some(*before == now),
                _ => (*size != now).then_some(false),
            };
            findings.replacement(Replacement { index, replaced: reference.index, same_bytes });
        }
        self.contents.insert(index, (sha256, now));
    }

    fn companions(&mut self, index: u64, opening: Option<&VerifiedOpening>) {
        if opening.is_none_or(|opening| opening.closed() > 0) {
            self.hides_companions.insert(index);
        }
        for field in opening.iter().flat_map(|opening| opening.fields()) {
            let number = field.value.pointer.strip_suffix("/sha256");
            if let (true, Some(number)) = (field.value.source == "companion", number)
                && let Some(sha256) = Hash::from_hex(&field.value.value)
            {
                let number = number.trim_start_matches('/').to_owned();
                let commitments = self.by_sha256.entry(sha256).or_default();
                commitments.push(Commitment::Companion { index, number });
            }
        }
    }
}

impl Reading<'_> {
    /// V3 to V6: every payload file against the manifest and the entries.
    pub(crate) fn payload(&mut self, commitments: &Commitments) -> Result<(), Stop> {
        let present: Vec<String> = self
            .package
            .files()
            .paths()
            .filter(|path| path.starts_with("data/"))
            .map(str::to_owned)
            .collect();
        for path in &present {
            if !self.manifest.files.contains_key(path) {
                self.findings.contradicted(Step::Payload, path, "a line in the manifest", "none");
            }
        }
        let listed: Vec<(String, Hash)> =
            self.manifest.files.iter().map(|(path, hash)| (path.clone(), *hash)).collect();
        let mut packed = BTreeSet::new();
        for (path, sha256) in &listed {
            let in_bag = self.package.files().contains(path);
            let place = Place::of(path);
            if !place.is_some_and(Place::is_payload) {
                self.findings.contradicted(Step::Names, path, "a place below data/", "none");
            } else if !in_bag && self.fetched.contains_key(path) {
                self.findings.not_read(Step::Payload, path, "in fetch.txt, not in the bag");
                packed.insert(*sha256);
            } else if !in_bag {
                self.findings.contradicted(Step::Payload, path, "the file", "missing");
            } else if let Some(Place::Packed(index)) = place {
                if !packed.insert(*sha256) {
                    self.findings.contradicted(
                        Step::Names,
                        path,
                        "each packed file once",
                        "a second one",
                    );
                }
                self.packed(path, *sha256, index, commitments)?;
            } else if place == Some(Place::Report) {
                self.report(path, *sha256)?;
            }
        }
        let stray: Vec<String> = self
            .fetched
            .keys()
            .filter(|path| !self.manifest.files.contains_key(*path))
            .cloned()
            .collect();
        for path in stray {
            self.findings.contradicted(
                Step::TagFiles,
                &path,
                "a line in the manifest",
                "none, but one in fetch.txt",
            );
        }
        if commitments.by_sha256.is_empty() && commitments.closed.is_empty() {
            self.findings.not_read(Step::Recording, "exhibit", "it shows no recording at all");
        }
        self.not_packed(&packed, commitments, &listed);
        Ok(())
    }

    fn digests(&mut self, path: &str, keys: &[(u64, BlockKey)]) -> Result<Option<Digests>, Stop> {
        match self.package.digest(path, keys) {
            Ok(digests) => Ok(Some(digests)),
            Err(PackageError::Damaged(what)) => {
                self.findings.contradicted(Step::Payload, path, "a file that can be read", &what);
                Ok(None)
            }
            Err(error) => Err(Stop::Io(format!("{path} {error}"))),
        }
    }

    fn report(&mut self, path: &str, sha256: Hash) -> Result<(), Stop> {
        if let Some(found) = self.digests(path, &[])?.map(|digests| digests.sha256) {
            self.findings.check(
                found == sha256,
                Step::Payload,
                path,
                &sha256.to_string(),
                &found.to_string(),
            );
        }
        Ok(())
    }

    fn packed(
        &mut self,
        path: &str,
        sha256: Hash,
        index: u64,
        commitments: &Commitments,
    ) -> Result<(), Stop> {
        const NONE: &[Commitment] = &[];
        let committed = commitments.by_sha256.get(&sha256).map_or(NONE, Vec::as_slice);
        let keys: Vec<(u64, BlockKey)> = committed
            .iter()
            .filter_map(|commitment| match commitment {
                Commitment::Recording(c) => Some((c.block_bytes, c.block_key?)),
                Commitment::Companion { .. } => None,
            })
            .take(BLOCK_TREES_MAX)
            .collect();
        let Some(digests) = self.digests(path, &keys)? else { return Ok(()) };
        let found = digests.sha256.to_string();
        self.findings.check(
            digests.sha256 == sha256,
            Step::Payload,
            path,
            &sha256.to_string(),
            &found,
        );
        if commitments.is_unread(index) {
            let why = format!("entry {index} is not understood");
            self.findings.not_established(Step::Recording, path, &why);
            return Ok(());
        }
        if !self.stands_right(path, &found, index, committed, commitments) {
            return Ok(());
        }
        let mut roots = digests.block_roots.iter();
        for commitment in committed {
            match commitment {
                Commitment::Companion { index, number } => {
                    let item = format!("{path}, companion {number} of entry {index}");
                    self.findings.check(
                        digests.sha256 == sha256,
                        Step::Companion,
                        &item,
                        &sha256.to_string(),
                        &found,
                    );
                }
                Commitment::Recording(committed) => {
                    let root = committed.block_key.and_then(|_| roots.next());
                    self.against(path, &sha256, &digests, root, committed);
                }
            }
        }
        Ok(())
    }

    /// Whether some entry commits to a packed file; and whether it stands under the lowest that does.
    fn stands_right(
        &mut self,
        path: &str,
        found: &str,
        index: u64,
        committed: &[Commitment],
        commitments: &Commitments,
    ) -> bool {
        let hides = commitments.hides_some(index);
        let lowest = committed.iter().map(Commitment::index).min();
        let why = format!("entry {index} does not disclose all that it commits to");
        match lowest {
            None if hides => self.findings.not_established(Step::Recording, path, &why),
            None => {
                let expected = format!("bytes that entry {index} commits to");
                self.findings.contradicted(Step::Recording, path, &expected, found);
            }
            // It may commit to these bytes too, and then this is the right place.
            Some(lowest) if index < lowest && hides => {
                self.findings.not_established(Step::Names, path, &why);
            }
            Some(lowest) if lowest != index => {
                let expected =
                    format!("a place under {lowest}, the lowest index that commits to these bytes");
                self.findings.contradicted(Step::Names, path, &expected, &index.to_string());
            }
            Some(_) => {}
        }
        lowest.is_some()
    }

    fn against(
        &mut self,
        path: &str,
        sha256: &Hash,
        digests: &Digests,
        root: Option<&Hash>,
        committed: &Committed,
    ) {
        let item = format!("{path}, entry {}", committed.index);
        let findings = &mut self.findings;
        findings.check(
            digests.sha256 == *sha256,
            Step::Recording,
            &item,
            &sha256.to_string(),
            &digests.sha256.to_string(),
        );
        let size = committed.size.to_string();
        findings.check(
            digests.size == committed.size,
            Step::Recording,
            &item,
            &size,
            &digests.size.to_string(),
        );
        if let Some(blake3) = committed.blake3 {
            let found = digests.blake3.to_string();
            findings.check(
                digests.blake3 == blake3,
                Step::Recording,
                &item,
                &blake3.to_string(),
                &found,
            );
        }
        let agrees = digests.sha256 == *sha256 && digests.size == committed.size;
        if agrees && committed.blake3.is_none_or(|blake3| blake3 == digests.blake3) {
            findings.item(path, committed.index, *sha256);
        }
        if committed.closed {
            let why = "not all content fields of its entry are disclosed";
            findings.not_established(Step::Recording, &item, why);
        }
        match root {
            Some(root) => {
                let expected = format!("block root {}", committed.block_root);
                findings.check(
                    *root == committed.block_root,
                    Step::Blocks,
                    &item,
                    &expected,
                    &root.to_string(),
                );
            }
            None if committed.block_key.is_some() => {
                findings.not_established(
                    Step::Blocks,
                    &item,
                    "too many entries commit to these bytes",
                );
            }
            None => findings.not_established(Step::Blocks, &item, "its block key is not disclosed"),
        }
    }

    fn not_packed(
        &mut self,
        packed: &BTreeSet<Hash>,
        commitments: &Commitments,
        listed: &[(String, Hash)],
    ) {
        for (sha256, committed) in &commitments.by_sha256 {
            if packed.contains(sha256) {
                continue;
            }
            for commitment in committed {
                match commitment {
                    Commitment::Recording(c) => {
                        self.findings.not_read(
                            Step::Recording,
                            &format!("entry {}", c.index),
                            "its recording is not packed",
                        );
                    }
                    Commitment::Companion { index, number } => {
                        let item = format!("entry {index}, companion {number}");
                        self.findings.not_read(Step::Companion, &item, "not packed");
                    }
                }
            }
        }
        for index in &commitments.closed {
            let folder = format!("data/{index}/");
            if !listed.iter().any(|(path, _)| path.starts_with(&folder)) {
                self.findings.not_read(
                    Step::Recording,
                    &format!("entry {index}"),
                    "its recording is not packed",
                );
            }
        }
    }
}
