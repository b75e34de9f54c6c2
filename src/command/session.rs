//! What every command that speaks of a cluster begins with: a stack, a cluster, the state, and one observation of both.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use super::load::load;
use super::randomness::Randomness;
use super::talk::Streams;
use crate::cli::{ClusterRequest, ExtraManifests, StackRequest};
use crate::cluster::{ApiKind, Cluster, ClusterError, ConnectOptions, ObserveRequest};
use crate::failure::{ExitStatus, Failure};
use crate::live::Observation;
use crate::report::Header;
use crate::resource::{ObjectRef, STACK_LABEL, stack_label};
use crate::secret;
use crate::stack::Stack;
use crate::state::{Intent, Interrupted, Lineage, Loaded, LocalStore, State, StateError};

/// A stack, the cluster it belongs to, and what is recorded of it there.
pub(super) struct Session {
    pub(super) stack: Stack,
    pub(super) cluster: Cluster,
    pub(super) randomness: Randomness,
    /// True if the stack was given `--manifests`, be it `none`.
    extra_said: bool,
    pub(super) state: State,
    /// True if the state was saved before.
    pub(super) state_exists: bool,
    /// A run that did not come to its end.
    pub(super) interrupted: Option<Interrupted>,
    pub(super) header: Header,
    /// kubectl, with the flags that make it speak to the same server.
    pub(super) kubectl: String,
}

/// Opens a session: loads the stack, connects, and reads the state of this very cluster.
pub(super) async fn open(
    stack: &StackRequest,
    cluster: &ClusterRequest,
    intention: Intention,
    streams: &Streams,
) -> Result<Session, Failure> {
    Ok(open_with_store(stack, cluster, intention, streams).await?.0)
}

/// Opens a session, and hands out where its state is kept.
pub(super) async fn open_with_store(
    stack: &StackRequest,
    cluster: &ClusterRequest,
    intention: Intention,
    streams: &Streams,
) -> Result<(Session, LocalStore), Failure> {
    open_loaded(load(stack, streams)?, &stack.extra, cluster, intention).await
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intention {
    /// Only reading: in a sandbox, nothing moves meanwhile.
    Look,
    /// Writing, and waiting for what is written.
    Write,
}

/// Opens a session for a stack that is loaded already.
pub(super) async fn open_loaded(
    stack: Stack,
    extra: &ExtraManifests,
    cluster: &ClusterRequest,
    intention: Intention,
) -> Result<(Session, LocalStore), Failure> {
    let connected = connect(cluster, intention).await?;
    let identity = connected
        .identity()
        .await
        .map_err(|error| failed("failed to find out which cluster this is; nothing was written", &error))?;
    let store = LocalStore::open(&cluster.state, &stack.name, &stack.namespace, &identity.0)
        .map_err(|error| state_failure(&error))?;
    let loaded = store.load().map_err(|error| state_failure(&error))?;
    let header = Header {
        context: connected.context_name().unwrap_or("in-cluster").to_owned(),
        // Whoever serves it: nobody is to take its URL for a cluster's.
        server: cluster.sandbox.as_deref().map_or_else(|| connected.server().to_owned(), super::sandbox::described),
        namespace: stack.namespace.clone(),
        stack: stack.name.clone(),
        file: stack.file.clone(),
        state: store.path().display().to_string(),
    };
    let mut randomness = Randomness::System;
    let state = State::new(&stack.name, &stack.namespace, &identity.0, Lineage(randomness.name()));
    let kubectl = match (&cluster.sandbox, connected.context_name()) {
        (Some(folder), _) => super::sandbox::kubectl(folder),
        (None, Some(context)) => format!("kubectl --context {context}"),
        (None, None) => "kubectl".to_owned(),
    };
    let mut session = Session {
        stack,
        cluster: connected,
        randomness,
        extra_said: *extra != ExtraManifests::NotSaid,
        state,
        state_exists: false,
        interrupted: None,
        header,
        kubectl,
    };
    session.take(loaded)?;
    Ok((session, store))
}

async fn connect(request: &ClusterRequest, intention: Intention) -> Result<Cluster, Failure> {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::from(since.subsec_nanos()));
    // A list as in `PATH`, of which kubectl leaves empty entries out.
    let kubeconfig = request.kubeconfig.iter().flat_map(std::env::split_paths);
    let options = ConnectOptions {
        kubeconfig: kubeconfig.filter(|path| !path.as_os_str().is_empty()).collect(),
        home: request.home.clone(),
        service: request.service.clone(),
        context: request.context.clone(),
        parallelism: request.parallelism,
        cache: request.cache.clone(),
        seed,
        ..ConnectOptions::default()
    };
    if let Some(folder) = &request.sandbox {
        return super::sandbox::connect(folder, request, options, intention == Intention::Write).await;
    }
    Cluster::connect(options)
        .await
        .map_err(|error| failed("failed to connect to the cluster; nothing was written", &error))
}

