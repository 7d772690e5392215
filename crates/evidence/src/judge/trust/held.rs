//! The checkpoint that a proof holds, against the exhibit's own (X14).

use super::Judged;
use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use crate::hash::Hash;
use crate::judge::findings::Findings;
use crate::proof::Proof;
use crate::step::Step;
use crate::tree::verify_inclusion;

impl Judged {
    /// Whether a key that serves signed it.
    fn is_signed(&self) -> bool {
        self.serving.iter().any(|key| self.unverified.clone().verify(key).is_ok())
    }

    /// X14: the path of a proof that holds another checkpoint leads to this one: then that one is out of place.
    pub(crate) fn is_led_to(&self, leaf: &Hash, proof: &Proof) -> bool {
        let Checkpoint { size, root, .. } = self.claims();
        self.is_signed() && verify_inclusion(leaf, proof.index, *size, &proof.path, root)
    }

    /// X14: the proof at `path` holds another checkpoint. Where a key that serves signed that one, and no proof holds
    /// the exhibit's own, that is the one in the wrong place, and the proof is held against what it holds.
    pub(crate) fn is_another_in(
        &mut self,
        path: &str,
        held: &[u8],
        findings: &mut Findings,
    ) -> Option<Checkpoint> {
        let step = Step::Inclusion;
        let read = UnverifiedCheckpoint::parse(held).ok();
        let signed = |held: UnverifiedCheckpoint| {
            self.serving.iter().find_map(|key| held.clone().verify(key).ok())
        };
        let signed = read.and_then(signed);
        let claims = self.claims().clone();
        let is_fork = signed.as_ref().is_some_and(|held| {
            let held = held.checkpoint();
            self.is_signed() && held.size == claims.size && held.root != claims.root
        });
        let is_same = signed.as_ref().is_some_and(|held| *held.checkpoint() == claims);
        let found = if is_fork {
            "another, of the same size, which a log key of this ledger signed too: one log, two histories"
        } else if is_same {
            "the same origin, size and root, under other signatures"
        } else {
            "another"
        };
        let Some(held) = signed.filter(|_| !self.is_held) else {
            let expected = "the checkpoint of this exhibit, byte for byte";
            self.leads(false, (path, expected, found), findings);
            return None;
        };
        if std::mem::replace(&mut self.is_another, true) {
            let why =
                "it was held against the checkpoint that it holds, for the exhibit has another";
            findings.not_established(step, path, why);
        } else {
            let expected =
                format!("the checkpoint in {path}, which a log key of this ledger signed");
            findings.contradicted(step, "ledger/checkpoint", &expected, found);
        }
        Some(held.checkpoint().clone())
    }

    /// V10: whether what leads to a root leads to this one. What does not agree with a checkpoint that was
    /// changed is not accused: V8 speaks of the checkpoint.
    pub(crate) fn leads(
        &self,
        holds: bool,
        (item, expected, found): (&str, &str, &str),
        findings: &mut Findings,
    ) -> bool {
        let Some(why) = self.nobody_signed().filter(|_| !holds) else {
            findings.check(holds, Step::Inclusion, item, expected, found);
            return holds;
        };
        let why = format!("{why}: what it has to lead to is not known");
        findings.not_established(Step::Inclusion, item, &why);
        true
    }

    /// Why the checkpoint's text is nobody's word, if it is.
    pub(super) fn nobody_signed(&self) -> Option<&'static str> {
        if self.is_broken {
            Some("the signature of the checkpoint does not hold")
        } else if self.is_foreign {
            Some("no log key of this ledger signed the checkpoint")
        } else if self.verified.is_empty() && !self.absent.is_empty() {
            Some("no key that was given signed the checkpoint")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::{ORIGIN, found, signer};
    use crate::trust::Trust;
    use crate::verdict::Verdict;

    /// Two checkpoints of one log are two histories where both are signed, and of one size.
    // spec: X14
    #[test]
    fn a_fork_is_two_signed_checkpoints_of_one_size() {
        let note = |size, root: &[u8]| {
            let text = Checkpoint { origin: ORIGIN.to_owned(), size, root: Hash::of(&[root]) };
            signer(2).sign_note(&text.text())
        };
        let is_fork = |own: &str, held: &str| {
            let mut findings = Findings::new(Step::ALL);
            let trust = Trust::key(signer(2).verifier().clone());
            let mut judged = Judged::new(own.as_bytes(), &trust, &mut findings).unwrap();
            judged.is_held = true;
            assert!(judged.is_another_in("a proof", held.as_bytes(), &mut findings).is_none());
            found(&Verdict::of(findings)).iter().any(|line| line.contains("two histories"))
        };
        let own = note(7, b"a");
        assert!(is_fork(&own, &note(7, b"b")));
        assert!(!is_fork(&own, &note(6, b"b")), "an earlier one of the same log");
        let changed = own.replacen("\n7\n", "\n8\n", 1);
        assert!(!is_fork(&changed, &note(8, b"b")), "nobody signed one of them");
        // Where only the signature was changed, no other log state is claimed.
        let at = own.len() - 20;
        let other = if own.get(at..=at) == Some("A") { "B" } else { "A" };
        let unsigned = format!("{}{other}{}", &own[..at], &own[at + 1..]);
        let mut findings = Findings::new(Step::ALL);
        let trust = Trust::key(signer(2).verifier().clone());
        let mut judged = Judged::new(unsigned.as_bytes(), &trust, &mut findings).unwrap();
        assert!(judged.is_another_in("a proof", own.as_bytes(), &mut findings).is_some());
        let same = "; the same origin, size and root, under other signatures";
        let said = found(&Verdict::of(findings));
        assert!(said.iter().any(|line| line.ends_with(same)), "{said:?}");
    }
}
