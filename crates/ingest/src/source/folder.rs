//! A folder as a source. Links are not followed: what they name may be anywhere.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use unbroken_evidence::content::Digests;
use unbroken_evidence::time::Time;

use super::{Attribute, CLOSED_FOLDER, Listed, Next, ObjectReader, Source};
use crate::error::{ObjectError, SourceError};

/// A folder under a name that stays when it moves.
#[derive(Clone, Debug)]
pub struct FolderSource {
    name: String,
    location: String,
    root: PathBuf,
    workers: usize,
}

impl FolderSource {
    /// The folder at `root`, known as `name`.
    ///
    /// # Errors
    /// `Folder` when there is none.
    pub fn new(name: &str, root: &Path, workers: usize) -> Result<Self, SourceError> {
        let failed = |source| SourceError::Folder { location: root.display().to_string(), source };
        let root = root.canonicalize().map_err(failed)?;
        fs::read_dir(&root).map_err(failed)?;
        let location = root.to_str().map(str::to_owned).ok_or_else(|| {
            failed(io::Error::other("the name of the folder, or of one above it, is not Unicode"))
        })?;
        Ok(Self { name: name.to_owned(), location, root, workers })
    }

    fn walk(
        &self,
        folder: &Path,
        prefix: &[u8],
        each: &mut dyn FnMut(Listed) -> Next,
    ) -> io::Result<Next> {
        // A folder sorts as its name with a slash: so the whole walk ascends by key bytes.
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let mut key = [prefix, entry.file_name().as_bytes()].concat();
            let is_folder = entry.file_type()?.is_dir();
            if is_folder {
                key.push(b'/');
            }
            entries.push((key, is_folder));
        }
        entries.sort_unstable();
        for (key, is_folder) in entries {
            let path = self.root.join(OsStr::from_bytes(&key));
            let next = if is_folder {
                match self.walk(&path, &key, each) {
                    Ok(next) => next,
                    Err(_) => each(irregular(key, ObjectError::Irregular(CLOSED_FOLDER))),
                }
            } else {
                match fs::symlink_metadata(&path) {
                    Ok(metadata) => each(listed(key, &metadata)),
                    // It vanished while the folder was walked: reading it will say so.
                    Err(_) => each(irregular(key, ObjectError::Vanished)),
                }
            };
            if next == Next::Stop {
                return Ok(Next::Stop);
            }
        }
        Ok(Next::More)
    }
}

fn irregular(key: Vec<u8>, why: ObjectError) -> Listed {
    let (version, etag, modified) = Default::default();
    Listed { key, version, etag, size: 0, modified, stamp: Vec::new(), not_readable: Some(why) }
}

fn listed(key: Vec<u8>, metadata: &Metadata) -> Listed {
    let file_type = metadata.file_type();
    let irregular = if file_type.is_symlink() {
        Some("a link")
    } else if file_type.is_fifo() {
        Some("a pipe")
    } else if file_type.is_socket() {
        Some("a socket")
    } else if file_type.is_file() {
        None
    } else {
        Some("a device")
    };
    let ms =
        metadata.mtime().saturating_mul(1_000).saturating_add(metadata.mtime_nsec() / 1_000_000);
    Listed {
        key,
        version: String::new(),
        etag: String::new(),
        size: metadata.len(),
        modified: Time::from_unix_ms(u64::try_from(ms).unwrap_or(0)).to_string(),
        stamp: stamp(metadata),
        not_readable: irregular.map(ObjectError::Irregular),
    }
}

/// Size, inode, and both times to the nanosecond: what changes when the bytes do.
fn stamp(metadata: &Metadata) -> Vec<u8> {
    let numbers = [
        i64::try_from(metadata.len()).unwrap_or(i64::MAX),
        i64::try_from(metadata.ino()).unwrap_or(i64::MAX),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ];
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

impl Source for FolderSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn location(&self) -> &str {
        &self.location
    }

    fn store(&self) -> &'static str {
        unbroken_evidence::vocabulary::object::FOLDER
    }

    fn bucket(&self) -> &str {
        &self.name
    }

    fn folder(&self) -> Option<&Path> {
        Some(&self.root)
    }

    fn workers(&self) -> usize {
        self.workers
    }

    fn list(&self, each: &mut dyn FnMut(Listed) -> Next) -> Result<(), SourceError> {
        let failed = |source| SourceError::Folder { location: self.location.clone(), source };
        self.walk(&self.root, b"", each).map(|_| ()).map_err(failed)
    }

    fn is_there(&self, key: &[u8]) -> Result<bool, ObjectError> {
        let looked = |path: &Path| match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) => match error.kind() {
                // A name that is too long is that of no file.
                io::ErrorKind::NotFound
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::InvalidFilename => Ok(None),
                _ => Err(object_error(error)),
            },
        };
        // Where the folder itself is gone, an unmounted disk say, nothing is known of the object.
        if looked(&self.root)?.is_none() {
            return Err(ObjectError::Broken("its source is not there".to_owned()));
        }
        // A folder in its place is no object.
        let found = looked(&self.root.join(OsStr::from_bytes(key)))?;
        Ok(found.is_some_and(|metadata| !metadata.is_dir()))
    }

    fn open<'a>(&'a self, listed: &Listed) -> Result<Box<dyn ObjectReader + 'a>, ObjectError> {
        if let Some(why) = &listed.not_readable {
            return Err(why.clone());
        }
        let path = self.root.join(OsStr::from_bytes(&listed.key));
        let file = open_plain(&path).map_err(object_error)?;
        let before = file.metadata().map_err(object_error)?;
        if stamp(&before) != listed.stamp {
            return Err(ObjectError::Changed);
        }
        Ok(Box::new(FileReader { file, stamp: listed.stamp.clone(), left: listed.size }))
    }
}

/// Opens a file that was a plain one when it was looked at. If a pipe took its place meanwhile this
/// does not wait for somebody to write into it, and a link is not followed.
///
/// # Errors
/// Those of the system.
pub fn open_plain(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path)
}

struct FileReader {
    file: File,
    stamp: Vec<u8>,
    left: u64,
}

impl ObjectReader for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ObjectError> {
        let count = self.file.read(buffer).map_err(object_error)?;
        self.left = self.left.checked_sub(count as u64).ok_or(ObjectError::Changed)?;
        Ok(count)
    }

    fn finish(&mut self, _: &Digests) -> Result<Vec<Attribute>, ObjectError> {
        let after = self.file.metadata().map_err(object_error)?;
        if self.left != 0 || stamp(&after) != self.stamp {
            return Err(ObjectError::Changed);
        }
        Ok(Vec::new())
    }
}

fn object_error(error: io::Error) -> ObjectError {
    match error.kind() {
        io::ErrorKind::NotFound => ObjectError::Vanished,
        io::ErrorKind::PermissionDenied => ObjectError::Denied(error.to_string()),
        _ => ObjectError::Broken(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_a_pipe_or_a_link_replaced_is_changed_and_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        fs::write(&path, b"bytes").unwrap();
        let source = FolderSource::new("calls", folder.path(), 1).unwrap();
        let mut found = Vec::new();
        source
            .list(&mut |listed| {
                found.push(listed);
                Next::More
            })
            .unwrap();
        assert!(source.open(&found[0]).is_ok());
        fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_eq!(source.open(&found[0]).err(), Some(ObjectError::Changed));
        fs::remove_file(&path).unwrap();
        fs::write(folder.path().join("other.wav"), b"other").unwrap();
        std::os::unix::fs::symlink("other.wav", &path).unwrap();
        assert!(matches!(source.open(&found[0]).err(), Some(ObjectError::Broken(_))));
    }
}
