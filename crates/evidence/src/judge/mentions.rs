//! Which entries speak of an object, and in what role (O1 to O4).

use std::collections::{BTreeMap, BTreeSet};

use crate::body::{Body, Media, Rel, Subject};
use crate::disclosed::Disclosed;
use crate::entry::Statement;
use crate::hash::Hash;
use crate::judge::findings::Findings;
use crate::kind::Kind;
use crate::opening::Opening;
use crate::step::Step;
use crate::time::Time;

/// An object to be looked for: what it is called, and its bytes.
#[derive(Clone, Debug)]
pub struct Object {
    /// As it was given: a path or `s3://bucket/key`.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: Hash,
    /// BLAKE3 of its bytes.
    pub blake3: Hash,
    /// The number of its bytes.
    pub size: u64,
}

/// What an entry takes an object for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The recording that it is about.
    Recording,
    /// The companion of that number.
    Companion(u64),
}

/// An entry that speaks of the bytes of an object, or of the bytes that its key should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Its index.
    pub index: u64,
    /// When its signer's clock says it was made.
    pub at: Time,
    /// What it takes the object for.
    pub role: Role,
    /// The bytes that it commits to.
    pub sha256: Hash,
    /// Whether it commits to the key that the object was given under; `None` where it shows none.
    pub same_key: Option<bool>,
    /// Later entries that supersede it, and whether each commits to the same bytes.
    pub superseded_by: Vec<(u64, Option<bool>)>,
    /// The entries that it supersedes, and whether each commits to the same bytes.
    pub supersedes: Vec<(u64, Option<bool>)>,
    /// Other entries about the same recording: observations, custody.
    pub beside: Vec<(u64, Kind)>,
}

impl Mention {
    /// Whether bytes were replaced by others somewhere in its history.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        let mut others = self.superseded_by.iter().chain(&self.supersedes);
        others.any(|(_, same)| *same == Some(false))
    }
}

/// What the log says of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Entries with these bytes, ascending.
    Sealed(Vec<Mention>),
    /// An entry has the object's key and other bytes; these bytes are sealed under that key nowhere, but in
    /// so many entries perhaps that do not disclose what they commit to. And the entries that have these
    /// bytes under another key, ascending.
    OtherBytes(Box<Mention>, u64, Vec<Mention>),
    /// No entry that shows its digest has these bytes.
    NoMatch,
}

/// Recording entries that may commit to any bytes, for they do not disclose to which.
#[derive(Debug, Default)]
pub(crate) struct Undisclosed {
    /// As their recording, by its medium; `None` where this version does not know it.
    recordings: BTreeMap<Option<Media>, u64>,
    /// As a companion.
    companions: u64,
}

impl Undisclosed {
    /// Takes in a recording entry and whether it discloses all that it commits to.
    pub(crate) fn take(
        &mut self,
        media: Option<Media>,
        shows_digest: bool,
        shows_companions: bool,
    ) {
        *self.recordings.entry(media).or_default() += u64::from(!shows_digest);
        self.companions += u64::from(!shows_companions);
    }

    /// How many may commit to bytes in this role.
    fn of(&self, role: Role, media: Media) -> u64 {
        let is_perhaps = |other: &Option<Media>| match other {
            Some(other) => *other == media || *other == Media::Unknown,
            None => true,
        };
        let recordings = self.recordings.iter().filter(|(other, _)| is_perhaps(other));
        match role {
            Role::Recording => recordings.map(|(_, count)| count).sum(),
            Role::Companion(_) => self.companions,
        }
    }
}

/// What the judged entries say of objects.
#[derive(Default)]
pub(crate) struct Mentions {
    /// Bytes that entries commit to: bucket and key where they are shown.
    list: Vec<(Place, Commit)>,
    contents: BTreeMap<u64, Option<Hash>>,
    /// `supersedes`: the entry, then what it supersedes.
    superseding: Vec<(u64, u64)>,
    /// The recording entries among them.
    recordings: BTreeMap<u64, Subject>,
    /// The others, by the recording that they are about.
    subjects: BTreeMap<Subject, Vec<(u64, Kind)>>,
    undisclosed: Undisclosed,
    /// Recording entries whose digest is shown by their opening alone.
    pub(crate) opened: u64,
    /// Recording entries and the companions that each discloses.
    companions: BTreeSet<(u64, Hash)>,
    /// Recording entries that do not disclose all their companions.
    hiding: BTreeSet<u64>,
    /// Openings that were given and are not their entry's.
    pub(crate) unfit: Vec<u64>,
}

type Place = Option<(Option<String>, Vec<u8>)>;

struct Commit {
    index: u64,
    at: Time,
    subject: Option<Subject>,
    role: Role,
    media: Media,
    sha256: Hash,
    blake3: Option<Hash>,
    size: Option<u64>,
}

