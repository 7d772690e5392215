//! Published logs, and objects to look for in them: parts 2 and 3 of the verification.

use std::collections::BTreeMap;

use unbroken_evidence::checkpoint::Checkpoint;
use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::Signer;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::tile::{append_to_bundle, bundles, hash_tiles};
use unbroken_evidence::tree::root;

use crate::model::Model;
use crate::scene::{
    MESSAGE_BYTES, Scene, call_bytes, collector_key, log_key, second_collector_key, stranger_key,
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

/// One object, the log `good`, and the answer.
pub struct ObjectCase {
    /// Its path below `logs/objects`.
    pub name: &'static str,
    /// The exit code.
    pub exit: u8,
    /// `sealed` and the indices, each with what supersedes it; `other-bytes` and the index;
    /// `no-match` and how many entries show and hide their digest.
    pub answer: &'static str,
    /// Whether the openings in `logs/openings` are given.
    pub opened: bool,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Entries of the log `good`.
fn short_log() -> Model {
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
    cases.extend(since());
    cases
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

/// Whole logs whose tree is right and whose entries are not.
fn mis_signed() -> Vec<LogCase> {
    let scene = |edit: fn(&mut Scene)| {
        let mut scene = Scene::default();
        edit(&mut scene);
        published(&scene.log())
    };
    let number = scene(|scene| {
        scene.statement = Box::new(|index, s| s.number += u64::from(index == 6));
    });
    let stranger = scene(|scene| {
        scene.signer = Box::new(|index, signer| if index == 6 { stranger_key() } else { signer });
    });
    let early = scene(|scene| {
        scene.signer =
            Box::new(|index, signer| if index == 2 { second_collector_key() } else { signer });
    });
    let unknown = scene(|scene| {
        scene.text = Box::new(|index, text| {
            if index == 2 {
                *text = text.replace("\"media\":\"call\"", "\"media\":\"hologram\"");
            }
        });
    });
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
    let later_by_a_stranger = scene(|scene| {
        scene.signer = Box::new(|index, own| if index == 6 { stranger_key() } else { own });
        scene.text = Box::new(|index, text| {
            if index == 6 {
                *text = text.replacen("entry@v1", "entry@v2", 1);
            }
        });
    });
    let junk = scene(|scene| {
        scene.note = Box::new(|index, note| {
            if index == 3 {
                *note = "nobody signed this\n".to_owned();
            }
        });
    });
    let mut unsigned = published(&short_log());
    let note = checkpoint(&short_log(), &stranger_key());
    unsigned.insert("checkpoint".to_owned(), note.into_bytes());
    vec![
        case("number-skipped", 1, "V16", number),
        case("later-control-entry", 3, "V13", later(3, 0)),
        case("later-entry-leaves-room-for-one", 3, "V13", later(2, 1)),
        case("later-entry-leaves-room-for-no-more", 1, "V16", later(2, 2)),
        case("later-entry-by-a-stranger", 1, "V14", later_by_a_stranger),
        case("junk-in-a-control-entrys-place", 1, "V13", junk),
        // What is not understood leaves room in its chain: an older verifier accuses nobody.
        case("medium-of-tomorrow", 3, "V13", unknown),
        case("signed-by-a-stranger", 1, "V14", stranger),
        case("signed-before-its-key", 1, "V14", early),
        case("checkpoint-by-a-stranger", 1, "V8", unsigned),
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

/// All objects.
#[must_use]
pub fn objects() -> Vec<ObjectCase> {
    let object =
        |name, exit, answer, opened, bytes| ObjectCase { name, exit, answer, opened, bytes };
    vec![
        object("call.opus", 0, "sealed 2<6 6", false, call_bytes()),
        object("message.json", 2, "no-match 2 1", false, MESSAGE_BYTES.to_vec()),
        object("c-2/r-2.json", 0, "sealed 4", true, MESSAGE_BYTES.to_vec()),
        object("nobody.wav", 2, "no-match 2 1", false, b"sealed nowhere".to_vec()),
        object("c-1/r-1.opus", 1, "other-bytes 6", true, b"other bytes".to_vec()),
    ]
}

/// The openings that `opened` gives, by index.
#[must_use]
pub fn openings() -> Vec<(u64, String)> {
    let model = short_log();
    [2, 4, 6].into_iter().filter_map(|i| Some((i, model.openings.get(&i)?.encode()))).collect()
}
