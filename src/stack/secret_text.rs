//! Lines of YAML that may hold a Secret's values, so that no problem shows them.
//!
//! What is broken cannot be read as an object, so it is the text that is looked at: rather one line too few is shown.

use crate::yaml::Problems;

/// Returns the problems that reading a text gave, without the lines of documents that hold a Secret.
pub(super) fn concealed(problems: &Problems, text: &str) -> Problems {
    let mut concealed = Problems::default();
    for problem in problems.iter() {
        concealed.push(problem.clone().conceal(is_in_secret(text, problem.at.line)));
    }
    concealed
}

/// Tells whether a line, counted from 1, is of a document that holds a Secret.
fn is_in_secret(text: &str, line: usize) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let (before, from) = lines.split_at(line.saturating_sub(1).min(lines.len()));
    let before = before.iter().rev().take_while(|line| !line.starts_with("---"));
    let after = from.iter().skip(1).take_while(|line| !line.starts_with("---"));
    before.chain(from.first()).chain(after).any(|line| says_secret(line))
}

/// Tells whether a line says `kind: Secret`, or the same of a list of them, in whatever quotes.
pub(super) fn says_secret(line: &str) -> bool {
    let edge = |character: char| character.is_whitespace() || character == '"' || character == '\'';
    line.match_indices("Secret").any(|(start, word)| {
        let key = line[..start].trim_end_matches(edge).strip_suffix(':').map(|key| key.trim_end_matches(edge));
        let rest = &line[start + word.len()..];
        let rest = rest.strip_prefix("List").unwrap_or(rest);
        key.is_some_and(|key| key.ends_with("kind")) && !rest.starts_with(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_recognised_however_it_is_written() {
        for line in
            ["kind: Secret", "  \"kind\" : \"Secret\",", "- {kind: 'SecretList', x: 1}", "{\"kind\":\"Secret\"}"]
        {
            assert!(says_secret(line), "{line}");
        }
        for line in ["kind: SecretStore", "kind: ExternalSecret", "name: Secret", "kind: Role # of Secret"] {
            assert!(!says_secret(line), "{line}");
        }
    }

    #[test]
    fn a_document_counts_as_a_whole_and_its_neighbours_do_not() {
        let text = "a: 1\n---\nb: 2\nkind: Secret\nc: 3\n---\nd: 4\n";
        let secret: Vec<usize> = (0..9).filter(|line| is_in_secret(text, *line)).collect();
        // A marker may have content behind it, so it counts with both its neighbours.
        assert_eq!(secret, [2, 3, 4, 5, 6]);
    }
}
