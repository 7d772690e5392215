//! A dry run: how each object would be understood, by its name alone, and what it would cost.

use std::borrow::Cow;

use unbroken_evidence::body::Media;

use crate::disposition::Disposition;
use crate::error::SourceError;
use crate::feed::outside_dates;
use crate::group::{Group, Grouper};
use crate::layout::{Folder, Layout, Role, Seen};
use crate::run::Options;
use crate::source::{Listed, Next, Source};

/// One object of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The object.
    pub listed: Listed,
    /// What it would be taken for, or why it would be left out.
    pub as_what: &'static str,
    /// What the layout takes from its key, where it is looked at.
    pub understood: Option<Understood>,
}

/// What a layout takes from a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Understood {
    /// What the layout calls such an object.
    pub what: Option<String>,
    /// The medium, of what would be a recording.
    pub media: Option<Media>,
    /// Whether only its content says what it is.
    pub by_content: bool,
    /// What stands in it: names of [docs/layouts.md], each with its value.
    pub parts: Vec<(&'static str, String)>,
}

/// What a run would do at the most: it leaves out what is unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Objects listed.
    pub objects: u64,
    /// Objects that keys or dates leave out.
    pub excluded: u64,
    /// Recordings without a sidecar of their name, in a layout that has sidecars.
    pub without_sidecar: u64,
    /// Bytes that would be read.
    pub bytes: u64,
    /// Requests that list, 1,000 objects each.
    pub list_requests: u64,
    /// Requests that read, one an object.
    pub get_requests: u64,
}

/// Lists `source` and shows each object to `each`, folder by folder; nothing is read and nothing is
/// written. A limit is not applied: which recordings are new only the ledger knows.
///
/// # Errors
/// Why the source cannot be listed.
pub fn plan(
    source: &dyn Source,
    options: &Options,
    each: &mut dyn FnMut(&Planned),
) -> Result<Plan, SourceError> {
    let mut plan = Plan::default();
    let mut grouper = Grouper::new(&options.layout);
    let mut place = 0;
    source.list(&mut |listed| {
        for group in grouper.push(place, listed) {
            plan.group(group, options, each);
        }
        place += 1;
        Next::More
    })?;
    for group in grouper.finish() {
        plan.group(group, options, each);
    }
    plan.list_requests = plan.objects.div_ceil(1_000).max(1);
    Ok(plan)
}

impl Plan {
    fn group(&mut self, mut group: Group, options: &Options, each: &mut dyn FnMut(&Planned)) {
        for (_, listed) in options.keys.take_out(&mut group).objects {
            (self.objects, self.excluded) = (self.objects + 1, self.excluded + 1);
            let as_what = Disposition::NOT_WANTED.text();
            each(&Planned { listed, as_what, understood: None });
        }
        let left_out = outside_dates(&group, options);
        let planned = by_names(&group, &options.layout);
        for ((_, listed), (as_what, understood)) in group.objects.into_iter().zip(planned) {
            self.objects += 1;
            if let Some(why) = left_out {
                self.excluded += 1;
                each(&Planned { listed, as_what: why.text(), understood: None });
                continue;
            }
            self.bytes += listed.size;
            self.get_requests += u64::from(listed.not_readable.is_none());
            self.without_sidecar += u64::from(as_what == WITHOUT_SIDECAR);
            each(&Planned { listed, as_what, understood });
        }
    }
}

/// What a document is called that has no name that says more.
const BY_CONTENT: &str = "recording or companion: its content will tell";
/// What a recording is called that has no sidecar of its name.
const WITHOUT_SIDECAR: &str = "recording, without a sidecar of its name";

/// What each object of a group would be taken for.
fn by_names(group: &Group, layout: &Layout) -> Vec<(&'static str, Option<Understood>)> {
    let listed = group.objects.iter().map(|(_, listed)| listed);
    let seen = listed.clone().map(|listed| Seen { key: &listed.key, document: None }).collect();
    let folder = layout.groups_by_folder().then(|| Folder::new(layout, seen));
    let each = listed.enumerate().map(|(place, listed)| {
        if let Some(why) = &listed.not_readable {
            return (why.in_short(), None);
        }
        let role = folder.as_ref().and_then(|folder| folder.role(place));
        let has_sidecar = || folder.as_ref().is_some_and(|folder| folder.has_sidecar(place));
        let as_what = match role {
            Some(Role::Sidecar | Role::UnreadSidecar) => "companion: sidecar",
            Some(Role::Transcript) => "companion: transcript",
            Some(Role::Conversation) => "companion: conversation",
            None if has_sidecar() => "recording",
            None if layout.tells_by_content(&listed.key) => BY_CONTENT,
            None if !layout.has_sidecars() => "recording",
            None => WITHOUT_SIDECAR,
        };
        let by_content = as_what == BY_CONTENT;
        (as_what, Some(Understood { by_content, ..understood(layout, &listed.key, role) }))
    });
    each.collect()
}

fn understood(layout: &Layout, key: &[u8], role: Option<Role>) -> Understood {
    let said = layout.read_key(key);
    let parts = said.parts.into_iter().map(|(name, value)| (name, Cow::into_owned(value)));
    Understood {
        what: said.what.map(str::to_owned),
        by_content: false,
        media: role.is_none().then(|| layout.media(key, None)),
        parts: parts.collect(),
    }
}
