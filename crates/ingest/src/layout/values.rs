//! What a layout knows of a recording: what stands in its key, and values that go by names that people ask by.

use unbroken_evidence::body::Media;
use unbroken_evidence::field::Value as Field;
use unbroken_evidence::time::declared_ms;
use unbroken_evidence::vocabulary::recording;

use super::template::Template;
use super::{Identity, Layout};
use crate::place::Place;

/// What a key says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said<'a> {
    /// What stands in it, by name; of time only the whole.
    pub(crate) parts: Vec<(&'static str, std::borrow::Cow<'a, str>)>,
    /// What such an object is.
    pub(crate) what: Option<&'a str>,
    pub(crate) media: Option<Media>,
}

/// The names that may be ids.
pub(super) const IDS: [&str; 3] = ["organization", "conversation", "recording"];
/// Names of which a recording has one value.
const SINGLE: [&str; 3] = ["start", "end", "direction"];
/// What a layout may give by `[[field]]`.
pub(super) const NAMES: [&str; 10] = [
    "organization",
    "conversation",
    "recording",
    "agent",
    "queue",
    "number",
    "direction",
    "wrap-up",
    "start",
    "end",
];

/// Values of one name that are sealed.
const VALUES_MAX: usize = 256;
/// Bytes of a value that is looked for; a longer one stays in its own place.
const VALUE_BYTES_MAX: usize = 1_024;

impl Said<'_> {
    fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    pub(crate) fn identity(&self) -> Identity {
        let part = |name| self.part(name).map(str::to_owned);
        let [organization, conversation, recording] = IDS.map(part);
        Identity { organization, conversation, recording, ..Identity::default() }
    }
}

impl Layout {
    /// What stands in a key: of each name what the first template that fits says.
    pub(crate) fn read_key<'a>(&'a self, key: &'a [u8]) -> Said<'a> {
        let mut said = Said::default();
        for rule in &self.0.keys {
            let Some(parts) = rule.template.read(key) else { continue };
            said.what = said.what.or(rule.what.as_deref());
            said.media = said.media.or(rule.media);
            let start = time(&parts).map(|start| ("start", start.into()));
            let is_time = |name: &str| TIME.contains(&name);
            let parts = parts.into_iter().filter(|(name, _)| !is_time(name));
            for (name, value) in parts.map(|(name, value)| (name, value.into())).chain(start) {
                if said.part(name).is_none() {
                    said.parts.push((name, value));
                }
            }
        }
        said
    }

    /// Who and what an object of this key is.
    pub(crate) fn identity_of(&self, key: &[u8]) -> Identity {
        self.read_key(key).identity()
    }

    /// What is sealed of a recording beside its ids; `at` gives the texts at a place. Ids that nobody told yet
    /// are put into `identity`. `None` where the layout says of no recording more than its ids.
    pub(crate) fn values(
        &self,
        key: &[u8],
        identity: &mut Identity,
        at: &dyn Fn(&Place) -> Vec<String>,
    ) -> Option<Vec<Field>> {
        if !self.0.says_values {
            return None;
        }
        let said = self.read_key(key);
        let mut values: Vec<(&'static str, String)> =
            said.parts.iter().map(|(name, value)| (*name, value.clone().into_owned())).collect();
        for rule in &self.0.fields {
            // Beyond the first place that has one nobody is asked.
            let mut places = rule.from.iter().map(|place| {
                let found = at(place).into_iter();
                found.filter(|text| is_value(text)).collect::<Vec<_>>()
            });
            for text in places.find(|found| !found.is_empty()).unwrap_or_default() {
                values.push((rule.name, as_written(rule.time.as_ref(), text)));
            }
        }
        values.retain(|(_, value)| is_value(value));
        let mut fields = Vec::new();
        fields.extend(said.what.map(|what| Field::string(recording::SOURCE, "/what", what)));
        for name in NAMES {
            let mut of_name = Vec::new();
            for (_, value) in values.iter().filter(|(known, _)| *known == name) {
                if !of_name.contains(value) && of_name.len() < VALUES_MAX {
                    of_name.push(value.clone());
                }
            }
            let first = of_name.first().cloned();
            let of_name = of_name.iter().enumerate();
            match name {
                "organization" => identity.organization = identity.organization.take().or(first),
                "conversation" => identity.conversation = identity.conversation.take().or(first),
                "recording" => identity.recording = identity.recording.take().or(first),
                _ if SINGLE.contains(&name) => fields
                    .extend(first.map(|value| {
                        Field::string(recording::SOURCE, &format!("/{name}"), &value)
                    })),
                _ => fields.extend(of_name.map(|(number, value)| {
                    Field::string(recording::SOURCE, &format!("/{name}/{number}"), value)
                })),
            }
        }
        Some(fields)
    }
}

/// An empty text says nothing, and a very long one is no name.
fn is_value(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= VALUE_BYTES_MAX
}

/// The parts of a time; seconds may be left out.
pub(super) const TIME: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];

/// The time, in UTC, that these parts are; `None` where it is none.
fn time(parts: &[(&'static str, &str)]) -> Option<String> {
    let part = |name: &str| parts.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
    let [year, month, day, hour, minute, second] = TIME.map(part);
    let (year, month, day) = (year?, month?, day?);
    let (hour, minute, second) = (hour?, minute?, second.unwrap_or("00"));
    let text = format!("{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute:0>2}:{second:0>2}Z");
    declared_ms(&text).map(|_| text)
}

/// A text, or the time that it is by a template; what is none stays as it is, and is told as that.
fn as_written(template: Option<&Template>, text: String) -> String {
    let parts = template.and_then(|template| template.read(text.as_bytes()));
    parts.and_then(|parts| time(&parts)).unwrap_or(text)
}
