//! Puts what somebody must be told of into the outbox.

use std::sync::atomic::Ordering;

use unbroken_evidence::error::{chain, escaped};
use unbroken_evidence::time::Time;
use unbroken_ledger::ledger::private_path;
use unbroken_ledger::private::Private;
use unbroken_ledger::reader::LogReader;

use crate::config::{Reason, SourceConfig};
use crate::news::{Alert, Found, news};
use crate::service::Service;

/// What no entry of the ledger says is told so often, and no more.
const TOLD_AGAIN_MS: u64 = 86_400_000;

impl Service<'_> {
    /// Something that no entry of the ledger says: it is told when it begins, and once a day. One trouble does not
    /// hide another of the same source.
    pub(crate) fn failed(&mut self, reason: Reason, config: &SourceConfig, why: &str, now: u64) {
        tracing::error!(source = %escaped(&config.location), "{}", escaped(why));
        self.board.set(|facts| {
            let source = facts.sources.entry(config.location.clone()).or_default();
            (source.passes, source.failed) = (source.passes + 1, source.failed + 1);
            if reason == Reason::Refused {
                facts.refused = Some(escaped(why));
            }
        });
        // A ledger that is refused is one trouble, whichever source was to be looked at.
        let of = if reason == Reason::Refused { "" } else { &config.location };
        let case = (of.to_owned(), reason);
        let last = self.told.get(&case);
        if last.is_some_and(|last| now.saturating_sub(*last) < TOLD_AGAIN_MS) {
            return;
        }
        let alert = Alert {
            id: format!("{now}/{}/{}", escaped(&config.location), reason.name()),
            number: now,
            pass: None,
            reason,
            source: config.location.clone(),
            at: Time::from_unix_ms(now).to_string(),
            found: Found { count: 1, first: vec![(None, escaped(&config.location), escaped(why))] },
        };
        match self.put(&[alert]) {
            Ok(()) => drop(self.told.insert(case, now)),
            Err(error) => tracing::error!("an alert cannot be kept: {error}"),
        }
    }

    pub(crate) fn put(&self, alerts: &[Alert]) -> std::io::Result<()> {
        for alert in alerts {
            let wants = |on: &[Reason]| on.is_empty() || on.contains(&alert.reason);
            for channel in self.config.alerts.iter().filter(|channel| wants(&channel.on)) {
                self.outbox.put(alert, &channel.channel.name())?;
            }
        }
        Ok(())
    }

    /// Puts what was sealed since the last time into the outbox: by this service, or by hand.
    pub(crate) fn tell(&mut self) {
        let now = self.now();
        self.board.set(|facts| facts.running = Some(now));
        if let Err(why) = self.look_for_news() {
            tracing::error!("what is new cannot be told: {}", escaped(&why));
        }
        self.board.set(|facts| facts.running = None);
    }

    fn look_for_news(&mut self) -> Result<(), String> {
        let told = self.outbox.told().map_err(|error| error.to_string())?;
        let mut reader = LogReader::open(&self.config.ledger).map_err(|error| chain(&error))?;
        let size = reader.checkpoint().size;
        let from = told.unwrap_or(size);
        if from >= size {
            return Ok(());
        }
        let private = private_path(&self.config.ledger);
        let private = Private::open_to_read(&private).map_err(|error| chain(&error))?;
        let ledger_id = reader.leaf(0).map_err(|error| chain(&error))?.to_string();
        // What stands behind the last pass waits for the next: its run was killed, or is under way elsewhere.
        let mut behind = from;
        for index in from..size {
            let (range, stop) = ((behind, index), &self.signals.stop);
            let found = news(&mut reader, &private, range, stop).map_err(|error| chain(&error))?;
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let Some(found) = found else { continue };
            self.put(&found.alerts(&ledger_id)).map_err(|error| error.to_string())?;
            behind = index + 1;
            self.outbox.tell(behind).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// What ended is told of again when it begins once more: the ledger was opened, and this source looked at.
    pub(crate) fn reached(&mut self, location: &str) {
        self.told.retain(|(of, reason), _| of != location && *reason != Reason::Refused);
    }
}
