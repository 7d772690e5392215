//! Shows what a run is doing: a line that moves on a terminal, a line a minute elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use unbroken_ingest::run::Progress;

use crate::arguments::Output;
use crate::output::bytes;

const ON_A_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

/// Runs `work` while another thread shows `progress`.
pub(crate) fn shown<T>(output: &Output, progress: &Progress, work: impl FnOnce() -> T) -> T {
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        if !output.quiet && !output.json {
            scope.spawn(|| show(progress, &ended));
        }
        let done = work();
        ended.store(true, Ordering::Relaxed);
        done
    })
}

fn show(progress: &Progress, ended: &AtomicBool) {
    let terminal = std::io::stderr().is_terminal();
    let every = if terminal { ON_A_TERMINAL } else { ELSEWHERE };
    let began = Instant::now();
    let mut last = began;
    while !ended.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK);
        if last.elapsed() >= every {
            last = Instant::now();
            let text = line(progress, began.elapsed());
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

fn line(progress: &Progress, elapsed: Duration) -> String {
    let load = |number: &std::sync::atomic::AtomicU64| number.load(Ordering::Relaxed);
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
