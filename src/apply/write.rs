//! Writing one object by server-side apply, so that only what the plan saw can happen.

use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use super::task::Task;
use super::{Fact, recorded_entry};
use crate::cluster::{ApplyOptions, ClusterError};
use crate::event::ResourceEnd;
use crate::live::Live;
use crate::plan::{Action, Change, Conflict, attribution, concerned_digest, sends};
use crate::resource::{FIELD_MANAGER, Manifest};
use crate::ssa::{self, Applied, ApplyError, FieldConflict, Schema};

/// A resource version that no object has: an apply that carries it creates, but never changes what exists.
///
/// The API server ignores the version of an apply that creates, and answers 409 where the object exists.
const CREATE_ONLY: &str = "1";

/// How often a write is tried when the object keeps moving in fields that are not concerned (a status, say).
const LOOKS: usize = 5;

/// Writes the object and hands over what is to be recorded of it.
pub(super) async fn write(task: &Task, change: &Change, permit: OwnedSemaphorePermit) -> Result<Live, ResourceEnd> {
    // Held until the record is handed over: where that cannot be written down, nothing else may have started.
    let _permit = permit;
    let Some(manifest) = sends(change) else {
        return Err(ResourceEnd::Failed("the plan has nothing to send for it".to_owned()));
    };
    let written = match change.action {
        Action::Create => create(task, change, manifest).await,
        _ => update(task, change, manifest).await,
    };
    match written {
        Ok(live) => {
            let entry = recorded_entry(change, &live, &*task.keyed);
            task.record(change, Fact::Applied(Box::new(entry)));
            Ok(live)
        }
        Err(end) => {
            let fact = match &end {
                ResourceEnd::Unknown(why) => Fact::Unknown(why.clone()),
                ResourceEnd::Failed(why) | ResourceEnd::Moved(why) => Fact::Failed(why.clone()),
                _ => Fact::Failed(String::new()),
            };
            task.record(change, fact);
            Err(end)
        }
    }
}

async fn create(task: &Task, change: &Change, manifest: &Manifest) -> Result<Live, ResourceEnd> {
    let options = ApplyOptions { resource_version: Some(CREATE_ONLY.to_owned()), ..ApplyOptions::default() };
    match task.cluster.apply(manifest, &options).await {
        Ok(live) => Ok(live),
        // Somebody was faster, or it was we ourselves and the reply was lost.
        Err(ClusterError::AlreadyExists { .. } | ClusterError::Moved { .. } | ClusterError::Conflict { .. }) => {
            match task.cluster.get(&change.object, &change.api_version).await {
                Ok(Some(live)) if is_our_own_write(manifest, &live) => Ok(live),
                Ok(Some(live)) => Err(ResourceEnd::Moved(format!(
                    "the plan saw that it does not exist, but now it does (made {}); plan again",
                    live.object.pointer("/metadata/creationTimestamp").and_then(Value::as_str).unwrap_or("just now"),
                ))),
                Ok(None) => {
                    Err(ResourceEnd::Moved("it was made and deleted by somebody meanwhile; plan again".to_owned()))
                }
                Err(error) => Err(not_seen(&error)),
            }
        }
        Err(error) => Err(ended(&error)),
    }
}

/// Tells whether the live object is what our own apply, whose reply was lost, has made of it: to apply the same again would
/// change nothing, neither values nor whose they are.
fn is_our_own_write(manifest: &Manifest, live: &Live) -> bool {
    applied(manifest, live).is_ok_and(|applied| !applied.changed)
}

fn applied<'l>(manifest: &Manifest, live: &'l Live) -> Result<Applied<'l>, ApplyError> {
    let schema = ssa::builtin(manifest.group(), manifest.version(), manifest.kind()).unwrap_or_else(Schema::deduced);
    ssa::apply(&schema, Some(&live.object), manifest.object(), FIELD_MANAGER)
}

