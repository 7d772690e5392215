//! Companions that are not there, or not yet.

use super::*;

/// The two files of a recording are written one after the other, and a run may look between them.
#[test]
fn a_companion_is_waited_for_as_long_as_its_policy_says() {
    let found = |rule: &str| {
        let mut case = Case::new("{}");
        case.roles.clear();
        case.documents.clear();
        let judged = case.judged(&policy(rule));
        (
            judged.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(),
            judged.is_awaiting(),
        )
    };
    let sidecar = "[[companion]]\nrole = \"sidecar\"\n";
    assert_eq!(found(sidecar), (vec![Code::CompanionMissing], false));
    let within = |minutes: u64| format!("{sidecar}within-minutes = {minutes}\n");
    assert_eq!(found(&within(30)), (vec![Code::CompanionMissing], false));
    assert_eq!(found(&within(31)), (vec![Code::CompanionAwaited], true));
    // What another rule misses in it is not missed before it is there.
    let field = "[[field]]\nname = \"id\"\nfrom = \"sidecar/recordingId\"\n";
    assert_eq!(found(&format!("{}{field}", within(31))), (vec![Code::CompanionAwaited], true));
    let mixed = format!("{}[[companion]]\nrole = \"transcript\"\n", within(31));
    assert_eq!(found(&mixed), (vec![Code::CompanionAwaited, Code::CompanionMissing], false));
    let error = Policy::parse(&format!(
        "format = \"unbroken/policy@v1\"\nname = \"test\"\n{}",
        within(600_000)
    ));
    assert!(error.unwrap_err().to_string().contains("`within-minutes`: expected at most 527040"));
}
