//! The formats of the Unbroken ledger and their verification: bytes in, verdict out.
//!
//! This crate has no I/O, no clock, no randomness, no network, no `unsafe`, and does not panic on
//! any input. `spec/` at the top of the repository says in words what it does in code; a stranger
//! can write a second verifier from those pages alone.
//!
//! | layer | modules |
//! | --- | --- |
//! | forms | [`json`], [`narrow`], [`note`], [`checkpoint`], [`proof`], [`tile`], [`bag`], [`time`] |
//! | statements | [`entry`], [`body`], [`field`], [`document`], [`opening`], [`content`] |
//! | mathematics | [`hash`], [`tree`], [`key`] |
//! | judgement | [`control`], [`chain`], [`exhibit`], [`published`], [`step`], [`verdict`], [`trust`] |

#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

pub mod bag;
pub mod body;
pub mod chain;
pub mod checkpoint;
pub mod content;
pub mod control;
pub mod document;
mod draft;
pub mod entry;
pub mod error;
mod examine;
pub mod exhibit;
pub mod field;
pub mod hash;
pub mod json;
pub mod key;
pub mod limits;
mod members;
pub mod narrow;
pub mod note;
pub mod opening;
pub mod package;
mod payload;
pub mod produced;
pub mod proof;
pub mod published;
mod reading;
pub mod spread;
pub mod step;
pub mod tile;
pub mod time;
pub mod tree;
pub mod trust;
pub mod verdict;
