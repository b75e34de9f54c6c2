//! What holds of every apply, whatever is applied: on made-up configurations of a kind with lists of every sort.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

pub(super) static LEDGERS: LazyLock<Schema> = LazyLock::new(ledgers);

fn ledgers() -> Schema {
    let entry = json!({"type": "object", "required": ["number"], "properties": {
        "number": {"type": "integer"}, "amount": {"type": "string"},
        "notes": {"type": "array", "items": {"type": "string"}}}});
    let account = json!({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"}, "open": {"type": "boolean"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "limits": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "integer"}},
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "entries": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["number"], "items": entry}}});
    let identity = json!({"group": "x.io", "version": "v1", "kind": "Ledger"});
    let document = json!({
        "paths": {"/apis/x.io/v1/namespaces/{namespace}/ledgers/{name}": {"get": {"x-kubernetes-group-version-kind": identity}}},
        "components": {"schemas": {"io.x.Ledger": {"type": "object", "x-kubernetes-group-version-kind": [identity], "properties": {
            "apiVersion": {"type": "string"}, "kind": {"type": "string"},
            "metadata": {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
            "spec": {"type": "object", "properties": {
                "anchor": {"type": "string"}, "title": {"type": "string"}, "nested": {"type": "object", "properties": {
                    "depth": {"type": "integer"}, "width": {"type": "integer"}}},
                "numbers": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer"}},
                "accounts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                    "items": account}}}}}}}
    });
    Schema::from_openapi(&document, "x.io", "v1", "Ledger").unwrap()
}

fn map_of(fields: Vec<(&'static str, Option<Value>)>) -> Value {
    Value::Object(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>())
}

fn some<T: std::fmt::Debug + 'static>(strategy: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Option<T>> {
    proptest::option::of(strategy).boxed()
}

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![Just(json!("x")), Just(json!("y"))]
}

/// Some of a few members, in any order.
fn members(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(of, 0..=of.len()).prop_shuffle()
}

fn entry(number: &'static str) -> impl Strategy<Value = Value> {
    let number: i64 = number.parse().unwrap();
    let notes = members(&["a", "b"]).prop_map(Value::from);
    (some(text()), some(notes)).prop_map(move |(amount, notes)| {
        map_of(vec![("number", Some(json!(number))), ("amount", amount), ("notes", notes)])
    })
}

/// A list whose items are made of a name each.
fn list_of<S: Strategy<Value = Value> + 'static>(
    names: &'static [&'static str],
    item: fn(&'static str) -> S,
) -> BoxedStrategy<Value> {
    members(names)
        .prop_flat_map(move |names| names.into_iter().map(item).collect::<Vec<_>>())
        .prop_map(Value::from)
        .boxed()
}

fn account(name: &'static str) -> impl Strategy<Value = Value> {
    let labels = (some(text()), some(text())).prop_map(|(k, l)| map_of(vec![("k", k), ("l", l)]));
    let limits = (0..3i64).prop_map(|day| json!({"day": day}));
    let tags = members(&["one", "two", "three"]).prop_map(Value::from);
    (
        some(any::<bool>().prop_map(Value::from)),
        some(labels),
        some(limits),
        some(tags),
        some(list_of(&["1", "2", "3"], entry)),
    )
        .prop_map(move |(open, labels, limits, tags, entries)| {
            map_of(vec![
                ("name", Some(json!(name))),
                ("open", open),
                ("labels", labels),
                ("limits", limits),
                ("tags", tags),
                ("entries", entries),
            ])
        })
}

prop_compose! {
    pub(super) fn config()(
        finalizers in some(members(&["a.b/c", "a.b/d"])),
        title in some(text()),
        depth in some(0..3i64),
        width in some(0..3i64),
        numbers in some(members(&["1", "2", "3"])),
        accounts in some(list_of(&["bank", "cash", "debt"], account)),
    ) -> Value {
        let numbers = numbers.map(|numbers| numbers.iter().map(|number| number.parse::<i64>().unwrap()).collect::<Value>());
        let nested = (depth.is_some() || width.is_some())
            .then(|| map_of(vec![("depth", depth.map(Value::from)), ("width", width.map(Value::from))]));
        let spec = map_of(vec![("title", title), ("nested", nested), ("numbers", numbers), ("accounts", accounts)]);
        let mut object = bare();
        object["metadata"]["finalizers"] = finalizers.map(Value::from).unwrap_or_default();
        object["spec"] = spec;
        without_empty(&mut object);
        object
    }
}

/// Takes out what is empty: a list or map that is written empty is nobody's once it holds something, and stays behind.
fn without_empty(value: &mut Value) {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(without_empty);
            map.retain(|_, value| !is_empty(value));
        }
        Value::Array(items) => items.iter_mut().for_each(without_empty),
        _ => {}
    }
}

/// An object of which somebody always owns something.
fn begun() -> Value {
    let mut config = bare();
    config["spec"] = json!({"anchor": "x"});
    after(None, &config, "z")
}

/// What names an object and says nothing else.
fn bare() -> Value {
    json!({"apiVersion": "x.io/v1", "kind": "Ledger", "metadata": {"name": "a"}})
}

fn applied(live: Option<&Value>, config: &Value, manager: &str) -> Applied<'static> {
    apply(&LEDGERS, live, config, manager).unwrap().into_owned()
}

/// The object as the server would store it after an apply that takes what it conflicts with.
fn after(live: Option<&Value>, config: &Value, manager: &str) -> Value {
    let mut object = applied(live, config, manager).object.into_owned();
    object["metadata"]["uid"] = json!("1");
    object
}

/// Without what only tells who wrote.
fn content(object: &Value) -> Value {
    let mut object = object.clone();
    object["metadata"].as_object_mut().unwrap().remove("managedFields");
    object
}

/// Who owns what, in the order of the managers.
fn owners(object: &Value) -> Vec<(String, FieldSet)> {
    let mut owners: Vec<_> =
        managed_fields(object).unwrap().into_iter().map(|entry| (entry.manager, entry.fields)).collect();
    owners.sort_by(|left, right| left.0.cmp(&right.0));
    owners
}

/// Members of sets and keyed lists have an order that says nothing.
fn is_same(left: &Value, right: &Value) -> bool {
    compare(&LEDGERS, &content(left), &content(right)).is_same()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_applied_twice_changes_nothing_the_second_time(first in config(), second in config(), third in config()) {
        let live = after(Some(&after(Some(&after(Some(&begun()), &first, "a")), &second, "b")), &third, "a");
        let again = applied(Some(&live), &third, "a");
        prop_assert!(!again.changed && again.conflicts.is_empty(), "{live}");
        prop_assert_eq!(again.object.as_ref(), &live);
    }

    #[test]
    fn what_is_applied_and_taken_back_leaves_the_object_as_it_was(first in config(), second in config()) {
        let before = after(Some(&begun()), &first, "a");
        let meanwhile = applied(Some(&before), &second, "b");
        prop_assume!(meanwhile.conflicts.is_empty());
        let now = after(Some(&after(Some(&before), &second, "b")), &bare(), "b");
        prop_assert!(is_same(&before, &now), "{before}\n{now}");
        prop_assert_eq!(owners(&before), owners(&now));
    }

    #[test]
    fn managers_who_do_not_disagree_may_come_in_any_order(first in config(), second in config()) {
        let begun = begun();
        let both = |one: (&str, &Value), other: (&str, &Value)| {
            let live = after(Some(&begun), one.1, one.0);
            let conflicts = applied(Some(&live), other.1, other.0).conflicts.len();
            (after(Some(&live), other.1, other.0), conflicts)
        };
        let (one, conflicts) = both(("b", &first), ("c", &second));
        let (other, others) = both(("c", &second), ("b", &first));
        prop_assert_eq!(conflicts == 0, others == 0);
        prop_assume!(conflicts == 0);
        prop_assert!(is_same(&one, &other), "{one}\n{other}");
        prop_assert_eq!(owners(&one), owners(&other));
    }

    #[test]
    fn whoever_is_forced_out_owns_it_no_more(first in config(), second in config()) {
        let live = after(Some(&after(Some(&begun()), &first, "a")), &second, "b");
        let conflicts = applied(Some(&after(Some(&begun()), &first, "a")), &second, "b").conflicts;
        let owners = owners(&live);
        for conflict in conflicts {
            let has = |manager: &str| owners.iter().any(|(name, fields)| name == manager && fields.contains(&conflict.path));
            prop_assert!(has("b") && !has("a"), "{}", conflict.path);
        }
    }

    #[test]
    fn sets_of_fields_read_as_they_are_written(first in config(), second in config()) {
        let (one, other) = (set_of(&LEDGERS, &first).unwrap(), set_of(&LEDGERS, &second).unwrap());
        for set in [one.union(&other), one.intersection(&other), one.difference(&other), one] {
            let text = set.to_fields_v1().to_string();
            let read = FieldSet::from_fields_v1(&serde_json::from_str(&text).unwrap()).unwrap();
            prop_assert_eq!(&read, &set);
            prop_assert_eq!(set.iter().collect::<FieldSet>(), set);
        }
    }

    #[test]
    fn sets_of_fields_obey_the_laws_of_sets(first in config(), second in config()) {
        let (one, other) = (set_of(&LEDGERS, &first).unwrap(), set_of(&LEDGERS, &second).unwrap());
        let (all, shared) = (one.union(&other), one.intersection(&other));
        prop_assert_eq!(&all, &other.union(&one));
        prop_assert_eq!(&shared, &other.intersection(&one));
        prop_assert_eq!(one.difference(&other).union(&shared), one.clone());
        prop_assert_eq!(one.difference(&other), all.difference(&other));
        prop_assert!(one.difference(&other).intersection(&other).is_empty());
        prop_assert_eq!(all.len() + shared.len(), one.len() + other.len());
    }
}
