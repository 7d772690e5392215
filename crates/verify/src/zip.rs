//! A strict reader of .zip archives: one meaning for every byte of the container.
//!
//! What an archiver tolerates, a verifier must not: two records of one name, bytes between the
//! members, headers that disagree. spec/exhibit.md X8 lists what is refused, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

use crc32fast::Hasher as Crc32;
use flate2::bufread::DeflateDecoder;
use unbroken_evidence::bag::check_path;
use unbroken_evidence::content::{BlockKey, Digests, digest_stream};
use unbroken_evidence::limits::EXHIBIT_FILES_MAX;
use unbroken_evidence::package::{Package, PackageError};

use crate::open::OpenError;

/// Who may have written a member: MS-DOS or Unix, by version 2.0, 3.0 or 4.5 of the format. No two
/// differ in one bit, so that a flipped one is found.
const MADE_BY: [u16; 5] = [20, 45, 3 << 8 | 20, 3 << 8 | 30, 3 << 8 | 45];
/// The external attributes of a plain file: none, or Unix modes 0644 and 0600.
const ATTRIBUTES: [u32; 3] = [0, 0o100_644 << 16, 0o100_600 << 16];
const END_BYTES: u64 = 22;
const END64_BYTES: u64 = 56;
const LOCATOR_BYTES: u64 = 20;
const CENTRAL_BYTES: u64 = 46;
const LOCAL_BYTES: u64 = 30;
/// The name and extra field of a header, together: paths are short, and ZIP64 has 28 bytes.
const NAME_AND_EXTRA_MAX: u16 = 2_048;
/// A deflated member grows to at most this many times its size, and a MiB more.
const EXPANSION_MAX: u64 = 100;
const MIB: u64 = 1 << 20;
/// 1980-01-01 00:00:00 as MS-DOS writes it: time, date.
const DOS_EPOCH: (u16, u16) = (0, 0x21);

/// An archive whose structure was checked, member by member.
#[derive(Debug)]
pub struct Zip {
    file: File,
    lengths: BTreeMap<String, u64>,
    members: BTreeMap<String, Member>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    deflated: bool,
    crc: u32,
    packed: u64,
    length: u64,
    /// Where the local header begins, then, once it was read, where the data begins.
    offset: u64,
    name: Vec<u8>,
}

struct Opening<'a> {
    path: &'a Path,
    file: BufReader<File>,
    length: u64,
}

impl Zip {
    /// Reads and checks the structure of the archive `file`.
    ///
    /// # Errors
    /// `Container` for anything that spec/exhibit.md X8 refuses.
    pub fn open(path: &Path, file: File) -> Result<Self, OpenError> {
        let length = file.metadata().map_err(|error| OpenError::io(path, error))?.len();
        let plain = file.try_clone().map_err(|error| OpenError::io(path, error))?;
        let mut opening = Opening { path, file: BufReader::new(file), length };
        let (start, end, count) = opening.directory()?;
        let mut members = opening.central(start, end, count)?;
        opening.local(&mut members, start)?;
        let members = opening.names(members)?;
        let lengths = members.iter().map(|(path, member)| (path.clone(), member.length)).collect();
        Ok(Self { file: plain, lengths, members })
    }

    fn reader(&mut self, path: &str) -> Result<MemberReader<'_>, PackageError> {
        let missing = || PackageError::Damaged("no such file".into());
        let member = self.members.get(path).ok_or_else(missing)?.clone();
        let sought = self.file.seek(SeekFrom::Start(member.offset));
        sought.map_err(|error| PackageError::Io(error.to_string()))?;
        let raw = BufReader::with_capacity(256 << 10, (&mut self.file).take(member.packed));
        let data: Box<dyn Read + '_> =
            if member.deflated { Box::new(DeflateDecoder::new(raw)) } else { Box::new(raw) };
        Ok(MemberReader { data, crc: Crc32::new(), left: member.length, expected_crc: member.crc })
    }
}

