//! Sources as they are typed, and the objects in them.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::num::NonZeroU64;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use unbroken_container::s3::{Pauses, S3Settings, Wanted};
use unbroken_evidence::hash::Hash;
use unbroken_exhibit::{Opened, Originals};
use unbroken_ingest::error::ObjectError;
use unbroken_ingest::reread::Opener;
use unbroken_ingest::source::{FolderSource, S3Connection, S3Source, Source, open_plain};

use crate::arguments::S3Arguments;
use crate::failure::Failure;
use crate::world::threads;

const KIB: NonZeroU64 = NonZeroU64::new(1024).unwrap();

/// A source, and whether its name was given with its place.
pub(crate) struct Typed {
    pub(crate) source: Box<dyn Source>,
    pub(crate) named: bool,
}

/// Reads `PATH`, `NAME=PATH` or `s3://bucket/prefix`.
pub(crate) fn parse(
    typed: &OsStr,
    s3: &S3Arguments,
    stop: &Arc<AtomicBool>,
) -> Result<Typed, Failure> {
    let bytes = typed.as_bytes();
    if let Some((source, _)) = bucket(typed, s3, stop)? {
        return Ok(Typed { source: Box::new(source), named: false });
    }
    let path = Path::new(typed);
    let split = bytes.iter().position(|byte| *byte == b'=').filter(|_| !path.exists());
    let (name, path) = match split {
        Some(at) if bytes.get(at..).is_some_and(|rest| rest.starts_with(b"=s3://")) => {
            return Err(Failure::usage(
                "a bucket is known by its own name",
                "give s3://bucket/prefix without NAME=",
            ));
        }
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

/// Reads `s3://bucket/prefix`, and gives it back as it is shown; `None` for anything else.
pub(crate) fn bucket(
    typed: &OsStr,
    s3: &S3Arguments,
    stop: &Arc<AtomicBool>,
) -> Result<Option<(S3Source, String)>, Failure> {
    let Some(rest) = typed.to_str().and_then(|typed| typed.strip_prefix("s3://")) else {
        return Ok(None);
    };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(Failure::usage("source s3://: no bucket", "a bucket is s3://bucket/prefix"));
    }
    let source = S3Source::new(connect(s3, stop)?, bucket, prefix);
    let shown = source.shown();
    Ok(Some((source, shown)))
}

/// A ledger inside a source would seal, and hand over, its own private keys.
pub(crate) fn refuse_own_ledger(typed: &[Typed], ledger: &Path) -> Result<(), Failure> {
    let ledger = ledger.canonicalize().unwrap_or_else(|_| ledger.to_owned());
    let holds_keys = |typed: &&Typed| {
        let folder = typed.source.folder();
        folder.is_some_and(|folder| ledger.starts_with(folder) || folder.starts_with(&ledger))
    };
    match typed.iter().find(holds_keys) {
        None => Ok(()),
        Some(typed) => Err(Failure::usage(
            format!(
                "source {}: the ledger {} is inside it, or around it",
                typed.source.location(),
                ledger.display()
            ),
            "keep source and ledger apart: its private keys would be sealed and handed over",
        )),
    }
}

/// Two sources of one name would take each other's objects for their own.
pub(crate) fn refuse_one_name_twice(typed: &[Typed]) -> Result<(), Failure> {
    for (place, one) in typed.iter().enumerate() {
        let (name, at) = (one.source.name(), one.source.location());
        let other = typed.iter().take(place).find(|other| other.source.name() == name);
        if let Some(other) = other.filter(|other| other.source.location() != at) {
            return Err(Failure::usage(
                format!("source {name} is given twice: at {} and at {at}", other.source.location()),
                "give each its own name: NAME=PATH",
            ));
        }
    }
    Ok(())
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

fn connect(s3: &S3Arguments, stop: &Arc<AtomicBool>) -> Result<S3Connection, Failure> {
    let settings = S3Settings {
        profile: s3.profile.clone(),
        region: s3.region.clone(),
        endpoint_url: s3.endpoint_url.clone(),
        no_sign_request: s3.no_sign_request,
        request_payer: s3.request_payer,
        etags_are_md5: !s3.etags_not_md5,
        silence: Duration::from_secs(s3.silence),
        bytes_per_second: s3.bandwidth.and_then(|kib| kib.checked_mul(KIB)),
        pauses: Pauses::default(),
    };
    Ok(S3Connection::new(&settings, Arc::clone(stop))?)
}

/// Opens objects of known sources for an exhibit; connects to S3 when the first is there.
#[derive(Default)]
pub(crate) struct KnownSources<'a> {
    s3: Option<&'a S3Arguments>,
    connection: Option<S3Connection>,
    read: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

/// Counts the bytes that are read.
struct Counted<R> {
    reader: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<'a> KnownSources<'a> {
    pub(crate) fn new(s3: &'a S3Arguments) -> Self {
        Self { s3: Some(s3), ..Self::default() }
    }

    /// Ends every wait for a server once `stop` is set.
    pub(crate) fn until(self, stop: &Arc<AtomicBool>) -> Self {
        Self { stop: Arc::clone(stop), ..self }
    }

    /// The bytes that were read of objects so far.
    pub(crate) fn read_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// An object in a bucket, and the connection that reaches it.
    fn in_bucket(
        &mut self,
        location: &str,
        key: &[u8],
        version: &str,
    ) -> io::Result<(&S3Connection, Wanted)> {
        let key = std::str::from_utf8(key).map_err(io::Error::other)?;
        if self.connection.is_none() {
            let s3 = self.s3.ok_or_else(|| io::Error::other("no S3 settings were given"))?;
            self.connection =
                Some(connect(s3, &self.stop).map_err(|f| io::Error::other(f.sentence))?);
        }
        let connection =
            self.connection.as_ref().ok_or_else(|| io::Error::other("no connection"))?;
        let bucket = connection.bucket_at(location).map_err(io::Error::other)?;
        let wanted = Wanted {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: version.to_owned(),
            etag: String::new(),
        };
        Ok((connection, wanted))
    }

    fn object(&mut self, location: &str, key: &[u8], version: &str) -> io::Result<Opened<'_>> {
        let read = self.read_bytes();
        let (connection, wanted) = self.in_bucket(location, key, version)?;
        let reader = connection.open(wanted).map_err(not_there)?;
        Ok(Box::new(Counted { reader, read }))
    }
}

fn not_there(error: ObjectError) -> io::Error {
    match error {
        ObjectError::Vanished => {
            io::Error::new(io::ErrorKind::NotFound, "it is not there any more")
        }
        error => io::Error::other(error),
    }
}

impl Opener for KnownSources<'_> {
    fn open(
        &mut self,
        name: &str,
        location: &str,
        key: &[u8],
        version: &str,
    ) -> io::Result<Opened<'_>> {
        Originals::open(self, name, location, key, version)
    }

    fn keeps(
        &mut self,
        name: &str,
        location: &str,
        key: &[u8],
        version: &str,
        sha256: &Hash,
    ) -> io::Result<bool> {
        // A folder keeps no checksums.
        if !name.starts_with("s3://") {
            return Ok(false);
        }
        let (connection, wanted) = self.in_bucket(location, key, version)?;
        connection.keeps(&wanted, sha256).map_err(not_there)
    }
}

impl Originals for KnownSources<'_> {
    fn open(
        &mut self,
        name: &str,
        location: &str,
        key: &[u8],
        version: &str,
    ) -> io::Result<Opened<'_>> {
        if name.starts_with("s3://") {
            return self.object(location, key, version);
        }
        // Where the folder itself is not there, an unmounted disk say, nothing is known of the object.
        std::fs::metadata(location).map_err(|error| {
            io::Error::other(format!(
                "its source {} cannot be read: {error}",
                unbroken_evidence::error::printable(location)
            ))
        })?;
        let path = Path::new(location).join(OsStr::from_bytes(key));
        if !std::fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file any more"));
        }
        Ok(Box::new(Counted { reader: open_plain(&path)?, read: self.read_bytes() }))
    }
}
