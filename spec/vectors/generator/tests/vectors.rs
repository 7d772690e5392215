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
use unbroken_evidence::log::{LogStop, verify_log};
use unbroken_evidence::objects::{Answer, Mention, Role, verify_objects};
use unbroken_evidence::package::Package as _;
use unbroken_evidence::recordings::{Bytes, Recording, Replacement};
use unbroken_evidence::step::Axis;
use unbroken_evidence::tile::Tile;
use unbroken_evidence::time::declared_ms;
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::{Blame, Outcome, Verdict};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn line(file: &str) -> String {
    std::fs::read_to_string(vectors().join(file)).unwrap().trim_end().to_owned()
}

fn trust(name: &str) -> Trust {
    let key = |file| vec![VerifierKey::parse(&line(file)).unwrap()];
    let anchor = || Trust { keys: key("trust.txt"), ledger_ids: Vec::new() };
    let wrong = || Trust { keys: key("wrong-anchor.txt"), ledger_ids: Vec::new() };
    let id = || vec![Hash::from_hex(&line("ledger-id.txt")).unwrap()];
    match name {
        "anchor" => anchor(),
        "none" => Trust::default(),
        "wrong-anchor" => wrong(),
        "ledger-id" => Trust { keys: Vec::new(), ledger_ids: id() },
        "both" => Trust { ledger_ids: id(), ..anchor() },
        "two-anchors" => Trust { keys: [anchor().keys, wrong().keys].concat(), ..anchor() },
        "anchor-and-wrong-ledger-id" => Trust { ledger_ids: vec![Hash::of(&[])], ..anchor() },
        "ledger-id-and-wrong-anchor" => Trust { ledger_ids: id(), ..wrong() },
        "wrong-ledger-id" => Trust { keys: Vec::new(), ledger_ids: vec![Hash::of(&[])] },
        other => panic!("unknown trust {other}"),
    }
}

/// What the verifier says of an exhibit, given the anchor.
fn verdict_of(name: &str) -> Verdict {
    let path = vectors().join(format!("exhibits/{name}.zip"));
    verify_exhibit(&mut Exhibit::open(&path).unwrap(), &trust("anchor"), 2).unwrap()
}

