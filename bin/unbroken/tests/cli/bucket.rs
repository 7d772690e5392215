//! A bucket as a source: sealed, skipped, packed; and every way in which S3 says no.

use std::io::{Read as _, Write as _};
use std::process::Command;

use super::Scene;
use super::server::{ACCESS_KEY, BUCKET, Bucket, Fault, SECRET_KEY};

const DAY: &str = "org-1/year=2026/month=9/day=5/hour=07";

pub(crate) struct Cloud {
    pub(crate) scene: Scene,
    pub(crate) bucket: Bucket,
    pub(crate) endpoint: String,
}

impl Cloud {
    pub(crate) fn new() -> Self {
        let bucket = Bucket::default();
        let endpoint = bucket.serve();
        Self { scene: Scene::new(), bucket, endpoint }
    }

    pub(crate) fn recording(&self, id: &str) -> String {
        self.recording_of("c-1", id)
    }

    pub(crate) fn recording_of(&self, conversation: &str, id: &str) -> String {
        let key = format!("{DAY}/conversation_id={conversation}/{id}.opus");
        self.bucket.put(&key, format!("the bytes of {id}").as_bytes());
        let sidecar = format!(
            "{{\"mediaType\":\"Call\",\"conversationId\":\"{conversation}\",\"recordingId\":\"{id}\"}}"
        );
        self.bucket.put(&format!("{key}_metadata.json"), sidecar.as_bytes());
        key
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, serde_json::Value) {
        self.run_with(arguments, SECRET_KEY)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let server = ["--endpoint-url", &self.endpoint, "--region", "eu-west-2", "--json"];
        let mut command = self.scene.command(&[arguments, &server].concat());
        command
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command
    }

    fn run_with(&self, arguments: &[&str], secret: &str) -> (i32, String, serde_json::Value) {
        let mut command = self.command(arguments);
        let output = command.env("AWS_SECRET_ACCESS_KEY", secret).output().unwrap();
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{text}"));
        (output.status.code().unwrap(), text, document)
    }

    pub(crate) fn ingest(&self) -> (i32, String, serde_json::Value) {
        self.run(&["ingest", "--silence", "2", &format!("s3://{BUCKET}/org-1/")])
    }
}

/// A lifecycle rule moves earlier versions to an archive as often as not: each run would have called them unread.
#[test]
fn an_earlier_version_in_an_archive_is_told_of_once_and_stays_there() {
    let cloud = Cloud::new();
    let key = cloud.recording("r-1");
    cloud.bucket.archived_version(&key, "v-0");
    let ingest = ["ingest", "--all-versions", &format!("s3://{BUCKET}/org-1/")];
    let (code, text, document) = cloud.run(&ingest);
    assert_eq!((code, document["sources"][0]["versions_told"].as_u64()), (0, Some(1)), "{text}");
    let history = cloud.scene.ok(&["history", "--recording", "r-1"]);
    assert!(history.contains("7 bytes, not read: in an archive (version v-0)"), "{history}");
    let (code, text, document) = cloud.run(&ingest);
    assert_eq!((code, document["sources"][0]["versions_told"].as_u64()), (0, Some(0)), "{text}");
    cloud.scene.ok(&["audit"]);
    // A crash between private.db and the store takes along what is settled; what was told stands in an entry.
    let parts = ["store", "log"].map(|part| cloud.scene.path(&format!("ledger/{part}")));
    let before = ["store-before", "log-before"].map(|part| cloud.scene.path(part));
    for (from, to) in parts.iter().zip(&before) {
        let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
        assert!(copied.success());
    }
    cloud.recording("r-2");
    assert_eq!(cloud.run(&ingest).0, 0);
    for (to, from) in parts.iter().zip(&before) {
        std::fs::remove_dir_all(to).unwrap();
        std::fs::rename(from, to).unwrap();
    }
    cloud.scene.forget();
    cloud.scene.run(&["restore"]);
    let (_, text, document) = cloud.run(&ingest);
    let source = &document["sources"][0];
    assert_eq!([&source["sealed"], &source["versions_told"]], [&1, &0], "{text}");
}

