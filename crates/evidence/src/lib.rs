//! The formats of the Unbroken ledger and their verification: bytes in, verdict out.
//!
//! This crate has no I/O, no clock, no randomness, no network, no `unsafe`, and does not panic on
//! any input. `spec/` at the top of the repository says in words what it does in code; a stranger
//! can write a second verifier from those pages alone.
//!
//! | wing | what it holds |
//! | --- | --- |
//! | [`form`] | bytes to values and back: JSON, notes, keys, checkpoints, proofs, tiles, trees, bags |
//! | [`entry`] | what is stated: entries, kinds, bodies, fields, openings, content |
//! | [`judge`] | the steps, the findings and the verdict over an exhibit, a log, single objects |
//!
//! Under them lie [`error`], [`hash`], [`limits`], [`time`] and [`spread`]. Arrows point down: `judge`
//! uses `entry` and `form`, `entry` uses `form`, `form` uses neither.

#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

pub mod entry;
pub mod error;
pub mod form;
pub mod hash;
pub mod judge;
pub mod limits;
pub mod spread;
pub mod time;

pub use crate::entry::{
    body, chain, content, declared, disclosed, document, field, kind, left_out, length, opening,
    produced, vocabulary,
};
pub(crate) use crate::form::members;
pub use crate::form::{bag, checkpoint, json, key, narrow, note, proof, tile, tree};
pub use crate::judge::{exhibit, keys, log, objects, package, recordings, step, trust, verdict};
