//! Objects of which the server writes what it reads, or nearly: most are. They are looked over and changed where they stand,
//! instead of being made anew; what is unusual in any way, or wrong, is for the [decoder](super::structure).

use serde_json::Value;

use super::scalar;
use super::time::Layout;
use super::written::{fill, is_left_out, strip, unread, zero};
use super::{Empties, finish, time};
use crate::resource::quantity::Quantity;
use crate::sandbox::kind::Kind;
use crate::sandbox::structure::{GoField, GoType, fields_of, of_kind};

const QUANTITY: &str = "resource.Quantity";

/// What was seen in an object that the decoder has nothing to say of.
#[derive(Default)]
pub(super) struct Seen {
    /// The server writes it otherwise.
    pub(super) changes: bool,
    /// There are empty lists or maps.
    pub(super) empties: bool,
    /// There are quantities that are spelled otherwise, or were not given.
    pub(super) quantities: bool,
}

/// Reads an object of a kind, or gives it back as it was.
pub(super) fn read(resource: &Kind, mut object: Value) -> Result<(Value, Empties), Value> {
    let go_type = of_kind(&resource.group, &resource.version, &resource.kind);
    let Some(go_type) = go_type.filter(|_| resource.custom.is_none() && says_its_kind(resource, &object)) else {
        return Err(object);
    };
    let Some(seen) = look(&go_type, &object) else { return Err(object) };
    #[cfg(test)]
    let expected = tests::decoded(resource, &go_type, &object);
    let empties = match seen.empties || seen.quantities {
        true => Empties::of_kind(resource, &go_type, &object),
        false => Empties::default(),
    };
    if seen.changes {
        settle(&go_type, &mut object);
    }
    finish(resource, &mut object);
    #[cfg(test)]
    assert_eq!((&object, &empties), (&expected.0, &expected.1), "the decoder reads it otherwise");
    Ok((object, empties))
}

/// Tells whether an object is of the kind that is written to, as far as it says.
fn says_its_kind(resource: &Kind, object: &Value) -> bool {
    let api_version = match object.get("apiVersion") {
        Some(Value::String(said)) => said.as_str(),
        None => "",
        Some(_) => return false,
    };
    let of_group = match resource.group.as_str() {
        "" => Some(api_version),
        group => api_version.strip_prefix(group).and_then(|rest| rest.strip_prefix('/')),
    };
    let is_version = api_version.is_empty() || of_group == Some(&resource.version);
    is_version && object.get("kind").is_none_or(|said| *said == resource.kind)
}

/// Looks over a value that is to be read into a structure; `None` if there is anything to tell.
pub(super) fn look(go_type: &GoType, object: &Value) -> Option<Seen> {
    let owners = object.get("metadata").and_then(|metadata| metadata.get("managedFields"));
    // It says that nobody is to own anything.
    if owners.and_then(Value::as_array).is_some_and(Vec::is_empty) {
        return None;
    }
    let mut seen = Seen::default();
    seen.value(go_type, object).map(|()| seen)
}

impl Seen {
    fn value(&mut self, go_type: &GoType, value: &Value) -> Option<()> {
        if value.is_null() {
            self.changes = true;
            self.quantities |= is_quantity(go_type);
            return Some(()).filter(|()| !reads_null(go_type));
        }
        match (go_type, value) {
            (GoType::Pointer(inner), _) => self.value(inner, value),
            (GoType::Bytes, Value::String(text)) => {
                self.changes |= scalar::base64(text).ok()? != *text;
                Some(())
            }
            (GoType::List(inner), Value::Array(items)) => {
                self.empties |= items.is_empty();
                items.iter().try_for_each(|item| self.value(inner, item))
            }
            (GoType::Map(_, inner), Value::Object(map)) => {
                self.empties |= map.is_empty();
                map.values().try_for_each(|value| self.value(inner, value))
            }
            (GoType::Basic("any"), _) => self.untyped(value),
            (GoType::Basic("string"), Value::String(_)) | (GoType::Basic("bool"), Value::Bool(_)) => Some(()),
            (GoType::Basic("string" | "bool" | "float32" | "float64"), _) => None,
            (GoType::Basic(basic), Value::Number(number)) => {
                number.as_i64().filter(|number| scalar::fits(basic, *number)).map(drop)
            }
            (GoType::Named(name), _) => match (fields_of(name), value) {
                (Some(fields), Value::Object(_)) => self.structure(fields, value),
                (Some(_), _) => None,
                (None, _) if go_type.underlying() != go_type => {
                    if **name == *"core.v1.ResourceList" {
                        let amounts = value.as_object()?.values().filter_map(Value::as_str);
                        self.changes |= amounts.into_iter().any(|amount| !is_in_milli(amount));
                    }
                    self.value(go_type.underlying(), value)
                }
                (None, _) => self.opaque(name, value),
            },
            _ => None,
        }
    }

