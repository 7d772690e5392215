//! Completeness policies as they are typed, and their findings as they are shown.

use std::ffi::OsStr;

use serde_json::{Value, json};
use unbroken_evidence::error::escaped;
use unbroken_ingest::policy::{Finding, Policy, READY};

use crate::failure::Failure;
use crate::written::{Sort, load as load_one};

/// What policies are, to whoever types one.
pub(crate) const SORT: Sort = Sort {
    what: "policy",
    ready: &READY,
    hint: "`unbroken policy show genesys-default` prints one that works; docs/policy.md explains every key",
};

/// The ready policy of that name, or the one in that file.
pub(crate) fn load(typed: &OsStr) -> Result<Policy, Failure> {
    load_one(&SORT, typed, Policy::parse)
}

/// A finding for machines.
pub(crate) fn document(finding: &Finding) -> Value {
    let Finding { code, sentence } = finding;
    json!({"code": code.name(), "sentence": escaped(sentence), "mend": code.mend()})
}

/// A finding as it was sealed, for machines; one of another version has no code that is known here.
pub(crate) fn sealed(sealed: &str) -> Value {
    let known = Finding::parse(sealed).as_ref().map(document);
    known.unwrap_or_else(|| json!({"code": null, "sentence": escaped(sealed), "mend": null}))
}

/// The same in one line for people.
pub(crate) fn line(sealed: &str) -> String {
    let mend = Finding::parse(sealed).map(|finding| format!(": {}", finding.code.mend()));
    format!("{}{}", escaped(sealed), mend.unwrap_or_default())
}
