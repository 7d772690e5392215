//! One segment of the store: a database of sled 0.34.7, with the fsync that sled leaves out.
//!
//! sled's `flush` issues no fsync: in a simulated power cut everything acknowledged was lost, and
//! sled then opened empty and without an error. So after each flush this file syncs sled's `db`
//! file by a handle of its own, and every file that sled made since (docs/decisions/sled.md).
//! Keys are sequential and inserted one by one: random keys and large batches took gigabytes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use unbroken_evidence::hash::Hash;

use super::STORE_FORMAT;
use crate::durable;
use crate::error::StoreError;
use crate::head::Head;
use crate::record;

const HEAD: &[u8] = b"head";
const CHECKPOINT: &[u8] = b"checkpoint";
const FORMAT: &[u8] = b"format";
const ENTRIES: &[u8] = b"entries";
const CACHE_BYTES: u64 = 64 << 20;
const FLUSH_EVERY_MS: u64 = 200;
/// How the names of sled's snapshots begin, and how those end that were never finished.
const SNAPSHOT: &str = "snap.";
const UNFINISHED: &str = ".generating";
const LOCK_WAIT: Duration = Duration::from_secs(5);
const LOCK_RETRY: Duration = Duration::from_millis(5);

/// A sled database in a folder, with some of the entries, and the head as it was after the last of them.
pub(super) struct Segment {
    db: sled::Db,
    entries: sled::Tree,
    folder: PathBuf,
    file: File,
    synced: BTreeSet<PathBuf>,
}

impl Segment {
    /// Opens the segment in `folder`; makes one where there is none.
    ///
    /// # Errors
    /// See [`StoreError`]; `Format` for another format number than [`STORE_FORMAT`].
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        durable::create_folder(folder)?;
        set_aside(folder, |name| name.ends_with(UNFINISHED))?;
        let (db, entries) = match open_sled(folder) {
            // Everything that a snapshot holds is in sled's log too: it is read from there again.
            Err(StoreError::Record(_) | StoreError::Sled(sled::Error::Corruption { .. }))
                if set_aside(folder, |_| true)? =>
            {
                open_sled(folder)?
            }
            opened => opened?,
        };
        let file = File::open(folder.join("db"))?;
        let mut store =
            Self { db, entries, folder: folder.to_owned(), file, synced: BTreeSet::new() };
        match store.db.get(FORMAT)? {
            Some(bytes) => {
                let number = <[u8; 4]>::try_from(bytes.as_ref());
                let number = number.map_or(u32::MAX, u32::from_be_bytes);
                if number != STORE_FORMAT {
                    return Err(StoreError::Format(number));
                }
            }
            None => {
                store.db.insert(FORMAT, &STORE_FORMAT.to_be_bytes())?;
            }
        }
        store.sync()?;
        Ok(store)
    }

    /// Flushes sled and makes all its files durable.
    fn sync(&mut self) -> Result<(), StoreError> {
        self.db.flush()?;
        self.file.sync_all()?;
        let mut names_changed = false;
        for folder in [self.folder.clone(), self.folder.join("blobs")] {
            let Ok(listed) = fs::read_dir(&folder) else { continue };
            for entry in listed {
                let path = entry?.path();
                if path.is_file() && !self.synced.contains(&path) {
                    match File::open(&path) {
                        Ok(file) => file.sync_all()?,
                        // sled replaces its snapshots: a file may be gone before it is opened.
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                        Err(error) => return Err(error.into()),
                    }
                    self.synced.insert(path);
                    names_changed = true;
                }
            }
            if names_changed {
                durable::sync_folder(&folder)?;
            }
        }
        if names_changed {
            durable::sync_folder(durable::parent_of(&self.folder))?;
        }
        Ok(())
    }

    /// Whether a head was ever written, in whatever state it is now.
    pub(super) fn is_written(&self) -> Result<bool, StoreError> {
        Ok(self.db.contains_key(HEAD)?)
    }

    /// The head after the last entry of this segment; `None` where none was ever written.
    pub(super) fn head(&self) -> Result<Option<Head>, StoreError> {
        self.db.get(HEAD)?.map(|bytes| record::decode_head(&bytes)).transpose()
    }

    pub(super) fn entry(&self, index: u64) -> Result<Option<(Hash, Vec<u8>)>, StoreError> {
        let found = self.entries.get(index.to_be_bytes())?;
        found.map(|bytes| record::decode_entry(&bytes)).transpose()
    }

    /// Stores entries, the checkpoint if one is given, then the head, durably.
    pub(super) fn append(
        &mut self,
        first: u64,
        entries: &[(Hash, Vec<u8>)],
        checkpoint: Option<&[u8]>,
        head: &Head,
    ) -> Result<(), StoreError> {
        for (index, (leaf, note)) in (first..).zip(entries) {
            self.entries.insert(index.to_be_bytes(), record::encode_entry(leaf, note))?;
        }
        if let Some(checkpoint) = checkpoint {
            self.db.insert(CHECKPOINT, checkpoint)?;
        }
        // One sync covers all: sled writes its log in order and does not replay what follows a torn
        // write, so the head is never there without the entries that it names.
        self.db.insert(HEAD, record::encode_head(head))?;
        self.sync()
    }

    pub(super) fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get(CHECKPOINT)?.map(|bytes| bytes.to_vec()))
    }

    pub(super) fn put_checkpoint(&mut self, note: &[u8]) -> Result<(), StoreError> {
        self.db.insert(CHECKPOINT, note)?;
        self.sync()
    }
}

