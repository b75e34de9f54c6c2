//! `${…}` in texts: `${inputs.NAME}` and `${services.NAME.host|port|address}`, and nothing more. `$${` stands for `${`.

use std::collections::{BTreeMap, BTreeSet};

use super::inputs::Inputs;
use super::nearest::{did_you_mean, listed};
use crate::service::Endpoint;
use crate::yaml::{Node, NodeValue, Problem, Problems, Spot};

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text as it stands, escapes resolved.
    Text(String),
    /// What stands between `${` and `}`.
    Reference {
        /// Without spaces around it.
        expression: String,
        /// Where `${` stands: characters from the start of the text.
        start: usize,
        /// Characters up to and with `}`.
        length: usize,
    },
    /// A `${` without its `}`.
    Unclosed {
        /// Where it stands.
        start: usize,
    },
}

/// Takes a text apart.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    let mut position = 0;
    while let Some(found) = rest.find("${") {
        let (before, reference) = rest.split_at(found);
        position += before.chars().count();
        if let Some(before) = before.strip_suffix('$') {
            plain.push_str(before);
            plain.push_str("${");
            rest = &reference[2..];
            position += 2;
            continue;
        }
        plain.push_str(before);
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        let Some(end) = reference.find('}') else {
            pieces.push(Piece::Unclosed { start: position });
            return pieces;
        };
        let length = reference[..=end].chars().count();
        pieces.push(Piece::Reference { expression: reference[2..end].trim().to_owned(), start: position, length });
        rest = &reference[end + 1..];
        position += length;
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

/// The texts of services that were put in, by service.
pub(super) type Mentions = BTreeMap<String, BTreeSet<String>>;

/// What references may name.
pub(super) struct Names<'a> {
    /// The file, for problems.
    pub file: &'a str,
    /// Values of the inputs.
    pub inputs: &'a Inputs,
    /// The services, with their endpoints where they have one; `None` as long as they are not known.
    pub services: Option<&'a BTreeMap<String, Option<Endpoint>>>,
}

impl Names<'_> {
    /// Resolves every text below a node, in place. What cannot be resolved becomes [`NodeValue::Unknown`].
    pub(super) fn substitute(&self, node: &mut Node, mentions: &mut Mentions, problems: &mut Problems) {
        let at = node.at;
        match &mut node.value {
            NodeValue::List(items) => items.iter_mut().for_each(|item| self.substitute(item, mentions, problems)),
            NodeValue::Map(entries) => {
                entries.iter_mut().for_each(|entry| self.substitute(&mut entry.value, mentions, problems));
            }
            NodeValue::String(text) if text.contains("${") => {
                node.value = self.resolve_text(text, at, mentions, problems);
            }
            _ => {}
        }
    }

    fn resolve_text(&self, text: &str, at: Spot, mentions: &mut Mentions, problems: &mut Problems) -> NodeValue {
        let pieces = pieces(text);
        if let [Piece::Reference { expression, start, length }] = pieces.as_slice() {
            return self
                .resolve(expression, part_of(at, text, *start, *length), mentions, problems)
                .unwrap_or(NodeValue::Unknown);
        }
        let mut whole = Some(String::new());
        for piece in &pieces {
            let part = match piece {
                Piece::Text(text) => Some(text.clone()),
                Piece::Unclosed { start } => {
                    problems.push(unclosed(self.file, part_of(at, text, *start, 2)));
                    None
                }
                Piece::Reference { expression, start, length } => self
                    .resolve(expression, part_of(at, text, *start, *length), mentions, problems)
                    .and_then(|value| in_text(&value)),
            };
            whole = whole.zip(part).map(|(whole, part)| whole + &part);
        }
        whole.map_or(NodeValue::Unknown, NodeValue::String)
    }

    /// Resolves what stands between the braces; `None` after a problem.
    pub(super) fn resolve(
        &self,
        expression: &str,
        at: Spot,
        mentions: &mut Mentions,
        problems: &mut Problems,
    ) -> Option<NodeValue> {
        let parts: Vec<&str> = expression.split('.').collect();
        match parts.as_slice() {
            ["inputs", name] => {
                if let Some(value) = self.inputs.get(*name) {
                    return Some(value.clone()).filter(|value| *value != NodeValue::Unknown);
                }
                let hint = did_you_mean(name, self.inputs.keys().map(String::as_str));
                let hint = hint.or_else(|| Some("declare it under `inputs`".to_owned()));
                problems.push(Problem::error(self.file, at, format!("there is no input `{name}`")).maybe_hint(hint));
                None
            }
            ["services", name, property] => self.resolve_service(name, property, at, mentions, problems),
            _ => {
                let hint =
                    "write `${inputs.NAME}` or `${services.NAME.host|port|address}`; for the text itself write `$${`";
                problems.push(Problem::error(self.file, at, format!("`${{{expression}}}` is no reference")).hint(hint));
                None
            }
        }
    }

    fn resolve_service(
        &self,
        name: &str,
        property: &str,
        at: Spot,
        mentions: &mut Mentions,
        problems: &mut Problems,
    ) -> Option<NodeValue> {
        let services = self.services?;
        let Some(endpoint) = services.get(name) else {
            let hint = did_you_mean(name, services.keys().map(String::as_str));
            problems.push(Problem::error(self.file, at, format!("there is no service `{name}`")).maybe_hint(hint));
            return None;
        };
        let Some(endpoint) = endpoint else {
            problems.push(Problem::error(self.file, at, format!("the service `{name}` listens nowhere")));
            return None;
        };
        let text = match property {
            "host" => endpoint.host.clone(),
            "port" => endpoint.port.to_string(),
            "address" => endpoint.to_string(),
            _ => {
                let known = ["host", "port", "address"];
                let hint = did_you_mean(property, known).unwrap_or_else(|| format!("it has {}", listed(known, "and")));
                problems.push(Problem::error(self.file, at, format!("a service has no `{property}`")).hint(hint));
                return None;
            }
        };
        mentions.entry(name.to_owned()).or_default().insert(text.clone());
        Some(NodeValue::String(text))
    }
}

