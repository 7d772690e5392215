//! Questions about what is sealed, in names that people know: `agent = "bcb6..." and start >= 2026-03-01`
//! (docs/finding.md).

mod candidates;
mod find;
mod names;
mod read;

use unbroken_evidence::body::Body;
use unbroken_evidence::disclosed::Disclosed;
use unbroken_evidence::entry::UnverifiedEntry;
use unbroken_evidence::opening::VerifiedOpening;
use unbroken_evidence::time::declared_ms;

pub use self::find::Answer;
use self::names::Name;
use crate::glob::Glob;
use crate::policy::Finding;

/// A question.
#[derive(Clone, Debug)]
pub struct Query {
    expression: Expression,
    text: String,
}

#[derive(Clone, Debug)]
enum Expression {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare { name: Name, operator: Operator, value: Wanted },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What a value is compared with.
#[derive(Clone, Debug)]
enum Wanted {
    Text(String),
    /// A text with `*` in it.
    Pattern(Glob),
    /// A time, in milliseconds since 1970.
    Time(i64),
}

/// A recording's newest entry, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The entry.
    pub entry: &'a UnverifiedEntry,
    /// Its opening.
    pub opening: &'a VerifiedOpening,
    /// Whether its object was under a legal hold when somebody looked last.
    pub held: bool,
    /// Whether it was not there when somebody looked last.
    pub gone: bool,
}

impl Query {
    /// Reads a question.
    ///
    /// # Errors
    /// What was expected, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { expression: read::expression(text)?, text: text.to_owned() })
    }

    /// A question about the time in which recordings began: from `from` on, and before `to`.
    ///
    /// # Errors
    /// Where one is no day and no time.
    pub fn period(from: Option<&str>, to: Option<&str>) -> Result<Option<Self>, String> {
        // It stands in quotes below, and must not leave them.
        if [from, to].into_iter().flatten().any(|time| time.contains(['"', '\\'])) {
            return Err("expected a day or a time, as 2026-03-01".to_owned());
        }
        let parts: Vec<String> = [(from, ">="), (to, "<")]
            .into_iter()
            .filter_map(|(time, operator)| Some(format!("start {operator} \"{}\"", time?)))
            .collect();
        if parts.is_empty() { Ok(None) } else { Self::parse(&parts.join(" and ")).map(Some) }
    }

    /// A day or a time as it is typed, in milliseconds since 1970.
    #[must_use]
    pub fn instant(written: &str) -> Option<i64> {
        read::instant(written)
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let text = format!("({}) and ({})", self.text, other.text);
        Self { expression: Expression::All(vec![self.expression, other.expression]), text }
    }

    /// As it was asked.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a recording answers it. A value that is not known equals nothing, and is neither more nor less.
    #[must_use]
    pub fn matches(&self, asked: &Asked<'_>) -> bool {
        self.expression.holds(asked)
    }
}

impl Expression {
    fn holds(&self, asked: &Asked<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(asked)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(asked)),
            Self::Not(part) => !part.holds(asked),
            Self::Compare { name, operator, value } => {
                let values = asked.values(name);
                match operator {
                    // None of several may be the unwanted one, and one must be known.
                    Operator::Unequal => {
                        !values.is_empty() && !values.iter().any(|found| value.is(found))
                    }
                    Operator::Equal => values.iter().any(|found| value.is(found)),
                    operator => values.iter().any(|found| value.compares(*operator, found)),
                }
            }
        }
    }
}

impl Wanted {
    fn is(&self, found: &str) -> bool {
        match self {
            Self::Text(text) => text == found,
            Self::Pattern(pattern) => pattern.matches(found.as_bytes()),
            Self::Time(ms) => declared_ms(found) == Some(*ms),
        }
    }

    fn compares(&self, operator: Operator, found: &str) -> bool {
        use std::cmp::Ordering;
        let order = match self {
            Self::Time(ms) => declared_ms(found).map(|found| found.cmp(ms)),
            Self::Text(text) => match (found.parse::<f64>(), text.parse::<f64>()) {
                (Ok(found), Ok(text)) => found.partial_cmp(&text),
                _ => Some(found.cmp(text.as_str())),
            },
            Self::Pattern(_) => None,
        };
        match order {
            None => false,
            Some(Ordering::Less) => matches!(operator, Operator::Less | Operator::AtMost),
            Some(Ordering::Equal) => matches!(operator, Operator::AtMost | Operator::AtLeast),
            Some(Ordering::Greater) => matches!(operator, Operator::More | Operator::AtLeast),
        }
    }
}

impl Asked<'_> {
    /// The values that stand in these places.
    fn at(&self, is_wanted: impl Fn(&str, &str) -> bool) -> Vec<String> {
        let fields = self.opening.fields().map(|field| &field.value);
        let found = fields.filter(|value| is_wanted(&value.source, &value.pointer));
        found.map(|value| value.value.clone()).collect()
    }

    /// The values that go by a name.
    fn values(&self, name: &Name) -> Vec<String> {
        let Body::Recording(recording) = &self.entry.statement().body else { return Vec::new() };
        let word = |holds: bool| vec![if holds { "yes" } else { "no" }.to_owned()];
        match name {
            Name::Media => vec![recording.media.name().to_owned()],
            Name::Sealed => vec![self.entry.statement().at.to_string()],
            Name::Size => vec![recording.content.size.to_string()],
            Name::Hold => word(self.held),
            Name::Gone => word(self.gone),
            Name::Complete => {
                let complete = recording.completeness.map(|completeness| completeness.complete);
                complete.map(word).unwrap_or_default()
            }
            Name::Finding => {
                let disclosed = Disclosed::of(recording, Some(self.opening));
                let code =
                    |sealed: &String| Finding::parse(sealed).map(|f| f.code.name().to_owned());
                disclosed.findings().iter().filter_map(code).collect()
            }
            Name::Known(known) => self.at(|source, pointer| known.is_at(source, pointer)),
            Name::Place(place) => self.at(|source, pointer| place.is(source, pointer)),
        }
    }
}

#[cfg(test)]
mod tests;
