//! Keys: who may sign what, and where.

use unbroken_evidence::body::{Added, Body, Ended, Role};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::Signer;
use unbroken_evidence::kind::Kind;

use crate::cases::{Case, case};
use crate::container;
use crate::curve::{self, Nonce};
use crate::scene::{
    Scene, collector_key, control_key, log_key, second_collector_key, second_control_key,
    second_log_key, stranger_key,
};
use crate::signed::written;

pub(crate) fn key_cases() -> Vec<Case> {
    let signed = |at: u64, by: fn() -> Signer| Scene {
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
    let custody_by_a_stranger = Scene {
        statement: Box::new(|index, statement| {
            if index == 7 {
                statement.kind = Kind::Custody;
            }
        }),
        ..signed(7, stranger_key)
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
        case("custody-signed-by-a-stranger", 1, "V14", &custody_by_a_stranger),
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
        written("role-unknown", 3, "V13", 3, ("\"role\":\"collector\"", "\"role\":\"auditor\"")),
    ]
}

/// Entry 3 adds this key instead of the second collector.
fn adding(vkey: String) -> Scene {
    let from = second_collector_key().verifier().to_string();
    let text = move |index, text: &mut String| {
        if index == 3 {
            *text = text.replace(&from, &vkey);
        }
    };
    Scene { text: Box::new(text), ..Scene::default() }
}

/// A verifier key of this name over these bytes, type and all, with the right id.
pub(crate) fn vkey(name: &str, typed: &[u8]) -> String {
    let id = Hash::of(&[name.as_bytes(), b"\n", typed]).to_string();
    format!("{name}+{}+{}", &id[..8], container::base64_of(typed))
}

/// C3: verifier keys that are none, or of a type that this version does not know.
pub(crate) fn vkey_cases() -> Vec<Case> {
    let ed25519 = |point: &[u8]| [&[1], point].concat();
    let mut neutral = [0_u8; 32];
    neutral[0] = 1;
    let good = collector_key().verifier().public();
    let refused = |name, vkey| case(name, 1, "V13", &adding(vkey));
    let own = second_collector_key().verifier().to_string();
    vec![
        // Everything verifies under the neutral element.
        refused("key-of-small-order", vkey("example.com/weak", &ed25519(&neutral))),
        refused(
            "key-not-canonical",
            vkey("example.com/again", &ed25519(&curve::second_encoding())),
        ),
        refused("key-of-31-bytes", vkey("example.com/short", &ed25519(&good[..31]))),
        refused("key-not-on-the-curve", vkey("example.com/off", &ed25519(&off_the_curve()))),
        refused("key-name-reserved", vkey("unbroken/entry", &ed25519(&good))),
        refused("key-name-with-a-space", vkey("example com", &ed25519(&good))),
        refused("key-name-empty", vkey("", &ed25519(&good))),
        refused("key-id-wrong", own.replace("+4f5e9758+", "+4f5e9759+")),
        refused("key-id-upper-case", own.replace("+4f5e9758+", "+4F5E9758+")),
        case(
            "key-of-a-later-type",
            3,
            "V13",
            &adding(vkey("example.com/later", &[[6; 1].as_slice(), &[9; 32]].concat())),
        ),
    ]
}

/// A y for which the curve has no x.
fn off_the_curve() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = 2;
    bytes
}

/// E11, E12: signatures that some implementations take.
pub(crate) fn signature_cases() -> Vec<Case> {
    let again = |name, nonce| {
        let note = move |index, note: &mut String| {
            if index == 2 {
                *note = curve::sign_again(note, 3, nonce);
            }
        };
        case(name, 1, "V14", &Scene { note: Box::new(note), ..Scene::default() })
    };
    let malleated = Scene { note: Box::new(container::malleate), ..Scene::default() };
    let of_another = Scene {
        statement: Box::new(|index, s| {
            if index == 6 {
                s.key = second_collector_key().verifier().hash();
            }
        }),
        ..Scene::default()
    };
    let named_otherwise = Scene {
        statement: Box::new(|index, s| {
            if index == 6 {
                s.signer = "example.com/collector-9".into();
            }
        }),
        ..Scene::default()
    };
    vec![
        case("signature-plus-order", 1, "V14", &malleated),
        again("signature-r-neutral", Nonce::Neutral),
        again("signature-r-not-canonical", Nonce::NeutralAgain),
        again("signature-only-with-cofactor", Nonce::Torsion),
        case("key-of-another-signer", 1, "V14", &of_another),
        case("signer-of-another-name", 1, "V13", &named_otherwise),
    ]
}

