//! The bodies of entries, kind by kind (spec/entry.md, spec/control.md).

use std::fmt;

use crate::error::FormError;
use crate::field::FieldsCommitment;
use crate::hash::{Hash, decode_hex, encode_hex};
use crate::json::Value;
use crate::key::VerifierKey;
use crate::kind::Kind;
use crate::limits::FIELDS_MAX;
use crate::members::Members;

/// What an entry is about: random, minted with a recording's first entry, no meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(pub [u8; 16]);

impl Subject {
    /// Reads exactly 32 lower-case hex digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        decode_hex(text).map(Self)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_hex(&self.0))
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The medium of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Media {
    /// A telephone call.
    Call,
    /// A recording of a screen.
    Screen,
    /// A web chat.
    Chat,
    /// A message conversation, WhatsApp or SMS for instance.
    Message,
    /// An e-mail.
    Email,
    /// Not known.
    Unknown,
}

impl Media {
    /// Every medium, with the name that stands in an entry.
    pub const ALL: [(&'static str, Self); 6] = [
        ("call", Self::Call),
        ("screen", Self::Screen),
        ("chat", Self::Chat),
        ("message", Self::Message),
        ("email", Self::Email),
        ("unknown", Self::Unknown),
    ];

    /// The name that stands in an entry.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// The medium of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, media)| media)
    }

    /// Whether the digests may stand in the clear: only where the content cannot be guessed.
    #[must_use]
    pub const fn shows_digests(self) -> bool {
        matches!(self, Self::Call | Self::Screen)
    }
}

/// How an entry refers to a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rel {
    /// It takes the other's place.
    Supersedes,
    /// It speaks of the other.
    About,
    /// It erases openings of the other.
    Erases,
}

/// A reference to a lower entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ref {
    /// The index of the entry that is meant.
    pub index: u64,
    /// Its leaf.
    pub leaf: Hash,
    /// In which way.
    pub rel: Rel,
}

/// The clear part of what a recording entry says of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// BLAKE3, where it may stand in the clear.
    pub blake3: Option<Hash>,
    /// Bytes of a block: a power of two from 512 to 65,536.
    pub block_bytes: u64,
    /// The root over the salted blocks.
    pub block_root: Hash,
    /// SHA-256, where it may stand in the clear.
    pub sha256: Option<Hash>,
    /// The number of bytes.
    pub size: u64,
}

/// What the collector's policy said of a recording: a statement, not a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completeness {
    /// The leaf of the `policy` entry.
    pub policy: Hash,
    /// Whether everything that the policy asks for was there.
    pub complete: bool,
}

/// The body of a `recording` entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Absent where no policy applies.
    pub completeness: Option<Completeness>,
    /// The bytes.
    pub content: Content,
    /// Everything else, committed.
    pub fields: FieldsCommitment,
    /// The medium.
    pub media: Media,
    /// References to lower entries.
    pub refs: Vec<Ref>,
}

/// What a key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Control entries.
    Control,
    /// Checkpoints.
    Log,
    /// All other entries.
    Collector,
}

impl Role {
    /// The name that stands in an entry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Log => "log",
            Self::Collector => "collector",
        }
    }
}

/// A key that a control entry adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// What it may sign.
    pub role: Role,
    /// The key.
    pub key: VerifierKey,
}

/// A key that a control entry ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The first index from which its signatures are not relied on.
    pub disputed_from: Option<u64>,
    /// SHA-256 of its verifier key string.
    pub key: Hash,
}

/// The body of a `control` entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Keys that it adds.
    pub add: Vec<Added>,
    /// Keys that it ends.
    pub end: Vec<Ended>,
    /// Committed fields.
    pub fields: FieldsCommitment,
    /// Sixteen random bytes that make the ledger unique; in the genesis only.
    pub nonce: Option<[u8; 16]>,
    /// References to lower entries.
    pub refs: Vec<Ref>,
}

