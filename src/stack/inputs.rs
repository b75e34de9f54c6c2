//! Inputs: where each value comes from, and whether it is of its type.
//!
//! Later counts before earlier: default, the environment's set, `MATHISON_INPUT_NAME`, `--var-file`, `--set`.

use std::collections::BTreeMap;

use super::Settings;
use super::file::{InputDefinition, InputType};
use super::nearest::{did_you_mean, listed};
use crate::resource::quantity;
use crate::yaml::{Node, NodeValue, Problem, Problems, Sources, Spot, read};

/// The values of all inputs; [`NodeValue::Unknown`] where the problem is reported already.
pub(super) type Inputs = BTreeMap<String, NodeValue>;

/// Resolves all inputs of a file.
pub(super) fn resolve(
    definitions: &BTreeMap<String, InputDefinition>,
    file: &str,
    root: &Node,
    settings: &Settings,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Inputs {
    let mut resolution = Resolution { definitions, values: Inputs::new(), problems };
    let inputs = root.get("inputs");
    for name in definitions.keys() {
        if let Some(default) =
            inputs.and_then(|inputs| inputs.get(name)).and_then(|definition| definition.get("default"))
        {
            resolution.set(name, default, file, default.at);
        }
    }
    resolution.set_environments(file, root, settings.environment.as_deref());
    resolution.set_variables(settings);
    for (name, text) in &settings.var_files {
        sources.add(name, text);
        resolution.set_var_file(name, text);
    }
    for (name, text) in &settings.set {
        resolution.set_text(name, text, &format!("--set {name}"));
    }
    for name in definitions.keys() {
        if !resolution.values.contains_key(name) {
            let at = root
                .at_pointer("/inputs")
                .and_then(|(inputs, _)| inputs.entry(name))
                .map_or_else(Spot::default, |entry| entry.key_at);
            let hint =
                format!("set it with `--set {name}=VALUE`, `--var-file` or `MATHISON_INPUT_{}`", variable_name(name));
            resolution
                .problems
                .push(Problem::error(file, at, format!("the input `{name}` has no default and is not set")).hint(hint));
            resolution.values.insert(name.clone(), NodeValue::Unknown);
        }
    }
    resolution.values
}

struct Resolution<'a> {
    definitions: &'a BTreeMap<String, InputDefinition>,
    values: Inputs,
    problems: &'a mut Problems,
}

impl Resolution<'_> {
    fn set_environments(&mut self, file: &str, root: &Node, chosen: Option<&str>) {
        let environments = root.get("environments").map(Node::entries).unwrap_or_default();
        for environment in environments {
            let applies = chosen == Some(environment.key.as_str());
            for entry in environment.value.entries() {
                self.check_known(&entry.key, file, entry.key_at);
                if applies {
                    self.set(&entry.key, &entry.value, file, entry.value.at);
                } else if let Some(definition) = self.definitions.get(&entry.key)
                    && let Err(problem) = fits(&entry.value.value, definition)
                {
                    self.problems.push(Problem::error(
                        file,
                        entry.value.at,
                        format!("the input `{}` {problem}", entry.key),
                    ));
                }
            }
        }
        let names = || environments.iter().map(|environment| environment.key.as_str());
        if let Some(chosen) = chosen.filter(|chosen| names().all(|name| name != *chosen)) {
            let problem = Problem::error(
                format!("--env {chosen}"),
                Spot::default(),
                format!("there is no environment `{chosen}`"),
            );
            let known = (names().count() > 0).then(|| format!("the file has {}", listed(names(), "and")));
            self.problems.push(problem.maybe_hint(did_you_mean(chosen, names()).or(known)));
        }
    }

    fn set_variables(&mut self, settings: &Settings) {
        for (variable, text) in &settings.env_inputs {
            let name =
                self.definitions.keys().find(|name| *name == variable || variable_name(name) == *variable).cloned();
            let origin = format!("MATHISON_INPUT_{variable}");
            match name {
                Some(name) => self.set_text(&name, text, &origin),
                // Other stacks run in the same environment, so this is no error.
                None => self.problems.push(Problem::warning(
                    origin,
                    Spot::default(),
                    "the variable names no input of this stack",
                )),
            }
        }
    }

    fn set_var_file(&mut self, file: &str, text: &str) {
        let (documents, problems) = read(file, text);
        self.problems.extend(problems);
        for document in documents {
            if !matches!(document.root.value, NodeValue::Map(_)) {
                let message = format!("expected a map of inputs, found {}", document.root.describe());
                self.problems.push(Problem::error(file, document.root.at, message));
            }
            for entry in document.root.entries() {
                self.check_known(&entry.key, file, entry.key_at);
                self.set(&entry.key, &entry.value, file, entry.value.at);
            }
        }
    }

    fn check_known(&mut self, name: &str, file: &str, at: Spot) {
        if !self.definitions.contains_key(name) {
            let hint = did_you_mean(name, self.definitions.keys().map(String::as_str));
            let message = format!("there is no input `{name}`");
            let hint = hint.or_else(|| Some("declare it under `inputs`".to_owned()));
            self.problems.push(Problem::error(file, at, message).maybe_hint(hint));
        }
    }

    /// Sets an input from a flag or variable, whose text is read as the input's type.
    fn set_text(&mut self, name: &str, text: &str, origin: &str) {
        self.check_known(name, origin, Spot::default());
        let value = match self.definitions.get(name).map(|definition| definition.r#type) {
            Some(InputType::Integer) => text.parse::<i64>().ok().map(|number| NodeValue::Number(number.into())),
            Some(InputType::Boolean) => text.parse::<bool>().ok().map(NodeValue::Bool),
            _ => None,
        };
        let value = value.unwrap_or_else(|| NodeValue::String(text.to_owned()));
        self.set(name, &Node { value, at: Spot::default() }, origin, Spot::default());
    }

    fn set(&mut self, name: &str, node: &Node, file: &str, at: Spot) {
        let Some(definition) = self.definitions.get(name) else { return };
        let value = match fits(&node.value, definition) {
            Ok(()) => node.value.clone(),
            Err(problem) => {
                self.problems.push(Problem::error(file, at, format!("the input `{name}` {problem}")));
                NodeValue::Unknown
            }
        };
        self.values.insert(name.to_owned(), value);
    }
}

