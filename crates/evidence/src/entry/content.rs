//! The one streaming hasher: size, SHA-256, BLAKE3 and salted blocks, in one pass over the bytes.
//!
//! Capture, the verifier and the object audit all use it (spec/blocks.md). It comes in two halves
//! that know nothing of each other, so that two cores can share the work.

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::hash::Hash;
use crate::tree::Edge;

/// The key of a recording's block salts: 32 random bytes, fresh for each entry.
pub type BlockKey = [u8; 32];

/// Bytes of a block where nobody asks for others.
pub const BLOCK_BYTES_DEFAULT: u64 = 4_096;

/// What one pass over the bytes of an object gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// The number of bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: Hash,
    /// BLAKE3.
    pub blake3: Hash,
    /// The block root under each key, in the order the keys were given.
    pub block_roots: Vec<Hash>,
}

/// The first half: size and SHA-256.
#[derive(Clone, Debug, Default)]
pub struct FlatHasher {
    size: u64,
    sha256: Sha256,
}

impl FlatHasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.sha256.update(bytes);
    }
}

/// The second half: BLAKE3 and one block tree for each key.
#[derive(Clone, Debug)]
pub struct BlockHasher {
    blake3: blake3::Hasher,
    trees: Vec<BlockTree>,
}

impl BlockHasher {
    /// One block tree for each block size and key.
    #[must_use]
    pub fn new(keys: &[(u64, BlockKey)]) -> Self {
        let trees = keys.iter().map(|(bytes, key)| BlockTree::new(*bytes, key)).collect();
        Self { blake3: blake3::Hasher::new(), trees }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.blake3.update(bytes);
        self.trees.iter_mut().for_each(|tree| tree.update(bytes));
    }
}

/// Both halves, driven one after the other.
#[derive(Clone, Debug)]
pub struct ContentHasher {
    flat: FlatHasher,
    blocks: BlockHasher,
}

impl ContentHasher {
    /// One block tree for each block size and key.
    #[must_use]
    pub fn new(keys: &[(u64, BlockKey)]) -> Self {
        Self { flat: FlatHasher::default(), blocks: BlockHasher::new(keys) }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.flat.update(bytes);
        self.blocks.update(bytes);
    }

    /// The two halves, to be driven by two threads and given to [`Digests::of`] at the end.
    #[must_use]
    pub fn split(self) -> (FlatHasher, BlockHasher) {
        (self.flat, self.blocks)
    }

    /// The digests over everything taken.
    #[must_use]
    pub fn finish(self) -> Digests {
        Digests::of(self.flat, self.blocks)
    }
}

impl Digests {
    /// The digests of two halves that took the same bytes.
    #[must_use]
    pub fn of(flat: FlatHasher, blocks: BlockHasher) -> Self {
        Self {
            size: flat.size,
            sha256: Hash::new(flat.sha256.finalize().into()),
            blake3: Hash::new(*blocks.blake3.finalize().as_bytes()),
            block_roots: blocks.trees.into_iter().map(BlockTree::finish).collect(),
        }
    }
}

/// Bytes that are asked for at once.
const PIECE_BYTES: usize = 1 << 20;

/// [`Digester::digest`] for a single stream.
///
/// # Errors
/// Those of `fill`.
pub fn digest_stream<E>(
    keys: &[(u64, BlockKey)],
    length: u64,
    fill: impl FnMut(&mut [u8]) -> Result<usize, E>,
) -> Result<Digests, E> {
    Digester::default().digest(keys, length, fill)
}

/// Digests one stream after another; it keeps its buffer between them, for making and clearing one
/// for each small file costs more than a tenth of hashing it.
#[derive(Debug, Default)]
pub struct Digester {
    buffer: Vec<u8>,
}

