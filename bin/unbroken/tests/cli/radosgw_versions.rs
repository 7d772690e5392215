//! Versions and delete markers on a real S3 server: what was overwritten or deleted before anybody looked.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use serde_json::Value;
use unbroken_ledger::ledger::private_path;
use unbroken_ledger::private::Private;
use unbroken_ledger::reader::LogReader;

use super::radosgw::Rgw;

const CALL: &str = "org-1/year=2026/month=9/day=5/hour=07/conversation_id=c-1/r-1.opus";

/// What each entry about a recording says, the oldest first, and the text of all of it.
fn history(rgw: &Rgw, id: &str) -> (Vec<String>, String) {
    let output = rgw.scene.command(&["history", "--json", "--recording", id]).output().unwrap();
    let text =
        String::from_utf8_lossy(&[output.stdout.clone(), output.stderr].concat()).into_owned();
    let document: Value = serde_json::from_slice(&output.stdout).expect(&text);
    let entries = document["recordings"][0]["entries"].as_array().expect(&text).clone();
    let said = |entry: &Value| {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("kind"), text("what"))
    };
    (entries.iter().map(said).collect(), text)
}

impl Rgw {
    fn all_versions(&self, user: &str) -> (i32, Value, String) {
        let source = format!("s3://{}/org-1/", self.bucket);
        let output = self.command(user, &["ingest", "--all-versions", &source]).output().unwrap();
        let text =
            String::from_utf8_lossy(&[output.stdout.clone(), output.stderr].concat()).into_owned();
        let document: Value = serde_json::from_slice(&output.stdout).expect(&text);
        (output.status.code().unwrap(), document["sources"][0].clone(), text)
    }

    fn versioning(&self, status: BucketVersioningStatus) {
        let kept = VersioningConfiguration::builder().status(status).build();
        let put = self.owner.put_bucket_versioning().bucket(&self.bucket);
        self.runtime.block_on(put.versioning_configuration(kept).send()).unwrap();
    }

    fn delete(&self, key: &str) {
        let delete = self.owner.delete_object().bucket(&self.bucket).key(key);
        self.runtime.block_on(delete.send()).unwrap();
    }
}

/// What the last run says of versions in its own entry.
fn versions_said(rgw: &Rgw) -> String {
    let folder = rgw.scene.path("ledger");
    let mut reader = LogReader::open(&folder).unwrap();
    let private = Private::open_to_read(&private_path(&folder)).unwrap();
    let last = reader.checkpoint().size - 1;
    let entry = reader.entry(last).unwrap();
    let opening = private.opening_of(last, &entry).unwrap().unwrap();
    opening.value("pass", "/versions").unwrap().to_owned()
}

/// Sealed, sealed again, earlier versions, told of.
fn counts(source: &Value) -> [u64; 4] {
    ["sealed", "sealed_again", "earlier_versions", "versions_told"]
        .map(|name| source[name].as_u64().unwrap())
}

/// A recording that was replaced before anybody looked: its first bytes are still in the bucket, are sealed
/// first, and an exhibit has both.
#[test]
fn what_was_overwritten_before_the_first_run_is_sealed_first() {
    let rgw = Rgw::new("versions-first", false);
    rgw.put(CALL, b"the call as it was made");
    rgw.put(CALL, b"the call as somebody cut it");
    let key = rgw.recording("r-1");
    assert_eq!(key, CALL);
    let (code, source, text) = rgw.all_versions("");
    assert_eq!((code, counts(&source)), (2, [0, 1, 2, 0]), "{text}");
    assert!(text.contains("its bytes changed since entry"), "{text}");
    assert_eq!(versions_said(&rgw), "every one");
    // Nothing is left to do.
    let (code, source, text) = rgw.all_versions("");
    assert_eq!((code, counts(&source)), (0, [0, 0, 0, 0]), "{text}");
    let (code, text) = rgw.run("", &["exhibit", "--out", "all.zip", "--all"]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = rgw.scene.verify("all.zip");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("BYTES OF RECORDINGS WERE REPLACED 2 times"), "{text}");
    assert!(text.contains("the bytes of 3 of 3 recording entries agree"), "{text}");
    let packed =
        String::from_utf8_lossy(&std::fs::read(rgw.scene.path("all.zip")).unwrap()).into_owned();
    assert!(packed.contains("the call as it was made"), "the first bytes are packed");
    rgw.scene.ok(&["audit"]);
    let (said, text) = history(&rgw, "r-1");
    let earlier = said.iter().map(|one| one.contains(", as an earlier version of its object:"));
    assert_eq!(earlier.collect::<Vec<_>>(), [true, true, false], "{text}");
}

