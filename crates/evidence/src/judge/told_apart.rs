//! Findings that read alike, and must not be taken for one another: each is made here and told by its own words.

use crate::judge::exhibit::verify_exhibit;
use crate::judge::findings::Findings;
use crate::judge::testing::{ORIGIN, anchor, exhibit, found, found_in, signer};
use crate::judge::trust::Judged;
use crate::keys::Serving;
use crate::package::{MemoryPackage, Package as _};
use crate::step::{Axis, Step};
use crate::trust::Trust;
use crate::verdict::Outcome;

/// What is found of a vector after `change`.
fn after(name: &str, change: impl FnOnce(&mut MemoryPackage)) -> Vec<String> {
    let mut package = exhibit(name);
    change(&mut package);
    found_in(&mut package)
}

fn replace(package: &mut MemoryPackage, path: &str, from: &str, to: &str) {
    let text = std::str::from_utf8(package.bytes(path).unwrap()).unwrap();
    assert!(text.contains(from), "{path} has {from}");
    let text = text.replacen(from, to, 1);
    package.insert(path, text.into_bytes());
}

fn take(package: &mut MemoryPackage, paths: &[&str]) {
    for path in paths {
        package.remove(path).unwrap();
    }
}

fn has(found: &[String], line: &str) {
    assert!(found.iter().any(|known| known.starts_with(line)), "{line}: {found:?}");
}

fn has_not(found: &[String], part: &str) {
    assert!(!found.iter().any(|known| known.contains(part)), "{part}: {found:?}");
}

const CONTROL: [&str; 3] =
    ["ledger/control/3.note", "ledger/control/3.tlog-proof", "ledger/openings/3.json"];

// spec: X14 L8
#[test]
fn without_a_checkpoint_it_is_said_what_was_held_against_none() {
    let mut package = exhibit("good");
    take(&mut package, &["ledger/checkpoint"]);
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    for step in [Step::Inclusion, Step::LogKey] {
        let why = "there is no checkpoint that can be read, and nothing was held against one";
        let is_it = |f: &&crate::verdict::Finding| f.step == step && f.found == why;
        assert_eq!(verdict.findings().iter().filter(is_it).count(), 1, "{step:?}");
        assert!(verdict.tally(step).ran, "{step:?}");
    }
}

/// A control entry that is taken out, one that was changed, one of another kind, and a stale pointer to one.
// spec: E13 V11 V14
#[test]
fn what_became_of_a_control_entry_is_told_by_what_names_it() {
    let missing = "V11! control entry of leaf ";
    let below = |found: &[String], index: u64| {
        let line = found.iter().find(|line| line.starts_with(missing)).unwrap();
        assert!(line.contains(&format!("to be shown below entry {index}, ")), "{line}");
    };
    below(&after("good", |p| take(p, &CONTROL)), 4);
    // What nobody signed names nothing.
    let unsigned = |p: &mut MemoryPackage| {
        take(p, &CONTROL);
        replace(p, "ledger/entries/4.note", "07:00:0", "07:10:0");
    };
    below(&after("good", unsigned), 5);
    // A changed entry of a collector was no control entry.
    let collector = |p: &mut MemoryPackage| {
        take(p, &CONTROL);
        replace(p, "ledger/entries/2.note", "07:00:0", "07:10:0");
    };
    below(&after("good", collector), 4);
    // A genesis of a later version that is in its place is none that others name in vain.
    has(&after("later-genesis", |p| take(p, &CONTROL)), missing);
    let stale = after("control-stale", |_| ());
    has(&stale, "V11! entry 4: expected control ");
    has_not(&stale, missing);
    // One that says that it is of another kind, and was not signed so, was a control entry.
    let kind = |p: &mut MemoryPackage| {
        replace(p, "ledger/control/3.note", "\"kind\":\"control\"", "\"kind\":\"contro1\"");
    };
    let found = after("good", kind);
    has(&found, "V14? entry 4: its key is not known; control entry 3, of which nothing was taken");
    has_not(&found, missing);
    // Of a later version and changed: by its signature line it is a control entry, or is none.
    let later = |path: &'static str| {
        move |p: &mut MemoryPackage| replace(p, path, "unbroken/entry@v1", "unbroken/entry@v9")
    };
    let found = after("good", later("ledger/control/3.note"));
    has(&found, "V14? entry 4: its key is not known; control entry 3, of which nothing was taken");
    let found = after("custody-signed-by-a-stranger", later("ledger/entries/2.note"));
    has(&found, "V14! entry 7: expected a key that a control entry below added; ");
}

