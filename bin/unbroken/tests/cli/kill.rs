//! kill -9 and Ctrl-C during an ingest: nothing acknowledged is lost, nothing is sealed twice.

use std::process::Stdio;
use std::time::Duration;

use super::Scene;

const KILLS: u32 = 50;
const RECORDINGS: u32 = 4_000;

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
    for kill in 0..KILLS {
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
    let holds = || {
        std::fs::read_to_string(scene.path("ledger/lock")).is_ok_and(|text| text.contains("ingest"))
    };
    let began = std::time::Instant::now();
    while !holds() && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
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

#[test]
fn reading_commands_do_not_wait_for_a_writer() {
    let scene = Scene::new();
    export(&scene, 0, 8_000);
    let mut child = scene
        .command(&["ingest", "export"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let began = std::time::Instant::now();
    scene.run(&["status"]);
    scene.ok(&["list", "--conversation", "c-1"]);
    let text = scene.exits(4, &["ingest", "export"]);
    assert!(text.contains("held by `unbroken ingest`, process"), "{text}");
    let audit = scene.json(&["audit"]);
    assert!(audit["store"].as_str().unwrap().contains("NOT CHECKED (held by"), "{audit}");
    assert_eq!(audit["exit_code"].as_u64(), Some(2));
    assert!(
        child.try_wait().unwrap().is_none(),
        "the writer ended too soon for this test: {:?}",
        began.elapsed()
    );
    child.wait().unwrap();
    scene.ok(&["audit"]);
}
