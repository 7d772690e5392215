//! The layouts that come with the program, and those that people write, against objects as they come.

use std::collections::HashSet;

use unbroken_evidence::document::read;
use unbroken_evidence::field::Value as Field;

use super::*;

fn genesys() -> Layout {
    Layout::ready("genesys-cloud").unwrap()
}

fn written(rules: &str) -> Result<Layout, TableError> {
    let head = "format = \"unbroken/layout@v1\"\nname = \"ours\"\n";
    Layout::parse(&format!("{head}{rules}"))
}

#[test]
fn the_ready_layouts_are_layouts() {
    for (name, text) in READY {
        let layout = Layout::parse(text).unwrap();
        assert_eq!((layout.name(), layout.text()), (name, text));
        assert_eq!(Layout::ready(name), Some(layout.clone()));
        // What was settled before layouts were files stays settled.
        assert_eq!(layout.identity(), name.as_bytes());
        let policy = layout.policy().map(crate::policy::Policy::ready);
        assert!(policy.is_none_or(|policy| policy.is_some()), "{name} names a policy that is none");
    }
    assert!(Layout::ready("another").is_none());
}

const DIR: &str = "org-1/year=2023/month=9/day=5/hour=07/conversation_id=c-1/";

type Strays = Vec<(usize, &'static str)>;

fn assembled(objects: &[(&str, &str)]) -> (Vec<Assembled>, Vec<String>, Strays) {
    let layout = &genesys();
    let keys: Vec<String> = objects.iter().map(|(name, _)| format!("{DIR}{name}")).collect();
    let sketched =
        |text: &str| read(text.as_bytes()).ok().as_ref().map(|document| layout.sketch(document));
    let documents: Vec<Option<Sketch>> = objects.iter().map(|(_, text)| sketched(text)).collect();
    let seen = keys
        .iter()
        .zip(&documents)
        .map(|(key, document)| Seen { key: key.as_bytes(), document: document.as_ref() })
        .collect();
    let folder = Folder::new(layout, seen);
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
    let sidecar = read(sidecar.as_bytes()).unwrap();
    assert_eq!(genesys().media(b"r-1.json", Some(&sidecar)), Media::Message);
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
        [(2, "sidecar without recording"), (3, "sidecar that cannot be read, without recording")]
    );
}

#[test]
fn paths_are_read_with_any_prefix_and_without_the_equals_sign() {
    let identity = genesys()
        .identity_of(b"backup/2024/org-1/year=2023/month=9/day=05/conversation_idc-7/r.opus");
    assert_eq!(identity.conversation.as_deref(), Some("c-7"));
    assert_eq!(identity.organization.as_deref(), Some("org-1"));
    let alone = Identity { recording: Some("r".to_owned()), ..Identity::default() };
    assert_eq!(genesys().identity_of(b"r.opus"), alone);
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

/// Companions by their names: of a recording by its whole name, by its name without ending, or of all.
#[test]
fn files_that_are_no_json_belong_to_recordings_by_their_names() {
    let layout = written(
        "together = \"folder\"\n[[companion]]\nrole = \"sidecar\"\nname = \"{stem}.XML\"\n\
         [[companion]]\nrole = \"transcript\"\nname = \"{name}.vtt\"\n\
         [[companion]]\nrole = \"conversation\"\nname = \"manifest.csv\"\n",
    )
    .unwrap();
    let keys = ["d/1.wma", "d/1.XML", "d/1.wma.vtt", "d/2.wma", "d/9.XML", "d/manifest.csv"];
    let seen = keys.map(|key| Seen { key: key.as_bytes(), document: None });
    let folder = Folder::new(&layout, seen.into());
    let told = |one: &Assembled| {
        let with =
            one.companions.iter().map(|(at, role)| format!("{} ({})", keys[*at], role.name()));
        format!("{}: {}", keys[one.recording], with.collect::<Vec<_>>().join(", "))
    };
    let recordings: Vec<Assembled> = folder.recordings().collect();
    assert_eq!(
        recordings.iter().map(told).collect::<Vec<_>>(),
        [
            "d/1.wma: d/1.XML (sidecar, not read), d/1.wma.vtt (transcript), d/manifest.csv (conversation)",
            "d/2.wma: d/manifest.csv (conversation)",
        ]
    );
    let taken: HashSet<usize> =
        recordings.iter().flat_map(|one| &one.companions).map(|(at, _)| *at).collect();
    let strays: Vec<_> = folder.strays(&taken).collect();
    assert_eq!(strays, [(4, "sidecar that cannot be read, without recording")]);
    // A transcript has the sidecar's name too, but for its ending; it is no recording for that.
    let by_stem = written(
        "together = \"folder\"\n[[companion]]\nrole = \"sidecar\"\nname = \"{stem}.json\"\n\
         [[companion]]\nrole = \"transcript\"\nname = \"{stem}.vtt\"\n",
    )
    .unwrap();
    let keys = ["1.wma", "1.json", "1.vtt"];
    let seen = keys.map(|key| Seen { key: key.as_bytes(), document: None });
    let folder = Folder::new(&by_stem, seen.into());
    let roles = [Role::UnreadSidecar, Role::Transcript];
    let all: Vec<Assembled> = folder.recordings().collect();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].companions, [(1, roles[0]), (2, roles[1])]);
    for (key, is_read) in [("d/1.XML", true), ("d/x.json", true), ("d/1.wma", false)] {
        assert_eq!(layout.reads(key.as_bytes()), is_read, "{key}");
    }
}

