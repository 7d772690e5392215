//! The envelope: what entries of all versions have in common (spec/entry.md E1, E2).
//!
//! ```text
//! unbroken/entry@v<decimal> LF
//! (what that version says)
//! LF
//! — <key name> <base64 of key id and Ed25519 signature> LF
//! ```

use crate::error::FormError;
use crate::hash::Hash;
use crate::key::{VerifierKey, check_name};
use crate::limits::ENTRY_BYTES_MAX;
use crate::narrow::decimal;
use crate::note::{Note, SignatureCheck, SignatureLine};
use crate::tree::leaf_hash;

/// The first line of every entry, up to its version.
pub(crate) const ENTRY: &str = "unbroken/entry@v";

/// An entry of any version, its one signature not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    note: Note,
    line: SignatureLine,
    leaf: Hash,
    version: u64,
}

impl Envelope {
    /// Reads the envelope of an entry, whatever its version.
    ///
    /// # Errors
    /// `Malformed`, for the envelope never changes.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        if bytes.len() > ENTRY_BYTES_MAX {
            let found = format!("{} bytes", bytes.len());
            return Err(FormError::malformed("entry", "at most 65535 bytes", &found));
        }
        let note = Note::parse(bytes)?;
        let first = note.text().lines().next().unwrap_or_default();
        let Some(version) = first.strip_prefix(ENTRY).and_then(decimal) else {
            let expected = "`unbroken/entry@v` and a decimal";
            return Err(FormError::malformed("entry first line", expected, first));
        };
        let [line] = note.signatures() else {
            let found = note.signatures().len().to_string();
            return Err(FormError::malformed("entry", "exactly one signature line", &found));
        };
        check_name(&line.name, "entry signature line")?;
        if line.signature.len() != 64 {
            let found = format!("{} bytes", line.signature.len());
            return Err(FormError::malformed("entry signature", "64 bytes", &found));
        }
        let (line, leaf) = (line.clone(), leaf_hash(bytes));
        Ok(Self { note, line, leaf, version })
    }

    /// The version of its first line.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// SHA-256(0x00 || the whole note).
    #[must_use]
    pub const fn leaf(&self) -> Hash {
        self.leaf
    }

    /// The signed text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.note.text()
    }

    /// Its signature line.
    #[must_use]
    pub const fn line(&self) -> &SignatureLine {
        &self.line
    }

    /// The signature, unverified.
    #[must_use]
    pub fn signature(&self) -> [u8; 64] {
        self.line.signature.as_slice().try_into().unwrap_or([0; 64])
    }

    /// Whether `key` signed it.
    #[must_use]
    pub fn check(&self, key: &VerifierKey) -> SignatureCheck {
        self.note.check(key)
    }
}
