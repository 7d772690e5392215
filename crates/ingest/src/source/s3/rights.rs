//! What may be read of an object besides its bytes. S3 leaves lock, hold and number of tags out of an answer,
//! without an error, where the permission to see them is missing: what is not there proves nothing until it
//! was asked for by name, once for each top folder.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::types::Tag;
use unbroken_container::s3::{Bounded, Failure};

use super::S3Connection;
use crate::error::Problem;
use crate::source::Attribute;

/// Top folders of which it is asked; of those after these nobody knows.
const FOLDERS_MAX: usize = 1_000;

/// Whether one thing may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Readable {
    /// It may, and is told when it is there.
    Yes,
    /// It may, and only an own question tells whether it is there.
    IfAsked,
    /// It may not: the permission that is missing.
    Denied(&'static str),
    /// Nobody knows.
    Unknown(String),
}

impl Readable {
    /// The words of an entry (spec/fields.md).
    fn text(&self) -> String {
        match self {
            Self::Yes | Self::IfAsked => "yes".to_owned(),
            Self::Denied(permission) => format!("no: {permission}"),
            Self::Unknown(why) => format!("not known: {why}"),
        }
    }

    fn of<T>(asked: &Result<T, Failure>, permission: &'static str) -> Self {
        match asked {
            Ok(_) | Err(Failure::NotSet | Failure::NoLocks) => Self::Yes,
            Err(Failure::Denied(_)) => Self::Denied(permission),
            Err(failure) => Self::Unknown(failure.to_string()),
        }
    }
}

/// What may be read of the objects of one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) tags: Readable,
    pub(super) hold: Readable,
    pub(super) retention: Readable,
}

const TAGS: &str = "s3:GetObjectTagging and s3:GetObjectVersionTagging";
const HOLD: &str = "s3:GetObjectLegalHold";
const RETENTION: &str = "s3:GetObjectRetention";

/// One object of a bucket, by name.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    /// Empty: the newest.
    pub(super) version: &'a str,
}

impl Named<'_> {
    fn version(&self) -> Option<String> {
        (!self.version.is_empty()).then(|| self.version.to_owned())
    }
}

/// What is known of the folders so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(Arc<Mutex<BTreeMap<String, Arc<Rights>>>>);

impl Known {
    /// The rights in the top folder of `named`; the first object of a folder stands for all.
    pub(super) fn of(
        &self,
        connection: &S3Connection,
        named: Named<'_>,
    ) -> Result<Arc<Rights>, Failure> {
        let folder = named.key.split_once('/').map_or("", |(folder, _)| folder);
        // Whoever asks holds the lock: the others wait for the answer.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rights) = known.get(folder) {
            return Ok(Arc::clone(rights));
        }
        if known.len() >= FOLDERS_MAX {
            let unknown = || Readable::Unknown(format!("more than {FOLDERS_MAX} top folders"));
            let (tags, hold, retention) = (unknown(), unknown(), unknown());
            return Ok(Arc::new(Rights { tags, hold, retention }));
        }
        let rights = Arc::new(connection.runtime.block_on(ask(connection, named))?);
        known.insert(folder.to_owned(), Arc::clone(&rights));
        Ok(rights)
    }

    /// What may not be read, for the summary: one line for each folder and permission.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |(folder, rights): (&String, &Arc<Rights>)| {
            let all =
                [("tags", &rights.tags), ("holds", &rights.hold), ("retention", &rights.retention)];
            let denied = all.into_iter().filter_map(|(what, readable)| match readable {
                Readable::Denied(permission) => Some((what, *permission)),
                _ => None,
            });
            let key = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            let told = denied.map(|(what, permission)| {
                let what = format!(
                    "{what} cannot be read, and none is proven to be absent: grant {permission} (docs/s3.md)"
                );
                Problem::new(key.as_bytes(), what)
            });
            told.collect::<Vec<_>>()
        };
        known.iter().flat_map(of).collect()
    }
}

async fn ask(connection: &S3Connection, named: Named<'_>) -> Result<Rights, Failure> {
    let tags = tags(connection, named).await;
    let hold = hold(connection, named).await;
    let retention = retention(connection, named).await;
    // A question that was not answered is asked again of the next object.
    for failure in [tags.as_ref().err(), hold.as_ref().err(), retention.as_ref().err()] {
        failure.filter(|failure| !is_an_answer(failure)).map_or(Ok(()), |f| Err(f.clone()))?;
    }
    let has_locks = !matches!((&hold, &retention), (Err(Failure::NoLocks), Err(Failure::NoLocks)));
    let mut rights = Rights {
        tags: Readable::of(&tags, TAGS),
        hold: Readable::of(&hold, HOLD),
        retention: Readable::of(&retention, RETENTION),
    };
    // AWS says it with each object, to whoever may know it. Of others that is not certain.
    if !connection.is_aws() {
        for (readable, is_possible) in [
            (&mut rights.tags, true),
            (&mut rights.hold, has_locks),
            (&mut rights.retention, has_locks),
        ] {
            if *readable == Readable::Yes && is_possible {
                *readable = Readable::IfAsked;
            }
        }
    }
    Ok(rights)
}

