//! Which objects were sealed and are not listed any more, and which are listed again. Listing and private.db
//! both ascend by key, so one walk along the two tells, in memory that does not grow with the source.

use std::collections::VecDeque;

use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::{Private, Watched};

use crate::error::ObjectError;
use crate::source::{CLOSED_FOLDER, Listed};

/// Objects of private.db that are read at once.
const PAGE: usize = 4_096;
/// Changes that one run takes up; the next one goes on with the rest.
const CHANGES_MAX: usize = 100_000;

/// An object that may stand otherwise than its newest entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The newest entry about it.
    pub(crate) index: u64,
    /// What that entry says.
    pub(crate) watched: Watched,
}

/// The walk along what is known of a source.
pub(crate) struct Presence {
    private: Private,
    source: i64,
    scope: Vec<u8>,
    known: VecDeque<Change>,
    /// The last key that was read, and whether all were.
    last: Option<Vec<u8>>,
    is_read: bool,
    /// The folder below which nothing could be listed.
    closed: Option<Vec<u8>>,
    changes: Changes,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) list: Vec<Change>,
    /// So many more there are, which the next run takes up.
    pub(crate) more: u64,
}

impl Presence {
    pub(crate) fn new(private: Private, source: i64, scope: &str) -> Self {
        Self {
            private,
            source,
            scope: scope.as_bytes().to_vec(),
            known: VecDeque::new(),
            last: None,
            is_read: false,
            closed: None,
            changes: Changes::default(),
        }
    }

    /// The known object that comes next, if `is_wanted` says so.
    fn next_if(
        &mut self,
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<Change>, LedgerError> {
        if self.known.is_empty() && !self.is_read {
            let after = self.last.as_deref();
            let page = self.private.newest_watched(self.source, &self.scope, after, PAGE)?;
            self.is_read = page.len() < PAGE;
            self.last = page.last().map(|(_, watched)| watched.key.clone());
            self.known.extend(page.into_iter().map(|(index, watched)| Change { index, watched }));
        }
        let is_next = self.known.front().is_some_and(|change| is_wanted(&change.watched.key));
        Ok(if is_next { self.known.pop_front() } else { None })
    }

    /// Takes in the object that is listed next.
    pub(crate) fn listed(&mut self, listed: &Listed) -> Result<(), LedgerError> {
        self.pass_over(Some(&listed.key))?;
        if let Some(change) = self.next_if(|key| key == listed.key)?
            && change.watched.gone
            && listed.not_readable != Some(ObjectError::Vanished)
        {
            self.take(change);
        }
        if listed.not_readable == Some(ObjectError::Irregular(CLOSED_FOLDER)) {
            self.closed = Some(listed.key.clone());
        }
        Ok(())
    }

    /// Known objects before `to` are not there; without it, all that are left.
    fn pass_over(&mut self, to: Option<&[u8]>) -> Result<(), LedgerError> {
        while let Some(change) = self.next_if(|key| to.is_none_or(|to| key < to))? {
            let closed = self.closed.as_ref();
            let is_hidden = closed.is_some_and(|closed| change.watched.key.starts_with(closed));
            if !change.watched.gone && !is_hidden {
                self.take(change);
            }
        }
        Ok(())
    }

    fn take(&mut self, change: Change) {
        if self.changes.list.len() < CHANGES_MAX {
            self.changes.list.push(change);
        } else {
            self.changes.more += 1;
        }
    }

    /// What stands otherwise, once the listing has come to its end.
    pub(crate) fn finish(mut self) -> Result<Changes, LedgerError> {
        self.pass_over(None)?;
        Ok(self.changes)
    }
}
