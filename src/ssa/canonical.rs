//! Objects in the text that the server stores: quantities and times respelled, what it never writes left out.
//!
//! Only what is certain happens here. Whether the server leaves out an empty text, a zero or a false depends on Go tags
//! that OpenAPI does not tell: it happens where the [table of defaults](super::defaults) says so. Of other fields
//! [`same_as_stored`](super::stored::same_as_stored) takes it into account when it compares.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::defaults::{ZeroFate, is_zero};
use super::json;
use super::known::Known;
use super::schema::{Branch, MapType, Scalar, Schema, TypeRef, TypeTable};
use crate::resource::map_at;
use crate::resource::quantity::Quantity;

/// Brings an object into the text that the server stores.
///
/// Of Kubernetes' own kinds, nulls and empty lists and maps go where a field may be left out; empty structures such as
/// `emptyDir: {}` stay. A Secret's `stringData` becomes `data`. Of custom resources only the metadata is touched.
pub fn canonicalise(schema: &Schema, object: &mut Value) {
    brought(schema, object, true);
}

/// Does what [`canonicalise`] does, and leaves out empty lists everywhere: what is read of an object says no more of them
/// than of a missing field.
pub(crate) fn canonicalise_result(schema: &Schema, object: &mut Value) {
    brought(schema, object, false);
}

fn brought(schema: &Schema, object: &mut Value, keep: bool) {
    let is_secret = schema.kind().is_some_and(|kind| kind.group.is_empty() && kind.kind == "Secret");
    if is_secret && let Some(secret) = object.as_object_mut() {
        encode_string_data(secret);
    }
    if schema.is_builtin() {
        structure(&schema.types, &schema.reference, object, keep);
    } else if let Some(metadata) = object.get_mut("metadata")
        && let Some(reference) = schema.atom().map.and_then(|view| view.map.under("metadata"))
    {
        structure(&schema.types, reference, metadata, keep);
    }
}

/// Returns the text in which a scalar is stored; `None` if it stays as it is.
pub(crate) fn stored_scalar(scalar: Scalar, value: &Value) -> Option<Value> {
    match (scalar, value) {
        (Scalar::Quantity, _) => quantity(value).map(|quantity| quantity.canonical().into()),
        (Scalar::Time, Value::String(text)) => {
            let time: jiff::Timestamp = text.parse().ok()?;
            jiff::Timestamp::from_second(time.as_second()).ok().map(|time| time.to_string().into())
        }
        (Scalar::MicroTime, Value::String(text)) => {
            let time: jiff::Timestamp = text.parse().ok()?;
            Some(time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string().into())
        }
        _ => None,
    }
}

/// Reads a quantity, which may be written as a number.
fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

/// Tells whether a map holds entries under keys of any name, and not the fields of a structure.
pub(crate) fn holds_entries(map: &MapType) -> bool {
    map.fields().is_empty() && map.element.is_some() && !map.is_free()
}

fn structure(types: &TypeTable, reference: &TypeRef, value: &mut Value, keep: bool) {
    match types.resolve(reference).branch(Some(value)) {
        Some(Branch::Map(view)) => {
            // Managed fields are most of many an object.
            if let Some(map) = value.as_object_mut().filter(|_| !view.map.is_free()) {
                if holds_entries(view.map) {
                    entries(types, view.map, map, keep);
                } else {
                    fields(types, types.known(reference), view.map, map, keep);
                }
            }
        }
        Some(Branch::List(list)) => {
            for item in value.as_array_mut().into_iter().flatten() {
                structure(types, &list.element, item, keep);
            }
        }
        Some(Branch::Scalar(scalar)) => {
            if let Some(stored) = stored_scalar(scalar, value) {
                *value = stored;
            }
        }
        None => {}
    }
}

fn fields(types: &TypeTable, known: Option<&Known>, declared: &MapType, map: &mut Map<String, Value>, keep: bool) {
    for (name, value) in map.iter_mut() {
        if let Some(reference) = declared.under(name) {
            structure(types, reference, value, keep);
        }
    }
    if !map.values().any(may_vanish) {
        return;
    }
    let is_omitted = |name: &str, value: &Value| {
        known.filter(|_| is_zero(value)).and_then(|known| known.fate_of_zero(name)) == Some(ZeroFate::Omitted)
    };
    map.retain(|name, value| {
        if !may_vanish(value) {
            return true;
        }
        if is_omitted(name, value) {
            return false;
        }
        // An empty list of managed fields asks for something, and so is one stored that Go always writes.
        if keep
            && value.is_array()
            && (name == "managedFields" || known.is_some_and(|known| known.written.always.contains_key(name)))
        {
            return true;
        }
        declared.is_required(name)
            || declared.field(name).is_none_or(|field| !is_left_out(types, &field.reference, value))
    });
}

