//! Faults that are signed: what only a rule, and no hash, can catch.

use unbroken_evidence::body::{Body, Completeness, Rel};
use unbroken_evidence::entry::Statement;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;

use crate::cases::{Case, case};
use crate::container;
use crate::scene::{CALL, MESSAGE, Scene};

/// A fault in the statement of entry `at`, signed as if nothing were wrong.
fn stated(
    name: &'static str,
    exit: u8,
    step: &'static str,
    at: u64,
    edit: fn(&mut Statement),
) -> Case {
    let statement = move |index, statement: &mut Statement| {
        if index == at {
            edit(statement)
        }
    };
    case(name, exit, step, &Scene { statement: Box::new(statement), ..Scene::default() })
}

/// As [`stated`], in an exhibit that does not show entry 5.
fn stated_without_5(
    name: &'static str,
    exit: u8,
    step: &'static str,
    at: u64,
    edit: fn(&mut Statement),
) -> Case {
    let statement = move |index, statement: &mut Statement| {
        if index == at {
            edit(statement)
        }
    };
    let statement = Box::new(statement);
    case(name, exit, step, &Scene { statement, hide: vec![5], ..Scene::default() })
}

fn refs(statement: &mut Statement) -> &mut Vec<unbroken_evidence::body::Ref> {
    match &mut statement.body {
        Body::Fields { refs, .. } | Body::Unknown(refs) => refs,
        Body::Recording(recording) => &mut recording.refs,
        Body::Control(control) => &mut control.refs,
    }
}

fn first_ref(statement: &mut Statement, edit: fn(&mut unbroken_evidence::body::Ref)) {
    if let Some(reference) = refs(statement).first_mut() {
        edit(reference);
    }
}

pub(crate) fn statement_cases() -> Vec<Case> {
    vec![
        stated("control-stale", 1, "V11", 4, |s| s.control = Some(Scene::default().ledger_id())),
        stated("control-number", 1, "V11", 3, |s| s.number = 2),
        stated("number-repeated", 1, "V16", 6, |s| s.number = 1),
        stated("number-too-high", 1, "V16", 6, |s| s.number = 9),
        stated("first-number-too-high", 1, "V16", 4, |s| {
            s.number = 1;
            s.previous = Some(Hash::of(&[b"x"]));
        }),
        stated("previous-wrong", 1, "V16", 2, |s| s.previous = Some(Hash::of(&[b"x"]))),
        stated("previous-missing", 1, "V13", 2, |s| s.previous = None),
        stated("origin-of-another-log", 1, "V13", 2, |s| s.origin = "example.com/other".into()),
        stated("subject-missing", 1, "V13", 2, |s| s.subject = None),
        stated("subject-in-policy", 1, "V13", 1, |s| s.subject = Some(CALL)),
        stated("digest-clear-for-message", 1, "V13", 4, |s| {
            if let Body::Recording(recording) = &mut s.body {
                recording.content.sha256 = Some(Hash::of(&[b"x"]));
            }
        }),
    ]
}

/// Faults in what entries say of each other, and of bytes.
pub(crate) fn relation_cases() -> Vec<Case> {
    vec![
        stated("ref-leaf-wrong", 1, "V22", 7, |s| first_ref(s, |r| r.leaf = Hash::of(&[b"x"]))),
        stated("ref-upward", 1, "V22", 7, |s| first_ref(s, |r| r.index = 7)),
        stated("supersedes-another-subject", 1, "V22", 6, |s| s.subject = Some(MESSAGE)),
        stated_without_5("supersedes-not-shown", 1, "V20", 6, |s| first_ref(s, |r| r.index = 5)),
        stated_without_5("about-not-shown", 2, "V21", 7, |s| first_ref(s, |r| r.index = 5)),
        stated("policy-not-shown", 2, "V21", 2, |s| {
            if let Body::Recording(recording) = &mut s.body {
                recording.completeness =
                    Some(Completeness { policy: Hash::of(&[b"x"]), complete: true });
            }
        }),
        stated("branched", 2, "V23", 6, |s| refs(s).clear()),
        stated("superseded-twice", 2, "V23", 6, |s| {
            let again = refs(s).clone();
            refs(s).extend(again);
        }),
        stated("ref-about-instead-of-supersedes", 2, "V23", 6, |s| {
            first_ref(s, |r| r.rel = Rel::About)
        }),
        stated("unknown-kind", 2, "V21", 7, |s| {
            s.kind = Kind::Unknown("thing".into());
        }),
        stated("custody-entry", 0, "-", 7, |s| s.kind = Kind::Custody),
        stated("block-root-wrong", 1, "V5", 2, |s| {
            if let Body::Recording(recording) = &mut s.body {
                recording.content.block_root = Hash::of(&[b"x"]);
            }
        }),
        stated("size-wrong", 1, "V4", 2, |s| {
            if let Body::Recording(recording) = &mut s.body {
                recording.content.size += 1;
            }
        }),
        stated("clear-blake3-differs-from-opened", 1, "V27", 2, |s| {
            if let Body::Recording(recording) = &mut s.body {
                recording.content.blake3 = Some(Hash::of(&[b"x"]));
            }
        }),
    ]
}

