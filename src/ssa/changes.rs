//! What changed between two versions of an object, value by value, for people.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::item::item_element;
use super::json;
use super::path::{Path, PathElement};
use super::schema::{Branch, ListKind, Schema};

/// One value that changed. A side is `None` where the value is absent there.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueChange {
    /// Where.
    pub path: Path,
    /// The value before.
    pub before: Option<Value>,
    /// The value after.
    pub after: Option<Value>,
}

/// What the server keeps by itself; that it changes says nothing.
const OF_THE_SERVER: [&str; 5] = ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"];

/// Keys by which items of lists are commonly told apart, where no schema says how.
const COMMON_KEYS: [&str; 5] = ["name", "key", "type", "id", "mountPath"];

/// Lists the changes between two versions of an object, in the order of their paths.
///
/// Maps are compared key by key and items by their key, so that one change is one line. What is added or removed as a
/// whole is one change, and so is a list whose items stand in another order. Left out are status and what the server keeps
/// by itself.
#[must_use]
pub fn changes(schema: Option<&Schema>, before: &Value, after: &Value) -> Vec<ValueChange> {
    let mut found = Found { changes: Vec::new(), path: Vec::new() };
    found.value(schema, Some(before), Some(after));
    found.changes
}

struct Found {
    changes: Vec<ValueChange>,
    path: Vec<PathElement>,
}

impl Found {
    fn value(&mut self, schema: Option<&Schema>, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (Some(Value::Object(_)), Some(Value::Object(_))) => self.maps(schema, before, after),
            (Some(Value::Array(left)), Some(Value::Array(right))) => match item_names(schema, left, right) {
                Some(names) if !is_reordered(&names) => self.lists(schema, &names, left, right),
                _ => self.leaf(schema, before, after),
            },
            _ => self.leaf(schema, before, after),
        }
    }

    fn leaf(&mut self, schema: Option<&Schema>, before: Option<&Value>, after: Option<&Value>) {
        // In structures of the server's own (`rules: null` of a Role) null says no more than a missing field.
        let is_value = |value: &&Value| !(value.is_null() && schema.is_some_and(Schema::is_builtin));
        let (before, after) = (before.filter(is_value), after.filter(is_value));
        let same = match (before, after) {
            (Some(before), Some(after)) => json::equal(before, after),
            (None, None) => true,
            _ => false,
        };
        if !same {
            let path = Path(self.path.clone());
            self.changes.push(ValueChange { path, before: before.cloned(), after: after.cloned() });
        }
    }

    fn below(&mut self, element: PathElement, schema: Option<&Schema>, before: Option<&Value>, after: Option<&Value>) {
        let inside = schema.and_then(|schema| schema.child(&element));
        self.path.push(element);
        self.value(inside.as_ref(), before, after);
        self.path.pop();
    }

    fn maps(&mut self, schema: Option<&Schema>, before: Option<&Value>, after: Option<&Value>) {
        let keys = |side: Option<&Value>| -> Vec<String> {
            side.and_then(Value::as_object).into_iter().flat_map(|map| map.keys().cloned()).collect()
        };
        let names: BTreeSet<String> = keys(before).into_iter().chain(keys(after)).collect();
        for name in names {
            if !self.is_of_the_server(&name) {
                let (before, after) = (before.and_then(|map| map.get(&name)), after.and_then(|map| map.get(&name)));
                self.below(PathElement::Field(name), schema, before, after);
            }
        }
    }

    fn is_of_the_server(&self, name: &str) -> bool {
        match self.path.as_slice() {
            [] => name == "status",
            [PathElement::Field(parent)] => parent == "metadata" && OF_THE_SERVER.contains(&name),
            _ => false,
        }
    }

    fn lists(&mut self, schema: Option<&Schema>, [left, right]: &Names, before: &[Value], after: &[Value]) {
        let mut added: BTreeMap<_, _> = right.iter().zip(after).collect();
        for (name, item) in left.iter().zip(before) {
            self.below(name.clone(), schema, Some(item), added.remove(name));
        }
        for (name, item) in right.iter().zip(after).filter(|(name, _)| added.contains_key(name)) {
            self.below(name.clone(), schema, None, Some(item));
        }
    }
}

/// The names of the items before and after.
type Names = [Vec<PathElement>; 2];

/// Tells whether items that are in both lists stand in another order. Though no item changes, that may change which
/// container starts first, or what a variable refers to.
fn is_reordered([before, after]: &Names) -> bool {
    let places: BTreeMap<_, _> = after.iter().zip(0..).collect();
    !before.iter().filter_map(|name| places.get(name)).is_sorted()
}

/// Returns how the items of two lists are called; `None` if the lists are to be shown as wholes.
fn item_names(schema: Option<&Schema>, before: &[Value], after: &[Value]) -> Option<Names> {
    let names = |items: &[Value]| -> Option<Vec<PathElement>> {
        let names = match declared_names(schema, items) {
            Some(names) => names,
            None => common_names(before, after, items)?,
        };
        let unique: BTreeSet<_> = names.iter().collect();
        (unique.len() == names.len()).then_some(names)
    };
    Some([names(before)?, names(after)?])
}

