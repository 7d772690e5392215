//! Layouts that come with the program and such as people write, from the keys to the verdict.

use std::path::Path;

use super::{Scene, written_before};

fn put(folder: &Path, key: &str, bytes: &[u8]) {
    let path = folder.join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    written_before(&path, 86_400);
}

/// A WAV of one second at 8 kHz, 8 bit.
fn wav() -> Vec<u8> {
    let mut bytes = b"RIFF\x64\x1f\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x40\x1f\0\0".to_vec();
    bytes.resize(44 + 8_000, 0x80);
    bytes
}

const CONTACT: &str = "12345678-1234-1234-1234-123456789012";

/// Calls, chats and what Contact Lens makes of them: under one contact, found by it and by when they began.
#[test]
fn what_amazon_connect_writes_is_sealed_and_found_by_its_contact() {
    let scene = Scene::new();
    let export = scene.export();
    let keys = [
        format!("connect/acme/CallRecordings/2026/03/17/{CONTACT}_20260317T07:31_UTC.wav"),
        format!("Analysis/Voice/2026/03/17/{CONTACT}_analysis_2026-03-17T07:32:05Z.json"),
        format!(
            "Analysis/Voice/Redacted/2026/03/17/{CONTACT}_call_recording_redacted_2026-03-17T07:32:05Z.wav"
        ),
        "connect/acme/ChatTranscripts/2026/03/18/other_20260318T10:00_UTC.json".to_owned(),
    ];
    for key in &keys {
        let json = br#"{"Version":"2019-08-26","Participants":[],"Transcript":[]}"#;
        let bytes = if key.ends_with(".wav") { wav() } else { json.to_vec() };
        put(&export, key, &bytes);
    }
    let tested = scene.json(&["layout", "test", "amazon-connect", "export"]);
    assert_eq!(tested["not_understood"].as_u64(), Some(0), "{tested}");
    for what in ["call recording", "redacted call recording", "analysis", "chat transcript"] {
        assert_eq!(tested["counts"][what].as_u64(), Some(1), "{tested}");
    }
    let document = scene.json(&["ingest", "export", "--layout", "amazon-connect"]);
    assert_eq!(document["exit_code"].as_u64(), Some(0), "{document}");
    let by_contact = scene.json(&["list", "--where", &format!("conversation = {CONTACT}")]);
    assert_eq!(by_contact["entries"].as_array().unwrap().len(), 3, "{by_contact}");
    let question = "recording/what = \"redacted call recording\" and media = call";
    let redacted = scene.json(&["list", "--where", question]);
    assert_eq!(redacted["entries"].as_array().unwrap().len(), 1, "{redacted}");
    let of_the_day = scene.json(&["list", "--from", "2026-03-18", "--to", "2026-03-19"]);
    assert_eq!(of_the_day["entries"][0]["key"].as_str(), Some(keys[3].as_str()), "{of_the_day}");
    assert_eq!(of_the_day["entries"].as_array().unwrap().len(), 1, "{of_the_day}");
    // Judged by the policy that the layout names: a contact's name that is none is no reason to be left out.
    put(&export, "connect/acme/CallRecordings/2026/03/17/without-a-time.wav", &wav());
    let text = scene.exits(2, &["ingest", "export", "--layout", "amazon-connect"]);
    assert!(text.contains("contact id is missing") && text.contains("[field-missing]"), "{text}");
    let text = scene.exits(2, &["layout", "test", "amazon-connect", "export"]);
    assert!(text.contains("1 object NOT UNDERSTOOD"), "{text}");
}

const OURS: &str = r#"
format = "unbroken/layout@v1"
name = "ours"
policy = "policy.toml"
together = "folder"

[[key]]
template = "{organization}/{conversation}/{recording}.wma"

[[media]]
media = "call"
endings = ".wma"

[[companion]]
role = "sidecar"
name = "{stem}.json"

[[companion]]
role = "transcript"
name = "{stem}.vtt"

[[document]]
role = "sidecar"
all = "call"
recording = "call/id"
conversation = "call/session"

[[field]]
name = "agent"
from = "sidecar/agents/*/login"

[[field]]
name = "start"
from = "sidecar/began"
time = "{day:2}.{month:2}.{year:4} {hour:2}:{minute:2}"
"#;

