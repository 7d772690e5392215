//! `unbroken restore`

use std::path::Path;

use serde_json::json;
use unbroken_ledger::restore::restore;

use crate::arguments::Output;
use crate::failure::Failure;
use crate::{output, world};

pub(crate) fn run(folder: &Path, out: &Output) -> Result<u8, Failure> {
    let restored = restore(folder, world::surroundings("restore"))?;
    let mut text = format!("entries: {}\n", restored.entries);
    match &restored.old_store {
        Some(old) => text.push_str(&format!(
            "the store was rebuilt from the log; the old one is {}\n",
            old.display()
        )),
        None => {
            text.push_str("the store knows at least what the log knows: it was left as it is\n")
        }
    }
    text.push_str(&format!(
        "entries without an opening: {} lost, {} erased in part\n",
        restored.lost, restored.erased
    ));
    if restored.aside > 0 {
        text.push_str(&format!(
            "{} openings beyond the log were set aside in private.db\n",
            restored.aside
        ));
    }
    if let Some(gap) = restored.gap {
        text.push_str(&format!(
            "sealed the loss as `gap`, entry {gap}; ingest now needs --reseal\n"
        ));
    }
    output::text(out, &text)?;
    let code = if restored.lost > 0 || restored.aside > 0 { 2 } else { 0 };
    output::json(
        out,
        &json!({
            "schema": "unbroken/restore@v1", "exit_code": code, "entries": restored.entries,
            "store_rebuilt": restored.store_rebuilt, "lost": restored.lost,
            "erased": restored.erased, "aside": restored.aside, "gap": restored.gap,
        }),
    )?;
    Ok(code)
}
