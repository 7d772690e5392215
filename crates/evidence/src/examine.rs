//! Judges entries one after the other, in ascending index: the part of the verification that an
//! exhibit and a published log share (spec/verification.md, V11 to V16 and V21 to V24).

use std::collections::{BTreeMap, BTreeSet};

use crate::body::{Body, FIELD_KINDS, Ref, Rel, Role, Subject};
use crate::chain::Chains;
use crate::control::ControlState;
use crate::entry::{Statement, UnverifiedEntry};
use crate::error::FormError;
use crate::hash::Hash;
use crate::key::VerifierKey;
use crate::note::SignatureCheck;
use crate::spread::spread;
use crate::step::{Axis, Step};
use crate::tree::leaf_hash;
use crate::verdict::Findings;

/// An entry at its index, read or not.
pub(crate) struct Shown {
    pub(crate) index: u64,
    pub(crate) leaf: Hash,
    /// Told by its place in an exhibit, by its text in a log; matters where it cannot be read.
    is_control: bool,
    pub(crate) read: Result<UnverifiedEntry, FormError>,
}

impl Shown {
    /// Reads the entry at `index`; a pure function, so that many can be read at once.
    pub(crate) fn read(index: u64, bytes: &[u8]) -> Self {
        let mark = b"\"kind\":\"control\"";
        let is_control = bytes.windows(mark.len()).any(|window| window == mark);
        Self { index, leaf: leaf_hash(bytes), is_control, read: UnverifiedEntry::parse(bytes) }
    }

    /// The same, where its place says whether it is a control entry.
    pub(crate) fn at(self, is_control: bool) -> Self {
        Self { is_control, ..self }
    }
}

/// What is kept of each entry until the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) index: u64,
    pub(crate) leaf: Hash,
    pub(crate) subject: Option<Subject>,
    pub(crate) kind: KindTag,
    key: u32,
}

/// A kind, small enough to be kept for every entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KindTag {
    Unreadable,
    Unknown,
    Control,
    Recording,
    Erasure,
    Produced,
    Policy,
    Custody,
    OtherFields(u8),
}

impl KindTag {
    fn of(statement: &Statement) -> Self {
        match (&statement.body, statement.kind.as_str()) {
            (Body::Unknown(_), _) => Self::Unknown,
            (Body::Control(_), _) => Self::Control,
            (Body::Recording(_), _) => Self::Recording,
            (_, "erasure") => Self::Erasure,
            (_, "produced") => Self::Produced,
            (_, "policy") => Self::Policy,
            (_, "custody") => Self::Custody,
            (_, kind) => {
                let place = FIELD_KINDS.iter().position(|known| *known == kind);
                Self::OtherFields(
                    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX),
                )
            }
        }
    }
}

/// A signature that is still to be checked.
struct Pending {
    index: u64,
    entry: UnverifiedEntry,
    key: VerifierKey,
}

/// Judges entries as they come.
pub(crate) struct Examiner {
    pub(crate) findings: Findings,
    pub(crate) control: ControlState,
    /// Ascending by index.
    pub(crate) kept: Vec<Kept>,
    /// In a published log, the leaf of every entry, judged or not.
    leaves: Vec<Hash>,
    origin: Option<String>,
    unread_control: Option<u64>,
    chains: Chains,
    keys: Vec<Hash>,
    /// Entries that could be read so far: one that could not may belong to any chain, and leaves room
    /// for a number as one that is not shown does.
    read: u64,
    /// How many entries were read up to and including each control entry.
    read_at_control: BTreeMap<u64, u64>,
    superseded: Vec<u64>,
    policies: BTreeSet<Hash>,
    pending: Vec<Pending>,
}

impl Examiner {
    pub(crate) fn new(findings: Findings, origin: Option<String>) -> Self {
        Self {
            findings,
            control: ControlState::default(),
            kept: Vec::new(),
            leaves: Vec::new(),
            origin,
            unread_control: None,
            chains: Chains::default(),
            keys: Vec::new(),
            read: 0,
            read_at_control: BTreeMap::new(),
            superseded: Vec::new(),
            policies: BTreeSet::new(),
            pending: Vec::new(),
        }
    }

