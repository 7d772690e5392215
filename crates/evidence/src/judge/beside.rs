//! The sentences that stand beside the axes of an exhibit.

use crate::judge::findings::Findings;
use crate::recordings::{Bytes, Recordings};
use crate::step::{Axis, Step};
use crate::verdict::Seen;

/// How much of what is shown agrees, beside the axis that one file less moves.
pub(super) fn bytes_that_agree(recordings: &Recordings, not_judged: u64, findings: &mut Findings) {
    let lines = recordings.lines();
    if lines.is_empty() {
        return;
    }
    let (companions, held) = lines
        .iter()
        .fold((0, 0), |(all, held), line| (all + line.companions.0, held + line.companions.1));
    if lines.iter().all(|line| line.bytes == Bytes::NotPacked) {
        let sentence = match companions {
            0 => "no recording is packed: of none were the bytes compared".to_owned(),
            _ => format!(
                "no recording is packed: of none were the bytes compared; of {companions} companions {held} agree"
            ),
        };
        return findings.note(Axis::Content, sentence);
    }
    let judged = if not_judged > 0 { " that were judged" } else { "" };
    let sentence = format!(
        "the bytes of {} of {} recording entries{judged} agree, and {held} of {companions} of their companions",
        recordings.count(Bytes::Agree),
        lines.len()
    );
    findings.note(Axis::Content, sentence);
    let unknown = lines.iter().filter(|line| line.hides_companions).count();
    if unknown > 0 {
        let sentence = format!(
            "entries that may have companions, or digests of them, that are not shown: {unknown}"
        );
        findings.note(Axis::Content, sentence);
    }
    if not_judged > 0 {
        findings.note(Axis::Content, format!("entries that were not judged: {not_judged}"));
    }
}

/// What belongs beside the axes; `shown` counts the entries that are shown, those that cannot be read, and says whether all
/// were read and proven.
pub(super) fn notes(
    findings: &mut Findings,
    seen: Option<&Seen>,
    (hidden, is_declared): (u64, bool),
    (shown, unread, is_proven): (u64, u64, bool),
) {
    if seen.is_some_and(|seen| seen.anchored) {
        let what = match seen.is_some_and(|seen| seen.size == shown) {
            true if is_proven => {
                "every entry up to this checkpoint is shown; a later one that ends or disputes a key shows only in the published log"
            }
            true => {
                "not every entry here was read and proven: one of the log's that ends or disputes a key may not be among them"
            }
            false => {
                "an entry that ends or disputes a key may be left out here: that shows only in the published log"
            }
        };
        findings.note(Axis::Ledger, what.into());
    }
    if !findings.contradicts(Axis::Scope) {
        let of = seen.map_or_else(String::new, |seen| {
            format!("; of the {} entries up to this checkpoint {shown} are shown here", seen.size)
        });
        let unread = match unread {
            0 => String::new(),
            count => format!(", of which {count} cannot be read"),
        };
        let by = if is_declared {
            "as declared by the producer"
        } else {
            "no declaration of the producer was read"
        };
        let is_whole = is_proven && seen.is_some_and(|seen| seen.size == shown);
        let later = if is_whole {
            ""
        } else {
            ", nor whether an entry about these was left out: that shows only in the published log"
        };
        let sentence = format!("{by}; nothing is said of other recordings{later}{of}{unread}");
        findings.note(Axis::Scope, sentence);
    }
    if hidden > 0 {
        let sentence = format!(
            "fields that are not shown: {hidden}; no absence is established, nor that each name stands once"
        );
        findings.note(Axis::Disclosure, sentence);
    }
}

/// Where an exhibit holds what was made of earlier checkpoints (X20).
pub(super) const ANCHORS: &str = "ledger/anchors/";

/// V17 and V18, of which this version carries out nothing.
pub(super) fn not_supplied(findings: &mut Findings, has_anchors: bool, is_cosigned: bool) {
    const ANCHORS: &str =
        "files in ledger/anchors are here, and this version looks into none of them";
    const NONE: &str = "none is here, and this version checks none";
    let lines =
        "signature lines of other keys are on the checkpoint, and this version verifies none";
    let time = if has_anchors { ANCHORS } else { NONE };
    findings.not_supplied(Step::Time, "timestamps", time);
    findings.not_supplied(Step::Witness, "cosignatures", if is_cosigned { lines } else { time });
    findings.ran(&[Step::Time, Step::Witness]);
}

/// V10 and V12, where no checkpoint could be read (X14).
pub(super) fn without_checkpoint(findings: &mut Findings) {
    let why = "there is no checkpoint that can be read, and nothing was held against one";
    findings.not_read(Step::Inclusion, "checkpoint", why);
    findings.not_read(Step::LogKey, "checkpoint", why);
    findings.ran(&[Step::Checkpoint, Step::Inclusion, Step::LogKey]);
}
