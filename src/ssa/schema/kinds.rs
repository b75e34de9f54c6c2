//! Which kinds a server serves, as the paths of its OpenAPI documents tell it.

use serde_json::Value;

/// A kind of object that can be read and written by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServedKind {
    /// API group, empty for the core group.
    pub group: String,
    /// Version within the group.
    pub version: String,
    /// Kind, such as `StatefulSet`.
    pub kind: String,
    /// Its name in paths, such as `statefulsets`.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Whether status is written through a subresource of its own, and is therefore ignored elsewhere.
    pub has_status: bool,
}

impl ServedKind {
    /// Returns `apiVersion` as objects of the kind have it.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Writes the kind as a line of the table, with the name of its type.
    pub(super) fn line(&self, type_name: &str) -> String {
        let scope = if self.namespaced { "namespaced" } else { "cluster" };
        let status = if self.has_status { "status" } else { "-" };
        format!("{}\t{}\t{scope}\t{status}\t{type_name}", line_key(&self.group, &self.version, &self.kind), self.plural)
    }

    /// Reads a line of the table: the kind and the name of its type.
    pub(super) fn read(line: &str) -> Option<(Self, &str)> {
        let mut columns = line.split('\t');
        let (key, plural, scope, status) = (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
        let type_name = columns.next()?;
        let mut parts = key.rsplitn(3, '/');
        let (kind, version) = (parts.next()?, parts.next()?);
        let kind = Self {
            group: parts.next()?.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced: scope == "namespaced",
            has_status: status == "status",
        };
        Some((kind, type_name))
    }
}

/// Returns what the line of a kind starts with, up to its first tab.
pub(super) fn line_key(group: &str, version: &str, kind: &str) -> String {
    format!("{group}/{version}/{kind}")
}

/// Returns the kinds whose objects a document has a path for.
pub(super) fn served_kinds(document: &Value) -> Vec<ServedKind> {
    let Some(paths) = document.get("paths").and_then(Value::as_object) else { return Vec::new() };
    paths
        .iter()
        .filter_map(|(path, operations)| {
            let (namespaced, plural) = object_path(path)?;
            let identity = ["get", "put", "post", "patch", "delete"]
                .iter()
                .find_map(|verb| operations.get(verb)?.get("x-kubernetes-group-version-kind"))?;
            let part = |key| identity.get(key).and_then(Value::as_str).map(str::to_owned);
            Some(ServedKind {
                group: part("group").unwrap_or_default(),
                version: part("version")?,
                kind: part("kind")?,
                plural: plural.to_owned(),
                namespaced,
                has_status: paths.contains_key(&format!("{path}/status")),
            })
        })
        .collect()
}

/// Tells of the path of one object whether it is in a namespace, and the plural name of its kind.
fn object_path(path: &str) -> Option<(bool, &str)> {
    let steps: Vec<&str> = path.split('/').skip(1).collect();
    let rest = match steps.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        _ => return None,
    };
    match rest {
        ["namespaces", "{namespace}", plural, "{name}"] => Some((true, plural)),
        [plural, "{name}"] => Some((false, plural)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_of_an_object_tells_a_kind() {
        assert_eq!(object_path("/api/v1/namespaces/{namespace}/pods/{name}"), Some((true, "pods")));
        assert_eq!(object_path("/api/v1/namespaces/{name}"), Some((false, "namespaces")));
        assert_eq!(object_path("/apis/apps/v1/namespaces/{namespace}/deployments"), None);
        assert_eq!(object_path("/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"), None);
        assert_eq!(object_path("/api/v1/watch/pods"), None);
    }

    #[test]
    fn a_line_gives_back_the_kind() {
        let kind = ServedKind {
            group: String::new(),
            version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            plural: "pods".to_owned(),
            namespaced: true,
            has_status: false,
        };
        assert_eq!(ServedKind::read(&kind.line("io.k8s.api.core.v1.Pod")), Some((kind, "io.k8s.api.core.v1.Pod")));
    }
}