    fn structure(&mut self, fields: &'static [GoField], value: &Value) -> Option<()> {
        let map = value.as_object()?;
        for (key, value) in map {
            let field = fields.iter().find(|field| field.name == key)?;
            self.value(&field.go_type, value)?;
            self.changes |= is_left_out(field, value);
        }
        for field in fields.iter().filter(|field| unread(field).is_some() && !map.contains_key(field.name)) {
            self.changes = true;
            self.quantities |= is_quantity(&field.go_type);
        }
        Some(())
    }

    /// A type that reads its JSON by itself.
    fn opaque(&mut self, name: &str, value: &Value) -> Option<()> {
        match (name, value) {
            (QUANTITY, Value::String(text)) => {
                if !scalar::is_usual_amount(text) && Quantity::parse(text).ok()?.canonical() != *text {
                    self.changes = true;
                    self.quantities = true;
                }
            }
            ("meta.v1.Time" | "meta.v1.MicroTime", Value::String(text)) => {
                let layout = layout_of(name);
                self.changes |=
                    !time::is_usual(layout, text) && time::parse(layout, text).ok()?.as_deref() != Some(text);
            }
            ("meta.v1.Duration" | "intstr.IntOrString", Value::String(_)) => {}
            ("intstr.IntOrString", Value::Number(number)) => {
                number.as_i64().filter(|number| scalar::fits("int32", *number))?;
            }
            ("meta.v1.FieldsV1", Value::Object(map)) => self.empties |= map.is_empty(),
            ("runtime.RawExtension" | "runtime.Object", _) => self.untyped(value)?,
            _ => return None,
        }
        Some(())
    }

    fn untyped(&mut self, value: &Value) -> Option<()> {
        match value {
            Value::Number(number) => number.as_i64().map(drop),
            Value::Array(items) => {
                self.empties |= items.is_empty();
                items.iter().try_for_each(|item| self.untyped(item))
            }
            Value::Object(map) => {
                self.empties |= map.is_empty();
                map.values().try_for_each(|value| self.untyped(value))
            }
            _ => Some(()),
        }
    }
}

fn layout_of(name: &str) -> Layout {
    if name == "meta.v1.Time" { Layout::Seconds } else { Layout::Microseconds }
}

/// Tells whether nothing is read as something of its own.
fn reads_null(go_type: &GoType) -> bool {
    matches!(go_type, GoType::Named(name) if **name == *"apiextensions.v1.JSONSchemaPropsOrBool")
}

fn is_quantity(go_type: &GoType) -> bool {
    matches!(go_type.pointed(), GoType::Named(name) if **name == *QUANTITY)
}

fn is_in_milli(text: &str) -> bool {
    scalar::is_usual_amount(text)
        || Quantity::parse(text).is_ok_and(|quantity| quantity.rounded_to_milli().canonical() == quantity.canonical())
}

