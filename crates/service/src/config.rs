//! The configuration of a service: one TOML file (docs/run.md).

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use unbroken_evidence::error::{escaped, printable};
use unbroken_evidence::hash::Hash;
use unbroken_ingest::key_filter::KeyFilter;
use unbroken_ingest::table::{Table, TableError};

use crate::cron::Cron;
use crate::when::{When, span};

/// What the first line of every configuration says.
pub const FORMAT: &str = "unbroken/config@v1";

/// A configuration, commented, as `unbroken config init` writes it.
pub const EXAMPLE: &str = include_str!("example.toml");

/// Everything that runs unattended.
#[derive(Clone, Debug)]
pub struct Config {
    /// The ledger's folder.
    pub ledger: PathBuf,
    /// A file elsewhere that gets a copy of each checkpoint.
    pub head_copy: Option<PathBuf>,
    /// Where `/healthz` and `/metrics` are answered: on this machine only.
    pub listen: Option<SocketAddr>,
    /// What is looked at.
    pub sources: Vec<SourceConfig>,
    /// Who is told.
    pub alerts: Vec<AlertConfig>,
}

/// A source, and when it is looked at.
#[derive(Clone, Debug)]
pub struct SourceConfig {
    /// `PATH`, `NAME=PATH` or `s3://bucket/prefix`, as on the command line.
    pub location: String,
    /// How its objects are arranged.
    pub layout: String,
    /// A ready policy, or a file.
    pub policy: Option<String>,
    /// Which keys are looked at.
    pub keys: KeyFilter,
    /// For so many days objects are kept.
    pub expires: Option<u64>,
    /// It holds copies of what is sealed under another name, to be sealed by themselves.
    pub copies: bool,
    /// Whether versions that are not there any more under their keys are sealed too.
    pub all_versions: bool,
    /// When its contents are looked at.
    pub content: When,
    /// When tags, locks and holds of sealed objects are looked at again.
    pub state: Option<When>,
    /// At most so many objects a second in such a look.
    pub state_rate: Option<u32>,
    /// How its bucket is reached.
    pub s3: S3Config,
}

/// How a bucket is reached; as the options of the command line.
#[derive(Clone, Debug, Default)]
pub struct S3Config {
    /// A profile of the AWS configuration.
    pub profile: Option<String>,
    /// The bucket's region.
    pub region: Option<String>,
    /// Another S3 server than AWS.
    pub endpoint_url: Option<String>,
    /// Pay for the requests.
    pub request_payer: bool,
    /// Do not sign requests.
    pub no_sign_request: bool,
    /// The server's ETags are no MD5.
    pub etags_not_md5: bool,
    /// Seconds after which a server that sent nothing is given up.
    pub silence: Option<u64>,
    /// At most so many KiB of its objects a second.
    pub bandwidth: Option<NonZeroU64>,
}

/// Who is told of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertConfig {
    /// How.
    pub channel: Channel,
    /// Of what; empty: of everything.
    pub on: Vec<Reason>,
}

/// How an alert goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A POST of the JSON document to this address.
    Webhook(String),
    /// A program with its arguments, which gets the JSON document on stdin.
    Command(Vec<String>),
    /// A line in the log.
    Stderr,
}

impl Channel {
    /// What it is, for people: an address may hold a secret, and is not shown.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Webhook(_) => "a webhook".to_owned(),
            Self::Command(words) => {
                format!("the program {}", escaped(words.first().map_or("", String::as_str)))
            }
            Self::Stderr => "the log".to_owned(),
        }
    }

    /// Its name in the outbox: the same as long as it leads to the same place.
    #[must_use]
    pub fn name(&self) -> String {
        let said = match self {
            Self::Webhook(address) => format!("webhook {address}"),
            Self::Command(words) => format!("command {}", words.join("\0")),
            Self::Stderr => "stderr".to_owned(),
        };
        Hash::of(&[said.as_bytes()]).to_string().chars().take(16).collect()
    }
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Recordings that do not meet their policy.
    Incomplete,
    /// Objects whose bytes are others than were sealed.
    Overwritten,
    /// Objects that are not there any more.
    Deleted,
    /// Legal holds that were on.
    HoldLifted,
    /// Objects that could not be read.
    Unread,
    /// A source that cannot be listed.
    Unreachable,
    /// A ledger that does not open, or cannot be written.
    Refused,
    /// A policy that is none any more, a place that may not be looked at.
    Configuration,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Incomplete,
        Self::Overwritten,
        Self::Deleted,
        Self::HoldLifted,
        Self::Unread,
        Self::Unreachable,
        Self::Refused,
        Self::Configuration,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Overwritten => "overwritten",
            Self::Deleted => "deleted",
            Self::HoldLifted => "hold-lifted",
            Self::Unread => "unread",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Configuration => "configuration",
        }
    }
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// The first line that is none, with what was expected.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        let config = Table::parse(text)?.whole(|table| {
            let format = table.needed("format")?;
            if format != FORMAT {
                let found = printable(&format);
                let what = format!("`format`: expected \"{FORMAT}\"; found \"{found}\"");
                return Err(table.wrong(what));
            }
            Ok(Self {
                ledger: PathBuf::from(table.needed("ledger")?),
                head_copy: table.text("head-copy")?.map(PathBuf::from),
                listen: listen(table)?,
                sources: table.each("source", source)?,
                alerts: table.each("alert", alert)?,
            })
        })?;
        if config.sources.is_empty() {
            let sentence = "there is nothing to look at: write a [[source]]".to_owned();
            return Err(TableError { line: 1, sentence });
        }
        Ok(config)
    }
}

