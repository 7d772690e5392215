//! One look at a source: opens it and the ledger, runs, and says what it did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use unbroken_evidence::error::{chain, escaped};
use unbroken_evidence::time::Time;
use unbroken_ingest::error::IngestError;
use unbroken_ingest::gaps::{self, Gap};
use unbroken_ingest::passes::LastPasses;
use unbroken_ingest::run::{self, Context, Options, Progress};
use unbroken_ingest::source::Source;
use unbroken_ingest::state;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::Ledger;

use crate::board::SourceBoard;
use crate::config::SourceConfig;
use crate::hands::Refusal;
use crate::schedule::Kind;
use crate::service::{LOOK, Service};
use crate::when::When;

/// Why a job was not carried out.
pub(crate) enum Failed {
    /// Another command holds the ledger.
    Held(String),
    /// The ledger does not open, or failed.
    Ledger(String),
    /// The source cannot be taken.
    Source(String),
    /// What the configuration names cannot be used.
    Configuration(String),
}

impl Failed {
    fn of_ledger(error: LedgerError) -> Self {
        match error {
            LedgerError::Held { holder, .. } => Self::Held(holder),
            error => Self::Ledger(format!("{}; {}", chain(&error), error.hint())),
        }
    }

    fn of_ingest(error: IngestError) -> Self {
        match error {
            IngestError::Ledger(error) => Self::of_ledger(error),
            error => Self::Source(format!("{}; {}", chain(&error), error.hint())),
        }
    }
}

/// Says that something has ended when it is dropped.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn tell_of_gaps(name: &str, gaps: &[Gap]) {
    for gap in gaps {
        tracing::warn!(source = %escaped(name), entry = gap.index, "{}", gap.sentence);
    }
}

