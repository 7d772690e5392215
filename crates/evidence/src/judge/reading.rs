//! Reads an exhibit's own files, each held against the manifest that lists it (V1, V2, V7).

use std::collections::{BTreeMap, BTreeSet};

use crate::bag::{BAGIT_TXT, BagInfo, Fetch, Manifest, Place, check_path};
use crate::error::start_of;
use crate::hash::Hash;
use crate::judge::findings::Findings;
use crate::judge::scope::Listed;
use crate::limits::{BAG_INFO_BYTES_MAX, FETCH_BYTES_MAX, MANIFEST_BYTES_MAX};
use crate::package::{Package, PackageError, Stop};
use crate::step::Step;
use crate::verdict::Fault;

pub(crate) const MANIFEST: &str = "manifest-sha256.txt";
const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
pub(crate) const CHECKPOINT: &str = "ledger/checkpoint";

/// The step at which a file is held against the manifest that lists it: an opening is no content.
pub(crate) fn step_of(path: &str) -> Step {
    if path.starts_with("data/openings/") {
        Step::OpeningForm
    } else if path.starts_with("data/") {
        Step::Payload
    } else {
        Step::TagFiles
    }
}

/// The files of the bag, each held against its manifest as it is read.
pub(crate) struct Reading<'a> {
    pub(crate) package: &'a mut dyn Package,
    /// `None` where it could not be read: then nothing is held against it.
    pub(crate) manifest: Option<Manifest>,
    tags: Option<Manifest>,
    /// Files named in `fetch.txt` and their lengths.
    pub(crate) fetched: BTreeMap<String, u64>,
    /// Openings that are not the listed ones, each with the SHA-256 in the list and its own.
    openings: Vec<(String, Hash, Hash)>,
    /// Files that cannot be read, of which that was said.
    damaged: BTreeSet<String>,
    /// Which files were held against a manifest already, by their place in the package.
    held: Vec<bool>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(package: &'a mut dyn Package) -> Self {
        let held = vec![false; package.files().iter().count()];
        Self {
            package,
            manifest: None,
            tags: None,
            fetched: BTreeMap::new(),
            openings: Vec::new(),
            damaged: BTreeSet::new(),
            held,
        }
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.package.files().contains(path)
    }

    /// Whether the manifest has a line for `path`.
    pub(crate) fn lists(&self, path: &str) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| manifest.hash(path).is_some())
    }

    /// Whether the tag manifest has a line for `path`.
    pub(crate) fn is_listed_tag(&self, path: &str) -> bool {
        self.tags.as_ref().is_some_and(|tags| tags.hash(path).is_some())
    }

    /// V1: names and places.
    pub(crate) fn names(&self, findings: &mut Findings) {
        for path in self.package.files().paths() {
            if let (Err(error), false) = (check_path(path), is_left_behind(path)) {
                findings.form(Step::Names, path, &error);
            } else if Place::of(path).is_none() {
                let expected = "only files that have a place";
                findings.contradicted(Step::Names, path, expected, stray(path));
            } else {
                findings.held(Step::Names);
            }
        }
        for path in self.package.files().clashing() {
            let expected = "names that differ in more than upper and lower case";
            findings.contradicted(Step::Names, path, expected, "two that do not");
        }
        for folder in self.package.empty_folders() {
            findings.contradicted(Step::Names, folder, "no empty folder", "one");
        }
    }

    /// V2 and V7: the bag's own files.
    pub(crate) fn bag(&mut self, findings: &mut Findings) -> Result<(), Stop> {
        if let Some(bytes) =
            self.bytes(TAG_MANIFEST, MANIFEST_BYTES_MAX, Step::TagFiles, findings)?
        {
            match Manifest::parse(bytes) {
                Ok(tags) => self.tags = Some(tags),
                Err(error) => findings.form(Step::TagFiles, TAG_MANIFEST, &error),
            }
        }
        self.tag_lines(findings);
        if let Some(bytes) =
            self.load(MANIFEST, MANIFEST_BYTES_MAX, Step::ManifestForm, findings)?
        {
            match Manifest::parse(bytes) {
                Ok(manifest) => {
                    self.manifest = Some(manifest);
                    findings.held(Step::ManifestForm);
                }
                Err(error) => findings.form(Step::ManifestForm, MANIFEST, &error),
            }
        }
        findings.ran(&[Step::ManifestForm]);
        if let Some(bytes) = self.load("bagit.txt", BAG_INFO_BYTES_MAX, Step::TagFiles, findings)? {
            let holds = bytes == BAGIT_TXT.as_bytes();
            let expected = "the two lines of BagIt 1.0, in UTF-8";
            findings.check(holds, Step::TagFiles, "bagit.txt", expected, &start_of(&bytes));
        }
        if self.has("fetch.txt")
            && let Some(bytes) =
                self.load("fetch.txt", FETCH_BYTES_MAX, Step::TagFiles, findings)?
        {
            match Fetch::parse(bytes) {
                Ok(files) => self.fetched = files.into_iter().map(|f| (f.path, f.length)).collect(),
                Err(error) => findings.form(Step::TagFiles, "fetch.txt", &error),
            }
        }
        if let Some(bytes) =
            self.load("bag-info.txt", BAG_INFO_BYTES_MAX, Step::TagFiles, findings)?
        {
            match BagInfo::parse(bytes) {
                Ok(info) => self.oxum(&info, findings),
                Err(error) => findings.form(Step::TagFiles, "bag-info.txt", &error),
            }
        }
        Ok(())
    }

    /// Every tag file has a line in the tag manifest, and every line a tag file.
    fn tag_lines(&self, findings: &mut Findings) {
        let Some(tags) = &self.tags else { return };
        let is_tag = |path: &str| Place::of(path).is_some_and(|place| !place.is_payload());
        for path in
            self.package.files().paths().filter(|path| *path != TAG_MANIFEST && is_tag(path))
        {
            if tags.hash(path).is_none() {
                // Whether the file was added or the line taken out does not show here.
                let item = format!("{path} and {TAG_MANIFEST}");
                findings.contradicted(Step::TagFiles, &item, "a line in it for the file", "none");
            }
        }
        for (path, _) in tags.lines() {
            if !is_tag(path) || path == TAG_MANIFEST {
                let item = format!("{TAG_MANIFEST}, its line for {path}");
                findings.contradicted(Step::TagFiles, &item, "another tag file", "none");
            } else if !self.has(path) {
                let expected = "the file of its line in the tag manifest";
                findings.contradicted(Step::TagFiles, path, expected, "missing");
            }
        }
    }

    fn oxum(&self, info: &BagInfo, findings: &mut Findings) {
        let present = self.package.files().iter().filter(|(path, _)| path.starts_with("data/"));
        let absent = self.fetched.iter().filter(|(path, _)| !self.has(path));
        let absent = absent.map(|(path, length)| (path.as_str(), *length));
        let (octets, files) =
            present.chain(absent).fold((0_u64, 0_u64), |(octets, files), (_, length)| {
                (octets.saturating_add(length), files + 1)
            });
        let holds = (info.octets, info.files) == (octets, files);
        let expected =
            format!("{} bytes in {} files, as bag-info.txt says", info.octets, info.files);
        let fetched = if self.fetched.is_empty() { "" } else { ", those of fetch.txt included" };
        let found = format!("{octets} bytes in {files} files{fetched}");
        let item = "bag-info.txt and the files below data/";
        findings.check(holds, Step::TagFiles, item, &expected, &found);
    }

    /// The bytes of a file that must be there; `None` after a finding at `step`.
    fn bytes(
        &mut self,
        path: &str,
        bytes_max: usize,
        step: Step,
        findings: &mut Findings,
    ) -> Result<Option<Vec<u8>>, Stop> {
        let Some(length) = self.package.files().length(path) else {
            findings.contradicted(step, path, "the file", "missing");
            return Ok(None);
        };
        // What is too long was said, and is not hashed either: a sparse file of terabytes costs nothing.
        let room = usize::try_from(length).ok().filter(|length| *length <= bytes_max);
        let Some(room) = room else {
            let expected = format!("at most {bytes_max} bytes");
            findings.contradicted(step, path, &expected, &format!("{length} bytes"));
            let _ = self.first(path);
            return Ok(None);
        };
        let mut bytes = Vec::with_capacity(room);
        match self.package.stream(path, &mut |piece| bytes.extend_from_slice(piece)) {
            Ok(()) => Ok(Some(bytes)),
            // It was said when it was read first.
            Err(PackageError::Damaged(_)) if self.damaged.contains(path) => {
                findings.not_established(step, path, "it cannot be read");
                Ok(None)
            }
            Err(PackageError::Damaged(what)) => {
                findings.contradicted(step, path, "a file that can be read", &what);
                let _ = self.first(path);
                self.damaged.insert(path.to_owned());
                Ok(None)
            }
            Err(error) => Err(Stop::Io(format!("{path} {error}"))),
        }
    }

    /// As `bytes`, and held against the manifest or tag manifest that lists it.
    pub(crate) fn load(
        &mut self,
        path: &str,
        bytes_max: usize,
        step: Step,
        findings: &mut Findings,
    ) -> Result<Option<Vec<u8>>, Stop> {
        let bytes = self.bytes(path, bytes_max, step, findings)?;
        if let Some(bytes) = &bytes {
            self.hold(path, Hash::of(&[bytes]), false, findings);
        }
        Ok(bytes)
    }

    /// Marks a file as dealt with; whether this is the first time.
    pub(crate) fn first(&mut self, path: &str) -> bool {
        let place = self.package.files().position(path).unwrap_or(usize::MAX);
        self.held.get_mut(place).is_some_and(|held| !std::mem::replace(held, true))
    }

    /// Holds a file's SHA-256 against the manifest or tag manifest that lists it, once. Where they are
    /// what an entry has in this place (`is_in_place`), the line of the manifest is what differs.
    pub(crate) fn hold(
        &mut self,
        path: &str,
        found: Hash,
        is_in_place: bool,
        findings: &mut Findings,
    ) {
        if !self.first(path) {
            return;
        }
        let step = step_of(path);
        let (list, listed) = match step {
            Step::TagFiles => (TAG_MANIFEST, &self.tags),
            _ => (MANIFEST, &self.manifest),
        };
        let Some(expected) = listed.as_ref().and_then(|listed| listed.hash(path)) else { return };
        let (said, found_here) = (format!("SHA-256 {expected}"), format!("SHA-256 {found}"));
        if found == expected {
            findings.held(step);
        } else if step == Step::OpeningForm {
            // Whose the manifest is, is not known yet.
            self.openings.push((path.to_owned(), expected, found));
        } else if is_in_place {
            let item = format!("{MANIFEST}, its line for {path}");
            findings.blamed(Fault::Package, step, &item, &found_here, &said);
        } else if step == Step::Payload {
            findings.contradicted(step, path, &said, &found_here);
        } else {
            // Which of the two was changed does not show here.
            let item = format!("{path} and its line in {list}");
            let found = format!("{found_here} of the file");
            findings.contradicted(step, &item, &format!("{said} in the line"), &found);
        }
    }

    /// V25: openings that are not the listed ones. Where the list is not the signed one it does not show which of the
    /// two was changed.
    fn other_openings(&mut self, listed: Listed, findings: &mut Findings) {
        for (path, expected, found) in std::mem::take(&mut self.openings) {
            let (said, found) = (format!("SHA-256 {expected}"), format!("SHA-256 {found}"));
            if listed == Listed::Signed {
                findings.contradicted(Step::OpeningForm, &path, &said, &found);
                continue;
            }
            let item = format!("{path} and its line in {MANIFEST}");
            let (said, found) = (format!("{said} in the line"), format!("{found} of the file"));
            findings.contradicted(Step::OpeningForm, &item, &said, &found);
        }
    }

    /// Holds every file that nobody asked for against its manifest: the last part of V3, V7 and V25.
    pub(crate) fn rest(&mut self, listed: Listed, findings: &mut Findings) -> Result<(), Stop> {
        for place in 0..self.held.len() {
            let path = self.package.files().path(place).unwrap_or_default().to_owned();
            let has_place = Place::of(&path).is_some() && path != TAG_MANIFEST;
            if self.held.get(place) == Some(&true) || !has_place {
                continue;
            }
            match self.package.digest(&path, &[]) {
                Ok((digests, _)) => self.hold(&path, digests.sha256, false, findings),
                Err(PackageError::Damaged(what)) => {
                    findings.contradicted(step_of(&path), &path, "a file that can be read", &what);
                }
                Err(error) => return Err(Stop::Io(format!("{path} {error}"))),
            }
        }
        self.other_openings(listed, findings);
        findings.ran(&[Step::TagFiles]);
        Ok(())
    }
}

