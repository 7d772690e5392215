//! Scope: what the exhibit says it shows, against what it shows (V19, V20; spec/exhibit.md).

use std::collections::{BTreeMap, BTreeSet};

use crate::body::Subject;
use crate::hash::Hash;
use crate::judge::asked::{asked, runs};
use crate::judge::findings::Findings;
use crate::judge::history::History;
use crate::judge::reading::{MANIFEST, Reading};
use crate::left_out::LeftOut;
use crate::limits::MANIFEST_BYTES_MAX;
use crate::opening::VerifiedOpening;
use crate::package::Stop;
use crate::produced::{COVERED, Produced};
use crate::step::Step;
use crate::time::Time;
use crate::verdict::Fault;

const NOT_SHOWN: &str = "not shown, or it cannot be read";

/// Whose the manifest is: what is not in it was left out by the producer only where it is the signed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// It is the one that the `produced` entry states.
    Signed,
    /// It is another.
    Other,
    /// No such entry could be read.
    Unknown,
}

/// The `produced` entries that were seen.
#[derive(Default)]
pub(crate) struct Scope {
    seen: Vec<(u64, Time)>,
    said: Option<Produced>,
    /// An opening of it is there and not wholly shown, or its lists have another form: that was said.
    is_unfit: bool,
}

impl Scope {
    /// A `produced` entry, judged, and its opening.
    pub(crate) fn entry(
        &mut self,
        (index, at): (u64, Time),
        opening: Option<&VerifiedOpening>,
        findings: &mut Findings,
    ) {
        self.seen.push((index, at));
        let item = format!("entry {index}");
        let Some(opening) = opening else { return };
        let hidden = opening.closed() + opening.withheld().count();
        if hidden > 0 {
            let found = format!("{hidden} closed or withheld");
            findings.contradicted(Step::Produced, &item, "every position opened", &found);
            // What is not in its lists may stand in those that it hides.
            self.is_unfit = true;
        }
        match Produced::read(opening) {
            Ok(said) => self.said = Some(said),
            Err(field) => {
                let expected = "/<subject>/<part> and /<part> of ascending indices";
                findings.contradicted(Step::Items, &item, expected, &field);
                self.is_unfit = true;
            }
        }
    }

    /// Whether what the producer declares was read.
    pub(crate) const fn is_declared(&self) -> bool {
        self.said.is_some()
    }

    /// What the producer says that it asked for, and which runs saw what there was.
    pub(crate) fn asked(&self) -> Vec<String> {
        let said = self.said.as_ref().map(|said| &said.selection);
        said.into_iter().flat_map(|said| [asked(said), runs(said)]).flatten().collect()
    }

    /// Why files are not packed, as the producer says.
    pub(crate) fn left_out(&mut self) -> LeftOut {
        self.said.as_mut().map(|said| std::mem::take(&mut said.left_out)).unwrap_or_default()
    }

    /// The one entry that closes the exhibit, and when its signer's clock says it was made.
    pub(crate) fn closed(&self) -> Option<(u64, Time)> {
        if let [one] = self.seen.as_slice() { Some(*one) } else { None }
    }

    /// V19 and V20: exactly one, the last entry of the log, listing what is shown. Says whose the list of
    /// files is.
    pub(crate) fn judge(
        &self,
        size: Option<u64>,
        history: &History,
        reading: &mut Reading<'_>,
        findings: &mut Findings,
    ) -> Result<Listed, Stop> {
        let unknown = Ok(Listed::Unknown);
        if self.seen.is_empty() && history.last_is_unknown() {
            let why = "the last entry, which may close the exhibit, was not judged";
            findings.not_established(Step::Produced, "exhibit", why);
            findings.ran(&[Step::Produced, Step::Items]);
            return unknown;
        }
        let [(index, _)] = self.seen.as_slice() else {
            let shown: Vec<String> = self.seen.iter().map(|(index, _)| index.to_string()).collect();
            let found =
                if shown.is_empty() { "none that was judged".to_owned() } else { shown.join(", ") };
            let expected = "exactly one `produced` entry";
            findings.contradicted(Step::Produced, "exhibit", expected, &found);
            findings.ran(&[Step::Produced, Step::Items]);
            return unknown;
        };
        let item = format!("entry {index}");
        if let Some(size) = size {
            let expected = format!("a checkpoint of size {}", index.saturating_add(1));
            let holds = index.checked_add(1) == Some(size);
            findings.check(holds, Step::Produced, &item, &expected, &size.to_string());
        }
        let mut listed = Listed::Unknown;
        match &self.said {
            Some(said) => {
                listed = covers(said, reading, findings)?;
                if self.is_unfit {
                    let why = "its lists are not wholly shown: they were held against nothing";
                    findings.not_established(Step::Items, &item, why);
                } else {
                    subjects(said, history, findings);
                    shown(said, *index, history, findings);
                }
            }
            None if self.is_unfit => {}
            None => {
                let path = format!("ledger/openings/{index}.json");
                let expected = format!("an opening that agrees with entry {index}");
                findings.contradicted(Step::Produced, &path, &expected, "none");
            }
        }
        findings.ran(&[Step::Produced, Step::Items]);
        Ok(listed)
    }
}

