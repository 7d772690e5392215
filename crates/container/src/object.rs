//! Proves single objects against a published log, in one pass over it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use unbroken_evidence::body::{Body, Rel};
use unbroken_evidence::content::digest_stream;
use unbroken_evidence::entry::Statement;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::limits::OPENING_BYTES_MAX;
use unbroken_evidence::opening::{Opening, VerifiedOpening};
use unbroken_evidence::published::{LogFiles, LogStop, Selection, verify_log};
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::Verdict;

use crate::open::OpenError;
use crate::plain::open_plain;

/// An object to be proven: its name and its digest.
#[derive(Clone, Debug)]
pub struct Object {
    /// As it was given: a path or `s3://bucket/key`.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: Hash,
    /// The number of its bytes.
    pub size: u64,
}

impl Object {
    /// Hashes the file at `path`.
    ///
    /// # Errors
    /// `Io` when it cannot be read.
    pub fn file(path: &Path) -> Result<Self, OpenError> {
        let mut file = open_plain(path).map_err(|error| OpenError::io(path, error))?;
        let length = file.metadata().map_err(|error| OpenError::io(path, error))?.len();
        let digests = digest_stream(&[], length, |buffer| file.read(buffer));
        let digests = digests.map_err(|error| OpenError::io(path, error))?;
        let name = path.to_string_lossy().into_owned();
        Ok(Self { name, sha256: digests.sha256, size: digests.size })
    }
}

/// What the log says of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Entries with these bytes, ascending; each with the entries that supersede it.
    Sealed(Vec<Sealed>),
    /// No entry has these bytes, but this one has the object's key and other bytes.
    OtherBytes {
        /// The index of the entry.
        index: u64,
        /// The SHA-256 that it commits to.
        sha256: Hash,
    },
    /// No entry that shows its digest has these bytes.
    NoMatch,
}

/// An entry that commits to the bytes of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its index.
    pub index: u64,
    /// When its signer's clock says it was made.
    pub at: String,
    /// Later entries that supersede it.
    pub superseded_by: Vec<u64>,
}

/// What one pass found.
#[derive(Debug)]
pub struct ObjectVerdict {
    /// The verdict over the log's tree, its keys, and the entries that matter here.
    pub verdict: Verdict,
    /// One answer for each object, in their order.
    pub answers: Vec<Answer>,
    /// Recording entries that show a SHA-256, or whose opening was given.
    pub shown: u64,
    /// Recording entries that hide theirs.
    pub hidden: u64,
    /// Openings that were given and are not those of their entries; nothing was taken from them.
    pub unfit: Vec<String>,
}

/// Reads the openings `<index>.json` in `folder`.
///
/// # Errors
/// `Io` when one cannot be read, `Container` when one has not its form.
pub fn openings(folder: &Path) -> Result<BTreeMap<u64, Opening>, OpenError> {
    let mut openings = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(|error| OpenError::io(folder, error))? {
        let path = entry.map_err(|error| OpenError::io(folder, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_suffix(".json").and_then(unbroken_evidence::narrow::decimal);
        let Some(index) = number else { continue };
        let file = open_plain(&path).map_err(|error| OpenError::io(&path, error))?;
        let mut bytes = Vec::new();
        let read = file.take(OPENING_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| OpenError::io(&path, error))?;
        let opening = Opening::parse(&bytes);
        openings.insert(index, opening.map_err(|e| OpenError::container(&path, e.to_string()))?);
    }
    Ok(openings)
}

/// Looks for `objects` in the log in `files`.
///
/// # Errors
/// [`LogStop`] when nothing could be verified.
pub fn verify_objects(
    files: &mut dyn LogFiles,
    trust: &Trust,
    openings: BTreeMap<u64, Opening>,
    objects: &[Object],
    threads: usize,
) -> Result<ObjectVerdict, LogStop> {
    let mut search = Search {
        wanted: objects.iter().map(|object| object.sha256).collect(),
        openings,
        any_selected: false,
        sealed: BTreeMap::new(),
        keys: Vec::new(),
        shown: 0,
        hidden: 0,
        unfit: Vec::new(),
    };
    let verdict = verify_log(files, trust, None, threads, &mut search)?;
    let answers = objects.iter().map(|object| search.answer(object)).collect();
    let mut unfit = search.unfit;
    let left =
        search.openings.keys().map(|index| format!("opening {index}: the log has no such entry"));
    unfit.extend(left);
    Ok(ObjectVerdict { verdict, answers, shown: search.shown, hidden: search.hidden, unfit })
}

struct Search {
    wanted: BTreeSet<Hash>,
    openings: BTreeMap<u64, Opening>,
    /// Whether an entry was selected that a later one may supersede; entries are selected in
    /// larger groups than they are read in.
    any_selected: bool,
    sealed: BTreeMap<Hash, Vec<Sealed>>,
    /// Keys known from openings: bucket, where it is known, key, index, digest.
    keys: Vec<(Option<String>, String, u64, Hash)>,
    shown: u64,
    hidden: u64,
    /// Openings that are not those of their entries, and why.
    unfit: Vec<String>,
}

const SHA256_MARK: &[u8] = b"\"sha256\":\"";

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    let first = *mark.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|byte| *byte == first) {
        from += at;
        if bytes.get(from..)?.starts_with(mark) {
            return Some(from);
        }
        from += 1;
    }
    None
}

