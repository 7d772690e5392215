//! What was typed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

/// Verifies what Unbroken sealed: exhibits, published logs and single objects. Offline.
#[derive(Debug, Parser)]
#[command(name = "unbroken-verify", version, max_term_width = 100)]
#[command(after_help = "\
Exit codes: 0 nothing to report; 1 contradiction; 2 something was not read or is not established;
3 not an exhibit, or of an unknown form; 4 usage or environment; 5 internal error.

Example: unbroken-verify exhibit --trust anchor.txt exhibit.zip")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Verifies exhibits, each a folder or a .zip (the default command)
    #[command(after_help = "\
Example: unbroken-verify exhibit --trust 15bf3c8f444652d6fb596abd850b84d3... exhibit.zip
The ledger id must reach you by another way than the exhibit: on paper, in the certification.")]
    Exhibit {
        #[command(flatten)]
        trust: TrustArguments,
        /// Also write what was found of each recording, a line each, to a new CSV file (one exhibit only)
        #[arg(long, value_name = "FILE.csv")]
        schedule: Option<PathBuf>,
        /// Exhibits to verify
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Looks for single files in a published log
    #[command(after_help = "\
Example: unbroken-verify object --trust anchor.txt --log log/ call.opus
A file that is found was sealed with these bytes; the answer names the entry.")]
    Object(ObjectArguments),
    /// Recomputes a published log, every entry of it
    #[command(after_help = "\
Example: unbroken-verify log --trust anchor.txt --since checkpoint-of-may log/
With --since the log must continue a checkpoint that you kept from earlier.")]
    Log {
        #[command(flatten)]
        trust: TrustArguments,
        /// A checkpoint kept from earlier
        #[arg(long, value_name = "CHECKPOINT")]
        since: Option<PathBuf>,
        /// The folder of the published log
        log: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ObjectArguments {
    #[command(flatten)]
    pub(crate) trust: TrustArguments,
    /// The folder of the published log
    #[arg(long)]
    pub(crate) log: PathBuf,
    /// A checkpoint kept from earlier, which the log must continue
    #[arg(long, value_name = "CHECKPOINT")]
    pub(crate) since: Option<PathBuf>,
    /// A folder of openings, INDEX.json, as an exhibit holds them in data/openings
    #[arg(long)]
    pub(crate) openings: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) s3: S3Arguments,
    /// Files to look for, folders of files, s3://bucket/key, or s3://bucket/prefix/
    #[arg(required = true)]
    pub(crate) objects: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct TrustArguments {
    /// A trust anchor: the ledger id (64 hex digits), a verifier key, or a file that holds one; it stands
    /// before the paths, may be given several times, and everything given must hold
    #[arg(long = "trust", value_name = "ID|VKEY|FILE")]
    pub(crate) anchors: Vec<String>,
}

/// Named as the aws tool names them.
#[derive(Debug, Args)]
pub(crate) struct S3Arguments {
    /// A profile of the AWS configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The bucket's region
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// Another S3 server than AWS
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Give a server up that has sent nothing for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) silence: u64,
    /// Do not sign requests: for public buckets
    #[arg(long)]
    pub(crate) no_sign_request: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Show the numbered checks
    #[arg(long, global = true)]
    pub(crate) explain: bool,
    /// One JSON document on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Only the headline
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// The same as --explain
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// No colour, also on a terminal
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

/// The arguments, with `exhibit` put in where no command was typed.
pub(crate) fn with_default(typed: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = typed.collect();
    let known = ["exhibit", "object", "log", "help", "-h", "--help", "-V", "--version"];
    // No option that may stand before the command takes a value.
    let is_option = |word: &&str| word.starts_with('-') && !known.contains(word);
    let mut words = arguments.iter().skip(1).map(|word| word.to_str().unwrap_or_default());
    let first = words.find(|word| !is_option(word));
    if arguments.len() > 1 && !first.is_some_and(|first| known.contains(&first)) {
        arguments.insert(1, "exhibit".into());
    }
    arguments
}

/// Why a command line is not carried out, although it is well formed: a delivery must not bring its own
/// anchor, as a file that `*` expands to.
pub(crate) fn smuggled(typed: &[OsString]) -> Option<String> {
    let words: Vec<&str> =
        typed.iter().skip(1).map(|word| word.to_str().unwrap_or_default()).collect();
    let ends = words.iter().position(|word| *word == "--").unwrap_or(words.len());
    let options = words.get(..ends).unwrap_or_default();
    let file = options.iter().find(|word| word.starts_with('-') && Path::new(word).exists());
    if let Some(file) = file {
        return Some(format!(
            "a file here is named like the option {}: was it brought by `*`?",
            unbroken_evidence::error::printable(file)
        ));
    }
    let is_trust = |word: &&str| *word == "--trust" || word.starts_with("--trust=");
    let last = options.iter().rposition(is_trust)?;
    let behind = if options.get(last) == Some(&"--trust") { last + 2 } else { last + 1 };
    let before = options.get(..last).unwrap_or_default();
    let (mut takes_value, mut command) = (false, None);
    let path = before.iter().find(|word| {
        let is_value = std::mem::replace(&mut takes_value, takes_a_value(word));
        let is_word = !is_value && !word.starts_with('-');
        // The first word may be the command; a second one of that name is a path.
        let is_command = is_word && command.is_none() && COMMANDS.contains(*word);
        if is_word {
            command = Some(());
        }
        is_word && !is_command
    });
    let path = path.filter(|_| behind <= words.len());
    path.map(|_| "--trust stands behind a path: put every anchor before the paths".to_owned())
}

const COMMANDS: [&str; 3] = ["exhibit", "object", "log"];

/// Whether the next word is the value of this option.
fn takes_a_value(word: &str) -> bool {
    const OPTIONS: [&str; 9] = [
        "--trust",
        "--since",
        "--schedule",
        "--log",
        "--openings",
        "--profile",
        "--region",
        "--endpoint-url",
        "--silence",
    ];
    OPTIONS.contains(&word)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn an_anchor_behind_a_path_is_refused_and_one_before_it_is_not() {
        let refused = |line: &str| {
            let words: Vec<std::ffi::OsString> = line.split(' ').map(Into::into).collect();
            super::smuggled(&words).is_some()
        };
        for line in [
            "v exhibit --trust a x.zip",
            "v --trust a x.zip y.zip",
            "v --json exhibit --trust a --trust=b x.zip",
            "v log --since c --trust a log",
            "v object --log l --trust a file",
            "v exhibit x.zip",
            "v exhibit --trust a -- --trust=b",
        ] {
            assert!(!refused(line), "{line}");
        }
        for line in [
            "v exhibit x.zip --trust a",
            "v x.zip --trust=a",
            "v exhibit --trust a x.zip --trust=b",
            "v object --log l file --trust a",
            "v exhibit exhibit --trust=a",
        ] {
            assert!(refused(line), "{line}");
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
