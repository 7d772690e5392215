//! A document becomes fields that fit their types, or none.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use unbroken_evidence::field::Field;
    if let Ok(document) = unbroken_evidence::document::read(data) {
        for value in unbroken_evidence::document::values("sidecar", &document) {
            let field = Field { salt: [1; 16], value };
            let strings = field.strings();
            Field::parse(strings.each_ref().map(String::as_str)).unwrap();
        }
    }
});
