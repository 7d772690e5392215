//! Rebuilds the store from the published log, and says what private.db lacks.

use std::path::{Path, PathBuf};

use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::field::Value;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::log::{LogStop, verify_log};
use unbroken_evidence::opening::Opening;
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::Conclusion;

use crate::error::LedgerError;
use crate::head::Head;
use crate::keys::{self, Keys};
use crate::ledger::{Ledger, Surroundings};
use crate::lock::Lock;
use crate::mend;
use crate::place::{head_of, must_be_a_ledger, open_store, store_folder};
use crate::private::{Private, Row};
use crate::reader::{LogReader, log_folder};
use crate::row::PreparedRow;
use crate::salvage::UnverifiedEntryBytes;
use crate::seal::own_lookups;
use crate::store::{SledStore, Store};

/// Set while private.db cannot tell what was sealed before: ingest then needs `--reseal`. It holds the
/// index of the `gap` entry: what was sealed after it is known.
pub const RESEAL_NEEDED: &str = "reseal-needed";
/// Begins the marks of sources that were sealed anew since: then the source's name, a line feed, and
/// the prefix.
pub const RESEALED: &str = "resealed\n";
const ENTRIES_AT_ONCE: usize = 1_024;

/// What a restore did and found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Entries of the log, before a `gap` entry.
    pub entries: u64,
    /// Whether the store was built anew; the old one is kept beside it.
    pub store_rebuilt: bool,
    /// Where the old store is.
    pub old_store: Option<PathBuf>,
    /// Where the old log is, if it was written again from the store.
    pub old_log: Option<PathBuf>,
    /// Entries beyond the log that the old store still proved.
    pub salvaged: u64,
    /// The first and last index of entries that were acknowledged, or were about to be, and are gone.
    pub gone: Option<(u64, u64)>,
    /// Where the old private.db is, if it was damaged.
    pub old_private: Option<PathBuf>,
    /// Entries without an opening: lost.
    pub lost: u64,
    /// Entries of which a captured document or the listing was lost.
    pub parts_lost: u64,
    /// Entries of which rows beside the opening were made again.
    pub rebuilt: u64,
    /// Entries whose opening was erased in part, by an `erasure` entry.
    pub erased: u64,
    /// Openings beyond the log: kept aside.
    pub aside: u64,
    /// The `gap` entry that was sealed over lost openings, if one was needed.
    pub gap: Option<u64>,
    /// The `gap` entry that was sealed over lost documents and listings.
    pub parts_gap: Option<u64>,
}

/// Restores the ledger in `folder`; from now on its head copy is at `head_copy`, if one is given.
///
/// # Errors
/// `Log` when the published log does not verify: then nothing is changed.
pub fn restore(
    folder: &Path,
    surroundings: Surroundings,
    head_copy: Option<&Path>,
) -> Result<Restored, LedgerError> {
    must_be_a_ledger(folder)?;
    let lock = Lock::take(folder, &surroundings.holder)?;
    let old_log = crate::salvage::rewrite_log(folder)?;
    let log_size = verified_size(folder)?;
    let (store_size, is_whole) = match open_store(folder).and_then(|store| whole(folder, &*store)) {
        // Missing, damaged or older: it is rebuilt, and the old one is kept. Anything else says
        // nothing of what is in it.
        Err(error) if error.is_damage() => (0, false),
        found => found?,
    };
    let store_rebuilt = store_size < log_size || !is_whole;
    let (mut old_store, mut salvaged) = (None, 0);
    if store_rebuilt {
        let beyond = crate::salvage::beyond_the_log(folder)?;
        salvaged = beyond.len() as u64;
        old_store = rebuild_store(folder, beyond)?;
    }
    let size = if is_whole { store_size.max(log_size + salvaged) } else { log_size + salvaged };
    let (mut private, old_private) = mend::open(folder)?;
    let old = old_private.as_deref().and_then(|old| {
        // One of the format before this one has as much to give.
        Private::upgrade(old).and_then(|()| Private::open_to_read(old)).ok()
    });
    let built = private.built_on()?.map_or(0, |(built, _)| built);
    // Beyond what it built on, rows are of entries that were about to be sealed. A store that is whole says
    // that they were not; of one that had to be built again nobody can tell.
    let sealed = if store_rebuilt { built.max(private.end()?).max(store_size) } else { built };
    let aside = private.set_aside_from(size)?;
    if built > size {
        // What it was built on is gone, and the report says so; from here on this is the head.
        let head = head_of(folder, &*open_store(folder)?)?;
        private.rebase((size, head.last_leaf))?;
    }
    drop(private);
    let mut ledger = Ledger::recovered(folder, open_store(folder)?, surroundings, lock, head_copy)?;
    ledger.checkpoint()?;
    put_genesis_back(folder, &mut ledger)?;
    let mended = mend::mend(folder, ledger.private_mut(), old.as_ref(), size)?;
    keep_genesis_opening(folder, ledger.private())?;
    let count = |ranges: &[(u64, u64)]| ranges.iter().map(|(from, to)| to - from).sum();
    let gap = seal_gap(&mut ledger, &mended.missing)?;
    let parts_gap = seal_parts_gap(&mut ledger, &mended.parts)?;
    ledger.checkpoint()?;
    let gone = (size < sealed).then(|| (size, sealed - 1));
    Ok(Restored {
        entries: size,
        store_rebuilt,
        old_store,
        old_log,
        salvaged,
        gone,
        old_private,
        lost: count(&mended.missing),
        parts_lost: count(&mended.parts),
        erased: mended.erased,
        rebuilt: mended.rebuilt,
        aside,
        gap,
        parts_gap,
    })
}

