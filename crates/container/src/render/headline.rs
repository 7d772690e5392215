//! The headline: what a lay reader takes away, and nothing that was not checked.

use std::collections::{BTreeMap, BTreeSet};

use unbroken_evidence::body::Subject;
use unbroken_evidence::left_out::Reason;
use unbroken_evidence::log::KEPT_ITEM;
use unbroken_evidence::recordings::{Bytes, Recording};
use unbroken_evidence::step::{Axis, Step};
use unbroken_evidence::trust::{ANCHOR_ITEM, NO_LOG_KEY};
use unbroken_evidence::verdict::{Blame, Conclusion, Finding, Outcome, Seen, Verdict};

use super::counted;

/// What holds until somebody independent vouches for when the ledger said so.
const NOBODY_VOUCHES: &str = "No independent party vouches for when this was sealed: whoever holds this ledger's keys could have made all of it later, with other content, and this check cannot rule that out.";

/// The headline of a verdict, in a few sentences.
#[must_use]
pub fn headline(verdict: &Verdict) -> String {
    // What the owner's own entries say happened is said first, whatever else is found.
    let mut sentences: Vec<String> = replaced(verdict).into_iter().collect();
    sentences.push(first(verdict));
    match verdict.blame() {
        None => {
            sentences.extend(counts(verdict));
            sentences.extend(not_established(verdict));
        }
        Some(Blame::Package) => sentences.extend(not_established(verdict)),
        Some(Blame::Evidence | Blame::AnotherLedger) => {}
    }
    sentences.push(vouched(verdict));
    sentences.join(" ")
}

fn first(verdict: &Verdict) -> String {
    if let Some(blame) = verdict.blame() {
        return contradiction(verdict, blame);
    }
    let shows_none = verdict.tally(Step::Recording).ran && verdict.recordings().lines().is_empty();
    match verdict.conclusion() {
        Conclusion::Unsupported => {
            let (first, count) = verdict.unsupported();
            format!(
                "VERIFICATION INCOMPLETE: {} of a form that this version does not know, first {}. What they say was not judged: use a newer verifier.",
                counted(count, "item"),
                first.first().map_or("", String::as_str)
            )
        }
        _ if verdict.without_anchor() => {
            format!("CONSISTENT, BUT ORIGIN NOT ESTABLISHED: no trust anchor was given, and the key was taken from the {} itself.", container(verdict))
        }
        Conclusion::Incomplete if shows_none && !verdict.tally(Step::Payload).ran => {
            "NO ALTERATION FOUND IN WHAT WAS JUDGED, BUT NOT EVERYTHING IS ESTABLISHED.".to_owned()
        }
        Conclusion::Incomplete if none_packed(verdict) => {
            "NO RECORDING WAS CHECKED, for none is in this package. No alteration was found in what it holds.".to_owned()
        }
        Conclusion::Incomplete if shows_none => {
            "THIS EXHIBIT SHOWS NO RECORDING. No alteration was found in what it holds.".to_owned()
        }
        Conclusion::Incomplete => {
            "NO ALTERATION FOUND, BUT NOT EVERYTHING IS ESTABLISHED.".to_owned()
        }
        Conclusion::Agrees | Conclusion::Contradicts => "NO ALTERATION FOUND.".to_owned(),
    }
}

/// What was verified: a published log has no entry that closes an exhibit.
fn container(verdict: &Verdict) -> &'static str {
    if verdict.tally(Step::Produced).ran { "package" } else { "log" }
}

fn is_anchored(verdict: &Verdict) -> bool {
    verdict.seen().is_some_and(|seen| seen.anchored)
}

/// Whether recordings are shown, and the bytes of none of them.
fn none_packed(verdict: &Verdict) -> bool {
    let lines = verdict.recordings().lines();
    !lines.is_empty() && lines.iter().all(|line| line.bytes == Bytes::NotPacked)
}

