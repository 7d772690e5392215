//! Makes private.db whole again, as far as the log and what is left of it allow, and counts what is lost.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use unbroken_evidence::body::Body;
use unbroken_evidence::disclosed::Disclosed;
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::narrow::decimal;
use unbroken_evidence::opening::VerifiedOpening;
use unbroken_evidence::vocabulary::object;

use crate::durable;
use crate::error::LedgerError;
use crate::place::{private_path, with_ending};
use crate::private::{LOOKUPS_WANTED, ObjectState, Private, Row, Watched, companions_digest};
use crate::reader::LogReader;
use crate::restore::free_name;
use crate::row::{Parts, PreparedRow};
use crate::rows::{DOCUMENT_DIFFERS, Lookups, Rows, is_erased, recording_lookups};
use crate::seal::{own_lookups, superseded_by};

/// Entries whose rows are in memory together.
const AT_ONCE: usize = 1_024;

/// What private.db lacks, and what was made again.
#[derive(Debug, Default)]
pub(crate) struct Mended {
    /// Ranges of entries whose opening is lost: from, to.
    pub(crate) missing: Vec<(u64, u64)>,
    /// Ranges of entries of which a captured document or the listing is lost.
    pub(crate) parts: Vec<(u64, u64)>,
    /// Entries whose opening was erased in part.
    pub(crate) erased: u64,
    /// Entries of which rows beside the opening were made again.
    pub(crate) rebuilt: u64,
}

/// Set in a private.db that [`mend`] is filling: the name of the old one that it takes from.
const TAKING_FROM: &str = "taking-from";

/// The ranges of entries that lost a document or a listing, until a `gap` entry says so.
pub(crate) const PARTS_LOST: &str = "parts-lost";

/// private.db, and the old one that [`mend`] is to take over what can still be read: where it was damaged it
/// is put aside, and a restore that was killed, or found the disk full, goes on.
pub(crate) fn open(folder: &Path) -> Result<(Private, Option<PathBuf>), LedgerError> {
    let path = private_path(folder);
    if !path.exists() {
        let log = with_ending(&path, "-wal");
        if log.exists() {
            // All that is left of a database that was lost: nothing can be read from it without that one, which
            // may be found again.
            let kept = free_name(folder, "private.db-wal.old");
            std::fs::rename(&log, kept).map_err(LedgerError::io(&log, "cannot be moved aside"))?;
        }
        // Killed after the old one was put aside, or lost: whatever fits an entry there is welcome.
        return begun(&path, None, last_aside(folder));
    }
    match Private::upgrade(&path).and_then(|()| sound(&path)) {
        Ok(private) => {
            let named = private.meta(TAKING_FROM)?.and_then(|name| String::from_utf8(name).ok());
            let named = named.map(|name| folder.join(name));
            let old = last_aside(folder).filter(|_| named.is_none());
            if old.is_some() && private.built_on()?.is_none() && private.end()? == 0 {
                // Made on a disk that had no room for more than its name.
                drop(private);
                return begun(&path, None, old);
            }
            return Ok((private, named));
        }
        Err(error) if error.is_private_damage() => {}
        Err(error) => return Err(error),
    }
    let old = free_name(folder, ASIDE);
    // A write-ahead log that belongs to a newer database damages the older one that was put beside it.
    let alone = with_ending(&path, "-wal").exists().then_some(path.as_path());
    begun(&path, alone, Some(old))
}

/// Puts a private.db that is to be filled, marked with where from, in the place of what is there, which goes
/// to `old` if it is not there yet. The new one is whole before anything moves: a disk without room for it
/// keeps what it has. `alone` is a database that may be whole without its write-ahead log.
fn begun(
    path: &Path,
    alone: Option<&Path>,
    old: Option<PathBuf>,
) -> Result<(Private, Option<PathBuf>), LedgerError> {
    let fresh = with_ending(path, ".new");
    remove(&fresh)?;
    let mut private = match alone.map(|alone| copied(alone, &fresh)).transpose()?.flatten() {
        Some(private) => private,
        None => Private::open(&fresh)?,
    };
    if let Some(name) = old.as_deref().and_then(Path::file_name) {
        private.set_meta(TAKING_FROM, Some(name.as_encoded_bytes()))?;
    }
    // Closed, so that nothing of it is in a log of its own.
    drop(private);
    if with_ending(&fresh, "-wal").exists() {
        let full = std::io::ErrorKind::StorageFull.into();
        return Err(LedgerError::io(&fresh, "cannot be written in full")(full));
    }
    let folder = durable::parent_of(path);
    durable::sync_folder(folder).map_err(LedgerError::io(folder, "cannot be synced"))?;
    match old.as_deref().filter(|old| !old.exists()) {
        Some(old) => move_aside(path, old)?,
        // What is there holds nothing, and its write-ahead log must not come beside the old database.
        None => remove(path)?,
    }
    std::fs::rename(&fresh, path).map_err(LedgerError::io(&fresh, "cannot be put in place"))?;
    durable::sync_folder(folder).map_err(LedgerError::io(folder, "cannot be synced"))?;
    Ok((Private::open(path)?, old))
}

