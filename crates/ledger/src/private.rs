//! private.db: openings, lookups, captured documents, the state of sources. Private, searchable,
//! erasable; nothing in it is proof.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use unbroken_evidence::body::Subject;
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::opening::{Opening, VerifiedOpening};

use crate::error::LedgerError;
pub use crate::lookup::{Lookup, object_value};
use crate::place::with_ending;
pub use crate::row::{Document, ObjectState, Row, Settled, companions_digest};
use crate::row::{PreparedRow, write_rows};
pub use crate::state::Counts;
use crate::state::SUPERSEDED;
pub use crate::watch::{Standing, Watched};
use crate::{lookup, record, watch};

/// The format number of private.db.
pub const PRIVATE_FORMAT: u32 = 4;

const SCHEMA: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE built (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER, last_leaf BLOB);
CREATE TABLE openings (idx INTEGER PRIMARY KEY, leaf BLOB, opening BLOB, parts BLOB);
CREATE TABLE objects (idx INTEGER PRIMARY KEY, source INTEGER, key BLOB, stamp BLOB, subject BLOB,
                      sha256 BLOB, companions BLOB, incomplete INTEGER);
CREATE INDEX incomplete ON objects (idx) WHERE incomplete = 1;
CREATE TABLE documents (idx INTEGER, number INTEGER, key BLOB, bytes BLOB, PRIMARY KEY (idx, number))
    WITHOUT ROWID;
CREATE TABLE listings (idx INTEGER, part INTEGER, bytes BLOB, PRIMARY KEY (idx, part)) WITHOUT ROWID;
CREATE TABLE erasures (idx INTEGER PRIMARY KEY, target INTEGER);
CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT UNIQUE, location TEXT);
CREATE TABLE settled (source INTEGER, folder INTEGER, fingerprint BLOB, PRIMARY KEY (source, folder))
    WITHOUT ROWID;
CREATE TABLE aside (idx INTEGER, leaf BLOB, opening BLOB);
";
const TABLES_BY_INDEX: [&str; 7] =
    ["openings", "objects", "documents", "listings", "erasures", "watched", "superseded"];

/// Set while lookups are missing that this format has: nothing is answered from them until they were made.
pub const LOOKUPS_WANTED: &str = "lookups-wanted";

/// The database of a ledger.
#[derive(Debug)]
pub struct Private {
    pub(crate) db: Connection,
    pub(crate) path: PathBuf,
}

/// Takes the database at `path` from all but its owner: a copy that was put back is as open as the copying
/// left it, and it holds names and numbers in the clear. SQLite gives its own files the same mode.
fn owner_only(path: &Path) -> Result<(), LedgerError> {
    use std::os::unix::fs::PermissionsExt as _;
    for path in ["", "-wal", "-shm"].map(|ending| with_ending(path, ending)) {
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        if metadata.permissions().mode() & 0o077 != 0 {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
                .map_err(LedgerError::io(&path, "cannot be taken from others"))?;
        }
    }
    Ok(())
}

impl Private {
    pub(crate) fn failed(
        &self,
        doing: &'static str,
    ) -> impl Fn(rusqlite::Error) -> LedgerError + use<> {
        let path = self.path.clone();
        move |source| LedgerError::Private { path: path.clone(), doing, source }
    }

