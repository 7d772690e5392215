//! The figures of BENCHMARKS.md: `cargo bench`. Each is a question that a user asks, and where a stock
//! tool does the same work, a ratio to it in the same run.
//!
//! `cargo bench -- small` takes a hundredth of the counts, to see that it runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use unbroken_evidence::body::{Body, Content, Media, Recording, Subject};
use unbroken_evidence::content::digest_stream;
use unbroken_evidence::field::{FieldSet, Value};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::published::{Everything, verify_log};
use unbroken_evidence::time::Time;
use unbroken_evidence::trust::Trust;
use unbroken_ledger::ledger::{Clock, Ledger, NewEntry, Surroundings};
use unbroken_ledger::private::{Lookup, Row};
use unbroken_ledger::random::{Draw, SystemRandom};
use unbroken_ledger::reader::LogReader;

struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Time {
        Time::from_unix_ms(1_795_158_000_123)
    }
}

fn surroundings() -> Surroundings {
    Surroundings {
        clock: Box::new(NoClock),
        random: Box::<SystemRandom>::default(),
        holder: "cargo bench".to_owned(),
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let done = work();
    (began.elapsed(), done)
}

fn say(what: &str, figure: &str) {
    println!("{what:<72} {figure}");
}

fn main() {
    let small = std::env::args().any(|argument| argument == "small");
    let scale = if small { 100 } else { 1 };
    let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    one_large_file(place.path(), (2 << 30) / scale);
    many_files(place.path(), 20_000 / scale);
    appends(place.path(), 1_000_000 / scale);
}

/// One process over all files; their names are given from `folder` on, for a command line is short.
fn openssl(folder: &Path, files: &[PathBuf]) -> Duration {
    let names: Vec<&Path> = files.iter().map(|path| path.strip_prefix(folder).unwrap()).collect();
    let run = || {
        let mut command = Command::new("openssl");
        command.args(["dgst", "-sha256"]).args(&names).current_dir(folder).stdout(Stdio::null());
        assert!(command.status().unwrap().success());
    };
    run();
    timed(run).0
}

fn one_large_file(place: &Path, bytes: u64) {
    let path = place.join("large");
    let painted: Vec<u8> = (0..1_u32 << 20).map(|i| u8::try_from(i % 251).unwrap()).collect();
    let mut file = std::fs::File::create(&path).unwrap();
    for _ in 0..bytes >> 20 {
        std::io::Write::write_all(&mut file, &painted).unwrap();
    }
    let theirs = openssl(place, std::slice::from_ref(&path));
    let ours = timed(|| digest(&path, &[(4_096, [7; 32])])).0;
    let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
    let rate = (bytes >> 20) as f64 / ours.as_secs_f64();
    say(
        "capture of one file in the page cache, all commitments, two cores",
        &format!("{rate:.0} MiB/s, {ratio:.2} of openssl"),
    );
    std::fs::remove_file(path).unwrap();
}

fn digest(path: &Path, keys: &[(u64, [u8; 32])]) -> Hash {
    use std::io::Read as _;
    let mut file = std::fs::File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    digest_stream(keys, length, |buffer| file.read(buffer)).unwrap().sha256
}

fn many_files(place: &Path, count: u64) {
    let export = place.join("export");
    let mut files = Vec::new();
    let mut bytes: Vec<u8> = (0..100 << 10).map(|i| u8::try_from(i % 251).unwrap()).collect();
    for n in 0..count {
        let folder = export
            .join(format!("org/year=2026/month=9/day=5/hour={}/conversation_id=c-{n}", n % 24));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("r-{n}.opus"));
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        std::fs::write(&path, &bytes).unwrap();
        let sidecar = format!(
            "{{\"mediaType\":\"Call\",\"mediaSubtype\":\"Trunk\",\"provider\":\"Edge\",\"userIds\":[\"bcb6a4ff-b10e-4ae1-827f-d23ca7dceea5\"],\
             \"conversationId\":\"c-{n}\",\"recordingId\":\"r-{n}\",\"startTime\":\"2023-08-29T23:19:04.873+0000\",\
             \"endTime\":\"2023-08-29T23:19:30.493+0000\",\"durationMs\":25620,\"initialDirection\":\"outbound\"}}"
        );
        std::fs::write(folder.join(format!("r-{n}.opus_metadata.json")), sidecar).unwrap();
        files.push(path);
    }
    let theirs = openssl(&export, &files);
    let ours = timed(|| {
        let halves = files.split_at(files.len() / 2);
        std::thread::scope(|scope| {
            for half in [halves.0, halves.1] {
                scope.spawn(move || {
                    half.iter().for_each(|path| {
                        std::hint::black_box(digest(path, &[(4_096, [7; 32])]));
                    })
                });
            }
        });
    });
    let ratio = theirs.as_secs_f64() / ours.0.as_secs_f64();
    say(
        &format!("capture of {count} files of 100 KiB, two cores"),
        &format!("{ratio:.2} of openssl"),
    );
    let ledger = place.join("ingested");
    let unbroken = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unbroken"));
        command.args(arguments).arg("-q").env("UNBROKEN_LEDGER", &ledger).current_dir(place);
        assert!(command.status().unwrap().success());
    };
    unbroken(&["init", ledger.to_str().unwrap(), "--origin", "example.com/bench"]);
    let ours = timed(|| unbroken(&["ingest", "export"])).0;
    let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
    let rate = count as f64 / ours.as_secs_f64();
    say(
        &format!("unbroken ingest, {count} recordings of 100 KiB with sidecars"),
        &format!("{rate:.0} recordings/s, {ratio:.2} of openssl"),
    );
    std::fs::remove_dir_all(export).unwrap();
}

