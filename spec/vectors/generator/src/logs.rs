//! Published logs, and objects to look for in them: parts 2 and 3 of the verification.

use std::collections::BTreeMap;

use unbroken_evidence::body::{Added, Body, Ended, Media, Rel, Role};
use unbroken_evidence::checkpoint::Checkpoint;
use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::Signer;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::tile::{append_to_bundle, bundles, hash_tiles};
use unbroken_evidence::tree::root;

use crate::model::Model;
use crate::replaced::replaced;
use crate::scene::{
    MESSAGE, Scene, collector_key, log_key, reference, second_collector_key, second_log_key,
    stranger_key,
};

/// The files of a log, by their path in its folder.
type Files = BTreeMap<String, Vec<u8>>;

/// One published log and what a verifier must say of it.
pub struct LogCase {
    /// Its name.
    pub name: &'static str,
    /// The exit code.
    pub exit: u8,
    /// The step that must say so; `-` for none.
    pub step: &'static str,
    /// What the verifier is given, as in `exhibits/cases.txt`.
    pub trust: &'static str,
    /// A checkpoint kept from earlier.
    pub since: Option<String>,
    /// The log.
    pub files: Files,
}

/// Entries of the log `good`.
pub(crate) fn short_log() -> Model {
    Scene::default().log()
}

/// A log that is wider than one tile.
fn long_log() -> Model {
    let mut model = short_log();
    let scene = Scene::default();
    while model.size() < 300 {
        let text = Value::string("audit", "/number", &model.size().to_string());
        scene.plain(&mut model, &collector_key(), Kind::Audit, None, vec![text], vec![]);
    }
    model
}

fn cut(model: &Model, size: usize) -> Model {
    let mut model = model.clone();
    model.notes.truncate(size);
    model
}

fn checkpoint(model: &Model, signer: &Signer) -> String {
    signer.sign_note(&model.checkpoint().text())
}

/// The log as L4 and L5 lay it out, hash by hash.
fn published(model: &Model) -> Files {
    let mut files = Files::new();
    files.insert("checkpoint".to_owned(), checkpoint(model, &log_key()).into_bytes());
    let range = |from: u64, to: u64| {
        let place = |index| usize::try_from(index).unwrap_or(usize::MAX);
        place(from)..place(to)
    };
    for bundle in bundles(model.size()) {
        let (from, mut bytes) = (bundle.number * 256, Vec::new());
        for note in model.notes.get(range(from, from + bundle.width)).unwrap_or_default() {
            // The notes of the vectors fit a bundle.
            let _ = append_to_bundle(&mut bytes, note.as_bytes());
        }
        files.insert(bundle.path(), bytes);
    }
    let leaves = model.leaves();
    for tile in hash_tiles(model.size()) {
        let span = 256_u64.pow(tile.level.unwrap_or(0));
        let first = tile.number * 256;
        let hash = |i| leaves.get(range((first + i) * span, (first + i + 1) * span));
        let hashes = (0..tile.width).map(|i| root(hash(i).unwrap_or_default().iter().copied()));
        files.insert(tile.path(), hashes.flat_map(|hash| *hash.as_bytes()).collect());
    }
    files
}

fn case(name: &'static str, exit: u8, step: &'static str, files: Files) -> LogCase {
    LogCase { name, exit, step, trust: "anchor", since: None, files }
}

fn edited(name: &'static str, step: &'static str, model: &Model, edit: fn(&mut Files)) -> LogCase {
    let mut files = published(model);
    edit(&mut files);
    case(name, 1, step, files)
}

fn flip(files: &mut Files, path: &str, place: usize) {
    if let Some(byte) = files.get_mut(path).and_then(|bytes| bytes.get_mut(place)) {
        *byte ^= 1;
    }
}

