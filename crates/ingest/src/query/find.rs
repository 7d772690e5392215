//! Keeps those of the newest entries of recordings that answer a question.

use std::collections::BTreeSet;

use unbroken_evidence::body::Body;
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::opening::VerifiedOpening;
use unbroken_evidence::time::declared_ms;
use unbroken_ledger::asked::{Known, began_on};
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::{LOOKUPS_WANTED, Private};
use unbroken_ledger::reader::LogReader;
use unbroken_ledger::restore::SEALED_GAPS;

use super::names::Name;
use super::{Asked, Expression, Query};

/// What answers a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The entries that do, ascending.
    pub indices: Vec<u64>,
    /// How many recordings there are.
    pub recordings: u64,
    /// How many of them cannot be asked: their opening is lost or erased.
    pub unknown: u64,
    /// Where the question is about when a recording began: of how many that is not known.
    pub without_start: u64,
}

impl Query {
    /// The newest entry of each recording that answers it.
    ///
    /// # Errors
    /// Those of log and private.db.
    pub fn find(&self, reader: &mut LogReader, private: &Private) -> Result<Answer, LedgerError> {
        let size = reader.checkpoint().size;
        // Where openings are known to be lost, what they would have answered has to be counted; and where lookups
        // are still to be made, they tell nothing.
        let is_whole = private.meta(SEALED_GAPS)?.is_none()
            && private.meta(LOOKUPS_WANTED)?.is_none()
            && private.end()? >= size;
        let candidates = if is_whole { self.expression.candidates(private, size)? } else { None };
        match candidates {
            None => self.of_all(reader, private),
            Some(candidates) => self.of_these(candidates, reader, private),
        }
    }

    /// Goes through the newest entry of each recording.
    fn of_all(&self, reader: &mut LogReader, private: &Private) -> Result<Answer, LedgerError> {
        let mut answer = Answer::default();
        let size = reader.checkpoint().size;
        for index in 0..size {
            let entry = reader.entry(index)?;
            if self.asks_of(index, &entry, size, private)? {
                answer.recordings += 1;
                self.ask(index, &entry, (private, size), &mut answer)?;
            }
        }
        Ok(answer)
    }

    /// Goes through entries of which every one that answers is one.
    fn of_these(
        &self,
        mut candidates: BTreeSet<u64>,
        reader: &mut LogReader,
        private: &Private,
    ) -> Result<Answer, LedgerError> {
        let size = reader.checkpoint().size;
        // What was erased in part is found by nothing any more, and may answer all the same.
        let erased: Vec<u64> = private.erasures()?.into_iter().map(|(_, target)| target).collect();
        candidates.extend(&erased);
        let mut answer = Answer { recordings: private.current(size)?, ..Answer::default() };
        for index in candidates.range(..size).copied() {
            let entry = reader.entry(index)?;
            if self.asks_of(index, &entry, size, private)? {
                self.ask(index, &entry, (private, size), &mut answer)?;
            }
        }
        if !self.expression.asks_when_it_began() {
            return Ok(answer);
        }
        // Those of which no start is known are no candidates.
        let mut others: BTreeSet<u64> = private.behind(began_on(None))?.into_iter().collect();
        others.extend(&erased);
        for index in others.range(..size).filter(|index| !candidates.contains(index)).copied() {
            let entry = reader.entry(index)?;
            if self.asks_of(index, &entry, size, private)? {
                let opening = private.opening_of(index, &entry)?;
                answer.without_start += u64::from(opening.is_some_and(|o| !has_start(&o)));
            }
        }
        Ok(answer)
    }

    /// Whether an entry is the newest of a recording.
    fn asks_of(
        &self,
        index: u64,
        entry: &UnverifiedEntry,
        size: u64,
        private: &Private,
    ) -> Result<bool, LedgerError> {
        let is_recording = matches!(entry.statement().body, Body::Recording(_));
        Ok(is_recording && !private.is_superseded(index, size)?)
    }

    fn ask(
        &self,
        index: u64,
        entry: &UnverifiedEntry,
        (private, size): (&Private, u64),
        answer: &mut Answer,
    ) -> Result<(), LedgerError> {
        let Some(opening) = private.opening_of(index, entry)? else {
            answer.unknown += 1;
            return Ok(());
        };
        let (held, gone) = if self.expression.asks_how_it_stands() {
            stands(private, index, size)?
        } else {
            (false, false)
        };
        if self.expression.asks_when_it_began() && !has_start(&opening) {
            answer.without_start += 1;
        }
        if self.matches(&Asked { entry, opening: &opening, held, gone }) {
            answer.indices.push(index);
        }
        Ok(())
    }
}

/// Whether an opening says when the recording began, as a time that can be compared.
fn has_start(opening: &VerifiedOpening) -> bool {
    let mut fields = opening.fields().map(|field| &field.value);
    let start = Known::find("start");
    fields.any(|value| {
        start.is_some_and(|start| start.is_at(&value.source, &value.pointer))
            && declared_ms(&value.value).is_some()
    })
}

/// Whether the object of an entry was held, and whether it was gone, when somebody looked last.
fn stands(private: &Private, index: u64, size: u64) -> Result<(bool, bool), LedgerError> {
    match private.object(index)? {
        None => Ok((false, false)),
        Some(state) => private.stands(state.source, &state.key, size),
    }
}

impl Expression {
    fn asks_how_it_stands(&self) -> bool {
        self.names(&|name| matches!(name, Name::Hold | Name::Gone))
    }

    fn asks_when_it_began(&self) -> bool {
        self.names(&|name| matches!(name, Name::Known(known) if known.name == "start"))
    }

    fn names(&self, is_meant: &dyn Fn(&Name) -> bool) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.names(is_meant)),
            Self::Not(part) => part.names(is_meant),
            Self::Compare { name, .. } => is_meant(name),
        }
    }
}
