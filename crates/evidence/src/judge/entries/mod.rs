//! Judges entries one after the other, in ascending index: the part of the verification that an
//! exhibit, a published log and single objects share (spec/verification.md, V11, V13 to V16).

mod control;

use std::collections::BTreeMap;

use crate::body::Role;
use crate::chain::ChainOf;
use crate::entry::{Envelope, Statement, UnverifiedEntry};
use crate::error::FormError;
use crate::hash::Hash;
use crate::judge::chain::{Chains, Position};
use crate::judge::findings::Findings;
use crate::judge::history::History;
use crate::judge::row::Tag;
use crate::key::VerifierKey;
use crate::keys::{KeyHistory, Keys};
use crate::kind::Kind;
use crate::note::SignatureCheck;
use crate::spread::spread;
use crate::step::Step;
use crate::tree::leaf_hash;

/// The steps that this file carries out.
pub(crate) const STEPS: &[Step] =
    &[Step::Control, Step::NoteForm, Step::Signature, Step::Standing, Step::Chain];

/// An entry as it is shown at its index.
pub(crate) struct Shown {
    pub(crate) index: u64,
    pub(crate) leaf: Hash,
    /// Whether it may stand at its index, as far as its proof tells.
    pub(crate) is_placed: bool,
    /// Whether it stands where an exhibit has its control entries.
    pub(crate) in_control: bool,
    read: Reading,
}

enum Reading {
    Entry(Box<UnverifiedEntry>),
    /// Its envelope holds, and what stands in it is of a form that this version does not know.
    Unread(Box<Envelope>, FormError),
    Malformed(FormError),
}

impl Shown {
    /// Reads the entry at `index`; a pure function, so that many can be read at once.
    pub(crate) fn read(index: u64, bytes: &[u8]) -> Self {
        let read = match Envelope::parse(bytes).map(UnverifiedEntry::read) {
            Ok(Ok(entry)) => Reading::Entry(Box::new(entry)),
            Ok(Err((envelope, error @ FormError::Unsupported { .. }))) => {
                Reading::Unread(Box::new(envelope), error)
            }
            Ok(Err((_, error))) | Err(error) => Reading::Malformed(error),
        };
        Self { index, leaf: leaf_hash(bytes), is_placed: true, in_control: false, read }
    }
}

/// An entry that was judged: its signature holds, or nothing could be said of its key. Only
/// [`Entries::settle`] makes one.
pub(crate) struct Judged {
    pub(crate) index: u64,
    pub(crate) leaf: Hash,
    statement: Statement,
}

impl Judged {
    pub(crate) const fn statement(&self) -> &Statement {
        &self.statement
    }
}

/// What became of an entry.
pub(crate) enum Outcome {
    Judged(Box<Judged>),
    /// It was not read, or its signature does not hold: nothing is taken from it.
    Refused(u64),
}

/// An entry that is still to be settled. Its chain is followed only when its signature is known to
/// hold: what nobody signed takes no number, and nothing that stands behind it is blamed for it.
enum Pending {
    Entry(Box<Candidate>),
    /// Of a form that is not known, signed by a key that is: it takes a number of this chain, if of any.
    Unread {
        index: u64,
        chain: Option<ChainOf>,
    },
    /// No proof leads to its place: whether it was changed or moved its signature tells.
    Displaced(Box<(u64, UnverifiedEntry, Option<VerifierKey>)>),
    /// Nothing is taken from it.
    Refused(u64),
}

/// An entry that was read, and the key that must have signed it.
struct Candidate {
    index: u64,
    entry: UnverifiedEntry,
    /// `None` where a key is not known, and may be none the less.
    key: Option<VerifierKey>,
    /// The control entry that added its key, as far as that is known.
    added_at: Option<u64>,
    /// Whether that key might sign here, by the keys as they stood at its index; said once it is known that it did.
    standing: Option<Standing>,
}

/// Whether a key might sign an entry (V15).
enum Standing {
    Holds,
    Unknown(String),
    Not { expected: String, found: String },
}

impl Standing {
    fn say(self, item: &str, findings: &mut Findings) {
        let step = Step::Standing;
        match self {
            Self::Holds => findings.held(step),
            Self::Unknown(why) => findings.not_established(step, item, &why),
            Self::Not { expected, found } => findings.contradicted(step, item, &expected, &found),
        }
    }
}

/// Judges entries as they come.
pub(crate) struct Entries {
    pub(crate) keys: Keys,
    pub(crate) history: History,
    origin: Option<String>,
    chains: Chains,
    /// Entries settled so far that may take a number; what nobody signed is not among them.
    settled: u64,
    /// Where each control entry stands among them.
    control: BTreeMap<u64, Position>,
    pending: Vec<Pending>,
    /// The first control entry, by its signature line, that was changed: what it said is not known.
    changed_control: Option<u64>,
}

impl Entries {
    /// For a log of this origin; of a whole log every entry is going to be shown.
    pub(crate) fn new(origin: Option<String>, history: History) -> Self {
        Self {
            keys: Keys::default(),
            history,
            origin,
            chains: Chains::default(),
            settled: 0,
            control: BTreeMap::new(),
            pending: Vec::new(),
            changed_control: None,
        }
    }

