//! What somebody may do, as the server's authorizer answers.

use std::sync::Arc;

use http::Method;
use serde::Serialize;
use serde_json::Value;

use super::Cluster;
use super::count::Sort;
use super::error::ClusterError;
use super::part::Allowed;
use super::subject::Subject;
use super::transport::{Call, JSON, parse};
use crate::resource::at;

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

/// A question as it is sent: a `SubjectAccessReview`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    api_version: &'static str,
    kind: &'static str,
    spec: Spec<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    groups: &'a [String],
    resource_attributes: Attributes<'a>,
    user: &'a str,
}

#[derive(Serialize)]
struct Attributes<'a> {
    group: &'a str,
    name: &'a str,
    namespace: &'a str,
    resource: &'a str,
    subresource: &'a str,
    verb: &'a str,
}

impl AccessQuestion {
    fn attributes(&self) -> Attributes<'_> {
        let (resource, subresource) = self.resource.split_once('/').unwrap_or((&self.resource, ""));
        Attributes {
            group: &self.group,
            name: self.name.as_deref().unwrap_or_default(),
            namespace: self.namespace.as_deref().unwrap_or_default(),
            resource,
            subresource,
            verb: &self.verb,
        }
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
        let review = Review {
            api_version: "authorization.k8s.io/v1",
            kind: "SubjectAccessReview",
            spec: Spec { groups, resource_attributes: question.attributes(), user },
        };
        // Texts can always be written.
        let review = serde_json::to_vec(&review).unwrap_or_default();
        let call = Call {
            method: Method::POST,
            path: "/apis/authorization.k8s.io/v1/subjectaccessreviews".to_owned(),
            accept: JSON,
            body: Some((JSON, review.into())),
            sort: Sort::Review,
            what: Arc::clone(&what),
        };
        let Allowed(answer) = parse(&self.exchange(&call).await?, &what)?;
        at(&answer, "/status/allowed").and_then(Value::as_bool).ok_or_else(|| ClusterError::Malformed {
            what: Arc::clone(&what),
            reason: "`status.allowed` is missing".to_owned(),
        })
    }
}
