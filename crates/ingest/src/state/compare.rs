//! Two states of an object, compared: what its newest entry says, and what its source says now.

use std::collections::BTreeMap;

use unbroken_evidence::error::printable;
use unbroken_evidence::field::pointer_segment;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::vocabulary::object_lock;

use crate::source::Attribute;

/// Source and pointer of a field.
pub(super) type Name = (String, String);
/// Fields of the sources that a state is of, and their values.
pub(super) type State = BTreeMap<Name, String>;

const TAGS: &str = "s3-tag";
const READABLE: &str = "s3-readable";
const YES: &str = "yes";

fn is_of_a_state(source: &str) -> bool {
    matches!(source, TAGS | READABLE | object_lock::SOURCE)
}

/// The state that an entry says.
pub(super) fn kept(opening: &Opening) -> State {
    let values = opening.fields().map(|field| &field.value);
    let values = values.filter(|value| is_of_a_state(&value.source));
    values.map(|v| ((v.source.clone(), v.pointer.clone()), v.value.clone())).collect()
}

/// The state that a source says.
pub(super) fn state(attributes: &[Attribute]) -> State {
    let of =
        |one: &Attribute| ((one.source.to_owned(), pointer_segment(&one.name)), one.value.clone());
    attributes.iter().filter(|one| is_of_a_state(one.source)).map(of).collect()
}

/// Whether a legal hold is on.
pub(super) fn is_held(state: &State) -> bool {
    let hold = (object_lock::SOURCE.to_owned(), object_lock::LEGAL_HOLD.to_owned());
    state.get(&hold).is_some_and(|status| status == "ON")
}

/// Whether a state says that this field would be in it if there were one.
fn tells(state: &State, name: &Name) -> bool {
    tells_part(state, part_of(name))
}

const PARTS: [&str; 3] = ["/tags", "/legal-hold", "/retention"];

/// The part of a state that a field belongs to.
fn part_of((source, pointer): &Name) -> &str {
    match (source.as_str(), pointer.as_str()) {
        (READABLE, what) => what,
        (TAGS, _) => "/tags",
        (_, object_lock::LEGAL_HOLD) => "/legal-hold",
        _ => "/retention",
    }
}

fn tells_part(state: &State, part: &str) -> bool {
    state.get(&(READABLE.to_owned(), part.to_owned())).is_some_and(|readable| readable == YES)
}

/// Whether every part of it could be read.
pub(super) fn tells_all(state: &State) -> bool {
    PARTS.into_iter().all(|part| tells_part(state, part))
}

/// Whether it would say that a hold is on.
pub(super) fn tells_of_holds(state: &State) -> bool {
    tells_part(state, "/legal-hold")
}

/// Adds to a state what an older one says of the parts that it does not tell.
pub(super) fn add_older(state: &mut State, older: State) {
    let missing: Vec<&str> = PARTS.into_iter().filter(|part| !tells_part(state, part)).collect();
    for part in missing.into_iter().filter(|part| tells_part(&older, part)) {
        state.extend(
            older
                .iter()
                .filter(|(name, _)| part_of(name) == part)
                .map(|(n, v)| (n.clone(), v.clone())),
        );
    }
}

/// One field that is another now, was not there before, or is not there any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) name: Name,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    /// Whether it could be read before: otherwise nobody knows what it was.
    was_told: bool,
}

/// The fields that differ. What may not be read now is no change: its absence proves nothing.
pub(super) fn changes(then: &State, now: &State) -> Vec<Change> {
    let mut names: Vec<&Name> = then.keys().chain(now.keys()).collect();
    names.sort();
    names.dedup();
    let told = names.into_iter().filter(|name| tells(now, name));
    let changes = told.map(|name| Change {
        name: name.clone(),
        before: then.get(name).cloned(),
        after: now.get(name).cloned(),
        was_told: tells(then, name),
    });
    changes.filter(|change| change.before != change.after).collect()
}

/// What is said of changes: the hold first, for that is what it is about.
pub(super) fn said(changes: &[Change]) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not there".to_owned());
    let mut parts: Vec<String> = changes
        .iter()
        .filter(|change| change.name.0 != READABLE)
        .map(|Change { name: (source, pointer), before, after, was_told }| {
            let before = if *was_told { shown(before) } else { "not known".to_owned() };
            format!("{source}{pointer} was {before}, and is {}", shown(after))
        })
        .collect();
    if parts.is_empty() {
        parts.push("what was not known of tags, lock or hold before: none is there".to_owned());
    }
    parts.sort_by_key(|part| !part.starts_with("object-lock/legal-hold"));
    printable(&parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[(&str, &str, &str)]) -> State {
        let field = |(source, pointer, value): &(&str, &str, &str)| {
            (((*source).to_owned(), (*pointer).to_owned()), (*value).to_owned())
        };
        fields.iter().map(field).collect()
    }

    const TOLD: (&str, &str, &str) = (READABLE, "/legal-hold", YES);
    const DENIED: (&str, &str, &str) = (READABLE, "/legal-hold", "no: s3:GetObjectLegalHold");
    const ON: (&str, &str, &str) = ("object-lock", "/legal-hold", "ON");
    const OFF: (&str, &str, &str) = ("object-lock", "/legal-hold", "OFF");

    #[test]
    fn what_differs_is_told_and_what_may_not_be_read_is_no_change() {
        for (then, now, expected) in [
            (vec![TOLD, ON], vec![TOLD, ON], None),
            (vec![TOLD, ON], vec![TOLD, OFF], Some("object-lock/legal-hold was ON, and is OFF")),
            (vec![TOLD, ON], vec![TOLD], Some("object-lock/legal-hold was ON, and is not there")),
            (vec![TOLD], vec![TOLD, ON], Some("object-lock/legal-hold was not there, and is ON")),
            (vec![DENIED], vec![TOLD, ON], Some("object-lock/legal-hold was not known, and is ON")),
            (
                vec![DENIED],
                vec![TOLD],
                Some("what was not known of tags, lock or hold before: none is there"),
            ),
            (vec![TOLD, ON], vec![DENIED], None),
            (vec![DENIED], vec![DENIED], None),
        ] {
            let changes = changes(&of(&then), &of(&now));
            let said = (!changes.is_empty()).then(|| said(&changes));
            assert_eq!(said.as_deref(), expected, "{then:?} {now:?}");
        }
    }

    /// What an entry could not read, an older one may have told: it is not forgotten.
    #[test]
    fn of_each_part_the_newest_that_could_read_it_counts() {
        let tag = |value| (TAGS, "/matter", value);
        let tags = (READABLE, "/tags", YES);
        let mut told = of(&[DENIED, tags, tag("M-18")]);
        assert!(!tells_all(&told));
        add_older(&mut told, of(&[TOLD, ON, tags, tag("M-17"), (TAGS, "/old", "x")]));
        assert_eq!(told, of(&[TOLD, ON, tags, tag("M-18")]));
        let now = of(&[TOLD, OFF, tags, tag("M-18")]);
        assert_eq!(said(&changes(&told, &now)), "object-lock/legal-hold was ON, and is OFF");
    }
}
