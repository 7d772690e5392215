//! What the verifier was given to trust, and the checkpoint judged by it.

mod held;

use crate::body::Role;
use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint, VerifiedCheckpoint};
use crate::error::printable;
use crate::hash::{Hash, encode_hex};
use crate::judge::findings::Findings;
use crate::key::VerifierKey;
use crate::keys::{Keys, Serving};
use crate::note::{SignatureCheck, SignatureLine};
use crate::step::{Axis, Step};
use crate::verdict::{Fault, Seen};

/// What the verifier was given, by another way than the package itself. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Verifier keys of the log; each must have signed the checkpoint.
    pub keys: Vec<VerifierKey>,
    /// Ledger ids: the leaf of entry 0, which pins the control chain and so the log key.
    pub ledger_ids: Vec<Hash>,
}

impl Trust {
    /// Whether nothing was given.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.ledger_ids.is_empty()
    }

    /// One verifier key.
    #[must_use]
    pub fn key(key: VerifierKey) -> Self {
        Self { keys: vec![key], ledger_ids: Vec::new() }
    }
}

/// A checkpoint as it was read, and what the given keys say of it.
#[derive(Debug)]
pub(crate) struct Judged {
    unverified: UnverifiedCheckpoint,
    /// Under each key that was given and signed it.
    verified: Vec<VerifiedCheckpoint>,
    /// The keys that were given and did not sign it.
    absent: Vec<VerifierKey>,
    /// The keys that tell whether a text is the one that was signed: those given, or else the chain's (L8).
    serving: Vec<VerifierKey>,
    /// No log key of the chain, which serve here, has a line on it: it is another ledger's, or nobody's.
    is_foreign: bool,
    /// The signature of one of them does not hold: the text is another than that key signed.
    is_broken: bool,
    /// A proof holds another checkpoint, which one of them signed.
    is_another: bool,
    /// Some proof holds this one: whatever holds another is the odd one.
    pub(crate) is_held: bool,
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
        findings.held(Step::Checkpoint);
        let (mut verified, mut absent, mut is_broken) = (Vec::new(), Vec::new(), false);
        for key in &trust.keys {
            match unverified.clone().verify(key) {
                Ok(checkpoint) => {
                    findings.held(Step::Checkpoint);
                    verified.push(checkpoint);
                }
                Err(SignatureCheck::Absent) => absent.push(key.clone()),
                Err(_) => {
                    let expected = signature_by(key);
                    let found = "a signature of that key that does not hold";
                    findings.contradicted(Step::Checkpoint, "checkpoint", &expected, found);
                    is_broken = true;
                }
            }
        }
        if trust.is_empty() {
            without_anchor(findings);
        }
        findings.ran(&[Step::Checkpoint]);
        let serving = trust.keys.clone();
        let (is_foreign, is_another, is_held) = (false, false, false);
        Some(Self {
            unverified,
            verified,
            absent,
            serving,
            is_foreign,
            is_broken,
            is_another,
            is_held,
        })
    }

    /// L8: where no key was given, the log keys of the chain tell whether its text was signed.
    pub(crate) fn serve(&mut self, Serving { keys, are_all }: Serving) {
        if keys.is_empty() {
            return;
        }
        let checks: Vec<_> = keys.iter().map(|key| self.unverified.clone().verify(key)).collect();
        let nobody_signed = !checks.iter().any(Result::is_ok);
        let is_invalid = |check: &Result<_, _>| matches!(check, Err(SignatureCheck::Invalid));
        self.is_broken = nobody_signed && checks.iter().any(is_invalid);
        self.is_foreign = nobody_signed && !self.is_broken && are_all;
        self.serving = keys;
    }

    /// Whether its text is another than the one that was signed, as far as the keys that serve can tell.
    pub(crate) fn is_doubted(&self) -> bool {
        self.is_another || self.nobody_signed().is_some()
    }

    /// What the checkpoint says: verified only if [`Seen::anchored`] says so in the end.
    pub(crate) const fn claims(&self) -> &Checkpoint {
        self.unverified.claims()
    }

    /// Holds the ledger id and the checkpoint's key against the control chain (V9, V12).
    pub(crate) fn against(&self, trust: &Trust, keys: &Keys, findings: &mut Findings) -> Seen {
        let pinned = ledger_ids(trust, keys.ledger_id(), findings);
        // Where a ledger id holds, or a key that was given signed what the proofs hold, it is no other ledger: but
        // for a key that is another's, where one of this ledger's signed.
        let note = self.unverified.note();
        let is_signed = keys.signer_of_checkpoint(note, self.claims().size).is_some();
        let is_named = pinned && !trust.ledger_ids.is_empty();
        for key in &self.absent {
            let lines = note.signatures();
            let is_strange = is_signed && keys.key(&key.hash()).is_none();
            let is_of_this = is_named && !is_strange || self.is_another;
            let fault = if is_of_this { Fault::Evidence } else { Fault::Anchor };
            let other = keys.key(&key.hash()).filter(|history| history.role != Role::Log);
            let found = match other {
                Some(history) => format!("a {} {NO_LOG_KEY}", history.role.name()),
                None => lines_of(lines.iter()),
            };
            let (step, expected) = (Step::Checkpoint, signature_by(key));
            findings.blamed(fault, step, "checkpoint", &expected, &found);
        }
        let mut anchored = !trust.is_empty() && pinned && self.verified.len() == trust.keys.len();
        for verified in &self.verified {
            anchored &= self.is_log_key(verified.signer(), keys, findings);
        }
        if trust.keys.is_empty() {
            anchored &= self.signed_by_the_chain(trust, keys, findings);
        }
        self.foreign(trust, keys, findings);
        findings.ran(&[Step::LedgerId, Step::LogKey]);
        let Checkpoint { origin, size, root } = self.claims().clone();
        let signed = !self.verified.is_empty();
        let (ledger_id, continues) = (keys.ledger_id(), None);
        let id_holds = pinned && !trust.ledger_ids.is_empty();
        Seen { origin, size, root, ledger_id, anchored, signed, continues, id_holds }
    }

    /// Whether a signature line is there that is neither of a key that was given nor of a log key of the chain.
    pub(crate) fn is_cosigned(&self, trust: &Trust, keys: &Keys) -> bool {
        let own = keys.keys().filter(|history| history.role == Role::Log);
        let known: Vec<_> = trust.keys.iter().chain(own.map(|history| &history.key)).collect();
        let is_known = |line: &SignatureLine| {
            known.iter().any(|key| key.name() == line.name && key.id() == line.id)
        };
        !self.unverified.note().signatures().iter().all(is_known)
    }

    /// L2: names the signature lines whose keys are neither given nor, where none is given, the chain's.
    fn foreign(&self, trust: &Trust, keys: &Keys, findings: &mut Findings) {
        let note = self.unverified.note();
        let own = keys.keys().filter(|history| trust.keys.is_empty() && history.role == Role::Log);
        let own: Vec<_> = own.map(|history| &history.key).collect();
        let verified = |line: &&SignatureLine| {
            let mut known = trust.keys.iter().chain(own.iter().copied());
            known.any(|key| key.name() == line.name && key.id() == line.id)
        };
        let others = note.signatures().iter().filter(|line| !verified(line));
        let count = others.clone().count();
        if count > 0 {
            findings.note(Axis::Witness, format!("{FOREIGN_KEYS}{count}: {}", names(others)));
        }
    }

    /// C9: the key that verified the checkpoint was a log key of this ledger at that size.
    fn is_log_key(&self, key: &VerifierKey, keys: &Keys, findings: &mut Findings) -> bool {
        let size = self.claims().size;
        let history = keys.key(&key.hash()).filter(|history| history.role == Role::Log);
        let holds = history.is_some_and(|history| history.covers_size(size));
        if let (false, Some(blind)) = (holds, keys.not_read_from()) {
            let why = format!("{blind} may have added the key that signed it");
            findings.not_established(Step::LogKey, "checkpoint", &why);
            return false;
        }
        let expected = format!("a log key of this ledger, valid at size {size}");
        findings.check(holds, Step::LogKey, "checkpoint", &expected, &key.to_string());
        holds && may_not_be_ended(keys, findings)
    }

    /// L8: where no key was given, the log keys of the chain serve.
    fn signed_by_the_chain(&self, trust: &Trust, keys: &Keys, findings: &mut Findings) -> bool {
        let note = self.unverified.note();
        let size = self.claims().size;
        let found = keys.signer_of_checkpoint(note, size);
        // Whatever was added since: a signature of a known key that does not hold is nobody's.
        let blind = keys.not_read_from().filter(|_| !self.is_broken);
        if let (None, Some(blind)) = (found, blind) {
            let why = format!("{blind} may have added the key that signed it");
            findings.not_established(Step::LogKey, "checkpoint", &why);
            return false;
        }
        let expected = format!("a signature by a log key of this ledger, valid at size {size}");
        let lines = match self.is_broken {
            true => format!("{}, which does not hold", lines_of(note.signatures().iter())),
            false => lines_of(note.signatures().iter()),
        };
        findings.check(found.is_some(), Step::LogKey, "checkpoint", &expected, &lines);
        let Some(history) = found else { return false };
        if trust.is_empty() {
            let sentence = format!("the key found in it is {}", history.key);
            findings.note(Axis::Ledger, sentence);
        }
        may_not_be_ended(keys, findings)
    }
}

