//! The five field reports behind this program, each as its author met it: the export said that it was done, and
//! what the court asked for was not there.

use super::bucket::Cloud;
use super::{CONVERSATION, Scene};

const CHAT: &str = "f3a0d1b2-6c7d-4e8f-9a0b-1c2d3e4f5a6b";

/// A chat or message with a sidecar, as Genesys Cloud writes it.
fn chat(scene: &Scene, media: &str, document: &str) {
    let folder = scene.conversation(CONVERSATION);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{CHAT}.json")), document).unwrap();
    std::fs::write(folder.join(format!("{CHAT}.json_metadata.json")), sidecar(media)).unwrap();
}

fn sidecar(media: &str) -> String {
    format!(
        "{{\"mediaType\":\"{media}\",\"conversationId\":\"{CONVERSATION}\",\"recordingId\":\"{CHAT}\",\
         \"startTime\":\"2026-09-05T07:31:00.000+0000\",\"endTime\":\"2026-09-05T07:33:00.000+0000\"}}"
    )
}

fn policy(scene: &Scene, rules: &str) -> String {
    let text = format!("format = \"unbroken/policy@v1\"\nname = \"ours\"\n{rules}");
    std::fs::write(scene.path("ours.toml"), text).unwrap();
    "ours.toml".to_owned()
}

fn remarks(document: &serde_json::Value) -> Vec<(String, String)> {
    let of = |one: &serde_json::Value, name: &str| one[name].as_str().unwrap().to_owned();
    let remarks = document["sources"][0]["remarks"].as_array().unwrap();
    remarks.iter().map(|one| (of(one, "sort"), of(one, "what"))).collect()
}

#[test]
fn web_chat_attributes_that_were_set_in_a_flow_are_not_offered_by_the_export() {
    let scene = Scene::new();
    chat(&scene, "Chat", "{\"messages\":[]}");
    let ours = policy(
        &scene,
        "[[field]]\nname = \"matter\"\nfrom = [\"sidecar/customAttributes\", \"conversation/participants/*/attributes/matter_id\"]\n",
    );
    let document = scene.json(&["ingest", "export", "--policy", &ours]);
    assert_eq!(document["exit_code"], 0, "{document}");
    let [(sort, what)] = &remarks(&document)[..] else { panic!("{document}") };
    assert_eq!(sort, "not-offered");
    assert!(
        what.contains(
            "matter: the export never carries it; it is with the participants of the conversation"
        ),
        "{what}"
    );
    // The run's own entry says it too, and an exhibit shows that entry.
    scene.ok(&["exhibit", "--all", "--out", "x"]);
    let openings = std::fs::read_dir(scene.path("x/data/openings")).unwrap();
    let texts: Vec<String> =
        openings.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains("/remarks/0") && text.contains("not-offered")));
    // A conversation document that comes beside it, without the attribute, is another matter.
    let document = format!(
        "{{\"id\":\"{CONVERSATION}\",\"participants\":[{{\"attributes\":{{\"Matter-ID\":\"M-17\"}}}}]}}"
    );
    std::fs::write(scene.conversation(CONVERSATION).join("c.json"), document).unwrap();
    let text = scene.exits(2, &["ingest", "export", "--policy", &ours]);
    let near = "matter is missing: not in conversation/participants/*/attributes/matter_id; conversation/participants/0/attributes/Matter-ID may be meant [field-missing]";
    assert!(text.contains(near), "{text}");
}

#[test]
fn voice_tags_of_a_desktop_script_are_not_in_custom_data() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"sound");
    let ours = policy(
        &scene,
        "[[field]]\nname = \"script tags\"\nfrom = [\"sidecar/custom_data\", \"genesys-api/attributes\"]\n",
    );
    let document = scene.json(&["ingest", "export", "--policy", &ours]);
    let remarks = remarks(&document);
    assert_eq!(remarks[0].0, "not-offered", "{document}");
    assert!(remarks[0].1.contains("platform's API"), "{remarks:?}");
    assert_eq!(document["sources"][0]["incomplete"], 0);
}

