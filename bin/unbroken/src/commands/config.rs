//! `unbroken config`

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use unbroken_evidence::error::escaped;
use unbroken_ledger::reader::LogReader;
use unbroken_ledger::seal::Clock as _;
use unbroken_service::config::{EXAMPLE, SourceConfig};

use crate::arguments::{self, Output};
use crate::failure::Failure;
use crate::world::SystemClock;
use crate::{layouts, output, policies, service};

pub(crate) fn run(arguments: &arguments::Config, out: &Output) -> Result<u8, Failure> {
    match arguments {
        arguments::Config::Init => init(out),
        arguments::Config::Check { config, send } => check(config, *send, out),
    }
}

fn init(out: &Output) -> Result<u8, Failure> {
    output::text(out, EXAMPLE)?;
    output::json(
        out,
        &json!({"schema": "unbroken/config-init@v1", "exit_code": 0, "text": EXAMPLE}),
    )?;
    Ok(0)
}

/// Everything that can be told without looking at a source.
fn check(path: &Path, send: bool, out: &Output) -> Result<u8, Failure> {
    let config = service::read(path)?;
    let mut problems = Vec::new();
    if let Err(error) = LogReader::open(&config.ledger) {
        problems.push(format!("ledger {}: {}; {}", config.ledger.display(), error, error.hint()));
    }
    for source in &config.sources {
        problems.extend(problem(source, &config.ledger));
    }
    let now = SystemClock.now().unix_ms();
    let mut text = format!("ledger {}\n", config.ledger.display());
    let mut documents = Vec::new();
    for source in &config.sources {
        let due = |when: &unbroken_service::When| {
            let at = when.due(Some(now), now, &source.location);
            unbroken_evidence::time::Time::from_unix_ms(at).to_string()
        };
        let (content, state) = (due(&source.content), source.state.as_ref().map(due));
        let again = state
            .as_ref()
            .map_or_else(String::new, |at| format!("; tags, locks and holds by {at}"));
        text.push_str(&format!(
            "source {}: after a look now, the next by {content}{again}\n",
            source.location
        ));
        documents.push(json!({"location": source.location, "next": content, "next_state": state}));
    }
    for alert in &config.alerts {
        let to = alert.channel.shown();
        let at = unbroken_evidence::time::Time::from_unix_ms(now).to_string();
        let sent = send.then(|| unbroken_service::send_test(&alert.channel, &at));
        let taken = match sent {
            None => "",
            Some(Ok(())) => "; it took the test",
            Some(Err(why)) => {
                problems.push(format!("the test was not taken by {to}: {why}"));
                "; it DID NOT take the test"
            }
        };
        let on: Vec<&str> = alert.on.iter().map(|reason| reason.name()).collect();
        let on = if on.is_empty() { "everything".to_owned() } else { on.join(", ") };
        text.push_str(&format!("alerts of {on}: to {to}{taken}\n"));
    }
    for problem in &problems {
        text.push_str(&format!("problem: {problem}\n"));
    }
    output::text(out, &text)?;
    let code = if problems.is_empty() { 0 } else { 2 };
    output::json(
        out,
        &json!({
            "schema": "unbroken/config-check@v1", "exit_code": code, "sources": documents,
            "problems": problems.iter().map(|problem| Value::from(escaped(problem))).collect::<Vec<_>>(),
        }),
    )?;
    Ok(code)
}

/// What would keep a source from being looked at.
fn problem(source: &SourceConfig, ledger: &Path) -> Vec<String> {
    let policy = source.policy.as_deref().map(|named| policies::load(std::ffi::OsStr::new(named)));
    let opened = service::source(source, ledger, &Arc::default());
    let location = &source.location;
    let layout = layouts::load(std::ffi::OsStr::new(&source.layout)).err();
    let said = |failure: Failure| format!("{}; {}", failure.sentence, failure.hint);
    let policy = policy.and_then(Result::err).map(said);
    let opened = opened.err().map(|refusal| refusal.to_string());
    let problems = [layout.map(said), policy, opened].into_iter().flatten();
    problems.map(|problem| format!("source {location}: {problem}")).collect()
}
