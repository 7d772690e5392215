//! `unbroken run`: looks when it is due, tells who is to be told, answers a monitor, and goes on after a crash.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{CONVERSATION, Scene};

/// A service that is ended with the test, and the file it logs to.
struct Running(Child, PathBuf);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn signal(&self, signal: &str) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Ends it as a system does; it takes no longer than ten seconds.
    fn terminate(mut self) -> String {
        self.signal("-TERM");
        let began = Instant::now();
        while self.0.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(10), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        let status = self.0.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.log());
        self.log()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.1).unwrap()
    }
}

fn start(scene: &Scene) -> Running {
    let mut command = scene.command(&["run", "--config", "run.toml"]);
    let (path, _) = (scene.path("log"), std::fs::remove_file(scene.path("log")));
    let log = File::create(&path).unwrap();
    Running(command.stderr(log).stdout(Stdio::null()).spawn().unwrap(), path)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// It is settled whether an alert is taken before a test can see it: a refusal that a test ends is of the next one.
const TAKE: &str = "test -e refuse; refused=$?; cat >> alerts; test $refused = 1";

/// A folder that is looked at every ten seconds, whose alerts are appended to a file.
fn configure(scene: &Scene, port: u16, more: &str) {
    let text = format!(
        "format = \"unbroken/config@v1\"\nledger = \"ledger\"\nlisten = \"127.0.0.1:{port}\"\n\
         [[source]]\nlocation = \"export\"\nevery = \"10s\"\n{more}\n\
         [[alert]]\ncommand = [\"sh\", \"-c\", \"{TAKE}\"]\n"
    );
    std::fs::write(scene.path("run.toml"), text).unwrap();
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn alerts(scene: &Scene) -> Vec<Value> {
    let text = std::fs::read_to_string(scene.path("alerts")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ask(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn waiting(scene: &Scene) -> usize {
    let Ok(files) = std::fs::read_dir(scene.path("ledger/outbox")) else { return 0 };
    let is_alert = |name: std::ffi::OsString| name.to_string_lossy().ends_with(".json");
    files.filter(|file| is_alert(file.as_ref().unwrap().file_name())).count()
}

#[test]
fn it_seals_tells_answers_and_ends_and_goes_on_where_it_was() {
    let scene = Scene::new();
    let port = free_port();
    configure(&scene, port, "");
    scene.recording(CONVERSATION, "r-1", b"sound");
    scene.media(CONVERSATION, "r-2", b"without its sidecar");
    let running = start(&scene);
    until("the alert", || !alerts(&scene).is_empty());
    let told = alerts(&scene);
    assert_eq!((told.len(), &told[0]["reason"]), (1, &Value::from("incomplete")), "{told:?}");
    assert_eq!(
        (told[0]["count"].as_u64(), told[0]["pass"].as_u64()),
        (Some(1), Some(4)),
        "{told:?}"
    );
    assert!(told[0]["first"][0]["key"].as_str().unwrap().ends_with("r-2.opus"), "{told:?}");
    assert!(told[0]["first"][0]["what"].as_str().unwrap().contains("the sidecar is missing"));
    until("an empty outbox", || waiting(&scene) == 0);
    // Between two looks every other command works.
    assert_eq!(scene.json(&["status"])["recordings"], 2);
    scene.exits(2, &["exhibit", "--all", "--out", "while-it-runs.zip"]);
    assert!(ask(port, "/healthz").ends_with("\r\n\r\nok\n"));
    let metrics = ask(port, "/metrics");
    for line in [
        "unbroken_sealed_total{source=\"export\"} 2\n",
        "unbroken_incomplete_total{source=\"export\"} 1\n",
        "unbroken_alerts_waiting 0\n",
        "unbroken_ledger_open 1\n",
    ] {
        assert!(metrics.contains(line), "{line}{metrics}");
    }
    // The next look comes by itself: a recording that is gone, and one whose bytes are others.
    std::fs::remove_file(scene.conversation(CONVERSATION).join("r-2.opus")).unwrap();
    scene.media(CONVERSATION, "r-1", b"other sound");
    until("the second look", || alerts(&scene).len() == 3);
    let told = alerts(&scene);
    let mut reasons: Vec<&str> = told.iter().map(|one| one["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["deleted", "incomplete", "overwritten"]);
    let log = running.terminate();
    assert!(
        log.contains("looked at what is new") && !log.contains(CONVERSATION),
        "no key is in the log: {log}"
    );
    // What was told is not told again; what nobody was told of, because it was killed in between, is, as the same.
    let running = start(&scene);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(alerts(&scene).len(), 3);
    running.terminate();
    std::fs::write(scene.path("ledger/outbox/told"), "1\n").unwrap();
    let running = start(&scene);
    until("telling it once more", || alerts(&scene).len() == 6);
    let ids = |alerts: &[Value]| {
        let mut ids: Vec<String> = alerts.iter().map(|one| one["id"].to_string()).collect();
        ids.sort();
        ids
    };
    let all = alerts(&scene);
    assert_eq!(ids(&all[..3]), ids(&all[3..]), "under the same ids");
    running.terminate();
    scene.ok(&["audit"]);
}

/// What an ingest asks a person is said in the configuration beforehand: nobody sits there to answer.
#[test]
fn a_second_tree_of_the_same_recordings_is_sealed_where_the_configuration_says_so() {
    let scene = Scene::new();
    let port = free_port();
    for id in ["r-1", "r-2", "r-3"] {
        scene.recording(CONVERSATION, id, id.as_bytes());
    }
    scene.ok(&["ingest", "export"]);
    let mut copy = Command::new("cp");
    copy.arg("-a").args([scene.path("export"), scene.path("copy")]);
    assert!(copy.status().unwrap().success());
    let second = "[[source]]\nlocation = \"copy\"\nevery = \"10s\"\n";
    configure(&scene, port, second);
    let running = start(&scene);
    until("it is told of", || !alerts(&scene).is_empty());
    let told = alerts(&scene)[0].to_string();
    assert!(told.contains("copies = true"), "{told}");
    running.terminate();
    let sealed = || {
        let output = scene.run(&["list", "--json"]);
        String::from_utf8(output.stdout).unwrap().matches("\"copy\"").count()
    };
    assert_eq!(sealed(), 0);
    configure(&scene, port, &format!("{second}copies = true\n"));
    let running = start(&scene);
    until("it is sealed", || sealed() >= 3);
    running.terminate();
}

#[test]
fn a_receiver_that_fails_is_asked_again_and_a_source_out_of_reach_is_told_of_once() {
    let scene = Scene::new();
    configure(&scene, free_port(), "[[source]]\nlocation = \"unmounted\"\nevery = \"10s\"\n");
    scene.recording(CONVERSATION, "r-1", b"sound");
    std::fs::write(scene.path("refuse"), "").unwrap();
    let running = start(&scene);
    until("the first try", || !alerts(&scene).is_empty());
    assert_eq!(waiting(&scene), 1, "it was not taken");
    std::fs::remove_file(scene.path("refuse")).unwrap();
    until("the second try", || waiting(&scene) == 0);
    let told = alerts(&scene);
    assert!(told.len() >= 2 && told.iter().all(|one| one["id"] == told[0]["id"]), "{told:?}");
    assert_eq!(told[0]["reason"], "unreachable");
    // The other source was looked at, and the same is not told at every look.
    assert_eq!(scene.json(&["status"])["recordings"], 1);
    let count = told.len();
    until("the next look", || scene.json(&["passes"])["passes"].as_array().unwrap().len() >= 2);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(alerts(&scene).len(), count);
    running.terminate();
}

/// A source that was away at the start is held against the ledger when it is there: a folder that holds the keys
/// was sealed, keys and all. And one trouble of a source hid the next: that it was away had just been told.
#[test]
fn a_source_that_turns_out_to_hold_the_keys_is_never_sealed() {
    let scene = Scene::new();
    configure(
        &scene,
        free_port(),
        "[[source]]\nlocation = \"later\"\nlayout = \"plain\"\nevery = \"10s\"\n",
    );
    scene.recording(CONVERSATION, "r-1", b"sound");
    let running = start(&scene);
    until("the first look", || alerts(&scene).iter().any(|one| one["reason"] == "unreachable"));
    assert_eq!(scene.json(&["status"])["recordings"], 1);
    std::os::unix::fs::symlink(scene.path("ledger"), scene.path("later")).unwrap();
    until("the refusal", || alerts(&scene).iter().any(|one| one["reason"] == "configuration"));
    assert_eq!(scene.json(&["status"])["recordings"], 1);
    running.terminate();
    let text = scene.exits(4, &["run", "--config", "run.toml"]);
    assert!(text.contains("its private keys would be sealed"), "{text}");
    let text = scene.exits(2, &["config", "check", "run.toml"]);
    assert!(text.contains("problem: source later: ") && text.contains("private keys"), "{text}");
}

/// What waited for a receiver whose address was mended went nowhere.
#[test]
fn what_waits_goes_to_the_receiver_that_is_there_now_and_one_that_hangs_holds_up_nobody() {
    let scene = Scene::new();
    configure(&scene, free_port(), "[[alert]]\ncommand = [\"sh\", \"-c\", \"sleep 300; cat\"]\n");
    let refused = std::fs::read_to_string(scene.path("run.toml")).unwrap();
    std::fs::write(scene.path("run.toml"), refused.replace(TAKE, "false")).unwrap();
    scene.media(CONVERSATION, "r-1", b"without its sidecar");
    let running = start(&scene);
    until("two waiting alerts", || waiting(&scene) == 2);
    // Another service on the same ledger would tell the same news twice.
    let text = scene.exits(4, &["run", "--config", "run.toml"]);
    assert!(
        text.contains("another service runs on this ledger")
            || text.contains("nothing can be answered"),
        "{text}"
    );
    configure(&scene, free_port(), "");
    let good = std::fs::read_to_string(scene.path("run.toml")).unwrap();
    let port = refused.lines().find(|line| line.starts_with("listen")).unwrap();
    let other = good.lines().find(|line| line.starts_with("listen")).unwrap().to_owned();
    std::fs::write(scene.path("run.toml"), good.replace(&other, port)).unwrap();
    running.signal("-HUP");
    until("the alert", || !alerts(&scene).is_empty() && waiting(&scene) == 0);
    assert_eq!(alerts(&scene)[0]["reason"], "incomplete");
    running.terminate();
}

/// A folder that is not mounted is empty: the look came to its end, and found nothing of what was there.
#[test]
fn an_empty_source_is_told_of() {
    let scene = Scene::new();
    configure(&scene, free_port(), "");
    scene.recording(CONVERSATION, "r-1", b"sound");
    let running = start(&scene);
    until("the first look", || scene.json(&["status"])["recordings"] == 1);
    std::fs::remove_dir_all(scene.export().join("org-1")).unwrap();
    until("the alert", || alerts(&scene).iter().any(|one| one["reason"] == "unreachable"));
    running.terminate();
    let status = scene.exits(2, &["status"]);
    assert!(status.contains("did not finish: nothing was there"), "{status}");
}

#[test]
fn a_configuration_is_read_anew_and_one_that_is_none_changes_nothing() {
    let scene = Scene::new();
    let port = free_port();
    configure(&scene, port, "");
    scene.recording(CONVERSATION, "r-1", b"sound");
    let running = start(&scene);
    until("the first look", || scene.json(&["status"])["recordings"] == 1);
    let good = std::fs::read_to_string(scene.path("run.toml")).unwrap();
    std::fs::write(scene.path("run.toml"), good.replace("every", "evry")).unwrap();
    running.signal("-HUP");
    until("the refusal", || running.log().contains("the configuration stays as it was"));
    assert!(ask(port, "/healthz").contains("200 OK"));
    std::fs::create_dir_all(scene.path("second/c")).unwrap();
    std::fs::write(scene.path("second/c/r-9.opus"), b"alone").unwrap();
    configure(
        &scene,
        port,
        "[[source]]\nlocation = \"second\"\nevery = \"1h\"\nlayout = \"plain\"\n",
    );
    running.signal("-HUP");
    until("the second source", || scene.json(&["status"])["recordings"] == 2);
    let log = running.terminate();
    assert!(
        log.contains("the configuration stays as it was") && log.contains("do you mean `every`?"),
        "{log}"
    );
    assert!(log.contains("the configuration was read anew"), "{log}");
}

#[test]
fn what_cannot_work_is_refused_before_it_begins() {
    let scene = Scene::new();
    let text = scene.exits(4, &["run", "--config", "nowhere.toml"]);
    assert!(text.contains("nowhere.toml: ") && text.contains("unbroken config init"), "{text}");
    std::fs::write(scene.path("run.toml"), scene.ok(&["config", "init"])).unwrap();
    let text = scene.exits(2, &["config", "check", "run.toml"]);
    assert!(text.contains("problem: ledger /var/lib/unbroken/ledger: "), "{text}");
    configure(&scene, free_port(), "policy = \"nobody's\"");
    let text = scene.exits(4, &["run", "--config", "run.toml"]);
    assert!(
        text.contains("genesys-default, legal-discovery, connect-default come with the program"),
        "{text}"
    );
    let text = scene.exits(2, &["config", "check", "run.toml"]);
    assert!(text.contains("problem: source export: policy nobody's: "), "{text}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    configure(&scene, taken.local_addr().unwrap().port(), "");
    let text = scene.exits(4, &["run", "--config", "run.toml"]);
    assert!(text.contains("nothing can be answered there"), "{text}");
    configure(&scene, free_port(), "[[source]]\nlocation = \"x=.\"\nevery = \"1h\"\n");
    let text = scene.exits(4, &["run", "--config", "run.toml"]);
    assert!(text.contains("is inside it, or around it"), "{text}");
    let text = scene.exits(2, &["config", "check", "run.toml"]);
    assert!(text.contains("alerts of everything: to the program sh"), "{text}");
    assert!(text.contains("problem: source x=.: ") && text.contains("private keys"), "{text}");
    configure(&scene, free_port(), "include = [\"{a,b}\"]");
    let text = scene.exits(4, &["run", "--config", "run.toml"]);
    assert!(text.contains("`include`, `exclude`: ") && text.contains("brackets"), "{text}");
    configure(&scene, free_port(), "include = [\"org-1/**\"]");
    scene.ok(&["config", "check", "run.toml"]);
    // Whether somebody would hear of it is known before there is something to hear of.
    let text = scene.ok(&["config", "check", "run.toml", "--send"]);
    assert!(text.contains("to the program sh; it took the test"), "{text}");
    assert_eq!(alerts(&scene)[0]["reason"], "test");
    std::fs::write(scene.path("refuse"), "").unwrap();
    let text = scene.exits(2, &["config", "check", "run.toml", "--send"]);
    assert!(text.contains("problem: the test was not taken by the program sh: "), "{text}");
}
