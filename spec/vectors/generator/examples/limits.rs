//! Writes an exhibit that is as large in one respect as the limits allow, to see what verifying it costs:
//!
//! ```text
//! cargo run --release -p unbroken-vectors --example limits -- companions 40000 companions.zip
//! cargo run --release -p unbroken-vectors --example limits -- control 4000 control.zip
//! cargo run --release -p unbroken-vectors --example limits -- recordings 100000 recordings.zip
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use unbroken_evidence::body::{Added, Body, Content, Media, Recording, Role, Subject};
use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::Signer;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::package::MemoryPackage;
use unbroken_vectors::model::Model;
use unbroken_vectors::scene::{ORIGIN, Scene, collector_key, zipped};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, count, path] = &arguments[..] else { panic!("expected WHAT COUNT FILE") };
    let count: u64 = count.parse().expect("COUNT is a number");
    let scene = match what.as_str() {
        "companions" => companions(count),
        "control" => Scene { add_late: (0..count).map(collector).collect(), ..Scene::default() },
        "recordings" => {
            Scene { package: Box::new(move |p| recordings(count, p)), ..Scene::default() }
        }
        _ => panic!("expected companions, control or recordings"),
    };
    std::fs::write(path, zipped(&scene.build())).unwrap();
}

fn collector(number: u64) -> Added {
    let seed = *Hash::of(&[b"collector", &number.to_be_bytes()]).as_bytes();
    let key = Signer::from_seed("example.com/collector", &seed).unwrap();
    Added { role: Role::Collector, key: key.verifier().clone() }
}

/// The call has `count` more companions, and each is packed.
fn companions(count: u64) -> Scene {
    let bytes = |number: u64| format!("companion {number}");
    let values = move |index: u64, values: &mut Vec<Value>| {
        if index != 2 {
            return;
        }
        for number in 1..=count {
            let sha256 = Hash::of(&[bytes(number).as_bytes()]).to_string();
            let pointer = |name: &str| format!("/{number}/{name}");
            values.push(Value::string("companion", &pointer("key"), &format!("c-1/{number}.txt")));
            values.push(Value::string("companion", &pointer("role"), "attachment"));
            values.push(Value::string("companion", &pointer("sha256"), &sha256));
        }
    };
    let payload = move |package: &mut MemoryPackage| {
        for number in 1..=count {
            package.insert(&format!("data/2/companion-{number}.txt"), bytes(number));
        }
    };
    Scene { values: Box::new(values), payload: Box::new(payload), ..Scene::default() }
}

/// `count` more recording entries by a key of the ledger, whose names and values are as long and as hostile
/// as they can be. Their proofs are missing, which is found, and changes nothing in what is held of them.
fn recordings(count: u64, package: &mut MemoryPackage) {
    let long = "\u{202e}".repeat(400);
    let value = |source: &str, pointer: &str| Value::string(source, pointer, &long);
    let mut model = Model::new(ORIGIN);
    let signer = collector_key();
    for number in 0..count {
        let mut values = vec![
            value("object", "/key"),
            value("recording", "/conversation"),
            value("recording", "/id"),
            value("sidecar", "/startTime"),
            value("sidecar", "/endTime"),
        ];
        values.extend((0..4).map(|n| value("finding", &format!("/{n}"))));
        let fields = model.fields(values, None).commitment();
        let hash = Hash::of(&[&number.to_be_bytes()]);
        let mut subject = [0; 16];
        subject.copy_from_slice(&hash.as_bytes()[..16]);
        let body = Body::Recording(Recording {
            completeness: None,
            content: Content {
                blake3: Some(hash),
                block_bytes: 4096,
                block_root: hash,
                sha256: Some(hash),
                size: 1,
            },
            fields,
            media: Media::Call,
            refs: vec![],
        });
        let mut statement = model.statement(&signer, Kind::Recording, Some(Subject(subject)), body);
        statement.control = Some(hash);
        let note = signer.sign_note(&statement.text_unchecked());
        let (opening, index) = (model.openings.remove(&number).unwrap(), number + 1_000);
        package.insert(&format!("data/openings/{index}.json"), opening.encode());
        package.insert(&format!("ledger/entries/{index}.note"), note.clone());
        model.push(note);
    }
}
