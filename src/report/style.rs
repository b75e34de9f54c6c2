//! Colours by meaning, and the few choices that every text form takes.

use anstyle::{AnsiColor, Style};

use crate::plan::Action;

/// What a piece of text means. Colour never says anything that the text does not say as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Meaning {
    /// Just text.
    Plain,
    /// Something comes into being.
    Create,
    /// Something changes.
    Update,
    /// Something goes.
    Delete,
    /// Something that exists comes under our care.
    Adopt,
    /// Something stays although one might expect otherwise.
    Keep,
    /// Somebody else's hand: taken back, in conflict, drifted.
    Foreign,
    /// It worked.
    Good,
    /// It did not, or may not.
    Bad,
    /// Worth a look.
    Warning,
    /// A heading.
    Strong,
    /// Less important.
    Quiet,
}

impl Meaning {
    /// Returns what an action means.
    pub(super) fn of(action: Action) -> Self {
        match action {
            Action::NoChange => Self::Quiet,
            Action::Create => Self::Create,
            Action::Update => Self::Update,
            Action::Adopt => Self::Adopt,
            Action::Delete => Self::Delete,
            Action::Keep => Self::Keep,
            Action::Forget => Self::Quiet,
            Action::Refuse => Self::Bad,
        }
    }
}

/// Colours, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    colour: bool,
}

impl Palette {
    /// Returns the palette without colours.
    #[must_use]
    pub const fn plain() -> Self {
        Self { colour: false }
    }

    /// Returns the palette with the terminal's own sixteen colours, which its user has made readable.
    #[must_use]
    pub const fn color() -> Self {
        Self { colour: true }
    }

    fn style(self, meaning: Meaning) -> Style {
        let colour = |colour: AnsiColor| colour.on_default();
        match meaning {
            Meaning::Plain => Style::new(),
            Meaning::Create | Meaning::Good => colour(AnsiColor::Green),
            Meaning::Update | Meaning::Warning => colour(AnsiColor::Yellow),
            Meaning::Delete | Meaning::Bad => colour(AnsiColor::Red).bold(),
            Meaning::Adopt => colour(AnsiColor::Cyan),
            Meaning::Keep => colour(AnsiColor::Blue),
            Meaning::Foreign => colour(AnsiColor::Magenta),
            Meaning::Strong => Style::new().bold(),
            Meaning::Quiet => Style::new().dimmed(),
        }
    }

    /// Returns `text` in the colour of its meaning.
    pub(super) fn paint(self, meaning: Meaning, text: &str) -> String {
        if !self.colour || meaning == Meaning::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = self.style(meaning);
        format!("{style}{text}{style:#}")
    }
}

/// How a text form is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Colours, or none.
    pub palette: Palette,
    /// Columns to fill. `usize::MAX` never wraps and never shortens.
    pub width: usize,
    /// True to list what is otherwise only counted.
    pub verbose: bool,
}

impl Options {
    /// Returns options without colour and without `verbose`.
    #[must_use]
    pub const fn plain(width: usize) -> Self {
        Self { palette: Palette::plain(), width, verbose: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_nothing_is_added() {
        assert_eq!(Palette::plain().paint(Meaning::Delete, "gone"), "gone");
        assert_eq!(Palette::color().paint(Meaning::Plain, "text"), "text");
    }

    #[test]
    fn colours_are_ended_where_they_began() {
        assert_eq!(Palette::color().paint(Meaning::Create, "+"), "\u{1b}[32m+\u{1b}[0m");
    }
}
