//! `unbroken exhibit`

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use unbroken_container::render::counted;
use unbroken_evidence::error::printable;
use unbroken_exhibit::Exposed;
use unbroken_exhibit::produce::{Made, Packing, Redaction, Terms, Withhold, produce};
use unbroken_exhibit::select::Selector;
use unbroken_ingest::passes::Covering;
use unbroken_ingest::query::Query;
use unbroken_ledger::ledger::{Ledger, private_path};
use unbroken_ledger::private::Private;
use unbroken_ledger::reader::LogReader;

use crate::arguments::{Exhibit, Output, Question};
use crate::commands::cover;
use crate::failure::Failure;
use crate::sources::KnownSources;
use crate::{output, progress, questions, world};

/// Ids of each sort that the entry which closes an exhibit repeats.
const SELECTION_MAX: usize = 1_000;
/// Recordings that were not asked for, of which each is named.
const BESIDE_SHOWN: usize = 5;

pub(crate) fn run(arguments: &Exhibit, out: &Output) -> Result<u8, Failure> {
    let (mut selectors, mut selection) = chosen(arguments);
    let question = question(arguments, &selectors)?;
    let patience = Duration::from_secs(arguments.wait);
    let mut ledger = world::open_when_free(&arguments.ledger.folder, "exhibit", patience, out)?;
    // What a run that was killed had sealed and not published is shown and asked too: else a history would be shown
    // in part, under a statement that it is whole. And from here on nobody seals anything more.
    ledger.checkpoint()?;
    let mut passes = Vec::new();
    if let Some(question) = &question {
        let (indices, said) = answered(question, arguments, out)?;
        selectors.extend(indices);
        selection.extend(said);
        passes = covering(arguments, &mut selection, out)?;
    }
    // Only now: before, what is to be in it may not come.
    let out_path = match (&arguments.out, &arguments.cover) {
        (Some(out), _) => out.clone(),
        (None, Some(cover)) => cover::begin(cover)?,
        (None, None) => return Err(Failure::usage("no place was given", "give --out or --cover")),
    };
    refuse_own_ledger(&out_path, &arguments.ledger.folder)?;
    let packing =
        if arguments.without_recordings { Packing::EntriesOnly } else { Packing::Recordings };
    let withhold =
        arguments.withhold.iter().map(|name| withheld(name)).collect::<Result<_, _>>()?;
    let terms = Terms { packing, withhold, selection, passes };
    let mut originals = KnownSources::new(&arguments.s3);
    let read = originals.read_bytes();
    let line = |elapsed| progress::of_packing(&read, elapsed);
    let made = progress::shown(out, &line, || {
        produce(&mut ledger, &mut originals, &selectors, &terms, &out_path)
    });
    if let (Err(_), Some(cover)) = (&made, &arguments.cover) {
        cover::abandon(cover);
    }
    let made = made?;
    warn(&made, out);
    show(arguments, &terms, &made, (&ledger, &out_path), out)
}

/// Writes what stands beside the exhibit, and says what was made.
fn show(
    arguments: &Exhibit,
    terms: &Terms,
    made: &Made,
    (ledger, out_path): (&Ledger, &Path),
    out: &Output,
) -> Result<u8, Failure> {
    let ledger_id = LogReader::open(&arguments.ledger.folder)?.leaf(0)?;
    let sha256 = made.sha256.map(|sha256| sha256.to_string());
    if let Some(folder) = &arguments.cover {
        let reason = arguments.reason.as_deref().unwrap_or_default();
        cover::write(folder, &ledger_id, made, (&terms.withhold, reason))?;
    }
    let named = sha256.as_ref().map_or_else(String::new, |sha256| format!("SHA-256: {sha256}\n"));
    let withheld = withheld_in_words(made, terms, arguments.reason.as_deref());
    output::text(
        out,
        &format!(
            "exhibit: {}\n{named}ledger id: {ledger_id}\n\
             {} entries: those about {}, what these name, the runs that sealed them, \
             those about keys, and entry {}, which closes the exhibit\n\
             {} packed\n{withheld}\
             verify: unbroken-verify exhibit --trust {ledger_id} {0}\n",
            out_path.display(),
            made.entries,
            counted(made.subjects, "recording"),
            made.produced,
            counted(made.packed, "recording file"),
        ),
    )?;
    let code = made.exit_code();
    output::json(
        out,
        &json!({
            "schema": "unbroken/exhibit@v1", "exit_code": code, "out": out_path.display().to_string(),
            "entries": made.entries, "subjects": made.subjects, "packed": made.packed,
            "produced": made.produced, "differing": made.differing, "missing": made.missing,
            "not_found": made.not_found,
            "not_asked_for": made.beside.iter().map(|(conversation, recording)| {
                json!({"conversation": conversation, "recording": recording})
            }).collect::<Vec<_>>(),
            "incomplete": made.incomplete, "withheld": made.redactions.len(), "reason": arguments.reason,
            "exposed": made.exposed.iter().map(exposed).collect::<Vec<_>>(), "sha256": sha256, "ledger_id": ledger_id.to_string(),
            "trust_anchor": ledger.trust_anchor().to_string(),
        }),
    )?;
    Ok(code)
}