    /// Judges the next shown entry, but for its signature, which is judged at [`Entries::settle`].
    pub(crate) fn entry(&mut self, shown: Shown, findings: &mut Findings) {
        let Shown { index, leaf, is_placed, in_control, read } = shown;
        let item = format!("entry {index}");
        match read {
            Reading::Entry(entry) => self.read((index, is_placed), &item, *entry, findings),
            Reading::Unread(envelope, error) => {
                findings.form(Step::NoteForm, &item, &error);
                let pending = self.unread((index, is_placed), &item, &envelope, findings);
                self.history.unread(index, is_placed.then_some(leaf));
                self.pending.push(pending);
            }
            Reading::Malformed(error) => {
                findings.form(Step::NoteForm, &item, &error);
                self.history.unread(index, is_placed.then_some(leaf));
                self.pending.push(Pending::Refused(index));
                if index == 0 {
                    self.keys.unread(index, leaf);
                }
                self.keys.lose(index);
                if in_control {
                    self.changed_control.get_or_insert(index);
                }
            }
        }
    }

    /// An entry whose file cannot be read; `is_control` by its place.
    pub(crate) fn damaged(&mut self, index: u64, is_control: bool) {
        self.history.damaged(index);
        if is_control {
            self.keys.damaged(index);
        }
    }

    fn read(
        &mut self,
        (index, is_placed): (u64, bool),
        item: &str,
        entry: UnverifiedEntry,
        findings: &mut Findings,
    ) {
        let statement = entry.statement();
        let origin = self.origin.clone().unwrap_or_else(|| statement.origin.clone());
        let expected = format!("origin {origin}");
        let same = statement.origin == origin;
        findings.check(same, Step::NoteForm, item, &expected, &statement.origin);
        self.history.seat(index, entry.leaf(), statement);
        let key = self.keys.key_of(&entry);
        let is_control = entry.statement().kind == Kind::Control;
        if let Some(key) = key.as_ref().filter(|_| !is_control) {
            self.may_have_been_control(index, &entry, key);
        }
        if !is_placed && !is_control {
            // Where it stands is not known, and neither is what it may say there.
            return self.pending.push(Pending::Displaced(Box::new((index, entry, key))));
        }
        self.control_pointer((index, item), &entry, key.as_ref(), findings);
        match key {
            Some(key) if is_control => self.control_entry(index, item, entry, &key, findings),
            Some(key) => {
                let standing = self.standing(index, &key, Role::Collector);
                self.push(index, entry, Some(key), Some(standing));
            }
            None => self.unknown_key(item, is_control, index, entry, findings),
        }
    }

    /// Keeps an entry until it is settled.
    fn push(
        &mut self,
        index: u64,
        entry: UnverifiedEntry,
        key: Option<VerifierKey>,
        standing: Option<Standing>,
    ) {
        let added_at = self.keys.key(&entry.statement().key).map(|history| history.added_at);
        let candidate = Candidate { index, entry, key, added_at, standing };
        self.pending.push(Pending::Entry(Box::new(candidate)));
    }

    /// E15 and E16: the number of an entry, and the text before it.
    fn chain(
        &mut self,
        index: u64,
        added_at: Option<u64>,
        entry: &UnverifiedEntry,
        findings: &mut Findings,
    ) {
        let at = Position { index, shown_below: self.settled };
        let is_control = entry.statement().kind == Kind::Control;
        let added = match added_at {
            // The first entry of the control chain is the genesis, which adds its own key.
            Some(added_at) if added_at == index => Some(at),
            Some(added_at) => self.control.get(&added_at).copied(),
            None if is_control => Some(Position { index: 0, shown_below: 0 }),
            None => None,
        };
        let step = if is_control { Step::Control } else { Step::Chain };
        match self.chains.follow(at, added, entry) {
            Ok(()) => findings.held(step),
            Err((expected, found)) => {
                findings.contradicted(step, &format!("entry {index}"), &expected, &found);
            }
        }
        if is_control {
            self.control.insert(index, at);
        }
    }

    /// An entry of a later version: its signature is judged all the same, and what it may have said
    /// follows from the role of the key that made it.
    fn unread(
        &mut self,
        (index, is_placed): (u64, bool),
        item: &str,
        envelope: &Envelope,
        findings: &mut Findings,
    ) -> Pending {
        let leaf = envelope.leaf();
        if index == 0 {
            findings.not_established(Step::Signature, item, "the genesis is not understood");
            self.keys.unread(index, leaf);
            if !is_placed {
                self.keys.lose(index);
            }
            return Pending::Unread { index, chain: Some(ChainOf::Control) };
        }
        let (signer, is_named) = self.keys.signer_of(envelope);
        let Some(history) = signer.cloned() else {
            let found = format!("{}, in its signature line", envelope.line().name);
            let may_be = if is_named {
                signature_finding(index, SignatureCheck::Invalid, findings);
                self.keys.lose(index);
                if self.keys.is_control(envelope.line()) {
                    self.changed_control.get_or_insert(index);
                }
                false
            } else {
                self.may_be_added(index, item, &found, findings)
            };
            return if may_be {
                Pending::Unread { index, chain: None }
            } else {
                Pending::Refused(index)
            };
        };
        findings.held(Step::Signature);
        let role = if history.role == Role::Control { Role::Control } else { Role::Collector };
        self.standing(index, &history.key, role).say(item, findings);
        let chain = match history.role {
            Role::Control => {
                self.keys.unread(index, leaf);
                Some(ChainOf::Control)
            }
            Role::Collector => Some(ChainOf::Key(history.key.hash())),
            Role::Log => None,
        };
        Pending::Unread { index, chain }
    }

