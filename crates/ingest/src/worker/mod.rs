//! Works one group off: captures, assembles, assesses, and prepares entries.

pub(crate) mod earlier;
mod object;
mod sealing;

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use unbroken_evidence::content::Digester;
use unbroken_evidence::hash::Hash;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::private::{
    Lookup, ObjectState, Private, Settled, companions_digest, object_value,
};
use unbroken_ledger::random::SystemRandom;
use unbroken_ledger::seal::{Clock, NewEntry};

use self::earlier::is_noncurrent;
use self::object::Object;
use crate::capture::Keep;
use crate::disposition::Disposition;
use crate::error::{ObjectError, Problem};
use crate::group::Group;
use crate::key_filter::KeyFilter;
use crate::layout::{Assembled, Folder, Layout, Role, Seen, Sketch};
use crate::policy::{Judged, Policy};
use crate::source::{Listed, Source};

/// What a run is doing, for whoever shows it; read at any time.
#[derive(Debug, Default)]
pub struct Progress {
    /// Objects listed so far.
    pub listed: AtomicU64,
    /// Bytes of them.
    pub listed_bytes: AtomicU64,
    /// Objects that are dealt with.
    pub done: AtomicU64,
    /// Bytes of them.
    pub done_bytes: AtomicU64,
    /// Entries acknowledged.
    pub sealed: AtomicU64,
    /// Whether the listing has ended.
    pub listing_ended: AtomicBool,
}

/// What workers share.
pub(crate) struct Work<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) number: i64,
    /// No object of the source was ever sealed: nothing needs to be looked up.
    pub(crate) is_new: bool,
    /// It is at another place than in its last run.
    pub(crate) is_moved: bool,
    pub(crate) layout: &'a Layout,
    pub(crate) clock: &'a dyn Clock,
    /// Which keys are looked at.
    pub(crate) keys: &'a KeyFilter,
    /// What a recording must meet, and the leaf of the entry that states it.
    pub(crate) policy: Option<(&'a Policy, Hash)>,
    pub(crate) reseal: bool,
    /// For so many days objects are kept, as whoever runs it says.
    pub(crate) expires: Option<u64>,
    /// Recordings whose companions had time until now.
    pub(crate) due: &'a HashSet<Vec<u8>>,
    /// Entries below this index are not taken for what is known of an object.
    pub(crate) known_from: u64,
    /// Large groups are handed on in pieces: not where a limit takes a group as a whole or not at all.
    pub(crate) in_pieces: bool,
    pub(crate) stop: &'a AtomicBool,
    /// Set once as many recordings are sealed as were asked for.
    pub(crate) limit_reached: &'a AtomicBool,
    pub(crate) progress: &'a Progress,
}

/// What each worker has for itself.
pub(crate) struct Tools {
    pub(crate) private: Private,
    pub(crate) random: SystemRandom,
    pub(crate) digester: Digester,
}

impl Tools {
    /// With private.db, which is at this path.
    pub(crate) fn open(private: &Path) -> Result<Self, LedgerError> {
        let private = Private::open_to_read(private)?;
        Ok(Self { private, random: SystemRandom::default(), digester: Digester::default() })
    }
}

/// A group that was worked off.
#[derive(Default)]
pub(crate) struct GroupDone {
    /// The objects, where the group ends with this piece, and what became of each.
    pub(crate) group: Group,
    pub(crate) became: Vec<Disposition>,
    pub(crate) sealings: Vec<Sealing>,
    pub(crate) problems: Vec<Problem>,
    /// What to remember once the last of its entries is acknowledged.
    pub(crate) settles: Option<Settled>,
    /// Given up because the run was stopped: nothing is said of its objects.
    pub(crate) abandoned: bool,
}

impl GroupDone {
    /// A group that nobody looks at, and why.
    pub(crate) fn left_out(group: Group, why: Disposition) -> Self {
        Self { became: vec![why; group.objects.len()], group, ..Self::default() }
    }
}

/// An entry to be appended, and what to report of it.
pub(crate) struct Sealing {
    pub(crate) entry: NewEntry,
    pub(crate) key: Vec<u8>,
    /// What its policy finds of it.
    pub(crate) judged: Judged,
    pub(crate) change: Option<String>,
}

