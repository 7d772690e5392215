//! Entries: what a collector or a control key states, as a signed note (spec/entry.md).

use crate::body::{Body, ERASURE, Rel, Subject};
use crate::error::FormError;
use crate::hash::Hash;
use crate::key::{VerifierKey, check_name};
use crate::limits::ENTRY_TEXT_BYTES_MAX;
use crate::members::Members;
use crate::narrow;
use crate::note::{Note, SignatureCheck};
use crate::time::Time;
use crate::tree::leaf_hash;

/// The first line of every entry.
pub const FIRST_LINE: &str = "unbroken/entry@v1";

/// An entry as read: well formed, its signature not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedEntry {
    note: Note,
    leaf: Hash,
    statement: Statement,
}

/// What an entry states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// When the signer's clock says the text was made; it orders nothing.
    pub at: Time,
    /// What it says.
    pub body: Body,
    /// The leaf of the newest control entry below; absent in entry 0 only.
    pub control: Option<Hash>,
    /// SHA-256 of the signer's verifier key string.
    pub key: Hash,
    /// The kind's name.
    pub kind: String,
    /// Its place in the key's own chain.
    pub number: u64,
    /// The log that it was made for.
    pub origin: String,
    /// SHA-256 of the key's previous text; absent at number 0.
    pub previous: Option<Hash>,
    /// The signer's key name.
    pub signer: String,
    /// The recording that it is about.
    pub subject: Option<Subject>,
}

impl UnverifiedEntry {
    /// Reads an entry. Its bytes are the one encoding of what it says.
    ///
    /// # Errors
    /// `Malformed` for a broken form, `Unsupported` for another version, or an unknown member or
    /// value in a known kind. An unknown kind is read as [`Body::Unknown`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let note = Note::parse(bytes)?;
        let text = note.text();
        if text.len() > ENTRY_TEXT_BYTES_MAX {
            let found = format!("{} bytes", text.len());
            return Err(FormError::malformed("entry text", "at most 16384 bytes", &found));
        }
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        if first != FIRST_LINE {
            return Err(if first.starts_with("unbroken/entry@") {
                FormError::unsupported("entry version", first)
            } else {
                FormError::malformed("entry first line", FIRST_LINE, first)
            });
        }
        let Some(line) = rest.strip_suffix('\n').filter(|line| !line.contains('\n')) else {
            return Err(FormError::malformed("entry text", "two lines", rest));
        };
        let statement = Statement::parse(line)?;
        let [signature] = note.signatures() else {
            let found = note.signatures().len().to_string();
            return Err(FormError::malformed("entry", "exactly one signature line", &found));
        };
        if signature.name != statement.signer {
            let expected = format!("the signer's name {}", statement.signer);
            return Err(FormError::malformed("entry signature line", expected, &signature.name));
        }
        if signature.signature.len() != 64 {
            let found = format!("{} bytes", signature.signature.len());
            return Err(FormError::malformed("entry signature", "64 bytes", &found));
        }
        let leaf = leaf_hash(bytes);
        Ok(Self { note, leaf, statement })
    }

    /// SHA-256(0x00 || the whole note).
    #[must_use]
    pub const fn leaf(&self) -> Hash {
        self.leaf
    }

    /// SHA-256 of the text: what the next entry of this key calls `previous`.
    #[must_use]
    pub fn text_hash(&self) -> Hash {
        Hash::of(&[self.note.text().as_bytes()])
    }

    /// The signed text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.note.text()
    }

    /// The signature, unverified.
    #[must_use]
    pub fn signature(&self) -> [u8; 64] {
        let line = self.note.signatures().first();
        let bytes = line.and_then(|line| line.signature.as_slice().try_into().ok());
        bytes.unwrap_or([0; 64])
    }

    /// What it states, unverified.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Checks that `key` made it: its hash stands in the text, and its signature holds.
    ///
    /// # Errors
    /// What does not agree; a key of another name or hash is `Absent`.
    pub fn verify(self, key: &VerifierKey) -> Result<VerifiedEntry, SignatureCheck> {
        if self.statement.key != key.hash() || self.statement.signer != key.name() {
            return Err(SignatureCheck::Absent);
        }
        match self.note.check(key) {
            SignatureCheck::Valid => Ok(VerifiedEntry { entry: self }),
            failed => Err(failed),
        }
    }
}

/// An entry whose signature was verified; only [`UnverifiedEntry::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEntry {
    entry: UnverifiedEntry,
}

impl VerifiedEntry {
    /// The entry.
    #[must_use]
    pub const fn entry(&self) -> &UnverifiedEntry {
        &self.entry
    }

    /// What it states.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.entry.statement
    }
}

impl Statement {
    /// Reads the JSON line of an entry.
    ///
    /// # Errors
    /// As [`UnverifiedEntry::parse`].
    pub fn parse(line: &str) -> Result<Self, FormError> {
        let value = narrow::parse(line)?;
        let mut members = Members::of("entry", &value)?;
        let at = Time::parse(members.string("at")?)?;
        let control = members.optional_hash("control")?;
        let kind = members.string("kind")?.to_owned();
        let body = Body::parse(&kind, members.required("body")?, control.is_none())?;
        let key = members.hash("key")?;
        let number = members.integer("number")?;
        let origin = members.string("origin")?.to_owned();
        let previous = members.optional_hash("previous")?;
        let signer = members.string("signer")?.to_owned();
        let subject = match members.optional("subject") {
            None => None,
            Some(value) => Some(subject(value.as_str().unwrap_or_default())?),
        };
        members.finish()?;
        let statement =
            Self { at, body, control, key, kind, number, origin, previous, signer, subject };
        statement.check()?;
        Ok(statement)
    }

    fn check(&self) -> Result<(), FormError> {
        check_name(&self.origin, "entry origin")?;
        check_name(&self.signer, "entry signer")?;
        let refused = |item: &str, expected: &str, found: &str| {
            Err(FormError::malformed(format!("entry {item}"), expected, found))
        };
        if self.previous.is_some() != (self.number > 0) {
            return refused(
                "previous",
                "present, and absent at number 0",
                &self.number.to_string(),
            );
        }
        if self.control.is_none() && (self.kind != "control" || self.number != 0) {
            return refused("control", "present in every entry but entry 0", "none");
        }
        let subject_rule = match self.kind.as_str() {
            "recording" => Some(true),
            "control" | "pass" | "policy" | "produced" => Some(false),
            _ => None,
        };
        if subject_rule.is_some_and(|required| required != self.subject.is_some()) {
            return refused("subject", "one in `recording`, none in this kind", &self.kind);
        }
        let refs = self.body.refs();
        let erases = refs.iter().filter(|r| r.rel == Rel::Erases).count();
        if self.kind == ERASURE && (erases != 1 || refs.len() != 1) {
            return refused("refs", "exactly one, with rel `erases`", &refs.len().to_string());
        }
        Ok(())
    }
}

fn subject(text: &str) -> Result<Subject, FormError> {
    let refused = || FormError::malformed("entry subject", "32 lower-case hex digits", text);
    Subject::from_hex(text).ok_or_else(refused)
}
