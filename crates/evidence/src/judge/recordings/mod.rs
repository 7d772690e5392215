//! What a verdict says of each recording, of other entries about it, and of entries that supersede others.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::body::{self, Media, Subject};
use crate::declared::Odd;
use crate::disclosed::Disclosed;
use crate::entry::Statement;
use crate::error::printable_within;
use crate::field::Value;
use crate::hash::Hash;
pub use crate::judge::told::Told;
use crate::judge::told::{Stretch, Words};
use crate::left_out::Reason;
use crate::opening::VerifiedOpening;
use crate::time::Time;
use crate::vocabulary::pass;

/// What was found of the bytes that an entry commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bytes {
    /// They are packed and agree.
    Agree,
    /// They are packed and do not agree.
    Differ,
    /// Their file is packed and cannot be read.
    Unreadable,
    /// They are not packed.
    NotPacked,
    /// They are not in their place, and the list of files is not the one that was signed: whether they were
    /// packed once is not known.
    NotHere,
    /// The package's own list has them, and they are not there.
    Missing,
    /// The entry does not disclose which they are.
    NotDisclosed,
}

/// What was found of the blocks of packed bytes (V5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocks {
    /// They make the block root under the block key that is disclosed.
    Agree,
    /// Under that key they make another root; nobody signs a key.
    Differ,
    /// They were not looked at.
    NotChecked,
}

/// A recording entry and what was found of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Its index.
    pub index: u64,
    /// What it is about.
    pub subject: Subject,
    /// The medium.
    pub media: Media,
    /// The number of bytes.
    pub size: u64,
    /// SHA-256 of the bytes, where it is disclosed.
    pub sha256: Option<Hash>,
    /// Whether it was an earlier version of its object when it was read, as the collector says.
    pub noncurrent: bool,
    /// Its path in the exhibit, where it is packed.
    pub path: Option<String>,
    /// What was found of its bytes.
    pub bytes: Bytes,
    /// Why they are not packed, as the producer says.
    pub left_out: Option<Reason>,
    /// Whether the collector's policy found it complete; `None` where no policy applied.
    pub complete: Option<bool>,
    /// Whether the policy that it was held against is shown, every value of it.
    pub policy_shown: bool,
    /// Whether packed bytes have its SHA-256, whatever else was found of them.
    pub sha256_agrees: bool,
    /// What was found of the blocks of its packed bytes.
    pub blocks: Blocks,
    /// Companions that it names, and how many of them are packed and agree.
    pub companions: (u64, u64),
    /// Whether it may have companions that it does not disclose.
    pub hides_companions: bool,
    /// Values that are withheld by name, and positions that are closed.
    pub hidden: (u64, u64),
    /// The shown entries that supersede it, ascending.
    pub superseded_by: Vec<u64>,
    /// Whether an entry that supersedes it commits to other bytes; `None` where that is not disclosed.
    pub by_other_bytes: Option<bool>,
    /// When the entry was made, by the signer's clock.
    pub at: Time,
    /// How many milliseconds after its declared end that was; negative before it.
    pub sealed_after_ms: Option<i64>,
    /// How long it is in milliseconds, as its metadata file declares.
    pub declared_ms: Option<u64>,
    /// How long its packed bytes are by their own header, in milliseconds, where they agree.
    pub measured_ms: Option<u64>,
    /// What is odd about it.
    pub odd: Vec<Odd>,
    /// How many things the collector noticed.
    pub noticed: u64,
    pub(crate) words: Stretch,
}

impl Recording {
    /// What a judged entry says of its recording, before any file was looked at. `closed` is how many
    /// positions are closed where there is no opening.
    pub(crate) fn stated(
        (index, subject): (u64, Subject),
        (statement, entry): (&Statement, &body::Recording),
        (disclosed, opening): (&Disclosed, Option<&VerifiedOpening>),
        closed: u64,
        words: &mut Words,
    ) -> Self {
        let hidden = opening.map_or((0, closed), |opening| {
            (opening.withheld().count() as u64, opening.closed() as u64)
        });
        let known = disclosed.sha256().is_some();
        let declared = disclosed.declared();
        let mut odd = declared.odd(statement.at);
        odd.extend(disclosed.names().differ().then_some(Odd::OtherNameInItsPath));
        Self {
            index,
            subject,
            media: entry.media,
            size: entry.content.size,
            sha256: disclosed.sha256(),
            noncurrent: disclosed.object().noncurrent,
            path: None,
            left_out: None,
            bytes: if known { Bytes::NotPacked } else { Bytes::NotDisclosed },
            complete: entry.completeness.map(|completeness| completeness.complete),
            policy_shown: false,
            sha256_agrees: false,
            blocks: Blocks::NotChecked,
            companions: (0, 0),
            hides_companions: disclosed.hides_companions(),
            hidden,
            superseded_by: Vec::new(),
            by_other_bytes: Some(false),
            at: statement.at,
            sealed_after_ms: declared.sealed_after_ms(statement.at),
            declared_ms: declared.duration_ms,
            measured_ms: None,
            odd,
            noticed: disclosed.findings().len() as u64,
            words: words.recording(disclosed, opening),
        }
    }

