//! The thread that empties the outbox: a receiver that is slow holds nothing up but itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use unbroken_evidence::error::escaped;

use crate::board::Board;
use crate::config::AlertConfig;
use crate::deliver::deliver;
use crate::outbox::Outbox;

const LOOK: Duration = Duration::from_millis(200);
/// A receiver that failed is asked again after a second, then after twice as long each time, up to this.
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// The thread.
pub(crate) struct Postman {
    channels: Arc<Mutex<Vec<AlertConfig>>>,
    thread: JoinHandle<()>,
}

impl Postman {
    /// Other receivers from now on.
    pub(crate) fn set(&self, channels: Vec<AlertConfig>) {
        *self.channels.lock().unwrap_or_else(PoisonError::into_inner) = channels;
    }

    /// Waits for the delivery that is under way; what waits stays in the outbox.
    pub(crate) fn end(self) {
        let began = Instant::now();
        // A receiver may hang for longer than anybody wants to wait for the end.
        while !self.thread.is_finished() && began.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Begins to deliver what waits, until `stop` is set.
pub(crate) fn begin(
    outbox: Outbox,
    channels: Vec<AlertConfig>,
    board: Arc<Board>,
    stop: Arc<AtomicBool>,
) -> Postman {
    let channels = Arc::new(Mutex::new(channels));
    let shared = Arc::clone(&channels);
    let thread = std::thread::spawn(move || {
        let mut pauses = BTreeMap::new();
        loop {
            // Once more after the stop: what the last run found may still go out.
            let stopping = stop.load(Ordering::Relaxed);
            round(&outbox, &shared, &board, &mut pauses);
            if stopping {
                break;
            }
            std::thread::sleep(LOOK);
        }
    });
    Postman { channels, thread }
}

/// When a receiver that failed is asked again, and how long the pause was.
type Pauses = BTreeMap<String, (Instant, Duration)>;

fn round(outbox: &Outbox, channels: &Mutex<Vec<AlertConfig>>, board: &Board, pauses: &mut Pauses) {
    let waiting = match outbox.waiting() {
        Ok(waiting) => waiting,
        Err(error) => return tracing::error!("the outbox of alerts cannot be read: {error}"),
    };
    let channels = channels.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut left = waiting.len() as u64;
    board.set(|facts| facts.waiting = left);
    for alert in waiting {
        let name = alert.channel.clone();
        if pauses.get(&name).is_some_and(|(until, _)| Instant::now() < *until) {
            continue;
        }
        let known = channels.iter().find(|known| known.channel.name() == name);
        let delivered = match known {
            Some(known) => deliver(&known.channel, &alert.document),
            None => {
                tracing::warn!(
                    "an alert was for a receiver that is not configured any more: {}",
                    alert.document
                );
                Ok(())
            }
        };
        match delivered {
            Ok(()) => {
                pauses.remove(&name);
                left = left.saturating_sub(1);
                if let Err(error) = outbox.delivered(&alert) {
                    tracing::error!("a delivered alert stays in the outbox: {error}");
                }
            }
            Err(why) => {
                let before =
                    pauses.get(&name).map_or(Duration::from_millis(500), |(_, pause)| *pause);
                let pause = (before * 2).min(PAUSE_MAX);
                tracing::error!("an alert is not delivered yet: {}", escaped(&why));
                pauses.insert(name, (Instant::now() + pause, pause));
            }
        }
    }
    board.set(|facts| facts.waiting = left);
}
