//! Soak: somebody writes, amends, overwrites, holds, tags and deletes objects of a real bucket at random, and keeps
//! a journal. What the ledger tells is held against it after each pass: every version and every marker, every
//! tag and hold as it stood then, and nothing else. `SOAK_SECONDS` says how long (3 minutes without it).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ObjectLockLegalHoldStatus, Tag, Tagging};
use unbroken_evidence::body::Body;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::opening::VerifiedOpening;
use unbroken_ledger::ledger::private_path;
use unbroken_ledger::private::Private;
use unbroken_ledger::reader::LogReader;

use super::radosgw::Rgw;

/// A version of a key: of bytes with this SHA-256, or a delete marker.
type Version = (String, String, Option<String>);

/// How a recording stands: its version, its hold, where one was ever set, and its tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Standing {
    version: String,
    hold: Option<&'static str>,
    tags: BTreeMap<String, String>,
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Whoever writes, and the journal.
struct Writer<'a> {
    rgw: &'a Rgw,
    dice: Dice,
    written: u64,
    recordings: u64,
    versions: BTreeSet<Version>,
    /// What stands under each key of a recording; `None`: it is deleted.
    standing: BTreeMap<String, Option<Standing>>,
    /// The version that stands under each sidecar's key.
    sidecars: BTreeMap<String, String>,
}

fn key_of(number: u64) -> String {
    let conversation = number / 3;
    format!(
        "org-1/year=2026/month=9/day=5/hour=07/conversation_id=c-{conversation}/r-{number}.opus"
    )
}

impl Writer<'_> {
    /// Bytes that no other version has.
    fn put(&mut self, key: &str, bytes: &str, tag: Option<&str>) -> String {
        self.written += 1;
        let bytes = bytes.replace("NUMBER", &self.written.to_string()).into_bytes();
        let sha256 = Hash::of(&[&bytes]).to_string();
        let put = self.rgw.owner.put_object().bucket(&self.rgw.bucket).key(key);
        let put =
            put.body(ByteStream::from(bytes)).set_tagging(tag.map(|tag| format!("matter={tag}")));
        let put = self.rgw.runtime.block_on(put.send()).unwrap();
        let version = put.version_id().unwrap().to_owned();
        self.versions.insert((key.to_owned(), version.clone(), Some(sha256)));
        version
    }

    fn recording(&mut self, key: &str) {
        let matter = (self.dice.below(2) == 0).then(|| format!("M-{}", self.dice.below(9)));
        let version = self.put(key, "the bytes of version NUMBER", matter.as_deref());
        let tags = matter.map(|matter| ("matter".to_owned(), matter)).into_iter().collect();
        self.standing.insert(key.to_owned(), Some(Standing { version, hold: None, tags }));
    }

    fn sidecar(&mut self, recording: &str) {
        let id = recording.rsplit('/').next().unwrap().trim_end_matches(".opus");
        let folder = recording.split("conversation_id=").nth(1).unwrap();
        let conversation = folder.split('/').next().unwrap();
        let text = format!(
            "{{\"mediaType\":\"Call\",\"conversationId\":\"{conversation}\",\"recordingId\":\"{id}\",\"note\":\"NUMBER\"}}"
        );
        let key = format!("{recording}_metadata.json");
        let version = self.put(&key, &text, None);
        self.sidecars.insert(key, version);
    }

    fn delete(&mut self, key: &str) {
        let delete = self.rgw.owner.delete_object().bucket(&self.rgw.bucket).key(key);
        let deleted = self.rgw.runtime.block_on(delete.send()).unwrap();
        let marker = deleted.version_id().unwrap().to_owned();
        self.versions.insert((key.to_owned(), marker, None));
    }

    fn hold(&mut self, key: &str) {
        let Some(Some(standing)) = self.standing.get_mut(key) else { return };
        let (hold, status) = match standing.hold {
            Some("ON") => ("OFF", ObjectLockLegalHoldStatus::Off),
            _ => ("ON", ObjectLockLegalHoldStatus::On),
        };
        standing.hold = Some(hold);
        self.rgw.hold(key, status);
    }

    fn tag(&mut self, key: &str) {
        let number = self.dice.below(9);
        let Some(Some(standing)) = self.standing.get_mut(key) else { return };
        let mut tags = standing.tags.clone();
        match number % 3 {
            0 => drop(tags.remove("matter")),
            1 => drop(tags.insert("reviewed".to_owned(), number.to_string())),
            _ => drop(tags.insert("matter".to_owned(), format!("M-{number}"))),
        }
        let tag = |(name, value): (&String, &String)| {
            Tag::builder().key(name).value(value).build().unwrap()
        };
        let tagging = Tagging::builder().set_tag_set(Some(tags.iter().map(tag).collect()));
        standing.tags = tags;
        let put = self.rgw.owner.put_object_tagging().bucket(&self.rgw.bucket).key(key);
        self.rgw.runtime.block_on(put.tagging(tagging.build().unwrap()).send()).unwrap();
    }

    /// One thing at random; `bytes_only`: no tag and no hold, which are told as they stand at a pass.
    fn something(&mut self, bytes_only: bool) {
        let is_new = self.recordings == 0 || self.dice.below(5) == 0;
        if is_new {
            self.recordings += 1;
        }
        let number = if is_new { self.recordings - 1 } else { self.dice.below(self.recordings) };
        let key = key_of(number);
        let what = if is_new { 0 } else { self.dice.below(if bytes_only { 4 } else { 8 }) };
        match what {
            0 => {
                self.recording(&key);
                self.sidecar(&key);
            }
            1 => self.recording(&key),
            2 => self.sidecar(&key),
            3 => {
                if self.standing.get(&key).is_some_and(Option::is_some) {
                    self.delete(&key);
                    self.standing.insert(key.clone(), None);
                }
                let sidecar = format!("{key}_metadata.json");
                if self.dice.below(2) == 0 && self.sidecars.remove(&sidecar).is_some() {
                    self.delete(&sidecar);
                }
            }
            4 | 5 => self.hold(&key),
            _ => self.tag(&key),
        }
    }
}

