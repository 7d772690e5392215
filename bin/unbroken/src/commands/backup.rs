//! `unbroken backup`

use std::path::Path;

use serde_json::json;
use unbroken_ledger::backup::{Backup, backup};

use crate::arguments::Output;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(
    folder: &Path,
    to: &Path,
    without_keys: bool,
    out: &Output,
) -> Result<u8, Failure> {
    let Backup { entries, bytes } = backup(folder, to, !without_keys)?;
    let shown = to.display();
    let keys = if without_keys {
        "The keys are not in it: keep a copy of them in a safe"
    } else {
        "The keys are in it: whoever has it can sign as this ledger"
    };
    output::text(
        out,
        &format!(
            "backup: {shown}, {entries} entries, {}\n{keys}. It is put back with `unbroken restore --ledger {shown}`\n",
            output::bytes(bytes)
        ),
    )?;
    output::json(
        out,
        &json!({
            "schema": "unbroken/backup@v1", "exit_code": 0, "to": shown.to_string(),
            "entries": entries, "bytes": bytes, "keys": !without_keys,
        }),
    )?;
    Ok(0)
}
