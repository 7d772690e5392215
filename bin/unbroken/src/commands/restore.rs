//! `unbroken restore`

use std::path::Path;

use serde_json::json;
use unbroken_ledger::restore::{Restored, restore};

use crate::arguments::Output;
use crate::failure::Failure;
use crate::{output, world};

pub(crate) fn run(folder: &Path, head_copy: Option<&Path>, out: &Output) -> Result<u8, Failure> {
    let head_copy = head_copy.map(world::absolute);
    let restored = restore(folder, world::surroundings("restore"), head_copy.as_deref())?;
    output::text(out, &report(&restored))?;
    let code = match restored {
        Restored { gone: Some(_), .. } => 1,
        Restored { lost: 1.., .. }
        | Restored { aside: 1.., .. }
        | Restored { parts_lost: 1.., .. } => 2,
        _ => 0,
    };
    output::json(
        out,
        &json!({
            "schema": "unbroken/restore@v1", "exit_code": code, "entries": restored.entries,
            "store_rebuilt": restored.store_rebuilt, "lost": restored.lost,
            "erased": restored.erased, "salvaged": restored.salvaged,
            "gone": restored.gone.map(|(first, last)| [first, last]),
            "log_rewritten": restored.old_log.is_some(), "aside": restored.aside, "gap": restored.gap,
            "private_db_rebuilt": restored.old_private.is_some(), "rebuilt": restored.rebuilt,
            "parts_lost": restored.parts_lost, "parts_gap": restored.parts_gap,
        }),
    )?;
    Ok(code)
}

/// What was done and found, for people.
fn report(restored: &Restored) -> String {
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
    if let Some(old) = &restored.old_log {
        let old = old.display();
        text.push_str(&format!("the log was written again from the store; the old one is {old}\n"));
    }
    if restored.salvaged > 0 {
        text.push_str(&format!(
            "{} entries beyond the log were taken from the old store\n",
            restored.salvaged
        ));
    }
    if let Some((first, last)) = restored.gone {
        text.push_str(&format!(
            "GONE: entries {first} to {last} were sealed or about to be, and neither the log nor the store has them\n"
        ));
    }
    if let Some(old) = &restored.old_private {
        text.push_str(&format!(
            "private.db was damaged: what could be read of it was taken over; the old one is {}\n",
            old.display()
        ));
    }
    if restored.rebuilt > 0 {
        text.push_str(&format!(
            "{} entries: rows beside the opening were made again in private.db\n",
            restored.rebuilt
        ));
    }
    if let Some(gap) = restored.parts_gap {
        text.push_str(&format!(
            "captured documents or listings of {} entries are lost: sealed as `gap`, entry {gap}\n",
            restored.parts_lost
        ));
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
    text
}
