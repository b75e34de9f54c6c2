//! Lists and maps that a body gave, but empty: Go writes nothing of them, so that the object has them no more, and yet tells
//! them from those that were not given (`{}` and not `null`) where it shows the object in a message.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::node::Node;

/// Where an object had an empty list or map when it was decoded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Empties(Vec<Empty>);

#[derive(Debug, Clone, PartialEq)]
struct Empty {
    path: Vec<Step>,
    is_list: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

impl Empties {
    /// Finds them in what was decoded.
    pub(super) fn of(node: &Node) -> Self {
        let mut found = Vec::new();
        collect(node, &mut Vec::new(), &mut found);
        Self(found)
    }

    /// Tells whether an empty list of managed fields was given, which says that nobody is to own anything.
    pub(in crate::sandbox) fn disown(&self) -> bool {
        let is_it = |empty: &Empty| match empty.path.as_slice() {
            [Step::Key(metadata), Step::Key(field)] => metadata == "metadata" && field == "managedFields",
            _ => false,
        };
        self.0.iter().any(is_it)
    }

    /// Returns the names of the fields that the object was stripped of, where nothing else has come to stand there since.
    pub(in crate::sandbox) fn lost<'e>(&'e self, object: &'e Value) -> impl Iterator<Item = &'e str> {
        self.0.iter().filter(|empty| empty.is_lost(object)).filter_map(|empty| match empty.path.last() {
            Some(Step::Key(name)) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns the object with what it was stripped of, as far as nothing else has come to stand there since.
    pub(in crate::sandbox) fn restored<'v>(&self, object: &'v Value) -> Cow<'v, Value> {
        let mut object = Cow::Borrowed(object);
        for empty in &self.0 {
            if empty.is_lost(&object) || empty.stays(&object) {
                empty.restore(object.to_mut());
            }
        }
        object
    }
}

/// A step of the way to where a walk is.
#[derive(Clone, Copy)]
enum Here<'n> {
    Key(&'n str),
    Index(usize),
}

fn collect<'n>(node: &'n Node, path: &mut Vec<Here<'n>>, found: &mut Vec<Empty>) {
    match node {
        Node::List(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Here::Index(index));
                collect(item, path, found);
                path.pop();
            }
        }
        Node::Map(entries) => {
            for (key, child) in entries {
                path.push(Here::Key(key));
                match child {
                    Node::List(items) if items.is_empty() => found.push(Empty::at(path, true)),
                    Node::Map(entries) if entries.is_empty() => found.push(Empty::at(path, false)),
                    child => collect(child, path, found),
                }
                path.pop();
            }
        }
        _ => {}
    }
}

impl Empty {
    fn at(path: &[Here<'_>], is_list: bool) -> Self {
        let step = |step: &Here<'_>| match *step {
            Here::Key(key) => Step::Key(key.to_owned()),
            Here::Index(index) => Step::Index(index),
        };
        Self { path: path.iter().map(step).collect(), is_list }
    }

    /// Tells whether the object has what it would stand in, and nothing there.
    fn is_lost(&self, object: &Value) -> bool {
        let Some((Step::Key(last), parents)) = self.path.split_last() else { return false };
        let parent = parents.iter().try_fold(object, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(*index),
        });
        parent.and_then(Value::as_object).is_some_and(|map| map.get(last).is_none_or(Value::is_null))
    }

    /// Tells whether it keeps the place from what is filled in: the policies of an autoscaler are its own even if there are
    /// none.
    fn stays(&self, object: &Value) -> bool {
        let keys = self.path.iter().map(|step| match step {
            Step::Key(key) => key.as_str(),
            Step::Index(_) => "",
        });
        let is_policies = matches!(keys.collect::<Vec<_>>().as_slice(), ["spec", "behavior", _, "policies"]);
        is_policies && object.get("kind").is_some_and(|kind| kind == "HorizontalPodAutoscaler")
    }

    fn restore(&self, object: &mut Value) {
        let Some((Step::Key(last), parents)) = self.path.split_last() else { return };
        let parent = parents.iter().try_fold(object, |value, step| match step {
            Step::Key(key) => value.get_mut(key),
            Step::Index(index) => value.get_mut(*index),
        });
        if let Some(map) = parent.and_then(Value::as_object_mut) {
            let empty = if self.is_list { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
            map.insert(last.clone(), empty);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_autoscaler_has_no_policies_if_it_says_so() {
        let of = |policies: Value| json!({"kind": "HorizontalPodAutoscaler", "spec": {"behavior": {"scaleUp": {"policies": policies}}}});
        let empties = Empties::of(&Node::of(&of(json!([]))));
        assert_eq!(*empties.restored(&of(json!([{"type": "Pods"}]))), of(json!([])));
    }

    #[test]
    fn what_was_stripped_comes_back_and_nothing_else() {
        let given = json!({"a": {"labels": {}, "list": [{"x": []}], "set": {}}, "gone": {"deep": {}}});
        let left = json!({"a": {"list": [{}], "set": {"by": "default"}}});
        let empties = Empties::of(&Node::of(&given));
        let whole = json!({"a": {"labels": {}, "list": [{"x": []}], "set": {"by": "default"}}});
        assert_eq!(*empties.restored(&left), whole);
        assert_eq!(empties.lost(&left).collect::<Vec<_>>(), ["labels", "x"]);
    }
}
