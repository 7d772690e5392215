//! Lines, what stands beside them, policies and replacements.

use super::*;
use crate::field::{FieldSet, FieldsCommitment, Value};
use crate::judge::commitments::Commitments;
use crate::judge::entries::Outcome;
use crate::judge::exhibit::verify_exhibit;
use crate::judge::findings::Findings;
use crate::judge::testing::{Scribe, anchor, exhibit};
use crate::kind::Kind;
use crate::opening::{Opening, Position};
use crate::step::Step;

fn line(index: u64, subject: u8, sha256: Option<Hash>) -> Recording {
    Recording {
        index,
        subject: Subject([subject; 16]),
        media: Media::Call,
        size: 7,
        sha256,
        noncurrent: false,
        path: None,
        bytes: Bytes::NotPacked,
        left_out: None,
        complete: None,
        policy_shown: false,
        sha256_agrees: false,
        blocks: Blocks::NotChecked,
        companions: (0, 0),
        hides_companions: false,
        hidden: (0, 0),
        superseded_by: Vec::new(),
        by_other_bytes: Some(false),
        at: Time::from_unix_ms(0),
        sealed_after_ms: None,
        declared_ms: None,
        measured_ms: None,
        odd: Vec::new(),
        noticed: 0,
        words: Stretch::default(),
    }
}

// spec: A9
#[test]
fn a_measured_length_far_from_the_declared_one_is_odd() {
    for (declared, measured, is_odd) in [
        (Some(25_620), Some(27_620), false),
        (Some(25_620), Some(27_621), true),
        (Some(25_620), Some(23_619), true),
        (Some(25_620), None, false),
        (None, Some(1), false),
    ] {
        let mut line = line(1, 1, None);
        line.declared_ms = declared;
        line.measured(measured);
        // As it is said of a file that is packed twice.
        line.measured(measured);
        assert_eq!(line.odd == [Odd::OtherLength], is_odd, "{declared:?} {measured:?}");
        assert_eq!(line.measured_ms, measured);
    }
}

// spec: A9
#[test]
fn one_file_under_two_recordings_is_odd_and_under_one_of_them_twice_is_not() {
    let (one, other) = (Some(Hash::of(&[b"one"])), Some(Hash::of(&[b"other"])));
    let lines = vec![
        line(1, 1, one),
        line(2, 1, one),
        line(3, 2, one),
        line(4, 3, other),
        line(5, 4, None),
        line(6, 5, None),
    ];
    let mut recordings = Recordings { lines, ..Recordings::default() };
    recordings.finish();
    let odd: Vec<_> = recordings.lines.iter().map(|line| line.odd.clone()).collect();
    assert_eq!(odd, [vec![], vec![], vec![Odd::SameBytesAs(1)], vec![], vec![], vec![]]);
}

#[test]
fn lines_are_counted_by_what_was_found_and_those_that_nothing_supersedes_are_current() {
    let mut lines = vec![line(1, 1, None), line(2, 2, None), line(3, 2, None)];
    lines[0].bytes = Bytes::Agree;
    lines[1].superseded_by = vec![3];
    let recordings = Recordings { lines, ..Recordings::default() };
    assert_eq!(recordings.current().map(|line| line.index).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((recordings.count(Bytes::Agree), recordings.count(Bytes::NotPacked)), (1, 2));
    assert_eq!(recordings.count(Bytes::Missing), 0);
}

// spec: A8
#[test]
fn what_stands_beside_a_recording_is_found_by_its_subject() {
    let verdict = verify_exhibit(&mut exhibit("good"), &anchor(), 1).unwrap();
    let recordings = verdict.recordings();
    let subject = |index| recordings.lines().iter().find(|l| l.index == index).unwrap().subject;
    let beside = |index| recordings.beside(&subject(index)).iter().map(|b| b.index).collect();
    let (call, message): (Vec<u64>, Vec<u64>) = (beside(2), beside(4));
    assert_eq!((call, message), (vec![7], vec![]));
    assert_eq!(recordings.all_beside().len(), 1);
    let of = |subject| Beside {
        subject: Subject([subject; 16]),
        index: u64::from(subject),
        at: Time::from_unix_ms(0),
        values: 0,
        is_known: true,
        words: Stretch::default(),
    };
    let mut many = Recordings { beside: vec![of(3), of(1), of(2)], ..Recordings::default() };
    many.finish();
    for subject in [1, 2, 3] {
        let found = many.beside(&Subject([subject; 16]));
        assert_eq!(found.iter().map(|b| b.index).collect::<Vec<_>>(), [u64::from(subject)]);
    }
    assert!(many.beside(&Subject([4; 16])).is_empty());
}

// spec: A8
#[test]
fn the_first_few_policies_are_said_in_their_own_words() {
    let verdict = verify_exhibit(&mut exhibit("good"), &anchor(), 1).unwrap();
    let [policy] = verdict.recordings().policies() else { panic!("one policy") };
    assert_eq!((policy.index, policy.name.as_str()), (1, "genesys-cloud-1"));
    let values = vec![Value::string("policy", "/name", "n"), Value::string("policy", "/text", "t")];
    let opening = shown(values);
    let mut recordings = Recordings::default();
    for index in 0..20 {
        recordings.policy(index, &opening);
    }
    assert_eq!(recordings.policies().len(), POLICIES_SHOWN);
    assert_eq!(recordings.policies()[0].text, "t");
}

/// An opening that shows these values.
fn shown(values: Vec<Value>) -> VerifiedOpening {
    let mut salt = 0_u8;
    let set = FieldSet::seal(values, &mut || {
        salt += 1;
        [salt; 16]
    });
    let commitment = set.commitment();
    let positions = set.into_fields().into_iter().map(Position::Shown).collect();
    Opening { positions, ..Opening::default() }.verify(&commitment).unwrap()
}

/// An opening that shows one remark of a run, and how the run ended.
fn remarked(remark: &str) -> VerifiedOpening {
    let values = vec![
        Value::string("pass", "/remarks/0", remark),
        Value::string("pass", "/outcome", "finished"),
    ];
    shown(values)
}

/// A policy that asks for a hold which nobody could give was met, and nobody was told that it was not there.
// spec: A8
#[test]
fn what_a_policy_asks_for_and_nobody_could_give_is_said() {
    let remark = "not-offered: legal hold: the export never carries it (4 recordings)";
    let mut recordings = Recordings::default();
    for run in 0..20 {
        recordings.pass(run, &remarked(remark));
    }
    assert_eq!(recordings.not_given().len(), NOT_GIVEN_SHOWN);
    let [first, second, ..] = recordings.not_given() else { panic!("two") };
    assert_eq!((first.index, first.text.as_str(), second.index), (0, remark, 1));
}

/// An entry of another kind may have a value of the same name; it is no run.
// spec: A8
#[test]
fn only_a_run_says_what_nobody_could_give() {
    let mut scribe = Scribe::new();
    for kind in [Kind::Gap, Kind::Pass] {
        let fields = FieldsCommitment { count: 8, root: Hash::of(&[]) };
        let body = body::Body::Fields { fields, refs: vec![] };
        scribe.sign(3, kind, None, body, |_| ());
    }
    let mut commitments = Commitments::default();
    let mut findings = Findings::new(Step::ALL);
    for outcome in scribe.outcomes() {
        if let Outcome::Judged(judged) = outcome {
            commitments.entry(&judged, Some(&remarked("a remark")), &mut findings);
        }
    }
    let said: Vec<u64> = commitments.recordings.not_given().iter().map(|said| said.index).collect();
    assert_eq!(said, [2]);
}