    /// Judges the next shown entry; its signature, unless it is a control entry's, at
    /// [`Examiner::settle`]. Gives what it states, if it could be read.
    pub(crate) fn entry(&mut self, shown: Shown) -> Option<Statement> {
        let Shown { index, leaf, is_control, read } = shown;
        let item = format!("entry {index}");
        let kept = Kept { index, leaf, subject: None, kind: KindTag::Unreadable, key: u32::MAX };
        let entry = match read {
            Ok(entry) => entry,
            Err(error) => {
                self.findings.form(Step::NoteForm, &item, &error);
                if is_control {
                    // Its leaf is known all the same: later entries must name it.
                    self.unread_control.get_or_insert(index);
                    self.control.pass_over(leaf);
                }
                self.kept.push(kept);
                return None;
            }
        };
        let statement = entry.statement().clone();
        let expected = self.origin.clone().unwrap_or_else(|| statement.origin.clone());
        let same = statement.origin == expected;
        self.findings.check(
            same,
            Step::NoteForm,
            &item,
            &format!("origin {expected}"),
            &statement.origin,
        );
        let kind = KindTag::of(&statement);
        let key = self.key_number(statement.key);
        self.control_pointer(index, &item, &statement);
        self.chain(index, &item, &entry);
        self.signature(index, &item, entry);
        self.kept.push(Kept { subject: statement.subject, kind, key, ..kept });
        self.read += 1;
        if kind == KindTag::Unknown {
            let why = format!(
                "kind `{}` is not known to this version: its meaning is not checked",
                statement.kind
            );
            self.findings.not_established(Step::Named, &item, &why);
        }
        if kind == KindTag::Policy {
            self.policies.insert(leaf);
        }
        for reference in statement.body.refs() {
            self.reference(index, &item, kind, &statement, reference);
        }
        self.policy(&item, &statement);
        Some(statement)
    }

    /// The leaf of the next entry of a published log.
    pub(crate) fn passes(&mut self, leaf: Hash) {
        self.leaves.push(leaf);
    }

