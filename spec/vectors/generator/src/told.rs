//! What a verdict tells of a recording beside its bytes and times: its names, what is withheld, and what
//! else is said about it (A8).

use unbroken_evidence::field::Value;
use unbroken_evidence::opening::{Opening, Position};

use crate::cases::{Case, case};
use crate::scene::Scene;

/// What a verdict must tell of one recording entry; `-` where it is not shown.
pub struct Told {
    /// The exhibit.
    pub exhibit: &'static str,
    /// The entry.
    pub index: u64,
    /// Its id, its conversation and its key.
    pub called: [&'static str; 3],
    /// How many values are withheld, then the names of the first three.
    pub withheld: &'static str,
    /// The other entries about it, ascending: index, kind, and how many values are shown.
    pub beside: &'static str,
}

/// The lines that are held against verdicts.
pub const TOLD: &[Told] = &[
    told("good", 2, ["-", "-", "c-1/r-1.opus"], "0", "7:observation:1"),
    told("good", 4, ["-", "-", "c-2/r-2.json"], "0", "-"),
    told("named", 2, ["r-1", "c-1", "c-1/r-1.opus"], "0", "7:observation:1"),
    told("named-by-its-path", 2, ["r-1", "c-1", "c-1/r-1.opus"], "0", "7:observation:1"),
    told("named-twice", 2, ["r-1", "c-1", "c-1/r-1.opus"], "0", "7:observation:1"),
    told(
        "four-values-withheld",
        2,
        ["-", "-", "c-1/r-1.opus"],
        "4:sidecar/conversationId,sidecar/durationMs,sidecar/mediaType",
        "7:observation:1",
    ),
    told("key-withheld", 2, ["-", "-", "-"], "1:object/key", "7:observation:1"),
    told("observed-and-closed", 2, ["-", "-", "c-1/r-1.opus"], "0", "7:observation:0"),
    told("custody-entry", 2, ["-", "-", "c-1/r-1.opus"], "0", "7:custody:1"),
];

const fn told(
    exhibit: &'static str,
    index: u64,
    called: [&'static str; 3],
    withheld: &'static str,
    beside: &'static str,
) -> Told {
    Told { exhibit, index, called, withheld, beside }
}

/// Entry 2 with these values too.
fn named(values: &[(&str, &str)]) -> Scene {
    let value = |(pointer, value): &(&str, &str)| Value::string("recording", pointer, value);
    let values: Vec<Value> = values.iter().map(value).collect();
    Scene {
        values: Box::new(move |index, known| {
            if index == 2 {
                known.extend(values.iter().cloned());
            }
        }),
        ..Scene::default()
    }
}

/// The opening of entry `at` with some of its positions changed.
fn opened(at: u64, change: fn(&mut Position)) -> Scene {
    let opening = move |index, opening: &mut Opening| {
        if index == at {
            opening.positions.iter_mut().for_each(change);
        }
    };
    Scene { opening: Box::new(opening), ..Scene::default() }
}

fn withhold(position: &mut Position, source: &str) {
    if let Position::Shown(field) = position
        && field.value.source == source
    {
        *position = Position::Withheld(field.withhold());
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let path = [("/path/conversation", "c-1"), ("/path/id", "r-1")];
    let own = [("/conversation", "c-1"), ("/id", "r-1")];
    let both = [
        ("/conversation", "c-1"),
        ("/id", "r-1"),
        ("/path/conversation", "c-9"),
        ("/path/id", "r-9"),
    ];
    let sidecar = opened(2, |position| withhold(position, "sidecar"));
    let object = opened(2, |position| withhold(position, "object"));
    let closed = opened(7, |position| *position = Position::Closed(position.leaf()));
    vec![
        case("named", 0, "-", &named(&own)),
        case("named-by-its-path", 0, "-", &named(&path)),
        case("named-twice", 0, "-", &named(&both)),
        case("four-values-withheld", 0, "-", &sidecar),
        case("key-withheld", 0, "-", &object),
        case("observed-and-closed", 0, "-", &closed),
    ]
}
