//! The listing of a bucket, page by page. A server may break the rules of listing, and then it must not seal
//! an object twice, tear a recording from its sidecar, or pass for complete: each page is held against the
//! one before it, and is given out when the next one is known to follow it.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{EncodingType, Object, OptionalObjectAttributes, RestoreStatus};
use unbroken_container::s3::{Bounded, Failure, decoded};
use unbroken_evidence::error::printable_bytes;

use super::{S3Source, time};
use crate::error::{ObjectError, SourceError};
use crate::source::{Listed, Next};

/// How often in a row a page may bring nothing new.
pub(super) const FRUITLESS_MAX: u32 = 20;

/// Where the next page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum From {
    #[default]
    Beginning,
    /// Where this token of the server says.
    Token(String),
    /// Behind this key: the server gave no token that leads on.
    Behind(Vec<u8>),
}

/// A listing on its way.
#[derive(Default)]
struct Walk {
    /// The page that waits for the next one.
    held: Vec<Listed>,
    /// The last key that was listed.
    last: Option<Vec<u8>>,
    from: From,
    fruitless: u32,
    /// The last page was one that was known already.
    repeated: bool,
}

pub(super) fn list(
    source: &S3Source,
    each: &mut dyn FnMut(Listed) -> Next,
) -> Result<(), SourceError> {
    let mut walk = Walk::default();
    loop {
        let answer = match page(source, &walk.from) {
            // Whoever stopped it knows.
            Err(Failure::Stopped) => return Ok(()),
            answer => answer.map_err(|failure| source.list_error(&failure))?,
        };
        let objects: Vec<Listed> = answer.contents().iter().map(|o| listed(o, &answer)).collect();
        let ready = walk.take(objects, source)?;
        for listed in ready {
            if each(listed) == Next::Stop {
                return Ok(());
            }
        }
        let Some(from) = walk.next(&answer, source)? else { break };
        walk.from = from;
    }
    for listed in std::mem::take(&mut walk.held) {
        if each(listed) == Next::Stop {
            return Ok(());
        }
    }
    Ok(())
}

pub(super) fn page(source: &S3Source, from: &From) -> Result<ListObjectsV2Output, Failure> {
    let s3 = &source.connection.s3;
    let (token, behind) = match from {
        From::Beginning => (None, None),
        From::Token(token) => (Some(token.clone()), None),
        From::Behind(key) => (None, Some(String::from_utf8_lossy(key).into_owned())),
    };
    source.connection.runtime.block_on(s3.insist(|| {
        s3.client
            .list_objects_v2()
            .bucket(&source.bucket)
            .prefix(&source.prefix)
            // Keys may hold what XML cannot.
            .encoding_type(EncodingType::Url)
            .optional_object_attributes(OptionalObjectAttributes::RestoreStatus)
            .set_continuation_token(token.clone())
            .set_start_after(behind.clone())
            .set_request_payer(s3.request_payer.clone())
            .customize()
            .interceptor(Bounded)
            .send()
    }))
}

impl Walk {
    /// Takes a page in; gives the page before it, which is known to be in order now.
    fn take(&mut self, page: Vec<Listed>, source: &S3Source) -> Result<Vec<Listed>, SourceError> {
        if page.is_empty() || page == self.held {
            self.fruitless += 1;
            self.repeated = !page.is_empty();
            if self.fruitless > FRUITLESS_MAX {
                let why = "the server lists nothing new, and says that more follows";
                return Err(source.error(why, LIES));
            }
            return Ok(Vec::new());
        }
        (self.fruitless, self.repeated) = (0, false);
        for listed in &page {
            if !listed.key.starts_with(source.prefix.as_bytes()) {
                let key = printable_bytes(&listed.key);
                let why = format!("the server lists what was not asked for: {key}");
                return Err(source.error(&why, LIES));
            }
            if self.last.as_ref().is_some_and(|last| *last >= listed.key) {
                let last = printable_bytes(self.last.as_deref().unwrap_or_default());
                let key = printable_bytes(&listed.key);
                let why = format!(
                    "the server lists {key} behind {last}: what belongs together cannot be told"
                );
                return Err(source.error(&why, LIES));
            }
            self.last = Some(listed.key.clone());
        }
        Ok(std::mem::replace(&mut self.held, page))
    }

    /// Where the next page begins; `None` where this was the last.
    fn next(
        &self,
        answer: &ListObjectsV2Output,
        source: &S3Source,
    ) -> Result<Option<From>, SourceError> {
        let token = answer.next_continuation_token().filter(|token| !token.is_empty());
        if !answer.is_truncated().unwrap_or_else(|| token.is_some()) {
            return Ok(None);
        }
        let token = token.map(|token| From::Token(token.to_owned()));
        // A token that leads here again leads nowhere.
        if let Some(token) = token.filter(|token| *token != self.from && !self.repeated) {
            return Ok(Some(token));
        }
        match (&self.last, answer.next_continuation_token()) {
            (Some(last), _) => Ok(Some(From::Behind(last.clone()))),
            (None, Some(token)) => Ok(Some(From::Token(token.to_owned()))),
            (None, None) => {
                Err(source
                    .error("the server says that more follows, and gives no way to go on", LIES))
            }
        }
    }
}

/// What to do about a server that breaks the rules of listing.
pub(super) const LIES: &str = "this is no listing as S3 defines it: run it again, and if it stays, report it to whoever runs the server";

pub(super) fn listed(object: &Object, page: &ListObjectsV2Output) -> Listed {
    let is_encoded = page.encoding_type() == Some(&EncodingType::Url);
    let key = object.key().unwrap_or_default().as_bytes();
    let key = if is_encoded { decoded(key) } else { key.to_vec() };
    let etag = object.e_tag().unwrap_or_default().to_owned();
    let size = u64::try_from(object.size().unwrap_or(0)).unwrap_or(0);
    let modified = object.last_modified().map(time).unwrap_or_default();
    let stamp = format!("{size}\n{etag}\n{modified}").into_bytes();
    // A key that ends in a slash is a marker that consoles make for a folder.
    let marker = key.ends_with(b"/") && size == 0;
    let not_readable =
        marker.then_some(ObjectError::Irregular("a folder marker")).or_else(|| archived(object));
    Listed { key, version: String::new(), etag, size, modified, stamp, not_readable }
}

/// An object in an archive, of which there is no restored copy now: reading it would fail, and restoring it
/// costs money.
fn archived(object: &Object) -> Option<ObjectError> {
    in_archive(object.storage_class()?.as_str(), object.restore_status())
}

/// The same, of a storage class and what is restored of it.
pub(super) fn in_archive(class: &str, restored: Option<&RestoreStatus>) -> Option<ObjectError> {
    let is_restored = restored.is_some_and(|status| status.restore_expiry_date().is_some());
    let is_archive = matches!(class, "GLACIER" | "DEEP_ARCHIVE") && !is_restored;
    is_archive.then(|| ObjectError::NotGiven(Failure::Archived(class.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_as_they_were_before_they_were_encoded() {
        for (encoded, key) in [
            ("plain/a.wav", "plain/a.wav"),
            ("two+words%2B%20%C3%9C.wav", "two words+ \u{dc}.wav"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("a%0Ab", "a\nb"),
        ] {
            assert_eq!(decoded(encoded.as_bytes()), key.as_bytes(), "{encoded}");
        }
    }
}
