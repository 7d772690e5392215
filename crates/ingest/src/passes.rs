//! The runs that a ledger knows of, as their `pass` entries say.

use std::collections::{BTreeMap, BTreeSet};

use unbroken_evidence::field::Value;
use unbroken_evidence::narrow::decimal;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::time::declared_ms;
use unbroken_evidence::vocabulary::pass;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::{Lookup, Private};

/// One run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// The index of its entry.
    pub index: u64,
    /// The name of its source.
    pub source: String,
    /// The beginning of all keys that it looked at; empty: everything.
    pub scope: String,
    /// `content`, or `state`.
    pub kind: String,
    /// When it began, 24 characters.
    pub started: String,
    /// When it ended.
    pub ended: String,
    /// How it ended.
    pub outcome: String,
    /// Whether neither dates, a limit nor patterns left anything out.
    pub is_whole: bool,
    /// What it counted.
    pub counts: BTreeMap<String, u64>,
}

/// Whether a value of a `pass` names no date, limit or pattern that left something out.
fn leaves_nothing_out(value: &Value) -> bool {
    let Some(what) = value.pointer.strip_prefix("/exclusions/") else { return true };
    // A pattern may be the word; of a date or a limit it says that there is none.
    let is_none = matches!(what, "since" | "until" | "limit") && value.value == "none";
    value.source != pass::SOURCE || is_none
}

impl Pass {
    /// What an opened `pass` entry says.
    #[must_use]
    pub fn of(index: u64, opening: &Opening) -> Self {
        let text =
            |pointer: &str| opening.value(pass::SOURCE, pointer).unwrap_or_default().to_owned();
        let counts = opening.fields().filter(|field| field.value.source == pass::SOURCE);
        let counts = counts.filter_map(|field| {
            let name = field.value.pointer.strip_prefix("/counts/")?;
            Some((name.to_owned(), decimal(&field.value.value)?))
        });
        Self {
            index,
            source: text("/source/name"),
            scope: text("/source/scope"),
            kind: text("/kind"),
            started: text("/started"),
            ended: text("/ended"),
            outcome: text("/outcome"),
            is_whole: opening.fields().all(|field| leaves_nothing_out(&field.value)),
            counts: counts.collect(),
        }
    }

    /// Whether it came to its end.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.outcome == "finished"
    }

    /// What it counted under this name.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }
}

/// Shows the runs below `size` to `each`, the newest first, as long as it says so. A run whose opening is lost
/// is left out.
///
/// # Errors
/// `Private`.
pub fn newest_first(
    private: &Private,
    size: u64,
    each: &mut dyn FnMut(Pass) -> bool,
) -> Result<(), LedgerError> {
    let found = private.find(Lookup::Kind, b"pass")?;
    for index in found.into_iter().rev().filter(|index| *index < size) {
        let Some((_, opening)) = private.opening(index)? else { continue };
        // A lookup is eight bytes of a hash: another kind may share them.
        let pass = Pass::of(index, &opening);
        if !pass.source.is_empty() && !each(pass) {
            break;
        }
    }
    Ok(())
}

/// Runs that are read to find the last of each source.
pub const PASSES_READ: u32 = 10_000;

/// What a source's last runs were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastPasses {
    /// The last that looked at contents.
    pub last: Option<Pass>,
    /// The last of them that came to its end.
    pub finished: Option<Pass>,
    /// The last that looked at tags, locks and holds.
    pub state: Option<Pass>,
}

impl LastPasses {
    /// Those of each source and each prefix of it that was looked at, by both, among the newest
    /// [`PASSES_READ`] runs.
    ///
    /// # Errors
    /// `Private`.
    pub fn of(
        private: &Private,
        size: u64,
    ) -> Result<BTreeMap<(String, String), Self>, LedgerError> {
        let mut found: BTreeMap<(String, String), Self> = BTreeMap::new();
        let mut left = PASSES_READ;
        newest_first(private, size, &mut |pass| {
            let known = found.entry((pass.source.clone(), pass.scope.clone()));
            known.or_default().take(pass);
            left -= 1;
            left > 0
        })?;
        Ok(found)
    }

    fn take(&mut self, pass: Pass) {
        if pass.kind == "state" {
            self.state.get_or_insert(pass);
            return;
        }
        if pass.is_finished() {
            self.finished.get_or_insert_with(|| pass.clone());
        }
        self.last.get_or_insert(pass);
    }
}

/// The runs that looked at contents in a period, and the first behind it that saw each source whole: what came late
/// is in its listing too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covering {
    /// Runs that began in the period; only where it has a beginning.
    pub runs: u64,
    /// Those of them that did not come to their end.
    pub not_finished: u64,
    /// For each source and prefix, the index of the first whole run that began behind the period.
    pub behind: BTreeMap<(String, String), u64>,
    /// Sources, with the prefix, of which there is none.
    pub none_behind: BTreeSet<(String, String)>,
}

impl Covering {
    /// Those of the period from the first time on and before the second, in milliseconds since 1970. Without an
    /// end it has not ended, and the newest whole run stands for the first behind it.
    ///
    /// # Errors
    /// `Private`.
    pub fn of(
        private: &Private,
        size: u64,
        (from, to): (Option<i64>, Option<i64>),
    ) -> Result<Self, LedgerError> {
        let mut covering = Self::default();
        newest_first(private, size, &mut |pass| {
            let began = declared_ms(&pass.started).unwrap_or(i64::MAX);
            if from.is_some_and(|from| began < from) {
                return false;
            }
            if pass.kind != "state" {
                covering.take(pass, began, (from, to));
            }
            true
        })?;
        Ok(covering)
    }

    fn take(&mut self, pass: Pass, began: i64, (from, to): (Option<i64>, Option<i64>)) {
        let is_behind = to.is_none_or(|to| began >= to);
        if from.is_some() && (to.is_none() || !is_behind) {
            self.runs += 1;
            self.not_finished += u64::from(!pass.is_finished());
        }
        let is_whole = pass.is_finished() && pass.is_whole;
        let source = (pass.source, pass.scope);
        if is_behind && is_whole {
            self.none_behind.remove(&source);
            // The newest comes first: with an end, the last that is seen is the first behind it.
            match to {
                Some(_) => drop(self.behind.insert(source, pass.index)),
                None => drop(self.behind.entry(source).or_insert(pass.index)),
            }
        } else if !self.behind.contains_key(&source) {
            self.none_behind.insert(source);
        }
    }
}
