//! The independent verifier: proves exhibits, published logs and single objects, offline, from a
//! key that it was given. Exit codes are those of spec/verification.md.

mod anchors;
mod arguments;
mod identity;
mod objects;
mod output;
mod run;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // A panic is a mistake of ours: it ends with exit code 5, and is not taken for a verdict.
    std::panic::catch_unwind(carry_out).unwrap_or_else(|_| ExitCode::from(5))
}

fn carry_out() -> ExitCode {
    let typed = arguments::with_default(std::env::args_os());
    match arguments::Arguments::try_parse_from(typed) {
        Ok(arguments) => match arguments::smuggled(&std::env::args_os().collect::<Vec<_>>()) {
            None => ExitCode::from(run::run(&arguments)),
            Some(sentence) => {
                let hint = "give the paths as ./NAME, and every --trust before them";
                output::report(
                    &output::Failure::new(output::USAGE, sentence, hint),
                    &arguments.output,
                );
                ExitCode::from(output::USAGE)
            }
        },
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
                output::usage_document();
            }
            ExitCode::from(if error.use_stderr() { output::USAGE } else { 0 })
        }
    }
}
