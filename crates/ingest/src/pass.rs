//! The `pass` entry: what one run saw, left out, and could not read.

use unbroken_evidence::field::Value;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::vocabulary::pass;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::Ledger;
use unbroken_ledger::private::Row;

use crate::listing::Listing;
use crate::policy::Remark;
use crate::run::{Options, Software, Summary};
use crate::source::Source;

/// What the `pass` entry of any run says: source, times, program, clock, and where its entries stand.
pub(crate) fn of_any(
    ledger: &Ledger,
    source: &dyn Source,
    software: &Software,
    (started, first): (&str, u64),
) -> Vec<Value> {
    let sha256 = software.sha256.map_or_else(|| "not read".to_owned(), |h: Hash| h.to_string());
    let text = |pointer: &str, value: &str| Value::string(pass::SOURCE, pointer, value);
    vec![
        text("/source/name", source.name()),
        text("/source/location", source.location()),
        text("/source/store", source.store()),
        text("/source/scope", source.scope()),
        text("/started", started),
        text("/ended", &ledger.now().to_string()),
        text("/software/version", &software.version),
        text("/software/sha256", &sha256),
        text("/clock/source", "system clock"),
        text("/clock/offset", "not measured"),
        // Every entry of the run stands from the one on and below the other, which is this entry's.
        Value::number(pass::SOURCE, pass::FROM, first),
        Value::number(pass::SOURCE, pass::TO, ledger.size()),
    ]
}

/// Seals the `pass` entry of a run; gives its index.
pub(crate) fn seal(
    ledger: &mut Ledger,
    source: &dyn Source,
    options: &Options,
    software: &Software,
    summary: &Summary,
    listing: Listing,
) -> Result<u64, LedgerError> {
    let (lines, root, parts) = listing.finish();
    let mut values = of_any(ledger, source, software, (&summary.started, summary.first));
    let mut text = |pointer: &str, value: &str| values.push(Value::string("pass", pointer, value));
    text("/kind", "content");
    text("/layout", options.layout.name());
    let layout = Hash::of(&[options.layout.text().as_bytes()]).to_string();
    text("/layout-sha256", &layout);
    let outcome = match &summary.listing_broke_off {
        Some(_) => "the listing broke off",
        None if summary.interrupted => "interrupted",
        None if summary.emptied => "nothing was there, though objects of it were sealed before",
        None => "finished",
    };
    text("/outcome", outcome);
    let error = summary.listing_broke_off.as_ref().map(ToString::to_string);
    text("/listing/error", error.as_deref().unwrap_or("none"));
    text("/listing/root", &root.to_string());
    text("/exclusions/since", options.since.as_deref().unwrap_or("none"));
    text("/exclusions/until", options.until.as_deref().unwrap_or("none"));
    text("/exclusions/limit", &options.limit.map_or_else(|| "none".to_owned(), |n| n.to_string()));
    for (sort, number, pattern) in options.keys.said() {
        text(&format!("/exclusions/{sort}/{number}"), pattern);
    }
    text("/policy", &summary.policy.map_or_else(|| "none".to_owned(), |leaf| leaf.to_string()));
    let versions = match (options.all_versions, summary.all_versions) {
        (false, _) => "the current ones",
        (true, true) => "every one",
        (true, false) => "every one was asked for, and not all could be looked at",
    };
    text("/versions", versions);
    text("/reseal", if options.reseal { "everything was sealed anew" } else { "no" });
    for (number, (remark, count)) in summary.remarks.iter().enumerate() {
        let Remark { sort, sentence } = remark;
        let text = format!("{}: {sentence} ({count} recordings)", sort.name());
        values.push(Value::string("pass", &format!("/remarks/{number}"), &text));
    }
    values.push(Value::number("pass", "/listing/lines", lines));
    for (name, count) in [
        ("objects", summary.objects),
        ("bytes", summary.bytes),
        ("sealed", summary.sealed),
        ("sealed_again", summary.sealed_again),
        ("unchanged", summary.unchanged),
        ("companions", summary.companions),
        ("incomplete", summary.incomplete),
        ("awaited", summary.awaited),
        ("unread", summary.unread),
        ("strays", summary.strays),
        ("excluded", summary.excluded),
        ("gone", summary.gone),
        ("expired", summary.expired),
        ("back", summary.back),
        ("earlier_versions", summary.earlier),
        ("versions_told", summary.told),
        ("problems", summary.problem_count),
    ] {
        values.push(Value::number("pass", &format!("/counts/{name}"), count));
    }
    let row = Row { listing: parts, ..Row::default() };
    Ok(ledger.append_fields(Kind::Pass, values, row)?.index)
}
