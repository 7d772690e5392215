//! Runs unattended: looks at each source when it is due, tells who is to be told, and goes on after a crash from
//! where the ledger is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use unbroken_evidence::error::{chain, escaped};
use unbroken_evidence::time::Time;
use unbroken_ingest::layout::Layout;
use unbroken_ingest::passes::{LastPasses, Pass};
use unbroken_ingest::policy::Policy;
use unbroken_ingest::run::Software;
use unbroken_ledger::ledger::private_path;
use unbroken_ledger::private::Private;
use unbroken_ledger::reader::LogReader;
use unbroken_ledger::seal::Clock;

use crate::board::Board;
use crate::config::{Config, Reason, SourceConfig};
use crate::hands::{Hands, Refusal, ServiceError, Signals};
use crate::look::Failed;
use crate::outbox::Outbox;
use crate::postman::Postman;
use crate::schedule::{Job, Kind, began, jobs, next};

/// How often the schedule looks at its clock.
pub(crate) const LOOK: Duration = Duration::from_millis(200);
/// A ledger that is held by another command, or does not open, is asked again after so long.
const AGAIN_MS: u64 = 10_000;

/// A service that runs.
pub struct Service<'a> {
    pub(crate) hands: &'a dyn Hands,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) software: Software,
    pub(crate) signals: Signals,
    pub(crate) board: Arc<Board>,
    pub(crate) config: Config,
    pub(crate) outbox: Outbox,
    pub(crate) jobs: Vec<Job>,
    /// When it was told last why the source at a location could not be looked at.
    pub(crate) told: BTreeMap<(String, Reason), u64>,
    /// When it looked at its clock last.
    pub(crate) looked: u64,
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
        // Before anything is made: a path that was mistyped stays as empty as it was.
        LogReader::open(&config.ledger)?;
        let outbox = Outbox::open(&config.ledger).map_err(unread_mark)?;
        let mut service = Self {
            hands,
            clock,
            software,
            signals,
            board: Arc::new(Board::default()),
            config,
            outbox,
            jobs: Vec::new(),
            told: BTreeMap::new(),
            looked: 0,
        };
        service.plan()?;
        Ok(service)
    }

    /// What a monitor may know.
    #[must_use]
    pub fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.now().unix_ms()
    }

    /// Works out when each job is due, from what the ledger knows.
    fn plan(&mut self) -> Result<(), ServiceError> {
        let reader = LogReader::open(&self.config.ledger)?;
        let private = Private::open_to_read(&private_path(&self.config.ledger))?;
        let mut names = Vec::new();
        for source in &self.config.sources {
            self.rules(source).map_err(ServiceError::Config)?;
            // A folder that is not mounted today is no reason not to begin; one that may never be looked at is.
            match self.hands.source(source, &self.config.ledger, &self.signals.stop) {
                Ok(opened) => names.push((opened.name().to_owned(), opened.scope().to_owned())),
                Err(Refusal::Never(why)) => return Err(ServiceError::Config(why)),
                Err(Refusal::Now(_)) => names.push((source.location.clone(), String::new())),
            }
        }
        let last = LastPasses::of(&private, reader.checkpoint().size)?;
        self.jobs = jobs(&self.config, &names, &began(&last), self.now());
        self.known(&names, &last, &reader);
        let first = self.outbox.told().map_err(unread_mark)?;
        if first.is_none() {
            // What was sealed before anybody asked is no news.
            self.outbox.tell(reader.checkpoint().size).map_err(unread_mark)?;
        }
        Ok(())
    }

    /// What the ledger knows of earlier runs: a monitor must not forget it with every start.
    fn known(
        &self,
        names: &[(String, String)],
        last: &BTreeMap<(String, String), LastPasses>,
        reader: &LogReader,
    ) {
        let ms = |pass: &Pass| Time::parse(&pass.started).ok().map(Time::unix_ms);
        self.board.set(|facts| {
            facts.size = reader.checkpoint().size;
            let locations: Vec<&String> = self.config.sources.iter().map(|s| &s.location).collect();
            facts.sources.retain(|location, _| locations.contains(&location));
            for (location, name) in locations.into_iter().zip(names) {
                let board = facts.sources.entry(location.clone()).or_default();
                let passes = last.get(name);
                board.finished = passes.and_then(|passes| ms(passes.finished.as_ref()?));
                let state = passes.and_then(|passes| passes.state.as_ref());
                board.state_finished = state.filter(|pass| pass.is_finished()).and_then(ms);
            }
        });
    }

    /// How the objects of a source are arranged, and what they must meet.
    pub(crate) fn rules(&self, source: &SourceConfig) -> Result<(Layout, Option<Policy>), String> {
        let layout = self.hands.layout(&source.layout)?;
        let named = source.policy.as_deref().or_else(|| layout.policy());
        let policy = named.map(|named| self.hands.policy(named)).transpose()?;
        Ok((layout, policy))
    }

    /// Runs until it is asked to stop.
    pub fn run(mut self) {
        let board = Arc::clone(&self.board);
        let mut postman = Postman::begin(self.outbox.clone(), board, &self.config.alerts);
        self.tell();
        while !self.signals.stop.load(Ordering::Relaxed) {
            let now = self.now();
            self.board.set(|facts| facts.alive = now);
            if self.signals.reload.swap(false, Ordering::Relaxed) {
                self.reload(&mut postman);
            }
            if now < self.looked {
                tracing::warn!("the clock went back by {} s", (self.looked - now) / 1_000);
                if let Err(error) = self.plan() {
                    tracing::error!("{}", escaped(&chain(&error)));
                }
            }
            self.looked = now;
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
    fn reload(&mut self, postman: &mut Postman) {
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
                postman.set(&self.config.alerts);
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
            Ok(()) => {
                self.reached(&config.location);
                due
            }
            // Nothing was looked at: it is tried again soon, and told once.
            Err(Failed::Ledger(why)) => {
                self.failed(Reason::Refused, &config, &why, now);
                due.min(now + AGAIN_MS)
            }
            Err(Failed::Held(who)) => {
                tracing::info!("waiting for {}", escaped(&who));
                due.min(now + AGAIN_MS)
            }
            Err(Failed::Source(why)) => {
                self.failed(Reason::Unreachable, &config, &why, now);
                due
            }
            Err(Failed::Configuration(why)) => {
                self.failed(Reason::Configuration, &config, &why, now);
                due
            }
        };
        // The first look at contents says when tags, locks and holds are looked at.
        let state = self.jobs.iter_mut().find(|job| job.source == source && job.due == u64::MAX);
        if let (Some(state), Some(when), Kind::Content) = (state, &config.state, kind) {
            state.due = when.due(Some(now), now, &config.location);
        }
        if let Some(job) = self.jobs.get_mut(place) {
            job.due = due;
        }
        self.tell();
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
