//! Holds single objects against a published log (spec/verification.md, part 3).
//!
//! Two passes: one over all entries, which recomputes the tree and glances at each; one over those that
//! speak of a wanted object, its subject, or the keys, which judges them as part 2 does.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::body::Subject;
use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::judge::entries::{Entries, Outcome, Shown};
use crate::judge::findings::Findings;
use crate::judge::glance::Glance;
use crate::judge::history::History;
use crate::judge::kept::Kept;
use crate::judge::log::{self, LogFiles, LogStop};
use crate::judge::mentions::Mentions;
use crate::judge::mentions::Undisclosed;
pub use crate::judge::mentions::{Answer, Mention, Object, Role};
use crate::judge::walk::{Visitor, Walk, bundle};
use crate::kind::Kind;
use crate::opening::Opening;
use crate::spread::spread;
use crate::step::{Axis, Step};
use crate::tile::{TILE_WIDTH, Tile, parse_bundle};
use crate::tree::leaf_hash;
use crate::trust::Trust;
use crate::verdict::Verdict;

/// The steps of single objects: those of a log that can be judged over some of its entries.
const STEPS: &[Step] = &[
    Step::Recording,
    Step::Checkpoint,
    Step::LedgerId,
    Step::Inclusion,
    Step::Control,
    Step::LogKey,
    Step::NoteForm,
    Step::Signature,
    Step::Standing,
    Step::Chain,
    Step::Time,
    Step::Witness,
    Step::Items,
    Step::Named,
    Step::References,
    Step::Succession,
    Step::CustodyEvents,
    Step::OpeningForm,
    Step::OpeningRoot,
    Step::ClearValues,
];

/// What of a log is judged where single objects are looked for.
const JUDGED_HERE: &str = "of the log as a whole the tree was recomputed; the keys, and every entry that shows that it is about what was looked for, were judged";

/// What was found.
#[derive(Debug)]
pub struct ObjectVerdict {
    /// The verdict over the log's tree, its keys, and the entries that matter here.
    pub verdict: Verdict,
    /// Whether the whole log was read; otherwise nothing was looked for, and no answer says anything.
    pub searched: bool,
    /// One answer for each object, in their order.
    pub answers: Vec<Answer>,
    /// Recording entries of which a SHA-256 is shown, in the clear or by a verified opening.
    pub shown: u64,
    /// Recording entries that hide theirs.
    pub hidden: u64,
    /// Recording entries that show a SHA-256 that was looked for, and were not judged: their signature does not
    /// hold, or they cannot be read. They are not among `shown`.
    pub unjudged: Vec<u64>,
    /// Openings from which nothing was taken: no entry that was judged has their index and commitment.
    pub unfit: Vec<u64>,
}

impl ObjectVerdict {
    /// Where not even a checkpoint could be read.
    fn of_no_log(findings: Findings, objects: &[Object]) -> Self {
        Self {
            verdict: Verdict::of(findings),
            searched: false,
            answers: objects.iter().map(|_| Answer::NoMatch).collect(),
            shown: 0,
            hidden: 0,
            unjudged: Vec::new(),
            unfit: Vec::new(),
        }
    }
}

