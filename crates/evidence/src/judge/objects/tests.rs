//! Single objects against logs of the vectors, and which entries are judged for them.

use super::*;
use crate::judge::testing::{MemoryLog, anchor, found};

fn object(bytes: &[u8]) -> Object {
    let mut hasher = crate::content::ContentHasher::new(&[]);
    hasher.update(bytes);
    let digests = hasher.finish();
    let (sha256, blake3, size) = (digests.sha256, digests.blake3, digests.size);
    Object { name: "a file".into(), sha256, blake3, size }
}

fn asked(log: &mut MemoryLog, objects: &[Object]) -> ObjectVerdict {
    verify_objects(log, &anchor(), None, BTreeMap::new(), objects, 1).unwrap()
}

fn call() -> Vec<u8> {
    crate::judge::testing::exhibit("good").bytes("data/2/recording.opus").unwrap().to_vec()
}

// spec: O1 O3 O4
#[test]
fn each_object_has_its_answer_and_every_entry_is_counted() {
    let found = asked(&mut MemoryLog::of("good"), &[object(&call()), object(b"nobody's")]);
    let [Answer::Sealed(mentions), Answer::NoMatch] = &found.answers[..] else {
        panic!("{:?}", found.answers)
    };
    let told: Vec<_> = mentions.iter().map(|m| (m.index, m.superseded_by.clone())).collect();
    assert_eq!(told, [(2, vec![(6, Some(true))]), (6, vec![])]);
    assert!(!mentions.iter().any(Mention::is_replaced));
    assert_eq!((found.shown, found.hidden, found.unfit.len()), (2, 1, 0));
}

/// An entry that shows the digest that was looked for, and was changed elsewhere, was counted among those that do
/// not match.
// spec: O1 O4
#[test]
fn an_entry_that_shows_the_digest_and_was_not_judged_is_named() {
    let mut log = MemoryLog::of("good");
    let bundle = log.0.iter_mut().find(|(path, _)| path.contains("/entries/")).unwrap().1;
    let sha256 = object(&call()).sha256.to_string();
    let shows =
        |at: &usize| bundle.get(*at..).is_some_and(|rest| rest.starts_with(sha256.as_bytes()));
    let at = (0..bundle.len()).find(shows).unwrap() + sha256.len() + "\",\"size\":".len();
    assert_eq!(std::mem::replace(&mut bundle[at], b'8'), b'9');
    let whole = asked(&mut MemoryLog::of("good"), &[object(&call())]);
    let told = asked(&mut log, &[object(&call())]);
    assert!(whole.unjudged.is_empty() && told.unjudged.len() == 1, "{:?}", told.unjudged);
    assert_eq!(told.shown + 1, whole.shown);
    // What came with an opening is named with the opening.
    let openings = BTreeMap::from([(told.unjudged[0], Opening::default())]);
    let opened =
        verify_objects(&mut log, &anchor(), None, openings, &[object(&call())], 1).unwrap();
    assert_eq!((opened.unfit, opened.unjudged), (told.unjudged, vec![]));
}

// spec: O1
#[test]
fn size_and_blake3_are_held_against_the_object_too() {
    let (mut longer, mut other) = (object(&call()), object(&call()));
    longer.size += 1;
    other.blake3 = Hash::of(&[]);
    let line =
        |expected: &str, said: &str| format!("V4! a file, entry 2: expected {expected}; {said}");
    let lines = found(&asked(&mut MemoryLog::of("good"), &[longer]).verdict);
    assert!(lines.contains(&line("9001 bytes", "9002 bytes")), "{lines:?}");
    let blake3 = other.blake3.to_string();
    let lines = found(&asked(&mut MemoryLog::of("good"), &[other]).verdict);
    assert!(
        lines.iter().any(|line| line.starts_with("V4! a file, entry 2") && line.ends_with(&blake3))
    );
}

// spec: O3
#[test]
fn bytes_that_others_replaced_are_told() {
    let found = asked(&mut MemoryLog::of("replaced"), &[object(&call())]);
    let [Answer::Sealed(mentions)] = &found.answers[..] else { panic!("{:?}", found.answers) };
    assert!(!mentions.is_empty() && mentions.iter().all(Mention::is_replaced));
}

// spec: L11
#[test]
fn a_log_that_continues_a_kept_checkpoint_says_so() {
    let mut log = MemoryLog::of("good");
    let kept = log.0.get("checkpoint").unwrap().clone();
    let objects = [object(&call())];
    let asked = verify_objects(&mut log, &anchor(), Some(&kept), BTreeMap::new(), &objects, 1);
    assert_eq!(asked.unwrap().verdict.seen().unwrap().continues, Some(8));
}

fn glance<'a>(kind: &'a [u8], signer: &'a [u8], refs: &[u64]) -> Option<Glance<'a>> {
    let (subject, sha256, media) = (None, None, None);
    Some(Glance { kind, subject, sha256, media, refs: refs.to_vec(), signer })
}

/// The entries to be judged of a log that looks like this.
fn selected(glances: Vec<Option<Glance<'_>>>, opened: &[u64]) -> Vec<u64> {
    let opened = opened.iter().copied().collect();
    let wanted = BTreeSet::new();
    let mut all = Glances { wanted, opened, threads: 1, seen: Seen::default() };
    for (index, glance) in (0..).zip(glances) {
        all.take(index, glance);
    }
    all.seen.selected().into_iter().collect()
}

#[test]
fn what_decides_who_may_sign_is_judged_whatever_is_looked_for() {
    let (control, collector): (&[u8], &[u8]) = (b"c AAAAAA", b"k BBBBBB");
    let log = vec![
        glance(b"control", control, &[]),
        glance(b"gap", collector, &[]),
        glance(b"policy", collector, &[]),
        glance(b"of-tomorrow", collector, &[]),
        None,
        glance(b"gap", control, &[]),
        glance(b"gap", control, &[]),
        glance(b"gap", collector, &[]),
    ];
    assert_eq!(selected(log, &[]), [0, 2, 3, 4, 5, 6]);
}

