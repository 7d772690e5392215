//! The cases: the good exhibit, and one fault each. `step` is the one that must catch it.

use std::collections::BTreeMap;

use unbroken_evidence::bag::Manifest;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::package::{MemoryPackage, Package as _};

use crate::bagged;
use crate::checkpoints;
use crate::committed;
use crate::container;
use crate::declared;
use crate::later;
use crate::replaced;
use crate::scene::{Scene, stranger_key, zipped};
use crate::signed;
use crate::signers;
use crate::told;

/// One exhibit and what a verifier must say of it.
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// The exit code.
    pub exit: u8,
    /// The step that must say so; `container` where no verification takes place, `-` for none.
    pub step: &'static str,
    /// What the verifier is given: a word of `spec/vectors/README.md`.
    pub trust: &'static str,
    /// The exhibit.
    pub zip: Vec<u8>,
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    let mut cases = good();
    cases.extend(package_cases());
    cases.extend(bag_cases());
    cases.extend(bagged::fetch_cases());
    cases.extend(bagged::form_cases());
    cases.extend(bagged::name_cases());
    cases.extend(packing_cases());
    cases.extend(ledger_cases());
    cases.extend(checkpoints::cases());
    cases.extend(entry_cases());
    cases.extend(signed::statement_cases());
    cases.extend(signed::relation_cases());
    cases.extend(committed::opening_cases());
    cases.extend(signed::text_cases());
    cases.extend(signed::limit_cases());
    cases.extend(signed::unknown_kind_cases());
    cases.extend(committed::commitment_cases());
    cases.extend(committed::value_cases());
    cases.extend(committed::encoding_cases());
    cases.extend(committed::part_cases());
    cases.extend(signers::key_cases());
    cases.extend(signers::vkey_cases());
    cases.extend(signers::signature_cases());
    cases.extend(signers::end_cases());
    cases.extend(signers::second_key_cases());
    cases.extend(later::version_cases());
    cases.extend(later::disclosure_cases());
    cases.extend(later::file_cases());
    cases.extend(replaced::cases());
    cases.extend(declared::cases());
    cases.extend(declared::left_out_cases());
    cases.extend(declared::noticed_cases());
    cases.extend(told::cases());
    cases.extend(container::cases());
    cases
}

pub(crate) fn case(name: &'static str, exit: u8, step: &'static str, scene: &Scene) -> Case {
    Case { name, exit, step, trust: "anchor", zip: zipped(&scene.build()) }
}

fn good() -> Vec<Case> {
    let trusts = [
        ("good", 0, "-", "anchor"),
        ("good-with-ledger-id", 0, "-", "ledger-id"),
        ("good-with-both", 0, "-", "both"),
        ("no-anchor", 2, "V8", "none"),
        ("wrong-anchor", 1, "V8", "wrong-anchor"),
        ("wrong-ledger-id", 1, "V9", "wrong-ledger-id"),
        ("right-anchor-and-wrong-ledger-id", 1, "V9", "anchor-and-wrong-ledger-id"),
        ("two-anchors", 1, "V8", "two-anchors"),
        ("right-ledger-id-and-wrong-anchor", 1, "V8", "ledger-id-and-wrong-anchor"),
    ];
    let zip = zipped(&Scene::default().build());
    let with = |(name, exit, step, trust)| Case { name, exit, step, trust, zip: zip.clone() };
    trusts.into_iter().map(with).collect()
}

type PackageEdit = fn(&mut MemoryPackage);

fn edited(name: &'static str, exit: u8, step: &'static str, edit: PackageEdit) -> Case {
    case(name, exit, step, &Scene { package: Box::new(edit), ..Scene::default() })
}

pub(crate) fn change(package: &mut MemoryPackage, path: &str, from: &str, to: &str) {
    let text = String::from_utf8_lossy(package.bytes(path).unwrap_or_default()).into_owned();
    package.insert(path, text.replacen(from, to, 1));
}

fn flip(package: &mut MemoryPackage, path: &str, place: usize) {
    let mut bytes = package.remove(path).unwrap_or_default();
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1;
    }
    package.insert(path, bytes);
}

pub(crate) fn rename(package: &mut MemoryPackage, from: &str, to: &str) {
    let bytes = package.remove(from).unwrap_or_default();
    package.insert(to, bytes);
}

fn lines_of(package: &MemoryPackage, path: &str) -> BTreeMap<String, Hash> {
    let manifest = Manifest::parse(package.bytes(path).unwrap_or_default().to_vec());
    manifest.unwrap_or_default().lines().map(|(path, hash)| (path.to_owned(), hash)).collect()
}

pub(crate) const CALL_PATH: &str = "data/2/recording.opus";
pub(crate) const MANIFEST: &str = "manifest-sha256.txt";