/// What a ledger tells, read entry after entry.
#[derive(Default)]
struct Told {
    size: u64,
    /// Versions that entries have, and those that observations tell of.
    sealed: BTreeSet<Version>,
    observed: BTreeSet<Version>,
    standing: BTreeMap<String, Option<Standing>>,
    /// Keys of which observations since the last look say that tags or holds changed, and keys of recordings
    /// sealed since.
    changed: Vec<String>,
    resealed: BTreeSet<String>,
}

impl Told {
    fn read(&mut self, rgw: &Rgw) {
        let folder = rgw.scene.path("ledger");
        let mut reader = LogReader::open(&folder).unwrap();
        let private = Private::open_to_read(&private_path(&folder)).unwrap();
        (self.changed, self.resealed) = (Vec::new(), BTreeSet::new());
        let size = reader.checkpoint().size;
        for index in self.size..size {
            let entry = reader.entry(index).unwrap();
            let Some(opening) = private.opening_of(index, &entry).unwrap() else { continue };
            match &entry.statement().body {
                Body::Recording(_) => self.recording(&opening),
                _ if entry.statement().kind == Kind::Observation => {
                    let is_about_one = entry.statement().subject.is_some();
                    self.observation(&opening, is_about_one);
                }
                _ => {}
            }
        }
        self.size = size;
    }

    fn recording(&mut self, opening: &VerifiedOpening) {
        let value = |source, pointer: &str| opening.value(source, pointer).unwrap().to_owned();
        let (key, version) = (value("object", "/key"), value("object", "/version"));
        let sha256 = value("content", "/sha256");
        self.sealed.insert((key.clone(), version.clone(), Some(sha256)));
        for number in 0.. {
            let of = |name: &str| opening.value("companion", &format!("/{number}/{name}"));
            let Some(key) = of("key") else { break };
            let told = (
                key.to_owned(),
                of("version").unwrap().to_owned(),
                of("sha256").map(str::to_owned),
            );
            self.sealed.insert(told);
        }
        self.standing.insert(key.clone(), Some(standing(opening, version)));
        self.resealed.insert(key);
    }

    fn observation(&mut self, opening: &VerifiedOpening, is_about_one: bool) {
        let value = |source, pointer: &str| opening.value(source, pointer).map(str::to_owned);
        match value("observation", "/what").unwrap().as_str() {
            "version" | "delete-marker" => {
                let of = |pointer: &str| value("version", pointer);
                let told = (of("/key").unwrap(), of("/id").unwrap(), of("/sha256"));
                // A sidecar may have lost its recording; what is a recording's own belongs to it.
                assert!(is_about_one || told.0.ends_with(".json"), "about nothing: {told:?}");
                assert!(self.observed.insert(told.clone()), "told twice: {told:?}");
            }
            "changed" => {
                let key = value("object", "/key").unwrap();
                let version = self.standing[&key].as_ref().unwrap().version.clone();
                self.standing.insert(key.clone(), Some(standing(opening, version)));
                self.changed.push(key);
            }
            "gone" => drop(self.standing.insert(value("object", "/key").unwrap(), None)),
            "back" => {}
            other => panic!("{other}"),
        }
    }
}

