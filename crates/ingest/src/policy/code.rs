//! What a policy finds: a stable code, a sentence, and what mends it.

use std::fmt;

macro_rules! codes {
    ($($name:ident $code:literal $mend:literal,)*) => {
        /// What was found, as programs know it; docs/policy.md lists them. A code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $mend] $name,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What mends it, in one sentence.
            #[must_use]
            pub const fn mend(self) -> &'static str {
                match self { $(Self::$name => $mend,)* }
            }
        }
    };
}

codes! {
    CompanionMissing "companion-missing" "export the recording again, or bring the file from whoever has it; it is sealed when it comes",
    CompanionAwaited "companion-awaited" "nothing yet: a run behind that time seals whether it came",
    CompanionUnreadable "companion-unreadable" "look at the file: it is broken, too long or not plain UTF-8; export it again",
    TooManyValues "too-many-values" "nothing is lost: the file itself is sealed, but its values cannot be shown one by one",
    FieldMissing "field-missing" "set it where it should come from, and put the object there again",
    FieldEmpty "field-empty" "whatever writes it writes nothing into it: mend that, and put the object there again",
    FieldType "field-type" "whatever writes it writes it in another form: mend that, or change the policy",
    FieldValue "field-value" "the value is none that the policy allows: mend it where it comes from, or change the policy",
    NotReadable "not-readable" "give the collector the permission that is named, which `unbroken doctor` explains, or the document in a form that can be read",
    BlankName "blank-name" "look at the file: a name was lost when it was written or converted",
    NoBytes "no-bytes" "export the recording again",
    OtherRecording "other-recording" "find out which of the two it is: one file lies under the other's name",
    OtherConversation "other-conversation" "find out which of the two it is: the file lies in the other's folder",
    TwoConversations "two-conversations" "find out which of the two it is: a recording belongs to one conversation",
    TimeUnreadable "time-unreadable" "whatever writes the time writes it in another form: mend that",
    EndsBeforeItStarts "ends-before-it-starts" "ask whoever runs the recorder: its clock ran backwards, or the times are another recording's",
    InTheFuture "in-the-future" "look at the clocks of the recorder and of this machine",
    OtherLength "other-length" "listen to it: a part may be missing; export it again",
    TooSmall "too-small" "listen to it: there may be no sound in it; export it again",
    NoSound "no-sound" "it has a header and nothing behind it: export it again",
    Truncated "truncated" "its end is missing: export it again",
    WithoutEnd "without-end" "its last page does not say that it is the last: a part may be missing; export it again",
    Encrypted "encrypted" "it is sealed as the ciphertext it is: keep the private key, without which nobody can hear it",
    UnknownForm "unknown-form" "look at the file: its first bytes are of no form that is known here",
}

/// Something that is missing, invalid or at odds: the recording does not meet its policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// In a sentence.
    pub sentence: String,
}

impl Finding {
    pub(crate) fn new(code: Code, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }

    /// A finding as it was sealed; `None` where its code is not known here.
    #[must_use]
    pub fn parse(sealed: &str) -> Option<Self> {
        let (sentence, code) = sealed.strip_suffix(']')?.rsplit_once(" [")?;
        let code = Code::ALL.iter().copied().find(|known| known.name() == code)?;
        Some(Self::new(code, sentence))
    }
}

/// As it is sealed (spec/fields.md, `finding`).
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.sentence, self.code.name())
    }
}

/// Why a value is not there, and that is no fault of this recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// The platform's export never carries it.
    NotOffered,
    /// The source that has it is not configured.
    NotChecked,
}

impl Sort {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotOffered => "not-offered",
            Self::NotChecked => "not-checked",
        }
    }
}

/// What a policy asks for and nobody here can give: said once a run, and no recording is incomplete for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// Why it is not there.
    pub sort: Sort,
    /// In a sentence.
    pub sentence: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_words_and_findings_come_back_from_what_was_sealed() {
        for code in Code::ALL {
            let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(code.name().bytes().all(is_word) && !code.mend().ends_with('.'));
            let finding = Finding::new(*code, "a [sentence]");
            assert_eq!(Finding::parse(&finding.to_string()), Some(finding));
        }
        assert_eq!(Finding::parse("the sidecar is missing"), None);
        assert_eq!(Finding::parse("a sentence [of-another-version]"), None);
    }
}
