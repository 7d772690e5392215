//! The ledger and the exhibit of the vectors, with a place for a fault at each stage.

use std::collections::BTreeMap;

use unbroken_evidence::bag::{BAGIT_TXT, BagInfo, Manifest, Place};
use unbroken_evidence::body::{
    Added, Body, Completeness, Content, Control, Ended, Media, Recording, Ref, Rel, Role, Subject,
};
use unbroken_evidence::content::{BLOCK_BYTES_DEFAULT, ContentHasher};
use unbroken_evidence::entry::Statement;
use unbroken_evidence::field::{FieldType, FieldsCommitment, Value};
use unbroken_evidence::hash::{Hash, encode_hex};
use unbroken_evidence::key::Signer;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::package::{MemoryPackage, Package as _};
use unbroken_evidence::produced::{COVERED, Produced};
use unbroken_evidence::tree::leaf_hash;

use crate::model::Model;

/// The origin of the vectors' log.
pub const ORIGIN: &str = "example.com/recordings";
/// The conversation about which there are two recording entries.
pub const CALL: Subject = Subject([0xa1; 16]);
/// The message conversation.
pub const MESSAGE: Subject = Subject([0xb2; 16]);

fn signer(name: &str, seed: u8) -> Signer {
    // Fixed, well-formed names: this cannot fail.
    Signer::from_seed(name, &[seed; 32]).unwrap_or_else(|_| unreachable!())
}

/// The control key.
#[must_use]
pub fn control_key() -> Signer {
    signer("example.com/control", 1)
}

/// The log key: its verifier key is the trust anchor.
#[must_use]
pub fn log_key() -> Signer {
    signer("example.com/log", 2)
}

/// The collector of the genesis.
#[must_use]
pub fn collector_key() -> Signer {
    signer("example.com/collector-1", 3)
}

/// The collector that entry 3 adds.
#[must_use]
pub fn second_collector_key() -> Signer {
    signer("example.com/collector-2", 4)
}

/// A key that nobody ever added.
#[must_use]
pub fn stranger_key() -> Signer {
    signer("example.com/stranger", 5)
}

/// A log key that a case may add.
#[must_use]
pub fn second_log_key() -> Signer {
    signer("example.com/log-2", 6)
}

/// A control key that a case may add.
#[must_use]
pub fn second_control_key() -> Signer {
    signer("example.com/control-2", 7)
}

type Edit<T> = Box<dyn Fn(u64, &mut T)>;

/// Where a fault can be put; each does nothing until it is set. The numbers are indices.
pub struct Scene {
    /// Changes what is committed before it is salted.
    pub values: Edit<Vec<Value>>,
    /// Changes the opening, and with it the commitment, after it was salted.
    pub opening: Edit<unbroken_evidence::opening::Opening>,
    /// Changes a statement before it is signed.
    pub statement: Edit<Statement>,
    /// The call's bytes.
    pub call: Vec<u8>,
    /// The message's bytes.
    pub message: Vec<u8>,
    /// The call's sidecar, and the values that its entries take from it.
    pub sidecar: (Vec<u8>, Vec<Value>),
    /// Replaces the key that signs.
    pub signer: Box<dyn Fn(u64, Signer) -> Signer>,
    /// Changes the signed text, then signs it again; text and signer's key.
    pub text: Edit<String>,
    /// Changes the finished note.
    pub note: Edit<String>,
    /// Changes the log after the `produced` entry.
    pub after_produced: Box<dyn Fn(&mut Model)>,
    /// The key that signs the checkpoint.
    pub log: fn() -> Signer,
    /// Changes the checkpoint's text before it is signed.
    pub checkpoint_text: Box<dyn Fn(&mut String)>,
    /// Changes the signed checkpoint.
    pub checkpoint_note: Box<dyn Fn(&mut String)>,
    /// Changes payload files before anything covers them.
    pub payload: Box<dyn Fn(&mut MemoryPackage)>,
    /// Changes the bag's own files before `produced` covers them.
    pub bagged: Box<dyn Fn(&mut MemoryPackage)>,
    /// Changes the finished exhibit.
    pub package: Box<dyn Fn(&mut MemoryPackage)>,
    /// Whether the tag manifest is written anew after that, as a forger would.
    pub retag: bool,
    /// Entries that the exhibit does not show, and says so.
    pub hide: Vec<u64>,
    /// Adds these keys in entry 3, beside the second collector.
    pub add: Vec<Added>,
    /// Ends these keys in entry 3.
    pub end: Vec<Ended>,
    /// Ends these keys just before `produced`, each in a control entry of its own.
    pub end_late: Vec<Ended>,
    /// Adds these keys just before `produced`, each in a control entry of its own.
    pub add_late: Vec<Added>,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            values: Box::new(|_, _| ()),
            opening: Box::new(|_, _| ()),
            statement: Box::new(|_, _| ()),
            call: call_bytes(),
            message: MESSAGE_BYTES.to_vec(),
            sidecar: (SIDECAR_BYTES.to_vec(), sidecar_values()),
            signer: Box::new(|_, signer| signer),
            text: Box::new(|_, _| ()),
            note: Box::new(|_, _| ()),
            after_produced: Box::new(|_| ()),
            log: log_key,
            checkpoint_text: Box::new(|_| ()),
            checkpoint_note: Box::new(|_| ()),
            payload: Box::new(|_| ()),
            bagged: Box::new(|_| ()),
            package: Box::new(|_| ()),
            hide: Vec::new(),
            retag: true,
            add: Vec::new(),
            end: Vec::new(),
            end_late: Vec::new(),
            add_late: Vec::new(),
        }
    }
}

