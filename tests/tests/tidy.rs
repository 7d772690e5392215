//! House rules that a program can check.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every file of the project with one of these endings, but for what is built.
fn files(endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![top()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                if !matches!(
                    name.as_str(),
                    "target" | ".git" | "advisories" | "corpus" | "artifacts"
                ) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let shown = path.strip_prefix(top()).unwrap().display().to_string();
                found.push((shown, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn files_and_functions_stay_short() {
    let mut long = Vec::new();
    for (path, text) in files(&[".rs"]) {
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            long.push(format!("{path}: {} lines", lines.len()));
        }
        let mut open: Option<(usize, usize)> = None;
        for (number, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let words: Vec<&str> = line.split_whitespace().take(5).collect();
            match open {
                None if words.contains(&"fn")
                    && !line.trim_start().starts_with("//")
                    && !line.ends_with(';') =>
                {
                    open = Some((number, indent));
                }
                Some((start, outer)) if indent == outer && line.trim_start().starts_with('}') => {
                    if number - start > FUNCTION_LINES_MAX {
                        long.push(format!(
                            "{path}:{}: a function of {} lines",
                            start + 1,
                            number - start
                        ));
                    }
                    open = None;
                }
                _ => {}
            }
        }
    }
    assert!(long.is_empty(), "cut these into parts that have names:\n{}", long.join("\n"));
}

#[test]
fn no_source_file_is_an_orphan() {
    let all = files(&[".rs"]);
    let mut orphans = Vec::new();
    for (path, _) in &all {
        let path = Path::new(path);
        let (folder, name) = (path.parent().unwrap(), path.file_stem().unwrap().to_str().unwrap());
        let is_root = matches!(name, "lib" | "main")
            || [".", "tests", "examples", "benches", "fuzz_targets"]
                .iter()
                .any(|root| folder.ends_with(root));
        if is_root {
            continue;
        }
        let (name, folder) = if name == "mod" {
            (folder.file_name().unwrap().to_str().unwrap(), folder.parent().unwrap())
        } else {
            (name, folder)
        };
        let parents =
            ["lib.rs", "main.rs", "mod.rs"].map(|parent| folder.join(parent).display().to_string());
        let declared =
            all.iter().filter(|(parent, _)| parents.contains(parent)).any(|(_, text)| {
                text.lines().any(|line| line.trim_end().ends_with(&format!("mod {name};")))
            });
        if !declared {
            orphans.push(path.display().to_string());
        }
    }
    assert!(orphans.is_empty(), "no `mod` names these files: {orphans:?}");
}

/// The crates of this project that each may use; whoever adds an arrow here changes the design.
const ARROWS: &[(&str, &[&str])] = &[
    ("unbroken-evidence", &[]),
    ("unbroken-container", &["unbroken-evidence"]),
    ("unbroken-ledger", &["unbroken-evidence"]),
    ("unbroken-ingest", &["unbroken-container", "unbroken-evidence", "unbroken-ledger"]),
    ("unbroken-exhibit", &["unbroken-container", "unbroken-evidence", "unbroken-ledger"]),
    ("unbroken-service", &["unbroken-evidence", "unbroken-ingest", "unbroken-ledger"]),
    ("unbroken-verify", &["unbroken-evidence", "unbroken-container"]),
    (
        "unbroken",
        &[
            "unbroken-evidence",
            "unbroken-exhibit",
            "unbroken-ingest",
            "unbroken-service",
            "unbroken-ledger",
            "unbroken-container",
        ],
    ),
    ("unbroken-vectors", &["unbroken-container", "unbroken-evidence"]),
    ("unbroken-tests", &[]),
];

fn cargo_tree(arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(arguments)
        .current_dir(top())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn dependencies_point_one_way() {
    for (name, allowed) in ARROWS {
        let mut found = cargo_tree(&["--package", name, "--depth", "1"]);
        found.retain(|found| found.starts_with("unbroken") && found != name);
        let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(found, allowed, "{name}");
    }
}

/// The lists are those of Linux: a test may ask for nothing that building and testing here have not
/// fetched, and a machine that has only built this project has no crates for other systems.
#[test]
#[cfg(target_os = "linux")]
fn the_verifier_depends_on_what_its_lists_say() {
    let bare = ["--package", "unbroken-verify", "--no-default-features"];
    let with_s3 = ["--package", "unbroken-verify", "--no-default-features", "--features", "s3"];
    for (arguments, name) in [(&bare[..], "dependencies.txt"), (&with_s3, "dependencies-s3.txt")] {
        let found = cargo_tree(arguments);
        let path = top().join("bin/unbroken-verify").join(name);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let listed: BTreeSet<String> = text.lines().map(str::to_owned).collect();
        let new: Vec<_> = found.difference(&listed).collect();
        let gone: Vec<_> = listed.difference(&found).collect();
        assert!(
            new.is_empty() && gone.is_empty(),
            "bin/unbroken-verify/{name}: each crate here is in the trust path: new {new:?}, gone {gone:?}"
        );
        for store in ["sled", "rusqlite", "bincode", "unbroken-ledger"] {
            assert!(!found.contains(store), "the verifier has no store");
        }
        let fetches = ["tokio", "aws-sdk-s3"].iter().any(|name| found.contains(*name));
        assert_eq!(fetches, name == "dependencies-s3.txt", "no runtime and no network but for S3");
    }
}

/// Ids like E12 and V3 that a text names.
fn ids(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| is_id(word)).map(str::to_owned)
}

fn is_id(word: &str) -> bool {
    let mut letters = word.chars();
    let first = letters.next().is_some_and(|first| "ABCEFLOVX".contains(first));
    let rest = letters.as_str();
    first && !rest.is_empty() && rest.len() <= 2 && rest.bytes().all(|digit| digit.is_ascii_digit())
}

#[test]
fn every_rule_of_the_specification_is_named_by_a_test_and_the_reverse() {
    let mut rules = BTreeSet::new();
    for (path, text) in files(&[".md"]) {
        if path.starts_with("spec/") {
            rules.extend(text.split("**").filter(|word| is_id(word)).map(str::to_owned));
        }
    }
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for (path, text) in files(&[".rs"]) {
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("// spec: ")) {
            named.extend(ids(line).map(|id| (id, path.clone())));
        }
    }
    for file in ["rules.txt", "exhibits/cases.txt"] {
        let text = std::fs::read_to_string(top().join("spec/vectors").join(file)).unwrap();
        named.extend(
            text.lines()
                .filter(|line| !line.starts_with('#'))
                .flat_map(ids)
                .map(|id| (id, file.to_owned())),
        );
    }
    let named_only: Vec<_> = named.iter().filter(|(id, _)| !rules.contains(*id)).collect();
    assert!(named_only.is_empty(), "tests name rules that are not in spec/: {named_only:?}");
    let untested: Vec<_> = rules.iter().filter(|id| !named.contains_key(*id)).collect();
    assert!(untested.is_empty(), "no test names these rules: {untested:?}");
}

/// The first column of a list of vectors, each behind `prefix`.
fn vectors_of(list: &str, prefix: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(top().join("spec/vectors").join(list)).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|row| row.split(' ').next()).map(|name| format!("{prefix}{name}")).collect()
}

/// Each rule has vectors, or says why there are none; and each vector that is named exists.
#[test]
fn every_rule_has_vectors_that_exist() {
    let mut known = vectors_of("exhibits/cases.txt", "");
    known.extend(vectors_of("exhibits/folders.txt", "folder/"));
    known.extend(vectors_of("exhibits/recordings.txt", "line/"));
    known.extend(vectors_of("exhibits/headlines.txt", "headline/"));
    known.extend(vectors_of("exhibits/left-out.txt", "why/"));
    known.extend(vectors_of("exhibits/axes.txt", "axes/"));
    known.extend(vectors_of("exhibits/noticed.txt", "noticed/"));
    known.extend(vectors_of("exhibits/told.txt", "told/"));
    known.extend(vectors_of("exhibits/replacements.txt", "replacement/"));
    known.extend(vectors_of("logs/cases.txt", "log/"));
    known.extend(vectors_of("logs/objects.txt", "object/"));
    known.extend(
        ["values.json", "declared-times.txt", "tile-paths.txt"].map(|n| format!("list/{n}")),
    );
    let text = std::fs::read_to_string(top().join("spec/vectors/rules.txt")).unwrap();
    let mut rules = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (rule, vectors) = line.split_once(' ').unwrap();
        assert!(rules.insert(rule.to_owned()), "rules.txt: {rule} stands there twice");
        if vectors.starts_with("- ") {
            continue;
        }
        for vector in vectors.split(' ') {
            assert!(known.contains(vector), "rules.txt: {rule}: there is no vector {vector}");
        }
    }
    let mut wanted = BTreeSet::new();
    for (path, text) in files(&[".md"]) {
        let own = |word: &&str| is_id(word) && !word.starts_with('V');
        if path.starts_with("spec/") {
            wanted.extend(text.split("**").filter(own).map(str::to_owned));
        }
    }
    let missing: Vec<_> = wanted.difference(&rules).collect();
    assert!(missing.is_empty(), "rules.txt has no line for {missing:?}");
}

#[test]
fn bincode_lives_in_one_file() {
    for (path, text) in files(&[".rs"]) {
        let uses =
            text.lines().any(|line| line.starts_with("use bincode") || line.contains("bincode::"));
        let allowed = path == "crates/ledger/src/record.rs" || path.starts_with("tests/");
        assert!(
            !uses || allowed,
            "{path} uses bincode: private records are encoded in record.rs alone"
        );
    }
}

#[test]
fn libraries_do_not_print() {
    for (path, text) in files(&[".rs"]) {
        if path.starts_with("crates/") && path.contains("/src/") {
            for banned in ["println!(", "eprintln!(", "print!(", "std::env::var"] {
                assert!(
                    !text.contains(banned),
                    "{path}: {banned}: libraries never print or read the environment"
                );
            }
        }
    }
}
