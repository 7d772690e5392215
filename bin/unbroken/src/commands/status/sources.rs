//! What `unbroken status` says of each source: when it was looked at last, and what was left over.

use std::time::Duration;

use serde_json::{Value, json};
use unbroken_evidence::error::escaped;
use unbroken_evidence::time::Time;
use unbroken_ingest::passes::{LastPasses, Pass};
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::Private;

/// A source, and its last runs.
pub(super) struct Known {
    name: String,
    location: String,
    /// By the prefix that they looked at.
    passes: Vec<(String, LastPasses)>,
    /// When the object that nobody looked at for the longest time was looked at; buckets only.
    oldest_check: Option<u64>,
}

pub(super) fn known(private: &Private, size: u64) -> Result<Vec<Known>, LedgerError> {
    let mut all = LastPasses::of(private, size)?;
    let mut known = Vec::new();
    for (number, name, location) in private.sources()? {
        let passes = all.extract_if(.., |(source, _), _| *source == name);
        let passes = passes.map(|((_, scope), passes)| (scope, passes)).collect();
        let is_bucket = name.starts_with("s3://");
        let oldest_check = if is_bucket { private.oldest_check(number)? } else { None };
        known.push(Known { name, location, passes, oldest_check });
    }
    Ok(known)
}

/// How long ago that was, in a unit that suits it.
fn ago(now: u64, then: u64) -> String {
    let seconds = now.saturating_sub(then) / 1_000;
    match seconds {
        0..=119 => format!("{seconds} s ago"),
        120..=7_199 => format!("{} min ago", seconds / 60),
        7_200..=172_799 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

fn ended(pass: &Pass) -> Option<u64> {
    Time::parse(&pass.ended).ok().map(Time::unix_ms)
}

/// What a source is called where only a part of it was looked at.
fn called(name: &str, scope: &str) -> String {
    let (name, scope) = (escaped(name), escaped(scope));
    if scope.is_empty() { name } else { format!("{name}/{scope}") }
}

fn lines(passes: &LastPasses, now: u64) -> String {
    let pass = |what: &str, pass: &Pass| {
        let when = ended(pass).map_or_else(String::new, |then| format!(", {}", ago(now, then)));
        format!("  {what}: entry {}, {}{when}, {}\n", pass.index, pass.ended, pass.outcome)
    };
    let finished = passes.finished.as_ref().filter(|_| passes.finished != passes.last);
    [
        passes.last.as_ref().map(|last| pass("last pass", last)),
        finished.map(|finished| pass("last that finished", finished)),
        passes.state.as_ref().map(|state| pass("last look at tags, locks and holds", state)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What somebody has to see to.
fn problems(name: &str, passes: &LastPasses, now: u64, max_age: Option<Duration>) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(max_age) = max_age {
        let is_old = |then: u64| u128::from(now.saturating_sub(then)) > max_age.as_millis();
        match passes.finished.as_ref().and_then(ended) {
            Some(then) if !is_old(then) => {}
            Some(then) => problems.push(format!(
                "source {name}: the last pass that finished was {}: does the job run?",
                ago(now, then)
            )),
            None => problems.push(format!("source {name}: no pass has finished yet")),
        }
    }
    for (last, what) in [(&passes.last, "pass"), (&passes.state, "look at tags, locks and holds")] {
        let Some(last) = last else { continue };
        if !last.is_finished() {
            problems
                .push(format!("source {name}: the last {what} did not finish: {}", last.outcome));
        }
        for (count, left) in
            [("unread", "objects not read"), ("strays", "companions without recording")]
        {
            let number = last.count(count);
            if number > 0 {
                problems.push(format!("source {name}: {left} in the last {what}: {number}"));
            }
        }
    }
    problems
}

impl Known {
    pub(super) fn lines(&self, now: u64) -> String {
        let mut text = String::new();
        for (scope, passes) in &self.passes {
            let location = escaped(&self.location);
            text.push_str(&format!("source: {} ({location})\n", called(&self.name, scope)));
            text.push_str(&lines(passes, now));
        }
        if let Some(oldest) = self.oldest_check {
            let (when, then) = (Time::from_unix_ms(oldest), ago(now, oldest));
            let name = escaped(&self.name);
            text.push_str(&format!("  oldest look at an object of {name}: {when}, {then}\n"));
        }
        text
    }

    pub(super) fn problems(&self, now: u64, max_age: Option<Duration>) -> Vec<String> {
        let of = |(scope, passes): &(String, LastPasses)| {
            problems(&called(&self.name, scope), passes, now, max_age)
        };
        self.passes.iter().flat_map(of).collect()
    }

    pub(super) fn document(&self) -> Value {
        let pass = |pass: &Option<Pass>| {
            pass.as_ref().map(|pass| {
                json!({
                    "index": pass.index, "started": pass.started, "ended": pass.ended,
                    "outcome": pass.outcome, "counts": pass.counts,
                })
            })
        };
        let passes = self.passes.iter().map(|(scope, passes)| {
            json!({
                "scope": scope, "last": pass(&passes.last), "last_finished": pass(&passes.finished),
                "last_state": pass(&passes.state),
            })
        });
        json!({
            "name": self.name, "location": self.location, "passes": passes.collect::<Vec<_>>(),
            "oldest_state_check": self.oldest_check.map(|ms| Time::from_unix_ms(ms).to_string()),
        })
    }
}