/// An entry of 32 fields, as a recording with its sidecar has.
fn prepared(random: &mut SystemRandom, n: u64) -> NewEntry {
    let digest = Hash::of(&[&n.to_be_bytes()]);
    let mut values = vec![
        Value::string("content", "/sha256", &digest.to_string()),
        Value::string("content", "/blake3", &digest.to_string()),
        Value::number("content", "/size", 102_400),
    ];
    values.extend(
        (0..29).map(|m| {
            Value::string("sidecar", &format!("/member_{m}"), "a value of the usual length")
        }),
    );
    let mut draw = Draw::salts(random, values.len()).unwrap();
    let set = FieldSet::seal(values, &mut || draw.next_salt());
    let content = Content {
        blake3: Some(digest),
        block_bytes: 4_096,
        block_root: digest,
        sha256: Some(digest),
        size: 102_400,
    };
    let fields = set.commitment();
    let body = Body::Recording(Recording {
        completeness: None,
        content,
        fields,
        media: Media::Call,
        refs: vec![],
    });
    let mut subject = [0; 16];
    subject[..8].copy_from_slice(&n.to_be_bytes());
    let prefix = |kind: Lookup| kind.prefix(&n.to_be_bytes());
    let lookups = [Lookup::Sha256, Lookup::Object, Lookup::Conversation, Lookup::Recording]
        .map(prefix)
        .to_vec();
    let row = Row { opening: Opening::of(&set, Some([7; 32])), lookups, ..Row::default() };
    NewEntry { kind: "recording", subject: Some(Subject(subject)), body, row }
}

fn appends(place: &Path, count: u64) {
    let folder = place.join("appended");
    let mut ledger = Ledger::create(&folder, "example.com/bench", surroundings()).unwrap();
    let part = count / 10;
    let mut rates = Vec::new();
    for tenth in 0..10 {
        let elapsed = timed(|| append_part(&mut ledger, tenth * part, part)).0;
        rates.push(part as f64 / elapsed.as_secs_f64());
    }
    let (published, ()) = timed(|| ledger.checkpoint().unwrap());
    say(
        &format!("durable appends in batches of 1,024, 32 fields, {count} entries"),
        &format!(
            "{:.0}/s first tenth, {:.0}/s last, ratio {:.2}",
            rates[0],
            rates[9],
            rates[9] / rates[0]
        ),
    );
    say("checkpoint and publishing of all of them", &format!("{:.1} s", published.as_secs_f64()));
    let anchor = ledger.trust_anchor().clone();
    drop(ledger);
    let trust = Trust { keys: vec![anchor], ledger_id: None };
    let mut reader = LogReader::open(&folder).unwrap();
    let (elapsed, verdict) =
        timed(|| verify_log(&mut reader.files(), &trust, None, 2, &mut Everything).unwrap());
    assert_eq!(verdict.conclusion().exit_code(), 0);
    say(
        "audit of the log: leaves, tree, strict signatures",
        &format!("{:.0} entries/s", count as f64 / elapsed.as_secs_f64()),
    );
    let one = timed(|| {
        for index in 0..100 {
            let index = index * (count / 100) + 1;
            reader.inclusion(&[index]).unwrap();
            reader.entry(index).unwrap();
        }
    });
    say(
        "one exhibit entry: bundle, entry, proof",
        &format!("{:.2} ms", one.0.as_secs_f64() * 10.0),
    );
}

/// Appends a part, its entries prepared by another thread as ingest's workers do.
fn append_part(ledger: &mut Ledger, first: u64, count: u64) {
    let (give, take) = std::sync::mpsc::sync_channel(4);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut random = SystemRandom::default();
            let numbers: Vec<u64> = (first..first + count).collect();
            for batch in numbers.chunks(1_024) {
                let batch: Vec<NewEntry> =
                    batch.iter().map(|n| prepared(&mut random, *n)).collect();
                give.send(batch).unwrap();
            }
        });
        for batch in take {
            ledger.append(batch).unwrap();
        }
    });
}
