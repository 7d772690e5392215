//! `unbroken audit --objects`: sealed objects are read again where they lie.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::bucket::Cloud;
use super::server::Fault;
use super::{CONVERSATION, Scene, written_before};

#[test]
fn what_lies_there_is_held_against_what_was_sealed() {
    let scene = Scene::new();
    let [kept, changed, gone, moved] = ["r-1", "r-2", "r-3", "r-4"]
        .map(|id| scene.recording(CONVERSATION, id, format!("the sound of {id}").as_bytes()));
    scene.ok(&["ingest", "export"]);
    let text = scene.ok(&["audit", "--objects"]);
    assert!(text.starts_with("8 objects: 8 matched; "), "{text}");
    assert!(text.contains("NO DIFFERENCE FOUND in what was read again"), "{text}");
    // As many bytes, of the same time: nothing but its bytes tells.
    let time = std::fs::metadata(&changed).unwrap().modified().unwrap();
    std::fs::write(&changed, "the sound of r-9").unwrap();
    std::fs::File::options().write(true).open(&changed).unwrap().set_modified(time).unwrap();
    std::fs::remove_file(&gone).unwrap();
    std::fs::copy(&kept, scene.path("spare")).unwrap();
    std::fs::remove_file(moved).unwrap();
    std::fs::write(scene.conversation(CONVERSATION).join("r-1.opus_metadata.json"), "{}").unwrap();
    let document = scene.json(&["audit", "--objects"]);
    assert_eq!(document["exit_code"], 1, "{document}");
    for (found, count) in [("matched", 4), ("changed", 2), ("missing", 2), ("moved", 0)] {
        assert_eq!(document["counts"][found], count, "{found}: {document}");
    }
    let text = scene.exits(1, &["audit", "--objects"]);
    let line = "CHANGED: entry 3: export: org-1/year=2026/month=9/day=5/hour=07/conversation_id=ea4303d8-014e-44f9-b770-5b15e6f86f1f/r-2.opus: sealed with SHA-256 ";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("r-3.opus: it is not there\n"), "{text}");
    assert!(text.contains("r-1.opus_metadata.json: sealed with SHA-256"), "{text}");
    // Whoever asks how the ledger stands hears of it until everything was audited once more, with no difference.
    let text = scene.exits(2, &["status"]);
    assert!(text.contains("found 2 changed, 2 missing: see to it"), "{text}");
    // What was found is sealed, and the ledger's own audit finds nothing wrong with it.
    assert_eq!(scene.json(&["status"])["size"], 10);
    scene.ok(&["audit"]);
}

#[test]
fn an_object_whose_bytes_lie_under_another_key_was_moved() {
    let scene = Scene::new();
    let first = scene.recording(CONVERSATION, "r-1", b"the same sound");
    scene.ok(&["ingest", "export"]);
    std::fs::rename(&first, first.with_file_name("r-2.opus")).unwrap();
    let sidecar = first.with_file_name("r-1.opus_metadata.json");
    std::fs::rename(sidecar, first.with_file_name("r-2.opus_metadata.json")).unwrap();
    scene.exits(2, &["ingest", "export"]);
    let document = scene.json(&["audit", "--objects"]);
    // The content pass has said that the first is gone: only the second is expected there.
    assert_eq!(
        (document["counts"]["matched"].as_u64(), document["exit_code"].as_u64()),
        (Some(2), Some(0)),
        "{document}"
    );
    std::fs::copy(first.with_file_name("r-2.opus"), first.with_file_name("r-3.opus")).unwrap();
    written_before(&first.with_file_name("r-3.opus"), 86_400);
    scene.exits(2, &["ingest", "export"]);
    std::fs::remove_file(first.with_file_name("r-2.opus")).unwrap();
    let document = scene.json(&["audit", "--objects"]);
    assert_eq!(
        (document["counts"]["moved"].as_u64(), document["exit_code"].as_u64()),
        (Some(1), Some(1)),
        "{document}"
    );
    assert_eq!(
        document["differences"][0]["why"],
        "it is not there; another sealed object has its bytes"
    );
}

