//! A ledger in memory, as simple as it can be: the naive reference for everything that signs.

use std::collections::BTreeMap;

use unbroken_evidence::body::{Body, Subject};
use unbroken_evidence::chain::ChainOf;
use unbroken_evidence::checkpoint::Checkpoint;
use unbroken_evidence::entry::{Statement, UnverifiedEntry};
use unbroken_evidence::field::{FieldSet, Salt, Value};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::Signer;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::proof::Proof;
use unbroken_evidence::time::Time;
use unbroken_evidence::tree::{Nodes, Subtree, prove_inclusion, root};

/// Pseudo-random bytes from a counter; vectors only.
#[derive(Clone, Debug, Default)]
pub struct Counter(u64);

impl Counter {
    /// The next 32 bytes.
    pub fn draw(&mut self) -> [u8; 32] {
        self.0 += 1;
        *Hash::of(&[b"unbroken vectors", &self.0.to_be_bytes()]).as_bytes()
    }

    /// The next salt.
    pub fn salt(&mut self) -> Salt {
        let mut salt = [0; 16];
        salt.iter_mut().zip(self.draw()).for_each(|(to, from)| *to = from);
        salt
    }
}

/// The notes of a log, and what is needed to write the next one.
#[derive(Clone, Debug)]
pub struct Model {
    /// The log's name.
    pub origin: String,
    /// The entries.
    pub notes: Vec<String>,
    /// Their openings.
    pub openings: BTreeMap<u64, Opening>,
    /// Where salts and keys come from.
    pub random: Counter,
    control: Option<Hash>,
    chains: BTreeMap<ChainOf, (u64, Hash)>,
}

impl Model {
    /// A log without entries.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            notes: Vec::new(),
            openings: BTreeMap::new(),
            random: Counter::default(),
            control: None,
            chains: BTreeMap::new(),
        }
    }

    /// The index of the next entry.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.notes.len() as u64
    }

    /// Commits to `values`; their opening belongs to the next entry.
    pub fn fields(&mut self, values: Vec<Value>, block_key: Option<[u8; 32]>) -> FieldSet {
        let mut random = std::mem::take(&mut self.random);
        let set = FieldSet::seal(values, &mut || random.salt());
        self.random = random;
        self.openings.insert(self.size(), Opening::of(set.clone(), block_key));
        set
    }

    /// The statement that the next entry of `signer` would make.
    #[must_use]
    pub fn statement(
        &self,
        signer: &Signer,
        kind: Kind,
        subject: Option<Subject>,
        body: Body,
    ) -> Statement {
        let key = signer.verifier().hash();
        let chain = if kind == Kind::Control { ChainOf::Control } else { ChainOf::Key(key) };
        let last = self.chains.get(&chain);
        Statement {
            at: Time::from_unix_ms(1_795_158_000_123 + self.size() * 1_000),
            body,
            control: self.control,
            key,
            kind,
            number: last.map_or(0, |(number, _)| number + 1),
            origin: self.origin.clone(),
            previous: last.map(|(_, text)| *text),
            signer: signer.verifier().name().to_owned(),
            subject,
        }
    }

    /// Appends a note, whatever it says.
    pub fn push(&mut self, note: String) {
        if note.contains("\"kind\":\"control\"") {
            self.control = Some(unbroken_evidence::tree::leaf_hash(note.as_bytes()));
        }
        if let Ok(entry) = UnverifiedEntry::parse(note.as_bytes()) {
            let link = (entry.statement().number, entry.text_hash());
            self.chains.insert(ChainOf::entry(&entry), link);
        }
        self.notes.push(note);
    }

    /// The leaf of each entry.
    #[must_use]
    pub fn leaves(&self) -> Vec<Hash> {
        self.notes.iter().map(|note| unbroken_evidence::tree::leaf_hash(note.as_bytes())).collect()
    }

    /// What a checkpoint over all entries says.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { origin: self.origin.clone(), size: self.size(), root: root(self.leaves()) }
    }

    /// The proof of entry `index` under `checkpoint`, a signed note over all entries.
    #[must_use]
    pub fn proof(&self, index: u64, checkpoint: &str) -> Proof {
        let path = prove_inclusion(index, self.size(), &mut Leaves(&self.leaves()));
        let path = path.unwrap_or_else(|never| match never {});
        Proof { index, path, checkpoint: checkpoint.as_bytes().to_vec() }
    }
}

/// Subtrees straight from the leaves.
pub struct Leaves<'a>(pub &'a [Hash]);

impl Nodes for Leaves<'_> {
    type Error = std::convert::Infallible;

    fn node(&mut self, subtree: Subtree) -> Result<Hash, Self::Error> {
        let start = usize::try_from(subtree.index << subtree.level).unwrap_or(usize::MAX);
        let end = start.saturating_add(1 << subtree.level);
        Ok(root(self.0.get(start..end).unwrap_or_default().iter().copied()))
    }
}
