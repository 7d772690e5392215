//! Deliveries that were made to mislead, and honest ones that once were accused: each a story.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use unbroken_container::open::Exhibit;
use unbroken_evidence::package::Package as _;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors").canonicalize().unwrap()
}

fn line(name: &str) -> String {
    std::fs::read_to_string(vectors().join(name)).unwrap().trim_end().to_owned()
}

/// Runs the verifier in `folder`; a data segment of 300 MiB is all it gets.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new("sh")
        .args(["-c", "ulimit -d 307200; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_unbroken-verify")])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(!text.contains('\u{1b}'), "a raw escape in {text:?}");
    (output.status.code().unwrap_or(-1), text)
}

/// The good exhibit as a folder `exhibit`.
fn scene() -> tempfile::TempDir {
    unpacked("good")
}

/// An exhibit of the vectors, unpacked into `exhibit`.
fn unpacked(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut exhibit = Exhibit::open(&vectors().join(format!("exhibits/{name}.zip"))).unwrap();
    for path in exhibit.files().paths().map(str::to_owned).collect::<Vec<_>>() {
        let mut bytes = Vec::new();
        exhibit.stream(&path, &mut |piece| bytes.extend_from_slice(piece)).unwrap();
        let place = folder.path().join("exhibit").join(&path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, bytes).unwrap();
    }
    folder
}

fn verify(folder: &Path) -> (i32, String) {
    run(folder, &["exhibit", "--trust", &line("ledger-id.txt"), "exhibit"])
}

// spec: L9
#[test]
fn a_file_that_is_named_like_the_anchor_is_not_read() {
    // A delivery brought a file whose name was the anchor and whose content was the forger's key.
    let folder = scene();
    let (key, id) = (line("trust.txt"), line("ledger-id.txt"));
    for name in [key.replace('/', ""), id.clone()] {
        std::fs::write(folder.path().join(name), line("wrong-anchor.txt")).unwrap();
    }
    let (code, text) = run(folder.path(), &["exhibit", "--trust", &id, "exhibit"]);
    assert!(code == 0 && text.contains(&format!("ledger id {id}")), "{text}");
    let (code, text) = run(folder.path(), &["exhibit", "--trust", &key, "exhibit"]);
    assert!(code == 0 && text.contains(&format!("verifier key {key}")), "{text}");
}

#[test]
fn an_anchor_that_a_star_expands_to_is_refused() {
    let folder = scene();
    let name = format!("--trust={}", line("ledger-id.txt"));
    std::fs::write(folder.path().join(&name), "").unwrap();
    let (code, text) = run(folder.path(), &["exhibit", &name, "exhibit"]);
    assert!(code == 4 && text.contains("a file here is named like the option"), "{text}");
    std::fs::remove_file(folder.path().join(&name)).unwrap();
    let (code, text) = run(folder.path(), &["exhibit", "exhibit", &name]);
    assert!(code == 4 && text.contains("before the paths"), "{text}");
}

// spec: A7
#[test]
fn what_a_desktop_leaves_behind_is_no_alteration_of_the_evidence() {
    let strays: [(&str, &[u8]); 3] =
        [(".DS_Store", b"\0\0\0\x01Bud1"), ("data/2/Thumbs.db", b"x"), ("data/.DS_Store", b"x")];
    for (name, bytes) in strays {
        let folder = scene();
        std::fs::write(folder.path().join("exhibit").join(name), bytes).unwrap();
        let (code, text) = verify(folder.path());
        assert!(
            code == 1 && text.contains("THE PACKAGE AROUND THE EVIDENCE IS NOT IN ORDER"),
            "{name}: {text}"
        );
        assert!(text.contains("2 of 2 recordings and 1 of 1 companion agree"), "{name}: {text}");
    }
    for name in ["bagit.txt", "manifest-sha256.txt", "bag-info.txt", "tagmanifest-sha256.txt"] {
        let folder = scene();
        let path = folder.path().join("exhibit").join(name);
        let text = std::fs::read_to_string(&path).unwrap().replace('\n', "\r\n");
        std::fs::write(path, text).unwrap();
        let (code, text) = verify(folder.path());
        assert!(
            code == 1 && text.contains("THE PACKAGE AROUND THE EVIDENCE IS NOT IN ORDER"),
            "{name}: {text}"
        );
    }
    let folder = scene();
    let path = folder.path().join("exhibit/data/2/recording.opus");
    std::fs::write(path, "another recording").unwrap();
    std::fs::write(folder.path().join("exhibit/.DS_Store"), "x").unwrap();
    let (code, text) = verify(folder.path());
    assert!(code == 1 && text.contains("ALTERATION OR INCONSISTENCY FOUND"), "{text}");
}

