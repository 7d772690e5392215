//! Bad objects and hostile names: sealed or reported for what they are, never fatal to the rest.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use super::{CONVERSATION, Scene};

fn problems(document: &serde_json::Value) -> Vec<String> {
    let each = document["problems"].as_array().unwrap().iter();
    each.map(|problem| {
        format!("{}: {}", problem["key"].as_str().unwrap(), problem["what"].as_str().unwrap())
    })
    .collect()
}

fn has(problems: &[String], key: &str, what: &str) -> bool {
    problems.iter().any(|problem| problem.contains(key) && problem.contains(what))
}

#[test]
fn a_missing_source_is_named_and_nothing_is_sealed() {
    let scene = Scene::new();
    let text = scene.exits(4, &["ingest", "no-such-folder"]);
    assert!(text.contains("no-such-folder") && text.contains("hint:"), "{text}");
    assert_eq!(scene.json(&["status"])["size"].as_u64(), Some(1));
}

#[test]
fn every_version_of_a_folders_files_is_asked_for_in_vain() {
    let scene = Scene::new();
    scene.recording("c-1", "r-1", b"one");
    let text = scene.exits(4, &["ingest", "--all-versions", "export"]);
    assert!(text.contains("a folder keeps no versions of its files"), "{text}");
    assert_eq!(scene.json(&["status"])["size"].as_u64(), Some(1));
}

#[test]
fn a_missing_source_does_not_stop_the_others() {
    let scene = Scene::new();
    scene.recording("c-1", "r-1", b"one");
    let document = scene.json(&["ingest", "unmounted", "export"]);
    assert_eq!(document["exit_code"].as_u64(), Some(4), "{document}");
    assert_eq!(document["sources"][0]["source"].as_str(), Some("unmounted"), "{document}");
    assert_eq!(document["sources"][1]["sealed"].as_u64(), Some(1), "{document}");
}

/// A recording whose metadata file can have no such name, or is a folder, was never sealed.
#[test]
fn a_sidecar_that_cannot_be_there_is_missing() {
    let scene = Scene::new();
    scene.media("c-1", &"n".repeat(244), b"a name of 249 letters");
    scene.media("c-1", "r-2", b"a folder lies in the place of its sidecar");
    std::fs::create_dir(scene.conversation("c-1").join("r-2.opus_metadata.json")).unwrap();
    let document = scene.json(&["ingest", "export"]);
    let counts = ["sealed", "incomplete"].map(|name| document["sources"][0][name].as_u64());
    assert_eq!(counts, [Some(2), Some(2)], "{document}");
}

