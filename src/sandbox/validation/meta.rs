//! The metadata of every object: names, labels, annotations, owners, finalizers, and what of it may change.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Problems;
use super::names::{self, NameRule};
use super::path::Path;
use super::read::{Read, texts};

/// The most bytes that all annotations of an object may have together.
const MOST_ANNOTATIONS: usize = 256 * 1024;
const MOST_MANAGER: usize = 128;
const MOST_SUBRESOURCE: usize = 256;

/// The metadata as apimachinery looks at it.
pub(super) fn generic(object: &Value, namespaced: bool, rule: NameRule, problems: &mut Problems) {
    with_name(object, namespaced, |name| rule.of_name(name), |prefix| rule.of_prefix(prefix), problems);
}

/// The same, where a kind has a rule of its own for names.
pub(super) fn with_name(
    object: &Value,
    namespaced: bool,
    of_name: impl Fn(&str) -> Vec<String>,
    of_prefix: impl Fn(&str) -> Vec<String>,
    problems: &mut Problems,
) {
    let path = Path::new("metadata");
    let empty = Value::Null;
    let metadata = object.field("metadata").unwrap_or(&empty);
    let prefix = metadata.text("generateName");
    if !prefix.is_empty() {
        problems.extend(path.child("generateName").each(prefix, of_prefix(prefix)));
    }
    let name = metadata.text("name");
    if name.is_empty() {
        problems.push(path.child("name").required("name or generateName is required"));
    } else {
        problems.extend(path.child("name").each(name, of_name(name)));
    }
    rest(metadata, namespaced, &path, problems);
}

/// The metadata as Kubernetes' own kinds look at it: finalizers must be well known or have a domain, too.
pub(super) fn of(object: &Value, namespaced: bool, rule: NameRule, problems: &mut Problems) {
    generic(object, namespaced, rule, problems);
    known_finalizers(object, problems);
}

/// What may not change in metadata, as Kubernetes' own kinds look at it.
pub(super) fn of_update(live: &Value, object: &Value, problems: &mut Problems) {
    generic_update(live, object, problems);
    known_finalizers(object, problems);
}

/// Finalizers are well known or have a domain.
pub(super) fn known_finalizers(object: &Value, problems: &mut Problems) {
    let path = Path::new("metadata").child("finalizers");
    for (index, finalizer) in finalizers(object).enumerate() {
        known_finalizer(finalizer, &path.index(index), problems);
    }
}

fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    texts(object.field("metadata").map_or(&[], |metadata| metadata.list("finalizers")))
}

/// A finalizer is well known or has a domain.
pub(super) fn known_finalizer(finalizer: &str, path: &Path, problems: &mut Problems) {
    if !finalizer.contains('/') && !matches!(finalizer, "kubernetes" | "orphan" | "foregroundDeletion") {
        problems.push(path.invalid(finalizer, "name is neither a standard finalizer name nor is it fully qualified"));
    }
}

fn rest(metadata: &Value, namespaced: bool, path: &Path, problems: &mut Problems) {
    let namespace = metadata.text("namespace");
    let at = path.child("namespace");
    match (namespaced, namespace) {
        (true, "") => problems.push(at.required("")),
        (true, namespace) => problems.extend(at.each(namespace, names::label(namespace))),
        (false, "") => {}
        (false, _) => problems.push(at.forbidden("not allowed on this type")),
    }
    let generation = metadata.number("generation").unwrap_or_default();
    if generation < 0 {
        problems.push(path.child("generation").invalid(generation, "must be greater than or equal to 0"));
    }
    labels(metadata, "labels", path, problems);
    annotations(metadata, path, problems);
    owners(metadata, path, problems);
    let at = path.child("finalizers");
    let mut seen = BTreeSet::new();
    for finalizer in texts(metadata.list("finalizers")) {
        problems.extend(at.each(finalizer, names::qualified(finalizer)));
        seen.insert(finalizer);
    }
    if seen.contains("orphan") && seen.contains("foregroundDeletion") {
        let all = Value::from(metadata.list("finalizers"));
        problems.push(at.invalid(all, "finalizer orphan and foregroundDeletion cannot be both set"));
    }
    managed_fields(metadata, path, problems);
}

/// A map of labels.
pub(super) fn labels(holder: &Value, name: &str, path: &Path, problems: &mut Problems) {
    let at = path.child(name);
    for (key, value) in holder.entries(name).texts() {
        problems.extend(at.each(key, names::qualified(key)));
        problems.extend(at.each(value, names::label_value(value)));
    }
}

/// Annotations: their keys and their size.
pub(super) fn annotations(metadata: &Value, path: &Path, problems: &mut Problems) {
    let at = path.child("annotations");
    let mut size = 0;
    for (key, value) in metadata.entries("annotations").texts() {
        problems.extend(at.each(key, names::qualified(&key.to_lowercase())));
        size += key.len() + value.len();
    }
    if size > MOST_ANNOTATIONS {
        problems.push(at.too_long(MOST_ANNOTATIONS));
    }
}