/// Returns the part of a variable's name that stands for an input: `storageSize` and `storage-size` are `STORAGE_SIZE`.
fn variable_name(input: &str) -> String {
    let mut name = String::new();
    for character in input.chars() {
        if character.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(if character.is_alphanumeric() { character.to_ascii_uppercase() } else { '_' });
    }
    name
}

fn fits(value: &NodeValue, definition: &InputDefinition) -> Result<(), String> {
    let node = Node { value: value.clone(), at: Spot::default() };
    let text = node.as_str();
    let (expected, right) = match definition.r#type {
        InputType::String => ("a string", text.is_some()),
        InputType::Integer => ("an integer", matches!(value, NodeValue::Number(number) if !number.is_f64())),
        InputType::Boolean => ("a boolean", matches!(value, NodeValue::Bool(_))),
        InputType::Quantity => {
            let number = matches!(value, NodeValue::Number(_));
            ("a quantity such as `500m` or `10Gi`", number || text.is_some_and(is_quantity))
        }
        InputType::Duration => ("a duration such as `90s` or `1h30m`", text.is_some_and(is_duration)),
    };
    if !right {
        return Err(format!("must be {expected}, found {}", node.describe()));
    }
    match &definition.r#enum {
        Some(allowed) => {
            // Compared as words: of a flag or a variable nobody can tell whether `1` is a number or a quantity's text.
            let word = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let words: Vec<String> = allowed.iter().map(word).collect();
            if words.contains(&word(&node.to_json())) {
                return Ok(());
            }
            Err(format!("must be {}, found {}", listed(words.iter().map(String::as_str), "or"), node.describe()))
        }
        None => Ok(()),
    }
}

/// Tells whether a text is a quantity as Kubernetes reads it.
fn is_quantity(text: &str) -> bool {
    quantity::Quantity::parse(text).is_ok()
}

/// Tells whether a text is a duration as Go writes it: numbers, each with its unit.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.trim_start_matches(|character: char| character.is_ascii_digit() || character == '.');
        let number = &rest[..rest.len() - digits.len()];
        let unit = ["ns", "us", "ms", "s", "m", "h"].into_iter().find(|unit| {
            digits.strip_prefix(unit).is_some_and(|after| after.chars().next().is_none_or(|next| next.is_ascii_digit()))
        });
        match (number.parse::<f64>(), unit) {
            (Ok(_), Some(unit)) => rest = &digits[unit.len()..],
            _ => return false,
        }
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for right in ["90s", "1h30m", "1.5h", "300ms"] {
            assert!(is_duration(right), "{right}");
        }
        for wrong in ["", "90", "s", "1d", "1h 30m", "-1s"] {
            assert!(!is_duration(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_variable_is_named_after_its_input() {
        assert_eq!(variable_name("storage"), "STORAGE");
        assert_eq!(variable_name("storageSize"), "STORAGE_SIZE");
        assert_eq!(variable_name("storage-size"), "STORAGE_SIZE");
    }
}
