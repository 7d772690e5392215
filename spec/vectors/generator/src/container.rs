//! Containers that are built to harm, and a signature with a second form.

use base64::{decode, encode};

use crate::cases::Case;
use crate::scene::{Scene, zipped};

fn good() -> Vec<u8> {
    zipped(&Scene::default().build())
}

/// The cases whose .zip is the fault; no verification takes place, but where a CRC alone is wrong.
pub(crate) fn cases() -> Vec<Case> {
    let refused = |(name, zip)| Case { name, exit: 3, step: "container", trust: "anchor", zip };
    let crc = |name, step, path: &[u8]| {
        let zip = false_crc(&good(), path);
        Case { name, exit: 1, step, trust: "anchor", zip }
    };
    let mut cases: Vec<Case> = records().into_iter().chain(names()).map(refused).collect();
    cases.extend([
        crc("zip-crc-of-a-recording", "V3", b"exhibit/data/2/recording.opus"),
        crc("zip-crc-of-a-metadata-file", "V3", b"exhibit/data/2/companion-0.json"),
        crc("zip-crc-of-an-opening", "V25", b"exhibit/data/openings/2.json"),
        crc("zip-crc-of-an-entry", "V13", b"exhibit/ledger/entries/2.note"),
        crc("zip-crc-of-the-genesis", "V13", b"exhibit/ledger/control/0.note"),
        crc("zip-crc-of-a-control-entry", "V13", b"exhibit/ledger/control/3.note"),
        crc("zip-crc-of-the-checkpoint", "V8", b"exhibit/ledger/checkpoint"),
        crc("zip-crc-of-a-tag-file", "V7", b"exhibit/bagit.txt"),
    ]);
    cases
}

/// X3, X9: names.
fn names() -> Vec<(&'static str, Vec<u8>)> {
    let renamed = |to: &'static [u8]| replaced(&good(), b"exhibit/data/4/recording.json", to);
    vec![
        ("zip-two-bases", replaced_last(&good(), b"exhibit/tagmanifest", b"exhibiT/tagmanifest")),
        ("zip-escapes", renamed(b"exhibit/../../x/ecording.json")),
        ("zip-absolute", renamed(b"exhibit//etc/x/recording.json")),
        ("zip-backslash", renamed(b"exhibit/data\\4/recording.json")),
        ("zip-reserved-name", renamed(b"exhibit/data/4/CON.rding.json")),
        (
            "zip-name-twice",
            replaced(&good(), b"exhibit/ledger/entries/7.note", b"exhibit/ledger/entries/6.note"),
        ),
        ("zip-names-in-two-cases", with("BAGIT.TXT")),
        ("zip-path-of-113-bytes", with(&format!("{}/{}", "x".repeat(60), "x".repeat(52)))),
        ("zip-name-of-81-characters", with(&"x".repeat(81))),
        ("zip-hidden-name", with(".DS_Store")),
        ("zip-name-ends-with-a-dot", with("notes.")),
        ("zip-base-with-a-space", replaced(&good(), b"exhibit/", b"exhi it/")),
    ]
}

