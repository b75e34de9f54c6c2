//! `mathison drift`: what somebody else changed since the last apply. Reads only.

use std::path::Path;

use super::Ended;
use super::consulted::Consulted;
use super::fill::{KEY_LOST, add_key_secret, stack_key};
use super::session::{Intention, open};
use super::talk::Streams;
use crate::cli::{ClusterRequest, StackRequest};
use crate::drift::{self, Inputs, ResourceState};
use crate::failure::{ExitStatus, Failure};
use crate::live::ClusterIdentity;
use crate::plan::Base;
use crate::report;

pub(super) async fn drift(stack: &StackRequest, cluster: &ClusterRequest, json: bool, streams: &Streams) -> Ended {
    let mut session = open(stack, cluster, Intention::Look, streams).await?;
    streams.say(&report::header_text(&session.header, &streams.talk_options()));
    super::settle::tell(session.interrupted.as_ref(), streams);
    if !session.state_exists {
        let path = Path::new(&session.header.state);
        let file = path.file_name().map_or(path, Path::new);
        return Err(Failure::new(ExitStatus::Error, "nothing was recorded of this stack in this cluster yet")
            .hinted(format!("apply it first, or name with `--state` the folder that holds `{}`", file.display()))
            .into());
    }
    let observation = session.observe().await?;
    let (key, key_is_missing) = stack_key(&session.stack, &observation, &mut session.randomness)?;
    if key_is_missing && session.records_secrets() {
        streams.insist(&format!("warning: {KEY_LOST}; until an apply does, each Secret is told as changed\n"));
    }
    add_key_secret(&mut session.stack, &key)?;
    let base = Base {
        stack: session.stack.name.clone(),
        namespace: session.stack.namespace.clone(),
        stack_digest: session.stack.digest,
        cluster: ClusterIdentity(session.state.cluster.clone()),
        lineage: Some(session.state.lineage.clone()),
        serial: session.state.serial,
    };
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let compared = |schemas: &Consulted| {
        let inputs = Inputs {
            stack: &session.stack,
            state: &session.state,
            observation: &observation,
            schema: &|api_version, kind| schemas.get(api_version, kind),
            keyed: &|object| key.digest_object(object),
            today: &today,
        };
        drift::compare(&inputs, base.clone())
    };
    let mut schemas = Consulted::default();
    let mut found = compared(&schemas);
    // Only how a difference reads depends on them.
    let differs = |api_version: &str| {
        found.resources.iter().filter(|resource| matches!(resource.state, ResourceState::Changed(_))).any(|resource| {
            session.state.entries.get(&resource.object).is_some_and(|entry| entry.api_version == api_version)
        })
    };
    let unread = schemas.ask(&session.cluster, differs).await?;
    if !schemas.are_built_in() {
        found = compared(&schemas);
    }
    if let Some(unread) = unread {
        streams.insist(&format!("warning: {unread}\n"));
    }
    if json {
        streams.data(&report::drift_json(&found))?;
    } else {
        streams.data(&report::drift_text(&found, &streams.data_options()))?;
    }
    if let Some((resource, why)) = found.unreadable().next() {
        return Err(Failure::new(ExitStatus::Error, format!("{} could not be read: {why}", resource.address))
            .hinted("the report is incomplete; ask for the right to get it")
            .into());
    }
    Ok(if found.has_drift() { ExitStatus::Pending } else { ExitStatus::Done })
}
