//! `mathison render`: the objects of a stack as plain manifests that `kubectl apply` takes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::Ended;
use super::load::load;
use super::talk::Streams;
use crate::cli::StackRequest;
use crate::failure::{ExitStatus, Failure};
use crate::graph::NodeId;
use crate::resource::{Address, MANIFEST_SERVICE, Manifest};
use crate::stack::Stack;
use crate::{secret, yaml};

pub(super) fn render(request: &StackRequest, out: Option<&Path>, streams: &Streams) -> Ended {
    let stack = load(request, streams)?;
    let files = files(&stack)?;
    match out {
        None => {
            let text: Vec<String> = files.into_iter().map(|(_, text)| text).collect();
            streams.data(&text.join("---\n"))?;
        }
        Some(folder) => {
            let failed = |path: &Path, error: &std::io::Error| {
                Failure::because(ExitStatus::Error, format!("failed to write `{}`", path.display()), error)
            };
            fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
            for (name, text) in &files {
                let path = folder.join(name);
                fs::write(&path, text).map_err(|error| failed(&path, &error))?;
            }
            let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
            streams.say(&format!("wrote {} to {}\n", names.join(", "), folder.display()));
        }
    }
    Ok(ExitStatus::Done)
}

/// One file a subject, in the order in which they can be applied.
fn files(stack: &Stack) -> Result<Vec<(String, String)>, Failure> {
    let graph = super::graph::build(stack)?;
    let mut files: Vec<(String, Vec<String>)> = Vec::new();
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    for id in graph.order() {
        let NodeId::Resource(address) = id else { continue };
        let Some(desired) = stack.resources.get(address) else { continue };
        let name = file_name(address, &desired.manifest);
        let index = *place.entry(name.clone()).or_insert_with(|| {
            files.push((name, Vec::new()));
            files.len() - 1
        });
        files[index].1.push(document(stack, address, &desired.manifest));
    }
    Ok(files.into_iter().map(|(name, documents)| (name, documents.join("---\n"))).collect())
}

/// Whatever a custom resource calls its kind, its file stays in the folder.
fn file_name(address: &Address, manifest: &Manifest) -> String {
    let name = match (address.service(), manifest.kind()) {
        (_, "Namespace") => "namespace.yaml".to_owned(),
        (_, "Secret") => "secret.yaml".to_owned(),
        (_, "ServiceAccount" | "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding") => "rbac.yaml".to_owned(),
        (MANIFEST_SERVICE, kind) => format!("{}.yaml", kind.to_ascii_lowercase()),
        (_, "ConfigMap") if address.service() == "config" => "configmap.yaml".to_owned(),
        (service, _) => format!("{service}.yaml"),
    };
    name.replace(['/', '\\'], "-")
}

/// A Secret whose values are made at apply time is rendered with empty ones, and above it where each comes from.
fn document(stack: &Stack, address: &Address, manifest: &Manifest) -> String {
    let Some(spec) = stack.secrets.get(address) else { return yaml::to_yaml(manifest.object()) };
    let mut object = manifest.object().clone();
    object["stringData"] = secret::placeholder(spec).into();
    secret::placeholder_comment(spec) + &yaml::to_yaml(&object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_kind_leads_out_of_the_folder() {
        let object = json!({"apiVersion": "example.com/v1", "kind": "../../Kind", "metadata": {"name": "a"}});
        let name = file_name(&Address::from_text("manifest.x/a"), &Manifest::new(object).unwrap());
        assert_eq!(name, "..-..-kind.yaml");
    }
}