/// V19: the bag's files have the digests that the entry states.
fn covers(
    said: &Produced,
    reading: &mut Reading<'_>,
    findings: &mut Findings,
) -> Result<Listed, Stop> {
    let mut listed = Listed::Unknown;
    for path in COVERED {
        let stated = said.files.get(path);
        let mut found = None;
        if reading.has(path) {
            let bytes = reading.load(path, MANIFEST_BYTES_MAX, Step::Produced, findings)?;
            found = bytes.map(|bytes| Hash::of(&[&bytes]));
        }
        let holds = match (stated, found) {
            (Some(Some(stated)), Some(found)) => *stated == found,
            (Some(None), None) => path == "fetch.txt",
            _ => false,
        };
        let text =
            |digest: Option<Hash>| digest.map_or_else(|| "no file".into(), |d| d.to_string());
        if path == "fetch.txt" && !holds && stated.is_some() {
            // Nobody signed that what it names was left out.
            reading.fetched.clear();
        }
        if path == MANIFEST {
            listed = match found {
                _ if holds => Listed::Signed,
                None => Listed::Unknown,
                Some(_) => Listed::Other,
            };
        }
        if holds {
            findings.held(Step::Produced);
        } else if let Some(stated) = stated {
            if found.is_none() && reading.has(path) {
                continue;
            }
            // What the entry says is signed; the file around the evidence is another.
            let found = text(found);
            let expected = text(*stated);
            findings.blamed(Fault::Package, Step::Produced, path, &expected, &found);
        } else {
            findings.contradicted(Step::Produced, path, "what the entry says of it", "nothing");
        }
    }
    Ok(listed)
}

/// V20: the whole history of each shown subject.
fn subjects(said: &Produced, history: &History, findings: &mut Findings) {
    let mut shown: BTreeMap<Subject, Vec<u64>> = BTreeMap::new();
    for (subject, index) in history.of_subjects() {
        shown.entry(subject).or_default().push(index);
    }
    let subjects: BTreeSet<&Subject> = said.subjects.keys().chain(shown.keys()).collect();
    for subject in subjects {
        // Of an entry that cannot be read nobody knows what it is about.
        let listed = said.subjects.get(subject).into_iter().flatten();
        let listed: Vec<u64> =
            listed.filter(|index| !history.hides_its_subject(**index)).copied().collect();
        let found = shown.get(subject).map(Vec::as_slice).unwrap_or_default();
        let item = format!("subject {subject}");
        let (expected, text) = (format!("entries {listed:?}"), format!("{found:?}"));
        findings.check(listed == found, Step::Items, &item, &expected, &text);
        // What lies below every shown one supersedes none of them.
        let above = |index: &&u64| found.first().is_some_and(|first| *index > first);
        let not_here = listed.iter().find(|index| above(index) && !history.is_shown(**index));
        if let Some(index) = not_here {
            let why =
                format!("entry {index} about it is listed and not here: it may supersede another");
            findings.not_established(Step::Succession, &item, &why);
        }
    }
}

