//! The ledger: opened under its lock, appended to, checkpointed, published.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use unbroken_evidence::body::{Added, Body, Control, Role};
use unbroken_evidence::checkpoint::Checkpoint;
use unbroken_evidence::field::{FieldSet, Value};
use unbroken_evidence::key::Signer;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::time::Time;
use unbroken_evidence::tree::{Edge, empty_root, leaf_hash};

use crate::durable;
use crate::error::{LedgerError, StoreError};
use crate::head::Head;
use crate::head_copy;
use crate::keys::{self, Keys};
use crate::lock::Lock;
use crate::place::{
    Begun, begun, head_of, init_mark, must_be_a_ledger, must_be_free, open_store, remove_unfinished,
};
pub use crate::place::{private_path, store_folder};
use crate::private::{Private, Row};
use crate::publish::{Published, publish, stored};
use crate::random::{Random, Seed};
use crate::reader::log_folder;
use crate::recover::{self, Elsewhere, Recovered};
use crate::remembered;
use crate::seal::{Appended, Clock, NewEntry, SealedGroup, Sealer};
use crate::store::{SledStore, Store};

/// What a ledger needs of the world around it.
pub struct Surroundings {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub random: Box<dyn Random>,
    /// Who holds the lock, for whoever finds it taken.
    pub holder: String,
    /// The folder in which this machine remembers the newest checkpoint of each ledger, if it does.
    pub remembers: Option<PathBuf>,
}

/// An open ledger: the one writer.
pub struct Ledger {
    folder: PathBuf,
    origin: String,
    keys: Arc<Keys>,
    store: Box<dyn Store>,
    private: Private,
    surroundings: Surroundings,
    /// What the next entry builds on; equals the store's own head.
    head: Head,
    /// The edge and note of the last signed checkpoint.
    signed: (Edge, Vec<u8>),
    published: Published,
    head_copy: Option<PathBuf>,
    /// Set by the first failed write: only a new open says what took effect.
    dead: bool,
    _lock: Lock,
}

impl Ledger {
    /// Makes a ledger with new keys in `folder`, which must be empty or not exist; its head copy is at
    /// `head_copy`, if one is given. Where that fails nothing is left behind. A folder in which an earlier
    /// call was killed is finished: its keys are kept.
    ///
    /// # Errors
    /// `NotEmpty`, those of [`Ledger::set_head_copy`], `Form` for an origin that cannot be one, and those of the system.
    pub fn create(
        folder: &Path,
        origin: &str,
        surroundings: Surroundings,
        head_copy: Option<&Path>,
    ) -> Result<Self, LedgerError> {
        unbroken_evidence::key::check_name(origin, "origin")?;
        durable::create_folder(folder).map_err(LedgerError::io(folder, "cannot be made"))?;
        must_be_free(folder)?;
        let lock = Lock::take(folder, &surroundings.holder)?;
        let begun = begun(folder)?;
        let mark = init_mark(folder);
        durable::write_file(&mark, b"", 0o600).map_err(LedgerError::io(&mark, "cannot be made"))?;
        let made = match begun {
            Begun::Sealed => Self::open_on(folder, open_store(folder)?, surroundings, lock, None),
            Begun::Nothing | Begun::Keys => Self::make(folder, origin, surroundings, lock),
        };
        let made = made.and_then(|mut ledger| {
            if ledger.origin != origin {
                return Err(LedgerError::NotEmpty { path: folder.to_owned() });
            }
            head_copy.map_or(Ok(()), |place| ledger.set_head_copy(place))?;
            std::fs::remove_file(&mark).map_err(LedgerError::io(&mark, "cannot be removed"))?;
            durable::sync_folder(folder).map_err(LedgerError::io(folder, "cannot be synced"))?;
            Ok(ledger)
        });
        if made.is_err() && begun == Begun::Nothing {
            remove_unfinished(folder);
        }
        made
    }

    fn make(
        folder: &Path,
        origin: &str,
        mut surroundings: Surroundings,
        lock: Lock,
    ) -> Result<Self, LedgerError> {
        let keys = Keys::create(&folder.join("keys"), origin, &mut *surroundings.random)?;
        let path = store_folder(folder);
        let store = SledStore::open(&path).map_err(|source| LedgerError::Store { path, source })?;
        // What a killed call may have kept belongs to an entry that was never acknowledged.
        Private::open(&private_path(folder))?.delete_from(0)?;
        Self::begin(folder, origin, keys, Box::new(store), surroundings, lock)
    }

