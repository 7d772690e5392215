//! From objects to entries: sources, layouts, capture, completeness.
//!
//! ```text
//! source -> capture (stream once) -> assemble (recording + companions, by layout)
//!        -> assess (completeness policy) -> entry -> ledger
//! ```

mod assess;
mod capture;
pub mod error;
mod group;
pub mod layout;
mod listing;
mod pass;
mod plan;
mod recording;
pub mod run;
pub mod source;
mod worker;

pub use crate::plan::{Plan, Planned, plan};
