//! Two versions of a kind that declare other fields, and objects that cannot be read.

use serde_json::{Value, json};

use super::*;
use crate::ssa::{FieldSet, Schema};

/// Version 1 has a list of sets more than version 1beta1, where it is no list.
fn document() -> Value {
    let kind = |version: &str| json!([{"group": "x.io", "kind": "Thing", "version": version}]);
    let path = |version: &str| json!({"get": {"x-kubernetes-group-version-kind": kind(version)[0]}});
    let schema = |version: &str, spec: Value| {
        json!({"type": "object", "x-kubernetes-group-version-kind": kind(version), "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object", "properties": {
            "name": {"type": "string"}, "uid": {"type": "string"}, "managedFields": {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}},
        "spec": {"type": "object", "properties": spec}}})
    };
    json!({
        "paths": {"/apis/x.io/v1/things/{name}": path("v1"), "/apis/x.io/v1beta1/things/{name}": path("v1beta1")},
        "components": {"schemas": {
            "v1.Thing": schema("v1", json!({
                "a": {"type": "string"}, "b": {"type": "string"},
                "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}})),
            "v1beta1.Thing": schema("v1beta1", json!({"a": {"type": "string"}}))
        }}
    })
}

struct Two(Value);

impl Versions for Two {
    fn schema(&self, api_version: &str) -> Option<Schema> {
        Schema::from_openapi(&self.0, "x.io", api_version.strip_prefix("x.io/")?, "Thing")
    }

    fn convert(&self, object: &Value, api_version: &str) -> Value {
        let mut object = object.clone();
        object["apiVersion"] = json!(api_version);
        object
    }
}

impl Two {
    fn new() -> (Self, Schema) {
        let versions = Self(document());
        let schema = versions.schema("x.io/v1").unwrap();
        (versions, schema)
    }
}

const TIME: &str = "2026-01-02T03:04:05Z";

fn writer<'a>(manager: &'a str, api_version: &'a str) -> Writer<'a> {
    Writer { manager, api_version, subresource: None, time: TIME }
}

fn thing(spec: Value, entries: Value) -> Value {
    json!({"apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "a", "uid": "1", "managedFields": entries}, "spec": spec})
}

fn entry(manager: &str, api_version: &str, operation: &str, fields: Value) -> Value {
    json!({"manager": manager, "operation": operation, "apiVersion": api_version, "time": TIME, "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": fields}})
}

fn config(spec: Value) -> Value {
    json!({"apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec})
}

fn applied(live: &Value, spec: Value) -> Result<ServerApply, ApplyRefused> {
    let (versions, schema) = Two::new();
    apply_as_in(&versions, &schema, Some(live), &config(spec), &writer("me", "x.io/v1"), false, &FieldSet::default())
}

fn refused(live: &Value, spec: Value) -> String {
    applied(live, spec).unwrap_err().to_string()
}

#[test]
fn a_live_object_of_another_shape_cannot_be_applied_to() {
    let owned = json!([entry("other", "x.io/v1", "Update", json!({"f:a": {}}))]);
    insta::assert_snapshot!(refused(&thing(json!({"a": 1}), owned.clone()), json!({"b": "1"})), @"failed to create typed live object (/a; x.io/v1, Kind=Thing): .spec.a: expected string, got &value.valueUnstructured{Value:1}");
    insta::assert_snapshot!(refused(&thing(json!({"a": 1}), json!([])), json!({"b": "1"})), @"failed to create manager for existing fields: failed to convert new object (/a; x.io/v1, Kind=Thing) to smd typed: .spec.a: expected string, got &value.valueUnstructured{Value:1}");
    assert!(applied(&thing(json!({"a": "1"}), owned), json!({"b": "1"})).unwrap().changed);
}

#[test]
fn what_one_version_has_and_another_has_not_is_in_the_way_of_an_apply() {
    let older = |spec: Value| thing(spec, json!([entry("old", "x.io/v1beta1", "Update", json!({"f:a": {}}))]));
    insta::assert_snapshot!(refused(&older(json!({"a": "1", "b": "2"})), json!({"a": "1"})), @".spec.b: field not declared in schema");
    insta::assert_snapshot!(refused(&older(json!({"a": "1"})), json!({"b": "2"})), @"failed to convert new object: .spec.b: field not declared in schema");
    assert!(applied(&older(json!({"a": "1"})), json!({"a": "1"})).unwrap().changed);
}

#[test]
fn what_cannot_be_read_at_every_version_is_not_tracked() {
    let tracked = |live_spec: Value, spec: Value, version: &str| {
        let (versions, schema) = Two::new();
        let live = thing(live_spec, json!([entry("old", version, "Update", json!({"f:a": {}}))]));
        let mut object = thing(spec, live["metadata"]["managedFields"].clone());
        track_update_in(&versions, &schema, Some(&live), &mut object, &writer("me", "x.io/v1"), &FieldSet::default());
        let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["manager"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(tracked(json!({"a": "1"}), json!({"a": "1", "b": "2"}), "x.io/v1"), ["me", "old"]);
    assert!(tracked(json!({"a": "1"}), json!({"a": "1", "b": "2"}), "x.io/v1beta1").is_empty());
    assert!(tracked(json!({"a": "1", "b": "2"}), json!({"a": "1"}), "x.io/v1beta1").is_empty());
    // On one side is enough.
    assert!(tracked(json!({"a": 1}), json!({"a": "1"}), "x.io/v1").is_empty());
    assert!(tracked(json!({"a": "1"}), json!({"a": 1}), "x.io/v1").is_empty());
}

#[test]
fn what_was_applied_and_is_no_more_goes_unless_somebody_of_any_version_has_it() {
    let entries = |others: &[(&str, &str)]| {
        let mut all = vec![entry("me", "x.io/v1", "Apply", json!({"f:a": {}, "f:b": {}}))];
        all.extend(others.iter().map(|(manager, field)| entry(manager, "x.io/v1", "Apply", json!({*field: {}}))));
        Value::from(all)
    };
    let left = |others: &[(&str, &str)]| {
        let live = thing(json!({"a": "1", "b": "2", "tags": ["x"]}), entries(others));
        applied(&live, json!({"tags": ["x"]})).unwrap().object["spec"].clone()
    };
    assert_eq!(left(&[]), json!({"tags": ["x"]}));
    assert_eq!(left(&[("one", "f:a")]), json!({"a": "1", "tags": ["x"]}));
    // Entries of one version count together.
    assert_eq!(left(&[("one", "f:a"), ("two", "f:b")]), json!({"a": "1", "b": "2", "tags": ["x"]}));
}

#[test]
fn a_conflict_names_the_version_in_which_it_was_written() {
    for operation in ["Apply", "Update"] {
        let live = thing(json!({"a": "1"}), json!([entry("other", "x.io/v1beta1", operation, json!({"f:a": {}}))]));
        let Err(ApplyRefused::Conflicts(conflicts)) = applied(&live, json!({"a": "2"})) else { panic!("no conflict") };
        assert_eq!(conflicts[0].entry.api_version, "x.io/v1beta1", "{operation}");
    }
}

#[test]
fn what_is_found_changed_though_it_reads_the_same_changes_hands() {
    let (versions, schema) = Two::new();
    let live = thing(json!({"a": "1"}), json!([entry("old", "x.io/v1", "Update", json!({"f:a": {}}))]));
    let managers = |otherwise: &FieldSet| {
        let mut object = live.clone();
        let reset = FieldSet::default();
        track_update_of(&versions, &schema, Some(&live), &mut object, &writer("me", "x.io/v1"), &reset, otherwise);
        object["metadata"]["managedFields"][0]["manager"].clone()
    };
    assert_eq!(managers(&FieldSet::default()), "old");
    assert_eq!(managers(&[crate::ssa::Path::parse(".spec.a").unwrap()].into_iter().collect()), "me");
}
