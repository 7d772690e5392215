//! Captures one object: its bytes streamed once, in memory that does not grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use unbroken_container::s3::Failure;
use unbroken_evidence::content::{BLOCK_BYTES_DEFAULT, BlockKey, Digester, Digests};
use unbroken_evidence::length::Ends;
use unbroken_evidence::limits::DOCUMENT_BYTES_MAX;
use unbroken_evidence::time::Time;
use unbroken_ledger::seal::Clock;

use crate::error::ObjectError;
use crate::source::{Attribute, Listed, Source};

/// An object that was read to its end and did not change meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Captured {
    pub(crate) digests: Digests,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) start: Time,
    pub(crate) end: Time,
    /// The bytes, where they were asked for and fit a document.
    pub(crate) bytes: Option<Arc<Vec<u8>>>,
    /// Beginning and end; whoever finds that it is a document lets them go.
    pub(crate) ends: Option<Box<Ends>>,
}

/// How often an object is read whose bytes are not those that its source has a checksum of.
const READINGS: u32 = 3;

/// Reads `listed`; with `keep`, its bytes are kept if they fit a document. It ends early where `stop` is set.
pub(crate) fn capture(
    source: &dyn Source,
    listed: &Listed,
    key: BlockKey,
    clock: &dyn Clock,
    keep: Keep,
    stop: &AtomicBool,
    digester: &mut Digester,
) -> Result<Captured, ObjectError> {
    let mut reading = 1;
    loop {
        match once(source, listed, key, clock, keep, stop, digester) {
            Err(ObjectError::NotGiven(Failure::OtherBytes(_))) if reading < READINGS => {
                reading += 1
            }
            captured => return captured,
        }
    }
}

fn once(
    source: &dyn Source,
    listed: &Listed,
    key: BlockKey,
    clock: &dyn Clock,
    keep: Keep,
    stop: &AtomicBool,
    digester: &mut Digester,
) -> Result<Captured, ObjectError> {
    let start = clock.now();
    let mut reader = source.open(listed)?;
    let mut kept =
        (keep == Keep::Document && listed.size <= DOCUMENT_BYTES_MAX as u64).then(Vec::new);
    let mut ends = Some(Box::<Ends>::default());
    let digests = digester.digest(&[(BLOCK_BYTES_DEFAULT, key)], listed.size, |buffer| {
        // One object may take hours.
        if stop.load(Ordering::Relaxed) {
            return Err(ObjectError::Stopped);
        }
        let count = reader.read(buffer)?;
        let read = buffer.get(..count).unwrap_or_default();
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(read);
        }
        ends.iter_mut().for_each(|ends| ends.take(read));
        Ok(count)
    })?;
    if digests.size != listed.size {
        return Err(ObjectError::Changed);
    }
    let attributes = reader.finish(&digests)?;
    Ok(Captured { digests, attributes, start, end: clock.now(), bytes: kept.map(Arc::new), ends })
}

/// Whether the bytes of an object are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// They are only hashed.
    Nothing,
    /// They may be a JSON document.
    Document,
}
