//! DELETE: at once, after a grace period, or when the last finalizer is gone.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Place, metadata, update};
use crate::sandbox::admission;
use crate::sandbox::convert;
use crate::sandbox::custom;
use crate::sandbox::decode;
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::request::Query;
use crate::sandbox::state::State;
use crate::sandbox::strategy::{self, Propagation};

/// How an object is to be deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Only the object with this identity.
    pub uid: Option<String>,
    /// Only the object at this resource version.
    pub resource_version: Option<String>,
    /// Seconds that it is given.
    pub grace_seconds: Option<i64>,
    /// What becomes of what it owns.
    pub propagation: Option<Propagation>,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
}

/// What a deletion came to.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// HTTP status.
    pub code: u16,
    /// The object as it was left, or a Status.
    pub body: Value,
    /// The object as it was left.
    pub object: Value,
    /// What the client is warned of.
    pub warnings: Vec<String>,
    /// Whether the object stays for now, held by a finalizer or given time. The server answers it as it is stored then, and
    /// keeps nothing back as it does wherever else an object is read.
    pub stays: bool,
}

impl DeleteOptions {
    /// Reads the options from the body, or from the query if there is none.
    ///
    /// # Errors
    /// 400 or 422 for options that cannot be.
    pub fn read(body: Option<&Value>, query: &Query) -> Result<Self, Refusal> {
        let refused = |problem| Refusal::invalid_as("meta.k8s.io", "DeleteOptions", "", &[problem]);
        use crate::sandbox::refusal::FieldProblem;
        let has_body = body.is_some();
        let body = body.unwrap_or(&Value::Null);
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let policy =
            if has_body { text("/propagationPolicy") } else { query.get("propagationPolicy").map(str::to_owned) };
        let orphan = if has_body {
            body.get("orphanDependents").and_then(Value::as_bool)
        } else {
            query.get("orphanDependents").map(|_| query.is_on("orphanDependents"))
        };
        if policy.is_some() && orphan.is_some() {
            let detail = "orphanDependents and deletionPropagation cannot be both set";
            return Err(refused(FieldProblem::invalid("propagationPolicy", &json!(policy), detail)));
        }
        let propagation = match policy.as_deref() {
            None => orphan.map(|orphan| if orphan { Propagation::Orphan } else { Propagation::Background }),
            Some("Orphan") => Some(Propagation::Orphan),
            Some("Background") => Some(Propagation::Background),
            Some("Foreground") => Some(Propagation::Foreground),
            Some(other) => {
                let known = ["Foreground", "Background", "Orphan", "nil"];
                return Err(refused(FieldProblem::not_supported("propagationPolicy", &json!(other), &known)));
            }
        };
        let dry: Vec<&str> = if has_body {
            body.get("dryRun").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
        } else {
            query.get("dryRun").into_iter().collect()
        };
        if let Some(other) = dry.iter().find(|value| **value != "All") {
            return Err(refused(FieldProblem::not_supported("dryRun", &json!([other]), &["All"])));
        }
        let grace_seconds = if has_body {
            body.get("gracePeriodSeconds").and_then(Value::as_i64)
        } else {
            let text = query.get("gracePeriodSeconds");
            text.map(|text| {
                let problem = || Refusal::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
                text.parse::<i64>().map_err(|_| problem())
            })
            .transpose()?
        };
        Ok(Self {
            uid: text("/preconditions/uid"),
            resource_version: text("/preconditions/resourceVersion"),
            grace_seconds,
            propagation,
            dry_run: !dry.is_empty(),
        })
    }
}

/// Deletes an object.
///
/// # Errors
/// As the server turns it down.
pub fn delete(state: &mut State, place: &Place, options: &DeleteOptions) -> Result<Deleted, Refusal> {
    // It is warned of even where nothing is to be deleted.
    let warnings: Vec<String> = deletion_warning(&place.kind, options).into_iter().collect();
    delete_warned(state, place, options, &warnings).map_err(|refusal| refusal.after(&warnings))
}

