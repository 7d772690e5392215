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
    let mut index = String::from("# name exit step trust\n");
    for case in cases::all() {
        index.push_str(&format!("{} {} {} {}\n", case.name, case.exit, case.step, case.trust));
        files.push((format!("exhibits/{}.zip", case.name), case.zip));
    }
    files.push(("exhibits/cases.txt".to_owned(), index.into_bytes()));
    let mut index = String::from("# name exit step exhibit deed\n");
    for folders::FolderCase { name, exit, step, zip, deed } in folders::folders() {
        index.push_str(&format!("{name} {exit} {step} {zip} {deed}\n"));
    }
    files.push(("exhibits/folders.txt".to_owned(), index.into_bytes()));
    let mut index = String::from("# exhibit entry file why\n");
    for (exhibit, entry, file, why) in declared::LEFT_OUT {
        index.push_str(&format!("{exhibit} {entry} {file} {why}\n"));
    }
    let mut noticed = String::from("# exhibit entry count first\n");
    for (exhibit, entry, count, first) in declared::NOTICED {
        noticed.push_str(&format!("{exhibit} {entry} {count} {first}\n"));
    }
    files.push(("exhibits/noticed.txt".to_owned(), noticed.into_bytes()));
    files.push(("exhibits/left-out.txt".to_owned(), index.into_bytes()));
    let mut index = String::from("# exhibit entry superseded bytes\n");
    for (exhibit, entry, superseded, bytes) in replaced::REPLACEMENTS {
        index.push_str(&format!("{exhibit} {entry} {superseded} {bytes}\n"));
    }
    files.push(("exhibits/replacements.txt".to_owned(), index.into_bytes()));
    files.push(("exhibits/recordings.txt".to_owned(), recordings().into_bytes()));
    let mut index = String::from("# exhibit blame\n");
    for (name, blame) in lists::HEADLINES {
        index.push_str(&format!("{name} {blame}\n"));
    }
    files.push(("exhibits/headlines.txt".to_owned(), index.into_bytes()));
    let mut index = String::from("# exhibit axes\n");
    for (name, axes) in lists::AXES {
        index.push_str(&format!("{name} {axes}\n"));
    }
    files.push(("exhibits/axes.txt".to_owned(), index.into_bytes()));
    let mut index = String::from("# level number width path\n");
    for (level, number, width, path) in lists::TILE_PATHS {
        index.push_str(&format!("{level} {number} {width} {path}\n"));
    }
    files.push(("tile-paths.txt".to_owned(), index.into_bytes()));
    files.push(("declared-times.txt".to_owned(), declared_times().into_bytes()));
    files.extend(log_files());
    files
}

fn recordings() -> String {
    let mut index =
        String::from("# exhibit entry bytes companions measured-ms sealed-after-ms odd\n");
    let or_dash = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
    for line in declared::lines() {
        let measured = or_dash(line.measured_ms.and_then(|ms| i64::try_from(ms).ok()));
        let declared::Line { exhibit, index: entry, bytes, companions, odd, .. } = line;
        let after = or_dash(line.sealed_after_ms);
        index.push_str(&format!(
            "{exhibit} {entry} {bytes} {companions} {measured} {after} {odd}\n"
        ));
    }
    index
}

fn declared_times() -> String {
    let mut index = String::from("# milliseconds since 1970, or -, and the text\n");
    for (text, ms) in declared::TIMES {
        let ms = ms.map_or_else(|| "-".to_owned(), |ms| ms.to_string());
        index.push_str(&format!("{ms} {text}\n"));
    }
    index
}

fn log_files() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut index = String::from("# name exit step trust since\n");
    for case in logs::logs() {
        let since =
            case.since.as_ref().map_or_else(|| "-".to_owned(), |_| format!("{}.since", case.name));
        index.push_str(&format!(
            "{} {} {} {} {since}\n",
            case.name, case.exit, case.step, case.trust
        ));
        let inside = |(path, bytes)| (format!("logs/{}/{path}", case.name), bytes);
        files.extend(case.files.into_iter().map(inside));
        files.extend(case.since.map(|note| (format!("logs/{since}"), note.into_bytes())));
    }
    files.push(("logs/cases.txt".to_owned(), index.into_bytes()));
    let mut index = String::from("# object log openings exit answer\n");
    for (name, bytes, row) in objects::OBJECTS {
        index.push_str(&format!("{name} {row}\n"));
        files.push((format!("logs/objects/{name}"), bytes()));
    }
    files.push(("logs/objects.txt".to_owned(), index.into_bytes()));
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
