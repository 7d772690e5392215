//! Every object below a prefix, each by itself. A listing that does not follow its own rules is no listing.

use std::sync::Arc;

use aws_sdk_s3::types::EncodingType;
use unbroken_evidence::error::printable;
use unbroken_evidence::objects::Object;

use super::{Bounded, Failure, S3, S3Settings, decoded, hashed};

/// Objects that are looked for at once.
const OBJECTS_MAX: usize = 100_000;

/// What was fetched below a prefix: an object, or one sentence why it cannot be had.
pub type Fetched = Vec<Result<Object, String>>;

/// Fetches every object below `s3://bucket/prefix/`; a folder marker is none.
///
/// # Errors
/// One sentence: why the prefix cannot be listed.
pub fn fetch_below(name: &str, settings: &S3Settings) -> Result<Fetched, String> {
    let place = name.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    let Some((bucket, prefix)) = place.filter(|(bucket, _)| !bucket.is_empty()) else {
        return Err(format!("{name}: expected s3://bucket/prefix/"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let s3 = S3::new(settings, Arc::default()).await;
        let keys = keys(&s3, bucket, prefix).await.map_err(|why| format!("{name}: {why}"))?;
        let mut fetched = Vec::with_capacity(keys.len());
        for key in keys {
            let shown = format!("s3://{bucket}/{key}");
            let object = hashed(&s3, bucket, &key, &shown).await;
            fetched.push(object.map_err(|failure| format!("{shown}: {failure}")));
        }
        Ok(fetched)
    })
}

/// The keys below a prefix, ascending.
async fn keys(s3: &S3, bucket: &str, prefix: &str) -> Result<Vec<String>, String> {
    let mut keys: Vec<String> = Vec::new();
    let mut last: Option<Vec<u8>> = None;
    let mut token: Option<String> = None;
    loop {
        let page = s3.insist(|| {
            s3.client
                .list_objects_v2()
                .bucket(bucket)
                .prefix(prefix)
                // Keys may hold what XML cannot.
                .encoding_type(EncodingType::Url)
                .set_continuation_token(token.clone())
                .set_request_payer(s3.request_payer.clone())
                .customize()
                .interceptor(Bounded)
                .send()
        });
        let page = page.await.map_err(|failure: Failure| failure.to_string())?;
        let is_encoded = page.encoding_type() == Some(&EncodingType::Url);
        let before = last.clone();
        for object in page.contents() {
            let key = object.key().unwrap_or_default().as_bytes();
            let key = if is_encoded { decoded(key) } else { key.to_vec() };
            let follows = last.as_ref().is_none_or(|last| *last < key);
            if !follows || !key.starts_with(prefix.as_bytes()) {
                return Err(
                    "the server's listing is not in order: nothing is known of the rest".into()
                );
            }
            last = Some(key.clone());
            let key = String::from_utf8(key).map_err(|error| {
                let key = printable(&String::from_utf8_lossy(error.as_bytes()));
                format!("the key {key} is no UTF-8, and cannot be asked for")
            })?;
            if !key.ends_with('/') {
                keys.push(key);
            }
        }
        if keys.len() > OBJECTS_MAX {
            return Err(format!("more than {OBJECTS_MAX} objects: give a longer prefix"));
        }
        let next = page.next_continuation_token().filter(|next| !next.is_empty());
        if !page.is_truncated().unwrap_or_else(|| next.is_some()) {
            return Ok(keys);
        }
        match next {
            Some(next) if last != before => token = Some(next.to_owned()),
            _ => return Err("the server says that more follows, and does not list it".into()),
        }
    }
}
