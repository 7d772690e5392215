//! What private.db keeps of one entry: its opening, and six parts beside it, each with a digest by which
//! an audit finds what is gone or changed.

use std::sync::Arc;

use rusqlite::{Connection, params};
use unbroken_evidence::body::Subject;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::opening::Opening;

use crate::private::to_row;
use crate::random::Seed;
use crate::watch::{self, Watched};
use crate::{lookup, record, state};

/// What is kept of one entry.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The values behind its commitments.
    pub opening: Opening,
    /// Where its salts come from, if they come from a seed.
    pub seed: Option<Seed>,
    /// Lookup prefixes that lead to it.
    pub lookups: Vec<i64>,
    /// For a recording: the object it is about.
    pub object: Option<ObjectState>,
    /// Companions captured whole.
    pub documents: Vec<Document>,
    /// For a `pass`: the listing, in parts.
    pub listing: Vec<Vec<u8>>,
    /// For an `erasure`: the entry whose opening gives way.
    pub erases: Option<u64>,
    /// For a recording, and for an observation of it: how its object stands since.
    pub watched: Option<Watched>,
    /// For a recording: earlier entries about it whose place it takes.
    pub supersedes: Vec<u64>,
    /// The group of objects that is dealt with once this entry is kept.
    pub settles: Option<Settled>,
}

/// A group of objects of a source in which nothing is left to do, as long as it stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The source's number in this database.
    pub source: i64,
    /// Which group: a hash of its name.
    pub group: i64,
    /// A digest over what the source says of its objects.
    pub fingerprint: Hash,
}

/// A companion, captured whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Its key in the source.
    pub key: Vec<u8>,
    /// Its bytes; several recordings may have the same companion.
    pub bytes: Arc<Vec<u8>>,
}

/// What was last sealed of an object of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectState {
    /// The source's number in this database.
    pub source: i64,
    /// The object's key.
    pub key: Vec<u8>,
    /// What the source said of it: size, times, version, as the source encodes it.
    pub stamp: Vec<u8>,
    /// The subject of its entries.
    pub subject: Subject,
    /// SHA-256 of its bytes.
    pub sha256: Hash,
    /// A digest over its companions: which they are, and their bytes.
    pub companions: Hash,
    /// Whether the policy found it incomplete.
    pub incomplete: bool,
}

/// A digest over companions: the key of each, what it is taken for, and its bytes.
#[must_use]
pub fn companions_digest<'a>(
    companions: impl Iterator<Item = (&'a [u8], &'a str, &'a Hash)>,
) -> Hash {
    let mut data = Vec::new();
    for (key, role, sha256) in companions {
        for part in [key, role.as_bytes(), sha256.as_bytes()] {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part);
        }
    }
    Hash::of(&[&data])
}

/// A row with its opening encoded already: the writing thread has enough to do.
pub(crate) struct PreparedRow {
    leaf: Hash,
    opening: Vec<u8>,
    parts: Vec<u8>,
    row: Row,
}

impl PreparedRow {
    /// The row of the entry with this leaf.
    pub(crate) fn of(leaf: Hash, mut row: Row) -> Self {
        let opening = record::encode_opening(std::mem::take(&mut row.opening), row.seed.as_ref());
        Self { leaf, opening, parts: Parts::of(&row).encode(), row }
    }

    /// The row as another database has it, with the digests that were kept there.
    pub(crate) fn kept(leaf: Hash, row: Row, parts: Vec<u8>) -> Self {
        Self { parts, ..Self::of(leaf, row) }
    }
}

/// A digest over each part of a row. No evidence rests on them: they find what a disk has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts([[u8; 8]; 6]);

impl Parts {
    /// What is said of each part that differs, in the order of their digests.
    pub(crate) const DIFFERING: [&str; 6] = [
        "the row of its object is missing or changed",
        Self::DOCUMENT,
        Self::LISTING,
        "a lookup, by which it is found, is missing or changed",
        "what it erases is missing or changed",
        "how its object stands is missing or changed",
    ];
    /// Of a document, which nothing else holds: it cannot be made again.
    pub(crate) const DOCUMENT: &str = "a captured document is missing or changed";
    /// Of a listing, which nothing else holds either.
    pub(crate) const LISTING: &str = "its listing is missing or changed";

