//! Holds what private.db keeps beside an opening against the entry: the object's row, its lookups, its
//! documents. What is wrong there makes a recording sealed twice, or not found when it is asked for.

use std::collections::{HashMap, HashSet};

use unbroken_evidence::body::Body;
use unbroken_evidence::disclosed::Disclosed;
use unbroken_evidence::entry::Statement;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::opening::VerifiedOpening;

use crate::error::LedgerError;
use crate::lookup;
use crate::private::{Lookup, ObjectState, Private, object_value};

/// Compares rows, entry after entry, in ascending index.
pub(crate) struct Rows<'a> {
    private: &'a Private,
    sources: HashMap<i64, String>,
    /// The lookups of one table, and which one it is.
    table: Option<(u64, HashSet<(i64, u64)>)>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(private: &'a Private) -> Result<Self, LedgerError> {
        let sources = private.sources()?.into_iter().map(|(id, name, _)| (id, name)).collect();
        Ok(Self { private, sources, table: None })
    }

    /// What is wrong with the rows of the entry at `index`, whose opening was verified.
    pub(crate) fn differences(
        &mut self,
        index: u64,
        statement: &Statement,
        opening: &VerifiedOpening,
    ) -> Result<Vec<String>, LedgerError> {
        let Body::Recording(recording) = &statement.body else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let mut wrong = |what: &str| found.push(format!("entry {index}: in private.db {what}"));
        let disclosed = Disclosed::of(recording, Some(opening));
        match self.private.object(index)? {
            None => wrong("the row of its object is missing"),
            Some(object) => {
                let is_incomplete = recording.completeness.is_some_and(|c| !c.complete);
                let agrees = disclosed.sha256().is_none_or(|sha256| sha256 == object.sha256)
                    && Some(object.subject) == statement.subject
                    && object.incomplete == is_incomplete
                    && disclosed.object().key.as_ref().is_none_or(|key| *key == object.key);
                if !agrees {
                    wrong("the row of its object says something else than the entry");
                }
                let wanted = self.wanted(&object, statement, &disclosed);
                let known = self.table(index)?;
                if wanted.iter().any(|prefix| !known.contains(&(*prefix, index))) {
                    wrong("a lookup is missing: it is not found by all that it says");
                }
            }
        }
        let digests: HashSet<Hash> =
            disclosed.companions().values().filter_map(|companion| companion.sha256).collect();
        for document in self.private.documents(index)? {
            let sha256 = Hash::of(&[&document.bytes]);
            if !disclosed.hides_companions() && !digests.contains(&sha256) {
                wrong("a document has other bytes than the entry commits to");
            }
        }
        Ok(found)
    }

    fn wanted(
        &self,
        object: &ObjectState,
        statement: &Statement,
        disclosed: &Disclosed,
    ) -> Vec<i64> {
        let mut wanted: Vec<i64> = Vec::new();
        let sha256 = disclosed.sha256().map(|sha256| sha256.to_string());
        wanted.extend(sha256.map(|hex| Lookup::Sha256.prefix(hex.as_bytes())));
        wanted.extend(statement.subject.map(|subject| Lookup::Subject.prefix(&subject.0)));
        if let (Some(source), Some(_)) = (self.sources.get(&object.source), &disclosed.object().key)
        {
            wanted.push(Lookup::Object.prefix(&object_value(source, &object.key)));
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

    /// The lookups of the table that the entry at `index` belongs to.
    fn table(&mut self, index: u64) -> Result<&HashSet<(i64, u64)>, LedgerError> {
        let number = lookup::table_of(index);
        if self.table.as_ref().is_none_or(|(kept, _)| *kept != number) {
            self.table = Some((number, self.private.lookups(index)?));
        }
        let (_, rows) = self.table.get_or_insert_default();
        Ok(rows)
    }
}
