//! Patterns of object keys, as people know them from their shell.

use unbroken_evidence::error::printable;

/// A pattern: `*` stands for any letters of one name, `**` for any at all, `?` for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    pattern: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Byte(u8),
    /// One byte that is no slash.
    One,
    /// Any bytes that are no slash.
    Name,
    /// Any bytes.
    Any,
}

/// Bytes of a pattern; a key of S3 has at most 1,024.
const PATTERN_BYTES_MAX: usize = 1_024;

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where it is too long.
    pub(crate) fn parse(pattern: &str) -> Result<Self, String> {
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(format!("a pattern of more than {PATTERN_BYTES_MAX} bytes"));
        }
        if pattern.contains(['[', ']', '{', '}']) {
            let sentence = "has brackets, which stand for themselves nowhere: take `?` or `*`";
            return Err(format!("{} {sentence}", printable(pattern)));
        }
        let mut parts = Vec::with_capacity(pattern.len());
        for byte in pattern.bytes() {
            match (byte, parts.last()) {
                (b'*', Some(Part::Name | Part::Any)) => {
                    parts.pop();
                    parts.push(Part::Any);
                }
                (b'*', _) => parts.push(Part::Name),
                (b'?', _) => parts.push(Part::One),
                _ => parts.push(Part::Byte(byte)),
            }
        }
        Ok(Self { pattern: parts })
    }

    /// Whether the pattern stands for the whole of `key`; in time of their lengths multiplied.
    #[must_use]
    pub(crate) fn matches(&self, key: &[u8]) -> bool {
        // Most patterns end with letters, and most keys with others.
        let mut ends = self.pattern.iter().rev().zip(key.iter().rev());
        let other = |(part, byte): (&Part, &u8)| match part {
            Part::Byte(expected) => Some(expected != byte),
            Part::One | Part::Name | Part::Any => None,
        };
        if ends.by_ref().map_while(other).any(|differs| differs) {
            return false;
        }
        // Which lengths of the key the pattern so far stands for.
        let mut reached = vec![false; key.len() + 1];
        reached.iter_mut().take(1).for_each(|first| *first = true);
        for part in &self.pattern {
            let mut next = vec![false; key.len() + 1];
            for at in 0..=key.len() {
                let was = |at: usize| reached.get(at).copied().unwrap_or_default();
                let before = at.checked_sub(1);
                let byte = before.and_then(|before| key.get(before).copied());
                let after = before.is_some_and(|before| next.get(before).copied() == Some(true));
                let stepped = before.is_some_and(was);
                let holds = match part {
                    Part::Byte(expected) => stepped && byte == Some(*expected),
                    Part::One => stepped && byte != Some(b'/'),
                    Part::Name => was(at) || after && byte != Some(b'/'),
                    Part::Any => was(at) || after,
                };
                next.get_mut(at).into_iter().for_each(|place| *place = holds);
            }
            reached = next;
        }
        reached.last().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_in_its_folder_and_two_do_not() {
        let matches =
            |pattern: &str, key: &str| Glob::parse(pattern).unwrap().matches(key.as_bytes());
        for (pattern, key, expected) in [
            ("org-1/**", "org-1/year=2026/a.opus", true),
            ("org-1/*", "org-1/year=2026/a.opus", false),
            ("*.opus", "a.opus", true),
            ("*.opus", "x/a.opus", false),
            ("**.opus", "x/a.opus", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("a?c", "ac", false),
            ("**", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1b2b3", false),
        ] {
            assert_eq!(matches(pattern, key), expected, "{pattern} {key}");
        }
    }

    #[test]
    fn what_a_shell_would_expand_is_refused() {
        assert!(Glob::parse("a[bc]").is_err() && Glob::parse("{a,b}").is_err());
        assert!(Glob::parse(&"x".repeat(1_025)).is_err());
    }

    /// A pattern of many stars takes no longer than its length times the key's.
    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = Glob::parse(&"*a".repeat(500)).unwrap();
        assert!(!pattern.matches(&[b'a'; 1_000].map(|_| b'b')));
    }
}
