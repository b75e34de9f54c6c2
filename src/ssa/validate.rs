//! Does a value have the shape that its schema asks for? The server answers a configuration that has not with an error
//! about types, before it looks at anything else.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use super::go_text;
use super::item::item_element;
use super::path::PathElement;
use super::schema::{Branch, ListKind, ListType, MapType, Scalar, Schema, TypeRef, TypeTable};

const UNDECLARED: &str = "field not declared in schema";

/// One place whose value has another shape than its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeProblem {
    /// Where, in the notation of managed fields; empty at the root.
    pub path: String,
    /// What is wrong there, in the server's words.
    pub message: String,
}

impl fmt::Display for TypeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.path, self.message) }
    }
}

/// All places of a value that have another shape than its schema; never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeError {
    /// The places, in the order of the walk.
    pub problems: Vec<TypeProblem>,
}

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.problems.as_slice() {
            return fmt::Display::fmt(only, f);
        }
        f.write_str("errors:")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for TypeError {}

impl TypeError {
    /// Leaves out what the server does not come to: it reads no more of a map once it met a field that is not declared. In
    /// which order it reads the fields of a map is chance with the server, and the order of their names with us.
    #[must_use]
    pub fn as_the_server_stops(mut self) -> Self {
        let mut stopped: Vec<String> = Vec::new();
        self.problems.retain(|problem| {
            if stopped.iter().any(|map| problem.path.starts_with(map.as_str())) {
                return false;
            }
            if problem.message == UNDECLARED
                && let Some((map, _)) = problem.path.rsplit_once('.')
            {
                stopped.push(format!("{map}."));
            }
            true
        });
        self
    }

    pub(crate) fn at_root(message: String) -> Self {
        Self { problems: vec![TypeProblem { path: String::new(), message }] }
    }
}

/// Checks a configuration against its schema. No item of a set or keyed list may be there twice.
///
/// # Errors
/// All places that do not fit.
pub(crate) fn validate(schema: &Schema, value: &Value) -> Result<(), TypeError> {
    checked(schema, value, false)
}

/// Checks an object that is stored, or about to be, against its schema: items may be there twice.
///
/// # Errors
/// All places that do not fit.
pub(crate) fn validate_stored(schema: &Schema, value: &Value) -> Result<(), TypeError> {
    checked(schema, value, true)
}

fn checked(schema: &Schema, value: &Value, allows_duplicates: bool) -> Result<(), TypeError> {
    let mut walk = Walk { types: &schema.types, allows_duplicates, path: Vec::new(), problems: Vec::new() };
    walk.value(&schema.reference, value);
    if walk.problems.is_empty() { Ok(()) } else { Err(TypeError { problems: walk.problems }) }
}

/// A step that is turned into text only if there is a problem below it.
enum Step<'a> {
    Field(&'a str),
    Item(PathElement),
}

struct Walk<'a> {
    types: &'a TypeTable,
    allows_duplicates: bool,
    path: Vec<Step<'a>>,
    problems: Vec<TypeProblem>,
}

impl<'a> Walk<'a> {
    fn problem(&mut self, message: String) {
        let path = self.path.iter().fold(String::new(), |text, step| match step {
            Step::Field(name) => text + "." + name,
            Step::Item(element) => text + &element.to_string(),
        });
        self.problems.push(TypeProblem { path, message });
    }

    fn value(&mut self, reference: &'a TypeRef, value: &'a Value) {
        match self.types.resolve(reference).branch(Some(value)) {
            Some(Branch::Map(view)) => match value {
                Value::Object(_) if view.map.is_free() => {}
                Value::Object(map) => self.map(view.map, map),
                Value::Null => {}
                other => self.problem(format!("expected map, got {}", go_text::wrapped_plain(other))),
            },
            Some(Branch::List(list)) => match value {
                Value::Array(items) => self.list(list, items),
                Value::Null => {}
                other => self.problem(format!("expected list, got {}", go_text::wrapped_plain(other))),
            },
            Some(Branch::Scalar(scalar)) => {
                if let Some(message) = scalar_problem(scalar, value) {
                    self.problem(message);
                }
            }
            None => self.problem("schema error: invalid atom".to_owned()),
        }
    }