impl Digester {
    /// Digests a stream: `fill` puts the next bytes into the buffer it is given and says how many;
    /// 0 ends the stream. A stream of one piece stays on the calling thread, a longer one takes a
    /// second. `length` is how long the stream is thought to be; it only saves memory.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn digest<E>(
        &mut self,
        keys: &[(u64, BlockKey)],
        length: u64,
        mut fill: impl FnMut(&mut [u8]) -> Result<usize, E>,
    ) -> Result<Digests, E> {
        let (mut flat, mut blocks) = ContentHasher::new(keys).split();
        // One byte more than is thought to come: it shows the end, or that there is more.
        let thought = usize::try_from(length).map_or(PIECE_BYTES, |n| n.saturating_add(1));
        let asked = thought.min(PIECE_BYTES);
        if self.buffer.len() < asked {
            self.buffer.resize(asked, 0);
        }
        let Some(room) = self.buffer.get_mut(..asked) else { return Ok(Digests::of(flat, blocks)) };
        let filled = fill_whole(room, &mut fill)?;
        if filled < asked {
            let bytes = room.get(..filled).unwrap_or_default();
            flat.update(bytes);
            blocks.update(bytes);
            return Ok(Digests::of(flat, blocks));
        }
        let mut first = std::mem::take(&mut self.buffer);
        first.truncate(filled);
        on_two_threads(flat, blocks, first, fill)
    }
}

/// Digests the piece `first` and all that follows it.
fn on_two_threads<E>(
    mut flat: FlatHasher,
    mut blocks: BlockHasher,
    first: Vec<u8>,
    mut fill: impl FnMut(&mut [u8]) -> Result<usize, E>,
) -> Result<Digests, E> {
    std::thread::scope(|scope| {
        let (to_blocks, pieces) = std::sync::mpsc::sync_channel::<Arc<Vec<u8>>>(2);
        let (give_back, used) = std::sync::mpsc::channel();
        let worker = scope.spawn(move || {
            for piece in pieces {
                blocks.update(&piece);
                // The reader may be gone at the end; then nobody needs the buffer.
                let _ = give_back.send(piece);
            }
            blocks
        });
        let mut piece = Arc::new(first);
        let outcome = loop {
            // A worker that is gone has panicked; its panic goes on at the join below.
            let _ = to_blocks.send(Arc::clone(&piece));
            flat.update(&piece);
            drop(piece);
            let used = used.try_recv().ok().and_then(|used| Arc::try_unwrap(used).ok());
            let mut next = used.unwrap_or_default();
            next.resize(PIECE_BYTES, 0);
            match fill_whole(&mut next, &mut fill) {
                Ok(0) => break Ok(()),
                Ok(filled) => next.truncate(filled),
                Err(error) => break Err(error),
            }
            piece = Arc::new(next);
        };
        drop(to_blocks);
        let blocks = worker.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause));
        outcome.map(|()| Digests::of(flat, blocks))
    })
}

