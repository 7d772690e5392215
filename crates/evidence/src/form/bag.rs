//! The forms of a BagIt 1.0 bag, narrowed as spec/exhibit.md narrows them.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{FormError, start_of};
use crate::hash::Hash;
use crate::limits::{
    BAG_INFO_BYTES_MAX, EXHIBIT_FILES_MAX, FETCH_BYTES_MAX, MANIFEST_BYTES_MAX, PATH_BYTES_MAX,
    PATH_SEGMENT_CHARS_MAX,
};
use crate::narrow::decimal;
use crate::time::Time;

/// `bagit.txt`, whole.
pub const BAGIT_TXT: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// Checks a path of an exhibit: segments of `[A-Za-z0-9._-]`, at most 80 characters, not beginning
/// or ending with a dot, no name that Windows reserves.
///
/// # Errors
/// `Malformed`, with the path escaped.
pub fn check_path(path: &str) -> Result<(), FormError> {
    let fits = |segment: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let stem = segment.split('.').next().unwrap_or_default().to_ascii_uppercase();
        let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
            || stem.len() == 4
                && (stem.starts_with("COM") || stem.starts_with("LPT"))
                && stem.ends_with(|digit: char| digit.is_ascii_digit() && digit != '0');
        !segment.is_empty()
            && segment.len() <= PATH_SEGMENT_CHARS_MAX
            && segment.bytes().all(plain)
            && !segment.starts_with('.')
            && !segment.ends_with('.')
            && !device
    };
    if path.len() <= PATH_BYTES_MAX && path.split('/').all(fits) {
        return Ok(());
    }
    let expected = "segments of A-Z a-z 0-9 . _ -, at most 80 characters each and 112 in all, no reserved name";
    Err(FormError::malformed("file name", expected, path))
}

/// What a packed file is, as its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Packed {
    /// `recording[.ext]`
    Recording,
    /// `companion-<n>[.ext]`
    Companion(u64),
}

impl Packed {
    /// What a file of that name is. An ending is 1 to 10 letters and digits.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let (stem, ending) = name.split_once('.').unwrap_or((name, "x"));
        let plain = ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain || ending.is_empty() || ending.len() > 10 {
            return None;
        }
        match stem.strip_prefix("companion-") {
            Some(number) => decimal(number).map(Self::Companion),
            None => (stem == "recording").then_some(Self::Recording),
        }
    }
}

impl fmt::Display for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recording => f.write_str("recording"),
            Self::Companion(number) => write!(f, "companion-{number}"),
        }
    }
}

/// The place of a file in an exhibit, told by its path alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `data/<index>/...`: a recording or a companion.
    Packed(u64, Packed),
    /// `data/openings/<index>.json`
    Opening(u64),
    /// `bagit.txt`, `bag-info.txt`, `fetch.txt`, a manifest or the checkpoint.
    Bag,
    /// `ledger/control/<index>.note`
    ControlNote(u64),
    /// `ledger/control/<index>.tlog-proof`
    ControlProof(u64),
    /// `ledger/entries/<index>.note`
    EntryNote(u64),
    /// `ledger/entries/<index>.tlog-proof`
    EntryProof(u64),
    /// `ledger/openings/<index>.json`
    LedgerOpening(u64),
    /// `ledger/anchors/<size>/...`: an earlier checkpoint, and what vouches for it.
    Anchor(u64),
}

impl Place {
    /// The place of `path`; `None` when an exhibit has none for it.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let numbered = |name: &str, ending: &str| name.strip_suffix(ending).and_then(decimal);
        let mut segments = path.split('/');
        let parts = (segments.next()?, segments.next(), segments.next(), segments.next());
        if segments.next().is_some() {
            return None;
        }
        Some(match parts {
            ("bagit.txt" | "bag-info.txt" | "fetch.txt" | "manifest-sha256.txt", None, ..)
            | ("tagmanifest-sha256.txt", None, ..)
            | ("ledger", Some("checkpoint"), None, _) => Self::Bag,
            ("data", Some("openings"), Some(name), None) => Self::Opening(numbered(name, ".json")?),
            ("data", Some(index), Some(name), None) => {
                Self::Packed(decimal(index)?, Packed::of(name)?)
            }
            ("ledger", Some("openings"), Some(name), None) => {
                Self::LedgerOpening(numbered(name, ".json")?)
            }
            ("ledger", Some("control"), Some(name), None) => match numbered(name, ".note") {
                Some(index) => Self::ControlNote(index),
                None => Self::ControlProof(numbered(name, ".tlog-proof")?),
            },
            ("ledger", Some("entries"), Some(name), None) => match numbered(name, ".note") {
                Some(index) => Self::EntryNote(index),
                None => Self::EntryProof(numbered(name, ".tlog-proof")?),
            },
            ("ledger", Some("anchors"), Some(size), Some(name)) => {
                let is_proof = numbered(name, ".tlog-proof").is_some();
                let known =
                    is_proof || matches!(name, "checkpoint" | "consistency" | "timestamp.tsr");
                known.then_some(Self::Anchor(decimal(size)?))?
            }
            _ => return None,
        })
    }

    /// Whether the file is payload (below `data/`), stated by the manifest.
    #[must_use]
    pub const fn is_payload(self) -> bool {
        matches!(self, Self::Packed(..) | Self::Opening(_))
    }
}