/// A stray file must not take away what the headline says without it: that nobody vouches for the keys, that
/// bytes were replaced, that not everything is established.
#[test]
fn a_file_left_behind_takes_no_warning_out_of_the_headline() {
    let headline = |exhibit: &str, trust: &[&str]| {
        let folder = unpacked(exhibit);
        std::fs::write(folder.path().join("exhibit/.DS_Store"), "x").unwrap();
        let (code, text) = run(folder.path(), &[&["exhibit"], trust, &["exhibit"]].concat());
        assert_eq!(code, 1, "{text}");
        let found = text.lines().find(|line| line.contains("PACKAGE AROUND THE EVIDENCE"));
        found.unwrap().to_owned()
    };
    let key = line("trust.txt");
    let trust = ["--trust", &key];
    let good = headline("good", &trust);
    assert!(good.contains("; the evidence in it agrees. 2 of 2 recordings"), "{good}");
    assert!(good.contains("found a file named as those that file managers leave"), "{good}");
    let alone = headline("good", &[]);
    assert!(alone.contains("anybody could have made all of it, keys and all"), "{alone}");
    assert!(!alone.contains("the evidence in it agrees"), "{alone}");
    let replaced = headline("replaced", &trust);
    assert!(replaced.contains("BYTES OF RECORDINGS WERE REPLACED 1 time"), "{replaced}");
    let disputed = headline("key-disputed", &trust);
    assert!(disputed.contains("Not established at V15, entry 4: "), "{disputed}");
    assert!(!disputed.contains("the evidence in it agrees"), "{disputed}");
}

// spec: A6
#[test]
fn names_and_values_of_strangers_never_reach_the_terminal_raw() {
    let folder = scene();
    let name = format!("data/2/\u{1b}[31m{}", "x".repeat(200));
    std::fs::write(folder.path().join("exhibit").join(&name), "x").unwrap();
    std::fs::write(folder.path().join("exhibit/\u{202e}gpj.exe"), "x").unwrap();
    let opening = folder.path().join("exhibit/data/openings/2.json");
    let text = std::fs::read_to_string(&opening).unwrap();
    let hostile = format!("\\u001b]0;owned{}", "y".repeat(30_000));
    std::fs::write(&opening, text.replace("/durationMs", &hostile)).unwrap();
    let (code, text) = verify(folder.path());
    assert_eq!(code, 1);
    assert!(text.lines().all(|line| line.len() < 2_000), "a line that fills the screen");
    assert!(!text.contains('\u{202e}'));
}

#[test]
fn a_pipe_in_a_files_place_is_refused_and_not_waited_for() {
    for (name, expected) in [("data/2/recording.opus", 3), ("ledger/checkpoint", 3)] {
        let folder = scene();
        let path = folder.path().join("exhibit").join(name);
        std::fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_eq!(verify(folder.path()).0, expected, "{name}");
    }
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("checkpoint");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let id = line("ledger-id.txt");
    let (code, text) = run(folder.path(), &["log", "--trust", &id, "."]);
    assert!(code == 1 && text.contains("V8 CONTRADICTED"), "{text}");
}

