//! Differences that are meant to be, or that we live with: of which command, why, and in which lines.

use std::path::Path;

use regex::Regex;
use serde::Deserialize;

use super::difference::{Difference, Line};

/// One command that may differ, and how.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    pub script: String,
    pub command: String,
    #[expect(dead_code, reason = "who reads the table needs it")]
    reason: String,
    /// Patterns of whole lines that only the cluster says.
    #[serde(default)]
    theirs: Vec<Pattern>,
    /// Patterns of whole lines that only the sandbox says.
    #[serde(default)]
    ours: Vec<Pattern>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Pattern(Regex);

impl TryFrom<String> for Pattern {
    type Error = regex::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Ok(Self(Regex::new(&format!("^(?:{text})$"))?))
    }
}

impl Known {
    /// Reads the table.
    pub fn all(folder: &Path) -> Vec<Self> {
        super::read(&folder.join("known.yaml"))
    }

    /// Tells whether the entry is of that command.
    pub fn is_of(&self, script: &str, command: &str) -> bool {
        self.script == script && self.command == command
    }

    /// Tells whether each line that differs is one that may.
    pub fn explains(&self, difference: &Difference) -> bool {
        difference.lines.iter().all(|line| {
            let (patterns, text) = match line {
                Line::Theirs(text) => (&self.theirs, text),
                Line::Ours(text) => (&self.ours, text),
            };
            patterns.iter().any(|pattern| pattern.0.is_match(text.trim_start()))
        })
    }
}
