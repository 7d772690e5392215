//! The bag as it grows in a folder beside its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use unbroken_container::zip::ZipWriter;
use unbroken_evidence::bag::{Manifest, check_path};
use unbroken_evidence::content::{BlockKey, Digests, digest_stream};
use unbroken_evidence::hash::Hash;

use crate::error::ExhibitError;

/// Files of a bag, written once and hashed on the way.
pub(crate) struct Bag {
    folder: PathBuf,
    pub(crate) payload: BTreeMap<String, (Hash, u64)>,
    tags: BTreeMap<String, Hash>,
    folded: BTreeSet<String>,
}

/// Bytes that were copied into the bag under a temporary name.
pub(crate) struct Staged {
    path: PathBuf,
    pub(crate) digests: Digests,
}

impl Bag {
    pub(crate) fn new(folder: &Path) -> Result<Self, ExhibitError> {
        if folder.exists() {
            // What an earlier command left when it was killed must not slip into this exhibit.
            fs::remove_dir_all(folder).map_err(ExhibitError::io(folder))?;
        }
        fs::create_dir_all(folder).map_err(ExhibitError::io(folder))?;
        let (payload, tags, folded) = Default::default();
        Ok(Self { folder: folder.to_owned(), payload, tags, folded })
    }

    /// Writes a small file.
    pub(crate) fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), ExhibitError> {
        let place = self.place(path)?;
        fs::write(&place, bytes).map_err(ExhibitError::io(&place))?;
        self.listed(path, Hash::of(&[bytes]), bytes.len() as u64);
        Ok(())
    }

    fn place(&self, path: &str) -> Result<PathBuf, ExhibitError> {
        assert!(check_path(path).is_ok(), "an exhibit's own names keep to its rules: {path}");
        let place = self.folder.join(path);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(ExhibitError::io(parent))?;
        }
        Ok(place)
    }

    fn listed(&mut self, path: &str, sha256: Hash, length: u64) {
        self.folded.insert(path.to_ascii_lowercase());
        if path.starts_with("data/") {
            self.payload.insert(path.to_owned(), (sha256, length));
        } else {
            self.tags.insert(path.to_owned(), sha256);
        }
    }

    /// Copies a stream in, hashed; its place is known only when its digest is. The inner error is
    /// the stream's own.
    pub(crate) fn stage(
        &self,
        keys: &[(u64, BlockKey)],
        data: &mut dyn Read,
    ) -> Result<Result<Staged, std::io::Error>, ExhibitError> {
        let path = self.folder.join("staged");
        let mut file = BufWriter::new(File::create(&path).map_err(ExhibitError::io(&path))?);
        let mut write_error = None;
        let digests = digest_stream(keys, u64::MAX, |buffer| {
            let count = data.read(buffer)?;
            if let Err(error) = file.write_all(buffer.get(..count).unwrap_or_default()) {
                write_error.get_or_insert(error);
                return Ok(0);
            }
            Ok::<_, std::io::Error>(count)
        });
        if let Some(error) = write_error {
            return Err(ExhibitError::io(&path)(error));
        }
        file.flush().map_err(ExhibitError::io(&path))?;
        Ok(digests.map(|digests| Staged { path, digests }))
    }

    /// Moves staged bytes to their place below `data/<index>/`, under a name made of `key`.
    pub(crate) fn keep(
        &mut self,
        staged: &Staged,
        index: u64,
        key: &[u8],
    ) -> Result<String, ExhibitError> {
        let name = safe_name(key);
        let mut path = format!("data/{index}/{name}");
        let mut number = 2;
        while self.folded.contains(&path.to_ascii_lowercase()) {
            let short: String = name.chars().take(70).collect();
            path = format!("data/{index}/{number}-{}", short.trim_end_matches('.'));
            number += 1;
        }
        let place = self.place(&path)?;
        fs::rename(&staged.path, &place).map_err(ExhibitError::io(&place))?;
        self.listed(&path, staged.digests.sha256, staged.digests.size);
        Ok(path)
    }

    /// Throws staged bytes away.
    pub(crate) fn discard(&self, staged: &Staged) -> Result<(), ExhibitError> {
        fs::remove_file(&staged.path).map_err(ExhibitError::io(&staged.path))
    }

    /// The manifest over the payload.
    pub(crate) fn manifest(&self) -> String {
        let files = self.payload.iter().map(|(path, (hash, _))| (path.clone(), *hash)).collect();
        Manifest { files }.encode()
    }

    /// Writes the tag manifest, and moves the bag to its place: a folder, or a .zip by its name.
    pub(crate) fn finish(mut self, out: &Path) -> Result<(), ExhibitError> {
        let tags = Manifest { files: std::mem::take(&mut self.tags) };
        self.write("tagmanifest-sha256.txt", tags.encode().as_bytes())?;
        let is_zip = out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"));
        if is_zip {
            let mut paths: BTreeSet<String> = tags.files.into_keys().collect();
            paths.extend(self.payload.keys().cloned());
            paths.insert("tagmanifest-sha256.txt".to_owned());
            self.zip(out, &paths)?;
            fs::remove_dir_all(&self.folder).map_err(ExhibitError::io(&self.folder))
        } else {
            fs::rename(&self.folder, out).map_err(ExhibitError::io(out))
        }
    }

    fn zip(&self, out: &Path, paths: &BTreeSet<String>) -> Result<(), ExhibitError> {
        let stem =
            out.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        // Inside the staging folder: whatever fails, it goes with it.
        let temporary = self.folder.join("zip");
        let file = File::create(&temporary).map_err(ExhibitError::io(&temporary))?;
        let mut zip = ZipWriter::new(BufWriter::new(file), &safe_name(stem.as_bytes()));
        for path in paths {
            let place = self.folder.join(path);
            add_file(&mut zip, path, &place).map_err(ExhibitError::io(&place))?;
        }
        let finished = zip
            .finish()
            .and_then(|out| out.into_inner().map_err(std::io::IntoInnerError::into_error));
        let file = finished.map_err(ExhibitError::io(&temporary))?;
        file.sync_all().map_err(ExhibitError::io(&temporary))?;
        fs::rename(&temporary, out).map_err(ExhibitError::io(out))
    }
}

