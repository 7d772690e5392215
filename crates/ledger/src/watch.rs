//! How the objects of recordings stand, as their newest entries say: whether they are there, whether they are
//! held, and when somebody looked last. What their tags and locks are stands in the openings.

use rusqlite::{Connection, OptionalExtension as _, params};
use unbroken_evidence::body::Subject;
use unbroken_evidence::opening::VerifiedOpening;
use unbroken_evidence::time::Time;
use unbroken_evidence::vocabulary::{object_lock, observation};

use crate::error::LedgerError;
use crate::private::{Private, from_row, to_row};

pub(crate) const SCHEMA: &str = "
CREATE TABLE watched (idx INTEGER PRIMARY KEY, source INTEGER, key BLOB, subject BLOB, gone INTEGER, held INTEGER,
                      checked INTEGER);
CREATE INDEX watched_key ON watched (source, key, idx);
CREATE INDEX watched_gone ON watched (idx) WHERE gone = 1;
";
pub(crate) const HELD: &str = "CREATE INDEX watched_held ON watched (idx) WHERE held = 1;";

const COLUMNS: &str = "idx, source, key, subject, gone, held, checked";

/// How an object may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Under a legal hold.
    Held,
    /// Not there.
    Gone,
}

/// The object of a recording, as one entry says that it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The source's number in this database.
    pub source: i64,
    /// The object's key.
    pub key: Vec<u8>,
    /// The subject of its entries.
    pub subject: Subject,
    /// Whether it was not there.
    pub gone: bool,
    /// Whether it was under a legal hold.
    pub held: bool,
    /// When somebody looked last, in milliseconds since 1970; no part of what the entry says.
    pub checked: u64,
}

impl Watched {
    /// What an entry says of its object: source, key and subject, and what its opening shows.
    pub(crate) fn of(opening: &VerifiedOpening, named: (i64, Vec<u8>, Subject), at: Time) -> Self {
        let (source, key, subject) = named;
        let gone = opening.value(observation::SOURCE, observation::WHAT) == Some(observation::GONE);
        let hold = opening.value(object_lock::SOURCE, object_lock::LEGAL_HOLD);
        Self { source, key, subject, gone, held: hold == Some("ON"), checked: at.unix_ms() }
    }

    pub(crate) fn parts(&self) -> [Vec<u8>; 4] {
        let flags = vec![u8::from(self.gone), u8::from(self.held)];
        [self.source.to_be_bytes().to_vec(), self.key.clone(), self.subject.0.to_vec(), flags]
    }
}

