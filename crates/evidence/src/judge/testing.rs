//! For the tests beside the files of this folder: a ledger in memory that signs what it is told, and the
//! vectors of spec/vectors, to be changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::body::{Added, Body, Control, Ended, Ref, Rel, Role, Subject};
use crate::chain::ChainOf;
use crate::entry::{Statement, UnverifiedEntry};
use crate::field::FieldsCommitment;
use crate::hash::Hash;
use crate::judge::entries::{Entries, Shown};
use crate::judge::exhibit::verify_exhibit;
use crate::judge::files::{LogFile, LogFiles};
use crate::judge::findings::Findings;
use crate::judge::history::History;
use crate::key::{Signer, VerifierKey};
use crate::kind::Kind;
use crate::package::MemoryPackage;
use crate::step::Step;
use crate::time::Time;
use crate::tree::leaf_hash;
use crate::trust::Trust;
use crate::verdict::{Outcome, Verdict};

pub(crate) const ORIGIN: &str = "example.com/log";

/// The key of that number; 1 is the control key, 2 the log key, 3 the collector of the genesis.
pub(crate) fn signer(seed: u8) -> Signer {
    Signer::from_seed(&format!("example.com/{seed}"), &[seed; 32]).unwrap()
}

pub(crate) fn added(role: Role, seed: u8) -> Added {
    Added { role, key: signer(seed).verifier().clone() }
}

pub(crate) fn ended(seed: u8, disputed_from: Option<u64>) -> Ended {
    Ended { disputed_from, key: signer(seed).verifier().hash() }
}

fn fields() -> FieldsCommitment {
    FieldsCommitment { count: 8, root: Hash::of(&[]) }
}

/// What a control entry adds and ends; with a nonce it is a genesis.
pub(crate) fn control(add: Vec<Added>, end: Vec<Ended>, nonce: Option<[u8; 16]>) -> Body {
    Body::Control(Control { add, end, fields: fields(), nonce, refs: vec![] })
}

/// A ledger in memory.
pub(crate) struct Scribe {
    pub(crate) notes: Vec<String>,
    control: Option<Hash>,
    chains: BTreeMap<ChainOf, (u64, Hash)>,
}

impl Scribe {
    /// With a genesis that adds keys 1 to 3.
    pub(crate) fn new() -> Self {
        let mut scribe = Self::empty();
        let add = vec![added(Role::Control, 1), added(Role::Log, 2), added(Role::Collector, 3)];
        scribe.sign(1, Kind::Control, None, control(add, vec![], Some([7; 16])), |_| ());
        scribe
    }

    pub(crate) fn empty() -> Self {
        Self { notes: Vec::new(), control: None, chains: BTreeMap::new() }
    }

    /// Appends what key `seed` states, after `edit`.
    pub(crate) fn sign(
        &mut self,
        seed: u8,
        kind: Kind,
        subject: Option<Subject>,
        body: Body,
        edit: impl FnOnce(&mut Statement),
    ) {
        let signer = signer(seed);
        let key = signer.verifier().hash();
        let chain = if kind == Kind::Control { ChainOf::Control } else { ChainOf::Key(key) };
        let last = self.chains.get(&chain);
        let mut statement = Statement {
            at: Time::from_unix_ms(1_795_158_000_123),
            body,
            control: self.control,
            key,
            kind,
            number: last.map_or(0, |(number, _)| number + 1),
            origin: ORIGIN.into(),
            previous: last.map(|(_, text)| *text),
            signer: signer.verifier().name().to_owned(),
            subject,
        };
        edit(&mut statement);
        self.push(signer.sign_note(&statement.text_unchecked()));
    }

    pub(crate) fn push(&mut self, note: String) {
        if let Ok(entry) = UnverifiedEntry::parse(note.as_bytes()) {
            if entry.statement().kind == Kind::Control {
                self.control = Some(leaf_hash(note.as_bytes()));
            }
            let link = (entry.statement().number, entry.text_hash());
            self.chains.insert(ChainOf::entry(&entry), link);
        }
        self.notes.push(note);
    }

    /// A gap entry by key `seed`: one that says nothing of others.
    pub(crate) fn gap(&mut self, seed: u8, edit: impl FnOnce(&mut Statement)) {
        self.sign(seed, Kind::Gap, None, Body::Fields { fields: fields(), refs: vec![] }, edit);
    }

    /// An entry that refers to another.
    pub(crate) fn referring(&mut self, kind: Kind, subject: Option<Subject>, rel: Rel, index: u64) {
        let leaf = leaf_hash(self.notes[usize::try_from(index).unwrap()].as_bytes());
        let refs = vec![Ref { index, leaf, rel }];
        self.sign(3, kind, subject, Body::Fields { fields: fields(), refs }, |_| ());
    }