    /// V15: whether the key was allowed to sign here.
    fn standing(&self, index: u64, key: &VerifierKey, role: Role) -> Standing {
        let history = self.keys.key(&key.hash());
        let holds = history.is_some_and(|h| h.role == role && h.covers_entry(index));
        if let (true, Some(blind)) =
            (holds, self.keys.blind().filter(|blind| blind.counts_at(index)))
        {
            return Standing::Unknown(format!("{blind} may have ended its key"));
        }
        if holds {
            return Standing::Holds;
        }
        let expected = format!("a {} key, valid at index {index}", role.name());
        let found =
            history.map_or_else(|| format!("{key}, which no valid control entry added"), described);
        Standing::Not { expected, found }
    }

    /// Checks the signatures that have gathered, on `threads` threads, and then the chains; gives what
    /// became of the entries, in their order.
    pub(crate) fn settle(&mut self, threads: usize, findings: &mut Findings) -> Vec<Outcome> {
        let pending = std::mem::take(&mut self.pending);
        let signatures = spread(pending.iter().collect(), threads, |pending| match pending {
            Pending::Entry(candidate) => {
                let Candidate { entry, key, .. } = &**candidate;
                key.as_ref().map_or(SignatureCheck::Absent, |key| entry.check(key))
            }
            Pending::Displaced(entry) => {
                let (_, entry, key) = &**entry;
                key.as_ref().map_or(SignatureCheck::Absent, |key| entry.check(key))
            }
            Pending::Unread { .. } | Pending::Refused(_) => SignatureCheck::Absent,
        });
        let settled = pending.into_iter().zip(signatures);
        settled.map(|(pending, signature)| self.outcome(pending, signature, findings)).collect()
    }

    fn outcome(
        &mut self,
        pending: Pending,
        signature: SignatureCheck,
        findings: &mut Findings,
    ) -> Outcome {
        let Candidate { index, entry, key, added_at, standing } = match pending {
            Pending::Entry(candidate) => *candidate,
            Pending::Unread { index, chain } => {
                if let Some(chain) = chain {
                    self.chains.skip(chain);
                }
                self.settled += 1;
                return Outcome::Refused(index);
            }
            Pending::Displaced(entry) => {
                let (index, _, key) = *entry;
                if key.is_some() {
                    signature_finding(index, signature, findings);
                }
                let is_signed = key.is_none() || signature == SignatureCheck::Valid;
                self.history.refused(index, if is_signed { Tag::Displaced } else { Tag::Refused });
                return Outcome::Refused(index);
            }
            // Like an entry that is not shown it leaves room for one number, of whichever chain.
            Pending::Refused(index) => {
                self.history.refused(index, Tag::Refused);
                return Outcome::Refused(index);
            }
        };
        let item = format!("entry {index}");
        if key.is_some() {
            signature_finding(index, signature, findings);
            if signature != SignatureCheck::Valid {
                self.history.refused(index, Tag::Refused);
                return Outcome::Refused(index);
            }
        } else {
            let _ = self.history.unsigned(index);
        }
        if let Some(standing) = standing {
            standing.say(&item, findings);
        }
        self.chain(index, added_at, &entry, findings);
        self.settled += 1;
        let leaf = entry.leaf();
        self.history.entry(index, leaf, &item, entry.statement(), findings);
        Outcome::Judged(Box::new(Judged { index, leaf, statement: entry.into_statement() }))
    }

    /// What can be said only when all entries were seen: disputes, and the history of each subject.
    pub(crate) fn finish(&mut self, findings: &mut Findings) {
        self.history.disputes(&self.keys, findings);
        self.history.finish(findings);
        findings.ran(STEPS);
    }
}

fn described(history: &KeyHistory) -> String {
    let KeyHistory { key, role, added_at, ended_at, .. } = history;
    let ended = ended_at.map_or_else(String::new, |end| format!(", ended at {end}"));
    format!("{key}, {}, added at {added_at}{ended}", role.name())
}

fn signature_finding(index: u64, check: SignatureCheck, findings: &mut Findings) {
    let found = match check {
        SignatureCheck::Invalid => "a signature that does not hold",
        SignatureCheck::Absent => "no signature line of that key id",
        SignatureCheck::Valid => return findings.held(Step::Signature),
    };
    let expected = "a signature by the key that the entry names";
    findings.contradicted(Step::Signature, &format!("entry {index}"), expected, found);
}

#[cfg(test)]
mod tests;