/// The body of any entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Of a `recording`.
    Recording(Recording),
    /// Of a `control` entry.
    Control(Control),
    /// Of the other known kinds: all that they say is committed.
    Fields {
        /// What they say.
        fields: FieldsCommitment,
        /// References to lower entries.
        refs: Vec<Ref>,
    },
    /// Of a kind that this version does not know; its references are read if they can be.
    Unknown(Vec<Ref>),
}

impl Body {
    /// Reads the body of an entry of `kind`; `genesis` when the entry has no `control` member. A
    /// relation that is not known makes the whole kind unknown.
    pub(crate) fn parse(
        kind: Kind,
        value: &Value,
        genesis: bool,
    ) -> Result<(Kind, Self), FormError> {
        if !kind.is_known() {
            // What a later kind calls `refs` is its own affair, unless it has our form.
            let refs = refs(value).ok().and_then(Result::ok).unwrap_or_default();
            return Ok((kind, Self::Unknown(refs)));
        }
        let refs = match refs(value)? {
            Ok(refs) => refs,
            Err(rel) if kind == Kind::Control => {
                return Err(FormError::unsupported("refs rel", rel));
            }
            Err(_) => {
                return Ok((Kind::Unknown(kind.name().to_owned()), Self::Unknown(Vec::new())));
            }
        };
        let body = match kind {
            Kind::Recording => recording(value, refs)?,
            Kind::Control => control(value, refs, genesis)?,
            _ => {
                let mut members = Members::of("body", value)?;
                let fields = fields(&mut members)?;
                members.optional("refs");
                members.finish()?;
                Self::Fields { fields, refs }
            }
        };
        Ok((kind, body))
    }

    /// The references to lower entries.
    #[must_use]
    pub fn refs(&self) -> &[Ref] {
        match self {
            Self::Recording(Recording { refs, .. })
            | Self::Control(Control { refs, .. })
            | Self::Fields { refs, .. }
            | Self::Unknown(refs) => refs,
        }
    }

    /// The commitment to the fields; none for an unknown kind.
    #[must_use]
    pub const fn fields(&self) -> Option<&FieldsCommitment> {
        match self {
            Self::Recording(Recording { fields, .. })
            | Self::Control(Control { fields, .. })
            | Self::Fields { fields, .. } => Some(fields),
            Self::Unknown(_) => None,
        }
    }
}

fn fields(members: &mut Members<'_>) -> Result<FieldsCommitment, FormError> {
    let mut inner = Members::of("fields", members.required("fields")?)?;
    let (count, root) = (inner.integer("count")?, inner.hash("root")?);
    inner.finish()?;
    if count == 0 || count % 8 != 0 || count > FIELDS_MAX {
        let expected = format!("a multiple of 8 from 8 to {FIELDS_MAX}");
        return Err(FormError::malformed("fields count", expected, &count.to_string()));
    }
    Ok(FieldsCommitment { count, root })
}

/// The references of a body, or the first relation that is not known, which makes the whole kind
/// unknown.
fn refs(body: &Value) -> Result<Result<Vec<Ref>, &str>, FormError> {
    let Some(value) = body.member("refs") else { return Ok(Ok(Vec::new())) };
    let Some(elements) = value.as_array() else {
        return Err(FormError::malformed("refs", "an array", "another type"));
    };
    let mut refs = Vec::new();
    for element in elements {
        let mut members = Members::of("refs", element)?;
        let (index, leaf) = (members.integer("index")?, members.hash("leaf")?);
        let rel = match members.string("rel")? {
            "supersedes" => Rel::Supersedes,
            "about" => Rel::About,
            "erases" => Rel::Erases,
            unknown => return Ok(Err(unknown)),
        };
        members.finish()?;
        refs.push(Ref { index, leaf, rel });
    }
    Ok(Ok(refs))
}

