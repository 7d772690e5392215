//! Faults that are signed: what only a rule, and no hash, can catch.

use unbroken_evidence::body::{Body, Completeness, Rel};
use unbroken_evidence::entry::Statement;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;

use crate::cases::{Case, case};
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
        stated_without_5("an-entry-not-shown", 0, "-", 7, |_| ()),
        stated_without_5("number-beyond-the-room", 1, "V16", 6, |s| s.number = 4),
        stated("previous-at-number-0", 1, "V13", 1, |s| s.previous = Some(Hash::of(&[b"x"]))),
        stated("genesis-with-number-1", 1, "V13", 0, |s| {
            s.number = 1;
            s.previous = Some(Hash::of(&[b"x"]));
        }),
        stated("control-missing", 1, "V13", 2, |s| s.control = None),
        stated("genesis-with-control", 3, "V13", 0, |s| s.control = Some(Hash::of(&[b"x"]))),
        stated("later-control-entry-at-0", 1, "V11", 0, |s| {
            s.control = Some(Hash::of(&[b"x"]));
            if let Body::Control(control) = &mut s.body {
                control.nonce = None;
            }
        }),
        stated("only-one-digest-in-the-clear", 0, "-", 2, |s| {
            if let Body::Recording(recording) = &mut s.body {
                recording.content.blake3 = None;
            }
        }),
        stated("without-a-policy", 0, "-", 2, |s| {
            if let Body::Recording(recording) = &mut s.body {
                recording.completeness = None;
            }
        }),
        stated("policy-of-another-kind", 2, "V21", 6, |s| {
            if let (Body::Recording(recording), Some(control)) = (&mut s.body, s.control) {
                recording.completeness = Some(Completeness { policy: control, complete: true });
            }
        }),
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
        stated("unknown-kind-supersedes", 2, "V21", 7, |s| {
            s.kind = Kind::Unknown("thing".into());
            first_ref(s, |r| r.rel = Rel::Supersedes);
        }),
        stated("produced-missing", 1, "V19", 8, |s| s.kind = Kind::Audit),
        stated("produced-twice", 1, "V19", 5, |s| s.kind = Kind::Produced),
        stated("custody-entry", 0, "-", 7, |s| s.kind = Kind::Custody),
        stated("audit-entry", 0, "-", 7, |s| s.kind = Kind::Audit),
        stated("erasure", 0, "-", 7, |s| {
            s.kind = Kind::Erasure;
            first_ref(s, |r| r.rel = Rel::Erases);
        }),
        stated("erasure-without-a-reference", 1, "V13", 7, |s| {
            s.kind = Kind::Erasure;
            refs(s).clear();
        }),
        stated("erasure-about", 1, "V13", 7, |s| s.kind = Kind::Erasure),
        stated("erasure-of-two", 1, "V13", 7, |s| {
            s.kind = Kind::Erasure;
            first_ref(s, |r| r.rel = Rel::Erases);
            let again = refs(s).clone();
            refs(s).extend(again);
        }),
        stated("erases-in-an-observation", 0, "-", 7, |s| first_ref(s, |r| r.rel = Rel::Erases)),
        stated("supersedes-another-kind", 1, "V22", 7, |s| {
            first_ref(s, |r| r.rel = Rel::Supersedes);
        }),
        stated("ref-to-itself", 1, "V22", 6, |s| first_ref(s, |r| r.index = 6)),
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
    cases
}

/// E1, E5 and E6 in a kind that nobody knows: its body may be any JSON of the narrowed form, and no other.
pub(crate) fn unknown_kind_cases() -> Vec<Case> {
    let body = |name, exit, member: String| {
        let text = move |index, text: &mut String| {
            if index == 7 {
                *text = text.replacen("\"observation\"", "\"thing\"", 1);
                *text = text.replacen("\"body\":{", &format!("\"body\":{{{member},"), 1);
            }
        };
        let step = if exit == 1 { "V13" } else { "V21" };
        case(name, exit, step, &Scene { text: Box::new(text), ..Scene::default() })
    };
    let nested = |depth: usize| format!("\"a\":{}1{}", "[".repeat(depth), "]".repeat(depth));
    vec![
        body("json-of-depth-six", 2, nested(4)),
        body("json-of-depth-seven", 1, nested(5)),
        body("json-array-of-64", 2, format!("\"a\":[0{}]", ",0".repeat(63))),
        body("json-array-of-65", 1, format!("\"a\":[0{}]", ",0".repeat(64))),
        body("json-array-empty", 1, "\"a\":[]".into()),
        body("json-object-empty", 2, "\"a\":{}".into()),
        body("json-member-upper-case", 1, "\"A\":1".into()),
        body("json-member-with-a-digit-first", 1, "\"1a\":1".into()),
        body("json-member-of-32-characters", 2, format!("\"{}\":1", "a".repeat(32))),
        body("json-member-of-33-characters", 1, format!("\"{}\":1", "a".repeat(33))),
        body("json-integer-of-2-to-the-53", 1, "\"a\":9007199254740992".into()),
        body("json-integer-largest", 2, "\"a\":9007199254740991".into()),
        body("json-integer-negative", 1, "\"a\":-1".into()),
        body("json-integer-leading-zero", 1, "\"a\":01".into()),
        body("json-string-with-a-tab", 1, "\"a\":\"\t\"".into()),
        body("json-string-beyond-ascii", 1, "\"a\":\"\u{e4}\"".into()),
        body("json-string-with-delete", 1, "\"a\":\"\u{7f}\"".into()),
        body("text-of-16384-bytes", 2, filler(16_384)),
        body("text-of-16385-bytes", 1, filler(16_385)),
    ]
}

