//! Sources as they are typed, and the objects in them.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use unbroken_exhibit::{Opened, Originals};
use unbroken_ingest::source::{FolderSource, Source};

use crate::failure::Failure;
use crate::world::threads;

/// A source, and whether its name was given with its place.
pub(crate) struct Typed {
    pub(crate) source: Box<dyn Source>,
    pub(crate) named: bool,
}

/// Reads `PATH`, `NAME=PATH` or `s3://bucket/prefix`.
pub(crate) fn parse(typed: &OsStr) -> Result<Typed, Failure> {
    let bytes = typed.as_bytes();
    if bytes.starts_with(b"s3://") {
        return Err(Failure::usage(
            format!("source {}: this build does not read from S3", typed.display()),
            "give a folder",
        ));
    }
    let path = Path::new(typed);
    let split = bytes.iter().position(|byte| *byte == b'=').filter(|_| !path.exists());
    let (name, path) = match split {
        Some(at) => {
            let (name, path) = bytes.split_at(at);
            let name = std::str::from_utf8(name)
                .ok()
                .filter(|name| !name.is_empty() && !name.contains('/'));
            let hint = "a source is NAME=PATH, where NAME is a word without slashes";
            let name = name.ok_or_else(|| {
                Failure::usage(format!("source {}: no name", typed.display()), hint)
            })?;
            (name.to_owned(), PathBuf::from(OsStr::from_bytes(path.get(1..).unwrap_or_default())))
        }
        None => (own_name(path)?, path.to_owned()),
    };
    if name.chars().any(char::is_control) {
        return Err(Failure::usage(
            "a source's name may not hold control characters",
            "choose another NAME",
        ));
    }
    let source = FolderSource::new(&name, &path, threads())?;
    Ok(Typed { source: Box::new(source), named: split.is_some() })
}

/// A ledger inside a source would seal, and hand over, its own private keys.
pub(crate) fn refuse_own_ledger(typed: &[Typed], ledger: &Path) -> Result<(), Failure> {
    let ledger = ledger.canonicalize().unwrap_or_else(|_| ledger.to_owned());
    match typed.iter().find(|typed| ledger.starts_with(typed.source.location())) {
        None => Ok(()),
        Some(typed) => Err(Failure::usage(
            format!(
                "source {}: the ledger {} is inside it",
                typed.source.location(),
                ledger.display()
            ),
            "move the ledger out: its private keys would be sealed and handed over",
        )),
    }
}

/// The folder's own name.
fn own_name(path: &Path) -> Result<String, Failure> {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = whole.file_name().and_then(OsStr::to_str).filter(|name| !name.is_empty());
    let hint = "give it a name: NAME=PATH";
    let unnamed =
        || Failure::usage(format!("source {}: it has no name of its own", path.display()), hint);
    name.map(str::to_owned).ok_or_else(unnamed)
}

/// Opens objects of known sources for an exhibit.
pub(crate) struct KnownSources;

impl Originals for KnownSources {
    fn open(&mut self, _: &str, location: &str, key: &[u8], _: &str) -> io::Result<Opened<'_>> {
        let path = Path::new(location).join(OsStr::from_bytes(key));
        if !std::fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file any more"));
        }
        Ok(Box::new(File::open(path)?))
    }
}
