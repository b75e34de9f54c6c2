//! Single objects, and which cluster this is.

use std::sync::Arc;

use super::Cluster;
use super::error::ClusterError;
use super::kind::ResourceKind;
use super::part::{Host, Unmanaged};
use super::transport::{Call, parse};
use crate::live::{ClusterIdentity, Live};
use crate::resource::ObjectRef;
use serde::de::DeserializeOwned;
use serde_json::Value;

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

    /// Reads one object without its managed fields.
    ///
    /// # Errors
    /// As for [`Cluster::get`].
    pub async fn look(&self, object: &ObjectRef, api_version: &str) -> Result<Option<Value>, ClusterError> {
        let kind = self.known_kind(api_version, &object.kind).await?;
        Ok(self.get_as::<Unmanaged>(&kind, object).await?.map(Value::from))
    }

    /// Reads of a pod, or of what has pods, how it is and what it is called, and which are its pods; see
    /// [`Cluster::pods_of`].
    ///
    /// # Errors
    /// As for [`Cluster::get`].
    pub async fn host(&self, object: &ObjectRef, api_version: &str) -> Result<Option<Value>, ClusterError> {
        let kind = self.known_kind(api_version, &object.kind).await?;
        Ok(self.get_as::<Host>(&kind, object).await?.map(Value::from))
    }

    pub(super) async fn get_of(
        &self,
        kind: &Arc<ResourceKind>,
        object: &ObjectRef,
    ) -> Result<Option<Live>, ClusterError> {
        Ok(self.get_as(kind, object).await?.map(|object| Live { object }))
    }

    async fn get_as<T: DeserializeOwned>(
        &self,
        kind: &Arc<ResourceKind>,
        object: &ObjectRef,
    ) -> Result<Option<T>, ClusterError> {
        let what = self.about("get", kind, object.namespace.as_deref(), Some(object));
        let call = Call::get(kind.path(object.namespace.as_deref(), &object.name), Arc::clone(&what));
        match self.exchange(&call).await {
            Ok(body) => parse(&body, &what).map(Some),
            Err(ClusterError::NotFound { .. } | ClusterError::NamespaceMissing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
