//! Writes the test vectors of `spec/vectors`: a small ledger and its exhibit, made by hand from
//! the specification, and copies of it with one fault each.
//!
//! Everything is deterministic: keys come from fixed seeds, salts from a counter.

pub mod cases;
pub mod container;
pub mod model;
pub mod scene;
mod signed;
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
    files
}

/// Writes every vector below `folder`.
///
/// # Errors
/// Those of the file system.
pub fn write(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("exhibits"))?;
    for (path, bytes) in files() {
        std::fs::write(folder.join(path), bytes)?;
    }
    Ok(())
}
