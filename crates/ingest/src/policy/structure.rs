//! Whether a media file is whole, as far as its own structure tells: WAV, Ogg, MP4 and WebM, and whether it
//! is encrypted. What is of no form that is known here is neither praised nor blamed.

use unbroken_evidence::length::Ends;

use super::code::{Code, Finding};

/// What the structure of a file tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Structure {
    /// Of a form that is known, and nothing is wrong with it.
    Whole,
    /// Of a form that is known, and this is wrong with it.
    Broken(Finding),
    /// Of no form that is known here.
    Unknown,
}

/// Looks at the beginning and the end of a file.
pub(super) fn structure(ends: &Ends) -> Structure {
    let head = ends.head();
    let broken = |code, sentence: &str| Structure::Broken(Finding::new(code, sentence));
    if is_encrypted(head) {
        return broken(
            Code::Encrypted,
            "the recording is encrypted: nobody can hear it without the key",
        );
    }
    let found = match head {
        [b'R', b'I', b'F', b'F', ..] if head.get(8..12) == Some(b"WAVE") => wav(ends),
        [b'O', b'g', b'g', b'S', ..] => ogg(ends),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => None,
        _ if head.get(4..8) == Some(b"ftyp") => mp4(ends),
        [b'I', b'D', b'3', ..] => None,
        [0xff, second, third, ..] if is_mp3(*second, *third) => None,
        _ => return Structure::Unknown,
    };
    found.map_or(Structure::Whole, |(code, sentence)| broken(code, sentence))
}

