//! The n-th operation of the store fails, or succeeds and reports failure, for every n: what was
//! acknowledged is there afterwards, and the published log verifies.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{append, recording, surroundings, verified_size};
use crate::error::LedgerError;
use crate::keys::Keys;
use crate::ledger::Ledger;
use crate::lock::Lock;
use crate::random::SystemRandom;
use crate::store::memory::{Fault, MemoryStore};

fn begin(folder: &Path, store: &MemoryStore) -> Result<Ledger, LedgerError> {
    std::fs::create_dir_all(folder).unwrap();
    let lock = Lock::take(folder, "a test").unwrap();
    let keys =
        Keys::create(&folder.join("keys"), "example.com/o", &mut SystemRandom::default()).unwrap();
    Ledger::begin(folder, "example.com/o", keys, Box::new(store.clone()), surroundings(), lock)
}

fn reopen(folder: &Path, store: &MemoryStore) -> Result<Ledger, LedgerError> {
    let lock = Lock::take(folder, "a test").unwrap();
    Ledger::open_on(folder, Box::new(store.clone()), surroundings(), lock, None)
}

/// A ledger of 251 entries, just short of its first full tile. It is made once, and each case works on a
/// copy.
struct Scene {
    folder: tempfile::TempDir,
    store: MemoryStore,
}

impl Scene {
    fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = MemoryStore::default();
        let mut ledger = begin(&folder.path().join("ledger"), &store).unwrap();
        append(&mut ledger, 0..250).unwrap();
        ledger.checkpoint().unwrap();
        Self { folder, store }
    }

    fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cp = std::process::Command::new("cp")
            .args([OsStr::new("-a"), self.ledger().as_os_str(), folder.path().as_os_str()])
            .status();
        assert!(cp.unwrap().success());
        Self { folder, store: self.store.copy() }
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }
}

/// Appends around a tile boundary with checkpoints between; gives the highest size acknowledged.
fn story(ledger: &mut Ledger, acknowledged: &mut u64) -> Result<(), LedgerError> {
    *acknowledged = append(ledger, 250..252)?;
    for numbers in [252..258, 258..259] {
        *acknowledged = append(ledger, numbers)?;
        ledger.checkpoint()?;
    }
    *acknowledged = append(ledger, 259..260)?;
    *acknowledged = append(ledger, 260..262)?;
    ledger.checkpoint()
}

#[test]
fn whatever_operation_of_the_store_fails_nothing_acknowledged_is_lost() {
    for_every_operation(Fault::Failed);
}

#[test]
fn whatever_operation_succeeds_and_reports_failure_nothing_acknowledged_is_lost() {
    for_every_operation(Fault::Persisted);
}

fn for_every_operation(fault: Fault) {
    let scene = Scene::set();
    let ended = (0..).find(|n| !survives(&scene, fault, *n)).unwrap();
    assert!(ended > 500, "the story has operations that can fail");
}

/// The story with a fault at operation `n`, and what is there afterwards; false when the story has
/// fewer operations.
fn survives(scene: &Scene, fault: Fault, n: u64) -> bool {
    let copy = scene.copy();
    let (folder, store) = (copy.ledger(), &copy.store);
    let mut ledger = reopen(&folder, store).unwrap();
    store.fail_at(n, fault);
    let mut acknowledged = 251;
    let outcome = story(&mut ledger, &mut acknowledged);
    if !store.has_failed() {
        outcome.unwrap();
        return false;
    }
    outcome.unwrap_err();
    assert!(matches!(append(&mut ledger, 900..901), Err(LedgerError::Dead)), "{fault:?} {n}");
    drop(ledger);
    let mut ledger = reopen(&folder, store).unwrap();
    let size = ledger.size();
    assert!(size >= acknowledged, "{fault:?} {n}: {size} of {acknowledged}");
    assert_eq!(ledger.private().end().unwrap(), size, "{fault:?} {n}");
    append(&mut ledger, 1_000..1_003).unwrap();
    ledger.checkpoint().unwrap();
    assert_eq!(verified_size(&folder), ledger.size(), "{fault:?} {n}");
    true
}

#[test]
fn a_failed_open_can_be_repeated() {
    for n in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        let store = MemoryStore::default();
        let mut ledger = begin(folder.path(), &store).unwrap();
        append(&mut ledger, 0..5).unwrap();
        drop(ledger);
        store.fail_at(n, Fault::Failed);
        let _ = reopen(folder.path(), &store);
        store.fail_at(u64::MAX, Fault::Failed);
        assert_eq!(reopen(folder.path(), &store).unwrap().size(), 6, "{n}");
        assert_eq!(verified_size(folder.path()), 6, "{n}");
    }
}

#[test]
fn a_store_that_was_rolled_back_is_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = MemoryStore::default();
    let mut ledger = begin(folder.path(), &store).unwrap();
    append(&mut ledger, 0..5).unwrap();
    ledger.checkpoint().unwrap();
    let old = crate::store::Store::head(&store).unwrap().unwrap();
    append(&mut ledger, 5..9).unwrap();
    append(&mut ledger, 9..10).unwrap();
    drop(ledger);
    store.roll_back(old);
    let refused = reopen(folder.path(), &store).err().unwrap();
    let text = refused.to_string();
    assert!(matches!(refused, LedgerError::StoreBehind { witness: "private.db", .. }), "{text}");
    assert!(text.contains("ends at size 6") && text.contains("size 10"), "{text}");
}

#[test]
fn rows_of_a_batch_that_was_never_acknowledged_are_gone_after_the_next_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = MemoryStore::default();
    let mut ledger = begin(folder.path(), &store).unwrap();
    let entry = recording(&mut ledger, 7);
    store.fail_at(0, Fault::Failed);
    ledger.append(vec![entry]).unwrap_err();
    assert_eq!(ledger.private().end().unwrap(), 2, "private.db goes first");
    drop(ledger);
    let ledger = reopen(folder.path(), &store).unwrap();
    assert_eq!((ledger.size(), ledger.private().end().unwrap()), (1, 1));
}
