//! Policies as people write them, against recordings as they come.

mod companions;

use unbroken_evidence::document::parse_document;
use unbroken_evidence::field::Value as Field;
use unbroken_evidence::json::Value;
use unbroken_evidence::length::Ends;
use unbroken_evidence::time::Time;

use super::*;
use crate::layout::Layout;
use crate::policy::Sort;

const SIDECAR: &str = r#"{"mediaType":"Message","conversationId":"c-1","recordingId":"r-1",
    "startTime":"2026-09-05T07:31:00.000+0000","endTime":"2026-09-05T07:33:00.000+0000"}"#;

/// A recording of which a test says what it likes.
struct Case {
    layout: Layout,
    media: Media,
    key: &'static str,
    size: u64,
    fields: Vec<Field>,
    documents: Vec<(Option<Role>, Value)>,
    roles: Vec<Role>,
    bucket: bool,
    own: Own,
    ends: Option<Ends>,
    elsewhere: Option<u64>,
}

impl Case {
    /// A message with a sidecar in a bucket, and nothing else.
    fn new(sidecar: &str) -> Self {
        let sidecar = parse_document(sidecar.as_bytes()).unwrap();
        Self {
            layout: Layout::ready("genesys-cloud").unwrap(),
            media: Media::Message,
            key: "org-1/year=2026/month=9/day=5/hour=07/conversation_id=c-1/r-1.json",
            size: 100,
            fields: Vec::new(),
            documents: vec![(Some(Role::Sidecar), sidecar)],
            roles: vec![Role::Sidecar],
            bucket: true,
            own: Own::Read,
            ends: None,
            elsewhere: None,
        }
    }

    fn with(mut self, source: &str, pointer: &str, value: &str) -> Self {
        self.fields.push(Field::string(source, pointer, value));
        self
    }

    fn document(mut self, role: Option<Role>, text: &str) -> Self {
        self.documents.push((role, parse_document(text.as_bytes()).unwrap()));
        self.roles.extend(role);
        self
    }

    fn judged(&self, policy: &Policy) -> Judged {
        let documents = self.documents.iter().map(|(role, value)| Document { role: *role, value });
        let organization = "org-1".to_owned();
        judge(
            policy,
            &Facts {
                layout: &self.layout,
                media: self.media,
                key: self.key.as_bytes(),
                organization: Some(&organization),
                size: self.size,
                fields: &self.fields,
                documents: documents.collect(),
                own: self.own,
                roles: self.roles.clone(),
                other_forms: Vec::new(),
                sidecar_unread: false,
                has_attributes: self.bucket,
                ends: self.ends.as_ref(),
                observed: Time::parse("2026-09-05T08:00:00.000Z").unwrap(),
                modified: Time::parse("2026-09-05T07:30:00.000Z").ok(),
                elsewhere: self.elsewhere,
            },
        )
    }

    fn found(&self, policy: &Policy) -> Vec<String> {
        self.judged(policy).findings.iter().map(ToString::to_string).collect()
    }
}

fn policy(rules: &str) -> Policy {
    Policy::parse(&format!("format = \"unbroken/policy@v1\"\nname = \"test\"\n{rules}")).unwrap()
}

/// A policy of one field.
fn field(rule: &str) -> Policy {
    policy(&format!("[[field]]\nname = \"the hold\"\n{rule}"))
}

#[test]
fn the_ready_policies_are_policies_and_fit_a_verdict() {
    for (name, text) in READY {
        let policy = Policy::ready(name).unwrap();
        assert_eq!((policy.name(), policy.text()), (name, text));
        assert!(policy.rules() > 4 && text.len() < 2_000, "{name}: a verdict shows 2,000 bytes");
    }
    assert!(Policy::ready("another").is_none());
}

#[test]
fn a_recording_with_its_sidecar_meets_the_default_policy() {
    let policy = Policy::ready("genesys-default").unwrap();
    assert_eq!(Case::new(SIDECAR).judged(&policy), Judged::default());
    let odd = Case {
        key: "x/conversation_id=C-1/Call of 3 May (copy) r-1 .final.json",
        ..Case::new(SIDECAR)
    };
    assert_eq!(odd.found(&policy), [""; 0], "an odd name is no fault");
    let odd = Case { key: "x/message 17.json", ..Case::new(SIDECAR) };
    assert_eq!(odd.found(&policy), [""; 0]);
}

