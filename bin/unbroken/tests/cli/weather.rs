//! Bad weather between here and a bucket: lines that break, servers that lie, servers that say nothing. Each
//! object is sealed once with its right bytes, or named; the run ends, and at once when it is told to.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::bucket::Cloud;
use super::faults::{Broken, line_to, refusal};
use super::server::{BUCKET, Bucket, Fault, Lie};

fn sealed(document: &serde_json::Value) -> Option<u64> {
    document["sources"][0]["sealed"].as_u64()
}

/// Every entry's SHA-256 is that of the object that lies in the bucket, and each object has one entry.
fn is_sealed_once_and_right(cloud: &Cloud, count: usize) {
    let entries = cloud.scene.json(&["list"]);
    let entries = entries["entries"].as_array().unwrap();
    assert_eq!(entries.len(), count);
    let mut keys = BTreeSet::new();
    for entry in entries {
        let key = entry["key"].as_str().unwrap();
        assert!(keys.insert(key.to_owned()), "{key} is sealed twice");
        let bytes = cloud.bucket.get(key);
        let sha256 = unbroken_evidence::hash::Hash::of(&[&bytes]).to_string();
        assert_eq!(entry["sha256"].as_str(), Some(sha256.as_str()), "{key}");
    }
}

#[test]
fn with_a_fault_on_every_tenth_request_all_are_sealed_once_in_that_run() {
    let mut cloud = Cloud::new();
    for n in 0..1_000 {
        cloud.recording_of(&format!("c-{n}"), &format!("r-{n}"));
    }
    let kinds = [
        Broken::Reset,
        Broken::Short,
        Broken::OtherByte,
        Broken::Failed,
        Broken::SlowDown(0),
        Broken::Stall,
    ];
    let (next, stalled) = (AtomicU64::new(0), Mutex::new(BTreeSet::new()));
    cloud.endpoint = line_to(&cloud.endpoint, move |number, line| {
        let broken = || kinds[next.fetch_add(1, Ordering::Relaxed) as usize % kinds.len()];
        // Three stalls of one object in a row are one too many, and with so many objects they would happen.
        let is_new = |broken: &Broken| {
            *broken != Broken::Stall || stalled.lock().unwrap().insert(line.to_owned())
        };
        (number % 10 == 9).then(broken).filter(is_new)
    });
    let (code, text, document) =
        cloud.run(&["ingest", "--silence", "1", &format!("s3://{BUCKET}/org-1/")]);
    assert_eq!((code, sealed(&document)), (0, Some(1_000)), "{text}");
    is_sealed_once_and_right(&cloud, 1_000);
    cloud.scene.ok(&["audit"]);
}

#[test]
fn a_server_that_names_a_time_to_wait_is_not_asked_before() {
    let mut cloud = Cloud::new();
    cloud.recording("r-1");
    cloud.endpoint =
        line_to(&cloud.endpoint, |number, _| (number == 1).then_some(Broken::SlowDown(3)));
    let began = Instant::now();
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, sealed(&document)), (0, Some(1)), "{text}");
    assert!(began.elapsed() >= Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn a_listing_that_breaks_the_rules_seals_each_object_once_or_is_named() {
    for (lie, said) in [
        (Lie::PageTwice, None),
        (Lie::PageInsteadOfAnother, None),
        (Lie::NoToken, None),
        (Lie::SamePageForEver, Some("lists nothing new")),
        (Lie::NoTokenNorStart, Some("lists nothing new")),
        (Lie::EmptyForEver, Some("lists nothing new")),
        (Lie::Unordered, Some("what belongs together cannot be told")),
        (Lie::Overlapping, Some("what belongs together cannot be told")),
        (Lie::Elsewhere, Some("what was not asked for")),
    ] {
        let cloud = Cloud::new();
        for n in 0..20 {
            cloud.recording(&format!("r-{n}"));
        }
        cloud.bucket.lie(Some(lie));
        let began = Instant::now();
        let (code, text, document) = cloud.ingest();
        assert!(began.elapsed() < Duration::from_secs(60), "{lie:?}");
        match said {
            None => {
                assert_eq!((code, sealed(&document)), (0, Some(20)), "{lie:?}: {text}");
                is_sealed_once_and_right(&cloud, 20);
            }
            Some(said) => {
                assert!(code == 4 && text.contains(said), "{lie:?}: {text}");
                assert!(!text.contains("sidecar is missing"), "{lie:?}: a torn recording: {text}");
            }
        }
        // The server comes to its senses, and nothing has to be mended.
        cloud.bucket.lie(None);
        let (code, text, _) = cloud.ingest();
        assert_eq!(code, 0, "{lie:?}: {text}");
        is_sealed_once_and_right(&cloud, 20);
    }
}

/// Serves what `serve` writes to every connection; gives the endpoint.
fn always(serve: fn(&mut std::net::TcpStream) -> std::io::Result<()>) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            std::thread::spawn(move || {
                let mut request = [0; 4_096];
                // A client that hangs up early is one of those that this is about.
                let _ = socket.read(&mut request).and_then(|_| serve(&mut socket));
            });
        }
    });
    format!("http://{address}")
}

