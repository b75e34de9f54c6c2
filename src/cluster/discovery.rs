//! Kinds beyond the built-in ones, as the server lists them in one document ("aggregated discovery"), kept on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::builtin;
use super::cache::keep;
use super::error::ClusterError;
use super::kind::ResourceKind;
use super::subject::Subject;
use super::transport::{Call, RetryObserver, Transport, parse};
use crate::resource::{Digest, GroupKind};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

/// Kinds that a server serves: the built-in table, then what was learnt from the server, then the server.
pub(super) struct Kinds {
    file: Option<PathBuf>,
    server: String,
    learnt: Mutex<Learnt>,
    /// Held while the server is asked, so that many who look for the same ask once.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Learnt {
    /// By group and kind, the server's preferred version first.
    kinds: BTreeMap<GroupKind, Vec<Arc<ResourceKind>>>,
    /// Groups whose own server did not answer the API server: what is missing there may exist all the same.
    unavailable: BTreeSet<String>,
    /// True once the file was read.
    read: bool,
    /// True while nothing has happened that could add a kind since the server was asked.
    current: bool,
    /// Whether a definition was written here: the server lists a kind a little later than it says that it is established.
    defined: bool,
}

/// What is known of a kind.
type Known = Result<Option<Arc<ResourceKind>>, ClusterError>;

/// What is kept on disk.
#[derive(Serialize, Deserialize)]
struct CacheFile {
    server: String,
    kinds: Vec<ResourceKind>,
}

impl Kinds {
    /// Makes an index for one server; what is learnt is kept in a file below `cache`.
    pub(super) fn new(server: &str, cache: Option<PathBuf>) -> Self {
        let name = format!("kinds-{}.json", Digest::of_bytes(server.as_bytes()).short());
        Self {
            file: cache.map(|cache| cache.join(name)),
            server: server.to_owned(),
            learnt: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// Returns a kind, or `None` if the server does not know it.
    ///
    /// # Errors
    /// [`ClusterError::GroupUnavailable`] where the server cannot tell, and what asking it ends with.
    pub(super) async fn resolve(
        &self,
        transport: &Transport,
        observer: Option<&RetryObserver>,
        group: &str,
        version: Option<&str>,
        kind: &str,
    ) -> Known {
        if let Some(kind) = builtin::find(group, version, kind) {
            return Ok(Some(Arc::new(kind)));
        }
        if let Some(answer) = self.known(group, version, kind) {
            return answer;
        }
        let _asking = self.asking.lock().await;
        if let Some(answer) = self.known(group, version, kind) {
            return answer;
        }
        let document = ask(transport, observer).await?;
        let unavailable = unavailable_groups(&document);
        let kinds = kinds_of(document);
        self.store(&kinds);
        self.learn(kinds, unavailable, true);
        self.known(group, version, kind).unwrap_or(Ok(None))
    }

    /// What is unknown now must be asked for again.
    pub(super) fn invalidate(&self) {
        self.learnt().current = false;
    }

    /// A definition was applied.
    pub(super) fn defined(&self) {
        let mut learnt = self.learnt();
        (learnt.current, learnt.defined) = (false, true);
    }

    /// Tells whether a kind that is unknown may be about to come.
    pub(super) fn may_come(&self) -> bool {
        self.learnt().defined
    }

    /// Forgets what only the file of an earlier run says: a version in it may be gone by now.
    pub(super) fn distrust(&self) {
        let mut learnt = self.learnt();
        if !learnt.current {
            learnt.read = true;
            learnt.kinds.clear();
        }
    }

    /// `Some(Ok(None))` if the server was asked already and does not have it.
    fn known(&self, group: &str, version: Option<&str>, kind: &str) -> Option<Known> {
        if !self.learnt().read {
            let from_file = self.load();
            self.learn(from_file, BTreeSet::new(), false);
        }
        let learnt = self.learnt();
        let found = learnt
            .kinds
            .get(&GroupKind::new(group, kind))
            .and_then(|versions| versions.iter().find(|found| version.is_none_or(|version| version == found.version)));
        match found {
            Some(found) => Some(Ok(Some(Arc::clone(found)))),
            None if learnt.current && learnt.unavailable.contains(group) => {
                Some(Err(ClusterError::GroupUnavailable { group: group.to_owned(), kind: kind.to_owned() }))
            }
            None => learnt.current.then_some(Ok(None)),
        }
    }

    fn learn(&self, kinds: Vec<ResourceKind>, unavailable: BTreeSet<String>, current: bool) {
        let mut learnt = self.learnt();
        learnt.unavailable = unavailable;
        learnt.read = true;
        learnt.current = current;
        learnt.kinds.clear();
        for kind in kinds {
            learnt.kinds.entry(kind.group_kind()).or_default().push(Arc::new(kind));
        }
    }

    fn learnt(&self) -> std::sync::MutexGuard<'_, Learnt> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An unreadable cache is an empty one: the server is asked then.
    fn load(&self) -> Vec<ResourceKind> {
        let Some(bytes) = self.file.as_ref().and_then(|file| std::fs::read(file).ok()) else { return Vec::new() };
        match serde_json::from_slice::<CacheFile>(&bytes) {
            Ok(cache) if cache.server == self.server => cache.kinds,
            _ => Vec::new(),
        }
    }

    fn store(&self, kinds: &[ResourceKind]) {
        let Some(file) = &self.file else { return };
        let cache = CacheFile { server: self.server.clone(), kinds: kinds.to_vec() };
        let Ok(bytes) = serde_json::to_vec(&cache) else { return };
        keep(file, &bytes);
    }
}

async fn ask(transport: &Transport, observer: Option<&RetryObserver>) -> Result<GroupList, ClusterError> {
    let what = Arc::new(Subject {
        verb: "get",
        resource: "the list of API groups".to_owned(),
        kind: None,
        namespace: None,
        object: None,
        endpoint: Arc::clone(&transport.endpoint),
    });
    let mut call = Call::get("/apis".to_owned(), Arc::clone(&what));
    call.accept = AGGREGATED;
    parse(&transport.exchange(&call, observer).await?, &what)
}

#[derive(Deserialize)]
struct GroupList {
    #[serde(default)]
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    metadata: Name,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Name {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    /// `Current` or `Stale`.
    #[serde(default)]
    freshness: String,
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    resource: String,
    response_kind: Option<ResponseKind>,
    scope: String,
}

/// Group and version stand here only where they differ from those above.
#[derive(Deserialize)]
struct ResponseKind {
    #[serde(default)]
    kind: String,
}

/// Returns the groups of which the API server has no fresh list.
fn unavailable_groups(document: &GroupList) -> BTreeSet<String> {
    let is_stale = |group: &&Group| group.versions.iter().any(|version| version.freshness == "Stale");
    document.items.iter().filter(is_stale).map(|group| group.metadata.name.clone()).collect()
}

/// Keeps what the built-in table does not know.
fn kinds_of(document: GroupList) -> Vec<ResourceKind> {
    let mut kinds = Vec::new();
    for group in document.items {
        for version in group.versions {
            for resource in version.resources {
                let Some(kind) = resource.response_kind.map(|kind| kind.kind).filter(|kind| !kind.is_empty()) else {
                    continue;
                };
                if builtin::find(&group.metadata.name, Some(&version.version), &kind).is_some() {
                    continue;
                }
                kinds.push(ResourceKind {
                    group: group.metadata.name.clone(),
                    version: version.version.clone(),
                    kind,
                    plural: resource.resource,
                    namespaced: resource.scope == "Namespaced",
                });
            }
        }
    }
    kinds
}