fn recording(body: &Value, refs: Vec<Ref>) -> Result<Body, FormError> {
    let mut members = Members::of("body", body)?;
    let completeness = members.optional("completeness").map(completeness).transpose()?;
    let content = content(members.required("content")?)?;
    let fields = fields(&mut members)?;
    let name = members.string("media")?;
    let media = Media::from_name(name).ok_or_else(|| FormError::unsupported("media", name))?;
    members.optional("refs");
    members.finish()?;
    if !media.shows_digests() && (content.sha256.is_some() || content.blake3.is_some()) {
        let expected = format!("no digest in the clear for media `{name}`");
        return Err(FormError::malformed("content", expected, "one"));
    }
    Ok(Body::Recording(Recording { completeness, content, fields, media, refs }))
}

fn completeness(value: &Value) -> Result<Completeness, FormError> {
    let mut members = Members::of("completeness", value)?;
    let policy = members.hash("policy")?;
    let complete = match members.string("verdict")? {
        "complete" => true,
        "incomplete" => false,
        other => return Err(FormError::unsupported("completeness verdict", other)),
    };
    members.finish()?;
    Ok(Completeness { policy, complete })
}

fn content(value: &Value) -> Result<Content, FormError> {
    let mut members = Members::of("content", value)?;
    let (blake3, sha256) = (members.optional_hash("blake3")?, members.optional_hash("sha256")?);
    let size = members.integer("size")?;
    let mut blocks = Members::of("blocks", members.required("blocks")?)?;
    let (block_bytes, block_root) = (blocks.integer("bytes")?, blocks.hash("root")?);
    blocks.finish()?;
    members.finish()?;
    if !block_bytes.is_power_of_two() || !(512..=65_536).contains(&block_bytes) {
        let found = block_bytes.to_string();
        return Err(FormError::malformed("blocks bytes", "a power of two, 512 to 65536", &found));
    }
    Ok(Content { blake3, block_bytes, block_root, sha256, size })
}

fn control(body: &Value, refs: Vec<Ref>, genesis: bool) -> Result<Body, FormError> {
    let mut members = Members::of("body", body)?;
    let fields = fields(&mut members)?;
    let add = each(members.optional("add"), added)?;
    let mut nonce = None;
    let mut end = Vec::new();
    if genesis {
        let format = members.string("format")?;
        if format != "unbroken/entry@v1" {
            return Err(FormError::unsupported("format", format));
        }
        let text = members.string("nonce")?;
        let refused = || FormError::malformed("nonce", "32 lower-case hex digits", text);
        nonce = Some(decode_hex(text).ok_or_else(refused)?);
    } else {
        end = each(members.optional("end"), ended)?;
        members.optional("refs");
    }
    members.finish()?;
    if add.is_empty() && end.is_empty() {
        return Err(FormError::malformed("control body", "`add` or `end`", "neither"));
    }
    Ok(Body::Control(Control { add, end, fields, nonce, refs }))
}

fn each<T>(
    value: Option<&Value>,
    read: fn(&Value) -> Result<T, FormError>,
) -> Result<Vec<T>, FormError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let Some(elements) = value.as_array() else {
        return Err(FormError::malformed("control body", "an array", "another type"));
    };
    elements.iter().map(read).collect()
}

fn added(value: &Value) -> Result<Added, FormError> {
    let mut members = Members::of("add", value)?;
    let role = match members.string("role")? {
        "control" => Role::Control,
        "log" => Role::Log,
        "collector" => Role::Collector,
        other => return Err(FormError::unsupported("role", other)),
    };
    let key = VerifierKey::parse(members.string("vkey")?)?;
    members.finish()?;
    Ok(Added { role, key })
}

fn ended(value: &Value) -> Result<Ended, FormError> {
    let mut members = Members::of("end", value)?;
    let disputed_from = members.optional_integer("disputed_from")?;
    let key = members.hash("key")?;
    members.finish()?;
    Ok(Ended { disputed_from, key })
}
