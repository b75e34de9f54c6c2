//! `mathison graph`: the dependency graph in four forms; and the one place that turns a stack into one.

use super::Ended;
use super::load::load;
use super::talk::Streams;
use crate::cli::{GraphForm, StackRequest};
use crate::diff::visible;
use crate::failure::{ExitStatus, Failure};
use crate::graph::{self, DependencyGraph, NodeId, NodeInput};
use crate::secret::{Source, TemplatePart};
use crate::stack::Stack;

pub(super) fn graph(request: &StackRequest, form: GraphForm, streams: &Streams) -> Ended {
    let stack = load(request, streams)?;
    let graph = build(&stack)?;
    let text = match form {
        // For people, so that nothing in a name acts on their terminal.
        GraphForm::Text => graph::text(&graph).lines().map(|line| format!("{}\n", visible(line))).collect(),
        GraphForm::Dot => graph::dot(&graph),
        GraphForm::Mermaid => graph::mermaid(&graph),
        GraphForm::Json => graph::json(&graph),
    };
    streams.data(&text)?;
    Ok(ExitStatus::Done)
}

/// Builds the graph of a stack.
pub(super) fn build(stack: &Stack) -> Result<DependencyGraph, Failure> {
    let mut nodes: Vec<NodeInput<'_>> = stack
        .resources
        .iter()
        .map(|(address, desired)| {
            let explicit = desired
                .depends_on
                .iter()
                .map(|dependency| (NodeId::Resource(dependency.on.clone()), dependency.reason.clone()));
            let keys = stack.secrets.get(address).into_iter().flat_map(|spec| spec.keys.keys()).map(|key| {
                (NodeId::SecretKey { secret: address.clone(), key: key.clone() }, format!("holds key {key}"))
            });
            NodeInput {
                id: NodeId::Resource(address.clone()),
                manifest: Some(&desired.manifest),
                depends_on: explicit.chain(keys).collect(),
                mentions: desired.mentions.iter().cloned().collect(),
                about: Vec::new(),
            }
        })
        .collect();
    for (address, spec) in &stack.secrets {
        for (key, source) in &spec.keys {
            let of = |key: &str| NodeId::SecretKey { secret: address.clone(), key: key.to_owned() };
            let depends_on = match source {
                Source::Template(parts) => parts
                    .iter()
                    .filter_map(|part| match part {
                        TemplatePart::Key { key, .. } => Some((of(key), format!("is assembled from {key}"))),
                        TemplatePart::Text(_) => None,
                    })
                    .collect(),
                _ => Vec::new(),
            };
            nodes.push(NodeInput { id: of(key), manifest: None, depends_on, mentions: Vec::new(), about: Vec::new() });
        }
    }
    nodes.extend(stack.checks.values().map(|check| NodeInput {
        id: NodeId::Check(check.name.clone()),
        manifest: None,
        depends_on: Vec::new(),
        mentions: Vec::new(),
        about: check.about.clone(),
    }));
    DependencyGraph::build(nodes).map_err(|cycle| {
        Failure::new(ExitStatus::Usage, cycle.to_string())
            .hinted("take one of these edges away: a `dependsOn`, or the reference in the object")
    })
}
