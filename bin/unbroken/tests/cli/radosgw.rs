//! Against Ceph's radosgw, a real S3 server with versions, tags, locks, holds and users: run by
//! `tests/servers/with-radosgw cargo test -p unbroken --features real-servers --test cli -- radosgw::`.

use std::process::Command;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    BucketVersioningStatus, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention,
    ObjectLockRetentionMode, Tag, Tagging, VersioningConfiguration,
};
use tokio::runtime::Runtime;

use super::Scene;

pub(crate) fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: see the top of this file"))
}

/// A bucket of its own on the server, its owner, and a ledger.
pub(crate) struct Rgw {
    pub(crate) runtime: Runtime,
    pub(crate) owner: Client,
    pub(crate) bucket: String,
    pub(crate) scene: Scene,
}

const FOLDER: &str = "org-1/year=2026/month=9/day=5/hour=07/conversation_id=c-1";

impl Rgw {
    pub(crate) fn new(bucket: &str, with_lock: bool) -> Self {
        let runtime = Runtime::new().unwrap();
        let keys =
            Credentials::new(told("RADOSGW_KEY"), told("RADOSGW_SECRET"), None, None, "test");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(told("RADOSGW_ENDPOINT"))
            .credentials_provider(keys)
            .force_path_style(true)
            .build();
        let owner = Client::from_conf(config);
        let made = owner.create_bucket().bucket(bucket).object_lock_enabled_for_bucket(with_lock);
        runtime.block_on(made.send()).unwrap();
        let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let versions = owner.put_bucket_versioning().bucket(bucket).versioning_configuration(on);
        runtime.block_on(versions.send()).unwrap();
        Self { runtime, owner, bucket: bucket.to_owned(), scene: Scene::new() }
    }

    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        let body = ByteStream::from(bytes.to_vec());
        let put = self.owner.put_object().bucket(&self.bucket).key(key).body(body);
        let put = put
            .metadata("Legal-Hold-Tag", "matter 17")
            .tagging("matter=M-17&agent=Zo%C3%AB&reviewed=");
        self.runtime.block_on(put.send()).unwrap();
    }

    pub(crate) fn recording(&self, id: &str) -> String {
        let key = format!("{FOLDER}/{id}.opus");
        self.put(&key, format!("the bytes of {id}").as_bytes());
        let sidecar = format!(
            "{{\"mediaType\":\"Call\",\"conversationId\":\"c-1\",\"recordingId\":\"{id}\"}}"
        );
        self.put(&format!("{key}_metadata.json"), sidecar.as_bytes());
        key
    }

    pub(crate) fn hold(&self, key: &str, status: ObjectLockLegalHoldStatus) {
        let hold = ObjectLockLegalHold::builder().status(status).build();
        let put = self.owner.put_object_legal_hold().bucket(&self.bucket).key(key).legal_hold(hold);
        self.runtime.block_on(put.send()).unwrap();
    }

    fn retain(&self, key: &str) {
        let until = DateTime::from(SystemTime::now() + Duration::from_secs(86_400));
        let retention = ObjectLockRetention::builder()
            .mode(ObjectLockRetentionMode::Governance)
            .retain_until_date(until)
            .build();
        let put = self.owner.put_object_retention().bucket(&self.bucket).key(key);
        self.runtime.block_on(put.retention(retention).send()).unwrap();
    }

    pub(crate) fn allow(&self, actions: &str) {
        let (bucket, all) = (&self.bucket, format!("arn:aws:s3:::{}/*", self.bucket));
        let policy = format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":[\"arn:aws:iam:::user/other\"]}},\
             \"Action\":[{actions}],\"Resource\":[\"arn:aws:s3:::{bucket}\",\"{all}\"]}}]}}"
        );
        let put = self.owner.put_bucket_policy().bucket(bucket).policy(policy);
        self.runtime.block_on(put.send()).unwrap();
    }

    pub(crate) fn command(&self, user: &str, arguments: &[&str]) -> Command {
        let server =
            ["--endpoint-url", &told("RADOSGW_ENDPOINT"), "--region", "us-east-1", "--json"];
        let mut command = self.scene.command(&[arguments, &server].concat());
        command
            .env("AWS_ACCESS_KEY_ID", told(&format!("RADOSGW_{user}KEY")))
            .env("AWS_SECRET_ACCESS_KEY", told(&format!("RADOSGW_{user}SECRET")))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command
    }

    pub(crate) fn run(&self, user: &str, arguments: &[&str]) -> (i32, String) {
        let output = self.command(user, arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
    }

    pub(crate) fn ingest(&self, user: &str) -> (i32, String) {
        self.run(user, &["ingest", &format!("s3://{}/org-1/", self.bucket)])
    }

    /// The text of an exhibit of everything.
    fn exhibit(&self, name: &str) -> String {
        let (code, text) = self.run("", &["exhibit", "--out", name, "--all"]);
        assert_eq!(code, 0, "{text}");
        let (code, text) = self.scene.verify(name);
        assert_eq!(code, 0, "{text}");
        String::from_utf8_lossy(&std::fs::read(self.scene.path(name)).unwrap()).into_owned()
    }
}

