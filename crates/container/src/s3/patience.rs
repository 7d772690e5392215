//! Sends a request again where that may help: after a pause with jitter, or the pause that the server asks
//! for; never beyond a stop, and not for ever.

use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::failure::{Failure, Kind, Told};

/// How often one request is sent, where the connection breaks or the server fails.
const ATTEMPTS: u32 = 8;
/// How often, where the server says nothing: each costs the whole time-out.
const ATTEMPTS_AT_SILENCE: u32 = 2;
/// How often, where the server asks for patience.
const ATTEMPTS_WHEN_SLOWED: u32 = 10;
/// The longest pause that a server may ask for; one that asks for more is not waited for.
const RETRY_AFTER_MAX: u64 = 300;
/// Requests in a row that were given up without an answer, of all threads, after which no more is sent.
const UNANSWERED_MAX: u32 = 16;
/// How often a stop is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// How long this program waits before it sends a request again: full jitter below a bound that doubles.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// The bound of the first pause.
    pub first: Duration,
    /// The bound of every later one at most.
    pub longest: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first: Duration::from_millis(200), longest: Duration::from_secs(20) }
    }
}

impl Pauses {
    /// The pause before the attempt behind `tried` others.
    fn after(&self, tried: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << tried.saturating_sub(1).min(16));
        let bound = doubled.min(self.longest);
        // The seeds of hash maps are random enough to keep two machines apart, and need no crate.
        let drawn = RandomState::new().hash_one(tried);
        bound.mul_f64(drawn as f64 / u64::MAX as f64)
    }
}

/// What all requests of a connection share: when the next may be sent, and whether anybody answers.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The server asked for patience until then.
    not_before: Mutex<Option<Instant>>,
    unanswered: AtomicU32,
}

impl Shared {
    fn wait_until(&self) -> Option<Instant> {
        *self.not_before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nobody_before(&self, when: Instant) {
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *not_before = not_before.map_or(Some(when), |known| Some(known.max(when)));
    }

    /// Something was given in full: somebody is there.
    pub(super) fn served(&self) {
        self.unanswered.store(0, Ordering::Relaxed);
    }

    /// Nothing was given.
    pub(super) fn not_served(&self) {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
    }
}

/// How often one request was sent, by what came of it.
#[derive(Debug, Default)]
struct Tried {
    failed: u32,
    silent: u32,
    slowed: u32,
}

impl Tried {
    /// How long to wait before the next attempt; `None`: it is of no use.
    fn pause(&mut self, told: &Told, pauses: &Pauses) -> Option<Duration> {
        let (count, most) = if told.asks_for_patience() {
            (&mut self.slowed, ATTEMPTS_WHEN_SLOWED)
        } else if !told.may_pass() {
            return None;
        } else if told.kind == Kind::Silent {
            (&mut self.silent, ATTEMPTS_AT_SILENCE)
        } else {
            (&mut self.failed, ATTEMPTS)
        };
        *count += 1;
        match told.retry_after {
            _ if *count >= most => None,
            Some(seconds) if seconds > RETRY_AFTER_MAX => None,
            Some(seconds) => Some(Duration::from_secs(seconds) + pauses.after(1)),
            None => Some(pauses.after(*count)),
        }
    }
}

/// Sends requests and waits, as long as nobody wants to stop.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    pub(super) pauses: Pauses,
    /// How long an answer may take, all of it but an object's bytes.
    pub(super) whole_answer: Duration,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) shared: Arc<Shared>,
}

impl Patience {
    /// `work`, unless a stop comes first.
    pub(super) async fn unless_stopped<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let mut work = pin!(work);
        while !self.stop.load(Ordering::Relaxed) {
            if let Ok(done) = timeout(LOOK, &mut work).await {
                return Ok(done);
            }
        }
        Err(Failure::Stopped)
    }

    /// A pause before something is tried for the time behind `tried`.
    pub(super) async fn pause(&self, tried: u32) -> Result<(), Failure> {
        self.unless_stopped(sleep(self.pauses.after(tried))).await
    }

    /// Whether there is still somebody to ask.
    pub(super) fn look_for_an_answer(&self) -> Result<(), Failure> {
        let unanswered = self.shared.unanswered.load(Ordering::Relaxed);
        if unanswered < UNANSWERED_MAX {
            return Ok(());
        }
        Err(Failure::NoAnswer(format!(
            "the server has not answered {unanswered} requests in a row, and is not asked any more"
        )))
    }

    /// Sends what `send` makes until it is answered, or until that is of no use any more.
    pub(super) async fn insist<T, E, F>(&self, send: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut tried = Tried::default();
        loop {
            self.look_for_an_answer()?;
            if let Some(when) = self.shared.wait_until() {
                self.unless_stopped(sleep_until(when)).await?;
            }
            // A document that trickles in is no answer either.
            let told = match self.unless_stopped(timeout(self.whole_answer, send())).await? {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => Told::of(&error),
                Err(_) => Told::unfinished(self.whole_answer),
            };
            let is_answered = !matches!(told.kind, Kind::Silent | Kind::Broken);
            let Some(pause) = tried.pause(&told, &self.pauses) else {
                if is_answered {
                    self.shared.served()
                } else {
                    self.shared.not_served()
                }
                return Err(told.failure());
            };
            if told.asks_for_patience() {
                // Of everybody: the others would only make it worse.
                self.shared.nobody_before(Instant::now() + pause);
            }
            self.unless_stopped(sleep(pause)).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_are_never_longer_than_their_bound() {
        let pauses =
            Pauses { first: Duration::from_millis(10), longest: Duration::from_millis(25) };
        for (tried, bound) in [(1, 10), (2, 20), (3, 25), (4, 25), (u32::MAX, 25)] {
            let longest = (0..200).map(|_| pauses.after(tried)).max().unwrap();
            let bound = Duration::from_millis(bound);
            assert!(longest <= bound, "{tried}: {longest:?}");
            assert!(
                longest > bound / 2,
                "{tried}: jitter takes all of it now and then: {longest:?}"
            );
        }
    }
}
