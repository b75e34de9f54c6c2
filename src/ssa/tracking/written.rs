//! Objects as Go writes them: what the server compares are Go's structures, not the JSON that a client sent.
//!
//! A structure that is no pointer is always there, and so is every field without `omitempty`; any other field vanishes when
//! it is empty. Which is which OpenAPI does not tell. The table `written.tsv` does: it was made once from the Go types of
//! `k8s.io/api` 0.35.4 (and those of CRDs and APIServices) by walking them with `reflect`. A line is
//! `TYPE⇥{"w": {FIELD: ZERO}, "p": [FIELD]}`: `w` are the fields that are always written, each with what stands there if
//! nobody set it (`{}` for a structure), `p` the pointers to scalars, which keep an explicit zero. Types that have neither
//! have no line.

use std::collections::BTreeSet;
use std::sync::{LazyLock, OnceLock};

use serde_json::{Map, Value};

use crate::ssa::canonical::{holds_entries, may_vanish};
use crate::ssa::defaults::is_zero;
use crate::ssa::known::Known;
use crate::ssa::narrow::Touched;
use crate::ssa::schema::{Branch, MapType, Scalar, Schema, TypeRef, TypeTable};

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let lines: Vec<_> = include_str!("written.tsv").lines().filter_map(|line| line.split_once('\t')).collect();
    let slots = lines.iter().map(|_| OnceLock::new()).collect();
    Table { lines, slots }
});

static NOTHING: LazyLock<Written> = LazyLock::new(Written::default);

struct Table {
    lines: Vec<(&'static str, &'static str)>,
    /// Read when first used: a run touches few types.
    slots: Vec<OnceLock<Written>>,
}

/// What is known of one type.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The fields that are there even if nobody set them.
    pub(crate) always: Map<String, Value>,
    /// The pointers to scalars, which may point to a zero.
    pub(crate) pointers: BTreeSet<String>,
}

impl Written {
    fn read(json: &str) -> Self {
        let mut parts: Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
        let always = match parts.remove("w") {
            Some(Value::Object(always)) => always,
            _ => Map::new(),
        };
        let pointers = parts.get("p").and_then(Value::as_array).into_iter().flatten();
        Self { always, pointers: pointers.filter_map(Value::as_str).map(str::to_owned).collect() }
    }
}

/// Returns what is known of a type; nothing if it has no line.
pub(crate) fn written_of(type_name: &str) -> &'static Written {
    let of = |index: usize| {
        let (_, json) = TABLE.lines.get(index)?;
        Some(TABLE.slots.get(index)?.get_or_init(|| Written::read(json)))
    };
    TABLE.lines.binary_search_by(|(name, _)| (*name).cmp(type_name)).ok().and_then(of).unwrap_or(&NOTHING)
}

/// Brings an object of one of Kubernetes' own kinds into the form in which the server writes it: structures that are always
/// there appear (`resources: {}`, `status: {}`), fields that are omitted when empty vanish. Other kinds are left alone.
pub fn as_written(schema: &Schema, object: &mut Value) {
    if schema.is_builtin() {
        Walk { types: &schema.types, purpose: Purpose::Write }.value(&schema.reference, object, &Touched::Whole);
    }
}

/// Does what [`as_written`] does for an object that has been stored and is read again: there, a list or map that is always
/// written has become null if it was empty.
pub fn as_read_back(schema: &Schema, object: &mut Value) {
    as_read_back_where(schema, object, &Touched::Whole);
}

/// Does what [`as_read_back`] does in some places of an object that reads so in all others.
pub(in crate::ssa) fn as_read_back_where(schema: &Schema, object: &mut Value, touched: &Touched) {
    if schema.is_builtin() {
        Walk { types: &schema.types, purpose: Purpose::ReadBack }.value(&schema.reference, object, touched);
    }
}

/// The reverse as far as defaults need it: takes out what stands there only because Go writes it.
pub(super) fn without_written(schema: &Schema, object: &mut Value) {
    if schema.is_builtin() {
        Walk { types: &schema.types, purpose: Purpose::Strip }.value(&schema.reference, object, &Touched::Whole);
    }
}

/// Returns an object of the kind in which nothing is set. A custom resource has nothing but its kind.
pub(crate) fn zero_object(schema: &Schema, api_version: &str, kind: &str) -> Value {
    let mut object = Value::Object(Map::new());
    as_written(schema, &mut object);
    if let Some(map) = object.as_object_mut() {
        map.insert("apiVersion".to_owned(), Value::from(api_version));
        map.insert("kind".to_owned(), Value::from(kind));
    }
    object
}

/// What becomes of the fields that are always written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// They are added.
    Write,
    /// They are added, and empty lists and maps are null.
    ReadBack,
    /// They are taken out where they say nothing.
    Strip,
}

struct Walk<'a> {
    types: &'a TypeTable,
    purpose: Purpose,
}

