//! kill -9 and Ctrl-C during an ingest: nothing acknowledged is lost, nothing is sealed twice.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{CONVERSATION, Scene};

/// As many as the environment says, 50 where it says nothing.
fn kills() -> u32 {
    std::env::var("KILLS").map_or(50, |text| text.parse().unwrap())
}

const RECORDINGS: u32 = 4_000;
/// A reading command answers, and an audit starts, within this time.
const ANSWER: Duration = Duration::from_secs(2);

fn export(scene: &Scene, from: u32, to: u32) {
    for n in from..to {
        scene.recording(&format!("c-{n}"), &format!("r-{n}"), format!("bytes {n}").as_bytes());
    }
}

/// A cheap generator for moments; its seed is printed with every failure.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

#[test]
fn killed_at_random_moments_it_goes_on_where_it_was() {
    let scene = Scene::new();
    export(&scene, 0, RECORDINGS);
    let seed = u64::from(std::process::id());
    let mut moments = Moments(seed);
    let mut acknowledged = 0;
    for kill in 0..kills() {
        let mut child = scene
            .command(&["ingest", "export"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(5 + moments.next(150)));
        child.kill().unwrap();
        child.wait().unwrap();
        let size = scene.json(&["status"])["size"].as_u64().unwrap();
        assert!(size >= acknowledged, "kill {kill}, seed {seed}: {size} after {acknowledged}");
        acknowledged = size;
    }
    scene.ok(&["ingest", "export"]);
    let sealed = scene.sealed();
    assert_eq!(sealed.len(), RECORDINGS as usize, "seed {seed}");
    let twice: Vec<_> = sealed.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "seed {seed}: sealed twice: {twice:?}");
    scene.ok(&["audit"]);
}

/// Entries that no `pass` closes were there, and nothing said why.
#[test]
fn the_next_run_seals_that_one_did_not_come_to_its_end() {
    let scene = Scene::new();
    export(&scene, 0, RECORDINGS);
    let mut child = scene.command(&["ingest", "export"]).stdout(Stdio::null()).spawn().unwrap();
    let sealed = || scene.path("ledger/private.db-wal").metadata().map_or(0, |file| file.len());
    let began = Instant::now();
    // More than one group: the last may not have reached the store.
    while sealed() < 4 << 20 {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing is sealed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What was sealed and not published is asked and shown: an exhibit that left it out said that it was whole.
    scene.exits(0, &["exhibit", "--where", "size >= 1", "--without-recordings", "--out", "x"]);
    let all =
        scene.json(&["list", "--where", "size >= 1"])["asked"]["recordings"].as_u64().unwrap();
    let (_, verdict) = scene.verify("x");
    assert!(verdict.contains(&format!("{all} of {all} recordings answered")), "{verdict}");
    let gaps = |document: &serde_json::Value| document["sources"][0]["gaps"].clone();
    let document = scene.json(&["ingest", "export"]);
    let what = gaps(&document)[0]["what"].to_string();
    assert!(
        what.contains("a run that sealed entries ") && what.contains("did not come to its end")
    );
    assert_eq!(document["exit_code"], 0, "{document}");
    assert_eq!(gaps(&scene.json(&["ingest", "export"])), serde_json::json!([]));
    scene.ok(&["audit"]);
}

#[test]
fn ctrl_c_stops_cleanly_and_the_next_run_goes_on() {
    let scene = Scene::new();
    export(&scene, 0, 3_000);
    let child = scene
        .command(&["ingest", "export", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    under_way(&scene);
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{document}");
    assert_eq!(document["sources"][0]["interrupted"].as_bool(), Some(true));
    let first = document["sources"][0]["sealed"].as_u64().unwrap();
    let rest = scene.json(&["ingest", "export"]);
    assert_eq!(first + rest["sources"][0]["sealed"].as_u64().unwrap(), 3_000);
    scene.ok(&["audit"]);
}

/// Waits until an ingest holds the ledger and has begun to read.
fn under_way(scene: &Scene) {
    let holds = || {
        std::fs::read_to_string(scene.path("ledger/lock")).is_ok_and(|text| text.contains("ingest"))
    };
    let began = Instant::now();
    while !holds() && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
}

#[test]
fn a_stop_is_heard_within_one_huge_object() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"a small one");
    let huge = std::fs::File::create(scene.export().join("huge.wav")).unwrap();
    // Hashing it whole takes many minutes.
    huge.set_len(2 << 40).unwrap();
    let child = scene
        .command(&["ingest", "export", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    under_way(&scene);
    std::thread::sleep(Duration::from_secs(1));
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let asked = Instant::now();
    let output = child.wait_with_output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{document}");
    assert_eq!(document["sources"][0]["problems"].as_array().map(Vec::len), Some(0), "{document}");
    assert!(asked.elapsed() < Duration::from_secs(60), "it was not heard");
    std::fs::remove_file(scene.export().join("huge.wav")).unwrap();
    scene.ok(&["ingest", "export"]);
    scene.ok(&["audit"]);
    assert_eq!(scene.sealed().len(), 1);
}

/// A hundred thousand objects, half of them sidecars; no reading command waits for the ingest.
#[test]
fn reading_commands_answer_within_two_seconds_while_a_hundred_thousand_objects_are_sealed() {
    let scene = Scene::new();
    export(&scene, 0, 50_000);
    let mut child = scene
        .command(&["ingest", "export"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let size = || scene.json(&["status"])["size"].as_u64().unwrap();
    let began = Instant::now();
    while size() < 2_000 {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing was published in a minute");
    }
    for arguments in
        [["status"].as_slice(), &["list", "--conversation", "c-1"], &["list", "--incomplete"]]
    {
        let began = Instant::now();
        scene.ok(arguments);
        assert!(began.elapsed() < ANSWER, "{arguments:?}: {:?}", began.elapsed());
    }
    let (first, elapsed) = first_line(&scene, &["audit", "-v"]);
    assert!(first.contains("comparisons") && elapsed < ANSWER, "{elapsed:?}: {first}");
    let text = scene.exits(4, &["ingest", "export"]);
    assert!(text.contains("held by `unbroken ingest`, process"), "{text}");
    let audit = scene.json(&["audit"]);
    assert!(audit["store"].as_str().unwrap().contains("NOT CHECKED (held by"), "{audit}");
    assert_eq!(audit["exit_code"].as_u64(), Some(2));
    // What has to append waits for the end of the run, if it may, and says for whom.
    let exhibit = ["exhibit", "--index", "3", "--out", "exhibit.zip"];
    let text = scene.exits(4, &[&exhibit[..], &["--wait", "0"]].concat());
    assert!(text.contains("held by `unbroken ingest`, process"), "{text}");
    let waiting = scene.command(&exhibit).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let is_writing = child.try_wait().unwrap().is_none();
    assert!(is_writing, "the writer ended too soon for this test: {:?}", began.elapsed());
    child.wait().unwrap();
    let waited = waiting.unwrap().wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&waited.stderr);
    assert_eq!(waited.status.code(), Some(0), "{text}");
    assert!(text.contains("waiting for `unbroken ingest`, process"), "{text}");
    scene.ok(&["audit"]);
}

/// The first line that a command prints on stderr, and how long it took to; then it is ended.
fn first_line(scene: &Scene, arguments: &[&str]) -> (String, Duration) {
    let began = Instant::now();
    let mut command = scene.command(arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let elapsed = began.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    (line, elapsed)
}
