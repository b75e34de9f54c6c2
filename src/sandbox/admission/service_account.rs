//! `ServiceAccount`: a pod runs as an account of its namespace and is given a token for it.

use serde_json::{Value, json};

use super::Request;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::strategy::fields::{at, items, items_mut, list_mut, put, text};

const MIRROR: &str = "kubernetes.io/config.mirror";
const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX: &str = "kube-api-access-";
const ENFORCED: &str = "kubernetes.io/enforce-mountable-secrets";

pub(super) fn admit(
    request: &Request<'_>,
    pod: &mut Value,
    draw: &mut dyn FnMut(usize) -> String,
) -> Result<(), Refusal> {
    if !request.is_for("", "Pod") {
        return Ok(());
    }
    if at(pod, &["metadata", "annotations", MIRROR]).is_some() {
        return admit_mirror(request, pod);
    }
    if text(pod, &["spec", "serviceAccountName"]).is_empty() {
        put(pod, &["spec", "serviceAccountName"], "default");
    }
    let name = text(pod, &["spec", "serviceAccountName"]).to_owned();
    // Both names of the field are stored.
    put(pod, &["spec", "serviceAccount"], name.clone());
    let namespace = text(pod, &["metadata", "namespace"]).to_owned();
    let Some(account) = request.view.get("", "ServiceAccount", &namespace, &name) else {
        let why = format!("error looking up service account {namespace}/{name}: serviceaccount {name:?} not found");
        return Err(request.forbid(pod, &why));
    };
    let wish = [at(pod, &["spec", "automountServiceAccountToken"]), at(&account, &["automountServiceAccountToken"])];
    if wish.into_iter().flatten().next().and_then(Value::as_bool).unwrap_or(true) {
        mount_token(pod, draw);
    }
    let secrets = items(&account, &["imagePullSecrets"]);
    if items(pod, &["spec", "imagePullSecrets"]).is_empty() && !secrets.is_empty() {
        let names: Vec<Value> = secrets.iter().map(|secret| json!({"name": text(secret, &["name"])})).collect();
        put(pod, &["spec", "imagePullSecrets"], names);
    }
    let is_enforced =
        matches!(text(&account, &["metadata", "annotations", ENFORCED]), "1" | "t" | "T" | "true" | "TRUE" | "True");
    match is_enforced.then(|| forbidden_secret(&account, pod)).flatten() {
        Some(why) => Err(request.forbid(pod, &why)),
        None => Ok(()),
    }
}

/// A pod that mirrors one of a node's own may not refer to what only the server has.
fn admit_mirror(request: &Request<'_>, pod: &Value) -> Result<(), Refusal> {
    let containers = || ["containers", "initContainers"].iter().flat_map(|list| items(pod, &["spec", list]));
    let mut volumes = items(pod, &["spec", "volumes"]).iter();
    let has_secrets = !items(pod, &["spec", "imagePullSecrets"]).is_empty()
        || volumes.any(|volume| at(volume, &["secret"]).is_some())
        || containers().any(|container| {
            items(container, &["env"]).iter().any(|env| at(env, &["valueFrom", "secretKeyRef"]).is_some())
                || items(container, &["envFrom"]).iter().any(|from| at(from, &["secretRef"]).is_some())
        });
    let has_token = items(pod, &["spec", "volumes"])
        .iter()
        .flat_map(|volume| items(volume, &["projected", "sources"]))
        .any(|source| at(source, &["serviceAccountToken"]).is_some());
    let why = if !text(pod, &["spec", "serviceAccountName"]).is_empty() {
        "a mirror pod may not reference service accounts"
    } else if has_secrets {
        "a mirror pod may not reference secrets"
    } else if has_token {
        "a mirror pod may not use ServiceAccountToken volume projections"
    } else {
        return Ok(());
    };
    Err(request.forbid(pod, why))
}

fn mount_token(pod: &mut Value, draw: &mut dyn FnMut(usize) -> String) {
    let mut volumes = items(pod, &["spec", "volumes"]).iter().map(|volume| text(volume, &["name"]));
    let present = volumes.find(|name| name.starts_with(VOLUME_PREFIX)).map(str::to_owned);
    let is_present = present.is_some();
    let name = present.unwrap_or_else(|| format!("{VOLUME_PREFIX}{}", draw(5)));
    let mut is_needed = false;
    for list in ["initContainers", "containers"] {
        for container in items_mut(pod, &["spec", list]) {
            let mut mounts = items(container, &["volumeMounts"]).iter();
            let has_its_own = mounts.any(|mount| text(mount, &["mountPath"]) == MOUNT_PATH);
            if !has_its_own && let Some(mounts) = list_mut(container, &["volumeMounts"]) {
                mounts.push(json!({"name": name, "readOnly": true, "mountPath": MOUNT_PATH}));
                is_needed = true;
            }
        }
    }
    if is_needed
        && !is_present
        && let Some(volumes) = list_mut(pod, &["spec", "volumes"])
    {
        volumes.push(json!({"name": name, "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [
                {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
            ]}}
        ]}}));
    }
}

/// Says which secret of a pod its account does not allow it, if the account is strict.
fn forbidden_secret(account: &Value, pod: &Value) -> Option<String> {
    let account_name = text(account, &["metadata", "name"]);
    let allows = |list: &str, name: &str| items(account, &[list]).iter().any(|secret| text(secret, &["name"]) == name);
    let unreferenced = format!("is not allowed because service account {account_name} does not reference that");
    for volume in items(pod, &["spec", "volumes"]) {
        let name = text(volume, &["secret", "secretName"]);
        if at(volume, &["secret"]).is_some() && !allows("secrets", name) {
            return Some(format!("volume with secret.secretName=\"{name}\" {unreferenced} secret"));
        }
    }
    for (list, what) in [("initContainers", "init container"), ("containers", "container")] {
        for container in items(pod, &["spec", list]) {
            let container_name = text(container, &["name"]);
            for env in items(container, &["env"]) {
                let name = text(env, &["valueFrom", "secretKeyRef", "name"]);
                if at(env, &["valueFrom", "secretKeyRef"]).is_some() && !allows("secrets", name) {
                    let env = text(env, &["name"]);
                    return Some(format!(
                        "{what} {container_name} with envVar {env} referencing secret.secretName=\"{name}\" \
                         {unreferenced} secret"
                    ));
                }
            }
            for from in items(container, &["envFrom"]) {
                let name = text(from, &["secretRef", "name"]);
                if at(from, &["secretRef"]).is_some() && !allows("secrets", name) {
                    return Some(format!(
                        "{what} {container_name} with envFrom referencing secret.secretName=\"{name}\" \
                         {unreferenced} secret"
                    ));
                }
            }
        }
    }
    let mut pulled = items(pod, &["spec", "imagePullSecrets"]).iter().map(|secret| text(secret, &["name"])).enumerate();
    let (index, name) = pulled.find(|(_, name)| !allows("imagePullSecrets", name))?;
    Some(format!("imagePullSecrets[{index}].name=\"{name}\" {unreferenced} imagePullSecret"))
}
