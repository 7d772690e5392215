//! One object of an audit: what was sealed of it, and what it is now.

use std::io;
use std::sync::atomic::Ordering;

use unbroken_evidence::body::Body;
use unbroken_evidence::content::digest_stream;
use unbroken_evidence::disclosed::Disclosed;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::narrow::decimal;
use unbroken_evidence::opening::VerifiedOpening;
use unbroken_evidence::vocabulary::{companion, object};
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::{Lookup, Private, object_value};
use unbroken_ledger::reader::LogReader;

use super::{Found, Hands, Opener};

/// One object to be read again.
pub(super) struct Job {
    pub(super) index: u64,
    pub(super) source: usize,
    pub(super) key: Vec<u8>,
    pub(super) version: String,
    pub(super) size: u64,
    /// What it must have; `None` where that is not known any more.
    pub(super) sha256: Option<Hash>,
}

/// What became of a job: how it was found, why (of what is missing its SHA-256, for an object that was moved), and the
/// bytes that were read.
pub(super) type Outcome = (Found, String, u64);

/// What was sealed last of an object, and of the companions beside it.
pub(super) fn sealed(
    reader: &mut LogReader,
    private: &Private,
    (source, name): (usize, &str),
    key: &[u8],
) -> Result<Vec<Job>, LedgerError> {
    let size = reader.checkpoint().size;
    for index in private.find(Lookup::Object, &object_value(name, key))?.into_iter().rev() {
        if index >= size {
            continue;
        }
        let entry = reader.entry(index)?;
        let Body::Recording(recording) = &entry.statement().body else { continue };
        let Some(opening) = private.opening_of(index, &entry)? else {
            let (key, version) = (key.to_vec(), String::new());
            return Ok(vec![Job { index, source, key, version, size: 0, sha256: None }]);
        };
        let named = opening.opening().field(object::SOURCE, object::KEY);
        if named.is_none_or(|field| field.value.to_bytes() != key) {
            continue;
        }
        let version = opening.value(object::SOURCE, object::VERSION).unwrap_or_default().to_owned();
        let sha256 = Disclosed::of(recording, Some(&opening)).sha256();
        let size = recording.content.size;
        let mut jobs = vec![Job { index, source, key: key.to_vec(), version, size, sha256 }];
        jobs.extend(companions(index, source, &opening));
        return Ok(jobs);
    }
    Ok(Vec::new())
}

fn companions(index: u64, source: usize, opening: &VerifiedOpening) -> Vec<Job> {
    let mut jobs = Vec::new();
    for number in 0.. {
        let of =
            |name: &str| opening.opening().field(companion::SOURCE, &format!("/{number}/{name}"));
        let Some(key) = of(companion::KEY) else { break };
        let text = |name: &str| of(name).map(|field| field.value.value.clone());
        jobs.push(Job {
            index,
            source,
            key: key.value.to_bytes(),
            version: text("version").unwrap_or_default(),
            size: text(companion::SIZE).and_then(|size| decimal(&size)).unwrap_or_default(),
            sha256: text(companion::SHA256).and_then(|hex| Hash::from_hex(&hex)),
        });
    }
    jobs
}

/// What S3 says of one object; `None` where it does not say that it keeps what was sealed: then its bytes tell.
pub(super) fn by_checksum(
    job: &Job,
    sources: &[(i64, String, String)],
    opener: &mut dyn Opener,
    hands: &Hands<'_>,
) -> Option<Outcome> {
    let (_, name, location) = sources.get(job.source)?;
    let keeps = opener.keeps(name, location, &job.key, &job.version, job.sha256.as_ref()?);
    keeps.ok().filter(|keeps| *keeps)?;
    hands.progress.objects.fetch_add(1, Ordering::Relaxed);
    Some((Found::ByChecksum, String::new(), 0))
}

/// Reads one object; `None` where it was stopped.
pub(super) fn one(
    job: &Job,
    sources: &[(i64, String, String)],
    opener: &mut dyn Opener,
    hands: &Hands<'_>,
) -> Option<Outcome> {
    let Some(sha256) = job.sha256 else {
        let why = "what was sealed of it is lost from private.db, or erased";
        return Some((Found::Unknown, why.to_owned(), 0));
    };
    let (_, name, location) = sources.get(job.source)?;
    let mut bytes = 0;
    let read = opener.open(name, location, &job.key, &job.version).and_then(|mut reader| {
        digest_stream(&[], job.size, |buffer| {
            if hands.stop.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = reader.read(buffer)?;
            bytes += count as u64;
            hands.progress.bytes.fetch_add(count as u64, Ordering::Relaxed);
            Ok(count)
        })
    });
    if hands.stop.load(Ordering::Relaxed) {
        return None;
    }
    hands.progress.objects.fetch_add(1, Ordering::Relaxed);
    Some(match read {
        Ok(digests) if digests.sha256 == sha256 => (Found::Matched, String::new(), bytes),
        Ok(digests) => {
            let why = format!("sealed with SHA-256 {sha256}, and has {} now", digests.sha256);
            (Found::Changed, why, bytes)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            (Found::Missing, sha256.to_string(), bytes)
        }
        Err(error) => (Found::Unreadable, error.to_string(), bytes),
    })
}
