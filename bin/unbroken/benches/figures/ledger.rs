//! A ledger of a million entries: appending, publishing, auditing, handing over, searching.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use unbroken_container::object::read_object;
use unbroken_evidence::body::{Body, Content, Media, Recording, Subject};
use unbroken_evidence::content::ContentHasher;
use unbroken_evidence::field::{FieldSet, Value};
use unbroken_evidence::kind::Kind;
use unbroken_evidence::log::verify_log;
use unbroken_evidence::objects::{Answer, Object, verify_objects};
use unbroken_evidence::opening::Opening;
use unbroken_evidence::time::Time;
use unbroken_evidence::trust::Trust;
use unbroken_ledger::ledger::{Ledger, Surroundings};
use unbroken_ledger::private::{Lookup, ObjectState, Row, object_value};
use unbroken_ledger::random::{Seed, SystemRandom};
use unbroken_ledger::reader::LogReader;
use unbroken_ledger::seal::{Clock, NewEntry};

use crate::memory::say_peak;
use crate::{say, timed, unbroken};

struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Time {
        Time::from_unix_ms(1_795_158_000_123)
    }
}

fn surroundings() -> Surroundings {
    Surroundings {
        clock: Arc::new(NoClock),
        random: Box::<SystemRandom>::default(),
        holder: "cargo bench".to_owned(),
        remembers: None,
    }
}

pub(crate) fn run(place: &Path, scale: u64) {
    let count = 1_000_000 / scale;
    let trust = appends(place, count);
    audit(place, count, &trust);
    exhibit_entry(place, count);
    objects(place, count, &trust);
    say_peak(&format!("status of a ledger of {count}"), unbroken(place, &["status"]));
    std::fs::create_dir(place.join("nothing")).unwrap();
    let ingest = unbroken(place, &["ingest", "nothing"]);
    say_peak(&format!("ingest of nothing into a ledger of {count}"), ingest);
    say_peak(
        &format!("audit of a ledger of {count}, store and private.db too"),
        unbroken(place, &["audit"]),
    );
}

/// Four million entries: what grows with a ledger is seen here.
pub(crate) fn large(place: &Path, scale: u64) {
    let count = 4_000_000 / scale;
    appends(place, count);
    let of = format!("a ledger of {count}");
    say_peak(&format!("status of {of}"), unbroken(place, &["status"]));
    let conversation = conversation(count / 2);
    for how in [&["list", "--conversation", &conversation][..], &["list", "--incomplete"]] {
        say_peak(&format!("{} of {of}", how[..2].join(" ")), unbroken(place, how));
    }
    let index = (count / 2).to_string();
    let exhibit = ["exhibit", "--out", "one.zip", "--without-recordings", "--index", &index];
    say_peak(&format!("exhibit of one entry of {of}"), unbroken(place, &exhibit));
    say_peak(&format!("audit of {of}"), unbroken(place, &["audit"]));
}

fn appends(place: &Path, count: u64) -> Trust {
    let mut ledger =
        Ledger::create(&place.join("ledger"), "example.com/bench", surroundings(), None).unwrap();
    let source = ledger.private_mut().source(SOURCE, "/exports").unwrap();
    let part = count / 10;
    let mut rates = Vec::new();
    for tenth in 0..10 {
        let elapsed = timed(|| append_part(&mut ledger, source, tenth * part, part)).0;
        rates.push(part as f64 / elapsed.as_secs_f64());
    }
    let (first, last) = (rates[0], rates[9]);
    say(
        &format!("durable appends in batches of 1,024, 32 fields, {count} entries"),
        &format!("{first:.0}/s first tenth, {last:.0}/s last, ratio {:.2}", last / first),
    );
    let (published, ()) = timed(|| ledger.checkpoint().unwrap());
    say(
        "checkpoint and publishing of all of them at once",
        &format!("{:.1} s", published.as_secs_f64()),
    );
    Trust::key(ledger.trust_anchor().clone())
}

/// Appends a part as ingest does: one thread prepares entries, one seals them, one writes.
fn append_part(ledger: &mut Ledger, source: i64, first: u64, count: u64) {
    let (give, take) = sync_channel(4);
    let (to_writer, sealed) = sync_channel(1);
    let mut sealer = ledger.sealer();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut random = SystemRandom::default();
            let numbers: Vec<u64> = (first..first + count).collect();
            for batch in numbers.chunks(1_024) {
                let batch: Vec<NewEntry> =
                    batch.iter().map(|n| prepared(&mut random, source, *n)).collect();
                give.send(batch).unwrap();
            }
        });
        scope.spawn(move || {
            for batch in take {
                to_writer.send(sealer.seal(batch).unwrap()).unwrap();
            }
        });
        for group in sealed {
            ledger.write(group).unwrap();
        }
    });
}

/// The name of the source of these entries.
const SOURCE: &str = "genesys";

/// Ten recordings are of one conversation.
fn conversation(n: u64) -> String {
    format!("c-{}", n / 10)
}

