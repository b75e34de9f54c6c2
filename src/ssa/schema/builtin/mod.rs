//! Kubernetes' own kinds, from tables that are checked in.
//!
//! The tables are made from the OpenAPI documents of the newest patch release of each minor one; the test at the end of this
//! file compares the two and, if asked to, writes the tables anew. The hashes under which servers list their documents are
//! what `tests/testbed/testbed documents VERSION` says.

mod release;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

pub use self::release::Release;
use super::kinds::{ServedKind, line_key};
use super::table::Types;
use super::{Schema, schema_of};

/// The kinds of one release.
struct Table {
    types: Arc<Types>,
    kinds: Vec<KnownKind>,
}

/// A kind's line of the table, and its schema once somebody asked for it: a stack of a thousand objects asks for ten
/// schemas a hundred times each.
type KnownKind = (Cow<'static, str>, OnceLock<Option<Schema>>);

static TABLES: [LazyLock<Table>; 3] = [
    LazyLock::new(|| Table::of(Release::V1_33)),
    LazyLock::new(|| Table::of(Release::V1_34)),
    LazyLock::new(|| Table::of(Release::V1_35)),
];

impl Table {
    fn of(release: Release) -> Self {
        let lines: Vec<Cow<'static, str>> = match release.kinds() {
            Cow::Borrowed(text) => text.lines().map(Cow::Borrowed).collect(),
            Cow::Owned(text) => text.lines().map(|line| Cow::Owned(line.to_owned())).collect(),
        };
        let kinds = lines.into_iter().map(|line| (line, OnceLock::new())).collect();
        Self { types: Arc::new(Types::new(release.types(), true)), kinds }
    }

    fn of_release(release: Release) -> &'static Self {
        &TABLES[release as usize]
    }

    fn newest() -> &'static Self {
        Self::of_release(Release::NEWEST)
    }

    fn get(&self, group: &str, version: &str, kind: &str) -> Option<Schema> {
        let key = line_key(group, version, kind);
        let key_of = |line: &str| line.split('\t').next().unwrap_or_default().cmp(key.as_str());
        let index = self.kinds.binary_search_by(|(line, _)| key_of(line)).ok()?;
        let (line, schema) = &self.kinds[index];
        let read = || ServedKind::read(line).and_then(|(kind, type_name)| schema_of(&self.types, kind, type_name));
        schema.get_or_init(read).clone()
    }
}

/// Returns the schema of one of Kubernetes' own kinds, as the newest release has it.
#[must_use]
pub fn builtin(group: &str, version: &str, kind: &str) -> Option<Schema> {
    Table::newest().get(group, version, kind)
}

/// Returns the schema of one of Kubernetes' own kinds, as a release has it.
#[must_use]
pub fn builtin_in(release: Release, group: &str, version: &str, kind: &str) -> Option<Schema> {
    Table::of_release(release).get(group, version, kind)
}

/// The types of `Scale`, which is no kind of object but the form of a subresource, and what its metadata needs.
const SCALE: [&str; 3] = [
    "io.k8s.api.autoscaling.v1.Scale\t{\"f\":{\"apiVersion\":\"s\",\"kind\":\"s\",\"metadata\":\"@io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta\",\"spec\":\"@io.k8s.api.autoscaling.v1.ScaleSpec\",\"status\":\"@io.k8s.api.autoscaling.v1.ScaleStatus\"}}",
    "io.k8s.api.autoscaling.v1.ScaleSpec\t{\"f\":{\"replicas\":\"n\"}}",
    "io.k8s.api.autoscaling.v1.ScaleStatus\t{\"f\":{\"replicas\":\"n\",\"selector\":\"s\"},\"r\":[\"replicas\"]}",
];

static SCALE_SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let metadata = Table::newest().types.text().lines().filter(|line| line.starts_with("io.k8s.apimachinery."));
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

/// Returns Kubernetes' own kinds as the newest release has them, sorted by group, version and kind.
pub fn builtin_kinds() -> impl Iterator<Item = ServedKind> {
    Table::newest().kinds.iter().filter_map(|(line, _)| ServedKind::read(line).map(|(kind, _)| kind))
}

