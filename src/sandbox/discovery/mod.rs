//! What is served, as clients ask for it: groups, versions, resources, the server's version and its health.

mod aggregated;
mod plain;
mod server;

use serde_json::Value;
use sha2::{Digest, Sha512};

use super::kinds::Kinds;
use crate::resource::canonical_json;

/// The media type of a plain document.
const JSON: &str = "application/json";
/// The media type of text.
const TEXT: &str = "text/plain; charset=utf-8";
/// The media type of aggregated discovery.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Returns the document at a path together with its media type; `None` if the path is none of discovery's. Text is a
/// plain string.
///
/// `/api` and `/apis` are answered as one aggregated list to those who prefer it, by an `Accept` that names it before
/// plain JSON.
#[must_use]
pub fn document(path: &str, accept: &str, kinds: &Kinds) -> Option<(&'static str, Value)> {
    let path = match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    let steps: Vec<&str> = path.split('/').skip(1).collect();
    let plain = |value: Value| Some((JSON, value));
    match steps.as_slice() {
        [""] => plain(server::paths(kinds)),
        ["version"] => plain(server::version()),
        ["healthz" | "readyz" | "livez"] | ["healthz" | "readyz" | "livez", "ping"] => Some((TEXT, Value::from("ok"))),
        ["api"] if prefers_aggregated(accept) => Some((AGGREGATED, aggregated::core(kinds))),
        ["apis"] if prefers_aggregated(accept) => Some((AGGREGATED, aggregated::groups(kinds))),
        ["api"] => plain(plain::core_versions()),
        ["apis"] => plain(plain::groups(kinds)),
        ["api", version] => plain::resources("", version, kinds).and_then(plain),
        ["apis", group] => plain::group(group, kinds).and_then(plain),
        ["apis", group, version] => plain::resources(group, version, kinds).and_then(plain),
        _ => None,
    }
}

/// Returns the entity tag of a document, quoted as the header has it: aggregated discovery is answered with one, and with
/// 304 to those who have it already.
#[must_use]
pub fn entity_tag(document: &Value) -> String {
    use std::fmt::Write;

    let digest = Sha512::digest(canonical_json(document));
    let mut tag = String::from("\"");
    for byte in digest {
        let _ = write!(tag, "{byte:02X}");
    }
    tag.push('"');
    tag
}

/// Tells whether the first media type that can be answered is the aggregated list.
fn prefers_aggregated(accept: &str) -> bool {
    for wanted in accept.split(',') {
        let mut parts = wanted.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let parameters: Vec<&str> = parts.collect();
        let has = |parameter: &str| parameters.contains(&parameter);
        let plain = !parameters.iter().any(|parameter| parameter.starts_with("as="));
        match media_type {
            JSON if has("as=APIGroupDiscoveryList") && has("g=apidiscovery.k8s.io") && has("v=v2") => return true,
            JSON | "*/*" | "application/*" | "" if plain => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests;
