//! What can go wrong with a source, and what to do next.

use unbroken_container::s3::Failure;
use unbroken_evidence::error::escaped;
use unbroken_ledger::error::LedgerError;

use crate::policy::Finding;

/// Why an ingest ended before its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The source as a whole cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// private.db cannot tell what was sealed before.
    #[error("private.db has lost openings: it cannot tell what was sealed before")]
    ResealNeeded,
    /// Nothing was lost: to seal everything anew would only double it.
    #[error(
        "no opening is lost, or this source was sealed anew already: there is no reason to do it again"
    )]
    ResealNotNeeded,
}

impl IngestError {
    /// What to do next, in one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Ledger(error) => error.hint(),
            Self::Source(error) => error.hint(),
            Self::ResealNotNeeded => "leave `--reseal` out",
            Self::ResealNeeded => {
                "bring the newest private.db back, or seal everything anew with `--reseal`, which the `pass` entry will say"
            }
        }
    }

    /// The exit code.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Ledger(error) => error.exit_code(),
            _ => 4,
        }
    }
}

/// Why a source as a whole cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The folder is missing or closed.
    #[error("source {location}: cannot be listed")]
    Folder {
        /// Where the source should be.
        location: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Nothing of it was ever sealed.
    #[error("source {name}: nothing of it is sealed in this ledger")]
    Unknown {
        /// Its name.
        name: String,
    },
    /// A known name at another place.
    #[error("source {name} is known at {known}, not at {given}")]
    Moved {
        /// Its name.
        name: String,
        /// Where it was.
        known: String,
        /// Where it should be now.
        given: String,
    },
    /// Its first recordings are sealed already, under another name.
    #[error(
        "source {name}: its first {read} recordings are sealed already, with the same bytes, as {known}, which was at {at}"
    )]
    SealedAs {
        /// Its name.
        name: String,
        /// How many were read.
        read: usize,
        /// The name under which they are sealed.
        known: String,
        /// Where that was.
        at: String,
    },
    /// A prefix ends in the middle of a name.
    #[error("{location}: the prefix ends in the middle of a name, and may hide what belongs to it")]
    CutsAFolder {
        /// The source with its prefix.
        location: String,
    },
    /// Every version was asked for, where there are none.
    #[error("{location}: a folder keeps no versions of its files")]
    NoVersions {
        /// The source.
        location: String,
    },
    /// S3 refused to list.
    #[error("{location}: {why}")]
    S3 {
        /// Bucket and prefix.
        location: String,
        /// What S3 said.
        why: String,
        /// What to do next.
        hint: &'static str,
    },
}

impl SourceError {
    /// What to do next, in one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "check the path, and that you may list and read it",
            Self::Moved { .. } => {
                "if it is the same source at a new place, say so with --moved, or for a folder NAME=PATH"
            }
            Self::SealedAs { .. } => {
                "if it is that source at a new place, go on under its name: for a folder NAME=PATH; if it holds copies that are to be sealed by themselves, add --copies, or `copies = true` in a configuration"
            }
            Self::Unknown { .. } => {
                "seal it first: `unbroken ingest`; `unbroken status` names the sources"
            }
            Self::CutsAFolder { .. } => "end the prefix with a slash, or take --layout plain",
            Self::NoVersions { .. } => {
                "ask for every version of a bucket, and take the folder without --all-versions"
            }
            Self::S3 { hint, .. } => hint,
        }
    }
}

/// Why one object could not be captured; the rest goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// It was listed, and is gone.
    #[error("vanished between listing and reading")]
    Vanished,
    /// It may not be read.
    #[error("may not be read: {0}")]
    Denied(String),
    /// Its bytes, or what the source says of it, changed while it was read.
    #[error("changed while it was read")]
    Changed,
    /// It could not be read to its end.
    #[error("could not be read to its end: {0}")]
    Broken(String),
    /// S3 does not give it.
    #[error("{failure}; {hint}", failure = .0, hint = .0.hint())]
    NotGiven(Failure),
    /// It is a link, a pipe or a device.
    #[error("not a file: {0}")]
    Irregular(&'static str),
    /// The run was stopped while it was read.
    #[error("not read to its end: the run was stopped")]
    Stopped,
}

impl From<Failure> for ObjectError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Stopped => Self::Stopped,
            Failure::NoObject => Self::Vanished,
            Failure::Replaced => Self::Changed,
            Failure::Denied(said) => Self::Denied(format!(
                "{said}; the credentials need s3:GetObject, and s3:GetObjectVersion where there are versions; where the requester pays, give --request-payer"
            )),
            failure => Self::NotGiven(failure),
        }
    }
}

impl ObjectError {
    /// Whether it may be read at another time as it is. What was refused stays refused until somebody acts.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Vanished | Self::Changed | Self::Broken(_) | Self::Stopped => true,
            Self::Denied(_) | Self::Irregular(_) => false,
            Self::NotGiven(failure) => matches!(
                failure,
                Failure::OtherBytes(_)
                    | Failure::NoAnswer(_)
                    | Failure::Other(_)
                    | Failure::Clock
                    | Failure::Credentials(_)
                    | Failure::OtherRegion(_)
            ),
        }
    }

    /// In two or three words, for a listing (spec E25).
    #[must_use]
    pub const fn in_short(&self) -> &'static str {
        match self {
            Self::Vanished => "vanished",
            Self::Denied(_) => "unreadable",
            Self::Changed => "changed while read",
            Self::Broken(_) => "broken off",
            Self::Irregular(_) => "not a file",
            Self::Stopped => "the run was stopped",
            Self::NotGiven(failure) => match failure {
                Failure::Archived(_) => "in an archive",
                Failure::CustomerKey | Failure::EncryptionKey(_) => "encrypted",
                Failure::OtherBytes(_) => "other bytes than their checksum",
                Failure::NoAnswer(_) | Failure::Other(_) => "broken off",
                _ => "unreadable",
            },
        }
    }
}

/// A problem with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its key, made safe to print.
    pub key: String,
    /// What is wrong, in a few words.
    pub what: String,
    /// The entry that says so, where there is one.
    pub index: Option<u64>,
    /// What its policy finds of a recording that is incomplete.
    pub findings: Vec<Finding>,
}

impl Problem {
    pub(crate) fn new(key: &[u8], what: impl Into<String>) -> Self {
        Self {
            key: escaped(&String::from_utf8_lossy(key)),
            what: what.into(),
            index: None,
            findings: Vec::new(),
        }
    }

    /// What is wrong, in one line, not yet made safe to print.
    #[must_use]
    pub fn sentence(&self) -> String {
        let findings: Vec<String> = self.findings.iter().map(ToString::to_string).collect();
        let between = if findings.is_empty() { "" } else { ": " };
        format!("{}{between}{}", self.what, findings.join("; "))
    }
}