impl Mentions {
    /// `undisclosed`: what entries without an opening hide.
    pub(crate) fn new(undisclosed: Undisclosed) -> Self {
        Self { undisclosed, ..Self::default() }
    }

    /// Takes in an entry that was judged, with its opening, if one was given (V25 to V27).
    pub(crate) fn entry(
        &mut self,
        index: u64,
        statement: &Statement,
        opening: Option<Opening>,
        findings: &mut Findings,
    ) {
        match (&statement.kind, statement.subject) {
            (Kind::Recording, Some(subject)) => _ = self.recordings.insert(index, subject),
            _ => self.beside(index, statement),
        }
        let item = format!("opening {index}");
        let was_given = opening.is_some();
        let verified = opening.zip(statement.body.fields()).map(|(o, fields)| o.verify(fields));
        let opening = match verified {
            Some(Err(mismatch)) => {
                let why = format!("nothing was taken from it: it is not this entry's ({mismatch})");
                findings.not_established(Step::OpeningRoot, &item, &why);
                self.unfit.push(index);
                None
            }
            Some(Ok(opening)) => {
                findings.held(Step::OpeningRoot);
                Some(opening)
            }
            None => None,
        };
        let Body::Recording(recording) = &statement.body else { return };
        let disclosed = Disclosed::of(recording, opening.as_ref());
        for (pointer, clear, opened) in disclosed.differing().0 {
            let expected = format!("content{pointer} {clear}");
            findings.contradicted(Step::ClearValues, &item, &expected, opened);
        }
        // Those without an opening were counted at a glance.
        if was_given {
            let (digest, companions) =
                (disclosed.sha256().is_some(), !disclosed.hides_companions());
            self.undisclosed.take(Some(recording.media), digest, companions);
            self.opened += u64::from(digest && recording.content.sha256.is_none());
        }
        self.contents.insert(index, disclosed.sha256());
        if disclosed.hides_companions() {
            self.hiding.insert(index);
        }
        let superseding = recording.refs.iter().filter(|r| r.rel == Rel::Supersedes);
        self.superseding.extend(superseding.map(|reference| (index, reference.index)));
        let bucket = &disclosed.object().bucket;
        let commit = |role, sha256, blake3, size| Commit {
            index,
            at: statement.at,
            subject: statement.subject,
            role,
            media: recording.media,
            sha256,
            blake3,
            size,
        };
        if let Some(sha256) = disclosed.sha256() {
            let place = disclosed.object().key.clone().map(|key| (bucket.clone(), key));
            let commit =
                commit(Role::Recording, sha256, disclosed.blake3(), Some(disclosed.size()));
            self.list.push((place, commit));
        }
        for (number, companion) in disclosed.companions() {
            let Some(sha256) = companion.sha256 else { continue };
            let place = companion.key.clone().map(|key| (bucket.clone(), key));
            self.companions.insert((index, sha256));
            let commit = commit(Role::Companion(*number), sha256, None, companion.size);
            self.list.push((place, commit));
        }
    }

    /// An entry about a recording, or without a subject and with a reference to an entry of one (A8).
    fn beside(&mut self, index: u64, statement: &Statement) {
        let named = statement.body.refs().iter();
        let named = named.filter_map(|reference| self.recordings.get(&reference.index).copied());
        let subjects: BTreeSet<Subject> = match statement.subject {
            Some(subject) => BTreeSet::from([subject]),
            None => named.collect(),
        };
        for subject in subjects {
            self.subjects.entry(subject).or_default().push((index, statement.kind.clone()));
        }
    }

    /// What the entries say of one object (O1 to O4).
    pub(crate) fn answer(&self, object: &Object, findings: &mut Findings) -> Answer {
        let mut sealed = Vec::new();
        let mut other = None;
        let mut sealed_under_key = false;
        for (place, commit) in &self.list {
            let same_key = place.as_ref().map(|place| is_named(object, place));
            if commit.sha256 == object.sha256 {
                sealed_under_key |= same_key != Some(false);
                self.held(object, commit, findings);
                sealed.push(self.mention(commit, same_key));
            } else if same_key == Some(true) {
                other = Some((self.mention(commit, same_key), commit.media));
            }
        }
        match other {
            Some((other, media)) if !sealed_under_key => {
                let perhaps = self.undisclosed.of(other.role, media);
                let (index, found) = (other.index, object.sha256);
                if perhaps == 0 {
                    let expected = format!("SHA-256 {}, as entry {index} says", other.sha256);
                    let found = format!("SHA-256 {found}");
                    findings.contradicted(Step::Recording, &object.name, &expected, &found);
                } else {
                    let why = format!(
                        "SHA-256 {found}, other bytes than entry {index} has; {perhaps} that hide theirs may be about it"
                    );
                    findings.not_established(Step::Recording, &object.name, &why);
                }
                Answer::OtherBytes(Box::new(other), perhaps, sealed)
            }
            _ if sealed.is_empty() => {
                let why = "no entry that shows its digest commits to these bytes";
                findings.not_established(Step::Recording, &object.name, why);
                Answer::NoMatch
            }
            _ => Answer::Sealed(sealed),
        }
    }

