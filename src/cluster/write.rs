//! Writes: server-side apply and delete.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::Cluster;
use super::count::Sort;
use super::error::ClusterError;
use super::kind::ResourceKind;
use super::transport::{Call, JSON, parse};
use crate::live::Live;
use crate::resource::{FIELD_MANAGER, Manifest, ObjectRef};

/// How an object is applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// Takes fields that other managers own.
    pub force: bool,
    /// Only asks what would happen.
    pub dry_run: bool,
    /// The uid that the object must have, so that one deleted meanwhile is not made again.
    pub uid: Option<String>,
    /// The resource version that it must have.
    pub resource_version: Option<String>,
}

/// What becomes of an object's dependents when it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Propagation {
    /// They are deleted after it.
    #[default]
    Background,
    /// They are deleted before it.
    Foreground,
    /// They stay.
    Orphan,
}

/// What must hold for a delete, and how far it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// The uid that the object must have.
    pub uid: Option<String>,
    /// The resource version that it must have.
    pub resource_version: Option<String>,
    /// What becomes of its dependents.
    pub propagation: Propagation,
}

/// How far a delete has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// The object is gone.
    Gone,
    /// It goes when its finalizers and its grace period allow.
    Pending,
}

impl Cluster {
    /// Applies an object under our field manager and returns what it became.
    ///
    /// A request whose answer was lost is made again: applying the same fields twice is applying them once, and the uid
    /// in it keeps it from making anew what was deleted in between.
    ///
    /// # Errors
    /// See [`ClusterError`]. With a resource version, [`ClusterError::Moved`] may also mean that the first, unanswered
    /// request succeeded.
    pub async fn apply(&self, manifest: &Manifest, options: &ApplyOptions) -> Result<Live, ClusterError> {
        let object = manifest.object_ref();
        let kind = self.known_kind(manifest.api_version(), manifest.kind()).await?;
        let what = self.about("apply", &kind, object.namespace.as_deref(), Some(object));
        let mut path = kind.path(object.namespace.as_deref(), &object.name);
        path.push_str(&format!("?fieldManager={FIELD_MANAGER}&fieldValidation=Strict"));
        if options.force {
            path.push_str("&force=true");
        }
        if options.dry_run {
            path.push_str("&dryRun=All");
        }
        let call = Call {
            method: Method::PATCH,
            path,
            accept: JSON,
            body: Some(("application/apply-patch+yaml", apply_body(manifest.object(), options))),
            sort: if options.dry_run { Sort::DryRun } else { Sort::Write },
            what: Arc::clone(&what),
        };
        let body = self.exchange(&call).await?;
        if !options.dry_run {
            self.forget_kinds_after(&kind);
        }
        Ok(Live { object: parse(&body, &what)? })
    }

    /// Deletes an object. One that is not there is gone.
    ///
    /// # Errors
    /// See [`ClusterError`]; [`ClusterError::Recreated`] and [`ClusterError::Moved`] if a precondition does not hold.
    pub async fn delete(
        &self,
        object: &ObjectRef,
        api_version: &str,
        options: &DeleteOptions,
    ) -> Result<Deleted, ClusterError> {
        let kind = self.known_kind(api_version, &object.kind).await?;
        let what = self.about("delete", &kind, object.namespace.as_deref(), Some(object));
        let call = Call {
            method: Method::DELETE,
            path: kind.path(object.namespace.as_deref(), &object.name),
            accept: JSON,
            body: Some((JSON, to_bytes(&delete_body(options)))),
            sort: Sort::Write,
            what: Arc::clone(&what),
        };
        match self.exchange(&call).await {
            Ok(body) => Ok(how_far(&parse(&body, &what)?)),
            Err(ClusterError::NotFound { .. } | ClusterError::NamespaceMissing { .. }) => Ok(Deleted::Gone),
            Err(error) => Err(error),
        }
    }

    /// After a definition or an aggregated API was written, other kinds may exist.
    fn forget_kinds_after(&self, kind: &ResourceKind) {
        if matches!(kind.kind.as_str(), "CustomResourceDefinition" | "APIService") {
            self.shared.kinds.defined();
        }
    }
}

fn to_bytes(value: &Value) -> Bytes {
    // A `Value` has string keys only, so that it can always be written.
    serde_json::to_vec(value).unwrap_or_default().into()
}

fn apply_body(object: &Value, options: &ApplyOptions) -> Bytes {
    if options.uid.is_none() && options.resource_version.is_none() {
        return to_bytes(object);
    }
    let mut object = object.clone();
    if let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        for (key, value) in [("uid", &options.uid), ("resourceVersion", &options.resource_version)] {
            if let Some(value) = value {
                metadata.insert(key.to_owned(), Value::from(value.as_str()));
            }
        }
    }
    to_bytes(&object)
}

fn delete_body(options: &DeleteOptions) -> Value {
    let propagation = match options.propagation {
        Propagation::Background => "Background",
        Propagation::Foreground => "Foreground",
        Propagation::Orphan => "Orphan",
    };
    let mut body = json!({"propagationPolicy": propagation});
    let mut preconditions = serde_json::Map::new();
    for (key, value) in [("uid", &options.uid), ("resourceVersion", &options.resource_version)] {
        if let Some(value) = value {
            preconditions.insert(key.to_owned(), Value::from(value.as_str()));
        }
    }
    if !preconditions.is_empty() {
        body["preconditions"] = Value::Object(preconditions);
    }
    body
}

/// Some kinds answer with the object even if it is gone already; only a deletion time says that it is still there.
fn how_far(answer: &Value) -> Deleted {
    let stamp = answer.pointer("/metadata/deletionTimestamp");
    if stamp.is_some_and(|stamp| !stamp.is_null()) { Deleted::Pending } else { Deleted::Gone }
}
