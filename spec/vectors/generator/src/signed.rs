//! Faults that are signed: what only a rule, and no hash, can catch.

use unbroken_evidence::body::{Added, Body, Completeness, Ended, Rel, Role};
use unbroken_evidence::entry::Statement;
use unbroken_evidence::field::{FieldType, Value};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::opening::{Opening, Position};

use crate::cases::{Case, case};
use crate::container;
use crate::scene::{
    CALL, MESSAGE, Scene, collector_key, control_key, log_key, second_collector_key, stranger_key,
};

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
fn written(
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

fn committed(
    name: &'static str,
    exit: u8,
    step: &'static str,
    at: u64,
    edit: fn(&mut Vec<Value>),
) -> Case {
    let values = move |index, values: &mut Vec<Value>| {
        if index == at {
            edit(values)
        }
    };
    case(name, exit, step, &Scene { values: Box::new(values), ..Scene::default() })
}

fn opened(
    name: &'static str,
    exit: u8,
    step: &'static str,
    at: u64,
    edit: fn(&mut Opening),
) -> Case {
    let opening = move |index, opening: &mut Opening| {
        if index == at {
            edit(opening)
        }
    };
    case(name, exit, step, &Scene { opening: Box::new(opening), ..Scene::default() })
}

fn set(values: &mut [Value], pointer: &str, text: &str) {
    values
        .iter_mut()
        .filter(|value| value.pointer == pointer)
        .for_each(|v| text.clone_into(&mut v.value));
}

fn close(opening: &mut Opening, source: &str, pointer: &str) {
    for position in &mut opening.positions {
        let leaf = position.leaf();
        if let Position::Shown(field) = position
            && field.value.source == source
            && field.value.pointer == pointer
        {
            *position = Position::Closed(leaf);
        }
    }
}

pub(crate) fn commitment_cases() -> Vec<Case> {
    vec![
        committed("opened-sha256-differs-from-clear", 1, "V27", 2, |v| {
            set(v, "/sha256", &"0".repeat(64))
        }),
        committed("message-blake3-wrong", 1, "V4", 4, |v| set(v, "/blake3", &"0".repeat(64))),
        committed("field-of-a-wrong-type", 1, "V25", 2, |v| {
            v.iter_mut()
                .filter(|v| v.pointer == "/size")
                .for_each(|v| v.field_type = FieldType::String);
        }),
        committed("field-number-with-leading-zero", 1, "V25", 2, |v| {
            set(v, "/durationMs", "025620")
        }),
        committed("produced-manifest-digest", 1, "V19", 8, |v| {
            set(v, "/manifest-sha256.txt", &"0".repeat(64))
        }),
        committed("produced-fetch-missing", 1, "V19", 8, |v| {
            v.retain(|v| v.pointer != "/fetch.txt")
        }),
        committed("items-without-the-amendment", 1, "V20", 8, |v| {
            v.iter_mut().for_each(|v| {
                if v.value == "2,6,7" {
                    v.value = "2,6".into()
                }
            })
        }),
        committed("items-with-an-entry-not-shown", 1, "V20", 8, |v| {
            v.iter_mut().for_each(|v| {
                if v.value == "4" {
                    v.value = "4,5".into()
                }
            })
        }),
        committed("items-without-a-subject", 1, "V20", 8, |v| v.retain(|v| v.value != "4")),
        committed("items-not-ascending", 1, "V20", 8, |v| {
            v.iter_mut().for_each(|v| {
                if v.value == "2,6,7" {
                    v.value = "2,7,6".into()
                }
            })
        }),
    ]
}

/// Faults in openings, under roots that agree with them.
pub(crate) fn opening_cases() -> Vec<Case> {
    vec![
        opened("fields-out-of-order", 1, "V25", 2, |o| o.positions.swap(0, 1)),
        opened("field-twice", 1, "V25", 2, |o| {
            let again = o.positions.first().cloned();
            if let (Some(again), Some(second)) = (again, o.positions.get_mut(1)) {
                *second = again;
            }
        }),
        opened("salt-twice", 1, "V25", 2, |o| {
            let salt = o
                .positions
                .first()
                .and_then(|p| if let Position::Shown(f) = p { Some(f.salts.name) } else { None });
            if let (Some(salt), Some(Position::Shown(second))) = (salt, o.positions.get_mut(1)) {
                second.salts.value = salt;
            }
        }),
        opened("pad-number", 1, "V25", 2, |o| {
            for position in &mut o.positions {
                if let Position::Shown(field) = position
                    && field.value.pointer == "/00000"
                {
                    field.value.pointer = "/00009".into();
                }
            }
        }),
        opened("content-closed", 2, "V4", 4, |o| close(o, "content", "/sha256")),
        opened("blake3-closed", 2, "V4", 4, |o| close(o, "content", "/blake3")),
        opened("block-key-closed", 2, "V5", 4, |o| o.block_key = None),
        opened("block-key-wrong", 1, "V5", 4, |o| o.block_key = Some([9; 32])),
        opened("block-key-in-policy", 1, "V25", 1, |o| o.block_key = Some([9; 32])),
        opened("produced-not-wholly-opened", 1, "V19", 8, |o| close(o, "pad", "/00000")),
        opened("field-closed", 0, "-", 2, |o| close(o, "sidecar", "/durationMs")),
    ]
}

pub(crate) fn key_cases() -> Vec<Case> {
    let signed = |at: u64, by: fn() -> unbroken_evidence::key::Signer| Scene {
        signer: Box::new(move |index, signer| if index == at { by() } else { signer }),
        ..Scene::default()
    };
    let add = |added: Added| Scene { add: vec![added], ..Scene::default() };
    let end = |key: Hash, disputed_from| Scene {
        end: vec![Ended { disputed_from, key }],
        ..Scene::default()
    };
    let collector = || collector_key().verifier().hash();
    let late = |key: Hash, disputed_from| Scene {
        end_late: vec![Ended { disputed_from, key }],
        ..Scene::default()
    };
    let genesis = Scene {
        statement: Box::new(|index, statement| {
            if let (0, Body::Control(control)) = (index, &mut statement.body) {
                control.add.retain(|added| added.role != Role::Collector);
            }
        }),
        ..Scene::default()
    };
    vec![
        case("signed-by-a-stranger", 1, "V14", &signed(6, stranger_key)),
        case("recording-signed-by-the-control-key", 1, "V15", &signed(6, control_key)),
        case("control-signed-by-a-collector", 1, "V15", &signed(3, collector_key)),
        case("signed-before-its-key-was-added", 1, "V14", &signed(2, second_collector_key)),
        case("signed-after-its-key-ended", 1, "V15", &end(collector(), None)),
        case("key-disputed", 2, "V15", &late(second_collector_key().verifier().hash(), Some(4))),
        case("key-ended-in-time", 0, "-", &late(second_collector_key().verifier().hash(), None)),
        case("checkpoint-key-ended", 1, "V12", &end(log_key().verifier().hash(), None)),
        case("disputed-from-above", 1, "V11", &end(collector(), Some(4))),
        case("ended-without-being-added", 1, "V11", &end(stranger_key().verifier().hash(), None)),
        case(
            "public-key-added-twice",
            1,
            "V11",
            &add(Added { role: Role::Log, key: collector_key().verifier().clone() }),
        ),
        case("genesis-without-a-collector", 1, "V11", &genesis),
        case("key-of-small-order", 1, "V13", &small_order()),
        written("role-unknown", 3, "V13", 3, ("\"role\":\"collector\"", "\"role\":\"auditor\"")),
    ]
}

/// Entry 3 adds a key whose point is the neutral element: everything verifies under it.
fn small_order() -> Scene {
    let mut neutral = [0_u8; 33];
    neutral[0] = 1;
    neutral[1] = 1;
    let name = "example.com/weak";
    let id = Hash::of(&[name.as_bytes(), b"\n", &neutral]).to_string();
    let vkey = format!("{name}+{}+{}", &id[..8], container::base64_of(&neutral));
    let from = second_collector_key().verifier().to_string();
    let text = move |index, text: &mut String| {
        if index == 3 {
            *text = text.replace(&from, &vkey);
        }
    };
    Scene { text: Box::new(text), ..Scene::default() }
}