/// Gives the types of a table that are only names, for their document lacks them, Kubernetes' own line of that name and
/// the lines that this one refers to.
pub(super) fn complete(table: &str) -> String {
    let types = &Table::newest().types;
    let mut lines: BTreeMap<&str, &str> = table.lines().filter_map(|line| line.split_once('\t')).collect();
    let mut wanted: Vec<&str> = lines.iter().filter(|(_, json)| **json == "\"d\"").map(|(name, _)| *name).collect();
    while let Some(name) = wanted.pop() {
        let Some(json) = types.find(name).map(|index| types.line(index).1) else { continue };
        lines.insert(name, json);
        let names = json.split("\"@").skip(1).map(|rest| rest.strip_prefix("\":\"").unwrap_or(rest));
        let names = names.filter_map(|rest| rest.split('"').next());
        wanted.extend(names.filter(|name| !lines.contains_key(name)));
    }
    lines.iter().map(|(name, json)| format!("{name}\t{json}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;

    use serde_json::Value;

    use super::super::compile::{Compiled, compile};
    use super::release::changes;
    use super::*;
    use crate::ssa::path::Path;

    /// What the tables were made from.
    const PATCHES: [(Release, &str); 3] =
        [(Release::V1_33, "1.33.13"), (Release::V1_34, "1.34.4"), (Release::V1_35, "1.35.4")];

    fn compiled(version: &str) -> anyhow::Result<Compiled> {
        let module = format!("k8s.io/kubernetes@v{version}");
        let output = Command::new("go").args(["mod", "download", "-json", &module]).current_dir("/").output()?;
        let told: Value = serde_json::from_slice(&output.stdout)?;
        let folder = told["Dir"].as_str().ok_or_else(|| anyhow::anyhow!("{module}: {}", told["Error"]))?;
        let mut files: Vec<PathBuf> = fs::read_dir(PathBuf::from(folder).join("api/openapi-spec/v3"))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        let documents = files.iter().map(|file| Ok(serde_json::from_slice(&fs::read(file)?)?));
        Ok(compile(&documents.collect::<anyhow::Result<Vec<Value>>>()?))
    }

    #[test]
    #[ignore = "downloads the Kubernetes modules of three releases (Go's client)"]
    fn tables_are_what_the_documents_of_kubernetes_give() -> anyhow::Result<()> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/ssa/schema/table");
        let compiled = PATCHES.map(|(release, version)| compiled(version).map(|compiled| (release, compiled)));
        let compiled = compiled.into_iter().collect::<Result<Vec<_>, _>>()?;
        let (_, newest) = compiled.last().expect("there is a newest release");
        for (release, compiled) in &compiled {
            let of_newest =
                [("kinds.tsv", &newest.kinds, &compiled.kinds), ("types.tsv", &newest.types, &compiled.types)];
            for (name, newest, whole) in of_newest {
                let file = folder.join(release.to_string()).join(name);
                let fresh = if *release == Release::NEWEST { whole.clone() } else { changes(newest, whole) };
                if std::env::var_os("MATHISON_UPDATE_TABLE").is_some() {
                    fs::write(&file, &fresh)?;
                }
                let stored = fs::read_to_string(&file)?;
                let file = file.display();
                assert!(stored == fresh, "{file} is out of date: run this test with MATHISON_UPDATE_TABLE=1");
            }
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
        for release in Release::ALL {
            let Table { types, kinds } = Table::of_release(release);
            for line in types.text().lines() {
                let (name, json) = line.split_once('\t').unwrap();
                assert!(types.find(name).is_some(), "{release}: {name}");
                // Either `"@NAME"` or `{"@":"NAME",…}`.
                let names = json.split("\"@").skip(1).map(|rest| rest.strip_prefix("\":\"").unwrap_or(rest));
                for reference in names.filter_map(|rest| rest.split('"').next()) {
                    assert!(types.find(reference).is_some(), "{release}: {name} refers to {reference}");
                }
            }
            for (line, _) in kinds {
                let (kind, _) = ServedKind::read(line).unwrap();
                assert!(builtin_in(release, &kind.group, &kind.version, &kind.kind).is_some(), "{release}: {line}");
                assert!(
                    release.document(&kind.api_version()).is_some() || is_off_by_default(&kind),
                    "{release}: {line}"
                );
            }
        }
    }

    /// Servers serve what is not yet stable only where they are told to, and list no document of it.
    fn is_off_by_default(kind: &ServedKind) -> bool {
        kind.version.contains("alpha") || kind.version.contains("beta")
    }

    #[test]
    fn a_release_has_its_own_fields() {
        let at = |path: &str| {
            let path = Path::parse(path).unwrap();
            Release::ALL.map(|release| builtin_in(release, "", "v1", "Pod").unwrap().at(&path).is_some())
        };
        assert_eq!(at(".spec.containers[name=\"a\"].image"), [true, true, true]);
        assert_eq!(at(".spec.containers[name=\"a\"].restartPolicyRules"), [false, true, true]);
        assert_eq!(at(".spec.workloadRef"), [false, false, true]);
        let has =
            |version, kind| Release::ALL.map(|release| builtin_in(release, "resource.k8s.io", version, kind).is_some());
        assert_eq!(has("v1", "ResourceClaim"), [false, true, true]);
        assert_eq!(has("v1alpha3", "ResourceClaim"), [true, false, false]);
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