fn values(layout: &Layout, key: &str, said: &[(&str, &str)]) -> (Identity, Vec<String>) {
    let mut identity = layout.identity_of(key.as_bytes());
    let at = |place: &Place| {
        let there = said.iter().filter(|(at, _)| *at == place.written());
        there.map(|(_, value)| (*value).to_owned()).collect()
    };
    let fields = layout.values(key.as_bytes(), &mut identity, &at).unwrap_or_default();
    let line = |field: &Field| format!("{}{}={}", field.source, field.pointer, field.value);
    (identity, fields.iter().map(line).collect())
}

/// What Amazon Connect writes: the contact, its time and what the object is stand in the key.
#[test]
fn keys_of_amazon_connect_say_contact_time_and_what_they_are() {
    let layout = Layout::ready("amazon-connect").unwrap();
    let contact = "12345678-1234-1234-1234-123456789012";
    for (key, media, what, start) in [
        (
            "connect/acme/CallRecordings/2026/03/17/@_20260317T07:31_UTC.wav",
            Media::Call,
            "call recording",
            Some("2026-03-17T07:31:00Z"),
        ),
        (
            "connect/acme/CallRecordings/ivr/2026/03/17/@_20260317T07:31_UTC.wav",
            Media::Call,
            "call recording",
            Some("2026-03-17T07:31:00Z"),
        ),
        // A file system that knows no colon has another letter.
        (
            "CallRecordings/2026/03/17/@_20260317T07_31_UTC.wav",
            Media::Call,
            "call recording",
            Some("2026-03-17T07:31:00Z"),
        ),
        (
            "connect/acme/ChatTranscripts/2026/03/17/@_20260317T07:31_UTC.json",
            Media::Chat,
            "chat transcript",
            Some("2026-03-17T07:31:00Z"),
        ),
        (
            "connect/acme/ScreenRecordings/2026/03/17/@_agent.mp4",
            Media::Screen,
            "screen recording",
            None,
        ),
        (
            "Analysis/Voice/2026/03/17/@_analysis_2026-03-17T07:32:05Z.json",
            Media::Unknown,
            "analysis",
            Some("2026-03-17T07:32:05Z"),
        ),
        (
            "Analysis/Voice/Redacted/2026/03/17/@_analysis_redacted_2026-03-17T07:32:05Z.json",
            Media::Unknown,
            "redacted analysis",
            Some("2026-03-17T07:32:05Z"),
        ),
        (
            "Analysis/Voice/Redacted/2026/03/17/@_call_recording_redacted_2026-03-17T07:32:05Z.wav",
            Media::Call,
            "redacted call recording",
            Some("2026-03-17T07:32:05Z"),
        ),
        (
            "Analysis/Email/2026/03/10/@_analysis_20260310T22:35_UTC.json",
            Media::Unknown,
            "analysis",
            Some("2026-03-10T22:35:00Z"),
        ),
    ] {
        let key = key.replace('@', contact);
        let (identity, fields) = values(&layout, &key, &[]);
        assert_eq!(identity.conversation.as_deref(), Some(contact), "{key}");
        let start = start.map(|start| format!("recording/start={start}"));
        let what = Some(format!("recording/what={what}"));
        assert_eq!(fields, what.into_iter().chain(start).collect::<Vec<_>>(), "{key}");
        assert_eq!(layout.media(key.as_bytes(), None), media, "{key}");
    }
    assert_eq!(values(&layout, "connect/acme/Reports/x.csv", &[]).1, [""; 0]);
}

