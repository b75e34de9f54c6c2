//! The lines of which one text has more than another.

use std::fmt;

/// A line that only one side has.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// The cluster.
    Theirs(String),
    /// The sandbox.
    Ours(String),
}

/// All lines that only one side has, in their order.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    pub lines: Vec<Line>,
}

impl Difference {
    pub fn between(theirs: &str, ours: &str) -> Self {
        let (theirs, ours): (Vec<&str>, Vec<&str>) = (theirs.lines().collect(), ours.lines().collect());
        // Lengths of the longest common subsequence of what remains from each pair of places.
        let mut common = vec![vec![0_usize; ours.len() + 1]; theirs.len() + 1];
        for (i, their) in theirs.iter().enumerate().rev() {
            for (j, our) in ours.iter().enumerate().rev() {
                common[i][j] =
                    if their == our { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
            }
        }
        let (mut i, mut j, mut lines) = (0, 0, Vec::new());
        while i < theirs.len() || j < ours.len() {
            if i < theirs.len() && j < ours.len() && theirs[i] == ours[j] {
                (i, j) = (i + 1, j + 1);
            } else if j == ours.len() || (i < theirs.len() && common[i + 1][j] >= common[i][j + 1]) {
                lines.push(Line::Theirs(theirs[i].to_owned()));
                i += 1;
            } else {
                lines.push(Line::Ours(ours[j].to_owned()));
                j += 1;
            }
        }
        Self { lines }
    }
}

/// `-` is the cluster's, `+` the sandbox's.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            match line {
                Line::Theirs(text) => writeln!(f, "-{text}")?,
                Line::Ours(text) => writeln!(f, "+{text}")?,
            }
        }
        Ok(())
    }
}
