//! Single objects, and which cluster this is.

use std::sync::Arc;

use super::Cluster;
use super::error::ClusterError;
use super::kind::ResourceKind;
use super::transport::{Call, parse};
use crate::live::{ClusterIdentity, Live};
use crate::resource::ObjectRef;

impl Cluster {
    /// Returns which cluster this is: the uid of namespace `kube-system`. The server is asked once.
    ///
    /// # Errors
    /// [`ClusterError::Forbidden`] where the right to `get` that namespace is missing: without it, state cannot be bound
    /// to a cluster. Else see [`ClusterError`].
    pub async fn identity(&self) -> Result<ClusterIdentity, ClusterError> {
        let identity = self.shared.identity.get_or_try_init(|| async {
            let object = ObjectRef::new("", "Namespace", None, "kube-system");
            match self.get(&object, "v1").await? {
                Some(namespace) if !namespace.uid().is_empty() => Ok(ClusterIdentity(namespace.uid().to_owned())),
                _ => {
                    let kind = self.known_kind("v1", "Namespace").await?;
                    Err(ClusterError::NotFound { what: self.about("get", &kind, None, Some(&object)) })
                }
            }
        });
        identity.await.cloned()
    }

    /// Reads one object.
    ///
    /// # Errors
    /// See [`ClusterError`]; a missing object is no error, an unknown kind is.
    pub async fn get(&self, object: &ObjectRef, api_version: &str) -> Result<Option<Live>, ClusterError> {
        let kind = self.known_kind(api_version, &object.kind).await?;
        self.get_of(&kind, object).await
    }

    pub(super) async fn get_of(
        &self,
        kind: &Arc<ResourceKind>,
        object: &ObjectRef,
    ) -> Result<Option<Live>, ClusterError> {
        let what = self.about("get", kind, object.namespace.as_deref(), Some(object));
        let call = Call::get(kind.path(object.namespace.as_deref(), &object.name), Arc::clone(&what));
        match self.exchange(&call).await {
            Ok(body) => Ok(Some(Live { object: parse(&body, &what)? })),
            Err(ClusterError::NotFound { .. } | ClusterError::NamespaceMissing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
