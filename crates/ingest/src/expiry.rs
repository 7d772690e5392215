//! Deletions that were to be expected: what a lifecycle rule or a declared retention says of an object that is gone.

use unbroken_evidence::time::Time;
use unbroken_evidence::vocabulary::object;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::{Lookup, Private, Watched};

use crate::source::http_date;

/// Entries about a recording that are looked at for what S3 said of it.
const ENTRIES_MAX: usize = 64;
const DAY_MS: u64 = 86_400_000;

/// Why it was to be expected that an object is not there at `now`, if it was. Under a legal hold nothing is deleted by
/// rule: that is never expected.
pub(crate) fn expected(
    private: &Private,
    watched: &Watched,
    days: Option<u64>,
    now: Time,
) -> Result<Option<String>, LedgerError> {
    if watched.held {
        return Ok(None);
    }
    let about = private.find(Lookup::Subject, &watched.subject.0)?;
    for index in about.into_iter().rev().take(ENTRIES_MAX) {
        let Some((_, opening)) = private.opening(index)? else { continue };
        let key = opening.field(object::SOURCE, object::KEY);
        if key.is_none_or(|field| *field.value.to_bytes() != *watched.key) {
            continue;
        }
        let Some(modified) = opening.value(object::SOURCE, object::MODIFIED) else { continue };
        if let Some(said) = opening.value("s3-header", "/x-amz-expiration")
            && expiry(said).is_some_and(|when| when <= now)
        {
            return Ok(Some(format!("S3 said of it, as entry {index} has it: {said}")));
        }
        let written = Time::parse(modified).ok();
        let ends = days
            .zip(written)
            .map(|(days, written)| written.unix_ms().saturating_add(days.saturating_mul(DAY_MS)));
        let is_over = ends.is_some_and(|ends| ends <= now.unix_ms());
        let declared = days.filter(|_| is_over).map(|days| {
            format!("the run was told that objects are kept for {days} days; it was last modified {modified}")
        });
        return Ok(declared);
    }
    Ok(None)
}

/// The time of `expiry-date="Fri, 23 Dec 2026 00:00:00 GMT", rule-id="..."`.
fn expiry(header: &str) -> Option<Time> {
    let (_, rest) = header.split_once("expiry-date=\"")?;
    http_date(rest.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_out_of_what_s3_says_of_an_expiry() {
        let read = |header| expiry(header).map(|time| time.to_string());
        let said = "expiry-date=\"Fri, 25 Dec 2026 00:00:00 GMT\", rule-id=\"old calls\"";
        assert_eq!(read(said).as_deref(), Some("2026-12-25T00:00:00.000Z"));
        for none in
            ["", "rule-id=\"x\"", "expiry-date=\"", "expiry-date=\"soon\"", "expiry-date=\"\""]
        {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
