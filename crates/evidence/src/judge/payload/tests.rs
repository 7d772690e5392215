//! What is found of files, each case on an exhibit of the vectors.

use super::*;
use crate::judge::exhibit::verify_exhibit;
use crate::judge::reading::MANIFEST;
use crate::judge::testing::{anchor, exhibit, found_in};
use crate::package::MemoryPackage;

const CALL: &str = "data/2/recording.opus";

fn hash(package: &MemoryPackage, path: &str) -> Hash {
    Hash::of(&[package.bytes(path).unwrap()])
}

// spec: V3 V4
#[test]
fn a_changed_recording_is_found_against_the_list_and_against_its_entry() {
    let mut package = exhibit("good");
    let sealed = hash(&package, CALL);
    package.insert(CALL, *b"other bytes");
    let now = Hash::of(&[b"other bytes"]);
    let found = found_in(&mut package);
    for line in [
        format!("V3! {CALL}: expected SHA-256 {sealed}; SHA-256 {now}"),
        format!("V4! {CALL}: expected SHA-256 {sealed}; {now}"),
    ] {
        assert!(found.contains(&line), "{line}: {found:?}");
    }
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    let lines: Vec<(u64, Bytes)> =
        verdict.recordings().lines().iter().map(|line| (line.index, line.bytes)).collect();
    assert_eq!(lines, [(2, Bytes::Differ), (4, Bytes::Agree), (6, Bytes::Differ)]);
}

// spec: X12
#[test]
fn a_file_stands_once_and_where_its_lowest_entry_has_it() {
    let mut package = exhibit("good");
    let call = package.bytes(CALL).unwrap().to_vec();
    package.insert("data/6/recording.opus", call);
    let found = found_in(&mut package);
    for line in [
        "V1! data/6/recording.opus: expected each packed file once; a second one",
        "V3! data/6/recording.opus: expected a line in the manifest; none",
    ] {
        assert!(found.contains(&line.to_owned()), "{line}: {found:?}");
    }
    // Whichever of the two comes first: the one in its place is not accused, and nothing counts twice.
    let mut package = exhibit("good");
    let message = package.bytes("data/4/recording.json").unwrap().to_vec();
    let companion = package.bytes("data/2/companion-0.json").unwrap().to_vec();
    package.insert("data/2/companion-1.json", message);
    package.insert("data/6/companion-0.json", companion);
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    let lines = verdict.recordings().lines();
    assert!(lines.iter().all(|line| line.bytes == Bytes::Agree), "{lines:?}");
    assert!(lines.iter().all(|line| line.companions.0 == line.companions.1), "{lines:?}");
    let found = found_in(&mut package);
    let names: Vec<&String> = found.iter().filter(|line| line.starts_with("V1!")).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        names.iter().all(|line| line.contains("data/2/companion-1") || line.contains("data/6/"))
    );
}

// spec: X11
#[test]
fn without_its_opening_a_recording_agrees_by_what_stands_in_the_clear() {
    let mut package = exhibit("good");
    package.remove("data/openings/2.json");
    let manifest =
        String::from_utf8(package.bytes("manifest-sha256.txt").unwrap().to_vec()).unwrap();
    let lines = manifest.split_inclusive('\n').filter(|line| !line.contains("openings/2.json"));
    package.insert("manifest-sha256.txt", lines.collect::<String>());
    let found = found_in(&mut package);
    let item = format!("{CALL}, entry 2");
    for line in [
        format!(
            "V4? {item}: the opening of its entry, which would show content/sha256, content/blake3, content/size, is not here"
        ),
        format!("V5? {item}: its block key is not disclosed"),
    ] {
        assert!(found.contains(&line), "{line}: {found:?}");
    }
    let mut package = exhibit("opening-type-unknown");
    let found = found_in(&mut package);
    let why = "the opening of its entry is missing or cannot be used";
    let digests = "what its opening says of content/sha256, content/blake3, content/size could not be compared";
    for line in [format!("V4? {item}: {digests}: {why}"), format!("V5? {item}: {why}")] {
        assert!(found.contains(&line), "{line}: {found:?}");
    }
}

