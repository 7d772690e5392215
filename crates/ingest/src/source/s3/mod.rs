//! A bucket, or a part of one, as a source. Only reads: docs/s3.md has the permissions.

mod doctor;
mod listing;
mod reader;
mod rights;
mod said;
mod versions;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types::ChecksumMode;
use tokio::runtime::Runtime;
use unbroken_container::s3::{Download, Failure, S3, S3Settings, Wanted};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::time::Time;

pub use self::doctor::{Check, Health};
pub use self::reader::S3Reader;
use self::rights::Named;
use super::{Attribute, Listed, Next, ObjectReader, Source, Versions};
use crate::error::{ObjectError, Problem, SourceError};

/// Objects that are fetched at once.
const WORKERS: usize = 16;

/// The store of buckets for which no other server was named.
const AWS: &str = "aws";

/// A connection to S3, shared by the sources and objects of a command.
#[derive(Clone)]
pub struct S3Connection {
    runtime: Arc<Runtime>,
    s3: S3,
    store: String,
    etags_are_md5: bool,
}

impl fmt::Debug for S3Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Connection({})", self.store)
    }
}

impl S3Connection {
    /// Reads the configuration; nothing is sent yet. Once `stop` is set, nothing is waited for.
    ///
    /// # Errors
    /// `S3` when the system gives no threads or sockets.
    pub fn new(settings: &S3Settings, stop: Arc<AtomicBool>) -> Result<Self, SourceError> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| SourceError::S3 {
            location: "s3".to_owned(),
            why: error.to_string(),
            hint: "check the limits of this process",
        })?;
        let s3 = runtime.block_on(S3::new(settings, stop));
        let store = s3.endpoint.as_deref().unwrap_or(AWS).trim_end_matches('/').to_owned();
        let etags_are_md5 = settings.etags_are_md5;
        Ok(Self { runtime: Arc::new(runtime), s3, store, etags_are_md5 })
    }

    /// The bucket of a source that was sealed from `location`.
    ///
    /// # Errors
    /// `Broken` when it was on another server than the one that this connection reaches.
    pub fn bucket_at<'a>(&self, location: &'a str) -> Result<&'a str, ObjectError> {
        let bucket = location.strip_prefix("s3://").unwrap_or(location);
        let bucket = bucket.split(' ').next().unwrap_or_default();
        if location == self::location(bucket, &self.store) {
            return Ok(bucket);
        }
        Err(ObjectError::Broken(format!(
            "it was sealed from {location}, and this command reaches {}: see --endpoint-url",
            self.store
        )))
    }

    fn is_aws(&self) -> bool {
        self.store == AWS
    }

    /// Whether S3 says that it keeps this SHA-256 of the whole object. Nothing of it is read.
    ///
    /// # Errors
    /// Why it says nothing of it.
    pub fn keeps(&self, wanted: &Wanted, sha256: &Hash) -> Result<bool, ObjectError> {
        let given = (!wanted.version.is_empty()).then(|| wanted.version.clone());
        let answer = self.runtime.block_on(self.s3.insist(|| {
            let request = self.s3.client.head_object().bucket(&wanted.bucket).key(&wanted.key);
            let request = request.set_version_id(given.clone());
            let request = request.checksum_mode(ChecksumMode::Enabled);
            request.set_request_payer(self.s3.request_payer.clone()).send()
        }))?;
        Ok(reader::keeps(&answer, sha256))
    }

    /// Opens one object, for packing it or for looking at it again.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn open(&self, wanted: Wanted) -> Result<S3Reader, ObjectError> {
        let download = self.runtime.block_on(Download::open(&self.s3, wanted))?;
        Ok(S3Reader::new(self.clone(), download))
    }
}

/// Where a bucket is, as private.db keeps it.
fn location(bucket: &str, store: &str) -> String {
    if store == AWS { format!("s3://{bucket}") } else { format!("s3://{bucket} at {store}") }
}

/// The objects of a bucket below a prefix.
#[derive(Debug)]
pub struct S3Source {
    connection: S3Connection,
    name: String,
    location: String,
    bucket: String,
    prefix: String,
    rights: rights::Known,
}

impl S3Source {
    /// The source `s3://bucket/prefix`; the prefix may be empty.
    #[must_use]
    pub fn new(connection: S3Connection, bucket: &str, prefix: &str) -> Self {
        let name = format!("s3://{bucket}");
        // Keys are whole, so another prefix of the same bucket is no other place; a bucket of the
        // same name on another server is.
        let location = location(bucket, &connection.store);
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        Self { connection, name, location, bucket, prefix, rights: rights::Known::default() }
    }

    fn error(&self, why: &str, hint: &'static str) -> SourceError {
        SourceError::S3 { location: self.shown(), why: why.to_owned(), hint }
    }

    /// Why the bucket cannot be listed.
    fn list_error(&self, failure: &Failure) -> SourceError {
        let needs =
            "the credentials need s3:ListBucket on this bucket, and s3:GetObject on its objects";
        self.refused(failure, needs)
    }

