//! What private.db knows of sources: where they are, what is settled, how many recordings there are.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::LedgerError;
use crate::private::{Lookup, Private, Settled, from_row, to_row};

/// Of so many incomplete entries each is looked up by itself.
const INCOMPLETE_FEW: u64 = if cfg!(test) { 2 } else { 1_000 };

/// How many recordings are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Recordings.
    pub recordings: u64,
    /// Entries about them.
    pub recording_entries: u64,
    /// Recordings whose newest entry says that they are incomplete.
    pub incomplete: u64,
    /// Objects of recordings that were not there when somebody looked last.
    pub gone: u64,
}

impl Private {
    /// Whether a group is as it was when it was settled.
    ///
    /// # Errors
    /// `Private`.
    pub fn is_settled(&self, settled: &Settled) -> Result<bool, LedgerError> {
        let failed = self.failed("cannot be read");
        let select = "SELECT 1 FROM settled WHERE source = ?1 AND folder = ?2 AND fingerprint = ?3";
        let mut select = self.db.prepare_cached(select).map_err(&failed)?;
        let Settled { source, group, fingerprint } = settled;
        let found = select.query_row(params![source, group, fingerprint.as_bytes()], |_| Ok(()));
        Ok(found.optional().map_err(&failed)?.is_some())
    }

    /// Settles groups that need no new entry.
    ///
    /// # Errors
    /// `Private`.
    pub fn settle(&mut self, groups: &[Settled]) -> Result<(), LedgerError> {
        if groups.is_empty() {
            return Ok(());
        }
        let failed = self.failed("cannot be written");
        let transaction = self.db.transaction().map_err(&failed)?;
        for settled in groups {
            settle(&transaction, settled).map_err(&failed)?;
        }
        transaction.commit().map_err(&failed)
    }

    /// Whether any object of a source was ever sealed.
    ///
    /// # Errors
    /// `Private`.
    pub fn has_objects_of(&self, source: i64) -> Result<bool, LedgerError> {
        let select = "SELECT EXISTS (SELECT 1 FROM objects WHERE source = ?1)";
        let found = self.db.query_row(select, [source], |row| row.get(0));
        found.map_err(self.failed("cannot be read"))
    }

    /// The number of the source `name`; makes it with `location` where there is none.
    ///
    /// # Errors
    /// `Private`.
    pub fn source(&mut self, name: &str, location: &str) -> Result<i64, LedgerError> {
        let failed = self.failed("cannot be written");
        let insert = "INSERT INTO sources (name, location) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET location = ?2";
        self.db.execute(insert, [name, location]).map_err(&failed)?;
        let select = "SELECT id FROM sources WHERE name = ?1";
        self.db.query_row(select, [name], |row| row.get(0)).map_err(&failed)
    }

