//! A pod is deleted on purpose, to see whether what it had written is there when it comes back.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use super::AskContext;
use super::pod::ReadyPod;
use crate::cluster::{Cluster, ClusterError, DeleteOptions, Permitted};
use crate::ready;
use crate::resource::{ObjectRef, at};
use crate::verify::{Answer, MarkedVolume};

/// How long a pod may take to go and another to become ready: a grace period, a volume that is attached anew, a database that
/// replays its log.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often the pods are looked at meanwhile. It is one short list, of one workload.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Writes a marker, deletes the pod, waits until one is ready in its place, and reads the marker there. It is taken away again
/// however that ends, unless no pod comes back to do it in.
pub(super) async fn restart(
    cluster: &Cluster,
    workload: &ObjectRef,
    volume: &MarkedVolume,
    context: &AskContext<'_>,
) -> Result<Answer, ClusterError> {
    let before = match ReadyPod::find(cluster, workload, context).await? {
        Ok(pod) => pod,
        Err(answer) => return Ok(answer),
    };
    let asked = Asked { cluster, workload, volume, context };
    // No two runs write the same, for each deletes the pod that it names.
    let written = format!("written before pod {} was deleted", before.uid);
    if let Some(answer) = asked.write(&before, &written).await? {
        return Ok(answer);
    }
    let pod = ObjectRef::new("", "Pod", Some(&before.namespace), &before.name);
    let options = DeleteOptions { uid: Some(before.uid.clone()), ..DeleteOptions::default() };
    if let Err(error) = cluster.delete(&pod, "v1", &options).await {
        asked.remove(&before).await;
        return Err(error);
    }
    let after = match asked.successor(&before).await? {
        Ok(after) => after,
        Err(answer) => return Ok(answer),
    };
    let read = asked.read(&after).await;
    asked.remove(&after).await;
    Ok(match read? {
        Answer::Exec { code: 0, stdout, .. } => Answer::Restart { written, read: Some(stdout) },
        Answer::Exec { .. } => Answer::Restart { written, read: None },
        other => other,
    })
}

/// What all steps need to know.
struct Asked<'a> {
    cluster: &'a Cluster,
    workload: &'a ObjectRef,
    volume: &'a MarkedVolume,
    context: &'a AskContext<'a>,
}

impl Asked<'_> {
    async fn run(&self, pod: &ReadyPod, words: &[String], stdin: Option<Bytes>) -> Result<Answer, ClusterError> {
        pod.run(self.cluster, Some(&self.volume.container), words, stdin, self.context.timeout).await
    }

    /// Writes the marker; returns what is to be answered where it cannot be, and then nothing was disturbed.
    async fn write(&self, pod: &ReadyPod, marker: &str) -> Result<Option<Answer>, ClusterError> {
        let stdin = Some(Bytes::from(format!("{marker}\n")));
        Ok(match self.run(pod, &self.volume.script().write, stdin).await? {
            Answer::Exec { code: 0, .. } => None,
            Answer::Exec { code: 126 | 127, .. } => {
                Some(Answer::Unavailable("the container has no `sh` that runs, and the pod was left alone".to_owned()))
            }
            Answer::Exec { code, stderr, .. } => Some(Answer::NotWritable(format!(
                "nothing can be written to {} (exit code {code}): {}",
                self.volume.folder,
                stderr.trim()
            ))),
            other => Some(other),
        })
    }

    async fn read(&self, pod: &ReadyPod) -> Result<Answer, ClusterError> {
        self.run(pod, &self.volume.script().read, None).await
    }

    /// What is left is a hidden file of one line, which the next check writes over: nothing to fail for.
    async fn remove(&self, pod: &ReadyPod) {
        drop(self.run(pod, &self.volume.script().remove, None).await);
    }

    /// Waits for a ready pod in the place of one that was deleted. That of a StatefulSet has its name, for it has its volume.
    async fn successor(&self, before: &ReadyPod) -> Result<Result<ReadyPod, Answer>, ClusterError> {
        let end = Instant::now() + PATIENCE;
        let has_name = self.workload.kind == "StatefulSet";
        loop {
            let host = self.cluster.host(self.workload, self.context.version_of(self.workload)).await?;
            let Some(host) = host else {
                let ObjectRef { kind, name, .. } = self.workload;
                return Ok(Err(Answer::NotBack(format!("{kind} {name} was deleted while its pod was to come back"))));
            };
            let pods = match self.cluster.pods_of(&host).await? {
                Permitted::Yes(pods) => pods,
                Permitted::No(why) => return Ok(Err(Answer::Forbidden(why))),
            };
            let mut ready = pods.iter().filter_map(ReadyPod::of);
            if let Some(after) = ready.find(|pod| pod.uid != before.uid && (!has_name || pod.name == before.name)) {
                return Ok(Ok(after));
            }
            if Instant::now() >= end {
                return Ok(Err(Answer::NotBack(not_back(before, &host, &pods))));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

fn not_back(before: &ReadyPod, host: &Value, pods: &[Value]) -> String {
    let still = pods.iter().any(|pod| at(pod, "/metadata/uid").and_then(Value::as_str) == Some(&before.uid));
    let why = match ready::pods::explain(host, pods) {
        Some(trouble) => trouble.text,
        None if still => "it is still ending".to_owned(),
        None => "nothing took its place".to_owned(),
    };
    let ReadyPod { namespace, name, .. } = before;
    format!(
        "pod {name} was deleted for this check and is not ready again after {} s: {why}; \
         `kubectl -n {namespace} describe pod {name}` tells more",
        PATIENCE.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_told_why_a_pod_did_not_come_back() {
        let pod = |uid: &str, status: Value| json!({"metadata": {"name": "redis-0", "namespace": "cache", "uid": uid}, "spec": {"containers": [{"name": "redis"}]}, "status": status});
        let running = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
        let before = ReadyPod::of(&pod("one", running)).unwrap();
        let told = |pods: &[Value]| not_back(&before, &json!({"kind": "StatefulSet"}), pods);
        let hint = "; `kubectl -n cache describe pod redis-0` tells more";
        let begin = "pod redis-0 was deleted for this check and is not ready again after 300 s: ";
        assert_eq!(told(&[]), format!("{begin}nothing took its place{hint}"));
        let ending =
            json!({"metadata": {"name": "redis-0", "uid": "one", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
        assert_eq!(told(&[ending]), format!("{begin}it is still ending{hint}"));
        let pulling = json!({"phase": "Pending", "containerStatuses": [{"name": "redis", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]});
        let why = told(&[pod("two", pulling)]);
        assert!(
            why.starts_with(&format!("{begin}pod redis-0: container redis: ")) && why.contains("no such image"),
            "{why}"
        );
    }
}
