//! Companions that are waited for: a sidecar may come minutes after its recording, and that is nobody's fault.
//!
//! A recording is sealed when it is first seen, with what is waited for as a finding. Once the policy's time is
//! over, the next run judges it again, and seals that the companion did not come.

use std::collections::{HashMap, HashSet};

use unbroken_evidence::field::Value;
use unbroken_evidence::time::Time;
use unbroken_evidence::vocabulary::{finding, object};
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::Ledger;
use unbroken_ledger::private::Private;

use crate::policy::{Code, Finding, Policy};

/// Before its name stands, in private.db, when a source has to be asked again: milliseconds since 1970.
const MARK: &str = "awaited/";

/// Of more incomplete recordings it is not looked what each of them lacks.
const LOOKED_AT_MAX: usize = 10_000;

/// How many recordings below `size` count as incomplete only because a companion may still come. Of a source
/// of which the first such time is over, and no run looked since, none is; nor where very many are incomplete.
///
/// # Errors
/// Those of reading private.db.
pub fn awaited(private: &Private, size: u64, now: Time) -> Result<u64, LedgerError> {
    let incomplete = private.incomplete(size)?;
    let mut has_time = HashMap::new();
    for (number, ..) in private.sources()? {
        let until = until(private, number)?;
        has_time.insert(number, until.is_some_and(|until| until > now.unix_ms()));
    }
    let mut count = 0;
    for index in incomplete.iter().filter(|_| incomplete.len() <= LOOKED_AT_MAX) {
        let state = private.object(*index)?;
        if state.is_none_or(|state| has_time.get(&state.source) != Some(&true)) {
            continue;
        }
        let Some((_, opening)) = private.opening(*index)? else { continue };
        let said = opening.fields().map(|field| &field.value);
        let mut said = said.filter(|value| value.source == finding::SOURCE).peekable();
        let is_waited_for = |value: &Value| {
            Finding::parse(&value.value).is_some_and(|found| found.code == Code::CompanionAwaited)
        };
        count += u64::from(said.peek().is_some() && said.all(is_waited_for));
    }
    Ok(count)
}

/// When a source has to be asked again, in milliseconds since 1970.
fn until(private: &Private, number: i64) -> Result<Option<u64>, LedgerError> {
    let kept = private.meta(&format!("{MARK}{number}"))?;
    let marked = kept.and_then(|bytes| <[u8; 8]>::try_from(bytes.as_slice()).ok());
    Ok(marked.map(u64::from_be_bytes))
}

/// What of a source is waited for.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    /// Keys of recordings whose time is over.
    pub(crate) due: HashSet<Vec<u8>>,
    /// When the next time is over, of those that still have some.
    next: Option<u64>,
}

impl Awaited {
    /// Looks for recordings whose time is over, where there may be one. Until [`Awaited::leave`] the next run
    /// looks too: this one may not come to its end.
    pub(crate) fn of(
        ledger: &mut Ledger,
        (number, scope): (i64, &str),
        policy: Option<&Policy>,
    ) -> Result<Self, LedgerError> {
        let mut awaited = Self::default();
        let name = format!("{MARK}{number}");
        let Some(policy) = policy else { return Ok(awaited) };
        let now = ledger.now().unix_ms();
        let marked = until(ledger.private(), number)?;
        if marked.is_some_and(|when| when <= now) {
            awaited.look(ledger, (number, scope), policy, now)?;
        } else {
            awaited.next = marked;
        }
        if policy.waits_ms() > 0 {
            ledger.private_mut().set_meta(&name, Some(&0_u64.to_be_bytes()))?;
        }
        Ok(awaited)
    }

    fn look(
        &mut self,
        ledger: &Ledger,
        (number, scope): (i64, &str),
        policy: &Policy,
        now: u64,
    ) -> Result<(), LedgerError> {
        let private = ledger.private();
        for index in private.incomplete(ledger.size())? {
            let Some(state) = private.object(index)?.filter(|state| state.source == number) else {
                continue;
            };
            let Some((_, opening)) = private.opening(index)? else { continue };
            let findings = opening.fields().filter_map(|field| Finding::parse(&field.value.value));
            if !findings.into_iter().any(|finding| finding.code == Code::CompanionAwaited) {
                continue;
            }
            let modified = opening.value(object::SOURCE, object::MODIFIED);
            let modified = modified.and_then(|text| Time::parse(text).ok()).map(Time::unix_ms);
            match modified.map(|modified| modified.saturating_add(policy.waits_ms())) {
                Some(until) if until > now => self.until(until),
                // Another run of this source reaches it.
                _ if !state.key.starts_with(scope.as_bytes()) => self.until(now),
                _ => drop(self.due.insert(state.key)),
            }
        }
        Ok(())
    }

    fn until(&mut self, when: u64) {
        self.next = Some(self.next.map_or(when, |next| next.min(when)));
    }

    /// Leaves word for the next run, behind one that saw the whole source; `sealed` is when the first time is
    /// over of those that it sealed.
    pub(crate) fn leave(
        mut self,
        ledger: &mut Ledger,
        number: i64,
        sealed: Option<u64>,
    ) -> Result<(), LedgerError> {
        sealed.into_iter().for_each(|until| self.until(until));
        let when = self.next.map(u64::to_be_bytes);
        ledger
            .private_mut()
            .set_meta(&format!("{MARK}{number}"), when.as_ref().map(<[u8; 8]>::as_slice))
    }
}