/// A manifest or tag manifest: paths and the SHA-256 of their files.
///
/// It keeps the text and where its lines begin: a verifier holds hundreds of thousands of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    text: String,
    begins: Vec<u32>,
}

impl Manifest {
    /// The manifest over these files.
    #[must_use]
    pub fn of(files: &BTreeMap<String, Hash>) -> Self {
        let mut manifest = Self::default();
        for (path, hash) in files {
            manifest.begins.push(u32::try_from(manifest.text.len()).unwrap_or(u32::MAX));
            manifest.text.push_str(&format!("{hash}  {path}\n"));
        }
        manifest
    }

    /// Reads a manifest; `encode` of the result gives the same bytes.
    ///
    /// # Errors
    /// `Malformed` for anything but `<64 hex>`, two spaces, path, LF, ascending by path.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, FormError> {
        let text = text("manifest", bytes, MANIFEST_BYTES_MAX)?;
        let mut begins = Vec::new();
        let (mut at, mut last) = (0, "");
        for line in text.split_terminator('\n') {
            let (path, _) = manifest_line(line)?;
            check_path(path)?;
            if path <= last {
                let expected = "paths in ascending order, each once";
                return Err(FormError::malformed("manifest line", expected, line));
            }
            if begins.len() == EXHIBIT_FILES_MAX {
                let expected = format!("at most {EXHIBIT_FILES_MAX} lines");
                return Err(FormError::malformed("manifest", expected, "more"));
            }
            begins.push(u32::try_from(at).unwrap_or(u32::MAX));
            at += line.len() + 1;
            last = path;
        }
        Ok(Self { text, begins })
    }

    /// Paths and hashes, ascending by path.
    pub fn lines(&self) -> impl Iterator<Item = (&str, Hash)> {
        (0..self.begins.len()).filter_map(|place| self.line(place))
    }

    /// The SHA-256 that stands for `path`.
    #[must_use]
    pub fn hash(&self, path: &str) -> Option<Hash> {
        let before = |begin: &u32| self.line_at(*begin).is_some_and(|(known, _)| known < path);
        let place = self.begins.partition_point(before);
        self.line(place).filter(|(found, _)| *found == path).map(|(_, hash)| hash)
    }

    fn line(&self, place: usize) -> Option<(&str, Hash)> {
        self.line_at(*self.begins.get(place)?)
    }

    fn line_at(&self, begin: u32) -> Option<(&str, Hash)> {
        let rest = self.text.get(usize::try_from(begin).ok()?..)?;
        manifest_line(rest.split('\n').next()?).ok()
    }

    /// The bytes of this manifest.
    #[must_use]
    pub fn encode(&self) -> &str {
        &self.text
    }
}

fn manifest_line(line: &str) -> Result<(&str, Hash), FormError> {
    let refused = |expected: &str| FormError::malformed("manifest line", expected, line);
    let (hash, path) = line.split_once("  ").ok_or_else(|| refused("two spaces"))?;
    let hash = Hash::from_hex(hash).ok_or_else(|| refused("64 lower-case hex digits"))?;
    Ok((path, hash))
}

/// The version of exhibits that this code knows.
const EXHIBIT_VERSION: &str = "v1";

/// `bag-info.txt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BagInfo {
    /// The day, `2026-11-20`.
    pub bagging_date: String,
    /// Bytes of the payload, files named in `fetch.txt` included.
    pub octets: u64,
    /// Files of the payload, likewise.
    pub files: u64,
}

