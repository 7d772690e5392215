//! Why a command failed: one sentence, one hint, one exit code.

use unbroken_evidence::error::chain;
use unbroken_exhibit::error::ExhibitError;
use unbroken_ingest::error::{IngestError, SourceError};
use unbroken_ledger::error::LedgerError;
use unbroken_service::hands::ServiceError;

/// The exit code of wrong usage and of a machine that fails.
pub(crate) const USAGE: u8 = 4;
/// The exit code of our own mistakes.
pub(crate) const INTERNAL: u8 = 5;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) sentence: String,
    pub(crate) hint: String,
}

impl Failure {
    pub(crate) fn new(code: u8, sentence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into(), hint: hint.into() }
    }

    pub(crate) fn usage(sentence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(USAGE, sentence, hint)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::new(error.exit_code(), chain(&error), error.hint())
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        Self::new(error.exit_code(), chain(&error), error.hint())
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::usage(chain(&error), error.hint())
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Ledger(error) => error.into(),
            error @ ServiceError::Config(_) => Self::usage(
                chain(&error),
                "`unbroken config check FILE` says more; docs/run.md explains every key",
            ),
            error @ ServiceError::System { .. } => Self::usage(
                chain(&error),
                "check that you may write there, and that nobody else is there",
            ),
        }
    }
}

impl From<ExhibitError> for Failure {
    fn from(error: ExhibitError) -> Self {
        Self::new(error.exit_code(), chain(&error), error.hint())
    }
}