    /// Takes in how long its bytes are by their own header.
    pub(crate) fn measured(&mut self, ms: Option<u64>) {
        self.measured_ms = ms;
        let differs = |said: u64| ms.is_some_and(|ms| ms.abs_diff(said) > LENGTHS_APART_MS);
        // One file may be packed twice.
        if self.declared_ms.is_some_and(differs) && !self.odd.contains(&Odd::OtherLength) {
            self.odd.push(Odd::OtherLength);
        }
    }
}

/// Milliseconds by which a declared length and a measured one may lie apart.
const LENGTHS_APART_MS: u64 = 2_000;

/// Another shown entry about a recording: what somebody observed of it, who had it, what was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// What it is about.
    pub subject: Subject,
    /// Its index.
    pub index: u64,
    /// When it was made, by the signer's clock.
    pub at: Time,
    /// How many values its opening shows.
    pub values: u64,
    /// Whether its kind is one that this version knows.
    pub is_known: bool,
    words: Stretch,
}

/// A completeness policy, every value of which is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The index of its entry.
    pub index: u64,
    /// Its name; shortened and escaped, as its text.
    pub name: String,
    /// What it asks for.
    pub text: String,
}

/// What a run says that its policy asks for and nobody could give: a recording may meet the policy all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotGiven {
    /// The index of the run's entry.
    pub index: u64,
    /// What, why, and of how many of the run's recordings; shortened and escaped.
    pub text: String,
}

/// Such remarks that a verdict shows, and bytes of each.
const NOT_GIVEN_SHOWN: usize = 16;
const NOT_GIVEN_BYTES_MAX: usize = 300;

/// Policies that a verdict shows, and bytes of name and text.
const POLICIES_SHOWN: usize = 8;
const POLICY_NAME_BYTES_MAX: usize = 80;
const POLICY_TEXT_BYTES_MAX: usize = 2_000;

/// The recordings of a verdict, ascending by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recordings {
    pub(crate) lines: Vec<Recording>,
    /// Ascending by subject, then index, once everything was seen.
    beside: Vec<Beside>,
    policies: Vec<Policy>,
    not_given: Vec<NotGiven>,
    pub(crate) not_judged: u64,
    pub(crate) words: Words,
}

impl Recordings {
    /// How many entries were not judged: any of them may be about a recording.
    #[must_use]
    pub const fn not_judged(&self) -> u64 {
        self.not_judged
    }

    /// Every recording entry that was judged.
    #[must_use]
    pub fn lines(&self) -> &[Recording] {
        &self.lines
    }

    /// Those that nothing supersedes.
    pub fn current(&self) -> impl Iterator<Item = &Recording> {
        self.lines.iter().filter(|line| line.superseded_by.is_empty())
    }

    /// How many entries' bytes were found so.
    #[must_use]
    pub fn count(&self, bytes: Bytes) -> u64 {
        self.lines.iter().filter(|line| line.bytes == bytes).count() as u64
    }

