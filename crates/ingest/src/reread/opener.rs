//! Where an object audit gets the bytes from.

use std::io::{self, Read};

use unbroken_evidence::hash::Hash;

/// Opens an object where it lies; each worker has its own.
pub trait Opener: Send {
    /// # Errors
    /// `NotFound` where it is not there, and why it cannot be read otherwise.
    fn open(
        &mut self,
        name: &str,
        location: &str,
        key: &[u8],
        version: &str,
    ) -> io::Result<Box<dyn Read + '_>>;

    /// Whether the store itself says that it keeps this SHA-256 of the whole object; nothing of it is read.
    ///
    /// # Errors
    /// `NotFound` where it is not there, and why nothing is known otherwise.
    fn keeps(
        &mut self,
        name: &str,
        location: &str,
        key: &[u8],
        version: &str,
        sha256: &Hash,
    ) -> io::Result<bool>;
}