    fn map(&mut self, declared: &'a MapType, map: &'a Map<String, Value>) {
        for (name, value) in map {
            self.path.push(Step::Field(name));
            let reference = declared.under(name);
            match reference {
                Some(reference) => self.value(reference, value),
                None => self.problem(UNDECLARED.to_owned()),
            }
            self.path.pop();
            // The server looks no further into a map once it found such a field.
            if reference.is_none() {
                break;
            }
        }
    }

    fn list(&mut self, list: &'a ListType, items: &'a [Value]) {
        let mut seen = Seen::default();
        for (index, item) in items.iter().enumerate() {
            let element = if list.kind == ListKind::Atomic {
                PathElement::Index(index)
            } else {
                match item_element(self.types, list, item) {
                    Ok(element) => element,
                    Err(message) => return self.problem(format!("element {index}: {message}")),
                }
            };
            if list.kind != ListKind::Atomic && !self.allows_duplicates && seen.has(&element) {
                self.problem(format!("duplicate entries for key {element}"));
            }
            self.path.push(Step::Item(element));
            self.value(&list.element, item);
            if let Some(Step::Item(element)) = self.path.pop() {
                seen.insert(element);
            }
        }
    }
}

/// The names of the items before one. Most lists stand in the order of their names.
#[derive(Default)]
struct Seen {
    sorted: Vec<PathElement>,
    others: BTreeSet<PathElement>,
}

impl Seen {
    fn has(&self, name: &PathElement) -> bool {
        let is_behind_all = self.sorted.last().is_none_or(|last| last < name);
        !is_behind_all && self.sorted.binary_search(name).is_ok() || self.others.contains(name)
    }

    fn insert(&mut self, name: PathElement) {
        if self.sorted.last().is_none_or(|last| *last < name) {
            self.sorted.push(name);
        } else {
            self.others.insert(name);
        }
    }
}

fn scalar_problem(scalar: Scalar, value: &Value) -> Option<String> {
    match (scalar, value) {
        (_, Value::Null) | (Scalar::Numeric, Value::Number(_)) => None,
        (Scalar::String, Value::String(_)) | (Scalar::Boolean, Value::Bool(_)) => None,
        (Scalar::Numeric, other) => Some(format!("expected numeric (int or float), got {}", go_text::type_name(other))),
        (Scalar::String, other) => Some(format!("expected string, got {}", go_text::wrapped_syntax(other))),
        (Scalar::Boolean, other) => Some(format!("expected boolean, got {}", go_text::wrapped_plain(other))),
        (_, Value::Array(_) | Value::Object(_)) => {
            Some(format!("expected any scalar, got {}", go_text::wrapped_plain(value)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::builtin;

    fn problems(object: Value) -> String {
        let schema = builtin("apps", "v1", "Deployment").unwrap();
        validate(&schema, &object).unwrap_err().to_string()
    }

    #[test]
    fn the_server_stops_at_the_first_field_of_a_map_that_is_not_declared() {
        let schema = builtin("apps", "v1", "Deployment").unwrap();
        let object = json!({"metadata": {"labels": 2}, "spec": {"a": 1, "b": 2, "replicas": "x"}, "x": 1, "y": 2});
        let told = validate(&schema, &object).unwrap_err().as_the_server_stops();
        insta::assert_snapshot!(told, @r"
        errors:
          .metadata.labels: expected map, got &{2}
          .spec.a: field not declared in schema
          .x: field not declared in schema
        ");
    }

    #[test]
    fn problems_read_as_the_servers() {
        insta::assert_snapshot!(problems(json!({"spec": {"replica": 1}})), @".spec.replica: field not declared in schema");
        insta::assert_snapshot!(problems(json!({"metadata": {"labels": {"a": 1}}})), @".metadata.labels.a: expected string, got &value.valueUnstructured{Value:1}");
        insta::assert_snapshot!(problems(json!({"spec": {"replicas": "3"}})), @".spec.replicas: expected numeric (int or float), got string");
        insta::assert_snapshot!(problems(json!({"spec": {"template": {"spec": {"containers": [
            {"name": "a", "env": [{"name": "X"}, {"name": "X"}]}]}}}})), @r#".spec.template.spec.containers[name="a"].env: duplicate entries for key [name="X"]"#);
        insta::assert_snapshot!(problems(json!({"spec": [1], "metadata": {"labels": 2}})), @r"
        errors:
          .metadata.labels: expected map, got &{2}
          .spec: expected map, got &{[1]}
        ");
    }
}
