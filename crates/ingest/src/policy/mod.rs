//! Completeness policies: what must be known of a recording, and must agree (docs/policy.md).
//!
//! A policy is a TOML file. Its text is sealed, and each recording's entry names it and says whether the
//! recording meets it.

mod again;
mod checks;
mod code;
mod facts;
mod judge;
mod read;
mod structure;

use regex_lite::Regex;
use unbroken_evidence::body::Media;

pub use self::again::{Again, again};
pub use self::code::{Code, Finding, Remark, Sort};
pub(crate) use self::facts::{Document, Facts, Own};
pub(crate) use self::judge::{Judged, judge};
use crate::glob::Glob;
use crate::layout::Role;
use crate::place::Place;
pub use crate::table::TableError;

/// A policy that was read and understood.
#[derive(Clone, Debug)]
pub struct Policy {
    name: String,
    text: String,
    fields: Vec<FieldRule>,
    companions: Vec<CompanionRule>,
    checks: Vec<CheckRule>,
}

/// The policies that come with the program: name and text.
pub const READY: [(&str, &str); 3] = [
    ("genesys-default", include_str!("ready/genesys-default.toml")),
    ("legal-discovery", include_str!("ready/legal-discovery.toml")),
    ("connect-default", include_str!("ready/connect-default.toml")),
];

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// The first line that is none, with what was expected.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        read::policy(text)
    }

    /// The ready policy of that name.
    #[must_use]
    pub fn ready(name: &str) -> Option<Self> {
        let (_, text) = READY.into_iter().find(|(known, _)| *known == name)?;
        Self::parse(text).ok()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text, as it is sealed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it asks that a recording's id stands in one conversation only: that is looked up.
    pub(crate) fn asks_for_one_conversation(&self) -> bool {
        self.checks.iter().any(|check| check.what == Check::OneConversation)
    }

    /// Whether it asks for values of the recording's own document.
    pub(crate) fn reads_the_recording(&self) -> bool {
        self.fields.iter().flat_map(|rule| &rule.from).any(Place::is_of_the_recording)
    }

    /// How long a companion may be waited for at the most.
    pub(crate) fn waits_ms(&self) -> u64 {
        self.companions.iter().map(|rule| rule.within_ms).max().unwrap_or(0)
    }

    /// How many rules it has.
    #[must_use]
    pub const fn rules(&self) -> usize {
        self.fields.len() + self.companions.len() + self.checks.len()
    }
}

/// A value that must be there.
#[derive(Clone, Debug)]
struct FieldRule {
    /// What it is called in findings.
    name: String,
    /// The places that may have it; one is enough.
    from: Vec<Place>,
    kind: Option<Kind>,
    pattern: Option<Regex>,
    values: Vec<String>,
    /// It must be there, whatever the platform's export carries: a job of the owner's writes it.
    always: bool,
    scope: Scope,
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Boolean,
    Time,
}

impl Kind {
    const ALL: [(&'static str, Self); 4] = [
        ("text", Self::Text),
        ("number", Self::Number),
        ("boolean", Self::Boolean),
        ("time", Self::Time),
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Time => "a time",
        }
    }
}

/// A companion that must be there.
#[derive(Clone, Debug)]
struct CompanionRule {
    role: Role,
    /// How long after the recording's own time it may come; 0: it must be there when the recording is.
    within_ms: u64,
    scope: Scope,
}

/// Something that must agree.
#[derive(Clone, Debug)]
struct CheckRule {
    what: Check,
    scope: Scope,
}

/// What is held against what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// The recording has bytes.
    Bytes,
    /// Path, file name and sidecar name the same conversation and recording.
    Ids,
    /// The recording's id stands in no other conversation.
    OneConversation,
    /// Declared times run forwards, and not into the future.
    Times,
    /// Members of metadata files have names.
    Names,
    /// What the container measures is as long as the metadata says, within so many seconds.
    Length { within: u64 },
    /// At least so many bytes for each declared second.
    Size { least: u64 },
    /// The container is whole; `known`: and of a form that is known here.
    Container { known: bool },
}

/// Which recordings a rule is about; a list that is empty names them all.
#[derive(Clone, Debug, Default)]
struct Scope {
    media: Vec<Media>,
    /// By name.
    layouts: Vec<String>,
    organizations: Vec<String>,
    keys: Vec<Glob>,
}

impl Scope {
    fn covers(&self, facts: &Facts<'_>) -> bool {
        let organization = |known: &String| facts.organization == Some(known);
        (self.media.is_empty() || self.media.contains(&facts.media))
            && (self.layouts.is_empty()
                || self.layouts.iter().any(|name| name == facts.layout.name()))
            && (self.organizations.is_empty() || self.organizations.iter().any(organization))
            && (self.keys.is_empty() || self.keys.iter().any(|key| key.matches(facts.key)))
    }
}

#[cfg(test)]
mod tests;
