//! Reads sealed objects again where they lie, and compares them with what was sealed: an object audit.
//!
//! The ledger is not held meanwhile, for this may take days; it is held for the one entry that says what was
//! found (spec/entry.md, `audit`).

use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use unbroken_evidence::body::Body;
use unbroken_evidence::content::digest_stream;
use unbroken_evidence::disclosed::Disclosed;
use unbroken_evidence::error::printable_bytes;
use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::narrow::decimal;
use unbroken_evidence::opening::VerifiedOpening;
use unbroken_evidence::vocabulary::{audit, companion, object};
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::{Ledger, private_path};
use unbroken_ledger::private::{Lookup, Private, Row, object_value};
use unbroken_ledger::reader::LogReader;
use unbroken_ledger::seal::Clock;

use crate::listing::Results;
use crate::run::Software;

/// Objects that are looked up before they are read.
const AT_ONCE: usize = 256;
/// Differences that are kept in full; all are counted.
const KEPT: usize = 10_000;

/// Opens an object where it lies; each worker has its own.
pub trait Opener: Send {
    /// # Errors
    /// `NotFound` where it is not there, and why it cannot be read otherwise.
    fn open(
        &mut self,
        name: &str,
        location: &str,
        key: &[u8],
        version: &str,
    ) -> io::Result<Box<dyn Read + '_>>;

    /// Whether the store itself says that it keeps this SHA-256 of the whole object; nothing of it is read.
    ///
    /// # Errors
    /// `NotFound` where it is not there, and why nothing is known otherwise.
    fn keeps(
        &mut self,
        name: &str,
        location: &str,
        key: &[u8],
        version: &str,
        sha256: &Hash,
    ) -> io::Result<bool>;
}

/// What an audit is asked to do.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// At most so many recordings, drawn by `seed`; `None`: all.
    pub sample: Option<u64>,
    /// What decides which ones.
    pub seed: [u8; 16],
    /// Only this source.
    pub source: Option<String>,
    /// Where S3 says that it keeps the SHA-256 that was sealed, this is taken for an answer.
    pub trust_s3_checksum: bool,
}

/// How one object was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// Its bytes are those that were sealed.
    Matched,
    /// They are others.
    Changed,
    /// It is not there, and another object of this audit has its bytes.
    Moved,
    /// It is not there.
    Missing,
    /// It could not be read.
    Unreadable,
    /// What was sealed of it is lost from private.db, or erased.
    Unknown,
    /// S3 says that it keeps the SHA-256 that was sealed. Its bytes were not read.
    ByChecksum,
}

impl Found {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Matched,
        Self::Changed,
        Self::Moved,
        Self::Missing,
        Self::Unreadable,
        Self::Unknown,
        Self::ByChecksum,
    ];

    /// Whether it is as it was sealed, as far as was looked.
    const fn is_well(self) -> bool {
        matches!(self, Self::Matched | Self::ByChecksum)
    }

    /// Its name, as it is sealed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Changed => "changed",
            Self::Moved => "moved",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Unknown => "unknown",
            Self::ByChecksum => "by-checksum",
        }
    }
}

/// An object that is not as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The entry that sealed it.
    pub index: u64,
    /// Its source.
    pub source: String,
    /// Its key, made safe to print.
    pub key: String,
    /// How it was found.
    pub found: Found,
    /// What there is to say of it.
    pub why: String,
}

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Reread {
    /// When it began.
    pub started: String,
    /// How many objects, by how they were found, in the order of [`Found::ALL`].
    pub counts: [u64; 7],
    /// What is not as it was sealed, at most 10,000.
    pub differences: Vec<Difference>,
    /// Bytes that were read.
    pub bytes: u64,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// The index of the `audit` entry.
    pub index: u64,
}

impl Reread {
    /// How many objects were found so.
    #[must_use]
    pub fn count(&self, found: Found) -> u64 {
        let place = Found::ALL.iter().position(|known| *known == found);
        place.and_then(|place| self.counts.get(place)).copied().unwrap_or(0)
    }

    /// The exit code: 130 interrupted, 1 where bytes differ or are gone, 2 where something could not be read.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let any = |found: &[Found]| found.iter().any(|found| self.count(*found) > 0);
        if self.interrupted {
            130
        } else if any(&[Found::Changed, Found::Moved, Found::Missing]) {
            1
        } else {
            2 * u8::from(any(&[Found::Unreadable, Found::Unknown]))
        }
    }
}

