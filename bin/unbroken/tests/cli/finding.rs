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
    // Nothing began before that day, and one run saw the whole source behind it: its listing is shown.
    let listed = "as the producer says, what was there behind it is listed by the runs of entries ";
    assert!(verdict.contains(listed), "{verdict}");
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

/// Questions of comparisons, drawn from a fixed seed.
struct Questions(u64);

impl Questions {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn next(&mut self, depth: usize) -> String {
        const COMPARISONS: [&str; 20] = [
            "agent = anna",
            "agent = \"a*\"",
            "agent != anna",
            "agent = \u{fc}",
            "queue = q1",
            "number = \"+491\"",
            "conversation = c-3",
            "recording = r-7",
            "finding = companion-missing",
            "complete = no",
            "gone = yes",
            "hold = yes",
            "source = export",
            "direction = inbound",
            "start >= 2026-03-01",
            "start < 2026-04-01",
            "start = 2026-03-01",
            "start <= 1970-01-02",
            "start > 2026-02-28T23:00:00Z",
            "start >= 1970-01-01",
        ];
        match self.below(if depth > 2 { 4 } else { 10 }) {
            0..4 => COMPARISONS[self.below(COMPARISONS.len())].to_owned(),
            4..7 => format!("({}) and ({})", self.next(depth + 1), self.next(depth + 1)),
            7..9 => format!("({}) or ({})", self.next(depth + 1), self.next(depth + 1)),
            _ => format!("not ({})", self.next(depth + 1)),
        }
    }
}

/// Lookups only narrow what is asked: with or without them the same entries answer, after every change.
#[test]
fn whatever_is_asked_lookups_find_what_going_through_every_opening_finds() {
    const STARTS: [&str; 8] = [
        "2026-03-05T07:00:00.000+0000",
        "2026-03-01T00:00:00Z",
        "2026-02-28T23:59:59.999-0100",
        "2026-04-01T00:30:00+0100",
        "1969-12-31T23:00:00Z",
        "9999-12-31T23:59:59Z",
        "yesterday",
        "",
    ];
    let scene = Scene::new();
    let agents = ["\"anna\"", "\"bert\",\"anna\"", "", "\"\"", "\"a*b\"", "\"\u{fc}\""];
    let put = |n: usize, turn: usize| {
        let (conversation, id) = (format!("c-{}", n % 7), format!("r-{n}"));
        let media = scene.media(&conversation, &id, format!("sound {n}").as_bytes());
        let sidecar = format!(
            "{{\"mediaType\":\"Call\",\"conversationId\":\"{conversation}\",\"recordingId\":\"{id}\",\
             \"userIds\":[{}],\"startTime\":\"{}\",\"queueName\":\"q{}\",\"ani\":\"+49{}\",\
             \"initialDirection\":\"{}\"}}",
            agents[(n * 5 + turn) % agents.len()],
            STARTS[(n * 7 + turn) % STARTS.len()],
            (n + turn) % 3,
            n % 4,
            if n.is_multiple_of(2) { "inbound" } else { "outbound" },
        );
        if n % 9 != 8 {
            std::fs::write(media.with_extension("opus_metadata.json"), sidecar).unwrap();
        }
    };
    let mut questions = Questions(7);
    let mut compare = |when: &str| {
        let mut answered = 0;
        for _ in 0..40 {
            let question = questions.next(0);
            let with = found(&scene, &["--where", &question]);
            let without = found(&scene, &["--where", &format!("not (not ({question}))")]);
            assert_eq!(with, without, "{when}: {question}");
            answered += usize::from(!with.is_empty());
        }
        assert!(answered > 10, "{when}: {answered} of 40 questions have an answer");
    };
    (0..27).for_each(|n| put(n, 0));
    scene.exits(2, &["ingest", "export"]);
    compare("sealed");
    (0..27).step_by(4).for_each(|n| put(n, 1));
    scene.exits(2, &["ingest", "export"]);
    std::fs::remove_file(scene.conversation("c-3").join("r-3.opus")).unwrap();
    scene.exits(2, &["ingest", "export"]);
    compare("amended, and one of them gone");
}

/// "And prove that this is all": what answered was said, and not what there was to answer.
#[test]
fn the_runs_that_saw_what_there_was_are_shown_and_counted() {
    let scene = sealed();
    scene.ok(&["ingest", "export", "--limit", "0"]);
    scene.ok(&["ingest", "export", "--include", "nosuch/**"]);
    let verdict = |arguments: &[&str], out: &str| {
        let text = scene.run(&[&["exhibit", "--out", out][..], arguments].concat());
        let warned = String::from_utf8_lossy(&text.stderr).into_owned();
        (warned, scene.verify(out).1)
    };
    let whole =
        scene.json(&["passes"])["passes"].as_array().unwrap().last().unwrap()["index"].clone();
    let behind = format!("what was there behind it is listed by the runs of entries {whole}\n");
    let (_, past) = verdict(&["--from", "2026-03-01", "--to", "2026-04-01"], "past.zip");
    let none = "as the producer says, runs that began in that time: 0, of which 0 did not come to their end; ";
    assert!(past.contains(&format!("{none}{behind}")), "{past}");
    // A time that has not ended: the newest run that left nothing out, though a later one did.
    let (_, open) = verdict(&["--from", "2026-03-01"], "open.zip");
    assert!(
        open.contains(&format!("in that time: 3, of which 0 did not come to their end; {behind}")),
        "{open}"
    );
    let (warned, ahead) = verdict(&["--to", "2099-01-01"], "ahead.zip");
    assert!(
        warned.contains("no run saw the whole source since the end of that period: export"),
        "{warned}"
    );
    assert!(ahead.contains("no run saw the whole source behind it of: export\n"), "{ahead}");
}