fn listen(table: &mut Table) -> Result<Option<SocketAddr>, TableError> {
    let Some(listen) = table.text("listen")? else { return Ok(None) };
    let address: Option<SocketAddr> = listen.parse().ok();
    match address.filter(|address| address.ip().is_loopback()) {
        Some(address) => Ok(Some(address)),
        // Counts and names of sources are nobody's business outside.
        None => Err(table.wrong(format!(
            "`listen`: expected a loopback address with its port, as 127.0.0.1:9187; found \"{}\"",
            printable(&listen)
        ))),
    }
}

fn source(table: &mut Table) -> Result<SourceConfig, TableError> {
    let location = table.needed("location")?;
    let layout = table.text("layout")?.unwrap_or_else(|| "genesys-cloud".to_owned());
    let policy = table.text("policy")?;
    let zone = table.text("timezone")?;
    let jitter = time_span(table, "jitter")?.unwrap_or_default();
    let content = when(table, ("every", "cron"), zone.as_deref(), jitter)?;
    let state = when(table, ("state-every", "state-cron"), zone.as_deref(), jitter)?;
    let state_rate = table.number("state-rate")?.map(u32::try_from).transpose();
    let bandwidth = table.number("bandwidth-kib")?.map(|kib| {
        NonZeroU64::new(kib).ok_or_else(|| {
            table.wrong("`bandwidth-kib`: with 0 nothing could be read; leave it out for no limit")
        })
    });
    let s3 = S3Config {
        profile: table.text("profile")?,
        region: table.text("region")?,
        endpoint_url: table.text("endpoint-url")?,
        request_payer: table.flag("request-payer")?,
        no_sign_request: table.flag("no-sign-request")?,
        etags_not_md5: table.flag("etags-not-md5")?,
        silence: table.number("silence-seconds")?,
        bandwidth: bandwidth.transpose()?,
    };
    let texts = |table: &mut Table, name| -> Result<Vec<String>, TableError> {
        Ok(table.texts(name)?.into_iter().map(|(_, pattern)| pattern).collect())
    };
    let (include, exclude) = (texts(table, "include")?, texts(table, "exclude")?);
    let keys = KeyFilter::parse(&include, &exclude);
    let keys = keys.map_err(|why| table.wrong(format!("`include`, `exclude`: {why}")))?;
    let content = content
        .ok_or_else(|| table.wrong("[[source]] says not when: give it `every` or `cron`"))?;
    if state.is_some() && !location.starts_with("s3://") {
        return Err(table.wrong("a folder has no tags, locks or holds to be looked at again"));
    }
    let state_rate = state_rate.map_err(|_| table.wrong("`state-rate` is too large"))?;
    let expires = table.number("expire-after-days")?;
    let copies = table.flag("copies")?;
    let all_versions = table.flag("all-versions")?;
    if all_versions && !location.starts_with("s3://") {
        return Err(table.wrong("a folder keeps no versions of its files"));
    }
    Ok(SourceConfig {
        location,
        layout,
        policy,
        keys,
        expires,
        copies,
        all_versions,
        content,
        state,
        state_rate,
        s3,
    })
}

fn time_span(table: &mut Table, name: &'static str) -> Result<Option<Duration>, TableError> {
    let Some(written) = table.text(name)? else { return Ok(None) };
    let span = span(&written).map_err(|why| table.wrong(format!("`{name}`: {why}")))?;
    Ok(Some(span))
}

/// The shortest period: each pass costs a listing, and is an entry for ever.
const PERIOD_LEAST: Duration = Duration::from_secs(10);

fn when(
    table: &mut Table,
    (every, cron): (&'static str, &'static str),
    zone: Option<&str>,
    jitter: Duration,
) -> Result<Option<When>, TableError> {
    match (time_span(table, every)?, table.text(cron)?) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(table.wrong(format!("give either `{every}` or `{cron}`"))),
        (Some(period), None) if period < PERIOD_LEAST => {
            Err(table.wrong(format!("`{every}`: at least {} s", PERIOD_LEAST.as_secs())))
        }
        (Some(period), None) => Ok(Some(When::Every { period, jitter })),
        (None, Some(expression)) => match Cron::parse(&expression, zone) {
            Ok(cron) => Ok(Some(When::Cron(cron))),
            Err(why) => Err(table.wrong(format!("`{cron}`: {why}"))),
        },
    }
}