impl Session {
    /// Makes one whose state is kept by whoever asks for it.
    pub(super) fn new(
        stack: Stack,
        cluster: Cluster,
        randomness: Randomness,
        state: State,
        state_exists: bool,
        header: Header,
    ) -> Self {
        let kubectl = "kubectl".to_owned();
        Self { stack, cluster, randomness, extra_said: true, state, state_exists, interrupted: None, header, kubectl }
    }

    /// Takes what was read of the state. Where nothing is recorded, be it any more, a new line of snapshots begins.
    pub(super) fn take(&mut self, loaded: Option<Loaded>) -> Result<(), Failure> {
        self.state_exists = loaded.is_some();
        (self.state, self.interrupted) = match loaded {
            Some(loaded) => (loaded.state, loaded.interrupted),
            None => {
                let lineage = Lineage(self.randomness.name());
                (State::new(&self.stack.name, &self.stack.namespace, &self.state.cluster, lineage), None)
            }
        };
        if self.state.with_extra_manifests && !self.extra_said {
            return Err(Failure::new(
                ExitStatus::Usage,
                "the last apply had manifests from outside (`--manifests`), and this command has none",
            )
            .hinted("give the same `--manifests` again, or `--manifests none` to let those objects go on purpose"));
        }
        Ok(())
    }

    /// Tells whether there are keyed digests in the state.
    pub(super) fn records_secrets(&self) -> bool {
        self.state.entries.keys().any(|object| object.is_secret())
    }

    /// Reads what the cluster has of everything desired and recorded.
    pub(super) async fn observe(&self) -> Result<Observation, Failure> {
        let observed = async { self.cluster.observe(&self.observe_request().await?).await };
        observed.await.map_err(|error| failed("failed to read the cluster; nothing was written", &error))
    }

    /// What a dead run was about to write, and nobody knows whether it did.
    pub(super) fn unfinished(&self) -> &[Intent] {
        self.interrupted.as_ref().filter(|run| !run.alive).map_or(&[][..], |run| run.unfinished.as_slice())
    }

    async fn observe_request(&self) -> Result<ObserveRequest, ClusterError> {
        let mut want: BTreeMap<ObjectRef, String> = BTreeMap::new();
        for desired in self.stack.resources.values() {
            want.insert(desired.manifest.object_ref().clone(), desired.manifest.api_version().to_owned());
        }
        let recorded = self.state.entries.iter().map(|(object, entry)| (object, &entry.api_version));
        let unfinished = self.unfinished().iter().map(|intent| (&intent.object, &intent.api_version));
        for (object, api_version) in recorded.chain(unfinished) {
            if !want.contains_key(object) {
                // An upgrade of the cluster may have taken the version away, but not the object.
                want.insert(object.clone(), self.cluster.served_version(object, api_version).await?);
            }
        }
        if want.keys().any(|object| object.is_secret()) {
            let name = secret::key_secret_name(&self.stack.name);
            want.insert(ObjectRef::new("", "Secret", Some(&self.stack.namespace), &name), "v1".to_owned());
        }
        let places: BTreeSet<(&str, &str, Option<&str>)> = want
            .iter()
            .map(|(object, api_version)| (api_version.as_str(), object.kind.as_str(), object.namespace.as_deref()))
            .collect();
        let list = places
            .into_iter()
            .map(|(api_version, kind, namespace)| (ApiKind::new(api_version, kind), namespace.map(str::to_owned)))
            .collect();
        let label = (STACK_LABEL.to_owned(), stack_label(&self.stack.name, &self.stack.namespace));
        Ok(ObserveRequest { label, list, want })
    }
}

/// What went wrong with the cluster, with its hint.
pub(super) fn failed(doing: &str, error: &ClusterError) -> Failure {
    Failure::because(ExitStatus::Error, doing, error).maybe_hinted(error.hint())
}

/// What went wrong with the state, with its hint and its exit code.
pub(super) fn state_failure(error: &StateError) -> Failure {
    let status = match error {
        StateError::Lock(_) => ExitStatus::Locked,
        _ => ExitStatus::Error,
    };
    Failure::because(status, "failed to use the state", error).maybe_hinted(error.hint())
}
