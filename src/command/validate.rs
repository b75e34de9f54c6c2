//! `mathison validate`: checks a stack file without asking a cluster.

use super::Ended;
use super::load::load_and_warn;
use super::talk::Streams;
use crate::cli::StackRequest;
use crate::failure::ExitStatus;

pub(super) fn validate(request: &StackRequest, streams: &Streams) -> Ended {
    let stack = load_and_warn(request, streams)?;
    // The graph is part of what can be wrong with a stack: a cycle shows here.
    super::graph::build(&stack)?;
    streams.data(&format!(
        "{}: stack `{}` is valid: {} resources, {} checks\n",
        stack.file,
        stack.name,
        stack.resources.len(),
        stack.checks.len()
    ))?;
    Ok(ExitStatus::Done)
}
