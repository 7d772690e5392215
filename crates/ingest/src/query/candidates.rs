//! Which entries may answer a question, by the lookups of private.db: so that a question about one agent in
//! one month does not go through a million openings. Whether they do is asked of each opening.

use std::collections::BTreeSet;

use unbroken_ledger::asked::{began_on, day_of};
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::{Lookup, Private, Standing};

use super::names::Name;
use super::{Expression, Operator, Wanted};

/// Days that are looked up one by one.
const DAYS_MAX: i64 = 800;
/// Entries about objects that ever were held or gone, of each of which the recording is looked up.
const STANDING_MAX: usize = 20_000;

type Candidates = Option<BTreeSet<u64>>;

impl Expression {
    /// Every entry that may answer, and others; `None` where no lookup tells.
    pub(super) fn candidates(
        &self,
        private: &Private,
        size: u64,
    ) -> Result<Candidates, LedgerError> {
        match self {
            Self::Not(_) => Ok(None),
            Self::Any(parts) => {
                let mut all = BTreeSet::new();
                for part in parts {
                    let Some(some) = part.candidates(private, size)? else { return Ok(None) };
                    all.extend(some);
                }
                Ok(Some(all))
            }
            Self::All(parts) => {
                let mut narrowed = days(&self.conjuncts(), private)?;
                for part in parts {
                    let Some(some) = part.candidates(private, size)? else { continue };
                    narrowed = Some(match narrowed {
                        None => some,
                        Some(known) => known.intersection(&some).copied().collect(),
                    });
                }
                Ok(narrowed)
            }
            Self::Compare { name, operator: Operator::Equal, value: Wanted::Text(text) } => {
                one(name, text, private, size)
            }
            Self::Compare { name, operator: Operator::Equal, value: Wanted::Time(_) }
                if is_start(name) =>
            {
                days(&self.conjuncts(), private)
            }
            Self::Compare { .. } => Ok(None),
        }
    }

    /// What has to hold, all of it.
    fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::conjuncts).collect(),
            other => vec![other],
        }
    }
}

fn is_start(name: &Name) -> bool {
    matches!(name, Name::Known(known) if known.name == "start")
}

/// Entries of which this name may have this value.
fn one(name: &Name, text: &str, private: &Private, size: u64) -> Result<Candidates, LedgerError> {
    let found = match (name, text) {
        (Name::Known(known), text) => match known.lookup(text) {
            None => return Ok(None),
            Some(lookup) => private.behind(lookup)?,
        },
        (Name::Finding, _) | (Name::Complete, "no") => private.incomplete(size)?,
        (Name::Hold, "yes") => return standing(Standing::Held, private, size),
        (Name::Gone, "yes") => return standing(Standing::Gone, private, size),
        _ => return Ok(None),
    };
    Ok(Some(found.into_iter().collect()))
}

/// Entries about the recordings whose objects ever stood so.
fn standing(what: Standing, private: &Private, size: u64) -> Result<Candidates, LedgerError> {
    let Some(subjects) = private.ever(what, size, STANDING_MAX)? else { return Ok(None) };
    let subjects: BTreeSet<[u8; 16]> = subjects.into_iter().map(|subject| subject.0).collect();
    let mut found = BTreeSet::new();
    for subject in subjects {
        found.extend(private.find(Lookup::Subject, &subject)?);
    }
    Ok(Some(found))
}

/// Entries of recordings that began between the bounds, if there are two.
fn days(conjuncts: &[&Expression], private: &Private) -> Result<Candidates, LedgerError> {
    let (mut from, mut to) = (None::<i64>, None::<i64>);
    for part in conjuncts {
        let Expression::Compare { name, operator, value: Wanted::Time(ms) } = part else {
            continue;
        };
        if !is_start(name) {
            continue;
        }
        let day = day_of(*ms);
        let (is_lower, is_upper) = match operator {
            Operator::Equal => (true, true),
            Operator::More | Operator::AtLeast => (true, false),
            Operator::Less | Operator::AtMost => (false, true),
            Operator::Unequal => (false, false),
        };
        if is_lower {
            from = Some(from.map_or(day, |known| known.max(day)));
        }
        if is_upper {
            to = Some(to.map_or(day, |known| known.min(day)));
        }
    }
    let (Some(from), Some(to)) = (from, to) else { return Ok(None) };
    if to.saturating_sub(from) >= DAYS_MAX {
        return Ok(None);
    }
    let mut found = BTreeSet::new();
    for day in from..=to {
        found.extend(private.behind(began_on(Some(day)))?);
    }
    Ok(Some(found))
}
