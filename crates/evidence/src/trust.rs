//! What the verifier was given to trust, and the checkpoint judged by it.

use crate::body::Role;
use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint, VerifiedCheckpoint};
use crate::control::ControlState;
use crate::hash::{Hash, encode_hex};
use crate::key::VerifierKey;
use crate::note::SignatureCheck;
use crate::step::{Axis, Step};
use crate::verdict::Findings;

/// What the verifier was given, by another way than the package itself.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Verifier keys of the log; a checkpoint must be signed by one of them.
    pub keys: Vec<VerifierKey>,
    /// The ledger id, where it is known. Alone it is no anchor.
    pub ledger_id: Option<Hash>,
}

/// A checkpoint, judged by the trust that was given.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    claims: Checkpoint,
    unverified: UnverifiedCheckpoint,
    verified: Option<VerifiedCheckpoint>,
}

impl Judged {
    /// Reads and judges a checkpoint (V8).
    pub(crate) fn new(bytes: &[u8], trust: &Trust, findings: &mut Findings) -> Option<Self> {
        let unverified = match UnverifiedCheckpoint::parse(bytes) {
            Ok(unverified) => unverified,
            Err(error) => {
                findings.form(Step::Checkpoint, "checkpoint", &error);
                return None;
            }
        };
        let claims = unverified.claims().clone();
        let mut verified = None;
        let mut broken = false;
        for key in &trust.keys {
            match unverified.clone().verify(key) {
                Ok(checkpoint) => verified = Some(checkpoint),
                Err(check) => broken |= check == SignatureCheck::Invalid,
            }
        }
        if trust.keys.is_empty() {
            without_anchor(findings);
        } else if broken || verified.is_none() {
            let names = unverified.note().signatures().iter();
            let found: Vec<_> =
                names.map(|s| format!("{}+{}", s.name, encode_hex(&s.id))).collect();
            let given: Vec<_> = trust
                .keys
                .iter()
                .map(|k| format!("{}+{}", k.name(), encode_hex(&k.id())))
                .collect();
            let found = if broken {
                format!("a signature of that key that does not hold, among {}", found.join(", "))
            } else {
                format!(
                    "not signed by the key you gave: a wrong anchor, or not this ledger's; signed by {}",
                    found.join(", ")
                )
            };
            let expected = format!("a signature by {}", given.join(" or "));
            findings.contradicted(Step::Checkpoint, "checkpoint", &expected, &found);
            verified = None;
        } else {
            findings.held(Step::Checkpoint);
        }
        let is_given =
            |name: &str, id| trust.keys.iter().any(|key| key.name() == name && key.id() == id);
        let others = unverified.note().signatures().iter().filter(|s| !is_given(&s.name, s.id));
        let names: Vec<String> =
            others.map(|s| format!("{}+{}", s.name, encode_hex(&s.id))).collect();
        if !names.is_empty() && !trust.keys.is_empty() {
            let names = crate::error::printable(&names.join(", "));
            let sentence = format!(
                "signature lines of other keys stand on the checkpoint and were not verified: {names}"
            );
            findings.note(Axis::Witness, sentence);
        }
        Some(Self { claims, unverified, verified })
    }

    /// What the checkpoint says: verified only if [`Judged::verified`] is.
    pub(crate) const fn claims(&self) -> &Checkpoint {
        &self.claims
    }

    /// The checkpoint under the given key, if it holds.
    pub(crate) const fn verified(&self) -> Option<&VerifiedCheckpoint> {
        self.verified.as_ref()
    }

    /// Holds the checkpoint's key and the ledger id against the control chain (V9, V12).
    pub(crate) fn against_control(
        &self,
        trust: &Trust,
        control: &ControlState,
        findings: &mut Findings,
    ) {
        if let Some(expected) = trust.ledger_id {
            let found = control.ledger_id().map_or_else(|| "none".to_owned(), |id| id.to_string());
            let holds = control.ledger_id() == Some(expected);
            findings.check(holds, Step::LedgerId, "entry 0", &expected.to_string(), &found);
        }
        let log_keys = || control.keys().filter(|history| history.role == Role::Log);
        if let Some(verified) = &self.verified {
            let key = verified.signer();
            let size = verified.checkpoint().size;
            let valid = log_keys().any(|h| h.key == *key && h.covers_size(size));
            let expected = format!("a log key of this ledger, valid at size {size}");
            findings.check(valid, Step::LogKey, "checkpoint", &expected, &key.to_string());
            let disputed = log_keys().find_map(|h| (h.key == *key).then_some(h.disputed_from)?);
            if disputed.is_some_and(|from| from < size) {
                findings.not_established(Step::LogKey, "checkpoint", "its key is disputed");
            }
        } else if trust.keys.is_empty() {
            let signed =
                |key: &VerifierKey| self.unverified.note().check(key) == SignatureCheck::Valid;
            let found = log_keys().find(|h| h.covers_size(self.claims.size) && signed(&h.key));
            let expected = "a signature by a log key of this ledger";
            findings.check(found.is_some(), Step::LogKey, "checkpoint", expected, "none");
            if let Some(history) = found {
                let key = &history.key;
                findings
                    .note(Axis::Ledger, format!("the key found in the package itself is {key}"));
            }
        }
    }
}

const NO_ANCHOR: &str = "no trust anchor was given: the key was taken from the package itself";

/// Without a key there is consistency, and nothing more (spec/verification.md).
fn without_anchor(findings: &mut Findings) {
    let steps = [
        Step::Checkpoint,
        Step::Signature,
        Step::Time,
        Step::Witness,
        Step::Produced,
        Step::References,
    ];
    for step in steps {
        findings.not_established(step, "trust anchor", NO_ANCHOR);
    }
}
