//! Notes never panic and have one form.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(note) = unbroken_evidence::note::Note::parse(data) {
        assert_eq!(note.encode().as_bytes(), data);
    }
});
