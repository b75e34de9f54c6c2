//! Which fields one version of an object has that the other has not, or has otherwise.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::field_set::FieldSet;
use super::item::item_element;
use super::json;
use super::path::PathElement;
use super::schema::{Branch, ListKind, ListType, MapView, Schema, TypeRef, TypeTable};

/// The fields that differ between two versions of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Only the right has them.
    pub added: FieldSet,
    /// Only the left has them.
    pub removed: FieldSet,
    /// Both have them, with other values.
    pub modified: FieldSet,
}

impl Comparison {
    /// Tells whether the versions agree. The order of sets and keyed lists does not count.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.modified.is_empty()
    }

    /// Leaves out some fields with all that is below them.
    #[must_use]
    pub fn without(&self, fields: &FieldSet) -> Self {
        if fields.is_empty() {
            return self.clone();
        }
        Self {
            added: self.added.without(fields),
            removed: self.removed.without(fields),
            modified: self.modified.without(fields),
        }
    }
}

/// Compares two versions of an object.
#[must_use]
pub fn compare(schema: &Schema, left: &Value, right: &Value) -> Comparison {
    let mut walk = Walk { types: &schema.types, found: Comparison::default() };
    walk.value(&Trail::Root, &schema.reference, Some(left), Some(right));
    walk.found
}

/// Where the walk is; copied into a path only where something differs.
enum Trail<'t> {
    Root,
    Field(&'t Trail<'t>, &'t str),
    Item(&'t Trail<'t>, &'t PathElement),
}

impl Trail<'_> {
    fn path(&self) -> Vec<PathElement> {
        match self {
            Self::Root => Vec::new(),
            Self::Field(parent, name) => parent.followed_by(PathElement::field(*name)),
            Self::Item(parent, element) => parent.followed_by((*element).clone()),
        }
    }

    fn followed_by(&self, element: PathElement) -> Vec<PathElement> {
        let mut path = self.path();
        path.push(element);
        path
    }
}

/// A value on the left and on the right.
type Sides<'v> = (Option<&'v Value>, Option<&'v Value>);

struct Walk<'a> {
    types: &'a TypeTable,
    found: Comparison,
}

impl<'a> Walk<'a> {
    fn value(&mut self, trail: &Trail<'_>, reference: &'a TypeRef, left: Option<&Value>, right: Option<&Value>) {
        // Most of an object is as it was.
        if left.is_some() && left == right {
            return;
        }
        let branches = self.types.resolve(reference).branches(left, right);
        for branch in branches.into_iter().flatten() {
            let as_whole = match branch {
                Branch::Scalar(_) => true,
                Branch::Map(view) => self.map(trail, view, (left, right)),
                Branch::List(list) => self.list(trail, list, (left, right)),
            };
            if as_whole
                && let (Some(left), Some(right)) = (left, right)
                && !json::equal(left, right)
            {
                self.found.modified.insert(&trail.path());
            }
        }
        // A container that only one side has counts itself, like what is in it.
        match (left, right) {
            (None, Some(_)) => self.found.added.insert(&trail.path()),
            (Some(_), None) => self.found.removed.insert(&trail.path()),
            _ => {}
        }
    }

    /// Compares what is in two maps; returns true if they are to be compared as wholes instead.
    fn map(&mut self, trail: &Trail<'_>, view: MapView<'a>, (left, right): Sides<'_>) -> bool {
        let empty = Map::new();
        let left = left.and_then(Value::as_object).unwrap_or(&empty);
        let right = right.and_then(Value::as_object).unwrap_or(&empty);
        if view.atomic || left.is_empty() && right.is_empty() {
            return true;
        }
        for (name, left) in left {
            if let Some(reference) = view.map.under(name) {
                self.value(&Trail::Field(trail, name), reference, Some(left), right.get(name));
            }
        }
        for (name, right) in right.iter().filter(|(name, _)| !left.contains_key(*name)) {
            if let Some(reference) = view.map.under(name) {
                self.value(&Trail::Field(trail, name), reference, None, Some(right));
            }
        }
        false
    }