/// A field of an opening that is shown.
fn says(opened: &str, source: &str, pointer: &str, value: &str) -> bool {
    let start = format!("\"{source}\",\"{pointer}\",\"");
    let end = format!("\",\"string\",\"{value}\"]");
    let mut fields = opened.split("],[");
    fields.any(|field| field.contains(&start) && format!("{field}]").contains(&end))
}

#[test]
fn everything_that_the_server_knows_of_an_object_is_sealed() {
    let rgw = Rgw::new("everything", true);
    let key = rgw.recording("r-1");
    rgw.hold(&key, ObjectLockLegalHoldStatus::On);
    rgw.retain(&key);
    let (code, text) = rgw.ingest("");
    assert_eq!(code, 0, "{text}");
    let opened = rgw.exhibit("exhibit.zip");
    for (source, pointer, value) in [
        ("s3-tag", "/matter", "M-17"),
        ("s3-tag", "/agent", "Zo\u{eb}"),
        ("object-lock", "/legal-hold", "ON"),
        ("object-lock", "/mode", "GOVERNANCE"),
        ("s3-header", "/x-amz-meta-legal-hold-tag", "matter 17"),
        ("s3-readable", "/tags", "yes"),
        ("s3-readable", "/legal-hold", "yes"),
        ("s3-readable", "/retention", "yes"),
        ("observed", "/compared", "etag (md5)"),
    ] {
        assert!(says(&opened, source, pointer, value), "{source}{pointer} {value}: {opened}");
    }
    assert!(!says(&opened, "object", "/version", ""), "the version is sealed: {opened}");
}

#[test]
fn what_may_not_be_seen_is_not_taken_for_absent() {
    let rgw = Rgw::new("denied", true);
    let key = rgw.recording("r-1");
    rgw.hold(&key, ObjectLockLegalHoldStatus::On);
    rgw.allow("\"s3:ListBucket\",\"s3:GetObject\",\"s3:GetObjectVersion\"");
    let (code, text) = rgw.ingest("OTHER_");
    assert_eq!(code, 2, "{text}");
    for permission in ["s3:GetObjectTagging", "s3:GetObjectLegalHold", "s3:GetObjectRetention"] {
        assert!(text.contains(permission), "{permission}: {text}");
    }
    let opened = rgw.exhibit("exhibit.zip");
    for (pointer, value) in [
        ("/tags", "no: s3:GetObjectTagging and s3:GetObjectVersionTagging"),
        ("/legal-hold", "no: s3:GetObjectLegalHold"),
        ("/retention", "no: s3:GetObjectRetention"),
    ] {
        assert!(says(&opened, "s3-readable", pointer, value), "{pointer}: {opened}");
    }
    assert!(!opened.contains("\"object-lock\""), "{opened}");
}

