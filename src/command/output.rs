//! `mathison output`: the outputs of a stack; what is secret is masked unless asked.

use std::collections::BTreeMap;

use super::Ended;
use super::load::load;
use super::session::{Intention, open_loaded};
use super::talk::Streams;
use crate::cli::{ClusterRequest, StackRequest};
use crate::failure::{ExitStatus, Failure};
use crate::live::Observation;
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
    streams: &Streams,
) -> Ended {
    let declared = load(stack, streams)?;
    if let Some(name) = &wanted.name
        && !declared.outputs.contains_key(name)
    {
        let names: Vec<&str> = declared.outputs.keys().map(String::as_str).collect();
        let hint =
            if names.is_empty() { "it declares none".to_owned() } else { format!("it has: {}", names.join(", ")) };
        return Err(Failure::new(ExitStatus::Usage, format!("the stack has no output `{name}`")).hinted(hint).into());
    }
    let mut chosen = declared.outputs.clone();
    chosen.retain(|name, _| wanted.name.as_ref().is_none_or(|only| only == name));
    let is_secret = |source: &OutputSource| matches!(source, OutputSource::SecretKey { .. });
    let observed = if wanted.show_secrets && chosen.values().any(is_secret) {
        let (session, _) = open_loaded(declared, &stack.extra, cluster, Intention::Look).await?;
        session.observe().await?
    } else {
        Observation::default()
    };
    let find = super::record::live_secrets(&observed);
    let (mut values, mut masked) = (BTreeMap::new(), false);
    for (name, source) in chosen {
        let value = match source {
            OutputSource::Text(text) => text,
            OutputSource::SecretKey { .. } if !wanted.show_secrets => {
                masked = true;
                MASK.to_owned()
            }
            OutputSource::SecretKey { secret, key } => {
                let value = find(&secret, &key).ok_or_else(|| match observed.unreadable.get(&secret) {
                    Some(why) => Failure::new(ExitStatus::Error, format!("{secret} could not be read: {why}"))
                        .hinted("ask for the right to get it"),
                    None => Failure::new(ExitStatus::Error, format!("{secret} has no key `{key}` in this cluster"))
                        .hinted("apply the stack first"),
                })?;
                String::from_utf8_lossy(value.expose()).into_owned()
            }
        };
        values.insert(name, value);
    }
    let text = if wanted.json {
        format!("{:#}\n", serde_json::json!(values))
    } else if wanted.name.is_some() {
        values.into_values().map(|value| format!("{value}\n")).collect()
    } else {
        values.into_iter().map(|(name, value)| format!("{name} = {value}\n")).collect()
    };
    streams.data(&text)?;
    if masked {
        streams.say("note: `--show-secrets` prints what is sensitive\n");
    }
    Ok(ExitStatus::Done)
}
