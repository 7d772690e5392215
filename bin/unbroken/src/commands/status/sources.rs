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
    passes: LastPasses,
    /// When the object that nobody looked at for the longest time was looked at; buckets only.
    oldest_check: Option<u64>,
}

pub(super) fn known(private: &Private, size: u64) -> Result<Vec<Known>, LedgerError> {
    let mut passes = LastPasses::of(private, size)?;
    let mut known = Vec::new();
    for (number, name, location) in private.sources()? {
        let passes = passes.remove(&name).unwrap_or_default();
        let is_bucket = name.starts_with("s3://");
        let oldest_check = if is_bucket { private.oldest_check(number)? } else { None };
        known.push(Known { name, location, passes, oldest_check });
    }
    Ok(known)
}

/// How long ago that was, in the largest unit that has two digits or more, or one of the smallest.
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

impl Known {
    pub(super) fn lines(&self, now: u64) -> String {
        let name = escaped(&self.name);
        let mut text = format!("source: {name} ({})\n", escaped(&self.location));
        let pass = |what: &str, pass: &Pass| {
            let when = ended(pass).map_or_else(String::new, |then| format!(", {}", ago(now, then)));
            format!("  {what}: entry {}, {}{when}, {}\n", pass.index, pass.ended, pass.outcome)
        };
        if let Some(last) = &self.passes.last {
            text.push_str(&pass("last pass", last));
        }
        if let Some(finished) =
            self.passes.finished.as_ref().filter(|p| Some(*p) != self.passes.last.as_ref())
        {
            text.push_str(&pass("last that finished", finished));
        }
        if let Some(state) = &self.passes.state {
            text.push_str(&pass("last look at tags, locks and holds", state));
        }
        if let Some(oldest) = self.oldest_check {
            let (when, then) = (Time::from_unix_ms(oldest), ago(now, oldest));
            text.push_str(&format!("  oldest look at one of them: {when}, {then}\n"));
        }
        text
    }

    /// What somebody has to see to.
    pub(super) fn problems(&self, now: u64, max_age: Option<Duration>) -> Vec<String> {
        let name = escaped(&self.name);
        let mut problems = Vec::new();
        if let Some(max_age) = max_age {
            let age = self.passes.finished.as_ref().and_then(ended);
            let is_old = |then: u64| now.saturating_sub(then) > max_age.as_millis() as u64;
            match age {
                Some(then) if !is_old(then) => {}
                Some(then) => problems.push(format!(
                    "source {name}: the last pass that finished was {}: does the job run?",
                    ago(now, then)
                )),
                None => problems.push(format!("source {name}: no pass has finished yet")),
            }
        }
        let Some(last) = &self.passes.last else { return problems };
        if !last.is_finished() {
            problems.push(format!("source {name}: the last pass did not finish: {}", last.outcome));
        }
        for (count, what) in
            [("unread", "objects not read"), ("strays", "companions without recording")]
        {
            let number = last.count(count);
            if number > 0 {
                problems.push(format!("source {name}: {what} in the last pass: {number}"));
            }
        }
        problems
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
        json!({
            "name": self.name, "location": self.location, "last_pass": pass(&self.passes.last),
            "last_finished_pass": pass(&self.passes.finished),
            "last_state_pass": pass(&self.passes.state),
            "oldest_state_check": self.oldest_check.map(|ms| Time::from_unix_ms(ms).to_string()),
        })
    }
}
