//! Empties the outbox: a thread for each receiver, so that one that is slow holds up nobody but itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use unbroken_evidence::error::escaped;

use crate::board::Board;
use crate::config::{AlertConfig, Channel};
use crate::deliver::deliver;
use crate::outbox::{Outbox, Waiting};

const LOOK: Duration = Duration::from_millis(500);
/// An alert that was not taken is tried again after a second, then after twice as long each time, up to this.
const PAUSE_MAX: Duration = Duration::from_secs(600);
/// Alerts in a row that a receiver may refuse before it is left alone for a while: the others are tried too.
const REFUSED_IN_A_ROW: usize = 3;
/// How long the end waits for a delivery that is under way.
const ENDING: Duration = Duration::from_secs(5);

/// The threads, one a receiver.
pub(crate) struct Postman {
    outbox: Outbox,
    board: Arc<Board>,
    rounds: BTreeMap<String, Round>,
}

/// A receiver's thread, and what ends it.
struct Round {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Postman {
    /// Begins to deliver what waits.
    pub(crate) fn begin(outbox: Outbox, board: Arc<Board>, channels: &[AlertConfig]) -> Self {
        let mut postman = Self { outbox, board, rounds: BTreeMap::new() };
        postman.set(channels);
        postman
    }

    /// These receivers from now on; what waits for one that is gone goes to those that want it now.
    pub(crate) fn set(&mut self, channels: &[AlertConfig]) {
        let names: BTreeSet<String> =
            channels.iter().map(|channel| channel.channel.name()).collect();
        self.rounds.retain(|name, round| {
            let stays = names.contains(name);
            round.stop.store(!stays, Ordering::Relaxed);
            stays
        });
        if let Err(error) = self.readdress(channels, &names) {
            tracing::error!("what waits for a receiver that is gone stays where it is: {error}");
        }
        for channel in channels {
            let name = channel.channel.name();
            if !self.rounds.contains_key(&name) {
                let round = self.start(name.clone(), channel.channel.clone());
                self.rounds.insert(name, round);
            }
        }
    }

    fn readdress(&self, channels: &[AlertConfig], names: &BTreeSet<String>) -> std::io::Result<()> {
        for waiting in self.outbox.waiting()? {
            if names.contains(&waiting.channel) {
                continue;
            }
            let wants = |one: &&AlertConfig| {
                one.on.is_empty() || one.on.iter().any(|reason| reason.name() == waiting.reason)
            };
            let wanted: Vec<String> =
                channels.iter().filter(wants).map(|one| one.channel.name()).collect();
            // Where nobody wants it now it waits for somebody who does.
            if !wanted.is_empty() {
                self.outbox.readdress(&waiting, &wanted)?;
            }
        }
        Ok(())
    }

    fn start(&self, name: String, channel: Channel) -> Round {
        let stop = Arc::new(AtomicBool::new(false));
        let (outbox, board, flag) =
            (self.outbox.clone(), Arc::clone(&self.board), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut pauses = Pauses::default();
            loop {
                // Once more after the stop: what the last run found may still go out.
                let stopping = flag.load(Ordering::Relaxed);
                round(&outbox, (&name, &channel), &board, &mut pauses);
                if stopping {
                    break;
                }
                let began = Instant::now();
                while began.elapsed() < LOOK && !flag.load(Ordering::Relaxed) {
                    std::thread::sleep(LOOK / 10);
                }
            }
        });
        Round { stop, thread }
    }

    /// Waits a little for deliveries that are under way; what waits stays in the outbox.
    pub(crate) fn end(self) {
        self.rounds.values().for_each(|round| round.stop.store(true, Ordering::Relaxed));
        let began = Instant::now();
        let all_ended = || self.rounds.values().all(|round| round.thread.is_finished());
        while !all_ended() && began.elapsed() < ENDING {
            std::thread::sleep(LOOK / 20);
        }
    }
}

/// Of each alert that was not taken: when it is tried again, and how long the pause was.
type Pauses = BTreeMap<PathBuf, (Instant, Duration)>;

fn round(outbox: &Outbox, (name, channel): (&str, &Channel), board: &Board, pauses: &mut Pauses) {
    let waiting = match outbox.waiting() {
        Ok(waiting) => waiting,
        Err(error) => return tracing::error!("the outbox of alerts cannot be read: {error}"),
    };
    let count = waiting.len() as u64;
    board.set(|facts| facts.waiting = count);
    let mine: Vec<Waiting> = waiting.into_iter().filter(|one| one.channel == name).collect();
    pauses.retain(|path, _| mine.iter().any(|waiting| waiting.path == *path));
    let mut refused = 0;
    for waiting in mine {
        let paused = pauses.get(&waiting.path).is_some_and(|(until, _)| Instant::now() < *until);
        if paused || refused >= REFUSED_IN_A_ROW {
            continue;
        }
        let delivered = match outbox.read(&waiting) {
            Ok(Some(document)) => deliver(channel, &document),
            Ok(None) => continue,
            Err(error) => Err(error.to_string()),
        };
        match delivered {
            Ok(()) => {
                refused = 0;
                match outbox.delivered(&waiting) {
                    Ok(()) => board.set(|facts| facts.waiting = facts.waiting.saturating_sub(1)),
                    Err(error) => tracing::error!("a delivered alert stays in the outbox: {error}"),
                }
            }
            Err(why) => {
                refused += 1;
                let before = pauses.get(&waiting.path).map(|(_, pause)| *pause);
                let pause =
                    before.map_or(Duration::from_secs(1), |pause| (pause * 2).min(PAUSE_MAX));
                let (receiver, reason) = (channel.shown(), escaped(&waiting.reason));
                tracing::error!(
                    receiver,
                    reason,
                    "an alert is not delivered yet: {}",
                    escaped(&why)
                );
                pauses.insert(waiting.path, (Instant::now() + pause, pause));
            }
        }
    }
}