impl BagInfo {
    /// Reads `bag-info.txt`; `encode` of the result gives the same bytes.
    ///
    /// # Errors
    /// `Unsupported` for another version of exhibits, `Malformed` for anything else but the three lines.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, FormError> {
        let text = text("bag-info.txt", bytes, BAG_INFO_BYTES_MAX)?;
        let refused = || {
            let expected = "the lines Bagging-Date, Payload-Oxum (bytes.files, two decimals) and Unbroken-Exhibit, in this order and nothing else";
            FormError::malformed("bag-info.txt", expected, &text)
        };
        let lines: Vec<&str> = text.split_terminator('\n').collect();
        let version = lines.iter().find_map(|line| line.strip_prefix("Unbroken-Exhibit: "));
        if let Some(version) = version.filter(|version| *version != EXHIBIT_VERSION) {
            let later = version.strip_prefix('v').and_then(decimal).is_some();
            return Err(if later {
                FormError::unsupported("exhibit version", version)
            } else {
                refused()
            });
        }
        let [date, oxum, _] = lines.as_slice() else { return Err(refused()) };
        let date = date.strip_prefix("Bagging-Date: ").ok_or_else(refused)?;
        if Time::parse(&format!("{date}T00:00:00.000Z")).is_err() {
            let expected = "a Bagging-Date that exists, YYYY-MM-DD";
            return Err(FormError::malformed("bag-info.txt", expected, date));
        }
        let oxum = oxum.strip_prefix("Payload-Oxum: ").and_then(|oxum| oxum.split_once('.'));
        let (octets, files) = oxum.ok_or_else(refused)?;
        let (octets, files) =
            (decimal(octets).ok_or_else(refused)?, decimal(files).ok_or_else(refused)?);
        let info = Self { bagging_date: date.to_owned(), octets, files };
        if info.encode() == text { Ok(info) } else { Err(refused()) }
    }

    /// The bytes of this file.
    #[must_use]
    pub fn encode(&self) -> String {
        let Self { bagging_date, octets, files } = self;
        format!(
            "Bagging-Date: {bagging_date}\nPayload-Oxum: {octets}.{files}\nUnbroken-Exhibit: {EXHIBIT_VERSION}\n"
        )
    }
}

/// One line of `fetch.txt`: a payload file that is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Where it is.
    pub url: String,
    /// Its bytes.
    pub length: u64,
    /// Its path in the bag.
    pub path: String,
}

impl Fetch {
    /// Reads `fetch.txt`.
    ///
    /// # Errors
    /// `Malformed` for anything but `url length path` lines, ascending by path.
    pub fn parse(bytes: Vec<u8>) -> Result<Vec<Self>, FormError> {
        let mut files: Vec<Self> = Vec::new();
        for line in text("fetch.txt", bytes, FETCH_BYTES_MAX)?.split_terminator('\n') {
            let refused = |expected: &str| FormError::malformed("fetch.txt line", expected, line);
            let parts: Vec<&str> = line.splitn(4, ' ').collect();
            let [url, length, path] = parts.as_slice() else {
                return Err(refused("url, length and path, one space between"));
            };
            let length = decimal(length).ok_or_else(|| refused("a decimal length"))?;
            check_path(path)?;
            if url.is_empty() || !url.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
                return Err(refused("a URL of printable ASCII"));
            }
            if files.last().is_some_and(|last| last.path.as_str() >= *path) {
                return Err(refused("paths in ascending order, each once"));
            }
            files.push(Self { url: (*url).to_owned(), length, path: (*path).to_owned() });
        }
        Ok(files)
    }
}