/// Whether a key and a ledger id were given of which one is this ledger's, and the other is not.
fn are_of_two_ledgers(verdict: &Verdict) -> bool {
    let is_of_this = |seen: &Seen| seen.signed || seen.id_holds;
    let failed = |step| verdict.tally(step).contradicted > 0;
    verdict.seen().is_some_and(is_of_this) && (failed(Step::LedgerId) || failed(Step::Checkpoint))
}

fn contradiction(verdict: &Verdict, blame: Blame) -> String {
    let place = verdict.first_contradiction().map_or_else(String::new, |f| {
        let more = match verdict.contradictions() {
            0 | 1 => String::new(),
            2 => "; one more check disagrees".to_owned(),
            count => format!("; {} more checks disagree", count - 1),
        };
        let Finding { item, expected, found, .. } = f;
        format!(" at step {}, {item} (expected {expected}; found {found}){more}", f.step.id())
    });
    // A ledger may have replaced the key that somebody was given; its id stays.
    let is_key = verdict.first_contradiction().is_some_and(|f| f.step == Step::Checkpoint);
    let is_kept = is_key && verdict.first_contradiction().is_some_and(|f| f.item == KEPT_ITEM);
    let is_other_key = verdict.first_contradiction().is_some_and(|f| f.found.ends_with(NO_LOG_KEY));
    let later = if is_key {
        ", unless its log signs with another key by now: its ledger id tells"
    } else {
        ""
    };
    match blame {
        Blame::Evidence => format!(
            "ALTERATION OR INCONSISTENCY FOUND{place}. This does not show who changed what, when, or whether by accident."
        ),
        Blame::AnotherLedger if is_kept => format!(
            "NO VALID LOG KEY OF THIS LEDGER SIGNED THE CHECKPOINT THAT YOU KEPT{place}. Look first whether it is the right file, and whole. {}",
            if is_anchored(verdict) {
                "The log itself stands under the anchor that you gave."
            } else {
                "Whatever agrees agrees within this log only."
            }
        ),
        Blame::AnotherLedger if is_other_key => format!(
            "THE KEY THAT YOU NAMED SIGNS NO CHECKPOINTS{place}. Give the log's key, or the ledger id. Whatever agrees agrees within this {} only.",
            container(verdict)
        ),
        Blame::AnotherLedger if are_of_two_ledgers(verdict) => format!(
            "THE KEY AND THE LEDGER ID THAT YOU GAVE ARE NOT OF ONE LEDGER, found{place}. Look first whether what you gave is what reached you on paper. Whatever agrees agrees within this {} only.",
            container(verdict)
        ),
        Blame::AnotherLedger => format!(
            "THIS IS ANOTHER LEDGER THAN THE ONE YOU NAMED, found{place}. Look first whether what you gave is what reached you on paper. If it is right, this does not come from that ledger{later}. Whatever agrees agrees within this {} only.",
            container(verdict)
        ),
        Blame::Package => {
            let agrees = if verdict.evidence_agrees() {
                "the evidence in it agrees"
            } else {
                "nothing in it contradicts the evidence, but not everything is established"
            };
            format!(
                "THE PACKAGE AROUND THE EVIDENCE IS NOT IN ORDER{place}; {agrees}. {} This does not show whether it was made so or changed on its way, by whom, or when. Keep it as it is, and ask for the package again.",
                counts(verdict).unwrap_or_default()
            )
        }
    }
}

/// Without an anchor the keys may be anybody's too.
const ANYBODY: &str = "No independent party vouches for when this was sealed, nor for whose keys these are: anybody could have made all of it, keys and all, and this check cannot rule that out.";

