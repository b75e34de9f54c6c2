//! What a path leads to.

/// A resource, or a collection of them, as a path names it. Whether it is served is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// API group, empty for the core group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Plural name.
    pub plural: String,
    /// Namespace, where the path has one.
    pub namespace: Option<String>,
    /// Name, where the path has one.
    pub name: Option<String>,
    /// What lies below the object.
    pub subresource: Option<String>,
    /// Whether the path is one of the old `/watch/` ones.
    pub watch: bool,
}

/// Reads a path; `None` if it is none of an object or a collection.
#[must_use]
pub fn target_of(path: &str) -> Option<Target> {
    let steps: Vec<&str> = path.trim_end_matches('/').split('/').skip(1).collect();
    let (group, version, rest) = match steps.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return None,
    };
    let (watch, rest) = match rest {
        ["watch", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let some = |text: &str| Some(text.to_owned());
    let (namespace, plural, name, below): (Option<String>, &str, Option<String>, &[&str]) = match rest {
        // The namespace itself and what lies below it; other plurals are collections inside it.
        ["namespaces", name, subresource @ ("status" | "finalize")] => {
            (None, "namespaces", some(name), std::slice::from_ref(subresource))
        }
        ["namespaces", namespace, plural, name, below @ ..] => (some(namespace), plural, some(name), below),
        ["namespaces", namespace, plural] => (some(namespace), plural, None, &[]),
        [plural, name, below @ ..] => (None, plural, some(name), below),
        [plural] => (None, plural, None, &[]),
        [] => return None,
    };
    Some(Target {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: plural.to_owned(),
        namespace,
        name,
        subresource: (!below.is_empty()).then(|| below.join("/")),
        watch,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str) -> String {
        target_of(path).map_or("-".to_owned(), |target| {
            let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            format!(
                "{}/{} {} {} {} {}",
                target.group,
                target.version,
                target.plural,
                or_none(target.namespace),
                or_none(target.name),
                or_none(target.subresource)
            )
        })
    }

    #[test]
    fn a_path_names_a_resource() {
        assert_eq!(shown("/api/v1/namespaces"), "/v1 namespaces - - -");
        assert_eq!(shown("/api/v1/namespaces/a"), "/v1 namespaces - a -");
        assert_eq!(shown("/api/v1/namespaces/a/finalize"), "/v1 namespaces - a finalize");
        assert_eq!(shown("/api/v1/namespaces/a/pods"), "/v1 pods a - -");
        assert_eq!(shown("/api/v1/namespaces/a/pods/p/status"), "/v1 pods a p status");
        assert_eq!(shown("/apis/apps/v1/deployments"), "apps/v1 deployments - - -");
        assert_eq!(shown("/apis/apps/v1/namespaces/a/deployments/d/scale"), "apps/v1 deployments a d scale");
        assert_eq!(
            shown("/apis/rbac.authorization.k8s.io/v1/clusterroles/x"),
            "rbac.authorization.k8s.io/v1 clusterroles - x -"
        );
        assert_eq!(shown("/api/v1/watch/namespaces/a/pods"), "/v1 pods a - -");
        assert_eq!(shown("/apis/apps/v1"), "-");
        assert_eq!(shown("/healthz"), "-");
    }
}
