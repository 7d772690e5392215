//! A dry run: how each object would be understood, by its name alone, and what it would cost.

use std::collections::HashSet;

use crate::disposition::Disposition;
use crate::error::SourceError;
use crate::feed::outside_dates;
use crate::group::{Group, Grouper};
use crate::layout::{Layout, genesys_cloud};
use crate::run::Options;
use crate::source::{Listed, Next, Source};

/// One object of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The object.
    pub listed: Listed,
    /// What it would be taken for, or why it would be left out.
    pub as_what: &'static str,
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
    let mut grouper = Grouper::new(options.layout);
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
            each(&Planned { listed, as_what: Disposition::NOT_WANTED.text() });
        }
        let left_out = outside_dates(&group, options);
        let keys: HashSet<Vec<u8>> =
            group.objects.iter().map(|(_, listed)| listed.key.clone()).collect();
        for (_, listed) in group.objects {
            self.objects += 1;
            match left_out {
                Some(_) => self.excluded += 1,
                None => {
                    self.bytes += listed.size;
                    self.get_requests += u64::from(listed.not_readable.is_none());
                }
            }
            let has_sidecar = keys.contains(&genesys_cloud::sidecar_of(&listed.key));
            let as_what = match left_out {
                Some(why) => why.text(),
                None => by_name(&listed, options.layout, has_sidecar),
            };
            self.without_sidecar += u64::from(as_what == WITHOUT_SIDECAR);
            each(&Planned { listed, as_what });
        }
    }
}

/// What a recording is called that has no sidecar of its name.
const WITHOUT_SIDECAR: &str = "recording, without a sidecar of its name";

fn by_name(listed: &Listed, layout: Layout, has_sidecar: bool) -> &'static str {
    if let Some(why) = &listed.not_readable {
        return why.in_short();
    }
    let key = listed.key.to_ascii_lowercase();
    if layout == Layout::Plain || has_sidecar {
        "recording"
    } else if key.ends_with(b"_call_metadata.json") {
        "companion: conversation"
    } else if key.ends_with(b"_metadata.json") {
        "companion: sidecar"
    } else if key.ends_with(b".transcript.json") {
        "companion: transcript"
    } else if key.ends_with(b".json") {
        "recording or companion: its content will tell"
    } else {
        WITHOUT_SIDECAR
    }
}