pub(super) async fn tags(connection: &S3Connection, named: Named<'_>) -> Result<Vec<Tag>, Failure> {
    let s3 = &connection.s3;
    let asked = s3.insist(|| {
        let request = s3.client.get_object_tagging().bucket(named.bucket).key(named.key);
        let request = request.set_version_id(named.version());
        request.set_request_payer(s3.request_payer.clone()).customize().interceptor(Bounded).send()
    });
    Ok(asked.await?.tag_set)
}

async fn hold(connection: &S3Connection, named: Named<'_>) -> Result<Option<String>, Failure> {
    let s3 = &connection.s3;
    let asked = s3.insist(|| {
        let request = s3.client.get_object_legal_hold().bucket(named.bucket).key(named.key);
        let request = request.set_version_id(named.version());
        request.set_request_payer(s3.request_payer.clone()).customize().interceptor(Bounded).send()
    });
    let status = asked.await?.legal_hold.and_then(|hold| hold.status);
    Ok(status.map(|status| status.as_str().to_owned()))
}

async fn retention(
    connection: &S3Connection,
    named: Named<'_>,
) -> Result<(Option<String>, Option<String>), Failure> {
    let s3 = &connection.s3;
    let asked = s3.insist(|| {
        let request = s3.client.get_object_retention().bucket(named.bucket).key(named.key);
        let request = request.set_version_id(named.version());
        request.set_request_payer(s3.request_payer.clone()).customize().interceptor(Bounded).send()
    });
    let retention = asked.await?.retention;
    let mode = retention.as_ref().and_then(|kept| kept.mode().map(|mode| mode.as_str().to_owned()));
    let until = retention.as_ref().and_then(|kept| kept.retain_until_date().map(super::time));
    Ok((mode, until))
}

/// What is asked for by name beside the answer that brought an object's bytes: its tags where it has any, and
/// lock and hold where the server does not tell them unasked; `by_name`: all of it. Without a right to know it, it says so.
pub(super) fn asked(
    connection: &S3Connection,
    named: Named<'_>,
    rights: &Rights,
    has_tags: bool,
    by_name: bool,
) -> Result<Vec<Attribute>, Failure> {
    let mut attributes = Vec::new();
    let mut put = |source: &'static str, name: &str, value: &str| {
        attributes.push(Attribute { source, name: name.to_owned(), value: value.to_owned() });
    };
    let Rights {
        tags: mut readable_tags,
        hold: mut readable_hold,
        retention: mut readable_retention,
    } = rights.clone();
    for readable in [&mut readable_tags, &mut readable_hold, &mut readable_retention] {
        if by_name && *readable == Readable::Yes {
            *readable = Readable::IfAsked;
        }
    }
    if readable_tags == Readable::IfAsked || has_tags && readable_tags == Readable::Yes {
        match connection.runtime.block_on(tags(connection, named)) {
            Ok(tags) => tags.iter().for_each(|tag| put("s3-tag", tag.key(), tag.value())),
            failed => readable_tags = not_now(failed, TAGS)?,
        }
    }
    if readable_hold == Readable::IfAsked {
        match connection.runtime.block_on(hold(connection, named)) {
            Ok(status) => status.iter().for_each(|status| put("object-lock", "legal-hold", status)),
            failed => readable_hold = not_now(failed, HOLD)?,
        }
    }
    if readable_retention == Readable::IfAsked {
        match connection.runtime.block_on(retention(connection, named)) {
            Ok((mode, until)) => {
                mode.iter().for_each(|mode| put("object-lock", "mode", mode));
                until.iter().for_each(|until| put("object-lock", "retain-until", until));
            }
            failed => readable_retention = not_now(failed, RETENTION)?,
        }
    }
    put("s3-readable", "tags", &readable_tags.text());
    put("s3-readable", "legal-hold", &readable_hold.text());
    put("s3-readable", "retention", &readable_retention.text());
    Ok(attributes)
}

/// Whether a failure says how things are, and not that nobody could tell.
const fn is_an_answer(failure: &Failure) -> bool {
    matches!(failure, Failure::NotSet | Failure::NoLocks | Failure::NotKnown | Failure::Denied(_))
}

/// One object's own refusal; where nobody could tell, nothing is said.
fn not_now<T>(failed: Result<T, Failure>, permission: &'static str) -> Result<Readable, Failure> {
    match failed {
        Err(failure) if !is_an_answer(&failure) => Err(failure),
        failed => Ok(Readable::of(&failed, permission)),
    }
}