impl Selection for Search {
    /// Control and policy entries, those with a wanted digest or a given opening, and those that
    /// supersede one of these. A mark that stands elsewhere in a text selects one too many.
    fn selects(&mut self, index: u64, bytes: &[u8]) -> bool {
        let digest = find(bytes, SHA256_MARK).and_then(|at| {
            let hex = bytes.get(at + SHA256_MARK.len()..)?.get(..64)?;
            Hash::from_hex(std::str::from_utf8(hex).ok()?)
        });
        let opened = self.openings.contains_key(&index);
        let is_recording = find(bytes, b"\"kind\":\"recording\"").is_some();
        if is_recording && (digest.is_some() || opened) {
            self.shown += 1;
        } else if is_recording {
            self.hidden += 1;
        }
        let wanted = digest.is_some_and(|digest| self.wanted.contains(&digest));
        self.any_selected |= wanted || opened;
        wanted
            || opened
            || self.any_selected && find(bytes, b"\"rel\":\"supersedes\"").is_some()
            || !is_recording
                && [b"\"kind\":\"control\"".as_slice(), b"\"kind\":\"policy\""]
                    .iter()
                    .any(|mark| find(bytes, mark).is_some())
    }

    fn read(&mut self, index: u64, statement: &Statement) {
        let opening = self.openings.remove(&index);
        let verified = opening.zip(statement.body.fields()).map(|(o, fields)| o.verify(fields));
        let opening: Option<VerifiedOpening> = match verified {
            Some(Err(error)) => {
                self.unfit.push(format!("opening {index}: {error}"));
                None
            }
            other => other.and_then(Result::ok),
        };
        let Body::Recording(recording) = &statement.body else { return };
        for reference in &recording.refs {
            if reference.rel == Rel::Supersedes {
                let entries = self.sealed.values_mut().flatten();
                entries
                    .filter(|sealed| sealed.index == reference.index)
                    .for_each(|sealed| sealed.superseded_by.push(index));
            }
        }
        let value =
            |source, pointer: &str| opening.as_ref()?.value(source, pointer).map(str::to_owned);
        for number in 0.. {
            let said = value("companion", &format!("/{number}/sha256"));
            let Some(sha256) = said.and_then(|hex| Hash::from_hex(&hex)) else { break };
            if let Some(key) = value("companion", &format!("/{number}/key")) {
                self.keys.push((value("object", "/bucket"), key, index, sha256));
            }
            if self.wanted.contains(&sha256) {
                let at = statement.at.to_string();
                let sealed = Sealed { index, at, superseded_by: Vec::new() };
                self.sealed.entry(sha256).or_default().push(sealed);
            }
        }
        let opened = value("content", "/sha256").and_then(|hex| Hash::from_hex(&hex));
        let Some(sha256) = recording.content.sha256.or(opened) else { return };
        if let Some(key) = value("object", "/key") {
            self.keys.push((value("object", "/bucket"), key, index, sha256));
        }
        if self.wanted.contains(&sha256) {
            let at = statement.at.to_string();
            let sealed = Sealed { index, at, superseded_by: Vec::new() };
            self.sealed.entry(sha256).or_default().push(sealed);
        }
    }
}

impl Search {
    fn answer(&self, object: &Object) -> Answer {
        if let Some(sealed) = self.sealed.get(&object.sha256) {
            return Answer::Sealed(sealed.clone());
        }
        let of_key = |(bucket, key, _, _): &&(Option<String>, String, u64, Hash)| {
            object.name.strip_prefix("s3://").map_or_else(
                // A bare name is no place: files of one name are everywhere.
                || {
                    object.name == *key
                        || key.contains('/') && object.name.ends_with(&format!("/{key}"))
                },
                |rest| bucket.as_ref().is_some_and(|bucket| rest == format!("{bucket}/{key}")),
            )
        };
        match self.keys.iter().rev().find(of_key) {
            Some((_, _, index, sha256)) => Answer::OtherBytes { index: *index, sha256: *sha256 },
            None => Answer::NoMatch,
        }
    }
}