/// The bytes of the call: painted, longer than two blocks.
#[must_use]
pub fn call_bytes() -> Vec<u8> {
    (0..9_001_u32).map(|i| u8::try_from(i % 251).unwrap_or(0)).collect()
}

/// The message transcript.
pub const MESSAGE_BYTES: &[u8] =
    br#"{"channel":"whatsapp","messages":[{"id":"1","content":"Confirmed.","timestamp":"2026-11-20T06:00:00Z"}]}"#;
/// The call's sidecar.
pub const SIDECAR_BYTES: &[u8] =
    br#"{"mediaType":"Call","conversationId":"c-1","recordingId":"r-1","durationMs":25620}"#;

fn sidecar_values() -> Vec<Value> {
    let text = |pointer, value| Value::string("sidecar", pointer, value);
    vec![
        text("/mediaType", "Call"),
        text("/conversationId", "c-1"),
        text("/recordingId", "r-1"),
        Value::new("sidecar", "/durationMs", FieldType::Number, "25620"),
    ]
}

impl Scene {
    /// The ledger id of the scene.
    #[must_use]
    pub fn ledger_id(&self) -> Hash {
        let mut model = Model::new(ORIGIN);
        self.genesis(&mut model);
        leaf_hash(model.notes.first().map_or(&[], String::as_bytes))
    }

    /// The log before anything is produced from it.
    #[must_use]
    pub fn log(&self) -> Model {
        let mut model = Model::new(ORIGIN);
        self.entries(&mut model);
        model
    }

    /// The whole exhibit.
    #[must_use]
    pub fn build(&self) -> MemoryPackage {
        let mut model = self.log();
        let mut package = MemoryPackage::default();
        package.insert("data/2/recording.opus", self.call.clone());
        package.insert("data/2/companion-0.json", self.sidecar.0.clone());
        package.insert("data/4/recording.json", self.message.clone());
        for index in [1, 2, 4, 5, 6, 7].into_iter().filter(|index| !self.hide.contains(index)) {
            let opening =
                model.openings.get(&index).map(unbroken_evidence::opening::Opening::encode);
            package.insert(&format!("data/openings/{index}.json"), opening.unwrap_or_default());
        }
        (self.payload)(&mut package);
        bag(&mut package);
        (self.bagged)(&mut package);
        self.produced(&mut model, &package);
        let produced = model.size() - 1;
        (self.after_produced)(&mut model);
        let checkpoint = self.checkpoint(&model);
        package.insert("ledger/checkpoint", checkpoint.clone());
        let is_control = |index| matches!(index, 0 | 3) || (8..produced).contains(&index);
        for index in (0..=produced).filter(|index| !self.hide.contains(index)) {
            let folder = if is_control(index) { "control" } else { "entries" };
            let note =
                usize::try_from(index).ok().and_then(|place| model.notes.get(place).cloned());
            package.insert(&format!("ledger/{folder}/{index}.note"), note.unwrap_or_default());
            let proof = model.proof(index, &checkpoint).encode();
            package.insert(&format!("ledger/{folder}/{index}.tlog-proof"), proof);
            if is_control(index) || index == produced {
                let opening =
                    model.openings.get(&index).map(unbroken_evidence::opening::Opening::encode);
                package
                    .insert(&format!("ledger/openings/{index}.json"), opening.unwrap_or_default());
            }
        }
        tag(&mut package);
        (self.package)(&mut package);
        if self.retag {
            tag(&mut package);
        }
        package
    }

    fn checkpoint(&self, model: &Model) -> String {
        let mut text = model.checkpoint().text();
        (self.checkpoint_text)(&mut text);
        let mut note = (self.log)().sign_note(&text);
        (self.checkpoint_note)(&mut note);
        note
    }