/// Makes of a value that was looked over what the server writes of it.
pub(super) fn settle(go_type: &GoType, value: &mut Value) {
    if value.is_null() {
        *value = zero(go_type);
        return;
    }
    match (go_type, value) {
        (GoType::Pointer(inner), value) => settle(inner, value),
        (GoType::Bytes, Value::String(text)) => {
            if let Ok(encoded) = scalar::base64(text) {
                *text = encoded;
            }
        }
        (GoType::List(inner), Value::Array(items)) => items.iter_mut().for_each(|item| settle(inner, item)),
        (GoType::Map(_, inner), Value::Object(map)) => {
            for value in map.values_mut() {
                settle(inner, value);
                if value.is_null() && **inner == GoType::Bytes {
                    *value = Value::from("");
                }
            }
        }
        (GoType::Named(name), value) => match (fields_of(name), value) {
            (Some(fields), Value::Object(map)) => {
                let mut strips = false;
                for (key, value) in map.iter_mut() {
                    if let Some(field) = fields.iter().find(|field| field.name == key) {
                        settle(&field.go_type, value);
                        strips |= is_left_out(field, value);
                    }
                }
                if strips {
                    strip(fields, map);
                }
                fill(fields, map);
            }
            (None, value) if go_type.underlying() != go_type => {
                settle(go_type.underlying(), value);
                if **name == *"core.v1.ResourceList" {
                    scalar::round_to_milli(value);
                }
            }
            (None, value) => settle_opaque(name, value),
            _ => {}
        },
        _ => {}
    }
}

fn settle_opaque(name: &str, value: &mut Value) {
    let Value::String(text) = &*value else { return };
    let written = match name {
        QUANTITY if !scalar::is_usual_amount(text) => {
            Quantity::parse(text).ok().map(|quantity| Value::from(quantity.canonical()))
        }
        "meta.v1.Time" | "meta.v1.MicroTime" if !time::is_usual(layout_of(name), text) => {
            time::parse(layout_of(name), text).ok().map(Value::from)
        }
        _ => None,
    };
    if let Some(written) = written {
        *value = written;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::decode::node::Node;
    use crate::sandbox::decode::structure::{Reading, decode};
    use crate::sandbox::kinds::Kinds;

    /// Returns what the decoder reads, which has nothing to tell: all that a test reads is read in both ways.
    pub(super) fn decoded(resource: &Kind, go_type: &GoType, object: &Value) -> (Value, Empties) {
        let mut read = decode(Reading::Json, go_type, &Node::of(object)).unwrap();
        assert_eq!(read.strict, [""; 0]);
        finish(resource, &mut read.value);
        (read.value, Empties::of_kind(resource, go_type, object))
    }

    #[test]
    fn what_is_usual_is_read_where_it_stands_and_the_rest_is_given_back() {
        let kinds = Kinds::new();
        let read = |kind: &str, object: Value| read(kinds.by_kind("", kind).unwrap(), object);
        let pod = |container: Value| json!({"metadata": {"name": "p"}, "spec": {"containers": [container]}});
        let usual = [
            json!({"name": "a", "resources": {"limits": {"cpu": "0.1", "memory": "1024Mi"}, "requests": {}}}),
            json!({"name": "a", "env": [], "command": null, "tty": false, "livenessProbe": {"httpGet": {"port": 1}}}),
            json!({"name": "a", "env": [{"name": "b", "valueFrom": {"resourceFieldRef": {"resource": "x"}}}]}),
        ];
        for container in usual {
            let mut read = read("Pod", pod(container.clone())).unwrap_or_else(|_| panic!("{container}")).0;
            assert_eq!(read["status"].take(), json!({}));
        }
        let secret = json!({"apiVersion": "v1", "stringData": {"a": "b"}, "data": {"c": "eB==", "d": null}});
        assert_eq!(read("Secret", secret).unwrap().0["data"], json!({"a": "Yg==", "c": "eA==", "d": ""}));
        let unusual = [
            json!({"name": 1}),
            json!({"name": "a", "nonsense": true}),
            json!({"name": "a", "ports": [{"containerPort": 1.5}]}),
            json!({"name": "a", "ports": [{"containerPort": 3_000_000_000_i64}]}),
            json!({"name": "a", "resources": {"limits": {"cpu": "x"}}}),
            json!({"name": "a", "resources": {"limits": {"cpu": 1}}}),
        ];
        for container in unusual {
            assert_eq!(read("Pod", pod(container.clone())), Err(pod(container)));
        }
        for other in [json!({"kind": "Secret"}), json!({"apiVersion": "v2"}), json!({"apiVersion": "apps/v1"})] {
            assert!(read("Pod", other).is_err());
        }
        assert!(read("Pod", json!({"metadata": {"managedFields": []}})).is_err());
    }
}
