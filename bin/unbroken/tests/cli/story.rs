//! The main job, from an export to a verdict, and what changes meanwhile.

use super::{CONVERSATION, Scene};

#[test]
fn a_sealed_export_makes_an_exhibit_that_verifies_as_folder_and_as_zip() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"first");
    scene.recording(CONVERSATION, "r-2", &vec![7; 3 << 20]);
    scene.recording("other", "r-3", b"third");
    let text = scene.ok(&["ingest", "export"]);
    assert!(
        text.contains("3 recordings sealed, 0 sealed again, 3 companions, 0 unchanged"),
        "{text}"
    );
    for out in ["exhibit", "exhibit.zip"] {
        scene.ok(&["exhibit", "--out", out, "--conversation", CONVERSATION]);
        let (code, text) = scene.verify(out);
        assert_eq!(code, 0, "{text}");
    }
    scene.ok(&["exhibit", "--out", "all.zip", "--all"]);
    assert_eq!(scene.verify("all.zip").0, 0);
    scene.ok(&["exhibit", "--out", "by-index.zip", "--index", "2"]);
    assert_eq!(scene.verify("by-index.zip").0, 0);
    let text =
        scene.ok(&["exhibit", "--out", "bare.zip", "--recording", "r-2", "--without-recordings"]);
    assert!(text.contains("0 recording files"), "{text}");
    let (code, text) = scene.verify("bare.zip");
    assert!(code == 2 && text.contains("not packed"), "{text}");
    let text = scene.exits(4, &["exhibit", "--out", "exhibit", "--all"]);
    assert!(text.contains("something is there already"), "{text}");
    let text = scene.exits(4, &["exhibit", "--out", "x.zip", "--conversation", "nobody"]);
    assert!(text.contains("no entry of a recording for nobody"), "{text}");
    scene.ok(&["audit"]);
}

#[test]
fn a_cover_folder_holds_the_zip_a_schedule_and_what_was_withheld() {
    let scene = Scene::new();
    for (id, bytes) in [("r-1", b"first"), ("r-2", b"other")] {
        scene.media(CONVERSATION, id, bytes);
        named_sidecar(&scene, id, "\"agent\":\"Ada Lovelace\"");
    }
    scene.ok(&["ingest", "export"]);
    let withhold = ["--withhold", "sidecar/agent", "--reason", "=privilege, \"work product\""];
    scene.ok(&[&["exhibit", "--cover", "cover", "--all"], &withhold[..]].concat());
    let read = |name: &str| std::fs::read_to_string(scene.path(&format!("cover/{name}"))).unwrap();
    let (code, text) = scene.verify("cover/exhibit.zip");
    assert!(
        code == 2
            && text.contains(
                "companion 0: its digest is withheld, and no packed file can be held against it"
            )
            && text.contains("2 of 2 recordings")
            && text.contains("values of 2 entries are withheld"),
        "{text}"
    );
    let zip = std::fs::read(scene.path("cover/exhibit.zip")).unwrap();
    assert!(!zip.windows(8).any(|window| window == b"Lovelace"), "the value is nowhere in it");
    assert!(
        !zip.windows(13).any(|window| window == b"\"mediaType\":\""),
        "nor the metadata file that holds it"
    );
    assert_eq!(read("schedule.csv").lines().count(), 3);
    let log = read("redaction-log.csv");
    assert_eq!(
        log.matches("\"sidecar\",\"/agent\",\"'=privilege, \"\"work product\"\"\"").count(),
        2,
        "{log}"
    );
    let digest = unbroken_evidence::hash::Hash::of(&[&zip]).to_string();
    assert!(read("README-FIRST.txt").contains(&digest));
    // What is not there cannot be withheld, and a folder that is there is not touched.
    let text = scene.exits(4, &["exhibit", "--cover", "cover", "--all"]);
    assert!(text.contains("choose a folder that does not exist yet"), "{text}");
    let absent =
        ["exhibit", "--cover", "other", "--all", "--withhold", "sidecar/absent", "--reason", "x"];
    let text = scene.exits(4, &absent);
    assert!(text.contains("sidecar/absent") && !scene.path("other").exists(), "{text}");
    let text = scene.exits(4, &["exhibit", "--cover", "o", "--all", "--withhold", "sidecar/x"]);
    assert!(text.contains("--reason"), "{text}");
}

