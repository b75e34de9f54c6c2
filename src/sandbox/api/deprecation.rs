//! Versions that are deprecated: every answer about them warns of it, whatever was asked.

use std::cmp::Reverse;

use serde_json::Value;

use crate::sandbox::kind::Kind;
use crate::sandbox::kinds::Kinds;

/// Kubernetes' own that are served by default (`APILifecycleDeprecated` of their types).
const BUILTIN: [(&str, &str, &str); 2] = [
    ("v1", "Endpoints", "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
    ("v1", "ComponentStatus", "v1 ComponentStatus is deprecated in v1.19+"),
];

/// Returns what requests about a kind are warned of.
pub(super) fn warning(kinds: &Kinds, kind: &Kind) -> Option<String> {
    let Some(custom) = &kind.custom else {
        let known = BUILTIN.iter().find(|(version, name, _)| kind.group.is_empty() && (kind.version.as_str(), kind.kind.as_str()) == (*version, *name));
        return known.map(|(_, _, text)| (*text).to_owned());
    };
    if !is_deprecated(&custom.version) {
        return None;
    }
    if let Some(text) = custom.version.get("deprecationWarning").and_then(Value::as_str) {
        return Some(text.to_owned());
    }
    let better = kinds
        .custom()
        .filter(|other| other.group == kind.group && other.kind == kind.kind)
        .filter(|other| other.custom.as_ref().is_some_and(|custom| !is_deprecated(&custom.version)))
        .filter(|other| priority(&other.version) > priority(&kind.version))
        .max_by_key(|other| priority(&other.version));
    let this = format!("{} {} is deprecated", kind.api_version(), kind.kind);
    Some(match better {
        Some(better) => format!("{this}; use {} {}", better.api_version(), better.kind),
        None => this,
    })
}

fn is_deprecated(version: &Value) -> bool {
    version.get("deprecated").and_then(Value::as_bool).unwrap_or(false)
}

/// The order of versions: stable ones, then betas, then alphas, the later the better; other names last, by their letters.
fn priority(version: &str) -> (u8, u64, u64, Reverse<&str>) {
    let parsed = || {
        let rest = version.strip_prefix('v')?;
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let (major, rest) = rest.split_at(digits);
        let major = major.parse::<u64>().ok()?;
        let (stage, minor) = match rest {
            "" => return Some((3, major, 0)),
            rest if rest.starts_with("beta") => (2, rest.strip_prefix("beta")?),
            rest => (1, rest.strip_prefix("alpha")?),
        };
        Some((stage, major, minor.parse::<u64>().ok()?))
    };
    match parsed() {
        Some((stage, major, minor)) => (stage, major, minor, Reverse("")),
        None => (0, 0, 0, Reverse(version)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::kinds;

    #[test]
    fn stable_versions_come_before_betas_and_alphas() {
        let mut versions = ["v1alpha1", "foo1", "v2", "v1beta2", "v10", "v1beta10"];
        versions.sort_by_key(|version| Reverse(priority(version)));
        assert_eq!(versions, ["v10", "v2", "v1beta10", "v1beta2", "v1alpha1", "foo1"]);
    }

    #[test]
    fn endpoints_are_deprecated_and_slices_are_not() {
        let of = |name: &str| {
            let kind = kinds::builtin().into_iter().find(|kind| kind.kind == name && kind.version == "v1").unwrap();
            warning(&Kinds::new(), &kind)
        };
        assert_eq!(of("Endpoints").unwrap(), "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice");
        assert!(of("EndpointSlice").is_none());
    }
}
