//! Writes the compact tables of types back as the definitions that they were made from.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::sandbox::patch::merge;
use crate::ssa::schema::{ListKind, ListType, MapView, Scalar, TypeRef, TypeTable};

/// The types of what is posted and answered but never stored, in the notation of the table of [`crate::ssa`].
pub(in crate::sandbox) static MORE_TYPES: LazyLock<TypeTable> =
    LazyLock::new(|| TypeTable::new(Cow::Borrowed(include_str!("table/more_types.tsv")), true));

/// What the notation does not tell, such as `format: int64` and patch strategies: a merge patch for each definition.
static AMENDMENTS: LazyLock<BTreeMap<&str, &str>> =
    LazyLock::new(|| include_str!("table/overlay.tsv").lines().filter_map(|line| line.split_once('\t')).collect());

const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
const MICRO_TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const RAW_EXTENSION: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";

/// Returns a reference to a definition.
pub(in crate::sandbox) fn reference_to(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Adds a type to the definitions together with all that it refers to.
pub(in crate::sandbox) fn definitions_of(types: &TypeTable, name: &str, definitions: &mut Map<String, Value>) {
    let mut wanted = vec![name.to_owned()];
    while let Some(name) = wanted.pop() {
        if definitions.contains_key(&name) {
            continue;
        }
        let definition = leaf(&name).or_else(|| {
            let index = types.find(&name)?;
            let mut writer = Writer { types, used: Vec::new() };
            let mut definition = writer.definition(&TypeRef::Named { index, atomic: None });
            wanted.append(&mut writer.used);
            if let Some(patch) = AMENDMENTS.get(name.as_str()).and_then(|text| serde_json::from_str(text).ok()) {
                merge(&mut definition, patch);
            }
            Some(definition)
        });
        if let Some(definition) = definition {
            definitions.insert(name, definition);
        }
    }
}

/// Returns the definition of a type that the tables have a letter for.
fn leaf(name: &str) -> Option<Value> {
    Some(match name {
        QUANTITY => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
        TIME | MICRO_TIME => json!({"type": "string", "format": "date-time"}),
        INT_OR_STRING => json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}),
        RAW_EXTENSION => json!({"type": "object"}),
        _ => return None,
    })
}

/// Writes one definition; what it refers to is noted.
struct Writer<'t> {
    types: &'t TypeTable,
    used: Vec<String>,
}

impl Writer<'_> {
    /// Writes what stands behind a reference.
    fn definition(&mut self, reference: &TypeRef) -> Value {
        let types = self.types;
        let atom = types.resolve(reference);
        match (atom.scalar, atom.list, atom.map) {
            (None, Some(list), None) => self.list(list),
            (None, None, Some(map)) => self.map(map),
            // Anything may stand here, and no document says more of it.
            _ => json!({}),
        }
    }

    /// Writes a type where it is used: a reference, or its definition.
    fn used(&mut self, reference: &TypeRef) -> Value {
        match reference {
            TypeRef::Scalar(Scalar::String) => json!({"type": "string"}),
            TypeRef::Scalar(Scalar::Numeric) => json!({"type": "integer", "format": "int32"}),
            TypeRef::Scalar(Scalar::Boolean) => json!({"type": "boolean"}),
            TypeRef::Scalar(Scalar::Untyped) => json!({"type": "string", "format": "date-time"}),
            TypeRef::Scalar(Scalar::Quantity) => self.refer(QUANTITY),
            TypeRef::Scalar(Scalar::Time) => self.refer(TIME),
            TypeRef::Scalar(Scalar::MicroTime) => self.refer(MICRO_TIME),
            TypeRef::Scalar(Scalar::IntOrString) => self.refer(INT_OR_STRING),
            TypeRef::Untyped => self.refer(RAW_EXTENSION),
            TypeRef::Deduced => json!({}),
            TypeRef::Named { atomic, .. } => {
                let name = self.types.name_of(reference).unwrap_or_default();
                let mut used = self.refer(name);
                if let Some(atomic) = atomic {
                    used["x-kubernetes-map-type"] = Value::from(if *atomic { "atomic" } else { "granular" });
                }
                used
            }
            TypeRef::Inline(_) => self.definition(reference),
        }
    }

    /// Refers to a definition in the form that takes a default beside it.
    fn refer(&mut self, name: &str) -> Value {
        self.used.push(name.to_owned());
        json!({"allOf": [reference_to(name)]})
    }

    /// Writes the type of items and of free keys: these have a default of their own, or are a bare reference.
    fn element(&mut self, reference: &TypeRef) -> Value {
        let mut element = self.used(reference);
        let default = match reference {
            TypeRef::Scalar(Scalar::String) => Some(json!("")),
            TypeRef::Scalar(Scalar::Numeric) => Some(json!(0)),
            TypeRef::Named { .. } => Some(json!({})),
            _ => None,
        };
        match default {
            Some(default) => element["default"] = default,
            None => {
                if let Some(bare) = element.pointer("/allOf/0").cloned() {
                    return bare;
                }
            }
        }
        element
    }

    fn list(&mut self, list: &ListType) -> Value {
        let mut written = json!({"type": "array", "items": self.element(&list.element)});
        written["x-kubernetes-list-type"] = match &list.kind {
            ListKind::Atomic => json!("atomic"),
            ListKind::Set => json!("set"),
            ListKind::Map(keys) => {
                written["x-kubernetes-list-map-keys"] = json!(keys);
                if let [key] = keys.as_slice() {
                    written["x-kubernetes-patch-strategy"] = json!("merge");
                    written["x-kubernetes-patch-merge-key"] = json!(key);
                }
                json!("map")
            }
        };
        written
    }

    fn map(&mut self, view: MapView<'_>) -> Value {
        let map = view.map;
        let mut written = json!({"type": "object"});
        let mut properties = Map::new();
        for (name, field) in map.fields() {
            let mut property = self.used(&field.reference);
            if let Some(default) = &field.default {
                property["default"] = default.clone();
            }
            properties.insert(name.to_string(), property);
        }
        match &map.element {
            // Said of an object of which nothing is declared.
            Some(TypeRef::Deduced) if properties.is_empty() => {}
            Some(element) => written["additionalProperties"] = self.element(element),
            None => {}
        }
        if !properties.is_empty() {
            written["properties"] = Value::Object(properties);
        }
        if !map.required.is_empty() {
            written["required"] = map.required.iter().map(|name| Value::from(name.as_ref())).collect();
        }
        if view.atomic {
            written["x-kubernetes-map-type"] = json!("atomic");
        }
        written
    }
}
