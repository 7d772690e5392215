//! A TOML file that people write, read member by member: what is misspelt is named with its line and
//! with the name that it may be meant for.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use unbroken_evidence::error::printable;

use crate::near::nearest;

/// Why a file cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {sentence}")]
pub struct TableError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub sentence: String,
}

/// A table, of which members are taken one by one.
#[derive(Debug)]
pub struct Table {
    /// What it is called in errors.
    name: String,
    /// The line that it begins at.
    line: usize,
    members: BTreeMap<String, Member>,
    /// Every name that was asked for.
    known: Vec<&'static str>,
}

#[derive(Debug)]
struct Member {
    line: usize,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Text(String),
    Number(Option<u64>),
    Flag(bool),
    List(Vec<Member>),
    Table(Table),
    Other,
}

impl Value {
    const fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other => "another value",
        }
    }
}

impl Table {
    /// Reads a whole file.
    ///
    /// # Errors
    /// The line that is no TOML.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        let table = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, &span));
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            TableError { line, sentence: message }
        })?;
        Ok(Self::of("the file", 1, table.into_inner(), text))
    }

    fn of(name: &str, line: usize, table: DeTable<'_>, text: &str) -> Self {
        let member = |(name, value): (Spanned<_>, Spanned<DeValue<'_>>)| {
            let line = line_of(text, &name.span());
            let name: std::borrow::Cow<'_, str> = name.into_inner();
            let value = read(&name, line, value.into_inner(), text);
            (name.into_owned(), Member { line, value })
        };
        let members = table.into_iter().map(member).collect();
        Self { name: name.to_owned(), line, members, known: Vec::new() }
    }

    /// The line that the table begins at.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    fn take(&mut self, name: &'static str) -> Option<Member> {
        self.known.push(name);
        self.members.remove(name)
    }

    /// A text.
    ///
    /// # Errors
    /// Where it is something else, or empty.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, TableError> {
        match self.take(name) {
            None => Ok(None),
            Some(Member { line, value: Value::Text(text) }) if text.trim().is_empty() => {
                Err(TableError { line, sentence: format!("`{name}` is empty") })
            }
            Some(Member { value: Value::Text(text), .. }) => Ok(Some(text)),
            Some(other) => Err(wrong(name, "a text in quotes", &other)),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// As [`Table::text`], and where it is missing.
    pub fn needed(&mut self, name: &'static str) -> Result<String, TableError> {
        self.text(name)?.ok_or_else(|| self.wrong(format!("{} has no `{name}`", self.name)))
    }

    /// A list of texts; a single text counts as a list of one. Empty where there is none.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn texts(&mut self, name: &'static str) -> Result<Vec<(usize, String)>, TableError> {
        let (line, value) = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Member { line, value }) => (line, value),
        };
        let elements = match value {
            Value::List(elements) => elements,
            value => vec![Member { line, value }],
        };
        let text = |member: Member| match member {
            Member { line, value: Value::Text(text) } if !text.trim().is_empty() => {
                Ok((line, text))
            }
            other => Err(wrong(name, "a list of texts in quotes", &other)),
        };
        elements.into_iter().map(text).collect()
    }

    /// A whole number.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn number(&mut self, name: &'static str) -> Result<Option<u64>, TableError> {
        match self.take(name) {
            None => Ok(None),
            Some(Member { value: Value::Number(Some(number)), .. }) => Ok(Some(number)),
            Some(other) => Err(wrong(name, "a whole number", &other)),
        }
    }

    /// `true` or `false`; false where there is none.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn flag(&mut self, name: &'static str) -> Result<bool, TableError> {
        match self.take(name) {
            None => Ok(false),
            Some(Member { value: Value::Flag(flag), .. }) => Ok(flag),
            Some(other) => Err(wrong(name, "true or false", &other)),
        }
    }

    /// The tables of `[[name]]`.
    fn tables(&mut self, name: &'static str) -> Result<Vec<Self>, TableError> {
        let (line, value) = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Member { line, value }) => (line, value),
        };
        let table = |member: Member| match member {
            Member { value: Value::Table(table), .. } => {
                Ok(Self { name: format!("[[{name}]]"), ..table })
            }
            other => Err(wrong(name, "tables, each under its own [[...]]", &other)),
        };
        match value {
            Value::List(elements) => elements.into_iter().map(table).collect(),
            value => table(Member { line, value }).map(|_| {
                let sentence = format!("write [[{name}]] with two brackets: there may be several");
                Err(TableError { line, sentence })
            })?,
        }
    }

    /// Reads this table by `read`, to its end: nothing may be left that nobody asked for.
    ///
    /// # Errors
    /// The first unknown member, with the name that it may be meant for; that of `read`, unless a slip in a
    /// name explains it.
    pub fn whole<T>(
        mut self,
        read: impl FnOnce(&mut Self) -> Result<T, TableError>,
    ) -> Result<T, TableError> {
        match read(&mut self) {
            Err(error) => Err(self.left(true).unwrap_or(error)),
            Ok(read) => self.left(false).map_or(Ok(read), Err),
        }
    }

    /// The first member that nobody asked for; of `slips` alone, one that goes by nearly a known name.
    fn left(&self, slips: bool) -> Option<TableError> {
        let mut left: Vec<(&String, &Member)> = self.members.iter().collect();
        left.sort_by_key(|(_, member)| member.line);
        left.into_iter().find_map(|(name, member)| {
            let meant = match nearest(name, self.known.iter().copied()) {
                Some(known) => format!("; do you mean `{known}`?"),
                None if slips => return None,
                None => format!("; it may have: {}", self.known.join(", ")),
            };
            let sentence = format!("{} has no member `{}`{meant}", self.name, printable(name));
            Some(TableError { line: member.line, sentence })
        })
    }

    /// The tables of `[[name]]`, each read by `read` to its end.
    ///
    /// # Errors
    /// Those of [`Table::whole`], and where it is no list of tables.
    pub fn each<T>(
        &mut self,
        name: &'static str,
        read: fn(&mut Self) -> Result<T, TableError>,
    ) -> Result<Vec<T>, TableError> {
        self.tables(name)?.into_iter().map(|table| table.whole(read)).collect()
    }

    /// Takes the `format` of the file, which says by what it is read.
    pub(crate) fn format(&mut self, expected: &str) -> Result<(), TableError> {
        let found = self.needed("format")?;
        let wrong = || {
            let found = printable(&found);
            self.wrong(format!("`format`: expected \"{expected}\"; found \"{found}\""))
        };
        if found == expected { Ok(()) } else { Err(wrong()) }
    }

    /// The known thing that `member` names.
    pub(crate) fn one_of<T: Copy>(
        &self,
        member: &str,
        written: &str,
        known: &[(&str, T)],
    ) -> Result<T, TableError> {
        if let Some((_, found)) = known.iter().find(|(name, _)| *name == written) {
            return Ok(*found);
        }
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let meant = nearest(written, names.iter().copied())
            .map_or_else(String::new, |name| format!("; do you mean \"{name}\"?"));
        let (written, names) = (printable(written), names.join(", "));
        Err(self.wrong(format!("`{member}`: expected one of {names}; found \"{written}\"{meant}")))
    }

    /// An error about the table as a whole.
    #[must_use]
    pub fn wrong(&self, sentence: impl Into<String>) -> TableError {
        TableError { line: self.line, sentence: sentence.into() }
    }
}

