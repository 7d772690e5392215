//! Manifests, bag-info and fetch.txt never panic; the first two have one form.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(manifest) = unbroken_evidence::bag::Manifest::parse(data) {
        assert_eq!(manifest.encode().as_bytes(), data);
    }
    if let Ok(info) = unbroken_evidence::bag::BagInfo::parse(data) {
        assert_eq!(info.encode().as_bytes(), data);
    }
    let _ = unbroken_evidence::bag::Fetch::parse(data);
});
