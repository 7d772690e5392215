//! Goes through the newest entry of each recording, and keeps those that answer a question.

use std::collections::BTreeSet;

use unbroken_evidence::body::{Body, Rel};
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::Private;
use unbroken_ledger::reader::LogReader;

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
}

impl Query {
    /// The newest entry of each recording that answers it.
    ///
    /// # Errors
    /// Those of log and private.db.
    pub fn find(&self, reader: &mut LogReader, private: &Private) -> Result<Answer, LedgerError> {
        let mut answer = Answer::default();
        let mut superseded = BTreeSet::new();
        let asks_how_it_stands = self.expression.asks_how_it_stands();
        for index in (0..reader.checkpoint().size).rev() {
            let entry = reader.entry(index)?;
            let Body::Recording(recording) = &entry.statement().body else { continue };
            let refs = recording.refs.iter().filter(|one| one.rel == Rel::Supersedes);
            superseded.extend(refs.map(|one| one.index));
            if superseded.remove(&index) {
                continue;
            }
            answer.recordings += 1;
            let Some(opening) = private.opening_of(index, &entry)? else {
                answer.unknown += 1;
                continue;
            };
            let (held, gone) =
                if asks_how_it_stands { stands(private, index)? } else { (false, false) };
            if self.matches(&Asked { entry: &entry, opening: &opening, held, gone }) {
                answer.indices.push(index);
            }
        }
        answer.indices.reverse();
        Ok(answer)
    }
}

/// Whether the object of an entry was held, and whether it was gone, when somebody looked last.
fn stands(private: &Private, index: u64) -> Result<(bool, bool), LedgerError> {
    let Some(state) = private.object(index)? else { return Ok((false, false)) };
    let newest = private.newest_watched(state.source, &state.key, None, 1)?;
    let newest = newest.into_iter().find(|(_, watched)| watched.key == state.key);
    Ok(newest.map_or((false, false), |(_, watched)| (watched.held, watched.gone)))
}

impl Expression {
    fn asks_how_it_stands(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_how_it_stands),
            Self::Not(part) => part.asks_how_it_stands(),
            Self::Compare { name, .. } => matches!(name, Name::Hold | Name::Gone),
        }
    }
}
