//! Why S3 did not give what was asked for: by whose fault, and what to do next.

use std::fmt;
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use unbroken_evidence::error::{chain, printable};

/// Why a request was not answered as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// Somebody asked this program to end.
    Stopped,
    /// There is no such object, or no such version of it.
    NoObject,
    /// There is no such bucket.
    NoBucket,
    /// What was asked for was never set: no lock, no hold, no tags.
    NotSet,
    /// The bucket has no Object Lock.
    NoLocks,
    /// This server does not know how to answer that.
    NotKnown,
    /// The object is not the one that was asked for any more.
    Replaced,
    /// The bucket is in another region.
    OtherRegion(Option<String>),
    /// The object lies in an archive and must be restored before it can be read.
    Archived(String),
    /// It was encrypted with a key that only its owner has (SSE-C).
    CustomerKey,
    /// The key that encrypts it may not be used (SSE-KMS).
    EncryptionKey(String),
    /// No credentials, or credentials that S3 does not know.
    Credentials(String),
    /// This machine's clock is too far from the server's.
    Clock,
    /// The credentials are good, and may not do this.
    Denied(String),
    /// All bytes arrived, and they are not those that S3 has a checksum of.
    OtherBytes(String),
    /// The server said nothing, or hung up, as often as it was asked.
    NoAnswer(String),
    /// Anything else that the server said.
    Other(String),
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("the run was stopped"),
            Self::NoObject => f.write_str("it is not there"),
            Self::NoBucket => f.write_str("there is no such bucket"),
            Self::NotSet => f.write_str("it is not set"),
            Self::NoLocks => f.write_str("the bucket has no Object Lock"),
            Self::NotKnown => f.write_str("this server does not answer that"),
            Self::Replaced => f.write_str("it was replaced while it was read"),
            Self::OtherRegion(None) => f.write_str("the bucket is in another region"),
            Self::OtherRegion(Some(region)) => {
                write!(f, "the bucket is in another region: {region}")
            }
            Self::Archived(class) => {
                write!(
                    f,
                    "it lies in an archive ({class}) and cannot be read before it is restored"
                )
            }
            Self::CustomerKey => {
                f.write_str("it is encrypted with a key that S3 does not keep (SSE-C)")
            }
            Self::EncryptionKey(said) => {
                write!(f, "the key that encrypts it cannot be used: {said}")
            }
            Self::Credentials(said) => write!(f, "the credentials are not accepted: {said}"),
            Self::Clock => f.write_str("this machine's clock differs too much from the server's"),
            Self::Denied(said) => write!(f, "refused: {said}"),
            Self::OtherBytes(how) => {
                write!(f, "the bytes that arrived are not those that S3 has a checksum of: {how}")
            }
            Self::NoAnswer(why) | Self::Other(why) => f.write_str(why),
        }
    }
}

impl Failure {
    /// What to do next, in one sentence.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Stopped => "the next run goes on from there",
            Self::NoObject => "look in the bucket whether it was deleted or moved",
            Self::NoBucket => "check the bucket's name, the region and the endpoint",
            Self::NotSet | Self::NoLocks | Self::NotKnown => "nothing has to be done",
            Self::Replaced => "the next run reads the new one",
            Self::OtherRegion(_) => "give the bucket's region with --region",
            Self::Archived(_) => {
                "restore it with `aws s3api restore-object`, which costs money, and run this again"
            }
            Self::CustomerKey => {
                "only whoever has that key can read it: have it stored again with SSE-S3 or SSE-KMS"
            }
            Self::EncryptionKey(_) => {
                "the credentials need kms:Decrypt on that key, and the key must be enabled"
            }
            Self::Credentials(_) => "check profile, access key, secret and session token",
            Self::Clock => "set this machine's clock by NTP: S3 accepts 15 minutes",
            Self::Denied(_) => {
                "the credentials need the permission named in docs/s3.md; where the requester pays, give --request-payer"
            }
            Self::OtherBytes(_) => "something between here and S3 changes bytes: look for a proxy",
            Self::NoAnswer(_) | Self::Other(_) => {
                "check the endpoint, the region, the credentials and the network"
            }
        }
    }
}

/// What an error says, as far as decisions are made by it.
#[derive(Debug)]
pub(super) struct Told {
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    /// The server's own wish: how many seconds to wait.
    pub(super) retry_after: Option<u64>,
    region: Option<String>,
    pub(super) kind: Kind,
    whole: String,
}

/// How far the request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It was never sent: settings or credentials are missing.
    NotSent,
    /// No answer in time.
    Silent,
    /// The connection could not be made, or broke.
    Broken,
    /// The server answered, and not as this protocol demands.
    Garbled,
    /// The server answered.
    Answered,
}