// spec: A8
#[test]
fn a_line_says_whether_its_blocks_were_checked_and_its_policy_is_shown() {
    let said = |package: &mut MemoryPackage| {
        let verdict = verify_exhibit(package, &anchor(), 1).unwrap();
        let lines = verdict.recordings().lines().iter();
        lines.map(|l| (l.index, l.blocks, l.policy_shown)).collect::<Vec<_>>()
    };
    let mut package = exhibit("good");
    let (yes, no) = (Blocks::Agree, Blocks::NotChecked);
    assert_eq!(said(&mut package), [(2, yes, true), (4, yes, true), (6, yes, true)]);
    // The call of 2 and 6 is one file, and each entry has a block key of its own.
    package.remove("data/openings/2.json");
    assert_eq!(said(&mut package), [(2, no, true), (4, yes, true), (6, yes, true)]);
    package.remove("data/openings/1.json");
    assert_eq!(said(&mut package), [(2, no, false), (4, yes, false), (6, yes, false)]);
    let mut package = exhibit("recordings-not-packed");
    assert!(said(&mut package).iter().all(|(_, blocks, policy)| *blocks == no && *policy));
}

// spec: V6
#[test]
fn a_companion_is_held_against_the_size_that_its_entry_gives() {
    let found = found_in(&mut exhibit("companion-of-another-size"));
    let line = "V6! data/2/companion-0.json, companion 0 of entry 2: expected ";
    let [found] = &found[..] else { panic!("{found:?}") };
    assert!(found.starts_with(line) && found.ends_with(" bytes; 82 bytes"), "{found}");
}

// spec: V28
#[test]
fn a_value_that_differs_from_its_file_is_named_where_it_can_be() {
    let found = found_in(&mut exhibit("sidecar-value-differs"));
    assert!(
        found
            .iter()
            .all(|line| line.starts_with("V28! data/2/companion-0.json, companion 0 of entry ")),
        "{found:?}"
    );
    assert!(!found.is_empty());
}

#[test]
fn what_is_committed_to_and_not_packed_is_said_of_each() {
    let mut package = exhibit("recordings-not-packed");
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    let items: Vec<&str> = verdict
        .findings()
        .iter()
        .filter(|finding| finding.found == "not packed")
        .map(|finding| finding.item.as_str())
        .collect();
    assert_eq!(
        items,
        [
            "entry 2, recording",
            "entry 6, recording",
            "entry 4, recording",
            "entry 2, companion 0",
            "entry 6, companion 0"
        ]
    );
}

// spec: V4 A8
#[test]
fn a_line_agrees_where_every_digest_and_the_size_do() {
    for (name, index, bytes, blocks) in [
        ("size-wrong", 2, Bytes::Differ, Blocks::Agree),
        ("message-blake3-wrong", 4, Bytes::Differ, Blocks::Agree),
        // Nobody signs a block key: under another one the same bytes have another root.
        ("block-root-wrong", 2, Bytes::Agree, Blocks::Differ),
    ] {
        let verdict = verify_exhibit(&mut exhibit(name), &anchor(), 1).unwrap();
        let line = verdict.recordings().lines().iter().find(|line| line.index == index).unwrap();
        let found = (line.bytes, line.sha256_agrees, line.blocks);
        assert_eq!(found, (bytes, true, blocks), "{name}");
    }
}

// spec: X12 A8
#[test]
fn a_file_that_cannot_be_read_is_told_from_one_that_differs() {
    let mut package = exhibit("good");
    package.damage(CALL);
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    let lines: Vec<(u64, Bytes)> =
        verdict.recordings().lines().iter().map(|line| (line.index, line.bytes)).collect();
    assert_eq!(lines, [(2, Bytes::Unreadable), (4, Bytes::Agree), (6, Bytes::Unreadable)]);
    let not_packed = |finding: &&crate::verdict::Finding| finding.found == "not packed";
    assert_eq!(verdict.findings().iter().filter(not_packed).count(), 0);
}

