//! A database of sled 0.34.7, opened and let go without a panic.
//!
//! sled panics on some damaged files, and where the sync fails with which it lets its file go. Both are
//! errors of a disk here, not mistakes of a program: neither ends the command nor prints a trace.

use std::cell::Cell;
use std::fs::File;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;
use std::time::{Duration, Instant};

use crate::error::StoreError;

const ENTRIES: &[u8] = b"entries";
const CACHE_BYTES: u64 = 64 << 20;
const FLUSH_EVERY_MS: u64 = 200;
const LOCK_WAIT: Duration = Duration::from_secs(5);
const LOCK_RETRY: Duration = Duration::from_millis(5);

/// An open database: what stands by name, and the entries by index.
pub(super) struct Database {
    /// There until it is dropped.
    trees: Option<Trees>,
    file: File,
}

struct Trees {
    named: sled::Db,
    entries: sled::Tree,
}

impl Database {
    /// Opens the database in `folder`; makes one where there is none.
    ///
    /// # Errors
    /// See [`StoreError`]; `Record` for files that are damaged.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        let opened = caught(|| {
            let config = sled::Config::new()
                .path(folder)
                .cache_capacity(CACHE_BYTES)
                .flush_every_ms(Some(FLUSH_EVERY_MS));
            let named = open_when_free(&config)?;
            let entries = named.open_tree(ENTRIES)?;
            let file = File::open(folder.join("db"))?;
            Ok(Self { trees: Some(Trees { named, entries }), file })
        });
        opened.unwrap_or_else(|| Err(StoreError::Record("its files are damaged".to_owned())))
    }

    /// What stands by name.
    pub(super) fn named(&self) -> &sled::Db {
        &self.trees().named
    }

    /// The entries, by index.
    pub(super) fn entries(&self) -> &sled::Tree {
        &self.trees().entries
    }

    /// Hands everything to the operating system, and has it write sled's log to the disk.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.named().flush()?;
        Ok(self.file.sync_all()?)
    }

    #[expect(clippy::expect_used, reason = "only `drop` takes them")]
    fn trees(&self) -> &Trees {
        self.trees.as_ref().expect("a database has its trees until it is dropped")
    }
}

impl Drop for Database {
    /// On a disk that is failing, which was reported already, a handle stays until the process ends: sled
    /// would try to write again. It may fail at that very moment too.
    fn drop(&mut self) {
        let trees = self.trees.take();
        if self.file.sync_all().is_err() {
            std::mem::forget(trees);
        } else {
            caught(|| drop(trees));
        }
    }
}

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// What `work` returns; `None` where it panics, of which nothing is printed.
fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let printing = panic::take_hook();
        panic::set_hook(Box::new(move |of| {
            if !CATCHING.get() {
                printing(of);
            }
        }));
    });
    let before = CATCHING.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(before);
    done.ok()
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

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_is_caught_and_the_next_work_runs() {
        assert_eq!(caught(|| -> u8 { panic!("of the library") }), None);
        assert_eq!(caught(|| 7), Some(7));
    }
}
