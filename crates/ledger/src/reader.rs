//! Reads the published log of a ledger; never waits for a writer.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use unbroken_evidence::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::limits::{BUNDLE_BYTES_MAX, NOTE_BYTES_MAX};
use unbroken_evidence::log::{LogFile, LogFiles};
use unbroken_evidence::tile::{
    TILE_WIDTH, Tile, TileNodes, TileReader, beginning_of, bundles, hash_tiles, parse_bundle,
};
use unbroken_evidence::tree::{leaf_hash, prove_inclusion};

use crate::error::LedgerError;
use crate::place::must_be_a_ledger;

/// The published log in a folder, at one checkpoint.
#[derive(Debug)]
pub struct LogReader {
    files: PublishedFiles,
    note: Vec<u8>,
    checkpoint: Checkpoint,
    kept: Option<(Tile, Vec<u8>)>,
}

/// The files of the log folder.
#[derive(Clone, Debug)]
pub struct PublishedFiles {
    folder: PathBuf,
}

impl LogFiles for PublishedFiles {
    fn read(&mut self, path: &str, bytes_max: usize) -> Result<LogFile, String> {
        match read(&self.folder.join(path), bytes_max) {
            Ok(found) => Ok(found.map_or(LogFile::Missing, LogFile::Bytes)),
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(LogFile::NoFile),
            Err(error) if error.kind() == ErrorKind::InvalidData => Ok(LogFile::TooLong),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl TileReader for PublishedFiles {
    type Error = LedgerError;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, LedgerError> {
        let path = self.folder.join(tile.path());
        let failed = || LedgerError::io(&path, "cannot be read");
        let mut found = read(&path, BUNDLE_BYTES_MAX).map_err(failed())?;
        if found.is_none() && tile.width < TILE_WIDTH {
            // The log may have grown since its checkpoint was read.
            let full =
                read(&self.folder.join(tile.full().path()), BUNDLE_BYTES_MAX).map_err(failed())?;
            found = full.and_then(|full| beginning_of(tile, &full).map(<[u8]>::to_vec));
        }
        let why = format!("{} is missing", tile.path());
        found.ok_or(LedgerError::Log { path: self.folder.clone(), why })
    }
}

pub(crate) fn read(path: &Path, bytes_max: usize) -> std::io::Result<Option<Vec<u8>>> {
    // Whoever reads a pipe waits until somebody writes into it.
    let plain = std::fs::metadata(path).and_then(|metadata| {
        let other = || std::io::Error::new(ErrorKind::InvalidInput, "it is no plain file");
        if metadata.is_file() { File::open(path) } else { Err(other()) }
    });
    let file = match plain {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        return Err(std::io::Error::new(
            ErrorKind::InvalidData,
            format!("more than {bytes_max} bytes"),
        ));
    }
    Ok(Some(bytes))
}

/// The log's folder of the ledger in `ledger`.
#[must_use]
pub fn log_folder(ledger: &Path) -> PathBuf {
    ledger.join("log")
}

impl LogReader {
    /// Opens the log of the ledger in `ledger`, at its newest checkpoint.
    ///
    /// # Errors
    /// `NotALedger` when there is no checkpoint, `Log` when it has not its form.
    pub fn open(ledger: &Path) -> Result<Self, LedgerError> {
        let folder = log_folder(ledger);
        let path = folder.join("checkpoint");
        let note = read(&path, NOTE_BYTES_MAX).map_err(LedgerError::io(&path, "cannot be read"))?;
        let Some(note) = note else {
            must_be_a_ledger(ledger)?;
            return Err(LedgerError::NoLog { path: folder });
        };
        let parsed = UnverifiedCheckpoint::parse(&note);
        let parsed =
            parsed.map_err(|e| LedgerError::Log { path: folder.clone(), why: e.to_string() })?;
        let checkpoint = parsed.claims().clone();
        Ok(Self { files: PublishedFiles { folder }, note, checkpoint, kept: None })
    }

    /// What its checkpoint says.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The bytes of its checkpoint.
    #[must_use]
    pub fn checkpoint_note(&self) -> &[u8] {
        &self.note
    }

    /// Its files, for verifying all of it.
    #[must_use]
    pub fn files(&self) -> PublishedFiles {
        self.files.clone()
    }

    /// The bytes of the entry at `index`.
    ///
    /// # Errors
    /// `Log` when `index` is not below the size, or its bundle is missing or malformed.
    pub fn entry_bytes(&mut self, index: u64) -> Result<Vec<u8>, LedgerError> {
        let wrong = |why: String| LedgerError::Log { path: self.files.folder.clone(), why };
        let tile = Tile::bundle(index / TILE_WIDTH, self.checkpoint.size)
            .filter(|_| index < self.checkpoint.size);
        let tile = tile.ok_or_else(|| wrong(format!("there is no entry {index}")))?;
        if self.kept.as_ref().is_none_or(|(kept, _)| *kept != tile) {
            self.kept = Some((tile, self.files.tile(tile)?));
        }
        let wrong = |why: String| LedgerError::Log { path: self.files.folder.clone(), why };
        let bytes = self.kept.as_ref().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
        let entries = parse_bundle(bytes, tile.width).map_err(|error| wrong(error.to_string()))?;
        let place = usize::try_from(index % TILE_WIDTH).unwrap_or(usize::MAX);
        entries
            .get(place)
            .map(|entry| entry.to_vec())
            .ok_or_else(|| wrong(format!("no entry {index}")))
    }

    /// The entry at `index`.
    ///
    /// # Errors
    /// As [`LogReader::entry_bytes`].
    pub fn entry(&mut self, index: u64) -> Result<UnverifiedEntry, LedgerError> {
        let bytes = self.entry_bytes(index)?;
        let parsed = UnverifiedEntry::parse(&bytes);
        parsed.map_err(|error| {
            let why = format!("entry {index}: {error}");
            LedgerError::Log { path: self.files.folder.clone(), why }
        })
    }

    /// The leaf at `index`.
    ///
    /// # Errors
    /// As [`LogReader::entry_bytes`].
    pub fn leaf(&mut self, index: u64) -> Result<Hash, LedgerError> {
        Ok(leaf_hash(&self.entry_bytes(index)?))
    }

    /// The inclusion proofs of `indices` under the checkpoint, tiles shared among them.
    ///
    /// # Errors
    /// `Log` when a tile is missing or malformed.
    pub fn inclusion(&mut self, indices: &[u64]) -> Result<Vec<Vec<Hash>>, LedgerError> {
        let size = self.checkpoint.size;
        let mut nodes = TileNodes::new(&mut self.files, size);
        indices.iter().map(|index| prove_inclusion(*index, size, &mut nodes)).collect()
    }

    /// Files of the log that are missing or cannot have their length, without reading them; at most `most`.
    #[must_use]
    pub fn wrong_lengths(&self, most: usize) -> Vec<String> {
        let size = self.checkpoint.size;
        let found = hash_tiles(size).chain(bundles(size)).filter_map(|tile| {
            // A partial tile may be gone once the full one is there.
            let files = [(tile, tile.path()), (tile.full(), tile.full().path())];
            let length =
                |path: &String| Some(std::fs::metadata(self.files.folder.join(path)).ok()?.len());
            let there = files.iter().find_map(|(tile, path)| Some((tile, path, length(path)?)));
            let Some((tile, path, length)) = there else {
                return Some(format!("log/{} is missing", tile.path()));
            };
            // A hash has 32 bytes; an entry at least its length, of two.
            let holds = match tile.level {
                Some(_) => length == tile.width * 32,
                None => length > tile.width * 2,
            };
            (!holds).then(|| format!("log/{path} has {length} bytes, which cannot be"))
        });
        found.take(most).collect()
    }
}
