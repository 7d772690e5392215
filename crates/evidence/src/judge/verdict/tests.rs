//! How a verdict sums up what was found.

use super::*;
use crate::judge::exhibit::verify_exhibit;
use crate::judge::testing::{anchor, exhibit};
use crate::package::MemoryPackage;
use crate::trust::Trust;

const STEPS: &[Step] = &[Step::Names, Step::Checkpoint, Step::LedgerId, Step::Signature];

/// The verdict of steps that were all carried out, and what `find` found.
fn verdict(find: impl FnOnce(&mut Findings)) -> Verdict {
    let mut findings = Findings::new(STEPS);
    findings.ran(STEPS);
    find(&mut findings);
    Verdict::of(findings)
}

// spec: A4
#[test]
fn the_worst_that_was_found_makes_the_exit_code() {
    let nothing = verdict(|_| ());
    assert_eq!(nothing.conclusion().exit_code(), 0);
    let not_read = |findings: &mut Findings| findings.not_read(Step::Names, "a", "missing");
    let unread = |findings: &mut Findings| {
        findings.form(Step::Signature, "b", &crate::error::FormError::unsupported("kind", "x"));
    };
    let wrong = |findings: &mut Findings| findings.contradicted(Step::Names, "c", "d", "e");
    assert_eq!(verdict(not_read).conclusion().exit_code(), 2);
    let two = verdict(|findings| {
        not_read(findings);
        unread(findings);
    });
    assert_eq!(two.conclusion().exit_code(), 3);
    let three = verdict(|findings| {
        not_read(findings);
        unread(findings);
        wrong(findings);
    });
    assert_eq!(three.conclusion().exit_code(), 1);
    let not_supplied = verdict(|f| f.not_supplied(Step::Names, "a", "nobody has one"));
    assert_eq!(not_supplied.conclusion().exit_code(), 0);
}

// spec: A5
#[test]
fn what_was_not_carried_out_is_not_checked() {
    let nothing = Verdict::of(Findings::new(STEPS));
    assert_eq!(nothing.conclusion().exit_code(), 2);
    assert!(nothing.axes().iter().all(|axis| axis.outcome == Outcome::NotChecked));
    // No step of this verification belongs to the time.
    let all = verdict(|_| ());
    assert_eq!(all.outcome(Axis::Time), Outcome::NotChecked);
    assert_eq!(all.outcome(Axis::Ledger), Outcome::Established);
}

// spec: A5
#[test]
fn where_no_opening_was_verified_nothing_is_disclosed() {
    let disclosed = |openings: u64, differs: bool| {
        let mut findings = Findings::new(Step::ALL);
        findings.ran(Step::ALL);
        (0..openings).for_each(|_| findings.held(Step::OpeningRoot));
        if differs {
            findings.contradicted(Step::OpeningForm, "a", "b", "c");
        }
        let verdict = Verdict::of(findings);
        let axes = verdict.axes().iter();
        let noted: Vec<Axis> = axes.filter(|a| !a.notes.is_empty()).map(|a| a.axis).collect();
        (verdict.outcome(Axis::Disclosure), verdict.outcome(Axis::Content), noted)
    };
    let (yes, no) = (Outcome::Established, Outcome::NotChecked);
    assert_eq!(disclosed(0, false), (no, yes, vec![Axis::Disclosure]));
    assert_eq!(disclosed(1, false), (yes, yes, vec![]));
    assert_eq!(disclosed(0, true), (Outcome::Contradicted, yes, vec![Axis::Disclosure]));
}

/// The verdict of an exhibit of the vectors into which a stray file was put.
fn of_a_stray_file_in(name: &str) -> Verdict {
    let mut package = exhibit(name);
    package.insert("notes.txt", *b"x");
    verify_exhibit(&mut package, &anchor(), 1).unwrap()
}

// spec: A7
#[test]
fn the_evidence_agrees_where_nothing_but_the_package_is_amiss() {
    assert!(verify_exhibit(&mut exhibit("good"), &anchor(), 1).unwrap().evidence_agrees());
    for (name, agrees) in [
        ("good", true),
        ("recording-bit-flipped", false),
        ("recordings-not-packed", false),
        ("companion-not-packed", false),
        ("content-closed", false),
        ("recording-in-fetch", false),
        ("manifest-line-ending", false),
        ("no-recording-shown", false),
        ("unknown-kind", false),
        ("entry-version", false),
    ] {
        let verdict = of_a_stray_file_in(name);
        assert_eq!(verdict.evidence_agrees(), agrees, "{name}");
        let package = name != "recording-bit-flipped";
        assert_eq!(verdict.blame() == Some(Blame::Package), package, "{name}");
    }
}

