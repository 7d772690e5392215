//! Shows a verdict: one honest headline, a text for people, a document for machines.

mod document;
mod explain;
mod headline;
mod lines;
mod schedule;
#[cfg(test)]
mod tests;
mod text;

use unbroken_evidence::trust::FOREIGN_KEYS;
use unbroken_evidence::verdict::Verdict;

pub use self::document::{Document, document};
pub use self::headline::headline;
pub use self::schedule::{cell, schedule};
pub use self::text::{Colour, Detail, text};

/// What was verified, by whom and how: it stands above every verdict.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The package, log or object, as it was given; safe to print.
    pub name: String,
    /// SHA-256 of the package, where it is one file.
    pub sha256: Option<String>,
    /// Each anchor as it was understood; empty where none was given.
    pub anchors: Vec<String>,
    /// Name, version and SHA-256 of the verifier itself.
    pub verifier: String,
    /// The command as it was typed; safe to print.
    pub command: String,
    /// When, UTC.
    pub at: String,
}

impl Identity {
    /// Its lines: a word, and what stands for it.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let anchors = if self.anchors.is_empty() {
            "none was given".to_owned()
        } else {
            self.anchors.join(", ")
        };
        let mut lines = vec![("checked", self.name.clone())];
        lines.extend(self.sha256.clone().map(|sha256| ("sha-256", sha256)));
        lines.push(("anchor", anchors));
        lines.push(("verifier", self.verifier.clone()));
        lines.push(("command", self.command.clone()));
        lines.push(("at", self.at.clone()));
        lines
    }
}

/// The sentence on signature lines of keys that nobody asked to verify, if there are any.
#[must_use]
pub fn foreign_keys(verdict: &Verdict) -> Option<&str> {
    let notes = verdict.axes().iter().flat_map(|axis| &axis.notes);
    notes.map(String::as_str).find(|note| note.starts_with(FOREIGN_KEYS))
}

/// Indices of entries.
fn indices(entries: &[u64], between: &str) -> String {
    entries.iter().map(u64::to_string).collect::<Vec<_>>().join(between)
}

/// A number with its noun.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        _ => format!("{count} {noun}s"),
    }
}