/// An entry that was moved, and one that was changed, leave the history open each in its own words.
// spec: V23 X14
#[test]
fn entries_that_were_moved_are_counted_apart_from_those_that_were_changed() {
    let moved =
        "V23? entries: 2 whose proof does not hold or is missing may be about any recording";
    let changed =
        "V23? entries: 1 on which no signature by a known key holds may be about any recording";
    let found = after("good", |p| {
        let [four, six] = ["ledger/entries/4.note", "ledger/entries/6.note"];
        let (a, b) = (p.bytes(four).unwrap().to_vec(), p.bytes(six).unwrap().to_vec());
        p.insert(four, b);
        p.insert(six, a);
    });
    has(&found, moved);
    has_not(&found, "no signature by a known key holds may");
    let found = after("good", |p| replace(p, "ledger/entries/6.note", "07:00:0", "07:10:0"));
    has(&found, changed);
    has_not(&found, "is missing may be");
}

/// What stands behind the end of the log makes up for no entry that is left out.
// spec: A2
#[test]
fn an_entry_behind_the_checkpoint_is_not_counted_as_one_of_its_own() {
    let mut package = exhibit("good");
    for ending in ["note", "tlog-proof"] {
        let bytes = package.remove(&format!("ledger/entries/1.{ending}")).unwrap();
        package.insert(&format!("ledger/entries/9.{ending}"), bytes);
    }
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    let ledger = verdict.axes().iter().find(|axis| axis.axis == Axis::Ledger).unwrap();
    let left_out = "an entry that ends or disputes a key may be left out here: that shows only in the published log";
    assert!(ledger.notes.contains(&left_out.to_owned()), "{:?}", ledger.notes);
}

/// Where a file lies, under an entry that is shown or under none, and twice.
// spec: X12 X13 V1
#[test]
fn a_file_in_a_wrong_place_is_told_by_the_entry_that_it_lies_under() {
    const CALL: &str = "data/2/recording.opus";
    let call = |p: &mut MemoryPackage, to: &[&str]| {
        let bytes = p.remove(CALL).unwrap();
        for path in to {
            p.insert(path, bytes.clone());
        }
    };
    let wrong = |path: &str| {
        format!("V1! {path}: expected data/2/recording: what it is to the lowest entry; another")
    };
    let twice = |path: &str| format!("V1! {path}: expected each packed file once; a second one");
    for path in ["data/1/recording.opus", "data/12/recording.opus"] {
        has(&after("good", |p| call(p, &[path])), &wrong(path));
    }
    // The one that is in its place is not the second, wherever the first one lay.
    let found = after("good", |p| call(p, &["data/1/recording.opus", CALL]));
    has(&found, &wrong("data/1/recording.opus"));
    has_not(&found, "a second one");
    let found = after("good", |p| call(p, &["data/10/recording.opus", "data/11/recording.opus"]));
    has(&found, &wrong("data/10/recording.opus"));
    has(&found, &twice("data/11/recording.opus"));
    // Listed or not: what lies in its place came first.
    let listed = |p: &mut MemoryPackage| {
        call(p, &[CALL, "data/6/recording.opus"]);
        let manifest = std::str::from_utf8(p.bytes("manifest-sha256.txt").unwrap()).unwrap();
        let line = manifest.lines().find(|line| line.ends_with(CALL)).unwrap();
        let line = line.replace("data/2/", "data/6/");
        let mut lines: Vec<&str> = manifest.lines().chain([line.as_str()]).collect();
        lines.sort_unstable_by_key(|line| line.split_once("  ").unwrap().1);
        p.insert("manifest-sha256.txt", format!("{}\n", lines.join("\n")));
    };
    has(&after("good", listed), &twice("data/6/recording.opus"));
    // Where nobody can tell whose place it is, the list does.
    let message = |p: &mut MemoryPackage| {
        let bytes = p.bytes("data/4/recording.json").unwrap().to_vec();
        p.insert("data/2/companion-1.json", bytes);
        take(p, &["data/openings/2.json"]);
    };
    has(&after("good", message), &twice("data/2/companion-1.json"));
    let listed = |p: &mut MemoryPackage| {
        message(p);
        replace(p, "manifest-sha256.txt", "data/4/recording.json", "data/2/companion-1.json");
        let manifest = std::str::from_utf8(p.bytes("manifest-sha256.txt").unwrap()).unwrap();
        let mut lines: Vec<&str> = manifest.lines().collect();
        lines.sort_unstable_by_key(|line| line.split_once("  ").unwrap().1);
        p.insert("manifest-sha256.txt", format!("{}\n", lines.join("\n")));
    };
    has(&after("good", listed), &twice("data/4/recording.json"));
}

