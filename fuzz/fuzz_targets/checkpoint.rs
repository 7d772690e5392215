//! Checkpoints never panic and have one form.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(checkpoint) = unbroken_evidence::checkpoint::UnverifiedCheckpoint::parse(data) {
        assert_eq!(checkpoint.note().encode().as_bytes(), data);
        assert!(checkpoint.note().text().starts_with(&checkpoint.claims().text()));
    }
});