    /// Opens private.db for writing; makes it where there is none.
    ///
    /// # Errors
    /// `Private` from SQLite, `Newer` and `OlderPrivate` for another format.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        if !path.exists() {
            // Nobody else may read it, not even while it is made.
            use std::os::unix::fs::OpenOptionsExt as _;
            let made =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            made.map_err(LedgerError::io(path, "cannot be made"))?;
        }
        owner_only(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let private = Self::connect(path, flags)?;
        let failed = private.failed("cannot be opened");
        let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; \
                       PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 8192;";
        private.db.execute_batch(pragmas).map_err(&failed)?;
        let format = private.format()?;
        if format == 0 {
            let schema = format!(
                "BEGIN; {SCHEMA} {} {SUPERSEDED} PRAGMA user_version = {PRIVATE_FORMAT}; COMMIT;",
                [watch::SCHEMA, watch::HELD].concat()
            );
            private.db.execute_batch(&schema).map_err(&failed)?;
            let folder = crate::durable::parent_of(path);
            crate::durable::sync_folder(folder)
                .map_err(LedgerError::io(folder, "cannot be synced"))?;
        }
        let checkpoints = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        private.db.set_db_config(checkpoints, false).map_err(&failed)?;
        Ok(private)
    }

    /// Opens private.db for reading; never waits for a writer.
    ///
    /// # Errors
    /// As [`Private::open`].
    pub fn open_to_read(path: &Path) -> Result<Self, LedgerError> {
        if !path.exists() {
            return Err(LedgerError::NoPrivate { path: path.to_owned() });
        }
        let private = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        private.format()?;
        Ok(private)
    }

    /// The error that damage of the file is.
    pub(crate) fn damaged(&self, what: &str) -> LedgerError {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        let source = rusqlite::Error::SqliteFailure(code, Some(what.to_owned()));
        self.failed("is damaged")(source)
    }

    /// What SQLite finds wrong with the file itself, each a sentence.
    ///
    /// # Errors
    /// `Private`.
    pub(crate) fn damage(&self) -> Result<Vec<String>, LedgerError> {
        let failed = self.failed("cannot be read");
        let mut found = Vec::new();
        // The whole check also walks each index against its table; only these have any.
        let checks = [
            "PRAGMA quick_check(10)",
            "PRAGMA integrity_check('sources')",
            "PRAGMA integrity_check('watched')",
            "PRAGMA integrity_check('superseded')",
        ];
        for check in checks {
            let mut check = self.db.prepare(check).map_err(&failed)?;
            let rows = check.query_map([], |row| row.get::<_, String>(0));
            let rows: Vec<String> = rows.and_then(Iterator::collect).map_err(&failed)?;
            found.extend(rows.into_iter().filter(|row| row != "ok"));
        }
        Ok(found)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, LedgerError> {
        let failed = |source| LedgerError::Private {
            path: path.to_owned(),
            doing: "cannot be opened",
            source,
        };
        let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(failed)?;
        // Closed before it was read, SQLite takes a write-ahead log that it had no room to index for an empty
        // one, and removes it with all that was committed there.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
        db.busy_timeout(std::time::Duration::from_secs(10)).map_err(failed)?;
        db.set_prepared_statement_cache_capacity(256);
        Ok(Self { db, path: path.to_owned() })
    }

    fn format(&self) -> Result<u32, LedgerError> {
        let read = self.db.query_row("PRAGMA user_version", [], |row| row.get(0));
        let found: u32 = read.map_err(self.failed("cannot be read"))?;
        let (path, known) = (self.path.clone(), PRIVATE_FORMAT);
        match found {
            0 | PRIVATE_FORMAT => Ok(found),
            _ if found > PRIVATE_FORMAT => Err(LedgerError::Newer { path, found, known }),
            _ => Err(LedgerError::OlderPrivate { path, found, known }),
        }
    }

    /// Brings a database of the format before this one to this one: the lookups that it lacks are found missing
    /// then, and made again.
    ///
    /// # Errors
    /// `Private`.
    pub(crate) fn upgrade(path: &Path) -> Result<(), LedgerError> {
        let private = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let failed = private.failed("cannot be brought to this version");
        let read = private.db.query_row("PRAGMA user_version", [], |row| row.get(0));
        let found: u32 = read.map_err(&failed)?;
        if found + 1 != PRIVATE_FORMAT {
            return Ok(());
        }
        let held = watch::HELD;
        let mark = format!("INSERT OR REPLACE INTO meta VALUES ('{LOOKUPS_WANTED}', x'');");
        let schema = format!(
            "BEGIN; {SUPERSEDED} {held} {mark} PRAGMA user_version = {PRIVATE_FORMAT}; COMMIT;"
        );
        private.db.execute_batch(&schema).map_err(&failed)
    }

    /// Keeps `rows` for the entries from index `first` on, which build on `base`: one transaction.
    ///
    /// # Errors
    /// `Private`; then nothing of it was kept.
    pub(crate) fn commit(
        &mut self,
        base: (u64, Option<Hash>),
        first: u64,
        rows: Vec<PreparedRow>,
    ) -> Result<(), LedgerError> {
        let failed = self.failed("cannot be written");
        let transaction = self.db.transaction().map_err(&failed)?;
        let built = "INSERT OR REPLACE INTO built VALUES (1, ?1, ?2)";
        let leaf = base.1.map(|leaf| *leaf.as_bytes());
        transaction.execute(built, params![to_row(base.0), leaf]).map_err(&failed)?;
        write_rows(&transaction, (first..).zip(rows)).map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    /// The head that the last transaction built on: size and last leaf.
    ///
    /// # Errors
    /// `Private`.
    pub fn built_on(&self) -> Result<Option<(u64, Option<Hash>)>, LedgerError> {
        let read = |row: &rusqlite::Row<'_>| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<[u8; 32]>>(1)?))
        };
        let found = self.db.query_row("SELECT size, last_leaf FROM built", [], read).optional();
        let found = found.map_err(self.failed("cannot be read"))?;
        Ok(found.map(|(size, leaf)| (from_row(size), leaf.map(Hash::new))))
    }

    /// One above the highest index with an opening.
    ///
    /// # Errors
    /// `Private`.
    pub fn end(&self) -> Result<u64, LedgerError> {
        let read =
            self.db.query_row("SELECT COALESCE(MAX(idx) + 1, 0) FROM openings", [], |r| r.get(0));
        read.map(from_row).map_err(self.failed("cannot be read"))
    }

    /// Removes every row at or beyond `size`: what a crash left half done, old salts included.
    ///
    /// # Errors
    /// `Private`.
    pub fn delete_from(&mut self, size: u64) -> Result<(), LedgerError> {
        let failed = self.failed("cannot be written");
        let transaction = self.db.transaction().map_err(&failed)?;
        let mut removed = 0;
        for table in TABLES_BY_INDEX {
            let delete = format!("DELETE FROM {table} WHERE idx >= ?1");
            removed += transaction.execute(&delete, [to_row(size)]).map_err(&failed)?;
        }
        lookup::delete_from(&transaction, to_row(size)).map_err(&failed)?;
        if removed > 0 {
            // Groups may have been settled by what is gone now.
            transaction.execute("DELETE FROM settled", []).map_err(&failed)?;
        }
        transaction.commit().map_err(&failed)
    }

    /// Sets openings at or beyond `size` aside; gives how many.
    ///
    /// # Errors
    /// `Private`.
    pub fn set_aside_from(&mut self, size: u64) -> Result<u64, LedgerError> {
        let failed = self.failed("cannot be written");
        let copy = "INSERT INTO aside SELECT idx, leaf, opening FROM openings WHERE idx >= ?1";
        let moved = self.db.execute(copy, [to_row(size)]).map_err(&failed)?;
        self.delete_from(size)?;
        Ok(moved as u64)
    }

    /// Sets the openings of these entries aside, where there are any, and forgets what is beside them.
    pub(crate) fn set_aside(&mut self, indices: &[u64]) -> Result<(), LedgerError> {
        let failed = self.failed("cannot be written");
        let transaction = self.db.transaction().map_err(&failed)?;
        let copy = "INSERT INTO aside SELECT idx, leaf, opening FROM openings WHERE idx = ?1";
        for index in indices {
            transaction.execute(copy, [to_row(*index)]).map_err(&failed)?;
        }
        let indices: Vec<i64> = indices.iter().copied().map(to_row).collect();
        delete(&transaction, &indices).map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    /// Says that everything kept now builds on `base`, which a restore has made the head.
    ///
    /// # Errors
    /// `Private`.
    pub fn rebase(&mut self, base: (u64, Option<Hash>)) -> Result<(), LedgerError> {
        let built = "INSERT OR REPLACE INTO built VALUES (1, ?1, ?2)";
        let leaf = base.1.map(|leaf| *leaf.as_bytes());
        let done = self.db.execute(built, params![to_row(base.0), leaf]);
        done.map(|_| ()).map_err(self.failed("cannot be written"))
    }

    /// The leaf and opening kept for `index`; erased positions are closed.
    ///
    /// # Errors
    /// `Private`, also when the row cannot be decoded.
    pub fn opening(&self, index: u64) -> Result<Option<(Hash, Opening)>, LedgerError> {
        let failed = self.failed("cannot be read");
        let mut select = self
            .db
            .prepare_cached("SELECT leaf, opening FROM openings WHERE idx = ?1")
            .map_err(&failed)?;
        let read =
            |row: &rusqlite::Row<'_>| Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Vec<u8>>(1)?));
        let found = select.query_row([to_row(index)], read).optional().map_err(&failed)?;
        found.map(|(leaf, bytes)| Ok((Hash::new(leaf), self.decode(&bytes)?))).transpose()
    }

    /// The opening of an entry that was read from the log; `None` where it is lost, damaged, or not
    /// that entry's: it is held against the entry's own commitment.
    ///
    /// # Errors
    /// `Private` from SQLite.
    pub fn opening_of(
        &self,
        index: u64,
        entry: &UnverifiedEntry,
    ) -> Result<Option<VerifiedOpening>, LedgerError> {
        let kept = match self.opening(index) {
            Err(error) if error.is_private_damage() => None,
            kept => kept?,
        };
        let kept = kept.filter(|(leaf, _)| *leaf == entry.leaf()).map(|(_, opening)| opening);
        let verified = kept.zip(entry.statement().body.fields());
        Ok(verified.and_then(|(opening, commitment)| opening.verify(commitment).ok()))
    }

    fn decode(&self, bytes: &[u8]) -> Result<Opening, LedgerError> {
        let decoded = record::decode_opening(bytes);
        decoded.map_err(|source| LedgerError::Store { path: self.path.clone(), source })
    }

    /// Replaces whatever is kept of these entries, in one transaction.
    ///
    /// # Errors
    /// `Private`; then nothing was replaced.
    pub(crate) fn replace(&mut self, rows: Vec<(u64, PreparedRow)>) -> Result<(), LedgerError> {
        let failed = self.failed("cannot be written");
        let transaction = self.db.transaction().map_err(&failed)?;
        let indices: Vec<i64> = rows.iter().map(|(index, _)| to_row(*index)).collect();
        delete(&transaction, &indices).map_err(&failed)?;
        write_rows(&transaction, rows.into_iter()).map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    /// Entries that may speak of `value`, ascending; confirm them against their openings.
    ///
    /// # Errors
    /// `Private`.
    pub fn find(&self, kind: Lookup, value: &[u8]) -> Result<Vec<u64>, LedgerError> {
        self.find_some(kind, value, usize::MAX)
    }

    /// As [`Private::find`], but some of them where there are more than `most`: a value that everything has
    /// costs no more than another.
    ///
    /// # Errors
    /// `Private`.
    pub fn find_some(
        &self,
        kind: Lookup,
        value: &[u8],
        most: usize,
    ) -> Result<Vec<u64>, LedgerError> {
        let found = lookup::find(&self.db, kind.prefix(value), most);
        let found = found.map_err(self.failed("cannot be read"))?;
        Ok(found.into_iter().map(from_row).collect())
    }

    /// Entries that may lie behind a lookup ([`crate::asked`]), ascending.
    ///
    /// # Errors
    /// `Private`.
    pub fn behind(&self, lookup: i64) -> Result<Vec<u64>, LedgerError> {
        let found = lookup::find(&self.db, lookup, usize::MAX);
        let found = found.map_err(self.failed("cannot be read"))?;
        Ok(found.into_iter().map(from_row).collect())
    }

    /// All lookups in the table that holds those of entry `index`, ascending: index and prefix.
    pub(crate) fn lookups(&self, index: u64) -> Result<Vec<(u64, i64)>, LedgerError> {
        let rows = lookup::all_of(&self.db, index).map_err(self.failed("cannot be read"))?;
        let mut rows: Vec<(u64, i64)> =
            rows.into_iter().map(|(prefix, index)| (from_row(index), prefix)).collect();
        rows.sort_unstable();
        Ok(rows)
    }

    /// What is kept of entry `index` beside its opening, with the `lookups` that lead to it.
    pub(crate) fn beside(&self, index: u64, lookups: Vec<i64>) -> Result<Row, LedgerError> {
        let failed = self.failed("cannot be read");
        let select = "SELECT bytes FROM listings WHERE idx = ?1 ORDER BY part";
        let mut select = self.db.prepare_cached(select).map_err(&failed)?;
        let listing = select.query_map([to_row(index)], |row| row.get(0));
        let listing = listing.and_then(Iterator::collect).map_err(&failed)?;
        let select = "SELECT target FROM erasures WHERE idx = ?1";
        let mut select = self.db.prepare_cached(select).map_err(&failed)?;
        let erases = select.query_row([to_row(index)], |row| row.get(0)).optional();
        Ok(Row {
            lookups,
            object: self.object(index)?,
            documents: self.documents(index)?,
            listing,
            erases: erases.map_err(&failed)?.map(from_row),
            watched: self.watched(index)?,
            supersedes: self.supersedes(index)?,
            ..Row::default()
        })
    }

    /// The digests of what was kept of entry `index` beside its opening, as [`Parts::encode`] wrote them.
    pub(crate) fn parts(&self, index: u64) -> Result<Vec<u8>, LedgerError> {
        let failed = self.failed("cannot be read");
        let select = "SELECT parts FROM openings WHERE idx = ?1";
        let mut select = self.db.prepare_cached(select).map_err(&failed)?;
        let found = select.query_row([to_row(index)], |row| row.get(0)).optional();
        Ok(found.map_err(&failed)?.unwrap_or_default())
    }

    /// The state that entry `index` sealed.
    ///
    /// # Errors
    /// `Private`.
    pub fn object(&self, index: u64) -> Result<Option<ObjectState>, LedgerError> {
        let failed = self.failed("cannot be read");
        let select = "SELECT source, key, stamp, subject, sha256, companions, incomplete FROM objects WHERE idx = ?1";
        let mut select = self.db.prepare_cached(select).map_err(&failed)?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(ObjectState {
                source: row.get(0)?,
                key: row.get(1)?,
                stamp: row.get(2)?,
                subject: Subject(row.get(3)?),
                sha256: Hash::new(row.get(4)?),
                companions: Hash::new(row.get(5)?),
                incomplete: row.get(6)?,
            })
        };
        select.query_row([to_row(index)], read).optional().map_err(&failed)
    }

    /// The captured companions of entry `index`.
    ///
    /// # Errors
    /// `Private`.
    pub fn documents(&self, index: u64) -> Result<Vec<Document>, LedgerError> {
        let failed = self.failed("cannot be read");
        let select = "SELECT key, bytes FROM documents WHERE idx = ?1 ORDER BY number";
        let mut select = self.db.prepare_cached(select).map_err(&failed)?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Document { key: row.get(0)?, bytes: Arc::new(row.get(1)?) })
        };
        let rows = select.query_map([to_row(index)], read);
        rows.and_then(Iterator::collect).map_err(&failed)
    }
}

/// Forgets everything about these entries.
fn delete(db: &Connection, indices: &[i64]) -> rusqlite::Result<()> {
    for table in TABLES_BY_INDEX {
        let mut delete = db.prepare_cached(&format!("DELETE FROM {table} WHERE idx = ?1"))?;
        for index in indices {
            delete.execute([index])?;
        }
    }
    lookup::delete_entries(db, indices)
}

/// SQLite's integers are signed; a ledger has fewer than 2^63 entries.
pub(crate) fn to_row(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

pub(crate) fn from_row(index: i64) -> u64 {
    u64::try_from(index).unwrap_or(0)
}
