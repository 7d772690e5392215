//! Holds a recording against its policy.

use std::collections::BTreeSet;

use unbroken_evidence::error::printable;
use unbroken_evidence::json::Value;
use unbroken_evidence::time::{Time, declared_ms};

use super::checks::check;
use super::code::{Code, Finding, Remark, Sort};
use super::facts::{At, Facts, Seen};
use super::{CompanionRule, FieldRule, Kind, Policy};
use crate::layout::Role;
use crate::place::{Place, Source, shown};

/// What a policy finds of one recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    /// What is missing, invalid or at odds; none: it meets the policy.
    pub(crate) findings: Vec<Finding>,
    /// What nobody here can give.
    pub(crate) remarks: BTreeSet<Remark>,
    /// Until when a companion that is not there is waited for, in milliseconds since 1970.
    pub(crate) awaits: Option<u64>,
}

/// Bytes of a value that a pattern is held against; a longer one fits none.
const PATTERN_TEXT_BYTES_MAX: usize = 4_096;

/// Findings of one recording that are sealed; what is behind them is no better.
const FINDINGS_MAX: usize = 64;

/// Holds a recording against its policy; each finding stands once.
pub(crate) fn judge(policy: &Policy, facts: &Facts<'_>) -> Judged {
    let mut judged = Judged::default();
    for rule in policy.companions.iter().filter(|rule| rule.scope.covers(facts)) {
        judged.findings.extend(companion(rule, facts));
    }
    for rule in policy.checks.iter().filter(|rule| rule.scope.covers(facts)) {
        judged.findings.extend(check(rule.what, facts));
    }
    for rule in policy.fields.iter().filter(|rule| rule.scope.covers(facts)) {
        judged.field(rule, facts);
    }
    let mut seen = BTreeSet::new();
    judged.findings.retain(|finding| seen.insert(finding.clone()));
    if judged.findings.iter().any(|finding| finding.code == Code::CompanionAwaited) {
        judged.awaits = facts.modified.map(|at| at.unix_ms().saturating_add(policy.waits_ms()));
    }
    judged.findings.truncate(FINDINGS_MAX);
    judged
}

fn companion(rule: &CompanionRule, facts: &Facts<'_>) -> Vec<Finding> {
    let role = rule.role.name();
    let has = |role| facts.roles.contains(&role);
    if rule.role != Role::Sidecar {
        let documents =
            if rule.role == Role::Transcript { Source::Transcript } else { Source::Conversation };
        return match (has(rule.role), facts.documents(documents).next()) {
            (false, _) => vec![not_there(rule, facts)],
            (true, None) if facts.other_forms.contains(&rule.role) => Vec::new(),
            (true, None) => {
                let what = format!("the {role} is there, and cannot be read");
                vec![Finding::new(Code::CompanionUnreadable, what)]
            }
            (true, Some(_)) => Vec::new(),
        };
    }
    if facts.sidecar_unread {
        return vec![Finding::new(Code::CompanionUnreadable, "the sidecar could not be read")];
    }
    if facts.other_forms.contains(&Role::UnreadSidecar) {
        return Vec::new();
    }
    if has(Role::UnreadSidecar) {
        let why = "the sidecar is not read: broken, over 1 MiB or 64 levels, a name twice, or not plain UTF-8";
        return vec![Finding::new(Code::CompanionUnreadable, why)];
    }
    let Some(sidecar) = facts.documents(Source::Sidecar).next() else {
        return vec![not_there(rule, facts)];
    };
    if unbroken_evidence::document::may_be_fields(sidecar) {
        return Vec::new();
    }
    let what = "the sidecar holds more values, or longer names, than can be sealed one by one";
    vec![Finding::new(Code::TooManyValues, what)]
}

