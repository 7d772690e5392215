//! What runs unattended: the schedule, its alerts, and what a monitor asks (docs/run.md).
//!
//! ```text
//! config -> schedule -> job (ingest, state) -> ledger -> news (what the pass sealed) -> outbox -> postman -> receivers
//! ```
//!
//! Nothing is kept but the outbox: when a job is due follows from the ledger, and so does what is to be told.

pub mod board;
pub mod config;
mod cron;
mod deliver;
pub mod hands;
mod http;
mod look;
pub mod news;
mod outbox;
mod postman;
mod schedule;
pub mod service;
mod telling;
mod when;

pub use crate::deliver::send_test;
pub use crate::when::{When, span};
