//! `unbroken run`

use std::path::Path;
use std::sync::Arc;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use unbroken_ledger::seal::Clock;
use unbroken_service::service::{Service, listen};

use crate::arguments::Output;
use crate::failure::Failure;
use crate::service::{self, Program};
use crate::{stop, world};

pub(crate) fn run(config: &Path, out: &Output) -> Result<u8, Failure> {
    log(out);
    let signals = stop::on_signal_or_reload();
    let program = Program { config: config.to_owned() };
    let read = service::read(config)?;
    let clock: Arc<dyn Clock> = Arc::new(world::SystemClock);
    let service = Service::begin(&program, Arc::clone(&clock), world::software(), signals.clone())?;
    let answering = listen(&read, service.board(), clock, Arc::clone(&signals.stop))?;
    tracing_began(&read);
    service.run();
    answering.into_iter().for_each(|thread| drop(thread.join()));
    Ok(0)
}

/// The log goes to stderr: a line each, with its time; keys and values are not in it.
fn log(out: &Output) {
    let level = if out.quiet { LevelFilter::WARN } else { LevelFilter::INFO };
    // Others than ourselves, the S3 SDK above all, are heard only where something is wrong.
    let said = Targets::new().with_default(LevelFilter::WARN).with_target("unbroken", level);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::stderr);
    let _ = tracing_subscriber::registry().with(lines.with_filter(said)).try_init();
}

fn tracing_began(config: &unbroken_service::config::Config) {
    let sources = config.sources.len();
    crate::output::say(&format!(
        "unbroken {}: {sources} sources, ledger {}",
        env!("CARGO_PKG_VERSION"),
        config.ledger.display()
    ));
}
