//! What a monitor may know: counts and times, no key and no value.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use unbroken_evidence::error::escaped;

/// What is known of one source.
#[derive(Clone, Debug, Default)]
pub struct SourceBoard {
    /// Runs that were closed by a `pass` entry, and those that could not begin.
    pub passes: u64,
    /// Of them, those that could not be brought to their end.
    pub failed: u64,
    /// Recordings sealed, for the first time or again.
    pub sealed: u64,
    /// Recordings that did not meet their policy when they were sealed.
    pub incomplete: u64,
    /// Objects that could not be read.
    pub unread: u64,
    /// Sealed objects that were not there any more.
    pub gone: u64,
    /// Others, of which a rule had said it.
    pub expired: u64,
    /// Problems that runs had to report.
    pub problems: u64,
    /// Bytes of listed objects in the last run.
    pub bytes: u64,
    /// When the last run that came to its end began, in milliseconds since 1970.
    pub finished: Option<u64>,
    /// When tags, locks and holds were last looked at to the end.
    pub state_finished: Option<u64>,
    /// How long the last run took, in milliseconds.
    pub took: u64,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// By name.
    pub sources: BTreeMap<String, SourceBoard>,
    /// Entries in the published log.
    pub size: u64,
    /// When the last checkpoint was made.
    pub checkpoint: Option<u64>,
    /// Alerts that wait.
    pub waiting: u64,
    /// Why the ledger did not open the last time; `None`: it did.
    pub refused: Option<String>,
    /// When the schedule last looked at its clock.
    pub alive: u64,
    /// Since when a job is running, if one is.
    pub running: Option<u64>,
}

/// The facts, written by the schedule and read by whoever asks.
#[derive(Debug, Default)]
pub struct Board(Mutex<Facts>);

/// A schedule that has not looked at its clock for so long hangs.
const HANGS_MS: u64 = 60_000;

impl Board {
    /// Changes them.
    pub fn set(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    /// What they are now.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Whether all is well; otherwise why not.
    ///
    /// # Errors
    /// What is wrong.
    pub fn health(&self, now: u64) -> Result<(), String> {
        let facts = self.facts();
        if let Some(why) = facts.refused {
            return Err(format!("the ledger does not open: {why}"));
        }
        let silent = now.saturating_sub(facts.alive);
        if facts.running.is_none() && silent > HANGS_MS {
            return Err(format!(
                "the schedule has not looked at its clock for {} s",
                silent / 1_000
            ));
        }
        Ok(())
    }

    /// In the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self, now: u64) -> String {
        let facts = self.facts();
        let mut text = String::new();
        let age = facts.checkpoint.map(|then| seconds(now.saturating_sub(then)));
        for (name, help, value) in [
            ("log_entries", "Entries in the published log.", Some(facts.size.to_string())),
            ("checkpoint_age_seconds", "Since the last checkpoint.", age),
            (
                "alerts_waiting",
                "Alerts that are not delivered yet.",
                Some(facts.waiting.to_string()),
            ),
            (
                "ledger_open",
                "Whether the ledger opened the last time.",
                Some(flag(facts.refused.is_none())),
            ),
            ("running", "Whether a run is under way.", Some(flag(facts.running.is_some()))),
            (
                "running_seconds",
                "Since the run under way began.",
                facts.running.map(|then| seconds(now.saturating_sub(then))),
            ),
        ] {
            let values = value.map(|value| (String::new(), value)).into_iter().collect();
            metric(&mut text, name, "gauge", help, values);
        }
        for Column { name, kind, help, value, show } in COLUMNS {
            let each = facts.sources.iter().filter_map(|(source, board)| {
                let labels = format!("{{source=\"{}\"}}", label(source));
                Some((labels, show(value(board, now)?)))
            });
            metric(&mut text, name, kind, help, each.collect());
        }
        text
    }
}

/// Something that is known of each source.
struct Column {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    /// Its value now; `None`: it is not known.
    value: fn(&SourceBoard, u64) -> Option<u64>,
    show: fn(u64) -> String,
}

