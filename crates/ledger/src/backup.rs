//! Copies a ledger while it is in use: the log at one checkpoint, then private.db, then the keys.
//!
//! In this order what is copied fits together: private.db has at least what the copied log has, and what it has
//! beyond is set aside by a restore. The store is not copied, for it is built from the log.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::backup::Backup as Pages;
use rusqlite::{Connection, OpenFlags};
use unbroken_evidence::tile::{TileReader as _, bundles, hash_tiles};

use crate::durable;
use crate::error::LedgerError;
use crate::head_copy;
use crate::place::private_path;
use crate::private::Private;
use crate::reader::{LogReader, log_folder};

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Entries of the log.
    pub entries: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Copies the ledger in `folder` to `to`, a folder that is empty or not there; the keys only `with_keys`.
///
/// # Errors
/// `NotEmpty` and `Inside` for `to`; those of log, private.db and the system: then the copy is not whole.
pub fn backup(folder: &Path, to: &Path, with_keys: bool) -> Result<Backup, LedgerError> {
    let reader = LogReader::open(folder)?;
    let private = Private::open_to_read(&private_path(folder))?;
    let mut copy = Copy { to: to.to_owned(), bytes: 0, touched: BTreeSet::new() };
    copy.begin(folder, &private)?;
    copy.log(&reader)?;
    copy.private(&private)?;
    copy.head_copy(folder)?;
    if with_keys {
        copy.keys(&folder.join("keys"))?;
    }
    copy.finish()?;
    Ok(Backup { entries: reader.checkpoint().size, bytes: copy.bytes })
}

struct Copy {
    to: PathBuf,
    bytes: u64,
    touched: BTreeSet<PathBuf>,
}

impl Copy {
    /// Neither inside the ledger nor inside a source of it, whose next run would seal the keys.
    fn begin(&self, folder: &Path, private: &Private) -> Result<(), LedgerError> {
        let made = |error| LedgerError::io(&self.to, "cannot be made")(error);
        let outside = folder.canonicalize().map_err(LedgerError::io(folder, "cannot be read"))?;
        let to = std::path::absolute(&self.to).map_err(made)?;
        // What is not there yet is nowhere else than the folder that it will be in.
        let above = to.ancestors().find_map(|above| above.canonicalize().ok());
        let sources =
            private.sources()?.into_iter().map(|(_, _, location)| PathBuf::from(location));
        let sources = sources.filter_map(|source| source.canonicalize().ok());
        let mut never = std::iter::once(outside).chain(sources);
        if above.is_some_and(|above| never.any(|folder| above.starts_with(folder))) {
            return Err(LedgerError::Inside { path: self.to.clone() });
        }
        durable::create_folder(&self.to).map_err(made)?;
        match fs::read_dir(&self.to).map_err(made)?.next() {
            Some(_) => Err(LedgerError::NotEmpty { path: self.to.clone() }),
            None => Ok(()),
        }
    }

    fn file(&mut self, path: &Path, bytes: &[u8], mode: u32) -> Result<(), LedgerError> {
        let parent = durable::parent_of(path);
        durable::create_folder(parent).map_err(LedgerError::io(parent, "cannot be made"))?;
        durable::write_file_unsynced(path, bytes, mode)
            .map_err(LedgerError::io(path, "cannot be written"))?;
        self.touched.insert(parent.to_owned());
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Every file that the checkpoint needs, and the checkpoint last: without it this is no log.
    fn log(&mut self, reader: &LogReader) -> Result<(), LedgerError> {
        let folder = log_folder(&self.to);
        let size = reader.checkpoint().size;
        let mut files = reader.files();
        for tile in bundles(size).chain(hash_tiles(size)) {
            let bytes = files.tile(tile)?;
            self.file(&folder.join(tile.path()), &bytes, 0o644)?;
        }
        self.synced()?;
        self.file(&folder.join("checkpoint"), reader.checkpoint_note(), 0o644)
    }

    /// In one step: whoever writes meanwhile writes beside it, and it is of one moment.
    fn private(&mut self, private: &Private) -> Result<(), LedgerError> {
        let path = private_path(&self.to);
        self.file(&path, b"", 0o600)?;
        let failed = |source| LedgerError::Private {
            path: path.clone(),
            doing: "cannot be written",
            source,
        };
        let mut copy = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .map_err(failed)?;
        let pages = Pages::new(&private.db, &mut copy).map_err(failed)?;
        pages.step(-1).map_err(failed)?;
        drop(pages);
        copy.close().map_err(|(_, error)| failed(error))?;
        let file = fs::File::open(&path).and_then(|file| {
            file.sync_all()?;
            file.metadata()
        });
        let metadata = file.map_err(LedgerError::io(&path, "cannot be synced"))?;
        self.bytes += metadata.len();
        Ok(())
    }

    /// Where each checkpoint is also written: a copy that is put back must be held against it.
    fn head_copy(&mut self, folder: &Path) -> Result<(), LedgerError> {
        let path = head_copy::place_of(folder);
        match fs::read(&path) {
            Ok(place) => self.file(&head_copy::place_of(&self.to), &place, 0o600),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(LedgerError::io(&path, "cannot be read")(error)),
        }
    }

    fn keys(&mut self, keys: &Path) -> Result<(), LedgerError> {
        let failed = || LedgerError::io(keys, "cannot be read");
        let folder = self.to.join("keys");
        durable::create_folder(&folder).map_err(LedgerError::io(&folder, "cannot be made"))?;
        let only_owner = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o700);
        fs::set_permissions(&folder, only_owner)
            .map_err(LedgerError::io(&folder, "cannot be taken from others"))?;
        for entry in fs::read_dir(keys).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            if entry.file_type().map_err(failed())?.is_file() {
                let bytes = fs::read(entry.path()).map_err(failed())?;
                self.file(&folder.join(entry.file_name()), &bytes, 0o600)?;
            }
        }
        Ok(())
    }

    fn synced(&mut self) -> Result<(), LedgerError> {
        for folder in std::mem::take(&mut self.touched) {
            durable::sync_folder(&folder).map_err(LedgerError::io(&folder, "cannot be synced"))?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), LedgerError> {
        self.touched.insert(self.to.clone());
        self.synced()
    }
}
