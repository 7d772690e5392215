//! The store: the commit point, behind one narrow trait.

mod database;
#[cfg(test)]
pub(crate) mod memory;
mod segment;
mod sled_store;

use unbroken_evidence::hash::Hash;

pub use self::sled_store::SledStore;
use crate::error::StoreError;
use crate::head::Head;

/// The format number of what a store holds.
pub const STORE_FORMAT: u32 = 1;

/// Entries, a head, the last signed checkpoint. One writer.
///
/// **Contract.** What `append` or `put_checkpoint` returned `Ok` for survives a power cut. After
/// an error each of them may have taken effect or not, but never in part as seen through `head`:
/// entries at or above the head's size do not exist. `append` is given entries from `head.size()`
/// on; entries above an old head are overwritten.
pub trait Store: Send {
    /// The head; `None` in a store that was never written.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn head(&self) -> Result<Option<Head>, StoreError>;

    /// The leaf and note at `index`, as stored; `None` when nothing was ever stored there.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn entry(&self, index: u64) -> Result<Option<(Hash, Vec<u8>)>, StoreError>;

    /// Stores entries from index `first` on, then `head`, durably.
    ///
    /// # Errors
    /// See [`StoreError`] and the contract.
    fn append(
        &mut self,
        first: u64,
        entries: &[(Hash, Vec<u8>)],
        head: &Head,
    ) -> Result<(), StoreError>;

    /// The last signed checkpoint.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// Stores a signed checkpoint, durably.
    ///
    /// # Errors
    /// See [`StoreError`] and the contract.
    fn put_checkpoint(&mut self, note: &[u8]) -> Result<(), StoreError>;
}