#[test]
fn a_bucket_is_sealed_over_several_pages_skipped_and_packed() {
    let cloud = Cloud::new();
    for n in 0..12 {
        cloud.recording(&format!("r-{n}"));
    }
    let tagged = cloud.recording("tagged");
    cloud.bucket.describe(&tagged, "legal-hold-tag", "matter 17");
    cloud.bucket.put("elsewhere/other.opus", b"not below the prefix");
    let (code, text, document) = cloud.ingest();
    assert_eq!(code, 0, "{text}");
    assert_eq!(document["sources"][0]["sealed"].as_u64(), Some(13), "{text}");
    let gets = cloud.bucket.gets();
    assert_eq!(gets, 26, "each object is read once");
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, document["sources"][0]["unchanged"].as_u64()), (0, Some(26)), "{text}");
    assert_eq!(cloud.bucket.gets(), gets, "what is unchanged is not read");
    let (code, text, _) = cloud.run(&["exhibit", "--out", "exhibit.zip", "--recording", "tagged"]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = cloud.scene.verify("exhibit.zip");
    assert_eq!(code, 0, "{text}");
    let opening = std::fs::read(cloud.scene.path("exhibit.zip")).unwrap();
    let says = |text: &[u8]| opening.windows(text.len()).any(|window| window == text);
    assert!(says(b"\"s3-header\",\"/x-amz-meta-legal-hold-tag\",\""));
    assert!(says(b"\",\"string\",\"matter 17\"]"));
    // Other bytes under the same key supersede.
    cloud.bucket.put(&tagged, b"other bytes");
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, document["sources"][0]["sealed_again"].as_u64()), (2, Some(1)), "{text}");
    cloud.scene.ok(&["audit"]);
}

#[test]
fn one_object_that_fails_does_not_stop_the_others() {
    for (fault, said) in [
        (Fault::Vanished, "vanished between listing and reading"),
        (Fault::Denied, "s3:GetObject"),
        (Fault::Internal, "InternalError"),
        (Fault::BrokenOff, "connection closed"),
        (Fault::Silent, "the server has sent nothing for 2 s"),
        (Fault::Changed, "changed while it was read"),
    ] {
        let cloud = Cloud::new();
        let bad = cloud.recording("bad");
        cloud.recording("good");
        cloud.bucket.fail(&bad, Some(fault));
        let (code, text, document) = cloud.ingest();
        assert_eq!(
            (code, document["sources"][0]["sealed"].as_u64()),
            (2, Some(1)),
            "{fault:?}: {text}"
        );
        assert!(text.contains(said), "{fault:?}: {text}");
        // Mended, it is sealed by the next run, and the other is not sealed again.
        cloud.bucket.fail(&bad, None);
        let (code, text, document) = cloud.ingest();
        assert_eq!(
            (code, document["sources"][0]["sealed"].as_u64()),
            (0, Some(1)),
            "{fault:?}: {text}"
        );
    }
}

#[test]
fn a_server_that_asks_for_patience_gets_it() {
    let cloud = Cloud::new();
    let busy = cloud.recording("busy");
    cloud.bucket.fail(&busy, Some(Fault::SlowDown(2)));
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, document["sources"][0]["sealed"].as_u64()), (0, Some(1)), "{text}");
}

#[test]
fn a_bucket_that_cannot_be_listed_ends_the_run_and_says_what_is_needed() {
    let cloud = Cloud::new();
    cloud.recording("r-1");
    let (code, text, _) = cloud.run(&["ingest", &format!("s3://{BUCKET}/no-such-prefix/")]);
    assert!(
        code == 4 && text.contains("s3://exports/no-such-prefix/") && text.contains("no object"),
        "{text}"
    );
    let (code, text, _) = cloud.run(&["ingest", "s3://nobody/"]);
    assert!(
        code == 4 && text.contains("s3://nobody/") && text.contains("no such bucket"),
        "{text}"
    );
    let (code, text, _) = cloud.run_with(&["ingest", &format!("s3://{BUCKET}/")], "a wrong secret");
    assert!(code == 4 && text.contains(BUCKET) && text.contains("SignatureDoesNotMatch"), "{text}");
    let nowhere = Cloud { endpoint: "http://127.0.0.1:9".to_owned(), ..cloud };
    let (code, text, _) = nowhere.ingest();
    assert!(code == 4 && text.contains("check the endpoint"), "{text}");
}

