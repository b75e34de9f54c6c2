//! Whether a prediction is certain, and why not.
//!
//! What an apply comes to is computed, and what it is not known how to compute is known too: values that the server gives
//! out, and zeros and nulls of which nobody was told what becomes of them. A prediction that touches none of these is what
//! the server stores, if it takes the write; the differential tests hold it to that. What stands between an apply and the
//! store in one cluster and not in another (webhooks, policies) no schema tells: whoever asks adds that.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::defaults::{all_given_out, given_out, is_zero};
use super::item::item_element;
use super::json;
use super::path::{Path, PathElement};
use super::schema::{Branch, ListKind, ListType, MapView, Schema, TypeRef, TypeTable};
use super::stripped::is_stripped;

/// Why it is not certain what the server stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// Nothing is known of the kind.
    UnknownSchema,
    /// Nobody is recorded to own anything of the object: the server works out who might.
    NoOwners,
    /// Somebody owns fields at another version of the kind, and the server converts the object to find out which he loses.
    OtherVersion {
        /// Who.
        manager: String,
        /// The version.
        api_version: String,
    },
    /// Somebody has two entries where the server keeps one, as a scale can leave them: the next write drops one of them.
    TwoEntries {
        /// Who.
        manager: String,
    },
    /// The server gives out the value of a field.
    GivenOut {
        /// The field.
        path: Path,
        /// Where the value comes from.
        from: &'static str,
    },
    /// With a field the server changes others.
    Follows {
        /// The field.
        path: Path,
        /// What follows from it.
        what: &'static str,
    },
    /// A field holds bytes in another spelling than the server's.
    Spelling {
        /// The field.
        path: Path,
    },
    /// A field is given as nothing, zero or empty, and nobody told whether the server keeps that.
    Empty {
        /// The field.
        path: Path,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSchema => f.write_str("the schema of its kind is not known"),
            Self::NoOwners => f.write_str("nobody is recorded to own any of its fields"),
            Self::OtherVersion { manager, api_version } => {
                write!(f, "the field manager `{manager}` owns fields of it at the version {api_version}")
            }
            Self::TwoEntries { manager } => {
                write!(f, "the field manager `{manager}` has two entries where the server keeps one")
            }
            Self::GivenOut { path, from } => write!(f, "the value of {path} comes from {from}"),
            Self::Follows { path, what } => write!(f, "{path} changes, and with it {what}"),
            Self::Spelling { path } => write!(f, "{path} is base64 in another spelling than the server's"),
            Self::Empty { path } => write!(f, "{path} is given as empty, which the server may leave out or fill in"),
        }
    }
}

/// The fields with which the server changes others: type, field, and what changes. Which of them, and how, depends on more than
/// the object.
const FOLLOWED: [(&str, &str, &str); 7] = [
    ("io.k8s.api.apps.v1.DaemonSetUpdateStrategy", "rollingUpdate", "zeros that stand for what it does not say"),
    ("io.k8s.api.core.v1.ServiceSpec", "type", "the addresses and ports that the server gives out"),
    ("io.k8s.api.core.v1.ServiceSpec", "externalName", "the addresses and ports that the server gives out"),
    ("io.k8s.api.core.v1.NodeSpec", "podCIDR", "its list of ranges"),
    ("io.k8s.api.core.v1.NodeSpec", "podCIDRs", "its single range"),
    ("io.k8s.api.apps.v1.DaemonSetSpec", "template", "the number of its generation in an annotation"),
    ("io.k8s.api.certificates.v1.CertificateSigningRequest", "spec", "nothing that is stored"),
];

/// The fields that hold maps of bytes.
const OF_BYTES: [(&str, &str); 2] =
    [("io.k8s.api.core.v1.Secret", "data"), ("io.k8s.api.core.v1.ConfigMap", "binaryData")];

/// Returns the first key of a map whose bytes would be spelled otherwise once they were read.
fn spelled_otherwise(map: &Value) -> Option<&str> {
    let is_other = |value: &Value| {
        value.as_str().is_some_and(|text| STANDARD.decode(text).map_or(true, |bytes| STANDARD.encode(bytes) != text))
    };
    map.as_object()?.iter().find(|(_, value)| is_other(value)).map(|(key, _)| key.as_str())
}

fn follows(type_name: &str, field: &str) -> Option<&'static str> {
    FOLLOWED.iter().find(|(of, name, _)| (*of, *name) == (type_name, field)).map(|(.., what)| *what)
}

/// Returns the first reason why `predicted`, which an apply makes of `live`, may not be what the server stores; `None` where it
/// is certain. The status is not looked at: an apply to the object leaves it alone.
#[must_use]
pub fn doubt(schema: Option<&Schema>, live: &Value, predicted: &Value) -> Option<Doubt> {
    let Some(schema) = schema.filter(|schema| schema.kind().is_some()) else { return Some(Doubt::UnknownSchema) };
    let mut walk = Walk { types: &schema.types, path: Vec::new() };
    of_owners(live).or_else(|| walk.value(&schema.reference, Some(live), Some(predicted)))
}