/// Bytes of documents of one group that are held at once, read into values they take six times as much: a
/// folder may have a million.
const DOCUMENT_BYTES_HELD: usize = 1 << 20;
/// Entries of one group that are handed on together, so that a folder of any size stays small in memory.
const PIECE_ENTRIES: usize = 64;

impl Work<'_> {
    /// Works a group off. Of a large one, entries go to `hand_on` while it is worked off; what it gives back
    /// has its last entries, and stands for the whole, but for the group itself.
    pub(crate) fn group(
        &self,
        group: &Group,
        tools: &mut Tools,
        hand_on: &mut dyn FnMut(GroupDone),
    ) -> Result<GroupDone, LedgerError> {
        let abandoned = || GroupDone { abandoned: true, ..GroupDone::default() };
        let settled = group.settled(self.number, self.layout);
        let is_due = group.objects.iter().any(|(_, listed)| self.due.contains(&listed.key));
        if !self.reseal && !self.is_new && !is_due && tools.private.is_settled(&settled)? {
            self.count(group.objects.iter().map(|(_, listed)| listed));
            let became = vec![Disposition::Unchanged; group.objects.len()];
            return Ok(GroupDone { became, ..GroupDone::default() });
        }
        let mut objects = Vec::with_capacity(group.objects.len());
        let mut held = 0;
        for (_, listed) in &group.objects {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(abandoned());
            }
            let mut object = self.first_look(listed, tools)?;
            held += object.held().map_or(0, |bytes| bytes.len());
            if held > DOCUMENT_BYTES_HELD {
                object.let_go();
            }
            objects.push(object);
        }
        let mut done = GroupDone::default();
        let sketches: Vec<Option<Box<Sketch>>> =
            objects.iter_mut().map(|object| object.sketch.take()).collect();
        let folder = self.folder(group, &sketches);
        let alone = group.objects.iter().enumerate().filter(|_| folder.is_none());
        let alone = alone.map(|(place, (_, listed))| {
            Assembled::alone(place, self.layout.identity_of(&listed.key))
        });
        let mut companions = HashSet::new();
        let unread = Unread::of(&objects, self.layout);
        for assembled in folder.iter().flat_map(Folder::recordings).chain(alone) {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(abandoned());
            }
            companions.extend(assembled.companions.iter().map(|(place, _)| *place));
            self.recording(&mut objects, &assembled, &unread, tools, &mut done)?;
            // One is kept back: the group is settled together with its last entry.
            if done.sealings.len() > PIECE_ENTRIES && self.in_pieces {
                let last = done.sealings.split_off(PIECE_ENTRIES);
                let sealings = std::mem::replace(&mut done.sealings, last);
                hand_on(GroupDone { sealings, ..GroupDone::default() });
            }
        }
        if objects.iter().any(|object| object.error == Some(ObjectError::Stopped)) {
            return Ok(abandoned());
        }
        for (place, what) in folder.iter().flat_map(|folder| folder.strays(&companions)) {
            if let Some(object) = objects.get_mut(place) {
                object.disposition = Disposition::Stray(what);
                done.problems.push(Problem::new(&object.listed.key, what));
            }
        }
        self.count(objects.iter().map(|object| object.listed));
        for object in &objects {
            if let Some(error) = &object.error {
                done.problems.push(Problem::new(&object.listed.key, error.to_string()));
            }
        }
        done.settles = done.problems.is_empty().then_some(settled);
        done.became = objects.into_iter().map(|object| object.disposition).collect();
        Ok(done)
    }

    pub(crate) fn count<'a>(&self, objects: impl Iterator<Item = &'a Listed>) {
        for listed in objects {
            self.progress.done.fetch_add(1, Ordering::Relaxed);
            self.progress.done_bytes.fetch_add(listed.size, Ordering::Relaxed);
        }
    }

    /// The folder that a group is, where the layout makes it one.
    fn folder<'a>(
        &'a self,
        group: &'a Group,
        sketches: &'a [Option<Box<Sketch>>],
    ) -> Option<Folder<'a>> {
        let each = group.objects.iter().zip(sketches);
        let seen = each.map(|((_, listed), document)| Seen {
            key: &listed.key,
            document: document.as_deref(),
        });
        self.layout.groups_by_folder().then(|| Folder::new(self.layout, seen.collect()))
    }

    /// The newest state that was sealed of an object, and its entry.
    pub(crate) fn known(
        &self,
        key: &[u8],
        private: &Private,
    ) -> Result<Option<(u64, ObjectState)>, LedgerError> {
        if self.is_new {
            return Ok(None);
        }
        let value = object_value(self.source.name(), key);
        let found = private.find(Lookup::Object, &value)?.into_iter().rev();
        for index in found.take_while(|index| *index >= self.known_from) {
            if let Some(state) = private.object(index)?
                && state.source == self.number
                && state.key == key
            {
                return Ok(Some((index, state)));
            }
        }
        Ok(None)
    }

    /// Whether a recording is judged anew though nothing of it changed: its companions had time until now, or it
    /// was sealed when it was no current version.
    fn is_due(&self, key: &[u8], known: Option<&(u64, ObjectState)>) -> bool {
        self.due.contains(key) || known.is_some_and(|(_, known)| is_noncurrent(known))
    }

    fn recording(
        &self,
        objects: &mut [Object<'_>],
        assembled: &Assembled,
        unread: &Unread,
        tools: &mut Tools,
        done: &mut GroupDone,
    ) -> Result<(), LedgerError> {
        for (companion, _) in &assembled.companions {
            let object = objects.get_mut(*companion).filter(|object| object.error.is_none());
            object.into_iter().for_each(|object| object.disposition = Disposition::Companion);
        }
        let digest = companions(objects, assembled);
        let passing = a_companion_may_pass(objects, assembled);
        let Some(object) = objects.get_mut(assembled.recording) else { return Ok(()) };
        if object.error.is_some() {
            return Ok(());
        }
        let known = self.known(&object.listed.key, &tools.private)?;
        let is_due = self.is_due(&object.listed.key, known.as_ref());
        let waits = without_reading(object.listed, &known, digest, (unread, self.layout))
            .filter(|became| !is_due || *became != Disposition::Unchanged)
            .or_else(|| passing.then_some(Disposition::KeptBack))
            .or_else(|| self.waits_for_its_sidecar(object.listed, assembled, unread, done));
        if let Some(disposition) = waits {
            object.disposition = disposition;
            unchanged_with_it(objects, assembled, disposition);
            return Ok(());
        }
        if object.captured.is_none() {
            self.read(object, Keep::Nothing, tools)?;
        }
        let Some(taken) = object.captured.take() else { return Ok(()) };
        let (mut captured, key) = *taken;
        let same_bytes =
            known.as_ref().is_some_and(|(_, known)| known.sha256 == captured.digests.sha256);
        let same_companions = known.as_ref().is_some_and(|(_, known)| known.companions == digest);
        if same_bytes && same_companions && !is_due {
            object.disposition = Disposition::Unchanged;
            unchanged_with_it(objects, assembled, Disposition::Unchanged);
            return Ok(());
        }
        match self.source.beside(object.listed, &captured.attributes) {
            Ok(beside) => captured.attributes.extend(beside),
            Err(error) => {
                object.disposition = Disposition::from(&error);
                object.error = Some(error);
                return Ok(());
            }
        }
        let listed = object.listed;
        if !self.bring_back(objects, assembled, tools)? {
            let object = objects.get_mut(assembled.recording);
            object.into_iter().for_each(|object| object.disposition = Disposition::NotJudged);
            return Ok(());
        }
        let of = (&*objects, unread);
        let sealing = self.sealing(of, assembled, listed, (captured, key), known, tools);
        let_go(objects, assembled);
        match sealing? {
            Some(sealing) => {
                named_by_an_entry(objects, assembled, sealing.change.is_some());
                done.sealings.push(sealing);
            }
            None => {
                let what = "what was sealed of it is lost from private.db: run `unbroken audit`";
                done.problems.push(Problem::new(&listed.key, what));
            }
        }
        Ok(())
    }

    /// Asks for a sidecar that was not listed: a listing that leaves one out must not make a recording
    /// incomplete.
    fn waits_for_its_sidecar(
        &self,
        listed: &Listed,
        assembled: &Assembled,
        unread: &Unread,
        done: &mut GroupDone,
    ) -> Option<Disposition> {
        let is_sidecar = |role: &Role| matches!(role, Role::Sidecar | Role::UnreadSidecar);
        let is_listed = assembled.companions.iter().any(|(_, role)| is_sidecar(role));
        let sidecars = self.layout.sidecars_of(&listed.key);
        if is_listed || sidecars.iter().any(|key| unread.keys.contains(key)) {
            return None;
        }
        // One that was left out by its key is not looked for either.
        for key in sidecars.iter().filter(|key| self.keys.wants(key)) {
            let what = match self.source.is_there(key) {
                Ok(false) => continue,
                Ok(true) => "it is there now, and was not listed: it came meanwhile, or the listing is not whole; its recording waits for the next run".to_owned(),
                Err(error) => {
                    format!("it is not listed, and whether it is there cannot be told: {error}")
                }
            };
            done.problems.push(Problem::new(key, what));
            return Some(Disposition::KeptBack);
        }
        None
    }
}

