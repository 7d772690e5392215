//! An audit leaves nothing out: each table of private.db, each file beside the keys.

use std::path::Path;
use std::sync::Arc;

use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::opening::Opening;

use super::{append, created, recording, surroundings};
use crate::audit::{Progress, audit};
use crate::ledger::Ledger;
use crate::place::private_path;
use crate::private::{Document, Private, Row};
use crate::row::PreparedRow;

const SIDECAR: &[u8] = br#"{"mediaType":"Call"}"#;

/// A ledger in which every table of private.db has rows: of entry 1, a recording with a captured sidecar,
/// and of entry 2, a pass.
pub(super) fn whole_ledger(folder: &Path) {
    let mut ledger = created(folder);
    let mut entry = recording(&mut ledger, 7);
    let digest = Hash::of(&[&7_u64.to_be_bytes()]).to_string();
    let (set, seed) = ledger
        .fields(vec![
            Value::string("content", "/sha256", &digest),
            Value::string("content", "/blake3", &digest),
            Value::number("content", "/size", 8),
            Value::string("object", "/store", "folder"),
            Value::string("object", "/bucket", "calls"),
            Value::text_or_bytes("object", "/key", &7_u64.to_be_bytes()),
            Value::string("companion", "/0/key", "7.json"),
            Value::string("companion", "/0/role", "sidecar"),
            Value::string("companion", "/0/sha256", &Hash::of(&[SIDECAR]).to_string()),
        ])
        .unwrap();
    if let unbroken_evidence::body::Body::Recording(recording) = &mut entry.body {
        recording.fields = set.commitment();
    }
    entry.row.opening = Opening::of(set, Some([7; 32]));
    entry.row.seed = Some(seed);
    entry.row.documents =
        vec![Document { key: b"7.json".to_vec(), bytes: Arc::new(SIDECAR.to_vec()) }];
    ledger.append(vec![entry]).unwrap();
    let row = Row { listing: vec![b"a part of a listing".to_vec()], ..Row::default() };
    let source = Value::string("pass", "/source/name", "calls");
    let location = Value::string("pass", "/source/location", "/exports/calls");
    ledger.append_fields(Kind::Pass, vec![source, location], row).unwrap();
    append(&mut ledger, 10..15).unwrap();
    ledger.checkpoint().unwrap();
}

pub(super) fn change(folder: &Path, sql: &str) {
    let db = rusqlite::Connection::open(folder.join("private.db")).unwrap();
    assert_eq!(db.execute(sql, []).unwrap(), 1, "{sql}");
}

/// The exit code of an audit, and its differences in one text.
pub(super) fn audited(folder: &Path) -> (u8, String) {
    let audit = audit(folder, "a test", 2, &Progress::default()).unwrap();
    (audit.exit_code(), audit.differences.join("\n"))
}

/// Each a change of one row, and what the audit says of it.
pub(super) const CHANGES: [(&str, &str); 13] = [
    ("DELETE FROM objects WHERE idx = 1", "entry 1: in private.db the row of its object"),
    (
        "UPDATE objects SET stamp = x'07' WHERE idx = 1",
        "the row of its object is missing or changed",
    ),
    ("UPDATE objects SET source = 9 WHERE idx = 1", "the row of its object is missing or changed"),
    ("UPDATE objects SET companions = zeroblob(32) WHERE idx = 1", "the row of its object"),
    ("UPDATE objects SET incomplete = 1 WHERE idx = 1", "the row of its object"),
    ("UPDATE objects SET sha256 = 'no hash' WHERE idx = 1", "entry 1: what private.db keeps of it"),
    ("DELETE FROM documents WHERE idx = 1", "a captured document is missing or changed"),
    (
        "UPDATE documents SET bytes = x'7b7d' WHERE idx = 1",
        "a captured document is missing or changed",
    ),
    ("DELETE FROM listings WHERE idx = 2", "entry 2: in private.db its listing is missing"),
    ("UPDATE openings SET parts = x'00' WHERE idx = 2", "entry 2: in private.db its listing"),
    ("UPDATE openings SET opening = x'00' WHERE idx = 2", "entry 2: what private.db keeps of it"),
    ("DELETE FROM sources", "the source of its object is missing"),
    ("UPDATE sources SET name = 'other'", "its object's source has another name"),
];