    /// Writes the genesis into an empty store.
    pub(crate) fn begin(
        folder: &Path,
        origin: &str,
        keys: Keys,
        store: Box<dyn Store>,
        surroundings: Surroundings,
        lock: Lock,
    ) -> Result<Self, LedgerError> {
        let private = Private::open(&private_path(folder))?;
        let mut ledger = Self {
            folder: folder.to_owned(),
            origin: origin.to_owned(),
            keys: Arc::new(keys),
            store,
            private,
            surroundings,
            head: Head::default(),
            signed: (Edge::new(), Vec::new()),
            published: (0, empty_root()),
            head_copy: None,
            dead: false,
            _lock: lock,
        };
        let added = |role, signer: &Signer| Added { role, key: signer.verifier().clone() };
        let add = vec![
            added(Role::Control, &ledger.keys.control),
            added(Role::Log, &ledger.keys.log),
            added(Role::Collector, &ledger.keys.collector),
        ];
        let mut nonce = [0; 16];
        let drawn = ledger.surroundings.random.fill(&mut nonce);
        drawn.map_err(LedgerError::io(folder, "no randomness"))?;
        let (set, seed) =
            ledger.fields(vec![Value::string("control", "/reason", "a new ledger")])?;
        let fields = set.commitment();
        let body =
            Body::Control(Control { add, end: vec![], fields, nonce: Some(nonce), refs: vec![] });
        let opening = Opening::of(set, None);
        keys::keep_opening(folder, 0, &opening)?;
        let row = Row { opening, seed: Some(seed), ..Row::default() };
        ledger.append(vec![NewEntry { kind: Kind::Control, subject: None, body, row }])?;
        ledger.checkpoint()?;
        Ok(ledger)
    }

    /// Opens the ledger in `folder` for appending, and finishes what a crash left half done.
    ///
    /// # Errors
    /// Whatever disagrees between store, log, head copy and private.db; no entry is written then,
    /// and nothing is signed or published.
    pub fn open(folder: &Path, surroundings: Surroundings) -> Result<Self, LedgerError> {
        Self::open_with_head_copy(folder, surroundings, None)
    }

    /// As [`Ledger::open`]; from now on the head copy is at `place`, if one is given.
    ///
    /// # Errors
    /// Those of [`Ledger::open`] and [`Ledger::set_head_copy`].
    pub fn open_with_head_copy(
        folder: &Path,
        surroundings: Surroundings,
        place: Option<&Path>,
    ) -> Result<Self, LedgerError> {
        must_be_a_ledger(folder)?;
        let lock = Lock::take(folder, &surroundings.holder)?;
        let store = match open_store(folder) {
            Err(LedgerError::Older { .. }) => {
                crate::restore::verified_size(folder)?;
                crate::restore::rebuild_store(folder, Vec::new())?;
                open_store(folder)?
            }
            Err(LedgerError::Store { source: StoreError::Missing, .. })
                if !log_folder(folder).exists() =>
            {
                return Err(if init_mark(folder).exists() {
                    LedgerError::Unfinished { path: folder.to_owned() }
                } else {
                    LedgerError::NoLog { path: log_folder(folder) }
                });
            }
            other => other?,
        };
        Self::open_on(folder, store, surroundings, lock, place)
    }

    /// Opens the ledger in `folder` over `store`, whose lock is held.
    pub(crate) fn open_on(
        folder: &Path,
        store: Box<dyn Store>,
        surroundings: Surroundings,
        lock: Lock,
        place: Option<&Path>,
    ) -> Result<Self, LedgerError> {
        if !private_path(folder).exists() && log_folder(folder).exists() {
            let (path, store) = (folder.to_owned(), head_of(folder, &*store)?.size());
            return Err(LedgerError::PrivateBehind { path, private: 0, store });
        }
        let mut ledger = Self::recovered(folder, store, surroundings, lock, place)?;
        let (private, size) = (ledger.private.end()?, ledger.head.size());
        if private < size {
            let path = folder.to_owned();
            return Err(LedgerError::PrivateBehind { path, private, store: size });
        }
        ledger.checkpoint()?;
        Ok(ledger)
    }

