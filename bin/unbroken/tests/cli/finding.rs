//! Questions about what is sealed, in names that people know.

use super::{CONVERSATION, Scene};

/// Four recordings of two agents, over a year's end.
fn sealed() -> Scene {
    let scene = Scene::new();
    for (id, agents, start, direction) in [
        ("r-1", "\"anna\",\"bert\"", "2026-03-01T00:00:00.000+0000", "inbound"),
        ("r-2", "\"bert\"", "2026-03-31T23:30:00.000-0100", "outbound"),
        ("r-3", "\"anna\"", "2026-03-15T09:00:00Z", "outbound"),
    ] {
        let media = scene.media(CONVERSATION, id, format!("sound of {id}").as_bytes());
        let sidecar = format!(
            "{{\"mediaType\":\"Call\",\"conversationId\":\"{CONVERSATION}\",\"recordingId\":\"{id}\",\
             \"userIds\":[{agents}],\"startTime\":\"{start}\",\"durationMs\":1000,\"initialDirection\":\"{direction}\"}}"
        );
        std::fs::write(media.with_extension("opus_metadata.json"), sidecar).unwrap();
    }
    scene.media("c-2", "r-4", b"without its sidecar");
    scene.exits(2, &["ingest", "export"]);
    scene
}

fn found(scene: &Scene, arguments: &[&str]) -> Vec<String> {
    let document = scene.json(&[&["list"], arguments].concat());
    let entries = document["entries"].as_array().unwrap();
    let mut found: Vec<String> =
        entries.iter().map(|entry| entry["recording"].as_str().unwrap().to_owned()).collect();
    found.sort();
    found
}

#[test]
fn the_calls_of_one_agent_in_march_are_these() {
    let scene = sealed();
    let asked = |question: &str| found(&scene, &["--where", question]);
    assert_eq!(asked("agent = anna"), ["r-1", "r-3"]);
    assert_eq!(asked("agent = \"b*\" and direction = outbound"), ["r-2"]);
    assert_eq!(asked("agent != anna"), ["r-2"], "of r-4 no agent is known");
    assert_eq!(asked("not agent = anna"), ["r-2", "r-4"]);
    assert_eq!(asked("(agent = bert or media = call) and sidecar/userIds/1 = bert"), ["r-1"]);
    assert_eq!(asked("complete = no"), ["r-4"]);
    assert_eq!(asked("finding = companion-missing"), ["r-4"]);
    assert_eq!(asked("conversation = c-2 or recording = r-1"), ["r-1", "r-4"]);
    assert_eq!(asked("size >= 19"), ["r-4"]);
    assert_eq!(asked("key = \"*r-3.opus\""), ["r-3"]);
    assert_eq!(asked("hold = yes or gone = yes"), [""; 0]);
    // The last of March in UTC began an hour before midnight in the Azores, which is April.
    assert_eq!(found(&scene, &["--from", "2026-03-01", "--to", "2026-04-01"]), ["r-1", "r-3"]);
    assert_eq!(found(&scene, &["--from", "2026-03-01", "--where", "agent = bert"]), ["r-1", "r-2"]);
    let text = scene.ok(&["list", "--where", "agent = anna"]);
    assert!(text.contains("2 of 4 recordings answer, each by its newest entry"), "{text}");
    for (question, why) in [
        ("agnet = x", "--where: agnet is no name that is known here; do you mean agent?"),
        ("agent = ", "--where: behind agent: expected a value"),
    ] {
        let text = scene.exits(4, &["list", "--where", question]);
        assert!(text.contains(why) && text.contains("docs/finding.md"), "{text}");
    }
    // A question that lookups answer finds what going through every opening finds.
    for question in [
        "agent = anna",
        "agent = bert and agent = anna",
        "agent = nobody or agent = bert",
        "conversation = c-2 or recording = r-1",
        "start >= 2026-03-01 and start < 2026-04-01",
        "start >= 2026-03-15 and (agent = anna or agent = bert) and start <= 2026-12-31",
        "start = 2026-03-01",
        "complete = no",
        "finding = companion-missing and media = unknown",
        "source = export and agent = anna",
    ] {
        let through_all = asked(&format!("not (not ({question}))"));
        assert_eq!(asked(question), through_all, "{question}");
    }
    let text = scene.ok(&["list", "--from", "2026-03-01", "--to", "2026-04-01"]);
    assert!(text.contains("of 1 recording no start is known"), "{text}");
    // What is gone answers as it stands now, though its entry was made while it was there.
    std::fs::remove_file(scene.conversation(CONVERSATION).join("r-3.opus")).unwrap();
    scene.exits(2, &["ingest", "export"]);
    assert_eq!(asked("gone = yes"), ["r-3"]);
}

#[test]
fn the_other_side_reads_what_was_asked() {
    let scene = sealed();
    let text =
        scene.ok(&["exhibit", "--out", "x.zip", "--where", "agent = anna", "--to", "2026-03-10"]);
    assert!(text.contains("1 of 4 recordings answer"), "{text}");
    let (code, verdict) = scene.verify("x.zip");
    assert_eq!(code, 0, "{verdict}");
    let said = "as the producer says, it asked for: to 2026-03-10, where agent = anna; 1 of 4 recordings answered, and 0 could not be asked; of 1 it was not known when they began\n";
    assert!(verdict.contains(said), "{verdict}");
    assert!(
        verdict.contains("recording \"r-1\"") && !verdict.contains("recording \"r-3\""),
        "{verdict}"
    );
    scene.ok(&["exhibit", "--out", "y.zip", "--recording", "r-2"]);
    let (_, verdict) = scene.verify("y.zip");
    assert!(verdict.contains("it asked for: recording r-2\n"), "{verdict}");
    let text = scene.exits(4, &["exhibit", "--out", "z.zip", "--where", "agent = nobody"]);
    assert!(text.contains("no recording answers agent = nobody"), "{text}");
    assert!(!scene.path("z.zip").exists());
    // Together they would add up, and hand over more than was meant.
    let both = ["exhibit", "--out", "z.zip", "--recording", "r-2", "--from", "2026-03-01"];
    let text = scene.exits(4, &both);
    assert!(text.contains("a question stands by itself"), "{text}");
    scene.ok(&["audit"]);
}

/// A slip in one id of ten kept everybody from the other nine; and a part of a conversation passed for all of it.
#[test]
fn an_id_that_nothing_has_is_named_and_so_is_what_was_not_asked_for() {
    let scene = sealed();
    let both = ["exhibit", "--out", "x.zip", "--recording", "r-2", "--recording", "r-22"];
    let text = scene.exits(2, &both);
    assert!(text.contains("not found, and not in the exhibit: r-22"), "{text}");
    let beside = format!(
        "not asked for, and of the same conversations: 2 recordings: r-1 of conversation {CONVERSATION}, r-3 of conversation {CONVERSATION}; --conversation packs them"
    );
    assert!(text.contains(&beside), "{text}");
    let (code, verdict) = scene.verify("x.zip");
    assert_eq!(code, 0, "{verdict}");
    assert!(
        verdict.contains("it asked for: not-found r-22, recording r-2, recording r-22\n"),
        "{verdict}"
    );
    let text = scene.ok(&["exhibit", "--out", "y.zip", "--conversation", CONVERSATION]);
    assert!(!text.contains("not asked for"), "{text}");
    let document = scene.json(&["exhibit", "--out", "z.zip", "--index", "3", "--index", "999"]);
    assert_eq!(document["not_found"][0], "index 999", "{document}");
    assert_eq!(document["not_asked_for"].as_array().unwrap().len(), 2, "{document}");
}
