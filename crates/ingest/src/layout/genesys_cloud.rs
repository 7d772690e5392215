//! What Genesys Cloud writes: media, and beside it `<media name>_metadata.json`, and companions of
//! other origin. Objects are told apart by content; names only help, for they are known to vary.

use std::collections::{BTreeMap, HashMap, HashSet};

use unbroken_evidence::body::Media;
use unbroken_evidence::json::Value;

use super::{Assembled, Identity, Role, Seen, Sketch};
use crate::group::{folder_of, name_of};
use crate::near::spelling;

const SIDECAR_ENDING: &[u8] = b"_metadata.json";
/// A folder with more recordings than this is not one conversation's: a document that names none
/// belongs to none of them. Else each would be a companion of each, n times n.
const RECORDINGS_OF_A_CONVERSATION_MAX: usize = 64;

/// Companions that are sealed with one recording: each is six of the fields of its entry.
const COMPANIONS_MAX: usize = 1_024;

/// The key of a sidecar that belongs to this object by its name.
pub(crate) fn sidecar_of(key: &[u8]) -> Vec<u8> {
    [key, SIDECAR_ENDING].concat()
}

/// What one object of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Media,
    Sidecar,
    UnreadSidecar,
    Transcript,
    Conversation,
}

/// The objects of one folder, told apart.
pub(crate) struct Folder<'a> {
    seen: Vec<Seen<'a>>,
    classes: Vec<Class>,
    index: Index<'a>,
}

impl<'a> Folder<'a> {
    pub(crate) fn new(seen: Vec<Seen<'a>>) -> Self {
        let places = seen.iter().enumerate().map(|(place, one)| (one.key, place)).collect();
        let classes: Vec<Class> = seen.iter().map(|one| classify(one, &places)).collect();
        let index = Index::new(&seen, &classes, places);
        Self { seen, classes, index }
    }

    /// Each recording with its companions, one at a time: a folder may have a million.
    pub(crate) fn recordings(&self) -> impl Iterator<Item = Assembled> {
        let media = self.seen.iter().zip(&self.classes).enumerate();
        let media = media.filter(|(_, (_, class))| **class == Class::Media);
        media.map(|(place, (one, _))| self.with_companions(place, one))
    }

    /// Of the objects that belong to none of these recordings, what they are.
    pub(crate) fn strays(
        &self,
        taken: &HashSet<usize>,
    ) -> impl Iterator<Item = (usize, &'static str)> {
        let all = self.classes.iter().enumerate();
        let alone = all.filter(|(place, _)| !taken.contains(place));
        alone.filter_map(|(place, class)| {
            let what = match class {
                Class::Media => return None,
                _ if self.index.is_crowded() => {
                    "beyond the 1,024 files that are sealed with one recording, or without one"
                }
                Class::Sidecar => "sidecar without recording",
                Class::UnreadSidecar => "sidecar that cannot be read, without recording",
                Class::Transcript => "transcript without recording",
                Class::Conversation => "conversation document without recording",
            };
            Some((place, what))
        })
    }

    fn with_companions(&self, place: usize, one: &Seen<'_>) -> Assembled {
        let stem = stem(one.key);
        let named = sidecar_of(one.key);
        let class = |at: usize| self.classes.get(at).copied();
        let is_sidecar =
            |at: &usize| matches!(class(*at), Some(Class::Sidecar | Class::UnreadSidecar));
        let by_name = self.index.places.get(named.as_slice()).copied().filter(is_sidecar);
        let by_content = || self.index.sidecars.get(stem?).copied();
        let mut companions = Vec::new();
        let mut identity = from_path(one.key);
        identity.recording = stem.map(str::to_owned);
        if let Some(at) = by_name.or_else(by_content) {
            if class(at) == Some(Class::Sidecar) {
                let document = self.seen.get(at).and_then(|one| one.document);
                identity.take(
                    document.and_then(named_recording),
                    document.and_then(named_conversation),
                );
                companions.push((at, Role::Sidecar));
            } else {
                companions.push((at, Role::UnreadSidecar));
            }
        }
        companions.extend(self.index.documents_of(identity.conversation.as_deref()));
        let key = |at: usize| self.seen.get(at).map(|seen| seen.key);
        companions.sort_by(|(a, _), (b, _)| key(*a).cmp(&key(*b)));
        companions.truncate(COMPANIONS_MAX);
        Assembled { recording: place, companions, identity }
    }
}

/// The recording that a sidecar names. Where members are missing it is a sidecar by name only, and what it
/// calls a recording is not taken for one.
fn named_recording(sidecar: &Sketch) -> Option<&str> {
    sidecar.recording.as_deref().filter(|_| sidecar.says.is_some())
}