/// Calls `fill` until `buffer` is full or the stream has ended.
fn fill_whole<E>(
    buffer: &mut [u8],
    fill: &mut impl FnMut(&mut [u8]) -> Result<usize, E>,
) -> Result<usize, E> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match fill(room)?.min(room.len()) {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// The salted block tree of one entry, as it grows.
#[derive(Clone, Debug)]
struct BlockTree {
    bytes: u64,
    salts: Hmac<Sha256>,
    /// SHA-256 over the leaf prefix and the block so far; `None` between blocks.
    open: Option<(Sha256, u64)>,
    edge: Edge,
}

impl BlockTree {
    fn new(bytes: u64, key: &BlockKey) -> Self {
        // A key of 32 bytes is never longer than the hash's block, so this cannot fail; the type
        // of `new` (a key of exactly one block) says so without a Result.
        let mut padded = hmac::digest::Key::<Hmac<Sha256>>::default();
        padded.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        let salts = Hmac::<Sha256>::new(&padded);
        Self { bytes: bytes.max(1), salts, open: None, edge: Edge::new() }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (mut state, filled) = self.open.take().unwrap_or_else(|| self.begin());
            let room = usize::try_from(self.bytes - filled).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            state.update(now);
            let filled = filled + now.len() as u64;
            if filled == self.bytes {
                self.edge.push(Hash::new(state.finalize().into()));
            } else {
                self.open = Some((state, filled));
            }
            bytes = later;
        }
    }

    /// The leaf hash of the next block, up to where the block's bytes begin.
    fn begin(&self) -> (Sha256, u64) {
        let index = self.edge.size().to_be_bytes();
        let mut mac = self.salts.clone();
        mac.update(b"unbroken/block-salt@v1\n");
        mac.update(&index);
        let salt = mac.finalize().into_bytes();
        let mut state = Sha256::new();
        state.update([0]);
        state.update(b"unbroken/block@v1\n");
        state.update(index);
        state.update(salt.get(..16).unwrap_or_default());
        (state, 0)
    }

    fn finish(mut self) -> Hash {
        if let Some((state, _)) = self.open.take() {
            self.edge.push(Hash::new(state.finalize().into()));
        }
        self.edge.root()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{empty_root, leaf_hash, root};

    fn naive_block_root(bytes: &[u8], block: usize, key: &BlockKey) -> Hash {
        root(bytes.chunks(block).enumerate().map(|(i, chunk)| {
            let index = (i as u64).to_be_bytes();
            let mut inner = [0x36_u8; 64];
            let mut outer = [0x5c_u8; 64];
            for (place, byte) in key.iter().enumerate() {
                inner[place] ^= byte;
                outer[place] ^= byte;
            }
            let first = Hash::of(&[&inner, b"unbroken/block-salt@v1\n", &index]);
            let mac = Hash::of(&[&outer, first.as_bytes()]);
            let data =
                [b"unbroken/block@v1\n", index.as_slice(), &mac.as_bytes()[..16], chunk].concat();
            leaf_hash(&data)
        }))
    }

    // spec: B2 B3 B4 B5
    #[test]
    fn any_cut_of_the_stream_gives_what_the_specification_says() {
        let painted: Vec<u8> = (0..20_000_u32).map(|i| (i % 251) as u8).collect();
        let keys = [(512, [1; 32]), (4_096, [2; 32])];
        // Around the ends of blocks, of SHA-256's 64 bytes and of BLAKE3's 1,024.
        for size in [0, 1, 63, 64, 65, 511, 512, 513, 1_024, 4_095, 4_096, 4_097, 8_192, 20_000] {
            let bytes = &painted[..size];
            for step in [1, 37, 512, 4_096, 20_000] {
                let mut hasher = ContentHasher::new(&keys);
                bytes.chunks(step).for_each(|chunk| hasher.update(chunk));
                let digests = hasher.finish();
                assert_eq!(digests.size, size as u64);
                assert_eq!(digests.sha256, Hash::of(&[bytes]));
                assert_eq!(digests.blake3.as_bytes(), blake3::hash(bytes).as_bytes());
                assert_eq!(
                    digests.block_roots[0],
                    naive_block_root(bytes, 512, &[1; 32]),
                    "{size}"
                );
                assert_eq!(digests.block_roots[1], naive_block_root(bytes, 4_096, &[2; 32]));
            }
        }
        assert_eq!(ContentHasher::new(&keys).finish().block_roots, [empty_root(); 2]);
    }

    #[test]
    fn two_threads_give_what_one_gives_and_pass_errors_on() {
        let keys = [(4_096, [2; 32])];
        for size in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES + 77] {
            let painted: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            let mut whole = ContentHasher::new(&keys);
            whole.update(&painted);
            let mut rest = painted.as_slice();
            let read = |buffer: &mut [u8]| {
                let count = buffer.len().min(rest.len()).min(300_001);
                buffer[..count].copy_from_slice(&rest[..count]);
                rest = &rest[count..];
                Ok::<_, ()>(count)
            };
            let length = [0, size as u64, u64::MAX][size % 3];
            assert_eq!(digest_stream(&keys, length, read).unwrap(), whole.finish(), "{size}");
        }
        let mut calls = 0;
        let failing = |buffer: &mut [u8]| {
            calls += 1;
            if calls == 4 { Err("gone") } else { Ok(buffer.len()) }
        };
        assert_eq!(digest_stream(&keys, u64::MAX, failing).err(), Some("gone"));
    }
}