fn is_http(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    address.starts_with("https://") || address.starts_with("http://")
}

fn alert(table: &mut Table) -> Result<AlertConfig, TableError> {
    let webhook = table.text("webhook")?;
    let command: Vec<String> = table.texts("command")?.into_iter().map(|(_, word)| word).collect();
    let stderr = table.flag("stderr")?;
    let channel = match (webhook, command.is_empty(), stderr) {
        (Some(address), true, false) if is_http(&address) => Channel::Webhook(address),
        // The address may hold a secret: it is shown nowhere.
        (Some(_), true, false) => {
            return Err(table.wrong("`webhook`: expected an address that begins with https://"));
        }
        (None, false, false) => Channel::Command(command),
        (None, true, true) => Channel::Stderr,
        _ => {
            return Err(table
                .wrong("[[alert]] has exactly one of `webhook`, `command` and `stderr = true`"));
        }
    };
    let mut on = Vec::new();
    for (line, name) in table.texts("on")? {
        let known = Reason::ALL.into_iter().find(|reason| reason.name() == name);
        on.push(known.ok_or_else(|| {
            let names = Reason::ALL.map(Reason::name).join(", ");
            let sentence = format!("`on`: expected {names}; found \"{}\"", printable(&name));
            TableError { line, sentence }
        })?);
    }
    Ok(AlertConfig { channel, on })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "format = \"unbroken/config@v1\"\nledger = \"ledger\"\n";
    const SOURCE: &str = "[[source]]\nlocation = \"s3://exports/\"\nevery = \"1h\"\n";

    #[test]
    fn the_example_is_a_configuration_and_names_every_key() {
        let config = Config::parse(EXAMPLE).unwrap();
        assert_eq!((config.sources.len(), config.alerts.len()), (1, 1));
        let whole: String = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).unwrap_or(line))
            .filter(|line| !line.starts_with("cron") && !line.starts_with("state-cron"))
            .filter(|line| !line.starts_with("webhook") && !line.starts_with("command"))
            .map(|line| format!("{line}\n"))
            .collect();
        let config = Config::parse(&whole).unwrap_or_else(|error| panic!("{error}: {whole}"));
        let source = &config.sources[0];
        assert!(config.listen.is_some() && config.head_copy.is_some() && source.policy.is_some());
        assert!(
            source.state.is_some() && source.state_rate.is_some() && source.s3.profile.is_some()
        );
        for key in ["webhook", "command", "cron", "state-cron", "timezone"] {
            assert!(EXAMPLE.contains(&format!("# {key} = ")), "{key}");
        }
    }

    #[test]
    fn what_is_no_configuration_is_refused_with_its_line() {
        for (text, why) in [
            ("", "line 1: there is nothing to look at: write a [[source]]"),
            (
                "[[source]]\nlocation = \"x\"",
                "line 3: [[source]] says not when: give it `every` or `cron`",
            ),
            (
                "[[source]]\nlocation = \"x\"\nevry = \"1h\"\nevery = \"1h\"",
                "line 5: [[source]] has no member `evry`; do you mean `every`?",
            ),
            ("[[source]]\nlocation = \"x\"\nevery = \"1s\"", "line 3: `every`: at least 10 s"),
            (
                "[[source]]\nlocation = \"x\"\nevery = \"1h\"\ncron = \"* * * * *\"",
                "line 3: give either `every` or `cron`",
            ),
            (
                "[[source]]\nlocation = \"x\"\ncron = \"* * *\"",
                "line 3: `cron`: expected five fields",
            ),
            (
                "[[source]]\nlocation = \"x\"\nevery = \"1h\"\nstate-every = \"1d\"",
                "line 3: a folder has no tags",
            ),
            (
                "listen = \"0.0.0.0:80\"\n[[source]]",
                "line 1: `listen`: expected a loopback address",
            ),
            (
                "[[source]]\nlocation = \"x\"\nevery = \"1h\"\n[[alert]]\nstderr = true\nwebhook = \"http://x\"",
                "line 6: [[alert]] has exactly one",
            ),
            (
                "[[source]]\nlocation = \"x\"\nevery = \"1h\"\n[[alert]]\nwebhook = \"x\"",
                "line 6: `webhook`: expected an address",
            ),
            (
                "[[source]]\nlocation = \"x\"\nevery = \"1h\"\n[[alert]]\nstderr = true\non = [\"lost\"]",
                "line 8: `on`: expected incomplete",
            ),
        ] {
            let refused = Config::parse(&format!("{HEAD}{text}")).unwrap_err().to_string();
            assert!(refused.starts_with(why), "{refused}");
        }
        assert!(Config::parse(&format!("{HEAD}{SOURCE}")).is_ok());
    }
}
