//! Opens what is to be verified, an exhibit as a folder or a .zip or a published log, and streams
//! it into `unbroken-evidence`. Flat in memory, and safe against hostile containers.

pub mod error;
pub mod folder;
pub mod log;
pub mod object;
pub mod open;
pub mod plain;
pub mod render;
#[cfg(feature = "s3")]
pub mod s3;
pub mod zip;
