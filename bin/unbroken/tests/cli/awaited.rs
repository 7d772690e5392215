//! Companions that come later than their recording.

use super::{CONVERSATION, Scene, written_before};

const WAITS: &str = "format = \"unbroken/policy@v1\"\nname = \"ours\"\n[[companion]]\nrole = \"sidecar\"\nwithin-minutes = 60\n";
const INGEST: [&str; 4] = ["ingest", "export", "--policy", "ours.toml"];

/// A recording that was written so many seconds before its sidecar has to be there.
fn scene(seconds_left: u64) -> Scene {
    let scene = Scene::new();
    std::fs::write(scene.path("ours.toml"), WAITS).unwrap();
    let media = scene.media(CONVERSATION, "r-1", b"sound");
    written_before(&media, 3_600 - seconds_left);
    scene
}

fn counts(document: &serde_json::Value) -> [u64; 4] {
    ["sealed", "sealed_again", "incomplete", "awaited"]
        .map(|name| document["sources"][0][name].as_u64().unwrap())
}

/// Every run of a schedule told of sidecars that came minutes later.
#[test]
fn a_sidecar_that_comes_in_time_is_never_missed() {
    let scene = scene(600);
    let first = scene.json(&INGEST);
    assert_eq!(counts(&first), [1, 0, 0, 1], "{first}");
    assert_eq!(
        (&first["exit_code"], &first["sources"][0]["problem_count"]),
        (&0.into(), &0.into())
    );
    let again = scene.json(&INGEST);
    assert_eq!(counts(&again), [0, 0, 0, 0], "{again}");
    let status = scene.json(&["status"]);
    let counted = ["exit_code", "incomplete", "awaited"].map(|name| status[name].as_u64());
    assert_eq!(counted, [Some(0), Some(0), Some(1)], "{status}");
    let listed = scene.ok(&["list", "--incomplete"]);
    assert!(listed.contains("the sidecar is not there yet; it is waited for until 20"), "{listed}");
    scene.sidecar(CONVERSATION, "r-1");
    let last = scene.json(&INGEST);
    assert_eq!(counts(&last), [0, 1, 0, 0], "{last}");
    assert!(scene.ok(&["list", "--incomplete"]).contains("no recording is incomplete"));
}

/// Nothing changes when a time is over: the recording was as it was, and nobody looked again.
#[test]
fn when_its_time_is_over_it_is_sealed_that_it_did_not_come() {
    let scene = scene(4);
    let first = scene.json(&INGEST);
    assert_eq!(counts(&first), [1, 0, 0, 1], "{first}");
    let status = scene.json(&["status"]);
    assert_eq!(status["awaited"].as_u64(), Some(1), "{status}");
    std::thread::sleep(std::time::Duration::from_secs(5));
    // Nobody looked since: a job that died must not hide that nothing came.
    let status = scene.json(&["status"]);
    let counted = ["exit_code", "incomplete", "awaited"].map(|name| status[name].as_u64());
    assert_eq!(counted, [Some(2), Some(1), Some(0)], "{status}");
    // Part of a source leaves it for a run that sees all of it.
    let some = scene.json(&[&INGEST[..], &["--limit", "0"]].concat());
    assert_eq!(counts(&some)[3], 0, "{some}");
    let second = scene.json(&INGEST);
    assert_eq!(counts(&second), [0, 1, 1, 0], "{second}");
    let problems = second["sources"][0]["problems"].to_string();
    assert!(problems.contains("the sidecar is missing"), "{problems}");
    assert!(problems.contains("the time is over in which a companion could come since entry"));
    assert_eq!(second["exit_code"], 2);
    let status = scene.json(&["status"]);
    let counted = ["exit_code", "incomplete", "awaited"].map(|name| status[name].as_u64());
    assert_eq!(counted, [Some(2), Some(1), Some(0)], "{status}");
    let third = scene.json(&INGEST);
    assert_eq!(counts(&third), [0, 0, 0, 0], "{third}");
    let history = scene.ok(&["history", "--recording", "r-1"]);
    let (awaited, missing) =
        (history.find("[companion-awaited]"), history.find("[companion-missing]"));
    assert!(awaited.is_some() && awaited < missing, "{history}");
}
