//! What a ledger refuses to open, and what it says then.

use std::os::unix::fs::PermissionsExt as _;

use super::{append, created, surroundings, verified_size};
use crate::error::{LedgerError, StoreError};
use crate::ledger::{Ledger, Surroundings};

#[test]
fn two_processes_do_not_append_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let _first = created(&folder);
    let refused = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(refused.to_string().ends_with("held by a test"), "{refused}");
    assert_eq!(refused.exit_code(), 4);
}

#[test]
fn keys_that_others_can_read_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    drop(created(&folder));
    let key = folder.join("keys/log.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(refused.to_string().contains("mode 640"), "{refused}");
}

/// A backup copied back under an ordinary umask left all metadata to every user of the machine.
#[test]
fn a_private_db_that_others_can_read_is_taken_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    drop(created(&folder));
    let path = folder.join("private.db");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(Ledger::open(&folder, surroundings()).unwrap());
    assert_eq!(mode(), 0o600);
}

#[test]
fn a_store_that_is_gone_is_not_taken_for_a_new_one() {
    // sled opens empty, in silence, where its files were lost.
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let mut ledger = created(&folder);
    append(&mut ledger, 0..5).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    std::fs::remove_dir_all(folder.join("store")).unwrap();
    let missing = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(matches!(missing, LedgerError::Store { source: StoreError::Missing, .. }), "{missing}");
    assert!(!folder.join("store").exists(), "an open that fails makes no store");
    drop(crate::store::SledStore::open(&folder.join("store")).unwrap());
    let empty = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(matches!(empty, LedgerError::StoreBehind { .. }), "{empty}");
    for refused in [missing, empty] {
        assert!(refused.hint().contains("unbroken restore"));
    }
}

#[test]
fn a_head_copy_that_knows_more_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("head-copy");
    let folder = folder.path().join("ledger");
    let mut ledger = created(&folder);
    ledger.set_head_copy(&copy).unwrap();
    append(&mut ledger, 0..5).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    let old = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("cp").arg("-a").arg(&folder).arg(old.path()).status();
    assert!(status.unwrap().success());
    let mut ledger = Ledger::open(&folder, surroundings()).unwrap();
    append(&mut ledger, 5..6).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    // The whole ledger is put back to yesterday's state; only the copy elsewhere knows.
    std::fs::remove_dir_all(&folder).unwrap();
    let status = std::process::Command::new("cp")
        .arg("-a")
        .arg(old.path().join("ledger"))
        .arg(&folder)
        .status();
    assert!(status.unwrap().success());
    let refused = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(
        matches!(refused, LedgerError::StoreBehind { witness: "the head copy", .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("size 7"), "{refused}");
}

#[test]
fn another_log_in_its_place_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    drop(created(&one));
    drop(created(&two));
    std::fs::remove_dir_all(one.join("log")).unwrap();
    std::fs::rename(two.join("log"), one.join("log")).unwrap();
    let refused = Ledger::open(&one, surroundings()).err().unwrap();
    assert!(refused.to_string().contains("not signed by this ledger's log key"), "{refused}");
}

#[test]
fn a_log_that_is_behind_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let mut ledger = created(&folder);
    append(&mut ledger, 0..300).unwrap();
    drop(ledger);
    assert_eq!(verified_size(&folder), 1);
    drop(Ledger::open(&folder, surroundings()).unwrap());
    assert_eq!(verified_size(&folder), 301);
}

#[test]
fn a_place_that_is_taken_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), "x").unwrap();
    let refused =
        Ledger::create(folder.path(), "example.com/o", surroundings(), None).err().unwrap();
    assert!(matches!(refused, LedgerError::NotEmpty { .. }));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let missing = Ledger::open(&folder.path().join("nothing"), surroundings()).err().unwrap();
    assert!(matches!(missing, LedgerError::NotALedger { .. }));
}

#[test]
fn a_head_copy_that_is_there_is_heard_before_it_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let (copy, old) = (folder.path().join("head-copy"), folder.path().join("old"));
    let folder = folder.path().join("ledger");
    let mut ledger = created(&folder);
    append(&mut ledger, 0..5).unwrap();
    ledger.checkpoint().unwrap();
    std::fs::copy(folder.join("log/checkpoint"), &copy).unwrap();
    drop(ledger);
    std::fs::rename(&folder, &old).unwrap();
    let mut other = created(&folder);
    let refused = other.set_head_copy(&copy).err().unwrap();
    assert!(refused.to_string().contains("not signed by this ledger's log key"), "{refused}");
}

