//! Writes an exhibit that is as large in one respect as the limits allow, to see what verifying it costs:
//!
//! ```text
//! cargo run --release -p unbroken-vectors --example limits -- companions 40000 companions.zip
//! cargo run --release -p unbroken-vectors --example limits -- control 4000 control.zip
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use unbroken_evidence::body::{Added, Role};
use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::Signer;
use unbroken_evidence::package::MemoryPackage;
use unbroken_vectors::scene::{Scene, zipped};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, count, path] = &arguments[..] else { panic!("expected WHAT COUNT FILE") };
    let count: u64 = count.parse().expect("COUNT is a number");
    let scene = match what.as_str() {
        "companions" => companions(count),
        "control" => Scene { add_late: (0..count).map(collector).collect(), ..Scene::default() },
        _ => panic!("expected companions or control"),
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
