//! Packages that are handed over: a BagIt bag whose payload, and the history of each recording in
//! it, is stated by a signed `produced` entry (spec/exhibit.md).

mod bag;
pub mod error;
mod exposed;
mod originals;
pub mod produce;
pub mod select;
mod terms;

pub use crate::exposed::Exposed;
pub use crate::originals::{Opened, Originals};
