//! The objects of one folder: which are recordings, and what belongs to each.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Assembled, Identity, Layout, NameRule, Role, Seen, Sketch};

/// A folder with more recordings than this is not one conversation's: a document that names none
/// belongs to none of them. Else each would be a companion of each, n times n.
const RECORDINGS_OF_A_CONVERSATION_MAX: usize = 64;

/// Companions that are sealed with one recording: each is six of the fields of its entry.
const COMPANIONS_MAX: usize = 1_024;

/// What one object of a folder is: a recording, or what it is to one.
type Class = Option<Role>;

/// The objects of one folder, told apart.
pub(crate) struct Folder<'a> {
    layout: &'a Layout,
    seen: Vec<Seen<'a>>,
    classes: Vec<Class>,
    index: Index<'a>,
}

impl<'a> Folder<'a> {
    pub(crate) fn new(layout: &'a Layout, seen: Vec<Seen<'a>>) -> Self {
        let places: HashMap<&[u8], usize> =
            seen.iter().enumerate().map(|(place, one)| (one.key, place)).collect();
        let classes: Vec<Class> = seen.iter().map(|one| classify(layout, one, &places)).collect();
        let mut index = Index::new(layout, &seen, &classes, places);
        index.keep_claimed(layout, &seen, &classes);
        Self { layout, seen, classes, index }
    }

    /// Each recording with its companions, one at a time: a folder may have a million.
    pub(crate) fn recordings(&self) -> impl Iterator<Item = Assembled> {
        let each = self.seen.iter().zip(&self.classes).enumerate();
        let recordings = each.filter(|(_, (_, class))| class.is_none());
        recordings.map(|(place, (one, _))| self.with_companions(place, one))
    }

    /// Of the objects that belong to none of these recordings, what they are.
    pub(crate) fn strays(
        &self,
        taken: &HashSet<usize>,
    ) -> impl Iterator<Item = (usize, &'static str)> {
        let all = self.classes.iter().enumerate();
        let alone = all.filter(|(place, _)| !taken.contains(place));
        alone.filter_map(|(place, class)| {
            let what = match (*class)? {
                _ if self.index.is_crowded() => {
                    "beyond the 1,024 files that are sealed with one recording, or without one"
                }
                Role::Sidecar => "sidecar without recording",
                Role::UnreadSidecar => "sidecar that cannot be read, without recording",
                Role::Transcript => "transcript without recording",
                Role::Conversation => "conversation document without recording",
            };
            Some((place, what))
        })
    }

    /// What the object at this place is to a recording; `None`: it is one.
    pub(crate) fn role(&self, place: usize) -> Option<Role> {
        self.classes.get(place).copied().flatten()
    }

    /// Whether the recording at this place has a sidecar.
    pub(crate) fn has_sidecar(&self, place: usize) -> bool {
        self.seen.get(place).is_some_and(|one| self.sidecar(one, None).is_some())
    }

    fn with_companions(&self, place: usize, one: &Seen<'_>) -> Assembled {
        let mut identity = self.layout.identity_of(one.key);
        let mut companions = Vec::new();
        let sidecar = self.sidecar(one, identity.recording.as_deref());
        if let Some((at, role)) = sidecar {
            if role == Role::Sidecar {
                let document = self.seen.get(at).and_then(|one| one.document);
                identity.take(
                    document.and_then(named_recording),
                    document.and_then(|sidecar| sidecar.conversation.as_deref()),
                );
            }
            companions.push((at, role));
        }
        for (key, _) in self.layout.companions_of(one.key) {
            let at = self.index.places.get(key.as_slice()).copied();
            let other = |at: usize| Some((at, self.role(at).filter(|role| !is_sidecar(*role))?));
            companions.extend(at.and_then(other).filter(|(at, _)| self.may_be_of(*at, &identity)));
        }
        companions.extend(self.index.documents_of(&identity));
        // Its own come first, where there are more than can be sealed with it.
        let mut taken = HashSet::new();
        companions.retain(|(at, _)| taken.insert(*at));
        companions.truncate(COMPANIONS_MAX);
        let key = |at: usize| self.seen.get(at).map(|seen| seen.key);
        companions.sort_by(|(a, _), (b, _)| key(*a).cmp(&key(*b)));
        Assembled { recording: place, companions, identity }
    }

    /// Whether the document at this place names nothing else than this recording: what it says comes before its name.
    fn may_be_of(&self, at: usize, identity: &Identity) -> bool {
        let Some(document) = self.seen.get(at).and_then(|one| one.document) else { return true };
        let agrees = |said: &Option<Box<str>>, known: &Option<String>| match (said, known) {
            (Some(said), Some(known)) => **said == **known,
            _ => true,
        };
        document.says.is_none()
            || agrees(&document.recording, &identity.recording)
                && agrees(&document.conversation, &identity.conversation)
    }