/// Between two runs: a recording written twice, its sidecar amended twice, a deletion undone, and a recording
/// that came and went. Each is told, and none a second time.
#[test]
fn what_came_and_went_between_two_runs_is_told() {
    let rgw = Rgw::new("versions-between", false);
    let key = rgw.recording("r-1");
    let (code, source, text) = rgw.all_versions("");
    assert_eq!((code, counts(&source)), (0, [1, 0, 0, 0]), "{text}");
    rgw.put(&key, b"other bytes");
    rgw.put(&key, b"and others again");
    let sidecar = format!("{key}_metadata.json");
    for note in ["one", "two"] {
        let amended = format!(
            "{{\"mediaType\":\"Call\",\"conversationId\":\"c-1\",\"recordingId\":\"r-1\",\"note\":\"{note}\"}}"
        );
        rgw.put(&sidecar, amended.as_bytes());
    }
    let short_lived = rgw.recording("r-2");
    rgw.delete(&short_lived);
    rgw.delete(&format!("{short_lived}_metadata.json"));
    let undone = rgw.recording("r-3");
    rgw.delete(&undone);
    rgw.put(&undone, b"the bytes of r-3");
    let (code, source, text) = rgw.all_versions("");
    // Earlier versions: of r-1 the second, of r-2 and r-3 the first. Told of: two sidecars of r-1 (the first is
    // in an entry, and not known to be), one of r-2, the markers of r-2, its sidecar and r-3.
    assert_eq!((code, counts(&source)), (2, [0, 2, 3, 6]), "{text}");
    assert!(text.contains("it was deleted on"), "{text}");
    assert!(text.contains("it is not there any more"), "r-2 is gone: {text}");
    let (said, text) = history(&rgw, "r-1");
    assert_eq!(said.iter().filter(|one| one.starts_with("recording")).count(), 3, "{text}");
    assert_eq!(said.iter().filter(|one| one.contains("had a version of")).count(), 2, "{text}");
    let (said, text) = history(&rgw, "r-2");
    assert!(said.iter().any(|one| one.contains("a delete marker of")), "{text}");
    let (code, source, text) = rgw.all_versions("");
    assert_eq!((code, counts(&source)), (0, [0, 0, 0, 0]), "{text}");
    rgw.scene.ok(&["audit"]);
    let (code, text) = rgw.run("", &["exhibit", "--out", "all.zip", "--all"]);
    assert!(code == 0 || code == 2, "{text}");
    let (code, text) = rgw.scene.verify("all.zip");
    assert!(code == 0 || code == 2, "{text}");
}

/// Asked for later, what is older than what is sealed is told of: no entry may stand behind a newer one.
#[test]
fn what_is_older_than_what_is_sealed_is_told_of() {
    let rgw = Rgw::new("versions-later", false);
    rgw.put(CALL, b"the call as it was made");
    rgw.recording("r-1");
    assert_eq!(rgw.ingest("").0, 0);
    let (code, source, text) = rgw.all_versions("");
    assert_eq!((code, counts(&source)), (0, [0, 0, 0, 1]), "{text}");
    let (said, text) = history(&rgw, "r-1");
    assert_eq!(said.len(), 2, "{text}");
    assert!(said[1].contains("had a version of"), "{text}");
    // It is known from then on like everything else that was sealed of the recording.
    let (code, source, text) = rgw.all_versions("");
    assert_eq!((code, counts(&source)), (0, [0, 0, 0, 0]), "{text}");
}

