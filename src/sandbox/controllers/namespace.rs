//! Namespaces: what each has from the start, and how all that is in one goes with it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::condition::{self, Said};
use super::deed::{Deed, Outcome};
use super::fields::{is_leaving, items, name, namespace, set, text};
use super::offspring::MANAGER;
use crate::sandbox::view::View;

const CERTIFICATE_AUTHORITY: &str = "kube-root-ca.crt";
const FINALIZER: &str = "kubernetes";
/// From here the certificate authority is copied to all others.
const SOURCE: &str = "kube-system";

pub(super) fn certificate_authority(namespace: &str, text: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": CERTIFICATE_AUTHORITY, "namespace": namespace,
            "annotations": {
                "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using \
                    internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is \
                    guaranteed across distributions of Kubernetes clusters."
            }
        },
        "data": {"ca.crt": text}
    })
}

pub(super) fn reconcile(view: &dyn View, namespace: &Value) -> Outcome {
    if is_leaving(namespace) {
        return empty(view, namespace);
    }
    let mut outcome = Outcome::default();
    let namespace = name(namespace);
    if view.get("", "ServiceAccount", namespace, "default").is_none() {
        let account = json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}
        });
        outcome.create(account, MANAGER);
    }
    let others = [SOURCE, "default", "kube-public"].into_iter().filter(|other| *other != namespace);
    let source = others.filter_map(|other| view.get("", "ConfigMap", other, CERTIFICATE_AUTHORITY)).next();
    let Some(source) = source else { return outcome };
    match view.get("", "ConfigMap", namespace, CERTIFICATE_AUTHORITY) {
        None => outcome.create(certificate_authority(namespace, text(&source, "/data/ca.crt")), MANAGER),
        Some(present) if namespace != SOURCE && present.get("data") != source.get("data") => {
            let mut restored = (*present).clone();
            set(&mut restored, &["data"], source.get("data").cloned().unwrap_or_default());
            outcome.update(restored, MANAGER);
        }
        Some(_) => {}
    }
    outcome
}

/// Deletes all that is in a namespace, says what remains, and lets the namespace go when nothing does.
fn empty(view: &dyn View, leaving: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    let mut remaining: BTreeMap<String, usize> = BTreeMap::new();
    let mut finalizers: BTreeMap<String, usize> = BTreeMap::new();
    for (group, kind, _) in view.kinds().iter().filter(|(_, _, namespaced)| *namespaced) {
        for object in view.list(group, kind, Some(name(leaving))) {
            if namespace(&object).is_empty() {
                continue;
            }
            if is_leaving(&object) {
                *remaining.entry(format!("{}.{group}", plural(kind))).or_default() += 1;
                for finalizer in items(&object, "/metadata/finalizers").iter().filter_map(Value::as_str) {
                    *finalizers.entry(finalizer.to_owned()).or_default() += 1;
                }
            } else {
                outcome.delete(&object);
            }
        }
    }
    if !outcome.is_idle() {
        return outcome;
    }
    if remaining.is_empty() {
        if items(leaving, "/spec/finalizers").iter().any(|finalizer| finalizer == FINALIZER) {
            let mut finalized = leaving.clone();
            let others = items(leaving, "/spec/finalizers").iter().filter(|finalizer| *finalizer != FINALIZER);
            set(&mut finalized, &["spec", "finalizers"], others.cloned().collect());
            outcome.deeds.push(Deed::Finalize { object: finalized, manager: MANAGER });
        }
        return outcome;
    }
    let mut status = leaving.get("status").cloned().unwrap_or_else(|| json!({}));
    set(&mut status, &["phase"], Value::from("Terminating"));
    set(&mut status, &["conditions"], Value::from(conditions(view, leaving, &remaining, &finalizers)));
    outcome.status(leaving, status, MANAGER);
    outcome
}

fn conditions(
    view: &dyn View,
    leaving: &Value,
    remaining: &BTreeMap<String, usize>,
    finalizers: &BTreeMap<String, usize>,
) -> Vec<Value> {
    let listed = |counts: &BTreeMap<String, usize>, between: &str| {
        let parts: Vec<String> =
            counts.iter().map(|(what, count)| format!("{what} {between} {count} resource instances")).collect();
        parts.join(", ")
    };
    let resources = format!("Some resources are remaining: {}", listed(remaining, "has"));
    let held = format!("Some content in the namespace has finalizers remaining: {}", listed(finalizers, "in"));
    let said = |kind, status, reason, message| Said { kind, status, reason, message };
    let all = [
        said(
            "NamespaceDeletionDiscoveryFailure",
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        said(
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        said(
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        said("NamespaceContentRemaining", "True", "SomeResourcesRemain", resources.as_str()),
        if finalizers.is_empty() {
            let message = "All content-preserving finalizers finished";
            said("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", message)
        } else {
            said("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", held.as_str())
        },
    ];
    all.into_iter().map(|said| condition::make(condition::find(leaving, said.kind), said, view.now())).collect()
}

/// How a kind is called in paths, by the rule that nearly all keep.
pub(super) fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.as_str() {
        "endpoints" => lower,
        word if word.ends_with('s') || word.ends_with('x') => format!("{lower}es"),
        word => match word.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
            Some(stem) => format!("{stem}ies"),
            None => format!("{lower}s"),
        },
    }
}
