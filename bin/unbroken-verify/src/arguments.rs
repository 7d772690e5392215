//! What was typed.

use std::ffi::OsString;
use std::path::PathBuf;

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
Example: unbroken-verify exhibit --trust example.com/log+8626a4f2+AQOhB7... exhibit.zip
The key must reach you by another way than the exhibit: on paper, in the certification.")]
    Exhibit {
        #[command(flatten)]
        trust: TrustArguments,
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
    /// A folder of openings, INDEX.json, as an exhibit holds them in data/openings
    #[arg(long)]
    pub(crate) openings: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) s3: S3Arguments,
    /// Files to look for, or s3://bucket/key
    #[arg(required = true)]
    pub(crate) objects: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct TrustArguments {
    /// The trust anchor, a verifier key or a file that holds one; may be given several times
    #[arg(long = "trust", value_name = "VKEY|FILE")]
    pub(crate) anchors: Vec<String>,
    /// The ledger id, 64 hex digits
    #[arg(long, value_name = "HEX")]
    pub(crate) ledger_id: Option<String>,
}

/// Named as the aws tool names them.
#[derive(Debug, Args)]
#[cfg_attr(not(feature = "s3"), expect(dead_code, reason = "this build does not fetch"))]
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
