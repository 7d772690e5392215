//! What was seen of many objects: one line each, and the root over them (spec E25, E29).

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::json::write_string;
use unbroken_evidence::tree::{Edge, leaf_hash};

use crate::disposition::Disposition;
use crate::source::{Listed, key_text};

const LINES_PER_PART: u64 = 4_096;

/// Lines and the root over them; packed, so that those of a million objects stay small.
struct Lines {
    /// The first line of each leaf's data.
    form: &'static str,
    edge: Edge,
    open: Vec<u8>,
    parts: Vec<Vec<u8>>,
}

impl Lines {
    fn of(form: &'static str) -> Self {
        Self { form, edge: Edge::default(), open: Vec::new(), parts: Vec::new() }
    }

    fn append(&mut self, line: &[u8]) {
        self.edge.push(leaf_hash(&[self.form.as_bytes(), b"\n", line].concat()));
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
    fn finish(mut self) -> (u64, Hash, Vec<Vec<u8>>) {
        if !self.open.is_empty() {
            self.close_part();
        }
        (self.edge.size(), self.edge.root(), self.parts)
    }
}

/// The listing of a run: takes dispositions in any order and lines in the listing's own.
pub(crate) struct Listing {
    lines: Lines,
    /// Lines that wait for one before them.
    waiting: BTreeMap<u64, Vec<u8>>,
}

impl Default for Listing {
    fn default() -> Self {
        Self { lines: Lines::of("unbroken/listed@v1"), waiting: BTreeMap::new() }
    }
}

impl Listing {
    /// The object at `place` ended as `disposition`.
    pub(crate) fn put(&mut self, place: u64, listed: &Listed, disposition: Disposition) {
        let size = listed.size.to_string();
        let key = key_text(&listed.key);
        let Listed { version, etag, modified, .. } = listed;
        let parts: [&str; 6] = [&key, version, etag, &size, modified, disposition.text()];
        self.waiting.insert(place, line(&parts));
        while let Some(line) = self.waiting.remove(&self.lines.edge.size()) {
            self.lines.append(&line);
        }
    }

    /// The number of lines, the root over them, and the packed parts.
    ///
    /// Where a run was stopped, nothing is said of some objects: the lines after them follow.
    pub(crate) fn finish(mut self) -> (u64, Hash, Vec<Vec<u8>>) {
        for (_, line) in std::mem::take(&mut self.waiting) {
            self.lines.append(&line);
        }
        self.lines.finish()
    }
}

/// What an audit of objects found, one line an object (spec E29).
pub(crate) struct Results(Lines);

impl Default for Results {
    fn default() -> Self {
        Self(Lines::of("unbroken/audited@v1"))
    }
}

impl Results {
    /// An object that was sealed in the entry at `index` was found so.
    pub(crate) fn put(&mut self, source: &str, key: &[u8], index: u64, found: &str) {
        self.0.append(&line(&[source, &key_text(key), &index.to_string(), found]));
    }

    /// The number of lines, the root over them, and the packed parts.
    pub(crate) fn finish(self) -> (u64, Hash, Vec<Vec<u8>>) {
        self.0.finish()
    }
}

/// RFC 8785 array of strings, and LF.
fn line(parts: &[&str]) -> Vec<u8> {
    let mut line = String::from("[");
    for (place, part) in parts.iter().enumerate() {
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
