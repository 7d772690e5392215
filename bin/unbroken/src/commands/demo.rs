//! `unbroken demo`: the main job on a small export, in a folder of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;
use unbroken_container::open::Exhibit;
use unbroken_container::render::{self, Colour, Detail};
use unbroken_evidence::exhibit::verify_exhibit;
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::Conclusion;
use unbroken_exhibit::produce::{Packing, Terms, produce};
use unbroken_exhibit::select::Selector;
use unbroken_ingest::policy::Policy;
use unbroken_ingest::run::{Context, Options, Progress, run as ingest};
use unbroken_ingest::source::FolderSource;
use unbroken_ledger::ledger::{Ledger, Surroundings};

use crate::arguments::Output;
use crate::failure::{Failure, INTERNAL};
use crate::sources::KnownSources;
use crate::{layouts, output, world};

const DAY: &str = "b1f0c5a2-3d1e-4c51-9f0e-6f3a51d0c111/year=2026/month=9/day=5/hour=07";
const CONVERSATION: &str = "ea4303d8-014e-44f9-b770-5b15e6f86f1f";

/// The sample: real speech from a synthesizer, in the layout that Genesys Cloud writes.
fn sample() -> Vec<(String, Vec<u8>)> {
    let in_conversation = |id: &str, name: &str| format!("{DAY}/conversation_id={id}/{name}");
    let sidecar = |media: &str, recording: &str, conversation: &str| {
        format!(
            "{{\"mediaType\":\"{media}\",\"mediaSubtype\":\"Trunk\",\"provider\":\"Edge\",\
             \"userIds\":[\"bcb6a4ff-b10e-4ae1-827f-d23ca7dceea5\"],\"conversationId\":\"{conversation}\",\
             \"recordingId\":\"{recording}\",\"startTime\":\"2026-09-05T07:19:04.873+0000\",\
             \"endTime\":\"2026-09-05T07:19:10.493+0000\",\"durationMs\":5620,\"initialDirection\":\"inbound\"}}"
        )
        .into_bytes()
    };
    let call_1 = "0261adc0-0618-4652-ac76-de176e1c431c";
    let call_2 = "3c1f6c1e-5f5a-4a38-8f55-b0a2b2f0a7d2";
    let call_3 = "7d0f3b52-98a1-4f43-9a34-5e3b1c2d4e5f";
    let message = "9a9b1c57-7a52-4d6b-8c2e-1f2e3d4c5b6a";
    let second = "f3a0d1b2-6c7d-4e8f-9a0b-1c2d3e4f5a6b";
    let third = "c4d5e6f7-0a1b-4c2d-8e3f-4a5b6c7d8e9f";
    let transcript = "{\"channel\":\"whatsapp\",\"messages\":[{\"id\":\"1\",\"content\":\"Please confirm the delivery.\",\
                      \"timestamp\":\"2026-09-05T07:31:00Z\"},{\"id\":\"2\",\"content\":\"Confirmed for 3 December.\",\
                      \"timestamp\":\"2026-09-05T07:31:40Z\"}]}";
    vec![
        (
            in_conversation(CONVERSATION, &format!("{call_1}.wav")),
            include_bytes!("../../sample/call-1.wav").to_vec(),
        ),
        (
            in_conversation(CONVERSATION, &format!("{call_1}.wav_metadata.json")),
            sidecar("Call", call_1, CONVERSATION),
        ),
        (
            in_conversation(CONVERSATION, &format!("{call_2}.opus")),
            include_bytes!("../../sample/call-2.opus").to_vec(),
        ),
        (
            in_conversation(CONVERSATION, &format!("{call_2}.opus_metadata.json")),
            sidecar("Call", call_2, CONVERSATION),
        ),
        (in_conversation(second, &format!("{message}.json")), transcript.as_bytes().to_vec()),
        (
            in_conversation(second, &format!("{message}.json_metadata.json")),
            sidecar("Message", message, second),
        ),
        (
            in_conversation(third, &format!("{call_3}.opus")),
            include_bytes!("../../sample/call-3.opus").to_vec(),
        ),
    ]
}

/// The export is of the day of its calls: what is missing from it is not waited for any more.
fn as_of_that_day(path: &Path) -> io::Result<()> {
    let when = UNIX_EPOCH + Duration::from_secs(1_788_593_400);
    fs::File::options().write(true).open(path)?.set_modified(when)
}

pub(crate) fn run(keep: Option<&Path>, out: &Output) -> Result<u8, Failure> {
    let temporary = tempfile::tempdir()
        .map_err(|error| write_failed(Path::new("a temporary folder"), &error))?;
    let folder: PathBuf = match keep {
        Some(keep) if keep.exists() => {
            let sentence = format!("{}: something is there already", keep.display());
            return Err(Failure::usage(sentence, "choose a folder that does not exist yet"));
        }
        Some(keep) => keep.to_owned(),
        None => temporary.path().join("demo"),
    };
    let demo = Demo { folder, out };
    demo.run(keep.is_some())
}

struct Demo<'a> {
    folder: PathBuf,
    out: &'a Output,
}

fn write_failed(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{}: {error}", path.display()), "check that you may write there")
}

