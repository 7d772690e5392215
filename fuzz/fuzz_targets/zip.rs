//! Containers never panic, and every member that is read has the length it was listed with.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use std::io::Write as _;
    use unbroken_evidence::package::Package as _;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(data).unwrap();
    if let Ok(mut zip) = unbroken_container::zip::Zip::open(std::path::Path::new("fuzz"), file) {
        let files = zip.files().clone();
        for (path, length) in files.iter() {
            let mut read = 0;
            if zip.stream(path, &mut |piece| read += piece.len() as u64).is_ok() {
                assert_eq!(read, length);
            }
        }
    }
});
