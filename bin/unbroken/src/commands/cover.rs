//! The cover folder: the sealed .zip, and beside it what people read. Nothing in it but the .zip is
//! evidence; the schedule is written from what the verifier found.

use std::fs;
use std::path::{Path, PathBuf};

use unbroken_container::open::Exhibit;
use unbroken_container::render::{cell, headline, schedule};
use unbroken_evidence::exhibit::verify_exhibit;
use unbroken_evidence::hash::Hash;
use unbroken_evidence::trust::Trust;
use unbroken_exhibit::produce::{Made, Withhold};

use crate::failure::{Failure, INTERNAL};
use crate::world;

const ZIP: &str = "exhibit.zip";

/// Makes the folder; gives the place of the .zip in it.
pub(crate) fn begin(folder: &Path) -> Result<PathBuf, Failure> {
    fs::create_dir(folder).map_err(|error| failed(folder, &error))?;
    Ok(folder.join(ZIP))
}

/// Takes the folder away again, if nothing is in it: there is no exhibit.
pub(crate) fn abandon(folder: &Path) {
    let _ = fs::remove_dir(folder);
}

/// Writes what people read, once the .zip is there and verifies.
pub(crate) fn write(
    folder: &Path,
    ledger_id: &Hash,
    made: &Made,
    (asked, reason): (&[Withhold], &str),
) -> Result<(), Failure> {
    let zip = folder.join(ZIP);
    let broken =
        |why: String| Failure::new(INTERNAL, why, "do not hand it over; please report this");
    let mut exhibit = Exhibit::open(&zip).map_err(|error| broken(error.to_string()))?;
    let trust = Trust { keys: Vec::new(), ledger_ids: vec![*ledger_id] };
    let verdict = verify_exhibit(&mut exhibit, &trust, world::threads())
        .map_err(|stop| broken(stop.to_string()))?;
    if verdict.blame().is_some() {
        return Err(broken(headline(&verdict)));
    }
    let sha256 = made.sha256.map(|sha256| sha256.to_string()).unwrap_or_default();
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| failed(&path, &error))
    };
    put("schedule.csv", &schedule(&verdict))?;
    if !made.redactions.is_empty() {
        put("redaction-log.csv", &redactions(made, asked, reason))?;
    }
    put("README-FIRST.txt", &read_first(&sha256, ledger_id, &headline(&verdict)))
}

/// Each value that is withheld, and why: it was asked for, or it would give away one that was.
fn redactions(made: &Made, asked: &[Withhold], reason: &str) -> String {
    let follows = "it would give away a value that is withheld";
    let mut text = String::from("entry,source,pointer,reason\r\n");
    for redaction in &made.redactions {
        let (source, pointer) = (cell(&redaction.what.source), cell(&redaction.what.pointer));
        let why = if asked.contains(&redaction.what) { reason } else { follows };
        text.push_str(&format!("{},{source},{pointer},{}\r\n", redaction.index, cell(why)));
    }
    text
}

fn read_first(sha256: &str, ledger_id: &Hash, headline: &str) -> String {
    format!(
        "{ZIP} is the evidence. Everything beside it is here to be read, and proves nothing.\n\
         \n\
         SHA-256 of {ZIP}:\n{sha256}\n\
         \n\
         What the verifier said of it before it was handed over:\n{headline}\n\
         \n\
         schedule.csv         each recording entry, and what the verifier found of it\n\
         redaction-log.csv    each value that was withheld, with its name and why (if any was)\n\
         \n\
         To verify it: hold the ledger id below against the one that reached you by another way, on paper\n\
         or in the certification; then run, offline, on a machine of yours\n\
         \n\
         unbroken-verify exhibit --trust {ledger_id} {ZIP}\n\
         \n\
         Keep {ZIP} byte for byte: do not unpack it and pack it again. Its format is BagIt (RFC 8493), C2SP\n\
         signed notes and RFC 6962 trees; anybody can write another verifier from the published specification.\n"
    )
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let hint = "choose a folder that does not exist yet, and check that you may write there";
    Failure::usage(format!("{}: {error}", path.display()), hint)
}
