//! The world around the crates: the system's clock and randomness, this process, this program.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use unbroken_evidence::content::digest_stream;
use unbroken_evidence::time::Time;
use unbroken_ingest::run::Software;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::{Ledger, Surroundings};
use unbroken_ledger::random::SystemRandom;
use unbroken_ledger::seal::Clock;

use crate::arguments::Output;
use crate::output;

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time::from_unix_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// What a ledger needs, for a command of this name.
pub(crate) fn surroundings(command: &str) -> Surroundings {
    Surroundings {
        clock: Arc::new(SystemClock),
        random: Box::<SystemRandom>::default(),
        holder: holder(command),
        remembers: remembers(),
    }
}

/// The folder of this user's state, where the newest checkpoint of each ledger is remembered; none without a home.
pub(crate) fn remembers() -> Option<PathBuf> {
    let absolute =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || Some(absolute("HOME")?.join(".local/state"));
    Some(absolute("XDG_STATE_HOME").or_else(home)?.join("unbroken"))
}

/// How often a ledger that another command holds is asked for.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// Opens a ledger for a command of this name. One that a run holds is waited for, and it is said for whom: the
/// run ends by itself.
pub(crate) fn open_when_free(
    folder: &Path,
    command: &str,
    patience: Duration,
    out: &Output,
) -> Result<Ledger, LedgerError> {
    let (began, mut told) = (Instant::now(), String::new());
    loop {
        match Ledger::open(folder, surroundings(command)) {
            Err(LedgerError::Held { holder, .. }) if began.elapsed() < patience => {
                if holder != told {
                    output::warning(out, &format!("waiting for {holder}"));
                    told = holder;
                }
                std::thread::sleep(ASK_AGAIN);
            }
            opened => return opened,
        }
    }
}

/// A path that holds wherever a later command runs.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// This process, for whoever finds the ledger locked.
pub(crate) fn holder(command: &str) -> String {
    format!("`unbroken {command}`, process {}, since {}", std::process::id(), SystemClock.now())
}

/// This program: its version and the SHA-256 of its executable.
pub(crate) fn software() -> Software {
    let opened = std::env::current_exe().and_then(File::open);
    let sha256 = opened.ok().and_then(|mut file| {
        let length = file.metadata().ok()?.len();
        digest_stream(&[], length, |buffer| file.read(buffer)).ok().map(|digests| digests.sha256)
    });
    Software { version: format!("unbroken {}", env!("CARGO_PKG_VERSION")), sha256 }
}

/// How many threads to use.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
