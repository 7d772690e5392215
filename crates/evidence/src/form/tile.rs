//! C2SP tlog-tiles: where the hashes and entries of a published log stand, and how they are laid out.

use crate::error::FormError;
use crate::hash::Hash;
use crate::limits::BUNDLE_ENTRY_BYTES_MAX;
use crate::tree::{Edge, Nodes, Subtree};

/// Hashes of a full tile, entries of a full bundle.
pub const TILE_WIDTH: u64 = 256;
/// log2 of [`TILE_WIDTH`].
const TILE_HEIGHT: u32 = 8;

/// A hash tile or an entry bundle, as wide as a tree of some size makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// `None` for an entry bundle.
    pub level: Option<u32>,
    /// Its number at that level, from 0.
    pub number: u64,
    /// 1 to 256 hashes or entries.
    pub width: u64,
}

impl Tile {
    /// The path under the log's folder.
    #[must_use]
    pub fn path(&self) -> String {
        let level = self.level.map_or_else(|| "entries".to_owned(), |level| level.to_string());
        let partial =
            if self.width < TILE_WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("tile/{level}/{}{partial}", number_path(self.number))
    }

    /// The full tile or bundle of the same number.
    #[must_use]
    pub const fn full(self) -> Self {
        Self { width: TILE_WIDTH, ..self }
    }

    /// The tile at `level` and `number` in a tree of `size` leaves; `None` if it would be empty.
    #[must_use]
    pub fn at(level: u32, number: u64, size: u64) -> Option<Self> {
        let width = width_at(level, number, size)?;
        Some(Self { level: Some(level), number, width })
    }

    /// The entry bundle `number` in a tree of `size` leaves; `None` if it would be empty.
    #[must_use]
    pub fn bundle(number: u64, size: u64) -> Option<Self> {
        Some(Self { level: None, number, width: width_at(0, number, size)? })
    }
}

fn width_at(level: u32, number: u64, size: u64) -> Option<u64> {
    let hashes = size.checked_shr(TILE_HEIGHT * level).unwrap_or(0);
    let width = hashes.checked_sub(number.checked_mul(TILE_WIDTH)?)?.min(TILE_WIDTH);
    (width > 0).then_some(width)
}

fn number_path(number: u64) -> String {
    let mut path = format!("{:03}", number % 1_000);
    let mut rest = number / 1_000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1_000);
        rest /= 1_000;
    }
    path
}

/// All hash tiles of a tree of `size` leaves, level by level.
pub fn hash_tiles(size: u64) -> impl Iterator<Item = Tile> {
    (0..TILE_HEIGHT).flat_map(move |level| {
        let hashes = size.checked_shr(TILE_HEIGHT * level).unwrap_or(0);
        (0..hashes.div_ceil(TILE_WIDTH)).filter_map(move |number| Tile::at(level, number, size))
    })
}

/// All entry bundles of a tree of `size` leaves.
pub fn bundles(size: u64) -> impl Iterator<Item = Tile> {
    (0..size.div_ceil(TILE_WIDTH)).filter_map(move |number| Tile::bundle(number, size))
}

/// Reads the hashes of a tile.
///
/// # Errors
/// `Malformed` when the bytes are not exactly `width` hashes.
pub fn parse_tile(bytes: &[u8], width: u64) -> Result<Vec<Hash>, FormError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || u64::try_from(hashes.len()) != Ok(width) {
        let expected = format!("{width} hashes of 32 bytes");
        return Err(FormError::malformed("hash tile", expected, &format!("{} bytes", bytes.len())));
    }
    Ok(hashes.iter().map(|hash| Hash::new(*hash)).collect())
}

/// Reads the entries of a bundle.
///
/// # Errors
/// `Malformed` when the bytes are not exactly `width` entries with their lengths.
pub fn parse_bundle(bytes: &[u8], width: u64) -> Result<Vec<&[u8]>, FormError> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let Some((entry, after)) = after.split_at_checked(u16::from_be_bytes(*length).into())
        else {
            break;
        };
        entries.push(entry);
        rest = after;
    }
    if !rest.is_empty() || u64::try_from(entries.len()) != Ok(width) {
        let found = format!("{} entries and {} bytes more", entries.len(), rest.len());
        let expected = format!("{width} entries with their lengths");
        return Err(FormError::malformed("entry bundle", expected, &found));
    }
    Ok(entries)
}

/// The first `width` hashes or entries of a full tile or bundle: what a partial one would hold.
/// Partial ones may be removed once the full one is there.
#[must_use]
pub fn beginning_of(tile: Tile, full: &[u8]) -> Option<&[u8]> {
    if tile.level.is_some() {
        return full.get(..usize::try_from(tile.width).ok()?.checked_mul(32)?);
    }
    let mut end = 0_usize;
    for _ in 0..tile.width {
        let length = full.get(end..)?.first_chunk::<2>()?;
        end = end.checked_add(2)?.checked_add(u16::from_be_bytes(*length).into())?;
    }
    full.get(..end)
}

