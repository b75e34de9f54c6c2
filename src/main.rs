//! The doorway: parse, run, map to an exit code.

use std::process::ExitCode;

use mathison::failure::ExitStatus;
use mathison::{cli, command};

fn main() -> ExitCode {
    let environment: cli::Environment = std::env::vars_os().collect();
    match cli::parse(std::env::args_os(), &environment) {
        Ok(request) => command::run(request, &environment).into(),
        Err(error) => {
            let wrong = error.use_stderr();
            // Nobody is left to tell where even this cannot be written.
            let _ = error.print();
            if wrong { ExitStatus::Usage.into() } else { ExitStatus::Done.into() }
        }
    }
}