#[test]
fn a_change_of_any_table_of_private_db_is_found() {
    for (sql, said) in CHANGES {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("ledger");
        whole_ledger(&folder);
        assert_eq!(audited(&folder), (0, String::new()));
        change(&folder, sql);
        let (code, text) = audited(&folder);
        assert!(code == 1 && text.contains(said), "{sql}: {code} {text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    whole_ledger(&folder);
    let db = rusqlite::Connection::open(folder.join("private.db")).unwrap();
    assert!(db.execute("DELETE FROM lookups_0 WHERE idx = 2", []).unwrap() > 0);
    let (code, text) = audited(&folder);
    assert!(code == 1 && text.contains("entry 2: in private.db a lookup"), "{text}");
    db.execute("DELETE FROM openings WHERE idx = 2", []).unwrap();
    assert_eq!(audited(&folder).0, 2, "an opening that is lost is counted");
}

#[test]
fn rows_that_agree_with_themselves_and_not_with_their_entry_are_found() {
    type Change = fn(&mut Row);
    let changes: [(Change, &str); 6] = [
        (|row| row.object = None, "the row of its object is missing"),
        (
            |row| row.object.as_mut().unwrap().incomplete = true,
            "says something else than the entry",
        ),
        (|row| row.object.as_mut().unwrap().sha256 = Hash::of(&[]), "says something else"),
        (|row| row.object.as_mut().unwrap().key = b"8".to_vec(), "says something else"),
        (|row| row.lookups.truncate(1), "a lookup is missing"),
        (|row| row.documents[0].bytes = Arc::default(), "a document has other bytes"),
    ];
    for (change, said) in changes {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("ledger");
        whole_ledger(&folder);
        let mut private = Private::open(&private_path(&folder)).unwrap();
        let (leaf, opening) = private.opening(1).unwrap().unwrap();
        let lookups = private.lookups(1).unwrap().into_iter().filter(|(index, _)| *index == 1);
        let lookups = lookups.map(|(_, prefix)| prefix).collect();
        let mut row = Row { opening, ..private.beside(1, lookups).unwrap() };
        change(&mut row);
        private.replace(vec![(1, PreparedRow::of(leaf, row))]).unwrap();
        drop(private);
        let (code, text) = audited(&folder);
        assert!(code == 1 && text.contains(said), "{said}: {code} {text}");
    }
}

#[test]
fn keys_that_are_missing_or_of_another_ledger_are_differences() {
    let place = tempfile::tempdir().unwrap();
    let (folder, other) = (place.path().join("ledger"), place.path().join("other"));
    whole_ledger(&folder);
    drop(created(&other));
    let keys = folder.join("keys");
    for name in ["control.key", "log.key", "collector.key", "control-0.json"] {
        let own = std::fs::read(keys.join(name)).unwrap();
        std::fs::copy(other.join("keys").join(name), keys.join(name)).unwrap();
        let (code, text) = audited(&folder);
        assert!(code == 1 && text.contains(name), "{name} of another ledger: {text}");
        std::fs::remove_file(keys.join(name)).unwrap();
        let (code, text) = audited(&folder);
        assert!(code == 1 && text.contains(name), "{name} is missing: {text}");
        std::fs::copy(other.join("keys").join(name), keys.join(name)).unwrap();
        std::fs::write(keys.join(name), own).unwrap();
        assert_eq!(audited(&folder).0, 0, "{name}");
    }
    // A copy without keys, as an auditor has it, is no ledger with a fault.
    std::fs::remove_dir_all(&keys).unwrap();
    std::fs::create_dir(&keys).unwrap();
    let audit = audit(&folder, "a test", 2, &Progress::default()).unwrap();
    assert_eq!((audit.exit_code(), audit.keys_not_checked.is_some()), (2, true));
}

#[test]
fn damage_of_the_file_itself_is_a_difference_and_no_end_of_the_audit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    whole_ledger(&folder);
    drop(Ledger::open(&folder, surroundings()).unwrap());
    let path = folder.join("private.db");
    let whole = std::fs::read(&path).unwrap();
    for page in 0..whole.len() / 4_096 {
        let mut damaged = whole.clone();
        damaged[page * 4_096..page * 4_096 + 100].fill(0xff);
        std::fs::write(&path, damaged).unwrap();
        let (code, text) = audited(&folder);
        assert!(code == 1, "page {page}: {code} {text}");
    }
}

/// A run that ended between head copy and publishing was told as "put back to an old state".
#[test]
fn a_log_that_a_run_left_behind_is_no_old_state() {
    let outside = tempfile::tempdir().unwrap();
    let (folder, copy) = (outside.path().join("ledger"), outside.path().join("head-copy"));
    let mut ledger = created(&folder);
    ledger.set_head_copy(&copy).unwrap();
    let old_log = outside.path().join("old-log");
    let mut copy_log = std::process::Command::new("cp");
    let copied = copy_log.arg("-a").arg(folder.join("log")).arg(&old_log).status();
    assert!(copied.unwrap().success());
    append(&mut ledger, 0..3).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    std::fs::rename(folder.join("log"), outside.path().join("new-log")).unwrap();
    std::fs::rename(&old_log, folder.join("log")).unwrap();
    let found = audit(&folder, "test", 1, &Progress::default()).unwrap();
    assert_eq!((found.unpublished, found.differences.as_slice()), (3, &[][..]));
    // Where the store is old too, the copy is the one that knows.
    let known = (1, 1);
    let anchor = crate::keys::Keys::load(&folder.join("keys")).unwrap().log.verifier().clone();
    let problem = crate::head_copy::problem(&folder, &anchor, known).unwrap().unwrap();
    assert!(problem.ends_with("the ledger was put back to an old state"), "{problem}");
}
