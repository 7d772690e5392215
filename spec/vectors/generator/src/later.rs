//! Entries, proofs, keys and exhibits of later versions; withheld values; names, lists and sidecars.

use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::Signer;
use unbroken_evidence::opening::{Opening, Position};
use unbroken_evidence::package::MemoryPackage;

use crate::cases::{Case, case};
use crate::scene::{Scene, log_key, second_collector_key, stranger_key};

fn version_two(at: u64) -> Scene {
    let text = move |index, text: &mut String| {
        if index == at {
            *text = text.replacen("entry@v1", "entry@v2", 1);
        }
    };
    Scene { text: Box::new(text), ..Scene::default() }
}

fn edit(package: &mut MemoryPackage, path: &str, from: &str, to: &str) {
    let text = String::from_utf8_lossy(package.bytes(path).unwrap_or_default()).into_owned();
    package.insert(path, text.replacen(from, to, 1));
}

/// Entry 7 is of a later kind, and a file lies under its index: whether it commits to it is not known.
fn file_under_an_unknown_kind() -> Scene {
    Scene {
        statement: Box::new(|index, statement| {
            if index == 7 {
                statement.kind = unbroken_evidence::kind::Kind::Unknown("clip".into());
            }
        }),
        payload: Box::new(|package| package.insert("data/7/recording.opus", *b"a clip")),
        ..Scene::default()
    }
}

/// What this version does not know: what can be judged is judged, and nobody is accused.
pub(crate) fn version_cases() -> Vec<Case> {
    let later = version_two;
    let by = |at: u64, signer: fn() -> Signer| Scene {
        signer: Box::new(move |index, own| if index == at { signer() } else { own }),
        ..later(at)
    };
    let junk = Scene {
        note: Box::new(|index, note| {
            if index == 3 {
                *note = "nobody signed this\n".to_owned();
            }
        }),
        ..Scene::default()
    };
    let flipped = Scene {
        package: Box::new(|p| edit(p, "data/openings/2.json", "25620", "25621")),
        ..later(2)
    };
    let refs = Scene {
        statement: Box::new(|index, statement| {
            if index == 7 {
                statement.kind = unbroken_evidence::kind::Kind::Unknown("thing".into());
            }
        }),
        text: Box::new(|index, text| {
            if index == 7 {
                *text = text.replacen("\"refs\":[{\"index\":6,", "\"refs\":[{\"entry\":6,", 1);
            }
        }),
        ..Scene::default()
    };
    let proof = Scene {
        package: Box::new(|p| edit(p, "ledger/entries/2.tlog-proof", "proof@v1", "proof@v2")),
        ..Scene::default()
    };
    let exhibit = Scene {
        bagged: Box::new(|p| edit(p, "bag-info.txt", "Exhibit: v1", "Exhibit: v2")),
        ..Scene::default()
    };
    let no_version = Scene {
        bagged: Box::new(|p| edit(p, "bag-info.txt", "Unbroken-Exhibit: v1\n", "")),
        ..Scene::default()
    };
    vec![
        case("later-control-entry", 3, "V13", &later(3)),
        case("known-keys-behind-a-later-control-entry", 3, "V15", &later(3)),
        case("new-keys-behind-a-later-control-entry", 3, "V14", &later(3)),
        case("later-genesis", 3, "V13", &later(0)),
        case("later-produced", 3, "V13", &later(8)),
        case("later-policy", 3, "V13", &later(1)),
        case("later-entry-by-a-stranger", 1, "V14", &by(7, stranger_key)),
        case("later-entry-by-the-log-key", 1, "V15", &by(7, log_key)),
        case("later-entry-before-its-key", 1, "V14", &by(2, second_collector_key)),
        case("later-entry-with-its-opening-changed", 1, "V25", &flipped),
        case("junk-in-a-control-entrys-place", 1, "V13", &junk),
        case("refs-of-an-unknown-kind", 2, "V21", &refs),
        case("file-under-an-unknown-kind", 2, "V4", &file_under_an_unknown_kind()),
        case("proof-version", 3, "V10", &proof),
        case("exhibit-version", 3, "V7", &exhibit),
        case("exhibit-without-a-version", 1, "V7", &no_version),
    ]
}

/// Withholds the value of one field of the opening of entry `at`, as a producer may.
fn withheld(
    name: &'static str,
    exit: u8,
    step: &'static str,
    at: u64,
    pointer: &'static str,
) -> Case {
    case(name, exit, step, &withholding(at, pointer))
}

