//! Damaged, moved and closed ledgers: refused with exit 4, and nothing acknowledged is lost.

use std::process::Command;

use super::{CONVERSATION, Scene};

pub(super) fn sealed_scene() -> Scene {
    let scene = Scene::new();
    for n in 0..20 {
        scene.recording(CONVERSATION, &format!("r-{n}"), format!("bytes {n}").as_bytes());
    }
    scene.ok(&["ingest", "export"]);
    scene
}

#[test]
fn a_store_cut_short_is_refused_and_restored() {
    let scene = sealed_scene();
    let db = scene.path("ledger/store/db");
    std::fs::OpenOptions::new().write(true).open(&db).unwrap().set_len(1_000).unwrap();
    scene.recording(CONVERSATION, "late", b"late");
    let text = scene.exits(4, &["ingest", "export"]);
    assert!(text.contains("ledger") && text.contains("unbroken restore"), "{text}");
    let text = scene.ok(&["restore"]);
    assert!(text.contains("rebuilt from the log"), "{text}");
    scene.ok(&["ingest", "export"]);
    assert!(scene.sealed().values().all(|count| *count == 1));
    assert_eq!(scene.sealed().len(), 21);
    scene.ok(&["audit"]);
}

#[test]
fn a_lost_private_db_needs_a_gap_and_a_reseal() {
    let scene = sealed_scene();
    for name in ["private.db", "private.db-wal", "private.db-shm"] {
        let _ = std::fs::remove_file(scene.path("ledger").join(name));
    }
    let text = scene.exits(4, &["ingest", "export"]);
    assert!(text.contains("private.db ends at 0"), "{text}");
    let text = scene.exits(2, &["restore"]);
    assert!(text.contains("22 lost") && text.contains("`gap`"), "{text}");
    let text = scene.exits(4, &["ingest", "export"]);
    assert!(text.contains("--reseal"), "{text}");
    let resealed = scene.json(&["ingest", "export", "--reseal"]);
    assert_eq!(resealed["sources"][0]["sealed"].as_u64(), Some(20), "{resealed}");
    let again = scene.json(&["ingest", "export"]);
    assert_eq!(again["sources"][0]["sealed"].as_u64(), Some(0), "{again}");
    // The opening of the genesis was kept beside the keys: exhibits can be made again.
    scene.ok(&["exhibit", "--conversation", CONVERSATION, "--out", "exhibit.zip"]);
    let (code, text) = scene.verify("exhibit.zip");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn an_opening_that_was_changed_is_not_handed_over() {
    // It would convict its owner: the other side would read of an alteration.
    let scene = sealed_scene();
    let db = std::fs::read(scene.path("ledger/private.db")).unwrap();
    let place = db.windows(9).rposition(|window| window == b"recording").unwrap();
    let mut changed = db;
    changed[place] ^= 1;
    std::fs::write(scene.path("ledger/private.db"), changed).unwrap();
    let text = scene.exits(1, &["audit"]);
    assert!(text.contains("private.db has another opening"), "{text}");
    let text = scene.exits(2, &["exhibit", "--all", "--out", "exhibit"]);
    assert!(text.contains("lost or damaged in private.db"), "{text}");
    let (code, text) = scene.verify("exhibit");
    assert_eq!(code, 2, "{text}");
}

#[test]
fn each_source_is_sealed_anew_once_after_a_loss() {
    let scene = Scene::new();
    for n in 0..20 {
        scene.recording(&format!("c-{n}"), &format!("r-{n}"), format!("bytes {n}").as_bytes());
    }
    scene.ok(&["ingest", "export"]);
    std::fs::create_dir(scene.path("second")).unwrap();
    std::fs::write(scene.path("second/a.wav"), b"a").unwrap();
    let second = ["ingest", "second", "--layout", "plain"];
    scene.ok(&second);
    std::fs::remove_file(scene.path("ledger/private.db")).unwrap();
    scene.exits(2, &["restore"]);
    // One that does not come to its end is gone on with: nothing is sealed by both.
    for (limit, sealed) in [("2", 2), ("5", 5), ("100", 13), ("100", 0)] {
        let done = scene.json(&["ingest", "export", "--reseal", "--limit", limit]);
        assert_eq!(done["sources"][0]["sealed"].as_u64(), Some(sealed), "{done}");
    }
    scene.ok(&["ingest", "export", "--reseal"]);
    scene.ok(&["ingest", "export"]);
    let known = scene.sealed().into_iter().filter(|(key, _)| key.contains("r-"));
    assert_eq!(known.map(|(_, count)| count).collect::<Vec<_>>(), [1; 20]);
    // The other source is still unknown: without --reseal it would be sealed twice in silence.
    let text = scene.exits(4, &second);
    assert!(text.contains("--reseal"), "{text}");
    scene.ok(&[second.as_slice(), &["--reseal"]].concat());
    scene.ok(&second);
    let text = scene.exits(4, &[second.as_slice(), &["--reseal"]].concat());
    assert!(text.contains("leave `--reseal` out"), "{text}");
}

#[test]
fn a_ledger_that_may_not_be_written_is_named() {
    let scene = sealed_scene();
    std::os::unix::fs::chown(scene.folder.path(), Some(65_534), None).unwrap();
    let program = scene.path("unbroken-copy");
    std::fs::copy(env!("CARGO_BIN_EXE_unbroken"), &program).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["ingest", "--ledger", "ledger", "export"])
        .current_dir(scene.folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(
        text.contains("ledger/") && text.contains("denied") && text.contains("hint:"),
        "{text}"
    );
}

#[test]
fn differences_between_the_parts_are_found_by_the_audit() {
    let scene = sealed_scene();
    let bundle = scene.path("ledger/log/tile/entries/000.p/23");
    let mut bytes = std::fs::read(&bundle).unwrap();
    let place = bytes
        .windows(10)
        .position(|window| window == b"\"size\":7,\"" || window == b"\"size\":7}")
        .unwrap_or(900);
    bytes[place] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let text = scene.exits(1, &["audit"]);
    assert!(text.contains("DIFFERENCES FOUND") || text.contains("ALTERATION"), "{text}");
}

#[test]
fn what_is_no_ledger_is_said_to_be_none() {
    let scene = Scene::new();
    for command in
        [["status"].as_slice(), &["list"], &["audit"], &["restore"], &["ingest", "export"]]
    {
        let text = scene.exits(4, &[command, &["--ledger", "nowhere"]].concat());
        assert!(text.contains("nowhere"), "{command:?}: {text}");
    }
}

#[test]
fn status_tells_of_a_checkpoint_that_is_not_this_ledgers_and_of_a_missing_store() {
    let scene = sealed_scene();
    scene.ok(&["status"]);
    scene.ok(&["init", "other", "--origin", "example.com/recordings"]);
    let path = scene.path("ledger/log/checkpoint");
    let own = std::fs::read(&path).unwrap();
    let mut flipped = own.clone();
    let last = flipped.len() - 10;
    flipped[last] = if flipped[last] == b'A' { b'B' } else { b'A' };
    std::fs::write(&path, flipped).unwrap();
    let text = scene.exits(2, &["status"]);
    assert!(text.contains("not signed by this ledger's log key"), "{text}");
    std::fs::write(&path, own).unwrap();
    std::fs::rename(scene.path("ledger/store"), scene.path("store")).unwrap();
    let text = scene.exits(2, &["status"]);
    assert!(text.contains("the store is missing"), "{text}");
}

#[test]
fn a_ledger_that_was_put_back_as_a_whole_is_told_by_its_head_copy() {
    let scene = Scene::new();
    scene.ok(&["init", "kept", "--origin", "example.com/o", "--head-copy", "head"]);
    let copy = |from: &str, to: &str| {
        let done = Command::new("cp").arg("-a").arg(scene.path(from)).arg(scene.path(to)).status();
        assert!(done.unwrap().success());
    };
    copy("kept", "old");
    scene.recording(CONVERSATION, "r-1", b"one");
    scene.ok(&["ingest", "export", "--ledger", "kept"]);
    scene.ok(&["audit", "--ledger", "kept"]);
    scene.ok(&["status", "--ledger", "kept"]);
    std::fs::remove_dir_all(scene.path("kept")).unwrap();
    copy("old", "kept");
    for (code, command) in [(1, "audit"), (2, "status"), (4, "restore")] {
        let text = scene.exits(code, &[command, "--ledger", "kept"]);
        assert!(text.contains("head copy"), "{command}: {text}");
    }
    // A pipe in its place is waited for by nobody.
    std::fs::remove_file(scene.path("head")).unwrap();
    assert!(Command::new("mkfifo").arg(scene.path("head")).status().unwrap().success());
    let text = scene.exits(4, &["ingest", "export", "--ledger", "kept"]);
    assert!(text.contains("it is no plain file"), "{text}");
}

/// Nobody had named a place for a head copy, and an old state went on unnoticed on the same machine.
#[test]
fn an_old_state_that_is_put_back_is_noticed_by_the_machine_that_sealed_the_newer_one() {
    let scene = Scene::new();
    let copy = |from: &str, to: &str| {
        let done = Command::new("cp").arg("-a").arg(scene.path(from)).arg(scene.path(to)).status();
        assert!(done.unwrap().success());
    };
    copy("ledger", "old");
    scene.recording(CONVERSATION, "r-1", b"one");
    scene.ok(&["ingest", "export"]);
    let text = scene.exits(4, &["restore", "--ledger", "old"]);
    assert!(text.contains("the checkpoint that this machine remembers"), "{text}");
    // A copy may be tried where nothing is remembered, and tells what it is.
    let mut restore = scene.command(&["restore", "--ledger", "old"]);
    let tried = restore.env("XDG_STATE_HOME", "/dev/null").status().unwrap();
    assert_eq!(tried.code(), Some(0));
    scene.ok(&["audit", "--ledger", "old"]);
    let text = scene.exits(2, &["status", "--ledger", "old"]);
    assert!(text.contains("the ledger was put back to an old state"), "{text}");
    let text = scene.exits(4, &["ingest", "export", "--ledger", "old"]);
    assert!(text.contains("the checkpoint that this machine remembers"), "{text}");
    assert!(text.contains("docs/backup.md"), "{text}");
    // The other one goes on.
    scene.recording(CONVERSATION, "r-2", b"two");
    scene.ok(&["ingest", "export"]);
    // A machine that cannot remember refuses nothing.
    std::fs::remove_dir_all(scene.path("state")).unwrap();
    std::fs::write(scene.path("state"), b"no folder").unwrap();
    scene.ok(&["ingest", "export"]);
    scene.ok(&["ingest", "export", "--ledger", "old"]);
}

#[test]
fn an_init_whose_head_copy_cannot_be_written_leaves_nothing_behind() {
    let scene = Scene::new();
    let init = ["init", "fresh", "--origin", "example.com/o", "--head-copy"];
    let text = scene.exits(4, &[init.as_slice(), &["no/such/place"]].concat());
    assert!(text.contains("the head copy cannot be written"), "{text}");
    let text = scene.exits(4, &[init.as_slice(), &["fresh/log/copy"]].concat());
    assert!(text.contains("the head copy cannot be written"), "{text}");
    scene.ok(&[init.as_slice(), &["copy"]].concat());
}

#[test]
fn keys_that_are_gone_are_named_and_an_audit_does_without() {
    let scene = sealed_scene();
    std::fs::rename(scene.path("ledger/keys"), scene.path("safe")).unwrap();
    let text = scene.exits(4, &["ingest", "export"]);
    assert!(text.contains("the folder of the keys is missing"), "{text}");
    std::fs::create_dir(scene.path("ledger/keys")).unwrap();
    let text = scene.exits(2, &["audit"]);
    assert!(text.contains("keys: NOT CHECKED"), "{text}");
}

#[test]
fn a_log_that_is_gone_is_named_and_published_again() {
    let scene = sealed_scene();
    std::fs::remove_dir_all(scene.path("ledger/log")).unwrap();
    let text = scene.exits(4, &["status"]);
    assert!(text.contains("ledger/log: the published log is missing"), "{text}");
    scene.ok(&["ingest", "export"]);
    scene.ok(&["audit"]);
}

#[test]
fn a_key_of_another_ledger_signs_nothing() {
    let scene = sealed_scene();
    scene.ok(&["init", "other", "--origin", "example.com/recordings"]);
    let key = "keys/collector.key";
    std::fs::copy(scene.path("other").join(key), scene.path("ledger").join(key)).unwrap();
    let text = scene.exits(4, &["ingest", "export"]);
    assert!(text.contains("collector.key: it is not the collector key of this ledger"), "{text}");
    let text = scene.exits(1, &["audit"]);
    assert!(text.contains("collector.key: it is not the collector key"), "{text}");
    // `restore` brings no key back.
    assert!(text.contains("put back the copy of DIR/keys"), "{text}");
}

#[test]
fn a_private_db_that_knows_more_than_is_left_is_told_and_restored() {
    // A full disk can leave the store damaged and the log behind: what private.db alone knows is
    // set aside, and the ledger goes on.
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"first");
    scene.ok(&["ingest", "export"]);
    let status = Command::new("cp")
        .arg("-a")
        .arg(scene.path("ledger/log"))
        .arg(scene.path("old-log"))
        .status();
    assert!(status.unwrap().success());
    scene.recording(CONVERSATION, "r-2", b"second");
    scene.ok(&["ingest", "export"]);
    std::fs::remove_dir_all(scene.path("ledger/log")).unwrap();
    std::fs::rename(scene.path("old-log"), scene.path("ledger/log")).unwrap();
    std::fs::remove_dir_all(scene.path("ledger/store")).unwrap();
    scene.forget();
    let text = scene.exits(4, &["ingest", "export"]);
    assert!(text.contains("ledger/store: the store failed: it is missing"), "{text}");
    let text = scene.exits(4, &["audit"]);
    assert!(text.contains("unbroken restore"), "{text}");
    // Entries that were sealed are in neither log nor store any more: that is never passed over.
    let text = scene.exits(1, &["restore"]);
    assert!(text.contains("GONE: entries") && text.contains("set aside in private.db"), "{text}");
    let again = scene.json(&["ingest", "export"]);
    assert_eq!(again["sources"][0]["sealed"].as_u64(), Some(1), "{again}");
    scene.ok(&["audit"]);
}

