//! Deleting one object: only the one that was recorded, only while it is still ours.

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::Fact;
use super::sight::Sight;
use super::task::Task;
use super::write::ended;
use crate::cluster::{ClusterError, DeleteOptions, Deleted, Propagation, Seen};
use crate::event::{Event, ResourceEnd};
use crate::plan::{Change, is_of_another_stack};
use crate::resource::FIELD_MANAGER;
use crate::ssa;

/// Kinds whose dependents (pods) must be gone before what they use may go.
const WORKLOADS: [&str; 6] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"];

/// How often the object is looked at again when it moves between the look and the delete.
const LOOKS: usize = 5;

/// Deletes the object and waits until it is gone. Waiting takes no place from other writes.
pub(super) async fn remove(task: &Task, change: &Change, permit: OwnedSemaphorePermit) -> ResourceEnd {
    let requested = request(task, change).await;
    drop(permit);
    let end = match requested {
        Ok(Gone::Already) => ResourceEnd::Done,
        Ok(Gone::Soon) if task.wait => until_gone(task, change).await,
        Ok(Gone::Soon) => ResourceEnd::Done,
        Err(end) => end,
    };
    match &end {
        ResourceEnd::Done => task.record(change, Fact::Removed),
        ResourceEnd::Unknown(why) => task.record(change, Fact::Unknown(why.clone())),
        ResourceEnd::Failed(why) | ResourceEnd::Moved(why) => task.record(change, Fact::Failed(why.clone())),
        _ => {}
    }
    end
}

enum Gone {
    Already,
    Soon,
}

async fn request(task: &Task, change: &Change) -> Result<Gone, ResourceEnd> {
    let foreground = WORKLOADS.contains(&change.object.kind.as_str());
    for _ in 0..LOOKS {
        let live = match task.cluster.get(&change.object, &change.api_version).await {
            Ok(Some(live)) => live,
            Ok(None) => return Ok(Gone::Already),
            Err(error) => return Err(ended(&error)),
        };
        if change.precondition.uid.as_deref() != Some(live.uid()) {
            let words = "it was deleted and made anew by somebody since the plan was made; it is left alone";
            return Err(ResourceEnd::Moved(words.to_owned()));
        }
        if ssa::owned_by(&live.object, FIELD_MANAGER).is_none() {
            let words = "our field manager no longer owns anything in it; it is left alone";
            return Err(ResourceEnd::Moved(words.to_owned()));
        }
        if is_of_another_stack(&live, &task.label) {
            return Err(ResourceEnd::Moved("another stack has taken it; it is left alone".to_owned()));
        }
        if live.is_deleting() {
            return Ok(Gone::Soon);
        }
        let options = DeleteOptions {
            uid: Some(live.uid().to_owned()),
            resource_version: Some(live.resource_version().to_owned()),
            propagation: if foreground { Propagation::Foreground } else { Propagation::Background },
        };
        match task.cluster.delete(&change.object, &change.api_version, &options).await {
            Ok(Deleted::Gone) => return Ok(Gone::Already),
            Ok(Deleted::Pending) => return Ok(Gone::Soon),
            // Its status moved between the look and the delete.
            Err(ClusterError::Moved { .. } | ClusterError::Recreated { .. }) => {}
            Err(error) => return Err(ended(&error)),
        }
    }
    Err(ResourceEnd::Moved(format!("it kept changing while it was to be deleted ({LOOKS} tries)")))
}

async fn until_gone(task: &Task, change: &Change) -> ResourceEnd {
    let deadline = Instant::now() + task.timeout;
    let mut sight = Sight::of(task, change, None);
    let mut why = "waiting until it is gone".to_owned();
    let mut beat = deadline.min(Instant::now() + super::wait::HEARTBEAT);
    loop {
        let seen = tokio::select! {
            biased;
            seen = timeout_at(beat, sight.next()) => seen,
            () = task.stopped() => {
                return ResourceEnd::Failed(format!("the server took the request, but the run was stopped: {why}"));
            }
        };
        match seen {
            Ok(Ok(Seen::Gone)) => return ResourceEnd::Done,
            Ok(Ok(Seen::Live(live))) => {
                if change.precondition.uid.as_deref() != Some(live.uid()) {
                    return ResourceEnd::Done;
                }
                let finalizers = live.object.pointer("/metadata/finalizers").and_then(|list| list.as_array());
                if let Some(list) = finalizers.filter(|list| !list.is_empty()) {
                    let names: Vec<&str> = list.iter().filter_map(|name| name.as_str()).collect();
                    why = format!("waiting for finalizer {}", names.join(", "));
                }
            }
            Ok(Err(error)) => {
                return ResourceEnd::Failed(format!(
                    "the server took the request, but it cannot be seen whether it is gone: {error}"
                ));
            }
            Err(_) if Instant::now() >= deadline => {
                return ResourceEnd::Failed(format!("the server took the request, but it is not gone: {why}"));
            }
            Err(_) => {
                task.tell(Event::ResourceWaiting {
                    address: change.address.clone(),
                    why: why.clone(),
                    elapsed: task.started.elapsed(),
                });
                beat = deadline.min(Instant::now() + super::wait::HEARTBEAT);
            }
        }
    }
}
