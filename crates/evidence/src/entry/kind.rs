//! The kinds of entries (spec/entry.md): a closed list, and whatever a later version adds.

use std::fmt;

/// What an entry states.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Adds and ends keys.
    Control,
    /// About the bytes of a recording.
    Recording,
    /// One run of the collector.
    Pass,
    /// What counts as complete.
    Policy,
    /// Closes an exhibit.
    Produced,
    /// An object that was overwritten, deleted, held.
    Observation,
    /// A recording that changed hands.
    Custody,
    /// What should exist, against what does.
    Reconciliation,
    /// Sealed objects, read again.
    Audit,
    /// Something that is not known.
    Gap,
    /// Openings of a lower entry that give way.
    Erasure,
    /// A kind that this version does not know.
    Unknown(String),
}

/// Whether entries of a kind are about a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubjectRule {
    Required,
    Absent,
    Optional,
}

const NAMES: [(&str, Kind); 11] = [
    ("control", Kind::Control),
    ("recording", Kind::Recording),
    ("pass", Kind::Pass),
    ("policy", Kind::Policy),
    ("produced", Kind::Produced),
    ("observation", Kind::Observation),
    ("custody", Kind::Custody),
    ("reconciliation", Kind::Reconciliation),
    ("audit", Kind::Audit),
    ("gap", Kind::Gap),
    ("erasure", Kind::Erasure),
];

impl Kind {
    /// The kind of that name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        known.map_or_else(|| Self::Unknown(name.to_owned()), |(_, kind)| kind.clone())
    }

    /// The name that stands in an entry.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Unknown(name) => name,
            known => NAMES.iter().find(|(_, kind)| kind == known).map_or("", |(name, _)| name),
        }
    }

    /// Whether this version knows it.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    pub(crate) const fn subject_rule(&self) -> SubjectRule {
        match self {
            Self::Recording => SubjectRule::Required,
            Self::Control | Self::Pass | Self::Policy | Self::Produced => SubjectRule::Absent,
            _ => SubjectRule::Optional,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
