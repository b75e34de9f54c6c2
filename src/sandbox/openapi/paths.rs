//! The paths of a kind: its collections, its objects and their subresources.
//!
//! Left out are the paths below `watch/`, which nobody should use, and those that only pass a connection on.

use serde_json::{Map, Value};

use super::operations::{Action, Operation, in_path, query};
use crate::sandbox::custom;
use crate::sandbox::kind::{Kind, Subresource};
use crate::sandbox::kinds::Kinds;

/// Returns the name of a kind's definition.
pub(super) fn type_name(kind: &Kind) -> String {
    match kind.custom {
        Some(_) => custom::model_name(kind),
        None => kind.schema.type_name().unwrap_or_default().to_owned(),
    }
}

/// A kind whose paths are written.
pub(super) struct Resource<'k> {
    kind: &'k Kind,
    type_name: String,
    tag: String,
    /// Group and version as operations name them: `AppsV1`.
    camel: String,
}

impl<'k> Resource<'k> {
    pub(super) fn of(kind: &'k Kind) -> Self {
        let group = match kind.group.as_str() {
            "" => "core",
            group => group.strip_suffix(".k8s.io").unwrap_or(group),
        };
        let words: Vec<String> = group.split(['.', '-']).map(capitalised).collect();
        let group = words.concat();
        let mut characters = group.chars();
        let tag = characters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
        Self {
            kind,
            type_name: type_name(kind),
            tag: format!("{tag}{}_{}", characters.as_str(), kind.version),
            camel: format!("{group}{}", capitalised(&kind.version)),
        }
    }

    pub(super) fn add_paths(&self, paths: &mut Map<String, Value>) {
        let kind = self.kind;
        let root = match kind.group.as_str() {
            "" => format!("/api/{}", kind.version),
            group => format!("/apis/{group}/{}", kind.version),
        };
        let (collection, scope) = match kind.namespaced {
            true => (format!("{root}/namespaces/{{namespace}}/{}", kind.plural), vec!["namespace"]),
            false => (format!("{root}/{}", kind.plural), Vec::new()),
        };
        let has = |verb: &str| kind.verbs.contains(&verb);
        if kind.namespaced && has("list") {
            let id = format!("list{}{}ForAllNamespaces", self.camel, kind.kind);
            let all = ("get".to_owned(), self.operation(Action::List, &id, None));
            paths.insert(format!("{root}/{}", kind.plural), with_parameters([all].into_iter().collect(), &[]));
        }
        let of_collection =
            [("list", Action::List), ("create", Action::Post), ("deletecollection", Action::DeleteCollection)];
        self.add(paths, collection.clone(), &scope, of_collection.into_iter().filter(|(verb, _)| has(verb)), None);
        let mut named = scope;
        named.insert(0, "name");
        let object = format!("{collection}/{{name}}");
        let of_object =
            [("get", Action::Get), ("update", Action::Put), ("delete", Action::Delete), ("patch", Action::Patch)];
        self.add(paths, object.clone(), &named, of_object.into_iter().filter(|(verb, _)| has(verb)), None);
        for subresource in kind.subresources.iter().filter(|subresource| !subresource.kind.ends_with("Options")) {
            let of_subresource =
                [("get", Action::Get), ("create", Action::Post), ("update", Action::Put), ("patch", Action::Patch)];
            let actions = of_subresource.into_iter().filter(|(verb, _)| subresource.verbs.contains(verb));
            self.add(paths, format!("{object}/{}", subresource.name), &named, actions, Some(subresource));
        }
    }

    fn add<'v>(
        &self,
        paths: &mut Map<String, Value>,
        path: String,
        in_the_path: &[&str],
        actions: impl Iterator<Item = (&'v str, Action)>,
        subresource: Option<&Subresource>,
    ) {
        let mut operations = Map::new();
        for (_, action) in actions {
            let scope = if self.kind.namespaced { "Namespaced" } else { "" };
            let many = if action == Action::DeleteCollection { "Collection" } else { "" };
            let below = subresource.map(|subresource| capitalised(&subresource.name)).unwrap_or_default();
            let id = format!("{}{}{many}{scope}{}{below}", action.verb(), self.camel, self.kind.kind);
            operations.insert(action.method().to_owned(), self.operation(action, &id, subresource));
        }
        if !operations.is_empty() {
            paths.insert(path, with_parameters(operations, in_the_path));
        }
    }

    fn operation(&self, action: Action, id: &str, subresource: Option<&Subresource>) -> Value {
        let kind = self.kind;
        let mut about = (kind.group.as_str(), kind.version.as_str(), kind.kind.as_str());
        let mut takes = self.type_name.clone();
        if let Some(subresource) = subresource {
            if let Some((group, version)) = &subresource.group_version {
                // The scale of a custom kind is told as that kind's own.
                if kind.custom.is_none() {
                    about = (group, version, &subresource.kind);
                }
                takes = Kinds::below(group, version, &subresource.kind).map(|below| type_name(below)).unwrap_or(takes);
            } else if subresource.kind != kind.kind {
                // The one such is the binding of a pod.
                about.2 = &subresource.kind;
                takes = takes.replace(&kind.kind, &subresource.kind);
            }
        }
        let answers = match action {
            _ if subresource.is_some_and(|subresource| subresource.name == "log") => String::new(),
            Action::List => format!("{takes}List"),
            Action::Delete if !deletes_answer_the_object(kind) => format!("{}Status", super::META),
            Action::DeleteCollection => format!("{}Status", super::META),
            _ => takes.clone(),
        };
        Operation {
            action,
            id: id.to_owned(),
            tag: &self.tag,
            about,
            takes: &takes,
            answers: &answers,
            is_custom: kind.custom.is_some(),
        }
        .to_value()
    }
}

/// Puts the parameters that all operations of a path have in common beside them.
fn with_parameters(mut operations: Map<String, Value>, in_the_path: &[&str]) -> Value {
    let of = |operation: &Value| operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
    let lists: Vec<Vec<Value>> = operations.values().map(of).collect();
    let mut common = lists.first().cloned().unwrap_or_default();
    common.retain(|parameter| lists.iter().all(|list| list.contains(parameter)));
    for operation in operations.values_mut() {
        let mut own = of(operation);
        own.retain(|parameter| !common.contains(parameter));
        if own.is_empty() {
            operation.as_object_mut().and_then(|operation| operation.remove("parameters"));
        } else {
            operation["parameters"] = Value::Array(own);
        }
    }
    common.extend(in_the_path.iter().map(|name| in_path(name)));
    common.push(query("pretty"));
    common.sort_by(|left, right| left["name"].as_str().cmp(&right["name"].as_str()));
    operations.insert("parameters".to_owned(), Value::Array(common));
    Value::Object(operations)
}

/// Tells whether deleting answers the object as it was.
fn deletes_answer_the_object(kind: &Kind) -> bool {
    let core = [
        "Pod",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "PodTemplate",
        "ResourceQuota",
        "Service",
        "ServiceAccount",
    ];
    match kind.group.as_str() {
        "" => core.contains(&kind.kind.as_str()),
        "storage.k8s.io" => !matches!(kind.kind.as_str(), "CSIStorageCapacity"),
        "resource.k8s.io" => true,
        _ => false,
    }
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", characters.as_str())
}
