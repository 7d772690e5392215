//! Every limit that this crate puts on what it reads, in one place.
//!
//! A limit is checked before memory is allocated for what it bounds.

/// Bytes of an entry's text: both lines with their line feeds.
pub const ENTRY_TEXT_BYTES_MAX: usize = 16_384;
/// Bytes of a signed note of any kind, signature lines included.
pub const NOTE_BYTES_MAX: usize = 1 << 20;
/// Bytes of an entry as a whole: what a bundle of the published log can hold.
pub const ENTRY_BYTES_MAX: usize = BUNDLE_ENTRY_BYTES_MAX;
/// Signature lines of a note (the reference implementation in Go takes as many).
pub const NOTE_SIGNATURES_MAX: usize = 100;
/// Nesting of an entry's JSON; the whole object is 1, scalars add none.
pub const ENTRY_DEPTH_MAX: usize = 6;
/// Members of an array in an entry's JSON; at least 1.
pub const ENTRY_ARRAY_MAX: usize = 64;
/// The largest integer of an entry's JSON: 2^53 - 1.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;
/// Hash lines of a proof: a tree cannot be deeper.
pub const PROOF_HASHES_MAX: usize = 63;
/// Bytes of a `.tlog-proof` file.
pub const PROOF_BYTES_MAX: usize = NOTE_BYTES_MAX + 4_096;
/// Fields of one entry, pads included.
pub const FIELDS_MAX: u64 = 1 << 17;
/// Bytes of a field's value; above it the value's SHA-256 stands in its place.
pub const FIELD_VALUE_BYTES_MAX: usize = 65_536;
/// Bytes of an opening.
pub const OPENING_BYTES_MAX: usize = 32 << 20;
/// Bytes of a JSON document that becomes fields.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;
/// Leaves of a JSON document that becomes fields.
pub const DOCUMENT_LEAVES_MAX: usize = 4_096;
/// Bytes of the pointers of a JSON document that becomes fields, together.
pub const DOCUMENT_POINTER_BYTES_MAX: usize = 1 << 20;
/// Nesting of a JSON document that becomes fields.
pub const DOCUMENT_DEPTH_MAX: usize = 64;
/// Nesting of any other JSON that this crate reads.
pub const JSON_DEPTH_MAX: usize = 64;
/// Bytes of a manifest or a tag manifest.
pub const MANIFEST_BYTES_MAX: usize = EXHIBIT_FILES_MAX * (64 + 2 + PATH_BYTES_MAX + 1);
/// Bytes of a `fetch.txt`.
pub const FETCH_BYTES_MAX: usize = 16 << 20;
/// Bytes of `bagit.txt` and `bag-info.txt`.
pub const BAG_INFO_BYTES_MAX: usize = 4_096;
/// Characters of one segment of a path in an exhibit.
pub const PATH_SEGMENT_CHARS_MAX: usize = 80;
/// Bytes of a path in an exhibit; the longest that has a place is shorter.
pub const PATH_BYTES_MAX: usize = 112;
/// Files of an exhibit: what a verifier can hold in memory together with everything else.
pub const EXHIBIT_FILES_MAX: usize = 300_000;
/// Recordings and companions that the entries of an exhibit commit to.
pub const COMMITMENTS_MAX: usize = 500_000;
/// Entries that may commit to one packed file: each costs a second hash over its bytes.
pub const BLOCK_TREES_MAX: usize = 64;
/// Bytes of an entry in a published log's bundle (C2SP tlog-tiles).
pub const BUNDLE_ENTRY_BYTES_MAX: usize = 65_535;
/// Bytes of an entry bundle: 256 entries with their lengths.
pub const BUNDLE_BYTES_MAX: usize = 256 * (2 + BUNDLE_ENTRY_BYTES_MAX);
/// Indices in one part of a `produced` entry's list of a subject.
pub const ITEM_PART_MAX: usize = 4_096;