#[test]
fn a_withheld_value_that_can_be_read_elsewhere_is_said() {
    let scene = Scene::new();
    scene.media(CONVERSATION, "rec-0001", b"first");
    named_sidecar(
        &scene,
        "rec-0001",
        "\"agent\":\"Ada Lovelace\",\"note\":\"Ada Lovelace called\"",
    );
    scene.ok(&["ingest", "export"]);
    let withhold = |name| ["--withhold", name, "--reason", "privilege"];
    let exhibit =
        |out, name| scene.ok(&[&["exhibit", "--all", "--out", out], &withhold(name)[..]].concat());
    let text = exhibit("a.zip", "sidecar/agent");
    let said = "sidecar/agent is withheld, and its value can be read in sidecar/note of entry 2: \
                withhold that too, with --withhold sidecar/note";
    assert!(text.contains(said), "{text}");
    assert_eq!(text.matches("can be read in").count(), 1, "{text}");
    let text = exhibit("b.zip", "sidecar/recordingId");
    assert!(text.contains("can be read in object/key of entry 2: withhold that too"), "{text}");
    let said = "can be read in companion/0/key of entry 2: that cannot be withheld";
    assert!(text.contains(said), "{text}");
    assert!(!exhibit("c.zip", "sidecar/note").contains("can be read in"));
}

#[test]
fn a_metadata_file_that_became_no_values_is_kept_back_with_the_value_that_it_may_hold() {
    let scene = Scene::new();
    for (id, bytes) in [("r-1", b"first"), ("r-2", b"other")] {
        scene.media(CONVERSATION, id, bytes);
        named_sidecar(&scene, id, "\"agent\":\"Ada Lovelace\"");
    }
    // A member twice: no values are taken from it, so none has a name.
    named_sidecar(&scene, "r-2", "\"agent\":\"Ada Lovelace\",\"agent\":\"Ada Lovelace\"");
    scene.exits(2, &["ingest", "export"]);
    named_sidecar(&scene, "r-2", "\"agent\":\"Ada Lovelace\"");
    scene.exits(2, &["ingest", "export"]);
    let withhold = ["--withhold", "sidecar/agent", "--reason", "privilege"];
    scene.ok(&[&["exhibit", "--cover", "cover", "--all"], &withhold[..]].concat());
    let zip = std::fs::read(scene.path("cover/exhibit.zip")).unwrap();
    assert!(
        !zip.windows(8).any(|window| window == b"Lovelace"),
        "the superseded file holds it too"
    );
    let log = std::fs::read_to_string(scene.path("cover/redaction-log.csv")).unwrap();
    let follows = "\"companion\",\"/0/sha256\",\"it would give away a value that is withheld\"";
    assert_eq!(log.matches(follows).count(), 3, "{log}");
    for needed in ["content/sha256", "companion/0/sha256", "pad/00000", "object/version"] {
        let arguments =
            ["exhibit", "--out", "x.zip", "--all", "--withhold", needed, "--reason", "x"];
        let text = scene.exits(4, &arguments);
        assert!(text.contains("cannot be withheld") && !scene.path("x.zip").exists(), "{text}");
    }
}

#[test]
fn a_full_stderr_stops_no_work_and_changes_no_exit_code() {
    let scene = Scene::new();
    scene.media(CONVERSATION, "r-1", b"first");
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = |arguments: &[&str]| {
        scene.command(arguments).stderr(full()).output().unwrap().status.code()
    };
    assert_eq!(run(&["ingest", "export"]), Some(2), "the recording has no metadata file");
    assert!(scene.json(&["status"])["size"].as_u64() >= Some(4), "and the pass is sealed");
    assert_eq!(run(&["exhibit", "--cover", "cover", "--all"]), Some(2));
    assert!(scene.path("cover/README-FIRST.txt").exists());
    assert_eq!(run(&["status", "--ledger", "nope"]), Some(4));
}

#[test]
fn a_second_run_seals_nothing_again_wherever_the_folder_is() {
    let scene = Scene::new();
    for n in 0..5 {
        scene.recording("c-1", &format!("r-{n}"), format!("bytes {n}").as_bytes());
    }
    scene.ok(&["ingest", "export"]);
    let again = scene.json(&["ingest", "export"]);
    assert_eq!(
        (again["sources"][0]["sealed"].as_u64(), again["sources"][0]["unchanged"].as_u64()),
        (Some(0), Some(10))
    );
    std::fs::rename(scene.export(), scene.path("moved")).unwrap();
    std::fs::create_dir(scene.path("elsewhere")).unwrap();
    std::fs::rename(scene.path("moved"), scene.path("elsewhere/export")).unwrap();
    let text = scene.exits(4, &["ingest", "elsewhere/export"]);
    assert!(text.contains("source export is known at") && text.contains("NAME=PATH"), "{text}");
    let moved = scene.json(&["ingest", "export=elsewhere/export"]);
    assert_eq!(moved["sources"][0]["sealed"].as_u64(), Some(0), "{moved}");
    assert!(scene.sealed().values().all(|count| *count == 1));
}