/// V20: every shown entry, those without a subject too.
fn shown(said: &Produced, own: u64, history: &History, findings: &mut Findings) {
    let mut listed: BTreeSet<u64> = said.shown.iter().copied().collect();
    if listed.remove(&own) {
        let item = format!("entry {own}");
        let expected = "the list of shown entries without the entry that states it";
        findings.contradicted(Step::Items, &item, expected, "its own index in it");
    }
    let shown: BTreeSet<u64> = history.shown().filter(|index| *index != own).collect();
    for index in listed.difference(&shown) {
        let item = format!("entry {index}");
        findings.contradicted(Step::Items, &item, "shown, as the exhibit says", NOT_SHOWN);
    }
    for index in shown.difference(&listed) {
        let item = format!("entry {index}");
        let expected = "in the list of entries that the exhibit shows";
        findings.contradicted(Step::Items, &item, expected, "not in it");
    }
    if listed == shown {
        findings.held(Step::Items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::exhibit::verify_exhibit;
    use crate::judge::testing::{anchor, exhibit, found_in};

    // spec: A10 X17 X21
    #[test]
    fn what_closes_an_exhibit_is_said_with_its_time_and_each_list_is_held() {
        let verdict = verify_exhibit(&mut exhibit("good"), &anchor(), 1).unwrap();
        let (index, at) = verdict.produced().unwrap();
        assert_eq!((index, at.to_string().as_str()), (8, "2026-11-20T07:00:08.123Z"));
        // Two recordings, and the list of what is shown.
        assert_eq!(verdict.tally(Step::Items).held, 3);
        let verdict = verify_exhibit(&mut exhibit("amendment-left-out"), &anchor(), 1).unwrap();
        assert_eq!(verdict.tally(Step::Items).held, 1);
    }

    // spec: X15 X16 X18
    #[test]
    fn an_exhibit_that_nothing_closes_has_no_scope() {
        let mut package = exhibit("good");
        for ending in ["note", "tlog-proof"] {
            package.remove(&format!("ledger/entries/8.{ending}"));
        }
        let found = found_in(&mut package);
        let none = "V19! exhibit: expected exactly one `produced` entry; none that was judged";
        assert!(found.contains(&none.to_owned()), "{found:?}");
        assert!(!found.iter().any(|line| line.starts_with("V20")), "{found:?}");
    }

    // spec: X16
    #[test]
    fn what_closes_an_exhibit_states_the_digests_of_its_lists() {
        let mut package = exhibit("good");
        let manifest = package.bytes("manifest-sha256.txt").unwrap().to_vec();
        package.insert("manifest-sha256.txt", [&manifest[..], b"\n"].concat());
        let found = found_in(&mut package);
        let stated = |line: &&String| line.starts_with("V19! manifest-sha256.txt: expected ");
        assert_eq!(found.iter().filter(stated).count(), 1, "{found:?}");
        // Which digest the file has is said, unless it cannot be read.
        let of_info = |found: Vec<String>| {
            let line = found.iter().rfind(|line| line.starts_with("V19! bag-info.txt: "));
            line.unwrap().rsplit_once("; ").unwrap().1.to_owned()
        };
        let mut package = exhibit("bagging-date");
        let digest = Hash::of(&[package.bytes("bag-info.txt").unwrap()]);
        assert_eq!(of_info(found_in(&mut package)), digest.to_string());
        package.damage("bag-info.txt");
        let unread = found_in(&mut package);
        assert!(unread.contains(&"V19? bag-info.txt: it cannot be read".to_owned()), "{unread:?}");
        assert!(!unread.iter().any(|line| line.starts_with("V19!")), "one fault is found once");
        package.remove("bag-info.txt");
        assert_eq!(of_info(found_in(&mut package)), "no file");
    }

    // spec: X18
    #[test]
    fn an_opening_that_is_missing_is_said_and_one_that_is_unfit_is_said_once() {
        const NONE: &str =
            "V19! ledger/openings/8.json: expected an opening that agrees with entry 8; none";
        let has = |name: &str| found_in(&mut exhibit(name)).iter().any(|line| line == NONE);
        assert!(has("produced-opening-removed"));
        assert!(!has("produced-not-wholly-opened") && !has("items-not-ascending"));
    }

    // spec: X17 X21
    #[test]
    fn what_is_listed_is_shown_and_what_is_shown_is_listed() {
        let found = found_in(&mut exhibit("amendment-left-out"));
        for line in [
            "V20! entry 7: expected shown, as the exhibit says; not shown, or it cannot be read",
            "V20! subject a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1: expected entries [2, 6, 7]; [2, 6]",
        ] {
            assert!(found.contains(&line.to_owned()), "{line}: {found:?}");
        }
    }

    // spec: X23
    #[test]
    fn what_was_asked_for_is_said_where_the_producer_states_it() {
        let said = |selection: &[(&str, &str)]| {
            let pair = |(pointer, text): &(&str, &str)| ((*pointer).to_owned(), (*text).to_owned());
            let said = Produced { selection: selection.iter().map(pair).collect(), ..nothing() };
            Scope { said: Some(said), ..Scope::default() }.asked()
        };
        assert_eq!(said(&[]), [""; 0]);
        let [one] = &said(&[("/where", "agent = A")])[..] else { panic!("one sentence") };
        assert!(one.contains("agent = A"), "{one}");
    }

    fn nothing() -> Produced {
        Produced {
            files: BTreeMap::new(),
            subjects: BTreeMap::new(),
            shown: vec![],
            left_out: LeftOut::default(),
            selection: BTreeMap::new(),
        }
    }
}
