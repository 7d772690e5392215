//! One object of a group, as far as it was read: at first look, in full, and once more where its document
//! was let go to keep memory flat.

use std::sync::Arc;

use unbroken_evidence::content::BlockKey;
use unbroken_evidence::document;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::json::Value;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::random::block_key;

use super::{Tools, Work, no_randomness};
use crate::capture::{Captured, Keep, capture};
use crate::disposition::Disposition;
use crate::error::ObjectError;
use crate::layout::{Assembled, Sketch};
use crate::source::Listed;

/// One object of the group, as far as it has been read.
pub(super) struct Object<'a> {
    pub(super) listed: &'a Listed,
    pub(super) captured: Option<Box<(Captured, BlockKey)>>,
    /// Its SHA-256, once it was read: what is read again must be the same.
    pub(super) sha256: Option<Hash>,
    /// What its document says that it is.
    pub(super) sketch: Option<Box<Sketch>>,
    pub(super) document: Option<Value>,
    /// Its document says that it belongs to a recording.
    pub(super) is_companion: bool,
    /// An entry of this run names it.
    pub(super) in_an_entry: bool,
    /// Document and bytes were let go, and are read again when an entry is made of them.
    pub(super) let_go: bool,
    pub(super) error: Option<ObjectError>,
    pub(super) disposition: Disposition,
}

impl Object<'_> {
    /// The bytes of a document, while they are held.
    pub(super) fn held(&self) -> Option<&Arc<Vec<u8>>> {
        self.captured.as_ref().and_then(|captured| captured.0.bytes.as_ref())
    }

    /// Keeps of its document what the layout takes from it, and nothing else. What may be a recording keeps
    /// its digests: it is not read again.
    pub(super) fn let_go(&mut self) {
        self.let_go |= self.held().is_some();
        self.document = None;
        if self.is_companion {
            self.captured = None;
        }
        self.captured.iter_mut().for_each(|captured| captured.0.bytes = None);
    }
}

impl Work<'_> {
    /// Documents are read at once, for only their content says what they are.
    pub(super) fn first_look<'a>(
        &self,
        listed: &'a Listed,
        tools: &mut Tools,
    ) -> Result<Object<'a>, LedgerError> {
        let mut object = Object {
            error: listed.not_readable.clone(),
            listed,
            captured: None,
            sha256: None,
            sketch: None,
            is_companion: false,
            document: None,
            let_go: false,
            in_an_entry: false,
            disposition: Disposition::Unread("not looked at"),
        };
        let in_folders = self.layout.groups_by_folder();
        // A policy asks of a document whether it is whole.
        let is_read = in_folders || self.policy.is_some() || self.layout.reads_the_recording();
        if is_read && object.error.is_none() && self.layout.reads(&object.listed.key) {
            self.read_document(&mut object, tools)?;
        }
        if let Some(document) = object.document.as_ref().filter(|_| in_folders) {
            let sketch = self.layout.sketch(document);
            object.is_companion = sketch.says.is_some();
            object.sketch = Some(Box::new(sketch));
        }
        if let Some(error) = &object.error {
            object.disposition = Disposition::from(error);
        }
        Ok(object)
    }

    fn read_document(&self, object: &mut Object<'_>, tools: &mut Tools) -> Result<(), LedgerError> {
        self.read(object, Keep::Document, tools)?;
        object.document = object.held().and_then(|bytes| document::parse_document(bytes).ok());
        if object.document.is_some() {
            object.captured.iter_mut().for_each(|captured| captured.0.ends = None);
        }
        Ok(())
    }

    /// Whether policy or layout ask for values of the recording's own document.
    fn reads_the_recording(&self) -> bool {
        self.layout.reads_the_recording()
            || self.policy.is_some_and(|(policy, _)| policy.reads_the_recording())
    }

    /// Reads the documents of a recording again that were let go, its own too where the policy asks for what
    /// is in it. False where one of them cannot be read any more, or is another by now.
    pub(super) fn bring_back(
        &self,
        objects: &mut [Object<'_>],
        assembled: &Assembled,
        tools: &mut Tools,
    ) -> Result<bool, LedgerError> {
        let companions = assembled.companions.iter().map(|(place, _)| *place);
        let own = Some(assembled.recording).filter(|_| self.reads_the_recording());
        for place in companions.chain(own) {
            let Some(object) = objects.get_mut(place).filter(|object| object.let_go) else {
                continue;
            };
            let before = object.sha256;
            if object.error.is_none() {
                self.read_document(object, tools)?;
            }
            if object.sha256 != before {
                object.error = Some(ObjectError::Changed);
            }
            if let Some(error) = &object.error {
                object.disposition = Disposition::from(error);
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn read(
        &self,
        object: &mut Object<'_>,
        keep: Keep,
        tools: &mut Tools,
    ) -> Result<(), LedgerError> {
        let key = block_key(&mut tools.random).map_err(no_randomness)?;
        let Tools { digester, .. } = tools;
        match capture(self.source, object.listed, key, self.clock, keep, self.stop, digester) {
            Ok(captured) => {
                object.sha256 = Some(captured.digests.sha256);
                object.captured = Some(Box::new((captured, key)));
            }
            Err(error) => {
                object.disposition = Disposition::from(&error);
                object.error = Some(error);
            }
        }
        Ok(())
    }
}
