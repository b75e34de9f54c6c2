//! How deep an expression is, before it is read: reading goes as deep as the expression does.

use std::iter::Peekable;
use std::str::Chars;

/// What is open at a place: how deep it may have become by the operators so far.
#[derive(Default)]
struct Level {
    choices: usize,
    relations: usize,
    sums: usize,
    members: usize,
}

impl Level {
    fn depth(&self) -> usize {
        self.choices + self.relations + self.sums + self.members
    }
}

/// How deep an expression is at its deepest place.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Depth {
    pub(super) all: usize,
    /// What of that is brackets and choices.
    pub(super) nested: usize,
}

impl Depth {
    /// Looks how deep an expression is.
    ///
    /// Brackets count, and so do operators whose left side holds all that came before: `1 + 1 + 1` is as deep as it is
    /// long. `&&`, `||` and commas put their parts side by side.
    pub(super) fn of(expression: &str) -> Self {
        let (mut outer, mut here) = (Vec::new(), Level::default());
        let (mut around, mut deepest) = (Self::default(), Self::default());
        let mut letters = expression.chars().peekable();
        let mut before = ' ';
        while let Some(letter) = letters.next() {
            let next = letters.peek().copied();
            match letter {
                '\'' | '"' => skip_text(letter, matches!(before, 'r' | 'R'), &mut letters),
                '/' if next == Some('/') => {
                    letters.by_ref().find(|letter| *letter == '\n');
                }
                '(' | '[' | '{' => {
                    here.members += 1;
                    outer.push((std::mem::take(&mut here), around));
                    if let Some((parent, _)) = outer.last() {
                        around.all += parent.depth();
                        around.nested += parent.choices + 1;
                    }
                }
                ')' | ']' | '}' => {
                    if let Some(parent) = outer.pop() {
                        (here, around) = parent;
                    }
                }
                '?' => here = Level { choices: here.choices + 1, ..Level::default() },
                ',' => here = Level::default(),
                ':' | '&' | '|' => here = Level { choices: here.choices, ..Level::default() },
                '=' | '<' | '>' | '!' if letter != '!' || next == Some('=') => {
                    letters.next_if_eq(&'=');
                    here = Level { choices: here.choices, relations: here.relations + 1, ..Level::default() };
                }
                '+' | '-' | '*' | '/' | '%' => {
                    here.sums += 1;
                    here.members = 0;
                }
                '.' => here.members += 1,
                _ => {}
            }
            before = letter;
            let all = around.all + here.depth();
            if all > deepest.all {
                deepest = Self { all, nested: around.nested + here.choices };
            }
        }
        deepest
    }
}

/// Skips the rest of a text, which begins and ends with one quotation mark or three.
fn skip_text(quote: char, is_raw: bool, letters: &mut Peekable<Chars<'_>>) {
    let mut marks = 1;
    while marks < 3 && letters.next_if_eq(&quote).is_some() {
        marks += 1;
    }
    if marks == 2 {
        return;
    }
    let mut met = 0;
    while let Some(letter) = letters.next() {
        met = if letter == quote { met + 1 } else { 0 };
        if met == marks {
            return;
        }
        if letter == '\\' && !is_raw {
            letters.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(expression: &str) -> usize {
        Depth::of(expression).all
    }

    #[test]
    fn what_is_nested_is_deep_and_what_stands_side_by_side_is_not() {
        assert_eq!(depth("a"), 0);
        assert_eq!(depth(")))"), 0);
        assert_eq!(depth("a.b.c == 'x' && d.e"), 2);
        assert!(depth(&vec!["a.b == 1"; 1000].join(" && ")) < 5);
        assert!(depth(&format!("[{}]", vec!["1"; 1000].join(", "))) < 5);
        assert!(depth(&"(".repeat(1000)) >= 1000);
        assert!(depth(&vec!["1"; 1000].join(" + ")) >= 999);
        assert!(depth(&format!("'{}' + \"{}\"", "(".repeat(1000), "+".repeat(1000))) < 5);
        assert!(depth(&format!(r"r'\' + '{}'", "(".repeat(1000))) < 5);
        assert!(depth(&format!("true // {}", "(".repeat(1000))) < 5);
    }
}
