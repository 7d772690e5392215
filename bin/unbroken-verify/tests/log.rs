//! Published logs and single objects, as somebody verifies them: recomputed, continued, tampered with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use unbroken_evidence::body::{Body, Content, Media, Recording, Ref, Rel, Subject};
use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::time::Time;
use unbroken_ledger::ledger::{Ledger, Surroundings};
use unbroken_ledger::private::Row;
use unbroken_ledger::random::SystemRandom;
use unbroken_ledger::seal::{Appended, Clock, NewEntry};

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Time {
        Time::from_unix_ms(1_795_158_000_123)
    }
}

fn run(arguments: &[&str]) -> (i32, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_unbroken-verify")).args(arguments).output().unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code().unwrap(), text)
}

struct Scene {
    folder: tempfile::TempDir,
    anchor: String,
    ledger: Ledger,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let surroundings = Surroundings {
            clock: Arc::new(FixedClock),
            random: Box::<SystemRandom>::default(),
            holder: "a test".to_owned(),
            remembers: None,
        };
        let ledger =
            Ledger::create(&folder.path().join("ledger"), "example.com/o", surroundings, None)
                .unwrap();
        let anchor = ledger.trust_anchor().to_string();
        Self { folder, anchor, ledger }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("ledger/log")
    }

    fn ledger_id(&self) -> String {
        unbroken_ledger::reader::LogReader::open(&self.folder.path().join("ledger"))
            .and_then(|mut reader| reader.leaf(0))
            .unwrap()
            .to_string()
    }

    fn seal(&mut self, number: u8, bytes: &[u8], supersedes: Option<Appended>) -> Appended {
        let sha256 = Hash::of(&[bytes]);
        let set = self.ledger.fields(vec![
            Value::string("content", "/sha256", &sha256.to_string()),
            Value::string("object", "/bucket", "exports"),
            Value::string("object", "/key", &format!("calls/{number}.opus")),
        ]);
        let (set, seed) = set.unwrap();
        let content = Content {
            blake3: None,
            block_bytes: 4_096,
            block_root: sha256,
            sha256: Some(sha256),
            size: bytes.len() as u64,
        };
        let refs =
            supersedes.map(|old| Ref { index: old.index, leaf: old.leaf, rel: Rel::Supersedes });
        let body = Body::Recording(Recording {
            completeness: None,
            content,
            fields: set.commitment(),
            media: Media::Call,
            refs: refs.into_iter().collect(),
        });
        let row = Row { opening: Opening::of(set, None), seed: Some(seed), ..Row::default() };
        let subject = Some(Subject([number; 16]));
        self.ledger.append(vec![NewEntry { kind: Kind::Recording, subject, body, row }]).unwrap()[0]
    }

    fn verify_log(&self, more: &[&str]) -> (i32, String) {
        let log = self.log();
        run(&[&["log", "--trust", &self.anchor], more, &[log.to_str().unwrap()]].concat())
    }

    fn object(&self, more: &[&str]) -> (i32, String) {
        let log = self.log();
        run(&[&["object", "--trust", &self.anchor, "--log", log.to_str().unwrap()], more].concat())
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

// spec: L5
#[test]
fn any_byte_of_a_published_log_that_changes_is_found() {
    let mut scene = Scene::new();
    for number in 0..40 {
        scene.seal(number, &[number], None);
    }
    scene.ledger.checkpoint().unwrap();
    let (code, text) = scene.verify_log(&[]);
    assert!(
        code == 0
            && text.contains(
                "NO ALTERATION FOUND. 41 of 41 entries examined; no recording was looked at."
            ),
        "{text}"
    );
    assert!(text.contains("established by the log"), "{text}");
    // Older partial tiles are nobody's concern: the checkpoint implies one width.
    for path in files(&scene.log()).into_iter().filter(|path| !path.ends_with("1")) {
        let bytes = std::fs::read(&path).unwrap();
        for at in [0, bytes.len() / 2, bytes.len() - 2] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            std::fs::write(&path, changed).unwrap();
            let (code, text) = scene.verify_log(&[]);
            assert_eq!(code, 1, "{} at {at}: {text}", path.display());
        }
        std::fs::remove_file(&path).unwrap();
        let (code, text) = scene.verify_log(&[]);
        let expected = if path.ends_with("checkpoint") { 3 } else { 1 };
        assert_eq!(code, expected, "{} removed: {text}", path.display());
        std::fs::write(&path, bytes).unwrap();
    }
    assert_eq!(scene.verify_log(&[]).0, 0);
}

