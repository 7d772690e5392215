//! Alerts that wait to be delivered: a folder beside the ledger's own files, one file for each alert and channel.
//!
//! A file is there before the mark moves on, and goes only when its channel took it: whoever is killed in between
//! tells it once more, under the same id.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use unbroken_ledger::durable::{create_folder, sync_folder, write_file};

use crate::news::Alert;

/// The folder of waiting alerts; held by one service at a time.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    folder: PathBuf,
    _lock: Arc<File>,
}

/// The mark: the index behind the last entry that was looked at for news.
const TOLD: &str = "told";
const LOCK: &str = "lock";

/// An alert that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) path: PathBuf,
    /// What it is about.
    pub(crate) reason: String,
    /// The name of the channel that it is for.
    pub(crate) channel: String,
}

impl Outbox {
    /// The outbox of a ledger; made where there is none.
    ///
    /// # Errors
    /// Those of the system; `ResourceBusy` where another service has it.
    pub(crate) fn open(ledger: &Path) -> io::Result<Self> {
        let folder = ledger.join("outbox");
        create_folder(&folder)?;
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder, _lock: Arc::new(lock) }),
            Err(TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another service runs on this ledger",
            )),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The index from which on nobody was told; `None` where nobody ever looked.
    ///
    /// # Errors
    /// Those of the system, and of a mark that is none.
    pub(crate) fn told(&self) -> io::Result<Option<u64>> {
        match fs::read_to_string(self.folder.join(TOLD)) {
            Ok(text) => text.trim().parse().map(Some).map_err(|_| {
                let what = format!("{}: no number", self.folder.join(TOLD).display());
                io::Error::new(io::ErrorKind::InvalidData, what)
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything below `index` was looked at.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn tell(&self, index: u64) -> io::Result<()> {
        write_file(&self.folder.join(TOLD), format!("{index}\n").as_bytes(), 0o600)
    }

    /// Puts an alert in for a channel; a second time it is the same file.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn put(&self, alert: &Alert, channel: &str) -> io::Result<()> {
        // Somebody may have tidied the folder away since.
        create_folder(&self.folder)?;
        let name = format!("{:020}_{}_{channel}.json", alert.number, alert.reason.name());
        write_file(&self.folder.join(name), format!("{:#}\n", alert.document()).as_bytes(), 0o600)
    }

    /// What waits, the oldest first, by names alone. What is no alert is left where it is.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn waiting(&self) -> io::Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let parts: Vec<&str> =
                name.strip_suffix(".json").unwrap_or_default().split('_').collect();
            let [_, reason, channel] = parts.as_slice() else { continue };
            let (reason, channel) = ((*reason).to_owned(), (*channel).to_owned());
            waiting.push(Waiting { path, reason, channel });
        }
        waiting.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(waiting)
    }

    /// What an alert says; `None` where it is none, which is said once and set aside.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn read(&self, waiting: &Waiting) -> io::Result<Option<Value>> {
        let text = fs::read(&waiting.path)?;
        if let Ok(document) = serde_json::from_slice(&text) {
            return Ok(Some(document));
        }
        tracing::error!(
            "an alert in the outbox is damaged, and is set aside: {}",
            waiting.path.display()
        );
        fs::rename(&waiting.path, waiting.path.with_extension("damaged"))?;
        Ok(None)
    }

    /// It is for these channels now, and for its own no more.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn readdress(&self, waiting: &Waiting, channels: &[String]) -> io::Result<()> {
        let name = waiting.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((before, _)) = name.rsplit_once('_') else { return Ok(()) };
        let text = fs::read(&waiting.path)?;
        for channel in channels {
            write_file(&self.folder.join(format!("{before}_{channel}.json")), &text, 0o600)?;
        }
        self.delivered(waiting)
    }

    /// It was delivered.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn delivered(&self, waiting: &Waiting) -> io::Result<()> {
        match fs::remove_file(&waiting.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => sync_folder(&self.folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Reason;
    use crate::news::Found;

    fn alert(number: u64) -> Alert {
        Alert {
            id: format!("id/{number}/deleted"),
            number,
            pass: Some(number),
            reason: Reason::Deleted,
            source: "s3://exports".to_owned(),
            at: String::new(),
            found: Found { count: 2, first: vec![(Some(3), "k".to_owned(), "gone".to_owned())] },
        }
    }

    #[test]
    fn what_was_put_waits_until_it_is_delivered() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(folder.path()).unwrap();
        assert_eq!(outbox.told().unwrap(), None);
        for number in [12, 9, 12] {
            outbox.put(&alert(number), "b").unwrap();
        }
        outbox.put(&alert(12), "a").unwrap();
        outbox.tell(13).unwrap();
        assert_eq!(Outbox::open(folder.path()).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        drop(outbox);
        let again = Outbox::open(folder.path()).unwrap();
        assert_eq!(again.told().unwrap(), Some(13));
        let waiting = again.waiting().unwrap();
        let document = |waiting| again.read(waiting).unwrap().unwrap();
        let said: Vec<(u64, &str, &str)> = waiting
            .iter()
            .map(|one| (document(one)["pass"].as_u64().unwrap(), &*one.channel, &*one.reason))
            .collect();
        let deleted = "deleted";
        let expected = [(9, "b", deleted), (12, "a", deleted), (12, "b", deleted)];
        assert_eq!(said, expected, "once for each channel, the oldest first");
        let sentence = "s3://exports: 2 sealed objects are not there any more";
        assert_eq!(document(&waiting[0])["sentence"], sentence);
        again.delivered(&waiting[0]).unwrap();
        again.delivered(&waiting[0]).unwrap();
        assert_eq!(again.waiting().unwrap().len(), 2);
        // A receiver whose address was mended gets what waited for the other.
        again.readdress(&waiting[1], &["b".to_owned(), "c".to_owned()]).unwrap();
        let channels: Vec<String> =
            again.waiting().unwrap().into_iter().map(|one| one.channel).collect();
        assert_eq!(channels, ["b", "c"]);
        fs::write(folder.path().join("outbox/00000000000000000001_x_b.json"), "{").unwrap();
        let damaged = again.waiting().unwrap().remove(0);
        assert_eq!((again.read(&damaged).unwrap(), again.waiting().unwrap().len()), (None, 2));
        fs::write(folder.path().join("outbox/told"), "x").unwrap();
        assert!(again.told().is_err());
    }
}
