//! Follows the chains: each key numbers its entries and names the one before (spec/entry.md E15, E16).

use std::collections::BTreeMap;

use crate::chain::ChainOf;
use crate::entry::UnverifiedEntry;
use crate::hash::Hash;

/// The last link of a chain that was seen.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Position,
    number: u64,
    text: Hash,
}

/// An index, and how many entries are shown below it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    pub(crate) index: u64,
    pub(crate) shown_below: u64,
}

/// The chains of all keys, followed through the shown entries in ascending index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chains {
    last: BTreeMap<ChainOf, Last>,
    /// Entries of a chain since its last link that cannot be read: room for one number each.
    unread: BTreeMap<ChainOf, u64>,
}

impl Chains {
    /// An entry of `chain` that cannot be read.
    pub(crate) fn skip(&mut self, chain: ChainOf) {
        *self.unread.entry(chain).or_default() += 1;
    }

    /// Takes in the next shown entry of its chain. `added` is the control entry that added its key, as
    /// far as that is known.
    ///
    /// Entries that are not shown leave room for numbers, and so do those of the same chain that cannot
    /// be read; there may be no more numbers than room.
    ///
    /// # Errors
    /// What was expected and what was found.
    pub(crate) fn follow(
        &mut self,
        at: Position,
        added: Option<Position>,
        entry: &UnverifiedEntry,
    ) -> Result<(), (String, String)> {
        let statement = entry.statement();
        let number = statement.number;
        let chain = ChainOf::entry(entry);
        let unread = self.unread.remove(&chain).unwrap_or(0);
        let Some(last) = self.last.insert(chain, Last { at, number, text: entry.text_hash() })
        else {
            let Some(added) = added else { return Ok(()) };
            let room = hidden_between(added, at).saturating_add(unread);
            return if number <= room {
                Ok(())
            } else {
                Err((format!("a number of at most {room} in its key's chain"), number.to_string()))
            };
        };
        let room = hidden_between(last.at, at).saturating_add(unread);
        if number <= last.number || number - last.number > room.saturating_add(1) {
            let low = last.number.saturating_add(1);
            let high = low.saturating_add(room);
            return Err((format!("a number from {low} to {high}"), number.to_string()));
        }
        if last.number.checked_add(1) == Some(number) && statement.previous != Some(last.text) {
            let found = statement.previous.map_or_else(|| "none".to_owned(), |h| h.to_string());
            return Err((format!("previous {}", last.text), found));
        }
        Ok(())
    }
}

/// Indices between two shown entries that are not shown.
const fn hidden_between(from: Position, to: Position) -> u64 {
    let between = to.index.saturating_sub(from.index).saturating_sub(1);
    let shown = to.shown_below.saturating_sub(from.shown_below).saturating_sub(1);
    between.saturating_sub(shown)
}

#[cfg(test)]
mod tests {
    use crate::hash::Hash;
    use crate::judge::testing::{Scribe, found};

    /// Entries 1 to 4, of which `edit` changes the last.
    fn four(edit: fn(&mut crate::entry::Statement)) -> Scribe {
        let mut scribe = Scribe::new();
        for _ in 0..3 {
            scribe.gap(3, |_| ());
        }
        scribe.gap(3, edit);
        scribe
    }

    // spec: E16
    #[test]
    fn what_is_not_shown_leaves_room_for_as_many_numbers() {
        let scribe = four(|_| ());
        for shown in [&[0, 1, 2, 3, 4][..], &[0, 1, 4], &[0, 4], &[0, 2, 3]] {
            assert_eq!(found(&scribe.judged(shown).1), [""; 0], "{shown:?}");
        }
        let scribe = four(|last| last.number = 4);
        let too_high =
            |low, high| format!("V16! entry 4: expected a number from {low} to {high}; 4");
        assert_eq!(found(&scribe.judged(&[0, 1, 4]).1), [too_high(1, 3)]);
        assert_eq!(found(&scribe.judged(&[0, 1, 2, 3, 4]).1), [too_high(3, 3)]);
        let first = "V16! entry 4: expected a number of at most 3 in its key's chain; 4";
        assert_eq!(found(&scribe.judged(&[0, 4]).1), [first]);
        let scribe = four(|last| last.number = 2);
        assert_eq!(scribe.found(), ["V16! entry 4: expected a number from 3 to 3; 2"]);
    }

    // spec: E15 E16
    #[test]
    fn the_text_before_is_named_where_it_is_shown() {
        let scribe = four(|last| last.previous = Some(Hash::of(&[b"another"])));
        let another = Hash::of(&[b"another"]);
        let [found] = &scribe.found()[..] else { panic!("one finding") };
        assert!(found.starts_with("V16! entry 4: expected previous "), "{found}");
        assert!(found.ends_with(&format!("; {another}")), "{found}");
        assert_eq!(crate::judge::testing::found(&scribe.judged(&[0, 1, 2, 4]).1), [""; 0]);
    }
}
