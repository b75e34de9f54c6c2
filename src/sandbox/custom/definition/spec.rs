//! What is refused in a definition.
//!
//! Source: `apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go`. What all versions have in common the
//! server keeps once, and tells of it as if it stood in `spec.validation`, `spec.subresources` and so on.

use serde_json::Value;

use super::conditions::{approval, is_condition_true, is_protected};
use super::version_rules::{check_columns, check_schema, check_selectable, check_subresources};
use super::{go_form, versions};
use crate::sandbox::custom::structural::{flag, text, texts};
use crate::sandbox::custom::validate::{dns_1035_label, dns_1123_subdomain};
use crate::sandbox::decode::scalar::is_printable;
use crate::sandbox::refusal::{FieldProblem, ProblemSort};
use crate::sandbox::validation;

/// Checks a definition whose defaults are filled in; of its metadata only what the spec demands. `live` is what it replaces.
#[must_use]
pub fn validate_definition(object: &Value, live: Option<&Value>) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let none = Value::Null;
    let spec = object.get("spec").unwrap_or(&none);
    let names = spec.get("names").unwrap_or(&none);
    let (group, plural) = (text(spec, "group"), text(names, "plural"));
    if let Some(name) = object.pointer("/metadata/name").and_then(Value::as_str)
        && live.is_none()
        && name != format!("{plural}.{group}")
    {
        let why = "must be spec.names.plural+\".\"+spec.group";
        problems.push(FieldProblem::invalid("metadata.name", &Value::from(name), why));
    }
    check_group(group, &mut problems);
    check_enum(text(spec, "scope"), "spec.scope", &["Cluster", "Namespaced"], &mut problems);
    check_versions(object, &mut problems);
    check_names(names, &mut problems);
    let shared = Shared::of(object);
    let first = versions(object).next().unwrap_or(&none);
    let status = versions(object).any(|version| version.pointer("/subresources/status").is_some());
    if shared.schema
        && let Some(schema) = first.pointer("/schema/openAPIV3Schema")
    {
        check_schema(schema, status, "spec.validation.openAPIV3Schema", &mut problems);
    }
    if shared.subresources {
        check_subresources(first, "spec.subresources", &mut problems);
    }
    if shared.columns {
        check_columns(first, "spec.additionalPrinterColumns", &mut problems);
    }
    if shared.selectable {
        check_selectable(first, "spec.selectableFields", &mut problems);
    }
    check_conversion(spec.get("conversion").unwrap_or(&none), &mut problems);
    if let Some(live) = live {
        check_unchanged(object, live, &mut problems);
    }
    check_stored_versions(object, &mut problems);
    check_approval(object, live, &mut problems);
    if flag(spec, "preserveUnknownFields") && !live.is_some_and(keeps_unknown) {
        let why =
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        problems.push(FieldProblem::invalid("spec.preserveUnknownFields", &Value::Bool(true), why));
    }
    problems
}

fn keeps_unknown(definition: &Value) -> bool {
    definition.get("spec").is_some_and(|spec| flag(spec, "preserveUnknownFields"))
}

/// Which parts all versions have in common.
struct Shared {
    schema: bool,
    subresources: bool,
    columns: bool,
    selectable: bool,
}

impl Shared {
    fn of(object: &Value) -> Self {
        let same = |key: &str| {
            let mut parts = versions(object).map(|version| version.get(key).filter(|part| !part.is_null()));
            let first = parts.next().flatten();
            parts.all(|part| part == first)
        };
        Self {
            schema: same("schema"),
            subresources: same("subresources"),
            columns: same("additionalPrinterColumns"),
            selectable: same("selectableFields"),
        }
    }
}

fn check_group(group: &str, problems: &mut Vec<FieldProblem>) {
    if group.is_empty() {
        problems.push(FieldProblem::required("spec.group", ""));
    } else if let Some(why) = dns_1123_subdomain(group) {
        problems.push(FieldProblem::invalid("spec.group", &Value::from(group), why));
    } else if !group.contains('.') {
        let why = "should be a domain with at least one dot";
        problems.push(FieldProblem::invalid("spec.group", &Value::from(group), why));
    }
}

