use serde_json::{Value, json};

use super::*;
use crate::ssa::builtin;
use crate::ssa::canonicalise;
use crate::ssa::field_set::tests::set;
use crate::ssa::{Comparison, extract, owned_by, value_at};

/// What `a` owns after an apply.
fn fields(applied: &Applied<'_>) -> FieldSet {
    owned_by(&applied.object, "a").unwrap_or_default()
}

/// An object under several hands.
struct Server {
    schema: Schema,
    live: Option<Value>,
}

impl Server {
    fn of(group: &str, kind: &str) -> Self {
        Self { schema: builtin(group, "v1", kind).unwrap(), live: None }
    }

    fn of_config_maps() -> Self {
        Self::of("", "ConfigMap")
    }

    fn live(&self) -> &Value {
        self.live.as_ref().unwrap()
    }

    fn object(&self, content: Value) -> Value {
        let kind = self.schema.kind().unwrap();
        let mut object = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": {"name": "x"}});
        for (key, value) in content.as_object().unwrap() {
            if key == "metadata" {
                object["metadata"].as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
            } else {
                object[key] = value.clone();
            }
        }
        object
    }

    fn dry_run(&self, manager: &str, content: Value) -> Applied<'_> {
        apply(&self.schema, self.live.as_ref(), &self.object(content), manager).unwrap()
    }

    /// Applies with force, and stores the result.
    fn apply(&mut self, manager: &str, content: Value) -> Applied<'static> {
        let applied = self.dry_run(manager, content).into_owned();
        let mut object = applied.object.clone().into_owned();
        object["metadata"]["uid"] = json!("1");
        self.live = Some(object);
        applied
    }

    /// Writes the object as an update does: what it changes is the manager's alone.
    fn update(&mut self, manager: &str, change: impl Fn(&mut Value)) {
        let before = self.live().clone();
        let mut after = before.clone();
        change(&mut after);
        let Comparison { added, removed, modified } = compare(&self.schema, &before, &after);
        let changed = modified.union(&added);
        let mut entries = managed_fields(&before).unwrap();
        for entry in &mut entries {
            entry.fields = entry.fields.difference(&changed).difference(&removed);
        }
        entries.push(ManagedEntry {
            manager: manager.to_owned(),
            operation: Operation::Update,
            api_version: "v1".to_owned(),
            time: None,
            subresource: None,
            fields: changed,
        });
        entries.retain(|entry| !entry.fields.is_empty());
        set_managed_fields(&mut after, &entries);
        self.live = Some(after);
    }

    /// Lists what everybody owns: `MANAGER/OPERATION: PATHS`.
    fn owners(&self) -> Vec<String> {
        let entries = managed_fields(self.live()).unwrap();
        let line = |entry: &ManagedEntry| {
            let paths: Vec<_> = entry.fields.iter().map(|path| path.to_string()).collect();
            format!("{}/{}: {}", entry.manager, entry.operation, paths.join(" "))
        };
        entries.iter().map(line).collect()
    }

    fn at(&self, path: &str) -> Option<&Value> {
        value_at(self.live(), &Path::parse(path).unwrap())
    }
}

fn conflicts(applied: &Applied) -> Vec<String> {
    applied.conflicts.iter().map(|conflict| format!("{}: {}", conflict.entry.manager, conflict.path)).collect()
}

#[test]
fn applying_the_same_value_shares_the_field() {
    let mut server = Server::of_config_maps();
    server.apply("a", json!({"data": {"k": "1"}}));
    let shared = server.apply("b", json!({"data": {"k": "1"}}));
    assert!(shared.conflicts.is_empty() && shared.changed && !shared.content_changed);
    assert_eq!(server.owners(), ["a/Apply: .data.k", "b/Apply: .data.k"]);
}