#[test]
fn changed_bytes_and_late_companions_supersede_and_the_history_is_shown_whole() {
    let scene = Scene::new();
    let media = scene.media(CONVERSATION, "r-1", b"first");
    let text = scene.exits(2, &["ingest", "export"]);
    assert!(text.contains("incomplete: the sidecar is missing"), "{text}");
    assert_eq!(scene.json(&["list", "--incomplete"])["entries"].as_array().unwrap().len(), 1);
    scene.sidecar(CONVERSATION, "r-1");
    let text = scene.exits(2, &["ingest", "export"]);
    assert!(text.contains("a companion appeared, changed or is gone since entry 2"), "{text}");
    assert_eq!(scene.json(&["list", "--incomplete"])["entries"].as_array().unwrap().len(), 0);
    std::fs::write(&media, b"other").unwrap();
    let text = scene.exits(2, &["ingest", "export"]);
    assert!(text.contains("its bytes changed since entry 4"), "{text}");
    // The times change and the bytes do not: nothing is sealed.
    std::fs::write(&media, b"other").unwrap();
    scene.ok(&["ingest", "export"]);
    assert_eq!(scene.sealed().values().copied().collect::<Vec<_>>(), [3]);
    let text = scene.exits(2, &["exhibit", "--out", "exhibit", "--recording", "r-1"]);
    assert!(text.contains("is about other bytes, not found there"), "{text}");
    let (code, text) = scene.verify("exhibit");
    assert_eq!(code, 2, "the first bytes are gone, and the verdict says so: {text}");
    assert!(text.contains("BYTES OF RECORDINGS WERE REPLACED 1 time"), "{text}");
    for ending in ["note", "tlog-proof"] {
        std::fs::remove_file(scene.path(&format!("exhibit/ledger/entries/6.{ending}"))).unwrap();
    }
    std::fs::remove_file(scene.path("exhibit/data/openings/6.json")).unwrap();
    let (code, text) = scene.verify("exhibit");
    assert!(
        code == 1 && text.contains("V20 CONTRADICTED"),
        "an amendment left out is found: {text}"
    );
}

#[test]
fn bytes_that_changed_since_they_were_sealed_are_not_packed() {
    let scene = Scene::new();
    let media = scene.recording(CONVERSATION, "r-1", b"first");
    scene.ok(&["ingest", "export"]);
    std::fs::write(media, b"swapped").unwrap();
    let text = scene.exits(1, &["exhibit", "--out", "exhibit", "--all"]);
    assert!(text.contains("its bytes are not those of entry 2"), "{text}");
    assert_eq!(scene.verify("exhibit").0, 2);
}

/// An unmounted disk: nothing is known of what lies on it, and nobody signs that it is gone.
#[test]
fn of_a_source_that_is_not_there_it_is_not_said_that_its_recordings_are_gone() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"first");
    scene.ok(&["ingest", "export"]);
    std::fs::rename(scene.path("export"), scene.path("unmounted")).unwrap();
    scene.exits(2, &["exhibit", "--out", "e.zip", "--all"]);
    let (code, text) = scene.verify("e.zip");
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("(the exhibit's producer says: its source could not be read)"), "{text}");
    assert!(!text.contains("was not found at its source"), "{text}");
}

// spec: X22
#[test]
fn a_verdict_says_why_a_recording_is_not_packed_as_its_producer_says() {
    let scene = Scene::new();
    let place = |id: &str| scene.recording(CONVERSATION, id, id.as_bytes());
    let [rewritten, removed, folder, _] = ["r-1", "r-2", "r-3", "r-4"].map(place);
    scene.ok(&["ingest", "export"]);
    std::fs::write(rewritten, b"rewritten").unwrap();
    std::fs::remove_file(removed).unwrap();
    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(folder).unwrap();
    scene.exits(1, &["exhibit", "--out", "e.zip", "--all"]);
    scene.ok(&["exhibit", "--out", "bare.zip", "--all", "--without-recordings"]);
    let (code, text) = scene.verify("e.zip");
    assert_eq!(code, 2, "{text}");
    for why in [
        "its object has other bytes now",
        "its object was not found at its source",
        "its source could not be read",
    ] {
        let said = format!(" bytes (the exhibit's producer says: {why})");
        assert_eq!(text.matches(&said).count(), 1, "{said} in {text}");
    }
    let (_, text) = scene.verify("bare.zip");
    assert_eq!(
        text.matches(
            " bytes (the exhibit's producer says: this exhibit was made without recordings)"
        )
        .count(),
        4
    );
}