impl Service<'_> {
    pub(crate) fn look(&self, config: &SourceConfig, kind: Kind) -> Result<(), Failed> {
        // A run that fails stops its own workers, and nobody else.
        let stop = Arc::new(AtomicBool::new(false));
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    if self.signals.stop.load(Ordering::Relaxed) {
                        stop.store(true, Ordering::Relaxed);
                    }
                    std::thread::sleep(LOOK / 4);
                }
            });
            // Also where it panics: the scope waits for the thread that listens.
            let _ended = Ended(&ended);
            self.look_until(config, kind, &stop)
        })
    }

    fn look_until(
        &self,
        config: &SourceConfig,
        kind: Kind,
        stop: &Arc<AtomicBool>,
    ) -> Result<(), Failed> {
        // What is broken in the configuration is told also while the source is away.
        let (layout, policy) = self.rules(config).map_err(Failed::Configuration)?;
        let source = self.hands.source(config, &self.config.ledger, stop);
        let source = source.map_err(|refusal| match refusal {
            Refusal::Now(why) => Failed::Source(why),
            Refusal::Never(why) => Failed::Configuration(why),
        })?;
        let head_copy = self.config.head_copy.as_deref();
        let around = self.hands.surroundings();
        let opened = Ledger::open_with_head_copy(&self.config.ledger, around, head_copy);
        let mut ledger = opened.map_err(Failed::of_ledger)?;
        self.board.set(|facts| facts.refused = None);
        let progress = Progress::default();
        let context = Context {
            clock: &*self.clock,
            progress: &progress,
            stop,
            software: self.software.clone(),
        };
        let name = config.location.as_str();
        match kind {
            Kind::Content => {
                let options = Options {
                    policy,
                    keys: config.keys.clone(),
                    copies: config.copies,
                    all_versions: config.all_versions,
                    expires: config.expires,
                    ..Options::of_all(layout)
                };
                let started = self.now();
                let last = self.last_end(&ledger, &*source).map_err(Failed::of_ledger)?;
                let summary = run::run(&mut ledger, &*source, &options, &context);
                let summary = summary.map_err(Failed::of_ingest)?;
                if self.content(name, &summary, started) {
                    let missed =
                        last.filter(|(_, ms)| config.content.was_missed(*ms, started, name));
                    let began = summary.started.as_str();
                    self.missed(&mut ledger, &*source, missed, (began, &config.content))
                        .map_err(Failed::of_ledger)?;
                }
            }
            Kind::State => {
                self.state(config, &mut ledger, &*source, &context)?;
            }
        }
        let (size, now) = (ledger.size(), self.now());
        self.board.set(|facts| (facts.size, facts.checkpoint) = (size, Some(now)));
        Ok(())
    }

    /// Looks at tags, locks and holds again.
    fn state(
        &self,
        config: &SourceConfig,
        ledger: &mut Ledger,
        source: &dyn Source,
        context: &Context<'_>,
    ) -> Result<(), Failed> {
        let name = config.location.as_str();
        let started = self.now();
        let summary = state::run(ledger, source, config.state_rate, context);
        let summary = summary.map_err(Failed::of_ingest)?;
        let finished = summary.exit_code() != 4 && !summary.interrupted;
        tell_of_gaps(name, &summary.gaps);
        tracing::info!(
            source = %escaped(name), checked = summary.checked, held = summary.held,
            changed = summary.changed, unread = summary.unread, pass = summary.pass,
            "looked at tags, locks and holds"
        );
        self.board.set(|facts| {
            let source = facts.sources.entry(name.to_owned()).or_default();
            source.unread += summary.unread;
            if finished {
                source.state_finished = Some(started);
            }
        });
        Ok(())
    }

    /// When the last look over a source that came to its end ended.
    fn last_end(
        &self,
        ledger: &Ledger,
        source: &dyn Source,
    ) -> Result<Option<(String, u64)>, LedgerError> {
        let mut last = LastPasses::of(ledger.private(), ledger.size())?;
        let passes = last.remove(&(source.name().to_owned(), source.scope().to_owned()));
        let ended = passes.and_then(|passes| passes.finished).map(|pass| pass.ended);
        Ok(ended.and_then(|ended| {
            let ms = Time::parse(&ended).ok()?.unix_ms();
            Some((ended, ms))
        }))
    }

    /// Seals that looks were missed, now that one has come to its end.
    fn missed(
        &self,
        ledger: &mut Ledger,
        source: &dyn Source,
        last: Option<(String, u64)>,
        (to, when): (&str, &When),
    ) -> Result<(), LedgerError> {
        let Some((from, _)) = last else { return Ok(()) };
        let gap = gaps::not_looked_at(ledger, source, (&from, to), &when.shown())?;
        tracing::warn!(source = %escaped(source.name()), entry = gap.index, "{}", gap.sentence);
        ledger.checkpoint()?;
        Ok(())
    }

    /// Keeps what a look did for a monitor; whether it came to its end.
    fn content(&self, name: &str, summary: &run::Summary, started: u64) -> bool {
        tell_of_gaps(name, &summary.gaps);
        let finished =
            summary.listing_broke_off.is_none() && !summary.interrupted && !summary.emptied;
        tracing::info!(
            source = %escaped(name), objects = summary.objects, sealed = summary.sealed,
            sealed_again = summary.sealed_again, unchanged = summary.unchanged,
            incomplete = summary.incomplete, unread = summary.unread, gone = summary.gone,
            problems = summary.problem_count, pass = summary.pass, finished, "looked at what is new"
        );
        self.board.set(|facts| {
            let source: &mut SourceBoard = facts.sources.entry(name.to_owned()).or_default();
            source.passes += 1;
            source.failed += u64::from(!finished);
            source.sealed += summary.sealed + summary.sealed_again;
            source.incomplete += summary.incomplete;
            source.unread += summary.unread;
            source.gone += summary.gone;
            source.expired += summary.expired;
            source.problems += summary.problem_count;
            source.bytes = summary.bytes;
            if finished {
                source.finished = Some(started);
            }
        });
        finished
    }
}
