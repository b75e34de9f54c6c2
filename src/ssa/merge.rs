//! A configuration laid over a live object: the configuration's values win, what it does not speak of stays.

use serde_json::{Map, Value};

use super::item::{is_same_item, item_element};
use super::path::PathElement;
use super::schema::{Branch, ListKind, ListType, MapView, Schema, TypeRef, TypeTable};
use super::validate::TypeError;

/// Lays `config` over `live`.
///
/// # Errors
/// Where a list of the configuration names an item twice, or an item cannot be named at all.
pub fn merge(schema: &Schema, live: &Value, config: &Value) -> Result<Value, TypeError> {
    Merging { types: &schema.types }.value(&schema.reference, live, config).map_err(TypeError::at_root)
}

/// Tells, without merging, whether laying `config` over `live` certainly leaves `live` as it is.
pub(super) fn value_holds(types: &TypeTable, reference: &TypeRef, live: &Value, config: &Value) -> bool {
    if live == config {
        return true;
    }
    match (types.resolve(reference).branch(Some(config)), live, config) {
        (Some(Branch::Map(view)), Value::Object(live), Value::Object(config)) if !view.atomic => {
            config.iter().all(|(name, config)| match (live.get(name), view.map.under(name)) {
                (Some(live), Some(reference)) => value_holds(types, reference, live, config),
                _ => false,
            })
        }
        (Some(Branch::List(list)), Value::Array(live), Value::Array(config)) if list.kind != ListKind::Atomic => {
            list_holds(types, list, live, config)
        }
        _ => false,
    }
}

/// A list stays as it is if the configuration's items stand in it in their order, each once.
fn list_holds(types: &TypeTable, list: &ListType, live: &[Value], config: &[Value]) -> bool {
    let mut wanted = config.iter().peekable();
    for item in live {
        match wanted.next_if(|config| is_same_item(types, list, item, config)) {
            Some(config) if value_holds(types, &list.element, item, config) => {}
            Some(_) => return false,
            None if config.iter().any(|config| is_same_item(types, list, item, config)) => return false,
            None => {}
        }
    }
    wanted.next().is_none()
}

struct Merging<'a> {
    types: &'a TypeTable,
}

impl Merging<'_> {
    fn value(&self, reference: &TypeRef, live: &Value, config: &Value) -> Result<Value, String> {
        // Where the shapes differ, the configuration's counts.
        let branch = self.types.resolve(reference).branches(Some(live), Some(config)).into_iter().flatten().last();
        // What is no map is to a map as if it were empty, and so with lists: then the configuration's stands as it is.
        let is_map = |value: &Value| value.as_object().is_some_and(|map| !map.is_empty());
        let is_list = |value: &Value| value.as_array().is_some_and(|items| !items.is_empty());
        match branch {
            Some(Branch::Map(view)) if !view.atomic && (is_map(live) || is_map(config)) => self.map(view, live, config),
            Some(Branch::List(list)) if list.kind != ListKind::Atomic && (is_list(live) || is_list(config)) => {
                self.list(list, live, config)
            }
            _ => Ok(config.clone()),
        }
    }

    fn map(&self, view: MapView<'_>, live: &Value, config: &Value) -> Result<Value, String> {
        let (Some(live), Some(config)) = (live.as_object(), config.as_object()) else {
            return Ok(if config.is_object() { config.clone() } else { live.clone() });
        };
        let mut merged = Map::new();
        for (name, live) in live {
            let value = match (config.get(name), view.map.under(name)) {
                (Some(config), Some(reference)) => self.value(reference, live, config)?,
                (Some(config), None) => config.clone(),
                (None, _) => live.clone(),
            };
            merged.insert(name.clone(), value);
        }
        for (name, config) in config.iter().filter(|(name, _)| !live.contains_key(*name)) {
            merged.insert(name.clone(), config.clone());
        }
        Ok(Value::Object(merged))
    }

    fn list(&self, list: &ListType, live: &Value, config: &Value) -> Result<Value, String> {
        let (Some(live), Some(config)) = (live.as_array(), config.as_array()) else {
            return Ok(if config.is_array() { config.clone() } else { live.clone() });
        };
        let names = [self.names(list, live)?, self.names(list, config)?];
        let sorted = sorted_places(&names[1]);
        if let Some(pair) = sorted.windows(2).find(|pair| names[1][pair[0]] == names[1][pair[1]]) {
            return Err(format!("duplicate entries for key {}", names[1][pair[0]]));
        }
        let paired = Paired::of(&names[0], &names[1], &sorted);
        let merged = merged_order(&paired)
            .into_iter()
            .map(|place| match place {
                Place::Live(index) => Ok(live[index].clone()),
                Place::Config(index) => match paired.in_live[index] {
                    Found::Once(under) => self.value(&list.element, &live[under], &config[index]),
                    Found::Never | Found::Often => Ok(config[index].clone()),
                },
            })
            .collect::<Result<Vec<_>, String>>()?;
        Ok(Value::Array(merged))
    }

    fn names(&self, list: &ListType, items: &[Value]) -> Result<Vec<PathElement>, String> {
        let named = items.iter().enumerate().map(|(index, item)| {
            item_element(self.types, list, item).map_err(|message| format!("element {index}: {message}"))
        });
        named.collect()
    }
}

