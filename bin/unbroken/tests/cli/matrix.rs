//! Every file of a ledger, damaged in every way: what an audit does not see does no harm, and what it sees
//! a restore mends or records.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Scene;
use super::damage::sealed_scene;

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    /// A bit in the n-th of eight parts is turned.
    Flip(usize),
    /// The second half is gone.
    Cut,
    /// The second half is zeros, as a file system leaves it after a power cut.
    Zeros,
    Empty,
    Gone,
}

impl Damage {
    const ALL: [Self; 6] =
        [Self::Flip(0), Self::Flip(5), Self::Cut, Self::Zeros, Self::Empty, Self::Gone];

    /// False where there is nothing to damage.
    fn put(self, path: &Path) -> bool {
        let mut bytes = std::fs::read(path).unwrap();
        let before = bytes.clone();
        let half = bytes.len() / 2;
        match self {
            Self::Flip(part) => {
                let place = bytes.len() * part / 8 + bytes.len() / 16;
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 1;
                }
            }
            Self::Cut => bytes.truncate(half),
            Self::Zeros => bytes[half..].fill(0),
            Self::Empty => bytes.clear(),
            Self::Gone => {
                std::fs::remove_file(path).unwrap();
                return true;
            }
        }
        std::fs::write(path, &bytes).unwrap();
        bytes != before
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Exit code and everything that was said, within a minute.
fn run(scene: &Scene, arguments: &[&str]) -> (i32, String) {
    let output = Command::new("timeout")
        .args(["60", env!("CARGO_BIN_EXE_unbroken")])
        .args(arguments)
        .env("UNBROKEN_LEDGER", "copy")
        // Each copy goes on by itself, as if it were on a machine of its own.
        .env("XDG_STATE_HOME", "/dev/null")
        .current_dir(scene.folder.path())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn whatever_happens_to_any_file_is_harmless_or_found_and_then_mended_or_recorded() {
    let scene = sealed_scene();
    let whole = scene.path("ledger");
    let mut wrong = Vec::new();
    let mut cases = 0;
    for file in files(&whole) {
        for damage in Damage::ALL {
            let copy = scene.path("copy");
            let _ = std::fs::remove_dir_all(&copy);
            let copied = Command::new("cp").arg("-a").arg(&whole).arg(&copy).status().unwrap();
            assert!(copied.success());
            let own = file.strip_prefix(&whole).unwrap();
            if !damage.put(&copy.join(own)) {
                continue;
            }
            cases += 1;
            if let Some(what) = breach(&scene) {
                wrong.push(format!("{} {damage:?}: {what}", own.display()));
            }
        }
    }
    assert!(cases > 80, "{cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// Which promise the damaged copy breaks.
fn breach(scene: &Scene) -> Option<String> {
    let said = |what: &str, (code, text): &(i32, String)| Some(format!("{what}: {code}: {text}"));
    let known = |answer: &(i32, String)| [0, 1, 2, 4].contains(&answer.0);
    let status = run(scene, &["status"]);
    let audit = run(scene, &["audit"]);
    for answer in [&status, &audit] {
        if !known(answer) {
            return said("ended as nothing may", answer);
        }
    }
    if audit.0 != 0 {
        let restored = run(scene, &["restore"]);
        if restored.0 == 4 {
            // What only a copy can bring back is named, with what to do.
            let named = restored.1.contains("hint:") && restored.1.contains("copy/");
            return if named { None } else { said("restore", &restored) };
        }
        let again = run(scene, &["audit"]);
        let is_quiet = again.0 == 0 || again.0 == 2 && again.1.contains("NO DIFFERENCE FOUND");
        if !known(&restored) || !is_quiet {
            return said(&format!("after {} restored with {}", audit.1, restored.1), &again);
        }
        if restored.0 == 0 && again.0 != 0 {
            return said("restored with 0", &again);
        }
    }
    // Whole, or made whole: the next night works, and nothing that was sealed is gone.
    let mut ingest = run(scene, &["ingest", "export"]);
    if ingest.0 == 4 && ingest.1.contains("--reseal") {
        ingest = run(scene, &["ingest", "export", "--reseal"]);
    }
    let after = run(scene, &["audit"]);
    if ![0, 2].contains(&ingest.0) || ![0, 2].contains(&after.0) {
        return said(&format!("after an ingest that said {}", ingest.1), &after);
    }
    let listed = run(scene, &["list", "--json"]);
    let lost = audit.0 != 0 && after.0 == 2;
    (listed.1.matches("r-1").count() == 0 && !lost).then(|| format!("r-1 is gone: {}", listed.1))
}