    /// The sidecar of a recording: by its name, or else by what it names.
    fn sidecar(&self, one: &Seen<'_>, recording: Option<&str>) -> Option<(usize, Role)> {
        let told = |at: usize| Some((at, self.role(at).filter(|role| is_sidecar(*role))?));
        let named = self.layout.sidecars_of(one.key).into_iter();
        let mut places = named.filter_map(|key| self.index.places.get(key.as_slice()).copied());
        let by_content = || self.index.sidecars.get(recording?).copied().and_then(told);
        places.find_map(told).or_else(by_content)
    }
}

const fn is_sidecar(role: Role) -> bool {
    matches!(role, Role::Sidecar | Role::UnreadSidecar)
}

/// The recording that a sidecar names. Where members are missing it is a sidecar by name only, and what it
/// calls a recording is not taken for one.
fn named_recording(sidecar: &Sketch) -> Option<&str> {
    sidecar.recording.as_deref().filter(|_| sidecar.says.is_some())
}

fn classify(layout: &Layout, one: &Seen<'_>, places: &HashMap<&[u8], usize>) -> Class {
    // What has a sidecar of its own is a recording, whatever is in it: messages are JSON too.
    if layout.own_sidecars_of(one.key).any(|sidecar| places.contains_key(sidecar.as_slice())) {
        return None;
    }
    let by_name = || layout.rule_of_name(one.key).map(|rule| rule.role);
    match one.document {
        Some(document) => document.says.or_else(by_name),
        // Too long, broken, or no document: the name is all there is.
        None => by_name().map(|role| match role {
            Role::Sidecar => Role::UnreadSidecar,
            role => role,
        }),
    }
}

/// What is in a folder, by what it is looked for.
struct Index<'a> {
    places: HashMap<&'a [u8], usize>,
    /// Sidecars by the recording that they name.
    sidecars: HashMap<&'a str, usize>,
    /// Transcripts and conversation documents by the recording that they name.
    of_recordings: HashMap<&'a str, Vec<(usize, Role)>>,
    /// The others by the conversation that they name, if they do.
    documents: BTreeMap<Option<&'a str>, Vec<(usize, Role)>>,
    /// Whether a document that names no conversation may be taken to speak of every recording.
    is_one_conversation: bool,
}

impl<'a> Index<'a> {
    fn new(
        layout: &Layout,
        seen: &[Seen<'a>],
        classes: &[Class],
        places: HashMap<&'a [u8], usize>,
    ) -> Self {
        let recordings = classes.iter().filter(|class| class.is_none()).count();
        let mut index = Self {
            places,
            sidecars: HashMap::new(),
            of_recordings: HashMap::new(),
            documents: BTreeMap::new(),
            is_one_conversation: recordings <= RECORDINGS_OF_A_CONVERSATION_MAX,
        };
        for (place, (one, class)) in seen.iter().zip(classes).enumerate() {
            let role = match class {
                Some(Role::Sidecar) => {
                    let named = one.document.and_then(named_recording);
                    named.into_iter().for_each(|id| _ = index.sidecars.entry(id).or_insert(place));
                    continue;
                }
                Some(role @ (Role::Transcript | Role::Conversation)) => *role,
                Some(Role::UnreadSidecar) | None => continue,
            };
            if let Some(recording) = one.document.and_then(named_recording) {
                index.of_recordings.entry(recording).or_default().push((place, role));
                continue;
            }
            let said = one.document.and_then(|document| document.conversation.as_deref());
            let is_of_one = said.is_none()
                && layout
                    .rule_of_name(one.key)
                    .is_some_and(|rule| matches!(rule.name, NameRule::OfRecording { .. }));
            if !is_of_one {
                index.documents.entry(said).or_default().push((place, role));
            }
        }
        index
    }

    /// Whether some conversation has more documents than are sealed with one recording.
    fn is_crowded(&self) -> bool {
        self.documents.values().any(|documents| documents.len() >= COMPANIONS_MAX)
    }

    /// A sidecar that is a listed recording's by its name is not given to another one by what it names.
    fn keep_claimed(&mut self, layout: &Layout, seen: &[Seen<'_>], classes: &[Class]) {
        if self.sidecars.is_empty() {
            return;
        }
        let recordings = seen.iter().zip(classes).filter(|(_, class)| class.is_none());
        let named = recordings.flat_map(|(one, _)| layout.sidecars_of(one.key));
        let claimed: HashSet<usize> =
            named.filter_map(|key| self.places.get(key.as_slice()).copied()).collect();
        self.sidecars.retain(|_, place| !claimed.contains(place));
    }

    /// The documents that name this recording, or its conversation, and no recording; and those that name nothing,
    /// where the folder is not too large to hold one conversation.
    fn documents_of(&self, identity: &Identity) -> Vec<(usize, Role)> {
        let by_recording = identity.recording.as_deref().and_then(|id| self.of_recordings.get(id));
        let conversation = identity.conversation.as_deref();
        let by_conversation = conversation.and_then(|id| self.documents.get(&Some(id)));
        let of_all = self.documents.get(&None).filter(|_| self.is_one_conversation);
        [by_recording, by_conversation, of_all].into_iter().flatten().flatten().copied().collect()
    }
}
