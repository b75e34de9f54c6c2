//! A part that was merged, put back into the object that it is of.

use serde_json::{Map, Value};

use super::part::Touched;
use crate::ssa::item::is_same_item;
use crate::ssa::schema::{ListType, Schema, TypeRef, TypeTable};

/// Puts into `object`, from which a part was taken, what became of that part. Returns which places of the object these are
/// now; `None` if that is not clear, and then the object is in pieces.
pub(in crate::ssa) fn put_back(schema: &Schema, object: &mut Value, part: Value, touched: Touched) -> Option<Touched> {
    value(&schema.types, &schema.reference, object, part, touched)
}

fn value(types: &TypeTable, reference: &TypeRef, object: &mut Value, part: Value, touched: Touched) -> Option<Touched> {
    match (touched, object, part) {
        (Touched::Whole, object, part) => {
            *object = part;
            Some(Touched::Whole)
        }
        (Touched::Fields(fields), Value::Object(object), Value::Object(part)) => {
            map(types, reference, object, part, fields).map(Touched::Fields)
        }
        (Touched::Items(items), Value::Array(object), Value::Array(part)) => {
            list(types, types.resolve(reference).list?, object, part, items).map(Touched::Items)
        }
        _ => None,
    }
}

fn map(
    types: &TypeTable,
    reference: &TypeRef,
    object: &mut Map<String, Value>,
    mut part: Map<String, Value>,
    fields: Vec<(String, Touched)>,
) -> Option<Vec<(String, Touched)>> {
    let declared = types.resolve(reference).map?.map;
    let mut left = Vec::with_capacity(fields.len());
    for (name, touched) in fields {
        match (part.remove(&name), object.get_mut(&name)) {
            (Some(part), Some(object)) => {
                let touched = value(types, declared.under(&name)?, object, part, touched)?;
                left.push((name, touched));
            }
            (Some(part), None) => {
                object.insert(name.clone(), part);
                left.push((name, Touched::Whole));
            }
            (None, _) => {
                object.remove(&name);
                left.push((name, Touched::Whole));
            }
        }
    }
    // Something went over into another field.
    part.is_empty().then_some(left)
}

fn list(
    types: &TypeTable,
    declared: &ListType,
    object: &mut Vec<Value>,
    part: Vec<Value>,
    items: Vec<(usize, Touched)>,
) -> Option<Vec<(usize, Touched)>> {
    let mut part = part.into_iter().peekable();
    let mut left = Vec::with_capacity(items.len());
    let mut gone = Vec::new();
    for (place, touched) in items {
        let item = object.get_mut(place)?;
        match part.next_if(|part| is_same_item(types, declared, part, item)) {
            Some(part) => left.push((place - gone.len(), value(types, &declared.element, item, part, touched)?)),
            None => gone.push(place),
        }
    }
    let mut gone = gone.into_iter().peekable();
    let mut place = 0..;
    object.retain(|_| gone.next_if_eq(&place.next().unwrap_or_default()).is_none());
    for item in part {
        left.push((object.len(), Touched::Whole));
        object.push(item);
    }
    Some(left)
}
