//! What a recording entry discloses: read once from its clear values and its opening.

use std::collections::BTreeMap;

use crate::body::Recording;
use crate::declared::Declared;
use crate::field::Value;
use crate::hash::Hash;
use crate::narrow::decimal;
use crate::opening::VerifiedOpening;
use crate::vocabulary::{companion, content, finding, object, recording};

/// What an entry and its verified opening say of a recording; only verified values get here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disclosed {
    sha256: Option<Hash>,
    blake3: Option<Hash>,
    size: u64,
    /// Opened values that are not those in the clear: pointer, clear, opened.
    differing: Vec<(&'static str, String, String)>,
    compared: u64,
    /// Content fields that are neither shown nor withheld, and those that are withheld.
    missing: Vec<&'static str>,
    withheld: Vec<&'static str>,
    block_key: Option<[u8; 32]>,
    object: Object,
    names: Names,
    companions: BTreeMap<u64, Companion>,
    declared: Declared,
    findings: Vec<String>,
    hides_companions: bool,
}

/// Where the bytes were, as far as it is disclosed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// The kind of store.
    pub store: Option<String>,
    /// The bucket, or the name of a folder's source.
    pub bucket: Option<String>,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The version; empty where the store has none.
    pub version: Option<String>,
    /// Whether it was not the current version when it was read.
    pub noncurrent: bool,
}

/// What the recording is called, as far as it is disclosed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The conversation that it belongs to.
    pub conversation: Option<String>,
    /// Its own id.
    pub id: Option<String>,
    /// The conversation, as the path says.
    pub path_conversation: Option<String>,
    /// Its id, as the file's name says.
    pub path_id: Option<String>,
}

impl Names {
    /// Whether path and metadata name another conversation or another recording.
    #[must_use]
    pub fn differ(&self) -> bool {
        let pairs = [(&self.conversation, &self.path_conversation), (&self.id, &self.path_id)];
        pairs.iter().any(|(said, path)| said.is_some() && path.is_some() && said != path)
    }
}

/// An object that belongs to the recording, as far as it is disclosed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Companion {
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// What it is to the recording.
    pub role: Option<String>,
    /// SHA-256 of its bytes.
    pub sha256: Option<Hash>,
    /// The number of its bytes.
    pub size: Option<u64>,
    /// Its version.
    pub version: Option<String>,
}

impl Disclosed {
    /// What `entry` says of a recording together with its opening, if there is one.
    #[must_use]
    pub fn of(entry: &Recording, opening: Option<&VerifiedOpening>) -> Self {
        let clear = &entry.content;
        let mut disclosed = Self {
            sha256: clear.sha256,
            blake3: clear.blake3,
            size: clear.size,
            hides_companions: opening.is_none_or(|opening| opening.closed() > 0),
            missing: content::ALL.to_vec(),
            ..Self::default()
        };
        let Some(opening) = opening else { return disclosed };
        disclosed.block_key = opening.opening().block_key;
        for (source, pointer) in opening.withheld() {
            disclosed.withheld(source, pointer);
        }
        for field in opening.fields() {
            disclosed.value(&field.value);
        }
        disclosed
    }

    fn withheld(&mut self, source: &str, pointer: &str) {
        match source {
            content::SOURCE => {
                self.withheld.extend(self.missing.extract_if(.., |known| *known == pointer));
            }
            companion::SOURCE => {
                if let Some((number, name)) = numbered(pointer) {
                    self.companions.entry(number).or_default();
                    self.hides_companions |= name == companion::SHA256;
                }
            }
            _ => {}
        }
    }

