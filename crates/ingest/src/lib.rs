//! From objects to entries: sources, layouts, capture, completeness.
//!
//! ```text
//! source -> capture (stream once) -> assemble (recording + companions, by layout)
//!        -> assess (completeness policy) -> entry -> ledger
//! ```

mod assess;
mod capture;
mod disposition;
pub mod error;
mod feed;
mod gather;
mod group;
pub mod layout;
mod listing;
mod observe;
mod pass;
pub mod passes;
mod plan;
mod presence;
mod recording;
pub mod run;
pub mod source;
pub mod state;
mod summary;
mod worker;

pub use crate::plan::{Plan, Planned, plan};
