//! Plain lines, for CI and for logs: nothing is ever rewritten.

use std::io::{self, Write};

use super::unwrapped;
use super::words::{InFlight, lasting_line, passing_line};
use crate::event::Event;
use crate::report::line::Line;
use crate::report::style::Palette;

pub(super) struct Lines {
    out: Box<dyn Write + Send>,
    palette: Palette,
    in_flight: InFlight,
}

impl Lines {
    pub(super) fn new(out: Box<dyn Write + Send>, palette: Palette) -> Self {
        Self { out, palette, in_flight: InFlight::default() }
    }

    pub(super) fn report(&mut self, event: &Event) -> io::Result<()> {
        self.in_flight.follow(event);
        let line = lasting_line(event).or_else(|| passing_line(event, &self.in_flight));
        line.map_or(Ok(()), |line| self.write(&line))
    }

    pub(super) fn write(&mut self, line: &Line) -> io::Result<()> {
        // One write a line: other programs may write to the same log.
        self.out.write_all(format!("{}\n", line.one_line(&unwrapped(self.palette))).as_bytes())?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::samples::{Capture, events};
    use super::super::{Reporter, Summary};
    use super::*;

    #[test]
    fn a_run_reads_as_a_log() {
        let capture = Capture::default();
        let mut reporter = Reporter::lines(capture.writer(), Palette::plain());
        for event in events() {
            reporter.report(&event).unwrap();
        }
        reporter.finish(&Summary::default()).unwrap();
        insta::assert_snapshot!(capture.text(), @r#"
        3 resources and 3 checks to go
        postgres.StatefulSet/postgres: creating…
        postgres.StatefulSet/postgres: still creating (10s): 0/1 replicas ready; postgres-0: image pull
        redis.StatefulSet/redis: updating…
        postgres.StatefulSet/postgres: created after 12s
        redis.StatefulSet/redis: updated, but NOT READY after 1m05s: \u{1b}[2J crash loop
        stopping: what is under way (1) will be finished and saved; interrupt again to stop now
        note: The right to watch pods is missing; listing them instead.
        redis.Service/redis: skipped, since it waits for redis.StatefulSet/redis
        check postgres answers: passed
        check redis answers: FAILED: no pod is ready
        check vector works: SKIPPED: no container can be asked here
        Apply interrupted: 1 done, 0 failed, 1 skipped, 0 not started, 1 not ready; checks: 1 passed, 1 failed, 1 skipped.
        "#);
    }
}
