//! Limits on answers before they are read: the SDK holds whole answers in memory, and a server that never
//! ends one would take all there is.

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use http_body_util::Limited;

/// The longest error document.
const REFUSAL_BYTES_MAX: usize = 1 << 20;
/// The longest other document: a page of a thousand keys of 1,024 bytes, each byte escaped.
const DOCUMENT_BYTES_MAX: usize = 16 << 20;

/// Bounds every answer that is no success.
#[derive(Debug)]
pub(super) struct Refusals;

impl Intercept for Refusals {
    fn name(&self) -> &'static str {
        "Refusals"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !context.response().status().is_success() {
            bound(context.response_mut().body_mut(), REFUSAL_BYTES_MAX);
        }
        Ok(())
    }
}

/// Bounds the answer to one request, for documents: listings, tags.
#[derive(Debug)]
pub struct Bounded;

impl Intercept for Bounded {
    fn name(&self) -> &'static str {
        "Bounded"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bound(context.response_mut().body_mut(), DOCUMENT_BYTES_MAX);
        Ok(())
    }
}

fn bound(body: &mut SdkBody, bytes_max: usize) {
    let whole = std::mem::replace(body, SdkBody::taken());
    *body = SdkBody::from_body_1_x(Limited::new(whole, bytes_max));
}