    /// V4: size and BLAKE3 of an object whose SHA-256 an entry commits to.
    fn held(&self, object: &Object, commit: &Commit, findings: &mut Findings) {
        let item = format!("{}, entry {}", object.name, commit.index);
        let size = commit.size.unwrap_or(object.size);
        let (expected, found) = (format!("{size} bytes"), format!("{} bytes", object.size));
        findings.check(size == object.size, Step::Recording, &item, &expected, &found);
        if let Some(blake3) = commit.blake3 {
            let (expected, found) = (format!("BLAKE3 {blake3}"), object.blake3.to_string());
            findings.check(blake3 == object.blake3, Step::Recording, &item, &expected, &found);
        }
    }

    /// Whether the recording entry at `index` has a companion of these bytes; `None` where it may.
    fn has_companion(&self, index: u64, sha256: Hash) -> Option<bool> {
        let has = self.companions.contains(&(index, sha256));
        let is_known = self.contents.contains_key(&index) && !self.hiding.contains(&index);
        if has { Some(true) } else { is_known.then_some(false) }
    }

    fn mention(&self, commit: &Commit, same_key: Option<bool>) -> Mention {
        let index = commit.index;
        let same = |other: u64| match commit.role {
            Role::Recording => Some(commit.sha256 == (*self.contents.get(&other)?)?),
            Role::Companion(_) => self.has_companion(other, commit.sha256),
        };
        let by = self.superseding.iter().filter(|(_, old)| *old == index);
        let of = self.superseding.iter().filter(|(new, _)| *new == index);
        let beside = commit.subject.and_then(|subject| self.subjects.get(&subject));
        Mention {
            index,
            at: commit.at,
            role: commit.role,
            sha256: commit.sha256,
            same_key,
            superseded_by: by.map(|(new, _)| (*new, same(*new))).collect(),
            supersedes: of.map(|(_, old)| (*old, same(*old))).collect(),
            beside: beside.cloned().unwrap_or_default(),
        }
    }
}

/// Whether an object was given under this key. A bare file name is no place: files of one name are
/// everywhere.
fn is_named(object: &Object, (bucket, key): &(Option<String>, Vec<u8>)) -> bool {
    let key = String::from_utf8_lossy(key);
    match object.name.strip_prefix("s3://") {
        Some(rest) => bucket.as_ref().is_some_and(|bucket| rest == format!("{bucket}/{key}")),
        None => {
            object.name == key || key.contains('/') && object.name.ends_with(&format!("/{key}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: O2
    #[test]
    fn entries_of_another_medium_cannot_be_about_a_recording_unless_theirs_is_not_known() {
        let mut hidden = Undisclosed::default();
        for media in [Some(Media::Call), Some(Media::Unknown), Some(Media::Chat), None] {
            hidden.take(media, false, true);
        }
        hidden.take(Some(Media::Call), true, false);
        assert_eq!(hidden.of(Role::Recording, Media::Call), 3);
        assert_eq!(hidden.of(Role::Recording, Media::Email), 2);
        assert_eq!(hidden.of(Role::Companion(0), Media::Call), 1);
    }

    // spec: O3
    #[test]
    fn whether_an_entry_has_a_companion_is_known_where_it_discloses_all() {
        let (own, other) = (Hash::of(&[b"own"]), Hash::of(&[b"other"]));
        let mut mentions = Mentions::default();
        mentions.contents.extend([(1, None), (2, None)]);
        mentions.companions.extend([(1, own), (2, own)]);
        mentions.hiding.insert(2);
        let has =
            |index| (mentions.has_companion(index, own), mentions.has_companion(index, other));
        assert_eq!(has(1), (Some(true), Some(false)));
        assert_eq!(has(2), (Some(true), None));
        assert_eq!(has(3), (None, None), "an entry that was not judged");
    }

    // spec: O2
    #[test]
    fn an_object_is_named_by_its_bucket_and_key_or_by_the_end_of_its_path() {
        let is = |name: &str, bucket: Option<&str>, key: &str| {
            let hash = Hash::of(&[]);
            let object = Object { name: name.into(), sha256: hash, blake3: hash, size: 0 };
            is_named(&object, &(bucket.map(str::to_owned), key.as_bytes().to_vec()))
        };
        assert!(is("s3://b/c/k", Some("b"), "c/k") && !is("s3://b/c/k", Some("c"), "k"));
        assert!(!is("s3://b/c/k", None, "c/k") && !is("s3://b/c/k", Some("b"), "k"));
        assert!(is("c/k", None, "c/k") && is("/mnt/c/k", Some("b"), "c/k"));
        assert!(!is("/mnt/xc/k", None, "c/k") && !is("/mnt/k", None, "k"));
        assert!(is("k", None, "k"));
    }
}
