//! The commands, one a file.

mod audit;
mod audit_objects;
mod backup;
mod config;
mod cover;
mod demo;
mod doctor;
mod exhibit;
mod history;
mod ingest;
mod init;
mod layout;
mod list;
mod passes;
mod policy;
mod restore;
mod run;
mod state;
mod status;

use unbroken_ledger::find::Called;

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
use crate::output;

/// Carries a command out; gives the exit code.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let out = &arguments.output;
    let outcome: Result<u8, Failure> = match &arguments.command {
        Command::Init { folder, origin, head_copy } => {
            init::run(folder, origin, head_copy.as_deref(), out)
        }
        Command::Ingest(ingest) => ingest::run(ingest, out),
        Command::State(state) => state::run(state, out),
        Command::Run { config } => run::run(config, out),
        Command::Config(config) => config::run(config, out),
        Command::Passes { ledger, source, most } => {
            passes::run(&ledger.folder, source.as_deref(), *most, out)
        }
        Command::Status { ledger, max_age } => status::run(&ledger.folder, *max_age, out),
        Command::List { ledger, conversation, recording, sha256, incomplete, question } => {
            let wanted = list::Wanted {
                conversation: conversation.as_deref(),
                recording: recording.as_deref(),
                sha256: sha256.as_deref(),
                incomplete: *incomplete,
                question,
            };
            list::run(&ledger.folder, &wanted, out)
        }
        Command::Doctor { sources, s3 } => doctor::run(sources, s3, out),
        Command::History { ledger, recording, conversation } => {
            let by_recording = recording.as_deref().map(Called::Recording);
            let called = by_recording.or_else(|| conversation.as_deref().map(Called::Conversation));
            match called {
                Some(called) => history::run(&ledger.folder, called, out),
                None => Err(Failure::usage("whose history?", "give --recording or --conversation")),
            }
        }
        Command::Policy(policy) => policy::run(policy, out),
        Command::Layout(layout) => layout::run(layout, out),
        Command::Exhibit(exhibit) => exhibit::run(exhibit, out),
        Command::Audit(audit) if audit.objects => audit_objects::run(audit, out),
        Command::Audit(audit) => audit::run(&audit.ledger.folder, out),
        Command::Backup { ledger, to, without_keys } => {
            backup::run(&ledger.folder, to, *without_keys, out)
        }
        Command::Restore { ledger, head_copy } => {
            restore::run(&ledger.folder, head_copy.as_deref(), out)
        }
        Command::Demo { keep } => demo::run(keep.as_deref(), out),
    };
    outcome.unwrap_or_else(|failure| output::failure(&failure, out))
}
