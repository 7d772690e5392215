//! What was typed.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// An immutable chain-of-custody ledger for contact-centre recordings.
#[derive(Debug, Parser)]
#[command(name = "unbroken", version, max_term_width = 100)]
#[command(after_help = "\
Exit codes: 0 done, nothing to report; 1 contradiction or difference; 2 done, but something is incomplete,
changed or unread; 4 usage or environment; 5 internal error; 130 interrupted.

Example: unbroken init ledger --origin example.com/recordings
         unbroken ingest --ledger ledger /exports/genesys")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Output {
    /// One JSON document on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Only errors, and what a run found
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Progress every second, also where it is no terminal
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// No colour, also on a terminal
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
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
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub(crate) silence: u64,
    /// Read at most so many KiB of objects a second
    #[arg(long, value_name = "KIB")]
    pub(crate) bandwidth: Option<NonZeroU64>,
    /// Pay for the requests, where the bucket asks that of whoever reads it
    #[arg(long)]
    pub(crate) request_payer: bool,
    /// For a server other than AWS whose ETags are no MD5
    #[arg(long)]
    pub(crate) etags_not_md5: bool,
    /// Do not sign requests: for public buckets
    #[arg(long)]
    pub(crate) no_sign_request: bool,
}

/// A question about what is sealed.
#[derive(Debug, Default, Args)]
pub(crate) struct Question {
    /// What they must have: 'agent = "bcb6..." and media = call and not hold = yes'
    #[arg(long = "where", value_name = "QUESTION", group = "what")]
    pub(crate) wanted: Option<String>,
    /// Begun on this day or at this time, or later
    #[arg(long, value_name = "TIME", group = "what")]
    pub(crate) from: Option<String>,
    /// Begun before this day or time
    #[arg(long, value_name = "TIME", group = "what")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct LedgerArgument {
    /// The ledger's folder
    #[arg(long = "ledger", value_name = "DIR", env = "UNBROKEN_LEDGER")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a ledger with new keys; prints its trust anchor and its id
    #[command(after_help = "Example: unbroken init ledger --origin example.com/recordings\n\
The origin names the log for ever; a domain of yours and a word are a good one.")]
    Init {
        /// The folder to make
        folder: PathBuf,
        /// The log's name
        #[arg(long, value_name = "NAME")]
        origin: String,
        /// A file elsewhere that gets a copy of each checkpoint, before it is published
        #[arg(long, value_name = "FILE")]
        head_copy: Option<PathBuf>,
    },
    /// Seals what is new in a folder or a bucket
    Ingest(Ingest),
    /// Examines a bucket: what may be read, what its settings keep, and what mends the rest
    #[command(after_help = "Example: unbroken doctor s3://exports/org-1/ --region eu-west-2\n\
It asks as an ingest asks, reads one object's first bytes, and writes nothing. docs/s3.md has the whole policy.")]
    Doctor {
        /// s3://bucket/prefix
        #[arg(required = true, value_name = "SOURCE")]
        sources: Vec<std::ffi::OsString>,
        #[command(flatten)]
        s3: S3Arguments,
    },
    /// Looks at tags, locks and holds of sealed objects again, and seals what changed
    State(State),
    /// Runs unattended: looks at each source when it is due, and tells who is to be told
    #[command(after_help = "Example: unbroken run --config /etc/unbroken.toml\n\
SIGHUP reads the file anew; SIGTERM ends it: what is acknowledged stays sealed. docs/run.md explains every key.")]
    Run {
        /// What is looked at, when, and who is told
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Writes a configuration with every key explained, and checks one
    #[command(subcommand)]
    Config(Config),
    /// Shows origin, id, size, root, counts and problems
    #[command(after_help = "Example: unbroken status --ledger ledger --max-age 26h")]
    Status {
        #[command(flatten)]
        ledger: LedgerArgument,
        /// A source whose last finished pass is older than this is a problem: 90m, 26h, 7d
        #[arg(long, value_name = "AGE", value_parser = unbroken_service::span)]
        max_age: Option<Duration>,
    },
    /// Lists runs, the newest first: when, over which source, how each ended, and what it counted
    #[command(after_help = "Example: unbroken passes --ledger ledger --source s3://exports")]
    Passes {
        #[command(flatten)]
        ledger: LedgerArgument,
        /// Over this source only, by its name
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        most: usize,
    },
    /// Lists what was sealed, each entry about a recording, with SHA-256 and object; `history` has the rest
    #[command(
        after_help = "Example: unbroken list --ledger ledger --conversation ea4303d8-014e-44f9-b770-5b15e6f86f1f"
    )]
    #[command(group = clap::ArgGroup::new("what").multiple(true))]
    List {
        #[command(flatten)]
        ledger: LedgerArgument,
        /// Of this conversation
        #[arg(long, value_name = "ID")]
        conversation: Option<String>,
        /// Of this recording
        #[arg(long, value_name = "ID")]
        recording: Option<String>,
        /// With this SHA-256
        #[arg(long, value_name = "HEX")]
        sha256: Option<String>,
        /// Only those that the policy found incomplete
        #[arg(long)]
        incomplete: bool,
        #[command(flatten)]
        question: Question,
    },
    /// Tells the whole story of a recording: sealed, changed, superseded, gone, back
    #[command(
        after_help = "Example: unbroken history --ledger ledger --recording 7d0f3b52-98a1-4f43-9a34-5e3b1c2d4e5f"
    )]
    History {
        #[command(flatten)]
        ledger: LedgerArgument,
        /// Of this recording
        #[arg(long, value_name = "ID", required_unless_present = "conversation")]
        recording: Option<String>,
        /// Of every recording of this conversation
        #[arg(long, value_name = "ID", conflicts_with = "recording")]
        conversation: Option<String>,
    },
    /// Shows layouts, and how one understands the keys of a source
    #[command(subcommand)]
    Layout(Layout),
    /// Shows completeness policies, and checks one before it is used
    #[command(subcommand)]
    Policy(Policy),
    /// Makes an exhibit: recordings, entries and proofs, to be handed over
    Exhibit(Exhibit),
    /// Recomputes everything from store, log and private.db, and compares; with --objects, reads what is sealed
    Audit(Audit),
    /// Copies the ledger while it is in use: log, openings and keys
    #[command(
        after_help = "Example: unbroken backup --ledger ledger /mnt/elsewhere/ledger-2026-11-28\n\
Put it back with `unbroken restore`; docs/backup.md says when, and when not."
    )]
    Backup {
        #[command(flatten)]
        ledger: LedgerArgument,
        /// A folder that does not exist yet
        to: PathBuf,
        /// Leaves the keys out, where they are kept apart
        #[arg(long)]
        without_keys: bool,
    },
    /// Rebuilds the store from the log, and says what private.db lacks
    #[command(after_help = "Example: unbroken restore --ledger ledger\n\
