//! By far the most frequent answer, in one walk that copies next to nothing: the live object holds all that is configured,
//! and who applies owns just that already.
//!
//! The configuration, the live object and the encoded fields (`FieldsV1`) lie in the same order, so they are gone through
//! side by side. Only a whole list or map that is stored otherwise than it is given is copied, to see what was filled
//! into it. Whatever is unusual is left to the merge: `false` says no more than that this walk was not sure.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::apply::STRIPPED;
use super::field_set::FieldSet;
use super::item::is_same_item;
use super::managed::applied_entry;
use super::merge::value_holds;
use super::schema::{Branch, ListKind, ListType, MapType, Schema, TypeRef, TypeTable};
use super::stored::is_stored_as;

/// Tells whether to apply `config` to `live` as `manager` certainly changes nothing, neither values nor whose they are.
pub(super) fn is_unchanged(schema: &Schema, live: &Value, config: &Value, manager: &str) -> bool {
    let Some(entry) = applied_entry(live, manager) else { return false };
    let version = config.get("apiVersion");
    if version.is_none() || entry.get("apiVersion") != version {
        return false;
    }
    let reset = schema.reset_fields();
    let mut walk = Walk { types: &schema.types, reset: &reset, step: Vec::new(), is_respelled: false };
    walk.value(&schema.reference, Sides { live, config, owned: entry.get("fieldsV1") }, Level::Root)
        && !(walk.is_respelled && others_own_content(live, entry))
}

/// Tells whether another entry holds more than metadata and status. The server compares a value as it is given with the value
/// as it is stored: another spelling of it conflicts with whoever owns it too.
fn others_own_content(live: &Value, own: &Value) -> bool {
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    entries.into_iter().flatten().filter(|entry| !std::ptr::eq(*entry, own)).any(|entry| {
        let steps = entry.get("fieldsV1").and_then(Value::as_object);
        steps.is_none_or(|steps| steps.keys().any(|step| !["f:metadata", "f:status"].contains(&step.as_str())))
    })
}

/// One place of the three. `owned` is `None` where the manager owns nothing there.
#[derive(Clone, Copy)]
struct Sides<'v> {
    live: &'v Value,
    config: &'v Value,
    owned: Option<&'v Value>,
}

/// Where a value stands. The server tracks some fields for nobody, and they are all in the first two.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Metadata,
    /// A declared field: a map without content is owned as itself.
    Field,
    /// A key of a map or an item of a list: always owned as itself.
    Entry,
}

static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

struct Walk<'a> {
    types: &'a TypeTable,
    reset: &'a FieldSet,
    /// The last step that was written, for its memory.
    step: Vec<u8>,
    /// Whether a value was met that is stored otherwise than it is given.
    is_respelled: bool,
}

impl<'a> Walk<'a> {
    fn value(&mut self, reference: &'a TypeRef, sides: Sides<'_>, level: Level) -> bool {
        let Sides { live, config, owned } = sides;
        match (self.types.resolve(reference).branch(Some(config)), live, config) {
            (None, ..) | (_, _, Value::Null) => false,
            (Some(Branch::Map(view)), Value::Object(live), Value::Object(config)) if !view.atomic => {
                self.map(view.map, live, config, owned, level)
            }
            (Some(Branch::List(list)), Value::Array(live), Value::Array(config)) if list.kind != ListKind::Atomic => {
                self.list(list, live, config, owned, level)
            }
            _ if live == config => owned.is_some_and(is_whole),
            _ => {
                self.is_respelled = true;
                owned.is_some_and(is_whole) && is_stored_as(self.types, reference, config, live)
            }
        }
    }

