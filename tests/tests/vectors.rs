//! The test vectors: the committed files are what the generator writes, and the verifier says of
//! each what its line in `cases.txt` says.

use std::path::{Path, PathBuf};

use unbroken_evidence::exhibit::verify_exhibit;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::VerifierKey;
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::{Outcome, Verdict};
use unbroken_verify_core::open::Exhibit;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors")
}

fn line(file: &str) -> String {
    std::fs::read_to_string(vectors().join(file)).unwrap().trim_end().to_owned()
}

fn trust(name: &str) -> Trust {
    let key = |file| vec![VerifierKey::parse(&line(file)).unwrap()];
    let anchor = || Trust { keys: key("trust.txt"), ledger_id: None };
    match name {
        "anchor" => anchor(),
        "none" => Trust::default(),
        "wrong-anchor" => Trust { keys: key("wrong-anchor.txt"), ledger_id: None },
        "ledger-id" => Trust { ledger_id: Hash::from_hex(&line("ledger-id.txt")), ..anchor() },
        "wrong-ledger-id" => Trust { ledger_id: Some(Hash::of(&[])), ..anchor() },
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
                if (*step, exit) != ("container", error.exit_code()) {
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
fn the_committed_vectors_are_what_the_generator_writes() {
    let files = unbroken_vectors::files();
    for (path, bytes) in &files {
        let committed = std::fs::read(vectors().join(path)).unwrap_or_default();
        assert!(committed == *bytes, "{path} differs: run `cargo run -p unbroken-vectors`");
    }
    let listed = std::fs::read_dir(vectors().join("exhibits")).unwrap().count();
    let written = files.iter().filter(|(path, _)| path.starts_with("exhibits/")).count();
    assert_eq!(
        listed, written,
        "a file in spec/vectors/exhibits that the generator does not write"
    );
}
