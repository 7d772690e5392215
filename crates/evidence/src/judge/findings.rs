//! Findings as they come in. A verdict starts from nothing: a step that nobody carried out is NOT
//! CHECKED, and only carrying it out moves it.

use std::collections::BTreeMap;

use crate::error::{FormError, printable};
use crate::step::{Axis, Step};
use crate::verdict::{Fault, Finding, Outcome, Tally};

/// Findings of one step and outcome that are kept in full; more are counted.
const KEPT: usize = 100;

/// The findings of a verification; one owner, passed along.
#[derive(Debug)]
pub(crate) struct Findings {
    /// The steps that this verification consists of.
    pub(crate) steps: &'static [Step],
    pub(crate) tally: BTreeMap<Step, Tally>,
    pub(crate) kept: Vec<Finding>,
    counts: BTreeMap<(Step, Outcome), usize>,
    pub(crate) unsupported: Vec<String>,
    pub(crate) unsupported_count: u64,
    pub(crate) notes: BTreeMap<Axis, Vec<String>>,
    /// Something belongs to what is verified and was not there to be read.
    pub(crate) something_unread: bool,
    pub(crate) faults: Faults,
}

/// How many contradictions of each sort there are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) package: u64,
    pub(crate) anchor: u64,
    pub(crate) evidence: u64,
}

impl Findings {
    /// Nothing was done yet.
    pub(crate) fn new(steps: &'static [Step]) -> Self {
        Self {
            steps,
            tally: BTreeMap::new(),
            kept: Vec::new(),
            counts: BTreeMap::new(),
            unsupported: Vec::new(),
            unsupported_count: 0,
            notes: BTreeMap::new(),
            something_unread: false,
            faults: Faults::default(),
        }
    }

    /// The step was carried out to its end, whatever it found.
    pub(crate) fn ran(&mut self, steps: &[Step]) {
        for step in steps {
            self.tally.entry(*step).or_default().ran = true;
        }
    }

    /// A check at `step` held.
    pub(crate) fn held(&mut self, step: Step) {
        self.tally.entry(step).or_default().held += 1;
    }

    /// A check held, or `item` contradicts: `expected` had to be there, `found` was.
    pub(crate) fn check(
        &mut self,
        holds: bool,
        step: Step,
        item: &str,
        expected: &str,
        found: &str,
    ) {
        if holds { self.held(step) } else { self.contradicted(step, item, expected, found) }
    }

    /// `item` contradicts; whose fault that is follows from the step.
    pub(crate) fn contradicted(&mut self, step: Step, item: &str, expected: &str, found: &str) {
        self.blamed(step.fault(), step, item, expected, found);
    }

    /// `item` contradicts, and `fault` says what that speaks of.
    pub(crate) fn blamed(
        &mut self,
        fault: Fault,
        step: Step,
        item: &str,
        expected: &str,
        found: &str,
    ) {
        self.count(fault, step);
        self.keep(step, Outcome::Contradicted, Some(fault), item, expected, found);
    }

    /// Nothing can be said of `item`.
    pub(crate) fn not_established(&mut self, step: Step, item: &str, why: &str) {
        self.tally.entry(step).or_default().not_established += 1;
        self.keep(step, Outcome::NotEstablished, None, item, "", why);
    }

    /// `item` belongs to what is verified, but was not there to be read.
    pub(crate) fn not_read(&mut self, step: Step, item: &str, why: &str) {
        self.something_unread = true;
        self.not_supplied(step, item, why);
    }

    /// Nobody supplied `item`, and nothing asks for it.
    pub(crate) fn not_supplied(&mut self, step: Step, item: &str, why: &str) {
        self.tally.entry(step).or_default().not_checked += 1;
        self.keep(step, Outcome::NotChecked, None, item, "", why);
    }

    /// `item` could not be read as what it claims to be: a contradiction, or unsupported.
    pub(crate) fn form(&mut self, step: Step, item: &str, error: &FormError) {
        match error {
            FormError::Malformed { item: part, expected, found } => {
                self.count(step.fault(), step);
                let item = format!("{} ({part})", printable(item));
                let (expected, found) = (expected.clone(), found.clone());
                let fault = Some(step.fault());
                let outcome = Outcome::Contradicted;
                self.push(Finding { step, outcome, fault, item, expected, found });
            }
            FormError::Unsupported { .. } => self.unsupported(step, item, error),
        }
    }

    /// `item` is well formed, but this version does not know its form.
    fn unsupported(&mut self, step: Step, item: &str, error: &FormError) {
        self.unsupported_count += 1;
        let item = printable(item);
        if self.unsupported.len() < KEPT {
            self.unsupported.push(format!("{item}: {error}"));
        }
        self.tally.entry(step).or_default().not_established += 1;
        let found = format!("unsupported: {error}");
        let (outcome, expected) = (Outcome::NotEstablished, String::new());
        self.push(Finding { step, outcome, fault: None, item, expected, found });
    }

    /// A sentence that belongs beside the outcome of `axis`.
    pub(crate) fn note(&mut self, axis: Axis, sentence: String) {
        let notes = self.notes.entry(axis).or_default();
        if !notes.contains(&sentence) {
            notes.push(sentence);
        }
    }

    /// How many contradictions were found at `step` so far.
    pub(crate) fn contradictions(&self, step: Step) -> u64 {
        self.tally.get(&step).map_or(0, |tally| tally.contradicted)
    }

    /// Whether a step of `axis` has contradicted so far.
    pub(crate) fn contradicts(&self, axis: Axis) -> bool {
        self.tally.iter().any(|(step, tally)| step.axis() == axis && tally.contradicted > 0)
    }

