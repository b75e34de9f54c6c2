//! Writing one object by server-side apply, so that only what the plan saw can happen.

use serde_json::Value;

use super::walk::Task;
use super::{Fact, recorded_entry};
use crate::cluster::{ApplyOptions, ClusterError};
use crate::event::{Event, ResourceEnd};
use crate::live::Live;
use crate::plan::{Action, Change, Conflict, attribution, sends};
use crate::resource::{Digest, FIELD_MANAGER, Manifest};
use crate::ssa::{self, FieldSet, Path};

/// A resource version that no object has: an apply that carries it creates, but never changes what exists.
///
/// The API server ignores the version of an apply that creates, and answers 409 where the object exists.
const CREATE_ONLY: &str = "1";

/// How often the live object is looked at again before a forced write, when it keeps moving in fields that are not
/// concerned (a status, say).
const LOOKS: usize = 5;

/// Writes the object and hands over what is to be recorded of it.
pub(super) async fn write(task: &Task, change: &Change) -> Result<Live, ResourceEnd> {
    let Some(manifest) = sends(change) else {
        return Err(ResourceEnd::Failed("the plan has nothing to send for it".to_owned()));
    };
    let _permit = task.permits.acquire().await.map_err(|_| ResourceEnd::NotStarted)?;
    let written = match (change.action, change.forced.is_empty()) {
        (Action::Create, _) => create(task, change, manifest).await,
        (_, true) => {
            let options = ApplyOptions { uid: change.precondition.uid.clone(), ..ApplyOptions::default() };
            task.cluster.apply(manifest, &options).await.map_err(|error| ended(&error))
        }
        (_, false) => force(task, change, manifest).await,
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
        Err(ClusterError::Moved { .. } | ClusterError::Conflict { .. }) => {
            match task.cluster.get(&change.object, &change.api_version).await {
                Ok(Some(live)) if is_our_own_write(manifest.object(), &live) => Ok(live),
                Ok(Some(live)) => Err(ResourceEnd::Moved(format!(
                    "the plan saw that it does not exist, but now it does (made {}); plan again",
                    live.object.pointer("/metadata/creationTimestamp").and_then(Value::as_str).unwrap_or("just now"),
                ))),
                Ok(None) => {
                    Err(ResourceEnd::Moved("it was made and deleted by somebody meanwhile; plan again".to_owned()))
                }
                Err(error) => Err(ended(&error)),
            }
        }
        Err(error) => Err(ended(&error)),
    }
}

/// Tells whether the live object is what our own apply, whose reply was lost, has made: our manager alone owns what we
/// sent.
fn is_our_own_write(sent: &Value, live: &Live) -> bool {
    let Some(fields) = ssa::owned_by(&live.object, FIELD_MANAGER) else { return false };
    let sent_fields = ssa::extract(sent, &fields);
    ssa::changes(None, &ssa::extract(&live.object, &fields), &sent_fields).is_empty()
}

/// Forces exactly the conflicts that the plan lists: looks, compares, and sends with the resource version it looked at.
async fn force(task: &Task, change: &Change, manifest: &Manifest) -> Result<Live, ResourceEnd> {
    for _ in 0..LOOKS {
        let live = match task.cluster.get(&change.object, &change.api_version).await {
            Ok(Some(live)) => live,
            Ok(None) => return Err(ResourceEnd::Moved("it was deleted since the plan was made".to_owned())),
            Err(error) => return Err(ended(&error)),
        };
        still_as_planned(change, &live, task)?;
        let options = ApplyOptions {
            force: true,
            uid: Some(live.uid().to_owned()),
            resource_version: Some(live.resource_version().to_owned()),
            ..ApplyOptions::default()
        };
        match task.cluster.apply(manifest, &options).await {
            Ok(live) => return Ok(live),
            Err(ClusterError::Moved { .. }) => {
                task.tell(Event::Note {
                    text: format!("{} changed while it was written; looking again", change.address),
                });
            }
            Err(error) => return Err(ended(&error)),
        }
    }
    Err(ResourceEnd::Moved(format!("it kept changing while it was written ({LOOKS} tries)")))
}

/// Compares the live object with what the plan saw: its uid, who owns the fields that are forced, and their values.
fn still_as_planned(change: &Change, live: &Live, task: &Task) -> Result<(), ResourceEnd> {
    if change.precondition.uid.as_deref() != Some(live.uid()) {
        return Err(ResourceEnd::Moved("it was deleted and made anew since the plan was made".to_owned()));
    }
    let entries = ssa::managed_fields(&live.object).unwrap_or_default();
    let owners = |conflict: &Conflict| {
        let Ok(path) = Path::parse(&conflict.field) else { return false };
        entries
            .iter()
            .filter(|entry| entry.manager != FIELD_MANAGER && entry.fields.contains(&path))
            .all(|entry| attribution(entry) == conflict.by)
    };
    if let Some(moved) = change.forced.iter().find(|conflict| !owners(conflict)) {
        return Err(ResourceEnd::Moved(format!("`{}` changed hands since the plan was made", moved.field)));
    }
    let mut fields = FieldSet::default();
    for path in change.diff.iter().filter_map(|field| Path::parse(&field.path).ok()) {
        fields.insert(&path);
    }
    let part = ssa::extract(&live.object, &fields);
    let secret = change.object.kind == "Secret" && change.object.group.is_empty();
    let digest = if secret { Digest::of(&(task.keyed)(&part)) } else { Digest::of(&part) };
    if change.precondition.concerned.is_some_and(|concerned| concerned != digest) {
        return Err(ResourceEnd::Moved("the values that the plan is about changed since it was made".to_owned()));
    }
    Ok(())
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
