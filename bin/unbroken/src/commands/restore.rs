//! `unbroken restore`

use std::path::Path;

use serde_json::json;
use unbroken_ledger::restore::restore;

use crate::arguments::Output;
use crate::failure::Failure;
use crate::{output, world};

pub(crate) fn run(folder: &Path, head_copy: Option<&Path>, out: &Output) -> Result<u8, Failure> {
    let head_copy = head_copy.map(world::absolute);
    let restored = restore(folder, world::surroundings("restore"), head_copy.as_deref())?;
    let mut text = format!("entries: {}\n", restored.entries);
    text.push_str(&match (&restored.old_store, restored.store_rebuilt) {
        (Some(old), _) => {
            format!("the store was rebuilt from the log; the old one is {}\n", old.display())
        }
        (None, true) => "the store was rebuilt from the log; there was no old one\n".to_owned(),
        (None, false) => {
            "the store knows at least what the log knows: it was left as it is\n".to_owned()
        }
    });
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
