//! Chooses what an exhibit shows: whole histories, and what their entries name.

use std::collections::{BTreeMap, BTreeSet};

use unbroken_evidence::body::{Body, Subject};
use unbroken_evidence::error::printable;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::narrow::decimal;
use unbroken_evidence::vocabulary::{pass, recording};
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::find::{self, Called};
use unbroken_ledger::private::{Lookup, Private};
use unbroken_ledger::reader::LogReader;
use unbroken_ledger::restore::SEALED_GAPS;

use crate::error::ExhibitError;

/// Entries whose conversations are looked at for what else they have.
const CONVERSATIONS_MAX: usize = 5_000;

/// Ids that an error names.
const NAMED_MAX: usize = 20;

/// What was asked for.
#[derive(Clone, Debug)]
pub enum Selector {
    /// Recordings of a conversation.
    Conversation(String),
    /// A recording, by its id in the source.
    Recording(String),
    /// The recording that an entry is about.
    Index(u64),
    /// Every recording.
    All,
}

/// The entries that an exhibit shows.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// The indices of each chosen subject, ascending.
    pub(crate) subjects: BTreeMap<Subject, Vec<u64>>,
    /// Control entries.
    pub(crate) control: BTreeSet<u64>,
    /// All others that are shown, `produced` excepted.
    pub(crate) entries: BTreeSet<u64>,
    /// What was asked for by an id that no recording has.
    pub(crate) not_found: Vec<String>,
    /// Recordings of the same conversations that were not asked for: conversation and recording.
    pub(crate) beside: BTreeSet<(String, String)>,
}

/// Entries of the ledger at its published size, found by lookup, or by reading the whole log
/// where lookups were lost: a history must never be shown in part.
pub(crate) struct Selecting<'a> {
    pub(crate) reader: &'a mut LogReader,
    pub(crate) private: &'a Private,
    /// The runs that were closed by a `pass`: from, to, and where it stands; read once.
    pub(crate) passes: Option<Vec<(u64, u64, u64)>>,
}