#[test]
fn a_whatsapp_export_without_its_hold_header_is_told_as_what_it_is() {
    let cloud = Cloud::new();
    let key = cloud.recording("r-1");
    let ours = policy(
        &cloud.scene,
        "[[field]]\nname = \"hold header\"\nfrom = \"s3-header/x-amz-meta-legal-hold-tag\"\n\
         [[field]]\nname = \"hold\"\nfrom = \"s3-tag/legal-hold\"\n",
    );
    let (code, text, document) = cloud.run(&["ingest", "s3://exports/org-1/", "--policy", &ours]);
    assert_eq!(code, 2, "{text}");
    let [(sort, what)] = &remarks(&document)[..] else { panic!("{document}") };
    assert!(
        sort == "not-offered" && what.contains("nobody: the platform writes no metadata"),
        "{what}"
    );
    let problem =
        &document["problems"].as_array().unwrap().iter().find(|one| one["key"] == key.as_str());
    let finding = &problem.unwrap()["findings"][0];
    // The tags of this server may not be read: that is said, and not that there is none.
    assert_eq!(finding["code"], "not-readable", "{finding}");
    // Where somebody sets the header all the same, it is there.
    cloud.bucket.describe(&key, "legal-hold-tag", "matter 17");
    cloud.bucket.put(&key, b"other bytes, for a copy in place is a new object");
    let (_, _, document) = cloud.run(&["ingest", "s3://exports/org-1/", "--policy", &ours]);
    assert_eq!(remarks(&document), []);
}

#[test]
fn a_whatsapp_chat_without_hold_audit_id_and_times_is_never_complete() {
    let scene = Scene::new();
    let document = "{\"channel\":\"whatsapp\",\"messages\":[{\"id\":\"1\",\"content\":\"Please confirm.\",\
                    \"timestamp\":\"2026-09-05T07:31:00Z\"},{\"id\":\"2\",\"content\":\"Confirmed.\"}]}";
    chat(&scene, "Message", document);
    let text = scene.exits(2, &["ingest", "export", "--policy", "legal-discovery"]);
    let missing = "time of each message: document/messages/1/timestamp is missing [field-missing]";
    assert!(text.contains(missing), "{text}");
    assert!(text.contains("not-offered: audit record: the export never carries it"), "{text}");
    assert!(text.contains("not-offered: legal hold: the export never carries it"), "{text}");
    // The finding stays: in the list, with what mends it, in the history, and in the verdict.
    let list = scene.ok(&["list", "--incomplete"]);
    assert!(list.contains(missing) && list.contains("put the object there again"), "{list}");
    let entry = &scene.json(&["list", "--incomplete"])["entries"][0];
    assert_eq!(entry["findings"][0]["code"], "field-missing", "{entry}");
    let history = scene.ok(&["history", "--recording", CHAT]);
    assert!(history.contains("INCOMPLETE: time of each message"), "{history}");
    scene.exits(2, &["exhibit", "--all", "--out", "x.zip"]);
    let (code, verdict) = scene.verify("x.zip");
    assert_eq!(code, 0, "{verdict}");
    assert!(verdict.contains(missing), "{verdict}");
    assert!(verdict.contains("\"legal-discovery\": \"format = "), "{verdict}");
    assert!(!verdict.contains("Please confirm"), "{verdict}");
}

/// PutObject allowed, PutObjectTagging and PutObjectLegalHold not: the tag never came, and S3 shows nobody why.
#[test]
fn a_hold_that_s3_refused_is_asked_for_by_name() {
    let cloud = Cloud::new();
    cloud.recording("r-1");
    let ours =
        policy(&cloud.scene, "[[field]]\nname = \"hold\"\nfrom = \"object-lock/legal-hold\"\n");
    let (code, text, document) = cloud.run(&["ingest", "s3://exports/org-1/", "--policy", &ours]);
    assert_eq!((code, document["sources"][0]["incomplete"].as_u64()), (2, Some(1)), "{text}");
    let list = cloud.scene.json(&["list", "--incomplete"]);
    let finding = &list["entries"][0]["findings"][0];
    assert!(finding["mend"].as_str().unwrap().contains("unbroken doctor"), "{finding}");
    assert!(
        finding["sentence"]
            .as_str()
            .unwrap()
            .starts_with("hold: whether object-lock/legal-hold is there cannot be told"),
        "{finding}"
    );
}