fn withholding(at: u64, pointer: &'static str) -> Scene {
    let opening = move |index, opening: &mut Opening| {
        for position in &mut opening.positions {
            if let Position::Shown(field) = position
                && (index, field.value.pointer.as_str()) == (at, pointer)
            {
                *position = Position::Withheld(field.withhold());
            }
        }
    };
    Scene { opening: Box::new(opening), ..Scene::default() }
}

pub(crate) fn disclosure_cases() -> Vec<Case> {
    let renamed = |from: &'static str, to: &'static str| Scene {
        payload: Box::new(move |p| {
            let bytes = p.remove(from).unwrap_or_default();
            p.insert(to, bytes);
        }),
        ..Scene::default()
    };
    let shown = |from: &'static str, to: &'static str| Scene {
        values: Box::new(move |index, values| {
            if index == 8 {
                let own = values.iter_mut().filter(|value| value.source == "shown");
                own.for_each(|value| value.value = value.value.replace(from, to));
            }
        }),
        ..Scene::default()
    };
    let empty = Scene {
        hide: vec![2, 4, 6, 7],
        payload: Box::new(|p| {
            for path in
                ["data/2/recording.opus", "data/2/companion-0.json", "data/4/recording.json"]
            {
                drop(p.remove(path));
            }
        }),
        ..Scene::default()
    };
    vec![
        withheld("value-withheld", 0, "-", 2, "/durationMs"),
        withheld("companion-digest-withheld", 2, "V1", 2, "/0/sha256"),
        withheld("companion-role-withheld", 2, "V28", 2, "/0/role"),
        withheld("content-withheld", 2, "V4", 4, "/blake3"),
        withheld("produced-value-withheld", 1, "V19", 8, "/0"),
        withheld("pad-withheld", 1, "V25", 2, "/00000"),
        case(
            "recording-named-companion",
            1,
            "V1",
            &renamed("data/2/recording.opus", "data/2/companion-1.opus"),
        ),
        case(
            "companion-of-another-number",
            1,
            "V1",
            &renamed("data/2/companion-0.json", "data/2/companion-1.json"),
        ),
        case("shown-list-without-an-entry", 1, "V20", &shown("4,5,6", "4,6")),
        case("shown-list-with-another-entry", 1, "V20", &shown("6,7", "6,7,9")),
        case("shown-list-not-ascending", 1, "V20", &shown("4,5,6", "4,6,5")),
        case("no-recording-shown", 2, "V4", &empty),
    ]
}

/// What entry 2 says of its recording and of its metadata file, against these files.
pub(crate) fn file_cases() -> Vec<Case> {
    let other_bytes = Scene {
        payload: Box::new(|p| p.insert("data/2/recording.opus", "another recording")),
        ..withholding(2, "/0/sha256")
    };
    let false_size = Scene {
        values: Box::new(|index, values| {
            if index == 2 {
                values.push(Value::number("companion", "/0/size", 1));
            }
        }),
        ..Scene::default()
    };
    let sidecar = |pointer: &'static str, value: Option<&'static str>| Scene {
        values: Box::new(move |index, values| {
            if index == 2 {
                values.retain(|known| known.pointer != pointer || value.is_some());
                let own = values.iter_mut().filter(|known| known.pointer == pointer);
                own.for_each(|known| known.value = value.unwrap_or_default().to_owned());
            }
        }),
        ..Scene::default()
    };
    // F10: its pointers are longer than 1 MiB together, and none of it became fields.
    let long = || format!("{{\"{}\":[{}1]}}", "n".repeat(300), "1,".repeat(3_999));
    let with_long_names = Scene {
        values: Box::new(move |index, values| {
            if index == 2 || index == 6 {
                values.retain(|known| known.source != "sidecar");
                for known in values.iter_mut().filter(|known| known.source == "companion") {
                    match &*known.pointer {
                        "/0/sha256" => known.value = Hash::of(&[long().as_bytes()]).to_string(),
                        "/0/size" => known.value = long().len().to_string(),
                        _ => {}
                    }
                }
            }
        }),
        payload: Box::new(move |p| p.insert("data/2/companion-0.json", long())),
        ..Scene::default()
    };
    vec![
        case("sidecar-with-names-too-long-for-fields", 0, "-", &with_long_names),
        case("other-bytes-beside-a-withheld-digest", 1, "V4", &other_bytes),
        case("companion-of-another-size", 1, "V6", &false_size),
        case("sidecar-value-differs", 1, "V28", &sidecar("/durationMs", Some("25621"))),
        case("sidecar-value-left-out", 1, "V28", &sidecar("/mediaType", None)),
    ]
}
