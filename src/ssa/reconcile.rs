//! Ownership that was recorded when a kind had another schema, read with the schema of today.

use super::field_set::FieldSet;
use super::path::PathElement;
use super::schema::{Branch, ListKind, Schema, TypeRef, TypeTable};

/// Returns the set as it reads today: what somebody owned inside a value that is atomic now becomes that value. `None` if it
/// reads as it did, as nearly every one does.
pub(crate) fn reconciled(schema: &Schema, fields: &FieldSet) -> Option<FieldSet> {
    reads_otherwise(&schema.types, &schema.reference, fields).then(|| below(&schema.types, &schema.reference, fields))
}

fn reads_otherwise(types: &TypeTable, reference: &TypeRef, fields: &FieldSet) -> bool {
    fields.children().filter(|(_, _, children)| !children.is_empty()).any(|(element, _, children)| {
        inside(types, reference, element).is_some_and(|inside| {
            is_atomic_container(types, inside, children) || reads_otherwise(types, inside, children)
        })
    })
}

fn below(types: &TypeTable, reference: &TypeRef, fields: &FieldSet) -> FieldSet {
    let mut result = FieldSet::new();
    for (element, member, children) in fields.children() {
        let inside = inside(types, reference, element);
        if let Some(inside) = inside
            && !(member && children.is_empty())
            && is_atomic_container(types, inside, children)
        {
            result.insert_node(element.clone(), true, FieldSet::new());
            continue;
        }
        let children = match inside {
            Some(inside) => below(types, inside, children),
            None => children.clone(),
        };
        result.insert_node(element.clone(), member, children);
    }
    result
}

/// Returns the type one step further; `None` where the schema has nothing to say.
fn inside<'a>(types: &'a TypeTable, reference: &'a TypeRef, element: &PathElement) -> Option<&'a TypeRef> {
    match (types.resolve(reference).branch(None)?, element) {
        (Branch::Map(view), PathElement::Field(name)) if !matches!(reference, TypeRef::Deduced) => view.map.under(name),
        (Branch::List(list), PathElement::Key(_) | PathElement::Value(_)) => Some(&list.element),
        _ => None,
    }
}

fn is_atomic_container(types: &TypeTable, reference: &TypeRef, children: &FieldSet) -> bool {
    match types.resolve(reference).branch(None) {
        Some(Branch::Map(view)) => view.atomic && !children.is_empty(),
        Some(Branch::List(list)) => list.kind == ListKind::Atomic,
        Some(Branch::Scalar(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssa::builtin;
    use crate::ssa::field_set::tests::set;

    #[test]
    fn what_is_inside_a_value_that_is_atomic_now_becomes_the_value() {
        let deployment = builtin("apps", "v1", "Deployment").unwrap();
        let old = set(&[".spec.selector.matchLabels.app", ".spec.replicas", ".metadata.labels.app"]);
        assert_eq!(
            reconciled(&deployment, &old),
            Some(set(&[".spec.selector", ".spec.replicas", ".metadata.labels.app"]))
        );
        let current = set(&[".spec.selector", ".spec.gone.x"]);
        assert_eq!(reconciled(&deployment, &current), None);
    }
}
