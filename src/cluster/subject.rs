//! What a request was about, in the words an error message needs: `list configmaps in shop`, `apply ConfigMap shop/motd`.

use std::fmt;

use crate::resource::ObjectRef;

/// The server that is spoken to, and the name under which the operator chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Context of the kubeconfig; `None` inside a cluster and for a transport handed in.
    pub context: Option<String>,
    /// URL of the API server.
    pub server: String,
}

impl Endpoint {
    /// Returns `kubectl --context X`, or `kubectl` where there is no context to name.
    #[must_use]
    pub fn kubectl(&self) -> String {
        match &self.context {
            Some(context) => format!("kubectl --context {context}"),
            None => "kubectl".to_owned(),
        }
    }
}

/// What one request asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Verb as RBAC has it (`get`, `list`, `patch`), save `apply`.
    pub verb: &'static str,
    /// Resource as RBAC has it: plural, and the group where there is one (`deployments.apps`).
    pub resource: String,
    /// API version and kind, where it was about objects of a kind.
    pub kind: Option<std::sync::Arc<super::kind::ResourceKind>>,
    /// Namespace, where one was named.
    pub namespace: Option<String>,
    /// The object, where one was named.
    pub object: Option<ObjectRef>,
    /// Where it was asked.
    pub endpoint: std::sync::Arc<Endpoint>,
}

impl Subject {
    /// Tells whether an answer about it may quote the values of a Secret.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        match &self.object {
            Some(object) => object.kind == "Secret" && object.group.is_empty(),
            None => self.resource == "secrets",
        }
    }

    /// Returns the command that asks the server for this right.
    #[must_use]
    pub fn can_i(&self) -> String {
        let verb = if self.verb == "apply" { "patch" } else { self.verb };
        let namespace = self.namespace.as_deref().map(|name| format!(" --namespace {name}")).unwrap_or_default();
        format!("{} auth can-i {verb} {}{namespace}", self.endpoint.kubectl(), self.resource)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.object, &self.namespace) {
            // RBAC says `create` of `pods/exec`, which reads as if a pod were made.
            (Some(object), _) if self.resource == "pods/exec" => write!(f, "run a command in {object}"),
            (Some(object), _) => write!(f, "{} {object}", self.verb),
            (None, Some(namespace)) => write!(f, "{} {} in {namespace}", self.verb, self.resource),
            (None, None) => write!(f, "{} {}", self.verb, self.resource),
        }
    }
}
