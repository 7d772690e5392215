//! Names that are nearly the same: a slip in a file, and a field that goes by another spelling.

/// How far a known name may be from what was written to be meant by it.
const SLIPS_MAX: usize = 3;

/// The known name that `written` is most likely meant for.
pub(crate) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let same = |name: &str| spelling(name) == spelling(written);
    let slips = |name: &str| if same(name) { 0 } else { distance(written, name) };
    // Of a short name a few slips make any other.
    let may_be = |slips: usize, name: &str| slips <= SLIPS_MAX.min(name.len() / 2);
    let near = known.map(|name| (slips(name), name)).filter(|(slips, name)| may_be(*slips, name));
    near.min_by_key(|(slips, _)| *slips).map(|(_, name)| name)
}

/// A name without what people vary: case, separators, the prefix of S3 metadata, and a last `tag` or `flag`.
pub(crate) fn spelling(name: &str) -> String {
    let kept = name.chars().filter(|letter| letter.is_alphanumeric());
    let name: String = kept.flat_map(char::to_lowercase).collect();
    let name = name.strip_prefix("xamzmeta").filter(|rest| !rest.is_empty()).unwrap_or(&name);
    let short = ["tag", "flag"].iter().find_map(|end| name.strip_suffix(end));
    short.filter(|rest| !rest.is_empty()).unwrap_or(name).to_owned()
}

/// The number of letters to insert, remove or replace (Levenshtein); names of files are short.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (place, letter) in one.chars().take(64).enumerate() {
        let mut next = vec![place + 1];
        for ((at, expected), above) in other.iter().enumerate().zip(row.windows(2)) {
            let [before, here] = above else { continue };
            let left = next.get(at).copied().unwrap_or_default();
            next.push((before + usize::from(*expected != letter)).min(here + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_from_another_name() {
        let known = ["from", "type", "pattern", "values", "media", "for-media"];
        let near = |written| nearest(written, known.into_iter());
        for (written, meant) in [
            ("form", "from"),
            ("vlaues", "values"),
            ("For_Media", "for-media"),
            ("patern", "pattern"),
            ("Type", "type"),
        ] {
            assert_eq!(near(written), Some(meant));
        }
        assert_eq!(near("colour"), None);
        assert_eq!(near(""), None);
    }

    #[test]
    fn spellings_of_one_name_are_one() {
        let names = ["legal_hold_tag", "Legal_Hold", "legal-hold", "legalHold", "LegalHoldFlag"];
        for name in names.into_iter().chain(["x-amz-meta-legal-hold-tag"]) {
            assert_eq!(spelling(name), "legalhold", "{name}");
        }
        assert_ne!(spelling("hold"), "legalhold");
        assert_eq!(["tag", "flag", "x-amz-meta-"].map(spelling), ["tag", "flag", "xamzmeta"]);
    }
}
