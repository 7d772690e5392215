//! Every version of every object of a bucket, and the markers that hide objects, key after key. A server may
//! break the rules of listing here too ([`super::listing`]): each page must lead on.

use std::collections::HashSet;

use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{DeleteMarkerEntry, EncodingType, ObjectVersion, OptionalObjectAttributes};
use unbroken_container::s3::{Bounded, Failure, decoded};
use unbroken_evidence::error::printable_bytes;

use super::listing::{FRUITLESS_MAX, LIES, in_archive};
use super::{S3Source, time};
use crate::error::{ObjectError, SourceError};
use crate::source::{Listed, Next, Version, Versions};

/// Versions of one key that are looked at: the newest.
const VERSIONS_MAX: usize = 10_000;

/// What the credentials need for it.
const NEEDS: &str = "the credentials need s3:ListBucketVersions on this bucket, and s3:GetObjectVersion on its objects";

/// Where the next page begins: behind this key, or behind this version of it.
pub(super) type Marker = (Option<String>, Option<String>);

/// A listing on its way; what it says of a server that leads it nowhere is why it ends.
#[derive(Default)]
struct Walk {
    prefix: String,
    /// The key whose versions are listed, and those so far, the newest first.
    key: Vec<u8>,
    versions: Vec<Version>,
    /// Their ids.
    ids: HashSet<String>,
    left_out: u64,
    fruitless: u32,
}

pub(super) fn list(
    source: &S3Source,
    each: &mut dyn FnMut(Versions) -> Next,
) -> Result<(), SourceError> {
    let mut walk = Walk { prefix: source.prefix.clone(), ..Walk::default() };
    let mut from = Marker::default();
    let lies = |why: String| source.error(&why, LIES);
    loop {
        let answer = match page(source, &from) {
            // Whoever stopped it knows.
            Err(Failure::Stopped) => return Ok(()),
            answer => answer.map_err(|failure| source.refused(&failure, NEEDS))?,
        };
        for version in of_page(&answer) {
            let complete = walk.take(version).map_err(lies)?;
            if complete.is_some_and(|versions| each(versions) == Next::Stop) {
                return Ok(());
            }
        }
        match walk.next(&from, &answer).map_err(lies)? {
            Some(next) => from = next,
            None => break,
        }
    }
    if !walk.versions.is_empty() {
        each(walk.finish());
    }
    Ok(())
}

pub(super) fn page(
    source: &S3Source,
    (key, version): &Marker,
) -> Result<ListObjectVersionsOutput, Failure> {
    let s3 = &source.connection.s3;
    source.connection.runtime.block_on(s3.insist(|| {
        s3.client
            .list_object_versions()
            .bucket(&source.bucket)
            .prefix(&source.prefix)
            // Keys may hold what XML cannot.
            .encoding_type(EncodingType::Url)
            .optional_object_attributes(OptionalObjectAttributes::RestoreStatus)
            .set_key_marker(key.clone())
            .set_version_id_marker(version.clone())
            .set_request_payer(s3.request_payer.clone())
            .customize()
            .interceptor(Bounded)
            .send()
    }))
}

/// The versions and markers of a page, by key, the newest first. S3 gives them in that order, the SDK in two
/// lists; of what was written in the same second only the latest is certain, and a marker hides what was there.
fn of_page(page: &ListObjectVersionsOutput) -> Vec<Version> {
    let is_encoded = page.encoding_type() == Some(&EncodingType::Url);
    let key = |key: Option<&str>| match key.unwrap_or_default().as_bytes() {
        key if is_encoded => decoded(key),
        key => key.to_vec(),
    };
    let versions = page.versions().iter().map(|version| of_version(version, key(version.key())));
    let markers = page.delete_markers().iter().map(|marker| of_marker(marker, key(marker.key())));
    let mut all: Vec<Version> = versions.chain(markers).collect();
    all.sort_by(|a, b| {
        a.listed.key.cmp(&b.listed.key).then_with(|| {
            let newest = |v: &Version| (v.is_latest, v.listed.modified.clone(), v.is_marker);
            newest(b).cmp(&newest(a))
        })
    });
    all
}

fn of_version(version: &ObjectVersion, key: Vec<u8>) -> Version {
    let etag = version.e_tag().unwrap_or_default().to_owned();
    let size = u64::try_from(version.size().unwrap_or(0)).unwrap_or(0);
    let modified = version.last_modified().map(time).unwrap_or_default();
    let stamp = format!("{size}\n{etag}\n{modified}").into_bytes();
    let class = version.storage_class().map(|class| class.as_str());
    let not_readable = class.and_then(|class| in_archive(class, version.restore_status()));
    let version_id = version.version_id().unwrap_or_default().to_owned();
    Version {
        listed: Listed { key, version: version_id, etag, size, modified, stamp, not_readable },
        is_marker: false,
        is_latest: version.is_latest().unwrap_or(false),
        is_followed: false,
    }
}

fn of_marker(marker: &DeleteMarkerEntry, key: Vec<u8>) -> Version {
    Version {
        listed: Listed {
            key,
            version: marker.version_id().unwrap_or_default().to_owned(),
            etag: String::new(),
            size: 0,
            modified: marker.last_modified().map(time).unwrap_or_default(),
            stamp: Vec::new(),
            not_readable: Some(ObjectError::Irregular("a delete marker")),
        },
        is_marker: true,
        is_latest: marker.is_latest().unwrap_or(false),
        is_followed: false,
    }
}

