//! A published log in a folder.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use unbroken_evidence::published::LogFiles;

use crate::plain::open_plain;

/// A published log's files, as they lie in a folder.
#[derive(Debug)]
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
    fn read(&mut self, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, String> {
        let place = self.root.join(path);
        let failed = |error: std::io::Error| format!("{}: {error}", place.display());
        let file = match open_plain(&place) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut bytes = Vec::new();
        file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() > bytes_max {
            return Err(format!("{}: more than {bytes_max} bytes", place.display()));
        }
        Ok(Some(bytes))
    }
}