    fn value(&mut self, value: &Value) {
        let text = || Some(value.value.clone());
        match (value.source.as_str(), value.pointer.as_str()) {
            (content::SOURCE, pointer) => self.content(pointer, &value.value),
            (object::SOURCE, object::STORE) => self.object.store = text(),
            (object::SOURCE, object::BUCKET) => self.object.bucket = text(),
            (object::SOURCE, object::KEY) => self.object.key = Some(value.to_bytes()),
            (object::SOURCE, object::VERSION) => self.object.version = text(),
            (object::SOURCE, object::NONCURRENT) => self.object.noncurrent = true,
            (recording::SOURCE, recording::CONVERSATION) => self.names.conversation = text(),
            (recording::SOURCE, recording::ID) => self.names.id = text(),
            (recording::SOURCE, recording::PATH_CONVERSATION) => {
                self.names.path_conversation = text();
            }
            (recording::SOURCE, recording::PATH_ID) => self.names.path_id = text(),
            (finding::SOURCE, _) => self.findings.push(value.value.clone()),
            (companion::SOURCE, pointer) => self.companion(pointer, value),
            (source, pointer) => self.declared.take(source, pointer, &value.value),
        }
    }

    /// Takes a content field in, and holds it against what stands in the clear.
    fn content(&mut self, pointer: &str, value: &str) {
        let Some(known) = content::ALL.into_iter().find(|known| *known == pointer) else { return };
        self.missing.retain(|missing| *missing != known);
        let clear = match known {
            content::SHA256 => self.sha256.map(|hash| hash.to_string()),
            content::BLAKE3 => self.blake3.map(|hash| hash.to_string()),
            _ => Some(self.size.to_string()),
        };
        match clear {
            Some(clear) => {
                self.compared += 1;
                if clear != value {
                    self.differing.push((known, clear, value.to_owned()));
                }
            }
            None if known == content::SHA256 => self.sha256 = Hash::from_hex(value),
            None => self.blake3 = Hash::from_hex(value),
        }
    }

    fn companion(&mut self, pointer: &str, value: &Value) {
        let Some((number, name)) = numbered(pointer) else { return };
        let companion = self.companions.entry(number).or_default();
        match name {
            companion::KEY => companion.key = Some(value.to_bytes()),
            companion::ROLE => companion.role = Some(value.value.clone()),
            companion::SHA256 => companion.sha256 = Hash::from_hex(&value.value),
            companion::SIZE => companion.size = decimal(&value.value),
            "version" => companion.version = Some(value.value.clone()),
            _ => {}
        }
    }

    /// SHA-256 of the stored bytes, in the clear or opened.
    #[must_use]
    pub const fn sha256(&self) -> Option<Hash> {
        self.sha256
    }

    /// BLAKE3 of the stored bytes, in the clear or opened.
    #[must_use]
    pub const fn blake3(&self) -> Option<Hash> {
        self.blake3
    }

    /// The number of stored bytes; it always stands in the clear.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The key of the block salts.
    #[must_use]
    pub const fn block_key(&self) -> Option<[u8; 32]> {
        self.block_key
    }

    /// Where the bytes were.
    #[must_use]
    pub const fn object(&self) -> &Object {
        &self.object
    }

    /// What the recording is called.
    #[must_use]
    pub const fn names(&self) -> &Names {
        &self.names
    }

    /// The companions by their number.
    #[must_use]
    pub const fn companions(&self) -> &BTreeMap<u64, Companion> {
        &self.companions
    }

    /// What is declared of its time.
    #[must_use]
    pub const fn declared(&self) -> &Declared {
        &self.declared
    }

    /// What the collector noticed.
    #[must_use]
    pub fn findings(&self) -> &[String] {
        &self.findings
    }

    /// Opened values that are not those in the clear: pointer, clear, opened; and how many were
    /// compared.
    #[must_use]
    pub fn differing(&self) -> (&[(&'static str, String, String)], u64) {
        (&self.differing, self.compared)
    }

    /// Content fields whose names are not shown, and those whose values are withheld.
    #[must_use]
    pub fn content_not_shown(&self) -> (&[&'static str], &[&'static str]) {
        (&self.missing, &self.withheld)
    }

    /// Whether there may be companions whose digest is not shown.
    #[must_use]
    pub const fn hides_companions(&self) -> bool {
        self.hides_companions
    }
}

/// The number and name of a pointer `/<n>/<name>`.
fn numbered(pointer: &str) -> Option<(u64, &str)> {
    let (number, name) = pointer.strip_prefix('/')?.split_once('/')?;
    Some((decimal(number)?, name))
}
