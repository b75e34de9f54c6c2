//! Edges from what objects refer to: one file for each family of references.
//!
//! Two passes: first the references that one object's text gives by itself, then webhooks and API services, whose
//! edges need to know what their servers need.

mod access;
mod connection;
mod containment;
mod network;
mod pod;
mod registration;
mod scaling;
mod server;
mod storage;

use std::collections::HashMap;

use serde_json::Value;

use crate::graph::NodeId;
use crate::graph::edge::{External, RawEdge};
use crate::graph::objects::{Key, Objects};
use crate::resource::Manifest;

/// All edges that were found, and the references that lead out of the graph.
pub(super) struct Inferred {
    pub(super) edges: Vec<RawEdge>,
    pub(super) external: Vec<External>,
}

/// Adds to the declared edges those that the objects' references make.
pub(super) fn edges(objects: &Objects<'_, '_>, declared: Vec<RawEdge>) -> Inferred {
    let mut found = References { objects, from: 0, edges: declared, external: Vec::new(), consumed: HashMap::new() };
    for (number, node) in (0u32..).zip(objects.nodes) {
        found.from = number;
        for object in &node.about {
            found.refer(Key::of(object), || format!("checks {} {}", object.kind, object.name));
        }
        if let Some(manifest) = node.manifest {
            read(manifest, &mut found);
        }
    }
    connection::infer(&mut found);
    registration::infer(&mut found);
    Inferred { edges: found.edges, external: found.external }
}

fn read(manifest: &Manifest, found: &mut References<'_, '_, '_>) {
    containment::infer(manifest, found);
    pod::infer(manifest, found);
    match manifest.kind() {
        "RoleBinding" | "ClusterRoleBinding" | "ServiceAccount" => access::infer(manifest, found),
        "Ingress" => network::infer(manifest, found),
        "HorizontalPodAutoscaler" => scaling::infer(manifest, found),
        "PersistentVolumeClaim" | "PersistentVolume" | "StatefulSet" => storage::infer(manifest, found),
        _ => {}
    }
}

/// The edges found so far, and the node whose references are being read.
struct References<'o, 'n, 'm> {
    objects: &'o Objects<'n, 'm>,
    from: u32,
    edges: Vec<RawEdge>,
    external: Vec<External>,
    /// By workload: the ConfigMaps and Secrets it reads.
    consumed: HashMap<u32, Vec<u32>>,
}

impl<'o, 'n, 'm> References<'o, 'n, 'm> {
    fn edge(&mut self, to: u32, reason: impl FnOnce() -> String) {
        if to != self.from {
            self.edges.push(RawEdge { from: self.from, to, reason: reason() });
        }
    }

    /// Adds the edge to an object, or notes that the object is not in the graph.
    fn refer(&mut self, to: Key<'_>, reason: impl FnOnce() -> String) {
        if to.name.is_empty() {
            return;
        }
        match self.objects.find(&to) {
            Some(number) => self.edge(number, reason),
            None => self.external.push(External {
                from: self.own_id().clone(),
                object: to.to_object_ref(),
                reason: reason(),
            }),
        }
    }

    /// Adds the edge to an object if it is in the graph; a reference that may dangle.
    fn refer_if_present(&mut self, to: Key<'_>, reason: impl FnOnce() -> String) {
        if let Some(number) = self.objects.find(&to) {
            self.edge(number, reason);
        }
    }

    /// Remembers that the node reads the object's data: it connects to what the object mentions.
    fn consume(&mut self, to: Key<'_>) {
        if let Some(number) = self.objects.find(&to) {
            self.consumed.entry(self.from).or_default().push(number);
        }
    }

    fn own_id(&self) -> &'n NodeId {
        &self.objects.nodes[self.from as usize].id
    }
}

/// Follows a pointer of plain field names. `Value::pointer` copies every step, which is felt at 100,000 objects.
fn at<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    pointer.split('/').skip(1).try_fold(value, |value, field| value.get(field))
}

/// Returns the text at a JSON pointer, empty where there is none.
fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    at(value, pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the list at a JSON pointer, empty where there is none.
fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    at(value, pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the identity of an object of a core kind.
fn core<'k>(kind: &'k str, namespace: Option<&'k str>, name: &'k str) -> Key<'k> {
    Key { group: "", kind, namespace, name }
}

/// Returns the group of an `apiVersion`.
fn group_of(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

#[cfg(test)]
mod tests;