// spec: X13
#[test]
fn why_bytes_were_compared_with_nothing_is_said_of_each_file() {
    let whys = |change: &dyn Fn(&mut MemoryPackage)| {
        let mut package = exhibit("good");
        change(&mut package);
        let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
        let unread = verdict.findings().iter().filter(|f| f.outcome == Outcome::NotChecked);
        unread.map(|f| format!("{}: {}", f.item, f.found)).collect::<Vec<_>>()
    };
    const SIDECAR: &str = "data/2/companion-0.json";
    let elsewhere = whys(&|p| {
        let bytes = p.remove(SIDECAR).unwrap();
        p.insert("data/4/recording.json", bytes);
    });
    let why = "its bytes lie in a wrong place, where they count for no entry";
    has(&elsewhere, &format!("entry 2, companion 0: {why}"));
    let taken_out = whys(&|p| {
        take(p, &[SIDECAR]);
        let manifest = std::str::from_utf8(p.bytes("manifest-sha256.txt").unwrap()).unwrap();
        let kept = manifest.split_inclusive('\n').filter(|line| !line.contains(SIDECAR));
        let kept: String = kept.collect();
        p.insert("manifest-sha256.txt", kept);
    });
    has(&taken_out, "entry 2, companion 0: no file in its place has these bytes, and the manifest");
}

// spec: X2 X14
#[test]
fn of_notes_and_proofs_in_two_folders_the_odd_one_is_named() {
    let found = after("good", |p| {
        let note = p.bytes("ledger/control/3.note").unwrap().to_vec();
        p.insert("ledger/entries/3.note", note);
    });
    has(
        &found,
        "V1! ledger/entries/3.note: expected one entry at an index, beside its proof; a second",
    );
    let found = after("good", |p| {
        let proof = p.remove("ledger/entries/2.tlog-proof").unwrap();
        p.insert("ledger/control/2.tlog-proof", proof);
    });
    let both = "ledger/control/2.tlog-proof and ledger/entries/2.note";
    has(&found, &format!("V1! {both}: expected entry and proof in one folder; in two"));
    // Neither has a proof: the one among the control entries is taken.
    let found = after("good", |p| {
        take(p, &["ledger/entries/2.tlog-proof"]);
        p.insert("ledger/control/2.note", *b"junk");
    });
    has(&found, "V13! entry 2 (signed note): ");
    has(&found, "V1! ledger/control/2.note and ledger/entries/2.note: expected one entry");
}

