//! Where the parts of a ledger stand in its folder, and whether they are there.

use std::path::{Path, PathBuf};

use crate::error::{LedgerError, StoreError};
use crate::head::Head;
use crate::reader::log_folder;
use crate::store::{SledStore, Store};

/// The store's folder of the ledger in `folder`.
#[must_use]
pub fn store_folder(folder: &Path) -> PathBuf {
    folder.join("store")
}

/// private.db of the ledger in `folder`.
#[must_use]
pub fn private_path(folder: &Path) -> PathBuf {
    folder.join("private.db")
}

/// Opens the store of the ledger in `folder`, which must be there.
pub(crate) fn open_store(folder: &Path) -> Result<Box<dyn Store>, LedgerError> {
    let path = store_folder(folder);
    if !path.join("db").exists() {
        return Err(LedgerError::Store { path, source: StoreError::Missing });
    }
    match SledStore::open(&path) {
        Ok(store) => Ok(Box::new(store)),
        Err(StoreError::Format(found)) => {
            let known = crate::store::STORE_FORMAT;
            Err(if found > known {
                LedgerError::Newer { path, found, known }
            } else {
                LedgerError::Older { path, found, known }
            })
        }
        Err(source) => Err(LedgerError::Store { path, source }),
    }
}

/// A ledger has a folder of keys, whoever may read them.
pub(crate) fn must_be_a_ledger(folder: &Path) -> Result<(), LedgerError> {
    let keys = folder.join("keys");
    match std::fs::metadata(&keys) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(LedgerError::io(&keys, "cannot be looked at")(error))
        }
        _ if private_path(folder).exists() || log_folder(folder).exists() => {
            Err(LedgerError::Key {
                path: keys,
                why: "the folder of the keys is missing".to_owned(),
            })
        }
        _ => Err(LedgerError::NotALedger { path: folder.to_owned() }),
    }
}

/// The head of the store of the ledger in `folder`.
pub(crate) fn head_of(folder: &Path, store: &dyn Store) -> Result<Head, LedgerError> {
    let head = store.head();
    let head = head.map_err(|source| LedgerError::Store { path: store_folder(folder), source })?;
    Ok(head.unwrap_or_default())
}

/// The file beside `path` whose name goes on with `ending`.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// How far an `init` in a folder came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// The folder is empty.
    Nothing,
    /// It was killed before anything was sealed; keys may be there.
    Keys,
    /// It was killed when the genesis was in the store, and the log not published.
    Sealed,
}

/// The mark of an `init` that has begun and not ended. Keys without it are those of a ledger whose other
/// parts are lost: a new genesis under them would be a second ledger of the same keys.
pub(crate) fn init_mark(folder: &Path) -> PathBuf {
    folder.join("init-begun")
}

/// Refuses a folder in which anything is but what an `init` that was killed has left.
pub(crate) fn must_be_free(folder: &Path) -> Result<(), LedgerError> {
    let taken = || LedgerError::NotEmpty { path: folder.to_owned() };
    let listed = std::fs::read_dir(folder).map_err(LedgerError::io(folder, "cannot be read"))?;
    let others =
        listed.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name() != "lock"));
    let is_begun = init_mark(folder).exists();
    let published = log_folder(folder).join("checkpoint").exists();
    if published || others.count() > 0 && !is_begun { Err(taken()) } else { Ok(()) }
}

/// How far an `init` in `folder`, which is free, came.
pub(crate) fn begun(folder: &Path) -> Result<Begun, LedgerError> {
    if !init_mark(folder).exists() {
        return Ok(Begun::Nothing);
    }
    match open_store(folder) {
        Ok(store) if head_of(folder, &*store)?.size() > 0 => Ok(Begun::Sealed),
        Ok(_) | Err(LedgerError::Store { source: StoreError::Missing, .. }) => Ok(Begun::Keys),
        Err(error) => Err(error),
    }
}

/// Removes what an `init` that failed has made, so that it can be repeated; the first error counts.
pub(crate) fn remove_unfinished(folder: &Path) {
    for name in ["keys", "store", "log"] {
        let _ = std::fs::remove_dir_all(folder.join(name));
    }
    for name in
        ["private.db", "private.db-wal", "private.db-shm", "head-copy", "lock", "init-begun"]
    {
        let _ = std::fs::remove_file(folder.join(name));
    }
}
