//! Completeness: whether everything that the policy asks for is there and agrees.

use unbroken_evidence::document;
use unbroken_evidence::json::Value;

use crate::layout::genesys_cloud::from_path;
use crate::layout::{Assembled, Role};

/// The name of the built-in policy.
pub(crate) const POLICY_NAME: &str = "genesys-cloud-1";
/// Its text, sealed as a `policy` entry.
pub(crate) const POLICY_TEXT: &str = "A recording exported by Genesys Cloud is complete when \
(1) its bytes were read in full and are not empty; (2) its sidecar, a JSON document beside it, is there; \
(3) the sidecar can be read as JSON (UTF-8, no name twice, at most 1 MiB and 64 levels) and has no more values, and no longer names, than can be sealed one by one; (4) the sidecar's recordingId is the recording's file name up to its first dot; \
(5) the sidecar's conversationId is the conversation id in the path, where the path has one. \
Nothing is said of attributes, holds or recordings that were not exported.";

/// Of a sidecar that is broken, or longer or deeper than can be read.
pub(crate) const UNREADABLE: &str =
    "the sidecar is not read: broken, over 1 MiB or 64 levels, a name twice, or not plain UTF-8";

/// What the policy finds missing or at odds, each a sentence; none: complete.
pub(crate) fn assess(
    key: &[u8],
    size: u64,
    assembled: &Assembled,
    sidecar: Option<&Value>,
) -> Vec<String> {
    let mut findings = Vec::new();
    if size == 0 {
        findings.push("the recording has no bytes".to_owned());
    }
    let has = |wanted| assembled.companions.iter().any(|(_, role)| *role == wanted);
    if has(Role::UnreadSidecar) {
        findings.push(UNREADABLE.to_owned());
    } else if !has(Role::Sidecar) {
        findings.push("the sidecar is missing".to_owned());
    }
    let Some(sidecar) = sidecar else { return findings };
    if !document::may_be_fields(sidecar) {
        findings.push(
            "the sidecar holds more values, or longer names, than can be sealed one by one"
                .to_owned(),
        );
    }
    let said = |name: &str| sidecar.member(name).and_then(Value::as_str);
    let name = std::str::from_utf8(crate::group::name_of(key)).unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    match said("recordingId") {
        Some(id) if id == stem => {}
        Some(_) => {
            findings.push("the sidecar names another recording than the file name".to_owned())
        }
        None => findings.push("the sidecar names no recording".to_owned()),
    }
    match (said("conversationId"), from_path(key).conversation) {
        (Some(id), Some(path)) if id != path => {
            findings.push("the sidecar names another conversation than the path".to_owned());
        }
        (None, _) => findings.push("the sidecar names no conversation".to_owned()),
        _ => {}
    }
    findings
}
