//! The live form for a terminal: what is in flight at the bottom, each with its cause; what is done above, for good.
//!
//! The one clock of this folder is in here: indicatif's own, which turns the spinners and counts the seconds beside them.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::unwrapped;
use super::words::{InFlight, lasting_line};
use crate::event::Event;
use crate::report::line::Line;
use crate::report::style::{Options, Palette};
use crate::report::words::action_words;
use crate::resource::Address;

/// Drawings a second: smooth to the eye, and little to send over a slow line.
const DRAWINGS_A_SECOND: u8 = 10;

/// Columns of a row beside its message: the spinner before it, the seconds after it.
const ROW_FRAME: usize = 7;

pub(super) struct Tree {
    screen: Screen,
    bars: MultiProgress,
    total: ProgressBar,
    running: BTreeMap<Address, ProgressBar>,
    checks: BTreeMap<String, ProgressBar>,
    in_flight: InFlight,
    /// Causes that no row had room for, as they were last told in full.
    told: BTreeMap<Address, String>,
    palette: Palette,
}

impl Tree {
    pub(super) fn new(out: Box<dyn Write + Send>, width: Box<dyn Fn() -> u16 + Send + Sync>, palette: Palette) -> Self {
        let canvas = Canvas { out, pending: Vec::new(), error: None };
        let screen = Screen { canvas: Arc::new(Mutex::new(canvas)), width: Arc::from(width) };
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), DRAWINGS_A_SECOND);
        let bars = MultiProgress::with_draw_target(target);
        let total = bars.add(ProgressBar::no_length());
        total.set_style(style("{bar:30} {pos}/{len}"));
        Self {
            screen,
            bars,
            total,
            running: BTreeMap::new(),
            checks: BTreeMap::new(),
            in_flight: InFlight::default(),
            told: BTreeMap::new(),
            palette,
        }
    }

    pub(super) fn report(&mut self, event: &Event) -> io::Result<()> {
        let lasting = lasting_line(event);
        self.in_flight.follow(event);
        match event {
            Event::RunStarted { resources, checks } => {
                self.total.set_length((resources + checks) as u64);
                self.total.tick();
            }
            Event::ResourceStarted { address, action } => {
                let line = Line::new().text(format!("{address}: {}…", action_words(*action).doing));
                let row = self.add_row(&line);
                if let Some(earlier) = self.running.insert(address.clone(), row) {
                    self.remove_row(&earlier);
                }
            }
            Event::ResourceWaiting { address, why, .. } => {
                if let Some(row) = self.running.get(address) {
                    let line = Line::new().text(format!("{address}: {}: {why}", self.in_flight.doing(address)));
                    row.set_message(self.text(&line));
                    let is_cut = line.width() + ROW_FRAME > usize::from(self.screen.width());
                    if is_cut && self.told.insert(address.clone(), why.clone()).as_ref() != Some(why) {
                        // The end of a cause says most.
                        let line = Line::new().text(format!("{address}: waiting: {why}"));
                        self.bars.println(self.wrapped(&line))?;
                    }
                }
            }
            Event::ResourceFinished { address, .. } => {
                if let Some(row) = self.running.remove(address) {
                    self.remove_row(&row);
                }
                self.total.inc(1);
            }
            Event::CheckStarted { name } => {
                let row = self.add_row(&Line::new().text(format!("check {name}…")));
                if let Some(earlier) = self.checks.insert(name.clone(), row) {
                    self.remove_row(&earlier);
                }
            }
            Event::CheckFinished { name, .. } => {
                if let Some(row) = self.checks.remove(name) {
                    self.remove_row(&row);
                }
                self.total.inc(1);
            }
            Event::RunFinished { .. } => self.clear(),
            Event::ResourceWritten { .. } | Event::Stopping { .. } | Event::Note { .. } => {}
        }
        if let Some(line) = lasting {
            self.bars.println(self.wrapped(&line))?;
        }
        // indicatif itself says nothing when a drawing fails.
        self.screen.take_error().map_or(Ok(()), Err)
    }

    pub(super) fn finish(&mut self, summary: &Line) -> io::Result<()> {
        self.clear();
        self.screen.draw(&format!("{}\n", self.text(summary)))?;
        self.screen.send()
    }

    fn text(&self, line: &Line) -> String {
        line.one_line(&unwrapped(self.palette))
    }

    /// A line that stays wraps between its words: the terminal itself would wrap within them.
    fn wrapped(&self, line: &Line) -> String {
        let options = Options { palette: self.palette, ..Options::plain(usize::from(self.screen.width())) };
        let mut text = String::new();
        line.write(&mut text, &options, 0, 4);
        text.truncate(text.trim_end_matches('\n').len());
        text
    }

    fn add_row(&self, line: &Line) -> ProgressBar {
        let row = self.bars.insert_before(&self.total, ProgressBar::new_spinner());
        row.set_style(style("{spinner} {wide_msg} {elapsed:>4}"));
        row.set_message(self.text(line));
        row.enable_steady_tick(Duration::from_millis(1000 / u64::from(DRAWINGS_A_SECOND)));
        row
    }

    fn remove_row(&self, row: &ProgressBar) {
        row.finish_and_clear();
        self.bars.remove(row);
    }

    fn clear(&mut self) {
        for row in std::mem::take(&mut self.running).into_values().chain(std::mem::take(&mut self.checks).into_values())
        {
            self.remove_row(&row);
        }
        self.total.finish_and_clear();
    }
}

