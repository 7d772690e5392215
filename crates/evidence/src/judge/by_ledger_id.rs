//! Who is accused, and what is proven, where a ledger id was given and no key.

use crate::exhibit::verify_exhibit;
use crate::judge::testing::{anchor, exhibit, found, signer};
use crate::package::MemoryPackage;
use crate::trust::Trust;

const CHECKPOINT: &str = "ledger/checkpoint";

/// The ledger id of the vectors, and no key.
fn by_id() -> Trust {
    let good = verify_exhibit(&mut exhibit("good"), &anchor(), 1).unwrap();
    Trust { ledger_ids: vec![good.seen().unwrap().ledger_id.unwrap()], ..Trust::default() }
}

/// The ledger id is this log's where it was given, or where an anchor holds and entry 0 is shown in its place.
// spec: A10
#[test]
fn a_ledger_id_is_proven_where_it_was_given_or_entry_0_stands_in_the_log() {
    let id_holds = |trust: &Trust, remove: &str| {
        let mut package = exhibit("good");
        package.remove(remove);
        let verdict = verify_exhibit(&mut package, trust, 1).unwrap();
        verdict.seen().unwrap().id_holds
    };
    let by_id = by_id();
    for (trust, remove, expected) in [
        (&anchor(), "", true),
        (&anchor(), "ledger/control/0.tlog-proof", false),
        (&anchor(), "ledger/control/0.note", false),
        (&by_id, "", true),
        (&by_id, "ledger/control/0.tlog-proof", true),
        (&Trust::default(), "", false),
        // The key speaks for this ledger, whatever the other anchor is.
        (&Trust { ledger_ids: vec![crate::hash::Hash::of(&[])], ..anchor() }, "", true),
    ] {
        assert_eq!(id_holds(trust, remove), expected, "{trust:?} without {remove:?}");
    }
}

/// Where a control entry cannot be read, a key that it added may have signed the checkpoint.
// spec: L8
#[test]
fn that_no_log_key_signed_is_said_only_where_all_of_them_are_known() {
    let said = |package: &mut MemoryPackage| {
        let found = found(&verify_exhibit(package, &by_id(), 1).unwrap());
        found.iter().any(|line| line.contains("no log key of this ledger signed the checkpoint"))
    };
    let mut package = exhibit("checkpoint-of-another-ledger-under-the-ledger-id");
    assert!(said(&mut package));
    package.insert("ledger/control/3.note", b"no entry\n");
    assert!(!said(&mut package));
}

/// A line of the log's own key is no cosignature, whether that key was given or not; one of another key of
/// the same name is.
// spec: V18
#[test]
fn only_a_line_of_a_key_that_is_neither_given_nor_the_logs_is_a_cosignature() {
    let cosigned = |package: &mut MemoryPackage, trust: &Trust| {
        let verdict = verify_exhibit(package, trust, 1).unwrap();
        let found = verdict.findings().iter().find(|finding| finding.item == "cosignatures");
        found.unwrap().found.starts_with("signature lines of other keys")
    };
    let mut namesake = exhibit("good");
    let checkpoint = String::from_utf8(namesake.bytes(CHECKPOINT).unwrap().to_vec()).unwrap();
    let line = checkpoint.lines().last().unwrap();
    let (name, signature) = line.rsplit_once(' ').unwrap();
    namesake.insert(CHECKPOINT, format!("{checkpoint}{name} AAAA{}\n", &signature[4..]));
    let stranger = Trust { keys: vec![signer(9).verifier().clone()], ..Trust::default() };
    for trust in [anchor(), by_id(), Trust::default(), stranger] {
        assert!(!cosigned(&mut exhibit("good"), &trust), "{trust:?}");
        let mut by_another_too = exhibit("checkpoint-signed-by-another-too");
        assert!(cosigned(&mut by_another_too, &trust), "{trust:?}");
        assert!(cosigned(&mut namesake, &trust), "{trust:?}");
    }
}