impl Selecting<'_> {
    /// What `selectors` mean, and these runs too.
    pub(crate) fn select(
        &mut self,
        selectors: &[Selector],
        passes: &[u64],
    ) -> Result<Selection, ExhibitError> {
        let lookups_hold = self.private.meta(SEALED_GAPS)?.is_none();
        let wants_all = selectors.iter().any(|selector| matches!(selector, Selector::All));
        let mut not_found = Vec::new();
        let wanted = self.wanted(selectors, &mut not_found)?;
        if wanted.is_empty() && !wants_all && !not_found.is_empty() {
            not_found.truncate(NAMED_MAX);
            return Err(ExhibitError::Nothing { what: not_found.join(", ") });
        }
        let mut selection = match lookups_hold && !wants_all {
            true => self.by_lookup(wanted)?,
            false => self.by_scan((!wants_all).then_some(&wanted))?,
        };
        if selection.subjects.is_empty() {
            return Err(ExhibitError::Nothing { what: "the whole ledger".to_owned() });
        }
        selection.not_found = not_found;
        if lookups_hold && !wants_all {
            self.beside(&mut selection)?;
        }
        self.named(&mut selection)?;
        for index in passes {
            if self.reader.entry(*index)?.statement().kind == Kind::Pass {
                selection.entries.insert(*index);
            }
        }
        Ok(selection)
    }

    /// The recordings that are meant. A mistyped id among others is named, and keeps nobody from the rest.
    fn wanted(
        &mut self,
        selectors: &[Selector],
        not_found: &mut Vec<String>,
    ) -> Result<BTreeSet<Subject>, ExhibitError> {
        let mut wanted = BTreeSet::new();
        for selector in selectors {
            let (called, value) = match selector {
                Selector::Conversation(id) => (Called::Conversation(id), id),
                Selector::Recording(id) => (Called::Recording(id), id),
                Selector::All => continue,
                Selector::Index(index) if *index >= self.reader.checkpoint().size => {
                    not_found.push(format!("index {index}"));
                    continue;
                }
                Selector::Index(index) => {
                    let entry = self.reader.entry(*index)?;
                    wanted.extend(entry.statement().subject);
                    if entry.statement().subject.is_none() {
                        not_found.push(format!("index {index}"));
                    }
                    continue;
                }
            };
            let found = find::subjects(self.reader, self.private, called)?;
            if found.is_empty() {
                not_found.push(printable(value));
            }
            wanted.extend(found);
        }
        Ok(wanted)
    }

    /// What else there is of the conversations of which a recording was asked for: nobody may take a part of
    /// a conversation for all of it.
    fn beside(&mut self, selection: &mut Selection) -> Result<(), LedgerError> {
        let mut conversations = BTreeSet::new();
        for index in selection.subjects.values().flatten().take(CONVERSATIONS_MAX) {
            for said in [recording::CONVERSATION, recording::PATH_CONVERSATION] {
                conversations.extend(self.opened(*index, recording::SOURCE, said)?);
            }
        }
        for conversation in conversations {
            let called = Called::Conversation(&conversation);
            let all = find::subjects(self.reader, self.private, called)?;
            for subject in all.into_iter().filter(|one| !selection.subjects.contains_key(one)) {
                let about = find::entries_about(self.reader, self.private, subject)?;
                let Some(newest) = about.last().copied() else { continue };
                let id = self.opened(newest, recording::SOURCE, recording::ID)?;
                let id = id.map_or_else(|| format!("entry {newest}"), |id| printable(&id));
                selection.beside.insert((printable(&conversation), id));
            }
        }
        Ok(())
    }

    /// An opened value of an entry, if its row is really of that entry.
    fn opened(
        &mut self,
        index: u64,
        source: &str,
        pointer: &str,
    ) -> Result<Option<String>, LedgerError> {
        find::opened(self.reader, self.private, index, source, pointer)
    }

    fn by_lookup(&mut self, wanted: BTreeSet<Subject>) -> Result<Selection, LedgerError> {
        let mut selection = Selection::default();
        for subject in wanted {
            let about = find::entries_about(self.reader, self.private, subject)?;
            selection.entries.extend(&about);
            if !about.is_empty() {
                selection.subjects.insert(subject, about);
            }
        }
        for index in self.private.find(Lookup::Kind, b"control")? {
            if index < self.reader.checkpoint().size
                && self.reader.entry(index)?.statement().kind == Kind::Control
            {
                selection.control.insert(index);
            }
        }
        Ok(selection)
    }

    fn by_scan(&mut self, wanted: Option<&BTreeSet<Subject>>) -> Result<Selection, LedgerError> {
        let mut selection = Selection::default();
        for index in 0..self.reader.checkpoint().size {
            let entry = self.reader.entry(index)?;
            if entry.statement().kind == Kind::Control {
                selection.control.insert(index);
            }
            if let Some(subject) = entry.statement().subject
                && wanted.is_none_or(|wanted| wanted.contains(&subject))
            {
                selection.subjects.entry(subject).or_default().push(index);
                selection.entries.insert(index);
            }
        }
        Ok(selection)
    }

    /// The `pass` that closes the run in which an entry was sealed, if there is one: it says from which
    /// index to which the run went, with which program, under which clock.
    fn pass_of(&mut self, sealed: u64) -> Result<Option<u64>, LedgerError> {
        if self.passes.is_none() {
            let mut passes = Vec::new();
            for index in self.private.find(Lookup::Kind, b"pass")? {
                if index >= self.reader.checkpoint().size {
                    continue;
                }
                let number = |text: Option<String>| text.and_then(|text| decimal(&text));
                let from = number(self.opened(index, pass::SOURCE, pass::FROM)?);
                let to = number(self.opened(index, pass::SOURCE, pass::TO)?);
                passes.extend(from.zip(to).map(|(from, to)| (from, to, index)));
            }
            self.passes = Some(passes);
        }
        let closes = |(from, to, _): &&(u64, u64, u64)| (*from..*to).contains(&sealed);
        let found = self.passes.iter().flatten().find(closes);
        Ok(found.map(|(_, _, index)| *index))
    }

    /// Adds the entries that the chosen ones name: references and policies.
    fn named(&mut self, selection: &mut Selection) -> Result<(), LedgerError> {
        let mut to_read: Vec<u64> = selection.entries.iter().copied().collect();
        let mut policies: BTreeSet<Hash> = BTreeSet::new();
        while let Some(index) = to_read.pop() {
            let entry = self.reader.entry(index)?;
            let body = &entry.statement().body;
            for reference in body.refs() {
                let known = selection.entries.contains(&reference.index)
                    || selection.control.contains(&reference.index);
                if !known {
                    selection.entries.insert(reference.index);
                    to_read.push(reference.index);
                }
            }
            if let Body::Recording(recording) = body {
                policies.extend(recording.completeness.map(|completeness| completeness.policy));
            }
        }
        for recording in selection.entries.clone() {
            selection.entries.extend(self.pass_of(recording)?);
        }
        for leaf in policies {
            for index in self.private.find(Lookup::Policy, leaf.as_bytes())? {
                if index < self.reader.checkpoint().size && self.reader.leaf(index)? == leaf {
                    selection.entries.insert(index);
                }
            }
        }
        Ok(())
    }
}