/// A recording that was sealed, `again` or for the first time, and its companions.
fn named_by_an_entry(objects: &mut [Object<'_>], assembled: &Assembled, again: bool) {
    for (companion, _) in &assembled.companions {
        let object = objects.get_mut(*companion);
        object.into_iter().for_each(|object| object.in_an_entry = true);
    }
    if let Some(object) = objects.get_mut(assembled.recording) {
        object.disposition = if again { Disposition::SealedAgain } else { Disposition::Sealed };
    }
}

/// The companions of a recording that is as it was are as they were, unless an entry of this run names them.
fn unchanged_with_it(objects: &mut [Object<'_>], assembled: &Assembled, became: Disposition) {
    for (companion, _) in assembled.companions.iter().filter(|_| became == Disposition::Unchanged) {
        if let Some(object) = objects.get_mut(*companion)
            && !object.in_an_entry
            && object.error.is_none()
        {
            object.disposition = Disposition::Unchanged;
        }
    }
}

/// Whether a companion could not be read today, and may be tomorrow: it says nothing about the recording.
fn a_companion_may_pass(objects: &[Object<'_>], assembled: &Assembled) -> bool {
    assembled.companions.iter().any(|(place, _)| {
        let error = objects.get(*place).and_then(|object| object.error.as_ref());
        error.is_some_and(ObjectError::may_pass)
    })
}

/// What becomes of a recording whose bytes need not be read: it is as it was, or nothing can be said of it.
fn without_reading(
    listed: &Listed,
    known: &Option<(u64, ObjectState)>,
    companions: Hash,
    (unread, layout): (&Unread, &Layout),
) -> Option<Disposition> {
    let known = known.as_ref().map(|(_, known)| known);
    if known.is_some_and(|known| known.stamp == listed.stamp && known.companions == companions) {
        Some(Disposition::Unchanged)
    } else if known.is_some() && !unread.keys.is_empty() {
        // Its companions cannot be told today: nothing is said to have changed.
        Some(Disposition::NotJudged)
    } else if layout.sidecars_of(&listed.key).iter().any(|key| unread.passing.contains(key)) {
        Some(Disposition::KeptBack)
    } else {
        None
    }
}

/// Documents of a group that could not be read.
#[derive(Default)]
struct Unread {
    keys: HashSet<Vec<u8>>,
    /// Those that may be read at another time: they say nothing about a recording today.
    passing: HashSet<Vec<u8>>,
}

impl Unread {
    fn of(objects: &[Object<'_>], layout: &Layout) -> Self {
        let (mut keys, mut passing) = (HashSet::new(), HashSet::new());
        for object in objects.iter().filter(|object| layout.reads(&object.listed.key)) {
            let Some(error) = &object.error else { continue };
            keys.insert(object.listed.key.clone());
            if error.may_pass() {
                passing.insert(object.listed.key.clone());
            }
        }
        Self { keys, passing }
    }
}

/// The documents that were brought back for this recording go again.
fn let_go(objects: &mut [Object<'_>], assembled: &Assembled) {
    let companions = assembled.companions.iter().map(|(place, _)| *place);
    for place in companions.chain([assembled.recording]) {
        let object = objects.get_mut(place).filter(|object| object.let_go);
        object.into_iter().for_each(Object::let_go);
    }
}

/// The system gave no randomness.
pub(crate) fn no_randomness(source: std::io::Error) -> LedgerError {
    LedgerError::Io { path: "the system's randomness".into(), doing: "cannot be read", source }
}

fn companions(objects: &[Object<'_>], assembled: &Assembled) -> Hash {
    let each = assembled.companions.iter().filter_map(|(place, role)| {
        let object = objects.get(*place)?;
        Some((object.listed.key.as_slice(), role.name(), object.sha256.as_ref()?))
    });
    companions_digest(each)
}