    /// What an entry tells of its recording.
    #[must_use]
    pub fn told(&self, line: &Recording) -> Told<'_> {
        self.words.told(line.words)
    }

    /// The first few completeness policies that are shown.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Takes in a completeness policy.
    pub(crate) fn policy(&mut self, index: u64, opening: &VerifiedOpening) {
        if self.policies.len() < POLICIES_SHOWN {
            let said = |pointer| opening.value("policy", pointer).unwrap_or_default();
            let name = printable_within(said("/name"), POLICY_NAME_BYTES_MAX);
            let text = printable_within(said("/text"), POLICY_TEXT_BYTES_MAX);
            self.policies.push(Policy { index, name, text });
        }
    }

    /// The first few things that policies ask for and nobody could give, as the runs that are shown say.
    #[must_use]
    pub fn not_given(&self) -> &[NotGiven] {
        &self.not_given
    }

    /// Takes in what a run says.
    pub(crate) fn pass(&mut self, index: u64, opening: &VerifiedOpening) {
        let is_remark = |value: &&Value| {
            value.source == pass::SOURCE && value.pointer.starts_with(pass::REMARKS)
        };
        let left = NOT_GIVEN_SHOWN.saturating_sub(self.not_given.len());
        let values = opening.fields().map(|field| &field.value).filter(is_remark);
        let said = values.take(left).map(|value| NotGiven {
            index,
            text: printable_within(&value.value, NOT_GIVEN_BYTES_MAX),
        });
        self.not_given.extend(said);
    }

    /// Takes in another entry about a recording.
    pub(crate) fn other(
        &mut self,
        (index, subject): (u64, Subject),
        statement: &Statement,
        opening: Option<&VerifiedOpening>,
    ) {
        let (words, values) = self.words.beside(statement, opening);
        let is_known = statement.kind.is_known();
        self.beside.push(Beside { subject, index, at: statement.at, values, is_known, words });
    }

    /// The name of the kind of such an entry, and the first few values that its opening shows, each as
    /// `source/pointer: value`; all shortened and escaped.
    #[must_use]
    pub fn said(&self, beside: &Beside) -> (&str, Vec<&str>) {
        self.words.said(beside.words)
    }

    /// The other shown entries that have a subject, ascending by subject, then index.
    #[must_use]
    pub fn all_beside(&self) -> &[Beside] {
        &self.beside
    }

    /// Those about one recording, ascending.
    #[must_use]
    pub fn beside(&self, subject: &Subject) -> &[Beside] {
        let from = self.beside.partition_point(|beside| beside.subject < *subject);
        let rest = self.beside.get(from..).unwrap_or_default();
        rest.get(..rest.partition_point(|beside| beside.subject == *subject)).unwrap_or_default()
    }

    /// Says what can be said only when every entry was seen.
    pub(crate) fn finish(&mut self) {
        self.beside.sort_by_key(|beside| (beside.subject, beside.index));
        self.same_bytes();
    }

    /// Says of each file that stands under two recordings that it does.
    fn same_bytes(&mut self) {
        let mut first: HashMap<Hash, (u64, Subject)> = HashMap::new();
        for line in &mut self.lines {
            let Some(sha256) = line.sha256 else { continue };
            let (index, subject) = *first.entry(sha256).or_insert((line.index, line.subject));
            if subject != line.subject {
                line.odd.push(Odd::SameBytesAs(index));
            }
        }
    }

    pub(crate) fn find(&mut self, index: u64) -> Option<&mut Recording> {
        let place = self.lines.binary_search_by_key(&index, |line| line.index).ok()?;
        self.lines.get_mut(place)
    }
}

/// An entry that supersedes another entry about the same recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The entry.
    pub index: u64,
    /// The one that it supersedes.
    pub replaced: u64,
    /// Whether both commit to the same bytes; `None` where that is not disclosed.
    pub same_bytes: Option<bool>,
    /// Whether both have the same companions; `None` where that is not disclosed.
    pub same_companions: Option<bool>,
}

/// Replacements of each sort that are listed; all are counted.
const LISTED: usize = 10_000;

/// The replacements of a verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replacements {
    other: (u64, Vec<Replacement>),
    unknown: (u64, Vec<Replacement>),
    same: (u64, Vec<Replacement>),
}

impl Replacements {
    pub(crate) fn push(&mut self, replacement: Replacement) {
        let (count, listed) = match replacement.same_bytes {
            Some(false) => &mut self.other,
            None => &mut self.unknown,
            Some(true) => &mut self.same,
        };
        *count += 1;
        if listed.len() < LISTED {
            listed.push(replacement);
        }
    }

    /// How often bytes were replaced by other bytes.
    #[must_use]
    pub const fn with_other_bytes(&self) -> u64 {
        self.other.0
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.other.0 + self.unknown.0 + self.same.0
    }

    /// Those with other bytes first, then those of which that is not known; at most 10,000 of a sort.
    pub fn listed(&self) -> impl Iterator<Item = &Replacement> {
        self.other.1.iter().chain(&self.unknown.1).chain(&self.same.1)
    }
}
