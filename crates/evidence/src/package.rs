//! What a verification reads from: the files of an exhibit, wherever they are.

use std::collections::BTreeMap;
use std::fmt;

use crate::content::{BlockKey, ContentHasher, Digests};

/// The files of an exhibit. The container itself, a folder or a .zip, was checked before.
pub trait Package {
    /// Every file: its path and its length in bytes.
    fn files(&self) -> &BTreeMap<String, u64>;

    /// Folders without a file in them.
    fn empty_folders(&self) -> &[String] {
        &[]
    }

    /// Gives the bytes of `path`, piece by piece.
    ///
    /// # Errors
    /// See [`PackageError`]; a path that is not in `files` is `Damaged`.
    fn stream(&mut self, path: &str, sink: &mut dyn FnMut(&[u8])) -> Result<(), PackageError>;

    /// The digests of `path`, with one block root for each block size and key.
    ///
    /// # Errors
    /// As [`Package::stream`].
    fn digest(&mut self, path: &str, keys: &[(u64, BlockKey)]) -> Result<Digests, PackageError> {
        let mut hasher = ContentHasher::new(keys);
        self.stream(path, &mut |bytes| hasher.update(bytes))?;
        Ok(hasher.finish())
    }
}

/// Why a file of a package could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageError {
    /// The package is at fault: a CRC that differs, data that does not inflate.
    Damaged(String),
    /// The machine is at fault: nothing is said of the package.
    Io(String),
}

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(what) => write!(f, "damaged: {what}"),
            Self::Io(what) => write!(f, "could not be read: {what}"),
        }
    }
}

impl std::error::Error for PackageError {}

/// An exhibit in memory: for tests, fuzzing and small things.
#[derive(Clone, Debug, Default)]
pub struct MemoryPackage {
    lengths: BTreeMap<String, u64>,
    bytes: BTreeMap<String, Vec<u8>>,
}

impl MemoryPackage {
    /// Puts a file in, in place of one of the same path.
    pub fn insert(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        self.lengths.insert(path.to_owned(), bytes.len() as u64);
        self.bytes.insert(path.to_owned(), bytes);
    }

    /// Takes a file out.
    pub fn remove(&mut self, path: &str) -> Option<Vec<u8>> {
        self.lengths.remove(path);
        self.bytes.remove(path)
    }

    /// The bytes of a file.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.bytes.get(path).map(Vec::as_slice)
    }
}

impl Package for MemoryPackage {
    fn files(&self) -> &BTreeMap<String, u64> {
        &self.lengths
    }

    fn stream(&mut self, path: &str, sink: &mut dyn FnMut(&[u8])) -> Result<(), PackageError> {
        let bytes =
            self.bytes.get(path).ok_or_else(|| PackageError::Damaged("no such file".into()))?;
        sink(bytes);
        Ok(())
    }
}