impl Told {
    pub(super) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let response = error.raw_response();
        let header = |name: &str| response.and_then(|r| r.headers().get(name)).map(str::to_owned);
        let said = error.as_service_error();
        let text = |text: Option<&str>| text.map(printable);
        let whole = printable(&chain(error));
        let kind = match error {
            SdkError::ConstructionFailure(_) => Kind::NotSent,
            SdkError::TimeoutError(_) => Kind::Silent,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Kind::Silent,
            SdkError::DispatchFailure(failure) if failure.is_user() => Kind::NotSent,
            // Whoever gives credentials and fails is reported in the same way as a line that breaks.
            SdkError::DispatchFailure(_) if whole.contains("redential") => Kind::NotSent,
            SdkError::DispatchFailure(_) => Kind::Broken,
            SdkError::ResponseError(_) => Kind::Garbled,
            _ => Kind::Answered,
        };
        Self {
            status: response.map(|response| response.status().as_u16()),
            code: text(said.and_then(ProvideErrorMetadata::code)),
            message: text(said.and_then(ProvideErrorMetadata::message)),
            retry_after: header("retry-after").and_then(|seconds| seconds.trim().parse().ok()),
            region: header("x-amz-bucket-region").map(|region| printable(&region)),
            kind,
            whole,
        }
    }

    /// Of an answer that was not there in full after so long.
    pub(super) fn unfinished(after: Duration) -> Self {
        Self {
            status: None,
            code: None,
            message: None,
            retry_after: None,
            region: None,
            kind: Kind::Silent,
            whole: format!("the answer was not there in full after {} s", after.as_secs()),
        }
    }

    /// The server asks for fewer requests.
    pub(super) fn asks_for_patience(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        matches!(self.status, Some(429 | 503))
            || matches!(
                code,
                "SlowDown" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded"
            )
    }

    /// The same request may be answered another time.
    pub(super) fn may_pass(&self) -> bool {
        let by_code = matches!(self.code.as_deref(), Some("RequestTimeout" | "InternalError"));
        match self.kind {
            Kind::NotSent => false,
            Kind::Silent | Kind::Broken => true,
            // A redirect has no body that could be parsed.
            Kind::Garbled => !matches!(self.status, Some(300..=499)),
            Kind::Answered => by_code || matches!(self.status, Some(500 | 502..=599)),
        }
    }

    /// What it comes to, once it is not tried again.
    pub(super) fn failure(&self) -> Failure {
        let code = self.code.as_deref().unwrap_or_default();
        let message = self.message.as_deref().unwrap_or_default();
        let said = || match (code, message) {
            ("", "") => self.whole.clone(),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}: {message}"),
        };
        let of_a_key = code.starts_with("KMS.") || message.contains("kms:");
        match (code, self.status) {
            ("NoSuchBucket", _) => Failure::NoBucket,
            ("NoSuchKey" | "NoSuchVersion", _) => Failure::NoObject,
            ("NoSuchObjectLockConfiguration" | "NoSuchTagSet", _) => Failure::NotSet,
            ("ObjectLockConfigurationNotFoundError", _) => Failure::NoLocks,
            ("InvalidRequest", _) if message.to_ascii_lowercase().contains("object lock") => {
                Failure::NoLocks
            }
            // A key service that is asked too often.
            ("KMS.ThrottlingException" | "KMS.InternalException", _) => Failure::Other(said()),
            (
                "PermanentRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException",
                _,
            )
            | (_, Some(301)) => Failure::OtherRegion(self.region.clone()),
            ("PreconditionFailed", _) | (_, Some(412)) => Failure::Replaced,
            ("InvalidObjectState", _) => Failure::Archived(said()),
            ("RequestTimeTooSkewed", _) => Failure::Clock,
            (
                "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "ExpiredToken"
                | "InvalidToken"
                | "TokenRefreshRequired"
                | "InvalidClientTokenId",
                _,
            ) => Failure::Credentials(said()),
            _ if of_a_key => Failure::EncryptionKey(said()),
            ("InvalidRequest", Some(400)) if message.contains("Server Side Encryption") => {
                Failure::CustomerKey
            }
            ("NotImplemented" | "MethodNotAllowed", _) | (_, Some(405 | 501)) => Failure::NotKnown,
            (_, Some(403)) => {
                Failure::Denied(if code.is_empty() { "403".to_owned() } else { said() })
            }
            (_, Some(404)) => Failure::NoObject,
            _ if self.kind == Kind::NotSent && self.whole.contains("redential") => {
                Failure::Credentials(self.whole.clone())
            }
            _ if matches!(self.kind, Kind::Silent | Kind::Broken) => {
                Failure::NoAnswer(self.whole.clone())
            }
            _ if code.is_empty() => Failure::Other(self.whole.clone()),
            _ => Failure::Other(said()),
        }
    }
}