#[test]
fn a_head_copy_whose_place_is_gone_can_be_given_another_and_outlives_private_db() {
    let place = tempfile::tempdir().unwrap();
    let (old, new) = (place.path().join("disk/head"), place.path().join("head"));
    let folder = place.path().join("ledger");
    std::fs::create_dir(place.path().join("disk")).unwrap();
    let mut ledger = created(&folder);
    ledger.set_head_copy(&old).unwrap();
    append(&mut ledger, 0..5).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    std::fs::remove_dir_all(place.path().join("disk")).unwrap();
    let refused = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(matches!(refused, LedgerError::HeadCopyMissing { .. }), "{refused}");
    assert!(refused.hint().contains("--head-copy"));
    drop(Ledger::open_with_head_copy(&folder, surroundings(), Some(&new)).unwrap());
    std::fs::remove_file(folder.join("private.db")).unwrap();
    crate::restore::restore(&folder, surroundings(), None).unwrap();
    let copied = std::fs::read(&new).unwrap();
    assert_eq!(copied, std::fs::read(folder.join("log/checkpoint")).unwrap());
}

#[test]
fn a_reader_goes_on_while_the_log_grows_past_its_partial_tiles() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let mut ledger = created(&folder);
    append(&mut ledger, 0..300).unwrap();
    ledger.checkpoint().unwrap();
    let mut reader = crate::reader::LogReader::open(&folder).unwrap();
    append(&mut ledger, 300..700).unwrap();
    ledger.checkpoint().unwrap();
    assert_eq!(reader.checkpoint().size, 301);
    reader.entry(300).unwrap();
    reader.inclusion(&[0, 299, 300]).unwrap();
}

#[test]
fn an_init_that_was_cut_short_is_finished_with_the_same_keys() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("ledger");
    let anchor = created(&folder).trust_anchor().clone();
    // Keys alone, without the mark of an init, are those of a ledger that lost everything else: a new
    // genesis under them would be a second ledger of the same keys.
    for name in ["log", "private.db", "store"] {
        let path = folder.join(name);
        let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
    }
    let lost = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(matches!(lost, LedgerError::NoLog { .. }), "{lost}");
    let refused = Ledger::create(&folder, "example.com/recordings", surroundings(), None);
    assert!(matches!(refused.err().unwrap(), LedgerError::NotEmpty { .. }));
    // A kill while the keys are made leaves the mark, and some of the keys.
    std::fs::write(folder.join("init-begun"), "").unwrap();
    std::fs::remove_file(folder.join("keys/collector.key")).unwrap();
    let refused = Ledger::open(&folder, surroundings()).err().unwrap();
    assert!(matches!(refused, LedgerError::Unfinished { .. }), "{refused}");
    assert!(!refused.hint().contains("remove"), "no hint destroys keys: {}", refused.hint());
    let other = Ledger::create(&folder, "example.com/other", surroundings(), None);
    assert!(matches!(other.err().unwrap(), LedgerError::Key { .. }));
    let finished = created(&folder);
    assert_eq!((finished.size(), finished.trust_anchor()), (1, &anchor));
    drop(finished);
    // A kill when the genesis is sealed and not published: the same genesis is published.
    let genesis = std::fs::read(folder.join("log/checkpoint")).unwrap();
    std::fs::write(folder.join("init-begun"), "").unwrap();
    std::fs::remove_dir_all(folder.join("log")).unwrap();
    drop(created(&folder));
    assert_eq!(std::fs::read(folder.join("log/checkpoint")).unwrap(), genesis);
    assert!(!folder.join("init-begun").exists());
    assert_eq!(verified_size(&folder), 1);
}

#[test]
fn an_init_that_failed_can_be_repeated() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("ledger");
    // Randomness that fails stands for whatever fails in the middle.
    let failing = Surroundings { random: Box::new(Failing { draws: 4 }), ..surroundings() };
    Ledger::create(&folder, "example.com/recordings", failing, None).err().unwrap();
    assert_eq!(created(&folder).size(), 1);
}

struct Failing {
    draws: u32,
}

impl crate::random::Random for Failing {
    fn fill(&mut self, bytes: &mut [u8]) -> std::io::Result<()> {
        self.draws = self.draws.checked_sub(1).ok_or_else(|| std::io::Error::other("no more"))?;
        bytes.fill(self.draws as u8 + 1);
        Ok(())
    }
}