impl Rgw {
    fn state(&self, user: &str) -> (i32, serde_json::Value, String) {
        let source = format!("s3://{}/org-1/", self.bucket);
        let output = self.command(user, &["state", &source]).output().unwrap();
        let text =
            String::from_utf8_lossy(&[output.stdout.clone(), output.stderr].concat()).into_owned();
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect(&text);
        (output.status.code().unwrap(), document["sources"][0].clone(), text)
    }
}

fn numbers(source: &serde_json::Value) -> [u64; 4] {
    ["checked", "held", "changed", "unread"].map(|name| source[name].as_u64().unwrap())
}

/// The first field report's hold: set, seen, lifted by night, and proven to be "ON" for ever.
#[test]
fn a_hold_that_is_set_or_lifted_is_noticed_once_and_the_exhibit_shows_the_newest_state() {
    let rgw = Rgw::new("lifted", true);
    let (held, free) = (rgw.recording("held"), rgw.recording("free"));
    rgw.hold(&held, ObjectLockLegalHoldStatus::On);
    assert_eq!(rgw.ingest("").0, 0);
    let (code, source, text) = rgw.state("");
    assert_eq!((code, numbers(&source)), (0, [2, 1, 0, 0]), "{text}");
    rgw.hold(&held, ObjectLockLegalHoldStatus::Off);
    rgw.hold(&free, ObjectLockLegalHoldStatus::On);
    // A listing shows nothing of it.
    assert_eq!(rgw.ingest("").0, 0);
    let (code, source, text) = rgw.state("");
    assert_eq!((code, numbers(&source)), (2, [2, 1, 2, 0]), "{text}");
    assert!(text.contains("object-lock/legal-hold was ON, and is OFF"), "{text}");
    assert!(text.contains("object-lock/legal-hold was not there, and is ON"), "{text}");
    let (code, source, text) = rgw.state("");
    assert_eq!((code, numbers(&source)), (0, [2, 1, 0, 0]), "{text}");
    let opened = rgw.exhibit("exhibit.zip");
    assert!(says(&opened, "before", "/object-lock/legal-hold", "ON"), "{opened}");
    let (_, verdict) = rgw.scene.verify("exhibit.zip");
    assert!(verdict.contains("observation/what: changed"), "{verdict}");
    assert!(verdict.contains("before/object-lock/legal-hold: ON"), "{verdict}");
    rgw.scene.ok(&["audit"]);
}

#[test]
fn a_tag_that_is_changed_or_removed_is_noticed() {
    let rgw = Rgw::new("tags", false);
    let key = rgw.recording("r-1");
    assert_eq!(rgw.ingest("").0, 0);
    let tag = |name: &str, value: &str| Tag::builder().key(name).value(value).build().unwrap();
    let tags = Tagging::builder().tag_set(tag("matter", "M-18")).build().unwrap();
    let put = rgw.owner.put_object_tagging().bucket(&rgw.bucket).key(&key).tagging(tags);
    rgw.runtime.block_on(put.send()).unwrap();
    let (code, source, text) = rgw.state("");
    assert_eq!((code, numbers(&source)), (2, [1, 0, 1, 0]), "{text}");
    assert!(text.contains("s3-tag/matter was M-17, and is M-18"), "{text}");
    assert!(
        text.contains("s3-tag/agent was Zo\\u{eb}, and is not there")
            || text.contains("s3-tag/agent was Zo\u{eb}, and is not there"),
        "{text}"
    );
    assert_eq!(rgw.state("").0, 0);
}

