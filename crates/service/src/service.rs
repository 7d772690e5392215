//! Runs unattended: looks at each source when it is due, tells who is to be told, and goes on after a crash from
//! where the ledger is.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use unbroken_evidence::error::{chain, escaped};
use unbroken_ingest::error::IngestError;
use unbroken_ingest::policy::Policy;
use unbroken_ingest::run::{self, Context, Options, Progress, Software};
use unbroken_ingest::source::Source;
use unbroken_ingest::state;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::{Ledger, Surroundings, private_path};
use unbroken_ledger::private::Private;
use unbroken_ledger::reader::LogReader;
use unbroken_ledger::seal::Clock;

use crate::board::{Board, SourceBoard};
use crate::config::{Config, Reason, SourceConfig};
use crate::news::{Alert, Found, news};
use crate::outbox::Outbox;
use crate::postman;
use crate::schedule::{Job, Kind, began, jobs, next};

/// What the service needs of the program that runs it.
pub trait Hands: Send + Sync {
    /// A source as the configuration names it.
    ///
    /// # Errors
    /// Why it cannot be taken, in a sentence.
    fn source(
        &self,
        config: &SourceConfig,
        stop: &Arc<AtomicBool>,
    ) -> Result<Box<dyn Source>, String>;
    /// A policy as the configuration names it.
    ///
    /// # Errors
    /// Why it cannot be taken, in a sentence.
    fn policy(&self, named: &str) -> Result<Policy, String>;
    /// What a ledger needs of the world.
    fn surroundings(&self) -> Surroundings;
    /// The configuration, read anew.
    ///
    /// # Errors
    /// Why it cannot be taken, in a sentence.
    fn config(&self) -> Result<Config, String>;
}

/// What somebody outside may ask for.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// To end: what is acknowledged stays sealed.
    pub stop: Arc<AtomicBool>,
    /// To read the configuration anew.
    pub reload: Arc<AtomicBool>,
}

/// Why the service does not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The configuration, or what it names, cannot be taken.
    #[error("{0}")]
    Config(String),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The outbox, or the address to answer at.
    #[error("{what}")]
    System {
        /// What cannot be had.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// How often the schedule looks at its clock.
const LOOK: Duration = Duration::from_millis(200);
/// A ledger that is held by another command, or does not open, is asked again after so long.
const AGAIN_MS: u64 = 10_000;
/// A source that cannot be reached is told of so often, and no more.
const TOLD_AGAIN_MS: u64 = 86_400_000;

/// A service that runs.
pub struct Service<'a> {
    hands: &'a dyn Hands,
    clock: Arc<dyn Clock>,
    software: Software,
    signals: Signals,
    board: Arc<Board>,
    config: Config,
    outbox: Outbox,
    jobs: Vec<Job>,
    /// When it was told last that a source could not be reached, by its place; and the ledger, behind all.
    told: Vec<Option<u64>>,
}

impl<'a> Service<'a> {
    /// Makes everything ready: what cannot work is refused now, and not in the night.
    ///
    /// # Errors
    /// What cannot work.
    pub fn begin(
        hands: &'a dyn Hands,
        clock: Arc<dyn Clock>,
        software: Software,
        signals: Signals,
    ) -> Result<Self, ServiceError> {
        let config = hands.config().map_err(ServiceError::Config)?;
        let outbox = Outbox::open(&config.ledger).map_err(|source| ServiceError::System {
            what: "the outbox of alerts cannot be made".to_owned(),
            source,
        })?;
        let board = Arc::new(Board::default());
        let (jobs, told) = (Vec::new(), Vec::new());
        let mut service =
            Self { hands, clock, software, signals, board, config, outbox, jobs, told };
        service.plan()?;
        Ok(service)
    }

    /// What a monitor may know.
    #[must_use]
    pub fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    fn now(&self) -> u64 {
        self.clock.now().unix_ms()
    }

    /// Works out when each job is due, from what the ledger knows.
    fn plan(&mut self) -> Result<(), ServiceError> {
        let reader = LogReader::open(&self.config.ledger)?;
        let private = Private::open_to_read(&private_path(&self.config.ledger))?;
        let mut names = Vec::new();
        for source in &self.config.sources {
            self.policy(source).map_err(ServiceError::Config)?;
            // A folder that is not mounted today is no reason not to begin.
            let opened = self.hands.source(source, &self.signals.stop);
            names.push(opened.map_or_else(
                |_| (source.location.clone(), String::new()),
                |source| (source.name().to_owned(), source.scope().to_owned()),
            ));
        }
        let began = began(&private, reader.checkpoint().size)?;
        self.jobs = jobs(&self.config, &names, &began, self.now());
        self.told = vec![None; self.config.sources.len() + 1];
        let first = self.outbox.told().map_err(unread_mark)?;
        if first.is_none() {
            // What was sealed before anybody asked is no news.
            self.outbox.tell(reader.checkpoint().size).map_err(unread_mark)?;
        }
        Ok(())
    }

