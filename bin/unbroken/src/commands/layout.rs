//! `unbroken layout`

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use unbroken_container::render::counted;
use unbroken_evidence::error::escaped;
use unbroken_ingest::layout::Layout;
use unbroken_ingest::run::Options;
use unbroken_ingest::{Planned, Understood, plan};

use crate::arguments::{self, Output, S3Arguments};
use crate::failure::Failure;
use crate::sources::Typed;
use crate::{layouts, output, sources, stop, written};

pub(crate) fn run(arguments: &arguments::Layout, out: &Output) -> Result<u8, Failure> {
    match arguments {
        arguments::Layout::Show { name } => {
            written::show(&layouts::SORT, ("unbroken/layouts@v1", "layouts"), name.as_deref(), out)
        }
        arguments::Layout::Test { layout, source, s3 } => {
            test(layouts::load(layout)?, (source, s3), out)
        }
    }
}

/// What a layout makes of the keys of a source.
#[derive(Default)]
struct Tested {
    /// How many objects each thing is that an object may be.
    counts: BTreeMap<String, u64>,
    /// Objects in whose keys no template finds anything.
    not_understood: u64,
    documents: Vec<Value>,
    failed: Option<Failure>,
}

/// Shows how each key would be understood; nothing is read, nothing is written.
fn test(layout: Layout, (source, s3): (&OsStr, &S3Arguments), out: &Output) -> Result<u8, Failure> {
    let stop = stop::on_signal();
    let Typed { source, .. } = sources::parse(source, s3, &stop)?;
    let options = Options::of_all(layout);
    let mut tested = Tested::default();
    plan(&*source, &options, &mut |planned| tested.take(planned, &options.layout, out))?;
    let Tested { counts, not_understood, documents, failed } = tested;
    if let Some(failure) = failed {
        return Err(failure);
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(130);
    }
    let each = counts.iter().map(|(what, count)| format!("  {count:>9}  {what}\n"));
    let objects = counted(counts.values().sum(), "object");
    let mut text = format!("layout {}: {objects}\n", options.layout.name());
    text.extend(each);
    if not_understood > 0 {
        let sentence = "no template of the layout finds anything in the key";
        let objects = counted(not_understood, "object");
        text.push_str(&format!("{objects} NOT UNDERSTOOD: {sentence}\n"));
    }
    text.push_str(
        "By their keys alone: nothing was read, and what is in a document may tell more.\n",
    );
    output::text(out, &text)?;
    let code = if not_understood > 0 { 2 } else { 0 };
    output::json(
        out,
        &json!({
            "schema": "unbroken/layout-test@v1", "exit_code": code, "layout": options.layout.name(),
            "counts": counts, "not_understood": not_understood, "objects": documents,
        }),
    )?;
    Ok(code)
}

impl Tested {
    fn take(&mut self, planned: &Planned, layout: &Layout, out: &Output) {
        if self.failed.is_some() {
            return;
        }
        let key = escaped(&String::from_utf8_lossy(&planned.listed.key));
        let what = what(planned);
        let (is_understood, parts) = match &planned.understood {
            Some(Understood { what: named, media, by_content, parts }) => {
                let is_recording = media.is_some();
                let says = named.is_some() || *by_content || !parts.is_empty();
                (says || !is_recording || !layout.reads_keys(), parts.as_slice())
            }
            None => (true, [].as_slice()),
        };
        self.not_understood += u64::from(!is_understood);
        *self.counts.entry(what.clone()).or_default() += 1;
        let said = |(name, value): &(&str, String)| format!("{name}={}", escaped(value));
        let said: Vec<String> = parts.iter().map(said).collect();
        if out.json {
            let parts: BTreeMap<&str, String> =
                parts.iter().map(|(name, value)| (*name, escaped(value))).collect();
            self.documents.push(json!({
                "key": key, "what": what, "parts": parts, "understood": is_understood,
            }));
            return;
        }
        let said = if is_understood { said.join(" ") } else { "NOT UNDERSTOOD".to_owned() };
        self.failed = output::text(out, &format!("{key}\t{what}\t{said}\n")).err();
    }
}

/// What an object would be taken for, in the layout's words where it has some.
fn what(planned: &Planned) -> String {
    let Some(Understood { what, media, .. }) = &planned.understood else {
        return planned.as_what.to_owned();
    };
    match (what, media) {
        (Some(what), _) => what.clone(),
        (None, Some(media)) => format!("{} ({})", planned.as_what, media.name()),
        (None, None) => planned.as_what.to_owned(),
    }
}
