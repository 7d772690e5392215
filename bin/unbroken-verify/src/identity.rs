//! What stands above every verdict: what was verified, by which program, how it was called, when.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use unbroken_container::render::Identity;
use unbroken_evidence::content::digest_stream;
use unbroken_evidence::error::printable;
use unbroken_evidence::time::Time;

/// The identity of a verification of `path`, which has this SHA-256 where it is one file.
pub(crate) fn of(path: &Path, sha256: Option<String>, anchors: &[String]) -> Identity {
    let typed = std::env::args_os().map(|word| printable(&word.to_string_lossy()));
    Identity {
        name: printable(&path.to_string_lossy()),
        sha256,
        anchors: anchors.to_vec(),
        verifier: verifier().to_owned(),
        command: typed.collect::<Vec<_>>().join(" "),
        at: now(),
    }
}

/// SHA-256 of the file at `path`, in hex; `None` for a folder, or what cannot be read.
pub(crate) fn sha256(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
    let digests = digest_stream(&[], length, |buffer| file.read(buffer)).ok()?;
    Some(digests.sha256.to_string())
}

fn verifier() -> &'static str {
    static VERIFIER: OnceLock<String> = OnceLock::new();
    VERIFIER.get_or_init(|| {
        let own = std::env::current_exe().ok().and_then(|path| sha256(&path));
        let own = own.unwrap_or_else(|| "not known".to_owned());
        format!("{} {}, SHA-256 {own}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
    })
}

fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_unix_ms(u64::try_from(since.as_millis()).unwrap_or(0)).to_string()
}
