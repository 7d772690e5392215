//! Where objects come from.

mod folder;
mod s3;

use unbroken_evidence::content::Digests;

pub use self::folder::{FolderSource, open_plain};
pub(crate) use self::s3::http_date;
pub use self::s3::{Check, Health, S3Connection, S3Reader, S3Source};
use crate::error::{ObjectError, Problem, SourceError};

/// A key as text; one that is not UTF-8 stands with its bytes escaped.
#[must_use]
pub fn key_text(key: &[u8]) -> String {
    match std::str::from_utf8(key) {
        Ok(key) => key.to_owned(),
        Err(_) => key.escape_ascii().to_string(),
    }
}

/// An object as it was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its whole key in the source.
    pub key: Vec<u8>,
    /// Its version, where the source has versions.
    pub version: String,
    /// Its ETag, where the source has one.
    pub etag: String,
    /// The number of its bytes.
    pub size: u64,
    /// When it was last modified, 24 characters.
    pub modified: String,
    /// Everything that changes when the object does, as the source encodes it.
    pub stamp: Vec<u8>,
    /// Why it cannot be read, where the listing says so already.
    pub not_readable: Option<ObjectError>,
}

/// One version of an object, or a marker that hides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The object as it would be listed, with its version. A marker has no bytes.
    pub listed: Listed,
    /// Whether it is a delete marker.
    pub is_marker: bool,
    /// Whether it is what stands under the key now.
    pub is_latest: bool,
    /// Whether bytes were written under the key behind it.
    pub is_followed: bool,
}

/// The versions of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// The oldest first.
    pub list: Vec<Version>,
    /// So many older ones are left out: there are more than can be held.
    pub left_out: u64,
}

/// What an object is of which only its name could be had: what lies below it is not listed.
pub(crate) const CLOSED_FOLDER: &str = "a folder that may not be listed";

/// A named value that the source says of an object, for instance a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The field source: `s3-header`, `s3-tag`, `object`.
    pub source: &'static str,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The bytes of one object, from its beginning.
pub trait ObjectReader {
    /// The next bytes; 0 at the end.
    ///
    /// # Errors
    /// Why there are no more.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ObjectError>;

    /// After the end: whether what was read is what was listed, and agrees with what the source itself knows
    /// of its bytes; and what the source says of it.
    ///
    /// # Errors
    /// `Changed` when it is not, `NotGiven` when the bytes are others.
    fn finish(&mut self, digests: &Digests) -> Result<Vec<Attribute>, ObjectError>;
}

/// A folder or a bucket; read by several threads at once.
pub trait Source: Sync {
    /// The name under which its objects are known: a folder's NAME, `s3://bucket`.
    fn name(&self) -> &str;

    /// Where it is now.
    fn location(&self) -> &str;

    /// The endpoint or partition that stores it.
    fn store(&self) -> &str;

    /// The bucket that stands in an entry: a folder's NAME, a bucket's own.
    fn bucket(&self) -> &str;

    /// How many objects are read at once.
    fn workers(&self) -> usize;

    /// The beginning that all its keys share because it was asked for: empty for a folder.
    fn scope(&self) -> &str {
        ""
    }

    /// The folder on this machine that it is, if it is one.
    fn folder(&self) -> Option<&std::path::Path> {
        None
    }

    /// Where it is, with its scope, for people.
    fn shown(&self) -> String {
        self.location().to_owned()
    }

    /// Calls `each` with every object, ascending by key bytes, until it says no.
    ///
    /// # Errors
    /// Why the source cannot be listed.
    fn list(&self, each: &mut dyn FnMut(Listed) -> Next) -> Result<(), SourceError>;

    /// Whether it keeps versions, and can be asked for them.
    fn keeps_versions(&self) -> bool {
        false
    }

    /// Calls `each` with all versions of every key, ascending by key bytes, until it says no.
    ///
    /// # Errors
    /// Why they cannot be listed.
    fn versions(&self, _each: &mut dyn FnMut(Versions) -> Next) -> Result<(), SourceError> {
        Ok(())
    }

    /// Opens an object that was listed.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn open<'a>(&'a self, listed: &Listed) -> Result<Box<dyn ObjectReader + 'a>, ObjectError>;

    /// What the source says of a recording only if it is asked for by name; `said` is what it said unasked.
    ///
    /// # Errors
    /// Why nothing can be asked any more: a refusal is an answer.
    fn beside(&self, _: &Listed, _said: &[Attribute]) -> Result<Vec<Attribute>, ObjectError> {
        Ok(Vec::new())
    }

    /// Looks whether an object that was not listed is there all the same.
    ///
    /// # Errors
    /// Why that cannot be told.
    fn is_there(&self, key: &[u8]) -> Result<bool, ObjectError>;

    /// Tags, lock and hold of an object as they are now, as `beside` names them, where the source has such.
    /// `by_name`: each is asked for by itself, so that the absence of one is certain.
    ///
    /// # Errors
    /// Why they cannot be told.
    fn state(
        &self,
        _key: &[u8],
        _version: &str,
        _by_name: bool,
    ) -> Result<Option<Vec<Attribute>>, ObjectError> {
        Ok(None)
    }

    /// That nothing is there, where a source that never had anything says so.
    fn empty(&self) -> Option<SourceError> {
        None
    }

    /// Why nothing more is asked of it, if it was given up.
    fn given_up(&self) -> Option<SourceError> {
        None
    }

    /// What was noticed of the source as a whole.
    fn remarks(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// Whether a listing goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It does.
    More,
    /// It ends here.
    Stop,
}
