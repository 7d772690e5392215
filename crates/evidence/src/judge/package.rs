//! What a verification reads from: the files of an exhibit, wherever they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::content::{BlockKey, ContentHasher, Digests};
use crate::length::Ends;

/// The files of an exhibit: each path once, ascending, with its length in bytes.
///
/// A sorted list and no tree: a verifier holds up to 300,000 of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    sorted: Vec<(Box<str>, u64)>,
}

impl Files {
    /// The list of these files; of two with one path the first stays.
    #[must_use]
    pub fn new(files: Vec<(String, u64)>) -> Self {
        let boxed = files.into_iter().map(|(path, length)| (path.into_boxed_str(), length));
        let mut sorted: Vec<(Box<str>, u64)> = boxed.collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        sorted.dedup_by(|a, b| a.0 == b.0);
        Self { sorted }
    }

    /// The place of `path` in the list.
    #[must_use]
    pub fn position(&self, path: &str) -> Option<usize> {
        self.sorted.binary_search_by(|(known, _)| (**known).cmp(path)).ok()
    }

    /// The bytes of the file at `path`; `None` where there is none.
    #[must_use]
    pub fn length(&self, path: &str) -> Option<u64> {
        self.sorted.get(self.position(path)?).map(|(_, length)| *length)
    }

    /// Whether there is such a file.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.position(path).is_some()
    }

    /// The path at a place in the list.
    #[must_use]
    pub fn path(&self, place: usize) -> Option<&str> {
        self.sorted.get(place).map(|(path, _)| &**path)
    }

    /// All paths, ascending.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.sorted.iter().map(|(path, _)| &**path)
    }

    /// Paths that differ from another one in upper and lower case alone (X3), ascending.
    pub fn clashing(&self) -> impl Iterator<Item = &str> {
        let mut folded = BTreeSet::new();
        self.paths().filter(move |path| {
            let lower = path.to_ascii_lowercase();
            lower != *path && (self.contains(&lower) || !folded.insert(lower))
        })
    }

    fn put(&mut self, path: &str, length: u64) {
        match self.sorted.binary_search_by(|(known, _)| (**known).cmp(path)) {
            Ok(place) => {
                self.sorted.remove(place);
                self.sorted.insert(place, (path.into(), length));
            }
            Err(place) => self.sorted.insert(place, (path.into(), length)),
        }
    }

    fn take(&mut self, path: &str) {
        if let Some(place) = self.position(path) {
            self.sorted.remove(place);
        }
    }

    /// All files, ascending by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.sorted.iter().map(|(path, length)| (&**path, *length))
    }
}

/// The files of an exhibit. The container itself, a folder or a .zip, was checked before.
pub trait Package {
    /// Every file.
    fn files(&self) -> &Files;

    /// Folders without a file in them.
    fn empty_folders(&self) -> &[String] {
        &[]
    }

    /// Gives the bytes of `path`, piece by piece.
    ///
    /// # Errors
    /// See [`PackageError`]; a path that is not in `files` is `Damaged`.
    fn stream(&mut self, path: &str, sink: &mut dyn FnMut(&[u8])) -> Result<(), PackageError>;

    /// The digests of `path`, with one block root for each block size and key; and its two ends, of the same
    /// bytes.
    ///
    /// # Errors
    /// As [`Package::stream`].
    fn digest(
        &mut self,
        path: &str,
        keys: &[(u64, BlockKey)],
    ) -> Result<(Digests, Ends), PackageError> {
        let (mut hasher, mut ends) = (ContentHasher::new(keys), Ends::default());
        self.stream(path, &mut |bytes| {
            hasher.update(bytes);
            ends.take(bytes);
        })?;
        Ok((hasher.finish(), ends))
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

/// Why no verification of an exhibit took place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Neither a manifest nor a checkpoint is there: it is no exhibit.
    NotAnExhibit,
    /// The machine failed to read it.
    Io(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnExhibit => f.write_str(
                "not an exhibit: neither manifest-sha256.txt nor ledger/checkpoint is there",
            ),
            Self::Io(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Stop {}

/// An exhibit in memory: for tests, fuzzing and small things.
#[derive(Clone, Debug, Default)]
pub struct MemoryPackage {
    files: Files,
    bytes: BTreeMap<String, Vec<u8>>,
}

impl MemoryPackage {
    /// Puts a file in, in place of one of the same path.
    pub fn insert(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        self.files.put(path, bytes.len() as u64);
        self.bytes.insert(path.to_owned(), bytes);
    }

    /// Takes a file out.
    pub fn remove(&mut self, path: &str) -> Option<Vec<u8>> {
        self.files.take(path);
        self.bytes.remove(path)
    }

    /// A file that is listed and cannot be read.
    #[cfg(test)]
    pub(crate) fn damage(&mut self, path: &str) {
        self.bytes.remove(path);
    }

    /// The bytes of a file.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.bytes.get(path).map(Vec::as_slice)
    }
}

impl Package for MemoryPackage {
    fn files(&self) -> &Files {
        &self.files
    }

    fn stream(&mut self, path: &str, sink: &mut dyn FnMut(&[u8])) -> Result<(), PackageError> {
        let bytes =
            self.bytes.get(path).ok_or_else(|| PackageError::Damaged("no such file".into()))?;
        sink(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> Files {
        Files::new((0_u64..).zip(paths).map(|(n, path)| ((*path).to_owned(), n)).collect())
    }

    #[test]
    fn files_are_sorted_and_of_two_with_one_path_the_first_stays() {
        let files = files(&["c", "a", "b", "a"]);
        assert_eq!(files.iter().collect::<Vec<_>>(), [("a", 1), ("b", 2), ("c", 0)]);
        assert_eq!((files.position("b"), files.position("d")), (Some(1), None));
        assert_eq!((files.path(2), files.path(3)), (Some("c"), None));
        assert_eq!((files.length("c"), files.length("d")), (Some(0), None));
        assert!(files.contains("a") && !files.contains("A"));
    }

    // spec: X3
    #[test]
    fn of_names_that_differ_in_case_alone_all_but_one_are_named() {
        let clashing =
            |paths: &[&str]| files(paths).clashing().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(clashing(&["a", "b", "B", "c"]), ["B"]);
        assert_eq!(clashing(&["Ab", "aB", "x"]), ["aB"]);
        assert_eq!(clashing(&["Ab", "aB", "ab"]), ["Ab", "aB"]);
        assert_eq!(clashing(&["Ab", "b"]), [""; 0]);
    }

    #[test]
    fn an_exhibit_in_memory_gives_what_was_put_in() {
        let mut package = MemoryPackage::default();
        package.insert("b", *b"first");
        package.insert("b", *b"seven b");
        package.insert("a", *b"");
        assert_eq!(package.files().iter().collect::<Vec<_>>(), [("a", 0), ("b", 7)]);
        let mut streamed = Vec::new();
        package.stream("b", &mut |piece| streamed.extend_from_slice(piece)).unwrap();
        assert_eq!(streamed, b"seven b");
        assert_eq!(package.digest("b", &[]).unwrap().0.size, 7);
        assert_eq!(package.remove("b").as_deref(), Some(&b"seven b"[..]));
        assert!(package.remove("b").is_none() && !package.files().contains("b"));
        let gone = package.stream("b", &mut |_| ()).unwrap_err();
        assert_eq!(gone.to_string(), "damaged: no such file");
        assert_eq!(Stop::Io("a cannot be read".into()).to_string(), "a cannot be read");
        assert!(package.empty_folders().is_empty());
    }
}