/// The third and fourth field reports: a WhatsApp chat without hold, audit id and times was sealed as complete.
#[test]
fn a_chat_without_hold_audit_id_and_times_is_told_for_what_it_lacks() {
    let policy = Policy::ready("legal-discovery").unwrap();
    let sidecar = r#"{"mediaType":"Message","conversationId":"c-1","recordingId":"r-1"}"#;
    let chat = r#"{"channel":"whatsapp","messages":[{"id":"1","content":"a","timestamp":"2026-09-05T07:31:00Z"},{"id":"","content":"b"}]}"#;
    let case = Case::new(sidecar).document(None, chat).with("s3-readable", "/legal-hold", "yes");
    let Judged { findings, remarks, .. } = case.judged(&policy);
    let found: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "start is missing: not in sidecar/startTime [field-missing]",
            "end is missing: not in sidecar/endTime [field-missing]",
            "legal hold is missing: not in object-lock/legal-hold, s3-tag/legal-hold [field-missing]",
            "id of each message: document/messages/1/id is empty [field-empty]",
            "time of each message: document/messages/1/timestamp is missing [field-missing]",
        ]
    );
    let sorts: Vec<(Sort, &str)> = remarks
        .iter()
        .map(|remark| (remark.sort, remark.sentence.split(':').next().unwrap()))
        .collect();
    assert_eq!(
        sorts,
        [(Sort::NotOffered, "audit record"), (Sort::NotOffered, "participant attributes")]
    );
    assert!(
        remarks.iter().any(|remark| remark.sentence.contains("the audit of the platform's API"))
    );
    let held = case.with("object-lock", "/legal-hold", "ON");
    assert!(!held.found(&policy).iter().any(|finding| finding.starts_with("legal hold")));
}

#[test]
fn another_spelling_is_found_and_named() {
    let rule = field("from = [\"s3-tag/legal_hold_tag\", \"conversation/legal_hold_tag\"]");
    let nested = r#"{"mediaType":"Call","messages":[{"Legal_Hold":"true"}],"legal-hold":1}"#;
    let case = Case::new(nested).with("s3-header", "/x-amz-meta-legal-hold-tag", "on");
    assert_eq!(
        case.found(&rule),
        [
            "the hold is missing: not in s3-tag/legal_hold_tag; s3-header/x-amz-meta-legal-hold-tag, sidecar/legal-hold, sidecar/messages/0/Legal_Hold may be meant [field-missing]"
        ]
    );
}

#[test]
fn a_value_of_another_sort_is_told_and_never_shown() {
    let found = |rule: &str, value: &str| {
        let case = Case::new(&format!("{{\"hold\":{value}}}"));
        case.found(&field(&format!("from = \"sidecar/hold\"\n{rule}")))
    };
    let one = |rule: &str, value: &str| found(rule, value).pop().unwrap_or_default();
    let boolean = "type = \"boolean\"";
    assert_eq!(found(boolean, "true"), [""; 0]);
    let text = "the hold: sidecar/hold is the text \"true\", and not true or false [field-type]";
    assert_eq!(one(boolean, "\"true\""), text);
    assert_eq!(
        one(boolean, "1"),
        "the hold: sidecar/hold is a number, and not true or false [field-type]"
    );
    for empty in ["\"\"", "\" \"", "[]", "{}"] {
        assert_eq!(one("", empty), "the hold: sidecar/hold is empty [field-empty]");
    }
    // A name that is null says as little as one that is not there.
    assert_eq!(found("", "null"), [""; 0], "the export never carries a hold");
    let id = policy("[[field]]\nname = \"id\"\nfrom = \"sidecar/id\"\n");
    let null = Case::new("{\"id\":null}").found(&id);
    assert_eq!(null, ["id is missing: not in sidecar/id [field-missing]"]);
    let time = "type = \"time\"";
    assert_eq!(found(time, "\"2026-09-05T07:31:00Z\""), [""; 0]);
    let secret = one(time, "\"Anna Rossi, +39 555\"");
    assert_eq!(secret, "the hold: sidecar/hold is a text, and not a time [field-type]");
    let values = "values = [\"ON\", \"OFF\"]";
    assert_eq!(found(values, "\"ON\""), [""; 0]);
    assert_eq!(
        one(values, "\"on\""),
        "the hold: sidecar/hold is none of these: ON, OFF [field-value]"
    );
    let pattern = "pattern = \"M-[0-9]+\"";
    assert_eq!(found(pattern, "\"M-17\""), [""; 0]);
    let part = one(pattern, "\"xM-17x\"");
    assert_eq!(
        part,
        "the hold: sidecar/hold has not the form that the policy asks for [field-value]"
    );
    assert_eq!(found("type = \"number\"", "1.5"), [""; 0]);
}

