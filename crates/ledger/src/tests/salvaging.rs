//! What a full disk, a kill, a bad block and an old backup leave behind, and what is still proven then.

use super::{append, created, newest_segment, surroundings, verified_size};
use crate::audit::{Progress, audit};
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::restore::restore;

/// A ledger of 301 published entries and 20 that are acknowledged and not published.
fn ledger(folder: &std::path::Path) {
    let mut ledger = created(folder);
    append(&mut ledger, 0..300).unwrap();
    ledger.checkpoint().unwrap();
    append(&mut ledger, 300..320).unwrap();
}

fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    (folder, ledger)
}

fn agrees(folder: &std::path::Path) {
    let audit = audit(folder, "a test", 2, &Progress::default()).unwrap();
    assert_eq!((audit.exit_code(), audit.differences), (0, vec![]));
}

#[test]
fn a_snapshot_that_was_never_finished_loses_nothing() {
    let (_kept, folder) = place();
    ledger(&folder);
    let half = folder.join("store/snap.FFFFFFFFFFFFFFF0.generating");
    std::fs::write(&half, "half a snapshot").unwrap();
    let mut opened = Ledger::open(&folder, surroundings()).unwrap();
    assert_eq!(opened.size(), 321);
    opened.checkpoint().unwrap();
    drop(opened);
    assert!(!half.exists() && folder.join("store/aside").is_dir(), "it is kept beside");
    assert_eq!(verified_size(&folder), 321);
    agrees(&folder);
}

#[test]
fn a_store_with_a_damaged_snapshot_is_read_from_its_log() {
    let (_kept, folder) = place();
    ledger(&folder);
    std::fs::write(folder.join("store/snap.FFFFFFFFFFFFFFF0"), [7; 100]).unwrap();
    let opened = Ledger::open(&folder, surroundings()).unwrap();
    assert_eq!(opened.size(), 321);
}

#[test]
fn what_a_damaged_store_still_proves_beyond_the_log_is_salvaged() {
    let (_kept, folder) = place();
    ledger(&folder);
    let db = sled::open(newest_segment(&folder)).unwrap();
    db.insert(b"head", b"no head").unwrap();
    db.flush().unwrap();
    drop(db);
    assert!(Ledger::open(&folder, surroundings()).is_err());
    let restored = restore(&folder, surroundings(), None).unwrap();
    assert_eq!((restored.entries, restored.salvaged, restored.gone), (321, 20, None));
    assert_eq!((restored.lost, restored.aside), (0, 0));
    assert_eq!(verified_size(&folder), 321);
    agrees(&folder);
}

#[test]
fn entries_that_are_gone_are_named() {
    let (_kept, folder) = place();
    ledger(&folder);
    std::fs::remove_dir_all(folder.join("store")).unwrap();
    let restored = restore(&folder, surroundings(), None).unwrap();
    assert_eq!((restored.entries, restored.salvaged), (301, 0));
    assert_eq!((restored.gone, restored.aside), (Some((301, 320)), 20));
}

#[test]
fn a_head_copy_that_is_gone_refuses_and_signs_nothing() {
    let (kept, folder) = place();
    let (copy, old) = (kept.path().join("copy"), kept.path().join("old"));
    let mut ledger = created(&folder);
    ledger.set_head_copy(&copy).unwrap();
    drop(ledger);
    let copied = std::process::Command::new("cp").arg("-a").args([&folder, &old]).status();
    assert!(copied.unwrap().success());
    let mut ledger = Ledger::open(&folder, surroundings()).unwrap();
    append(&mut ledger, 0..3).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    // The old state is put back, and the copy that would tell is taken away.
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::rename(&old, &folder).unwrap();
    std::fs::remove_file(&copy).unwrap();
    let before = std::fs::read(folder.join("log/checkpoint")).unwrap();
    let refused = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(matches!(refused, LedgerError::HeadCopyMissing { .. }), "{refused}");
    assert!(restore(&folder, surroundings(), None).is_err());
    assert_eq!(std::fs::read(folder.join("log/checkpoint")).unwrap(), before);
    assert!(!copy.exists(), "nothing was written");
    // Whoever is sure names another place.
    let new = kept.path().join("new");
    drop(Ledger::open_with_head_copy(&folder, surroundings(), Some(&new)).unwrap());
    assert!(new.exists());
}

#[test]
fn a_damaged_tile_is_not_copied_into_later_ones_and_the_log_is_written_again() {
    let (_kept, folder) = place();
    ledger(&folder);
    let tile = folder.join("log/tile/1/000.p/1");
    let mut bytes = std::fs::read(&tile).unwrap();
    bytes[7] ^= 1;
    std::fs::write(&tile, &bytes).unwrap();
    let refused = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(matches!(refused, LedgerError::Log { .. }), "{refused}");
    assert!(refused.hint().contains("unbroken restore"));
    let restored = restore(&folder, surroundings(), None).unwrap();
    assert!(restored.old_log.is_some_and(|old| old.is_dir()), "the damaged log is kept");
    assert_eq!((restored.entries, restored.gone, restored.lost), (321, None, 0));
    let mut ledger = Ledger::open(&folder, surroundings()).unwrap();
    append(&mut ledger, 320..600).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    assert_eq!(verified_size(&folder), 601);
    agrees(&folder);
}

/// A full segment that is gone: an open does not read it, an audit misses it, a restore builds it again.
#[test]
fn a_segment_that_is_gone_is_missed_and_built_again() {
    let (_kept, folder) = place();
    let mut opened = created(&folder);
    for batch in 0..10 {
        append(&mut opened, batch * 30..batch * 30 + 30).unwrap();
    }
    opened.checkpoint().unwrap();
    drop(opened);
    let newest = newest_segment(&folder);
    // Without the newest one the store is an old state.
    std::fs::rename(&newest, folder.join("kept")).unwrap();
    let refused = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(refused.to_string().contains("the store has lost entries"), "{refused}");
    std::fs::rename(folder.join("kept"), &newest).unwrap();
    let listed = std::fs::read_dir(folder.join("store")).unwrap();
    let full = listed.map(|entry| entry.unwrap().path()).find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("from-"))
            && *path != newest
    });
    std::fs::remove_dir_all(full.unwrap()).unwrap();
    assert_eq!(Ledger::open(&folder, surroundings()).unwrap().size(), 301);
    let found = audit(&folder, "a test", 2, &Progress::default()).unwrap();
    assert_eq!(found.exit_code(), 1);
    assert!(found.differences[0].contains("in the log, not in the store"), "{found:?}");
    let restored = restore(&folder, surroundings(), None).unwrap();
    assert!(restored.store_rebuilt && restored.gone.is_none(), "{restored:?}");
    agrees(&folder);
}
