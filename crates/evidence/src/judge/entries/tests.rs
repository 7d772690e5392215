//! What is found of entries, each case on a ledger in memory.

use super::*;
use crate::body::Rel;
use crate::judge::testing::{ORIGIN, Scribe, added, control, ended, found, signer};
use crate::verdict::Verdict;

fn key(seed: u8) -> String {
    signer(seed).verifier().to_string()
}

#[test]
fn a_custody_entry_that_nobody_signed_establishes_no_custody() {
    let mut scribe = Scribe::new();
    scribe.referring(Kind::Custody, None, Rel::About, 0);
    let custody = |scribe: &Scribe| scribe.judged(&[0, 1]).1.tally(Step::CustodyEvents);
    assert_eq!((custody(&scribe).held, custody(&scribe).not_established), (1, 0));
    let line = scribe.notes[1].trim_end().rfind(' ').unwrap() + 20;
    let other = if &scribe.notes[1][line..=line] == "A" { "B" } else { "A" };
    scribe.notes[1].replace_range(line..=line, other);
    assert_eq!((custody(&scribe).held, custody(&scribe).not_established), (0, 1));
}

// spec: C1 C7
#[test]
fn keys_sign_where_control_entries_let_them() {
    let mut scribe = Scribe::new();
    assert_eq!(scribe.judged(&[0]).1.tally(Step::Standing).held, 1, "the genesis has standing");
    scribe.keys(1, vec![added(Role::Collector, 4)], vec![ended(3, None)]);
    scribe.gap(4, |_| ());
    assert_eq!(scribe.found(), [""; 0]);
    scribe.gap(3, |_| ());
    let found = format!("{}, collector, added at 0, ended at 1", key(3));
    let expected = format!("V15! entry 3: expected a collector key, valid at index 3; {found}");
    assert_eq!(scribe.found(), [expected]);
}

// spec: C1
#[test]
fn a_collector_key_adds_no_key() {
    let mut scribe = Scribe::new();
    scribe.keys(3, vec![added(Role::Collector, 4)], vec![]);
    let found = format!("{}, collector, added at 0", key(3));
    let expected = format!("V15! entry 1: expected a control key, valid at index 1; {found}");
    assert_eq!(scribe.found().first(), Some(&expected));
}

// spec: E11
#[test]
fn a_key_that_nobody_added_is_named_as_its_entry_names_it() {
    let mut scribe = Scribe::new();
    scribe.gap(9, |_| ());
    let hash = signer(9).verifier().hash();
    let expected = format!(
        "V14! entry 1: expected a key that a control entry below added; example.com/9, key {hash}"
    );
    assert_eq!(scribe.found(), [expected]);
}

// spec: E26 E27
#[test]
fn an_entry_of_a_later_version_says_what_the_role_of_its_key_lets_it_say() {
    let later = |seed: u8| {
        let mut scribe = Scribe::new();
        scribe.push(signer(seed).sign_note("unbroken/entry@v2\nwhatever\n"));
        scribe
    };
    let unread = "V13? entry 1: unsupported: entry version: `unbroken/entry@v2` is not known to this version of the verifier";
    // A collector's leaves room for one number of its own chain, and changes nothing else.
    let mut scribe = later(3);
    scribe.gap(3, |gap| (gap.number, gap.previous) = (1, Some(Hash::of(&[]))));
    assert_eq!(scribe.found(), [unread]);
    // A control key's may have added a key, and ended one.
    let mut scribe = later(1);
    let leaf = leaf_hash(scribe.notes[1].as_bytes());
    scribe.gap(9, |gap| gap.control = Some(leaf));
    scribe.gap(3, |gap| gap.control = Some(leaf));
    let blind = "control entry 1, of which nothing was taken,";
    let added = format!("V14? entry 2: its key is not known; {blind} may have added it");
    let ended = format!("V15? entry 3: {blind} may have ended its key");
    assert_eq!(scribe.found(), [unread, &added, &ended]);
    // Nobody's is no entry.
    let expected = "V14! entry 1: expected a key that a control entry below added; example.com/9, in its signature line";
    assert_eq!(later(9).found(), [unread, expected]);
}

