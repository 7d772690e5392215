//! C2SP tlog-proofs: an inclusion proof and the checkpoint that it leads to, as one file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{FormError, start_of};
use crate::hash::Hash;
use crate::limits::{PROOF_BYTES_MAX, PROOF_HASHES_MAX};
use crate::narrow::decimal;

const HEADER: &str = "c2sp.org/tlog-proof@v1\nindex ";

/// A `.tlog-proof` file as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The index that the proof is about.
    pub index: u64,
    /// The leaf's sibling first, the root's child last.
    pub path: Vec<Hash>,
    /// The checkpoint, verbatim.
    pub checkpoint: Vec<u8>,
}

impl Proof {
    /// Reads a proof; `encode` of the result gives the same bytes.
    ///
    /// # Errors
    /// `Malformed` for anything but the one form, an `extra` line, or more than 63 hashes.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        if bytes.len() > PROOF_BYTES_MAX {
            let found = format!("{} bytes", bytes.len());
            return Err(FormError::malformed("proof", "at most 1 MiB", &found));
        }
        let refused = |item: &str, expected: &str, found: &[u8]| {
            Err(FormError::malformed(format!("proof {item}"), expected, &start_of(found)))
        };
        let Some(mut rest) = bytes.strip_prefix(HEADER.as_bytes()) else {
            let first = start_of(bytes).lines().next().unwrap_or_default().to_owned();
            let version = first.strip_prefix("c2sp.org/tlog-proof@v").and_then(decimal);
            if version.is_some_and(|version| version != 1) {
                return Err(FormError::unsupported("proof version", &first));
            }
            return refused("header", "`c2sp.org/tlog-proof@v1`, then `index`", bytes);
        };
        let number = take_line(&mut rest);
        let Some(index) = number.and_then(|line| std::str::from_utf8(line).ok()).and_then(decimal)
        else {
            return refused("index", "a decimal number", number.unwrap_or(rest));
        };
        let mut path = Vec::new();
        loop {
            match take_line(&mut rest) {
                Some([]) => break,
                Some(line) if path.len() < PROOF_HASHES_MAX => {
                    let hash = STANDARD.decode(line).ok().and_then(|bytes| bytes.try_into().ok());
                    let Some(hash) = hash else {
                        return refused("hash", "the base64 of 32 bytes", line);
                    };
                    path.push(Hash::new(hash));
                }
                _ => return refused("hashes", "at most 63, then an empty line", rest),
            }
        }
        Ok(Self { index, path, checkpoint: rest.to_vec() })
    }

    /// The bytes of this proof.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut text = format!("{HEADER}{}\n", self.index);
        for hash in &self.path {
            text.push_str(&STANDARD.encode(hash.as_bytes()));
            text.push('\n');
        }
        text.push('\n');
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.checkpoint);
        bytes
    }
}

fn take_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (line, after) = rest.split_at_checked(end)?;
    *rest = after.get(1..)?;
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: L6
    #[test]
    fn a_proof_has_one_form() {
        let proof = Proof {
            index: 5,
            path: vec![Hash::of(&[b"a"]), Hash::of(&[b"b"])],
            checkpoint: b"o\n8\n...".to_vec(),
        };
        let good = String::from_utf8(proof.encode()).unwrap();
        assert_eq!(Proof::parse(good.as_bytes()), Ok(proof));
        let bad = [
            good.replace("index 5", "index 05"),
            good.replace("index 5", "index +5"),
            good.replace("index 5", "extra AAAA\nindex 5"),
            good.replace('\n', "\r\n"),
            good.replace("@v1", "@v01"),
            good.replacen('=', "", 1),
            good.replace("\n\n", "\n"),
            good.replace(
                "\n\no",
                &format!("\n{}\no", format!("{}\n", STANDARD.encode([0; 32])).repeat(62)),
            ),
        ];
        for text in bad {
            let read = Proof::parse(text.as_bytes());
            assert!(matches!(read, Err(FormError::Malformed { .. })), "{text:?}: {read:?}");
        }
        let later = Proof::parse(good.replace("@v1", "@v2").as_bytes());
        assert!(matches!(later, Err(FormError::Unsupported { .. })));
    }
}
