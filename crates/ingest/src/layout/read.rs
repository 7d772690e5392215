//! Reads a layout from its file; a strange key, a wrong value or a rule that can never hold is refused.

use std::sync::Arc;

use unbroken_evidence::body::Media;
use unbroken_evidence::error::{escaped, printable};

use super::template::Template;
use super::values::{IDS, NAMES, TIME};
use super::{
    CompanionRule, DocumentRule, FieldRule, KeyRule, Layout, MediaRule, NameRule, NotOffered,
    READY, Role, Rules,
};
use crate::glob::Glob;
use crate::near::{nearest, spelling};
use crate::place::{Place, Source};
use crate::table::{Table, TableError};

/// What the first line of every layout says.
const FORMAT: &str = "unbroken/layout@v1";
const TEXT_BYTES_MAX: usize = 65_536;
/// Rules of one sort: each is asked of every key.
const RULES_MAX: usize = 100;
/// Places of all [[field]]s: each is looked for in every document, which may have 4,096 values.
const PLACES_MAX: usize = 64;

pub(super) fn layout(text: &str) -> Result<Layout, TableError> {
    let whole = |sentence: String| TableError { line: 1, sentence };
    if text.len() > TEXT_BYTES_MAX {
        return Err(whole(format!("a layout has at most {TEXT_BYTES_MAX} bytes")));
    }
    let rules = Table::parse(text)?.whole(|table| {
        table.format(FORMAT)?;
        let name = table.needed("name")?;
        refuse_name(&name, text).map_err(|sentence| table.wrong(sentence))?;
        table.text("summary")?;
        let policy = table.text("policy")?;
        let together = table.needed("together")?;
        let in_folders = table.one_of("together", &together, &[("folder", true), ("nothing", false)])?;
        let mut rules = Rules {
            name,
            text: text.to_owned(),
            policy,
            in_folders,
            keys: table.each("key", key)?,
            media_from: ways(table, "media-from")?,
            media: table.each("media", media)?,
            companions: table.each("companion", companion)?,
            documents: table.each("document", document)?,
            fields: table.each("field", field)?,
            not_offered: table.each("not-offered", not_offered)?,
            says_values: false,
        };
        let says = |key: &KeyRule| key.what.is_some() || key.template.parts().any(|part| !IDS.contains(&part));
        rules.says_values = !rules.fields.is_empty() || rules.keys.iter().any(says);
        let is_alone = !rules.companions.is_empty() || !rules.documents.is_empty();
        if is_alone && !in_folders {
            return Err(table.wrong("with `together = \"nothing\"` no file belongs to another: a [[companion]] or [[document]] would never be looked for"));
        }
        Ok(rules)
    })?;
    let places: usize = rules.fields.iter().map(|rule| rule.from.len()).sum();
    if places > PLACES_MAX {
        return Err(whole(format!("its [[field]]s name {places} places; at most {PLACES_MAX}")));
    }
    let Rules { keys, media, companions, documents, fields, not_offered, .. } = &rules;
    let most = [keys.len(), media.len(), companions.len(), documents.len(), fields.len()];
    match most.into_iter().chain([not_offered.len()]).max() {
        Some(most) if most > RULES_MAX => {
            Err(whole(format!("it has {most} rules of one sort; at most {RULES_MAX}")))
        }
        _ => Ok(Layout(Arc::new(rules))),
    }
}

/// A name is sealed as the platform of recordings, and policies name it: nobody may take it for another.
fn refuse_name(name: &str, text: &str) -> Result<(), String> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.len() > 40 || !name.bytes().all(letter) {
        return Err("`name`: expected at most 40 small letters, digits and hyphens".to_owned());
    }
    let is_ready = READY.iter().any(|(known, ready)| *known == name && *ready == text);
    match nearest(name, READY.into_iter().map(|(known, _)| known)) {
        Some(known) if !is_ready => Err(format!(
            "`name`: \"{name}\" would be taken for {known}, which comes with the program; give it another"
        )),
        _ => Ok(()),
    }
}

fn key(table: &mut Table) -> Result<KeyRule, TableError> {
    let template = template(table, "template")?;
    let template = template.ok_or_else(|| table.wrong("[[key]] has no `template`"))?;
    is_whole_time(&template, "template", table)?;
    let what = table.text("what")?;
    if what.as_ref().is_some_and(|what| escaped(what) != **what || what.len() > 80) {
        return Err(table.wrong("`what`: expected at most 80 letters that can be printed"));
    }
    let media = table.text("media")?.map(|name| medium(table, &name)).transpose()?;
    Ok(KeyRule { template, what, media })
}

/// A time of which parts are missing would be sealed as one that stands nowhere.
fn is_whole_time(template: &Template, name: &str, table: &Table) -> Result<bool, TableError> {
    let parts: Vec<&str> = template.parts().collect();
    let has = |name: &&str| parts.contains(name);
    if !TIME.iter().any(&has) {
        return Ok(false);
    }
    let (needed, _) = TIME.split_at(TIME.len() - 1);
    if needed.iter().all(has) {
        return Ok(true);
    }
    let sentence = "a time has at least {year}, {month}, {day}, {hour} and {minute}; write `*` for what is none";
    Err(table.wrong(format!("`{name}`: {sentence}")))
}

fn medium(table: &Table, name: &str) -> Result<Media, TableError> {
    table.one_of("media", name, &Media::ALL)
}