// spec: C2 E11
#[test]
fn a_genesis_is_signed_by_a_control_key_that_it_adds_itself() {
    let genesis = |seed: u8, add: Vec<crate::body::Added>| {
        let mut scribe = Scribe::empty();
        scribe.sign(seed, Kind::Control, None, control(add, vec![], Some([7; 16])), |_| ());
        scribe.found()
    };
    let add = || vec![added(Role::Control, 1), added(Role::Log, 2), added(Role::Collector, 3)];
    assert_eq!(genesis(1, add()), [""; 0]);
    // Neither a stranger's key nor one that it adds for something else.
    for seed in [9, 2] {
        let hash = signer(seed).verifier().hash();
        let expected = format!(
            "V14! entry 0: expected a key that a control entry below added; example.com/{seed}, key {hash}"
        );
        assert_eq!(genesis(seed, add()).first(), Some(&expected));
    }
}

// spec: C1 E11
#[test]
fn a_second_genesis_is_no_genesis() {
    let mut scribe = Scribe::new();
    let add = vec![added(Role::Control, 9), added(Role::Log, 8), added(Role::Collector, 7)];
    scribe.sign(9, Kind::Control, None, control(add, vec![], Some([8; 16])), |second| {
        (second.number, second.previous, second.control) = (0, None, None);
    });
    let hash = signer(9).verifier().hash();
    let expected = format!(
        "V14! entry 1: expected a key that a control entry below added; example.com/9, key {hash}"
    );
    assert!(scribe.found().contains(&expected), "{:?}", scribe.found());
}

/// Whoever changes an entry makes it fail by itself; the one behind it is as it was signed.
// spec: E16
#[test]
fn an_entry_is_not_blamed_for_a_change_in_the_one_before() {
    let changed = |from: &str, to: &str| {
        let mut scribe = Scribe::new();
        for _ in 0..3 {
            scribe.gap(3, |_| ());
        }
        assert!(scribe.notes[2].contains(from), "{}", scribe.notes[2]);
        scribe.notes[2] = scribe.notes[2].replacen(from, to, 1);
        scribe.found()
    };
    let unsigned = "V14! entry 2: expected a signature by the key that the entry names; a signature that does not hold";
    // Nor is a key said to have had the right to sign what it did not sign.
    let mut scribe = Scribe::new();
    scribe.gap(3, |_| ());
    scribe.notes[1] = scribe.notes[1].replacen("2026-", "2025-", 1);
    assert_eq!(scribe.judged(&[0, 1]).1.tally(Step::Standing).held, 1, "the genesis alone");
    // Another number, another time, a later version, no form at all.
    assert_eq!(changed("\"number\":1", "\"number\":7"), [unsigned]);
    assert_eq!(changed("2026-", "2025-"), [unsigned]);
    let found = changed("unbroken/entry@v1", "unbroken/entry@v9");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("V13? entry 2: unsupported") && found[1] == unsigned, "{found:?}");
    let found = changed("\"number\"", "\"numbex\"");
    assert!(found.len() == 1 && found[0].starts_with("V13! entry 2"), "{found:?}");
}

// spec: E26
#[test]
fn what_cannot_be_read_may_have_added_a_key_only_at_entry_0() {
    let stranger = "V14! entry 2: expected a key that a control entry below added; ";
    let mut scribe = Scribe::new();
    scribe.push("no entry\n".to_owned());
    scribe.gap(9, |_| ());
    assert!(scribe.found().iter().any(|found| found.starts_with(stranger)));
    let mut scribe = Scribe::empty();
    scribe.push("no entry\n".to_owned());
    let leaf = leaf_hash(scribe.notes[0].as_bytes());
    scribe.gap(9, |gap| gap.control = Some(leaf));
    let blind = "V14? entry 1: its key is not known; control entry 0, of which nothing was taken, may have added it";
    assert!(scribe.found().contains(&blind.to_owned()), "{:?}", scribe.found());
}

// spec: E27
#[test]
fn a_signature_line_names_a_key_by_name_and_id() {
    let mut scribe = Scribe::new();
    let namesake = crate::key::Signer::from_seed("example.com/3", &[9; 32]).unwrap();
    scribe.push(namesake.sign_note("unbroken/entry@v2\nwhatever\n"));
    let expected = "V14! entry 1: expected a key that a control entry below added; example.com/3, in its signature line";
    assert_eq!(scribe.found().get(1).map(String::as_str), Some(expected));
}

/// Where what cannot be read names a collector's key that goes by the control key's name, no control entry
/// was changed: what a stranger's key signed behind it has no excuse.
// spec: E27
#[test]
fn a_collector_that_has_the_control_keys_name_is_no_control_key() {
    let found = |seed: u8| {
        let mut scribe = Scribe::new();
        let namesake = crate::key::Signer::from_seed("example.com/1", &[seed; 32]).unwrap();
        let key = namesake.verifier().clone();
        scribe.keys(1, vec![crate::body::Added { role: Role::Collector, key }], vec![]);
        let note = namesake.sign_note("unbroken/entry@v2\nwhatever\n");
        scribe.push(note.replace("whatever", "whatsoever"));
        scribe.gap(9, |_| ());
        scribe.found()
    };
    let hash = signer(9).verifier().hash();
    let stranger = format!(
        "V14! entry 3: expected a key that a control entry below added; example.com/9, key {hash}"
    );
    assert!(found(4).contains(&stranger), "{:?}", found(4));
}

