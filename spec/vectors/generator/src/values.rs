//! Single values, for somebody who builds a verifier from the bottom up.

use unbroken_evidence::content::ContentHasher;
use unbroken_evidence::field::{FieldSet, Value};
use unbroken_evidence::hash::{Hash, encode_hex};
use unbroken_evidence::json::write_string;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::tree::{leaf_hash, root};

use crate::model::Counter;
use crate::scene::{Scene, collector_key, log_key};

/// The leaves that certificate transparency logs are tested with.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

/// `values.json`: one member a line, each a known answer.
#[must_use]
pub fn document() -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: String| lines.push((name.to_owned(), value));
    for size in 0..=8 {
        let leaves = LEAVES.iter().take(size).map(|data| leaf_hash(data));
        put(&format!("tree root of {size} leaves"), root(leaves).to_string());
    }
    let key = log_key();
    put("verifier key of seed 02 x 32", key.verifier().to_string());
    put("key hash of that verifier key", key.verifier().hash().to_string());
    put("note of that key over `text` LF", key.sign_note("text\n"));
    let scene = Scene::default().build();
    let note = scene.bytes("ledger/entries/2.note").unwrap_or_default();
    put("entry 2 of the good exhibit", String::from_utf8_lossy(note).into_owned());
    put("leaf of entry 2", leaf_hash(note).to_string());
    put("key hash of its collector", collector_key().verifier().hash().to_string());
    for size in [0_u32, 1, 4_095, 4_096, 4_097, 9_001] {
        let bytes: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap_or(0)).collect();
        let mut hasher = ContentHasher::new(&[(4_096, [0x42; 32])]);
        hasher.update(&bytes);
        let digests = hasher.finish();
        let root = digests.block_roots.first().map(Hash::to_string).unwrap_or_default();
        let what = format!("{size} bytes, byte i = i mod 251");
        put(&format!("sha256 of {what}"), digests.sha256.to_string());
        put(&format!("blake3 of {what}"), digests.blake3.to_string());
        put(&format!("block root of {what}, 4096 a block, key 42 x 32"), root);
    }
    let mut salts = Counter::default();
    let set = FieldSet::seal(
        vec![
            Value::string("sidecar", "/a~1b", "line\n\"quoted\" \u{e9}"),
            Value::number("content", "/size", 7),
        ],
        &mut || salts.salt(),
    );
    put("opening of two fields", Opening::of(set.clone(), None).encode());
    put("root of those fields", set.commitment().root.to_string());
    if let Some(field) = set.fields().first() {
        put("leaf of its first field", field.leaf().to_string());
    }
    put("hex of 00 ff", encode_hex(&[0, 255]));
    let mut text = String::from("{\n");
    for (place, (name, value)) in lines.iter().enumerate() {
        write_string(name, &mut text);
        text.push_str(": ");
        write_string(value, &mut text);
        text.push_str(if place + 1 == lines.len() { "\n" } else { ",\n" });
    }
    text.push_str("}\n");
    text
}
