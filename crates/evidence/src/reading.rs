//! Reads an exhibit's own files, each held against the manifest that lists it (V1, V2, V7, V10).

use std::collections::{BTreeMap, BTreeSet};

use crate::bag::{BAGIT_TXT, BagInfo, Fetch, Manifest, Place, check_path};
use crate::exhibit::Stop;
use crate::hash::Hash;
use crate::limits::{BAG_INFO_BYTES_MAX, MANIFEST_BYTES_MAX, NOTE_BYTES_MAX, PROOF_BYTES_MAX};
use crate::package::{Package, PackageError};
use crate::proof::Proof;
use crate::step::Step;
use crate::tree::verify_inclusion;
use crate::trust::Judged;
use crate::verdict::Findings;

pub(crate) const MANIFEST: &str = "manifest-sha256.txt";
const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
pub(crate) const CHECKPOINT: &str = "ledger/checkpoint";

/// The files of the bag, each held against its manifest as it is read.
pub(crate) struct Reading<'a> {
    pub(crate) package: &'a mut dyn Package,
    pub(crate) findings: Findings,
    pub(crate) manifest: Manifest,
    tags: Manifest,
    /// Files named in `fetch.txt` and their lengths.
    pub(crate) fetched: BTreeMap<String, u64>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(package: &'a mut dyn Package) -> Self {
        Self {
            package,
            findings: Findings::default(),
            manifest: Manifest::default(),
            tags: Manifest::default(),
            fetched: BTreeMap::new(),
        }
    }

    /// V1: names and places.
    pub(crate) fn names(&mut self) {
        let mut folded = BTreeSet::new();
        for path in self.package.files().paths() {
            if let Err(error) = check_path(path) {
                self.findings.form(Step::Names, path, &error);
            } else if Place::of(path).is_none() {
                let found = "a file that no exhibit has";
                self.findings.contradicted(
                    Step::Names,
                    path,
                    "only files that have a place",
                    found,
                );
            } else {
                self.findings.held(Step::Names);
            }
            if !folded.insert(path.to_ascii_lowercase()) {
                let expected = "names that differ in more than upper and lower case";
                self.findings.contradicted(Step::Names, path, expected, "two that do not");
            }
        }
        for folder in self.package.empty_folders() {
            self.findings.contradicted(Step::Names, folder, "no empty folder", "one");
        }
    }

    /// V2 and V7: the bag's own files.
    pub(crate) fn bag(&mut self) -> Result<(), Stop> {
        if let Some(bytes) = self.bytes(TAG_MANIFEST, MANIFEST_BYTES_MAX, Step::TagFiles)? {
            match Manifest::parse(&bytes) {
                Ok(tags) => self.tags = tags,
                Err(error) => self.findings.form(Step::TagFiles, TAG_MANIFEST, &error),
            }
        }
        let files: Vec<String> = self.package.files().paths().map(str::to_owned).collect();
        let is_tag = |path: &&String| {
            path.as_str() != TAG_MANIFEST
                && Place::of(path).is_some_and(|place| !place.is_payload())
        };
        let tags: BTreeSet<String> = files.iter().filter(is_tag).cloned().collect();
        let listed: BTreeSet<String> = self.tags.files.keys().cloned().collect();
        for path in tags.difference(&listed) {
            self.findings.contradicted(Step::TagFiles, path, "a line in the tag manifest", "none");
        }
        for path in listed.difference(&tags) {
            self.findings.contradicted(
                Step::TagFiles,
                path,
                "a tag file",
                "missing, or no tag file",
            );
        }
        if let Some(bytes) = self.load(MANIFEST, MANIFEST_BYTES_MAX, Step::ManifestForm)? {
            match Manifest::parse(&bytes) {
                Ok(manifest) => {
                    self.manifest = manifest;
                    self.findings.held(Step::ManifestForm);
                }
                Err(error) => self.findings.form(Step::ManifestForm, MANIFEST, &error),
            }
        }
        if let Some(bytes) = self.load("bagit.txt", BAG_INFO_BYTES_MAX, Step::TagFiles)? {
            let found = crate::error::printable_bytes(&bytes);
            let holds = bytes == BAGIT_TXT.as_bytes();
            self.findings.check(holds, Step::TagFiles, "bagit.txt", "BagIt 1.0 in UTF-8", &found);
        }
        if self.package.files().contains("fetch.txt")
            && let Some(bytes) = self.load("fetch.txt", MANIFEST_BYTES_MAX, Step::TagFiles)?
        {
            match Fetch::parse(&bytes) {
                Ok(files) => self.fetched = files.into_iter().map(|f| (f.path, f.length)).collect(),
                Err(error) => self.findings.form(Step::TagFiles, "fetch.txt", &error),
            }
        }
        if let Some(bytes) = self.load("bag-info.txt", BAG_INFO_BYTES_MAX, Step::TagFiles)? {
            match BagInfo::parse(&bytes) {
                Ok(info) => self.oxum(&info),
                Err(error) => self.findings.form(Step::TagFiles, "bag-info.txt", &error),
            }
        }
        Ok(())
    }

    fn oxum(&mut self, info: &BagInfo) {
        let present = self.package.files().iter().filter(|(path, _)| path.starts_with("data/"));
        let absent = self
            .fetched
            .iter()
            .filter(|(path, _)| !self.package.files().contains(path))
            .map(|(path, length)| (path.as_str(), *length));
        let (octets, files) =
            present.chain(absent).fold((0_u64, 0_u64), |(octets, files), (_, length)| {
                (octets.saturating_add(length), files + 1)
            });
        let holds = (info.octets, info.files) == (octets, files);
        let expected = format!("Payload-Oxum {}.{}", info.octets, info.files);
        self.findings.check(
            holds,
            Step::TagFiles,
            "bag-info.txt",
            &expected,
            &format!("{octets}.{files}"),
        );
    }

    /// The bytes of a file that must be there; `None` after a finding at `step`.
    fn bytes(&mut self, path: &str, bytes_max: usize, step: Step) -> Result<Option<Vec<u8>>, Stop> {
        let Some(length) = self.package.files().length(path) else {
            self.findings.contradicted(step, path, "the file", "missing");
            return Ok(None);
        };
        if usize::try_from(length).map_or(true, |length| length > bytes_max) {
            let expected = format!("at most {bytes_max} bytes");
            self.findings.contradicted(step, path, &expected, &format!("{length} bytes"));
            return Ok(None);
        }
        let mut bytes = Vec::new();
        match self.package.stream(path, &mut |piece| bytes.extend_from_slice(piece)) {
            Ok(()) => Ok(Some(bytes)),
            Err(PackageError::Damaged(what)) => {
                self.findings.contradicted(step, path, "a file that can be read", &what);
                Ok(None)
            }
            Err(error) => Err(Stop::Io(format!("{path} {error}"))),
        }
    }

    /// As `bytes`, and held against the manifest or tag manifest that lists it.
    pub(crate) fn load(
        &mut self,
        path: &str,
        bytes_max: usize,
        step: Step,
    ) -> Result<Option<Vec<u8>>, Stop> {
        let bytes = self.bytes(path, bytes_max, step)?;
        if let Some(bytes) = &bytes {
            let payload = path.starts_with("data/");
            let listed = if payload { &self.manifest } else { &self.tags }.files.get(path).copied();
            let step = if payload { Step::Payload } else { Step::TagFiles };
            if let Some(expected) = listed {
                let found = Hash::of(&[bytes]);
                self.findings.check(
                    found == expected,
                    step,
                    path,
                    &expected.to_string(),
                    &found.to_string(),
                );
            }
        }
        Ok(bytes)
    }

    /// The shown indices, ascending, and whether each is a control entry by its place.
    pub(crate) fn indices(&mut self) -> Vec<(u64, bool)> {
        let mut indices: BTreeMap<u64, bool> = BTreeMap::new();
        let mut proofs = Vec::new();
        for path in self.package.files().paths() {
            match Place::of(path) {
                Some(Place::ControlNote(index)) => {
                    indices.insert(index, true);
                }
                Some(Place::EntryNote(index)) => {
                    if indices.contains_key(&index) {
                        let found = "a second one in ledger/control";
                        self.findings.contradicted(
                            Step::Names,
                            path,
                            "one entry at an index",
                            found,
                        );
                    }
                    indices.entry(index).or_insert(false);
                }
                Some(Place::ControlProof(index)) => proofs.push((index, true, path.to_owned())),
                Some(Place::EntryProof(index)) => proofs.push((index, false, path.to_owned())),
                _ => {}
            }
        }
        for (index, is_control, path) in proofs {
            if indices.get(&index) != Some(&is_control) {
                self.findings.contradicted(Step::Names, &path, "the entry that it proves", "none");
            }
        }
        indices.into_iter().collect()
    }

    pub(crate) fn note(&mut self, index: u64, is_control: bool) -> Result<Option<Vec<u8>>, Stop> {
        let path = format!("{}/{index}.note", folder(is_control));
        self.load(&path, NOTE_BYTES_MAX, Step::NoteForm)
    }

    /// V10: the entry's proof.
    pub(crate) fn inclusion(
        &mut self,
        index: u64,
        is_control: bool,
        leaf: Hash,
        checkpoint: Option<&[u8]>,
        judged: Option<&Judged>,
    ) -> Result<(), Stop> {
        let path = format!("{}/{index}.tlog-proof", folder(is_control));
        let Some(bytes) = self.load(&path, PROOF_BYTES_MAX, Step::Inclusion)? else {
            return Ok(());
        };
        let proof = match Proof::parse(&bytes) {
            Ok(proof) => proof,
            Err(error) => {
                self.findings.form(Step::Inclusion, &path, &error);
                return Ok(());
            }
        };
        if proof.index != index {
            let (expected, found) = (format!("index {index}"), proof.index.to_string());
            self.findings.contradicted(Step::Inclusion, &path, &expected, &found);
        }
        if checkpoint != Some(proof.checkpoint.as_slice()) {
            let expected = "the checkpoint of this exhibit, byte for byte";
            self.findings.contradicted(Step::Inclusion, &path, expected, "another");
        }
        if let Some(judged) = judged {
            let claims = judged.claims();
            let holds = verify_inclusion(&leaf, index, claims.size, &proof.path, &claims.root);
            let expected = format!("a path from leaf {leaf} at {index} to root {}", claims.root);
            self.findings.check(
                holds,
                Step::Inclusion,
                &path,
                &expected,
                "a path that does not lead there",
            );
        }
        Ok(())
    }
}

const fn folder(is_control: bool) -> &'static str {
    if is_control { "ledger/control" } else { "ledger/entries" }
}