/// An object where a text should be was matched as a text of ours.
#[test]
fn a_list_fits_no_pattern_and_a_broken_companion_is_not_there_for_nothing() {
    let pattern = field("from = \"sidecar/hold\"\npattern = \"[A-Za-z ]+\"");
    let found = Case::new("{\"hold\":{\"x\":1}}").found(&pattern);
    assert!(
        found[0].ends_with("is a list or an object, and not a single value [field-type]"),
        "{found:?}"
    );
    let rules = "[[companion]]\nrole = \"transcript\"\n[[field]]\nname = \"text\"\nfrom = \"transcript/transcripts/0/text\"\n";
    let case = Case { roles: vec![Role::Sidecar, Role::Transcript], ..Case::new(SIDECAR) };
    let found = case.found(&policy(rules));
    assert_eq!(found[0], "the transcript is there, and cannot be read [companion-unreadable]");
    assert!(found[1].ends_with("[not-readable]"), "{found:?}");
}

/// What the export never carries was taken for an excuse, where it stood there by another name.
#[test]
fn another_spelling_is_no_excuse() {
    let rule = field("from = \"sidecar/legal_hold\"");
    let found =
        Case::new("{\"Legal_Hold\":\"maybe\",\"people\":{\"+39 555 Anna\":{\"legalHold\":1}}}")
            .found(&rule);
    assert_eq!(
        found,
        [
            "the hold is missing: not in sidecar/legal_hold; sidecar/Legal_Hold, sidecar/people/.../legalHold may be meant [field-missing]"
        ]
    );
    assert_eq!(Case::new("{\"x\":1}").judged(&rule).remarks.len(), 1);
}

/// A job of the owner's writes it into the sidecars: what the platform's export carries is no excuse.
#[test]
fn what_must_always_be_there_is_missing_where_it_is_not() {
    let rule = field("from = \"sidecar/legal_hold_tag\"\nalways = true");
    let missing = "the hold is missing: not in sidecar/legal_hold_tag [field-missing]";
    assert_eq!(Case::new(SIDECAR).found(&rule), [missing]);
    assert_eq!(Case::new("{\"legal_hold_tag\":\"ON\"}").found(&rule), [""; 0]);
}

#[test]
fn a_header_is_named_in_any_case() {
    let rule = field("from = \"s3-header/X-Amz-Meta-Matter\"");
    let case = Case::new(SIDECAR).with("s3-header", "/x-amz-meta-matter", "M-17");
    assert_eq!(case.found(&rule), [""; 0]);
}

/// S3 leaves a hold out of its answers where the permission is missing: that proves nothing.
#[test]
fn what_may_not_be_seen_is_not_missing() {
    let rule = field("from = [\"object-lock/legal-hold\", \"s3-tag/hold\"]");
    let case = Case::new(SIDECAR)
        .with("s3-readable", "/legal-hold", "no: s3:GetObjectLegalHold")
        .with("s3-readable", "/tags", "yes");
    assert_eq!(
        case.found(&rule),
        [
            "the hold: whether object-lock/legal-hold is there cannot be told: s3:GetObjectLegalHold [not-readable]"
        ]
    );
    assert_eq!(case.with("s3-tag", "/hold", "").found(&rule), [""; 0], "a tag without a value");
    let folder = Case { bucket: false, ..Case::new(SIDECAR) };
    let Judged { findings, remarks, .. } = folder.judged(&rule);
    assert!(findings.is_empty());
    assert_eq!(remarks.first().unwrap().sort, Sort::NotChecked);
}

#[test]
fn a_document_that_could_not_be_read_lacks_nothing_that_we_know_of() {
    let rule = field("from = \"document/messages/*/id\"");
    let missing = "the hold is missing: not in document/messages/*/id [field-missing]";
    assert_eq!(Case::new(SIDECAR).found(&rule), [missing]);
    let unread = Case { own: Own::Unread, ..Case::new(SIDECAR) };
    assert!(unread.found(&rule)[0].ends_with("[not-readable]"), "{:?}", unread.found(&rule));
    let sealed = Case { own: Own::NotAtHand, ..Case::new(SIDECAR) };
    assert_eq!((sealed.found(&rule).len(), sealed.judged(&rule).remarks.len()), (0, 1));
}