fn wrong(name: &str, expected: &str, found: &Member) -> TableError {
    let sentence = format!("`{name}`: expected {expected}; found {}", found.value.name());
    TableError { line: found.line, sentence }
}

fn read(name: &str, line: usize, value: DeValue<'_>, text: &str) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => {
            Value::Number(u64::from_str_radix(number.as_str(), number.radix()).ok())
        }
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Array(elements) => {
            let element = |element: Spanned<DeValue<'_>>| {
                let line = line_of(text, &element.span());
                Member { line, value: read(name, line, element.into_inner(), text) }
            };
            Value::List(elements.into_iter().map(element).collect())
        }
        DeValue::Table(table) => Value::Table(Table::of(name, line, table, text)),
        DeValue::Float(_) | DeValue::Datetime(_) => Value::Other,
    }
}

/// The line in which a span begins, from 1.
fn line_of(text: &str, span: &Range<usize>) -> usize {
    let before = text.as_bytes().get(..span.start).unwrap_or_default();
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "name = \"a\"\nlist = [\"x\",\n  \"y\"]\none = \"z\"\n\n[[rule]]\nfrm = \"q\"\nmost = 7\n";

    #[test]
    fn members_are_taken_and_what_is_left_is_named_with_its_line() {
        let whole = |rule: fn(&mut Table) -> Result<u64, TableError>| {
            Table::parse(FILE).unwrap().whole(|table| {
                assert_eq!(table.needed("name")?, "a");
                assert_eq!(table.texts("list")?, [(2, "x".to_owned()), (3, "y".to_owned())]);
                assert_eq!(table.texts("one")?, [(4, "z".to_owned())]);
                assert_eq!(table.text("none")?, None);
                table.each("rule", rule)
            })
        };
        let read = whole(|rule| {
            let most = rule.number("most")?;
            Ok(most.unwrap_or_default() + u64::from(rule.text("frm")?.is_some()))
        });
        assert_eq!(read.unwrap(), [8]);
        let slip = "line 7: [[rule]] has no member `frm`; do you mean `from`?";
        let left = whole(|rule| {
            let most = rule.number("most")?;
            rule.text("from")?;
            Ok(most.unwrap_or_default())
        });
        assert_eq!(left.unwrap_err().to_string(), slip);
        // A slip explains what is missing.
        let missing = whole(|rule| rule.needed("from").map(|_| 0));
        assert_eq!(missing.unwrap_err().to_string(), slip);
        let strange = whole(|rule| rule.number("most").map(Option::unwrap_or_default));
        assert_eq!(
            strange.unwrap_err().to_string(),
            "line 7: [[rule]] has no member `frm`; it may have: most"
        );
    }

    #[test]
    fn what_is_of_another_sort_is_told_with_what_was_expected() {
        let said = |file: &str, read: fn(&mut Table) -> Option<TableError>| {
            let mut table = Table::parse(file).unwrap();
            read(&mut table).unwrap().to_string()
        };
        let text = said("\na = 7", |table| table.text("a").err());
        assert_eq!(text, "line 2: `a`: expected a text in quotes; found a number");
        let empty = said("a = \" \"", |table| table.text("a").err());
        assert_eq!(empty, "line 1: `a` is empty");
        let negative = said("a = -1", |table| table.number("a").err());
        assert_eq!(negative, "line 1: `a`: expected a whole number; found a number");
        let flag = said("a = \"true\"", |table| table.flag("a").err());
        assert_eq!(flag, "line 1: `a`: expected true or false; found a text");
        let single = said("[a]\nb = 1", |table| table.tables("a").err());
        assert_eq!(single, "line 1: write [[a]] with two brackets: there may be several");
        let texts = said("a = [1.5]", |table| table.texts("a").err());
        assert_eq!(texts, "line 1: `a`: expected a list of texts in quotes; found another value");
        let missing = said("", |table| table.needed("name").err());
        assert_eq!(missing, "line 1: the file has no `name`");
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        for (file, line) in [("a = 1\nb =", 2), ("a = 1\na = 2", 2), ("\n\n[[x]\n", 3)] {
            assert_eq!(Table::parse(file).unwrap_err().line, line, "{file}");
        }
    }
}
