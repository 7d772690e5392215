//! Files that people write, of which some come with the program: policies and layouts.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::{Value, json};
use unbroken_ingest::table::TableError;

use crate::arguments::Output;
use crate::failure::Failure;
use crate::output;

/// A sort of them.
pub(crate) struct Sort {
    /// What one is called.
    pub(crate) what: &'static str,
    /// Those that come with the program: name and text.
    pub(crate) ready: &'static [(&'static str, &'static str)],
    /// What to do where a file is none.
    pub(crate) hint: &'static str,
}

impl Sort {
    fn names(&self) -> String {
        self.ready.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

/// Bytes of a file that are read: none of these has more than 65,536.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The ready one of that name, or the one in that file.
pub(crate) fn load<T>(
    sort: &Sort,
    typed: &OsStr,
    parse: fn(&str) -> Result<T, TableError>,
) -> Result<T, Failure> {
    let Sort { what, ready, hint } = sort;
    let shown = typed.display();
    let parsed = |text: &str| {
        parse(text).map_err(|error| Failure::usage(format!("{what} {shown}: {error}"), *hint))
    };
    if let Some((_, text)) = ready.iter().find(|(name, _)| typed.to_str() == Some(name)) {
        return parsed(text);
    }
    let text = text_of(Path::new(typed)).map_err(|error| {
        let hint = format!("name a file; {} come with the program", sort.names());
        Failure::usage(format!("{what} {shown}: {error}"), hint)
    })?;
    parsed(&text)
}

/// A file that people wrote: a pipe is none, and a long one is not read to its end.
pub(crate) fn text_of(path: &Path) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
    }
    let mut text = String::new();
    std::fs::File::open(path)?.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// A ready one, byte by byte, for what is printed can be used; without a name, which there are.
pub(crate) fn show(
    sort: &Sort,
    schema: (&str, &str),
    name: Option<&str>,
    out: &Output,
) -> Result<u8, Failure> {
    let wanted: Vec<&(&str, &str)> =
        sort.ready.iter().filter(|(known, _)| name.is_none_or(|name| name == *known)).collect();
    if wanted.is_empty() {
        let (what, name) = (sort.what, name.unwrap_or_default());
        let sentence = format!("no {what} {name} comes with the program");
        return Err(Failure::usage(sentence, format!("it is one of {}", sort.names())));
    }
    for (known, text) in &wanted {
        output::text(out, &if name.is_some() { (*text).to_owned() } else { format!("{known}\n") })?;
    }
    let documents: Vec<Value> =
        wanted.iter().map(|(name, text)| json!({"name": name, "text": text})).collect();
    let (schema, list) = schema;
    output::json(out, &json!({"schema": schema, "exit_code": 0, list: documents}))?;
    Ok(0)
}
