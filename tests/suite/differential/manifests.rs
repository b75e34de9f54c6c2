//! Manifests that people really apply, taken from Go modules: what a generator makes up is odd in its own way only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mathison::ssa::builtin_kinds;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::script::Script;
use super::step::{Body, Step};

/// The modules, and what of them is read: all YAML below.
const MODULES: [(&str, &[&str]); 4] = [
    ("k8s.io/kubernetes@v1.35.4", &["cluster/addons", "test/e2e/testing-manifests"]),
    ("github.com/argoproj/argo-cd/v3@v3.2.0", &["manifests/install.yaml", "examples"]),
    ("github.com/cloudnative-pg/cloudnative-pg@v1.27.1", &["releases/cnpg-1.27.1.yaml", "config"]),
    ("sigs.k8s.io/gateway-api@v1.4.0", &["examples/standard"]),
];

/// What was found.
pub struct Manifests {
    /// A sequence for each object of a built-in kind.
    pub scripts: Vec<Script>,
    /// How many others there were.
    pub others: usize,
    /// Modules that could not be had, and why.
    pub skipped: Vec<String>,
}

/// Reads all of them.
pub fn read() -> Manifests {
    let (mut scripts, mut others, mut skipped) = (Vec::new(), 0, Vec::new());
    for (module, parts) in MODULES {
        let folder = match downloaded(module) {
            Ok(folder) => folder,
            Err(why) => {
                skipped.push(format!("{module}: {why}"));
                continue;
            }
        };
        for file in parts.iter().flat_map(|part| yaml_below(&folder.join(part))) {
            let name = file.strip_prefix(&folder).expect("a file of the module").display().to_string();
            for (index, object) in objects(&fs::read_to_string(&file).expect("a text")).iter().enumerate() {
                match script(&format!("{module} {name} {index}"), object) {
                    Some(script) => scripts.push(script),
                    None => others += 1,
                }
            }
        }
    }
    Manifests { scripts, others, skipped }
}

/// Brings a module into the module cache, if it is not there yet.
fn downloaded(module: &str) -> Result<PathBuf, String> {
    let cache = std::env::var("GOMODCACHE").map(PathBuf::from).ok();
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var("HOME").ok()?).join("go/pkg/mod")));
    if let Some(folder) = cache.map(|cache| cache.join(module)).filter(|folder| folder.is_dir()) {
        return Ok(folder);
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    fs::write(folder.path().join("go.mod"), "module manifests\n\ngo 1.24\n").map_err(|error| error.to_string())?;
    let output = Command::new("go")
        .args(["mod", "download", "-json", module])
        .current_dir(folder.path())
        .env("GOFLAGS", "-mod=mod")
        .output()
        .map_err(|error| format!("go: {error}"))?;
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    answer["Dir"].as_str().map(PathBuf::from).ok_or_else(|| answer["Error"].as_str().unwrap_or("no answer").to_owned())
}

fn yaml_below(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        return if is_yaml { vec![path.to_owned()] } else { Vec::new() };
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    entries.iter().flat_map(|entry| yaml_below(entry)).collect()
}

/// Returns the objects of a file; none of one that is a template of something.
fn objects(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text);
    let read: Result<Vec<Value>, _> = documents.map(Value::deserialize).collect();
    let lists = read.unwrap_or_default().into_iter().map(|object| match object["items"].as_array() {
        Some(items) if object["kind"] == "List" => items.clone(),
        _ => vec![object],
    });
    lists.flatten().filter(|object| object["kind"].is_string() && object["metadata"].is_object()).collect()
}

/// Applies an object, applies it again, changes it in the ways of every day, and deletes it.
fn script(about: &str, object: &Value) -> Option<Script> {
    let api_version = object["apiVersion"].as_str()?;
    let served =
        builtin_kinds().find(|kind| kind.api_version() == api_version && object["kind"] == kind.kind.as_str())?;
    // What a definition comes to is up to a controller of the server.
    if ["CustomResourceDefinition", "APIService", "Namespace"].contains(&served.kind.as_str()) {
        return None;
    }
    let root = if served.group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{api_version}") };
    let place = if served.namespaced { "/namespaces/@label@" } else { "" };
    let collection = format!("{root}{place}/{}", served.plural);
    let name = "@label@-a";
    let mut object = object.clone();
    let metadata = object["metadata"].as_object_mut()?;
    metadata.insert("name".to_owned(), json!(name));
    metadata.remove("namespace");
    let path = format!("{collection}/{name}");
    let step = |method: &str, query: &str, content: &str, body: Body| Step {
        method: method.to_owned(),
        path: format!("{path}?{query}"),
        content: content.to_owned(),
        accept: "application/json".to_owned(),
        body,
        about: Some(name.to_owned()),
        is_idle: query.contains("dryRun") || method == "DELETE",
    };
    let apply = |query: &str, object: &Value| {
        step("PATCH", query, "application/apply-patch+yaml", Body::Text(object.to_string()))
    };
    let mut changed = object.clone();
    changed["metadata"]["labels"]["example.com/changed"] = json!("yes");
    without_some(&mut changed);
    let by_another = json!({"apiVersion": api_version, "kind": served.kind,
        "metadata": {"name": name, "labels": {"example.com/by": "bob"}, "annotations": {"example.com/changed": "no"}}});
    let nothing = || Body::Text(String::new());
    Some(Script {
        about: about.to_owned(),
        kind: format!("{}/{}", served.group, served.kind),
        collection: collection.clone(),
        steps: vec![
            apply("fieldManager=alice&fieldValidation=Strict&dryRun=All", &object),
            apply("fieldManager=alice", &object),
            apply("fieldManager=alice", &object),
            apply("fieldManager=bob", &by_another),
            apply("fieldManager=alice", &changed),
            step(
                "PATCH",
                "fieldManager=carol",
                "application/merge-patch+json",
                Body::Text(json!({"metadata": {"labels": {"example.com/changed": "no"}}}).to_string()),
            ),
            apply("fieldManager=alice", &changed),
            apply("fieldManager=alice&force=true", &object),
            step("PUT", "fieldManager=carol", "application/json", Body::Current(Vec::new())),
            apply("fieldManager=bob&force=true", &object),
            step("GET", "", "", nothing()),
            step("DELETE", "", "", nothing()),
        ],
    })
}

/// Takes every last item out of the lists that have several, and gives every image another tag.
fn without_some(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(image)) = map.get_mut("image") {
                *image = format!("{}:changed", image.split([':', '@']).next().unwrap_or_default());
            }
            map.values_mut().for_each(without_some);
        }
        Value::Array(items) => {
            if items.len() > 1 {
                items.pop();
            }
            items.iter_mut().for_each(without_some);
        }
        _ => {}
    }
}
