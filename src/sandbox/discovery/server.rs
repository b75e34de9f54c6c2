//! What the server says of itself.

use serde_json::{Value, json};

use crate::sandbox::kinds::Kinds;

/// `/version`. It must not be mistaken for a cluster's, and kubectl reads it as a semantic version.
pub(super) fn version() -> Value {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    json!({
        "major": "1",
        "minor": "35",
        "emulationMajor": "1",
        "emulationMinor": "35",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "34",
        "gitVersion": "v1.35.4+mathison-sandbox",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": format!("{}/{architecture}", std::env::consts::OS)
    })
}

/// `/`
pub(super) fn paths(kinds: &Kinds) -> Value {
    let mut paths = vec!["/api".to_owned(), "/api/v1".to_owned(), "/apis".to_owned(), "/apis/".to_owned()];
    for (group, versions) in kinds.groups() {
        paths.push(format!("/apis/{group}"));
        paths.extend(versions.iter().map(|version| format!("/apis/{group}/{version}")));
    }
    let others = ["/healthz", "/healthz/ping", "/livez", "/livez/ping", "/openapi/v3", "/openapi/v3/", "/readyz"];
    paths.extend(others.iter().map(|path| (*path).to_owned()));
    paths.extend(["/readyz/ping", "/version"].map(str::to_owned));
    paths.sort();
    json!({"paths": paths})
}
