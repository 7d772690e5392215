//! Proofs never panic and have one form.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(proof) = unbroken_evidence::proof::Proof::parse(data) {
        assert_eq!(proof.encode(), data);
    }
});
