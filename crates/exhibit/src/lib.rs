//! Packages that are handed over.

pub mod zip;
