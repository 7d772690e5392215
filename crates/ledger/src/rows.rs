//! Holds what private.db keeps beside an opening against the entry: the object's row, its lookups, its
//! documents. What is wrong there makes a recording sealed twice, or not found when it is asked for.

use std::collections::{HashMap, HashSet};

use unbroken_evidence::body::{Body, Recording};
use unbroken_evidence::entry::Statement;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::opening::{Opening, VerifiedOpening};

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
        let sha256 = recording
            .content
            .sha256
            .or_else(|| Hash::from_hex(opening.value("content", "/sha256")?));
        match self.private.object(index)? {
            None => wrong("the row of its object is missing"),
            Some(object) => {
                let is_incomplete = recording.completeness.is_some_and(|c| !c.complete);
                let key = opening.opening().field("object", "/key").map(|f| f.value.to_bytes());
                let agrees = sha256.is_none_or(|sha256| sha256 == object.sha256)
                    && Some(object.subject) == statement.subject
                    && object.incomplete == is_incomplete
                    && key.is_none_or(|key| key == object.key);
                if !agrees {
                    wrong("the row of its object says something else than the entry");
                }
                let wanted = self.wanted(&object, statement, opening.opening(), recording);
                let known = self.table(index)?;
                if wanted.iter().any(|prefix| !known.contains(&(*prefix, index))) {
                    wrong("a lookup is missing: it is not found by all that it says");
                }
            }
        }
        let companions: HashSet<&str> = opening
            .fields()
            .filter(|field| field.value.source == "companion")
            .map(|field| field.value.value.as_str())
            .collect();
        for document in self.private.documents(index)? {
            let sha256 = Hash::of(&[&document.bytes]).to_string();
            if opening.closed() == 0 && !companions.contains(sha256.as_str()) {
                wrong("a document has other bytes than the entry commits to");
            }
        }
        Ok(found)
    }

    fn wanted(
        &self,
        object: &ObjectState,
        statement: &Statement,
        opening: &Opening,
        recording: &Recording,
    ) -> Vec<i64> {
        let mut wanted: Vec<i64> = Vec::new();
        let clear = recording.content.sha256.map(|sha256| sha256.to_string());
        let sha256 = clear.as_deref().or_else(|| opening.value("content", "/sha256"));
        wanted.extend(sha256.map(|hex| Lookup::Sha256.prefix(hex.as_bytes())));
        wanted.extend(statement.subject.map(|subject| Lookup::Subject.prefix(&subject.0)));
        if let (Some(source), Some(_)) =
            (self.sources.get(&object.source), opening.field("object", "/key"))
        {
            wanted.push(Lookup::Object.prefix(&object_value(source, &object.key)));
        }
        for (lookup, pointers) in [
            (Lookup::Conversation, ["/conversation", "/path/conversation"]),
            (Lookup::Recording, ["/id", "/path/id"]),
        ] {
            let ids =
                pointers.into_iter().filter_map(|pointer| opening.value("recording", pointer));
            wanted.extend(ids.map(|id| lookup.prefix(id.as_bytes())));
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
