//! One version of an object that is not there any more under its key: a recording's becomes an entry, where it
//! follows those that are sealed; of every other one it is told that it was there.

use unbroken_container::s3::Failure;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::vocabulary::object;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::{Lookup, ObjectState, Private, object_value};

use super::object::Object;
use super::{Sealing, Tools, Unread, Work};
use crate::capture::Keep;
use crate::error::ObjectError;
use crate::layout::{Assembled, Folder, Identity, Seen};
use crate::source::{Attribute, Version};

/// What is to be done about a version.
pub(crate) enum Earlier {
    /// It is a recording's, and follows those that are sealed.
    Recording(Box<Sealing>),
    /// It is told of once the run knows what stands there now.
    Told(Box<Told>),
    /// An entry has it.
    Sealed,
    /// It could not be read.
    Unread(ObjectError),
}

/// A version, or a delete marker, that is told of.
pub(crate) struct Told {
    pub(crate) version: Version,
    /// Of its bytes, where they were read; a marker has none.
    pub(crate) sha256: Option<Hash>,
    /// What its key and its document name.
    pub(crate) named: Identity,
}

impl Work<'_> {
    /// Reads a version and says what is to be done about it; `ids` are those of its key, the oldest first.
    pub(crate) fn earlier(
        &self,
        version: &Version,
        ids: &[String],
        tools: &mut Tools,
    ) -> Result<Earlier, LedgerError> {
        let listed = &version.listed;
        let mut named = self.layout.identity_of(&listed.key);
        let tell = |sha256, named| {
            Earlier::Told(Box::new(Told { version: version.clone(), sha256, named }))
        };
        if version.is_marker {
            return Ok(tell(None, named));
        }
        let sealed = self.sealed_versions(&listed.key, &tools.private)?;
        if sealed.iter().any(|sealed| sealed.is(version)) {
            return Ok(Earlier::Sealed);
        }
        // It stays where it is, for reading it costs money: that it was there is told, once.
        if matches!(listed.not_readable, Some(ObjectError::NotGiven(Failure::Archived(_)))) {
            return Ok(tell(None, named));
        }
        let mut object = self.first_look(listed, tools)?;
        if object.error.is_none() && object.captured.is_none() {
            self.read(&mut object, Keep::Nothing, tools)?;
        }
        let taken = object.captured.take();
        let (mut captured, block_key) = match (object.error.take(), taken) {
            (Some(error), _) => return Ok(Earlier::Unread(error)),
            (None, None) => return Ok(Earlier::Unread(ObjectError::Vanished)),
            (None, Some(taken)) => *taken,
        };
        let sha256 = captured.digests.sha256;
        let known = self.known(&listed.key, &tools.private)?;
        let is_new = known.as_ref().is_none_or(|(_, known)| known.sha256 != sha256);
        let follows = sealed.iter().all(|sealed| sealed.is_before(version, ids));
        let is_recording = known.is_some() || self.is_recording(&object);
        if !(is_recording && is_new && follows) {
            let sidecar = object.sketch.as_deref();
            named.take(
                sidecar.and_then(|sketch| sketch.recording.as_deref()),
                sidecar.and_then(|sketch| sketch.conversation.as_deref()),
            );
            return Ok(tell(Some(sha256), named));
        }
        match self.source.beside(listed, &captured.attributes) {
            Ok(beside) => captured.attributes.extend(beside),
            Err(error) => return Ok(Earlier::Unread(error)),
        }
        let (source, name) =
            (object::SOURCE, object::NONCURRENT.trim_start_matches('/').to_owned());
        captured.attributes.push(Attribute { source, name, value: "yes".to_owned() });
        let of = (&[object][..], &Unread::default());
        let alone = Assembled::alone(0, named);
        let sealing = self.sealing(of, &alone, listed, (captured, block_key), known, tools)?;
        Ok(match sealing {
            None => Earlier::Unread(ObjectError::Broken(LOST.to_owned())),
            Some(mut sealing) => {
                let state = &mut sealing.entry.row.object;
                state
                    .iter_mut()
                    .for_each(|state| state.stamp.splice(0..0, *NONCURRENT).for_each(drop));
                Earlier::Recording(Box::new(sealing))
            }
        })
    }

    /// Whether an object that nothing is known of is a recording, by itself. Of a document that cannot be read
    /// nobody knows.
    fn is_recording(&self, object: &Object<'_>) -> bool {
        if self.layout.tells_by_content(&object.listed.key) && object.sketch.is_none() {
            return false;
        }
        let seen = Seen { key: &object.listed.key, document: object.sketch.as_deref() };
        !self.layout.groups_by_folder()
            || Folder::new(self.layout, vec![seen]).recordings().next().is_some()
    }

    /// The versions of an object that entries have.
    fn sealed_versions(
        &self,
        key: &[u8],
        private: &Private,
    ) -> Result<Vec<SealedVersion>, LedgerError> {
        let mut sealed = Vec::new();
        for index in private.find(Lookup::Object, &object_value(self.source.name(), key))? {
            let is_its = private.object(index)?.is_some_and(|state| state.key == key);
            let Some((_, opening)) = private.opening(index)?.filter(|_| is_its) else { continue };
            let text =
                |pointer| opening.value(object::SOURCE, pointer).unwrap_or_default().to_owned();
            let (version, modified) = (text(object::VERSION), text(object::MODIFIED));
            sealed.push(SealedVersion { version, modified });
        }
        Ok(sealed)
    }
}

const LOST: &str = "what was sealed of it is lost from private.db: run `unbroken audit`";

/// Begins the stamp of what was no current version: should it become one, it is looked at as such.
const NONCURRENT: &[u8; 11] = b"noncurrent\n";

/// Whether what is known of an object was sealed of an earlier version.
pub(super) fn is_noncurrent(known: &ObjectState) -> bool {
    known.stamp.starts_with(NONCURRENT)
}

struct SealedVersion {
    version: String,
    modified: String,
}

impl SealedVersion {
    /// Whether it is this version. What was written while no versions were kept is called `null`, has no version
    /// in an entry of that time, and takes the place of the last such one.
    fn is(&self, Version { listed, .. }: &Version) -> bool {
        match (self.version.as_str(), listed.version.as_str()) {
            ("" | "null", "null") => self.modified == listed.modified,
            (own, other) => own == other,
        }
    }

    /// Whether it was there before `version`: by its place among all versions of the key, or, where its own is
    /// deleted for good, by its time.
    fn is_before(&self, version: &Version, ids: &[String]) -> bool {
        let place = |id: &str| ids.iter().position(|other| other == id);
        match (place(&self.version), place(&version.listed.version)) {
            (Some(own), Some(other)) if own != other => own < other,
            _ => self.modified <= version.listed.modified,
        }
    }
}
