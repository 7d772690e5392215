//! Verifies a published log: everything of its size, recomputed (spec/verification.md, part 2).

use std::fmt;

use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use crate::entry::Statement;
use crate::error::FormError;
use crate::examine::{Examiner, Shown};
use crate::hash::Hash;
use crate::limits::{BUNDLE_BYTES_MAX, NOTE_BYTES_MAX};
use crate::spread::spread;
use crate::step::{Axis, Step};
use crate::tile::{TILE_WIDTH, Tile, beginning_of, parse_bundle, parse_tile};
use crate::tree::{Edge, empty_root, leaf_hash};
use crate::trust::{Judged, Trust};
use crate::verdict::{Findings, Verdict};

/// Bundles that are read and judged together.
const BUNDLES_AT_ONCE: usize = 32;

/// The files of a published log.
pub trait LogFiles {
    /// The bytes of `path`, at most `bytes_max`; `None` when there is no such file.
    ///
    /// # Errors
    /// Why the machine could not read it.
    fn read(&mut self, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, String>;
}

/// Why no verification took place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogStop {
    /// There is no checkpoint: exit 3.
    NotALog,
    /// The machine failed to read it: exit 4.
    Io(String),
}

impl fmt::Display for LogStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotALog => f.write_str("not a published log: there is no `checkpoint` file"),
            Self::Io(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for LogStop {}

/// Which entries of a log are judged one by one; the tree is recomputed over all of them.
pub trait Selection {
    /// Whether the entry at `index` is judged; asked in ascending order.
    fn selects(&mut self, index: u64, bytes: &[u8]) -> bool;

    /// A selected entry was read; its signature is judged in the verdict.
    fn read(&mut self, index: u64, statement: &Statement);
}

/// Every entry.
#[derive(Clone, Copy, Debug)]
pub struct Everything;

impl Selection for Everything {
    fn selects(&mut self, _: u64, _: &[u8]) -> bool {
        true
    }

    fn read(&mut self, _: u64, _: &Statement) {}
}

/// Verifies the published log in `files`, on at most `threads` threads. `since` is a checkpoint
/// kept from earlier, which this log must continue. The tree is recomputed over all entries;
/// those that `selection` selects are judged.
///
/// # Errors
/// [`LogStop`] when nothing could be verified. Whatever is wrong with a log is in the verdict.
pub fn verify_log(
    files: &mut dyn LogFiles,
    trust: &Trust,
    since: Option<&[u8]>,
    threads: usize,
    selection: &mut dyn Selection,
) -> Result<Verdict, LogStop> {
    let checkpoint = files.read("checkpoint", NOTE_BYTES_MAX).map_err(LogStop::Io)?;
    let checkpoint = checkpoint.ok_or(LogStop::NotALog)?;
    let mut findings = Findings::default();
    let judged = Judged::new(&checkpoint, trust, &mut findings);
    let Some(judged) = judged else { return Ok(findings.conclude()) };
    let earlier = since.and_then(|bytes| earlier(bytes, trust, judged.claims(), &mut findings));
    let origin = judged.claims().origin.clone();
    let mut walk = Walk {
        files,
        size: judged.claims().size,
        examiner: Examiner::new(findings, Some(origin)),
        edge: Edge::new(),
        levels: Vec::new(),
        earlier,
        threads,
    };
    let whole = walk.entries(selection)?;
    let mut examiner = walk.examiner;
    let claims = judged.claims();
    let root = walk.edge.root();
    if whole {
        let expected = format!("root {} at size {}", claims.root, claims.size);
        examiner.findings.check(
            root == claims.root,
            Step::Inclusion,
            "log",
            &expected,
            &root.to_string(),
        );
    }
    examiner.finish();
    judged.against_control(trust, &examiner.control, &mut examiner.findings);
    let mut findings = examiner.findings;
    if judged.verified().is_some() {
        findings.held(Step::Items);
        findings.note(Axis::Scope, "established by the log: all its entries were read".into());
        if trust.ledger_id.is_none() && since.is_none() {
            findings.note(Axis::Ledger, "a ledger re-created as a whole by its owner would show only against a checkpoint kept from earlier, a witness, a timestamp, or the ledger id".into());
        }
    }
    findings.not_supplied(Step::Recording, "recordings", "a log holds none");
    findings.not_supplied(Step::OpeningRoot, "openings", "a log holds none");
    findings.not_supplied(Step::Time, "timestamps", "none was supplied");
    findings.not_supplied(Step::Witness, "cosignatures", "no witness key was supplied");
    Ok(findings.conclude())
}

/// A checkpoint kept from earlier: the same log, not larger, signed by a key that was given.
fn earlier(
    bytes: &[u8],
    trust: &Trust,
    now: &Checkpoint,
    findings: &mut Findings,
) -> Option<Checkpoint> {
    let item = "kept checkpoint";
    let kept = match UnverifiedCheckpoint::parse(bytes) {
        Ok(kept) => kept,
        Err(error) => {
            findings.form(Step::Checkpoint, item, &error);
            return None;
        }
    };
    let claims = kept.claims().clone();
    let signed = trust.keys.iter().any(|key| kept.clone().verify(key).is_ok());
    if !trust.keys.is_empty() {
        findings.check(signed, Step::Checkpoint, item, "a signature by the key you gave", "none");
    }
    let origin = format!("origin {}", now.origin);
    findings.check(claims.origin == now.origin, Step::Checkpoint, item, &origin, &claims.origin);
    let expected = format!("a size of at most {}", now.size);
    findings.check(
        claims.size <= now.size,
        Step::Checkpoint,
        item,
        &expected,
        &claims.size.to_string(),
    );
    Some(claims)
}

/// An entry as it passes by.
enum Passed {
    Hashed(Hash),
    Judged(Box<Shown>),
}

struct Walk<'a> {
    files: &'a mut dyn LogFiles,
    size: u64,
    examiner: Examiner,
    edge: Edge,
    /// Hashes of the tile that grows at each level.
    levels: Vec<Vec<Hash>>,
    earlier: Option<Checkpoint>,
    threads: usize,
}

