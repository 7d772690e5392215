//! What a verdict says of each recording: declared and measured, and what is odd about it (A8, A9).

use unbroken_evidence::field::{FieldType, Value};

use crate::cases::{Case, case};
use crate::scene::Scene;

/// What a verdict must say of one recording entry.
pub struct Line {
    /// The exhibit.
    pub exhibit: &'static str,
    /// The entry.
    pub index: u64,
    /// `agree`, `differ`, `not-packed` or `not-disclosed`.
    pub bytes: &'static str,
    /// How many companions agree, of how many.
    pub companions: &'static str,
    /// Its length by its own header, in milliseconds.
    pub measured_ms: Option<u64>,
    /// How long after its declared end it was sealed, in milliseconds.
    pub sealed_after_ms: Option<i64>,
    /// The codes of what is odd, joined by commas.
    pub odd: &'static str,
}

/// The lines that are held against verdicts.
#[must_use]
pub fn lines() -> Vec<Line> {
    let line = |exhibit, index, bytes, measured_ms, sealed_after_ms, odd| {
        let companions = match (index, exhibit) {
            (4, _) => "0/0",
            (_, "companion-not-packed" | "companion-of-another-size") => "0/1",
            (_, "recordings-not-packed") => "0/1",
            _ => "1/1",
        };
        Line { exhibit, index, bytes, companions, measured_ms, sealed_after_ms, odd }
    };
    vec![
        line("good", 2, "agree", None, None, "-"),
        line("good", 4, "agree", None, None, "-"),
        line("recordings-not-packed", 2, "not-packed", None, None, "-"),
        line("index-leading-zero", 2, "not-packed", None, None, "-"),
        line("recording-taken-out", 2, "not-here", None, None, "-"),
        line("content-closed", 4, "not-disclosed", None, None, "-"),
        line("companion-not-packed", 2, "agree", None, None, "-"),
        line("companion-of-another-size", 2, "agree", None, None, "-"),
        line("false-recording-beside-the-true-one", 2, "agree", None, None, "-"),
        line("false-recording-beside-the-true-one", 6, "agree", None, None, "-"),
        line("recording-bit-flipped", 6, "differ", None, None, "-"),
        line("recording-bit-flipped", 2, "differ", None, None, "-"),
        line("zip-crc-of-a-recording", 2, "unreadable", None, None, "-"),
        line("zip-crc-of-a-recording", 4, "agree", None, None, "-"),
        line("zip-crc-of-a-recording", 6, "unreadable", None, None, "-"),
        line("entry-text-changed", 6, "agree", None, None, "-"),
        line("declared-times", 2, "agree", None, Some(3_576_503), "-"),
        line("declared-times-of-a-year", 2, "agree", None, Some(31_536_000_000), "-"),
        line("odd-sealed-late", 2, "agree", None, Some(31_536_000_001), "sealed-late"),
        line("odd-sealed-before-its-end", 2, "agree", None, Some(-1), "sealed-before-its-end"),
        line("odd-backwards", 2, "agree", None, Some(3_602_124), "ends-before-it-starts"),
        line("odd-longer", 2, "agree", None, Some(3_576_503), "longer-than-its-times"),
        line("declared-in-another-form", 2, "agree", None, None, "-"),
        line("odd-modified-late", 2, "agree", None, None, "modified-after-it-was-read"),
        line("named-twice", 2, "agree", None, None, "other-name-in-its-path"),
        line("named-by-its-path", 2, "agree", None, None, "-"),
        line("odd-same-bytes", 4, "agree", None, None, "same-bytes"),
        line("wav", 2, "agree", Some(25_000), None, "-"),
        line("wav-cut", 2, "agree", Some(625), None, "other-length"),
        line("wav-never-finished", 2, "agree", Some(25_000), None, "-"),
        line("wav-without-format", 2, "agree", None, None, "-"),
        line("ogg-opus", 2, "agree", Some(24_993), None, "-"),
        line("ogg-vorbis", 2, "agree", Some(25_620), None, "-"),
        line("ogg-of-another-codec", 2, "agree", None, None, "-"),
        line("ogg-length-odd", 2, "agree", Some(20_000), None, "other-length"),
    ]
}

/// Exhibit, entry, how many things its collector noticed, and the first of them.
pub const NOTICED: &[(&str, u64, u64, &str)] = &[
    ("good", 2, 0, "-"),
    ("noticed-once", 2, 1, "no end of the call"),
    ("noticed-often", 2, 5, "thing 0"),
];

