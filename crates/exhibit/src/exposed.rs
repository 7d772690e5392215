//! Values that are withheld in one place and stand in another: a conversation's id is in its metadata, and
//! in the key under which its recording was found.

use std::collections::BTreeMap;

use unbroken_evidence::body::Subject;
use unbroken_evidence::field::{FieldType, Value};
use unbroken_evidence::opening::VerifiedOpening;

use crate::terms::Withhold;

/// Shorter values are in everything, and say nothing.
const CHARACTERS_MIN: usize = 4;
const DIGITS_MIN: usize = 6;

/// A withheld value that can be read all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// The entry whose opening shows it.
    pub index: u64,
    /// What was withheld.
    pub withheld: Withhold,
    /// Where it can be read.
    pub place: Withhold,
}

/// The values that were withheld, by the recording that they are about.
#[derive(Debug, Default)]
pub(crate) struct WithheldValues(BTreeMap<Subject, Vec<Value>>);

impl WithheldValues {
    pub(crate) fn take(&mut self, subject: Option<Subject>, values: impl Iterator<Item = Value>) {
        let Some(subject) = subject else { return };
        let telling = values.filter(|value| match value.field_type {
            FieldType::String => value.value.chars().count() >= CHARACTERS_MIN,
            FieldType::Number => value.value.len() >= DIGITS_MIN,
            _ => false,
        });
        self.0.entry(subject).or_default().extend(telling);
    }

    /// Which of them an opening about the same recording shows elsewhere.
    pub(crate) fn read_in(
        &self,
        index: u64,
        subject: Option<Subject>,
        opening: &VerifiedOpening,
    ) -> Vec<Exposed> {
        let values = subject.and_then(|subject| self.0.get(&subject));
        let shown = opening.fields().map(|field| &field.value).filter(|shown| is_text(shown));
        let shown: Vec<&Value> = shown.collect();
        let pairs = values.into_iter().flatten().flat_map(|value| {
            shown
                .iter()
                .filter(|shown| shown.value.contains(&value.value))
                .map(move |shown| (value, shown))
        });
        let named = |value: &Value| Withhold {
            source: value.source.clone(),
            pointer: value.pointer.clone(),
        };
        pairs
            .map(|(value, shown)| Exposed { index, withheld: named(value), place: named(shown) })
            .collect()
    }
}

/// Digests and keys are hex, and hold no words.
fn is_text(value: &Value) -> bool {
    let is_digest = value.source == "content" || value.pointer.ends_with("/sha256");
    matches!(value.field_type, FieldType::String | FieldType::Number) && !is_digest
}
