//! Would storing one object give the other? Equality that knows what the server respells and leaves out.

use serde_json::Value;

use super::canonical::{holds_entries, stored_scalar};
use super::defaults::{ZeroFate, fill, is_zero};
use super::item::{is_same_item, item_element};
use super::json;
use super::known::Known;
use super::narrow::Touched;
use super::schema::{Branch, ListKind, ListType, MapType, MapView, Schema, TypeRef, TypeTable};

/// Tells whether `config`, once stored, reads as `live` does, managed fields left aside.
///
/// An empty text, list or map, zero, false or null in `config` equals a field that `live` does not have: the server leaves
/// such values out of most fields. Where it is known to keep a zero (`replicas: 0`), that is told apart. Structures (`emptyDir: {}`) are told apart from missing ones, and so are the entries of
/// maps such as labels. Items of sets and keyed lists must stand in the same order.
#[must_use]
pub fn same_as_stored(schema: &Schema, config: &Value, live: &Value) -> bool {
    let comparing = Comparing { types: &schema.types, builtin: schema.is_builtin(), fills: false };
    comparing.value(&schema.reference, config, live, Level::Root)
}

/// Does what [`same_as_stored`] does for two objects that can differ in some places only, of which all are in both or were
/// filled in.
pub(super) fn same_where_touched(schema: &Schema, config: &Value, live: &Value, touched: &Touched) -> bool {
    let comparing = Comparing { types: &schema.types, builtin: schema.is_builtin(), fills: false };
    comparing.touched(&schema.reference, config, live, touched, Level::Root)
}

/// Tells whether a value inside a configuration, once stored, reads as a value inside `live` does, be it only with what is
/// filled in.
pub(super) fn is_stored_as(types: &TypeTable, reference: &TypeRef, config: &Value, live: &Value) -> bool {
    let comparing = Comparing { types, builtin: types.builtin, fills: true };
    if comparing.value(reference, config, live, Level::Field) {
        return true;
    }
    if !config.is_object() && !config.is_array() {
        return false;
    }
    // Some of what is filled in depends on what else is there.
    let mut filled = config.clone();
    fill(types, reference, &mut filled);
    comparing.value(reference, &filled, live, Level::Field)
}

/// Where a value stands: managed fields, which do not count, are in the metadata of the root.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Metadata,
    Field,
}

struct Comparing<'a> {
    types: &'a TypeTable,
    builtin: bool,
    /// Whether a field that only the live value has may be one that was filled in.
    fills: bool,
}

impl Comparing<'_> {
    fn value(&self, reference: &TypeRef, config: &Value, live: &Value, level: Level) -> bool {
        if level == Level::Field && config == live {
            return true;
        }
        match self.types.resolve(reference).branches(Some(config), Some(live)) {
            [Some(Branch::Map(view)), None] => self.maps(reference, view, config, live, level),
            [Some(Branch::List(list)), None] => self.lists(list, config, live),
            [Some(Branch::Scalar(scalar)), None] => {
                let stored = |value: &Value| stored_scalar(scalar, value).unwrap_or_else(|| value.clone());
                json::equal(&stored(config), &stored(live))
            }
            _ => false,
        }
    }

    fn touched(&self, reference: &TypeRef, config: &Value, live: &Value, touched: &Touched, level: Level) -> bool {
        match (touched, config, live) {
            (Touched::Fields(fields), Value::Object(config_map), Value::Object(live_map))
                if config_map.len() == live_map.len() =>
            {
                fields.iter().all(|(name, touched)| {
                    let inside = self.types.map_of(reference).and_then(|view| view.map.under(name));
                    match (config_map.get(name), live_map.get(name), inside) {
                        (Some(config), Some(live), Some(inside)) => {
                            let is_metadata = level == Level::Root && name == "metadata";
                            let level = if is_metadata { Level::Metadata } else { Level::Field };
                            self.touched(inside, config, live, touched, level)
                        }
                        _ => self.value(reference, config, live, level),
                    }
                })
            }
            (Touched::Items(items), Value::Array(config), Value::Array(live)) if config.len() == live.len() => {
                let Some(list) = self.types.list_of(reference) else { return config == live };
                items.iter().all(|(place, touched)| match (config.get(*place), live.get(*place)) {
                    (Some(config), Some(live)) => {
                        is_same_item(self.types, list, config, live)
                            && self.touched(&list.element, config, live, touched, Level::Field)
                    }
                    _ => false,
                })
            }
            _ => self.value(reference, config, live, level),
        }
    }

    fn maps(&self, reference: &TypeRef, view: MapView<'_>, config: &Value, live: &Value, level: Level) -> bool {
        let known = self.types.known(reference);
        let (Some(config), Some(live)) = (config.as_object(), live.as_object()) else {
            return config.is_null() && live.is_null();
        };
        let only_live = live.keys().filter(|name| !config.contains_key(*name));
        config.keys().chain(only_live).all(|name| {
            if level == Level::Metadata && name == "managedFields" {
                return true;
            }
            let Some(reference) = view.map.under(name) else { return config.get(name) == live.get(name) };
            match (config.get(name), live.get(name)) {
                (Some(config), Some(live)) => {
                    let is_metadata = level == Level::Root && name == "metadata";
                    self.value(reference, config, live, if is_metadata { Level::Metadata } else { Level::Field })
                }
                (Some(config), None) => {
                    self.builtin
                        && !holds_entries(view.map)
                        && !(is_zero(config) && is_kept(known, name))
                        && self.may_be_left_out(reference, config)
                }
                (None, Some(live)) => {
                    self.builtin && live.is_null()
                        || self.fills
                            && self
                                .default_of(known, view.map, name)
                                .is_some_and(|default| self.value(reference, default, live, Level::Field))
                }
                (None, None) => true,
            }
        })
    }

    /// Returns what is filled into a field, if that depends on nothing else.
    fn default_of<'d>(&self, known: Option<&'d Known>, declared: &'d MapType, name: &str) -> Option<&'d Value> {
        if self.builtin { known?.defaults?.defaults.get(name) } else { declared.field(name)?.default.as_ref() }
    }

    fn may_be_left_out(&self, reference: &TypeRef, value: &Value) -> bool {
        match value {
            Value::Null | Value::Bool(false) => true,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => {
                map.is_empty() && self.types.resolve(reference).map.is_some_and(|view| holds_entries(view.map))
            }
            Value::Bool(true) => false,
        }
    }

    fn lists(&self, list: &ListType, config: &Value, live: &Value) -> bool {
        let (Some(config), Some(live)) = (config.as_array(), live.as_array()) else {
            return json::is_empty(config) && json::is_empty(live);
        };
        let same_name = |config, live| {
            list.kind == ListKind::Atomic
                || item_element(self.types, list, config) == item_element(self.types, list, live)
        };
        config.len() == live.len()
            && config
                .iter()
                .zip(live)
                .all(|(config, live)| same_name(config, live) && self.value(&list.element, config, live, Level::Field))
    }
}

