//! Tests of the ledger as a whole: what is promised survives what breaks.

mod auditing;
mod backing_up;
mod conformance;
mod faults;
mod mending;
mod opening;
mod restoring;
mod salvaging;

use std::path::Path;
use std::sync::Arc;

use unbroken_evidence::body::{Body, Content, Media, Recording, Subject};
use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::log::verify_log;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::time::Time;
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::Conclusion;

use crate::audit::{Progress, audit};
use crate::keys::Keys;
use crate::ledger::{Ledger, Surroundings};
use crate::private::{Lookup, ObjectState, Row, object_value};
use crate::random::SystemRandom;
use crate::reader::LogReader;
use crate::seal::{Clock, NewEntry};

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Time {
        Time::from_unix_ms(1_795_158_000_123)
    }
}

fn surroundings() -> Surroundings {
    Surroundings {
        clock: Arc::new(FixedClock),
        random: Box::<SystemRandom>::default(),
        holder: "a test".to_owned(),
        remembers: None,
    }
}

fn created(folder: &Path) -> Ledger {
    let mut ledger =
        Ledger::create(folder, "example.com/recordings", surroundings(), None).unwrap();
    assert_eq!(ledger.private_mut().source("calls", "/exports/calls").unwrap(), 1);
    ledger
}

/// A recording entry whose content is the number `n`.
fn recording(ledger: &mut Ledger, n: u64) -> NewEntry {
    let digest = Hash::of(&[&n.to_be_bytes()]);
    let set = ledger.fields(vec![
        Value::string("content", "/sha256", &digest.to_string()),
        Value::string("content", "/blake3", &digest.to_string()),
        Value::number("content", "/size", 8),
        Value::string("object", "/store", "folder"),
        Value::string("object", "/bucket", "calls"),
        Value::text_or_bytes("object", "/key", &n.to_be_bytes()),
    ]);
    let (set, seed) = set.unwrap();
    let content = Content {
        blake3: Some(digest),
        block_bytes: 4_096,
        block_root: digest,
        sha256: Some(digest),
        size: 8,
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
    let object = ObjectState {
        source: 1,
        key: n.to_be_bytes().to_vec(),
        stamp: vec![],
        subject: Subject(subject),
        sha256: digest,
        companions: digest,
        incomplete: false,
    };
    let row = Row {
        object: Some(object),
        opening: Opening::of(set, Some([7; 32])),
        seed: Some(seed),
        lookups: vec![
            Lookup::Sha256.prefix(digest.to_string().as_bytes()),
            Lookup::Object.prefix(&object_value("calls", &n.to_be_bytes())),
        ],
        ..Row::default()
    };
    NewEntry { kind: Kind::Recording, subject: Some(Subject(subject)), body, row }
}

fn append(
    ledger: &mut Ledger,
    numbers: std::ops::Range<u64>,
) -> Result<u64, crate::error::LedgerError> {
    let entries = numbers.map(|n| recording(ledger, n)).collect();
    ledger.append(entries).map(|appended| appended.last().map_or(0, |last| last.index + 1))
}

/// Verifies the whole published log and gives its size.
/// The folder of the segment of the store that is written.
fn newest_segment(folder: &Path) -> std::path::PathBuf {
    let listed = std::fs::read_dir(folder.join("store")).unwrap();
    let first = |name: &std::ffi::OsStr| name.to_str()?.strip_prefix("from-")?.parse::<u64>().ok();
    let newest = listed.filter_map(|entry| first(&entry.unwrap().file_name())).max();
    newest.map_or_else(|| folder.join("store"), |first| folder.join(format!("store/from-{first}")))
}

fn verified_size(folder: &Path) -> u64 {
    let keys = Keys::load(&folder.join("keys")).unwrap();
    let reader = LogReader::open(folder).unwrap();
    let trust = Trust::key(keys.log.verifier().clone());
    let verdict = verify_log(&mut reader.files(), &trust, None, 2, &|_| ()).unwrap();
    assert_eq!(verdict.conclusion(), Conclusion::Agrees, "{:#?}", verdict.findings());
    reader.checkpoint().size
}

#[test]
fn every_size_around_the_tile_boundaries_is_published_whole() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let mut ledger = created(&folder);
    let mut next = 0;
    for size in [2, 3, 255, 256, 257, 511, 512, 513, 600, 1_025] {
        let missing = size - ledger.size();
        append(&mut ledger, next..next + missing).unwrap();
        next += 1_000;
        ledger.checkpoint().unwrap();
        assert_eq!(verified_size(&folder), size);
    }
    let found = ledger
        .private()
        .find(Lookup::Sha256, Hash::of(&[&0_u64.to_be_bytes()]).to_string().as_bytes());
    assert_eq!(found.unwrap(), [1]);
    drop(ledger);
    let ledger = Ledger::open(&folder, surroundings()).unwrap();
    assert_eq!(ledger.size(), 1_025);
    let held = audit(&folder, "a test", 2, &Progress::default()).unwrap();
    assert_eq!(held.store, Err("held by a test".to_owned()));
    assert_eq!((held.exit_code(), held.openings), (2, 1_025));
    drop(ledger);
    let audit = audit(&folder, "a test", 2, &Progress::default()).unwrap();
    assert_eq!((audit.exit_code(), audit.store, audit.differences), (0, Ok(1_025), vec![]));
}