/// Doubt of a checkpoint takes away what rests on its text; so each key that was given has its say.
// spec: L7 L8
#[test]
fn a_checkpoint_is_doubted_where_none_of_the_given_keys_or_one_of_another_text_signed_it() {
    use crate::checkpoint::Checkpoint;
    use crate::hash::Hash;
    let text = |size| Checkpoint { origin: ORIGIN.to_owned(), size, root: Hash::of(&[]) }.text();
    let note = signer(2).sign_note(&text(1));
    let broken = note.replacen("\n1\n", "\n7\n", 1);
    let key = |seed: u8| signer(seed).verifier().clone();
    let doubted = |note: &str, keys: &[u8], serving: &[u8], are_all: bool| {
        let trust =
            Trust { keys: keys.iter().map(|seed| key(*seed)).collect(), ledger_ids: vec![] };
        let mut judged =
            Judged::new(note.as_bytes(), &trust, &mut Findings::new(Step::ALL)).unwrap();
        let serving = serving.iter().map(|seed| key(*seed)).collect();
        judged.serve(Serving { keys: serving, are_all });
        judged.is_doubted()
    };
    for (note, keys, serving, expected) in [
        (&note, &[2][..], &[][..], [false; 2]),
        (&note, &[2, 3], &[], [false; 2]),
        (&note, &[3], &[], [true; 2]),
        (&note, &[], &[], [false; 2]),
        (&note, &[], &[2], [false; 2]),
        (&note, &[], &[3, 2], [false; 2]),
        // Another key may have signed it, unless all of this ledger's are here.
        (&note, &[], &[3], [false, true]),
        (&broken, &[2], &[], [true; 2]),
        (&broken, &[], &[2], [true; 2]),
        (&broken, &[], &[3, 2], [true; 2]),
        (&broken, &[], &[], [false; 2]),
    ] {
        let found = [false, true].map(|are_all| doubted(note, keys, serving, are_all));
        assert_eq!(found, expected, "{keys:?} {serving:?}");
    }
}

/// A path of the right length that leads elsewhere is no path of another length.
// spec: V10
#[test]
fn a_path_that_leads_elsewhere_is_told_from_one_of_another_length() {
    let found = found_in(&mut exhibit("proof-hash"));
    let elsewhere = "; another root: the entry, its proof or the checkpoint is another";
    assert!(found.iter().any(|line| line.ends_with(elsewhere)), "{found:?}");
}

/// A key of this ledger that signs no checkpoints is told from one that did not sign this one.
// spec: C9 L7
#[test]
fn another_log_key_of_this_ledger_is_told_as_absent() {
    let verdict =
        verify_exhibit(&mut exhibit("checkpoint-by-a-second-log-key"), &anchor(), 1).unwrap();
    let line = found(&verdict).into_iter().find(|line| line.starts_with("V8! checkpoint: "));
    let line = line.unwrap();
    assert!(line.contains("; a signature line of "), "{line}");
    // No ledger id says that this is the ledger that was named.
    assert_eq!(verdict.blame(), Some(crate::verdict::Blame::AnotherLedger));
}

/// A part that holds beside one that was not looked at is said, and what was not.
// spec: A5
#[test]
fn an_axis_that_was_checked_in_part_names_the_first_thing_that_was_not() {
    let told = |package: &mut MemoryPackage, wanted: Axis| {
        let verdict = verify_exhibit(package, &anchor(), 1).unwrap();
        let axis = verdict.axes().iter().find(|axis| axis.axis == wanted).unwrap();
        (axis.outcome, axis.in_part, axis.notes.first().cloned().unwrap_or_default())
    };
    let in_part = |package: &mut MemoryPackage, axis: Axis, step: &str| {
        let (outcome, in_part, note) = told(package, axis);
        assert_eq!((outcome, in_part), (Outcome::NotChecked, true), "{note}");
        let begins = format!("checked in part: what was checked agrees; not checked at {step}, ");
        assert!(note.starts_with(&begins), "{note}");
    };
    in_part(&mut exhibit("companion-not-packed"), Axis::Content, "V6");
    in_part(&mut exhibit("companion-not-packed"), Axis::Disclosure, "V28");
    // Held against no manifest, and against the entries.
    let mut package = exhibit("good");
    take(&mut package, &["manifest-sha256.txt"]);
    in_part(&mut package, Axis::Content, "V3");
    let (outcome, in_part, note) = told(&mut exhibit("no-recording-shown"), Axis::Content);
    assert_eq!((outcome, in_part), (Outcome::NotChecked, false), "{note}");
}

