//! Opens plain files only: whoever reads a pipe waits until somebody writes into it.

use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a file that is a plain one.
///
/// # Errors
/// Those of the system; `InvalidInput` for a pipe, a folder or a device.
pub fn open_plain(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"))
    }
}
