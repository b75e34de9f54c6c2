//! Problems as people read them: what, where, the line itself, a caret, a hint.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Problem, Problems, Severity, Sources};

/// Returns all problems as text, each followed by an empty line. Lines that may hold a secret are left out, of those that
/// are wider than `width` columns only the part around the caret is shown.
#[must_use]
pub fn render(problems: &Problems, sources: &Sources, color: bool, width: usize) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width);
    let mut sorted = problems.clone();
    sorted.sort(sources);
    let mut text = String::new();
    for problem in sorted.iter() {
        text.push_str(&renderer.render(&[group(problem, sources)]));
        text.push_str("\n\n");
    }
    text
}

fn group<'a>(problem: &'a Problem, sources: &'a Sources) -> Group<'a> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(problem.message.as_str()));
    let line = sources.line(&problem.file, problem.at.line).filter(|_| !problem.concealed);
    if let Some(line) = line {
        let span = byte_span(line, problem.at.column, problem.at.length);
        group = group.element(
            Snippet::source(line)
                .line_start(problem.at.line)
                .path(problem.file.as_str())
                .annotation(AnnotationKind::Primary.span(span)),
        );
    } else if problem.at.line > 0 {
        let origin = Origin::path(problem.file.as_str()).line(problem.at.line).char_column(problem.at.column);
        group = group.element(origin);
    } else if !problem.file.is_empty() {
        group = group.element(Origin::path(problem.file.as_str()));
    }
    if let Some(hint) = &problem.hint {
        // The renderer makes the title and the line safe for a terminal, but no message below them.
        group = group.element(Level::HELP.with_name("hint").message(hint.replace(acts_on_a_terminal, "\u{fffd}")));
    }
    group
}

fn acts_on_a_terminal(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Turns a column and a length in characters into a range of bytes that stays within the line.
fn byte_span(line: &str, column: usize, length: usize) -> std::ops::Range<usize> {
    let byte_of = |character: usize| line.char_indices().nth(character).map_or(line.len(), |(byte, _)| byte);
    let start = byte_of(column.saturating_sub(1));
    let end = byte_of(column.saturating_sub(1).saturating_add(length.max(1)));
    let trimmed = line.trim_end().len();
    start..if trimmed > start { end.min(trimmed) } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Spot;

    #[test]
    fn a_problem_shows_its_line_with_a_caret_below_and_its_hint() {
        let mut sources = Sources::default();
        sources.add("a.yaml", "stack: x\nschlüssel: über  # so\n");
        let mut problems = Problems::default();
        problems.push(
            Problem::error("a.yaml", Spot { line: 2, column: 12, length: 40 }, "wrong value").hint("write another"),
        );
        insta::assert_snapshot!(render(&problems, &sources, false, 80), @"
        error: wrong value
         --> a.yaml:2:12
          |
        2 | schlüssel: über  # so
          |            ^^^^^^^^^^
          |
          = hint: write another
        ");
    }

    #[test]
    fn a_place_in_white_space_at_the_end_of_a_line_is_shown() {
        let mut sources = Sources::default();
        sources.add("a.yaml", "stack: \u{a0}\n");
        for (column, length) in [(8, 1), (8, 40), (9, 1), (40, 1), (0, 0)] {
            let mut problems = Problems::default();
            problems.push(Problem::error("a.yaml", Spot { line: 1, column, length }, "no name"));
            assert!(render(&problems, &sources, false, 140).contains("no name"));
        }
    }

    #[test]
    fn a_line_that_is_too_wide_is_cut_around_its_caret() {
        let mut sources = Sources::default();
        sources.add("a.yaml", format!("list: [{}wrong, {}]\n", "left, ".repeat(30), "right, ".repeat(30)));
        let mut problems = Problems::default();
        problems.push(Problem::error("a.yaml", Spot { line: 1, column: 188, length: 5 }, "wrong value"));
        let text = render(&problems, &sources, false, 60);
        assert!(text.contains("wrong, ") && text.contains("^^^^^"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }

    #[test]
    fn a_line_that_may_hold_a_secret_is_not_shown() {
        let mut sources = Sources::default();
        sources.add("a.yaml", "password: hunter2\n");
        let mut problems = Problems::default();
        problems.push(Problem::error("a.yaml", Spot { line: 1, column: 11, length: 7 }, "a secret").conceal(true));
        let text = render(&problems, &sources, false, 80);
        assert!(text.contains("a.yaml:1:11") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn what_was_read_never_acts_on_a_terminal() {
        let evil = "a\u{1b}[31mb\u{202e}c";
        let mut sources = Sources::default();
        sources.add("a.yaml", evil);
        let mut problems = Problems::default();
        problems.push(Problem::error("a.yaml", Spot { line: 1, column: 1, length: 1 }, evil).hint(evil));
        let text = render(&problems, &sources, false, 140);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }

    #[test]
    fn colour_is_there_only_when_asked_for() {
        let mut problems = Problems::default();
        problems.push(Problem::warning("--set a=b", Spot::default(), "odd"));
        assert!(render(&problems, &Sources::default(), true, 80).contains('\u{1b}'));
        assert!(!render(&problems, &Sources::default(), false, 80).contains('\u{1b}'));
    }
}