/// A recording that is sealed again for another reason must not swallow a hold that was lifted.
#[test]
fn an_ingest_that_seals_anew_tells_of_the_hold_too() {
    let rgw = Rgw::new("swallowed", true);
    let key = rgw.recording("r-1");
    rgw.hold(&key, ObjectLockLegalHoldStatus::On);
    assert_eq!(rgw.ingest("").0, 0);
    rgw.hold(&key, ObjectLockLegalHoldStatus::Off);
    rgw.put(
        &format!("{FOLDER}/c-1-x.transcript.json"),
        b"{\"conversationId\":\"c-1\",\"transcripts\":[]}",
    );
    let (code, text) = rgw.ingest("");
    assert!(code == 2 && text.contains("object-lock/legal-hold was ON, and is OFF"), "{text}");
    assert_eq!(rgw.state("").0, 0);
}

/// Everything below a prefix is deleted: the worst of deletions is told like any other.
#[test]
fn a_prefix_that_was_emptied_is_told_object_by_object() {
    let rgw = Rgw::new("emptied", false);
    let keys = [rgw.recording("r-1"), rgw.recording("r-2")];
    assert_eq!(rgw.ingest("").0, 0);
    for key in keys.iter().flat_map(|key| [key.clone(), format!("{key}_metadata.json")]) {
        let delete = rgw.owner.delete_object().bucket(&rgw.bucket).key(key);
        rgw.runtime.block_on(delete.send()).unwrap();
    }
    let (code, text) = rgw.ingest("");
    assert!(code == 2 && text.contains("\"gone\": 2"), "{text}");
    let (code, text) = rgw.ingest("");
    assert!(code == 4 && text.contains("there is no object"), "{text}");
}

/// Rights that are taken away: a hold that may not be seen is not a hold that was lifted.
#[test]
fn a_hold_that_may_not_be_seen_any_more_was_not_lifted() {
    let rgw = Rgw::new("blind", true);
    let key = rgw.recording("r-1");
    rgw.hold(&key, ObjectLockLegalHoldStatus::On);
    assert_eq!(rgw.ingest("").0, 0);
    rgw.allow("\"s3:ListBucket\",\"s3:GetObject\",\"s3:GetObjectVersion\"");
    let (code, source, text) = rgw.state("OTHER_");
    assert_eq!((code, numbers(&source)), (2, [1, 0, 0, 0]), "{text}");
    assert!(text.contains("s3:GetObjectLegalHold"), "{text}");
    let (code, source, text) = rgw.state("");
    assert_eq!((code, numbers(&source)), (0, [1, 1, 0, 0]), "{text}");
}

/// A delete marker hides an object from the listing; the version stays below it.
#[test]
fn a_deletion_and_its_undoing_are_noticed() {
    let rgw = Rgw::new("deleted", false);
    let key = rgw.recording("r-1");
    rgw.recording("r-2");
    assert_eq!(rgw.ingest("").0, 0);
    let delete = rgw.owner.delete_object().bucket(&rgw.bucket).key(&key);
    let marker = rgw.runtime.block_on(delete.send()).unwrap();
    let (code, text) = rgw.ingest("");
    assert!(code == 2 && text.contains("not there any more"), "{text}");
    let undo = rgw.owner.delete_object().bucket(&rgw.bucket).key(&key);
    let undo = undo.set_version_id(marker.version_id().map(str::to_owned));
    rgw.runtime.block_on(undo.send()).unwrap();
    let (code, text) = rgw.ingest("");
    assert!(code == 2 && text.contains("there again"), "{text}");
    let (code, text) = rgw.ingest("");
    assert_eq!(code, 0, "{text}");
    rgw.scene.ok(&["audit"]);
}