/// All logs.
#[must_use]
pub fn logs() -> Vec<LogCase> {
    let mut cases = vec![
        case("good", 0, "-", published(&short_log())),
        case("long", 0, "-", published(&long_log())),
    ];
    for (name, exit, step, trust) in [
        ("no-anchor", 2, "V8", "none"),
        ("wrong-anchor", 1, "V8", "wrong-anchor"),
        ("with-ledger-id", 0, "-", "ledger-id"),
        ("wrong-ledger-id", 1, "V9", "wrong-ledger-id"),
    ] {
        cases.push(LogCase { trust, ..case(name, exit, step, published(&short_log())) });
    }
    cases.push(grown());
    cases.extend(damaged());
    cases.extend(mis_signed());
    cases.extend(of_tomorrow());
    cases.extend(since());
    cases.extend(since_by_another_key());
    cases.push(case("two-histories", 0, "-", published(&two_histories())));
    cases.push(case("one-observation-supersedes-another", 0, "-", published(&observed())));
    cases.push(case("replaced", 0, "-", published(&replaced().log())));
    cases
}

/// The message has a second entry too.
fn two_histories() -> Model {
    let (mut model, scene) = (short_log(), Scene::default());
    let first = reference(&model, 4, Rel::Supersedes);
    let policy = model.leaves().get(1).copied();
    let key = second_collector_key();
    scene.recording(&mut model, &key, MESSAGE, Media::Message, policy, vec![first]);
    model
}

/// An observation about entry 6 supersedes another one, which is about nothing.
pub(crate) fn observed() -> Model {
    let (mut model, scene) = (short_log(), Scene::default());
    let seen = || vec![Value::string("observation", "/seen", "yes")];
    let (key, kind) = (collector_key(), Kind::Observation);
    scene.plain(&mut model, &key, kind.clone(), None, seen(), vec![]);
    let refs = vec![reference(&model, 6, Rel::About), reference(&model, 8, Rel::Supersedes)];
    scene.plain(&mut model, &key, kind, None, seen(), refs);
    model
}

/// The checkpoint is older than the tiles: the partial ones that it names are gone.
fn grown() -> LogCase {
    let mut files = published(&long_log());
    files.insert(
        "checkpoint".to_owned(),
        checkpoint(&cut(&long_log(), 250), &log_key()).into_bytes(),
    );
    case("grown-past-its-checkpoint", 0, "-", files)
}

fn damaged() -> Vec<LogCase> {
    let (short, long) = (short_log(), long_log());
    vec![
        edited("entry-changed", "V10", &short, |files| flip(files, "tile/entries/000.p/8", 900)),
        edited("leaf-hash-changed", "V10", &short, |files| flip(files, "tile/0/000.p/8", 40)),
        edited("upper-hash-changed", "V10", &long, |files| flip(files, "tile/1/000.p/1", 4)),
        edited("full-tile-changed", "V10", &long, |files| flip(files, "tile/0/000", 8_000)),
        edited("tile-missing", "V10", &long, |files| {
            files.remove("tile/0/001.p/44");
        }),
        edited("bundle-missing", "V10", &long, |files| {
            files.remove("tile/entries/001.p/44");
        }),
        edited("bundle-longer", "V10", &short, |files| {
            files.entry("tile/entries/000.p/8".to_owned()).or_default().push(0);
        }),
        edited("tile-longer", "V10", &short, |files| {
            files.entry("tile/0/000.p/8".to_owned()).or_default().extend([0; 32]);
        }),
        edited("tile-longer-than-any", "V10", &short, |files| {
            files.entry("tile/0/000.p/8".to_owned()).or_default().extend([0; 32 * 256]);
        }),
        edited("bundle-cut", "V10", &short, |files| {
            files.entry("tile/entries/000.p/8".to_owned()).or_default().pop();
        }),
        edited("bundle-empty", "V10", &short, |files| {
            files.insert("tile/entries/000.p/8".to_owned(), Vec::new());
        }),
        edited("bundle-of-fewer", "V10", &short, |files| {
            let bytes = files.entry("tile/entries/000.p/8".to_owned()).or_default();
            let notes = short_log().notes;
            let last = notes.last().map_or(0, String::len);
            bytes.truncate(bytes.len() - last - 2);
        }),
        edited("tile-cut", "V10", &short, |files| {
            files.entry("tile/0/000.p/8".to_owned()).or_default().pop();
        }),
        edited("upper-tile-missing", "V10", &long, |files| {
            files.remove("tile/1/000.p/1");
        }),
        edited("full-tile-missing", "V10", &long, |files| {
            files.remove("tile/0/000");
        }),
        edited("checkpoint-longer-than-any", "V8", &short, |files| {
            files.entry("checkpoint".to_owned()).or_default().extend(vec![b'x'; 1 << 20]);
        }),
        LogCase {
            exit: 3,
            ..edited("checkpoint-missing", "container", &short, |files| {
                files.remove("checkpoint");
            })
        },
        edited("checkpoint-of-another-root", "V10", &short, |files| {
            let mut other = short_log();
            other.notes.swap(5, 7);
            files.insert("checkpoint".to_owned(), checkpoint(&other, &log_key()).into_bytes());
        }),
        edited("checkpoint-of-more", "V10", &short, |files| {
            files.insert(
                "checkpoint".to_owned(),
                checkpoint(&cut(&long_log(), 9), &log_key()).into_bytes(),
            );
        }),
    ]
}

