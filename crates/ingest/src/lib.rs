//! From objects to entries: sources, layouts, capture, completeness.
//!
//! ```text
//! source -> capture (stream once) -> assemble (recording + companions, by layout)
//!        -> assess (completeness policy) -> entry -> ledger
//! ```

mod abreast;
pub mod audits;
pub mod awaited;
mod capture;
mod disposition;
pub mod error;
mod expiry;
mod feed;
pub mod gaps;
mod gather;
mod glob;
mod group;
pub mod key_filter;
pub mod layout;
mod listing;
mod near;
mod observe;
mod pass;
pub mod passes;
mod place;
mod plan;
pub mod policy;
mod presence;
pub mod query;
mod recording;
pub mod reread;
pub mod run;
mod same_tree;
pub mod source;
pub mod state;
mod summary;
pub mod table;
mod versions;
mod worker;

pub use crate::plan::{Plan, Planned, Understood, plan};