// spec: X6 X13 A8
#[test]
fn what_the_manifest_lists_and_is_not_there_is_told_from_what_is_not_packed() {
    let mut package = exhibit("good");
    package.remove(CALL);
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    let lines: Vec<(u64, Bytes)> =
        verdict.recordings().lines().iter().map(|line| (line.index, line.bytes)).collect();
    assert_eq!(lines, [(2, Bytes::Missing), (4, Bytes::Agree), (6, Bytes::Missing)]);
    let said = |what: &str| verdict.findings().iter().filter(|f| f.found == what).count();
    assert_eq!(said("the manifest lists it, and it is not there"), 2);
    assert_eq!(said("not packed"), 0);
}

// spec: X13
#[test]
fn of_a_companion_whose_digest_is_withheld_nothing_can_be_told() {
    let verdict = verify_exhibit(&mut exhibit("companion-digest-withheld"), &anchor(), 1).unwrap();
    let not_read = |finding: &&crate::verdict::Finding| {
        finding.step == Step::Companion && finding.found.starts_with("its digest is withheld")
    };
    let items: Vec<&str> =
        verdict.findings().iter().filter(not_read).map(|finding| &*finding.item).collect();
    assert_eq!(items, ["entry 2, companion 0"]);
}

// spec: A8
#[test]
fn a_line_says_whether_other_bytes_took_its_place() {
    let lines = |name: &str| {
        let verdict = verify_exhibit(&mut exhibit(name), &anchor(), 1).unwrap();
        let lines = verdict.recordings().lines().iter();
        lines.map(|l| (l.index, l.superseded_by.clone(), l.by_other_bytes)).collect::<Vec<_>>()
    };
    let others = |two| [(2, vec![6], two), (4, vec![], Some(false)), (6, vec![], Some(false))];
    assert_eq!(lines("good"), others(Some(false)));
    assert_eq!(lines("replaced"), others(Some(true)));
    assert_eq!(lines("replaced-by-bytes-not-shown"), others(Some(true)), "of another size");
    assert_eq!(lines("replaced-by-as-many-bytes-not-shown"), others(None));
}

/// "Not packed" was said of what lies there under another name, and of a companion whose place is taken.
// spec: X13
#[test]
fn why_bytes_are_not_packed_is_said() {
    let of = |package: &mut MemoryPackage, item: &str| {
        let verdict = verify_exhibit(package, &anchor(), 1).unwrap();
        let not_read = |f: &&crate::verdict::Finding| {
            f.item == item && f.outcome == crate::verdict::Outcome::NotChecked
        };
        let found = verdict.findings().iter().find(not_read);
        found.map(|finding| finding.found.clone()).unwrap_or_default()
    };
    let swapped = of(&mut exhibit("companion-swapped"), "entry 2, companion 0");
    assert_eq!(swapped, "its bytes are not packed: in their place lies another file");
    let mut package = exhibit("good");
    let bytes = package.remove("data/4/recording.json").unwrap();
    package.insert("data/4/message.json", bytes);
    let manifest = String::from_utf8(package.bytes(MANIFEST).unwrap().to_vec()).unwrap();
    let manifest = manifest.replace("data/4/recording.json", "data/4/message.json");
    package.insert(MANIFEST, manifest);
    let astray = "the manifest has its digest for a file that lies in no place of an exhibit";
    assert_eq!(of(&mut package, "entry 4, recording"), astray);
    let mut package = exhibit("recordings-not-packed");
    assert!(of(&mut package, "entry 4, recording").starts_with("not packed"));
}

/// The line of the manifest was changed, and the file accused, "too many entries" and all.
// spec: V3 A7
#[test]
fn a_line_of_the_manifest_takes_nothing_from_a_file_that_agrees() {
    let mut package = exhibit("manifest-line-of-other-bytes");
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    let call = verdict.recordings().lines().first().unwrap();
    assert!(call.bytes == Bytes::Agree && call.blocks == Blocks::Agree);
    let found = crate::judge::testing::found(&verdict);
    let of_the_line = "V3! manifest-sha256.txt, its line for data/2/recording.opus: expected ";
    assert_eq!(found.iter().filter(|line| line.starts_with("V3! ")).count(), 1, "{found:?}");
    assert!(found.iter().any(|line| line.starts_with(of_the_line)), "{found:?}");
    assert!(verdict.evidence_agrees());
}

