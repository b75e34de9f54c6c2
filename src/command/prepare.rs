//! From a session to a plan: observe, fill Secrets, build the graph, decide, ask the server where that makes it surer.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt as _;
use serde_json::Value;

use super::consulted::Consulted;
use super::fill::{Filled, KEY_LOST, fill};
use super::session::{Session, failed};
use super::settle::settle;
use crate::apply::Keyed;
use crate::cli::{Environment, PolicyRequest};
use crate::cluster::{ApplyOptions, Cluster, ClusterError};
use crate::failure::{ExitStatus, Failure};
use crate::live::{Observation, Prediction};
use crate::plan::{self, Action, Change, Inputs, Plan, Policy};
use crate::resource::{Manifest, ObjectRef};
use crate::secret::Fate;
use crate::stack::Grant;

/// Dry runs under way at once.
const DRY_RUNS: usize = 10;

/// What a plan is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be looked at: sources of secrets are not needed.
    Look,
    /// To be applied.
    Apply,
    /// To delete everything.
    Destroy,
}

/// A plan, and what it was made of.
pub(super) struct Prepared {
    pub(super) session: Session,
    /// What the plan was decided on.
    pub(super) observation: Observation,
    pub(super) keyed: Keyed,
    pub(super) plan: Plan,
}

/// Makes the plan.
pub(super) async fn prepare(
    mut session: Session,
    policy: &PolicyRequest,
    purpose: Purpose,
    environment: &Environment,
) -> Result<Prepared, Failure> {
    let observation = session.observe().await?;
    let Session { stack, cluster, randomness, .. } = &mut session;
    let filled = fill(stack, &observation, cluster, environment, randomness, purpose == Purpose::Apply).await?;
    let key = filled.key.clone();
    let keyed: Keyed = Arc::new(move |object: &Value| key.digest_object(object));
    let unfinished = session.unfinished().to_vec();
    let open = settle(&mut session.state, &unfinished, &observation, &*keyed);
    // An apply would end the dead run's journal, and with it all that is known of them.
    if purpose != Purpose::Look
        && let Some((address, why)) = open.first_key_value()
    {
        return Err(Failure::new(
            ExitStatus::Error,
            format!("an interrupted run may have made {address}, and it may not be read: {why}; nothing was written"),
        )
        .hinted("ask for the right to read it, and run this again"));
    }
    let graph = super::graph::build(&session.stack)?;
    let policy = Policy {
        adopt: policy.adopt.clone(),
        data_loss: policy.data_loss.clone(),
        all_data_loss: policy.all_data_loss,
        grants: policy
            .grants
            .iter()
            .map(|(manager, field)| Grant { manager: Some(manager.clone()), field: field.clone() })
            .collect(),
        destroy: purpose == Purpose::Destroy,
    };
    let decided = |schemas: &Consulted, predictions| {
        plan::decide(&Inputs {
            stack: &session.stack,
            state: &session.state,
            state_exists: session.state_exists,
            observation: &observation,
            graph: &graph,
            predictions,
            schema: &|api_version, kind| schemas.get(api_version, kind),
            keyed: &*keyed,
            policy: &policy,
        })
    };
    let unasked = BTreeMap::new();
    let mut schemas = Consulted::default();
    let mut plan = decided(&schemas, &unasked);
    // What only is created is not predicted.
    let exists = |api_version: &str| {
        plan.changes.iter().any(|change| change.api_version == api_version && change.action != Action::Create)
    };
    let unread = schemas.ask(&session.cluster, exists).await?;
    if !schemas.are_built_in() {
        plan = decided(&schemas, &unasked);
    }
    let predictions = ask_server(&session.cluster, &plan).await?;
    if !predictions.is_empty() {
        plan = decided(&schemas, &predictions);
    }
    plan.warnings.extend(unread);
    plan.warnings.extend(
        open.iter()
            .map(|(address, why)| format!("an interrupted run may have made {address}, which may not be read: {why}")),
    );
    if purpose != Purpose::Destroy {
        warn(&mut plan, &session, &filled, &predictions);
    }
    Ok(Prepared { session, observation, keyed, plan })
}

/// Asks the server for a dry run of every change whose result is not certain. A missing right leaves it uncertain.
async fn ask_server(cluster: &Cluster, plan: &Plan) -> Result<BTreeMap<ObjectRef, Prediction>, Failure> {
    let asked = plan
        .changes
        .iter()
        .filter(|change| plan::wants_dry_run(change))
        .filter_map(|change| Some(dry_run(cluster, change, plan::sends(change)?)));
    let mut answers = futures::stream::iter(asked).buffer_unordered(DRY_RUNS);
    let mut predictions = BTreeMap::new();
    while let Some((object, answer)) = answers.next().await {
        let prediction = match answer {
            Ok(result) => Prediction::Server(result),
            Err(ClusterError::Forbidden { .. }) => {
                Prediction::AfterApply("no right to ask the server for a dry run".to_owned())
            }
            Err(error @ (ClusterError::Invalid { .. } | ClusterError::Rejected { .. })) => {
                Prediction::Rejected(error.to_string())
            }
            // Somebody changed it since it was read: what the schema says stands, and the apply looks again.
            Err(ClusterError::Conflict { .. } | ClusterError::Moved { .. } | ClusterError::Recreated { .. }) => {
                Prediction::AfterApply("it changed while the plan was made".to_owned())
            }
            Err(error) => return Err(failed("failed to ask the server for a dry run", &error)),
        };
        predictions.insert(object, prediction);
    }
    Ok(predictions)
}

async fn dry_run(cluster: &Cluster, change: &Change, manifest: &Manifest) -> (ObjectRef, Result<Value, ClusterError>) {
    let options = ApplyOptions {
        dry_run: true,
        force: !change.forced.is_empty(),
        uid: change.precondition.uid.clone(),
        resource_version: None,
    };
    let answer = cluster.apply(manifest, &options).await.map(|live| live.object);
    (change.object.clone(), answer)
}

fn warn(plan: &mut Plan, session: &Session, filled: &Filled, predictions: &BTreeMap<ObjectRef, Prediction>) {
    if session.records_secrets() && filled.key_is_missing {
        plan.warnings.push(KEY_LOST.to_owned());
    }
    for (address, fates) in &filled.fates {
        for (key, _) in fates.iter().filter(|(_, fate)| **fate == Fate::Unknown) {
            plan.warnings
                .push(format!("`{key}` of {address} has no value, and its source is absent: an apply needs it"));
        }
    }
    let unasked = predictions.values().filter(|prediction| matches!(prediction, Prediction::AfterApply(_))).count();
    if unasked > 0 {
        plan.warnings.push(format!("{unasked} of the changes could not be tried by a dry run; each says why"));
    }
}
