//! One object of a group, as far as it was read: at first look, in full, and once more where its document
//! was let go to keep memory flat.

use std::sync::Arc;

use unbroken_evidence::content::BlockKey;
use unbroken_evidence::document;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::json::Value;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::random::block_key;

use super::{Tools, Work, is_document, no_randomness};
use crate::capture::{Captured, Keep, capture};
use crate::disposition::Disposition;
use crate::error::ObjectError;
use crate::layout::{Assembled, Layout, Sketch, genesys_cloud};
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
            disposition: Disposition::Unread("not looked at"),
        };
        if self.layout == Layout::GenesysCloud
            && object.error.is_none()
            && is_document(&object.listed.key)
        {
            self.read_document(&mut object, tools)?;
            object.sketch = object.document.as_ref().map(genesys_cloud::sketch).map(Box::new);
            object.is_companion = object.sketch.as_ref().is_some_and(|said| said.says.is_some());
        }
        if let Some(error) = &object.error {
            object.disposition = Disposition::from(error);
        }
        Ok(object)
    }

    fn read_document(&self, object: &mut Object<'_>, tools: &mut Tools) -> Result<(), LedgerError> {
        self.read(object, Keep::Document, tools)?;
        object.document = object.held().and_then(|bytes| document::parse_document(bytes).ok());
        Ok(())
    }

    /// Reads the documents of a recording again that were let go. False where one of them cannot be read any
    /// more, or is another by now.
    pub(super) fn bring_back(
        &self,
        objects: &mut [Object<'_>],
        assembled: &Assembled,
        tools: &mut Tools,
    ) -> Result<bool, LedgerError> {
        for (place, _) in &assembled.companions {
            let Some(object) = objects.get_mut(*place).filter(|object| object.let_go) else {
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