/// Tells whether there is any field that is left out when it holds this.
pub(crate) fn may_vanish(value: &Value) -> bool {
    is_zero(value) || json::is_empty(value)
}

/// Tells whether a field that may be missing is missing once it is stored.
fn is_left_out(types: &TypeTable, reference: &TypeRef, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty() && types.resolve(reference).scalar.is_none(),
        Value::Object(map) => {
            map.is_empty() && types.resolve(reference).map.is_some_and(|view| holds_entries(view.map))
        }
        _ => false,
    }
}

fn entries(types: &TypeTable, declared: &MapType, map: &mut Map<String, Value>, keep: bool) {
    let Some(element) = &declared.element else { return };
    for value in map.values_mut() {
        match (element, &value) {
            (TypeRef::Scalar(Scalar::String), Value::Null) => *value = Value::from(""),
            // Lists of resources hold no less than thousandths.
            (TypeRef::Scalar(Scalar::Quantity), _) => {
                if let Some(quantity) = quantity(value) {
                    *value = quantity.rounded_to_milli().canonical().into();
                }
            }
            _ => structure(types, element, value, keep),
        }
    }
}

fn encode_string_data(secret: &mut Map<String, Value>) {
    let Some(Value::Object(texts)) = secret.remove("stringData") else { return };
    if texts.is_empty() {
        return;
    }
    if let Some(data) = map_at(secret, "data") {
        for (key, text) in texts {
            data.insert(key, STANDARD.encode(text.as_str().unwrap_or_default()).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::builtin;

    fn stored(group: &str, kind: &str, mut object: Value) -> Value {
        canonicalise(&builtin(group, "v1", kind).unwrap(), &mut object);
        object
    }

    #[test]
    fn quantities_are_respelled_where_they_are_and_nowhere_else() {
        let object = json!({"metadata": {"labels": {"size": "1024Mi"}}, "spec": {"containers": [{"name": "a", "resources": {
            "limits": {"memory": "1024Mi", "cpu": 2, "example.com/x": "100u"}, "requests": {"cpu": 0.0001}}}]}});
        assert_eq!(
            stored("", "Pod", object),
            json!({"metadata": {"labels": {"size": "1024Mi"}}, "spec": {"containers": [{"name": "a", "resources": {
                "limits": {"memory": "1Gi", "cpu": "2", "example.com/x": "1m"}, "requests": {"cpu": "1m"}}}]}})
        );
    }

    #[test]
    fn empty_lists_and_maps_go_and_empty_structures_stay() {
        let object = json!({"metadata": {"annotations": {}, "labels": null, "creationTimestamp": null}, "spec": {
            "volumes": [{"name": "v", "emptyDir": {}}], "containers": [{"name": "a", "command": [], "securityContext": {}}],
            "tolerations": []}});
        assert_eq!(
            stored("", "Pod", object),
            json!({"metadata": {}, "spec": {
                "volumes": [{"name": "v", "emptyDir": {}}], "containers": [{"name": "a", "securityContext": {}}]}})
        );
    }

    #[test]
    fn string_data_becomes_data() {
        assert_eq!(
            stored("", "Secret", json!({"data": {"b": "eA=="}, "stringData": {"a": "hello"}})),
            json!({"data": {"a": "aGVsbG8=", "b": "eA=="}})
        );
    }

    #[test]
    fn times_are_stored_in_whole_seconds_of_utc() {
        let time = |text: &str| json!({"spec": {"renewTime": text, "acquireTime": null}, "metadata": {"deletionTimestamp": text}});
        assert_eq!(
            stored("coordination.k8s.io", "Lease", time("2026-01-02T04:04:05.5+01:00")),
            json!({"spec": {"renewTime": "2026-01-02T03:04:05.500000Z"}, "metadata": {"deletionTimestamp": "2026-01-02T03:04:05Z"}})
        );
    }

    #[test]
    fn custom_resources_keep_what_is_empty() {
        let mut object = json!({"spec": {"a": {}, "b": [], "c": null}, "metadata": {}});
        let before = object.clone();
        canonicalise(&Schema::deduced(), &mut object);
        assert_eq!(object, before);
    }
}