impl Walk {
    /// Takes a version in; gives those of the key before it, where that is complete now.
    fn take(&mut self, version: Version) -> Result<Option<Versions>, String> {
        let Listed { key, version: id, .. } = &version.listed;
        if !key.starts_with(self.prefix.as_bytes()) || *key < self.key {
            let (key, last) = (printable_bytes(key), printable_bytes(&self.key));
            return Err(format!("the server lists versions of {key} behind those of {last}"));
        }
        let is_next = *key != self.key;
        if !is_next && self.ids.contains(id) {
            return Err(format!("the server lists a version of {} twice", printable_bytes(key)));
        }
        let complete = (is_next && !self.versions.is_empty()).then(|| self.finish());
        if is_next {
            self.key = key.clone();
        }
        self.ids.insert(id.clone());
        match self.versions.len() < VERSIONS_MAX {
            true => self.versions.push(version),
            false => self.left_out += 1,
        }
        Ok(complete)
    }

    fn finish(&mut self) -> Versions {
        let mut list = std::mem::take(&mut self.versions);
        let mut is_followed = false;
        for version in &mut list {
            version.is_followed = is_followed;
            is_followed |= !version.is_marker;
        }
        list.reverse();
        self.ids.clear();
        Versions { list, left_out: std::mem::take(&mut self.left_out) }
    }

    /// Where the next page begins; `None` where this was the last.
    fn next(
        &mut self,
        from: &Marker,
        answer: &ListObjectVersionsOutput,
    ) -> Result<Option<Marker>, String> {
        let given = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
        let is_encoded = answer.encoding_type() == Some(&EncodingType::Url);
        let key = given(answer.next_key_marker());
        let key = key.map(|key| match is_encoded {
            true => String::from_utf8_lossy(&decoded(key.as_bytes())).into_owned(),
            false => key,
        });
        let next = (key, given(answer.next_version_id_marker()));
        if !answer.is_truncated().unwrap_or_else(|| next.0.is_some()) {
            return Ok(None);
        }
        let is_empty = answer.versions().is_empty() && answer.delete_markers().is_empty();
        self.fruitless = if is_empty { self.fruitless + 1 } else { 0 };
        if next.0.is_none() || next == *from || self.fruitless > FRUITLESS_MAX {
            return Err(
                "the server says that more versions follow, and gives no way to go on".to_owned()
            );
        }
        Ok(Some(next))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::primitives::DateTime;

    use super::*;

    fn version(key: &str, id: &str, second: i64) -> ObjectVersion {
        let modified = DateTime::from_secs(second);
        let version = ObjectVersion::builder().key(key).version_id(id).last_modified(modified);
        version.size(7).is_latest(id == "latest").build()
    }

    fn marker(key: &str, id: &str, second: i64) -> DeleteMarkerEntry {
        let marker = DeleteMarkerEntry::builder().key(key).version_id(id);
        marker.last_modified(DateTime::from_secs(second)).is_latest(id == "latest").build()
    }

    /// What pages give, one after the other: keys with their versions, or why it ends.
    fn walked(pages: &[ListObjectVersionsOutput]) -> Result<Vec<String>, String> {
        let mut walk = Walk { prefix: "org/".to_owned(), ..Walk::default() };
        let (mut given, mut from) = (Vec::new(), Marker::default());
        let shown = |versions: Versions| {
            let ids = versions.list.iter().map(|version| version.listed.version.as_str());
            let key = versions.list.first().map(|version| version.listed.key.clone());
            let key = String::from_utf8_lossy(&key.unwrap_or_default()).into_owned();
            format!("{key}: {}", ids.collect::<Vec<_>>().join(" "))
        };
        for page in pages.iter().cycle().take(100) {
            for version in of_page(page) {
                given.extend(walk.take(version)?.map(shown));
            }
            match walk.next(&from, page)? {
                Some(next) => from = next,
                None => {
                    given.push(shown(walk.finish()));
                    return Ok(given);
                }
            }
        }
        Err("it does not end".to_owned())
    }

    fn page()
    -> aws_sdk_s3::operation::list_object_versions::builders::ListObjectVersionsOutputBuilder {
        ListObjectVersionsOutput::builder().is_truncated(true)
    }

    #[test]
    fn the_versions_of_a_key_are_given_together_the_oldest_first() {
        let first = page()
            .versions(version("org/a", "latest", 30))
            .versions(version("org/a", "one", 10))
            .delete_markers(marker("org/a", "hidden", 20))
            .versions(version("org/b", "two", 50))
            .delete_markers(marker("org/b", "latest", 50))
            .next_key_marker("org/b")
            .next_version_id_marker("two");
        let second = page()
            .versions(version("org/b", "one", 40))
            .versions(version("org/c", "latest", 1))
            .is_truncated(false);
        assert_eq!(
            walked(&[first.build(), second.build()]).unwrap(),
            ["org/a: one hidden latest", "org/b: one two latest", "org/c: latest"]
        );
    }

    #[test]
    fn a_server_that_leads_nowhere_is_left() {
        let one = || page().versions(version("org/a", "latest", 30));
        let leads_on = |key: &str| one().next_key_marker(key).next_version_id_marker("latest");
        let nothing = |n: usize| page().next_key_marker(format!("org/{n}")).build();
        let nothing: Vec<_> = (0..100).map(nothing).collect();
        for (pages, why) in [
            (vec![one().build()], "gives no way to go on"),
            (vec![leads_on("org/a").build()], "twice"),
            (vec![leads_on("org/a").build(), leads_on("org/b").build()], "twice"),
            (vec![page().versions(version("other/a", "latest", 1)).build()], "behind those of"),
            (nothing, "gives no way to go on"),
            (
                vec![
                    leads_on("org/a").build(),
                    page().versions(version("org/B", "latest", 1)).is_truncated(false).build(),
                ],
                "behind those of",
            ),
        ] {
            let said = walked(&pages).unwrap_err();
            assert!(said.contains(why), "{why}: {said}");
        }
    }
}
