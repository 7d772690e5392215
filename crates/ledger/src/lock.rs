//! One process appends at a time: an advisory lock on `DIR/lock`, which says who holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use unbroken_evidence::error::printable;

use crate::error::LedgerError;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

const HOLDER_BYTES_MAX: u64 = 200;
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

impl Lock {
    /// Takes the lock of the ledger `folder` for `holder`, a few words for the next who asks.
    ///
    /// # Errors
    /// `Held` when another process has it.
    pub fn take(folder: &Path, holder: &str) -> Result<Self, LedgerError> {
        let path = folder.join("lock");
        let failed = || LedgerError::io(&path, "the lock cannot be taken");
        let opened =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(failed())?;
        match locked(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::Held {
                    path: folder.to_owned(),
                    holder: holder_of(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed()(error)),
        }
        file.set_len(0).map_err(failed())?;
        file.rewind().map_err(failed())?;
        file.write_all(holder.as_bytes()).map_err(failed())?;
        Ok(Self { _file: file })
    }

    /// Who holds the lock of `folder`; `None` when nobody does.
    #[must_use]
    pub fn holder(folder: &Path) -> Option<String> {
        let mut file = File::open(folder.join("lock")).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(holder_of(&mut file)),
            _ => None,
        }
    }
}

/// Tries for a moment: somebody who only looks who holds the lock has it for an instant.
fn locked(file: &File) -> Result<(), TryLockError> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_TRIES),
            other => return other,
        }
    }
    file.try_lock()
}

fn holder_of(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(HOLDER_BYTES_MAX).read_to_string(&mut text);
    if read.is_err() || text.is_empty() { "another process".to_owned() } else { printable(&text) }
}
