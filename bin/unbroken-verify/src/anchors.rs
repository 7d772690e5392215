//! Reads trust anchors as people bring them: typed, copied from paper, saved in a file.

use std::io::Read as _;
use std::path::Path;

use unbroken_container::plain::open_plain;
use unbroken_evidence::error::printable;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::VerifierKey;
use unbroken_evidence::trust::Trust;

use crate::output::{Failure, USAGE};

/// An anchor or a kept checkpoint is a few hundred bytes.
const SMALL_FILE_BYTES_MAX: u64 = 1 << 20;
/// Lines of what `unbroken init` prints.
const MARKS: [&str; 2] = ["trust anchor: ", "ledger id: "];

/// What was given, understood: and each anchor as it is shown.
#[derive(Debug)]
pub(crate) struct Anchors {
    pub(crate) trust: Trust,
    pub(crate) shown: Vec<String>,
}

/// Reads every `--trust`. A value is an anchor wherever it has the shape of one, and a file otherwise:
/// a file that lies in the working folder never takes an anchor's place.
pub(crate) fn read(values: &[String]) -> Result<Anchors, Failure> {
    let mut anchors = Anchors { trust: Trust::default(), shown: Vec::new() };
    for value in values {
        if MARKS.iter().any(|mark| value.contains(mark)) {
            anchors.text("--trust", value)?;
        } else if Shape::of(value).is_some() || value.trim().is_empty() {
            anchors.take(value)?;
        } else {
            anchors.file(value)?;
        }
    }
    Ok(anchors)
}

/// What a text looks like, whether it holds or not.
enum Shape {
    LedgerId(String),
    Key(String),
}

impl Shape {
    /// `None` for what can be no anchor. Spaces and line ends are how paper wraps and groups.
    fn of(text: &str) -> Option<Self> {
        let joined: String = text.split_whitespace().collect();
        let parts: Vec<&str> = joined.split('+').collect();
        if let [_, id, ..] = parts.as_slice()
            && parts.len() >= 3
            && id.len() == 8
            && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return Some(Self::Key(joined));
        }
        let digits: String = joined.chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        // A few digits more or less are a slip of whoever typed it, and no file name.
        (hex && (56..=72).contains(&digits.len())).then(|| Self::LedgerId(digits.to_lowercase()))
    }
}

impl Anchors {
    fn take(&mut self, text: &str) -> Result<(), Failure> {
        match Shape::of(text) {
            Some(Shape::LedgerId(digits)) => {
                let Some(id) = Hash::from_hex(&digits) else {
                    let sentence = format!("ledger id: it has {} digits, and not 64", digits.len());
                    let hint = "copy it whole, as `unbroken init` printed it; groups and line ends are fine";
                    return Err(Failure::new(USAGE, sentence, hint));
                };
                self.trust.ledger_ids.push(id);
                self.shown.push(format!("ledger id {id}"));
            }
            Some(Shape::Key(text)) => {
                let key = VerifierKey::parse(&text).map_err(|error| {
                    let hint =
                        "a letter is wrong or missing: hold it against the paper, letter by letter";
                    Failure::new(USAGE, error, hint)
                })?;
                self.shown.push(format!("verifier key {key}"));
                self.trust.keys.push(key);
            }
            None => {
                let sentence =
                    format!("\"{}\": neither a ledger id nor a verifier key", printable(text));
                let hint =
                    "give the ledger id (64 digits), the verifier key, or a file that holds one";
                return Err(Failure::new(USAGE, sentence, hint));
            }
        }
        Ok(())
    }

    fn file(&mut self, name: &str) -> Result<(), Failure> {
        let hint = "check the path; a ledger id or a verifier key can be given as it is";
        let text = small_file(Path::new(name), hint)?;
        self.text(name, text.strip_prefix('\u{feff}').unwrap_or(&text))
    }

