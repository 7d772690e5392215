//! Recomputes everything from store, log and private.db, and compares.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::error::chain;
use unbroken_evidence::field::FieldsCommitment;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::log::{LogStop, verify_log};
use unbroken_evidence::spread::spread;
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::{Conclusion, Verdict};

use crate::error::LedgerError;
use crate::head::Head;
use crate::head_copy;
use crate::keys::{self, Keys, verifier_of_log};
use crate::lock::Lock;
use crate::place::{must_be_a_ledger, open_store, private_path, store_folder};
use crate::private::{Lookup, Private};
use crate::reader::{LogReader, log_folder};
use crate::rows::Rows;

/// What an audit found.
#[derive(Debug)]
pub struct Audit {
    /// The verdict over the published log.
    pub log: Verdict,
    /// Differences between the parts, each a sentence; at most [`DIFFERENCES_MAX`] are kept.
    pub differences: Vec<String>,
    /// Entries that were compared with the store; `None` when it was not read, and by whom it is
    /// held.
    pub store: Result<u64, String>,
    /// Entries of the store that the log does not show yet: nothing of them but their bytes in the
    /// store was checked.
    pub unpublished: u64,
    /// Openings that agree with their entries.
    pub openings: u64,
    /// Entries without an opening.
    pub missing_openings: u64,
    /// Whether some of the differences are of keys, which nothing brings back but their backup.
    pub keys_differ: bool,
    /// Why the keys were not held against the log, where they were not.
    pub keys_not_checked: Option<String>,
}

/// Differences that are kept in full.
pub const DIFFERENCES_MAX: usize = 100;

impl Audit {
    /// The exit code: 1 a difference, 2 something not checked, 0 nothing to report.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if !self.differences.is_empty() || self.log.conclusion() == Conclusion::Contradicts {
            1
        } else if self.store.is_err()
            || self.missing_openings > 0
            || self.unpublished > 0
            || self.keys_not_checked.is_some()
        {
            2
        } else {
            self.log.conclusion().exit_code()
        }
    }
}

/// How far an audit is; read at any time.
#[derive(Debug, Default)]
pub struct Progress {
    /// Comparisons that are done.
    pub done: AtomicU64,
    /// All of them, as far as is known.
    pub all: AtomicU64,
}

/// Audits the ledger in `folder` on at most `threads` threads; `holder` is shown to whoever finds
/// the ledger locked meanwhile.
///
/// # Errors
/// What keeps it from being read at all. Differences are in the result.
pub fn audit(
    folder: &Path,
    holder: &str,
    threads: usize,
    progress: &Progress,
) -> Result<Audit, LedgerError> {
    must_be_a_ledger(folder)?;
    let lock = Lock::take(folder, holder);
    let mut reader = LogReader::open(folder)?;
    // Whoever audits may not be allowed to read the keys; then the genesis says which is the log's.
    let anchor = match Keys::load(&folder.join("keys")) {
        Ok(keys) => keys.log.verifier().clone(),
        Err(_) => verifier_of_log(&mut reader)?,
    };
    let trust = Trust::key(anchor.clone());
    let size = reader.checkpoint().size;
    let passes = if lock.is_ok() { 3 } else { 2 };
    progress.all.store(passes * size, Ordering::Relaxed);
    let count = |entries| {
        progress.done.fetch_add(entries, Ordering::Relaxed);
    };
    let log = verify_log(&mut reader.files(), &trust, None, threads, &count);
    let log = log.map_err(|stop: LogStop| LedgerError::Log {
        path: log_folder(folder),
        why: stop.to_string(),
    })?;
    let mut differences = Vec::new();
    let store = match &lock {
        Err(LedgerError::Held { holder, .. }) => Err(format!("held by {holder}")),
        Err(_) => Err("its lock could not be taken".to_owned()),
        Ok(_) => Ok(store(folder, threads, progress, &mut differences)?),
    };
    let known = store.as_ref().map_or(size, |entries| *entries);
    let unpublished = known.saturating_sub(size);
    // A writer that holds the ledger may be between its copy and its log.
    if lock.is_ok() {
        differences.extend(head_copy::problem(folder, &anchor, (size, known))?);
    }
    let keys = match reader.entry(0) {
        Ok(genesis) => keys::problems(folder, &genesis),
        Err(_) => keys::Problems::none("the log's first entry cannot be read"),
    };
    let keys_differ = !keys.wrong.is_empty();
    differences.extend(keys.wrong);
    if keys.not_checked.is_none() {
        differences.extend(control_openings(folder, &mut reader)?);
    }
    let whole = store.as_ref().ok().copied();
    let private = private(folder, whole, size, threads, progress, &mut differences);
    let (openings, missing_openings) = match private {
        Err(error) if error.is_private_damage() => {
            differences.push(format!("private.db is damaged: {}", chain(&error)));
            (0, size)
        }
        counted => counted?,
    };
    differences.truncate(DIFFERENCES_MAX);
    let keys_not_checked = keys.not_checked;
    Ok(Audit {
        log,
        differences,
        store,
        unpublished,
        openings,
        missing_openings,
        keys_differ,
        keys_not_checked,
    })
}

