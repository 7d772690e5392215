//! The test vectors: the committed files are what the generator writes, and the verifier says of
//! each what its line in `cases.txt` says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use unbroken_container::log::LogFolder;
use unbroken_container::object::{read_object, read_openings};
use unbroken_container::open::Exhibit;
use unbroken_evidence::exhibit::verify_exhibit;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::VerifierKey;
use unbroken_evidence::log::verify_log;
use unbroken_evidence::objects::{Answer, Mention, verify_objects};
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::{Outcome, Verdict};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn line(file: &str) -> String {
    std::fs::read_to_string(vectors().join(file)).unwrap().trim_end().to_owned()
}

fn trust(name: &str) -> Trust {
    let key = |file| vec![VerifierKey::parse(&line(file)).unwrap()];
    let anchor = || Trust { keys: key("trust.txt"), ledger_ids: Vec::new() };
    let id = || vec![Hash::from_hex(&line("ledger-id.txt")).unwrap()];
    match name {
        "anchor" => anchor(),
        "none" => Trust::default(),
        "wrong-anchor" => Trust { keys: key("wrong-anchor.txt"), ledger_ids: Vec::new() },
        "ledger-id" => Trust { keys: Vec::new(), ledger_ids: id() },
        "both" => Trust { ledger_ids: id(), ..anchor() },
        "two-anchors" => {
            Trust { keys: [key("trust.txt"), key("wrong-anchor.txt")].concat(), ..anchor() }
        }
        "anchor-and-wrong-ledger-id" => Trust { ledger_ids: vec![Hash::of(&[])], ..anchor() },
        "wrong-ledger-id" => Trust { keys: Vec::new(), ledger_ids: vec![Hash::of(&[])] },
        other => panic!("unknown trust {other}"),
    }
}

/// Whether a finding at `step` is what made the exit code.
fn caught(verdict: &Verdict, step: &str, exit: u8) -> bool {
    let wanted = |outcome: Outcome| match exit {
        1 => outcome == Outcome::Contradicted,
        2 => matches!(outcome, Outcome::NotEstablished | Outcome::NotChecked),
        _ => outcome == Outcome::NotEstablished,
    };
    verdict.findings().iter().any(|finding| finding.step.id() == step && wanted(finding.outcome))
}

#[test]
fn the_verifier_says_of_each_vector_what_the_list_says() {
    let mut wrong = Vec::new();
    for row in line("exhibits/cases.txt").lines().skip(1) {
        let columns: Vec<&str> = row.split(' ').collect();
        let [name, exit, step, trust_name] = columns.as_slice() else { panic!("{row}") };
        let exit: u8 = exit.parse().unwrap();
        let path = vectors().join(format!("exhibits/{name}.zip"));
        let opened = Exhibit::open(&path);
        let mut exhibit = match opened {
            Ok(exhibit) => exhibit,
            Err(error) => {
                if !error.is_container() || (*step, exit) != ("container", 3) {
                    wrong.push(format!("{row}: not opened: {error}"));
                }
                continue;
            }
        };
        let verdict = match verify_exhibit(&mut exhibit, &trust(trust_name), 2) {
            Ok(verdict) => verdict,
            Err(stop) => {
                if (*step, exit) != ("container", 3) {
                    wrong.push(format!("{row}: {stop}"));
                }
                continue;
            }
        };
        let found = verdict.conclusion().exit_code();
        if found != exit || *step != "-" && !caught(&verdict, step, exit) {
            wrong.push(format!("{row}: exit {found}, {:#?}", verdict.findings()));
        }
    }
    assert!(wrong.is_empty(), "{} vectors:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_verifier_says_of_each_log_what_the_list_says() {
    let mut wrong = Vec::new();
    for row in line("logs/cases.txt").lines().skip(1) {
        let columns: Vec<&str> = row.split(' ').collect();
        let [name, exit, step, trust_name, since] = columns.as_slice() else { panic!("{row}") };
        let exit: u8 = exit.parse().unwrap();
        let since = (*since != "-").then(|| std::fs::read(vectors().join("logs").join(since)));
        let since = since.map(Result::unwrap);
        let mut files = LogFolder::new(&vectors().join("logs").join(name));
        let trust = trust(trust_name);
        let verdict = verify_log(&mut files, &trust, since.as_deref(), 2, &|_| ());
        let verdict = verdict.unwrap();
        let found = verdict.conclusion().exit_code();
        if found != exit || *step != "-" && !caught(&verdict, step, exit) {
            wrong.push(format!("{row}: exit {found}, {:#?}", verdict.findings()));
        }
    }
    assert!(wrong.is_empty(), "{} logs:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_verifier_says_of_each_object_what_the_list_says() {
    for row in line("logs/objects.txt").lines().skip(1) {
        let columns: Vec<&str> = row.splitn(4, ' ').collect();
        let [name, exit, opened, expected] = columns.as_slice() else { panic!("{row}") };
        let folder = vectors().join("logs");
        let object = read_object(&folder.join("objects").join(name)).unwrap();
        let openings = match *opened {
            "-" => Default::default(),
            given => read_openings(&folder.join(given)).unwrap().0,
        };
        let mut log = LogFolder::new(&folder.join("good"));
        let trust = trust("anchor");
        let found = verify_objects(&mut log, &trust, None, openings, &[object], 2).unwrap();
        let answer = match &found.answers[0] {
            Answer::Sealed(entries) => format!("sealed {}", sealed(entries)),
            Answer::OtherBytes(other) => format!("other-bytes {}", other.index),
            Answer::NoMatch => format!("no-match {} {}", found.shown, found.hidden),
        };
        let code = found.verdict.conclusion().exit_code().to_string();
        let findings = found.verdict.findings();
        assert_eq!((code.as_str(), answer.as_str()), (*exit, *expected), "{row} {findings:#?}");
    }
}

/// Indices, each with the ones that supersede it behind `<`.
fn sealed(entries: &[Mention]) -> String {
    let each = entries.iter().map(|entry| {
        let later: Vec<String> =
            entry.superseded_by.iter().map(|(index, _)| index.to_string()).collect();
        let later = if later.is_empty() { String::new() } else { format!("<{}", later.join("<")) };
        format!("{}{later}", entry.index)
    });
    each.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_committed_vectors_are_what_the_generator_writes() {
    let files = unbroken_vectors::files();
    for (path, bytes) in &files {
        let committed = std::fs::read(vectors().join(path)).unwrap_or_default();
        assert!(committed == *bytes, "{path} differs: run `cargo run -p unbroken-vectors`");
    }
    for folder in ["exhibits", "logs"] {
        let listed = count(&vectors().join(folder));
        let written = files.iter().filter(|(path, _)| Path::new(path).starts_with(folder)).count();
        assert_eq!(listed, written, "a file in {folder} that the generator does not write");
    }
}

/// The files below a folder.
fn count(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
}
