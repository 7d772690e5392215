//! The listing of a run as it was seen: one line an object, and the root over them (spec E25).

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::json::write_string;
use unbroken_evidence::tree::{Edge, leaf_hash};

use crate::disposition::Disposition;
use crate::source::Listed;

const LINES_PER_PART: u64 = 4_096;

/// Takes dispositions in any order and lines in the listing's own; packed, so that a listing of
/// a million objects stays small.
#[derive(Default)]
pub(crate) struct Listing {
    edge: Edge,
    /// Lines that wait for one before them.
    waiting: BTreeMap<u64, Vec<u8>>,
    open: Vec<u8>,
    parts: Vec<Vec<u8>>,
}

impl Listing {
    /// The object at `place` ended as `disposition`.
    pub(crate) fn put(&mut self, place: u64, listed: &Listed, disposition: Disposition) {
        self.waiting.insert(place, line(listed, disposition.text()));
        while let Some(line) = self.waiting.remove(&self.edge.size()) {
            self.append(&line);
        }
    }

    fn append(&mut self, line: &[u8]) {
        self.edge.push(leaf_hash(&[b"unbroken/listed@v1\n", line].concat()));
        self.open.extend_from_slice(line);
        if self.edge.size().is_multiple_of(LINES_PER_PART) {
            self.close_part();
        }
    }

    fn close_part(&mut self) {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        let lines = std::mem::take(&mut self.open);
        // Writing to memory does not fail.
        let packed = encoder.write_all(&lines).and_then(|()| encoder.finish());
        self.parts.push(packed.unwrap_or(lines));
    }

    /// The number of lines, the root over them, and the packed parts.
    ///
    /// Where a run was stopped, nothing is said of some objects: the lines after them follow.
    pub(crate) fn finish(mut self) -> (u64, Hash, Vec<Vec<u8>>) {
        for (_, line) in std::mem::take(&mut self.waiting) {
            self.append(&line);
        }
        if !self.open.is_empty() {
            self.close_part();
        }
        (self.edge.size(), self.edge.root(), self.parts)
    }
}

/// RFC 8785 array of six strings, and LF. A key that is not UTF-8 stands with its bytes escaped.
fn line(listed: &Listed, disposition: &str) -> Vec<u8> {
    let key = match std::str::from_utf8(&listed.key) {
        Ok(key) => key.to_owned(),
        Err(_) => listed.key.escape_ascii().to_string(),
    };
    let size = listed.size.to_string();
    let parts = [&key, &listed.version, &listed.etag, &size, &listed.modified, disposition];
    let mut line = String::from("[");
    for (place, part) in parts.into_iter().enumerate() {
        if place > 0 {
            line.push(',');
        }
        write_string(part, &mut line);
    }
    line.push_str("]\n");
    line.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: E25
    #[test]
    fn the_root_is_over_the_lines_in_the_order_of_the_listing() {
        let listed = |key: &str| Listed {
            key: key.into(),
            version: String::new(),
            etag: "\"e\"".into(),
            size: 3,
            modified: "2026-11-20T07:00:00.123Z".into(),
            stamp: vec![],
            not_readable: None,
        };
        let mut listing = Listing::default();
        for place in [2, 0, 1] {
            listing.put(place, &listed(&format!("k{place}")), Disposition::Sealed);
        }
        let expected = unbroken_evidence::tree::root((0..3).map(|place| {
            let line = format!(
                "[\"k{place}\",\"\",\"\\\"e\\\"\",\"3\",\"2026-11-20T07:00:00.123Z\",\"sealed\"]\n"
            );
            leaf_hash(format!("unbroken/listed@v1\n{line}").as_bytes())
        }));
        let (count, root, parts) = listing.finish();
        assert_eq!((count, root, parts.len()), (3, expected, 1));
    }
}
