//! `unbroken run`

use std::path::Path;
use std::sync::Arc;

use unbroken_ledger::seal::Clock;
use unbroken_service::service::{Service, listen};

use crate::arguments::Output;
use crate::failure::Failure;
use crate::service::{self, Program};
use crate::{sources, stop, world};

pub(crate) fn run(config: &Path, out: &Output) -> Result<u8, Failure> {
    log(out);
    let signals = stop::on_signal_or_reload();
    let program = Program { config: config.to_owned() };
    let read = service::read(config)?;
    let typed: Result<Vec<_>, Failure> =
        read.sources.iter().map(|source| service::source(source, &signals.stop)).collect();
    // One that is not there today is told when it is due; one that may never be is refused now.
    if let Ok(typed) = typed {
        sources::refuse_own_ledger(&typed, &read.ledger)?;
        sources::refuse_one_name_twice(&typed)?;
    }
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
    let level = match (out.quiet, out.verbose) {
        (true, _) => tracing_subscriber::filter::LevelFilter::WARN,
        (false, _) => tracing_subscriber::filter::LevelFilter::INFO,
    };
    // The S3 SDK says what it likes; below a warning it is not asked.
    let log = tracing_subscriber::fmt().with_max_level(level).with_ansi(false);
    let _ = log.with_writer(std::io::stderr).try_init();
}

fn tracing_began(config: &unbroken_service::config::Config) {
    let sources = config.sources.len();
    crate::output::say(&format!(
        "unbroken {}: {sources} sources, ledger {}",
        env!("CARGO_PKG_VERSION"),
        config.ledger.display()
    ));
}