/// What is withheld, and why: a cover folder has a redaction log; without one, here is the only place for it.
fn withheld_in_words(made: &Made, terms: &Terms, reason: Option<&str>) -> String {
    let is_asked = |redaction: &&Redaction| terms.withhold.contains(&redaction.what);
    let asked = made.redactions.iter().filter(is_asked).count() as u64;
    let others = made.redactions.len() as u64 - asked;
    if asked == 0 {
        return String::new();
    }
    let reason = printable(reason.unwrap_or_default());
    let beside = match others {
        0 => String::new(),
        others => format!("; and {} that would give them away", counted(others, "value")),
    };
    format!("withheld: {}, because: {reason}{beside}\n", counted(asked, "value"))
}

fn exposed(exposed: &Exposed) -> serde_json::Value {
    let name = |what: &Withhold| format!("{}{}", what.source, what.pointer);
    let Exposed { index, withheld, place } = exposed;
    json!({"index": index, "withheld": name(withheld), "place": name(place)})
}

/// What was asked for; and in words, for the entry that closes the exhibit.
fn chosen(arguments: &Exhibit) -> (Vec<Selector>, BTreeMap<String, String>) {
    let selectors = selectors(arguments);
    let mut selection = BTreeMap::new();
    for (word, values) in [
        ("conversation", &arguments.conversation),
        ("recording", &arguments.recording),
        ("index", &arguments.index.iter().map(u64::to_string).collect()),
    ] {
        for (number, value) in values.iter().take(SELECTION_MAX).enumerate() {
            selection.insert(format!("/{word}/{number}"), value.clone());
        }
    }
    if arguments.all {
        selection.insert("/all".to_owned(), "every recording".to_owned());
    }
    (selectors, selection)
}

/// The question, if there is one. Together with ids they would add up, where everybody expects that they narrow.
fn question(arguments: &Exhibit, selectors: &[Selector]) -> Result<Option<Query>, Failure> {
    let question = questions::read(&arguments.question)?;
    if question.is_some() && !selectors.is_empty() {
        return Err(Failure::usage(
            "a question stands by itself: it does not narrow --conversation, --recording, --index or --all",
            "put it into the question: --where 'conversation = ... and ...'",
        ));
    }
    Ok(question)
}

/// The entries that answer a question; and what was asked and answered, in words.
fn answered(
    question: &Query,
    arguments: &Exhibit,
    out: &Output,
) -> Result<(Vec<Selector>, BTreeMap<String, String>), Failure> {
    let folder = &arguments.ledger.folder;
    let private = Private::open_to_read(&private_path(folder))?;
    let answer = question.find(&mut LogReader::open(folder)?, &private)?;
    questions::say(&answer, out);
    if answer.indices.is_empty() {
        return Err(Failure::usage(
            format!("no recording answers {}", printable(question.text())),
            "ask `unbroken list --where` first; docs/finding.md has the names",
        ));
    }
    let mut said = BTreeMap::new();
    let Question { wanted, from, to } = &arguments.question;
    for (word, typed) in [("/where", wanted), ("/from", from), ("/to", to)] {
        said.extend(typed.iter().map(|typed| (word.to_owned(), typed.clone())));
    }
    said.insert("/recordings".to_owned(), answer.recordings.to_string());
    said.insert("/answer".to_owned(), answer.indices.len().to_string());
    said.insert("/not-asked".to_owned(), answer.unknown.to_string());
    if answer.without_start > 0 {
        said.insert("/start-unknown".to_owned(), answer.without_start.to_string());
    }
    Ok((answer.indices.into_iter().map(Selector::Index).collect(), said))
}

/// The runs that saw what there was in the period of a question: those whose listings are shown; and in words, what is
/// known of the others.
fn covering(
    arguments: &Exhibit,
    selection: &mut BTreeMap<String, String>,
    out: &Output,
) -> Result<Vec<u64>, Failure> {
    let folder = &arguments.ledger.folder;
    let private = Private::open_to_read(&private_path(folder))?;
    let size = LogReader::open(folder)?.checkpoint().size;
    let Question { from, to, .. } = &arguments.question;
    let [from, to] = [from, to].map(|time| time.as_deref().and_then(Query::instant));
    let found = Covering::of(&private, size, (from, to))?;
    if from.is_some() {
        selection.insert("/runs".to_owned(), found.runs.to_string());
        selection.insert("/runs-not-finished".to_owned(), found.not_finished.to_string());
    }
    let behind: Vec<u64> = found.behind.into_values().take(SELECTION_MAX).collect();
    for (number, index) in behind.iter().enumerate() {
        selection.insert(format!("/pass/{number}"), index.to_string());
    }
    for (number, (source, scope)) in found.none_behind.iter().take(SELECTION_MAX).enumerate() {
        let what = printable(&format!("{source} {scope}"));
        let sentence = format!("no run saw the whole source since the end of that period: {what}");
        output::warning(out, &sentence);
        selection.insert(format!("/no-pass/{number}"), what.trim_end().to_owned());
    }
    Ok(behind)
}