/// A companion that is missing, or that is waited for: it may come later than its recording.
fn not_there(rule: &CompanionRule, facts: &Facts<'_>) -> Finding {
    let role = rule.role.name();
    let until = facts.modified.map(|at| at.unix_ms().saturating_add(rule.within_ms));
    match until.filter(|until| *until > facts.observed.unix_ms()) {
        Some(until) => {
            let until = Time::from_unix_ms(until);
            let what = format!("the {role} is not there yet; it is waited for until {until}");
            Finding::new(Code::CompanionAwaited, what)
        }
        None => Finding::new(Code::CompanionMissing, format!("the {role} is missing")),
    }
}

impl Judged {
    /// Whether nothing is wrong but that companions may still come.
    pub(crate) fn is_awaiting(&self) -> bool {
        let is_it = |finding: &Finding| finding.code == Code::CompanionAwaited;
        !self.findings.is_empty() && self.findings.iter().all(is_it)
    }

    fn field(&mut self, rule: &FieldRule, facts: &Facts<'_>) {
        let name = printable(&rule.name);
        let (mut invalid, mut absent, mut unreadable) = (None, Vec::new(), None);
        let (mut without_document, mut remarks, mut not_offered) = (false, Vec::new(), Vec::new());
        for place in &rule.from {
            let written = printable(place.written());
            match facts.at(place) {
                At::There(found, lacking) => match wrong(rule, place.source, &found, lacking) {
                    None => return,
                    Some(wrong) => {
                        let source = place.source.name();
                        let said =
                            |(code, what)| Finding::new(code, format!("{name}: {source}{what}"));
                        invalid.get_or_insert_with(|| said(wrong));
                    }
                },
                At::Absent => absent.push(place),
                At::NoDocument => without_document = true,
                At::NotReadable(why) => {
                    let what = format!(
                        "{name}: whether {written} is there cannot be told: {}",
                        printable(why)
                    );
                    unreadable.get_or_insert_with(|| Finding::new(Code::NotReadable, what));
                }
                At::NotOffered(_) if rule.always => absent.push(place),
                At::NotOffered(who) => {
                    not_offered.push(place);
                    remarks.push((Sort::NotOffered, who));
                }
                At::NotConfigured(why) => remarks.push((Sort::NotChecked, why)),
            }
        }
        // What is there and wrong says more than what is not there, and another spelling more than nobody.
        let found = invalid.or(unreadable).or_else(|| missing(&name, &absent, &not_offered, facts));
        match found {
            Some(finding) => self.findings.push(finding),
            // That the sidecar is missing may be a finding of its own.
            None if without_document => {
                let is_it = |code| {
                    use Code::{CompanionAwaited, CompanionMissing, CompanionUnreadable};
                    matches!(code, CompanionAwaited | CompanionMissing | CompanionUnreadable)
                };
                if !self.findings.iter().any(|finding| is_it(finding.code)) {
                    let what = format!("{name} is missing: there is no sidecar that has it");
                    self.findings.push(Finding::new(Code::FieldMissing, what));
                }
            }
            None => self.remark(&name, &remarks),
        }
    }

    /// The export never carries it, or nobody was asked: the first says more.
    fn remark(&mut self, name: &str, remarks: &[(Sort, &str)]) {
        let Some((sort, why)) = remarks.iter().min_by_key(|(sort, _)| *sort) else { return };
        let sentence = match sort {
            Sort::NotOffered => {
                format!("{name}: the export never carries it; it is with {}", printable(why))
            }
            Sort::NotChecked => format!("{name}: {why}"),
        };
        self.remarks.insert(Remark { sort: *sort, sentence });
    }
}

/// A value that is in no place where it could be, with what may be meant for it; `None` where no place could have
/// it, and nothing looks like what the export never carries.
fn missing(
    name: &str,
    absent: &[&Place],
    not_offered: &[&Place],
    facts: &Facts<'_>,
) -> Option<Finding> {
    let both = absent.iter().chain(not_offered);
    let near: BTreeSet<String> = both.flat_map(|place| facts.near(place)).collect();
    if absent.is_empty() && near.is_empty() {
        return None;
    }
    let looked = if absent.is_empty() { not_offered } else { absent };
    let places: Vec<String> = looked.iter().map(|place| printable(place.written())).collect();
    let near: Vec<String> = near.iter().map(|place| printable(place)).collect();
    let near = match near.as_slice() {
        [] => String::new(),
        near => format!("; {} may be meant", near.join(", ")),
    };
    let what = format!("{name} is missing: not in {}{near}", places.join(", "));
    Some(Finding::new(Code::FieldMissing, what))
}

