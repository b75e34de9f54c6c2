//! Parts of objects: what nobody looks at is passed over while an answer is read, which takes a fraction of the time that
//! taking it apart does. Managed fields are half of most objects.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// What is read of a value. The items of a list are read alike.
enum Part {
    Whole,
    Nothing,
    /// Parts of some fields, and all others or none of them.
    Of(&'static [(&'static str, Part)], Others),
}

#[derive(Clone, Copy)]
enum Others {
    Whole,
    Nothing,
}

const METADATA: (&str, Part) = ("metadata", Part::Of(&[("managedFields", Part::Nothing)], Others::Whole));

const UNMANAGED: Part = Part::Of(&[METADATA], Others::Whole);

const HOST: Part = Part::Of(
    &[
        ("apiVersion", Part::Whole),
        ("kind", Part::Whole),
        METADATA,
        (
            "spec",
            Part::Of(
                &[("selector", Part::Whole), ("containers", Part::Of(&[("name", Part::Whole)], Others::Nothing))],
                Others::Nothing,
            ),
        ),
        ("status", Part::Whole),
    ],
    Others::Nothing,
);

const ALLOWED: Part = Part::Of(&[("status", Part::Of(&[("allowed", Part::Whole)], Others::Nothing))], Others::Nothing);

/// An object without its managed fields.
pub(super) struct Unmanaged(pub(super) Value);

/// Of a pod, or of what has pods, how it is and what it is called, which pods it selects, and the names of its containers.
pub(super) struct Host(pub(super) Value);

/// Of a review, whether it is allowed.
pub(super) struct Allowed(pub(super) Value);

impl<'de> Deserialize<'de> for Unmanaged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reading(&UNMANAGED).deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reading(&HOST).deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Allowed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reading(&ALLOWED).deserialize(deserializer).map(Self)
    }
}

impl From<Unmanaged> for Value {
    fn from(read: Unmanaged) -> Self {
        read.0
    }
}

impl From<Host> for Value {
    fn from(read: Host) -> Self {
        read.0
    }
}

struct Reading(&'static Part);

impl<'de> DeserializeSeed<'de> for Reading {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.0 {
            Part::Whole => Value::deserialize(deserializer),
            Part::Nothing => IgnoredAny::deserialize(deserializer).map(|_| Value::Null),
            Part::Of(fields, others) => deserializer.deserialize_any(Fields { part: self.0, fields, others: *others }),
        }
    }
}

struct Fields {
    part: &'static Part,
    fields: &'static [(&'static str, Part)],
    others: Others,
}

impl<'de> Visitor<'de> for Fields {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let part = match (self.fields.iter().find(|(field, _)| *field == key), self.others) {
                (Some((_, part)), _) => part,
                (None, Others::Whole) => &Part::Whole,
                (None, Others::Nothing) => &Part::Nothing,
            };
            let value = access.next_value_seed(Reading(part))?;
            if !matches!(part, Part::Nothing) {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Reading(self.part))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_looked_at_is_not_there() {
        let pod = json!({
            "kind": "Pod", "metadata": {"name": "a", "managedFields": [{"manager": "m"}], "labels": {"l": "1"}},
            "spec": {"containers": [{"name": "c", "image": "i"}, {"name": "d"}], "volumes": []}, "status": {"n": [1.5, null]}
        });
        let text = pod.to_string();
        let mut unmanaged = pod.clone();
        unmanaged["metadata"].as_object_mut().unwrap().remove("managedFields");
        assert_eq!(serde_json::from_str::<Unmanaged>(&text).unwrap().0, unmanaged);
        unmanaged["spec"] = json!({"containers": [{"name": "c"}, {"name": "d"}]});
        assert_eq!(serde_json::from_str::<Host>(&text).unwrap().0, unmanaged);
        for other in [json!({"metadata": "text"}), json!(null), json!([true, -1]), json!({"spec": {"containers": 7}})] {
            assert_eq!(serde_json::from_str::<Host>(&other.to_string()).unwrap().0, other);
        }
        assert!(serde_json::from_str::<Host>(r#"{"other": [}"#).is_err(), "what is passed over is JSON all the same");
        let review = serde_json::from_str::<Allowed>(r#"{"spec": {}, "status": {"allowed": true, "reason": ""}}"#);
        assert_eq!(review.unwrap().0, json!({"status": {"allowed": true}}));
    }
}