impl Walk<'_> {
    /// Reads every entry; false when a bundle is missing and the walk ended there.
    fn entries(&mut self, selection: &mut dyn Selection) -> Result<bool, LogStop> {
        self.continues(0);
        let mut number = 0;
        while let Some(first) = Tile::bundle(number, self.size) {
            let mut bundles = Vec::new();
            let size = self.size;
            for tile in (number..).map_while(|n| Tile::bundle(n, size)).take(BUNDLES_AT_ONCE) {
                match self.bundle(tile)? {
                    Some(bytes) => bundles.push((tile, bytes)),
                    None => return Ok(false),
                }
            }
            let mut raw = Vec::new();
            for (tile, bytes) in &bundles {
                match parse_bundle(bytes, tile.width) {
                    Ok(entries) => raw.extend((tile.number * TILE_WIDTH..).zip(entries)),
                    Err(error) => {
                        self.examiner.findings.form(Step::Inclusion, &tile.path(), &error);
                        return Ok(false);
                    }
                }
            }
            let marked: Vec<(u64, &[u8], bool)> = raw
                .into_iter()
                .map(|(index, bytes)| (index, bytes, selection.selects(index, bytes)))
                .collect();
            let passed = spread(marked, self.threads, |(index, bytes, selected)| {
                if selected {
                    Passed::Judged(Box::new(Shown::read(index, bytes)))
                } else {
                    Passed::Hashed(leaf_hash(bytes))
                }
            });
            for passed in passed {
                match passed {
                    Passed::Hashed(leaf) => self.leaf(leaf)?,
                    Passed::Judged(shown) => {
                        let index = shown.index;
                        self.leaf(shown.leaf)?;
                        if let Some(statement) = self.examiner.entry(*shown) {
                            selection.read(index, &statement);
                        }
                    }
                }
            }
            self.examiner.settle(1, self.threads);
            number = first.number + bundles.len() as u64;
        }
        self.partial_tiles()?;
        Ok(true)
    }

    fn bundle(&mut self, tile: Tile) -> Result<Option<Vec<u8>>, LogStop> {
        let bytes = self.read(tile, BUNDLE_BYTES_MAX)?;
        if bytes.is_none() {
            self.examiner.findings.contradicted(
                Step::Inclusion,
                &tile.path(),
                "the file",
                "missing",
            );
        }
        Ok(bytes)
    }

    /// A tile or bundle, as wide as the checkpoint's size makes it.
    fn read(&mut self, tile: Tile, bytes_max: usize) -> Result<Option<Vec<u8>>, LogStop> {
        let found = self.files.read(&tile.path(), bytes_max).map_err(LogStop::Io)?;
        if found.is_some() || tile.width == TILE_WIDTH {
            return Ok(found);
        }
        // The log may have grown since its checkpoint was read.
        let full = self.files.read(&tile.full().path(), bytes_max).map_err(LogStop::Io)?;
        Ok(full.and_then(|full| beginning_of(tile, &full).map(<[u8]>::to_vec)))
    }

    fn leaf(&mut self, leaf: Hash) -> Result<(), LogStop> {
        self.examiner.passes(leaf);
        self.edge.push(leaf);
        self.continues(self.edge.size());
        self.grow(0, leaf)
    }

    /// Adds a hash to the growing tile of `level`; a full tile is compared with the published one.
    fn grow(&mut self, level: usize, hash: Hash) -> Result<(), LogStop> {
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        let Some(tile) = self.levels.get_mut(level) else { return Ok(()) };
        tile.push(hash);
        if tile.len() as u64 == TILE_WIDTH {
            let hashes = std::mem::take(tile);
            let root = hashes.iter().copied().collect::<Edge>().root();
            let level_number = u32::try_from(level).unwrap_or(u32::MAX);
            let below = self.edge.size() >> (8 * (level_number + 1));
            self.compare(
                Tile { level: Some(level_number), number: below - 1, width: TILE_WIDTH },
                &hashes,
            )?;
            self.grow(level + 1, root)?;
        }
        Ok(())
    }

    fn partial_tiles(&mut self) -> Result<(), LogStop> {
        for (level, hashes) in std::mem::take(&mut self.levels).into_iter().enumerate() {
            let level = u32::try_from(level).unwrap_or(u32::MAX);
            if !hashes.is_empty() {
                let number = (self.size >> (8 * level)) / TILE_WIDTH;
                self.compare(
                    Tile { level: Some(level), number, width: hashes.len() as u64 },
                    &hashes,
                )?;
            }
        }
        Ok(())
    }

    fn compare(&mut self, tile: Tile, computed: &[Hash]) -> Result<(), LogStop> {
        let bytes = self.read(tile, 32 * 256)?;
        let item = tile.path();
        let findings = &mut self.examiner.findings;
        match bytes.as_deref().map(|bytes| parse_tile(bytes, tile.width)) {
            None => findings.contradicted(Step::Inclusion, &item, "the file", "missing"),
            Some(Err(error)) => findings.form(Step::Inclusion, &item, &error),
            Some(Ok(hashes)) => {
                let different = hashes.iter().zip(computed).position(|(a, b)| a != b);
                let expected = "the hashes of the entries below it";
                let found =
                    different.map_or_else(String::new, |place| format!("another hash at {place}"));
                findings.check(different.is_none(), Step::Inclusion, &item, expected, &found);
            }
        }
        Ok(())
    }

    /// At the size of the kept checkpoint the roots must be the same.
    fn continues(&mut self, size: u64) {
        if let Some(earlier) = self.earlier.take_if(|earlier| earlier.size == size) {
            let root = if size == 0 { empty_root() } else { self.edge.root() };
            let expected = format!("root {} at size {size}, as you kept it", earlier.root);
            let holds = root == earlier.root;
            self.examiner.findings.check(
                holds,
                Step::Inclusion,
                "log",
                &expected,
                &root.to_string(),
            );
        }
    }
}

impl From<FormError> for LogStop {
    fn from(error: FormError) -> Self {
        Self::Io(error.to_string())
    }
}
