//! Containers that are built to harm, and a signature with a second form.

use std::io::Write as _;

use base64::{decode, encode};
use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::cases::Case;
use crate::scene::{Scene, zipped};

/// The cases whose .zip is the fault; no verification takes place.
pub(crate) fn cases() -> Vec<Case> {
    let good = || zipped(&Scene::default().build());
    let renamed = |to: &'static [u8]| replaced(&good(), b"exhibit/data/report/README.txt", to);
    let attributes = |bits: u32| {
        let (from, to) = ((0o100_644_u32 << 16).to_le_bytes(), bits.to_le_bytes());
        replaced_once(&good(), &from, &to)
    };
    let broken: Vec<(&'static str, Vec<u8>)> = vec![
        ("zip-prefix", [b"x".to_vec(), good()].concat()),
        ("zip-suffix", [good(), b"x".to_vec()].concat()),
        ("zip-cut", good().get(..5_000).unwrap_or_default().to_vec()),
        ("zip-two-bases", replaced_last(&good(), b"exhibit/tagmanifest", b"exhibiT/tagmanifest")),
        (
            "zip-local-name-differs",
            replaced_once(&good(), b"exhibit/bagit.txt", b"exhibit/bagiT.txt"),
        ),
        ("zip-escapes", renamed(b"exhibit/../../x/rep/README.txt")),
        ("zip-absolute", renamed(b"exhibit//etc/x/report/READ.txt")),
        ("zip-backslash", renamed(b"exhibit/data\\report/README.txt")),
        ("zip-reserved-name", renamed(b"exhibit/data/report/CON.xx.txt")),
        (
            "zip-name-twice",
            replaced(&good(), b"exhibit/ledger/entries/7.note", b"exhibit/ledger/entries/6.note"),
        ),
        ("zip-link", attributes(0o120_777 << 16)),
        ("zip-device", attributes(0o060_644 << 16)),
        ("zip-folder-record", attributes(0o040_755 << 16 | 0x10)),
        ("zip-encrypted", flags(&good(), 1)),
        ("zip-data-descriptor", flags(&good(), 8)),
        ("zip-utf8-flag", flags(&good(), 0x800)),
        ("zip-date", dated(&good())),
        ("zip-time", timed(&good())),
        ("zip-comment", commented(&good())),
        ("zip-bomb", bomb()),
        ("zip-empty", [b"PK\x05\x06".to_vec(), vec![0; 18]].concat()),
        ("not-a-zip", b"This is a letter, not an exhibit.\n".to_vec()),
    ];
    let case = |(name, zip)| Case { name, exit: 3, step: "container", trust: "anchor", zip };
    broken.into_iter().map(case).collect()
}

fn positions(bytes: &[u8], from: &[u8]) -> Vec<usize> {
    (0..bytes.len()).filter(|at| bytes.get(*at..*at + from.len()) == Some(from)).collect()
}

fn put(bytes: &[u8], at: usize, to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.splice(at..at + to.len(), to.iter().copied());
    bytes
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    positions(bytes, from).into_iter().fold(bytes.to_vec(), |bytes, at| put(&bytes, at, to))
}

fn replaced_once(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    positions(bytes, from).first().map_or_else(Vec::new, |at| put(bytes, *at, to))
}

fn replaced_last(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let all = positions(bytes, from);
    let (local, central) = (all.first().copied().unwrap_or(0), all.last().copied().unwrap_or(0));
    put(&put(bytes, local, to), central, to)
}

/// Sets flags in the first member's two headers.
fn flags(bytes: &[u8], flags: u16) -> Vec<u8> {
    let central = positions(bytes, b"PK\x01\x02").first().copied().unwrap_or(0);
    let bytes = put(bytes, 6, &flags.to_le_bytes());
    put(&bytes, central + 8, &flags.to_le_bytes())
}

