//! Whatever an audit reports, a restore mends or records: afterwards the audit is quiet, and nothing that
//! could be kept is lost.

use std::path::Path;

use super::auditing::{CHANGES, audited, change, whole_ledger};
use super::{append, created, surroundings};
use crate::ledger::Ledger;
use crate::place::private_path;
use crate::private::{LOOKUPS_WANTED, Lookup, Private};
use crate::restore::{Restored, restore};

fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    (folder, ledger)
}

/// Restores, and has the ledger audited, opened and added to.
fn mended(folder: &Path) -> Restored {
    let restored = restore(folder, surroundings(), None).unwrap();
    let (code, text) = audited(folder);
    let expected = if restored.lost > 0 { 2 } else { 0 };
    assert_eq!((code, text.as_str()), (expected, ""), "{restored:?}");
    let again = restore(folder, surroundings(), None).unwrap();
    assert_eq!((again.rebuilt, again.gap, again.parts_gap), (0, None, None), "a second time");
    let mut ledger = Ledger::open(folder, surroundings()).unwrap();
    append(&mut ledger, 900..902).unwrap();
    ledger.checkpoint().unwrap();
    restored
}

#[test]
fn each_change_of_a_row_is_mended_or_recorded() {
    for (sql, said) in CHANGES {
        let (_kept, folder) = place();
        whole_ledger(&folder);
        change(&folder, sql);
        let restored = mended(&folder);
        let is_part = said.contains("document") || said.contains("listing");
        let is_opening = sql.contains("SET opening");
        let everything =
            sql.contains("no hash") || sql.contains("x'00' WHERE idx = 2") && !is_opening;
        let parts = u64::from(is_part || everything);
        assert_eq!((restored.lost, restored.parts_lost), (u64::from(is_opening), parts), "{sql}");
        assert_eq!(restored.parts_gap.is_some(), parts > 0, "{sql}");
        let private = Private::open(&private_path(&folder)).unwrap();
        let key = crate::private::object_value("calls", &7_u64.to_be_bytes());
        assert_eq!(private.find(Lookup::Object, &key).unwrap(), [1], "{sql}: it is found");
        let object = private.object(1).unwrap().unwrap();
        let source = private.sources().unwrap().into_iter().find(|(id, ..)| *id == object.source);
        let (_, name, location) = source.unwrap();
        assert_eq!((name.as_str(), location.as_str()), ("calls", "/exports/calls"), "{sql}");
    }
}

#[test]
fn lookups_that_are_lost_are_made_again() {
    let (_kept, folder) = place();
    whole_ledger(&folder);
    let db = rusqlite::Connection::open(folder.join("private.db")).unwrap();
    db.execute("DROP TABLE lookups_0", []).unwrap();
    drop(db);
    let restored = mended(&folder);
    assert_eq!((restored.lost, restored.parts_lost), (0, 0));
    assert!(restored.rebuilt > 5, "{restored:?}");
}

/// A ledger of the version before this one had no way forward.
#[test]
fn a_private_db_of_the_format_before_this_one_is_brought_forward() {
    let (_kept, folder) = place();
    whole_ledger(&folder);
    let db = rusqlite::Connection::open(folder.join("private.db")).unwrap();
    let before = "DROP TABLE superseded; DROP INDEX watched_held; DROP TABLE lookups_0; PRAGMA user_version = 3;";
    db.execute_batch(before).unwrap();
    drop(db);
    let path = private_path(&folder);
    let refused = Private::open(&path).unwrap_err();
    assert!(refused.hint().contains("unbroken restore"), "{}", refused.hint());
    // A restore that ends before the lookups were made leaves a mark by which nothing is answered from them.
    Private::upgrade(&path).unwrap();
    let marked = |path| Private::open(path).unwrap().meta(LOOKUPS_WANTED).unwrap().is_some();
    assert!(marked(&path));
    let restored = mended(&folder);
    assert_eq!((restored.lost, restored.parts_lost), (0, 0));
    assert!(!marked(&path));
    assert_eq!(Private::open(&path).unwrap().current(100).unwrap(), 8);
}

#[test]
fn of_a_damaged_private_db_everything_is_kept_that_can_be_read() {
    let (_kept, folder) = place();
    let mut ledger = created(&folder);
    append(&mut ledger, 0..600).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    let path = private_path(&folder);
    let whole = std::fs::read(&path).unwrap();
    let pages = whole.len() / 4_096;
    assert!(pages > 60, "{pages} pages");
    let (mut most, mut least) = (0, u64::MAX);
    for page in (1..pages).step_by(7) {
        let (_kept, copy) = place();
        assert!(
            std::process::Command::new("cp")
                .arg("-a")
                .arg(&folder)
                .arg(&copy)
                .status()
                .unwrap()
                .success()
        );
        let mut damaged = whole.clone();
        damaged[page * 4_096..page * 4_096 + 200].fill(0xa5);
        std::fs::write(private_path(&copy), damaged).unwrap();
        let restored = mended(&copy);
        assert!(restored.old_private.is_some_and(|old| old.is_file()), "page {page}");
        (most, least) = (most.max(restored.lost), least.min(restored.lost));
    }
    // A page of openings holds a few of them; one high in a tree hides all that is below it.
    assert!(least < 12, "{least} to {most} of 601 openings lost");
}

