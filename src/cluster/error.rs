//! [`ClusterError`]: everything that can go wrong between us and an API server, flattened to what a person can act on.
//!
//! kube's own error prints its `Status` with `Debug` inside `Display` and is its own source, so it is never kept: its
//! message, reason and code are taken out where it appears. Whatever the server says about a Secret is withheld, since
//! validation quotes values.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::subject::{Endpoint, Subject};

/// How a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionFailure {
    /// Nobody listens there.
    Refused,
    /// The name is not known.
    Name,
    /// It broke while it was used; whether the request was carried out is not known.
    Broken,
    /// No route, a proxy, or something else below HTTP.
    Other,
}

/// What a failure of the server means for the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerFailure {
    /// It was not carried out, and would not be the next time either.
    Lasting,
    /// It was not carried out; that may pass.
    Passing,
    /// It may have been carried out: the storage, or a server behind a proxy, did not answer in time.
    Lost,
}

/// One remark of the server about one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Field path as the server writes it, empty where it is about the whole object.
    pub field: String,
    /// The server's words.
    pub message: String,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() { f.write_str(&self.message) } else { write!(f, "`{}`: {}", self.field, self.message) }
    }
}

/// Why a request did not give what it was to give.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClusterError {
    /// No usable kubeconfig.
    #[error("cannot use the kubeconfig: {reason}")]
    Kubeconfig {
        /// The cause, without any content of the file.
        reason: String,
    },
    /// The kubeconfig has no context of that name.
    #[error("the kubeconfig has no context `{context}`")]
    UnknownContext {
        /// The name asked for.
        context: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The credentials of the context could not be read or made.
    #[error("cannot get credentials for {}: {reason}", endpoint.server)]
    Credentials {
        /// The server.
        endpoint: Arc<Endpoint>,
        /// The cause, without the credentials.
        reason: String,
    },
    /// The server cannot be reached.
    #[error("cannot reach {}: {reason}", endpoint.server)]
    Unreachable {
        /// The server.
        endpoint: Arc<Endpoint>,
        /// How.
        failure: ConnectionFailure,
        /// The innermost cause.
        reason: String,
    },
    /// The server showed a certificate that is not trusted, or did not trust ours.
    #[error("no trusted connection to {}: {reason}", endpoint.server)]
    Certificate {
        /// The server.
        endpoint: Arc<Endpoint>,
        /// What is wrong with it.
        reason: String,
    },
    /// The server does not know who we are (401).
    #[error("{} does not accept the credentials (401): {message}", endpoint.server)]
    Unauthorized {
        /// The server.
        endpoint: Arc<Endpoint>,
        /// The server's words.
        message: String,
    },
    /// The right is missing (403 of the authorizer).
    #[error("not allowed to {what}: {message}")]
    Forbidden {
        /// What was asked.
        what: Arc<Subject>,
        /// The server's words; they name the user.
        message: String,
    },
    /// The object does not exist (404).
    #[error("cannot {what}: it does not exist")]
    NotFound {
        /// What was asked.
        what: Arc<Subject>,
    },
    /// The namespace of the object does not exist (404).
    #[error("cannot {what}: namespace `{namespace}` does not exist")]
    NamespaceMissing {
        /// What was asked.
        what: Arc<Subject>,
        /// The namespace.
        namespace: String,
    },
    /// The server has no such kind at that version.
    #[error("the server does not know kind `{kind}` of `{api_version}`")]
    UnknownKind {
        /// API version.
        api_version: String,
        /// Kind.
        kind: String,
    },
    /// A server behind the API server, which serves the group, does not answer: whether it has the kind is not known.
    #[error(
        "it is not known whether there is kind `{kind}` of `{group}`: the server of this API group does not answer"
    )]
    GroupUnavailable {
        /// API group.
        group: String,
        /// Kind.
        kind: String,
    },
    /// A create found an object of that name (409).
    #[error("cannot {what}: it exists already")]
    AlreadyExists {
        /// What was asked.
        what: Arc<Subject>,
    },
    /// Other managers own fields of the apply (409 with `FieldManagerConflict`).
    #[error("cannot {what}: {message}")]
    Conflict {
        /// What was asked.
        what: Arc<Subject>,
        /// Field and manager, one each; sorted, since the server's order between managers is random.
        causes: Vec<Cause>,
        /// The server's words.
        message: String,
    },
    /// The object has another resource version than the request was made for (409).
    #[error("cannot {what}: it was changed meanwhile")]
    Moved {
        /// What was asked.
        what: Arc<Subject>,
    },
    /// The object of that name has another uid than the request was made for, or is gone (409 or 422).
    #[error("cannot {what}: it was deleted or made anew meanwhile")]
    Recreated {
        /// What was asked.
        what: Arc<Subject>,
    },
    /// The server's validation refused the object (422).
    #[error("the server refuses to {what}: {}", list(causes, message))]
    Invalid {
        /// What was asked.
        what: Arc<Subject>,
        /// The server's words, withheld for a Secret.
        message: String,
        /// Field by field.
        causes: Vec<Cause>,
    },
    /// Admission, a quota, or the schema refused the request (400, 403, 405, 413, 415, and 500 for a wrong type).
    #[error("the server refuses to {what}: {message}")]
    Rejected {
        /// What was asked.
        what: Arc<Subject>,
        /// HTTP status.
        code: u16,
        /// The server's words, withheld for a Secret.
        message: String,
    },
    /// The server no longer has that point in time (410).
    #[error("cannot {what}: the server no longer has that resource version")]
    Gone {
        /// What was asked.
        what: Arc<Subject>,
    },
    /// The server is too busy (429).
    #[error("the server is too busy to {what}")]
    Throttled {
        /// What was asked.
        what: Arc<Subject>,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The server failed.
    #[error("the server failed to {what}: {message} (HTTP {code})")]
    Server {
        /// What was asked.
        what: Arc<Subject>,
        /// HTTP status.
        code: u16,
        /// What it means for the request.
        failure: ServerFailure,
        /// The server's words, withheld for a Secret.
        message: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// No answer in time; whether the request was carried out is not known.
    #[error("no answer in {} s when asked to {what}", after.as_secs())]
    Timeout {
        /// What was asked.
        what: Arc<Subject>,
        /// How long was waited.
        after: Duration,
    },
    /// The answer is not what Kubernetes' API promises.
    #[error("cannot understand the answer to {what}: {reason}")]
    Malformed {
        /// What was asked.
        what: Arc<Subject>,
        /// What is wrong, without quoting the answer.
        reason: String,
    },
    /// A command in a container could not be run or followed to its end.
    #[error("cannot {what}: {reason}")]
    Exec {
        /// What was asked.
        what: Arc<Subject>,
        /// The cause.
        reason: String,
    },
}

/// The causes one by one where there are any, else the message.
fn list(causes: &[Cause], message: &str) -> String {
    if causes.is_empty() {
        return message.to_owned();
    }
    causes.iter().map(Cause::to_string).collect::<Vec<_>>().join("; ")
}

impl ClusterError {
    /// Tells whether it is left open if a write was carried out.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Malformed { .. } => true,
            Self::Unreachable { failure, .. } => *failure == ConnectionFailure::Broken,
            Self::Server { failure, .. } => *failure == ServerFailure::Lost,
            _ => false,
        }
    }

    /// Tells whether the server looked at the object and decided; else it did not get that far.
    pub(super) fn is_answer(&self) -> bool {
        !matches!(
            self,
            Self::Credentials { .. }
                | Self::Unreachable { .. }
                | Self::Certificate { .. }
                | Self::Unauthorized { .. }
                | Self::Throttled { .. }
                | Self::Server { .. }
                | Self::Timeout { .. }
        )
    }

    /// Returns the next step, a sentence without a full stop that names a command where one helps.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Kubeconfig { .. } => {
                "set `KUBECONFIG` to the file that names your cluster; `kubectl config view` shows what is found now".to_owned()
            }
            Self::UnknownContext { known, .. } if known.is_empty() => {
                "it has no contexts at all; `kubectl config get-contexts` lists them".to_owned()
            }
            Self::UnknownContext { known, .. } => format!("it has: {}", known.join(", ")),
            Self::Credentials { endpoint, .. } => {
                format!("log in again, then try `{} auth whoami`", endpoint.kubectl())
            }
            Self::Unreachable { endpoint, failure, .. } => match failure {
                ConnectionFailure::Name => {
                    format!("check the host name of {} in {}", endpoint.server, place(endpoint))
                }
                _ => format!("is the cluster running? try `{} cluster-info`", endpoint.kubectl()),
            },
            Self::Certificate { endpoint, .. } => format!(
                "check `certificate-authority`, `client-certificate` and the server's host name in {}",
                place(endpoint)
            ),
            Self::Unauthorized { endpoint, .. } => {
                format!("the token or certificate may have expired; log in again, then try `{} auth whoami`", endpoint.kubectl())
            }
            Self::Forbidden { what, .. } => format!("ask for this right, and check it with `{}`", what.can_i()),
            Self::NamespaceMissing { namespace, .. } => {
                format!("declare namespace `{namespace}` in the stack, or make it first")
            }
            Self::UnknownKind { .. } => {
                "add its definition to the stack, or install it first; `kubectl api-resources` lists the kinds there are"
                    .to_owned()
            }
            Self::GroupUnavailable { .. } => {
                "`kubectl get apiservices` says what is wrong with it; try again once it is available".to_owned()
            }
            Self::Moved { .. } | Self::Recreated { .. } | Self::Gone { .. } => {
                "somebody else is at work on it; plan again".to_owned()
            }
            Self::Timeout { .. } | Self::Throttled { .. } => {
                "try again later, or with a smaller `--parallelism`".to_owned()
            }
            _ => return None,
        };
        Some(hint)
    }
}

fn place(endpoint: &Endpoint) -> String {
    match &endpoint.context {
        Some(context) => format!("context `{context}` of the kubeconfig"),
        None => "the service account's files".to_owned(),
    }
}
