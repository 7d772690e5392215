//! `unbroken policy`

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use unbroken_container::render::counted;
use unbroken_evidence::body::Rel;
use unbroken_ingest::policy::{Finding, Policy, Remark, again};
use unbroken_ledger::ledger::private_path;
use unbroken_ledger::private::Private;
use unbroken_ledger::reader::LogReader;

use crate::arguments::{self, Output};
use crate::failure::Failure;
use crate::{output, policies, written};

pub(crate) fn run(arguments: &arguments::Policy, out: &Output) -> Result<u8, Failure> {
    match arguments {
        arguments::Policy::Show { name } => {
            let schema = ("unbroken/policies@v1", "policies");
            written::show(&policies::SORT, schema, name.as_deref(), out)
        }
        arguments::Policy::Check { policy, folder } => {
            check(&policies::load(policy)?, folder.as_deref(), out)
        }
    }
}

/// What a policy would have said of a ledger.
#[derive(Default)]
struct Said {
    recordings: u64,
    incomplete: u64,
    /// Recordings whose opening is lost or erased.
    unknown: u64,
    /// Each finding, the first entry that has it, and how many have.
    findings: BTreeMap<Finding, (u64, u64)>,
    remarks: BTreeMap<Remark, u64>,
}

fn check(policy: &Policy, folder: Option<&Path>, out: &Output) -> Result<u8, Failure> {
    let rules = counted(policy.rules() as u64, "rule");
    output::text(out, &format!("policy {}: understood, {rules}\n", policy.name()))?;
    let said = folder.map(|folder| said(policy, folder)).transpose()?;
    let code = if said.as_ref().is_some_and(|said| said.incomplete > 0) { 2 } else { 0 };
    if let Some(said) = &said {
        output::text(out, &text(said))?;
    }
    output::json(
        out,
        &json!({
            "schema": "unbroken/policy-check@v1", "exit_code": code, "name": policy.name(),
            "rules": policy.rules(), "ledger": said.as_ref().map(document),
        }),
    )?;
    Ok(code)
}

/// Holds every recording against the policy, its newest entry each.
fn said(policy: &Policy, folder: &Path) -> Result<Said, Failure> {
    let mut reader = LogReader::open(folder)?;
    let private = Private::open_to_read(&private_path(folder))?;
    let mut said = Said::default();
    let mut superseded = BTreeSet::new();
    for index in (0..reader.checkpoint().size).rev() {
        let entry = reader.entry(index)?;
        let refs = entry.statement().body.refs().iter();
        superseded.extend(refs.filter(|one| one.rel == Rel::Supersedes).map(|one| one.index));
        if entry.statement().subject.is_none() || superseded.remove(&index) {
            continue;
        }
        let Some(opening) = private.opening_of(index, &entry)? else {
            said.unknown += u64::from(is_recording(&entry));
            continue;
        };
        let Some(judged) = again(policy, &entry, &opening, &private.documents(index)?) else {
            continue;
        };
        said.recordings += 1;
        said.incomplete += u64::from(!judged.findings.is_empty());
        for finding in judged.findings {
            let (first, count) = said.findings.entry(finding).or_insert((index, 0));
            (*first, *count) = (index, *count + 1);
        }
        for remark in judged.remarks {
            *said.remarks.entry(remark).or_default() += 1;
        }
    }
    Ok(said)
}

fn is_recording(entry: &unbroken_evidence::entry::UnverifiedEntry) -> bool {
    matches!(entry.statement().body, unbroken_evidence::body::Body::Recording(_))
}

fn text(said: &Said) -> String {
    let meets = said.recordings - said.incomplete;
    let mut text = format!("{meets} of {} would meet it\n", counted(said.recordings, "recording"));
    for (finding, (first, count)) in &said.findings {
        let (recordings, mend) = (counted(*count, "recording"), finding.code.mend());
        text.push_str(&format!("  {recordings}, entry {first} for one: {finding}\n    {mend}\n"));
    }
    for (Remark { sort, sentence }, count) in &said.remarks {
        let recordings = counted(*count, "recording");
        text.push_str(&format!("{}: {sentence} ({recordings})\n", sort.name()));
    }
    if said.unknown > 0 {
        let lost = counted(said.unknown, "recording");
        text.push_str(&format!("{lost} cannot be judged: the opening is lost or erased\n"));
    }
    text.push_str("The recordings themselves were not read again: container, length, a recording's own document, and whether its id stands in another conversation are judged when it is sealed.\n");
    text
}

fn document(said: &Said) -> Value {
    let finding = |(finding, (first, count)): (&Finding, &(u64, u64))| {
        let mut document = policies::document(finding);
        if let Some(members) = document.as_object_mut() {
            members.extend([
                ("recordings".to_owned(), json!(count)),
                ("first".to_owned(), json!(first)),
            ]);
        }
        document
    };
    let remark = |(remark, count): (&Remark, &u64)| json!({"sort": remark.sort.name(), "what": remark.sentence, "recordings": count});
    json!({
        "recordings": said.recordings, "incomplete": said.incomplete, "unknown": said.unknown,
        "findings": said.findings.iter().map(finding).collect::<Vec<_>>(),
        "remarks": said.remarks.iter().map(remark).collect::<Vec<_>>(),
    })
}