fn check_enum(value: &str, path: &str, supported: &[&str], problems: &mut Vec<FieldProblem>) {
    if value.is_empty() {
        problems.push(FieldProblem::required(path, ""));
    } else if !supported.contains(&value) {
        problems.push(FieldProblem::not_supported(path, &Value::from(value), supported));
    }
}

fn check_versions(object: &Value, problems: &mut Vec<FieldProblem>) {
    let shared = Shared::of(object);
    let all: Vec<&Value> = versions(object).collect();
    for (index, version) in all.iter().enumerate() {
        if version.pointer("/schema/openAPIV3Schema").is_none() {
            problems.push(FieldProblem::required(format!("spec.versions[{index}].schema.openAPIV3Schema"), ""));
        }
    }
    for (index, version) in all.iter().enumerate() {
        let path = format!("spec.versions[{index}]");
        let name = text(version, "name");
        if let Some(why) = dns_1035_label(name) {
            problems.push(FieldProblem::invalid(format!("{path}.name"), &Value::from(name), why));
        }
        check_deprecation(version, &format!("{path}.deprecationWarning"), problems);
        if !shared.schema
            && let Some(schema) = version.pointer("/schema/openAPIV3Schema")
        {
            let status = version.pointer("/subresources/status").is_some();
            check_schema(schema, status, &format!("{path}.schema.openAPIV3Schema"), problems);
        }
        if !shared.subresources {
            check_subresources(version, &format!("{path}.subresources"), problems);
        }
        if !shared.columns {
            check_columns(version, &format!("{path}.additionalPrinterColumns"), problems);
        }
        if !shared.selectable {
            check_selectable(version, &format!("{path}.selectableFields"), problems);
        }
    }
    let mut wrong = |why: &str| {
        problems.push(FieldProblem {
            sort: ProblemSort::Invalid,
            field: "spec.versions".to_owned(),
            detail: why.to_owned(),
            value: Some(go_form::versions(&all, shared.schema)),
        });
    };
    let name_of = |version: &Value| text(version, "name").to_owned();
    if all.iter().enumerate().any(|(at, version)| all.iter().take(at).any(|other| name_of(other) == name_of(version))) {
        wrong("must contain unique version names");
    }
    if all.iter().filter(|version| flag(version, "storage")).count() != 1 {
        wrong("must have exactly one version marked as storage version");
    }
    if let Some(first) = all.first().map(|version| text(version, "name"))
        && let Some(why) = dns_1035_label(first)
    {
        problems.push(FieldProblem::invalid("spec.version", &Value::from(first), why));
    }
}

fn check_deprecation(version: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    let Some(warning) = version.get("deprecationWarning").and_then(Value::as_str) else { return };
    let mut wrong = |why: String| problems.push(FieldProblem::invalid(path, &Value::from(warning), why));
    if !flag(version, "deprecated") {
        return wrong("can only be set for deprecated versions".to_owned());
    }
    if warning.len() > 256 {
        wrong("must be <= 256 characters long".to_owned());
    }
    if warning.is_empty() {
        wrong("must not be an empty string".to_owned());
    }
    if let Some((index, _)) = warning.char_indices().find(|(_, letter)| !is_printable(*letter)) {
        wrong(format!("must only contain printable UTF-8 characters; non-printable character found at index {index}"));
    }
}

fn check_names(names: &Value, problems: &mut Vec<FieldProblem>) {
    for key in ["plural", "singular", "kind", "listKind"] {
        if text(names, key).is_empty() {
            problems.push(FieldProblem::required(format!("spec.names.{key}"), ""));
        }
    }
    let mut label = |path: String, shown: &str, name: &str, before: &str| {
        if let Some(why) = dns_1035_label(name) {
            problems.push(FieldProblem::invalid(path, &Value::from(shown), format!("{before}{why}")));
        }
    };
    for key in ["plural", "singular"] {
        let name = text(names, key);
        if !name.is_empty() {
            label(format!("spec.names.{key}"), name, name, "");
        }
    }
    for key in ["kind", "listKind"] {
        let name = text(names, key);
        if !name.is_empty() {
            let before = "may have mixed case, but should otherwise match: ";
            label(format!("spec.names.{key}"), name, &name.to_lowercase(), before);
        }
    }
    for (index, name) in texts(names, "shortNames").into_iter().enumerate() {
        label(format!("spec.names.shortNames[{index}]"), name, name, "");
    }
    let (kind, list_kind) = (text(names, "kind"), text(names, "listKind"));
    if !kind.is_empty() && kind == list_kind {
        let why = "kind and listKind may not be the same";
        problems.push(FieldProblem::invalid("spec.names.listKind", &Value::from(list_kind), why));
    }
    for (index, name) in texts(names, "categories").into_iter().enumerate() {
        if let Some(why) = dns_1035_label(name) {
            problems.push(FieldProblem::invalid(format!("spec.names.categories[{index}]"), &Value::from(name), why));
        }
    }
}