fn ended(key: fn() -> Signer, disputed_from: Option<u64>) -> Ended {
    Ended { disputed_from, key: key().verifier().hash() }
}

/// Ends these keys one after the other, each in a control entry of its own, from entry 8 on.
fn late(end_late: Vec<Ended>) -> Scene {
    Scene { end_late, ..Scene::default() }
}

/// Entry 3 adds this key too.
fn with(role: Role, signer: fn() -> Signer) -> Scene {
    Scene { add: vec![Added { role, key: signer().verifier().clone() }], ..Scene::default() }
}

/// C6 and C8: keys that are ended and disputed.
pub(crate) fn end_cases() -> Vec<Case> {
    let second = second_collector_key;
    let ends = |name, exit, step, ended: Vec<Ended>| case(name, exit, step, &late(ended));
    let at_3 = |name, exit, step, end: Vec<Ended>| {
        case(name, exit, step, &Scene { end, ..with(Role::Log, second_log_key) })
    };
    let later = Scene {
        text: Box::new(|index, text| {
            if index == 4 {
                *text = text.replacen("entry@v1", "entry@v2", 1);
            }
        }),
        end: vec![ended(second, None)],
        ..Scene::default()
    };
    let both = |first, then| vec![ended(second, first), ended(second, then)];
    vec![
        at_3("added-and-ended-at-once", 1, "V15", vec![ended(second, None)]),
        case("later-entry-after-its-key-ended", 1, "V15", &later),
        ends("key-ended-then-disputed", 2, "V15", both(None, Some(4))),
        ends("key-ended-twice", 1, "V11", both(None, None)),
        ends("key-disputed-twice", 1, "V11", both(Some(8), Some(4))),
        ends("disputed-from-behind-its-last-entry", 0, "-", vec![ended(second, Some(5))]),
        ends("disputed-from-its-first-entry", 2, "V15", vec![ended(second, Some(0))]),
        at_3("disputed-from-the-entry-itself", 0, "-", vec![ended(second_log_key, Some(3))]),
        at_3(
            "key-ended-twice-in-one-entry",
            1,
            "V11",
            vec![ended(second_log_key, None), ended(second_log_key, Some(3))],
        ),
    ]
}

/// C1, C7 to C9: second control and log keys.
pub(crate) fn second_key_cases() -> Vec<Case> {
    let signs_8 = |name, exit, step, end: Vec<Ended>, end_late: Vec<Ended>| {
        let signer = Box::new(|index, own| if index == 8 { second_control_key() } else { own });
        let scene = Scene { signer, end, end_late, ..with(Role::Control, second_control_key) };
        case(name, exit, step, &scene)
    };
    let by_ledger_id = |name, exit, step, scene: Scene| Case {
        trust: "ledger-id",
        ..case(name, exit, step, &scene)
    };
    let with_log = || Scene { log: second_log_key, ..with(Role::Log, second_log_key) };
    let some = || vec![ended(second_collector_key, None)];
    let own = |disputed| ended(second_control_key, disputed);
    let ended_log = Scene { end_late: vec![ended(second_log_key, None)], ..with_log() };
    let by_a_collector = Scene { log: collector_key, ..Scene::default() };
    let disputed = vec![ended(second_collector_key, None), own(Some(8))];
    vec![
        signs_8("control-entry-by-a-second-control-key", 0, "-", vec![], some()),
        signs_8("control-entry-by-an-ended-control-key", 1, "V15", vec![own(None)], some()),
        signs_8("control-key-disputed", 2, "V15", vec![], disputed),
        by_ledger_id("checkpoint-by-a-second-log-key", 0, "-", with_log()),
        Case { trust: "both", ..case("named-key-did-not-sign", 1, "V8", &with_log()) },
        by_ledger_id("checkpoint-by-an-ended-second-log-key", 1, "V12", ended_log),
        by_ledger_id("checkpoint-by-a-collector", 1, "V12", by_a_collector),
    ]
}