/// Whether every control entry that may have ended the checkpoint's key was read. A dispute ends a key too
/// (C6), so that the checkpoint of a disputed one is past its end.
fn may_not_be_ended(keys: &Keys, findings: &mut Findings) -> bool {
    let Some(blind) = keys.not_read_from() else { return true };
    let why = format!("{blind} may have ended its key");
    findings.not_established(Step::LogKey, "checkpoint", &why);
    false
}

/// V9: each ledger id that was given is the leaf of entry 0.
fn ledger_ids(trust: &Trust, found: Option<Hash>, findings: &mut Findings) -> bool {
    let mut all = true;
    for expected in &trust.ledger_ids {
        let Some(found) = found else {
            findings.not_established(Step::LedgerId, "entry 0", "it is not shown");
            all = false;
            continue;
        };
        let digits = different_digits(expected, &found);
        let typo = if (1..=4).contains(&digits) {
            format!("; {digits} of 64 digits differ: look for a slip in what was typed")
        } else {
            String::new()
        };
        all &= found == *expected;
        let (expected, shown) = (expected.to_string(), format!("{found}{typo}"));
        findings.check(digits == 0, Step::LedgerId, "entry 0", &expected, &shown);
    }
    all
}

fn different_digits(a: &Hash, b: &Hash) -> usize {
    let (a, b) = (a.to_string(), b.to_string());
    a.bytes().zip(b.bytes()).filter(|(a, b)| a != b).count()
}

