//! What a `produced` entry commits to (spec/exhibit.md): the bag's own files, the history of each
//! subject, every shown index, and why files are not packed.

use std::collections::BTreeMap;

use crate::body::Subject;
use crate::entry::left_out::{self, LeftOut};
use crate::field::{FieldType, Value, pointer_segment};
use crate::hash::Hash;
use crate::limits::ITEM_PART_MAX;
use crate::narrow::decimal;
use crate::opening::VerifiedOpening;

/// The source of the digests of the bag's own files.
const SOURCE: &str = "produced";
/// The source of the histories.
const ITEM: &str = "item";
/// The source of what was asked for.
const SELECTION: &str = "selection";
/// The source of the list of shown indices.
const SHOWN: &str = "shown";

/// The bag files that a `produced` entry covers.
pub const COVERED: [&str; 4] = ["bag-info.txt", "bagit.txt", "fetch.txt", "manifest-sha256.txt"];

/// What a `produced` entry says, ready to be committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Produced {
    /// The SHA-256 of each covered file; `None` for a `fetch.txt` that is not there.
    pub files: BTreeMap<String, Option<Hash>>,
    /// The indices of each shown subject, ascending.
    pub subjects: BTreeMap<Subject, Vec<u64>>,
    /// Every shown index below the entry itself, ascending.
    pub shown: Vec<u64>,
    /// What is not packed, and why.
    pub left_out: LeftOut,
    /// What was asked for, by pointer, in the producer's words; nothing is held against it.
    pub selection: BTreeMap<String, String>,
}

impl Produced {
    /// The values to commit.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        let mut values = Vec::new();
        for (path, digest) in &self.files {
            let pointer = pointer_segment(path);
            values.push(match digest {
                Some(digest) => Value::string(SOURCE, &pointer, &digest.to_string()),
                None => Value::new(SOURCE, &pointer, FieldType::Null, "null"),
            });
        }
        for (subject, indices) in &self.subjects {
            for (part, text) in parts(indices).enumerate() {
                values.push(Value::string(ITEM, &format!("/{subject}/{part}"), &text));
            }
        }
        for (part, text) in parts(&self.shown).enumerate() {
            values.push(Value::string(SHOWN, &format!("/{part}"), &text));
        }
        values.extend(self.left_out.iter().map(|(file, reason)| left_out::value(*file, reason)));
        let asked = self.selection.iter();
        values.extend(asked.map(|(pointer, text)| Value::string(SELECTION, pointer, text)));
        values
    }

    /// Reads what an opened entry says.
    ///
    /// # Errors
    /// The field that breaks the form of its source.
    pub fn read(opening: &VerifiedOpening) -> Result<Self, String> {
        let mut produced = Self::default();
        let mut subjects: BTreeMap<Subject, Parts> = BTreeMap::new();
        let mut shown = Parts::default();
        for field in opening.fields() {
            let value = &field.value;
            let refused = || format!("{}{}: {}", value.source, value.pointer, value.value);
            let rest = value.pointer.strip_prefix('/').unwrap_or_default();
            match value.source.as_str() {
                SOURCE if COVERED.contains(&rest) => {
                    let digest = match value.field_type {
                        FieldType::Null => None,
                        FieldType::String => {
                            Some(Hash::from_hex(&value.value).ok_or_else(refused)?)
                        }
                        _ => return Err(refused()),
                    };
                    produced.files.insert(rest.to_owned(), digest);
                }
                ITEM => {
                    let (subject, part) = rest.split_once('/').ok_or_else(refused)?;
                    let subject = Subject::from_hex(subject).ok_or_else(refused)?;
                    subjects.entry(subject).or_default().take(part, value).ok_or_else(refused)?;
                }
                SHOWN => shown.take(rest, value).ok_or_else(refused)?,
                SELECTION => {
                    produced.selection.insert(value.pointer.clone(), value.value.clone());
                }
                left_out::SOURCE => produced.left_out.extend(left_out::read(value)),
                _ => {}
            }
        }
        produced.shown = shown
            .whole()
            .ok_or_else(|| format!("{SHOWN}: not ascending, or parts not from 0 in a row"))?;
        for (subject, parts) in subjects {
            let refused =
                || format!("{ITEM}/{subject}: not ascending, or parts not from 0 in a row");
            let indices = parts.whole().ok_or_else(refused)?;
            produced.subjects.insert(subject, indices);
        }
        Ok(produced)
    }
}

/// Indices in parts of at most 4,096, joined by commas.
fn parts(indices: &[u64]) -> impl Iterator<Item = String> {
    indices.chunks(ITEM_PART_MAX).map(|part| {
        let decimals: Vec<String> = part.iter().map(u64::to_string).collect();
        decimals.join(",")
    })
}

/// Parts as they are read, by their number.
#[derive(Default)]
struct Parts(BTreeMap<u64, Vec<u64>>);

impl Parts {
    fn take(&mut self, part: &str, value: &Value) -> Option<()> {
        let indices: Option<Vec<u64>> = value.value.split(',').map(decimal).collect();
        let indices = indices.filter(|indices| indices.len() <= ITEM_PART_MAX)?;
        let fits = value.field_type == FieldType::String;
        let new = fits && self.0.insert(decimal(part)?, indices).is_none();
        new.then_some(())
    }

    fn whole(self) -> Option<Vec<u64>> {
        let in_row = self.0.keys().copied().eq(0..self.0.len() as u64);
        let indices: Vec<u64> = self.0.into_values().flatten().collect();
        (in_row && indices.is_sorted_by(|a, b| a < b)).then_some(indices)
    }
}
