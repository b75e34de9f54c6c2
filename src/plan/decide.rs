//! Deciding: every desired resource and every recorded one gets exactly one [`Change`].

use std::collections::{BTreeMap, BTreeSet};

use super::existing::decide_existing;
use super::ignore::{Scaled, ignored_paths};
use super::{Action, Base, Certainty, Change, Inputs, Plan, Precondition, Reason, consequences, removal};
use crate::diff;
use crate::graph::NodeId;
use crate::live::ClusterIdentity;
use crate::resource::{Address, ObjectRef};
use crate::ssa::Path;
use crate::stack::Desired;

/// Decides the plan. The same inputs give the same plan.
#[must_use]
pub fn decide(inputs: &Inputs<'_>) -> Plan {
    let mut changes = Vec::new();
    if !inputs.policy.destroy {
        let scaled = Scaled::of(inputs.stack);
        for id in inputs.graph.order() {
            if let NodeId::Resource(address) = id
                && let Some(desired) = inputs.stack.resources.get(address)
            {
                changes.push(decide_desired(inputs, &scaled, address, desired));
            }
        }
        consequences::add(inputs, &mut changes);
    }
    changes.extend(removal::decide(inputs, &changes));
    Plan {
        base: Base {
            stack: inputs.stack.name.clone(),
            namespace: inputs.stack.namespace.clone(),
            stack_digest: inputs.stack.digest,
            cluster: inputs.observation.cluster.clone().unwrap_or_else(|| ClusterIdentity(String::new())),
            lineage: inputs.state_exists.then(|| inputs.state.lineage.clone()),
            serial: inputs.state.serial,
        },
        destroy: inputs.policy.destroy,
        checks: checks(inputs),
        changes,
        with_extra_manifests: inputs.stack.with_extra_manifests && !inputs.policy.destroy,
        warnings: warnings(inputs),
    }
}

fn checks(inputs: &Inputs<'_>) -> BTreeMap<String, Vec<NodeId>> {
    if inputs.policy.destroy {
        return BTreeMap::new();
    }
    inputs.stack.checks.keys().map(|name| (name.clone(), dependencies(inputs, &NodeId::Check(name.clone())))).collect()
}

/// The nodes that must be done before `id`. Keys of Secrets are worked out before a plan is made, so what they wait for
/// is waited for by nobody.
fn dependencies(inputs: &Inputs<'_>, id: &NodeId) -> Vec<NodeId> {
    inputs
        .graph
        .dependencies(id)
        .map(|(dependency, _)| dependency.clone())
        .filter(|dependency| !matches!(dependency, NodeId::SecretKey { .. }))
        .collect()
}

fn decide_desired(inputs: &Inputs<'_>, scaled: &Scaled<'_>, address: &Address, desired: &Desired) -> Change {
    let object = desired.manifest.object_ref().clone();
    let depends_on = dependencies(inputs, &NodeId::Resource(address.clone()));
    let depends_on_objects = depends_on
        .iter()
        .filter_map(|id| match id {
            NodeId::Resource(address) => Some(inputs.stack.resources.get(address)?.manifest.object_ref()),
            _ => None,
        })
        .collect::<BTreeSet<&ObjectRef>>();
    let blank = Change {
        address: address.clone(),
        api_version: desired.manifest.api_version().to_owned(),
        action: Action::NoChange,
        reason: Reason::UpToDate,
        diff: Vec::new(),
        forced: Vec::new(),
        consequences: Vec::new(),
        certainty: Certainty::Proved,
        precondition: Precondition::default(),
        manifest: None,
        depends_on,
        depends_on_objects: depends_on_objects.into_iter().cloned().collect(),
        desired: None,
        protect: desired.protect,
        object,
    };
    if let Some(why) = inputs.observation.unreadable.get(&blank.object) {
        return Change { action: Action::Refuse, reason: Reason::Unreadable(why.clone()), ..blank };
    }
    let kind_is_unknown = inputs.observation.unknown_kinds.contains(&blank.object.group_kind());
    if kind_is_unknown && !is_defined_here(inputs, &blank.object) {
        return Change { action: Action::Refuse, reason: Reason::UnknownKind, ..blank };
    }
    let ignored = ignored_paths(scaled, desired);
    match inputs.observation.objects.get(&blank.object) {
        Some(observed) => decide_existing(inputs, desired, &observed.live(), &ignored, blank),
        None => create(inputs, desired, kind_is_unknown, &ignored, blank),
    }
}

/// Tells whether the stack holds the definition of this kind.
fn is_defined_here(inputs: &Inputs<'_>, object: &ObjectRef) -> bool {
    inputs.stack.resources.values().any(|desired| {
        let definition = desired.manifest.object();
        desired.manifest.kind() == "CustomResourceDefinition"
            && definition.pointer("/spec/group").and_then(|group| group.as_str()) == Some(&object.group)
            && definition.pointer("/spec/names/kind").and_then(|kind| kind.as_str()) == Some(&object.kind)
    })
}

fn create(inputs: &Inputs<'_>, desired: &Desired, kind_is_unknown: bool, ignored: &[Path], blank: Change) -> Change {
    let vanished = inputs.state.entries.contains_key(&blank.object);
    let kind = blank.object.group_kind();
    let schema = (inputs.schema)(&blank.api_version, &blank.object.kind);
    let nothing = serde_json::json!({});
    let mut fields = Vec::new();
    for part in ["metadata/labels", "metadata/annotations"] {
        if let Some(value) = desired.manifest.object().pointer(&format!("/{part}")) {
            let path = format!(".{}", part.replace('/', "."));
            fields.push(diff::field_change(&kind, &path, None, Some(value), None));
        }
    }
    for (key, value) in desired.manifest.object().as_object().into_iter().flatten() {
        if matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status") {
            continue;
        }
        let single = serde_json::json!({ key: value });
        fields.extend(
            crate::ssa::changes(schema.as_ref(), &nothing, &single)
                .into_iter()
                .map(|change| super::field_change(&kind, &change, None)),
        );
    }
    let why = if kind_is_unknown { "its definition does not exist yet" } else { Certainty::DEFAULTS };
    Change {
        action: Action::Create,
        reason: if vanished { Reason::Vanished } else { Reason::Missing },
        diff: fields,
        certainty: Certainty::AfterApply(why.to_owned()),
        desired: Some(inputs.desired_digest(&desired.manifest, ignored)),
        manifest: Some(desired.manifest.clone()),
        ..blank
    }
}

fn warnings(inputs: &Inputs<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    for address in &inputs.policy.adopt {
        if !inputs.stack.resources.contains_key(address) {
            warnings.push(format!("`--adopt {address}` names nothing in the stack"));
        }
    }
    let known = |address: &Address| {
        inputs.stack.resources.contains_key(address)
            || inputs.state.entries.values().any(|entry| entry.address == *address)
    };
    for address in inputs.policy.data_loss.iter().filter(|address| !known(address)) {
        warnings.push(format!("`--allow-data-loss {address}` names nothing in the stack or its state"));
    }
    warnings
}
