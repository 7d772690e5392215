//! What a producer says that it asked for, and which runs saw what there was (spec/exhibit.md, X23).

use std::collections::BTreeMap;

use crate::error::printable;

/// How many answered, of how many, how many could not be asked, and of how many it is not known when they began.
const ANSWERED: [&str; 4] = ["/answer", "/recordings", "/not-asked", "/start-unknown"];
/// Words that are about runs and not about what was asked.
const RUNS: [&str; 4] = ["runs", "runs-not-finished", "pass", "no-pass"];
/// What was asked for, as far as a verdict repeats it.
const SHOWN: usize = 6;

/// The word that a pointer begins with.
fn word(pointer: &str) -> &str {
    pointer.trim_start_matches('/').split('/').next().unwrap_or_default()
}

/// The first few of what was asked for, and how much of the ledger answered.
pub(super) fn asked(said: &BTreeMap<String, String>) -> Option<String> {
    let is_beside = |pointer: &str| ANSWERED.contains(&pointer) || RUNS.contains(&word(pointer));
    let mut asked = said.iter().filter(|(pointer, _)| !is_beside(pointer));
    let shown: Vec<String> = asked
        .by_ref()
        .take(SHOWN)
        // The number behind a word only tells it from the next.
        .map(|(pointer, text)| match word(pointer) {
            "all" => text.clone(),
            word => format!("{word} {text}"),
        })
        .collect();
    let more = match asked.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let [answer, recordings, not_asked, no_start] = ANSWERED.map(|pointer| said.get(pointer));
    let counts = answer.zip(recordings).zip(not_asked).map(|((answer, all), unknown)| {
        format!("; {answer} of {all} recordings answered, and {unknown} could not be asked")
    });
    let no_start = no_start
        .map_or_else(String::new, |count| format!("; of {count} it was not known when they began"));
    let counts = counts.unwrap_or_default();
    let sentence = format!("it asked for: {}{more}{counts}{no_start}", shown.join(", "));
    (!shown.is_empty()).then(|| printable(&sentence))
}

/// Which runs saw what there was in the time that was asked about.
pub(super) fn runs(said: &BTreeMap<String, String>) -> Option<String> {
    let of = |wanted: &str| -> Vec<&str> {
        let of_it = said.iter().filter(|(pointer, _)| word(pointer) == wanted);
        of_it.map(|(_, text)| text.as_str()).collect()
    };
    let named = |values: &[&str]| {
        let shown = values.get(..values.len().min(SHOWN)).unwrap_or_default().join(", ");
        match values.len() - values.len().min(SHOWN) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    };
    let (passes, none) = (of("pass"), of("no-pass"));
    let runs = said.get("/runs").zip(said.get("/runs-not-finished"));
    let began = runs.map(|(runs, not)| {
        format!("runs that began in that time: {runs}, of which {not} did not come to their end")
    });
    let listed = (!passes.is_empty()).then(|| {
        format!("what was there behind it is listed by the runs of entries {}", named(&passes))
    });
    let not = (!none.is_empty())
        .then(|| format!("no run saw the whole source behind it of: {}", named(&none)));
    let parts: Vec<String> = [began, listed, not].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| printable(&parts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(values: &[(&str, &str)]) -> BTreeMap<String, String> {
        values.iter().map(|(pointer, text)| ((*pointer).to_owned(), (*text).to_owned())).collect()
    }

    // spec: X23
    #[test]
    fn what_was_asked_and_which_runs_saw_it_are_two_sentences() {
        let counts = [("/answer", "1"), ("/recordings", "4"), ("/not-asked", "0")];
        let question = [&[("/where", "agent = a"), ("/from", "2026-03-01")], &counts[..]].concat();
        let of_four = "1 of 4 recordings answered, and 0 could not be asked";
        let sentence = format!("it asked for: from 2026-03-01, where agent = a; {of_four}");
        assert_eq!(asked(&said(&question)), Some(sentence));
        assert_eq!(runs(&said(&question)), None);
        let listed =
            [("/runs", "9"), ("/runs-not-finished", "2"), ("/pass/0", "7"), ("/pass/1", "12")];
        let began = "runs that began in that time: 9, of which 2 did not come to their end";
        let behind = "what was there behind it is listed by the runs of entries 7, 12";
        assert_eq!(runs(&said(&listed)), Some(format!("{began}; {behind}")));
        assert_eq!(asked(&said(&listed)), None, "nothing was asked");
        let none = said(&[("/no-pass/0", "s3://a")]);
        let whole = "no run saw the whole source behind it of: s3://a";
        assert_eq!(runs(&none).as_deref(), Some(whole));
    }

    // spec: A6
    #[test]
    fn of_many_the_first_few_are_named_and_the_others_counted() {
        let ids: Vec<String> = (0..9).map(|number| format!("/pass/{number}")).collect();
        let many: BTreeMap<String, String> =
            ids.into_iter().map(|id| (id, "1".to_owned())).collect();
        assert!(runs(&many).unwrap().ends_with("1, 1, 1, 1, 1, 1 and 3 more"));
        let ids: Vec<String> = (0..9).map(|number| format!("/index/{number}")).collect();
        let many: BTreeMap<String, String> =
            ids.into_iter().map(|id| (id, "1".to_owned())).collect();
        assert!(asked(&many).unwrap().ends_with("index 1, index 1, and 3 more"));
        assert!(asked(&said(&[("/where", "\u{7}")])).unwrap().is_ascii());
    }
}
