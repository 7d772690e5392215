//! The independent verifier as somebody runs it: each row of bad input, its message and exit code.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use unbroken_container::open::Exhibit;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::package::Package as _;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors")
}

fn run(arguments: &[&str]) -> (i32, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_unbroken-verify")).args(arguments).output().unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!text.contains('\u{1b}'), "a raw escape in {text:?}");
    (output.status.code().unwrap(), text)
}

fn verify(exhibit: &Path) -> (i32, String) {
    let trust = vectors().join("trust.txt");
    run(&["exhibit", "--trust", trust.to_str().unwrap(), exhibit.to_str().unwrap()])
}

/// The good exhibit as a folder.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut good = Exhibit::open(&vectors().join("exhibits/good.zip")).unwrap();
    for path in good.files().paths().map(str::to_owned).collect::<Vec<_>>() {
        let mut bytes = Vec::new();
        good.stream(&path, &mut |piece| bytes.extend_from_slice(piece)).unwrap();
        let place = folder.path().join(&path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, bytes).unwrap();
    }
    folder
}

/// What a reader must not miss stands in the headline, not only in the list below it.
#[test]
fn a_headline_says_what_is_not_established_and_how_much_is_odd() {
    let headline = |name: &str| {
        let path = vectors().join(format!("exhibits/{name}.zip"));
        let (_, text) = verify(&path);
        text.lines().find(|line| line.starts_with("NO ALTERATION FOUND")).unwrap().to_owned()
    };
    let disputed = headline("key-disputed");
    assert!(disputed.contains("Not established at V15, entry "), "{disputed}");
    assert!(disputed.contains(" is disputed from "), "{disputed}");
    assert!(headline("odd-backwards").contains("; something is odd about 1."));
    let good = headline("good");
    assert!(!good.contains("odd") && !good.contains("Not established"), "{good}");
}

#[test]
fn the_good_exhibit_verifies_and_says_what_it_does_not_establish() {
    let (code, text) = verify(folder().path());
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("NO ALTERATION FOUND") && text.contains("who is speaking"), "{text}");
    assert!(
        text.contains(
            "entry 6 supersedes entry 2: of the recording the same bytes; companions: the same"
        ),
        "{text}"
    );
    // spec: A8
    assert!(text.contains("  found under \"c-1/r-1.opus\"\n"), "{text}");
    let beside = "  beside it   entry 7, observation, 2026-11-20T07:00:07.123Z by its signer's clock: \"observation/object-lock/legal-hold: ON\"\n";
    assert_eq!(text.matches(beside).count(), 1, "{text}");
    let policy = "- entry 1, \"genesys-cloud-1\": \"A sidecar is there and agrees.\"\n";
    assert_eq!(text.matches(policy).count(), 1, "{text}");
    // spec: L10
    assert!(text.contains("No independent party vouches for when this was sealed"), "{text}");
    // spec: V17 V18
    assert!(text.contains("V17 NOT CHECKED") && text.contains("V18 NOT CHECKED"), "{text}");
    // spec: A3
    for word in ["authentic", "genuine", "tamper-proof", "self-authenticating", "court-admissible"]
    {
        assert!(!text.contains(word), "{word}");
    }
    let zip = vectors().join("exhibits/good.zip");
    let trust = vectors().join("trust.txt");
    // The command may be left out, and machines get one document.
    let (code, text) = run(&["--trust", trust.to_str().unwrap(), "--json", zip.to_str().unwrap()]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("\"schema\": \"unbroken/verification@v1\""), "{text}");
    let (_, text) = run(&["--explain", "--trust", trust.to_str().unwrap(), zip.to_str().unwrap()]);
    assert!(text.contains(" V27  disclosure"), "{text}");
    let prose = |line: &&str| line.starts_with("      ") && !line.starts_with("       ");
    let steps = text.lines().filter(prose).count();
    assert_eq!(steps, 28, "each step says what it is there for: {text}");
}

