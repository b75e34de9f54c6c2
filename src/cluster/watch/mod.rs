//! Following objects: one watch for each kind and namespace, shared by all who wait there.
//!
//! A watch begins with a list of the stack's objects and goes on from its resource version. When the server forgot that
//! point in time, it lists again; where watching is forbidden, it lists every two seconds; where listing is forbidden
//! too, it reads the followed objects one by one.

mod lines;
mod run;
mod store;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::Cluster;
use super::error::ClusterError;
use super::kind::ApiKind;
use super::list::Selection;
use crate::live::Live;
use crate::resource::ObjectRef;
use run::Run;
use store::{State, Store};

/// How often is asked where watching is forbidden.
const POLL: Duration = Duration::from_secs(2);

/// What is seen of one object.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// It exists, and this is its newest state.
    Live(Live),
    /// It does not exist.
    Gone,
}

/// All watches of one run. They end when this and all its followers are dropped.
#[derive(Clone)]
pub struct Watches {
    hub: Arc<Hub>,
}

struct Hub {
    cluster: Cluster,
    selection: Selection,
    poll: Duration,
    stores: Mutex<BTreeMap<(ApiKind, Option<String>), Running>>,
}

struct Running {
    store: Arc<Store>,
    task: AbortHandle,
}

impl Drop for Hub {
    fn drop(&mut self) {
        let stores = self.stores.get_mut().unwrap_or_else(PoisonError::into_inner);
        for running in stores.values() {
            running.task.abort();
        }
    }
}

/// One object's newest state, whenever it changes.
pub struct Follower {
    receiver: tokio::sync::watch::Receiver<State>,
    /// Keeps the watch alive.
    _hub: Arc<Hub>,
}

impl Watches {
    /// Makes an empty hub for the objects that carry a label. Nothing is asked before somebody follows.
    #[must_use]
    pub fn new(cluster: Cluster, label: &(String, String)) -> Self {
        Self::polling_every(cluster, label, POLL)
    }

    pub(super) fn polling_every(cluster: Cluster, label: &(String, String), poll: Duration) -> Self {
        let selection = Selection::labelled(label);
        Self { hub: Arc::new(Hub { cluster, selection, poll, stores: Mutex::default() }) }
    }

    /// Follows one object; it must carry the label, unless it is only read one by one. Must be called within a runtime.
    ///
    /// `written` is the answer to the write whose effect is waited for: nothing older than it is shown, so that a watch
    /// that lags behind cannot make a new object look missing or an updated one look ready.
    #[must_use]
    pub fn follow(&self, object: &ObjectRef, api_version: &str, written: Option<&Live>) -> Follower {
        let place = (ApiKind::new(api_version, &object.kind), object.namespace.clone());
        let mut stores = self.hub.stores.lock().unwrap_or_else(PoisonError::into_inner);
        // A watch that gave up is begun anew: what stopped it may be over.
        stores.retain(|_, running| !running.store.has_failed());
        let running = stores.entry(place).or_insert_with_key(|(kind, namespace)| {
            let store = Arc::new(Store::default());
            let run = Run {
                cluster: self.hub.cluster.clone(),
                kind: kind.clone(),
                namespace: namespace.clone(),
                selection: self.hub.selection.clone(),
                poll: self.hub.poll,
                store: Arc::clone(&store),
            };
            Running { store, task: tokio::spawn(run.run()).abort_handle() }
        });
        let receiver = running.store.subscribe(&object.name, written);
        Follower { receiver, _hub: Arc::clone(&self.hub) }
    }
}

impl Follower {
    /// Returns the current state the first time, and then the newest one as soon as there is another. States in between
    /// may be left out.
    ///
    /// # Errors
    /// What ended the watch for good: missing rights, credentials, or the kind itself. What passes is waited for.
    pub async fn next(&mut self) -> Result<Seen, ClusterError> {
        loop {
            if self.receiver.changed().await.is_err() {
                // The hub keeps the sender as long as we keep the hub.
                std::future::pending::<()>().await;
            }
            let state = self.receiver.borrow_and_update().clone();
            match state {
                State::Unknown => {}
                State::Live(object) => return Ok(Seen::Live(Live { object: (*object).clone() })),
                State::Gone => return Ok(Seen::Gone),
                State::Failed(error) => return Err(error),
            }
        }
    }
}