/// Writes to an object that exists, with the uid and the resource version that it was looked at with. The plan's own look
/// serves the first time, unless the write is forced: that needs one right before it.
async fn update(task: &Task, change: &Change, manifest: &Manifest) -> Result<Live, ResourceEnd> {
    let force = !change.forced.is_empty();
    let planned = (change.precondition.uid.clone(), change.precondition.resource_version.clone());
    let mut seen = Some(planned).filter(|(uid, version)| !force && uid.is_some() && version.is_some());
    let mut tried = false;
    for _ in 0..LOOKS {
        let (uid, resource_version) = match seen.take() {
            Some(seen) => seen,
            None => {
                let live = look(task, change, tried).await?;
                if tried && is_our_own_write(manifest, &live) {
                    return Ok(live);
                }
                still_as_planned(task, change, manifest, &live)?;
                (Some(live.uid().to_owned()), Some(live.resource_version().to_owned()))
            }
        };
        tried = true;
        let options = ApplyOptions { force, uid, resource_version, ..ApplyOptions::default() };
        match task.cluster.apply(manifest, &options).await {
            Ok(live) => return Ok(live),
            // Often only its status; or it was we ourselves and the reply was lost.
            Err(ClusterError::Moved { .. }) => {}
            Err(error) => return Err(ended(&error)),
        }
    }
    Err(ResourceEnd::Moved(format!("it kept changing while it was written ({LOOKS} tries)")))
}

/// What cannot be looked at after a write was refused may be our own write, whose reply was lost: the next run finds out.
fn not_seen(error: &ClusterError) -> ResourceEnd {
    ResourceEnd::Unknown(format!("it changed while it was written, and cannot be read to find out by whom: {error}"))
}

async fn look(task: &Task, change: &Change, tried: bool) -> Result<Live, ResourceEnd> {
    match task.cluster.get(&change.object, &change.api_version).await {
        Ok(Some(live)) => Ok(live),
        Ok(None) => Err(ResourceEnd::Moved("it was deleted since the plan was made".to_owned())),
        Err(error) if tried => Err(not_seen(&error)),
        Err(error) => Err(ended(&error)),
    }
}

/// Compares the live object with what the plan saw: its uid, whom the write would take fields from, and the values that
/// the plan is about.
fn still_as_planned(task: &Task, change: &Change, manifest: &Manifest, live: &Live) -> Result<(), ResourceEnd> {
    let moved = |why: String| Err(ResourceEnd::Moved(why));
    if change.precondition.uid.as_deref() != Some(live.uid()) {
        return moved("it was deleted and made anew since the plan was made".to_owned());
    }
    let applied = match applied(manifest, live) {
        Ok(applied) => applied,
        Err(error) => return Err(ResourceEnd::Failed(error.to_string())),
    };
    let unplanned = |conflict: &&FieldConflict| !change.forced.iter().any(|planned| is_planned(planned, conflict));
    if let Some(conflict) = applied.conflicts.iter().find(unplanned) {
        let manager = &conflict.entry.manager;
        return moved(format!("`{}` is in the hand of `{manager}`, which the plan did not see", conflict.path));
    }
    let Some(concerned) = change.precondition.concerned else { return Ok(()) };
    let secret = change.object.is_secret();
    let keyed: Option<&dyn Fn(&Value) -> Value> = if secret { Some(&*task.keyed) } else { None };
    if concerned_digest(&live.object, &change.precondition.concerned_fields, keyed) == concerned {
        return Ok(());
    }
    moved("the values that the plan is about changed since it was made".to_owned())
}

/// Tells whether a conflict is the planned one. A manager that wrote again, elsewhere in the object or the same values, is
/// still the same; the values themselves are compared by their digest.
fn is_planned(planned: &Conflict, conflict: &FieldConflict) -> bool {
    let now = attribution(&conflict.entry);
    planned.field == conflict.path.to_string()
        && (&planned.by.manager, &planned.by.operation, &planned.by.subresource)
            == (&now.manager, &now.operation, &now.subresource)
}

/// How an error of the cluster ends the work on a resource.
pub(super) fn ended(error: &ClusterError) -> ResourceEnd {
    match error {
        ClusterError::Conflict { .. } | ClusterError::Moved { .. } | ClusterError::Recreated { .. } => {
            ResourceEnd::Moved(error.to_string())
        }
        error if error.outcome_unknown() => ResourceEnd::Unknown(error.to_string()),
        error => ResourceEnd::Failed(match error.hint() {
            Some(hint) => format!("{error} ({hint})"),
            None => error.to_string(),
        }),
    }
}