pub(crate) fn noticed_cases() -> Vec<Case> {
    let noticed = |texts: Vec<String>| Scene {
        values: Box::new(move |index, values| {
            if index == 2 {
                let text =
                    |(n, text): (usize, &String)| Value::string("finding", &format!("/{n}"), text);
                values.extend(texts.iter().enumerate().map(text));
            }
        }),
        ..Scene::default()
    };
    let often = (0..5).map(|n| format!("thing {n}")).collect();
    vec![
        case("noticed-once", 0, "-", &noticed(vec!["no end of the call".into()])),
        case("noticed-often", 0, "-", &noticed(often)),
    ]
}

/// Exhibit, entry, what the file is to it, and why it is not packed, as its producer says (X22).
pub const LEFT_OUT: &[(&str, u64, &str, &str)] = &[
    ("recordings-not-packed", 2, "recording", "-"),
    ("left-out-and-why", 2, "recording", "changed"),
    ("left-out-and-why", 4, "recording", "gone"),
    ("left-out-and-why", 6, "recording", "not-asked-for"),
    ("left-out-and-packed", 2, "recording", "-"),
    ("left-out-for-a-reason-of-tomorrow", 2, "recording", "eaten-by-a-dog"),
    ("left-out-in-another-form", 2, "recording", "-"),
];

/// Exhibits that say why files are not packed.
pub(crate) fn left_out_cases() -> Vec<Case> {
    let said = |values: &[(&str, &str)], is_packed: bool| {
        let values: Vec<Value> =
            values.iter().map(|(pointer, why)| Value::string("left-out", pointer, why)).collect();
        Scene {
            values: Box::new(move |index, known| {
                if index == 8 {
                    known.extend(values.iter().cloned());
                }
            }),
            payload: Box::new(move |package| {
                let paths = ["data/2/recording.opus", "data/4/recording.json"];
                paths.iter().filter(|_| !is_packed).for_each(|path| drop(package.remove(path)));
            }),
            ..Scene::default()
        }
    };
    let why =
        [("/2/recording", "changed"), ("/4/recording", "gone"), ("/6/recording", "not-asked-for")];
    let tomorrow = said(&[("/2/recording", "eaten-by-a-dog")], false);
    let forms =
        [("/02/recording", "gone"), ("/2/recording.opus", "gone"), ("/2", "gone"), ("", "gone")];
    vec![
        case("left-out-and-why", 2, "V4", &said(&why, false)),
        case("left-out-and-packed", 0, "-", &said(&why, true)),
        case("left-out-for-a-reason-of-tomorrow", 2, "V4", &tomorrow),
        case("left-out-in-another-form", 2, "V4", &said(&forms, false)),
    ]
}

/// The form of declared times, and the milliseconds since 1970 that each is.
pub const TIMES: &[(&str, Option<i64>)] = &[
    ("2023-08-29T23:19:04.873+0000", Some(1_693_351_144_873)),
    ("2023-08-29T23:19:04Z", Some(1_693_351_144_000)),
    ("2023-08-29T23:19:04.8Z", Some(1_693_351_144_800)),
    ("2023-08-29T23:19:04.873999999Z", Some(1_693_351_144_873)),
    ("2023-08-30T01:19:04.873+02:00", Some(1_693_351_144_873)),
    ("2023-08-29T17:49:04.873-0530", Some(1_693_351_144_873)),
    ("1970-01-01T00:00:00.000+0100", Some(-3_600_000)),
    ("2023-08-29T23:19:04.8739999999Z", None),
    ("2023-08-29T23:19:04.Z", None),
    ("2023-08-29T23:19:04", None),
    ("2023-08-29T23:19Z", None),
    ("2023-08-29 23:19:04Z", None),
    ("2023-08-29T23:19:60Z", None),
    ("2023-02-29T23:19:04Z", None),
    ("2023-08-29T23:19:04+2400", None),
    ("2023-08-29T23:19:04+0060", None),
    ("2023-08-29T23:19:04+02", None),
    ("2023-08-29T23:19:04z", None),
    ("1969-12-31T23:59:59Z", None),
    ("1693351144873", None),
];

/// Entries 2 and 6 with these values in their sidecar.
fn sidecar(name: &'static str, values: &[(&str, FieldType, &str)]) -> Case {
    case(name, 0, "-", &with_sidecar(values))
}