/// A scheduler mails whatever a job prints: nothing where all is well, and each finding where something is not.
#[test]
fn a_quiet_run_prints_what_it_found_and_nothing_else() {
    let scene = Scene::new();
    scene.recording("c-1", "r-1", b"one");
    assert_eq!(scene.ok(&["ingest", "-q", "export"]), "");
    scene.media("c-1", "r-2", b"without its sidecar");
    let text = scene.exits(2, &["ingest", "-q", "export"]);
    assert!(
        text.contains("r-2.opus: incomplete: the sidecar is missing [companion-missing]"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1, "{text}");
    assert_eq!(scene.ok(&["ingest", "-q", "export"]), "", "once");
}

/// The metadata file of a recording that was not sealed again was counted with the one that was.
#[test]
fn what_lies_beside_a_changed_recording_is_counted_as_it_is() {
    let scene = Scene::new();
    scene.recording("c-1", "r-1", b"one");
    scene.recording("c-1", "r-2", b"two");
    scene.ok(&["ingest", "export"]);
    scene.media("c-1", "r-1", b"another one");
    let document = scene.json(&["ingest", "export"]);
    let source = &document["sources"][0];
    let counts = ["sealed_again", "companions", "unchanged"].map(|name| source[name].as_u64());
    assert_eq!(counts, [Some(1), Some(1), Some(2)], "{document}");
}

#[test]
fn every_kind_of_bad_object_is_told_apart_and_the_rest_is_sealed() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "good", b"bytes");
    scene.recording("empty", "zero", b"");
    let folder = scene.conversation("bad");
    scene.media("bad", "broken-sidecar", b"bytes");
    std::fs::write(folder.join("broken-sidecar.opus_metadata.json"), "{\"media").unwrap();
    scene.recording("lied", "named-otherwise", b"bytes");
    let sidecar = scene.conversation("lied").join("named-otherwise.opus_metadata.json");
    let text = std::fs::read_to_string(&sidecar).unwrap().replace("lied", "another");
    std::fs::write(&sidecar, text).unwrap();
    scene.sidecar("alone", "no-recording");
    symlink("/etc/hostname", folder.join("link.opus")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("pipe.opus")).status().unwrap().success());
    let document = scene.json(&["ingest", "export"]);
    let problems = problems(&document);
    assert_eq!(document["exit_code"].as_u64(), Some(2));
    assert!(has(&problems, "zero.opus", "no bytes"), "{problems:?}");
    assert!(has(&problems, "broken-sidecar.opus", "the sidecar is not read"), "{problems:?}");
    assert!(
        has(&problems, "named-otherwise.opus", "another conversation than the path"),
        "{problems:?}"
    );
    assert!(
        has(&problems, "no-recording.opus_metadata.json", "sidecar without recording"),
        "{problems:?}"
    );
    assert!(
        has(&problems, "link.opus", "a link") && has(&problems, "pipe.opus", "a pipe"),
        "{problems:?}"
    );
    assert_eq!(scene.sealed().len(), 4, "{:?}", scene.sealed());
    scene.ok(&["audit"]);
    // What could not be dealt with is looked at, and told, again.
    assert_eq!(scene.json(&["ingest", "export"])["exit_code"].as_u64(), Some(2));
}

#[test]
fn an_unreadable_object_does_not_stop_the_others() {
    let scene = Scene::new();
    scene.recording("c-1", "good", b"bytes");
    let closed = scene.recording("c-2", "closed", b"bytes");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything, so the program runs as somebody else.
    for name in ["ledger", "export"] {
        let status =
            Command::new("chown").arg("-R").arg("65534:65534").arg(scene.path(name)).status();
        assert!(status.unwrap().success(), "this test runs as root");
    }
    std::fs::set_permissions(scene.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = scene.path("unbroken-copy");
    std::fs::copy(env!("CARGO_BIN_EXE_unbroken"), &program).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["ingest", "--ledger", "ledger", "export", "--json"])
        .current_dir(scene.folder.path())
        .output()
        .unwrap();
    let document: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(output.status.code(), Some(2), "{document}");
    let problems = problems(&document);
    assert!(has(&problems, "closed.opus", "may not be read"), "{problems:?}");
    assert_eq!(document["sources"][0]["sealed"].as_u64(), Some(1), "{document}");
}

// spec: F11
#[test]
fn what_could_not_be_looked_at_is_told_whatever_the_dates() {
    let scene = Scene::new();
    scene.recording("closed", "r-1", b"one");
    let closed = scene.conversation("closed");
    std::fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    let chown = Command::new("chown").args(["-R", "65534"]).arg(scene.folder.path()).status();
    assert!(chown.unwrap().success());
    let program = scene.path("unbroken-copy");
    std::fs::copy(env!("CARGO_BIN_EXE_unbroken"), &program).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["ingest", "--ledger", "ledger", "export", "--since", "2026-01-01"])
        .current_dir(scene.folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    std::fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("a folder that may not be listed"), "{text}");
}