/// Who vouches for when: nobody, but for what a kept checkpoint covers.
fn vouched(verdict: &Verdict) -> String {
    // An anchor that failed says as little about the keys as none.
    let is_vouched = verdict.seen().is_some_and(|seen| seen.anchored || seen.signed);
    let fails = matches!(verdict.blame(), Some(Blame::AnotherLedger)) && !is_vouched;
    if fails || verdict.without_anchor() {
        return ANYBODY.to_owned();
    }
    let kept = verdict.seen().and_then(|seen| seen.continues);
    kept.map_or_else(
        || NOBODY_VOUCHES.to_owned(),
        |size| {
            let now = verdict.seen().map_or(size, |seen| seen.size);
            let kept = counted(size, "entry");
            if now == size {
                return format!("All of its {kept} stood under the checkpoint you kept, since the day you kept it. This shows nothing of the time before.");
            }
            format!("Its first {kept} stood under the checkpoint you kept, since the day you kept it. For what came later no independent party vouches: whoever holds this ledger's keys could have made it at any time, and this check cannot rule that out.")
        },
    )
}

const NOT_HERE: &str = "NOT IN ITS PLACE, and the list of files is not the one that was signed";

/// How much agrees, of how much.
fn counts(verdict: &Verdict) -> Option<String> {
    // Where a history branches, several entries about one recording are current: it agrees if all do.
    let mut by_subject: BTreeMap<Subject, Vec<&Recording>> = BTreeMap::new();
    for line in verdict.recordings().current() {
        by_subject.entry(line.subject).or_default().push(line);
    }
    let worst = |lines: Vec<_>| lines.into_iter().max_by_key(|line: &&Recording| line.bytes);
    let competing = |lines: &Vec<&Recording>| lines.len() > 1;
    let mut branched: BTreeSet<Subject> = by_subject
        .iter()
        .filter(|(_, lines)| competing(lines))
        .map(|(subject, _)| *subject)
        .collect();
    let twice = |line: &&Recording| line.superseded_by.len() > 1;
    branched.extend(verdict.recordings().lines().iter().filter(twice).map(|line| line.subject));
    let branched = branched.len() as u64;
    let current: Vec<&Recording> = by_subject.into_values().filter_map(worst).collect();
    if current.is_empty() {
        return examined(verdict);
    }
    let of = |bytes| current.iter().filter(|line| line.bytes == bytes).count() as u64;
    let all = counted(current.len() as u64, "recording");
    let (companions, agree) = current
        .iter()
        .fold((0, 0), |(all, agree), line| (all + line.companions.0, agree + line.companions.1));
    let beside = match companions {
        0 => String::new(),
        _ => format!(" and {agree} of {}", counted(companions, "companion")),
    };
    let mut text = if none_packed(verdict) {
        format!("{all}, not packed")
    } else {
        let alone = current.len() == 1 && companions == 0;
        let agrees = if alone { "agrees with its entry" } else { "agree with their entries" };
        format!("{} of {all}{beside} {agrees}", of(Bytes::Agree))
    };
    let incomplete = current.iter().filter(|line| line.complete == Some(false)).count() as u64;
    let said = |reason: &Reason| {
        current.iter().filter(|line| line.left_out.as_ref() == Some(reason)).count() as u64
    };
    for (count, what) in [
        (if none_packed(verdict) { 0 } else { of(Bytes::NotPacked) }, "not packed"),
        (
            said(&Reason::Changed),
            "of these whose object HAS OTHER BYTES NOW, as the exhibit's producer says",
        ),
        (
            said(&Reason::Gone),
            "of these that was NOT FOUND at its source, as the exhibit's producer says",
        ),
        (of(Bytes::Missing), "MISSING, though the package lists them"),
        (of(Bytes::Unreadable), "that could not be read"),
        (of(Bytes::NotHere), NOT_HERE),
        (of(Bytes::NotDisclosed), "whose SHA-256 is not shown here"),
        (branched, "with several entries that compete"),
        (incomplete, "sealed as not meeting its completeness policy"),
    ] {
        if count > 0 {
            text.push_str(&format!("; {count} {what}"));
        }
    }
    if companions > agree {
        let others = counted(companions - agree, "companion");
        text.push_str(&format!("; {others} not packed, or not seen to agree"));
    }
    Some(text + &earlier(verdict) + &odd_and_withheld(verdict) + ".")
}

