//! Objects to look for in a published log, and what the answer must be: part 3 of the verification.

use crate::logs::{OTHER_BYTES, replaced_log, short_log};
use crate::model::Model;
use crate::scene::{MESSAGE_BYTES, SIDECAR_BYTES, call_bytes};

/// One object, the log it is looked for in, and the answer.
pub struct ObjectCase {
    /// Its path below `logs/objects`.
    pub name: &'static str,
    /// The log's folder.
    pub log: &'static str,
    /// The folder of openings that is given, or `-`.
    pub openings: &'static str,
    /// The exit code.
    pub exit: u8,
    /// As `spec/vectors/README.md` says.
    pub answer: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// All objects.
#[must_use]
pub fn objects() -> Vec<ObjectCase> {
    let object = |name, log, openings, exit, answer, bytes: &[u8]| {
        let bytes = bytes.to_vec();
        ObjectCase { name, log, openings, exit, answer, bytes }
    };
    let in_good = |name, openings, exit, answer, bytes: &[u8]| {
        object(name, "good", openings, exit, answer, bytes)
    };
    let in_replaced = |name, openings, exit, answer, bytes: &[u8]| {
        object(name, "replaced", openings, exit, answer, bytes)
    };
    let call = call_bytes();
    vec![
        in_good(
            "call.opus",
            "-",
            0,
            "sealed 2:recording:key-not-shown<6+7 6:recording:key-not-shown>2+7",
            &call,
        ),
        in_good("message.json", "-", 2, "no-match 2 1", MESSAGE_BYTES),
        in_good("c-2/r-2.json", "openings", 0, "sealed 4:recording:its-key", MESSAGE_BYTES),
        in_good("nobody.wav", "-", 2, "no-match 2 1", b"sealed nowhere"),
        in_good(
            "c-1/r-1.opus",
            "openings",
            1,
            "other-bytes 6:recording:its-key>2+7",
            b"other bytes",
        ),
        in_good(
            "sidecar.json",
            "openings",
            0,
            "sealed 2:companion-0:another-key<6+7 6:companion-0:another-key>2+7",
            SIDECAR_BYTES,
        ),
        in_good("sidecar-unopened.json", "-", 2, "no-match 2 1", SIDECAR_BYTES),
        in_good(
            "c-1/r-1.opus_metadata.json",
            "openings",
            0,
            "sealed 2:companion-0:its-key<6+7 6:companion-0:its-key>2+7",
            SIDECAR_BYTES,
        ),
        // The bytes of the call under the key of the message.
        in_good("moved/c-2/r-2.json", "openings", 1, "other-bytes 4:recording:its-key", &call),
        // The same, where nobody shows under which key the call was sealed: it may be this one.
        in_good(
            "perhaps/c-2/r-2.json",
            "openings-4",
            0,
            "sealed 2:recording:key-not-shown<6+7 6:recording:key-not-shown>2+7",
            &call,
        ),
        in_replaced(
            "first/c-1/r-1.opus",
            "openings-of-replaced",
            0,
            "sealed 2:recording:its-key<6!+7",
            &call,
        ),
        in_replaced(
            "second/c-1/r-1.opus",
            "openings-of-replaced",
            0,
            "sealed 6:recording:its-key>2!+7",
            OTHER_BYTES,
        ),
        in_replaced(
            "third/c-1/r-1.opus",
            "openings-of-replaced",
            1,
            "other-bytes 6:recording:its-key>2!+7",
            b"other bytes",
        ),
        in_replaced("replaced.opus", "-", 0, "sealed 2:recording:key-not-shown<6!+7", &call),
        // Openings of another log: nothing is taken from them.
        in_replaced(
            "not-its-openings.opus",
            "openings",
            2,
            "sealed 6:recording:key-not-shown>2!+7",
            OTHER_BYTES,
        ),
    ]
}

/// The openings that are given, by their path below `logs`.
#[must_use]
pub fn openings() -> Vec<(String, String)> {
    let of = |folder: &'static str, model: &Model, indices: &[u64]| {
        let opening = |index: &u64| {
            let text = model.openings.get(index)?.encode();
            Some((format!("{folder}/{index}.json"), text))
        };
        indices.iter().filter_map(opening).collect::<Vec<_>>()
    };
    let mut openings = of("openings", &short_log(), &[2, 4, 6]);
    openings.extend(of("openings-4", &short_log(), &[4]));
    openings.extend(of("openings-of-replaced", &replaced_log(), &[2, 6]));
    openings
}
