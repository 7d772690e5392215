//! Layouts as they are typed.

use std::ffi::OsStr;

use unbroken_ingest::layout::{Layout, READY};

use crate::failure::Failure;
use crate::written::{Sort, load as load_one};

/// What layouts are, to whoever types one.
pub(crate) const SORT: Sort = Sort {
    what: "layout",
    ready: &READY,
    hint: "`unbroken layout show genesys-cloud` prints one that works; docs/layouts.md explains every key",
};

/// The ready layout of that name, or the one in that file.
pub(crate) fn load(typed: &OsStr) -> Result<Layout, Failure> {
    load_one(&SORT, typed, Layout::parse)
}
