//! Statements: what an entry of version 1 says, and the entry around it (spec/entry.md).

use crate::body::{Body, Rel, Subject};
use crate::entry::Envelope;
use crate::error::FormError;
use crate::hash::Hash;
use crate::key::{VerifierKey, check_name};
use crate::kind::{Kind, SubjectRule};
use crate::limits::ENTRY_TEXT_BYTES_MAX;
use crate::members::Members;
use crate::narrow;
use crate::note::SignatureCheck;
use crate::time::Time;

/// The first line of every entry of this version.
pub const FIRST_LINE: &str = "unbroken/entry@v1";

/// An entry as read: well formed, its signature not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedEntry {
    envelope: Envelope,
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
    /// Its kind.
    pub kind: Kind,
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
        Self::read(Envelope::parse(bytes)?).map_err(|(_, error)| error)
    }

    /// Reads what stands in an envelope; gives it back where that is not understood.
    ///
    /// # Errors
    /// As [`UnverifiedEntry::parse`].
    #[expect(clippy::result_large_err, reason = "the envelope is wanted back, not copied")]
    pub(crate) fn read(envelope: Envelope) -> Result<Self, (Envelope, FormError)> {
        match Statement::in_envelope(&envelope) {
            Ok(statement) => Ok(Self { envelope, statement }),
            Err(error) => Err((envelope, error)),
        }
    }

    /// SHA-256(0x00 || the whole note).
    #[must_use]
    pub const fn leaf(&self) -> Hash {
        self.envelope.leaf()
    }

    /// SHA-256 of the text: what the next entry of this key calls `previous`.
    #[must_use]
    pub fn text_hash(&self) -> Hash {
        Hash::of(&[self.text().as_bytes()])
    }

    /// The signed text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.envelope.text()
    }

    /// What it states, to be kept.
    pub(crate) fn into_statement(self) -> Statement {
        self.statement
    }

    /// What it states, unverified.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Whether `key` made it: its hash stands in the text, and its signature holds. A key of another
    /// name or hash is `Absent`.
    pub(crate) fn check(&self, key: &VerifierKey) -> SignatureCheck {
        if self.statement.key != key.hash() || self.statement.signer != key.name() {
            return SignatureCheck::Absent;
        }
        self.envelope.check(key)
    }

    /// Checks that `key` made it.
    ///
    /// # Errors
    /// What does not agree.
    pub fn verify(self, key: &VerifierKey) -> Result<VerifiedEntry, SignatureCheck> {
        match self.check(key) {
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

/// True when all of `entries`, which this process has just signed with `key`, verify as one batch:
/// it finds a failing machine, and is no verification of what somebody else signed.
#[must_use]
pub fn own_signatures_hold(key: &VerifierKey, entries: &[&UnverifiedEntry]) -> bool {
    let texts: Vec<&[u8]> = entries.iter().map(|entry| entry.text().as_bytes()).collect();
    let signatures: Vec<[u8; 64]> =
        entries.iter().map(|entry| entry.envelope.signature()).collect();
    key.accepts_own(&texts, &signatures)
}

impl Statement {
    fn in_envelope(envelope: &Envelope) -> Result<Self, FormError> {
        if envelope.version() != 1 {
            let first = format!("unbroken/entry@v{}", envelope.version());
            return Err(FormError::unsupported("entry version", &first));
        }
        let text = envelope.text();
        if text.len() > ENTRY_TEXT_BYTES_MAX {
            let found = format!("{} bytes", text.len());
            return Err(FormError::malformed("entry text", "at most 16384 bytes", &found));
        }
        let rest = text.strip_prefix(FIRST_LINE).and_then(|rest| rest.strip_prefix('\n'));
        let line = rest.and_then(|rest| rest.strip_suffix('\n')).unwrap_or_default();
        if line.is_empty() || line.contains('\n') {
            return Err(FormError::malformed("entry text", "two lines", text));
        }
        let statement = Self::parse(line)?;
        if envelope.line().name != statement.signer {
            let expected = format!("the signer's name {}", statement.signer);
            let found = &envelope.line().name;
            return Err(FormError::malformed("entry signature line", expected, found));
        }
        Ok(statement)
    }

    /// Reads the JSON line of an entry.
    ///
    /// # Errors
    /// As [`UnverifiedEntry::parse`].
    pub fn parse(line: &str) -> Result<Self, FormError> {
        let value = narrow::parse(line)?;
        let mut members = Members::of("entry", &value)?;
        let at = Time::parse(members.string("at")?)?;
        let control = members.optional_hash("control")?;
        let name = members.string("kind")?;
        let (kind, body) =
            Body::parse(Kind::of(name), members.required("body")?, control.is_none())?;
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
            let is_there = if self.previous.is_some() { "one" } else { "none" };
            let found = format!("{is_there} at number {}", self.number);
            return refused("previous", "none at number 0 and one above", &found);
        }
        if self.control.is_none() && (self.kind != Kind::Control || self.number != 0) {
            let found = format!("none, in an entry with number {}", self.number);
            return refused("control", "present, but for a control entry with number 0", &found);
        }
        let holds = match self.kind.subject_rule() {
            SubjectRule::Required => self.subject.is_some(),
            SubjectRule::Absent => self.subject.is_none(),
            SubjectRule::Optional => true,
        };
        if !holds {
            let is_there = if self.subject.is_some() { "one" } else { "none" };
            let found = format!("{is_there} in an entry of kind {}", self.kind.name());
            return refused(
                "subject",
                "one where the kind is about a recording, none elsewhere",
                &found,
            );
        }
        let refs = self.body.refs();
        let erases = refs.iter().filter(|r| r.rel == Rel::Erases).count();
        if self.kind == Kind::Erasure && (erases != 1 || refs.len() != 1) {
            let found = format!("{}, of which {erases} with that rel", refs.len());
            return refused("refs", "exactly one, with rel `erases`", &found);
        }
        Ok(())
    }
}

fn subject(text: &str) -> Result<Subject, FormError> {
    let refused = || FormError::malformed("entry subject", "32 lower-case hex digits", text);
    Subject::from_hex(text).ok_or_else(refused)
}