impl Drop for Segment {
    /// sled syncs its file once more when its last handle goes, and panics where that fails. On a disk that
    /// is failing, which was reported already, a handle stays until the process ends.
    fn drop(&mut self) {
        if self.file.sync_all().is_err() {
            std::mem::forget((self.db.clone(), self.entries.clone()));
        }
    }
}

fn open_sled(folder: &Path) -> Result<(sled::Db, sled::Tree), StoreError> {
    let path = folder.to_owned();
    // sled panics on some damaged files; that is a store that cannot be read, and no more.
    let opened = std::panic::catch_unwind(|| {
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(Some(FLUSH_EVERY_MS));
        let db = open_when_free(&config)?;
        let entries = db.open_tree(ENTRIES)?;
        Ok::<_, sled::Error>((db, entries))
    });
    Ok(opened.map_err(|_| StoreError::Record("its files are damaged".to_owned()))??)
}

/// Moves snapshots of sled's that are `unwanted` to a folder beside; says whether there was one.
///
/// A full disk, or a kill while sled opens, leaves a snapshot half written under a name that sled takes
/// for its newest one, and then refuses to open.
fn set_aside(folder: &Path, unwanted: impl Fn(&str) -> bool) -> Result<bool, StoreError> {
    let mut any = false;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with(SNAPSHOT) || !unwanted(name) {
            continue;
        }
        move_aside(folder, name)?;
        any = true;
    }
    Ok(any)
}

/// Moves what has this name in `folder` to a folder beside, under a name that is free: nothing is deleted.
pub(super) fn move_aside(folder: &Path, name: &str) -> Result<(), StoreError> {
    let aside = folder.join("aside");
    durable::create_folder(&aside)?;
    let free = (1..).map(|n| aside.join(format!("{name}-{n}"))).find(|place| !place.exists());
    fs::rename(folder.join(name), free.unwrap_or_else(|| aside.join(name)))?;
    durable::sync_folder(&aside)?;
    durable::sync_folder(folder)?;
    Ok(())
}

/// sled gives its lock back when the last of its threads has ended, which may be a moment after the
/// handle was dropped; no other process is meant, for ledgers have a lock of their own.
fn open_when_free(config: &sled::Config) -> sled::Result<sled::Db> {
    let began = Instant::now();
    loop {
        match config.open() {
            Err(sled::Error::Io(error))
                if error.to_string().starts_with("could not acquire lock")
                    && began.elapsed() < LOCK_WAIT =>
            {
                std::thread::sleep(LOCK_RETRY);
            }
            other => return other,
        }
    }
}
