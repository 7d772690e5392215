//! S3 for both programs: how a server is reached, how patient this program is with it, and the bytes of one
//! object. The only place of this crate that can reach a network, and only with the cargo feature `s3`.

mod bandwidth;
mod bounded;
mod download;
mod failure;
mod patience;
mod prefix;

use std::future::Future;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Region, StalledStreamProtectionConfig};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::RequestPayer;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use unbroken_evidence::content::ContentHasher;
use unbroken_evidence::objects::Object;

use self::bandwidth::Bandwidth;
pub use self::bounded::Bounded;
pub use self::download::{Download, Wanted};
pub use self::failure::Failure;
use self::patience::Patience;
pub use self::patience::Pauses;
pub use self::prefix::{Fetched, fetch_below};

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How a bucket is reached, named as the aws tool names it; what is `None` comes from the SDK's
/// usual chain.
#[derive(Clone, Debug)]
pub struct S3Settings {
    /// A profile of the configuration files.
    pub profile: Option<String>,
    /// The bucket's region.
    pub region: Option<String>,
    /// Another server than AWS.
    pub endpoint_url: Option<String>,
    /// Requests are not signed.
    pub no_sign_request: bool,
    /// Whether the ETag of an object stored in one part is the MD5 of its bytes, as S3 defines it.
    pub etags_are_md5: bool,
    /// The requester pays, where the bucket asks for that.
    pub request_payer: bool,
    /// How long a server may send nothing at all.
    pub silence: Duration,
    /// How long this program waits before it asks again.
    pub pauses: Pauses,
    /// At most so many bytes of objects a second.
    pub bytes_per_second: Option<NonZeroU64>,
}

/// An S3 server as the settings name it.
#[derive(Clone, Debug)]
pub struct S3 {
    /// Makes the requests; [`S3::insist`] sends them.
    pub client: Client,
    /// The server's address, where it is not AWS.
    pub endpoint: Option<String>,
    /// Who pays, where it is not the bucket's owner.
    pub request_payer: Option<RequestPayer>,
    silence: Duration,
    patience: Patience,
    bandwidth: Option<Arc<Bandwidth>>,
}

impl S3 {
    /// Reads the configuration; nothing is sent to the server yet. Once `stop` is set, nothing is waited for.
    pub async fn new(settings: &S3Settings, stop: Arc<AtomicBool>) -> Self {
        let config = load(settings).await;
        let endpoint = endpoint(&config);
        let mut builder = aws_sdk_s3::config::Builder::from(&config);
        // Servers other than AWS seldom have a name for each bucket.
        builder.set_force_path_style(Some(endpoint.is_some()));
        // How long a body may be silent is `silence`, and nobody else's grace.
        let builder = builder.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let client = Client::from_conf(builder.interceptor(bounded::Refusals).build());
        let request_payer = settings.request_payer.then_some(RequestPayer::Requester);
        let patience = Patience {
            pauses: settings.pauses,
            // Before the first byte it may be silent for so long, and as long again after it.
            whole_answer: settings.silence * 2,
            stop,
            shared: Arc::default(),
        };
        let bandwidth = settings.bytes_per_second.map(|rate| Arc::new(Bandwidth::new(rate)));
        Self { client, endpoint, request_payer, silence: settings.silence, patience, bandwidth }
    }

    /// Why nothing more is sent, if the server was given up.
    #[must_use]
    pub fn given_up(&self) -> Option<Failure> {
        self.patience.look_for_an_answer().err()
    }

    /// Sends what `send` makes, and again where that may help.
    ///
    /// # Errors
    /// Why it is not answered.
    pub async fn insist<T, E, F>(&self, send: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let answer = self.patience.insist(send).await?;
        self.patience.shared.served();
        Ok(answer)
    }
}

/// Fetches `s3://bucket/key`.
///
/// # Errors
/// One sentence: why it cannot be had.
pub fn fetch(name: &str, settings: &S3Settings) -> Result<Object, String> {
    let place = name.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    let Some((bucket, key)) = place.filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
    else {
        return Err(format!("{name}: expected s3://bucket/key"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let object = runtime.block_on(async {
        let s3 = S3::new(settings, Arc::default()).await;
        hashed(&s3, bucket, key, name).await
    });
    object.map_err(|failure| format!("{name}: {failure}"))
}

/// The digests of one object.
async fn hashed(s3: &S3, bucket: &str, key: &str, name: &str) -> Result<Object, Failure> {
    let wanted = Wanted { bucket: bucket.to_owned(), key: key.to_owned(), ..Wanted::default() };
    let mut download = Download::open(s3, wanted).await?;
    let mut hasher = ContentHasher::new(&[]);
    while let Some(piece) = download.piece().await? {
        hasher.update(&piece);
    }
    let digests = hasher.finish();
    let (sha256, blake3) = (digests.sha256, digests.blake3);
    Ok(Object { name: name.to_owned(), sha256, blake3, size: digests.size })
}

/// Undoes `encoding-type=url`.
#[must_use]
pub fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let escape = behind.get(..2).filter(|_| *first == b'%');
        let digits = escape.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if byte.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    bytes
}

async fn load(settings: &S3Settings) -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(settings.silence).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        // `patience.rs` does it, which hears a stop and what the server asks for.
        .retry_config(RetryConfig::disabled());
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if settings.no_sign_request {
        loader = loader.no_credentials();
    }
    loader.load().await
}

/// The server that the S3 client takes, where it is not AWS: one named for S3 alone
/// (`AWS_ENDPOINT_URL_S3`) goes before one for all services, and what was typed before both.
fn endpoint(config: &SdkConfig) -> Option<String> {
    let typed = config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return typed;
    }
    let key = ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let of_s3 = key.ok().and_then(|key| config.service_config()?.load_config(key));
    of_s3.or(typed)
}
