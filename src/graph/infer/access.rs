//! RBAC: bindings need their role and their subjects; a ServiceAccount needs the Secrets it hands to pods.

use crate::graph::objects::Key;
use crate::resource::Manifest;

use super::{References, core, list, text};

const RBAC: &str = "rbac.authorization.k8s.io";

pub(super) fn infer(manifest: &Manifest, found: &mut References<'_, '_, '_>) {
    let object = manifest.object();
    let own = manifest.namespace();
    if manifest.kind() == "ServiceAccount" && manifest.group().is_empty() {
        for field in ["/imagePullSecrets", "/secrets"] {
            for secret in list(object, field) {
                let name = text(secret, "/name");
                found.refer(core("Secret", own, name), || format!("hands out Secret {name}"));
            }
        }
        return;
    }
    if manifest.group() != RBAC {
        return;
    }
    let (kind, name) = (text(object, "/roleRef/kind"), text(object, "/roleRef/name"));
    let namespace = if kind == "Role" { own } else { None };
    let role = Key { group: RBAC, kind, namespace, name };
    let reason = || format!("roleRef {kind} {name}");
    // Every cluster has `view`, `edit`, `admin`, `cluster-admin` and the `system:` roles.
    if matches!(name, "view" | "edit" | "admin" | "cluster-admin") || name.starts_with("system:") {
        found.refer_if_present(role, reason);
    } else {
        found.refer(role, reason);
    }
    for subject in service_accounts(manifest) {
        if subject.name == "default" {
            found.refer_if_present(subject, || "subject ServiceAccount default".to_owned());
        } else {
            found.refer(subject, || format!("subject ServiceAccount {}", subject.name));
        }
    }
}

/// Returns the ServiceAccounts that a binding gives its role to.
pub(super) fn service_accounts<'m>(binding: &'m Manifest) -> impl Iterator<Item = Key<'m>> {
    let own = binding.namespace();
    list(binding.object(), "/subjects").iter().filter(|subject| text(subject, "/kind") == "ServiceAccount").map(
        move |subject| {
            let namespace = subject.get("namespace").and_then(serde_json::Value::as_str).or(own);
            core("ServiceAccount", namespace, text(subject, "/name"))
        },
    )
}
