//! Applies an acknowledged erasure: value and its salt give way to their hash (spec/fields.md F12).

use rusqlite::params;
use unbroken_evidence::narrow::decimal;
use unbroken_evidence::opening::{Opening, Position};

use crate::error::LedgerError;
use crate::private::{Private, Row, from_row, to_row};
use crate::row::Parts;
use crate::{lookup, record};

/// Says that an erasure's old pages may still be in the write-ahead log.
const UNTRUNCATED: &str = "erasure-untruncated";

/// Applies the `erasure` entry at `index` to the opening of entry `target`. Applying it again
/// changes nothing; an opening that is not there needs no erasing.
pub(crate) fn apply(private: &mut Private, index: u64, target: u64) -> Result<(), LedgerError> {
    let (Some((_, order)), Some((_, opening))) =
        (private.opening(index)?, private.opening(target)?)
    else {
        return Ok(());
    };
    let erased = erase(opening.clone(), &order);
    if erased == opening { Ok(()) } else { private.erase(target, erased) }
}

fn erase(mut opening: Opening, order: &Opening) -> Opening {
    for position in &order.positions {
        let Position::Shown(field) = position else { continue };
        if field.value.source != "erasure" {
            continue;
        }
        let place = field.value.pointer.trim_start_matches('/');
        if place == "block_key" {
            opening.block_key = None;
        } else if let Some(position) = decimal(place)
            .and_then(|place| usize::try_from(place).ok())
            .and_then(|place| opening.positions.get_mut(place))
            && let Position::Shown(erased) = position
        {
            *position = Position::Withheld(erased.withhold());
        }
    }
    opening
}

impl Private {
    /// Erasures that were acknowledged: their entry and its target.
    ///
    /// # Errors
    /// `Private`.
    pub fn erasures(&self) -> Result<Vec<(u64, u64)>, LedgerError> {
        let failed = self.failed("cannot be read");
        let mut select =
            self.db.prepare_cached("SELECT idx, target FROM erasures").map_err(&failed)?;
        let read = |row: &rusqlite::Row<'_>| Ok((from_row(row.get(0)?), from_row(row.get(1)?)));
        let rows = select.query_map([], read);
        rows.and_then(Iterator::collect).map_err(&failed)
    }

    /// Replaces the opening of `index` by one with fewer positions open, and forgets its lookups
    /// and documents, for good.
    ///
    /// # Errors
    /// `Private`; until it returns `Ok` nothing counts as erased.
    pub fn erase(&mut self, index: u64, opening: Opening) -> Result<(), LedgerError> {
        let failed = self.failed("cannot be written");
        let Row { object, erases, listing, watched, supersedes, .. } =
            self.beside(index, Vec::new())?;
        let transaction = self.db.transaction().map_err(&failed)?;
        let update = "UPDATE openings SET opening = ?2 WHERE idx = ?1";
        let bytes = record::encode_opening(opening, None);
        transaction.execute(update, params![to_row(index), bytes]).map_err(&failed)?;
        transaction
            .execute("DELETE FROM documents WHERE idx = ?1", [to_row(index)])
            .map_err(&failed)?;
        lookup::delete_entries(&transaction, &[to_row(index)]).map_err(&failed)?;
        let left = Row { object, erases, listing, watched, supersedes, ..Row::default() };
        let update = "UPDATE openings SET parts = ?2 WHERE idx = ?1";
        let parts = Parts::of(&left).encode();
        transaction.execute(update, params![to_row(index), parts]).map_err(&failed)?;
        let mark = "INSERT OR REPLACE INTO meta VALUES (?1, x'')";
        transaction.execute(mark, [UNTRUNCATED]).map_err(&failed)?;
        transaction.commit().map_err(&failed)?;
        self.finish_erasure()
    }

    /// Removes old pages that an erasure has left in the write-ahead log, if there are any.
    ///
    /// # Errors
    /// `Private`, also while a reader keeps the old pages: then they are still there.
    pub(crate) fn finish_erasure(&mut self) -> Result<(), LedgerError> {
        if self.meta(UNTRUNCATED)?.is_none() {
            return Ok(());
        }
        let failed = self.failed("cannot be written");
        let truncated =
            self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        match truncated {
            Ok(0) => self.set_meta(UNTRUNCATED, None),
            Ok(_) => Err(failed(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                Some(
                    "a reader keeps the old pages: erased, but not yet reported as done".to_owned(),
                ),
            ))),
            Err(error) => Err(failed(error)),
        }
    }
}