// spec: A10
#[test]
fn a_verdict_begins_with_what_it_is_about() {
    let id = std::fs::read_to_string(vectors().join("ledger-id.txt")).unwrap();
    let trust = std::fs::read_to_string(vectors().join("trust.txt")).unwrap();
    let zip = vectors().join("exhibits/good.zip");
    let digest = |path: &Path| Hash::of(&[&std::fs::read(path).unwrap()]).to_string();
    let own = digest(Path::new(env!("CARGO_BIN_EXE_unbroken-verify")));
    let (code, text) = verify(&zip);
    assert_eq!(code, 0, "{text}");
    let mut lines = text.lines();
    for (word, what) in [
        ("checked", zip.to_str().unwrap()),
        ("sha-256", digest(&zip).as_str()),
        ("ledger", &format!("example.com/recordings, id {}", id.trim_end())),
        ("checkpoint", "9 entries, root "),
        ("produced", "2026-11-20T07:00:08.123Z by its signer's clock, as entry 8 says"),
        ("anchor", &format!("verifier key {}", trust.trim_end())),
        ("verifier", &format!("unbroken-verify {}, SHA-256 {own}", env!("CARGO_PKG_VERSION"))),
        ("command", env!("CARGO_BIN_EXE_unbroken-verify")),
        ("at", "20"),
    ] {
        let line = lines.next().unwrap();
        assert!(line.starts_with(&format!("{word:<11} {what}")), "{word} {what}: {line}");
    }
    assert_eq!(lines.next(), Some(""));
}

#[test]
fn a_schedule_lists_each_recording_entry_once_and_overwrites_nothing() {
    let place = tempfile::tempdir().unwrap();
    let schedule = place.path().join("schedule.csv");
    let (trust, zip) = (vectors().join("trust.txt"), vectors().join("exhibits/good.zip"));
    let name = |path: &Path| path.to_str().unwrap().to_owned();
    let arguments =
        ["exhibit", "--trust", &name(&trust), "--schedule", &name(&schedule), &name(&zip)]
            .map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(run(&arguments).0, 0);
    let text = std::fs::read_to_string(&schedule).unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert!(lines.len() > 2, "{text}");
    let columns = lines[0].split(',').count();
    assert!(lines.iter().all(|line| line.split(',').count() == columns), "{text}");
    let by = lines[0].split(',').position(|name| name == "superseded_by").unwrap();
    let superseded = |line: &&str| line.starts_with("2,") && line.split(',').nth(by) == Some("6");
    assert!(lines.iter().any(superseded), "{text}");
    let (code, said) = run(&arguments);
    assert!(code == 4 && said.contains("give the schedule a new name"), "{said}");
    assert_eq!(std::fs::read_to_string(&schedule).unwrap(), text);
}

#[test]
fn what_init_printed_is_an_anchor_with_its_ledger_id() {
    let line = |name: &str| std::fs::read_to_string(vectors().join(name)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("anchor.txt");
    let (anchor, id) = (line("trust.txt"), line("ledger-id.txt"));
    let other = id.replace(|digit: char| digit.is_ascii_digit(), "0");
    for (id, code) in [(id, 0), (other, 1)] {
        let text = format!("trust anchor: {anchor}ledger id: {id}\nKeep a copy of ledger/keys.\n");
        std::fs::write(&saved, text).unwrap();
        let exhibit = vectors().join("exhibits/good.zip");
        let (found, text) = run(&["--trust", saved.to_str().unwrap(), exhibit.to_str().unwrap()]);
        assert_eq!(found, code, "{text}");
    }
}

#[test]
fn any_bit_of_any_file_that_is_flipped_is_found() {
    let folder = folder();
    let good = Exhibit::open(folder.path()).unwrap();
    for path in good.files().paths() {
        let place = folder.path().join(path);
        let bytes = std::fs::read(&place).unwrap();
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 4;
            std::fs::write(&place, changed).unwrap();
            let (code, text) = verify(folder.path());
            assert_eq!(code, 1, "{path} at {at}: {text}");
        }
        std::fs::write(&place, bytes).unwrap();
    }
    assert_eq!(verify(folder.path()).0, 0);
}

/// Contents are covered by hashes; this is about what stands around them in an archive.
#[test]
fn any_bit_of_a_zips_headers_that_is_flipped_is_found() {
    let good = std::fs::read(vectors().join("exhibits/good.zip")).unwrap();
    let mark = |mark: &[u8]| good.windows(4).position(|window| window == mark).unwrap();
    let (central, end) = (mark(b"PK\x01\x02"), mark(b"PK\x05\x06"));
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("exhibit.zip");
    for byte in (0..60).chain(central..central + 80).chain(end..good.len()) {
        for bit in 0..8 {
            let mut flipped = good.clone();
            flipped[byte] ^= 1 << bit;
            std::fs::write(&path, flipped).unwrap();
            let (code, text) = verify(&path);
            assert!(matches!(code, 1 | 3), "byte {byte} bit {bit}: {code}: {text}");
        }
    }
}