#[test]
fn a_log_must_continue_the_checkpoint_that_somebody_kept() {
    let mut scene = Scene::new();
    scene.seal(1, b"one", None);
    scene.ledger.checkpoint().unwrap();
    let kept = scene.folder.path().join("kept");
    std::fs::copy(scene.log().join("checkpoint"), &kept).unwrap();
    scene.seal(2, b"two", None);
    scene.ledger.checkpoint().unwrap();
    let since = ["--since", kept.to_str().unwrap()];
    let (code, text) = scene.verify_log(&since);
    assert!(code == 0 && text.contains("Its first 2 entries stood under the checkpoint"), "{text}");
    let (code, text) =
        scene.object(&[&since[..], &[scene.log().join("checkpoint").to_str().unwrap()]].concat());
    assert!(code == 2 && text.contains("no match"), "{text}");
    // Under the ledger id alone, its signature is held against the ledger's own keys.
    let id = scene.ledger_id();
    let log = scene.log();
    let by_id = ["log", "--trust", &id, since[0], since[1], log.to_str().unwrap()];
    assert_eq!(run(&by_id).0, 0);
    let text = std::fs::read_to_string(&kept).unwrap();
    let root = text.lines().nth(2).unwrap();
    let forged = text.replace(root, &format!("{}=", "A".repeat(43)));
    std::fs::write(&kept, forged).unwrap();
    let (code, found) = run(&by_id);
    // A file that nobody signed accuses no ledger.
    assert!(
        code == 1
            && found
                .contains("NO VALID LOG KEY OF THIS LEDGER SIGNED THE CHECKPOINT THAT YOU KEPT")
            && !found.contains("V10 CONTRA"),
        "{found}"
    );
    std::fs::write(&kept, text).unwrap();
    // A ledger that was made anew by its owner is another one.
    let other = Scene::new();
    let (code, text) = other.verify_log(&since);
    assert!(code == 1 && text.contains("kept checkpoint"), "{text}");
    let (code, text) =
        scene.verify_log(&["--since", scene.log().join("tile/0/000.p/3").to_str().unwrap()]);
    assert_eq!(code, 4, "{text}");
    std::fs::write(&kept, "no checkpoint\n").unwrap();
    let (code, text) = scene.verify_log(&since);
    assert!(code == 1 && text.contains("V8 CONTRADICTED: kept checkpoint"), "{text}");
}

// spec: O3 O4
#[test]
fn single_objects_are_sealed_superseded_other_or_unknown() {
    let mut scene = Scene::new();
    let old = scene.seal(1, b"the first bytes", None);
    scene.seal(1, b"the second bytes", Some(old));
    scene.ledger.checkpoint().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = scene.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (code, text) = scene.object(&[&file("new.opus", b"the second bytes")]);
    assert!(
        code == 0 && text.contains("sealed in entry 2") && text.contains("1 of 1 object was found"),
        "{text}"
    );
    assert!(!text.contains("no recording was looked at"), "{text}");
    let (code, text) = scene.object(&[&file("old.opus", b"the first bytes")]);
    assert!(
        code == 0
            && text.contains("sealed in entry 1")
            && text.contains("superseded by entry 2 (REPLACED: other bytes)"),
        "{text}"
    );
    let changed = file("calls/1.opus", b"other bytes");
    let (code, text) = scene.object(&[&changed]);
    assert!(
        code == 2
            && text.contains(
                "no match among 2 recording entries with a known digest; none hides its digest"
            ),
        "{text}"
    );
    let openings = scene.folder.path().join("openings");
    std::fs::create_dir(&openings).unwrap();
    let (_, opening) = scene.ledger.private().opening(2).unwrap().unwrap();
    std::fs::write(openings.join("2.json"), opening.encode()).unwrap();
    let (code, text) = scene.object(&["--openings", openings.to_str().unwrap(), &changed]);
    assert!(
        code == 1
            && text.contains("sealed this key with other bytes")
            && text.contains("1 sealed under their key with OTHER BYTES"),
        "{text}"
    );
    let empty = scene.folder.path().join("calls");
    let (code, text) = scene.object(&["--openings", empty.to_str().unwrap(), &changed]);
    assert!(code == 4 && text.contains("no opening is in it"), "{text}");
    let missing = scene.folder.path().join("missing.opus");
    let (code, text) =
        scene.object(&[missing.to_str().unwrap(), &file("again.opus", b"the second bytes")]);
    assert!(
        code == 4 && text.contains("missing.opus") && text.contains("sealed in entry 2"),
        "{text}"
    );
    assert!(text.contains("1 of 2 objects") && text.contains("1 COULD NOT BE READ"), "{text}");
}

#[test]
fn a_file_whose_name_is_no_unicode_is_looked_for() {
    use std::os::unix::ffi::OsStrExt as _;
    let mut scene = Scene::new();
    scene.seal(1, b"the bytes", None);
    scene.ledger.checkpoint().unwrap();
    let path = scene.folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.opus"));
    std::fs::write(&path, b"the bytes").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_unbroken-verify"))
        .args(["object", "--trust", &scene.ledger.trust_anchor().to_string()])
        .arg("--log")
        .arg(scene.log())
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("sealed in entry 1"), "{text}");
}

