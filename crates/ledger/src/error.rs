//! What can go wrong with a ledger, and what to do next.

use std::path::{Path, PathBuf};

use unbroken_evidence::error::FormError;

use crate::private::PRIVATE_FORMAT;
use crate::remembered;

/// Why a ledger refused or failed. Every one of these is exit code 4, or 5 for a mistake of ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The system failed to read or write.
    #[error("{}: {doing}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The head copy cannot be written.
    #[error("{}: the head copy cannot be written", path.display())]
    HeadCopy {
        /// Its place.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A head copy that was set is not there any more.
    #[error("{}: the head copy is missing", path.display())]
    HeadCopyMissing {
        /// Where it was.
        path: PathBuf,
    },
    /// The store failed.
    #[error("{}: the store failed", path.display())]
    Store {
        /// The store's folder.
        path: PathBuf,
        /// Its answer.
        source: StoreError,
    },
    /// private.db is not there.
    #[error("{}: it is missing", path.display())]
    NoPrivate {
        /// Where it should be.
        path: PathBuf,
    },
    /// private.db failed.
    #[error("{}: {doing}", path.display())]
    Private {
        /// The database.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// SQLite's answer.
        source: rusqlite::Error,
    },
    /// Another process holds the ledger.
    #[error("{}: held by {holder}", path.display())]
    Held {
        /// The ledger.
        path: PathBuf,
        /// Who holds it.
        holder: String,
    },
    /// There is no ledger there.
    #[error("{}: no ledger is there", path.display())]
    NotALedger {
        /// Where one was expected.
        path: PathBuf,
    },
    /// An `init` that did not come to its end: nothing was ever sealed there.
    #[error("{}: its `unbroken init` did not finish, and nothing was sealed", path.display())]
    Unfinished {
        /// The ledger.
        path: PathBuf,
    },
    /// A new ledger needs an empty place.
    #[error("{}: something is there already", path.display())]
    NotEmpty {
        /// The place.
        path: PathBuf,
    },
    /// A copy of a ledger inside it would be copied into the next one, and inside a source it would be sealed.
    #[error("{}: this is inside the ledger, or inside a source of it", path.display())]
    Inside {
        /// The place.
        path: PathBuf,
    },
    /// A key file that others can read, or that is not well formed.
    #[error("{}: {why}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The store lacks entries that were acknowledged, or is an old state.
    #[error("{}: the store has lost entries: it ends at {store}, but {witness} knows {known}", path.display())]
    StoreBehind {
        /// The ledger.
        path: PathBuf,
        /// The store's head.
        store: String,
        /// What knows more: private.db, the log, the head copy.
        witness: &'static str,
        /// The head that it knows.
        known: String,
    },
    /// Two parts of the ledger disagree on the same entries.
    #[error("{}: {witness} and the store disagree at size {size}: {known} and {store}", path.display())]
    Differs {
        /// The ledger.
        path: PathBuf,
        /// What disagrees with the store.
        witness: &'static str,
        /// The size at which they disagree.
        size: u64,
        /// What the witness says.
        known: String,
        /// What the store says.
        store: String,
    },
    /// private.db lacks openings of entries that exist.
    #[error("{}: private.db ends at {private}, the store at {store}", path.display())]
    PrivateBehind {
        /// The ledger.
        path: PathBuf,
        /// Entries that private.db knows.
        private: u64,
        /// Entries of the store.
        store: u64,
    },
    /// Written by a newer version of this program.
    #[error("{}: its format is {found}, this program knows up to {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format number.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// private.db of a version before the first that was released.
    #[error("{}: its format is {found}, this program writes {known}", path.display())]
    OlderPrivate {
        /// The file.
        path: PathBuf,
        /// Its format number.
        found: u32,
        /// The one that is written.
        known: u32,
    },
    /// Written by an older version: rebuilt from the log.
    #[error("{}: its format is {found}, older than {known}", path.display())]
    Older {
        /// The store.
        path: PathBuf,
        /// Its format number.
        found: u32,
        /// The one that is written now.
        known: u32,
    },
    /// The log was never published, or is gone.
    #[error("{}: the published log is missing", path.display())]
    NoLog {
        /// The log's folder.
        path: PathBuf,
    },
    /// A published checkpoint or a head copy that is not this ledger's.
    #[error("{}: no checkpoint of this ledger: {why}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The published log does not verify.
    #[error("{}: the published log does not verify: {why}", path.display())]
    Log {
        /// The log's folder.
        path: PathBuf,
        /// The first contradiction.
        why: String,
    },
    /// An entry that was read back is not the one that was written.
    #[error("entry {index}: read back from the store it is not what was written")]
    ReadBack {
        /// Its index.
        index: u64,
    },
    /// A statement that breaks a rule of its form: our own mistake.
    #[error("an entry that would break its format")]
    Form(#[from] FormError),
    /// An earlier operation failed: the handle may not be used until the ledger is opened anew.
    #[error("an earlier write failed; nothing more is written until the ledger is opened anew")]
    Dead,
}

/// Whether SQLite says that the file itself is damaged, or a value has another type than was written.
fn is_damaged(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let is_emptied = error.to_string().contains("no such table");
    let is_other_value = matches!(
        error,
        E::FromSqlConversionFailure(..)
            | E::InvalidColumnType(..)
            | E::IntegralValueOutOfRange(..)
            | E::Utf8Error(..)
    );
    let code = error.sqlite_error_code();
    is_emptied || is_other_value || matches!(code, Some(DatabaseCorrupt | NotADatabase))
}

/// Why a store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// sled's own error.
    #[error("sled")]
    Sled(#[from] sled::Error),
    /// Its files are not there.
    #[error("it is missing")]
    Missing,
    /// A record that cannot be decoded.
    #[error("a record of the store cannot be read: {0}")]
    Record(String),
    /// The file system failed.
    #[error("the store's files could not be made durable")]
    Io(#[from] std::io::Error),
    /// Written by a version with another format number.
    #[error("format {0}")]
    Format(u32),
    /// A fault that a test injected.
    #[error("injected fault")]
    Injected,
}

/// What to do where this machine knows better than the ledger.
const OLD_STATE: &str = "nothing was written; this is an old state, or a copy that goes on beside another: bring the newest one back (docs/backup.md says what to do where it is lost)";

impl LedgerError {
    pub(crate) fn io(
        path: &Path,
        doing: &'static str,
    ) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, doing, source }
    }

    /// Whether a store that fails so is gone, damaged or older, rather than out of reach.
    pub(crate) const fn is_damage(&self) -> bool {
        match self {
            Self::Older { .. } => true,
            Self::Store { source, .. } => match source {
                StoreError::Missing | StoreError::Record(_) => true,
                StoreError::Sled(error) => !matches!(error, sled::Error::Io(_)),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether private.db, or a record in it, is damaged, rather than out of reach.
    pub(crate) fn is_private_damage(&self) -> bool {
        match self {
            Self::Private { source, .. } => is_damaged(source),
            Self::Store { source, .. } => matches!(source, StoreError::Record(_)),
            _ => false,
        }
    }

    /// What to do next, in one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Store { .. } => {
                "if the disk has room and you may write there, its files are damaged: keep a copy, then run `unbroken restore`"
            }
            Self::NoPrivate { .. } => {
                "put its newest copy back, then run `unbroken restore`, which says what is lost"
            }
            Self::Private { source, .. } if is_damaged(source) => {
                "run `unbroken restore`, which keeps the damaged file aside, takes over what can be read, and says what is lost"
            }
            Self::Private { .. } => {
                "check that you may read and write it and its folder, and that the disk has room"
            }
            Self::Checkpoint { .. } => {
                "if it is the head copy, name another file; if it is the log's, bring the log back from a copy"
            }
            Self::StoreBehind { witness: "the head copy", .. } => {
                "nothing was written; the newest log is missing: bring it back from its copy, then run `unbroken restore`"
            }
            Self::StoreBehind { witness: remembered::WITNESS, .. }
            | Self::Differs { witness: remembered::WITNESS, .. } => OLD_STATE,
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                "this user may not do that: run it as the user to whom the ledger belongs, or have them allow it"
            }
            Self::Io { .. } => {
                "check that the disk has room and that you may write there, then run the command again"
            }
            Self::HeadCopy { .. } => {
                "what is sealed stays sealed; bring the place back, or name another with --head-copy"
            }
            Self::HeadCopyMissing { .. } => {
                "nothing was written: without it nobody can tell whether this ledger is an old state; bring it back, or, if you are sure, name another with --head-copy"
            }
            Self::Held { .. } => {
                "run the command again when it has let go of the ledger: a run does at its end, a service between two looks"
            }
            Self::NotALedger { .. } => "make one with `unbroken init DIR --origin NAME`",
            Self::Unfinished { .. } => {
                "run `unbroken init` again with the same origin: it finishes what it began, with the same keys"
            }
            Self::NotEmpty { .. } => "choose a folder that does not exist yet",
            Self::Inside { .. } => {
                "choose a folder outside both, on another disk: private keys would be sealed or copied on"
            }
            Self::Key { .. } => {
                "only its owner may read a key file (chmod 600); if it is missing or another, bring it back from its backup"
            }
            Self::StoreBehind { .. } => {
                "nothing was written; keep a copy of the folder, then rebuild the store from the log with `unbroken restore`"
            }
            Self::Differs { .. } => {
                "nothing was written; keep a copy of the whole folder and find out which part was replaced"
            }
            Self::PrivateBehind { .. } => {
                "bring the newest private.db back, or run `unbroken restore`, which seals a `gap` entry"
            }
            Self::Newer { .. } => "use the newer version of this program",
            Self::OlderPrivate { found, .. } => of_older_private(*found),
            Self::Older { .. } => "run `unbroken restore`, which rebuilds the store from the log",
            Self::NoLog { .. } => {
                "if the store is there, the next `unbroken ingest` publishes the log again; otherwise bring it back from a copy"
            }
            Self::Log { .. } => {
                "what is sealed stays sealed; run `unbroken restore`, which writes the log again where the store is whole, or bring the log back from a copy"
            }
            Self::ReadBack { .. } => "the disk or memory is failing: stop, and check the machine",
            Self::Form(_) => "this is a mistake in this program: please report it",
            Self::Dead => "run the command again",
        }
    }

    /// The exit code: 5 for our own mistakes, otherwise 4.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        if matches!(self, Self::Form(_)) { 5 } else { 4 }
    }
}

/// What to do with a private.db of an older format.
const fn of_older_private(found: u32) -> &'static str {
    if found + 1 == PRIVATE_FORMAT {
        "`unbroken restore` brings it to this version"
    } else {
        "use the version of this program that wrote it"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_read_a_ledger_is_not_sent_to_look_for_room() {
        let io =
            |kind| LedgerError::io(Path::new("keys"), "cannot be read")(std::io::Error::from(kind));
        let hint = io(std::io::ErrorKind::PermissionDenied).hint();
        assert!(hint.contains("the user to whom the ledger belongs"), "{hint}");
        assert!(io(std::io::ErrorKind::StorageFull).hint().contains("room"));
    }
}
