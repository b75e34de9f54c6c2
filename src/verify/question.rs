//! From a check to what must be asked.

use crate::resource::{Manifest, ObjectRef};
use crate::service::{Check, CheckKind};

use super::access::{self, AccessReview};
use super::exec::{self, Command, SecretKey};
use super::{CheckOutcome, MarkedVolume};

/// What must be asked of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Read these objects.
    Read(Vec<ObjectRef>),
    /// List the EndpointSlices of a Service.
    Endpoints {
        /// Namespace.
        namespace: String,
        /// Label selector of the list.
        selector: String,
    },
    /// Run a command in the first ready pod of a workload.
    Exec(Command),
    /// Make these SubjectAccessReviews, and read these roles.
    Access {
        /// The user to ask about.
        user: String,
        /// The groups the user is in.
        groups: Vec<String>,
        /// The reviews.
        reviews: Vec<AccessReview>,
        /// The roles to read.
        roles: Vec<ObjectRef>,
    },
    /// Write a marker in the first ready pod, delete that pod, wait until the workload is ready again, read the marker.
    Restart {
        /// The workload.
        workload: ObjectRef,
        /// Where the marker goes; its `script` has the commands.
        volume: MarkedVolume,
    },
}

/// Returns what must be asked for a check. `declared` is the manifest, in this stack, of the object that
/// [`subject`] names; checks that compare with nothing declared ignore it.
///
/// # Errors
/// Returns the outcome of a check that need not or cannot be asked.
pub fn question(check: &Check, declared: Option<&Manifest>) -> Result<Question, CheckOutcome> {
    Ok(match &check.kind {
        CheckKind::Ready(object) | CheckKind::ClaimBound(object) | CheckKind::Resources(object) => {
            Question::Read(vec![object.clone()])
        }
        CheckKind::Sql { workload, container, user, database, query, password, .. } => Question::Exec(Command {
            workload: workload.clone(),
            container: container.clone(),
            words: exec::psql(user, database, query, password.is_some()),
            stdin: password.as_ref().map(secret_key),
        }),
        CheckKind::RefusesPassword { workload, container, user, database } => Question::Exec(Command {
            workload: workload.clone(),
            container: container.clone(),
            words: exec::psql_with_wrong_password(user, database),
            stdin: None,
        }),
        CheckKind::Limits { workload, container } => Question::Exec(Command {
            workload: workload.clone(),
            container: Some(container.clone()),
            words: exec::limits(),
            stdin: None,
        }),
        CheckKind::Redis { workload, command, password, .. } => Question::Exec(Command {
            workload: workload.clone(),
            container: None,
            words: exec::redis(command, password.is_some()),
            stdin: password.as_ref().map(secret_key),
        }),
        CheckKind::Resolves { workload, host } => Question::Exec(Command {
            workload: workload.clone(),
            container: None,
            words: exec::resolve(host),
            stdin: None,
        }),
        CheckKind::Endpoints(service) => Question::Endpoints {
            namespace: service.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            selector: format!("kubernetes.io/service-name={}", service.name),
        },
        CheckKind::Access { account, allowed } => Question::Access {
            user: access::user(account),
            groups: access::groups(account),
            reviews: access::reviews(check, account, allowed),
            roles: access::roles(check),
        },
        CheckKind::SurvivesRestart(workload) => {
            let Some(declared) = declared else {
                return Err(CheckOutcome::Skipped(format!(
                    "{} {} is not declared in this stack",
                    workload.kind, workload.name
                )));
            };
            let volume = MarkedVolume::of(declared).ok_or_else(|| {
                CheckOutcome::Failed(format!(
                    "{} {} mounts no claim, so nothing survives",
                    workload.kind, workload.name
                ))
            })?;
            Question::Restart { workload: workload.clone(), volume }
        }
    })
}

/// Returns the object whose declared manifest [`question`] and [`judge`](super::judge()) want to see, if any.
#[must_use]
pub fn subject(check: &Check) -> Option<&ObjectRef> {
    match &check.kind {
        CheckKind::Resources(object)
        | CheckKind::SurvivesRestart(object)
        | CheckKind::Limits { workload: object, .. } => Some(object),
        _ => None,
    }
}

fn secret_key((secret, key): &(ObjectRef, String)) -> SecretKey {
    SecretKey { secret: secret.clone(), key: key.clone() }
}