fn standing(opening: &VerifiedOpening, version: String) -> Standing {
    let tags = opening.fields().filter(|field| field.value.source == "s3-tag");
    let name = |pointer: &str| pointer.trim_start_matches('/').to_owned();
    let tags = tags.map(|field| (name(&field.value.pointer), field.value.value.clone())).collect();
    let hold = opening.value("object-lock", "/legal-hold");
    let hold = hold.map(|hold| if hold == "ON" { "ON" } else { "OFF" });
    Standing { version, hold, tags }
}

/// The journal and the ledger say the same.
fn agree(writer: &Writer<'_>, told: &Told, before: &BTreeMap<String, Option<Standing>>) {
    // A sidecar whose recording is deleted belongs to nothing: nobody tells of what stands there now.
    let is_stray = |(key, version, _): &&Version| {
        let recording = key.trim_end_matches("_metadata.json");
        recording != key
            && writer.sidecars.get(key) == Some(version)
            && writer.standing[recording].is_none()
    };
    let all: BTreeSet<&Version> = told.sealed.union(&told.observed).collect();
    let missing: Vec<_> =
        writer.versions.iter().filter(|one| !all.contains(one) && !is_stray(one)).collect();
    assert!(missing.is_empty(), "versions that nobody tells of: {missing:?}");
    let invented: Vec<_> = all.into_iter().filter(|one| !writer.versions.contains(*one)).collect();
    assert!(invented.is_empty(), "versions that nobody wrote: {invented:?}");
    for (key, standing) in &writer.standing {
        // One that came and went between two passes is gone as well.
        assert_eq!(told.standing.get(key), Some(standing), "how {key} stands");
    }
    let differs = |(key, now): &(&String, &Option<Standing>)| {
        let before = before.get(*key).cloned().flatten();
        let same_version = before.zip((*now).clone()).filter(|(a, b)| a.version == b.version);
        same_version.is_some_and(|(a, b)| a != b) && !told.resealed.contains(*key)
    };
    let expected: BTreeSet<String> =
        writer.standing.iter().filter(differs).map(|(key, _)| key.clone()).collect();
    let changed: BTreeSet<String> = told.changed.iter().cloned().collect();
    assert_eq!(changed.len(), told.changed.len(), "told twice: {:?}", told.changed);
    if let Some(key) = changed.symmetric_difference(&expected).next() {
        let id = key.rsplit('/').next().unwrap().trim_end_matches(".opus");
        let story = writer.rgw.scene.ok(&["history", "--recording", id]);
        let (was, is) = (before.get(key), writer.standing.get(key));
        panic!("what changed between two passes: it was {was:?}, and is {is:?}: {story}");
    }
}

fn pass(rgw: &Rgw, arguments: &[&str]) {
    let source = format!("s3://{}/org-1/", rgw.bucket);
    let (code, text) = rgw.run("", &[arguments, &[source.as_str()]].concat());
    assert!(code == 0 || code == 2, "{arguments:?}: {code}: {text}");
}

#[test]
fn a_ledger_tells_what_the_journal_of_a_busy_bucket_has() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let rgw = Rgw::new("soak", true);
    let writer = Writer {
        rgw: &rgw,
        dice: Dice(20_261_128),
        written: 0,
        recordings: 0,
        versions: BTreeSet::new(),
        standing: BTreeMap::new(),
        sidecars: BTreeMap::new(),
    };
    let writer = Mutex::new(writer);
    let (mut told, mut before) = (Told::default(), BTreeMap::new());
    let (began, mut rounds) = (Instant::now(), 0_u64);
    while rounds < 3 || began.elapsed() < Duration::from_secs(seconds.unwrap_or(180)) {
        rounds += 1;
        let something = |bytes_only, count: u64| {
            (0..count).for_each(|_| writer.lock().unwrap().something(bytes_only));
        };
        something(false, 40);
        if rounds.is_multiple_of(3) {
            // A pass beside somebody who writes; the next one tells what it missed.
            std::thread::scope(|scope| {
                scope.spawn(|| something(true, 40));
                pass(&rgw, &["ingest", "--all-versions"]);
            });
        }
        pass(&rgw, &["ingest", "--all-versions"]);
        pass(&rgw, &["state"]);
        told.read(&rgw);
        let writer = writer.lock().unwrap();
        agree(&writer, &told, &before);
        before = writer.standing.clone();
    }
    let writer = writer.into_inner().unwrap();
    println!(
        "{rounds} rounds, {} versions and markers of {} recordings, {} entries",
        writer.versions.len(),
        writer.recordings,
        told.size
    );
    rgw.scene.ok(&["audit"]);
    let (code, text) = rgw.run("", &["exhibit", "--out", "soak.zip", "--all"]);
    assert!(code == 0 || code == 2, "{text}");
    let (code, text) = rgw.scene.verify("soak.zip");
    assert!(code == 0 || code == 2, "{text}");
}
