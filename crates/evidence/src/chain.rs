//! Chains: each key numbers its entries and names the one before (spec/entry.md).

use std::collections::BTreeMap;

use crate::entry::UnverifiedEntry;
use crate::hash::Hash;

/// Control entries share one chain, whichever control key signs; every other key has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChainOf {
    /// The control chain.
    Control,
    /// The chain of the key with this hash.
    Key(Hash),
}

impl ChainOf {
    /// The chain that `entry` belongs to.
    #[must_use]
    pub fn entry(entry: &UnverifiedEntry) -> Self {
        let statement = entry.statement();
        if statement.kind == "control" { Self::Control } else { Self::Key(statement.key) }
    }
}

/// The last link of a chain that was seen.
#[derive(Clone, Copy, Debug)]
struct Last {
    index: u64,
    /// Entries shown, and read, below `index`.
    shown_below: u64,
    number: u64,
    text: Hash,
}

/// The chains of all keys, followed through the shown entries in ascending index.
#[derive(Clone, Debug, Default)]
pub struct Chains {
    last: BTreeMap<ChainOf, Last>,
}

impl Chains {
    /// Takes in the next shown entry of its chain. `shown_below` counts the entries shown and
    /// read below `index`; `key_added` is where the key was added and how many were read up to there.
    ///
    /// Entries that are not shown, or not understood, leave room for numbers; no more numbers than
    /// there is room.
    ///
    /// # Errors
    /// What was expected and what was found.
    pub fn follow(
        &mut self,
        index: u64,
        shown_below: u64,
        key_added: (u64, u64),
        entry: &UnverifiedEntry,
    ) -> Result<(), (String, String)> {
        let statement = entry.statement();
        let number = statement.number;
        let chain = ChainOf::entry(entry);
        let link = Last { index, shown_below, number, text: entry.text_hash() };
        let Some(last) = self.last.insert(chain, link) else {
            let (added_at, shown_to_there) = key_added;
            let hidden = hidden_between(added_at, shown_to_there, index, shown_below);
            let room = if chain == ChainOf::Control { index.min(hidden) } else { hidden };
            return if number <= room {
                Ok(())
            } else {
                Err((format!("a number of at most {room} in its key's chain"), number.to_string()))
            };
        };
        let hidden =
            hidden_between(last.index, last.shown_below.saturating_add(1), index, shown_below);
        if number <= last.number || number - last.number > hidden.saturating_add(1) {
            let low = last.number.saturating_add(1);
            let high = low.saturating_add(hidden);
            return Err((format!("a number from {low} to {high}"), number.to_string()));
        }
        if last.number.checked_add(1) == Some(number) && statement.previous != Some(last.text) {
            let found = statement.previous.map_or_else(|| "none".to_owned(), |h| h.to_string());
            return Err((format!("previous {}", last.text), found));
        }
        Ok(())
    }
}

/// Indices between `from` and `to`, both excluded, whose entries are not shown.
const fn hidden_between(from: u64, shown_to_from: u64, to: u64, shown_below_to: u64) -> u64 {
    let between = to.saturating_sub(from).saturating_sub(1);
    between.saturating_sub(shown_below_to.saturating_sub(shown_to_from))
}
