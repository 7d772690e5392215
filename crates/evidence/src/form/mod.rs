//! Bytes to values and back: each format in one file, named as its specification names it.

pub mod bag;
pub mod checkpoint;
pub mod json;
pub mod key;
pub(crate) mod members;
pub mod narrow;
pub mod note;
pub mod proof;
pub mod tile;
pub mod tree;