impl Walk<'_> {
    fn value(&self, reference: &TypeRef, value: &mut Value, touched: &Touched) {
        match self.types.resolve(reference).branch(Some(value)) {
            Some(Branch::Map(view)) => {
                if let Some(map) = value.as_object_mut() {
                    if view.map.fields().is_empty() {
                        self.entries(view.map, map, touched);
                    } else {
                        self.structure(self.types.known(reference), view.map, map, touched);
                    }
                }
            }
            Some(Branch::List(list)) => {
                let items = value.as_array_mut().map_or(&mut [] as &mut [Value], Vec::as_mut_slice);
                touched.each_item(items, |item, touched| self.value(&list.element, item, touched));
            }
            Some(Branch::Scalar(_)) | None => {}
        }
    }

    fn entries(&self, declared: &MapType, map: &mut Map<String, Value>, touched: &Touched) {
        let Some(element) = declared.element.as_ref().filter(|_| holds_entries(declared)) else { return };
        touched.each_field(map, |_, value, touched| self.value(element, value, touched));
    }

    fn structure(&self, known: Option<&Known>, declared: &MapType, map: &mut Map<String, Value>, touched: &Touched) {
        let written = known.map_or(&*NOTHING, |known| known.written);
        if self.purpose != Purpose::Strip {
            for (name, zero) in &written.always {
                let Some(value) = map.get_mut(name) else {
                    map.insert(name.clone(), zero.clone());
                    continue;
                };
                let is_lost =
                    self.purpose == Purpose::ReadBack && zero.is_null() && self.holds_nothing(declared, name, value);
                if value.is_null() || is_lost {
                    value.clone_from(zero);
                }
            }
        }
        touched.each_field(map, |name, value, touched| {
            if (value.is_object() || value.is_array())
                && let Some(reference) = declared.under(name)
            {
                self.value(reference, value, touched);
            }
        });
        let stays = |name: &String, value: &Value| match (written.always.get(name), declared.under(name)) {
            (Some(zero), _) => self.purpose != Purpose::Strip || value != zero,
            (None, Some(reference)) => !self.is_omitted(reference, value, written.pointers.contains(name)),
            (None, None) => true,
        };
        match touched {
            Touched::Fields(fields) => {
                let vanish =
                    |name: &&String| map.get(*name).is_some_and(|value| may_vanish(value) && !stays(name, value));
                let gone: Vec<&String> = fields.iter().map(|(name, _)| name).filter(vanish).collect();
                for name in gone {
                    map.remove(name);
                }
            }
            _ if self.purpose != Purpose::Strip && !map.values().any(may_vanish) => {}
            _ => map.retain(|name, value| stays(name, value)),
        }
    }

    /// Tells whether this is an empty list or map; an empty structure is something.
    fn holds_nothing(&self, declared: &MapType, name: &str, value: &Value) -> bool {
        match value {
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => {
                let inside = declared.under(name).and_then(|reference| self.types.resolve(reference).map);
                map.is_empty() && inside.is_some_and(|view| holds_entries(view.map))
            }
            _ => false,
        }
    }

    fn is_omitted(&self, reference: &TypeRef, value: &Value, is_pointer: bool) -> bool {
        match value {
            Value::Null => true,
            Value::Array(items) => items.is_empty() && !is_pointer && self.types.resolve(reference).scalar.is_none(),
            Value::Object(map) => {
                map.is_empty() && self.types.resolve(reference).map.is_some_and(|view| holds_entries(view.map))
            }
            scalar => {
                let plain = matches!(reference, TypeRef::Scalar(Scalar::String | Scalar::Numeric | Scalar::Boolean));
                plain && !is_pointer && is_zero(scalar)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::builtin;

    fn written(group: &str, kind: &str, mut object: Value) -> Value {
        as_written(&builtin(group, "v1", kind).unwrap(), &mut object);
        object
    }

    #[test]
    fn plain_structures_are_always_there() {
        assert_eq!(
            written(
                "apps",
                "Deployment",
                json!({"spec": {"replicas": 0, "paused": false, "template": {"spec": {
                "containers": [{"name": "a", "command": [], "env": null}]}}}})
            ),
            json!({"metadata": {}, "status": {}, "spec": {"replicas": 0, "selector": null, "strategy": {}, "template": {
                "metadata": {}, "spec": {"containers": [{"name": "a", "resources": {}}]}}}})
        );
    }

    #[test]
    fn what_was_added_can_be_taken_out() {
        let schema = builtin("apps", "v1", "Deployment").unwrap();
        let mut object = json!({"spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}});
        let before = object.clone();
        as_written(&schema, &mut object);
        without_written(&schema, &mut object);
        assert_eq!(object, before);
    }

    #[test]
    fn zeroes_stay_where_a_pointer_holds_them() {
        assert_eq!(
            written(
                "",
                "Service",
                json!({"spec": {"allocateLoadBalancerNodePorts": false, "publishNotReadyAddresses": false,
                "ports": [{"port": 80, "nodePort": 0}]}})
            ),
            json!({"metadata": {}, "status": {"loadBalancer": {}},
                "spec": {"allocateLoadBalancerNodePorts": false, "ports": [{"port": 80, "targetPort": 0}]}})
        );
    }

    #[test]
    fn an_empty_list_that_is_always_written_is_null_once_it_was_stored() {
        let role = builtin("rbac.authorization.k8s.io", "v1", "Role").unwrap();
        let mut object = json!({"metadata": {}, "rules": []});
        as_written(&role, &mut object);
        assert_eq!(object["rules"], json!([]));
        as_read_back(&role, &mut object);
        assert_eq!(object["rules"], json!(null));
    }

    #[test]
    fn every_line_names_a_type_that_exists_and_can_be_read() {
        for (name, json) in &TABLE.lines {
            let written = Written::read(json);
            assert!(!written.always.is_empty() || !written.pointers.is_empty(), "{name}");
        }
        assert!(TABLE.lines.is_sorted());
    }
}
