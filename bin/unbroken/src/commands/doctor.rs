//! `unbroken doctor`

use std::ffi::OsString;
use std::sync::Arc;

use serde_json::{Value, json};
use unbroken_evidence::error::escaped;
use unbroken_ingest::source::{Check, Health};

use crate::arguments::{Output, S3Arguments};
use crate::failure::Failure;
use crate::{output, sources};

pub(crate) fn run(typed: &[OsString], s3: &S3Arguments, out: &Output) -> Result<u8, Failure> {
    let mut documents = Vec::new();
    let mut is_well = true;
    for typed in typed {
        let Some((source, shown)) = sources::bucket(typed, s3, &Arc::default())? else {
            return Err(Failure::usage(
                format!("{}: a folder needs no doctor", escaped(&typed.to_string_lossy())),
                "give a bucket, s3://bucket/prefix; of a folder `unbroken ingest --dry-run` shows what is there",
            ));
        };
        let checks = source.examine();
        is_well &= checks.iter().all(|check| matches!(check.health, Health::Good | Health::Advice));
        output::text(out, &format!("{}\n", escaped(&shown)))?;
        for check in &checks {
            output::text(out, &lines(check))?;
        }
        let checks: Vec<Value> = checks.iter().map(document).collect();
        documents.push(json!({"source": shown, "checks": checks}));
    }
    let code = if is_well { 0 } else { 2 };
    output::json(
        out,
        &json!({"schema": "unbroken/doctor@v1", "exit_code": code, "sources": documents}),
    )?;
    Ok(code)
}

fn lines(Check { what, health, found, costs, remedy }: &Check) -> String {
    let mut text = format!("  {:<9}  {what}: {}\n", health.name(), escaped(found));
    if !costs.is_empty() {
        text.push_str(&format!("             it costs: {costs}\n"));
    }
    if !remedy.is_empty() {
        text.push_str(&format!("             what mends it: {remedy}\n"));
    }
    text
}

fn document(check: &Check) -> Value {
    json!({
        "what": check.what, "health": check.health.name(), "found": escaped(&check.found),
        "costs": check.costs, "remedy": check.remedy,
    })
}
