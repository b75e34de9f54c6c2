//! Kubernetes' own kinds, from the table that is checked in.
//!
//! The table is made from the OpenAPI documents of the Kubernetes version that the tests run against; the test at the end
//! of this file compares the two and, if asked to, writes the table anew.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

use super::kinds::{ServedKind, line_key};
use super::table::Types;
use super::{Schema, schema_of};

static TYPES: LazyLock<Arc<Types>> =
    LazyLock::new(|| Arc::new(Types::new(Cow::Borrowed(include_str!("table/types.tsv")), true)));
/// A kind's line of the table, and its schema once somebody asked for it: a stack of a thousand objects asks for ten
/// schemas a hundred times each.
type KnownKind = (&'static str, OnceLock<Option<Schema>>);

static KINDS: LazyLock<Vec<KnownKind>> =
    LazyLock::new(|| include_str!("table/kinds.tsv").lines().map(|line| (line, OnceLock::new())).collect());

/// Returns the schema of one of Kubernetes' own kinds.
#[must_use]
pub fn builtin(group: &str, version: &str, kind: &str) -> Option<Schema> {
    let key = line_key(group, version, kind);
    let key_of = |line: &'static str| line.split('\t').next().unwrap_or_default();
    let index = KINDS.binary_search_by(|(line, _)| key_of(line).cmp(key.as_str())).ok()?;
    let (line, schema) = &KINDS[index];
    let read = || ServedKind::read(line).and_then(|(kind, type_name)| schema_of(&TYPES, kind, type_name));
    schema.get_or_init(read).clone()
}

/// The types of `Scale`, which is no kind of object but the form of a subresource, and what its metadata needs.
const SCALE: [&str; 3] = [
    "io.k8s.api.autoscaling.v1.Scale\t{\"f\":{\"apiVersion\":\"s\",\"kind\":\"s\",\"metadata\":\"@io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta\",\"spec\":\"@io.k8s.api.autoscaling.v1.ScaleSpec\",\"status\":\"@io.k8s.api.autoscaling.v1.ScaleStatus\"}}",
    "io.k8s.api.autoscaling.v1.ScaleSpec\t{\"f\":{\"replicas\":\"n\"}}",
    "io.k8s.api.autoscaling.v1.ScaleStatus\t{\"f\":{\"replicas\":\"n\",\"selector\":\"s\"},\"r\":[\"replicas\"]}",
];

static SCALE_SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let metadata = include_str!("table/types.tsv").lines().filter(|line| line.starts_with("io.k8s.apimachinery."));
    let lines: Vec<&str> = SCALE.into_iter().chain(metadata).collect();
    let types = Arc::new(Types::new(Cow::Owned(lines.join("\n")), true));
    let kind = ServedKind {
        group: "autoscaling".to_owned(),
        version: "v1".to_owned(),
        kind: "Scale".to_owned(),
        plural: String::new(),
        namespaced: true,
        has_status: false,
    };
    schema_of(&types, kind, "io.k8s.api.autoscaling.v1.Scale").unwrap_or_else(Schema::deduced)
});

/// Returns the schema of `autoscaling/v1` `Scale`, in which the scale subresource of every kind is read and written.
#[must_use]
pub fn scale() -> Schema {
    SCALE_SCHEMA.clone()
}

/// Returns Kubernetes' own kinds, sorted by group, version and kind.
pub fn builtin_kinds() -> impl Iterator<Item = ServedKind> {
    KINDS.iter().filter_map(|(line, _)| ServedKind::read(line).map(|(kind, _)| kind))
}

