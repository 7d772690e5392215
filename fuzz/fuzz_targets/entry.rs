//! Entries never panic, and what is read writes the same text.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(entry) = unbroken_evidence::entry::UnverifiedEntry::parse(data) {
        if !matches!(entry.statement().body, unbroken_evidence::body::Body::Unknown(_)) {
            assert_eq!(entry.statement().text_unchecked(), entry.text());
        }
    }
});