/// Seals which openings are lost, unless the last `gap` entry says so already.
fn seal_gap(ledger: &mut Ledger, missing: &[(u64, u64)]) -> Result<Option<u64>, LedgerError> {
    let known = ledger.private().meta(SEALED_GAPS)?.unwrap_or_default();
    let ranges = mend::listed(missing);
    if missing.is_empty() || known == ranges.as_bytes() {
        return Ok(None);
    }
    let what = "openings are lost: values, salts and lookups of these entries";
    let values =
        vec![Value::string("gap", "/what", what), Value::string("gap", "/entries", &ranges)];
    let gap_at = ledger.size().to_be_bytes();
    ledger.private_mut().set_meta(RESEAL_NEEDED, Some(&gap_at))?;
    for done in ledger.private().meta_names(RESEALED)? {
        ledger.private_mut().set_meta(&format!("{RESEALED}{done}"), None)?;
    }
    let gap = ledger.append_fields(Kind::Gap, values, Row::default())?.index;
    ledger.private_mut().set_meta(SEALED_GAPS, Some(ranges.as_bytes()))?;
    Ok(Some(gap))
}

/// Seals of which entries documents or listings are lost: their openings are there, and what was sealed
/// is known.
fn seal_parts_gap(ledger: &mut Ledger, parts: &[(u64, u64)]) -> Result<Option<u64>, LedgerError> {
    if parts.is_empty() {
        return Ok(None);
    }
    let ranges = mend::listed(parts);
    let what = "captured documents or listings of these entries are lost";
    let values =
        vec![Value::string("gap", "/what", what), Value::string("gap", "/entries", &ranges)];
    let gap = ledger.append_fields(Kind::Gap, values, Row::default())?.index;
    ledger.private_mut().set_meta(mend::PARTS_LOST, None)?;
    Ok(Some(gap))
}

/// The ranges of entries whose openings and lookups are lost, as the last `gap` entry says.
pub const SEALED_GAPS: &str = "sealed-gaps";

/// The size of the published log, every entry of which verifies.
pub(crate) fn verified_size(folder: &Path) -> Result<u64, LedgerError> {
    let keys = Keys::load(&folder.join("keys"))?;
    let reader = LogReader::open(folder)?;
    let trust = Trust::key(keys.log.verifier().clone());
    let wrong = |why: String| LedgerError::Log { path: log_folder(folder), why };
    let verdict = verify_log(&mut reader.files(), &trust, None, 2, &|_| ());
    let verdict = verdict.map_err(|stop: LogStop| wrong(stop.to_string()))?;
    if verdict.conclusion() == Conclusion::Contradicts {
        let first = verdict.first_contradiction();
        let why = first.map_or_else(String::new, |f| {
            format!("{}: expected {}, found {}", f.item, f.expected, f.found)
        });
        return Err(wrong(why));
    }
    Ok(reader.checkpoint().size)
}

