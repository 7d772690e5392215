//! The cases: the good exhibit, and one fault each. `step` is the one that must catch it.

use unbroken_evidence::bag::Manifest;
use unbroken_evidence::body::{Added, Body, Completeness, Ended, Rel, Role};
use unbroken_evidence::entry::Statement;
use unbroken_evidence::field::{FieldType, Value};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::opening::{Opening, Position};
use unbroken_evidence::package::{MemoryPackage, Package as _};

use crate::container;
use crate::scene::{
    CALL, MESSAGE, Scene, collector_key, control_key, log_key, second_collector_key, stranger_key,
    zipped,
};

/// One exhibit and what a verifier must say of it.
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// The exit code.
    pub exit: u8,
    /// The step that must say so; `container` where no verification takes place, `-` for none.
    pub step: &'static str,
    /// What the verifier is given: `anchor`, `none`, `wrong-anchor`, `ledger-id`, `wrong-ledger-id`.
    pub trust: &'static str,
    /// The exhibit.
    pub zip: Vec<u8>,
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    let mut cases = good();
    cases.extend(package_cases());
    cases.extend(ledger_cases());
    cases.extend(statement_cases());
    cases.extend(text_cases());
    cases.extend(commitment_cases());
    cases.extend(key_cases());
    cases.extend(container::cases());
    cases
}

fn case(name: &'static str, exit: u8, step: &'static str, scene: &Scene) -> Case {
    Case { name, exit, step, trust: "anchor", zip: zipped(&scene.build()) }
}

fn good() -> Vec<Case> {
    let trusts = [
        ("good", 0, "-", "anchor"),
        ("good-with-ledger-id", 0, "-", "ledger-id"),
        ("no-anchor", 2, "V8", "none"),
        ("wrong-anchor", 1, "V8", "wrong-anchor"),
        ("wrong-ledger-id", 1, "V9", "wrong-ledger-id"),
    ];
    let zip = zipped(&Scene::default().build());
    let with = |(name, exit, step, trust)| Case { name, exit, step, trust, zip: zip.clone() };
    trusts.into_iter().map(with).collect()
}

type PackageEdit = fn(&mut MemoryPackage);

fn edited(name: &'static str, exit: u8, step: &'static str, edit: PackageEdit) -> Case {
    case(name, exit, step, &Scene { package: Box::new(edit), ..Scene::default() })
}

fn change(package: &mut MemoryPackage, path: &str, from: &str, to: &str) {
    let text = String::from_utf8_lossy(package.bytes(path).unwrap_or_default()).into_owned();
    package.insert(path, text.replacen(from, to, 1));
}

fn flip(package: &mut MemoryPackage, path: &str, place: usize) {
    let mut bytes = package.remove(path).unwrap_or_default();
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1;
    }
    package.insert(path, bytes);
}

fn rename(package: &mut MemoryPackage, from: &str, to: &str) {
    let bytes = package.remove(from).unwrap_or_default();
    package.insert(to, bytes);
}

