//! How much memory the program takes as its inputs grow: the highest resident size of its process.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::capture::make_export;
use crate::{say, timed, unbroken};

pub(crate) fn run(place: &Path, scale: u64) {
    assert!(
        unbroken(place, &["init", "ledger", "--origin", "example.com/b"])
            .status()
            .unwrap()
            .success()
    );
    std::fs::create_dir(place.join("one")).unwrap();
    let sparse = File::create(place.join("one/sparse.wav")).unwrap();
    sparse.set_len((20 << 30) / scale).unwrap();
    say_peak(
        &format!("ingest of one sparse file of {} MiB", (20 << 10) / scale),
        unbroken(place, &["ingest", "one", "--layout", "plain"]),
    );
    // Half are recordings, half are sidecars.
    make_export(&place.join("export"), 100_000 / scale, 1 << 10);
    say_peak(
        &format!("ingest of {} objects", 200_000 / scale),
        unbroken(place, &["ingest", "export"]),
    );
    say_peak(
        &format!("the same {} objects again: nothing is new", 200_000 / scale),
        unbroken(place, &["ingest", "export"]),
    );
}

/// Runs `command` and says how high its memory went and how long it took.
pub(crate) fn say_peak(what: &str, mut command: Command) {
    let (elapsed, peak) = timed(|| {
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        loop {
            // The high-water mark only rises: the last reading is the peak but for the last moment.
            let read = std::fs::read_to_string(&status).unwrap_or_default();
            let line = read.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
            peak = peak.max(kib.unwrap_or(0_u64));
            if let Some(ended) = child.try_wait().unwrap() {
                assert!(ended.success(), "{what}");
                break peak;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    say(
        &format!("resident memory: {what}"),
        &format!("{} MiB, {:.1} s", peak >> 10, elapsed.as_secs_f64()),
    );
}