#[test]
fn dates_and_limits_leave_out_and_the_next_run_goes_on() {
    let scene = Scene::new();
    for n in 0..6 {
        scene.recording(&format!("c-{n}"), "r", format!("bytes {n}").as_bytes());
    }
    let none = scene.json(&["ingest", "export", "--until", "2001-01-01"]);
    assert_eq!(none["sources"][0]["excluded"].as_u64(), Some(12));
    let some = scene.json(&["ingest", "export", "--limit", "2"]);
    assert_eq!(some["sources"][0]["sealed"].as_u64(), Some(2), "{some}");
    let rest = scene.json(&["ingest", "export", "--since", "2001-01-01"]);
    assert_eq!(rest["sources"][0]["sealed"].as_u64(), Some(4), "{rest}");
    let text = scene.exits(4, &["ingest", "export", "--since", "yesterday"]);
    assert!(text.contains("give a day like"), "{text}");
}

#[test]
fn a_dry_run_reads_and_writes_nothing() {
    let scene = Scene::new();
    scene.recording("c", "r", b"bytes");
    let text = scene.ok(&["ingest", "export", "--dry-run"]);
    assert!(text.contains("companion: sidecar") && text.contains("2 get requests"), "{text}");
    assert_eq!(scene.json(&["status"])["size"].as_u64(), Some(1));
}

#[test]
fn usage_errors_end_with_4_and_help_with_0() {
    let scene = Scene::new();
    scene.exits(4, &["ingest"]);
    scene.exits(4, &["exhibit", "--out", "x"]);
    scene.exits(4, &["--frobnicate"]);
    let text = scene.exits(4, &["init", "other", "--origin", "two words"]);
    assert!(text.contains("origin: expected"), "{text}");
    for command in ["init", "ingest", "status", "list", "exhibit", "audit", "restore", "demo"] {
        let text = scene.ok(&[command, "--help"]);
        assert!(text.contains("Example:"), "{command}: {text}");
    }
    let quiet = scene.run(&["status", "-q"]);
    assert!(quiet.stdout.is_empty());
}

#[test]
fn the_demo_does_the_main_job() {
    let scene = Scene::new();
    let text = scene.ok(&["demo", "--keep", "demo"]);
    assert!(text.contains("NO ALTERATION FOUND"), "{text}");
    assert!(text.contains("ALTERATION OR INCONSISTENCY FOUND at step V3"), "{text}");
    assert!(text.contains("incomplete: the sidecar is missing"), "{text}");
    scene.exits(4, &["demo", "--keep", "demo"]);
}

#[test]
fn the_same_bytes_twice_stand_once_under_the_lowest_entry() {
    // Entries are sealed in another order than names have, and a recording may equal a companion:
    // an honest exhibit was once called altered for it.
    let scene = Scene::new();
    scene.recording("c-2", "r-2", b"the same");
    scene.ok(&["ingest", "export"]);
    scene.recording("c-1", "r-1", b"the same");
    let sidecar = scene.conversation("c-2").join("r-2.opus_metadata.json");
    std::fs::copy(sidecar, scene.media("c-0", "r-0", b"")).unwrap();
    scene.sidecar("c-0", "r-0");
    scene.ok(&["ingest", "export"]);
    scene.ok(&["exhibit", "--out", "exhibit", "--all"]);
    let (code, text) = scene.verify("exhibit");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_ledger_inside_its_source_would_hand_its_keys_over() {
    let scene = Scene::new();
    let text = scene.exits(4, &["ingest", ".", "--layout", "plain"]);
    assert!(text.contains("its private keys would be sealed"), "{text}");
}

#[test]
fn a_source_that_is_suddenly_empty_is_a_problem() {
    let scene = Scene::new();
    let media = scene.recording("c-1", "r-1", b"bytes");
    scene.ok(&["ingest", "export"]);
    std::fs::remove_dir_all(media.parent().unwrap()).unwrap();
    let text = scene.exits(2, &["ingest", "export"]);
    assert!(text.contains("is it mounted?"), "{text}");
}

#[test]
fn what_lies_in_a_conversations_folder_is_found_whatever_its_sidecar_says() {
    let scene = Scene::new();
    let media = scene.media(CONVERSATION, "r-1", b"one");
    let sidecar = format!("{}_metadata.json", media.display());
    std::fs::write(
        sidecar,
        r#"{"mediaType":"Call","conversationId":"c-other","recordingId":"r-other"}"#,
    )
    .unwrap();
    scene.exits(2, &["ingest", "export"]);
    for selector in [
        ["--conversation", CONVERSATION],
        ["--conversation", "c-other"],
        ["--recording", "r-1"],
        ["--recording", "r-other"],
    ] {
        assert!(scene.ok(&["list", selector[0], selector[1]]).contains("r-1.opus"), "{selector:?}");
        let out = format!("exhibit-{}", selector[1]);
        // What was incomplete when it was sealed is handed over, and said.
        let text = scene.exits(2, &["exhibit", selector[0], selector[1], "--out", &out]);
        assert!(text.contains("1 recording did not meet the completeness policy"), "{text}");
    }
}

#[test]
fn dates_that_leave_nothing_and_exhibits_inside_the_ledger_are_refused() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"one");
    let dates = ["ingest", "export", "--since", "2026-11-20", "--until", "2026-11-20"];
    let text = scene.exits(4, &dates);
    assert!(text.contains("is not before --until"), "{text}");
    scene.ok(&["ingest", "export"]);
    let text = scene.exits(4, &["ingest", "ledger/keys", "--layout", "plain"]);
    assert!(text.contains("private keys would be sealed"), "{text}");
    let text = scene.exits(4, &["exhibit", "--all", "--out", "ledger/log/exhibit.zip"]);
    assert!(text.contains("inside the ledger"), "{text}");
}

