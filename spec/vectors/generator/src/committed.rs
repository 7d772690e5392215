//! Faults in what is committed and opened, under roots that agree with them.

use unbroken_evidence::field::{FieldType, Value};
use unbroken_evidence::opening::{Opening, Position};

use crate::cases::{Case, case};
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