fn package_cases() -> Vec<Case> {
    vec![
        edited("recording-bit-flipped", 1, "V3", |p| flip(p, CALL_PATH, 4_000)),
        edited("recording-removed", 1, "V3", |p| drop(p.remove(CALL_PATH))),
        edited("recording-renamed", 1, "V3", |p| rename(p, CALL_PATH, "data/2/recording.ogg")),
        edited("recording-swapped-with-manifest", 1, "V4", |p| {
            p.insert(CALL_PATH, "another recording");
            let mut lines = lines_of(p, MANIFEST);
            lines.insert(CALL_PATH.into(), Hash::of(&[b"another recording"]));
            p.insert(MANIFEST, Manifest::of(&lines).encode());
        }),
        edited("payload-file-added", 1, "V3", |p| p.insert("data/2/companion-9.txt", "x")),
        case(
            "companion-swapped",
            1,
            "V4",
            &Scene {
                payload: Box::new(|p| p.insert("data/2/companion-0.json", "{}")),
                ..Scene::default()
            },
        ),
        case(
            "false-recording-beside-the-true-one",
            1,
            "V4",
            &Scene {
                payload: Box::new(|p| p.insert("data/6/recording.opus", "another recording")),
                ..Scene::default()
            },
        ),
        edited("ledger-opening-of-nothing", 1, "V1", |p| p.insert("ledger/openings/9.json", "x")),
        edited("file-added-beside", 1, "V1", |p| p.insert("notes.txt", "x")),
        edited("opening-edited", 1, "V26", |p| change(p, "data/openings/2.json", "25620", "25621")),
        edited("opening-removed", 1, "V25", |p| drop(p.remove("data/openings/2.json"))),
        edited("opening-of-nothing", 1, "V1", |p| {
            rename(p, "data/openings/7.json", "data/openings/9.json")
        }),
        edited("produced-opening-removed", 1, "V25", |p| drop(p.remove("ledger/openings/8.json"))),
    ]
}

fn bag_cases() -> Vec<Case> {
    vec![
        edited("manifest-line-ending", 1, "V2", |p| change(p, MANIFEST, "\n", "\r\n")),
        edited("manifest-line-of-other-bytes", 1, "V3", |p| {
            let mut lines = lines_of(p, MANIFEST);
            lines.insert(CALL_PATH.into(), Hash::of(&[b"another recording"]));
            p.insert(MANIFEST, Manifest::of(&lines).encode());
        }),
        edited("manifest-replaced", 1, "V19", |p| {
            p.insert("data/openings/9.json", "more\n");
            crate::scene::bag(p);
        }),
        edited("bagit-version", 1, "V7", |p| change(p, "bagit.txt", "1.0", "0.97")),
        edited("payload-oxum", 1, "V7", |p| change(p, "bag-info.txt", "Oxum: ", "Oxum: 1")),
        edited("bagging-date", 1, "V19", |p| change(p, "bag-info.txt", "-20\n", "-21\n")),
        edited("recording-moved-to-fetch", 1, "V19", |p| {
            drop(p.remove(CALL_PATH));
            p.insert("fetch.txt", format!("https://example.com/r-1.opus 9001 {CALL_PATH}\n"));
        }),
        case(
            "tag-manifest-line",
            1,
            "V7",
            &Scene {
                retag: false,
                package: Box::new(|p| change(p, "tagmanifest-sha256.txt", "0", "1")),
                ..Scene::default()
            },
        ),
        case(
            "tag-manifest-without-line",
            1,
            "V7",
            &Scene {
                retag: false,
                package: Box::new(|p| {
                    let path = "tagmanifest-sha256.txt";
                    let mut tags = lines_of(p, path);
                    tags.remove("ledger/entries/7.note");
                    p.insert(path, Manifest::of(&tags).encode());
                }),
                ..Scene::default()
            },
        ),
    ]
}

fn packing_cases() -> Vec<Case> {
    vec![
        case(
            "packed-under-a-higher-index",
            1,
            "V1",
            &Scene {
                payload: Box::new(|p| rename(p, CALL_PATH, "data/6/recording.opus")),
                ..Scene::default()
            },
        ),
        case(
            "packed-twice",
            1,
            "V1",
            &Scene {
                payload: Box::new(|p| {
                    p.insert("data/6/recording.opus", crate::scene::call_bytes())
                }),
                ..Scene::default()
            },
        ),
        case(
            "recordings-not-packed",
            2,
            "V4",
            &Scene {
                payload: Box::new(|p| {
                    for path in [CALL_PATH, "data/2/companion-0.json", "data/4/recording.json"] {
                        drop(p.remove(path));
                    }
                }),
                ..Scene::default()
            },
        ),
        case(
            "companion-not-packed",
            2,
            "V6",
            &Scene {
                payload: Box::new(|p| drop(p.remove("data/2/companion-0.json"))),
                ..Scene::default()
            },
        ),
    ]
}

fn on_all_proofs(package: &mut MemoryPackage, edit: impl Fn(String) -> String) {
    let holds = |path: &&str| path.ends_with(".tlog-proof") || *path == "ledger/checkpoint";
    let paths: Vec<String> = package.files().paths().filter(holds).map(str::to_owned).collect();
    for path in paths {
        let text = String::from_utf8_lossy(package.bytes(&path).unwrap_or_default()).into_owned();
        package.insert(&path, edit(text));
    }
}

