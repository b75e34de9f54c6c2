//! Asking the cluster what a check wants to know. What the answer means is judged elsewhere.

mod pod;
mod restart;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use self::pod::ReadyPod;
use super::FindSecret;
use crate::cluster::{AccessQuestion, Cluster, ClusterError, Permitted};
use crate::resource::{Manifest, ObjectRef};
use crate::verify::{self, Answer, Check, CheckOutcome, Command, Question};

/// What checks look up beside the cluster.
pub struct AskContext<'a> {
    /// The API versions and manifests of the stack's objects.
    pub declared: &'a BTreeMap<ObjectRef, Manifest>,
    /// Values of Secrets.
    pub find_secret: &'a FindSecret,
    /// How long one command may take.
    pub timeout: Duration,
    /// Whether services may be disturbed.
    pub disruptive: bool,
}

impl AskContext<'_> {
    fn version_of(&self, workload: &ObjectRef) -> &str {
        self.declared.get(workload).map_or("apps/v1", Manifest::api_version)
    }
}

/// Asks and judges one check.
pub async fn ask(cluster: &Cluster, check: &Check, context: &AskContext<'_>) -> CheckOutcome {
    if check.disruptive && !context.disruptive {
        return CheckOutcome::Skipped("it disturbs the service; `mathison verify --disruptive` asks it".to_owned());
    }
    let declared = verify::subject(check).and_then(|object| context.declared.get(object));
    let question = match verify::question(check, declared) {
        Ok(question) => question,
        Err(outcome) => return outcome,
    };
    let answer = match answer(cluster, &question, context).await {
        Ok(answer) => answer,
        Err(error) => unanswered(&error),
    };
    verify::judge(check, declared, &answer)
}

fn unanswered(error: &ClusterError) -> Answer {
    match error {
        ClusterError::Forbidden { .. } => Answer::Forbidden(error.to_string()),
        error => Answer::Error(error.to_string()),
    }
}

async fn answer(cluster: &Cluster, question: &Question, context: &AskContext<'_>) -> Result<Answer, ClusterError> {
    match question {
        Question::Read(objects) => {
            let mut found = Vec::new();
            for object in objects {
                found.push(read(cluster, object, context).await?);
            }
            Ok(Answer::Objects(found))
        }
        Question::Endpoints { namespace, selector } => {
            match cluster.select("discovery.k8s.io/v1", "EndpointSlice", Some(namespace), selector).await? {
                Permitted::Yes(slices) => Ok(Answer::List(slices)),
                Permitted::No(why) => Ok(Answer::Forbidden(why)),
            }
        }
        Question::Exec(command) => execute(cluster, command, context).await,
        Question::Access { user, groups, reviews, roles } => {
            let mut allowed = Vec::new();
            for review in reviews {
                let question = AccessQuestion {
                    verb: review.verb.clone(),
                    group: review.group.clone(),
                    resource: match &review.subresource {
                        Some(subresource) => format!("{}/{subresource}", review.resource),
                        None => review.resource.clone(),
                    },
                    namespace: review.namespace.clone(),
                    name: None,
                };
                allowed.push(cluster.access_review(user, groups, &question).await?);
            }
            let mut found = Vec::new();
            for role in roles {
                found.extend(read(cluster, role, context).await?);
            }
            Ok(Answer::Access { allowed, roles: found })
        }
        Question::Restart { workload, volume } => restart::restart(cluster, workload, volume, context).await,
    }
}

async fn read(cluster: &Cluster, object: &ObjectRef, context: &AskContext<'_>) -> Result<Option<Value>, ClusterError> {
    let version = match context.declared.get(object) {
        Some(manifest) => manifest.api_version().to_owned(),
        None if object.group.is_empty() => "v1".to_owned(),
        None => format!("{}/v1", object.group),
    };
    cluster.look(object, &version).await
}

async fn execute(cluster: &Cluster, command: &Command, context: &AskContext<'_>) -> Result<Answer, ClusterError> {
    let stdin = match &command.stdin {
        None => None,
        Some(source) => match (context.find_secret)(&source.secret, &source.key) {
            Some(value) => {
                let mut line = value.expose().to_vec();
                line.push(b'\n');
                Some(Bytes::from(line))
            }
            None => return Ok(Answer::NoSecretKey),
        },
    };
    match ReadyPod::find(cluster, &command.workload, context).await? {
        Ok(pod) => pod.run(cluster, command.container.as_deref(), &command.words, stdin, context.timeout).await,
        Err(answer) => Ok(answer),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::fake::{Answer as Response, FakeServer};
    use crate::service::{AccessRule, CheckKind};

    #[tokio::test]
    async fn a_right_that_was_given_in_a_namespace_is_asked_about_there() {
        let server = FakeServer::new(|seen| {
            let allowed = seen.body["spec"]["resourceAttributes"]["namespace"] == "shop"
                && seen.body["spec"]["resourceAttributes"]["verb"] == "list";
            Response::Json(201, json!({"status": {"allowed": allowed}}))
        });
        let rule = AccessRule { group: String::new(), resource: "pods".to_owned(), verbs: vec!["list".to_owned()] };
        let check = Check {
            name: "it".to_owned(),
            kind: CheckKind::Access {
                account: ObjectRef::new("", "ServiceAccount", Some("shop"), "web"),
                allowed: vec![rule],
            },
            about: vec![ObjectRef::new("rbac.authorization.k8s.io", "RoleBinding", Some("shop"), "web")],
            disruptive: false,
        };
        let find_secret: FindSecret = std::sync::Arc::new(|_, _| None);
        let context = AskContext {
            declared: &BTreeMap::new(),
            find_secret: &find_secret,
            timeout: Duration::from_secs(1),
            disruptive: false,
        };
        assert_eq!(ask(&server.cluster(), &check, &context).await, CheckOutcome::Passed);
    }
}
