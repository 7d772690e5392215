//! Opens plain files only: whoever reads a pipe waits until somebody writes into it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file that is a plain one, and looks at what was opened, not at what stood there before.
///
/// # Errors
/// Those of the system; `InvalidInput` for a pipe, a folder or a device.
pub fn open_plain(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // A pipe is opened at once and refused below, instead of waited for.
        options.custom_flags(libc::O_NONBLOCK);
    }
    let refused = || io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file");
    let file = options.open(path).map_err(|error| {
        // A socket cannot be opened at all.
        if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            refused()
        } else {
            error
        }
    })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(refused()) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_in_a_files_place_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.opus");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert_eq!(open_plain(&path).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        let folder = open_plain(folder.path()).unwrap_err();
        assert_eq!(folder.kind(), io::ErrorKind::InvalidInput);
    }
}