#[test]
fn a_sample_is_drawn_and_what_cannot_be_read_is_not_called_changed() {
    let scene = Scene::new();
    for number in 0..30 {
        scene.recording(&format!("c-{number}"), "r-1", format!("sound {number}").as_bytes());
    }
    scene.run(&["ingest", "export"]);
    let document = scene.json(&["audit", "--objects", "--sample", "7"]);
    assert_eq!(
        (document["counts"]["matched"].as_u64(), document["exit_code"].as_u64()),
        (Some(14), Some(0))
    );
    let text = scene.exits(4, &["audit", "--objects", "--source", "another"]);
    assert!(text.contains("nothing of a source of this name is sealed"), "{text}");
    std::fs::rename(scene.export(), scene.path("elsewhere")).unwrap();
    let document = scene.json(&["audit", "--objects"]);
    assert_eq!(
        (document["counts"]["unreadable"].as_u64(), document["exit_code"].as_u64()),
        (Some(60), Some(2))
    );
    scene.exits(4, &["audit", "--sample", "7"]);
}

#[test]
fn objects_in_a_bucket_are_read_again() {
    let cloud = Cloud::new();
    let keys: Vec<String> = (0..5).map(|n| cloud.recording(&format!("r-{n}"))).collect();
    let (code, text, _) = cloud.ingest();
    assert_eq!(code, 0, "{text}");
    cloud.bucket.put(&keys[1], b"other bytes");
    cloud.bucket.remove(&keys[2]);
    cloud.bucket.fail(&keys[3], Some(Fault::Denied));
    let (code, text, document) = cloud.run(&["audit", "--objects"]);
    assert_eq!(code, 1, "{text}");
    for (found, count) in [("matched", 7), ("changed", 1), ("missing", 1), ("unreadable", 1)] {
        assert_eq!(document["counts"][found], count, "{found}: {document}");
    }
}

/// A bucket of a million recordings costs a million reads to audit, though S3 keeps what they were stored with.
#[test]
fn where_s3_keeps_the_sha256_that_was_sealed_no_byte_is_read_and_that_is_said() {
    let cloud = Cloud::new();
    let keys: Vec<String> = (0..4).map(|n| cloud.recording(&format!("r-{n}"))).collect();
    let (code, text, _) = cloud.ingest();
    assert_eq!(code, 0, "{text}");
    let sha256 = |key: &str| {
        use base64::Engine as _;
        let sha256 = unbroken_evidence::hash::Hash::of(&[&cloud.bucket.get(key)]);
        base64::engine::general_purpose::STANDARD.encode(sha256.as_bytes())
    };
    // S3 vouches for two, of one it has a checksum over the parts, and of one another than was sealed.
    for (key, kind) in
        [(&keys[0], "FULL_OBJECT"), (&keys[1], "FULL_OBJECT"), (&keys[2], "COMPOSITE")]
    {
        cloud.bucket.keeps(key, &sha256(key), kind);
    }
    cloud.bucket.keeps(&keys[3], &sha256(&keys[0]), "FULL_OBJECT");
    // What a server says that lies is no more than its word.
    cloud.bucket.put(&keys[1], b"other bytes");
    let before = cloud.bucket.gets();
    let audit = ["audit", "--objects", "--trust-s3-checksum"];
    let (code, text, document) = cloud.run(&audit);
    assert_eq!(code, 0, "{text}");
    assert_eq!(document["counts"]["by-checksum"], 2, "{document}");
    assert_eq!(document["counts"]["matched"], 6, "of the others the bytes tell: {document}");
    assert_eq!(cloud.bucket.gets() - before, 6);
    // Nobody asked for S3's word: the bytes tell.
    let (code, _, document) = cloud.run(&["audit", "--objects"]);
    assert_eq!((code, &document["counts"]["changed"]), (1, &1.into()), "{document}");
    // S3's word does not end what a reading found.
    cloud.run(&audit);
    let text = cloud.scene.exits(2, &["status"]);
    assert!(text.contains("found 1 changed: see to it"), "{text}");
    cloud.scene.exits(4, &["audit", "--trust-s3-checksum"]);
}

