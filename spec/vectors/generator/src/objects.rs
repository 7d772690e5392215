//! Objects to look for in a published log, and what the answer must be: part 3 of the verification.

use crate::logs::short_log;
use crate::model::Model;
use crate::replaced::{OTHER_BYTES, replaced};
use crate::scene::{MESSAGE_BYTES, SIDECAR_BYTES, call_bytes};

type Bytes = fn() -> Vec<u8>;

const CALL: Bytes = call_bytes;
const MESSAGE: Bytes = || MESSAGE_BYTES.to_vec();
const SIDECAR: Bytes = || SIDECAR_BYTES.to_vec();
const REPLACING: Bytes = || OTHER_BYTES.to_vec();
const UNKNOWN: Bytes = || b"sealed nowhere".to_vec();

/// Path below `logs/objects`, bytes, and the other columns of `logs/objects.txt`: the log, the openings
/// that are given, the exit code, the answer.
#[rustfmt::skip]
pub const OBJECTS: &[(&str, Bytes, &str)] = &[
    ("call.opus", CALL, "good - 0 sealed 2:recording:key-not-shown<6+7 6:recording:key-not-shown>2+7"),
    ("observed.opus", CALL, "one-observation-supersedes-another - 0 sealed 2:recording:key-not-shown<6+7+9 6:recording:key-not-shown>2+7+9"),
    ("message.json", MESSAGE, "good - 2 no-match 2 1"),
    ("nobody.wav", UNKNOWN, "good - 2 no-match 2 1"),
    ("c-2/r-2.json", MESSAGE, "good openings 0 sealed 4:recording:its-key"),
    ("c-1/r-1.opus", UNKNOWN, "good openings 1 other-bytes 6:recording:its-key>2+7"),
    ("sidecar.json", SIDECAR, "good openings 0 sealed 2:companion-0:another-key<6+7 6:companion-0:another-key>2+7"),
    ("sidecar-unopened.json", SIDECAR, "good - 2 no-match 2 1"),
    ("c-1/r-1.opus_metadata.json", SIDECAR, "good openings 0 sealed 2:companion-0:its-key<6+7 6:companion-0:its-key>2+7"),
    // The bytes of the call under the key of the message.
    ("moved/c-2/r-2.json", CALL, "good openings 1 other-bytes 4:recording:its-key 2:recording:another-key<6+7 6:recording:another-key>2+7"),
    // The same key with other bytes, where a later message hides its digest: it may be about this object.
    ("other/c-2/r-2.json", UNKNOWN, "two-histories openings 2 other-bytes 4:recording:its-key<8?"),
    // A metadata file with other bytes: contradicted where every entry shows its companions, and only there.
    ("edited/c-1/r-1.opus_metadata.json", UNKNOWN, "good openings 1 other-bytes 6:companion-0:its-key>2+7"),
    ("perhaps/c-1/r-1.opus_metadata.json", UNKNOWN, "good openings-2-6 2 other-bytes 6:companion-0:its-key>2+7"),
    // The same, where nobody shows under which key the call was sealed: it may be this one.
    ("perhaps/c-2/r-2.json", CALL, "good openings-4 0 sealed 2:recording:key-not-shown<6+7 6:recording:key-not-shown>2+7"),
    ("first/c-1/r-1.opus", CALL, "replaced openings-of-replaced 0 sealed 2:recording:its-key<6!+7"),
    ("second/c-1/r-1.opus", REPLACING, "replaced openings-of-replaced 0 sealed 6:recording:its-key>2!+7"),
    ("third/c-1/r-1.opus", UNKNOWN, "replaced openings-of-replaced 1 other-bytes 6:recording:its-key>2!+7"),
    ("replaced.opus", CALL, "replaced - 0 sealed 2:recording:key-not-shown<6!+7"),
    // Openings of another log: nothing is taken from them.
    ("not-its-openings.opus", REPLACING, "replaced openings 2 sealed 6:recording:key-not-shown>2!+7"),
];

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
    openings.extend(of("openings-2-6", &short_log(), &[2, 6]));
    openings.extend(of("openings-of-replaced", &replaced().log(), &[2, 6]));
    openings
}
