//! What admission does to requests, with the plugins that kube-apiserver 1.35 has on by default.
//!
//! It comes in two steps, as in the server: the changing one ([`admit_create`], [`admit_update`], [`admit_delete`])
//! before an object is prepared and validated, the judging one ([`review`]) after that.
//!
//! Covered: `NamespaceLifecycle`, `LimitRanger`, `ServiceAccount`, `TaintNodesByCondition`, `PodSecurity`, `Priority`,
//! `DefaultTolerationSeconds`, `DefaultStorageClass`, `StorageObjectInUseProtection`, `PersistentVolumeClaimResize`,
//! `RuntimeClass`, `CertificateSubjectRestriction`, `DefaultIngressClass`, `PodTopologyLabels`, `ResourceQuota`.
//! Webhooks and admission policies are stored, never asked; who may approve or sign certificates is left to
//! authorization.

pub(super) mod amounts;
mod certificates;
mod limit_ranger;
mod namespaces;
mod nodes;
mod pod_security;
mod priority;
mod quota;
mod runtime_class;
mod service_account;
mod storage;
mod tolerations;

use serde_json::Value;

use super::kind::Kind;
use super::refusal::Refusal;
use super::strategy::fields::text;
use super::view::View;
pub use quota::quota_status;

/// The letters that the server draws names from: no vowels, so that no words come about, and none that look alike.
pub const ALPHABET: &str = "bcdfghjklmnpqrstvwxz2456789";

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation<'o> {
    /// It is made.
    Create,
    /// It is changed from what is stored.
    Update(&'o Value),
}

/// What every plugin looks at.
#[derive(Clone, Copy)]
pub(super) struct Request<'r> {
    view: &'r dyn View,
    kind: &'r Kind,
    subresource: Option<&'r str>,
    operation: Operation<'r>,
}

impl Request<'_> {
    /// Tells whether it is about an object itself of this built-in kind, and not about a subresource.
    fn is_for(&self, group: &str, kind: &str) -> bool {
        self.subresource.is_none() && self.kind.custom.is_none() && self.kind.is(group, kind)
    }

    fn is_create(&self) -> bool {
        self.operation == Operation::Create
    }

    /// The refusal of an admission plugin. An object without a name is called by the beginning of its name to come.
    fn forbid(&self, object: &Value, why: &str) -> Refusal {
        let name = ["name", "generateName"].map(|field| text(object, &["metadata", field]));
        let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or("Unknown");
        Refusal::forbidden(self.kind, name, why)
    }
}

/// Admits a new object and completes it; the answer are warnings. `draw` gives so many letters of [`ALPHABET`].
///
/// The object has been decoded and defaulted and has the namespace of the request.
///
/// # Errors
/// The refusal of a plugin.
pub fn admit_create(
    view: &dyn View,
    kind: &Kind,
    subresource: Option<&str>,
    object: &mut Value,
    draw: &mut dyn FnMut(usize) -> String,
) -> Result<Vec<String>, Refusal> {
    let request = Request { view, kind, subresource, operation: Operation::Create };
    namespaces::admit(&request, object)?;
    limit_ranger::fill_in(&request, object);
    service_account::admit(&request, object, draw)?;
    nodes::taint(&request, object);
    priority::admit(&request, object)?;
    tolerations::fill_in(&request, object);
    storage::choose_class(&request, object);
    storage::protect(&request, object);
    runtime_class::admit(&request, object)?;
    nodes::choose_ingress_class(&request, object);
    nodes::copy_topology(&request, object);
    Ok(Vec::new())
}

/// Admits a change of an object and completes it; the answer are warnings.
///
/// # Errors
/// The refusal of a plugin.
pub fn admit_update(
    view: &dyn View,
    kind: &Kind,
    subresource: Option<&str>,
    live: &Value,
    object: &mut Value,
) -> Result<Vec<String>, Refusal> {
    let request = Request { view, kind, subresource, operation: Operation::Update(live) };
    namespaces::admit(&request, object)?;
    limit_ranger::fill_in(&request, object);
    priority::admit(&request, object)?;
    tolerations::fill_in(&request, object);
    Ok(Vec::new())
}

/// Admits a deletion; the answer are warnings.
///
/// # Errors
/// Three namespaces cannot be deleted.
pub fn admit_delete(_view: &dyn View, kind: &Kind, object: &Value) -> Result<Vec<String>, Refusal> {
    namespaces::admit_delete(kind, object)?;
    Ok(Vec::new())
}

/// Judges an object that is about to be written, after it has been prepared and validated; the answer are warnings.
///
/// # Errors
/// The refusal of a plugin: limits, quotas, classes.
pub fn review(
    view: &dyn View,
    kind: &Kind,
    subresource: Option<&str>,
    operation: Operation<'_>,
    object: &Value,
) -> Result<Vec<String>, Refusal> {
    let request = Request { view, kind, subresource, operation };
    limit_ranger::review(&request, object)?;
    let warnings = pod_security::review(&request, object)?;
    priority::review(&request, object)?;
    storage::review_resize(&request, object)?;
    runtime_class::review(&request, object)?;
    certificates::review(&request, object)?;
    quota::review(&request, object)?;
    Ok(warnings)
}

#[cfg(test)]
mod tests;