/// An audit of days that was stopped began anew, and of what it had found an end of it told nothing.
#[test]
fn an_audit_that_was_stopped_goes_on_where_it_stood() {
    let cloud = Cloud::new();
    let keys: Vec<String> = (0..300).map(|n| cloud.recording(&format!("r-{n:03}"))).collect();
    let (code, text, _) = cloud.ingest();
    assert_eq!(code, 0, "{text}");
    let (code, text, _) = cloud.run(&["audit", "--objects", "--resume"]);
    assert_eq!(code, 4, "{text}");
    // What one audit found, only all parts of another see to.
    cloud.bucket.put(&keys[3], b"other bytes");
    let (code, text, _) = cloud.run(&["audit", "--objects"]);
    assert_eq!(code, 1, "{text}");
    cloud.bucket.put(&keys[3], b"the bytes of r-003");
    // One of the second page never ends.
    cloud.bucket.fail(&keys[280], Some(Fault::Silent));
    let mut command = cloud.command(&["audit", "--objects", "--silence", "2"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let before = cloud.bucket.gets();
    while cloud.bucket.gets() - before < 560 && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let first: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{first}");
    let text = cloud.scene.exits(2, &["status"]);
    assert!(text.contains("found 1 changed: see to it"), "{text}");
    cloud.bucket.fail(&keys[280], None);
    let (code, text, rest) = cloud.run(&["audit", "--objects", "--resume"]);
    assert_eq!(code, 0, "{text}");
    // 256 recordings and their sidecars lie behind it.
    assert_eq!(rest["counts"]["matched"], 2 * (300 - 256), "{rest}");
    cloud.scene.ok(&["status"]);
    let (code, text, _) = cloud.run(&["audit", "--objects", "--resume"]);
    assert_eq!(code, 4, "{text}");
    cloud.scene.exits(4, &["audit", "--objects", "--resume", "--sample", "7"]);
}

/// An export at noon took the whole line of the office.
#[test]
fn a_bandwidth_is_kept_over_all_objects_and_a_stop_does_not_wait_for_it() {
    let cloud = Cloud::new();
    for n in 0..6 {
        let key = cloud.recording(&format!("r-{n}"));
        cloud.bucket.put(&key, &vec![n; 256 * 1024]);
    }
    let source = format!("s3://{}/org-1/", super::server::BUCKET);
    let began = Instant::now();
    let (code, text, _) = cloud.run(&["ingest", "--bandwidth", "1024", &source]);
    assert_eq!(code, 0, "{text}");
    // One and a half MiB; the last piece of each may come before its time.
    assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
    let mut command = cloud.command(&["audit", "--objects", "--bandwidth", "1"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let before = cloud.bucket.gets();
    while cloud.bucket.gets() == before && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(500));
    let id = child.id().to_string();
    let stopped = Instant::now();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    // It would have taken 25 minutes.
    assert!(stopped.elapsed() < Duration::from_secs(10), "{:?}", stopped.elapsed());
    assert_eq!(output.status.code(), Some(130));
    let (code, text, _) = cloud.run(&["ingest", "--bandwidth", "0", &source]);
    assert_eq!(code, 4, "{text}");
}

/// Of a mistyped folder its private.db was said to be lost, and to be restored.
#[test]
fn a_mistyped_ledger_is_told_as_one_that_is_not_there() {
    let scene = Scene::new();
    for command in [&["audit", "--objects"][..], &["audit"], &["list"], &["restore"]] {
        let text = scene.exits(4, &[command, &["--ledger", "ledgr"]].concat());
        assert!(text.contains("ledgr: no ledger is there"), "{command:?}: {text}");
    }
}
