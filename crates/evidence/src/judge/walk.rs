//! Walks a published log: every entry read, every tile and the root recomputed and compared (V10).

use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::judge::files::{LogFile, LogFiles, LogStop};
use crate::judge::findings::Findings;
use crate::judge::trust::Judged;
use crate::limits::BUNDLE_BYTES_MAX;
use crate::step::Step;
use crate::tile::{TILE_WIDTH, Tile, beginning_of, parse_bundle, parse_tile};
use crate::tree::{Edge, empty_root};

/// Bundles that are read together.
const BUNDLES_AT_ONCE: usize = 32;
const TILE_BYTES_MAX: usize = 32 * 256;

/// Takes the entries of a log as they pass.
pub(crate) trait Visitor {
    /// The leaves of entries in a row, the first at `first`; what they say is judged here.
    fn batch(&mut self, entries: &[(u64, &[u8])], findings: &mut Findings) -> Vec<Hash>;
}

/// A published log at one checkpoint.
pub(crate) struct Walk<'a> {
    files: &'a mut dyn LogFiles,
    size: u64,
    root: Hash,
    edge: Edge,
    /// Hashes of the tile that grows at each level.
    levels: Vec<Vec<Hash>>,
    /// Tiles that are not those of the entries below them, each with the first place that differs.
    different: Vec<(Tile, usize)>,
    /// A smaller size whose root is asked for, and that root once it is known.
    earlier: Option<u64>,
    earlier_root: Option<Hash>,
    /// What is not there.
    missing: Vec<Tile>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(files: &'a mut dyn LogFiles, judged: &Judged, earlier: Option<u64>) -> Self {
        let Checkpoint { size, root, .. } = *judged.claims();
        let (edge, levels, earlier_root) = (Edge::new(), Vec::new(), None);
        let (different, missing) = (Vec::new(), Vec::new());
        Self { files, size, root, edge, levels, different, earlier, earlier_root, missing }
    }

    /// Reads every entry; gives the root over them, `None` where a bundle is missing or malformed and
    /// the walk ended there.
    pub(crate) fn entries(
        &mut self,
        visitor: &mut dyn Visitor,
        findings: &mut Findings,
    ) -> Result<Option<Hash>, LogStop> {
        let (mut number, size) = (0, self.size);
        while Tile::bundle(number, size).is_some() {
            let mut bundles = Vec::new();
            let mut is_whole = true;
            for tile in (number..).map_while(|n| Tile::bundle(n, size)).take(BUNDLES_AT_ONCE) {
                let Some(bytes) = self.read(tile, BUNDLE_BYTES_MAX, findings)? else {
                    is_whole = false;
                    break;
                };
                bundles.push((tile, bytes));
            }
            let mut entries = Vec::new();
            for (tile, bytes) in &bundles {
                match parse_bundle(bytes, tile.width) {
                    Ok(parsed) => entries.extend((tile.number * TILE_WIDTH..).zip(parsed)),
                    Err(error) => {
                        findings.form(Step::Inclusion, &tile.path(), &error);
                        is_whole = false;
                        break;
                    }
                }
            }
            // What stands before the damage is judged.
            for leaf in visitor.batch(&entries, findings) {
                self.leaf(leaf, findings)?;
            }
            if !is_whole {
                self.tell_of_tiles(false, findings);
                return Ok(None);
            }
            number += bundles.len() as u64;
        }
        self.partial_tiles(findings)?;
        findings.ran(&[Step::Inclusion]);
        let root = if self.size == 0 { empty_root() } else { self.edge.root() };
        self.tell_of_tiles(root == self.root, findings);
        Ok(Some(root))
    }

    /// Where the entries lead to the checkpoint's root (`leads`), a tile that differs is another than it was. Where
    /// they do not, an entry may be the one.
    fn tell_of_tiles(&mut self, leads: bool, findings: &mut Findings) {
        for (tile, place) in std::mem::take(&mut self.different) {
            let path = tile.path();
            let step = Step::Inclusion;
            if leads {
                let expected = "the hashes of the entries below it";
                let found = format!("another hash at {place}");
                findings.contradicted(step, &path, expected, &found);
            } else if tile.level == Some(0) {
                let item = format!("{} and {path}", Tile { level: None, ..tile }.path());
                let entry = tile.number * TILE_WIDTH + place as u64;
                let found = format!("another hash for entry {entry}");
                findings.contradicted(step, &item, "entries, and their hashes", &found);
            } else {
                let why = "the entries below it do not lead to the root: which of them changed is not known";
                findings.not_established(step, &path, why);
            }
        }
    }

    /// A tile or bundle, as wide as the checkpoint's size makes it; `None` after a finding.
    fn read(
        &mut self,
        tile: Tile,
        bytes_max: usize,
        findings: &mut Findings,
    ) -> Result<Option<Vec<u8>>, LogStop> {
        let found = find(self.files, tile, bytes_max)?;
        if found == LogFile::Missing {
            self.missing.push(tile);
            return Ok(None);
        }
        Ok(bytes_of(found, tile, bytes_max, findings))
    }

    /// The files that are not there, for [`tell_of_missing`].
    pub(crate) fn missing(&mut self) -> Vec<Tile> {
        std::mem::take(&mut self.missing)
    }

    /// The root at the smaller size that was asked for, if the walk came that far.
    pub(crate) const fn earlier_root(&self) -> Option<Hash> {
        self.earlier_root
    }

    fn leaf(&mut self, leaf: Hash, findings: &mut Findings) -> Result<(), LogStop> {
        self.edge.push(leaf);
        if self.earlier == Some(self.edge.size()) {
            self.earlier_root = Some(self.edge.root());
        }
        self.grow(0, leaf, findings)
    }

    /// Adds a hash to the growing tile of `level`; a full tile is compared with the published one.
    fn grow(&mut self, level: usize, hash: Hash, findings: &mut Findings) -> Result<(), LogStop> {
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        let Some(tile) = self.levels.get_mut(level) else { return Ok(()) };
        tile.push(hash);
        if tile.len() as u64 == TILE_WIDTH {
            let hashes = std::mem::take(tile);
            let root = hashes.iter().copied().collect::<Edge>().root();
            let number_of_level = u32::try_from(level).unwrap_or(u32::MAX);
            let number = (self.edge.size() >> (8 * (number_of_level + 1))) - 1;
            let full = Tile { level: Some(number_of_level), number, width: TILE_WIDTH };
            self.compare(full, &hashes, findings)?;
            self.grow(level + 1, root, findings)?;
        }
        Ok(())
    }

    fn partial_tiles(&mut self, findings: &mut Findings) -> Result<(), LogStop> {
        for (level, hashes) in std::mem::take(&mut self.levels).into_iter().enumerate() {
            let level = u32::try_from(level).unwrap_or(u32::MAX);
            if !hashes.is_empty() {
                let number = (self.size >> (8 * level)) / TILE_WIDTH;
                let tile = Tile { level: Some(level), number, width: hashes.len() as u64 };
                self.compare(tile, &hashes, findings)?;
            }
        }
        Ok(())
    }

    fn compare(
        &mut self,
        tile: Tile,
        computed: &[Hash],
        findings: &mut Findings,
    ) -> Result<(), LogStop> {
        let item = tile.path();
        let Some(bytes) = self.read(tile, TILE_BYTES_MAX, findings)? else { return Ok(()) };
        match parse_tile(&bytes, tile.width) {
            Err(error) => findings.form(Step::Inclusion, &item, &error),
            Ok(hashes) => match hashes.iter().zip(computed).position(|(a, b)| a != b) {
                None => findings.held(Step::Inclusion),
                Some(place) => self.different.push((tile, place)),
            },
        }
        Ok(())
    }
}

