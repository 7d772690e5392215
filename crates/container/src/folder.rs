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
    /// Files and folders that it may have.
    most: usize,
}

impl Folder {
    /// Lists the files below `root`.
    ///
    /// # Errors
    /// `Container` for anything that is neither a file nor a folder.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        Self::open_within(root, EXHIBIT_FILES_MAX)
    }

    fn open_within(root: &Path, most: usize) -> Result<Self, OpenError> {
        let mut listing = Listing { root, files: Vec::new(), empty: Vec::new(), folders: 0, most };
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
            let below = format!("{name}{slash}{}", own.to_string_lossy());
            let metadata = entry.metadata().map_err(|error| OpenError::io(&entry.path(), error))?;
            if metadata.is_dir() {
                self.folders += 1;
                self.list(&entry.path(), &below, depth + 1)?;
            } else if metadata.is_file() {
                self.files.push((self.shown(&entry.path(), &below), metadata.len()));
            } else {
                let why = "a link, device or pipe, which an exhibit must not hold";
                return refused(format!("{}: {why}", printable(&below)));
            }
            if self.files.len() + self.folders > self.most {
                return refused(format!("more than {} files and folders", self.most));
            }
        }
        if is_empty && !name.is_empty() {
            self.empty.push(self.shown(path, name));
        }
        Ok(())
    }

    /// The path under which a file or a folder is listed. One that no exhibit may have is listed short and safe to
    /// print: it is found, and never read. A number tells it from others where that is not the whole of it.
    fn shown(&self, place: &Path, path: &str) -> String {
        let is_text = place.to_str().is_some();
        if is_text && check_path(path).is_ok() {
            return path.to_owned();
        }
        let shown = percent_encoded(path);
        if is_text && !shown.ends_with(CUT) {
            return shown;
        }
        let number = self.files.len() + self.folders + 1;
        format!("{shown} (file {number} as the folder was read)")
    }
}

/// Behind a name that was cut.
const CUT: &str = "...";

/// A name as addresses write it: it can be printed, and printing it leaves it as it is. Cut if it is long.
fn percent_encoded(path: &str) -> String {
    const LENGTH_MAX: usize = 120;
    let mut shown = String::new();
    for byte in path.bytes() {
        match byte {
            _ if shown.len() >= LENGTH_MAX => return shown + CUT,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/' => {
                shown.push(char::from(byte));
            }
            _ => shown.push_str(&format!("%{byte:02X}")),
        }
    }
    shown
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

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_of(paths: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in paths {
            let place = folder.path().join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, path).unwrap();
        }
        folder
    }

    fn read(folder: &mut Folder, path: &str) -> Result<Vec<u8>, PackageError> {
        let mut bytes = Vec::new();
        folder.stream(path, &mut |piece| bytes.extend_from_slice(piece))?;
        Ok(bytes)
    }

    #[test]
    fn as_many_files_and_folders_as_the_limit_and_no_more() {
        let place = folder_of(&["a", "b/c", "b/d", "e/f/g"]);
        // Four files in three folders.
        assert!(Folder::open_within(place.path(), 7).is_ok());
        let refused = Folder::open_within(place.path(), 6).unwrap_err();
        assert!(refused.to_string().contains("more than 6 files and folders"), "{refused}");
    }

    #[test]
    fn folders_in_each_other_as_deep_as_the_limit_and_no_deeper() {
        let deep = |folders: usize| format!("{}file", "f/".repeat(folders));
        let place = folder_of(&[&deep(DEPTH_MAX)]);
        assert_eq!(
            Folder::open(place.path()).unwrap().files().paths().next(),
            Some(&*deep(DEPTH_MAX))
        );
        let place = folder_of(&[&deep(DEPTH_MAX + 1)]);
        let refused = Folder::open(place.path()).unwrap_err();
        assert!(refused.to_string().contains("too many folders in each other"), "{refused}");
    }

    #[test]
    fn a_name_that_no_exhibit_has_is_listed_safe_to_print_and_never_read() {
        let place = folder_of(&["good", "a b", "b\u{1b}[31m", ".git/x", "c d/e f"]);
        let mut folder = Folder::open(place.path()).unwrap();
        let paths: Vec<String> = folder.files().paths().map(str::to_owned).collect();
        assert_eq!(paths.len(), 5);
        for path in paths {
            assert!(path.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{path:?}");
            let is_good = path == "good";
            let told = ["a%20b", "b%1B%5B31m", ".git/x", "c%20d/e%20f"];
            assert!(is_good || told.contains(&&*path), "{path}");
            assert_eq!(read(&mut folder, &path).is_ok(), is_good, "{path}");
        }
        for path in ["a b", "../good", "", "/etc/hostname", "other"] {
            assert!(matches!(read(&mut folder, path), Err(PackageError::Damaged(_))), "{path}");
        }
    }

    #[test]
    fn a_file_that_changes_its_length_after_it_was_listed_is_damaged() {
        let place = folder_of(&["call"]);
        let mut folder = Folder::open(place.path()).unwrap();
        assert_eq!(read(&mut folder, "call").unwrap(), b"call");
        for (bytes, why) in [(&b"cal"[..], "shorter"), (b"", "shorter"), (b"calls", "longer")] {
            fs::write(place.path().join("call"), bytes).unwrap();
            let Err(PackageError::Damaged(what)) = read(&mut folder, "call") else {
                panic!("{bytes:?}")
            };
            assert!(what.contains(why), "{what}");
        }
    }
}
