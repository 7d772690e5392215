//! Makes the entry of one recording: what is known of it, what its policy finds, and what it supersedes.

use unbroken_evidence::body::{Media, Ref, Rel, Subject};
use unbroken_evidence::content::BlockKey;
use unbroken_evidence::field::Value as Field;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::json::Value;
use unbroken_evidence::time::Time;
use unbroken_evidence::vocabulary::recording;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::{Lookup, ObjectState, Private};
use unbroken_ledger::random::subject;

use super::earlier::is_noncurrent;
use super::object::Object;
use super::{Sealing, Tools, Unread, Work, no_randomness};
use crate::capture::Captured;
use crate::layout::{Assembled, Identity, Role, is_json};
use crate::place::Place;
use crate::policy::{Document, Facts, Judged, Own, judge};
use crate::recording::{Companion, Material, of_object};
use crate::source::Listed;
use crate::state;

/// Entries that are looked at for the same id in another conversation: an id that everything has is none.
const NAMESAKES_MAX: usize = 64;

/// Which recording an entry is about, what it supersedes, and what is another since.
struct Story {
    subject: Subject,
    supersedes: Option<Ref>,
    change: Option<String>,
}

impl Work<'_> {
    /// The entry of a recording; `None` where what was sealed of it before is lost: private.db is damaged, the
    /// caller reports it, and the object stays unsettled.
    pub(super) fn sealing(
        &self,
        (objects, unread): (&[Object<'_>], &Unread),
        assembled: &Assembled,
        listed: &Listed,
        (captured, block_key): (Captured, BlockKey),
        known: Option<(u64, ObjectState)>,
        tools: &mut Tools,
    ) -> Result<Option<Sealing>, LedgerError> {
        let members: Vec<Companion<'_>> = assembled
            .companions
            .iter()
            .filter_map(|(place, role)| {
                let object = objects.get(*place)?;
                let captured = &object.captured.as_ref()?.0;
                let document = object.document.as_ref();
                Some(Companion { listed: object.listed, role: *role, captured, document })
            })
            .collect();
        let sidecar = members.iter().find(|c| c.role == Role::Sidecar).and_then(|c| c.document);
        let media = self.layout.media(&listed.key, sidecar);
        let own = objects.get(assembled.recording).and_then(|object| object.document.as_ref());
        let of = (listed, &captured);
        let (assembled, fields) = self.told(of, assembled, (media, &members, own));
        let (assembled, identity) = (&assembled, &assembled.identity);
        let Some(story) =
            story(known.as_ref(), super::companions(objects, assembled), &captured, tools)?
        else {
            return Ok(None);
        };
        let facts = Facts {
            elsewhere: self.elsewhere(identity, story.subject, &tools.private)?,
            sidecar_unread: self
                .layout
                .sidecars_of(&listed.key)
                .iter()
                .any(|key| unread.keys.contains(key)),
            organization: identity.organization.as_ref(),
            other_forms: members
                .iter()
                .filter(|member| !is_json(&member.listed.key))
                .map(|member| member.role)
                .collect(),
            roles: assembled.companions.iter().map(|(_, role)| *role).collect(),
            ..self.facts(listed, &captured, (media, &fields), &members, own)
        };
        let judged = self.policy.map_or_else(Judged::default, |(policy, _)| judge(policy, &facts));
        let material = Material {
            source: self.source,
            source_number: self.number,
            listed,
            captured: &captured,
            assembled,
            companions: members,
            media,
            fields,
            findings: &judged.findings,
            policy: self.policy.map(|(_, leaf)| leaf),
            subject: story.subject,
            supersedes: story.supersedes,
            block_key,
        };
        let entry = material.entry(&mut tools.random).map_err(no_randomness)?;
        Ok(Some(Sealing { entry, key: listed.key.clone(), judged, change: story.change }))
    }

    /// What object and layout say of a recording; ids that only a value of it tells are its own from here on.
    fn told(
        &self,
        (listed, captured): (&Listed, &Captured),
        assembled: &Assembled,
        (media, members, own): (Media, &[Companion<'_>], Option<&Value>),
    ) -> (Assembled, Vec<Field>) {
        let mut assembled = assembled.clone();
        let of_object =
            |identity: &Identity| of_object(self.source, self.layout, listed, captured, identity);
        let fields = of_object(&assembled.identity);
        let at = |place: &Place| {
            self.facts(listed, captured, (media, &fields), members, own).texts(place)
        };
        let said = self.layout.values(&listed.key, &mut assembled.identity, &at);
        let Some(said) = said else { return (assembled, fields) };
        let fields = of_object(&assembled.identity);
        (assembled, fields.into_iter().chain(said).collect())
    }

    /// What a policy is held against.
    fn facts<'a>(
        &'a self,
        listed: &'a Listed,
        captured: &'a Captured,
        (media, fields): (Media, &'a [Field]),
        members: &[Companion<'a>],
        own: Option<&'a Value>,
    ) -> Facts<'a> {
        let is_unread = own.is_none() && self.layout.reads(&listed.key);
        let companions = members.iter().filter_map(|member| {
            Some(Document { role: Some(member.role), value: member.document? })
        });
        Facts {
            layout: self.layout,
            media,
            key: &listed.key,
            organization: None,
            size: captured.digests.size,
            fields,
            documents: companions.chain(own.map(|value| Document { role: None, value })).collect(),
            own: if is_unread { Own::Unread } else { Own::Read },
            roles: Vec::new(),
            other_forms: Vec::new(),
            sidecar_unread: false,
            has_attributes: self.source.folder().is_none(),
            ends: captured.ends.as_deref(),
            observed: captured.end,
            modified: Time::parse(&listed.modified).ok(),
            elsewhere: None,
        }
    }

    /// An entry about another recording that has this one's id and another conversation.
    fn elsewhere(
        &self,
        identity: &Identity,
        subject: Subject,
        private: &Private,
    ) -> Result<Option<u64>, LedgerError> {
        let named = identity.recording.as_ref().zip(identity.conversation.as_ref());
        let is_asked = self.policy.is_some_and(|(policy, _)| policy.asks_for_one_conversation());
        let Some((id, conversation)) = named.filter(|_| is_asked && !self.is_new) else {
            return Ok(None);
        };
        let namesakes = private.find_some(Lookup::Recording, id.as_bytes(), NAMESAKES_MAX)?;
        for index in namesakes {
            let of_another = private.object(index)?.is_some_and(|state| state.subject != subject);
            let Some((_, opening)) = private.opening(index)?.filter(|_| of_another) else {
                continue;
            };
            let said = |pointer| opening.value(recording::SOURCE, pointer);
            let is_other = said(recording::CONVERSATION).is_some_and(|said| said != conversation);
            if said(recording::ID) == Some(id.as_str()) && is_other {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
}

fn story(
    known: Option<&(u64, ObjectState)>,
    companions: Hash,
    captured: &Captured,
    tools: &mut Tools,
) -> Result<Option<Story>, LedgerError> {
    let Some((index, state)) = known else {
        let subject = subject(&mut tools.random).map_err(no_randomness)?;
        return Ok(Some(Story { subject, supersedes: None, change: None }));
    };
    let Some((leaf, _)) = tools.private.opening(*index)? else { return Ok(None) };
    let what = if state.sha256 != captured.digests.sha256 {
        "its bytes changed"
    } else if is_noncurrent(state) {
        "it is there as the current version"
    } else if state.companions != companions {
        "a companion appeared, changed or is gone"
    } else {
        "the time is over in which a companion could come"
    };
    let seen = state::since(&tools.private, (*index, state), &captured.attributes)?;
    let seen = seen.map(|said| format!("; {said}")).unwrap_or_default();
    Ok(Some(Story {
        subject: state.subject,
        supersedes: Some(Ref { index: *index, leaf, rel: Rel::Supersedes }),
        change: Some(format!("{what} since entry {index}, which this one supersedes{seen}")),
    }))
}