/// A proof of a later version says nothing of its entry, good or bad.
// spec: A2
#[test]
fn an_entry_whose_proof_is_of_a_later_version_is_judged_as_it_stands() {
    let later = |p: &mut MemoryPackage| {
        replace(p, "ledger/entries/2.tlog-proof", "tlog-proof@v1", "tlog-proof@v9");
    };
    let found = after("good", later);
    has(&found, "V10? ledger/entries/2.tlog-proof");
    has_not(&found, "was not judged");
}

/// Of a chain all control entries count, and not the genesis alone.
// spec: L8 X14
#[test]
fn a_log_key_that_was_added_later_serves_too() {
    let mut package = exhibit("checkpoint-by-a-second-log-key");
    let text = String::from_utf8(package.bytes("ledger/checkpoint").unwrap().to_vec()).unwrap();
    let size = text.lines().nth(1).unwrap();
    let changed = text.replacen(&format!("\n{size}\n"), &format!("\n{size}0\n"), 1);
    package.insert("ledger/checkpoint", changed);
    let found = found(&verify_exhibit(&mut package, &Trust::default(), 1).unwrap());
    has(&found, "V10! ledger/checkpoint: ");
    has(&found, "V12! checkpoint: ");
    has_not(&found, "V10! entry");
}

// spec: L8
#[test]
fn the_log_keys_of_a_chain_serve_where_no_key_is_given_and_no_other_ledger_is_named() {
    use crate::hash::Hash;
    let (entries, _) = crate::judge::testing::Scribe::new().judged(&[0]);
    let id = entries.keys.ledger_id().unwrap();
    let serving = |keys: &[u8], ledger_ids: &[Hash]| {
        let keys = keys.iter().map(|seed| signer(*seed).verifier().clone()).collect();
        let serving = entries.keys.serving(&Trust { keys, ledger_ids: ledger_ids.to_vec() });
        let keys: Vec<_> = serving.keys.iter().map(ToString::to_string).collect();
        (keys, serving.are_all)
    };
    let log = || vec![signer(2).verifier().to_string()];
    assert_eq!(serving(&[], &[]), (log(), false));
    assert_eq!(serving(&[], &[id]), (log(), true));
    assert_eq!(serving(&[], &[id, Hash::of(&[])]).0, [""; 0]);
    assert_eq!(serving(&[2], &[]).0, [""; 0]);
    assert_eq!(serving(&[2], &[id]).0, [""; 0]);
}