const fn counter(
    name: &'static str,
    help: &'static str,
    value: fn(&SourceBoard, u64) -> Option<u64>,
) -> Column {
    Column { name, kind: "counter", help, value, show: number }
}

const fn gauge(
    name: &'static str,
    help: &'static str,
    value: fn(&SourceBoard, u64) -> Option<u64>,
) -> Column {
    Column { name, kind: "gauge", help, value, show: seconds }
}

const COLUMNS: [Column; 12] = [
    counter("passes_total", "Runs over the source.", |s, _| Some(s.passes)),
    counter("passes_failed_total", "Runs that did not come to their end.", |s, _| Some(s.failed)),
    counter("sealed_total", "Recordings sealed, again included.", |s, _| Some(s.sealed)),
    counter("incomplete_total", "Recordings sealed that do not meet their policy.", |s, _| {
        Some(s.incomplete)
    }),
    counter("unread_total", "Objects that could not be read.", |s, _| Some(s.unread)),
    counter("problems_total", "Problems that runs had to report.", |s, _| Some(s.problems)),
    counter("gone_total", "Sealed objects that are not there any more.", |s, _| Some(s.gone)),
    counter("expired_total", "Others, of which a rule had said it.", |s, _| Some(s.expired)),
    gauge("since_finished_seconds", "Since the last finished run began.", |s, now| {
        Some(now.saturating_sub(s.finished?))
    }),
    gauge("since_state_seconds", "Since tags, locks and holds were last looked at.", |s, now| {
        Some(now.saturating_sub(s.state_finished?))
    }),
    gauge("last_pass_seconds", "How long the last run took.", |s, _| Some(s.took)),
    Column {
        name: "listed_bytes",
        kind: "gauge",
        help: "Bytes of all objects that were listed.",
        value: |s, _| Some(s.bytes),
        show: number,
    },
];

fn metric(text: &mut String, name: &str, kind: &str, help: &str, values: Vec<(String, String)>) {
    if values.is_empty() {
        return;
    }
    let _ = writeln!(text, "# HELP unbroken_{name} {help}\n# TYPE unbroken_{name} {kind}");
    for (labels, value) in values {
        let _ = writeln!(text, "unbroken_{name}{labels} {value}");
    }
}

fn number(value: u64) -> String {
    value.to_string()
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

fn flag(flag: bool) -> String {
    u8::from(flag).to_string()
}

/// A name as Prometheus takes it in quotes.
fn label(name: &str) -> String {
    escaped(name).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_lines_of_name_labels_and_number() {
        let board = Board::default();
        board.set(|facts| {
            facts.alive = 1_000_000;
            let source = facts.sources.entry("s3://a\"b\n".to_owned()).or_default();
            (source.sealed, source.finished) = (7, Some(999_500));
        });
        let text = board.metrics(1_000_000);
        assert!(
            text.contains("unbroken_sealed_total{source=\"s3://a\\\"b\\\\u{a}\"} 7\n"),
            "{text}"
        );
        assert!(
            text.contains(
                "\nunbroken_since_finished_seconds{source=\"s3://a\\\"b\\\\u{a}\"} 0.500\n"
            ),
            "{text}"
        );
        assert!(!text.contains("since_state"), "what is not known is not said");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (_, number) = line.rsplit_once(' ').unwrap();
            assert!(line.starts_with("unbroken_") && number.parse::<f64>().is_ok(), "{line}");
        }
    }

    #[test]
    fn a_schedule_that_hangs_and_a_ledger_that_does_not_open_are_not_well() {
        let board = Board::default();
        board.set(|facts| facts.alive = 1_000_000);
        assert_eq!(board.health(1_060_000), Ok(()));
        assert!(board.health(1_060_001).is_err());
        board.set(|facts| facts.running = Some(1_000_000));
        assert_eq!(board.health(9_000_000), Ok(()), "a run may take hours");
        board.set(|facts| facts.refused = Some("why".to_owned()));
        assert_eq!(board.health(1_000_000), Err("the ledger does not open: why".to_owned()));
    }
}
