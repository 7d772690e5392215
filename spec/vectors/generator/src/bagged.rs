//! The bag's own files and the names in it, with a `produced` entry that covers them as they are: only
//! their form is wrong, or nothing is.

use unbroken_evidence::package::MemoryPackage;

use crate::cases::{CALL_PATH, Case, MANIFEST, case, change, rename};
use crate::scene::Scene;

const FETCH: &str = "fetch.txt";
const INFO: &str = "bag-info.txt";
const SIDECAR: &str = "data/2/companion-0.json";
const URL: &str = "https://example.com/c-1";

type Change = fn(&mut MemoryPackage);

/// Changed before `produced` covers the bag's files.
fn bagged(name: &'static str, exit: u8, step: &'static str, edit: Change) -> Case {
    case(name, exit, step, &Scene { bagged: Box::new(edit), ..Scene::default() })
}

/// Changed before anything covers the payload.
fn packed(name: &'static str, exit: u8, step: &'static str, edit: Change) -> Case {
    case(name, exit, step, &Scene { payload: Box::new(edit), ..Scene::default() })
}

/// Changed when everything is there; the tag manifest is then written anew.
fn finished(name: &'static str, exit: u8, step: &'static str, edit: Change) -> Case {
    case(name, exit, step, &Scene { package: Box::new(edit), ..Scene::default() })
}

/// As [`finished`], under the tag manifest of before.
fn untagged(name: &'static str, exit: u8, step: &'static str, edit: Change) -> Case {
    let package = Box::new(edit);
    case(name, exit, step, &Scene { package, retag: false, ..Scene::default() })
}

/// A file that is named in `fetch.txt` and is not in the bag.
fn elsewhere(package: &mut MemoryPackage, path: &str) {
    let length = package.remove(path).unwrap_or_default().len();
    package.insert(FETCH, format!("{URL} {length} {path}\n"));
}

/// A `fetch.txt` of this text, beside files that are all in the bag.
fn fetch(name: &'static str, text: &'static str) -> Case {
    let bagged = Box::new(move |p: &mut MemoryPackage| p.insert(FETCH, text));
    case(name, 1, "V7", &Scene { bagged, ..Scene::default() })
}

/// X5 and X6: files that are elsewhere.
pub(crate) fn fetch_cases() -> Vec<Case> {
    vec![
        bagged("recording-in-fetch", 2, "V3", |p| elsewhere(p, CALL_PATH)),
        bagged("companion-in-fetch", 2, "V3", |p| elsewhere(p, SIDECAR)),
        bagged("fetch-of-a-file-that-is-there", 0, "-", |p| {
            p.insert(FETCH, format!("{URL} 9001 {CALL_PATH}\n"));
        }),
        bagged("fetch-length", 1, "V7", |p| {
            elsewhere(p, SIDECAR);
            change(p, FETCH, " 8", " 18");
        }),
        fetch("fetch-empty", ""),
        fetch("fetch-of-no-payload", "https://example.com/x 1 data/9/recording.opus\n"),
        fetch("fetch-of-a-tag-file", "https://example.com/x 1 bagit.txt\n"),
        fetch("fetch-two-spaces", "https://example.com/x  9001 data/2/recording.opus\n"),
        fetch("fetch-leading-zero", "https://example.com/x 09001 data/2/recording.opus\n"),
        fetch("fetch-without-length", "https://example.com/x - data/2/recording.opus\n"),
        fetch("fetch-without-url", " 9001 data/2/recording.opus\n"),
        fetch("fetch-line-ending", "https://example.com/x 9001 data/2/recording.opus\r\n"),
        fetch("fetch-without-line-feed", "https://example.com/x 9001 data/2/recording.opus"),
        fetch(
            "fetch-order",
            "https://example.com/x 104 data/4/recording.json\nhttps://example.com/y 9001 data/2/recording.opus\n",
        ),
        fetch(
            "fetch-twice",
            "https://example.com/x 9001 data/2/recording.opus\nhttps://example.com/y 9001 data/2/recording.opus\n",
        ),
    ]
}

