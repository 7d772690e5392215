//! Layouts: which objects belong to one recording, and what their names and contents say (docs/layouts.md).
//!
//! A layout is a TOML file. What the program knows of a platform's arrangement stands in those that come with it.

mod folder;
mod read;
mod template;
mod values;

use std::fmt;
use std::sync::{Arc, LazyLock};

use unbroken_evidence::body::Media;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::json::Value;

pub(crate) use self::folder::Folder;
use self::template::Template;
use crate::glob::Glob;
use crate::group::{folder_of, name_of};
use crate::near::spelling;
use crate::place::{Place, look};
use crate::table::TableError;

/// How objects are arranged. It is cheap to clone.
#[derive(Clone)]
pub struct Layout(Arc<Rules>);

/// The layouts that come with the program: name and text.
pub const READY: [(&str, &str); 3] = [
    ("genesys-cloud", include_str!("ready/genesys-cloud.toml")),
    ("amazon-connect", include_str!("ready/amazon-connect.toml")),
    ("plain", include_str!("ready/plain.toml")),
];

static PARSED: LazyLock<Vec<Layout>> =
    LazyLock::new(|| READY.into_iter().filter_map(|(_, text)| read::layout(text).ok()).collect());

/// What a layout says.
#[derive(Default)]
struct Rules {
    name: String,
    text: String,
    policy: Option<String>,
    /// Objects of one folder belong together.
    in_folders: bool,
    keys: Vec<KeyRule>,
    /// The names in a sidecar that may say the medium.
    media_from: Vec<Place>,
    media: Vec<MediaRule>,
    companions: Vec<CompanionRule>,
    documents: Vec<DocumentRule>,
    fields: Vec<FieldRule>,
    /// Keys or fields say more than ids.
    says_values: bool,
    not_offered: Vec<NotOffered>,
}

/// What stands in a key.
struct KeyRule {
    template: Template,
    what: Option<String>,
    media: Option<Media>,
}

/// What a medium goes by.
struct MediaRule {
    media: Media,
    /// Endings of names, in lower case.
    endings: Vec<String>,
    /// Words of a sidecar, as [`spelling`] has them.
    words: Vec<String>,
}

/// Files by their names.
struct CompanionRule {
    role: Role,
    name: NameRule,
}

enum NameRule {
    /// Of one recording: what stands before and behind its name, or behind its name without the last ending.
    OfRecording { before: String, is_stem: bool, after: String },
    /// Of a conversation.
    Any(Glob),
}

/// JSON documents by what is in them.
struct DocumentRule {
    role: Role,
    /// Members that it must have: all of these, and one of those, where there are some.
    all: Vec<String>,
    any: Vec<String>,
    /// Where it names what it belongs to; the first that is there counts.
    recording: Vec<Place>,
    conversation: Vec<Place>,
}

/// A value that goes by a name that people ask by.
struct FieldRule {
    name: &'static str,
    from: Vec<Place>,
    time: Option<Template>,
}

/// What the platform's own export never carries, and who has it.
struct NotOffered {
    from: Vec<String>,
    /// As [`spelling`] has them; what ends with `*` stands for every name that begins so.
    names: Vec<String>,
    who: String,
}