#[test]
fn any_file_that_is_removed_or_renamed_is_found() {
    let folder = folder();
    let good = Exhibit::open(folder.path()).unwrap();
    for path in good.files().paths() {
        let place = folder.path().join(path);
        let bytes = std::fs::read(&place).unwrap();
        std::fs::remove_file(&place).unwrap();
        let (code, text) = verify(folder.path());
        assert_eq!(code, 1, "{path} removed: {text}");
        let renamed = place.with_file_name("renamed");
        std::fs::write(&renamed, &bytes).unwrap();
        let (code, text) = verify(folder.path());
        assert_eq!(code, 1, "{path} renamed: {text}");
        std::fs::remove_file(renamed).unwrap();
        std::fs::write(&place, bytes).unwrap();
    }
}

// spec: X2
#[test]
fn added_files_and_empty_folders_are_found_and_links_stop_everything() {
    let folder = folder();
    for name in ["data/2/more.txt", "more.txt", "ledger/more", "data/2/\u{e9}.txt"] {
        std::fs::write(folder.path().join(name), "x").unwrap();
        assert_eq!(verify(folder.path()).0, 1, "{name}");
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    std::fs::create_dir(folder.path().join("data/9")).unwrap();
    assert_eq!(verify(folder.path()).0, 1);
    std::fs::remove_dir(folder.path().join("data/9")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("data/2/link.txt")).unwrap();
    let (code, text) = verify(folder.path());
    assert!(
        code == 3 && text.contains("NO VERIFICATION TOOK PLACE") && text.contains("a link"),
        "{text}"
    );
}

#[test]
fn what_is_no_exhibit_is_told_from_what_is_forged() {
    let place = tempfile::tempdir().unwrap();
    let (code, text) = verify(place.path());
    assert!(code == 3 && text.contains("not an exhibit"), "{text}");
    let letter = place.path().join("letter.txt");
    std::fs::write(&letter, "Dear Sir").unwrap();
    assert_eq!(verify(&letter).0, 3);
    let (code, text) = verify(&place.path().join("nothing"));
    assert!(code == 4 && text.contains("cannot be read"), "{text}");
    for name in ["zip-escapes", "zip-deflated", "zip-name-twice", "zip-link"] {
        let (code, text) = verify(&vectors().join(format!("exhibits/{name}.zip")));
        assert!(
            code == 3 && text.contains("This says nothing about the evidence"),
            "{name}: {text}"
        );
    }
}

#[test]
fn the_anchor_is_needed_named_and_checked_for_typing_errors() {
    let zip = vectors().join("exhibits/good.zip");
    let zip = zip.to_str().unwrap();
    let anchor = std::fs::read_to_string(vectors().join("trust.txt")).unwrap();
    let anchor = anchor.trim_end();
    let (code, text) = run(&["exhibit", zip]);
    assert!(
        code == 2 && text.contains("ORIGIN NOT ESTABLISHED") && text.contains(anchor),
        "{text}"
    );
    let (code, text) = run(&["exhibit", "--trust", &anchor.replace("AYE5", "AYE6"), zip]);
    assert!(code == 4 && text.contains("hint:"), "{text}");
    let wrong = vectors().join("wrong-anchor.txt");
    let (code, text) = run(&["exhibit", "--trust", wrong.to_str().unwrap(), zip]);
    assert!(code == 1 && text.contains("THIS IS ANOTHER LEDGER THAN THE ONE YOU NAMED"), "{text}");
    let id = std::fs::read_to_string(vectors().join("ledger-id.txt")).unwrap();
    let id = id.trim_end();
    assert_eq!(run(&["exhibit", "--trust", id, zip]).0, 0);
    let (code, text) = run(&["exhibit", "--trust", &id[2..], zip]);
    assert!(code == 4 && text.contains("62 digits"), "{text}");
    let digit = if id.ends_with('0') { "1" } else { "0" };
    let (code, text) = run(&["exhibit", "--trust", &format!("{}{digit}", &id[..63]), zip]);
    assert!(code == 1 && text.contains("1 of 64 digits differ: look for a slip"), "{text}");
    assert_eq!(run(&["--frobnicate"]).0, 4);
    assert_eq!(run(&["--help"]).0, 0);
    // spec: A4
    let bad = vectors().join("exhibits/recording-removed.zip");
    let hostile = vectors().join("exhibits/zip-link.zip");
    let (code, _) =
        run(&["exhibit", "--trust", anchor, zip, hostile.to_str().unwrap(), bad.to_str().unwrap()]);
    assert_eq!(code, 1, "a contradiction counts for more than a hostile container");
}
