//! One thing of an exhibit is changed: it is accused, and what hangs on it is not.

use crate::judge::exhibit::verify_exhibit;
use crate::judge::log::verify_log;
use crate::judge::testing::{MemoryLog, anchor, exhibit, found, found_in};
use crate::package::MemoryPackage;
use crate::recordings::Bytes;
use crate::trust::Trust;

/// Who changed a file of values changed no recording; a checkpoint or a genesis that was changed made every entry
/// look forged.
// spec: V3 V10 V11 V25
#[test]
fn what_was_changed_is_accused_and_what_hangs_on_it_is_not() {
    let accused = |path: &str, (from, to): (&str, &str)| {
        let mut package = exhibit("good");
        let text = std::str::from_utf8(package.bytes(path).unwrap()).unwrap().replacen(from, to, 1);
        package.insert(path, text.into_bytes());
        let found = found_in(&mut package);
        let accused = found.iter().filter(|line| line.contains('!'));
        accused.map(|line| line.split(": ").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let opening = "data/openings/2.json";
    let values = ("25620", "25621");
    assert_eq!(
        accused(opening, values),
        [format!("V25! {opening}"), format!("V26! {opening} (opening root)")]
    );
    let checkpoint = "ledger/checkpoint";
    let size = ("\n9\n", "\n8\n");
    assert_eq!(
        accused(checkpoint, size),
        [
            format!("V7! {checkpoint} and its line in tagmanifest-sha256.txt"),
            "V8! checkpoint".to_owned(),
            format!("V10! {checkpoint}"),
        ]
    );
    // Who names an entry that was changed, or signs with a key that a changed control entry added, is not accused.
    for path in ["ledger/entries/2.note", "ledger/control/3.note"] {
        let index = path.trim_end_matches(".note").rsplit('/').next().unwrap();
        let proof = path.replace(".note", ".tlog-proof");
        let expected = [
            format!("V7! {path} and its line in tagmanifest-sha256.txt"),
            format!("V10! entry {index}, by its proof {proof}"),
            format!("V14! entry {index}"),
        ];
        assert_eq!(accused(path, ("07:00:0", "07:10:0")), expected);
    }
    let genesis = "ledger/control/0.note";
    let time = ("07:00:00", "07:10:00");
    let proof = "V10! entry 0, by its proof ledger/control/0.tlog-proof".to_owned();
    assert_eq!(
        accused(genesis, time),
        [
            format!("V7! {genesis} and its line in tagmanifest-sha256.txt"),
            proof,
            "V14! entry 0".to_owned()
        ]
    );
}

/// What is accused of the good exhibit after `change`: step and item.
fn accused_after(change: impl FnOnce(&mut MemoryPackage)) -> Vec<String> {
    let mut package = exhibit("good");
    change(&mut package);
    let found = found_in(&mut package);
    let accused = found.iter().filter(|line| line.split(' ').next().unwrap().ends_with('!'));
    // What the bag's own lists say of it is another matter.
    let of_evidence = accused.filter(|line| !line.starts_with("V7!") && !line.starts_with("V19!"));
    of_evidence.map(|line| line.split(": ").next().unwrap().to_owned()).collect()
}

/// Whoever takes something out, or puts it in another place, made everything that hangs on it look forged.
// spec: X14 E13 V1 V10 V11 V23
#[test]
fn what_is_missing_or_misplaced_is_named_and_what_hangs_on_it_is_not_accused() {
    // A control entry: once, and not each entry that names it, nor those signed with a key that it added.
    let accused = accused_after(|package| {
        drop(package.remove("ledger/control/3.note"));
        drop(package.remove("ledger/control/3.tlog-proof"));
        drop(package.remove("ledger/openings/3.json"));
    });
    let [control, listed] = &accused[..] else { panic!("{accused:?}") };
    assert!(control.starts_with("V11! control entry of leaf "), "{control}");
    assert_eq!(listed, "V20! entry 3");
    // The note alone: its proof is no stray.
    let accused = accused_after(|package| drop(package.remove("ledger/entries/2.note")));
    assert_eq!(accused[0], "V1! ledger/entries/2.note", "{accused:?}");
    assert!(!accused.iter().any(|line| line.contains("data/2")), "{accused:?}");
    // Two notes that changed places say nothing where they stand.
    let accused = accused_after(|package| {
        let [two, six] = ["ledger/entries/2.note", "ledger/entries/6.note"];
        let (a, b) = (package.bytes(two).unwrap().to_vec(), package.bytes(six).unwrap().to_vec());
        package.insert(two, b);
        package.insert(six, a);
    });
    let proof =
        |index: u64| format!("V10! entry {index}, by its proof ledger/entries/{index}.tlog-proof");
    assert_eq!(accused, [proof(2), proof(6)]);
    // What nobody signed says nothing of others: no leaf, no subject, no key.
    let accused = accused_after(|package| package.insert("ledger/entries/2.note", *b"junk"));
    assert_eq!(
        accused,
        ["V10! entry 2, by its proof ledger/entries/2.tlog-proof", "V13! entry 2 (signed note)"]
    );
    let accused = accused_after(|package| package.insert("ledger/control/3.note", *b"junk"));
    assert_eq!(
        accused,
        ["V10! entry 3, by its proof ledger/control/3.tlog-proof", "V13! entry 3 (signed note)"]
    );
    let accused = accused_after(|package| {
        let note = String::from_utf8(package.bytes("ledger/entries/7.note").unwrap().to_vec());
        package.insert("ledger/entries/7.note", note.unwrap().replace("a1a1a1a1", "a2a1a1a1"));
    });
    assert_eq!(accused, ["V10! entry 7, by its proof ledger/entries/7.tlog-proof", "V14! entry 7"]);
    // A note that nobody lists.
    let accused = accused_after(|package| {
        let note = package.bytes("ledger/entries/2.note").unwrap().to_vec();
        package.insert("ledger/entries/9.note", note);
    });
    assert_eq!(accused[0], "V10! ledger/entries/9.note", "{accused:?}");
}

/// The proofs hold the checkpoint too, as it was signed.
// spec: X14
#[test]
fn a_checkpoint_that_was_exchanged_is_accused_and_no_proof_is() {
    let other = exhibit("named");
    let another = other.bytes("ledger/checkpoint").unwrap().to_vec();
    let renamed = |package: &mut MemoryPackage| {
        let text = package.bytes("ledger/checkpoint").unwrap().to_vec();
        let text = String::from_utf8(text).unwrap();
        let (body, line) = text.rsplit_once("\u{2014} ").unwrap();
        package.insert("ledger/checkpoint", format!("{body}\u{2014} x{line}"));
    };
    let accused = accused_after(|package| package.insert("ledger/checkpoint", another));
    assert_eq!(accused, ["V10! ledger/checkpoint"]);
    let accused = accused_after(renamed);
    assert_eq!(accused, ["V8! checkpoint", "V10! ledger/checkpoint"]);
    let mut package = exhibit("good");
    renamed(&mut package);
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    assert_eq!(verdict.blame(), Some(crate::verdict::Blame::Evidence), "it is no other ledger");
}

/// A recording that agrees was accused for a key in a file beside it.
// spec: B4 V5
#[test]
fn a_changed_block_key_does_not_accuse_the_recording() {
    let found = {
        let mut package = exhibit("good");
        let text =
            String::from_utf8(package.bytes("data/openings/2.json").unwrap().to_vec()).unwrap();
        let (before, key) = text.split_once("\"block_key\":\"").unwrap();
        let digit = if key.starts_with('0') { "1" } else { "0" };
        let changed = format!("{before}\"block_key\":\"{digit}{}", &key[1..]);
        package.insert("data/openings/2.json", changed);
        found_in(&mut package)
    };
    let item = "V5! block key in data/openings/2.json, used for data/2/recording.opus: ";
    assert!(found.iter().any(|line| line.starts_with(item)), "{found:?}");
    assert!(!found.iter().any(|line| line.starts_with("V4!")), "{found:?}");
}

/// Where the list of files was made anew, a file that was taken out looked like one that was never packed.
// spec: X13 A7 A8
#[test]
fn what_is_not_packed_by_a_list_that_nobody_signed_is_not_the_producers_choice() {
    let mut package = exhibit("good");
    package.remove("data/2/recording.opus");
    let manifest =
        String::from_utf8(package.bytes("manifest-sha256.txt").unwrap().to_vec()).unwrap();
    let lines = manifest.split_inclusive('\n').filter(|line| !line.contains("data/2/recording"));
    package.insert("manifest-sha256.txt", lines.collect::<String>());
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    let line = verdict.recordings().lines().iter().find(|line| line.index == 2).unwrap();
    assert_eq!(line.bytes, Bytes::NotHere);
    assert_eq!(verdict.first_contradiction().unwrap().item, "manifest-sha256.txt");
    assert!(!verdict.evidence_agrees());
}

/// One old proof made the checkpoint look exchanged, though every other proof holds it.
// spec: X14
#[test]
fn a_proof_that_holds_another_checkpoint_than_the_others_is_the_odd_one() {
    const PROOF: &str = "ledger/entries/6.tlog-proof";
    let old = exhibit("named").bytes(PROOF).unwrap().to_vec();
    let accused = accused_after(|package| package.insert(PROOF, old));
    assert_eq!(accused, [format!("V10! {PROOF}"), format!("V10! entry 6, by its proof {PROOF}")]);
    // Behind the end of the log there is no place.
    let accused = accused_after(|package| {
        for ending in ["note", "tlog-proof"] {
            let bytes = package.remove(&format!("ledger/entries/7.{ending}")).unwrap();
            package.insert(&format!("ledger/entries/9.{ending}"), bytes);
        }
    });
    assert!(accused.contains(&"V10! ledger/entries/9.tlog-proof".to_owned()), "{accused:?}");
    assert!(!accused.iter().any(|line| line.starts_with("V10! entry 9")), "{accused:?}");
}

/// A second entry with a proof of its own, beside the one that the lists have.
// spec: X2 X14
#[test]
fn of_two_entries_with_proofs_the_one_that_is_not_listed_is_the_second() {
    let accused = accused_after(|package| {
        for ending in ["note", "tlog-proof"] {
            let bytes = package.bytes(&format!("ledger/entries/2.{ending}")).unwrap().to_vec();
            package.insert(&format!("ledger/control/2.{ending}"), bytes);
        }
    });
    assert_eq!(accused, ["V1! ledger/control/2.note"]);
}

/// One unsigned line made a loss look like the producer's choice.
// spec: X6 X16
#[test]
fn what_a_list_that_nobody_signed_names_is_missing() {
    const CALL: &str = "data/2/recording.opus";
    let mut package = exhibit("good");
    let length = package.remove(CALL).unwrap().len();
    package.insert("fetch.txt", format!("https://example.com/x {length} {CALL}\n"));
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    let line = verdict.recordings().lines().iter().find(|line| line.index == 2).unwrap();
    assert_eq!(line.bytes, Bytes::Missing);
    assert_eq!(verdict.blame(), Some(crate::verdict::Blame::Evidence));
}

/// Where nobody can tell which of two is in its place, that there are two is found all the same.
// spec: X12
#[test]
fn a_file_that_stands_twice_is_found_whatever_is_not_known_of_its_places() {
    let accused = accused_after(|package| {
        let message = package.bytes("data/4/recording.json").unwrap().to_vec();
        package.insert("data/2/companion-1.json", message);
        // What entry 2 commits to is not all known now.
        drop(package.remove("data/openings/2.json"));
    });
    let both = "V1! data/4/recording.json";
    let named = accused.iter().any(|line| line == "V1! data/2/companion-1.json" || line == both);
    assert!(named, "{accused:?}");
}

/// The good exhibit's ledger, by its id alone: what `exhibit` prints for counsel.
fn by_id() -> Trust {
    let verdict = verify_exhibit(&mut exhibit("good"), &anchor(), 1).unwrap();
    let ledger_ids = verdict.seen().unwrap().ledger_id.into_iter().collect();
    Trust { keys: vec![], ledger_ids }
}

/// With a ledger id for an anchor a changed checkpoint made every proof and every entry look forged.
// spec: L8 X14 C9
#[test]
fn under_a_ledger_id_the_log_key_of_the_chain_tells_which_text_was_signed() {
    let another = exhibit("named").bytes("ledger/checkpoint").unwrap().to_vec();
    let edited = |from: &str, to: &str| {
        let good = exhibit("good");
        let text = std::str::from_utf8(good.bytes("ledger/checkpoint").unwrap()).unwrap();
        text.replacen(from, to, 1).into_bytes()
    };
    let key = "V12! checkpoint";
    for (checkpoint, expected) in [
        (another, vec!["V10! ledger/checkpoint"]),
        (edited("\n9\n", "\n8\n"), vec!["V10! ledger/checkpoint", key]),
        (edited("recordings\n9", "recordingz\n9"), vec!["V10! ledger/checkpoint", key]),
    ] {
        for trust in [by_id(), Trust::default()] {
            let mut package = exhibit("good");
            package.insert("ledger/checkpoint", checkpoint.clone());
            let verdict = verify_exhibit(&mut package, &trust, 1).unwrap();
            let accused = found(&verdict).into_iter().filter(|line| {
                let step = line.split(' ').next().unwrap_or_default();
                step.ends_with('!') && step != "V7!"
            });
            let accused: Vec<String> =
                accused.map(|line| line.split(": ").next().unwrap().to_owned()).collect();
            assert_eq!(accused, expected, "{trust:?}");
        }
    }
    // In a log too: what everything leads to is not what the key signed.
    let mut log = MemoryLog::of("good");
    let text = String::from_utf8(log.0["checkpoint"].clone()).unwrap();
    let root = text.lines().nth(2).unwrap().to_owned();
    let changed = if root.starts_with('A') { "B" } else { "A" }.to_owned() + &root[1..];
    log.0.insert("checkpoint".to_owned(), text.replace(&root, &changed).into_bytes());
    let verdict = verify_log(&mut log, &by_id(), None, 1, &|_| ()).unwrap();
    let [root, key] = &found(&verdict)[..] else { panic!("{:?}", found(&verdict)) };
    assert!(
        root.starts_with("V10? log: ") && key.starts_with("V12! checkpoint: "),
        "{root}; {key}"
    );
    assert!(key.ends_with(", which does not hold"), "{key}");
}

/// An entry that could not be read was held against nothing, and the ledger was ESTABLISHED beside it.
// spec: X14
#[test]
fn an_entry_that_cannot_be_read_was_not_held_against_its_proof() {
    let mut package = exhibit("good");
    let mut note = package.bytes("ledger/entries/2.note").unwrap().to_vec();
    note.resize(crate::limits::ENTRY_BYTES_MAX + 1, b'x');
    package.insert("ledger/entries/2.note", note);
    let found = found_in(&mut package);
    let line = "V10? entry 2: it cannot be read, and was not held against its proof";
    assert!(found.contains(&line.to_owned()), "{found:?}");
}

/// A path that is too short leads nowhere, whatever the entry is.
// spec: L6
#[test]
fn a_path_of_another_length_is_told_as_that() {
    const PROOF: &str = "ledger/entries/2.tlog-proof";
    let mut package = exhibit("good");
    let text = String::from_utf8(package.bytes(PROOF).unwrap().to_vec()).unwrap();
    let third = text.lines().nth(2).unwrap();
    package.insert(PROOF, text.replacen(&format!("{third}\n"), "", 1));
    let found = found_in(&mut package);
    let line = found.iter().find(|line| line.starts_with("V10! entry 2, by its proof ")).unwrap();
    assert!(line.ends_with("; a path of 3, where 4 hashes lead there"), "{line}");
}

/// One file serves two entries: what lies in its place is not missing for one of them and exchanged for the other.
// spec: X12 X13
#[test]
fn a_companion_that_was_edited_is_not_told_as_never_packed() {
    const SIDECAR: &str = "data/2/companion-0.json";
    let mut package = exhibit("good");
    let mut bytes = package.bytes(SIDECAR).unwrap().to_vec();
    bytes.push(b' ');
    package.insert(SIDECAR, bytes);
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    let why = "its bytes are not packed: in their place lies another file";
    let of_them = verdict.findings().iter().filter(|finding| finding.found == why);
    let items: Vec<&str> = of_them.map(|finding| finding.item.as_str()).collect();
    assert_eq!(items, ["entry 2, companion 0", "entry 6, companion 0"]);
}