/// A restore is killed after it has put the damaged database aside: before there is a new one, and when the
/// new one is empty. Nothing may count as lost that is still to be read.
#[test]
fn a_restore_that_was_killed_goes_on_with_what_it_put_aside() {
    // Put aside; begun; and, as on a disk that was full, nothing but a name in its place.
    for left in ["nothing", "begun", "a name"] {
        let (_kept, folder) = place();
        let mut ledger = created(&folder);
        append(&mut ledger, 0..600).unwrap();
        ledger.checkpoint().unwrap();
        drop(ledger);
        let path = private_path(&folder);
        let mut damaged = std::fs::read(&path).unwrap();
        let last = damaged.len() - 4_096;
        damaged[last..last + 200].fill(0xa5);
        std::fs::write(&path, damaged).unwrap();
        if left == "begun" {
            let (private, old) = crate::mend::open(&folder).unwrap();
            assert!(old.is_some() && private.end().unwrap() == 0);
        } else {
            std::fs::rename(&path, folder.join("private.db.old-1")).unwrap();
        }
        if left == "a name" {
            std::fs::write(&path, b"").unwrap();
            std::fs::write(folder.join("private.db.new"), b"half of a database").unwrap();
        }
        assert!(Ledger::open(&folder, surroundings()).is_err());
        let restored = mended(&folder);
        assert!(restored.lost < 12, "{left}: {restored:?}");
        assert!(!folder.join("private.db.new").exists());
    }
}

#[test]
fn a_private_db_that_is_no_database_is_set_aside() {
    let (_kept, folder) = place();
    whole_ledger(&folder);
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("private.db{ending}")));
    }
    std::fs::write(private_path(&folder), "no database, but long enough to look like a file")
        .unwrap();
    let restored = mended(&folder);
    assert_eq!((restored.lost, restored.gap), (7, Some(8)), "all but the genesis: {restored:?}");
    assert!(restored.old_private.is_some());
}

#[test]
fn a_write_ahead_log_of_a_newer_private_db_is_dropped_beside_an_older_one() {
    let (_kept, folder) = place();
    let mut ledger = created(&folder);
    append(&mut ledger, 0..300).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    let old = std::fs::read(private_path(&folder)).unwrap();
    // A reader keeps the log of the newer one from being folded in when its writer ends.
    let reader = rusqlite::Connection::open(private_path(&folder)).unwrap();
    let mut ledger = Ledger::open(&folder, surroundings()).unwrap();
    append(&mut ledger, 300..900).unwrap();
    ledger.checkpoint().unwrap();
    let wal = std::fs::read(folder.join("private.db-wal")).unwrap();
    assert!(wal.len() > 100_000);
    drop(ledger);
    drop(reader);
    let _ = std::fs::remove_file(folder.join("private.db-shm"));
    // Most of what was written later is lost from the log, as a broken copy leaves it.
    std::fs::write(private_path(&folder), &old).unwrap();
    std::fs::write(folder.join("private.db-wal"), &wal[..wal.len() / 2]).unwrap();
    let restored = mended(&folder);
    assert!(restored.lost <= 600, "{restored:?}");
}

#[test]
fn the_write_ahead_log_of_a_private_db_that_is_gone_is_kept() {
    let (_kept, folder) = place();
    whole_ledger(&folder);
    std::fs::remove_file(private_path(&folder)).unwrap();
    let _ = std::fs::remove_file(folder.join("private.db-shm"));
    std::fs::write(folder.join("private.db-wal"), "what was committed last").unwrap();
    mended(&folder);
    let kept = std::fs::read_to_string(folder.join("private.db-wal.old-1")).unwrap();
    assert_eq!(kept, "what was committed last");
}

#[test]
fn a_store_with_one_bad_entry_is_built_again() {
    let (_kept, folder) = place();
    let mut ledger = created(&folder);
    append(&mut ledger, 0..20).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    let db = sled::open(folder.join("store")).unwrap();
    let entries = db.open_tree("entries").unwrap();
    let mut record = entries.get(7_u64.to_be_bytes()).unwrap().unwrap().to_vec();
    let middle = record.len() / 2;
    record[middle] ^= 1;
    entries.insert(7_u64.to_be_bytes(), record).unwrap();
    db.flush().unwrap();
    drop((entries, db));
    let (code, text) = audited(&folder);
    assert!(code == 1 && text.contains("entry 7"), "{text}");
    let restored = mended(&folder);
    assert!(restored.store_rebuilt && restored.gone.is_none(), "{restored:?}");
}

#[test]
fn the_opening_beside_the_keys_is_written_again() {
    let (_kept, folder) = place();
    whole_ledger(&folder);
    std::fs::write(folder.join("keys/control-0.json"), "{}").unwrap();
    assert_eq!(audited(&folder).0, 1);
    mended(&folder);
}

/// A restore is killed between making a row again and sealing what it lacks.
#[test]
fn a_lost_document_is_recorded_also_by_the_restore_after_one_that_was_killed() {
    let (_kept, folder) = place();
    whole_ledger(&folder);
    change(&folder, "DELETE FROM documents WHERE idx = 1");
    let (mut private, old) = crate::mend::open(&folder).unwrap();
    assert!(old.is_none());
    crate::mend::mend(&folder, &mut private, None, 8).unwrap();
    drop(private);
    assert_eq!(audited(&folder).0, 0, "nothing but the mark remembers it");
    let restored = mended(&folder);
    assert_eq!((restored.parts_lost, restored.parts_gap.is_some()), (1, true), "{restored:?}");
}
