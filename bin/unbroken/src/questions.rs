//! Questions about what is sealed, as they are typed.

use unbroken_container::render::counted;
use unbroken_ingest::query::{Answer, Query};

use crate::arguments::{Output, Question};
use crate::failure::Failure;
use crate::output;

/// What was asked, if anything was.
pub(crate) fn read(question: &Question) -> Result<Option<Query>, Failure> {
    let hint = "docs/finding.md has the names and examples";
    let wanted = question.wanted.as_deref().map(Query::parse).transpose();
    let wanted = wanted.map_err(|why| Failure::usage(format!("--where: {why}"), hint))?;
    let period = Query::period(question.from.as_deref(), question.to.as_deref());
    let period = period.map_err(|why| Failure::usage(format!("--from, --to: {why}"), hint))?;
    Ok(match (wanted, period) {
        (Some(wanted), Some(period)) => Some(wanted.and(period)),
        (wanted, period) => wanted.or(period),
    })
}

/// How much was asked, and how much of it answers: on stderr, for stdout has the answer.
pub(crate) fn say(answer: &Answer, out: &Output) {
    if !out.quiet && !out.json {
        let found = answer.indices.len();
        let of = counted(answer.recordings, "recording");
        output::say(&format!("{found} of {of} answer, each by its newest entry"));
    }
    if answer.without_start > 0 {
        let without = counted(answer.without_start, "recording");
        output::warning(
            out,
            &format!("of {without} no start is known: they answer no question about when it began"),
        );
    }
    if answer.unknown > 0 {
        let unknown = counted(answer.unknown, "recording");
        output::warning(
            out,
            &format!("{unknown} could not be asked: the opening is lost or erased"),
        );
    }
}
