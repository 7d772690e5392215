//! Writes an exhibit's .zip: the same files give the same bytes.

use std::io::{self, Read, Write};

use super::form::{Member, end};

/// An archive that grows member by member, in ascending order of their paths.
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
    /// As [`ZipWriter::add_stream`].
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.add_stream(path, bytes.len() as u64, crc32fast::hash(bytes), &mut &*bytes)
    }

    /// Adds a file of known length and CRC from a stream.
    ///
    /// # Errors
    /// Those of stream and output; `InvalidData` when the stream has another length or CRC.
    ///
    /// # Panics
    /// When `path` does not come after the last one: such an archive would not be read.
    pub fn add_stream(
        &mut self,
        path: &str,
        length: u64,
        crc: u32,
        data: &mut dyn Read,
    ) -> io::Result<()> {
        let member = Member { name: format!("{}/{path}", self.base), crc, length, offset: self.at };
        let last = self.members.last().map_or("", |last| last.name.as_str());
        assert!(last < member.name.as_str(), "members stand in ascending order of their paths");
        self.put(&member.local())?;
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
            self.put(&member.central())?;
        }
        let size = self.at - start;
        self.put(&end(start, size, members.len() as u64))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

fn changed(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{path} changed while it was packed"))
}
