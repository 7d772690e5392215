//! The schedule: which job is due next, and when.

use std::collections::BTreeMap;

use unbroken_evidence::time::Time;
use unbroken_ingest::passes::LastPasses;

use crate::config::Config;

/// What a job looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// New and changed objects.
    Content,
    /// Tags, locks and holds of sealed objects.
    State,
}

/// A job that comes again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// The place of its source in the configuration.
    pub(crate) source: usize,
    pub(crate) kind: Kind,
    /// When it is due, in milliseconds since 1970.
    pub(crate) due: u64,
}

/// When the last run over each source began, by name and prefix: content, and state.
pub(crate) type Began = BTreeMap<(String, String), (Option<u64>, Option<u64>)>;

/// When each source was looked at last, as the ledger knows.
pub(crate) fn began(last: &BTreeMap<(String, String), LastPasses>) -> Began {
    let ms = |started: &str| Time::parse(started).ok().map(Time::unix_ms);
    let began = |(name, passes): (&(String, String), &LastPasses)| {
        let content = passes.last.as_ref().and_then(|pass| ms(&pass.started));
        let state = passes.state.as_ref().and_then(|pass| ms(&pass.started));
        (name.clone(), (content, state))
    };
    last.iter().map(began).collect()
}

/// The jobs of a configuration, each when it is due; a source is known by the name and prefix in `names`.
pub(crate) fn jobs(
    config: &Config,
    names: &[(String, String)],
    began: &Began,
    now: u64,
) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (place, (source, name)) in config.sources.iter().zip(names).enumerate() {
        let (content, state) = began.get(name).copied().unwrap_or_default();
        let due = source.content.due(content, now, &source.location);
        jobs.push(Job { source: place, kind: Kind::Content, due });
        if let Some(when) = &source.state {
            // Before anything is sealed there is nothing to look at again: the first look says when.
            let due = match state.or(content) {
                None => u64::MAX,
                began => when.due(began, now, &source.location),
            };
            jobs.push(Job { source: place, kind: Kind::State, due });
        }
    }
    jobs
}

/// The job that is due first; of several, content before state, in the order of the configuration.
pub(crate) fn next(jobs: &[Job]) -> Option<usize> {
    let first = jobs.iter().enumerate().min_by_key(|(_, job)| (job.due, job.kind, job.source));
    first.map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn config() -> Config {
        let text = "format = \"unbroken/config@v1\"\nledger = \"l\"\n\
                    [[source]]\nlocation = \"a=/a\"\nevery = \"1h\"\n\
                    [[source]]\nlocation = \"s3://b/\"\nevery = \"2h\"\nstate-every = \"1d\"\n";
        Config::parse(text).unwrap()
    }

    #[test]
    fn what_the_ledger_knows_says_when_a_job_is_due() {
        let names = [("a".to_owned(), String::new()), ("s3://b".to_owned(), String::new())];
        let due = |began: &Began| {
            let jobs = jobs(&config(), &names, began, 100 * HOUR);
            let first = next(&jobs).map(|place| (jobs[place].source, jobs[place].kind));
            (jobs.iter().map(|job| job.due / HOUR).collect::<Vec<_>>(), first)
        };
        let nothing = Began::new();
        let (first, never) = (Some((0, Kind::Content)), u64::MAX / HOUR);
        assert_eq!(due(&nothing), (vec![100, 100, never], first));
        let began = Began::from([
            (names[0].clone(), (Some(100 * HOUR), None)),
            (names[1].clone(), (Some(97 * HOUR), Some(80 * HOUR))),
        ]);
        assert_eq!(due(&began), (vec![101, 99, 104], Some((1, Kind::Content))));
    }
}
