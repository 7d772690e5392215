//! Where the bytes of recordings come from when they are packed.

use std::io::Read;

/// Opens objects of a ledger's sources.
pub trait Originals {
    /// Opens the object `key` of the source that is known as `name` and was last at `location`.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn open(
        &mut self,
        name: &str,
        location: &str,
        key: &[u8],
        version: &str,
    ) -> std::io::Result<Opened<'_>>;
}

/// An object, opened.
pub type Opened<'a> = Box<dyn Read + 'a>;