/// An entry of 32 fields, as a recording with its sidecar has; the recording is the number `n`.
fn prepared(random: &mut SystemRandom, source: i64, n: u64) -> NewEntry {
    let mut hasher = ContentHasher::new(&[(4_096, [7; 32])]);
    hasher.update(&n.to_be_bytes());
    let digests = hasher.finish();
    let id = format!("r-{n}");
    let key = format!("{}/{id}.opus", conversation(n));
    let mut values = vec![
        Value::string("content", "/sha256", &digests.sha256.to_string()),
        Value::string("content", "/blake3", &digests.blake3.to_string()),
        Value::number("content", "/size", digests.size),
        Value::string("object", "/bucket", SOURCE),
        Value::string("object", "/key", &key),
        Value::string("recording", "/conversation", &conversation(n)),
        Value::string("recording", "/id", &id),
    ];
    values.extend(
        (0..25).map(|m| {
            Value::string("sidecar", &format!("/member_{m}"), "a value of the usual length")
        }),
    );
    let seed = Seed::draw(random).unwrap();
    let mut salts = seed.salts();
    let set = FieldSet::seal(values, &mut || salts.next_salt());
    let content = Content {
        blake3: Some(digests.blake3),
        block_bytes: 4_096,
        block_root: digests.block_roots[0],
        sha256: Some(digests.sha256),
        size: digests.size,
    };
    let fields = set.commitment();
    let (completeness, refs) = (None, vec![]);
    let body =
        Body::Recording(Recording { completeness, content, fields, media: Media::Call, refs });
    let mut subject = [0; 16];
    subject[..8].copy_from_slice(&n.to_be_bytes());
    let lookups = vec![
        Lookup::Sha256.prefix(digests.sha256.to_string().as_bytes()),
        Lookup::Object.prefix(&object_value(SOURCE, key.as_bytes())),
        Lookup::Conversation.prefix(conversation(n).as_bytes()),
        Lookup::Recording.prefix(id.as_bytes()),
    ];
    let object = ObjectState {
        source,
        key: key.into_bytes(),
        stamp: vec![0; 48],
        subject: Subject(subject),
        sha256: digests.sha256,
        companions: digests.sha256,
        incomplete: false,
    };
    let row = Row {
        object: Some(object),
        opening: Opening::of(set, Some([7; 32])),
        seed: Some(seed),
        lookups,
        ..Row::default()
    };
    NewEntry { kind: Kind::Recording, subject: Some(Subject(subject)), body, row }
}

fn audit(place: &Path, count: u64, trust: &Trust) {
    let reader = LogReader::open(&place.join("ledger")).unwrap();
    let (elapsed, verdict) =
        timed(|| verify_log(&mut reader.files(), trust, None, 2, &|_| ()).unwrap());
    assert_eq!(verdict.conclusion().exit_code(), 0);
    let rate = count as f64 / elapsed.as_secs_f64();
    say(
        "audit of the log: leaves, tree, strict signatures, two cores",
        &format!("{rate:.0} entries/s, {:.2} of openssl's bare signatures", rate / openssl()),
    );
}

/// Ed25519 signatures that `openssl speed` verifies in a second on two cores.
fn openssl() -> f64 {
    let mut command = Command::new("openssl");
    let output = command.args(["speed", "-seconds", "3", "-multi", "2", "ed25519"]).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let line = text.lines().find(|line| line.contains("EdDSA")).unwrap();
    line.split_whitespace().last().unwrap().parse().unwrap()
}

fn exhibit_entry(place: &Path, count: u64) {
    let mut reader = LogReader::open(&place.join("ledger")).unwrap();
    let elapsed = timed(|| {
        for index in 0..100 {
            let index = index * (count / 100) + 1;
            reader.inclusion(&[index]).unwrap();
            reader.entry(index).unwrap();
        }
    });
    say(
        "one exhibit entry: bundle, entry, proof",
        &format!("{:.2} ms", elapsed.0.as_secs_f64() * 10.0),
    );
}

/// A thousand files, every second one sealed, against the whole log.
fn objects(place: &Path, count: u64, trust: &Trust) {
    let objects: Vec<Object> = (0..1_000)
        .map(|n| {
            let path = place.join(format!("object-{n}"));
            let content = if n % 2 == 0 { n * count / 1_000 } else { u64::MAX - n };
            std::fs::write(&path, content.to_be_bytes()).unwrap();
            read_object(&path).unwrap()
        })
        .collect();
    let reader = LogReader::open(&place.join("ledger")).unwrap();
    let found =
        || verify_objects(&mut reader.files(), trust, None, Default::default(), &objects, 2);
    let (elapsed, found) = timed(|| found().unwrap());
    let sealed = found.answers.iter().filter(|answer| matches!(answer, Answer::Sealed(_))).count();
    assert_eq!(sealed, 500);
    say(
        &format!("unbroken-verify object: 1,000 files against a log of {count}"),
        &format!("{:.1} s besides hashing them", elapsed.as_secs_f64()),
    );
}
