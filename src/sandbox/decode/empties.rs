//! Lists and maps that a body gave, but empty: Go writes nothing of them, so that the object has them no more, and yet tells
//! them from those that were not given (`{}` and not `null`) where it shows the object in a message.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::sandbox::kind::Kind;
use crate::sandbox::structure::{GoType, fields_of};
use crate::ssa::FieldSet;
use crate::ssa::tracking::held_otherwise;

/// Where an object had an empty list or map when it was decoded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Empties {
    empties: Vec<Empty>,
    otherwise: FieldSet,
}

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
    /// Finds them in what was decoded into a type. A structure is none of them: Go writes it though nothing is in it, and
    /// what has taken it away since meant it.
    pub(super) fn of(go_type: &GoType, value: &Value) -> Self {
        let mut found = Vec::new();
        collect(Some(go_type), value, &mut Vec::new(), &mut found);
        Self { empties: found, otherwise: FieldSet::default() }
    }

    /// Finds them in what was decoded as an object of a kind, and what else of it reads otherwise than it is held.
    pub(super) fn of_kind(resource: &Kind, go_type: &GoType, value: &Value) -> Self {
        let found = Self::of(go_type, value);
        // Definitions hold JSON, which is compared by its text.
        if resource.custom.is_some() || resource.group == "apiextensions.k8s.io" {
            return found;
        }
        Self { otherwise: held_otherwise(&resource.schema, value), ..found }
    }

    /// Returns what the server finds changed though it reads the same.
    pub(in crate::sandbox) fn held_otherwise(&self) -> &FieldSet {
        &self.otherwise
    }

    /// Tells whether an empty list of managed fields was given, which says that nobody is to own anything.
    pub(in crate::sandbox) fn disown(&self) -> bool {
        let is_it = |empty: &Empty| match empty.path.as_slice() {
            [Step::Key(metadata), Step::Key(field)] => metadata == "metadata" && field == "managedFields",
            _ => false,
        };
        self.empties.iter().any(is_it)
    }

    /// Returns the names of the fields that the object was stripped of, where nothing else has come to stand there since.
    pub(in crate::sandbox) fn lost<'e>(&'e self, object: &'e Value) -> impl Iterator<Item = &'e str> {
        self.empties.iter().filter(|empty| empty.is_lost(object)).filter_map(|empty| match empty.path.last() {
            Some(Step::Key(name)) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns the object with what it was stripped of, as far as nothing else has come to stand there since.
    pub(in crate::sandbox) fn restored<'v>(&self, object: &'v Value) -> Cow<'v, Value> {
        let mut object = Cow::Borrowed(object);
        for empty in &self.empties {
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

/// Walks a value along its type; there is none within what reads its JSON by itself.
fn collect<'n>(go_type: Option<&GoType>, value: &'n Value, path: &mut Vec<Here<'n>>, found: &mut Vec<Empty>) {
    let go_type = go_type.map(|go_type| go_type.pointed().underlying());
    let fields = match go_type {
        Some(GoType::Named(name)) => fields_of(name),
        _ => None,
    };
    // How owned fields are written is full of them, and says nothing by it.
    let is_opaque = matches!(go_type, Some(GoType::Named(name)) if **name == *"meta.v1.FieldsV1");
    match value {
        Value::Array(items) => {
            let inner = match go_type {
                Some(GoType::List(inner)) => Some(&**inner),
                _ => None,
            };
            if items.is_empty() {
                found.extend(Empty::at(path, true));
            }
            for (index, item) in items.iter().enumerate() {
                path.push(Here::Index(index));
                collect(inner, item, path, found);
                path.pop();
            }
        }
        Value::Object(entries) => {
            if entries.is_empty() && fields.is_none() {
                found.extend(Empty::at(path, false));
            }
            for (key, child) in entries.iter().filter(|_| !is_opaque) {
                let field = fields.map(|fields| fields.iter().find(|field| field.name == key));
                let inner = match (field, go_type) {
                    // The object has no such field.
                    (Some(None), _) => continue,
                    (Some(Some(field)), _) => Some(&field.go_type),
                    (None, Some(GoType::Map(_, inner))) => Some(&**inner),
                    (None, _) => None,
                };
                path.push(Here::Key(key));
                collect(inner, child, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

impl Empty {
    /// What stands in a field; items of lists stay where they are.
    fn at(path: &[Here<'_>], is_list: bool) -> Option<Self> {
        let step = |step: &Here<'_>| match *step {
            Here::Key(key) => Step::Key(key.to_owned()),
            Here::Index(index) => Step::Index(index),
        };
        let is_field = matches!(path.last(), Some(Here::Key(_)));
        is_field.then(|| Self { path: path.iter().map(step).collect(), is_list })
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

    fn empties(kind: &str, given: &Value) -> Empties {
        Empties::of(&GoType::named(kind.to_owned()), given)
    }

    #[test]
    fn an_autoscaler_has_no_policies_if_it_says_so() {
        let of = |policies: Value| json!({"kind": "HorizontalPodAutoscaler", "spec": {"behavior": {"scaleUp": {"policies": policies}}}});
        let empties = empties("autoscaling.v2.HorizontalPodAutoscaler", &of(json!([])));
        assert_eq!(*empties.restored(&of(json!([{"type": "Pods"}]))), of(json!([])));
    }

    #[test]
    fn what_was_stripped_comes_back_and_nothing_else() {
        let given = json!({
            "metadata": {"labels": {}, "gone": {}},
            "spec": {"ports": [{"port": 1}], "externalIPs": [], "sessionAffinityConfig": {}, "selector": {}}
        });
        let left = json!({"metadata": {}, "spec": {"ports": [{"port": 1}], "selector": {"by": "default"}}});
        let empties = empties("core.v1.Service", &given);
        let whole = json!({
            "metadata": {"labels": {}},
            "spec": {"ports": [{"port": 1}], "externalIPs": [], "selector": {"by": "default"}}
        });
        assert_eq!(*empties.restored(&left), whole);
        assert_eq!(empties.lost(&left).collect::<Vec<_>>(), ["labels", "externalIPs"]);
    }
}