/// Serves the same bytes to every request, whatever it says; gives the address.
fn always(answer: String) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut request = [0; 4_096];
            // A client that hangs up early is one of those that this is about.
            let _ = socket.read(&mut request).and_then(|_| socket.write_all(answer.as_bytes()));
        }
    });
    address.to_string()
}

fn refusal(status: &str, code: &str) -> String {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>m</Message></Error>"
    );
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/xml\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_wrong_region_and_an_endpoint_that_breaks_tls_are_named() {
    let cloud = Cloud::new();
    for answer in [
        refusal("301 Moved Permanently", "PermanentRedirect"),
        refusal("400 Bad Request", "AuthorizationHeaderMalformed"),
    ] {
        let endpoint = format!("http://{}", always(answer));
        let (code, text, _) =
            Cloud { endpoint, scene: Scene::new(), bucket: cloud.bucket.clone() }.ingest();
        assert!(code == 4 && text.contains("s3://exports/org-1/"), "{text}");
        assert!(text.contains("another region") && text.contains("--region"), "{text}");
    }
    let endpoint = format!("https://{}", always("this is no TLS".to_owned()));
    let (code, text, _) = Cloud { endpoint, scene: Scene::new(), bucket: cloud.bucket }.ingest();
    assert!(code == 4 && text.contains("s3://exports/org-1/"), "{text}");
    assert!(text.contains("check the endpoint"), "{text}");
}

#[test]
fn a_bucket_of_the_same_name_on_another_server_is_another_place() {
    let cloud = Cloud::new();
    cloud.recording("r-1");
    assert_eq!(cloud.ingest().0, 0);
    let Cloud { scene, bucket, endpoint: _first } = cloud;
    let second = Cloud { endpoint: bucket.serve(), scene, bucket };
    let (code, text, _) = second.ingest();
    assert!(code == 4 && text.contains("is known at s3://exports at http"), "{text}");
    let (code, text, _) = second.run(&["exhibit", "--out", "exhibit.zip", "--all"]);
    assert!(code == 2 && text.contains("see --endpoint-url"), "{text}");
    let prefix = format!("s3://{BUCKET}/org-1/");
    // Named by the environment, and for S3 alone, it is the same server.
    let mut command = second.scene.command(&["ingest", &prefix]);
    command.env("AWS_ENDPOINT_URL_S3", &second.endpoint).env("AWS_REGION", "eu-west-2");
    let output = command
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains(&format!("not at s3://exports at {}", second.endpoint)), "{text}");
    let (code, text, document) = second.run(&["ingest", &prefix, "--moved"]);
    assert_eq!((code, document["sources"][0]["sealed"].as_u64()), (0, Some(0)), "{text}");
    let (code, text, _) = second.run(&["exhibit", "--out", "exhibit2.zip", "--all"]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_prefix_that_cuts_a_name_is_refused_and_the_next_source_goes_on() {
    let cloud = Cloud::new();
    cloud.recording("r-1");
    std::fs::create_dir(cloud.scene.path("calls")).unwrap();
    let (code, text, document) =
        cloud.run(&["ingest", &format!("s3://{BUCKET}/{DAY}/conversation_id=c-1/r-"), "calls"]);
    assert!(code == 4 && text.contains("ends in the middle of a name"), "{text}");
    assert_eq!(document["sources"][0]["sealed"].as_u64(), Some(0), "{text}");
    let hint = document["sources"][0]["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("slash"), "{text}");
    assert_eq!(document["sources"][1]["source"].as_str(), Some("calls"), "{text}");
}

#[test]
fn keys_of_a_thousand_bytes_and_of_any_text_are_sealed() {
    let cloud = Cloud::new();
    let long = format!("org-1/{}", "k".repeat(1_018));
    for key in
        [long.as_str(), "org-1/two words.wav", "org-1/\u{dc}ml+a%20ut&.wav", "org-1/a/../b.wav"]
    {
        cloud.bucket.put(key, key.as_bytes());
    }
    let (code, text, document) =
        cloud.run(&["ingest", &format!("s3://{BUCKET}/org-1/"), "--layout", "plain"]);
    assert_eq!((code, document["sources"][0]["sealed"].as_u64()), (0, Some(4)), "{text}");
}

#[test]
fn a_night_of_unreadable_sidecars_is_a_problem_and_no_change() {
    let cloud = Cloud::new();
    let key = cloud.recording("r-1");
    assert_eq!(cloud.ingest().0, 0);
    cloud.recording("r-2");
    let sidecar = format!("{key}_metadata.json");
    cloud.bucket.fail(&sidecar, Some(Fault::Internal));
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, document["sources"][0]["sealed_again"].as_u64()), (2, Some(0)), "{text}");
    cloud.bucket.fail(&sidecar, None);
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, document["sources"][0]["sealed_again"].as_u64()), (0, Some(0)), "{text}");
    assert!(cloud.scene.sealed().values().all(|count| *count == 1));
}

