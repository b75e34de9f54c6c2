//! What is wrong with a text, and where. Problems are collected, never thrown one by one.

use super::Spot;

/// Where something stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// The file as it was named, or `<stdin>`.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, and somebody should look at this.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// The file, or the flag or variable that the text came from.
    pub file: String,
    /// Where in the file; line 0 where there is no text to show.
    pub at: Spot,
    /// What would help.
    pub hint: Option<String>,
    /// True if the line must not be shown, because it may hold a secret.
    pub concealed: bool,
}

impl Problem {
    /// Makes an error.
    pub fn error(file: impl Into<String>, at: Spot, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), file: file.into(), at, hint: None, concealed: false }
    }

    /// Makes a warning.
    pub fn warning(file: impl Into<String>, at: Spot, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(file, at, message) }
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a hint, if there is one.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Keeps the line out of what is shown.
    #[must_use]
    pub fn conceal(mut self, concealed: bool) -> Self {
        self.concealed = self.concealed || concealed;
        self
    }
}

/// All problems that were found, of all files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems {
    problems: Vec<Problem>,
}

impl Problems {
    /// Adds one. The same problem at the same place counts once.
    pub fn push(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, other: Self) {
        other.problems.into_iter().for_each(|problem| self.push(problem));
    }

    /// Returns them in the order in which they are shown.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }

    /// Tells whether there are none, warnings included.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Returns how many there are, warnings included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Returns how many of them are errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// Tells whether one of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// Puts them in the order of the files in `sources`, and of lines and columns within a file. What belongs to no file
    /// comes first.
    pub fn sort(&mut self, sources: &Sources) {
        self.problems.sort_by_key(|problem| (sources.index_of(&problem.file).map_or(0, |index| index + 1), problem.at));
    }
}

/// The texts that problems point into, in the order in which they were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources {
    texts: Vec<(String, String)>,
}

impl Sources {
    /// Adds a text under the name of its file.
    pub fn add(&mut self, file: impl Into<String>, text: impl Into<String>) {
        let file = file.into();
        if self.index_of(&file).is_none() {
            self.texts.push((file, text.into()));
        }
    }

    fn index_of(&self, file: &str) -> Option<usize> {
        self.texts.iter().position(|(name, _)| name == file)
    }

    /// Returns a text.
    #[must_use]
    pub fn text(&self, file: &str) -> Option<&str> {
        self.texts.iter().find(|(name, _)| name == file).map(|(_, text)| text.as_str())
    }

    /// Returns one line of a text, counted from 1.
    #[must_use]
    pub fn line(&self, file: &str, line: usize) -> Option<&str> {
        self.text(file)?.lines().nth(line.checked_sub(1)?)
    }
}
