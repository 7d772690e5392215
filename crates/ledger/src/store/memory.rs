//! A store in memory whose n-th write fails, or succeeds and reports failure: for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use unbroken_evidence::hash::Hash;

use super::Store;
use crate::error::StoreError;
use crate::head::Head;

/// How an injected fault shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing took effect.
    Failed,
    /// It took effect, and failure was reported.
    Persisted,
}

#[derive(Clone, Default)]
pub(crate) struct Contents {
    head: Option<Head>,
    entries: BTreeMap<u64, (Hash, Vec<u8>)>,
    checkpoint: Option<Vec<u8>>,
    /// Operations until the fault, and how it shows.
    countdown: Option<(u64, Fault)>,
}

/// Contents that outlive the handle, as a disk does.
#[derive(Clone, Default)]
pub(crate) struct MemoryStore {
    shared: Arc<Mutex<Contents>>,
}

impl MemoryStore {
    /// The operation number `n` from now on, from 0, fails as `fault` says; none after it does.
    pub(crate) fn fail_at(&self, n: u64, fault: Fault) {
        self.contents().countdown = Some((n, fault));
    }

    /// Another disk with the same contents.
    pub(crate) fn copy(&self) -> Self {
        Self { shared: Arc::new(Mutex::new(self.contents().clone())) }
    }

    /// Whether the fault has shown.
    pub(crate) fn has_failed(&self) -> bool {
        self.contents().countdown.is_none()
    }

    /// Takes the newest `count` entries away, as a disk that lies would.
    pub(crate) fn roll_back(&self, head: Head) {
        let mut contents = self.contents();
        let size = head.size();
        contents.entries.retain(|index, _| *index < size);
        contents.head = Some(head);
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn operation<T>(&self, work: impl FnOnce(&mut Contents) -> T) -> Result<T, StoreError> {
        let mut contents = self.contents();
        match contents.countdown {
            Some((0, fault)) => {
                contents.countdown = None;
                if fault == Fault::Persisted {
                    work(&mut contents);
                }
                Err(StoreError::Injected)
            }
            Some((n, fault)) => {
                contents.countdown = Some((n - 1, fault));
                Ok(work(&mut contents))
            }
            None => Ok(work(&mut contents)),
        }
    }
}

impl Store for MemoryStore {
    fn head(&self) -> Result<Option<Head>, StoreError> {
        self.operation(|contents| contents.head.clone())
    }

    fn entry(&self, index: u64) -> Result<Option<(Hash, Vec<u8>)>, StoreError> {
        self.operation(|contents| contents.entries.get(&index).cloned())
    }

    fn append(
        &mut self,
        first: u64,
        entries: &[(Hash, Vec<u8>)],
        head: &Head,
    ) -> Result<(), StoreError> {
        self.operation(|contents| {
            contents.entries.extend((first..).zip(entries.iter().cloned()));
            contents.head = Some(head.clone());
        })
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.operation(|contents| contents.checkpoint.clone())
    }

    fn put_checkpoint(&mut self, note: &[u8]) -> Result<(), StoreError> {
        self.operation(|contents| contents.checkpoint = Some(note.to_vec()))
    }
}