fn is_kept(known: Option<&Known>, field: &str) -> bool {
    known.and_then(|known| known.fate_of_zero(field)) == Some(ZeroFate::Kept)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::builtin;

    fn same(config: Value, live: Value) -> bool {
        same_as_stored(&builtin("", "v1", "Pod").unwrap(), &config, &live)
    }

    #[test]
    fn what_the_server_respells_or_leaves_out_is_the_same() {
        let container = |extra: Value| {
            let mut container = json!({"name": "a"});
            container.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            json!({"spec": {"containers": [container]}})
        };
        for extra in [json!({"tty": false}), json!({"workingDir": ""}), json!({"command": []}), json!({"env": null})] {
            assert!(same(container(extra.clone()), container(json!({}))), "{extra}");
        }
        let memory = |text: Value| container(json!({"resources": {"limits": {"memory": text}}}));
        assert!(same(memory(json!("1024Mi")), memory(json!("1Gi"))));
        assert!(same(memory(json!(1)), memory(json!("1"))));
        assert!(!same(memory(json!("2Gi")), memory(json!("1Gi"))));
    }

    #[test]
    fn a_zero_that_the_server_keeps_is_not_the_same_as_nothing() {
        let spec = |spec: Value| json!({"spec": spec});
        for kept in [json!({"automountServiceAccountToken": false}), json!({"terminationGracePeriodSeconds": 0})] {
            assert!(!same(spec(kept.clone()), spec(json!({}))), "{kept}");
        }
        assert!(same(spec(json!({"hostNetwork": false, "nodeName": ""})), spec(json!({}))));
        let deployment = builtin("apps", "v1", "Deployment").unwrap();
        assert!(!same_as_stored(&deployment, &spec(json!({"replicas": 0})), &spec(json!({}))));
        assert!(same_as_stored(&deployment, &spec(json!({"minReadySeconds": 0})), &spec(json!({}))));
    }

    #[test]
    fn structures_and_entries_must_be_there() {
        let volume = |volume: Value| json!({"spec": {"volumes": [volume]}});
        assert!(!same(volume(json!({"name": "v", "emptyDir": {}})), volume(json!({"name": "v"}))));
        assert!(!same(json!({"metadata": {"labels": {"a": ""}}}), json!({"metadata": {"labels": {}}})));
        assert!(!same(json!({}), json!({"metadata": {"labels": {"a": "b"}}})));
        assert!(same(json!({"metadata": {"name": "x"}}), json!({"metadata": {"name": "x", "managedFields": [{}]}})));
    }
}
