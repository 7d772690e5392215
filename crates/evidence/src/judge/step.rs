//! The numbered steps of spec/verification.md, and the axis that each belongs to.

use crate::verdict::Fault;

/// The questions that a verdict answers one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Axis {
    /// Does the package have its form, and every file in it its place?
    Package,
    /// Do the bytes agree with what the entries say of them?
    Content,
    /// Do the entries stand in the log, and does the log stand under the given key?
    Ledger,
    /// Did keys that were allowed to sign make them?
    Signer,
    /// Since when do they exist, at the latest?
    Time,
    /// Has somebody else seen the same log?
    Witness,
    /// Is everything shown that the exhibit says it shows?
    Scope,
    /// Do the entries about one recording make one history?
    History,
    /// Who held a recording, by entries of custody?
    Custody,
    /// Do the values shown agree with what was committed?
    Disclosure,
}

impl Axis {
    /// All of them, in the order in which a verdict shows them.
    pub const ALL: [Self; 10] = [
        Self::Package,
        Self::Content,
        Self::Ledger,
        Self::Signer,
        Self::Time,
        Self::Witness,
        Self::Scope,
        Self::History,
        Self::Custody,
        Self::Disclosure,
    ];

    /// Whether it says nothing where the ledger is contradicted.
    #[must_use]
    pub const fn rests_on_ledger(self) -> bool {
        !matches!(self, Self::Ledger | Self::Package | Self::Content | Self::Disclosure)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Content => "content",
            Self::Ledger => "ledger",
            Self::Signer => "signer",
            Self::Time => "time",
            Self::Witness => "witness",
            Self::Scope => "scope",
            Self::History => "history",
            Self::Custody => "custody",
            Self::Disclosure => "disclosure",
        }
    }

    /// What the axis asks, as spec/verification.md does.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::Package => "does the package have its form, and every file in it its place?",
            Self::Content => "do the bytes agree with what the entries say of them?",
            Self::Ledger => {
                "do the entries stand in the log, and does the log stand under the given anchor?"
            }
            Self::Signer => "did keys that were allowed to sign make them?",
            Self::Time => "since when do they exist, at the latest?",
            Self::Witness => "has somebody else seen the same log?",
            Self::Scope => "is everything shown that the exhibit says it shows?",
            Self::History => "do the entries about one recording make one history?",
            Self::Custody => "who held a recording, by entries of custody?",
            Self::Disclosure => "do the values shown agree with what was committed?",
        }
    }
}

macro_rules! steps {
    ($($name:ident $id:literal $axis:ident $title:literal,)*) => {
        /// One step of the verification.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Step {
            $(#[doc = $title] $name,)*
        }

        impl Step {
            /// All steps, in their order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its number in spec/verification.md.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// The axis that it belongs to.
            #[must_use]
            pub const fn axis(self) -> Axis {
                match self { $(Self::$name => Axis::$axis,)* }
            }

            /// What a contradiction found there speaks of, unless the step says otherwise.
            #[must_use]
            pub const fn fault(self) -> Fault {
                match self {
                    Self::Names | Self::ManifestForm | Self::TagFiles => Fault::Package,
                    Self::LedgerId => Fault::Anchor,
                    _ => Fault::Evidence,
                }
            }

            /// What it checks.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

steps! {
    Names "V1" Package "file names keep to the rules, and every file has its place",
    ManifestForm "V2" Package "the manifest has its form",
    Payload "V3" Content "every payload file is in the manifest and has its SHA-256; openings: V25",
    Recording "V4" Content "recordings have the SHA-256, BLAKE3 and size of their entries",
    Blocks "V5" Content "recordings have the block roots of their entries",
    Companion "V6" Content "companions have the SHA-256 of their entries",
    TagFiles "V7" Package "the bag's own files have their form and their SHA-256",
    Checkpoint "V8" Ledger "the checkpoint has its form and the signature of each key that was given",
    LedgerId "V9" Ledger "the ledger id is the given one",
    Inclusion "V10" Ledger "every entry stands in the log at its index",
    Control "V11" Ledger "the control entries make one chain from entry 0",
    LogKey "V12" Ledger "the key of the checkpoint was a log key of this ledger at that size",
    NoteForm "V13" Signer "entries have their form and name this log",
    Signature "V14" Signer "entries have the signature of their key",
    Standing "V15" Signer "keys were allowed to sign what they signed, where they signed it",
    Chain "V16" Signer "the entries of each key follow each other",
    Time "V17" Time "timestamps by authorities that the verifier trusts",
    Witness "V18" Witness "cosignatures by witnesses that the verifier trusts",
    Produced "V19" Scope "one signed statement closes the exhibit and states the digests of its lists",
    Items "V20" Scope "the history of each recording is shown as that statement lists it",
    Named "V21" Scope "entries that other entries name are shown and understood",
    References "V22" History "references agree with the entries that they name",
    Succession "V23" History "exactly one entry about each recording is current",
    CustodyEvents "V24" Custody "custody entries",
    OpeningForm "V25" Disclosure "values shown are in the manifest, and have their form and order",
    OpeningRoot "V26" Disclosure "values shown agree with the commitments of their entries",
    ClearValues "V27" Disclosure "values shown agree with what stands in the clear",
    Sidecar "V28" Disclosure "values taken from a metadata file agree with that file",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_numbered_without_a_gap_and_have_titles() {
        for (number, step) in (1..).zip(Step::ALL) {
            assert_eq!(step.id(), format!("V{number}"));
            assert!(!step.title().is_empty() && !step.axis().question().is_empty());
        }
        assert!(Axis::ALL.iter().all(|axis| Step::ALL.iter().any(|step| step.axis() == *axis)));
        assert!(Axis::ALL.is_sorted() && Step::ALL.is_sorted());
    }

    // spec: A7
    #[test]
    fn only_what_stands_around_the_evidence_speaks_of_the_package() {
        let of = |fault| Step::ALL.iter().filter(move |step| step.fault() == fault);
        let package: Vec<&str> = of(Fault::Package).map(|step| step.id()).collect();
        let anchor: Vec<&str> = of(Fault::Anchor).map(|step| step.id()).collect();
        assert_eq!((package, anchor), (vec!["V1", "V2", "V7"], vec!["V9"]));
    }
}
