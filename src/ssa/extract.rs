//! The part of an object that a field set covers, found without a schema.

use std::cmp::Ordering;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::field_set::{FieldSet, FieldsError};
use super::json;
use super::key::Key;
use super::path::PathElement;

/// A part of an object that borrows from it: whoever only digests it needs no copy of a thousand objects.
#[derive(Debug, Clone, PartialEq)]
pub enum Part<'v> {
    /// Nothing of it.
    Nothing,
    /// All of it.
    Whole(&'v Value),
    /// Some fields of a map, sorted by their names.
    Map(Vec<(&'v str, Part<'v>)>),
    /// Some items of a list, in its order.
    List(Vec<Part<'v>>),
}

impl Part<'_> {
    /// Returns the part as a value; null if it is nothing.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::Whole(value) => (*value).clone(),
            Self::Map(map) => map.iter().map(|(name, part)| ((*name).to_owned(), part.to_value())).collect(),
            Self::List(items) => items.iter().map(Self::to_value).collect(),
        }
    }
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_unit(),
            Self::Whole(value) => value.serialize(serializer),
            Self::Map(map) => serializer.collect_map(map.iter().map(|(name, part)| (name, part))),
            Self::List(items) => serializer.collect_seq(items),
        }
    }
}

/// Returns the part of an object that a field set covers; null if it covers nothing of it. See [`part_of`].
#[must_use]
pub fn extract(object: &Value, fields: &FieldSet) -> Value {
    part_of(object, fields).to_value()
}

/// Returns the part of an object that a field set covers.
///
/// A member below which the set has nothing takes the whole value there. Items of lists keep the object's order, and the
/// key fields of an item come along, so that it can be recognised.
#[must_use]
pub fn part_of<'v>(object: &'v Value, fields: &FieldSet) -> Part<'v> {
    covered(object, fields).unwrap_or(Part::Nothing)
}

/// Returns the part of an object that a field set covers which is still in its encoding, `FieldsV1`: the same as reading the
/// set first, for a fraction of the time. Steps into maps, which are nearly all, are taken as they stand.
///
/// # Errors
/// Where the encoding is broken, or has steps that are not known; one that leads nowhere is not looked into.
pub fn part_of_encoded<'v>(object: &'v Value, fields: &Value) -> Result<Part<'v>, FieldsError> {
    Ok(encoded(object, fields)?.unwrap_or(Part::Nothing))
}

fn encoded<'v>(value: &'v Value, fields: &Value) -> Result<Option<Part<'v>>, FieldsError> {
    let (Value::Object(map), Value::Object(steps)) = (value, fields) else {
        return Ok(covered(value, &FieldSet::from_fields_v1(fields)?));
    };
    // The steps are sorted, and so is what is taken of them.
    let mut part = Vec::with_capacity(steps.len());
    for (step, below) in steps {
        if step == "." {
            continue;
        }
        let name = step.strip_prefix("f:").ok_or_else(|| FieldsError::Step(step.clone()))?;
        let Some((name, value)) = map.get_key_value(name) else { continue };
        let Value::Object(inner) = below else { return Err(FieldsError::NotAMap(step.clone())) };
        let dot = inner.contains_key(".");
        let is_member = dot || inner.is_empty();
        let goes_on = inner.len() > usize::from(dot);
        let value = match (is_member, goes_on) {
            (true, false) => Part::Whole(value),
            (true, true) => encoded(value, below)?.unwrap_or_else(|| emptied(value)),
            (false, _) => match encoded(value, below)? {
                Some(value) => value,
                None => continue,
            },
        };
        part.push((name.as_str(), value));
    }
    Ok((!part.is_empty()).then_some(Part::Map(part)))
}

fn covered<'v>(value: &'v Value, fields: &FieldSet) -> Option<Part<'v>> {
    match value {
        Value::Object(map) => of_map(map, fields),
        Value::Array(items) => of_list(items, fields),
        _ => None,
    }
}

fn of_map<'v>(map: &'v Map<String, Value>, fields: &FieldSet) -> Option<Part<'v>> {
    let mut part = Vec::new();
    for (element, member, below) in fields.children() {
        let PathElement::Field(name) = element else { continue };
        let Some((name, value)) = map.get_key_value(name) else { continue };
        let value = match (member, below.is_empty()) {
            (true, true) => Part::Whole(value),
            (true, false) => covered(value, below).unwrap_or_else(|| emptied(value)),
            (false, _) => match covered(value, below) {
                Some(value) => value,
                None => continue,
            },
        };
        part.push((name.as_str(), value));
    }
    (!part.is_empty()).then_some(Part::Map(part))
}