/// Ends what is found of a key that was given, and is one of this ledger's others.
pub const NO_LOG_KEY: &str = "key of this ledger, which signs no checkpoints";

/// Begins the note that names keys whose signatures nobody asked to verify.
pub const FOREIGN_KEYS: &str =
    "signature lines of other keys stand on the checkpoint and were not verified, ";

fn signature_by(key: &VerifierKey) -> String {
    format!("a signature by {}", named(key.name(), key.id()))
}

fn named(name: &str, id: [u8; 4]) -> String {
    format!("{name}+{}", encode_hex(&id))
}

/// What stands under a checkpoint is somebody's name, and no more until it was verified.
fn lines_of<'a>(lines: impl Iterator<Item = &'a SignatureLine>) -> String {
    format!("a signature line of {}", names(lines))
}

pub(crate) fn names<'a>(lines: impl Iterator<Item = &'a SignatureLine>) -> String {
    let names: Vec<String> = lines.map(|line| named(&line.name, line.id)).collect();
    printable(&names.join(", "))
}

/// What a finding is about that follows from nothing having been given to trust.
pub const ANCHOR_ITEM: &str = "trust anchor";

const NO_ANCHOR: &str = "no trust anchor was given: the key was taken from what is verified itself";

/// Without an anchor there is consistency, and nothing more (spec/verification.md).
fn without_anchor(findings: &mut Findings) {
    let steps = [
        Step::Checkpoint,
        Step::Signature,
        Step::Time,
        Step::Witness,
        Step::Produced,
        Step::References,
        Step::CustodyEvents,
    ];
    // L8: of a log scope is what its entries give.
    let scope = (!findings.steps.contains(&Step::Produced)).then_some(Step::Items);
    for step in steps.into_iter().chain(scope).filter(|step| findings.steps.contains(step)) {
        findings.not_established(step, ANCHOR_ITEM, NO_ANCHOR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::exhibit::verify_exhibit;
    use crate::judge::testing::{anchor, exhibit, found, signer};

    /// What is found of the good exhibit under this trust, and its notes on an axis.
    fn under(trust: &Trust, axis: Axis) -> (Vec<String>, Vec<String>) {
        let verdict = verify_exhibit(&mut exhibit("good"), trust, 1).unwrap();
        let notes = verdict.axes().iter().find(|found| found.axis == axis).map(|a| a.notes.clone());
        (found(&verdict), notes.unwrap_or_default())
    }

    // spec: L7
    #[test]
    fn a_slip_in_a_ledger_id_is_counted_in_digits_and_another_id_is_not() {
        let id = {
            let verdict = verify_exhibit(&mut exhibit("good"), &anchor(), 1).unwrap();
            verdict.seen().unwrap().ledger_id.unwrap()
        };
        let given = |edit: &dyn Fn(&mut Vec<u8>)| {
            let mut digits = id.to_string().into_bytes();
            edit(&mut digits);
            let typed = Hash::from_hex(std::str::from_utf8(&digits).unwrap()).unwrap();
            let trust = Trust { keys: vec![], ledger_ids: vec![typed] };
            (typed, under(&trust, Axis::Ledger).0)
        };
        assert_eq!(given(&|_| ()).1, [""; 0]);
        let slipped = |count: usize| {
            let (typed, found) = given(&|digits| {
                for digit in digits.iter_mut().take(count) {
                    *digit = if *digit == b'0' { b'1' } else { b'0' };
                }
            });
            let slip = format!("; {count} of 64 digits differ: look for a slip in what was typed");
            let slip = if count <= 4 { slip } else { String::new() };
            (found, format!("V9! entry 0: expected {typed}; {id}{slip}"))
        };
        for count in [1, 4, 5] {
            let (found, expected) = slipped(count);
            assert_eq!(found, [expected]);
        }
    }

    // spec: L8
    #[test]
    fn without_an_anchor_the_key_of_the_package_is_named_and_nothing_rests_on_it() {
        let (found, notes) = under(&Trust::default(), Axis::Ledger);
        assert_eq!(found.len(), 7, "{found:?}");
        assert!(found.iter().all(|line| line.ends_with(NO_ANCHOR)), "{found:?}");
        let own = &anchor().keys[0];
        assert!(notes.contains(&format!("the key found in it is {own}")));
    }

    // spec: L2
    #[test]
    fn keys_that_nobody_asked_about_are_named_and_one_that_did_not_sign_is_another_ledgers() {
        let stranger = Trust::key(signer(9).verifier().clone());
        let (found, notes) = under(&stranger, Axis::Witness);
        let own = &anchor().keys[0];
        let line = named(own.name(), own.id());
        let signed = format!(
            "expected a signature by {}",
            named("example.com/9", signer(9).verifier().id())
        );
        assert_eq!(found[0], format!("V8! checkpoint: {signed}; a signature line of {line}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(notes, ["it rests on the ledger, which is contradicted"]);
        let (_, notes) = under(&anchor(), Axis::Witness);
        assert_eq!(notes, [""; 0]);
    }

    /// What stands under an anchor stands under all that was given, and under nothing where that is nothing.
    // spec: L7 L8
    #[test]
    fn a_checkpoint_is_anchored_where_everything_given_holds() {
        let seen = |name: &str, trust: &Trust| {
            verify_exhibit(&mut exhibit(name), trust, 1).unwrap().seen().unwrap().clone()
        };
        let own = anchor();
        let id = seen("good", &own).ledger_id.unwrap();
        let other = signer(9).verifier().clone();
        let trust = |keys: &[&VerifierKey], ledger_ids: &[Hash]| Trust {
            keys: keys.iter().map(|key| (*key).clone()).collect(),
            ledger_ids: ledger_ids.to_vec(),
        };
        let (key, wrong) = (&own.keys[0], Hash::of(&[]));
        for (name, trust, anchored, signed) in [
            ("good", trust(&[key], &[]), true, true),
            ("good", trust(&[], &[id]), true, false),
            ("good", trust(&[key], &[id]), true, true),
            ("good", trust(&[], &[]), false, false),
            ("good", trust(&[&other], &[]), false, false),
            ("good", trust(&[key, &other], &[]), false, true),
            ("good", trust(&[&other, key], &[id]), false, true),
            ("good", trust(&[key], &[wrong]), false, true),
            ("good", trust(&[], &[id, wrong]), false, false),
            ("good", trust(&[], &[wrong, id]), false, false),
            ("checkpoint-by-a-collector", trust(&[], &[id]), false, false),
            ("checkpoint-key-ended", trust(&[key], &[]), false, true),
            ("known-keys-behind-a-later-control-entry", trust(&[key], &[]), false, true),
            ("known-keys-behind-a-later-control-entry", trust(&[], &[id]), false, false),
        ] {
            let seen = seen(name, &trust);
            assert_eq!((seen.anchored, seen.signed), (anchored, signed), "{name} {trust:?}");
        }
    }

    /// A line of the ledger's own log key is no stranger's, though it does not hold.
    // spec: L2
    #[test]
    fn a_line_of_the_chains_own_key_is_no_other_keys() {
        let (entries, _) = crate::judge::testing::Scribe::new().judged(&[0]);
        let origin = crate::judge::testing::ORIGIN.to_owned();
        let text = Checkpoint { origin, size: 1, root: Hash::of(&[]) }.text();
        let note = signer(2).sign_note(&text).replacen("\n1\n", "\n2\n", 1);
        for (trust, named) in
            [(Trust::default(), false), (Trust::key(signer(9).verifier().clone()), true)]
        {
            let mut findings = Findings::new(Step::ALL);
            let judged = Judged::new(note.as_bytes(), &trust, &mut findings).unwrap();
            judged.against(&trust, &entries.keys, &mut findings);
            assert_eq!(findings.notes.contains_key(&Axis::Witness), named, "{trust:?}");
        }
    }

    /// A key of the same name is another key.
    // spec: L2
    #[test]
    fn a_line_of_another_key_of_the_same_name_is_named() {
        let (entries, _) = crate::judge::testing::Scribe::new().judged(&[0]);
        let own = signer(2);
        let other = crate::key::Signer::from_seed(own.verifier().name(), &[77; 32]).unwrap();
        let origin = crate::judge::testing::ORIGIN.to_owned();
        let text = Checkpoint { origin, size: 1, root: Hash::of(&[]) }.text();
        let line = other.sign_note(&text).strip_prefix(&format!("{text}\n")).unwrap().to_owned();
        let note = own.sign_note(&text) + &line;
        let trust = Trust::key(own.verifier().clone());
        let mut findings = Findings::new(Step::ALL);
        let judged = Judged::new(note.as_bytes(), &trust, &mut findings).unwrap();
        judged.against(&trust, &entries.keys, &mut findings);
        let id = named(other.verifier().name(), other.verifier().id());
        assert_eq!(findings.notes[&Axis::Witness], [format!("{FOREIGN_KEYS}1: {id}")]);
    }

    /// Whichever anchor is given: a line that anybody added is named, and however many there are, briefly.
    // spec: L2 A6
    #[test]
    fn lines_of_other_keys_are_named_under_a_ledger_id_too() {
        let scribe = crate::judge::testing::Scribe::new();
        let (entries, _) = scribe.judged(&[0]);
        let id = entries.keys.ledger_id().unwrap();
        let root = crate::tree::leaf_hash(scribe.notes[0].as_bytes());
        let origin = crate::judge::testing::ORIGIN.to_owned();
        let text = Checkpoint { origin, size: 1, root }.text();
        let mut note = signer(2).sign_note(&text);
        for seed in 10..60 {
            let other = signer(seed).sign_note(&text);
            note.push_str(other.strip_prefix(&format!("{text}\n")).unwrap());
        }
        let own = signer(2).verifier().clone();
        for trust in [Trust::key(own), Trust { keys: vec![], ledger_ids: vec![id] }] {
            let mut findings = Findings::new(Step::ALL);
            let judged = Judged::new(note.as_bytes(), &trust, &mut findings).unwrap();
            assert!(judged.against(&trust, &entries.keys, &mut findings).anchored);
            let [named] = &findings.notes[&Axis::Witness][..] else { panic!("one note") };
            let begin = format!("{FOREIGN_KEYS}50: example.com/10+");
            assert!(named.starts_with(&begin) && named.len() < 300, "{named}");
        }
    }
}