impl Opening<'_> {
    fn refused<T>(&self, why: impl Into<String>) -> Result<T, OpenError> {
        Err(OpenError::container(
            self.path,
            format!("not a .zip that an exhibit may be: {}", why.into()),
        ))
    }

    fn bytes(&mut self, at: u64, count: u64) -> Result<Fields, OpenError> {
        if at.checked_add(count).is_none_or(|end| end > self.length) {
            return self.refused("it is cut short");
        }
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(0)];
        // Seeking inside the buffer keeps it: the directory is read in one sweep.
        let here = self.file.stream_position().unwrap_or(0);
        let moved = i64::try_from(at).unwrap_or(i64::MAX) - i64::try_from(here).unwrap_or(i64::MAX);
        let read = self.file.seek_relative(moved).and_then(|()| self.file.read_exact(&mut bytes));
        read.map_err(|error| OpenError::io(self.path, error))?;
        Ok(Fields { bytes, at: 0 })
    }

    /// The central directory: where it begins, where it ends, how many records it has.
    fn directory(&mut self) -> Result<(u64, u64, u64), OpenError> {
        let Some(at) = self.length.checked_sub(END_BYTES) else { return self.refused("too short") };
        let mut end = self.bytes(at, END_BYTES)?;
        if end.u32() != 0x0605_4b50 {
            return self.refused("a comment, or bytes after the end of the archive");
        }
        let disks = (end.u16(), end.u16());
        let (here, count) = (end.u16(), end.u16());
        let (size, start, comment) = (end.u32(), end.u32(), end.u16());
        if disks != (0, 0) || here != count || comment != 0 {
            return self.refused("several disks, or a comment");
        }
        let narrow = count != u16::MAX && size != u32::MAX && start != u32::MAX;
        let (start, stop, count) =
            if narrow { (u64::from(start), at, u64::from(count)) } else { self.directory64(at)? };
        let size = if narrow { u64::from(size) } else { stop.saturating_sub(start) };
        if start.checked_add(size) != Some(stop) || count > EXHIBIT_FILES_MAX as u64 {
            return self.refused("a gap between its directory and its end, or too many files");
        }
        Ok((start, stop, count))
    }

    fn directory64(&mut self, end: u64) -> Result<(u64, u64, u64), OpenError> {
        let Some(at) = end.checked_sub(LOCATOR_BYTES + END64_BYTES) else {
            return self.refused("no ZIP64 directory");
        };
        let mut record = self.bytes(at, END64_BYTES + LOCATOR_BYTES)?;
        let head = (record.u32(), record.u64());
        record.u16();
        let (needed, disks) = (record.u16(), (record.u32(), record.u32()));
        let (here, count, size, start) = (record.u64(), record.u64(), record.u64(), record.u64());
        let locator = (record.u32(), record.u32(), record.u64(), record.u32());
        let sound = head == (0x0606_4b50, END64_BYTES - 12)
            && needed <= 45
            && disks == (0, 0)
            && here == count
            && start.checked_add(size) == Some(at)
            && locator == (0x0706_4b50, 0, at, 1);
        if sound {
            Ok((start, at, count))
        } else {
            self.refused("its ZIP64 directory disagrees with itself")
        }
    }

    fn central(&mut self, start: u64, end: u64, count: u64) -> Result<Vec<Member>, OpenError> {
        let mut members = Vec::new();
        let mut at = start;
        for _ in 0..count {
            let mut head = self.bytes(at, CENTRAL_BYTES)?;
            if head.u32() != 0x0201_4b50 {
                return self.refused("a directory record without its mark");
            }
            let made_by = head.u16();
            let common = self.common(&mut head)?;
            let (comment, disk, internal) = (head.u16(), head.u16(), head.u16());
            let (attributes, offset) = (head.u32(), head.u32());
            if comment != 0 || disk != 0 || !ATTRIBUTES.contains(&attributes) {
                return self.refused("a comment, another disk, or anything but a plain file");
            }
            if !MADE_BY.contains(&made_by) || internal != 0 {
                return self.refused("a maker or attributes that no writer of exhibits gives");
            }
            at += CENTRAL_BYTES;
            let mut member = self.tail(&mut at, &common, Some(offset))?;
            if member.offset >= start {
                return self.refused("a member behind the directory");
            }
            member.deflated = common.deflated;
            members.push(member);
        }
        if at == end {
            Ok(members)
        } else {
            self.refused("a directory of another size than it says")
        }
    }

    /// The part that local and central headers share, from `needed version` on.
    fn common(&self, head: &mut Fields) -> Result<Common, OpenError> {
        let (needed, flags, method) = (head.u16(), head.u16(), head.u16());
        let stamp = (head.u16(), head.u16());
        let (crc, packed, length) = (head.u32(), head.u32(), head.u32());
        let (name, extra) = (head.u16(), head.u16());
        if !matches!(needed, 10 | 20 | 45) || flags != 0 || !matches!(method, 0 | 8) {
            return self.refused(
                "encryption, a data descriptor, or a method other than stored and deflate",
            );
        }
        if stamp != DOS_EPOCH || name.saturating_add(extra) > NAME_AND_EXTRA_MAX {
            return self
                .refused("a date other than 1980-01-01 00:00:00, or a name that is too long");
        }
        Ok(Common { deflated: method == 8, crc, packed, length, name, extra })
    }

    /// The name and extra field behind a header; `at` moves behind them.
    fn tail(
        &mut self,
        at: &mut u64,
        common: &Common,
        offset: Option<u32>,
    ) -> Result<Member, OpenError> {
        let (name_bytes, extra_bytes) = (u64::from(common.name), u64::from(common.extra));
        let name = self.bytes(*at, name_bytes)?.bytes;
        let mut extra = self.bytes(*at + name_bytes, extra_bytes)?;
        *at += name_bytes + extra_bytes;
        let wide = [Some(common.length), Some(common.packed), offset].map(|n| n == Some(u32::MAX));
        let expected = 8 * wide.iter().filter(|wide| **wide).count() as u64;
        if expected > 0 && (extra.u16(), u64::from(extra.u16())) != (1, expected) {
            return self.refused("a ZIP64 field that is missing or of another size");
        }
        if extra_bytes != if expected > 0 { expected + 4 } else { 0 } {
            return self.refused("an extra field other than ZIP64's");
        }
        let mut pick = |wide: bool, narrow: u32| if wide { extra.u64() } else { u64::from(narrow) };
        let length = pick(wide[0], common.length);
        let packed = pick(wide[1], common.packed);
        let offset = pick(wide[2], offset.unwrap_or(0));
        let limit = packed.saturating_mul(EXPANSION_MAX).saturating_add(MIB);
        if !common.deflated && packed != length || common.deflated && length > limit {
            return self.refused(
                "a member that grows more than a hundredfold, or a stored one that grows",
            );
        }
        Ok(Member { deflated: common.deflated, crc: common.crc, packed, length, offset, name })
    }

    /// Local headers must say what the directory says, and the members must fill the archive up to
    /// the directory without gap or overlap.
    fn local(&mut self, members: &mut [Member], directory: u64) -> Result<(), OpenError> {
        members.sort_by_key(|member| member.offset);
        let mut at = 0;
        for member in members.iter_mut() {
            if member.offset != at {
                return self.refused("bytes between its members, or members that overlap");
            }
            let mut head = self.bytes(at, LOCAL_BYTES)?;
            if head.u32() != 0x0403_4b50 {
                return self.refused("a member without its header");
            }
            let common = self.common(&mut head)?;
            at += LOCAL_BYTES;
            let mut local = self.tail(&mut at, &common, None)?;
            local.offset = member.offset;
            if local != *member {
                return self.refused("a header that disagrees with the directory");
            }
            member.offset = at;
            at = at.saturating_add(member.packed);
        }
        if at == directory {
            Ok(())
        } else {
            self.refused("bytes between its members and the directory")
        }
    }

    fn names(&self, members: Vec<Member>) -> Result<BTreeMap<String, Member>, OpenError> {
        let mut named = BTreeMap::new();
        let mut folded = BTreeSet::new();
        let mut base: Option<String> = None;
        for member in members {
            let shown = unbroken_evidence::error::printable_bytes(&member.name);
            let name = std::str::from_utf8(&member.name).unwrap_or_default();
            let Some((folder, path)) = name.split_once('/') else {
                return self.refused(format!("`{shown}` is not inside one base folder"));
            };
            let outside = base.get_or_insert_with(|| folder.to_owned()) != folder;
            if outside || check_path(folder).is_err() || check_path(path).is_err() {
                return self.refused(format!(
                    "`{shown}` is outside the base folder, or no name of an exhibit"
                ));
            }
            if !folded.insert(path.to_ascii_lowercase()) {
                return self.refused(format!("`{shown}` is there twice"));
            }
            named.insert(path.to_owned(), member);
        }
        Ok(named)
    }
}

