//! The doorway: parse, run, map to an exit code.

use std::process::ExitCode;

use mathison::failure::ExitStatus;
use mathison::{cli, command};

/// A plan makes hundreds of thousands of small values; with the system's allocator every eighth cycle of one goes into
/// memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
