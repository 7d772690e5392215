//! Control: which key may sign what, by position in the log and never by time (spec/control.md).

use std::collections::{BTreeMap, BTreeSet};

use crate::body::{Added, Body, Control, Ended, Role};
use crate::entry::{UnverifiedEntry, VerifiedEntry};
use crate::error::FormError;
use crate::hash::Hash;
use crate::key::VerifierKey;

/// What the control entries say of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHistory {
    /// The key.
    pub key: VerifierKey,
    /// What it may sign.
    pub role: Role,
    /// The index of the control entry that added it.
    pub added_at: u64,
    /// The index of the control entry that ended it.
    pub ended_at: Option<u64>,
    /// The first index from which its signatures are not relied on.
    pub disputed_from: Option<u64>,
}

impl KeyHistory {
    /// Whether the key may sign entry `index`. The genesis' own control key signs entry 0 too.
    #[must_use]
    pub fn covers_entry(&self, index: u64) -> bool {
        let genesis = index == 0 && self.added_at == 0 && self.role == Role::Control;
        (self.added_at < index || genesis) && self.ended_at.is_none_or(|end| index <= end)
    }

    /// Whether the key may sign a checkpoint of `size`.
    #[must_use]
    pub fn covers_size(&self, size: u64) -> bool {
        self.added_at < size && self.ended_at.is_none_or(|end| size <= end)
    }
}

/// The state of the keys after some control entries.
#[derive(Clone, Debug, Default)]
pub struct ControlState {
    keys: BTreeMap<Hash, KeyHistory>,
    points: BTreeSet<[u8; 32]>,
    ledger_id: Option<Hash>,
    newest: Option<Hash>,
}

impl ControlState {
    /// The leaf of entry 0.
    #[must_use]
    pub const fn ledger_id(&self) -> Option<Hash> {
        self.ledger_id
    }

    /// The leaf of the newest control entry.
    #[must_use]
    pub const fn newest(&self) -> Option<Hash> {
        self.newest
    }

    /// A control entry that cannot be read: what it says is not known, its leaf is.
    pub(crate) const fn pass_over(&mut self, leaf: Hash) {
        self.newest = Some(leaf);
    }

    /// All keys ever added.
    pub fn keys(&self) -> impl Iterator<Item = &KeyHistory> {
        self.keys.values()
    }

    /// The key with that hash.
    #[must_use]
    pub fn key(&self, hash: &Hash) -> Option<&KeyHistory> {
        self.keys.get(hash)
    }

    /// The key that claims to have made `entry`: one of this state, or for the genesis one that
    /// the entry itself adds.
    #[must_use]
    pub fn key_of(&self, entry: &UnverifiedEntry) -> Option<VerifierKey> {
        let statement = entry.statement();
        if let Some(history) = self.keys.get(&statement.key) {
            return Some(history.key.clone());
        }
        match &statement.body {
            Body::Control(Control { add, nonce: Some(_), .. }) if self.ledger_id.is_none() => {
                let own = |added: &&Added| {
                    added.role == Role::Control && added.key.hash() == statement.key
                };
                add.iter().find(own).map(|added| added.key.clone())
            }
            _ => None,
        }
    }

    /// Takes in the control entry at `index`.
    ///
    /// # Errors
    /// `Malformed`, naming the rule of spec/control.md that does not hold; the state is unchanged.
    pub fn apply(&mut self, index: u64, entry: &VerifiedEntry) -> Result<(), FormError> {
        let statement = entry.statement();
        let Body::Control(control) = &statement.body else {
            return Err(FormError::malformed("control chain", "a control entry", &statement.kind));
        };
        if (index == 0) != control.nonce.is_some() || (index == 0) != self.ledger_id.is_none() {
            return Err(refused("exactly one genesis, at index 0", &index.to_string()));
        }
        let mut next = self.clone();
        for added in &control.add {
            next.add(index, added)?;
        }
        for ended in &control.end {
            next.end(index, ended)?;
        }
        if index == 0 {
            let has = |role| control.add.iter().any(|added| added.role == role);
            if !(has(Role::Control) && has(Role::Log) && has(Role::Collector)) {
                return Err(refused("one key of each role in the genesis", "a role without a key"));
            }
            next.ledger_id = Some(entry.entry().leaf());
        }
        next.newest = Some(entry.entry().leaf());
        *self = next;
        Ok(())
    }

    fn add(&mut self, index: u64, added: &Added) -> Result<(), FormError> {
        if !self.points.insert(added.key.public()) {
            return Err(refused("a public key that was never added", &added.key.to_string()));
        }
        let history = KeyHistory {
            key: added.key.clone(),
            role: added.role,
            added_at: index,
            ended_at: None,
            disputed_from: None,
        };
        self.keys.insert(added.key.hash(), history);
        Ok(())
    }

    fn end(&mut self, index: u64, ended: &Ended) -> Result<(), FormError> {
        let Some(history) = self.keys.get_mut(&ended.key) else {
            return Err(refused("a key that was added before it is ended", &ended.key.to_string()));
        };
        if ended.disputed_from.is_some_and(|from| from > index) {
            return Err(refused("disputed_from not above the entry itself", &index.to_string()));
        }
        let only_disputes = ended.disputed_from.is_some() && history.disputed_from.is_none();
        if history.ended_at.is_some() && !only_disputes {
            return Err(refused("a key ended once, disputed once", &history.key.to_string()));
        }
        history.ended_at.get_or_insert(index);
        history.disputed_from = history.disputed_from.or(ended.disputed_from);
        Ok(())
    }
}

fn refused(expected: &str, found: &str) -> FormError {
    FormError::malformed("control chain", expected, found)
}
