//! Bundles never panic and have one form.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((width, data)) = data.split_first() else { return };
    let width = u64::from(*width);
    if let Ok(entries) = unbroken_evidence::tile::parse_bundle(data, width) {
        let mut again = Vec::new();
        for entry in entries {
            unbroken_evidence::tile::append_to_bundle(&mut again, entry).unwrap();
        }
        assert_eq!(again, data);
    }
    let _ = unbroken_evidence::tile::parse_tile(data, width);
});
