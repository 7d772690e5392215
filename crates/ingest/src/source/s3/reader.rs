//! The bytes of one object as they arrive, held against what S3 itself says of them.

use std::io;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::ChecksumType;
use md5::{Digest as _, Md5};
use unbroken_container::s3::{Download, Failure};
use unbroken_evidence::content::Digests;
use unbroken_evidence::hash::Hash;

use super::{S3Connection, said};
use crate::error::ObjectError;
use crate::source::{Attribute, ObjectReader};

/// The bytes of one object as they arrive.
pub struct S3Reader {
    connection: S3Connection,
    download: Download,
    /// The piece that arrived last, and how much of it was given out.
    piece: Vec<u8>,
    at: usize,
    /// Where the ETag is the MD5 of the bytes, theirs so far.
    md5: Option<Md5>,
}

impl S3Reader {
    pub(super) fn new(connection: S3Connection, download: Download) -> Self {
        let compared = compared_with(download.answer(), connection.etags_are_md5);
        let md5 = (compared == Some(BY_ETAG)).then(Md5::new);
        Self { connection, download, piece: Vec::new(), at: 0, md5 }
    }

    pub(super) const fn download(&self) -> &Download {
        &self.download
    }

    /// What was compared; an error where it differs.
    fn compare(&mut self, digests: Option<&Digests>) -> Result<&'static str, Failure> {
        let answer = self.download.answer();
        if let Some(md5) = self.md5.take() {
            let found = hex(&md5.finalize());
            let expected = etag_md5(answer).unwrap_or_default();
            if found != expected {
                let what = format!("MD5 (ETag) {expected} expected, {found} found");
                return Err(Failure::OtherBytes(what));
            }
            return Ok(BY_ETAG);
        }
        let Some((name, expected)) = checksum_of_the_whole(answer) else { return Ok("nothing") };
        if let Some(digests) = digests.filter(|_| name == "sha256") {
            let found = base64(digests.sha256.as_bytes());
            if found != expected {
                let what = format!("SHA-256 {expected} expected, {found} found");
                return Err(Failure::OtherBytes(what));
            }
            return Ok(name);
        }
        // The SDK compares it, where the body came in one piece.
        Ok(if self.download.in_one_body() { name } else { "nothing" })
    }
}

const BY_ETAG: &str = "etag (md5)";

/// Checksums that the SDK, or this program, compares.
const COMPARABLE: [&str; 5] = ["sha256", "crc64nvme", "crc32c", "crc32", "sha1"];

/// What of S3's own the bytes can be compared with.
pub(super) fn compared_with(answer: &GetObjectOutput, etags_are_md5: bool) -> Option<&'static str> {
    let by_etag = || (etags_are_md5 && etag_md5(answer).is_some()).then_some(BY_ETAG);
    checksum_of_the_whole(answer).map(|(name, _)| name).or_else(by_etag)
}

/// The MD5 that an ETag is, where it is one: of an object stored in one part, not encrypted with a key of KMS
/// or of the customer.
fn etag_md5(answer: &GetObjectOutput) -> Option<String> {
    let etag = answer.e_tag()?.trim_matches('"');
    let is_hex = etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    let by_s3 = answer.server_side_encryption().is_none_or(|how| how.as_str() == "AES256");
    let plain = by_s3 && answer.sse_customer_algorithm().is_none();
    (is_hex && plain).then(|| etag.to_ascii_lowercase())
}

/// The checksum that S3 keeps over the whole object, where it keeps one: its name, and its base64.
fn checksum_of_the_whole(answer: &GetObjectOutput) -> Option<(&'static str, &str)> {
    let (name, value) = said::checksums(answer).find(|(name, _)| COMPARABLE.contains(name))?;
    let of_parts = answer.checksum_type() == Some(&ChecksumType::Composite) || value.contains('-');
    (!of_parts).then_some((name, value))
}

/// Whether the answer to HEAD says that S3 keeps this SHA-256 over the whole object.
pub(super) fn keeps(answer: &HeadObjectOutput, sha256: &Hash) -> bool {
    let of_parts = answer.checksum_type() == Some(&ChecksumType::Composite);
    !of_parts && answer.checksum_sha256() == Some(base64(sha256.as_bytes()).as_str())
}

impl ObjectReader for S3Reader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ObjectError> {
        while self.at == self.piece.len() {
            match self.connection.runtime.block_on(self.download.piece())? {
                None => return Ok(0),
                Some(piece) => (self.piece, self.at) = (piece, 0),
            }
            if let Some(md5) = &mut self.md5 {
                md5.update(&self.piece);
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }

    fn finish(&mut self, digests: &Digests) -> Result<Vec<Attribute>, ObjectError> {
        let compared = self.compare(Some(digests))?;
        let mut attributes = said::attributes(self.download.answer());
        attributes.push(Attribute {
            source: "observed",
            name: "compared".to_owned(),
            value: compared.to_owned(),
        });
        Ok(attributes)
    }
}

impl io::Read for S3Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = ObjectReader::read(self, buffer).map_err(io::Error::other)?;
        if count == 0 && !buffer.is_empty() {
            self.compare(None).map_err(io::Error::other)?;
        }
        Ok(count)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
