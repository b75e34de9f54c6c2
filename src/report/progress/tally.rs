//! Counting events, and the one line that sums a run up.

use crate::event::{Event, ResourceEnd};
use crate::plan::Action;
use crate::report::line::counted;
use crate::report::verify_text::CheckCounts;

/// What was counted during a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) created: usize,
    pub(super) updated: usize,
    pub(super) adopted: usize,
    pub(super) deleted: usize,
    pub(super) forgotten: usize,
    pub(super) failed: usize,
    pub(super) not_ready: usize,
    pub(super) moved: usize,
    pub(super) skipped: usize,
    pub(super) not_started: usize,
    pub(super) unknown: usize,
    pub(super) checks: CheckCounts,
    /// True once somebody asked to stop.
    pub(super) stopped: bool,
}

/// What the plan says about a run and no event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// True for `destroy`.
    pub destroy: bool,
    /// Resources that needed nothing.
    pub unchanged: usize,
    /// Resources that would have been deleted, but are kept.
    pub kept: usize,
    /// False if what was done could not be saved in the state.
    pub recorded: bool,
}

impl Default for Summary {
    fn default() -> Self {
        Self { destroy: false, unchanged: 0, kept: 0, recorded: true }
    }
}

impl Tally {
    /// Counts an event.
    pub(super) fn add(&mut self, event: &Event) {
        match event {
            Event::ResourceFinished { action, end, .. } => match end {
                ResourceEnd::Done => match action {
                    Action::Create => self.created += 1,
                    Action::Update => self.updated += 1,
                    Action::Adopt => self.adopted += 1,
                    Action::Delete => self.deleted += 1,
                    Action::Forget => self.forgotten += 1,
                    // Nothing was written for these.
                    Action::NoChange | Action::Keep | Action::Refuse => {}
                },
                ResourceEnd::Failed(_) => self.failed += 1,
                ResourceEnd::NotReady(_) => self.not_ready += 1,
                ResourceEnd::Moved(_) => self.moved += 1,
                ResourceEnd::Skipped { .. } => self.skipped += 1,
                ResourceEnd::NotStarted => self.not_started += 1,
                ResourceEnd::Unknown(_) => self.unknown += 1,
            },
            Event::CheckFinished { outcome, .. } => self.checks.add(outcome),
            Event::Stopping { .. } => self.stopped = true,
            _ => {}
        }
    }

    /// Returns how many resources were dealt with.
    fn done(&self) -> usize {
        self.created + self.updated + self.adopted + self.deleted + self.forgotten
    }

    fn is_complete(&self) -> bool {
        self.failed + self.not_ready + self.moved + self.skipped + self.not_started + self.unknown == 0
    }

    /// Returns one word for programs: `complete`, `checks_failed`, `interrupted` or `failed`. It goes with the exit code.
    pub(super) fn result_code(&self, summary: &Summary) -> &'static str {
        match (self.is_complete(), self.checks.failed) {
            _ if !summary.recorded => "failed",
            // Also where all resources were done: the checks that were left out could have failed.
            _ if self.stopped => "interrupted",
            (true, 0) => "complete",
            (true, _) => "checks_failed",
            (false, _) => "failed",
        }
    }

    /// Returns the last line of a run, which scripts may look for.
    pub(super) fn sentence(&self, summary: &Summary) -> String {
        let what = if summary.destroy { "Destroy" } else { "Apply" };
        let result = match self.result_code(summary) {
            "checks_failed" => format!("complete, but {} failed", counted(self.checks.failed, "check")),
            code => code.to_owned(),
        };
        let resources = if !self.is_complete() {
            let always = format!(
                "{} done, {} failed, {} skipped, {} not started",
                self.done(),
                self.failed,
                self.skipped,
                self.not_started
            );
            let rest = [(self.not_ready, "not ready"), (self.moved, "moved since the plan"), (self.unknown, "unknown")];
            always + &where_any(&rest)
        } else if summary.destroy {
            format!("{} deleted", self.deleted) + &where_any(&[(self.forgotten, "forgotten"), (summary.kept, "kept")])
        } else {
            let always = format!(
                "{} created, {} updated, {} deleted, {} unchanged",
                self.created, self.updated, self.deleted, summary.unchanged
            );
            always + &where_any(&[(self.adopted, "adopted"), (self.forgotten, "forgotten"), (summary.kept, "kept")])
        };
        let lost = if summary.recorded { "" } else { "; NOT all recorded" };
        format!("{what} {result}: {resources}{}{lost}.", self.checks_words())
    }

    fn checks_words(&self) -> String {
        let CheckCounts { passed, failed, skipped } = self.checks;
        if passed + failed + skipped == 0 {
            return String::new();
        }
        format!("; checks: {passed} passed{}", where_any(&[(failed, "failed"), (skipped, "skipped")]))
    }
}

/// Returns `, 2 kept` for each count that is not zero.
fn where_any(counts: &[(usize, &str)]) -> String {
    counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!(", {count} {word}")).collect()
}

#[cfg(test)]
pub(super) mod samples {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::resource::Address;
    use crate::verify::CheckOutcome;

    /// A writer that remembers.
    #[derive(Clone, Default)]
    pub(crate) struct Capture(Arc<Mutex<Vec<u8>>>);