/// Returns the problem of a `${` without its `}`.
pub(super) fn unclosed(file: &str, at: Spot) -> Problem {
    Problem::error(file, at, "`${` without its `}`").hint("for the text itself write `$${`")
}

/// Returns how a value stands in a text; `None` for lists, maps and nothing.
pub(super) fn in_text(value: &NodeValue) -> Option<String> {
    match value {
        NodeValue::String(text) => Some(text.clone()),
        NodeValue::Number(number) => Some(number.to_string()),
        NodeValue::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}

/// Narrows the place of a whole text to a part of it, where the text stands in one line as it is.
pub(super) fn part_of(at: Spot, text: &str, start: usize, length: usize) -> Spot {
    let characters = text.chars().count();
    let quote = match at.length.checked_sub(characters) {
        Some(0) => 0,
        Some(2) => 1,
        _ => return at,
    };
    if text.contains('\n') { at } else { Spot { column: at.column + quote + start, length, ..at } }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reference(expression: &str, start: usize, length: usize) -> Piece {
        Piece::Reference { expression: expression.to_owned(), start, length }
    }

    #[test]
    fn a_text_is_taken_apart_at_its_references() {
        assert_eq!(pieces("${inputs.a}"), [reference("inputs.a", 0, 11)]);
        assert_eq!(pieces("ä ${ b } c"), [Piece::Text("ä ".into()), reference("b", 2, 6), Piece::Text(" c".into())]);
        assert_eq!(pieces("$${HOME} $5 ${x"), [Piece::Text("${HOME} $5 ".into()), Piece::Unclosed { start: 12 }]);
    }

    proptest! {
        #[test]
        fn escaping_gives_back_any_text(text in "[a-z${} ]{0,20}") {
            // A `$` right before `${` would be taken for an escape.
            prop_assume!(!text.contains("$${"));
            let escaped = text.replace("${", "$${");
            let back: String = pieces(&escaped).into_iter().map(|piece| match piece {
                Piece::Text(text) => text,
                other => panic!("{other:?}"),
            }).collect();
            prop_assert_eq!(back, text);
        }
    }
}