#[test]
fn what_is_counted_is_counted_and_what_is_first_is_first() {
    let verdict = of_a_stray_file_in("entry-version");
    let (named, count) = verdict.unsupported();
    assert_eq!((named.len() as u64, count), (1, 1), "{named:?}");
    assert!(named[0].starts_with("entry 2"), "{named:?}");
    assert_eq!(verdict.contradictions(), 1);
    assert_eq!(verdict.first_contradiction().unwrap().item, "notes.txt");
    assert_eq!(verdict.tally(Step::Names).contradicted, 1);
}

// spec: L8
#[test]
fn that_no_anchor_was_given_is_told_from_one_that_failed() {
    let without = |package: &mut MemoryPackage, trust: &Trust| {
        verify_exhibit(package, trust, 1).unwrap().without_anchor()
    };
    let mut package = exhibit("good");
    assert!(without(&mut package, &Trust::default()) && !without(&mut package, &anchor()));
    // A file of that name, and a checkpoint that the given key did not sign.
    package.insert("trust anchor", *b"x");
    assert!(!without(&mut package, &anchor()));
    assert!(!without(&mut exhibit("checkpoint-signature"), &anchor()));
}

#[test]
fn outcomes_have_the_names_of_the_spec() {
    let all =
        [Outcome::Established, Outcome::NotChecked, Outcome::NotEstablished, Outcome::Contradicted];
    let names = ["ESTABLISHED", "NOT CHECKED", "NOT ESTABLISHED", "CONTRADICTED"];
    assert_eq!(all.map(Outcome::name), names);
    assert!(all.is_sorted(), "from good to bad");
}

// spec: A7
#[test]
fn what_the_evidence_contradicts_is_said_before_what_the_anchor_does() {
    let blamed = |steps: &[Step]| {
        verdict(|findings| {
            steps.iter().for_each(|step| findings.contradicted(*step, step.id(), "a", "b"));
        })
    };
    for (steps, blame, first) in [
        (&[Step::Names][..], Blame::Package, "V1"),
        (&[Step::Names, Step::LedgerId], Blame::AnotherLedger, "V9"),
        (&[Step::Names, Step::LedgerId, Step::Signature], Blame::Evidence, "V14"),
        (&[Step::Names, Step::Checkpoint], Blame::Evidence, "V8"),
    ] {
        let verdict = blamed(steps);
        assert_eq!(verdict.blame(), Some(blame), "{steps:?}");
        assert_eq!(verdict.first_contradiction().map(|f| f.item.as_str()), Some(first));
    }
    assert_eq!((verdict(|_| ()).blame(), verdict(|_| ()).first_contradiction()), (None, None));
}

#[test]
fn a_contradicted_axis_names_its_steps() {
    let verdict = verdict(|findings| {
        findings.contradicted(Step::LedgerId, "a", "b", "c");
        findings.contradicted(Step::Checkpoint, "a", "b", "c");
        findings.held(Step::Names);
    });
    let notes =
        |axis| verdict.axes().iter().find(|found| found.axis == axis).unwrap().notes.clone();
    assert_eq!(notes(Axis::Ledger), ["contradicted at V8, V9"]);
    assert_eq!(notes(Axis::Package), [""; 0]);
}

// spec: A1
#[test]
fn where_the_ledger_is_contradicted_nothing_rests_on_it() {
    let verdict = verdict(|findings| findings.contradicted(Step::LedgerId, "a", "b", "c"));
    for axis in verdict.axes() {
        let expected = match axis.axis {
            Axis::Ledger => Outcome::Contradicted,
            Axis::Package => Outcome::Established,
            Axis::Content | Axis::Disclosure => Outcome::NotChecked,
            _ => Outcome::NotEstablished,
        };
        assert_eq!(axis.outcome, expected, "{:?}", axis.axis);
    }
}

#[test]
fn contradictions_of_all_steps_are_counted() {
    let count = |steps: &[Step]| {
        let found = verdict(|findings| {
            steps.iter().for_each(|step| findings.contradicted(*step, "a", "b", "c"));
        });
        found.contradictions()
    };
    assert_eq!(count(&[]), 0);
    assert_eq!(count(&[Step::Names]), 1);
    assert_eq!(count(&[Step::Names, Step::Names, Step::Signature]), 3);
}

/// What a package names as the verdict names the anchor changes nothing.
#[test]
fn without_an_anchor_is_what_the_checkpoint_was_not_held_against() {
    let without = |step| {
        verdict(|findings| findings.not_established(step, ANCHOR_ITEM, "no")).without_anchor()
    };
    assert!(without(Step::Checkpoint) && !without(Step::Names) && !without(Step::Signature));
}
