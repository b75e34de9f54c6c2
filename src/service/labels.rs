//! The labels of everything that a service makes.

use serde_json::{Map, Value, json};

use super::{Remark, ServiceContext};
use crate::resource::{STACK_LABEL, check_dns_subdomain, stack_label};

/// The label by which NetworkPolicies recognise Mathison's own pods.
pub const PART_OF_LABEL: &str = "app.kubernetes.io/part-of";

/// The value of [`PART_OF_LABEL`].
pub const PART_OF: &str = "mathison";

/// A label's value has at most so many characters.
const LONGEST_LABEL: usize = 63;

/// Returns the problem with an object's name, which is also the value of its label `app.kubernetes.io/name`.
pub(super) fn name_problem(name: &str, pointer: &str) -> Option<Remark> {
    if let Err(error) = check_dns_subdomain(name) {
        return Some(Remark::new(pointer, error.to_string()));
    }
    (name.len() > LONGEST_LABEL).then(|| {
        let length = name.len();
        let message =
            format!("the name is also a label, which has at most {LONGEST_LABEL} characters; this has {length}");
        Remark::new(pointer, message)
    })
}

/// Returns the labels of an object and of the pods it makes.
///
/// `mathison.dev/stack` is not among them: whoever puts the stack together sets it on every object, and only there.
pub(super) fn labels(context: ServiceContext<'_>, name: &str, component: &str) -> Value {
    json!({
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/instance": context.stack,
        "app.kubernetes.io/component": component,
        PART_OF_LABEL: PART_OF,
        "app.kubernetes.io/managed-by": "mathison",
    })
}

/// Returns the labels of a claim template. It carries the stack's label itself, since nobody can add it later: claim
/// templates are immutable.
pub(super) fn claim_labels(context: ServiceContext<'_>, name: &str, component: &str) -> Value {
    let mut labels = labels(context, name, component);
    labels[STACK_LABEL] = Value::from(stack_label(context.stack, context.namespace));
    labels
}

/// Returns the selector of a workload's pods. Selectors are immutable, so these two labels are all that is ever in it.
pub(super) fn selector(context: ServiceContext<'_>, name: &str) -> Value {
    json!({"app.kubernetes.io/name": name, "app.kubernetes.io/instance": context.stack})
}

/// Returns the metadata of a namespaced object.
pub(super) fn metadata(context: ServiceContext<'_>, object_name: &str, labels: &Value) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), Value::from(object_name));
    metadata.insert("namespace".to_owned(), Value::from(context.namespace));
    metadata.insert("labels".to_owned(), labels.clone());
    Value::Object(metadata)
}
