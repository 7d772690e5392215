//! A tree that is sealed already, under another name: it is asked about, and not sealed once more.

use std::collections::{BTreeMap, BTreeSet};

use unbroken_evidence::content::Digester;
use unbroken_evidence::hash::Hash;
use unbroken_ledger::error::LedgerError;
use unbroken_ledger::ledger::Ledger;
use unbroken_ledger::private::{Lookup, Private};
use unbroken_ledger::random::{SystemRandom, block_key};

use crate::capture::{Keep, capture};
use crate::error::{IngestError, SourceError};
use crate::run::{Context, Options};
use crate::source::{Listed, Next, Source};
use crate::worker::no_randomness;

/// Recordings of a new source that are read for it, and of how many bytes each at the most.
const SAMPLE: usize = 5;
const SAMPLE_BYTES_MAX: u64 = 64 << 20;
/// Objects that are listed for it.
const LISTED_MAX: usize = 1_000;
/// Of fewer than so many nothing is concluded: one recording may lie in two places.
const ENOUGH: usize = 3;

/// Refuses a source of which nothing was sealed, where the first recordings in it are all sealed under one other
/// name. Their keys do not matter: whoever moves a tree moves it to another folder.
pub(crate) fn refuse(
    ledger: &Ledger,
    source: &dyn Source,
    options: &Options,
    context: &Context<'_>,
) -> Result<(), IngestError> {
    let sources = ledger.private().sources()?;
    let is_known = |name: &str| sources.iter().find(|(_, known, _)| known == name);
    let is_new = match is_known(source.name()) {
        Some((number, ..)) => !ledger.private().has_objects_of(*number)?,
        None => true,
    };
    if !is_new || options.copies || options.limit == Some(0) || sources.is_empty() {
        return Ok(());
    }
    let sample = sample(source, options);
    let (mut read, mut under) = (BTreeSet::new(), BTreeMap::<i64, usize>::new());
    for listed in &sample {
        let Some(sha256) = digest(source, listed, context)?.filter(|digest| read.insert(*digest))
        else {
            continue;
        };
        for number in sealed_under(ledger.private(), &sha256)? {
            *under.entry(number).or_default() += 1;
        }
    }
    let of_all = under.into_iter().find(|(_, count)| *count == read.len());
    let Some((number, _)) = of_all.filter(|_| read.len() >= ENOUGH) else { return Ok(()) };
    let (_, known, at) = sources.into_iter().find(|(one, ..)| *one == number).unwrap_or_default();
    let name = source.name().to_owned();
    Err(SourceError::SealedAs { name, read: read.len(), known, at }.into())
}

/// The first recordings of a source. Where it cannot be listed, the run itself says why.
fn sample(source: &dyn Source, options: &Options) -> Vec<Listed> {
    let (mut sample, mut seen) = (Vec::new(), 0);
    let _ = source.list(&mut |listed| {
        seen += 1;
        let key = listed.key.to_ascii_lowercase();
        let is_media = !key.ends_with(b"_metadata.json") && !key.ends_with(b".transcript.json");
        let may_be_read = listed.not_readable.is_none() && listed.size <= SAMPLE_BYTES_MAX;
        if is_media && may_be_read && listed.size > 0 && options.keys.wants(&listed.key) {
            sample.push(listed);
        }
        if sample.len() < SAMPLE && seen < LISTED_MAX { Next::More } else { Next::Stop }
    });
    sample
}

/// The SHA-256 of an object; none where it cannot be read today, which the run itself tells.
fn digest(
    source: &dyn Source,
    listed: &Listed,
    context: &Context<'_>,
) -> Result<Option<Hash>, LedgerError> {
    let key = block_key(&mut SystemRandom::default()).map_err(no_randomness)?;
    let mut digester = Digester::default();
    let Context { clock, stop, .. } = context;
    let captured = capture(source, listed, key, *clock, Keep::Nothing, stop, &mut digester);
    Ok(captured.ok().map(|captured| captured.digests.sha256))
}

/// The numbers of the sources of which a recording with these bytes was sealed.
fn sealed_under(private: &Private, sha256: &Hash) -> Result<BTreeSet<i64>, LedgerError> {
    let mut under = BTreeSet::new();
    for index in private.find(Lookup::Sha256, sha256.to_string().as_bytes())? {
        let state = private.object(index)?.filter(|state| state.sha256 == *sha256);
        under.extend(state.map(|state| state.source));
    }
    Ok(under)
}