/// What an audit is doing, for whoever shows it.
#[derive(Debug, Default)]
pub struct RereadProgress {
    /// Objects that were read.
    pub objects: AtomicU64,
    /// Bytes of them.
    pub bytes: AtomicU64,
}

/// One object to be read again.
struct Job {
    index: u64,
    source: usize,
    key: Vec<u8>,
    version: String,
    size: u64,
    /// What it must have; `None` where that is not known any more.
    sha256: Option<Hash>,
}

/// What an audit works with.
pub struct Hands<'a> {
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Set by somebody who wants it to end.
    pub stop: &'a AtomicBool,
    /// What is shown meanwhile.
    pub progress: &'a RereadProgress,
    /// The program.
    pub software: Software,
}

/// Reads sealed objects again, with one worker for each of `openers`, and seals what it found. `open` gives the
/// ledger for that one entry.
///
/// # Errors
/// Those of log and private.db. An object that cannot be read is no error.
pub fn reread(
    folder: &std::path::Path,
    wanted: &Wanted,
    openers: &mut [Box<dyn Opener + '_>],
    hands: &Hands<'_>,
    open: impl FnOnce() -> Result<Ledger, LedgerError>,
) -> Result<Reread, LedgerError> {
    let mut reader = LogReader::open(folder)?;
    let private = Private::open_to_read(&private_path(folder))?;
    let started = hands.clock.now().to_string();
    let mut audit = Audit {
        reread: Reread { started, ..Reread::default() },
        results: Results::default(),
        matched: HashSet::new(),
        sources: private.sources()?,
    };
    let drawn =
        wanted.sample.map(|most| draw(&private, &audit.sources, wanted, most)).transpose()?;
    for (place, (number, name, _)) in audit.sources.clone().into_iter().enumerate() {
        if wanted.source.as_ref().is_some_and(|source| *source != name) {
            continue;
        }
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = private.newest_watched(number, b"", after.as_deref(), AT_ONCE)?;
            let Some((_, last)) = page.last() else { break };
            after = Some(last.key.clone());
            let mut jobs = Vec::new();
            for (index, watched) in page.iter().filter(|(_, watched)| !watched.gone) {
                if drawn.as_ref().is_none_or(|drawn| drawn.contains(index)) {
                    jobs.extend(sealed(&mut reader, &private, (place, &name), &watched.key)?);
                }
            }
            audit.read(jobs, wanted.trust_s3_checksum, openers, hands);
            if hands.stop.load(Ordering::Relaxed) {
                audit.reread.interrupted = true;
                break;
            }
        }
        if audit.reread.interrupted {
            break;
        }
    }
    audit.moved();
    audit.seal(open()?, wanted, hands)
}

/// The newest entries of so many objects, drawn by the seed: anybody who has it draws the same.
fn draw(
    private: &Private,
    sources: &[(i64, String, String)],
    wanted: &Wanted,
    most: u64,
) -> Result<HashSet<u64>, LedgerError> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut drawn = std::collections::BinaryHeap::new();
    for (number, name, _) in sources {
        if wanted.source.as_ref().is_some_and(|source| source != name) {
            continue;
        }
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = private.newest_watched(*number, b"", after.as_deref(), AT_ONCE)?;
            let Some((_, last)) = page.last() else { break };
            after = Some(last.key.clone());
            for (index, _) in page.iter().filter(|(_, watched)| !watched.gone) {
                drawn.push((Hash::of(&[&wanted.seed, &index.to_be_bytes()]), *index));
                if drawn.len() > most {
                    drawn.pop();
                }
            }
        }
    }
    Ok(drawn.into_iter().map(|(_, index)| index).collect())
}

/// What was sealed last of an object, and of the companions beside it.
fn sealed(
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

struct Audit {
    reread: Reread,
    results: Results,
    /// The first bytes of each digest that was found where it was sealed.
    matched: HashSet<[u8; 8]>,
    sources: Vec<(i64, String, String)>,
}

/// What became of a job: how it was found, why (of what is missing its SHA-256, for [`Audit::moved`]), and the
/// bytes that were read.
type Outcome = (Found, String, u64);

fn start(hash: &Hash) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    [a, b, c, d, e, f, g, h]
}