/// Gives the types of a table that are only names, for their document lacks them, Kubernetes' own line of that name and
/// the lines that this one refers to.
pub(super) fn complete(table: &str) -> String {
    let mut lines: BTreeMap<&str, &str> = table.lines().filter_map(|line| line.split_once('\t')).collect();
    let mut wanted: Vec<&str> = lines.iter().filter(|(_, json)| **json == "\"d\"").map(|(name, _)| *name).collect();
    while let Some(name) = wanted.pop() {
        let Some(json) = TYPES.find(name).map(|index| TYPES.line(index).1) else { continue };
        lines.insert(name, json);
        let names = json.split("\"@").skip(1).map(|rest| rest.strip_prefix("\":\"").unwrap_or(rest));
        let names = names.filter_map(|rest| rest.split('"').next());
        wanted.extend(names.filter(|name| !lines.contains_key(name)));
    }
    lines.iter().map(|(name, json)| format!("{name}\t{json}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use super::super::compile::compile;
    use super::*;
    use crate::ssa::path::Path;

    const KUBERNETES: &str = "k8s.io/kubernetes@v1.35.4";

    fn documents() -> anyhow::Result<Vec<serde_json::Value>> {
        let output = Command::new("go").args(["env", "GOMODCACHE"]).output()?;
        let cache = PathBuf::from(String::from_utf8(output.stdout)?.trim());
        let mut files: Vec<PathBuf> = std::fs::read_dir(cache.join(KUBERNETES).join("api/openapi-spec/v3"))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        files.iter().map(|file| Ok(serde_json::from_slice(&std::fs::read(file)?)?)).collect()
    }

    #[test]
    #[ignore = "needs the Kubernetes module in the Go module cache (tests/testbed/testbed build)"]
    fn table_is_what_the_documents_of_kubernetes_give() -> anyhow::Result<()> {
        let compiled = compile(&documents()?);
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/ssa/schema/table");
        for (name, fresh) in [("kinds.tsv", &compiled.kinds), ("types.tsv", &compiled.types)] {
            if std::env::var_os("MATHISON_UPDATE_TABLE").is_some() {
                std::fs::write(folder.join(name), fresh)?;
            }
            let stored = std::fs::read_to_string(folder.join(name))?;
            assert!(stored == *fresh, "{name} is out of date: run this test with MATHISON_UPDATE_TABLE=1");
        }
        Ok(())
    }

    #[test]
    fn kinds_are_found_with_their_scope() {
        let deployment = builtin("apps", "v1", "Deployment").unwrap();
        let kind = deployment.kind().unwrap();
        assert_eq!((kind.plural.as_str(), kind.namespaced, kind.has_status), ("deployments", true, true));
        assert!(!builtin("", "v1", "Namespace").unwrap().kind().unwrap().namespaced);
        assert!(builtin("apps", "v1", "Deploiment").is_none());
        assert!(builtin("apps", "v1", "DeploymentList").is_none());
        let kinds: Vec<_> = builtin_kinds().collect();
        assert!(kinds.len() > 80);
        for kind in &kinds {
            assert!(builtin(&kind.group, &kind.version, &kind.kind).is_some(), "{kind:?}");
        }
    }

    #[test]
    fn every_type_can_be_read_and_refers_to_types_that_exist() {
        for line in include_str!("table/types.tsv").lines() {
            let (name, json) = line.split_once('\t').unwrap();
            assert!(TYPES.find(name).is_some(), "{name}");
            // Either `"@NAME"` or `{"@":"NAME",…}`.
            let names = json.split("\"@").skip(1).map(|rest| rest.strip_prefix("\":\"").unwrap_or(rest));
            for reference in names.filter_map(|rest| rest.split('"').next()) {
                assert!(TYPES.find(reference).is_some(), "{name} refers to {reference}");
            }
        }
    }

    #[test]
    fn fields_of_a_kind_can_be_looked_up() {
        let deployment = builtin("apps", "v1", "Deployment").unwrap();
        let container = deployment.at(&Path::parse(".spec.template.spec.containers[name=\"a\"]").unwrap()).unwrap();
        assert!(container.shape().field_names().contains(&"imagePullPolicy"));
        assert!(container.shape().allows_only_its_fields());
        assert!(deployment.at(&Path::parse(".spec.replica").unwrap()).is_none());
        let labels = deployment.at(&Path::parse(".metadata.labels").unwrap()).unwrap();
        assert!(!labels.shape().allows_only_its_fields());
    }
}