/// Builds the store anew from the published log, then from the entries that stand `beyond` it, and
/// keeps the old one beside it; gives its place.
pub(crate) fn rebuild_store(
    folder: &Path,
    beyond: Vec<UnverifiedEntryBytes>,
) -> Result<Option<PathBuf>, LedgerError> {
    let mut reader = LogReader::open(folder)?;
    let (fresh, current) = (folder.join("store.new"), store_folder(folder));
    let failed = |source| LedgerError::Store { path: fresh.clone(), source };
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh).map_err(LedgerError::io(&fresh, "cannot be removed"))?;
    }
    let mut store = SledStore::open(&fresh).map_err(failed)?;
    let mut head = Head::default();
    let mut records = Vec::new();
    for index in 0..reader.checkpoint().size {
        let note = reader.entry_bytes(index)?;
        let entry = UnverifiedEntry::parse(&note)?;
        head.extend(&entry);
        records.push((entry.leaf(), note));
        if records.len() == ENTRIES_AT_ONCE || index + 1 == reader.checkpoint().size {
            let first = head.size() - records.len() as u64;
            store.append(first, &records, &head).map_err(failed)?;
            records.clear();
        }
    }
    for (leaf, note) in beyond {
        let first = head.size();
        head.extend(&UnverifiedEntry::parse(&note)?);
        store.append(first, &[(leaf, note)], &head).map_err(failed)?;
    }
    store.put_checkpoint(reader.checkpoint_note()).map_err(failed)?;
    drop(store);
    let aside = free_name(folder, "store.old");
    let had_one = current.exists();
    if had_one {
        std::fs::rename(&current, &aside)
            .map_err(LedgerError::io(&current, "cannot be moved aside"))?;
    }
    std::fs::rename(&fresh, &current).map_err(LedgerError::io(&fresh, "cannot be put in place"))?;
    crate::durable::sync_folder(folder).map_err(LedgerError::io(folder, "cannot be synced"))?;
    Ok(had_one.then_some(aside))
}

/// A name in `folder` that nothing has yet.
pub(crate) fn free_name(folder: &Path, name: &str) -> PathBuf {
    let free = (1..).map(|n| folder.join(format!("{name}-{n}"))).find(|path| !path.exists());
    free.unwrap_or_else(|| folder.join(name))
}

/// Takes the opening of the genesis from beside the keys where private.db has lost it: without it
/// no exhibit of this ledger could be made.
fn put_genesis_back(folder: &Path, ledger: &mut Ledger) -> Result<(), LedgerError> {
    let entry = LogReader::open(folder)?.entry(0)?;
    let known = ledger.private().opening(0)?;
    let (Some(opening), Some(commitment)) =
        (keys::kept_opening(folder, 0), entry.statement().body.fields())
    else {
        return Ok(());
    };
    if known.is_some_and(|(leaf, _)| leaf == entry.leaf())
        || opening.clone().verify(commitment).is_err()
    {
        return Ok(());
    }
    let row = Row { opening, lookups: own_lookups(&entry), ..Row::default() };
    ledger.private_mut().replace(vec![(0, PreparedRow::of(entry.leaf(), row))])
}

/// Writes the opening of the genesis beside the keys again where it is lost there.
fn keep_genesis_opening(folder: &Path, private: &Private) -> Result<(), LedgerError> {
    let entry = LogReader::open(folder)?.entry(0)?;
    let Some(opening) = private.opening_of(0, &entry)? else { return Ok(()) };
    let kept = keys::kept_opening(folder, 0);
    let holds = |kept: Opening| {
        entry.statement().body.fields().is_none_or(|commitment| kept.verify(commitment).is_ok())
    };
    if kept.is_some_and(holds) {
        return Ok(());
    }
    keys::keep_opening(folder, 0, opening.opening())
}

/// The size of a store, and whether each entry of it is that of the log, and gives its head.
fn whole(folder: &Path, store: &dyn Store) -> Result<(u64, bool), LedgerError> {
    let head = head_of(folder, store)?;
    let mut reader = LogReader::open(folder)?;
    let published = reader.checkpoint().size;
    let mut computed = Head::default();
    for index in 0..head.size() {
        let found = match store.entry(index) {
            Ok(found) => found,
            Err(source) => {
                let error = LedgerError::Store { path: store_folder(folder), source };
                // A disk that does not answer says nothing of what is in the store.
                return if error.is_damage() { Ok((head.size(), false)) } else { Err(error) };
            }
        };
        let Some((leaf, note)) = found else { return Ok((head.size(), false)) };
        let logged = if index < published { Some(reader.entry_bytes(index)?) } else { None };
        match UnverifiedEntry::parse(&note) {
            Ok(entry) if entry.leaf() == leaf && logged.is_none_or(|logged| logged == note) => {
                computed.extend(&entry);
            }
            _ => return Ok((head.size(), false)),
        }
    }
    Ok((head.size(), computed == head))
}
