//! Alerts that wait to be delivered: a folder beside the ledger's own files, one file for each alert and channel.
//!
//! A file is there before the mark moves on, and goes only when its channel took it: whoever is killed in between
//! tells it once more, under the same id.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use unbroken_ledger::durable::{create_folder, sync_folder, write_file};

use crate::news::Alert;

/// The folder of waiting alerts.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    folder: PathBuf,
}

/// The mark: the index behind the last entry that was looked at for news.
const TOLD: &str = "told";

/// An alert that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    path: PathBuf,
    /// The name of the channel that it is for.
    pub(crate) channel: String,
    /// What it says.
    pub(crate) document: Value,
}

impl Outbox {
    /// The outbox of a ledger; made where there is none.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn open(ledger: &Path) -> io::Result<Self> {
        let folder = ledger.join("outbox");
        create_folder(&folder)?;
        Ok(Self { folder })
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
        let name = format!("{:020}-{}-{channel}.json", alert.number, alert.reason.name());
        write_file(&self.folder.join(name), format!("{:#}\n", alert.document()).as_bytes(), 0o600)
    }

    /// What waits, the oldest first. What is no alert is left where it is.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn waiting(&self) -> io::Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let channel = name.strip_suffix(".json").and_then(|name| name.rsplit_once('-'));
            let Some((_, channel)) = channel else { continue };
            let channel = channel.to_owned();
            let document = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
            waiting.extend(document.map(|document| Waiting { path, channel, document }));
        }
        waiting.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(waiting)
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
            reason: Reason::Deleted,
            source: "s3://exports".to_owned(),
            at: String::new(),
            found: Found { count: 2, first: vec![(3, "k".to_owned(), "gone".to_owned())] },
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
        let again = Outbox::open(folder.path()).unwrap();
        assert_eq!(again.told().unwrap(), Some(13));
        let waiting = again.waiting().unwrap();
        let said: Vec<(u64, &str)> = waiting
            .iter()
            .map(|waiting| (waiting.document["pass"].as_u64().unwrap(), waiting.channel.as_str()))
            .collect();
        assert_eq!(
            said,
            [(9, "b"), (12, "a"), (12, "b")],
            "once for each channel, the oldest first"
        );
        assert_eq!(
            waiting[0].document["sentence"],
            "s3://exports: 2 sealed objects are not there any more"
        );
        again.delivered(&waiting[0]).unwrap();
        again.delivered(&waiting[0]).unwrap();
        assert_eq!(again.waiting().unwrap().len(), 2);
        fs::write(folder.path().join("outbox/told"), "x").unwrap();
        assert!(again.told().is_err());
    }
}