/// Returns the places of names in the order of the names.
fn sorted_places<T: Ord>(names: &[T]) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..names.len()).collect();
    sorted.sort_by(|left, right| names[*left].cmp(&names[*right]));
    sorted
}

/// Whether an item is in the other list, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Never,
    Once(usize),
    Often,
}

/// Which items of two lists are the same. The configuration has each once, the live list may have some more often.
struct Paired {
    in_config: Vec<Option<usize>>,
    in_live: Vec<Found>,
}

impl Paired {
    /// `sorted` has the places of the configuration's names in their order.
    fn of<T: Ord>(live: &[T], config: &[T], sorted: &[usize]) -> Self {
        // By far the most often they have the same, and nothing need be looked for.
        if live == config {
            let places = 0..config.len();
            return Self { in_config: places.clone().map(Some).collect(), in_live: places.map(Found::Once).collect() };
        }
        let in_config: Vec<Option<usize>> = live
            .iter()
            .map(|name| sorted.binary_search_by(|place| config[*place].cmp(name)).ok().map(|index| sorted[index]))
            .collect();
        let mut in_live = vec![Found::Never; config.len()];
        for (place, found) in in_config.iter().enumerate() {
            if let Some(found) = found.map(|found| &mut in_live[found]) {
                *found = if *found == Found::Never { Found::Once(place) } else { Found::Often };
            }
        }
        Self { in_config, in_live }
    }
}

/// Where an item of a merged list comes from. One that both have comes from the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Live(usize),
    Config(usize),
}

