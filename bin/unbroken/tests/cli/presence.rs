//! What was sealed and is gone, and what is back: noticed once, sealed, shown.

use super::bucket::Cloud;
use super::{CONVERSATION, Scene, written_before};

fn counts(document: &serde_json::Value) -> [u64; 3] {
    let source = &document["sources"][0];
    ["gone", "back", "sealed_again"].map(|name| source[name].as_u64().unwrap())
}

#[test]
fn a_recording_that_is_gone_is_noticed_once_and_so_is_its_return() {
    let scene = Scene::new();
    let media = scene.recording(CONVERSATION, "r-1", b"the bytes");
    scene.recording(CONVERSATION, "r-2", b"others");
    scene.ok(&["ingest", "export"]);
    std::fs::remove_file(&media).unwrap();
    let sidecar = format!("{}_metadata.json", media.display());
    let said = std::fs::read(&sidecar).unwrap();
    std::fs::remove_file(&sidecar).unwrap();
    let document = scene.json(&["ingest", "export"]);
    assert_eq!(counts(&document), [1, 0, 0], "{document}");
    assert_eq!(document["exit_code"], 2);
    let what = document["problems"][0]["what"].as_str().unwrap();
    assert!(what.contains("not there any more"), "{document}");
    scene.ok(&["ingest", "export"]);
    assert_eq!(scene.json(&["status"])["gone"], 1);
    scene.ok(&["audit"]);
    let text = scene.exits(2, &["exhibit", "--out", "gone.zip", "--recording", "r-1"]);
    assert!(text.contains("r-1"), "{text}");
    let (_, verdict) = scene.verify("gone.zip");
    assert!(verdict.contains("observation/what: gone"), "{verdict}");
    std::fs::write(&media, b"the bytes").unwrap();
    std::fs::write(&sidecar, said).unwrap();
    let document = scene.json(&["ingest", "export"]);
    assert_eq!(counts(&document), [0, 1, 0], "{document}");
    assert_eq!(counts(&scene.json(&["ingest", "export"])), [0, 0, 0]);
    assert_eq!(scene.json(&["status"])["gone"], 0);
    scene.ok(&["exhibit", "--out", "back.zip", "--recording", "r-1"]);
    let (code, verdict) = scene.verify("back.zip");
    assert!(code == 0 && verdict.contains("observation/what: back"), "{verdict}");
    scene.ok(&["audit"]);
}

/// A slip of the hand names another folder: nothing is missed there until it is the usual place.
#[test]
fn at_another_place_nothing_is_missed_yet() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"the bytes");
    scene.ok(&["ingest", "calls=export"]);
    std::fs::create_dir(scene.path("wrong")).unwrap();
    std::fs::write(scene.path("wrong/notes.txt"), b"another folder").unwrap();
    let document = scene.json(&["ingest", "calls=wrong"]);
    assert_eq!(counts(&document), [0, 0, 0], "{document}");
    let document = scene.json(&["ingest", "calls=export"]);
    assert_eq!(counts(&document), [0, 0, 0], "{document}");
    assert_eq!(scene.json(&["ingest", "calls=export"])["exit_code"], 2, "notes.txt is gone");
}

#[test]
fn what_a_run_did_not_list_is_not_gone() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"the bytes");
    scene.ok(&["ingest", "export"]);
    // Left out by dates, and by a limit: listed all the same.
    for arguments in [["--until", "2001-01-01"], ["--since", "2100-01-01"], ["--limit", "0"]] {
        let document = scene.json(&[&["ingest", "export"][..], &arguments].concat());
        assert_eq!(counts(&document), [0, 0, 0], "{document}");
    }
    // An empty folder, as of a disk that is not mounted.
    std::fs::rename(scene.export(), scene.path("elsewhere")).unwrap();
    std::fs::create_dir(scene.export()).unwrap();
    let document = scene.json(&["ingest", "export"]);
    assert_eq!(counts(&document), [0, 0, 0], "{document}");
    assert!(document.to_string().contains("is it mounted?"), "{document}");
    std::fs::remove_dir(scene.export()).unwrap();
    std::fs::rename(scene.path("elsewhere"), scene.export()).unwrap();
    assert_eq!(scene.json(&["ingest", "export"])["exit_code"], 0);
}

