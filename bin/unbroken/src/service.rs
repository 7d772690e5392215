//! What the service needs of this program: its sources, policies and configuration, read as the command line
//! reads them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use unbroken_ingest::layout::Layout;
use unbroken_ingest::policy::Policy;
use unbroken_ingest::source::Source;
use unbroken_ledger::ledger::Surroundings;
use unbroken_service::config::{Config, S3Config, SourceConfig};
use unbroken_service::hands::{Hands, Refusal};

use crate::arguments::S3Arguments;
use crate::failure::Failure;
use crate::sources::{self, Typed};
use crate::world;
use crate::written::text_of;
use crate::{layouts, policies};

/// Seconds of silence after which a server is given up, where the configuration does not say.
const SILENCE_SECONDS: u64 = 20;

/// This program, for the service.
pub(crate) struct Program {
    pub(crate) config: PathBuf,
}

impl Hands for Program {
    fn source(
        &self,
        config: &SourceConfig,
        ledger: &Path,
        stop: &Arc<AtomicBool>,
    ) -> Result<Box<dyn Source>, Refusal> {
        source(config, ledger, stop)
    }

    fn policy(&self, named: &str) -> Result<Policy, String> {
        policies::load(OsStr::new(named)).map_err(said)
    }

    fn layout(&self, named: &str) -> Result<Layout, String> {
        layouts::load(OsStr::new(named)).map_err(said)
    }

    fn surroundings(&self) -> Surroundings {
        world::surroundings("run")
    }

    fn config(&self) -> Result<Config, String> {
        read(&self.config).map_err(said)
    }
}

fn said(failure: Failure) -> String {
    format!("{}; {}", failure.sentence, failure.hint)
}

/// A configuration, whose paths hold wherever it is run.
pub(crate) fn read(path: &Path) -> Result<Config, Failure> {
    let hint = "`unbroken config init` prints one that works; docs/run.md explains every key";
    let wrong = |why: String| Failure::usage(format!("{}: {why}", path.display()), hint);
    let text = text_of(path).map_err(|error| wrong(error.to_string()))?;
    let mut config = Config::parse(&text).map_err(|error| wrong(error.to_string()))?;
    config.ledger = world::absolute(&config.ledger);
    config.head_copy = config.head_copy.as_deref().map(world::absolute);
    refuse_one_name_twice(&config, &Arc::default())?;
    Ok(config)
}

/// A source as a configuration names it, outside the ledger.
pub(crate) fn source(
    config: &SourceConfig,
    ledger: &Path,
    stop: &Arc<AtomicBool>,
) -> Result<Box<dyn Source>, Refusal> {
    let S3Config { profile, region, endpoint_url, request_payer, no_sign_request, .. } =
        config.s3.clone();
    let arguments = S3Arguments {
        profile,
        region,
        endpoint_url,
        silence: config.s3.silence.unwrap_or(SILENCE_SECONDS),
        bandwidth: config.s3.bandwidth,
        request_payer,
        etags_not_md5: config.s3.etags_not_md5,
        no_sign_request,
    };
    let typed = sources::parse(OsStr::new(&config.location), &arguments, stop);
    let typed = [typed.map_err(|failure| Refusal::Now(said(failure)))?];
    let refused = sources::refuse_own_ledger(&typed, ledger);
    refused.map_err(|failure| Refusal::Never(said(failure)))?;
    let [Typed { source, .. }] = typed;
    Ok(source)
}

/// Two sources of one name would take each other's objects for their own.
pub(crate) fn refuse_one_name_twice(
    config: &Config,
    stop: &Arc<AtomicBool>,
) -> Result<(), Failure> {
    let opened = config.sources.iter().filter_map(|one| source(one, &config.ledger, stop).ok());
    let typed: Vec<Typed> = opened.map(|source| Typed { source, named: true }).collect();
    sources::refuse_one_name_twice(&typed)
}
