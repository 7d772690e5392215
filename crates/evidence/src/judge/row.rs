//! What is kept of each entry for what others say of it: its leaf, its kind, its subject and its key.

use crate::body::Subject;
use crate::hash::Hash;
use crate::kind::Kind;

/// What is kept of each entry until the end: 56 bytes, for logs are long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) leaf: Hash,
    pub(crate) subject: [u8; 16],
    pub(crate) tag: Tag,
    pub(crate) has_subject: bool,
    /// The number of its key; all ones where there are too many to tell.
    pub(crate) key: u16,
}

/// A kind, small enough to be kept for every entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    /// Its leaf is known, and nothing else.
    Passed,
    Unread,
    /// Its signature does not hold: nothing that it says is taken.
    Refused,
    /// A file is there, and not even its leaf is known.
    Damaged,
    /// No proof leads to its place: nothing that it says is taken.
    Displaced,
    Unknown,
    Control,
    Recording,
    Pass,
    Policy,
    Produced,
    Observation,
    Custody,
    Reconciliation,
    Audit,
    Gap,
    Erasure,
}

impl Tag {
    pub(crate) const fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Control => Self::Control,
            Kind::Recording => Self::Recording,
            Kind::Pass => Self::Pass,
            Kind::Policy => Self::Policy,
            Kind::Produced => Self::Produced,
            Kind::Observation => Self::Observation,
            Kind::Custody => Self::Custody,
            Kind::Reconciliation => Self::Reconciliation,
            Kind::Audit => Self::Audit,
            Kind::Gap => Self::Gap,
            Kind::Erasure => Self::Erasure,
            Kind::Unknown(_) => Self::Unknown,
        }
    }
}

impl Row {
    pub(crate) const fn passed(leaf: Hash, tag: Tag) -> Self {
        Self { leaf, subject: [0; 16], tag, has_subject: false, key: u16::MAX }
    }

    pub(crate) const fn is_unread(&self) -> bool {
        matches!(self.tag, Tag::Unread | Tag::Damaged)
    }

    /// Whether nothing that it says was taken.
    pub(crate) const fn was_not_judged(&self) -> bool {
        self.is_unread() || matches!(self.tag, Tag::Displaced | Tag::Refused)
    }

    pub(crate) fn subject(&self) -> Option<Subject> {
        self.has_subject.then_some(Subject(self.subject))
    }
}