/// Files that are not there are missing, unless how long the log is, is nobody's word: the text of the checkpoint is
/// another than the one that was signed.
pub(crate) fn tell_of_missing(missing: Vec<Tile>, judged: &Judged, findings: &mut Findings) {
    for tile in missing {
        if judged.is_doubted() {
            let why =
                "it is not there; whether the log is that long, no checkpoint that is signed says";
            findings.not_established(Step::Inclusion, &tile.path(), why);
        } else {
            findings.contradicted(Step::Inclusion, &tile.path(), "the file", "missing");
        }
    }
}

/// A bundle of entries; `None` after a finding.
pub(crate) fn bundle(
    files: &mut dyn LogFiles,
    tile: Tile,
    findings: &mut Findings,
) -> Result<Option<Vec<u8>>, LogStop> {
    let found = find(files, tile, BUNDLE_BYTES_MAX)?;
    Ok(bytes_of(found, tile, BUNDLE_BYTES_MAX, findings))
}

/// What stands at a tile's or bundle's path.
fn find(files: &mut dyn LogFiles, tile: Tile, bytes_max: usize) -> Result<LogFile, LogStop> {
    let found = files.read(&tile.path(), bytes_max).map_err(LogStop::Io)?;
    if found != LogFile::Missing || tile.width == TILE_WIDTH {
        return Ok(found);
    }
    // The log may have grown since its checkpoint was read.
    Ok(match files.read(&tile.full().path(), bytes_max).map_err(LogStop::Io)? {
        LogFile::Bytes(full) => beginning_of(tile, &full)
            .map_or(LogFile::Missing, |beginning| LogFile::Bytes(beginning.to_vec())),
        other => other,
    })
}