/// An entry that cannot be read may be the successor of a recording entry below it, and of none above.
// spec: V23
#[test]
fn what_cannot_be_read_may_supersede_what_lies_below() {
    let later = |scribe: &mut Scribe| {
        scribe.push(signer(3).sign_note("unbroken/entry@v2\nwhatever\n"));
    };
    let recording = |scribe: &mut Scribe| {
        let hash = Hash::of(&[]);
        let content = crate::body::Content {
            blake3: None,
            block_bytes: 4096,
            block_root: hash,
            sha256: None,
            size: 7,
        };
        let fields = crate::field::FieldsCommitment { count: 8, root: hash };
        let media = crate::body::Media::Message;
        let body =
            crate::body::Recording { completeness: None, content, fields, media, refs: vec![] };
        let body = crate::body::Body::Recording(body);
        scribe.sign(3, Kind::Recording, Some(crate::body::Subject([7; 16])), body, |_| ());
    };
    let of_history = |scribe: &Scribe| {
        scribe.found().into_iter().filter(|line| line.starts_with("V23")).collect::<Vec<_>>()
    };
    let mut below = Scribe::new();
    later(&mut below);
    recording(&mut below);
    assert_eq!(of_history(&below), [""; 0]);
    let mut above = Scribe::new();
    recording(&mut above);
    later(&mut above);
    let may = "V23? entries: 1 that cannot be read or are not understood may be about any recording, and supersede entries below";
    assert_eq!(of_history(&above), [may]);
}

/// What an entry says is nobody's word where its signature does not hold: its `supersedes` took the place of
/// what was sealed, and what named it was held to be named.
// spec: V21 V23
#[test]
fn of_an_entry_whose_signature_does_not_hold_nothing_is_taken() {
    let chain = |is_altered: bool| {
        let mut scribe = Scribe::new();
        scribe.gap(3, |_| ());
        scribe.referring(Kind::Gap, None, Rel::Supersedes, 1);
        if is_altered {
            let note = scribe.notes.pop().unwrap();
            scribe.push(note.replace("2026-11-20", "2026-11-21"));
        }
        scribe.referring(Kind::Audit, None, Rel::About, 2);
        scribe.found()
    };
    assert_eq!(chain(false), [""; 0]);
    let found = chain(true);
    let not_held = "V14! entry 2: expected a signature by the key that the entry names; a signature that does not hold";
    let named = "V21? entry 3: on entry 2, which it names, no signature by a known key holds";
    for line in [not_held, named] {
        assert!(found.contains(&line.to_owned()), "{line}: {found:?}");
    }
    assert!(!found.iter().any(|line| line.starts_with("V22")), "{found:?}");
}

/// Of two custody entries whose signatures do not hold both are counted, of both.
// spec: V24
#[test]
fn custody_entries_that_nobody_signed_are_counted_among_all() {
    let mut scribe = Scribe::new();
    for _ in 0..3 {
        scribe.referring(Kind::Custody, None, Rel::About, 0);
    }
    for note in scribe.notes.iter_mut().skip(2) {
        *note = note.replacen(":00.123Z", ":01.123Z", 1);
    }
    let found = scribe.found();
    let line = "V24? custody entries: 2 of 3 are signed by no known key";
    assert!(found.contains(&line.to_owned()), "{found:?}");
}

/// Of a log every entry is here: what names another control entry than those names none.
// spec: E13 V11
#[test]
fn in_a_log_no_control_entry_is_missing() {
    let mut scribe = Scribe::new();
    scribe.gap(3, |statement| statement.control = Some(Hash::of(&[b"none"])));
    let mut findings = Findings::new(Step::ALL);
    let mut entries = Entries::new(Some(ORIGIN.to_owned()), History::whole(2));
    for (index, note) in (0..).zip(&scribe.notes) {
        entries.entry(Shown::read(index, note.as_bytes()), &mut findings);
    }
    drop(entries.settle(1, &mut findings));
    let found = found(&Verdict::of(findings));
    assert!(
        found.iter().any(|line| line.starts_with("V11! entry 1: expected control ")),
        "{found:?}"
    );
}
