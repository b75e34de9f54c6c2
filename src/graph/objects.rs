//! The objects of a graph under construction, found by identity without copying a name.

use serde_json::Value;

use crate::resource::{Address, Manifest, ObjectRef};

use super::name_hash::{NameIndex, NameMap};
use super::{NodeId, NodeInput};

/// An identity made of borrowed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key<'a> {
    pub(super) group: &'a str,
    pub(super) kind: &'a str,
    pub(super) namespace: Option<&'a str>,
    pub(super) name: &'a str,
}

impl<'a> Key<'a> {
    pub(super) fn of(object: &'a ObjectRef) -> Self {
        Self { group: &object.group, kind: &object.kind, namespace: object.namespace.as_deref(), name: &object.name }
    }

    pub(super) fn to_object_ref(self) -> ObjectRef {
        ObjectRef::new(self.group, self.kind, self.namespace, self.name)
    }
}

/// The nodes of a graph under construction, by number, identity, address and id.
pub(super) struct Objects<'n, 'm> {
    pub(super) nodes: &'n [NodeInput<'m>],
    by_key: NameMap<Key<'m>, u32>,
    by_id: &'n NameIndex,
    definitions: NameMap<(&'m str, &'m str), u32>,
}

impl<'n, 'm> Objects<'n, 'm> {
    pub(super) fn new(nodes: &'n [NodeInput<'m>], by_id: &'n NameIndex) -> Self {
        let mut by_key = NameMap::with_capacity_and_hasher(nodes.len(), Default::default());
        let mut definitions = NameMap::default();
        for (number, node) in (0u32..).zip(nodes) {
            let Some(manifest) = node.manifest else { continue };
            by_key.insert(
                Key {
                    group: manifest.group(),
                    kind: manifest.kind(),
                    namespace: manifest.namespace(),
                    name: manifest.name(),
                },
                number,
            );
            if manifest.kind() == "CustomResourceDefinition" {
                let spec = |pointer| manifest.object().pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                definitions.insert((spec("/spec/group"), spec("/spec/names/kind")), number);
            }
        }
        Self { nodes, by_key, by_id, definitions }
    }

    pub(super) fn find(&self, key: &Key<'_>) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    pub(super) fn find_address(&self, address: &Address) -> Option<u32> {
        self.by_id.find(&NodeId::Resource(address.clone()), |at| &self.nodes[at as usize].id)
    }

    /// Finds the definition of a custom kind.
    pub(super) fn definition(&self, group: &str, kind: &str) -> Option<(u32, &'m Manifest)> {
        let number = *self.definitions.get(&(group, kind))?;
        Some((number, self.manifest(number)?))
    }

    pub(super) fn manifest(&self, number: u32) -> Option<&'m Manifest> {
        self.nodes.get(number as usize).and_then(|node| node.manifest)
    }

    pub(super) fn manifests(&self) -> impl Iterator<Item = (u32, &'m Manifest)> + '_ {
        (0u32..).zip(self.nodes).filter_map(|(number, node)| Some((number, node.manifest?)))
    }
}
