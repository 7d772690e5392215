//! A recording whose bytes were replaced: entry 6, which supersedes entry 2, commits to others (A11).

use unbroken_evidence::body::{Body, Content};
use unbroken_evidence::content::{BLOCK_BYTES_DEFAULT, ContentHasher, Digests};
use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::opening::Position;

use crate::cases::{CALL_PATH, Case, case};
use crate::scene::Scene;

/// What entry 6 commits to.
pub(crate) const OTHER_BYTES: &[u8] = b"a recording that replaced another";

/// Exhibit, entry, the one that it supersedes, and what is said of the bytes.
pub(crate) const REPLACEMENTS: &[(&str, u64, u64, &str)] = &[
    ("good", 6, 2, "same same"),
    ("replaced", 6, 2, "other same"),
    ("replaced-and-the-first-not-packed", 6, 2, "other same"),
    ("replaced-by-bytes-not-shown", 6, 2, "other not-disclosed"),
    ("replaced-by-as-many-bytes-not-shown", 6, 2, "not-disclosed not-disclosed"),
    ("metadata-file-replaced", 6, 2, "same other"),
];

const KEY: [u8; 32] = [8; 32];

fn digests() -> Digests {
    let mut hasher = ContentHasher::new(&[(BLOCK_BYTES_DEFAULT, KEY)]);
    hasher.update(OTHER_BYTES);
    hasher.finish()
}

/// The scene in which entry 6 commits to other bytes.
pub(crate) fn replaced() -> Scene {
    let values = |index, values: &mut Vec<Value>| {
        if index == 6 {
            values.retain(|value| value.source != "content");
            values.push(Value::string("content", "/sha256", &digests().sha256.to_string()));
            values.push(Value::string("content", "/blake3", &digests().blake3.to_string()));
            values.push(Value::number("content", "/size", digests().size));
        }
    };
    Scene {
        values: Box::new(values),
        opening: Box::new(|index, opening| {
            if index == 6 {
                opening.block_key = Some(KEY);
            }
        }),
        statement: Box::new(|index, statement| {
            if let (6, Body::Recording(recording)) = (index, &mut statement.body) {
                recording.content = Content {
                    blake3: Some(digests().blake3),
                    block_bytes: BLOCK_BYTES_DEFAULT,
                    block_root: digests()
                        .block_roots
                        .first()
                        .copied()
                        .unwrap_or_else(|| Hash::of(&[])),
                    sha256: Some(digests().sha256),
                    size: digests().size,
                };
            }
        }),
        ..Scene::default()
    }
}

/// Entry 6 shows no digest of what it commits to.
fn not_shown(scene: Scene) -> Scene {
    let Scene { opening, statement, .. } = scene;
    Scene {
        opening: Box::new(move |index, shown| {
            opening(index, shown);
            for position in shown.positions.iter_mut().filter(|_| index == 6) {
                let leaf = position.leaf();
                if let Position::Shown(field) = position
                    && field.value.source == "content"
                {
                    *position = Position::Closed(leaf);
                }
            }
        }),
        statement: Box::new(move |index, said| {
            statement(index, said);
            if let (6, Body::Recording(recording)) = (index, &mut said.body) {
                (recording.content.sha256, recording.content.blake3) = (None, None);
            }
        }),
        ..scene
    }
}

/// Entry 6 commits to another metadata file, which is not packed.
fn other_metadata() -> Scene {
    Scene {
        values: Box::new(|index, values: &mut Vec<Value>| {
            if index == 6 {
                values.retain(|value| {
                    (&*value.source, &*value.pointer) != ("companion", "/0/sha256")
                });
                let other = Hash::of(&[b"another metadata file"]).to_string();
                values.push(Value::string("companion", "/0/sha256", &other));
            }
        }),
        ..Scene::default()
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let both = Scene {
        payload: Box::new(|package| package.insert("data/6/recording.opus", OTHER_BYTES)),
        ..replaced()
    };
    let newest = Scene {
        payload: Box::new(|package| {
            package.insert("data/6/recording.opus", OTHER_BYTES);
            drop(package.remove(CALL_PATH));
        }),
        ..replaced()
    };
    vec![
        case("replaced", 0, "-", &both),
        case("replaced-and-the-first-not-packed", 2, "V4", &newest),
        case("replaced-by-bytes-not-shown", 2, "V4", &not_shown(replaced())),
        case("replaced-by-as-many-bytes-not-shown", 2, "V4", &not_shown(Scene::default())),
        case("metadata-file-replaced", 2, "V6", &other_metadata()),
    ]
}