#[test]
fn an_object_in_a_bucket_is_fetched_and_looked_for() {
    let mut scene = Scene::new();
    scene.seal(1, b"the bytes", None);
    scene.ledger.checkpoint().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        socket
            .write_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nthe bytes",
            )
            .unwrap();
        String::from_utf8(request).unwrap()
    });
    let (code, text) = scene.object(&[
        "--endpoint-url",
        &endpoint,
        "--region",
        "eu-west-2",
        "--no-sign-request",
        "s3://exports/calls/1.opus",
    ]);
    assert!(code == 0 && text.contains("s3://exports/calls/1.opus: sealed in entry 1"), "{text}");
    assert!(server.join().unwrap().starts_with("GET /exports/calls/1.opus"));
}

/// What the other side was given is a folder or a bucket, and not one file after the other.
#[test]
fn every_file_of_a_folder_is_looked_for() {
    let mut scene = Scene::new();
    scene.seal(1, b"the bytes", None);
    scene.seal(2, b"the second bytes", None);
    scene.ledger.checkpoint().unwrap();
    let given = scene.folder.path().join("given");
    std::fs::create_dir_all(given.join("calls/deeper")).unwrap();
    std::fs::write(given.join("calls/1.opus"), b"the bytes").unwrap();
    std::fs::write(given.join("calls/deeper/2.opus"), b"the second bytes").unwrap();
    let folder = given.to_str().unwrap().to_owned();
    let (code, text) = scene.object(&[&folder]);
    assert!(code == 0 && text.contains("2 of 2 objects were found"), "{text}");
    assert!(text.contains("calls/1.opus: sealed in entry 1"), "{text}");
    std::fs::write(given.join("new.opus"), b"nobody sealed this").unwrap();
    let (code, text) = scene.object(&[&folder]);
    assert!(code == 2 && text.contains("2 of 3 objects were found"), "{text}");
    // A link may lead anywhere: it is named, and not followed.
    std::os::unix::fs::symlink("/", given.join("everything")).unwrap();
    let (code, text) = scene.object(&[&folder]);
    assert!(code == 4 && text.contains("a symbolic link is not followed"), "{text}");
    assert!(text.contains("1 COULD NOT BE READ"), "{text}");
    let empty = scene.folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let (code, text) = scene.object(&[empty.to_str().unwrap()]);
    assert!(code == 4 && text.contains("no file is in it"), "{text}");
}

/// Answers one request after the other, and gives the first lines of what was asked.
fn serve(answers: Vec<String>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let answered = answers.into_iter().map(|body| {
            let (mut socket, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                socket.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            socket.write_all(head.as_bytes()).unwrap();
            String::from_utf8(request).unwrap().lines().next().unwrap().to_owned()
        });
        answered.collect()
    });
    (endpoint, server)
}

fn listing(keys: &[&str], next: Option<&str>) -> String {
    let contents: String = keys
        .iter()
        .map(|key| format!("<Contents><Key>{key}</Key><Size>9</Size></Contents>"))
        .collect();
    let next = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |token| format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"),
    );
    format!(
        "<?xml version=\"1.0\"?><ListBucketResult><EncodingType>url</EncodingType>{next}{contents}</ListBucketResult>"
    )
}

#[test]
fn every_object_below_a_prefix_is_fetched_and_looked_for() {
    let mut scene = Scene::new();
    scene.seal(1, b"the bytes", None);
    scene.ledger.checkpoint().unwrap();
    let ask = |scene: &Scene, answers: Vec<String>| {
        let (endpoint, server) = serve(answers);
        let server_named =
            ["--endpoint-url", &endpoint, "--region", "eu-west-2", "--no-sign-request"];
        let (code, text) = scene.object(&[&server_named[..], &["s3://exports/calls/"]].concat());
        (code, text, server.join().unwrap())
    };
    let (code, text, asked) = ask(
        &scene,
        vec![
            listing(&["calls/", "calls/1.opus"], Some("more")),
            listing(&["calls/a%20b.opus"], None),
            "the bytes".to_owned(),
            "others ..".to_owned(),
        ],
    );
    assert!(code == 2 && text.contains("1 of 2 objects were found"), "{text}");
    assert!(text.contains("s3://exports/calls/1.opus: sealed in entry 1"), "{text}");
    assert!(asked[1].contains("continuation-token=more"), "{asked:?}");
    assert!(asked[3].starts_with("GET /exports/calls/a%20b.opus"), "{asked:?}");
    // A listing that lies is none.
    let twice = listing(&["calls/1.opus"], Some("more"));
    let (code, text, _) = ask(&scene, vec![twice.clone(), twice]);
    assert!(code == 4 && text.contains("the server's listing is not in order"), "{text}");
    let endless = vec![listing(&["calls/1.opus"], Some("a")), listing(&[], Some("b"))];
    let (code, text, _) = ask(&scene, endless);
    assert!(code == 4 && text.contains("more follows, and does not list it"), "{text}");
}
