//! What audits of objects found that nobody has looked at again since, as their `audit` entries say.

use std::collections::BTreeMap;

use unbroken_evidence::narrow::decimal;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::vocabulary::audit;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::{Lookup, Private};

/// Audits that are read at most.
const AUDITS_READ: usize = 1_000;

/// An audit of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectAudit {
    /// The index of its entry.
    pub index: u64,
    /// When it ended, 24 characters.
    pub ended: String,
    /// What it counted, by name.
    pub counts: BTreeMap<String, u64>,
    /// Whether it read every object of every source that it came to.
    is_of_all: bool,
    is_finished: bool,
    /// The audit that it went on with.
    resumes: Option<u64>,
}

impl ObjectAudit {
    /// What an opened `audit` entry says.
    fn of(index: u64, opening: &Opening) -> Option<Self> {
        let text = |pointer: &str| opening.value(audit::SOURCE, pointer);
        let counts = opening.fields().filter(|field| field.value.source == audit::SOURCE);
        let counts = counts.filter_map(|field| {
            let name = field.value.pointer.strip_prefix("/counts/")?;
            Some((name.to_owned(), decimal(&field.value.value)?))
        });
        let counts: BTreeMap<String, u64> = counts.collect();
        // What it did not read it said nothing of.
        let none = |name: &str| counts.get(name).is_none_or(|count| *count == 0);
        let is_of_all = none("unreadable")
            && none("by-checksum")
            && text("/sample") == Some("all")
            && text("/source") == Some("every one");
        let is_finished = text("/outcome") == Some("finished");
        let resumes = text("/resumes").and_then(decimal);
        let ended = text("/ended")?.to_owned();
        Some(Self { index, ended, counts, is_of_all, is_finished, resumes })
    }

    /// What it found that is not as it was sealed, or could not be read; in words.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let is_trouble =
            |name: &str| matches!(name, "changed" | "missing" | "moved" | "unreadable");
        let counts = self.counts.iter().filter(|(name, count)| is_trouble(name) && **count > 0);
        let words: Vec<String> = counts.map(|(name, count)| format!("{count} {name}")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// The audits below `size` down to the last that was about everything, the newest first.
    ///
    /// # Errors
    /// `Private`.
    pub fn standing(private: &Private, size: u64) -> Result<Vec<Self>, LedgerError> {
        let mut audits = Vec::new();
        // Of an audit that was about everything and came to its end, the part that it went on with.
        let mut before = None;
        let found = private.find_some(Lookup::Kind, b"audit", usize::MAX)?;
        for index in found.into_iter().rev().filter(|index| *index < size).take(AUDITS_READ) {
            let opened = private.opening(index)?;
            let audit = opened.and_then(|(_, opening)| Self::of(index, &opening));
            let part = audit
                .as_ref()
                .filter(|audit| audit.is_of_all && (audit.is_finished || before == Some(index)));
            let is_last = part.is_some_and(|part| part.resumes.is_none());
            if let Some(part) = part {
                before = part.resumes;
            }
            audits.extend(audit);
            if is_last {
                break;
            }
        }
        Ok(audits)
    }
}
