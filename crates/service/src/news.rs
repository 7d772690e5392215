//! What a run found that somebody must be told of, read from what it sealed: a `pass` entry, and the entries of
//! its run. Whoever was killed before telling finds the same again.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use unbroken_evidence::body::{Body, Recording, Rel};
use unbroken_evidence::disclosed::Disclosed;
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::error::{escaped, printable_bytes};
use unbroken_evidence::kind::Kind;
use unbroken_evidence::narrow::decimal;
use unbroken_evidence::opening::VerifiedOpening;
use unbroken_evidence::vocabulary::{object, object_lock, observation, pass};
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
    /// The first of them: entry, key, and what it is.
    pub first: Vec<(u64, String, String)>,
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

/// What the run closed by the `pass` entry at `index` found; `None` where that entry is no pass, or its opening
/// is lost.
///
/// # Errors
/// Those of log and private.db.
pub fn news(
    reader: &mut LogReader,
    private: &Private,
    index: u64,
) -> Result<Option<News>, LedgerError> {
    let entry = reader.entry(index)?;
    if entry.statement().kind != Kind::Pass {
        return Ok(None);
    }
    let Some(opening) = private.opening_of(index, &entry)? else { return Ok(None) };
    let text = |pointer: &str| opening.value(pass::SOURCE, pointer).unwrap_or_default();
    let mut news = News {
        pass: index,
        source: text("/source/name").to_owned(),
        at: text("/ended").to_owned(),
        ..News::default()
    };
    let ended = text("/listing/error");
    if !matches!(text("/outcome"), "finished" | "interrupted" | "") {
        news.take(Reason::Unreachable, index, text("/source/location"), ended);
    }
    let unread = decimal(text("/counts/unread")).unwrap_or(0);
    if unread > 0 {
        let found = news.found.entry(Reason::Unread).or_default();
        found.count = unread;
    }
    let from = decimal(text(pass::FROM)).unwrap_or(index);
    for about in from..index {
        news.entry(reader, private, about)?;
    }
    Ok(Some(news))
}

impl News {
    fn take(&mut self, reason: Reason, index: u64, key: &str, what: &str) {
        let found = self.found.entry(reason).or_default();
        found.count += 1;
        if found.first.len() < NAMED_MAX {
            found.first.push((index, escaped(key), escaped(what)));
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
        let key = key.map(|field| printable_bytes(&field.value.to_bytes())).unwrap_or_default();
        match &entry.statement().body {
            Body::Recording(recording) => {
                let disclosed = Disclosed::of(recording, Some(&opening));
                if recording.completeness.is_some_and(|completeness| !completeness.complete) {
                    let what = disclosed.findings().join("; ");
                    self.take(Reason::Incomplete, index, &key, &what);
                }
                if let Some(before) = other_bytes(reader, private, &entry, recording, &disclosed)? {
                    let what = format!("its bytes are others than in entry {before}");
                    self.take(Reason::Overwritten, index, &key, &what);
                }
            }
            _ if entry.statement().kind == Kind::Observation => {
                self.observation(index, &key, &opening);
            }
            _ => {}
        }
        Ok(())
    }

    fn observation(&mut self, index: u64, key: &str, opening: &VerifiedOpening) {
        match opening.value(observation::SOURCE, observation::WHAT) {
            Some(observation::GONE) => {
                self.take(Reason::Deleted, index, key, "it is not there any more");
            }
            Some(observation::CHANGED) => {
                let hold = format!("/{}{}", object_lock::SOURCE, object_lock::LEGAL_HOLD);
                let before = opening.value("before", &hold);
                let now = opening.value(object_lock::SOURCE, object_lock::LEGAL_HOLD);
                if before == Some("ON") && now != Some("ON") {
                    self.take(Reason::HoldLifted, index, key, "its legal hold was on, and is not");
                }
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
            reason: *reason,
            source: self.source.clone(),
            at: self.at.clone(),
            found: found.clone(),
        };
        self.found.iter().map(alert).collect()
    }
}

/// The superseded entry, where its bytes were others.
fn other_bytes(
    reader: &mut LogReader,
    private: &Private,
    entry: &UnverifiedEntry,
    recording: &Recording,
    disclosed: &Disclosed,
) -> Result<Option<u64>, LedgerError> {
    let superseded = recording.refs.iter().find(|one| one.rel == Rel::Supersedes);
    let Some(before) =
        superseded.map(|one| one.index).filter(|_| entry.statement().subject.is_some())
    else {
        return Ok(None);
    };
    let earlier = reader.entry(before)?;
    let Body::Recording(body) = &earlier.statement().body else { return Ok(None) };
    let opening = private.opening_of(before, &earlier)?;
    let sha256 = Disclosed::of(body, opening.as_ref()).sha256();
    Ok((sha256.is_some() && sha256 != disclosed.sha256()).then_some(before))
}

/// Something that somebody is told, once for each channel at least; `id` tells a second time from a second case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The same for the same case, always.
    pub id: String,
    /// The index of the pass that it came from.
    pub number: u64,
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
            Reason::Unreachable => format!("{source}: it could not be listed to its end"),
            Reason::Refused => "the ledger does not open".to_owned(),
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
            "source": escaped(&self.source), "at": self.at, "pass": self.number,
            "sentence": self.sentence(), "count": self.found.count, "first": first.collect::<Vec<_>>(),
        })
    }
}