/// Runs a command line under `script`, which gives it a terminal.
fn on_a_terminal(scene: &Scene, line: &str) -> String {
    let program = env!("CARGO_BIN_EXE_unbroken");
    let mut command = std::process::Command::new("script");
    command.args(["-qec", &format!("{program} {line}"), "/dev/null"]);
    command.current_dir(scene.folder.path()).env_remove("NO_COLOR");
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let scene = Scene::new();
    let painted = "\u{1b}[31merror";
    assert!(on_a_terminal(&scene, "status --ledger nowhere").contains(painted));
    let plain = on_a_terminal(&scene, "status --ledger nowhere --no-color");
    assert!(plain.contains("error") && !plain.contains('\u{1b}'), "{plain:?}");
    // Elsewhere: `Scene::exits` refuses every escape.
    assert!(scene.exits(4, &["status", "--ledger", "nowhere"]).contains("error"));
}

/// A metadata file with these members beside the usual ones.
fn named_sidecar(scene: &Scene, id: &str, members: &str) {
    let text = format!(
        "{{\"mediaType\":\"Call\",\"conversationId\":\"{CONVERSATION}\",\"recordingId\":\"{id}\",{members}}}"
    );
    let name = format!("{id}.opus_metadata.json");
    std::fs::write(scene.conversation(CONVERSATION).join(name), text).unwrap();
}

// spec: A8 A9
#[test]
fn a_verdict_says_what_a_recordings_metadata_declares_and_what_is_odd_about_it() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"the same bytes");
    let media = scene.recording(CONVERSATION, "r-2", b"the same bytes");
    // A second and a half of 16,000 bytes a second.
    let mut wav =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data"
            .to_vec();
    wav.extend(24_000_u32.to_le_bytes());
    wav.extend(vec![0; 24_000]);
    scene.recording(CONVERSATION, "r-3", &wav);
    let times =
        "\"startTime\":\"2026-11-20T09:00:00.000+0100\",\"endTime\":\"2026-11-20T07:59:59.000Z\"";
    let sidecar = format!(
        "{{\"mediaType\":\"Call\",\"conversationId\":\"{CONVERSATION}\",\"recordingId\":\"r-2\",{times}}}"
    );
    std::fs::write(media.with_extension("opus_metadata.json"), sidecar).unwrap();
    scene.exits(2, &["ingest", "export"]);
    scene.exits(2, &["exhibit", "--all", "--out", "all.zip"]);
    let (code, text) = scene.verify("all.zip");
    assert_eq!(code, 0, "{text}");
    for said in [
        "declared    from \"2023-08-29T23:19:04.873+0000\", and no end is shown, 25.6 s long, as its entry says of its metadata\n",
        "declared    from \"2026-11-20T09:00:00.000+0100\" to \"2026-11-20T07:59:59.000Z\", as its entry says of its metadata\n",
        " its declared end; ",
        "odd         its declared end is before its declared start\n",
        "odd         entry 2, about another recording, commits to the same bytes\n",
        "measured    1.5 s: the sound that is in the file, as its own container counts it (an Ogg file by its last page, whatever is missing before it)\n",
        "odd         the length measured is not its declared duration\n",
        &format!(": call, recording \"r-2\", conversation \"{CONVERSATION}\"\n"),
        "; something is odd about 2.",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}
