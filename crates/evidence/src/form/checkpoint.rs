//! C2SP tlog-checkpoints: a log's signed statement of its size and root.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::FormError;
use crate::hash::Hash;
use crate::key::{VerifierKey, check_name};
use crate::narrow::decimal;
use crate::note::{Note, SignatureCheck};

/// What a checkpoint states: origin, size and root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's unique name.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The RFC 6962 root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that a log signs: three lines, no extension lines.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }
}

/// A checkpoint as read; its claims are good for nothing but being shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedCheckpoint {
    note: Note,
    claims: Checkpoint,
}

impl UnverifiedCheckpoint {
    /// Reads a checkpoint. Extension lines and signature lines of any key are let through.
    ///
    /// # Errors
    /// `Malformed` for anything but the form of C2SP tlog-checkpoint.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let note = Note::parse(bytes)?;
        let refused = |item: &str, expected: &str, found: &str| {
            Err(FormError::malformed(format!("checkpoint {item}"), expected, found))
        };
        let text = note.text().strip_suffix('\n').unwrap_or_default();
        let lines: Vec<&str> = text.splitn(4, '\n').collect();
        let &[origin, size, root, ref extensions @ ..] = lines.as_slice() else {
            return refused("text", "origin, size and root, each on its line", text);
        };
        check_name(origin, "checkpoint origin")?;
        for line in note.signatures() {
            check_name(&line.name, "checkpoint signature line")?;
        }
        let Some(size) = decimal(size) else {
            return refused("size", "a decimal number", size);
        };
        let decoded = STANDARD.decode(root).ok().and_then(|bytes| bytes.try_into().ok());
        let Some(root) = decoded.map(Hash::new) else {
            return refused("root", "the base64 of 32 bytes", root);
        };
        if extensions.iter().any(|rest| rest.split('\n').any(str::is_empty)) {
            return refused("extension lines", "no empty line", text);
        }
        let claims = Checkpoint { origin: origin.to_owned(), size, root };
        Ok(Self { note, claims })
    }

    /// What the checkpoint says, unverified.
    #[must_use]
    pub const fn claims(&self) -> &Checkpoint {
        &self.claims
    }

    /// The note, for reading its signature lines.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// Checks the signature of `key`, the trust anchor.
    ///
    /// # Errors
    /// How `key` fails to have signed this checkpoint.
    pub fn verify(self, key: &VerifierKey) -> Result<VerifiedCheckpoint, SignatureCheck> {
        match self.note.check(key) {
            SignatureCheck::Valid => {
                Ok(VerifiedCheckpoint { checkpoint: self.claims, signer: key.clone() })
            }
            failed => Err(failed),
        }
    }
}

/// A checkpoint whose signature was verified under a key that the caller brought.
///
/// Only [`UnverifiedCheckpoint::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    checkpoint: Checkpoint,
    signer: VerifierKey,
}

impl VerifiedCheckpoint {
    /// The verified statement.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The key that verified it.
    #[must_use]
    pub const fn signer(&self) -> &VerifierKey {
        &self.signer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Signer;

    fn signed(text: &str) -> String {
        Signer::from_seed("example.com/log", &[1; 32]).unwrap().sign_note(text)
    }

    // spec: L1 L2
    #[test]
    fn a_checkpoint_round_trips_and_verifies_under_its_key_only() {
        let signer = Signer::from_seed("example.com/log", &[1; 32]).unwrap();
        let claims =
            Checkpoint { origin: "example.com/o".into(), size: 7, root: Hash::of(&[b"r"]) };
        let note = signer.sign_note(&claims.text());
        let unverified = UnverifiedCheckpoint::parse(note.as_bytes()).unwrap();
        assert_eq!(unverified.claims(), &claims);
        assert_eq!(unverified.note().encode(), note);
        let other = Signer::from_seed("example.com/log", &[2; 32]).unwrap();
        assert_eq!(unverified.clone().verify(other.verifier()), Err(SignatureCheck::Absent));
        let verified = unverified.verify(signer.verifier()).unwrap();
        assert_eq!((verified.checkpoint(), verified.signer()), (&claims, signer.verifier()));
    }

    #[test]
    fn forms_that_lenient_readers_take_are_refused() {
        let root = STANDARD.encode([9; 32]);
        let good = format!("o\n7\n{root}\nextension line\n");
        assert!(UnverifiedCheckpoint::parse(signed(&good).as_bytes()).is_ok());
        let bad = [
            format!("o\n07\n{root}\n"),
            format!("o\n+7\n{root}\n"),
            format!("o\n-7\n{root}\n"),
            format!("o\n\n{root}\n"),
            format!("\n7\n{root}\n"),
            format!("o o\n7\n{root}\n"),
            format!("unbroken/entry@v1\n7\n{root}\n"),
            format!("o\n7\n{}\n", STANDARD.encode([9; 31])),
            format!("o\n7\n{root}\n\nafter\n"),
            "o\n7\n".to_owned(),
        ];
        for text in bad {
            assert!(UnverifiedCheckpoint::parse(signed(&text).as_bytes()).is_err(), "{text:?}");
        }
    }
}
