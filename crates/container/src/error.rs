//! Why a container was not opened.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why an exhibit was not opened; nothing is said of what is in it.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The container is none of an exhibit, or built to harm.
    Container {
        /// What was opened.
        path: PathBuf,
        /// Why it is refused.
        why: String,
    },
    /// The machine could not read it.
    Io {
        /// What was read.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn container(path: &Path, why: impl Into<String>) -> Self {
        Self::Container { path: path.to_owned(), why: why.into() }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    /// Whether the container is at fault, rather than the machine.
    #[must_use]
    pub const fn is_container(&self) -> bool {
        matches!(self, Self::Container { .. })
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |path: &Path| unbroken_evidence::error::printable(&path.to_string_lossy());
        match self {
            Self::Container { path, why } => write!(f, "{}: {why}", shown(path)),
            Self::Io { path, .. } => write!(f, "{}: cannot be read", shown(path)),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Container { .. } => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}
