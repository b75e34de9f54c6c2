//! Which object a write means: what its body says of the uid and of the resource version.

use serde_json::{Value, json};

use super::{Place, metadata};
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::{FieldProblem, Refusal};

/// Groups and kinds of which nobody may replace an object without saying at which resource version it was read
/// (`AllowUnconditionalUpdate`), custom resources apart.
const CONDITIONAL: [(&str, &[&str]); 8] = [
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("certificates.k8s.io", &["ClusterTrustBundle"]),
    ("coordination.k8s.io", &["Lease", "LeaseCandidate"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy", &["PodDisruptionBudget"]),
    ("storage.k8s.io", &["CSIDriver", "CSINode", "CSIStorageCapacity", "VolumeAttachment"]),
];

/// Where the server keeps kinds that it does not keep under their plural alone.
const FOLDERS: [(&str, &str, &str); 7] = [
    ("", "endpoints", "services/endpoints"),
    ("", "nodes", "minions"),
    ("", "replicationcontrollers", "controllers"),
    ("", "services", "services/specs"),
    ("apiextensions.k8s.io", "customresourcedefinitions", "apiextensions.k8s.io/customresourcedefinitions"),
    ("apiregistration.k8s.io", "apiservices", "apiregistration.k8s.io/apiservices"),
    ("networking.k8s.io", "ingresses", "ingress"),
];

/// A PUT is for the object with the uid that its body names; `live` is what is there.
pub(super) fn check_uid(place: &Place, live: Option<&Value>, object: &Value, dry_run: bool) -> Result<(), Refusal> {
    let actual = live.map(|live| metadata::text(live, "uid")).unwrap_or_default();
    let given = metadata::text(object, "uid");
    if given.is_empty() || given == actual {
        return Ok(());
    }
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: \
         UID in precondition: {given}, UID in object meta: {actual}",
        registry_key(place, dry_run)
    );
    Err(Refusal::conflict(&place.kind, &place.name, &why))
}

/// The object has not moved on since the body was read, if the body says when that was.
pub(super) fn check_revision(kind: &Kind, name: &str, live: &Value, object: &Value) -> Result<(), Refusal> {
    let text = metadata::text(object, "resourceVersion");
    let revision: u64 = match text {
        "" => 0,
        text => {
            text.parse().map_err(|_| Refusal::plain(format!("strconv.ParseUint: parsing {text:?}: invalid syntax")))?
        }
    };
    if revision == 0 {
        let kinds = CONDITIONAL.iter().find(|(group, _)| *group == kind.group).map(|(_, kinds)| *kinds);
        if kind.custom.is_some() || kinds.is_some_and(|kinds| kinds.contains(&kind.kind.as_str())) {
            let problem =
                FieldProblem::invalid("metadata.resourceVersion", &json!(0), "must be specified for an update");
            return Err(Refusal::invalid_as(&kind.group, &kind.plural, name, &[problem]));
        }
        return Ok(());
    }
    if text == metadata::text(live, "resourceVersion") { Ok(()) } else { Err(Refusal::modified(kind, name)) }
}

/// The key under which the server keeps an object, as it tells it: a dry run knows no folder of all of them.
fn registry_key(place: &Place, dry_run: bool) -> String {
    let kind = &place.kind;
    let known = FOLDERS.iter().find(|(group, plural, _)| kind.group == *group && kind.plural == *plural);
    let folder = match known {
        Some((_, _, folder)) => (*folder).to_owned(),
        None if kind.custom.is_some() => format!("{}/{}", kind.group, kind.plural),
        None => kind.plural.clone(),
    };
    let namespace = if kind.namespaced { format!("{}/", place.namespace) } else { String::new() };
    let root = if dry_run { "" } else { "/registry" };
    format!("{root}/{folder}/{namespace}{}", place.name)
}
