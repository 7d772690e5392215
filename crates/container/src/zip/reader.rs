//! Reads an exhibit's .zip, and no other: one meaning for every byte.
//!
//! What an archiver tolerates, a verifier must not: an archive with two contents is a forgery that
//! one reader sees and the next does not. So each record is compared, whole, with the one that
//! [`form`](super::form) makes of its member; there is no field that is read and not compared.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crc32fast::Hasher as Crc32;
use unbroken_evidence::bag::check_path;
use unbroken_evidence::content::{BlockKey, Digests, digest_stream};
use unbroken_evidence::error::printable_bytes;
use unbroken_evidence::length::Ends;
use unbroken_evidence::limits::{EXHIBIT_FILES_MAX, PATH_BYTES_MAX, PATH_SEGMENT_CHARS_MAX};
use unbroken_evidence::package::{Files, Package, PackageError};

use super::form::{CENTRAL_BYTES, END_BYTES, END64_BYTES, Member, end, narrow};
use crate::error::OpenError;

/// The longest name: the base folder, a slash, a path.
const NAME_BYTES_MAX: usize = PATH_SEGMENT_CHARS_MAX + 1 + PATH_BYTES_MAX;
/// A ZIP64 field with both sizes and the offset.
const EXTRA_BYTES_MAX: usize = 28;

/// An archive every record of which was checked.
#[derive(Debug)]
pub struct Zip {
    file: File,
    files: Files,
    /// In the order of `files`.
    contents: Vec<Content>,
}

/// The bytes of a member: where they begin, and their CRC.
#[derive(Clone, Copy, Debug)]
struct Content {
    at: u64,
    crc: u32,
}

impl Zip {
    /// Reads and checks the structure of the archive `file`.
    ///
    /// # Errors
    /// `Container` for anything but the one form of spec/exhibit.md X7 and X8.
    pub fn open(path: &Path, file: File) -> Result<Self, OpenError> {
        let length = file.metadata().map_err(|error| OpenError::io(path, error))?.len();
        let plain = file.try_clone().map_err(|error| OpenError::io(path, error))?;
        let mut archive = Archive { path, file: BufReader::new(file), length };
        let directory = archive.end()?;
        let members = archive.central(&directory)?;
        let (files, contents) = archive.local(members, directory.start)?;
        Ok(Self { file: plain, files, contents })
    }

    fn reader(&mut self, path: &str) -> Result<MemberReader<'_>, PackageError> {
        let missing = || PackageError::Damaged("no such file".into());
        let place = self.files.position(path).ok_or_else(missing)?;
        let content = *self.contents.get(place).ok_or_else(missing)?;
        let left = self.files.length(path).ok_or_else(missing)?;
        let sought = self.file.seek(SeekFrom::Start(content.at));
        sought.map_err(|error| PackageError::Io(error.to_string()))?;
        Ok(MemberReader { file: &self.file, crc: Crc32::new(), left, expected: content.crc })
    }
}

/// Where the central headers stand, and how many there are.
struct Directory {
    start: u64,
    size: u64,
    count: u64,
}

/// An archive that is being taken apart.
struct Archive<'a> {
    path: &'a Path,
    file: BufReader<File>,
    length: u64,
}

