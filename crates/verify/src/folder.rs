//! An exhibit that is a folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use unbroken_evidence::content::{BlockKey, Digests, digest_stream};
use unbroken_evidence::error::printable;
use unbroken_evidence::limits::{EXHIBIT_FILES_MAX, PATH_SEGMENTS_MAX};
use unbroken_evidence::package::{Package, PackageError};

use crate::open::OpenError;

const BUFFER_BYTES: usize = 256 << 10;

/// The files of a folder; no link, device or pipe is among them.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    lengths: BTreeMap<String, u64>,
    paths: BTreeMap<String, PathBuf>,
    empty: Vec<String>,
}

impl Folder {
    /// Lists the files below `root`.
    ///
    /// # Errors
    /// `Container` for anything that is neither a file nor a folder.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let mut folder = Self {
            root: root.to_owned(),
            lengths: BTreeMap::new(),
            paths: BTreeMap::new(),
            empty: Vec::new(),
        };
        folder.list(root, "", 0)?;
        Ok(folder)
    }

    fn list(&mut self, path: &Path, name: &str, depth: usize) -> Result<(), OpenError> {
        let refused = |why: String| Err(OpenError::container(&self.root, why));
        if depth > PATH_SEGMENTS_MAX {
            return refused(format!("{}: too many folders in each other", printable(name)));
        }
        let mut is_empty = true;
        for entry in fs::read_dir(path).map_err(|error| OpenError::io(path, error))? {
            let entry = entry.map_err(|error| OpenError::io(path, error))?;
            is_empty = false;
            let own = entry.file_name();
            let slash = if name.is_empty() { "" } else { "/" };
            let below = format!("{name}{slash}{}", own.to_string_lossy());
            let metadata = entry.metadata().map_err(|error| OpenError::io(&entry.path(), error))?;
            if metadata.is_dir() {
                self.list(&entry.path(), &below, depth + 1)?;
            } else if metadata.is_file() {
                self.lengths.insert(below.clone(), metadata.len());
                self.paths.insert(below, entry.path());
            } else {
                let why = "a link, device or pipe, which an exhibit must not hold";
                return Err(OpenError::container(
                    &self.root,
                    format!("{}: {why}", printable(&below)),
                ));
            }
            if self.lengths.len() > EXHIBIT_FILES_MAX {
                return Err(OpenError::container(&self.root, "too many files"));
            }
        }
        if is_empty && !name.is_empty() {
            self.empty.push(name.to_owned());
        }
        Ok(())
    }

    fn file(&self, path: &str) -> Result<File, PackageError> {
        let missing = || PackageError::Damaged("no such file".into());
        let place = self.paths.get(path).ok_or_else(missing)?;
        let metadata = fs::symlink_metadata(place).map_err(|e| PackageError::Io(e.to_string()))?;
        if !metadata.is_file() {
            return Err(PackageError::Damaged("it is no plain file any more".into()));
        }
        File::open(place).map_err(|error| PackageError::Io(error.to_string()))
    }
}

impl Package for Folder {
    fn files(&self) -> &BTreeMap<String, u64> {
        &self.lengths
    }

    fn empty_folders(&self) -> &[String] {
        &self.empty
    }

    fn stream(&mut self, path: &str, sink: &mut dyn FnMut(&[u8])) -> Result<(), PackageError> {
        let mut left = self.lengths.get(path).copied().unwrap_or(0);
        let mut file = self.file(path)?.take(left.saturating_add(1));
        let mut buffer =
            vec![0; BUFFER_BYTES.min(usize::try_from(left + 1).unwrap_or(BUFFER_BYTES))];
        loop {
            match file.read(&mut buffer).map_err(|error| PackageError::Io(error.to_string()))? {
                0 if left == 0 => return Ok(()),
                0 => return Err(PackageError::Damaged("shorter than when it was listed".into())),
                count if count as u64 > left => {
                    return Err(PackageError::Damaged("longer than when it was listed".into()));
                }
                count => {
                    left -= count as u64;
                    sink(buffer.get(..count).unwrap_or_default());
                }
            }
        }
    }

    fn digest(&mut self, path: &str, keys: &[(u64, BlockKey)]) -> Result<Digests, PackageError> {
        let mut file = self.file(path)?;
        let length = self.lengths.get(path).copied().unwrap_or(0);
        digest_stream(keys, length, |buffer| {
            file.read(buffer).map_err(|e| PackageError::Io(e.to_string()))
        })
    }
}
