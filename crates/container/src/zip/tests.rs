//! The one form of an exhibit's .zip, and what comes near it.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use unbroken_evidence::limits::{EXHIBIT_FILES_MAX, PATH_BYTES_MAX};
use unbroken_evidence::package::{Package as _, PackageError};

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

// spec: X8
#[test]
fn every_bit_of_a_wide_header_is_accounted_for() {
    const FULL: u64 = 0xffff_ffff;
    let wide = |edit: &dyn Fn(&mut Vec<u8>, usize)| {
        sparse(FULL + 9, FULL, |directory| {
            let at = directory.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
            edit(directory, at);
        })
    };
    assert!(wide(&|_, _| ()).is_ok());
    // The second central header: 46 bytes, a name of 3, a field of 28.
    for bit in 0..8 * (46 + 3 + 28) {
        assert!(wide(&|directory, at| directory[at + bit / 8] ^= 1 << (bit % 8)).is_err(), "{bit}");
    }
}

// spec: X3 X7
#[test]
fn the_longest_name_is_read_and_a_longer_one_is_not() {
    let archive = |base: usize, path: usize| {
        // Segments of 80 characters, and a rest.
        let mut name = String::new();
        while name.len() + 81 < path {
            name.push_str(&format!("{}/", "a".repeat(80)));
        }
        name.push_str(&"b".repeat(path - name.len()));
        let mut zip = ZipWriter::new(Vec::new(), &"c".repeat(base));
        zip.add(&name, b"x").unwrap();
        open(&zip.finish().unwrap()).map(|zip| zip.files().length(&name))
    };
    let longest = PATH_BYTES_MAX;
    assert_eq!(archive(80, longest).unwrap(), Some(1));
    for (base, path) in [(81, longest), (80, longest + 1)] {
        assert!(archive(base, path).unwrap_err().to_string().contains("too long"), "{base} {path}");
    }
}

/// So many files that only ZIP64 can count them.
// spec: X7
#[test]
fn as_many_files_as_only_zip64_can_count_are_read() {
    for count in [65_534, 65_535, 65_536] {
        let mut zip = ZipWriter::new(Vec::new(), "e");
        for number in 0..count {
            zip.add(&format!("{number:05}"), b"").unwrap();
        }
        assert_eq!(open(&zip.finish().unwrap()).unwrap().files().iter().count(), count);
    }
}

// spec: X12
#[test]
fn more_files_than_an_exhibit_may_have_are_refused_before_they_are_read() {
    let refused = |count: usize| open(&end(0, 0, count as u64)).unwrap_err().to_string();
    assert!(refused(EXHIBIT_FILES_MAX + 1).contains("more than 300000 files"));
    assert!(!refused(EXHIBIT_FILES_MAX).contains("more than"));
}

/// A disk that fails, or somebody who cuts the file: that accuses nobody.
#[test]
fn an_archive_that_becomes_shorter_while_it_is_read_is_no_finding() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&small()).unwrap();
    let mut zip = Zip::open(Path::new("exhibit.zip"), file.try_clone().unwrap()).unwrap();
    file.set_len(200).unwrap();
    let read = zip.stream("data/2/recording.opus", &mut |_| ());
    assert!(matches!(&read, Err(PackageError::Io(why)) if why.contains("shorter")), "{read:?}");
    let read = zip.digest("data/2/recording.opus", &[]);
    assert!(matches!(read, Err(PackageError::Io(_))), "{read:?}");
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| byte.is_ascii_hexdigit()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

// spec: X7 X8
#[test]
fn records_are_these_bytes() {
    let member = |length, offset| Member { name: "e/b".into(), crc: 0x0102_0304, length, offset };
    let local = |length| member(length, 0).local();
    assert_eq!(
        local(7),
        hex("504b0304 1400 0000 0000 00002100 04030201 07000000 07000000 0300 0000 652f62")
    );
    assert_eq!(
        local(0xffff_fffe),
        hex("504b0304 1400 0000 0000 00002100 04030201 feffffff feffffff 0300 0000 652f62")
    );
    assert_eq!(
        local(0x1_0000_0002),
        hex("504b0304 2d00 0000 0000 00002100 04030201 ffffffff ffffffff 0300 1400 652f62
             0100 1000 0200000001000000 0200000001000000")
    );
    assert_eq!(
        member(7, 9).central(),
        hex("504b0102 2d03 1400 0000 0000 00002100 04030201 07000000 07000000 0300 0000
             0000 0000 0000 0000a481 09000000 652f62")
    );
    assert_eq!(
        member(7, 0xffff_ffff).central(),
        hex("504b0102 2d03 2d00 0000 0000 00002100 04030201 07000000 07000000 0300 0c00
             0000 0000 0000 0000a481 ffffffff 652f62 0100 0800 ffffffff00000000")
    );
    assert_eq!(
        member(0xffff_ffff, 0x2_0000_0000).central(),
        hex("504b0102 2d03 2d00 0000 0000 00002100 04030201 ffffffff ffffffff 0300 1c00
             0000 0000 0000 0000a481 ffffffff 652f62
             0100 1800 ffffffff00000000 ffffffff00000000 0000000002000000")
    );
}

// spec: X7 X8
#[test]
fn the_end_is_these_bytes() {
    assert_eq!(end(5, 6, 2), hex("504b0506 0000 0000 0200 0200 06000000 05000000 0000"));
    assert_eq!(end(5, 6, 65_534), hex("504b0506 0000 0000 feff feff 06000000 05000000 0000"));
    assert_eq!(
        end(5, 6, 65_536),
        hex("504b0606 2c00000000000000 2d03 2d00 00000000 00000000
             0000010000000000 0000010000000000 0600000000000000 0500000000000000
             504b0607 00000000 0b00000000000000 01000000
             504b0506 0000 0000 ffff ffff 06000000 05000000 0000")
    );
    let is_wide = |start, size, count| end(start, size, count).starts_with(b"PK\x06\x06");
    for (start, size, count, wide) in [
        (5, 6, 65_535, true),
        (0xffff_fffe, 6, 2, false),
        (0xffff_ffff, 6, 2, true),
        (5, 0xffff_fffe, 2, false),
        (5, 0xffff_ffff, 2, true),
    ] {
        assert_eq!(is_wide(start, size, count), wide, "{start} {size} {count}");
    }
}

#[test]
#[should_panic(expected = "ascending order")]
fn members_out_of_order_are_never_written() {
    let mut zip = ZipWriter::new(Vec::new(), "exhibit");
    zip.add("b", b"").unwrap();
    drop(zip.add("a", b""));
}
