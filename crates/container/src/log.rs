//! A published log in a folder.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use unbroken_evidence::log::{LogFile, LogFiles};

use crate::plain::open_plain;

/// A published log's files, as they lie in a folder.
#[derive(Clone, Debug)]
pub struct LogFolder {
    root: PathBuf,
}

impl LogFolder {
    /// The log in `root`; for a ledger's folder, the `log` folder in it.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let inner = root.join("log");
        let is_ledger = !root.join("checkpoint").exists() && inner.join("checkpoint").exists();
        Self { root: if is_ledger { inner } else { root.to_owned() } }
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl LogFiles for LogFolder {
    fn read(&mut self, path: &str, bytes_max: usize) -> Result<LogFile, String> {
        let place = self.root.join(path);
        let failed = |error: std::io::Error| format!("{}: {error}", place.display());
        let file = match open_plain(&place) {
            Ok(file) => file,
            Err(error) => match error.kind() {
                // A file where a folder should be hides everything in it.
                ErrorKind::NotFound | ErrorKind::NotADirectory => return Ok(LogFile::Missing),
                ErrorKind::InvalidInput => return Ok(LogFile::NoFile),
                _ => return Err(failed(error)),
            },
        };
        let mut bytes = Vec::new();
        file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        Ok(if bytes.len() > bytes_max { LogFile::TooLong } else { LogFile::Bytes(bytes) })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_or_too_long_is_told_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = LogFolder::new(folder.path());
        std::fs::write(folder.path().join("checkpoint"), [7; 100]).unwrap();
        std::fs::create_dir(folder.path().join("tile")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status();
        assert!(made.unwrap().success());
        assert_eq!(log.read("checkpoint", 100), Ok(LogFile::Bytes(vec![7; 100])));
        assert_eq!(log.read("checkpoint", 99), Ok(LogFile::TooLong));
        assert_eq!(log.read("tile", 99), Ok(LogFile::NoFile));
        assert_eq!(log.read("pipe", 99), Ok(LogFile::NoFile));
        assert_eq!(log.read("checkpoint/000", 99), Ok(LogFile::Missing));
        assert_eq!(log.read("tile/0/000", 99), Ok(LogFile::Missing));
    }
}