impl Demo<'_> {
    fn say(&self, text: &str) -> Result<(), Failure> {
        output::text(self.out, &format!("{text}\n"))
    }

    fn run(&self, kept: bool) -> Result<u8, Failure> {
        let export = self.folder.join("export");
        self.write_sample(&export)?;
        self.say(&format!(
            "1. A Genesys Cloud export of {} files, one of them without its sidecar.",
            sample().len()
        ))?;
        let mut ledger = Ledger::create(
            &self.folder.join("ledger"),
            "demo.example/recordings",
            // It lives for a minute, or for a look.
            Surroundings { remembers: None, ..world::surroundings("demo") },
            None,
        )?;
        let trust = Trust::key(ledger.trust_anchor().clone());
        self.say(&format!("2. A new ledger. Its trust anchor: {}", ledger.trust_anchor()))?;
        self.ingest(&mut ledger, &export)?;
        let exhibit = self.folder.join("exhibit");
        let selector = Selector::Conversation(CONVERSATION.to_owned());
        let made = produce(
            &mut ledger,
            &mut KnownSources::default(),
            &[selector],
            &Terms {
                packing: Packing::Recordings,
                withhold: Vec::new(),
                selection: Default::default(),
                passes: Vec::new(),
            },
            &exhibit,
        )?;
        self.say(&format!(
            "4. An exhibit of conversation {CONVERSATION}: {} entries, {} recordings.",
            made.entries, made.packed
        ))?;
        let good = verify(&exhibit, &trust)?;
        let changed = self.folder.join("exhibit-with-a-changed-byte");
        self.change_a_byte(&exhibit, &changed)?;
        let bad = verify(&changed, &trust)?;
        let colour = if output::has_colour(self.out) { Colour::On } else { Colour::Off };
        self.say("5. The other side verifies it:\n")?;
        if !self.out.quiet && !self.out.json {
            output::write(&render::text(&good, None, Detail::Summary, colour))?;
        }
        self.say(&format!(
            "6. One byte of a recording is changed, and they verify again:\n\n{}",
            render::headline(&bad)
        ))?;
        let proven =
            good.conclusion() == Conclusion::Agrees && bad.conclusion() == Conclusion::Contradicts;
        if kept {
            self.say(&format!("\nEverything is in {}", self.folder.display()))?;
        }
        let code = if proven { 0 } else { INTERNAL };
        output::json(
            self.out,
            &json!({
                "schema": "unbroken/demo@v1", "exit_code": code,
                "exhibit": render::document(&good, None), "changed_exhibit": render::document(&bad, None),
            }),
        )?;
        Ok(code)
    }

    fn write_sample(&self, export: &Path) -> Result<(), Failure> {
        for (path, bytes) in sample() {
            let place = export.join(path);
            let parent = place.parent().unwrap_or(export);
            fs::create_dir_all(parent).map_err(|error| write_failed(parent, &error))?;
            let written = fs::write(&place, bytes).and_then(|()| as_of_that_day(&place));
            written.map_err(|error| write_failed(&place, &error))?;
        }
        Ok(())
    }

    fn ingest(&self, ledger: &mut Ledger, export: &Path) -> Result<(), Failure> {
        let source = FolderSource::new("export", export, world::threads())?;
        let options = Options {
            policy: Policy::ready("genesys-default"),
            ..Options::of_all(layouts::load("genesys-cloud".as_ref())?)
        };
        let context = Context {
            clock: &world::SystemClock,
            progress: &Progress::default(),
            stop: &std::sync::atomic::AtomicBool::new(false),
            software: world::software(),
        };
        let summary = ingest(ledger, &source, &options, &context)?;
        self.say(&format!(
            "3. {} recordings sealed with {} companions:",
            summary.sealed, summary.companions
        ))?;
        for problem in &summary.problems {
            self.say(&format!("   noticed: {}: {}", problem.key, problem.sentence()))?;
        }
        Ok(())
    }

    /// Copies the exhibit and flips one bit in the middle of a recording.
    fn change_a_byte(&self, exhibit: &Path, changed: &Path) -> Result<(), Failure> {
        let mut folders = vec![(exhibit.to_owned(), changed.to_owned())];
        while let Some((from, to)) = folders.pop() {
            let failed = |error: io::Error| write_failed(&to, &error);
            fs::create_dir_all(&to).map_err(failed)?;
            for entry in fs::read_dir(&from).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let place = to.join(entry.file_name());
                if entry.path().is_dir() {
                    folders.push((entry.path(), place));
                    continue;
                }
                let mut bytes = fs::read(entry.path()).map_err(failed)?;
                if place.extension().is_some_and(|ending| ending == "wav") {
                    let middle = bytes.len() / 2;
                    bytes.get_mut(middle).into_iter().for_each(|byte| *byte ^= 1);
                }
                fs::write(&place, bytes).map_err(failed)?;
            }
        }
        Ok(())
    }
}

fn verify(path: &Path, trust: &Trust) -> Result<unbroken_evidence::verdict::Verdict, Failure> {
    let mut exhibit = Exhibit::open(path)
        .map_err(|error| Failure::new(INTERNAL, error.to_string(), "please report this"))?;
    verify_exhibit(&mut exhibit, trust, world::threads())
        .map_err(|stop| Failure::new(INTERNAL, stop.to_string(), "please report this"))
}
