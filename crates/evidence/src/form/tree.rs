//! RFC 6962 Merkle trees with SHA-256: roots, inclusion, consistency.
//!
//! One piece of code serves the log, the fields of an entry and the blocks of a recording.

use crate::hash::Hash;

/// The root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Hash::of(&[])
}

/// The leaf hash of `data`: SHA-256(0x00 || data).
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    Hash::of(&[&[0], data])
}

/// The hash of an inner node: SHA-256(0x01 || left || right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash::of(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The right edge of a growing tree: one hash for each full subtree, the largest first.
///
/// It takes leaves one by one and gives the root at any moment, in memory that does not grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    peaks: Vec<Hash>,
}

impl Edge {
    /// The edge of the empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// The edge of a tree of `size` leaves whose full subtrees are `peaks`, the largest first;
    /// `None` when their number is not the number of one bits in `size`.
    #[must_use]
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (usize::try_from(size.count_ones()) == Ok(peaks.len())).then_some(Self { size, peaks })
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The full subtrees, the largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

impl FromIterator<Hash> for Edge {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut edge = Self::new();
        leaves.into_iter().for_each(|leaf| edge.push(leaf));
        edge
    }
}

/// The root over leaf hashes.
pub fn root(leaves: impl IntoIterator<Item = Hash>) -> Hash {
    leaves.into_iter().collect::<Edge>().root()
}

/// A full subtree of a tree: leaves `index << level` to `(index + 1) << level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subtree {
    /// 0 for a leaf.
    pub level: u32,
    /// Its place among the subtrees of its level, from 0.
    pub index: u64,
}

/// Finds the hash of a full subtree; the error is the finder's own.
pub trait Nodes {
    /// Why a node could not be had.
    type Error;
    /// The hash of `subtree`.
    ///
    /// # Errors
    /// The finder's own.
    fn node(&mut self, subtree: Subtree) -> Result<Hash, Self::Error>;
}

/// The inclusion proof of the leaf at `index` in the tree of `size` leaves, the leaf's sibling
/// first; empty when `index` is not below `size`.
///
/// # Errors
/// Those of `nodes`.
pub fn prove_inclusion<N: Nodes>(
    index: u64,
    size: u64,
    nodes: &mut N,
) -> Result<Vec<Hash>, N::Error> {
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while index < size && end - start > 1 {
        let middle = start + split(end - start);
        let sibling = if index < middle { (middle, end) } else { (start, middle) };
        path.push(range_hash(sibling.0, sibling.1, nodes)?);
        (start, end) = if index < middle { (start, middle) } else { (middle, end) };
    }
    path.reverse();
    Ok(path)
}

/// The consistency proof from the tree of `old` leaves to the tree of `new`.
///
/// # Errors
/// Those of `nodes`.
pub fn prove_consistency<N: Nodes>(
    old: u64,
    new: u64,
    nodes: &mut N,
) -> Result<Vec<Hash>, N::Error> {
    let mut path = Vec::new();
    let (mut start, mut end) = (0, new);
    let inside = old > 0 && old < new;
    while inside && old < end {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(range_hash(middle, end, nodes)?);
            end = middle;
        } else {
            path.push(range_hash(start, middle, nodes)?);
            start = middle;
        }
    }
    if inside && start > 0 {
        path.push(range_hash(start, end, nodes)?);
    }
    path.reverse();
    Ok(path)
}

/// The root over leaves `start` to `end`, where `start` is a multiple of the range's split.
fn range_hash<N: Nodes>(start: u64, end: u64, nodes: &mut N) -> Result<Hash, N::Error> {
    let mut parts = Vec::new();
    let mut at = start;
    while at < end {
        let level = (end - at).ilog2();
        parts.push(nodes.node(Subtree { level, index: at >> level })?);
        at += 1 << level;
    }
    Ok(parts
        .into_iter()
        .rev()
        .reduce(|right, left| node_hash(&left, &right))
        .unwrap_or_else(empty_root))
}

/// The largest power of two below `n`, for `n` above 1.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// How many hashes lead from the leaf at `index` to the root of `size` leaves (RFC 9162, 2.1.3.1); none where there is
/// no such leaf.
#[must_use]
pub fn inclusion_length(index: u64, size: u64) -> Option<u32> {
    let last = size.checked_sub(1).filter(|last| index <= *last)?;
    // Up to where the two part from the right edge there is a sibling at each level, above only to the left.
    let apart = u64::BITS - (index ^ last).leading_zeros();
    Some(apart + (index.checked_shr(apart).unwrap_or(0)).count_ones())
}

/// True when `path` shows that `leaf` is at `index` in the tree of `size` leaves with `root`
/// (RFC 9162, 2.1.3.2). A path does not bind `size`: take it from a verified checkpoint only.
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// True when `path` shows that the tree of `new` leaves with `new_root` begins with the tree of
/// `old` leaves with `old_root` (RFC 9162, 2.1.4.2; an old size of 0 needs an empty path).
#[must_use]
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    path: &[Hash],
) -> bool {
    if old >= new || old == 0 {
        let agree = if old == 0 { *old_root == empty_root() } else { true };
        return old <= new && path.is_empty() && agree && (old != new || old_root == new_root);
    }
    let mut path = path.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { path.next() };
    let Some(first) = first else { return false };
    if path.len() == 0 {
        return false;
    }
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut from_old, mut from_new) = (*first, *first);
    for hash in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            from_old = node_hash(hash, &from_old);
            from_new = node_hash(hash, &from_new);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            from_new = node_hash(&from_new, hash);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && from_old == *old_root && from_new == *new_root
}