    /// The ledger as it was recovered: private.db may be behind, and nothing was signed yet.
    pub(crate) fn recovered(
        folder: &Path,
        store: Box<dyn Store>,
        surroundings: Surroundings,
        lock: Lock,
        place: Option<&Path>,
    ) -> Result<Self, LedgerError> {
        let keys = Keys::load(&folder.join("keys"))?;
        let mut private = Private::open(&private_path(folder))?;
        let mut head_copy = head_copy::kept(folder)?;
        if place.is_some() {
            // The old place may be gone for good: that is why there is a new one.
            head_copy = head_copy.filter(|old| !head_copy::is_gone(old));
        } else if let Some(path) = head_copy.clone().filter(|old| head_copy::is_missing(old)) {
            // Taken as none, an old ledger that was put back would sign another root for a size.
            return Err(LedgerError::HeadCopyMissing { path });
        }
        let memory = surroundings.remembers.as_deref();
        let elsewhere = Elsewhere { head_copy: head_copy.as_deref(), memory };
        let recovered = recover::check(folder, &*store, &mut private, &keys, &elsewhere)?;
        let Recovered { head, origin, signed, published } = recovered;
        let mut ledger = Self {
            folder: folder.to_owned(),
            origin,
            keys: Arc::new(keys),
            store,
            private,
            surroundings,
            head,
            signed,
            published,
            head_copy,
            dead: false,
            _lock: lock,
        };
        if let Some(place) = place {
            ledger.set_head_copy(place)?;
        }
        Ok(ledger)
    }

    /// The ledger's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The log's origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The verifier key of the log: the trust anchor.
    #[must_use]
    pub fn trust_anchor(&self) -> &unbroken_evidence::key::VerifierKey {
        self.keys.log.verifier()
    }

