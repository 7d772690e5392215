//! Lookups: from a value to the entries that speak of it.
//!
//! Only eight bytes of a hash are kept for each, and what is found is confirmed against the opening.
//! There is one table for each 32,768 entries, and rows go in sorted: random inserts into one
//! large tree halve the rate by the time there are half a million entries.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use unbroken_evidence::hash::Hash;

/// What can be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The SHA-256 of a recording, in hex.
    Sha256,
    /// A source's name and a key in it.
    Object,
    /// A conversation's id.
    Conversation,
    /// A recording's id.
    Recording,
    /// A subject, its 16 bytes: every entry that has it.
    Subject,
    /// A kind of which there are few: `control`, `pass`.
    Kind,
    /// The leaf of a `policy` entry, its 32 bytes.
    Policy,
    /// A name that people ask by, and a value of it ([`crate::asked`]).
    Value,
    /// An object as [`Lookup::Object`] has it, and one of its versions that an observation tells of.
    Version,
}

const ENTRIES_PER_TABLE_LOG2: u32 = 15;

impl Lookup {
    /// The row value for `value` under this lookup.
    #[must_use]
    pub fn prefix(self, value: &[u8]) -> i64 {
        let name: &[u8] = match self {
            Self::Sha256 => b"sha256\n",
            Self::Object => b"object\n",
            Self::Conversation => b"conversation\n",
            Self::Recording => b"recording\n",
            Self::Subject => b"subject\n",
            Self::Kind => b"kind\n",
            Self::Policy => b"policy\n",
            Self::Value => b"value\n",
            Self::Version => b"version\n",
        };
        let digest = Hash::of(&[name, value]);
        let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
        i64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

/// The value that [`Lookup::Object`] looks up.
#[must_use]
pub fn object_value(bucket: &str, key: &[u8]) -> Vec<u8> {
    [bucket.as_bytes(), b"\n", key].concat()
}

pub(crate) fn insert(db: &Connection, mut rows: Vec<(i64, i64)>) -> rusqlite::Result<()> {
    rows.sort_unstable();
    let tables = rows.iter().map(|(_, index)| index >> ENTRIES_PER_TABLE_LOG2);
    let (Some(first), Some(last)) = (tables.clone().min(), tables.max()) else { return Ok(()) };
    for table in first..=last {
        db.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS lookups_{table} (prefix INTEGER, idx INTEGER, \
             PRIMARY KEY (prefix, idx)) WITHOUT ROWID"
        ))?;
        let mut insert =
            db.prepare_cached(&format!("INSERT OR REPLACE INTO lookups_{table} VALUES (?1, ?2)"))?;
        for (prefix, index) in rows.iter().filter(|(_, i)| i >> ENTRIES_PER_TABLE_LOG2 == table) {
            insert.execute(params![prefix, index])?;
        }
    }
    Ok(())
}

/// Entries that may speak of the value behind `prefix`, ascending; some of them, where there are more than `most`.
pub(crate) fn find(db: &Connection, prefix: i64, most: usize) -> rusqlite::Result<Vec<i64>> {
    let mut found: Vec<i64> = Vec::new();
    for table in tables(db)? {
        let left = i64::try_from(most.saturating_sub(found.len())).unwrap_or(i64::MAX);
        let select = format!("SELECT idx FROM {table} WHERE prefix = ?1 ORDER BY idx LIMIT ?2");
        let mut select = db.prepare_cached(&select)?;
        let rows = select.query_map([prefix, left], |row| row.get(0))?;
        found.extend(rows.collect::<Result<Vec<i64>, _>>()?);
    }
    found.sort_unstable();
    Ok(found)
}

/// The number of the table that holds the rows of the entry at `index`.
pub(crate) const fn table_of(index: u64) -> u64 {
    index >> ENTRIES_PER_TABLE_LOG2
}

/// Every row of the table that holds those of the entry at `index`.
pub(crate) fn all_of(db: &Connection, index: u64) -> rusqlite::Result<Vec<(i64, i64)>> {
    let table = format!("lookups_{}", table_of(index));
    if !tables(db)?.contains(&table) {
        return Ok(Vec::new());
    }
    let mut select = db.prepare(&format!("SELECT prefix, idx FROM {table}"))?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Removes the rows of entries from `size` on.
pub(crate) fn delete_from(db: &Connection, size: i64) -> rusqlite::Result<()> {
    for table in tables(db)? {
        db.execute(&format!("DELETE FROM {table} WHERE idx >= ?1"), [size])?;
    }
    Ok(())
}

/// Removes the rows of these entries, walking each table once.
pub(crate) fn delete_entries(db: &Connection, indices: &[i64]) -> rusqlite::Result<()> {
    let mut by_table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for index in indices {
        let table = format!("lookups_{}", index >> ENTRIES_PER_TABLE_LOG2);
        by_table.entry(table).or_default().push(index.to_string());
    }
    let known = tables(db)?;
    for (table, indices) in by_table.into_iter().filter(|(table, _)| known.contains(table)) {
        db.execute(&format!("DELETE FROM {table} WHERE idx IN ({})", indices.join(",")), [])?;
    }
    Ok(())
}

fn tables(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut select = db.prepare_cached(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'lookups_[0-9]*'",
    )?;
    let names = select.query_map([], |row| row.get(0))?;
    names.collect()
}