/// A date one day later in the first member's two headers.
fn dated(bytes: &[u8]) -> Vec<u8> {
    let central = positions(bytes, b"PK\x01\x02").first().copied().unwrap_or(0);
    put(&put(bytes, 12, &[0x22, 0]), central + 14, &[0x22, 0])
}

/// A time of two seconds past midnight in the first member's two headers.
fn timed(bytes: &[u8]) -> Vec<u8> {
    let central = positions(bytes, b"PK\x01\x02").first().copied().unwrap_or(0);
    put(&put(bytes, 10, &[1, 0]), central + 12, &[1, 0])
}

/// A comment of one byte behind the archive, announced as it should be.
fn commented(bytes: &[u8]) -> Vec<u8> {
    let announced = put(bytes, bytes.len() - 2, &[1, 0]);
    [announced, b"x".to_vec()].concat()
}

/// One sound deflated member that grows a thousandfold, from 64 KiB to 64 MiB of zeros.
fn bomb() -> Vec<u8> {
    let name = b"exhibit/manifest-sha256.txt";
    let zeros = vec![0; 64 << 20];
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let packed = encoder.write_all(&zeros).and_then(|()| encoder.finish()).unwrap_or_default();
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(0);
    let mut common = Vec::new();
    for number in [20_u16, 0, 8, 0, 0x21] {
        common.extend_from_slice(&number.to_le_bytes());
    }
    for number in [crc32fast::hash(&zeros), length(&packed), length(&zeros)] {
        common.extend_from_slice(&number.to_le_bytes());
    }
    common.extend_from_slice(&27_u16.to_le_bytes());
    common.extend_from_slice(&[0; 2]);
    let mut zip = [b"PK\x03\x04".to_vec(), common.clone(), name.to_vec(), packed].concat();
    let start = length(&zip);
    zip.extend([b"PK\x01\x02\x2d\x03".to_vec(), common, vec![0; 14], name.to_vec()].concat());
    let size = length(&zip) - start;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(size.to_le_bytes());
    zip.extend(start.to_le_bytes());
    zip.extend([0, 0]);
    zip
}

/// Base64, for keys that no signer would make.
pub(crate) fn base64_of(bytes: &[u8]) -> String {
    encode(bytes)
}

/// Adds the order of the group to S in the signature of entry 2: the same equation holds.
pub(crate) fn malleate(index: u64, note: &mut String) {
    if index != 2 {
        return;
    }
    let Some((head, blob)) = note.trim_end().rsplit_once(' ') else { return };
    let mut bytes = decode(blob);
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0_u16;
    for (byte, add) in bytes.iter_mut().skip(36).zip(order) {
        let [low, high] = (u16::from(*byte) + u16::from(add) + carry).to_le_bytes();
        *byte = low;
        carry = u16::from(high);
    }
    *note = format!("{head} {}\n", encode(&bytes));
}

/// Base64 by the book: the vectors do not lean on the reader's own decoder.
mod base64 {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    pub(super) fn decode(text: &str) -> Vec<u8> {
        let value = |digit: u8| DIGITS.iter().position(|known| *known == digit).unwrap_or(0);
        let mut bytes = Vec::new();
        for group in text.as_bytes().chunks(4) {
            let bits = group.iter().fold(0_usize, |bits, digit| bits << 6 | value(*digit));
            let [.., a, b, c] = bits.to_be_bytes();
            bytes.extend([a, b, c]);
        }
        let pads = text.bytes().filter(|byte| *byte == b'=').count();
        bytes.truncate(bytes.len() - pads);
        bytes
    }

    pub(super) fn encode(bytes: &[u8]) -> String {
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let mut three = [0_u8; 3];
            three.iter_mut().zip(group).for_each(|(to, from)| *to = *from);
            let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
            for place in 0..4 {
                let digit = DIGITS.get(bits >> (18 - 6 * place) & 63).copied().unwrap_or(b'A');
                text.push(if place > group.len() { '=' } else { char::from(digit) });
            }
        }
        text
    }
}
