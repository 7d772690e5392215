//! Key files: `DIR/keys/<role>.key`, one line each, as Go's note tools write signer keys; and the
//! openings of the control entries that added the keys.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use unbroken_evidence::body::{Body, Role};
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::hash::encode_hex;
use unbroken_evidence::key::{Signer, VerifierKey};
use unbroken_evidence::limits::OPENING_BYTES_MAX;
use unbroken_evidence::opening::Opening;

use crate::durable;
use crate::error::LedgerError;
use crate::random::Random;
use crate::reader::{LogReader, read};

const PREFIX: &str = "PRIVATE+KEY+";
const MISSING: &str = "it is missing";
const ROLES: [Role; 3] = [Role::Control, Role::Log, Role::Collector];

/// The three keys of a ledger.
#[derive(Debug)]
pub struct Keys {
    /// Signs control entries.
    pub control: Signer,
    /// Signs checkpoints.
    pub log: Signer,
    /// Signs all other entries.
    pub collector: Signer,
}

impl Keys {
    /// Makes new keys for the log `origin` and writes them into `folder`, mode 0600. A key that is there
    /// already, from a call that was killed, is kept.
    ///
    /// # Errors
    /// Those of the system; `Form` when the origin cannot be a name; `Key` for one of another name.
    pub fn create(
        folder: &Path,
        origin: &str,
        random: &mut dyn Random,
    ) -> Result<Self, LedgerError> {
        durable::create_folder(folder).map_err(LedgerError::io(folder, "cannot be made"))?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .map_err(LedgerError::io(folder, "cannot be closed to others"))?;
        let mut make = |role: &str, name: &str| {
            let path = folder.join(format!("{role}.key"));
            if path.exists() {
                let kept = signer(&path)?;
                let why = || format!("it is the key of another ledger, {}", kept.verifier().name());
                return if kept.verifier().name() == name {
                    Ok(kept)
                } else {
                    Err(LedgerError::Key { path: path.clone(), why: why() })
                };
            }
            let mut seed = [0; 32];
            random.fill(&mut seed).map_err(LedgerError::io(&path, "no randomness"))?;
            let signer = Signer::from_seed(name, &seed)?;
            let typed = [&[1], seed.as_slice()].concat();
            let id = encode_hex(&signer.verifier().id());
            let line = format!("{PREFIX}{name}+{id}+{}\n", STANDARD.encode(typed));
            durable::write_file(&path, line.as_bytes(), 0o600)
                .map_err(LedgerError::io(&path, "cannot be written"))?;
            Ok::<_, LedgerError>(signer)
        };
        Ok(Self {
            control: make("control", &format!("{origin}/control"))?,
            log: make("log", origin)?,
            collector: make("collector", &format!("{origin}/collector"))?,
        })
    }

    /// Reads the keys in `folder`.
    ///
    /// # Errors
    /// `Key` when a file is missing, has not its form, or can be read by others than its owner.
    pub fn load(folder: &Path) -> Result<Self, LedgerError> {
        let read = |role: &str| signer(&folder.join(format!("{role}.key")));
        Ok(Self { control: read("control")?, log: read("log")?, collector: read("collector")? })
    }
}

/// What is wrong with the keys of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// Each a sentence.
    pub wrong: Vec<String>,
    /// Why nothing can be said of some: whoever asks may not read them, or they are kept elsewhere.
    pub not_checked: Option<String>,
}

impl Problems {
    /// Nothing can be said of any key.
    pub(crate) fn none(why: &str) -> Self {
        Self { wrong: Vec::new(), not_checked: Some(why.to_owned()) }
    }
}

/// Holds the keys in the folder of `ledger` against those that its genesis adds.
#[must_use]
pub fn problems(ledger: &Path, genesis: &UnverifiedEntry) -> Problems {
    let mut problems = Problems::default();
    let mut missing = Vec::new();
    for role in ROLES {
        let path = ledger.join("keys").join(format!("{}.key", role.name()));
        match signer(&path) {
            Ok(signer) => {
                let refused = must_be_added(&path, genesis, role, signer.verifier());
                problems.wrong.extend(refused.err().map(|error| error.to_string()));
            }
            Err(LedgerError::Key { why, .. }) if why == MISSING => missing.push(path),
            Err(LedgerError::Io { path, source, .. }) => {
                let why = format!("{}: {source}", path.display());
                problems.not_checked.get_or_insert(why);
            }
            Err(error) => problems.wrong.push(error.to_string()),
        }
    }
    if missing.len() == ROLES.len() {
        problems.not_checked = Some("they are not here".to_owned());
    } else {
        let each = missing.iter().map(|path| format!("{}: {MISSING}", path.display()));
        problems.wrong.extend(each);
    }
    problems
}

