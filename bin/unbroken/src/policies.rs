//! Completeness policies as they are typed, and their findings as they are shown.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::{Value, json};
use unbroken_evidence::error::escaped;
use unbroken_ingest::policy::{Finding, Policy, READY};

use crate::failure::Failure;

/// Bytes of a file that are read: a policy has no more than 65,536.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The ready policy of that name, or the one in that file.
pub(crate) fn load(typed: &OsStr) -> Result<Policy, Failure> {
    if let Some(policy) = typed.to_str().and_then(Policy::ready) {
        return Ok(policy);
    }
    let shown = typed.display();
    let unread = |error: io::Error| {
        let names = READY.map(|(name, _)| name).join(" and ");
        let hint = format!("name a file; {names} come with the program");
        Failure::usage(format!("policy {shown}: {error}"), hint)
    };
    let path = Path::new(typed);
    let hint = "`unbroken policy show genesys-default` prints one that works; docs/policy.md explains every key";
    let text = text_of(path).map_err(unread)?;
    Policy::parse(&text).map_err(|error| Failure::usage(format!("policy {shown}: {error}"), hint))
}

/// A file that people wrote: a pipe is none, and a long one is not read to its end.
pub(crate) fn text_of(path: &Path) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
    }
    let mut text = String::new();
    std::fs::File::open(path)?.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
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
