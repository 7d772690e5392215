//! Templates of object keys: what stands where in a name.

use unbroken_evidence::error::printable;

use crate::near::nearest;

/// What a template may ask for, by the name in its braces.
pub(crate) const PARTS: [&str; 13] = [
    "organization",
    "conversation",
    "recording",
    "agent",
    "queue",
    "number",
    "direction",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
];

/// A template: `*` stands for any letters of one name, `?` for one, `**/` for any folders, `**` for any at all;
/// `{conversation}` for at least one letter of a name, `{year:4}` for so many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Byte(u8),
    /// One byte that is no slash.
    One,
    /// Any bytes that are no slash.
    Name,
    /// Any bytes.
    Any,
    /// Any whole folders, each with its slash.
    Folders,
    /// Bytes that are no slash, as many as is said or at least one, and what they are.
    Part(&'static str, Option<usize>),
}

/// Bytes of a template; a key of S3 has at most 1,024.
const BYTES_MAX: usize = 1_024;

impl Template {
    /// # Errors
    /// Why it is no template.
    pub(crate) fn parse(written: &str) -> Result<Self, String> {
        if written.len() > BYTES_MAX {
            return Err(format!("a template of more than {BYTES_MAX} bytes"));
        }
        let mut steps = Vec::new();
        let mut rest = written;
        while let Some(letter) = rest.chars().next() {
            let (step, after) = if let Some(after) = rest.strip_prefix('{') {
                let (inside, after) = after.split_once('}').ok_or("a brace is not closed")?;
                (part(inside)?, after)
            } else if let Some(after) = rest.strip_prefix("**/") {
                (Step::Folders, after)
            } else if let Some(after) = rest.strip_prefix("**") {
                (Step::Any, after)
            } else {
                let step = match letter {
                    '*' => Step::Name,
                    '?' => Step::One,
                    _ => Step::Byte(rest.as_bytes().first().copied().unwrap_or_default()),
                };
                // What is no ASCII goes byte by byte.
                let bytes = rest.get(..letter.len_utf8()).unwrap_or_default().bytes().skip(1);
                if let Step::Byte(_) = step {
                    steps.push(step);
                    steps.extend(bytes.map(Step::Byte));
                } else {
                    steps.push(step);
                }
                rest = rest.get(letter.len_utf8()..).unwrap_or_default();
                continue;
            };
            if let Step::Part(name, _) = step
                && steps.iter().any(|one| matches!(one, Step::Part(known, _) if *known == name))
            {
                return Err(format!("{{{name}}} stands in it twice"));
            }
            steps.push(step);
            rest = after;
        }
        Ok(Self { steps })
    }

    /// What it asks for.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Part(name, _) => Some(*name),
            _ => None,
        })
    }

    /// What stands in `key`, if the template fits the whole of it; folders as deep as possible, other parts as
    /// short as possible. It takes no longer than both lengths multiplied, but for the few parts.
    pub(crate) fn read<'a>(&self, key: &'a [u8]) -> Option<Vec<(&'static str, &'a str)>> {
        let mut attempt = Attempt::of(&self.steps, key);
        attempt.fits(0, 0).then(|| {
            let taken = attempt.taken.into_iter();
            let text = |(name, from, to)| {
                let bytes = key.get::<std::ops::Range<usize>>(from..to)?;
                Some((name, std::str::from_utf8(bytes).ok()?))
            };
            taken.filter_map(text).collect()
        })
    }
}

fn part(inside: &str) -> Result<Step, String> {
    let (name, length) = match inside.split_once(':') {
        None => (inside, None),
        Some((name, length)) => {
            let length: Option<usize> =
                length.parse().ok().filter(|length| (1..=BYTES_MAX).contains(length));
            let wrong = || format!("{{{}}}: expected a length, as {{year:4}}", printable(inside));
            (name, Some(length.ok_or_else(wrong)?))
        }
    };
    let Some(known) = PARTS.into_iter().find(|known| *known == name) else {
        let meant = nearest(name, PARTS.into_iter()).map_or_else(
            || format!("it is one of {}", PARTS.join(", ")),
            |known| format!("do you mean {{{known}}}?"),
        );
        return Err(format!("{{{}}} is no part of a key; {meant}", printable(name)));
    };
    Ok(Step::Part(known, length))
}

/// One key held against the steps; where the rest is known not to fit, it is not tried again.
struct Attempt<'a> {
    steps: &'a [Step],
    key: &'a [u8],
    /// A bit for each step and place.
    failed: Vec<u64>,
    taken: Vec<(&'static str, usize, usize)>,
    /// How often the rest was tried.
    tried: usize,
}

impl<'a> Attempt<'a> {
    fn of(steps: &'a [Step], key: &'a [u8]) -> Self {
        let failed = vec![0; (steps.len() * (key.len() + 1)).div_ceil(64)];
        Self { steps, key, failed, taken: Vec::new(), tried: 0 }
    }

