//! Events in words, as lines that stay.

use std::collections::BTreeMap;

use crate::event::{Event, ResourceEnd};
use crate::plan::Action;
use crate::report::line::{Line, counted};
use crate::report::style::Meaning;
use crate::report::verify_text::check_line;
use crate::report::words::{action_words, duration_words};
use crate::resource::Address;

/// What is being done to each resource in flight: later events do not repeat it.
#[derive(Default)]
pub(super) struct InFlight(BTreeMap<Address, Action>);

impl InFlight {
    pub(super) fn follow(&mut self, event: &Event) {
        match event {
            Event::ResourceStarted { address, action } => {
                self.0.insert(address.clone(), *action);
            }
            Event::ResourceFinished { address, .. } => {
                self.0.remove(address);
            }
            _ => {}
        }
    }

    pub(super) fn doing(&self, address: &Address) -> &'static str {
        self.0.get(address).map_or("working", |action| action_words(*action).doing)
    }
}

/// Returns how an event ends something, or is worth a line in any form.
pub(super) fn lasting_line(event: &Event) -> Option<Line> {
    Some(match event {
        Event::ResourceFinished { address, action, end, elapsed } => {
            end_line(Line::new().text(format!("{address}: ")), *action, end, &duration_words(*elapsed))
        }
        Event::CheckFinished { name, outcome, .. } => check_line(name, outcome),
        Event::Stopping { in_flight } => Line::new().paint(
            Meaning::Warning,
            // Resources and checks.
            format!(
                "stopping: what is under way ({in_flight}) will be finished and saved; interrupt again to stop now"
            ),
        ),
        Event::Note { text } => Line::new().paint(Meaning::Warning, "note: ").text(text),
        _ => return None,
    })
}

fn end_line(line: Line, action: Action, end: &ResourceEnd, elapsed: &str) -> Line {
    let words = action_words(action);
    match end {
        ResourceEnd::Done => line.paint(Meaning::of(action), words.done).text(format!(" after {elapsed}")),
        ResourceEnd::Failed(why) => {
            line.paint(Meaning::Bad, "FAILED").text(format!(" to {} after {elapsed}: {why}", words.verb))
        }
        ResourceEnd::NotReady(why) => line
            .text(format!("{}, but ", words.done))
            .paint(Meaning::Bad, "NOT READY")
            .text(format!(" after {elapsed}: {why}")),
        ResourceEnd::Moved(why) => {
            line.paint(Meaning::Bad, "MOVED").text(format!(" since the plan, not {}: {why}", words.done))
        }
        ResourceEnd::Skipped { because_of } => {
            line.paint(Meaning::Warning, "skipped").text(format!(", since it waits for {because_of}"))
        }
        ResourceEnd::NotStarted => line.paint(Meaning::Warning, "not started").text(", because the run was stopped"),
        ResourceEnd::Unknown(why) => line
            .paint(Meaning::Bad, "UNKNOWN")
            .text(format!(" whether it was {}: {why}; the next run finds out", words.done)),
    }
}

/// Returns the lines that only a form without a live display needs: what begins, and what is waited for.
pub(super) fn passing_line(event: &Event, in_flight: &InFlight) -> Option<Line> {
    Some(match event {
        Event::RunStarted { resources, checks } => {
            Line::new().text(format!("{} and {} to go", counted(*resources, "resource"), counted(*checks, "check")))
        }
        Event::ResourceStarted { address, action } => {
            Line::new().text(format!("{address}: {}…", action_words(*action).doing))
        }
        Event::ResourceWaiting { address, why, elapsed } => Line::new().text(format!(
            "{address}: still {} ({}): {why}",
            in_flight.doing(address),
            duration_words(*elapsed)
        )),
        _ => return None,
    })
}
