//! The bytes of one object, in order, whatever breaks on the way: a body that ends early is taken up where
//! it ended, of the same object and no other.

use std::time::Instant;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use unbroken_evidence::error::{chain, printable};

use super::S3;
use super::failure::Failure;

/// How often in a row a body may break without having brought a byte...
const BROKEN_MAX: u32 = 6;
/// ...or bring nothing for as long as the server may be silent.
const SILENT_MAX: u32 = 3;

/// The object to be read.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// This version of it; empty: the newest.
    pub version: String,
    /// Only while it has this ETag; empty: whatever it has.
    pub etag: String,
}

/// An object that is being read.
#[derive(Debug)]
pub struct Download {
    s3: S3,
    wanted: Wanted,
    /// What the first answer said of the object, and the body that is read now.
    answer: GetObjectOutput,
    size: Option<u64>,
    /// Bytes given out.
    at: u64,
    /// Bytes of this body to pass over: a server that knows no ranges begins anew.
    passing_over: u64,
    /// Bodies in a row that brought nothing and broke, and that brought nothing and were waited for.
    broken: u32,
    silent: u32,
    /// It was taken up again at least once.
    resumed: bool,
}

impl Download {
    /// Asks for the object; its bytes are still to come.
    ///
    /// # Errors
    /// Why it is not given.
    pub async fn open(s3: &S3, mut wanted: Wanted) -> Result<Self, Failure> {
        let answer = get(s3, &wanted, 0).await?;
        let etag = answer.e_tag().unwrap_or_default();
        if !wanted.etag.is_empty() && wanted.etag != etag {
            // A server that knows no conditions.
            return Err(Failure::Replaced);
        }
        wanted.etag = etag.to_owned();
        wanted.version = answer.version_id().unwrap_or(&wanted.version).to_owned();
        let size = answer.content_length().and_then(|length| u64::try_from(length).ok());
        let s3 = s3.clone();
        Ok(Self {
            s3,
            wanted,
            answer,
            size,
            at: 0,
            passing_over: 0,
            broken: 0,
            silent: 0,
            resumed: false,
        })
    }

    /// What the server said of the object.
    #[must_use]
    pub const fn answer(&self) -> &GetObjectOutput {
        &self.answer
    }

    /// The number of its bytes, where the server said it.
    #[must_use]
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// Whether all of it came in one body, as the SDK needs it to compare a checksum of the whole.
    #[must_use]
    pub const fn in_one_body(&self) -> bool {
        !self.resumed
    }

    /// The next bytes; `None` after the last.
    ///
    /// # Errors
    /// Why there are no more: it was tried again.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        loop {
            let why = match self.next().await? {
                Ok(Some(bytes)) => match self.take(bytes)? {
                    bytes if bytes.is_empty() => continue,
                    bytes => {
                        self.slow_down(bytes.len()).await?;
                        return Ok(Some(bytes));
                    }
                },
                Ok(None) if self.size.is_none_or(|size| self.at == size) => {
                    self.s3.patience.shared.served();
                    return Ok(None);
                }
                Ok(None) => {
                    self.broken += 1;
                    format!("{} of {} bytes arrived", self.at, self.size.unwrap_or(0))
                }
                // All of it arrived, and what stands behind it is not to our taste: a checksum.
                Err(why) if self.size == Some(self.at) && self.passing_over == 0 => {
                    return Err(Failure::OtherBytes(why));
                }
                Err(why) => why,
            };
            self.take_up_again(why).await?;
        }
    }

    /// The next bytes of this body, or why there are none; the outer error ends everything.
    async fn next(&mut self) -> Result<Result<Option<Vec<u8>>, String>, Failure> {
        let silence = self.s3.silence;
        let piece = tokio::time::timeout(silence, self.answer.body.next());
        Ok(match self.s3.patience.unless_stopped(piece).await? {
            Err(_) => {
                self.silent += 1;
                Err(format!("the server has sent nothing for {} s", silence.as_secs()))
            }
            Ok(None) => Ok(None),
            Ok(Some(Ok(bytes))) => Ok(Some(bytes.to_vec())),
            Ok(Some(Err(error))) => {
                self.broken += 1;
                Err(printable(&chain(&error)))
            }
        })
    }

    /// Waits until so many bytes more may have come.
    async fn slow_down(&self, bytes: usize) -> Result<(), Failure> {
        let Some(bandwidth) = &self.s3.bandwidth else { return Ok(()) };
        let wait = bandwidth.wait(bytes, Instant::now());
        self.s3.patience.unless_stopped(tokio::time::sleep(wait)).await
    }

    /// Takes a piece in; gives what of it is new.
    fn take(&mut self, mut bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let known = usize::try_from(self.passing_over).unwrap_or(usize::MAX).min(bytes.len());
        bytes.drain(..known);
        self.passing_over -= known as u64;
        self.at += bytes.len() as u64;
        if !bytes.is_empty() {
            (self.broken, self.silent) = (0, 0);
        }
        match self.size {
            Some(size) if self.at > size => Err(Failure::Other(format!(
                "more than the {size} bytes that it should have arrived"
            ))),
            _ => Ok(bytes),
        }
    }

    async fn take_up_again(&mut self, why: String) -> Result<(), Failure> {
        let is_hopeless = self.broken >= BROKEN_MAX || self.silent >= SILENT_MAX;
        if is_hopeless || self.wanted.etag.is_empty() {
            self.s3.patience.shared.not_served();
            return Err(Failure::NoAnswer(why));
        }
        self.s3.patience.pause(self.broken + self.silent).await?;
        let answer = get(&self.s3, &self.wanted, self.at).await?;
        if answer.e_tag() != Some(&self.wanted.etag) {
            return Err(Failure::Replaced);
        }
        let range = answer.content_range().unwrap_or_default();
        self.passing_over = if range.is_empty() { self.at } else { 0 };
        if !range.is_empty() && !range.starts_with(&format!("bytes {}-", self.at)) {
            let range = printable(range);
            return Err(Failure::Other(format!("asked for bytes from {}, given {range}", self.at)));
        }
        self.answer.body = answer.body;
        self.resumed = true;
        Ok(())
    }
}

async fn get(s3: &S3, wanted: &Wanted, from: u64) -> Result<GetObjectOutput, Failure> {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    s3.patience
        .insist(|| {
            s3.client
                .get_object()
                .bucket(&wanted.bucket)
                .key(&wanted.key)
                .set_version_id(given(&wanted.version))
                .set_if_match(given(&wanted.etag))
                .set_range((from > 0).then(|| format!("bytes={from}-")))
                .set_request_payer(s3.request_payer.clone())
                .send()
        })
        .await
}