/// What is wrong with values that are there: a code, and the pointer with what is wrong.
fn wrong(
    rule: &FieldRule,
    source: Source,
    found: &[(String, Seen<'_>)],
    lacking: Option<(String, u64)>,
) -> Option<(Code, String)> {
    if let Some((pointer, count)) = lacking {
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        return Some((Code::FieldMissing, format!("{}{more} is missing", shown(&pointer))));
    }
    found.iter().find_map(|(pointer, seen)| {
        let (code, what) = wrong_value(rule, source, *seen)?;
        Some((code, format!("{} {what}", shown(pointer))))
    })
}

fn wrong_value(rule: &FieldRule, source: Source, seen: Seen<'_>) -> Option<(Code, String)> {
    let text = match seen {
        Seen::Text(text) => text,
        Seen::Json(Value::String(text)) => text,
        Seen::Json(Value::Number(token)) => token,
        Seen::Json(Value::Bool(true)) => "true",
        Seen::Json(Value::Bool(false)) => "false",
        Seen::Json(Value::Array(elements)) if elements.is_empty() => "",
        Seen::Json(Value::Object(members)) if members.is_empty() => "",
        Seen::Json(_) => "a document",
    };
    // A tag without a value says by its name alone what it says.
    if text.trim().is_empty() && (source != Source::Tag || rule.kind.is_some()) {
        return Some((Code::FieldEmpty, "is empty".to_owned()));
    }
    if let Some(kind) = rule.kind
        && !is_a(kind, seen, text)
    {
        let found = described(seen, text);
        return Some((Code::FieldType, format!("is {found}, and not {}", kind.name())));
    }
    let is_compared = !rule.values.is_empty() || rule.pattern.is_some();
    if is_compared && matches!(seen, Seen::Json(Value::Array(_) | Value::Object(_))) {
        return Some((
            Code::FieldType,
            "is a list or an object, and not a single value".to_owned(),
        ));
    }
    if !rule.values.is_empty() && !rule.values.iter().any(|value| value == text) {
        let values = printable(&rule.values.join(", "));
        return Some((Code::FieldValue, format!("is none of these: {values}")));
    }
    let fits = rule
        .pattern
        .as_ref()
        .is_none_or(|pattern| text.len() <= PATTERN_TEXT_BYTES_MAX && pattern.is_match(text));
    (!fits).then(|| (Code::FieldValue, "has not the form that the policy asks for".to_owned()))
}

fn is_a(kind: Kind, seen: Seen<'_>, text: &str) -> bool {
    let is_text = matches!(seen, Seen::Text(_) | Seen::Json(Value::String(_)));
    match (kind, seen) {
        (Kind::Text, _) => is_text,
        (Kind::Time, _) => is_text && declared_ms(text).is_some(),
        (Kind::Number, Seen::Json(value)) => matches!(value, Value::Number(_)),
        (Kind::Boolean, Seen::Json(value)) => matches!(value, Value::Bool(_)),
        // A store has nothing but texts.
        (Kind::Number, Seen::Text(text)) => unbroken_evidence::json::is_number(text),
        (Kind::Boolean, Seen::Text(text)) => matches!(text, "true" | "false"),
    }
}

/// What a value is, without saying it: it may be a name or a number.
fn described(seen: Seen<'_>, text: &str) -> &'static str {
    match seen {
        Seen::Text(_) | Seen::Json(Value::String(_)) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => "the text \"true\"",
            "false" | "no" | "off" => "the text \"false\"",
            _ => "a text",
        },
        Seen::Json(Value::Number(_)) => "a number",
        Seen::Json(Value::Bool(_)) => "true or false",
        Seen::Json(_) => "a list or an object",
    }
}
