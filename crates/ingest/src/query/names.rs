//! The names of a question, and where their values stand in an opening.

use unbroken_evidence::body::Media;
use unbroken_evidence::error::printable;
use unbroken_ledger::asked::{KNOWN, Known, is_at};

use crate::near::nearest;

/// What a question names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Media,
    Sealed,
    Size,
    Hold,
    Gone,
    Complete,
    Finding,
    /// The values that go by this name.
    Known(&'static Known),
    /// The values there.
    Place(Place),
}

/// A value of an opening: its source, and a pointer in which `*` stands for one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    source: String,
    pointer: String,
}

/// What a value may come from (spec/fields.md, "Sources").
const SOURCES: [&str; 11] = [
    "sidecar",
    "object",
    "recording",
    "companion",
    "content",
    "observed",
    "s3-header",
    "s3-checksum",
    "s3-tag",
    "object-lock",
    "s3-readable",
];

const OWN: [(&str, Name); 7] = [
    ("media", Name::Media),
    ("sealed", Name::Sealed),
    ("size", Name::Size),
    ("hold", Name::Hold),
    ("gone", Name::Gone),
    ("complete", Name::Complete),
    ("finding", Name::Finding),
];

impl Name {
    /// A known name, or any `source/pointer`.
    pub(super) fn parse(written: &str) -> Result<Self, String> {
        if let Some((_, name)) = OWN.iter().find(|(known, _)| *known == written) {
            return Ok(name.clone());
        }
        if let Some(known) = Known::find(written) {
            return Ok(Self::Known(known));
        }
        if let Some(place) = Place::parse(written) {
            if SOURCES.contains(&place.source.as_str()) {
                return Ok(Self::Place(place));
            }
            // With a slip in it `not` would hold for everything.
            let meant = match nearest(&place.source, SOURCES.into_iter()) {
                Some(source) => format!("do you mean {source}?"),
                None => format!("it is one of {}", SOURCES.join(", ")),
            };
            return Err(format!("{} is no source of values; {meant}", printable(&place.source)));
        }
        let names: Vec<&str> =
            KNOWN.iter().map(|known| known.name).chain(OWN.iter().map(|(name, _)| *name)).collect();
        let meant = match nearest(written, names.iter().copied()) {
            Some(name) => format!("do you mean {name}?"),
            None => format!("it is one of {}, or SOURCE/POINTER", names.join(", ")),
        };
        Err(format!("{} is no name that is known here; {meant}", printable(written)))
    }

    /// Whether its values are times.
    pub(super) fn is_time(&self, written: &str) -> bool {
        *self == Self::Sealed || matches!(written, "start" | "end")
    }

    /// The only values that it can have, if these are known.
    pub(super) fn values(&self) -> Option<Vec<&'static str>> {
        match self {
            Self::Media => Some(Media::ALL.map(|(name, _)| name).into_iter().collect()),
            Self::Hold | Self::Gone | Self::Complete => Some(vec!["yes", "no"]),
            Self::Finding => {
                let codes = crate::policy::Code::ALL.iter();
                Some(codes.map(|code| code.name()).collect())
            }
            Self::Sealed | Self::Size | Self::Known(_) | Self::Place(_) => None,
        }
    }
}

impl Place {
    fn parse(written: &str) -> Option<Self> {
        let (source, pointer) = written.split_at(written.find('/')?);
        let is_some = !source.is_empty() && pointer.len() > 1;
        is_some.then(|| Self { source: source.to_owned(), pointer: pointer.to_owned() })
    }

    pub(super) fn is(&self, source: &str, pointer: &str) -> bool {
        self.source == source && is_at(&self.pointer, pointer)
    }
}
