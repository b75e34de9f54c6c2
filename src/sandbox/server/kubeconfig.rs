//! How kubectl and other clients are told of a sandbox.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    sandbox::{disk::write_private, error::SandboxError},
    yaml,
};

/// Name of the cluster, the user and the context: no other cluster's, so that nobody takes a sandbox for one.
pub const CONTEXT: &str = "mathison-sandbox";

/// Returns a kubeconfig with one context.
#[must_use]
pub fn kubeconfig(url: &str, ca_pem: &str, token: &str, namespace: Option<&str>) -> Value {
    let mut context = json!({"cluster": CONTEXT, "user": CONTEXT});
    if let (Some(namespace), Some(context)) = (namespace, context.as_object_mut()) {
        context.insert("namespace".to_owned(), Value::from(namespace));
    }
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": CONTEXT,
            "cluster": {"server": url, "certificate-authority-data": STANDARD.encode(ca_pem)}
        }],
        "users": [{"name": CONTEXT, "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": context}],
        "current-context": CONTEXT,
        "preferences": {}
    })
}

/// Writes a kubeconfig that only this user may read.
///
/// # Errors
/// If the file cannot be written.
pub fn write_kubeconfig(path: &Path, kubeconfig: &Value) -> Result<(), SandboxError> {
    write_private(path, yaml::to_yaml(kubeconfig).as_bytes(), false).map(drop)
}
