//! The forms of a BagIt 1.0 bag, narrowed as spec/exhibit.md narrows them.

use std::collections::BTreeMap;

use crate::error::{FormError, printable_bytes};
use crate::hash::Hash;
use crate::limits::{
    BAG_INFO_BYTES_MAX, MANIFEST_BYTES_MAX, PATH_BYTES_MAX, PATH_SEGMENT_CHARS_MAX,
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
    let expected = "segments of A-Z a-z 0-9 . _ -, at most 80 characters each and 128 in all, no reserved name";
    Err(FormError::malformed("file name", expected, path))
}

/// The place of a file in an exhibit, told by its path alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `data/<index>/<name>`: a recording or a companion.
    Packed(u64),
    /// `data/openings/<index>.json`
    Opening(u64),
    /// `data/report/...`
    Report,
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
}

impl Place {
    /// The place of `path`; `None` when an exhibit has none for it.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let numbered = |name: &str, ending: &str| name.strip_suffix(ending).and_then(decimal);
        let segments: Vec<&str> = path.split('/').collect();
        Some(match segments.as_slice() {
            ["bagit.txt" | "bag-info.txt" | "fetch.txt" | "manifest-sha256.txt"]
            | ["tagmanifest-sha256.txt"]
            | ["ledger", "checkpoint"] => Self::Bag,
            ["data", "report", _, ..] => Self::Report,
            ["data", "openings", name] => Self::Opening(numbered(name, ".json")?),
            ["data", index, _] => Self::Packed(decimal(index)?),
            ["ledger", "openings", name] => Self::LedgerOpening(numbered(name, ".json")?),
            ["ledger", "control", name] => match numbered(name, ".note") {
                Some(index) => Self::ControlNote(index),
                None => Self::ControlProof(numbered(name, ".tlog-proof")?),
            },
            ["ledger", "entries", name] => match numbered(name, ".note") {
                Some(index) => Self::EntryNote(index),
                None => Self::EntryProof(numbered(name, ".tlog-proof")?),
            },
            _ => return None,
        })
    }

    /// Whether the file is payload (below `data/`), stated by the manifest.
    #[must_use]
    pub const fn is_payload(self) -> bool {
        matches!(self, Self::Packed(_) | Self::Opening(_) | Self::Report)
    }
}

/// A manifest or tag manifest: paths and the SHA-256 of their files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Ascending by path.
    pub files: BTreeMap<String, Hash>,
}

impl Manifest {
    /// Reads a manifest; `encode` of the result gives the same bytes.
    ///
    /// # Errors
    /// `Malformed` for anything but `<64 hex>`, two spaces, path, LF, ascending by path.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut files = BTreeMap::new();
        for line in lines("manifest", bytes, MANIFEST_BYTES_MAX)? {
            let refused = |expected: &str| FormError::malformed("manifest line", expected, line);
            let (hash, path) = line.split_once("  ").ok_or_else(|| refused("two spaces"))?;
            let hash = Hash::from_hex(hash).ok_or_else(|| refused("64 lower-case hex digits"))?;
            check_path(path)?;
            if files.last_key_value().is_some_and(|(last, _): (&String, _)| last.as_str() >= path) {
                return Err(refused("paths in ascending order, each once"));
            }
            files.insert(path.to_owned(), hash);
        }
        Ok(Self { files })
    }

    /// The bytes of this manifest.
    #[must_use]
    pub fn encode(&self) -> String {
        self.files.iter().map(|(path, hash)| format!("{hash}  {path}\n")).collect()
    }
}

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
    /// `Malformed` for anything but the two lines.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let refused = || {
            let expected = "the lines Bagging-Date and Payload-Oxum, in this order";
            FormError::malformed("bag-info.txt", expected, &printable_bytes(bytes))
        };
        let lines = lines("bag-info.txt", bytes, BAG_INFO_BYTES_MAX)?;
        let [date, oxum] = lines.as_slice() else { return Err(refused()) };
        let date = date.strip_prefix("Bagging-Date: ").ok_or_else(refused)?;
        Time::parse(&format!("{date}T00:00:00.000Z"))?;
        let oxum = oxum.strip_prefix("Payload-Oxum: ").and_then(|oxum| oxum.split_once('.'));
        let (octets, files) = oxum.ok_or_else(refused)?;
        let (octets, files) =
            (decimal(octets).ok_or_else(refused)?, decimal(files).ok_or_else(refused)?);
        Ok(Self { bagging_date: date.to_owned(), octets, files })
    }

    /// The bytes of this file.
    #[must_use]
    pub fn encode(&self) -> String {
        let Self { bagging_date, octets, files } = self;
        format!("Bagging-Date: {bagging_date}\nPayload-Oxum: {octets}.{files}\n")
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
    pub fn parse(bytes: &[u8]) -> Result<Vec<Self>, FormError> {
        let mut files: Vec<Self> = Vec::new();
        for line in lines("fetch.txt", bytes, MANIFEST_BYTES_MAX)? {
            let refused = |expected: &str| FormError::malformed("fetch.txt line", expected, line);
            let parts: Vec<&str> = line.split(' ').collect();
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

fn lines<'a>(item: &str, bytes: &'a [u8], bytes_max: usize) -> Result<Vec<&'a str>, FormError> {
    let refused = |expected: &str| FormError::malformed(item, expected, &printable_bytes(bytes));
    if bytes.len() > bytes_max {
        return Err(refused("a smaller file"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| refused("UTF-8"))?;
    let text = text.strip_suffix('\n').ok_or_else(|| refused("lines that end in a line feed"))?;
    Ok(text.split('\n').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: X3
    #[test]
    fn paths_that_could_escape_or_collide_are_refused() {
        for path in
            ["data/12/a.opus", "ledger/control/0.tlog-proof", "data/report/a/b.txt", "a-_.b"]
        {
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

    // spec: X2
    #[test]
    fn every_file_has_one_place_or_none() {
        assert_eq!(Place::of("data/12/report"), Some(Place::Packed(12)));
        assert_eq!(Place::of("data/report/x/y"), Some(Place::Report));
        assert_eq!(Place::of("data/openings/3.json"), Some(Place::Opening(3)));
        assert_eq!(Place::of("ledger/entries/3.note"), Some(Place::EntryNote(3)));
        for path in [
            "data/012/a",
            "data/x",
            "data/report",
            "data/1/a/b",
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
        assert_eq!(Manifest::parse(good.as_bytes()).unwrap().encode(), good);
        let bad = [
            format!("{hash}  data/1/b\n{hash}  data/1/a\n"),
            format!("{hash}  data/1/a\n{hash}  data/1/a\n"),
            format!("{hash} data/1/a\n"),
            format!("{hash}  *data/1/a\n"),
            format!("{}  data/1/a\n", hash.to_uppercase()),
            format!("{hash}  data/1/a"),
            format!("{hash}  data/1/a\r\n"),
            String::new(),
        ];
        for text in bad {
            assert!(Manifest::parse(text.as_bytes()).is_err(), "{text:?}");
        }
        let info = "Bagging-Date: 2026-11-20\nPayload-Oxum: 10.2\n";
        assert_eq!(BagInfo::parse(info.as_bytes()).unwrap().encode(), info);
        for text in [
            info.replace("10.2", "010.2"),
            info.replace("-20\n", "-31\n"),
            info.replace("Bag", "bag"),
            format!("{info}X: y\n"),
        ] {
            assert!(BagInfo::parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(Fetch::parse(b"https://a/b 12 data/1/a\n").is_ok());
        assert!(Fetch::parse(b"https://a/b - data/1/a\n").is_err());
    }
}