    /// Why it cannot be listed in one way or another, and what its credentials need for that.
    fn refused(&self, failure: &Failure, needs: &'static str) -> SourceError {
        let hint = if matches!(failure, Failure::Denied(_)) { needs } else { failure.hint() };
        match failure {
            // An answer of 404 without a code.
            Failure::NoObject => {
                self.error(&Failure::NoBucket.to_string(), Failure::NoBucket.hint())
            }
            Failure::Denied(said) => self.error(&format!("listing is refused ({said})"), hint),
            failure => self.error(&failure.to_string(), hint),
        }
    }
}

impl Source for S3Source {
    fn name(&self) -> &str {
        &self.name
    }

    fn location(&self) -> &str {
        &self.location
    }

    fn store(&self) -> &str {
        &self.connection.store
    }

    fn bucket(&self) -> &str {
        &self.bucket
    }

    fn scope(&self) -> &str {
        &self.prefix
    }

    fn shown(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix)
    }

    fn workers(&self) -> usize {
        WORKERS
    }

    fn list(&self, each: &mut dyn FnMut(Listed) -> Next) -> Result<(), SourceError> {
        listing::list(self, each)
    }

    fn keeps_versions(&self) -> bool {
        true
    }

    fn versions(&self, each: &mut dyn FnMut(Versions) -> Next) -> Result<(), SourceError> {
        versions::list(self, each)
    }

    fn open<'a>(&'a self, listed: &Listed) -> Result<Box<dyn ObjectReader + 'a>, ObjectError> {
        let key = std::str::from_utf8(&listed.key)
            .map_err(|_| ObjectError::Irregular("a key that is not Unicode"))?;
        let reader = self.connection.open(Wanted {
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            version: listed.version.clone(),
            etag: listed.etag.clone(),
        })?;
        if reader.download().size() != Some(listed.size) {
            return Err(ObjectError::Changed);
        }
        Ok(Box::new(reader))
    }

    fn is_there(&self, key: &[u8]) -> Result<bool, ObjectError> {
        let s3 = &self.connection.s3;
        let key = std::str::from_utf8(key)
            .map_err(|_| ObjectError::Irregular("a key that is not Unicode"))?;
        let asked = self.connection.runtime.block_on(s3.insist(|| {
            let request = s3.client.head_object().bucket(&self.bucket).key(key);
            request.set_request_payer(s3.request_payer.clone()).send()
        }));
        match asked {
            Ok(_) => Ok(true),
            Err(Failure::NoObject) => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    fn beside(&self, listed: &Listed, said: &[Attribute]) -> Result<Vec<Attribute>, ObjectError> {
        let value = |source: &str, name: &str| {
            let mut said = said.iter().filter(|one| one.source == source && one.name == name);
            said.next().map(|one| one.value.as_str())
        };
        let key = String::from_utf8_lossy(&listed.key);
        let version = value("object", "version").unwrap_or(&listed.version);
        let named = Named { bucket: &self.bucket, key: &key, version };
        let rights = self.rights.of(&self.connection, named)?;
        let has_tags = value("s3-header", said::TAGGING_COUNT).is_some_and(|count| count != "0");
        Ok(rights::asked(&self.connection, named, &rights, has_tags, false)?)
    }

    fn state(
        &self,
        key: &[u8],
        version: &str,
        by_name: bool,
    ) -> Result<Option<Vec<Attribute>>, ObjectError> {
        let s3 = &self.connection.s3;
        let key = std::str::from_utf8(key)
            .map_err(|_| ObjectError::Irregular("a key that is not Unicode"))?;
        let given = (!version.is_empty()).then(|| version.to_owned());
        let head = self.connection.runtime.block_on(s3.insist(|| {
            let request = s3.client.head_object().bucket(&self.bucket).key(key);
            let request = request.set_version_id(given.clone());
            request.set_request_payer(s3.request_payer.clone()).send()
        }))?;
        let named = Named { bucket: &self.bucket, key, version };
        let rights = self.rights.of(&self.connection, named)?;
        let has_tags = head.tag_count().is_some_and(|count| count > 0);
        let mut state = rights::asked(&self.connection, named, &rights, has_tags, by_name)?;
        state.extend(said::lock(&head));
        Ok(Some(state))
    }

    fn empty(&self) -> Option<SourceError> {
        Some(self.error("there is no object", "check the prefix; it is compared letter by letter"))
    }

    fn given_up(&self) -> Option<SourceError> {
        self.connection.s3.given_up().map(|failure| self.list_error(&failure))
    }

    fn remarks(&self) -> Vec<Problem> {
        self.rights.problems()
    }
}

/// The time that a header writes as `Fri, 25 Dec 2026 00:00:00 GMT`.
pub(crate) fn http_date(written: &str) -> Option<Time> {
    let moment = DateTime::from_str(written, DateTimeFormat::HttpDate).ok()?;
    u64::try_from(moment.to_millis().ok()?).ok().map(Time::from_unix_ms)
}

fn time(moment: &DateTime) -> String {
    Time::from_unix_ms(moment.to_millis().ok().and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0))
        .to_string()
}