#[test]
fn a_missing_sidecar_is_one_finding() {
    let rule = "[[field]]\nname = \"id\"\nfrom = \"sidecar/recordingId\"\n";
    let case = Case { documents: Vec::new(), roles: Vec::new(), ..Case::new(SIDECAR) };
    let companion = "[[companion]]\nrole = \"sidecar\"\n";
    let both = policy(&format!("{rule}{companion}"));
    assert_eq!(case.found(&both), ["the sidecar is missing [companion-missing]"]);
    let alone = "id is missing: there is no sidecar that has it [field-missing]";
    assert_eq!(case.found(&policy(rule)), [alone]);
    let transcript = policy("[[companion]]\nrole = \"transcript\"\n");
    assert_eq!(case.found(&transcript), ["the transcript is missing [companion-missing]"]);
    let unread = Case { roles: vec![Role::UnreadSidecar], ..case };
    assert!(unread.found(&both)[0].ends_with("[companion-unreadable]"));
}

#[test]
fn what_must_agree_is_held_against_each_other() {
    let checks = |names: &str| {
        let tables: Vec<String> =
            names.split(' ').map(|name| format!("[[check]]\nwhat = \"{name}\"\n")).collect();
        policy(&tables.concat())
    };
    let found = |sidecar: &str, what: &str| Case::new(sidecar).found(&checks(what));
    let other = SIDECAR.replace("r-1", "r-9").replace("c-1", "c-9");
    assert_eq!(
        found(&other, "ids"),
        [
            "the sidecar names another recording than the file name [other-recording]",
            "the sidecar names another conversation than the path [other-conversation]"
        ]
    );
    let backwards = SIDECAR.replace("07:33", "07:30");
    let backwards = found(&backwards, "times");
    assert_eq!(
        backwards,
        ["the recording ends before it starts, as its sidecar says [ends-before-it-starts]"]
    );
    let ahead = found(&SIDECAR.replace("2026-09-05T07:33", "2027-09-05T07:33"), "times");
    assert!(ahead[0].ends_with("[in-the-future]"), "{ahead:?}");
    let unreadable = found(&SIDECAR.replace("2026-09-05T07:33", "5 Sept 07:33"), "times");
    assert_eq!(unreadable, ["the sidecar's endTime is no time that can be read [time-unreadable]"]);
    let blank = found(&SIDECAR.replace("mediaType", " "), "names");
    assert_eq!(blank, ["a member without a name: sidecar/... [blank-name]"]);
    let empty = Case { size: 0, elsewhere: Some(7), ..Case::new(SIDECAR) };
    assert_eq!(
        empty.found(&checks("bytes one-conversation")),
        [
            "the recording has no bytes [no-bytes]",
            "the recording's id stands in another conversation too, in entry 7 [two-conversations]"
        ]
    );
}

#[test]
fn a_length_that_does_not_fit_is_told_beyond_what_the_policy_allows() {
    let wav = |seconds: u32| {
        let mut header =
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data"
                .to_vec();
        header.extend((8_000 * seconds).to_le_bytes());
        header.resize(header.len() + 8_000 * seconds as usize, 7);
        header
    };
    let case = |bytes: &[u8], declared: &str| {
        let mut ends = Ends::default();
        ends.take(bytes);
        let sidecar = format!("{{\"recordingId\":\"r-1\",\"durationMs\":{declared}}}");
        Case { ends: Some(ends), size: bytes.len() as u64, ..Case::new(&sidecar) }
    };
    let length = policy("[[check]]\nwhat = \"length\"\nwithin-seconds = 3\n");
    assert_eq!(case(&wav(10), "12999").found(&length), [""; 0]);
    assert_eq!(
        case(&wav(10), "13001").found(&length),
        ["the recording is 3 s shorter by its own container than by its sidecar [other-length]"]
    );
    let size = policy("[[check]]\nwhat = \"size\"\nbytes-a-second = 100\n");
    assert_eq!(case(&[7; 1_000], "10000").found(&size), [""; 0]);
    assert!(case(&[7; 999], "10000").found(&size)[0].ends_with("[too-small]"));
    // A length that is no number turns no rule off.
    assert_eq!(case(&wav(10), "10000.4").found(&length), [""; 0]);
    for wrong in ["\"ten\"", "-1", "1e99"] {
        assert!(case(&wav(10), wrong).found(&length)[0].ends_with("[time-unreadable]"), "{wrong}");
    }
    let known = policy("[[check]]\nwhat = \"container\"\nknown = true\n");
    assert!(case(b"what is this", "1").found(&known)[0].ends_with("[unknown-form]"));
    let lenient = policy("[[check]]\nwhat = \"container\"\n");
    assert_eq!(case(b"what is this", "1").found(&lenient), [""; 0]);
    assert!(case(&wav(10)[..44], "1").found(&lenient)[0].ends_with("[no-sound]"));
    let half = Case { own: Own::Unread, ..case(b" {\"messages\":[{\"id\":", "1") };
    assert!(half.found(&lenient)[0].ends_with("[truncated]"));
}