#[test]
fn a_bare_name_owns_nothing_and_the_next_apply_records_who_was_there() {
    let mut server = Server::of_config_maps();
    server.apply("a", json!({}));
    assert_eq!(server.live()["metadata"].get("managedFields"), None);
    let mut server = Server::of_config_maps();
    server.live = Some(server.object(json!({"metadata": {"uid": "1", "labels": {"l": "1"}}, "data": {"k": "1"}})));
    let applied = server.apply("a", json!({"data": {"k": "2"}}));
    assert_eq!(conflicts(&applied), ["before-first-apply: .data.k"]);
    assert_eq!(
        server.owners(),
        ["a/Apply: .data.k", "before-first-apply/Update: .data .metadata.labels .metadata.labels.l"]
    );
}

#[test]
fn a_bare_name_of_a_new_manager_changes_nothing_and_of_an_owner_gives_up_all() {
    let mut server = Server::of_config_maps();
    server.apply("a", json!({"data": {"k": "1"}}));
    assert!(!server.dry_run("b", json!({})).changed);
    let given_up = server.apply("a", json!({}));
    assert!(given_up.changed && owned_by(&given_up.object, "a").is_none());
    assert_eq!(server.live().get("data"), None);
    assert!(server.owners().is_empty());
}

#[test]
fn empty_data_is_owned_and_live_keys_stay() {
    for empty in [json!(null), json!({})] {
        let mut server = Server::of_config_maps();
        server.apply("a", json!({"data": {"k": "1"}}));
        server.apply("b", json!({"data": empty}));
        assert_eq!(server.at(".data.k"), Some(&json!("1")));
        assert_eq!(server.owners(), ["a/Apply: .data.k", "b/Apply: .data"]);
    }
}

#[test]
fn empty_keyed_lists_own_nothing_and_empty_atomic_lists_are_owned() {
    let mut server = Server::of("", "Pod");
    let container = json!({"name": "c", "ports": [], "command": []});
    let applied = server.apply("a", json!({"metadata": {"ownerReferences": []}, "spec": {"containers": [container]}}));
    let key = ".spec.containers[name=\"c\"]";
    assert_eq!(fields(&applied), set(&[key, &format!("{key}.name"), &format!("{key}.command")]));
}

#[test]
fn null_annotations_are_owned_and_not_stored() {
    let mut server = Server::of_config_maps();
    server.apply("a", json!({"metadata": {"annotations": null}}));
    assert_eq!(server.at(".metadata.annotations"), None);
    assert_eq!(server.owners(), ["a/Apply: .metadata.annotations"]);
}

#[test]
fn null_replicas_are_owned_and_conflict_with_another_number() {
    let mut server = Server::of("apps", "Deployment");
    server.apply("a", json!({"spec": {"replicas": null}}));
    server.live.as_mut().unwrap()["spec"] = json!({"replicas": 1});
    assert_eq!(conflicts(&server.dry_run("b", json!({"spec": {"replicas": 3}}))), ["a: .spec.replicas"]);
    server.apply("c", json!({"spec": {"paused": true, "replicas": 1}}));
    let dropped = server.apply("a", json!({}));
    assert_eq!(dropped.object["spec"]["replicas"], 1, "another still owns it");
    server.apply("c", json!({"spec": {"paused": true}}));
    assert_eq!(server.at(".spec.replicas"), Some(&json!(1)), "the default follows");
    assert_eq!(server.owners(), ["c/Apply: .spec.paused"], "in nobody's hand");
}

#[test]
fn what_an_updater_wrote_stays_when_the_applier_drops_it() {
    let mut server = Server::of_config_maps();
    server.apply("a", json!({"data": {"k": "1", "l": "1"}}));
    server.update("u", |object| object["data"]["k"] = json!("2"));
    server.apply("a", json!({"data": {"l": "1"}}));
    assert_eq!(server.live()["data"], json!({"k": "2", "l": "1"}));
    assert_eq!(server.owners(), ["a/Apply: .data.l", "u/Update: .data.k"]);
}

