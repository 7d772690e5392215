//! Keys: which may sign what, by position in the log and never by time (spec/control.md).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::body::{Added, Body, Control, Ended, Role};
use crate::entry::{Envelope, UnverifiedEntry, VerifiedEntry};
use crate::error::FormError;
use crate::hash::Hash;
use crate::key::VerifierKey;
use crate::note::{Note, SignatureCheck, SignatureLine};
use crate::trust::Trust;

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
pub struct Keys {
    keys: BTreeMap<Hash, KeyHistory>,
    points: BTreeSet<[u8; 32]>,
    ledger_id: Option<Hash>,
    newest: Option<Hash>,
    /// An entry above the newest control entry that may be a newer one: it cannot be read.
    lost: Option<u64>,
    /// The first control entry of which nothing was taken: what it added or ended is not known.
    blind: Option<Blind>,
    /// Leaves of control entries that are shown, and of those that are named and are not.
    passed: BTreeSet<Hash>,
    missed: BTreeSet<Hash>,
}

/// A control entry of which nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blind {
    /// The one at this index.
    At(u64),
    /// One that the entry at this index names, and that is not shown.
    Below(u64),
}

impl Blind {
    /// Whether what it added or ended counts at `index`.
    pub(crate) const fn counts_at(self, index: u64) -> bool {
        match self {
            Self::At(at) => at < index,
            Self::Below(at) => at <= index,
        }
    }
}

impl fmt::Display for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => write!(f, "control entry {at}, of which nothing was taken,"),
            Self::Below(at) => {
                write!(f, "the control entry that entry {at} names, which is not shown,")
            }
        }
    }
}

/// The log keys of a chain, where they serve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Serving {
    pub(crate) keys: Vec<VerifierKey>,
    /// Under the ledger id that was given there is no other one.
    pub(crate) are_all: bool,
}

impl Keys {
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

    /// The entry that may be a newer control entry than [`Keys::newest`], and cannot be read.
    pub(crate) const fn lost(&self) -> Option<u64> {
        self.lost
    }

    /// The first control entry of which nothing was taken, if there is one.
    #[must_use]
    pub const fn blind(&self) -> Option<Blind> {
        self.blind
    }

    /// The first control entry of which nothing was taken, or entry 0 where no key is known at all: from
    /// there on what is not known may have been said.
    #[must_use]
    pub fn not_read_from(&self) -> Option<Blind> {
        self.blind.or_else(|| self.keys.is_empty().then_some(Blind::At(0)))
    }

    /// Whether a control entry of this leaf is shown, below what is judged now.
    pub(crate) fn has_passed(&self, leaf: &Hash) -> bool {
        self.passed.contains(leaf)
    }

    /// The entry at `index` names a control entry that is not shown; whether it is the first that does.
    pub(crate) fn miss(&mut self, index: u64, named: Hash) -> bool {
        self.blind.get_or_insert(Blind::Below(index));
        self.missed.insert(named)
    }

    /// Passes a control entry by its leaf: what it says is not taken in.
    pub(crate) fn pass(&mut self, index: u64, leaf: Hash) {
        self.newest = Some(leaf);
        self.passed.insert(leaf);
        self.lost = None;
        if index == 0 {
            self.ledger_id = Some(leaf);
        }
    }

    /// The entry at `index` cannot be read; it may be a control entry, signed or not.
    pub(crate) const fn lose(&mut self, index: u64) {
        self.lost = Some(index);
    }

    /// The file of the control entry at `index` cannot be read, and not even its leaf is known.
    pub(crate) fn damaged(&mut self, index: u64) {
        self.blind.get_or_insert(Blind::At(index));
        self.lose(index);
    }