/// The openings of control entries that are kept beside the keys.
fn control_openings(folder: &Path, reader: &mut LogReader) -> Result<Vec<String>, LedgerError> {
    let mut differences = Vec::new();
    // Control entries are few; the genesis is one. A private.db that cannot be read is told elsewhere.
    let private = Private::open_to_read(&private_path(folder));
    let known = private.and_then(|private| private.find(Lookup::Kind, b"control"));
    let known = known.unwrap_or_default();
    let size = reader.checkpoint().size;
    let later = known.into_iter().filter(|index| *index > 0 && *index < size);
    for index in std::iter::once(0).chain(later) {
        // An entry that cannot be read is found by the verification of the log.
        let Ok(entry) = reader.entry(index) else { continue };
        let Some(commitment) = entry.statement().body.fields() else { continue };
        let kept = keys::kept_opening(folder, index);
        if entry.statement().kind == Kind::Control
            && kept.is_none_or(|opening| opening.verify(commitment).is_err())
        {
            differences.push(format!("keys/control-{index}.json is missing or changed"));
        }
    }
    Ok(differences)
}

/// Entries of the store that are read, and then compared on all threads.
const AT_ONCE: usize = 256;

/// Compares the store with the published log, entry by entry; gives how many it has.
fn store(
    folder: &Path,
    threads: usize,
    progress: &Progress,
    differences: &mut Vec<String>,
) -> Result<u64, LedgerError> {
    let store = open_store(folder)?;
    let failed = |source| LedgerError::Store { path: store_folder(folder), source };
    let mut reader = LogReader::open(folder)?;
    let published = reader.checkpoint().size;
    let head = store.head().map_err(failed)?.unwrap_or_default();
    let mut computed = Head::default();
    let end = head.size().max(published);
    for from in (0..end).step_by(AT_ONCE) {
        let mut read = Vec::new();
        for index in from..end.min(from + AT_ONCE as u64) {
            let found = store.entry(index).map_err(failed)?.filter(|_| index < head.size());
            let logged = if index < published { reader.entry_bytes(index).ok() } else { None };
            read.push((index, found, logged));
        }
        progress.done.fetch_add(read.len() as u64, Ordering::Relaxed);
        for (entry, found) in
            spread(read, threads, |(index, found, logged)| sealed(index, found, logged.as_deref()))
        {
            differences.extend(found);
            entry.iter().for_each(|entry| computed.extend(entry));
        }
        if differences.len() >= DIFFERENCES_MAX {
            return Ok(head.size());
        }
    }
    if computed != head && differences.is_empty() {
        differences.push("the store's head is not that of its entries".to_owned());
    }
    Ok(head.size())
}

/// An entry of the store, if its leaf is that of its bytes, and what is wrong with it. `logged` is what the
/// log has there.
fn sealed(
    index: u64,
    found: Option<(Hash, Vec<u8>)>,
    logged: Option<&[u8]>,
) -> (Option<UnverifiedEntry>, Vec<String>) {
    let Some((leaf, note)) = found else {
        return (None, vec![format!("entry {index}: in the log, not in the store")]);
    };
    let mut wrong = Vec::new();
    if logged.is_some_and(|logged| logged != note) {
        wrong.push(format!("entry {index}: the store has other bytes than the log"));
    }
    match UnverifiedEntry::parse(&note) {
        Ok(entry) if entry.leaf() == leaf => (Some(entry), wrong),
        _ => {
            wrong.push(format!("entry {index}: the store's leaf is not that of its bytes"));
            (None, wrong)
        }
    }
}