/// The counts above are of the newest entry of each recording; this is of the others.
fn earlier(verdict: &Verdict) -> String {
    let recordings = verdict.recordings();
    let is_open = |line: &&Recording| !line.superseded_by.is_empty() && line.bytes != Bytes::Agree;
    let superseded = recordings.lines().iter().filter(is_open).count() as u64;
    let mut text = String::new();
    if superseded > 0 && !none_packed(verdict) {
        let entries = counted(superseded, "superseded entry");
        text.push_str(&format!("; {entries} whose bytes are not packed, or not seen to agree"));
    }
    if recordings.not_judged() > 0 {
        let entries = counted(recordings.not_judged(), "entry");
        text.push_str(&format!("; {entries} that could not be judged, about whatever recording"));
    }
    text
}

/// Of how many recordings something is odd, and of how many entries values are withheld.
fn odd_and_withheld(verdict: &Verdict) -> String {
    let mut text = String::new();
    let odd: BTreeSet<Subject> = verdict
        .recordings()
        .lines()
        .iter()
        .filter(|line| !line.odd.is_empty())
        .map(|line| line.subject)
        .collect();
    if !odd.is_empty() {
        text.push_str(&format!("; something is odd about {}", odd.len()));
    }
    let lines = verdict.recordings().lines();
    let withheld = lines.iter().filter(|line| line.hidden.0 > 0).count() as u64;
    if withheld > 0 {
        text.push_str(&format!("; values of {} are withheld", counted(withheld, "entry")));
    }
    let closed = lines.iter().filter(|line| line.hidden.1 > 0).count() as u64;
    if closed > 0 {
        let entries = counted(closed, "entry");
        text.push_str(&format!(
            "; {entries} with fields that are not shown, of which nothing is known"
        ));
    }
    text
}

/// How many entries were looked at, where no recording was.
fn examined(verdict: &Verdict) -> Option<String> {
    let entries = verdict.tally(Step::NoteForm).held;
    let size = verdict.seen().map(|seen| seen.size)?;
    // A log holds no recordings; where single objects were asked for, they were looked at.
    let alone = !verdict.tally(Step::Recording).ran;
    let only = if alone { "; no recording was looked at" } else { "" };
    (entries > 0).then(|| format!("{entries} of {} examined{only}.", counted(size, "entry")))
}

/// Bytes that were replaced are no alteration of the exhibit, and must not be missed.
fn replaced(verdict: &Verdict) -> Option<String> {
    let count = verdict.replacements().with_other_bytes();
    let times = counted(count, "time");
    // Whose word it is has to be known: under an anchor that holds, and signatures that do.
    let axes = [Axis::Ledger, Axis::Signer, Axis::History].map(|axis| verdict.outcome(axis));
    let is_known = axes.iter().all(|outcome| *outcome == Outcome::Established);
    let said = match is_known {
        false => format!(
            "ENTRIES IN IT SAY THAT BYTES OF RECORDINGS WERE REPLACED, {times}; whose entries these are is not established. Of this package:"
        ),
        true => format!(
            "BYTES OF RECORDINGS WERE REPLACED {times}, as the ledger's own entries say. Of this package:"
        ),
    };
    (count > 0).then_some(said)
}

/// The first of what cannot be said, but for what follows from the missing anchor: a disputed key, say.
fn not_established(verdict: &Verdict) -> Option<String> {
    if verdict.conclusion() == Conclusion::Unsupported {
        return None;
    }
    let counts = |f: &&Finding| f.outcome == Outcome::NotEstablished && f.item != ANCHOR_ITEM;
    let mut findings = verdict.findings().iter().filter(counts);
    let first = findings.next()?;
    let more = match findings.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Some(format!("Not established at {}, {}: {}{more}.", first.step.id(), first.item, first.found))
}
