//! What headline and text say of known exhibits and logs.

use std::path::{Path, PathBuf};

use unbroken_evidence::exhibit::verify_exhibit;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::VerifierKey;
use unbroken_evidence::log::verify_log;
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::Verdict;

use super::*;
use crate::log::LogFolder;
use crate::open::Exhibit;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors")
}

fn anchor() -> Trust {
    let key = std::fs::read_to_string(vectors().join("trust.txt")).unwrap();
    Trust::key(VerifierKey::parse(key.trim_end()).unwrap())
}

fn exhibit(name: &str, trust: &Trust) -> Verdict {
    let mut exhibit = Exhibit::open(&vectors().join(format!("exhibits/{name}.zip"))).unwrap();
    verify_exhibit(&mut exhibit, trust, 1).unwrap()
}

fn log(name: &str, trust: &Trust) -> Verdict {
    let mut files = LogFolder::new(&vectors().join(format!("logs/{name}")));
    verify_log(&mut files, trust, None, 1, &|_| ()).unwrap()
}

/// The headline counts the newest entry of each recording; what it leaves out it names.
// spec: A7 A8
#[test]
fn a_headline_says_what_its_counts_leave_out() {
    const NOT_PACKED: &str =
        "; 1 superseded entry whose bytes are not packed, or not seen to agree";
    const COMPETE: &str = "; 1 with several entries that compete";
    const CLOSED: &str = "; 1 entry with fields that are not shown, of which nothing is known";
    const NOT_JUDGED: &str = "; 1 entry that could not be judged, about whatever recording";
    let all = [NOT_PACKED, COMPETE, CLOSED, NOT_JUDGED];
    for (name, said) in [
        ("good", &[][..]),
        ("replaced", &[]),
        ("replaced-and-the-first-not-packed", &[NOT_PACKED]),
        ("replaced-by-bytes-not-shown", &[CLOSED]),
        ("superseded-twice", &[]),
        ("branched", &[COMPETE]),
        ("field-closed", &[CLOSED]),
        ("later-policy", &[NOT_JUDGED]),
    ] {
        let headline = headline(&exhibit(name, &anchor()));
        for part in all {
            assert_eq!(headline.contains(part), said.contains(&part), "{name}: {headline}");
        }
    }
}

/// A ledger id was wrong, the key signed: "anybody could have made all of it, keys and all" stood there.
#[test]
fn whose_keys_they_are_is_left_open_only_where_no_given_key_signed() {
    let wrong = Trust { ledger_ids: vec![Hash::of(&[])], ..anchor() };
    for (trust, is_open) in
        [(anchor(), false), (wrong.clone(), false), (Trust { keys: vec![], ..wrong }, true)]
    {
        let headline = headline(&exhibit("good", &trust));
        assert_eq!(headline.contains("keys and all"), is_open, "{headline}");
    }
}

#[test]
fn a_log_is_called_a_log() {
    let other = Trust { keys: vec![], ledger_ids: vec![Hash::of(&[])] };
    for (trust, sentence) in [
        (other.clone(), "Whatever agrees agrees within this log only."),
        (Trust::default(), "the key was taken from the log itself."),
    ] {
        let of_log = headline(&log("good", &trust));
        assert!(of_log.contains(sentence) && !of_log.contains("package"), "{of_log}");
        let of_exhibit = headline(&exhibit("good", &trust));
        assert!(of_exhibit.contains(&sentence.replace("log", "package")), "{of_exhibit}");
    }
}