    fn map(
        &mut self,
        declared: &'a MapType,
        live: &Map<String, Value>,
        config: &Map<String, Value>,
        owned: Option<&Value>,
        level: Level,
    ) -> bool {
        let mut steps = match owned {
            None => NOTHING.iter(),
            Some(Value::Object(steps)) => steps.iter(),
            Some(_) => return false,
        };
        let mut stored = live.iter();
        let mut next = steps.next();
        let says_itself = next.is_some_and(|(step, _)| step == ".");
        if says_itself {
            next = steps.next();
        }
        let mut is_empty = true;
        for (name, config) in config {
            let Some((_, live)) = stored.find(|(stored, _)| *stored >= name).filter(|(stored, _)| *stored == name)
            else {
                return false;
            };
            let field = declared.field(name).map(|field| &field.reference);
            let Some(reference) = field.or(declared.element.as_ref()) else { return false };
            if self.is_nobodys(name, level) {
                if !value_holds(self.types, reference, live, config) {
                    return false;
                }
                continue;
            }
            let owned = next.filter(|(step, _)| is_step_to(step, name)).map(|(_, below)| below);
            if owned.is_some() {
                next = steps.next();
            }
            is_empty &= owned.is_none();
            let inside = match level {
                Level::Root if name == "metadata" => Level::Metadata,
                _ if field.is_none() => Level::Entry,
                _ => Level::Field,
            };
            if !self.value(reference, Sides { live, config, owned }, inside) {
                return false;
            }
        }
        let is_owned = match level {
            Level::Root | Level::Metadata => false,
            Level::Field => config.is_empty(),
            Level::Entry => true,
        };
        // Of a step below which nothing is, the encoding need not say that it is owned.
        let is_said = owned.is_some() && (says_itself || is_empty && level != Level::Root);
        next.is_none() && is_said == is_owned
    }

    fn is_nobodys(&self, name: &str, level: Level) -> bool {
        match level {
            Level::Root => name == "apiVersion" || name == "kind" || self.reset.field(name).is_some(),
            Level::Metadata => STRIPPED.field("metadata").is_some_and(|(_, below)| below.field(name).is_some()),
            Level::Field | Level::Entry => false,
        }
    }

    /// A list stays as it is if the configuration's items stand in it in their order, each once.
    fn list(
        &mut self,
        list: &'a ListType,
        live: &[Value],
        config: &[Value],
        owned: Option<&Value>,
        level: Level,
    ) -> bool {
        let is_owned = level == Level::Entry;
        if config.is_empty() {
            return owned.map_or(!is_owned, |owned| is_owned && is_whole(owned));
        }
        let Some(Value::Object(steps)) = owned else { return false };
        let says_itself = steps.contains_key(".");
        if says_itself != is_owned || steps.len() - usize::from(says_itself) != config.len() {
            return false;
        }
        let mut met = Vec::with_capacity(config.len());
        let mut wanted = config.iter().peekable();
        // Items that stand in the order of their names are met one after the other.
        let mut expected = steps.iter().skip(usize::from(says_itself)).peekable();
        for live in live {
            let ours = wanted.next_if(|config| is_same_item(self.types, list, live, config));
            let Some(step) = self.written(list, ours.unwrap_or(live)) else { return false };
            let found = expected.next_if(|(name, _)| *name == step).or_else(|| steps.get_key_value(step));
            match (ours, found) {
                (Some(config), Some((step, owned))) => {
                    met.push(step.as_str());
                    if !self.value(&list.element, Sides { live, config, owned: Some(owned) }, Level::Entry) {
                        return false;
                    }
                }
                // Only somebody else's may stand between.
                (None, None) => {}
                _ => return false,
            }
        }
        met.sort_unstable();
        wanted.next().is_none() && met.is_sorted_by(|left, right| left < right)
    }

    /// Writes the step to an item, as `FieldsV1` has it.
    fn written(&mut self, list: &ListType, item: &Value) -> Option<&str> {
        self.step.clear();
        match (&list.kind, item) {
            (ListKind::Set, Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                self.step.extend_from_slice(b"v:");
                write(&mut self.step, item)?;
            }
            (ListKind::Map(keys), Value::Object(item)) if keys.is_sorted() => {
                let declared = self.types.resolve(&list.element).map;
                let mut before: &[u8] = b"k:{";
                for key in keys {
                    let default = || declared?.map.field(key)?.default.as_ref();
                    let Some(value) = item.get(key).or_else(default) else { continue };
                    self.step.extend_from_slice(before);
                    write_text(&mut self.step, key)?;
                    self.step.push(b':');
                    write(&mut self.step, value)?;
                    before = b",";
                }
                self.step.push(b'}');
            }
            _ => return None,
        }
        std::str::from_utf8(&self.step).ok()
    }
}

fn is_step_to(step: &str, field: &str) -> bool {
    step.len() == field.len() + 2 && step.starts_with("f:") && step.ends_with(field)
}

