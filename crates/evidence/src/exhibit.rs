//! Verifies an exhibit, step by step as spec/verification.md numbers them.

use std::collections::BTreeSet;
use std::fmt;

use crate::bag::Place;
use crate::body::Body;
use crate::entry::Statement;
use crate::error::FormError;
use crate::examine::{Examiner, Shown};
use crate::limits::{NOTE_BYTES_MAX, OPENING_BYTES_MAX};
use crate::opening::{Opening, VerifiedOpening};
use crate::package::Package;
use crate::payload::Commitments;
use crate::produced::Produced;
use crate::reading::{CHECKPOINT, MANIFEST, Reading};
use crate::step::{Axis, Step};
use crate::trust::{Judged, Trust};
use crate::verdict::{Findings, Verdict};

/// Entries whose signatures are checked together.
const SIGNATURES_AT_ONCE: usize = 4_096;

/// Why no verification took place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Neither a manifest nor a checkpoint is there: exit 3.
    NotAnExhibit,
    /// The machine failed to read it: exit 4.
    Io(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnExhibit => {
                write!(f, "not an exhibit: neither {MANIFEST} nor {CHECKPOINT} is there")
            }
            Self::Io(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Stop {}

/// Verifies the exhibit in `package` by what `trust` holds, on at most `threads` threads.
///
/// # Errors
/// [`Stop`] when nothing could be verified. Whatever is wrong with an exhibit is in the verdict.
pub fn verify_exhibit(
    package: &mut dyn Package,
    trust: &Trust,
    threads: usize,
) -> Result<Verdict, Stop> {
    let has = |path: &str| package.files().contains(path);
    if !has(MANIFEST) && !has(CHECKPOINT) {
        return Err(Stop::NotAnExhibit);
    }
    let mut reading = Reading::new(package);
    reading.names();
    reading.bag()?;
    let checkpoint = reading.load(CHECKPOINT, NOTE_BYTES_MAX, Step::Checkpoint)?;
    let judged = checkpoint.as_deref().and_then(|b| Judged::new(b, trust, &mut reading.findings));
    let mut examiner = Examiner::new(
        std::mem::take(&mut reading.findings),
        judged.as_ref().map(|judged| judged.claims().origin.clone()),
    );
    let mut story = Story::default();
    for (index, is_control) in reading.indices() {
        std::mem::swap(&mut reading.findings, &mut examiner.findings);
        let bytes = reading.note(index, is_control)?;
        let Some(bytes) = bytes else {
            std::mem::swap(&mut reading.findings, &mut examiner.findings);
            continue;
        };
        let shown = Shown::read(index, &bytes).at(is_control);
        reading.inclusion(index, is_control, shown.leaf, checkpoint.as_deref(), judged.as_ref())?;
        std::mem::swap(&mut reading.findings, &mut examiner.findings);
        let statement = examiner.entry(shown);
        examiner.settle(SIGNATURES_AT_ONCE, threads);
        match statement {
            Some(statement) => {
                let findings = &mut examiner.findings;
                story.entry(&mut reading, findings, index, is_control, &statement)?;
            }
            None => story.commitments.unread(index),
        }
    }
    examiner.settle(1, threads);
    examiner.finish();
    if let Some(judged) = &judged {
        judged.against_control(trust, &examiner.control, &mut examiner.findings);
    }
    let size = judged.as_ref().map(|judged| judged.claims().size);
    story.produced.judge(size, &examiner.kept, &mut examiner.findings);
    story.produced.covers(&mut reading, &mut examiner.findings)?;
    std::mem::swap(&mut reading.findings, &mut examiner.findings);
    story.strays(&mut reading);
    reading.payload(&story.commitments)?;
    let anchored = judged.as_ref().is_some_and(|judged| judged.verified().is_some());
    notes(&mut reading.findings, trust, anchored, &story);
    Ok(reading.findings.conclude())
}

fn notes(findings: &mut Findings, trust: &Trust, anchored: bool, story: &Story) {
    if anchored {
        if trust.ledger_id.is_none() {
            findings.note(Axis::Ledger, "a ledger re-created as a whole by its owner would show only against a checkpoint kept from earlier, a witness, a timestamp, or the ledger id".into());
        }
        findings.note(Axis::Ledger, "the end or dispute of a key that is left out of this exhibit shows only in the published log".into());
    }
    if !findings.contradicts(Axis::Scope) {
        findings.note(
            Axis::Scope,
            "as declared by the producer; nothing is said of other recordings".into(),
        );
    }
    if story.hidden > 0 {
        let sentence = format!("hidden fields: {}; no absence is established", story.hidden);
        findings.note(Axis::Disclosure, sentence);
    }
    findings.not_supplied(Step::Time, "timestamps", "none was supplied");
    findings.not_supplied(Step::Witness, "cosignatures", "no witness key was supplied");
}

/// What the entries of this exhibit say, as far as the files have to agree with it.
#[derive(Default)]
struct Story {
    commitments: Commitments,
    produced: Produced,
    openings_used: BTreeSet<String>,
    hidden: u64,
}

impl Story {
    fn entry(
        &mut self,
        reading: &mut Reading<'_>,
        findings: &mut Findings,
        index: u64,
        is_control: bool,
        statement: &Statement,
    ) -> Result<(), Stop> {
        if is_control != (statement.kind == "control") {
            let item = format!("entry {index}");
            findings.contradicted(
                Step::Names,
                &item,
                "control entries in ledger/control, others in ledger/entries",
                &statement.kind,
            );
        }
        let in_ledger = matches!(statement.kind.as_str(), "control" | "produced");
        let path = if in_ledger {
            format!("ledger/openings/{index}.json")
        } else {
            format!("data/openings/{index}.json")
        };
        std::mem::swap(&mut reading.findings, findings);
        let opening = self.opening(reading, &path, in_ledger, statement);
        std::mem::swap(&mut reading.findings, findings);
        let opening = opening?;
        let opened = opening.as_ref().map_or(0, |opening| opening.fields().count() as u64);
        let count = statement.body.fields().map_or(0, |fields| fields.count);
        self.hidden = self.hidden.saturating_add(count.saturating_sub(opened));
        if let Body::Recording(recording) = &statement.body {
            self.commitments.recording(index, recording, opening.as_ref(), findings);
        }
        if statement.kind == "produced" {
            self.produced.entry(index, opening, findings);
        }
        Ok(())
    }

    /// V25 and V26: the opening of an entry, if the exhibit holds one.
    fn opening(
        &mut self,
        reading: &mut Reading<'_>,
        path: &str,
        required: bool,
        statement: &Statement,
    ) -> Result<Option<VerifiedOpening>, Stop> {
        if !required && !reading.package.files().contains(path) {
            return Ok(None);
        }
        self.openings_used.insert(path.to_owned());
        let Some(bytes) = reading.load(path, OPENING_BYTES_MAX, Step::OpeningForm)? else {
            return Ok(None);
        };
        let findings = &mut reading.findings;
        let Some(commitment) = statement.body.fields() else {
            findings.not_established(Step::OpeningRoot, path, "the entry's kind is not known");
            return Ok(None);
        };
        let opening = match Opening::parse(&bytes) {
            Ok(opening) => opening,
            Err(error) => {
                findings.form(Step::OpeningForm, path, &error);
                return Ok(None);
            }
        };
        if opening.block_key.is_some() && statement.kind != "recording" {
            findings.contradicted(Step::OpeningForm, path, "no block_key in this kind", "one");
        }
        match opening.verify(commitment) {
            Ok(verified) => {
                findings.held(Step::OpeningForm);
                findings.held(Step::OpeningRoot);
                Ok(Some(verified))
            }
            Err(error) => {
                let root = matches!(&error, FormError::Malformed { item, .. } if item.ends_with("root") || item.ends_with("count"));
                findings.form(
                    if root { Step::OpeningRoot } else { Step::OpeningForm },
                    path,
                    &error,
                );
                Ok(None)
            }
        }
    }

    /// Openings of entries that are not shown.
    fn strays(&self, reading: &mut Reading<'_>) {
        for path in reading.package.files().paths() {
            let (Some(Place::Opening(index)) | Some(Place::LedgerOpening(index))) = Place::of(path)
            else {
                continue;
            };
            if !self.openings_used.contains(path) && !self.commitments.is_unread(index) {
                let expected = "the opening of an entry that is shown, in its place";
                reading.findings.contradicted(Step::Names, path, expected, "another");
            }
        }
    }
}