#[test]
fn groups_sealed_ahead_of_the_writing_chain_on_and_a_dropped_one_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let mut ledger = created(&folder);
    let group =
        |ledger: &mut Ledger, from| (from..from + 100).map(|n| recording(ledger, n)).collect();
    let mut sealer = ledger.sealer();
    let entries: [Vec<NewEntry>; 3] = [0, 100, 200].map(|from| group(&mut ledger, from));
    let [first, second, dropped] = entries.map(|entries| sealer.seal(entries).unwrap());
    let ahead: Vec<u64> = second.entries().iter().map(|entry| entry.index).collect();
    assert_eq!((ahead[0], ahead[99], ledger.size()), (101, 200, 1));
    ledger.write(first).unwrap();
    ledger.write(second).unwrap();
    drop(dropped);
    assert_eq!(append(&mut ledger, 300..310).unwrap(), 211);
    ledger.checkpoint().unwrap();
    assert_eq!(verified_size(&folder), 211);
}

#[test]
#[should_panic(expected = "a group follows what it was sealed after")]
fn a_group_that_was_sealed_on_another_head_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = created(&folder.path().join("ledger"));
    let entry = recording(&mut ledger, 1);
    let late = ledger.sealer().seal(vec![entry]).unwrap();
    append(&mut ledger, 2..3).unwrap();
    let _ = ledger.write(late);
}

/// Few incomplete entries are looked up one by one, many are found in one pass over all: the same answer.
#[test]
fn what_is_incomplete_is_told_by_the_newest_entry_about_a_recording() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = created(&folder.path().join("ledger"));
    let mut seal = |numbers: &[(u64, bool)]| {
        let entries = numbers.iter().map(|(n, incomplete)| {
            let mut entry = recording(&mut ledger, *n);
            entry.row.object.iter_mut().for_each(|object| object.incomplete = *incomplete);
            entry
        });
        let entries = entries.collect();
        ledger.append(entries).unwrap();
        let size = ledger.size();
        let found = ledger.private().incomplete(size).unwrap();
        assert_eq!(ledger.private().counts(size).unwrap().incomplete, found.len() as u64);
        found
    };
    // Entry 0 is the genesis: recording n is entry n + 1.
    assert_eq!(seal(&[(0, false), (1, true), (2, true), (3, false)]), [2, 3]);
    assert_eq!(seal(&[(2, false)]), [2]);
    assert_eq!(seal(&[(4, true), (0, true)]), [2, 6, 7]);
    assert_eq!(seal(&[(1, true), (4, false)]), [7, 8]);
}
