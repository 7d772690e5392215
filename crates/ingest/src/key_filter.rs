//! Which keys of a source are looked at: a bucket of recordings may hold other things too.

use crate::glob::Glob;
use crate::group::Group;
use crate::source::Listed;

/// Patterns of keys that are wanted, and of keys that are not.
#[derive(Clone, Debug, Default)]
pub struct KeyFilter {
    include: Vec<(String, Glob)>,
    exclude: Vec<(String, Glob)>,
}

/// Patterns of each sort.
const PATTERNS_MAX: usize = 32;

impl KeyFilter {
    /// Reads patterns: `*` stands for any letters of one name, `**` for any at all, `?` for one.
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn parse(include: &[String], exclude: &[String]) -> Result<Self, String> {
        Ok(Self { include: globs(include)?, exclude: globs(exclude)? })
    }

    /// Whether every key is wanted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Whether a key is looked at: one of the first patterns stands for it, if there are any, and none of the
    /// others.
    #[must_use]
    pub fn wants(&self, key: &[u8]) -> bool {
        let any = |globs: &[(String, Glob)]| globs.iter().any(|(_, glob)| glob.matches(key));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }

    /// Takes out of a group what is not looked at.
    pub(crate) fn take_out(&self, group: &mut Group) -> Group {
        if self.is_empty() {
            return Group::default();
        }
        let not_wanted = |(_, listed): &mut (u64, Listed)| !self.wants(&listed.key);
        Group { objects: group.objects.extract_if(.., not_wanted).collect() }
    }

    /// What was asked for, for the entry that closes a run: `include` or `exclude`, and the pattern.
    pub(crate) fn said(&self) -> impl Iterator<Item = (&'static str, usize, &str)> {
        let include = self.include.iter().enumerate().map(|(n, (text, _))| ("include", n, &**text));
        let exclude = self.exclude.iter().enumerate().map(|(n, (text, _))| ("exclude", n, &**text));
        include.chain(exclude)
    }
}

fn globs(patterns: &[String]) -> Result<Vec<(String, Glob)>, String> {
    if patterns.len() > PATTERNS_MAX {
        return Err(format!("more than {PATTERNS_MAX} patterns"));
    }
    patterns.iter().map(|pattern| Ok((pattern.clone(), Glob::parse(pattern)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_wanted_by_one_pattern_and_by_none_of_the_others() {
        let texts =
            |patterns: &[&str]| patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
        let filter = |include: &[&str], exclude: &[&str]| {
            KeyFilter::parse(&texts(include), &texts(exclude)).unwrap()
        };
        assert!(filter(&[], &[]).wants(b"x") && filter(&[], &[]).is_empty());
        let some = filter(&["org-1/**", "org-2/**"], &["**/tmp/**"]);
        assert!(some.wants(b"org-2/a.wav") && !some.wants(b"org-3/a.wav"));
        assert!(!some.wants(b"org-1/x/tmp/a.wav"));
        let all = filter(&[], &["*.log"]);
        assert!(all.wants(b"a.wav") && !all.wants(b"a.log") && all.wants(b"x/a.log"));
        assert!(KeyFilter::parse(&texts(&["a[b]"]), &[]).is_err());
        assert!(KeyFilter::parse(&[], &vec![String::new(); 33]).is_err());
    }
}
