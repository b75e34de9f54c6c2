//! What somebody, or we ourselves, may do, as the server's authorizer answers.

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

/// Returns user name and groups of a ServiceAccount, as the authorizer knows it.
#[must_use]
pub fn service_account_user(namespace: &str, name: &str) -> (String, Vec<String>) {
    let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{namespace}"), "system:authenticated"];
    (format!("system:serviceaccount:{namespace}:{name}"), groups.map(str::to_owned).to_vec())
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
        let spec = json!({"user": user, "groups": groups, "resourceAttributes": question.attributes()});
        self.review("SubjectAccessReview", "subjectaccessreviews", spec).await
    }

    /// Asks whether we may do something.
    ///
    /// # Errors
    /// See [`ClusterError`].
    pub async fn own_access(&self, question: &AccessQuestion) -> Result<bool, ClusterError> {
        let spec = json!({"resourceAttributes": question.attributes()});
        self.review("SelfSubjectAccessReview", "selfsubjectaccessreviews", spec).await
    }

    async fn review(&self, kind: &str, plural: &str, spec: Value) -> Result<bool, ClusterError> {
        let what = Arc::new(Subject {
            verb: "create",
            resource: format!("{plural}.authorization.k8s.io"),
            kind: None,
            namespace: None,
            object: None,
            endpoint: Arc::clone(&self.shared.transport.endpoint),
        });
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec});
        let call = Call {
            method: Method::POST,
            path: format!("/apis/authorization.k8s.io/v1/{plural}"),
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
