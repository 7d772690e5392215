//! The operator's command line, as a person or a scheduler uses it: messages and exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod awaited;
mod bucket;
mod damage;
mod faults;
mod field_reports;
mod finding;
mod kill;
mod layouts;
mod matrix;
mod objects;
mod presence;
#[cfg(feature = "real-servers")]
mod radosgw;
#[cfg(feature = "real-servers")]
mod radosgw_soak;
#[cfg(feature = "real-servers")]
mod radosgw_unattended;
#[cfg(feature = "real-servers")]
mod radosgw_versions;
mod running;
mod server;
mod sources;
mod story;
mod weather;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a ledger and an export, and the program.
struct Scene {
    folder: TempDir,
}

const CONVERSATION: &str = "ea4303d8-014e-44f9-b770-5b15e6f86f1f";

/// Makes a file as old as that: nothing is waited for that should lie beside it.
fn written_before(path: &Path, seconds: u64) {
    let time = std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

impl Scene {
    fn new() -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(scene.export()).unwrap();
        scene.ok(&["init", "ledger", "--origin", "example.com/recordings"]);
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The machine knows nothing of the ledger any more: what follows happens on another one.
    fn forget(&self) {
        std::fs::remove_dir_all(self.path("state")).unwrap();
    }

    fn export(&self) -> PathBuf {
        self.path("export")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unbroken"));
        command.args(arguments).current_dir(self.folder.path());
        command.env("UNBROKEN_LEDGER", "ledger").env_remove("NO_COLOR");
        command.env("XDG_STATE_HOME", self.path("state"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs to exit code `code`; gives stdout and stderr.
    fn exits(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(!text.contains('\u{1b}'), "a raw escape in: {text:?}");
        text
    }

    fn ok(&self, arguments: &[&str]) -> String {
        self.exits(0, arguments)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        let document: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"));
        assert!(document["schema"].as_str().is_some_and(|schema| schema.starts_with("unbroken/")));
        assert_eq!(
            document["exit_code"].as_i64(),
            output.status.code().map(i64::from),
            "{document}"
        );
        document
    }

    /// Writes a recording with its sidecar, as Genesys Cloud does.
    fn recording(&self, conversation: &str, id: &str, bytes: &[u8]) -> PathBuf {
        let media = self.media(conversation, id, bytes);
        self.sidecar(conversation, id);
        media
    }

    fn media(&self, conversation: &str, id: &str, bytes: &[u8]) -> PathBuf {
        let folder = self.conversation(conversation);
        std::fs::create_dir_all(&folder).unwrap();
        let media = folder.join(format!("{id}.opus"));
        std::fs::write(&media, bytes).unwrap();
        written_before(&media, 86_400);
        media
    }

    fn sidecar(&self, conversation: &str, id: &str) {
        let text = format!(
            "{{\"mediaType\":\"Call\",\"conversationId\":\"{conversation}\",\"recordingId\":\"{id}\",\
             \"startTime\":\"2023-08-29T23:19:04.873+0000\",\"durationMs\":25620}}"
        );
        let folder = self.conversation(conversation);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{id}.opus_metadata.json")), text).unwrap();
    }

    fn conversation(&self, id: &str) -> PathBuf {
        self.export().join(format!("org-1/year=2026/month=9/day=5/hour=07/conversation_id={id}"))
    }

    /// Every sealed object: its key and the number of entries about it.
    fn sealed(&self) -> std::collections::BTreeMap<String, usize> {
        let mut sealed = std::collections::BTreeMap::new();
        for entry in self.json(&["list"])["entries"].as_array().unwrap() {
            *sealed.entry(entry["key"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        sealed
    }

    /// What the independent verifier says of an exhibit: its exit code and its text.
    fn verify(&self, exhibit: &str) -> (u8, String) {
        use unbroken_container::open::Exhibit;
        use unbroken_container::render::{Colour, Detail, text};
        let anchor = self.json(&["status"])["trust_anchor"].as_str().unwrap().to_owned();
        let key = unbroken_evidence::key::VerifierKey::parse(&anchor).unwrap();
        let trust = unbroken_evidence::trust::Trust::key(key);
        let mut opened = Exhibit::open(Path::new(&self.path(exhibit))).unwrap();
        let verdict = unbroken_evidence::exhibit::verify_exhibit(&mut opened, &trust, 2).unwrap();
        let text = text(&verdict, None, Detail::Summary, Colour::Off);
        (verdict.conclusion().exit_code(), text)
    }
}
