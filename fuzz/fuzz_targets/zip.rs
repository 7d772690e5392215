//! Archives never panic, and one that is read is, byte for byte, the one that our writer makes of its files.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use std::io::Write as _;
    use unbroken_container::zip::{Zip, ZipWriter};
    use unbroken_evidence::package::Package as _;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(data).unwrap();
    let Ok(mut zip) = Zip::open(std::path::Path::new("fuzz"), file) else { return };
    let files = zip.files().clone();
    let base = data.get(30..).and_then(|name| name.split(|byte| *byte == b'/').next());
    let base = base.map(|base| String::from_utf8_lossy(base).into_owned()).unwrap_or_default();
    let mut again = ZipWriter::new(Vec::new(), &base);
    for (path, length) in files.iter() {
        let mut bytes = Vec::new();
        if zip.stream(path, &mut |piece| bytes.extend_from_slice(piece)).is_err() {
            return;
        }
        assert_eq!(bytes.len() as u64, length);
        again.add(path, &bytes).unwrap();
    }
    assert_eq!(again.finish().unwrap(), data);
});
