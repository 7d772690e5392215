//! Makes the entry of a recording: what is committed, what stands in the clear.

use unbroken_evidence::body::{Body, Completeness, Content, Media, Recording, Ref, Subject};
use unbroken_evidence::content::{BLOCK_BYTES_DEFAULT, BlockKey};
use unbroken_evidence::document;
use unbroken_evidence::field::{FieldSet, Value, pointer_segment};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::json;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::vocabulary::{companion, finding, object};
use unbroken_ledger::private::{
    Document, Lookup, ObjectState, Row, Watched, companions_digest, object_value,
};
use unbroken_ledger::random::{Random, Seed};
use unbroken_ledger::seal::NewEntry;

use crate::capture::Captured;
use crate::layout::{Assembled, Identity, Layout, Role};
use crate::policy::Finding;
use crate::source::{Attribute, Listed, Source};

/// A companion and what was captured of it.
pub(crate) struct Companion<'a> {
    pub(crate) listed: &'a Listed,
    pub(crate) role: Role,
    pub(crate) captured: &'a Captured,
    pub(crate) document: Option<&'a json::Value>,
}

/// Everything that an entry about a recording is made of.
pub(crate) struct Material<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) source_number: i64,
    pub(crate) listed: &'a Listed,
    pub(crate) captured: &'a Captured,
    pub(crate) assembled: &'a Assembled,
    pub(crate) companions: Vec<Companion<'a>>,
    pub(crate) media: Media,
    /// What [`of_object`] gives.
    pub(crate) fields: Vec<Value>,
    pub(crate) findings: &'a [Finding],
    /// The leaf of the policy entry, where a policy applies.
    pub(crate) policy: Option<Hash>,
    pub(crate) subject: Subject,
    pub(crate) supersedes: Option<Ref>,
    pub(crate) block_key: BlockKey,
}

impl Material<'_> {
    /// The entry, and what private.db keeps of it.
    pub(crate) fn entry(mut self, random: &mut dyn Random) -> std::io::Result<NewEntry> {
        let values = self.values();
        let seed = Seed::draw(random)?;
        let mut salts = seed.salts();
        let set = FieldSet::seal(values, &mut || salts.next_salt());
        let digests = &self.captured.digests;
        let clear = self.media.shows_digests();
        let complete = self.findings.is_empty();
        let completeness = self.policy.map(|policy| Completeness { policy, complete });
        let block_root = digests.block_roots.first().copied();
        let body = Body::Recording(Recording {
            completeness,
            content: Content {
                blake3: clear.then_some(digests.blake3),
                block_bytes: BLOCK_BYTES_DEFAULT,
                block_root: block_root.unwrap_or_else(unbroken_evidence::tree::empty_root),
                sha256: clear.then_some(digests.sha256),
                size: digests.size,
            },
            fields: set.commitment(),
            media: self.media,
            refs: self.supersedes.into_iter().collect(),
        });
        let row = self.row(Opening::of(set, Some(self.block_key)), seed);
        Ok(NewEntry { kind: Kind::Recording, subject: Some(self.subject), body, row })
    }

    fn row(&self, opening: Opening, seed: Seed) -> Row {
        let digests = &self.captured.digests;
        let object = object_value(self.source.name(), &self.listed.key);
        let mut lookups = vec![
            Lookup::Sha256.prefix(digests.sha256.to_string().as_bytes()),
            Lookup::Object.prefix(&object),
        ];
        let identity = &self.assembled.identity;
        // By the ids of the sidecar, and of path and name where those are others: whoever asks for
        // a conversation must not miss what lies in its folder.
        for (lookup, ids) in [
            (Lookup::Conversation, [&identity.conversation, &identity.path_conversation]),
            (Lookup::Recording, [&identity.recording, &identity.path_recording]),
        ] {
            let ids = ids.into_iter().flatten();
            lookups.extend(ids.map(|id| lookup.prefix(id.as_bytes())));
        }
        let each = self.companions.iter().map(|companion| {
            (
                companion.listed.key.as_slice(),
                companion.role.name(),
                &companion.captured.digests.sha256,
            )
        });
        let state = ObjectState {
            source: self.source_number,
            key: self.listed.key.clone(),
            stamp: self.listed.stamp.clone(),
            subject: self.subject,
            sha256: digests.sha256,
            companions: companions_digest(each),
            incomplete: !self.findings.is_empty(),
        };
        let hold = |one: &&Attribute| one.source == "object-lock" && one.name == "legal-hold";
        let hold = self.captured.attributes.iter().find(hold);
        let watched = Watched {
            source: self.source_number,
            key: self.listed.key.clone(),
            subject: self.subject,
            gone: false,
            held: hold.is_some_and(|hold| hold.value == "ON"),
            checked: self.captured.end.unix_ms(),
        };
        let documents = self.companions.iter().filter_map(|companion| {
            let bytes = companion.captured.bytes.clone()?;
            Some(Document { key: companion.listed.key.clone(), bytes })
        });
        Row {
            opening,
            seed: Some(seed),
            lookups,
            object: Some(state),
            watched: Some(watched),
            documents: documents.collect(),
            ..Row::default()
        }
    }

    fn values(&mut self) -> Vec<Value> {
        let mut values = std::mem::take(&mut self.fields);
        for (number, found) in self.findings.iter().enumerate() {
            let pointer = format!("/{number}");
            values.push(Value::string(finding::SOURCE, &pointer, &found.to_string()));
        }
        for (number, companion) in self.companions.iter().enumerate() {
            self.companion(number, companion, &mut values);
        }
        values
    }

    fn companion(&self, number: usize, companion: &Companion<'_>, values: &mut Vec<Value>) {
        let Companion { listed, role, captured, document } = companion;
        let pointer = |name: &str| format!("/{number}/{name}");
        values.push(Value::text_or_bytes("companion", &pointer("key"), &listed.key));
        values.push(Value::string("companion", &pointer("role"), role.name()));
        values.push(Value::string(
            "companion",
            &pointer("sha256"),
            &captured.digests.sha256.to_string(),
        ));
        values.push(Value::number("companion", &pointer("size"), captured.digests.size));
        let is_version =
            |said: &&Attribute| said.source == object::SOURCE && said.name == "version";
        let said = captured.attributes.iter().find(is_version).map(|version| &version.value);
        let version = said.unwrap_or(&listed.version);
        for (name, value) in [(companion::ETAG, &listed.etag), (companion::VERSION, version)] {
            if !value.is_empty() {
                values.push(Value::string("companion", &pointer(name), value));
            }
        }
        if *role == Role::Sidecar
            && let Some(document) = document
            && document::may_be_fields(document)
        {
            values.extend(document::values("sidecar", document));
        }
    }
}

