//! An exhibit that is a folder.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use unbroken_evidence::bag::check_path;
use unbroken_evidence::content::{BlockKey, Digests, digest_stream};
use unbroken_evidence::error::printable;
use unbroken_evidence::length::Ends;
use unbroken_evidence::limits::EXHIBIT_FILES_MAX;
use unbroken_evidence::package::{Files, Package, PackageError};

use crate::error::OpenError;
use crate::plain::open_plain;

const BUFFER_BYTES: usize = 256 << 10;
/// No file of an exhibit stands as deep as this.
const DEPTH_MAX: usize = 16;

/// The files of a folder; no link, device or pipe is among them.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    files: Files,
    empty: Vec<String>,
}

/// A folder that is being listed.
struct Listing<'a> {
    root: &'a Path,
    files: Vec<(String, u64)>,
    empty: Vec<String>,
    folders: usize,
}

impl Folder {
    /// Lists the files below `root`.
    ///
    /// # Errors
    /// `Container` for anything that is neither a file nor a folder.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let mut listing = Listing { root, files: Vec::new(), empty: Vec::new(), folders: 0 };
        listing.list(root, "", 0)?;
        let Listing { files, empty, .. } = listing;
        Ok(Self { root: root.to_owned(), files: Files::new(files), empty })
    }

    fn file(&self, path: &str) -> Result<File, PackageError> {
        if check_path(path).is_err() || !self.files.contains(path) {
            return Err(PackageError::Damaged("no such file".into()));
        }
        let place = self.root.join(path);
        let is_link = fs::symlink_metadata(&place).is_ok_and(|metadata| !metadata.is_file());
        if is_link {
            return Err(PackageError::Damaged("it is no plain file any more".into()));
        }
        open_plain(&place).map_err(|error| PackageError::Io(error.to_string()))
    }
}

impl Listing<'_> {
    fn list(&mut self, path: &Path, name: &str, depth: usize) -> Result<(), OpenError> {
        let refused = |why: String| Err(OpenError::container(self.root, why));
        if depth > DEPTH_MAX {
            return refused(format!("{}: too many folders in each other", printable(name)));
        }
        let mut is_empty = true;
        for entry in fs::read_dir(path).map_err(|error| OpenError::io(path, error))? {
            let entry = entry.map_err(|error| OpenError::io(path, error))?;
            is_empty = false;
            let own = entry.file_name();
            let slash = if name.is_empty() { "" } else { "/" };
            let below = self.shown(format!("{name}{slash}{}", own.to_string_lossy()), own.to_str());
            let metadata = entry.metadata().map_err(|error| OpenError::io(&entry.path(), error))?;
            if metadata.is_dir() {
                self.folders += 1;
                self.list(&entry.path(), &below, depth + 1)?;
            } else if metadata.is_file() {
                self.files.push((below, metadata.len()));
            } else {
                let why = "a link, device or pipe, which an exhibit must not hold";
                return refused(format!("{}: {why}", printable(&below)));
            }
            if self.files.len() + self.folders > EXHIBIT_FILES_MAX {
                return refused(format!("more than {EXHIBIT_FILES_MAX} files and folders"));
            }
        }
        if is_empty && !name.is_empty() {
            self.empty.push(name.to_owned());
        }
        Ok(())
    }

    /// The path under which a file is listed. One that no exhibit may have is listed short, safe to
    /// print and apart from every other: it is found, and never read.
    fn shown(&self, path: String, name: Option<&str>) -> String {
        if name.is_some() && check_path(&path).is_ok() {
            return path;
        }
        format!("{} ({})", printable(&path), self.files.len() + self.folders)
    }
}

impl Package for Folder {
    fn files(&self) -> &Files {
        &self.files
    }

    fn empty_folders(&self) -> &[String] {
        &self.empty
    }

    fn stream(&mut self, path: &str, sink: &mut dyn FnMut(&[u8])) -> Result<(), PackageError> {
        let mut left = self.files.length(path).unwrap_or(0);
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

    fn digest(
        &mut self,
        path: &str,
        keys: &[(u64, BlockKey)],
    ) -> Result<(Digests, Ends), PackageError> {
        let mut file = self.file(path)?;
        let length = self.files.length(path).unwrap_or(0);
        let mut ends = Ends::default();
        let digests = digest_stream(keys, length, |buffer| {
            let count = file.read(buffer).map_err(|e| PackageError::Io(e.to_string()))?;
            ends.take(buffer.get(..count).unwrap_or_default());
            Ok(count)
        })?;
        Ok((digests, ends))
    }
}