fn delete_warned(
    state: &mut State,
    place: &Place,
    options: &DeleteOptions,
    warnings: &[String],
) -> Result<Deleted, Refusal> {
    let kind = &place.kind;
    let key = state.key(kind, &place.namespace, &place.name);
    let live = state.store.get(&key).map(|stored| Arc::clone(stored.object()));
    let live = live.ok_or_else(|| Refusal::not_found(kind, &place.name))?;
    let live = convert::to(kind, &live).into_owned();
    check(kind, &place.name, &live, options)?;
    if strategy::goes_already(kind, &live, options.grace_seconds) {
        return Ok(Deleted { code: 200, body: live.clone(), object: live, warnings: warnings.to_vec(), stays: false });
    }
    let warnings = [warnings, &admission::admit_delete(state, kind, &live)?].concat();
    let mut object = live.clone();
    let finalizers = strategy::finalizers_on_delete(&object, options.propagation);
    set_finalizers(&mut object, &finalizers);
    let grace = strategy::grace_seconds(kind, &object, options.grace_seconds);
    let is_namespace = kind.is("", "Namespace");
    let waits = strategy::is_held(kind, &object) || grace > 0 || super::is_definition(kind);
    if !waits {
        // Pods are given time, and be it none: they are marked before they go. Those that were given none before just go.
        if strategy::is_given_time(kind, &live) {
            mark(state, kind, &mut object, grace);
            if !options.dry_run {
                if object != live {
                    state.write(key.clone(), Some(object.clone()))?;
                }
                let change = state.write(key, None)?;
                object = last_seen(object, change.revision);
            }
            return Ok(gone(kind, &place.name, object, warnings));
        }
        if !options.dry_run {
            let change = state.write(key, None)?;
            return Ok(gone(kind, &place.name, last_seen(live, change.revision), warnings));
        }
        // It would have been changed before it goes: into what the server then tells, it has read nothing yet.
        if !live.pointer("/metadata/finalizers").is_none_or(Value::is_null) {
            let body = decode::zero_object(kind);
            return Ok(Deleted { code: 200, body, object: live, warnings, stays: false });
        }
        return Ok(gone(kind, &place.name, live, warnings));
    }
    mark(state, kind, &mut object, grace);
    if super::is_definition(kind) {
        object = custom::marked_for_deletion(&object, state.clock.now());
    }
    if is_namespace {
        object["status"]["phase"] = Value::from("Terminating");
    }
    if !options.dry_run && super::is_change(state, kind, &key, &live, &object) {
        if update::is_finished(kind, &object) {
            let change = state.write(key, None)?;
            return Ok(gone(kind, &place.name, last_seen(object, change.revision), warnings));
        }
        let stored = convert::to_storage(&state.kinds, kind, object.clone());
        let change = state.write(key, Some(stored))?;
        object = change.after.map(|after| convert::to(kind, after.object()).into_owned()).unwrap_or(object);
    }
    Ok(Deleted { code: 200, body: object.clone(), object, warnings, stays: true })
}

/// Returns what is warned of when such objects are deleted, however many there are.
#[must_use]
pub fn deletion_warning(kind: &Kind, options: &DeleteOptions) -> Option<String> {
    strategy::deletion_warning(kind, options.propagation).map(str::to_owned)
}

fn check(kind: &Kind, name: &str, live: &Value, options: &DeleteOptions) -> Result<(), Refusal> {
    let said = |what: &str, given: &str, actual: &str, otherwise: &str| {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: the {what} in the precondition ({given}) does not match the \
             {what} in record ({actual}). The object might have been {otherwise}",
            if kind.group.is_empty() { kind.kind.clone() } else { format!("{}.{}", kind.kind, kind.group) }
        );
        let mut refusal = Refusal::conflict(kind, name, "");
        refusal.message = message;
        if let Some(details) = &mut refusal.details {
            details.insert("kind".to_owned(), Value::from(kind.kind.as_str()));
        }
        refusal
    };
    let (uid, revision) = (metadata::text(live, "uid"), metadata::text(live, "resourceVersion"));
    if let Some(given) = options.uid.as_deref().filter(|given| *given != uid) {
        return Err(said("UID", given, uid, "deleted and then recreated"));
    }
    if let Some(given) = options.resource_version.as_deref().filter(|given| *given != revision) {
        return Err(said("ResourceVersion", given, revision, "modified"));
    }
    Ok(())
}

fn set_finalizers(object: &mut Value, finalizers: &[String]) {
    let Some(metadata) = metadata::of(object) else { return };
    if finalizers.is_empty() {
        metadata.remove("finalizers");
    } else {
        metadata.insert("finalizers".to_owned(), json!(finalizers));
    }
}

/// Marks an object as being deleted; a later call can only shorten the time it has.
fn mark(state: &State, kind: &Kind, object: &mut Value, grace: i64) {
    let now = state.clock.now();
    let is_marked = !metadata::text(object, "deletionTimestamp").is_empty();
    let before = object.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64);
    if is_marked && before.is_none_or(|before| before <= grace) {
        return;
    }
    let at = if is_marked {
        let marked: jiff::Timestamp = metadata::text(object, "deletionTimestamp").parse().unwrap_or(now);
        marked.saturating_sub(SignedDuration::from_secs(before.unwrap_or(0) - grace)).unwrap_or(now)
    } else {
        now.saturating_add(SignedDuration::from_secs(grace)).unwrap_or(now)
    };
    // A definition's generation is its users' only.
    let counts = !kind.is("apiextensions.k8s.io", "CustomResourceDefinition");
    let Some(metadata) = metadata::of(object) else { return };
    metadata.insert("deletionTimestamp".to_owned(), Value::from(metadata::seconds(at)));
    if !kind.is("", "Namespace") {
        metadata.insert("deletionGracePeriodSeconds".to_owned(), Value::from(grace));
    }
    if !is_marked
        && counts
        && let Some(generation) =
            metadata.get("generation").and_then(Value::as_i64).filter(|generation| *generation > 0)
    {
        metadata.insert("generation".to_owned(), Value::from(generation + 1));
    }
}

/// An object as it was when it went: at the revision of its deletion.
fn last_seen(mut object: Value, revision: u64) -> Value {
    if let Some(metadata) = metadata::of(&mut object) {
        metadata.insert("resourceVersion".to_owned(), Value::from(revision.to_string()));
    }
    object
}

/// What is answered for what is gone at once.
fn gone(kind: &Kind, name: &str, object: Value, warnings: Vec<String>) -> Deleted {
    if strategy::deletion_answer_is_object(kind) {
        return Deleted { code: 200, body: object.clone(), object, warnings, stays: false };
    }
    let mut details = json!({"name": name, "kind": kind.plural, "uid": metadata::text(&object, "uid")});
    if !kind.group.is_empty() {
        details["group"] = Value::from(kind.group.as_str());
    }
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    Deleted { code: 200, body, object, warnings, stays: false }
}