#[test]
fn a_policy_is_checked_against_what_is_sealed_before_it_is_used() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"sound");
    scene.recording(CONVERSATION, "r-2", b"more sound");
    scene.media(CONVERSATION, "r-3", b"alone");
    scene.exits(2, &["ingest", "export"]);
    let text = scene.exits(2, &["policy", "check", "legal-discovery"]);
    assert!(
        text.contains(
            "policy legal-discovery: understood, 18 rules\n0 of 3 recordings would meet it\n"
        ),
        "{text}"
    );
    assert!(
        text.contains(
            "2 recordings, entry 2 for one: end is missing: not in sidecar/endTime [field-missing]"
        ),
        "{text}"
    );
    assert!(
        text.contains("1 recording, entry 4 for one: the sidecar is missing [companion-missing]"),
        "{text}"
    );
    let document = scene.json(&["policy", "check", "genesys-default"]);
    assert_eq!(document["ledger"]["incomplete"], 1, "{document}");
    assert_eq!(document["ledger"]["findings"][0]["first"], 4);
    // When the sidecar has come, the newest entry counts.
    scene.sidecar(CONVERSATION, "r-3");
    scene.exits(2, &["ingest", "export"]);
    let text = scene.ok(&["policy", "check", "genesys-default"]);
    assert!(text.contains("3 of 3 recordings would meet it"), "{text}");
    // A ready policy that is printed is a policy.
    std::fs::write(scene.path("copy.toml"), scene.ok(&["policy", "show", "legal-discovery"]))
        .unwrap();
    let copy = scene.json(&["policy", "check", "copy.toml"]);
    assert_eq!(copy["name"], "legal-discovery");
    assert_eq!(
        scene.ok(&["policy", "show"]),
        "genesys-default\nlegal-discovery\nconnect-default\n"
    );
}

#[test]
fn what_is_no_policy_touches_nothing() {
    let scene = Scene::new();
    scene.recording(CONVERSATION, "r-1", b"sound");
    let size = scene.json(&["status"])["size"].clone();
    let wrong = policy(&scene, "[[field]]\nname = \"a\"\nform = \"sidecar/a\"\n");
    let text = scene.exits(4, &["ingest", "export", "--policy", &wrong]);
    assert!(
        text.contains(
            "policy ours.toml: line 5: [[field]] has no member `form`; do you mean `from`?"
        ),
        "{text}"
    );
    for (policy, why) in [
        ("export", "not a file"),
        ("nowhere.toml", "No such file"),
        ("/dev/null", "not a file"),
        (
            "genesys-defaults",
            "genesys-default, legal-discovery, connect-default come with the program",
        ),
    ] {
        let text = scene.exits(4, &["policy", "check", policy]);
        assert!(text.contains(why), "{policy}: {text}");
    }
    let text = scene.exits(4, &["policy", "show", "another"]);
    assert!(text.contains("it is one of genesys-default, legal-discovery"), "{text}");
    assert_eq!(scene.json(&["status"])["size"], size);
}

/// One id in two conversations: one of the two is under the wrong name.
#[test]
fn an_id_in_two_conversations_is_told_with_the_other_entry() {
    let scene = Scene::new();
    scene.recording("c-1", "r-1", b"sound");
    scene.ok(&["ingest", "export"]);
    scene.recording("c-2", "r-1", b"other sound");
    let text = scene.exits(2, &["ingest", "export"]);
    let finding =
        "the recording's id stands in another conversation too, in entry 2 [two-conversations]";
    assert!(text.contains(finding), "{text}");
}
