//! Fetches an object from S3 and hashes it as it arrives; the one place where this crate can reach
//! a network, and only with the cargo feature `s3`.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use unbroken_evidence::content::ContentHasher;
use unbroken_evidence::error::chain;
use unbroken_evidence::objects::Object;

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
    /// How long a server may send nothing at all.
    pub silence: Duration,
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
        let client = client(settings).await;
        let sent = client.get_object().bucket(bucket).key(key).send().await;
        let mut output = sent.map_err(|error| format!("{name}: {}", chain(&error)))?;
        let mut hasher = ContentHasher::new(&[]);
        loop {
            let piece = tokio::time::timeout(settings.silence, output.body.next()).await;
            let silent =
                format!("{name}: the server has sent nothing for {} s", settings.silence.as_secs());
            match piece.map_err(|_| silent)? {
                Some(piece) => hasher.update(&piece.map_err(|error| format!("{name}: {error}"))?),
                None => break,
            }
        }
        let digests = hasher.finish();
        let said = output.content_length.and_then(|length| u64::try_from(length).ok());
        if said.is_some_and(|said| said != digests.size) {
            return Err(format!("{name}: {} bytes arrived, not {said:?}", digests.size));
        }
        let (sha256, blake3) = (digests.sha256, digests.blake3);
        Ok(Object { name: name.to_owned(), sha256, blake3, size: digests.size })
    })
}

async fn client(settings: &S3Settings) -> Client {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(settings.silence).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts);
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
    let config = loader.load().await;
    let mut builder = aws_sdk_s3::config::Builder::from(&config);
    // Servers other than AWS seldom have a name for each bucket.
    builder.set_force_path_style(Some(config.endpoint_url().is_some()));
    Client::from_conf(builder.build())
}
