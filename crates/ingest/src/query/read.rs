//! Reads a question: comparisons, `and`, `or`, `not`, parentheses.

use unbroken_evidence::error::printable;
use unbroken_evidence::time::declared_ms;

use super::names::Name;
use super::{Expression, Operator, Wanted};
use crate::glob::Glob;
use crate::near::nearest;

/// Bytes of a question, and how deep it may be nested.
const TEXT_BYTES_MAX: usize = 4_096;
const DEPTH_MAX: usize = 32;

pub(super) fn expression(text: &str) -> Result<Expression, String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("a question has at most {TEXT_BYTES_MAX} bytes"));
    }
    let mut parts = Parts { parts: parts(text)?, next: 0 };
    let expression = parts.any(0)?;
    match parts.take() {
        None => Ok(expression),
        Some(part) => Err(format!("{} is left over: is an `and` missing?", part.shown())),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Word(String),
    Quoted(String),
    Operator(Operator),
    Open,
    Close,
}

impl Part {
    fn shown(&self) -> String {
        match self {
            Self::Word(word) | Self::Quoted(word) => format!("\"{}\"", printable(word)),
            Self::Operator(_) => "a comparison".to_owned(),
            Self::Open => "(".to_owned(),
            Self::Close => ")".to_owned(),
        }
    }
}

fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let mut then = |wanted| letters.next_if_eq(&wanted).is_some();
        parts.push(match letter {
            letter if letter.is_whitespace() => continue,
            '(' => Part::Open,
            ')' => Part::Close,
            '=' => {
                then('=');
                Part::Operator(Operator::Equal)
            }
            '!' if then('=') => Part::Operator(Operator::Unequal),
            '<' if then('=') => Part::Operator(Operator::AtMost),
            '<' => Part::Operator(Operator::Less),
            '>' if then('=') => Part::Operator(Operator::AtLeast),
            '>' => Part::Operator(Operator::More),
            quote @ ('"' | '\'') => {
                let mut quoted = String::new();
                loop {
                    match letters.next() {
                        Some(letter) if letter == quote => break,
                        Some('\\') => quoted.extend(letters.next()),
                        Some(letter) => quoted.push(letter),
                        None => return Err(format!("a {quote} is not closed")),
                    }
                }
                Part::Quoted(quoted)
            }
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2018}' | '\u{2019}' => {
                return Err(format!("{letter} is no quote that is known here: write \" or '"));
            }
            first => {
                let mut word = String::from(first);
                let ends = |letter: &char| letter.is_whitespace() || "()=!<>\"'".contains(*letter);
                while let Some(letter) = letters.next_if(|letter| !ends(letter)) {
                    word.push(letter);
                }
                Part::Word(word)
            }
        });
    }
    Ok(parts)
}

struct Parts {
    parts: Vec<Part>,
    next: usize,
}

impl Parts {
    fn take(&mut self) -> Option<Part> {
        let part = self.parts.get(self.next).cloned();
        self.next += usize::from(part.is_some());
        part
    }

    /// Takes the word, if it is the next.
    fn word(&mut self, wanted: &str) -> bool {
        let is_it = matches!(self.parts.get(self.next), Some(Part::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.next += usize::from(is_it);
        is_it
    }

    fn any(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > DEPTH_MAX {
            return Err(format!("parentheses more than {DEPTH_MAX} deep"));
        }
        let mut parts = vec![self.all(depth)?];
        while self.word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Expression, String> {
        let mut parts = vec![self.one(depth)?];
        while self.word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn one(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > DEPTH_MAX {
            return Err(format!("`not` more than {DEPTH_MAX} times in a row"));
        }
        if self.word("not") {
            return Ok(Expression::Not(Box::new(self.one(depth + 1)?)));
        }
        match self.take() {
            Some(Part::Open) => {
                let inner = self.any(depth + 1)?;
                match self.take() {
                    Some(Part::Close) => Ok(inner),
                    _ => Err("a ( is not closed".to_owned()),
                }
            }
            Some(Part::Word(name)) => self.comparison(&name),
            Some(part) => Err(format!("expected a name; found {}", part.shown())),
            None => Err("expected a name, and the question ends".to_owned()),
        }
    }

    fn comparison(&mut self, written: &str) -> Result<Expression, String> {
        let name = Name::parse(written)?;
        let operator = match self.take() {
            Some(Part::Operator(operator)) => operator,
            Some(part) => {
                let shown = part.shown();
                return Err(format!("behind {written}: expected = != < <= > or >=; found {shown}"));
            }
            None => return Err(format!("behind {written}: expected = != < <= > or >=")),
        };
        let Some(Part::Word(value) | Part::Quoted(value)) = self.take() else {
            return Err(format!("behind {written}: expected a value"));
        };
        let value = wanted(&name, written, operator, value)?;
        Ok(Expression::Compare { name, operator, value })
    }
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match (parts.len(), parts.pop()) {
        (1, Some(one)) => one,
        (_, last) => {
            parts.extend(last);
            many(parts)
        }
    }
}

/// What a value is compared with; a value that its name can never have is a slip.
fn wanted(name: &Name, written: &str, operator: Operator, value: String) -> Result<Wanted, String> {
    if name.is_time(written) {
        let ms = instant(&value);
        let wrong = || {
            let found = printable(&value);
            format!(
                "{written}: expected a day or a time, as 2026-03-01 or 2026-03-01T09:00:00Z; found {found}"
            )
        };
        return ms.map(Wanted::Time).ok_or_else(wrong);
    }
    let is_equal = matches!(operator, Operator::Equal | Operator::Unequal);
    if let Some(known) = name.values()
        && value != "*"
        && !known.contains(&value.as_str())
    {
        let meant = nearest(&value, known.iter().copied()).map_or_else(
            || format!("one of {}", known.join(", ")),
            |known| format!("{known}, it may be"),
        );
        return Err(format!("{written}: {} is none of its values: {meant}", printable(&value)));
    }
    if value.contains('*') && is_equal {
        // A `*` of a question stands for anything, slashes too.
        return Ok(Wanted::Pattern(Glob::parse(&value.replace('*', "**"))?));
    }
    Ok(Wanted::Text(value))
}

/// A day or a time, in milliseconds since 1970.
pub(super) fn instant(written: &str) -> Option<i64> {
    declared_ms(written).or_else(|| declared_ms(&format!("{written}T00:00:00Z")))
}
