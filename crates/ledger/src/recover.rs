//! Holds store, published log, head copy and private.db against each other when a ledger is opened.

use std::path::Path;

use unbroken_evidence::body::Role;
use unbroken_evidence::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::limits::NOTE_BYTES_MAX;
use unbroken_evidence::tree::{Edge, empty_root};

use crate::error::LedgerError;
use crate::head::Head;
use crate::keys::{Keys, must_be_added};
use crate::place::{init_mark, store_folder};
use crate::private::Private;
use crate::publish::{Published, stored};
use crate::reader::{log_folder, read};
use crate::remembered;
use crate::store::Store;

/// What a ledger goes on from.
pub(crate) struct Recovered {
    pub(crate) head: Head,
    pub(crate) origin: String,
    pub(crate) signed: (Edge, Vec<u8>),
    pub(crate) published: Published,
}

/// What knows a head outside the ledger.
pub(crate) struct Elsewhere<'a> {
    pub(crate) head_copy: Option<&'a Path>,
    /// The folder of what this machine remembers.
    pub(crate) memory: Option<&'a Path>,
}

/// Compares everything that knows a head, then removes from private.db what a crash left half done.
pub(crate) fn check(
    folder: &Path,
    store: &dyn Store,
    private: &mut Private,
    keys: &Keys,
    elsewhere: &Elsewhere<'_>,
) -> Result<Recovered, LedgerError> {
    let broken = |source| LedgerError::Store { path: store_folder(folder), source };
    let head = store.head().map_err(broken)?.unwrap_or_default();
    let published = checkpoint(&log_folder(folder).join("checkpoint"), keys)?;
    let copied = elsewhere.head_copy.map(|path| checkpoint(path, keys)).transpose()?.flatten();
    let recalled = elsewhere.memory.and_then(|f| remembered::recall(f, keys.log.verifier()));
    let check = Check { folder, store, head: &head };
    check.private(private)?;
    if let Some((_, claims)) = &published {
        check.witness("the published log", claims)?;
    }
    if let Some((_, claims)) = &copied {
        check.witness("the head copy", claims)?;
    }
    if let Some(claims) = &recalled {
        check.witness(remembered::WITNESS, claims)?;
    }
    if head.size() == 0 {
        return Err(if init_mark(folder).exists() {
            LedgerError::Unfinished { path: folder.to_owned() }
        } else {
            LedgerError::NoLog { path: log_folder(folder) }
        });
    }
    let signed = check.signed(keys)?;
    let (_, genesis) = stored(folder, store, 0)?;
    let genesis = UnverifiedEntry::parse(&genesis)?;
    let origin = genesis.statement().origin.clone();
    check.keys(&genesis, keys)?;
    private.delete_from(head.size())?;
    for (index, target) in private.erasures()? {
        crate::erasure::apply(private, index, target)?;
    }
    private.finish_erasure()?;
    let published =
        published.map_or_else(|| (0, empty_root()), |(_, claims)| (claims.size, claims.root));
    Ok(Recovered { head, origin, signed, published })
}

/// Holds a head copy that is there already against the store.
pub(crate) fn check_head_copy(
    folder: &Path,
    store: &dyn Store,
    head: &Head,
    path: &Path,
    keys: &Keys,
) -> Result<(), LedgerError> {
    match checkpoint(path, keys)? {
        Some((_, claims)) => Check { folder, store, head }.witness("the head copy", &claims),
        None => Ok(()),
    }
}

/// The checkpoint in a file, under the ledger's own log key; `None` when there is no file.
pub(crate) fn checkpoint(
    path: &Path,
    keys: &Keys,
) -> Result<Option<(Vec<u8>, Checkpoint)>, LedgerError> {
    let bytes = read(path, NOTE_BYTES_MAX).map_err(LedgerError::io(path, "cannot be read"))?;
    let Some(bytes) = bytes else { return Ok(None) };
    let claims = verified(path, &bytes, keys)?;
    Ok(Some((bytes, claims)))
}

