//! Shows what a run is doing: a line that moves on a terminal, a line a minute elsewhere
//! (a second with `-v`).

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use unbroken_ingest::reread::RereadProgress;
use unbroken_ingest::run as ingest;
use unbroken_ledger::audit;

use crate::arguments::Output;
use crate::output::bytes;

const ON_A_TERMINAL: Duration = Duration::from_millis(200);
const VERBOSE: Duration = Duration::from_secs(1);
const ELSEWHERE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

/// What a line of progress says after so much time.
type Line<'a> = &'a (dyn Fn(Duration) -> String + Sync);

/// Runs `work` while another thread shows `line`.
pub(crate) fn shown<T>(output: &Output, line: Line<'_>, work: impl FnOnce() -> T) -> T {
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        if !output.quiet && !output.json {
            scope.spawn(|| show(line, output.verbose, &ended));
        }
        // Also where `work` panics: the scope waits for the thread that shows.
        let _ending = Ending(&ended);
        work()
    })
}

/// Ends the showing when it is dropped.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn show(line: Line<'_>, verbose: bool, ended: &AtomicBool) {
    let terminal = std::io::stderr().is_terminal();
    let every = match (terminal, verbose) {
        (true, _) => ON_A_TERMINAL,
        (false, true) => VERBOSE,
        (false, false) => ELSEWHERE,
    };
    let began = Instant::now();
    let mut next = if verbose { began } else { began + every };
    while !ended.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK);
        if Instant::now() >= next {
            next = Instant::now() + every;
            let text = line(began.elapsed());
            let mut out = std::io::stderr().lock();
            // Nobody is harmed by a progress line that could not be shown.
            let _ = if terminal { write!(out, "\r\x1b[K{text}") } else { writeln!(out, "{text}") };
            let _ = out.flush();
        }
    }
    if terminal {
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
    }
}

/// How far an audit is.
pub(crate) fn of_audit(progress: &audit::Progress, elapsed: Duration) -> String {
    let (done, all) =
        (progress.done.load(Ordering::Relaxed), progress.all.load(Ordering::Relaxed).max(1));
    let rate = done / elapsed.as_secs().max(1);
    let eta = all.saturating_sub(done).checked_div(rate).map(duration);
    let eta = eta.map_or_else(String::new, |eta| format!(", about {eta} left"));
    format!("{done} of {all} comparisons, {rate}/s{eta}")
}

/// How far the packing of an exhibit is.
pub(crate) fn of_packing(read: &AtomicU64, elapsed: Duration) -> String {
    let read = read.load(Ordering::Relaxed);
    let rate = read / elapsed.as_secs().max(1);
    format!("{} of recordings read and packed, {}/s", bytes(read), bytes(rate))
}

/// How far an audit of objects is.
pub(crate) fn of_reread(progress: &RereadProgress, elapsed: Duration) -> String {
    let read = progress.bytes.load(Ordering::Relaxed);
    let rate = read / elapsed.as_secs().max(1);
    let objects = progress.objects.load(Ordering::Relaxed);
    format!("{objects} objects read again, {}, {}/s", bytes(read), bytes(rate))
}

/// How far an ingest is.
pub(crate) fn of_ingest(progress: &ingest::Progress, elapsed: Duration) -> String {
    let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
    let (done, listed) = (load(&progress.done), load(&progress.listed));
    let (done_bytes, listed_bytes) = (load(&progress.done_bytes), load(&progress.listed_bytes));
    let seconds = elapsed.as_secs().max(1);
    let rate = done_bytes / seconds;
    let left = listed_bytes.saturating_sub(done_bytes);
    let eta = match (progress.listing_ended.load(Ordering::Relaxed), left.checked_div(rate)) {
        (true, Some(seconds)) => format!(", about {} left", duration(seconds)),
        _ => String::new(),
    };
    let more = if progress.listing_ended.load(Ordering::Relaxed) { "" } else { " so far" };
    format!(
        "{done} of {listed} objects{more}, {} of {}, {}/s, {} sealed{eta}",
        bytes(done_bytes),
        bytes(listed_bytes),
        bytes(rate),
        load(&progress.sealed)
    )
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_passed_on_and_holds_nobody_up() {
        let output = Output { json: false, quiet: false, verbose: false, no_color: true };
        let panicking = || shown(&output, &|_| String::new(), || panic!("of the work"));
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panicking));
        assert!(caught.is_err());
    }
}
