//! A checkpoint that somebody kept from earlier, which a log must continue.

use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use crate::hash::Hash;
use crate::judge::findings::Findings;
use crate::judge::trust::names;
use crate::keys::Keys;
use crate::step::Step;
use crate::verdict::Fault;

/// What a finding about a kept checkpoint is about.
pub const KEPT_ITEM: &str = "kept checkpoint";

/// A kept checkpoint, and what the log has where it ends.
#[derive(Debug)]
pub(crate) struct Kept {
    unverified: UnverifiedCheckpoint,
}

impl Kept {
    /// Reads a kept checkpoint; `None` after a finding.
    pub(crate) fn read(bytes: &[u8], findings: &mut Findings) -> Option<Self> {
        match UnverifiedCheckpoint::parse(bytes) {
            Ok(unverified) => Some(Self { unverified }),
            Err(error) => {
                // Whoever gave it has to look for another: it accuses nobody.
                let (fault, found) = (Fault::Anchor, error.to_string());
                findings.blamed(fault, Step::Checkpoint, KEPT_ITEM, "a checkpoint", &found);
                None
            }
        }
    }

    /// The size that it is for.
    pub(crate) const fn size(&self) -> u64 {
        self.unverified.claims().size
    }

    /// The size of the kept checkpoint, where there is one and the log continues it: see [`Kept::against`].
    pub(crate) fn continued(
        kept: Option<Self>,
        now: (&Checkpoint, bool),
        (keys, root): (&Keys, Option<Hash>),
        findings: &mut Findings,
    ) -> Option<u64> {
        kept.filter(|kept| kept.against(now, keys, root, findings)).map(|kept| kept.size())
    }

    /// Whether the log continues it: `now` is the log's checkpoint, and whether it is anchored, `root` the log's root at the kept size,
    /// where the walk came that far. A log key of the ledger must have signed it, as the control chain has
    /// them: a file that nobody signed accuses no ledger.
    fn against(
        &self,
        (now, is_signed): (&Checkpoint, bool),
        keys: &Keys,
        root: Option<Hash>,
        findings: &mut Findings,
    ) -> bool {
        let claims = self.unverified.claims();
        let lines = self.unverified.note();
        let Some(signer) = keys.signer_of_checkpoint(lines, claims.size) else {
            if let Some(blind) = keys.not_read_from() {
                let why = format!("{blind} may have added the key that signed it");
                findings.not_established(Step::Checkpoint, KEPT_ITEM, &why);
                return false;
            }
            let expected =
                format!("a signature by a log key of this ledger, valid at size {}", claims.size);
            let names = names(lines.signatures().iter());
            let found = match keys.is_named_on(lines, claims.size) {
                true => format!("a signature line of {names}, which does not hold"),
                false => format!("a signature line of {names}"),
            };
            findings.blamed(Fault::Anchor, Step::Checkpoint, KEPT_ITEM, &expected, &found);
            return false;
        };
        if signer.disputed_from.is_some_and(|from| from < claims.size) {
            // C8: whoever stole the key may have made it.
            findings.not_established(
                Step::Checkpoint,
                KEPT_ITEM,
                "its key is disputed at that size",
            );
            return false;
        }
        let same = claims.origin == now.origin;
        let origin = format!("origin {}", now.origin);
        findings.check(same, Step::Checkpoint, KEPT_ITEM, &origin, &claims.origin);
        let fits = claims.size <= now.size;
        let least = format!("a log of at least {} entries, as you kept it", claims.size);
        let missing = claims.size.saturating_sub(now.size);
        let found = format!("{} entries: {missing} are missing", now.size);
        findings.check(fits, Step::Checkpoint, KEPT_ITEM, &least, &found);
        let Some(root) = root else { return false };
        let expected = format!("root {} at size {}, as you kept it", claims.root, claims.size);
        let both = if is_signed {
            "; log keys of this ledger signed both: one log, two histories"
        } else {
            ""
        };
        let found = format!("{root}{both}");
        findings.check(root == claims.root, Step::Inclusion, "log", &expected, &found);
        same && fits && root == claims.root
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::log::verify_log;
    use crate::judge::testing::{MemoryLog, anchor, found};

    fn kept(log: &str, since: &[u8]) -> (Vec<String>, Option<u64>) {
        let verdict =
            verify_log(&mut MemoryLog::of(log), &anchor(), Some(since), 1, &|_| ()).unwrap();
        (found(&verdict), verdict.seen().and_then(|seen| seen.continues))
    }

    // spec: L11
    #[test]
    fn a_log_continues_its_own_checkpoint_and_no_other_logs() {
        let own = MemoryLog::of("long").0.remove("checkpoint").unwrap();
        assert_eq!(kept("long", &own), (vec![], Some(300)));
        // The same ledger with other entries behind the genesis: the same key, another root.
        let (found, continues) = kept("good", &own);
        assert_eq!(continues, None);
        assert_eq!(
            found,
            [
                "V8! kept checkpoint: expected a log of at least 300 entries, as you kept it; 8 entries: 292 are missing"
            ]
        );
        let (found, continues) = kept("good", b"no checkpoint");
        assert_eq!((found.len(), continues), (1, None));
        assert!(found[0].starts_with("V8! kept checkpoint: expected a checkpoint; "), "{found:?}");
    }

    /// A signature that does not hold was told as the key of another ledger; and of two checkpoints that one key
    /// signed nobody was told that it did.
    // spec: L11
    #[test]
    fn a_damaged_checkpoint_is_told_from_a_strangers_and_a_second_history_from_both() {
        let own = MemoryLog::of("good").0.remove("checkpoint").unwrap();
        let text = String::from_utf8(own).unwrap();
        let (damaged, _) = kept("good", text.replacen("\n8\n", "\n7\n", 1).as_bytes());
        assert!(damaged[0].ends_with(", which does not hold"), "{damaged:?}");
        let since = |name: &str| {
            let logs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/logs");
            std::fs::read(format!("{logs}/{name}.since")).unwrap()
        };
        let name = "kept-one-by-a-stranger";
        let (stranger, _) = kept(name, &since(name));
        assert!(!stranger[0].contains("does not hold"), "{stranger:?}");
        let name = "does-not-continue";
        let (history, _) = kept(name, &since(name));
        let both = "; log keys of this ledger signed both: one log, two histories";
        assert!(history.iter().any(|line| line.ends_with(both)), "{history:?}");
    }

    /// Each log of the vectors that comes with a kept checkpoint, under its anchor.
    // spec: L11
    #[test]
    fn a_verdict_names_the_kept_size_where_nothing_is_wrong_and_only_there() {
        let logs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/logs");
        let cases = std::fs::read_to_string(logs.join("cases.txt")).unwrap();
        let mut tried = 0;
        for case in cases.lines() {
            let [name, exit, _, "anchor", since] = case.split(' ').collect::<Vec<_>>()[..] else {
                continue;
            };
            if since != "-" {
                let (_, continues) = kept(name, &std::fs::read(logs.join(since)).unwrap());
                assert_eq!(continues.is_some(), exit == "0", "{name}");
                tried += 1;
            }
        }
        assert!(tried > 10, "{tried}");
    }
}