fn of_owners(live: &Value) -> Option<Doubt> {
    let entries = live.get("metadata").and_then(|metadata| metadata.get("managedFields")?.as_array());
    let Some(entries) = entries.filter(|entries| !entries.is_empty()) else { return Some(Doubt::NoOwners) };
    let text = |value: &Value, key| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let here = text(live, "apiVersion");
    if let Some(other) = entries.iter().find(|entry| text(entry, "apiVersion") != here) {
        return Some(Doubt::OtherVersion { manager: text(other, "manager"), api_version: text(other, "apiVersion") });
    }
    let mut identities: Vec<_> =
        entries.iter().map(|entry| ["manager", "operation", "subresource"].map(|key| text(entry, key))).collect();
    identities.sort_unstable();
    let twice = identities.windows(2).find(|pair| pair[0] == pair[1])?;
    Some(Doubt::TwoEntries { manager: twice[0][0].clone() })
}

struct Walk<'a> {
    types: &'a TypeTable,
    path: Vec<PathElement>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, reference: &'a TypeRef, before: Option<&Value>, after: Option<&Value>) -> Option<Doubt> {
        if before == after {
            return None;
        }
        if before.is_some_and(Value::is_null) || after.is_some_and(Value::is_null) {
            return Some(Doubt::Empty { path: self.path() });
        }
        let after = after?;
        // What is emptied may be a structure that is always there, with its defaults.
        if json::is_empty(after) && before.is_some_and(|before| !json::is_empty(before)) {
            return Some(Doubt::Empty { path: self.path() });
        }
        match (self.types.resolve(reference).branch(Some(after))?, after) {
            (Branch::Map(view), Value::Object(after)) if !view.map.is_free() => {
                self.map(reference, view, before.and_then(Value::as_object), after)
            }
            (Branch::List(list), Value::Array(after)) => {
                self.list(list, before.and_then(Value::as_array).map_or(&[], Vec::as_slice), after)
            }
            _ => None,
        }
    }

    fn map(
        &mut self,
        reference: &'a TypeRef,
        view: MapView<'a>,
        before: Option<&Map<String, Value>>,
        after: &Map<String, Value>,
    ) -> Option<Doubt> {
        let type_name = self.types.name_of(reference).unwrap_or_default();
        let known = self.types.known(reference);
        if before.is_none()
            && let Some((field, from)) = all_given_out(type_name)
                .find(|(field, _)| !after.contains_key(*field) && view.map.field(field).is_some())
        {
            self.path.push(PathElement::field(field));
            return Some(Doubt::GivenOut { path: self.path(), from });
        }
        let gone = before.into_iter().flatten().map(|(name, _)| name).filter(|name| !after.contains_key(*name));
        for name in gone.chain(after.keys()) {
            let (before, after) = (before.and_then(|before| before.get(name)), after.get(name));
            if before == after || self.is_of_server(name) {
                continue;
            }
            self.path.push(PathElement::field(name.as_str()));
            if let Some(from) = given_out(type_name, name) {
                return Some(Doubt::GivenOut { path: self.path(), from });
            }
            if let Some(what) = follows(type_name, name) {
                return Some(Doubt::Follows { path: self.path(), what });
            }
            let of_bytes = OF_BYTES.contains(&(type_name, name.as_str()));
            if let Some(key) = after.filter(|_| of_bytes).and_then(spelled_otherwise) {
                self.path.push(PathElement::field(key));
                return Some(Doubt::Spelling { path: self.path() });
            }
            let is_told = |known: &super::known::Known| known.fate_of_zero(name).is_some();
            if self.types.builtin
                && view.map.field(name).is_some()
                && after.is_some_and(is_zero)
                && !known.is_some_and(is_told)
            {
                return Some(Doubt::Empty { path: self.path() });
            }
            let found = view.map.under(name).and_then(|reference| self.value(reference, before, after));
            if found.is_some() {
                return found;
            }
            self.path.pop();
        }
        None
    }

    fn list(&mut self, list: &'a ListType, before: &[Value], after: &[Value]) -> Option<Doubt> {
        let named = |item: &Value| item_element(self.types, list, item).ok().filter(|_| list.kind != ListKind::Atomic);
        let before: BTreeMap<PathElement, &Value> =
            before.iter().filter_map(|item| Some((named(item)?, item))).collect();
        for (place, item) in after.iter().enumerate() {
            let name = named(item);
            let counterpart = name.as_ref().and_then(|name| before.get(name).copied());
            self.path.push(name.unwrap_or(PathElement::Index(place)));
            let found = self.value(&list.element, counterpart, Some(item));
            if found.is_some() {
                return found;
            }
            self.path.pop();
        }
        None
    }

    /// Tells whether a field is written by the server alone.
    fn is_of_server(&self, name: &str) -> bool {
        match self.path.as_slice() {
            [] => name == "status",
            [PathElement::Field(metadata)] => metadata == "metadata" && is_stripped(name),
            _ => false,
        }
    }

    fn path(&self) -> Path {
        Path(self.path.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::{apply, builtin};

    /// What is said of an apply of `now` where `before` was applied, both being specs.
    fn of(group: &str, kind: &str, before: Value, now: Value) -> String {
        let schema = builtin(group, "v1", kind).unwrap();
        let api_version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
        let object =
            |spec: Value| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec});
        let live = apply(&schema, None, &object(before), "a").unwrap().object.into_owned();
        let predicted = apply(&schema, Some(&live), &object(now), "a").unwrap();
        doubt(Some(&schema), &live, &predicted.object).map_or_else(|| "none".to_owned(), |doubt| doubt.to_string())
    }

    fn template(image: &str) -> Value {
        json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": image}]}})
    }

    #[test]
    fn what_is_known_to_the_end_is_not_doubted() {
        let deployment = |replicas: i64, image: &str| json!({"replicas": replicas, "selector": {"matchLabels": {"a": "b"}}, "template": template(image)});
        assert_eq!(of("apps", "Deployment", deployment(1, "a:1"), deployment(3, "a:2")), "none");
        assert_eq!(of("apps", "Deployment", deployment(1, "a:1"), deployment(0, "a")), "none");
        assert_eq!(of("apps", "Deployment", deployment(1, "a:1"), deployment(1, "a:1")), "none");
        // What was given out stays as it is.
        let service =
            |affinity: &str| json!({"clusterIP": "10.96.0.9", "ports": [{"port": 80}], "sessionAffinity": affinity});
        assert_eq!(of("", "Service", service("None"), service("ClientIP")), "none");
    }

    #[test]
    fn what_the_server_makes_up_is_doubted_by_its_name() {
        let ports = |ports: &[u16]| ports.iter().map(|port| json!({"port": port})).collect::<Vec<_>>();
        let daemon = |image| json!({"selector": {"matchLabels": {"a": "b"}}, "template": template(image)});
        let limits = json!({"limits": [{"type": "Container"}]});
        let of_node = json!({"podCIDR": "10.0.0.0/24"});
        let told = [
            of("", "Service", json!({"ports": ports(&[80])}), json!({"ports": ports(&[80]), "type": "NodePort"})),
            of("", "Service", json!({"ports": ports(&[80])}), json!({"ports": ports(&[80, 81])})),
            of("", "Node", json!({}), of_node),
            of("apps", "DaemonSet", daemon("a:1"), daemon("a:2")),
            of("", "LimitRange", limits, json!({"limits": []})),
        ];
        insta::assert_snapshot!(told.join("\n"), @r#"
        .spec.type changes, and with it the addresses and ports that the server gives out
        the value of .spec.ports[port=81,protocol="TCP"].nodePort comes from the range of node ports
        .spec.podCIDR changes, and with it its list of ranges
        .spec.template changes, and with it the number of its generation in an annotation
        .spec.limits is given as empty, which the server may leave out or fill in
        "#);
    }

    #[test]
    fn bytes_that_are_spelled_otherwise_are_doubted() {
        let schema = builtin("", "v1", "Secret").unwrap();
        let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"a": value}});
        let live = apply(&schema, None, &secret("YQ=="), "a").unwrap().object.into_owned();
        let of = |value: &str| {
            let predicted = apply(&schema, Some(&live), &secret(value), "a").unwrap();
            doubt(Some(&schema), &live, &predicted.object)
        };
        assert_eq!(of("YWI="), None);
        assert_eq!(of("YG=="), Some(Doubt::Spelling { path: Path::parse(".data.a").unwrap() }));
    }

    #[test]
    fn whoever_owns_something_at_another_version_or_nobody_makes_it_doubtful() {
        let schema = builtin("", "v1", "ConfigMap").unwrap();
        let config = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": value}});
        let live = apply(&schema, None, &config("1"), "a").unwrap().object.into_owned();
        let found = |live: &Value, schema: Option<&Schema>| {
            let predicted = apply(&builtin("", "v1", "ConfigMap").unwrap(), Some(live), &config("2"), "b").unwrap();
            doubt(schema, live, &predicted.object)
        };
        assert_eq!(found(&live, Some(&schema)), None);
        assert_eq!(found(&live, None), Some(Doubt::UnknownSchema));
        assert_eq!(found(&live, Some(&Schema::deduced())), Some(Doubt::UnknownSchema));
        let mut by_nobody = live.clone();
        by_nobody["metadata"].as_object_mut().unwrap().remove("managedFields");
        assert_eq!(found(&by_nobody, Some(&schema)), Some(Doubt::NoOwners));
        let mut twice = live.clone();
        let entry = twice["metadata"]["managedFields"][0].clone();
        twice["metadata"]["managedFields"].as_array_mut().unwrap().push(entry);
        assert_eq!(found(&twice, Some(&schema)), Some(Doubt::TwoEntries { manager: "a".to_owned() }));
        let mut elsewhere = live;
        elsewhere["metadata"]["managedFields"][0]["apiVersion"] = json!("v0");
        insta::assert_snapshot!(found(&elsewhere, Some(&schema)).unwrap(), @"the field manager `a` owns fields of it at the version v0");
    }
}
