//! Keys: who may sign what, and where.

use unbroken_evidence::body::{Added, Body, Ended, Role};
use unbroken_evidence::hash::Hash;

use crate::cases::{Case, case};
use crate::container;
use crate::scene::{
    Scene, collector_key, control_key, log_key, second_collector_key, stranger_key,
};
use crate::signed::written;

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