    /// The anchors of a text that was saved or copied.
    fn text(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        if text.contains("PRIVATE+KEY") {
            let sentence = "this is a private key, and no trust anchor";
            let hint = "give the verifier key; nobody else may see the private one";
            return Err(Failure::new(USAGE, sentence, hint));
        }
        // What `unbroken init` printed may be saved and given as it is: beside the marked lines only what
        // can be no anchor is passed over.
        let is_marked = |line: &str| MARKS.iter().any(|mark| line.starts_with(mark));
        let has_marks = text.lines().any(is_marked);
        if !has_marks && Shape::of(text).is_some() {
            return self.take(text);
        }
        let unmarked = |line| MARKS.iter().find_map(|mark| str::strip_prefix(line, mark));
        let all = text.lines().map(|line| unmarked(line).unwrap_or(line).trim());
        let counts = |line: &&str| !line.is_empty() && (!has_marks || Shape::of(line).is_some());
        let lines: Vec<&str> = all.filter(counts).collect();
        if lines.is_empty() {
            let sentence = format!("{}: it holds no trust anchor", printable(name));
            return Err(Failure::new(
                USAGE,
                sentence,
                "give the ledger id or the verifier key of the log",
            ));
        }
        lines.into_iter().try_for_each(|line| self.take(line))
    }
}

/// The text of a small file.
pub(crate) fn small_file(path: &Path, hint: &'static str) -> Result<String, Failure> {
    let shown = printable(&path.to_string_lossy());
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(USAGE, format!("{shown}: {error}"), hint);
    let file = open_plain(path).map_err(|error| failed(&error))?;
    let mut text = String::new();
    let read = file.take(SMALL_FILE_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| failed(&error))?;
    if text.len() as u64 > SMALL_FILE_BYTES_MAX {
        return Err(failed(&"too long to be an anchor or a checkpoint"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    fn given(value: &str) -> Result<Anchors, String> {
        read(&[value.to_owned()]).map_err(|failure| failure.sentence)
    }

    #[test]
    fn anchors_are_read_as_paper_groups_and_wraps_them() {
        let id = "15bf3c8f444652d6fb596abd850b84d33a68989122cb6e7ff364ebb87b32053b";
        let grouped = "15BF3C8F 444652D6-FB596ABD:850B84D3\n3a689891 22cb6e7f f364ebb8 7b32053b";
        for text in [id, grouped] {
            assert_eq!(given(text).unwrap().trust.ledger_ids, [Hash::from_hex(id).unwrap()]);
        }
        let wrapped = KEY.replace("kyQR", "ky\n  QR");
        assert_eq!(given(&wrapped).unwrap().trust.keys[0].to_string(), KEY);
        assert!(given(&id[1..]).unwrap_err().contains("63 digits"));
        assert!(given(&KEY.replace("kyQR", "kyQr")).unwrap_err().contains("key id"));
    }

    /// A line was copied with its mark, and told to have a wrong letter.
    #[test]
    fn what_init_printed_may_be_pasted() {
        let id = "ab".repeat(32);
        let pasted = format!("trust anchor: {KEY}\nledger id: {id}");
        let trust = given(&pasted).unwrap().trust;
        assert_eq!((trust.keys[0].to_string().as_str(), trust.ledger_ids.len()), (KEY, 1));
        assert_eq!(given(&format!("ledger id: {id}")).unwrap().trust.ledger_ids.len(), 1);
        assert!(given("trust anchor: nothing").unwrap_err().contains("no trust anchor"));
    }

    /// Everything that is given must hold (L7), also what somebody wrote below what `init` printed.
    #[test]
    fn every_anchor_of_a_file_counts() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (one, other) = ("ab".repeat(32), "cd".repeat(32));
        let text =
            format!("trust anchor: {KEY}\nledger id: {one}\n(and what to do with them)\n{other}\n");
        std::fs::write(file.path(), text).unwrap();
        let trust = given(file.path().to_str().unwrap()).unwrap().trust;
        let ids = [one, other].map(|id| Hash::from_hex(&id).unwrap());
        assert_eq!((trust.keys.len(), trust.ledger_ids), (1, ids.to_vec()));
    }

    #[test]
    fn a_file_never_takes_the_place_of_what_looks_like_an_anchor() {
        assert!(matches!(Shape::of(KEY), Some(Shape::Key(_))));
        assert!(matches!(Shape::of(&"ab".repeat(32)), Some(Shape::LedgerId(_))));
        for name in ["anchor.txt", "a+b.txt", "./deadbeef", "deadbeef", ""] {
            assert!(Shape::of(name).is_none(), "{name}");
        }
    }
}