fn package_cases() -> Vec<Case> {
    const CALL_PATH: &str = "data/2/r-1.opus";
    const MANIFEST: &str = "manifest-sha256.txt";
    vec![
        edited("recording-bit-flipped", 1, "V3", |p| flip(p, CALL_PATH, 4_000)),
        edited("recording-removed", 1, "V3", |p| drop(p.remove(CALL_PATH))),
        edited("recording-renamed", 1, "V3", |p| rename(p, CALL_PATH, "data/2/r-2.opus")),
        edited("recording-swapped-with-manifest", 1, "V4", |p| {
            p.insert(CALL_PATH, "another recording");
            let mut lines =
                Manifest::parse(p.bytes(MANIFEST).unwrap_or_default()).unwrap_or_default();
            lines.files.insert(CALL_PATH.into(), Hash::of(&[b"another recording"]));
            p.insert(MANIFEST, lines.encode());
        }),
        edited("payload-file-added", 1, "V3", |p| p.insert("data/2/extra.txt", "x")),
        edited("file-added-beside", 1, "V1", |p| p.insert("notes.txt", "x")),
        edited("report-edited", 1, "V3", |p| p.insert("data/report/README.txt", "Nothing.\n")),
        edited("opening-edited", 1, "V26", |p| change(p, "data/openings/2.json", "25620", "25621")),
        edited("opening-removed", 1, "V3", |p| drop(p.remove("data/openings/2.json"))),
        edited("opening-of-nothing", 1, "V1", |p| {
            rename(p, "data/openings/7.json", "data/openings/5.json")
        }),
        edited("produced-opening-removed", 1, "V25", |p| drop(p.remove("ledger/openings/8.json"))),
        edited("manifest-line-ending", 1, "V2", |p| change(p, MANIFEST, "\n", "\r\n")),
        edited("manifest-replaced", 1, "V19", |p| {
            p.insert("data/report/more.txt", "more\n");
            crate::scene::bag(p);
        }),
        edited("bagit-version", 1, "V7", |p| change(p, "bagit.txt", "1.0", "0.97")),
        edited("payload-oxum", 1, "V7", |p| change(p, "bag-info.txt", "Oxum: ", "Oxum: 1")),
        edited("bagging-date", 1, "V19", |p| change(p, "bag-info.txt", "-20\n", "-21\n")),
        edited("recording-moved-to-fetch", 1, "V19", |p| {
            drop(p.remove(CALL_PATH));
            p.insert("fetch.txt", format!("https://example.com/r-1.opus 9001 {CALL_PATH}\n"));
        }),
        case(
            "tag-manifest-line",
            1,
            "V7",
            &Scene {
                retag: false,
                package: Box::new(|p| change(p, "tagmanifest-sha256.txt", "0", "1")),
                ..Scene::default()
            },
        ),
        case(
            "tag-manifest-without-line",
            1,
            "V7",
            &Scene {
                retag: false,
                package: Box::new(|p| {
                    let path = "tagmanifest-sha256.txt";
                    let mut tags =
                        Manifest::parse(p.bytes(path).unwrap_or_default()).unwrap_or_default();
                    tags.files.remove("ledger/entries/7.note");
                    p.insert(path, tags.encode());
                }),
                ..Scene::default()
            },
        ),
        case(
            "packed-under-a-higher-index",
            1,
            "V1",
            &Scene {
                payload: Box::new(|p| rename(p, CALL_PATH, "data/6/r-1.opus")),
                ..Scene::default()
            },
        ),
        case(
            "packed-twice",
            1,
            "V1",
            &Scene {
                payload: Box::new(|p| p.insert("data/6/r-1.opus", crate::scene::call_bytes())),
                ..Scene::default()
            },
        ),
        case(
            "recordings-not-packed",
            2,
            "V4",
            &Scene {
                payload: Box::new(|p| {
                    for path in [CALL_PATH, "data/2/r-1.opus_metadata.json", "data/4/r-2.json"] {
                        drop(p.remove(path));
                    }
                }),
                ..Scene::default()
            },
        ),
        case(
            "companion-not-packed",
            2,
            "V6",
            &Scene {
                payload: Box::new(|p| drop(p.remove("data/2/r-1.opus_metadata.json"))),
                ..Scene::default()
            },
        ),
    ]
}

fn on_all_proofs(package: &mut MemoryPackage, edit: impl Fn(String) -> String) {
    let holds =
        |path: &&String| path.ends_with(".tlog-proof") || path.as_str() == "ledger/checkpoint";
    let paths: Vec<String> = package.files().keys().filter(holds).cloned().collect();
    for path in paths {
        let text = String::from_utf8_lossy(package.bytes(&path).unwrap_or_default()).into_owned();
        package.insert(&path, edit(text));
    }
}

