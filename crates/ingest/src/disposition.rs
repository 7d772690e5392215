//! What became of a listed object.

use crate::error::ObjectError;

/// What became of a listed object; its text stands in the listing that a `pass` entry commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// A recording, sealed for the first time.
    Sealed,
    /// A recording, sealed again because it or its companions changed.
    SealedAgain,
    /// As it was when it was dealt with.
    Unchanged,
    /// A companion of a recording.
    Companion,
    /// A recording that was sealed before, whose companions cannot be told today.
    NotJudged,
    /// A recording whose sidecar may be there, and could not be read today: nothing is said of it before the
    /// next run.
    KeptBack,
    /// A companion without its recording.
    Stray(&'static str),
    /// It could not be read.
    Unread(&'static str),
    /// Left out by key, dates or limit.
    Excluded(&'static str),
}

impl Disposition {
    pub(crate) const OVER_THE_LIMIT: Self = Self::Excluded("excluded: limit");
    pub(crate) const NOT_WANTED: Self = Self::Excluded("excluded: by its key");
    pub(crate) const TOO_EARLY: Self =
        Self::Excluded("excluded: its group is older than the first date");
    pub(crate) const TOO_LATE: Self =
        Self::Excluded("excluded: its group is not older than the last date");

    /// The words of the listing.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::SealedAgain => "sealed again",
            Self::Unchanged => "unchanged",
            Self::Companion => "companion",
            Self::NotJudged => "not judged: a document beside it could not be read",
            Self::KeptBack => "kept back: its sidecar could not be had",
            Self::Stray(what) | Self::Unread(what) | Self::Excluded(what) => what,
        }
    }
}

impl From<&ObjectError> for Disposition {
    fn from(error: &ObjectError) -> Self {
        Self::Unread(error.in_short())
    }
}