pub(crate) fn verified(path: &Path, bytes: &[u8], keys: &Keys) -> Result<Checkpoint, LedgerError> {
    let wrong = |why: String| LedgerError::Checkpoint { path: path.to_owned(), why };
    let unverified =
        UnverifiedCheckpoint::parse(bytes).map_err(|error| wrong(error.to_string()))?;
    let verified = unverified.verify(keys.log.verifier());
    let verified =
        verified.map_err(|_| wrong("it is not signed by this ledger's log key".to_owned()))?;
    Ok(verified.checkpoint().clone())
}

struct Check<'a> {
    folder: &'a Path,
    store: &'a dyn Store,
    head: &'a Head,
}

impl Check<'_> {
    fn behind(&self, witness: &'static str, known: String) -> LedgerError {
        let store = self.head.to_string();
        LedgerError::StoreBehind { path: self.folder.to_owned(), store, witness, known }
    }

    /// The head that the last transaction of private.db built on must be in the store.
    fn private(&self, private: &Private) -> Result<(), LedgerError> {
        let Some((size, leaf)) = private.built_on()? else { return Ok(()) };
        let known = leaf.map_or_else(|| "none".to_owned(), |leaf| leaf.to_string());
        if size > self.head.size() {
            return Err(self.behind("private.db", format!("size {size}, last leaf {known}")));
        }
        let Some(last) = size.checked_sub(1) else { return Ok(()) };
        let (found, _) = stored(self.folder, self.store, last)?;
        if Some(found) == leaf {
            Ok(())
        } else {
            Err(self.differs("private.db", size, known, found.to_string()))
        }
    }

    /// A checkpoint from elsewhere must not know more, and must have the same root.
    fn witness(&self, witness: &'static str, claims: &Checkpoint) -> Result<(), LedgerError> {
        if claims.size > self.head.size() {
            return Err(self.behind(witness, format!("size {}, root {}", claims.size, claims.root)));
        }
        let root = self.edge_at(claims.size)?.root();
        if root == claims.root {
            return Ok(());
        }
        Err(self.differs(
            witness,
            claims.size,
            format!("root {}", claims.root),
            format!("root {root}"),
        ))
    }

    fn differs(
        &self,
        witness: &'static str,
        size: u64,
        known: String,
        store: String,
    ) -> LedgerError {
        LedgerError::Differs { path: self.folder.to_owned(), witness, size, known, store }
    }

    /// The edge of the store's first `size` leaves; the head's own where that is asked for.
    fn edge_at(&self, size: u64) -> Result<Edge, LedgerError> {
        if size == self.head.size() {
            return Ok(self.head.edge.clone());
        }
        let mut edge = Edge::new();
        for index in 0..size {
            edge.push(stored(self.folder, self.store, index)?.0);
        }
        Ok(edge)
    }

    /// The keys in the folder must be those that this ledger began with.
    fn keys(&self, genesis: &UnverifiedEntry, keys: &Keys) -> Result<(), LedgerError> {
        for (role, signer) in [
            (Role::Control, &keys.control),
            (Role::Log, &keys.log),
            (Role::Collector, &keys.collector),
        ] {
            let path = self.folder.join("keys").join(format!("{}.key", role.name()));
            must_be_added(&path, genesis, role, signer.verifier())?;
        }
        Ok(())
    }

    fn signed(&self, keys: &Keys) -> Result<(Edge, Vec<u8>), LedgerError> {
        let path = store_folder(self.folder);
        let note = self.store.checkpoint();
        let note = note.map_err(|source| LedgerError::Store { path: path.clone(), source })?;
        let Some(note) = note else { return Ok((Edge::new(), Vec::new())) };
        let claims = verified(&path, &note, keys)?;
        self.witness("the last signed checkpoint", &claims)?;
        Ok((self.edge_at(claims.size)?, note))
    }
}
