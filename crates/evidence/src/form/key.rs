//! Ed25519 keys under C2SP names: verifier keys, strict verification, signers.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::error::FormError;
use crate::hash::{Hash, encode_hex};

const TYPE_ED25519: u8 = 0x01;
/// 2^255 - 19 in little-endian bytes: a canonical y coordinate is below it.
const FIELD_PRIME: [u8; 32] = {
    let mut bytes = [0xff; 32];
    let [low, .., high] = &mut bytes;
    *low = 0xed;
    *high = 0x7f;
    bytes
};

/// A public key with its name: the C2SP verifier key, `name+id+base64`.
///
/// Its point is canonical and not of small order; no other key can be made.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    point: VerifyingKey,
    hash: Hash,
}

impl VerifierKey {
    /// Names the public key `public`.
    ///
    /// # Errors
    /// `Malformed` when the name breaks a rule, or the point is not canonical or of small order.
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, FormError> {
        check_name(name, "key name")?;
        let refused = || {
            let expected = "a canonical Ed25519 point that is not of small order";
            FormError::malformed("public key", expected, &encode_hex(&public))
        };
        if !is_canonical(&public) {
            return Err(refused());
        }
        let point = VerifyingKey::from_bytes(&public).map_err(|_| refused())?;
        if point.is_weak() {
            return Err(refused());
        }
        let digest = Hash::of(&[name.as_bytes(), b"\n", &[TYPE_ED25519], &public]);
        let [a, b, c, d, ..] = *digest.as_bytes();
        let mut key = Self { name: name.to_owned(), id: [a, b, c, d], point, hash: digest };
        key.hash = Hash::of(&[key.to_string().as_bytes()]);
        Ok(key)
    }

    /// Reads a verifier key string, without a line feed.
    ///
    /// # Errors
    /// `Malformed` for anything but the one form; `Unsupported` for another key type.
    pub fn parse(vkey: &str) -> Result<Self, FormError> {
        let expected = "name+8 hex digits+base64, as `unbroken init` prints it";
        let refused = || FormError::malformed("verifier key", expected, vkey);
        let (name, rest) = vkey.split_once('+').ok_or_else(refused)?;
        let (id, key) = rest.split_once('+').ok_or_else(refused)?;
        let bytes = STANDARD.decode(key).map_err(|_| refused())?;
        let public = match bytes.split_first() {
            Some((&TYPE_ED25519, public)) => public.try_into().map_err(|_| refused())?,
            Some((other, _)) => {
                return Err(FormError::unsupported("key type", &format!("0x{other:02x}")));
            }
            None => return Err(refused()),
        };
        let key = Self::new(name, public)?;
        if encode_hex(&key.id) != id {
            let expected = format!("key id {} for this name and key", encode_hex(&key.id));
            return Err(FormError::malformed("verifier key", expected, id));
        }
        Ok(key)
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The 4-byte key id: it finds a signature line, it proves nothing.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The 32 bytes of the public key.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.point.to_bytes()
    }

    /// SHA-256 of the verifier key string: what an entry's `key` member holds.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// True when `signature` is this key's over `text`, judged strictly: cofactorless, S below
    /// the group's order, R canonical and not of small order.
    #[must_use]
    pub fn accepts(&self, text: &[u8], signature: &[u8; 64]) -> bool {
        let (r, _) = signature.split_at(32);
        let canonical = r.try_into().is_ok_and(is_canonical);
        canonical && self.point.verify_strict(text, &Signature::from_bytes(signature)).is_ok()
    }

