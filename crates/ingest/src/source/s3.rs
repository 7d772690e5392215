//! A bucket, or a part of one, as a source. Only reads: `s3:ListBucket` and `s3:GetObject`.

use std::fmt;
use std::sync::Arc;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use tokio::runtime::Runtime;
use unbroken_container::s3::{S3, S3Settings};
use unbroken_evidence::error::chain;
use unbroken_evidence::time::Time;

use super::{Attribute, Listed, Next, ObjectReader, Source};
use crate::error::{ObjectError, SourceError};

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
}

impl fmt::Debug for S3Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Connection({})", self.store)
    }
}

impl S3Connection {
    /// Reads the configuration; nothing is sent yet.
    ///
    /// # Errors
    /// `S3` when the system gives no threads or sockets.
    pub fn new(settings: &S3Settings) -> Result<Self, SourceError> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| SourceError::S3 {
            location: "s3".to_owned(),
            why: error.to_string(),
            hint: "check the limits of this process",
        })?;
        let s3 = runtime.block_on(S3::new(settings));
        let store = s3.endpoint.as_deref().unwrap_or(AWS).trim_end_matches('/').to_owned();
        Ok(Self { runtime: Arc::new(runtime), s3, store })
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

    /// Opens one object, for packing it or for looking at it again.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn open(&self, bucket: &str, key: &str, version: &str) -> Result<S3Reader, ObjectError> {
        let mut request = self.s3.client.get_object().bucket(bucket).key(key);
        if !version.is_empty() {
            request = request.version_id(version);
        }
        let output =
            self.runtime.block_on(request.send()).map_err(|error| object_error(&error, bucket))?;
        Ok(S3Reader::new(self.clone(), output))
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
}

impl S3Source {
    /// The source `s3://bucket/prefix`; the prefix may be empty.
    #[must_use]
    pub fn new(connection: S3Connection, bucket: &str, prefix: &str) -> Self {
        let name = format!("s3://{bucket}");
        // Keys are whole, so another prefix of the same bucket is no other place; a bucket of the
        // same name on another server is.
        let location = location(bucket, &connection.store);
        Self { connection, name, location, bucket: bucket.to_owned(), prefix: prefix.to_owned() }
    }

    fn list_error<E>(&self, error: &SdkError<E>) -> SourceError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let (why, hint) = match (code, status) {
            (Some("NoSuchBucket"), _) | (_, Some(404)) => (
                "there is no such bucket".to_owned(),
                "check the bucket's name, the region and the endpoint",
            ),
            (Some("PermanentRedirect" | "AuthorizationHeaderMalformed"), _) | (_, Some(301)) => {
                ("the bucket is in another region".to_owned(), "give its region with --region")
            }
            (Some(code), Some(403)) => (
                format!("listing is refused ({code})"),
                "the credentials need s3:ListBucket on this bucket, and s3:GetObject on its objects",
            ),
            (None, Some(403)) => (
                "listing is refused".to_owned(),
                "the credentials need s3:ListBucket on this bucket, and s3:GetObject on its objects",
            ),
            _ => (chain(error), "check the endpoint, the region, the credentials and the network"),
        };
        SourceError::S3 { location: self.shown(), why, hint }
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
        let request =
            self.connection.s3.client.list_objects_v2().bucket(&self.bucket).prefix(&self.prefix);
        let mut pages = request.into_paginator().send();
        let mut count = 0_u64;
        while let Some(page) = self.connection.runtime.block_on(pages.next()) {
            let page = page.map_err(|error| self.list_error(&error))?;
            for object in page.contents() {
                count += 1;
                if each(listed(object)) == Next::Stop {
                    return Ok(());
                }
            }
        }
        if count > 0 {
            return Ok(());
        }
        Err(SourceError::S3 {
            location: self.shown(),
            why: "there is no object".to_owned(),
            hint: "check the prefix; it is compared letter by letter",
        })
    }

    fn open<'a>(&'a self, listed: &Listed) -> Result<Box<dyn ObjectReader + 'a>, ObjectError> {
        let key = std::str::from_utf8(&listed.key)
            .map_err(|_| ObjectError::Irregular("a key that is not Unicode"))?;
        let reader = self.connection.open(&self.bucket, key, "")?;
        if reader.etag != listed.etag || reader.left != Some(listed.size) {
            return Err(ObjectError::Changed);
        }
        Ok(Box::new(reader))
    }
}