fn declared_names(schema: Option<&Schema>, items: &[Value]) -> Option<Vec<PathElement>> {
    let schema = schema?;
    match schema.atom().branch(Some(&Value::Array(Vec::new())))? {
        Branch::List(list) if list.kind != ListKind::Atomic => {
            items.iter().map(|item| item_element(&schema.types, list, item).ok()).collect()
        }
        _ => None,
    }
}

/// Names items by a key that all items on both sides have, or else by their place if all are maps.
fn common_names(before: &[Value], after: &[Value], items: &[Value]) -> Option<Vec<PathElement>> {
    let all = || before.iter().chain(after);
    if !all().all(Value::is_object) {
        return None;
    }
    let is_unique = |key: &str, side: &[Value]| {
        let values: BTreeSet<_> = side.iter().filter_map(|item| item.get(key).and_then(Value::as_str)).collect();
        values.len() == side.len()
    };
    let key = COMMON_KEYS.iter().find(|key| is_unique(key, before) && is_unique(key, after));
    let names = items.iter().enumerate().map(|(index, item)| match key.and_then(|key| Some((*key, item.get(*key)?))) {
        Some((key, value)) => PathElement::Key([(key.to_owned(), value.clone())].into()),
        None => PathElement::Index(index),
    });
    Some(names.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::builtin;

    fn lines(schema: Option<&Schema>, before: Value, after: Value) -> String {
        let shown = |value: Option<Value>| value.map_or("-".to_owned(), |value| value.to_string());
        let changes = changes(schema, &before, &after);
        let lines = changes
            .into_iter()
            .map(|change| format!("{}: {} -> {}", change.path, shown(change.before), shown(change.after)));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn deployment(replicas: i64, containers: Value) -> Value {
        json!({"metadata": {"name": "web", "generation": replicas, "labels": {"app": "web"}},
            "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}},
            "status": {"replicas": replicas}})
    }

    #[test]
    fn one_change_is_one_line() {
        let before =
            deployment(1, json!([{"name": "a", "image": "a:1", "args": ["x", "y"]}, {"name": "b", "image": "b:1"}]));
        let after = deployment(
            2,
            json!([{"name": "c", "image": "c:1"}, {"name": "a", "image": "a:2", "args": ["x", "z"], "tty": true}]),
        );
        let schema = builtin("apps", "v1", "Deployment").unwrap();
        insta::assert_snapshot!(lines(Some(&schema), before.clone(), after.clone()), @r#"
        .spec.replicas: 1 -> 2
        .spec.template.spec.containers[name="a"].args: ["x","y"] -> ["x","z"]
        .spec.template.spec.containers[name="a"].image: "a:1" -> "a:2"
        .spec.template.spec.containers[name="a"].tty: - -> true
        .spec.template.spec.containers[name="b"]: {"image":"b:1","name":"b"} -> -
        .spec.template.spec.containers[name="c"]: - -> {"image":"c:1","name":"c"}
        "#);
        assert_eq!(lines(None, before.clone(), after.clone()), lines(Some(&schema), before, after));
    }

    #[test]
    fn items_in_another_order_are_a_change_of_the_list() {
        let pod = |containers: Value| json!({"spec": {"initContainers": containers}});
        let (before, after) = (pod(json!([{"name": "a"}, {"name": "b"}])), pod(json!([{"name": "b"}, {"name": "a"}])));
        for schema in [builtin("", "v1", "Pod"), None] {
            assert_eq!(
                lines(schema.as_ref(), before.clone(), after.clone()),
                r#".spec.initContainers: [{"name":"a"},{"name":"b"}] -> [{"name":"b"},{"name":"a"}]"#
            );
        }
        // What comes in between moves nothing.
        let between = pod(json!([{"name": "a"}, {"name": "c"}, {"name": "b"}]));
        assert_eq!(lines(None, before, between), r#".spec.initContainers[name="c"]: - -> {"name":"c"}"#);
    }

    #[test]
    fn a_schema_names_items_by_the_whole_of_their_key() {
        let service = |ports: Value| json!({"spec": {"ports": ports}});
        let dns = |udp: &str| {
            service(json!([
            {"port": 53, "protocol": "TCP", "name": "tcp"}, {"port": 53, "protocol": "UDP", "name": udp}]))
        };
        let schema = builtin("", "v1", "Service").unwrap();
        insta::assert_snapshot!(lines(Some(&schema), dns("udp"), dns("dns")), @r#".spec.ports[port=53,protocol="UDP"].name: "udp" -> "dns""#);
    }

    #[test]
    fn items_without_a_key_are_called_by_their_place() {
        let rules = |verbs: Value| json!({"rules": [{"apiGroups": [""], "verbs": ["get"]}, {"apiGroups": ["apps"], "verbs": verbs}]});
        insta::assert_snapshot!(lines(None, rules(json!(["get"])), rules(json!(["get", "list"]))), @r#".rules[1].verbs: ["get"] -> ["get","list"]"#);
    }
}
