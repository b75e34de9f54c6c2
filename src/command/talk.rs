//! Where commands write: data to standard output, talk to standard error.

use std::io::{self, Write as _};

use crate::cli::Talk;
use crate::report::{Options, Palette};

/// The two streams, and how they are to be used.
pub(super) struct Streams {
    pub(super) talk: Talk,
}

impl Streams {
    /// Writes data to standard output.
    pub(super) fn data(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    /// Writes talk to standard error, unless `-q` was given. That nobody reads it is no reason to stop.
    pub(super) fn say(&self, text: &str) {
        if self.talk.verbosity >= 0 {
            self.insist(text);
        }
    }

    /// Writes to standard error even with `-q`.
    pub(super) fn insist(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// How text for standard output is to look.
    pub(super) fn data_options(&self) -> Options {
        self.options(self.talk.color_stdout)
    }

    /// How text for standard error is to look.
    pub(super) fn talk_options(&self) -> Options {
        self.options(self.talk.color_stderr)
    }

    fn options(&self, color: bool) -> Options {
        Options {
            palette: if color { Palette::color() } else { Palette::plain() },
            width: self.talk.width,
            verbose: self.talk.verbosity > 0,
        }
    }
}
