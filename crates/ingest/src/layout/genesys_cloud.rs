//! What Genesys Cloud writes: media, and beside it `<media name>_metadata.json`, and companions of
//! other origin. Objects are told apart by content; names only help, for they are known to vary.

use unbroken_evidence::body::Media;
use unbroken_evidence::json::Value;

use super::{Assembled, Assembly, Identity, Role, Seen};
use crate::group::{folder_of, name_of};

const SIDECAR_ENDING: &[u8] = b"_metadata.json";

/// What one object of a folder is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Class {
    Media,
    Sidecar { recording: Option<String>, conversation: Option<String> },
    MalformedSidecar,
    Transcript,
    Conversation,
}

/// Takes the objects of one folder apart.
pub(crate) fn assemble(seen: &[Seen<'_>]) -> Assembly {
    let classes: Vec<Class> = seen.iter().map(|one| classify(one, seen)).collect();
    let mut taken = vec![false; seen.len()];
    let mut assembly = Assembly::default();
    for (place, one) in seen.iter().enumerate() {
        if classes.get(place) == Some(&Class::Media) {
            let assembled = with_companions(place, one, seen, &classes);
            for (companion, _) in &assembled.companions {
                taken.get_mut(*companion).into_iter().for_each(|taken| *taken = true);
            }
            assembly.recordings.push(assembled);
        }
    }
    for (place, class) in classes.iter().enumerate() {
        let what = match class {
            Class::Media => continue,
            Class::Sidecar { .. } => "sidecar without recording",
            Class::MalformedSidecar => "malformed sidecar without recording",
            Class::Transcript => "transcript without recording",
            Class::Conversation => "conversation document without recording",
        };
        if !taken.get(place).copied().unwrap_or(true) {
            assembly.strays.push((place, what));
        }
    }
    assembly
}

fn classify(one: &Seen<'_>, seen: &[Seen<'_>]) -> Class {
    let is_json = one.key.to_ascii_lowercase().ends_with(b".json");
    let sidecar_key = [one.key, SIDECAR_ENDING].concat();
    if !is_json || seen.iter().any(|other| other.key == sidecar_key) {
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
            Class::MalformedSidecar
        } else {
            Class::Media
        };
    };
    let has = |name: &str| document.member(name).is_some();
    let text = |name: &str| document.member(name).and_then(Value::as_str).map(str::to_owned);
    if has("recordingId") && (has("mediaType") || has("startTime") || has("durationMs")) {
        return Class::Sidecar {
            recording: text("recordingId"),
            conversation: text("conversationId"),
        };
    }
    if has("transcripts") || has("communicationId") {
        return Class::Transcript;
    }
    if has("participants") || has("conversationStart") {
        return Class::Conversation;
    }
    match named_as_sidecar {
        // Members are missing: a sidecar by name whose content does not say which recording.
        true if one.key.ends_with(b"_call_metadata.json") => Class::Conversation,
        true => Class::Sidecar { recording: None, conversation: text("conversationId") },
        false => Class::Media,
    }
}

