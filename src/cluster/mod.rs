//! The one module that talks to Kubernetes.
//!
//! [`Cluster`] sends raw requests through kube's client (which brings TLS, kubeconfigs and credentials) and parses each
//! answer once. It reads ([`Cluster::observe`], [`Cluster::get`]), writes ([`Cluster::apply`], [`Cluster::delete`]),
//! follows objects ([`Watches`]), and asks ([`Cluster::exec`], [`Cluster::access_review`]). What fails for a moment is
//! tried again here, and nowhere else.
//!
//! It decides nothing: what a difference means, whether an object is ready, and what is written when, is others' business.
//! No type of kube leaves it.

mod access;
mod builtin;
mod cache;
mod connect;
mod connection;
mod count;
mod discovery;
mod error;
mod exec;
mod explain;
mod kind;
mod limit;
mod list;
mod observe;
mod openapi;
mod part;
mod read;
mod retry;
mod status;
mod subject;
mod transport;
mod watch;
mod write;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;

pub use access::AccessQuestion;
pub use connect::ConnectOptions;
pub use count::RequestCounts;
pub use error::{Cause, ClusterError, ConnectionFailure, ServerFailure};
pub use exec::{ExecOutput, ExecRequest};
pub use explain::Permitted;
pub use kind::{ApiKind, ResourceKind};
pub use observe::ObserveRequest;
pub use openapi::ServedSchemas;
pub use retry::{RetryNotice, RetryPolicy};
pub use subject::{Endpoint, Subject};
pub use watch::{Follower, Seen, Watches};
pub use write::{ApplyOptions, DeleteOptions, Deleted, Propagation};

use crate::live::ClusterIdentity;
use crate::resource::ObjectRef;
use count::Counter;
use discovery::Kinds;
use limit::AdaptiveLimit;
use retry::Jitter;
use transport::{Call, RetryObserver, Transport};

/// The most reads at once: what the connections of one client do without the server queueing them.
const READS_AT_ONCE: usize = 16;

/// A kind whose definition was written here is looked for so often, so far apart: an API server lists it once its own
/// watch has told it, which may be after it calls the definition established.
const DEFINITION_TRIES: usize = 50;
const DEFINITION_LAG: Duration = Duration::from_millis(200);

/// One cluster. Clones share connections, counts, limits and what was learnt.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
    observer: Option<RetryObserver>,
}

struct Shared {
    transport: Transport,
    kinds: Kinds,
    identity: tokio::sync::OnceCell<ClusterIdentity>,
    /// Where what servers say is kept between runs.
    cache: Option<PathBuf>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cluster({})", self.server())
    }
}

impl Cluster {
    /// Takes a client that is ready, so that tests and the sandbox can hand in a transport of their own. Of the options,
    /// those about files and credentials are not used.
    #[must_use]
    pub fn from_client(client: kube::Client, endpoint: Endpoint, options: &ConnectOptions) -> Self {
        let kinds = Kinds::new(&endpoint.server, options.cache.clone());
        let transport = Transport {
            client,
            endpoint: Arc::new(endpoint),
            counter: Counter::default(),
            reads: AdaptiveLimit::new(READS_AT_ONCE),
            writes: AdaptiveLimit::new(options.parallelism),
            policy: options.retry,
            jitter: Jitter::new(options.seed),
            timeout: options.timeout,
            reached: AtomicBool::new(false),
        };
        let cache = options.cache.clone();
        let shared = Shared { transport, kinds, identity: tokio::sync::OnceCell::new(), cache };
        Self { shared: Arc::new(shared), observer: None }
    }

    /// Takes a server in this process, which is called without sockets.
    #[must_use]
    pub fn in_process<S, B>(server: S, endpoint: Endpoint, options: &ConnectOptions) -> Self
    where
        S: tower_service::Service<http::Request<kube::client::Body>, Response = http::Response<B>>
            + Clone
            + Send
            + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        B: http_body_util::BodyExt<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self::from_client(kube::Client::new(server, "default"), endpoint, options)
    }

    /// Returns a clone whose repeated requests are told to `observer`.
    #[must_use]
    pub fn observing_retries(&self, observer: impl Fn(&RetryNotice) + Send + Sync + 'static) -> Self {
        Self { shared: Arc::clone(&self.shared), observer: Some(Arc::new(observer)) }
    }

    /// Returns the name of the context, where the cluster was chosen by one.
    #[must_use]
    pub fn context_name(&self) -> Option<&str> {
        self.shared.transport.endpoint.context.as_deref()
    }

    /// Returns the URL of the API server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.shared.transport.endpoint.server
    }

    /// Returns how many requests were made so far.
    #[must_use]
    pub fn requests(&self) -> RequestCounts {
        self.shared.transport.counter.counts()
    }

    /// Returns a kind as the server serves it, or `None` if it does not. Built-in kinds are known without asking; without
    /// a version, the preferred one is taken.
    ///
    /// # Errors
    /// See [`ClusterError`].
    pub async fn kind(
        &self,
        group: &str,
        version: Option<&str>,
        kind: &str,
    ) -> Result<Option<Arc<ResourceKind>>, ClusterError> {
        self.shared.kinds.resolve(&self.shared.transport, self.observer.as_ref(), group, version, kind).await
    }

    /// Returns an API version at which an object can be read: the one given, or where the server no longer serves that, the
    /// one it prefers.
    ///
    /// # Errors
    /// See [`ClusterError`].
    pub async fn served_version(&self, object: &ObjectRef, api_version: &str) -> Result<String, ClusterError> {
        let asked = ApiKind::new(api_version, &object.kind);
        if builtin::find(&asked.group, Some(&asked.version), &asked.kind).is_none() {
            self.shared.kinds.distrust();
        }
        if self.kind(&asked.group, Some(&asked.version), &asked.kind).await?.is_some() {
            return Ok(api_version.to_owned());
        }
        let preferred = self.kind(&asked.group, None, &asked.kind).await?;
        Ok(preferred.map_or_else(|| api_version.to_owned(), |kind| kind.api_version()))
    }

    /// Has the server asked again for kinds that are unknown. Applying a definition does so by itself.
    pub fn forget_kinds(&self) {
        self.shared.kinds.invalidate();
    }

    async fn known_kind(&self, api_version: &str, kind: &str) -> Result<Arc<ResourceKind>, ClusterError> {
        let asked = ApiKind::new(api_version, kind);
        let mut left = DEFINITION_TRIES;
        loop {
            if let Some(found) = self.kind(&asked.group, Some(&asked.version), kind).await? {
                return Ok(found);
            }
            left -= 1;
            if left == 0 || !self.shared.kinds.may_come() {
                return Err(ClusterError::UnknownKind { api_version: api_version.to_owned(), kind: kind.to_owned() });
            }
            tokio::time::sleep(DEFINITION_LAG).await;
            self.forget_kinds();
        }
    }

    fn about(
        &self,
        verb: &'static str,
        kind: &Arc<ResourceKind>,
        namespace: Option<&str>,
        object: Option<&ObjectRef>,
    ) -> Arc<Subject> {
        Arc::new(Subject {
            verb,
            resource: kind.resource(),
            kind: Some(Arc::clone(kind)),
            namespace: namespace.map(str::to_owned),
            object: object.cloned(),
            endpoint: Arc::clone(&self.shared.transport.endpoint),
        })
    }

    async fn exchange(&self, call: &Call) -> Result<Bytes, ClusterError> {
        self.shared.transport.exchange(call, self.observer.as_ref()).await
    }
}
