//! Writes the test vectors of `spec/vectors`: a small ledger and its exhibit, made by hand from
//! the specification, and copies of it with one fault each.
//!
//! Everything is deterministic: keys come from fixed seeds, salts from a counter.

mod bagged;
pub mod cases;
mod checkpoints;
mod committed;
pub mod container;
mod curve;
pub mod declared;
pub mod folders;
mod later;
pub mod lists;
pub mod logs;
pub mod model;
pub mod objects;
mod replaced;
pub mod scene;
mod signed;
mod signers;
pub mod told;
pub mod values;

use std::path::Path;

/// Every file that belongs below `spec/vectors`, by its path there.
#[must_use]
pub fn files() -> Vec<(String, Vec<u8>)> {
    let line = |text: &dyn std::fmt::Display| format!("{text}\n").into_bytes();
    let mut files = vec![
        ("trust.txt".to_owned(), line(scene::log_key().verifier())),
        ("wrong-anchor.txt".to_owned(), line(scene::stranger_key().verifier())),
        ("ledger-id.txt".to_owned(), line(&scene::Scene::default().ledger_id())),
        ("values.json".to_owned(), values::document().into_bytes()),
    ];
    let mut rows = Vec::new();
    for case in cases::all() {
        rows.push(format!("{} {} {} {}", case.name, case.exit, case.step, case.trust));
        files.push((format!("exhibits/{}.zip", case.name), case.zip));
    }
    files.push(list("exhibits/cases.txt", "name exit step trust", rows));
    files.extend(exhibit_lists());
    files.extend(log_files());
    files
}

/// A list: what its columns are, and a line for each row.
fn list(path: &str, columns: &str, rows: impl IntoIterator<Item = String>) -> (String, Vec<u8>) {
    let rows: String = rows.into_iter().map(|row| format!("{row}\n")).collect();
    (path.to_owned(), format!("# {columns}\n{rows}").into_bytes())
}

fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// What is said of exhibits beside exit code and step, and of single values.
fn exhibit_lists() -> Vec<(String, Vec<u8>)> {
    let folder = |case: folders::FolderCase| {
        let folders::FolderCase { name, exit, step, zip, deed } = case;
        format!("{name} {exit} {step} {zip} {deed}")
    };
    let recording = |line: declared::Line| {
        let declared::Line { exhibit, index, bytes, companions, odd, .. } = line;
        let (measured, after) = (or_dash(line.measured_ms), or_dash(line.sealed_after_ms));
        format!("{exhibit} {index} {bytes} {companions} {measured} {after} {odd}")
    };
    let folders = folders::folders().into_iter().map(folder);
    let recordings = declared::lines().into_iter().map(recording);
    let left_out =
        declared::LEFT_OUT.iter().map(|(e, n, file, why)| format!("{e} {n} {file} {why}"));
    let noticed =
        declared::NOTICED.iter().map(|(e, n, count, first)| format!("{e} {n} {count} {first}"));
    let told = told::TOLD.iter().map(|line| {
        let told::Told { exhibit, index, called: [id, conversation, key], withheld, beside } = line;
        format!("{exhibit} {index} {id} {conversation} {key} {withheld} {beside}")
    });
    let replaced =
        replaced::REPLACEMENTS.iter().map(|(e, n, old, bytes)| format!("{e} {n} {old} {bytes}"));
    let headlines = lists::HEADLINES.iter().map(|(exhibit, blame)| format!("{exhibit} {blame}"));
    let axes = lists::AXES.iter().map(|(exhibit, axes)| format!("{exhibit} {axes}"));
    let tiles =
        lists::TILE_PATHS.iter().map(|(l, n, width, path)| format!("{l} {n} {width} {path}"));
    let times = declared::TIMES.iter().map(|(text, ms)| format!("{} {text}", or_dash(*ms)));
    let line = "exhibit entry bytes companions measured-ms sealed-after-ms odd";
    vec![
        list("exhibits/folders.txt", "name exit step exhibit deed", folders),
        list("exhibits/recordings.txt", line, recordings),
        list("exhibits/left-out.txt", "exhibit entry file why", left_out),
        list("exhibits/noticed.txt", "exhibit entry count first", noticed),
        list("exhibits/told.txt", "exhibit entry id conversation key withheld beside", told),
        list("exhibits/replacements.txt", "exhibit entry superseded bytes companions", replaced),
        list("exhibits/headlines.txt", "exhibit blame", headlines),
        list("exhibits/axes.txt", "exhibit axes", axes),
        list("tile-paths.txt", "level number width path", tiles),
        list("declared-times.txt", "milliseconds since 1970, or -, and the text", times),
    ]
}

fn log_files() -> Vec<(String, Vec<u8>)> {
    let (mut files, mut rows) = (Vec::new(), Vec::new());
    for logs::LogCase { name, exit, step, trust, since, files: log } in logs::logs() {
        let kept = or_dash(since.as_ref().map(|_| format!("{name}.since")));
        files.extend(since.map(|note| (format!("logs/{kept}"), note.into_bytes())));
        rows.push(format!("{name} {exit} {step} {trust} {kept}"));
        files.extend(log.into_iter().map(|(path, bytes)| (format!("logs/{name}/{path}"), bytes)));
    }
    files.push(list("logs/cases.txt", "name exit step trust since", rows));
    let objects = objects::OBJECTS.iter();
    let rows = objects.clone().map(|(name, _, row)| format!("{name} {row}"));
    files.push(list("logs/objects.txt", "object log openings exit answer", rows));
    files.extend(objects.map(|(name, bytes, _)| (format!("logs/objects/{name}"), bytes())));
    let opening = |(path, text): (String, String)| (format!("logs/{path}"), text.into_bytes());
    files.extend(objects::openings().into_iter().map(opening));
    files
}

/// Writes every vector below `folder`.
///
/// # Errors
/// Those of the file system.
pub fn write(folder: &Path) -> std::io::Result<()> {
    for (path, bytes) in files() {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, bytes)?;
    }
    Ok(())
}
