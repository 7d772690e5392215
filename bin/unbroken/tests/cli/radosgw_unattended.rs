//! Policies, the schedule and object audits against a real S3 server; see `radosgw.rs`.

use std::io::Read as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use aws_sdk_s3::types::ObjectLockLegalHoldStatus;
use serde_json::Value;

use super::radosgw::{Rgw, told};

const POLICY: &str = "format = \"unbroken/policy@v1\"\nname = \"holds\"\n\
    [[field]]\nname = \"hold\"\nfrom = \"object-lock/legal-hold\"\nvalues = \"ON\"\n\
    [[field]]\nname = \"matter\"\nfrom = \"s3-tag/matter\"\npattern = \"M-[0-9]+\"\n\
    [[field]]\nname = \"agent\"\nfrom = \"s3-tag/Agent-Name\"\n";

#[test]
fn a_policy_asks_a_real_bucket_for_its_holds_and_tags() {
    let rgw = Rgw::new("policy-holds", true);
    let held = rgw.recording("r-held");
    rgw.recording("r-free");
    rgw.hold(&held, ObjectLockLegalHoldStatus::On);
    std::fs::write(rgw.scene.path("holds.toml"), POLICY).unwrap();
    let source = format!("s3://{}/org-1/", rgw.bucket);
    let (code, text) = rgw.run("", &["ingest", &source, "--policy", "holds.toml"]);
    assert_eq!(code, 2, "{text}");
    let list = rgw.scene.json(&["list", "--incomplete"]);
    let entries = list["entries"].as_array().unwrap();
    let said = |key: &str| -> Vec<String> {
        let entry = entries.iter().find(|entry| entry["key"].as_str().unwrap().contains(key));
        let findings = entry.unwrap()["findings"].as_array().unwrap();
        findings.iter().map(|one| one["sentence"].as_str().unwrap().to_owned()).collect()
    };
    let agent = "agent is missing: not in s3-tag/Agent-Name";
    assert_eq!(said("r-held"), [agent]);
    assert_eq!(
        said("r-free"),
        [
            "hold is missing: not in object-lock/legal-hold; s3-header/x-amz-meta-legal-hold-tag may be meant",
            agent
        ]
    );
    // Whoever may not see holds and tags says so, of each object.
    let rgw = Rgw::new("policy-blind", true);
    rgw.recording("r-1");
    rgw.allow("\"s3:ListBucket\",\"s3:GetObject\",\"s3:GetObjectVersion\"");
    std::fs::write(rgw.scene.path("holds.toml"), POLICY).unwrap();
    let source = format!("s3://{}/org-1/", rgw.bucket);
    let (code, text) = rgw.run("OTHER_", &["ingest", &source, "--policy", "holds.toml"]);
    assert_eq!(code, 2, "{text}");
    let list = rgw.scene.json(&["list", "--incomplete"]);
    let findings = list["entries"][0]["findings"].as_array().unwrap();
    let codes: Vec<&str> = findings.iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["not-readable"; 3], "{list}");
    assert!(
        findings[0]["sentence"].as_str().unwrap().ends_with(": s3:GetObjectLegalHold"),
        "{list}"
    );
}

/// The service looks at tags, locks and holds by itself, and a hold that is lifted is told of.
#[test]
fn a_hold_that_is_lifted_is_told_of_by_the_running_service() {
    let rgw = Rgw::new("unattended", true);
    let held = rgw.recording("r-1");
    rgw.hold(&held, ObjectLockLegalHoldStatus::On);
    let endpoint = told("RADOSGW_ENDPOINT");
    let config = format!(
        "format = \"unbroken/config@v1\"\nledger = \"ledger\"\n[[source]]\nlocation = \"s3://{}/org-1/\"\n\
         every = \"10s\"\nstate-every = \"10s\"\nregion = \"us-east-1\"\nendpoint-url = \"{endpoint}\"\n\
         [[alert]]\ncommand = [\"sh\", \"-c\", \"cat >> alerts\"]\n",
        rgw.bucket
    );
    std::fs::write(rgw.scene.path("run.toml"), config).unwrap();
    let mut command = rgw.command("", &[]);
    // The options of a server stand in the configuration.
    let mut fresh = std::process::Command::new(command.get_program());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            fresh.env(name, value);
        }
    }
    command = fresh;
    command.args(["run", "--config", "run.toml"]).current_dir(rgw.scene.path("."));
    let mut running = command.stderr(Stdio::piped()).spawn().unwrap();
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(90), "not in time: {what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    until("the first look", &|| rgw.scene.json(&["status"])["recordings"] == 1);
    rgw.hold(&held, ObjectLockLegalHoldStatus::Off);
    let alerts = || std::fs::read_to_string(rgw.scene.path("alerts")).unwrap_or_default();
    until("the alert", &|| alerts().contains("hold-lifted"));
    let line = alerts().lines().find(|line| line.contains("hold-lifted")).unwrap().to_owned();
    let alert: Value = serde_json::from_str(&line).unwrap();
    assert!(alert["first"][0]["key"].as_str().unwrap().ends_with("r-1.opus"), "{alert}");
    let id = running.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(running.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    running.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("looked at tags, locks and holds") && !log.contains("r-1.opus"), "{log}");
}

/// A sealed version is read again, whatever lies over it by now.
#[test]
fn an_audit_of_objects_reads_the_versions_that_were_sealed() {
    let rgw = Rgw::new("reread", false);
    let first = rgw.recording("r-1");
    rgw.recording("r-2");
    let (code, text) = rgw.ingest("");
    assert_eq!(code, 0, "{text}");
    rgw.put(&first, b"other bytes");
    let (code, text) = rgw.run("", &["audit", "--objects"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("\"matched\": 4"), "{text}");
    let versions = rgw.owner.list_object_versions().bucket(&rgw.bucket).prefix(&first);
    let versions = rgw.runtime.block_on(versions.send()).unwrap();
    let sealed = versions
        .versions()
        .iter()
        .find(|v| v.key() == Some(&first) && v.is_latest() == Some(false));
    let version = sealed.unwrap().version_id().unwrap();
    let remove = rgw.owner.delete_object().bucket(&rgw.bucket).key(&first).version_id(version);
    rgw.runtime.block_on(remove.send()).unwrap();
    let (code, text) = rgw.run("", &["audit", "--objects"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("\"missing\": 1") && text.contains("\"matched\": 3"), "{text}");
}