    fn key_number(&mut self, key: Hash) -> u32 {
        let place = self.keys.iter().position(|known| *known == key).unwrap_or_else(|| {
            self.keys.push(key);
            self.keys.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    fn control_pointer(&mut self, index: u64, item: &str, statement: &Statement) {
        let newest = self.control.newest();
        let shown =
            |hash: Option<Hash>| hash.map_or_else(|| "none".to_owned(), |hash| hash.to_string());
        let holds = statement.control == newest && (index == 0) == newest.is_none();
        let expected = format!("control {}", shown(newest));
        self.findings.check(holds, Step::Control, item, &expected, &shown(statement.control));
    }

    fn chain(&mut self, index: u64, item: &str, entry: &UnverifiedEntry) {
        let added_at =
            self.control.key(&entry.statement().key).map_or(0, |history| history.added_at);
        let shown_to_there = self.read_at_control.get(&added_at).copied().unwrap_or(0);
        let shown_below = self.read;
        let step = if entry.statement().kind == "control" { Step::Control } else { Step::Chain };
        match self.chains.follow(index, shown_below, (added_at, shown_to_there), entry) {
            Ok(()) => self.findings.held(step),
            Err((expected, found)) => self.findings.contradicted(step, item, &expected, &found),
        }
    }

    fn signature(&mut self, index: u64, item: &str, entry: UnverifiedEntry) {
        if let Some(unread) = self.unread_control {
            let why =
                format!("control entry {unread} could not be read: no key is judged after it");
            return self.findings.not_established(Step::Standing, item, &why);
        }
        let Some(key) = self.control.key_of(&entry) else {
            let found = format!("{}, key {}", entry.statement().signer, entry.statement().key);
            let expected = "a key that a control entry below added";
            self.findings.contradicted(Step::Signature, item, expected, &found);
            if entry.statement().kind == "control" {
                self.unread_control.get_or_insert(index);
            }
            return;
        };
        if entry.statement().kind == "control" {
            self.control_entry(index, item, entry, &key);
        } else {
            self.standing(index, item, &key, Role::Collector);
            self.pending.push(Pending { index, entry, key });
        }
    }

    fn control_entry(&mut self, index: u64, item: &str, entry: UnverifiedEntry, key: &VerifierKey) {
        let verified = match entry.verify(key) {
            Ok(verified) => verified,
            Err(check) => {
                signature_finding(&mut self.findings, index, check);
                self.unread_control.get_or_insert(index);
                return;
            }
        };
        self.findings.held(Step::Signature);
        if index > 0 {
            self.standing(index, item, key, Role::Control);
        }
        if matches!(verified.statement().body, Body::Unknown(_)) {
            let what = "a control entry with a relation that is not known";
            self.findings.unsupported(Step::NoteForm, item, what);
            self.unread_control.get_or_insert(index);
            return self.control.pass_over(verified.entry().leaf());
        }
        match self.control.apply(index, &verified) {
            Ok(()) => self.findings.held(Step::Control),
            Err(error) => self.findings.form(Step::Control, item, &error),
        }
        if index == 0 {
            self.standing(index, item, key, Role::Control);
        }
        self.read_at_control.insert(index, self.read + 1);
    }

    fn standing(&mut self, index: u64, item: &str, key: &VerifierKey, role: Role) {
        let history = self.control.key(&key.hash());
        let holds = history.is_some_and(|h| h.role == role && h.covers_entry(index));
        let expected = format!("a {} key, valid at index {index}", role.name());
        let found = history.map_or_else(
            || format!("{key}, never added"),
            |h| match h.ended_at {
                Some(end) => {
                    format!("{key}, {}, added at {}, ended at {end}", h.role.name(), h.added_at)
                }
                None => format!("{key}, {}, added at {}", h.role.name(), h.added_at),
            },
        );
        self.findings.check(holds, Step::Standing, item, &expected, &found);
    }

    fn reference(
        &mut self,
        index: u64,
        item: &str,
        kind: KindTag,
        statement: &Statement,
        reference: &Ref,
    ) {
        let target = reference.index;
        if target >= index {
            let expected = format!("a reference below {index}");
            return self.findings.contradicted(
                Step::References,
                item,
                &expected,
                &target.to_string(),
            );
        }
        let Some(named) = self.find(target).copied() else {
            let passed = usize::try_from(target).ok().and_then(|place| self.leaves.get(place));
            if let Some(leaf) = passed {
                let expected = format!("leaf {leaf} of entry {target}");
                let holds = *leaf == reference.leaf;
                return self.findings.check(
                    holds,
                    Step::References,
                    item,
                    &expected,
                    &reference.leaf.to_string(),
                );
            }
            if reference.rel == Rel::Supersedes {
                let expected = format!("entry {target}, which it supersedes, to be shown");
                return self.findings.contradicted(Step::Items, item, &expected, "not shown");
            }
            let why = format!("it names entry {target}, which is not shown");
            return self.findings.not_established(Step::Named, item, &why);
        };
        let holds = named.leaf == reference.leaf;
        let expected = format!("leaf {} of entry {target}", named.leaf);
        self.findings.check(holds, Step::References, item, &expected, &reference.leaf.to_string());
        if matches!(named.kind, KindTag::Unreadable | KindTag::Unknown) || kind == KindTag::Unknown
        {
            let why = format!(
                "entry {target}, which it names, is not judged: one of them is not understood"
            );
            return self.findings.not_established(Step::Named, item, &why);
        }
        if named.kind == KindTag::Produced {
            let found = format!("entry {target}");
            self.findings.contradicted(
                Step::References,
                item,
                "no reference to a `produced` entry",
                &found,
            );
        }
        if reference.rel == Rel::Supersedes {
            self.superseded.push(target);
            let same = named.kind == kind && named.subject == statement.subject;
            let expected = format!("entry {target} to be of the same kind and subject");
            self.findings.check(same, Step::References, item, &expected, "another");
        }
    }

    fn policy(&mut self, item: &str, statement: &Statement) {
        if let Body::Recording(recording) = &statement.body
            && let Some(completeness) = recording.completeness
            && !self.policies.contains(&completeness.policy)
        {
            let why = format!("its policy, leaf {}, is not shown", completeness.policy);
            self.findings.not_established(Step::Named, item, &why);
        }
    }

    /// What is kept of the entry at `index`, if it was shown.
    pub(crate) fn find(&self, index: u64) -> Option<&Kept> {
        let place = self.kept.binary_search_by_key(&index, |kept| kept.index).ok()?;
        self.kept.get(place)
    }

    /// Checks the signatures that have gathered, once there are `enough`, on `threads` threads.
    pub(crate) fn settle(&mut self, enough: usize, threads: usize) {
        if self.pending.len() < enough {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        let checked = spread(pending, threads, |one| (one.index, one.entry.verify(&one.key).err()));
        for (index, outcome) in checked {
            signature_finding(&mut self.findings, index, outcome.unwrap_or(SignatureCheck::Valid));
        }
    }

    /// What can be said only when all entries were seen: disputes, succession, custody.
    pub(crate) fn finish(&mut self) {
        for history in self.control.keys() {
            let Some(from) = history.disputed_from else { continue };
            let number = self.keys.iter().position(|key| *key == history.key.hash());
            for kept in self.kept.iter().filter(|kept| kept.index >= from) {
                if usize::try_from(kept.key).ok() == number {
                    let why = format!("its key {} is disputed from {from} on", history.key);
                    self.findings.not_established(
                        Step::Standing,
                        &format!("entry {}", kept.index),
                        &why,
                    );
                }
            }
        }
        self.succession();
        if self.kept.iter().any(|kept| kept.kind == KindTag::Custody) {
            self.findings.held(Step::CustodyEvents);
            self.findings.note(Axis::Custody, "custody entries are established as signed; their content only where it is disclosed".into());
        } else {
            self.findings.not_supplied(Step::CustodyEvents, "custody entries", "none is shown");
        }
    }

    fn succession(&mut self) {
        self.superseded.sort_unstable();
        let twice: BTreeSet<u64> = self
            .superseded
            .windows(2)
            .filter_map(|pair| if let [a, b] = pair { (a == b).then_some(*a) } else { None })
            .collect();
        let mut recordings: Vec<(Subject, u64)> = self
            .kept
            .iter()
            .filter(|kept| kept.kind == KindTag::Recording)
            .filter_map(|kept| Some((kept.subject?, kept.index)))
            .collect();
        recordings.sort_unstable();
        for group in recordings.chunk_by(|a, b| a.0 == b.0) {
            let is_current =
                |(_, index): &&(Subject, u64)| self.superseded.binary_search(index).is_err();
            let current = group.iter().filter(is_current).count();
            let branched = current != 1 || group.iter().any(|(_, index)| twice.contains(index));
            let Some((subject, _)) = group.first() else { continue };
            if branched {
                let why = format!(
                    "its history branches: {current} of {} recording entries are not superseded; none is current",
                    group.len()
                );
                self.findings.not_established(
                    Step::Succession,
                    &format!("subject {subject}"),
                    &why,
                );
            } else {
                self.findings.held(Step::Succession);
            }
        }
    }
}

fn signature_finding(findings: &mut Findings, index: u64, check: SignatureCheck) {
    let found = match check {
        SignatureCheck::Invalid => "a signature that does not hold",
        SignatureCheck::Absent => "no signature line of that key id",
        SignatureCheck::Valid => return findings.held(Step::Signature),
    };
    let expected = "a signature by the key that the entry names";
    findings.contradicted(Step::Signature, &format!("entry {index}"), expected, found);
}