fn named_conversation(sidecar: &Sketch) -> Option<&str> {
    sidecar.conversation.as_deref()
}

/// Bytes of an id; what is longer is none, and would be kept for every document of a folder.
const ID_BYTES_MAX: usize = 1_024;

/// What a document says that it is, and what it names.
pub(crate) fn sketch(document: &Value) -> Sketch {
    let has = |name: &str| document.member(name).is_some();
    let text = |name: &str| {
        let said = document.member(name).and_then(Value::as_str);
        said.filter(|id| id.len() <= ID_BYTES_MAX).map(Box::from)
    };
    let says = if has("recordingId") && (has("mediaType") || has("startTime") || has("durationMs"))
    {
        Some(Role::Sidecar)
    } else if has("transcripts") || has("communicationId") {
        Some(Role::Transcript)
    } else if has("participants") || has("conversationStart") {
        Some(Role::Conversation)
    } else {
        None
    };
    let id = if has("conversationId") { None } else { text("id") };
    Sketch { says, recording: text("recordingId"), conversation: text("conversationId"), id }
}

fn classify(one: &Seen<'_>, places: &HashMap<&[u8], usize>) -> Class {
    let is_json = one.key.to_ascii_lowercase().ends_with(b".json");
    let sidecar_key = sidecar_of(one.key);
    if !is_json || places.contains_key(sidecar_key.as_slice()) {
        return Class::Media;
    }
    let named_as_sidecar = one.key.ends_with(SIDECAR_ENDING);
    let Some(document) = one.document else {
        // Too long, or broken: the name is all there is.
        return if one.key.ends_with(b".transcript.json") {
            Class::Transcript
        } else if one.key.ends_with(b"_call_metadata.json") {
            Class::Conversation
        } else if named_as_sidecar {
            Class::UnreadSidecar
        } else {
            Class::Media
        };
    };
    match document.says {
        Some(Role::Transcript) => Class::Transcript,
        Some(Role::Conversation) => Class::Conversation,
        Some(_) => Class::Sidecar,
        // Members are missing: a sidecar by name whose content does not say which recording.
        None if one.key.ends_with(b"_call_metadata.json") => Class::Conversation,
        None if named_as_sidecar => Class::Sidecar,
        None => Class::Media,
    }
}

/// What is in a folder, by what it is looked for.
struct Index<'a> {
    places: HashMap<&'a [u8], usize>,
    /// Sidecars by the recording that they name.
    sidecars: HashMap<&'a str, usize>,
    /// Transcripts and conversation documents by the conversation that they name, if they do.
    documents: BTreeMap<Option<&'a str>, Vec<(usize, Role)>>,
    /// Whether a document that names no conversation may be taken to speak of every recording.
    is_one_conversation: bool,
}

