//! How fast the bytes of objects may come, over all that are read at once.

use std::num::NonZeroU64;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A line that is not used wholly: what has arrived is let through at this rate, so that the server is not asked
/// for more, and the rest of the line is free for others.
#[derive(Debug)]
pub(super) struct Bandwidth {
    bytes_per_second: NonZeroU64,
    /// When all that has arrived so far will have been let through.
    free: Mutex<Instant>,
}

impl Bandwidth {
    pub(super) fn new(bytes_per_second: NonZeroU64) -> Self {
        Self { bytes_per_second, free: Mutex::new(Instant::now()) }
    }

    /// How long so many bytes, which arrived at `now`, have to wait.
    pub(super) fn wait(&self, bytes: usize, now: Instant) -> Duration {
        let nanos = (bytes as u128 * 1_000_000_000) / u128::from(self.bytes_per_second.get());
        let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        // Time in which nothing arrived is not made up for.
        *free = (*free).max(now).checked_add(takes).unwrap_or(*free);
        free.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_together_waits_in_turn_and_idle_time_is_not_made_up_for() {
        let bandwidth = Bandwidth::new(NonZeroU64::new(1_000).unwrap());
        let now = Instant::now() + Duration::from_secs(1);
        assert_eq!(bandwidth.wait(500, now), Duration::from_millis(500));
        assert_eq!(bandwidth.wait(1_500, now), Duration::from_secs(2));
        let later = now + Duration::from_secs(1);
        assert_eq!(bandwidth.wait(0, later), Duration::from_secs(1));
        let idle = now + Duration::from_secs(60);
        assert_eq!(bandwidth.wait(1_000, idle), Duration::from_secs(1));
        // Nothing overflows.
        assert!(bandwidth.wait(usize::MAX, idle) > Duration::from_secs(1));
    }
}