fn scene(name: &'static str, step: &'static str, edit: fn(&mut Scene)) -> LogCase {
    let mut scene = Scene::default();
    edit(&mut scene);
    case(name, 1, step, published(&scene.log()))
}

/// Whole logs whose tree is right and whose entries are not.
fn mis_signed() -> Vec<LogCase> {
    let mut unsigned = published(&short_log());
    let note = checkpoint(&short_log(), &stranger_key());
    unsigned.insert("checkpoint".to_owned(), note.into_bytes());
    vec![
        scene("reference-to-a-produced-entry", "V22", |scene| {
            scene.statement = Box::new(|index, statement| {
                if let (6, Body::Recording(recording)) = (index, &statement.body) {
                    statement.body = Body::Fields { fields: recording.fields, refs: Vec::new() };
                    (statement.kind, statement.subject) = (Kind::Produced, None);
                }
            });
        }),
        scene("reference-upward", "V22", |scene| {
            scene.statement = Box::new(|index, statement| {
                if let (6, Body::Recording(recording)) = (index, &mut statement.body) {
                    recording.refs.iter_mut().for_each(|reference| reference.index = 7);
                }
            });
        }),
        scene("number-skipped", "V16", |scene| {
            scene.statement = Box::new(|index, s| s.number += u64::from(index == 6));
        }),
        scene("signed-by-a-stranger", "V14", |scene| {
            scene.signer = Box::new(|index, own| if index == 6 { stranger_key() } else { own });
        }),
        scene("signed-before-its-key", "V14", |scene| {
            scene.signer =
                Box::new(|index, own| if index == 2 { second_collector_key() } else { own });
        }),
        scene("junk-in-a-control-entrys-place", "V13", |scene| {
            scene.note = Box::new(|index, note| {
                if index == 3 {
                    *note = "nobody signed this\n".to_owned();
                }
            });
        }),
        case("checkpoint-by-a-stranger", 1, "V8", unsigned),
    ]
}

/// Logs with an entry that this version does not know.
fn of_tomorrow() -> Vec<LogCase> {
    // Entry `at` is of a later version; the next of that key counts `more` than it should.
    let later = |at: u64, more: u64| {
        let scene = Scene {
            text: Box::new(move |index, text| {
                if index == at {
                    *text = text.replacen("entry@v1", "entry@v2", 1);
                }
            }),
            statement: Box::new(move |index, s| s.number += if index == 5 { more } else { 0 }),
            ..Scene::default()
        };
        published(&scene.log())
    };
    // What is not understood leaves room in its chain: an older verifier accuses nobody.
    let medium = scene("medium-of-tomorrow", "V13", |scene| {
        scene.text = Box::new(|index, text| {
            if index == 2 {
                *text = text.replace("\"media\":\"call\"", "\"media\":\"hologram\"");
            }
        });
    });
    vec![
        case("later-control-entry", 3, "V13", later(3, 0)),
        case("later-entry-leaves-room-for-one", 3, "V13", later(2, 1)),
        case("later-entry-leaves-room-for-no-more", 1, "V16", later(2, 2)),
        scene("later-entry-by-a-stranger", "V14", |scene| {
            scene.signer = Box::new(|index, own| if index == 6 { stranger_key() } else { own });
            scene.text = Box::new(|index, text| {
                if index == 6 {
                    *text = text.replacen("entry@v1", "entry@v2", 1);
                }
            });
        }),
        LogCase { exit: 3, ..medium },
    ]
}