/// Writes JSON as the server does, if nothing in it needs to be spelled otherwise than it stands.
fn write(step: &mut Vec<u8>, value: &Value) -> Option<()> {
    match value {
        Value::String(text) => write_text(step, text),
        other => serde_json::to_writer(step, other).ok(),
    }
}

fn write_text(step: &mut Vec<u8>, text: &str) -> Option<()> {
    if text.bytes().any(|byte| !(b' '..=b'~').contains(&byte) || b"\"\\<>&".contains(&byte)) {
        return None;
    }
    step.push(b'"');
    step.extend_from_slice(text.as_bytes());
    step.push(b'"');
    Some(())
}

/// Tells whether encoded fields are a value as a whole.
fn is_whole(owned: &Value) -> bool {
    owned.as_object().is_some_and(|steps| steps.keys().all(|step| step == "."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::ssa::apply::merged;
    use crate::ssa::{apply, builtin, managed_fields};

    fn pod(content: &Value) -> Value {
        let mut object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}});
        for (name, value) in content.as_object().unwrap() {
            if name == "metadata" {
                object["metadata"].as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
            } else {
                object[name] = value.clone();
            }
        }
        object
    }

    fn applied(live: Option<&Value>, config: &Value, manager: &str) -> Value {
        apply(&builtin("", "v1", "Pod").unwrap(), live, config, manager).unwrap().object.into_owned()
    }

    fn is_seen(live: &Value, config: &Value) -> bool {
        is_unchanged(&builtin("", "v1", "Pod").unwrap(), live, config, "a")
    }

    /// All that is left to the merge would be as right, and slow: what is frequent must be seen.
    #[test]
    fn what_is_frequent_is_seen() {
        for content in [
            json!({}),
            json!({"metadata": {"labels": {"a": "1"}, "annotations": {"b/c": ""}, "finalizers": ["x/y", "x/z"]}}),
            json!({"metadata": {"labels": {"a": "1"}, "namespace": "n"}}),
            json!({"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80}], "command": ["x"], "resources": {}}]}}),
            json!({"spec": {"containers": [{"name": "b", "env": [{"name": "A"}, {"name": "B", "value": "1"}]}, {"name": "a"}]}}),
            json!({"spec": {"volumes": [{"name": "v", "emptyDir": {}}], "tolerations": [{"key": "x"}], "nodeSelector": {"a": "b"}}}),
            json!({"spec": {"hostNetwork": true, "activeDeadlineSeconds": 5}}),
        ] {
            let config = pod(&content);
            let live = applied(None, &config, "a");
            // What owns nothing has no entry to be found.
            let owns = !managed_fields(&live).unwrap().is_empty();
            assert_eq!(is_seen(&live, &config), owns, "{content}");
            let other =
                json!({"metadata": {"labels": {"b": "1"}}, "spec": {"containers": [{"name": "0"}, {"name": "z"}]}});
            let live = applied(Some(&live), &pod(&other), "b");
            assert_eq!(is_seen(&live, &config), owns, "{content}");
        }
    }

    /// The server writes more into the claims of a StatefulSet than anybody applies, and the list is one value.
    #[test]
    fn what_is_filled_into_a_whole_value_is_seen_through() {
        let schema = builtin("apps", "v1", "StatefulSet").unwrap();
        let config = |storage: &str| {
            let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}});
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "x"},
                "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": spec}]}})
        };
        let live = apply(&schema, None, &config("1Gi"), "a").unwrap().object.into_owned();
        assert_ne!(live["spec"]["volumeClaimTemplates"], config("1Gi")["spec"]["volumeClaimTemplates"]);
        assert!(is_unchanged(&schema, &live, &config("1Gi"), "a"));
        assert!(is_unchanged(&schema, &live, &config("1024Mi"), "a"));
        assert!(!is_unchanged(&schema, &live, &config("2Gi"), "a"));
    }

    #[test]
    fn another_spelling_of_what_two_own_is_left_to_the_merge() {
        let of =
            |cpu: &str| pod(&json!({"spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": cpu}}}]}}));
        let alone = applied(None, &of("1000m"), "a");
        assert!(is_seen(&alone, &of("1000m")) && is_seen(&alone, &of("1")));
        let shared = applied(Some(&alone), &of("1"), "b");
        assert!(is_seen(&shared, &of("1")) && !is_seen(&shared, &of("1000m")));
        let schema = builtin("", "v1", "Pod").unwrap();
        assert_eq!(apply(&schema, Some(&shared), &of("1000m"), "a").unwrap().conflicts.len(), 1);
    }

    #[test]
    fn what_would_change_something_is_not() {
        let env = |list: Value| pod(&json!({"spec": {"containers": [{"name": "a", "env": list}]}}));
        let (x, y) = (json!({"name": "X", "value": "1"}), json!({"name": "Y"}));
        let live = applied(None, &env(json!([x, y])), "a");
        assert!(is_seen(&live, &env(json!([x, y]))));
        for other in
            [json!([y, x]), json!([x]), json!([x, x]), json!([x, y, y]), json!([x, {"name": "Y", "value": ""}])]
        {
            assert!(!is_seen(&live, &env(other.clone())), "{other}");
        }
        // Owned, but not applied any more; applied, but not owned yet; stored twice.
        let mut twice = live.clone();
        twice["spec"]["containers"][0]["env"] = json!([x, y, x]);
        assert!(!is_seen(&twice, &env(json!([x, y]))));
        assert!(!is_seen(&live, &pod(&json!({"spec": {"containers": [{"name": "a"}]}}))));
        let wider = pod(&json!({"spec": {"containers": [{"name": "a", "env": [x, y]}], "hostNetwork": true}}));
        assert!(!is_seen(&live, &wider));
        let mut with_both = live.clone();
        with_both["spec"]["hostNetwork"] = json!(true);
        assert!(!is_seen(&with_both, &wider));
        let mut by_another = live.clone();
        by_another["metadata"]["managedFields"][0]["manager"] = json!("b");
        assert!(!is_seen(&by_another, &env(json!([x, y]))));
        let mut at_another = live;
        at_another["metadata"]["managedFields"][0]["apiVersion"] = json!("v2");
        assert!(!is_seen(&at_another, &env(json!([x, y]))));
    }

    /// Nothing is empty: of that the server stores nothing, so that it is left to the merge.
    fn content() -> impl Strategy<Value = Value> {
        let labels = proptest::collection::btree_map("[ab]", "[12]", 1..3);
        let names = || proptest::sample::subsequence(vec!["p", "q", "r"], 1..4).prop_shuffle();
        let ports = json!([{"containerPort": 80}, {"containerPort": 443, "protocol": "UDP"}]);
        (labels, names(), names(), names(), any::<bool>()).prop_map(move |(labels, names, env, finalizers, volume)| {
            let env: Vec<_> = env.into_iter().map(|name| json!({"name": name, "value": "1"})).collect();
            let limits = json!({"cpu": if volume { "1" } else { "1000m" }});
            let container = |name| {
                json!({"name": name, "env": env, "ports": ports, "args": finalizers, "resources": {"limits": limits}})
            };
            let containers: Vec<_> = names.into_iter().map(container).collect();
            let mut content = json!({"metadata": {"labels": labels}, "spec": {"containers": containers}});
            if volume {
                content["metadata"]["finalizers"] = json!(finalizers);
                content["spec"]["volumes"] = json!([{"name": "v", "emptyDir": {}}]);
            }
            content
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_seen_the_merge_finds_too(first in content(), other in content(), again in content()) {
            let schema = builtin("", "v1", "Pod").unwrap();
            let alone = applied(None, &pod(&first), "a");
            let shared = applied(Some(&alone), &pod(&other), "b");
            let last = applied(Some(&shared), &pod(&again), "a");
            for live in [&alone, &shared, &last] {
                for config in [&first, &other, &again] {
                    let config = pod(config);
                    if is_seen(live, &config) {
                        let merged = merged(&schema, Some(live), &config, "a").unwrap();
                        prop_assert!(!merged.changed && !merged.ownership_changed && merged.conflicts.is_empty());
                        prop_assert_eq!(&*merged.object, live);
                    }
                }
            }
            // Another spelling of what two own is left to the merge.
            prop_assert!(is_seen(&last, &pod(&again)) || again.to_string().contains("1000m"));
        }
    }
}
