//! What is seen while a plan is carried out: a tree that fills in on a terminal, plain lines elsewhere, JSON lines for
//! programs, or nothing.
//!
//! A reporter counts what it is told and ends with one summary line. It never stops a run itself: a writer that fails (a
//! closed pipe) is an `Err` for whoever reports, and from then on nothing more is written.

mod json;
mod lines;
mod tally;
mod tree;
mod words;

use std::io::{self, Write};

use self::json::JsonLines;
use self::lines::Lines;
pub use self::tally::Summary;
use self::tally::Tally;
use self::tree::Tree;
use super::line::Line;
use super::style::{Meaning, Options, Palette};
use crate::event::{Event, ResourceEnd};
use crate::verify::CheckOutcome;

/// Options for a line that is never wrapped.
fn unwrapped(palette: Palette) -> Options {
    Options { palette, ..Options::plain(usize::MAX) }
}

enum Form {
    Tree(Tree),
    Lines(Lines),
    Json(JsonLines),
    /// Only what went wrong, and the summary.
    Quiet(Lines),
}

/// Renders events in one of four forms, and counts them.
pub struct Reporter {
    form: Form,
    tally: Tally,
    broken: bool,
}

impl Reporter {
    fn new(form: Form) -> Self {
        Self { form, tally: Tally::default(), broken: false }
    }

    /// Makes the form for a terminal. `width` is asked before each drawing, so that it may follow the window; it must be the
    /// terminal's real one, since rows end by wrapping there.
    pub fn tree(out: Box<dyn Write + Send>, width: impl Fn() -> u16 + Send + Sync + 'static, palette: Palette) -> Self {
        Self::new(Form::Tree(Tree::new(out, Box::new(width), palette)))
    }

    /// Makes the form for logs: one line a fact, never rewritten.
    #[must_use]
    pub fn lines(out: Box<dyn Write + Send>, palette: Palette) -> Self {
        Self::new(Form::Lines(Lines::new(out, palette)))
    }

    /// Makes the form for programs: one JSON object a line.
    #[must_use]
    pub fn json(out: Box<dyn Write + Send>) -> Self {
        Self::new(Form::Json(JsonLines::new(out)))
    }

    /// Makes the form that says only what went wrong, and the summary.
    #[must_use]
    pub fn quiet(out: Box<dyn Write + Send>, palette: Palette) -> Self {
        Self::new(Form::Quiet(Lines::new(out, palette)))
    }

    /// Takes notice of an event and shows it.
    ///
    /// # Errors
    /// The writer's error, once. Later events are still counted.
    pub fn report(&mut self, event: &Event) -> io::Result<()> {
        self.tally.add(event);
        self.attempt(|form| match form {
            Form::Tree(tree) => tree.report(event),
            Form::Lines(lines) => lines.report(event),
            Form::Json(json) => json.report(event),
            Form::Quiet(lines) if is_trouble(event) => lines.report(event),
            Form::Quiet(_) => Ok(()),
        })
    }

    /// Ends the display and writes the summary, the last line.
    ///
    /// # Errors
    /// The writer's error, unless it was told before.
    pub fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let tally = self.tally;
        self.attempt(|form| {
            let meaning = if tally.result_code(summary) == "complete" { Meaning::Good } else { Meaning::Bad };
            let line = Line::new().paint(meaning, tally.sentence(summary));
            match form {
                Form::Tree(tree) => tree.finish(&line),
                Form::Lines(lines) | Form::Quiet(lines) => lines.write(&line),
                Form::Json(json) => json.finish(&tally, summary),
            }
        })
    }

    fn attempt(&mut self, write: impl FnOnce(&mut Form) -> io::Result<()>) -> io::Result<()> {
        if self.broken {
            return Ok(());
        }
        let result = write(&mut self.form);
        self.broken = result.is_err();
        result
    }
}

/// Tells whether an event is something that went wrong.
fn is_trouble(event: &Event) -> bool {
    match event {
        Event::ResourceFinished { end, .. } => *end != ResourceEnd::Done,
        Event::CheckFinished { outcome, .. } => matches!(outcome, CheckOutcome::Failed(_)),
        Event::Stopping { .. } => true,
        _ => false,
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("tally", &self.tally).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::tally::samples::{Capture, events};
    use super::*;

    #[test]
    fn every_form_counts_the_same() {
        let capture = Capture::default();
        let forms = [
            Reporter::tree(capture.writer(), || 80, Palette::plain()),
            Reporter::lines(capture.writer(), Palette::plain()),
            Reporter::json(capture.writer()),
            Reporter::quiet(capture.writer(), Palette::plain()),
        ];
        for mut reporter in forms {
            for event in events() {
                reporter.report(&event).unwrap();
            }
            assert_eq!((reporter.tally.created, reporter.tally.not_ready, reporter.tally.skipped), (1, 1, 1));
        }
    }

    #[test]
    fn a_quiet_run_says_what_went_wrong_and_its_last_line() {
        let capture = Capture::default();
        let mut reporter = Reporter::quiet(capture.writer(), Palette::plain());
        for event in events() {
            reporter.report(&event).unwrap();
        }
        reporter.finish(&Summary::default()).unwrap();
        insta::assert_snapshot!(capture.text(), @r#"
        redis.StatefulSet/redis: updated, but NOT READY after 1m05s: \u{1b}[2J crash loop
        stopping: what is under way (1) will be finished and saved; interrupt again to stop now
        redis.Service/redis: skipped, since it waits for redis.StatefulSet/redis
        check redis answers: FAILED: no pod is ready
        Apply interrupted: 1 done, 0 failed, 1 skipped, 0 not started, 1 not ready; checks: 1 passed, 1 failed, 1 skipped.
        "#);
    }

    #[test]
    fn a_closed_pipe_is_told_once_and_then_left_alone() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for mut reporter in [
            Reporter::lines(Box::new(Closed), Palette::plain()),
            Reporter::json(Box::new(Closed)),
            Reporter::tree(Box::new(Closed), || 80, Palette::plain()),
        ] {
            let results: Vec<_> = events().iter().map(|event| reporter.report(event)).collect();
            let errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
            assert_eq!(errors.iter().map(io::Error::kind).collect::<Vec<_>>(), [io::ErrorKind::BrokenPipe]);
            assert!(reporter.finish(&Summary::default()).is_ok());
            assert_eq!(reporter.tally.not_ready, 1);
        }
    }
}
