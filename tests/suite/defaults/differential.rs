//! Apply as computed here against apply as the server does it: the object, who owns what afterwards, and who disagrees.
//!
//! A case is a live object, made by one manager and often changed by another, and changed configurations of the first.
//! The server answers a dry run of each; nothing but the cases' own objects is ever written.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};

use mathison::ssa::{self, Applied, Path, Schema, managed_fields};
use serde_json::{Value, json};

use super::{documents, learn, schema_of};
use crate::support::api::Api;
use crate::support::cluster::Server;

// The sandbox would answer with the very code that is judged here.
on_the_real_server!(apply_comes_to_what_the_server_says);

const MANAGER: &str = "differential";

fn apply_comes_to_what_the_server_says(server: &Server) {
    let namespace = server.namespace("differential");
    let api = Api::of(server);
    let mut found = Found::default();
    for case in documents(include_str!("cases.yaml")) {
        let base = &case["base"];
        let schema = schema_of(base);
        let scene = Scene { api: &api, schema: &schema, namespace: namespace.name() };
        scene.write(base, MANAGER);
        for (manager, other) in case["others"].as_object().into_iter().flatten() {
            let identity = ["apiVersion", "kind", "metadata"].map(|field| (field.to_owned(), base[field].clone()));
            let mut object: Value = identity.into_iter().collect::<serde_json::Map<_, _>>().into();
            object["metadata"] = json!({"name": base["metadata"]["name"]});
            merge_patch(&mut object, other);
            scene.write(&object, manager);
        }
        found.kinds.insert(base["kind"].as_str().unwrap_or_default().to_owned());
        for change in case["changes"].as_array().expect("changes") {
            let mut config = base.clone();
            merge_patch(&mut config, change);
            scene.compare(&config, &change.to_string(), &mut found);
        }
    }
    let _ = writeln!(
        io::stderr(),
        "{} pairs of {} kinds, {} with conflicts, {} more invalid: {} differences",
        found.pairs,
        found.kinds.len(),
        found.with_conflicts,
        found.invalid,
        found.differences.len()
    );
    assert!(found.pairs >= 60 && found.kinds.len() >= 12, "{} pairs of {} kinds", found.pairs, found.kinds.len());
    assert!(found.with_conflicts >= 5, "{} pairs with conflicts", found.with_conflicts);
    assert!(found.differences.is_empty(), "\n{}", found.differences.join("\n"));
}

#[derive(Default)]
struct Found {
    pairs: usize,
    with_conflicts: usize,
    invalid: usize,
    kinds: BTreeSet<String>,
    differences: Vec<String>,
}

struct Scene<'a> {
    api: &'a Api,
    schema: &'a Schema,
    namespace: &'a str,
}

impl Scene<'_> {
    fn write(&self, object: &Value, manager: &str) {
        let query = format!("fieldManager={manager}&force=true");
        self.api.apply(self.schema, self.namespace, object, &query).object(&object.to_string());
    }

    /// Compares both answers to one configuration, once nobody wrote between the reading and the asking.
    fn compare(&self, config: &Value, change: &str, found: &mut Found) {
        let name = config["metadata"]["name"].as_str().expect("a name");
        for _ in 0..20 {
            let live = self.api.get(self.schema, self.namespace, name).object(name);
            let query = |force| format!("dryRun=All&fieldManager={MANAGER}&force={force}");
            let careful = self.api.apply(self.schema, self.namespace, config, &query(false));
            let forced = self.api.apply(self.schema, self.namespace, config, &query(true));
            let after = self.api.get(self.schema, self.namespace, name).object(name);
            if live["metadata"]["resourceVersion"] != after["metadata"]["resourceVersion"] {
                continue;
            }
            let title = format!("{} {change}", config["kind"].as_str().unwrap_or_default());
            let applied = ssa::apply(self.schema, Some(&live), config, MANAGER).expect("it can be applied");
            let conflicts = if careful.code == 409 { conflicts_of(&careful.body) } else { BTreeSet::new() };
            if !forced.is_success() {
                // What is invalid once it is merged has no answer to compare with.
                assert_eq!(forced.code, 422, "{title}: {}", forced.body["message"]);
                found.invalid += 1;
                return;
            }
            found.pairs += 1;
            found.with_conflicts += usize::from(!conflicts.is_empty());
            found.differences.extend(self.differences(&applied, &conflicts, &forced.body, &live, &title));
            return;
        }
        panic!("{name} never rests");
    }

    fn differences(
        &self,
        applied: &Applied,
        conflicts: &BTreeSet<String>,
        answer: &Value,
        live: &Value,
        title: &str,
    ) -> Vec<String> {
        let mut found = Vec::new();
        let ours: BTreeSet<String> = applied.conflicts.iter().map(|conflict| conflict.path.to_string()).collect();
        if ours != *conflicts {
            found.push(format!("{title}: conflicts {ours:?} but the server {conflicts:?}"));
        }
        let (ours, theirs) = (owners(&applied.object), owners(answer));
        for manager in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
            let (ours, theirs) = (ours.get(manager), theirs.get(manager));
            if ours != theirs {
                let only = |one: Option<&BTreeSet<Path>>, other: Option<&BTreeSet<Path>>| -> Vec<String> {
                    let paths = one.into_iter().flatten();
                    paths.filter(|path| !other.is_some_and(|o| o.contains(path))).map(Path::to_string).collect()
                };
                let (extra, lacking) = (only(ours, theirs), only(theirs, ours));
                found.push(format!("{title}: {manager} owns {extra:?} too much and lacks {lacking:?}"));
            }
        }
        let (mut predicted, mut stored) = (applied.object.clone().into_owned(), answer.clone());
        for object in [&mut predicted, &mut stored] {
            learn::remove_given_out(self.schema, object);
        }
        for change in ssa::changes(Some(self.schema), &predicted, &stored) {
            found.push(format!(
                "{title}: {} is {} but the server's {}",
                change.path,
                json!(change.before),
                json!(change.after)
            ));
        }
        let written = !ssa::changes(Some(self.schema), live, answer).is_empty();
        if written != applied.content_changed {
            found.push(format!("{title}: content changes: {} but the server's {written}", applied.content_changed));
        }
        found
    }
}

fn conflicts_of(status: &Value) -> BTreeSet<String> {
    let causes = status["details"]["causes"].as_array().into_iter().flatten();
    causes.filter_map(|cause| cause["field"].as_str().map(str::to_owned)).collect()
}

/// Returns what everybody owns, by manager, operation and subresource.
fn owners(object: &Value) -> BTreeMap<String, BTreeSet<Path>> {
    let entries = managed_fields(object).expect("managed fields can be read");
    let name = |entry: &ssa::ManagedEntry| {
        let subresource = entry.subresource.clone().unwrap_or_default();
        format!("{} {} {} {subresource}", entry.manager, entry.operation, entry.api_version)
    };
    entries.iter().map(|entry| (name(entry), entry.fields.iter().collect())).collect()
}

/// Changes a value as RFC 7386 says: null takes out.
fn merge_patch(value: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    let Some(map) = value.as_object_mut() else { return };
    for (key, patch) in patch {
        if patch.is_null() {
            map.remove(key);
        } else {
            merge_patch(map.entry(key).or_insert(Value::Null), patch);
        }
    }
}
