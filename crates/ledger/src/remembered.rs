//! What this user's own machine remembers of a ledger: its newest checkpoint, in a folder apart from it. It knows
//! when the whole ledger was put back to an old state, or goes on in two copies. Unlike a head copy it is a
//! help and no promise: where it cannot be kept, nothing is refused.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use unbroken_evidence::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use unbroken_evidence::key::VerifierKey;
use unbroken_evidence::limits::NOTE_BYTES_MAX;

use crate::durable;
use crate::reader::read;

/// What it is called where it disagrees.
pub(crate) const WITNESS: &str = "the checkpoint that this machine remembers";

/// Where the newest checkpoint under this log key is remembered: ledgers are told apart by their keys.
pub fn place(folder: &Path, log_key: &VerifierKey) -> PathBuf {
    folder.join(format!("{}.checkpoint", log_key.hash()))
}

/// The checkpoint that is remembered; none where none can be read, or another key signed it.
pub(crate) fn recall(folder: &Path, log_key: &VerifierKey) -> Option<Checkpoint> {
    let note = read(&place(folder, log_key), NOTE_BYTES_MAX).ok()??;
    let verified = UnverifiedCheckpoint::parse(&note).ok()?.verify(log_key).ok()?;
    Some(verified.checkpoint().clone())
}

/// Remembers a checkpoint, if it can be.
pub(crate) fn keep(folder: &Path, log_key: &VerifierKey, checkpoint: &[u8]) {
    // Of two copies that go on, the longer one is remembered: neither makes the other forgotten.
    let known = recall(folder, log_key).map_or(0, |known| known.size);
    let size = UnverifiedCheckpoint::parse(checkpoint).map_or(0, |note| note.claims().size);
    if known > size {
        return;
    }
    let is_new = !folder.is_dir();
    let made = durable::create_folder(folder).and_then(|()| match is_new {
        true => std::fs::set_permissions(folder, Permissions::from_mode(0o700)),
        false => Ok(()),
    });
    let _ = made.and_then(|()| durable::write_file(&place(folder, log_key), checkpoint, 0o600));
}

/// What is wrong between the checkpoint that is remembered and a log of `size` entries where the ledger
/// knows of `stored`, in one sentence.
#[must_use]
pub fn problem(folder: &Path, log_key: &VerifierKey, size: u64, stored: u64) -> Option<String> {
    let known = recall(folder, log_key)?.size;
    (known > size.max(stored)).then(|| {
        let place = place(folder, log_key);
        format!(
            "{WITNESS} ({}) knows {known} entries and the log ends at {size}: the ledger was put back to an old state, or goes on in another copy",
            place.display()
        )
    })
}
