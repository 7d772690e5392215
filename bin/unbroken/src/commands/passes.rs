//! `unbroken passes`

use std::path::Path;

use serde_json::{Value, json};
use unbroken_evidence::error::escaped;
use unbroken_ingest::passes::{Pass, newest_first};
use unbroken_ledger::ledger::private_path;
use unbroken_ledger::private::Private;
use unbroken_ledger::reader::LogReader;

use crate::arguments::Output;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(
    folder: &Path,
    source: Option<&str>,
    most: usize,
    out: &Output,
) -> Result<u8, Failure> {
    let reader = LogReader::open(folder)?;
    let private = Private::open_to_read(&private_path(folder))?;
    let mut passes = Vec::new();
    newest_first(&private, reader.checkpoint().size, &mut |pass| {
        if source.is_none_or(|source| source == pass.source) {
            passes.push(pass);
        }
        passes.len() < most
    })?;
    for pass in &passes {
        output::text(out, &line(pass))?;
    }
    if passes.is_empty() {
        output::warning(out, "no run is known; `unbroken status` names the sources");
    }
    let documents: Vec<Value> = passes.iter().map(document).collect();
    output::json(
        out,
        &json!({"schema": "unbroken/passes@v1", "exit_code": 0, "passes": documents}),
    )?;
    Ok(0)
}

/// Index, times, kind, source and outcome, and what was counted, where it is not nothing.
fn line(pass: &Pass) -> String {
    let Pass { index, started, ended, kind, source, outcome, counts, .. } = pass;
    let counted: Vec<String> = counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    format!(
        "{index}\t{started}\t{ended}\t{kind}\t{}\t{outcome}\t{}\n",
        escaped(source),
        counted.join(", ")
    )
}

fn document(pass: &Pass) -> Value {
    json!({
        "index": pass.index, "source": escaped(&pass.source), "kind": pass.kind,
        "started": pass.started, "ended": pass.ended, "outcome": pass.outcome,
        "counts": pass.counts,
    })
}
