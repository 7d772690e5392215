//! `unbroken audit`

use std::path::Path;

use serde_json::json;
use unbroken_container::render;
use unbroken_evidence::error::printable;
use unbroken_ledger::audit::{Progress, audit};

use crate::arguments::Output;
use crate::failure::Failure;
use crate::{output, progress, world};

pub(crate) fn run(folder: &Path, out: &Output) -> Result<u8, Failure> {
    let progress = Progress::default();
    let line = |elapsed| progress::of_audit(&progress, elapsed);
    let audit = progress::shown(out, &line, || {
        audit(folder, &world::holder("audit"), world::threads(), &progress)
    })?;
    let code = audit.exit_code();
    let store = match &audit.store {
        Ok(entries) => format!("{entries} entries compared with the log"),
        Err(why) => format!("NOT CHECKED ({why})"),
    };
    let mut text = format!(
        "log: {}\nstore: {store}\nopenings: {} agree with their entries, {} are missing\n",
        render::headline(&audit.log),
        audit.openings,
        audit.missing_openings
    );
    if let Some(why) = &audit.keys_not_checked {
        text.push_str(&format!("keys: NOT CHECKED ({})\n", printable(why)));
    }
    if audit.unpublished > 0 {
        text.push_str(&format!(
            "not published yet: {} entries; the next ingest publishes them\n",
            audit.unpublished
        ));
    }
    for difference in &audit.differences {
        text.push_str(&format!("difference: {difference}\n"));
    }
    text.push_str(match code {
        0 => "NO DIFFERENCE FOUND\n",
        1 => "DIFFERENCES FOUND: keep a copy of the ledger, then run `unbroken restore`, which mends what it can and says what is lost\n",
        _ => "NO DIFFERENCE FOUND, BUT NOT EVERYTHING WAS CHECKED\n",
    });
    if audit.keys_differ {
        text.push_str(
            "Keys are mended by no command: put back the copy of DIR/keys that was kept elsewhere\n",
        );
    }
    output::text(out, &text)?;
    output::json(
        out,
        &json!({
            "schema": "unbroken/audit@v1", "exit_code": code, "store": store,
            "differences": audit.differences, "openings": audit.openings,
            "missing_openings": audit.missing_openings, "unpublished": audit.unpublished,
            "keys_not_checked": audit.keys_not_checked, "log": render::document(&audit.log, None),
        }),
    )?;
    Ok(code)
}