    /// The digests of `row`; its opening, which the entry itself commits to, is none of the parts.
    pub(crate) fn of(row: &Row) -> Self {
        let object = digest(row.object.iter().flat_map(|object| {
            let [source, incomplete] = [object.source, i64::from(object.incomplete)];
            [
                source.to_be_bytes().to_vec(),
                object.key.clone(),
                object.stamp.clone(),
                object.subject.0.to_vec(),
                object.sha256.as_bytes().to_vec(),
                object.companions.as_bytes().to_vec(),
                incomplete.to_be_bytes().to_vec(),
            ]
        }));
        let documents = digest(row.documents.iter().flat_map(|d| [&d.key[..], &d.bytes[..]]));
        let mut lookups = row.lookups.clone();
        lookups.sort_unstable();
        lookups.dedup();
        let superseded = row.supersedes.iter().map(|target| to_row(*target));
        let lookups = digest(lookups.into_iter().chain(superseded).map(i64::to_be_bytes));
        let erases = digest(row.erases.iter().map(|target| target.to_be_bytes()));
        let watched = digest(row.watched.iter().flat_map(Watched::parts));
        Self([object, documents, digest(&row.listing), lookups, erases, watched])
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// What is to be said of the parts of which `kept`, as [`Parts::encode`] wrote it, says something else.
    pub(crate) fn differing(&self, kept: &[u8]) -> Vec<&'static str> {
        let kept = kept.chunks(8).map(Some).chain(std::iter::repeat(None));
        let pairs = Self::DIFFERING.into_iter().zip(self.0.iter().zip(kept));
        pairs.filter(|(_, (own, kept))| *kept != Some(&own[..])).map(|(name, _)| name).collect()
    }
}

fn digest<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        let part = part.as_ref();
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut short = [0; 8];
    hasher.finalize_xof().fill(&mut short);
    short
}

/// Writes rows, each with the index of its entry.
pub(crate) fn write_rows(
    db: &Connection,
    rows: impl Iterator<Item = (u64, PreparedRow)>,
) -> rusqlite::Result<()> {
    let mut openings = db.prepare_cached("INSERT INTO openings VALUES (?1, ?2, ?3, ?4)")?;
    let mut objects =
        db.prepare_cached("INSERT INTO objects VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    let mut documents = db.prepare_cached("INSERT INTO documents VALUES (?1, ?2, ?3, ?4)")?;
    let mut listings = db.prepare_cached("INSERT INTO listings VALUES (?1, ?2, ?3)")?;
    let mut lookups = Vec::new();
    for (index, PreparedRow { leaf, opening, parts, row }) in rows {
        let index = to_row(index);
        openings.execute(params![index, leaf.as_bytes(), opening, parts])?;
        lookups.extend(row.lookups.into_iter().map(|prefix| (prefix, index)));
        if let Some(object) = row.object {
            objects.execute(params![
                index,
                object.source,
                object.key,
                object.stamp,
                object.subject.0,
                object.sha256.as_bytes(),
                object.companions.as_bytes(),
                object.incomplete,
            ])?;
        }
        for (number, document) in row.documents.into_iter().enumerate() {
            documents.execute(params![index, number as i64, document.key, *document.bytes])?;
        }
        for (part, bytes) in row.listing.into_iter().enumerate() {
            listings.execute(params![index, part as i64, bytes])?;
        }
        if let Some(watched) = &row.watched {
            watch::insert(db, index, watched)?;
        }
        if let Some(settled) = &row.settles {
            state::settle(db, settled)?;
        }
        state::supersede(db, index, &row.supersedes)?;
        if let Some(target) = row.erases {
            db.execute("INSERT INTO erasures VALUES (?1, ?2)", [index, to_row(target)])?;
        }
    }
    lookup::insert(db, lookups)
}
