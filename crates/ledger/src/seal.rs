//! Turns statements into signed entries, each chained to the one before; nothing is written here.

use std::sync::Arc;

use unbroken_evidence::body::{Body, Rel, Subject};
use unbroken_evidence::chain::ChainOf;
use unbroken_evidence::entry::{Statement, UnverifiedEntry, own_signatures_hold};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::Signer;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::opening::{Opening, Position};
use unbroken_evidence::spread::spread;
use unbroken_evidence::time::Time;

use crate::asked;
use crate::error::LedgerError;
use crate::head::Head;
use crate::keys::Keys;
use crate::private::{Lookup, Row};
use crate::row::PreparedRow;

/// Where times come from; a test brings its own.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Time;
}

/// A statement that is going to be an entry.
#[derive(Debug)]
pub struct NewEntry {
    /// Its kind.
    pub kind: Kind,
    /// What it is about.
    pub subject: Option<Subject>,
    /// What it says.
    pub body: Body,
    /// What private.db keeps of it.
    pub row: Row,
}

/// An entry that was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its index.
    pub index: u64,
    /// Its leaf.
    pub leaf: Hash,
}

/// Seals group after group, each on top of the last one, whether that is written yet or not.
pub struct Sealer {
    pub(crate) keys: Arc<Keys>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) origin: String,
    /// What the next entry builds on: the head once every group sealed so far is written.
    pub(crate) head: Head,
}

/// Signed entries, ready to be written: by [`crate::ledger::Ledger::write`], in the order in which they were sealed.
pub struct SealedGroup {
    /// The size and last leaf that the group builds on.
    pub(crate) base: (u64, Option<Hash>),
    pub(crate) appended: Vec<Appended>,
    pub(crate) records: Vec<(Hash, Vec<u8>)>,
    pub(crate) rows: Vec<PreparedRow>,
    /// The head after them.
    pub(crate) head: Head,
}

impl SealedGroup {
    /// Where the entries will stand, once they are written.
    #[must_use]
    pub fn entries(&self) -> &[Appended] {
        &self.appended
    }
}

/// A text that is going to be signed, and what is kept beside the entry.
struct Text {
    is_control: bool,
    text: String,
    row: Row,
}

impl Sealer {
    /// Signs `entries` and reads each back as a verifier would. On an error nothing is sealed.
    ///
    /// # Errors
    /// `Form` for an entry that breaks a rule, `ReadBack` for a signature that does not hold.
    pub fn seal(&mut self, entries: Vec<NewEntry>) -> Result<SealedGroup, LedgerError> {
        let first = self.head.size();
        let base = (first, self.head.last_leaf);
        let sealed = self.signed(self.texts(entries))?;
        let count = sealed.len();
        let mut group = SealedGroup {
            base,
            appended: Vec::with_capacity(count),
            records: Vec::with_capacity(count),
            rows: Vec::with_capacity(count),
            head: self.head.clone(),
        };
        for (index, (entry, note, row)) in (first..).zip(sealed) {
            group.head.extend(&entry);
            group.appended.push(Appended { index, leaf: entry.leaf() });
            group.records.push((entry.leaf(), note));
            group.rows.push(row);
        }
        assert_eq!(group.head.size(), first + count as u64, "the head counts every entry");
        self.head = group.head.clone();
        Ok(group)
    }

    /// The texts of `entries`, each chained to the one before.
    fn texts(&self, entries: Vec<NewEntry>) -> Vec<Text> {
        let mut chains = self.head.chains.clone();
        let mut texts = Vec::with_capacity(entries.len());
        let count = entries.len();
        for entry in entries {
            let is_control = entry.kind == Kind::Control;
            // `control` names the newest control entry, so none may hide inside a group.
            assert!(!is_control || count == 1, "a control entry is appended alone");
            let signer = self.signer(is_control);
            let key = signer.verifier().hash();
            let chain = if is_control { ChainOf::Control } else { ChainOf::Key(key) };
            let last = chains.get(&chain);
            let statement = Statement {
                at: self.clock.now(),
                body: entry.body,
                control: self.head.control,
                key,
                kind: entry.kind,
                number: last.map_or(0, |(number, _)| number + 1),
                origin: self.origin.clone(),
                previous: last.map(|(_, text)| *text),
                signer: signer.verifier().name().to_owned(),
                subject: entry.subject,
            };
            let text = statement.text_unchecked();
            chains.insert(chain, (statement.number, Hash::of(&[text.as_bytes()])));
            texts.push(Text { is_control, text, row: entry.row });
        }
        texts
    }

    fn signer(&self, is_control: bool) -> &Signer {
        if is_control { &self.keys.control } else { &self.keys.collector }
    }

    /// Signs texts, on two threads, and reads each note back as a verifier would.
    fn signed(
        &self,
        texts: Vec<Text>,
    ) -> Result<Vec<(UnverifiedEntry, Vec<u8>, PreparedRow)>, LedgerError> {
        let sign = |Text { is_control, text, mut row }| {
            let note = self.signer(is_control).sign_note(&text).into_bytes();
            let entry = UnverifiedEntry::parse(&note)?;
            row.lookups.extend(own_lookups(&entry));
            row.lookups.extend(asked_by(&entry, &row.opening));
            row.supersedes = superseded_by(&entry);
            let row = PreparedRow::of(entry.leaf(), row);
            Ok((entry, note, row))
        };
        let sealed: Result<Vec<_>, LedgerError> = spread(texts, 2, sign).into_iter().collect();
        let sealed = sealed?;
        for is_control in [true, false] {
            let of_key =
                |entry: &&UnverifiedEntry| (entry.statement().kind == Kind::Control) == is_control;
            let entries: Vec<_> = sealed.iter().map(|(entry, ..)| entry).filter(of_key).collect();
            if !own_signatures_hold(self.signer(is_control).verifier(), &entries) {
                return Err(LedgerError::ReadBack { index: self.head.size() });
            }
        }
        Ok(sealed)
    }
}

/// The earlier entries about a recording whose place this one takes.
pub(crate) fn superseded_by(entry: &UnverifiedEntry) -> Vec<u64> {
    let Body::Recording(recording) = &entry.statement().body else { return Vec::new() };
    let superseded = recording.refs.iter().filter(|reference| reference.rel == Rel::Supersedes);
    superseded.map(|reference| reference.index).collect()
}

/// The lookups of what a recording is asked by.
fn asked_by(entry: &UnverifiedEntry, opening: &Opening) -> Vec<i64> {
    let shown = opening.positions.iter().filter_map(|position| match position {
        Position::Shown(field) => Some(&field.value),
        _ => None,
    });
    let is_recording = matches!(entry.statement().body, Body::Recording(_));
    if is_recording { asked::lookups(shown) } else { Vec::new() }
}

/// Lookups that follow from the entry itself.
pub(crate) fn own_lookups(entry: &UnverifiedEntry) -> Vec<i64> {
    let statement = entry.statement();
    let subject = statement.subject.map(|subject| Lookup::Subject.prefix(&subject.0));
    let kind = match statement.kind {
        Kind::Control => Some(Lookup::Kind.prefix(b"control")),
        Kind::Pass => Some(Lookup::Kind.prefix(b"pass")),
        Kind::Gap => Some(Lookup::Kind.prefix(b"gap")),
        Kind::Audit => Some(Lookup::Kind.prefix(b"audit")),
        Kind::Policy => Some(Lookup::Policy.prefix(entry.leaf().as_bytes())),
        _ => None,
    };
    subject.into_iter().chain(kind).collect()
}