fn check_conversion(conversion: &Value, problems: &mut Vec<FieldProblem>) {
    let path = "spec.conversion";
    let strategy = text(conversion, "strategy");
    check_enum(strategy, &format!("{path}.strategy"), &["None", "Webhook"], problems);
    let client = conversion.pointer("/webhook/clientConfig").filter(|client| !client.is_null());
    let reviews =
        conversion.get("webhook").map(|webhook| texts(webhook, "conversionReviewVersions")).unwrap_or_default();
    if strategy == "Webhook" {
        let reviews: Vec<Value> = reviews.into_iter().map(Value::from).collect();
        problems.append(&mut validation::conversion(client, &reviews, path));
        return;
    }
    let mut forbid = |key: &str| {
        let why = "should not be set when strategy is not set to Webhook";
        problems.push(FieldProblem::forbidden(format!("{path}.{key}"), why));
    };
    if client.is_some() {
        forbid("webhookClientConfig");
    }
    if !reviews.is_empty() {
        forbid("conversionReviewVersions");
    }
}

fn check_unchanged(object: &Value, live: &Value, problems: &mut Vec<FieldProblem>) {
    let established = is_condition_true(live, "Established");
    let only_established = ["/spec/scope", "/spec/names/kind"].into_iter().filter(|_| established);
    for pointer in only_established.chain(["/spec/group", "/spec/names/plural"]) {
        let new = object.pointer(pointer).unwrap_or(&Value::Null);
        if new != live.pointer(pointer).unwrap_or(&Value::Null) {
            let path = pointer.trim_start_matches('/').replace('/', ".");
            problems.push(FieldProblem::invalid(path, new, "field is immutable"));
        }
    }
}

fn check_stored_versions(object: &Value, problems: &mut Vec<FieldProblem>) {
    let path = "status.storedVersions";
    let stored = object.get("status").map(|status| texts(status, "storedVersions")).unwrap_or_default();
    if stored.is_empty() {
        problems.push(FieldProblem::invalid(path, &Value::Null, "must have at least one stored version"));
        return;
    }
    let known: Vec<&str> = versions(object).map(|version| text(version, "name")).collect();
    for version in versions(object).filter(|version| flag(version, "storage")) {
        let name = text(version, "name");
        if !stored.contains(&name) {
            let why = format!("must have the storage version {name}");
            problems.push(FieldProblem::invalid(path, &Value::from(stored.clone()), why));
        }
    }
    for (index, name) in stored.iter().enumerate().filter(|(_, name)| !known.contains(name)) {
        let why = format!(
            "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a \
             storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
        );
        problems.push(FieldProblem::invalid(format!("{path}[{index}]"), &Value::from(*name), why));
    }
}

fn check_approval(object: &Value, live: Option<&Value>, problems: &mut Vec<FieldProblem>) {
    let group = object.pointer("/spec/group").and_then(Value::as_str).unwrap_or_default();
    let annotation = "/metadata/annotations/api-approved.kubernetes.io";
    if !is_protected(group) || live.is_some_and(|live| live.pointer(annotation) == object.pointer(annotation)) {
        return;
    }
    let path = "metadata.annotations[api-approved.kubernetes.io]";
    let (state, why) = approval(object);
    match state {
        "MissingAnnotation" => problems.push(FieldProblem::required(path, why)),
        "InvalidAnnotation" => {
            let value = object.pointer(annotation).unwrap_or(&Value::Null);
            problems.push(FieldProblem::invalid(path, value, why));
        }
        _ => {}
    }
}
