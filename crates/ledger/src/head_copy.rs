//! Where each checkpoint is also written: a place outside the ledger, which knows when the whole
//! ledger was put back to an old state. `DIR/head-copy` holds its path, and outlives private.db.

use std::path::{Path, PathBuf};

use unbroken_evidence::checkpoint::UnverifiedCheckpoint;
use unbroken_evidence::key::VerifierKey;
use unbroken_evidence::limits::NOTE_BYTES_MAX;

use crate::durable;
use crate::error::LedgerError;
use crate::reader::read;

/// A path is shorter than this on every system.
const PATH_BYTES_MAX: usize = 64 << 10;

pub(crate) fn place_of(ledger: &Path) -> PathBuf {
    ledger.join("head-copy")
}

/// The place of the head copy of the ledger in `folder`, if it has one.
///
/// # Errors
/// `Io` when that cannot be read.
pub fn kept(ledger: &Path) -> Result<Option<PathBuf>, LedgerError> {
    let path = place_of(ledger);
    let bytes = read(&path, PATH_BYTES_MAX).map_err(LedgerError::io(&path, "cannot be read"))?;
    let bytes = bytes.map(|bytes| durable::path_of(bytes.strip_suffix(b"\n").unwrap_or(&bytes)));
    Ok(bytes)
}

/// What is wrong between the head copy of the ledger in `folder` and its log of `size` entries, in one
/// sentence: that it knows more, or that nobody can tell. Where the ledger knows of `stored` entries, those
/// that the log lacks were sealed by a run that ended before it published them.
///
/// # Errors
/// `Io` when where it is cannot be read.
pub fn problem(
    ledger: &Path,
    log_key: &VerifierKey,
    (size, stored): (u64, u64),
) -> Result<Option<String>, LedgerError> {
    let Some(place) = kept(ledger)? else { return Ok(None) };
    let shown = place.display();
    let note = match read(&place, NOTE_BYTES_MAX) {
        Err(error) => return Ok(Some(format!("the head copy {shown} cannot be read: {error}"))),
        Ok(None) => return Ok(Some(format!("the head copy {shown} is missing"))),
        Ok(Some(note)) => note,
    };
    let verified = UnverifiedCheckpoint::parse(&note).ok().and_then(|n| n.verify(log_key).ok());
    let known = verified.map(|verified| verified.checkpoint().size);
    Ok(match known {
        None => Some(format!("the head copy {shown} is no checkpoint of this ledger")),
        Some(known) if known > size.max(stored) => Some(format!(
            "the head copy {shown} knows {known} entries and the log ends at {size}: the ledger was put back to an old state"
        )),
        Some(_) => None,
    })
}

/// From now on the head copy is at `place`.
pub(crate) fn keep(ledger: &Path, place: &Path) -> Result<(), LedgerError> {
    let path = place_of(ledger);
    let bytes = [durable::bytes_of(place).as_slice(), b"\n"].concat();
    durable::write_file(&path, &bytes, 0o600).map_err(LedgerError::io(&path, "cannot be written"))
}

/// Whether what was at `place` cannot be had any more: it is missing, or out of reach. A pipe is never
/// opened, for nobody may ever write to it.
pub(crate) fn is_gone(place: &Path) -> bool {
    let can_be_had = std::fs::metadata(place)
        .is_ok_and(|metadata| !metadata.is_file() || std::fs::File::open(place).is_ok());
    !can_be_had
}

/// Whether there is nothing at `place`.
pub(crate) fn is_missing(place: &Path) -> bool {
    std::fs::metadata(place).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// Writes a checkpoint to the head copy.
pub(crate) fn write(path: &Path, checkpoint: &[u8]) -> Result<(), LedgerError> {
    let written = durable::write_file(path, checkpoint, 0o644);
    written.map_err(|source| LedgerError::HeadCopy { path: path.to_owned(), source })
}
