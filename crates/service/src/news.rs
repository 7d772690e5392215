//! What a run found that somebody must be told of, read from what it sealed: a `pass` entry, and the entries of
//! its run. Whoever was killed before telling finds the same again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use unbroken_evidence::body::{Body, Recording, Rel};
use unbroken_evidence::disclosed::Disclosed;
use unbroken_evidence::error::escaped;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::opening::VerifiedOpening;
use unbroken_evidence::vocabulary::{object, object_lock, observation, pass, version};
use unbroken_ingest::passes::{Pass, newest_first};
use unbroken_ingest::source::key_text;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::Private;
use unbroken_ledger::reader::LogReader;

use crate::config::Reason;

/// Objects that an alert names; all are counted.
const NAMED_MAX: usize = 20;

/// What one run found for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many.
    pub count: u64,
    /// The first of them: the entry, where there is one, the key, and what it is.
    pub first: Vec<(Option<u64>, String, String)>,
}

/// What one run found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// The index of its `pass` entry.
    pub pass: u64,
    /// The name of its source.
    pub source: String,
    /// When it ended.
    pub at: String,
    /// By reason.
    pub found: BTreeMap<Reason, Found>,
}

/// What the run closed by the `pass` entry at `index` found, with everything that was sealed from `from` on: what
/// a run sealed that was killed before its end is told with the next. `None` where that entry is no pass, its
/// opening is lost, or `stop` is set.
///
/// # Errors
/// Those of log and private.db.
pub fn news(
    reader: &mut LogReader,
    private: &Private,
    (from, index): (u64, u64),
    stop: &AtomicBool,
) -> Result<Option<News>, LedgerError> {
    let entry = reader.entry(index)?;
    if entry.statement().kind != Kind::Pass {
        return Ok(None);
    }
    let Some(opening) = private.opening_of(index, &entry)? else { return Ok(None) };
    let pass = Pass::of(index, opening.opening());
    let before = previous(private, &pass)?;
    let mut news = News {
        pass: index,
        source: pass.source.clone(),
        at: pass.ended.clone(),
        ..News::default()
    };
    let failed = |pass: &Pass| !matches!(pass.outcome.as_str(), "finished" | "interrupted" | "");
    // What is no better than at the last run is no news.
    if failed(&pass) && before.as_ref().is_none_or(|before| before.outcome != pass.outcome) {
        let error = opening.value(pass::SOURCE, "/listing/error").filter(|said| *said != "none");
        news.take(Reason::Unreachable, index, &pass.source, error.unwrap_or(&pass.outcome));
    }
    let unread = pass.count("unread");
    if unread > before.map_or(0, |before| before.count("unread")) {
        news.found.entry(Reason::Unread).or_default().count = unread;
    }
    for about in from..index {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        news.entry(reader, private, about)?;
    }
    Ok(Some(news))
}

/// The run before this one over the same part of the same source, of the same sort.
fn previous(private: &Private, pass: &Pass) -> Result<Option<Pass>, LedgerError> {
    let mut found = None;
    newest_first(private, pass.index, &mut |before| {
        let same = before.source == pass.source && before.scope == pass.scope;
        if same && before.kind == pass.kind {
            found = Some(before);
        }
        found.is_none()
    })?;
    Ok(found)
}

impl News {
    fn take(&mut self, reason: Reason, index: u64, key: &str, what: &str) {
        let found = self.found.entry(reason).or_default();
        found.count += 1;
        if found.first.len() < NAMED_MAX {
            found.first.push((Some(index), escaped(key), escaped(what)));
        }
    }

    fn entry(
        &mut self,
        reader: &mut LogReader,
        private: &Private,
        index: u64,
    ) -> Result<(), LedgerError> {
        let entry = reader.entry(index)?;
        let Some(opening) = private.opening_of(index, &entry)? else { return Ok(()) };
        let key = opening.opening().field(object::SOURCE, object::KEY);
        let key = key.or_else(|| opening.opening().field(version::SOURCE, version::KEY));
        let key = key.map(|field| key_text(&field.value.to_bytes())).unwrap_or_default();
        match &entry.statement().body {
            Body::Recording(recording) => {
                let disclosed = Disclosed::of(recording, Some(&opening));
                if recording.completeness.is_some_and(|completeness| !completeness.complete) {
                    let what = disclosed.findings().join("; ");
                    self.take(Reason::Incomplete, index, &key, &what);
                }
                if let Some((before, earlier, sha256)) = superseded(reader, private, recording)? {
                    if sha256.is_some() && sha256 != disclosed.sha256() {
                        let what = format!("its bytes are others than in entry {before}");
                        self.take(Reason::Overwritten, index, &key, &what);
                    }
                    // A hold that was lifted before this entry was made stands in no observation.
                    if hold(&earlier) == Some("ON") && is_lifted(&opening) {
                        let what = format!("its legal hold was on in entry {before}, and is not");
                        self.take(Reason::HoldLifted, index, &key, &what);
                    }
                }
            }
            _ if entry.statement().kind == Kind::Observation
                && entry.statement().subject.is_some() =>
            {
                self.observation(index, &key, &opening);
            }
            _ => {}
        }
        Ok(())
    }