/// X7, X8: records and their fields.
fn records() -> Vec<(&'static str, Vec<u8>)> {
    let attributes = |bits: u32| {
        let (from, to) = ((0o100_644_u32 << 16).to_le_bytes(), bits.to_le_bytes());
        replaced_once(&good(), &from, &to)
    };
    vec![
        ("zip-prefix", [b"x".to_vec(), good()].concat()),
        ("zip-suffix", [good(), b"x".to_vec()].concat()),
        ("zip-cut", good().get(..5_000).unwrap_or_default().to_vec()),
        (
            "zip-local-name-differs",
            replaced_once(&good(), b"exhibit/bagit.txt", b"exhibit/bagiT.txt"),
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
        ("zip-deflated", deflated(&good(), b"")),
        ("zip-bytes-behind-a-deflate-stream", deflated(&good(), b"a forged recording")),
        ("zip-needless-zip64", needless_zip64(&good())),
        ("zip-needless-zip64-end", needless_zip64_end(&good())),
        ("zip-order", reordered(&good())),
        ("zip-made-by", made_by(&good())),
        ("zip-version-needed", version_needed(&good())),
        ("zip-extra-field", extra_field(&good())),
        ("zip-disk", in_first_central(&good(), 34, &[1, 0])),
        ("zip-internal-attributes", in_first_central(&good(), 36, &[1, 0])),
        ("zip-comment-of-a-member", in_first_central(&good(), 32, &[1, 0])),
        ("zip-crc-of-the-directory-differs", in_first_central(&good(), 16, &[0; 4])),
        ("zip-sizes-of-the-directory-differ", in_first_central(&good(), 20, &[1, 0, 0, 0])),
        ("zip-offset-into-another-member", in_first_central(&good(), 42, &[9, 0, 0, 0])),
        ("zip-end-of-another-disk", in_end(&good(), 4, &[1, 0])),
        ("zip-end-counts-fewer", in_end(&good(), 8, &[5, 0, 5, 0])),
        ("zip-end-counts-two-ways", in_end(&good(), 8, &[5, 0])),
        ("zip-end-of-another-offset", in_end(&good(), 16, &[0; 4])),
        ("zip-gap", gap(&good())),
        ("zip-empty", [b"PK\x05\x06".to_vec(), vec![0; 18]].concat()),
        ("not-a-zip", b"This is a letter, not an exhibit.\n".to_vec()),
    ]
}

/// The good exhibit and one more file.
fn with(path: &str) -> Vec<u8> {
    let mut package = Scene::default().build();
    package.insert(path, "x");
    zipped(&package)
}

fn in_first_central(zip: &[u8], at: usize, to: &[u8]) -> Vec<u8> {
    let central = positions(zip, b"PK\x01\x02").first().copied().unwrap_or(0);
    put(zip, central + at, to)
}

fn in_end(zip: &[u8], at: usize, to: &[u8]) -> Vec<u8> {
    put(zip, zip.len() - 22 + at, to)
}

/// A byte between the first member and the second, which every offset allows for.
fn gap(zip: &[u8]) -> Vec<u8> {
    let parts = first(zip);
    let others = [b"x", parts.others].concat();
    let before = First { others: &others, ..parts };
    before.rebuilt(before.local, before.bytes, before.central).clone()
}

/// The same false CRC in both headers of a member: its bytes are untouched.
fn false_crc(zip: &[u8], path: &[u8]) -> Vec<u8> {
    let names = positions(zip, path);
    let at = |place: usize| names.get(place).copied().unwrap_or(0);
    let zip = put(zip, at(0) - 30 + 14, &[1, 2, 3, 4]);
    put(&zip, at(1) - 46 + 16, &[1, 2, 3, 4])
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

/// The first member, `bag-info.txt`, taken out of the archive: its two headers, its bytes, and what
/// stands between and behind them.
struct First<'a> {
    local: &'a [u8],
    bytes: &'a [u8],
    others: &'a [u8],
    central: &'a [u8],
    directory: &'a [u8],
    count: u16,
}

const FIRST: &[u8] = b"exhibit/bag-info.txt";

fn first(zip: &[u8]) -> First<'_> {
    let part = |from: usize, to: usize| zip.get(from..to).unwrap_or_default();
    let number =
        |at: usize| part(at, at + 4).iter().rev().fold(0, |n, byte| n << 8 | usize::from(*byte));
    let end = zip.len() - 22;
    let (start, data) = (number(end + 16), 30 + FIRST.len());
    let next = data + number(18);
    let second = start + 46 + FIRST.len();
    First {
        local: part(0, data),
        bytes: part(data, next),
        others: part(next, start),
        central: part(start, second),
        directory: part(second, end),
        count: u16::try_from(number(end + 10) & 0xffff).unwrap_or(0),
    }
}

impl First<'_> {
    /// The archive again, with another first member; every other header is moved by as much.
    fn rebuilt(&self, local: &[u8], bytes: &[u8], central: &[u8]) -> Vec<u8> {
        let before = self.local.len() + self.bytes.len();
        let now = local.len() + bytes.len();
        let mut directory = self.directory.to_vec();
        for at in positions(&directory.clone(), b"PK\x01\x02") {
            let old = directory.get(at + 42..at + 46).unwrap_or_default();
            let old = old.iter().rev().fold(0, |n, byte| n << 8 | usize::from(*byte));
            let moved = u32::try_from(old + now - before).unwrap_or(0);
            directory = put(&directory, at + 42, &moved.to_le_bytes());
        }
        let members = [local, bytes, self.others].concat();
        let size = u32::try_from(central.len() + directory.len()).unwrap_or(0);
        let start = u32::try_from(members.len()).unwrap_or(0);
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        end.extend([self.count, self.count].iter().flat_map(|count| count.to_le_bytes()));
        end.extend([size, start].iter().flat_map(|number| number.to_le_bytes()));
        end.extend([0, 0]);
        [&members, central, &directory, &end].concat()
    }
}

