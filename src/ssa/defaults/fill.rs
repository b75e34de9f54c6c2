//! Filling in: table and rules, walked along the schema.

use serde_json::{Map, Value};

use super::table::{TypeDefaults, ZeroFate, is_zero};
use crate::ssa::known::Known;
use crate::ssa::narrow::Touched;
use crate::ssa::schema::{Branch, MapType, Schema, TypeRef, TypeTable};

/// Fills in what the server fills in, as far as it is known: of Kubernetes' own kinds from the table and the rules, of
/// others what their schema says. The status of the object is left alone, and so is what nothing is known of.
pub fn with_defaults(schema: &Schema, object: &mut Value) {
    let filling = Filling { types: &schema.types, builtin: schema.is_builtin() };
    filling.value(&schema.reference, object, true);
}

/// Fills in what is missing in some places of an object, of which all others have been filled in before.
pub(crate) fn fill_touched(schema: &Schema, object: &mut Value, touched: &Touched) {
    let filling = Filling { types: &schema.types, builtin: schema.is_builtin() };
    filling.touched(&schema.reference, object, true, touched);
}

/// Fills in what is missing in a value inside an object.
pub(crate) fn fill(types: &TypeTable, reference: &TypeRef, value: &mut Value) {
    Filling { types, builtin: types.builtin }.value(reference, value, false);
}

struct Filling<'a> {
    types: &'a TypeTable,
    builtin: bool,
}

impl Filling<'_> {
    fn value(&self, reference: &TypeRef, value: &mut Value, at_root: bool) {
        match self.types.resolve(reference).branch(Some(value)) {
            Some(Branch::Map(view)) => {
                let Some(map) = value.as_object_mut().filter(|_| !view.map.is_free()) else { return };
                self.fields(reference, view.map, map, at_root);
                // Nothing is filled into a scalar.
                let inside = map.iter_mut().filter(|(_, value)| value.is_object() || value.is_array());
                for (name, value) in inside.filter(|(name, _)| !(at_root && is_apart(name))) {
                    if let Some(reference) = view.map.under(name) {
                        self.value(reference, value, false);
                    }
                }
            }
            Some(Branch::List(list)) => {
                for item in value.as_array_mut().into_iter().flatten() {
                    self.value(&list.element, item, false);
                }
            }
            Some(Branch::Scalar(_)) | None => {}
        }
    }

    /// Fills in the fields of a map that are missing.
    fn fields(&self, reference: &TypeRef, declared: &MapType, map: &mut Map<String, Value>, at_root: bool) {
        if !self.builtin {
            return from_schema(declared, map, at_root);
        }
        if let Some(known) = self.types.known(reference) {
            for rule in &known.rules {
                (rule.fill)(map);
            }
            if let Some(defaults) = known.defaults {
                from_table(known, defaults, map, at_root);
            }
        }
    }

    fn touched(&self, reference: &TypeRef, value: &mut Value, at_root: bool, touched: &Touched) {
        match (touched, self.types.resolve(reference).branch(Some(value)), &mut *value) {
            (Touched::Fields(names), Some(Branch::Map(view)), Value::Object(map)) => {
                let count = map.len();
                self.fields(reference, view.map, map, at_root);
                if map.len() != count {
                    // What was filled in may be filled in further.
                    return self.value(reference, value, at_root);
                }
                for (name, touched) in names.iter().filter(|(name, _)| !(at_root && is_apart(name))) {
                    if let (Some(reference), Some(value)) = (view.map.under(name), map.get_mut(name)) {
                        self.touched(reference, value, false, touched);
                    }
                }
            }
            (Touched::Items(places), Some(Branch::List(list)), Value::Array(items)) => {
                for (place, touched) in places {
                    if let Some(item) = items.get_mut(*place) {
                        self.touched(&list.element, item, false, touched);
                    }
                }
            }
            _ => self.value(reference, value, at_root),
        }
    }
}

/// What no default of the kind itself is about.
fn is_apart(field: &str) -> bool {
    ["apiVersion", "kind", "metadata", "status"].contains(&field)
}

fn from_table(known: &Known, table: &TypeDefaults, map: &mut Map<String, Value>, at_root: bool) {
    for (field, default) in table.defaults.iter().filter(|(field, _)| !(at_root && is_apart(field))) {
        let is_missing = match map.get(field) {
            None | Some(Value::Null) => true,
            Some(Value::Array(items)) => items.is_empty(),
            Some(value) => {
                is_zero(value)
                    && table.fate_of_zero(field) != Some(ZeroFate::Kept)
                    && !known.written.pointers.contains(field)
            }
        };
        if is_missing {
            map.insert(field.clone(), default.clone());
        }
    }
}

fn from_schema(declared: &MapType, map: &mut Map<String, Value>, at_root: bool) {
    for (field, declared) in declared.fields().iter().filter(|(field, _)| !(at_root && is_apart(field))) {
        if let Some(default) = &declared.default
            && !map.contains_key(field.as_ref())
        {
            map.insert(field.to_string(), default.clone());
        }
    }
}