/// Two entries take from one metadata file, and the values of one of them differ.
// spec: V28
#[test]
fn each_entry_is_held_against_the_metadata_file_by_itself() {
    for name in ["sidecar-value-differs", "sidecar-value-left-out"] {
        let verdict = verify_exhibit(&mut exhibit(name), &anchor(), 1).unwrap();
        let tally = verdict.tally(Step::Sidecar);
        assert_eq!((tally.contradicted, tally.held), (1, 1), "{name}");
        // Of values that are all shown only a digest is kept: what differs is not known.
        let found = verdict.findings().iter().find(|finding| finding.step == Step::Sidecar);
        assert_eq!(found.map(|finding| &*finding.found), Some("not exactly these"), "{name}");
    }
    let withheld = exhibit("sidecar-name-withheld-and-not-there");
    let found = found_in(&mut { withheld });
    assert!(found.iter().any(|line| line.ends_with("; a difference at /nothing")), "{found:?}");
}

// spec: X13
#[test]
fn a_recording_in_whose_place_a_file_stands_is_not_said_to_be_absent_too() {
    let absent = |package: &mut MemoryPackage| {
        let verdict = verify_exhibit(package, &anchor(), 1).unwrap();
        let found = verdict.findings().iter().filter(|f| f.item.ends_with(", recording"));
        found.map(|f| (f.item.clone(), f.found.clone())).collect::<Vec<_>>()
    };
    assert_eq!(absent(&mut exhibit("recording-bit-flipped")), []);
    let fetched = absent(&mut exhibit("recording-in-fetch"));
    assert!(!fetched.is_empty() && fetched.iter().all(|(_, why)| why == IN_FETCH));
    let mut package = exhibit("good");
    package.damage(CALL);
    package.remove("data/4/recording.json").unwrap();
    let gone = "the manifest lists it, and it is not there".to_owned();
    assert_eq!(absent(&mut package), [("entry 4, recording".to_owned(), gone)]);
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    let lines: Vec<_> = verdict.recordings().lines().iter().map(|l| (l.index, l.bytes)).collect();
    assert_eq!(lines, [(2, Bytes::Unreadable), (4, Bytes::Missing), (6, Bytes::Unreadable)]);
}

/// Another sealed file lay in the place of a companion, and the signed manifest was accused.
// spec: V3 V4
#[test]
fn a_sealed_file_in_the_place_of_another_is_what_differs() {
    let mut package = exhibit("good");
    let message = package.bytes("data/4/recording.json").unwrap().to_vec();
    package.insert("data/2/companion-0.json", message);
    let found = found_in(&mut package);
    let line = "V3! data/2/companion-0.json: expected SHA-256 ";
    assert!(found.iter().any(|found| found.starts_with(line)), "{found:?}");
    assert!(!found.iter().any(|found| found.contains("its line for")), "{found:?}");
}

// spec: V4 X13
#[test]
fn of_an_entry_that_hides_its_digest_a_file_is_missed_where_none_lies_under_it() {
    let missed = |package: &mut MemoryPackage| {
        let verdict = verify_exhibit(package, &anchor(), 1).unwrap();
        let why = "no file lies under it, and its SHA-256 is not disclosed";
        let found = verdict.findings().iter().filter(|finding| finding.found == why);
        found.map(|finding| finding.item.clone()).collect::<Vec<_>>()
    };
    let mut package = exhibit("content-closed");
    assert_eq!(missed(&mut package), [""; 0]);
    package.remove("data/4/recording.json").unwrap();
    assert_eq!(missed(&mut package), ["entry 4"]);
    // A file under the next index is none of it.
    package.insert("data/5/recording.json", *b"x");
    assert_eq!(missed(&mut package), ["entry 4"]);
}
