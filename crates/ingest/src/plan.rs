//! A dry run: how each object would be understood, by its name alone, and what it would cost.

use crate::error::SourceError;
use crate::layout::Layout;
use crate::source::{Listed, Next, Source};

/// One object of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The object.
    pub listed: Listed,
    /// What it would be taken for.
    pub as_what: &'static str,
}

/// What a run would do at the most: it leaves out what is unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Objects listed.
    pub objects: u64,
    /// Bytes that would be read.
    pub bytes: u64,
    /// Requests that list, 1,000 objects each.
    pub list_requests: u64,
    /// Requests that read, one an object.
    pub get_requests: u64,
}

/// Lists `source` and shows each object to `each`; nothing is read and nothing is written.
///
/// # Errors
/// Why the source cannot be listed.
pub fn plan(
    source: &dyn Source,
    layout: Layout,
    each: &mut dyn FnMut(&Planned),
) -> Result<Plan, SourceError> {
    let mut plan = Plan::default();
    source.list(&mut |listed| {
        plan.objects += 1;
        plan.bytes += listed.size;
        plan.get_requests += u64::from(listed.irregular.is_none());
        let as_what = by_name(&listed, layout);
        each(&Planned { listed, as_what });
        Next::More
    })?;
    plan.list_requests = plan.objects.div_ceil(1_000).max(1);
    Ok(plan)
}

fn by_name(listed: &Listed, layout: Layout) -> &'static str {
    if let Some(what) = listed.irregular {
        return what;
    }
    let key = listed.key.to_ascii_lowercase();
    if layout == Layout::Plain {
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
        "recording"
    }
}