    /// True when all `signatures` over `texts` verify as one batch.
    ///
    /// A batch accepts by another equation than [`VerifierKey::accepts`]: it finds a failing machine,
    /// and is no verification of what somebody else signed.
    #[must_use]
    pub(crate) fn accepts_own(&self, texts: &[&[u8]], signatures: &[[u8; 64]]) -> bool {
        let signatures: Vec<Signature> = signatures.iter().map(Signature::from_bytes).collect();
        let points = vec![self.point; texts.len()];
        texts.is_empty() || ed25519_dalek::verify_batch(texts, &signatures, &points).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![TYPE_ED25519];
        typed.extend_from_slice(self.point.as_bytes());
        write!(f, "{}+{}+{}", self.name, encode_hex(&self.id), STANDARD.encode(typed))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Checks a key name or an origin: bytes 0x21 to 0x7E without `+`, `"` and `\`, at most 255, and
/// not beginning with `unbroken/`, which would let a checkpoint pass for an entry.
///
/// # Errors
/// `Malformed`, naming `item`.
pub fn check_name(name: &str, item: &str) -> Result<(), FormError> {
    let plain = |byte: u8| (0x21..=0x7e).contains(&byte) && !matches!(byte, b'+' | b'"' | b'\\');
    if name.is_empty() || name.len() > 255 || !name.bytes().all(plain) {
        let expected = "1 to 255 printable ASCII characters without space, `+`, `\"` and `\\`";
        return Err(FormError::malformed(item, expected, name));
    }
    if name.starts_with("unbroken/") {
        return Err(FormError::malformed(
            item,
            "a name that does not begin with `unbroken/`",
            name,
        ));
    }
    Ok(())
}

fn is_canonical(point: &[u8; 32]) -> bool {
    let mut y = *point;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    y.iter().rev().lt(FIELD_PRIME.iter().rev())
}

/// A private key with its name. Signing is deterministic (RFC 8032): no randomness, no clock.
pub struct Signer {
    secret: SigningKey,
    verifier: VerifierKey,
}

impl Signer {
    /// The signer whose RFC 8032 seed is `seed`.
    ///
    /// # Errors
    /// `Malformed` when the name breaks a rule.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, FormError> {
        let secret = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, secret.verifying_key().to_bytes())?;
        Ok(Self { secret, verifier })
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// `text` as a signed note with this key's one signature line.
    #[must_use]
    pub fn sign_note(&self, text: &str) -> String {
        let mut blob = self.verifier.id.to_vec();
        blob.extend_from_slice(&self.secret.sign(text.as_bytes()).to_bytes());
        format!("{text}\n\u{2014} {} {}\n", self.verifier.name, STANDARD.encode(blob))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.verifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const C2SP: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    #[test]
    fn reads_the_key_of_the_c2sp_vector_and_nothing_near_it() {
        assert_eq!(VerifierKey::parse(C2SP).unwrap().to_string(), C2SP);
        let near = [
            C2SP.replace("530d903a", "530d903b"),
            C2SP.replace("530d903a", "530D903A"),
            C2SP.replace("AekyeRrm", "AekyeRrn"),
            C2SP.replace("foo", "fop"),
            format!("{C2SP}\n"),
            format!("{C2SP}="),
            C2SP.replace("U2k", "U2l"),
            "unbroken/x+00000000+AA==".into(),
            String::new(),
        ];
        for vkey in near {
            assert!(VerifierKey::parse(&vkey).is_err(), "{vkey} was read");
        }
    }

    // spec: E12 C3
    #[test]
    fn points_that_are_weak_or_not_canonical_are_no_keys() {
        let mut one = [0; 32];
        one[0] = 1;
        let mut above_the_prime = [0xff; 32];
        above_the_prime[0] = 0xf1; // y = p + 4
        above_the_prime[31] = 0x7f;
        for public in [[0; 32], one, above_the_prime, [0xff; 32]] {
            assert!(VerifierKey::new("a", public).is_err());
        }
    }

    // spec: E12
    #[test]
    fn a_signature_with_a_second_form_is_refused() {
        let signer = Signer::from_seed("a", &[7; 32]).unwrap();
        let signature = signer.secret.sign(b"text").to_bytes();
        assert!(signer.verifier.accepts(b"text", &signature));
        assert!(!signer.verifier.accepts(b"texT", &signature));
        // S + L, where L is the order of the group: the same equation, another text.
        let order: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
            0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut malleated = signature;
        let mut carry = 0;
        for (byte, add) in malleated[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = (sum & 0xff) as u8;
            carry = sum >> 8;
        }
        assert!(!signer.verifier.accepts(b"text", &malleated));
        for bit in 0..512 {
            let mut flipped = signature;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!signer.verifier.accepts(b"text", &flipped), "bit {bit}");
        }
    }

    #[test]
    fn names_that_could_be_misread_are_refused() {
        for name in ["", "a b", "a+b", "a\"b", "a\\b", "é", "unbroken/log", "a\u{7f}"] {
            assert!(check_name(name, "origin").is_err(), "{name:?} was taken");
        }
        assert!(check_name("example.com/unbroken", "origin").is_ok());
    }
}
