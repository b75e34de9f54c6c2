//! What somebody may do, as the server's authorizer answers.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::Cluster;
use super::count::Sort;
use super::error::ClusterError;
use super::subject::Subject;
use super::transport::{Call, JSON, parse};

/// One question to the authorizer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessQuestion {
    /// Verb.
    pub verb: String,
    /// API group, empty for the core group.
    pub group: String,
    /// Resource; a subresource stands behind a slash, as in RBAC.
    pub resource: String,
    /// Namespace; `None` asks for all of them.
    pub namespace: Option<String>,
    /// Object; `None` asks for all of them.
    pub name: Option<String>,
}

impl AccessQuestion {
    fn attributes(&self) -> Value {
        let (resource, subresource) = self.resource.split_once('/').unwrap_or((&self.resource, ""));
        json!({
            "verb": self.verb,
            "group": self.group,
            "resource": resource,
            "subresource": subresource,
            "namespace": self.namespace.as_deref().unwrap_or_default(),
            "name": self.name.as_deref().unwrap_or_default(),
        })
    }
}

impl Cluster {
    /// Asks whether a user may do something.
    ///
    /// # Errors
    /// [`ClusterError::Forbidden`] where we may not ask; else see [`ClusterError`].
    pub async fn access_review(
        &self,
        user: &str,
        groups: &[String],
        question: &AccessQuestion,
    ) -> Result<bool, ClusterError> {
        let what = Arc::new(Subject {
            verb: "create",
            resource: "subjectaccessreviews.authorization.k8s.io".to_owned(),
            kind: None,
            namespace: None,
            object: None,
            endpoint: Arc::clone(&self.shared.transport.endpoint),
        });
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": groups, "resourceAttributes": question.attributes()},
        });
        let call = Call {
            method: Method::POST,
            path: "/apis/authorization.k8s.io/v1/subjectaccessreviews".to_owned(),
            accept: JSON,
            body: Some((JSON, review.to_string().into())),
            sort: Sort::Review,
            what: Arc::clone(&what),
        };
        let answer: Value = parse(&self.exchange(&call).await?, &what)?;
        answer.pointer("/status/allowed").and_then(Value::as_bool).ok_or_else(|| ClusterError::Malformed {
            what: Arc::clone(&what),
            reason: "`status.allowed` is missing".to_owned(),
        })
    }
}
