//! Verifies an exhibit, step by step as spec/verification.md numbers them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::bag::{BAGIT_TXT, BagInfo, Fetch, Manifest, Place, check_path};
use crate::body::Body;
use crate::entry::Statement;
use crate::error::FormError;
use crate::examine::{Examiner, Shown};
use crate::hash::Hash;
use crate::limits::{
    BAG_INFO_BYTES_MAX, MANIFEST_BYTES_MAX, NOTE_BYTES_MAX, OPENING_BYTES_MAX, PROOF_BYTES_MAX,
};
use crate::opening::{Opening, VerifiedOpening};
use crate::package::{Package, PackageError};
use crate::payload::Commitments;
use crate::produced::Produced;
use crate::proof::Proof;
use crate::step::{Axis, Step};
use crate::tree::verify_inclusion;
use crate::trust::{Judged, Trust};
use crate::verdict::{Findings, Verdict};

const MANIFEST: &str = "manifest-sha256.txt";
const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
const CHECKPOINT: &str = "ledger/checkpoint";
/// Entries whose signatures are checked together.
const SIGNATURES_AT_ONCE: usize = 4_096;

/// Why no verification took place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Neither a manifest nor a checkpoint is there: exit 3.
    NotAnExhibit,
    /// The machine failed to read it: exit 4.
    Io(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnExhibit => {
                write!(f, "not an exhibit: neither {MANIFEST} nor {CHECKPOINT} is there")
            }
            Self::Io(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Stop {}

/// Verifies the exhibit in `package` by what `trust` holds, on at most `threads` threads.
///
/// # Errors
/// [`Stop`] when nothing could be verified. Whatever is wrong with an exhibit is in the verdict.
pub fn verify_exhibit(
    package: &mut dyn Package,
    trust: &Trust,
    threads: usize,
) -> Result<Verdict, Stop> {
    let has = |path: &str| package.files().contains_key(path);
    if !has(MANIFEST) && !has(CHECKPOINT) {
        return Err(Stop::NotAnExhibit);
    }
    let mut reading = Reading {
        package,
        findings: Findings::default(),
        manifest: Manifest::default(),
        tags: Manifest::default(),
        fetched: BTreeMap::new(),
    };
    reading.names();
    reading.bag()?;
    let checkpoint = reading.load(CHECKPOINT, NOTE_BYTES_MAX, Step::Checkpoint)?;
    let judged = checkpoint.as_deref().and_then(|b| Judged::new(b, trust, &mut reading.findings));
    let mut examiner = Examiner::new(
        std::mem::take(&mut reading.findings),
        judged.as_ref().map(|judged| judged.claims().origin.clone()),
    );
    let mut story = Story::default();
    for (index, is_control) in reading.indices() {
        std::mem::swap(&mut reading.findings, &mut examiner.findings);
        let bytes = reading.note(index, is_control)?;
        let Some(bytes) = bytes else {
            std::mem::swap(&mut reading.findings, &mut examiner.findings);
            continue;
        };
        let shown = Shown::read(index, &bytes);
        reading.inclusion(index, is_control, shown.leaf, checkpoint.as_deref(), judged.as_ref())?;
        std::mem::swap(&mut reading.findings, &mut examiner.findings);
        let statement = examiner.entry(shown);
        examiner.settle(SIGNATURES_AT_ONCE, threads);
        match statement {
            Some(statement) => {
                let findings = &mut examiner.findings;
                story.entry(&mut reading, findings, index, is_control, &statement)?;
            }
            None => story.commitments.unread(index),
        }
    }
    examiner.settle(1, threads);
    examiner.finish();
    if let Some(judged) = &judged {
        judged.against_control(trust, &examiner.control, &mut examiner.findings);
    }
    let size = judged.as_ref().map(|judged| judged.claims().size);
    story.produced.judge(size, &examiner.kept, &mut examiner.findings);
    story.produced.covers(&mut reading, &mut examiner.findings)?;
    std::mem::swap(&mut reading.findings, &mut examiner.findings);
    story.strays(&mut reading);
    reading.payload(&story.commitments)?;
    let anchored = judged.as_ref().is_some_and(|judged| judged.verified().is_some());
    notes(&mut reading.findings, trust, anchored, &story);
    Ok(reading.findings.conclude())
}

fn notes(findings: &mut Findings, trust: &Trust, anchored: bool, story: &Story) {
    if anchored {
        if trust.ledger_id.is_none() {
            findings.note(Axis::Ledger, "a ledger re-created as a whole by its owner would show only against a checkpoint kept from earlier, a witness, a timestamp, or the ledger id".into());
        }
        findings.note(Axis::Ledger, "the end or dispute of a key that is left out of this exhibit shows only in the published log".into());
    }
    if !findings.contradicts(Axis::Scope) {
        findings.note(
            Axis::Scope,
            "as declared by the producer; nothing is said of other recordings".into(),
        );
    }
    if story.hidden > 0 {
        let sentence = format!("{} fields are hidden: no absence is established", story.hidden);
        findings.note(Axis::Disclosure, sentence);
    }
    findings.not_supplied(Step::Time, "timestamps", "none was supplied");
    findings.not_supplied(Step::Witness, "cosignatures", "no witness key was supplied");
}

/// The files of the bag, each held against its manifest as it is read.
pub(crate) struct Reading<'a> {
    pub(crate) package: &'a mut dyn Package,
    pub(crate) findings: Findings,
    pub(crate) manifest: Manifest,
    tags: Manifest,
    /// Files named in `fetch.txt` and their lengths.
    pub(crate) fetched: BTreeMap<String, u64>,
}

impl Reading<'_> {
    /// V1: names and places.
    fn names(&mut self) {
        let mut folded = BTreeSet::new();
        for path in self.package.files().keys() {
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
    fn bag(&mut self) -> Result<(), Stop> {
        if let Some(bytes) = self.bytes(TAG_MANIFEST, MANIFEST_BYTES_MAX, Step::TagFiles)? {
            match Manifest::parse(&bytes) {
                Ok(tags) => self.tags = tags,
                Err(error) => self.findings.form(Step::TagFiles, TAG_MANIFEST, &error),
            }
        }
        let files: Vec<String> = self.package.files().keys().cloned().collect();
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
        if self.package.files().contains_key("fetch.txt")
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
        let absent =
            self.fetched.iter().filter(|(path, _)| !self.package.files().contains_key(*path));
        let (octets, files) =
            present.chain(absent).fold((0_u64, 0_u64), |(octets, files), (_, length)| {
                (octets.saturating_add(*length), files + 1)
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
        let Some(&length) = self.package.files().get(path) else {
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
    fn indices(&mut self) -> Vec<(u64, bool)> {
        let mut indices: BTreeMap<u64, bool> = BTreeMap::new();
        let mut proofs = Vec::new();
        for path in self.package.files().keys() {
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
                Some(Place::ControlProof(index)) => proofs.push((index, true, path.clone())),
                Some(Place::EntryProof(index)) => proofs.push((index, false, path.clone())),
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

    fn note(&mut self, index: u64, is_control: bool) -> Result<Option<Vec<u8>>, Stop> {
        let path = format!("{}/{index}.note", folder(is_control));
        self.load(&path, NOTE_BYTES_MAX, Step::NoteForm)
    }

    /// V10: the entry's proof.
    fn inclusion(
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

/// What the entries of this exhibit say, as far as the files have to agree with it.
#[derive(Default)]
struct Story {
    commitments: Commitments,
    produced: Produced,
    openings_used: BTreeSet<String>,
    hidden: u64,
}

impl Story {
    fn entry(
        &mut self,
        reading: &mut Reading<'_>,
        findings: &mut Findings,
        index: u64,
        is_control: bool,
        statement: &Statement,
    ) -> Result<(), Stop> {
        if is_control != (statement.kind == "control") {
            let item = format!("entry {index}");
            findings.contradicted(
                Step::Names,
                &item,
                "control entries in ledger/control, others in ledger/entries",
                &statement.kind,
            );
        }
        let in_ledger = matches!(statement.kind.as_str(), "control" | "produced");
        let path = if in_ledger {
            format!("ledger/openings/{index}.json")
        } else {
            format!("data/openings/{index}.json")
        };
        std::mem::swap(&mut reading.findings, findings);
        let opening = self.opening(reading, &path, in_ledger, statement);
        std::mem::swap(&mut reading.findings, findings);
        let opening = opening?;
        let opened = opening.as_ref().map_or(0, |opening| opening.fields().count() as u64);
        let count = statement.body.fields().map_or(0, |fields| fields.count);
        self.hidden = self.hidden.saturating_add(count.saturating_sub(opened));
        if let Body::Recording(recording) = &statement.body {
            self.commitments.recording(index, recording, opening.as_ref(), findings);
        }
        if statement.kind == "produced" {
            self.produced.entry(index, opening, findings);
        }
        Ok(())
    }

    /// V25 and V26: the opening of an entry, if the exhibit holds one.
    fn opening(
        &mut self,
        reading: &mut Reading<'_>,
        path: &str,
        required: bool,
        statement: &Statement,
    ) -> Result<Option<VerifiedOpening>, Stop> {
        if !required && !reading.package.files().contains_key(path) {
            return Ok(None);
        }
        self.openings_used.insert(path.to_owned());
        let Some(bytes) = reading.load(path, OPENING_BYTES_MAX, Step::OpeningForm)? else {
            return Ok(None);
        };
        let findings = &mut reading.findings;
        let Some(commitment) = statement.body.fields() else {
            findings.not_established(Step::OpeningRoot, path, "the entry's kind is not known");
            return Ok(None);
        };
        let opening = match Opening::parse(&bytes) {
            Ok(opening) => opening,
            Err(error) => {
                findings.form(Step::OpeningForm, path, &error);
                return Ok(None);
            }
        };
        if opening.block_key.is_some() && statement.kind != "recording" {
            findings.contradicted(Step::OpeningForm, path, "no block_key in this kind", "one");
        }
        match opening.verify(commitment) {
            Ok(verified) => {
                findings.held(Step::OpeningForm);
                findings.held(Step::OpeningRoot);
                Ok(Some(verified))
            }
            Err(error) => {
                let root = matches!(&error, FormError::Malformed { item, .. } if item.ends_with("root") || item.ends_with("count"));
                findings.form(
                    if root { Step::OpeningRoot } else { Step::OpeningForm },
                    path,
                    &error,
                );
                Ok(None)
            }
        }
    }

    /// Openings of entries that are not shown.
    fn strays(&self, reading: &mut Reading<'_>) {
        for path in reading.package.files().keys() {
            let (Some(Place::Opening(index)) | Some(Place::LedgerOpening(index))) = Place::of(path)
            else {
                continue;
            };
            if !self.openings_used.contains(path) && !self.commitments.is_unread(index) {
                let expected = "the opening of an entry that is shown, in its place";
                reading.findings.contradicted(Step::Names, path, expected, "another");
            }
        }
    }
}
