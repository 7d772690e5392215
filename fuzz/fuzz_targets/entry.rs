//! Entries never panic, what is read writes the same text, and the envelope of every version is read.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use unbroken_evidence::body::Body;
    use unbroken_evidence::entry::{Envelope, UnverifiedEntry};
    let envelope = Envelope::parse(data);
    if let Ok(entry) = UnverifiedEntry::parse(data) {
        assert_eq!(envelope.unwrap().leaf(), entry.leaf());
        if !matches!(entry.statement().body, Body::Unknown(_)) {
            assert_eq!(entry.statement().text_unchecked(), entry.text());
        }
    }
});
