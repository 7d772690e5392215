//! The bag as it grows in a folder beside its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use unbroken_container::zip::ZipWriter;
use unbroken_evidence::bag::{Manifest, Packed, check_path};
use unbroken_evidence::content::{BlockKey, Digests, digest_stream};
use unbroken_evidence::hash::Hash;

use crate::error::ExhibitError;

/// Files of a bag, written once and hashed on the way.
pub(crate) struct Bag {
    folder: PathBuf,
    pub(crate) payload: BTreeMap<String, (Hash, u64)>,
    tags: BTreeMap<String, Hash>,
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
        let (payload, tags) = Default::default();
        Ok(Self { folder: folder.to_owned(), payload, tags })
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

    /// Moves staged bytes to their place below `data/<index>/`: by what they are to that entry, with the
    /// ending of `key`.
    pub(crate) fn keep(
        &mut self,
        staged: &Staged,
        (index, role): (u64, Packed),
        key: &[u8],
    ) -> Result<String, ExhibitError> {
        let path = format!("data/{index}/{role}{}", ending(key));
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
        Manifest::of(&files).encode().to_owned()
    }

    /// Writes the tag manifest, and moves the bag to its place: a folder, or a .zip by its name, whose
    /// SHA-256 it gives.
    pub(crate) fn finish(mut self, out: &Path) -> Result<Option<Hash>, ExhibitError> {
        let tags = std::mem::take(&mut self.tags);
        self.write("tagmanifest-sha256.txt", Manifest::of(&tags).encode().as_bytes())?;
        let is_zip = out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"));
        if !is_zip {
            fs::rename(&self.folder, out).map_err(ExhibitError::io(out))?;
            return Ok(None);
        }
        let mut paths: BTreeSet<String> = tags.into_keys().collect();
        paths.extend(self.payload.keys().cloned());
        paths.insert("tagmanifest-sha256.txt".to_owned());
        self.zip(out, &paths)?;
        fs::remove_dir_all(&self.folder).map_err(ExhibitError::io(&self.folder))?;
        let mut file = File::open(out).map_err(ExhibitError::io(out))?;
        let digests = digest_stream(&[], u64::MAX, |buffer| file.read(buffer));
        Ok(Some(digests.map_err(ExhibitError::io(out))?.sha256))
    }

    fn zip(&self, out: &Path, paths: &BTreeSet<String>) -> Result<(), ExhibitError> {
        let stem =
            out.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        // Inside the staging folder: whatever fails, it goes with it.
        let temporary = self.folder.join("zip");
        let file = File::create(&temporary).map_err(ExhibitError::io(&temporary))?;
        let mut zip = ZipWriter::new(BufWriter::new(file), &base_name(&stem));
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

/// The ending of a key as a packed file may have it: a dot, then 1 to 10 letters and digits.
fn ending(key: &[u8]) -> String {
    let name = key.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let ending =
        name.rsplit(|byte| *byte == b'.').next().filter(|ending| ending.len() < name.len());
    let fits = |ending: &&[u8]| {
        (1..=10).contains(&ending.len()) && ending.iter().all(u8::is_ascii_alphanumeric)
    };
    let ending = ending.filter(fits).map(|ending| String::from_utf8_lossy(ending).into_owned());
    ending.map_or_else(String::new, |ending| format!(".{ending}"))
}

/// A name as the base folder of an archive that every system takes.
fn base_name(name: &str) -> String {
    let plain = |character: char| {
        let fits = character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
        if fits { character } else { '_' }
    };
    let name: String = name.chars().map(plain).take(78).collect();
    let name = name.trim_matches('.').to_owned();
    let name = if name.is_empty() { "exhibit".to_owned() } else { name };
    if check_path(&name).is_ok() { name } else { format!("x-{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unbroken_evidence::bag::Place;

    #[test]
    fn any_key_gives_a_name_that_an_exhibit_may_hold() {
        let long = format!("a.{}", "x".repeat(1_024));
        let keys: [(&[u8], &str); 10] = [
            (b"a/b/c.opus", ".opus"),
            (b"r-1.opus_metadata.json", ".json"),
            (b"..", ""),
            (b"a.b/c", ""),
            (b"", ""),
            (b"call.tar.gz", ".gz"),
            (b"sp ace\n\xff.wav", ".wav"),
            (b"x.w\xff", ""),
            (long.as_bytes(), ""),
            (b".hidden.", ""),
        ];
        for (key, expected) in keys {
            assert_eq!(ending(key), expected, "{key:?}");
            let path = format!("data/7/{}{}", Packed::Companion(3), ending(key));
            assert_eq!(Place::of(&path), Some(Place::Packed(7, Packed::Companion(3))));
        }
        for name in ["exhibit", "..", "", "CON", "h\u{e9}", &long] {
            assert!(check_path(&base_name(name)).is_ok(), "{name:?}");
        }
    }
}
