//! The one form of an exhibit's .zip, and what comes near it.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use unbroken_evidence::package::Package as _;

use super::form::{Member, end};
use super::{Zip, ZipWriter};
use crate::error::OpenError;

fn open(bytes: &[u8]) -> Result<Zip, OpenError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Zip::open(Path::new("exhibit.zip"), file)
}

fn small() -> Vec<u8> {
    let mut zip = ZipWriter::new(Vec::new(), "exhibit");
    zip.add("bagit.txt", b"BagIt").unwrap();
    zip.add("data/2/recording.opus", &[7; 300]).unwrap();
    zip.add("empty", b"").unwrap();
    zip.finish().unwrap()
}

#[test]
fn what_is_written_is_read() {
    let mut zip = open(&small()).unwrap();
    let files: Vec<(&str, u64)> = zip.files().iter().collect();
    assert_eq!(files, [("bagit.txt", 5), ("data/2/recording.opus", 300), ("empty", 0)]);
    let mut bytes = Vec::new();
    zip.stream("data/2/recording.opus", &mut |piece| bytes.extend_from_slice(piece)).unwrap();
    assert_eq!(bytes, [7; 300]);
    assert_eq!(
        open(&ZipWriter::new(Vec::new(), "x").finish().unwrap()).unwrap().files().iter().count(),
        0
    );
}

// spec: X8
#[test]
fn every_bit_of_every_record_is_accounted_for() {
    let good = small();
    let is_content = |at: usize| {
        let mut begins = 0;
        [("bagit.txt", 5), ("data/2/recording.opus", 300), ("empty", 0)].iter().any(
            |(path, length)| {
                let data = begins + 30 + "exhibit/".len() + path.len();
                begins = data + length;
                (data..begins).contains(&at)
            },
        )
    };
    for at in (0..good.len()).filter(|at| !is_content(*at)) {
        for bit in 0..8 {
            let mut flipped = good.clone();
            flipped[at] ^= 1 << bit;
            assert!(open(&flipped).is_err(), "byte {at} bit {bit}");
        }
    }
    for at in 0..good.len() {
        assert!(open(&good[..at]).is_err(), "cut at {at}");
        let put = [&good[..at], &[0], &good[at..]].concat();
        let read = open(&put).map(|mut zip| zip.stream("data/2/recording.opus", &mut |_| ()));
        assert!(!matches!(read, Ok(Ok(()))), "a byte put in at {at}");
    }
}

/// The archive of one member of `length` bytes, all zero, behind a first one of `before` bytes.
fn sparse(before: u64, length: u64, edit: impl Fn(&mut Vec<u8>)) -> Result<Zip, OpenError> {
    let first = Member { name: "e/a".into(), crc: 0, length: before, offset: 0 };
    let offset = first.local().len() as u64 + before;
    let second = Member { name: "e/b".into(), crc: 0, length, offset };
    let start = offset + second.local().len() as u64 + length;
    let mut directory = [first.central(), second.central()].concat();
    directory.extend(end(start, directory.len() as u64, 2));
    edit(&mut directory);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&first.local()).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(&second.local()).unwrap();
    file.seek(SeekFrom::Start(start)).unwrap();
    file.write_all(&directory).unwrap();
    Zip::open(Path::new("exhibit.zip"), file)
}

// spec: X7
#[test]
fn zip64_stands_exactly_where_a_narrow_field_cannot_hold_the_value() {
    const FULL: u64 = 0xffff_ffff;
    for (before, length) in
        [(10, FULL - 1), (10, FULL), (10, FULL + 9), (FULL + 9, 10), (FULL, FULL)]
    {
        let zip = sparse(before, length, |_| ()).unwrap();
        assert_eq!(zip.files().length("b"), Some(length));
        let last = sparse(before, length, |directory| {
            // The ZIP64 field's first number, or the narrow length where there is none.
            let at = directory.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
            let wide = if length >= FULL || before >= FULL { 46 + 3 + 4 } else { 24 };
            directory[at + wide] ^= 1;
        });
        assert!(last.is_err(), "{before} {length}");
    }
}

#[test]
#[should_panic(expected = "ascending order")]
fn members_out_of_order_are_never_written() {
    let mut zip = ZipWriter::new(Vec::new(), "exhibit");
    zip.add("b", b"").unwrap();
    drop(zip.add("a", b""));
}