/// Looks for `objects` in the log in `files`, which must continue the checkpoint `since`, if one is given.
///
/// # Errors
/// [`LogStop`] when nothing could be verified.
pub fn verify_objects(
    files: &mut dyn LogFiles,
    trust: &Trust,
    since: Option<&[u8]>,
    mut openings: BTreeMap<u64, Opening>,
    objects: &[Object],
    threads: usize,
) -> Result<ObjectVerdict, LogStop> {
    let mut findings = Findings::new(STEPS);
    let Some(mut judged) = log::checkpoint(files, trust, &mut findings)? else {
        log::nothing_else(&mut findings);
        return Ok(ObjectVerdict::of_no_log(findings, objects));
    };
    let kept = since.and_then(|bytes| Kept::read(bytes, &mut findings));
    let Checkpoint { origin, size, .. } = judged.claims().clone();
    let mut glances = Glances {
        wanted: objects.iter().map(|object| object.sha256).collect(),
        opened: openings.keys().copied().collect(),
        threads,
        seen: Seen { history: History::whole(size), ..Seen::default() },
    };
    let mut walk = Walk::new(files, &judged, kept.as_ref().map(Kept::size));
    let root = walk.entries(&mut glances, &mut findings)?;
    let (earlier_root, missing) = (walk.earlier_root(), walk.missing());
    let Glances { mut seen, .. } = glances;
    let selected = seen.selected();
    let mut mentions = Mentions::new(std::mem::take(&mut seen.undisclosed));
    let mut entries = Entries::new(Some(origin), seen.history);
    let mut told = BTreeSet::new();
    if root.is_some() {
        let mut reader = Reader { files, size, bundle: None };
        for chunk in selected.into_iter().collect::<Vec<_>>().chunks(512) {
            for index in chunk {
                let Some(bytes) = reader.entry(*index, &mut findings)? else { continue };
                entries.entry(Shown::read(*index, &bytes), &mut findings);
            }
            for outcome in entries.settle(threads, &mut findings) {
                let Outcome::Judged(entry) = outcome else { continue };
                told.insert(entry.index);
                let opening = openings.remove(&entry.index);
                mentions.entry(entry.index, entry.statement(), opening, &mut findings);
            }
        }
        entries.finish(&mut findings);
        findings.ran(&[Step::Items, Step::OpeningForm, Step::OpeningRoot, Step::ClearValues]);
    }
    log::same_root(&mut judged, (root, missing), entries.keys.serving(trust), &mut findings);
    let searched = root.is_some();
    let answers = answers(searched.then_some(&mentions), objects, &mut findings);
    findings.ran(&[Step::Recording]);
    let sealed = judged.against(trust, &entries.keys, &mut findings);
    if sealed.anchored {
        findings.note(Axis::Scope, JUDGED_HERE.into());
    }
    let now = (judged.claims(), sealed.anchored);
    let continues = Kept::continued(kept, now, (&entries.keys, earlier_root), &mut findings);
    log::nothing_else(&mut findings);
    let mut verdict = Verdict::of(findings);
    verdict.seen = Some(sealed.of_log(continues, root));
    // A digest that is not in the clear is known where an opening that was verified shows it.
    let (shown, hidden) =
        (seen.shown + mentions.opened, seen.hidden.saturating_sub(mentions.opened));
    let is_one = |index: &&u64| searched && !openings.contains_key(*index);
    let unjudged: Vec<u64> = seen.matches.difference(&told).filter(is_one).copied().collect();
    let shown = shown.saturating_sub(unjudged.len() as u64);
    let mut unfit: Vec<u64> = openings.into_keys().chain(mentions.unfit).collect();
    unfit.sort_unstable();
    Ok(ObjectVerdict { verdict, searched, answers, shown, hidden, unjudged, unfit })
}

/// The answers of what the entries mention; of a log that is not whole there are none.
fn answers(
    mentions: Option<&Mentions>,
    objects: &[Object],
    findings: &mut Findings,
) -> Vec<Answer> {
    let answer = |object: &Object| {
        if let Some(mentions) = mentions {
            return mentions.answer(object, findings);
        }
        let why = "the log could not be read whole: nothing was looked for in it";
        findings.not_established(Step::Recording, &object.name, why);
        Answer::NoMatch
    };
    objects.iter().map(answer).collect()
}

/// Glances at every entry as it passes.
struct Glances {
    wanted: BTreeSet<Hash>,
    opened: BTreeSet<u64>,
    threads: usize,
    seen: Seen,
}

/// What the glances saw.
#[derive(Default)]
struct Seen {
    history: History,
    /// The subject of each entry, by its first eight bytes; 0 for none.
    subjects: Vec<u64>,
    /// Entries with a wanted digest, or an opening.
    matches: BTreeSet<u64>,
    /// Entries that are judged whatever they are about: control, policies, what is not of this version.
    always: BTreeSet<u64>,
    /// Who signed control entries, and which others they signed.
    control: BTreeSet<Vec<u8>>,
    signed_by: BTreeMap<Vec<u8>, Vec<u64>>,
    /// Entries with references, and what they name.
    refs: Vec<(u64, u64)>,
    shown: u64,
    hidden: u64,
    /// Of those without an opening.
    undisclosed: Undisclosed,
}

/// Keys whose entries are remembered one by one until it is known whether they are control keys.
const SIGNERS_FEW: usize = 1_024;

