//! `mathison validate`: checks a stack file without asking a cluster.

use super::Ended;
use super::load::load_and_warn;
use super::talk::Streams;
use crate::cli::StackRequest;
use crate::failure::ExitStatus;
use crate::report;

pub(super) fn validate(request: &StackRequest, streams: &Streams) -> Ended {
    let stack = load_and_warn(request, streams)?;
    // The graph is part of what can be wrong with a stack: a cycle shows here.
    super::graph::build(&stack)?;
    streams.data(&format!(
        "{}: stack `{}` is valid: {}, {}\n",
        stack.file,
        stack.name,
        report::counted(stack.resources.len(), "resource"),
        report::counted(stack.checks.len(), "check")
    ))?;
    Ok(ExitStatus::Done)
}