/// Who says that bytes were replaced is said with it: no ledger that nobody named, nor a key that may not.
#[test]
fn that_bytes_were_replaced_is_the_ledgers_word_only_where_it_is_that_ledger() {
    let other = Trust { keys: vec![], ledger_ids: vec![Hash::of(&[])] };
    let begins = |trust: &Trust| headline(&exhibit("replaced", trust));
    assert!(
        begins(&anchor()).starts_with("BYTES OF RECORDINGS WERE REPLACED 1 time, as the ledger")
    );
    let hedged = "ENTRIES IN IT SAY THAT BYTES OF RECORDINGS WERE REPLACED, 1 time; whose entries these are is not established. ";
    assert!(begins(&other).starts_with(hedged));
    assert!(
        begins(&Trust::default()).starts_with(hedged),
        "without an anchor they may be anybody's"
    );
}

/// A right ledger id with another ledger's key was "an alteration", and a right key with another id "another ledger".
#[test]
fn a_key_and_a_ledger_id_of_two_ledgers_are_told_as_that() {
    let read = |name: &str| std::fs::read_to_string(vectors().join(name)).unwrap();
    let id = Hash::from_hex(read("ledger-id.txt").trim_end()).unwrap();
    let wrong = VerifierKey::parse(read("wrong-anchor.txt").trim_end()).unwrap();
    let right_id = Trust { keys: vec![wrong.clone()], ledger_ids: vec![id] };
    let right_key = Trust { ledger_ids: vec![Hash::of(&[])], ..anchor() };
    for trust in [right_id, right_key] {
        let said = headline(&exhibit("good", &trust));
        let begins =
            "THE KEY AND THE LEDGER ID THAT YOU GAVE ARE NOT OF ONE LEDGER, found at step V";
        assert!(said.starts_with(begins), "{said}");
    }
    let both_wrong = Trust { keys: vec![wrong], ledger_ids: vec![Hash::of(&[])] };
    let said = headline(&exhibit("good", &both_wrong));
    assert!(said.starts_with("THIS IS ANOTHER LEDGER THAN THE ONE YOU NAMED"), "{said}");
}

/// That nobody looked at a cosignature was said as that there is none.
#[test]
fn a_cosignature_that_is_here_is_not_said_to_be_missing() {
    let said = |name: &str| text(&exhibit(name, &anchor()), None, Detail::Explained, Colour::Off);
    let none = "cosignatures: none is here, and this version checks none";
    let some = "cosignatures: signature lines of other keys are on the checkpoint, and this version verifies none";
    let signed = said("checkpoint-signed-by-another-too");
    // The log's own line is none, whatever key was given.
    let read = |name: &str| std::fs::read_to_string(vectors().join(name)).unwrap();
    let other = Trust::key(VerifierKey::parse(read("wrong-anchor.txt").trim_end()).unwrap());
    let of_other = text(&exhibit("good", &other), None, Detail::Explained, Colour::Off);
    assert!(of_other.contains(none), "{of_other}");
    assert!(
        said("good").contains(none) && signed.contains(some) && !signed.contains(none),
        "{signed}"
    );
}

// spec: A1
#[test]
fn each_axis_stands_with_its_name_its_outcome_and_its_question() {
    let text = text(&exhibit("good", &anchor()), None, Detail::Summary, Colour::Off);
    for line in [
        "package     ESTABLISHED      does the package have its form, and every file in it its place?\n",
        "content     ESTABLISHED      do the bytes agree with what the entries say of them?\n",
        "custody     NOT CHECKED      who held a recording, by entries of custody?\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

// spec: A8
#[test]
fn each_entry_that_supersedes_one_is_named_at_its_line() {
    let shown = |name: &str| {
        let verdict = exhibit(name, &anchor());
        text(&verdict, None, Detail::Summary, Colour::Off)
    };
    assert!(shown("good").contains("  superseded  by entry 6\n"));
    assert_eq!(lines::by(&[6, 7]).as_deref(), Some("entries 6, 7"));
    let many: Vec<u64> = (1..=30).collect();
    assert!(lines::by(&many).unwrap().ends_with(", 20, and 10 more"));
    let closed = shown("field-closed");
    let line =
        "  not shown   1 field: what it may hold (companions, findings, an id) is not known\n";
    assert!(closed.contains(line), "{closed}");
}
