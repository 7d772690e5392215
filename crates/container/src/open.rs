//! Opens an exhibit, whatever contains it.

use std::io::Read as _;
use std::path::Path;

use unbroken_evidence::content::{BlockKey, Digests};
use unbroken_evidence::length::Ends;
use unbroken_evidence::package::{Files, Package, PackageError};

use crate::error::OpenError;
use crate::folder::Folder;
use crate::plain::open_plain;
use crate::zip::Zip;

/// An exhibit that was opened: its container keeps to the rules.
#[derive(Debug)]
pub enum Exhibit {
    /// A folder.
    Folder(Folder),
    /// A .zip.
    Zip(Zip),
}

impl Exhibit {
    /// Opens the exhibit at `path`.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let metadata = std::fs::metadata(path).map_err(|error| OpenError::io(path, error))?;
        if metadata.is_dir() {
            return Folder::open(path).map(Self::Folder);
        }
        if !metadata.is_file() {
            return Err(OpenError::container(path, "neither a folder nor a file"));
        }
        let mut file = open_plain(path).map_err(|error| OpenError::io(path, error))?;
        let mut start = Vec::new();
        let read = file.by_ref().take(4).read_to_end(&mut start);
        read.map_err(|error| OpenError::io(path, error))?;
        if start.starts_with(b"PK") {
            return Zip::open(path, file).map(Self::Zip);
        }
        let why = "not an exhibit: no folder, and its first bytes are not those of a .zip";
        Err(OpenError::container(path, why))
    }
}

impl Package for Exhibit {
    fn files(&self) -> &Files {
        match self {
            Self::Folder(folder) => folder.files(),
            Self::Zip(zip) => zip.files(),
        }
    }

    fn empty_folders(&self) -> &[String] {
        match self {
            Self::Folder(folder) => folder.empty_folders(),
            Self::Zip(zip) => zip.empty_folders(),
        }
    }

    fn stream(&mut self, path: &str, sink: &mut dyn FnMut(&[u8])) -> Result<(), PackageError> {
        match self {
            Self::Folder(folder) => folder.stream(path, sink),
            Self::Zip(zip) => zip.stream(path, sink),
        }
    }

    fn digest(
        &mut self,
        path: &str,
        keys: &[(u64, BlockKey)],
    ) -> Result<(Digests, Ends), PackageError> {
        match self {
            Self::Folder(folder) => folder.digest(path, keys),
            Self::Zip(zip) => zip.digest(path, keys),
        }
    }
}