/// The fifth field report asked why; each missing permission is told by itself, with what it costs.
#[test]
fn the_doctor_tells_each_missing_permission_and_setting() {
    let rgw = Rgw::new("doctor", true);
    let key = rgw.recording("r-1");
    rgw.hold(&key, ObjectLockLegalHoldStatus::On);
    let examine = |user: &str| {
        let (code, text) = rgw.run(user, &["doctor", &format!("s3://{}/org-1/", rgw.bucket)]);
        let document: serde_json::Value = serde_json::from_str(&text).expect(&text);
        let checks = document["sources"][0]["checks"].as_array().unwrap().clone();
        let health: Vec<String> = checks
            .iter()
            .map(|check| {
                format!("{} {}", check["what"].as_str().unwrap(), check["health"].as_str().unwrap())
            })
            .collect();
        (code, health.join(", "), text)
    };
    let (code, health, text) = examine("");
    let all = "listing good, reading good, versions good, checksum good, tags good, legal holds good, retention good, earlier versions good, versioning good, Object Lock good";
    assert_eq!((code, health.as_str()), (0, all), "{text}");
    let (code, health, text) = examine("OTHER_");
    assert_eq!((code, health.as_str()), (2, "listing bad"), "{text}");
    rgw.allow("\"s3:ListBucket\",\"s3:GetObject\"");
    let (code, health, text) = examine("OTHER_");
    let some = "listing good, reading good, versions bad, checksum good, tags bad, legal holds bad, retention bad, earlier versions advice, versioning not known, Object Lock not known";
    assert_eq!((code, health.as_str()), (2, some), "{text}");
    for permission in [
        "s3:GetObjectVersion",
        "s3:GetObjectTagging",
        "s3:GetObjectLegalHold",
        "s3:GetObjectRetention",
        "s3:ListBucketVersions",
        "s3:GetBucketVersioning",
        "s3:GetBucketObjectLockConfiguration",
    ] {
        assert!(text.contains(&format!("grant {permission}")), "{permission}: {text}");
    }
    rgw.allow("\"s3:ListBucket\"");
    let (code, health, text) = examine("OTHER_");
    assert!(
        code == 2 && health.starts_with("listing good, reading bad, earlier versions advice"),
        "{text}"
    );
}

#[test]
fn in_a_bucket_without_locks_their_absence_is_known() {
    let rgw = Rgw::new("no-locks", false);
    rgw.recording("r-1");
    let (code, text) = rgw.ingest("");
    assert_eq!(code, 0, "{text}");
    let opened = rgw.exhibit("exhibit.zip");
    assert!(says(&opened, "s3-readable", "/legal-hold", "yes"), "{opened}");
    assert!(!opened.contains("\"object-lock\""), "{opened}");
}

#[test]
fn whoever_may_not_list_is_told_so() {
    let rgw = Rgw::new("closed", false);
    rgw.recording("r-1");
    let (code, text) = rgw.ingest("OTHER_");
    assert!(code == 4 && text.contains("s3:ListBucket"), "{text}");
}

/// Keys as people and programs make them, line feeds and all.
#[test]
fn keys_of_any_text_are_sealed_and_packed() {
    let rgw = Rgw::new("keys", false);
    let keys = [
        "two words.wav",
        "\u{dc}ml+a%20ut&.wav",
        "a/../b.wav",
        "line\nfeed.wav",
        "tab\t.wav",
        "<&>\".wav",
    ];
    for key in keys {
        rgw.put(&format!("org-1/{key}"), key.as_bytes());
    }
    let source = format!("s3://{}/org-1/", rgw.bucket);
    let (code, text) = rgw.run("", &["ingest", &source, "--layout", "plain"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(rgw.scene.sealed().len(), keys.len());
    rgw.exhibit("exhibit.zip");
}

#[test]
fn a_listing_of_more_than_one_page_comes_whole() {
    let rgw = Rgw::new("many", false);
    std::thread::scope(|scope| {
        for part in 0..8 {
            let rgw = &rgw;
            scope
                .spawn(move || (0..65).for_each(|n| drop(rgw.recording(&format!("r-{part}-{n}")))));
        }
    });
    let (code, text) = rgw.ingest("");
    assert_eq!(code, 0, "{text}");
    assert_eq!(rgw.scene.sealed().len(), 520);
    let (code, text) = rgw.ingest("");
    assert!(code == 0 && text.contains("\"unchanged\": 1040"), "{text}");
}