/// Compares the openings and what is kept beside them with the entries they belong to; gives how many
/// openings agree and are missing. `store` is how many entries the store has, where it was read.
fn private(
    folder: &Path,
    store: Option<u64>,
    size: u64,
    threads: usize,
    progress: &Progress,
    differences: &mut Vec<String>,
) -> Result<(u64, u64), LedgerError> {
    let private = Private::open_to_read(&private_path(folder))?;
    let damage = private.damage()?;
    differences.extend(damage.into_iter().map(|what| format!("private.db is damaged: {what}")));
    let built = private.built_on()?.map_or(0, |(built, _)| built);
    if let Some(known) = store.filter(|known| built > *known) {
        let only = format!("of which only {known} are there");
        differences.push(format!("private.db builds on {built} entries, {only}"));
    }
    let share = size.div_ceil(threads.max(1) as u64).max(1);
    let ranges: Vec<(u64, u64)> = (0..size)
        .step_by(usize::try_from(share).unwrap_or(usize::MAX))
        .map(|from| (from, (from + share).min(size)))
        .collect();
    let parts = std::thread::scope(|scope| {
        let started: Vec<_> = ranges
            .into_iter()
            .map(|(from, to)| scope.spawn(move || openings(folder, from, to, progress)))
            .collect();
        let finished = started.into_iter().map(std::thread::ScopedJoinHandle::join);
        finished
            .map(|done| done.unwrap_or_else(|cause| std::panic::resume_unwind(cause)))
            .collect::<Vec<_>>()
    });
    let (mut agree, mut missing) = (0, 0);
    for part in parts {
        let (agrees, misses, found) = part?;
        agree += agrees;
        missing += misses;
        differences.extend(found);
    }
    Ok((agree, missing))
}

fn openings(
    folder: &Path,
    from: u64,
    to: u64,
    progress: &Progress,
) -> Result<(u64, u64, Vec<String>), LedgerError> {
    let private = Private::open_to_read(&private_path(folder))?;
    let mut reader = LogReader::open(folder)?;
    let mut rows = Rows::new(&private)?;
    let (mut agree, mut missing, mut differences) = (0, 0, Vec::new());
    for index in from..to {
        progress.done.fetch_add(1, Ordering::Relaxed);
        // An entry that cannot be read is found by the verification of the log.
        let Ok(entry) = reader.entry(index) else { continue };
        let Some(commitment) = entry.statement().body.fields() else { continue };
        let found = match compare(index, &entry, commitment, &private, &mut rows) {
            Err(error) if error.is_private_damage() => {
                let why = chain(&error);
                vec![format!("entry {index}: what private.db keeps of it cannot be read: {why}")]
            }
            Err(error) => return Err(error),
            Ok(None) => {
                missing += 1;
                continue;
            }
            Ok(Some(found)) => found,
        };
        agree += u64::from(found.is_empty());
        let room = DIFFERENCES_MAX.saturating_sub(differences.len());
        differences.extend(found.into_iter().take(room));
    }
    Ok((agree, missing, differences))
}

/// What is wrong with what private.db keeps of an entry; `None` where it keeps no opening of it.
fn compare(
    index: u64,
    entry: &UnverifiedEntry,
    commitment: &FieldsCommitment,
    private: &Private,
    rows: &mut Rows<'_>,
) -> Result<Option<Vec<String>>, LedgerError> {
    let kept = private.opening(index)?.filter(|(leaf, _)| *leaf == entry.leaf());
    let Some((_, opening)) = kept else { return Ok(None) };
    Ok(Some(match opening.verify(commitment) {
        Ok(opening) => {
            let (_, wrong) = rows.beside(index, entry, &opening)?;
            let said = |what| format!("entry {index}: in private.db {what}");
            wrong.into_iter().map(said).collect()
        }
        Err(error) => vec![format!("entry {index}: private.db has another opening: {error}")],
    }))
}
