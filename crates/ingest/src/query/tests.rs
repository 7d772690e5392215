//! Questions as people write them.

use super::*;

fn refused(text: &str) -> String {
    Query::parse(text).unwrap_err()
}

#[test]
fn a_question_that_is_none_says_what_was_expected() {
    for (text, why) in [
        ("", "expected a name, and the question ends"),
        ("agent", "behind agent: expected = != < <= > or >="),
        ("agent = ", "behind agent: expected a value"),
        ("agnet = x", "agnet is no name that is known here; do you mean agent?"),
        ("colour = x", "colour is no name that is known here; it is one of agent, queue"),
        ("agent = x queue = y", "\"queue\" is left over: is an `and` missing?"),
        ("(agent = x", "a ( is not closed"),
        ("not sidecarr/userIds/* = x", "sidecarr is no source of values; do you mean sidecar?"),
        ("agent = \u{201c}x\u{201d}", "\u{201c} is no quote that is known here"),
        ("agent = \"x", "a \" is not closed"),
        ("start > yesterday", "start: expected a day or a time"),
        ("media = calls", "media: calls is none of its values: call, it may be"),
        ("hold = on", "hold: on is none of its values: one of yes, no"),
        ("complete = 1", "complete: 1 is none of its values: one of yes, no"),
        ("agent agent", "behind agent: expected = != < <= > or >=; found \"agent\""),
        ("key = a[b]*", "a[b]** has brackets"),
    ] {
        let refused = refused(text);
        assert!(refused.starts_with(why), "{text}: {refused}");
    }
    assert!(refused(&"(".repeat(100)).contains("32 deep"));
    assert!(refused(&"not ".repeat(100)).contains("in a row"));
    assert!(refused(&"x".repeat(5_000)).contains("4096 bytes"));
}

#[test]
fn a_question_is_kept_as_it_was_asked() {
    let question = Query::parse("agent = \"a b\" and not (media = call or hold = yes)").unwrap();
    let period = Query::period(Some("2026-03-01"), Some("2026-04-01")).unwrap().unwrap();
    assert_eq!(period.text(), "start >= \"2026-03-01\" and start < \"2026-04-01\"");
    let both = question.and(period);
    assert_eq!(
        both.text(),
        "(agent = \"a b\" and not (media = call or hold = yes)) and (start >= \"2026-03-01\" and start < \"2026-04-01\")"
    );
    assert!(Query::parse(both.text()).is_ok());
    assert!(Query::period(None, None).unwrap().is_none());
    assert!(Query::period(Some("March"), None).is_err());
}

#[test]
fn times_are_compared_as_times_and_numbers_as_numbers() {
    let time = Wanted::Time(declared_ms("2026-03-01T00:00:00Z").unwrap());
    assert!(time.compares(Operator::AtLeast, "2026-03-01T00:00:00.000+0000"));
    assert!(time.compares(Operator::Less, "2026-03-01T00:30:00.000+0100"));
    assert!(
        !time.compares(Operator::More, "some day") && !time.compares(Operator::AtMost, "some day")
    );
    let number = Wanted::Text("900".to_owned());
    assert!(number.compares(Operator::More, "1000") && !number.compares(Operator::Less, "1000"));
    assert!(Wanted::Text("b".to_owned()).compares(Operator::Less, "a"));
}

/// Whatever somebody types, it is a question or it is refused.
#[test]
fn no_text_brings_the_program_down() {
    let pieces = [
        "agent",
        "=",
        "!=",
        "<",
        "(",
        ")",
        "and",
        "or",
        "not",
        "\"a b\"",
        "*",
        "start",
        "2026-03-01",
        "sidecar/x/*",
        "'",
        "\\",
        "media",
        "call",
        "\u{e9}",
        "!",
        "queue = x",
        "hold = yes",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let mut taken = 0;
    for _ in 0..20_000 {
        let drawn: Vec<&str> = (0..draw(9)).map(|_| pieces[draw(pieces.len())]).collect();
        taken += usize::from(Query::parse(&drawn.join(" ")).is_ok());
    }
    assert!(taken > 100, "{taken}: too few of them are questions to say anything");
}