fn with_companions(
    place: usize,
    one: &Seen<'_>,
    seen: &[Seen<'_>],
    classes: &[Class],
) -> Assembled {
    let stem = stem(one.key);
    let named = [one.key, SIDECAR_ENDING].concat();
    let sidecars = || seen.iter().zip(classes).enumerate();
    let by_name = sidecars().find(|(_, (other, class))| {
        other.key == named && matches!(class, Class::Sidecar { .. } | Class::MalformedSidecar)
    });
    let by_content = sidecars().find(|(_, (_, class))| {
        matches!(class, Class::Sidecar { recording: Some(id), .. } if Some(id.as_str()) == stem)
    });
    let sidecar = by_name.or(by_content);
    let mut companions = Vec::new();
    let mut identity = from_path(one.key);
    identity.recording = stem.map(str::to_owned);
    if let Some((at, (_, class))) = sidecar {
        let role =
            if *class == Class::MalformedSidecar { Role::MalformedSidecar } else { Role::Sidecar };
        companions.push((at, role));
        if let Class::Sidecar { recording, conversation } = class {
            identity.recording = recording.clone().or(identity.recording);
            identity.conversation = conversation.clone().or(identity.conversation);
        }
    }
    for (at, (other, class)) in sidecars() {
        let role = match class {
            Class::Transcript => Role::Transcript,
            Class::Conversation => Role::Conversation,
            _ => continue,
        };
        if concerns(other, &identity) {
            companions.push((at, role));
        }
    }
    companions.sort_by(|(a, _), (b, _)| {
        let key = |at: &usize| seen.get(*at).map(|seen| seen.key);
        key(a).cmp(&key(b))
    });
    Assembled { recording: place, companions, identity }
}

/// Whether a document of a conversation speaks of this one; one that names none is taken to, for
/// a folder holds one conversation.
fn concerns(other: &Seen<'_>, identity: &Identity) -> bool {
    let said = other.document.and_then(|document| {
        let id = document.member("conversationId").or_else(|| document.member("id"));
        id.and_then(Value::as_str)
    });
    match (said, identity.conversation.as_deref()) {
        (Some(said), Some(known)) => said == known,
        _ => true,
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
        recording: None,
    }
}

/// The medium that a sidecar says.
pub(crate) fn media(sidecar: &Value) -> Option<Media> {
    let text =
        |name: &str| sidecar.member(name).and_then(Value::as_str).map(str::to_ascii_lowercase);
    if text("mediaSubtype").as_deref() == Some("screen") {
        return Some(Media::Screen);
    }
    let name = text("mediaType")?;
    let known = Media::from_name(&name).filter(|media| *media != Media::Unknown);
    Some(known.unwrap_or(if name == "callback" { Media::Call } else { Media::Unknown }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unbroken_evidence::document::read;

    const DIR: &str = "org-1/year=2023/month=9/day=5/hour=07/conversation_id=c-1/";

    fn assembled(objects: &[(&str, &str)]) -> (Assembly, Vec<String>) {
        let keys: Vec<String> = objects.iter().map(|(name, _)| format!("{DIR}{name}")).collect();
        let documents: Vec<Option<Value>> =
            objects.iter().map(|(_, text)| read(text.as_bytes()).ok()).collect();
        let seen: Vec<Seen<'_>> = keys
            .iter()
            .zip(&documents)
            .map(|(key, document)| Seen { key: key.as_bytes(), document: document.as_ref() })
            .collect();
        let assembly = assemble(&seen);
        let shown = assembly
            .recordings
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
        (assembly, shown)
    }

    const SIDECAR: &str =
        r#"{"mediaType":"Call","conversationId":"c-1","recordingId":"r-1","durationMs":5}"#;

    #[test]
    fn a_conversation_may_hold_several_recordings_and_foreign_companions() {
        let second = SIDECAR.replace("r-1", "r-2");
        let (assembly, shown) = assembled(&[
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
        assert!(assembly.strays.is_empty());
        let identity = &assembly.recordings[1].identity;
        assert_eq!(identity.organization.as_deref(), Some("org-1"));
        assert_eq!(identity.recording.as_deref(), Some("r-2"));
    }

    #[test]
    fn content_decides_where_names_mislead() {
        // Another pipeline swaps the two endings; a third replaces the name of the sidecar.
        let (_, shown) = assembled(&[
            ("r-1.opus", "x"),
            ("r-1.opus_metadata.json", r#"{"conversationId":"c-1","participants":[]}"#),
            ("r-1.opus_call_metadata.json", SIDECAR),
        ]);
        let expected =
            "r-1.opus [r-1.opus_call_metadata.json:sidecar r-1.opus_metadata.json:conversation]";
        assert_eq!(shown, [expected]);
        let (_, shown) = assembled(&[("r-1.opus", "x"), ("r-1.json", SIDECAR)]);
        assert_eq!(shown, ["r-1.opus [r-1.json:sidecar]"]);
    }

    #[test]
    fn messages_are_json_and_have_sidecars_too() {
        let sidecar = SIDECAR.replace("Call", "Message");
        let (_, shown) = assembled(&[
            ("r-1.json", r#"{"channel":"whatsapp","messages":[]}"#),
            ("r-1.json_metadata.json", &sidecar),
            ("r-3.json", r#"{"channel":"whatsapp","messages":[]}"#),
        ]);
        assert_eq!(shown, ["r-1.json [r-1.json_metadata.json:sidecar]", "r-3.json []"]);
        assert_eq!(media(&read(sidecar.as_bytes()).unwrap()), Some(Media::Message));
    }

    #[test]
    fn what_is_missing_or_broken_is_told_for_what_it_is() {
        let (assembly, shown) = assembled(&[
            ("r-1.opus", "x"),
            ("r-1.opus_metadata.json", "{\"broken\":"),
            ("r-9.opus_metadata.json", &SIDECAR.replace("r-1", "r-9")),
            ("r-8.opus_metadata.json", "not json"),
        ]);
        assert_eq!(shown, ["r-1.opus [r-1.opus_metadata.json:sidecar, malformed]"]);
        let strays: Vec<_> = assembly.strays.iter().map(|(at, what)| (*at, *what)).collect();
        assert_eq!(
            strays,
            [(2, "sidecar without recording"), (3, "malformed sidecar without recording")]
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
}