    fn fits(&mut self, step: usize, at: usize) -> bool {
        self.tried += 1;
        let (mut step, mut at) = (step, at);
        // What leaves no choice needs no way back.
        let choice = loop {
            let Some(now) = self.steps.get(step).copied() else { return at == self.key.len() };
            let byte = self.key.get(at).copied();
            match now {
                Step::Byte(expected) if byte == Some(expected) => {}
                Step::One if byte.is_some_and(|byte| byte != b'/') => {}
                Step::Byte(_) | Step::One => return false,
                choice => break choice,
            }
            (step, at) = (step + 1, at + 1);
        };
        let place = step * (self.key.len() + 1) + at;
        let (word, bit) = (place / 64, 1 << (place % 64));
        if self.failed.get(word).is_none_or(|failed| failed & bit != 0) {
            return false;
        }
        let fits = self.chosen(choice, step, at);
        if !fits {
            self.failed.get_mut(word).into_iter().for_each(|failed| *failed |= bit);
        }
        fits
    }

    fn chosen(&mut self, choice: Step, step: usize, at: usize) -> bool {
        let key = self.key;
        let rest = key.get(at..).unwrap_or_default();
        let name = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        match choice {
            // Each stays, or lets the next one go on: what was tried from a place is not tried again.
            Step::Folders => {
                let slash = rest.iter().position(|byte| *byte == b'/');
                slash.is_some_and(|slash| self.fits(step, at + slash + 1))
                    || self.fits(step + 1, at)
            }
            Step::Any => self.fits(step + 1, at) || !rest.is_empty() && self.fits(step, at + 1),
            Step::Name => self.fits(step + 1, at) || name > 0 && self.fits(step, at + 1),
            Step::Part(what, length) => {
                let ends = match length {
                    Some(length) if length <= name => at + length..=at + length,
                    Some(_) => return false,
                    None => at + 1..=at + name,
                };
                for end in ends {
                    self.taken.push((what, at, end));
                    if self.fits(step + 1, end) {
                        return true;
                    }
                    self.taken.pop();
                }
                false
            }
            Step::Byte(_) | Step::One => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(template: &str, key: &str) -> Option<String> {
        let read = Template::parse(template).unwrap();
        let parts = read.read(key.as_bytes())?;
        let parts = parts.iter().map(|(name, value)| format!("{name}={value}"));
        Some(parts.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn parts_are_read_where_the_template_says() {
        let call = "**/CallRecordings/**/{conversation}_{year:4}{month:2}{day:2}T{hour:2}?{minute:2}_UTC.wav";
        for (template, key, expected) in [
            (
                call,
                "connect/a/CallRecordings/2026/03/17/c-1_20260317T07:31_UTC.wav",
                Some("conversation=c-1 year=2026 month=03 day=17 hour=07 minute=31"),
            ),
            (
                call,
                "CallRecordings/c_1_20260317T07_31_UTC.wav",
                Some("conversation=c_1 year=2026 month=03 day=17 hour=07 minute=31"),
            ),
            (call, "connect/a/CallRecordings/2026/03/17/c-1_2026031T07:31_UTC.wav", None),
            ("**/{organization}/year=*/**", "org-1/year=2026/x/r", Some("organization=org-1")),
            // The deepest folder counts: whatever stands before may be a copy's own path.
            ("**/{organization}/year=*/**", "a/year=1/b/year=2/r", Some("organization=b")),
            ("**/{recording}.*", "x/r-1.opus.wav", Some("recording=r-1")),
            ("**/{recording}", "r-1", Some("recording=r-1")),
            ("{recording}", "a/r-1", None),
            ("{recording}.wav", ".wav", None),
            ("a/**", "a/b/c", Some("")),
            ("a/*", "a/b/c", None),
            ("Ä{recording}", "Är", Some("recording=r")),
        ] {
            assert_eq!(read(template, key).as_deref(), expected, "{template} {key}");
        }
    }

    #[test]
    fn what_is_no_template_is_told() {
        for (template, sentence) in [
            ("{conversatoin}", "{conversatoin} is no part of a key; do you mean {conversation}?"),
            ("{year:x}", "{year:x}: expected a length, as {year:4}"),
            ("{year:0}", "{year:0}: expected a length, as {year:4}"),
            ("{day}{day}", "{day} stands in it twice"),
            ("a{day", "a brace is not closed"),
        ] {
            assert_eq!(Template::parse(template).unwrap_err(), sentence);
        }
        assert!(Template::parse(&"x".repeat(1_025)).is_err());
    }

    /// Many ways to fit are not tried one by one.
    #[test]
    fn a_hostile_template_ends() {
        let parts: String = PARTS.iter().map(|name| format!("{{{name}}}*")).collect();
        let template = Template::parse(&format!("{parts}{}!", "*a".repeat(200))).unwrap();
        assert!(template.read(&[b'a'; 1_000]).is_none());
        for (stars, key) in [("**", "a"), ("a**", "a"), ("**/a/", "a/"), ("*a", "a")] {
            let written = format!("{}!", stars.repeat(1_000 / stars.len()));
            let (template, key) =
                (Template::parse(&written).unwrap(), key.repeat(1_000 / key.len()));
            let mut attempt = Attempt::of(&template.steps, key.as_bytes());
            assert!(!attempt.fits(0, 0), "{stars}");
            let most = 2 * template.steps.len() * (key.len() + 1);
            assert!(attempt.tried <= most, "{stars}: {} of {most}", attempt.tried);
        }
    }
}