/// A member that makes the text of entry 7 so long, when it is an unknown kind.
fn filler(bytes: usize) -> String {
    let without = {
        let scene = Scene::default();
        let model = scene.log();
        let note = model.notes.get(7).map(String::as_str).unwrap_or_default();
        let text = note.split("\n\n").next().unwrap_or_default().len() + 1;
        text - "observation".len() + "thing".len() + "\"a\":\"\",".len()
    };
    format!("\"a\":\"{}\"", "x".repeat(bytes - without))
}

/// What stands at its limit, and what stands beyond it.
pub(crate) fn limit_cases() -> Vec<Case> {
    let bytes = |name, to| written(name, 1, "V13", 2, ("\"bytes\":4096", to));
    let count = |name, to| written(name, 1, "V13", 2, ("\"count\":16", to));
    vec![
        at("at-1970", 0, "1970-01-01T00:00:00.000Z"),
        at("at-before-1970", 1, "1969-12-31T23:59:59.999Z"),
        at("at-a-leap-day", 0, "2028-02-29T23:59:59.999Z"),
        at("at-no-leap-day", 1, "2027-02-29T00:00:00.000Z"),
        at("at-no-leap-day-of-a-century", 1, "2100-02-29T00:00:00.000Z"),
        at("at-a-leap-day-of-a-fourth-century", 0, "2000-02-29T00:00:00.000Z"),
        at("at-month-13", 1, "2026-13-01T00:00:00.000Z"),
        at("at-day-0", 1, "2026-11-00T00:00:00.000Z"),
        at("at-hour-24", 1, "2026-11-20T24:00:00.000Z"),
        at("at-minute-60", 1, "2026-11-20T07:60:00.000Z"),
        at("at-second-60", 1, "2026-12-31T23:59:60.000Z"),
        at("at-with-a-space", 1, "2026-11-20 07:00:00.000Z"),
        at("at-lower-case", 1, "2026-11-20t07:00:00.000z"),
        bytes("block-bytes-256", "\"bytes\":256"),
        bytes("block-bytes-131072", "\"bytes\":131072"),
        count("fields-count-0", "\"count\":0"),
        count("fields-count-131080", "\"count\":131080"),
        written("number-as-a-string", 1, "V13", 2, ("\"number\":1", "\"number\":\"1\"")),
        written("subject-of-15-bytes", 1, "V13", 2, ("\"subject\":\"a1", "\"subject\":\"")),
        written("first-line-leading-zero", 1, "V13", 2, ("entry@v1", "entry@v01")),
        written("second-line-empty", 1, "V13", 2, ("entry@v1\n", "entry@v1\n\n")),
        written("genesis-format-unknown", 3, "V13", 0, ("entry@v1\",\"n", "entry@v2\",\"n")),
        written("genesis-without-format", 1, "V13", 0, ("\"format\":\"unbroken/entry@v1\",", "")),
        written("genesis-nonce-of-15-bytes", 1, "V13", 0, ("\"nonce\":\"07", "\"nonce\":\"")),
        written("member-unknown-in-control", 3, "V13", 3, ("\"fields\"", "\"extra\":1,\"fields\"")),
        written("member-unknown-in-add", 3, "V13", 3, ("{\"role\"", "{\"note\":1,\"role\"")),
        written("rel-unknown-in-control", 3, "V13", 3, ("\"}},", REFS)),
        written(
            "recording-without-fields",
            1,
            "V13",
            2,
            (",\"fields\":{\"count\"", ",\"x\":{\"count\""),
        ),
        written("completeness-without-policy", 1, "V13", 2, ("\"policy\":\"c", "\"policy\":\"")),
        written("ref-index-as-a-string", 1, "V13", 7, ("\"index\":6", "\"index\":\"6\"")),
    ]
}

const REFS: &str = "\"},\"refs\":[{\"index\":1,\"leaf\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"rel\":\"resembles\"}]},";

/// Entry 2 with another `at`.
fn at(name: &'static str, exit: u8, to: &'static str) -> Case {
    let text = move |index, text: &mut String| {
        if index == 2 {
            let from = text.find("\"at\":\"").map_or(0, |place| place + 6);
            text.replace_range(from..from + 24, to);
        }
    };
    let step = if exit == 0 { "-" } else { "V13" };
    case(name, exit, step, &Scene { text: Box::new(text), ..Scene::default() })
}
