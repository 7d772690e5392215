//! Why an exhibit could not be made, and what to do next.

use std::path::PathBuf;

use unbroken_ledger::error::LedgerError;

/// Why an exhibit could not be made; nothing is left behind at its place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExhibitError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The place cannot be written.
    #[error("{}: cannot be written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Something is at the place already.
    #[error("{}: something is there already", path.display())]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// Without the opening of a control entry no exhibit can be verified.
    #[error("the opening of control entry {index} is lost")]
    LostOpening {
        /// Its index.
        index: u64,
    },
    /// More than an exhibit may hold.
    #[error("this would be {found} {what}, and an exhibit holds at most {most}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How many there would be.
        found: u64,
        /// How many there may be.
        most: u64,
    },
    /// A value to be withheld that no shown recording has.
    #[error("no recording of this exhibit has a value {what}")]
    NothingToWithhold {
        /// Source and pointer, made safe to print.
        what: String,
    },
    /// A value that an exhibit is held against.
    #[error("{what} cannot be withheld: recordings and companions are found and held by it")]
    Needed {
        /// Source and pointer, made safe to print.
        what: String,
    },
    /// A selector that selects nothing.
    #[error("no entry of a recording for {what}")]
    Nothing {
        /// The selector, made safe to print.
        what: String,
    },
}

impl ExhibitError {
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// What to do next, in one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Ledger(error) => error.hint(),
            Self::Io { .. } => "check that the disk has room and that you may write there",
            Self::LostOpening { .. } => {
                "bring DIR/keys back from its backup and run `unbroken restore`: without that opening no exhibit of this ledger can be verified"
            }
            Self::Exists { .. } => "choose another name for the exhibit",
            Self::TooLarge { .. } => "select less, and make several exhibits",
            Self::NothingToWithhold { .. } => {
                "name it as the openings do, source then pointer: sidecar/participants/0/name"
            }
            Self::Needed { .. } => {
                "withhold values of other sources; --without-recordings leaves the recordings out"
            }
            Self::Nothing { .. } => "look it up with `unbroken list`",
        }
    }

    /// The exit code.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        if let Self::Ledger(error) = self { error.exit_code() } else { 4 }
    }
}
