//! The control chain, as entries name it and as control entries make it (V11), and keys that it does not know (V14).

use super::{Entries, Pending, signature_finding};
use crate::body::Role;
use crate::entry::UnverifiedEntry;
use crate::hash::Hash;
use crate::judge::findings::Findings;
use crate::key::VerifierKey;
use crate::keys::Blind;
use crate::note::SignatureCheck;
use crate::step::Step;

impl Entries {
    /// E13: the newest control entry below, by its leaf.
    pub(super) fn control_pointer(
        &mut self,
        (index, item): (u64, &str),
        entry: &UnverifiedEntry,
        key: Option<&VerifierKey>,
        findings: &mut Findings,
    ) {
        let statement = entry.statement();
        let newest = self.keys.newest();
        let shown =
            |hash: Option<Hash>| hash.map_or_else(|| "none".to_owned(), |hash| hash.to_string());
        let holds = statement.control == newest && (index == 0) == newest.is_none();
        if let (false, Some(lost)) = (holds, self.keys.lost()) {
            let why = format!(
                "entry {lost}, of which nothing was taken, may be the control entry that it names"
            );
            return findings.not_established(Step::Control, item, &why);
        }
        // Of a log every entry is here: what names another control entry than those names none.
        let unseen = statement.control.filter(|named| !holds && !self.keys.has_passed(named));
        if let (Some(named), true, false) = (unseen, index > 0, self.history.is_whole()) {
            // What nobody signed tells of no control entry; the signature is accused of itself.
            if key.is_none_or(|key| entry.check(key) == SignatureCheck::Valid) {
                self.missing_control(index, named, findings);
            }
            return;
        }
        // A genesis that names one has no form of ours.
        let expected = match newest {
            None => "the control entry that it names to be shown below it".to_owned(),
            newest => format!("control {}", shown(newest)),
        };
        findings.check(holds, Step::Control, item, &expected, &shown(statement.control));
    }

    /// An entry that names a control key, is of another kind, and was not signed so: it may have been a control entry.
    pub(super) fn may_have_been_control(
        &mut self,
        index: u64,
        entry: &UnverifiedEntry,
        key: &VerifierKey,
    ) {
        let is_of_control = self.keys.key(&key.hash()).is_some_and(|key| key.role == Role::Control);
        if is_of_control && entry.check(key) != SignatureCheck::Valid {
            self.keys.lose(index);
            self.changed_control.get_or_insert(index);
        }
    }

    /// V11: the control chain is not all here, for an entry names one that is not shown.
    fn missing_control(&mut self, index: u64, named: Hash, findings: &mut Findings) {
        let item = format!("control entry of leaf {named}");
        if self.keys.miss(index, named) {
            let expected = format!("to be shown below entry {index}, which names it");
            findings.contradicted(Step::Control, &item, &expected, "not shown");
        } else {
            let why = format!("the {item}, which it names, is not shown");
            findings.not_established(Step::Control, &format!("entry {index}"), &why);
        }
    }

    /// An entry by a key that no control entry below added.
    pub(super) fn unknown_key(
        &mut self,
        item: &str,
        is_control: bool,
        index: u64,
        entry: UnverifiedEntry,
        findings: &mut Findings,
    ) {
        if is_control {
            // Nobody known signed it: it may not be the one that others name.
            self.keys.pass(index, entry.leaf());
            self.keys.lose(index);
        }
        let statement = entry.statement();
        let found = format!("{}, key {}", statement.signer, statement.key);
        if self.may_be_added(index, item, &found, findings) {
            self.push(index, entry, None, None);
        } else {
            self.pending.push(Pending::Refused(index));
        }
    }

    /// Whether a control entry that is not understood may have added a key; otherwise a contradiction.
    pub(super) fn may_be_added(
        &self,
        index: u64,
        item: &str,
        found: &str,
        findings: &mut Findings,
    ) -> bool {
        let blind = self.keys.not_read_from().or_else(|| self.changed_control.map(Blind::At));
        let Some(blind) = blind.filter(|blind| blind.counts_at(index)) else {
            let expected = "a key that a control entry below added";
            findings.contradicted(Step::Signature, item, expected, found);
            return false;
        };
        let why = format!("its key is not known; {blind} may have added it");
        findings.not_established(Step::Signature, item, &why);
        true
    }

    pub(super) fn control_entry(
        &mut self,
        index: u64,
        item: &str,
        entry: UnverifiedEntry,
        key: &VerifierKey,
        findings: &mut Findings,
    ) {
        let leaf = entry.leaf();
        let verified = match entry.clone().verify(key) {
            Ok(verified) => verified,
            Err(check) => {
                // Whatever nobody signed adds no key and ends none.
                signature_finding(index, check, findings);
                self.keys.pass(index, leaf);
                self.keys.lose(index);
                self.changed_control.get_or_insert(index);
                return self.pending.push(Pending::Refused(index));
            }
        };
        if index > 0 {
            self.standing(index, key, Role::Control).say(item, findings);
        }
        if self.keys.blind().is_some() {
            self.keys.pass(index, leaf);
        } else {
            match self.keys.apply(index, &verified) {
                Ok(()) => findings.held(Step::Control),
                Err(error) => findings.form(Step::Control, item, &error),
            }
        }
        if index == 0 {
            self.standing(index, key, Role::Control).say(item, findings);
        }
        self.push(index, entry, Some(key.clone()), None);
    }
}
