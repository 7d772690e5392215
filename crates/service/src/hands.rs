//! What the service needs of the program that runs it, and what it says to it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use unbroken_ingest::layout::Layout;
use unbroken_ingest::policy::Policy;
use unbroken_ingest::source::Source;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::Surroundings;

use crate::config::{Config, SourceConfig};

/// What the service needs of the program that runs it.
pub trait Hands: Send + Sync {
    /// A source as the configuration names it, to be sealed in the ledger of that folder: one that holds the
    /// ledger's own keys is refused.
    ///
    /// # Errors
    /// Why it cannot be taken.
    fn source(
        &self,
        config: &SourceConfig,
        ledger: &Path,
        stop: &Arc<AtomicBool>,
    ) -> Result<Box<dyn Source>, Refusal>;
    /// A policy as the configuration names it.
    ///
    /// # Errors
    /// Why it cannot be taken, in a sentence.
    fn policy(&self, named: &str) -> Result<Policy, String>;
    /// A layout as the configuration names it.
    ///
    /// # Errors
    /// Why it cannot be taken, in a sentence.
    fn layout(&self, named: &str) -> Result<Layout, String>;
    /// What a ledger needs of the world.
    fn surroundings(&self) -> Surroundings;
    /// The configuration, read anew.
    ///
    /// # Errors
    /// Why it cannot be taken, in a sentence.
    fn config(&self) -> Result<Config, String>;
}

/// Why a source is not taken, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not there, or cannot be reached: it may be at another time.
    #[error("{0}")]
    Now(String),
    /// It may not be looked at, whatever is there.
    #[error("{0}")]
    Never(String),
}

/// What somebody outside may ask for.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// To end: what is acknowledged stays sealed.
    pub stop: Arc<AtomicBool>,
    /// To read the configuration anew.
    pub reload: Arc<AtomicBool>,
}

/// Why the service does not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The configuration, or what it names, cannot be taken.
    #[error("{0}")]
    Config(String),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The outbox, or the address to answer at.
    #[error("{what}")]
    System {
        /// What cannot be had.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
}