/// The database goes last: until then a restore begins again with all of it.
fn move_aside(path: &Path, old: &Path) -> Result<(), LedgerError> {
    for ending in ["-shm", "-wal", ""] {
        let (from, to) = (with_ending(path, ending), with_ending(old, ending));
        if from.exists() {
            std::fs::rename(&from, &to).map_err(LedgerError::io(&from, "cannot be moved aside"))?;
        }
    }
    Ok(())
}

/// A copy of the database at `from`, without its write-ahead log, if that is whole.
fn copied(from: &Path, fresh: &Path) -> Result<Option<Private>, LedgerError> {
    std::fs::copy(from, fresh).map_err(LedgerError::io(fresh, "cannot be written"))?;
    match Private::upgrade(fresh).and_then(|()| sound(fresh)) {
        Ok(private) => Ok(Some(private)),
        Err(error) if error.is_private_damage() => {
            remove(fresh)?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// How the names of databases that were put aside begin.
const ASIDE: &str = "private.db.old";

/// The database that was put aside last.
fn last_aside(folder: &Path) -> Option<PathBuf> {
    let named = (1..).map(|n| folder.join(format!("{ASIDE}-{n}")));
    named.take_while(|path| path.exists()).last()
}

/// Removes a database that was being made.
fn remove(path: &Path) -> Result<(), LedgerError> {
    for ending in ["-wal", "-shm", ""] {
        let made = with_ending(path, ending);
        if made.exists() {
            std::fs::remove_file(&made).map_err(LedgerError::io(&made, "cannot be removed"))?;
        }
    }
    Ok(())
}

/// The database at `path`, if every table of it can be read.
fn sound(path: &Path) -> Result<Private, LedgerError> {
    let private = Private::open(path)?;
    private.built_on()?;
    private.sources()?;
    private.erasures()?;
    private.meta_names("")?;
    match private.damage()?.into_iter().next() {
        None => Ok(private),
        Some(what) => Err(private.damaged(&what)),
    }
}

/// Holds each row below `size` against the entry it belongs to: takes from `old` what is missing, makes
/// again what can be, and sets openings aside that are not of their entry.
pub(crate) fn mend(
    folder: &Path,
    private: &mut Private,
    old: Option<&Private>,
    size: u64,
) -> Result<Mended, LedgerError> {
    let mut reader = LogReader::open(folder)?;
    let mut mended = Mended::default();
    if let Some(old) = old {
        take_over(private, old)?;
    }
    // A restore that was killed before it had sealed them.
    mended.parts = private.meta(PARTS_LOST)?.map(|text| ranges(&text)).unwrap_or_default();
    openings(&mut reader, private, old, size, &mut mended)?;
    let (wrong, locations) = wrong(&mut reader, private, size)?;
    for chunk in wrong.chunks(AT_ONCE) {
        let mut rows = Vec::with_capacity(chunk.len());
        for index in chunk {
            let entry = reader.entry(*index)?;
            let Some(opening) = private.opening_of(*index, &entry)? else { continue };
            rows.push((*index, entry, opening));
        }
        let mut found = Vec::with_capacity(rows.len());
        let mut compared = Rows::new(private)?;
        for (index, entry, opening) in rows {
            let (row, said) = beside(index, &entry, &opening, &mut compared)?;
            let lost = [Parts::DOCUMENT, Parts::LISTING, DOCUMENT_DIFFERS];
            if said.iter().any(|what| lost.contains(what)) {
                extend(&mut mended.parts, index);
            }
            found.push((index, entry, opening, row));
        }
        let mut made = Vec::with_capacity(found.len());
        for (index, entry, opening, row) in found {
            let row = again(row, &entry, &opening, private, &locations)?;
            made.push((index, PreparedRow::of(entry.leaf(), row)));
        }
        mended.rebuilt += made.len() as u64;
        if !mended.parts.is_empty() {
            // Once the row is made again nothing else remembers what it lacks.
            private.set_meta(PARTS_LOST, Some(listed(&mended.parts).as_bytes()))?;
        }
        private.replace(made)?;
    }
    private.set_meta(TAKING_FROM, None)?;
    private.set_meta(LOOKUPS_WANTED, None)?;
    Ok(mended)
}

/// Ranges as a `gap` entry writes them.
pub(crate) fn listed(ranges: &[(u64, u64)]) -> String {
    let each: Vec<String> = ranges.iter().map(|(from, to)| format!("{from}-{}", to - 1)).collect();
    each.join(",")
}

/// What [`listed`] wrote.
fn ranges(text: &[u8]) -> Vec<(u64, u64)> {
    let text = String::from_utf8_lossy(text);
    let each = text.split(',').filter_map(|range| range.split_once('-'));
    each.filter_map(|(from, last)| Some((decimal(from)?, decimal(last)?.checked_add(1)?))).collect()
}

fn extend(ranges: &mut Vec<(u64, u64)>, index: u64) {
    match ranges.last_mut() {
        Some((_, to)) if *to == index => *to += 1,
        _ => ranges.push((index, index + 1)),
    }
}

/// Sources and marks of an old database, as far as they can be read.
fn take_over(private: &mut Private, old: &Private) -> Result<(), LedgerError> {
    for (_, name, location) in old.sources().unwrap_or_default() {
        private.source(&name, &location)?;
    }
    for name in old.meta_names("").unwrap_or_default() {
        let is_own = name == TAKING_FROM;
        if let (Ok(Some(value)), None, false) = (old.meta(&name), private.meta(&name)?, is_own) {
            private.set_meta(&name, Some(&value))?;
        }
    }
    Ok(())
}

/// Finds which openings are lost, after taking from `old` what it has. What is kept and is not of its
/// entry is set aside.
fn openings(
    reader: &mut LogReader,
    private: &mut Private,
    old: Option<&Private>,
    size: u64,
    mended: &mut Mended,
) -> Result<(), LedgerError> {
    let mut lookups = Lookups::default();
    for first in (0..size).step_by(AT_ONCE) {
        let (mut taken, mut foreign) = (Vec::new(), Vec::new());
        for index in first..size.min(first + AT_ONCE as u64) {
            let entry = reader.entry(index)?;
            if entry.statement().body.fields().is_none() {
                continue;
            }
            let found = private.opening_of(index, &entry)?;
            if found.is_none() {
                foreign.push(index);
            }
            let found = match (found, old) {
                (None, Some(old)) => {
                    let row = of_old(index, &entry, old, &mut lookups);
                    row.map(|(opening, row)| {
                        taken.push((index, row));
                        opening
                    })
                }
                (found, _) => found,
            };
            match found {
                Some(opening) => mended.erased += u64::from(is_erased(&opening)),
                None => extend(&mut mended.missing, index),
            }
        }
        private.set_aside(&foreign)?;
        private.replace(taken)?;
    }
    Ok(())
}

/// What an old database still has of an entry. What it lost of it is told by the digests that it kept.
fn of_old(
    index: u64,
    entry: &UnverifiedEntry,
    old: &Private,
    lookups: &mut Lookups,
) -> Option<(VerifiedOpening, PreparedRow)> {
    let opening = old.opening_of(index, entry).ok()??;
    let lookups = lookups.of(old, index).unwrap_or_default();
    let beside = old.beside(index, lookups).unwrap_or_default();
    let row = Row { opening: opening.opening().clone(), ..beside };
    let parts = old.parts(index).unwrap_or_default();
    Some((opening, PreparedRow::kept(entry.leaf(), row, parts)))
}

/// The entries of which something beside the opening is wrong, and where each source was, by its passes.
fn wrong(
    reader: &mut LogReader,
    private: &Private,
    size: u64,
) -> Result<(Vec<u64>, BTreeMap<String, String>), LedgerError> {
    let (mut wrong, mut locations) = (Vec::new(), BTreeMap::new());
    let mut rows = Rows::new(private)?;
    for index in 0..size {
        let entry = reader.entry(index)?;
        let Some(opening) = private.opening_of(index, &entry)? else { continue };
        if entry.statement().kind == Kind::Pass {
            locations.extend(location(&opening));
        }
        if !beside(index, &entry, &opening, &mut rows)?.1.is_empty() {
            wrong.push(index);
        }
    }
    Ok((wrong, locations))
}

/// What is kept beside an opening, and what is wrong with it.
fn beside(
    index: u64,
    entry: &UnverifiedEntry,
    opening: &VerifiedOpening,
    rows: &mut Rows<'_>,
) -> Result<(Row, Vec<&'static str>), LedgerError> {
    match rows.beside(index, entry, opening) {
        Err(error) if error.is_private_damage() => Ok((Row::default(), Parts::DIFFERING.to_vec())),
        found => found,
    }
}

/// The name and the place of the source of a pass.
fn location(opening: &VerifiedOpening) -> Option<(String, String)> {
    let value = |pointer: &str| {
        let mut fields = opening.fields().map(|field| &field.value);
        let found = fields.find(|value| value.source == "pass" && value.pointer == pointer);
        found.map(|value| value.value.clone())
    };
    Some((value("/source/name")?, value("/source/location")?))
}

/// The row of an entry, made again from its opening: documents that it commits to stay, and the object's
/// stamp, by which an ingest would know it unread, is forgotten.
fn again(
    row: Row,
    entry: &UnverifiedEntry,
    opening: &VerifiedOpening,
    private: &mut Private,
    locations: &BTreeMap<String, String>,
) -> Result<Row, LedgerError> {
    // What was erased is found by nothing any more.
    let is_erased = is_erased(opening);
    let mut fresh = Row {
        opening: opening.opening().clone(),
        lookups: if is_erased { Vec::new() } else { own_lookups(entry) },
        supersedes: superseded_by(entry),
        listing: row.listing,
        erases: row.erases,
        ..Row::default()
    };
    let Body::Recording(recording) = &entry.statement().body else {
        fresh.watched = watched(row.watched, entry, opening, private)?;
        return Ok(fresh);
    };
    let disclosed = Disclosed::of(recording, Some(opening));
    let companions = disclosed.companions().values();
    let digests: HashSet<Hash> = companions.clone().filter_map(|c| c.sha256).collect();
    fresh.documents = row.documents;
    fresh.documents.retain(|document| digests.contains(&Hash::of(&[&document.bytes])));
    let object = disclosed.object();
    let name = match (object.store.as_deref(), &object.bucket) {
        (Some("folder"), Some(bucket)) => Some(bucket.clone()),
        (Some(_), Some(bucket)) => Some(format!("s3://{bucket}")),
        _ => None,
    };
    let (Some(name), Some(key), Some(subject), Some(sha256)) =
        (name, object.key.clone(), entry.statement().subject, disclosed.sha256())
    else {
        // Erased, or from elsewhere: what is there of the object stays.
        (fresh.object, fresh.watched) = (row.object, row.watched);
        if !is_erased {
            fresh.lookups.extend(recording_lookups("", &[], &disclosed, opening));
        }
        return Ok(fresh);
    };
    let known = private.sources()?.into_iter().find(|(_, known, _)| *known == name);
    let source = match known {
        Some((number, ..)) => number,
        None => private.source(&name, locations.get(&name).map_or("unknown", String::as_str))?,
    };
    let told = companions.filter_map(|companion| {
        let key = companion.key.as_deref()?;
        Some((key, companion.role.as_deref()?, companion.sha256.as_ref()?))
    });
    if !is_erased {
        fresh.lookups.extend(recording_lookups(&name, &key, &disclosed, opening));
    }
    let watched = Watched::of(opening, (source, key.clone(), subject), entry.statement().at);
    fresh.watched = Some(watched);
    fresh.object = Some(ObjectState {
        source,
        key,
        stamp: Vec::new(),
        subject,
        sha256,
        companions: companions_digest(told),
        incomplete: recording.completeness.is_some_and(|c| !c.complete),
    });
    Ok(fresh)
}

/// How an observation says that its object stands; what is there, where the opening does not tell.
fn watched(
    kept: Option<Watched>,
    entry: &UnverifiedEntry,
    opening: &VerifiedOpening,
    private: &Private,
) -> Result<Option<Watched>, LedgerError> {
    let statement = entry.statement();
    let (Some(subject), false) = (statement.subject, is_erased(opening)) else { return Ok(kept) };
    let value = |pointer| opening.value(object::SOURCE, pointer);
    let key = opening.opening().field(object::SOURCE, object::KEY);
    let (Some(store), Some(bucket), Some(key), Kind::Observation) =
        (value(object::STORE), value(object::BUCKET), key, &statement.kind)
    else {
        return Ok(kept);
    };
    let name = if store == "folder" { bucket.to_owned() } else { format!("s3://{bucket}") };
    let source = private.sources()?.into_iter().find(|(_, known, _)| *known == name);
    let of = |(source, ..): (i64, _, _)| {
        Watched::of(opening, (source, key.value.to_bytes(), subject), statement.at)
    };
    Ok(source.map(of))
}