/// What is committed of an object itself: its bytes, its place, what its store says of it, and what the
/// layout says that it is.
pub(crate) fn of_object(
    source: &dyn Source,
    layout: &Layout,
    listed: &Listed,
    captured: &Captured,
    identity: &Identity,
) -> Vec<Value> {
    let digests = &captured.digests;
    let mut values = Vec::with_capacity(48);
    let mut text = |source: &str, pointer: &str, value: &str| {
        if !value.is_empty() {
            values.push(Value::string(source, pointer, value));
        }
    };
    text("content", "/sha256", &digests.sha256.to_string());
    text("content", "/blake3", &digests.blake3.to_string());
    text("object", "/store", source.store());
    text("object", "/bucket", source.bucket());
    text("object", "/etag", &listed.etag);
    text("object", "/modified", &listed.modified);
    text("observed", "/start", &captured.start.to_string());
    text("observed", "/end", &captured.end.to_string());
    text("observed", "/clock", "system clock");
    text("observed", "/offset", "not measured");
    text("recording", "/platform", layout.platform().unwrap_or_default());
    text("recording", "/organization", identity.organization.as_deref().unwrap_or_default());
    text("recording", "/conversation", identity.conversation.as_deref().unwrap_or_default());
    text("recording", "/id", identity.recording.as_deref().unwrap_or_default());
    let in_path = identity.path_conversation.as_deref().unwrap_or_default();
    text("recording", "/path/conversation", in_path);
    text("recording", "/path/id", identity.path_recording.as_deref().unwrap_or_default());
    // A tag may be empty, and is there all the same.
    for Attribute { source, name, value } in &captured.attributes {
        values.push(Value::string(source, &pointer_segment(name), value));
    }
    values.push(Value::string("object", "/version", &listed.version));
    values.push(Value::text_or_bytes("object", "/key", &listed.key));
    values.push(Value::number("content", "/size", digests.size));
    values
}