/// A container that somebody owns without any of its present content.
fn emptied(value: &Value) -> Part<'_> {
    match value {
        Value::Object(_) => Part::Map(Vec::new()),
        Value::Array(_) => Part::List(Vec::new()),
        scalar => Part::Whole(scalar),
    }
}

fn of_list<'v>(items: &'v [Value], fields: &FieldSet) -> Option<Part<'v>> {
    let names = common_key_names(fields);
    let mut part = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let Some((element, member, below)) = find_item(fields, names.as_deref(), index, item) else { continue };
        let value = match (member, below.is_empty()) {
            (true, true) => Some(Part::Whole(item)),
            (true, false) => Some(covered(item, below).unwrap_or_else(|| emptied(item))),
            (false, _) => covered(item, below),
        };
        if let Some(mut value) = value {
            keep_key(element, item, &mut value);
            part.push(value);
        }
    }
    (!part.is_empty()).then_some(Part::List(part))
}

fn keep_key<'v>(element: &PathElement, item: &'v Value, part: &mut Part<'v>) {
    let (PathElement::Key(key), Part::Map(part), Value::Object(item)) = (element, part, item) else { return };
    for name in key.names() {
        if let Some((name, value)) = item.get_key_value(name)
            && let Err(place) = part.binary_search_by(|(known, _)| (*known).cmp(name))
        {
            part.insert(place, (name, Part::Whole(value)));
        }
    }
}

/// Returns the key fields of the set's items, if all have the same and in the same order.
fn common_key_names(fields: &FieldSet) -> Option<Vec<String>> {
    let mut keys = fields.children().filter_map(|(element, ..)| match element {
        PathElement::Key(key) => Some(key),
        _ => None,
    });
    let first = keys.next()?;
    keys.all(|key| key.len() == first.len() && key.names().eq(first.names())).then(|| first.names().cloned().collect())
}

type Found<'f> = (&'f PathElement, bool, &'f FieldSet);

fn find_item<'f>(fields: &'f FieldSet, names: Option<&[String]>, index: usize, item: &Value) -> Option<Found<'f>> {
    let Value::Object(map) = item else {
        let by_value = |element: &PathElement| match element {
            PathElement::Value(value) => json::order(value, item),
            PathElement::Index(_) => Ordering::Greater,
            PathElement::Field(_) | PathElement::Key(_) => Ordering::Less,
        };
        return fields.child_by(by_value).or_else(|| by_index(fields, index));
    };
    if let Some(names) = names
        && names.iter().all(|name| map.contains_key(name))
    {
        let by_key = |element: &PathElement| match element {
            PathElement::Key(key) => order_of_key(key, map),
            PathElement::Field(_) => Ordering::Less,
            PathElement::Value(_) | PathElement::Index(_) => Ordering::Greater,
        };
        return fields.child_by(by_key).or_else(|| by_index(fields, index));
    }
    let by_part_of_key = fields.children().find(|(element, ..)| match element {
        PathElement::Key(key) => could_be(key, map),
        _ => false,
    });
    by_part_of_key.or_else(|| by_index(fields, index))
}

fn by_index(fields: &FieldSet, index: usize) -> Option<Found<'_>> {
    fields.child_by(|element| element.cmp(&PathElement::Index(index)))
}