fn owners(metadata: &Value, path: &Path, problems: &mut Problems) {
    let at = path.child("ownerReferences");
    let mut controller: Option<String> = None;
    for owner in metadata.list("ownerReferences") {
        let version = owner.text("apiVersion");
        let kind = owner.text("kind");
        // A version that cannot be split counts as none, and so does the kind then.
        let (has_version, has_kind) = match version.split('/').count() {
            1 => (!version.is_empty(), !kind.is_empty()),
            2 => (version.split('/').next_back().is_some_and(|version| !version.is_empty()), !kind.is_empty()),
            _ => (false, !kind.is_empty()),
        };
        if !has_version {
            problems.push(at.child("apiVersion").invalid(version, "version must not be empty"));
        }
        if !has_kind {
            problems.push(at.child("kind").invalid(kind, "must not be empty"));
        }
        for name in ["name", "uid"] {
            if owner.text(name).is_empty() {
                problems.push(at.child(name).invalid("", "must not be empty"));
            }
        }
        if version == "v1" && kind == "Event" {
            problems.push(at.invalid_shown(owner_shown(owner), "/v1, Kind=Event is disallowed from being an owner"));
        }
        if owner.flag("controller") {
            let this = format!("{kind}/{}", owner.text("name"));
            match &controller {
                Some(first) => {
                    let all: Vec<String> = metadata.list("ownerReferences").iter().map(owner_shown).collect();
                    let detail = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"
                    );
                    problems.push(at.invalid_shown(format!("[{}]", all.join(",")), &detail));
                }
                None => controller = Some(this),
            }
        }
    }
}

/// An owner in the order of the server's fields.
fn owner_shown(owner: &Value) -> String {
    let mut shown: Vec<String> = ["apiVersion", "kind", "name", "uid"]
        .iter()
        .map(|name| format!("{}:{}", json!(name), json!(owner.text(name))))
        .collect();
    for name in ["controller", "blockOwnerDeletion"] {
        if let Some(value) = owner.field(name) {
            shown.push(format!("{}:{value}", json!(name)));
        }
    }
    format!("{{{}}}", shown.join(","))
}

fn managed_fields(metadata: &Value, path: &Path, problems: &mut Problems) {
    for (index, entry) in metadata.list("managedFields").iter().enumerate() {
        let at = path.child("managedFields").index(index);
        let operation = entry.text("operation");
        if !matches!(operation, "Apply" | "Update") {
            problems.push(at.child("operation").invalid(operation, "must be `Apply` or `Update`"));
        }
        let sort = entry.text("fieldsType");
        if !matches!(sort, "" | "FieldsV1") {
            problems.push(at.child("fieldsType").invalid(sort, "must be `FieldsV1`"));
        }
        let manager = entry.text("manager");
        if manager.len() > MOST_MANAGER {
            problems.push(at.child("manager").too_long(MOST_MANAGER));
        }
        if entry.text("subresource").len() > MOST_SUBRESOURCE {
            problems.push(at.child("subresource").too_long(MOST_SUBRESOURCE));
        }
    }
}

/// What may not change in metadata, as apimachinery looks at it.
pub(super) fn generic_update(live: &Value, object: &Value, problems: &mut Problems) {
    let path = Path::new("metadata");
    let empty = Value::Null;
    let before = live.field("metadata").unwrap_or(&empty);
    let after = object.field("metadata").unwrap_or(&empty);
    if before.field("deletionTimestamp").is_some() {
        let old: BTreeSet<&str> = finalizers(live).collect();
        let new: BTreeSet<&str> = finalizers(object).collect();
        let extra: Vec<String> = new.difference(&old).map(|finalizer| format!("{finalizer:?}")).collect();
        if !extra.is_empty() {
            problems.push(path.child("finalizers").forbidden(&format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                extra.join(", ")
            )));
        }
    }
    let generation = after.number("generation").unwrap_or_default();
    if generation < before.number("generation").unwrap_or_default() {
        problems.push(path.child("generation").invalid(generation, "must not be decremented"));
    }
    for name in ["name", "namespace", "uid"] {
        if before.text(name) != after.text(name) {
            problems.push(path.child(name).invalid(after.text(name), "field is immutable"));
        }
    }
    for name in ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let new = after.field(name);
        if before.field(name) != new {
            problems.push(path.child(name).invalid(new.cloned().unwrap_or_default(), "field is immutable"));
        }
    }
    labels(after, "labels", &path, problems);
    annotations(after, &path, problems);
    owners(after, &path, problems);
    managed_fields(after, &path, problems);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::validation::tests::lines;

    #[test]
    fn everything_wrong_with_metadata_is_told_in_order() {
        let object = json!({"metadata": {
            "name": "A", "labels": {"a b": "c d"}, "annotations": {"x y": ""}, "finalizers": ["x"],
            "ownerReferences": [{"apiVersion": "", "kind": "", "name": "", "uid": ""}]
        }});
        let mut problems = Vec::new();
        of(&object, true, NameRule::Label, &mut problems);
        insta::assert_snapshot!(lines(&problems), @r#"
        metadata.name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
        metadata.namespace: Required value
        metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        metadata.labels: Invalid value: "c d": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
        metadata.annotations: Invalid value: "x y": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty
        metadata.ownerReferences.kind: Invalid value: "": must not be empty
        metadata.ownerReferences.name: Invalid value: "": must not be empty
        metadata.ownerReferences.uid: Invalid value: "": must not be empty
        metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified
        "#);
    }

    #[test]
    fn a_deleted_object_takes_no_new_finalizer() {
        let live =
            json!({"metadata": {"name": "a", "deletionTimestamp": "2020-01-01T00:00:00Z", "finalizers": ["a/b"]}});
        let mut object = live.clone();
        object["metadata"]["finalizers"] = json!(["a/b", "c/d"]);
        object["metadata"]["uid"] = json!("other");
        let mut problems = Vec::new();
        generic_update(&live, &object, &mut problems);
        insta::assert_snapshot!(lines(&problems), @r#"
        metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d"}
        metadata.uid: Invalid value: "other": field is immutable
        "#);
    }
}
