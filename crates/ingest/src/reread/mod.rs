//! Reads sealed objects again where they lie, and compares them with what was sealed: an object audit.
//!
//! The ledger is not held meanwhile, for this may take days; it is held for the one entry that says what was
//! found (spec/entry.md, `audit`).

mod found;
mod job;
mod opener;
pub mod resume;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use unbroken_evidence::error::printable_bytes;
use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::vocabulary::audit;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::{Ledger, private_path};
use unbroken_ledger::private::{Private, Row};
use unbroken_ledger::reader::LogReader;
use unbroken_ledger::seal::Clock;

pub use self::found::{Difference, Found, Reread};
use self::job::{Job, Outcome, by_checksum, one, sealed};
pub use self::opener::Opener;
use self::resume::Stopped;
use crate::listing::Results;
use crate::run::Software;

/// Objects that are looked up before they are read.
const AT_ONCE: usize = 256;
/// Differences that are kept in full; all are counted.
const KEPT: usize = 10_000;

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
    /// An audit that was stopped, and goes on.
    pub resumes: Option<Stopped>,
}

/// What an audit is doing, for whoever shows it.
#[derive(Debug, Default)]
pub struct RereadProgress {
    /// Objects that were read.
    pub objects: AtomicU64,
    /// Bytes of them.
    pub bytes: AtomicU64,
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
        stopped: None,
    };
    let drawn =
        wanted.sample.map(|most| draw(&private, &audit.sources, wanted, most)).transpose()?;
    let mut resumes = wanted.resumes.as_ref();
    for (place, (number, name, _)) in audit.sources.clone().into_iter().enumerate() {
        if wanted.source.as_ref().is_some_and(|source| *source != name)
            || resumes.is_some_and(|stopped| stopped.source != name)
        {
            continue;
        }
        let mut after = resumes.take().and_then(|stopped| stopped.key.clone());
        loop {
            let page = private.newest_watched(number, b"", after.as_deref(), AT_ONCE)?;
            let Some((_, last)) = page.last() else { break };
            let before = after.replace(last.key.clone());
            let mut jobs = Vec::new();
            for (index, watched) in page.iter().filter(|(_, watched)| !watched.gone) {
                if drawn.as_ref().is_none_or(|drawn| drawn.contains(index)) {
                    jobs.extend(sealed(&mut reader, &private, (place, &name), &watched.key)?);
                }
            }
            audit.read(jobs, wanted.trust_s3_checksum, openers, hands);
            if hands.stop.load(Ordering::Relaxed) {
                // Of these objects some were not read: whoever goes on reads all of them.
                audit.stopped = Some((name.clone(), before));
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

/// An audit under way.
struct Audit {
    reread: Reread,
    results: Results,
    /// The first bytes of each digest that was found where it was sealed.
    matched: HashSet<[u8; 8]>,
    sources: Vec<(i64, String, String)>,
    /// Where it stood when it was stopped: a source, and the last key before what was not wholly read.
    stopped: Option<(String, Option<Vec<u8>>)>,
}

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
        let Self { mut reread, results, stopped, .. } = self;
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
        if let Some((source, key)) = stopped {
            values.push(text("/stopped/source", &source));
            let key = key.map(|key| Value::text_or_bytes(audit::SOURCE, "/stopped/key", &key));
            values.extend(key);
        }
        if let Some(stopped) = &wanted.resumes {
            values.push(Value::number(audit::SOURCE, "/resumes", stopped.index));
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