fn with_sidecar(values: &[(&str, FieldType, &str)]) -> Scene {
    let member = |(name, field_type, value): &(&str, FieldType, &str)| match field_type {
        FieldType::String => format!("\"{name}\":\"{value}\""),
        _ => format!("\"{name}\":{value}"),
    };
    let text = format!("{{{}}}", values.iter().map(member).collect::<Vec<_>>().join(","));
    let value = |(name, field_type, value): &(&str, FieldType, &str)| {
        Value::new("sidecar", &format!("/{name}"), *field_type, value)
    };
    Scene { sidecar: (text.into_bytes(), values.iter().map(value).collect()), ..Scene::default() }
}

fn times(name: &'static str, start: &str, end: &str, duration: &str) -> Case {
    let (text, number) = (FieldType::String, FieldType::Number);
    sidecar(
        name,
        &[("startTime", text, start), ("endTime", text, end), ("durationMs", number, duration)],
    )
}

/// A recording of these bytes.
fn of(name: &'static str, call: Vec<u8>) -> Case {
    case(name, 0, "-", &Scene { call, ..Scene::default() })
}

pub(crate) fn cases() -> Vec<Case> {
    const START: &str = "2026-11-20T06:00:00.000+0000";
    let added = |values: Vec<Value>| Scene {
        values: Box::new(move |index, known| {
            if index == 2 {
                known.extend(values.iter().cloned());
            }
        }),
        ..Scene::default()
    };
    let modified = added(vec![
        Value::string("object", "/modified", "2026-11-20T06:59:00.001Z"),
        Value::string("observed", "/end", "2026-11-20T06:59:00.000Z"),
    ]);
    vec![
        times("declared-times", START, "2026-11-20T07:00:25.620+0100", "26620"),
        times("declared-times-of-a-year", "2025-11-20T06:00:00Z", "2025-11-20T07:00:02.123Z", "5"),
        times("odd-sealed-late", "2025-11-20T06:00:00Z", "2025-11-20T07:00:02.122Z", "5"),
        times("odd-sealed-before-its-end", START, "2026-11-20T07:00:02.124Z", "5"),
        times("odd-backwards", START, "2026-11-20T05:59:59.999Z", "26620"),
        times("odd-longer", START, "2026-11-20T07:00:25.620+0100", "26621"),
        times("declared-in-another-form", "yesterday", "2026-11-20T07:00", "26621"),
        case("odd-modified-late", 0, "-", &modified),
        case(
            "odd-same-bytes",
            0,
            "-",
            &Scene {
                message: crate::scene::call_bytes(),
                payload: Box::new(|p| drop(p.remove("data/4/recording.json"))),
                ..Scene::default()
            },
        ),
        of("wav", wav(true, 400, 400)),
        of("wav-cut", wav(true, 400, 10)),
        of("wav-never-finished", wav(true, 0, 400)),
        of("wav-without-format", wav(false, 400, 400)),
        of("ogg-opus", ogg(b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0", 25 * 48_000)),
        of("ogg-vorbis", ogg(b"\x01vorbis\0\0\0\0\x01\x40\x1f\0\0", 204_960)),
        of("ogg-of-another-codec", ogg(b"Speex   1.2", 204_960)),
        of("ogg-length-odd", ogg(b"\x01vorbis\0\0\0\0\x01\x40\x1f\0\0", 160_000)),
    ]
}

/// Eight samples a second of two bytes, behind a chunk of odd length.
fn wav(has_format: bool, declared: u32, bytes: usize) -> Vec<u8> {
    let mut wav = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0".to_vec();
    if has_format {
        wav.extend(b"fmt \x10\0\0\0\x01\0\x01\0");
        wav.extend([8_u32, 16].iter().flat_map(|word| word.to_le_bytes()));
        wav.extend(b"\x02\0\x10\0");
    }
    wav.extend(b"data");
    wav.extend(declared.to_le_bytes());
    wav.extend(vec![0; bytes]);
    wav
}

/// Three pages: the head of the stream, its last one, and one on which no packet ends.
fn ogg(head: &[u8], position: u64) -> Vec<u8> {
    let page = |position: u64, body: &[u8]| {
        let mut page = b"OggS\0\x02".to_vec();
        page.extend(position.to_le_bytes());
        page.extend([7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, u8::try_from(body.len()).unwrap_or(0)]);
        page.extend(body);
        page
    };
    [page(0, head), page(position, &[5; 90]), page(u64::MAX, &[6; 90])].concat()
}
