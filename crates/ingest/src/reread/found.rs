//! What an object audit finds.

/// How one object was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// Its bytes are those that were sealed.
    Matched,
    /// They are others.
    Changed,
    /// It is not there, and another object of this audit has its bytes.
    Moved,
    /// It is not there.
    Missing,
    /// It could not be read.
    Unreadable,
    /// What was sealed of it is lost from private.db, or erased.
    Unknown,
    /// S3 says that it keeps the SHA-256 that was sealed. Its bytes were not read.
    ByChecksum,
}

impl Found {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Matched,
        Self::Changed,
        Self::Moved,
        Self::Missing,
        Self::Unreadable,
        Self::Unknown,
        Self::ByChecksum,
    ];

    /// Whether it is as it was sealed, as far as was looked.
    pub const fn is_well(self) -> bool {
        matches!(self, Self::Matched | Self::ByChecksum)
    }

    /// Its name, as it is sealed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Changed => "changed",
            Self::Moved => "moved",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Unknown => "unknown",
            Self::ByChecksum => "by-checksum",
        }
    }
}

/// An object that is not as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The entry that sealed it.
    pub index: u64,
    /// Its source.
    pub source: String,
    /// Its key, made safe to print.
    pub key: String,
    /// How it was found.
    pub found: Found,
    /// What there is to say of it.
    pub why: String,
}

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Reread {
    /// When it began.
    pub started: String,
    /// How many objects, by how they were found, in the order of [`Found::ALL`].
    pub counts: [u64; 7],
    /// What is not as it was sealed, at most 10,000.
    pub differences: Vec<Difference>,
    /// Bytes that were read.
    pub bytes: u64,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// The index of the `audit` entry.
    pub index: u64,
}

impl Reread {
    /// How many objects were found so.
    #[must_use]
    pub fn count(&self, found: Found) -> u64 {
        let place = Found::ALL.iter().position(|known| *known == found);
        place.and_then(|place| self.counts.get(place)).copied().unwrap_or(0)
    }

    /// The exit code: 130 interrupted, 1 where bytes differ or are gone, 2 where something could not be read.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let any = |found: &[Found]| found.iter().any(|found| self.count(*found) > 0);
        if self.interrupted {
            130
        } else if any(&[Found::Changed, Found::Moved, Found::Missing]) {
            1
        } else {
            2 * u8::from(any(&[Found::Unreadable, Found::Unknown]))
        }
    }
}
