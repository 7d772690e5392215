//! The operator's command line: seals recordings into a ledger, and hands exhibits over.

mod arguments;
mod commands;
mod failure;
mod layouts;
mod output;
mod policies;
mod progress;
mod questions;
mod service;
mod sources;
mod stop;
mod world;
mod written;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // A panic is a mistake of ours: it ends with exit code 5, and is not taken for a verdict.
    std::panic::catch_unwind(carry_out).unwrap_or_else(|_| ExitCode::from(5))
}

fn carry_out() -> ExitCode {
    match arguments::Arguments::try_parse() {
        Ok(arguments) => ExitCode::from(commands::run(&arguments)),
        Err(error) => {
            // Help and version come this way too; a broken pipe while printing changes nothing.
            let is_odd =
                |word: std::ffi::OsString| word.to_string_lossy().contains(char::is_control);
            if error.use_stderr() && std::env::args_os().any(is_odd) {
                output::say(&unbroken_evidence::error::escaped(&error.to_string()));
            } else {
                let _ = error.print();
            }
            if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
                let _ = output::write(&output::usage_document());
            }
            ExitCode::from(if error.use_stderr() { failure::USAGE } else { 0 })
        }
    }
}
