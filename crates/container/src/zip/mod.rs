//! The .zip of an exhibit: written and read in its one form (spec/exhibit.md X7 to X9).
//!
//! | module | what it does |
//! | --- | --- |
//! | `form` | the bytes of every record, as a function of the member |
//! | `writer` | puts records and members out, one after the other |
//! | `reader` | takes an archive apart, and compares each record with what `form` says |

mod form;
mod reader;
mod writer;

pub use self::reader::Zip;
pub use self::writer::ZipWriter;

#[cfg(test)]
mod tests;