    impl Capture {
        pub(crate) fn writer(&self) -> Box<dyn Write + Send> {
            Box::new(self.clone())
        }

        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Capture {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(crate) fn finished(address: &str, action: Action, end: ResourceEnd, seconds: u64) -> Event {
        Event::ResourceFinished {
            address: Address::from_text(address),
            action,
            end,
            elapsed: Duration::from_secs(seconds),
        }
    }

    pub(crate) fn checked(name: &str, outcome: CheckOutcome) -> Event {
        Event::CheckFinished { name: name.to_owned(), outcome, elapsed: Duration::from_millis(300) }
    }

    /// A run in which one of everything happens.
    pub(crate) fn events() -> Vec<Event> {
        let address = Address::from_text;
        vec![
            Event::RunStarted { resources: 3, checks: 3 },
            Event::ResourceStarted { address: address("postgres.StatefulSet/postgres"), action: Action::Create },
            Event::ResourceWritten { address: address("postgres.StatefulSet/postgres") },
            Event::ResourceWaiting {
                address: address("postgres.StatefulSet/postgres"),
                why: "0/1 replicas ready; postgres-0: image pull".to_owned(),
                elapsed: Duration::from_secs(10),
            },
            Event::ResourceStarted { address: address("redis.StatefulSet/redis"), action: Action::Update },
            finished("postgres.StatefulSet/postgres", Action::Create, ResourceEnd::Done, 12),
            Event::ResourceWritten { address: address("redis.StatefulSet/redis") },
            finished(
                "redis.StatefulSet/redis",
                Action::Update,
                ResourceEnd::NotReady("\u{1b}[2J crash loop".to_owned()),
                65,
            ),
            Event::Stopping { in_flight: 1 },
            Event::Note { text: "The right to watch pods is missing; listing them instead.".to_owned() },
            finished(
                "redis.Service/redis",
                Action::Create,
                ResourceEnd::Skipped { because_of: "redis.StatefulSet/redis".to_owned() },
                0,
            ),
            Event::CheckStarted { name: "postgres answers".to_owned() },
            checked("postgres answers", CheckOutcome::Passed),
            checked("redis answers", CheckOutcome::Failed("no pod is ready".to_owned())),
            checked("vector works", CheckOutcome::Skipped("no container can be asked here".to_owned())),
            Event::RunFinished { elapsed: Duration::from_secs(70) },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{checked, events, finished};
    use super::*;
    use crate::verify::CheckOutcome;

    fn tally(events: &[Event]) -> Tally {
        let mut tally = Tally::default();
        events.iter().for_each(|event| tally.add(event));
        tally
    }

    #[test]
    fn a_complete_run_counts_what_was_done() {
        let mut list = vec![finished("a", Action::Create, ResourceEnd::Done, 1); 12];
        list.extend(vec![checked("c", CheckOutcome::Passed); 8]);
        list.extend(vec![checked("c", CheckOutcome::Skipped(String::new())); 5]);
        let summary = Summary { unchanged: 3, ..Summary::default() };
        assert_eq!(
            tally(&list).sentence(&summary),
            "Apply complete: 12 created, 0 updated, 0 deleted, 3 unchanged; checks: 8 passed, 5 skipped."
        );
    }

    #[test]
    fn an_incomplete_run_says_what_was_left_undone() {
        assert_eq!(
            tally(&events()).sentence(&Summary::default()),
            "Apply interrupted: 1 done, 0 failed, 1 skipped, 0 not started, 1 not ready; checks: 1 passed, 1 failed, 1 skipped."
        );
        let moved = [finished("a", Action::Update, ResourceEnd::Moved(String::new()), 1)];
        assert_eq!(
            tally(&moved).sentence(&Summary::default()),
            "Apply failed: 0 done, 0 failed, 0 skipped, 0 not started, 1 moved since the plan."
        );
    }

    #[test]
    fn a_run_that_is_not_recorded_is_never_called_complete() {
        let list = [finished("a", Action::Create, ResourceEnd::Done, 1)];
        let summary = Summary { recorded: false, ..Summary::default() };
        assert_eq!(
            tally(&list).sentence(&summary),
            "Apply failed: 1 created, 0 updated, 0 deleted, 0 unchanged; NOT all recorded."
        );
    }

    #[test]
    fn failed_checks_alone_do_not_call_the_apply_failed() {
        let list = [checked("c", CheckOutcome::Failed(String::new()))];
        assert_eq!(
            tally(&list).sentence(&Summary::default()),
            "Apply complete, but 1 check failed: 0 created, 0 updated, 0 deleted, 0 unchanged; checks: 0 passed, 1 failed."
        );
    }

    #[test]
    fn a_stop_and_a_destroy_have_words_of_their_own() {
        let list = [Event::Stopping { in_flight: 1 }, finished("a", Action::Create, ResourceEnd::NotStarted, 0)];
        assert_eq!(
            tally(&list).sentence(&Summary::default()),
            "Apply interrupted: 0 done, 0 failed, 0 skipped, 1 not started."
        );
        let list = [
            finished("a", Action::Create, ResourceEnd::Done, 0),
            Event::Stopping { in_flight: 1 },
            checked("c", CheckOutcome::Skipped("the run was stopped".to_owned())),
        ];
        assert_eq!(
            tally(&list).sentence(&Summary::default()),
            "Apply interrupted: 1 created, 0 updated, 0 deleted, 0 unchanged; checks: 0 passed, 1 skipped."
        );
        let list =
            [finished("a", Action::Create, ResourceEnd::Failed(String::new()), 0), Event::Stopping { in_flight: 1 }];
        assert_eq!(tally(&list).result_code(&Summary::default()), "interrupted");
        let list = vec![finished("a", Action::Delete, ResourceEnd::Done, 0); 8];
        let summary = Summary { destroy: true, kept: 3, ..Summary::default() };
        assert_eq!(tally(&list).sentence(&summary), "Destroy complete: 8 deleted, 3 kept.");
    }
}