/// What a file is that has no place.
fn stray(path: &str) -> &'static str {
    if is_left_behind(path) {
        "a file named as those that file managers leave in a folder; its content was not looked at"
    } else {
        "a file that no exhibit has"
    }
}

/// The names that the file managers of macOS, Windows and KDE leave behind.
fn is_left_behind(path: &str) -> bool {
    // A folder lists a name that no exhibit may have with a number behind it.
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = name.split(" (").next().unwrap_or_default();
    matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini" | ".directory")
        || name.starts_with("._")
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{exhibit, found_in};
    use crate::limits::BAG_INFO_BYTES_MAX;

    fn found_after(change: impl FnOnce(&mut crate::package::MemoryPackage)) -> Vec<String> {
        let mut package = exhibit("good");
        change(&mut package);
        found_in(&mut package)
    }

    fn has(found: &[String], line: &str) {
        assert!(found.iter().any(|known| known.starts_with(line)), "{line}: {found:?}");
    }

    #[test]
    fn the_good_exhibit_has_nothing_to_find() {
        assert_eq!(found_after(|_| ()), [""; 0]);
    }

    // spec: X2 X3
    #[test]
    fn every_name_has_its_form_and_its_place() {
        let found = found_after(|package| {
            for path in [
                ".DS_Store (3)",
                "data/._2",
                "data/Thumbs.db",
                "notes.txt",
                "data/2/RECORDING.opus",
                "data/2/a b",
                "ledger/control/2.tlog-proof",
                "ledger/entries/9.tlog-proof",
            ] {
                package.insert(path, *b"x");
            }
        });
        for line in [
            "V1! notes.txt: expected only files that have a place; a file that no exhibit has",
            "V1! .DS_Store (3): expected only files that have a place; a file named as those that file managers leave in a folder; its content was not looked at",
            "V1! data/._2: expected only files that have a place; a file named as those that file managers leave in ",
            "V1! data/Thumbs.db: expected only files that have a place; a file named as those that file managers leave in ",
            "V1! data/2/a b (file name): expected segments of ",
            "V1! ledger/control/2.tlog-proof: expected the proof of an entry, in the folder of its note; a second one, in another folder",
            "V1! ledger/entries/9.tlog-proof: expected a file of an entry below the checkpoint's size 9; entry 9",
        ] {
            has(&found, line);
        }
    }

    // spec: X5
    #[test]
    fn the_bags_own_files_have_their_form() {
        let found = found_after(|package| package.insert("bagit.txt", *b"BagIt-Version: 0.97\n"));
        has(
            &found,
            "V7! bagit.txt: expected the two lines of BagIt 1.0, in UTF-8; BagIt-Version: 0.97\\u{a}",
        );
        let found = found_after(|package| {
            package.insert("bag-info.txt", vec![b'x'; BAG_INFO_BYTES_MAX + 1])
        });
        has(&found, "V7! bag-info.txt: expected at most 4096 bytes; 4097 bytes");
        let found = found_after(|package| drop(package.remove("bag-info.txt")));
        has(&found, "V7! bag-info.txt: expected the file; missing");
        has(&found, "V7! bag-info.txt: expected the file of its line in the tag manifest; missing");
        let found = found_after(|package| package.insert("data/2/companion-1.json", *b"more"));
        has(&found, "V7! bag-info.txt and the files below data/: expected ");
    }

    #[test]
    fn each_file_is_held_against_its_list_once_and_one_without_a_place_is_not_opened() {
        let found = found_after(|package| {
            package.insert("data/4/recording.json", *b"{}");
            package.insert("bagit.txt", *b"x");
            package.insert("notes.txt", *b"x");
            package.damage("notes.txt");
        });
        for line in
            ["V3! data/4/recording.json: ", "V7! bagit.txt and its line ", "V1! notes.txt: "]
        {
            let of_it = found.iter().filter(|found| found.starts_with(line));
            assert_eq!(of_it.count(), 1, "{line}: {found:?}");
        }
        let of_notes = found.iter().filter(|found| found.contains("notes.txt"));
        assert_eq!(of_notes.count(), 1, "{found:?}");
    }
}