const ENDLESS: &[u8] = b"<Contents><Key>org-1/k</Key><Size>1</Size></Contents>";

#[test]
fn an_answer_without_end_is_given_up_before_it_fills_the_memory() {
    let endpoint = always(|socket| {
        socket.write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\n\r\n<ListBucketResult>",
        )?;
        loop {
            socket.write_all(&ENDLESS.repeat(1_000))?;
        }
    });
    let cloud = Cloud { endpoint, ..Cloud::new() };
    let (code, text, _) = cloud.ingest();
    assert!(code == 4 && text.contains("limit"), "{text}");
}

#[test]
fn a_server_that_says_nothing_ends_the_run_within_a_minute() {
    let endpoint = always(|_| {
        std::thread::sleep(Duration::from_secs(600));
        Ok(())
    });
    let cloud = Cloud { endpoint, ..Cloud::new() };
    let began = Instant::now();
    // As it is without --silence.
    let (code, text, _) = cloud.run(&["ingest", &format!("s3://{BUCKET}/org-1/")]);
    assert!(code == 4 && text.contains("check the endpoint"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

/// Starts an ingest, and stops it once it waits; gives its exit code and how long it took to end.
fn stopped(cloud: &Cloud) -> (Option<i32>, Duration) {
    let mut command =
        cloud.command(&["ingest", "--silence", "600", &format!("s3://{BUCKET}/org-1/")]);
    let mut child: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    let asked = Instant::now();
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").arg(pid).status().unwrap().success());
    let code = child.wait().unwrap().code();
    (code, asked.elapsed())
}

/// What becomes of the request of this number and first line.
type Fate = fn(u64, &str) -> Option<Broken>;

#[test]
fn a_stop_ends_every_wait_within_two_seconds() {
    let waits: [(&str, Fate); 4] = [
        ("for a listing", |_, _| Some(Broken::Silent)),
        ("for an object", |number, _| (number > 0).then_some(Broken::Silent)),
        ("for the rest of a body", |number, _| (number > 0).then_some(Broken::Stall)),
        ("because the server asked", |_, _| Some(Broken::SlowDown(200))),
    ];
    for (wait, fate) in waits {
        let mut cloud = Cloud::new();
        cloud.recording("r-1");
        cloud.endpoint = line_to(&cloud.endpoint, fate);
        let (code, took) = stopped(&cloud);
        assert_eq!(code, Some(130), "{wait}");
        assert!(took < Duration::from_secs(2), "{wait}: {took:?}");
    }
    let cloud = Cloud::new();
    cloud.bucket.lie(Some(Lie::EmptyForEver));
    let endpoint = line_to(&cloud.endpoint, |_, _| {
        std::thread::sleep(Duration::from_millis(500));
        None
    });
    let (code, took) = stopped(&Cloud { endpoint, ..cloud });
    assert!(code == Some(130) && took < Duration::from_secs(2), "empty pages: {code:?} {took:?}");
}

#[test]
fn a_server_that_is_gone_is_not_asked_for_every_single_object() {
    let mut cloud = Cloud::new();
    for n in 0..500 {
        cloud.recording_of(&format!("c-{n}"), &format!("r-{n}"));
    }
    let is_get = |line: &str| !line.contains("list-type=2");
    cloud.endpoint =
        line_to(&cloud.endpoint, move |_, line| is_get(line).then_some(Broken::Silent));
    let began = Instant::now();
    let (code, text, document) =
        cloud.run(&["ingest", "--silence", "2", &format!("s3://{BUCKET}/org-1/")]);
    // The listing is through by then, or it is not.
    assert!(matches!(code, 2 | 4) && sealed(&document) == Some(0), "{text}");
    assert!(text.contains("is not asked any more"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn each_refusal_is_named_with_what_mends_it() {
    for (fault, said, remedy) in [
        (
            Fault::Refused(
                "AccessDenied",
                "User: arn:aws:iam::1:user/u is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-2:1:key/k",
            ),
            "the key that encrypts it",
            "kms:Decrypt",
        ),
        (
            Fault::Refused("InvalidAccessKeyId", "unknown"),
            "the credentials are not accepted",
            "check profile",
        ),
        (Fault::Refused("RequestTimeTooSkewed", "skew"), "clock", "NTP"),
        (
            Fault::Refused("AccessDenied", "Access Denied"),
            "may not be read: AccessDenied",
            "--request-payer",
        ),
        (Fault::Archived("GLACIER"), "it lies in an archive (GLACIER)", "costs money"),
        (Fault::Archived("DEEP_ARCHIVE"), "it lies in an archive (DEEP_ARCHIVE)", "restore-object"),
    ] {
        let cloud = Cloud::new();
        let bad = cloud.recording("bad");
        cloud.recording("good");
        cloud.bucket.fail(&bad, Some(fault));
        let gets = cloud.bucket.gets();
        let (code, text, document) = cloud.ingest();
        assert_eq!((code, sealed(&document)), (2, Some(1)), "{fault:?}: {text}");
        assert!(text.contains(said) && text.contains(remedy), "{fault:?}: {text}");
        let asked = cloud.bucket.gets() - gets;
        let expected = if matches!(fault, Fault::Archived(_)) { 3 } else { 4 };
        assert_eq!(
            asked, expected,
            "{fault:?}: asked once, or not at all where the listing says it"
        );
    }
}

#[test]
fn bytes_that_are_not_those_of_the_etag_are_never_sealed() {
    let mut cloud = Cloud::new();
    let bad = cloud.recording("bad");
    cloud.recording("good");
    let name = bad.rsplit('/').next().unwrap().to_owned();
    let straight = cloud.endpoint.clone();
    let is_bad =
        move |line: &str| line.contains(&format!("{name}?")) || line.contains(&format!("{name} "));
    cloud.endpoint = line_to(&straight, move |_, line| is_bad(line).then_some(Broken::OtherByte));
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, sealed(&document)), (2, Some(1)), "{text}");
    assert!(text.contains("not those that S3 has a checksum of"), "{text}");
    cloud.endpoint = straight;
    let (code, text, document) =
        cloud.run(&["ingest", "--moved", &format!("s3://{BUCKET}/org-1/")]);
    assert_eq!((code, sealed(&document)), (0, Some(1)), "{text}");
}

#[test]
fn an_object_that_a_listing_leaves_out_is_not_gone() {
    let mut cloud = Cloud::new();
    let may_ask = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&may_ask);
    let is_refused = move |line: &str| line.starts_with("HEAD") && !asked.load(Ordering::Relaxed);
    let refuse = move |_, line: &str| is_refused(line).then_some(Broken::Denied);
    cloud.endpoint = line_to(&cloud.endpoint, refuse);
    let keys: Vec<String> = (0..3).map(|n| cloud.recording_of(&format!("c-{n}"), "r")).collect();
    cloud.bucket.put("org-1/a/other.opus", b"in its own folder");
    let sidecar = br#"{"mediaType":"Call","conversationId":"a","recordingId":"other"}"#;
    cloud.bucket.put("org-1/a/other.opus_metadata.json", sidecar);
    assert_eq!(cloud.ingest().0, 0);
    let gone = |document: &serde_json::Value| document["sources"][0]["gone"].as_u64();
    cloud.bucket.lie(Some(Lie::Ends));
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, gone(&document)), (2, Some(0)), "{text}");
    assert!(text.contains("are there and were not listed: 3"), "{text}");
    cloud.bucket.lie(Some(Lie::Forgets));
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, gone(&document)), (2, Some(0)), "{text}");
    assert!(text.contains("the listing is not whole"), "{text}");
    assert!(!text.contains("sidecar is missing"), "{text}");
    cloud.bucket.lie(None);
    // Whether it is there may not be asked: that is a problem, and no statement.
    cloud.bucket.remove(&keys[1]);
    cloud.bucket.remove(&format!("{}_metadata.json", keys[1]));
    may_ask.store(false, Ordering::Relaxed);
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, gone(&document)), (2, Some(0)), "{text}");
    assert!(text.contains("cannot be told"), "{text}");
    may_ask.store(true, Ordering::Relaxed);
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, gone(&document)), (2, Some(1)), "{text}");
    assert!(text.contains("not there any more"), "{text}");
    assert_eq!(cloud.ingest().0, 0);
    cloud.scene.ok(&["audit"]);
}

#[test]
fn a_wrong_answer_of_another_kind_is_told_once() {
    let endpoint = always(|socket| socket.write_all(&refusal("403 Forbidden", "AccessDenied", "")));
    let cloud = Cloud { endpoint, bucket: Bucket::default(), ..Cloud::new() };
    let (code, text, _) = cloud.ingest();
    assert!(code == 4 && text.contains("s3:ListBucket"), "{text}");
}
