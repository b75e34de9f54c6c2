//! Kinds that are answered but not stored: reviews, and what subresources take.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};

use super::Kind;
use crate::sandbox::openapi::{MORE_TYPES, definitions_of};
use crate::ssa::Schema;

/// What is posted to a resource of its own.
const REVIEWS: [(&str, &str, &str); 7] = [
    ("", "v1", "Binding"),
    ("authentication.k8s.io", "v1", "SelfSubjectReview"),
    ("authentication.k8s.io", "v1", "TokenReview"),
    ("authorization.k8s.io", "v1", "LocalSubjectAccessReview"),
    ("authorization.k8s.io", "v1", "SelfSubjectAccessReview"),
    ("authorization.k8s.io", "v1", "SelfSubjectRulesReview"),
    ("authorization.k8s.io", "v1", "SubjectAccessReview"),
];

/// What is only read or written below other objects.
const BELOW: [(&str, &str, &str); 3] =
    [("authentication.k8s.io", "v1", "TokenRequest"), ("autoscaling", "v1", "Scale"), ("policy", "v1", "Eviction")];

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
static KINDS_BELOW: LazyLock<Vec<Arc<Kind>>> = LazyLock::new(|| {
    let kind_of = |(group, version, kind): &(&str, &str, &str)| {
        let lower = kind.to_lowercase();
        Arc::new(Kind {
            group: (*group).to_owned(),
            version: (*version).to_owned(),
            kind: (*kind).to_owned(),
            plural: format!("{lower}s"),
            singular: lower,
            list_kind: format!("{kind}List"),
            short_names: Vec::new(),
            categories: Vec::new(),
            namespaced: true,
            verbs: Vec::new(),
            subresources: Vec::new(),
            schema: schema(group, version, kind).unwrap_or_else(Schema::deduced),
            custom: None,
        })
    };
    BELOW.iter().map(kind_of).collect()
});

/// Returns the kind of what is only read or written below other objects.
pub(super) fn below(group: &str, version: &str, kind: &str) -> Option<&'static Arc<Kind>> {
    KINDS_BELOW.iter().find(|below| below.kind == kind && below.version == version && below.group == group)
}

/// Returns the shape of a kind that is not stored.
pub(super) fn schema(group: &str, version: &str, kind: &str) -> Option<Schema> {
    Schema::from_openapi(&DOCUMENT, group, version, kind)
}

/// Returns the name of the definition of one of Kubernetes' own types.
pub(in crate::sandbox) fn type_name(group: &str, version: &str, kind: &str) -> String {
    let package = match group.split('.').next() {
        None | Some("") => "core",
        Some(first) => first,
    };
    format!("io.k8s.api.{package}.{version}.{kind}")
}

/// A document of just these kinds, with a path for each as if it had objects: that is what a schema is read from.
fn document() -> Value {
    let (mut definitions, mut paths) = (Map::new(), Map::new());
    for (group, version, kind) in REVIEWS.iter().chain(&BELOW) {
        let identity = json!({"group": group, "version": version, "kind": kind});
        let name = type_name(group, version, kind);
        definitions_of(&MORE_TYPES, &name, &mut definitions);
        if let Some(definition) = definitions.get_mut(&name) {
            definition["x-kubernetes-group-version-kind"] = json!([identity]);
        }
        let path = format!("/apis/{group}/{version}/{}s/{{name}}", kind.to_lowercase());
        paths.insert(path, json!({"post": {"x-kubernetes-group-version-kind": identity}}));
    }
    json!({"paths": paths, "components": {"schemas": definitions}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_what_is_only_posted_is_known() {
        let review = schema("authorization.k8s.io", "v1", "SubjectAccessReview").unwrap();
        assert_eq!(review.type_name(), Some("io.k8s.api.authorization.v1.SubjectAccessReview"));
        assert!(review.is_builtin());
        let spec = review.field("spec").unwrap();
        assert!(spec.field("resourceAttributes").unwrap().field_names().contains(&"subresource"));
        assert!(spec.field("nonsense").is_none());
        let eviction = below("policy", "v1", "Eviction").unwrap();
        assert!(eviction.schema.field("deleteOptions").unwrap().field("gracePeriodSeconds").is_some());
        assert!(below("policy", "v1", "PodDisruptionBudget").is_none());
    }
}
