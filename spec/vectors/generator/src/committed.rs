//! Faults in what is committed and opened, under roots that agree with them.

use unbroken_evidence::field::{FieldType, Value};
use unbroken_evidence::opening::{Opening, Position};
use unbroken_evidence::package::MemoryPackage;

use crate::cases::{Case, case, change};
use crate::scene::Scene;

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

/// F3, F4 and F9: one value of entry 2 that breaks its form, or that is a good one.
pub(crate) fn value_cases() -> Vec<Case> {
    let value = |name, exit, source, pointer, field_type, text: &str| {
        let value = Value::new(source, pointer, field_type, text);
        let values = move |index, values: &mut Vec<Value>| {
            if index == 2 {
                values.push(value.clone());
            }
        };
        let step = if exit == 0 { "-" } else { "V25" };
        case(name, exit, step, &Scene { values: Box::new(values), ..Scene::default() })
    };
    let declared =
        |name, exit, field_type, text: &str| value(name, exit, "declared", "/x", field_type, text);
    let at = |name, exit, pointer| value(name, exit, "declared", pointer, FieldType::String, "x");
    vec![
        declared("value-true", 0, FieldType::Boolean, "true"),
        declared("value-yes", 1, FieldType::Boolean, "yes"),
        declared("value-null", 0, FieldType::Null, "null"),
        declared("value-null-empty", 1, FieldType::Null, ""),
        declared("value-object", 0, FieldType::Object, "{}"),
        declared("value-object-with-a-member", 1, FieldType::Object, "{\"a\":1}"),
        declared("value-array", 0, FieldType::Array, "[]"),
        declared("value-array-as-an-object", 1, FieldType::Array, "{}"),
        declared("value-bytes", 0, FieldType::Bytes, "//79"),
        declared("value-bytes-unpadded", 1, FieldType::Bytes, "//8"),
        declared("value-bytes-spare-bits", 1, FieldType::Bytes, "//9="),
        declared("value-sha256", 0, FieldType::Sha256, &"0f".repeat(32)),
        declared("value-sha256-upper-case", 1, FieldType::Sha256, &"0F".repeat(32)),
        declared("value-sha256-short", 1, FieldType::Sha256, &"0f".repeat(31)),
        declared("value-number-exponent", 0, FieldType::Number, "-1.50E+3"),
        declared("value-number-minus-zero", 0, FieldType::Number, "-0"),
        declared("value-number-plus", 1, FieldType::Number, "+1"),
        declared("value-number-ends-with-a-point", 1, FieldType::Number, "1."),
        declared("value-number-begins-with-a-point", 1, FieldType::Number, ".5"),
        declared("value-number-without-exponent", 1, FieldType::Number, "1e"),
        declared("value-number-hex", 1, FieldType::Number, "0x10"),
        declared("value-number-not-a-number", 1, FieldType::Number, "NaN"),
        declared("value-number-empty", 1, FieldType::Number, ""),
        declared(
            "value-string-of-any-text",
            0,
            FieldType::String,
            "\u{1}\"\\\u{7f}\u{202e}\u{1f600}",
        ),
        declared("value-string-of-65536-bytes", 0, FieldType::String, &"x".repeat(65_536)),
        longer_than_any(),
        declared("value-pad-beside-another-source", 1, FieldType::Pad, ""),
        value("pad-of-another-type", 1, "pad", "/00007", FieldType::String, ""),
        value("pad-with-a-value", 1, "pad", "/00000", FieldType::Pad, "x"),
        value("source-empty", 1, "", "/x", FieldType::String, "x"),
        at("pointer-empty", 0, ""),
        at("pointer-with-escapes", 0, "/~0~1"),
        at("pointer-without-a-slash", 1, "x"),
        at("pointer-with-another-escape", 1, "/~2"),
        at("pointer-ends-with-a-tilde", 1, "/x~"),
        value("companion-sha256-short", 1, "companion", "/1/sha256", FieldType::String, "00"),
        value("observed-end-in-another-form", 1, "observed", "/end", FieldType::String, "today"),
        value("companion-size-as-a-string", 1, "companion", "/0/size", FieldType::String, "82"),
        value("companion-of-its-size", 0, "companion", "/0/size", FieldType::Number, "82"),
    ]
}

/// A text that is too long to be committed as one.
fn longer_than_any() -> Case {
    let values = |index, values: &mut Vec<Value>| {
        for value in values.iter_mut().filter(|value| index == 2 && value.pointer == "/mediaType") {
            value.source = "declared".into();
            value.value = "x".repeat(65_537);
        }
    };
    let scene = Scene { values: Box::new(values), ..Scene::default() };
    case("value-string-of-65537-bytes", 1, "V25", &scene)
}

