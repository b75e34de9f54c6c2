//! The kinds that are compared, and a valid object of each to begin with.

use std::collections::BTreeMap;
use std::sync::Arc;

use mathison::sandbox::kind::Kind;
use mathison::sandbox::kinds::Kinds;
use serde_json::{Value, json};

use crate::defaults::documents;

/// Kinds that a bare server works on by itself after it answered, so that two reads in a row differ; and the namespace, in
/// which each sequence lives.
const NOT_STILL: [&str; 4] = ["CustomResourceDefinition", "FlowSchema", "PriorityLevelConfiguration", "Namespace"];

/// An object to begin with.
pub struct Base {
    /// Its kind.
    pub kind: Place,
    /// The object; its name is the sequence's to give.
    pub object: Value,
}

/// Where objects of a kind are served.
#[derive(Clone)]
pub struct Place {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub plural: String,
    pub namespaced: bool,
    pub subresources: Vec<String>,
}

impl Place {
    /// The path of the collection.
    pub fn collection(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", self.group) };
        let space = if self.namespaced { format!("/namespaces/{namespace}") } else { String::new() };
        format!("{root}/{}{space}/{}", self.version, self.plural)
    }

    pub fn has(&self, subresource: &str) -> bool {
        self.subresources.iter().any(|name| name == subresource)
    }
}

/// The definitions of our own kinds.
pub fn definitions() -> Vec<Value> {
    documents(include_str!("definitions.yaml"))
}

fn custom_places() -> BTreeMap<(String, String), Place> {
    let mut places = BTreeMap::new();
    for definition in definitions() {
        let spec = &definition["spec"];
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        for version in spec["versions"].as_array().expect("versions") {
            let subresources = version["subresources"].as_object().map(|all| all.keys().cloned().collect());
            let place = Place {
                group: text(&spec["group"]),
                version: text(&version["name"]),
                kind: text(&spec["names"]["kind"]),
                plural: text(&spec["names"]["plural"]),
                namespaced: spec["scope"] == "Namespaced",
                subresources: subresources.unwrap_or_default(),
            };
            places.insert((format!("{}/{}", place.group, place.version), place.kind.clone()), place);
        }
    }
    places
}

fn builtin_place(kind: &Arc<Kind>) -> Place {
    Place {
        group: kind.group.clone(),
        version: kind.version.clone(),
        kind: kind.kind.clone(),
        plural: kind.plural.clone(),
        namespaced: kind.namespaced,
        subresources: kind.subresources.iter().map(|subresource| subresource.name.clone()).collect(),
    }
}

/// What sequences begin with.
pub fn bases() -> Vec<Base> {
    let own = custom_places();
    let kinds = Kinds::new();
    let mut objects = documents(include_str!("../defaults/samples.yaml"));
    objects.extend(documents(include_str!("objects.yaml")));
    objects.retain(|object| !NOT_STILL.iter().any(|kind| object["kind"] == *kind));
    let place_of = |object: &Value| {
        let text = |field: &str| object[field].as_str().expect("a text").to_owned();
        let (api_version, name) = (text("apiVersion"), text("kind"));
        if let Some(place) = own.get(&(api_version.clone(), name.clone())) {
            return place.clone();
        }
        builtin_place(kinds.of_object(&api_version, &name).expect("a kind that is served"))
    };
    objects
        .into_iter()
        .map(|mut object| {
            // What a configuration of admission says holds for all that others do meanwhile.
            for list in ["/webhooks/0/rules/0/resources", "/spec/matchConstraints/resourceRules/0/resources"] {
                if let Some(resources) = object.pointer_mut(list) {
                    *resources = json!(["nothings"]);
                }
            }
            Base { kind: place_of(&object), object }
        })
        .collect()
}
