//! Publishes the log: bundles, tiles, then the checkpoint, each durable before the next.
//!
//! It resumes where the published checkpoint stands, and writes the same bytes again if it was
//! interrupted: publishing twice changes nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use unbroken_evidence::hash::Hash;
use unbroken_evidence::tile::{TILE_WIDTH, Tile, append_to_bundle, parse_tile};
use unbroken_evidence::tree::Edge;

use crate::durable;
use crate::error::LedgerError;
use crate::reader::read;
use crate::store::Store;

/// The tallest tree has this many levels of tiles.
const LEVELS: u32 = 8;

/// What is published already: its size and root, as its verified checkpoint says.
pub type Published = (u64, Hash);

/// Writes what the tree of `size` entries needs beyond what is published, then `checkpoint`.
///
/// # Errors
/// `Io` from the file system, `Store` from the store; `Log` where a tile that new ones would be built
/// on is not what was published. Published files stay as they are.
pub fn publish(
    folder: &Path,
    store: &dyn Store,
    (from, root): Published,
    size: u64,
    checkpoint: &[u8],
) -> Result<(), LedgerError> {
    let mut publisher = Publisher { folder, store, from, size, touched: BTreeSet::new() };
    publisher.right_edge_is_sound(&root)?;
    durable::create_folder(folder).map_err(LedgerError::io(folder, "cannot be made"))?;
    let mut full = Vec::new();
    for number in from / TILE_WIDTH..size.div_ceil(TILE_WIDTH) {
        publisher.bundle_and_tile(number, &mut full)?;
    }
    for level in 1..LEVELS {
        publisher.level(level, &mut full)?;
    }
    for touched in &publisher.touched {
        durable::sync_folder(touched).map_err(LedgerError::io(touched, "cannot be synced"))?;
    }
    let path = folder.join("checkpoint");
    durable::write_file(&path, checkpoint, 0o644)
        .map_err(LedgerError::io(&path, "cannot be written"))?;
    publisher.remove_partial()
}

struct Publisher<'a> {
    folder: &'a Path,
    store: &'a dyn Store,
    from: u64,
    size: u64,
    touched: BTreeSet<PathBuf>,
}

impl Publisher<'_> {
    fn write(&mut self, tile: Tile, bytes: &[u8]) -> Result<(), LedgerError> {
        let path = self.folder.join(tile.path());
        let parent = durable::parent_of(&path);
        durable::create_folder(parent).map_err(LedgerError::io(parent, "cannot be made"))?;
        durable::write_file_unsynced(&path, bytes, 0o644)
            .map_err(LedgerError::io(&path, "cannot be written"))?;
        self.touched.insert(parent.to_owned());
        Ok(())
    }

    /// Entry bundle and level-0 tile `number`; the root of a full one goes to `full`.
    fn bundle_and_tile(&mut self, number: u64, full: &mut Vec<Hash>) -> Result<(), LedgerError> {
        let Some(bundle) = Tile::bundle(number, self.size) else { return Ok(()) };
        let (mut bytes, mut hashes) = (Vec::new(), Vec::new());
        let mut edge = Edge::new();
        for index in number * TILE_WIDTH..number * TILE_WIDTH + bundle.width {
            let (leaf, note) = stored(self.folder, self.store, index)?;
            append_to_bundle(&mut bytes, &note)?;
            hashes.extend_from_slice(leaf.as_bytes());
            edge.push(leaf);
        }
        self.write(bundle, &bytes)?;
        self.write(Tile { level: Some(0), ..bundle }, &hashes)?;
        if bundle.width == TILE_WIDTH {
            full.push(edge.root());
        }
        Ok(())
    }

    /// Hash tiles of `level`: `new` holds the roots of the full tiles below that came since `from`.
    fn level(&mut self, level: u32, new: &mut Vec<Hash>) -> Result<(), LedgerError> {
        let before = self.from.checked_shr(8 * level).unwrap_or(0);
        let mut full = Vec::new();
        let mut new_hashes = new.drain(..).peekable();
        let mut number = before / TILE_WIDTH;
        while new_hashes.peek().is_some() {
            let kept = if number == before / TILE_WIDTH { before % TILE_WIDTH } else { 0 };
            let mut hashes = self.kept(level, number, kept)?;
            while hashes.len() as u64 != TILE_WIDTH
                && let Some(hash) = new_hashes.next()
            {
                hashes.push(hash);
            }
            let tile = Tile { level: Some(level), number, width: hashes.len() as u64 };
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
            self.write(tile, &bytes)?;
            if tile.width == TILE_WIDTH {
                full.push(hashes.into_iter().collect::<Edge>().root());
            }
            number += 1;
        }
        drop(new_hashes);
        *new = full;
        Ok(())
    }

    /// The hashes that new tiles begin with, on every level of the right edge, give the published root:
    /// a damaged one would be copied into every later tile.
    fn right_edge_is_sound(&self, root: &Hash) -> Result<(), LedgerError> {
        if self.from == 0 {
            return Ok(());
        }
        let mut peaks = Vec::new();
        for level in (1..LEVELS).rev() {
            let hashes = self.from.checked_shr(8 * level).unwrap_or(0);
            let kept = self.kept(level, hashes / TILE_WIDTH, hashes % TILE_WIDTH)?;
            peaks.extend_from_slice(kept.into_iter().collect::<Edge>().peaks());
        }
        let mut leaves = Edge::new();
        for index in self.from / TILE_WIDTH * TILE_WIDTH..self.from {
            leaves.push(stored(self.folder, self.store, index)?.0);
        }
        peaks.extend_from_slice(leaves.peaks());
        if Edge::from_peaks(self.from, peaks).is_some_and(|edge| edge.root() == *root) {
            return Ok(());
        }
        let why =
            "a tile that new ones would be built on is damaged; nothing was published".to_owned();
        Err(LedgerError::Log { path: self.folder.to_owned(), why })
    }

    /// The first `width` hashes of a tile that was published before.
    fn kept(&self, level: u32, number: u64, width: u64) -> Result<Vec<Hash>, LedgerError> {
        if width == 0 {
            return Ok(Vec::new());
        }
        let tile = Tile { level: Some(level), number, width };
        let path = self.folder.join(tile.path());
        let bytes = read(&path, 32 * 256).map_err(LedgerError::io(&path, "cannot be read"))?;
        let why = || format!("{} is missing or malformed", tile.path());
        let hashes = bytes.and_then(|bytes| parse_tile(&bytes, width).ok());
        hashes.ok_or_else(|| LedgerError::Log { path: self.folder.to_owned(), why: why() })
    }

    /// Partial tiles may go once the full one is there.
    fn remove_partial(&self) -> Result<(), LedgerError> {
        for level in std::iter::once(None).chain((0..LEVELS).map(Some)) {
            let shift = 8 * level.unwrap_or(0);
            let (before, now) = (self.from >> shift, self.size >> shift);
            let number = before / TILE_WIDTH;
            if now / TILE_WIDTH > number {
                let full = Tile { level, number, width: TILE_WIDTH };
                let partial = self.folder.join(format!("{}.p", full.path()));
                match fs::remove_dir_all(&partial) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(LedgerError::io(&partial, "cannot be removed")(error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// The entry at `index`, which must be there.
pub(crate) fn stored(
    path: &Path,
    store: &dyn Store,
    index: u64,
) -> Result<(Hash, Vec<u8>), LedgerError> {
    let found = store
        .entry(index)
        .map_err(|source| LedgerError::Store { path: path.to_owned(), source })?;
    found.ok_or(LedgerError::ReadBack { index })
}
