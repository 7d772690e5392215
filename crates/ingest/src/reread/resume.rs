//! Goes on with an object audit that was stopped: from where its entry says that it stood.

use unbroken_evidence::narrow::decimal;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::vocabulary::audit;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::{Lookup, Private};

use crate::reread::Wanted;

/// Where an audit stood: behind this key of this source, in the order in which sources were first seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The index of its entry.
    pub index: u64,
    /// The source.
    pub source: String,
    /// The last key that it had come to; `None`: it had only begun with this source.
    pub key: Option<Vec<u8>>,
}

/// What the newest object audit below `size` was asked to do, and where it stood; `None` where it came to its end,
/// or there is none.
///
/// # Errors
/// `Private`.
pub fn stopped(private: &Private, size: u64) -> Result<Option<Wanted>, LedgerError> {
    let found = private.find_some(Lookup::Kind, b"audit", usize::MAX)?;
    let Some(index) = found.into_iter().rev().find(|index| *index < size) else { return Ok(None) };
    let opened = private.opening(index)?;
    Ok(opened.and_then(|(_, opening)| of(index, &opening)))
}

fn of(index: u64, opening: &Opening) -> Option<Wanted> {
    let text = |pointer: &str| opening.value(audit::SOURCE, pointer);
    if text("/outcome") != Some("interrupted") {
        return None;
    }
    let source = text("/stopped/source")?.to_owned();
    let key = opening.field(audit::SOURCE, "/stopped/key").map(|field| field.value.to_bytes());
    let sample = match text("/sample")? {
        "all" => None,
        most => Some(decimal(most)?),
    };
    let mut seed = [0; 16];
    if let Some(digits) = text("/seed") {
        let digits = u128::from_str_radix(digits, 16).ok()?;
        seed = digits.to_be_bytes();
    }
    Some(Wanted {
        sample,
        seed,
        source: text("/source").filter(|source| *source != "every one").map(str::to_owned),
        trust_s3_checksum: text("/s3-checksum").is_some(),
        resumes: Some(Stopped { index, source, key }),
    })
}