    /// A control entry by key `seed`.
    pub(crate) fn keys(&mut self, seed: u8, add: Vec<Added>, end: Vec<Ended>) {
        self.sign(seed, Kind::Control, None, control(add, end, None), |_| ());
    }

    /// The entries of these indices judged, as an exhibit that shows them does.
    pub(crate) fn judged(&self, shown: &[u64]) -> (Entries, Verdict) {
        let mut findings = Findings::new(Step::ALL);
        let mut entries = Entries::new(Some(ORIGIN.to_owned()), History::default());
        for index in shown {
            let note = &self.notes[usize::try_from(*index).unwrap()];
            entries.entry(Shown::read(*index, note.as_bytes()), &mut findings);
        }
        drop(entries.settle(1, &mut findings));
        entries.finish(&mut findings);
        (entries, Verdict::of(findings))
    }

    /// What became of all entries.
    pub(crate) fn outcomes(&self) -> Vec<crate::judge::entries::Outcome> {
        let mut findings = Findings::new(Step::ALL);
        let mut entries = Entries::new(Some(ORIGIN.to_owned()), History::default());
        for (index, note) in (0..).zip(&self.notes) {
            entries.entry(Shown::read(index, note.as_bytes()), &mut findings);
        }
        entries.settle(1, &mut findings)
    }

    /// What was found where all entries are shown, as [`found`] has it.
    pub(crate) fn found(&self) -> Vec<String> {
        let all: Vec<u64> = (0..self.notes.len() as u64).collect();
        found(&self.judged(&all).1)
    }
}

/// Contradictions and what is not established: step, outcome, item, expected, found.
pub(crate) fn found(verdict: &Verdict) -> Vec<String> {
    let worst = |outcome| matches!(outcome, Outcome::Contradicted | Outcome::NotEstablished);
    let findings = verdict.findings().iter().filter(|finding| worst(finding.outcome));
    let line = |finding: &crate::verdict::Finding| {
        let expected = match finding.expected.as_str() {
            "" => String::new(),
            expected => format!("expected {expected}; "),
        };
        let mark = if finding.outcome == Outcome::Contradicted { "!" } else { "?" };
        format!("{}{mark} {}: {expected}{}", finding.step.id(), finding.item, finding.found)
    };
    findings.map(line).collect()
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors")
}

/// The anchor of the vectors.
pub(crate) fn anchor() -> Trust {
    let key = std::fs::read_to_string(vectors().join("trust.txt")).unwrap();
    Trust::key(VerifierKey::parse(key.trim_end()).unwrap())
}

/// An exhibit of the vectors. Its .zip holds stored members one behind the other, each behind a local
/// header of 30 bytes and its name.
pub(crate) fn exhibit(name: &str) -> MemoryPackage {
    let zip = std::fs::read(vectors().join(format!("exhibits/{name}.zip"))).unwrap();
    let mut package = MemoryPackage::default();
    let mut rest = zip.as_slice();
    while rest.starts_with(b"PK\x03\x04") {
        let number = |at: usize, bytes: usize| {
            rest[at..at + bytes].iter().rev().fold(0, |n, byte| n << 8 | usize::from(*byte))
        };
        let (length, name) = (number(18, 4), number(26, 2));
        let (name, bytes) = (&rest[30..30 + name], &rest[30 + name..30 + name + length]);
        let path = std::str::from_utf8(name).unwrap().split_once('/').unwrap().1;
        package.insert(path, bytes);
        rest = &rest[30 + name.len() + length..];
    }
    package
}

/// What is found of an exhibit under the anchor of the vectors, as [`found`] has it.
pub(crate) fn found_in(package: &mut MemoryPackage) -> Vec<String> {
    found(&verify_exhibit(package, &anchor(), 1).unwrap())
}

/// A published log of the vectors, in memory.
pub(crate) struct MemoryLog(pub(crate) BTreeMap<String, Vec<u8>>);

impl MemoryLog {
    pub(crate) fn of(name: &str) -> Self {
        let top = vectors().join("logs").join(name);
        let mut files = BTreeMap::new();
        let mut folders = vec![top.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned();
                    files.insert(name, std::fs::read(&path).unwrap());
                }
            }
        }
        Self(files)
    }
}

impl LogFiles for MemoryLog {
    fn read(&mut self, path: &str, bytes_max: usize) -> Result<LogFile, String> {
        Ok(match self.0.get(path) {
            None => LogFile::Missing,
            Some(bytes) if bytes.len() > bytes_max => LogFile::TooLong,
            Some(bytes) => LogFile::Bytes(bytes.clone()),
        })
    }
}