type Found = Option<(Code, &'static str)>;

const TRUNCATED: (Code, &str) =
    (Code::Truncated, "the recording is shorter than its own header says: its end is missing");
const NO_SOUND: (Code, &str) = (Code::NoSound, "the recording has a header and nothing behind it");

/// OpenPGP (RFC 9580), CMS (RFC 5652) and `openssl enc`: what encrypts a file as a whole.
fn is_encrypted(head: &[u8]) -> bool {
    const ENVELOPED: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
    // A packet with a session key, for a key (tag 1) or for a passphrase (tag 3): its length, then its version.
    let body = match head {
        [0x84 | 0x8c, _, body @ ..] | [0x85 | 0x8d, _, _, body @ ..] => Some(body),
        [0xc1 | 0xc3, 0..=191, body @ ..] | [0xc1 | 0xc3, 192..=223, _, body @ ..] => Some(body),
        _ => None,
    };
    head.starts_with(b"-----BEGIN PGP MESSAGE")
        || head.starts_with(b"Salted__")
        || body.is_some_and(|body| matches!(body, [3..=6, ..]))
        || head.starts_with(b"0") && head.get(..24).is_some_and(|start| contains(start, ENVELOPED))
}

/// The second and third byte of an MPEG audio frame (ISO 11172-3) of layer II or III: no reserved version, bit
/// rate or sampling rate.
const fn is_mp3(second: u8, third: u8) -> bool {
    second & 0xe0 == 0xe0
        && second & 0x18 != 0x08
        && matches!(second & 0x06, 0x02 | 0x04)
        && third & 0xf0 != 0xf0
        && third & 0x0c != 0x0c
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn u32_le(bytes: &[u8], at: usize) -> Option<u64> {
    let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(u64::from(u32::from_le_bytes(four)))
}

/// Lengths that nobody knew when they were written: 0x7fff0000 and more, as SoX and FFmpeg leave them.
const STREAMED_FROM: u64 = 0x7fff_0000;

/// RIFF: the `data` chunk has bytes, and they are there. A writer that streams leaves 0 or a length of no file.
fn wav(ends: &Ends) -> Found {
    let head = ends.head();
    let mut at = 12_usize;
    loop {
        let Some((name, length)) = head.get(at..at + 4).zip(u32_le(head, at + 4)) else {
            // Chunks that do not end within the head, or a file that ends before its sound begins.
            return (ends.size() <= at as u64 + 8).then_some(NO_SOUND);
        };
        let body = at as u64 + 8;
        let there = ends.size().saturating_sub(body);
        if name == b"data" {
            let is_open = length == 0 || length >= STREAMED_FROM;
            return match there {
                0 => Some(NO_SOUND),
                there if !is_open && there < length => Some(TRUNCATED),
                _ => None,
            };
        }
        let next = usize::try_from(body + length + length % 2).ok()?;
        if next > head.len() {
            return (ends.size() < next as u64).then_some(TRUNCATED);
        }
        at = next;
    }
}

/// Ogg (RFC 3533): the last page says that it is the last, and some page has sound.
fn ogg(ends: &Ends) -> Found {
    let tail = ends.tail();
    let starts = |at: &usize| tail.get(*at..).is_some_and(|page| page.starts_with(b"OggS\0"));
    // A page is shorter than the end that is kept: where none begins there, something else does.
    let Some(last) = (0..tail.len()).rev().find(starts) else { return Some(TRUNCATED) };
    let page = tail.get(last..)?;
    let segments = usize::from(*page.get(26).unwrap_or(&0));
    let lengths = page.get(27..27 + segments);
    let Some(lengths) = lengths else { return Some(TRUNCATED) };
    let body: usize = lengths.iter().map(|length| usize::from(*length)).sum();
    let granule = page.get(6..14)?.try_into().map(u64::from_le_bytes).ok()?;
    if page.len() < 27 + segments + body {
        Some(TRUNCATED)
    } else if granule == 0 {
        Some(NO_SOUND)
    } else if page.get(5)? & 0x04 == 0 {
        let what =
            "the recording's last page does not say that it is the last: it may have been cut off";
        Some((Code::WithoutEnd, what))
    } else {
        None
    }
}

/// ISO 14496-12: the boxes follow each other to the end of the file, as far as they begin within its ends.
fn mp4(ends: &Ends) -> Found {
    let tail_at = ends.size().saturating_sub(ends.tail().len() as u64);
    let bytes = |at: u64, count: usize| {
        let of = |part: &[u8], from: u64| {
            let at = usize::try_from(at.checked_sub(from)?).ok()?;
            part.get(at..at.checked_add(count)?).map(<[u8]>::to_vec)
        };
        of(ends.head(), 0).or_else(|| of(ends.tail(), tail_at))
    };
    let (mut at, mut has_media, mut has_index) = (0_u64, false, false);
    while at < ends.size() {
        let Some(header) = bytes(at, 8) else {
            // It begins in the middle, where nobody looked, or the file ends within a header.
            return (ends.size() - at < 8).then_some(TRUNCATED);
        };
        let [a, b, c, d, name @ ..] = header.as_slice() else { return None };
        let length = match u32::from_be_bytes([*a, *b, *c, *d]) {
            // To the end of the file, which only sound and pictures may.
            0 if name == b"mdat" => ends.size() - at,
            0 => return Some(TRUNCATED),
            1 => u64::from_be_bytes(bytes(at + 8, 8)?.try_into().ok()?),
            length => u64::from(length),
        };
        if length < 8 {
            return Some(TRUNCATED);
        }
        has_media |= matches!(name, b"mdat" | b"moof") && length > 8;
        has_index |= matches!(name, b"moov" | b"moof");
        at = at.saturating_add(length);
    }
    match (at > ends.size(), has_media, has_index) {
        (true, ..) => Some(TRUNCATED),
        (false, false, _) => Some(NO_SOUND),
        (false, true, false) => {
            let what = "the recording has no index (moov), without which nobody can play it: its end is missing";
            Some((Code::Truncated, what))
        }
        (false, true, true) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> Option<&'static str> {
        let mut ends = Ends::default();
        bytes.chunks(1_000).for_each(|piece| ends.take(piece));
        match structure(&ends) {
            Structure::Whole => Some("whole"),
            Structure::Broken(finding) => Some(finding.code.name()),
            Structure::Unknown => None,
        }
    }

    fn sample(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../bin/unbroken/sample/");
        std::fs::read(format!("{folder}{name}")).unwrap()
    }

    /// The field's own case: an hour's call, 44 bytes long.
    #[test]
    fn a_wav_that_is_a_header_alone_has_no_sound() {
        let wav = sample("call-1.wav");
        assert_eq!(told(&wav), Some("whole"));
        let data = wav.windows(4).position(|four| four == b"data").unwrap();
        assert_eq!(told(&wav[..data + 8]), Some("no-sound"));
        assert_eq!(told(&wav[..data + 3]), Some("no-sound"));
        assert_eq!(told(&wav[..wav.len() - 1]), Some("truncated"));
        assert_eq!(told(&wav[..20]), Some("truncated"));
        let mut streamed = wav.clone();
        streamed[data + 4..data + 8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(told(&streamed), Some("whole"), "a length that nobody knew is none");
        streamed[data + 4..data + 8].copy_from_slice(&0x7fff_f000_u32.to_le_bytes());
        assert_eq!(told(&streamed), Some("whole"), "as SoX leaves it");
    }

    #[test]
    fn an_ogg_that_was_cut_off_says_so() {
        let opus = sample("call-2.opus");
        assert_eq!(told(&opus), Some("whole"));
        assert_eq!(told(&opus[..opus.len() - 1]), Some("truncated"));
        let last = (0..opus.len()).rev().find(|at| opus[*at..].starts_with(b"OggS")).unwrap();
        assert_eq!(told(&opus[..last]), Some("without-end"));
        assert_eq!(told(&opus[..last + 20]), Some("truncated"));
        let second = 4 + opus[4..].windows(4).position(|four| four == b"OggS").unwrap();
        assert_eq!(told(&opus[..second]), Some("no-sound"));
        assert_eq!(
            told(&[opus, vec![0; 70_000]].concat()),
            Some("truncated"),
            "no page at its end"
        );
    }

    #[test]
    fn boxes_of_an_mp4_reach_its_end() {
        let part = |name: &[u8; 4], body: usize| {
            let length = u32::try_from(body + 8).unwrap().to_be_bytes();
            [&length[..], name, &vec![7; body]].concat()
        };
        let whole = [part(b"ftyp", 16), part(b"mdat", 200_000), part(b"moov", 900)].concat();
        assert_eq!(told(&whole), Some("whole"));
        assert_eq!(told(&whole[..whole.len() - 1]), Some("truncated"));
        assert_eq!(told(&whole[..100_000]), Some("truncated"));
        assert_eq!(told(&[part(b"ftyp", 16), part(b"moov", 900)].concat()), Some("no-sound"));
        let open = [vec![0; 4], b"mdat".to_vec(), vec![7; 99]].concat();
        assert_eq!(
            told(&[part(b"ftyp", 16), part(b"moov", 90), open.clone()].concat()),
            Some("whole")
        );
        assert_eq!(told(&[part(b"ftyp", 16), open].concat()), Some("truncated"), "no index");
        assert_eq!(told(&[part(b"ftyp", 16), vec![0; 500]].concat()), Some("truncated"));
    }

    #[test]
    fn what_is_encrypted_is_told_and_what_is_unknown_is_not_judged() {
        for bytes in [
            &b"-----BEGIN PGP MESSAGE-----\n\n"[..],
            &[0x85, 0x01, 0x0c, 0x03, 9, 9, 9, 9],
            &[0xc1, 0x5e, 0x06, 9, 9, 9],
            &[0x84, 0x5e, 0x03, 9, 9, 9],
            &[0x8c, 0x0d, 0x04, 0x09, 0x03, 0x0a],
            &[0xc3, 0x2e, 0x05, 9, 9, 9],
            b"Salted__12345678",
            b"0\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        ] {
            assert_eq!(told(bytes), Some("encrypted"), "{bytes:?}");
        }
        for bytes in
            [&b""[..], b"RIFF", b"hello", &[0x85, 0x01, 0x0c, 0x07], &[0xc1], b"\xff\xfeh\0e\0"]
        {
            assert_eq!(told(bytes), None, "{bytes:?}");
        }
        assert_eq!(told(b"\x1a\x45\xdf\xa3webm"), Some("whole"));
        assert_eq!(told(&[0xff, 0xfb, 0x90, 0x64]), Some("whole"));
    }
}