/// Values from elsewhere go by the names that people ask by; what a key or a sidecar told stays.
#[test]
fn values_come_from_the_first_place_that_has_some() {
    let layout = written(
        "together = \"nothing\"\n[[key]]\ntemplate = \"{queue}/{recording}.wav\"\n\
         [[field]]\nname = \"conversation\"\nfrom = [\"s3-header/x-amz-meta-contact-id\", \"s3-tag/contact\"]\n\
         [[field]]\nname = \"agent\"\nfrom = \"document/agents/*/id\"\n\
         [[field]]\nname = \"recording\"\nfrom = \"s3-tag/id\"\n\
         [[field]]\nname = \"start\"\nfrom = \"s3-tag/began\"\ntime = \"{day:2}/{month:2}/{year:4} {hour}:{minute:2}\"\n",
    )
    .unwrap();
    let said = [
        ("s3-tag/contact", "c-7"),
        ("document/agents/*/id", "a-1"),
        ("document/agents/*/id", "a-2"),
        ("document/agents/*/id", "a-1"),
        ("s3-tag/id", "other"),
        ("s3-tag/began", "17/03/2026 7:31"),
    ];
    let (identity, fields) = values(&layout, "sales/r-1.wav", &said);
    assert_eq!(identity.conversation.as_deref(), Some("c-7"));
    assert_eq!(identity.recording.as_deref(), Some("r-1"), "the key came first");
    let expected = [
        "recording/agent/0=a-1",
        "recording/agent/1=a-2",
        "recording/queue/0=sales",
        "recording/start=2026-03-17T07:31:00Z",
    ];
    assert_eq!(fields, expected);
    // An empty text is no value: the next place is asked.
    let empty = [("s3-header/x-amz-meta-contact-id", " "), ("s3-tag/contact", "c-8")];
    assert_eq!(values(&layout, "x/y.wav", &empty).0.conversation.as_deref(), Some("c-8"));
    // What is no time stays as it is: a check of times finds it.
    let (_, fields) = values(&layout, "x/y.wav", &[("s3-tag/began", "31/02/2026 7:31")]);
    assert!(fields.contains(&"recording/start=31/02/2026 7:31".to_owned()), "{fields:?}");
    assert!(layout.reads_the_recording());
}

#[test]
fn what_is_no_layout_is_told_with_its_line() {
    let folder = "together = \"folder\"\n";
    for (rules, sentence) in [
        ("", "line 1: the file has no `together`"),
        (
            "together = \"folders\"",
            "line 1: `together`: expected one of folder, nothing; found \"folders\"; do you mean \"folder\"?",
        ),
        (
            "together = \"nothing\"\n[[companion]]\nrole = \"sidecar\"\nname = \"{name}.x\"",
            "line 1: with `together = \"nothing\"` no file belongs to another: a [[companion]] or [[document]] would never be looked for",
        ),
        (
            "@[[key]]\ntemplat = \"x\"",
            "line 5: [[key]] has no member `templat`; do you mean `template`?",
        ),
        (
            "@[[key]]\ntemplate = \"{agnt}\"",
            "line 4: `template`: {agnt} is no part of a key; do you mean {agent}?",
        ),
        (
            "@[[key]]\ntemplate = \"{day:2}\"",
            "line 4: `template`: a time has at least {year}, {month}, {day}, {hour} and {minute}; write `*` for what is none",
        ),
        (
            "@[[companion]]\nrole = \"sidecar\"\nname = \"{name}\"",
            "line 4: `name`: {name} or {stem} alone may be the recording itself",
        ),
        (
            "@[[companion]]\nrole = \"sidecar\"\nname = \"{name}*.x\"",
            "line 4: `name`: with {name} or {stem} it has no `*`, no `?` and no other part",
        ),
        (
            "@[[companion]]\nrole = \"sidecar\"\nname = \"a/b\"",
            "line 4: `name`: a companion lies in the folder of its recording",
        ),
        (
            "@[[document]]\nrole = \"sidecar\"",
            "line 4: [[document]] says of no member that makes it one: give it `all` or `any`",
        ),
        (
            "@[[field]]\nname = \"agent\"",
            "line 4: [[field]] has no `from`: name the places that may have it",
        ),
        (
            "@[[field]]\nname = \"agent\"\nfrom = \"s3-tag/x\"\ntime = \"{year:4}\"",
            "line 4: `time`: agent is no time",
        ),
        (
            "@[[not-offered]]\nfrom = \"sidecar\"",
            "line 4: [[not-offered]] has no `from` or no `names`",
        ),
    ] {
        let error = written(&rules.replace('@', folder)).unwrap_err().to_string();
        assert_eq!(error, sentence, "{rules}");
    }
    let named = |name: &str| {
        let text =
            format!("format = \"unbroken/layout@v1\"\nname = \"{name}\"\ntogether = \"nothing\"");
        Layout::parse(&text).map_err(|error| error.to_string())
    };
    assert!(named("puzzel").is_ok());
    let taken = "line 1: `name`: \"genesys-cloud\" would be taken for genesys-cloud, which comes with the program; give it another";
    assert_eq!(named("genesys-cloud").unwrap_err(), taken);
    assert!(named("Genesys Cloud").is_err());
    let many = "[[key]]\ntemplate = \"x\"\n".repeat(101);
    let error = written(&format!("{folder}{many}")).unwrap_err().to_string();
    assert_eq!(error, "line 1: it has 101 rules of one sort; at most 100");
}