/// Its bytes; `None` after a finding.
fn bytes_of(
    found: LogFile,
    tile: Tile,
    bytes_max: usize,
    findings: &mut Findings,
) -> Option<Vec<u8>> {
    let why = match found {
        LogFile::Bytes(bytes) => return Some(bytes),
        LogFile::Missing => "missing".to_owned(),
        LogFile::TooLong => format!("more than {bytes_max} bytes"),
        LogFile::NoFile => "something that is no plain file".to_owned(),
    };
    findings.contradicted(Step::Inclusion, &tile.path(), "the file", &why);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::log::verify_log;
    use crate::judge::testing::{MemoryLog, ORIGIN, anchor, found, signer};
    use crate::trust::Trust;

    fn found_after(change: impl FnOnce(&mut MemoryLog)) -> Vec<String> {
        let mut log = MemoryLog::of("long");
        change(&mut log);
        found(&verify_log(&mut log, &anchor(), None, 1, &|_| ()).unwrap())
    }

    #[test]
    fn every_file_of_a_log_is_read_and_compared() {
        assert_eq!(found_after(|_| ()), [""; 0]);
        let flip = |path: &'static str, at: usize| {
            found_after(move |log| log.0.get_mut(path).unwrap()[at] ^= 1)
        };
        let other = |path: &str, place: usize| {
            format!(
                "V10! {path}: expected the hashes of the entries below it; another hash at {place}"
            )
        };
        assert_eq!(flip("tile/0/000", 255 * 32), [other("tile/0/000", 255)]);
        assert_eq!(flip("tile/0/001.p/44", 43 * 32 + 31), [other("tile/0/001.p/44", 43)]);
        assert_eq!(flip("tile/1/000.p/1", 0), [other("tile/1/000.p/1", 0)]);
        for path in ["tile/0/000", "tile/1/000.p/1"] {
            let missing = found_after(|log| drop(log.0.remove(path)));
            assert_eq!(missing, [format!("V10! {path}: expected the file; missing")]);
        }
        let long = found_after(|log| log.0.get_mut("tile/0/000").unwrap().push(0));
        assert_eq!(long, ["V10! tile/0/000: expected the file; more than 8192 bytes"]);
        let short = found_after(|log| log.0.get_mut("tile/0/000").unwrap().truncate(8191));
        assert_eq!(short.len(), 1, "{short:?}");
    }

    /// The paths that are asked for, of a log that has none of its files.
    #[derive(Default)]
    struct Asked(Vec<String>);

    impl LogFiles for Asked {
        fn read(&mut self, path: &str, _: usize) -> Result<LogFile, String> {
            self.0.push(path.to_owned());
            Ok(LogFile::Missing)
        }
    }

    // spec: L4
    #[test]
    fn a_full_tile_of_a_level_is_the_one_that_its_number_says() {
        let mut asked = Asked::default();
        let mut findings = Findings::new(Step::ALL);
        let text =
            Checkpoint { origin: ORIGIN.to_owned(), size: 1 << 17, root: empty_root() }.text();
        let trust = Trust::key(signer(2).verifier().clone());
        let note = signer(2).sign_note(&text);
        let judged = Judged::new(note.as_bytes(), &trust, &mut findings).unwrap();
        let mut walk = Walk::new(&mut asked, &judged, None);
        for _ in 0..1 << 17 {
            walk.leaf(empty_root(), &mut findings).unwrap();
        }
        let last = |from: &str| asked.0.iter().rfind(|path| path.starts_with(from)).cloned();
        assert_eq!(last("tile/0/").as_deref(), Some("tile/0/511"));
        let above = asked.0.iter().filter(|path| !path.starts_with("tile/0/"));
        assert_eq!(above.collect::<Vec<_>>(), ["tile/1/000", "tile/1/001"]);
    }

    /// A log may grow while it is read: of a wider file the beginning counts.
    // spec: L4
    #[test]
    fn a_full_tile_serves_where_the_partial_one_is_gone() {
        let grown = found_after(|log| {
            for (partial, full, bytes) in [
                ("tile/0/001.p/44", "tile/0/001", 256 * 32),
                ("tile/1/000.p/1", "tile/1/000", 256 * 32),
            ] {
                let mut tile = log.0.remove(partial).unwrap();
                tile.resize(bytes, 7);
                log.0.insert(full.to_owned(), tile);
            }
        });
        assert_eq!(grown, [""; 0]);
    }

    #[test]
    fn where_a_bundle_is_missing_the_walk_ends_and_nothing_is_said_of_the_root() {
        let path = "tile/entries/001.p/44";
        let found = found_after(|log| drop(log.0.remove(path)));
        assert_eq!(found, [format!("V10! {path}: expected the file; missing")]);
    }

    /// An entry that was changed made the hashes of all the others look changed.
    // spec: L4
    #[test]
    fn where_the_entries_do_not_lead_to_the_root_no_tile_is_accused_alone() {
        let found = found_after(|log| {
            let bundle = log.0.get_mut("tile/entries/000").unwrap();
            let at = bundle.windows(8).rposition(|piece| piece == b"07:00:00").unwrap_or(9);
            bundle[at] ^= 1;
        });
        let of_tiles: Vec<&str> = found
            .iter()
            .filter(|line| line.contains("tile/"))
            .map(|line| line.split(';').next().unwrap())
            .collect();
        let both = "V10! tile/entries/000 and tile/0/000: expected entries, and their hashes";
        let above = "V10? tile/1/000.p/1: the entries below it do not lead to the root: which of them changed is not known";
        assert_eq!(of_tiles, [both, above], "{found:?}");
        assert!(found.iter().any(|line| line.starts_with("V10! log: expected root ")), "{found:?}");
    }

    /// Of a second bundle the entry is named by its index in the log.
    #[test]
    fn an_entry_behind_the_first_bundle_is_named_by_its_index() {
        let found = found_after(|log| {
            let (_, bundle) =
                log.0.iter_mut().find(|(path, _)| path.starts_with("tile/entries/001")).unwrap();
            let at = bundle.windows(8).position(|piece| piece == b"07:00:00").unwrap_or(9);
            bundle[at] ^= 1;
        });
        assert!(found.iter().any(|line| line.contains("another hash for entry 256")), "{found:?}");
    }

    /// A checkpoint whose size was changed made the log look as if files were taken out of it.
    // spec: L8
    #[test]
    fn a_size_that_nobody_signed_misses_no_file() {
        let found = found_after(|log| {
            let text = String::from_utf8(log.0["checkpoint"].clone()).unwrap();
            log.0.insert(
                "checkpoint".to_owned(),
                text.replacen("\n300\n", "\n900\n", 1).into_bytes(),
            );
        });
        let accused: Vec<&String> = found.iter().filter(|line| line.contains("! ")).collect();
        let [one] = accused[..] else { panic!("{found:?}") };
        assert!(one.starts_with("V8! checkpoint: "), "{one}");
        let why = "V10? tile/entries/001: it is not there; whether the log is that long, no ";
        assert!(found.iter().any(|line| line.starts_with(why)), "{found:?}");
    }
}
