//! The pod of a workload that is asked, and commands in it.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::AskContext;
use crate::cluster::{Cluster, ClusterError, ExecRequest, Permitted};
use crate::ready;
use crate::resource::{ObjectRef, at};
use crate::verify::Answer;

/// A ready pod of a workload.
pub(super) struct ReadyPod {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    container: Option<String>,
}

impl ReadyPod {
    /// Finds the first one, or returns what is to be answered because there is none.
    pub(super) async fn find(
        cluster: &Cluster,
        workload: &ObjectRef,
        context: &AskContext<'_>,
    ) -> Result<Result<Self, Answer>, ClusterError> {
        let Some(host) = cluster.host(workload, context.version_of(workload)).await? else {
            return Ok(Err(Answer::NoReadyPod));
        };
        Ok(match cluster.pods_of(&host).await? {
            Permitted::Yes(pods) => pods.iter().find_map(Self::of).ok_or(Answer::NoReadyPod),
            Permitted::No(why) => Err(Answer::Forbidden(why)),
        })
    }

    /// Takes a pod that is ready.
    pub(super) fn of(pod: &Value) -> Option<Self> {
        let text = |pointer: &str| at(pod, pointer).and_then(Value::as_str).map(str::to_owned);
        ready::pods::is_ready(pod).then_some(())?;
        Some(Self {
            namespace: text("/metadata/namespace")?,
            name: text("/metadata/name")?,
            uid: text("/metadata/uid").unwrap_or_default(),
            container: default_container(pod),
        })
    }

    /// Runs a command in it to its end; in the container that kubectl takes where none is named.
    pub(super) async fn run(
        &self,
        cluster: &Cluster,
        container: Option<&str>,
        words: &[String],
        stdin: Option<Bytes>,
        timeout: Duration,
    ) -> Result<Answer, ClusterError> {
        let request = ExecRequest {
            namespace: self.namespace.clone(),
            pod: self.name.clone(),
            container: container.map(str::to_owned).or_else(|| self.container.clone()),
            command: words.to_vec(),
            stdin,
            timeout,
        };
        match cluster.exec(request).await {
            Ok(output) => Ok(Answer::Exec {
                code: output.exit_code,
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            }),
            // 501: this server never does, and says why.
            Err(ClusterError::Server { code: 501, message, .. }) if !message.is_empty() => {
                Ok(Answer::Unavailable(message))
            }
            // The server could not hand the command to a container: the node is a pretended one, or out of reach. That
            // says nothing about the service.
            Err(error @ (ClusterError::Exec { .. } | ClusterError::Server { .. })) => {
                Ok(Answer::Unavailable(format!("no command can be run in the pod: {error}")))
            }
            Err(error) => Err(error),
        }
    }
}

/// The container that kubectl takes where none is named. The server refuses a command for a pod of several, and a mesh adds
/// one to every pod.
fn default_container(pod: &Value) -> Option<String> {
    let annotated = at(pod, "/metadata/annotations").and_then(|all| all.get("kubectl.kubernetes.io/default-container"));
    let first = || at(pod, "/spec/containers/0/name");
    annotated.or_else(first).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_container_is_the_one_that_kubectl_takes() {
        let mut pod = json!({"spec": {"containers": [{"name": "redis"}, {"name": "istio-proxy"}]}});
        assert_eq!(default_container(&pod).as_deref(), Some("redis"));
        pod["metadata"] = json!({"annotations": {"kubectl.kubernetes.io/default-container": "istio-proxy"}});
        assert_eq!(default_container(&pod).as_deref(), Some("istio-proxy"));
    }
}
