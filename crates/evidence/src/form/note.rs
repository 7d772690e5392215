//! C2SP signed notes: a text and the signature lines under it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{FormError, start_of};
use crate::key::VerifierKey;
use crate::limits::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX};

/// A signed note as read: nothing in it is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

/// One signature line, of any type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    /// The key name, as the line claims it.
    pub name: String,
    /// The 4-byte key id, as the line claims it.
    pub id: [u8; 4],
    /// What follows the id; 64 bytes for Ed25519.
    pub signature: Vec<u8>,
}

impl Note {
    /// Reads a note; `encode` of the result gives the same bytes.
    ///
    /// # Errors
    /// `Malformed` for anything but the one form of C2SP signed-note, or above the limits.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        if bytes.len() > NOTE_BYTES_MAX {
            let found = format!("{} bytes", bytes.len());
            return Err(FormError::malformed("signed note", "at most 1 MiB", &found));
        }
        let refused =
            |expected: &str| FormError::malformed("signed note", expected, &start_of(bytes));
        let whole = std::str::from_utf8(bytes).map_err(|_| refused("UTF-8"))?;
        if whole.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(refused("no control character but line feeds"));
        }
        let split =
            whole.rfind("\n\n").ok_or_else(|| refused("an empty line before signatures"))?;
        let (text, rest) = whole.split_at(split + 1);
        let lines = rest.strip_prefix('\n').unwrap_or_default();
        let lines = lines
            .strip_suffix('\n')
            .ok_or_else(|| refused("signature lines, the last ended by a line feed"))?;
        let signatures: Vec<_> = lines
            .split('\n')
            .take(NOTE_SIGNATURES_MAX + 1)
            .map(SignatureLine::parse)
            .collect::<Result<_, _>>()?;
        if signatures.len() > NOTE_SIGNATURES_MAX {
            return Err(refused("at most 100 signature lines"));
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The signed text, its last line feed included.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in the order they stand.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// The bytes of this note.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut whole = format!("{}\n", self.text);
        for line in &self.signatures {
            whole.push_str(&line.encode());
        }
        whole
    }

    /// Whether `key` signed the text. Lines of other keys are ignored; each line that names this
    /// key must hold.
    #[must_use]
    pub fn check(&self, key: &VerifierKey) -> SignatureCheck {
        let mut outcome = SignatureCheck::Absent;
        for line in &self.signatures {
            if line.name != key.name() || line.id != key.id() {
                continue;
            }
            let signature = line.signature.as_slice().try_into();
            if signature.is_ok_and(|signature| key.accepts(self.text.as_bytes(), signature)) {
                outcome = SignatureCheck::Valid;
            } else {
                return SignatureCheck::Invalid;
            }
        }
        outcome
    }
}

/// What a note says of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureCheck {
    /// No line names this key.
    Absent,
    /// A line names this key and its signature does not hold.
    Invalid,
    /// This key signed the text.
    Valid,
}

impl SignatureLine {
    fn parse(line: &str) -> Result<Self, FormError> {
        let expected = "`\u{2014} name base64`, canonical, at least 5 bytes";
        let refused = || FormError::malformed("signature line", expected, line);
        let rest = line.strip_prefix("\u{2014} ").ok_or_else(refused)?;
        let (name, blob) = rest.split_once(' ').ok_or_else(refused)?;
        if name.is_empty() || name.contains('+') || name.contains(char::is_whitespace) {
            return Err(refused());
        }
        let bytes = STANDARD.decode(blob).map_err(|_| refused())?;
        let (id, signature) = bytes.split_first_chunk::<4>().ok_or_else(refused)?;
        if signature.is_empty() {
            return Err(refused());
        }
        Ok(Self { name: name.to_owned(), id: *id, signature: signature.to_vec() })
    }

    fn encode(&self) -> String {
        let mut blob = self.id.to_vec();
        blob.extend_from_slice(&self.signature);
        format!("\u{2014} {} {}\n", self.name, STANDARD.encode(blob))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_c2sp_vector_verifies() {
        let note = Note::parse(NOTE.as_bytes()).unwrap();
        assert_eq!(note.encode(), NOTE);
        assert_eq!(note.check(&VerifierKey::parse(KEY).unwrap()), SignatureCheck::Valid);
    }

    #[test]
    fn a_known_key_whose_line_fails_is_invalid_and_an_unknown_one_absent() {
        let key = VerifierKey::parse(KEY).unwrap();
        let changed = NOTE.replace("example message", "example massage");
        assert_eq!(Note::parse(changed.as_bytes()).unwrap().check(&key), SignatureCheck::Invalid);
        let renamed = NOTE.replace("\u{2014} example.com/foo", "\u{2014} example.com/bar");
        assert_eq!(Note::parse(renamed.as_bytes()).unwrap().check(&key), SignatureCheck::Absent);
    }

    #[test]
    fn the_separator_is_the_last_empty_line() {
        let text = NOTE.replace("This is", "First.\n\nThis is");
        let note = Note::parse(text.as_bytes()).unwrap();
        assert_eq!(note.text(), "First.\n\nThis is an example message.\n");
    }

    #[test]
    fn lenient_forms_are_refused() {
        let line = NOTE.lines().last().unwrap();
        let bad = [
            NOTE.trim_end().to_owned(),
            NOTE.replace('\n', "\r\n"),
            NOTE.replace("aQM=", "aQM"),
            NOTE.replace("aQM=", "aQN="),
            NOTE.replace("\u{2014} ", "- "),
            NOTE.replace("foo Uw", "foo  Uw"),
            NOTE.replace("foo Uw", "foo\tUw"),
            format!("{NOTE}\n"),
            format!("{NOTE}x"),
            "This is an example message.\n\n".to_owned(),
            format!("text\n\n{}", format!("{line}\n").repeat(101)),
        ];
        for note in bad {
            assert!(Note::parse(note.as_bytes()).is_err(), "{note:?} was read");
        }
    }
}
