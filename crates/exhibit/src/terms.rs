//! On which terms an exhibit is made, and what came of it.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Its value, which nobody is shown.
    pub value: String,
}

impl Redaction {
    pub(crate) fn of(index: u64, value: &Value) -> Self {
        let Value { source, pointer, value, .. } = value.clone();
        Self { index, what: Withhold { source, pointer }, value }
    }
}

/// What is packed, and what is kept back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whether recordings are packed.
    pub packing: Packing,
    /// Values of recordings that are withheld.
    pub withhold: Vec<Withhold>,
    /// What was asked for, by pointer (spec/exhibit.md X23).
    pub selection: BTreeMap<String, String>,
    /// Runs that are shown beside those in which something shown was sealed: what they listed was there.
    pub passes: Vec<u64>,
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
    /// What was asked for by an id that no recording has, made safe to print.
    pub not_found: Vec<String>,
    /// Recordings of the same conversations that were not asked for, made safe to print: conversation and
    /// recording.
    pub beside: Vec<(String, String)>,
    /// SHA-256 of the .zip, where it is one.
    pub sha256: Option<Hash>,
    /// Values that were withheld.
    pub redactions: Vec<Redaction>,
    /// Those of them that can be read elsewhere in it.
    pub exposed: Vec<Exposed>,
}

impl Made {
    /// The exit code: 1 a difference, 2 something not packed, not found or incomplete, otherwise 0.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if !self.differing.is_empty() {
            1
        } else if self.missing.is_empty() && self.incomplete == 0 && self.not_found.is_empty() {
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
    /// whose values are withheld in part is not handed over, nor its digest, nor its ETag, which is a digest
    /// too: the rest of it is known, and a telephone number is guessed by trying all of them.
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
                let telling = [companion::SHA256, companion::SIZE, companion::ETAG];
                names.extend(telling.map(|name| Withhold {
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

#[cfg(test)]
mod tests {
    use unbroken_evidence::body::{Content, Media};
    use unbroken_evidence::field::FieldSet;
    use unbroken_evidence::opening::Opening;

    use super::*;

    /// The ETag of a metadata file was shown beside its withheld digest: its MD5, for whoever tries names.
    #[test]
    fn no_digest_of_a_metadata_file_is_shown_beside_its_withheld_values() {
        let digest = Hash::of(&[b"file"]).to_string();
        let values = vec![
            Value::string("sidecar", "/name", "Ada"),
            Value::string("sidecar", "/note", "n"),
            Value::string("companion", "/0/key", "r-1.json"),
            Value::string("companion", "/0/role", "sidecar"),
            Value::string("companion", "/0/sha256", &digest),
            Value::number("companion", "/0/size", 27),
            Value::string("companion", "/0/etag", "93a197b0ed3703726abf0a04b9efb22f"),
        ];
        let mut salt = 0;
        let set = FieldSet::seal(values, &mut || {
            salt += 1;
            [salt; 16]
        });
        let hash = Hash::of(&[]);
        let content =
            Content { blake3: None, block_bytes: 4096, block_root: hash, sha256: None, size: 7 };
        let fields = set.commitment();
        let recording =
            Recording { completeness: None, content, fields, media: Media::Call, refs: vec![] };
        let opening = Opening::of(set, None).verify(&fields).unwrap();
        let name = |source: &str, pointer: &str| Withhold {
            source: source.to_owned(),
            pointer: pointer.to_owned(),
        };
        let withhold = vec![name("sidecar", "/name")];
        let terms = Terms {
            packing: Packing::Recordings,
            withhold,
            selection: BTreeMap::new(),
            passes: vec![],
        };
        let (shown, _) = terms.redact(3, opening, &recording).unwrap();
        let left: Vec<&str> = shown.fields().map(|field| &*field.value.pointer).collect();
        assert!(
            !left
                .iter()
                .any(|pointer| ["/name", "/0/sha256", "/0/size", "/0/etag"].contains(pointer))
        );
        assert!(left.contains(&"/note") && left.contains(&"/0/key") && left.contains(&"/0/role"));
    }
}
