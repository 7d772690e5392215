//! S3 for both programs: how a server is reached, how long it may be silent, and one object, hashed as it
//! arrives. The only place of this crate that can reach a network, and only with the cargo feature `s3`.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use unbroken_evidence::content::ContentHasher;
use unbroken_evidence::error::chain;
use unbroken_evidence::objects::Object;

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Attempts at one request, the first included; the SDK waits between them.
const ATTEMPTS: u32 = 4;

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
    /// How long a server may send nothing at all.
    pub silence: Duration,
}

/// An S3 server as the settings name it.
#[derive(Clone, Debug)]
pub struct S3 {
    /// Sends the requests.
    pub client: Client,
    /// The server's address, where it is not AWS.
    pub endpoint: Option<String>,
    silence: Duration,
}

impl S3 {
    /// Reads the configuration; nothing is sent to the server yet.
    pub async fn new(settings: &S3Settings) -> Self {
        let config = load(settings).await;
        let endpoint = endpoint(&config);
        let mut builder = aws_sdk_s3::config::Builder::from(&config);
        // Servers other than AWS seldom have a name for each bucket.
        builder.set_force_path_style(Some(endpoint.is_some()));
        let client = Client::from_conf(builder.build());
        Self { client, endpoint, silence: settings.silence }
    }

    /// The next piece of an object's bytes; `None` after the last.
    ///
    /// # Errors
    /// The connection broke, or the server was silent for too long.
    pub async fn piece(&self, body: &mut ByteStream) -> Result<Option<Vec<u8>>, String> {
        let piece = tokio::time::timeout(self.silence, body.next()).await;
        let silent = |_| format!("the server has sent nothing for {} s", self.silence.as_secs());
        let piece = piece.map_err(silent)?.transpose().map_err(|error| chain(&error))?;
        Ok(piece.map(|bytes| bytes.to_vec()))
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
    runtime.block_on(async {
        let s3 = S3::new(settings).await;
        let sent = s3.client.get_object().bucket(bucket).key(key).send().await;
        let mut output = sent.map_err(|error| format!("{name}: {}", chain(&error)))?;
        let mut hasher = ContentHasher::new(&[]);
        while let Some(piece) =
            s3.piece(&mut output.body).await.map_err(|why| format!("{name}: {why}"))?
        {
            hasher.update(&piece);
        }
        let digests = hasher.finish();
        let said = output.content_length.and_then(|length| u64::try_from(length).ok());
        if let Some(said) = said.filter(|said| *said != digests.size) {
            return Err(format!("{name}: {} bytes arrived, not {said}", digests.size));
        }
        let (sha256, blake3) = (digests.sha256, digests.blake3);
        Ok(Object { name: name.to_owned(), sha256, blake3, size: digests.size })
    })
}

async fn load(settings: &S3Settings) -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(settings.silence).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
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