/// The first member as a deflate stream of one stored block, with `behind` after the stream's end,
/// inside the packed size: some readers stop at the end of the stream, others do not look at it.
fn deflated(zip: &[u8], behind: &[u8]) -> Vec<u8> {
    let parts = first(zip);
    let length = u16::try_from(parts.bytes.len()).unwrap_or(0);
    let block =
        [&[1], &length.to_le_bytes()[..], &(!length).to_le_bytes(), parts.bytes, behind].concat();
    let packed = u32::try_from(block.len()).unwrap_or(0).to_le_bytes();
    let header =
        |header: &[u8], method: usize| put(&put(header, method, &[8, 0]), method + 10, &packed);
    parts.rebuilt(&header(parts.local, 8), &block, &header(parts.central, 10))
}

/// A ZIP64 field that names another length than the narrow one, which holds it well enough: one
/// reader takes the one, the next reader the other.
fn needless_zip64(zip: &[u8]) -> Vec<u8> {
    let parts = first(zip);
    let length = parts.bytes.len() as u64 - 1;
    let wide = [&[1, 0, 16, 0], &length.to_le_bytes()[..], &length.to_le_bytes()].concat();
    let header = |header: &[u8], at: usize| [put(header, at, &[20, 0]), wide.clone()].concat();
    parts.rebuilt(&header(parts.local, 28), parts.bytes, &header(parts.central, 30))
}

/// ZIP64 end records where the narrow one holds every number.
fn needless_zip64_end(zip: &[u8]) -> Vec<u8> {
    let (body, end) = zip.split_at(zip.len() - 22);
    let field = |from: usize, bytes: usize| {
        let mut wide = end.get(from..from + bytes).unwrap_or_default().to_vec();
        wide.resize(8, 0);
        wide
    };
    let record = [b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\x03\x2d\0\0\0\0\0\0\0\0\0".to_vec()];
    let numbers = [field(10, 2), field(10, 2), field(12, 4), field(16, 4)];
    let locator = [
        b"PK\x06\x07\0\0\0\0".to_vec(),
        (body.len() as u64).to_le_bytes().to_vec(),
        vec![1, 0, 0, 0],
    ];
    [body.to_vec(), record.concat(), numbers.concat(), locator.concat(), end.to_vec()].concat()
}

/// The first two central headers in the other order.
fn reordered(zip: &[u8]) -> Vec<u8> {
    let central = positions(zip, b"PK\x01\x02");
    let at = |place: usize| central.get(place).copied().unwrap_or(0);
    let part = |from: usize, to: usize| zip.get(from..to).unwrap_or_default();
    [part(0, at(0)), part(at(1), at(2)), part(at(0), at(1)), part(at(2), zip.len())].concat()
}

/// The first member made by a version 3.0.
fn made_by(zip: &[u8]) -> Vec<u8> {
    let central = positions(zip, b"PK\x01\x02").first().copied().unwrap_or(0);
    put(zip, central + 4, &[30, 3])
}

/// The first member needs version 1.0, in both headers.
fn version_needed(zip: &[u8]) -> Vec<u8> {
    let central = positions(zip, b"PK\x01\x02").first().copied().unwrap_or(0);
    put(&put(zip, 4, &[10, 0]), central + 6, &[10, 0])
}

/// An empty extra field of somebody else's in both headers of the first member.
fn extra_field(zip: &[u8]) -> Vec<u8> {
    let parts = first(zip);
    let header = |header: &[u8], at: usize| [put(header, at, &[4, 0]), b"ux\0\0".to_vec()].concat();
    parts.rebuilt(&header(parts.local, 28), parts.bytes, &header(parts.central, 30))
}

/// Base64, for keys that no signer would make.
pub(crate) fn base64_of(bytes: &[u8]) -> String {
    encode(bytes)
}

/// The bytes of canonical base64.
pub(crate) fn base64_decoded(text: &str) -> Vec<u8> {
    decode(text)
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
