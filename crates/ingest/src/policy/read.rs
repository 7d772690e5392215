//! Reads a policy from its file; a strange key, a wrong value or a rule that can never hold is refused.

use regex_lite::Regex;
use unbroken_evidence::body::Media;
use unbroken_evidence::error::printable;

use super::{Check, CheckRule, CompanionRule, FieldRule, Kind, Policy, Scope};
use crate::glob::Glob;
use crate::layout::{READY as LAYOUTS, Role};
use crate::near::nearest;
use crate::place::Place;
use crate::table::{Table, TableError};

/// What the first line of every policy says.
pub(super) const FORMAT: &str = "unbroken/policy@v1";
/// Bytes of a policy: longer, a field would hold its digest instead of its text (spec/fields.md F4).
const TEXT_BYTES_MAX: usize = 65_536;
const RULES_MAX: usize = 1_000;
/// Bytes of a pattern as it is carried out: each letter of a value costs as many steps at the most.
const PATTERN_SIZE_MAX: usize = 16_384;
/// Seconds by which container and metadata may differ where the rule does not say.
const WITHIN_SECONDS: u64 = 2;
/// Minutes for which a companion may be waited for: a year.
const WITHIN_MINUTES_MAX: u64 = 366 * 24 * 60;

pub(super) fn policy(text: &str) -> Result<Policy, TableError> {
    let whole = |sentence: String| TableError { line: 1, sentence };
    if text.len() > TEXT_BYTES_MAX {
        return Err(whole(format!("a policy has at most {TEXT_BYTES_MAX} bytes")));
    }
    let policy = Table::parse(text)?.whole(|table| {
        table.format(FORMAT)?;
        let name = table.needed("name")?;
        if name.chars().any(char::is_control) || name.len() > 80 {
            return Err(whole("`name`: expected at most 80 letters on one line".to_owned()));
        }
        table.text("summary")?;
        Ok(Policy {
            name,
            text: text.to_owned(),
            fields: table.each("field", field)?,
            companions: table.each("companion", companion)?,
            checks: table.each("check", check)?,
        })
    })?;
    match policy.rules() {
        0 => Err(whole("it has no rule: write a [[field]], a [[companion]] or a [[check]]".into())),
        1..=RULES_MAX => Ok(policy),
        more => Err(whole(format!("it has {more} rules; at most {RULES_MAX}"))),
    }
}

fn field(table: &mut Table) -> Result<FieldRule, TableError> {
    let name = table.needed("name")?;
    let mut from = Vec::new();
    for (line, place) in table.texts("from")? {
        from.push(Place::parse(&place).map_err(|sentence| TableError { line, sentence })?);
    }
    let kind = table.text("type")?;
    let kind = kind.map(|kind| table.one_of("type", &kind, &Kind::ALL)).transpose()?;
    let pattern = match table.text("pattern")? {
        None => None,
        // The whole value must fit: a part that fits is a trap.
        Some(pattern) => Some(whole(&pattern).map_err(|error| {
            let why = error.to_string();
            table.wrong(format!("`pattern`: no regular expression: {}", printable(&why)))
        })?),
    };
    let values = table.texts("values")?.into_iter().map(|(_, value)| value).collect();
    let always = table.flag("always")?;
    let scope = scope(table)?;
    if from.is_empty() {
        return Err(table.wrong("[[field]] has no `from`: name the places that may have it"));
    }
    Ok(FieldRule { name, from, kind, pattern, values, always, scope })
}

/// A pattern that the whole value must fit, of a size that makes no value slow.
fn whole(pattern: &str) -> Result<Regex, regex_lite::Error> {
    regex_lite::RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(PATTERN_SIZE_MAX).build()
}

fn companion(table: &mut Table) -> Result<CompanionRule, TableError> {
    let role = table.needed("role")?;
    let role = table.one_of("role", &role, &Role::WRITTEN.map(|role| (role.name(), role)))?;
    let within = table.number("within-minutes")?.unwrap_or(0);
    if within > WITHIN_MINUTES_MAX {
        let what =
            format!("`within-minutes`: expected at most {WITHIN_MINUTES_MAX}; found {within}");
        return Err(table.wrong(what));
    }
    Ok(CompanionRule { role, within_ms: within * 60_000, scope: scope(table)? })
}

fn check(table: &mut Table) -> Result<CheckRule, TableError> {
    let what = table.needed("what")?;
    let known = [
        ("bytes", Check::Bytes),
        ("ids", Check::Ids),
        ("one-conversation", Check::OneConversation),
        ("times", Check::Times),
        ("names", Check::Names),
        ("length", Check::Length { within: WITHIN_SECONDS }),
        ("size", Check::Size { least: 0 }),
        ("container", Check::Container { known: false }),
    ];
    let what = match table.one_of("what", &what, &known)? {
        Check::Length { within } => {
            Check::Length { within: table.number("within-seconds")?.unwrap_or(within) }
        }
        Check::Size { .. } => match table.number("bytes-a-second")? {
            Some(least) if least > 0 => Check::Size { least },
            _ => return Err(table.wrong("[[check]] of the size has no `bytes-a-second` above 0")),
        },
        Check::Container { .. } => Check::Container { known: table.flag("known")? },
        check => check,
    };
    Ok(CheckRule { what, scope: scope(table)? })
}

fn scope(table: &mut Table) -> Result<Scope, TableError> {
    let mut scope = Scope::default();
    for (_, name) in table.texts("media")? {
        scope.media.push(table.one_of("media", &name, &Media::ALL)?);
    }
    for (line, name) in table.texts("layouts")? {
        let known = LAYOUTS.map(|(known, _)| known);
        if let Some(meant) = nearest(&name, known.into_iter()).filter(|known| *known != name) {
            let name = printable(&name);
            let sentence = format!(
                "`layouts`: \"{name}\" would be taken for \"{meant}\", which comes with the program; do you mean that?"
            );
            return Err(TableError { line, sentence });
        }
        scope.layouts.push(name);
    }
    scope.organizations = table.texts("organizations")?.into_iter().map(|(_, id)| id).collect();
    for (line, pattern) in table.texts("keys")? {
        let glob = Glob::parse(&pattern).map_err(|sentence| TableError { line, sentence })?;
        scope.keys.push(glob);
    }
    Ok(scope)
}