/// A recording that was deleted before anybody looked is sealed under no policy. When its deletion is undone it is
/// there like every other one, and is judged; and a marker that nothing followed is no deletion that was undone.
#[test]
fn what_comes_back_is_judged_like_everything_that_is_there() {
    let rgw = Rgw::new("versions-back", false);
    rgw.put(CALL, b"without a sidecar");
    let delete = || {
        let delete = rgw.owner.delete_object().bucket(&rgw.bucket).key(CALL);
        rgw.runtime.block_on(delete.send()).unwrap().version_id().unwrap().to_owned()
    };
    let marker = delete();
    let (code, source, text) = rgw.all_versions("");
    assert_eq!((code, counts(&source)), (2, [0, 0, 1, 1]), "{text}");
    assert!(!text.contains("written again"), "{text}");
    let undo = rgw.owner.delete_object().bucket(&rgw.bucket).key(CALL).version_id(marker);
    rgw.runtime.block_on(undo.send()).unwrap();
    let source = format!("s3://{}/org-1/", rgw.bucket);
    let policy =
        "format = \"unbroken/policy@v1\"\nname = \"ours\"\n[[companion]]\nrole = \"sidecar\"\n";
    std::fs::write(rgw.scene.path("ours.toml"), policy).unwrap();
    let (code, text) = rgw.run("", &["ingest", "--policy", "ours.toml", &source]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("it is there as the current version since entry"), "{text}");
    assert!(text.contains("the sidecar is missing"), "{text}");
    let (code, text) = rgw.run("", &["ingest", "--policy", "ours.toml", &source]);
    assert_eq!(code, 0, "{text}");
}

/// Where versioning was suspended for a time, each version written then is called `null`, and takes the place of
/// the last one that was.
#[test]
fn versions_that_have_no_id_of_their_own_are_told_apart() {
    let rgw = Rgw::new("versions-null", false);
    rgw.recording("r-1");
    let without_id = |bytes: &[u8]| {
        rgw.versioning(BucketVersioningStatus::Suspended);
        rgw.put(CALL, bytes);
        rgw.versioning(BucketVersioningStatus::Enabled);
    };
    without_id(b"while it was suspended");
    rgw.put(CALL, b"and after it");
    let (code, source, text) = rgw.all_versions("");
    assert_eq!((code, counts(&source)), (2, [0, 1, 2, 0]), "{text}");
    without_id(b"while it was suspended again");
    rgw.put(CALL, b"and after that");
    let (code, source, text) = rgw.all_versions("");
    assert_eq!((code, counts(&source)), (2, [0, 1, 1, 0]), "{text}");
    let (code, source, text) = rgw.all_versions("");
    assert_eq!((code, counts(&source)), (0, [0, 0, 0, 0]), "{text}");
}

/// Who may not list versions is told, and everything else goes on.
#[test]
fn a_right_that_is_missing_is_named() {
    let rgw = Rgw::new("versions-denied", false);
    let key = rgw.recording("r-1");
    rgw.put(&key, b"other bytes");
    rgw.allow(
        "\"s3:ListBucket\",\"s3:GetObject\",\"s3:GetObjectVersion\",\"s3:GetObjectTagging\",\"s3:GetObjectVersionTagging\",\
         \"s3:GetObjectLegalHold\",\"s3:GetObjectRetention\"",
    );
    let (code, source, text) = rgw.all_versions("OTHER_");
    assert_eq!((code, counts(&source)), (2, [1, 0, 0, 0]), "{text}");
    assert!(text.contains("s3:ListBucketVersions"), "{text}");
    let not_all = "every one was asked for, and not all could be looked at";
    assert_eq!(versions_said(&rgw), not_all);
    // They may be listed, and not read: what is sealed says that too.
    rgw.allow("\"s3:ListBucket\",\"s3:ListBucketVersions\",\"s3:GetObject\"");
    let (code, _, text) = rgw.all_versions("OTHER_");
    assert_eq!((code, versions_said(&rgw).as_str()), (2, not_all), "{text}");
    assert!(text.contains("its version of"), "{text}");
}