impl Audit {
    /// Reads these objects, and takes in how they were found, in their order.
    fn read(
        &mut self,
        jobs: Vec<Job>,
        trust_s3_checksum: bool,
        openers: &mut [Box<dyn Opener + '_>],
        hands: &Hands<'_>,
    ) {
        let next = AtomicU64::new(0);
        let found: Mutex<Vec<(usize, Outcome)>> = Mutex::new(Vec::with_capacity(jobs.len()));
        let (all, sources) = (&jobs, &self.sources);
        std::thread::scope(|scope| {
            for opener in openers {
                let (next, found) = (&next, &found);
                scope.spawn(move || {
                    while !hands.stop.load(Ordering::Relaxed) {
                        let place = usize::try_from(next.fetch_add(1, Ordering::Relaxed));
                        let place = place.unwrap_or(usize::MAX);
                        let Some(job) = all.get(place) else { break };
                        let known = trust_s3_checksum
                            .then(|| by_checksum(job, sources, &mut **opener, hands))
                            .flatten();
                        let read = known.or_else(|| one(job, sources, &mut **opener, hands));
                        let Some(read) = read else { break };
                        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                        found.push((place, read));
                    }
                });
            }
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_by_key(|(place, _)| *place);
        for (place, (found, why, bytes)) in found {
            let Some(job) = jobs.get(place) else { continue };
            self.reread.bytes += bytes;
            if found == Found::Matched {
                self.matched.extend(job.sha256.as_ref().map(start));
            }
            self.take(job, found, why);
        }
    }

    fn take(&mut self, job: &Job, found: Found, why: String) {
        let place = Found::ALL.iter().position(|known| *known == found);
        let count = place.and_then(|place| self.reread.counts.get_mut(place));
        count.into_iter().for_each(|count| *count += 1);
        let source = self.sources.get(job.source).map(|(_, name, _)| name.clone());
        let source = source.unwrap_or_default();
        self.results.put(&source, &job.key, job.index, found.name());
        if !found.is_well() && self.reread.differences.len() < KEPT {
            let key = printable_bytes(&job.key);
            self.reread.differences.push(Difference { index: job.index, source, key, found, why });
        }
    }

    /// Of what is missing, what another object has.
    fn moved(&mut self) {
        for difference in &mut self.reread.differences {
            let sha256 = Hash::from_hex(&difference.why);
            if difference.found != Found::Missing {
                continue;
            }
            let is_elsewhere = sha256.is_some_and(|sha256| self.matched.contains(&start(&sha256)));
            difference.why = if is_elsewhere {
                "it is not there; another sealed object has its bytes".to_owned()
            } else {
                "it is not there".to_owned()
            };
            if is_elsewhere {
                difference.found = Found::Moved;
                let [_, _, moved, missing, ..] = &mut self.reread.counts;
                (*moved, *missing) = (*moved + 1, missing.saturating_sub(1));
            }
        }
    }

    fn seal(
        self,
        mut ledger: Ledger,
        wanted: &Wanted,
        hands: &Hands<'_>,
    ) -> Result<Reread, LedgerError> {
        let Self { mut reread, results, .. } = self;
        let (lines, root, parts) = results.finish();
        let text = |pointer: &str, value: &str| Value::string(audit::SOURCE, pointer, value);
        let software = &hands.software;
        let sha256 = software.sha256.map_or_else(|| "not read".to_owned(), |h| h.to_string());
        let outcome = if reread.interrupted { "interrupted" } else { "finished" };
        let mut values = vec![
            text("/kind", "objects"),
            text("/started", &reread.started),
            text("/ended", &ledger.now().to_string()),
            text("/outcome", outcome),
            text("/source", wanted.source.as_deref().unwrap_or("every one")),
            text("/software/version", &software.version),
            text("/software/sha256", &sha256),
            text("/results/root", &root.to_string()),
            Value::number(audit::SOURCE, "/results/lines", lines),
            Value::number(audit::SOURCE, "/bytes", reread.bytes),
        ];
        match wanted.sample {
            None => values.push(text("/sample", "all")),
            Some(most) => {
                let seed: String = wanted.seed.iter().map(|byte| format!("{byte:02x}")).collect();
                values.push(text("/sample", &most.to_string()));
                values.push(text("/seed", &seed));
            }
        }
        if wanted.trust_s3_checksum {
            values.push(text("/s3-checksum", "trusted"));
        }
        for (found, count) in Found::ALL.iter().zip(reread.counts) {
            let pointer = format!("/counts/{}", found.name());
            values.push(Value::number(audit::SOURCE, &pointer, count));
        }
        let row = Row { listing: parts, ..Row::default() };
        reread.index = ledger.append_fields(Kind::Audit, values, row)?.index;
        ledger.checkpoint()?;
        Ok(reread)
    }
}

/// What S3 says of one object; `None` where it does not say that it keeps what was sealed: then its bytes tell.
fn by_checksum(
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
fn one(
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
