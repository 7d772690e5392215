//! Appends numbered entries and prints each group's size once it is acknowledged; or checks that
//! a ledger holds what was printed. For the kill and power-cut tests.
//!
//! `appender write LEDGER BATCH PAUSE` until it is stopped, with PAUSE milliseconds after each group;
//! `appender check LEDGER FILE`.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use unbroken_evidence::body::Body;
use unbroken_evidence::field::Value;
use unbroken_evidence::kind::Kind;
use unbroken_evidence::opening::Opening;
use unbroken_evidence::time::Time;
use unbroken_ledger::audit::{Progress, audit};
use unbroken_ledger::ledger::{Ledger, Surroundings};
use unbroken_ledger::private::Row;
use unbroken_ledger::random::SystemRandom;
use unbroken_ledger::seal::{Clock, NewEntry};

struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Time {
        Time::from_unix_ms(1_795_158_000_123)
    }
}

fn surroundings() -> Surroundings {
    Surroundings {
        clock: Arc::new(NoClock),
        random: Box::<SystemRandom>::default(),
        holder: "the appender".to_owned(),
        remembers: None,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "write", folder, batch, pause] => {
            write(Path::new(folder), batch.parse()?, Duration::from_millis(pause.parse()?))
        }
        [_, "check", folder, acknowledged] => check(Path::new(folder), Path::new(acknowledged)),
        _ => Err("usage: appender write LEDGER BATCH PAUSE | appender check LEDGER FILE".into()),
    }
}

fn write(folder: &Path, batch: u64, pause: Duration) -> Result<(), Box<dyn Error>> {
    let mut ledger = if folder.join("keys").exists() {
        Ledger::open(folder, surroundings())?
    } else {
        Ledger::create(folder, "example.com/power-cut", surroundings(), None)?
    };
    let mut out = std::io::stdout();
    for round in 0_u64.. {
        let mut entries = Vec::new();
        for number in 0..batch {
            let text = format!("entry {number} of round {round}");
            let (set, seed) = ledger.fields(vec![Value::string("audit", "/text", &text)])?;
            let body = Body::Fields { fields: set.commitment(), refs: vec![] };
            let row = Row { opening: Opening::of(set, None), seed: Some(seed), ..Row::default() };
            entries.push(NewEntry { kind: Kind::Audit, subject: None, body, row });
        }
        let last = ledger.append(entries)?.last().copied();
        let last = last.ok_or("an append of nothing")?;
        writeln!(out, "{} {}", last.index, last.leaf)?;
        out.flush()?;
        std::thread::sleep(pause);
        if round % 16 == 15 {
            ledger.checkpoint()?;
        }
    }
    Ok(())
}

fn check(folder: &Path, acknowledged: &Path) -> Result<(), Box<dyn Error>> {
    let lines = std::fs::read_to_string(acknowledged)?;
    // The last line may have been cut while it was printed.
    let whole: Vec<&str> =
        lines.split_inclusive('\n').filter(|line| line.ends_with('\n')).collect();
    let ledger = Ledger::open(folder, surroundings())?;
    let size = ledger.size();
    let openings = ledger.private().end()?;
    drop(ledger);
    let mut reader = unbroken_ledger::reader::LogReader::open(folder)?;
    for line in &whole {
        let (index, leaf) = line.trim_end().split_once(' ').ok_or("a line without its leaf")?;
        let found = reader.leaf(index.parse()?)?;
        if found.to_string() != leaf {
            return Err(format!("entry {index}: acknowledged as {leaf}, found {found}").into());
        }
    }
    let audit = audit(folder, "the appender", 2, &Progress::default())?;
    if audit.exit_code() != 0 || openings != size {
        return Err(format!("{audit:?}: {openings} openings of {size} entries").into());
    }
    println!("{} groups acknowledged, none lost; {size} entries", whole.len());
    Ok(())
}