#[test]
fn status_tells_what_is_cheap_to_tell() {
    let scene = sealed_scene();
    scene.ok(&["init", "other", "--origin", "example.com/recordings"]);
    let own = |name: &str| std::fs::read(scene.path("ledger").join(name)).unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(scene.path("ledger").join(name), bytes);
    for (name, said) in [
        ("keys/collector.key", "it is not the collector key of this ledger"),
        ("keys/log.key", "it is not the log key of this ledger"),
        ("private.db", "private.db is another ledger's"),
    ] {
        let kept = own(name);
        std::fs::copy(scene.path("other").join(name), scene.path("ledger").join(name)).unwrap();
        let text = scene.exits(2, &["status"]);
        assert!(text.contains(said), "{name}: {text}");
        put(name, &kept).unwrap();
        scene.ok(&["status"]);
    }
    let name = "log/tile/0/000.p/23";
    let kept = own(name);
    put(name, &kept[..20]).unwrap();
    let text = scene.exits(2, &["status"]);
    assert!(text.contains(&format!("{name} has 20 bytes, which cannot be")), "{text}");
    std::fs::remove_file(scene.path("ledger").join(name)).unwrap();
    let text = scene.exits(2, &["status"]);
    assert!(text.contains(&format!("{name} is missing")), "{text}");
}