impl Visitor for Glances {
    fn batch(&mut self, entries: &[(u64, &[u8])], _: &mut Findings) -> Vec<Hash> {
        let glanced = spread(entries.to_vec(), self.threads, |(index, bytes)| {
            (index, leaf_hash(bytes), Glance::at(bytes))
        });
        let mut leaves = Vec::with_capacity(glanced.len());
        for (index, leaf, glance) in glanced {
            leaves.push(leaf);
            self.seen.history.passes(index, leaf);
            self.take(index, glance);
        }
        leaves
    }
}

impl Glances {
    fn take(&mut self, index: u64, glance: Option<Glance<'_>>) {
        let opened = self.opened.contains(&index);
        let seen = &mut self.seen;
        let Some(glance) = glance else {
            seen.always.insert(index);
            seen.subjects.push(0);
            return;
        };
        seen.subjects.push(glance.subject.map_or(0, short));
        seen.refs.extend(glance.refs.iter().map(|target| (index, *target)));
        let is_recording = glance.kind == b"recording";
        if is_recording {
            let is_shown = glance.sha256.is_some();
            seen.shown += u64::from(is_shown);
            seen.hidden += u64::from(!is_shown);
            if !opened {
                seen.undisclosed.take(glance.media, is_shown, false);
            }
        }
        let is_plain = Kind::of(&String::from_utf8_lossy(glance.kind)).is_known();
        if glance.kind == b"control" {
            seen.control.insert(glance.signer.to_vec());
        } else if let Some(signed) = seen.signed_by.get_mut(glance.signer) {
            if signed.len() < SIGNERS_FEW {
                signed.push(index);
            }
        } else {
            seen.signed_by.insert(glance.signer.to_vec(), vec![index]);
        }
        if matches!(glance.kind, b"control" | b"policy") || !is_plain {
            seen.always.insert(index);
        }
        if opened || glance.sha256.is_some_and(|sha256| self.wanted.contains(&sha256)) {
            seen.matches.insert(index);
        }
    }
}

/// The first eight bytes of a subject; never 0.
fn short(subject: Subject) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = subject.0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h]).max(1)
}

impl Seen {
    /// The entries to be judged: those that match, all of the same subjects, what names them or is named
    /// by them, and what decides who may sign.
    fn selected(&self) -> BTreeSet<u64> {
        let subject = |index: &u64| self.subjects.get(usize::try_from(*index).ok()?).copied();
        let wanted: BTreeSet<u64> =
            self.matches.iter().filter_map(subject).filter(|subject| *subject != 0).collect();
        let mut selected = self.matches.clone();
        selected.extend(&self.always);
        let of_subject = |(_, subject): &(u64, &u64)| wanted.contains(subject);
        selected.extend((0..).zip(&self.subjects).filter(of_subject).map(|(index, _)| index));
        let naming: Vec<u64> = self
            .refs
            .iter()
            .filter(|(_, target)| selected.contains(target) && !self.always.contains(target))
            .map(|(index, _)| *index)
            .collect();
        let named: Vec<u64> = self
            .refs
            .iter()
            .filter(|(index, _)| selected.contains(index))
            .map(|(_, target)| *target)
            .collect();
        selected.extend(naming);
        selected.extend(named);
        for (signer, signed) in &self.signed_by {
            if self.control.contains(signer) {
                selected.extend(signed);
            }
        }
        let size = self.subjects.len() as u64;
        selected.retain(|index| *index < size);
        selected
    }
}

/// Reads single entries, a bundle at a time.
struct Reader<'a> {
    files: &'a mut dyn LogFiles,
    size: u64,
    bundle: Option<(Tile, Vec<u8>)>,
}

impl Reader<'_> {
    fn entry(&mut self, index: u64, findings: &mut Findings) -> Result<Option<Vec<u8>>, LogStop> {
        let Some(tile) = Tile::bundle(index / TILE_WIDTH, self.size) else { return Ok(None) };
        if self.bundle.as_ref().is_none_or(|(kept, _)| *kept != tile) {
            self.bundle = bundle(self.files, tile, findings)?.map(|bytes| (tile, bytes));
        }
        let Some((_, bytes)) = &self.bundle else { return Ok(None) };
        let place = usize::try_from(index % TILE_WIDTH).unwrap_or(usize::MAX);
        let entries = parse_bundle(bytes, tile.width).unwrap_or_default();
        Ok(entries.get(place).map(|entry| entry.to_vec()))
    }
}