    fn entries(&self, model: &mut Model) {
        self.genesis(model);
        let name = Value::string("policy", "/name", "genesys-cloud-1");
        let text = Value::string("policy", "/text", "A sidecar is there and agrees.");
        self.plain(model, &collector_key(), Kind::Policy, None, vec![name, text], vec![]);
        let policy = model.leaves().last().copied();
        self.recording(model, &collector_key(), CALL, Media::Call, policy, vec![]);
        let second =
            Added { role: Role::Collector, key: second_collector_key().verifier().clone() };
        let add = std::iter::once(second).chain(self.add.clone()).collect();
        self.control(model, add, self.end.clone());
        self.recording(model, &second_collector_key(), MESSAGE, Media::Message, policy, vec![]);
        let run = vec![
            Value::number("pass", "/counts/objects", 3),
            Value::number("pass", "/entries/from", 1),
            Value::number("pass", "/entries/to", 5),
        ];
        self.plain(model, &collector_key(), Kind::Pass, None, run, vec![]);
        let first = reference(model, 2, Rel::Supersedes);
        self.recording(model, &collector_key(), CALL, Media::Call, policy, vec![first]);
        let hold = Value::string("observation", "/object-lock/legal-hold", "ON");
        let about = reference(model, 6, Rel::About);
        self.plain(model, &collector_key(), Kind::Observation, Some(CALL), vec![hold], vec![about]);
        for ended in &self.end_late {
            self.control(model, vec![], vec![*ended]);
        }
        for added in &self.add_late {
            self.control(model, vec![added.clone()], vec![]);
        }
    }

    fn genesis(&self, model: &mut Model) {
        let added = |role, signer: Signer| Added { role, key: signer.verifier().clone() };
        let add = vec![
            added(Role::Control, control_key()),
            added(Role::Log, log_key()),
            added(Role::Collector, collector_key()),
        ];
        let fields = self.commit(
            model,
            vec![Value::string("control", "/name", "The vectors' ledger")],
            None,
        );
        let nonce = Some([7; 16]);
        let body = Body::Control(Control { add, end: vec![], fields, nonce, refs: vec![] });
        self.push(model, &control_key(), Kind::Control, None, body);
    }

    fn control(&self, model: &mut Model, add: Vec<Added>, end: Vec<Ended>) {
        let reason = Value::string("control", "/reason", "collectors come and go");
        let fields = self.commit(model, vec![reason], None);
        let body = Body::Control(Control { add, end, fields, nonce: None, refs: vec![] });
        self.push(model, &control_key(), Kind::Control, None, body);
    }

    fn commit(
        &self,
        model: &mut Model,
        mut values: Vec<Value>,
        key: Option<[u8; 32]>,
    ) -> FieldsCommitment {
        let index = model.size();
        (self.values)(index, &mut values);
        model.fields(values, key);
        let Some(opening) = model.openings.get_mut(&index) else { unreachable!() };
        (self.opening)(index, opening);
        let leaves: Vec<Hash> =
            opening.positions.iter().map(unbroken_evidence::opening::Position::leaf).collect();
        FieldsCommitment { count: leaves.len() as u64, root: unbroken_evidence::tree::root(leaves) }
    }

    pub(crate) fn plain(
        &self,
        model: &mut Model,
        signer: &Signer,
        kind: Kind,
        subject: Option<Subject>,
        values: Vec<Value>,
        refs: Vec<Ref>,
    ) {
        let fields = self.commit(model, values, None);
        self.push(model, signer, kind, subject, Body::Fields { fields, refs });
    }

    pub(crate) fn recording(
        &self,
        model: &mut Model,
        signer: &Signer,
        subject: Subject,
        media: Media,
        policy: Option<Hash>,
        refs: Vec<Ref>,
    ) {
        let bytes = if media == Media::Call { &self.call } else { &self.message };
        let key = model.random.draw();
        let mut hasher = ContentHasher::new(&[(BLOCK_BYTES_DEFAULT, key)]);
        hasher.update(bytes);
        let digests = hasher.finish();
        let mut values = vec![
            Value::string("content", "/sha256", &digests.sha256.to_string()),
            Value::string("content", "/blake3", &digests.blake3.to_string()),
            Value::number("content", "/size", digests.size),
            Value::string(
                "object",
                "/key",
                if media == Media::Call { "c-1/r-1.opus" } else { "c-2/r-2.json" },
            ),
            Value::string("observed", "/start", "2026-11-20T07:00:00.000Z"),
        ];
        if media == Media::Call {
            values.push(Value::string("companion", "/0/key", "c-1/r-1.opus_metadata.json"));
            values.push(Value::string("companion", "/0/role", "sidecar"));
            let (sidecar, said) = &self.sidecar;
            let sidecar = Hash::of(&[sidecar]).to_string();
            values.push(Value::string("companion", "/0/sha256", &sidecar));
            values.extend(said.iter().cloned());
        }
        let fields = self.commit(model, values, Some(key));
        let complete = media == Media::Call;
        let clear = media.shows_digests();
        let body = Body::Recording(Recording {
            completeness: policy.map(|policy| Completeness { policy, complete }),
            content: Content {
                blake3: clear.then_some(digests.blake3),
                block_bytes: BLOCK_BYTES_DEFAULT,
                block_root: digests.block_roots.first().copied().unwrap_or(digests.sha256),
                sha256: clear.then_some(digests.sha256),
                size: digests.size,
            },
            fields,
            media,
            refs,
        });
        self.push(model, signer, Kind::Recording, Some(subject), body);
    }

