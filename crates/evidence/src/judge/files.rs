//! What the verification of a log reads from: its files, wherever they are.

use std::fmt;

/// What stands at a path of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogFile {
    /// Nothing.
    Missing,
    /// More bytes than it may have.
    TooLong,
    /// A folder, a pipe, a device.
    NoFile,
    /// A file.
    Bytes(Vec<u8>),
}

/// The files of a published log.
pub trait LogFiles {
    /// What stands at `path`; of a file at most `bytes_max` bytes.
    ///
    /// # Errors
    /// Why the machine could not read it.
    fn read(&mut self, path: &str, bytes_max: usize) -> Result<LogFile, String>;
}

/// Why no verification took place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogStop {
    /// There is no checkpoint: it is no log.
    NotALog,
    /// The machine failed to read it.
    Io(String),
}

impl fmt::Display for LogStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotALog => f.write_str("not a published log: there is no `checkpoint` file"),
            Self::Io(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for LogStop {}
