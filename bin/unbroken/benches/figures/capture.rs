//! How fast objects are hashed and sealed, in ratios to `openssl dgst -sha256`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use unbroken_evidence::content::digest_stream;
use unbroken_evidence::hash::Hash;

use crate::{say, timed, unbroken, written_back};

pub(crate) fn run(place: &Path, scale: u64) {
    one_large_file(place, (2 << 30) / scale);
    many_files(place, 20_000 / scale);
}

/// One process over all files; their names are given from `folder` on, for a command line is short.
fn openssl(folder: &Path, files: &[PathBuf]) -> Duration {
    let names: Vec<&Path> = files.iter().map(|path| path.strip_prefix(folder).unwrap()).collect();
    let run = || {
        let mut command = Command::new("openssl");
        command.args(["dgst", "-sha256"]).args(&names).current_dir(folder).stdout(Stdio::null());
        assert!(command.status().unwrap().success());
    };
    run();
    timed(run).0
}

fn ratio(theirs: Duration, ours: Duration) -> f64 {
    theirs.as_secs_f64() / ours.as_secs_f64()
}

fn painted(bytes: u32) -> Vec<u8> {
    (0..bytes).map(|i| u8::try_from(i % 251).unwrap()).collect()
}

fn one_large_file(place: &Path, bytes: u64) {
    let path = place.join("large");
    let mut file = std::fs::File::create(&path).unwrap();
    for _ in 0..bytes >> 20 {
        std::io::Write::write_all(&mut file, &painted(1 << 20)).unwrap();
    }
    written_back();
    let theirs = openssl(place, std::slice::from_ref(&path));
    let ours = timed(|| digest(&path)).0;
    let rate = (bytes >> 20) as f64 / ours.as_secs_f64();
    say(
        &format!("capture of one file of {} MiB, all commitments, two cores", bytes >> 20),
        &format!("{rate:.0} MiB/s, {:.2} of openssl", ratio(theirs, ours)),
    );
    std::fs::remove_file(path).unwrap();
}

fn digest(path: &Path) -> Hash {
    use std::io::Read as _;
    let mut file = std::fs::File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    digest_stream(&[(4_096, [7; 32])], length, |buffer| file.read(buffer)).unwrap().sha256
}

fn many_files(place: &Path, count: u64) {
    let export = place.join("export");
    let files = make_export(&export, count, 100 << 10);
    written_back();
    // The recordings are read by openssl first; the sidecars must not be read for the first time in
    // what is measured, for that writes the time of access of each.
    for path in &files {
        std::fs::read(format!("{}_metadata.json", path.display())).unwrap();
    }
    let theirs = openssl(&export, &files);
    let ours = timed(|| {
        let halves = files.split_at(files.len() / 2);
        std::thread::scope(|scope| {
            for half in [halves.0, halves.1] {
                scope.spawn(move || {
                    half.iter().for_each(|path| {
                        std::hint::black_box(digest(path));
                    })
                });
            }
        });
    });
    say(
        &format!("capture of {count} files of 100 KiB, two cores"),
        &format!("{:.2} of openssl", ratio(theirs, ours.0)),
    );
    let run = |arguments: &[&str]| assert!(unbroken(place, arguments).status().unwrap().success());
    run(&["init", "ledger", "--origin", "example.com/bench"]);
    let ours = timed(|| run(&["ingest", "export"])).0;
    let rate = count as f64 / ours.as_secs_f64();
    say(
        &format!("unbroken ingest, {count} recordings of 100 KiB with sidecars"),
        &format!("{rate:.0} recordings/s, {:.2} of openssl", ratio(theirs, ours)),
    );
}

/// An export of `count` recordings of `bytes` bytes, each with its sidecar; gives the recordings.
pub(crate) fn make_export(export: &Path, count: u64, bytes: u32) -> Vec<PathBuf> {
    let mut content = painted(bytes);
    let mut files = Vec::new();
    for n in 0..count {
        let folder = export
            .join(format!("org/year=2026/month=9/day=5/hour={}/conversation_id=c-{n}", n % 24));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("r-{n}.opus"));
        content[..8].copy_from_slice(&n.to_be_bytes());
        std::fs::write(&path, &content).unwrap();
        let sidecar = format!(
            "{{\"mediaType\":\"Call\",\"mediaSubtype\":\"Trunk\",\"provider\":\"Edge\",\"userIds\":[\"bcb6a4ff-b10e-4ae1-827f-d23ca7dceea5\"],\
             \"conversationId\":\"c-{n}\",\"recordingId\":\"r-{n}\",\"startTime\":\"2023-08-29T23:19:04.873+0000\",\
             \"endTime\":\"2023-08-29T23:19:30.493+0000\",\"durationMs\":25620,\"initialDirection\":\"outbound\"}}"
        );
        std::fs::write(folder.join(format!("r-{n}.opus_metadata.json")), sidecar).unwrap();
        files.push(path);
    }
    files
}