/// Adds a file to an archive; read twice, for its CRC stands before its bytes.
fn add_file<W: Write>(zip: &mut ZipWriter<W>, path: &str, place: &Path) -> std::io::Result<()> {
    let mut file = File::open(place)?;
    let length = file.metadata()?.len();
    let mut crc = crc32fast::Hasher::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => crc.update(buffer.get(..count).unwrap_or_default()),
        }
    }
    zip.add_stream(path, length, crc.finalize(), &mut File::open(place)?)
}

/// The last part of a key as a file name that every system takes.
pub(crate) fn safe_name(key: &[u8]) -> String {
    let last = key.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let plain = |byte: &u8| {
        let fits = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        char::from(if fits { *byte } else { b'_' })
    };
    let name: String = last.iter().map(plain).collect();
    // The end of a name says what it is, so a long one loses its beginning.
    let name: String = name.chars().skip(name.len().saturating_sub(78)).collect();
    let name = name.trim_matches('.').to_owned();
    let name = if name.is_empty() { "object".to_owned() } else { name };
    if check_path(&name).is_ok() { name } else { format!("x-{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_key_gives_a_name_that_an_exhibit_may_hold() {
        let long = "x".repeat(1_024);
        let keys: [&[u8]; 9] = [
            b"a/b/c.opus",
            b"..",
            b"a/",
            b"",
            b"CON.txt",
            b"sp ace\n\xff.wav",
            "h\u{e9}.wav".as_bytes(),
            long.as_bytes(),
            b".hidden.",
        ];
        for key in keys {
            let name = safe_name(key);
            assert!(check_path(&name).is_ok(), "{name:?} from {key:?}");
        }
        assert_eq!(safe_name(b"a/r-1.opus_metadata.json"), "r-1.opus_metadata.json");
    }
}
