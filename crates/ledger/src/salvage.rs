//! What a damaged ledger still proves: entries of the store beyond the log, and a log that a whole store
//! can write again.

use std::path::{Path, PathBuf};

use unbroken_evidence::chain::ChainOf;
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::tree::{Edge, empty_root, leaf_hash};

use crate::durable;
use crate::error::LedgerError;
use crate::head::Head;
use crate::keys::Keys;
use crate::place::{open_store, store_folder};
use crate::publish::publish;
use crate::reader::{LogReader, log_folder};
use crate::recover::{checkpoint, verified};
use crate::restore::{free_name, verified_size};
use crate::store::Store;

/// The leaf and the bytes of an entry as a store holds them.
pub(crate) type UnverifiedEntryBytes = (Hash, Vec<u8>);

/// The entries of a store that cannot be used as it is, from the end of the published log on, as far as
/// each follows the one before and is signed by this ledger's keys: acknowledged, and never published.
pub(crate) fn beyond_the_log(folder: &Path) -> Result<Vec<UnverifiedEntryBytes>, LedgerError> {
    let Ok(store) = open_store(folder) else { return Ok(Vec::new()) };
    let keys = Keys::load(&folder.join("keys"))?;
    let mut reader = LogReader::open(folder)?;
    let (origin, size) = (reader.checkpoint().origin.clone(), reader.checkpoint().size);
    let mut head = Head::default();
    for index in 0..size {
        head.extend(&reader.entry(index)?);
    }
    let mut beyond = Vec::new();
    while let Ok(Some((leaf, note))) = store.entry(head.size()) {
        let Ok(entry) = UnverifiedEntry::parse(&note) else { break };
        if entry.leaf() != leaf || !follows(&head, &entry, &origin, &keys) {
            break;
        }
        head.extend(&entry);
        beyond.push((leaf, note));
    }
    Ok(beyond)
}

/// Whether an entry is the next one of this ledger: chained, and signed.
fn follows(head: &Head, entry: &UnverifiedEntry, origin: &str, keys: &Keys) -> bool {
    let statement = entry.statement();
    let is_control = statement.kind == Kind::Control;
    let signer = if is_control { &keys.control } else { &keys.collector };
    let chain = ChainOf::entry(entry);
    let last = head.chains.get(&chain);
    let number = last.map_or(0, |(number, _)| number + 1);
    statement.origin == origin
        && statement.control == head.control
        && statement.number == number
        && statement.previous == last.map(|(_, text)| *text)
        && entry.clone().verify(signer.verifier()).is_ok()
}

/// Writes the log again from the store, where the log does not verify and the store proves its last
/// signed checkpoint; gives the place of the old log. A log that verifies is left as it is.
pub(crate) fn rewrite_log(folder: &Path) -> Result<Option<PathBuf>, LedgerError> {
    if verified_size(folder).is_ok() {
        return Ok(None);
    }
    let Ok(store) = open_store(folder) else { return Ok(None) };
    let keys = Keys::load(&folder.join("keys"))?;
    let Some((size, note)) = proven(folder, &*store, &keys)? else { return Ok(None) };
    let published = checkpoint(&log_folder(folder).join("checkpoint"), &keys);
    if published.is_ok_and(|known| known.is_some_and(|(_, claims)| claims.size > size)) {
        // The store is the older one: what the log knows beyond it must not go.
        return Ok(None);
    }
    let (log, fresh) = (log_folder(folder), folder.join("log.new"));
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh).map_err(LedgerError::io(&fresh, "cannot be removed"))?;
    }
    publish(&fresh, &*store, (0, empty_root()), size, &note)?;
    let aside = free_name(folder, "log.old");
    if log.exists() {
        std::fs::rename(&log, &aside).map_err(LedgerError::io(&log, "cannot be moved aside"))?;
    }
    std::fs::rename(&fresh, &log).map_err(LedgerError::io(&fresh, "cannot be put in place"))?;
    durable::sync_folder(folder).map_err(LedgerError::io(folder, "cannot be synced"))?;
    Ok(aside.exists().then_some(aside))
}

/// Size and note of the last signed checkpoint, where every entry below it is in the store and gives its
/// root.
fn proven(
    folder: &Path,
    store: &dyn Store,
    keys: &Keys,
) -> Result<Option<(u64, Vec<u8>)>, LedgerError> {
    let Ok(Some(note)) = store.checkpoint() else { return Ok(None) };
    let claims = verified(&store_folder(folder), &note, keys)?;
    let mut edge = Edge::new();
    while edge.size() < claims.size {
        match store.entry(edge.size()) {
            Ok(Some((leaf, bytes))) if leaf_hash(&bytes) == leaf => edge.push(leaf),
            _ => return Ok(None),
        }
    }
    Ok((edge.root() == claims.root).then_some((claims.size, note)))
}