    fn policy(&self, source: &SourceConfig) -> Result<Option<Policy>, String> {
        match source.policy.as_deref().or_else(|| source.layout.policy()) {
            None => Ok(None),
            Some(named) => self.hands.policy(named).map(Some),
        }
    }

    /// Runs until it is asked to stop.
    pub fn run(mut self) {
        let postman = postman::begin(
            self.outbox.clone(),
            self.config.alerts.clone(),
            Arc::clone(&self.board),
            Arc::clone(&self.signals.stop),
        );
        self.tell();
        while !self.signals.stop.load(Ordering::Relaxed) {
            let now = self.now();
            self.board.set(|facts| facts.alive = now);
            if self.signals.reload.swap(false, Ordering::Relaxed) {
                self.reload(&postman);
            }
            match next(&self.jobs)
                .filter(|place| self.jobs.get(*place).is_some_and(|job| job.due <= now))
            {
                Some(place) => self.job(place, now),
                None => std::thread::sleep(LOOK),
            }
        }
        postman.end();
        tracing::info!("stopped");
    }

    /// A configuration that cannot be taken changes nothing.
    fn reload(&mut self, postman: &postman::Postman) {
        let before = self.config.clone();
        let taken = self.hands.config().and_then(|config| {
            if config.ledger != before.ledger || config.listen != before.listen {
                return Err("`ledger` and `listen` change only with a new start".to_owned());
            }
            self.config = config;
            self.plan().map_err(|error| chain(&error))
        });
        match taken {
            Ok(()) => {
                postman.set(self.config.alerts.clone());
                tracing::info!(
                    sources = self.config.sources.len(),
                    "the configuration was read anew"
                );
            }
            Err(why) => {
                self.config = before;
                tracing::error!("the configuration stays as it was: {}", escaped(&why));
                // The jobs may be those of the other one by now.
                if let Err(error) = self.plan() {
                    tracing::error!("{}", escaped(&chain(&error)));
                }
            }
        }
    }

    /// Carries one job out, and says when it is due again.
    fn job(&mut self, place: usize, now: u64) {
        let Some(Job { source, kind, .. }) = self.jobs.get(place).cloned() else { return };
        let Some(config) = self.config.sources.get(source).cloned() else { return };
        self.board.set(|facts| facts.running = Some(now));
        let ended = self.look(&config, kind);
        let took = self.now().saturating_sub(now);
        self.board.set(|facts| {
            facts.running = None;
            facts.sources.entry(config.location.clone()).or_default().took = took;
        });
        let when = match kind {
            Kind::Content => Some(&config.content),
            Kind::State => config.state.as_ref(),
        };
        let due = when.map_or(u64::MAX, |when| when.due(Some(now), now, &config.location));
        let due = match ended {
            Ok(()) => due,
            // Nothing was looked at: it is tried again soon, and told once.
            Err(Failed::Ledger(why)) => {
                self.failed(self.config.sources.len(), Reason::Refused, &config, &why, now);
                due.min(now + AGAIN_MS)
            }
            Err(Failed::Held(who)) => {
                tracing::info!("waiting for {}", escaped(&who));
                due.min(now + AGAIN_MS)
            }
            Err(Failed::Source(why)) => {
                self.failed(source, Reason::Unreachable, &config, &why, now);
                due
            }
        };
        if let Some(job) = self.jobs.get_mut(place) {
            job.due = due;
        }
        self.tell();
    }

