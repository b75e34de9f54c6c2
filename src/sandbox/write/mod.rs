//! Writing: what becomes of a body on its way to being stored, in the order in which the API server does it.
//!
//! POST: decode, default, track who writes what, admit, name and identify, prepare, validate, store. PUT and the patches:
//! the same on top of what is there. Apply: merge first, and then as the others.

mod apart;
mod apply;
mod bind;
mod create;
mod definition;
mod delete;
mod held;
mod identity;
mod metadata;
mod patch;
mod scale;
mod update;
mod warnings;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use self::apart::Apart;
pub use self::apply::apply;
pub use self::bind::bind;
pub use self::create::create;
pub use self::definition::settle;
pub use self::delete::{DeleteOptions, Deleted, delete, deletion_warning};
pub use self::patch::patch;
pub use self::scale::{get_scale, patch_scale, put_scale};
pub use self::update::update;

use super::access::{Attributes, check_escalation};
use super::decode::{Decoded, WriteOptions};
use super::kind::Kind;
use super::refusal::{FieldProblem, Refusal};
use super::state::State;
use super::store::Key;
use super::{convert, custom, decode, validation};
use crate::ssa::{self, FieldSet, tracking};

/// What is to be written, and by whom.
#[derive(Debug, Clone)]
pub struct Place {
    /// The kind, at the version that the request speaks of.
    pub kind: Arc<Kind>,
    /// Empty for what is in no namespace.
    pub namespace: String,
    /// Name in the path; empty for a POST.
    pub name: String,
    /// What lies below the object.
    pub subresource: Option<String>,
    /// Field manager.
    pub manager: String,
    /// Who asks for it, where rights count; controllers may do anything.
    pub asked: Option<Attributes>,
}

/// Nobody may grant more than they have.
fn check_rights(state: &State, place: &Place, object: &Value, live: Option<&Value>) -> Result<(), Refusal> {
    match &place.asked {
        Some(attributes) => check_escalation(state, attributes, object, live),
        None => Ok(()),
    }
}

impl Place {
    fn subresource(&self) -> Option<&str> {
        self.subresource.as_deref()
    }
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// 201 if it was made, 200 if it was there.
    pub code: u16,
    /// The object as it is now, in the version that the request speaks of.
    pub object: Arc<Value>,
    /// What the client is warned of.
    pub warnings: Vec<String>,
}

/// Brings a decoded object into the shape that is tracked: pruned and defaulted.
fn defaulted(kind: &Kind, object: &mut Value) {
    // An empty list is no list but here, where it says that nobody is to own anything.
    let disowns = object.pointer("/metadata/managedFields").and_then(Value::as_array).is_some_and(Vec::is_empty);
    match &kind.custom {
        Some(definition) => {
            custom::prune(definition, object);
            custom::drop_nulls(definition, object);
            custom::with_defaults(definition, object);
        }
        None => {
            let given = held::sources(kind, object);
            ssa::canonicalise(&kind.schema, object);
            ssa::with_defaults(&kind.schema, object);
            held::hold(kind, given, object);
            if is_definition(kind) {
                custom::default_definition(object);
            }
        }
    }
    if disowns && let Some(metadata) = metadata::of(object) {
        metadata.insert("managedFields".to_owned(), Value::Array(Vec::new()));
    }
}

/// Does what [`defaulted`] does for an object that takes another's place.
fn defaulted_over(kind: &Kind, live: &Value, object: &mut Value) {
    let apart = Apart::take(kind, live, object);
    defaulted(kind, object);
    apart.give_back(object);
}

/// Does what [`as_stored`] does for an object that takes another's place.
fn as_stored_over(kind: &Kind, live: &Value, object: &mut Value) {
    let apart = Apart::take(kind, live, object);
    as_stored(kind, object);
    apart.give_back(object);
}

/// Brings an object into the form in which the server reads it back after it wrote it.
fn as_stored(kind: &Kind, object: &mut Value) {
    if kind.custom.is_none() {
        defaulted(kind, object);
        tracking::as_written(&kind.schema, object);
        decode::as_stored(kind, object);
    }
}