/// Checkpoints kept from earlier.
fn since() -> Vec<LogCase> {
    let (short, long) = (short_log(), long_log());
    let other = Checkpoint { root: Hash::of(&[b"another log"]), ..cut(&short, 5).checkpoint() };
    let kept = |name, exit, step, model: &Model, note: String| LogCase {
        since: Some(note),
        ..case(name, exit, step, published(model))
    };
    vec![
        kept("continues", 0, "-", &long, checkpoint(&cut(&long, 5), &log_key())),
        LogCase {
            trust: "ledger-id",
            ..kept(
                "continues-under-the-ledger-id",
                0,
                "-",
                &long,
                checkpoint(&cut(&long, 5), &log_key()),
            )
        },
        kept("kept-one-of-another-origin", 1, "V8", &short, {
            let other =
                Checkpoint { origin: "example.com/other".into(), ..cut(&short, 5).checkpoint() };
            log_key().sign_note(&other.text())
        }),
        kept("kept-one-is-no-checkpoint", 1, "V8", &short, "a letter\n".into()),
        kept("continues-itself", 0, "-", &short, checkpoint(&short, &log_key())),
        kept("does-not-continue", 1, "V10", &short, log_key().sign_note(&other.text())),
        kept("kept-one-is-larger", 1, "V8", &short, checkpoint(&long, &log_key())),
        kept(
            "kept-one-by-a-stranger",
            1,
            "V8",
            &short,
            checkpoint(&cut(&short, 5), &stranger_key()),
        ),
    ]
}

/// Kept checkpoints by a second log key, which entry 3 adds and entry 8 ends (C7), disputed from 6 (C8).
fn since_by_another_key() -> Vec<LogCase> {
    let key = second_log_key().verifier().hash();
    let model = |disputed_from| {
        let scene = Scene {
            add: vec![Added { role: Role::Log, key: second_log_key().verifier().clone() }],
            end_late: vec![Ended { disputed_from, key }],
            ..Scene::default()
        };
        let mut model = scene.log();
        let text = Value::string("audit", "/number", "9");
        scene.plain(&mut model, &collector_key(), Kind::Audit, None, vec![text], vec![]);
        model
    };
    let kept = |name, exit, step, size: usize, disputed| LogCase {
        since: Some(checkpoint(&cut(&model(None), size), &second_log_key())),
        ..case(name, exit, step, published(&model(disputed)))
    };
    let forged = |name, exit, step, disputed| {
        let root = Hash::of(&[b"whoever stole the key"]);
        let forged = Checkpoint { root, ..cut(&model(None), 7).checkpoint() };
        LogCase {
            since: Some(second_log_key().sign_note(&forged.text())),
            ..case(name, exit, step, published(&model(disputed)))
        }
    };
    vec![
        kept("kept-one-before-its-key", 1, "V8", 3, None),
        kept("kept-one-just-behind-its-key", 0, "-", 4, None),
        kept("kept-one-where-its-key-ends", 0, "-", 8, None),
        kept("kept-one-behind-the-end-of-its-key", 1, "V8", 9, None),
        kept("kept-one-below-the-dispute", 0, "-", 6, Some(6)),
        kept("kept-one-above-the-dispute", 2, "V8", 7, Some(6)),
        forged("kept-one-forged", 1, "V10", None),
        forged("kept-one-forged-with-a-disputed-key", 2, "V8", Some(6)),
    ]
}
