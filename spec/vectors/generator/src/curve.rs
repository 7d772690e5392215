//! Signatures and keys that no signer would make: what one implementation of Ed25519 lets through and
//! the next one does not (E12, C3).

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use sha2::{Digest as _, Sha512};

use crate::container::base64_of;

/// How the R of a signature is chosen.
#[derive(Clone, Copy)]
pub(crate) enum Nonce {
    /// The neutral element: the equation holds, and R tells nothing.
    Neutral,
    /// The neutral element in its second encoding, y = p + 1.
    NeutralAgain,
    /// An honest point and one of order eight: only the equation with cofactor holds.
    Torsion,
}

/// Signs the text of `note` again with the seed of its key, under such an R.
pub(crate) fn sign_again(note: &str, seed: u8, nonce: Nonce) -> String {
    let Some((text, line)) = note.split_once("\n\n") else { return String::new() };
    let message = format!("{text}\n");
    let hashed = Sha512::digest([seed; 32]);
    let mut secret = [0; 32];
    secret.iter_mut().zip(hashed).for_each(|(to, from)| *to = from);
    let secret = Scalar::from_bytes_mod_order(clamp_integer(secret));
    let public = (ED25519_BASEPOINT_POINT * secret).compress();
    let own = Scalar::from(5_u64);
    let (r, encoded) = match nonce {
        Nonce::Neutral => (Scalar::ZERO, EdwardsPoint::default().compress().0),
        Nonce::NeutralAgain => (Scalar::ZERO, y_above_the_prime(1)),
        Nonce::Torsion => (own, (ED25519_BASEPOINT_POINT * own + EIGHT_TORSION[1]).compress().0),
    };
    let hash =
        Sha512::new().chain_update(encoded).chain_update(public.0).chain_update(message.as_bytes());
    let challenge = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let s = (r + challenge * secret).to_bytes();
    let (head, blob) = line.trim_end().rsplit_once(' ').unwrap_or_default();
    let id = crate::container::base64_decoded(blob);
    let signature = [id.get(..4).unwrap_or_default(), &encoded, &s].concat();
    format!("{message}\n{head} {}\n", base64_of(&signature))
}

/// 32 bytes whose y is p + `more`: decoders that reduce it take it for `more`.
fn y_above_the_prime(more: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed + more;
    bytes[31] = 0x7f;
    bytes
}

/// A public key of full order in an encoding that is not canonical.
pub(crate) fn second_encoding() -> [u8; 32] {
    let is_good = |bytes: &[u8; 32]| {
        CompressedEdwardsY(*bytes).decompress().is_some_and(|point| !point.is_small_order())
    };
    (2..19).map(y_above_the_prime).find(is_good).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};

    use super::*;

    /// Otherwise the vectors would be refused as any wrong signature is, and prove nothing.
    #[test]
    fn a_lenient_verifier_takes_these_signatures() {
        let signer = unbroken_evidence::key::Signer::from_seed("a", &[3; 32]).unwrap();
        let key = VerifyingKey::from_bytes(&signer.verifier().public()).unwrap();
        let note = signer.sign_note("a text\n");
        let signature = |note: &str| {
            let blob = note.trim_end().rsplit_once(' ').unwrap().1;
            let bytes = crate::container::base64_decoded(blob);
            Signature::from_slice(&bytes[4..]).unwrap()
        };
        let neutral = signature(&sign_again(&note, 3, Nonce::Neutral));
        assert!(key.verify(b"a text\n", &neutral).is_ok());
        assert!(key.verify_strict(b"a text\n", &neutral).is_err());
        // The equation with cofactor: eight times what the one without leaves over is nothing.
        let torsion = signature(&sign_again(&note, 3, Nonce::Torsion));
        assert!(key.verify(b"a text\n", &torsion).is_err());
        let hash = Sha512::new()
            .chain_update(torsion.r_bytes())
            .chain_update(signer.verifier().public())
            .chain_update(b"a text\n");
        let challenge = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        let point = |bytes: &[u8; 32]| CompressedEdwardsY(*bytes).decompress().unwrap();
        let s = Scalar::from_canonical_bytes(*torsion.s_bytes()).unwrap();
        let over = ED25519_BASEPOINT_POINT * s
            - point(torsion.r_bytes())
            - point(&signer.verifier().public()) * challenge;
        assert_eq!(over.mul_by_cofactor(), EdwardsPoint::default());
    }

    #[test]
    fn the_second_encoding_is_a_point_that_a_lenient_verifier_takes() {
        let key = VerifyingKey::from_bytes(&second_encoding()).unwrap();
        assert!(!key.is_weak());
    }
}