/// Tells whether storing an object would change what is stored, in which another version may have more fields.
fn is_change(state: &State, kind: &Kind, key: &Key, live: &Value, object: &Value) -> bool {
    if object != live || state.rough.contains(key) {
        return true;
    }
    // A custom resource that is written at one version loses what only the others declare, and an autoscaler what the older
    // version has no room for.
    let loses = kind.custom.is_some() || kind.is("autoscaling", "HorizontalPodAutoscaler");
    let stored = state.store.get(key).filter(|_| loses).map(|stored| stored.object());
    stored.is_some_and(|stored| {
        stored.get("apiVersion") != object.get("apiVersion")
            && convert::to_storage(&state.kinds, kind, object.clone()) != **stored
    })
}

/// Takes out what a custom resource does not have, and tells of it as the request wants to be told.
fn pruned(state: &State, kind: &Kind, mut decoded: Decoded, options: &WriteOptions) -> Result<Decoded, Refusal> {
    if kind.custom.is_none() {
        return Ok(decoded);
    }
    let said = match decoded.other_version() {
        Some(version) => state.kinds.of_object(version, &kind.kind).map(Arc::as_ref),
        None => Some(kind),
    };
    let unknown = match said.and_then(|said| said.custom.as_ref()) {
        Some(definition) => {
            if let Some(problem) = custom::embedded_problem(definition, &decoded.object) {
                return Err(decoded.refused(kind, &problem.text()));
            }
            custom::prune(definition, &mut decoded.object)
        }
        None => Vec::new(),
    };
    decoded.warnings.extend(unknown.iter().map(|path| format!("unknown field {path:?}")));
    decoded.judged(kind, options.field_validation)
}

/// Returns what the endpoint leaves alone.
fn reset_fields(place: &Place) -> FieldSet {
    let kind = &place.kind;
    let has_status = kind.custom.as_ref().map(|custom| custom.version.pointer("/subresources/status").is_some());
    tracking::reset_fields(&kind.group, &kind.version, &kind.kind, place.subresource(), has_status)
}

/// Returns why an object is refused, and what is to be warned of.
fn judged(place: &Place, live: Option<&Value>, object: &Value) -> (Vec<FieldProblem>, Vec<String>) {
    let kind = &place.kind;
    let mut problems = match live {
        Some(live) => {
            validation::update(kind, place.subresource(), &convert::held(kind, live), &convert::held(kind, object))
        }
        None => validation::create(kind, &convert::held(kind, object)),
    };
    if let Some(definition) = &kind.custom {
        let verdict = match (live, place.subresource()) {
            (Some(live), Some("status")) => custom::status_verdict(definition, object, live),
            _ => custom::verdict(definition, object, live),
        };
        problems.extend(verdict.problems);
        let mut told = verdict.warnings;
        told.extend(warnings::of_write(kind, place.subresource(), live, object));
        return (problems, told);
    }
    if is_definition(kind) && place.subresource.is_none() {
        problems.extend(custom::validate_definition(object, live));
        return (problems, custom::definition_warnings(object, live));
    }
    (problems, warnings::of_write(kind, place.subresource(), live, object))
}

/// 422 for an object. The server speaks of the Events of both groups as those of the core group.
fn invalid(kind: &Kind, name: &str, problems: &[FieldProblem]) -> Refusal {
    let group = if kind.is("events.k8s.io", "Event") { "" } else { kind.group.as_str() };
    Refusal::invalid_as(group, &kind.kind, name, problems)
}

fn is_definition(kind: &Kind) -> bool {
    kind.is("apiextensions.k8s.io", "CustomResourceDefinition")
}

/// Returns the object as the request's version has it.
fn shown(kind: &Kind, object: &Arc<Value>) -> Arc<Value> {
    match convert::to(kind, object) {
        Cow::Borrowed(_) => Arc::clone(object),
        Cow::Owned(object) => Arc::new(object),
    }
}