fn media(table: &mut Table) -> Result<MediaRule, TableError> {
    let name = table.needed("media")?;
    let media = medium(table, &name)?;
    let texts = |texts: Vec<(usize, String)>| texts.into_iter().map(|(_, text)| text);
    let endings = texts(table.texts("endings")?).map(|end| end.to_ascii_lowercase()).collect();
    let words = texts(table.texts("words")?).map(|word| spelling(&word)).collect();
    Ok(MediaRule { media, endings, words })
}

fn role(table: &mut Table) -> Result<Role, TableError> {
    let role = table.needed("role")?;
    table.one_of("role", &role, &Role::WRITTEN.map(|role| (role.name(), role)))
}

fn companion(table: &mut Table) -> Result<CompanionRule, TableError> {
    let role = role(table)?;
    let name = table.needed("name")?;
    if name.contains('/') {
        return Err(table.wrong("`name`: a companion lies in the folder of its recording"));
    }
    let of = |part: &str, is_stem| {
        let (before, after) = name.split_once(part)?;
        Some((before.to_owned(), is_stem, after.to_owned()))
    };
    let rule = match of("{name}", false).or_else(|| of("{stem}", true)) {
        Some((before, _, after)) if [&before, &after].iter().any(|one| one.contains(WILD)) => {
            return Err(table
                .wrong("`name`: with {name} or {stem} it has no `*`, no `?` and no other part"));
        }
        Some((before, _, after)) if before.is_empty() && after.is_empty() => {
            return Err(table.wrong("`name`: {name} or {stem} alone may be the recording itself"));
        }
        Some((before, is_stem, after)) => NameRule::OfRecording { before, is_stem, after },
        None if name.bytes().all(|byte| byte == b'*') => {
            return Err(
                table.wrong("`name`: every file would be a companion, and none a recording")
            );
        }
        None => {
            let glob = Glob::parse(&name).map_err(|why| table.wrong(format!("`name`: {why}")))?;
            NameRule::Any(glob)
        }
    };
    Ok(CompanionRule { role, name: rule })
}

/// What stands for something else in a name.
const WILD: [char; 4] = ['*', '?', '{', '}'];

fn document(table: &mut Table) -> Result<DocumentRule, TableError> {
    let role = role(table)?;
    let texts = |texts: Vec<(usize, String)>| texts.into_iter().map(|(_, text)| text).collect();
    let (all, any): (Vec<String>, Vec<String>) =
        (texts(table.texts("all")?), texts(table.texts("any")?));
    if all.is_empty() && any.is_empty() {
        return Err(
            table.wrong("[[document]] says of no member that makes it one: give it `all` or `any`")
        );
    }
    let (recording, conversation) = (ways(table, "recording")?, ways(table, "conversation")?);
    Ok(DocumentRule { role, all, any, recording, conversation })
}

/// Names in a document, as `details/recordingId`.
fn ways(table: &mut Table, name: &'static str) -> Result<Vec<Place>, TableError> {
    let texts = table.texts(name)?;
    let place = |(line, way): (usize, String)| {
        Place::parse(&format!("sidecar/{way}")).map_err(|sentence| TableError { line, sentence })
    };
    texts.into_iter().map(place).collect()
}

fn field(table: &mut Table) -> Result<FieldRule, TableError> {
    let name = table.needed("name")?;
    let name = table.one_of("name", &name, &NAMES.map(|name| (name, name)))?;
    let mut from = Vec::new();
    for (line, place) in table.texts("from")? {
        let place = Place::parse(&place).map_err(|sentence| TableError { line, sentence })?;
        if matches!(place.source, Source::Recording | Source::Api) {
            let sentence =
                "`from`: expected a place in a document, a header, a tag or a lock".to_owned();
            return Err(TableError { line, sentence });
        }
        from.push(place);
    }
    if from.is_empty() {
        return Err(table.wrong("[[field]] has no `from`: name the places that may have it"));
    }
    let time = template(table, "time")?;
    if let Some(time) = &time {
        if !["start", "end"].contains(&name) {
            return Err(table.wrong(format!("`time`: {name} is no time")));
        }
        if !is_whole_time(time, "time", table)? {
            return Err(table.wrong("`time`: it has no part of a time"));
        }
    }
    Ok(FieldRule { name, from, time })
}

fn template(table: &mut Table, name: &'static str) -> Result<Option<Template>, TableError> {
    let written = table.text(name)?;
    let parsed = written.map(|written| {
        Template::parse(&written)
            .map_err(|why| table.wrong(format!("`{name}`: {}", printable(&why))))
    });
    parsed.transpose()
}

fn not_offered(table: &mut Table) -> Result<NotOffered, TableError> {
    let texts = |texts: Vec<(usize, String)>| texts.into_iter().map(|(_, text)| text);
    let from: Vec<String> = texts(table.texts("from")?).collect();
    let known = Source::ALL;
    for source in &from {
        table.one_of("from", source, &known)?;
    }
    let spelt = |name: String| match name.strip_suffix('*') {
        Some(_) => name.to_ascii_lowercase(),
        None => spelling(&name),
    };
    let names: Vec<String> = texts(table.texts("names")?).map(spelt).collect();
    if from.is_empty() || names.is_empty() {
        return Err(table.wrong("[[not-offered]] has no `from` or no `names`"));
    }
    Ok(NotOffered { from, names, who: table.needed("who")? })
}
