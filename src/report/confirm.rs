//! The pure part of asking: what is asked, and what counts as consent.

use super::header::Header;
use super::line::{Line, counted};
use super::style::{Meaning, Options};
use crate::plan::Plan;

/// Returns the question whether a plan shall be applied: an empty line before it, since it follows the plan, and no newline
/// at its end, since the answer goes beside it.
#[must_use]
pub fn prompt(plan: &Plan, header: &Header, options: &Options) -> String {
    let mut out = String::from("\n");
    let verb = if plan.destroy { "Destroy" } else { "Apply this plan to" };
    Line::new()
        .paint(
            Meaning::Strong,
            format!("{verb} the stack `{}` in namespace `{}` of `{}`?", header.stack, header.namespace, header.context),
        )
        .write(&mut out, options, 0, 2);
    let deletes = plan.counts().delete;
    if deletes > 0 {
        let text = format!("{} will be DELETED.", counted(deletes, "resource"));
        Line::new().paint(Meaning::Delete, text).write(&mut out, options, 2, 2);
    }
    out.push_str("  Only `yes` is accepted: ");
    out
}

/// Tells whether a line that was read is consent: the word `yes` and nothing else.
#[must_use]
pub fn is_yes(line: &str) -> bool {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line) == "yes"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn only_the_word_yes_is_consent() {
        for yes in ["yes", "yes\n", "yes\r\n"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "y", "Yes", "YES\n", " yes", "yes ", "yes!", "yes\n\n", "no", "yesyes"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }

    #[test]
    fn the_question_names_the_place_and_the_loss() {
        let header = Header {
            context: "kind-dev".to_owned(),
            server: String::new(),
            namespace: "mathison-system".to_owned(),
            stack: "mathison".to_owned(),
            file: String::new(),
            state: String::new(),
        };
        insta::assert_snapshot!(prompt(&samples::destroy(), &header, &Options::plain(80)), @r#"

        Destroy the stack `mathison` in namespace `mathison-system` of `kind-dev`?
          2 resources will be DELETED.
          Only `yes` is accepted:
        "#);
        insta::assert_snapshot!(prompt(&samples::take_back(), &header, &Options::plain(80)), @r#"

        Apply this plan to the stack `mathison` in namespace `mathison-system` of
          `kind-dev`?
          Only `yes` is accepted:
        "#);
    }
}