struct Common {
    deflated: bool,
    crc: u32,
    packed: u32,
    length: u32,
    name: u16,
    extra: u16,
}

/// Little-endian fields, read one after the other; past the end they are zero, which no mark is.
struct Fields {
    bytes: Vec<u8>,
    at: usize,
}

impl Fields {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let taken = self.bytes.get(self.at..self.at + N).and_then(|bytes| bytes.try_into().ok());
        self.at += N;
        taken.unwrap_or([0; N])
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}

/// The bytes of one member, inflated; at their end length and CRC are held against the header.
struct MemberReader<'a> {
    data: Box<dyn Read + 'a>,
    crc: Crc32,
    left: u64,
    expected_crc: u32,
}

impl MemberReader<'_> {
    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, PackageError> {
        let count = match self.data.read(buffer) {
            Ok(count) => count,
            Err(error)
                if error.kind() == io::ErrorKind::InvalidInput
                    || error.kind() == io::ErrorKind::InvalidData
                    || error.kind() == io::ErrorKind::UnexpectedEof =>
            {
                return Err(PackageError::Damaged(format!("it does not inflate: {error}")));
            }
            Err(error) => return Err(PackageError::Io(error.to_string())),
        };
        let Some(left) = self.left.checked_sub(count as u64) else {
            return Err(PackageError::Damaged("longer than its header says".into()));
        };
        self.left = left;
        self.crc.update(buffer.get(..count).unwrap_or_default());
        if count == 0 && left > 0 {
            return Err(PackageError::Damaged("shorter than its header says".into()));
        }
        if count == 0 && self.crc.clone().finalize() != self.expected_crc {
            return Err(PackageError::Damaged("its CRC differs".into()));
        }
        Ok(count)
    }
}

impl Package for Zip {
    fn files(&self) -> &BTreeMap<String, u64> {
        &self.lengths
    }

    fn stream(&mut self, path: &str, sink: &mut dyn FnMut(&[u8])) -> Result<(), PackageError> {
        let mut reader = self.reader(path)?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match reader.next(&mut buffer)? {
                0 => return Ok(()),
                count => sink(buffer.get(..count).unwrap_or_default()),
            }
        }
    }

    fn digest(&mut self, path: &str, keys: &[(u64, BlockKey)]) -> Result<Digests, PackageError> {
        let mut reader = self.reader(path)?;
        let length = reader.left;
        digest_stream(keys, length, |buffer| reader.next(buffer))
    }
}
