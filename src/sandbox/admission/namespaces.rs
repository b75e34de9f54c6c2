//! `NamespaceLifecycle`: objects live in namespaces that are there and stay.

use serde_json::{Value, json};

use super::Request;
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::strategy::fields::text;

const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

pub(super) fn admit(request: &Request<'_>, object: &Value) -> Result<(), Refusal> {
    let name = text(object, &["metadata", "namespace"]);
    let is_review = request.kind.is("authorization.k8s.io", "LocalSubjectAccessReview");
    if name.is_empty() || request.kind.is("", "Namespace") || is_review {
        return Ok(());
    }
    let Some(namespace) = request.view.get("", "Namespace", "", name) else {
        return Err(missing(name));
    };
    if request.is_create() && text(&namespace, &["status", "phase"]) == "Terminating" {
        let why = format!("unable to create new content in namespace {name} because it is being terminated");
        let mut refusal = request.forbid(object, &why);
        let cause = json!({
            "reason": "NamespaceTerminating", "message": format!("namespace {name} is being terminated"),
            "field": "metadata.namespace"
        });
        refusal.details.get_or_insert_default().insert("causes".to_owned(), json!([cause]));
        return Err(refusal);
    }
    Ok(())
}

fn missing(name: &str) -> Refusal {
    let details = [("name", name), ("kind", "namespaces")];
    Refusal {
        details: Some(details.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect()),
        ..Refusal::new(404, "NotFound", format!("namespaces {name:?} not found"))
    }
}

pub(super) fn admit_delete(kind: &Kind, object: &Value) -> Result<(), Refusal> {
    let name = text(object, &["metadata", "name"]);
    if kind.is("", "Namespace") && IMMORTAL.contains(&name) {
        return Err(Refusal::forbidden(kind, name, "this namespace may not be deleted"));
    }
    Ok(())
}
