//! The names of the fields that this project itself commits to (spec/fields.md, "Sources").

/// Digests and size of the stored bytes.
pub mod content {
    /// The source.
    pub const SOURCE: &str = "content";
    /// SHA-256 of the stored bytes.
    pub const SHA256: &str = "/sha256";
    /// BLAKE3 of the stored bytes.
    pub const BLAKE3: &str = "/blake3";
    /// The number of stored bytes.
    pub const SIZE: &str = "/size";
    /// Every one of them.
    pub const ALL: [&str; 3] = [SHA256, BLAKE3, SIZE];
}

/// Where the bytes were.
pub mod object {
    /// The source.
    pub const SOURCE: &str = "object";
    /// The kind of store.
    pub const STORE: &str = "/store";
    /// The kind of store that a folder is; every other one is a bucket's.
    pub const FOLDER: &str = "folder";
    /// The bucket, or the name of a folder's source.
    pub const BUCKET: &str = "/bucket";
    /// The object's key.
    pub const KEY: &str = "/key";
    /// The object's version.
    pub const VERSION: &str = "/version";
    /// That it was not the current version when it was read.
    pub const NONCURRENT: &str = "/noncurrent";
    /// When the store says that it was last changed.
    pub const MODIFIED: &str = "/modified";
}

/// What the recording is called where it was made.
pub mod recording {
    /// The source.
    pub const SOURCE: &str = "recording";
    /// The conversation that it belongs to.
    pub const CONVERSATION: &str = "/conversation";
    /// Its own id.
    pub const ID: &str = "/id";
    /// The conversation, as the path says, where that is another.
    pub const PATH_CONVERSATION: &str = "/path/conversation";
    /// Its id, as the file's name says, where that is another.
    pub const PATH_ID: &str = "/path/id";
}

/// Objects that belong to the recording: pointers `/<n>/<name>`.
pub mod companion {
    /// The source.
    pub const SOURCE: &str = "companion";
    /// The object's key.
    pub const KEY: &str = "key";
    /// What it is to the recording.
    pub const ROLE: &str = "role";
    /// SHA-256 of its bytes.
    pub const SHA256: &str = "sha256";
    /// The number of its bytes.
    pub const SIZE: &str = "size";
    /// What its bucket calls its content: the MD5 of its bytes, as often as not.
    pub const ETAG: &str = "etag";
    /// The object's version.
    pub const VERSION: &str = "version";
}

/// When the collector read the bytes.
pub mod observed {
    /// The source.
    pub const SOURCE: &str = "observed";
    /// When it began.
    pub const START: &str = "/start";
    /// When it ended.
    pub const END: &str = "/end";
}

/// What was observed of an object after it was sealed.
pub mod observation {
    /// The source.
    pub const SOURCE: &str = "observation";
    /// What it is, in a word.
    pub const WHAT: &str = "/what";
    /// Why it was to be expected that the object is not there any more.
    pub const EXPECTED: &str = "/expected";
    /// The object is not there any more.
    pub const GONE: &str = "gone";
    /// It is there again.
    pub const BACK: &str = "back";
    /// Its tags, lock or hold are others than before.
    pub const CHANGED: &str = "changed";
    /// An earlier version of it, or of what belongs to it, was there.
    pub const VERSION: &str = "version";
    /// A marker hid it.
    pub const DELETE_MARKER: &str = "delete-marker";
}

/// An earlier version of an object, as its store lists it.
pub mod version {
    /// The source.
    pub const SOURCE: &str = "version";
    /// The kind of store.
    pub const STORE: &str = "/store";
    /// The bucket.
    pub const BUCKET: &str = "/bucket";
    /// The object's key.
    pub const KEY: &str = "/key";
    /// The version's id.
    pub const ID: &str = "/id";
    /// When it was written.
    pub const MODIFIED: &str = "/modified";
    /// Its ETag.
    pub const ETAG: &str = "/etag";
    /// The number of its bytes.
    pub const SIZE: &str = "/size";
    /// SHA-256 of its bytes.
    pub const SHA256: &str = "/sha256";
    /// Why its bytes were not read.
    pub const UNREAD: &str = "/unread";
    /// That bytes were written under the key behind it.
    pub const FOLLOWED: &str = "/followed";
}

/// Lock and legal hold, as the store says.
pub mod object_lock {
    /// The source.
    pub const SOURCE: &str = "object-lock";
    /// `ON` or `OFF`.
    pub const LEGAL_HOLD: &str = "/legal-hold";
}

/// Sealed objects that were read again.
pub mod audit {
    /// The source.
    pub const SOURCE: &str = "audit";
}

/// What a ledger cannot say.
pub mod gap {
    /// The source.
    pub const SOURCE: &str = "gap";
}

/// What the collector noticed: pointers `/<n>`.
pub mod finding {
    /// The source.
    pub const SOURCE: &str = "finding";
}

/// One run of the collector.
pub mod pass {
    /// The source.
    pub const SOURCE: &str = "pass";
    /// The first index that the run could seal.
    pub const FROM: &str = "/entries/from";
    /// The index behind the last one: that of the pass itself.
    pub const TO: &str = "/entries/to";
    /// Begins what the policy asks for and nobody could give, from 0 on.
    pub const REMARKS: &str = "/remarks/";
}

/// Values of the recording's own metadata file.
pub mod sidecar {
    /// The source, and the role of the companion that they come from.
    pub const SOURCE: &str = "sidecar";
    /// When the recording began.
    pub const START: &str = "/startTime";
    /// When it ended.
    pub const END: &str = "/endTime";
    /// How long it is, in milliseconds.
    pub const DURATION_MS: &str = "/durationMs";
}
