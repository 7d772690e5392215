//! Durable steps: what has returned here survives a power cut.
//!
//! One file, system calls in this order: `openat` of a temporary name with `O_CREAT|O_EXCL`,
//! `write`, `fsync` of the file, `close`, `rename` to its name, `fsync` of the folder. A new folder:
//! `mkdir`, then `fsync` of the folder and of its parent. A file that sled owns: `fsync`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Makes the names in `folder` durable.
///
/// # Errors
/// Those of the system.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder, and those above it that are missing, durably.
///
/// # Errors
/// Those of the system.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_folder(folder)?;
    sync_folder(parent_of(folder))
}

/// Writes a file durably, in place of one of the same name.
///
/// # Errors
/// Those of the system; then the file is as it was.
pub fn write_file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    write_file_unsynced(path, bytes, mode)?;
    sync_folder(parent_of(path))
}

/// As [`write_file`], but the name is durable only after a [`sync_folder`] of its folder: for many
/// files in one folder.
///
/// # Errors
/// Those of the system.
pub fn write_file_unsynced(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = temporary_name(path);
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    let named = written.and_then(|()| fs::rename(&temporary, path));
    if named.is_err() {
        // The first error counts; a temporary file that stays is replaced by the next attempt.
        let _ = fs::remove_file(&temporary);
    }
    named
}

fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    path.with_file_name(name)
}

/// The folder that `path` is in.
#[must_use]
pub fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// A path as bytes, to be kept.
#[must_use]
pub fn bytes_of(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

/// The path that [`bytes_of`] kept.
#[must_use]
pub fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}
