//! The head of the store: what the next entry builds on.

use std::collections::BTreeMap;
use std::fmt;

use unbroken_evidence::chain::ChainOf;
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::tree::Edge;

/// Size, right edge, and where each chain stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The right edge of the tree; its size is the number of entries.
    pub edge: Edge,
    /// The leaf of the last entry; none in an empty store.
    pub last_leaf: Option<Hash>,
    /// The leaf of the newest control entry.
    pub control: Option<Hash>,
    /// The number and text hash of each chain's last entry.
    pub chains: BTreeMap<ChainOf, (u64, Hash)>,
}

impl Head {
    /// The number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The head after `entry`.
    pub fn extend(&mut self, entry: &UnverifiedEntry) {
        let leaf = entry.leaf();
        let chain = ChainOf::entry(entry);
        self.chains.insert(chain, (entry.statement().number, entry.text_hash()));
        if chain == ChainOf::Control {
            self.control = Some(leaf);
        }
        self.last_leaf = Some(leaf);
        self.edge.push(leaf);
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last_leaf {
            Some(leaf) => write!(f, "size {}, last leaf {leaf}", self.size()),
            None => f.write_str("size 0"),
        }
    }
}