/// A bucket of recordings may hold other things too. What is left out by its key was sealed before, and is still
/// there.
#[test]
fn keys_that_are_not_wanted_are_left_out_and_are_not_gone() {
    let scene = Scene::new();
    let media = scene.recording(CONVERSATION, "r-1", b"the bytes");
    scene.recording("c-2", "r-2", b"others");
    scene.media("c-2", "r-3", b"without its sidecar");
    let plan = scene.json(&["ingest", "export", "--dry-run", "--exclude", "**/r-1.*"]);
    assert_eq!(plan["sources"][0]["excluded"], 2, "{plan}");
    assert_eq!(plan["sources"][0]["without_sidecar"], 1, "{plan}");
    scene.exits(2, &["ingest", "export"]);
    for pattern in [["--exclude", "**/r-1.*"], ["--include", "**/r-2.*"]] {
        let document = scene.json(&[&["ingest", "export"][..], &pattern].concat());
        assert_eq!(counts(&document), [0, 0, 0], "{document}");
        assert!(document["sources"][0]["excluded"].as_u64().unwrap() > 1, "{document}");
    }
    // Its bytes change: it is not looked at while its key is not wanted, and sealed again when it is.
    std::fs::write(&media, "other bytes").unwrap();
    let sealed_again = |arguments: &[&str]| {
        let document = scene.json(&[&["ingest", "export"][..], arguments].concat());
        document["sources"][0]["sealed_again"].clone()
    };
    assert_eq!(sealed_again(&["--exclude", "**/conversation_id=ea*/**"]), 0);
    assert_eq!(sealed_again(&[]), 1);
    // A sidecar that is left out is not looked for: its recording lacks it.
    scene.recording("c-3", "r-5", b"new");
    let document =
        scene.json(&["ingest", "export", "--include", "**/r-5.*", "--exclude", "**_metadata.json"]);
    let source = &document["sources"][0];
    assert_eq!((&source["sealed"], &source["incomplete"]), (&1.into(), &1.into()), "{document}");
    // A pattern that nothing fits is a slip: cron hears of it too.
    let text = scene.ok(&["ingest", "-q", "export", "--include", "r-1.*"]);
    assert!(text.contains("export: every object was left out: is a pattern"), "{text}");
    assert_eq!(scene.ok(&["ingest", "-q", "export", "--include", "**/r-1.*"]), "");
    let text = scene.exits(4, &["ingest", "export", "--include", "[a]"]);
    assert!(text.contains("--include, --exclude: ") && text.contains("brackets"), "{text}");
}

/// A crash between an observation's row and its entry leaves what stood before.
#[test]
fn an_observation_that_was_not_acknowledged_is_made_again() {
    let scene = Scene::new();
    let media = scene.recording(CONVERSATION, "r-1", b"the bytes");
    scene.recording(CONVERSATION, "r-2", b"others");
    scene.ok(&["ingest", "export"]);
    let before = scene.path("before");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        assert!(
            std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap().success()
        );
    };
    copy(&scene.path("ledger/store"), &before);
    let log = scene.path("log-before");
    copy(&scene.path("ledger/log"), &log);
    std::fs::remove_file(&media).unwrap();
    assert_eq!(counts(&scene.json(&["ingest", "export"])), [1, 0, 0]);
    // Store and log as before that run, private.db as behind it: as a kill before the store leaves it.
    for (from, to) in [(&before, "ledger/store"), (&log, "ledger/log")] {
        std::fs::remove_dir_all(scene.path(to)).unwrap();
        std::fs::rename(from, scene.path(to)).unwrap();
    }
    scene.forget();
    scene.exits(4, &["ingest", "export"]);
    scene.run(&["restore"]);
    let document = scene.json(&["ingest", "export"]);
    assert_eq!(counts(&document)[0], 1, "{document}");
}

/// A job that died a month ago left `status` at 0.
#[test]
fn a_job_that_does_not_run_any_more_is_told_by_status() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"the bytes");
    scene.exits(0, &["status", "--max-age", "1h"]);
    scene.ok(&["ingest", "export"]);
    let text = scene.ok(&["status", "--max-age", "1h"]);
    assert!(text.contains("last pass: entry 3, ") && text.contains(" s ago, finished"), "{text}");
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    let text = scene.exits(2, &["status", "--max-age", "1s"]);
    assert!(text.contains("source export: the last pass that finished was"), "{text}");
    assert!(text.contains("does the job run?"), "{text}");
    let text = scene.exits(4, &["status", "--max-age", "soon"]);
    assert!(text.contains("a number and a unit"), "{text}");
    // What the last pass left over is a problem until a pass finds it gone.
    scene.sidecar(CONVERSATION, "stray");
    scene.exits(2, &["ingest", "export"]);
    let text = scene.exits(2, &["status"]);
    assert!(text.contains("companions without recording in the last pass: 1"), "{text}");
    std::fs::remove_file(scene.conversation(CONVERSATION).join("stray.opus_metadata.json"))
        .unwrap();
    scene.ok(&["ingest", "export"]);
    scene.ok(&["status"]);
}