impl<'a> Index<'a> {
    fn new(seen: &[Seen<'a>], classes: &[Class], places: HashMap<&'a [u8], usize>) -> Self {
        let recordings = classes.iter().filter(|class| **class == Class::Media).count();
        let mut index = Self {
            places,
            sidecars: HashMap::new(),
            documents: BTreeMap::new(),
            is_one_conversation: recordings <= RECORDINGS_OF_A_CONVERSATION_MAX,
        };
        for (place, (one, class)) in seen.iter().zip(classes).enumerate() {
            let role = match class {
                Class::Sidecar => {
                    let named = one.document.and_then(named_recording);
                    named.into_iter().for_each(|id| _ = index.sidecars.entry(id).or_insert(place));
                    continue;
                }
                Class::Transcript => Role::Transcript,
                Class::Conversation => Role::Conversation,
                _ => continue,
            };
            let said = one
                .document
                .and_then(|document| document.conversation.as_deref().or(document.id.as_deref()));
            index.documents.entry(said).or_default().push((place, role));
        }
        index
    }

    /// Whether some conversation has more documents than are sealed with one recording.
    fn is_crowded(&self) -> bool {
        self.documents.values().map(Vec::len).sum::<usize>() >= COMPANIONS_MAX
    }

    /// The documents of a conversation; where nobody says which one, a folder that is not too large
    /// holds one conversation.
    fn documents_of(&self, conversation: Option<&str>) -> Vec<(usize, Role)> {
        let mut found: Vec<(usize, Role)> = match conversation {
            Some(id) => self.documents.get(&Some(id)).cloned().unwrap_or_default(),
            None if self.is_one_conversation => {
                let named = self.documents.iter().filter(|(said, _)| said.is_some());
                named.flat_map(|(_, documents)| documents.clone()).collect()
            }
            None => Vec::new(),
        };
        if self.is_one_conversation {
            found.extend(self.documents.get(&None).into_iter().flatten());
        }
        found
    }
}

/// The name up to its first dot: the recording's id.
fn stem(key: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(name_of(key)).ok()?;
    name.split('.').next().filter(|stem| !stem.is_empty())
}

/// Organization and conversation from `{org}/year=…/conversation_id={id}/`; the `=` may be lost,
/// and there may be anything before.
pub(crate) fn from_path(key: &[u8]) -> Identity {
    let folder = std::str::from_utf8(folder_of(key)).unwrap_or_default();
    let segments: Vec<&str> = folder.split('/').collect();
    let conversation = segments
        .iter()
        .filter_map(|segment| segment.strip_prefix("conversation_id"))
        .map(|id| id.strip_prefix('=').unwrap_or(id))
        .rfind(|id| !id.is_empty());
    let year = segments.iter().position(|segment| segment.starts_with("year="));
    let organization = year.and_then(|at| segments.get(at.checked_sub(1)?));
    Identity {
        organization: organization.map(|id| (*id).to_owned()),
        conversation: conversation.map(str::to_owned),
        ..Identity::default()
    }
}

/// The medium that a sidecar says, in the platform's words or in those that people write into it; `None` where
/// it says none that is known: then the file's name does.
pub(crate) fn media(sidecar: &Value) -> Option<Media> {
    let text =
        |name: &str| sidecar.member(name).and_then(Value::as_str).map(str::to_ascii_lowercase);
    if text("mediaSubtype").as_deref() == Some("screen") {
        return Some(Media::Screen);
    }
    let name = text("mediaType")?;
    let known = Media::from_name(&name).filter(|media| *media != Media::Unknown);
    known.or_else(|| match spelling(&name).as_str() {
        "callback" | "voice" | "phone" | "audio" => Some(Media::Call),
        "whatsapp" | "sms" | "webmessaging" | "messaging" | "openmessaging" | "facebook"
        | "instagram" | "line" | "twitter" | "applemessages" => Some(Media::Message),
        "webchat" => Some(Media::Chat),
        "mail" => Some(Media::Email),
        "video" | "screenrecording" => Some(Media::Screen),
        _ => None,
    })
}

/// What Genesys Cloud never writes into a sidecar or beside an object, whatever a job is asked for; and who
/// has it. People ask for these by many names, and none of them exists.
pub(crate) fn never_exports(source: &str, name: &str) -> Option<&'static str> {
    const HOLD: &str = "deletion protection, which only the platform's API tells, and with a hold or a tag that a job of yours sets on the object";
    const AUDIT: &str = "the audit of the platform's API";
    const ATTRIBUTES: &str = "the participants of the conversation: in a document of the conversation, where somebody puts one there, or at the platform's API";
    const CHECKSUM: &str = "nobody: the platform keeps no checksum of a recording";
    const HEADERS: &str = "nobody: the platform writes no metadata of its own to the object; a job of yours may set tags";
    let spelling = spelling(name);
    match source {
        "s3-header" => name.to_ascii_lowercase().starts_with("x-amz-meta-").then_some(HEADERS),
        "sidecar" | "document" | "transcript" => match spelling.as_str() {
            "legalhold" | "hold" | "litigationhold" | "deletionprotection" => Some(HOLD),
            "auditid" | "audittrail" | "audittrailid" => Some(AUDIT),
            "attributes"
            | "customattributes"
            | "customdata"
            | "custommetadata"
            | "participantattributes" => Some(ATTRIBUTES),
            "sha256" | "md5" | "hash" | "checksum" => Some(CHECKSUM),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unbroken_evidence::document::read;

    const DIR: &str = "org-1/year=2023/month=9/day=5/hour=07/conversation_id=c-1/";

    type Strays = Vec<(usize, &'static str)>;

    fn assembled(objects: &[(&str, &str)]) -> (Vec<Assembled>, Vec<String>, Strays) {
        let keys: Vec<String> = objects.iter().map(|(name, _)| format!("{DIR}{name}")).collect();
        let sketched = |text: &str| read(text.as_bytes()).ok().as_ref().map(sketch);
        let documents: Vec<Option<Sketch>> =
            objects.iter().map(|(_, text)| sketched(text)).collect();
        let seen = keys
            .iter()
            .zip(&documents)
            .map(|(key, document)| Seen { key: key.as_bytes(), document: document.as_ref() })
            .collect();
        let folder = Folder::new(seen);
        let recordings: Vec<Assembled> = folder.recordings().collect();
        let shown = recordings
            .iter()
            .map(|one| {
                let companions: Vec<String> = one
                    .companions
                    .iter()
                    .map(|(at, role)| format!("{}:{}", objects[*at].0, role.name()))
                    .collect();
                format!("{} [{}]", objects[one.recording].0, companions.join(" "))
            })
            .collect();
        let companions = recordings.iter().flat_map(|one| &one.companions);
        let strays = folder.strays(&companions.map(|(at, _)| *at).collect()).collect();
        (recordings, shown, strays)
    }

    const SIDECAR: &str =
        r#"{"mediaType":"Call","conversationId":"c-1","recordingId":"r-1","durationMs":5}"#;

    #[test]
    fn a_conversation_may_hold_several_recordings_and_foreign_companions() {
        let second = SIDECAR.replace("r-1", "r-2");
        let (recordings, shown, strays) = assembled(&[
            ("r-1.opus", "x"),
            ("r-1.opus_metadata.json", SIDECAR),
            ("r-2.opus", "y"),
            ("r-2.opus_metadata.json", &second),
            ("c-1-k.transcript.json", r#"{"communicationId":"k","transcripts":[]}"#),
            ("c-1.opus_call_metadata.json", r#"{"conversationId":"c-1","participants":[]}"#),
        ]);
        let both = "c-1-k.transcript.json:transcript c-1.opus_call_metadata.json:conversation";
        let expected = [
            format!("r-1.opus [{both} r-1.opus_metadata.json:sidecar]"),
            format!("r-2.opus [{both} r-2.opus_metadata.json:sidecar]"),
        ];
        assert_eq!(shown, expected);
        assert!(strays.is_empty());
        let identity = &recordings[1].identity;
        assert_eq!(identity.organization.as_deref(), Some("org-1"));
        assert_eq!(identity.recording.as_deref(), Some("r-2"));
    }

    #[test]
    fn content_decides_where_names_mislead() {
        // Another pipeline swaps the two endings; a third replaces the name of the sidecar.
        let (_, shown, _) = assembled(&[
            ("r-1.opus", "x"),
            ("r-1.opus_metadata.json", r#"{"conversationId":"c-1","participants":[]}"#),
            ("r-1.opus_call_metadata.json", SIDECAR),
        ]);
        let expected =
            "r-1.opus [r-1.opus_call_metadata.json:sidecar r-1.opus_metadata.json:conversation]";
        assert_eq!(shown, [expected]);
        let (_, shown, _) = assembled(&[("r-1.opus", "x"), ("r-1.json", SIDECAR)]);
        assert_eq!(shown, ["r-1.opus [r-1.json:sidecar]"]);
    }

    #[test]
    fn messages_are_json_and_have_sidecars_too() {
        let sidecar = SIDECAR.replace("Call", "Message");
        let (_, shown, _) = assembled(&[
            ("r-1.json", r#"{"channel":"whatsapp","messages":[]}"#),
            ("r-1.json_metadata.json", &sidecar),
            ("r-3.json", r#"{"channel":"whatsapp","messages":[]}"#),
        ]);
        assert_eq!(shown, ["r-1.json [r-1.json_metadata.json:sidecar]", "r-3.json []"]);
        assert_eq!(media(&read(sidecar.as_bytes()).unwrap()), Some(Media::Message));
    }

    #[test]
    fn what_is_missing_or_broken_is_told_for_what_it_is() {
        let (_, shown, strays) = assembled(&[
            ("r-1.opus", "x"),
            ("r-1.opus_metadata.json", "{\"broken\":"),
            ("r-9.opus_metadata.json", &SIDECAR.replace("r-1", "r-9")),
            ("r-8.opus_metadata.json", "not json"),
        ]);
        assert_eq!(shown, ["r-1.opus [r-1.opus_metadata.json:sidecar, not read]"]);
        assert_eq!(
            strays,
            [
                (2, "sidecar without recording"),
                (3, "sidecar that cannot be read, without recording")
            ]
        );
    }

    #[test]
    fn paths_are_read_with_any_prefix_and_without_the_equals_sign() {
        let identity =
            from_path(b"backup/2024/org-1/year=2023/month=9/day=05/conversation_idc-7/r.opus");
        assert_eq!(identity.conversation.as_deref(), Some("c-7"));
        assert_eq!(identity.organization.as_deref(), Some("org-1"));
        assert_eq!(from_path(b"r.opus"), Identity::default());
    }

    #[test]
    fn a_document_that_names_nothing_belongs_to_nothing_in_a_folder_of_many() {
        for (recordings, strays) in [(64, 0), (65, 1)] {
            let mut objects: Vec<(String, &str)> =
                (0..recordings).map(|n| (format!("r-{n}.opus"), "x")).collect();
            objects.push(("k.transcript.json".to_owned(), "{"));
            let objects: Vec<(&str, &str)> =
                objects.iter().map(|(name, text)| (name.as_str(), *text)).collect();
            assert_eq!(assembled(&objects).2.len(), strays, "{recordings} recordings");
        }
    }
}