    /// A control key signed the entry at `index`, and it cannot be read: from here on a key that is
    /// not known may have been added, and a known one ended.
    pub(crate) fn unread(&mut self, index: u64, leaf: Hash) {
        self.blind.get_or_insert(Blind::At(index));
        self.pass(index, leaf);
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

    /// The key that signed `envelope`, told by its signature line, and verified; and whether a known
    /// key is named there at all.
    pub(crate) fn signer_of(&self, envelope: &Envelope) -> (Option<&KeyHistory>, bool) {
        let line = envelope.line();
        let named =
            |history: &&KeyHistory| history.key.name() == line.name && history.key.id() == line.id;
        let signed = |history: &&KeyHistory| envelope.check(&history.key) == SignatureCheck::Valid;
        (self.keys().filter(named).find(signed), self.keys().any(|history| named(&history)))
    }

    /// Whether a signature line names a control key.
    pub(crate) fn is_control(&self, line: &SignatureLine) -> bool {
        let named =
            |history: &&KeyHistory| history.key.name() == line.name && history.key.id() == line.id;
        self.keys().filter(named).any(|history| history.role == Role::Control)
    }

    /// L8: the log keys of this chain, where no key was given and it is the one of each ledger id that was.
    pub(crate) fn serving(&self, trust: &Trust) -> Serving {
        let is_named =
            trust.keys.is_empty() && trust.ledger_ids.iter().all(|id| Some(*id) == self.ledger_id);
        let keys = self.keys().filter(|history| is_named && history.role == Role::Log);
        Serving {
            keys: keys.map(|history| history.key.clone()).collect(),
            are_all: !trust.ledger_ids.is_empty() && self.not_read_from().is_none(),
        }
    }

    /// The log key, valid at `size`, that signed the checkpoint in `note`.
    pub(crate) fn signer_of_checkpoint(&self, note: &Note, size: u64) -> Option<&KeyHistory> {
        self.keys().find(|history| {
            history.role == Role::Log
                && history.covers_size(size)
                && note.check(&history.key) == SignatureCheck::Valid
        })
    }

    /// Whether a log key, valid at `size`, has a signature line on `note`.
    pub(crate) fn is_named_on(&self, note: &Note, size: u64) -> bool {
        let mut signers = self.keys().filter(|history| history.role == Role::Log);
        signers.any(|history| {
            history.covers_size(size) && note.check(&history.key) != SignatureCheck::Absent
        })
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

    /// Takes in the control entry at `index`. Everything is checked before anything is taken in.
    ///
    /// # Errors
    /// `Malformed`, naming the rule of spec/control.md that does not hold; then the entry is only
    /// passed by its leaf.
    pub fn apply(&mut self, index: u64, entry: &VerifiedEntry) -> Result<(), FormError> {
        let is_first = self.ledger_id.is_none();
        let checked = self.check(index, is_first, entry);
        self.pass(index, entry.entry().leaf());
        let control = checked?;
        for added in &control.add {
            self.points.insert(added.key.public());
            let history = KeyHistory {
                key: added.key.clone(),
                role: added.role,
                added_at: index,
                ended_at: None,
                disputed_from: None,
            };
            self.keys.insert(added.key.hash(), history);
        }
        for ended in &control.end {
            if let Some(history) = self.keys.get_mut(&ended.key) {
                history.ended_at.get_or_insert(index);
                history.disputed_from = history.disputed_from.or(ended.disputed_from);
            }
        }
        Ok(())
    }

    fn check<'a>(
        &self,
        index: u64,
        is_first: bool,
        entry: &'a VerifiedEntry,
    ) -> Result<&'a Control, FormError> {
        let statement = entry.statement();
        let Body::Control(control) = &statement.body else {
            return Err(refused("a control entry", statement.kind.name()));
        };
        if (index == 0) != control.nonce.is_some() || (index == 0) != is_first {
            return Err(refused("exactly one genesis, at index 0", &index.to_string()));
        }
        let has = |role| control.add.iter().any(|added| added.role == role);
        if index == 0 && !(has(Role::Control) && has(Role::Log) && has(Role::Collector)) {
            return Err(refused("one key of each role in the genesis", "a role without a key"));
        }
        let mut added = BTreeSet::new();
        for new in &control.add {
            let point = new.key.public();
            if self.points.contains(&point) || !added.insert(point) {
                return Err(refused("a public key that was never added", &new.key.to_string()));
            }
        }
        let mut ended = BTreeSet::new();
        for end in &control.end {
            self.check_end(index, control, end)?;
            if !ended.insert(end.key) {
                return Err(refused("a key ended once in an entry", &end.key.to_string()));
            }
        }
        Ok(control)
    }

    fn check_end(&self, index: u64, control: &Control, ended: &Ended) -> Result<(), FormError> {
        if let Some(from) = ended.disputed_from.filter(|from| *from > index) {
            return Err(refused("disputed_from not above the entry itself", &from.to_string()));
        }
        let Some(history) = self.keys.get(&ended.key) else {
            let here = control.add.iter().any(|added| added.key.hash() == ended.key);
            let refused =
                || refused("a key that was added before it is ended", &ended.key.to_string());
            return if here { Ok(()) } else { Err(refused()) };
        };
        let only_disputes = ended.disputed_from.is_some() && history.disputed_from.is_none();
        if history.ended_at.is_some() && !only_disputes {
            return Err(refused("a key ended once, disputed once", &history.key.to_string()));
        }
        Ok(())
    }
}

