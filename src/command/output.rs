//! `mathison output`: the outputs of a stack; what is secret is masked unless asked.

use std::collections::BTreeMap;

use super::Ended;
use super::load::load;
use super::session::open;
use super::talk::Streams;
use crate::cli::{ClusterRequest, Environment, StackRequest};
use crate::failure::{ExitStatus, Failure};
use crate::stack::OutputSource;

/// What the caller wants to see.
pub(super) struct Wanted {
    pub(super) name: Option<String>,
    pub(super) show_secrets: bool,
    pub(super) json: bool,
}

/// What stands for a secret value.
const MASK: &str = "(sensitive)";

pub(super) async fn output(
    stack: &StackRequest,
    cluster: &ClusterRequest,
    wanted: &Wanted,
    _environment: &Environment,
    streams: &Streams,
) -> Ended {
    let declared = load(stack, streams)?;
    if let Some(name) = &wanted.name
        && !declared.outputs.contains_key(name)
    {
        let names: Vec<&str> = declared.outputs.keys().map(String::as_str).collect();
        return Err(Failure::new(ExitStatus::Usage, format!("the stack has no output `{name}`"))
            .hinted(format!("it has: {}", names.join(", ")))
            .into());
    }
    let chosen: BTreeMap<&String, &OutputSource> =
        declared.outputs.iter().filter(|(name, _)| wanted.name.as_ref().is_none_or(|only| only == *name)).collect();
    let mut values = BTreeMap::new();
    let mut secrets = None;
    for (name, source) in chosen {
        let value = match source {
            OutputSource::Text(text) => text.clone(),
            OutputSource::SecretKey { .. } if !wanted.show_secrets => MASK.to_owned(),
            OutputSource::SecretKey { secret, key } => {
                if secrets.is_none() {
                    let session = open(stack, cluster, streams).await?;
                    secrets = Some(super::record::live_secrets(&session.observe().await?));
                }
                let found = secrets.as_ref().and_then(|find| find(secret, key));
                let value = found.ok_or_else(|| {
                    Failure::new(ExitStatus::Error, format!("{secret} has no key `{key}` in this cluster"))
                        .hinted("apply the stack first")
                })?;
                String::from_utf8_lossy(value.expose()).into_owned()
            }
        };
        values.insert(name.clone(), value);
    }
    let text = if wanted.json {
        format!("{:#}\n", serde_json::json!(values))
    } else if wanted.name.is_some() {
        values.into_values().map(|value| format!("{value}\n")).collect()
    } else {
        values.into_iter().map(|(name, value)| format!("{name} = {value}\n")).collect()
    };
    streams.data(&text)?;
    Ok(ExitStatus::Done)
}
