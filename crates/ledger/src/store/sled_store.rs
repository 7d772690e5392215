//! The store over sled: segments of entries, of which one at a time is written.
//!
//! sled keeps a few hundred bytes in memory for each page, and 8 to 16 entries fill one: a ledger of four
//! million entries took 170 MB to append one. So a full segment is left as it is, and the next one begins
//! in a folder of its own. Only what is read or written is open.
//!
//! ```text
//! store/              the first segment
//! store/from-262144/  the one whose first entry is 262144
//! store/begun/        one that is being made; it has no name yet
//! ```
//!
//! The newest segment is the one that is written. One without a head was made and never written to: what was
//! to stand in it was never acknowledged, and it is moved to `aside`.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use unbroken_evidence::hash::Hash;

use super::Store;
use super::segment::{Segment, move_aside};
use crate::durable;
use crate::error::StoreError;
use crate::head::Head;

/// Entries after which a segment is full. Few in tests, so that they all cross from one to the next.
const ENTRIES_A_SEGMENT: u64 =
    if cfg!(any(test, feature = "small-segments")) { 40 } else { 1 << 18 };

/// A folder with segments.
pub struct SledStore {
    folder: PathBuf,
    /// The first entry of each segment, ascending.
    firsts: Vec<u64>,
    last: Segment,
    /// A full segment that was read last, and its first entry.
    full: RefCell<Option<(u64, Segment)>>,
}

impl SledStore {
    /// Opens the store in `folder`; makes one where there is none.
    ///
    /// # Errors
    /// See [`StoreError`]; `Format` for another format number than [`super::STORE_FORMAT`].
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let mut firsts = later(folder)?;
        let last = loop {
            let Some(newest) = firsts.last() else { break Segment::open(folder)? };
            let segment = Segment::open(&place(folder, *newest))?;
            if segment.is_written()? {
                break segment;
            }
            drop(segment);
            move_aside(folder, &name(*newest))?;
            firsts.pop();
        };
        firsts.insert(0, 0);
        Ok(Self { folder: folder.to_owned(), firsts, last, full: RefCell::new(None) })
    }

    /// The first entry of the segment that is written.
    fn first_of_last(&self) -> u64 {
        self.firsts.last().copied().unwrap_or(0)
    }

    /// A segment for entries from `first` on. It gets its name when it is durable.
    fn next(&self, first: u64) -> Result<Segment, StoreError> {
        let (begun, named) = (self.folder.join("begun"), place(&self.folder, first));
        if begun.exists() {
            move_aside(&self.folder, "begun")?;
        }
        drop(Segment::open(&begun)?);
        fs::rename(&begun, &named)?;
        durable::sync_folder(&self.folder)?;
        Segment::open(&named)
    }
}

/// The folder of the segment whose first entry is `first`.
fn place(folder: &Path, first: u64) -> PathBuf {
    if first == 0 { folder.to_owned() } else { folder.join(name(first)) }
}

fn name(first: u64) -> String {
    format!("from-{first}")
}

/// The first entries of the segments behind the first one, ascending.
fn later(folder: &Path) -> Result<Vec<u64>, StoreError> {
    let mut firsts = Vec::new();
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(firsts),
        listed => listed?,
    };
    for entry in listed {
        let name = entry?.file_name();
        let first = name.to_str().and_then(|name| name.strip_prefix("from-"));
        let first: Option<u64> = first.and_then(|first| first.parse().ok());
        firsts.extend(first.filter(|first| *first > 0));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

impl Store for SledStore {
    fn head(&self) -> Result<Option<Head>, StoreError> {
        self.last.head()
    }

    fn entry(&self, index: u64) -> Result<Option<(Hash, Vec<u8>)>, StoreError> {
        let segments = self.firsts.partition_point(|first| *first <= index);
        let first = self.firsts.get(segments.saturating_sub(1)).copied().unwrap_or(0);
        if first == self.first_of_last() {
            return self.last.entry(index);
        }
        let mut full = self.full.borrow_mut();
        if full.as_ref().is_none_or(|(known, _)| *known != first) {
            // The one before is closed first: two of them would be in memory at once.
            *full = None;
            *full = Some((first, Segment::open(&place(&self.folder, first))?));
        }
        full.as_ref().map_or(Ok(None), |(_, segment)| segment.entry(index))
    }

    fn append(
        &mut self,
        first: u64,
        entries: &[(Hash, Vec<u8>)],
        head: &Head,
    ) -> Result<(), StoreError> {
        if first.saturating_sub(self.first_of_last()) < ENTRIES_A_SEGMENT {
            return self.last.append(first, entries, None, head);
        }
        let mut next = self.next(first)?;
        let checkpoint = self.last.checkpoint()?;
        next.append(first, entries, checkpoint.as_deref(), head)?;
        self.last = next;
        self.firsts.push(first);
        Ok(())
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.last.checkpoint()
    }

    fn put_checkpoint(&mut self, note: &[u8]) -> Result<(), StoreError> {
        self.last.put_checkpoint(note)
    }
}