/// The text of a file of lines: UTF-8 that ends in a line feed.
fn text(item: &str, bytes: Vec<u8>, bytes_max: usize) -> Result<String, FormError> {
    if bytes.len() > bytes_max {
        let found = format!("{} bytes", bytes.len());
        return Err(FormError::malformed(item, format!("at most {bytes_max} bytes"), &found));
    }
    let refused = |bytes: &[u8], expected| FormError::malformed(item, expected, &start_of(bytes));
    let text = String::from_utf8(bytes).map_err(|error| refused(error.as_bytes(), "UTF-8"))?;
    if text.ends_with('\n') {
        Ok(text)
    } else {
        Err(refused(text.as_bytes(), "lines that end in a line feed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: X3
    #[test]
    fn paths_that_could_escape_or_collide_are_refused() {
        for path in ["data/12/a.opus", "ledger/control/0.tlog-proof", "data/x/a/b.txt", "a-_.b"] {
            assert!(check_path(path).is_ok(), "{path}");
        }
        let long = "x".repeat(81);
        let bad = [
            "",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/../b",
            ".a",
            "a.",
            "a b",
            "a\\b",
            "a\n",
            "é",
            "a:b",
            "CON",
            "data/con.txt",
            "a/lpt1.x",
            "COM9",
            &long,
            "a/./b",
        ];
        for path in bad {
            assert!(check_path(path).is_err(), "{path:?}");
        }
        assert!(check_path("COM0.txt").is_ok() && check_path("CONSOLE").is_ok());
    }

    // spec: X2 X19 X20
    #[test]
    fn every_file_has_one_place_or_none() {
        let packed = |path| match Place::of(path) {
            Some(Place::Packed(12, packed)) => Some(packed),
            _ => None,
        };
        assert_eq!(packed("data/12/recording"), Some(Packed::Recording));
        assert_eq!(packed("data/12/recording.opus"), Some(Packed::Recording));
        assert_eq!(packed("data/12/companion-0.json"), Some(Packed::Companion(0)));
        assert_eq!(Place::of("ledger/anchors/7/3.tlog-proof"), Some(Place::Anchor(7)));
        assert_eq!(Place::of("data/openings/3.json"), Some(Place::Opening(3)));
        assert_eq!(Place::of("ledger/entries/3.note"), Some(Place::EntryNote(3)));
        for path in [
            "data/012/recording",
            "data/12/recording.",
            "data/12/recording.tar.gz",
            "data/12/recording.elevenchars",
            "data/12/companion-00.json",
            "data/12/companion-.json",
            "data/12/call.opus",
            "data/x",
            "data/1/recording/b",
            "data/report/README.txt",
            "ledger/anchors/7/README",
            "x",
            "ledger/entries/03.note",
            "ledger/entries/3.txt",
        ] {
            assert_eq!(Place::of(path), None, "{path}");
        }
    }

    // spec: X4 X5
    #[test]
    fn manifest_and_bag_info_have_one_form() {
        let hash = "ab".repeat(32);
        let good = format!("{hash}  data/1/a\n{hash}  data/1/b\n");
        assert_eq!(Manifest::parse(good.clone().into_bytes()).unwrap().encode(), good);
        let manifest = Manifest::parse(good.clone().into_bytes()).unwrap();
        assert_eq!(manifest.hash("data/1/b"), Hash::from_hex(&hash));
        assert_eq!(manifest.hash("data/1/c").or_else(|| manifest.hash("data/1")), None);
        let listed = manifest.lines().map(|(path, hash)| (path.to_owned(), hash)).collect();
        assert_eq!(Manifest::of(&listed), manifest);
        let bad = [
            format!("{hash}  data/1/b\n{hash}  data/1/a\n"),
            format!("{hash}  data/1/a\n{hash}  data/1/a\n"),
            format!("{hash} data/1/a\n"),
            format!("{hash}  *data/1/a\n"),
            format!("{}  data/1/a\n", hash.to_uppercase()),
            format!("{hash}  data/1/a"),
            format!("{hash}  data/1/a\r\n"),
            String::new(),
            "\n\n\n".to_owned(),
        ];
        for text in bad {
            assert!(Manifest::parse(text.clone().into_bytes()).is_err(), "{text:?}");
        }
        let info = "Bagging-Date: 2026-11-20\nPayload-Oxum: 10.2\nUnbroken-Exhibit: v1\n";
        assert_eq!(BagInfo::parse(info.into()).unwrap().encode(), info);
        let later = BagInfo::parse(info.replace("v1", "v2").into());
        assert!(matches!(later, Err(FormError::Unsupported { .. })));
        for text in [
            info.replace("10.2", "010.2"),
            info.replace("-20\n", "-31\n"),
            info.replace("Bag", "bag"),
            format!("{info}X: y\n"),
            info.replace("v1", "one"),
            info.replace('\n', "\r\n"),
        ] {
            assert!(
                matches!(BagInfo::parse(text.clone().into()), Err(FormError::Malformed { .. })),
                "{text:?}"
            );
        }
        assert!(Fetch::parse(b"https://a/b 12 data/1/a\n".into()).is_ok());
        assert!(Fetch::parse(b"https://a/b - data/1/a\n".into()).is_err());
    }
}
