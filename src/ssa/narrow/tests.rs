//! What is seen, and what is not.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ssa::apply::merged;
use crate::ssa::properties::{LEDGERS, config};
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
    is_nothing(&builtin("", "v1", "Pod").unwrap(), live, config)
}

fn is_nothing(schema: &crate::ssa::Schema, live: &Value, config: &Value) -> bool {
    matches!(narrowed(schema, live, config, "a"), Narrowed::Nothing)
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
        let other = json!({"metadata": {"labels": {"b": "1"}}, "spec": {"containers": [{"name": "0"}, {"name": "z"}]}});
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
    assert!(is_nothing(&schema, &live, &config("1Gi")));
    assert!(is_nothing(&schema, &live, &config("1024Mi")));
    assert!(!is_nothing(&schema, &live, &config("2Gi")));
}

#[test]
fn another_spelling_of_what_two_own_is_left_to_the_merge() {
    let of = |cpu: &str| pod(&json!({"spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": cpu}}}]}}));
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
    for other in [json!([y, x]), json!([x]), json!([x, x]), json!([x, y, y]), json!([x, {"name": "Y", "value": ""}])] {
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

#[test]
fn fields_that_are_owned_otherwise_or_are_none_are_left_to_the_merge() {
    let config = pod(&json!({"metadata": {"labels": {"a": "1"}}}));
    let live = applied(None, &config, "a");
    let owning = |fields: Value| {
        let mut live = live.clone();
        live["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"]["f:labels"]["f:a"] = fields;
        live
    };
    assert!(is_seen(&owning(json!({})), &config));
    // As somebody owns who applied a map there when it was no single value yet.
    assert!(!is_seen(&owning(json!({"f:b": {}})), &config));
    assert!(!is_seen(&owning(json!({".": {}, "f:b": {}})), &config));
    let schema = builtin("", "v1", "Pod").unwrap();
    let broken = owning(json!({"k:nonsense": {}}));
    assert!(matches!(narrowed(&schema, &broken, &config, "a"), Narrowed::Whole));
    assert!(matches!(apply(&schema, Some(&broken), &config, "a"), Err(crate::ssa::ApplyError::Live(_))));
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

/// A pod that one applied, another applied to, and the first again.
fn stages(first: &Value, other: &Value, again: &Value) -> [Value; 3] {
    let alone = applied(None, &pod(first), "a");
    let shared = applied(Some(&alone), &pod(other), "b");
    let last = applied(Some(&shared), &pod(again), "a");
    [alone, shared, last]
}

/// Whatever is left to the whole merge is as right, and slow: what is frequent must be narrowed.
#[test]
fn nothing_but_what_may_change_is_looked_at() {
    let container = |image: &str, env: &[&str]| {
        let env: Vec<_> = env.iter().map(|name| json!({"name": name, "value": "1"})).collect();
        let container = json!({"name": "a", "image": image, "env": env, "ports": [{"containerPort": 80}]});
        json!({"metadata": {"labels": {"a": "1"}}, "spec": {"containers": [{"name": "z"}, container], "hostNetwork": true}})
    };
    let live = applied(None, &pod(&container("x:1", &["P", "Q", "R"])), "a");
    let schema = builtin("", "v1", "Pod").unwrap();
    let part = |config: &Value| match narrowed(&schema, &live, &pod(config), "a") {
        Narrowed::Part(part) => {
            assert!(apply(&schema, Some(&live), &pod(config), "a").unwrap().changed);
            (part.live.unwrap(), part.config.unwrap())
        }
        _ => panic!("{config} was not narrowed"),
    };
    let of = |container: Value| json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}});
    assert_eq!(
        part(&container("x:2", &["P", "Q", "R"])),
        (of(json!({"name": "a", "image": "x:1"})), of(json!({"name": "a", "image": "x:2"})))
    );
    let (gone, kept) = (json!({"name": "R", "value": "1"}), json!({"name": "P"}));
    assert_eq!(
        part(&container("x:1", &["P", "Q"])),
        (of(json!({"name": "a", "env": [kept, gone]})), of(json!({"name": "a", "env": [kept]})))
    );
    let new = json!({"name": "S", "value": "1"});
    assert_eq!(
        part(&container("x:1", &["P", "Q", "R", "S"])),
        (of(json!({"name": "a", "env": []})), of(json!({"name": "a", "env": [new]})))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_seen_the_merge_finds_too(first in content(), other in content(), again in content()) {
        let schema = builtin("", "v1", "Pod").unwrap();
        let stages = stages(&first, &other, &again);
        for live in &stages {
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
        prop_assert!(is_seen(&stages[2], &pod(&again)) || again.to_string().contains("1000m"));
    }

    #[test]
    fn a_part_comes_to_what_the_whole_comes_to(
        configs in [config(), config(), config()],
        again in config(),
        mixes in [any::<[bool; 4]>(), any::<[bool; 4]>()],
    ) {
        let [first, other, second] = configs;
        let after = |live: Option<&Value>, config: &Value, manager| {
            merged(&LEDGERS, live, config, manager).unwrap().object.into_owned()
        };
        let alone = after(None, &first, "a");
        let shared = after(Some(&alone), &other, "b");
        let last = after(Some(&shared), &second, "a");
        // Most of what is applied next is what was applied before.
        let near = |config: &Value, mix: [bool; 4]| mixed(config, &again, mix);
        for live in [&alone, &shared, &last] {
            for config in [near(&first, mixes[0]), near(&second, mixes[1]), again.clone()] {
                let whole = merged(&LEDGERS, Some(live), &config, "a").unwrap();
                let found = apply(&LEDGERS, Some(live), &config, "a").unwrap();
                prop_assert_eq!(&*found.object, &*whole.object);
                prop_assert_eq!(found, whole);
            }
        }
    }

    #[test]
    fn a_part_of_a_pod_comes_to_what_the_whole_comes_to(first in content(), other in content(), again in content(), image in any::<bool>()) {
        let schema = builtin("", "v1", "Pod").unwrap();
        let stages = stages(&first, &other, &again);
        for live in &stages {
            for config in [&first, &other, &again] {
                let mut config = pod(config);
                if image {
                    config["spec"]["containers"][0]["image"] = json!("x:latest");
                    config["metadata"]["creationTimestamp"] = Value::Null;
                }
                let whole = merged(&schema, Some(live), &config, "a").unwrap();
                prop_assert_eq!(apply(&schema, Some(live), &config, "a").unwrap(), whole);
            }
        }
    }
}

/// One configuration with some parts of another.
fn mixed(config: &Value, other: &Value, [title, nested, accounts, account]: [bool; 4]) -> Value {
    let mut mixed = config.clone();
    for (takes, field) in [(title, "title"), (nested, "nested"), (accounts, "accounts")] {
        if takes {
            mixed["spec"][field] = other["spec"][field].clone();
        }
    }
    if account && let Some(accounts) = mixed["spec"]["accounts"].as_array_mut() {
        accounts.pop();
    }
    if let Some(spec) = mixed["spec"].as_object_mut() {
        spec.retain(|_, value| !value.is_null());
    }
    mixed
}
