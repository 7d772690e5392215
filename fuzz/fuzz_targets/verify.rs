//! A changed exhibit never verifies: bytes of one file are replaced, and the tag manifest, which
//! nothing signed covers, is written anew as a forger would.
#![no_main]

use std::sync::LazyLock;

use unbroken_evidence::exhibit::verify_exhibit;
use unbroken_evidence::package::{MemoryPackage, Package as _};
use unbroken_evidence::trust::Trust;
use unbroken_evidence::verdict::Conclusion;
use unbroken_vectors::scene::{Scene, log_key, tag};

static GOOD: LazyLock<MemoryPackage> = LazyLock::new(|| Scene::default().build());

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let &[file, high, low, cut, ref with @ ..] = data else { return };
    let mut package = GOOD.clone();
    let paths: Vec<String> = package.files().paths().map(str::to_owned).collect();
    let path = &paths[usize::from(file) % paths.len()];
    let mut bytes = package.bytes(path).unwrap().to_vec();
    let at = usize::from(u16::from_be_bytes([high, low])) % (bytes.len() + 1);
    let end = (at + usize::from(cut)).min(bytes.len());
    bytes.splice(at..end, with.iter().copied());
    let changed = bytes != package.bytes(path).unwrap();
    package.insert(path, bytes);
    if path != "tagmanifest-sha256.txt" {
        tag(&mut package);
    }
    let trust = Trust::key(log_key().verifier().clone());
    let verdict = verify_exhibit(&mut package, &trust, 1);
    let agrees = verdict.is_ok_and(|verdict| verdict.conclusion() == Conclusion::Agrees);
    // Signature lines of other keys may stand on a checkpoint; nothing is said of them.
    let may_differ = path == "ledger/checkpoint" || path.ends_with(".tlog-proof");
    assert!(agrees != changed || agrees && may_differ, "{path}");
});