    fn observation(&mut self, index: u64, key: &str, opening: &VerifiedOpening) {
        match opening.value(observation::SOURCE, observation::WHAT) {
            Some(observation::GONE) => {
                let held = if was_held(opening) { "; its legal hold was on" } else { "" };
                self.take(Reason::Deleted, index, key, &format!("it is not there any more{held}"));
            }
            // Of a deletion that was undone before anybody looked, only the marker tells.
            Some(observation::DELETE_MARKER)
                if opening.value(version::SOURCE, version::FOLLOWED) == Some("yes") =>
            {
                let at = opening.value(version::SOURCE, version::MODIFIED).unwrap_or_default();
                let what = format!("it was deleted on {at}, and written again");
                self.take(Reason::Deleted, index, key, &what);
            }
            Some(observation::CHANGED) if was_held(opening) && hold(opening) != Some("ON") => {
                self.take(Reason::HoldLifted, index, key, "its legal hold was on, and is not");
            }
            _ => {}
        }
    }

    /// The alerts that these are, one a reason.
    #[must_use]
    pub fn alerts(&self, ledger_id: &str) -> Vec<Alert> {
        let alert = |(reason, found): (&Reason, &Found)| Alert {
            id: format!("{ledger_id}/{}/{}", self.pass, reason.name()),
            number: self.pass,
            pass: Some(self.pass),
            reason: *reason,
            source: self.source.clone(),
            at: self.at.clone(),
            found: found.clone(),
        };
        self.found.iter().map(alert).collect()
    }
}

/// The superseded entry: its index, its opening and the SHA-256 that it shows.
fn superseded(
    reader: &mut LogReader,
    private: &Private,
    recording: &Recording,
) -> Result<Option<(u64, VerifiedOpening, Option<Hash>)>, LedgerError> {
    let before = recording.refs.iter().find(|one| one.rel == Rel::Supersedes);
    let Some(before) = before.map(|one| one.index) else { return Ok(None) };
    let earlier = reader.entry(before)?;
    let Body::Recording(body) = &earlier.statement().body else { return Ok(None) };
    let Some(opening) = private.opening_of(before, &earlier)? else { return Ok(None) };
    let sha256 = Disclosed::of(body, Some(&opening)).sha256();
    Ok(Some((before, opening, sha256)))
}

fn hold(opening: &VerifiedOpening) -> Option<&str> {
    opening.value(object_lock::SOURCE, object_lock::LEGAL_HOLD)
}

/// Whether an entry says that its object is under no hold: one that may not see holds says nothing.
fn is_lifted(opening: &VerifiedOpening) -> bool {
    let may_see = opening.value("s3-readable", object_lock::LEGAL_HOLD) == Some("yes");
    hold(opening).map_or(may_see, |hold| hold != "ON")
}

/// Whether an observation says that a hold stood before.
fn was_held(opening: &VerifiedOpening) -> bool {
    let before = format!("/{}{}", object_lock::SOURCE, object_lock::LEGAL_HOLD);
    opening.value("before", &before) == Some("ON")
}

/// Something that somebody is told, once for each channel at least; `id` tells a second time from a second case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The same for the same case, always.
    pub id: String,
    /// What puts it in order among others.
    pub number: u64,
    /// The pass that it came from, if it came from one.
    pub pass: Option<u64>,
    /// What it is about.
    pub reason: Reason,
    /// The name of the source.
    pub source: String,
    /// When.
    pub at: String,
    /// What was found.
    pub found: Found,
}

impl Alert {
    /// In a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (count, source) = (self.found.count, escaped(&self.source));
        let of = |one: &str, many: &str| {
            if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
        };
        match self.reason {
            Reason::Incomplete => {
                format!("{source}: {} not meet the policy", of("recording does", "recordings do"))
            }
            Reason::Overwritten => format!(
                "{source}: {} sealed before",
                of("object has other bytes than were", "objects have other bytes than were")
            ),
            Reason::Deleted => {
                format!(
                    "{source}: {} not there any more",
                    of("sealed object is", "sealed objects are")
                )
            }
            Reason::HoldLifted => {
                format!("{source}: {} lifted", of("legal hold was", "legal holds were"))
            }
            Reason::Unread => {
                format!("{source}: {} not be read", of("object could", "objects could"))
            }
            Reason::Unreachable => format!("{source}: it could not be looked at to its end"),
            Reason::Refused => "the ledger does not open, or cannot be written".to_owned(),
            Reason::Configuration => {
                format!("{source}: what its configuration names cannot be used any more")
            }
        }
    }

    /// For machines.
    #[must_use]
    pub fn document(&self) -> Value {
        let first = self.found.first.iter();
        let first =
            first.map(|(index, key, what)| json!({"entry": index, "key": key, "what": what}));
        json!({
            "schema": "unbroken/alert@v1", "id": self.id, "reason": self.reason.name(),
            "source": escaped(&self.source), "at": self.at, "pass": self.pass,
            "sentence": self.sentence(), "count": self.found.count, "first": first.collect::<Vec<_>>(),
        })
    }
}
