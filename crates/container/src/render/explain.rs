//! The numbered steps one by one: what each checks, why it matters, and what it found.

use std::fmt::Write as _;

use unbroken_evidence::step::Step;
use unbroken_evidence::verdict::{Tally, Verdict};

/// Every step, in its order.
pub(super) fn explain(verdict: &Verdict, text: &mut String) {
    text.push_str("\nThe checks, as spec/verification.md numbers them:\n");
    for step in Step::ALL {
        let (id, axis, title) = (step.id(), step.axis().name(), step.title());
        let tally = verdict.tally(*step);
        // What nobody has to supply, and nobody did, is nothing that was passed over.
        let is_none = matches!(step, Step::Time | Step::Witness | Step::CustodyEvents)
            && (tally.ran, tally.held, tally.contradicted) == (true, 0, 0);
        let counted = if is_none { "none is supplied".to_owned() } else { counts(tally) };
        let _ = writeln!(text, "{id:>4}  {axis:<10}  {title}: {counted}\n      {}", why(*step));
    }
}

fn counts(tally: Tally) -> String {
    if !tally.ran {
        return "not carried out".to_owned();
    }
    let counts = [
        (tally.held, "held"),
        (tally.contradicted, "contradicted"),
        (tally.not_established, "not established"),
        (tally.not_checked, "not checked"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
    if counts.is_empty() { "nothing was checked".to_owned() } else { counts.join(", ") }
}

/// What a step is there for, for somebody who has not read the specification.
const fn why(step: Step) -> &'static str {
    match step {
        Step::Names => {
            "Without this check a file that has no place here could pass for a part of the exhibit."
        }
        Step::ManifestForm | Step::NoteForm | Step::OpeningForm => {
            "What has more than one form could be read in two ways."
        }
        Step::Payload => "With V19 it ties each file to the list that the producer signed.",
        Step::Recording => {
            "It ties a recording to the signed entry about it: one changed bit is found here."
        }
        Step::Blocks => "The same for each block of a recording, by a second commitment.",
        Step::Companion => {
            "It ties metadata files and transcripts to the entry of their recording."
        }
        Step::TagFiles => {
            "The bag's own lists say what belongs to the package; they prove nothing by themselves."
        }
        Step::Checkpoint => {
            "The checkpoint is the signed statement about all entries up to its size; each entry shown must lead to it (V10)."
        }
        Step::LedgerId => {
            "The ledger id is the fingerprint of the first entry: it tells one ledger from every other."
        }
        Step::Inclusion => {
            "An entry that leads to the checkpoint's root was not changed, moved or put in since that was signed."
        }
        Step::Control => {
            "Control entries say which keys may sign, and from where to where in the log."
        }
        Step::LogKey => {
            "Without this check a key that was never admitted, or no longer was, could have signed the checkpoint."
        }
        Step::Signature => "Only somebody who holds the key can have signed.",
        Step::Standing => {
            "A key counts only where the control entries admit it, by place in the log and not by time."
        }
        Step::Chain => {
            "Each collecting key numbers its entries 0, 1, 2 and so on: no more numbers may be missing between two entries than there are entries not shown, and none may come twice."
        }
        Step::Time => {
            "An independent authority would vouch for when; without one, times are those of the owner's clock."
        }
        Step::Witness => "An independent witness would vouch for the log that it saw.",
        Step::Produced => {
            "The producer signed the digests of the manifest, bagit.txt, bag-info.txt and fetch.txt; with V1, V3 and V20 it shows what was added or taken out later."
        }
        Step::Items => {
            "Whoever made the exhibit signed that these are all entries about each recording. If a later correction was left out, that signature stands under a false statement, and the published log shows it."
        }
        Step::Named => {
            "What an entry rests on, such as its completeness policy, should be there to be read."
        }
        Step::References => {
            "An entry that replaces another, or speaks of it, names it by place and hash."
        }
        Step::Succession => {
            "Where two entries about one recording compete, neither counts as the newest."
        }
        Step::CustodyEvents => {
            "Who had a recording, and when, as the collecting system wrote it down and signed it."
        }
        Step::OpeningRoot => {
            "A value that is shown is the one that was committed to when the entry was signed."
        }
        Step::ClearValues => "A digest that is written twice must be the same digest.",
        Step::Sidecar => "What an entry says a metadata file said must stand in that file.",
    }
}
