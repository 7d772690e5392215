//! One segment of the store: a database of sled 0.34.7, with the fsync that sled leaves out.
//!
//! sled's `flush` issues no fsync: in a simulated power cut everything acknowledged was lost, and
//! sled then opened empty and without an error. So after each flush sled's `db` file is synced by a
//! handle of its own, and every file that sled made since (docs/decisions/sled.md).
//! Keys are sequential and inserted one by one: random keys and large batches took gigabytes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use unbroken_evidence::hash::Hash;

use super::STORE_FORMAT;
use super::database::Database;
use crate::durable;
use crate::error::StoreError;
use crate::head::Head;
use crate::record;

const HEAD: &[u8] = b"head";
const CHECKPOINT: &[u8] = b"checkpoint";
const FORMAT: &[u8] = b"format";
/// How the names of sled's snapshots begin, and how those end that were never finished.
const SNAPSHOT: &str = "snap.";
const UNFINISHED: &str = ".generating";

/// A sled database in a folder, with some of the entries, and the head as it was after the last of them.
pub(super) struct Segment {
    database: Database,
    folder: PathBuf,
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
        let database = match Database::open(folder) {
            // Everything that a snapshot holds is in sled's log too: it is read from there again.
            Err(StoreError::Record(_) | StoreError::Sled(sled::Error::Corruption { .. }))
                if set_aside(folder, |_| true)? =>
            {
                Database::open(folder)?
            }
            opened => opened?,
        };
        let mut store = Self { database, folder: folder.to_owned(), synced: BTreeSet::new() };
        match store.database.named().get(FORMAT)? {
            Some(bytes) => {
                let number = <[u8; 4]>::try_from(bytes.as_ref());
                let number = number.map_or(u32::MAX, u32::from_be_bytes);
                if number != STORE_FORMAT {
                    return Err(StoreError::Format(number));
                }
            }
            None => {
                store.database.named().insert(FORMAT, &STORE_FORMAT.to_be_bytes())?;
            }
        }
        store.sync()?;
        Ok(store)
    }

    /// Flushes sled and makes all its files durable.
    fn sync(&mut self) -> Result<(), StoreError> {
        self.database.sync()?;
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
        Ok(self.database.named().contains_key(HEAD)?)
    }

    /// The head after the last entry of this segment; `None` where none was ever written.
    pub(super) fn head(&self) -> Result<Option<Head>, StoreError> {
        self.database.named().get(HEAD)?.map(|bytes| record::decode_head(&bytes)).transpose()
    }

    pub(super) fn entry(&self, index: u64) -> Result<Option<(Hash, Vec<u8>)>, StoreError> {
        let found = self.database.entries().get(index.to_be_bytes())?;
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
            self.database
                .entries()
                .insert(index.to_be_bytes(), record::encode_entry(leaf, note))?;
        }
        if let Some(checkpoint) = checkpoint {
            self.database.named().insert(CHECKPOINT, checkpoint)?;
        }
        // One sync covers all: sled writes its log in order and does not replay what follows a torn
        // write, so the head is never there without the entries that it names.
        self.database.named().insert(HEAD, record::encode_head(head))?;
        self.sync()
    }

    pub(super) fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.database.named().get(CHECKPOINT)?.map(|bytes| bytes.to_vec()))
    }

    pub(super) fn put_checkpoint(&mut self, note: &[u8]) -> Result<(), StoreError> {
        self.database.named().insert(CHECKPOINT, note)?;
        self.sync()
    }
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