    /// All sources: number, name and where each was last found.
    ///
    /// # Errors
    /// `Private`.
    pub fn sources(&self) -> Result<Vec<(i64, String, String)>, LedgerError> {
        let failed = self.failed("cannot be read");
        let select = "SELECT id, name, location FROM sources ORDER BY id";
        let mut select = self.db.prepare_cached(select).map_err(&failed)?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// How many recordings are known below `size`, and how many are incomplete now.
    ///
    /// # Errors
    /// `Private`.
    pub fn counts(&self, size: u64) -> Result<Counts, LedgerError> {
        let select = "SELECT COUNT(*), COALESCE(SUM(n), 0), COALESCE(SUM(incomplete), 0) FROM \
                      (SELECT COUNT(*) AS n, MAX(idx), incomplete FROM objects WHERE idx < ?1 GROUP BY subject)";
        let gone = self.gone(size)?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Counts {
                recordings: from_row(row.get(0)?),
                recording_entries: from_row(row.get(1)?),
                incomplete: from_row(row.get(2)?),
                gone,
            })
        };
        self.db.query_row(select, [to_row(size)], read).map_err(self.failed("cannot be read"))
    }

    /// Which earlier entries the entry at `index` supersedes.
    pub(crate) fn supersedes(&self, index: u64) -> Result<Vec<u64>, LedgerError> {
        let failed = self.failed("cannot be read");
        let select = "SELECT target FROM superseded WHERE idx = ?1 ORDER BY target";
        let mut select = self.db.prepare_cached(select).map_err(&failed)?;
        let rows = select.query_map([to_row(index)], |row| row.get(0).map(from_row));
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// Whether an entry below `size` supersedes the one at `index`.
    ///
    /// # Errors
    /// `Private`.
    pub fn is_superseded(&self, index: u64, size: u64) -> Result<bool, LedgerError> {
        let failed = self.failed("cannot be read");
        let select = "SELECT EXISTS (SELECT 1 FROM superseded WHERE target = ?1 AND idx < ?2)";
        let mut select = self.db.prepare_cached(select).map_err(&failed)?;
        let found = select.query_row([to_row(index), to_row(size)], |row| row.get(0));
        found.map_err(&failed)
    }

    /// How many entries below `size` about recordings nothing supersedes.
    ///
    /// # Errors
    /// `Private`.
    pub fn current(&self, size: u64) -> Result<u64, LedgerError> {
        let select = "SELECT (SELECT COUNT(*) FROM objects WHERE idx < ?1) - \
                      (SELECT COUNT(DISTINCT target) FROM superseded WHERE idx < ?1)";
        let count = self.db.query_row(select, [to_row(size)], |row| row.get(0).map(from_row));
        count.map_err(self.failed("cannot be read"))
    }

    /// The newest entries below `size` about recordings that are incomplete, ascending.
    ///
    /// # Errors
    /// `Private`.
    pub fn incomplete(&self, size: u64) -> Result<Vec<u64>, LedgerError> {
        let failed = self.failed("cannot be read");
        let mut few = self
            .db
            .prepare_cached(
                "SELECT idx, subject FROM objects WHERE incomplete = 1 AND idx < ?1 LIMIT ?2",
            )
            .map_err(&failed)?;
        let read = |row: &rusqlite::Row<'_>| Ok((from_row(row.get(0)?), row.get(1)?));
        let rows = few.query_map(params![to_row(size), to_row(INCOMPLETE_FEW + 1)], read);
        let sealed: Vec<(u64, Vec<u8>)> = rows.and_then(Iterator::collect).map_err(&failed)?;
        if sealed.len() as u64 > INCOMPLETE_FEW {
            return self.incomplete_of_all(size);
        }
        let mut newest = Vec::new();
        for (index, subject) in sealed {
            if !self.has_newer(&subject, index, size)? {
                newest.push(index);
            }
        }
        Ok(newest)
    }

    /// Whether a later entry below `size` is about the same recording.
    fn has_newer(&self, subject: &[u8], index: u64, size: u64) -> Result<bool, LedgerError> {
        let select = "SELECT EXISTS (SELECT 1 FROM objects WHERE idx = ?1 AND subject = ?2)";
        let mut select = self.db.prepare_cached(select).map_err(self.failed("cannot be read"))?;
        for newer in self.find(Lookup::Subject, subject)? {
            let is_newer = newer > index && newer < size;
            let found = select.query_row(params![to_row(newer), subject], |row| row.get(0));
            if is_newer && found.map_err(self.failed("cannot be read"))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The same over every recording, where many are incomplete.
    fn incomplete_of_all(&self, size: u64) -> Result<Vec<u64>, LedgerError> {
        let failed = self.failed("cannot be read");
        let select = "SELECT newest FROM (SELECT MAX(idx) AS newest, incomplete FROM objects \
                      WHERE idx < ?1 GROUP BY subject) WHERE incomplete ORDER BY newest";
        let mut select = self.db.prepare_cached(select).map_err(&failed)?;
        let rows = select.query_map([to_row(size)], |row| Ok(from_row(row.get(0)?)));
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// A value of this database's own.
    ///
    /// # Errors
    /// `Private`.
    pub fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let select = "SELECT value FROM meta WHERE name = ?1";
        let found = self.db.query_row(select, [name], |row| row.get(0)).optional();
        found.map_err(self.failed("cannot be read"))
    }

    /// The rest of the name of each value whose name begins with `prefix`.
    ///
    /// # Errors
    /// `Private`.
    pub fn meta_names(&self, prefix: &str) -> Result<Vec<String>, LedgerError> {
        let failed = self.failed("cannot be read");
        let mut select = self.db.prepare_cached("SELECT name FROM meta").map_err(&failed)?;
        let rows = select.query_map([], |row| row.get::<_, String>(0));
        let names: Vec<String> = rows.and_then(Iterator::collect).map_err(&failed)?;
        Ok(names.iter().filter_map(|name| Some(name.strip_prefix(prefix)?.to_owned())).collect())
    }

    /// Keeps a value of this database's own; `None` removes it.
    ///
    /// # Errors
    /// `Private`.
    pub fn set_meta(&mut self, name: &str, value: Option<&[u8]>) -> Result<(), LedgerError> {
        let done = match value {
            Some(value) => {
                self.db.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", params![name, value])
            }
            None => self.db.execute("DELETE FROM meta WHERE name = ?1", [name]),
        };
        done.map(|_| ()).map_err(self.failed("cannot be written"))
    }
}

pub(crate) const SUPERSEDED: &str = "
CREATE TABLE superseded (idx INTEGER, target INTEGER, PRIMARY KEY (idx, target)) WITHOUT ROWID;
CREATE INDEX superseded_target ON superseded (target, idx);
";

pub(crate) fn supersede(db: &Connection, index: i64, targets: &[u64]) -> rusqlite::Result<()> {
    if targets.is_empty() {
        return Ok(());
    }
    let mut insert = db.prepare_cached("INSERT OR REPLACE INTO superseded VALUES (?1, ?2)")?;
    for target in targets {
        insert.execute([index, to_row(*target)])?;
    }
    Ok(())
}

pub(crate) fn settle(db: &Connection, settled: &Settled) -> rusqlite::Result<()> {
    let insert = "INSERT OR REPLACE INTO settled VALUES (?1, ?2, ?3)";
    let Settled { source, group, fingerprint } = settled;
    db.prepare_cached(insert)?.execute(params![source, group, fingerprint.as_bytes()])?;
    Ok(())
}
