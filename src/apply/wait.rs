//! Waiting until an object does what it should, by watch, and knowing why it does not yet.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::sight::Sight;
use super::task::Task;
use crate::cluster::{ClusterError, Permitted, Seen};
use crate::event::{Event, ResourceEnd};
use crate::live::Live;
use crate::plan::Change;
use crate::ready::{self, Readiness};
use crate::resource::{ObjectRef, at};

/// How often it is said why something is still waited for.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(10);

/// How soon after the write the pods are looked at for the first time.
const FIRST_LOOK: Duration = Duration::from_secs(3);

/// Kinds whose readiness depends on pods, which tell why it is not there yet.
const WORKLOADS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"];

/// Waits until an object that nobody had to write is ready.
pub(super) async fn until_live_is_ready(task: &Task, change: &Change) -> ResourceEnd {
    match task.cluster.get(&change.object, &change.api_version).await {
        Ok(Some(live)) => until_ready(task, change, live).await,
        Ok(None) => ResourceEnd::Moved("it was deleted since the plan was made".to_owned()),
        Err(error) => unseen(&error),
    }
}

/// What was written stays written where it cannot be looked at.
fn unseen(error: &ClusterError) -> ResourceEnd {
    ResourceEnd::NotReady(format!("it cannot be looked at: {error}"))
}

/// Waits until the object that was just written is ready. Only what the server saw of this very generation counts.
pub(super) async fn until_ready(task: &Task, change: &Change, written: Live) -> ResourceEnd {
    let generation = at(&written.object, "/metadata/generation").and_then(Value::as_i64);
    let claim_waits = claim_waits_for_consumer(task, change, &written.object).await;
    let judge = |object: &Value| match claim_waits {
        true => ready::claim_readiness(object, generation, true),
        false => ready::readiness(object, generation),
    };
    let mut why = match judge(&written.object) {
        Readiness::Ready => return ResourceEnd::Done,
        Readiness::Failed(why) => return ResourceEnd::NotReady(with_pods(task, &written.object, why).await.0),
        Readiness::Waiting(why) => why,
    };
    let deadline = Instant::now() + task.timeout;
    let mut beat = deadline.min(Instant::now() + FIRST_LOOK);
    let mut sight = Sight::of(task, change, Some(&written));
    let mut last = written.object;
    loop {
        let seen = tokio::select! {
            biased;
            seen = timeout_at(beat, sight.next()) => seen,
            // It is written and recorded, and the next run waits for it: nothing is lost.
            () = task.stopped() => return ResourceEnd::NotReady(format!("the run was stopped; {why}")),
        };
        match seen {
            Ok(Ok(Seen::Live(Live { object }))) => {
                let uid = |object: &Value| at(object, "/metadata/uid").and_then(Value::as_str).map(str::to_owned);
                if uid(&object) != uid(&last) {
                    return ResourceEnd::Moved("it was deleted and made anew while it was waited for".to_owned());
                }
                match judge(&object) {
                    Readiness::Ready => return ResourceEnd::Done,
                    Readiness::Failed(failed) => {
                        return ResourceEnd::NotReady(with_pods(task, &object, failed).await.0);
                    }
                    Readiness::Waiting(waiting) => why = waiting,
                }
                last = object;
            }
            Ok(Ok(Seen::Gone)) => return ResourceEnd::Moved("it was deleted while it was waited for".to_owned()),
            Ok(Err(error)) => return unseen(&error),
            Err(_) => {
                let (told, fatal) = with_pods(task, &last, why.clone()).await;
                if fatal || Instant::now() >= deadline {
                    return ResourceEnd::NotReady(told);
                }
                task.tell(Event::ResourceWaiting {
                    address: change.address.clone(),
                    why: told,
                    elapsed: task.started.elapsed(),
                });
                beat = deadline.min(Instant::now() + HEARTBEAT);
            }
        }
    }
}

/// Adds what the pods say to why a workload is not ready; the flag tells that waiting will not help.
async fn with_pods(task: &Task, object: &Value, why: String) -> (String, bool) {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    if !WORKLOADS.contains(&kind) {
        return (why, false);
    }
    match task.cluster.pods_of(object).await {
        Ok(Permitted::Yes(pods)) => match ready::pods::explain(object, &pods) {
            Some(trouble) => (format!("{why}; {}", trouble.text), trouble.fatal),
            None => (why, false),
        },
        Ok(Permitted::No(words)) => (format!("{why}; its pods may not be looked at: {words}"), false),
        Err(error) => (format!("{why}; its pods cannot be looked at: {error}"), false),
    }
}

/// Tells whether a claim's storage class binds only when a pod uses the claim, so that `Pending` is all there is to wait
/// for. Where the class cannot be read, it is taken for one: to wait in vain for a claim that waits for its pod would
/// keep the pod from ever being made.
async fn claim_waits_for_consumer(task: &Task, change: &Change, object: &Value) -> bool {
    if change.object.kind != "PersistentVolumeClaim" {
        return false;
    }
    let Some(name) = at(object, "/spec/storageClassName").and_then(Value::as_str) else { return false };
    let class = ObjectRef::new("storage.k8s.io", "StorageClass", None, name);
    match task.cluster.get(&class, "storage.k8s.io/v1").await {
        Ok(Some(class)) => ready::waits_for_consumer(&class.object),
        Ok(None) => false,
        Err(_) => true,
    }
}