/// Where only the proofs' checkpoints were exchanged, the checkpoint and every entry of the exhibit were accused.
// spec: X14
#[test]
fn a_path_that_leads_to_the_exhibits_own_checkpoint_accuses_neither_it_nor_the_entry() {
    let other = exhibit("named").bytes("ledger/checkpoint").unwrap().to_vec();
    let mut package = exhibit("good");
    let own = package.bytes("ledger/checkpoint").unwrap().to_vec();
    let proofs: Vec<String> = package
        .files()
        .paths()
        .filter(|path| path.ends_with(".tlog-proof"))
        .map(str::to_owned)
        .collect();
    assert_eq!(proofs.len(), 9);
    for path in &proofs {
        let proof = package.bytes(path).unwrap().to_vec();
        let path_alone = proof.strip_suffix(own.as_slice()).unwrap();
        package.insert(path, [path_alone, other.as_slice()].concat());
    }
    let verdict = verify_exhibit(&mut package, &anchor(), 1).unwrap();
    let found = found(&verdict);
    let accused = found.iter().filter(|line| line.starts_with("V10! "));
    let mut accused: Vec<&str> =
        accused.map(|line| line[5..].split(": ").next().unwrap()).collect();
    accused.sort_unstable();
    assert_eq!(accused, proofs.iter().collect::<Vec<_>>());
    // Both of size 9, with two roots: that is what matters most.
    has(&found, &format!("V10! {}: expected the checkpoint of this exhibit", proofs[0]));
    assert!(found.iter().any(|line| line.ends_with("signed too: one log, two histories")));
    has_not(&found, "was not judged");
    // Every entry is proven, and so is the ledger's id.
    assert!(verdict.seen().unwrap().id_holds);
    let notes = &verdict.axes().iter().find(|axis| axis.axis == Axis::Ledger).unwrap().notes;
    assert!(notes.iter().any(|note| note.starts_with("every entry up to this checkpoint")));
}

/// Under a ledger id too a size that nobody signed misses no file; under none that holds it does.
// spec: L8
#[test]
fn a_log_whose_size_was_changed_misses_no_file_under_its_ledger_id() {
    use crate::judge::log::verify_log;
    use crate::judge::testing::MemoryLog;
    let id = verify_log(&mut MemoryLog::of("long"), &anchor(), None, 1, &|_| ()).unwrap();
    let trust =
        Trust { keys: vec![], ledger_ids: id.seen().unwrap().ledger_id.into_iter().collect() };
    for (size, path) in [("299", "tile/entries/001.p/43"), ("301", "tile/entries/001.p/45")] {
        let mut log = MemoryLog::of("long");
        let text = String::from_utf8(log.0["checkpoint"].clone()).unwrap();
        let text = text.replacen("\n300\n", &format!("\n{size}\n"), 1);
        log.0.insert("checkpoint".to_owned(), text.into_bytes());
        let found = found(&verify_log(&mut log, &trust, None, 1, &|_| ()).unwrap());
        has(&found, &format!("V10? {path}: it is not there; "));
        let accused: Vec<&String> = found.iter().filter(|line| line.contains("! ")).collect();
        let [key] = accused[..] else { panic!("{found:?}") };
        assert!(
            key.starts_with("V12! checkpoint: ") && key.ends_with(", which does not hold"),
            "{key}"
        );
    }
}

/// Behind a control entry of a later version a changed checkpoint was held against nothing, and nobody was accused.
// spec: L8 C9
#[test]
fn a_checkpoint_that_was_changed_everywhere_is_accused_behind_an_unread_control_entry_too() {
    let mut package = exhibit("known-keys-behind-a-later-control-entry");
    let own = String::from_utf8(package.bytes("ledger/checkpoint").unwrap().to_vec()).unwrap();
    let root = own.lines().nth(2).unwrap();
    let changed = if root.starts_with('A') { "B" } else { "A" }.to_owned() + &root[1..];
    let other = own.replacen(root, &changed, 1);
    let paths: Vec<String> = package.files().paths().map(str::to_owned).collect();
    for path in paths.iter().filter(|path| path.starts_with("ledger/")) {
        let bytes = package.bytes(path).unwrap().to_vec();
        if let Some(before) = bytes.strip_suffix(own.as_bytes()) {
            package.insert(path, [before, other.as_bytes()].concat());
        }
    }
    for trust in [Trust::default(), anchor()] {
        let verdict = verify_exhibit(&mut package, &trust, 1).unwrap();
        let step = if trust.is_empty() { "V12! checkpoint: " } else { "V8! checkpoint: " };
        has(&found(&verdict), step);
    }
}