impl Layout {
    /// Reads a layout.
    ///
    /// # Errors
    /// The first line that is none, with what was expected.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        read::layout(text)
    }

    /// The ready layout of that name.
    #[must_use]
    pub fn ready(name: &str) -> Option<Self> {
        PARSED.iter().find(|layout| layout.name() == name).cloned()
    }

    /// The layout of a recording that is sealed, by the platform that its entry names: of one that does not come
    /// with the program nothing is known but its name.
    pub(crate) fn of_platform(platform: Option<&str>) -> Self {
        let name = platform.unwrap_or(PLAIN);
        let unknown = || Self(Arc::new(Rules { name: name.to_owned(), ..Rules::default() }));
        Self::ready(name).unwrap_or_else(unknown)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The platform that it is about, where it is about one.
    pub(crate) fn platform(&self) -> Option<&str> {
        Some(self.name()).filter(|name| *name != PLAIN)
    }

    /// What tells one layout from another, also where they go by the same name.
    pub(crate) fn identity(&self) -> Vec<u8> {
        let is_ready = READY.iter().any(|(_, text)| *text == self.text());
        let digest = (!is_ready).then(|| Hash::of(&[self.text().as_bytes()]));
        let digest = digest.iter().flat_map(|digest| digest.as_bytes().iter().copied());
        self.name().bytes().chain(digest).collect()
    }

    /// The ready policy that it is judged by where nobody names another.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.0.policy.as_deref()
    }

    /// Who has a value of this name, where the platform's own export never carries it in this source.
    pub(crate) fn never_exports(&self, source: &str, name: &str) -> Option<&str> {
        let spelt = spelling(name);
        let is_it = |known: &String| match known.strip_suffix('*') {
            Some(beginning) => name.to_ascii_lowercase().starts_with(beginning),
            None => *known == spelt,
        };
        let rules = self.0.not_offered.iter();
        let mut of_source = rules.filter(|rule| rule.from.iter().any(|from| from == source));
        of_source.find(|rule| rule.names.iter().any(is_it)).map(|rule| rule.who.as_str())
    }

    pub(crate) fn groups_by_folder(&self) -> bool {
        self.0.in_folders
    }

    /// Whether an object of this key is read at once: it is a document, or belongs to a recording by its name.
    pub(crate) fn reads(&self, key: &[u8]) -> bool {
        is_json(key) || self.0.in_folders && self.rule_of_name(key).is_some()
    }

    /// Whether it says what stands in keys.
    #[must_use]
    pub fn reads_keys(&self) -> bool {
        !self.0.keys.is_empty()
    }

    /// Whether values of the recording's own document are asked for.
    pub(crate) fn reads_the_recording(&self) -> bool {
        self.0.fields.iter().flat_map(|rule| &rule.from).any(Place::is_of_the_recording)
    }

    /// Whether recordings have files of their own that say what they are.
    pub(crate) fn has_sidecars(&self) -> bool {
        let documents = self.0.documents.iter().map(|rule| rule.role);
        self.0
            .companions
            .iter()
            .map(|rule| rule.role)
            .chain(documents)
            .any(|role| role == Role::Sidecar)
    }

    /// Whether only its content says what an object of this key is.
    pub(crate) fn tells_by_content(&self, key: &[u8]) -> bool {
        is_json(key) && !self.0.documents.is_empty()
    }

    /// The keys of sidecars that belong to this object by their names.
    pub(crate) fn sidecars_of(&self, key: &[u8]) -> Vec<Vec<u8>> {
        let rules = self.0.companions.iter().filter(|rule| rule.role == Role::Sidecar);
        rules.filter_map(|rule| rule.name.of(key)).filter(|sidecar| sidecar != key).collect()
    }

    /// Those of them that are nobody else's: a name without its ending is that of other companions too.
    fn own_sidecars_of(&self, key: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        let is_own = |rule: &&CompanionRule| {
            let by_name = matches!(rule.name, NameRule::OfRecording { is_stem: false, .. });
            by_name && rule.role == Role::Sidecar
        };
        self.0.companions.iter().filter(is_own).filter_map(move |rule| rule.name.of(key))
    }

    /// Files that belong to this object by their names, and what they are.
    fn companions_of(&self, key: &[u8]) -> Vec<(Vec<u8>, Role)> {
        let named = self.0.companions.iter().map(|rule| (rule.name.of(key), rule.role));
        named.filter_map(|(one, role)| Some((one.filter(|one| one != key)?, role))).collect()
    }

    /// What a file is by its name.
    fn rule_of_name(&self, key: &[u8]) -> Option<&CompanionRule> {
        let name = name_of(key);
        self.0.companions.iter().find(|rule| rule.name.matches(name))
    }

    /// What a document says that it is, and what it names.
    pub(crate) fn sketch(&self, document: &Value) -> Sketch {
        let rules = &self.0.documents;
        let says = rules.iter().find(|rule| rule.fits(document));
        let rule = says.or_else(|| rules.iter().find(|rule| rule.role == Role::Sidecar));
        let named = |places: fn(&DocumentRule) -> &Vec<Place>| {
            rule.and_then(|rule| text_at(document, places(rule))).map(Box::from)
        };
        Sketch {
            says: says.map(|rule| rule.role),
            recording: named(|rule| &rule.recording),
            conversation: named(|rule| &rule.conversation),
        }
    }

    /// The ids that a sidecar names.
    pub(crate) fn named_by_sidecar(&self, sidecar: &Value) -> Identity {
        let rule = self.0.documents.iter().find(|rule| rule.role == Role::Sidecar);
        let named = |places: fn(&DocumentRule) -> &Vec<Place>| {
            rule.and_then(|rule| text_at(sidecar, places(rule))).map(str::to_owned)
        };
        let (recording, conversation) =
            (named(|rule| &rule.recording), named(|rule| &rule.conversation));
        Identity { recording, conversation, ..Identity::default() }
    }

    /// The medium: what the sidecar says, or else what the key does.
    pub(crate) fn media(&self, key: &[u8], sidecar: Option<&Value>) -> Media {
        let said = sidecar.and_then(|sidecar| {
            let mut texts = self.0.media_from.iter().filter_map(|place| first_text(sidecar, place));
            texts.find_map(|word| self.medium_of(word))
        });
        let key_says = || self.read_key(key).media.or_else(|| self.medium_of_name(key));
        said.or_else(key_says).unwrap_or(Media::Unknown)
    }

    fn medium_of(&self, word: &str) -> Option<Media> {
        let known = Media::from_name(&word.to_ascii_lowercase());
        let spelt = spelling(word);
        let mut rules = self.0.media.iter();
        let by_word = || rules.find(|rule| rule.words.contains(&spelt)).map(|rule| rule.media);
        known.filter(|media| *media != Media::Unknown).or_else(by_word)
    }

    fn medium_of_name(&self, key: &[u8]) -> Option<Media> {
        let lower = key.to_ascii_lowercase();
        let ends =
            |rule: &&MediaRule| rule.endings.iter().any(|end| lower.ends_with(end.as_bytes()));
        self.0.media.iter().find(ends).map(|rule| rule.media)
    }
}

