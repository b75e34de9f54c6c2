//! The task behind one watch: list, watch, and what to do when either ends.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::lines::Lines;
use super::store::Store;
use crate::cluster::Cluster;
use crate::cluster::count::Sort;
use crate::cluster::error::ClusterError;
use crate::cluster::kind::{ApiKind, ResourceKind};
use crate::cluster::list::Selection;
use crate::cluster::part::Unmanaged;
use crate::cluster::status::{self, Status};
use crate::cluster::subject::Subject;
use crate::cluster::transport::{Call, parse};
use crate::resource::{ObjectRef, at};

/// How long the server keeps a watch open before it ends it in order; less than the five minutes after which many load
/// balancers cut idle connections.
const OPEN_FOR: Duration = Duration::from_secs(290);

/// A watch that is silent for longer than it should be open is dead.
const SILENCE: Duration = Duration::from_secs(310);

/// Waits between attempts that fail grow up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

pub(super) struct Run {
    pub(super) cluster: Cluster,
    pub(super) kind: ApiKind,
    pub(super) namespace: Option<String>,
    pub(super) selection: Selection,
    pub(super) poll: Duration,
    pub(super) store: Arc<Store>,
}

/// Why a watch ended.
enum End {
    /// In order, or by a lost connection: it goes on from this resource version.
    GoOn(String),
    /// The server no longer knows that resource version.
    Expired,
    /// We may not watch.
    Forbidden,
}

#[derive(Deserialize)]
struct WatchEvent {
    r#type: String,
    object: Unmanaged,
}

impl Run {
    /// Runs until it is aborted or something ends it for good.
    pub(super) async fn run(self) {
        if let Err(error) = self.follow().await {
            self.store.fail(&error);
        }
    }

    async fn follow(&self) -> Result<(), ClusterError> {
        let kind = loop {
            match self.cluster.known_kind(&self.kind.api_version(), &self.kind.kind).await {
                Ok(kind) => break kind,
                Err(error) => self.wait_after(error, 1).await?,
            }
        };
        let mut failures = 0;
        loop {
            let listed = match self.list(&kind).await {
                Ok(Some(resource_version)) => self.watch(&kind, resource_version, &mut failures).await,
                // Listing is forbidden, and with it watching.
                Ok(None) => Ok(End::Forbidden),
                Err(error) => Err(error),
            };
            match listed {
                Ok(End::Forbidden) => return self.poll(&kind).await,
                Ok(End::Expired | End::GoOn(_)) => {}
                Err(error) => {
                    failures += 1;
                    self.wait_after(error, failures).await?;
                }
            }
        }
    }

    /// Lists into the store. `None` where it is forbidden.
    async fn list(&self, kind: &Arc<ResourceKind>) -> Result<Option<String>, ClusterError> {
        match self.cluster.list::<Unmanaged>(kind, self.namespace.as_deref(), &self.selection).await {
            Ok(listed) => {
                self.store.replace(listed.items, &listed.resource_version);
                Ok(Some(listed.resource_version))
            }
            Err(ClusterError::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Watches on and on until that cannot go on from where it is.
    async fn watch(
        &self,
        kind: &Arc<ResourceKind>,
        mut resource_version: String,
        failures: &mut u32,
    ) -> Result<End, ClusterError> {
        loop {
            match self.watch_once(kind, &resource_version).await? {
                End::GoOn(newer) if newer == resource_version => {
                    // A server that ends every watch at once must not be asked in a circle.
                    *failures += 1;
                    self.pause(*failures).await;
                }
                End::GoOn(newer) => {
                    *failures = 0;
                    resource_version = newer;
                }
                end => return Ok(end),
            }
        }
    }

    async fn watch_once(&self, kind: &Arc<ResourceKind>, resource_version: &str) -> Result<End, ClusterError> {
        let transport = &self.cluster.shared.transport;
        let what = self.cluster.about("watch", kind, self.namespace.as_deref(), None);
        let path = format!(
            "{}?{}watch=true&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={resource_version}",
            kind.collection(self.namespace.as_deref()),
            self.selection.query(),
            OPEN_FOR.as_secs(),
        );
        let mut call = Call::get(path, Arc::clone(&what));
        call.sort = Sort::Watch;
        let mut lines = match transport.open(&call).await {
            Ok(response) => Lines::new(response.into_body()),
            Err(ClusterError::Forbidden { .. }) => return Ok(End::Forbidden),
            Err(ClusterError::Gone { .. }) => return Ok(End::Expired),
            Err(error) => return Err(error),
        };
        let mut newest = resource_version.to_owned();
        loop {
            // Whatever ends the connection, what was seen so far stands, and it goes on from there.
            let Ok(Ok(Some(line))) = tokio::time::timeout(SILENCE, lines.next()).await else {
                return Ok(End::GoOn(newest));
            };
            if line.is_empty() {
                continue;
            }
            let WatchEvent { r#type: sort, object: Unmanaged(object) } = parse(&line, &what)?;
            let version = at(&object, "/metadata/resourceVersion").and_then(Value::as_str).map(str::to_owned);
            match sort.as_str() {
                "ADDED" | "MODIFIED" => self.store.put(object),
                "DELETED" => self.store.remove(&object),
                "ERROR" => return self.error_event(object, &what),
                // A bookmark only moves the resource version.
                _ => {}
            }
            if let Some(version) = version {
                newest = version;
            }
        }
    }

    fn error_event(&self, object: Value, what: &Arc<Subject>) -> Result<End, ClusterError> {
        let status: Status = serde_json::from_value(object).unwrap_or_default();
        match status::error_of_status(status.code, &status, None, what) {
            ClusterError::Gone { .. } => Ok(End::Expired),
            error => Err(error),
        }
    }

    /// Asks again and again where watching is forbidden.
    async fn poll(&self, kind: &Arc<ResourceKind>) -> Result<(), ClusterError> {
        let mut failures = 0;
        loop {
            let asked = match self.list(kind).await {
                Ok(Some(_)) => Ok(()),
                Ok(None) => self.read_followed(kind).await,
                Err(error) => Err(error),
            };
            match asked {
                Ok(()) => {
                    failures = 0;
                    tokio::time::sleep(self.poll).await;
                }
                Err(error) => {
                    failures += 1;
                    self.wait_after(error, failures).await?;
                }
            }
        }
    }

    async fn read_followed(&self, kind: &Arc<ResourceKind>) -> Result<(), ClusterError> {
        for name in self.store.followed() {
            let object = ObjectRef::new(&self.kind.group, &self.kind.kind, self.namespace.as_deref(), &name);
            let live = self.cluster.get_of(kind, &object).await?;
            self.store.settle(&name, live);
        }
        Ok(())
    }

    /// Waits if the error may pass, and hands it back if it will not.
    async fn wait_after(&self, error: ClusterError, failures: u32) -> Result<(), ClusterError> {
        match error {
            ClusterError::Forbidden { .. }
            | ClusterError::Unauthorized { .. }
            | ClusterError::Credentials { .. }
            | ClusterError::Certificate { .. }
            | ClusterError::UnknownKind { .. } => Err(error),
            _ => {
                self.pause(failures).await;
                Ok(())
            }
        }
    }

    async fn pause(&self, failures: u32) {
        let transport = &self.cluster.shared.transport;
        let longest = transport.policy.first_wait.saturating_mul(1 << failures.min(10)).min(LONGEST_WAIT);
        // At least half of it, for there is no end to the attempts.
        tokio::time::sleep(longest / 2 + transport.jitter.up_to(longest / 2)).await;
    }
}