The old store is kept beside the new one.")]
    Restore {
        #[command(flatten)]
        ledger: LedgerArgument,
        /// A new file elsewhere that gets a copy of each checkpoint, where the old one is gone
        #[arg(long, value_name = "FILE")]
        head_copy: Option<PathBuf>,
    },
    /// Shows the main job: seals a sample, hands it over, verifies it, and catches a changed byte
    #[command(after_help = "Example: unbroken demo --keep unbroken-demo")]
    Demo {
        /// Keeps everything that the demo makes in this folder
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example: unbroken ingest --ledger ledger genesys=/exports/genesys
         unbroken ingest --ledger ledger s3://exports/org-1/ --region eu-west-2
A folder is known by NAME, so that moving it seals nothing again; without NAME= it is the folder's own name.
A layout says which objects belong together; docs/layouts.md explains how to write one.")]
pub(crate) struct Ingest {
    #[command(flatten)]
    pub(crate) ledger: LedgerArgument,
    /// PATH or NAME=PATH of a folder, or s3://bucket/prefix
    #[arg(required = true, value_name = "SOURCE")]
    pub(crate) sources: Vec<std::ffi::OsString>,
    #[command(flatten)]
    pub(crate) s3: S3Arguments,
    /// How the objects are arranged: genesys-cloud, amazon-connect, plain, or a file
    #[arg(long, value_name = "LAYOUT", default_value = "genesys-cloud")]
    pub(crate) layout: std::ffi::OsString,
    /// What each recording must meet: a file, genesys-default, legal-discovery or connect-default [default:
    /// what the layout names]
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Option<std::ffi::OsString>,
    /// Lists what would be done, by names alone; reads and writes nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Looks only at these keys: `*` within a name, `**` across folders
    #[arg(long, value_name = "PATTERN")]
    pub(crate) include: Vec<String>,
    /// Leaves these keys out: a recording and what belongs to it
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,
    /// Leaves out folders in which nothing was modified on this day (UTC) or later
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// Leaves out folders in which something was modified on this day (UTC) or later
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
    /// Seals at most so many recordings
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// A source that is known is the same, though it is at another place or server now
    #[arg(long)]
    pub(crate) moved: bool,
    /// Objects are kept for so many days: that older ones are gone is sealed, and is no problem
    #[arg(long, value_name = "DAYS")]
    pub(crate) expire_after_days: Option<u64>,
    /// Seals a source by itself, though it holds what is sealed under another name
    #[arg(long)]
    pub(crate) copies: bool,
    /// Seals versions of a bucket too that are not there any more under their keys, and delete markers
    #[arg(long, conflicts_with_all = ["since", "until", "limit", "reseal", "dry_run"])]
    pub(crate) all_versions: bool,
    /// Seals everything anew, after openings were lost
    #[arg(long)]
    pub(crate) reseal: bool,
    /// A file elsewhere that gets a copy of each checkpoint, before it is published
    #[arg(long, value_name = "FILE")]
    pub(crate) head_copy: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Prints a configuration with every key explained
    #[command(after_help = "Example: unbroken config init > /etc/unbroken.toml")]
    Init,
    /// Says whether a configuration can be used, and when each job is due
    #[command(after_help = "Example: unbroken config check /etc/unbroken.toml")]
    Check {
        /// The configuration
        config: PathBuf,
        /// Sends each receiver of alerts a document that says that it is a test
        #[arg(long)]
        send: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Layout {
    /// Prints a ready layout, to be used as it is or changed; without a name, which there are
    #[command(after_help = "Example: unbroken layout show genesys-cloud > ours.toml\n\
docs/layouts.md explains every key.")]
    Show {
        /// genesys-cloud, amazon-connect, plain
        name: Option<String>,
    },
    /// Shows how each key of a source would be understood; reads no object, writes nothing
    #[command(after_help = "Example: unbroken layout test ours.toml s3://exports/2026/\n\
Exit codes: 0 every key is understood; 2 some are not; 4 it is no layout.")]
    Test {
        /// A file, or the name of a ready layout
        layout: std::ffi::OsString,
        /// PATH of a folder, or s3://bucket/prefix
        source: std::ffi::OsString,
        #[command(flatten)]
        s3: S3Arguments,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Prints a ready policy, to be used as it is or changed; without a name, which there are
    #[command(after_help = "Example: unbroken policy show legal-discovery > our-policy.toml\n\
docs/policy.md explains every key.")]
    Show {
        /// genesys-default, legal-discovery, connect-default
        name: Option<String>,
    },
    /// Says whether a policy can be used, and what it would have said of what is sealed
    #[command(after_help = "Example: unbroken policy check our-policy.toml --ledger ledger\n\
Exit codes: 0 every recording would meet it; 2 some would not; 4 it is no policy.")]
    Check {
        /// A file, or the name of a ready policy
        policy: std::ffi::OsString,
        /// The ledger's folder
        #[arg(long = "ledger", value_name = "DIR", env = "UNBROKEN_LEDGER")]
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example: unbroken state --ledger ledger s3://exports/org-1/ --rate 50
A hold that is lifted changes no object: only this looks for it. Held objects come first, then those that nobody
looked at for the longest time, so that what is stopped goes on where it was.")]
pub(crate) struct State {
    #[command(flatten)]
    pub(crate) ledger: LedgerArgument,
    /// A source of which something is sealed: s3://bucket/prefix
    #[arg(required = true, value_name = "SOURCE")]
    pub(crate) sources: Vec<std::ffi::OsString>,
    #[command(flatten)]
    pub(crate) s3: S3Arguments,
    /// At most so many objects a second
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<u32>,
    /// A file elsewhere that gets a copy of each checkpoint, before it is published
    #[arg(long, value_name = "FILE")]
    pub(crate) head_copy: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example: unbroken audit --ledger ledger
         unbroken audit --ledger ledger --objects --sample 500 --region eu-west-2
While another process holds the ledger the store is not read, and the exit code is 2. With --objects the recordings
themselves and their metadata files are read again where they lie, and what was found is sealed.")]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) ledger: LedgerArgument,
    /// Reads sealed objects again, and compares their bytes with what was sealed
    #[arg(long)]
    pub(crate) objects: bool,
    /// At most so many recordings, drawn by lot
    #[arg(long, value_name = "N", requires = "objects")]
    pub(crate) sample: Option<u64>,
    /// Of this source only, by its name
    #[arg(long, value_name = "NAME", requires = "objects")]
    pub(crate) source: Option<String>,
    /// Takes S3's word where it keeps the SHA-256 that was sealed, and reads the bytes of all others
    #[arg(long, requires = "objects")]
    pub(crate) trust_s3_checksum: bool,
    /// Goes on with the last one, which was stopped, where it stood; what it was asked for stands
    #[arg(long, requires = "objects", conflicts_with_all = ["sample", "source", "trust_s3_checksum"])]
    pub(crate) resume: bool,
    #[command(flatten)]
    pub(crate) s3: S3Arguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example: unbroken exhibit --ledger ledger --out exhibit.zip --conversation ea4303d8-014e-44f9-b770-5b15e6f86f1f
A selector brings the whole history of a recording. Every packed recording is hashed again.")]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub(crate) struct Exhibit {
    #[command(flatten)]
    pub(crate) ledger: LedgerArgument,
    #[command(flatten)]
    pub(crate) s3: S3Arguments,
    /// Where to put it: a .zip by its name, otherwise a folder
    #[arg(long, value_name = "PATH", required_unless_present = "cover")]
    pub(crate) out: Option<PathBuf>,
    /// A new folder to hand over: the exhibit as .zip, and beside it what people read
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub(crate) cover: Option<PathBuf>,
    /// Withhold this value of every recording, with its name shown: sidecar/participants/0/name
    #[arg(long, value_name = "SOURCE/POINTER", requires = "reason")]
    pub(crate) withhold: Vec<String>,
    /// Why values are withheld; it stands in the cover's redaction log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Recordings of these conversations
    #[arg(long, value_name = "ID", num_args = 1.., group = "what")]
    pub(crate) conversation: Vec<String>,
    /// These recordings
    #[arg(long, value_name = "ID", num_args = 1.., group = "what")]
    pub(crate) recording: Vec<String>,
    /// The recordings that these entries are about
    #[arg(long, value_name = "N", num_args = 1.., group = "what")]
    pub(crate) index: Vec<u64>,
    #[command(flatten)]
    pub(crate) question: Question,
    /// Every recording
    #[arg(long, group = "what", conflicts_with_all = ["conversation", "recording", "index"])]
    pub(crate) all: bool,
    /// Leaves the recordings themselves out, and their metadata files
    #[arg(long)]
    pub(crate) without_recordings: bool,
    /// Waits at most so many seconds for a run that holds the ledger
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    pub(crate) wait: u64,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