/// A layout that nobody here knew: its companions, ids, agents and times, in the ledger and at the other side.
#[test]
fn a_layout_of_ones_own_says_what_belongs_together() {
    let scene = Scene::new();
    std::fs::write(scene.path("ours.toml"), OURS).unwrap();
    let policy = "format = \"unbroken/policy@v1\"\nname = \"ours\"\n[[companion]]\nrole = \"sidecar\"\n[[check]]\nwhat = \"ids\"\n[[check]]\nwhat = \"times\"\n";
    std::fs::write(scene.path("policy.toml"), policy).unwrap();
    let export = scene.export();
    let sidecar = |id: &str, began: &str| {
        format!(
            "{{\"call\":{{\"id\":\"{id}\",\"session\":\"s-1\"}},\"agents\":[{{\"login\":\"ada\"}}],\"began\":\"{began}\"}}"
        )
    };
    put(&export, "org/s-1/r-1.wma", b"sound");
    put(&export, "org/s-1/r-1.json", sidecar("r-1", "17.03.2026 07:31").as_bytes());
    put(&export, "org/s-1/r-1.vtt", b"WEBVTT\n");
    put(&export, "org/s-1/r-2.wma", b"more sound");
    put(&export, "org/s-1/r-2.json", sidecar("r-9", "31.02.2026 07:31").as_bytes());
    put(&export, "org/s-1/r-3.wma", b"alone");
    let planned = scene.json(&["ingest", "--dry-run", "export", "--layout", "ours.toml"]);
    assert_eq!(planned["sources"][0]["without_sidecar"].as_u64(), Some(1), "{planned}");
    let document = scene.json(&["ingest", "export", "--layout", "ours.toml"]);
    let source = &document["sources"][0];
    let counts = ["sealed", "companions", "incomplete"].map(|name| source[name].as_u64());
    assert_eq!(counts, [Some(3), Some(3), Some(2)], "{document}");
    let found = document["problems"].to_string();
    for (key, sentence) in [
        ("r-2.wma", "the sidecar names another recording than the file name"),
        ("r-2.wma", "is no time that can be read"),
        ("r-3.wma", "the sidecar is missing"),
    ] {
        assert!(found.contains(key) && found.contains(sentence), "{sentence}: {found}");
    }
    let listed = scene.json(&[
        "list",
        "--where",
        "agent = ada",
        "--from",
        "2026-03-17",
        "--to",
        "2026-03-18",
    ]);
    assert_eq!(listed["entries"][0]["key"].as_str(), Some("org/s-1/r-1.wma"), "{listed}");
    assert_eq!(listed["entries"].as_array().unwrap().len(), 1, "{listed}");
    // What is sealed by it is judged again by a policy that names it, and the other side reads it.
    let again = scene.path("again.toml");
    let of_ours = "format = \"unbroken/policy@v1\"\nname = \"again\"\n[[companion]]\nrole = \"transcript\"\nlayouts = \"ours\"\n";
    std::fs::write(&again, of_ours).unwrap();
    let checked = scene.json(&["policy", "check", "again.toml", "--ledger", "ledger"]);
    assert_eq!(checked["ledger"]["incomplete"].as_u64(), Some(2), "{checked}");
    scene.ok(&["exhibit", "--recording", "r-1", "--out", "exhibit.zip"]);
    let (code, text) = scene.verify("exhibit.zip");
    assert!(code == 0 && text.contains("2 of 2 of their companions"), "{code}: {text}");
    // The same once more: nothing is new. Changed, it looks again, and takes another companion in.
    let again = scene.json(&["ingest", "export", "--layout", "ours.toml"]);
    assert_eq!(again["sources"][0]["unchanged"].as_u64(), Some(6), "{again}");
    let without = OURS.replace("{stem}.vtt", "{stem}.txt");
    std::fs::write(scene.path("ours.toml"), without).unwrap();
    let again = scene.json(&["ingest", "export", "--layout", "ours.toml"]);
    assert_eq!(again["sources"][0]["sealed_again"].as_u64(), Some(1), "{again}");
}

#[test]
fn a_layout_that_is_none_is_refused_before_anything_is_read() {
    let scene = Scene::new();
    scene.recording("c-1", "r-1", b"one");
    std::fs::write(scene.path("ours.toml"), OURS.replace("template =", "templat =")).unwrap();
    for command in [
        &["ingest", "export", "--layout", "ours.toml"][..],
        &["layout", "test", "ours.toml", "export"],
    ] {
        let text = scene.exits(4, command);
        assert!(
            text.contains(
                "layout ours.toml: line 8: [[key]] has no member `templat`; do you mean `template`?"
            ),
            "{text}"
        );
    }
    let text = scene.exits(4, &["ingest", "export", "--layout", "genesys"]);
    assert!(text.contains("genesys-cloud, amazon-connect, plain come with the program"), "{text}");
    assert_eq!(scene.json(&["status"])["size"].as_u64(), Some(1));
    for (name, _) in unbroken_ingest::layout::READY {
        let shown = scene.ok(&["layout", "show", name]);
        assert!(shown.starts_with("format = \"unbroken/layout@v1\""), "{shown}");
    }
    assert!(scene.exits(4, &["layout", "show", "another"]).contains("it is one of"));
}

/// A document by itself was not read, and counted as one that breaks off.
#[test]
fn a_document_by_itself_is_whole_where_it_can_be_read() {
    let scene = Scene::new();
    std::fs::write(
        scene.path("policy.toml"),
        "format = \"unbroken/policy@v1\"\nname = \"whole\"\n[[check]]\nwhat = \"container\"\n",
    )
    .unwrap();
    put(&scene.export(), "whole.json", b"{\"messages\":[]}");
    put(&scene.export(), "broken.json", b"{\"messages\":[");
    let arguments = ["ingest", "export", "--layout", "plain", "--policy", "policy.toml"];
    let document = scene.json(&arguments);
    let problems = document["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{document}");
    assert_eq!(problems[0]["key"].as_str(), Some("broken.json"), "{document}");
}