/// Appends one entry to a bundle.
///
/// # Errors
/// `Malformed` when the entry is longer than a bundle can hold.
pub fn append_to_bundle(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), FormError> {
    let Ok(length) = u16::try_from(entry.len()) else {
        let expected = format!("at most {BUNDLE_ENTRY_BYTES_MAX} bytes");
        return Err(FormError::malformed("bundle entry", expected, &format!("{}", entry.len())));
    };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Reads hash tiles by their path.
pub trait TileReader {
    /// Why a tile could not be read.
    type Error: From<FormError>;
    /// The bytes of `tile`.
    ///
    /// # Errors
    /// The reader's own, also when the tile is not there.
    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, Self::Error>;
}

/// Subtree hashes of a published log of one size, read from its tiles; the last tiles are kept.
pub struct TileNodes<'a, R> {
    reader: &'a mut R,
    size: u64,
    kept: Vec<(Tile, Vec<Hash>)>,
}

const TILES_KEPT: usize = 64;

impl<'a, R: TileReader> TileNodes<'a, R> {
    /// Over the tiles of the tree of `size` leaves.
    pub const fn new(reader: &'a mut R, size: u64) -> Self {
        Self { reader, size, kept: Vec::new() }
    }
}

impl<R: TileReader> Nodes for TileNodes<'_, R> {
    type Error = R::Error;

    fn node(&mut self, subtree: Subtree) -> Result<Hash, Self::Error> {
        let tile_level = subtree.level / TILE_HEIGHT;
        let height = subtree.level % TILE_HEIGHT;
        let first = subtree.index << height;
        let tile = Tile::at(tile_level, first / TILE_WIDTH, self.size).ok_or_else(|| {
            FormError::malformed("tile", "a subtree of this tree", &format!("{subtree:?}"))
        })?;
        if !self.kept.iter().any(|(kept, _)| *kept == tile) {
            let hashes = parse_tile(&self.reader.tile(tile)?, tile.width)?;
            if self.kept.len() == TILES_KEPT {
                self.kept.remove(0);
            }
            self.kept.push((tile, hashes));
        }
        let hashes = self.kept.iter().find(|(kept, _)| *kept == tile).map(|(_, hashes)| hashes);
        let start = usize::try_from(first % TILE_WIDTH).unwrap_or(usize::MAX);
        let range = hashes.and_then(|hashes| hashes.get(start..start + (1 << height)));
        let range = range.ok_or_else(|| {
            FormError::malformed("tile", "a full subtree inside the tile", &tile.path())
        })?;
        Ok(range.iter().copied().collect::<Edge>().root())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: L4
    #[test]
    fn paths_are_those_of_the_c2sp_text() {
        let path = |level, number, width| Tile { level, number, width }.path();
        assert_eq!(path(Some(0), 0, 256), "tile/0/000");
        assert_eq!(path(Some(1), 1_000, 256), "tile/1/x001/000");
        assert_eq!(path(Some(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(None, 273, 112), "tile/entries/273.p/112");
        let wide: Vec<Tile> = hash_tiles(70_000).collect();
        assert_eq!(wide.len(), 274 + 2 + 1);
        assert_eq!(wide[273], Tile { level: Some(0), number: 273, width: 112 });
        assert_eq!(wide[275], Tile { level: Some(1), number: 1, width: 17 });
        assert_eq!(wide[276], Tile { level: Some(2), number: 0, width: 1 });
        let full: Vec<Tile> = hash_tiles(256).collect();
        assert_eq!(
            full,
            [Tile::at(0, 0, 256).unwrap(), Tile { level: Some(1), number: 0, width: 1 }]
        );
        assert_eq!(hash_tiles(0).count() + bundles(0).count(), 0);
        assert_eq!(hash_tiles(u64::MAX).next().unwrap().width, 256);
    }

    // spec: L5
    #[test]
    fn a_bundle_holds_exactly_its_entries() {
        let mut bundle = Vec::new();
        for entry in [b"".as_slice(), b"abc", &[7; 65_535]] {
            append_to_bundle(&mut bundle, entry).unwrap();
        }
        assert!(append_to_bundle(&mut Vec::new(), &[0; 65_536]).is_err());
        assert_eq!(parse_bundle(&bundle, 3).unwrap()[1], b"abc");
        assert!(parse_bundle(&bundle, 2).is_err() && parse_bundle(&bundle, 4).is_err());
        assert!(parse_bundle(&bundle[..bundle.len() - 1], 3).is_err());
        assert!(parse_bundle(&[bundle, vec![0]].concat(), 3).is_err());
        assert!(parse_tile(&[0; 65], 2).is_err() && parse_tile(&[0; 64], 2).is_ok());
    }
}