/// Refuses a key that the genesis did not add: it would sign entries that no verifier accepts, and they
/// could never be taken out.
pub(crate) fn must_be_added(
    path: &Path,
    genesis: &UnverifiedEntry,
    role: Role,
    key: &VerifierKey,
) -> Result<(), LedgerError> {
    let Body::Control(control) = &genesis.statement().body else { return Ok(()) };
    if control.add.iter().any(|added| added.role == role && added.key == *key) {
        return Ok(());
    }
    let why = format!("it is not the {} key of this ledger", role.name());
    Err(LedgerError::Key { path: path.to_owned(), why })
}

/// Keeps the opening of the control entry at `index` beside the keys that it adds. Every exhibit
/// shows control entries, so these openings outlive the loss of private.db; nothing in them is
/// personal.
pub(crate) fn keep_opening(
    ledger: &Path,
    index: u64,
    opening: &Opening,
) -> Result<(), LedgerError> {
    let path = opening_path(ledger, index);
    durable::write_file(&path, opening.encode().as_bytes(), 0o600)
        .map_err(LedgerError::io(&path, "cannot be written"))
}

/// What [`keep_opening`] kept; `None` when there is nothing, or nothing that can be read.
pub(crate) fn kept_opening(ledger: &Path, index: u64) -> Option<Opening> {
    let bytes = read(&opening_path(ledger, index), OPENING_BYTES_MAX).ok()??;
    Opening::parse(&bytes).ok()
}

fn opening_path(ledger: &Path, index: u64) -> PathBuf {
    ledger.join("keys").join(format!("control-{index}.json"))
}

/// The verifier key of the log: the first log key that the genesis of the log adds.
///
/// # Errors
/// `Log` when the genesis cannot be read.
pub fn verifier_of_log(reader: &mut LogReader) -> Result<VerifierKey, LedgerError> {
    let genesis = reader.entry(0)?;
    let added = match &genesis.statement().body {
        Body::Control(control) => control.add.iter().find(|added| added.role == Role::Log),
        _ => None,
    };
    let why = || "entry 0 adds no log key".to_owned();
    added
        .map(|added| added.key.clone())
        .ok_or_else(|| LedgerError::Log { path: "log".into(), why: why() })
}

fn signer(path: &Path) -> Result<Signer, LedgerError> {
    let refused = |why: String| LedgerError::Key { path: path.to_owned(), why };
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(refused(MISSING.to_owned()));
        }
        found => found.map_err(LedgerError::io(path, "the key cannot be read"))?,
    };
    let mode = metadata.permissions().mode();
    if !metadata.is_file() || mode & 0o077 != 0 {
        return Err(refused(format!(
            "others than its owner can read this key (mode {:o})",
            mode & 0o777
        )));
    }
    let text = fs::read_to_string(path).map_err(LedgerError::io(path, "the key cannot be read"))?;
    let malformed = || refused("not a key as this program writes it".to_owned());
    let rest =
        text.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix('\n')).ok_or_else(malformed)?;
    let (name, rest) = rest.split_once('+').ok_or_else(malformed)?;
    let (id, secret) = rest.split_once('+').ok_or_else(malformed)?;
    let typed = STANDARD.decode(secret).map_err(|_| malformed())?;
    let seed = match typed.split_first() {
        Some((1, seed)) => <[u8; 32]>::try_from(seed).map_err(|_| malformed())?,
        _ => return Err(malformed()),
    };
    let signer = Signer::from_seed(name, &seed).map_err(|_| malformed())?;
    if encode_hex(&signer.verifier().id()) == id { Ok(signer) } else { Err(malformed()) }
}