fn ledger_cases() -> Vec<Case> {
    const PROOF: &str = "ledger/entries/2.tlog-proof";
    vec![
        edited("checkpoint-signature", 1, "V8", |p| {
            on_all_proofs(p, |text| {
                let cut = text.len() - 10;
                let other = if text.get(cut..=cut) == Some("A") { "B" } else { "A" };
                format!(
                    "{}{other}{}",
                    text.get(..cut).unwrap_or(""),
                    text.get(cut + 1..).unwrap_or("")
                )
            });
        }),
        edited("checkpoint-size", 1, "V8", |p| {
            on_all_proofs(p, |text| text.replace("\n9\n", "\n10\n"))
        }),
        edited("checkpoint-missing", 1, "V8", |p| drop(p.remove("ledger/checkpoint"))),
        edited("checkpoint-not-of-the-proofs", 1, "V10", |p| change(p, PROOF, "\n9\n", "\n8\n")),
        edited("proof-of-another-entry", 1, "V10", |p| {
            let other = p.bytes("ledger/entries/4.tlog-proof").unwrap_or_default().to_vec();
            p.insert(PROOF, other);
        }),
        edited("proof-hash", 1, "V10", |p| {
            let text = String::from_utf8_lossy(p.bytes(PROOF).unwrap_or_default()).into_owned();
            let lines: Vec<&str> = text.lines().collect();
            let (a, b) = (lines.get(2).copied().unwrap_or(""), lines.get(3).copied().unwrap_or(""));
            p.insert(PROOF, text.replace(&format!("{a}\n{b}"), &format!("{b}\n{a}")));
        }),
        edited("proof-too-long", 1, "V10", |p| {
            let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
            change(p, PROOF, "\n\n", &format!("\n{hash}\n\n"));
        }),
        edited("proof-extra-line", 1, "V10", |p| change(p, PROOF, "index", "extra AAAA\nindex")),
        edited("proof-leading-zero", 1, "V10", |p| change(p, PROOF, "index 2", "index 02")),
        edited("proof-missing", 1, "V10", |p| drop(p.remove(PROOF))),
        edited("notes-exchanged", 1, "V10", |p| {
            const NOTES: [&str; 2] = ["ledger/entries/2.note", "ledger/entries/6.note"];
            let [a, b] = NOTES.map(|path| p.bytes(path).unwrap_or_default().to_vec());
            p.insert(NOTES[0], b);
            p.insert(NOTES[1], a);
        }),
        edited("checkpoint-of-another-signer", 1, "V10", |p| {
            change(p, "ledger/checkpoint", "\u{2014} ", "\u{2014} x");
        }),
        Case {
            trust: "ledger-id",
            ..edited("checkpoint-changed-under-the-ledger-id", 1, "V10", |p| {
                change(p, "ledger/checkpoint", "\n9\n", "\n8\n");
            })
        },
        edited("proof-in-the-other-folder-too", 1, "V1", |p| {
            let proof = p.bytes(PROOF).unwrap_or_default().to_vec();
            p.insert("ledger/control/2.tlog-proof", proof);
        }),
        edited("proof-without-entry", 1, "V1", |p| drop(p.remove("ledger/entries/7.note"))),
    ]
}

fn entry_cases() -> Vec<Case> {
    vec![
        edited("entry-text-changed", 1, "V14", |p| {
            change(p, "ledger/entries/2.note", "\"size\":9001", "\"size\":9002")
        }),
        edited("listed-entry-left-out", 1, "V20", |p| {
            for path in
                ["ledger/entries/6.note", "ledger/entries/6.tlog-proof", "data/openings/6.json"]
            {
                drop(p.remove(path));
            }
        }),
        edited("amendment-left-out", 1, "V20", |p| {
            for ending in ["note", "tlog-proof"] {
                drop(p.remove(&format!("ledger/entries/7.{ending}")));
            }
        }),
        edited("control-entry-left-out", 1, "V11", |p| {
            for path in
                ["ledger/control/3.note", "ledger/control/3.tlog-proof", "ledger/openings/3.json"]
            {
                drop(p.remove(path));
            }
        }),
        edited("entry-in-control-folder", 1, "V1", |p| {
            for ending in ["note", "tlog-proof"] {
                rename(
                    p,
                    &format!("ledger/entries/4.{ending}"),
                    &format!("ledger/control/4.{ending}"),
                );
            }
        }),
        case(
            "not-the-last-entry",
            1,
            "V19",
            &Scene {
                after_produced: Box::new(|model| model.push("another entry\n".into())),
                ..Scene::default()
            },
        ),
        case(
            "checkpoint-by-a-key-never-added",
            1,
            "V12",
            &Scene { log: stranger_key, package: Box::new(|_| ()), ..Scene::default() },
        ),
    ]
    .into_iter()
    .map(|case| if case.step == "V12" { Case { trust: "wrong-anchor", ..case } } else { case })
    .collect()
}
