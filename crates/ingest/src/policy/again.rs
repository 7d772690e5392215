//! What a policy would have said of a recording that is sealed, from its opening and its metadata files.

use std::collections::BTreeSet;

use unbroken_evidence::body::Body;
use unbroken_evidence::document::parse_document;
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::field::{FieldType, Value as Field};
use unbroken_evidence::json::Value;
use unbroken_evidence::opening::VerifiedOpening;
use unbroken_evidence::time::Time;
use unbroken_evidence::vocabulary::{companion, object, observed, recording, sidecar};
use unbroken_ledger::private::Document as Kept;

use super::code::{Finding, Remark};
use super::facts::{Document, Facts, Own};
use super::judge::judge;
use super::{Judged, Policy};
use crate::layout::{Layout, Role, is_json};

/// What a policy would have said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// What is missing, invalid or at odds.
    pub findings: Vec<Finding>,
    /// What nobody here can give; and what only the bytes of the recording tell.
    pub remarks: BTreeSet<Remark>,
}

/// Holds a sealed recording against `policy`; `None` where the entry is about none. Its container and its own
/// document are not looked at: only what was sealed of it is at hand.
#[must_use]
pub fn again(
    policy: &Policy,
    entry: &UnverifiedEntry,
    opening: &VerifiedOpening,
    documents: &[Kept],
) -> Option<Again> {
    let Body::Recording(body) = &entry.statement().body else { return None };
    let fields: Vec<Field> = opening
        .fields()
        .map(|field| field.value.clone())
        .filter(|value| value.source != sidecar::SOURCE && value.field_type != FieldType::Pad)
        .collect();
    let Companions { roles, other_forms, read } = companions(&fields, documents);
    let documents = read.iter().map(|(role, value)| Document { role: Some(*role), value });
    let said = |source: &str, pointer: &str| opening.value(source, pointer);
    let organization = said(recording::SOURCE, "/organization").map(str::to_owned);
    let key = opening.opening().field(object::SOURCE, object::KEY);
    let key = key.map(|field| field.value.to_bytes()).unwrap_or_default();
    let when = said(observed::SOURCE, observed::END).and_then(|text| Time::parse(text).ok());
    let layout = Layout::of_platform(said(recording::SOURCE, "/platform"));
    let facts = Facts {
        layout: &layout,
        media: body.media,
        key: &key,
        organization: organization.as_ref(),
        size: body.content.size,
        fields: &fields,
        documents: documents.collect(),
        own: Own::NotAtHand,
        roles,
        other_forms,
        sidecar_unread: false,
        has_attributes: said(object::SOURCE, object::STORE) != Some(object::FOLDER),
        ends: None,
        observed: when.unwrap_or_else(|| entry.statement().at),
        modified: said(object::SOURCE, object::MODIFIED).and_then(|text| Time::parse(text).ok()),
        elsewhere: None,
    };
    let Judged { findings, remarks, .. } = judge(policy, &facts);
    Some(Again { findings, remarks })
}

/// The companions of a recording that is sealed.
#[derive(Default)]
struct Companions {
    roles: Vec<Role>,
    other_forms: Vec<Role>,
    read: Vec<(Role, Value)>,
}

/// The companions that are sealed, and what those say that were kept.
fn companions(fields: &[Field], documents: &[Kept]) -> Companions {
    let mut companions = Companions::default();
    let of = |number: usize, name: &str| {
        let pointer = format!("/{number}/{name}");
        let is_it = |field: &&Field| field.source == companion::SOURCE && field.pointer == pointer;
        fields.iter().find(is_it)
    };
    for number in 0.. {
        let Some(role) = of(number, companion::ROLE) else { break };
        let Some(role) = Role::ALL.into_iter().find(|known| known.name() == role.value) else {
            continue;
        };
        companions.roles.push(role);
        let key = of(number, companion::KEY).map(Field::to_bytes).unwrap_or_default();
        companions.other_forms.extend((!is_json(&key)).then_some(role));
        let kept = documents.iter().find(|document| document.key == *key);
        let value = kept.and_then(|document| parse_document(&document.bytes).ok());
        companions.read.extend(value.map(|value| (role, value)));
    }
    companions
}
