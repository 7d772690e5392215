//! Finds recordings by what people call them: lookups lead to entries, and the log and the openings confirm.

use std::collections::BTreeSet;

use unbroken_evidence::body::Subject;
use unbroken_evidence::vocabulary::recording;

use crate::error::LedgerError;
use crate::private::{Lookup, Private};
use crate::reader::LogReader;

/// What people call recordings by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called<'a> {
    /// The conversation that they belong to, as the metadata or the path says.
    Conversation(&'a str),
    /// The recording's own id, likewise.
    Recording(&'a str),
}

/// An opened value of an entry below the published size, if what private.db has is really of that entry.
///
/// # Errors
/// Those of log and private.db.
pub fn opened(
    reader: &mut LogReader,
    private: &Private,
    index: u64,
    source: &str,
    pointer: &str,
) -> Result<Option<String>, LedgerError> {
    if index >= reader.checkpoint().size {
        return Ok(None);
    }
    let entry = reader.entry(index)?;
    let opening = private.opening_of(index, &entry)?;
    Ok(opening.and_then(|opening| opening.value(source, pointer).map(str::to_owned)))
}

/// The recordings that are called so.
///
/// # Errors
/// Those of log and private.db.
pub fn subjects(
    reader: &mut LogReader,
    private: &Private,
    called: Called<'_>,
) -> Result<BTreeSet<Subject>, LedgerError> {
    let (lookup, pointers, name) = match called {
        Called::Conversation(id) => {
            (Lookup::Conversation, [recording::CONVERSATION, recording::PATH_CONVERSATION], id)
        }
        Called::Recording(id) => (Lookup::Recording, [recording::ID, recording::PATH_ID], id),
    };
    let mut found = BTreeSet::new();
    for index in private.find(lookup, name.as_bytes())? {
        for pointer in pointers {
            let said = opened(reader, private, index, recording::SOURCE, pointer)?;
            if said.as_deref() == Some(name) {
                found.extend(reader.entry(index)?.statement().subject);
            }
        }
    }
    Ok(found)
}

/// Every published entry about a recording, ascending.
///
/// # Errors
/// Those of log and private.db.
pub fn entries_about(
    reader: &mut LogReader,
    private: &Private,
    subject: Subject,
) -> Result<Vec<u64>, LedgerError> {
    let mut about = Vec::new();
    for index in private.find(Lookup::Subject, &subject.0)? {
        if index < reader.checkpoint().size
            && reader.entry(index)?.statement().subject == Some(subject)
        {
            about.push(index);
        }
    }
    Ok(about)
}