#[test]
fn what_an_updater_deleted_comes_back_without_conflict() {
    let mut server = Server::of_config_maps();
    server.apply("a", json!({"data": {"k": "1", "l": "1"}}));
    server.update("u", |object| drop(object["data"].as_object_mut().unwrap().remove("k")));
    assert_eq!(server.owners(), ["a/Apply: .data.l"]);
    let again = server.dry_run("a", json!({"data": {"k": "1", "l": "1"}}));
    assert!(again.conflicts.is_empty() && again.content_changed);
}

#[test]
fn one_name_has_an_entry_for_each_way_of_writing() {
    let mut server = Server::of_config_maps();
    server.apply("a", json!({"data": {"k": "1"}}));
    server.update("a", |object| object["data"]["l"] = json!("2"));
    assert_eq!(server.owners(), ["a/Apply: .data.k", "a/Update: .data.l"]);
    assert_eq!(conflicts(&server.dry_run("a", json!({"data": {"k": "1", "l": "3"}}))), ["a: .data.l"]);
}

#[test]
fn the_default_of_a_key_is_in_the_key_only() {
    let mut server = Server::of("", "Pod");
    let config = json!({"spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}]}]}});
    server.apply("a", config.clone());
    let port = ".spec.containers[name=\"c\"].ports[containerPort=80,protocol=\"TCP\"]";
    assert!(server.owners()[0].contains(port) && !server.owners()[0].contains("protocol\"].protocol"));
    let containers = &mut server.live.as_mut().unwrap()["spec"]["containers"];
    containers[0]["ports"][0]["protocol"] = json!("TCP");
    containers[0]["imagePullPolicy"] = json!("Always");
    assert!(!server.dry_run("a", config).changed, "what the server defaulted is no change");
}

#[test]
fn a_configuration_may_not_name_an_item_twice() {
    let server = Server::of("", "Pod");
    let env = json!([{"name": "X", "value": "1"}, {"name": "X", "value": "2"}]);
    let config = server.object(json!({"spec": {"containers": [{"name": "c", "env": env}]}}));
    let ApplyError::Config(error) = apply(&server.schema, None, &config, "a").unwrap_err() else {
        panic!("another error")
    };
    insta::assert_snapshot!(error, @r#".spec.containers[name="c"].env: duplicate entries for key [name="X"]"#);
}

#[test]
fn a_number_for_a_quantity_is_stored_as_text_and_other_text_conflicts() {
    let mut server = Server::of("", "PersistentVolumeClaim");
    let storage = |value: Value| json!({"spec": {"resources": {"requests": {"storage": value}}}});
    server.apply("a", storage(json!(1_073_741_824)));
    assert_eq!(server.at(".spec.resources.requests.storage"), Some(&json!("1073741824")));
    assert!(!server.dry_run("a", storage(json!(1_073_741_824))).changed);
    assert_eq!(conflicts(&server.dry_run("b", storage(json!("1Gi")))), ["a: .spec.resources.requests.storage"]);
}

#[test]
fn what_is_written_in_another_spelling_is_no_change() {
    let mut server = Server::of("", "PersistentVolumeClaim");
    let storage = json!({"spec": {"resources": {"requests": {"storage": "1024Mi"}}}});
    server.apply("a", storage.clone());
    assert_eq!(server.at(".spec.resources.requests.storage"), Some(&json!("1Gi")));
    assert!(!server.dry_run("a", storage).changed);
    let mut server = Server::of("", "Secret");
    let secret = json!({"stringData": {"k": "v"}});
    server.apply("a", secret.clone());
    assert_eq!(server.at(".data.k"), Some(&json!("dg==")));
    assert!(!server.dry_run("a", secret).changed);
    server.apply("a", json!({}));
    assert_eq!(server.at(".data.k"), Some(&json!("dg==")), "the data was never owned");
}

#[test]
fn status_is_left_out_of_an_apply_to_the_object() {
    let mut server = Server::of("apps", "Deployment");
    let applied = server.apply("a", json!({"spec": {"replicas": 1}, "status": {"replicas": 7}}));
    assert_eq!(fields(&applied), set(&[".spec.replicas"]));
    assert_eq!(server.live().get("status"), None);
}

#[test]
fn a_map_that_is_emptied_and_owned_vanishes_from_built_in_kinds() {
    let mut server = Server::of_config_maps();
    server.apply("o", json!({"data": {"x": "1"}}));
    server.update("u", |object| object["metadata"]["labels"] = json!({}));
    server.apply("a", json!({"metadata": {"labels": {"k": "1"}}}));
    server.apply("a", json!({}));
    assert_eq!(server.at(".metadata.labels"), None);
    assert_eq!(server.owners(), ["o/Apply: .data.x", "u/Update: .metadata.labels"]);
}

#[test]
fn in_a_custom_resource_it_becomes_null() {
    let schema = Schema::deduced();
    let object =
        |spec: Value| json!({"apiVersion": "example.com/v1", "kind": "W", "metadata": {"name": "w"}, "spec": spec});
    let first = apply(&schema, None, &object(json!({"gm": {"k": "1"}, "x": 1})), "a").unwrap().object;
    let second = apply(&schema, Some(&first), &object(json!({"gm": {}})), "u").unwrap().object;
    let third = apply(&schema, Some(&second), &object(json!({"x": 1})), "a").unwrap();
    assert_eq!(third.object["spec"], json!({"gm": null, "x": 1}));
}

#[test]
fn the_sole_owner_of_a_key_takes_the_map_along() {
    let mut server = Server::of_config_maps();
    server.apply("a", json!({"data": {"k": "1"}, "metadata": {"labels": {"l": "1"}}}));
    server.apply("a", json!({"metadata": {"labels": {"l": "1"}}}));
    assert_eq!(server.live().get("data"), None);
}

#[test]
fn an_item_that_is_dropped_stays_as_far_as_others_own_it() {
    let mut server = Server::of("", "Pod");
    server.apply(
        "a",
        json!({"spec": {"containers": [
        {"name": "c", "image": "i", "workingDir": "/a"}, {"name": "d", "image": "i"}]}}),
    );
    server.apply("b", json!({"spec": {"containers": [{"name": "c", "image": "j"}]}}));
    server.apply("a", json!({"spec": {"containers": [{"name": "d", "image": "i"}]}}));
    let containers = server.live()["spec"]["containers"].as_array().unwrap();
    let said = |container: &Value| ["name", "image", "workingDir"].map(|field| container[field].clone());
    assert_eq!(
        containers.iter().map(said).collect::<Vec<_>>(),
        [[json!("c"), json!("j"), json!(null)], [json!("d"), json!("i"), json!(null)]]
    );
}

#[test]
fn defaults_inside_an_item_go_with_it() {
    let mut server = Server::of("", "Pod");
    let both = json!({"spec": {"containers": [{"name": "c"}, {"name": "d"}]}});
    server.apply("a", both);
    server.live.as_mut().unwrap()["spec"]["containers"][0]["imagePullPolicy"] = json!("Always");
    server.apply("a", json!({"spec": {"containers": [{"name": "d"}]}}));
    let names: Vec<_> =
        server.live()["spec"]["containers"].as_array().unwrap().iter().map(|container| &container["name"]).collect();
    assert_eq!(names, ["d"]);
}

#[test]
fn a_dropped_field_returns_to_its_default_and_nobody_owns_it() {
    let mut server = Server::of("apps", "Deployment");
    server.apply("a", json!({"spec": {"replicas": 3, "paused": true}}));
    let dropped = server.apply("a", json!({"spec": {"paused": true}}));
    assert_eq!(dropped.object["spec"]["replicas"], 1);
    assert_eq!(server.owners(), ["a/Apply: .spec.paused"]);
}

#[test]
fn a_new_port_gets_its_defaults_and_they_have_no_owner() {
    let mut server = Server::of("", "Service");
    server.apply("a", json!({"spec": {"ports": [{"port": 80}]}}));
    let ports = json!([{"port": 80, "protocol": "TCP", "targetPort": 80}]);
    assert_eq!(server.live()["spec"]["ports"], ports);
    assert_eq!(
        server.owners(),
        ["a/Apply: .spec.ports[port=80,protocol=\"TCP\"] .spec.ports[port=80,protocol=\"TCP\"].port"]
    );
}

#[test]
fn dropping_what_is_the_default_anyway_changes_owners_and_no_content() {
    let mut server = Server::of("apps", "Deployment");
    server.apply("a", json!({"spec": {"replicas": 1, "paused": true}}));
    let dropped = server.dry_run("a", json!({"spec": {"paused": true}}));
    assert!(dropped.changed && !dropped.content_changed);
}

#[test]
fn a_map_that_an_updater_emptied_stays_its() {
    let mut server = Server::of_config_maps();
    server.apply("a", json!({"data": {"x": "1"}}));
    server.update("u", |object| object["metadata"]["labels"] = json!({"l": "1"}));
    server.update("v", |object| object["metadata"]["labels"] = json!({}));
    assert_eq!(server.owners(), ["a/Apply: .data.x", "u/Update: .metadata.labels"]);
}

#[test]
fn a_conflict_names_the_field_and_its_owner_and_force_takes_it() {
    let mut server = Server::of_config_maps();
    server.apply("a", json!({"data": {"k": "1", "l": "1"}}));
    let taken = server.apply("b", json!({"data": {"k": "2", "l": "1"}}));
    assert_eq!(conflicts(&taken), ["a: .data.k"]);
    assert_eq!(server.owners(), ["a/Apply: .data.l", "b/Apply: .data.k .data.l"]);
}

#[test]
fn managed_fields_in_the_configuration_are_refused() {
    let server = Server::of_config_maps();
    let config = server.object(json!({"metadata": {"managedFields": []}}));
    assert_eq!(apply(&server.schema, None, &config, "a"), Err(ApplyError::ManagedFieldsSet));
}

#[test]
fn what_the_server_keeps_by_itself_stays_whatever_is_said_of_it() {
    let mut server = Server::of_config_maps();
    let config = json!({"metadata": {"creationTimestamp": null, "generation": 1}, "data": {"k": "1"}});
    let created = server.apply("a", config.clone());
    assert_eq!(created.object["metadata"].get("generation"), None);
    let metadata = &mut server.live.as_mut().unwrap()["metadata"];
    metadata["creationTimestamp"] = json!("2026-01-02T03:04:05Z");
    metadata["generation"] = json!(7);
    assert!(!server.dry_run("a", config).changed);
}

#[test]
fn times_stay_where_content_does() {
    let mut server = Server::of_config_maps();
    let config = json!({"data": {"k": "1"}});
    server.apply("a", config.clone());
    server.live.as_mut().unwrap()["metadata"]["managedFields"][0]["time"] = json!("2026-01-02T03:04:05Z");
    let time = |applied: &Applied| applied.object["metadata"]["managedFields"][0].get("time").cloned();
    assert!(time(&server.dry_run("a", config)).is_some());
    assert!(time(&server.dry_run("a", json!({"data": {"k": "2"}}))).is_none());
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn content() -> impl Strategy<Value = Value> {
        let labels = proptest::collection::btree_map("[abc]", "[12]", 1..3);
        let names = proptest::sample::subsequence(vec!["p", "q", "r"], 1..3).prop_shuffle();
        (labels, names, "[xy]").prop_map(|(labels, names, image)| {
            let containers: Vec<_> = names.into_iter().map(|name| json!({"name": name, "image": image})).collect();
            json!({"metadata": {"labels": labels}, "spec": {"containers": containers}})
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn applying_again_changes_nothing_and_the_configuration_is_there(
            first in content(), other in content(), second in content()
        ) {
            let mut server = Server::of("", "Pod");
            server.apply("a", first);
            server.apply("b", other);
            let applied = server.apply("a", second.clone());
            prop_assert!(!server.dry_run("a", second.clone()).changed);
            let stored = extract(server.live(), &fields(&applied));
            let mut expected = server.object(second);
            canonicalise(&server.schema, &mut expected);
            let expected = extract(&expected, &fields(&applied));
            prop_assert_eq!(stored, expected);
        }
    }
}