pub(crate) fn insert(db: &Connection, index: i64, watched: &Watched) -> rusqlite::Result<()> {
    let mut insert =
        db.prepare_cached("INSERT INTO watched VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    let Watched { source, key, subject, gone, held, checked } = watched;
    insert.execute(params![index, source, key, subject.0, gone, held, to_row(*checked)])?;
    Ok(())
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<(u64, Watched)> {
    let watched = Watched {
        source: row.get(1)?,
        key: row.get(2)?,
        subject: Subject(row.get(3)?),
        gone: row.get(4)?,
        held: row.get(5)?,
        checked: from_row(row.get(6)?),
    };
    Ok((from_row(row.get(0)?), watched))
}

impl Private {
    /// What the entry at `index` says of how its object stands.
    ///
    /// # Errors
    /// `Private`.
    pub fn watched(&self, index: u64) -> Result<Option<Watched>, LedgerError> {
        let failed = self.failed("cannot be read");
        let select = format!("SELECT {COLUMNS} FROM watched WHERE idx = ?1");
        let mut select = self.db.prepare_cached(&select).map_err(&failed)?;
        let found = select.query_row([to_row(index)], read).optional().map_err(&failed)?;
        Ok(found.map(|(_, watched)| watched))
    }

    /// The newest entry about each object of a source whose key comes after `after` and begins with `scope`,
    /// ascending by key, at most `count`.
    ///
    /// # Errors
    /// `Private`.
    pub fn newest_watched(
        &self,
        source: i64,
        scope: &[u8],
        after: Option<&[u8]>,
        count: usize,
    ) -> Result<Vec<(u64, Watched)>, LedgerError> {
        let failed = self.failed("cannot be read");
        let select = format!(
            "SELECT {COLUMNS} FROM watched JOIN (SELECT MAX(idx) AS newest FROM watched \
             WHERE source = ?1 AND key >= ?2 AND (?3 IS NULL OR key > ?3) GROUP BY key ORDER BY key LIMIT ?4) \
             ON idx = newest ORDER BY key"
        );
        let mut select = self.db.prepare_cached(&select).map_err(&failed)?;
        let from = after.map_or(scope, |after| after.max(scope));
        let rows = select.query_map(params![source, from, after, to_row(count as u64)], read);
        let rows: Vec<(u64, Watched)> = rows.and_then(Iterator::collect).map_err(&failed)?;
        Ok(rows.into_iter().take_while(|(_, watched)| watched.key.starts_with(scope)).collect())
    }

    /// The newest entry about each object of a source below `scope` that is there: those under hold first, then
    /// those that were not looked at for the longest time.
    ///
    /// # Errors
    /// `Private`.
    pub fn to_check(&self, source: i64, scope: &[u8]) -> Result<Vec<u64>, LedgerError> {
        let failed = self.failed("cannot be read");
        let select = "SELECT idx FROM watched JOIN (SELECT MAX(idx) AS newest FROM watched WHERE source = ?1 \
                      GROUP BY key) ON idx = newest WHERE gone = 0 AND substr(key, 1, ?3) = ?2 \
                      ORDER BY held DESC, checked, idx";
        let mut select = self.db.prepare_cached(select).map_err(&failed)?;
        let given = params![source, scope, to_row(scope.len() as u64)];
        let rows = select.query_map(given, |row| Ok(from_row(row.get(0)?)));
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// Says that somebody looked at these objects, and found them as their entries say.
    ///
    /// # Errors
    /// `Private`.
    pub fn checked(&mut self, looked: &[(u64, u64)]) -> Result<(), LedgerError> {
        let failed = self.failed("cannot be written");
        let transaction = self.db.transaction().map_err(&failed)?;
        for (index, at) in looked {
            let update = "UPDATE watched SET checked = ?2 WHERE idx = ?1";
            let mut update = transaction.prepare_cached(update).map_err(&failed)?;
            update.execute([to_row(*index), to_row(*at)]).map_err(&failed)?;
        }
        transaction.commit().map_err(&failed)
    }

    /// When the object of this source that nobody looked at for the longest time was looked at.
    ///
    /// # Errors
    /// `Private`.
    pub fn oldest_check(&self, source: i64) -> Result<Option<u64>, LedgerError> {
        let select = "SELECT MIN(checked) FROM watched JOIN (SELECT MAX(idx) AS newest FROM watched \
                      WHERE source = ?1 GROUP BY key) ON idx = newest WHERE gone = 0";
        let read = |row: &rusqlite::Row<'_>| row.get::<_, Option<i64>>(0);
        let found = self.db.query_row(select, [source], read);
        Ok(found.map_err(self.failed("cannot be read"))?.map(from_row))
    }

    /// The first and the last entry of these that a run made of an object, if there is one.
    ///
    /// # Errors
    /// `Private`.
    pub fn looked_at_between(&self, from: u64, to: u64) -> Result<Option<(u64, u64)>, LedgerError> {
        let select = "SELECT MIN(idx), MAX(idx) FROM watched WHERE idx >= ?1 AND idx < ?2";
        let read = |row: &rusqlite::Row<'_>| {
            Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
        };
        let found = self.db.query_row(select, [to_row(from), to_row(to)], read);
        let (first, last) = found.map_err(self.failed("cannot be read"))?;
        Ok(first.zip(last).map(|(first, last)| (from_row(first), from_row(last))))
    }

    /// Objects below `size` that ever were under a legal hold, or not there: subjects, at most `most` entries;
    /// `None` where there are more.
    ///
    /// # Errors
    /// `Private`.
    pub fn ever(
        &self,
        what: Standing,
        size: u64,
        most: usize,
    ) -> Result<Option<Vec<Subject>>, LedgerError> {
        let failed = self.failed("cannot be read");
        let column = match what {
            Standing::Held => "held",
            Standing::Gone => "gone",
        };
        let select =
            format!("SELECT subject FROM watched WHERE {column} = 1 AND idx < ?1 LIMIT ?2");
        let mut select = self.db.prepare_cached(&select).map_err(&failed)?;
        let given = params![to_row(size), to_row(most as u64 + 1)];
        let rows = select.query_map(given, |row| row.get(0).map(Subject));
        let found: Vec<Subject> = rows.and_then(Iterator::collect).map_err(&failed)?;
        Ok((found.len() <= most).then_some(found))
    }

    /// Whether an object was held, and whether it was gone, as the newest entry below `size` about it says.
    ///
    /// # Errors
    /// `Private`.
    pub fn stands(&self, source: i64, key: &[u8], size: u64) -> Result<(bool, bool), LedgerError> {
        let failed = self.failed("cannot be read");
        let select = "SELECT held, gone FROM watched WHERE source = ?1 AND key = ?2 AND idx < ?3 \
                      ORDER BY idx DESC LIMIT 1";
        let mut select = self.db.prepare_cached(select).map_err(&failed)?;
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let found = select.query_row(params![source, key, to_row(size)], read).optional();
        Ok(found.map_err(&failed)?.unwrap_or_default())
    }

    /// How many objects are not there, as the newest entry below `size` about each says.
    pub(crate) fn gone(&self, size: u64) -> Result<u64, LedgerError> {
        // Few are gone: of each that ever was it is looked up whether anything newer is said.
        let select = "SELECT COUNT(*) FROM watched AS one WHERE gone = 1 AND idx < ?1 AND NOT EXISTS \
                      (SELECT 1 FROM watched WHERE source = one.source AND key = one.key \
                       AND idx > one.idx AND idx < ?1)";
        let found = self.db.query_row(select, [to_row(size)], |row| row.get(0));
        found.map(from_row).map_err(self.failed("cannot be read"))
    }
}
