//! Judgement: the numbered steps, the findings, the verdict; one room each for an exhibit, a log and
//! single objects.
//!
//! ```text
//! trust, keys, chain, history -> entries -> exhibit (reading, notes, commitments, payload, scope, beside)
//!                                        -> walk -> log
//!                                        -> walk -> objects (glance, mentions)
//! ```

#[cfg(test)]
mod accused;
mod asked;
mod beside;
#[cfg(test)]
mod by_ledger_id;
mod chain;
mod commitments;
mod entries;
pub mod exhibit;
mod files;
mod findings;
mod glance;
mod history;
mod kept;
pub mod keys;
pub mod log;
mod mentions;
mod notes;
pub mod objects;
pub mod package;
mod payload;
mod reading;
pub mod recordings;
mod row;
mod scope;
mod sidecar;
pub mod step;
#[cfg(test)]
mod testing;
mod told;
#[cfg(test)]
mod told_apart;
pub mod trust;
pub mod verdict;
mod walk;