/// Two layouts of one name are two: what one left alone the other looks at.
#[test]
fn a_layout_that_was_changed_is_another_one() {
    let one = written("together = \"folder\"\n").unwrap();
    let other = written("together = \"folder\"\n# and more\n").unwrap();
    assert_ne!(one.identity(), other.identity());
}

/// The folder's recordings with their companions, of objects with documents.
fn told(layout: &Layout, objects: &[(&str, &str)]) -> Vec<String> {
    let documents: Vec<Option<Sketch>> = objects
        .iter()
        .map(|(_, text)| read(text.as_bytes()).ok().map(|document| layout.sketch(&document)))
        .collect();
    let seen = objects.iter().zip(&documents);
    let seen = seen
        .map(|((key, _), document)| Seen { key: key.as_bytes(), document: document.as_ref() })
        .collect();
    let folder = Folder::new(layout, seen);
    let line = |one: Assembled| {
        let with = one.companions.iter().map(|(at, _)| objects[*at].0);
        format!("{} {:?}", objects[one.recording].0, with.collect::<Vec<_>>())
    };
    folder.recordings().map(line).collect()
}

const PAIRS: &str = r#"
together = "folder"
[[key]]
template = "**/{recording}.wav"
[[companion]]
role = "sidecar"
name = "{stem}.json"
[[companion]]
role = "transcript"
name = "{stem}.t.json"
[[document]]
role = "sidecar"
all = "rid"
recording = "rid"
conversation = "cid"
[[document]]
role = "transcript"
all = "words"
recording = "of"
conversation = "cid"
"#;

/// Somebody else's words were sealed with a recording, and handed over with it.
#[test]
fn a_document_belongs_to_what_it_names_and_to_nobody_else() {
    let layout = written(PAIRS).unwrap();
    // Of b no conversation is known; t names that of a, u names b itself, v nobody.
    let objects = [
        ("a.wav", ""),
        ("a.json", r#"{"rid":"a","cid":"c-a"}"#),
        ("b.wav", ""),
        ("t", r#"{"words":[],"cid":"c-a"}"#),
        ("u", r#"{"words":[],"of":"b"}"#),
        ("v", r#"{"words":[]}"#),
    ];
    let objects: Vec<(&str, &str)> = objects.into();
    assert_eq!(
        told(&layout, &objects),
        ["a.wav [\"a.json\", \"t\", \"v\"]", "b.wav [\"u\", \"v\"]"]
    );
    // What it says comes before its name.
    let by_name = [("a.wav", ""), ("b.wav", ""), ("a.t.json", r#"{"words":[],"of":"b"}"#)];
    assert_eq!(told(&layout, &by_name), ["a.wav []", "b.wav [\"a.t.json\"]"]);
}

/// A recording whose sidecar names another one had hidden that the other one has none.
#[test]
fn a_sidecar_that_is_one_recordings_by_its_name_is_no_other_ones() {
    let layout = written(PAIRS).unwrap();
    let objects = [("a.wav", ""), ("a.json", r#"{"rid":"b"}"#), ("b.wav", "")];
    assert_eq!(told(&layout, &objects), ["a.wav [\"a.json\"]", "b.wav []"]);
    let opus = SIDECAR.replace("r-1", "r-2");
    let objects = [("r-1.opus", ""), ("r-1.opus_metadata.json", &*opus), ("r-2.opus", "")];
    let expected = ["r-1.opus [\"r-1.opus_metadata.json\"]", "r-2.opus []"];
    assert_eq!(told(&genesys(), &objects), expected);
}

/// So many documents that their recording's own sidecar was cut off kept it from being sealed.
#[test]
fn a_recordings_own_companions_come_before_those_of_its_conversation() {
    let document = r#"{"conversationId":"c-1","participants":[]}"#;
    let names: Vec<String> = (0..1_100).map(|n| format!("a{n:04}.json")).collect();
    let mut objects: Vec<(&str, &str)> =
        names.iter().map(|name| (name.as_str(), document)).collect();
    objects.extend([("r-1.opus", ""), ("r-1.opus_metadata.json", SIDECAR)]);
    let told = told(&genesys(), &objects);
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("r-1.opus_metadata.json"));
    assert_eq!(told[0].matches(".json").count(), 1_024);
}