/// The templates are our own constants; indicatif's plain style serves if one were wrong.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// A terminal behind any writer, for indicatif, which otherwise finds and asks the process's own.
#[derive(Clone)]
struct Screen {
    canvas: Arc<Mutex<Canvas>>,
    width: Arc<dyn Fn() -> u16 + Send + Sync>,
}

struct Canvas {
    out: Box<dyn Write + Send>,
    /// What is drawn, and not yet sent: a whole drawing is one write, which does not flicker.
    pending: Vec<u8>,
    /// The first error, kept for the next report.
    error: Option<io::Error>,
}

impl Screen {
    fn draw(&self, text: &str) -> io::Result<()> {
        self.canvas.lock().unwrap_or_else(PoisonError::into_inner).pending.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn send(&self) -> io::Result<()> {
        let mut canvas = self.canvas.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = std::mem::take(&mut canvas.pending);
        let result = canvas.out.write_all(&pending).and_then(|()| canvas.out.flush());
        if let Err(error) = &result {
            let kept = io::Error::from(error.kind());
            canvas.error.get_or_insert(kept);
        }
        result
    }

    fn take_error(&self) -> Option<io::Error> {
        self.canvas.lock().unwrap_or_else(PoisonError::into_inner).error.take()
    }

    fn move_cursor(&self, count: usize, direction: char) -> io::Result<()> {
        if count == 0 { Ok(()) } else { self.draw(&format!("\u{1b}[{count}{direction}")) }
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screen")
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        (self.width)().max(1)
    }

    fn move_cursor_up(&self, count: usize) -> io::Result<()> {
        self.move_cursor(count, 'A')
    }

    fn move_cursor_down(&self, count: usize) -> io::Result<()> {
        self.move_cursor(count, 'B')
    }

    fn move_cursor_right(&self, count: usize) -> io::Result<()> {
        self.move_cursor(count, 'C')
    }

    fn move_cursor_left(&self, count: usize) -> io::Result<()> {
        self.move_cursor(count, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.draw(text)?;
        self.draw("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.draw(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.draw("\r\u{1b}[2K")
    }

    fn flush(&self) -> io::Result<()> {
        self.send()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::samples::{Capture, events};
    use super::super::{Reporter, Summary};
    use super::*;

    const COLUMNS: usize = 120;

    /// Returns what stands on a terminal of endless height after `text` was sent to it.
    fn on_screen(text: &str) -> String {
        let mut rows: Vec<Vec<char>> = vec![Vec::new()];
        let (mut row, mut column) = (0_usize, 0_usize);
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\r' => column = 0,
                '\n' => (row, column) = (row + 1, 0),
                '\u{1b}' => {
                    let mut code = String::new();
                    while !code.ends_with(|end: char| end.is_ascii_alphabetic()) {
                        code.extend(characters.next().filter(|character| *character != '['));
                    }
                    let (count, kind) = code.split_at(code.len() - 1);
                    let count = count.parse().unwrap_or(0);
                    match kind {
                        "A" => row -= count,
                        "B" => row += count,
                        "K" => rows[row].clear(),
                        _ => panic!("unexpected escape {code}"),
                    }
                }
                _ => {
                    // A full row wraps once the next character comes; indicatif relies on that and sends no newlines.
                    if column == COLUMNS {
                        (row, column) = (row + 1, 0);
                        rows.resize(rows.len().max(row + 1), Vec::new());
                    }
                    let length = rows[row].len().max(column + 1);
                    rows[row].resize(length, ' ');
                    rows[row][column] = character;
                    column += 1;
                }
            }
            rows.resize(rows.len().max(row + 1), Vec::new());
        }
        let lines: Vec<String> =
            rows.into_iter().map(|row| row.into_iter().collect::<String>().trim_end().to_owned()).collect();
        lines.join("\n").trim_end().to_owned()
    }

    #[test]
    fn what_is_done_stays_and_what_was_in_flight_goes() {
        let capture = Capture::default();
        let mut reporter = Reporter::tree(capture.writer(), || COLUMNS as u16, Palette::plain());
        for event in events() {
            reporter.report(&event).unwrap();
        }
        reporter.report(&Event::Note { text: "The state is saved.".to_owned() }).unwrap();
        reporter.finish(&Summary::default()).unwrap();
        insta::assert_snapshot!(on_screen(&capture.text()), @r#"
        postgres.StatefulSet/postgres: created after 12s
        redis.StatefulSet/redis: updated, but NOT READY after 1m05s: \u{1b}[2J crash loop
        stopping: what is under way (1) will be finished and saved; interrupt again to stop now
        note: The right to watch pods is missing; listing them instead.
        redis.Service/redis: skipped, since it waits for redis.StatefulSet/redis
        check postgres answers: passed
        check redis answers: FAILED: no pod is ready
        check vector works: SKIPPED: no container can be asked here
        note: The state is saved.
        Apply interrupted: 1 done, 0 failed, 1 skipped, 0 not started, 1 not ready; checks: 1 passed, 1 failed, 1 skipped.
        "#);
    }

    #[test]
    fn what_stays_wraps_between_words() {
        let capture = Capture::default();
        let mut reporter = Reporter::tree(capture.writer(), || COLUMNS as u16, Palette::plain());
        let why = "no command can be run in the pod: the server failed to run a command in Pod default/postgres-0, \
                   since no preferred addresses were found among those that are known of its node";
        let outcome = crate::verify::CheckOutcome::Skipped(why.to_owned());
        let name = "postgres answers".to_owned();
        reporter.report(&Event::CheckFinished { name, outcome, elapsed: Duration::ZERO }).unwrap();
        reporter.finish(&Summary::default()).unwrap();
        let text = on_screen(&capture.text());
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!(why.split_whitespace().all(|word| words.contains(&word)), "{text}");
        assert!(text.lines().count() > 2, "{text}");
    }

    #[test]
    fn a_cause_that_its_row_cuts_is_told_once_in_full() {
        let capture = Capture::default();
        let mut reporter = Reporter::tree(capture.writer(), || COLUMNS as u16, Palette::plain());
        let address = Address::from_text("a.Deployment/a");
        let waiting = |why: &str| Event::ResourceWaiting {
            address: address.clone(),
            why: why.to_owned(),
            elapsed: Duration::from_secs(10),
        };
        let long = format!("{}; unschedulable", "x".repeat(COLUMNS));
        let started = Event::ResourceStarted { address: address.clone(), action: crate::plan::Action::Create };
        for event in [started, waiting("short"), waiting(&long), waiting(&long)] {
            reporter.report(&event).unwrap();
        }
        reporter.finish(&Summary::default()).unwrap();
        assert_eq!(on_screen(&capture.text()).matches("unschedulable").count(), 1);
    }

    #[test]
    fn what_is_in_flight_shows_its_cause_and_the_bar_counts() {
        let capture = Capture::default();
        let mut reporter = Reporter::tree(capture.writer(), || COLUMNS as u16, Palette::plain());
        for event in events().iter().take(7) {
            reporter.report(event).unwrap();
        }
        let text = on_screen(&capture.text());
        assert!(text.contains("redis.StatefulSet/redis: updating…"), "{text}");
        assert!(text.ends_with("1/6"), "{text}");
        assert!(!text.contains("postgres: creating"), "{text}");
    }
}
