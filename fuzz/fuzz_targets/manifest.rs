//! Manifests, bag-info and fetch.txt never panic; the first two have one form.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use unbroken_evidence::bag::{BagInfo, Fetch, Manifest};
    if let Ok(manifest) = Manifest::parse(data.to_vec()) {
        assert_eq!(manifest.encode().as_bytes(), data);
        for (path, hash) in manifest.lines() {
            assert_eq!(manifest.hash(path), Some(hash));
        }
    }
    if let Ok(info) = BagInfo::parse(data.to_vec()) {
        assert_eq!(info.encode().as_bytes(), data);
    }
    let _ = Fetch::parse(data.to_vec());
});