// spec: A5
#[test]
fn a_damaged_checkpoint_alone_establishes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("checkpoint"), "no checkpoint\n").unwrap();
    let (code, text) = run(folder.path(), &["log", "--trust", &line("ledger-id.txt"), "."]);
    assert_eq!(code, 1, "{text}");
    let outcomes: Vec<&str> =
        text.lines().filter(|line| line.ends_with("?") && line.contains(" ESTABLISHED")).collect();
    assert!(!outcomes.is_empty(), "{text}");
    assert!(outcomes.iter().all(|line| line.contains("NOT ESTABLISHED")), "{outcomes:?}");
}

#[test]
fn hostile_files_at_the_limits_stay_within_their_memory() {
    // 32 MiB of the shortest positions that an opening can have.
    let folder = scene();
    let opening = folder.path().join("exhibit/data/openings/2.json");
    let hash = format!("\"{}\"", "0".repeat(64));
    let position = format!("[\"{}\",\"s\",\"\",{hash}]", "0".repeat(32));
    for one in [hash, position, "[]".to_owned(), "[[[[[[[[".to_owned()] {
        let count = (32 << 20) / (one.len() + 1) - 2;
        let text = format!("{{\"fields\":[{}]}}\n", vec![one.as_str(); count].join(","));
        std::fs::write(&opening, text).unwrap();
        assert_eq!(verify(folder.path()).0, 1, "{one}");
    }
    // A manifest of nothing but line feeds, and one of as many lines as there may be files.
    let folder = scene();
    let manifest = folder.path().join("exhibit/manifest-sha256.txt");
    std::fs::write(&manifest, vec![b'\n'; 50 << 20]).unwrap();
    assert_eq!(verify(folder.path()).0, 1);
    let hash = "0".repeat(64);
    let lines = (0..300_000).map(|n| format!("{hash}  data/{:0>100}\n", 1_000_000 + n));
    std::fs::write(&manifest, lines.collect::<String>()).unwrap();
    assert_eq!(verify(folder.path()).0, 1);
}

#[test]
fn a_sparse_file_of_terabytes_is_refused_and_not_read() {
    for path in [
        "ledger/checkpoint",
        "manifest-sha256.txt",
        "bag-info.txt",
        "ledger/entries/2.note",
        "ledger/entries/2.tlog-proof",
        "data/openings/2.json",
    ] {
        let folder = scene();
        let file = std::fs::File::create(folder.path().join("exhibit").join(path)).unwrap();
        file.set_len(4 << 40).unwrap();
        let (code, text) = verify(folder.path());
        assert!(code == 1 && text.contains(path), "{path}: {text}");
    }
}

#[test]
fn a_server_that_sends_nothing_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        // Takes every request and answers none, until nobody asks any more.
        listener.set_nonblocking(true).unwrap();
        let mut open = Vec::new();
        let began = std::time::Instant::now();
        while began.elapsed() < std::time::Duration::from_secs(20) {
            match listener.accept() {
                Ok((mut socket, _)) => {
                    drop(socket.read(&mut [0; 512]));
                    open.push(socket);
                }
                Err(_) => std::thread::sleep(std::time::Duration::from_millis(50)),
            }
        }
    });
    let log = vectors().join("logs/good");
    let id = line("ledger-id.txt");
    let (code, text) = run(
        Path::new("/"),
        &[
            "object",
            "--trust",
            &id,
            "--log",
            log.to_str().unwrap(),
            "--endpoint-url",
            &endpoint,
            "--region",
            "eu-west-2",
            "--no-sign-request",
            "--silence",
            "1",
            "s3://exports/c-1/r-1.opus",
        ],
    );
    assert!(code == 4 && text.contains("s3://exports/c-1/r-1.opus"), "{text}");
    server.join().unwrap();
}

/// Asks for objects in the log `good`, with its openings.
fn object(folder: &Path, name: &str) -> (i32, String) {
    let logs = vectors().join("logs");
    let (log, openings) = (logs.join("good"), logs.join("openings"));
    let id = line("ledger-id.txt");
    let (log, openings) = (log.to_str().unwrap(), openings.to_str().unwrap());
    run(folder, &["object", "--trust", &id, "--log", log, "--openings", openings, name])
}

