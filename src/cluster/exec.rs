//! Commands in containers, over a web socket.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Api;
use kube::api::AttachParams;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use super::Cluster;
use super::count::Sort;
use super::error::ClusterError;
use super::status::{self, Status as OurStatus};
use super::subject::Subject;
use crate::resource::ObjectRef;

/// The most that is kept of each stream: enough for any check, too little to hurt if a query returns a table.
const LONGEST_OUTPUT: u64 = 1 << 20;

/// A command and where it runs.
#[derive(Clone, PartialEq, Eq)]
pub struct ExecRequest {
    /// Namespace of the pod.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container; `None`: the pod's only one. The server refuses to choose among several.
    pub container: Option<String>,
    /// Program and arguments. They stand in the server's audit log: secrets go through `stdin`.
    pub command: Vec<String>,
    /// What the program reads.
    pub stdin: Option<Bytes>,
    /// How long it may take.
    pub timeout: Duration,
}

impl std::fmt::Debug for ExecRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExecRequest({}/{})", self.namespace, self.pod)
    }
}

/// What a command said, and how it ended.
#[derive(Clone, PartialEq, Eq)]
pub struct ExecOutput {
    /// What it printed, to at most 1 MiB.
    pub stdout: Vec<u8>,
    /// What it complained, to at most 1 MiB.
    pub stderr: Vec<u8>,
    /// Its exit code.
    pub exit_code: i32,
}

impl std::fmt::Debug for ExecOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExecOutput(exit code {}, {} bytes)", self.exit_code, self.stdout.len())
    }
}

impl Cluster {
    /// Runs a command to its end. It is never repeated: nobody knows what it did.
    ///
    /// # Errors
    /// [`ClusterError::Exec`] if it cannot be run, [`ClusterError::Timeout`]; an exit code other than 0 is no error.
    pub async fn exec(&self, request: ExecRequest) -> Result<ExecOutput, ClusterError> {
        let transport = &self.shared.transport;
        transport.counter.add(Sort::Exec);
        let what = Arc::new(Subject {
            verb: "create",
            resource: "pods/exec".to_owned(),
            kind: None,
            namespace: Some(request.namespace.clone()),
            object: Some(ObjectRef::new("", "Pod", Some(&request.namespace), &request.pod)),
            endpoint: Arc::clone(&transport.endpoint),
        });
        match tokio::time::timeout(request.timeout, self.exec_to_end(&request, &what)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ClusterError::Timeout { what, after: request.timeout }),
        }
    }

    async fn exec_to_end(&self, request: &ExecRequest, what: &Arc<Subject>) -> Result<ExecOutput, ClusterError> {
        let failed = |reason: &str| ClusterError::Exec { what: Arc::clone(what), reason: reason.to_owned() };
        let pods: Api<Pod> = Api::namespaced(self.shared.transport.client.clone(), &request.namespace);
        let mut params = AttachParams::default().stdin(request.stdin.is_some());
        params.container.clone_from(&request.container);
        let mut process =
            pods.exec(&request.pod, &request.command, &params).await.map_err(|error| self.exec_error(&error, what))?;
        let status = process.take_status().ok_or_else(|| failed("no exit status was promised"))?;
        let (stdin, stdout, stderr) = (process.stdin(), process.stdout(), process.stderr());
        let feed = async {
            if let (Some(mut stdin), Some(input)) = (stdin, &request.stdin) {
                // A program need not read what it is given.
                let _ = stdin.write_all(input).await;
                let _ = stdin.shutdown().await;
            }
        };
        let ((), stdout, stderr, status) = futures::join!(feed, read_all(stdout), read_all(stderr), status);
        let status = status.ok_or_else(|| failed("the connection ended before the command did"))?;
        let exit_code = exit_code(&status).map_err(|reason| failed(&reason))?;
        Ok(ExecOutput { stdout, stderr, exit_code })
    }

    fn exec_error(&self, error: &kube::Error, what: &Arc<Subject>) -> ClusterError {
        match error {
            kube::Error::Api(status) => {
                let ours =
                    serde_json::to_value(status).and_then(serde_json::from_value::<OurStatus>).unwrap_or_default();
                match status::error_of_status(status.code, &ours, None, what) {
                    // Who may get but not create `pods/exec` is refused by a second look of the server, which gives no reason.
                    ClusterError::Forbidden { what, message } if message.trim_end().ends_with(':') => {
                        ClusterError::Forbidden {
                            what,
                            message: "the right to create `pods/exec` is missing".to_owned(),
                        }
                    }
                    error => error,
                }
            }
            // The server answered without a web socket: containers run nowhere, or a proxy is in between.
            kube::Error::UpgradeConnection(_) => ClusterError::Exec {
                what: Arc::clone(what),
                reason: "the server opened no stream to the container".to_owned(),
            },
            error => self.shared.transport.connection_error(error),
        }
    }
}

/// Reads to the end, keeping the beginning.
async fn read_all(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut stream) = stream {
        // What ends a stream early is told by the missing status.
        let _ = (&mut stream).take(LONGEST_OUTPUT).read_to_end(&mut kept).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    kept
}

/// Reads the status that ends a command, or returns why there is no exit code.
fn exit_code(status: &Status) -> Result<i32, String> {
    if status.status.as_deref() == Some("Success") {
        return Ok(0);
    }
    let causes = status.details.as_ref().and_then(|details| details.causes.as_deref()).unwrap_or_default();
    causes
        .iter()
        .find(|cause| cause.reason.as_deref() == Some("ExitCode"))
        .and_then(|cause| cause.message.as_deref()?.parse().ok())
        .ok_or_else(|| status.message.clone().unwrap_or_else(|| "it did not end".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exit_codes_are_read_from_the_closing_status() {
        let read = |status: serde_json::Value| exit_code(&serde_json::from_value(status).unwrap());
        assert_eq!(read(json!({"status": "Success"})), Ok(0));
        assert_eq!(
            read(
                json!({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}})
            ),
            Ok(3)
        );
        assert_eq!(
            read(json!({"status": "Failure", "message": "executable file not found"})),
            Err("executable file not found".to_owned())
        );
    }
}