fn refused(expected: &str, found: &str) -> FormError {
    FormError::malformed("control chain", expected, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::{Scribe, added, control, ended, signer};
    use crate::kind::Kind;

    /// What is found of a ledger with these control entries behind its genesis.
    fn found(entries: Vec<(Vec<Added>, Vec<Ended>)>) -> Vec<String> {
        let mut scribe = Scribe::new();
        entries.into_iter().for_each(|(add, end)| scribe.keys(1, add, end));
        scribe.found()
    }

    fn refused(index: u64, expected: &str, found: &str) -> Vec<String> {
        vec![format!("V11! entry {index} (control chain): expected {expected}; {found}")]
    }

    // spec: C4
    #[test]
    fn a_public_key_is_added_once() {
        let expected = "a public key that was never added";
        let three = signer(3).verifier().to_string();
        let again = || vec![added(Role::Collector, 3)];
        assert_eq!(found(vec![(again(), vec![])]), refused(1, expected, &three));
        let four = signer(4).verifier().to_string();
        let twice = vec![added(Role::Collector, 4), added(Role::Log, 4)];
        assert_eq!(found(vec![(twice, vec![])]), refused(1, expected, &four));
    }

    // spec: C5 C6 C8
    #[test]
    fn a_key_is_ended_once_and_disputed_once() {
        let end = |disputed| (vec![], vec![ended(3, disputed)]);
        assert_eq!(found(vec![end(None)]), [""; 0]);
        assert_eq!(found(vec![end(None), end(Some(1))]), [""; 0]);
        let three = signer(3).verifier().to_string();
        let expected = "a key ended once, disputed once";
        assert_eq!(found(vec![end(None), end(None)]), refused(2, expected, &three));
        let disputed = vec![end(Some(1)), end(Some(1))];
        assert_eq!(found(disputed), refused(2, expected, &three));
        let hash = signer(3).verifier().hash().to_string();
        let twice = vec![(vec![], vec![ended(3, None), ended(3, None)])];
        assert_eq!(found(twice), refused(1, "a key ended once in an entry", &hash));
        assert_eq!(found(vec![end(Some(1))]), [""; 0], "from the entry itself on");
        let above = "disputed_from not above the entry itself";
        assert_eq!(found(vec![end(Some(2))]), refused(1, above, "2"));
    }

    // spec: C5
    #[test]
    fn what_is_ended_was_added_below_or_here() {
        let here = (vec![added(Role::Collector, 4)], vec![ended(4, None)]);
        assert_eq!(found(vec![here]), [""; 0]);
        let hash = signer(9).verifier().hash().to_string();
        let expected = "a key that was added before it is ended";
        assert_eq!(found(vec![(vec![], vec![ended(9, None)])]), refused(1, expected, &hash));
    }

    // spec: C2
    #[test]
    fn a_genesis_has_a_key_of_each_role() {
        let add = vec![added(Role::Control, 1), added(Role::Log, 2)];
        let mut scribe = Scribe::empty();
        scribe.sign(1, Kind::Control, None, control(add, vec![], Some([7; 16])), |_| ());
        let expected = "one key of each role in the genesis";
        assert_eq!(scribe.found()[..1], refused(0, expected, "a role without a key"));
    }

    // spec: C2
    #[test]
    fn a_second_genesis_adds_nothing() {
        let add = vec![added(Role::Control, 4), added(Role::Log, 5), added(Role::Collector, 6)];
        let mut scribe = Scribe::new();
        let body = control(add, vec![], Some([7; 16]));
        scribe.sign(1, Kind::Control, None, body, |genesis| {
            (genesis.control, genesis.number, genesis.previous) = (None, 0, None);
        });
        let refused = refused(1, "exactly one genesis, at index 0", "1");
        assert!(scribe.found().contains(&refused[0]), "{:?}", scribe.found());
    }

    // spec: C7 C9
    #[test]
    fn a_key_counts_behind_the_entry_that_adds_it_and_up_to_the_one_that_ends_it() {
        let history = |role, added_at, ended_at| KeyHistory {
            key: signer(3).verifier().clone(),
            role,
            added_at,
            ended_at,
            disputed_from: None,
        };
        let covered = |history: &KeyHistory| {
            let entries = (0..8).filter(|index| history.covers_entry(*index)).collect::<Vec<_>>();
            (entries, (0..8).filter(|size| history.covers_size(*size)).collect::<Vec<_>>())
        };
        let ended = history(Role::Collector, 2, Some(5));
        assert_eq!(covered(&ended), (vec![3, 4, 5], vec![3, 4, 5]));
        let open = history(Role::Log, 5, None);
        assert_eq!(covered(&open), (vec![6, 7], vec![6, 7]));
        let genesis = history(Role::Control, 0, Some(1));
        assert_eq!(covered(&genesis), (vec![0, 1], vec![1]));
        assert_eq!(covered(&history(Role::Log, 0, Some(1))).0, [1]);
        assert_eq!(covered(&history(Role::Control, 1, Some(2))).0, [2]);
    }
}
