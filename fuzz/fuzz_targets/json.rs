//! JSON never panics; what is written reads back as the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(value) = unbroken_evidence::json::parse(text, 64) {
        let mut again = String::new();
        unbroken_evidence::json::write(&value, &mut again);
        assert_eq!(unbroken_evidence::json::parse(&again, 64).unwrap(), value);
    }
    if let Ok(value) = unbroken_evidence::narrow::parse(text) {
        assert_eq!(unbroken_evidence::narrow::encode(&value), text);
    }
});
