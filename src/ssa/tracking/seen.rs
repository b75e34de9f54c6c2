//! Writes that were tried on a real server (1.35.4), held against it.
//!
//! A line of `seen.jsonl` has what was stored (`live`), what was `sent` how and by whom, and the entries or the refusal that
//! came back (`after`); of writes to `scale`, the entries of the object itself (`parent`). What admission or validation
//! refused is left out. `seen-definitions.json` are the OpenAPI documents of the custom kinds.

use serde_json::{Value, json};

use super::*;
use crate::ssa::managed::{ManagedEntry, managed_fields};
use crate::ssa::{FieldSet, Path, Schema, builtin, canonicalise, with_defaults};

struct Row(Value);

impl Row {
    fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn subresource(&self) -> Option<&str> {
        self.0.get("subresource").and_then(Value::as_str)
    }

    fn is_scale(&self) -> bool {
        self.subresource() == Some("scale")
    }

    fn custom(&self) -> Option<bool> {
        self.0.get("custom").and_then(Value::as_bool)
    }

    fn schema_at(&self, api_version: &str, docs: &[Value]) -> Option<Schema> {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let kind = self.text("kind");
        match self.custom() {
            Some(_) => docs.iter().find_map(|doc| Schema::from_openapi(doc, group, version, kind)),
            None => builtin(group, version, kind),
        }
    }
}

struct Custom<'a>(&'a Row, &'a [Value]);

impl Versions for Custom<'_> {
    fn schema(&self, api_version: &str) -> Option<Schema> {
        self.0.schema_at(api_version, self.1)
    }

    fn convert(&self, object: &Value, api_version: &str) -> Value {
        let mut object = object.clone();
        object["apiVersion"] = json!(api_version);
        object
    }
}

fn entries(object: &Value) -> Value {
    object.pointer("/metadata/managedFields").cloned().unwrap_or_else(|| json!([]))
}

/// The time of the write: the only one in the answer that was not there before.
fn time_of(row: &Row) -> String {
    let times = |object: &Value| -> Vec<String> {
        let entries = entries(object);
        let entries = entries.as_array().into_iter().flatten();
        entries.filter_map(|entry| entry.get("time")?.as_str().map(str::to_owned)).collect()
    };
    let mut before = row.0.get("live").map(times).unwrap_or_default();
    let hand = times(&row.0["sent"]).into_iter().map(|time| time.replace("05:04:05+02:00", "03:04:05Z"));
    before.extend(hand);
    let after = times(&row.0["after"]);
    after.into_iter().find(|time| !before.contains(time)).unwrap_or_else(|| "2100-01-01T00:00:00Z".to_owned())
}

fn sent(row: &Row, live: Option<&Value>) -> Value {
    let sent = row.0["sent"].clone();
    match row.text("op") {
        "merge" => {
            let mut object = live.cloned().unwrap_or_default();
            json_patch::merge(&mut object, &sent);
            object
        }
        "json" => {
            let mut object = live.cloned().unwrap_or_default();
            let patch: json_patch::Patch = serde_json::from_value(sent).unwrap();
            json_patch::patch(&mut object, &patch).unwrap();
            object
        }
        _ => sent,
    }
}

/// Returns what the library makes of the write: the entries, or the refusal.
fn made(row: &Row, docs: &[Value]) -> Value {
    let time = time_of(row);
    let api_version = row.text("apiVersion");
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let reset = if row.is_scale() {
        FieldSet::new()
    } else {
        reset_fields(group, version, row.text("kind"), row.subresource(), row.custom())
    };
    let schema = if row.is_scale() { crate::ssa::schema::scale() } else { row.schema_at(api_version, docs).unwrap() };
    let api_version = if row.is_scale() { "autoscaling/v1" } else { api_version };
    let writer = Writer { manager: row.text("manager"), api_version, subresource: row.subresource(), time: &time };
    let parent = row.0.get("parent");
    let paths = replicas_paths(row);
    let scaled = row.0.get("live").filter(|_| row.is_scale()).map(|scale| {
        let mut scale = scale.clone();
        let entries = managed_fields(parent.unwrap()).unwrap();
        let entries: Vec<_> = scale_entries(&entries, &paths).iter().map(ManagedEntry::to_value).collect();
        scale["metadata"]["managedFields"] = json!(entries);
        scale
    });
    let live = scaled.as_ref().or(row.0.get("live"));
    let custom = Custom(row, docs);
    let same = SameFields(&schema);
    let versions: &dyn Versions = if row.custom().is_some() && !row.is_scale() { &custom } else { &same };
    let mut object = if row.text("op") == "apply" {
        let force = row.0.get("force").is_some();
        match apply_as_in(versions, &schema, live, &row.0["sent"], &writer, force, &reset) {
            Ok(applied) => applied.object,
            Err(ApplyRefused::Conflicts(conflicts)) => {
                let (message, mut causes) = conflict_message(&conflicts);
                causes.sort();
                return json!({"message": message, "causes": causes});
            }
            Err(refused) => return json!({"message": refused.to_string()}),
        }
    } else {
        let mut object = sent(row, live);
        canonicalise(&schema, &mut object);
        with_defaults(&schema, &mut object);
        track_update_in(versions, &schema, live, &mut object, &writer, &reset);
        object
    };
    if row.is_scale() {
        let (before, after) = (managed_fields(parent.unwrap()).unwrap(), managed_fields(&object).unwrap());
        let api_version = row.text("apiVersion");
        let entries: Vec<_> =
            entries_after_scale(&before, &after, api_version, &paths).iter().map(ManagedEntry::to_value).collect();
        return json!(entries);
    }
    if let Some(live) = live {
        keep_times_if_equal(live, &mut object);
    }
    entries(&object)
}

fn replicas_paths(row: &Row) -> ReplicasPaths {
    let field = if row.custom().is_some() { "size" } else { "replicas" };
    let path = Some(Path::of_fields(&["spec", field]));
    [("apps/v1", path.clone()), ("example.com/v1", path.clone()), ("example.com/v2", path)]
        .into_iter()
        .map(|(version, path)| (version.to_owned(), path))
        .collect()
}

fn answered(row: &Row) -> Value {
    let after = row.0.get("parentAfter").filter(|_| row.0["status"] == 200).unwrap_or(&row.0["after"]);
    if row.0["status"].as_u64().is_some_and(|status| status < 300) {
        return entries(after);
    }
    let message = after["message"].clone();
    match after.pointer("/details/causes").and_then(Value::as_array) {
        Some(causes) => {
            let text = |cause: &Value, key: &str| cause[key].as_str().unwrap_or_default().to_owned();
            let mut causes: Vec<_> =
                causes.iter().map(|cause| (text(cause, "message"), text(cause, "field"))).collect();
            causes.sort();
            json!({"message": message, "causes": causes})
        }
        None => json!({"message": message}),
    }
}

#[test]
fn entries_are_those_that_a_real_server_stored() {
    let docs: Vec<Value> = serde_json::from_str(include_str!("seen-definitions.json")).unwrap();
    let mut wrong = Vec::new();
    for line in include_str!("seen.jsonl").lines() {
        let row = Row(serde_json::from_str(line).unwrap());
        let (made, answered) = (made(&row, &docs), answered(&row));
        if made != answered {
            wrong.push(format!("{} {}\n  made     {made}\n  answered {answered}", row.text("case"), row.0["step"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