#[test]
fn what_names_or_is_named_by_what_is_looked_for_is_judged() {
    let key: &[u8] = b"k BBBBBB";
    let log = vec![
        glance(b"policy", key, &[]),
        glance(b"gap", key, &[]),
        // The one whose opening is given; an index that does not exist is none.
        glance(b"gap", key, &[1, 7]),
        glance(b"gap", key, &[2]),
        // It names a policy, and one that nobody looks for.
        glance(b"gap", key, &[0]),
        glance(b"gap", key, &[4]),
        glance(b"gap", key, &[]),
    ];
    assert_eq!(selected(log, &[2]), [0, 1, 2, 3]);
}

#[test]
fn of_one_key_so_many_entries_are_remembered() {
    let mut log = vec![glance(b"control", b"c AAAAAA", &[])];
    log.extend((0..SIGNERS_FEW + 5).map(|_| glance(b"gap", b"c AAAAAA", &[])));
    assert_eq!(selected(log, &[]).len(), 1 + SIGNERS_FEW);
}

#[test]
fn an_entry_is_read_from_the_bundle_that_holds_it() {
    let mut log = MemoryLog::of("long");
    let mut findings = Findings::new(&[]);
    let mut reader = Reader { files: &mut log, size: 300, bundle: None };
    let mut numbers = Vec::new();
    for index in [255, 256, 0, 299] {
        let bytes = reader.entry(index, &mut findings).unwrap().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let number = text.split("\"number\":").nth(1).unwrap().split(',').next().unwrap();
        numbers.push(number.parse::<u64>().unwrap());
    }
    // All but the genesis and two others are one chain.
    assert_eq!(numbers, [252, 253, 0, 296]);
}

#[test]
fn an_opening_without_its_entry_or_of_another_one_is_named() {
    let openings = BTreeMap::from([(77, Opening::default()), (4, Opening::default())]);
    let mut log = MemoryLog::of("good");
    let told = verify_objects(&mut log, &anchor(), None, openings, &[object(b"x")], 1).unwrap();
    assert_eq!(told.unfit, [4, 77]);
    assert_eq!((told.shown, told.hidden), (2, 1), "entry 4 hides its digest still");
    let lines = found(&told.verdict);
    assert!(
        lines
            .iter()
            .any(|l| l
                .starts_with("V26? opening 4: nothing was taken from it: it is not this entry's")),
        "{lines:?}"
    );
}

/// "No match" was said of a file whose entry was there, for another bundle was not.
#[test]
fn in_a_log_that_is_not_whole_nothing_is_looked_for() {
    for name in ["bundle-missing", "bundle-cut", "checkpoint-of-more"] {
        let told = asked(&mut MemoryLog::of(name), &[object(&call())]);
        assert!(!told.searched && told.answers == [Answer::NoMatch], "{name}");
        let why = "V4? a file: the log could not be read whole: nothing was looked for in it";
        assert!(found(&told.verdict).contains(&why.to_owned()), "{name}");
    }
    assert!(asked(&mut MemoryLog::of("good"), &[object(&call())]).searched);
}

/// A recording was replaced; its metadata file, the same in both entries, was called REPLACED.
// spec: O3
#[test]
fn of_a_companion_its_own_bytes_are_compared() {
    let folder =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/logs/openings-of-replaced");
    let opening = |index: u64| {
        let bytes = std::fs::read(format!("{folder}/{index}.json")).unwrap();
        (index, Opening::parse(&bytes).unwrap())
    };
    let openings = BTreeMap::from([opening(2), opening(6)]);
    let package = crate::judge::testing::exhibit("replaced");
    let sidecar = package.bytes("data/2/companion-0.json").unwrap().to_vec();
    let mut log = MemoryLog::of("replaced");
    let objects = [object(&sidecar), object(&call())];
    let told = verify_objects(&mut log, &anchor(), None, openings, &objects, 1).unwrap();
    let replaced = |answer: &Answer| match answer {
        Answer::Sealed(mentions) => mentions.iter().map(Mention::is_replaced).collect(),
        _ => vec![],
    };
    assert_eq!(replaced(&told.answers[0]), [false, false]);
    assert_eq!(replaced(&told.answers[1]), [true]);
}

/// An opening that fits shows a digest that nothing in the clear does.
// spec: O4
#[test]
fn a_digest_that_an_opening_shows_is_counted_as_known() {
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/logs/openings-4/4.json");
    let opening = Opening::parse(&std::fs::read(vectors).unwrap()).unwrap();
    let openings = BTreeMap::from([(4, opening)]);
    let mut log = MemoryLog::of("good");
    let told = verify_objects(&mut log, &anchor(), None, openings, &[object(b"x")], 1).unwrap();
    assert_eq!((told.shown, told.hidden, told.unfit), (3, 0, vec![]));
}

#[test]
fn of_a_damaged_log_nobody_says_where_an_object_is() {
    let mut log = MemoryLog::of("good");
    log.0.insert("checkpoint".into(), b"no checkpoint".to_vec());
    let damaged = asked(&mut log, &[object(&call())]);
    assert_eq!(damaged.answers, [Answer::NoMatch]);
    assert_eq!(found(&damaged.verdict).len(), 1);
}

#[test]
fn no_subject_is_taken_for_none() {
    assert_eq!(short(Subject([0; 16])), 1);
    let mut subject = [0; 16];
    subject[..8].copy_from_slice(&7_u64.to_be_bytes());
    assert_eq!(short(Subject(subject)), 7);
}
