//! Restoring: the store from the log, and an honest word on what private.db lost.

use unbroken_evidence::field::{FieldType, Value};

use super::{append, created, recording, surroundings, verified_size};
use crate::audit::{Progress, audit};
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::private::Row;
use crate::restore::{RESEAL_NEEDED, restore};

#[test]
fn a_lost_store_is_rebuilt_from_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let mut ledger = created(&folder);
    append(&mut ledger, 0..300).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    std::fs::remove_dir_all(folder.join("store")).unwrap();
    let restored = restore(&folder, surroundings(), None).unwrap();
    assert!(restored.store_rebuilt);
    assert_eq!((restored.entries, restored.lost, restored.gap), (301, 0, None));
    let mut ledger = Ledger::open(&folder, surroundings()).unwrap();
    append(&mut ledger, 300..303).unwrap();
    ledger.checkpoint().unwrap();
    assert_eq!(verified_size(&folder), 304);
    drop(ledger);
    let audit = audit(&folder, "a test", 2, &Progress::default()).unwrap();
    assert_eq!((audit.exit_code(), audit.differences), (0, vec![]));
}

/// A ledger of six entries, all published, whose store says that it has this format.
fn with_store_format(folder: &std::path::Path, format: u32) {
    let mut ledger = created(folder);
    append(&mut ledger, 0..5).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    drop(crate::store::SledStore::open(&folder.join("store")).unwrap());
    let db = sled::open(folder.join("store")).unwrap();
    db.insert(b"format", &format.to_be_bytes()).unwrap();
    db.flush().unwrap();
}

#[test]
fn a_store_of_an_older_format_is_rebuilt_from_a_log_that_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    with_store_format(&folder, 0);
    let bundle = folder.join("log/tile/entries/000.p/6");
    let whole = std::fs::read(&bundle).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    std::fs::write(&bundle, changed).unwrap();
    let refused = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(matches!(refused, LedgerError::Log { .. }), "{refused}");
    std::fs::write(&bundle, whole).unwrap();
    let mut ledger = Ledger::open(&folder, surroundings()).unwrap();
    assert_eq!(ledger.size(), 6);
    assert!(folder.join("store.old-1").is_dir(), "the old store is kept");
    append(&mut ledger, 5..7).unwrap();
    ledger.checkpoint().unwrap();
    assert_eq!(verified_size(&folder), 8);
}

#[test]
fn a_store_of_a_newer_format_is_neither_opened_nor_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    with_store_format(&folder, 99);
    for refused in [
        Ledger::open(&folder, surroundings()).err().unwrap(),
        restore(&folder, surroundings(), None).err().unwrap(),
    ] {
        assert!(matches!(refused, LedgerError::Newer { found: 99, known: 1, .. }), "{refused}");
    }
    assert!(!folder.join("store.old-1").exists());
}

#[test]
fn an_old_private_db_stops_appending_until_a_gap_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let mut ledger = created(&folder);
    append(&mut ledger, 0..5).unwrap();
    drop(ledger);
    drop(Ledger::open(&folder, surroundings()).unwrap());
    let old = std::fs::read(folder.join("private.db")).unwrap();
    let mut ledger = Ledger::open(&folder, surroundings()).unwrap();
    append(&mut ledger, 5..9).unwrap();
    drop(ledger);
    let published = verified_size(&folder);
    for name in ["private.db-wal", "private.db-shm"] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    std::fs::write(folder.join("private.db"), old).unwrap();
    let refused = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(
        matches!(refused, LedgerError::PrivateBehind { private: 6, store: 10, .. }),
        "{refused}"
    );
    assert_eq!(verified_size(&folder), published, "a refused open signs and publishes nothing");
    let restored = restore(&folder, surroundings(), None).unwrap();
    assert_eq!((restored.lost, restored.gap, restored.store_rebuilt), (4, Some(10), false));
    let ledger = Ledger::open(&folder, surroundings()).unwrap();
    assert!(ledger.private().meta(RESEAL_NEEDED).unwrap().is_some());
    drop(ledger);
    let again = restore(&folder, surroundings(), None).unwrap();
    assert_eq!((again.lost, again.gap), (4, None), "one gap is sealed once");
}

#[test]
fn a_log_that_does_not_verify_restores_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let mut ledger = created(&folder);
    append(&mut ledger, 0..5).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    let bundle = folder.join("log/tile/entries/000.p/6");
    let mut bytes = std::fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    std::fs::remove_dir_all(folder.join("store")).unwrap();
    let refused = restore(&folder, surroundings(), None).err().unwrap();
    assert!(matches!(refused, LedgerError::Log { .. }), "{refused}");
    let audit = audit(&folder, "a test", 2, &Progress::default());
    assert!(audit.is_err() || audit.unwrap().exit_code() == 1);
}

// spec: F12
#[test]
fn an_erasure_is_applied_again_when_an_old_private_db_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let mut ledger = created(&folder);
    let entry = recording(&mut ledger, 0);
    let seed = entry.row.seed.unwrap();
    ledger.append(vec![entry]).unwrap();
    let before = ledger.private().opening(1).unwrap().unwrap().1;
    let order = vec![
        Value::new("erasure", "/0", FieldType::Null, "null"),
        Value::new("erasure", "/block_key", FieldType::Null, "null"),
    ];
    let row = Row { erases: Some(1), ..Row::default() };
    let (set, _) = ledger.fields(order).unwrap();
    let leaf = before_leaf(&ledger);
    let refs = vec![unbroken_evidence::body::Ref {
        index: 1,
        leaf,
        rel: unbroken_evidence::body::Rel::Erases,
    }];
    let body = unbroken_evidence::body::Body::Fields { fields: set.commitment(), refs };
    let row = Row { opening: unbroken_evidence::opening::Opening::of(set, None), ..row };
    ledger
        .append(vec![crate::seal::NewEntry {
            kind: unbroken_evidence::kind::Kind::Erasure,
            subject: None,
            body,
            row,
        }])
        .unwrap();
    drop(ledger);
    let ledger = Ledger::open(&folder, surroundings()).unwrap();
    let (leaf, after) = ledger.private().opening(1).unwrap().unwrap();
    assert_eq!(after.block_key, None);
    assert_ne!(after.positions[0], before.positions[0]);
    assert_eq!(after.positions[0].leaf(), before.positions[0].leaf());
    assert_eq!(leaf, before_leaf(&ledger));
    drop(ledger);
    assert_eq!(restore(&folder, surroundings(), None).unwrap().erased, 1);
    let db = std::fs::read(folder.join("private.db")).unwrap();
    assert!(
        !db.windows(32).any(|window| window == seed.as_bytes()),
        "the seed that gives the old salt back is still in the file"
    );
    let mut ledger = Ledger::open(&folder, surroundings()).unwrap();
    let entry = recording(&mut ledger, 9);
    ledger.append(vec![entry]).unwrap();
    ledger.checkpoint().unwrap();
    assert_eq!(verified_size(&folder), 4);
}

fn before_leaf(ledger: &Ledger) -> unbroken_evidence::hash::Hash {
    ledger.private().opening(1).unwrap().unwrap().0
}