fn selectors(arguments: &Exhibit) -> Vec<Selector> {
    let mut selectors: Vec<Selector> =
        arguments.conversation.iter().cloned().map(Selector::Conversation).collect();
    selectors.extend(arguments.recording.iter().cloned().map(Selector::Recording));
    selectors.extend(arguments.index.iter().copied().map(Selector::Index));
    selectors.extend(arguments.all.then_some(Selector::All));
    selectors
}

/// What an exhibit does not hold, and what it holds that is incomplete.
fn warn(made: &Made, out: &Output) {
    for what in &made.not_found {
        output::warning(out, &format!("not found, and not in the exhibit: {what}"));
    }
    let beside = made.beside.len() as u64;
    if beside > 0 {
        let first: Vec<String> = made
            .beside
            .iter()
            .take(BESIDE_SHOWN)
            .map(|(conversation, recording)| format!("{recording} of conversation {conversation}"))
            .collect();
        let more = beside - first.len() as u64;
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let sentence = format!(
            "not asked for, and of the same conversations: {}: {}{more}; --conversation packs them",
            counted(beside, "recording"),
            first.join(", ")
        );
        output::warning(out, &sentence);
    }
    for what in &made.differing {
        output::warning(out, &format!("not packed, it differs: {what}"));
    }
    for what in &made.missing {
        output::warning(out, &format!("not packed: {what}"));
    }
    let is_digest =
        |r: &&Redaction| r.what.source == "companion" && r.what.pointer.ends_with("/sha256");
    let digests = made.redactions.iter().filter(is_digest).map(|redaction| &redaction.value);
    let files = digests.collect::<BTreeSet<_>>().len() as u64;
    if files > 0 {
        let files = counted(files, "metadata file");
        output::warning(out, &format!("left out, for a value in it is withheld: {files}"));
    }
    warn_of_exposed(&made.exposed, out);
    if made.incomplete > 0 {
        output::warning(
            out,
            &format!(
                "{} did not meet the completeness policy when sealed: `unbroken list --incomplete`",
                counted(made.incomplete, "recording")
            ),
        );
    }
}

/// Values that were withheld and can be read elsewhere, a place each.
fn warn_of_exposed(exposed: &[Exposed], out: &Output) {
    let name = |what: &Withhold| printable(&format!("{}{}", what.source, what.pointer));
    let mut places: BTreeMap<(&Withhold, &Withhold), (u64, u64)> = BTreeMap::new();
    for Exposed { index, withheld, place } in exposed {
        let (_, times) = places.entry((withheld, place)).or_insert((*index, 0));
        *times += 1;
    }
    for ((withheld, place), (index, times)) in places {
        let is_possible = place.is_possible();
        let (withheld, place) = (name(withheld), name(place));
        let others = match times - 1 {
            0 => String::new(),
            others => format!(" and {}", counted(others, "other opening")),
        };
        let what_to_do = if is_possible {
            format!("withhold that too, with --withhold {place}")
        } else {
            "that cannot be withheld, for recordings and companions are found by it".to_owned()
        };
        let sentence = format!(
            "{withheld} is withheld, and its value can be read in {place} of entry {index}{others}: {what_to_do}"
        );
        output::warning(out, &sentence);
    }
}

/// A value to be withheld, as it was typed: source, then pointer.
fn withheld(name: &str) -> Result<Withhold, Failure> {
    let place = name.find('/').filter(|place| *place > 0);
    let Some((source, pointer)) = place.map(|place| name.split_at(place)) else {
        let sentence = format!("--withhold {}: expected SOURCE/POINTER", printable(name));
        let hint = "name it as the openings do: sidecar/participants/0/name";
        return Err(Failure::usage(sentence, hint));
    };
    Ok(Withhold { source: source.to_owned(), pointer: pointer.to_owned() })
}

/// An exhibit inside the ledger would be backed up, and perhaps published, with it.
fn refuse_own_ledger(out: &Path, ledger: &Path) -> Result<(), Failure> {
    let parent = std::path::absolute(out).ok().and_then(|out| out.parent().map(Path::to_owned));
    let parent = parent.and_then(|parent| parent.canonicalize().ok());
    match (parent, ledger.canonicalize()) {
        (Some(parent), Ok(ledger)) if parent.starts_with(&ledger) => Err(Failure::usage(
            format!("{}: this is inside the ledger", out.display()),
            "give --out a place outside the ledger's folder",
        )),
        _ => Ok(()),
    }
}
