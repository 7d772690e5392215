//! The bytes of a .zip's records: for each member exactly one local and one central header, for each
//! archive exactly one end.
//!
//! ```text
//! local header, name, [ZIP64 field]; the bytes          for each member
//! central header, name, [ZIP64 field]                   for each member, in the same order
//! [ZIP64 end record, ZIP64 locator]; end record
//! ```
//!
//! ZIP64 stands exactly where a narrow field cannot hold the value; that field is then all ones.

/// Bytes of a central header before the name.
pub(super) const CENTRAL_BYTES: usize = 46;
/// Bytes of the end record.
pub(super) const END_BYTES: usize = 22;
/// Bytes of the ZIP64 end record and its locator.
pub(super) const END64_BYTES: usize = 76;

/// A plain file that everybody may read, as Unix attributes.
const PLAIN_FILE: u32 = 0o100_644 << 16;
/// Unix, by version 4.5 of the format.
const MADE_BY: u16 = 3 << 8 | 45;
/// 1980-01-01 00:00:00 as MS-DOS writes it: time, then date.
const DOS_EPOCH: u32 = 0x21 << 16;

/// A stored member: all that its headers say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// The base folder, a slash, and the path.
    pub(super) name: String,
    /// CRC-32 of its bytes.
    pub(super) crc: u32,
    /// The number of its bytes.
    pub(super) length: u64,
    /// Where its local header begins.
    pub(super) offset: u64,
}

impl Member {
    /// The local header, name and ZIP64 field included.
    pub(super) fn local(&self) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        let wide = self.wide_length().map_or_else(Vec::new, |length| vec![length, length]);
        self.common(&mut bytes, wide.len());
        self.name_and_zip64(&mut bytes, &wide);
        bytes
    }

    /// The central header, name and ZIP64 field included.
    pub(super) fn central(&self) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02".to_vec();
        let mut wide = self.wide_length().map_or_else(Vec::new, |length| vec![length, length]);
        wide.extend((narrow(self.offset) == u32::MAX).then_some(self.offset));
        put16(&mut bytes, MADE_BY);
        self.common(&mut bytes, wide.len());
        // No comment, the first disk, no internal attributes.
        bytes.extend_from_slice(&[0; 6]);
        put32(&mut bytes, PLAIN_FILE);
        put32(&mut bytes, narrow(self.offset));
        self.name_and_zip64(&mut bytes, &wide);
        bytes
    }

    /// What both headers share, from `version needed` to `extra field length`.
    fn common(&self, bytes: &mut Vec<u8>, wide: usize) {
        let is_wide = self.wide_length().is_some() || narrow(self.offset) == u32::MAX;
        put16(bytes, if is_wide { 45 } else { 20 });
        // No flags; stored.
        put32(bytes, 0);
        put32(bytes, DOS_EPOCH);
        put32(bytes, self.crc);
        put32(bytes, narrow(self.length));
        put32(bytes, narrow(self.length));
        put16(bytes, narrow16(self.name.len() as u64));
        put16(bytes, narrow16(if wide > 0 { 4 + 8 * wide as u64 } else { 0 }));
    }

    fn name_and_zip64(&self, bytes: &mut Vec<u8>, wide: &[u64]) {
        bytes.extend_from_slice(self.name.as_bytes());
        if !wide.is_empty() {
            put16(bytes, 1);
            put16(bytes, narrow16(8 * wide.len() as u64));
            wide.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        }
    }

    /// The length, where 32 bits cannot hold it.
    fn wide_length(&self) -> Option<u64> {
        (narrow(self.length) == u32::MAX).then_some(self.length)
    }
}

/// What follows a directory of `count` records, `size` bytes long, that begins at `start`.
pub(super) fn end(start: u64, size: u64, count: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let is_wide =
        narrow16(count) == u16::MAX || narrow(size) == u32::MAX || narrow(start) == u32::MAX;
    if is_wide {
        bytes.extend_from_slice(b"PK\x06\x06");
        bytes.extend_from_slice(&44_u64.to_le_bytes());
        put16(&mut bytes, MADE_BY);
        put16(&mut bytes, 45);
        // This disk, and the one where the directory begins.
        bytes.extend_from_slice(&[0; 8]);
        for number in [count, count, size, start] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(b"PK\x06\x07");
        put32(&mut bytes, 0);
        bytes.extend_from_slice(&start.saturating_add(size).to_le_bytes());
        put32(&mut bytes, 1);
    }
    bytes.extend_from_slice(b"PK\x05\x06");
    put32(&mut bytes, 0);
    put16(&mut bytes, narrow16(count));
    put16(&mut bytes, narrow16(count));
    put32(&mut bytes, narrow(size));
    put32(&mut bytes, narrow(start));
    // No comment.
    put16(&mut bytes, 0);
    bytes
}

/// The 32-bit form of a number; all ones where it has none.
pub(super) fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn narrow16(number: u64) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn put16(bytes: &mut Vec<u8>, number: u16) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

fn put32(bytes: &mut Vec<u8>, number: u32) {
    bytes.extend_from_slice(&number.to_le_bytes());
}