/// F6, F7, F8 and F10: openings of entry 2 as files.
pub(crate) fn encoding_cases() -> Vec<Case> {
    const PATH: &str = "data/openings/2.json";
    let encoded = |name, exit, step, (from, to): (&'static str, &'static str)| {
        let payload = Box::new(move |p: &mut MemoryPackage| change(p, PATH, from, to));
        case(name, exit, step, &Scene { payload, ..Scene::default() })
    };
    vec![
        encoded("opening-line-ending", 1, "V25", ("]}\n", "]}\r\n")),
        encoded("opening-with-a-space", 1, "V25", ("\"fields\":[", "\"fields\": [")),
        encoded("opening-member-unknown", 3, "V25", ("]}\n", "],\"more\":1}\n")),
        encoded("opening-escape-needless", 1, "V25", ("\"/durationMs\"", "\"\\u002fdurationMs\"")),
        encoded("opening-salt-upper-case", 1, "V25", ("[[\"", "[[\"F")),
        encoded("opening-of-five-strings", 1, "V25", ("\"25620\"]", "]")),
        encoded("opening-type-unknown", 3, "V25", ("\"number\",\"25620\"", "\"money\",\"25620\"")),
        encoded("opening-block-key-short", 1, "V25", ("\"block_key\":\"", "\"block_key\":\"0")),
        encoded("opening-without-fields", 1, "V25", ("\"fields\"", "\"block_key\"")),
        case(
            "opening-one-position-short",
            1,
            "V26",
            &Scene {
                payload: Box::new(|p| {
                    let text =
                        String::from_utf8_lossy(p.bytes(PATH).unwrap_or_default()).into_owned();
                    let end = text.rfind(",[").unwrap_or(0);
                    let short = text.get(..end).unwrap_or_default();
                    p.insert(PATH, format!("{short}]}}\n"));
                }),
                ..Scene::default()
            },
        ),
        eight_pads(),
        only_pads(),
        withheld_name_of_nothing(),
    ]
}

fn pads(count: usize) -> impl Iterator<Item = Value> {
    (0..count).map(|n| Value::new("pad", &format!("/{n:05}"), FieldType::Pad, ""))
}

/// Entry 5 commits to eight values and eight pads, where one of seven would do.
fn eight_pads() -> Case {
    let values = |index, values: &mut Vec<Value>| {
        if index == 5 {
            let more = (0..5).map(|n| Value::number("pass", &format!("/counts/{n}"), n));
            values.extend(more.chain(pads(8)));
        }
    };
    case("eight-pads", 1, "V25", &Scene { values: Box::new(values), ..Scene::default() })
}

/// Entry 5 commits to pads and nothing else.
fn only_pads() -> Case {
    let values = |index, values: &mut Vec<Value>| {
        if index == 5 {
            *values = pads(8).collect();
        }
    };
    case("only-pads", 1, "V25", &Scene { values: Box::new(values), ..Scene::default() })
}

/// A withheld value of source `sidecar` whose name the packed sidecar has not.
fn withheld_name_of_nothing() -> Case {
    let scene = Scene {
        values: Box::new(|index, values| {
            if index == 2 {
                values.push(Value::string("sidecar", "/nothing", "x"));
            }
        }),
        opening: Box::new(|index, opening| {
            for position in opening.positions.iter_mut().filter(|_| index == 2) {
                if let Position::Shown(field) = position
                    && field.value.pointer == "/nothing"
                {
                    *position = Position::Withheld(field.withhold());
                }
            }
        }),
        ..Scene::default()
    };
    case("sidecar-name-withheld-and-not-there", 1, "V28", &scene)
}

/// X17 and X21: lists in parts.
pub(crate) fn part_cases() -> Vec<Case> {
    let parts = |name, exit, parts: &'static [(&'static str, &'static str)]| {
        let values = move |index, values: &mut Vec<Value>| {
            if index == 8 {
                values.retain(|value| value.source != "shown");
                let part = |(part, text): &(&str, &str)| Value::string("shown", part, text);
                values.extend(parts.iter().map(part));
            }
        };
        let step = if exit == 0 { "-" } else { "V20" };
        case(name, exit, step, &Scene { values: Box::new(values), ..Scene::default() })
    };
    let item = |name, from: &'static str, to: &'static str| {
        let values = move |index, values: &mut Vec<Value>| {
            for value in values.iter_mut().filter(|value| index == 8 && value.source == "item") {
                value.pointer = value.pointer.replacen(from, to, 1);
            }
        };
        case(name, 1, "V20", &Scene { values: Box::new(values), ..Scene::default() })
    };
    vec![
        parts("shown-in-two-parts", 0, &[("/0", "0,1,2,3"), ("/1", "4,5,6,7")]),
        parts("shown-parts-not-in-a-row", 1, &[("/0", "0,1,2,3"), ("/2", "4,5,6,7")]),
        parts("shown-parts-overlap", 1, &[("/0", "0,1,2,3,4"), ("/1", "4,5,6,7")]),
        parts("shown-part-leading-zero", 1, &[("/00", "0,1,2,3,4,5,6,7")]),
        parts("shown-list-empty-place", 1, &[("/0", "0,1,2,3,,4,5,6,7")]),
        parts("shown-list-with-a-leading-zero", 1, &[("/0", "0,01,2,3,4,5,6,7")]),
        parts("shown-list-with-produced", 1, &[("/0", "0,1,2,3,4,5,6,7,8")]),
        item("items-subject-upper-case", "/a1", "/A1"),
        item("items-without-a-part", "/0", ""),
        item("items-part-not-from-0", "/0", "/1"),
    ]
}
