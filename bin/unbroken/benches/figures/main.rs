//! The figures of BENCHMARKS.md: `cargo bench`. Each is a question that a user asks, and where a
//! stock tool does the same work, a ratio to it in the same run.
//!
//! `cargo bench -- small` takes a hundredth of the counts, to see that it runs; `capture`, `ledger`
//! or `memory` runs only that part. `large`, a ledger of four million entries, runs only where it is named: it
//! takes ten minutes and 20 GB of disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod capture;
mod ledger;
mod memory;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Takes a folder to work in, and by how much the counts are divided.
type Part = fn(&Path, u64);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_given = |name: &str| arguments.iter().any(|argument| argument == name);
    let scale = if is_given("small") { 100 } else { 1 };
    let parts: [(&str, Part); 4] = [
        ("capture", capture::run),
        ("ledger", ledger::run),
        ("memory", memory::run),
        ("large", ledger::large),
    ];
    let only: Vec<_> = parts.iter().filter(|(name, _)| is_given(name)).collect();
    let usual = || parts.iter().filter(|(name, _)| *name != "large").collect();
    let chosen = if only.is_empty() { usual() } else { only };
    for (_, run) in chosen {
        // A folder of its own for each: what one part leaves behind is gone before the next.
        let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        run(place.path(), scale);
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let done = work();
    (began.elapsed(), done)
}

fn say(what: &str, figure: &str) {
    println!("{what:<76} {figure}");
}

/// The program, with its ledger in `place`.
fn unbroken(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unbroken"));
    command.args(arguments).arg("-q").env("UNBROKEN_LEDGER", "ledger").current_dir(place);
    command
}

/// Writes what was just made back to the disk, so that no measurement pays for it.
fn written_back() {
    assert!(Command::new("sync").status().unwrap().success());
}
