//! The append-only signed log: what is acknowledged survives kill -9 and a power cut.
//!
//! | on disk | module | kind of truth |
//! | --- | --- | --- |
//! | `store/` | [`store`] | the commit point; may never change |
//! | `log/` | [`publish`], [`reader`] | the published log; may never change |
//! | `private.db` | [`private`] | openings, lookups, documents; erasable and searchable |
//! | `head-copy` | [`head_copy`] | where each checkpoint is also written |
//! | (another folder) | [`remembered`] | the newest checkpoint, as far as this machine remembers it |
//! | `keys/` | [`keys`] | who signs |
//!
//! [`seal`] makes entries and touches none of these; [`ledger`] writes them.
//!
//! **Invariant:** data goes private.db, then store, then (acknowledged) checkpoint, then log. What
//! a crash leaves half done is found and finished, or refused, when the ledger is opened.

pub mod asked;
pub mod audit;
pub mod backup;
pub mod durable;
mod erasure;
pub mod error;
pub mod find;
pub mod head;
pub mod head_copy;
pub mod keys;
pub mod ledger;
pub mod lock;
mod lookup;
mod mend;
mod place;
pub mod private;
pub mod publish;
pub mod random;
pub mod reader;
mod record;
mod recover;
pub mod remembered;
pub mod restore;
mod row;
mod rows;
mod salvage;
pub mod seal;
mod state;
pub mod store;
mod watch;

#[cfg(test)]
mod tests;