#[test]
fn runs_are_listed_the_newest_first() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"the bytes");
    scene.ok(&["ingest", "export"]);
    scene.ok(&["ingest", "export"]);
    let document = scene.json(&["passes"]);
    let passes = document["passes"].as_array().unwrap();
    let told: Vec<_> = passes
        .iter()
        .map(|pass| (pass["counts"]["sealed"].as_u64(), pass["counts"]["unchanged"].as_u64()))
        .collect();
    assert_eq!(told, [(Some(0), Some(2)), (Some(1), Some(0))], "{document}");
    let text = scene.ok(&["passes", "--most", "1", "--source", "export"]);
    assert!(text.lines().count() == 1 && text.contains("unchanged 2"), "{text}");
    let text = scene.ok(&["passes", "--source", "nobody"]);
    assert!(text.contains("no run is known"), "{text}");
}

/// A folder has neither tags nor holds, and what was never sealed has no state.
#[test]
fn a_state_pass_over_a_folder_has_nothing_to_read() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"the bytes");
    let text = scene.exits(4, &["state", "export"]);
    assert!(text.contains("nothing of it is sealed"), "{text}");
    scene.ok(&["ingest", "export"]);
    let text = scene.ok(&["state", "export"]);
    assert!(text.contains("state of 0 of 1 objects read"), "{text}");
    scene.ok(&["audit"]);
}

/// The story of one recording, in one command.
#[test]
fn the_history_of_a_recording_is_told_entry_by_entry() {
    let scene = Scene::new();
    let media = scene.media(CONVERSATION, "r-1", b"the bytes");
    scene.recording(CONVERSATION, "r-2", b"others");
    scene.exits(2, &["ingest", "export"]);
    scene.sidecar(CONVERSATION, "r-1");
    scene.exits(2, &["ingest", "export"]);
    std::fs::remove_file(&media).unwrap();
    scene.exits(2, &["ingest", "export"]);
    std::fs::write(&media, b"other bytes").unwrap();
    scene.exits(2, &["ingest", "export"]);
    let text = scene.ok(&["history", "--recording", "r-1"]);
    let said = [
        "recording r-1, conversation",
        "recording: sealed: call, 9 bytes, SHA-256",
        "INCOMPLETE: the sidecar is missing",
        "sealed again instead of entry",
        "1 metadata files, complete",
        "observation: the object is not there any more",
        "with OTHER BYTES than entry",
    ];
    for said in said {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("r-2"), "{text}");
    let document = scene.json(&["history", "--conversation", CONVERSATION]);
    assert_eq!(document["recordings"].as_array().unwrap().len(), 2, "{document}");
    let text = scene.exits(4, &["history", "--recording", "nobody"]);
    assert!(text.contains("nothing is sealed of nobody"), "{text}");
}

/// Whoever mounted the same tree elsewhere had all of it sealed a second time.
#[test]
fn a_tree_that_is_sealed_under_another_name_is_asked_about() {
    let scene = Scene::new();
    for id in ["r-1", "r-2", "r-3"] {
        scene.recording(CONVERSATION, id, format!("sound of {id}").as_bytes());
    }
    scene.ok(&["ingest", "export"]);
    let inner = scene.path("mnt/somewhere/else");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::rename(scene.export(), inner.join("tree")).unwrap();
    let entries = |scene: &Scene| scene.json(&["list"])["entries"].as_array().unwrap().len();
    let size = |scene: &Scene| scene.json(&["status"])["size"].as_u64().unwrap();
    let before = size(&scene);
    let text = scene.exits(4, &["ingest", "mnt"]);
    assert!(
        text.contains("source mnt: its first 3 recordings are sealed already, with the same bytes, as export, which was at /"),
        "{text}"
    );
    assert!(text.contains("--copies"), "{text}");
    assert_eq!((size(&scene), entries(&scene)), (before, 3), "nothing was sealed");
    let again = scene.ok(&["ingest", "export=mnt/somewhere/else/tree"]);
    assert!(again.contains("0 recordings sealed, 0 sealed again"), "{again}");
    scene.ok(&["ingest", "mnt", "--copies"]);
    assert_eq!(entries(&scene), 6);
    // Known by now: nobody is asked twice.
    scene.ok(&["ingest", "mnt"]);
    // Some of the same recordings are no tree that was moved.
    let other = scene.path("other");
    std::fs::create_dir(&other).unwrap();
    for (name, bytes) in [("a.opus", "sound of r-1"), ("b.opus", "sound of r-2"), ("c.opus", "new")]
    {
        std::fs::write(other.join(name), bytes).unwrap();
    }
    scene.ok(&["ingest", "other", "--layout", "plain"]);
}