#[test]
fn a_rule_is_about_what_it_names() {
    let covers = |scope: &str| {
        let rule = policy(&format!("[[check]]\nwhat = \"bytes\"\n{scope}\n"));
        !Case { size: 0, ..Case::new(SIDECAR) }.found(&rule).is_empty()
    };
    for (scope, expected) in [
        ("", true),
        ("media = \"message\"", true),
        ("media = [\"call\", \"screen\"]", false),
        ("layouts = \"genesys-cloud\"", true),
        ("layouts = \"plain\"", false),
        ("organizations = \"org-1\"", true),
        ("organizations = \"org-2\"", false),
        ("keys = \"org-1/**\"", true),
        ("keys = \"*.json\"", false),
    ] {
        assert_eq!(covers(scope), expected, "{scope}");
    }
}

#[test]
fn what_is_no_policy_is_refused_with_its_line_and_what_was_meant() {
    let refused = |text: &str| Policy::parse(text).unwrap_err().to_string();
    let head = "format = \"unbroken/policy@v1\"\nname = \"x\"\n";
    for (rules, why) in [
        ("", "line 1: it has no rule: write a [[field]], a [[companion]] or a [[check]]"),
        ("[[feild]]\n", "line 3: the file has no member `feild`; do you mean `field`?"),
        (
            "[[check]]\nwhat = \"id\"",
            "line 3: `what`: expected one of bytes, ids, one-conversation, times, names, length, size, container; found \"id\"; do you mean \"ids\"?",
        ),
        (
            "[[check]]\nwhat = \"ids\"\nwithin-seconds = 2",
            "line 5: [[check]] has no member `within-seconds`; it may have: what, media, layouts, organizations, keys",
        ),
        (
            "[[check]]\nwhat = \"size\"",
            "line 3: [[check]] of the size has no `bytes-a-second` above 0",
        ),
        (
            "[[companion]]\nrole = \"sidecars\"",
            "line 3: `role`: expected one of sidecar, transcript, conversation; found \"sidecars\"; do you mean \"sidecar\"?",
        ),
        (
            "[[field]]\nname = \"a\"",
            "line 3: [[field]] has no `from`: name the places that may have it",
        ),
        (
            "[[field]]\nname = \"a\"\nfrom = [\"sidecar/a\",\n\"siedcar/b\"]",
            "line 6: \"siedcar/b\": siedcar is no source; do you mean sidecar?",
        ),
        (
            "[[field]]\nname = \"a\"\nfrom = \"sidecar/a\"\npattern = \"(\"",
            "line 3: `pattern`: no regular expression: ",
        ),
        (
            "[[check]]\nwhat = \"ids\"\nkeys = \"a[b]\"",
            "line 5: a[b] has brackets, which stand for themselves nowhere: take `?` or `*`",
        ),
    ] {
        let refused = refused(&format!("{head}{rules}"));
        assert!(refused.starts_with(why), "{rules}: {refused}");
    }
    assert!(refused("name = \"x\"").starts_with("line 1: the file has no `format`"));
    assert!(refused(&"#".repeat(65_537)).contains("at most 65536 bytes"));
}

/// Whatever a file has in it, it is a policy or it is refused.
#[test]
fn a_changed_policy_never_brings_the_program_down() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let case = Case::new(SIDECAR).document(None, "{\"messages\":[{\"id\":\"1\"},7,null]}");
    let mut taken = 0;
    for _ in 0..3_000 {
        let mut bytes = READY[draw(2)].1.as_bytes().to_vec();
        for _ in 0..=draw(4) {
            let (at, with) = (draw(bytes.len()), b"\"[]=*/\\.0a\n\xc3\xa9"[draw(13)]);
            match draw(3) {
                0 => bytes[at] = with,
                1 => bytes.insert(at, with),
                _ => drop(bytes.remove(at)),
            }
        }
        let Ok(text) = String::from_utf8(bytes) else { continue };
        if let Ok(policy) = Policy::parse(&text) {
            taken += 1;
            let _ = case.judged(&policy);
        }
    }
    assert!(taken > 300, "{taken}: too few of them are policies to say anything");
}