/// A metadata file that was let go, for there were too many, and that may not be read a second time: its
/// recording waits for the next night, and is not sealed with half of what was seen.
#[test]
fn a_metadata_file_that_cannot_be_read_again_keeps_its_recording_back() {
    let cloud = Cloud::new();
    let mut last = String::new();
    for n in 0..6 {
        last = cloud.recording(&format!("r-{n}"));
        let sidecar = format!(
            "{{\"mediaType\":\"Call\",\"conversationId\":\"c-1\",\"recordingId\":\"r-{n}\",\"notes\":\"{}\"}}",
            "x".repeat(900_000)
        );
        cloud.bucket.put(&format!("{last}_metadata.json"), sidecar.as_bytes());
    }
    let sidecar = format!("{last}_metadata.json");
    cloud.bucket.fail(&sidecar, Some(Fault::DeniedAfter(1)));
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, document["sources"][0]["sealed"].as_u64()), (2, Some(5)), "{text}");
    assert!(text.contains("s3:GetObject"), "{text}");
    cloud.bucket.fail(&sidecar, None);
    let (code, text, document) = cloud.ingest();
    assert_eq!((code, document["sources"][0]["sealed"].as_u64()), (0, Some(1)), "{text}");
}

/// An export often lies in another account: a role there is taken, with the external id that its owner gave. Both
/// stand in a profile, as the tools of AWS have it.
#[test]
fn a_role_with_an_external_id_is_taken_as_the_profile_says() {
    let cloud = Cloud::new();
    cloud.recording("r-1");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let sts = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/reader/s</Arn></AssumedRoleUser>\
         <Credentials><AccessKeyId>{ACCESS_KEY}</AccessKeyId><SecretAccessKey>{SECRET_KEY}</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    );
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4_096];
        while !request.windows(11).any(|part| part == b"ExternalId=") {
            let count = socket.read(&mut buffer).unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&request));
            request.extend_from_slice(&buffer[..count]);
        }
        let length = answer.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        socket.write_all(format!("{head}{answer}").as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    let profiles = "[profile export]\nrole_arn = arn:aws:iam::1:role/reader\nexternal_id = matter-7\n\
                    source_profile = own\n[profile own]\naws_access_key_id = OWN\naws_secret_access_key = own\n";
    std::fs::write(cloud.scene.path("profiles"), profiles).unwrap();
    let location = format!("s3://{BUCKET}/org-1/");
    let mut command = cloud.command(&["ingest", "--profile", "export", &location]);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command.env("AWS_CONFIG_FILE", cloud.scene.path("profiles")).env("AWS_ENDPOINT_URL_STS", sts);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let asked = server.join().unwrap();
    assert!(asked.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Freader"), "{asked}");
    assert!(asked.contains("ExternalId=matter-7"), "{asked}");
    assert_eq!(cloud.scene.json(&["status"])["recordings"], 1);
}
