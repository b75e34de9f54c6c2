//! Which fields one version of an object has that the other has not, or has otherwise.

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
    pub fn without(mut self, fields: &FieldSet) -> Self {
        for set in [&mut self.added, &mut self.removed, &mut self.modified] {
            set.cut(fields);
        }
        self
    }
}

/// Compares two versions of an object.
#[must_use]
pub fn compare(schema: &Schema, left: &Value, right: &Value) -> Comparison {
    Walk { types: &schema.types }.value(&schema.reference, Some(left), Some(right)).below
}

/// What differs in a value: itself, and what is below it. Sets are put together from below, so that no path is written twice.
#[derive(Default)]
struct Difference {
    added: bool,
    removed: bool,
    modified: bool,
    below: Comparison,
}

impl Comparison {
    /// Takes in what differs one step further down.
    fn take(&mut self, element: impl Fn() -> PathElement, inside: Difference) {
        let Difference { added, removed, modified, below } = inside;
        let sets = [
            (&mut self.added, added, below.added),
            (&mut self.removed, removed, below.removed),
            (&mut self.modified, modified, below.modified),
        ];
        for (set, member, below) in sets {
            if member || !below.is_empty() {
                set.insert_node(element(), member, below);
            }
        }
    }
}

/// An item with its name, and whether it is on the right.
type Named<'v> = (PathElement, bool, &'v Value);
/// A value on the left and on the right.
type Sides<'v> = (Option<&'v Value>, Option<&'v Value>);

struct Walk<'a> {
    types: &'a TypeTable,
}

impl<'a> Walk<'a> {
    fn value(&self, reference: &'a TypeRef, left: Option<&Value>, right: Option<&Value>) -> Difference {
        let mut found = Difference::default();
        // Most of an object is as it was.
        if left.is_some() && left == right {
            return found;
        }
        let branches = self.types.resolve(reference).branches(left, right);
        for branch in branches.into_iter().flatten() {
            let as_whole = match branch {
                Branch::Scalar(_) => true,
                Branch::Map(view) => self.map(&mut found.below, view, (left, right)),
                Branch::List(list) => self.list(&mut found.below, list, (left, right)),
            };
            if as_whole && let (Some(left), Some(right)) = (left, right) {
                found.modified |= !json::equal(left, right);
            }
        }
        // A container that only one side has counts itself, like what is in it.
        found.added = left.is_none() && right.is_some();
        found.removed = left.is_some() && right.is_none();
        found
    }

    /// Compares what is in two maps; returns true if they are to be compared as wholes instead.
    fn map(&self, found: &mut Comparison, view: MapView<'a>, (left, right): Sides<'_>) -> bool {
        let empty = Map::new();
        let left = left.and_then(Value::as_object).unwrap_or(&empty);
        let right = right.and_then(Value::as_object).unwrap_or(&empty);
        if view.atomic || left.is_empty() && right.is_empty() {
            return true;
        }
        for (name, left) in left {
            if let Some(reference) = view.map.under(name) {
                let inside = self.value(reference, Some(left), right.get(name));
                found.take(|| PathElement::field(name.as_str()), inside);
            }
        }
        for (name, right) in right.iter().filter(|(name, _)| !left.contains_key(*name)) {
            if let Some(reference) = view.map.under(name) {
                found.take(|| PathElement::field(name.as_str()), self.value(reference, None, Some(right)));
            }
        }
        false
    }

    /// Compares what is in two lists; returns true if they are to be compared as wholes instead.
    fn list<'v>(&self, found: &mut Comparison, list: &'a ListType, (left, right): Sides<'v>) -> bool {
        let left = left.and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
        let right = right.and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
        if list.kind == ListKind::Atomic || left.is_empty() && right.is_empty() {
            return true;
        }
        let of_side = |items: &'v [Value], is_right| {
            items.iter().filter_map(move |item| Some((item_element(self.types, list, item).ok()?, is_right, item)))
        };
        let mut items: Vec<Named<'v>> = Vec::with_capacity(left.len().max(right.len()) * 2);
        items.extend(of_side(left, false));
        items.extend(of_side(right, true));
        // Stable: the left ones of a name stay before the right ones.
        items.sort_by(|left, right| left.0.cmp(&right.0));
        for same in items.chunk_by(|left, right| left.0 == right.0) {
            let (left, right) = same.split_at(same.partition_point(|(_, is_right, _)| !is_right));
            found.take(|| same[0].0.clone(), self.item(&list.element, left, right));
        }
        false
    }

    /// Compares the items of one name. Those that are there more than once are one ordered value; where their number
    /// passes between one and more, the single one counts with its content and the others by their path.
    fn item(&self, reference: &'a TypeRef, left: &[Named<'_>], right: &[Named<'_>]) -> Difference {
        let one = |left: &[Named<'_>], right: &[Named<'_>]| match (left.first(), right.first()) {
            (None, None) => Difference::default(),
            (left, right) => self.value(reference, left.map(|item| item.2), right.map(|item| item.2)),
        };
        match (left, right) {
            ([] | [_], [] | [_]) => one(left, right),
            ([_, _, ..], [_, _, ..]) => {
                let mut pairs = left.iter().zip(right);
                let same = left.len() == right.len() && pairs.all(|(left, right)| json::equal(left.2, right.2));
                Difference { modified: !same, ..Difference::default() }
            }
            ([_, _, ..], _) => Difference { removed: true, ..one(&[], right) },
            (_, _) => Difference { added: true, ..one(left, &[]) },
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
    fn whatever_differs_is_not_the_same() {
        for (left, right) in [
            (json!({}), json!({"data": {"a": "1"}})),
            (json!({"data": {"a": "1"}}), json!({})),
            (json!({"data": {"a": "1"}}), json!({"data": {"a": "2"}})),
        ] {
            assert!(!of_config_maps(left, right).is_same());
        }
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
