//! Holds what private.db keeps beside an opening against the entry: the object's row, its lookups, its
//! documents. What is wrong there makes a recording sealed twice, or not found when it is asked for.

use std::collections::{HashMap, HashSet};

use unbroken_evidence::body::Body;
use unbroken_evidence::disclosed::Disclosed;
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::opening::{Position, VerifiedOpening};

use crate::error::LedgerError;
use crate::private::{Document, Lookup, Private, Row, object_value};
use crate::row::Parts;
use crate::seal::own_lookups;
use crate::{asked, lookup};

const OBJECT_MISSING: &str = "the row of its object is missing";
const OBJECT_DIFFERS: &str = "the row of its object says something else than the entry";
const OBJECT_OF_NONE: &str = "there is an object, and the entry is about none";
const SOURCE_MISSING: &str = "the source of its object is missing";
const SOURCE_DIFFERS: &str = "its object's source has another name";
pub(crate) const DOCUMENT_DIFFERS: &str = "a document has other bytes than the entry commits to";
const LOOKUP_MISSING: &str = "a lookup is missing: it is not found by all that it says";

/// The lookups of one table at a time: entries are asked for in ascending index.
#[derive(Default)]
pub(crate) struct Lookups {
    table: Option<(u64, Vec<(u64, i64)>)>,
}

impl Lookups {
    /// The lookups that lead to the entry at `index`.
    pub(crate) fn of(&mut self, private: &Private, index: u64) -> Result<Vec<i64>, LedgerError> {
        let number = lookup::table_of(index);
        if self.table.as_ref().is_none_or(|(kept, _)| *kept != number) {
            self.table = Some((number, private.lookups(index)?));
        }
        let (_, rows) = self.table.get_or_insert_default();
        let from = rows.partition_point(|(of, _)| *of < index);
        let of_this = rows.iter().skip(from).take_while(|(of, _)| *of == index);
        Ok(of_this.map(|(_, prefix)| *prefix).collect())
    }
}

/// Compares rows, entry after entry, in ascending index.
pub(crate) struct Rows<'a> {
    private: &'a Private,
    sources: HashMap<i64, String>,
    lookups: Lookups,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(private: &'a Private) -> Result<Self, LedgerError> {
        let sources = private.sources()?.into_iter().map(|(id, name, _)| (id, name)).collect();
        Ok(Self { private, sources, lookups: Lookups::default() })
    }

    /// What is kept of the entry at `index` beside its opening, which was verified, and what is wrong with it.
    pub(crate) fn beside(
        &mut self,
        index: u64,
        entry: &UnverifiedEntry,
        opening: &VerifiedOpening,
    ) -> Result<(Row, Vec<&'static str>), LedgerError> {
        let lookups = self.lookups.of(self.private, index)?;
        let row = self.private.beside(index, lookups)?;
        let mut wrong = Parts::of(&row).differing(&self.private.parts(index)?);
        // The digests of the parts are kept beside them; the entry is not.
        if wrong.is_empty() {
            wrong.extend(self.against_the_entry(&row, entry, opening));
        }
        Ok((row, wrong))
    }

    /// What of a row is not as the entry says, by rows that agree with their own digests.
    fn against_the_entry(
        &self,
        row: &Row,
        entry: &UnverifiedEntry,
        opening: &VerifiedOpening,
    ) -> Option<&'static str> {
        let statement = entry.statement();
        let is_erased = is_erased(opening);
        let mut wanted = own_lookups(entry);
        if let Body::Recording(recording) = &statement.body {
            let disclosed = Disclosed::of(recording, Some(opening));
            let Some(object) = &row.object else {
                // Of what was erased nothing can be made again.
                return (!is_erased).then_some(OBJECT_MISSING);
            };
            let is_incomplete = recording.completeness.is_some_and(|c| !c.complete);
            let source = self.sources.get(&object.source);
            let agrees = disclosed.sha256().is_none_or(|sha256| sha256 == object.sha256)
                && Some(object.subject) == statement.subject
                && object.incomplete == is_incomplete
                && disclosed.object().key.as_ref().is_none_or(|key| *key == object.key);
            if !agrees {
                return Some(OBJECT_DIFFERS);
            }
            let Some(source) = source else { return (!is_erased).then_some(SOURCE_MISSING) };
            let bucket = disclosed.object().bucket.as_ref();
            if bucket.is_some_and(|b| source != b && source.strip_prefix("s3://") != Some(b)) {
                return Some(SOURCE_DIFFERS);
            }
            let digests: HashSet<Hash> =
                disclosed.companions().values().filter_map(|companion| companion.sha256).collect();
            let fits = |document: &Document| digests.contains(&Hash::of(&[&document.bytes]));
            if !disclosed.hides_companions() && !row.documents.iter().all(fits) {
                return Some(DOCUMENT_DIFFERS);
            }
            wanted.extend(recording_lookups(source, &object.key, &disclosed, opening));
        } else if row.object.is_some() {
            return Some(OBJECT_OF_NONE);
        }
        let is_found = |prefix: &i64| row.lookups.contains(prefix);
        (!is_erased && !wanted.iter().all(is_found)).then_some(LOOKUP_MISSING)
    }
}

/// Whether anything was taken out of an opening.
pub(crate) fn is_erased(opening: &VerifiedOpening) -> bool {
    let is_closed = |position: &Position| !matches!(position, Position::Shown(_));
    opening.opening().positions.iter().any(is_closed)
}

/// The lookups that a recording's opening asks for, where its object is of the source of this name.
pub(crate) fn recording_lookups(
    source: &str,
    key: &[u8],
    disclosed: &Disclosed,
    opening: &VerifiedOpening,
) -> Vec<i64> {
    let mut wanted = asked::lookups(opening.fields().map(|field| &field.value));
    let sha256 = disclosed.sha256().map(|sha256| sha256.to_string());
    wanted.extend(sha256.map(|hex| Lookup::Sha256.prefix(hex.as_bytes())));
    if disclosed.object().key.is_some() {
        wanted.push(Lookup::Object.prefix(&object_value(source, key)));
    }
    let names = disclosed.names();
    for (lookup, ids) in [
        (Lookup::Conversation, [&names.conversation, &names.path_conversation]),
        (Lookup::Recording, [&names.id, &names.path_id]),
    ] {
        wanted.extend(ids.into_iter().flatten().map(|id| lookup.prefix(id.as_bytes())));
    }
    wanted
}