#[test]
fn names_of_any_bytes_are_sealed_and_never_printed_raw() {
    let scene = Scene::new();
    let deep = scene.export().join("x".repeat(250)).join("y".repeat(250)).join("z".repeat(250));
    std::fs::create_dir_all(&deep).unwrap();
    let names: [&[u8]; 7] = [
        b"two words.wav",
        b"line\nbreak.wav",
        "\u{dc}mlaut \u{1f3a7}.wav".as_bytes(),
        b"latin\xe9.wav",
        b"..wav..",
        b"\x1b[31mred\x1b]0;title\x07.wav",
        "\u{202e}vaw.wav".as_bytes(),
    ];
    for name in names {
        std::fs::write(scene.export().join(OsStr::from_bytes(name)), name).unwrap();
    }
    std::fs::write(deep.join("w".repeat(200)), b"a key of nearly 1,000 bytes").unwrap();
    scene.ok(&["ingest", "export", "--layout", "plain", "-v"]);
    scene.ok(&["list"]);
    assert_eq!(scene.sealed().len(), 8);
    scene.ok(&["exhibit", "--out", "exhibit.zip", "--all"]);
    let (code, text) = scene.verify("exhibit.zip");
    assert_eq!(code, 0, "{text}");
    let again = scene.json(&["ingest", "export", "--layout", "plain"]);
    assert_eq!(again["sources"][0]["unchanged"].as_u64(), Some(8), "{again}");
}

#[test]
fn a_long_transcript_is_a_companion_and_no_recording() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"bytes");
    let words: Vec<String> = (0..6_000).map(|n| format!("{{\"word\":\"w{n}\"}}")).collect();
    let text = format!("{{\"communicationId\":\"k\",\"transcripts\":[{}]}}", words.join(","));
    std::fs::write(scene.conversation(CONVERSATION).join("c-k.transcript.json"), text).unwrap();
    let document = scene.json(&["ingest", "export"]);
    assert_eq!(document["sources"][0]["sealed"].as_u64(), Some(1), "{document}");
    assert_eq!(document["sources"][0]["companions"].as_u64(), Some(2), "{document}");
    scene.ok(&["exhibit", "--out", "exhibit", "--all"]);
    assert_eq!(scene.verify("exhibit").0, 0);
}

/// More recordings in one folder than are handed on together: none is left out, and the folder is settled
/// together with its last entry.
#[test]
fn a_flat_folder_of_many_recordings_is_sealed_once() {
    let scene = Scene::new();
    for n in 0..1_100 {
        scene.recording("c-1", &format!("r-{n}"), format!("bytes {n}").as_bytes());
    }
    let first = scene.json(&["ingest", "export"]);
    assert_eq!(first["sources"][0]["sealed"].as_u64(), Some(1_100), "{first}");
    let again = scene.json(&["ingest", "export"]);
    assert_eq!(again["sources"][0]["sealed"].as_u64(), Some(0), "{again}");
    assert_eq!(again["sources"][0]["unchanged"].as_u64(), Some(2_200), "{again}");
    scene.ok(&["audit"]);
}

/// More bytes of metadata files in one folder than are held at once: those that were let go are read again
/// when their entry is made, and stand in it value by value.
#[test]
fn metadata_files_that_do_not_fit_into_memory_are_sealed_value_by_value() {
    let scene = Scene::new();
    for n in 0..6 {
        let id = format!("r-{n}");
        scene.media(CONVERSATION, &id, format!("bytes {n}").as_bytes());
        let notes: Vec<String> = (0..15).map(|_| format!("\"{}\"", "x".repeat(60_000))).collect();
        let text = format!(
            "{{\"mediaType\":\"Call\",\"conversationId\":\"{CONVERSATION}\",\"recordingId\":\"{id}\",\
             \"durationMs\":25620,\"notes\":[{}]}}",
            notes.join(",")
        );
        let folder = scene.conversation(CONVERSATION);
        std::fs::write(folder.join(format!("{id}.opus_metadata.json")), text).unwrap();
    }
    let document = scene.json(&["ingest", "export"]);
    assert_eq!(document["exit_code"].as_u64(), Some(0), "{document}");
    assert_eq!(document["sources"][0]["sealed"].as_u64(), Some(6), "{document}");
    scene.ok(&["audit"]);
    scene.ok(&["exhibit", "--out", "exhibit", "--all"]);
    let (code, text) = scene.verify("exhibit");
    assert!(code == 0 && text.contains("6 of 6 recordings and 6 of 6 companions"), "{text}");
    assert!(text.contains("25.6 s long"), "{text}");
    let again = scene.json(&["ingest", "export"]);
    assert_eq!(again["sources"][0]["unchanged"].as_u64(), Some(12), "{again}");
}