    /// Compares what is in two lists; returns true if they are to be compared as wholes instead.
    fn list(&mut self, trail: &Trail<'_>, list: &'a ListType, (left, right): Sides<'_>) -> bool {
        let left = left.and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
        let right = right.and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
        if list.kind == ListKind::Atomic || left.is_empty() && right.is_empty() {
            return true;
        }
        let mut items: BTreeMap<PathElement, [Vec<&Value>; 2]> = BTreeMap::new();
        for (side, values) in [left, right].into_iter().enumerate() {
            for item in values {
                if let Ok(element) = item_element(self.types, list, item) {
                    items.entry(element).or_default()[side].push(item);
                }
            }
        }
        for (element, [left, right]) in &items {
            self.item(&Trail::Item(trail, element), &list.element, left, right);
        }
        false
    }

    /// Compares the items of one name. Those that are there more than once are one ordered value; where their number
    /// passes between one and more, the single one counts with its content and the others by their path.
    fn item(&mut self, trail: &Trail<'_>, reference: &'a TypeRef, left: &[&Value], right: &[&Value]) {
        match (left, right) {
            ([] | [_], [] | [_]) => self.value(trail, reference, left.first().copied(), right.first().copied()),
            ([_, _, ..], [_, _, ..]) => {
                let pairs = || left.iter().zip(right);
                if left.len() != right.len() || !pairs().all(|(left, right)| json::equal(left, right)) {
                    self.found.modified.insert(&trail.path());
                }
            }
            ([_, _, ..], _) => {
                if let Some(right) = right.first() {
                    self.value(trail, reference, None, Some(right));
                }
                self.found.removed.insert(&trail.path());
            }
            (_, _) => {
                if let Some(left) = left.first() {
                    self.value(trail, reference, Some(left), None);
                }
                self.found.added.insert(&trail.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::builtin;
    use crate::ssa::field_set::tests::set;

    fn of_config_maps(left: Value, right: Value) -> Comparison {
        compare(&builtin("", "v1", "ConfigMap").unwrap(), &left, &right)
    }

    #[test]
    fn a_container_counts_itself_only_where_the_other_side_has_none() {
        let found = of_config_maps(json!({}), json!({"data": {"a": "1"}}));
        assert_eq!(found.added, set(&[".data", ".data.a"]));
        let found = of_config_maps(json!({"data": null}), json!({"data": {"a": "1"}}));
        assert_eq!(found.added, set(&[".data.a"]));
        let found = of_config_maps(json!({"data": {"a": "1", "b": "2"}}), json!({"data": {"a": "3"}}));
        assert_eq!((found.modified, found.removed), (set(&[".data.a"]), set(&[".data.b"])));
        let found = of_config_maps(json!({"data": null}), json!({"data": {}}));
        assert_eq!(found.modified, set(&[".data"]));
    }

    #[test]
    fn order_counts_in_atomic_lists_only() {
        let finalizers = |list: Value| json!({"metadata": {"finalizers": list}});
        assert!(of_config_maps(finalizers(json!(["a/a", "a/b"])), finalizers(json!(["a/b", "a/a"]))).is_same());
        let args = |list: Value| json!({"spec": {"containers": [{"name": "a", "args": list}]}});
        let pod = builtin("", "v1", "Pod").unwrap();
        let found = compare(&pod, &args(json!(["a", "b"])), &args(json!(["b", "a"])));
        assert_eq!(found.modified, set(&[".spec.containers[name=\"a\"].args"]));
    }

    #[test]
    fn items_that_are_there_twice_are_one_value() {
        let pod = builtin("", "v1", "Pod").unwrap();
        let env = |list: Value| json!({"spec": {"containers": [{"name": "a", "env": list}]}});
        let (one, two) = (json!({"name": "X", "value": "1"}), json!({"name": "X", "value": "2"}));
        let path = ".spec.containers[name=\"a\"].env[name=\"X\"]";
        let (single, double) = (env(json!([one])), env(json!([one, two])));
        assert_eq!(compare(&pod, &double, &env(json!([two, one]))).modified, set(&[path]));
        let found = compare(&pod, &double, &single);
        assert_eq!(found.removed, set(&[path]));
        assert_eq!(found.added, set(&[path, &format!("{path}.name"), &format!("{path}.value")]));
        assert_eq!(compare(&pod, &single, &double).added, set(&[path]));
    }
}