    fn count(&mut self, fault: Fault, step: Step) {
        self.tally.entry(step).or_default().contradicted += 1;
        match fault {
            Fault::Package => self.faults.package += 1,
            Fault::Anchor => self.faults.anchor += 1,
            Fault::Evidence => self.faults.evidence += 1,
        }
    }

    fn keep(
        &mut self,
        step: Step,
        outcome: Outcome,
        fault: Option<Fault>,
        item: &str,
        expected: &str,
        found: &str,
    ) {
        let (item, expected, found) = (printable(item), printable(expected), printable(found));
        self.push(Finding { step, outcome, fault, item, expected, found });
    }

    fn push(&mut self, finding: Finding) {
        debug_assert!(self.steps.contains(&finding.step), "{:?} is no step here", finding.step);
        let count = self.counts.entry((finding.step, finding.outcome)).or_default();
        *count += 1;
        if *count <= KEPT {
            self.kept.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Conclusion, Verdict};

    const STEPS: &[Step] = &[Step::Checkpoint, Step::Inclusion, Step::NoteForm];

    #[test]
    fn a_verdict_over_nothing_done_establishes_nothing() {
        let verdict = Verdict::of(Findings::new(STEPS));
        assert!(Axis::ALL.iter().all(|axis| verdict.outcome(*axis) == Outcome::NotChecked));
        assert_eq!(verdict.conclusion(), Conclusion::Incomplete);
        let mut findings = Findings::new(STEPS);
        findings.held(Step::Checkpoint);
        findings.ran(&[Step::Checkpoint]);
        let verdict = Verdict::of(findings);
        assert_eq!(verdict.outcome(Axis::Ledger), Outcome::NotChecked, "V10 was not carried out");
        let mut findings = Findings::new(STEPS);
        findings.ran(STEPS);
        let verdict = Verdict::of(findings);
        assert_eq!(verdict.outcome(Axis::Ledger), Outcome::Established);
        assert_eq!(
            verdict.outcome(Axis::Content),
            Outcome::NotChecked,
            "no step of it belongs here"
        );
        assert_eq!(verdict.conclusion(), Conclusion::Agrees);
    }

    #[test]
    fn each_sort_of_finding_is_counted_for_its_step_and_moves_its_axis() {
        let mut findings = Findings::new(STEPS);
        findings.ran(STEPS);
        findings.check(true, Step::Inclusion, "a", "b", "c");
        findings.held(Step::Inclusion);
        findings.not_supplied(Step::NoteForm, "a", "nobody did");
        findings.not_supplied(Step::NoteForm, "a", "nobody did");
        assert!(!findings.something_unread);
        assert!(!Axis::ALL.iter().any(|axis| findings.contradicts(*axis)));
        findings.not_established(Step::NoteForm, "a", "why");
        findings.not_read(Step::NoteForm, "a", "why");
        findings.check(false, Step::Checkpoint, "a", "b", "c");
        assert!(findings.something_unread && findings.contradicts(Axis::Ledger));
        assert!(!findings.contradicts(Axis::Signer), "what was not checked contradicts nothing");
        let counted = |tally: Tally| {
            (tally.held, tally.contradicted, tally.not_established, tally.not_checked)
        };
        let verdict = Verdict::of(findings);
        assert_eq!(counted(verdict.tally(Step::Inclusion)), (2, 0, 0, 0));
        assert_eq!(counted(verdict.tally(Step::Checkpoint)), (0, 1, 0, 0));
        assert_eq!(counted(verdict.tally(Step::NoteForm)), (0, 0, 1, 3));
    }

    #[test]
    fn what_is_not_understood_is_counted_and_the_first_hundred_are_named() {
        let mut findings = Findings::new(STEPS);
        findings.ran(STEPS);
        for number in 0..KEPT + 7 {
            let error = FormError::unsupported("medium", "hologram");
            findings.form(Step::NoteForm, &format!("entry {number}"), &error);
        }
        assert_eq!((findings.unsupported.len(), findings.unsupported_count), (KEPT, 107));
        assert!(
            findings
                .unsupported
                .iter()
                .zip(0..)
                .all(|(text, n): (&String, usize)| { text.starts_with(&format!("entry {n}: ")) })
        );
        let verdict = Verdict::of(findings);
        assert_eq!(verdict.tally(Step::NoteForm).not_established, 107);
        assert_eq!(verdict.conclusion(), Conclusion::Unsupported);
    }

    #[test]
    fn a_note_stands_once_beside_its_axis() {
        let mut findings = Findings::new(STEPS);
        for sentence in ["one", "two", "one"] {
            findings.note(Axis::Ledger, sentence.to_owned());
        }
        let verdict = Verdict::of(findings);
        let ledger = verdict.axes().iter().find(|axis| axis.axis == Axis::Ledger);
        assert_eq!(ledger.map(|axis| axis.notes.clone()), Some(vec!["one".into(), "two".into()]));
    }

    #[test]
    fn everything_that_is_kept_is_safe_to_print_and_counts_are_never_capped() {
        let mut findings = Findings::new(STEPS);
        for _ in 0..1_000 {
            findings.contradicted(Step::NoteForm, "\u{1b}[31m", "\u{202e}", &"x".repeat(5_000));
        }
        findings.form(Step::NoteForm, "\u{7}", &FormError::malformed("\u{7}", "\u{7}", "\u{7}"));
        assert!(findings.kept.len() <= KEPT);
        let verdict = Verdict::of(findings);
        assert_eq!(verdict.tally(Step::NoteForm).contradicted, 1_001);
        for finding in verdict.findings() {
            for text in [&finding.item, &finding.expected, &finding.found] {
                assert!(text.len() < 300 && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
            }
        }
    }
}
