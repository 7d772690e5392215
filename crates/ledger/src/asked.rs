//! By what people ask for recordings: the names that they use, and where the values of each stand in an opening.
//!
//! Each value of a name that many ask by is a lookup, and so is the day on which a recording began: a question
//! about one of them does not have to go through every opening.

use unbroken_evidence::field::Value;
use unbroken_evidence::time::declared_ms;

use crate::lookup::Lookup;

/// A name that people ask by.
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    /// As it is typed.
    pub name: &'static str,
    /// Where its values stand: a source and a pointer, in which `*` stands for one name.
    pub places: &'static [(&'static str, &'static str)],
    /// What its values are lookups of, if they are.
    lookup: Option<Lookup>,
}

const fn known(
    name: &'static str,
    lookup: Option<Lookup>,
    places: &'static [(&'static str, &'static str)],
) -> Known {
    Known { name, places, lookup }
}

const SIDECAR: &str = "sidecar";
/// What the layout says.
const LAYOUT: &str = "recording";

/// Names of values, with the places that may have them.
pub static KNOWN: [Known; 12] = [
    known(
        "agent",
        Some(Lookup::Value),
        &[
            (SIDECAR, "/userIds/*"),
            (SIDECAR, "/users/*/id"),
            (SIDECAR, "/agentId"),
            (LAYOUT, "/agent/*"),
        ],
    ),
    known(
        "queue",
        Some(Lookup::Value),
        &[
            (SIDECAR, "/queueIds/*"),
            (SIDECAR, "/queueId"),
            (SIDECAR, "/queueName"),
            (LAYOUT, "/queue/*"),
        ],
    ),
    known(
        "number",
        Some(Lookup::Value),
        &[
            (SIDECAR, "/ani"),
            (SIDECAR, "/dnis"),
            (SIDECAR, "/from"),
            (SIDECAR, "/to"),
            (SIDECAR, "/participants/*/ani"),
            (SIDECAR, "/participants/*/dnis"),
            (SIDECAR, "/participants/*/address"),
            (LAYOUT, "/number/*"),
        ],
    ),
    known(
        "direction",
        None,
        &[(SIDECAR, "/initialDirection"), (SIDECAR, "/direction"), (LAYOUT, "/direction")],
    ),
    known(
        "wrap-up",
        Some(Lookup::Value),
        &[
            (SIDECAR, "/wrapUpCodes/*"),
            (SIDECAR, "/wrapUpCode"),
            (SIDECAR, "/wrapup"),
            (LAYOUT, "/wrap-up/*"),
        ],
    ),
    known("start", None, &[(SIDECAR, "/startTime"), (LAYOUT, "/start")]),
    known("end", None, &[(SIDECAR, "/endTime"), (LAYOUT, "/end")]),
    known(
        "conversation",
        Some(Lookup::Conversation),
        &[(LAYOUT, "/conversation"), (LAYOUT, "/path/conversation")],
    ),
    known("recording", Some(Lookup::Recording), &[(LAYOUT, "/id"), (LAYOUT, "/path/id")]),
    known("organization", None, &[(LAYOUT, "/organization")]),
    known("source", None, &[("object", "/bucket")]),
    known("key", None, &[("object", "/key")]),
];

impl Known {
    /// The name, if it is known.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        KNOWN.iter().find(|known| known.name == name)
    }

    /// Whether a value that stands there is one of its values.
    #[must_use]
    pub fn is_at(&self, source: &str, pointer: &str) -> bool {
        self.places.iter().any(|(of, at)| *of == source && is_at(at, pointer))
    }

    /// Entries that may have this value lie behind this lookup; `None` where its values are no lookups.
    #[must_use]
    pub fn lookup(&self, value: &str) -> Option<i64> {
        self.lookup.map(|lookup| match lookup {
            Lookup::Value => {
                lookup.prefix(&[self.name.as_bytes(), b"\n", value.as_bytes()].concat())
            }
            other => other.prefix(value.as_bytes()),
        })
    }
}

/// Whether a pointer is the wanted one, in which `*` stands for one name.
#[must_use]
pub fn is_at(wanted: &str, pointer: &str) -> bool {
    // Most pointers differ in their first letter.
    let first = wanted.as_bytes().get(1);
    if first != Some(&b'*') && first != pointer.as_bytes().get(1) {
        return false;
    }
    let (mut wanted, mut found) = (wanted.split('/'), pointer.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

/// The day of a time in milliseconds since 1970, in UTC.
#[must_use]
pub const fn day_of(ms: i64) -> i64 {
    ms.div_euclid(86_400_000)
}

/// Recordings that began on this day lie behind this lookup; without one, those of which no start is known.
#[must_use]
pub fn began_on(day: Option<i64>) -> i64 {
    let day = day.map_or_else(|| "unknown".to_owned(), |day| day.to_string());
    Lookup::Value.prefix(&[b"day\n", day.as_bytes()].concat())
}

/// The lookups of a recording that says all this.
#[must_use]
pub fn lookups<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<i64> {
    let mut lookups = Vec::new();
    let mut began = Vec::new();
    // Ids are lookups of their own already, and what is no lookup is not looked for, but for the start.
    let is_meant = |known: &&Known| known.lookup == Some(Lookup::Value) || known.name == "start";
    for value in values.filter(|value| [SIDECAR, LAYOUT].contains(&value.source.as_str())) {
        for known in KNOWN.iter().filter(is_meant) {
            if !known.is_at(&value.source, &value.pointer) {
                continue;
            }
            match known.lookup(&value.value) {
                Some(lookup) => lookups.push(lookup),
                None => began.extend(declared_ms(&value.value).map(day_of)),
            }
        }
    }
    match began.as_slice() {
        [] => lookups.push(began_on(None)),
        days => lookups.extend(days.iter().map(|day| began_on(Some(*day)))),
    }
    lookups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_name_and_for_no_more() {
        assert!(is_at("/userIds/*", "/userIds/0") && is_at("/a", "/a"));
        assert!(!is_at("/userIds/*", "/userIds") && !is_at("/userIds/*", "/userIds/0/x"));
        assert!(!is_at("/userIds/*", "/queueIds/0"));
    }

    #[test]
    fn values_that_are_asked_for_are_lookups_and_others_are_not() {
        let value = |pointer: &str, value: &str| Value::string(SIDECAR, pointer, value);
        let all = lookups(
            [
                value("/userIds/0", "u-1"),
                value("/userIds/1", "u-2"),
                value("/initialDirection", "inbound"),
                value("/startTime", "2026-03-17T23:30:00.000-0100"),
            ]
            .iter(),
        );
        let agent = Known::find("agent").unwrap();
        let day = day_of(declared_ms("2026-03-18T00:30:00Z").unwrap());
        let wanted = [agent.lookup("u-1"), agent.lookup("u-2"), Some(began_on(Some(day)))];
        assert_eq!(all.into_iter().map(Some).collect::<Vec<_>>(), wanted);
        let by_layout = [
            Value::string(LAYOUT, "/agent/0", "u-1"),
            Value::string(LAYOUT, "/start", "2026-03-18T00:30:00Z"),
        ];
        let all = lookups(by_layout.iter()).into_iter().map(Some);
        assert_eq!(all.collect::<Vec<_>>(), [agent.lookup("u-1"), Some(began_on(Some(day)))]);
        assert_eq!(Known::find("direction").unwrap().lookup("inbound"), None);
        assert_eq!(lookups([value("/startTime", "yesterday")].iter()), [began_on(None)]);
        assert_eq!(day_of(-1), -1);
    }
}