    fn look(&self, config: &SourceConfig, kind: Kind) -> Result<(), Failed> {
        let stop = &self.signals.stop;
        let source = self.hands.source(config, stop).map_err(Failed::Source)?;
        let policy = self.policy(config).map_err(Failed::Source)?;
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
                    layout: config.layout,
                    policy,
                    since: None,
                    until: None,
                    limit: None,
                    reseal: false,
                    moved: false,
                };
                let started = self.now();
                let summary = run::run(&mut ledger, &*source, &options, &context);
                let summary = summary.map_err(Failed::of_ingest)?;
                self.content(name, &summary, started);
            }
            Kind::State => {
                let started = self.now();
                let summary = state::run(&mut ledger, &*source, config.state_rate, &context);
                let summary = summary.map_err(Failed::of_ingest)?;
                let finished = summary.exit_code() != 4 && !summary.interrupted;
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
            }
        }
        let (size, now) = (ledger.size(), self.now());
        self.board.set(|facts| (facts.size, facts.checkpoint) = (size, Some(now)));
        Ok(())
    }

    fn content(&self, name: &str, summary: &run::Summary, started: u64) {
        let finished = summary.listing_broke_off.is_none() && !summary.interrupted;
        tracing::info!(
            source = %escaped(name), objects = summary.objects, sealed = summary.sealed,
            sealed_again = summary.sealed_again, unchanged = summary.unchanged,
            incomplete = summary.incomplete, unread = summary.unread, gone = summary.gone,
            pass = summary.pass, finished, "looked at what is new"
        );
        self.board.set(|facts| {
            let source: &mut SourceBoard = facts.sources.entry(name.to_owned()).or_default();
            source.passes += 1;
            source.failed += u64::from(!finished);
            source.sealed += summary.sealed + summary.sealed_again;
            source.incomplete += summary.incomplete;
            source.unread += summary.unread;
            source.gone += summary.gone;
            source.bytes = summary.bytes;
            if finished {
                source.finished = Some(started);
            }
        });
    }

    /// Something that no entry of the ledger says: it is told when it begins, and once a day.
    fn failed(&mut self, place: usize, reason: Reason, config: &SourceConfig, why: &str, now: u64) {
        tracing::error!(source = %escaped(&config.location), "{}", escaped(why));
        self.board.set(|facts| {
            let source = facts.sources.entry(config.location.clone()).or_default();
            (source.passes, source.failed) = (source.passes + 1, source.failed + 1);
            if reason == Reason::Refused {
                facts.refused = Some(escaped(why));
            }
        });
        let last = self.told.get(place).copied().flatten();
        if last.is_some_and(|last| now.saturating_sub(last) < TOLD_AGAIN_MS) {
            return;
        }
        let alert = Alert {
            id: format!("{now}/{}/{}", escaped(&config.location), reason.name()),
            number: now,
            reason,
            source: config.location.clone(),
            at: unbroken_evidence::time::Time::from_unix_ms(now).to_string(),
            found: Found { count: 1, first: vec![(0, escaped(&config.location), escaped(why))] },
        };
        match self.put(&[alert]) {
            Ok(()) => self.told.get_mut(place).into_iter().for_each(|told| *told = Some(now)),
            Err(error) => tracing::error!("an alert cannot be kept: {error}"),
        }
    }

    fn put(&self, alerts: &[Alert]) -> std::io::Result<()> {
        for alert in alerts {
            let wants = |on: &[Reason]| on.is_empty() || on.contains(&alert.reason);
            for channel in self.config.alerts.iter().filter(|channel| wants(&channel.on)) {
                self.outbox.put(alert, &channel.channel.name())?;
            }
        }
        Ok(())
    }

    /// Puts what was sealed since the last time into the outbox: by this service, or by hand.
    fn tell(&mut self) {
        if let Err(why) = self.look_for_news() {
            tracing::error!("what is new cannot be told: {}", escaped(&why));
        }
    }

    fn look_for_news(&mut self) -> Result<(), String> {
        let told = self.outbox.told().map_err(|error| error.to_string())?;
        let mut reader = LogReader::open(&self.config.ledger).map_err(|error| chain(&error))?;
        let size = reader.checkpoint().size;
        let from = told.unwrap_or(size);
        if from >= size {
            return Ok(());
        }
        let private = private_path(&self.config.ledger);
        let private = Private::open_to_read(&private).map_err(|error| chain(&error))?;
        let ledger_id = reader.leaf(0).map_err(|error| chain(&error))?.to_string();
        for index in from..size {
            let found = news(&mut reader, &private, index).map_err(|error| chain(&error))?;
            let Some(found) = found else { continue };
            self.put(&found.alerts(&ledger_id)).map_err(|error| error.to_string())?;
            self.outbox.tell(index + 1).map_err(|error| error.to_string())?;
            self.reached_again(&found.source);
        }
        self.outbox.tell(size).map_err(|error| error.to_string())
    }

    /// A source that was looked at may be told of again when it is out of reach once more.
    fn reached_again(&mut self, name: &str) {
        let places = self.config.sources.iter().zip(&mut self.told);
        for (_, told) in places.filter(|(source, _)| source.location.contains(name)) {
            *told = None;
        }
        self.told.last_mut().into_iter().for_each(|told| *told = None);
    }
}

/// Why a job was not carried out.
enum Failed {
    /// Another command holds the ledger.
    Held(String),
    /// The ledger does not open, or failed.
    Ledger(String),
    /// The source cannot be taken.
    Source(String),
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

fn unread_mark(source: std::io::Error) -> ServiceError {
    ServiceError::System { what: "the outbox of alerts cannot be used".to_owned(), source }
}

/// Answers a monitor, where the configuration says so.
///
/// # Errors
/// Where the address cannot be had.
pub fn listen(
    config: &Config,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    stop: Arc<AtomicBool>,
) -> Result<Option<std::thread::JoinHandle<()>>, ServiceError> {
    let Some(address) = config.listen else { return Ok(None) };
    let served = crate::http::serve(address, board, clock, stop);
    served.map(Some).map_err(|source| ServiceError::System {
        what: format!("{address}: nothing can be answered there"),
        source,
    })
}

/// Whether a folder is a ledger that a service can run on.
///
/// # Errors
/// Why not.
pub fn check(ledger: &Path) -> Result<u64, LedgerError> {
    Ok(LogReader::open(ledger)?.checkpoint().size)
}