    /// Appends the `produced` entry that covers `package`.
    pub fn produced(&self, model: &mut Model, package: &MemoryPackage) {
        let mut files = BTreeMap::from([("fetch.txt".to_owned(), None)]);
        for path in COVERED {
            let digest = package.bytes(path).map(|bytes| Hash::of(&[bytes]));
            files.insert(path.to_owned(), digest);
        }
        let mut subjects = BTreeMap::from([(CALL, vec![2, 6, 7]), (MESSAGE, vec![4])]);
        subjects.retain(|_, indices| !indices.iter().any(|index| self.hide.contains(index)));
        let shown = (0..model.size()).filter(|index| !self.hide.contains(index)).collect();
        let values = Produced { files, subjects, shown, ..Produced::default() }.values();
        self.plain(model, &collector_key(), Kind::Produced, None, values, vec![]);
    }

    fn push(
        &self,
        model: &mut Model,
        signer: &Signer,
        kind: Kind,
        subject: Option<Subject>,
        body: Body,
    ) {
        let index = model.size();
        let signer = (self.signer)(index, signer_again(signer));
        let mut statement = model.statement(&signer, kind, subject, body);
        (self.statement)(index, &mut statement);
        let mut text = statement.text_unchecked();
        (self.text)(index, &mut text);
        let mut note = signer.sign_note(&text);
        (self.note)(index, &mut note);
        model.push(note);
    }
}

fn signer_again(signer: &Signer) -> Signer {
    let all = [
        control_key(),
        log_key(),
        collector_key(),
        second_collector_key(),
        stranger_key(),
        second_log_key(),
        second_control_key(),
    ];
    let same = |known: &Signer| known.verifier() == signer.verifier();
    all.into_iter().find(same).unwrap_or_else(stranger_key)
}

/// A reference to an entry of the model.
#[must_use]
pub fn reference(model: &Model, index: u64, rel: Rel) -> Ref {
    let leaf = usize::try_from(index).ok().and_then(|place| model.leaves().get(place).copied());
    Ref { index, leaf: leaf.unwrap_or_else(|| Hash::of(&[])), rel }
}

/// Writes the bag's own files over the payload.
pub fn bag(package: &mut MemoryPackage) {
    let payload: Vec<String> = package
        .files()
        .paths()
        .filter(|path| path.starts_with("data/"))
        .map(str::to_owned)
        .collect();
    let octets = payload.iter().filter_map(|path| package.files().length(path)).sum();
    let info = BagInfo { bagging_date: "2026-11-20".into(), octets, files: payload.len() as u64 };
    package.insert("bagit.txt", BAGIT_TXT);
    package.insert("bag-info.txt", info.encode());
    package.insert("manifest-sha256.txt", manifest(package, &payload).encode());
}

/// Writes the tag manifest over everything else.
pub fn tag(package: &mut MemoryPackage) {
    let name = "tagmanifest-sha256.txt";
    let is_tag = |path: &&str| *path != name && Place::of(path).is_some_and(|p| !p.is_payload());
    let tags: Vec<String> = package.files().paths().filter(is_tag).map(str::to_owned).collect();
    package.insert(name, manifest(package, &tags).encode());
}

fn manifest(package: &MemoryPackage, paths: &[String]) -> Manifest {
    let hash = |path: &String| (path.clone(), Hash::of(&[package.bytes(path).unwrap_or_default()]));
    Manifest::of(&paths.iter().map(hash).collect())
}

/// The exhibit as a .zip under the folder `exhibit`.
#[must_use]
pub fn zipped(package: &MemoryPackage) -> Vec<u8> {
    let mut zip = unbroken_container::zip::ZipWriter::new(Vec::new(), "exhibit");
    for path in package.files().paths() {
        // Writing to memory does not fail.
        let _ = zip.add(path, package.bytes(path).unwrap_or_default());
    }
    zip.finish().unwrap_or_default()
}

/// The hex of a subject, for edits of text.
#[must_use]
pub fn subject_hex(subject: Subject) -> String {
    encode_hex(&subject.0)
}