    /// The number of acknowledged entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.head.size()
    }

    /// private.db.
    #[must_use]
    pub const fn private(&self) -> &Private {
        &self.private
    }

    /// private.db, to be changed.
    pub const fn private_mut(&mut self) -> &mut Private {
        &mut self.private
    }

    /// The time by the ledger's clock.
    #[must_use]
    pub fn now(&self) -> Time {
        self.surroundings.clock.now()
    }

    /// From now on each checkpoint is also written to `path`, before it is published.
    ///
    /// # Errors
    /// `Io` when that place cannot be written.
    pub fn set_head_copy(&mut self, path: &Path) -> Result<(), LedgerError> {
        if std::fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            let other = std::io::Error::other("it is no plain file");
            return Err(LedgerError::io(path, "cannot be the head copy")(other));
        }
        let parent = durable::parent_of(path).canonicalize();
        let own = self.folder.canonicalize();
        if parent.is_ok_and(|parent| own.is_ok_and(|own| parent.starts_with(own))) {
            let inside = std::io::Error::other("it is inside the ledger: it would be lost with it");
            return Err(LedgerError::HeadCopy { path: path.to_owned(), source: inside });
        }
        // A copy that is there already is a witness, and is heard before it is written over.
        recover::check_head_copy(&self.folder, &*self.store, &self.head, path, &self.keys)?;
        head_copy::write(path, &self.signed.1)?;
        head_copy::keep(&self.folder, path)?;
        self.head_copy = Some(path.to_owned());
        Ok(())
    }

    /// Salts and orders values for an entry; gives the seed of the salts too, which its row keeps.
    ///
    /// # Errors
    /// `Io` when there is no randomness.
    pub fn fields(&mut self, values: Vec<Value>) -> Result<(FieldSet, Seed), LedgerError> {
        let drawn = Seed::draw(&mut *self.surroundings.random);
        let seed = drawn.map_err(LedgerError::io(&self.folder, "no randomness"))?;
        let mut salts = seed.salts();
        Ok((FieldSet::seal(values, &mut || salts.next_salt()), seed))
    }

    /// Appends one entry of a kind whose body is fields and references only.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn append_fields(
        &mut self,
        kind: Kind,
        values: Vec<Value>,
        row: Row,
    ) -> Result<Appended, LedgerError> {
        let (set, seed) = self.fields(values)?;
        let body = Body::Fields { fields: set.commitment(), refs: vec![] };
        let row = Row { opening: Opening::of(set, None), seed: Some(seed), ..row };
        let mut appended = self.append(vec![NewEntry { kind, subject: None, body, row }])?;
        appended.pop().ok_or(LedgerError::ReadBack { index: self.size() })
    }

    /// Appends entries, all or none; when this returns `Ok` they survive a power cut.
    ///
    /// # Errors
    /// Those of private.db and store; then the handle is dead until the ledger is opened anew.
    pub fn append(&mut self, entries: Vec<NewEntry>) -> Result<Vec<Appended>, LedgerError> {
        let group = self.sealer().seal(entries)?;
        self.write(group)
    }

    /// Seals entries that come after the acknowledged ones. On a thread of its own it signs the
    /// next group while [`Ledger::write`] writes the last one.
    #[must_use]
    pub fn sealer(&self) -> Sealer {
        Sealer {
            keys: Arc::clone(&self.keys),
            clock: Arc::clone(&self.surroundings.clock),
            origin: self.origin.clone(),
            head: self.head.clone(),
        }
    }

    /// Writes a sealed group, all or none; when this returns `Ok` it survives a power cut.
    ///
    /// # Errors
    /// Those of private.db and store; then the handle is dead until the ledger is opened anew.
    pub fn write(&mut self, group: SealedGroup) -> Result<Vec<Appended>, LedgerError> {
        if self.dead {
            return Err(LedgerError::Dead);
        }
        let SealedGroup { base, appended, records, rows, head } = group;
        if appended.is_empty() {
            return Ok(appended);
        }
        let first = self.head.size();
        assert_eq!(base, (first, self.head.last_leaf), "a group follows what it was sealed after");
        self.dead = true;
        self.private.commit(base, first, rows)?;
        let stored = self.store.append(first, &records, &head);
        stored.map_err(|source| LedgerError::Store { path: store_folder(&self.folder), source })?;
        self.head = head;
        self.dead = false;
        Ok(appended)
    }

    /// Reads the new entries back, signs a checkpoint over them, and publishes it. When nothing is
    /// new only the head copy is written.
    ///
    /// # Errors
    /// `ReadBack` when the store gives other bytes than were written; those of the system. Then
    /// the handle is dead; what was acknowledged stays so.
    pub fn checkpoint(&mut self) -> Result<(), LedgerError> {
        if self.dead {
            return Err(LedgerError::Dead);
        }
        self.dead = true;
        if self.signed.0.size() < self.head.size() {
            self.sign()?;
        }
        let size = self.signed.0.size();
        if let Some(path) = &self.head_copy {
            head_copy::write(path, &self.signed.1)?;
        }
        if self.published.0 < size {
            let folder = log_folder(&self.folder);
            publish(&folder, &*self.store, self.published, size, &self.signed.1)?;
            self.published = (size, self.signed.0.root());
        }
        // Only what somebody may have seen: of what was never published nobody holds another history.
        if let Some(folder) = &self.surroundings.remembers {
            remembered::keep(folder, self.keys.log.verifier(), &self.signed.1);
        }
        self.dead = false;
        Ok(())
    }

    fn sign(&mut self) -> Result<(), LedgerError> {
        let mut edge = self.signed.0.clone();
        for index in edge.size()..self.head.size() {
            let (leaf, note) = stored(&store_folder(&self.folder), &*self.store, index)?;
            if leaf_hash(&note) != leaf {
                return Err(LedgerError::ReadBack { index });
            }
            edge.push(leaf);
        }
        if edge != self.head.edge {
            return Err(LedgerError::ReadBack { index: self.head.size() });
        }
        // A log never signs two roots for one size: sizes only grow, and this one is kept before
        // anybody sees it.
        assert!(
            edge.size() > self.signed.0.size(),
            "a checkpoint is signed for a larger tree only"
        );
        let checkpoint =
            Checkpoint { origin: self.origin.clone(), size: edge.size(), root: edge.root() };
        let note = self.keys.log.sign_note(&checkpoint.text()).into_bytes();
        let stored = self.store.put_checkpoint(&note);
        stored.map_err(|source| LedgerError::Store { path: store_folder(&self.folder), source })?;
        self.signed = (edge, note);
        Ok(())
    }
}