/// X4 and X5: the form of the other files of the bag.
pub(crate) fn form_cases() -> Vec<Case> {
    vec![
        bagged("bagit-line-ending", 1, "V7", |p| change(p, "bagit.txt", "1.0\n", "1.0\r\n")),
        bagged("bagit-third-line", 1, "V7", |p| change(p, "bagit.txt", "UTF-8\n", "UTF-8\nx: y\n")),
        bagged("bag-info-third-party-line", 1, "V7", |p| {
            change(p, INFO, "Unbroken", "Contact-Name: X\nUnbroken");
        }),
        bagged("bag-info-order", 1, "V7", |p| {
            change(p, INFO, "Bagging-Date: 2026-11-20\n", "");
            change(p, INFO, "Unbroken", "Bagging-Date: 2026-11-20\nUnbroken");
        }),
        bagged("bagging-date-not-a-date", 1, "V7", |p| change(p, INFO, "11-20", "11-31")),
        bagged("bagging-date-form", 1, "V7", |p| change(p, INFO, "2026-11-20", "20.11.2026")),
        bagged("payload-oxum-leading-zero", 1, "V7", |p| change(p, INFO, "Oxum: ", "Oxum: 0")),
        bagged("payload-oxum-count", 1, "V7", |p| change(p, INFO, ".9\n", ".8\n")),
        bagged("exhibit-version-form", 1, "V7", |p| change(p, INFO, "Exhibit: v1", "Exhibit: v1x")),
        bagged("exhibit-version-leading-zero", 1, "V7", |p| {
            change(p, INFO, "Exhibit: v1", "Exhibit: v01");
        }),
        finished("bagit-missing", 1, "V7", |p| drop(p.remove("bagit.txt"))),
        finished("bag-info-missing", 1, "V7", |p| drop(p.remove(INFO))),
        finished("recording-taken-out", 1, "V19", |p| {
            drop(p.remove("data/2/recording.opus"));
            let manifest =
                String::from_utf8_lossy(p.bytes(MANIFEST).unwrap_or_default()).into_owned();
            let rest = manifest.split_inclusive('\n').filter(|line| !line.contains("data/2/rec"));
            p.insert(MANIFEST, rest.collect::<String>());
        }),
        finished("manifest-missing", 1, "V2", |p| drop(p.remove(MANIFEST))),
        bagged("manifest-upper-case", 1, "V2", upper_case),
        bagged("manifest-one-space", 1, "V2", |p| change(p, MANIFEST, "  ", " ")),
        bagged("manifest-tab", 1, "V2", |p| change(p, MANIFEST, "  ", "\t")),
        bagged("manifest-order", 1, "V2", reversed),
        bagged("manifest-line-twice", 1, "V2", |p| {
            let line = lines(p).first().cloned().unwrap_or_default();
            change(p, MANIFEST, &line, &format!("{line}\n{line}"));
        }),
        bagged("manifest-without-last-line-feed", 1, "V2", |p| {
            let text = lines(p).join("\n");
            p.insert(MANIFEST, text);
        }),
        bagged("manifest-path-with-dots", 1, "V2", |p| change(p, MANIFEST, "data/2", "data/../2")),
        bagged("manifest-lists-a-tag-file", 1, "V2", |p| {
            let bagit = unbroken_evidence::hash::Hash::of(&[p.bytes("bagit.txt").unwrap_or(&[])]);
            let text = format!("{bagit}  bagit.txt\n{}\n", lines(p).join("\n"));
            p.insert(MANIFEST, text);
        }),
        untagged("tag-manifest-missing", 1, "V7", |p| drop(p.remove("tagmanifest-sha256.txt"))),
        untagged("tag-manifest-one-space", 1, "V7", |p| {
            change(p, "tagmanifest-sha256.txt", "  ", " ");
        }),
        untagged("tag-manifest-lists-payload", 1, "V7", |p| {
            let line = lines(p).first().cloned().unwrap_or_default();
            change(p, "tagmanifest-sha256.txt", "  bagit.txt\n", &format!("  bagit.txt\n{line}\n"));
        }),
        untagged("tag-file-removed", 1, "V7", |p| drop(p.remove("bagit.txt"))),
    ]
}

fn lines(package: &MemoryPackage) -> Vec<String> {
    let text = String::from_utf8_lossy(package.bytes(MANIFEST).unwrap_or_default()).into_owned();
    text.lines().map(str::to_owned).collect()
}

fn upper_case(package: &mut MemoryPackage) {
    let upper = |line: &String| match line.split_once("  ") {
        Some((hash, path)) => format!("{}  {path}\n", hash.to_uppercase()),
        None => String::new(),
    };
    let text: String = lines(package).iter().map(upper).collect();
    package.insert(MANIFEST, text);
}

fn reversed(package: &mut MemoryPackage) {
    let text: String = lines(package).iter().rev().map(|line| format!("{line}\n")).collect();
    package.insert(MANIFEST, text);
}

fn renamed(name: &'static str, from: &'static str, to: &'static str) -> Case {
    let payload = Box::new(move |p: &mut MemoryPackage| rename(p, from, to));
    case(name, 1, "V1", &Scene { payload, ..Scene::default() })
}

/// X2, X3, X19 and X20: the places of files.
pub(crate) fn name_cases() -> Vec<Case> {
    let beside = |name, path: &'static str| {
        let package = Box::new(move |p: &mut MemoryPackage| p.insert(path, "x"));
        case(name, 1, "V1", &Scene { package, ..Scene::default() })
    };
    vec![
        renamed("ending-of-eleven-letters", CALL_PATH, "data/2/recording.opusopusopu"),
        renamed("ending-twice", CALL_PATH, "data/2/recording.tar.gz"),
        renamed("ending-with-a-line", CALL_PATH, "data/2/recording.op-us"),
        renamed("companion-number-leading-zero", SIDECAR, "data/2/companion-00.json"),
        renamed("companion-without-a-number", SIDECAR, "data/2/companion.json"),
        renamed("index-leading-zero", CALL_PATH, "data/02/recording.opus"),
        renamed("folder-below-an-index", CALL_PATH, "data/2/call/recording.opus"),
        packed("ending-left-out", 0, "-", |p| rename(p, CALL_PATH, "data/2/recording")),
        packed("ending-of-ten-letters", 0, "-", |p| {
            rename(p, CALL_PATH, "data/2/recording.opusopus10");
        }),
        beside("note-of-a-leading-zero", "ledger/entries/07.note"),
        beside("report-in-the-ledger", "ledger/report.txt"),
        beside("name-of-eighty-characters", NAME_80),
        beside("path-of-112-bytes", PATH_112),
        finished("anchored", 0, "-", |p| {
            for name in ["checkpoint", "consistency", "2.tlog-proof", "timestamp.tsr"] {
                p.insert(&format!("ledger/anchors/5/{name}"), "not looked at\n");
            }
        }),
        beside("anchor-of-another-name", "ledger/anchors/5/notes.txt"),
        beside("anchor-size-leading-zero", "ledger/anchors/05/checkpoint"),
        beside("anchor-without-a-size", "ledger/anchors/checkpoint"),
    ]
}

const NAME_80: &str =
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
const PATH_112: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
