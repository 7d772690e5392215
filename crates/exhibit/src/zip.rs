//! Writes .zip archives as spec/exhibit.md X8 narrows them: stored members, fixed dates, no more
//! than is needed. The same files give the same bytes.

use std::io::{self, Read, Write};

/// Attributes of a plain file that everybody may read: what the Unix `zip` writes.
const PLAIN_FILE: u32 = 0o100_644 << 16;
const DOS_EPOCH_DATE: u16 = 0x21;
const MADE_BY_UNIX: u16 = 3 << 8 | 45;

struct Member {
    name: String,
    crc: u32,
    length: u64,
    offset: u64,
}

/// An archive that grows member by member.
pub struct ZipWriter<W> {
    out: W,
    at: u64,
    base: String,
    members: Vec<Member>,
}

impl<W: Write> ZipWriter<W> {
    /// An archive whose members all stand below the folder `base`.
    pub fn new(out: W, base: &str) -> Self {
        Self { out, at: 0, base: base.to_owned(), members: Vec::new() }
    }

    /// Adds a file whose bytes are at hand.
    ///
    /// # Errors
    /// Those of the output.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.add_stream(path, bytes.len() as u64, crc32fast::hash(bytes), &mut &*bytes)
    }

    /// Adds a file of known length and CRC from a stream.
    ///
    /// # Errors
    /// Those of stream and output; `InvalidData` when the stream has another length or CRC.
    pub fn add_stream(
        &mut self,
        path: &str,
        length: u64,
        crc: u32,
        data: &mut dyn Read,
    ) -> io::Result<()> {
        let member = Member { name: format!("{}/{path}", self.base), crc, length, offset: self.at };
        let mut head = 0x0403_4b50_u32.to_le_bytes().to_vec();
        member.common(&mut head, false);
        head.extend_from_slice(member.name.as_bytes());
        member.zip64(&mut head, false);
        self.put(&head)?;
        let mut found = crc32fast::Hasher::new();
        let mut left = length;
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = data.read(&mut buffer)?;
            let bytes = buffer.get(..count).unwrap_or_default();
            let Some(rest) = left.checked_sub(count as u64) else { return Err(changed(path)) };
            if count == 0 {
                break;
            }
            left = rest;
            found.update(bytes);
            self.put(bytes)?;
        }
        if left != 0 || found.finalize() != crc {
            return Err(changed(path));
        }
        self.members.push(member);
        Ok(())
    }

    /// Writes the directory and gives the output back.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        let start = self.at;
        let members = std::mem::take(&mut self.members);
        for member in &members {
            let mut head = 0x0201_4b50_u32.to_le_bytes().to_vec();
            head.extend_from_slice(&MADE_BY_UNIX.to_le_bytes());
            member.common(&mut head, true);
            head.extend_from_slice(&[0; 6]);
            head.extend_from_slice(&PLAIN_FILE.to_le_bytes());
            head.extend_from_slice(&narrow(member.offset).to_le_bytes());
            head.extend_from_slice(member.name.as_bytes());
            member.zip64(&mut head, true);
            self.put(&head)?;
        }
        let (size, count) = (self.at - start, members.len() as u64);
        let count_16 = u16::try_from(count).unwrap_or(u16::MAX);
        if count_16 == u16::MAX || narrow(size) == u32::MAX || narrow(start) == u32::MAX {
            self.end64(start, size, count)?;
        }
        let mut end = 0x0605_4b50_u32.to_le_bytes().to_vec();
        end.extend_from_slice(&[0; 4]);
        end.extend_from_slice(&count_16.to_le_bytes());
        end.extend_from_slice(&count_16.to_le_bytes());
        end.extend_from_slice(&narrow(size).to_le_bytes());
        end.extend_from_slice(&narrow(start).to_le_bytes());
        end.extend_from_slice(&[0; 2]);
        self.put(&end)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn end64(&mut self, start: u64, size: u64, count: u64) -> io::Result<()> {
        let at = self.at;
        let mut record = 0x0606_4b50_u32.to_le_bytes().to_vec();
        record.extend_from_slice(&44_u64.to_le_bytes());
        record.extend_from_slice(&MADE_BY_UNIX.to_le_bytes());
        record.extend_from_slice(&45_u16.to_le_bytes());
        record.extend_from_slice(&[0; 8]);
        for number in [count, count, size, start] {
            record.extend_from_slice(&number.to_le_bytes());
        }
        record.extend_from_slice(&0x0706_4b50_u32.to_le_bytes());
        record.extend_from_slice(&[0; 4]);
        record.extend_from_slice(&at.to_le_bytes());
        record.extend_from_slice(&1_u32.to_le_bytes());
        self.put(&record)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

impl Member {
    fn zip64_bytes(&self, central: bool) -> u16 {
        let sizes = if narrow(self.length) == u32::MAX { 16 } else { 0 };
        let offset = if central && narrow(self.offset) == u32::MAX { 8 } else { 0 };
        sizes + offset
    }

    fn common(&self, head: &mut Vec<u8>, central: bool) {
        let wide = self.zip64_bytes(central);
        let name = u16::try_from(self.name.len()).unwrap_or(u16::MAX);
        for number in [if wide > 0 { 45 } else { 20 }, 0, 0, 0, DOS_EPOCH_DATE] {
            head.extend_from_slice(&u16::to_le_bytes(number));
        }
        for number in [self.crc, narrow(self.length), narrow(self.length)] {
            head.extend_from_slice(&number.to_le_bytes());
        }
        head.extend_from_slice(&name.to_le_bytes());
        head.extend_from_slice(&(if wide > 0 { wide + 4 } else { 0 }).to_le_bytes());
    }

    fn zip64(&self, head: &mut Vec<u8>, central: bool) {
        let wide = self.zip64_bytes(central);
        if wide == 0 {
            return;
        }
        head.extend_from_slice(&1_u16.to_le_bytes());
        head.extend_from_slice(&wide.to_le_bytes());
        if narrow(self.length) == u32::MAX {
            head.extend_from_slice(&self.length.to_le_bytes());
            head.extend_from_slice(&self.length.to_le_bytes());
        }
        if central && narrow(self.offset) == u32::MAX {
            head.extend_from_slice(&self.offset.to_le_bytes());
        }
    }
}

/// The 32-bit form of a number; all ones, which sends the reader to the ZIP64 field, if it has none.
fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn changed(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{path} changed while it was packed"))
}