/// The layout that knows nothing.
const PLAIN: &str = "plain";

impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name && self.0.text == other.0.text
    }
}

impl Eq for Layout {}

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Layout").field(&self.0.name).finish()
    }
}

impl NameRule {
    /// The key of the companion that this object has by it.
    fn of(&self, key: &[u8]) -> Option<Vec<u8>> {
        let Self::OfRecording { before, is_stem, after } = self else { return None };
        let name = name_of(key);
        let dot = name.iter().rposition(|byte| *byte == b'.').filter(|at| *is_stem && *at > 0);
        let name = name.get(..dot.unwrap_or(name.len()))?;
        Some([folder_of(key), before.as_bytes(), name, after.as_bytes()].concat())
    }

    fn matches(&self, name: &[u8]) -> bool {
        match self {
            Self::OfRecording { before, after, .. } => {
                name.len() > before.len() + after.len()
                    && name.starts_with(before.as_bytes())
                    && name.ends_with(after.as_bytes())
            }
            Self::Any(glob) => glob.matches(name),
        }
    }
}

impl DocumentRule {
    fn fits(&self, document: &Value) -> bool {
        let has = |name: &String| document.member(name).is_some();
        self.all.iter().all(has) && (self.any.is_empty() || self.any.iter().any(has))
    }
}

/// Bytes of an id; what is longer is none, and would be kept for every document of a folder.
const ID_BYTES_MAX: usize = 1_024;

/// The text at the first of these places that has one.
fn text_at<'a>(document: &'a Value, places: &[Place]) -> Option<&'a str> {
    let mut said = places.iter().filter_map(|place| first_text(document, place));
    said.find(|id| id.len() <= ID_BYTES_MAX)
}

fn first_text<'a>(document: &'a Value, place: &Place) -> Option<&'a str> {
    look(document, &place.way).found.into_iter().find_map(|(_, value)| value.as_str())
}

/// Whether a name is that of a JSON document.
pub(crate) fn is_json(key: &[u8]) -> bool {
    key.to_ascii_lowercase().ends_with(b".json")
}

/// A recording and the objects that belong to it; numbers are places in the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assembled {
    pub(crate) recording: usize,
    pub(crate) companions: Vec<(usize, Role)>,
    pub(crate) identity: Identity,
}

impl Assembled {
    /// An object by itself.
    pub(crate) fn alone(recording: usize, identity: Identity) -> Self {
        Self { recording, companions: Vec::new(), identity }
    }
}

/// What a companion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Sidecar,
    /// Not read: broken, too long or too deep.
    UnreadSidecar,
    Transcript,
    Conversation,
}

impl Role {
    pub(crate) const ALL: [Self; 4] =
        [Self::Sidecar, Self::UnreadSidecar, Self::Transcript, Self::Conversation];
    /// Those that people write in policies and layouts.
    pub(crate) const WRITTEN: [Self; 3] = [Self::Sidecar, Self::Transcript, Self::Conversation];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::UnreadSidecar => "sidecar, not read",
            Self::Transcript => "transcript",
            Self::Conversation => "conversation",
        }
    }
}

/// Who and what a recording is, as far as names and sidecar say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) organization: Option<String>,
    pub(crate) conversation: Option<String>,
    pub(crate) recording: Option<String>,
    /// The conversation in the path, where the sidecar says another.
    pub(crate) path_conversation: Option<String>,
    /// The recording in the file's name, where the sidecar says another.
    pub(crate) path_recording: Option<String>,
}

impl Identity {
    /// What a sidecar names stands before what path and name say, which stays where it is another.
    pub(crate) fn take(&mut self, recording: Option<&str>, conversation: Option<&str>) {
        let other = |said: Option<&str>, path: &Option<String>| {
            path.clone().filter(|path| said.is_some_and(|said| said != path))
        };
        self.path_recording = other(recording, &self.recording);
        self.path_conversation = other(conversation, &self.conversation);
        self.recording = recording.map(str::to_owned).or_else(|| self.recording.take());
        self.conversation = conversation.map(str::to_owned).or_else(|| self.conversation.take());
    }
}

/// What a layout takes from a JSON document: it stays, while the document may have to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sketch {
    /// What its members make it; `None` where they say nothing.
    pub(crate) says: Option<Role>,
    /// The recording that it names.
    pub(crate) recording: Option<Box<str>>,
    /// The conversation that it names.
    pub(crate) conversation: Option<Box<str>>,
}

/// One object of a group, as a layout sees it.
pub(crate) struct Seen<'a> {
    pub(crate) key: &'a [u8],
    /// Its JSON document, if it is one and could be read.
    pub(crate) document: Option<&'a Sketch>,
}

#[cfg(test)]
mod tests;
