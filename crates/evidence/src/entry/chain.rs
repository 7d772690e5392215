//! The chains that entries are numbered in: one for each key, and one that all control keys share.

use crate::entry::UnverifiedEntry;
use crate::hash::Hash;
use crate::kind::Kind;

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
        if statement.kind == Kind::Control { Self::Control } else { Self::Key(statement.key) }
    }
}