fn listed(object: &aws_sdk_s3::types::Object) -> Listed {
    let key = object.key().unwrap_or_default().as_bytes().to_vec();
    let etag = object.e_tag().unwrap_or_default().to_owned();
    let size = u64::try_from(object.size().unwrap_or(0)).unwrap_or(0);
    let modified = object.last_modified().map(time).unwrap_or_default();
    let stamp = format!("{size}\n{etag}\n{modified}").into_bytes();
    // A key that ends in a slash is a marker that consoles make for a folder.
    let marker = key.ends_with(b"/") && size == 0;
    let irregular = marker.then_some("a folder marker");
    Listed { key, version: String::new(), etag, size, modified, stamp, irregular }
}

fn time(moment: &DateTime) -> String {
    Time::from_unix_ms(moment.to_millis().ok().and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0))
        .to_string()
}

/// The bytes of one object as they arrive.
pub struct S3Reader {
    connection: S3Connection,
    body: ByteStream,
    /// The piece that arrived last, and how much of it was given out.
    piece: Vec<u8>,
    at: usize,
    etag: String,
    /// Bytes that are still to come, where the server said how many there are.
    left: Option<u64>,
    attributes: Vec<Attribute>,
}

impl S3Reader {
    fn new(connection: S3Connection, output: GetObjectOutput) -> Self {
        let attributes = attributes(&output);
        let etag = output.e_tag().unwrap_or_default().to_owned();
        let left = output.content_length().and_then(|length| u64::try_from(length).ok());
        Self { connection, body: output.body, piece: Vec::new(), at: 0, etag, left, attributes }
    }
}

/// What the answer says of an object: headers, user metadata, version, lock.
fn attributes(output: &GetObjectOutput) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    let mut put = |source: &'static str, name: &str, value: Option<String>| {
        attributes.extend(value.map(|value| Attribute { source, name: name.to_owned(), value }));
    };
    put("object", "version", output.version_id().map(str::to_owned));
    put("s3-header", "content-type", output.content_type().map(str::to_owned));
    put("s3-header", "content-encoding", output.content_encoding().map(str::to_owned));
    put("s3-header", "x-amz-storage-class", output.storage_class().map(|v| v.as_str().to_owned()));
    let encryption = output.server_side_encryption().map(|v| v.as_str().to_owned());
    put("s3-header", "x-amz-server-side-encryption", encryption);
    let hold = output.object_lock_legal_hold_status().map(|v| v.as_str().to_owned());
    put("object-lock", "legal-hold", hold);
    put("object-lock", "mode", output.object_lock_mode().map(|v| v.as_str().to_owned()));
    put("object-lock", "retain-until", output.object_lock_retain_until_date().map(time));
    let mut metadata: Vec<_> = output.metadata().into_iter().flatten().collect();
    metadata.sort();
    for (name, value) in metadata {
        put("s3-header", &format!("x-amz-meta-{}", name.to_lowercase()), Some(value.clone()));
    }
    attributes
}

impl ObjectReader for S3Reader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ObjectError> {
        while self.at == self.piece.len() {
            let S3Connection { runtime, s3, .. } = &self.connection;
            match runtime.block_on(s3.piece(&mut self.body)).map_err(ObjectError::Broken)? {
                None => return Ok(0),
                Some(piece) => (self.piece, self.at) = (piece, 0),
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(count as u64).ok_or(ObjectError::Changed)?;
        }
        Ok(count)
    }

    fn finish(&mut self) -> Result<Vec<Attribute>, ObjectError> {
        match self.left {
            Some(0) | None => Ok(std::mem::take(&mut self.attributes)),
            Some(left) => Err(ObjectError::Broken(format!("{left} bytes did not arrive"))),
        }
    }
}

impl std::io::Read for S3Reader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = ObjectReader::read(self, buffer).map_err(std::io::Error::other)?;
        if count == 0 {
            self.finish().map_err(std::io::Error::other)?;
        }
        Ok(count)
    }
}

fn object_error<E>(error: &SdkError<E>, bucket: &str) -> ObjectError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    let status = error.raw_response().map(|response| response.status().as_u16());
    match (code, status) {
        (Some("NoSuchKey" | "NoSuchVersion"), _) | (_, Some(404)) => ObjectError::Vanished,
        (_, Some(403)) => ObjectError::Denied(format!(
            "the credentials need s3:GetObject, and s3:GetObjectVersion where there are versions, in {bucket}"
        )),
        _ => ObjectError::Broken(chain(error)),
    }
}