/// Puts the items of two lists into the server's order: the configuration's own order holds among its items, and what only
/// the live list has stays near what it stood beside.
fn merged_order(paired: &Paired) -> Vec<Place> {
    let Paired { in_config, in_live } = paired;
    let mut shared = (0..in_live.len()).filter(|place| in_live[*place] != Found::Never);
    let mut next = shared.next();
    let mut emitted = vec![false; in_live.len()];
    let mut order = Vec::with_capacity(in_config.len().max(in_live.len()));
    let (mut left, mut right) = (0, 0);
    while left < in_config.len() || right < in_live.len() {
        if let Some(item) = in_config.get(left).copied().flatten().filter(|_| right < in_live.len()) {
            if item == right {
                emitted[right] = true;
                order.push(Place::Config(right));
                left += 1;
                right += 1;
                next = shared.next();
                continue;
            }
            if next.is_some_and(|next| next != item) {
                // It comes later, at the place that the configuration gives it.
                left += 1;
                continue;
            }
        }
        match in_config.get(left) {
            Some(None) => {
                order.push(Place::Live(left));
                left += 1;
                continue;
            }
            Some(Some(item)) if emitted[*item] => left += 1,
            _ => {}
        }
        if right < in_live.len() {
            emitted[right] = true;
            order.push(Place::Config(right));
            right += 1;
            if next == Some(right - 1) {
                next = shared.next();
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::ssa::builtin;

    fn order_of(live: &str, config: &str) -> String {
        let (live, config): (Vec<char>, Vec<char>) = (live.chars().collect(), config.chars().collect());
        merged_order(&Paired::of(&live, &config, &sorted_places(&config)))
            .into_iter()
            .map(|place| match place {
                Place::Live(index) => live[index],
                Place::Config(index) => config[index],
            })
            .collect()
    }

    #[test]
    fn order_of_merged_lists_is_the_servers() {
        for (live, config, expected) in [
            ("abc", "cb", "acb"),
            ("abcd", "dxa", "bcdxa"),
            ("abcde", "ecxa", "bdecxa"),
            ("abc", "xcay", "bxcay"),
            ("ab", "xayb", "xayb"),
            ("abcdef", "fbxd", "acefbxd"),
            ("abc", "xyz", "abcxyz"),
        ] {
            assert_eq!(order_of(live, config), expected, "{live} and {config}");
        }
    }

    fn merged(group: &str, kind: &str, live: Value, config: Value) -> Value {
        merge(&builtin(group, "v1", kind).unwrap(), &live, &config).unwrap()
    }

    #[test]
    fn what_is_live_stays_under_empty_values() {
        for empty in [json!(null), json!({})] {
            let live = json!({"data": {"a": "1"}});
            assert_eq!(merged("", "ConfigMap", live.clone(), json!({"data": empty})), live);
        }
        let live = json!({"metadata": {"finalizers": ["a/a"]}});
        assert_eq!(merged("", "ConfigMap", live.clone(), json!({"metadata": {"finalizers": []}})), live);
        assert_eq!(
            merged("apps", "Deployment", json!({"spec": {"replicas": 3}}), json!({"spec": {"replicas": null}})),
            json!({"spec": {"replicas": null}})
        );
    }

    #[test]
    fn null_takes_the_place_of_a_list_where_anything_may_be() {
        let schema = Schema::deduced();
        for (live, config, merged) in [
            (json!({"a": [1]}), json!({"a": null}), json!({"a": null})),
            (json!({"a": 1}), json!({"a": null}), json!({"a": null})),
            (json!({"a": {"b": 1}}), json!({"a": null}), json!({"a": {"b": 1}})),
            (json!({"a": [1]}), json!({"a": {}}), json!({"a": {}})),
        ] {
            assert_eq!(merge(&schema, &live, &config).unwrap(), merged, "{live} {config}");
        }
    }

    #[test]
    fn atomic_values_are_replaced_whole() {
        let live = json!({"spec": {"selector": {"matchLabels": {"a": "1", "b": "2"}}}});
        let config = json!({"spec": {"selector": {"matchLabels": {"a": "3"}}}});
        assert_eq!(merged("apps", "Deployment", live, config.clone()), config);
    }

    #[test]
    fn items_are_merged_by_their_key() {
        let live = json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "nodePort": 30000}, {"port": 81}]}});
        let config = json!({"spec": {"ports": [{"port": 80, "name": "web"}]}});
        assert_eq!(
            merged("", "Service", live, config),
            json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "nodePort": 30000, "name": "web"}, {"port": 81}]}})
        );
    }

    #[test]
    fn live_duplicates_survive_other_keys_and_fall_to_their_own() {
        let env = |list: Value| json!({"spec": {"containers": [{"name": "a", "env": list}]}});
        let live = env(json!([{"name": "X", "value": "1"}, {"name": "X", "value": "2"}]));
        assert_eq!(
            merged("", "Pod", live.clone(), env(json!([{"name": "Y"}]))),
            env(json!([{"name": "X", "value": "1"}, {"name": "X", "value": "2"}, {"name": "Y"}]))
        );
        assert_eq!(merged("", "Pod", live, env(json!([{"name": "X"}]))), env(json!([{"name": "X"}])));
    }

    proptest! {
        #[test]
        fn merged_lists_hold_each_item_once_and_the_configuration_in_its_order(
            live in proptest::sample::subsequence(('a'..='h').collect::<Vec<_>>(), 0..8).prop_shuffle(),
            config in proptest::sample::subsequence(('a'..='k').collect::<Vec<_>>(), 0..8).prop_shuffle(),
        ) {
            let merged: Vec<char> =
                order_of(&live.iter().collect::<String>(), &config.iter().collect::<String>()).chars().collect();
            let all: BTreeSet<char> = live.iter().chain(&config).copied().collect();
            prop_assert_eq!(merged.iter().copied().collect::<BTreeSet<_>>(), all.clone());
            prop_assert_eq!(merged.len(), all.len());
            let finalizers = |items: &[char]| {
                let items: Vec<_> = items.iter().map(char::to_string).collect();
                json!({"metadata": {"finalizers": items, "labels": {"a": "1"}}})
            };
            let schema = builtin("", "v1", "ConfigMap").unwrap();
            let (live_object, config_object) = (finalizers(&live), finalizers(&config));
            if value_holds(&schema.types, &schema.reference, &live_object, &config_object) {
                prop_assert_eq!(&merge(&schema, &live_object, &config_object).unwrap(), &live_object);
            } else {
                prop_assert_ne!(&merged, &live);
            }
            prop_assert_eq!(merged.into_iter().filter(|item| config.contains(item)).collect::<Vec<_>>(), config);
        }
    }
}
