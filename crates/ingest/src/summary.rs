//! What a run did, counted.

use std::collections::BTreeMap;

use unbroken_evidence::hash::Hash;

use crate::disposition::Disposition;
use crate::error::{Problem, SourceError};
use crate::gaps::Gap;
use crate::policy::Remark;
use crate::source::Listed;

/// Problems that are kept in full; all are counted.
pub const PROBLEMS_KEPT: usize = 10_000;

/// What a run did.
#[derive(Debug, Default)]
pub struct Summary {
    /// What earlier runs had left open.
    pub gaps: Vec<Gap>,
    /// When it began.
    pub started: String,
    /// Objects listed.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Recordings sealed for the first time.
    pub sealed: u64,
    /// Recordings sealed again, because they or their companions changed.
    pub sealed_again: u64,
    /// Objects that were dealt with before and are as they were.
    pub unchanged: u64,
    /// Companions of recordings that were sealed.
    pub companions: u64,
    /// Recordings sealed now that the policy finds incomplete.
    pub incomplete: u64,
    /// Recordings sealed now of which nothing is wrong but that a companion may still come.
    pub awaited: u64,
    /// When the first of their times is over, in milliseconds since 1970.
    pub(crate) awaited_until: Option<u64>,
    /// Objects that could not be read.
    pub unread: u64,
    /// Companions without a recording.
    pub strays: u64,
    /// Objects left out by dates or limit.
    pub excluded: u64,
    /// Objects of sealed recordings that are not there any more, first noticed now.
    pub gone: u64,
    /// Others that are not there any more, as a rule had said before.
    pub expired: u64,
    /// Such objects that are there again.
    pub back: u64,
    /// Earlier versions of recordings that were sealed.
    pub earlier: u64,
    /// Whether every version was listed and looked at.
    pub(crate) all_versions: bool,
    /// Other earlier versions, and delete markers, that were told of.
    pub told: u64,
    /// Problems found, at most [`PROBLEMS_KEPT`].
    pub problems: Vec<Problem>,
    /// All problems.
    pub problem_count: u64,
    /// The leaf of the policy that was applied.
    pub policy: Option<Hash>,
    /// What the policy asks for and nobody here can give, with the number of recordings.
    pub remarks: BTreeMap<Remark, u64>,
    /// The index of the first entry that the run could seal.
    pub first: u64,
    /// The index of the `pass` entry.
    pub pass: u64,
    /// Nothing was there, though objects of it were sealed before: it may not be mounted.
    pub emptied: bool,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// Why the listing did not come to its end, if it did not.
    pub listing_broke_off: Option<SourceError>,
}

impl Summary {
    /// The exit code: 130 interrupted, 4 where the listing broke off, 2 with problems, otherwise 0.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        if self.interrupted {
            130
        } else if self.listing_broke_off.is_some() {
            4
        } else if self.problem_count > 0 {
            2
        } else {
            0
        }
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_KEPT {
            self.problems.push(problem);
        }
    }

    /// Counts one listed object. Sealed recordings are counted by their entries.
    pub(crate) const fn count(&mut self, listed: &Listed, disposition: Disposition) {
        self.objects += 1;
        self.bytes += listed.size;
        match disposition {
            Disposition::Sealed | Disposition::SealedAgain => {}
            Disposition::Unchanged | Disposition::NotJudged => self.unchanged += 1,
            Disposition::Companion => self.companions += 1,
            Disposition::Excluded(_) => self.excluded += 1,
            Disposition::Stray(_) => self.strays += 1,
            Disposition::Unread(_) | Disposition::KeptBack => self.unread += 1,
        }
    }
}
