//! On which terms an exhibit is made, and what came of it.

use std::collections::BTreeSet;

use unbroken_evidence::body::Recording;
use unbroken_evidence::disclosed::Disclosed;
use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::opening::{Position, VerifiedOpening};
use unbroken_evidence::vocabulary::{companion, sidecar};

use crate::error::ExhibitError;
use crate::exposed::Exposed;

/// Whether recordings are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// With their bytes.
    Recordings,
    /// Only what is said of them.
    EntriesOnly,
}

/// A value that is withheld, with its name shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Withhold {
    /// Its source, `sidecar` for instance.
    pub source: String,
    /// Its pointer.
    pub pointer: String,
}

/// A value that was withheld from one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    /// The entry.
    pub index: u64,
    /// What was withheld.
    pub what: Withhold,
}

impl Redaction {
    pub(crate) fn of(index: u64, value: &Value) -> Self {
        let Value { source, pointer, .. } = value.clone();
        Self { index, what: Withhold { source, pointer } }
    }
}

/// What is packed, and what is kept back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whether recordings are packed.
    pub packing: Packing,
    /// Values of recordings that are withheld.
    pub withhold: Vec<Withhold>,
}

/// What an exhibit shows, and what it could not.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// Entries shown, control entries and `produced` included.
    pub entries: u64,
    /// Subjects shown.
    pub subjects: u64,
    /// Recording files packed.
    pub packed: u64,
    /// The index of the `produced` entry.
    pub produced: u64,
    /// Recordings whose bytes differ from their newest entry: not packed.
    pub differing: Vec<String>,
    /// Recordings and companions that are not packed for another reason.
    pub missing: Vec<String>,
    /// Entries shown that their policy found incomplete, and that nothing supersedes.
    pub incomplete: u64,
    /// SHA-256 of the .zip, where it is one.
    pub sha256: Option<Hash>,
    /// Values that were withheld.
    pub redactions: Vec<Redaction>,
    /// Those of them that can be read elsewhere in it.
    pub exposed: Vec<Exposed>,
}

impl Made {
    /// The exit code: 1 a difference, 2 something not packed or incomplete, otherwise 0.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if !self.differing.is_empty() {
            1
        } else if self.missing.is_empty() && self.incomplete == 0 {
            0
        } else {
            2
        }
    }
}

/// What an exhibit is held against, and cannot be without: sources, or a source and a pointer.
const NEEDED: &[(&str, Option<&str>)] =
    &[("content", None), ("companion", None), ("pad", None), ("object", Some("/version"))];

impl Withhold {
    /// Whether an exhibit can be without this value.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        !NEEDED.iter().any(|(source, pointer)| {
            self.source == *source && pointer.is_none_or(|pointer| self.pointer == pointer)
        })
    }
}

impl Terms {
    /// A value that was asked to be withheld and cannot be.
    pub(crate) fn needed(&self) -> Option<&Withhold> {
        self.withhold.iter().find(|name| !name.is_possible())
    }

    /// What is withheld of one entry: what was asked for, and what would give it away. A metadata file
    /// whose values are withheld in part is not handed over, nor its digest: the rest of it is known, and
    /// a telephone number is guessed by trying all of them.
    pub(crate) fn withheld_of(
        &self,
        recording: &Recording,
        opening: &VerifiedOpening,
    ) -> BTreeSet<Withhold> {
        let is_shown =
            |withhold: &&Withhold| opening.value(&withhold.source, &withhold.pointer).is_some();
        let mut names: BTreeSet<Withhold> =
            self.withhold.iter().filter(is_shown).cloned().collect();
        let mut shown = opening.opening().positions.iter().filter_map(Position::name);
        let is_read = shown.any(|(source, _)| source == sidecar::SOURCE);
        let asks = self.withhold.iter().any(|name| name.source == sidecar::SOURCE);
        let is_named = names.iter().any(|name| name.source == sidecar::SOURCE);
        let disclosed = Disclosed::of(recording, Some(opening));
        for (number, held) in disclosed.companions() {
            // A metadata file that became no fields may hold every value that was named.
            let kept_back = match held.role.as_deref() {
                Some(sidecar::SOURCE) => is_named || asks && !is_read,
                Some(role) => asks && role.starts_with(sidecar::SOURCE),
                None => asks,
            };
            if kept_back {
                names.extend([companion::SHA256, companion::SIZE].map(|name| Withhold {
                    source: companion::SOURCE.to_owned(),
                    pointer: format!("/{number}/{name}"),
                }));
            }
        }
        names
    }

    /// The opening of the recording entry at `index` with what is withheld of it, and the values that were
    /// shown there.
    pub(crate) fn redact(
        &self,
        index: u64,
        opening: VerifiedOpening,
        recording: &Recording,
    ) -> Result<(VerifiedOpening, Vec<Value>), ExhibitError> {
        let names = self.withheld_of(recording, &opening);
        if names.is_empty() {
            return Ok((opening, Vec::new()));
        }
        let mut shown = opening.opening().clone();
        let mut values = Vec::new();
        for position in &mut shown.positions {
            let Position::Shown(field) = position else { continue };
            let Value { source, pointer, .. } = field.value.clone();
            if names.contains(&Withhold { source, pointer }) {
                let withheld = Position::Withheld(field.withhold());
                if let Position::Shown(field) = std::mem::replace(position, withheld) {
                    values.push(field.value);
                }
            }
        }
        let verified = shown.verify(&recording.fields);
        Ok((verified.map_err(|_| ExhibitError::LostOpening { index })?, values))
    }
}
