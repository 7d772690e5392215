//! Reads what is held against a published log: files to look for, and openings of entries.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use unbroken_evidence::content::digest_stream;
use unbroken_evidence::limits::OPENING_BYTES_MAX;
use unbroken_evidence::narrow::decimal;
use unbroken_evidence::objects::Object;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::spread::spread;

use crate::error::OpenError;
use crate::plain::open_plain;

/// Hashes the file at `path`.
///
/// # Errors
/// `Io` when it cannot be read.
pub fn read_object(path: &Path) -> Result<Object, OpenError> {
    let mut file = open_plain(path).map_err(|error| OpenError::io(path, error))?;
    let length = file.metadata().map_err(|error| OpenError::io(path, error))?.len();
    let digests = digest_stream(&[], length, |buffer| file.read(buffer));
    let digests = digests.map_err(|error| OpenError::io(path, error))?;
    let name = path.to_string_lossy().into_owned();
    Ok(Object { name, sha256: digests.sha256, blake3: digests.blake3, size: digests.size })
}

/// Files that are looked for at once.
const FILES_MAX: usize = 100_000;
/// How deep folders may be nested.
const DEPTH_MAX: usize = 64;

/// Hashes every file below the folder at `path`, in the order of their names, on `threads` threads. What cannot be
/// read is an error of its own; a symbolic link is not followed.
///
/// # Errors
/// `Io` when the folder itself cannot be listed, or too much is in it.
pub fn read_objects_below(
    path: &Path,
    threads: usize,
) -> Result<Vec<Result<Object, OpenError>>, OpenError> {
    let mut paths = Vec::new();
    let mut unread = Vec::new();
    below(path, 0, &mut paths, &mut unread)?;
    let read = spread(paths, threads, |path| read_object(&path));
    Ok(read.into_iter().chain(unread.into_iter().map(Err)).collect())
}

fn below(
    folder: &Path,
    depth: usize,
    paths: &mut Vec<PathBuf>,
    unread: &mut Vec<OpenError>,
) -> Result<(), OpenError> {
    let failed = |error| OpenError::io(folder, error);
    let listed = std::fs::read_dir(folder).map_err(failed)?;
    let mut listed: Vec<PathBuf> = listed
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    listed.sort();
    for path in listed {
        let kind = match path.symlink_metadata() {
            Ok(metadata) => metadata.file_type(),
            Err(error) => {
                unread.push(OpenError::io(&path, error));
                continue;
            }
        };
        if paths.len() + unread.len() >= FILES_MAX {
            let why = format!("more than {FILES_MAX} files: give a folder in it");
            return Err(refused(folder, &why));
        } else if kind.is_symlink() {
            unread.push(refused(&path, "a symbolic link is not followed"));
        } else if kind.is_dir() && depth >= DEPTH_MAX {
            unread.push(refused(&path, "folders are nested too deep"));
        } else if kind.is_dir() {
            if let Err(error) = below(&path, depth + 1, paths, unread) {
                if paths.len() + unread.len() >= FILES_MAX {
                    return Err(error);
                }
                unread.push(error);
            }
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

fn refused(path: &Path, why: &str) -> OpenError {
    OpenError::io(path, std::io::Error::new(std::io::ErrorKind::InvalidInput, why))
}

/// Openings of a folder by the index of their entry, and the files that are none.
pub type Openings = (BTreeMap<u64, Opening>, Vec<OpenError>);

/// Reads the openings `<index>.json` in `folder`. One that cannot be read does not stop the others.
///
/// # Errors
/// `Io` when the folder cannot be listed.
pub fn read_openings(folder: &Path) -> Result<Openings, OpenError> {
    let (mut openings, mut unread) = (BTreeMap::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(|error| OpenError::io(folder, error))? {
        let path = entry.map_err(|error| OpenError::io(folder, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(index) = name.strip_suffix(".json").and_then(decimal) else { continue };
        match read_opening(&path) {
            Ok(opening) => drop(openings.insert(index, opening)),
            Err(error) => unread.push(error),
        }
    }
    Ok((openings, unread))
}

fn read_opening(path: &Path) -> Result<Opening, OpenError> {
    let file = open_plain(path).map_err(|error| OpenError::io(path, error))?;
    let mut bytes = Vec::new();
    let read = file.take(OPENING_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| OpenError::io(path, error))?;
    Opening::parse(&bytes).map_err(|error| OpenError::container(path, error.to_string()))
}
