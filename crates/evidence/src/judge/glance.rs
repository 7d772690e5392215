//! A glance at an entry of a log: enough to tell whether it has to be judged, never to judge it.
//!
//! In the narrowed JSON of an entry no string holds a quote, so a member name with its quotes and colon
//! stands nowhere but where a member has it, and the last `kind` and `subject` are the outermost ones.
//! Whatever does not look like that is judged.

use crate::body::{Media, Subject};
use crate::entry::FIRST_LINE;
use crate::hash::Hash;
use crate::narrow::decimal;

/// What an entry seems to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glance<'a> {
    pub(crate) kind: &'a [u8],
    pub(crate) subject: Option<Subject>,
    pub(crate) sha256: Option<Hash>,
    /// Of a recording entry; `None` where it is none of this version.
    pub(crate) media: Option<Media>,
    pub(crate) refs: Vec<u64>,
    /// Name and id of the signature line, as they stand there.
    pub(crate) signer: &'a [u8],
}

impl<'a> Glance<'a> {
    /// `None` where the entry does not look like one of this version.
    pub(crate) fn at(bytes: &'a [u8]) -> Option<Self> {
        let text = bytes.strip_prefix(FIRST_LINE.as_bytes())?.strip_prefix(b"\n{")?;
        let end = find_last(text, b"}\n\n\xe2\x80\x94 ")?;
        let (json, line) = text.split_at(end);
        let line = line.get(7..)?;
        // The id is the first four bytes: no more than six characters of base64.
        let name = line.iter().position(|byte| *byte == b' ')?;
        let kind_at = find_last(json, b",\"kind\":\"")?;
        let (head, tail) = json.split_at(kind_at);
        let subject = find_last(tail, b",\"subject\":\"").and_then(|at| hex(tail, at + 12, 32));
        let sha256 = find(head, b",\"sha256\":\"").or_else(|| find(head, b"{\"sha256\":\""));
        let media = find_last(head, b",\"media\":\"").and_then(|at| string(head, at + 10));
        let media = media.and_then(|name| std::str::from_utf8(name).ok());
        Some(Self {
            kind: string(tail, 9)?,
            media: media.and_then(Media::from_name),
            subject: subject.and_then(Subject::from_hex),
            sha256: sha256.and_then(|at| hex(head, at + 11, 64)).and_then(Hash::from_hex),
            refs: refs(head),
            signer: line.get(..name + 7)?,
        })
    }
}

/// The indices that the references of a body name.
fn refs(head: &[u8]) -> Vec<u64> {
    let mut refs = Vec::new();
    let Some(from) = find_last(head, b"\"refs\":[") else { return refs };
    let mut rest = head.get(from..).unwrap_or_default();
    while let Some(at) = find(rest, b"{\"index\":") {
        rest = rest.get(at + 9..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = rest.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok());
        refs.extend(number.and_then(decimal));
    }
    refs
}

fn string(bytes: &[u8], from: usize) -> Option<&[u8]> {
    let rest = bytes.get(from..)?;
    rest.get(..rest.iter().position(|byte| *byte == b'"')?)
}

fn hex(bytes: &[u8], from: usize, digits: usize) -> Option<&str> {
    std::str::from_utf8(bytes.get(from..from + digits)?).ok()
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}

fn find_last(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).rposition(|window| window == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_sees_what_decides_whether_an_entry_is_judged() {
        let entry = format!(
            "unbroken/entry@v1\n{{\"at\":\"x\",\"body\":{{\"content\":{{\"blake3\":\"y\",\"sha256\":\"{}\"}},\
             \"media\":\"chat\",\"refs\":[{{\"index\":12,\"leaf\":\"z\",\"rel\":\"about\"}},{{\"index\":7,\"leaf\":\"z\"}}]}},\
             \"control\":\"c\",\"kind\":\"recording\",\"number\":1,\"signer\":\"s\",\"subject\":\"{}\"}}\n\n\
             \u{2014} s sDxEEvA5AAAA\n",
            "ab".repeat(32),
            "a1".repeat(16),
        );
        let seen = Glance::at(entry.as_bytes()).unwrap();
        assert_eq!(seen.kind, b"recording");
        assert_eq!(seen.subject, Some(Subject([0xa1; 16])));
        assert_eq!(seen.sha256, Some(Hash::new([0xab; 32])));
        assert_eq!(seen.media, Some(Media::Chat));
        assert_eq!(seen.refs, [12, 7]);
        assert_eq!(seen.signer, b"s sDxEEv");
        assert!(Glance::at(entry.replace("@v1", "@v2").as_bytes()).is_none());
        assert!(Glance::at(b"").is_none() && Glance::at(b"unbroken/entry@v1\n{}\n").is_none());
    }
}