/// A file of a name that the verdict uses itself changes nothing that it says of the anchor.
#[test]
fn a_file_named_as_the_verdict_names_the_anchor_hides_nothing() {
    let folder = scene();
    for name in ["Trust anchor", "trust anchor"] {
        std::fs::write(folder.path().join("exhibit").join(name), "x").unwrap();
    }
    let (code, text) = verify(folder.path());
    assert!(code == 1 && !text.contains("nor for whose keys these are"), "{text}");
    assert!(text.contains("- V1 CONTRADICTED: trust%20anchor (file "), "{text}");
}

// spec: O1 O2 O3
#[test]
fn the_bytes_of_one_recording_under_the_key_of_another_are_not_sealed() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["c-1", "c-2"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let message = std::fs::read(vectors().join("logs/objects/message.json")).unwrap();
    std::fs::write(folder.path().join("c-1/r-1.opus"), &message).unwrap();
    let (code, text) = object(folder.path(), "c-1/r-1.opus");
    assert!(code == 1 && text.contains("sealed this key with other bytes"), "{text}");
    std::fs::write(folder.path().join("c-2/r-2.json"), &message).unwrap();
    let (code, text) = object(folder.path(), "c-2/r-2.json");
    assert!(code == 0 && text.contains("entry 4 as its recording, under this key"), "{text}");
    let call = std::fs::read(vectors().join("logs/objects/call.opus")).unwrap();
    std::fs::write(folder.path().join("c-1/r-1.opus"), call).unwrap();
    let (code, text) = object(folder.path(), "c-1/r-1.opus");
    assert!(code == 0 && text.contains("entry 7 (observation) about the same recording"), "{text}");
    let sidecar =
        br#"{"mediaType":"Call","conversationId":"c-1","recordingId":"r-1","durationMs":25620}"#;
    std::fs::write(folder.path().join("sidecar.json"), sidecar).unwrap();
    let (code, text) = object(folder.path(), "sidecar.json");
    assert!(code == 0 && text.contains("entry 2 as its companion 0"), "{text}");
}

#[test]
fn one_opening_that_is_none_does_not_stop_the_search() {
    let folder = tempfile::tempdir().unwrap();
    let openings = folder.path().join("openings");
    std::fs::create_dir(&openings).unwrap();
    for index in [2, 4] {
        let name = format!("{index}.json");
        std::fs::copy(vectors().join("logs/openings").join(&name), openings.join(&name)).unwrap();
    }
    std::fs::write(openings.join("6.json"), "no opening").unwrap();
    let log = vectors().join("logs/good");
    let call = vectors().join("logs/objects/call.opus");
    let (code, text) = run(
        folder.path(),
        &[
            "object",
            "--trust",
            &line("ledger-id.txt"),
            "--log",
            log.to_str().unwrap(),
            "--openings",
            "openings",
            call.to_str().unwrap(),
        ],
    );
    assert!(code == 3 && text.contains("6.json") && text.contains("sealed in entry 2"), "{text}");
}

#[test]
fn a_full_stderr_changes_no_exit_code_and_arguments_reach_no_terminal_raw() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_unbroken-verify"));
    let status = command.args(["exhibit", "--trust", "x", "/nonexistent"]).stderr(full()).status();
    assert_eq!(status.unwrap().code(), Some(4));
    // A verdict that could not be written is told, and is no pass.
    let good = vectors().join("exhibits/good.zip");
    let trust = vectors().join("trust.txt");
    let mut command = Command::new(env!("CARGO_BIN_EXE_unbroken-verify"));
    command.args(["exhibit", "--trust"]).args([trust, good]).stdout(full());
    let said = command.output().unwrap();
    let told = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(4));
    assert!(told.starts_with("error: the verdict could not be written: "), "{told}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_unbroken-verify"));
    let said = command.args(["--bo\u{1b}[35m\rgus"]).output().unwrap();
    assert_eq!(said.status.code(), Some(4));
    assert!(!said.stderr.iter().any(|byte| matches!(byte, 0x1b | b'\r')), "{said:?}");
}
