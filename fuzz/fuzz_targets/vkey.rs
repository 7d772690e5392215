//! Verifier keys never panic and have one form.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(key) = unbroken_evidence::key::VerifierKey::parse(text) {
        assert_eq!(key.to_string(), text);
    }
});