impl Archive<'_> {
    fn refused<T>(&self, why: impl std::fmt::Display) -> Result<T, OpenError> {
        let why = format!("not the .zip of an exhibit, as its maker writes it: {why}");
        Err(OpenError::container(self.path, why))
    }

    fn bytes(&mut self, at: u64, count: usize) -> Result<Vec<u8>, OpenError> {
        if at.checked_add(count as u64).is_none_or(|end| end > self.length) {
            return self.refused("it is cut short");
        }
        let mut bytes = vec![0; count];
        // Seeking inside the buffer keeps it: the directory is read in one sweep.
        let here = self.file.stream_position().unwrap_or(0);
        let moved = i64::try_from(at).unwrap_or(i64::MAX) - i64::try_from(here).unwrap_or(i64::MAX);
        let read = self.file.seek_relative(moved).and_then(|()| self.file.read_exact(&mut bytes));
        read.map_err(|error| OpenError::io(self.path, error))?;
        Ok(bytes)
    }

    /// What the end of the archive says of its directory.
    fn end(&mut self) -> Result<Directory, OpenError> {
        let Some(at) = self.length.checked_sub(END_BYTES as u64) else {
            return self.refused("it is too short");
        };
        let narrow_end = self.bytes(at, END_BYTES)?;
        let mut fields = Fields::of(&narrow_end, 8);
        let (_, count, size, start) = (fields.u16(), fields.u16(), fields.u32(), fields.u32());
        let is_wide = count == u16::MAX || size == u32::MAX || start == u32::MAX;
        let (start, size, count) = match at.checked_sub(END64_BYTES as u64).filter(|_| is_wide) {
            None => (u64::from(start), u64::from(size), u64::from(count)),
            Some(at) => {
                let wide_end = self.bytes(at, END64_BYTES)?;
                let mut fields = Fields::of(&wide_end, 32);
                let (count, size, start) = (fields.u64(), fields.u64(), fields.u64());
                (start, size, count)
            }
        };
        if count > EXHIBIT_FILES_MAX as u64 {
            return self.refused(format!("more than {EXHIBIT_FILES_MAX} files"));
        }
        let expected = end(start, size, count);
        let behind = start.checked_add(size).and_then(|at| self.length.checked_sub(at));
        if behind != Some(expected.len() as u64)
            || self.bytes(self.length - expected.len() as u64, expected.len())? != expected
        {
            return self.refused("its end has another form, or other bytes stand around it");
        }
        Ok(Directory { start, size, count })
    }

    /// The central headers, which must fill the directory.
    fn central(&mut self, directory: &Directory) -> Result<Vec<Member>, OpenError> {
        let mut members: Vec<Member> = Vec::new();
        let mut at = directory.start;
        for _ in 0..directory.count {
            let (member, bytes) = self.member(at)?;
            let central = member.central();
            if bytes != central.get(..CENTRAL_BYTES).unwrap_or_default()
                || self.bytes(at, central.len())? != central
            {
                let shown = printable_bytes(member.name.as_bytes());
                return self.refused(format!("the header of `{shown}` has another form"));
            }
            at += central.len() as u64;
            members.push(member);
        }
        if at - directory.start != directory.size {
            return self.refused("a directory of another size than its end says");
        }
        Ok(members)
    }

    /// What the central header at `at` says of its member, and the header before the name.
    fn member(&mut self, at: u64) -> Result<(Member, Vec<u8>), OpenError> {
        let head = self.bytes(at, CENTRAL_BYTES)?;
        let mut fields = Fields::of(&head, 16);
        let (crc, length, _) = (fields.u32(), fields.u32(), fields.u32());
        let (name_bytes, extra_bytes) = (usize::from(fields.u16()), usize::from(fields.u16()));
        let offset = Fields::of(&head, 42).u32();
        if name_bytes > NAME_BYTES_MAX || extra_bytes > EXTRA_BYTES_MAX {
            return self.refused("a name or an extra field that is too long");
        }
        let tail = self.bytes(at + CENTRAL_BYTES as u64, name_bytes + extra_bytes)?;
        let (name, extra) = tail.split_at(name_bytes);
        let Ok(name) = String::from_utf8(name.to_vec()) else {
            return self.refused(format!("the name `{}`", printable_bytes(name)));
        };
        let mut wide = Fields::of(extra, 4);
        let mut member = Member { name, crc, length: length.into(), offset: offset.into() };
        if narrow(member.length) == u32::MAX {
            member.length = wide.u64();
            wide.u64();
        }
        if narrow(member.offset) == u32::MAX {
            member.offset = wide.u64();
        }
        Ok((member, head))
    }

    /// Local headers must be those of the central ones, and the members must fill the archive up to
    /// its directory, one behind the other in ascending order of their names.
    fn local(
        &mut self,
        members: Vec<Member>,
        directory: u64,
    ) -> Result<(Files, Vec<Content>), OpenError> {
        let (mut paths, mut contents) = (Vec::new(), Vec::new());
        let mut at = 0;
        let mut base: Option<String> = None;
        let mut last = String::new();
        for member in members {
            let shown = printable_bytes(member.name.as_bytes());
            let local = member.local();
            if member.offset != at || self.bytes(at, local.len())? != local {
                return self.refused(format!(
                    "`{shown}` stands in another place, or its two headers do not say the same"
                ));
            }
            let (folder, path) = member.name.split_once('/').unwrap_or_default();
            let outside = base.get_or_insert_with(|| folder.to_owned()) != folder;
            if outside || check_path(folder).is_err() || check_path(path).is_err() {
                return self.refused(format!(
                    "`{shown}` is not inside one base folder, or no name of an exhibit"
                ));
            }
            if path <= last.as_str() {
                return self.refused(format!("`{shown}` is out of its order, or there twice"));
            }
            path.clone_into(&mut last);
            let begins = at + local.len() as u64;
            contents.push(Content { at: begins, crc: member.crc });
            paths.push((path.to_owned(), member.length));
            let Some(next) = begins.checked_add(member.length) else {
                return self.refused("it is cut short");
            };
            at = next;
        }
        if at != directory {
            return self.refused("bytes between its members and its directory");
        }
        let files = Files::new(paths);
        if let Some(path) = files.clashing().next() {
            return self.refused(format!("another name is `{path}` but for upper and lower case"));
        }
        Ok((files, contents))
    }
}

/// Little-endian fields, read one after the other; past the end they are zero.
struct Fields<'a> {
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes: bytes.get(at..).unwrap_or_default() }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((taken, rest)) = self.bytes.split_first_chunk::<N>() else { return [0; N] };
        self.bytes = rest;
        *taken
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

/// The bytes of one member; at their end the CRC is held against the header.
struct MemberReader<'a> {
    file: &'a File,
    crc: Crc32,
    left: u64,
    expected: u32,
}

impl MemberReader<'_> {
    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, PackageError> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let room = buffer.get_mut(..wanted).unwrap_or_default();
        let count = self.file.read(room).map_err(|error| PackageError::Io(error.to_string()))?;
        self.left -= count as u64;
        self.crc.update(room.get(..count).unwrap_or_default());
        if count == 0 && self.left > 0 {
            return Err(PackageError::Io("the archive became shorter while it was read".into()));
        }
        if count == 0 && self.crc.clone().finalize() != self.expected {
            return Err(PackageError::Damaged("its CRC differs".into()));
        }
        Ok(count)
    }
}

impl Package for Zip {
    fn files(&self) -> &Files {
        &self.files
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

    fn digest(
        &mut self,
        path: &str,
        keys: &[(u64, BlockKey)],
    ) -> Result<(Digests, Ends), PackageError> {
        let mut reader = self.reader(path)?;
        let length = reader.left;
        let mut ends = Ends::default();
        let digests = digest_stream(keys, length, |buffer| {
            let count = reader.next(buffer)?;
            ends.take(buffer.get(..count).unwrap_or_default());
            Ok(count)
        })?;
        Ok((digests, ends))
    }
}