/// A lifecycle rule deletes every night, and every night it was an alarm.
#[test]
fn what_a_lifecycle_rule_deleted_was_to_be_expected() {
    let cloud = Cloud::new();
    let keys = ["r-1", "r-2", "r-3"].map(|id| cloud.recording(id));
    cloud.bucket.expires(&keys[0], "Fri, 04 Sep 2026 00:00:00 GMT");
    cloud.bucket.expires(&keys[1], "Thu, 01 Jan 2099 00:00:00 GMT");
    let ingest = ["ingest", "s3://exports"];
    assert_eq!(cloud.run(&ingest).0, 0);
    for key in &keys {
        cloud.bucket.remove(key);
        cloud.bucket.remove(&format!("{key}_metadata.json"));
    }
    cloud.recording("r-4");
    let (code, text, document) = cloud.run(&ingest);
    let source = &document["sources"][0];
    let counts = ["gone", "expired", "problem_count"].map(|name| source[name].as_u64().unwrap());
    assert_eq!((code, counts), (2, [2, 1, 2]), "{text}");
    let told = source["problems"].to_string();
    assert!(
        !told.contains(&keys[0]) && told.contains(&keys[1]) && told.contains(&keys[2]),
        "{told}"
    );
    let history = cloud.scene.ok(&["history", "--recording", "r-1"]);
    assert!(
        history.contains("S3 said of it, as entry 2 has it: expiry-date=\"Fri, 04 Sep 2026"),
        "{history}"
    );
    assert!(!cloud.scene.ok(&["history", "--recording", "r-2"]).contains("expiry-date"));
}

/// Under a legal hold no rule deletes: whoever did, that is an alarm, whatever S3 had said and the run was told.
#[test]
fn what_was_deleted_under_a_legal_hold_is_never_expected() {
    let cloud = Cloud::new();
    let keys = ["r-1", "r-2"].map(|id| cloud.recording(id));
    for key in &keys {
        cloud.bucket.expires(key, "Fri, 04 Sep 2026 00:00:00 GMT");
    }
    cloud.bucket.hold(&keys[0]);
    let ingest = ["ingest", "s3://exports", "--expire-after-days", "1"];
    assert_eq!(cloud.run(&ingest).0, 0);
    for key in &keys {
        cloud.bucket.remove(key);
        cloud.bucket.remove(&format!("{key}_metadata.json"));
    }
    cloud.recording("r-3");
    let (code, text, document) = cloud.run(&ingest);
    let source = &document["sources"][0];
    let counts = ["gone", "expired"].map(|name| source[name].as_u64().unwrap());
    assert_eq!((code, counts), (2, [1, 1]), "{text}");
    let told = source["problems"].to_string();
    assert!(told.contains(&keys[0]) && !told.contains(&keys[1]), "{told}");
}

#[test]
fn what_is_older_than_objects_are_kept_was_to_be_expected() {
    let scene = Scene::new();
    let [old, new] = ["r-1", "r-2"].map(|id| scene.recording(CONVERSATION, id, id.as_bytes()));
    written_before(&old, 3 * 86_400);
    scene.recording("c-2", "r-3", b"stays");
    let ingest = ["ingest", "export", "--expire-after-days", "2"];
    scene.ok(&ingest);
    std::fs::remove_file(&old).unwrap();
    std::fs::remove_file(old.with_file_name("r-1.opus_metadata.json")).unwrap();
    let text = scene.ok(&ingest);
    assert!(text.contains(", 1 expired") && !text.contains("not there any more"), "{text}");
    std::fs::remove_file(&new).unwrap();
    std::fs::remove_file(new.with_file_name("r-2.opus_metadata.json")).unwrap();
    let text = scene.exits(2, &ingest);
    assert!(text.contains(", 1 not there any more") && !text.contains("expired"), "{text}");
}