/// What it says there of a recording entry.
fn recording_of<'a>(verdict: &'a Verdict, entry: &str) -> &'a Recording {
    let index: u64 = entry.parse().unwrap();
    verdict.recordings().lines().iter().find(|line| line.index == index).unwrap()
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
        if let Err(why) = says(&path, &trust(trust_name), step, exit) {
            wrong.push(format!("{row}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{} vectors:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether the exhibit at `path` ends with `exit`, because of `step`.
fn says(path: &Path, trust: &Trust, step: &str, exit: u8) -> Result<(), String> {
    let refused = |why: String| {
        if (step, exit) == ("container", 3) { Ok(()) } else { Err(format!("refused: {why}")) }
    };
    let mut exhibit = match Exhibit::open(path) {
        Ok(exhibit) => exhibit,
        Err(error) if error.is_container() => return refused(error.to_string()),
        Err(error) => return Err(format!("not opened: {error}")),
    };
    let verdict = match verify_exhibit(&mut exhibit, trust, 2) {
        Ok(verdict) => verdict,
        Err(stop) => return refused(stop.to_string()),
    };
    let found = verdict.conclusion().exit_code();
    if found == exit && (step == "-" || caught(&verdict, step, exit)) {
        return Ok(());
    }
    Err(format!("exit {found}, {:#?}", verdict.findings()))
}

// spec: A8 A9
#[test]
fn the_verifier_says_of_each_recording_what_the_list_says() {
    for row in line("exhibits/recordings.txt").lines().skip(1) {
        let columns: Vec<&str> = row.split(' ').collect();
        let [exhibit, entry, expected @ ..] = columns.as_slice() else { panic!("{row}") };
        let verdict = verdict_of(exhibit);
        let line = recording_of(&verdict, entry);
        let bytes = match line.bytes {
            Bytes::Agree => "agree",
            Bytes::Differ => "differ",
            Bytes::NotPacked => "not-packed",
            Bytes::Unreadable => "unreadable",
            Bytes::NotHere => "not-here",
            Bytes::Missing => "missing",
            Bytes::NotDisclosed => "not-disclosed",
        };
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        let odd: Vec<&str> = line.odd.iter().map(|odd| odd.code()).collect();
        let (companions, agree) = line.companions;
        let found = [
            bytes.to_owned(),
            format!("{agree}/{companions}"),
            or_dash(line.measured_ms.map(|ms| ms.to_string())),
            or_dash(line.sealed_after_ms.map(|ms| ms.to_string())),
            or_dash(Some(odd.join(",")).filter(|odd| !odd.is_empty())),
        ];
        assert_eq!(found.as_slice(), expected, "{row}");
    }
}

// spec: A7
#[cfg(unix)]
#[test]
fn the_verifier_speaks_in_each_headline_of_what_the_list_says() {
    let all = line("exhibits/cases.txt");
    let folders = line("exhibits/folders.txt");
    for row in line("exhibits/headlines.txt").lines().skip(1) {
        let (name, blame) = row.split_once(' ').unwrap();
        if let Some(log) = name.strip_prefix("log/") {
            assert_eq!(blamed(&log_verdict(log)), blame, "{name}");
            continue;
        }
        let place = tempfile::tempdir().unwrap();
        let (path, given) = if let Some(folder) = name.strip_prefix("folder/") {
            let case = folders.lines().find(|case| case.starts_with(&format!("{folder} ")));
            let columns: Vec<&str> = case.unwrap().splitn(5, ' ').collect();
            unpack(&vectors().join(format!("exhibits/{}.zip", columns[3])), place.path());
            change(place.path(), columns[4]);
            (place.path().to_owned(), "anchor")
        } else {
            let case = all.lines().find(|case| case.starts_with(&format!("{name} ")));
            let path = vectors().join(format!("exhibits/{name}.zip"));
            (path, case.unwrap().rsplit(' ').next().unwrap())
        };
        let mut exhibit = Exhibit::open(&path).unwrap();
        let verdict = verify_exhibit(&mut exhibit, &trust(given), 2).unwrap();
        assert_eq!(blamed(&verdict), blame, "{name} {:#?}", verdict.findings());
    }
}

fn blamed(verdict: &Verdict) -> &'static str {
    match verdict.blame() {
        Some(Blame::Evidence) => "evidence",
        Some(Blame::AnotherLedger) => "another-ledger",
        Some(Blame::Package) => "package",
        None => "nothing",
    }
}

/// What the verifier says of a log, given what its line says.
fn log_verdict(name: &str) -> Verdict {
    let cases = line("logs/cases.txt");
    let case = cases.lines().find(|case| case.starts_with(&format!("{name} "))).unwrap();
    let [.., given, since] = case.split(' ').collect::<Vec<_>>()[..] else { panic!("{case}") };
    let since = (since != "-").then(|| std::fs::read(vectors().join("logs").join(since)).unwrap());
    let mut files = LogFolder::new(&vectors().join("logs").join(name));
    verify_log(&mut files, &trust(given), since.as_deref(), 2, &|_| ()).unwrap()
}

// spec: L4
#[test]
fn the_paths_of_tiles_are_what_the_list_says() {
    for row in line("tile-paths.txt").lines().skip(1) {
        let columns: Vec<&str> = row.split(' ').collect();
        let [level, number, width, path] = columns.as_slice() else { panic!("{row}") };
        let (number, width) = (number.parse().unwrap(), width.parse().unwrap());
        assert_eq!(Tile { level: level.parse().ok(), number, width }.path(), *path);
    }
}

// spec: A8
#[test]
fn the_verifier_says_what_a_collector_noticed_as_the_list_says() {
    for row in line("exhibits/noticed.txt").lines().skip(1) {
        let columns: Vec<&str> = row.splitn(4, ' ').collect();
        let [exhibit, entry, count, first] = columns.as_slice() else { panic!("{row}") };
        let verdict = verdict_of(exhibit);
        let line = recording_of(&verdict, entry);
        let shown = verdict.recordings().told(line).noticed;
        assert_eq!(line.noticed.to_string(), *count, "{row}");
        assert_eq!(shown.first().copied().unwrap_or("-"), *first, "{row}");
        assert_eq!(shown.len() as u64, line.noticed.min(3), "{row}");
    }
}

// spec: A8
#[test]
fn the_verifier_tells_of_each_recording_what_the_list_says() {
    for row in line("exhibits/told.txt").lines().skip(1) {
        let columns: Vec<&str> = row.split(' ').collect();
        let [exhibit, entry, expected @ ..] = columns.as_slice() else { panic!("{row}") };
        let verdict = verdict_of(exhibit);
        let line = recording_of(&verdict, entry);
        let recordings = verdict.recordings();
        let told = recordings.told(line);
        let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let withheld = match line.hidden.0 {
            0 => "0".to_owned(),
            count => format!("{count}:{}", told.withheld.join(",")),
        };
        let beside = recordings.beside(&line.subject).iter().map(|other| {
            let (kind, values) = recordings.said(other);
            assert_eq!(values.len() as u64, other.values.min(3), "{row}");
            format!("{}:{kind}:{}", other.index, other.values)
        });
        let beside = beside.collect::<Vec<_>>().join("+");
        let found = [
            or_dash(told.id),
            or_dash(told.conversation),
            or_dash(told.key),
            withheld,
            or_dash(Some(beside.as_str()).filter(|all| !all.is_empty())),
        ];
        assert_eq!(found.as_slice(), expected, "{row}");
    }
}

#[test]
fn the_verifier_notes_beside_its_axes_what_bounds_them() {
    let notes = |name: &str, axis: Axis| {
        let verdict = verdict_of(name);
        verdict.axes().iter().find(|of| of.axis == axis).unwrap().notes.join("; ")
    };
    assert!(notes("good", Axis::Scope).contains("nothing is said of other recordings"));
    assert_eq!(notes("amendment-left-out", Axis::Scope), "contradicted at V20");
    assert_eq!(notes("good", Axis::Disclosure), "");
    assert!(notes("field-closed", Axis::Disclosure).starts_with("fields that are not shown: 1;"));
    assert!(notes("good", Axis::Ledger).contains("only in the published log"));
}

// spec: A1 A5
#[test]
fn the_verifier_sums_up_the_axes_as_the_list_says() {
    let all = line("exhibits/cases.txt");
    let mut wrong = Vec::new();
    for row in line("exhibits/axes.txt").lines().skip(1) {
        let (name, expected) = row.split_once(' ').unwrap();
        let case = all.lines().find(|case| case.starts_with(&format!("{name} "))).unwrap();
        let path = vectors().join(format!("exhibits/{name}.zip"));
        let given = trust(case.rsplit(' ').next().unwrap());
        let verdict = verify_exhibit(&mut Exhibit::open(&path).unwrap(), &given, 2).unwrap();
        let letter = |outcome| match outcome {
            Outcome::Established => 'E',
            Outcome::Contradicted => 'C',
            Outcome::NotEstablished => 'N',
            Outcome::NotChecked => '-',
        };
        let found: String = verdict.axes().iter().map(|axis| letter(axis.outcome)).collect();
        if found != expected {
            wrong.push(format!("{row}: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

// spec: A11
#[test]
fn the_verifier_says_what_supersedes_what_as_the_list_says() {
    for row in line("exhibits/replacements.txt").lines().skip(1) {
        let columns: Vec<&str> = row.split(' ').collect();
        let [exhibit, entry, superseded, bytes, companions] = columns.as_slice() else {
            panic!("{row}")
        };
        let verdict = verdict_of(exhibit);
        let same = |text: &str| match text {
            "same" => Some(true),
            "other" => Some(false),
            _ => None,
        };
        let (same_bytes, same_companions) = (same(bytes), same(companions));
        let (index, replaced) = (entry.parse().unwrap(), superseded.parse().unwrap());
        let expected = Replacement { index, replaced, same_bytes, same_companions };
        assert_eq!(verdict.replacements().listed().collect::<Vec<_>>(), [&expected], "{row}");
        assert_eq!(verdict.replacements().with_other_bytes(), u64::from(*bytes == "other"));
        assert!(recording_of(&verdict, superseded).superseded_by.contains(&index), "{row}");
    }
}

// spec: X22
#[test]
fn the_verifier_says_why_a_file_is_not_packed_as_the_list_says() {
    for row in line("exhibits/left-out.txt").lines().skip(1) {
        let columns: Vec<&str> = row.split(' ').collect();
        let [exhibit, entry, _, why] = columns.as_slice() else { panic!("{row}") };
        let verdict = verdict_of(exhibit);
        let line = recording_of(&verdict, entry);
        assert_eq!(line.left_out.as_ref().map_or("-", |reason| reason.code()), *why, "{row}");
    }
}

// spec: A9
#[test]
fn declared_times_are_what_the_list_says() {
    for row in line("declared-times.txt").lines().skip(1) {
        let (ms, text) = row.split_once(' ').unwrap();
        assert_eq!(declared_ms(text), ms.parse().ok(), "{row}");
    }
}

#[cfg(unix)]
#[test]
fn the_verifier_says_of_each_folder_what_the_list_says() {
    let mut wrong = Vec::new();
    for row in line("exhibits/folders.txt").lines().skip(1) {
        let columns: Vec<&str> = row.splitn(5, ' ').collect();
        let [_, exit, step, zip, deed] = columns.as_slice() else { panic!("{row}") };
        let place = tempfile::tempdir().unwrap();
        unpack(&vectors().join(format!("exhibits/{zip}.zip")), place.path());
        change(place.path(), deed);
        if let Err(why) = says(place.path(), &trust("anchor"), step, exit.parse().unwrap()) {
            wrong.push(format!("{row}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{} folders:\n{}", wrong.len(), wrong.join("\n"));
}

fn unpack(zip: &Path, into: &Path) {
    let mut exhibit = Exhibit::open(zip).unwrap();
    for path in exhibit.files().paths().map(str::to_owned).collect::<Vec<_>>() {
        let mut bytes = Vec::new();
        exhibit.stream(&path, &mut |piece| bytes.extend_from_slice(piece)).unwrap();
        let to = into.join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }
}

/// Does to the folder what the last column says.
#[cfg(unix)]
fn change(folder: &Path, deed: &str) {
    use std::os::unix::ffi::OsStringExt as _;
    let place = |word: &str| folder.join(std::ffi::OsString::from_vec(unescaped(word)));
    let words: Vec<&str> = deed.split(' ').collect();
    match words.as_slice() {
        ["-"] => {}
        ["folder", path] => std::fs::create_dir_all(place(path)).unwrap(),
        ["write", path, text @ ..] => {
            std::fs::create_dir_all(place(path).parent().unwrap()).unwrap();
            std::fs::write(place(path), text.join(" ")).unwrap();
        }
        ["rename", from, to] => std::fs::rename(place(from), place(to)).unwrap(),
        ["remove", paths @ ..] => {
            paths.iter().for_each(|path| std::fs::remove_file(place(path)).unwrap());
        }
        ["link", path, to] => {
            let _ = std::fs::remove_file(place(path));
            std::os::unix::fs::symlink(to, place(path)).unwrap();
        }
        ["pipe", path] => {
            let _ = std::fs::remove_file(place(path));
            let made = std::process::Command::new("mkfifo").arg(place(path)).status();
            assert!(made.unwrap().success());
        }
        other => panic!("an unknown deed: {other:?}"),
    }
}

/// `%` and two hex digits are a byte.
#[cfg(unix)]
fn unescaped(word: &str) -> Vec<u8> {
    let mut parts = word.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
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
        let verdict = match verify_log(&mut files, &trust, since.as_deref(), 2, &|_| ()) {
            Ok(verdict) => verdict,
            Err(stop) => {
                assert!(!stop.to_string().is_empty());
                assert_eq!((stop, *step, exit), (LogStop::NotALog, "container", 3), "{row}");
                continue;
            }
        };
        let found = verdict.conclusion().exit_code();
        if found != exit || *step != "-" && !caught(&verdict, step, exit) {
            wrong.push(format!("{row}: exit {found}, {:#?}", verdict.findings()));
        }
    }
    assert!(wrong.is_empty(), "{} logs:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_verifier_says_of_each_object_what_the_list_says() {
    let mut wrong = Vec::new();
    for row in line("logs/objects.txt").lines().skip(1) {
        let columns: Vec<&str> = row.splitn(5, ' ').collect();
        let [name, log, opened, exit, expected] = columns.as_slice() else { panic!("{row}") };
        let folder = vectors().join("logs");
        let object = read_object(&folder.join("objects").join(name)).unwrap();
        let openings = match *opened {
            "-" => Default::default(),
            given => read_openings(&folder.join(given)).unwrap().0,
        };
        let (mut log, own) = (LogFolder::new(&folder.join(log)), trust("anchor"));
        let found = verify_objects(&mut log, &own, None, openings, &[object], 2).unwrap();
        let answer = match &found.answers[0] {
            Answer::Sealed(entries) => {
                format!("sealed {}", entries.iter().map(mention).collect::<Vec<_>>().join(" "))
            }
            Answer::OtherBytes(other, _, elsewhere) => {
                let all = std::iter::once(&**other).chain(elsewhere).map(mention);
                format!("other-bytes {}", all.collect::<Vec<_>>().join(" "))
            }
            Answer::NoMatch => format!("no-match {} {}", found.shown, found.hidden),
        };
        let code = found.verdict.conclusion().exit_code().to_string();
        if (code.as_str(), answer.as_str()) != (*exit, *expected) {
            wrong.push(format!("{row}: {code} {answer} {:#?}", found.verdict.findings()));
        }
    }
    assert!(wrong.is_empty(), "{} objects:\n{}", wrong.len(), wrong.join("\n"));
}

/// An entry that speaks of an object, as `logs/objects.txt` writes it (O3).
fn mention(entry: &Mention) -> String {
    let role = match entry.role {
        Role::Recording => "recording".to_owned(),
        Role::Companion(number) => format!("companion-{number}"),
    };
    let key = match entry.same_key {
        Some(true) => "its-key",
        Some(false) => "another-key",
        None => "key-not-shown",
    };
    let others = |mark: &str, others: &[(u64, Option<bool>)]| {
        let other = |(index, same): &(u64, Option<bool>)| match same {
            Some(true) => format!("{mark}{index}"),
            Some(false) => format!("{mark}{index}!"),
            None => format!("{mark}{index}?"),
        };
        others.iter().map(other).collect::<String>()
    };
    let (later, earlier) = (others("<", &entry.superseded_by), others(">", &entry.supersedes));
    let beside: String = entry.beside.iter().map(|(index, _)| format!("+{index}")).collect();
    format!("{}:{role}:{key}{later}{earlier}{beside}", entry.index)
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
