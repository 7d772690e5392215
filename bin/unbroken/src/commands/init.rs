//! `unbroken init`

use std::path::Path;

use serde_json::json;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::Ledger;
use unbroken_ledger::reader::LogReader;

use crate::arguments::Output;
use crate::failure::Failure;
use crate::{output, world};

pub(crate) fn run(
    folder: &Path,
    origin: &str,
    head_copy: Option<&Path>,
    out: &Output,
) -> Result<u8, Failure> {
    let head_copy = head_copy.map(world::absolute);
    let ledger = Ledger::create(folder, origin, world::surroundings("init"), head_copy.as_deref())
        .map_err(|error| {
            match error {
                // The only form that a person types here is the origin.
                LedgerError::Form(error) => Failure::usage(
                    error.to_string(),
                    "a good origin is a domain and a word: example.com/recordings",
                ),
                other => other.into(),
            }
        })?;
    let ledger_id = LogReader::open(folder)?.leaf(0)?;
    let anchor = ledger.trust_anchor();
    output::text(
        out,
        &format!(
            "trust anchor: {anchor}\nledger id: {ledger_id}\n\n\
             Keep a copy of {0}/keys in a safe, and give the ledger id to whoever will verify,\n\
             by another way than the exhibits: on paper, in the certification. The trust anchor\n\
             serves in its place for as long as its key is used.\n",
            folder.display()
        ),
    )?;
    let document = json!({
        "schema": "unbroken/init@v1", "exit_code": 0, "folder": folder.display().to_string(), "origin": origin,
        "trust_anchor": anchor.to_string(), "ledger_id": ledger_id.to_string(),
    });
    output::json(out, &document)?;
    Ok(0)
}
