//! Openings never panic and have one form.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(opening) = unbroken_evidence::opening::Opening::parse(data) {
        assert_eq!(opening.encode().as_bytes(), data);
    }
});