/// A fault in the text of entry `at`, signed as if nothing were wrong.
pub(crate) fn written(
    name: &'static str,
    exit: u8,
    step: &'static str,
    at: u64,
    (from, to): (&'static str, &'static str),
) -> Case {
    let text = move |index, text: &mut String| {
        if index == at {
            *text = text.replacen(from, to, 1);
        }
    };
    case(name, exit, step, &Scene { text: Box::new(text), ..Scene::default() })
}

pub(crate) fn text_cases() -> Vec<Case> {
    let mut cases = vec![
        written("entry-version", 3, "V13", 2, ("entry@v1", "entry@v2")),
        written("entry-first-line", 1, "V13", 2, ("unbroken/entry@v1", "unbroken/entry")),
        written("member-unknown", 3, "V13", 2, ("\"signer\"", "\"seal\":1,\"signer\"")),
        written("member-unknown-in-body", 3, "V13", 2, ("\"media\"", "\"length\":1,\"media\"")),
        written("member-missing", 1, "V13", 2, (",\"media\":\"call\"", "")),
        written("media-unknown", 3, "V13", 2, ("\"media\":\"call\"", "\"media\":\"fax\"")),
        written(
            "verdict-unknown",
            3,
            "V13",
            2,
            ("\"verdict\":\"complete\"", "\"verdict\":\"partial\""),
        ),
        written("rel-unknown", 2, "V21", 7, ("\"rel\":\"about\"", "\"rel\":\"resembles\"")),
        written("json-null", 1, "V13", 2, ("\"size\":9001", "\"size\":null")),
        written("json-float", 1, "V13", 2, ("\"size\":9001", "\"size\":9001.0")),
        written("json-too-large", 1, "V13", 2, ("\"size\":9001", "\"size\":9007199254740992")),
        written("json-escape", 1, "V13", 2, ("\"media\":\"call\"", "\"media\":\"\\u0063all\"")),
        written("json-space", 1, "V13", 2, ("\"media\":", "\"media\": ")),
        written(
            "json-order",
            1,
            "V13",
            2,
            ("\"kind\":\"recording\",\"number\":1", "\"number\":1,\"kind\":\"recording\""),
        ),
        written("json-twice", 1, "V13", 2, ("\"number\":1", "\"number\":1,\"number\":1")),
        written("at-not-a-date", 1, "V13", 2, ("\"at\":\"2026-11-20", "\"at\":\"2026-11-31")),
        written("at-form", 1, "V13", 2, (".123Z\"", "Z\"")),
        written("hex-upper-case", 1, "V13", 2, ("\"subject\":\"a1", "\"subject\":\"A1")),
        written("block-bytes", 1, "V13", 2, ("\"bytes\":4096", "\"bytes\":4095")),
        written("fields-count", 1, "V13", 2, ("\"count\":16", "\"count\":15")),
        written("trailing-line", 1, "V13", 2, ("}\n", "}\nmore\n")),
    ];
    let two_lines = |index, note: &mut String| {
        if index == 2 {
            let line = note.lines().last().unwrap_or_default().to_owned();
            note.push_str(&line);
            note.push('\n');
        }
    };
    cases.push(case(
        "two-signature-lines",
        1,
        "V13",
        &Scene { note: Box::new(two_lines), ..Scene::default() },
    ));
    cases.push(case(
        "signature-plus-order",
        1,
        "V14",
        &Scene { note: Box::new(container::malleate), ..Scene::default() },
    ));
    cases
}
