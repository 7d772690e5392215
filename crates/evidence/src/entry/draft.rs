//! Writes entries: the one text of a statement, and the note over it.

use crate::body::{Added, Body, Control, Ended, Recording, Ref, Rel};
use crate::entry::{FIRST_LINE, Statement, UnverifiedEntry};
use crate::error::FormError;
use crate::field::FieldsCommitment;
use crate::hash::encode_hex;
use crate::json::Value;
use crate::key::Signer;
use crate::narrow;

impl Statement {
    /// The text that is signed: two lines.
    ///
    /// # Errors
    /// `Malformed` when the statement breaks a rule of its form: our own mistake, never truncated.
    pub fn text(&self) -> Result<String, FormError> {
        let text = self.text_unchecked();
        if text.len() > crate::limits::ENTRY_TEXT_BYTES_MAX {
            let found = format!("{} bytes", text.len());
            return Err(FormError::malformed("entry text", "at most 16384 bytes", &found));
        }
        let line = text.strip_prefix(FIRST_LINE).unwrap_or_default().trim_matches('\n');
        Self::parse(line)?;
        Ok(text)
    }

    /// The text, whatever it says: for test vectors that break a rule on purpose.
    #[must_use]
    pub fn text_unchecked(&self) -> String {
        format!("{FIRST_LINE}\n{}\n", narrow::encode(&self.value()))
    }

    /// Signs this statement as the entry that it is.
    ///
    /// # Errors
    /// `Malformed` when it breaks a rule, or when `signer` is not the key that it names.
    pub fn sign(&self, signer: &Signer) -> Result<String, FormError> {
        let note = signer.sign_note(&self.text()?);
        let named = self.key == signer.verifier().hash();
        UnverifiedEntry::parse(note.as_bytes()).and_then(|_| {
            let found = signer.verifier().to_string();
            let expected = || format!("the key with hash {}", self.key);
            if named { Ok(note) } else { Err(FormError::malformed("signer", expected(), &found)) }
        })
    }

    fn value(&self) -> Value {
        let mut members = vec![
            ("at", Some(string(self.at.to_string()))),
            ("body", Some(body(&self.body))),
            ("control", self.control.map(string)),
            ("key", Some(string(self.key))),
            ("kind", Some(string(self.kind.name()))),
            ("number", Some(number(self.number))),
            ("origin", Some(string(&self.origin))),
            ("previous", self.previous.map(string)),
            ("signer", Some(string(&self.signer))),
            ("subject", self.subject.map(string)),
        ];
        object(&mut members)
    }
}

fn string(text: impl ToString) -> Value {
    Value::String(text.to_string())
}

fn number(number: u64) -> Value {
    Value::Number(number.to_string())
}

/// An object of the members that are present, in ascending order of their names.
fn object(members: &mut [(&str, Option<Value>)]) -> Value {
    members.sort_by_key(|(name, _)| *name);
    let present =
        |(name, value): &mut (&str, Option<Value>)| Some(((*name).to_owned(), value.take()?));
    Value::Object(members.iter_mut().filter_map(present).collect())
}

fn body(body: &Body) -> Value {
    match body {
        Body::Recording(recording) => recording_body(recording),
        Body::Control(control) => control_body(control),
        Body::Fields { fields, refs } => {
            object(&mut [("fields", Some(commitment(fields))), ("refs", list(refs, reference))])
        }
        Body::Unknown(refs) => object(&mut [("refs", list(refs, reference))]),
    }
}

fn list<T>(items: &[T], write: fn(&T) -> Value) -> Option<Value> {
    (!items.is_empty()).then(|| Value::Array(items.iter().map(write).collect()))
}

fn reference(item: &Ref) -> Value {
    let rel = match item.rel {
        Rel::Supersedes => "supersedes",
        Rel::About => "about",
        Rel::Erases => "erases",
    };
    let (index, leaf) = (number(item.index), string(item.leaf));
    object(&mut [("index", Some(index)), ("leaf", Some(leaf)), ("rel", Some(string(rel)))])
}

fn commitment(fields: &FieldsCommitment) -> Value {
    object(&mut [("count", Some(number(fields.count))), ("root", Some(string(fields.root)))])
}

fn recording_body(recording: &Recording) -> Value {
    let completeness = recording.completeness.map(|completeness| {
        let verdict = if completeness.complete { "complete" } else { "incomplete" };
        let policy = string(completeness.policy);
        object(&mut [("policy", Some(policy)), ("verdict", Some(string(verdict)))])
    });
    let content = &recording.content;
    let blocks = object(&mut [
        ("bytes", Some(number(content.block_bytes))),
        ("root", Some(string(content.block_root))),
    ]);
    let content = object(&mut [
        ("blake3", content.blake3.map(string)),
        ("blocks", Some(blocks)),
        ("sha256", content.sha256.map(string)),
        ("size", Some(number(content.size))),
    ]);
    object(&mut [
        ("completeness", completeness),
        ("content", Some(content)),
        ("fields", Some(commitment(&recording.fields))),
        ("media", Some(string(recording.media.name()))),
        ("refs", list(&recording.refs, reference)),
    ])
}

fn control_body(control: &Control) -> Value {
    let genesis = control.nonce.is_some();
    object(&mut [
        ("add", list(&control.add, added)),
        ("end", list(&control.end, ended)),
        ("fields", Some(commitment(&control.fields))),
        ("format", genesis.then(|| string(FIRST_LINE))),
        ("nonce", control.nonce.map(|nonce| string(encode_hex(&nonce)))),
        ("refs", list(&control.refs, reference)),
    ])
}

fn added(item: &Added) -> Value {
    let role = string(item.role.name());
    object(&mut [("role", Some(role)), ("vkey", Some(string(&item.key)))])
}

fn ended(item: &Ended) -> Value {
    let disputed_from = item.disputed_from.map(number);
    object(&mut [("disputed_from", disputed_from), ("key", Some(string(item.key)))])
}
