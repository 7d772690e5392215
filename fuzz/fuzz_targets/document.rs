//! A document becomes fields that an opening shows, or none.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use unbroken_evidence::field::FieldSet;
    use unbroken_evidence::opening::Opening;
    if let Ok(document) = unbroken_evidence::document::read(data) {
        let mut next = 0_u128;
        let mut salt = || {
            next += 1;
            next.to_be_bytes()
        };
        let set = FieldSet::seal(unbroken_evidence::document::values("sidecar", &document), &mut salt);
        let commitment = set.commitment();
        let opening = Opening::of(set, None);
        let read = Opening::parse(opening.encode().as_bytes()).unwrap();
        assert_eq!(read, opening);
        read.verify(&commitment).unwrap();
    }
});