fn order_of_key(key: &Key, map: &Map<String, Value>) -> Ordering {
    key.iter()
        .map(|(name, value)| map.get(name).map_or(Ordering::Greater, |actual| json::order(value, actual)))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Tells whether an item that leaves out part of a key could be the one that the key names: what it has must agree, it must
/// have some of it, and a protocol that is left out is TCP. Other defaults are not known without a schema.
fn could_be(key: &Key, map: &Map<String, Value>) -> bool {
    let agrees = key.iter().all(|(name, value)| match map.get(name) {
        Some(actual) => json::equal(value, actual),
        None => name != "protocol" || value == "TCP",
    });
    agrees && key.names().any(|name| map.contains_key(name))
}

/// Returns the value at a path, where there is one.
#[must_use]
pub fn value_at<'v>(object: &'v Value, path: &[PathElement]) -> Option<&'v Value> {
    path.iter().try_fold(object, |value, element| match element {
        PathElement::Field(name) => value.get(name),
        PathElement::Index(index) => value.get(index),
        PathElement::Value(sought) => value.as_array()?.iter().find(|item| json::equal(item, sought)),
        PathElement::Key(key) => {
            let items = || value.as_array().into_iter().flatten();
            let whole = |item: &&Value| item.as_object().is_some_and(|map| order_of_key(key, map) == Ordering::Equal);
            items().find(whole).or_else(|| items().find(|item| item.as_object().is_some_and(|map| could_be(key, map))))
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::field_set::tests::set;
    use crate::ssa::path::Path;

    fn service() -> Value {
        json!({"metadata": {"name": "s", "labels": {"a": "1", "b": "2"}, "finalizers": ["x/b", "x/a"]},
            "spec": {"selector": {"app": "x"}, "type": "ClusterIP", "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                {"name": "web", "port": 80, "targetPort": 8080},
                {"name": "tcp", "port": 53, "protocol": "TCP"}]}})
    }

    #[test]
    fn items_are_found_by_key_and_keep_their_order() {
        let fields = set(&[
            ".spec.ports[port=80,protocol=\"TCP\"]",
            ".spec.ports[port=80,protocol=\"TCP\"].targetPort",
            ".spec.ports[port=53,protocol=\"UDP\"]",
            ".spec.ports[port=53,protocol=\"UDP\"].name",
            ".spec.selector",
            ".metadata.finalizers[=\"x/a\"]",
            ".metadata.labels.b",
            ".metadata.annotations.c",
        ]);
        assert_eq!(
            extract(&service(), &fields),
            json!({"metadata": {"labels": {"b": "2"}, "finalizers": ["x/a"]}, "spec": {"selector": {"app": "x"}, "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP"}, {"port": 80, "targetPort": 8080}]}})
        );
    }

    #[test]
    fn an_encoded_set_covers_the_same_as_the_set() {
        let sets: [&[&str]; 6] = [
            &[
                ".spec.ports[port=80,protocol=\"TCP\"]",
                ".spec.ports[port=80,protocol=\"TCP\"].targetPort",
                ".spec.type",
            ],
            &[".spec.selector", ".metadata.labels", ".metadata.labels.b", ".metadata.finalizers[=\"x/a\"]"],
            &[".metadata.labels", ".metadata.labels.z", ".data"],
            &[".spec.ports", ".spec.ports[port=9,protocol=\"TCP\"].name"],
            &[".metadata.name.below", ".spec.type", ".spec.type.below", ".spec"],
            &[],
        ];
        for paths in sets {
            let fields = set(paths);
            assert_eq!(
                part_of_encoded(&service(), &fields.to_fields_v1()),
                Ok(part_of(&service(), &fields)),
                "{paths:?}"
            );
        }
        assert!(part_of_encoded(&service(), &json!({"f:spec": {"x:new": {}}})).is_err());
        assert!(part_of_encoded(&service(), &json!({"f:spec": 1})).is_err());
    }

    #[test]
    fn what_is_owned_and_gone_is_no_part() {
        assert_eq!(extract(&service(), &set(&[".spec.ports[port=9,protocol=\"TCP\"]", ".data"])), Value::Null);
        assert_eq!(
            extract(&service(), &set(&[".metadata.labels", ".metadata.labels.z"])),
            json!({"metadata": {"labels": {}}})
        );
    }

    #[test]
    fn values_are_found_at_their_path() {
        let at = |path: &str| value_at(&service(), &Path::parse(path).unwrap()).cloned();
        assert_eq!(at(".spec.ports[port=53,protocol=\"TCP\"].name"), Some(json!("tcp")));
        assert_eq!(at(".spec.ports[port=80,protocol=\"TCP\"].name"), Some(json!("web")));
        assert_eq!(at(".spec.ports[1].name"), Some(json!("web")));
        assert_eq!(at(".metadata.finalizers[=\"x/a\"]"), Some(json!("x/a")));
        assert_eq!(at(".spec.ports[port=80,protocol=\"UDP\"]"), None);
        assert_eq!(at(".spec.nothing.here"), None);
    }
}