fn ledger_cases() -> Vec<Case> {
    const PROOF: &str = "ledger/entries/2.tlog-proof";
    vec![
        edited("checkpoint-signature", 1, "V8", |p| {
            on_all_proofs(p, |text| {
                let cut = text.len() - 10;
                let other = if text.get(cut..=cut) == Some("A") { "B" } else { "A" };
                format!(
                    "{}{other}{}",
                    text.get(..cut).unwrap_or(""),
                    text.get(cut + 1..).unwrap_or("")
                )
            });
        }),
        edited("checkpoint-size", 1, "V8", |p| {
            on_all_proofs(p, |text| text.replace("\n9\n", "\n10\n"))
        }),
        edited("checkpoint-leading-zero", 1, "V8", |p| {
            on_all_proofs(p, |text| text.replace("\n9\n", "\n09\n"))
        }),
        edited("checkpoint-missing", 1, "V8", |p| drop(p.remove("ledger/checkpoint"))),
        edited("checkpoint-not-of-the-proofs", 1, "V10", |p| change(p, PROOF, "\n9\n", "\n8\n")),
        edited("proof-of-another-entry", 1, "V10", |p| {
            let other = p.bytes("ledger/entries/4.tlog-proof").unwrap_or_default().to_vec();
            p.insert(PROOF, other);
        }),
        edited("proof-hash", 1, "V10", |p| {
            let text = String::from_utf8_lossy(p.bytes(PROOF).unwrap_or_default()).into_owned();
            let lines: Vec<&str> = text.lines().collect();
            let (a, b) = (lines.get(2).copied().unwrap_or(""), lines.get(3).copied().unwrap_or(""));
            p.insert(PROOF, text.replace(&format!("{a}\n{b}"), &format!("{b}\n{a}")));
        }),
        edited("proof-too-long", 1, "V10", |p| {
            let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
            change(p, PROOF, "\n\n", &format!("\n{hash}\n\n"));
        }),
        edited("proof-extra-line", 1, "V10", |p| change(p, PROOF, "index", "extra AAAA\nindex")),
        edited("proof-leading-zero", 1, "V10", |p| change(p, PROOF, "index 2", "index 02")),
        edited("proof-missing", 1, "V10", |p| drop(p.remove(PROOF))),
        edited("proof-without-entry", 1, "V1", |p| drop(p.remove("ledger/entries/7.note"))),
        edited("entry-text-changed", 1, "V14", |p| {
            change(p, "ledger/entries/2.note", "\"size\":9001", "\"size\":9002")
        }),
        edited("amendment-left-out", 1, "V20", |p| {
            for ending in ["note", "tlog-proof"] {
                drop(p.remove(&format!("ledger/entries/7.{ending}")));
            }
        }),
        edited("control-entry-left-out", 1, "V11", |p| {
            for path in
                ["ledger/control/3.note", "ledger/control/3.tlog-proof", "ledger/openings/3.json"]
            {
                drop(p.remove(path));
            }
        }),
        edited("entry-in-control-folder", 1, "V1", |p| {
            for ending in ["note", "tlog-proof"] {
                rename(
                    p,
                    &format!("ledger/entries/4.{ending}"),
                    &format!("ledger/control/4.{ending}"),
                );
            }
        }),
        case(
            "not-the-last-entry",
            1,
            "V19",
            &Scene {
                after_produced: Box::new(|model| model.push("another entry\n".into())),
                ..Scene::default()
            },
        ),
        case(
            "checkpoint-by-a-key-never-added",
            1,
            "V12",
            &Scene { log: stranger_key, package: Box::new(|_| ()), ..Scene::default() },
        ),
    ]
    .into_iter()
    .map(|case| if case.step == "V12" { Case { trust: "wrong-anchor", ..case } } else { case })
    .collect()
}

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

fn statement_cases() -> Vec<Case> {
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
        stated("ref-leaf-wrong", 1, "V22", 7, |s| first_ref(s, |r| r.leaf = Hash::of(&[b"x"]))),
        stated("ref-upward", 1, "V22", 7, |s| first_ref(s, |r| r.index = 7)),
        stated("supersedes-another-subject", 1, "V22", 6, |s| s.subject = Some(MESSAGE)),
        stated("supersedes-not-shown", 1, "V20", 6, |s| first_ref(s, |r| r.index = 5)),
        stated("about-not-shown", 2, "V21", 7, |s| first_ref(s, |r| r.index = 5)),
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
            s.kind = "thing".into();
        }),
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

fn text_cases() -> Vec<Case> {
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
        written("hex-upper-case", 1, "V13", 2, ("\"root\":\"", "\"root\":\"A")),
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
        if let Position::Open(field) = position
            && field.value.source == source
            && field.value.pointer == pointer
        {
            *position = Position::Closed(leaf);
        }
    }
}

fn commitment_cases() -> Vec<Case> {
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
        committed("field-type-unknown-value", 1, "V25", 2, |v| set(v, "/durationMs", "025620")),
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
                .and_then(|p| if let Position::Open(f) = p { Some(f.salt) } else { None });
            if let (Some(salt), Some(Position::Open(second))) = (salt, o.positions.get_mut(1)) {
                second.salt = salt;
            }
        }),
        opened("pad-number", 1, "V25", 2, |o| {
            for position in &mut o.positions {
                if let Position::Open(field) = position
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

fn key_cases() -> Vec<Case> {
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
        written("key-of-small-order", 1, "V13", 3, ("+A", "+AAAA")),
        written("role-unknown", 3, "V13", 3, ("\"role\":\"collector\"", "\"role\":\"auditor\"")),
    ]
}
