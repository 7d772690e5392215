//! The `produced` entry: what the exhibit says it shows (V19, V20; spec/exhibit.md).

use std::collections::{BTreeMap, BTreeSet};

use crate::body::Subject;
use crate::examine::{Kept, KindTag};
use crate::exhibit::Stop;
use crate::field::{FieldType, pointer_segment};
use crate::hash::Hash;
use crate::limits::{ITEM_PART_MAX, MANIFEST_BYTES_MAX};
use crate::narrow::decimal;
use crate::opening::VerifiedOpening;
use crate::reading::Reading;
use crate::step::Step;
use crate::verdict::Findings;

/// The bag files that a `produced` entry covers.
pub const COVERED: [&str; 4] = ["bag-info.txt", "bagit.txt", "fetch.txt", "manifest-sha256.txt"];

/// The values of an `item` list: the indices of one subject, in parts of at most 4,096.
pub fn item_parts(indices: &[u64]) -> impl Iterator<Item = String> {
    indices.chunks(ITEM_PART_MAX).map(|part| {
        let decimals: Vec<String> = part.iter().map(u64::to_string).collect();
        decimals.join(",")
    })
}

/// The `produced` entries that were seen.
#[derive(Default)]
pub(crate) struct Produced {
    seen: Vec<u64>,
    opening: Option<VerifiedOpening>,
}

impl Produced {
    pub(crate) fn entry(
        &mut self,
        index: u64,
        opening: Option<VerifiedOpening>,
        findings: &mut Findings,
    ) {
        self.seen.push(index);
        if let Some(opening) = &opening
            && opening.closed() > 0
        {
            let found = format!("{} closed", opening.closed());
            findings.contradicted(
                Step::Produced,
                &format!("entry {index}"),
                "every position opened",
                &found,
            );
        }
        self.opening = opening;
    }

    /// V19 and V20: exactly one, the last entry of the log, listing what is shown.
    pub(crate) fn judge(&self, size: Option<u64>, kept: &[Kept], findings: &mut Findings) {
        let found = format!("{:?}", self.seen);
        let [index] = self.seen.as_slice() else {
            let expected = "exactly one `produced` entry";
            return findings.contradicted(Step::Produced, "exhibit", expected, &found);
        };
        let item = format!("entry {index}");
        if let Some(size) = size {
            let expected = format!("a checkpoint of size {}", index.saturating_add(1));
            findings.check(
                index.checked_add(1) == Some(size),
                Step::Produced,
                &item,
                &expected,
                &size.to_string(),
            );
        }
        let Some(opening) = &self.opening else {
            let expected = "an opening that agrees with it";
            return findings.contradicted(Step::Produced, &item, expected, "none");
        };
        let listed = match items(opening) {
            Ok(listed) => listed,
            Err(field) => {
                let expected = "items /<subject>/<part> of ascending indices";
                return findings.contradicted(Step::Items, &item, expected, &field);
            }
        };
        let mut shown: BTreeMap<Subject, Vec<u64>> = BTreeMap::new();
        for kept in kept {
            if let Some(subject) = kept.subject {
                shown.entry(subject).or_default().push(kept.index);
            }
        }
        let unread = |index: &u64| {
            let place = kept.binary_search_by_key(index, |kept| kept.index).ok();
            let kept = place.and_then(|place| kept.get(place));
            kept.is_some_and(|kept| kept.kind == KindTag::Unreadable)
        };
        let mut listed = listed;
        for indices in listed.values_mut() {
            indices.retain(|index| !unread(index));
        }
        listed.retain(|_, indices| !indices.is_empty());
        let subjects: BTreeSet<&Subject> = listed.keys().chain(shown.keys()).collect();
        for subject in subjects {
            let text = |indices: Option<&Vec<u64>>| {
                indices.map_or_else(|| "none".to_owned(), |i| format!("{i:?}"))
            };
            let (expected, found) = (listed.get(subject), shown.get(subject));
            let item = format!("subject {subject}");
            let expected_text = format!("entries {}", text(expected));
            findings.check(expected == found, Step::Items, &item, &expected_text, &text(found));
        }
    }

    /// V19: the bag's files have the digests that it states.
    pub(crate) fn covers(
        &self,
        reading: &mut Reading<'_>,
        findings: &mut Findings,
    ) -> Result<(), Stop> {
        let Some(opening) = &self.opening else { return Ok(()) };
        for path in COVERED {
            let pointer = pointer_segment(path);
            let field = opening
                .fields()
                .find(|field| field.value.source == "produced" && field.value.pointer == pointer);
            let stated = field.map(|field| (field.value.field_type, field.value.value.as_str()));
            let mut digest = None;
            if reading.package.files().contains(path) {
                let bytes = reading.load(path, MANIFEST_BYTES_MAX, Step::Produced)?;
                digest = bytes.map(|bytes| Hash::of(&[&bytes]).to_string());
            }
            let holds = match (stated, &digest) {
                (Some((FieldType::String, stated)), Some(found)) => stated == found,
                (Some((FieldType::Null, _)), None) => path == "fetch.txt",
                _ => false,
            };
            let expected =
                stated.map_or_else(|| "a digest in it".to_owned(), |(_, value)| value.to_owned());
            findings.check(
                holds,
                Step::Produced,
                path,
                &expected,
                digest.as_deref().unwrap_or("no file"),
            );
        }
        Ok(())
    }
}

/// The indices that a `produced` entry lists for each subject; the field that breaks its form.
fn items(opening: &VerifiedOpening) -> Result<BTreeMap<Subject, Vec<u64>>, String> {
    let mut parts: BTreeMap<Subject, BTreeMap<u64, Vec<u64>>> = BTreeMap::new();
    for field in opening.fields().filter(|field| field.value.source == "item") {
        let refused = || format!("{}: {}", field.value.pointer, field.value.value);
        let (subject, part) = field
            .value
            .pointer
            .strip_prefix('/')
            .and_then(|p| p.split_once('/'))
            .ok_or_else(refused)?;
        let subject = Subject::from_hex(subject).ok_or_else(refused)?;
        let part = decimal(part).ok_or_else(refused)?;
        let indices: Option<Vec<u64>> = field.value.value.split(',').map(decimal).collect();
        let indices =
            indices.filter(|indices| indices.len() <= ITEM_PART_MAX).ok_or_else(refused)?;
        if field.value.field_type != FieldType::String {
            return Err(refused());
        }
        parts.entry(subject).or_default().insert(part, indices);
    }
    let mut listed = BTreeMap::new();
    for (subject, parts) in parts {
        let in_row = parts.keys().copied().eq(0..parts.len() as u64);
        let indices: Vec<u64> = parts.into_values().flatten().collect();
        if !in_row || !indices.is_sorted_by(|a, b| a < b) {
            return Err(format!("/{subject}"));
        }
        listed.insert(subject, indices);
    }
    Ok(listed)
}
